package fakekdc

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
	"github.com/gmsasim/gmsasim/fakekdc/pac"
)

func TestServiceTicket(t *testing.T) {
	l := newLab(t)
	tgt := l.tgt("alice")
	l.now = l.now.Add(time.Hour)
	c := l.ticketFor(tgt, "HOST/Web.Contoso.COM")
	part := l.open(c, l.key("web$", 18))
	if got := c.ticket.SName.PrincipalNameString(); got != "HOST/Web.Contoso.COM" || c.enc.SName.PrincipalNameString() != got {
		t.Errorf("server name: got %s, want it as it was asked for", got)
	}
	// 0x40a10000: forwardable, renewable, pre-authent, enc-pa-rep, as on Windows.
	if flags := binary.BigEndian.Uint32(c.enc.Flags.Bytes); flags != 0x40A10000 || part.flags != flags {
		t.Errorf("flags: got %#x and %#x in the ticket, want 0x40a10000", flags, part.flags)
	}
	if !part.auth.Equal(testStart) || !part.start.Equal(l.now) || !part.end.Equal(testStart.Add(10*time.Hour)) || !part.renew.Equal(testStart.Add(7*24*time.Hour)) {
		t.Errorf("times: got %v %v %v %v", part.auth, part.start, part.end, part.renew)
	}
	if c.ticket.EncPart.KVNO != 1 || c.rep.EncPart.KVNO != 0 || c.enc.Nonce != 54321 {
		t.Errorf("got key versions %d and %d, nonce %d", c.ticket.EncPart.KVNO, c.rep.EncPart.KVNO, c.enc.Nonce)
	}
	l.verifyService(part, "web$")
	if !slices.Equal(part.pac.LogonInfo.ResourceGroups, []pac.GroupMembership{localGroup}) || part.pac.LogonInfo.UserFlags != 0x220 ||
		part.pac.Attributes != nil || !part.pac.Requestor.IsZero() || !part.pac.ClientInfo.AuthTime.Equal(testStart) {
		t.Errorf("PAC: got %+v", part.pac.LogonInfo)
	}
	if len(part.pac.SIDs()) != len(l.d.expanded)+1 {
		t.Errorf("groups were looked up with %v, the ticket has %v", l.d.expanded, part.pac.SIDs())
	}
}

func TestServerNames(t *testing.T) {
	l := newLab(t)
	tgt := l.tgt("alice")
	for _, c := range []struct {
		name    Name
		options uint32
		account string
		want    string
	}{
		{service("http/web"), 0, "web$", "http/web"},
		{service("CIFS/WEB"), 0, "web$", "CIFS/WEB"},
		{service("mssqlsvc/web.contoso.com:1433"), 0, "web$", "mssqlsvc/web.contoso.com:1433"},
		{principal("web$"), 0, "web$", "web$"},
		{principal("Web"), 0, "web$", "Web"},
		{Name{NameEnterprise, []string{"web$@contoso.com"}}, 0, "web$", "web$@contoso.com"},
		{Name{NameHost, []string{"host", "web"}}, 0, "web$", "host/web"},
		{service("krbtgt/contoso"), 0, "", "krbtgt/contoso"},
		{service("krbtgt/contoso"), optCanonicalize, "", "krbtgt/CONTOSO.COM"},
		{service("krbtgt"), optCanonicalize, "", "krbtgt/CONTOSO.COM"},
		{service("kadmin/changepw"), 0, "", "kadmin/changepw"},
	} {
		got, err := l.tgs(func() *tgsAsk {
			a := l.tgsAsk(tgt, "")
			a.sname = c.name
			a.options |= c.options
			return a
		}())
		if err != nil {
			t.Errorf("%v: %v", c.name, l.last.Err)
			continue
		}
		key := l.krbtgt(18)
		if c.account != "" {
			key = l.key(c.account, 18)
		}
		l.open(got, key)
		if name := got.ticket.SName.PrincipalNameString(); name != c.want {
			t.Errorf("%v: got a ticket for %s, want %s", c.name, name, c.want)
		}
		if c.want == "kadmin/changepw" && !got.enc.EndTime.Equal(l.now.Add(2*time.Minute)) {
			t.Errorf("ticket for password changes: got end %v", got.enc.EndTime)
		}
	}
}

func TestAuthenticators(t *testing.T) {
	l := newLab(t)
	for _, etype := range []int32{18, 17, 23} {
		tgt := l.tgt("alice", func(a *ask) { a.etypes = []int32{etype} })
		for _, sub := range []int32{0, 18, 17, 23, 20, 19} {
			a := l.tgsAsk(tgt, "host/web")
			if sub != 0 {
				a.subkey, _ = krbcrypt.RandomKey(sub, l.rand)
			}
			if _, err := l.tgs(a); err != nil {
				t.Errorf("session key %d, subkey %d: %v", etype, sub, l.last.Err)
			}
		}
		a := l.tgsAsk(tgt, "host/web")
		a.noChecksum = true
		if _, err := l.tgs(a); err != nil {
			t.Errorf("session key %d, no checksum: %v", etype, l.last.Err)
		}
		a = l.tgsAsk(tgt, "host/web")
		a.as = &Name{NameUnknown, []string{"ALICE"}}
		a.skew = 5*time.Minute - time.Second
		if _, err := l.tgs(a); err != nil {
			t.Errorf("session key %d, name in another case and late: %v", etype, l.last.Err)
		}
	}
}

