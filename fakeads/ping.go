package fakeads

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/dn"
	"github.com/gmsasim/gmsasim/fakeads/filter"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// netlogonAttribute is the attribute of the root DSE that answers LDAP pings, as Active Directory spells it.
const netlogonAttribute = "netlogon"

const (
	maxPingTerms   = 32 // of the filter
	maxPingUser    = 253
	defaultSite    = "Default-First-Site-Name"
	uacDisabled    = 0x2
	uacTempDup     = 0x100
	uacNormal      = 0x200
	uacInterdomain = 0x800
	uacWorkstation = 0x1000
	uacServer      = 0x2000
)

// ping is what a client asks for by the filter of an LDAP ping, [MS-ADTS] 6.3.3.1.
type ping struct {
	domain     string // DnsDomain
	domainGUID []byte
	domainSID  []byte
	user       string
	userTypes  uint32 // userAccountControl bits of AAC; all when it is absent
	ntVer      uint32
}

// acbBits are the account types in AAC ([MS-SAMR] 2.2.1.12) and in userAccountControl.
var acbBits = [...]struct{ acb, uac uint32 }{{0x08, uacTempDup}, {0x10, uacNormal}, {0x40, uacInterdomain}, {0x80, uacWorkstation}, {0x100, uacServer}}

// parsePing reads the filter: an AND of equality terms. Terms that a ping does not have say nothing. ok is false when the filter is
// none of a ping.
func parsePing(f *filter.Filter) (p ping, ok bool) {
	p = ping{userTypes: ^uint32(0), ntVer: defaultNtVer}
	if f == nil || f.Op == filter.Present {
		return p, true
	}
	terms := []*filter.Filter{f}
	if f.Op == filter.And {
		terms = f.Children
	}
	if len(terms) > maxPingTerms {
		return p, false
	}
	for _, t := range terms {
		if t.Op == filter.Present {
			continue
		}
		if t.Op != filter.Equal {
			return p, false
		}
		switch strings.ToLower(t.Attr) {
		case "dnsdomain":
			p.domain = strings.TrimSuffix(string(t.Value), ".")
		case "domainguid":
			p.domainGUID = t.Value
		case "domainsid":
			p.domainSID = t.Value
		case "user":
			p.user = string(t.Value)
		case "aac":
			if len(t.Value) != 4 {
				return p, false
			}
			acb := binary.LittleEndian.Uint32(t.Value)
			p.userTypes = 0
			for _, bit := range acbBits {
				if acb&bit.acb != 0 {
					p.userTypes |= bit.uac
				}
			}
		case "ntver":
			if len(t.Value) != 4 {
				return p, false
			}
			p.ntVer = binary.LittleEndian.Uint32(t.Value)
		}
	}
	return p, len(p.user) <= maxPingUser
}

// asksFor tells whether a ping is for the domain. The name, the GUID and the SID are tried one after the other; a ping with none of
// them is for the domain controller's own.
func (p *ping) asksFor(d *directory.Domain) bool {
	if p.domain == "" && p.domainGUID == nil && p.domainSID == nil {
		return true
	}
	if strings.EqualFold(p.domain, d.DNSName) {
		return true
	}
	if g, err := security.GUIDFromBytes(p.domainGUID); err == nil && g == d.GUID {
		return true
	}
	sid, err := security.SIDFromBytes(p.domainSID)
	return err == nil && sid == d.SID
}

// netlogon answers an LDAP ping, [MS-ADTS] 6.3.3.2. server is the address at which the client has reached us. ok is false when there
// is no answer: the filter is none of a ping, or the domain is another.
func (s *Server) netlogon(f *filter.Filter, server netip.Addr) (value []byte, ok bool) {
	p, ok := parsePing(f)
	r := s.cfg.Replica
	d := r.Domain()
	if !ok || !p.asksFor(d) {
		return nil, false
	}
	n := &NetlogonResponse{Opcode: netlogonResponseEx, Flags: dsEvery, DomainGUID: d.GUID, Domain: d.DNSName, Host: r.DNSName(),
		NetBIOSDomain: d.NetBIOSName, NetBIOSComputer: strings.ToUpper(r.Name()), User: p.user, Addr: server}
	n.Forest, n.DCSite = placeOf(r)
	n.ClientSite = n.DCSite // no subnets: [MS-ADTS] 6.3.3.2 takes the client to be where the DC is
	if dcs := d.DCs(); len(dcs) > 0 && dcs[0] == r {
		n.Flags |= dsOnPDC
	}
	switch {
	case p.ntVer&(ntVersion5Ex|ntVersion5ExWithIP) != 0:
		// guess: a netlogon answer has an empty name for the next closest site where the forest has one site.
		n.NtVersion = ntVersion1 | ntVersion5Ex | p.ntVer&ntVersionClosestSite
		if p.ntVer&ntVersion5ExWithIP != 0 && server.Unmap().Is4() {
			n.NtVersion |= ntVersion5ExWithIP
		}
	case p.ntVer&ntVersion5 != 0:
		n.Opcode, n.NtVersion = netlogonResponse, ntVersion1|ntVersion5
	default:
		n.Opcode, n.NtVersion = netlogonResponse, ntVersion1
	}
	if p.user != "" && !knownUser(r, &p) {
		n.Opcode += netlogonUserUnknown - netlogonResponse
	}
	value, err := n.Marshal()
	return value, err == nil
}

// knownUser tells whether a ping's user has an account here that is of one of the types asked for and not disabled.
func knownUser(r *directory.Replica, p *ping) bool {
	a, err := r.AccountByName(directory.Principal, p.user)
	return err == nil && strings.EqualFold(a.SAMAccountName, p.user) && a.UserAccountControl&uacDisabled == 0 && a.UserAccountControl&p.userTypes != 0
}

// placeOf is the forest of a domain controller and its site, from the names of the forest root and of its server object
// (CN=DC01,CN=Servers,CN=site,CN=Sites,CN=Configuration,…; [MS-ADTS] 6.1.1.2.2.1.2.1).
func placeOf(r *directory.Replica) (forest, site string) {
	forest, site = r.Domain().DNSName, defaultSite
	e := r.RootDSE(directory.System(), []string{"rootDomainNamingContext", "serverName"}, time.Time{})
	if e == nil {
		return forest, site
	}
	if root, err := dn.Parse(e.Value("rootDomainNamingContext")); err == nil && !root.IsZero() {
		forest = root.DNSName()
	}
	if server, err := dn.Parse(e.Value("serverName")); err == nil && server.Depth() > 4 {
		if _, name := server.Parent().Parent().RDN(); name != "" {
			site = name
		}
	}
	return forest, site
}
