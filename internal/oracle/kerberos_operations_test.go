//go:build oracle

package oracle_test

var asGroup = group{
	name: "AS",
	ops: []operation{
		{name: "no pre-authentication", run: `krb as alice`, checks: checks(code(), exact("realm", "sname"), differs("D14", exact("padata-set"), "krb 25\npadata-set: 2 15 16 19 136", "krb 25\npadata-set: 2 15 16 19"), differs("D14", exact("padata"), "krb 25\npadata: 16 15 2 136 19", "krb 25\npadata: 19 2 16 15"), differs("D13", exact("fields"), "krb 25\nfields: pvno msg-type stime susec error-code crealm cname realm sname e-text e-data", "krb 25\nfields: pvno msg-type stime susec error-code realm sname e-data"))},
		{name: "salt of a user", run: `krb as alice`, checks: checks(salted("krb 25", "alice"))},
		{name: "salt of a host", run: `krb as ContainerHost01$`, checks: checks(salted("krb 25", "hostcontainerhost01.contoso.com"))},
		{name: "salt of a gMSA", run: `krb as WEBAPP01$`, checks: checks(salted("krb 25", "hostwebapp01.contoso.com"))},
		{name: "only RC4 asked", run: `krb as alice --etypes 23`, checks: checks(code(), exact("etype-info2"), differs("D14", exact("padata-set"), "krb 25\npadata-set: 2 11 15 16 19 136", "krb 25\npadata-set: 2 11 15 16 19"))},
		{name: "weak first, AES after", run: `krb as alice --etypes 23,18`, checks: checks(code(), salted("krb 25", "alice"))},
		{name: "only DES", run: `krb as alice --etypes 3,1`, checks: checks(code(), structure())},
		{name: "only SHA-2 types", run: `krb as alice --etypes 19,20`, checks: checks(code())},
		{name: "unknown client", run: `krb as nosuch`, checks: checks(code(), exact("realm", "sname"), differs("D13", exact("fields"), "krb 6\nfields: pvno msg-type stime susec error-code crealm cname realm sname", "krb 6\nfields: pvno msg-type stime susec error-code realm sname"))},
		{name: "SPN as client", run: `krb as host/containerhost01.contoso.com`, checks: checks(code())},
		{name: "unknown enterprise name", run: `krb as nosuch@contoso.com --name-type 10`, checks: checks(code())},
		{name: "enterprise name", run: `krb as alice@contoso.com --name-type 10 --password Wonder!2026`, checks: checks(exact("cname", "crealm"))},
		{name: "enterprise name, canonicalised", run: `krb as alice@contoso.com --name-type 10 --password Wonder!2026 --options canonicalize`, checks: checks(exact("cname", "crealm", "ticket-sname"))},
		{name: "another realm", run: `krb as alice --realm OTHER.COM`, checks: checks(differs("D15", code(), "krb 6", "krb 68"))},
		{name: "realm in lower case", run: `krb as alice --realm contoso.com`, checks: checks(code())},
		{name: "NetBIOS name as realm", run: `krb as alice --realm CONTOSO --password Wonder!2026`, checks: checks(exact("crealm", "ticket-realm"))},
		{name: "wrong password", run: `krb as alice --password wrong`, checks: checks(code(), salted("krb 24", "alice"), exact("padata"))},
		{name: "clock four minutes ahead", run: `krb as alice --password Wonder!2026 --skew 240`, checks: checks(code())},
		{name: "clock six minutes ahead", run: `krb as alice --password Wonder!2026 --skew 360`, checks: checks(code())},
		{name: "clock six minutes behind", run: `krb as alice --password Wonder!2026 --skew -360`, checks: checks(code())},
		{name: "disabled account", run: `krb as bob --password Builder!2026`, checks: checks(code())},
		{name: "disabled account, wrong password", run: `krb as bob --password wrong`, checks: checks(code())},
		{name: "TGT over TCP", run: `krb as alice --password Wonder!2026 --options forwardable,proxiable,renewable`,
			checks: checks(exact("cname", "crealm", "ticket-sname", "ticket-realm", "ticket-etype", "session-etype", "life", "renew"), exact("flags", "flag-names"), differs("D26", exact("enc-fields"), "krb 0\nenc-fields: key last-req nonce key-expiration flags authtime endtime renew-till srealm sname", "krb 0\nenc-fields: key last-req nonce key-expiration flags authtime starttime endtime renew-till srealm sname"))},
		{name: "TGT over UDP is too big", run: `krb as alice --password Wonder!2026 --udp`, checks: checks(code())},
		{name: "error over UDP fits", run: `krb as alice --udp`, checks: checks(code())},
		{name: "name in another case", run: `krb as ALICE --password Wonder!2026`, checks: checks(exact("cname"))},
		{name: "name in another case, canonicalised", run: `krb as ALICE --password Wonder!2026 --options canonicalize`, checks: checks(exact("cname"), differs("D28", exact("enc-padata"), "krb 0\nenc-padata: 165", "krb 0\nenc-padata: 165 167"))},
		{name: "host without dollar, canonicalised", run: `krb as containerhost01 --password HostPass!01 --options canonicalize`, checks: checks(exact("cname"))},
		{name: "enc-pa-rep asked", run: `krb as alice --password Wonder!2026 --enc-pa-rep`, checks: checks(class("enc-padata"), exact("enc-padata"))},
		{name: "not renewable when not asked", run: `krb as alice --password Wonder!2026 --options forwardable`, checks: checks(exact("flag-names", "renew"))},
		{name: "host: last-req and expiration", run: `krb as ContainerHost01$ --password HostPass!01`, checks: checks(differs("D26", exact("enc-fields"), "krb 0\nenc-fields: key last-req nonce flags authtime endtime renew-till srealm sname", "krb 0\nenc-fields: key last-req nonce flags authtime starttime endtime renew-till srealm sname"))},
		{name: "AES128 session", run: `krb as alice --password Wonder!2026 --etypes 17`, checks: checks(exact("session-etype", "enc-part-etype", "ticket-etype"))},
		{name: "RC4 session", run: `krb as alice --password Wonder!2026 --etypes 23`, checks: checks(exact("session-etype", "enc-part-etype", "ticket-etype"))},
		{name: "server krbtgt with NetBIOS name", run: `krb as alice --password Wonder!2026 --server krbtgt/CONTOSO`, checks: checks(exact("ticket-sname"))},
		{name: "server krbtgt of another realm", run: `krb as alice --password Wonder!2026 --server krbtgt/OTHER.COM`, checks: checks(code())},
		{name: "server kadmin/changepw", run: `krb as alice --password Wonder!2026 --server kadmin/changepw`, checks: checks(exact("ticket-sname", "life"))},
		{name: "server unknown", run: `krb as alice --password Wonder!2026 --server http/nosuch.contoso.com`, checks: checks(code())},
		{name: "server SPN of a gMSA", run: `krb as alice --password Wonder!2026 --server http/webapp01.contoso.com`, checks: checks(exact("ticket-sname", "ticket-etype"))},
		{name: "server gMSA by name", run: `krb as alice --password Wonder!2026 --server WebApp01$ --server-type 1`, checks: checks(exact("ticket-sname"))},
		{name: "MIT kinit, wrong password", run: `echo wrong | kinit -c $SCRATCH/cc_x alice`, checks: checks(code())},
		{name: "MIT kinit, unknown", run: `echo wrong | kinit -c $SCRATCH/cc_x nosuch`, checks: checks(code())},
		{name: "MIT kinit, disabled", run: `echo 'Builder!2026' | kinit -c $SCRATCH/cc_x bob`, checks: checks(code())},
		{name: "MIT kinit, enterprise", run: `echo 'Wonder!2026' | kinit -E -c $SCRATCH/cc_e alice@contoso.com >/dev/null && klist -c $SCRATCH/cc_e | grep Default`, checks: checks(exact())},
		{name: "MIT kinit, renew", run: `echo 'Wonder!2026' | kinit -r 2d -c $SCRATCH/cc_r alice >/dev/null && kinit -R -c $SCRATCH/cc_r && klist -f -c $SCRATCH/cc_r | grep -o 'Flags: .*'`, checks: checks(differs("D27", exact(), "exit 0\nFlags: RATO", "exit 0\nFlags: RA"))},
	},
}

