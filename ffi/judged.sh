#!/usr/bin/env bash
# Runs a development network of Lotus v1.36.3 on EdgeFVM that judges proofs (2 KiB, no insecure validation, nothing
# mocked). The published Rust crates (lab/prover) seal and prove beside it. Each block is offered with spoiled winning
# PoSts, which the daemon must refuse, and then with the real one; a seal, a recovery, a dispute and an update come in
# messages, spoiled and real. Nothing of Lotus is changed.
#
#   ffi/judged.sh [-w DIR] [-k KEYS] [-p PROVER]
#
# -w DIR     keep the module, the binaries and the network there (default: a temporary folder)
# -k KEYS    where keys and parameters are; what is missing is made, from a seed that everybody knows
#            (default: $XDG_CACHE_HOME/edgefvm/prover; 1.3 GB, half an hour or more the first time, 5 GB of memory)
# -p PROVER  lab/prover, built (default: cargo builds it into DIR)
#
# It needs cargo and a C compiler, and takes some ten minutes on two cores once keys and binaries are there: a winning
# PoSt takes ten seconds of a processor, a seal or an update a minute or two.
set -euo pipefail
work= keys=${XDG_CACHE_HOME:-$HOME/.cache}/edgefvm/prover prover=
while getopts w:k:p: opt; do case $opt in w) work=$OPTARG ;; k) keys=$OPTARG ;; p) prover=$(realpath "$OPTARG") ;; *) exit 2 ;; esac; done
shift $((OPTIND - 1))
if [ $# != 0 ]; then sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2; exit 2; fi
if [ -z "$work" ]; then work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; fi
mkdir -p "$work" "$keys/parents"
work=$(cd "$work" && pwd)
keys=$(cd "$keys" && pwd)
ffi=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=itests/module.sh
. "$ffi/itests/module.sh"
# shellcheck source=itests/daemon.sh
. "$ffi/itests/daemon.sh"
export FIL_PROOFS_PARAMETER_CACHE=$keys/ FIL_PROOFS_PARENT_CACHE=$keys/parents/ TRUST_PARAMS=1
# Several blocks of one epoch are offered on purpose; the daemon's own filter would refuse them before it looks at proofs.
export LOTUS_NO_SLASHFILTER=_yes_i_know_i_can_and_probably_will_lose_all_my_fil_and_power_

if [ -z "$prover" ]; then
  cargo build --release --quiet --manifest-path "$ffi/../lab/prover/Cargo.toml" --target-dir "$work/target"
  prover=$work/target/release/prover
fi
"$prover" params winning window update seal
make_module "$work"
cd "$work"
daemon_tags=2k build_daemon "$ffi"
rm -rf sector-* replicas.json devnet.car
genesis_sealed() { ./devnet genesis-sealed "$1" "$prover"; }
make_genesis=genesis_sealed new_devnet
: > daemon.log
start_daemon
trap 'kill "$pid" 2>/dev/null || true' INT TERM
result=0
./devnet judged "$work" "$LOTUS_PATH" "$prover" 2> prover.log | tee judged.txt || result=1
kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true
[ $result = 0 ] || tail -n 5 prover.log >&2
exit $result
