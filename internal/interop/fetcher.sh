#!/bin/sh
# What a Linux container host does to act as a group managed service account, with stock tools alone: Kerberos and LDAP clients,
# od, awk, base64 and openssl.
#
#   fetcher.sh [-k HOST_KEYTAB] [-c CCACHE] [-d DOMAIN] [-o KEYTAB] ACCOUNT SERVICE
#
# ACCOUNT is the name of the gMSA without its dollar, SERVICE the SPN of something that it shall reach. A ticket-granting ticket
# that CCACHE holds already is used as it is, as a daemon would; so is its age. The keytab of the gMSA and a cache with its tickets
# (KEYTAB.ccache) are what is left behind.
#
# Exit status, each with a line that says why and what to look at:
#   0 done      2 usage                       3 no domain controller in DNS    4 the host cannot sign in
#   5 no such account, or it is no gMSA       6 the account is there, its password is not: this host is not among its readers
#   7 the directory refused the search        8 a malformed blob               9 the gMSA cannot sign in
#   10 no ticket for SERVICE
set -eu
export LC_ALL=C

fail() {
	status=$1
	shift
	printf 'fetcher: %s\n' "$*" >&2
	exit "$status"
}
usage() { fail 2 "usage: fetcher.sh [-k HOST_KEYTAB] [-c CCACHE] [-d DOMAIN] [-o KEYTAB] ACCOUNT SERVICE"; }

