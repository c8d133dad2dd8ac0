package fakekdc

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/messages"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
	"github.com/gmsasim/gmsasim/fakekdc/pac"
)

// trust adds a trust with a realm.
func (l *lab) trust(realm string) *Trust {
	key, err := krbcrypt.RandomKey(18, l.rand)
	if err != nil {
		l.Fatal(err)
	}
	t := &Trust{Realm: realm, Keys: func(context.Context) (KeySet, error) {
		return KeySet{Keys: []*krbcrypt.Key{key}, Version: 3}, nil
	}}
	l.d.trusts[realm] = t
	return t
}

func (l *lab) trustKey(t *Trust) *krbcrypt.Key {
	ks, _ := t.Keys(l.Context())
	return ks.Keys[0]
}

// foreignTGT is what the KDC of another realm refers a client to us with.
func (l *lab) foreignTGT(t *Trust, client string) *creds {
	l.Helper()
	session, err := krbcrypt.RandomKey(18, l.rand)
	if err != nil {
		l.Fatal(err)
	}
	key := l.trustKey(t)
	p, _ := l.d.Authorize(l.Context(), l.d.account("alice"))
	p.Requestor = testSID.Append(7777)
	p.ClientInfo = &pac.ClientInfo{AuthTime: l.now, Name: client}
	encoded, err := p.Sign(pac.SignOptions{ServerKey: key, KDCKey: session}) // their krbtgt's key is theirs
	if err != nil {
		l.Fatal(err)
	}
	part := &ticketPart{flags: flagForwardable | flagPreAuthent, session: session, crealm: t.Realm, cname: principal(client), auth: l.now,
		start: l.now, end: l.now.Add(time.Hour)}
	cipher, err := key.Encrypt(nil, wholeTicketPart(part.encodeFields(), encoded), usageTicket, l.rand)
	if err != nil {
		l.Fatal(err)
	}
	w := newWriter(2048)
	w.ticket(0, ticket{realm: t.Realm, sname: service("krbtgt/" + testRealm), enc: encrypted{etype: 18, kvno: 3, hasKvno: true, cipher: cipher}})
	r := &reader{b: w.bytes()}
	raw := r.want(tagContext)
	c := &creds{raw: raw, key: session, cname: principal(client), crealm: t.Realm}
	if err := c.ticket.Unmarshal(raw); err != nil {
		l.Fatal(err)
	}
	return c
}

func TestReferral(t *testing.T) {
	l := newLab(t)
	other := l.trust("OTHER.COM")
	l.d.located["http/far.other.com"] = "OTHER.COM"
	tgt := l.tgt("alice")
	if _, err := l.tgs(l.tgsAsk(tgt, "http/far.other.com")); err == nil || l.last.Code != ErrCodeServerUnknown {
		t.Errorf("without canonicalize: got %v, want %v", l.last.Code, ErrCodeServerUnknown)
	}
	for _, server := range []string{"http/far.other.com", "krbtgt/OTHER.COM", "krbtgt/other.com"} {
		c := l.ticketFor(tgt, server, func(a *tgsAsk) { a.options |= optCanonicalize })
		if got := c.ticket.SName.PrincipalNameString(); got != "krbtgt/OTHER.COM" || c.ticket.Realm != testRealm || l.last.Referral != "OTHER.COM" {
			t.Errorf("%s: got a ticket for %s of %s, referral %q", server, got, c.ticket.Realm, l.last.Referral)
		}
		if c.ticket.EncPart.KVNO != 3 {
			t.Errorf("%s: got key version %d, want the trust's", server, c.ticket.EncPart.KVNO)
		}
		part := l.open(c, l.trustKey(other))
		if part.pac.Requestor != l.d.account("alice").SID || part.pac.Ticket != nil || part.pac.LogonInfo.ResourceGroups != nil {
			t.Errorf("%s: got requestor %v, ticket signature %v, resource groups %v", server, part.pac.Requestor, part.pac.Ticket, part.pac.LogonInfo.ResourceGroups)
		}
		if err := part.pac.Verify(l.trustKey(other), l.krbtgt(18), nil); err != nil {
			t.Error(err)
		}
	}
}

// TestReferralThroughTheRoot refers to the realm on the way.
func TestReferralThroughTheRoot(t *testing.T) {
	l := newLab(t)
	root := l.trust("ROOT.COM")
	l.d.trusts["LEAF.COM"] = root
	c := l.ticketFor(l.tgt("alice"), "krbtgt/LEAF.COM")
	if got := c.ticket.SName.PrincipalNameString(); got != "krbtgt/ROOT.COM" {
		t.Errorf("got a ticket for %s, want the root's", got)
	}
}

func TestForeignClient(t *testing.T) {
	l := newLab(t)
	c := l.ticketFor(l.foreignTGT(l.trust("OTHER.COM"), "eve"), "host/web")
	part := l.open(c, l.key("web$", 18))
	if part.cname.String() != "eve" || part.crealm != "OTHER.COM" || part.transited != "" {
		t.Errorf("got %v@%s, transited %q", part.cname, part.crealm, part.transited)
	}
	l.verifyService(part, "web$")

	// A client of a third realm comes through OTHER.COM, which is then noted.
	tgt := l.foreignTGT(l.d.trusts["OTHER.COM"], "eve")
	key := l.trustKey(l.d.trusts["OTHER.COM"])
	plain, err := key.Decrypt(nil, tgt.ticket.EncPart.Cipher, usageTicket)
	if err != nil {
		t.Fatal(err)
	}
	old, err := parseTicketPart(plain)
	if err != nil {
		t.Fatal(err)
	}
	old.crealm = "THIRD.COM"
	encoded, err := old.pac.Sign(pac.SignOptions{ServerKey: key, KDCKey: tgt.key})
	if err != nil {
		t.Fatal(err)
	}
	if tgt.ticket.EncPart.Cipher, err = key.Encrypt(nil, wholeTicketPart(old.encodeFields(), encoded), usageTicket, l.rand); err != nil {
		t.Fatal(err)
	}
	tgt.raw, _ = tgt.ticket.Marshal()
	tgt.crealm = "THIRD.COM"
	part = l.open(l.ticketFor(tgt, "host/web"), l.key("web$", 18))
	if part.transited != "OTHER.COM" {
		t.Errorf("transited: got %q, want OTHER.COM", part.transited)
	}
}

// TestWrongRealm names the realm that a client belongs to.
func TestWrongRealm(t *testing.T) {
	l := newLab(t)
	l.trust("OTHER.COM")
	for _, c := range []struct {
		realm string
		name  Name
		want  string
	}{
		{"other.com", principal("eve"), "OTHER.COM"},
		{"NOWHERE.COM", principal("eve"), testRealm},
		{testRealm, Name{NameEnterprise, []string{"eve@other.com"}}, "OTHER.COM"},
	} {
		a := asAsk("x")
		a.realm, a.cname = c.realm, c.name
		var e messages.KRBError
		if err := e.Unmarshal(l.k.Exchange(t.Context(), a.encode(a.body()))); err != nil {
			t.Fatal(err)
		}
		if e.ErrorCode != int32(ErrCodeWrongRealm) || e.CRealm != c.want || !strings.EqualFold(e.Realm, c.realm) {
			t.Errorf("%v@%s: got code %d, crealm %q, realm %q, want crealm %q", c.name, c.realm, e.ErrorCode, e.CRealm, e.Realm, c.want)
		}
	}
}
