#!/usr/bin/env bash
# Runs a development network of Lotus v1.36.2 on EdgeFVM: from its genesis, with blocks and FEVM messages, for as long
# as asked; in shadow mode if EDGEFVM_SHADOW says so. Proofs are mocked, as in Lotus's own tests. Nothing of Lotus is
# changed.
#
#   EDGEFVM_SHADOW=wazero,wazero-interpreter ffi/devnet.sh [-w DIR] TIME
#
# TIME is such as 10m. -w DIR keeps the module and the test binary. Fails if engines differ.
set -euo pipefail
work=
while getopts w: opt; do case $opt in w) work=$OPTARG ;; *) exit 2 ;; esac; done
shift $((OPTIND - 1))
if [ $# != 1 ]; then sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2; exit 2; fi
if [ -z "$work" ]; then work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; fi
mkdir -p "$work"
work=$(cd "$work" && pwd)
ffi=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=itests/module.sh
. "$ffi/itests/module.sh"
make_module "$work"
cp "$ffi/itests/testdata/devnet_test.go" "$work/"
(cd "$work" && go test -vet=off -c -o devnet.test .)
export EDGEFVM_SHADOW_DIR=${EDGEFVM_SHADOW_DIR:-$work/differences}
cd "$work"
DEVNET_TIME=$1 LOTUS_DIR=$lotus ./devnet.test -test.run '^TestDevnet$' -test.v -test.timeout 0 > devnet.log 2>&1 || { tail -n 40 devnet.log >&2; exit 1; }
grep -E '^DEVNET|edgefvm_|^--- ' devnet.log
