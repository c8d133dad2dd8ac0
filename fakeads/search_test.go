package fakeads

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakekdc/gss"
)

const notBound = "000004DC: LdapErr: DSID-0C090C78, comment: In order to perform this operation a successful bind must be completed on the connection., data 0, v4f7c\x00"

// TestAnonymous: the root DSE and nothing else.
func TestAnonymous(t *testing.T) {
	w := newWorld(t, nil)
	p := w.pipe()
	for name, op := range map[string][]byte{
		"subtree":   searchOp(contoso, directory.Subtree, present("objectClass")),
		"base":      searchOp(contoso, directory.BaseObject, present("objectClass")),
		"one below": searchOp("", directory.SingleLevel, present("objectClass")),
		"compare":   element(opCompareRequest, octets(administrator), element(tagSequence, octets("cn"), octets("x"))),
		"delete":    element(opDeleteRequest, []byte(administrator)),
		"add":       element(opAddRequest, octets("CN=x,"+contoso), element(tagSequence)),
		"modify":    element(opModifyRequest, octets(contoso), element(tagSequence)),
		"modify DN": element(opModifyDNRequest, octets(contoso), octets("CN=y"), []byte{tagBoolean, 1, 0xff}),
	} {
		if rep := p.ask(op); rep.code != resultOperationsError || rep.text != notBound {
			t.Errorf("%s: got %d %q, want 1 %q", name, rep.code, rep.text, notBound)
		}
	}
	if rep, entries := p.collect(rootDSEOp); rep.code != 0 || len(entries) != 1 {
		t.Errorf("root DSE: got %d and %d entries, want success and 1", rep.code, len(entries))
	}
}

func TestRootDSE(t *testing.T) {
	w := newWorld(t, nil)
	p := w.pipe()
	for _, tt := range []struct {
		name    string
		filter  []byte
		entries int
	}{
		{"everything has a class", present("objectClass"), 1},
		{"in any case", present("objectclass"), 1},
		{"class top", equal("objectClass", "top"), 1},
		{"another class", equal("objectClass", "user"), 0},
		{"Samba's", element(tagContext|constructed|1, present("objectClass"), present("distinguishedName")), 1},
		{"negation", element(tagContext|constructed|2, present("objectClass")), 0},
		{"what is asked for", present("defaultNamingContext"), 1},
		{"its value", equal("defaultNamingContext", contoso), 1},
		{"unknown", element(tagContext|constructed|5, octets("x"), octets("1")), 0},
	} {
		rep, entries := p.collect(searchOp("", directory.BaseObject, tt.filter, "defaultNamingContext"))
		if rep.code != 0 || len(entries) != tt.entries {
			t.Errorf("%s: got %d and %d entries, want success and %d", tt.name, rep.code, len(entries), tt.entries)
		}
	}
}

// TestNetlogonOverTCP: the answer to an LDAP ping as an attribute of the root DSE.
func TestNetlogonOverTCP(t *testing.T) {
	w := newWorld(t, nil)
	p := w.dial(w.listen((*Server).Serve))
	ping := element(tagContext|constructed, equal("DnsDomain", "contoso.com"), equal("NtVer", "\x06\x00\x00\x00"))
	rep, entries := p.collect(searchOp("", directory.BaseObject, ping, "NetLogon"))
	if rep.code != 0 || len(entries) != 1 || len(entries[0].attrs) != 1 || !strings.EqualFold(entries[0].attrs[0].Name, "netlogon") {
		t.Fatalf("got %d and %+v, want one entry with netlogon", rep.code, entries)
	}
	got, err := ParseNetlogon(entries[0].attrs[0].Values[0])
	if err != nil || got.Domain != "contoso.com" {
		t.Errorf("got %+v, %v, want the answer for contoso.com", got, err)
	}
	ping = element(tagContext|constructed, equal("DnsDomain", "fabrikam.com"), equal("NtVer", "\x06\x00\x00\x00"))
	if rep, entries := p.collect(searchOp("", directory.BaseObject, ping, "netlogon")); rep.code != 0 || len(entries) != 0 {
		t.Errorf("got %d and %d entries, want success and none", rep.code, len(entries))
	}
	if got := p.conn.LocalAddr().(*net.TCPAddr).AddrPort().Addr(); got != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("got address %v", got)
	}
}

