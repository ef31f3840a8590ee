#!/usr/bin/env bash
# Runs a target of the Makefile N times, while other processes keep every core
# busy, and reports each run: flakes.sh [N] [TARGET]. A test that fails here
# and passes on a quiet machine is a bug, of the test or of the program. Logs stay
# in a temporary folder, which it names.
set -uo pipefail
cd "$(dirname "$0")/.."
runs=${1:-5} target=${2:-test}

logs=$(mktemp -d -t flakes.XXXXXX)
for _ in $(seq "$(nproc)"); do
  sh -c 'while :; do :; done' &
done
trap 'kill $(jobs -p) 2>/dev/null' EXIT

failed=0
for run in $(seq "$runs"); do
  go clean -testcache
  begun=$SECONDS
  if make "$target" >"$logs/$run.log" 2>&1; then
    verdict=passed
  else
    verdict=FAILED failed=$((failed + 1))
  fi
  printf 'run %d of %d: %s after %d s\n' "$run" "$runs" "$verdict" $((SECONDS - begun))
  [ $verdict = passed ] || grep -hE '^\s*--- FAIL|^FAIL|^panic:|DATA RACE| FAIL |AssertionError' "$logs/$run.log" | sed 's/^/  /'
done
echo "flakes: $failed of $runs runs of make $target failed; logs in $logs"
[ "$failed" = 0 ]