host_keytab=/etc/krb5.keytab
ccache=
domain=
keytab=gmsa.keytab
while getopts k:c:d:o: option; do
	case $option in
	k) host_keytab=${OPTARG#FILE:} ;;
	c) ccache=${OPTARG#FILE:} ;;
	d) domain=$OPTARG ;;
	o) keytab=${OPTARG#FILE:} ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -eq 2 ] || usage
account=${1%\$}
service=$2

umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The host is the first machine account of its keytab; its realm is the domain.
principal=$(klist -k "$host_keytab" 2>"$work/why" | awk '$2 ~ /\$@/ { print $2; exit }')
[ -n "$principal" ] || fail 4 "no machine account in $host_keytab: $(cat "$work/why")"
realm=${principal#*@}
[ -n "$domain" ] || domain=$(printf %s "$realm" | tr '[:upper:]' '[:lower:]')
base=DC=$(printf %s "$domain" | sed 's/\./,DC=/g')
KRB5CCNAME=FILE:${ccache:-$work/host.ccache}
export KRB5CCNAME

dc=$(dig +short SRV "_ldap._tcp.dc._msdcs.$domain" | awk '{ sub(/\.$/, "", $4); print $4; exit }')
[ -n "$dc" ] || fail 3 "DNS names no domain controller of $domain"

# klist -s is true for a ticket-granting ticket that has not expired.
if ! klist -s; then
	kinit -k -t "$host_keytab" "$principal" 2>"$work/why" || fail 4 "$principal cannot sign in: $(cat "$work/why")"
fi

# Sealed is what the SASL layer negotiates when nothing forbids it; the directory gives the password to nobody else.
search() {
	ldapsearch -N -Q -LLL -o ldif_wrap=no -Y GSSAPI -H "ldap://$dc" "$@" >"$work/ldif" 2>"$work/why" ||
		fail 7 "$dc refused the search: $(tr '\n' ' ' <"$work/why")"
}
value() { sed -n "s/^$1: //p" "$work/ldif" | head -n 1; }

search -b "$base" "(&(objectClass=msDS-GroupManagedServiceAccount)(sAMAccountName=$account\$))" sAMAccountName
dn=$(value dn)
name=$(value sAMAccountName)
[ -n "$dn" ] || fail 5 "$domain has no group managed service account $account\$"

search -s base -b "$dn" '(objectClass=*)' msDS-ManagedPassword msDS-KeyVersionNumber
version=$(value msDS-KeyVersionNumber)
version=${version:-1}
# Whoever may not read the attribute gets the entry without it, and no error.
sed -n 's/^msDS-ManagedPassword:: //p' "$work/ldif" | base64 -d >"$work/blob"
[ -s "$work/blob" ] || fail 6 "$principal may not read the password of $name: it is in no group of PrincipalsAllowedToRetrieveManagedPassword," \
	"or its tickets are older than its membership (kdestroy and sign in again)"

# MSDS-MANAGEDPASSWORD_BLOB, [MS-ADTS] 2.2.19: version, length and the offset of the current password; 256 octets of it follow.
u16() { od -An -v -tu2 --endian=little -j "$1" -N 2 "$work/blob" | tr -d ' '; }
u32() { od -An -v -tu4 --endian=little -j "$1" -N 4 "$work/blob" | tr -d ' '; }
size=$(wc -c <"$work/blob")
[ "$size" -ge 16 ] && [ "$(u16 0)" = 1 ] && [ "$(u32 4)" = "$size" ] || fail 8 "the blob of $name is malformed"
current=$(u16 8)
[ "$((current + 256))" -le "$size" ] || fail 8 "the blob of $name names a password outside itself"

# The password is UTF-16 that nobody typed. Kerberos takes its UTF-8 form, in which a surrogate without a partner is U+FFFD;
# the keys of a domain controller are those.
password=$(od -An -v -tu2 --endian=little -w2 -j "$current" -N 256 "$work/blob" | awk '
	function out(c) {
		if (c < 128) printf "%02x", c
		else if (c < 2048) printf "%02x%02x", 192 + int(c / 64), 128 + c % 64
		else if (c < 65536) printf "%02x%02x%02x", 224 + int(c / 4096), 128 + int(c / 64) % 64, 128 + c % 64
		else printf "%02x%02x%02x%02x", 240 + int(c / 262144), 128 + int(c / 4096) % 64, 128 + int(c / 64) % 64, 128 + c % 64
	}
	{ unit[NR] = $1 }
	END {
		for (i = 1; i <= NR; i++) {
			c = unit[i]
			if (c >= 55296 && c < 56320 && unit[i + 1] >= 56320 && unit[i + 1] < 57344)
				c = 65536 + (c - 55296) * 1024 + unit[++i] - 56320
			else if (c >= 55296 && c < 57344)
				c = 65533
			out(c)
		}
	}')

# The key of RFC 3962: PBKDF2, then one derivation with the constant "kerberos", folded to 128 bits. MIT's programs take a password
# from a script as one line, and two of a thousand managed passwords have a line feed in them. (Arguments can
# be seen by other users of the host for the moment that openssl runs.)
salt=${realm}host$(printf %s "${name%\$}" | tr '[:upper:]' '[:lower:]').$domain
hex() { od -An -v -tx1 | tr -d ' \n'; }
seed=$(openssl kdf -keylen 32 -kdfopt digest:SHA1 -kdfopt "hexpass:$password" -kdfopt "salt:$salt" -kdfopt iter:4096 PBKDF2 | tr -d ':\n')
derive() { openssl enc -aes-256-ecb -nopad -K "$seed" -in "$1" -out "$2"; }
printf 'kerberos\173\233\133\053\223\023\053\223' >"$work/constant"
derive "$work/constant" "$work/half1"
derive "$work/half1" "$work/half2"
key=$(cat "$work/half1" "$work/half2" | hex)

# A keytab of one entry (MIT's format 0x502): size, principal of one component, its type, time, version, key, version again.
counted() { printf '%04x' "$(printf %s "$1" | wc -c)" && printf %s "$1" | hex; }
entry=0001$(counted "$realm")$(counted "$name")00000001$(printf '%08x%02x' "$(date +%s)" "$((version & 255))")00120020$key$(printf '%08x' "$version")
octets() { awk '{ for (i = 1; i < length($0); i += 2) printf "\\0%o", 16 * (index(d, substr($0, i, 1)) - 1) + index(d, substr($0, i + 1, 1)) - 1 }' d=0123456789abcdef; }
printf %b "$(printf '0502%08x%s\n' "$((${#entry} / 2))" "$entry" | octets)" >"$keytab"

KRB5CCNAME=FILE:$keytab.ccache
kinit -k -t "$keytab" "$name@$realm" 2>"$work/why" || fail 9 "$name cannot sign in: $(cat "$work/why")"
kvno -q "$service" 2>"$work/why" || fail 10 "no ticket for $service: $(cat "$work/why")"
printf 'fetcher: %s signed in as %s (key version %s) and has a ticket for %s\n' "$principal" "$name" "$version" "$service"
