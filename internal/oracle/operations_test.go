//go:build oracle

package oracle_test

// groups is the table: every operation is a call of a stock client, see operation.run. What is compared is in the grade of its
// checks; what may differ names a row of oracle.Differences.
var groups = []group{
	rootDSEGroup, searchGroup, controlGroup, bindGroup, passwordGroup, blobGroup, asGroup, tgsGroup, pacGroup, delegationGroup,
	locatorGroup, lifeCycleGroup, writeGroup, nameGroup, membershipGroup, rootKeyGroup, deletedKeyGroup, kpasswdGroup, clientGroup,
}

// What a host that is in WebApp01Hosts is in its own session.
const (
	tokenOfHost    = "exit 0\ndn: \ntokenGroups: <ContainerHost01$>\ntokenGroups: <WebApp01Hosts>\ntokenGroups: <domain>-515\ntokenGroups: S-1-1-0\ntokenGroups: S-1-18-1\ntokenGroups: S-1-5-11"
	tokenOfHostEnd = "\ntokenGroups: S-1-5-32-545\ntokenGroups: S-1-5-32-554"
)

const rootAttributes = "exit 0\nconfigurationNamingContext currentTime defaultNamingContext dnsHostName domainControllerFunctionality domainFunctionality dsServiceName forestFunctionality highestCommittedUSN isGlobalCatalogReady isSynchronized ldapServiceName namingContexts rootDomainNamingContext schemaNamingContext serverName subschemaSubentry supportedCapabilities supportedControl "

var rootDSEGroup = group{
	name: "root DSE", signIn: []string{"ContainerHost01$"},
	ops: []operation{
		{name: "naming contexts, anonymous", checks: checks(exact()),
			run: `ldapsearch $X -s base -b '' defaultNamingContext rootDomainNamingContext configurationNamingContext schemaNamingContext dnsHostName | sed 's/DC01.contoso.com/dc01.contoso.com/'`},
		{name: "server and service names", checks: checks(exact()),
			run: `ldapsearch $X -s base -b '' serverName dsServiceName ldapServiceName`},
		{name: "functional levels", checks: checks(exact()),
			run: `ldapsearch $X -s base -b '' domainFunctionality forestFunctionality domainControllerFunctionality`},
		{name: "synchronized, catalog ready", checks: checks(exact()),
			run: `ldapsearch $X -s base -b '' isSynchronized isGlobalCatalogReady`},
		{name: "current time", checks: checks(exact()),
			run: `ldapsearch $X -s base -b '' currentTime`},
		{name: "LDAP versions", checks: checks(exact()),
			run: `ldapsearch $X -s base -b '' supportedLDAPVersion`},
		{name: "capabilities that clients look for", run: `ldapsearch $X -s base -b '' supportedCapabilities`,
			checks: checks(class("1.2.840.113556.1.4.800", "1.2.840.113556.1.4.1670", "1.2.840.113556.1.4.1791", "1.2.840.113556.1.4.1935", "1.2.840.113556.1.4.2080"))},
		{name: "mechanisms", run: `ldapsearch $X -s base -b '' supportedSASLMechanisms`, checks: checks(class("GSSAPI", "GSS-SPNEGO"))},
		{name: "controls that clients use", run: `ldapsearch $X -s base -b '' supportedControl`,
			checks: checks(class("1.2.840.113556.1.4.319", "1.2.840.113556.1.4.801", "1.2.840.113556.1.4.529", "1.2.840.113556.1.4.417", "1.2.840.113556.1.4.473", "1.2.840.113556.1.4.1339", "1.2.840.113556.1.4.1413"))},
		{name: "attribute in another case", checks: checks(exact()),
			run: `ldapsearch $X -s base -b '' DEFAULTNAMINGCONTEXT`},
		{name: "token of the bound host", as: "ContainerHost01$", checks: checks(differs("D17", exact(), tokenOfHost+"\ntokenGroups: S-1-5-2\ntokenGroups: S-1-5-21-0-0-0-497"+tokenOfHostEnd, tokenOfHost+"\ntokenGroups: S-1-5-2"+tokenOfHostEnd)),
			run: `ldapsearch $S -s base -b '' tokenGroups`},
		{name: "who am I, host", as: "ContainerHost01$", checks: checks(exact()), run: `ldapwhoami $M`},
		{name: "all attributes", checks: checks(differs("D23", structure(), rootAttributes+"supportedLDAPVersion supportedSASLMechanisms vendorName", rootAttributes+"supportedLDAPPolicies supportedLDAPVersion supportedSASLMechanisms")), run: `ldapsearch $X -s base -b ''`},
	},
}