var tgsGroup = group{
	name:   "TGS",
	signIn: []string{"alice"},
	before: []operation{
		{run: `krb as alice --password Wonder!2026 --save tgt`},
		{run: `krb as ContainerHost01$ --password HostPass!01 --save host`},
		{run: `krb as alice --password Wonder!2026 --pac 0 --save nopac`},
		{run: `krb tgs tgt host/containerhost01.contoso.com --save service`},
	},
	ops: []operation{
		{name: "gMSA SPN", run: `krb tgs tgt http/webapp01.contoso.com`, checks: checks(exact("ticket-sname", "cname", "crealm", "ticket-etype", "ticket-kvno", "session-etype", "life", "renew"))},
		{name: "SPN in another case is echoed", run: `krb tgs tgt HTTP/WebApp01.Contoso.COM`, checks: checks(exact("ticket-sname", "enc-sname"))},
		{name: "alias of host: http", run: `krb tgs tgt http/webapp01`, checks: checks(code())},
		{name: "alias of host: cifs", run: `krb tgs tgt cifs/containerhost01.contoso.com`, checks: checks(code())},
		{name: "alias of host: rpcss", run: `krb tgs tgt rpcss/webapp01`, checks: checks(code())},
		{name: "no alias: https", run: `krb tgs tgt https/webapp01`, checks: checks(code())},
		{name: "no alias: MSSQLSvc", run: `krb tgs tgt MSSQLSvc/webapp01`, checks: checks(code())},
		{name: "no alias: ldap", run: `krb tgs tgt ldap/webapp01`, checks: checks(code())},
		{name: "no alias: RestrictedKrbHost", run: `krb tgs tgt RestrictedKrbHost/webapp01`, checks: checks(code())},
		{name: "unknown host", run: `krb tgs tgt http/nosuch.contoso.com`, checks: checks(code(), exact("realm", "sname"), differs("D13", exact("fields"), "krb 7\nfields: pvno msg-type ctime cusec stime susec error-code crealm cname realm sname", "krb 7\nfields: pvno msg-type stime susec error-code realm sname"))},
		{name: "SPN with a port", run: `krb tgs tgt http/webapp01.contoso.com:80`, checks: checks(differs("D16", code(), "krb 0", "krb 7"))},
		{name: "account name", run: `krb tgs tgt WebApp01$ --name-type 1`, checks: checks(exact("ticket-sname"))},
		{name: "account name without dollar", run: `krb tgs tgt webapp01 --name-type 1`, checks: checks(exact("ticket-sname"))},
		{name: "enterprise name of a gMSA", run: `krb tgs tgt WebApp01$@contoso.com --name-type 10`, checks: checks(code())},
		{name: "enterprise name without a suffix", run: `krb tgs tgt WebApp01$ --name-type 10`, checks: checks(differs("D35", code(), "krb 7", "krb 0"))},
		{name: "enterprise name of a user without an SPN", run: `krb tgs tgt alice@contoso.com --name-type 10`, checks: checks(code())},
		{name: "Windows NT style name", run: `krb tgs tgt 'CONTOSO\WebApp01$' --name-type -128`, checks: checks(differs("D35", code(), "krb 7", "krb 0"))},
		{name: "user without an SPN", run: `krb tgs tgt alice --name-type 1`, checks: checks(code())},
		{name: "three parts on a gMSA", run: `krb tgs tgt http/webapp01.contoso.com/contoso.com`, checks: checks(code())},
		{name: "three parts on the DC", run: `krb tgs tgt ldap/dc01.contoso.com/contoso.com`, checks: checks(code())},
		{name: "krbtgt of the realm", run: `krb tgs tgt krbtgt/CONTOSO.COM`, checks: checks(exact("ticket-sname"), differs("D27", exact("flag-names"), "krb 0\nflag-names: forwardable renewable pre-authent transited-policy-checked ok-as-delegate", "krb 0\nflag-names: forwardable renewable pre-authent enc-pa-rep"))},
		{name: "krbtgt of another realm", run: `krb tgs tgt krbtgt/OTHER.COM`, checks: checks(code())},
		{name: "kadmin/changepw", run: `krb tgs tgt kadmin/changepw`, checks: checks(exact("life"))},
		{name: "client offers AES128", run: `krb tgs tgt http/webapp01.contoso.com --etypes 17`, checks: checks(exact("ticket-etype", "session-etype"))},
		{name: "client offers RC4", run: `krb tgs tgt http/webapp01.contoso.com --etypes 23`, checks: checks(exact("ticket-etype", "session-etype"))},
		{name: "client offers RC4, then AES", run: `krb tgs tgt http/webapp01.contoso.com --etypes 23,18`, checks: checks(exact("ticket-etype", "session-etype"))},
		{name: "client offers only SHA-2 types", run: `krb tgs tgt http/webapp01.contoso.com --etypes 20`, checks: checks(code())},
		{name: "host that supports only AES, client only RC4", run: `krb tgs tgt host/containerhost03 --etypes 23`, checks: checks(code())},
		{name: "host without encryption types", run: `krb tgs tgt host/containerhost04`, checks: checks(exact("ticket-etype", "session-etype"))},
		{name: "gMSA without encryption types", run: `krb tgs tgt WebApp03$ --name-type 1`, checks: checks(exact("ticket-etype", "session-etype"))},
		{name: "another realm in the body", run: `krb tgs tgt http/webapp01.contoso.com --realm OTHER.COM`, checks: checks(code())},
		{name: "realm in lower case", run: `krb tgs tgt http/webapp01.contoso.com --realm contoso.com`, checks: checks(code())},
		{name: "flags of a service ticket", run: `krb tgs tgt host/containerhost01.contoso.com`, checks: checks(differs("D27", exact("flag-names"), "krb 0\nflag-names: forwardable renewable pre-authent transited-policy-checked", "krb 0\nflag-names: forwardable renewable pre-authent enc-pa-rep"), exact("enc-fields"), exact("fields"))},
		{name: "flags of a ticket for the DC", run: `krb tgs tgt host/dc01.contoso.com`, checks: checks(differs("D27", exact("flag-names"), "krb 0\nflag-names: forwardable renewable pre-authent transited-policy-checked ok-as-delegate", "krb 0\nflag-names: forwardable renewable pre-authent ok-as-delegate enc-pa-rep"))},
		{name: "canonicalize adds the supported types", run: `krb tgs tgt http/webapp01.contoso.com --options canonicalize`, checks: checks(exact("supported-etypes"), class("enc-padata"))},
		{name: "authenticator with another client", run: `krb tgs tgt http/webapp01.contoso.com --cname bob`, checks: checks(code())},
		{name: "authenticator without checksum", run: `krb tgs tgt http/webapp01.contoso.com --no-checksum`, checks: checks(differs("D29", code(), "krb 50", "krb 0"))},
		{name: "clock of the authenticator six minutes ahead", run: `krb tgs tgt http/webapp01.contoso.com --skew 360`, checks: checks(code())},
		{name: "service ticket as TGT", run: `krb tgs service http/webapp01.contoso.com`, checks: checks(code())},
		{name: "damaged TGT", run: `krb tgs tgt http/webapp01.contoso.com --damage`, checks: checks(differs("D15", code(), "krb 31", "krb 41"))},
		{name: "unknown key version", run: `krb tgs tgt http/webapp01.contoso.com --kvno 77`, checks: checks(code())},
		{name: "over UDP", run: `krb tgs tgt http/webapp01.contoso.com --udp`, checks: checks(code())},
		{name: "host as client", run: `krb tgs host http/webapp01.contoso.com`, checks: checks(exact("cname", "ticket-sname", "ticket-etype"))},
		{name: "TGT without PAC asked", run: `krb tgs nopac host/containerhost01.contoso.com --save nopac-service`, checks: checks(code())},
		{name: "MIT kvno", as: "alice", run: `kvno http/webapp01.contoso.com host/containerhost01.contoso.com`, checks: checks(exact())},
		{name: "MIT kvno, unknown", as: "alice", run: `kvno http/nosuch.contoso.com`, checks: checks(code())},
	},
}

