#!/usr/bin/env bash
# Installs what the tests need beside Go and Node, where that is possible: as
# root on Debian, and only what is missing. In CI a missing part is an error;
# elsewhere it prints a note, and the tests that need the part are skipped.
set -euo pipefail

has_postgres() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null; }
has_redis() { command -v redis-server >/dev/null; }
has_haproxy() { command -v haproxy >/dev/null || [ -x /usr/sbin/haproxy ]; }
has_nginx() { command -v nginx >/dev/null || [ -x /usr/sbin/nginx ]; }
has_caddy() { command -v caddy >/dev/null; }
has_chromium() { command -v chromium >/dev/null || command -v google-chrome >/dev/null; }
has_compiler() { command -v "${CC:-gcc}" >/dev/null; }
has_prometheus() { command -v prometheus >/dev/null && command -v promtool >/dev/null; }
has_fonts() { compgen -G '/usr/share/fonts/truetype/wqy/*' >/dev/null; }
has_emoji() { compgen -G '/usr/share/fonts/truetype/noto/NotoColorEmoji*' >/dev/null; }

missing() {
  has_postgres || echo postgresql
  has_redis || echo redis-server
  has_haproxy || echo haproxy
  has_nginx || echo nginx-light
  has_caddy || echo caddy
  has_chromium || echo chromium
  has_compiler || echo gcc libc6-dev
  has_prometheus || echo prometheus
  has_fonts || echo fonts-wqy-zenhei
  has_emoji || echo fonts-noto-color-emoji
}

want=$(missing)
if [ -n "$want" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "setup: installing" $want
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends $want >/dev/null
  # Only the programs are wanted: the services would take ports.
  for service in prometheus nginx caddy; do
    case "$want" in *$service*) systemctl disable --now "$service" >/dev/null 2>&1 || true ;; esac
  done
  want=$(missing)
fi
[ -z "$want" ] && exit 0

echo "setup: missing:" $want >&2
[ "${CI:-}" != true ] || exit 1
echo "setup: the tests that need them will be skipped; as root on Debian they are installed" >&2
