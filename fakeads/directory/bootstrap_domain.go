package directory

import (
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/dn"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// day is in the units of passwords' ages: negative 100 ns.
const day = -24 * 60 * 60 * 10_000_000

// domain plants the naming context of a domain.
func (p *planter) domain(d *Domain) {
	name := p.r.ncs[ncDomain].dn
	under := func(attr, value string) dn.DN { return name.Child(attr, value) }
	head := p.head(ncDomain, "domainDNS", p.domainSD(), d.GUID, func(x *draft) {
		x.e.sid = d.SID
		x.set(aObjectSid, d.SID.Bytes())
		critical(x)
		fixed(x)
		x.set(aCreationTime, fileTimeValue(p.now))
		x.setInt(aForceLogoff, -9223372036854775808)
		x.setInt(aLockoutDuration, day/48)
		x.setInt(aLockOutObservationWindow, day/48)
		x.setInt(aLockoutThreshold, 0)
		x.setInt(aMaxPwdAge, 42*day)
		x.setInt(aMinPwdAge, day)
		x.setInt(aMinPwdLength, 7)
		x.setInt(aPwdHistoryLength, 24)
		x.setInt(aPwdProperties, 1) // DOMAIN_PASSWORD_COMPLEX
		x.setInt(aModifiedCountAtLastProm, 0)
		x.setInt(aModifiedCount, 1)
		x.setInt(aUASCompat, 1)
		x.setInt(aNTMixedDomain, 0)
		x.setInt(aMsDSBehaviorVersion, int64(d.Level))
		x.setInt(aMsDSMachineAccountQuota, 10)
		x.setInt(aMsDSPerUserTrustQuota, 1)
		x.setInt(aMsDSAllUsersTrustQuota, 1000)
		x.setInt(aMsDSPerUserTrustTombstonesQuota, 10)
		x.set(aGPLink, []byte("[LDAP://CN={31B2F340-016D-11D2-945F-00C04FB984F9},CN=Policies,CN=System,"+d.DN+";0]"))
		x.set(aWellKnownObjects,
			wellKnownObject(wkQuotas, under("CN", "NTDS Quotas")),
			wellKnownObject(wkMicrosoftData, under("CN", "Program Data").Child("CN", "Microsoft")),
			wellKnownObject(wkProgramData, under("CN", "Program Data")),
			wellKnownObject(wkForeignPrincipals, under("CN", "ForeignSecurityPrincipals")),
			wellKnownObject(wkDeleted, under("CN", "Deleted Objects")),
			wellKnownObject(wkInfrastructure, under("CN", "Infrastructure")),
			wellKnownObject(wkLostAndFound, under("CN", "LostAndFound")),
			wellKnownObject(wkSystem, under("CN", "System")),
			wellKnownObject(wkControllers, under("OU", "Domain Controllers")),
			wellKnownObject(wkComputers, under("CN", "Computers")),
			wellKnownObject(wkUsers, under("CN", "Users")))
		x.set(aOtherWellKnownObjects,
			wellKnownObject(wkServiceAccounts, under("CN", "Managed Service Accounts")),
			wellKnownObject(wkKeys, under("CN", "Keys")))
	})
	users := p.child(head, "container", "CN", "Users", described("Default container for upgraded user accounts", critical, fixed))
	p.child(head, "container", "CN", "Computers", described("Default container for upgraded computer accounts", critical, fixed))
	controllers := p.child(head, "organizationalUnit", "OU", "Domain Controllers", described("Default container for domain controllers", critical, fixed, func(x *draft) {
		x.set(aGPLink, []byte("[LDAP://CN={6AC1786C-016F-11D2-945F-00C04fB984F9},CN=Policies,CN=System,"+d.DN+";0]"))
	}))
	system := p.child(head, "container", "CN", "System", described("Builtin system settings", advanced, critical, fixed))
	p.child(head, "lostAndFound", "CN", "LostAndFound", described("Default container for orphaned objects", advanced, critical, fixed))
	p.child(head, "infrastructureUpdate", "CN", "Infrastructure", func(x *draft) {
		advanced(x)
		critical(x)
		fixed(x)
		x.e.sd = p.sddl(head, "infrastructureUpdate", "D:(A;;GA;;;SY)(A;;RPLCLORC;;;AU)")
	})
	principals := p.child(head, "container", "CN", "ForeignSecurityPrincipals", described("Default container for security identifiers (SIDs) associated with objects from external, trusted domains", critical, fixed))
	p.child(head, "container", "CN", "Managed Service Accounts", described("Default container for managed service accounts"))
	p.child(head, "container", "CN", "Keys", described("Default container for key credential objects", advanced))
	data := p.child(head, "container", "CN", "Program Data", described("Default location for storage of application data.", advanced))
	p.child(data, "container", "CN", "Microsoft", described("Default location for storage of Microsoft application data.", advanced))
	p.child(head, "msDS-QuotaContainer", "CN", "NTDS Quotas", described("Quota specifications container", advanced, fixed))
	p.deletedObjects(head)
	builtin := p.child(head, "builtinDomain", "CN", "Builtin", func(x *draft) {
		x.e.sid = security.BuiltinDomain
		x.set(aObjectSid, security.BuiltinDomain.Bytes())
		critical(x)
		fixed(x)
	})

	p.child(system, "container", "CN", "AdminSDHolder", func(x *draft) {
		critical(x)
		fixed(x)
		x.e.sd = p.sddl(system, "container", adminSD)
	})
	p.child(system, "msDS-PasswordSettingsContainer", "CN", "Password Settings Container", advanced)
	policies := p.child(system, "container", "CN", "Policies", advanced)
	for _, g := range []struct{ id, name string }{
		{"{31B2F340-016D-11D2-945F-00C04FB984F9}", "Default Domain Policy"}, {"{6AC1786C-016F-11D2-945F-00C04fB984F9}", "Default Domain Controllers Policy"},
	} {
		p.child(policies, "groupPolicyContainer", "CN", g.id, func(x *draft) {
			advanced(x)
			critical(x)
			x.setText(aDisplayName, g.name)
			x.setInt(aFlags, 0)
			x.setInt(aVersionNumber, 1)
			x.setInt(aGPCFunctionalityVersion, 2)
			x.setText(aGPCFileSysPath, `\\`+d.DNSName+`\sysvol\`+d.DNSName+`\Policies\`+g.id)
		})
	}
	p.child(system, "rIDManager", "CN", "RID Manager$", func(x *draft) {
		advanced(x)
		critical(x)
		fixed(x)
		x.setInt(aRIDAvailablePool, int64(1<<30-1)<<32|int64(1100+ridPoolSize*len(d.replicas)))
	})

	p.groups(builtin, users, d)
	p.accounts(users, d)
	for i, r := range d.replicas {
		p.controller(controllers, r, i)
	}
	p.memberships(builtin, users, principals, d)
}

// adminSD is the descriptor of AdminSDHolder, which protected accounts get ([MS-ADTS] 3.1.1.6.1).
const adminSD = "D:PAI(OA;;RP;4c164200-20c0-11d0-a768-00aa006e0529;4828cc14-1437-45bc-9b07-ad6f015e5f28;RU)(OA;;RP;4c164200-20c0-11d0-a768-00aa006e0529;bf967aba-0de6-11d0-a285-00aa003049e2;RU)" +
	"(OA;;RP;59ba2f42-79a2-11d0-9020-00c04fc2d3cf;bf967aba-0de6-11d0-a285-00aa003049e2;RU)(OA;;RP;bc0ac240-79a9-11d0-9020-00c04fc2d4cf;bf967aba-0de6-11d0-a285-00aa003049e2;RU)" +
	"(OA;;RP;5f202010-79a5-11d0-9020-00c04fc2d4cf;bf967aba-0de6-11d0-a285-00aa003049e2;RU)(OA;;RP;037088f8-0ae1-11d2-b422-00a0c968f939;bf967aba-0de6-11d0-a285-00aa003049e2;RU)" +
	"(OA;;CR;ab721a53-1e2f-11d0-9819-00aa0040529b;;WD)(OA;;CR;ab721a53-1e2f-11d0-9819-00aa0040529b;;PS)(OA;;RP;46a9b11d-60ae-405a-b7e8-ff8a58d456d2;;S-1-5-32-560)" +
	"(OA;;RPWP;bf967a7f-0de6-11d0-a285-00aa003049e2;;CA)(OA;;RPWP;6db69a1c-9422-11d1-aebd-0000f80367c1;;S-1-5-32-561)(A;;RPWPCRLCLOCCDCRCWDWOSW;;;DA)(A;;RPWPCRLCLOCCDCRCWDWOSW;;;EA)" +
	"(A;;RPWPCRLCLOCCDCRCWDWOSDDTSW;;;BA)(A;;RPLCLORC;;;RU)(A;;RPLCLORC;;;AU)(A;;RPWPCRLCLOCCDCRCWDWOSDDTSW;;;SY)"

// Group types, stored as signed numbers.
const (
	typeGlobal      = -2147483646
	typeUniversal   = -2147483640
	typeDomainLocal = -2147483644
	typeBuiltin     = -2147483643
)

// builtinGroups are those below CN=Builtin, [MS-ADTS] 6.1.1.4.12 and [MS-DTYP] 2.4.2.4.
var builtinGroups = []struct {
	rid  uint32
	name string
}{
	{544, "Administrators"}, {545, "Users"}, {546, "Guests"}, {548, "Account Operators"}, {549, "Server Operators"}, {550, "Print Operators"}, {551, "Backup Operators"},
	{552, "Replicator"}, {554, "Pre-Windows 2000 Compatible Access"}, {555, "Remote Desktop Users"}, {556, "Network Configuration Operators"},
	{557, "Incoming Forest Trust Builders"}, {558, "Performance Monitor Users"}, {559, "Performance Log Users"}, {560, "Windows Authorization Access Group"},
	{561, "Terminal Server License Servers"}, {562, "Distributed COM Users"}, {568, "IIS_IUSRS"}, {569, "Cryptographic Operators"}, {573, "Event Log Readers"},
	{574, "Certificate Service DCOM Access"}, {575, "RDS Remote Access Servers"}, {576, "RDS Endpoint Servers"}, {577, "RDS Management Servers"},
	{578, "Hyper-V Administrators"}, {579, "Access Control Assistance Operators"}, {580, "Remote Management Users"}, {582, "Storage Replica Administrators"},
}

// domainGroups are those below CN=Users, [MS-ADTS] 6.1.1.6.
var domainGroups = []struct {
	rid      uint32
	name     string
	kind     int64
	rootOnly bool
}{
	{512, "Domain Admins", typeGlobal, false}, {513, "Domain Users", typeGlobal, false}, {514, "Domain Guests", typeGlobal, false},
	{515, "Domain Computers", typeGlobal, false}, {516, "Domain Controllers", typeGlobal, false}, {517, "Cert Publishers", typeDomainLocal, false},
	{518, "Schema Admins", typeUniversal, true}, {519, "Enterprise Admins", typeUniversal, true}, {520, "Group Policy Creator Owners", typeGlobal, false},
	{521, "Read-only Domain Controllers", typeGlobal, false}, {522, "Cloneable Domain Controllers", typeGlobal, false}, {525, "Protected Users", typeGlobal, false},
	{526, "Key Admins", typeGlobal, false}, {527, "Enterprise Key Admins", typeUniversal, true}, {553, "RAS and IAS Servers", typeDomainLocal, false},
	{571, "Allowed RODC Password Replication Group", typeDomainLocal, false}, {572, "Denied RODC Password Replication Group", typeDomainLocal, false},
	{498, "Enterprise Read-only Domain Controllers", typeUniversal, true}, {1101, "DnsAdmins", typeDomainLocal, false}, {1102, "DnsUpdateProxy", typeGlobal, false},
}

func (p *planter) group(parent *entry, sid security.SID, name string, kind int64) {
	p.child(parent, "group", "CN", name, func(x *draft) {
		x.e.sid = sid
		x.set(aObjectSid, sid.Bytes())
		x.set(aSAMAccountName, x.e.rdn[0])
		x.setInt(aGroupType, kind)
		x.setInt(aSAMAccountType, int64(groupAccountType(uint32(int32(kind)))))
		if sid.RID() < 1000 {
			critical(x)
		}
		if kind == typeBuiltin {
			fixed(x)
		}
	})
}

func (p *planter) groups(builtin, users *entry, d *Domain) {
	for _, g := range builtinGroups {
		p.group(builtin, security.BuiltinDomain.Append(g.rid), g.name, typeBuiltin)
	}
	for _, g := range domainGroups {
		if !g.rootOnly || d.index == 0 {
			p.group(users, d.SID.Append(g.rid), g.name, g.kind)
		}
	}
}

// account plants a user, computer or trust account with the attributes that all accounts have.
func (p *planter) account(parent *entry, class, name, sam string, rid uint32, uac, primaryGroup int64, fill func(*draft)) *entry {
	return p.child(parent, class, "CN", name, func(x *draft) {
		x.setSID(rid)
		x.setText(aSAMAccountName, sam)
		x.setInt(aUserAccountControl, uac)
		x.setInt(aSAMAccountType, int64(accountTypeOf(uint32(uac))))
		x.setInt(aPrimaryGroupID, primaryGroup)
		x.setInt(aAccountExpires, 9223372036854775807)
		x.setInt(aCodePage, 0)
		x.setInt(aCountryCode, 0)
		x.set(aPwdLastSet, fileTimeValue(p.now))
		if rid < 1000 || class == "computer" {
			critical(x)
		}
		fill(x)
	})
}

func (p *planter) accounts(users *entry, d *Domain) {
	password := p.f.cfg.Domains[d.index].AdministratorPassword
	if password == "" {
		password = "Passw0rd!"
	}
	p.account(users, "user", "Administrator", "Administrator", security.RIDAdministrator, 66048, 513, func(x *draft) {
		x.setText(aDescription, "Built-in account for administering the computer/domain")
		x.setInt(aAdminCount, 1)
		p.bootPassword(x, password)
	})
	p.account(users, "user", "Guest", "Guest", security.RIDGuest, 66082, 514, func(x *draft) {
		x.setText(aDescription, "Built-in account for guest access to the computer/domain")
		x.setInt(aPwdLastSet, 0)
	})
	p.account(users, "user", "krbtgt", "krbtgt", security.RIDKrbtgt, 514, 513, func(x *draft) {
		x.setText(aDescription, "Key Distribution Center Service Account")
		x.setText(aServicePrincipalName, "kadmin/changepw")
		x.set(aShowInAdvancedViewOnly, valueTrue)
		x.setInt(aAdminCount, 1)
		p.bootKeys(x)
	})
}

// systemName is what operatingSystem and its version say for a build.
func (f *Forest) systemName() (name, version string) {
	switch f.build() {
	case 0x1db1:
		return "Windows Server 2008 R2 Standard", "6.1 (7601)"
	case 0x23f0:
		return "Windows Server 2012 Standard", "6.2 (9200)"
	case 0x2580:
		return "Windows Server 2012 R2 Standard", "6.3 (9600)"
	case 0x3839:
		return "Windows Server 2016 Standard", "10.0 (14393)"
	case 0x4563:
		return "Windows Server 2019 Standard", "10.0 (17763)"
	case 0x65f4:
		return "Windows Server 2025 Standard", "10.0 (26100)"
	}
	return "Windows Server 2022 Standard", "10.0 (20348)"
}

// controller plants a domain controller's computer object.
func (p *planter) controller(parent *entry, r *Replica, i int) {
	d := r.domain
	rs := p.st.replicas[r.index]
	rid := uint32(firstRID)
	if i > 0 {
		rid = 1103 + uint32(i) - 1 // the first one's pool gave them
		if next := p.f.cfg.Domains[d.index].NextRID; next != 0 {
			rid = next + uint32(i) - 1
		}
	} else {
		rs.rid, rs.ridsLeft = 1103+uint32(len(d.replicas))-1, ridPoolSize-3-uint32(len(d.replicas))+1
		p.st.ridPools[d.index] = 1100 + ridPoolSize
		if next := p.f.cfg.Domains[d.index].NextRID; next != 0 {
			rs.rid, rs.ridsLeft = next+uint32(len(d.replicas))-1, ridPoolSize
			p.st.ridPools[d.index] = rs.rid + ridPoolSize
		}
	}
	fqdn := r.name + "." + d.DNSName
	forest := p.f.domains[0].DNSName
	guid := r.dsaGUID.String()
	os, version := p.f.systemName()
	e := p.account(parent, "computer", r.name, strings.ToUpper(r.name)+"$", rid, 532480, 516, func(x *draft) {
		x.setText(aDNSHostName, fqdn)
		x.setText(aOperatingSystem, os)
		x.setText(aOperatingSystemVersion, version)
		x.setInt(aMsDSSupportedEncryptionTypes, 28)
		x.setInt(aLocalPolicyFlags, 0)
		x.setText(aServicePrincipalName,
			"ldap/"+fqdn+"/ForestDnsZones."+forest, "ldap/"+fqdn+"/DomainDnsZones."+d.DNSName, "DNS/"+fqdn, "GC/"+fqdn+"/"+forest,
			"RestrictedKrbHost/"+fqdn, "RestrictedKrbHost/"+r.name, "RPC/"+guid+"._msdcs."+forest,
			"HOST/"+r.name+"/"+d.NetBIOSName, "HOST/"+fqdn+"/"+d.NetBIOSName, "HOST/"+r.name, "HOST/"+fqdn, "HOST/"+fqdn+"/"+d.DNSName,
			"E3514235-4B06-11D1-AB04-00C04FC2DCD2/"+guid+"/"+d.DNSName,
			"ldap/"+r.name+"/"+d.NetBIOSName, "ldap/"+guid+"._msdcs."+forest, "ldap/"+fqdn+"/"+d.NetBIOSName, "ldap/"+r.name, "ldap/"+fqdn, "ldap/"+fqdn+"/"+d.DNSName)
		p.bootKeys(x)
	})
	r.account = e.id
	p.child(e, "rIDSet", "CN", "RID Set", func(x *draft) {
		advanced(x)
		x.setInt(aRIDAllocationPool, int64(1100+ridPoolSize*(i+1)-1)<<32|int64(1100+ridPoolSize*i))
		x.setInt(aRIDPreviousAllocationPool, int64(1100+ridPoolSize*(i+1)-1)<<32|int64(1100+ridPoolSize*i))
		x.setInt(aRIDUsedPool, 0)
		x.setInt(aRIDNextRID, int64(1100+ridPoolSize*i))
	})
}

// servers plants what the configuration knows of a domain and its domain controllers.
func (p *planter) servers(d *Domain) {
	p.crossRef(p.below(ncConfiguration, "Partitions"), d.NetBIOSName, p.r.ncs[ncDomain], d, 3)
	servers := p.below(ncConfiguration, "Sites", defaultSite, "Servers")
	for _, r := range d.replicas {
		account := p.byID(r.account)
		server := p.child(servers, "server", "CN", r.name, func(x *draft) {
			x.setInt(aSystemFlags, 1375731712) // may be renamed and moved within the container, kept on deletion
			x.setText(aDNSHostName, r.name+"."+d.DNSName)
			x.addLink(aServerReference, account)
		})
		ntds := p.child(server, "nTDSDSA", "CN", "NTDS Settings", func(x *draft) {
			x.e.guid = r.dsaGUID
			advanced(x)
			x.setInt(aSystemFlags, 33554432)
			x.setInt(aOptions, 1) // a global catalog
			x.setInt(aMsDSBehaviorVersion, int64(d.Level))
			x.set(aInvocationId, slices.Clone(r.invocationID[:]))
			for k := range ncStored {
				if h := p.view.head(k); h != nil && k != ncDomainDNS && k != ncForestDNS {
					x.addLink(aHasMasterNCs, h)
					if k == ncDomain {
						x.addLink(aMsDSHasDomainNCs, h)
					}
				}
			}
		})
		r.dsaID = ntds.id
	}
	// The five roles belong to the first domain controller.
	ntds := []byte(p.byID(p.r.dsaID).name.String())
	holders := []*entry{p.view.head(ncDomain), p.below(ncDomain, "Infrastructure"), p.below(ncDomain, "System", "RID Manager$")}
	if d.index == 0 {
		holders = append(holders, p.below(ncConfiguration, "Partitions"), p.below(ncConfiguration, "Sites", defaultSite, "NTDS Site Settings"))
	}
	for _, e := range holders {
		x := p.edit(e)
		switch {
		case e.class.folded == "ntdssitesettings":
			x.set(aInterSiteTopologyGenerator, ntds)
		default:
			x.set(aFSMORoleOwner, ntds)
		}
		if e.parent == 0 {
			x.addLink(aRIDManagerReference, holders[2])
		}
		x.changed = nil // part of the creation
		p.keepEdit(x)
	}
}

// keepEdit stores a draft as if the object had been made so.
func (p *planter) keepEdit(x *draft) {
	e := x.e
	p.put(&operation{old: x.old, new: &e})
	p.ops = p.ops[:0]
}

// memberships fills the groups of a fresh domain, [MS-ADTS] 6.1.1.4.12 and 6.1.1.6.
func (p *planter) memberships(builtin, users, principals *entry, d *Domain) {
	foreign := map[string]*entry{}
	for _, sid := range []string{"S-1-5-4", "S-1-5-9", "S-1-5-11", "S-1-5-17"} {
		foreign[sid] = p.child(principals, "foreignSecurityPrincipal", "CN", sid, func(x *draft) {
			x.e.sid = security.MustSID(sid)
			x.set(aObjectSid, x.e.sid.Bytes())
			advanced(x)
		})
	}
	find := func(parent *entry, name string) *entry { return p.byDN(parent.name.Child("CN", name)) }
	user := func(name string) *entry { return find(users, name) }
	join := func(group *entry, members ...*entry) {
		x := p.edit(group)
		for _, m := range members {
			x.addLink(aMember, m)
		}
		p.keepEdit(x)
	}
	admin := user("Administrator")
	administrators := []*entry{admin, user("Domain Admins")}
	if d.index == 0 {
		administrators = append(administrators, user("Enterprise Admins"))
		join(user("Enterprise Admins"), admin)
		join(user("Schema Admins"), admin)
	} else {
		root := p.inDomain(p.f.domains[0])
		administrators = append(administrators, root.byDN(p.f.domains[0].ncs[ncDomain].dn.Child("CN", "Users").Child("CN", "Enterprise Admins")))
	}
	join(find(builtin, "Administrators"), administrators...)
	join(find(builtin, "Users"), user("Domain Users"), foreign["S-1-5-11"], foreign["S-1-5-4"])
	join(find(builtin, "Guests"), user("Guest"), user("Domain Guests"))
	join(find(builtin, "Pre-Windows 2000 Compatible Access"), foreign["S-1-5-11"])
	join(find(builtin, "Windows Authorization Access Group"), foreign["S-1-5-9"])
	join(find(builtin, "IIS_IUSRS"), foreign["S-1-5-17"])
	join(user("Domain Admins"), admin)
	join(user("Group Policy Creator Owners"), admin)
	denied := []*entry{user("krbtgt"), user("Domain Controllers"), user("Cert Publishers"), user("Domain Admins"), user("Group Policy Creator Owners"), user("Read-only Domain Controllers")}
	if d.index == 0 {
		denied = append(denied, user("Schema Admins"), user("Enterprise Admins"))
	}
	join(user("Denied RODC Password Replication Group"), denied...)
}

// trusts plants the trusted domain objects between parent and child domains and between the roots of trees, with an
// interdomain trust account for each ([MS-ADTS] 6.1.6).
func (f *Forest) trusts(st *forestState) {
	for i, d := range f.domains {
		if i == 0 {
			continue
		}
		other := d.parent()
		if other == nil {
			other = f.domains[0]
		}
		f.trust(st, d, other)
		f.trust(st, other, d)
	}
}

// Attributes of trusts, [MS-ADTS] 6.1.6.7.
const (
	trustBidirectional = 3
	trustUplevel       = 2
	trustWithinForest  = 0x20
)

func (f *Forest) trust(st *forestState, d, other *Domain) {
	p := f.planterAt(st, d)
	p.child(p.below(ncDomain, "System"), "trustedDomain", "CN", other.DNSName, func(x *draft) {
		advanced(x)
		critical(x)
		x.setText(aTrustPartner, other.DNSName)
		x.setText(aFlatName, other.NetBIOSName)
		x.setInt(aTrustDirection, trustBidirectional)
		x.setInt(aTrustType, trustUplevel)
		x.setInt(aTrustAttributes, trustWithinForest)
		x.setInt(aMsDSSupportedEncryptionTypes, 28)
		x.set(aSecurityIdentifier, other.SID.Bytes())
	})
	p.account(p.below(ncDomain, "Users"), "user", other.NetBIOSName+"$", other.NetBIOSName+"$", p.newRID(), 2080, 513, func(x *draft) {
		x.set(aShowInAdvancedViewOnly, valueTrue)
	})
	for _, r := range d.replicas[1:] {
		st.replicas[r.index].stores[ncDomain] = p.rs.stores[ncDomain]
	}
}

// hostAliases are the services that host/ stands for, the default of sPNMappings ([MS-ADTS] 6.1.1.2.4.1.2).
var hostAliases = [...]string{
	"alerter", "appmgmt", "cisvc", "clipsrv", "browser", "dhcp", "dnscache", "replicator", "eventlog", "eventsystem", "policyagent", "oakley", "dmserver", "dns",
	"mcsvc", "fax", "msiserver", "ias", "messenger", "netlogon", "netman", "netdde", "netddedsm", "nmagent", "plugplay", "protectedstorage", "rasman",
	"rpclocator", "rpc", "rpcss", "remoteaccess", "rsvp", "samss", "scardsvr", "scesrv", "seclogon", "scm", "dcom", "cifs", "spooler", "snmp", "schedule",
	"tapisrv", "trksvr", "trkwks", "ups", "time", "wins", "www", "http", "w3svc", "iisadmin", "msdtc",
}
