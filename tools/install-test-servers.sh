#!/bin/bash
# Installs the servers and tools that the tests talk to, and starts none of them.  Only as root and only with apt; anybody else
# is told what will be skipped.  Quick when all is there.
set -euo pipefail

# what must be found       in which Debian package
NEEDED='
/usr/sbin/dovecot          dovecot-imapd
/usr/lib/dovecot/imap      dovecot-imapd
/usr/lib/dovecot/lmtp      dovecot-lmtpd
/usr/lib/dovecot/submission dovecot-submissiond
/usr/sbin/postfix          postfix
/usr/lib/postgresql/*/bin/postgres postgresql
/usr/bin/promtool          prometheus
/usr/bin/amtool            prometheus-alertmanager
/usr/bin/systemd-analyze   systemd
/usr/bin/setpriv           util-linux
'
missing=()
while read -r path package; do
  # A pattern that matches nothing stays as it is, and is no file.
  [ -z "$path" ] || [ -e "$(compgen -G "$path" | head -1)" ] || missing+=("$package")
done <<<"$NEEDED"
[ ${#missing[@]} -gt 0 ] || exit 0
mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "absent: ${missing[*]}. The tests that need them are skipped; root on Debian gets them installed by \`make servers\`." >&2
  exit 0
fi

# Debian starts what it installs unless this script forbids it. One that is there already is its owner's: it is obeyed, not changed.
policy=/usr/sbin/policy-rc.d
if [ -e "$policy" ]; then
  verdict=0; "$policy" dovecot start >/dev/null 2>&1 </dev/null || verdict=$?
  if [ "$verdict" != 101 ]; then
    echo "absent: ${missing[*]}. Not installed: $policy would let them start; install them yourself." >&2
    exit 0
  fi
else
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi

echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq </dev/null
if ! command -v debconf-set-selections >/dev/null; then
  apt-get install -y -qq --no-install-recommends debconf </dev/null >/dev/null
fi
[ -e /usr/sbin/postfix ] || echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections
apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null
