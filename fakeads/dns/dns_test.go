package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

const (
	guid  = "c8f3a1b2-0001-4000-8000-00000000c0de"
	dsa1  = "d5a00001-0001-4000-8000-00000000c0de"
	dsa2  = "d5a00002-0001-4000-8000-00000000c0de"
	guid2 = "c8f3a1b2-0002-4000-8000-00000000c0de"
)

// forest has two domains and two sites.
func forest() *Zone {
	return &Zone{
		Domains: []Domain{
			{Name: "contoso.com", GUID: guid, DCs: []Controller{
				{Name: "dc01.contoso.com", DSAGUID: dsa1, Addr: netip.MustParseAddr("192.0.2.10"), LDAP: 389, KDC: 88, Kpasswd: 464, GC: 3268, PDC: true},
				{Name: "dc02.contoso.com", DSAGUID: dsa2, Site: "Branch", Addr: netip.MustParseAddr("192.0.2.11"), LDAP: 10389, KDC: 10088, Kpasswd: 10464},
			}},
			{Name: "emea.contoso.com", GUID: guid2, Forest: "contoso.com", DCs: []Controller{
				{Name: "dc03.emea.contoso.com", Addr: netip.MustParseAddr("2001:db8::3"), LDAP: 389, KDC: 88, Kpasswd: 464, GC: 3268, PDC: true},
			}},
		},
		Hosts:   []Host{{"ContainerHost01.contoso.com", netip.MustParseAddr("192.0.2.20")}, {"elsewhere.example.org", netip.MustParseAddr("198.51.100.1")}},
		Aliases: []Alias{{"web.contoso.com", "www.contoso.com"}, {"www.contoso.com", "containerhost01.contoso.com"}, {"gone.contoso.com", "nobody.contoso.com"}, {"away.contoso.com", "www.example.net"}, {"ring1.contoso.com", "ring2.contoso.com"}, {"ring2.contoso.com", "ring1.contoso.com"}, {"dc01.contoso.com", "nobody.contoso.com"}},
	}
}

func newTestServer() *Server {
	z := forest()
	return NewServer(func() *Zone { return z })
}

func question(name string, rrtype uint16) *dns.Msg {
	m := new(dns.Msg).SetQuestion(name, rrtype)
	m.Id = 0x1234
	return m
}

// ask sends a message through Exchange.
func ask(t testing.TB, s *Server, m *dns.Msg, udp bool) *dns.Msg {
	t.Helper()
	req, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	rep := s.Exchange(t.Context(), req, udp)
	if rep == nil {
		t.Fatalf("%v: got no answer", m.Question)
	}
	a := new(dns.Msg)
	if err := a.Unpack(rep); err != nil {
		t.Fatalf("%v: got an answer that does not decode: %v", m.Question, err)
	}
	return a
}

// brief is the data of records without what is the same in all of a kind.
func brief(rrs []dns.RR) string {
	var list []string
	for _, rr := range rrs {
		if rr.Header().Rrtype != dns.TypeOPT {
			data := strings.TrimPrefix(rr.String(), rr.Header().String())
			list = append(list, dns.Type(rr.Header().Rrtype).String()+" "+strings.TrimSuffix(data, "."))
		}
	}
	return strings.Join(list, ", ")
}

