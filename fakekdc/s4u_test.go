package fakekdc

import (
	"context"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// forUser is S4U2Self of web$ with PA-FOR-USER.
func (l *lab) forUser(tgt *creds, user string) *tgsAsk {
	l.Helper()
	a := l.tgsAsk(tgt, "host/web")
	a.padata = append(a.padata, paData{paForUser, forUserData(tgt.key, principal(user), testRealm)})
	return a
}

func forUserData(key *krbcrypt.Key, name Name, realm string) []byte {
	data := binary.LittleEndian.AppendUint32(nil, uint32(name.Type))
	data = append(data, strings.Join(name.Parts, "")+realm+"Kerberos"...)
	w := newWriter(256)
	w.text(3, "Kerberos")
	m := w.mark()
	w.raw(checksumData(krbcrypt.ChecksumHMACMD5, key.ChecksumMD5(nil, data, usageForUser)))
	w.wrap(tagContext+2, m)
	w.text(1, realm)
	w.name(0, name)
	w.wrap(tagSequence, 0)
	return w.bytes()
}

// x509User is S4U2Self of web$ with PA-S4U-X509-USER.
func (l *lab) x509User(tgt *creds, user Name, key *krbcrypt.Key) *tgsAsk {
	w := newWriter(256)
	w.flags(4, s4uUseReplyKeyUsage)
	w.text(2, testRealm)
	w.name(1, user)
	w.integer(0, 54321)
	w.wrap(tagSequence, 0)
	id := w.bytes()
	ctype, sum := key.ChecksumType(), key.Checksum(nil, id, usageS4URequest)
	if key.EType == krbcrypt.RC4HMAC {
		ctype, sum = checksumMD4, sumMD4(id)
	}
	w = newWriter(256)
	w.raw(checksumData(ctype, sum))
	w.wrap(tagContext+1, 0)
	m := w.mark()
	w.raw(id)
	w.wrap(tagContext, m)
	w.wrap(tagSequence, 0)
	a := l.tgsAsk(tgt, "host/web")
	a.padata = append(a.padata, paData{paS4UX509User, w.bytes()})
	return a
}

// self is a ticket of web$ to itself in a user's name.
func (l *lab) self(user string) *creds {
	l.Helper()
	c, err := l.tgs(l.forUser(l.tgt("web$"), user))
	if err != nil {
		l.Fatalf("S4U2Self: %v", l.last.Err)
	}
	return c
}

// proxy is S4U2Proxy.
func (l *lab) proxy(tgt, evidence *creds, server string) *tgsAsk {
	a := l.tgsAsk(tgt, server)
	a.options |= optCNameInTicket
	a.tickets = [][]byte{evidence.raw}
	return a
}

// allowToAct writes msDS-AllowedToActOnBehalfOfOtherIdentity as the cmdlets do.
func (l *lab) allowToAct(resource, service string) {
	l.d.account(resource).AllowedToAct = security.MustSDDL("O:BAD:(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;" + l.d.account(service).SID.String() + ")")
}

func TestS4U2SelfForwardable(t *testing.T) {
	for _, c := range []struct {
		name    string
		trusted bool
		list    []string
		user    string
		want    bool
	}{
		{"no list", false, nil, "alice", true},
		{"a list", false, []string{"http/back.contoso.com"}, "alice", false},
		{"a list, trusted to authenticate", true, []string{"http/back.contoso.com"}, "alice", true},
		{"sensitive user", true, nil, "sensitive", false},
		{"protected user", true, nil, "protected", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			web := l.d.account("web$")
			web.TrustedToAuthForDelegation, web.AllowedToDelegateTo = c.trusted, c.list
			part := l.open(l.self(c.user), l.key("web$", 18))
			if got := part.has(flagForwardable); got != c.want {
				t.Errorf("forwardable: got %v, want %v", got, c.want)
			}
			if got := part.cname.String(); got != c.user || part.has(flagInitial) {
				t.Errorf("got client %s, flags %#x, want %s and no INITIAL", got, part.flags, c.user)
			}
		})
	}
}

func TestS4U2SelfPAC(t *testing.T) {
	l := newLab(t)
	part := l.open(l.self("alice"), l.key("web$", 18))
	sids := part.pac.SIDs()
	want := []security.SID{l.d.account("alice").SID, testSID.Append(513), security.ServiceAsserted, testSID.Append(localGroup.RID)}
	if len(sids) != len(want) {
		t.Fatalf("SIDs: got %v, want %v", sids, want)
	}
	for i := range want {
		if sids[i] != want[i] {
			t.Errorf("SID %d: got %v, want %v", i, sids[i], want[i])
		}
	}
	if part.pac.ClientInfo.Name != "alice" {
		t.Errorf("client info: got %q", part.pac.ClientInfo.Name)
	}
	l.verifyService(part, "web$")
}

