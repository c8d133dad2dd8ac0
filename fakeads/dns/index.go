package dns

import (
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// Times to live in seconds.
const (
	locatorTTL = 600  // what Netlogon registers: DnsTtl of its parameters
	hostTTL    = 1200 // what the DNS client of Windows registers: RegistrationTTL
	zoneTTL    = 3600 // SOA and NS of a zone made by the DNS server of Windows
)

// Values of the SOA record of an Active Directory-integrated zone. The serial number does not move: nobody transfers the zone.
const (
	soaSerial  = 1
	soaRefresh = 900
	soaRetry   = 600
	soaExpire  = 86400
	soaMinimum = 3600
)

// Priority and weight of every SRV record that Netlogon registers: LdapSrvPriority and LdapSrvWeight.
const (
	srvPriority = 0
	srvWeight   = 100
)

const defaultSite = "Default-First-Site-Name"

// index is a Zone made ready for look-ups. Names are fully qualified and in lower case.
type index struct {
	zone    *Zone
	origins map[string]*origin
	records map[string][]dns.RR // a name without records of its own has an entry when names below it have some (RFC 8020)
}

// origin is the apex of a zone.
type origin struct {
	soa *dns.SOA
	ns  []dns.RR
}

// key is the form of a name in an index; "" when it is no name of a DNS message.
func key(name string) string {
	if name == "" {
		return ""
	}
	if n, ok := dns.IsDomainName(name); !ok || n > 127 {
		return ""
	}
	return dns.CanonicalName(name)
}

func newIndex(z *Zone) *index {
	ix := &index{zone: z, origins: map[string]*origin{}, records: map[string][]dns.RR{}}
	for i := range z.Domains {
		ix.apex(&z.Domains[i])
	}
	for i := range z.Domains {
		d := &z.Domains[i]
		for j := range d.DCs {
			ix.controller(d, &d.DCs[j])
		}
	}
	for _, h := range z.Hosts {
		ix.address(h.Name, h.Addr, hostTTL)
		ix.reverse(h.Name, h.Addr)
	}
	for _, a := range z.Aliases {
		// RFC 1034 3.6.2: a name that is an alias has no other data. The other data stays.
		if len(ix.records[key(a.Name)]) == 0 {
			ix.alias(a.Name, a.Target, hostTTL)
		}
	}
	ix.fillGaps()
	return ix
}

func (d *Domain) forest() string {
	if d.Forest == "" {
		return d.Name
	}
	return d.Forest
}

// apex makes the zone of a domain, and for a forest root the zone _msdcs beside it, as the installation of a forest does.
func (ix *index) apex(d *Domain) {
	ix.origin(d.Name, d)
	if strings.EqualFold(d.forest(), d.Name) {
		ix.origin("_msdcs."+d.Name, d)
	}
}

func (ix *index) origin(name string, d *Domain) {
	k := key(name)
	if k == "" || ix.origins[k] != nil {
		return
	}
	primary := d.Name
	for i, dc := range d.DCs {
		if i == 0 || dc.PDC {
			primary = dc.Name
		}
	}
	o := &origin{soa: &dns.SOA{Hdr: header(name, dns.TypeSOA, zoneTTL), Ns: dns.Fqdn(primary), Mbox: dns.Fqdn("hostmaster." + d.Name),
		Serial: soaSerial, Refresh: soaRefresh, Retry: soaRetry, Expire: soaExpire, Minttl: soaMinimum}}
	for _, dc := range d.DCs {
		o.ns = append(o.ns, &dns.NS{Hdr: header(name, dns.TypeNS, zoneTTL), Ns: dns.Fqdn(dc.Name)})
	}
	if len(d.DCs) == 0 {
		o.ns = append(o.ns, &dns.NS{Hdr: header(name, dns.TypeNS, zoneTTL), Ns: dns.Fqdn(d.Name)})
	}
	ix.origins[k] = o
	for _, rr := range append([]dns.RR{o.soa}, o.ns...) {
		ix.add(rr)
	}
}

// controller registers what Netlogon registers for a domain controller ([MS-ADTS] 6.3.2.3).
func (ix *index) controller(d *Domain, dc *Controller) {
	site := dc.Site
	if site == "" {
		site = d.Site
	}
	if site == "" {
		site = defaultSite
	}
	forest := d.forest()
	services := []struct {
		name string
		port uint16
		in   string // domain or forest
		site bool   // the name exists for the site too
	}{
		{"_ldap._tcp", dc.LDAP, d.Name, true},
		{"_ldap._tcp", dc.LDAP, "dc._msdcs." + d.Name, true},
		{"_kerberos._tcp", dc.KDC, d.Name, true},
		{"_kerberos._tcp", dc.KDC, "dc._msdcs." + d.Name, true},
		{"_kerberos._udp", dc.KDC, d.Name, false},
		{"_kpasswd._tcp", dc.Kpasswd, d.Name, false},
		{"_kpasswd._udp", dc.Kpasswd, d.Name, false},
		{"_gc._tcp", dc.GC, forest, true},
		{"_ldap._tcp", dc.GC, "gc._msdcs." + forest, true},
	}
	for _, s := range services {
		ix.service(s.name+"."+s.in, dc.Name, s.port)
		if s.site {
			ix.service(s.name+"."+site+"._sites."+s.in, dc.Name, s.port)
		}
	}
	if d.GUID != "" {
		ix.service("_ldap._tcp."+d.GUID+".domains._msdcs."+forest, dc.Name, dc.LDAP)
	}
	if dc.PDC {
		ix.service("_ldap._tcp.pdc._msdcs."+d.Name, dc.Name, dc.LDAP)
	}
	if dc.DSAGUID != "" {
		ix.alias(dc.DSAGUID+"._msdcs."+forest, dc.Name, locatorTTL)
	}
	ix.address(dc.Name, dc.Addr, hostTTL)
	ix.address(d.Name, dc.Addr, locatorTTL)
	if dc.GC != 0 {
		ix.address("gc._msdcs."+forest, dc.Addr, locatorTTL)
	}
	ix.reverse(dc.Name, dc.Addr)
}

func header(name string, rrtype uint16, ttl uint32) dns.RR_Header {
	return dns.RR_Header{Name: dns.Fqdn(name), Rrtype: rrtype, Class: dns.ClassINET, Ttl: ttl}
}

// add keeps a record unless its name cannot be sent or the same record is there.
func (ix *index) add(rr dns.RR) {
	k := key(rr.Header().Name)
	if k == "" {
		return
	}
	for _, old := range ix.records[k] {
		if dns.IsDuplicate(old, rr) {
			return
		}
	}
	ix.records[k] = append(ix.records[k], rr)
}

func (ix *index) service(name, target string, port uint16) {
	if port == 0 || key(target) == "" {
		return
	}
	ix.add(&dns.SRV{Hdr: header(name, dns.TypeSRV, locatorTTL), Priority: srvPriority, Weight: srvWeight, Port: port, Target: dns.Fqdn(target)})
}

func (ix *index) address(name string, addr netip.Addr, ttl uint32) {
	switch addr = addr.Unmap(); {
	case addr.Is4():
		ix.add(&dns.A{Hdr: header(name, dns.TypeA, ttl), A: addr.AsSlice()})
	case addr.Is6():
		ix.add(&dns.AAAA{Hdr: header(name, dns.TypeAAAA, ttl), AAAA: addr.AsSlice()})
	}
}

func (ix *index) alias(name, target string, ttl uint32) {
	if key(target) != "" {
		ix.add(&dns.CNAME{Hdr: header(name, dns.TypeCNAME, ttl), Target: dns.Fqdn(target)})
	}
}

// reverse adds a PTR record, and its zone where there is none: the network of 24 or 64 bits that the address lies in.
func (ix *index) reverse(name string, addr netip.Addr) {
	if !addr.IsValid() || key(name) == "" || len(ix.zone.Domains) == 0 {
		return
	}
	addr = addr.Unmap().WithZone("")
	pointer, err := dns.ReverseAddr(addr.String())
	if err != nil {
		return
	}
	labels := dns.Split(pointer)
	network := 1 // labels of the host's part
	if addr.Is6() {
		network = 16
	}
	ix.origin(pointer[labels[network]:], &ix.zone.Domains[0])
	ix.add(&dns.PTR{Hdr: header(pointer, dns.TypePTR, hostTTL), Ptr: dns.Fqdn(name)})
}

// fillGaps makes the names exist that have no record and lie between a record and its zone (RFC 8020).
func (ix *index) fillGaps() {
	var gaps []string
	for name := range ix.records {
		for next := parent(name); next != "." && ix.originOf(next) != nil; next = parent(next) {
			if _, there := ix.records[next]; there {
				break
			}
			gaps = append(gaps, next)
		}
	}
	for _, name := range gaps {
		if _, there := ix.records[name]; !there {
			ix.records[name] = nil
		}
	}
}

// parent cuts the first label off a fully qualified name.
func parent(name string) string {
	at, end := dns.NextLabel(name, 0)
	if end {
		return "."
	}
	return name[at:]
}

// originOf finds the zone that a name is in; nil: none.
func (ix *index) originOf(name string) *origin {
	for ; name != "."; name = parent(name) {
		if o := ix.origins[name]; o != nil {
			return o
		}
	}
	return nil
}
