//go:build oracle

package oracle_test

import (
	"strings"

	"github.com/gmsasim/gmsasim/internal/oracle"
)

// modify is an LDIF modification of one attribute of a gMSA. An attribute with a final colon has a base64 value.
func modify(account, how, attribute, value string) string {
	text := "dn: CN=" + account + ",CN=Managed Service Accounts,DC=contoso,DC=com\nchangetype: modify\n" + how + ": " + strings.TrimSuffix(attribute, ":") + "\n"
	if value != "" {
		text += attribute + ": " + value + "\n"
	}
	return text
}

// addGMSA is an LDIF add of a gMSA with the given further lines.
func addGMSA(name string, lines ...string) string {
	text := "dn: CN=" + name + ",CN=Managed Service Accounts,DC=contoso,DC=com\nchangetype: add\nobjectClass: msDS-GroupManagedServiceAccount\n"
	for _, l := range lines {
		text += l + "\n"
	}
	return text
}

const readNew = `ldapsearch $S -b "CN=Managed Service Accounts,$BASE" '(cn=New*)' `

var lifeCycleGroup = group{
	name: "life cycle", ordered: true, signIn: []string{"ContainerHost01$", "alice"},
	ops: []operation{
		{name: "add, as the cmdlet does", run: `ldapmodify $M`, stdin: addGMSA("New1", "sAMAccountName: New1$", "dNSHostName: new1.contoso.com", "userAccountControl: 4096",
			"msDS-ManagedPasswordInterval: 30", "msDS-SupportedEncryptionTypes: 28", `msDS-GroupMSAMembership:: {{acl "WebApp01Hosts"}}`, "servicePrincipalName: http/new1.contoso.com"), checks: checks(code())},
		{name: "what the server made of it", run: readNew + `objectClass sAMAccountType primaryGroupID userAccountControl msDS-ManagedPasswordInterval msDS-ManagedPasswordId msDS-ManagedPasswordPreviousId msDS-GroupMSAMembership dNSHostName servicePrincipalName`, checks: checks(exact())},
		{name: "a member reads its password", as: "ContainerHost01$", run: readNew + `msDS-ManagedPassword`, checks: checks(exact())},
		{name: "a ticket for it", as: "alice", run: `kvno http/new1.contoso.com`, checks: checks(exact())},
		{name: "readers replaced", run: `ldapmodify $M`, stdin: "dn: CN=New1,CN=Managed Service Accounts,DC=contoso,DC=com\nchangetype: modify\nreplace: msDS-GroupMSAMembership\nmsDS-GroupMSAMembership:: {{acl \"ContainerHost02$\"}}\n", checks: checks(code())},
		{name: "the former member reads nothing", as: "ContainerHost01$", run: readNew + `msDS-ManagedPassword`, checks: checks(exact())},
		{name: "the new reader, named directly", as: "ContainerHost02$", signIn: true, run: readNew + `msDS-ManagedPassword`, checks: checks(exact())},
		{name: "rename", run: `ldapmodrdn $M -r "CN=New1,CN=Managed Service Accounts,$BASE" CN=New1b`, checks: checks(code())},
		{name: "after the rename", run: readNew + `cn name sAMAccountName servicePrincipalName`, checks: checks(exact())},
		{name: "disable", run: `ldapmodify $M`, stdin: modify("New1b", "replace", "userAccountControl", "4098"), checks: checks(code())},
		{name: "no ticket for a disabled gMSA", as: "alice", signIn: true, run: `kvno http/new1.contoso.com`, checks: checks(differs("D32", code(), "exit 0", "exit 1: Server not found in Kerberos database"))},
		{name: "enable", run: `ldapmodify $M`, stdin: modify("New1b", "replace", "userAccountControl", "4096"), checks: checks(code())},
		{name: "interval cannot change", run: `ldapmodify $M`, stdin: modify("New1b", "replace", "msDS-ManagedPasswordInterval", "10"), checks: checks(class(), code())},
		{name: "delete", run: `ldapdelete $M "CN=New1b,CN=Managed Service Accounts,$BASE"`, checks: checks(code())},
		{name: "its SPN is gone", as: "alice", signIn: true, run: `kvno http/new1.contoso.com`, checks: checks(code())},
		{name: "the tombstone", run: `ldapsearch $S -E '!1.2.840.113556.1.4.417' -b "CN=Deleted Objects,$BASE" '(sAMAccountName=New1$)' isDeleted`, checks: checks(exact("isDeleted"))},
		{name: "delete again", run: `ldapdelete $M "CN=New1b,CN=Managed Service Accounts,$BASE"`, checks: checks(code())},
		{name: "add with class and interval only", run: `ldapmodify $M`, stdin: addGMSA("New2", "sAMAccountName: New2$", "msDS-ManagedPasswordInterval: 30"), checks: checks(code())},
		{name: "its defaults", run: readNew + `userAccountControl primaryGroupID msDS-ManagedPasswordInterval msDS-GroupMSAMembership msDS-SupportedEncryptionTypes servicePrincipalName`,
			checks: checks(exact("primaryGroupID", "msDS-ManagedPasswordInterval", "msDS-GroupMSAMembership", "msDS-SupportedEncryptionTypes", "servicePrincipalName"), differs("D5", exact("userAccountControl"), "exit 0\nCN=New2,CN=Managed Service Accounts,DC=contoso,DC=com userAccountControl: 4130", "exit 0\nCN=New2,CN=Managed Service Accounts,DC=contoso,DC=com userAccountControl: 4096"))},
		{name: "add without an interval", run: `ldapmodify $M`, stdin: addGMSA("New3", "sAMAccountName: New3$"), checks: checks(code())},
		{name: "add with a password of one's own", run: `ldapmodify -x -H ldaps://dc01.contoso.com $ADMIN`, stdin: addGMSA("New4", "sAMAccountName: New4$", "msDS-ManagedPasswordInterval: 30", "userAccountControl: 4096", `unicodePwd:: {{pw "Own!Password1"}}`), checks: checks(code())},
		{name: "which the server dropped", run: `krb as New4$ --password Own!Password1`, checks: checks(code())},
		{name: "add, name exists", run: `ldapmodify $M`, stdin: addGMSA("WebApp01", "sAMAccountName: WebApp01x$", "msDS-ManagedPasswordInterval: 30"), checks: checks(code())},
		{name: "add, sAMAccountName taken", run: `ldapmodify $M`, stdin: addGMSA("New5", "sAMAccountName: webapp01$", "msDS-ManagedPasswordInterval: 30"), checks: checks(code())},
		{name: "add, parent missing", run: `ldapmodify $M`, stdin: "dn: CN=New6,CN=nosuch,DC=contoso,DC=com\nchangetype: add\nobjectClass: msDS-GroupManagedServiceAccount\nsAMAccountName: New6$\nmsDS-ManagedPasswordInterval: 30\n", checks: checks(code())},
		{name: "add, SPN taken", run: `ldapmodify $M`, stdin: addGMSA("New7", "sAMAccountName: New7$", "msDS-ManagedPasswordInterval: 30", "servicePrincipalName: HTTP/webapp01.contoso.com"), checks: checks(code())},
		{name: "add, no rights", as: "alice", run: `ldapmodify $M`, stdin: addGMSA("New8", "sAMAccountName: New8$", "msDS-ManagedPasswordInterval: 30"), checks: checks(code())},
		{name: "add, unknown attribute", run: `ldapmodify $M`, stdin: addGMSA("New9", "sAMAccountName: New9$", "msDS-ManagedPasswordInterval: 30", "noSuchAttribute: x"), checks: checks(code())},
		{name: "add, in an OU below CN=Users", run: `ldapmodify $M`, stdin: "dn: CN=New10,CN=Users,DC=contoso,DC=com\nchangetype: add\nobjectClass: msDS-GroupManagedServiceAccount\nsAMAccountName: New10$\nmsDS-ManagedPasswordInterval: 1\n", checks: checks(code())},
		{name: "add, name of 21 characters", run: `ldapmodify $M`, stdin: addGMSA("New11", "sAMAccountName: A23456789012345678901$", "msDS-ManagedPasswordInterval: 30"), checks: checks(differs("D6", code(), "exit 0", "exit 80"))},
		{name: "add, name without dollar", run: `ldapmodify $M`, stdin: addGMSA("New12", "sAMAccountName: New12", "msDS-ManagedPasswordInterval: 30"), checks: checks(differs("D6", code(), "exit 0", "exit 80"))},
		{name: "add, readers are no descriptor", run: `ldapmodify $M`, stdin: addGMSA("New13", "sAMAccountName: New13$", "msDS-ManagedPasswordInterval: 30", "msDS-GroupMSAMembership:: AQID"), checks: checks(differs("D6", code(), "exit 0", "exit 21"))},
	},
}

