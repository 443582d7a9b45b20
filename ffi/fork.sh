#!/usr/bin/env bash
# Forks Lotus's own daemon with edgefvm dev --fork, and compares what the fork says with what the daemon says: calls of a token, blocks,
# receipts and logs of the past, randomness that contracts see. Then transactions on the fork, with the daemon killed and back, and all
# once more offline, which may fetch nothing.
#
#   ffi/fork.sh [-w DIR] [-e EDGEFVM] [-s ws|http] TIME
#
# TIME is how many seconds the daemon mines before it is forked, at least 60. -w DIR keeps the module, the binaries and what was found.
# -e is the command; without it it is built. -s is how the daemon is spoken to.
set -euo pipefail
work= edgefvm= scheme=http
while getopts w:e:s: opt; do case $opt in w) work=$OPTARG ;; e) edgefvm=$OPTARG ;; s) scheme=$OPTARG ;; *) exit 2 ;; esac; done
shift $((OPTIND - 1))
if [ $# != 1 ]; then sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2; exit 2; fi
temporary=
if [ -z "$work" ]; then work=$(mktemp -d) temporary=1; fi
mkdir -p "$work"
work=$(cd "$work" && pwd)
ffi=$(cd "$(dirname "$0")" && pwd)
daemon=0 driver=0 node=0
# shellcheck disable=SC2317 # called by the trap
quit() {
  for p in $daemon $driver $node; do [ "$p" = 0 ] || kill -9 "$p" 2>/dev/null || true; done
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
: > daemon.log; : > daemon.txt; : > fork.log
rm -rf fetched

node_up() { start_daemon; daemon=$pid; ./devnet run "$PWD" "$LOTUS_PATH" 24h >> daemon.txt 2>&1 & driver=$!; }
node_down() { kill -9 "$daemon" "$driver" 2>/dev/null || true; wait "$daemon" "$driver" 2>/dev/null || true; daemon=0 driver=0; }
fork_up() {
  "$edgefvm" dev --fork "$scheme://127.0.0.1:$port" --fork-network 2k --fork-cache "$work/fetched" --port $((port + 1)) --json-log "$@" >> fork.log 2>&1 &
  node=$!
  for _ in $(seq 600); do
    curl -sf -o /dev/null "http://127.0.0.1:$((port + 1))/" -d '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}' -H 'Content-Type: application/json' && return
    kill -0 $node || { tail -n 5 fork.log >&2; exit 1; }
    sleep 0.1
  done
  exit 1
}
fork_down() { kill "$node" 2>/dev/null || true; wait "$node" 2>/dev/null || true; node=0; }
# ask PORT METHOD PARAMS: the result, or the error.
ask() {
  curl -s -m 60 "http://127.0.0.1:$1/rpc/v1" -H 'Content-Type: application/json' -d "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"$2\",\"params\":$3}"
}
lotus_says() { ask "$port" "$@"; }
fork_says() { ask $((port + 1)) "$@"; }
# result: without the filter of logs, of which the daemon sets all bits in blocks.
result() { python3 -c 'import json,sys
v = json.load(sys.stdin).get("result")
if isinstance(v, dict) and "transactions" in v: v.pop("logsBloom", None)
print(json.dumps(v, sort_keys=True))'; }
get() { python3 -c 'import json,sys
v = json.load(sys.stdin)["result"]
for k in sys.argv[1:]: v = v[int(k)] if isinstance(v, list) else v[k]
print(v if isinstance(v, str) else json.dumps(v))' "$@"; }
compared=0
# same METHOD PARAMS: the daemon and the fork say the same, and not null.
same() {
  local a b
  a=$(lotus_says "$1" "$2" | result) b=$(fork_says "$1" "$2" | result)
  if [ "$a" = null ] || [ "$a" != "$b" ]; then
    printf '%s %s\n  the daemon: %.2000s\n  the fork:   %.2000s\n' "$1" "$2" "$a" "$b" >&2
    exit 1
  fi
  compared=$((compared + 1))
}
fetched() { fork_says anvil_nodeInfo '[]' | get filecoin fetched Fetched; }

node_up
until [ -s repo/token ] && [ -s repo/api ]; do sleep 1; kill -0 "$daemon"; done
sleep "$1"
fork_up
at=$(($(fork_says eth_blockNumber '[]' | get)))
hex=$(printf '0x%x' "$at")
[ "$(fork_says eth_chainId '[]' | get)" = 0x1df5e76 ]

# The token is what the daemon's first contract is.
logs="[{\"fromBlock\":\"0x1\",\"toBlock\":\"$hex\"}]"
token=$(for e in $(seq 1 "$at"); do lotus_says eth_getBlockByNumber "[\"$(printf '0x%x' "$e")\",true]"; echo; done | python3 -c 'import json,sys
for line in sys.stdin:
  if not line.strip(): continue
  for t in (json.loads(line).get("result") or {}).get("transactions") or []:
    if t["to"] is None: print(t["hash"], t["from"]); sys.exit()')
creation=${token% *} holder=${token#* }
token=$(lotus_says eth_getTransactionReceipt "[\"$creation\"]" | get contractAddress)
data=0xf8b2cb4f000000000000000000000000${holder#0x} # getBalance(address)
call="[{\"to\":\"$token\",\"data\":\"$data\"},\"$hex\"]"
before=$(fetched)
began=$(date +%s%N)
balance=$(fork_says eth_call "$call" | get)
took=$((($(date +%s%N) - began) / 1000000))
needed=$(($(fetched) - before))
[ "$balance" = "$(lotus_says eth_call "$call" | get)" ]
echo "FORK at epoch $at: the first eth_call of the token took $took ms and $needed blocks"
[ "$took" -lt "${EDGEFVM_FORK_MS:-1000}" ]
before=$(fetched)
[ "$balance" = "$(fork_says eth_call "$call" | get)" ]
[ "$(fetched)" = "$before" ]

# The past, in Lotus's manner.
fork_down
fork_up --fork-epoch "$at" --strict
for e in $(seq $((at > 12 ? at - 12 : 1)) $((at - 1))); do
  h=$(printf '0x%x' "$e")
  lotus_says eth_getBlockByNumber "[\"$h\",false]" | grep -q '"hash"' || continue
  same eth_getBlockByNumber "[\"$h\",true]"
  same eth_getBlockReceipts "[\"$h\"]"
  same eth_getBlockByHash "[\"$(lotus_says eth_getBlockByNumber "[\"$h\",false]" | get hash)\",false]"
done
same eth_getTransactionByHash "[\"$creation\"]"
same eth_getTransactionReceipt "[\"$creation\"]"
same eth_getLogs "$logs"
same eth_getCode "[\"$token\",\"$hex\"]"
same eth_getBalance "[\"$holder\",\"$hex\"]"
same Filecoin.ChainGetTipSetByHeight "[$((at - 3)),null]"
same Filecoin.StateGetActor "[\"f04\",$(lotus_says Filecoin.ChainGetTipSetByHeight "[$((at - 3)),null]" | get Cids)]"
same trace_block "[\"$(printf '0x%x' $((at - 2)))\"]"
echo "FORK the past: $compared answers are the daemon's"

fork_down
fork_up --fork-epoch "$at"

# Transactions, of a dev account and of the token's holder without its key.
a=0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266
send() { fork_says eth_sendTransaction "[$1]" | get; }
fork_says anvil_impersonateAccount "[\"$holder\"]" > /dev/null
fork_says anvil_setBalance "[\"$holder\",\"0x56bc75e2d63100000\"]" > /dev/null
to=000000000000000000000000f39fd6e51aad88f6f4ce6ab8827279cfffb92266
sent=$(send "{\"from\":\"$holder\",\"to\":\"$token\",\"data\":\"0x90b98a11$to$(printf '%064x' 7)\"}") # sendCoin(address,uint256)
[ "$(fork_says eth_getTransactionReceipt "[\"$sent\"]" | get status)" = 0x1 ]
mine="[{\"to\":\"$token\",\"data\":\"0xf8b2cb4f$to\"},\"latest\"]"
[ $(($(fork_says eth_call "$mine" | get))) = 7 ]
fork_says fvm_extractVector "[\"$sent\"]" | python3 -c 'import json,sys; json.dump(json.load(sys.stdin)["result"], open("vector.json","w"))'
"$edgefvm" vectors run vector.json > /dev/null

# The daemon dies: what was fetched is there, what was not is an error of the request; and it comes back.
node_down
[ $(($(fork_says eth_call "$mine" | get))) = 7 ]
fresh='["0x00000000000000000000000000000000000f0f0f","latest"]'
began=$(date +%s)
fork_says eth_getTransactionReceipt '["0x1111111111111111111111111111111111111111111111111111111111111111"]' | grep -q '"error"'
[ $(($(date +%s) - began)) -lt 60 ]
node_up
for _ in $(seq 120); do curl -sf -m 5 "http://127.0.0.1:$port/rpc/v1" -H 'Content-Type: application/json' -d '{"jsonrpc":"2.0","id":1,"method":"Filecoin.ChainHead","params":[]}' -o /dev/null && break; sleep 1; done
fork_says eth_getBalance "$fresh" | grep -q '"result"'
sent=$(send "{\"from\":\"$a\",\"to\":\"0x00000000000000000000000000000000000f0f0f\",\"value\":\"0x5\"}")
[ "$(fork_says eth_getTransactionReceipt "[\"$sent\"]" | get status)" = 0x1 ]
fork_down
node_down

# Offline, the same.
fork_up --offline --fork-epoch "$at"
[ $(($(fork_says eth_blockNumber '[]' | get))) = "$at" ]
[ "$balance" = "$(fork_says eth_call "$call" | get)" ]
[ "$(fetched)" = 0 ]
fork_down
echo "FORK offline: nothing was fetched"
