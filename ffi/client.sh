#!/usr/bin/env bash
# Lotus's own Go client and its command against 'edgefvm dev': what they read, send and are told.
#
#   ffi/client.sh [-w DIR] [-e EDGEFVM]
#
# EDGEFVM is the command; by default it is built. -w DIR keeps the module and the programs. The first run compiles Lotus, which takes
# minutes.
set -euo pipefail
work= edgefvm=
while getopts w:e: opt; do case $opt in w) work=$OPTARG ;; e) edgefvm=$OPTARG ;; *) exit 2 ;; esac; done
if [ -z "$work" ]; then work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; fi
mkdir -p "$work/client" "$work/repo"
work=$(cd "$work" && pwd)
ffi=$(cd "$(dirname "$0")" && pwd)
if [ -z "$edgefvm" ]; then
  edgefvm=$work/edgefvm
  (cd "$ffi/.." && go build -o "$edgefvm" ./cmd/edgefvm)
fi
# shellcheck source=itests/module.sh
. "$ffi/itests/module.sh"
make_module "$work"
cp "$ffi/itests/testdata/client/main.go" "$work/client/"
(cd "$work" && go build -tags 2k,debug -o ask ./client && go build -tags 2k,debug -o lotus github.com/filecoin-project/lotus/cmd/lotus)

port=${EDGEFVM_DEVNET_PORT:-18645}
"$edgefvm" dev --port "$port" --miners 1 --flavour devnet > "$work/dev.log" 2>&1 &
pid=$!
trap 'kill $pid 2>/dev/null || true; wait $pid 2>/dev/null || true' EXIT
for _ in $(seq 600); do grep -q '^Listening' "$work/dev.log" && break; kill -0 $pid; sleep 0.2; done

result=0
"$work/ask" "127.0.0.1:$port" || result=1

# The command: each line must succeed and print what stands behind the bar.
export LOTUS_PATH=$work/repo FULLNODE_API_INFO=/ip4/127.0.0.1/tcp/$port/http GOLOG_LOG_LEVEL=error
default=$("$work/lotus" wallet default)
other=$("$work/lotus" wallet list -a | sed -n 2p)
passed=0 all=0
try() {
  local words=$1 out
  shift
  all=$((all + 1))
  if out=$(timeout 120 "$work/lotus" "$@" 2>&1) && grep -q -- "$words" <<< "$out"; then passed=$((passed + 1)); else printf 'FAIL lotus %s\n%s\n' "$*" "$out"; result=1; fi
}
sent=$("$work/lotus" send "$other" 1.5 | tail -n 1)
try 'Exit Code: 0' state search-msg "$sent"
try 'Exit Code: 0' state wait-msg "$sent"
try "$default" chain getmessage "$sent"
try 'Exit code: 0\|ExitCode\|Gas Used' state replay "$sent"
try '"Nonce"' state list-messages --from "$default"
try 'Daemon: *edgefvm' version
try bafy chain head
try 't01000' chain list --count 3
try "$default" wallet list
try ' FIL' wallet balance "$other"
try 't3' wallet new bls
try 't410f' wallet new delegated
try 'Byte Power' state miner-info t01000
try 't01000' state list-miners
try '100.0000%' state power t01000
try 'Sector' state sectors t01000
try 'Deadline\|Proving' state sector t01000 0
try 'storagemarket' state get-actor t05
try 'EscrowTable' state read-state t05
try 't099' state list-actors
try 'supply' state circulating-supply
try 'Network Version' state network-version
try 't01' state lookup "$default"
try 'Escrow' state market balance t01000
try 'complete' sync status
try 'Qm' net id
try '' mpool pending
try 'SizeLimitHigh' mpool config
try 'Sent create in message\|Created new multisig' msig create --required 1 --value 3 --from "$default" "$default" "$other"
try 'Network:' info
echo "lotus: passed $passed of $all"
exit $result