// TestEncryptionTypes is [MS-KILE] 3.3.5.7: the ticket is encrypted in the strongest type of the service, the session key has the
// first type of the client's list that the service supports.
func TestEncryptionTypes(t *testing.T) {
	for _, c := range []struct {
		name            string
		supported       uint32
		policy          uint32
		offered         []int32
		ticket, session int32
	}{
		{"all", 0x1C, 0, []int32{18, 17, 23}, 18, 18},
		{"client prefers RC4", 0x1C, 0, []int32{23, 18}, 18, 23},
		{"client only AES128", 0x1C, 0, []int32{17}, 18, 17},
		{"client only RC4", 0x1C, 0, []int32{23}, 18, 23},
		{"only AES128 and RC4", 0xC, 0, []int32{18, 17}, 17, 17},
		{"only RC4", 0x4, 0, []int32{18, 17, 23}, 23, 23},
		{"RC4 with AES sessions", 0x24, 0, []int32{18, 23}, 23, 18},
		{"RC4 with AES sessions, AES128", 0x24, 0, []int32{17}, 23, 17},
		{"nothing said, before 2022", 0, DefaultETypesBefore2022, []int32{18, 17, 23}, 23, 23},
		{"nothing said, 2022", 0, 0, []int32{18, 17, 23}, 23, 18},
		{"nothing said, 2026", 0, DefaultETypes2026, []int32{18, 17, 23}, 18, 18},
		{"nothing said, before 2022, no RC4 offered", 0, DefaultETypesBefore2022, []int32{18, 17}, 0, 0},
		{"nothing said, 2026, only RC4 offered", 0, DefaultETypes2026, []int32{23}, 0, 0},
		{"other bits only", 0x80000, 0, []int32{18, 23}, 0, 0},
		{"DES only", 3, 0, []int32{18, 23}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			l.k.Policy.DefaultETypes = c.policy
			tgt := l.tgt("alice")
			l.d.account("legacy$").SupportedETypes = c.supported
			a := l.tgsAsk(tgt, "http/legacy")
			a.etypes = c.offered
			got, err := l.tgs(a)
			if c.ticket == 0 {
				if err == nil || l.last.Code != ErrCodeETypeNoSupport {
					t.Fatalf("got %v, want %v", l.last.Code, ErrCodeETypeNoSupport)
				}
				return
			}
			if err != nil {
				t.Fatal(l.last.Err)
			}
			if got.ticket.EncPart.EType != c.ticket || got.key.EType != c.session || l.last.TicketEType != c.ticket || l.last.SessionEType != c.session {
				t.Errorf("got ticket %d, session %d, want %d and %d", got.ticket.EncPart.EType, got.key.EType, c.ticket, c.session)
			}
			l.open(got, l.key("legacy$", c.ticket))
		})
	}
}

func TestRenew(t *testing.T) {
	l := newLab(t)
	tgt := l.tgt("alice")
	l.now = l.now.Add(9 * time.Hour)
	again := l.ticketFor(tgt, "krbtgt/"+testRealm, func(a *tgsAsk) { a.options |= optRenew })
	part := l.open(again, l.krbtgt(18))
	if !part.auth.Equal(testStart) || !part.start.Equal(l.now) || !part.end.Equal(l.now.Add(10*time.Hour)) || !part.renew.Equal(testStart.Add(7*24*time.Hour)) {
		t.Errorf("times: got %v %v %v %v", part.auth, part.start, part.end, part.renew)
	}
	if part.pac.Requestor != l.d.account("alice").SID || part.pac.Attributes == nil || part.has(flagInitial) {
		t.Errorf("got requestor %v, flags %#x", part.pac.Requestor, part.flags)
	}
	// Near the end of its renewable life the ticket is cut.
	short := l.reseal(again, l.krbtgt(18), func(p *ticketPart) { p.renew = l.now.Add(3 * time.Hour) })
	part = l.open(l.ticketFor(short, "krbtgt/"+testRealm, func(a *tgsAsk) { a.options |= optRenew }), l.krbtgt(18))
	if !part.end.Equal(l.now.Add(3 * time.Hour)) {
		t.Errorf("end: got %v, want the end of the renewable life", part.end)
	}
}

func TestValidate(t *testing.T) {
	l := newLab(t)
	invalid := l.reseal(l.tgt("alice"), l.krbtgt(18), func(p *ticketPart) { p.flags |= flagInvalid })
	c := l.ticketFor(invalid, "krbtgt/"+testRealm, func(a *tgsAsk) { a.options |= optValidate })
	if l.open(c, l.krbtgt(18)).has(flagInvalid) {
		t.Error("got the ticket still invalid")
	}
}

