#!/usr/bin/env bash
# Fuzzes every target of the program, and the page's parser, for the time given, one after
# the other.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-30s}

targets=$(grep -rHoE '^func Fuzz\w+' --include='*_test.go' . | sed -E 's|^\./(.*)/[^/]+:func |\1 |')
[ -n "$targets" ] || { echo "fuzz: there are no targets" >&2; exit 1; }
while read -r package target; do
  echo "fuzz: $package $target, $time"
  go test -vet=off -run '^$' -fuzz "^$target\$" -fuzztime "$time" "./$package"
done <<<"$targets"

# A text that hangs the parser hangs the whole run, which is ended a minute after its time;
# the file then has that text.
seconds=$(awk -v t="$time" 'BEGIN { n = t + 0; if (t ~ /h$/) n *= 3600; else if (t ~ /m$/) n *= 60; print n }')
echo "fuzz: web Markdown, ${seconds}s"
file=$(mktemp)
if ! (cd web && FUZZ_TIME=$seconds FUZZ_FILE=$file timeout -k 5 "$((${seconds%.*} + 60))" npx vitest run --config fuzz/vitest.config.ts); then
  echo "fuzz: the text that was read last: $(head -c 2000 "$file") ($file)" >&2
  exit 1
fi
rm -f "$file"