var writeGroup = group{
	name: "writes", ordered: true, signIn: []string{"ContainerHost02$", "alice"},
	ops: []operation{
		{name: "managed password id", run: `ldapmodify $M`, stdin: modify("WebApp01", "replace", "msDS-ManagedPasswordId:", "AQID"), checks: checks(class(), code())},
		{name: "managed password", run: `ldapmodify $M`, stdin: modify("WebApp01", "replace", "msDS-ManagedPassword:", "AQID"), checks: checks(class(), code())},
		{name: "objectGUID", run: `ldapmodify $M`, stdin: modify("WebApp01", "replace", "objectGUID:", "AQIDBAUGBwgJCgsMDQ4PEA=="), checks: checks(class(), code())},
		{name: "whenCreated", run: `ldapmodify $M`, stdin: modify("WebApp01", "replace", "whenCreated", "20190503100000.0Z"), checks: checks(class(), code())},
		{name: "objectSid", run: `ldapmodify $M`, stdin: modify("WebApp01", "replace", "objectSid", "S-1-5-21-1-2-3-4"), checks: checks(class(), code())},
		{name: "sAMAccountType", run: `ldapmodify $M`, stdin: modify("WebApp01", "replace", "sAMAccountType", "805306368"), checks: checks(class(), code())},
		{name: "memberOf", run: `ldapmodify $M`, stdin: modify("WebApp01", "add", "memberOf", "CN=GlobalHosts,CN=Users,DC=contoso,DC=com"), checks: checks(class(), code())},
		{name: "unicodePwd of a gMSA", run: `ldapmodify -x -H ldaps://dc01.contoso.com $ADMIN`, stdin: "dn: CN=WebApp01,CN=Managed Service Accounts,DC=contoso,DC=com\nchangetype: modify\nreplace: unicodePwd\nunicodePwd:: {{pw \"Own!Password1\"}}\n", checks: checks(class(), code())},
		{name: "unknown attribute", run: `ldapmodify $M`, stdin: modify("WebApp01", "replace", "noSuchAttribute", "x"), checks: checks(code())},
		{name: "attribute outside the class", run: `ldapmodify $M`, stdin: modify("WebApp01", "replace", "gPLink", "x"), checks: checks(class(), code())},
		{name: "RDN attribute", run: `ldapmodify $M`, stdin: modify("WebApp01", "replace", "cn", "Other"), checks: checks(code())},
		{name: "missing object", run: `ldapmodify $M`, stdin: modify("NoSuch", "replace", "description", "x"), checks: checks(code())},
		{name: "delete of an absent value", run: `ldapmodify $M`, stdin: modify("WebApp01", "delete", "description", "x"), checks: checks(code())},
		{name: "add of a value that is there", run: `ldapmodify $M`, stdin: modify("WebApp01", "add", "servicePrincipalName", "host/WebApp01"), checks: checks(class(), code())},
		{name: "add of a value that is there in another case", run: `ldapmodify $M`, stdin: modify("WebApp01", "add", "servicePrincipalName", "HOST/webapp01"), checks: checks(differs("D7", code(), "exit 0", "exit 20"))},
		{name: "the same with permissive modify", run: `ldapmodify $M -e '!1.2.840.113556.1.4.1413'`, stdin: "dn: CN=GlobalHosts,CN=Users,DC=contoso,DC=com\nchangetype: modify\nadd: description\ndescription: x\n", checks: checks(code())},
		{name: "no rights, user", as: "alice", run: `ldapmodify $M`, stdin: modify("WebApp01", "replace", "description", "x"), checks: checks(code())},
		{name: "no rights, host changes the readers", as: "ContainerHost02$", run: `ldapmodify $M`, stdin: "dn: CN=WebApp01,CN=Managed Service Accounts,DC=contoso,DC=com\nchangetype: modify\nreplace: msDS-GroupMSAMembership\nmsDS-GroupMSAMembership:: {{acl \"ContainerHost02$\"}}\n", checks: checks(code())},
		{name: "host writes its own dNSHostName", as: "ContainerHost02$", run: `ldapmodify $M`, stdin: "dn: CN=ContainerHost02,CN=Computers,DC=contoso,DC=com\nchangetype: modify\nreplace: dNSHostName\ndNSHostName: containerhost02.contoso.com\n", checks: checks(code())},
		{name: "member twice", run: `ldapmodify $M`, stdin: "dn: CN=WebApp01Hosts,CN=Users,DC=contoso,DC=com\nchangetype: modify\nadd: member\nmember: CN=ContainerHost01,CN=Computers,DC=contoso,DC=com\n", checks: checks(code())},
		{name: "absent member removed", run: `ldapmodify $M`, stdin: "dn: CN=WebApp01Hosts,CN=Users,DC=contoso,DC=com\nchangetype: modify\ndelete: member\nmember: CN=ContainerHost02,CN=Computers,DC=contoso,DC=com\n", checks: checks(code())},
		{name: "unknown member", run: `ldapmodify $M`, stdin: "dn: CN=WebApp01Hosts,CN=Users,DC=contoso,DC=com\nchangetype: modify\nadd: member\nmember: CN=nosuch,DC=contoso,DC=com\n", checks: checks(code())},
		{name: "domain-local group in a global one", run: `ldapmodify $M`, stdin: "dn: CN=GlobalHosts,CN=Users,DC=contoso,DC=com\nchangetype: modify\nadd: member\nmember: CN=WebApp01Hosts,CN=Users,DC=contoso,DC=com\n", checks: checks(differs("D6", code(), "exit 0", "exit 53"))},
		{name: "unicodePwd without encryption", run: `ldapmodify -x -H ldap://dc01.contoso.com $ADMIN`, stdin: "dn: CN=alice,CN=Users,DC=contoso,DC=com\nchangetype: modify\nreplace: unicodePwd\nunicodePwd:: {{pw \"Wonder!2028\"}}\n", checks: checks(class(), code())},
		{name: "unicodePwd over LDAPS", run: `ldapmodify -x -H ldaps://dc01.contoso.com $ADMIN`, stdin: "dn: CN=alice,CN=Users,DC=contoso,DC=com\nchangetype: modify\nreplace: unicodePwd\nunicodePwd:: {{pw \"Wonder!2028\"}}\n", checks: checks(code())},
		{name: "and it works", run: `krb as alice --password Wonder!2028`, checks: checks(code())},
		{name: "password with the name of the account in it", run: `ldapmodify -x -H ldaps://dc01.contoso.com $ADMIN`, stdin: "dn: CN=alice,CN=Users,DC=contoso,DC=com\nchangetype: modify\nreplace: unicodePwd\nunicodePwd:: {{pw \"xxALICE!2029\"}}\n", checks: checks(differs("D22", code(), "exit 0", "exit 19"))},
		{name: "too simple a password", run: `ldapmodify -x -H ldaps://dc01.contoso.com $ADMIN`, stdin: "dn: CN=alice,CN=Users,DC=contoso,DC=com\nchangetype: modify\nreplace: unicodePwd\nunicodePwd:: {{pw \"abc\"}}\n", checks: checks(class(), code())},
	},
}