var searchGroup = group{
	name: "search", signIn: []string{"ContainerHost02$", "alice"},
	ops: []operation{
		{name: "objectClass computer includes gMSAs", checks: checks(exact()), run: `ldapsearch $S -b $BASE '(objectClass=computer)' sAMAccountName`},
		{name: "objectCategory computer does not", checks: checks(exact()), run: `ldapsearch $S -b $BASE '(objectCategory=computer)' sAMAccountName`},
		{name: "objectCategory by class name", checks: checks(exact()), run: `ldapsearch $S -b $BASE '(objectCategory=MSDS-groupmanagedserviceaccount)' sAMAccountName`},
		{name: "class chain of a gMSA", checks: checks(exact()), run: `ldapsearch $S -b $BASE '(sAMAccountName=WebApp01$)' objectClass objectCategory`},
		{name: "bit-and on userAccountControl", checks: checks(exact()), run: `ldapsearch $S -b $BASE '(userAccountControl:1.2.840.113556.1.4.803:=4096)' sAMAccountName`},
		{name: "bit-or on userAccountControl", checks: checks(exact()), run: `ldapsearch $S -b $BASE '(userAccountControl:1.2.840.113556.1.4.804:=8208)' sAMAccountName`},
		{name: "in-chain on memberOf", checks: checks(exact()), run: `ldapsearch $S -b $BASE '(memberOf:1.2.840.113556.1.4.1941:=CN=WebApp01Hosts,CN=Users,DC=contoso,DC=com)' cn`},
		{name: "in-chain on member", checks: checks(exact()), run: `ldapsearch $S -b $BASE '(member:1.2.840.113556.1.4.1941:=CN=ContainerHost01,CN=Computers,DC=contoso,DC=com)' cn`},
		{name: "unknown matching rule", checks: checks(exact()), run: `ldapsearch $S -b $BASE '(userAccountControl:1.2.3.4:=2)' cn`},
		{name: "unknown attribute in a filter", checks: checks(exact()), run: `ldapsearch $S -b $BASE '(noSuchAttribute=x)' cn`},
		{name: "not of an unknown attribute", checks: checks(differs("D24", exact(), "exit 0\nCN=alice,CN=Users,DC=contoso,DC=com cn: alice\ndn: CN=alice,CN=Users,DC=contoso,DC=com", "exit 0")), run: `ldapsearch $S -b $BASE '(&(cn=alice)(!(noSuchAttribute=x)))' cn`},
		{name: "objectSid as text", checks: checks(exact()), run: `ldapsearch $S -b $BASE '(objectSid={{sid "alice"}})' cn`},
		{name: "garbage as objectSid", checks: checks(exact()), run: `ldapsearch $S -b $BASE '(objectSid=garbage)' cn`},
		{name: "anr", checks: checks(exact()), run: `ldapsearch $S -b $BASE '(anr=webapp0)' cn`},
		{name: "substring and presence", checks: checks(exact()), run: `ldapsearch $S -b $BASE '(&(servicePrincipalName=host/*)(dNSHostName=*.contoso.com)(msDS-ManagedPasswordId=*))' servicePrincipalName`},
		{name: "SPN in another case", checks: checks(exact()), run: `ldapsearch $S -b $BASE '(servicePrincipalName=HOST/WEBAPP01)' cn`},
		{name: "base by well-known GUID", checks: checks(exact()), run: `ldapsearch $S -s base -b "<WKGUID=1EB93889E40C45DF9F0C64D23BBB6237,$BASE>" name`},
		{name: "base by well-known GUID, Computers", checks: checks(exact()), run: `ldapsearch $S -s base -b "<WKGUID=AA312825768811D1ADED00C04FD8D5CD,$BASE>" name`},
		{name: "base by SID", checks: checks(exact()), run: `ldapsearch $S -s base -b '<SID={{sid "WebApp01$"}}>' name`},
		{name: "no attributes (1.1)", checks: checks(exact()), run: `ldapsearch $S -b $BASE '(cn=alice)' 1.1`},
		{name: "operational attributes (+)", checks: checks(exact()), run: `ldapsearch $S -b $BASE '(cn=alice)' +`},
		{name: "names in another case come in schema case", checks: checks(exact()), run: `ldapsearch $S -b $BASE '(CN=ALICE)' SAMACCOUNTNAME samaccountname OBJECTsid`},
		{name: "base is missing", run: `ldapsearch $S -s base -b "CN=nosuch,CN=Users,$BASE" cn`,
			checks: checks(code(), differs("D9", class("0000208D"), "refused -0000208D", "refused +0000208D"))},
		{name: "foreign domain", run: `ldapsearch $S -s base -b 'DC=other,DC=com' cn`, checks: checks(differs("D9", code(), "exit 32", "exit 10"))},
		{name: "malformed base", run: `ldapsearch $S -s base -b 'garbage' cn`, checks: checks(code())},
		{name: "size limit", run: `ldapsearch $S -z 2 -b $BASE '(objectClass=computer)' cn`, checks: checks(differs("D10", code(), "exit 0", "exit 4"))},
		{name: "confidential key data stays hidden from a host", as: "ContainerHost02$", run: `ldapsearch $S -b "CN=Configuration,$BASE" '(objectClass=msKds-ProvRootKey)' msKds-RootKeyData msKds-Version`,
			checks: checks(class("msKds-RootKeyData", "msKds-Version"))},
		{name: "key object seen by a host", as: "ContainerHost02$", run: `ldapsearch $S -b "CN=Configuration,$BASE" '(objectClass=msKds-ProvRootKey)' cn | grep -c ^dn`, checks: checks(exact())},
		{name: "key object seen by an administrator", run: `ldapsearch $S -b "CN=Configuration,$BASE" '(objectClass=msKds-ProvRootKey)' msKds-Version msKds-KDFAlgorithmID msKds-KDFParam msKds-SecretAgreementAlgorithmID msKds-PublicKeyLength msKds-DomainID msKds-PrivateKeyLength`,
			checks: checks(exact("msKds-Version", "msKds-KDFAlgorithmID", "msKds-KDFParam", "msKds-SecretAgreementAlgorithmID", "msKds-PublicKeyLength", "msKds-DomainID"), differs("D20", exact("msKds-PrivateKeyLength"), "exit 0\nCN=<guid>,CN=Master Root Keys,CN=Group Key Distribution Service,CN=Services,CN=Configuration,DC=contoso,DC=com msKds-PrivateKeyLength: 256", "exit 0\nCN=<guid>,CN=Master Root Keys,CN=Group Key Distribution Service,CN=Services,CN=Configuration,DC=contoso,DC=com msKds-PrivateKeyLength: 512"))},
		{name: "what an unauthorised host reads of a gMSA", as: "ContainerHost02$", run: `ldapsearch $S -b $BASE '(sAMAccountName=WebApp01$)' servicePrincipalName msDS-ManagedPasswordId msDS-ManagedPasswordInterval msDS-GroupMSAMembership`, checks: checks(exact())},
		{name: "facts of a gMSA", run: `ldapsearch $S -b $BASE '(sAMAccountName=WebApp01$)' sAMAccountType primaryGroupID userAccountControl accountExpires pwdLastSet msDS-SupportedEncryptionTypes instanceType codePage countryCode isCriticalSystemObject logonCount badPwdCount objectSid`, checks: checks(exact())},
		{name: "constructed attributes of a gMSA", run: `ldapsearch $S -s base -b "CN=WebApp01,CN=Managed Service Accounts,$BASE" canonicalName msDS-KeyVersionNumber msDS-User-Account-Control-Computed structuralObjectClass tokenGroups`, checks: checks(exact())},
		{name: "all attributes of a gMSA", run: `ldapsearch $S -b $BASE '(sAMAccountName=WebApp01$)'`, checks: checks(differs("D25", structure(), "exit 0\nCN=WebApp01,CN=Managed Service Accounts,DC=contoso,DC=com accountExpires badPasswordTime badPwdCount cn codePage countryCode dNSHostName distinguishedName instanceType isCriticalSystemObject lastLogoff lastLogon logonCount msDS-GroupMSAMembership msDS-ManagedPasswordId msDS-ManagedPasswordInterval msDS-SupportedEncryptionTypes name objectCategory objectClass objectGUID objectSid primaryGroupID pwdLastSet sAMAccountName sAMAccountType servicePrincipalName uSNChanged uSNCreated userAccountControl whenChanged whenCreated", "exit 0\nCN=WebApp01,CN=Managed Service Accounts,DC=contoso,DC=com accountExpires badPasswordTime badPwdCount cn codePage countryCode dNSHostName distinguishedName instanceType isCriticalSystemObject lastLogoff lastLogon localPolicyFlags logonCount msDS-GroupMSAMembership msDS-ManagedPasswordId msDS-ManagedPasswordInterval msDS-SupportedEncryptionTypes name objectCategory objectClass objectGUID objectSid primaryGroupID pwdLastSet sAMAccountName sAMAccountType servicePrincipalName uSNChanged uSNCreated userAccountControl whenChanged whenCreated"))},
		{name: "secrets are never there", run: `ldapsearch $S -b $BASE '(sAMAccountName=WebApp01$)' unicodePwd supplementalCredentials ntPwdHistory dBCSPwd`, checks: checks(exact())},
		{name: "password in a filter", as: "ContainerHost02$", run: `ldapsearch $S -b $BASE '(msDS-ManagedPassword=*)' cn`, checks: checks(exact())},
		{name: "memberOf and member", run: `ldapsearch $S -b $BASE '(|(cn=WebApp01Hosts)(cn=ContainerHost01))' member memberOf`, checks: checks(exact())},
		{name: "group types", run: `ldapsearch $S -b "CN=Users,$BASE" '(cn=*Hosts)' groupType sAMAccountType`, checks: checks(exact())},
		{name: "partitions", run: `ldapsearch $S -b "CN=Partitions,CN=Configuration,$BASE" '(&(nCName=*)(nETBIOSName=*))' nCName nETBIOSName dnsRoot systemFlags`, checks: checks(exact())},
		{name: "domain object", run: `ldapsearch $S -s base -b $BASE ms-DS-MachineAccountQuota msDS-Behavior-Version nTMixedDomain objectSid fSMORoleOwner`, checks: checks(exact())},
		{name: "compare true", run: `ldapcompare $M "CN=alice,CN=Users,$BASE" sAMAccountName:ALICE`, checks: checks(code())},
		{name: "compare false", run: `ldapcompare $M "CN=alice,CN=Users,$BASE" sAMAccountName:bob`, checks: checks(code())},
	},
}

