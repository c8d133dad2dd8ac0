package fakekdc

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
	"github.com/gmsasim/gmsasim/fakekdc/pac"
)

// methods decodes METHOD-DATA with gokrb5 and gives the types in order, and ETYPE-INFO2 as text.
func methods(t testing.TB, data []byte) (kinds []int32, info string) {
	t.Helper()
	var list types.PADataSequence
	if err := list.Unmarshal(data); err != nil {
		t.Fatalf("METHOD-DATA: %v", err)
	}
	for _, p := range list {
		kinds = append(kinds, p.PADataType)
		if p.PADataType == paETypeInfo2 {
			entries, err := p.GetETypeInfo2()
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				info += fmt.Sprintf("%d:%s:%x ", e.EType, e.Salt, e.S2KParams)
			}
		}
	}
	return kinds, info
}

func TestPreauthHints(t *testing.T) {
	for _, c := range []struct {
		client string
		etypes []int32
		kinds  []int32
		info   string
	}{
		{"alice", []int32{18, 17, 23}, []int32{19, 2, 16, 15}, "18:CONTOSO.COMalice: 23:: "},
		{"ALICE", []int32{23, 18}, []int32{19, 2, 16, 15}, "18:CONTOSO.COMalice: 23:: "},
		{"alice", []int32{17}, []int32{19, 2, 16, 15}, "17:CONTOSO.COMalice: "},
		{"alice", []int32{23}, []int32{11, 19, 2, 16, 15}, "23:: "},
		{"web", []int32{18}, []int32{19, 2, 16, 15}, "18:CONTOSO.COMhostweb.contoso.com: "},
		{"protected", []int32{18, 23}, []int32{19, 2, 16, 15}, "18:CONTOSO.COMprotected: "},
		{"aesonly", []int32{23, 17}, []int32{19, 2, 16, 15}, "17:CONTOSO.COMaesonly: "},
	} {
		l := newLab(t)
		a := asAsk(c.client)
		a.etypes = c.etypes
		e := l.errorOf(l.k.Exchange(t.Context(), a.encode(a.body())))
		if e == nil || e.ErrorCode != int32(ErrCodePreauthRequired) {
			t.Fatalf("%s %v: got %v", c.client, c.etypes, l.last.Code)
		}
		kinds, info := methods(t, e.EData)
		if !slices.Equal(kinds, c.kinds) || info != c.info {
			t.Errorf("%s %v: got %v %q, want %v %q", c.client, c.etypes, kinds, info, c.kinds, c.info)
		}
	}
	l := newLab(t)
	e := l.errorOf(l.wrongPassword("alice"))
	if kinds, info := methods(t, e.EData); !slices.Equal(kinds, []int32{19}) || info != "18:CONTOSO.COMalice: 23:: " {
		t.Errorf("wrong password: got %v %q, want only ETYPE-INFO2", kinds, info)
	}
}

func TestNames(t *testing.T) {
	enterprise := Name{NameEnterprise, []string{"Alice@Contoso.com"}}
	for _, c := range []struct {
		cname        Name
		realm, sname string
		options      uint32
		wantC, wantS string
		wantType     int32
	}{
		{principal("ALICE"), testRealm, "krbtgt/CONTOSO.COM", 0, "ALICE", "krbtgt/CONTOSO.COM", NamePrincipal},
		{principal("ALICE"), testRealm, "krbtgt/CONTOSO.COM", optCanonicalize, "alice", "krbtgt/CONTOSO.COM", NamePrincipal},
		{principal("alice"), "contoso.com", "krbtgt/contoso.com", 0, "alice", "krbtgt/contoso.com", NamePrincipal},
		{principal("alice"), "CONTOSO", "krbtgt/CONTOSO", 0, "alice", "krbtgt/CONTOSO", NamePrincipal},
		{principal("alice"), "CONTOSO", "krbtgt/CONTOSO", optCanonicalize, "alice", "krbtgt/CONTOSO.COM", NamePrincipal},
		{principal("alice"), testRealm, "krbtgt", optCanonicalize, "alice", "krbtgt/CONTOSO.COM", NamePrincipal},
		{principal("Web"), testRealm, "krbtgt/CONTOSO.COM", 0, "Web", "krbtgt/CONTOSO.COM", NamePrincipal},
		{principal("Web"), testRealm, "krbtgt/CONTOSO.COM", optCanonicalize, "web$", "krbtgt/CONTOSO.COM", NamePrincipal},
		{enterprise, testRealm, "krbtgt/CONTOSO.COM", 0, "Alice@Contoso.com", "krbtgt/CONTOSO.COM", NameEnterprise},
		{enterprise, testRealm, "krbtgt/CONTOSO.COM", optCanonicalize, "alice", "krbtgt/CONTOSO.COM", NamePrincipal},
		{principal("alice"), testRealm, "HOST/web", optCanonicalize, "alice", "HOST/web", NamePrincipal},
		{principal("alice"), testRealm, "web$", 0, "alice", "web$", NamePrincipal},
		{principal("alice"), testRealm, "kadmin/changepw", 0, "alice", "kadmin/changepw", NamePrincipal},
	} {
		l := newLab(t)
		a := asAsk("")
		a.cname, a.realm, a.sname, a.options = c.cname, c.realm, service(c.sname), c.options
		got, err := l.signIn(a)
		if err != nil {
			t.Errorf("%v for %s: %v", c.cname, c.sname, l.last.Err)
			continue
		}
		if got.cname.String() != c.wantC || got.cname.Type != c.wantType || got.crealm != testRealm || got.ticket.SName.PrincipalNameString() != c.wantS ||
			got.enc.SName.PrincipalNameString() != c.wantS || got.enc.SRealm != testRealm || got.ticket.Realm != testRealm {
			t.Errorf("%v@%s for %s, options %#x: got %v (%d)@%s, ticket for %s, want %s (%d), %s", c.cname, c.realm, c.sname, c.options,
				got.cname, got.cname.Type, got.crealm, got.ticket.SName.PrincipalNameString(), c.wantC, c.wantType, c.wantS)
		}
	}
}

