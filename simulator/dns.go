package simulator

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	mdns "github.com/miekg/dns"

	"github.com/gmsasim/gmsasim/fakeads/dns"
)

// zoneCache is the zone of the forest with the number of the change that it was made after.
type zoneCache struct {
	changes atomic.Uint64
	made    atomic.Pointer[madeZone]
}

type madeZone struct {
	change uint64
	zone   *dns.Zone
}

// zoneChanged lets DNS look at hosts and ports again.
func (d *Domain) zoneChanged() { d.zone.changes.Add(1) }

// newDNS makes the DNS server of the forest.
func (d *Domain) newDNS() *dns.Server {
	s := dns.NewServer(d.dnsZone)
	s.Trace = func(ctx context.Context, q dns.Query) {
		e := Event{Op: DNSLookup, From: fromOf(ctx), To: dnsService, Text: dnsText(&q), Result: "ok"}
		switch {
		case q.RCode == "":
			e.Result, e.Code = "no answer", 1
		case q.RCode != "NOERROR":
			e.Result, e.Code = q.RCode, mdns.StringToRcode[q.RCode]
		default:
			e.Detail = fmt.Sprintf("%d records", q.Answers)
		}
		d.event(e)
	}
	s.Intercept = func(ctx context.Context, q *dns.Query) dns.Outcome {
		o, hit := d.strike(DNSLookup, fromOf(ctx), "", dnsText(q))
		switch {
		case !hit:
			return dns.Outcome{}
		case o == NoDC:
			return dns.Outcome{RCode: dns.NXDomain}
		}
		return dns.Outcome{Drop: true}
	}
	return s
}

// dnsService is the name of the DNS server in events.
const dnsService = "DNS"

func dnsText(q *dns.Query) string { return q.Type + " " + strings.TrimSuffix(q.Name, ".") }

// dnsZone is the zone as it is now: DCs with the ports that outside clients find them on, once there are any, hosts and aliases.
func (d *Domain) dnsZone() *dns.Zone {
	change := d.zone.changes.Load()
	if m := d.zone.made.Load(); m != nil && m.change == change {
		return m.zone
	}
	z := &dns.Zone{}
	faces := d.faces.published.Load()
	for _, dom := range d.forest.Domains() {
		zd := dns.Domain{Name: dom.DNSName, GUID: dom.GUID.String(), Forest: d.DNSName()}
		for _, dc := range d.dcs {
			if dc.dom != dom {
				continue
			}
			c := dns.Controller{Name: dc.DNSName(), DSAGUID: dc.replica.DSAGUID().String(), LDAP: portLDAP, KDC: portKDC, Kpasswd: portKpasswd, GC: portGC,
				PDC: len(zd.DCs) == 0}
			c.Addr, _ = netip.ParseAddr(d.addressOf(dc)) // validated with the configuration
			if faces != nil {
				f := (*faces)[dc]
				c.LDAP, c.KDC, c.Kpasswd, c.GC = uint16(f.ldap), uint16(f.kdc), uint16(f.kpasswd), uint16(f.gc)
			}
			zd.DCs = append(zd.DCs, c)
		}
		z.Domains = append(z.Domains, zd)
	}
	// Hosts have no services of their own to reach; their names lead to where the domain is.
	here, _ := netip.ParseAddr(d.cfg.Listen.Address)
	for _, h := range d.Hosts() {
		if h.cfg.Workgroup {
			continue // nobody registers its name
		}
		z.Hosts = append(z.Hosts, dns.Host{Name: h.Name() + "." + h.dom.DNSName, Addr: here})
	}
	for _, a := range d.cfg.Aliases {
		z.Aliases = append(z.Aliases, dns.Alias{Name: a.Name, Target: a.Target})
	}
	d.zone.made.Store(&madeZone{change, z})
	return z
}

// lookupSRV asks the domain's DNS servers for the targets of SRV records, the ones with the lowest priority first (RFC 2782).
func (st *station) lookupSRV(ctx context.Context, name string) ([]string, error) {
	st.mu.Lock()
	closed := slices.Contains(st.closed, fmt.Sprint(portDNS))
	st.mu.Unlock()
	servers := st.dnsServers()
	if why := st.d.resolver(servers); why != "" {
		return nil, fmt.Errorf("look up %s: %s", name, why)
	}
	if closed {
		return nil, fmt.Errorf("no DNS server answers on port %d", portDNS)
	}
	var q mdns.Msg
	q.SetQuestion(mdns.Fqdn(name), mdns.TypeSRV)
	var id [2]byte
	if _, err := st.d.rand.Read(id[:]); err != nil {
		return nil, err
	}
	q.Id = binary.BigEndian.Uint16(id[:])
	req, err := q.Pack()
	if err != nil {
		return nil, fmt.Errorf("look up %s: %w", name, err)
	}
	// A resolver turns to TCP when the answer does not fit a datagram; here that costs nothing to do at once.
	rep := st.d.dns.Exchange(withDoor(ctx, &door{from: st.name}), req, false)
	if rep == nil {
		return nil, fmt.Errorf("look up %s: no DNS server answers", name)
	}
	var a mdns.Msg
	if err := a.Unpack(rep); err != nil {
		return nil, fmt.Errorf("look up %s: %w", name, err)
	}
	if a.Rcode != mdns.RcodeSuccess {
		return nil, fmt.Errorf("look up %s: %s", name, mdns.RcodeToString[a.Rcode])
	}
	var records []*mdns.SRV
	for _, rr := range a.Answer {
		if srv, ok := rr.(*mdns.SRV); ok {
			records = append(records, srv)
		}
	}
	slices.SortStableFunc(records, func(a, b *mdns.SRV) int { return int(a.Priority) - int(b.Priority) })
	targets := make([]string, len(records))
	for i, srv := range records {
		targets[i] = srv.Target
	}
	return targets, nil
}

// dnsServers are the DNS servers that a station asks: its own or, for a container that was told none, those of its host.
func (st *station) dnsServers() []string {
	st.mu.Lock()
	servers := st.dns
	st.mu.Unlock()
	if len(servers) == 0 && st.clock != nil {
		return st.clock.dnsServers()
	}
	return servers
}

// resolver tells why the first DNS server of a list that answers does not know the domain; "" when it does. Only a DC knows: Windows asks the
// next server when one does not answer, not when its answer is that there is no such name (DNS client of Windows, documentation).
func (d *Domain) resolver(servers []string) string {
	for _, s := range servers {
		dc, ok := d.FindDC(s)
		switch {
		case !ok:
			return s + " answers NXDOMAIN"
		case dc.Running():
			return ""
		}
	}
	if len(servers) > 0 {
		return "no DNS server answers"
	}
	return ""
}

func (st *station) firstDC() *DC { return st.d.firstDCOf(st.dom) }