func TestControls(t *testing.T) {
	sequence := func(parts ...[]byte) []byte { return element(tagSequence, parts...) }
	tests := []struct {
		name     string
		controls []control
		check    func(*directory.SearchRequest) bool
	}{
		{"none", nil, func(r *directory.SearchRequest) bool { return r.ExtendedDN == -1 && r.Page == nil && r.SDFlags == nil }},
		{"paged", []control{{oid: oidPaged, value: sequence(number(tagInteger, 500), octets("c"))}},
			func(r *directory.SearchRequest) bool { return r.Page.Size == 500 && string(r.Page.Cookie) == "c" }},
		{"SD flags", []control{{oid: oidSDFlags, value: sequence(number(tagInteger, 7))}}, func(r *directory.SearchRequest) bool { return *r.SDFlags == 7 }},
		{"extended DN without value", []control{{oid: oidExtendedDN}}, func(r *directory.SearchRequest) bool { return r.ExtendedDN == 0 }},
		{"extended DN in string form", []control{{oid: oidExtendedDN, value: sequence(number(tagInteger, 1))}}, func(r *directory.SearchRequest) bool { return r.ExtendedDN == 1 }},
		{"deleted", []control{{oid: oidShowDeleted}, {oid: oidShowRecycled}}, func(r *directory.SearchRequest) bool { return r.ShowDeleted && r.ShowRecycled }},
		{"domain scope", []control{{oid: oidDomainScope}}, func(r *directory.SearchRequest) bool { return r.DomainScope }},
		{"search options", []control{{oid: oidSearchOptions, value: sequence(number(tagInteger, 3))}}, func(r *directory.SearchRequest) bool { return r.DomainScope && r.PhantomRoot }},
		{"sort", []control{{oid: oidSort, value: sequence(sequence(octets("cn")), sequence(octets("name"), element(tagContext, []byte("2.5.13.3")), []byte{tagContext | 1, 1, 1}))}},
			func(r *directory.SearchRequest) bool {
				return len(r.Sort) == 2 && r.Sort[0] == directory.SortKey{Attribute: "cn"} && r.Sort[1] == directory.SortKey{Attribute: "name", Reverse: true}
			}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r directory.SearchRequest
			if err := applyControls(tt.controls, &r); err != nil {
				t.Fatal(err)
			}
			if !tt.check(&r) {
				t.Errorf("got %+v", r)
			}
		})
	}
	for _, c := range []control{
		{oid: oidPaged}, {oid: oidPaged, value: []byte{1}}, {oid: oidSDFlags, value: sequence()}, {oid: oidSort, value: sequence()},
		{oid: oidSearchOptions, value: append(sequence(number(tagInteger, 1)), 0)}, {oid: oidExtendedDN, value: sequence(number(tagInteger, 2))},
	} {
		var r directory.SearchRequest
		if err := applyControls([]control{c}, &r); err == nil {
			t.Errorf("%s with % x: got no error", c.oid, c.value)
		}
	}
}

func TestCriticalControls(t *testing.T) {
	w := newWorld(t, nil)
	p := w.pipe()
	p.ask(bindOp(administrator, adminPassword))
	const text = "00000057: LdapErr: "
	for _, tt := range []struct {
		c           control
		code        int
		notModelled bool
	}{
		{control{oid: "1.2.3.4", critical: true}, resultUnavailableCritical, false},
		{control{oid: "1.2.3.4"}, 0, false},
		{control{oid: oidVLV, critical: true}, resultUnavailableCritical, true},
		{control{oid: oidVLV}, 0, true},
		{control{oid: oidLazyCommit, critical: true}, 0, false},
		{control{oid: oidPaged, critical: true, value: []byte("nonsense")}, resultProtocolError, false},
	} {
		rep := p.ask(searchOp(contoso, directory.BaseObject, present("objectClass"), "cn"), tt.c)
		if rep.code != tt.code || rep.code != 0 && !strings.HasPrefix(rep.text, text) {
			t.Errorf("%s critical %v: got %d %q, want %d", tt.c.oid, tt.c.critical, rep.code, rep.text, tt.code)
		}
		ops := w.traced(KindSearch)
		if got := ops[len(ops)-1].NotModelled != ""; got != tt.notModelled {
			t.Errorf("%s: got not modelled %v, want %v", tt.c.oid, got, tt.notModelled)
		}
	}
	for _, op := range [][]byte{element(opDeleteRequest, []byte("CN=x,"+contoso)), extendedOp(oidWhoAmI, nil), bindOp("", "")} {
		if rep := p.ask(op, control{oid: "1.2.3.4", critical: true}); rep.code != resultUnavailableCritical {
			t.Errorf("got %d, want 12", rep.code)
		}
	}
}