func TestAnswers(t *testing.T) {
	const (
		both = "SRV 0 100 389 dc01.contoso.com, SRV 0 100 10389 dc02.contoso.com"
		kdcs = "SRV 0 100 88 dc01.contoso.com, SRV 0 100 10088 dc02.contoso.com"
		pws  = "SRV 0 100 464 dc01.contoso.com, SRV 0 100 10464 dc02.contoso.com"
		gcs  = "SRV 0 100 3268 dc01.contoso.com, SRV 0 100 3268 dc03.emea.contoso.com"
		soa  = "SOA dc01.contoso.com. hostmaster.contoso.com. 1 900 600 86400 3600"
		dead = "NXDOMAIN"
	)
	for _, tt := range []struct {
		name, rrtype string
		rcode        string // empty: NOERROR
		answer       string // empty: SOA of the zone in the authority section
		extra        string
	}{
		{name: "_ldap._tcp.dc._msdcs.contoso.com", rrtype: "SRV", answer: both, extra: "A 192.0.2.10, A 192.0.2.11"},
		{name: "_LDAP._tcp.DC._msdcs.Contoso.COM", rrtype: "SRV", answer: both, extra: "A 192.0.2.10, A 192.0.2.11"},
		{name: "_ldap._tcp.contoso.com", rrtype: "SRV", answer: both, extra: "A 192.0.2.10, A 192.0.2.11"},
		{name: "_ldap._tcp.Default-First-Site-Name._sites.dc._msdcs.contoso.com", rrtype: "SRV", answer: "SRV 0 100 389 dc01.contoso.com", extra: "A 192.0.2.10"},
		{name: "_ldap._tcp.Branch._sites.dc._msdcs.contoso.com", rrtype: "SRV", answer: "SRV 0 100 10389 dc02.contoso.com", extra: "A 192.0.2.11"},
		{name: "_ldap._tcp.branch._sites.contoso.com", rrtype: "SRV", answer: "SRV 0 100 10389 dc02.contoso.com", extra: "A 192.0.2.11"},
		{name: "_ldap._tcp.pdc._msdcs.contoso.com", rrtype: "SRV", answer: "SRV 0 100 389 dc01.contoso.com", extra: "A 192.0.2.10"},
		{name: "_ldap._tcp." + guid + ".domains._msdcs.contoso.com", rrtype: "SRV", answer: both, extra: "A 192.0.2.10, A 192.0.2.11"},
		{name: "_ldap._tcp." + guid2 + ".domains._msdcs.contoso.com", rrtype: "SRV", answer: "SRV 0 100 389 dc03.emea.contoso.com", extra: "AAAA 2001:db8::3"},
		{name: "_ldap._tcp.gc._msdcs.contoso.com", rrtype: "SRV", answer: gcs, extra: "A 192.0.2.10, AAAA 2001:db8::3"},
		{name: "_gc._tcp.contoso.com", rrtype: "SRV", answer: gcs, extra: "A 192.0.2.10, AAAA 2001:db8::3"},
		{name: "_gc._tcp.Default-First-Site-Name._sites.contoso.com", rrtype: "SRV", answer: gcs, extra: "A 192.0.2.10, AAAA 2001:db8::3"},
		{name: "_kerberos._tcp.contoso.com", rrtype: "SRV", answer: kdcs, extra: "A 192.0.2.10, A 192.0.2.11"},
		{name: "_kerberos._udp.contoso.com", rrtype: "SRV", answer: kdcs, extra: "A 192.0.2.10, A 192.0.2.11"},
		{name: "_kerberos._tcp.dc._msdcs.contoso.com", rrtype: "SRV", answer: kdcs, extra: "A 192.0.2.10, A 192.0.2.11"},
		{name: "_kerberos._tcp.Branch._sites.contoso.com", rrtype: "SRV", answer: "SRV 0 100 10088 dc02.contoso.com", extra: "A 192.0.2.11"},
		{name: "_kerberos._tcp.Branch._sites.dc._msdcs.contoso.com", rrtype: "SRV", answer: "SRV 0 100 10088 dc02.contoso.com", extra: "A 192.0.2.11"},
		{name: "_kpasswd._tcp.contoso.com", rrtype: "SRV", answer: pws, extra: "A 192.0.2.10, A 192.0.2.11"},
		{name: "_kpasswd._udp.contoso.com", rrtype: "SRV", answer: pws, extra: "A 192.0.2.10, A 192.0.2.11"},
		{name: "_ldap._tcp.dc._msdcs.emea.contoso.com", rrtype: "SRV", answer: "SRV 0 100 389 dc03.emea.contoso.com", extra: "AAAA 2001:db8::3"},
		{name: dsa1 + "._msdcs.contoso.com", rrtype: "CNAME", answer: "CNAME dc01.contoso.com"},
		{name: dsa2 + "._msdcs.contoso.com", rrtype: "A", answer: "CNAME dc02.contoso.com, A 192.0.2.11"},
		{name: "gc._msdcs.contoso.com", rrtype: "A", answer: "A 192.0.2.10"},
		{name: "contoso.com", rrtype: "A", answer: "A 192.0.2.10, A 192.0.2.11"},
		{name: "contoso.com", rrtype: "AAAA"},
		{name: "contoso.com", rrtype: "SOA", answer: soa},
		{name: "_msdcs.contoso.com", rrtype: "SOA", answer: soa},
		{name: "contoso.com", rrtype: "NS", answer: "NS dc01.contoso.com, NS dc02.contoso.com", extra: "A 192.0.2.10, A 192.0.2.11"},
		{name: "dc01.contoso.com", rrtype: "A", answer: "A 192.0.2.10"},
		{name: "dc01.contoso.com", rrtype: "AAAA"},
		{name: "dc03.emea.contoso.com", rrtype: "AAAA", answer: "AAAA 2001:db8::3"},
		{name: "containerhost01.contoso.com", rrtype: "A", answer: "A 192.0.2.20"},
		{name: "containerhost01.contoso.com", rrtype: "ANY", answer: "A 192.0.2.20"},
		{name: "elsewhere.example.org", rrtype: "A", answer: "A 198.51.100.1"},
		{name: "web.contoso.com", rrtype: "A", answer: "CNAME www.contoso.com, CNAME containerhost01.contoso.com, A 192.0.2.20"},
		{name: "web.contoso.com", rrtype: "CNAME", answer: "CNAME www.contoso.com"},
		{name: "away.contoso.com", rrtype: "A", answer: "CNAME www.example.net"},
		{name: "gone.contoso.com", rrtype: "A", rcode: dead, answer: "CNAME nobody.contoso.com"},
		{name: "ring1.contoso.com", rrtype: "A", rcode: "SERVFAIL", answer: "CNAME ring2.contoso.com, CNAME ring1.contoso.com"},
		{name: "10.2.0.192.in-addr.arpa", rrtype: "PTR", answer: "PTR dc01.contoso.com"},
		{name: "20.2.0.192.in-addr.arpa", rrtype: "PTR", answer: "PTR ContainerHost01.contoso.com"},
		{name: "99.2.0.192.in-addr.arpa", rrtype: "PTR", rcode: dead},
		{name: "_tcp.contoso.com", rrtype: "SRV"}, // exists because of the names below it
		{name: "_sites.dc._msdcs.contoso.com", rrtype: "TXT"},
		{name: "nobody.contoso.com", rrtype: "A", rcode: dead},
		{name: "_kerberos.contoso.com", rrtype: "TXT", rcode: dead},
		{name: "_kerberos.contoso.com", rrtype: "URI", rcode: dead},
		{name: "_kerberos-master._udp.contoso.com", rrtype: "SRV", rcode: dead},
		{name: "www.example.net", rrtype: "A", rcode: "REFUSED"},
		{name: "contoso.com", rrtype: "AXFR", rcode: "REFUSED"},
	} {
		t.Run(tt.name+" "+tt.rrtype, func(t *testing.T) {
			s := newTestServer()
			a := ask(t, s, question(dns.Fqdn(tt.name), dns.StringToType[tt.rrtype]), false)
			if got, want := dns.RcodeToString[a.Rcode], cmpOr(tt.rcode, "NOERROR"); got != want {
				t.Errorf("rcode: got %s, want %s", got, want)
			}
			if got := brief(a.Answer); got != tt.answer {
				t.Errorf("answer: got %q, want %q", got, tt.answer)
			}
			if got := brief(a.Extra); got != tt.extra {
				t.Errorf("additional: got %q, want %q", got, tt.extra)
			}
			negative := tt.rcode == dead || tt.rcode == "" && tt.answer == ""
			if negative != (len(a.Ns) == 1 && a.Ns[0].Header().Rrtype == dns.TypeSOA) {
				t.Errorf("authority: got %q, want a SOA record: %t", brief(a.Ns), negative)
			}
			if a.Authoritative != (tt.rcode != "REFUSED") || a.RecursionAvailable || a.Id != 0x1234 {
				t.Errorf("header: got %+v", a.MsgHdr)
			}
			if len(a.Answer) > 0 && a.Answer[0].Header().Name != dns.Fqdn(tt.name) {
				t.Errorf("owner: got %q, want the name as asked, %q", a.Answer[0].Header().Name, dns.Fqdn(tt.name))
			}
		})
	}
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func TestZoneChanges(t *testing.T) {
	z := forest()
	s := NewServer(func() *Zone { return z })
	name := "new.contoso.com."
	if a := ask(t, s, question(name, dns.TypeA), true); a.Rcode != dns.RcodeNameError {
		t.Errorf("before: got %s, want NXDOMAIN", dns.RcodeToString[a.Rcode])
	}
	more := *z
	more.Hosts = append(slices.Clone(z.Hosts), Host{"new.contoso.com", netip.MustParseAddr("192.0.2.99")})
	z = &more
	if a := ask(t, s, question(name, dns.TypeA), true); brief(a.Answer) != "A 192.0.2.99" {
		t.Errorf("after: got %q, want A 192.0.2.99", brief(a.Answer))
	}
	z = nil
	if a := ask(t, s, question(name, dns.TypeA), true); a.Rcode != dns.RcodeRefused {
		t.Errorf("no zone: got %s, want REFUSED", dns.RcodeToString[a.Rcode])
	}
}

// TestNamesThatCannotBeSent checks that a name from a configuration that no message can carry leaves the others intact.
func TestNamesThatCannotBeSent(t *testing.T) {
	z := forest()
	z.Hosts = append(z.Hosts, Host{strings.Repeat("x", 64) + ".contoso.com", netip.MustParseAddr("192.0.2.1")}, Host{"", netip.MustParseAddr("192.0.2.1")},
		Host{"no-address.contoso.com", netip.Addr{}})
	z.Aliases = append(z.Aliases, Alias{"x.contoso.com", strings.Repeat("y.", 130)}, Alias{"..", "dc01.contoso.com"})
	s := NewServer(func() *Zone { return z })
	if a := ask(t, s, question("x.contoso.com.", dns.TypeA), true); a.Rcode != dns.RcodeNameError {
		t.Errorf("alias to no name: got %s, want NXDOMAIN", dns.RcodeToString[a.Rcode])
	}
	if a := ask(t, s, question("dc01.contoso.com.", dns.TypeA), true); brief(a.Answer) != "A 192.0.2.10" {
		t.Errorf("got %q, want A 192.0.2.10", brief(a.Answer))
	}
}

// wide is a zone whose locator answer does not fit into 512 octets.
func wide(n int) *Zone {
	d := Domain{Name: "contoso.com"}
	for i := range n {
		d.DCs = append(d.DCs, Controller{Name: fmt.Sprintf("dc%04d.contoso.com", i), Addr: netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}), LDAP: 389})
	}
	return &Zone{Domains: []Domain{d}}
}