var pacGroup = group{
	name: "PAC", ordered: true,
	before: []operation{
		{run: `krb as alice --password Wonder!2026 --save alice`},
		{run: `krb as ContainerHost01$ --password HostPass!01 --save host`},
		{run: `krb as alice --password Wonder!2026 --pac 0 --save nopac`},
		{run: `krb tgs alice host/containerhost02.contoso.com --save alice-service`},
		{run: `krb tgs host host/containerhost02.contoso.com --save host-service`},
		{run: `krb tgs nopac host/containerhost02.contoso.com --save nopac-service`},
	},
	ops: []operation{
		{name: "buffers of a service ticket", run: `krb pac alice-service --account ContainerHost02$ --password HostPass!02`, checks: checks(
			exact("signature-6", "signature-7", "signature-16", "signature-19"), differs("D17", exact("buffer-set"), "exit 0\nbuffer-set: 1 6 7 10 12 13 16 19", "exit 0\nbuffer-set: 1 6 7 10 12 16 19"), differs("D17", exact("buffers"), "exit 0\nbuffers: 1 13 10 12 6 7 16 19", "exit 0\nbuffers: 1 6 7 10 12 16 19"), exact("transited"))},
		{name: "logon information of a user", run: `krb pac alice-service --account ContainerHost02$ --password HostPass!02`, checks: checks(
			exact("account", "full_name", "logon_script", "profile_path", "home_directory", "home_drive", "user", "primary-group", "group", "uac", "logon-server", "logon-domain", "session-key", "logoff", "kickoff", "resource"),
			exact("user-flags"), differs("D17", exact("extra"), "exit 0\nextra: S-1-18-1 attributes=0x7\nextra: S-1-5-21-0-0-0-497 attributes=0x7", "exit 0\nextra: S-1-18-1 attributes=0x7"), exact("can-change"), exact("must-change"))},
		{name: "names of a user", run: `krb pac alice-service --account ContainerHost02$ --password HostPass!02`, checks: checks(
			exact("client-info", "upn", "dns-domain", "upn-flags", "upn-sam", "upn-sid"))},
		{name: "logon information of a host", run: `krb pac host-service --account ContainerHost02$ --password HostPass!02`, checks: checks(
			exact("account", "user", "primary-group", "group", "uac", "logon-server", "logon-domain", "session-key"),
			exact("user-flags", "resource"), differs("D17", exact("extra"), "exit 0\nextra: S-1-18-1 attributes=0x7\nextra: S-1-5-21-0-0-0-497 attributes=0x7", "exit 0\nextra: S-1-18-1 attributes=0x7"), differs("D17", exact("can-change"), "exit 0\ncan-change: +1.0d", "exit 0\ncan-change: +0.0d"), exact("must-change"))},
		{name: "names of a host", run: `krb pac host-service --account ContainerHost02$ --password HostPass!02`, checks: checks(
			exact("client-info", "upn", "dns-domain", "upn-flags", "upn-sam", "upn-sid"))},
		{name: "no PAC when the TGT was asked without", run: `krb pac nopac-service --account ContainerHost02$ --password HostPass!02`, checks: checks(exact("buffers"))},
	},
}

