#!/usr/bin/env bash
# How long chains take to replay: on edgefvm with one worker and with two, and by Lotus itself on this module, on the same machine and in
# turns, so that what else runs there strikes all alike.
#
#   ffi/chainbench.sh [-w DIR] [-t TAGS] [-r ROUNDS] [-e ENGINE] CHAIN.car.zst...
#
# CHAIN.json beside each describes it. -t 2k for chains of that build. -e is edgefvm's engine (default wazero); Lotus's is EDGEFVM_ENGINE's.
# -w DIR keeps the programs. A round is each of the three once for each chain; the time is the clock's, from
# the first tipset to the last: reading the archive and starting are left out. Prints the least and the median of the rounds, and the ratios:
# ours/Lotus should be at most 0.5, and one worker/two at least 1.5. Caches are filled by a round that does not count.
set -euo pipefail
work= tags= rounds=5 engine=wazero
while getopts w:t:r:e: opt; do
  case $opt in w) work=$OPTARG ;; t) tags=$OPTARG ;; r) rounds=$OPTARG ;; e) engine=$OPTARG ;; *) exit 2 ;; esac
done
shift $((OPTIND - 1))
if [ $# = 0 ]; then sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2; exit 2; fi
if [ -z "$work" ]; then work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; fi
mkdir -p "$work/chain"
work=$(cd "$work" && pwd)
ffi=$(cd "$(dirname "$0")" && pwd)
(cd "$ffi/.." && go build ${EDGEFVM_TAGS:+-tags="$EDGEFVM_TAGS"} -o "$work/edgefvm" ./cmd/edgefvm)
# shellcheck source=itests/module.sh
. "$ffi/itests/module.sh"
make_module "$work"
cp "$ffi"/itests/testdata/chain/*.go "$work/chain/"
(cd "$work" && go build ${tags:+-tags="$tags"} -o replay ./chain)

# seconds NAME FILE: what the tipsets of a chain took.
ours() { # workers chain
  "$work/edgefvm" replay "$2" --network "${2%.car.zst}.json" --engine "$engine" --workers "$1" --proofs assume --differences "$work/differences" --json 2> "$work/ours.log" |
    sed -n 's/^ *"seconds": \([0-9.e-]*\),\{0,1\}$/\1/p'
}
lotus() { GOLOG_LOG_LEVEL=error "$work/replay" -bench "$1" 2> "$work/lotus.log" | sed -n 's/^PASS.* tipsets in \([0-9.]*\) s.*/\1/p'; }

status=0
for chain in "$@"; do
  name=$(basename "${chain%.car.zst}")
  : > "$work/times"
  for round in $(seq 0 "$rounds"); do
    one=$(ours 1 "$chain") two=$(ours 2 "$chain") theirs=$(lotus "$chain")
    [ -n "$one" ] && [ -n "$two" ] && [ -n "$theirs" ] || { echo "FAIL $name: see $work/ours.log and $work/lotus.log" >&2; exit 1; }
    [ "$round" = 0 ] || echo "$one $two $theirs" >> "$work/times"
  done
  # Medians of the times, and of the ratios of one round.
  awk -v name="$name" '
    function median(a, n,  i, j, t) { for (i = 2; i <= n; i++) { t = a[i]; for (j = i - 1; j > 0 && a[j] > t; j--) a[j + 1] = a[j]; a[j + 1] = t } return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2 }
    { o[NR] = $1; w[NR] = $2; l[NR] = $3; r[NR] = $1 / $3; s[NR] = $1 / $2; v[NR] = $2 / $3 }
    END {
      mo = median(o, NR); mw = median(w, NR); ml = median(l, NR); mr = median(r, NR); ms = median(s, NR); mv = median(v, NR)
      printf "%-12s one worker %7.2f s, two %7.2f s, Lotus %7.2f s (medians of %d); least %.2f %.2f %.2f; ours/Lotus %.2f, with two workers %.2f; one/two %.2f\n", name, mo, mw, ml, NR, o[1], w[1], l[1], mr, mv, ms
      exit mr > 0.5 || ms < 1.5
    }' "$work/times" || status=1
done
exit $status
