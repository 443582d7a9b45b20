#!/usr/bin/env bash
# Asks Lotus's own API (node/impl/full) about chains, and writes what it answers: requests and answers, for the tests of node/filapi.
#
#   ffi/answers.sh [-w DIR] [-t TAGS] OUT CHAIN.car.zst...
#
# CHAIN.json beside each describes it, as for 'edgefvm replay --network'. -t 2k for chains of that build. -w DIR keeps the module and
# the program. OUT is a folder; NAME.answers.jsonl.zst comes there.
set -euo pipefail
work= tags=
while getopts w:t: opt; do case $opt in w) work=$OPTARG ;; t) tags=$OPTARG ;; *) exit 2 ;; esac; done
shift $((OPTIND - 1))
if [ $# -lt 2 ]; then sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2; exit 2; fi
if [ -z "$work" ]; then work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; fi
mkdir -p "$work/answers"
work=$(cd "$work" && pwd)
ffi=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=itests/module.sh
. "$ffi/itests/module.sh"
make_module "$work"
cp "$ffi/itests/testdata/answers/main.go" "$work/answers/"
(cd "$work" && go build ${tags:+-tags="$tags"} -o ask ./answers)
GOLOG_LOG_LEVEL=${GOLOG_LOG_LEVEL:-error} "$work/ask" "$@"
