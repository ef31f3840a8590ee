#!/usr/bin/env bash
# Proves that tests can fail. Each line of the list names a way to break the
# program and the test that must notice:
#
#   mutate_tag TestName ./package      a Go build tag
#   npm NAME=value test/file test name an environment variable for a page test
#
# The break is right if the test itself says that it failed. It is wrong if the
# test passes, is skipped, does not exist or does not compile, and also if it
# runs into its time limit or the process crashes under it: that shows that
# something broke, not that the test looks at the promise.
set -uo pipefail
cd "$(dirname "$0")/.."

# go_proof prints why the proof is no proof, or nothing.
go_proof() {
  local tag=$1 test=$2 package=$3 out
  grep -rqE "^//go:build .*\b$tag\b" --include='*.go' . || { echo "no file has the build tag"; return; }
  out=$(go test -count=1 -vet=off -ldflags='-s -w' -timeout 180s -tags "$tag" -run "^$test\$" -v "$package" 2>&1) && {
    case $out in
      *"no tests to run"*) echo "there is no such test" ;;
      *"--- SKIP: $test"*) echo "the test was skipped" ;;
      *) echo "the test passes" ;;
    esac
    return
  }
  case $out in
    *"[build failed]"* | *"[setup failed]"*) echo "does not compile"; echo "$out" | head -20 ;;
    *"--- FAIL: $test "*) ;;
    *"panic: test timed out"*) echo "the test ran into its time limit"; echo "$out" | tail -20 ;;
    *) echo "failed for another reason"; echo "$out" | tail -20 ;;
  esac
}

# npm_proof asks vitest for its report: a run that cannot load its files has no
# tests in it.
npm_proof() {
  local setting=$1 file=$2 test=$3 report
  report=$(mktemp)
  (cd web && env "$setting" npx vitest run "$file" -t "$test" --reporter=json --outputFile="$report" >/dev/null 2>&1)
  node -e '
    const r = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8") || "{}");
    const failed = (r.testResults ?? []).flatMap((f) => f.assertionResults).filter((t) => t.status === "failed");
    const late = failed.filter((t) => t.failureMessages.some((m) => m.includes("timed out in")));
    if (failed.length > late.length) process.exit(0);
    if (late.length > 0) console.log("the test ran into its time limit");
    else console.log(r.numPassedTests > 0 ? "the test passes" : "no such test was run");
  ' "$report" 2>&1
  rm -f "$report"
}

prove() {
  local kind=$1 why
  if [ "$kind" = npm ]; then
    why=$(npm_proof "$2" "$3" "${*:4}")
  else
    why=$(go_proof "$1" "$2" "$3")
  fi
  if [ -n "$why" ]; then
    printf 'NO PROOF  %s: %s\n' "$*" "$why"
    return 1
  fi
  printf 'proved    %s\n' "$*"
}

if [ "${1:-}" = --line ]; then
  read -ra words <<<"$2"
  prove "${words[@]}"
  exit
fi

[ -e "$1" ] || { echo "mutations: no $1: nothing to prove" >&2; exit 1; }
lines=$(grep -vE '^\s*(#|$)' "$1")
[ -n "$lines" ] || { echo "mutations: $1 is empty" >&2; exit 1; }
echo "$lines" | xargs -d '\n' -P 3 -n 1 "$0" --line
status=$?
count=$(echo "$lines" | wc -l)
[ $status = 0 ] && echo "mutations: $count of $count proved" || echo "mutations: FAILED" >&2
exit $status