func TestS4U2SelfByX509User(t *testing.T) {
	for _, etype := range []int32{18, 17, 23} {
		for _, name := range []Name{principal("ALICE"), {NameEnterprise, []string{"alice@contoso.com"}}} {
			l := newLab(t)
			tgt := l.tgt("web$", func(a *ask) { a.etypes = []int32{etype} })
			a := l.x509User(tgt, name, tgt.key)
			c, err := l.tgs(a)
			if err != nil {
				t.Fatal(l.last.Err)
			}
			want := "ALICE"
			if name.Type == NameEnterprise {
				want = "alice"
			}
			if got := c.cname.String(); got != want || l.last.OnBehalfOf.String() != name.String() {
				t.Errorf("etype %d: got client %s on behalf of %v, want %s on behalf of %v", etype, got, l.last.OnBehalfOf, want, name)
			}
			if len(c.rep.PAData) != 1 || c.rep.PAData[0].PADataType != paS4UX509User {
				t.Fatalf("reply: got padata %v, want PA-S4U-X509-USER", c.rep.PAData)
			}
			r := sequence(c.rep.PAData[0].PADataValue)
			id := r.want(tagContext)
			sum := r.inner(1)
			ctype, value := int32(sum.integer(0)), sum.octets(1)
			if r.err != nil || sum.err != nil {
				t.Fatal(r.err, sum.err)
			}
			if etype == 23 {
				if len(c.enc.EncPAData) != 1 || c.enc.EncPAData[0].PADataType != paS4UX509User || len(c.enc.EncPAData[0].PADataValue) != 32 {
					t.Errorf("RC4: got %v in the encrypted part, want both checksums", c.enc.EncPAData)
				}
				continue
			}
			if err := tgt.key.VerifyChecksum(ctype, value, id, usageS4UReply); err != nil {
				t.Errorf("etype %d: reply: %v", etype, err)
			}
		}
	}
}

func TestS4U2SelfWithoutSPN(t *testing.T) {
	l := newLab(t)
	l.d.named("web$").spns = nil
	a := l.forUser(l.tgt("web$"), "alice")
	a.sname = principal("web$")
	if _, err := l.tgs(a); err != nil {
		t.Errorf("a computer: got %v", l.last.Err)
	}
	// The same where a look-up as a service knows only accounts with service principal names.
	l.k.Principals = onlySPNs{l.d}
	a = l.forUser(l.tgt("web$"), "alice")
	a.sname = principal("web$")
	if _, err := l.tgs(a); err != nil {
		t.Errorf("a computer that is found as a client only: got %v", l.last.Err)
	}
	tgt := l.tgt("bob")
	a = l.forUser(tgt, "alice")
	a.sname = principal("bob")
	if _, err := l.tgs(a); err == nil || l.last.Code != ErrCodeServerUnknown {
		t.Errorf("a user: got %v, want %v", l.last.Code, ErrCodeServerUnknown)
	}
}

type onlySPNs struct{ *testDomain }

func (d onlySPNs) Server(ctx context.Context, name Name) (*Principal, error) {
	if len(name.Parts) == 1 {
		return nil, ErrUnknown
	}
	return d.testDomain.Server(ctx, name)
}

func TestConstrainedDelegation(t *testing.T) {
	l := newLab(t)
	web := l.d.account("web$")
	web.TrustedToAuthForDelegation, web.AllowedToDelegateTo = true, []string{"HTTP/Back.contoso.com"}
	tgt := l.tgt("web$")
	c, err := l.tgs(l.proxy(tgt, l.self("alice"), "http/back.contoso.com"))
	if err != nil {
		t.Fatal(l.last.Err)
	}
	part := l.open(c, l.key("back$", 18))
	if part.cname.String() != "alice" || !part.has(flagForwardable) || l.last.OnBehalfOf.String() != "alice" || l.last.Client.String() != "web$" {
		t.Errorf("got client %v, flags %#x, record %v for %v", part.cname, part.flags, l.last.Client, l.last.OnBehalfOf)
	}
	d := part.pac.Delegation
	if d == nil || d.Target != "http/back.contoso.com" || len(d.Transited) != 1 || d.Transited[0] != "web$@"+testRealm {
		t.Errorf("delegation: got %+v", d)
	}
	l.verifyService(part, "back$")

	// The next in the chain adds itself.
	back := l.d.account("back$")
	back.AllowedToDelegateTo = []string{"ldap/dc01.contoso.com"}
	c, err = l.tgs(l.proxy(l.tgt("back$"), c, "ldap/dc01.contoso.com"))
	if err != nil {
		t.Fatal(l.last.Err)
	}
	part = l.open(c, l.key("dc01$", 18))
	if got := strings.Join(part.pac.Delegation.Transited, " "); got != "web$@CONTOSO.COM back$@CONTOSO.COM" {
		t.Errorf("transited: got %q", got)
	}
}