func TestTruncation(t *testing.T) {
	for _, tt := range []struct {
		dcs, edns int // edns 0: none
		udp       bool
		whole     bool // all SRV records are there and TC is not set
		extra     bool // and additional records
	}{
		{dcs: 4, udp: true, whole: true, extra: true},
		{dcs: 10, udp: true, whole: true, extra: false},
		{dcs: 40, udp: true},
		{dcs: 40, edns: 100, udp: true},
		{dcs: 40, edns: 4096, udp: true, whole: true, extra: true},
		{dcs: 80, edns: 65535, udp: true, whole: true, extra: false},
		{dcs: 400, edns: 65535, udp: true},
		{dcs: 400, whole: true, extra: true},
		{dcs: 400, edns: 512, whole: true, extra: true}, // the size is that of a datagram
	} {
		t.Run(fmt.Sprintf("%d DCs, EDNS %d, UDP %t", tt.dcs, tt.edns, tt.udp), func(t *testing.T) {
			z := wide(tt.dcs)
			s := NewServer(func() *Zone { return z })
			m := question("_ldap._tcp.dc._msdcs.contoso.com.", dns.TypeSRV)
			if tt.edns > 0 {
				m.SetEdns0(uint16(tt.edns), true)
			}
			req, _ := m.Pack()
			rep := s.Exchange(t.Context(), req, tt.udp)
			limit := dns.MaxMsgSize
			if tt.udp {
				limit = min(max(tt.edns, 512), 4096)
			}
			if len(rep) > limit {
				t.Errorf("size: got %d octets, want at most %d", len(rep), limit)
			}
			a := new(dns.Msg)
			if err := a.Unpack(rep); err != nil {
				t.Fatal(err)
			}
			if whole := len(a.Answer) == tt.dcs; whole != tt.whole || a.Truncated == tt.whole {
				t.Errorf("got %d of %d records, TC %t; want whole %t", len(a.Answer), tt.dcs, a.Truncated, tt.whole)
			}
			if got := brief(a.Extra) != ""; got != tt.extra {
				t.Errorf("additional records: got %t, want %t", got, tt.extra)
			}
			if (a.IsEdns0() != nil) != (tt.edns > 0) {
				t.Errorf("OPT record: got %v", a.IsEdns0())
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	pack := func(change func(*dns.Msg)) []byte {
		m := question("contoso.com.", dns.TypeA)
		m.RecursionDesired = true
		change(m)
		b, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	good := pack(func(*dns.Msg) {})
	for _, tt := range []struct {
		name string
		req  []byte
		want int // -1: no answer
	}{
		{"good", good, dns.RcodeSuccess},
		{"empty", nil, -1},
		{"short", good[:11], -1},
		{"response", pack(func(m *dns.Msg) { m.Response = true }), -1},
		{"header only", good[:12], dns.RcodeFormatError},
		{"cut short", good[:len(good)-1], dns.RcodeFormatError},
		{"two questions", pack(func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }), dns.RcodeFormatError},
		{"no question", pack(func(m *dns.Msg) { m.Question = nil }), dns.RcodeFormatError},
		{"answers in a request", pack(func(m *dns.Msg) {
			m.Answer = []dns.RR{&dns.A{Hdr: header("x.", dns.TypeA, 1), A: net.IPv4(192, 0, 2, 1)}}
		}), dns.RcodeFormatError},
		{"notify", pack(func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify }), dns.RcodeNotImplemented},
		{"update", pack(func(m *dns.Msg) { m.Opcode = dns.OpcodeUpdate; m.Question[0].Qtype = dns.TypeSOA }), dns.RcodeRefused},
		{"class chaos", pack(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }), dns.RcodeRefused},
		{"EDNS 1", pack(func(m *dns.Msg) { m.SetEdns0(1232, false); m.IsEdns0().SetVersion(1) }), dns.RcodeBadVers},
		{"name pointing at itself", append(slices.Clone(good[:12]), 0xc0, 12, 0, 1, 0, 1), dns.RcodeFormatError},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rep := newTestServer().Exchange(t.Context(), tt.req, true)
			if rep == nil {
				if tt.want != -1 {
					t.Errorf("got no answer, want %s", dns.RcodeToString[tt.want])
				}
				return
			}
			a := new(dns.Msg)
			if err := a.Unpack(rep); err != nil {
				t.Fatal(err)
			}
			if a.Rcode != tt.want || !a.Response || a.Id != 0x1234 || !a.RecursionDesired || a.Opcode != int(tt.req[2]>>3) {
				t.Errorf("got %+v, want %s", a.MsgHdr, dns.RcodeToString[tt.want])
			}
		})
	}
}