var nameGroup = group{
	name: "names and SPNs", ordered: true, signIn: []string{"alice"},
	ops: []operation{
		{name: "SPN held by another account", run: `ldapmodify $M`, stdin: modify("WebApp02", "add", "servicePrincipalName", "http/webapp01.contoso.com"), checks: checks(code(), differs("D7", class("000021C7"), "refused -000021C7", "refused +000021C7"))},
		{name: "in another case", run: `ldapmodify $M`, stdin: modify("WebApp02", "add", "servicePrincipalName", "HTTP/WEBAPP01.contoso.com"), checks: checks(code())},
		{name: "cifs below another account's host", run: `ldapmodify $M`, stdin: modify("WebApp02", "add", "servicePrincipalName", "cifs/webapp01"), checks: checks(code())},
		{name: "the specific name wins over the alias", as: "alice", run: `krb as alice --password Wonder!2026 --save tgt`, checks: checks(code())},
		{name: "ticket for the specific name", run: `krb tgs tgt cifs/webapp01 --save cifs`, checks: checks(exact("ticket-etype", "ticket-sname"))},
		{name: "a class below host", run: `ldapmodify $M`, stdin: modify("WebApp01", "add", "servicePrincipalName", "http/special.contoso.com"), checks: checks(code())},
		{name: "host while another holds http", run: `ldapmodify $M`, stdin: modify("WebApp02", "add", "servicePrincipalName", "host/special.contoso.com"), checks: checks(differs("D8", code(), "exit 19", "exit 0"))},
		{name: "SPN without a slash", run: `ldapmodify $M`, stdin: modify("WebApp02", "add", "servicePrincipalName", "garbage"), checks: checks(class(), code())},
		{name: "SPN with a port", run: `ldapmodify $M`, stdin: modify("WebApp02", "add", "servicePrincipalName", "MSSQLSvc/webapp02.contoso.com:1433"), checks: checks(code())},
		{name: "ticket for it", run: `krb tgs tgt MSSQLSvc/webapp02.contoso.com:1433`, checks: checks(code())},
		{name: "no ticket without the port", run: `krb tgs tgt MSSQLSvc/webapp02.contoso.com`, checks: checks(code())},
		{name: "SPN removed", run: `ldapmodify $M`, stdin: modify("WebApp01", "delete", "servicePrincipalName", "http/webapp01.contoso.com"), checks: checks(code())},
		{name: "the alias serves it still", run: `krb tgs tgt http/webapp01.contoso.com`, checks: checks(code())},
		{name: "host name removed too", run: `ldapmodify $M`, stdin: modify("WebApp01", "delete", "servicePrincipalName", "host/WebApp01.contoso.com"), checks: checks(code())},
		{name: "now it is unknown", run: `krb tgs tgt http/webapp01.contoso.com`, checks: checks(differs("D33", code(), "krb 0", "krb 7"))},
		{name: "moved to another account", run: `ldapmodify $M`, stdin: modify("WebApp02", "add", "servicePrincipalName", "http/webapp01.contoso.com"), checks: checks(code())},
		{name: "and it works there", run: `krb tgs tgt http/webapp01.contoso.com`, checks: checks(code())},
		{name: "sAMAccountName taken, by modify", run: `ldapmodify $M`, stdin: modify("WebApp02", "replace", "sAMAccountName", "WEBAPP01$"), checks: checks(code())},
		{name: "user principal name of another account", run: `ldapmodify $M`, stdin: modify("WebApp02", "replace", "userPrincipalName", "alice@contoso.com"), checks: checks(class(), code())},
		{name: "user principal name of its own", run: `ldapmodify $M`, stdin: modify("WebApp02", "replace", "userPrincipalName", "webapp02@contoso.com"), checks: checks(code())},
		{name: "salt after the rename of the account", run: `ldapmodify $M`, stdin: modify("WebApp02", "replace", "sAMAccountName", "WebApp22$"), checks: checks(code())},
		{name: "is the salt of the password", run: `krb as WebApp22$`, checks: checks(differs("D14", exact("etype-info2"), "krb 25\netype-info2: 18 salt=CONTOSO.COMhostwebapp02.contoso.com s2kparams=00001000", "krb 25\netype-info2: 18 salt=CONTOSO.COMhostwebapp02.contoso.com"))},
		{name: "MIT kvno through the account name", as: "alice", run: `kvno 'WebApp22$'`, checks: checks(exact())},
	},
}