var controlGroup = group{
	name: "controls", signIn: []string{"ContainerHost02$"},
	ops: []operation{
		{name: "paged", run: `ldapsearch $S -E pr=2/noprompt -b $BASE '(objectClass=computer)' sAMAccountName`, checks: checks(exact("dn", "sAMAccountName"))},
		{name: "sorted", run: `ldapsearch $S -E '!sss=sAMAccountName' -b $BASE '(objectClass=msDS-GroupManagedServiceAccount)' sAMAccountName`, checks: checks(exact("dn", "sAMAccountName"))},
		{name: "domain scope leaves no references", run: `ldapsearch $S -E '!1.2.840.113556.1.4.1339' -b $BASE '(cn=alice)' cn`, checks: checks(class("ldap://"), exact())},
		{name: "references without it", run: `ldapsearch $S -b $BASE '(cn=alice)' cn`, checks: checks(class("# refldap://", "CN=Configuration,DC=contoso,DC=com", "DC=DomainDnsZones", "DC=ForestDnsZones"))},
		{name: "extended DN", run: `ldapsearch $S -E '!1.2.840.113556.1.4.529=::MAMCAQE=' -b $BASE '(cn=alice)' cn`, checks: checks(exact())},
		{name: "unknown critical control", run: `timeout 5 ldapsearch $S -E '!1.2.3.4.5' -s base -b $BASE cn 2>&1 | grep -c '(12)\|navailable'`, checks: checks(exact())},
		{name: "unknown control", run: `ldapsearch $S -E '1.2.3.4.5' -b "CN=Users,$BASE" '(cn=alice)' cn`, checks: checks(exact())},
		{name: "security descriptor without flags, host", as: "ContainerHost02$", run: `ldapsearch $S -b "CN=Users,$BASE" '(cn=alice)' nTSecurityDescriptor`, checks: checks(structure())},
		{name: "security descriptor with flags 7, host", as: "ContainerHost02$", run: `ldapsearch $S -E '!1.2.840.113556.1.4.801=::MAMCAQc=' -b "CN=Users,$BASE" '(cn=alice)' nTSecurityDescriptor`, checks: checks(structure())},
		{name: "show deleted, nothing deleted", run: `ldapsearch $S -E '!1.2.840.113556.1.4.417' -b "CN=Users,$BASE" '(cn=alice)' cn`, checks: checks(exact())},
		{name: "range of a small attribute", run: `ldapsearch $S -b "CN=Users,$BASE" '(cn=WebApp01Hosts)' 'member;range=0-0'`, checks: checks(structure())},
		{name: "range to the end", run: `ldapsearch $S -b "CN=Users,$BASE" '(cn=WebApp01Hosts)' 'member;range=0-*'`, checks: checks(exact())},
		{name: "tokenGroups in a subtree search", run: `ldapsearch $S -b "CN=Users,$BASE" '(cn=alice)' tokenGroups`, checks: checks(code())},
		{name: "option binary", run: `ldapsearch $S -b "CN=Users,$BASE" '(cn=alice)' 'objectSid;binary'`, checks: checks(differs("D18", structure(), "exit 0", "exit 0\nCN=alice,CN=Users,DC=contoso,DC=com objectSid;binary"))},
	},
}

