#!/usr/bin/env bash
# Installs the real clients that the interop and oracle suites drive, from the Debian release of this machine. Quick when they
# are there. Without root it only says what is missing: the tests then skip what they cannot run.
#
# Heimdal's programs conflict with MIT's package, so they are unpacked (not installed) into the cache folder.
set -euo pipefail

cache=${GMSASIM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/gmsasim}

packages=(
	krb5-user ldap-utils libsasl2-modules-gssapi-mit
	adcli msktutil
	samba-common-bin samba-dsdb-modules smbclient winbind python3-samba
	python3-impacket python3-ldap3 python3-gssapi python3-pyasn1
	dnsutils sssd-ad sssd-tools libnss-sss sssd-krb5
	faketime iproute2 util-linux openssl curl
)
# The libraries that heimdal-clients needs; they live beside MIT's without a conflict.
heimdal_libraries=(
	libkrb5-26-heimdal libkadm5clnt7-heimdal libkadm5srv8-heimdal libkafs0-heimdal libotp0-heimdal libsl0-heimdal
	libhx509-5-heimdal libgssapi3-heimdal
)
# What `make oracle` needs besides, to build the tree that its domain controller lives in.
oracle_packages=(debootstrap)

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# dnsutils is a transitional name that newer releases no longer have.
if command -v apt-cache >/dev/null && ! installed dnsutils && installed bind9-dnsutils; then
	packages=("${packages[@]/dnsutils/bind9-dnsutils}")
fi

if ! command -v dpkg-query >/dev/null; then
	echo "clients: not a Debian system; tests that need a real client will say what they skip" >&2
	exit 0
fi

missing=()
for p in "${packages[@]}" "${heimdal_libraries[@]}" "${oracle_packages[@]}"; do
	installed "$p" || missing+=("$p")
done
need_heimdal=1
[ -x "$cache/heimdal/usr/bin/kinit.heimdal" ] && need_heimdal=

if [ ${#missing[@]} -eq 0 ] && [ -z "$need_heimdal" ]; then
	exit 0
fi

if [ "$(id -u)" -ne 0 ]; then
	[ ${#missing[@]} -eq 0 ] || echo "clients: not root, so not installed: ${missing[*]}" >&2
	[ -z "$need_heimdal" ] || echo "clients: not root, so heimdal-clients is not unpacked into $cache/heimdal" >&2
	echo "clients: tests that need them will say what they skip; run .ci/clients.sh as root to install them" >&2
	exit 0
fi

export DEBIAN_FRONTEND=noninteractive
if ! apt-get -qq update; then
	echo "clients: apt-get update failed; trying with the lists that are here" >&2
fi

# A service that starts on installation (winbind, sssd) would only fail without a domain, and a test machine wants none.
policy=/usr/sbin/policy-rc.d
own_policy=
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
	own_policy=1
fi
restore() {
	[ -z "$own_policy" ] || rm -f "$policy"
}
trap restore EXIT

if [ ${#missing[@]} -gt 0 ]; then
	echo "clients: installing ${missing[*]}"
	apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
fi

if [ -n "$need_heimdal" ]; then
	echo "clients: unpacking heimdal-clients into $cache/heimdal"
	work=$(mktemp -d)
	(cd "$work" && apt-get -qq -o APT::Sandbox::User=root download heimdal-clients)
	mkdir -p "$cache/heimdal"
	dpkg -x "$work"/heimdal-clients_*.deb "$cache/heimdal"
	rm -rf "$work"
fi
