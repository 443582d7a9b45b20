#!/usr/bin/env bash
# Replays chains by Lotus itself on EdgeFVM: its own selection of messages, randomness, supply, base fees and migrations, as
# a cross-check of the package node/replay. Compares state root, receipts root and base fee of each tipset. Lotus validates
# each block too, winning PoSts included, and blocks with each of some ninety damages, all of which it must refuse.
#
#   FIL_PROOFS_PARAMETER_CACHE=KEYS TRUST_PARAMS=1 ffi/chains.sh [-w DIR] [-t TAGS] CHAIN.car.zst...
#
# CHAIN.json beside each describes it, as for 'edgefvm replay --network'. -t 2k for chains of that build. -w DIR keeps the
# module and the program, and replay.txt with what it printed: epoch, circulating supply and base fee of each tipset, and answers
# about randomness, tipsets and lookback, which 'EDGEFVM_LOTUS_CHAINS=DIR/replay.txt go test ./node/replay' compares; and
# blocks.jsonl, the damaged blocks with Lotus's verdicts, which EDGEFVM_LOTUS_BLOCKS=DIR/blocks.jsonl compares with ours.
set -euo pipefail
work= tags=
while getopts w:t: opt; do case $opt in w) work=$OPTARG ;; t) tags=$OPTARG ;; *) exit 2 ;; esac; done
shift $((OPTIND - 1))
if [ $# = 0 ]; then sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2; exit 2; fi
if [ -z "$work" ]; then work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; fi
mkdir -p "$work/chain"
work=$(cd "$work" && pwd)
ffi=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=itests/module.sh
. "$ffi/itests/module.sh"
make_module "$work"
cp "$ffi"/itests/testdata/chain/*.go "$work/chain/"
(cd "$work" && go build ${tags:+-tags="$tags"} -o replay ./chain)
result=0
GOLOG_LOG_LEVEL=${GOLOG_LOG_LEVEL:-error} "$work/replay" -blocks "$work/blocks.jsonl" "$@" > "$work/replay.txt" 2> "$work/replay.log" || result=1
grep -E '^(PASS|FAIL)' "$work/replay.txt"
exit $result
