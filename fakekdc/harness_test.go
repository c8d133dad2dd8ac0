package fakekdc

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/messages"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
	"github.com/gmsasim/gmsasim/fakekdc/pac"
)

const testRealm = "CONTOSO.COM"

var (
	testSID    = security.MustSID("S-1-5-21-1-2-3")
	testStart  = time.Date(2019, 5, 3, 10, 0, 0, 0, time.UTC)
	localGroup = pac.GroupMembership{RID: 1106, Attributes: pac.GroupResource}
)

// testDomain is MemPrincipals with SIDs, PACs, trusts and counters.
type testDomain struct {
	*MemPrincipals
	trusts  map[string]*Trust
	located map[string]string // service principal names of other realms

	mu       sync.Mutex
	logons   []string
	expanded []security.SID // that ResourceGroups was asked about last
	setBy    []security.SID
	refusal  error // of password changes
}

// testAccounts are the principals of every test: name, password, service principal names.
var testAccounts = [][]string{
	{"alice", "Alice!2026"}, {"bob", "Bob!2026"}, {"protected", "Protected!2026"}, {"sensitive", "Sensitive!2026"}, {"open", "Open!2026"},
	{"aesonly", "AES!2026"},
	{"web$", "Web!2026", "host/web.contoso.com", "host/web", "MSSQLSvc/web.contoso.com:1433"},
	{"back$", "Back!2026", "http/back.contoso.com", "http/twice"},
	{"twin$", "Twin!2026", "http/twice"},
	{"off$", "Off!2026", "http/off"},
	{"legacy$", "Legacy!2026", "http/legacy"},
	{"dc01$", "DC!2026", "ldap/dc01.contoso.com"},
}

func newTestDomain(t testing.TB) *testDomain {
	t.Helper()
	d := &testDomain{MemPrincipals: NewMemPrincipals(testRealm), trusts: map[string]*Trust{}, located: map[string]string{}}
	d.Rand, d.Cache = seeded(7), testKeys
	d.HostAliases = []string{"http", "cifs"}
	for i, a := range testAccounts {
		p := d.Add(a[0], a[1], a[2:]...)
		p.SID = testSID.Append(uint32(1101 + i))
	}
	d.account("protected").ProtectedUser = true
	d.account("sensitive").NotDelegated = true
	d.account("open").NoPreauth = true
	d.account("aesonly").SupportedETypes = DefaultETypes2026
	d.account("off$").Restriction = StatusAccountDisabled
	d.account("legacy$").SupportedETypes = 0
	dc := d.account("dc01$")
	dc.DomainController, dc.TrustedForDelegation = true, true
	return d
}

// seeded is a source of numbers that are the same each time.
func seeded(seed byte) io.Reader { return rand.NewChaCha8([32]byte{seed}) }

func (d *testDomain) account(name string) *Principal { return d.named(name).principal }

func (d *testDomain) Authorize(_ context.Context, p *Principal) (*pac.PAC, error) {
	rid := p.SID.RID()
	return &pac.PAC{
		LogonInfo: &pac.LogonInfo{
			LogoffTime: pac.Never(), KickOffTime: pac.Never(), PasswordMustChange: pac.Never(), EffectiveName: p.Name.String(),
			UserID: rid, PrimaryGroupID: 513, Groups: []pac.GroupMembership{{RID: 513, Attributes: pac.GroupDefault}},
			UserFlags: pac.UserFlagExtraSIDs, LogonServer: "DC01", LogonDomainName: "CONTOSO", LogonDomainID: testSID,
			UserAccountControl: pac.UserNormalAccount,
			ExtraSIDs:          []pac.SIDAndAttributes{{SID: security.AuthenticationAuthorityAssert, Attributes: pac.GroupDefault}},
		},
		UPNDNSInfo: &pac.UPNDNSInfo{UPN: p.Name.String() + "@contoso.com", DNSDomain: testRealm, Flags: pac.UPNExtended,
			SAMAccountName: p.Name.String(), SID: p.SID},
	}, nil
}