func TestInterceptAndTrace(t *testing.T) {
	s := newTestServer()
	type ctxKey struct{}
	var seen []string
	s.Trace = func(ctx context.Context, q Query) { seen = append(seen, fmt.Sprintf("%v %+v", ctx.Value(ctxKey{}), q)) }
	s.Intercept = func(_ context.Context, q *Query) Outcome {
		switch q.Name {
		case "contoso.com.":
			return Outcome{Drop: true}
		case "dc01.contoso.com.":
			return Outcome{RCode: NXDomain}
		case "dc02.contoso.com.":
			return Outcome{RCode: ServFail}
		}
		return Outcome{}
	}
	ctx := context.WithValue(t.Context(), ctxKey{}, "here")
	for _, name := range []string{"contoso.com.", "dc01.contoso.com.", "dc02.contoso.com.", "web.contoso.com."} {
		req, _ := question(name, dns.TypeA).Pack()
		rep := s.Exchange(ctx, req, true)
		if name == "contoso.com." {
			if rep != nil {
				t.Errorf("dropped: got %x, want no answer", rep)
			}
			continue
		}
		a := new(dns.Msg)
		if err := a.Unpack(rep); err != nil {
			t.Fatal(err)
		}
		if name == "dc01.contoso.com." && (a.Rcode != dns.RcodeNameError || len(a.Ns) != 1 || len(a.Answer) != 0) {
			t.Errorf("NXDOMAIN: got %v", a)
		}
	}
	want := []string{
		"here {Name:contoso.com. Type:A RCode: Answers:0}",
		"here {Name:dc01.contoso.com. Type:A RCode:NXDOMAIN Answers:0}",
		"here {Name:dc02.contoso.com. Type:A RCode:SERVFAIL Answers:0}",
		"here {Name:web.contoso.com. Type:A RCode:NOERROR Answers:3}",
	}
	if !slices.Equal(seen, want) {
		t.Errorf("trace: got %q, want %q", seen, want)
	}
}