var bindGroup = group{
	name: "binds", signIn: []string{"alice"},
	ops: []operation{
		{name: "simple, user principal name", run: `ldapwhoami -x -H ldap://dc01.contoso.com -D alice@contoso.com -w 'Wonder!2026'`, checks: checks(exact())},
		{name: "simple, domain and name", run: `ldapwhoami -x -H ldap://dc01.contoso.com -D 'CONTOSO\alice' -w 'Wonder!2026'`, checks: checks(exact())},
		{name: "simple, DN", run: `ldapwhoami -x -H ldap://dc01.contoso.com -D "CN=alice,CN=Users,$BASE" -w 'Wonder!2026'`, checks: checks(exact())},
		{name: "simple, canonical name", run: `ldapwhoami -x -H ldap://dc01.contoso.com -D contoso.com/Users/alice -w 'Wonder!2026'`, checks: checks(exact())},
		{name: "simple, host", run: `ldapwhoami -x -H ldap://dc01.contoso.com -D 'CONTOSO\ContainerHost01$' -w 'HostPass!01'`, checks: checks(exact())},
		{name: "simple, wrong password", run: `ldapwhoami -x -H ldap://dc01.contoso.com -D alice@contoso.com -w wrong`, checks: checks(code(), class("80090308", "AcceptSecurityContext error", "data 52e"))},
		{name: "simple, unknown user", run: `ldapwhoami -x -H ldap://dc01.contoso.com -D nosuch@contoso.com -w wrong`, checks: checks(code(), class("80090308", "data 52e"))},
		{name: "simple, unknown DN", run: `ldapwhoami -x -H ldap://dc01.contoso.com -D "CN=nosuch,$BASE" -w wrong`, checks: checks(code())},
		{name: "simple, bare name", run: `ldapwhoami -x -H ldap://dc01.contoso.com -D alice -w 'Wonder!2026'`, checks: checks(code())},
		{name: "simple, disabled", run: `ldapwhoami -x -H ldap://dc01.contoso.com -D 'CONTOSO\bob' -w 'Builder!2026'`, checks: checks(code(), class("data 533"))},
		{name: "simple, name without password", run: `ldapwhoami -x -H ldap://dc01.contoso.com -D alice@contoso.com -w ''`, checks: checks(differs("D11", code(), "exit 49", "exit 0"))},
		{name: "StartTLS then simple", run: `ldapwhoami -ZZ -x -H ldap://dc01.contoso.com -D alice@contoso.com -w 'Wonder!2026'`, checks: checks(exact())},
		{name: "LDAPS simple", run: `ldapwhoami -x -H ldaps://dc01.contoso.com -D alice@contoso.com -w 'Wonder!2026'`, checks: checks(exact())},
		{name: "GSSAPI, sealed", as: "alice", run: `ldapwhoami -Y GSSAPI -H ldap://dc01.contoso.com 2>&1 | grep -v authentication`, checks: checks(exact())},
		{name: "GSSAPI, signed", as: "alice", run: `ldapwhoami -Y GSSAPI -O maxssf=1 -H ldap://dc01.contoso.com 2>&1 | grep -v authentication`, checks: checks(exact())},
		{name: "GSSAPI, no layer", as: "alice", run: `ldapwhoami -Y GSSAPI -O maxssf=0 -H ldap://dc01.contoso.com 2>&1 | grep -v authentication`, checks: checks(exact())},
		{name: "GSS-SPNEGO, sealed", as: "alice", run: `ldapwhoami -Y GSS-SPNEGO -H ldap://dc01.contoso.com 2>&1 | grep -v authentication`, checks: checks(exact())},
		{name: "GSSAPI without a layer over LDAPS", as: "alice", run: `ldapwhoami -Q -Y GSSAPI -O maxssf=0 -H ldaps://dc01.contoso.com`, checks: checks(exact())},
		{name: "GSSAPI with a layer over LDAPS", as: "alice", run: `ldapwhoami -Q -Y GSSAPI -O minssf=1 -H ldaps://dc01.contoso.com`, checks: checks(differs("D12", code(), "exit 53", "exit 48"))},
		{name: "unknown mechanism", run: `ldapwhoami -Q -Y DIGEST-MD5 -H ldap://dc01.contoso.com -U x -w y`, checks: checks(class())},
		{name: "catalog port", run: `ldapwhoami -x -H ldap://dc01.contoso.com:3268 -D alice@contoso.com -w 'Wonder!2026'`, checks: checks(exact())},
	},
}

