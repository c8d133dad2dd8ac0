//go:build interop

package interop_test

// A kind is one client: the programs and files it consists of, and how it tells its version.
type kind struct {
	programs, files []string
	version         string
}

const python = "/usr/bin/python3" // Debian's, which has the modules

// SSSD starts a helper that Debian lets only root run; all the others work for anybody.
var clients = map[string]kind{
	"MIT":      {programs: []string{"kinit", "kvno", "klist", "kpasswd"}, version: `klist -V`},
	"OpenLDAP": {programs: []string{"ldapsearch", "ldapwhoami"}, files: []string{"/usr/lib/x86_64-linux-gnu/sasl2/libgssapiv2.so"}, version: `ldapsearch -VV 2>&1`},
	"Heimdal":  {files: []string{heimdal() + "/usr/bin/kinit.heimdal", heimdal() + "/usr/bin/kgetcred"}, version: `$HEIMDAL/kinit.heimdal --version 2>&1`},
	"adcli":    {programs: []string{"adcli"}, version: debianVersion("adcli")},
	"msktutil": {programs: []string{"msktutil"}, version: debianVersion("msktutil")},
	"Samba":    {programs: []string{"net", "samba-tool", "smbclient", "wbinfo"}, version: `net --version`},
	"SSSD":     {programs: []string{"sssd", "getent", "/usr/libexec/sssd/ldap_child"}, version: `sssd --version`},
	"impacket": {files: []string{"/usr/share/doc/python3-impacket/examples/getTGT.py"}, version: debianVersion("python3-impacket")},
	"ldap3":    {programs: []string{python}, files: []string{"/usr/lib/python3/dist-packages/ldap3"}, version: debianVersion("python3-ldap3")},
	"GSSAPI":   {programs: []string{python}, files: []string{"/usr/lib/python3/dist-packages/gssapi"}, version: debianVersion("python3-gssapi")},
	"go-ldap":  {version: `echo 3.4.15`},
	"gokrb5":   {version: `echo 8.4.4`},
	"dig":      {programs: []string{"dig"}, version: `dig -v 2>&1`},
}

const (
	// impacket takes KRB5CCNAME for a path without a type.
	noCache = `unset KRB5CCNAME; `

	managedPassword = ` '(cn=WebApp01)' msDS-ManagedPassword`
	blobStart       = `^msDS-ManagedPassword:: AQAAACIBAAAQAAAA`
)