// membershipChange adds a host to a group or removes it.
func membershipChange(how, group, hostNumber string) string {
	return "dn: CN=" + group + ",CN=Users,DC=contoso,DC=com\nchangetype: modify\n" + how + ": member\nmember: CN=ContainerHost" + hostNumber + ",CN=Computers,DC=contoso,DC=com\n"
}

// Reads use the service ticket that the credential cache holds; newTicket puts the cache back to the TGT alone, as it was when the
// host signed in.
const (
	newTicket    = `cp ${KRB5CCNAME#FILE:}.tgt ${KRB5CCNAME#FILE:}; `
	readWith     = `ldapsearch $S -b "CN=Managed Service Accounts,$BASE" `
	readWebApp01 = readWith + `'(cn=WebApp01)' msDS-ManagedPassword`
	readWebApp02 = readWith + `'(cn=WebApp02)' msDS-ManagedPassword`
	readWebApp03 = readWith + `'(cn=WebApp03)' msDS-ManagedPassword`
)

var membershipGroup = group{
	name: "membership", ordered: true, signIn: []string{"ContainerHost01$", "ContainerHost02$", "ContainerHost03$", "ContainerHost04$"},
	ops: []operation{
		{name: "not a member", as: "ContainerHost02$", run: readWebApp01, checks: checks(exact())},
		{name: "added to the domain-local group", run: `ldapmodify $M`, stdin: membershipChange("add", "WebApp01Hosts", "02"), checks: checks(code())},
		{name: "old service ticket", as: "ContainerHost02$", run: readWebApp01, checks: checks(exact())},
		{name: "new service ticket", as: "ContainerHost02$", run: newTicket + readWebApp01, checks: checks(exact())},
		{name: "removed again", run: `ldapmodify $M`, stdin: membershipChange("delete", "WebApp01Hosts", "02"), checks: checks(code())},
		{name: "old service ticket, removed", as: "ContainerHost02$", run: readWebApp01, checks: checks(exact())},
		{name: "new service ticket, removed", as: "ContainerHost02$", run: newTicket + readWebApp01, checks: checks(exact())},
		{name: "another host, not a member", as: "ContainerHost03$", run: readWebApp01, checks: checks(exact())},
		{name: "added to the nested global group", run: `ldapmodify $M`, stdin: membershipChange("add", "NestedInLocal", "03"), checks: checks(code())},
		{name: "nested, old service ticket", as: "ContainerHost03$", run: readWebApp01, checks: checks(exact())},
		{name: "nested, old TGT", as: "ContainerHost03$", run: newTicket + readWebApp01, checks: checks(differs("D4", exact(), "exit 0\n"+readable("WebApp01")+"\n"+unreadable("WebApp01"), "exit 0\n"+unreadable("WebApp01")))},
		{name: "nested, new TGT", as: "ContainerHost03$", signIn: true, run: readWebApp01, checks: checks(exact())},
		{name: "removed from the nested group", run: `ldapmodify $M`, stdin: membershipChange("delete", "NestedInLocal", "03"), checks: checks(code())},
		{name: "nested, removed, new service ticket", as: "ContainerHost03$", run: newTicket + readWebApp01, checks: checks(exact())},
		{name: "nested, removed, new TGT", as: "ContainerHost03$", signIn: true, run: readWebApp01, checks: checks(exact())},
		{name: "added to the global group of the readers", run: `ldapmodify $M`, stdin: membershipChange("add", "GlobalHosts", "04"), checks: checks(code())},
		{name: "global, old TGT", as: "ContainerHost04$", run: newTicket + readWebApp02, checks: checks(differs("D4", exact(), "exit 0\n"+readable("WebApp02")+"\n"+unreadable("WebApp02"), "exit 0\n"+unreadable("WebApp02")))},
		{name: "global, new TGT", as: "ContainerHost04$", signIn: true, run: readWebApp02, checks: checks(exact())},
		{name: "removed from the global group", run: `ldapmodify $M`, stdin: membershipChange("delete", "GlobalHosts", "04"), checks: checks(code())},
		{name: "global, removed, old TGT", as: "ContainerHost04$", run: newTicket + readWebApp02, checks: checks(exact())},
		{name: "global, removed, new TGT", as: "ContainerHost04$", signIn: true, run: readWebApp02, checks: checks(exact())},
		{name: "added to the universal group of the readers", run: `ldapmodify $M`, stdin: membershipChange("add", "UniHosts", "04"), checks: checks(code())},
		{name: "universal, new TGT", as: "ContainerHost04$", signIn: true, run: readWebApp03, checks: checks(exact())},
		{name: "simple bind sees the present state", run: `ldapsearch $XS -D 'CONTOSO\ContainerHost04$' -w 'HostPass!04' -b "CN=Managed Service Accounts,$BASE" '(cn=WebApp03)' msDS-ManagedPassword`, checks: checks(exact())},
		{name: "removed from the universal group", run: `ldapmodify $M`, stdin: membershipChange("delete", "UniHosts", "04"), checks: checks(code())},
		{name: "simple bind, removed", run: `ldapsearch $XS -D 'CONTOSO\ContainerHost04$' -w 'HostPass!04' -b "CN=Managed Service Accounts,$BASE" '(cn=WebApp03)' msDS-ManagedPassword`, checks: checks(exact())},
		{name: "primary group 515 of the ACL", run: `ldapmodify $M`, stdin: "dn: CN=WebApp03,CN=Managed Service Accounts,DC=contoso,DC=com\nchangetype: modify\nreplace: msDS-GroupMSAMembership\nmsDS-GroupMSAMembership:: {{acl \"Domain Computers\"}}\n", checks: checks(code())},
		{name: "counts for every computer", as: "ContainerHost02$", run: readWebApp03, checks: checks(exact())},
	},
}

