#!/usr/bin/env bash
# Follows Lotus's own daemon with edgefvm follow, for as long as asked, and kills both sides (kill -9) in between: the one, the other, both.
# Nothing may differ, nothing may be left out, and what was judged must be what a second run judges that begins at the first epoch.
#
#   ffi/follow.sh [-w DIR] [-e EDGEFVM] [-s ws|http] TIME
#
# TIME is seconds, at least 60. -w DIR keeps the module, the binaries and what was found. -e is the command; without it it is built.
# -s is how the daemon is spoken to.
set -euo pipefail
work= edgefvm= scheme=ws
while getopts w:e:s: opt; do case $opt in w) work=$OPTARG ;; e) edgefvm=$OPTARG ;; s) scheme=$OPTARG ;; *) exit 2 ;; esac; done
shift $((OPTIND - 1))
if [ $# != 1 ]; then sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2; exit 2; fi
temporary=
if [ -z "$work" ]; then work=$(mktemp -d) temporary=1; fi
mkdir -p "$work"
work=$(cd "$work" && pwd)
ffi=$(cd "$(dirname "$0")" && pwd)
daemon=0 driver=0 follower=0
# shellcheck disable=SC2317 # called by the trap
quit() {
  for p in $daemon $driver $follower; do [ "$p" = 0 ] || kill -9 "$p" 2>/dev/null || true; done
  [ -z "$temporary" ] || { chmod -R u+w "$work"; rm -rf "$work"; }
}
trap quit EXIT
if [ -z "$edgefvm" ]; then
  edgefvm=$work/edgefvm
  (cd "$ffi/.." && go build -o "$edgefvm" ./cmd/edgefvm)
fi
# shellcheck source=itests/module.sh
. "$ffi/itests/module.sh"
# shellcheck source=itests/daemon.sh
. "$ffi/itests/daemon.sh"
make_module "$work"
cd "$work"
build_daemon "$ffi"
new_devnet
: > daemon.log; : > daemon.txt; : > follow.log
rm -rf follow follow2 differences report.json report2.json

node_up() { start_daemon; daemon=$pid; ./devnet run "$PWD" "$LOTUS_PATH" 24h >> daemon.txt 2>&1 & driver=$!; }
node_down() { kill -9 "$daemon" "$driver" 2>/dev/null || true; wait "$daemon" "$driver" 2>/dev/null || true; daemon=0 driver=0; }
follow_up() {
  "$edgefvm" follow --node "$scheme://127.0.0.1:$port" --network 2k --store follow --differences differences --report report.json \
    --proofs assume --listen 127.0.0.1:$((port + 1)) --log json "$@" >> follow.log 2>&1 &
  follower=$!
}
follow_down() { kill -9 "$follower" 2>/dev/null || true; wait "$follower" 2>/dev/null || true; follower=0; }
status() { curl -sf "http://127.0.0.1:$((port + 1))/status" || echo '{}'; }
field() { sed -n "s/^ *\"$1\": \([0-9-]*\),*$/\1/p"; }
# run_for WHAT: a quarter of the time, in which the chain must grow, at a quarter of the clock's pace at least, and what it grows be judged.
reached=0
run_for() {
  sleep "$quarter"
  local now judged
  now=$(status) judged=$(field judged_to_epoch <<< "$now")
  echo "$(date +%T) $1: $(grep -E '"(head_epoch|judged_to_epoch|passed|blocks_fetched)"' <<< "$now" | tr -d ' \n')"
  [ "$((judged - reached))" -ge "$((quarter / 16))" ] || { echo "judged up to $judged, after $reached" >&2; tail -n 3 daemon.txt >&2; exit 1; }
  reached=$judged
}

quarter=$(($1 / 4))
node_up
until [ -s repo/token ] && [ -s repo/api ]; do sleep 1; kill -0 "$daemon"; done
follow_up
run_for "before the follower is killed"
follow_down; sleep 10; follow_up
run_for "before the daemon is killed"
node_down; sleep 10; node_up
run_for "before both are killed"
node_down; follow_down; follow_up; sleep 10; node_up
run_for "at the end"
# The chain stands still while the last is judged.
kill "$driver" 2>/dev/null || true
for _ in $(seq 60); do
  sleep 1
  now=$(status)
  [ "$(field lag_epochs <<< "$now")" != 0 ] || [ "$(field waiting <<< "$now")" != 0 ] || break
done
curl -sf "http://127.0.0.1:$((port + 1))/readyz" > ready.txt || { echo "not ready: $(cat ready.txt)" >&2; exit 1; }
judged=$(field judged_to_epoch <<< "$now")
began=$(date +%s%N)
kill "$follower"
code=0; wait "$follower" || code=$?
follower=0
echo "ended on SIGTERM after $((($(date +%s%N) - began) / 1000000)) ms with $code"
[ "$code" = 0 ]

# All again from the first epoch, with a store of its own and two tipsets at a time.
"$edgefvm" follow --node "$scheme://127.0.0.1:$port" --network 2k --store follow2 --differences differences --report report2.json --proofs assume \
  --from 1 --to "$judged" --parallel 2 >> follow.log 2>&1
result() { sed -n "s/.*\"epoch\":\([0-9]*\),\"tipset\":\"\([a-z0-9]*\)\",\"result\":\"$2\".*/\1 \2/p" "$1/journal.jsonl" | sort -u; }
first=$(result follow passed | sort -n | head -1 | cut -d' ' -f1)
for what in differs undecided skipped; do
  for store in follow follow2; do [ -z "$(result $store $what)" ] || { echo "$what in $store: $(result $store $what)" >&2; exit 1; }; done
done
missing=$(comm -23 <(result follow2 passed | awk -v f="$first" '$1 >= f' | sort) <(result follow passed))
[ -z "$missing" ] || { echo "left out: $missing" >&2; exit 1; }
[ ! -e differences ] || { echo "differences were written" >&2; exit 1; }
echo "FOLLOW $1 s: epochs $first to $judged, $(result follow passed | wc -l) tipsets passed and 0 differ; again from epoch 1: $(result follow2 passed | wc -l) passed"
