//go:build oracle

package oracle_test

// sambaTool runs the oracle's own samba-tool, whose release knows group managed service accounts, in its tree. The cache goes with it.
const sambaTool = `cp ${KRB5CCNAME#FILE:} $TREE/tmp/cc && KRB5CCNAME=FILE:/tmp/cc chroot $TREE samba-tool `

const asItsCaller = ` -H ldap://dc01.contoso.com --use-kerberos=required --use-krb5-ccache=FILE:/tmp/cc`

// hostKeytab makes the keytab of a host from its password; ktutil asks the KDC for the salt.
func hostKeytab(n string) operation {
	return operation{run: `printf 'addent -password -p ContainerHost` + n + `$@CONTOSO.COM -k 1 -e aes256-cts-hmac-sha1-96 -f\nHostPass!` + n + `\nwkt h` + n + `\nquit\n' | ktutil && klist -k h` + n}
}

// clientGroup is the second direction: what the other server's tools, and a script that knows neither, make of our answers.
var clientGroup = group{
	name: "clients", ordered: true, signIn: []string{"ContainerHost01$", "ContainerHost02$"},
	before: []operation{
		{run: `cp /etc/krb5.conf $TREE/etc/krb5.conf && printf '192.0.2.10 dc01.contoso.com dc01\n' >$TREE/etc/hosts && printf 'nameserver 192.0.2.10\n' >$TREE/etc/resolv.conf`},
		hostKeytab("01"), hostKeytab("02"),
	},
	ops: []operation{
		{name: "fetcher.sh, member", run: `$FETCHER -k h01 -o gmsa WebApp01 host/containerhost02.contoso.com`, checks: checks(exact())},
		{name: "its keytab opens tickets", run: `kvno -k gmsa http/webapp01.contoso.com`, checks: checks(exact())},
		{name: "fetcher.sh, not a member", run: `$FETCHER -k h02 -o none WebApp01 host/containerhost02.contoso.com`, checks: checks(code(), class("may not read the password"))},
		{name: "fetcher.sh, no such account", run: `$FETCHER -k h01 -o none NoSuch host/containerhost02.contoso.com`, checks: checks(code())},
		{name: "fetcher.sh, no such service", run: `$FETCHER -k h01 -o none WebApp01 host/nosuch.contoso.com`, checks: checks(code(), class("Server not found in Kerberos database"))},
		{name: "samba-tool gets a TGT for the gMSA", as: "ContainerHost01$", run: sambaTool + `user get-kerberos-ticket 'WebApp01$' --output-krb5-ccache=/tmp/gmsa` + asItsCaller + ` && klist -c $TREE/tmp/gmsa | grep Default; s=$?; rm -f $TREE/tmp/gmsa; exit $s`, checks: checks(exact())},
		{name: "not for a stranger", as: "ContainerHost02$", run: sambaTool + `user get-kerberos-ticket 'WebApp01$' --output-krb5-ccache=/tmp/gmsa` + asItsCaller, checks: checks(class())},
		{name: "samba-tool takes the password apart", as: "ContainerHost01$", run: sambaTool + `user getpassword 'WebApp01$' --attributes=unicodePwd,virtualClearTextUTF8,virtualClearTextUTF16,msDS-KeyVersionNumber` + asItsCaller, checks: checks(structure())},
		{name: "samba-tool shows the account", run: sambaTool + `service-account view --name=WebApp01` + asItsCaller + ` | sed -n 's/^  "\([a-zA-Z-]*\)".*/\1/p'`, checks: checks(exact())},
		{name: "samba-tool shows the readers", run: sambaTool + `service-account group-msa-membership show --name=WebApp01` + asItsCaller, checks: checks(exact())},
		{name: "samba-tool adds a reader", run: sambaTool + `service-account group-msa-membership add --name=WebApp01 --principal='ContainerHost02$'` + asItsCaller, checks: checks(class())},
		{name: "who then reads", run: `$FETCHER -k h02 -o gmsa2 WebApp01 host/containerhost02.contoso.com`, checks: checks(exact())},
		{name: "samba-tool lists root keys", run: sambaTool + `domain kds root-key list` + asItsCaller + ` | grep -o 'root key found\|usable from'`, checks: checks(exact())},
		{name: "samba-tool makes a root key", run: sambaTool + `domain kds root-key create --use-start-time=now` + asItsCaller, checks: checks(class())},
		{name: "both are there", run: `ldapsearch $S -b "CN=Master Root Keys,CN=Group Key Distribution Service,CN=Services,CN=Configuration,$BASE" '(objectClass=msKds-ProvRootKey)' 1.1 | grep -c ^dn`, checks: checks(exact())},
		{name: "samba-tool makes a gMSA", run: sambaTool + `service-account create --name=Made --dns-host-name=made.contoso.com --managed-password-interval=30` + asItsCaller, checks: checks(class())},
		{name: "it is one", run: `ldapsearch $S -b $BASE '(sAMAccountName=Made$)' objectClass msDS-ManagedPasswordInterval msDS-ManagedPasswordId dNSHostName primaryGroupID`, checks: checks(exact())},
		{name: "samba-tool deletes it", run: sambaTool + `service-account delete --name=Made` + asItsCaller, checks: checks(class())},
	},
}