// readPassword is the attribute that everything is about, over each transport.
const readPassword = ` -b "CN=Managed Service Accounts,$BASE" '(sAMAccountName=WebApp01$)' msDS-ManagedPassword`

var passwordGroup = group{
	name: "password", signIn: []string{"ContainerHost01$", "ContainerHost02$", "alice"},
	ops: []operation{
		{name: "member, GSSAPI sealed", as: "ContainerHost01$", run: `ldapsearch $S` + readPassword, checks: checks(exact())},
		{name: "member, GSS-SPNEGO sealed", as: "ContainerHost01$", run: `ldapsearch -LLL -Q -o ldif_wrap=no -Y GSS-SPNEGO -H ldap://dc01.contoso.com` + readPassword, checks: checks(exact())},
		{name: "member, GSSAPI signed", as: "ContainerHost01$", run: `ldapsearch $S -O maxssf=1` + readPassword, checks: checks(code(), class("0000202D"))},
		{name: "member, GSSAPI no layer", as: "ContainerHost01$", run: `ldapsearch $S -O maxssf=0` + readPassword, checks: checks(code(), class("0000202D"))},
		{name: "first number of the refusal", as: "ContainerHost01$", run: `ldapsearch $S -O maxssf=0` + readPassword + ` 2>&1 | grep -o 'dditional info[a-z]*: [0-9A-F]*'`, checks: checks(differs("D3", exact(), "exit 0\ndditional information: 00002020", "exit 0\ndditional information: 0000202D"))},
		{name: "member, GSS-SPNEGO no layer", as: "ContainerHost01$", run: `ldapsearch -LLL -Q -o ldif_wrap=no -Y GSS-SPNEGO -O maxssf=0 -H ldap://dc01.contoso.com` + readPassword, checks: checks(code(), class("0000202D"))},
		{name: "member, simple", run: `ldapsearch $X -D 'CONTOSO\ContainerHost01$' -w 'HostPass!01'` + readPassword, checks: checks(code(), class("0000202D"))},
		{name: "member, StartTLS", run: `ldapsearch $X -ZZ -D 'CONTOSO\ContainerHost01$' -w 'HostPass!01'` + readPassword, checks: checks(exact())},
		{name: "member, LDAPS", run: `ldapsearch $XS -D 'CONTOSO\ContainerHost01$' -w 'HostPass!01'` + readPassword, checks: checks(exact())},
		{name: "member, GSSAPI no layer over LDAPS", as: "ContainerHost01$", run: `ldapsearch -LLL -Q -o ldif_wrap=no -Y GSSAPI -O maxssf=0 -H ldaps://dc01.contoso.com` + readPassword, checks: checks(exact())},
		{name: "other host, GSSAPI sealed", as: "ContainerHost02$", run: `ldapsearch $S` + readPassword, checks: checks(exact())},
		{name: "other host, GSSAPI no layer", as: "ContainerHost02$", run: `ldapsearch $S -O maxssf=0` + readPassword, checks: checks(code(), class("0000202D"))},
		{name: "other host, LDAPS", run: `ldapsearch $XS -D 'CONTOSO\ContainerHost02$' -w 'HostPass!02'` + readPassword, checks: checks(exact())},
		{name: "administrator, GSSAPI sealed", run: `ldapsearch $S` + readPassword, checks: checks(exact())},
		{name: "administrator, simple", run: `ldapsearch $X $ADMIN` + readPassword, checks: checks(code(), class("0000202D"))},
		{name: "user, GSSAPI sealed", as: "alice", run: `ldapsearch $S` + readPassword, checks: checks(exact())},
		{name: "anonymous", run: `ldapsearch $X` + readPassword, checks: checks(code())},
		{name: "member asks for all attributes", as: "ContainerHost01$", run: `ldapsearch $S -b $BASE '(sAMAccountName=WebApp01$)' '*'`, checks: checks(class("msDS-ManagedPassword:", "msDS-ManagedPasswordId:"))},
		{name: "member, name and password, no layer", as: "ContainerHost01$", run: `ldapsearch $S -O maxssf=0 -b $BASE '(sAMAccountName=WebApp01$)' cn msDS-ManagedPassword`, checks: checks(code(), class("cn: WebApp01"))},
		{name: "password of something that is no gMSA", as: "ContainerHost01$", run: `ldapsearch $S -b $BASE '(sAMAccountName=ContainerHost01$)' cn msDS-ManagedPassword`, checks: checks(exact())},
		{name: "several gMSAs, one readable", as: "ContainerHost01$", run: `ldapsearch $S -b $BASE '(objectClass=msDS-GroupManagedServiceAccount)' msDS-ManagedPassword`, checks: checks(exact())},
		{name: "catalog port, GSSAPI sealed", as: "ContainerHost01$", run: `ldapsearch -LLL -Q -o ldif_wrap=no -Y GSSAPI -H ldap://dc01.contoso.com:3268` + readPassword, checks: checks(differs("D18", structure(), "exit 0\nCN=WebApp01,CN=Managed Service Accounts,DC=contoso,DC=com msDS-ManagedPassword", "exit 0"))},
	},
}