// rows is the table: what each client is made to do, in the order of the list.
var rows = []row{
	{client: "MIT", operation: "kinit with a password", run: `echo 'Alice!2026' | kinit alice && klist`, as: "mit1", want: []string{`^Default principal: alice@CONTOSO.COM$`}},
	{client: "MIT", operation: "kinit with a keytab", run: `kinit -k -t "$KRB5_KTNAME" "$(klist -k "$KRB5_KTNAME" | awk '/@/{print $2; exit}')" && klist`, as: "mit2", want: []string{`(?i)^Default principal: ContainerHost01\$@CONTOSO.COM$`}},
	{client: "MIT", operation: "kinit with an enterprise name", run: `echo 'Alice!2026' | kinit -E alice@contoso.com && klist`, as: "mit3", want: []string{`^Default principal: alice\\@contoso.com@CONTOSO.COM$`}},
	{client: "MIT", operation: "kinit canonicalises a name", run: `echo 'HostPass!01' | kinit -C containerhost01 && klist`, as: "mit4", want: []string{`(?i)^Default principal: containerhost01\$@CONTOSO.COM$`}},
	{client: "MIT", operation: "kinit renews", run: `echo 'Alice!2026' | kinit -r 2d alice && kinit -R && klist -f`, as: "mit5", want: []string{`Flags: .*R`}},
	{client: "MIT", operation: "kinit with FAST armor", run: `echo 'HostPass!01' | kinit -c $SCRATCH/armor 'ContainerHost01$' && echo 'Alice!2026' | kinit -T $SCRATCH/armor alice`, as: "mit6"},
	{client: "MIT", operation: "wrong password", run: `echo wrong | kinit alice; test $? = 1`, as: "mit7", want: []string{`Password incorrect while getting initial credentials`}},
	{client: "MIT", operation: "unknown client", run: `echo wrong | kinit nosuch; test $? = 1`, as: "mit7", want: []string{`Client 'nosuch@CONTOSO.COM' not found in Kerberos database`}},
	{client: "MIT", operation: "kvno host/", run: `kvno host/webapp01.contoso.com`, as: "alice", want: []string{`^host/webapp01.contoso.com@CONTOSO.COM: kvno = 1`}},
	{client: "MIT", operation: "kvno http/, an alias of host/", run: `kvno http/webapp01.contoso.com`, as: "alice", want: []string{`^http/webapp01.contoso.com@CONTOSO.COM: kvno = 1`}},
	{client: "MIT", operation: "kvno, unknown service", run: `kvno http/nosuch.contoso.com; test $? = 1`, as: "alice", want: []string{`Server not found in Kerberos database`}},
	{client: "MIT", operation: "kvno opens the ticket with the host's keytab", run: `kvno -k "$KRB5_KTNAME" "$(klist -k "$KRB5_KTNAME" | awk '/@/{print $2; exit}')"`, as: "alice", want: []string{`keytab entry valid`}},
	{client: "MIT", operation: "klist -e", run: `kvno -q host/webapp01 && klist -e`, as: "alice", want: []string{`aes256-cts-hmac-sha1-96, aes256-cts-hmac-sha1-96`}},
	{client: "MIT", operation: "kpasswd", run: `printf 'Passw0rd!\nOther!Pass9\nOther!Pass9\n' | kpasswd user0001 && echo 'Other!Pass9' | kinit user0001`, as: "mit8", want: []string{`Password changed`}},
	{client: "MIT", operation: "kpasswd, too simple", run: `printf 'Passw0rd!\nabc\nabc\n' | kpasswd user0002; test $? = 2`, as: "mit8", want: []string{`Password change rejected`}},

	{client: "OpenLDAP", operation: "GSSAPI, sealed", run: `$SEARCH -Y GSSAPI -H $URI` + managedPassword, as: "ContainerHost01$", want: []string{`^SASL SSF: 256`, blobStart}},
	{client: "OpenLDAP", operation: "GSSAPI, maxssf 256", run: `$SEARCH -Y GSSAPI -O maxssf=256 -H $URI` + managedPassword, as: "ContainerHost01$", want: []string{`^SASL SSF: 256`, blobStart}},
	{client: "OpenLDAP", operation: "GSSAPI, maxssf 1", run: `$SEARCH -Y GSSAPI -O maxssf=1 -H $URI '(cn=WebApp01)' cn`, as: "ContainerHost01$", want: []string{`^SASL SSF: 1`, `^cn: WebApp01`}},
	{client: "OpenLDAP", operation: "GSSAPI, maxssf 0", run: `$SEARCH -Y GSSAPI -O maxssf=0 -H $URI '(cn=WebApp01)' cn`, as: "ContainerHost01$", want: []string{`^SASL SSF: 0`, `^cn: WebApp01`}},
	{client: "OpenLDAP", operation: "password refused on a signed connection", run: `$SEARCH -Y GSSAPI -O maxssf=1 -H $URI` + managedPassword + `; test $? = 1`, as: "ContainerHost01$", want: []string{`Operations error \(1\)`, `0000202D`}},
	{client: "OpenLDAP", operation: "GSS-SPNEGO, sealed", run: `$SEARCH -Y GSS-SPNEGO -H $URI` + managedPassword, as: "ContainerHost01$", want: []string{`^SASL SSF: 256`, blobStart}},
	{client: "OpenLDAP", operation: "StartTLS, simple", run: `$SEARCH -ZZ -x -D alice@contoso.com -w 'Alice!2026' -H $URI '(cn=alice)' cn`, as: "none", want: []string{`^cn: alice`}},
	{client: "OpenLDAP", operation: "LDAPS, simple", run: `$SEARCH -x -D 'CONTOSO\ContainerHost01$' -w 'HostPass!01' -H ldaps://dc01.contoso.com` + managedPassword, as: "none", want: []string{blobStart}},
	{client: "OpenLDAP", operation: "LDAPS, GSSAPI without a layer", run: `$SEARCH -Y GSSAPI -O maxssf=0 -H ldaps://dc01.contoso.com` + managedPassword, as: "ContainerHost01$", want: []string{blobStart}},
	{client: "OpenLDAP", operation: "URI by SRV record", run: `$SEARCH -Y GSSAPI -H ldap:///dc%3Dcontoso%2Cdc%3Dcom '(cn=alice)' cn`, as: "alice", want: []string{`^cn: alice`}},
	{client: "OpenLDAP", operation: "whoami", run: `ldapwhoami -Q -Y GSSAPI -H $URI`, as: "alice", want: []string{`^u:CONTOSO\\alice`}},
	{client: "OpenLDAP", operation: "paging over 2,500 objects", run: `$SEARCH -Q -Y GSSAPI -H $URI -E pr=500/noprompt '(&(objectClass=user)(sAMAccountName=user*))' 1.1 | grep -c ^dn:`, as: "alice", want: []string{`^2500$`}},
	{client: "OpenLDAP", operation: "the limit without paging", run: `$SEARCH -Q -Y GSSAPI -H $URI '(sAMAccountName=user*)' 1.1 | grep -c ^dn:`, as: "alice", want: []string{`^1000$`, `Size limit exceeded \(4\)`}},
	{client: "OpenLDAP", operation: "a large filter and a large answer, sealed", run: `f=; for i in $(seq 1000 1999); do f="$f(cn=user$i)"; done; $SEARCH -Q -Y GSSAPI -H $URI "(|$f)" | grep -c ^dn:`, as: "alice", want: []string{`^1000$`}},
	{client: "OpenLDAP", operation: "anonymous search is refused", run: `$SEARCH -x -H $URI '(cn=alice)' cn; test $? = 1`, as: "none", want: []string{`000004DC`}},

	{client: "Heimdal", operation: "kinit with a password", run: `echo 'Alice!2026' >$SCRATCH/pw && $HEIMDAL/kinit.heimdal --password-file=$SCRATCH/pw alice && klist`, as: "heimdal", want: []string{`^Default principal: alice@CONTOSO.COM`}},
	{client: "Heimdal", operation: "kgetcred", run: `$HEIMDAL/kgetcred host/webapp01.contoso.com && klist`, as: "heimdal", want: []string{`host/webapp01.contoso.com@CONTOSO.COM`}},
	{client: "Heimdal", operation: "kgetcred, an alias of host/", run: `$HEIMDAL/kgetcred http/webapp01.contoso.com`, as: "heimdal"},
	{client: "Heimdal", operation: "kinit with a keytab", run: `$HEIMDAL/kinit.heimdal -k -t "$KRB5_KTNAME" "$(klist -k "$KRB5_KTNAME" | awk '/@/{print $2; exit}')"`, as: "heimdal2"},

	{client: "adcli", operation: "info", run: `adcli info contoso.com`, as: "none", want: []string{`^domain-controller = dc01.contoso.com`, `^domain-short = CONTOSO`, `domain-controller-usable = yes`}},
	{client: "adcli", operation: "info of one DC", run: `adcli info -S dc01.contoso.com`, as: "none", want: []string{`^domain-name = contoso.com`}},
	{client: "adcli", operation: "testjoin", run: `cp "${KRB5_KTNAME#FILE:}" /etc/krb5.keytab && adcli testjoin -D contoso.com`, as: "none", want: []string{`validated join to domain contoso.com`}},
	{client: "adcli", operation: "join", run: `echo -n 'Passw0rd!' | adcli join contoso.com -U Administrator --stdin-password --host-fqdn adclihost.contoso.com --computer-name ADCLIHOST -K $SCRATCH/adcli.keytab -v`, as: "none"},
	{client: "adcli", operation: "the joined computer signs in", run: `kinit -k -t $SCRATCH/adcli.keytab 'ADCLIHOST$' && kvno host/adclihost.contoso.com`, as: "adcli"},

	{client: "msktutil", operation: "create", run: `msktutil create --computer-name MSKHOST -b CN=Computers -k $SCRATCH/msk.keytab -h mskhost.contoso.com -s host --server dc01.contoso.com --realm CONTOSO.COM --enctypes 0x18 --verbose`, as: "Administrator"},
	{client: "msktutil", operation: "the computer signs in", run: `kinit -k -t $SCRATCH/msk.keytab 'MSKHOST$' && kvno host/mskhost.contoso.com`, as: "msk"},
	{client: "msktutil", operation: "auto-update", run: `msktutil --auto-update --auto-update-interval 0 --computer-name MSKHOST -k $SCRATCH/msk.keytab -h mskhost.contoso.com --server dc01.contoso.com --realm CONTOSO.COM --verbose && kinit -k -t $SCRATCH/msk.keytab 'MSKHOST$'`, as: "msk"},

	{client: "Samba", operation: "net ads info", run: `$NET ads info`, as: "none", want: []string{`LDAP server name: dc01.contoso.com`, `Realm: CONTOSO.COM`, `Bind Path: dc=CONTOSO,dc=COM`}},
	{client: "Samba", operation: "net ads lookup", run: `$NET ads lookup -S dc01.contoso.com`, as: "none", want: []string{`Forest: +contoso.com`, `Pre-Win2k Domain: +CONTOSO`}},
	{client: "Samba", operation: "net ads search", run: `$NET ads search --use-kerberos=required --use-krb5-ccache="${KRB5CCNAME}" '(sAMAccountName=WebApp01$)' sAMAccountName msDS-ManagedPasswordInterval`, as: "alice", want: []string{`sAMAccountName: WebApp01\$`, `msDS-ManagedPasswordInterval: 30`}},
	{client: "Samba", operation: "net ads setspn list", run: `$NET ads setspn list WebApp01 --use-kerberos=required --use-krb5-ccache="${KRB5CCNAME}"`, as: "Administrator", want: []string{`host/WebApp01.contoso.com`}},
	{client: "Samba", operation: "net ads setspn add", run: `$NET ads setspn add WebApp01 https/webapp01.contoso.com --use-kerberos=required --use-krb5-ccache="${KRB5CCNAME}" && kvno https/webapp01.contoso.com`, as: "Administrator"},
	{client: "Samba", operation: "samba-tool user list, ldap://", run: `samba-tool user show alice -H $URI --configfile=$SMBCONF --use-kerberos=required --use-krb5-ccache="$KRB5CCNAME"`, as: "Administrator", want: []string{`sAMAccountName: alice`}},
	{client: "Samba", operation: "samba-tool user list, ldaps://", run: `samba-tool user show alice -H ldaps://dc01.contoso.com --configfile=$SMBCONF --use-kerberos=required --use-krb5-ccache="$KRB5CCNAME"`, as: "Administrator", want: []string{`sAMAccountName: alice`}},
	{client: "Samba", operation: "samba-tool group addmembers and listmembers", run: `samba-tool group addmembers WebApp01Hosts user0003 -H $URI --configfile=$SMBCONF --use-kerberos=required --use-krb5-ccache="$KRB5CCNAME" && samba-tool group listmembers WebApp01Hosts -H $URI --configfile=$SMBCONF --use-kerberos=required --use-krb5-ccache="$KRB5CCNAME"`, as: "Administrator", want: []string{`^user0003`, `(?i)^ContainerHost01\$`}},
	{client: "Samba", operation: "net ads testjoin", run: `$NET ads testjoin`, as: "none", notModelled: "it needs the machine secret of a join over SAMR"},
	{client: "Samba", operation: "net ads join", run: `$NET ads join -U 'Administrator%Passw0rd!' --no-dns-updates`, as: "none", notModelled: "it creates the account over SAMR on port 445"},
	{client: "Samba", operation: "smbclient", run: `smbclient -L //dc01.contoso.com --use-kerberos=required --use-krb5-ccache="$KRB5CCNAME"`, as: "alice", notModelled: "SMB (port 445)", want: []string{`NT_STATUS_CONNECTION_REFUSED`}},
	{client: "Samba", operation: "wbinfo", run: `wbinfo -t`, as: "none", notModelled: "winbind needs NETLOGON over RPC"},

	{client: "impacket", operation: "getTGT with a password", run: noCache + python + ` $IMPACKET/getTGT.py 'contoso.com/alice:Alice!2026' -dc-ip 127.0.0.2 && klist -c alice.ccache`, as: "none", want: []string{`Saving ticket`, `Default principal: alice@CONTOSO.COM`}},
	{client: "impacket", operation: "getTGT with the NT hash", run: noCache + python + ` $IMPACKET/getTGT.py contoso.com/alice -hashes :$(` + python + ` -c 'from impacket.ntlm import compute_nthash; print(compute_nthash("Alice!2026").hex())') -dc-ip 127.0.0.2`, as: "none", want: []string{`Saving ticket`}},
	{client: "impacket", operation: "getTGT with an AES key", run: noCache + python + ` $IMPACKET/getTGT.py contoso.com/alice -aesKey $(` + python + ` -c 'from impacket.krb5.crypto import string_to_key; print(string_to_key(18, "Alice!2026", "CONTOSO.COMalice").contents.hex())') -dc-ip 127.0.0.2`, as: "none", want: []string{`Saving ticket`}},
	{client: "impacket", operation: "getST", run: noCache + python + ` $IMPACKET/getST.py 'contoso.com/alice:Alice!2026' -spn host/webapp01.contoso.com -dc-ip 127.0.0.2`, as: "none", want: []string{`Saving ticket`}},
	{client: "impacket", operation: "getST -impersonate", run: `printf 'dn: CN=ContainerHost02,CN=Computers,DC=contoso,DC=com\nchangetype: modify\nreplace: msDS-AllowedToDelegateTo\nmsDS-AllowedToDelegateTo: host/webapp01.contoso.com\n-\nreplace: userAccountControl\nuserAccountControl: 16781312\n' | ldapmodify -Q -Y GSSAPI -H $URI &&
		unset KRB5CCNAME; ` + python + ` $IMPACKET/getST.py 'contoso.com/ContainerHost02$:HostPass!02' -spn host/webapp01.contoso.com -impersonate alice -dc-ip 127.0.0.2 && klist -c alice.ccache`, as: "Administrator", want: []string{`Requesting S4U2Proxy`, `Saving ticket`, `Default principal: alice@`}},
	{client: "impacket", operation: "GetUserSPNs -usersfile", run: noCache + `printf 'WebApp01$\nnosuch\n' >users && ` + python + ` $IMPACKET/GetUserSPNs.py -usersfile users 'contoso.com/alice:Alice!2026' -dc-ip 127.0.0.2`, as: "none", want: []string{`\$krb5tgs\$18\$WebApp01\$`, `KDC_ERR_S_PRINCIPAL_UNKNOWN`}},
	{client: "impacket", operation: "LDAP with Kerberos", run: noCache + python + ` -c '
from impacket.ldap import ldap, ldapasn1
for url in "ldap://dc01.contoso.com", "ldaps://dc01.contoso.com":
    c = ldap.LDAPConnection(url, "dc=contoso,dc=com")
    c.kerberosLogin("alice", "Alice!2026", "contoso.com", "", "", kdcHost="127.0.0.2")
    r = c.search(searchFilter="(sAMAccountName=WebApp01$)", attributes=["cn"])
    print(url, len([e for e in r if isinstance(e, ldapasn1.SearchResultEntry)]))
'`, as: "none", want: []string{`^ldap://dc01.contoso.com 1$`, `^ldaps://dc01.contoso.com 1$`}},
	{client: "impacket", operation: "LDAP with NTLM", run: noCache + `timeout 10 ` + python + ` -c '
from impacket.ldap import ldap
c = ldap.LDAPConnection("ldap://dc01.contoso.com", "dc=contoso,dc=com")
c.login("alice", "Alice!2026", "contoso.com")
'`, as: "none", notModelled: "NTLM binds (Sicily) are refused, not left without an answer", want: []string{`LDAPSessionError|NTLM|authMethodNotSupported|not supported|strongerAuthRequired`}},
	{client: "impacket", operation: "samrdump", run: noCache + `timeout 10 ` + python + ` $IMPACKET/samrdump.py 'contoso.com/alice:Alice!2026@dc01.contoso.com'; false`, as: "none", notModelled: "SAMR over SMB (port 445)", want: []string{`Connection refused|Connection error`}},

	{client: "ldap3", operation: "Kerberos", run: python + ` -c '
import ldap3
s = ldap3.Server("dc01.contoso.com", get_info=ldap3.ALL)
c = ldap3.Connection(s, authentication=ldap3.SASL, sasl_mechanism=ldap3.KERBEROS, auto_bind=True)
print(c.extend.standard.who_am_i())
c.search("dc=contoso,dc=com", "(sAMAccountName=WebApp01$)", attributes=["servicePrincipalName"])
print(c.entries)
'`, as: "alice", want: []string{`^u:CONTOSO\\alice$`, `host/WebApp01.contoso.com`}},
	{client: "ldap3", operation: "StartTLS, simple, the managed password", run: python + ` -c '
import ldap3, ssl, os
t = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=os.environ["GMSASIM_CA_FILE"], valid_names=["dc01.contoso.com"])
c = ldap3.Connection(ldap3.Server("dc01.contoso.com", tls=t), "CONTOSO\\ContainerHost01$", "HostPass!01", auto_bind=ldap3.AUTO_BIND_TLS_BEFORE_BIND)
c.search("dc=contoso,dc=com", "(sAMAccountName=WebApp01$)", attributes=["msDS-ManagedPassword"])
print(len(c.entries[0]["msDS-ManagedPassword"].raw_values[0]))
'`, as: "none", want: []string{`^290$`}},

	{client: "GSSAPI", operation: "MIT's acceptor and impacket verify the PAC", run: python + ` $PACJUDGE "$KRB5_KTNAME"`, as: "alice", want: []string{
		`^MIT: client alice@CONTOSO.COM$`,
		`^MIT: authenticated .*urn:mspac:client-info urn:mspac:logon-info urn:mspac:privsvr-checksum urn:mspac:server-checksum urn:mspac:upn-dns-info`,
		`^impacket: buffers 1 6 7 10 12 16 19$`, `^impacket: alice, signature fits$`}},
	{client: "GSSAPI", operation: "they notice a flipped bit in each buffer", run: python + ` $PACJUDGE "$KRB5_KTNAME" >judged; cat judged
		test $(grep -c '^flipped .*, MIT: client alice' judged) -ge 6 && ! grep '^flipped .*authenticated urn' judged && ! grep '^flipped .*signature fits' judged`, as: "alice", want: []string{
		`^flipped buffer 1, MIT: authenticated nothing$`, `^flipped buffer 1, impacket: alice, signature does not fit \(InvalidChecksum\)$`}},

	{client: "go-ldap", operation: "GSSAPI, StartTLS, LDAPS, paging, 200 requests", run: `GMSASIM_INTEROP_CLIENT=go-ldap $SELF`, as: "alice", want: []string{`^250\d users over TLS`}},
	{client: "gokrb5", operation: "login and service ticket", run: `GMSASIM_INTEROP_CLIENT=gokrb5 $SELF`, as: "none", want: []string{`^ticket for host/webapp01.contoso.com, encryption type 18`}},

	{client: "dig", operation: "SRV of DCs", run: `dig +short SRV _ldap._tcp.dc._msdcs.contoso.com`, as: "none", want: []string{`^0 100 389 dc01.contoso.com.$`}},

	{client: "SSSD", operation: "id_provider = ad, getent passwd", run: sssd, as: "none", want: []string{`^alice(@contoso.com)?:\*:\d+:\d+:`}},
}