// rootKey is an LDIF add of a KDS root key with the given age.
func rootKey(guid, ago string) string {
	return `dn: CN=` + guid + `,CN=Master Root Keys,CN=Group Key Distribution Service,CN=Services,CN=Configuration,DC=contoso,DC=com
changetype: add
objectClass: msKds-ProvRootKey
msKds-Version: 1
msKds-RootKeyData:: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==
msKds-CreateTime: {{filetime "` + ago + `"}}
msKds-UseStartTime: {{filetime "` + ago + `"}}
msKds-DomainID: CN=DC01,OU=Domain Controllers,DC=contoso,DC=com
msKds-KDFAlgorithmID: SP800_108_CTR_HMAC
msKds-KDFParam:: AAAAAAEAAAAOAAAAAAAAAFMASABBADUAMQAyAAAA
msKds-SecretAgreementAlgorithmID: DH
msKds-PublicKeyLength: 2048
msKds-PrivateKeyLength: 512
`
}

const deleteKeys = `for dn in $(ldapsearch $S -b "CN=Services,CN=Configuration,$BASE" '(objectClass=msKds-ProvRootKey)' 1.1 | sed -n 's/^dn: //p' | tr ' ' '?'); do ldapdelete $M "$(echo "$dn" | tr '?' ' ')" || exit; done`