// blobGroup signs in with what it read: the keys of both servers must follow from their blobs.
var blobGroup = group{
	name: "blob", ordered: true, signIn: []string{"ContainerHost01$"},
	before: []operation{{as: "ContainerHost01$", run: `ldapsearch $S` + readPassword + ` >$SCRATCH/blob.ldif`}},
	ops: []operation{
		{name: "AES256 key from the blob", run: `krb as WebApp01$ --blob $SCRATCH/blob.ldif --etypes 18`, checks: checks(exact("cname", "enc-part-etype"), differs("D14", exact("etype-info2"), "krb 0\netype-info2: 18 salt=CONTOSO.COMhostwebapp01.contoso.com s2kparams=00001000", "krb 0\netype-info2: 18 salt=CONTOSO.COMhostwebapp01.contoso.com"))},
		{name: "AES128 key from the blob", run: `krb as WebApp01$ --blob $SCRATCH/blob.ldif --etypes 17`, checks: checks(exact("cname", "enc-part-etype"))},
		{name: "RC4 key from the blob", run: `krb as WebApp01$ --blob $SCRATCH/blob.ldif --etypes 23 --save gmsa`, checks: checks(exact("cname", "enc-part-etype"))},
		{name: "the name without its dollar", run: `krb as webapp01 --blob $SCRATCH/blob.ldif --etypes 18`, checks: checks(exact("cname"))},
		{name: "a ticket for the gMSA opens with the same key", run: `krb as alice --password Wonder!2026 --save alice`, checks: checks(code())},
		{name: "service ticket for the gMSA", run: `krb tgs alice http/webapp01.contoso.com --save svc`, checks: checks(exact("ticket-etype", "ticket-kvno", "ticket-sname"))},
		{name: "its PAC", run: `krb pac svc --account WebApp01$ --blob $SCRATCH/blob.ldif`, checks: checks(exact("account", "user", "primary-group", "group", "client-info"))},
		{name: "the gMSA asks for a service", run: `krb tgs gmsa host/containerhost01.contoso.com --save hostsvc`, checks: checks(exact("cname", "ticket-sname", "ticket-etype"))},
		{name: "PAC of a gMSA", run: `krb pac hostsvc --account ContainerHost01$ --password HostPass!01`, checks: checks(exact("account", "user", "primary-group", "group", "uac", "user-flags", "must-change", "upn-flags", "upn", "upn-sam", "client-info"))},
		{name: "MIT kinit with the password as text", run: `/usr/bin/python3 -c '
import base64, sys
blob = base64.b64decode([l for l in open(sys.argv[1]) if l.startswith("msDS-ManagedPassword:: ")][0].split(":: ")[1])
text = blob[16:272].decode("utf-16-le", "surrogatepass")
sys.stdout.buffer.write("".join("\ufffd" if 0xd800 <= ord(c) < 0xe000 else c for c in text).encode() + b"\n")
' $SCRATCH/blob.ldif | kinit -c $SCRATCH/cc_gmsa 'WebApp01$' >/dev/null && klist -c $SCRATCH/cc_gmsa | grep Default`, checks: checks(exact())},
	},
}
