#!/usr/bin/env bash
# Runs vectors through a node's own code of its VM, on EdgeFVM: Lotus's chain/vm, built without cgo, or Venus's pkg/fvm.
# What the node makes of filecoin-ffi's answers is compared with what the reference gave: receipts, fees, events, state
# roots. Vectors that a node cannot run are told apart, with the reason. Nothing of the nodes is changed.
#
#   ffi/vectors.sh [-w DIR] lotus|venus [FOLDER...]
#
# Without folders: the golden vectors of the repository. -w DIR keeps the module and the log.
set -euo pipefail
work=
while getopts w: opt; do case $opt in w) work=$OPTARG ;; *) exit 2 ;; esac; done
shift $((OPTIND - 1))
ffi=$(cd "$(dirname "$0")" && pwd)
node=${1:-}
case $node in lotus | venus) shift ;; *) sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2; exit 2 ;; esac
[ $# -gt 0 ] || set -- "$ffi/../lab/conformance/testdata"
if [ -z "$work" ]; then work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; fi
mkdir -p "$work"
vectors=$(realpath "$@")

[ $node != lotus ] || export CGO_ENABLED=${CGO_ENABLED:-0}
# shellcheck source=itests/module.sh
. "$ffi/itests/module.sh"
if [ $node = lotus ]; then make_module "$work"; else make_venus_module "$work"; fi
cp "$ffi/itests/testdata/vectors/vectors_test.go" "$ffi/itests/testdata/vectors/${node}_test.go" "$work/"
cd "$work"
go test -vet=off -c -o vectors.test .
result=0
VECTORS=$vectors ./vectors.test -test.v -test.timeout 0 > vectors.log 2>&1 || result=1
grep -E '^VECTORS' vectors.log || tail -n 40 vectors.log >&2
grep -E '^ +vectors_test.go' vectors.log >&2 || true
exit $result