// TestExtendedOperations: those that are not there.
func TestExtendedOperations(t *testing.T) {
	w := newWorld(t, nil)
	p := w.pipe()
	if rep := p.ask(extendedOp("1.2.3.4", nil)); rep.code != resultProtocolError || !strings.Contains(rep.text, "Unknown extended request OID") {
		t.Errorf("got %d %q, want 2", rep.code, rep.text)
	}
	if rep := p.ask(extendedOp(oidBatch, nil)); rep.code != resultUnwillingToPerform {
		t.Errorf("got %d, want 53", rep.code)
	}
	if ops := w.traced(KindExtended); ops[1].NotModelled == "" || ops[0].Text != "1.2.3.4" {
		t.Errorf("got %+v", ops)
	}
	if rep := p.ask(extendedOp(oidWhoAmI, nil)); rep.code != 0 || rep.value == nil || len(rep.value) != 0 {
		t.Errorf("got %+v, want an empty identity", rep)
	}
}

func TestPagedSearch(t *testing.T) {
	w := newWorld(t, nil)
	const n = 250
	objects := make([]directory.AddRequest, n)
	for i := range objects {
		objects[i] = user(fmt.Sprintf("page%03d", i), alicePassword)
	}
	w.populate(objects...)
	c, err := ldap.DialURL("ldap://" + w.listen((*Server).Serve))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Bind(administrator, adminPassword); err != nil {
		t.Fatal(err)
	}
	got, err := c.SearchWithPaging(ldap.NewSearchRequest(contoso, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
		"(sAMAccountName=page*)", []string{"cn"}, nil), 60)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Entries) != n {
		t.Errorf("got %d entries, want %d", len(got.Entries), n)
	}
	// A client that gives up a search sends size 0.
	p := w.pipe()
	p.ask(bindOp(administrator, adminPassword))
	op := searchOp(contoso, directory.Subtree, present("sAMAccountName"), "cn")
	page := func(size int, cookie []byte) control {
		return control{oid: oidPaged, value: element(tagSequence, number(tagInteger, size), element(tagOctets, cookie))}
	}
	rep := p.ask(op, page(10, nil))
	r := reader{b: rep.controls[oidPaged]}
	v := r.in(tagSequence, "value")
	v.number(tagInteger, maxMessageID, "estimate")
	cookie := v.octets("cookie")
	if len(cookie) == 0 {
		t.Fatal("got no cookie after the first page")
	}
	rep, entries := p.collect(op, page(0, cookie))
	if rep.code != 0 || len(entries) != 0 || rep.controls[oidPaged] == nil {
		t.Errorf("got %+v and %d entries, want success, none and the control", rep, len(entries))
	}
}

func TestTimeLimit(t *testing.T) {
	w := newWorld(t, nil)
	p := w.pipe()
	p.ask(bindOp(administrator, adminPassword))
	op := element(opSearchRequest, octets(contoso), number(tagEnumerated, 2), number(tagEnumerated, 0), number(tagInteger, 0),
		number(tagInteger, 60), []byte{tagBoolean, 1, 0}, equal("sAMAccountName", "alice"), element(tagSequence))
	if rep, entries := p.collect(op, control{oid: oidDomainScope}); rep.code != 0 || len(entries) != 1 {
		t.Errorf("got %d and %d entries, want success and 1", rep.code, len(entries))
	}
	if rep, entries := p.collect(op); rep.code != 0 || len(entries) != 4 || entries[3].op != opSearchReference {
		t.Errorf("got %d and %d answers, want success, an entry and three references", rep.code, len(entries))
	}
}

