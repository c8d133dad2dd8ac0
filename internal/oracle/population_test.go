//go:build oracle

package oracle_test

// population is what both sides hold before the first operation of a group. It is written over LDAP, so that both have it by the
// same requests. Groups come first: the second part names them in security descriptors.
var population = []string{
	`dn: CN=alice,CN=Users,DC=contoso,DC=com
changetype: add
objectClass: user
sAMAccountName: alice
userPrincipalName: alice@contoso.com
userAccountControl: 512
unicodePwd:: {{pw "Wonder!2026"}}

dn: CN=Bob Disabled,CN=Users,DC=contoso,DC=com
changetype: add
objectClass: user
sAMAccountName: bob
userPrincipalName: robert@contoso.com
userAccountControl: 514
unicodePwd:: {{pw "Builder!2026"}}

` + hostLDIF("01", "msDS-SupportedEncryptionTypes: 28") + hostLDIF("02", "msDS-SupportedEncryptionTypes: 28") +
		hostLDIF("03", "msDS-SupportedEncryptionTypes: 24") + hostLDIF("04", "description: no encryption types"),
	groupLDIF("WebApp01Hosts", "-2147483644") + groupLDIF("GlobalHosts", "-2147483646") + groupLDIF("NestedInLocal", "-2147483646") +
		groupLDIF("UniHosts", "-2147483640") + `dn: CN=WebApp01Hosts,CN=Users,DC=contoso,DC=com
changetype: modify
add: member
member: CN=ContainerHost01,CN=Computers,DC=contoso,DC=com
member: CN=NestedInLocal,CN=Users,DC=contoso,DC=com
`,
	gmsaLDIF("WebApp01", "WebApp01Hosts", `servicePrincipalName: host/WebApp01
servicePrincipalName: host/WebApp01.contoso.com
servicePrincipalName: http/webapp01.contoso.com
msDS-SupportedEncryptionTypes: 28
`) + gmsaLDIF("WebApp02", "GlobalHosts", "msDS-SupportedEncryptionTypes: 24\n") + gmsaLDIF("WebApp03", "UniHosts", ""),
}

func hostLDIF(number, more string) string {
	return `dn: CN=ContainerHost` + number + `,CN=Computers,DC=contoso,DC=com
changetype: add
objectClass: computer
sAMAccountName: ContainerHost` + number + `$
userAccountControl: 4096
dNSHostName: containerhost` + number + `.contoso.com
servicePrincipalName: HOST/ContainerHost` + number + `
servicePrincipalName: HOST/containerhost` + number + `.contoso.com
unicodePwd:: {{pw "HostPass!` + number + `"}}
` + more + "\n\n"
}

func groupLDIF(name, groupType string) string {
	return `dn: CN=` + name + `,CN=Users,DC=contoso,DC=com
changetype: add
objectClass: group
sAMAccountName: ` + name + `
groupType: ` + groupType + "\n\n"
}

// gmsa is a group managed service account whose password the members of readers may read.
func gmsaLDIF(name, readers, more string) string {
	return `dn: CN=` + name + `,CN=Managed Service Accounts,DC=contoso,DC=com
changetype: add
objectClass: msDS-GroupManagedServiceAccount
sAMAccountName: ` + name + `$
dNSHostName: ` + name + `.contoso.com
userAccountControl: 4096
msDS-ManagedPasswordInterval: 30
msDS-GroupMSAMembership:: {{acl "` + readers + `"}}
` + more + "\n"
}
