#!/usr/bin/env bash
# Runs a development network of Lotus v1.36.3 on EdgeFVM: from its genesis, with blocks and FEVM messages, for as long
# as asked; in shadow mode if EDGEFVM_SHADOW says so. Proofs are mocked, as in Lotus's own tests. Nothing of Lotus is
# changed.
#
#   EDGEFVM_SHADOW=wazero,wazero-interpreter ffi/devnet.sh [-d] [-c] [-w DIR] TIME
#
# TIME is such as 10m. -w DIR keeps the module and the binaries. Fails if engines differ.
# -d runs Lotus's own daemon, built with the tags 2k and debug, and itests/testdata/daemon mines through its API. The
# daemon would fetch the keys that verify proofs, which it does not use here: go-paramfetch is replaced by one that
# fetches nothing, and values of the random beacon are made up.
# -c builds Lotus without cgo, as a static program: see without_cgo in itests/module.sh.
set -euo pipefail
work= daemon= static=
while getopts dcw: opt; do case $opt in d) daemon=1 ;; c) static=1 ;; w) work=$OPTARG ;; *) exit 2 ;; esac; done
shift $((OPTIND - 1))
if [ $# != 1 ]; then sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2; exit 2; fi
if [ -z "$work" ]; then work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; fi
mkdir -p "$work"
work=$(cd "$work" && pwd)
ffi=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=itests/module.sh
. "$ffi/itests/module.sh"
make_module "$work"
[ -z "$static" ] || without_cgo "$work"
export EDGEFVM_SHADOW_DIR=${EDGEFVM_SHADOW_DIR:-$work/differences}

# run_daemon TIME: the daemon writes daemon.log, what drives it daemon.txt.
run_daemon() {
  local tags=2k,debug${EDGEFVM_TAGS:+,$EDGEFVM_TAGS} pid result=0
  mkdir -p paramfetch driver
  printf 'module github.com/filecoin-project/go-paramfetch\n\ngo 1.24\n' > paramfetch/go.mod
  printf 'package paramfetch\n\nimport "context"\n\nfunc GetParams(context.Context, []byte, []byte, uint64) error { return nil }\n' > paramfetch/paramfetch.go
  go mod edit -replace github.com/filecoin-project/go-paramfetch=./paramfetch
  cp "$ffi/itests/testdata/daemon/main.go" driver/
  go build -tags "$tags" -o lotus github.com/filecoin-project/lotus/cmd/lotus
  go build -tags "$tags" -o devnet ./driver
  rm -rf repo
  ./devnet genesis "$work"
  export LOTUS_PATH=$work/repo LOTUS_DIR=$lotus LOTUS_IGNORE_DRAND=_yes_ LOTUS_SKIP_GENESIS_CHECK=_yes_ LOTUS_F3_ENABLED=0
  export LOTUS_FEVM_ENABLEETHRPC=true LOTUS_CHAININDEXER_ENABLEINDEXER=true
  local port=${EDGEFVM_DEVNET_PORT:-31234}
  export LOTUS_API_LISTENADDRESS=/ip4/127.0.0.1/tcp/$port/http LOTUS_LIBP2P_LISTENADDRESSES=/ip4/127.0.0.1/tcp/0
  ./lotus daemon --api "$port" --lotus-make-genesis="$work/devnet.car" --genesis-template="$work/genesis.json" --bootstrap=false > daemon.log 2>&1 &
  pid=$!
  # shellcheck disable=SC2064
  trap "kill $pid 2>/dev/null || true" INT TERM
  ./devnet run "$work" "$LOTUS_PATH" "$1" > daemon.txt 2>&1 || result=1
  kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true
  grep -E '^(DEVNET|FAIL|window PoSt)' daemon.txt
  if grep -q 'engines differ' daemon.log || [ -n "$(ls -A "$EDGEFVM_SHADOW_DIR" 2>/dev/null)" ]; then
    echo "engines differ: see $EDGEFVM_SHADOW_DIR" >&2
    result=1
  fi
  return $result
}

cd "$work"
if [ -n "$daemon" ]; then run_daemon "$1"; exit; fi
cp "$ffi/itests/testdata/devnet_test.go" "$work/"
go test -vet=off -c -o devnet.test .
DEVNET_TIME=$1 LOTUS_DIR=$lotus ./devnet.test -test.run '^TestDevnet$' -test.v -test.timeout 0 > devnet.log 2>&1 || { tail -n 40 devnet.log >&2; exit 1; }
grep -E '^DEVNET|edgefvm_|^--- ' devnet.log
