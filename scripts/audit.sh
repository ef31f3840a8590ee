#!/usr/bin/env bash
# Asks for known vulnerabilities: Go's database about what the program calls, npm's about
# what the page is made of. One that cannot be reached is skipped with a word; what is
# found, or cannot be judged, is an error.
set -euo pipefail
cd "$(dirname "$0")/.."
database=${GOVULNDB:-https://vuln.go.dev}
packages=${AUDIT_PACKAGES:-./...}
status=0

# reachable URL: whether it answers, within seconds.
reachable() {
  [[ $1 = file://* ]] ||
    node -e 'fetch(process.argv[1], { signal: AbortSignal.timeout(5000) }).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))' "$1"
}

if reachable "$database/index/db.json"; then
  echo "audit: govulncheck $packages"
  mkdir -p bin
  go -C tools/release build -o ../../bin/govulncheck golang.org/x/vuln/cmd/govulncheck
  bin/govulncheck -db "$database" "$packages" || status=1
else
  echo "audit: govulncheck skipped: the database of vulnerabilities is not reachable"
fi

# npm exits with an error for a finding and for no answer alike; only an answer has this field.
answer=$(cd web && npm audit --json --audit-level=moderate --fetch-timeout=10000 --fetch-retries=0 2>/dev/null) && clean=true || clean=false
if ! grep -q '"auditReportVersion"' <<<"$answer"; then
  echo "audit: npm skipped: the registry does not answer audits"
elif [ $clean = true ]; then
  echo "audit: npm knows of nothing"
else
  echo "$answer"
  echo "audit: npm knows of vulnerabilities in what the page is made of" >&2
  status=1
fi
exit $status