var delegationGroup = group{
	name: "delegation", ordered: true,
	before: []operation{
		{run: `krb as ContainerHost01$ --password HostPass!01 --save host`},
		{run: `krb as alice --password Wonder!2026 --save alice`},
	},
	ops: []operation{
		{name: "S4U2Self to itself", run: `krb tgs host host/containerhost01.contoso.com --impersonate alice --save self`, checks: checks(exact("cname", "ticket-sname"), differs("D30", exact("flag-names"), "krb 0\nflag-names: renewable pre-authent transited-policy-checked", "krb 0\nflag-names: forwardable renewable pre-authent enc-pa-rep"))},
		{name: "PAC of S4U2Self", run: `krb pac self --account ContainerHost01$ --password HostPass!01`, checks: checks(exact("account", "user", "group", "client-info"))},
		{name: "S4U2Self to another service", run: `krb tgs host http/webapp01.contoso.com --impersonate alice`, checks: checks(code())},
		{name: "S4U2Self for an unknown user", run: `krb tgs host host/containerhost01.contoso.com --impersonate nosuch`, checks: checks(code())},
		{name: "S4U2Self for a disabled user", run: `krb tgs host host/containerhost01.contoso.com --impersonate bob`, checks: checks(differs("D31", code(), "krb 12", "krb 18"))},
		{name: "S4U2Proxy without permission", run: `krb tgs host http/webapp01.contoso.com --evidence self --options forwardable,cname-in-addl-tkt`, checks: checks(code())},
		{name: "permission: msDS-AllowedToDelegateTo", run: `ldapmodify $M`, stdin: `dn: CN=ContainerHost01,CN=Computers,DC=contoso,DC=com
changetype: modify
replace: msDS-AllowedToDelegateTo
msDS-AllowedToDelegateTo: http/webapp01.contoso.com
-
replace: userAccountControl
userAccountControl: 16781312
`, checks: checks(code())},
		{name: "S4U2Self, trusted to authenticate", run: `krb tgs host host/containerhost01.contoso.com --impersonate alice --save self2`, checks: checks(differs("D27", exact("flag-names"), "krb 0\nflag-names: forwardable renewable pre-authent transited-policy-checked", "krb 0\nflag-names: forwardable renewable pre-authent enc-pa-rep"))},
		{name: "S4U2Proxy with permission", run: `krb tgs host http/webapp01.contoso.com --evidence self2 --options forwardable,cname-in-addl-tkt`, checks: checks(exact("cname", "ticket-sname"), differs("D27", exact("flag-names"), "krb 0\nflag-names: forwardable pre-authent transited-policy-checked", "krb 0\nflag-names: forwardable pre-authent enc-pa-rep"))},
		{name: "S4U2Proxy to a service that is not listed", run: `krb tgs host host/containerhost02 --evidence self2 --options forwardable,cname-in-addl-tkt`, checks: checks(code())},
	},
}

