// Package directory is the database of an Active Directory forest: domains,
// domain controllers as replicas, objects under schema and access rules,
// group-managed service accounts and the passwords made for them.
//
// It speaks no protocol. fakeads puts LDAP in front of it, a simulator puts
// fakekdc's principals on top of it:
//
//	f, err := directory.New(directory.Config{Domains: []directory.DomainConfig{{DNSName: "contoso.com"}}})
//	dc := f.DC("DC01")
//	err = dc.Add(ctx, directory.System(), "CN=alice,CN=Users,DC=contoso,DC=com", []directory.Attribute{
//		directory.Text("objectClass", "user"), directory.Text("sAMAccountName", "alice")})
//	_, err = dc.Search(ctx, caller, &directory.SearchRequest{Base: "DC=contoso,DC=com", Scope: directory.Subtree,
//		Filter: filter.MustParse("(sAMAccountName=alice)"), ExtendedDN: -1}, emit)
//
// Every domain controller answers from its own replica. A write is visible on
// the others once Config.ReplicationDelay of domain time has passed; nothing
// runs in the background, deliveries are settled when somebody looks.
//
// Not modelled: sites beyond one, read-only domain controllers, the partial
// replicas of a global catalog, fine-grained password policies, group policy,
// linked-value time to live, the recycle bin, the end of tombstones, changes of
// the schema.
package directory