func TestLifetimesAndFlags(t *testing.T) {
	const day = 24 * time.Hour
	base := uint32(flagInitial | flagPreAuthent | flagEncPARep)
	for _, c := range []struct {
		name       string
		client     string
		change     func(*ask)
		policy     Policy
		flags      uint32
		end, renew time.Duration
	}{
		{"all asked", "alice", func(a *ask) { a.options = optForwardable | optProxiable | optRenewable }, Policy{}, 0x50E10000, 10 * time.Hour, 7 * day},
		{"Windows' own", "alice", func(a *ask) { a.options = optForwardable | optRenewable }, Policy{}, 0x40E10000, 10 * time.Hour, 7 * day},
		{"nothing asked", "alice", func(a *ask) {}, Policy{}, base, 10 * time.Hour, 0},
		{"renewable is fine too", "alice", func(a *ask) { a.options = 1 << 4; a.till = testStart.Add(20 * day) }, Policy{}, base, 10 * time.Hour, 0},
		{"shorter", "alice", func(a *ask) { a.till = testStart.Add(time.Hour) }, Policy{}, base, time.Hour, 0},
		{"longer", "alice", func(a *ask) { a.till = testStart.Add(1000 * day) }, Policy{}, base, 10 * time.Hour, 0},
		{"renewed for a day", "alice", func(a *ask) { a.options = optRenewable; a.rtime = testStart.Add(day) }, Policy{}, base | flagRenewable, 10 * time.Hour, day},
		{"protected user", "protected", func(a *ask) { a.options = optForwardable | optProxiable | optRenewable }, Policy{}, base, 4 * time.Hour, 0},
		{"sensitive user", "sensitive", func(a *ask) { a.options = optForwardable | optProxiable | optRenewable }, Policy{}, base | flagRenewable, 10 * time.Hour, 7 * day},
		{"password change", "alice", func(a *ask) { a.sname = kadminName; a.options = optRenewable }, Policy{}, base, 2 * time.Minute, 0},
		{"policy", "alice", func(a *ask) { a.options = optRenewable }, Policy{MaxTicketAge: time.Hour, MaxRenewAge: day}, base | flagRenewable, time.Hour, day},
		{"service", "alice", func(a *ask) { a.sname = service("host/web") }, Policy{MaxServiceAge: time.Hour}, base, time.Hour, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			l.k.Policy = c.policy
			a := asAsk(c.client)
			c.change(a)
			got, err := l.signIn(a)
			if err != nil {
				t.Fatal(l.last.Err)
			}
			flags := binary.BigEndian.Uint32(got.enc.Flags.Bytes)
			if flags != c.flags || !got.enc.EndTime.Equal(testStart.Add(c.end)) || !got.enc.AuthTime.Equal(testStart) ||
				!got.enc.StartTime.Equal(testStart) || got.enc.RenewTill.IsZero() != (c.renew == 0) || c.renew != 0 && !got.enc.RenewTill.Equal(testStart.Add(c.renew)) {
				t.Errorf("got flags %#x, times %v %v %v, want %#x, end +%v, renew +%v", flags, got.enc.AuthTime, got.enc.EndTime, got.enc.RenewTill, c.flags, c.end, c.renew)
			}
			if l.last.Flags != flags || l.last.Preauth != 18 || !l.last.EndTime.Equal(got.enc.EndTime) || l.last.Code != 0 || l.last.Kind != KindAS {
				t.Errorf("record: got %+v", l.last)
			}
		})
	}
}