// TestResolver lets the resolver of the standard library judge, over UDP and, because the answer is truncated, TCP.
func TestResolver(t *testing.T) {
	z := wide(60)
	z.Hosts = forest().Hosts
	s := NewServer(func() *Zone { return z })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p, err := net.ListenPacket("udp", l.Addr().String())
	if err != nil {
		t.Skipf("the UDP port of the same number is taken: %v", err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Serve(t.Context(), l); err != nil {
			t.Errorf("Serve: got %v, want nil", err)
		}
	})
	wg.Go(func() {
		if err := s.ServePacket(t.Context(), p); err != nil {
			t.Errorf("ServePacket: got %v, want nil", err)
		}
	})
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, l.Addr().String())
	}}
	_, srvs, err := r.LookupSRV(t.Context(), "ldap", "tcp", "dc._msdcs.contoso.com")
	if err != nil || len(srvs) != 60 {
		t.Errorf("SRV: got %d records, %v, want 60", len(srvs), err)
	}
	if addrs, err := r.LookupHost(t.Context(), "CONTAINERHOST01.contoso.com"); err != nil || !slices.Equal(addrs, []string{"192.0.2.20"}) {
		t.Errorf("host: got %q, %v, want 192.0.2.20", addrs, err)
	}
	if names, err := r.LookupAddr(t.Context(), "192.0.2.20"); err != nil || !slices.Equal(names, []string{"ContainerHost01.contoso.com."}) {
		t.Errorf("address: got %q, %v, want ContainerHost01.contoso.com.", names, err)
	}
	var noHost *net.DNSError
	if _, err := r.LookupHost(t.Context(), "nobody.contoso.com"); !errors.As(err, &noHost) || !noHost.IsNotFound {
		t.Errorf("no host: got %v, want not found", err)
	}
	// A connection that waits does not keep Close waiting.
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := s.Close(); err != nil {
		t.Errorf("Close: got %v, want nil", err)
	}
	wg.Wait()
	if err := s.Serve(t.Context(), l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve after Close: got %v, want net.ErrClosed", err)
	}
}

