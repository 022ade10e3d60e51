#!/usr/bin/env bash
# Installs the programs that Orbit and its tests need, where they are missing.
#   scripts/install-tools.sh run     a PostgreSQL server, for the private cluster
#   scripts/install-tools.sh test    that, and the real mail servers, clients and browser of the tests
# On Debian and its kin it asks apt; elsewhere it says what to install. Does nothing when all is there.
set -euo pipefail

purpose=${1:-run}
missing=()

# need PACKAGE PROGRAM: remembers PACKAGE unless PROGRAM is found in PATH or where Debian hides it.
need() {
	local package=$1 program=$2
	PATH="$PATH:/usr/sbin:/sbin:/usr/lib/dovecot/modules" command -v "$program" >/dev/null 2>&1 && return
	compgen -G "$program" >/dev/null 2>&1 && return
	missing+=("$package")
}

need postgresql '/usr/lib/postgresql/*/bin/postgres'
if [ "$purpose" = test ]; then
	need gcc gcc # the race detector
	need libc6-dev '/usr/include/stdlib.h'
	need postfix postfix
	need dovecot-imapd '/usr/lib/dovecot/imap'
	need dovecot-pop3d '/usr/lib/dovecot/pop3'
	need chromium-headless-shell chromium-headless-shell # the tests take any Chromium; this one is a fifth faster
	need curl curl
	need swaks swaks
	need iproute2 ip # networks of their own for agents
	need python3 python3 # reads an exported configuration as email-oauth2-proxy would
	need libnet-ssleay-perl "/usr/lib/*/perl5/*/Net/SSLeay.pm"
	need openssl openssl
	need microsocks microsocks # network connectors: SOCKS5, HTTP CONNECT, SSH
	need dante-server danted
	need tinyproxy-bin tinyproxy
	need squid squid
	need openssh-server sshd
	need openssh-client ssh
	need fonts-liberation '/usr/share/fonts/truetype/liberation*'
fi
# Courier and Dovecot exclude each other as packages.
unpack_all() {
	unpack /usr/local/lib/orbit-test/courier usr/bin/imapd courier-imap courier-authlib libcourier-unicode4 libgamin0 libidn12
}

# unpack DIRECTORY PROGRAM PACKAGE...: for a package that cannot be installed beside others. A test without it is skipped.
unpack() {
	local to=$1 program=$2
	shift 2
	[ -x "$to/$program" ] || ! command -v dpkg-deb >/dev/null 2>&1 || [ "$(id -u)" -ne 0 ] && return
	local from
	from=$(mktemp -d)
	mkdir -p "$to"
	(cd "$from" && apt-get download -q "$@" >&2 && for each in *.deb; do dpkg-deb -x "$each" "$to"; done) || echo "Without: $*" >&2
	rm -rf "$from"
}

if [ ${#missing[@]} -eq 0 ]; then
	[ "$purpose" != test ] || unpack_all
	exit 0
fi

if ! command -v apt-get >/dev/null 2>&1; then
	echo "Please install what these Debian packages contain: ${missing[*]}" >&2
	exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "Please run as root: apt-get install ${missing[*]}" >&2
		exit 1
	fi
	as_root=(sudo)
fi
echo "Installing: ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
# Postfix asks what it is for; the tests bring a configuration of their own.
echo 'postfix postfix/main_mailer_type select No configuration' | "${as_root[@]}" debconf-set-selections 2>/dev/null || true
"${as_root[@]}" apt-get update -q >&2
if ! apt-cache show chromium-headless-shell >/dev/null 2>&1; then # older releases
	missing=("${missing[@]/#chromium-headless-shell/chromium}")
fi
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
[ "$purpose" != test ] || unpack_all
