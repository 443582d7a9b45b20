#!/usr/bin/env bash
# Runs a development network of Lotus v1.36.3 on EdgeFVM: from its genesis, with blocks and FEVM messages, for as long
# as asked; in shadow mode if EDGEFVM_SHADOW says so. Proofs are mocked, as in Lotus's own tests. Nothing of Lotus is
# changed.
#
#   EDGEFVM_SHADOW=wazero,wazero-interpreter ffi/devnet.sh [-d] [-c] [-w DIR] TIME
#
# TIME is such as 10m. -w DIR keeps the module and the binaries. Fails if engines differ.
# -d runs Lotus's own daemon (itests/daemon.sh), and itests/testdata/daemon mines through its API.
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
# shellcheck source=itests/daemon.sh
. "$ffi/itests/daemon.sh"
make_module "$work"
[ -z "$static" ] || without_cgo "$work"
export EDGEFVM_SHADOW_DIR=${EDGEFVM_SHADOW_DIR:-$work/differences}

# run_daemon TIME: the daemon writes daemon.log, what drives it daemon.txt.
run_daemon() {
  local pid port result=0
  build_daemon "$ffi"
  new_devnet
  : > daemon.log
  start_daemon
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