var locatorGroup = group{
	name: "locator",
	ops: []operation{
		{name: "SRV of DCs", run: `dig +short @192.0.2.10 SRV _ldap._tcp.dc._msdcs.contoso.com`, checks: checks(exact())},
		{name: "SRV of the domain", run: `dig +short @192.0.2.10 SRV _ldap._tcp.contoso.com`, checks: checks(exact())},
		{name: "SRV of the site", run: `dig +short @192.0.2.10 SRV _ldap._tcp.Default-First-Site-Name._sites.dc._msdcs.contoso.com`, checks: checks(exact())},
		{name: "SRV of the PDC", run: `dig +short @192.0.2.10 SRV _ldap._tcp.pdc._msdcs.contoso.com`, checks: checks(exact())},
		{name: "SRV of catalogs", run: `dig +short @192.0.2.10 SRV _ldap._tcp.gc._msdcs.contoso.com _gc._tcp.contoso.com`, checks: checks(exact())},
		{name: "SRV of KDCs", run: `dig +short @192.0.2.10 SRV _kerberos._tcp.contoso.com; dig +short @192.0.2.10 SRV _kerberos._udp.contoso.com; dig +short @192.0.2.10 SRV _kerberos._tcp.dc._msdcs.contoso.com`, checks: checks(exact())},
		{name: "SRV of kpasswd", run: `dig +short @192.0.2.10 SRV _kpasswd._tcp.contoso.com; dig +short @192.0.2.10 SRV _kpasswd._udp.contoso.com`, checks: checks(exact())},
		{name: "address of the DC", run: `dig +short @192.0.2.10 A dc01.contoso.com`, checks: checks(exact())},
		{name: "address of the domain", run: `dig +short @192.0.2.10 A contoso.com`, checks: checks(exact())},
		{name: "name in another case", run: `dig +short @192.0.2.10 SRV _LDAP._TCP.DC._MSDCS.CONTOSO.COM`, checks: checks(exact())},
		{name: "over TCP", run: `dig +short +tcp @192.0.2.10 SRV _ldap._tcp.dc._msdcs.contoso.com`, checks: checks(exact())},
		{name: "name that does not exist", run: `dig @192.0.2.10 SRV _kerberos-master._udp.contoso.com | grep -o 'status: [A-Z]*'`, checks: checks(exact())},
		{name: "type that does not exist", run: `dig @192.0.2.10 TXT dc01.contoso.com | grep -o 'status: [A-Z]*'`, checks: checks(exact())},
		{name: "ping over LDAP, NtVer 6", run: `ldapsearch $X -s base -b '' '(&(DnsDomain=contoso.com)(NtVer=\06\00\00\00))' netlogon | grep -ci '^netlogon::'`, checks: checks(exact())},
		{name: "ping for an unknown domain", run: `ldapsearch $X -s base -b '' '(&(DnsDomain=other.com)(NtVer=\06\00\00\00))' netlogon | grep -ci '^netlogon::'`, checks: checks(exact())},
		{name: "adcli info", run: `adcli info contoso.com | grep -v '^computer-site\|^domain-controllers\|^domain-controller-flags\|guid' | grep '= '`, checks: checks(exact())},
		{name: "adcli info by name of the DC", run: `adcli info -S dc01.contoso.com | grep '^domain-controller-flags'`, checks: checks(differs("D19", exact(), "exit 0\ndomain-controller-flags = pdc gc ldap ds kdc closest writable full-secret", "exit 0\ndomain-controller-flags = pdc gc ldap ds kdc timeserv closest writable good-timeserv full-secret ads-web"))},
		{name: "Samba's CLDAP ping", run: `net -s /dev/null --option=realm=CONTOSO.COM --option=workgroup=CONTOSO ads lookup -S dc01.contoso.com 2>/dev/null | grep -i 'forest\|domain\|domain controller\|site\|response type\|pre-win2k'`, checks: checks(exact())},
		{name: "flags of the ping", run: `net -s /dev/null --option=realm=CONTOSO.COM --option=workgroup=CONTOSO ads lookup -S dc01.contoso.com 2>/dev/null | grep -i 'is a\|is the\|is in\|runs\|supports\|has a\|is running' | grep -v 'hardware clock\|time services\|Web Services'`, checks: checks(exact())},
	},
}

var kpasswdGroup = group{
	name: "kpasswd", ordered: true, signIn: []string{"alice"},
	ops: []operation{
		{name: "below the minimum age", run: `printf 'Wonder!2026\nWonder!2027\nWonder!2027\n' | kpasswd alice 2>&1 | grep -c rejected`, checks: checks(exact())},
		{name: "minimum age 0", run: `ldapmodify $M`, stdin: "dn: DC=contoso,DC=com\nchangetype: modify\nreplace: minPwdAge\nminPwdAge: 0\n", checks: checks(code())},
		{name: "change", run: `printf 'Wonder!2026\nWonder!2027\nWonder!2027\n' | kpasswd alice`, checks: checks(code())},
		{name: "the new password works", run: `krb as alice --password Wonder!2027`, checks: checks(code())},
		{name: "the old one does not", run: `krb as alice --password Wonder!2026`, checks: checks(code())},
		{name: "too simple", run: `printf 'Wonder!2027\nabc\nabc\n' | kpasswd alice 2>&1 | grep -c rejected`, checks: checks(exact())},
	},
}