// addAged tries to add a gMSA with the key at hand.
func addAged(n string) operation {
	return operation{run: `ldapmodify $M`, stdin: addGMSA("Aged"+n, "sAMAccountName: Aged"+n+"$", "msDS-ManagedPasswordInterval: 30", "userAccountControl: 4096")}
}

func named(name string, op operation, c []oracle.Check) operation {
	op.name = name
	op.checks = c
	return op
}

var rootKeyGroup = group{
	name: "root keys", ordered: true, fresh: true,
	ops: []operation{
		{name: "delete the only key", run: deleteKeys, checks: checks(code())},
		named("add a gMSA without a key", addAged("1"), checks(class("8009000D"), differs("D1", code(), "exit 32", "exit 53"))),
		{name: "key that takes effect in ten days", run: `ldapmodify $M`, stdin: rootKey("11111111-1111-4111-8111-111111111111", "240h"), checks: checks(code())},
		named("add a gMSA with it", addAged("2"), checks(class("8009000D"))),
		{name: "remove it", run: deleteKeys, checks: checks(code())},
		{name: "key effective now", run: `ldapmodify $M`, stdin: rootKey("22222222-2222-4222-8222-222222222222", "0s"), checks: checks(code())},
		named("add a gMSA with a key effective now", addAged("3"), checks(class("8009000D"))),
		{name: "remove that", run: deleteKeys, checks: checks(code())},
		{name: "key effective ten hours and a minute ago", run: `ldapmodify $M`, stdin: rootKey("33333333-3333-4333-8333-333333333333", "-10h1m"), checks: checks(code())},
		named("add a gMSA with a key ten hours old", addAged("4"), checks(differs("D2", class("8009000D"), "refused +8009000D", "success -8009000D"))),
		{name: "remove that too", run: deleteKeys, checks: checks(code())},
		{name: "key effective eleven hours ago", run: `ldapmodify $M`, stdin: rootKey("44444444-4444-4444-8444-444444444444", "-11h"), checks: checks(code())},
		named("add a gMSA with an old key", addAged("5"), checks(code())),
		{name: "its id names the key's interval", run: `ldapsearch $S -b $BASE '(cn=Aged5)' msDS-ManagedPasswordId`, checks: checks(exact())},
	},
}

// deletedKeyGroup needs a server that has used its key.
var deletedKeyGroup = group{
	name: "deleted key", ordered: true, signIn: []string{"ContainerHost01$"},
	ops: []operation{
		{name: "delete the only key", run: deleteKeys, checks: checks(code())},
		{name: "password whose key was deleted", as: "ContainerHost01$", run: `ldapsearch $S` + readPassword, checks: checks(
			differs("D34", class("msDS-ManagedPassword:"), "refused -msDS-ManagedPassword:", "success +msDS-ManagedPassword:"))},
		{name: "its account serves on", run: `krb as alice --password Wonder!2026 --save tgt`, checks: checks(code())},
		{name: "with tickets", run: `krb tgs tgt http/webapp01.contoso.com`, checks: checks(code())},
	},
}