// TestDelegationOfAUsersOwnTicket is constrained delegation without protocol transition: the evidence is what the user sent.
func TestDelegationOfAUsersOwnTicket(t *testing.T) {
	l := newLab(t)
	l.d.account("web$").AllowedToDelegateTo = []string{"http/back.contoso.com"}
	evidence := l.ticketFor(l.tgt("alice"), "host/web")
	if _, err := l.tgs(l.proxy(l.tgt("web$"), evidence, "http/back.contoso.com")); err != nil {
		t.Error(l.last.Err)
	}
	evidence = l.ticketFor(l.tgt("sensitive"), "host/web")
	if _, err := l.tgs(l.proxy(l.tgt("web$"), evidence, "http/back.contoso.com")); err == nil {
		t.Error("sensitive user: got a ticket, want a refusal")
	}
}

func TestResourceBasedDelegation(t *testing.T) {
	for _, memOnly := range []bool{false, true} {
		l := newLab(t)
		l.allowToAct("back$", "web$")
		if memOnly {
			l.memOnly()
		}
		l.d.account("web$").AllowedToDelegateTo = []string{"http/elsewhere"} // so that the evidence is not forwardable
		evidence := l.self("alice")
		a := l.proxy(l.tgt("web$"), evidence, "http/back.contoso.com")
		a.padata = append(a.padata, pacOptionsData(pacOptionRBCD))
		c, err := l.tgs(a)
		if err != nil {
			t.Fatal(l.last.Err)
		}
		part := l.open(c, l.key("back$", 18))
		if part.cname.String() != "alice" || !part.has(flagForwardable) {
			t.Errorf("got client %v, flags %#x", part.cname, part.flags)
		}
		var sawOptions bool
		for _, p := range c.enc.EncPAData {
			sawOptions = sawOptions || p.PADataType == paPACOptions
		}
		if !sawOptions {
			t.Error("PA-PAC-OPTIONS: got none in the reply")
		}
	}
}

// TestUnconstrainedDelegation forwards a TGT to a service that is trusted for delegation.
func TestUnconstrainedDelegation(t *testing.T) {
	l := newLab(t)
	tgt := l.tgt("alice")
	if c := l.ticketFor(tgt, "ldap/dc01.contoso.com"); l.open(c, l.key("dc01$", 18)).flags&flagOKAsDelegate == 0 {
		t.Error("ok-as-delegate: got none for a service that is trusted for delegation")
	}
	if c := l.ticketFor(tgt, "host/web"); l.open(c, l.key("web$", 18)).flags&flagOKAsDelegate != 0 {
		t.Error("ok-as-delegate: got it for a service that is not trusted")
	}
	forwarded := l.ticketFor(tgt, "krbtgt/"+testRealm, func(a *tgsAsk) { a.options |= optForwarded })
	part := l.open(forwarded, l.krbtgt(18))
	if !part.has(flagForwarded) || !part.has(flagForwardable) || part.pac.Requestor != l.d.account("alice").SID {
		t.Errorf("forwarded TGT: got flags %#x, requestor %v", part.flags, part.pac.Requestor)
	}
	if c := l.ticketFor(forwarded, "http/back.contoso.com"); !l.open(c, l.key("back$", 18)).has(flagForwarded) {
		t.Error("ticket got with a forwarded TGT: got it not marked")
	}
	proxied := l.ticketFor(tgt, "http/back.contoso.com", func(a *tgsAsk) { a.options |= optProxy })
	if !l.open(proxied, l.key("back$", 18)).has(flagProxy) {
		t.Error("proxy ticket: got it not marked")
	}
}

func TestUserToUser(t *testing.T) {
	l := newLab(t)
	service := l.tgt("web$")
	c := l.ticketFor(l.tgt("alice"), "host/web", func(a *tgsAsk) {
		a.options |= optEncTktInSkey
		a.tickets = [][]byte{service.raw}
	})
	part := l.open(c, service.key)
	if part.cname.String() != "alice" || c.ticket.EncPart.KVNO != 0 {
		t.Errorf("got client %v, key version %d", part.cname, c.ticket.EncPart.KVNO)
	}
	if err := part.pac.Verify(service.key, l.krbtgt(18), wholeTicketPart(part.fields, placeholder)); err != nil {
		t.Error(err)
	}
}

// verifyService checks all signatures of a service ticket.
func (l *lab) verifyService(part *ticketPart, service string) {
	l.Helper()
	if part.pac.Ticket == nil || part.pac.Full == nil {
		l.Error("ticket and full signature: got one missing")
	}
	if err := part.pac.Verify(l.key(service, 18), l.krbtgt(18), wholeTicketPart(part.fields, placeholder)); err != nil {
		l.Error(err)
	}
}
