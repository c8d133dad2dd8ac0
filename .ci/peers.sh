#!/usr/bin/env bash
# Builds the tree that `make bench` takes its peers from: Debian 13 with MIT's KDC (the first with the lmdb database) and
# OpenLDAP's slapd. Root only; about 40 seconds, once. The benchmark starts the servers with data folders and ports of its own.
set -euo pipefail

cache=${GMSASIM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/gmsasim}/peers
packages=krb5-kdc,krb5-admin-server,slapd
mark="trixie $packages"
if [ -e "$cache/root.done" ] && [ "$(cat "$cache/root.done")" = "$mark" ]; then
	exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
	echo "peers: needs root and Debian; the benchmark then measures only what is ours" >&2
	exit 0
fi
command -v debootstrap >/dev/null || { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends debootstrap >/dev/null; }
echo "peers: building a Debian 13 tree with $packages"
rm -rf "$cache"
mkdir -p "$cache"
debootstrap --variant=minbase --include="$packages" trixie "$cache/root" >"$cache/debootstrap.log"
printf '%s' "$mark" >"$cache/root.done"