func TestWithoutPreauth(t *testing.T) {
	l := newLab(t)
	a := asAsk("open")
	password, salt := passwordOf("open")
	c, err := l.read(l.k.Exchange(t.Context(), a.encode(a.body())), keyFor(t, 18, password, salt), usageASRep)
	if err != nil {
		t.Fatal(l.last.Err)
	}
	if binary.BigEndian.Uint32(c.enc.Flags.Bytes)&flagPreAuthent != 0 {
		t.Error("PRE-AUTHENT: got it set")
	}
}

// TestPreviousPassword: a password that was just replaced still signs in, and the reply is for who has that one.
func TestPreviousPassword(t *testing.T) {
	l := newLab(t)
	current := keyFor(t, 18, "Fresh!2026", memSalt(testRealm, "alice"))
	password, salt := passwordOf("alice")
	old := keyFor(t, 18, password, salt)
	l.d.account("alice").Keys = func(context.Context) (KeySet, error) {
		return KeySet{Keys: []*krbcrypt.Key{current}, Version: 5, Salt: salt, Previous: []*krbcrypt.Key{old}}, nil
	}
	c, err := l.signIn(asAsk("alice"))
	if err != nil {
		t.Fatal(l.last.Err)
	}
	if c.rep.EncPart.KVNO != 4 {
		t.Errorf("key version of the reply: got %d, want 4", c.rep.EncPart.KVNO)
	}
}

func TestEncryptedPAData(t *testing.T) {
	for _, c := range []struct {
		options uint32
		padata  []paData
		want    []int32
	}{
		{0, nil, nil},
		{optCanonicalize, nil, []int32{165, 167}},
		{0, []paData{{paReqEncPARep, nil}}, []int32{149, 136}},
		{0, []paData{{paASFreshness, nil}, {paReqEncPARep, nil}}, []int32{149}},
		{optCanonicalize, []paData{{paReqEncPARep, nil}, pacOptionsData(pacOptionRBCD)}, []int32{165, 167, 149, 136}},
	} {
		l := newLab(t)
		a := asAsk("alice")
		a.options, a.padata = c.options, c.padata
		got, err := l.signIn(a)
		if err != nil {
			t.Fatal(l.last.Err)
		}
		var kinds []int32
		for _, p := range got.enc.EncPAData {
			kinds = append(kinds, p.PADataType)
			switch p.PADataType {
			case paSupportedETypes:
				if binary.LittleEndian.Uint32(p.PADataValue) != 0x1C {
					t.Errorf("supported types: got %x, want 1c000000", p.PADataValue)
				}
			case paReqEncPARep:
				var sum types.PAReqEncPARep
				if err := sum.Unmarshal(p.PADataValue); err != nil {
					t.Fatal(err)
				}
				password, salt := passwordOf("alice")
				if err := keyFor(t, 18, password, salt).VerifyChecksum(sum.ChksumType, sum.Chksum, a.encode(a.body()), usageReqEncPARep); err != nil {
					t.Error(err)
				}
			}
		}
		if !slices.Equal(kinds, c.want) {
			t.Errorf("options %#x, %d padata: got %v, want %v", c.options, len(c.padata), kinds, c.want)
		}
	}
}

// TestReplyData: ETYPE-INFO2 with what the reply is encrypted in, the expiration of the password, and counters.
func TestReplyData(t *testing.T) {
	l := newLab(t)
	expires := testStart.Add(42 * 24 * time.Hour)
	l.d.account("alice").PasswordExpires = expires
	c := l.tgt("alice")
	if len(c.rep.PAData) != 1 || c.rep.PAData[0].PADataType != paETypeInfo2 {
		t.Errorf("padata: got %v, want ETYPE-INFO2", c.rep.PAData)
	}
	if !c.enc.KeyExpiration.Equal(expires) || len(c.enc.LastReqs) != 1 || c.enc.LastReqs[0].LRType != 6 || !c.enc.LastReqs[0].LRValue.Equal(expires) {
		t.Errorf("expiration: got %v, last-req %v", c.enc.KeyExpiration, c.enc.LastReqs)
	}
	if c = l.tgt("web$"); !c.enc.KeyExpiration.IsZero() || c.enc.LastReqs[0].LRType != 0 {
		t.Errorf("no expiration: got %v, last-req %v", c.enc.KeyExpiration, c.enc.LastReqs)
	}
	if c = l.tgt("alice", func(a *ask) { a.etypes = []int32{23} }); len(c.rep.PAData) != 0 || l.last.SessionEType != 23 || l.last.TicketEType != 18 {
		t.Errorf("RC4: got padata %v, session type %d, ticket type %d", c.rep.PAData, l.last.SessionEType, l.last.TicketEType)
	}
	l.wrongPassword("bob")
	if want := []string{"+alice", "+web$", "+alice", "-bob"}; !slices.Equal(l.d.logons, want) {
		t.Errorf("counters: got %v, want %v", l.d.logons, want)
	}
}

