#!/usr/bin/env bash
# Runs integration tests of Lotus v1.36.3 on EdgeFVM, from a temporary module that requires Lotus and replaces
# filecoin-ffi by this module. Nothing of Lotus is changed. Each test is a process of its own.
#
#   ffi/itests.sh [-j JOBS] [-r RETRIES] [-w DIR] [-o FILE] [-p] NAME...
#
# NAME is a list of itests/ (fast, canary, fevm, core), a file with a test a line, or a test. Prints "passed N of M";
# the exit code is 0 if N is M.
#   -j JOBS     tests at a time (1). Tests of Lotus have short deadlines: a starved machine fails them.
#   -r RETRIES  how often a test that failed runs again (0). What passed only then is told apart.
#   -w DIR      keep the module, the test binary and the logs there (default: a temporary folder)
#   -o FILE     append a line for each run: test, result, seconds, try
#   -p          prepare only: build the test binary
set -euo pipefail
ffi=$(cd "$(dirname "$0")" && pwd)
jobs=1 retries=0 work= results= prepare=
while getopts j:r:w:o:p opt; do
  case $opt in
    j) jobs=$OPTARG ;; r) retries=$OPTARG ;; w) work=$OPTARG ;; o) results=$OPTARG ;; p) prepare=1 ;; *) exit 2 ;;
  esac
done
shift $((OPTIND - 1))
if [ $# = 0 ] && [ -z "$prepare" ]; then sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2; exit 2; fi
if [ -z "$work" ]; then work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; fi
mkdir -p "$work/logs"
work=$(cd "$work" && pwd)

# shellcheck source=itests/module.sh
. "$ffi/itests/module.sh"
make_module "$work"
echo "building the tests of Lotus $version" >&2
(cd "$work" && go test -vet=off -c -o "$work/itests.test" github.com/filecoin-project/lotus/itests)
[ -z "$prepare" ] || exit 0

tests=()
for name in "$@"; do
  file=$name
  [ -f "$file" ] || file=$ffi/itests/$name.txt
  if [ -f "$file" ]; then mapfile -t -O "${#tests[@]}" tests < <(sed 's/#.*//; s/[[:space:]]*$//; /^$/d' "$file")
  else tests+=("$name"); fi
done

# run TEST: one line to stdout, the log to logs/TEST.log.
run() {
  local test=$1 name=${1%%/*} log try start seconds result pattern
  pattern="^$name\$"
  case $test in */*) pattern+="/${test#*/}" ;; esac
  log=$work/logs/$(printf %s "$test" | tr -c "A-Za-z0-9_-" _)
  for try in $(seq 0 "$retries"); do
    start=$(date +%s)
    result=FAIL
    if (cd "$lotus/itests" && LOTUS_RUN_EXPENSIVE_TESTS=1 TMPDIR=${TMPDIR:-/tmp} timeout -k 10 900 "$work/itests.test" -test.run "$pattern" -test.v -test.timeout 14m) > "$log.log" 2>&1; then
      result=PASS
      # A name that matches nothing passes too, and so does a test that skips itself.
      if ! grep -q -- "^--- PASS: $name " "$log.log"; then result=SKIP; fi
      if grep -q -- "^--- SKIP: $name " "$log.log"; then result=SKIP; fi
    fi
    seconds=$(($(date +%s) - start))
    [ -z "$results" ] || printf '%s\t%s\t%s\t%s\n' "$test" "$result" "$seconds" "$try" >> "$results"
    [ $result = FAIL ] || break
    cp "$log.log" "$log.failed-$try.log"
  done
  if [ $result = PASS ] && [ "$try" -gt 0 ]; then result=LATE; fi
  printf '%s %s %ss\n' "$result" "$test" "$seconds"
}
export -f run
export lotus work results retries
printf '%s\n' "${tests[@]}" | xargs -P "$jobs" -I{} bash -c 'run "$1"' _ {} | tee "$work/last.txt"
passed=$(grep -c -E '^(PASS|LATE) ' "$work/last.txt" || true)
late=$(grep -c '^LATE ' "$work/last.txt" || true)
[ "$late" = 0 ] || echo "of these, $late only when run again"
echo "passed $passed of ${#tests[@]}"
[ "$passed" = "${#tests[@]}" ]