func TestNoAuthData(t *testing.T) {
	l := newLab(t)
	l.d.account("web$").NoAuthData = true
	if l.open(l.ticketFor(l.tgt("alice"), "host/web"), l.key("web$", 18)).pac != nil {
		t.Error("service that wants no authorization data: got a PAC")
	}
}

func TestSIDCompressionDisabled(t *testing.T) {
	l := newLab(t)
	l.d.account("web$").SupportedETypes |= ETypeBitNoSIDCompression
	info := l.open(l.ticketFor(l.tgt("alice"), "host/web"), l.key("web$", 18)).pac.LogonInfo
	want := pac.SIDAndAttributes{SID: testSID.Append(localGroup.RID), Attributes: localGroup.Attributes}
	if len(info.ResourceGroups) != 0 || !slices.Contains(info.ExtraSIDs, want) || info.UserFlags != 0x20 {
		t.Errorf("got resource groups %v, extra SIDs %v, flags %#x", info.ResourceGroups, info.ExtraSIDs, info.UserFlags)
	}
}

// TestRestrictedLater: for 20 minutes a TGT is good although its client was disabled.
func TestRestrictedLater(t *testing.T) {
	l := newLab(t)
	tgt := l.tgt("alice")
	l.d.account("alice").Restriction = StatusAccountDisabled
	l.now = l.now.Add(20 * time.Minute)
	if _, err := l.tgs(l.tgsAsk(tgt, "host/web")); err != nil {
		t.Error(l.last.Err)
	}
}

// TestKrbtgtRoll: TGTs of the previous key are taken while there is one.
func TestKrbtgtRoll(t *testing.T) {
	l := newLab(t)
	tgt := l.tgt("alice")
	l.ticketFor(tgt, "host/web") // it is remembered now
	krbtgt, _ := l.d.own()
	old, _ := krbtgt.Keys(t.Context())
	fresh, err := krbcrypt.RandomKey(18, l.rand)
	if err != nil {
		t.Fatal(err)
	}
	rolled := KeySet{Keys: []*krbcrypt.Key{fresh}, Version: old.Version + 1, Previous: old.Keys}
	krbtgt.Keys = func(context.Context) (KeySet, error) { return rolled, nil }
	if _, err := l.tgs(l.tgsAsk(tgt, "host/web")); err != nil {
		t.Errorf("after one roll: %v", l.last.Err)
	}
	l.k.tickets = ticketCache{}
	if _, err := l.tgs(l.tgsAsk(tgt, "host/web")); err != nil {
		t.Errorf("after one roll, forgotten: %v", l.last.Err)
	}
	rolled.Version++
	rolled.Previous = []*krbcrypt.Key{fresh}
	if _, err := l.tgs(l.tgsAsk(tgt, "host/web")); err == nil || l.last.Code != ErrCodeBadKeyVersion {
		t.Errorf("after two rolls: got %v, want %v", l.last.Code, ErrCodeBadKeyVersion)
	}
}

func TestTicketCache(t *testing.T) {
	var c ticketCache
	key, _ := krbcrypt.RandomKey(18, seeded(3))
	other, _ := krbcrypt.RandomKey(18, seeded(4))
	part := &ticketPart{}
	cipher := make([]byte, 1<<20)
	for i := range 12 {
		cipher[0] = byte(i)
		c.put(key, cipher, part)
		if c.get(key, cipher) != part {
			t.Fatalf("ticket %d: got it forgotten at once", i)
		}
		if c.get(other, cipher) != nil {
			t.Fatalf("ticket %d: got it with another key", i)
		}
	}
	if cipher[0] = 0; c.get(key, cipher) != nil {
		t.Error("the first of twelve: got it remembered, want it forgotten")
	}
	if n := len(c.young) + len(c.old); n > 2*maxGeneration>>20 {
		t.Errorf("got %d tickets of 1 MiB remembered, want at most %d", n, 2*maxGeneration>>20)
	}
}

// TestConcurrentExchanges has many clients at once; -race is the judge.
func TestConcurrentExchanges(t *testing.T) {
	l := newLab(t)
	l.k.Trace = nil
	tgt := l.tgt("alice")
	requests := [][]byte{l.tgsRequest(l.tgsAsk(tgt, "host/web")), l.tgsRequest(l.tgsAsk(tgt, "http/back.contoso.com"))}
	a := asAsk("alice")
	password, salt := passwordOf("alice")
	a.padata = []paData{l.timestampOf(keyFor(t, 18, password, salt), l.now)}
	requests = append(requests, a.encode(a.body()))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 60 {
				if reply := l.k.Exchange(t.Context(), requests[i%len(requests)]); reply[0] == tagApplication+msgError {
					t.Errorf("request %d: got an error", i%len(requests))
					return
				}
			}
		})
	}
	wg.Wait()
}