func (d *testDomain) ResourceGroups(_ context.Context, _ *Principal, sids []security.SID) (security.SID, []pac.GroupMembership, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.expanded = sids
	if !slices.Contains(sids, d.account("alice").SID) {
		return security.SID{}, nil, nil
	}
	return testSID, []pac.GroupMembership{localGroup}, nil
}

func (d *testDomain) Locate(_ context.Context, name Name) (string, error) {
	return d.located[name.String()], nil
}

func (d *testDomain) Trust(_ context.Context, realm string) (*Trust, error) {
	if t := d.trusts[strings.ToUpper(realm)]; t != nil {
		return t, nil
	}
	return nil, ErrUnknown
}

func (d *testDomain) LogonSucceeded(_ context.Context, p *Principal) { d.log("+" + p.Name.String()) }
func (d *testDomain) LogonFailed(_ context.Context, p *Principal)    { d.log("-" + p.Name.String()) }

func (d *testDomain) log(s string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.logons) < 100 { // benchmarks sign in more often
		d.logons = append(d.logons, s)
	}
}

func (d *testDomain) ChangePassword(ctx context.Context, p *Principal, password string) error {
	if d.refusal != nil {
		return d.refusal
	}
	return d.MemPrincipals.ChangePassword(ctx, p, password)
}

func (d *testDomain) SetPassword(ctx context.Context, caller *Principal, sids []security.SID, target *Principal, password string) error {
	d.setBy = sids
	if caller.Name.String() != "alice" {
		return d.MemPrincipals.SetPassword(ctx, caller, sids, target, password)
	}
	return d.MemPrincipals.ChangePassword(ctx, target, password)
}

// lab is a KDC with a clock that stands still, and a client of it.
type lab struct {
	testing.TB
	d    *testDomain
	k    *KDC
	now  time.Time
	last Exchange
	rand io.Reader
	// unsigned keeps reseal from making the signatures of service tickets.
	unsigned bool
}

func newLab(t testing.TB) *lab {
	l := &lab{TB: t, d: newTestDomain(t), now: testStart, rand: seeded(1)}
	l.k = &KDC{
		Realm: testRealm, NetBIOSName: "CONTOSO", Principals: l.d, Rand: seeded(2),
		Now:   func(context.Context) time.Time { return l.now },
		Trace: func(_ context.Context, x Exchange) { l.last = x },
	}
	return l
}

// memOnly takes PACs, trusts and counters away.
func (l *lab) memOnly() *lab {
	l.k.Principals = l.d.MemPrincipals
	return l
}

// ask is a KDC-REQ as a test wants it.
type ask struct {
	kind    byte
	cname   Name
	realm   string
	sname   Name
	options uint32
	till    time.Time
	rtime   time.Time
	nonce   int64
	etypes  []int32
	tickets [][]byte
	padata  []paData
	version int64 // 0: 5
}

func (a *ask) body() []byte {
	w := newWriter(256)
	if len(a.tickets) > 0 {
		for _, t := range slices.Backward(a.tickets) {
			w.raw(t)
		}
		w.wrap2(11, tagSequence, 0)
	}
	m := w.mark()
	for _, e := range slices.Backward(a.etypes) {
		w.bareInteger(int64(e))
	}
	w.wrap2(8, tagSequence, m)
	w.integer(7, a.nonce)
	if !a.rtime.IsZero() {
		w.time(6, a.rtime)
	}
	till := a.till
	if till.IsZero() {
		till = time.Unix(0, 0)
	}
	w.time(5, till)
	if len(a.sname.Parts) > 0 {
		w.name(3, a.sname)
	}
	w.text(2, a.realm)
	if len(a.cname.Parts) > 0 {
		w.name(1, a.cname)
	}
	w.flags(0, a.options)
	w.wrap(tagSequence, 0)
	return w.bytes()
}