// TestExpiredPasswordMayChange gives a ticket for kadmin/changepw to who must change the password.
func TestExpiredPasswordMayChange(t *testing.T) {
	l := newLab(t)
	l.d.account("alice").PasswordStatus = StatusPasswordMustChange
	a := asAsk("alice")
	a.sname = kadminName
	if _, err := l.signIn(a); err != nil {
		t.Error(l.last.Err)
	}
}

func pacRequestData(include bool) paData {
	b := byte(0)
	if include {
		b = 0xFF
	}
	return paData{paPACRequest, []byte{0x30, 5, 0xA0, 3, 1, 1, b}}
}

// TestPACRequest: a TGT always has a PAC; service tickets have none when the client wanted none at sign-in.
func TestPACRequest(t *testing.T) {
	for _, c := range []struct {
		name       string
		padata     []paData
		attributes uint32
		service    bool
	}{
		{"not said", nil, pac.AttributeGivenImplicitly, true},
		{"wanted", []paData{pacRequestData(true)}, pac.AttributeRequested, true},
		{"unwanted", []paData{pacRequestData(false)}, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			tgt := l.tgt("alice", func(a *ask) { a.padata = c.padata })
			part := l.open(tgt, l.krbtgt(18))
			if part.pac == nil || part.pac.Attributes == nil || *part.pac.Attributes != c.attributes || part.pac.Requestor != l.d.account("alice").SID {
				t.Fatalf("TGT: got %+v, want attributes %d", part.pac, c.attributes)
			}
			if part.pac.Ticket != nil || part.pac.Full != nil || part.pac.LogonInfo.ResourceGroups != nil {
				t.Error("TGT: got signatures or groups that belong into service tickets")
			}
			if err := part.pac.Verify(l.krbtgt(18), l.krbtgt(18), nil); err != nil {
				t.Error(err)
			}
			ticket := l.open(l.ticketFor(tgt, "host/web"), l.key("web$", 18))
			if got := ticket.pac != nil; got != c.service || l.last.PAC != c.service {
				t.Errorf("service ticket: got a PAC: %v, want %v", got, c.service)
			}
			direct := l.tgt("alice", func(a *ask) { a.padata, a.sname = c.padata, service("host/web") })
			if part := l.open(direct, l.key("web$", 18)); (part.pac != nil) != c.service {
				t.Errorf("service ticket by AS: got a PAC: %v, want %v", part.pac != nil, c.service)
			} else if part.pac != nil {
				l.verifyService(part, "web$")
			}
		})
	}
}

func TestInterceptDrops(t *testing.T) {
	l := newLab(t)
	l.k.Intercept = func(_ context.Context, x *Exchange) Intercepted {
		if x.Client.String() != "alice" || x.Server.String() != "krbtgt/CONTOSO.COM" || x.Kind != KindAS {
			t.Errorf("got %+v", x)
		}
		return Intercepted{Drop: true}
	}
	a := asAsk("alice")
	if got := l.k.Exchange(t.Context(), a.encode(a.body())); got != nil || l.last.Err == nil {
		t.Errorf("got %x, record %v, want nothing and an error", got, l.last.Err)
	}
}

func TestNotARequest(t *testing.T) {
	l := newLab(t)
	for _, req := range [][]byte{nil, {}, {0x30}, []byte("GET / HTTP/1.1"), {0x6E, 0x03, 1, 1, 1}} {
		if got := l.k.Exchange(t.Context(), req); got != nil {
			t.Errorf("%x: got %x, want nothing", req, got)
		}
	}
}

// TestDeterminism: the same seeds and requests give the same octets.
func TestDeterminism(t *testing.T) {
	transcript := func() []byte {
		l := newLab(t)
		var all bytes.Buffer
		l.k.Rand = seeded(9)
		tgt := l.tgt("alice")
		all.Write(tgt.raw)
		for _, server := range []string{"host/web", "http/back.contoso.com", "ldap/dc01.contoso.com"} {
			all.Write(l.k.Exchange(t.Context(), l.tgsRequest(l.tgsAsk(tgt, server))))
		}
		all.Write(l.self("alice").raw)
		return all.Bytes()
	}
	if a, b := transcript(), transcript(); !bytes.Equal(a, b) {
		t.Error("two runs: got different octets")
	}
}
