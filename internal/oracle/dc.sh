#!/usr/bin/env bash
# The Samba domain controller of the oracle, inside a namespace of its own that has 192.0.2.10 on lo.
#
#   dc.sh provision DIR   a fresh domain contoso.com in DIR/root, saved as DIR/NAME.tar by `save`
#   dc.sh save DIR NAME   keep the present database as DIR/NAME.tar (the server must not run)
#   dc.sh restore DIR NAME
#   dc.sh serve DIR       run the server in the foreground
set -euo pipefail
command=$1
dir=$2
name=${3:-}
tree=$dir/root

mountpoint -q "$tree/proc" || mount -t proc proc "$tree/proc"
mountpoint -q "$tree/dev" || mount --rbind /dev "$tree/dev"

case $command in
provision)
	printf '127.0.0.1 localhost\n192.0.2.10 dc01.contoso.com dc01\n' >"$tree/etc/hosts"
	printf 'nameserver 192.0.2.10\nsearch contoso.com\n' >"$tree/etc/resolv.conf"
	rm -rf "$tree/etc/samba/smb.conf" "$tree/var/lib/samba"
	mkdir -p "$tree/var/lib/samba/private" "$tree/run/samba" "$tree/var/log/samba"
	# A loopback host address would make a zone without address records.
	chroot "$tree" samba-tool domain provision --realm=CONTOSO.COM --domain=CONTOSO --server-role=dc \
		--dns-backend=SAMBA_INTERNAL --host-name=dc01 --host-ip=192.0.2.10 --adminpass='Passw0rd!' \
		--base-schema=2019 --function-level=2016 --option='ad dc functional level = 2016' \
		--option='interfaces = lo' --option='bind interfaces only = yes'
	# provision keeps only some of its options; these are written afterwards. The services are those that gmsasim stands in for.
	sed -i '/server role/a\	server services = rpc, ldap, cldap, kdc, dns\n\tldap server require strong auth = no\n\ttls enabled = yes' \
		"$tree/etc/samba/smb.conf"
	;;
save)
	tar -C "$tree" -cf "$dir/$name.tar" etc/samba/smb.conf var/lib/samba
	;;
restore)
	rm -rf "$tree/var/lib/samba" "$tree/run/samba"
	mkdir -p "$tree/run/samba" "$tree/var/log/samba"
	tar -C "$tree" -xf "$dir/$name.tar"
	;;
serve)
	exec chroot "$tree" samba -F --no-process-group
	;;
spnupdate)
	# Fresh after provision the DC has no ldap/ SPN, and nobody could bind with Kerberos.
	exec chroot "$tree" samba_spnupdate
	;;
*)
	echo "dc.sh: unknown command $command" >&2
	exit 2
	;;
esac