func (a *ask) encode(body []byte) []byte {
	w := newWriter(1024)
	w.raw(body)
	w.wrap(tagContext+4, 0)
	if len(a.padata) > 0 {
		m := w.mark()
		w.paList(a.padata)
		w.wrap2(3, tagSequence, m)
	}
	w.integer(2, int64(a.kind))
	version := a.version
	if version == 0 {
		version = 5
	}
	w.integer(1, version)
	w.wrap(tagSequence, 0)
	w.wrap(tagApplication+a.kind, 0)
	return w.bytes()
}

func principal(s string) Name { return ParseName(NamePrincipal, s) }
func service(s string) Name   { return ParseName(NameService, s) }

// asAsk is a request for a TGT without pre-authentication.
func asAsk(client string) *ask {
	return &ask{kind: msgASReq, cname: principal(client), realm: testRealm, sname: service("krbtgt/" + testRealm), nonce: 12345,
		etypes: []int32{18, 17, 23}}
}

// keyFor is a client's key as it derives it.
func keyFor(t testing.TB, etype int32, password, salt string) *krbcrypt.Key {
	t.Helper()
	k, err := testKeys.StringToKey(etype, password, salt)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// testKeys keeps the tests from deriving the same keys again and again.
var testKeys = krbcrypt.NewCache(0)

// passwordOf is the password and the salt of an account of the tests.
func passwordOf(name string) (password, salt string) {
	for _, a := range testAccounts {
		if strings.EqualFold(a[0], name) || strings.EqualFold(a[0], name+"$") {
			return a[1], memSalt(testRealm, a[0])
		}
	}
	return "wrong", ""
}

// timestampOf is a PA-ENC-TIMESTAMP.
func (l *lab) timestampOf(key *krbcrypt.Key, at time.Time) paData {
	w := newWriter(64)
	w.integer(1, int64(at.Nanosecond()/1000))
	w.time(0, at)
	w.wrap(tagSequence, 0)
	return paData{paEncTimestamp, l.sealed(key, w.bytes(), usageTimestamp)}
}

// sealed is an EncryptedData.
func (l *lab) sealed(key *krbcrypt.Key, plain []byte, usage uint32) []byte {
	cipher, err := key.Encrypt(nil, plain, usage, l.rand)
	if err != nil {
		l.Fatal(err)
	}
	w := newWriter(len(cipher) + 32)
	w.octets(2, cipher)
	w.integer(0, int64(key.EType))
	w.wrap(tagSequence, 0)
	return w.bytes()
}

// creds is a ticket with its session key, decoded by gokrb5.
type creds struct {
	ticket messages.Ticket
	raw    []byte
	key    *krbcrypt.Key
	enc    messages.EncKDCRepPart
	cname  Name
	crealm string
	rep    messages.KDCRepFields
}

// errorOf reads a KRB-ERROR with gokrb5 and wants Active Directory's shape of it.
func (l *lab) errorOf(reply []byte) *messages.KRBError {
	l.Helper()
	var e messages.KRBError
	if err := e.Unmarshal(reply); err != nil {
		return nil
	}
	if len(e.CName.NameString) > 0 || e.EText != "" || !e.CTime.IsZero() || e.CRealm != "" && ErrorCode(e.ErrorCode) != ErrCodeWrongRealm {
		l.Errorf("error %d: got cname %v, crealm %q, ctime %v, e-text %q, want none", e.ErrorCode, e.CName, e.CRealm, e.CTime, e.EText)
	}
	if e.Realm == "" || len(e.SName.NameString) == 0 || !e.STime.Equal(l.now.Truncate(time.Second)) {
		l.Errorf("error %d: got realm %q, sname %v, stime %v", e.ErrorCode, e.Realm, e.SName, e.STime)
	}
	return &e
}

var errRefused = errors.New("refused")

// read decodes a reply; err wraps errRefused when it is a KRB-ERROR, whose code is in l.last.
func (l *lab) read(reply []byte, key *krbcrypt.Key, usage uint32) (*creds, error) {
	l.Helper()
	if e := l.errorOf(reply); e != nil {
		if int32(l.last.Code) != e.ErrorCode {
			l.Errorf("got code %v in the record and %d in the answer", l.last.Code, e.ErrorCode)
		}
		return nil, errRefused
	}
	c := new(creds)
	if reply[0] == tagApplication+msgASRep {
		var rep messages.ASRep
		if err := rep.Unmarshal(reply); err != nil {
			l.Fatalf("AS-REP: %v", err)
		}
		c.rep = rep.KDCRepFields
	} else {
		var rep messages.TGSRep
		if err := rep.Unmarshal(reply); err != nil {
			l.Fatalf("TGS-REP: %v", err)
		}
		c.rep = rep.KDCRepFields
	}
	if c.rep.EncPart.EType != key.EType {
		l.Fatalf("reply: got encryption type %d, want %d", c.rep.EncPart.EType, key.EType)
	}
	plain, err := key.Decrypt(nil, c.rep.EncPart.Cipher, usage)
	if err != nil {
		l.Fatalf("reply: %v", err)
	}
	if err := c.enc.Unmarshal(plain); err != nil {
		l.Fatalf("encrypted part: %v", err)
	}
	c.ticket = c.rep.Ticket
	if c.raw, err = c.ticket.Marshal(); err != nil {
		l.Fatal(err)
	}
	if c.key, err = krbcrypt.NewKey(c.enc.Key.KeyType, c.enc.Key.KeyValue); err != nil {
		l.Fatal(err)
	}
	c.cname, c.crealm = Name{c.rep.CName.NameType, c.rep.CName.NameString}, c.rep.CRealm
	return c, nil
}

// signIn sends an AS-REQ with the timestamp of the account's own password.
func (l *lab) signIn(a *ask) (*creds, error) {
	l.Helper()
	password, salt := passwordOf(strings.TrimSuffix(strings.ToLower(a.cname.String()), "@contoso.com"))
	key := keyFor(l, a.etypes[0], password, salt)
	a.padata = append([]paData{l.timestampOf(key, l.now)}, a.padata...)
	return l.read(l.k.Exchange(l.Context(), a.encode(a.body())), key, usageASRep)
}

// tgt gets a TGT or ends the test.
func (l *lab) tgt(client string, change ...func(*ask)) *creds {
	l.Helper()
	a := asAsk(client)
	a.options = optForwardable | optRenewable | optProxiable
	for _, f := range change {
		f(a)
	}
	c, err := l.signIn(a)
	if err != nil {
		l.Fatalf("TGT of %s: %v: %v", client, l.last.Code, l.last.Err)
	}
	return c
}

// tgsAsk is a TGS-REQ.
type tgsAsk struct {
	ask
	tgt *creds
	// Of the authenticator:
	subkey     *krbcrypt.Key
	noChecksum bool
	ctype      int32 // 0: the session key's
	badSum     bool
	as         *Name
	skew       time.Duration
	crealm     string
	raw        []byte // ticket, nil: the TGT's
}

func (l *lab) tgsAsk(tgt *creds, server string) *tgsAsk {
	return &tgsAsk{tgt: tgt, ask: ask{kind: msgTGSReq, realm: testRealm, sname: service(server), nonce: 54321, etypes: []int32{18, 17, 23},
		options: optForwardable | optRenewable}}
}

// authenticatorOf makes an encrypted Authenticator.
func (l *lab) authenticatorOf(a *tgsAsk, checksum []byte, usage uint32) []byte {
	w := newWriter(256)
	w.integer(7, 4711)
	if a.subkey != nil {
		w.key(6, a.subkey)
	}
	at := l.now.Add(a.skew)
	w.time(5, at)
	w.integer(4, int64(at.Nanosecond()/1000))
	if checksum != nil {
		m := w.mark()
		w.raw(checksum)
		w.wrap(tagContext+3, m)
	}
	name := a.tgt.cname
	if a.as != nil {
		name = *a.as
	}
	w.name(2, name)
	crealm := a.crealm
	if crealm == "" {
		crealm = a.tgt.crealm
	}
	w.text(1, crealm)
	w.integer(0, 5)
	w.wrap(tagSequence, 0)
	w.wrap(tagApplication+2, 0)
	return l.sealed(a.tgt.key, w.bytes(), usage)
}

// apReqOf is an AP-REQ.
func apReqOf(ticket, authenticator []byte) []byte {
	w := newWriter(2048)
	w.raw(authenticator)
	w.wrap(tagContext+4, 0)
	m := w.mark()
	w.raw(ticket)
	w.wrap(tagContext+3, m)
	w.flags(2, 0)
	w.integer(1, msgAPReq)
	w.integer(0, 5)
	w.wrap(tagSequence, 0)
	w.wrap(tagApplication+msgAPReq, 0)
	return w.bytes()
}

func (l *lab) tgsRequest(a *tgsAsk) []byte {
	body := a.body()
	var checksum []byte
	if !a.noChecksum {
		sum := a.tgt.key.Checksum(nil, body, usageTGSChecksum)
		if a.badSum {
			sum[0] ^= 1
		}
		ctype := a.ctype
		if ctype == 0 {
			ctype = a.tgt.key.ChecksumType()
		}
		checksum = checksumData(ctype, sum)
	}
	raw := a.raw
	if raw == nil {
		raw = a.tgt.raw
	}
	ap := apReqOf(raw, l.authenticatorOf(a, checksum, usageTGSAuth))
	a.padata = append([]paData{{paTGSReq, ap}}, a.padata...)
	return a.encode(body)
}

func (l *lab) tgs(a *tgsAsk) (*creds, error) {
	l.Helper()
	key, usage := a.tgt.key, uint32(usageTGSRepSession)
	if a.subkey != nil {
		key, usage = a.subkey, usageTGSRepSubkey
	}
	return l.read(l.k.Exchange(l.Context(), l.tgsRequest(a)), key, usage)
}

// ticketFor gets a service ticket or ends the test.
func (l *lab) ticketFor(tgt *creds, server string, change ...func(*tgsAsk)) *creds {
	l.Helper()
	a := l.tgsAsk(tgt, server)
	for _, f := range change {
		f(a)
	}
	c, err := l.tgs(a)
	if err != nil {
		l.Fatalf("ticket for %s: %v: %v", server, l.last.Code, l.last.Err)
	}
	return c
}

// key is an account's current key.
func (l *lab) key(name string, etype int32) *krbcrypt.Key {
	l.Helper()
	ks, err := l.d.account(name).Keys(l.Context())
	if err != nil {
		l.Fatal(err)
	}
	return keyOf(ks.Keys, etype)
}

func (l *lab) krbtgt(etype int32) *krbcrypt.Key {
	l.Helper()
	p, err := l.d.own()
	if err != nil {
		l.Fatal(err)
	}
	ks, _ := p.Keys(l.Context())
	return keyOf(ks.Keys, etype)
}

// open decrypts a ticket. What gokrb5 reads of it and what the KDC's own reader does must agree.
func (l *lab) open(c *creds, key *krbcrypt.Key) *ticketPart {
	l.Helper()
	plain, err := key.Decrypt(nil, c.ticket.EncPart.Cipher, usageTicket)
	if err != nil {
		l.Fatalf("ticket for %v: %v", c.ticket.SName.PrincipalNameString(), err)
	}
	var judge messages.EncTicketPart
	if err := judge.Unmarshal(plain); err != nil {
		l.Fatalf("EncTicketPart: %v", err)
	}
	part, err := parseTicketPart(plain)
	if err != nil {
		l.Fatal(err)
	}
	if !slices.Equal(judge.CName.NameString, part.cname.Parts) || judge.CRealm != part.crealm || !judge.AuthTime.Equal(part.auth) ||
		!judge.StartTime.Equal(part.start) || !judge.EndTime.Equal(part.end) || !judge.RenewTill.Equal(part.renew) ||
		judge.Transited.TRType != transitedX500 || string(judge.Transited.Contents) != part.transited {
		l.Errorf("ticket: gokrb5 reads %+v, we read %+v", judge, part)
	}
	return part
}