func TestServeEndsWithContext(t *testing.T) {
	s := newTestServer()
	p, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.ServePacket(ctx, p); !errors.Is(err, context.Canceled) {
		t.Errorf("ServePacket: got %v, want context.Canceled", err)
	}
	if err := s.Serve(ctx, l); !errors.Is(err, context.Canceled) {
		t.Errorf("Serve: got %v, want context.Canceled", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close: got %v, want nil", err)
	}
}

// FuzzExchange checks that any octets get a well-formed answer within the limits, or none.
func FuzzExchange(f *testing.F) {
	s := newTestServer()
	f.Fuzz(func(t *testing.T, req []byte, udp bool) {
		rep := s.Exchange(t.Context(), req, udp)
		if rep == nil {
			return
		}
		if len(rep) > 4096 && udp {
			t.Errorf("got a datagram of %d octets", len(rep))
		}
		a := new(dns.Msg)
		if err := a.Unpack(rep); err != nil {
			t.Errorf("answer %x does not decode: %v", rep, err)
		}
		if a.Id != uint16(req[0])<<8|uint16(req[1]) || !a.Response {
			t.Errorf("got header %+v for %x", a.MsgHdr, req)
		}
	})
}

func BenchmarkExchange(b *testing.B) {
	for _, bb := range []struct {
		name, asked string
		rrtype      uint16
	}{
		{"locator", "_ldap._tcp.dc._msdcs.contoso.com.", dns.TypeSRV},
		{"host", "containerhost01.contoso.com.", dns.TypeA},
		{"alias", "web.contoso.com.", dns.TypeA},
		{"no name", "nobody.contoso.com.", dns.TypeA},
	} {
		b.Run(bb.name, func(b *testing.B) {
			s := newTestServer()
			req, err := question(bb.asked, bb.rrtype).Pack()
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if s.Exchange(b.Context(), req, true) == nil {
					b.Fatal("no answer")
				}
			}
		})
	}
}

// BenchmarkIndex is the cost of a change of the zone.
func BenchmarkIndex(b *testing.B) {
	z := forest()
	for i := range 10000 {
		z.Hosts = append(z.Hosts, Host{fmt.Sprintf("host%05d.contoso.com", i), netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})})
	}
	b.ReportAllocs()
	for b.Loop() {
		newIndex(z)
	}
}
