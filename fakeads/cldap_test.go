package fakeads

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

var loopback = netip.MustParseAddr("127.0.0.1")

// le is a value of four octets in the filter of a ping.
func le(v byte) string { return string([]byte{v, 0, 0, 0}) }

func allOf(terms ...[]byte) []byte { return element(tagContext|constructed, terms...) }

func pingOp(terms ...[]byte) []byte {
	return searchOp("", directory.BaseObject, allOf(terms...), "Netlogon")
}

func valuesOf(entry *reply, attr string) [][]byte {
	return (&directory.Entry{Attributes: entry.attrs}).Values(attr)
}

// parts splits a datagram into its LDAP messages.
func parts(t testing.TB, b []byte) [][]byte {
	t.Helper()
	var list [][]byte
	for r := (reader{b: b}); r.more(); {
		_, _, whole := r.any()
		if r.err != nil {
			t.Fatalf("answer %x: %v", b, r.err)
		}
		list = append(list, whole)
	}
	return list
}

// netlogonOf is the value in an answer over UDP; nil: only a SearchResultDone.
func netlogonOf(t testing.TB, answer []byte, id int) *NetlogonResponse {
	t.Helper()
	list := parts(t, answer)
	done := parseReply(t, list[len(list)-1])
	if done.op != opSearchDone || done.id != id || done.code != resultSuccess {
		t.Fatalf("got %+v, want success for message %d", done, id)
	}
	if len(list) == 1 {
		return nil
	}
	entry := parseReply(t, list[0])
	if entry.op != opSearchEntry || entry.id != id || entry.dn != "" || len(entry.attrs) != 1 || entry.attrs[0].Name != "netlogon" || len(valuesOf(entry, "netlogon")) != 1 {
		t.Fatalf("got %+v, want an entry with one netlogon", entry)
	}
	n, err := ParseNetlogon(valuesOf(entry, "netlogon")[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPing(t *testing.T) {
	w := newWorld(t, nil)
	w.populate(directory.AddRequest{DN: "CN=blocked,CN=Users," + contoso, Attributes: []directory.Attribute{directory.Text("objectClass", "user"),
		directory.Text("sAMAccountName", "blocked"), directory.Text("userAccountControl", "514")}})
	d := w.dc.Domain()
	guid, sid := string(d.GUID[:]), string(d.SID.Bytes())
	other := security.MustSID("S-1-5-21-9-9-9")
	dns := equal("DnsDomain", "contoso.com")
	for _, tt := range []struct {
		name   string
		filter []byte
		opcode uint16 // 0: no answer
		ntVer  uint32
		user   string
	}{
		{"Samba: NtVer 6", allOf(equal("NtVer", le(6)), dns, equal("AAC", le(0))), 23, 5, ""},
		{"sssd: NtVer 0x14", allOf(dns, equal("NtVer", le(0x14))), 23, 0x15, ""},
		{"with address", allOf(dns, equal("NtVer", le(0x0e))), 23, 0x0d, ""},
		{"everything", allOf(dns, equal("NtVer", le(0x1f))), 23, 0x1d, ""},
		{"Windows 2000", allOf(dns, equal("NtVer", le(2))), 19, 3, ""},
		{"NT 4", allOf(dns, equal("NtVer", le(1))), 19, 1, ""},
		{"no NtVer", dns, 19, 3, ""},
		{"final dot, other case", allOf(equal("dnsdomain", "CONTOSO.com."), equal("ntver", le(4))), 23, 5, ""},
		{"no domain", equal("NtVer", le(4)), 23, 5, ""},
		{"any filter of presence", present("objectClass"), 19, 3, ""},
		{"by GUID", allOf(equal("DomainGuid", guid), equal("NtVer", le(4))), 23, 5, ""},
		{"by SID", allOf(equal("DomainSid", sid), equal("NtVer", le(4))), 23, 5, ""},
		{"renamed domain, GUID as ever", allOf(equal("DnsDomain", "old.example.com"), equal("DomainGuid", guid), equal("NtVer", le(4))), 23, 5, ""},
		{"another domain", allOf(equal("DnsDomain", "fabrikam.com"), equal("NtVer", le(4))), 0, 0, ""},
		{"another GUID", allOf(equal("DomainGuid", strings.Repeat("x", 16)), equal("NtVer", le(4))), 0, 0, ""},
		{"another SID", allOf(equal("DomainSid", string(other.Bytes())), equal("NtVer", le(4))), 0, 0, ""},
		{"GUID of no length", allOf(equal("DomainGuid", ""), equal("NtVer", le(4))), 0, 0, ""},
		{"with the host", allOf(dns, equal("Host", "HOST01"), equal("NtVer", le(4))), 23, 5, ""},
		{"user", allOf(dns, equal("User", "alice"), equal("NtVer", le(4))), 23, 5, "alice"},
		{"user of the type", allOf(dns, equal("User", "ALICE"), equal("AAC", le(0x10)), equal("NtVer", le(4))), 23, 5, "ALICE"},
		{"user of another type", allOf(dns, equal("User", "alice"), equal("AAC", le(0x80)), equal("NtVer", le(4))), 25, 5, "alice"},
		{"user of no type", allOf(dns, equal("User", "alice"), equal("AAC", le(0)), equal("NtVer", le(4))), 25, 5, "alice"},
		{"computer", allOf(dns, equal("User", "DC01$"), equal("AAC", "\x00\x01\x00\x00"), equal("NtVer", le(4))), 23, 5, "DC01$"},
		{"disabled user", allOf(dns, equal("User", "blocked"), equal("NtVer", le(4))), 25, 5, "blocked"},
		{"unknown user", allOf(dns, equal("User", "nobody"), equal("NtVer", le(4))), 25, 5, "nobody"},
		{"unknown user, old form", allOf(dns, equal("User", "nobody"), equal("NtVer", le(2))), 21, 3, "nobody"},
		{"user that cannot be encoded", allOf(dns, equal("User", strings.Repeat("x", 64)), equal("NtVer", le(4))), 0, 0, ""},
		{"NtVer as text", allOf(dns, equal("NtVer", "6")), 0, 0, ""},
		{"AAC as text", allOf(dns, equal("AAC", "16"), equal("NtVer", le(4))), 0, 0, ""},
		{"not an AND", element(tagContext|constructed|1, dns), 0, 0, ""},
		{"too many terms", allOf(bytes.Repeat(dns, maxPingTerms+1)), 0, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := w.srv.datagram(t.Context(), envelope(7, searchOp("", directory.BaseObject, tt.filter, "Netlogon")), loopback)
			got := netlogonOf(t, b, 7)
			if tt.opcode == 0 {
				// The answer of Samba 4.22 but for the form of the lengths.
				if got != nil || len(parts(t, b)) != 1 {
					t.Errorf("got %+v, want only the end of the search", got)
				}
				return
			}
			if got == nil {
				t.Fatal("got no entry")
			}
			want := &NetlogonResponse{Opcode: tt.opcode, NetBIOSDomain: "CONTOSO", NetBIOSComputer: "DC01", User: tt.user, NtVersion: tt.ntVer}
			if tt.ntVer != 1 {
				want.Flags, want.DomainGUID, want.Forest, want.Domain, want.Host = 0x1f3fd, d.GUID, "contoso.com", "contoso.com", "dc01.contoso.com"
			}
			if tt.opcode >= 23 {
				want.DCSite, want.ClientSite = "Default-First-Site-Name", "Default-First-Site-Name"
			}
			if tt.ntVer&8 != 0 || tt.ntVer == 3 {
				want.Addr = loopback
			}
			if *got != *want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// TestPingOfSecondDomain has two controllers in a child domain: one holds the role of the PDC.
func TestPingOfSecondDomain(t *testing.T) {
	forest, err := directory.New(directory.Config{Seed: 7, Domains: []directory.DomainConfig{{DNSName: "contoso.com"}, {DNSName: "emea.contoso.com", DCs: []string{"DC02", "DC03"}}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, flags := range map[string]uint32{"DC02": 0x1f3fd, "DC03": 0x1f1fc} {
		s, err := NewServer(Config{Replica: forest.DC(name)})
		if err != nil {
			t.Fatal(err)
		}
		got := netlogonOf(t, s.datagram(t.Context(), envelope(1, pingOp(equal("DnsDomain", "emea.contoso.com"), equal("NtVer", le(6)))), loopback), 1)
		if got == nil || got.Flags != flags || got.Forest != "contoso.com" || got.Domain != "emea.contoso.com" || got.NetBIOSDomain != "EMEA" || got.Host != strings.ToLower(name)+".emea.contoso.com" {
			t.Errorf("%s: got %+v, want flags %#x", name, got, flags)
		}
		if got := netlogonOf(t, s.datagram(t.Context(), envelope(1, pingOp(equal("DnsDomain", "contoso.com"))), loopback), 1); got != nil {
			t.Errorf("%s for the parent: got %+v, want no answer", name, got)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestDatagrams(t *testing.T) {
	ping := pingOp(equal("DnsDomain", "contoso.com"), equal("NtVer", le(6)))
	for _, tt := range []struct {
		name string
		msg  []byte
		op   byte // 0: no answer
		code int
	}{
		{"nothing", nil, 0, 0},
		{"nonsense", []byte("hello"), 0, 0},
		{"cut short", envelope(1, ping)[:20], 0, 0},
		{"octets after the message", append(envelope(1, ping), 0), 0, 0},
		{"message ID 0", envelope(0, ping), 0, 0},
		{"unbind", envelope(1, []byte{opUnbindRequest, 0}), 0, 0},
		{"abandon", envelope(1, []byte{opAbandonRequest, 1, 1}), 0, 0},
		{"too long", envelope(1, searchOp("", 0, present(strings.Repeat("x", maxDatagram)))), 0, 0},
		{"bind", envelope(1, bindOp("", "")), opBindResponse, resultUnwillingToPerform},
		{"extended", envelope(1, extendedOp("1.3.6.1.4.1.4203.1.11.3", nil)), opExtendedResponse, resultUnwillingToPerform},
		{"another base", envelope(1, searchOp(contoso, directory.BaseObject, present("objectClass"))), opSearchDone, resultOperationsError},
		{"subtree", envelope(1, searchOp("", directory.Subtree, present("objectClass"))), opSearchDone, resultOperationsError},
		{"filter that is none", envelope(1, searchOp("", directory.BaseObject, []byte{0xa9, 0})), opSearchDone, resultProtocolError},
		{"filter too deep", envelope(1, searchOp("", directory.BaseObject, nested(200))), opSearchDone, resultAdminLimitExceeded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, nil)
			b := w.srv.datagram(t.Context(), tt.msg, loopback)
			if tt.op == 0 {
				if b != nil || len(w.ops) != 0 {
					t.Errorf("got %x, %v, want nothing", b, w.ops)
				}
				return
			}
			rep := parseReply(t, b)
			if rep.op != tt.op || rep.code != tt.code || rep.id != 1 {
				t.Errorf("got %+v, want %d", rep, tt.code)
			}
			if len(w.ops) != 1 || w.ops[0].Result != tt.code {
				t.Errorf("traced: got %+v, want result %d", w.ops, tt.code)
			}
		})
	}
}

// nested is a filter of NOT in NOT.
func nested(depth int) []byte {
	f := present("cn")
	for range depth {
		f = element(tagContext|constructed|2, f)
	}
	return f
}

func TestRootDSEOverUDP(t *testing.T) {
	w := newWorld(t, nil)
	b := w.srv.datagram(t.Context(), envelope(3, searchOp("", directory.BaseObject, present("objectClass"), "currentTime", "defaultNamingContext")), loopback)
	entry := parseReply(t, parts(t, b)[0])
	if got := valuesOf(entry, "defaultNamingContext"); len(got) != 1 || string(got[0]) != contoso {
		t.Errorf("defaultNamingContext: got %q", got)
	}
	if got := valuesOf(entry, "currentTime"); len(got) != 1 || string(got[0]) != "20190503100000.0Z" {
		t.Errorf("currentTime: got %q", got)
	}
	// The ping and the root DSE in one.
	b = w.srv.datagram(t.Context(), envelope(4, searchOp("", directory.BaseObject, equal("NtVer", le(6)), "netlogon", "dnsHostName")), loopback)
	entry = parseReply(t, parts(t, b)[0])
	if len(valuesOf(entry, "netlogon")) != 1 || len(valuesOf(entry, "dnsHostName")) != 1 {
		t.Errorf("got %v, want netlogon and dnsHostName", entry.attrs)
	}
	ops := w.traced(KindSearch)
	if len(ops) != 2 || ops[1].Entries != 1 || ops[1].Layer != "plain" || !strings.Contains(ops[1].Text, "attrs=netlogon,dnsHostName") {
		t.Errorf("traced: got %+v", ops)
	}
}

func TestDatagramsIntercepted(t *testing.T) {
	var do Intercepted
	w := newWorld(t, func(cfg *Config) { cfg.Intercept = func(context.Context, *Operation) Intercepted { return do } })
	msg := envelope(1, pingOp(equal("NtVer", le(6))))
	for _, do = range []Intercepted{{Drop: true}, {Reset: true}} {
		if b := w.srv.datagram(t.Context(), msg, loopback); b != nil {
			t.Errorf("%+v: got %x, want nothing", do, b)
		}
	}
	do = Intercepted{Result: resultBusy, Diagnostic: "later"}
	if rep := parseReply(t, w.srv.datagram(t.Context(), msg, loopback)); rep.code != resultBusy {
		t.Errorf("got %+v, want busy", rep)
	}
}

func TestServePacket(t *testing.T) {
	w := newWorld(t, nil)
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- w.srv.ServePacket(t.Context(), c) }()
	client, err := net.Dial("udp4", c.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Write(envelope(9, pingOp(equal("DnsDomain", "contoso.com"), equal("NtVer", le(0xe))))); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4096)
	n, err := client.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	if got := netlogonOf(t, b[:n], 9); got == nil || got.Addr != loopback {
		t.Errorf("got %+v, want the address of the socket", got)
	}
	if err := w.srv.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("got %v, want nil after Close", err)
	}
	if err := w.srv.ServePacket(t.Context(), c); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: got %v, want ErrClosed", err)
	}
}

func TestServePacketEndsWithContext(t *testing.T) {
	w := newWorld(t, nil)
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.srv.ServePacket(ctx, c); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// TestPingOverTCP: the same value comes from a search of the root DSE.
func TestPingOverTCP(t *testing.T) {
	w := newWorld(t, nil)
	p := w.pipe()
	op := pingOp(equal("DnsDomain", "contoso.com"), equal("NtVer", le(6)))
	_, entries := p.collect(op)
	if len(entries) != 1 || len(valuesOf(entries[0], "netlogon")) != 1 {
		t.Fatalf("got %+v, want one netlogon", entries)
	}
	udp := parseReply(t, parts(t, w.srv.datagram(t.Context(), envelope(1, op), loopback))[0])
	if got, want := valuesOf(entries[0], "netlogon")[0], valuesOf(udp, "netlogon")[0]; !bytes.Equal(got, want) {
		t.Errorf("got %s, want %s", hex.EncodeToString(got), hex.EncodeToString(want))
	}
}

// FuzzDatagram checks that any octets get whole LDAP messages for an answer, or none.
func FuzzDatagram(f *testing.F) {
	forest, err := directory.New(directory.Config{Seed: 7, Domains: []directory.DomainConfig{{DNSName: "contoso.com"}}})
	if err != nil {
		f.Fatal(err)
	}
	s, err := NewServer(Config{Replica: forest.DC("DC01")})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	f.Fuzz(func(t *testing.T, msg []byte) {
		b := s.datagram(t.Context(), msg, loopback)
		if len(b) > maxDatagramAnswer {
			t.Errorf("got %d octets", len(b))
		}
		for _, m := range parts(t, b) {
			parseReply(t, m)
		}
	})
}

func BenchmarkPing(b *testing.B) {
	w := newWorld(b, func(cfg *Config) { cfg.Trace = nil })
	msg := envelope(1, pingOp(equal("DnsDomain", "contoso.com"), equal("NtVer", le(0x16))))
	b.ReportAllocs()
	for b.Loop() {
		if w.srv.datagram(b.Context(), msg, loopback) == nil {
			b.Fatal("no answer")
		}
	}
}
