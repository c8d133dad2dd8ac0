#!/usr/bin/env bash
# Builds the tree that the oracle lives in: Debian 13 with its stock Samba 4.22 AD DC. Root only; about a minute, once.
#
#   tree.sh DIR    DIR/root is the tree, DIR/root.done says that it is whole
set -euo pipefail
dir=$1
tree=$dir/root
packages=(
	samba-ad-dc samba-ad-provision samba-dsdb-modules ldb-tools winbind
	iproute2 procps tdb-tools python3-markdown python3-cryptography
)
# The list is part of the mark: another list builds another tree.
mark="trixie ${packages[*]}"
if [ -e "$dir/root.done" ] && [ "$(cat "$dir/root.done")" = "$mark" ]; then
	exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "tree.sh: a chroot with a domain controller needs root" >&2
	exit 1
fi
rm -rf "$dir/root" "$dir/root.done" "$dir"/population*
mkdir -p "$dir"
debootstrap --variant=minbase trixie "$tree" >"$dir/debootstrap.log"

# No service starts in a tree, whatever its packages wish.
printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d"
chmod 755 "$tree/usr/sbin/policy-rc.d"
DEBIAN_FRONTEND=noninteractive chroot "$tree" apt-get -qq install -y --no-install-recommends "${packages[@]}" >"$dir/install.log" 2>&1
chroot "$tree" apt-get clean
printf '%s' "$mark" >"$dir/root.done"