// sssd runs the daemon in the foreground for as long as the name service is asked.
const sssd = `mkdir -p /etc/sssd /run/sss && cp "${KRB5_KTNAME#FILE:}" /etc/krb5.keytab && chmod 600 /etc/krb5.keytab
cat >/etc/sssd/sssd.conf <<E
[sssd]
services = nss
domains = contoso.com
[domain/contoso.com]
id_provider = ad
ad_domain = contoso.com
ad_server = dc01.contoso.com
ad_hostname = containerhost01.contoso.com
ldap_sasl_authid = $(klist -k "$KRB5_KTNAME" | awk '/@/{print $2; exit}')
dyndns_update = false
ad_enable_gc = false
krb5_confd_path = none
E
chmod 600 /etc/sssd/sssd.conf
mount -t tmpfs tmpfs /var/log/sssd; mount -t tmpfs tmpfs /var/lib/sss && mkdir -p /var/lib/sss/db /var/lib/sss/mc /var/lib/sss/pipes/private /var/lib/sss/pubconf/krb5.include.d /var/lib/sss/gpo_cache /var/lib/sss/secrets /var/lib/sss/keytabs /var/lib/sss/deskprofile
sssd -i -d 2 >$SCRATCH/sssd.log 2>&1 &
pid=$!
for i in $(seq 100); do getent -s sss passwd alice && break; sleep 0.2; done
kill $pid; wait $pid
test $i -lt 100 || { head -c 2500 $SCRATCH/sssd.log; exit 1; }`