// TestGlobalCatalog never has a managed password and takes no writes.
func TestGlobalCatalog(t *testing.T) {
	w := newWorld(t, nil)
	p := w.dial(w.listen((*Server).ServeGC))
	p.ask(bindOp(administrator, adminPassword))
	if rep := p.ask(element(opDeleteRequest, []byte("CN=alice,CN=Users,"+contoso))); rep.code != resultUnwillingToPerform {
		t.Errorf("delete: got %d, want 53", rep.code)
	}
	req := directory.SearchRequest{Attributes: []string{"cn", "MSDS-managedpassword"}}
	catalogView(&req)
	if len(req.Attributes) != 1 || !req.PhantomRoot || !req.DomainScope {
		t.Errorf("got %+v, want cn alone in the whole forest", req)
	}
	req = directory.SearchRequest{Base: contoso, Attributes: []string{managedPassword}}
	catalogView(&req)
	if len(req.Attributes) != 1 || req.Attributes[0] != "1.1" || req.PhantomRoot {
		t.Errorf("got %+v, want no attributes below the base", req)
	}
}

func BenchmarkSearchIndexed(b *testing.B) {
	w := tenThousand(b)
	addr := w.listen((*Server).Serve)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		p := w.dial(addr)
		p.ask(bindOp(administrator, adminPassword))
		for i := 0; pb.Next(); i++ {
			rep := p.ask(searchOp(contoso, directory.Subtree, equal("sAMAccountName", fmt.Sprintf("user%05d", i*7919%10000)), "cn", "objectSid", "memberOf", "userAccountControl"))
			if rep.code != 0 {
				b.Errorf("got %d %q", rep.code, rep.text)
				return
			}
		}
	})
}

// BenchmarkEnumerate10k reads all of 10,000 entries in pages of 1,000 with one client, in clear and sealed.
func BenchmarkEnumerate10k(b *testing.B) {
	w := tenThousand(b)
	addr := w.listen((*Server).Serve)
	enumerate := func(b *testing.B, p *peer) {
		b.ReportAllocs()
		entries := 0
		for b.Loop() {
			total := 0
			for cookie := []byte{}; ; {
				id := p.send(searchOp(contoso, directory.Subtree, present("sAMAccountName"), "cn", "sAMAccountName", "userAccountControl"),
					control{oid: oidPaged, value: element(tagSequence, number(tagInteger, 1000), element(tagOctets, cookie))})
				n, done := p.skim(id)
				total += n
				r := reader{b: done.controls[oidPaged]}
				v := r.in(tagSequence, "value")
				v.number(tagInteger, maxMessageID, "estimate")
				if cookie = v.octets("cookie"); len(cookie) == 0 {
					break
				}
			}
			if total < 10000 {
				b.Fatalf("got %d entries, want 10,000", total)
			}
			entries += total
		}
		b.ReportMetric(float64(entries)/b.Elapsed().Seconds(), "entries/s")
	}
	b.Run("clear", func(b *testing.B) {
		p := w.dial(addr)
		p.ask(bindOp(administrator, adminPassword))
		enumerate(b, p)
	})
	b.Run("sealed", func(b *testing.B) {
		cfg := w.ticket(ticketOptions{})
		cfg.Flags = secure
		p := w.dial(addr)
		p.bindGSSAPI(gss.NewInitiator(cfg), gss.LayerConfidentiality, "")
		enumerate(b, p)
	})
}

// tenThousand is a world with as many users.
func tenThousand(b *testing.B) *world {
	w := newWorld(b, func(cfg *Config) { cfg.Trace = nil })
	objects := make([]directory.AddRequest, 10000)
	for i := range objects {
		name := fmt.Sprintf("user%05d", i)
		objects[i] = directory.AddRequest{DN: "CN=" + name + ",CN=Users," + contoso, Attributes: []directory.Attribute{
			directory.Text("objectClass", "user"), directory.Text("cn", name), directory.Text("sAMAccountName", name), directory.Text("userAccountControl", "544")}}
	}
	w.populate(objects...)
	return w
}

// skim counts entries up to the final answer, without taking them apart.
func (p *peer) skim(id int) (entries int, done *reply) {
	p.t.Helper()
	for {
		_, head, size, err := header(p.plain)
		if err != nil {
			p.t.Fatal(err)
		}
		if head > 0 && len(p.plain) >= head+size {
			msg := p.plain[:head+size]
			p.plain = p.plain[head+size:]
			at := head + 2 + int(msg[head+1])
			if msg[at] == opSearchEntry {
				entries++
				continue
			}
			if rep := parseReply(p.t, msg); rep.op == opSearchDone {
				return entries, rep
			}
			continue
		}
		p.more()
	}
}
