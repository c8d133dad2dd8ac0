package dns

import "net/netip"

// Zone is what a [Server] knows of a forest. It is not changed once it has been handed to a server: a new state is a new Zone.
type Zone struct {
	Domains []Domain
	Hosts   []Host
	Aliases []Alias
}

// Domain is one domain and its controllers.
type Domain struct {
	Name   string // contoso.com
	GUID   string // objectGUID of the domain naming context, 8-4-4-4-12 digits; empty: no record by GUID
	Forest string // name of the forest root domain; empty: Name
	Site   string // site of the controllers that name none; empty: Default-First-Site-Name
	DCs    []Controller
}

// Controller is a domain controller with the ports on which it serves. A port of 0 is a service that it does not have: the
// controller has no record for it.
type Controller struct {
	Name    string // fully qualified
	DSAGUID string // objectGUID of its NTDS Settings object; empty: no alias under _msdcs
	Site    string // empty: that of the domain
	Addr    netip.Addr
	LDAP    uint16 // 389
	KDC     uint16 // 88
	Kpasswd uint16 // 464
	GC      uint16 // 3268
	PDC     bool   // holds the role of the PDC emulator
}

// Host is a computer with an address.
type Host struct {
	Name string // fully qualified
	Addr netip.Addr
}

// Alias is a CNAME record. The target may be another alias and may lie in a zone that the server does not have.
type Alias struct {
	Name   string // fully qualified
	Target string // fully qualified
}
