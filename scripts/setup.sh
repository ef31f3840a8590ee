#!/usr/bin/env bash
# Installs what the tests need beside Go and Node, where that is possible: as
# root on Debian, and only what is missing. In CI a missing part is an error;
# elsewhere it is said, and the tests that need it are skipped.
set -euo pipefail

has_postgres() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null; }
has_redis() { command -v redis-server >/dev/null; }
has_haproxy() { command -v haproxy >/dev/null || [ -x /usr/sbin/haproxy ]; }
has_chromium() { command -v chromium >/dev/null || command -v google-chrome >/dev/null; }
has_compiler() { command -v "${CC:-gcc}" >/dev/null; }
has_prometheus() { command -v prometheus >/dev/null && command -v promtool >/dev/null; }
has_fonts() { compgen -G '/usr/share/fonts/truetype/wqy/*' >/dev/null; }

missing() {
  has_postgres || echo postgresql
  has_redis || echo redis-server
  has_haproxy || echo haproxy
  has_chromium || echo chromium
  has_compiler || echo gcc libc6-dev
  has_prometheus || echo prometheus
  has_fonts || echo fonts-wqy-zenhei
}

want=$(missing)
if [ -n "$want" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "setup: installing" $want
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends $want >/dev/null
  # Only its programs are wanted: the service would take port 9090.
  case "$want" in *prometheus*) systemctl disable --now prometheus >/dev/null 2>&1 || true ;; esac
  want=$(missing)
fi
[ -z "$want" ] && exit 0

echo "setup: missing:" $want >&2
[ "${CI:-}" != true ] || exit 1
echo "setup: the tests that need them will be skipped; as root on Debian they are installed" >&2
