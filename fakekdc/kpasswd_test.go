package fakekdc

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/kadmin"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// passwordAsk is a request to kpasswd as a test wants it.
type passwordAsk struct {
	*tgsAsk
	version uint16
	data    []byte
	seq     int64
	age     time.Duration // of the KRB-PRIV
	key     *krbcrypt.Key // of the KRB-PRIV, nil: the right one
}

// changeAsk is a change of the account's own password.
func (l *lab) changeAsk(c *creds, password string) *passwordAsk {
	return &passwordAsk{tgsAsk: l.tgsAsk(c, ""), version: versionChange, data: []byte(password), seq: 4711}
}

// setAsk is a request that names whose password is meant.
func (l *lab) setAsk(c *creds, target Name, realm, password string) *passwordAsk {
	w := newWriter(128)
	if realm != "" {
		w.text(2, realm)
	}
	if len(target.Parts) > 0 {
		w.name(1, target)
	}
	w.octets(0, []byte(password))
	w.wrap(tagSequence, 0)
	return &passwordAsk{tgsAsk: l.tgsAsk(c, ""), version: versionSet, data: w.bytes(), seq: 4711}
}

func (l *lab) passwordRequest(a *passwordAsk) []byte {
	key := a.tgt.key
	if a.subkey != nil {
		key = a.subkey
	}
	if a.key != nil {
		key = a.key
	}
	w := newWriter(256)
	w.octets(1, []byte{127, 0, 0, 1})
	w.integer(0, 2)
	w.wrap2(4, tagSequence, 0)
	w.integer(3, a.seq)
	w.integer(2, 0)
	w.time(1, l.now.Add(-a.age))
	w.octets(0, a.data)
	w.wrap(tagSequence, 0)
	w.wrap(tagApplication+msgEncPriv, 0)
	sealed := l.sealed(key, w.bytes(), usagePriv)
	w = newWriter(512)
	w.raw(sealed)
	w.wrap(tagContext+3, 0)
	w.integer(1, msgPriv)
	w.integer(0, 5)
	w.wrap(tagSequence, 0)
	w.wrap(tagApplication+msgPriv, 0)
	raw := a.raw
	if raw == nil {
		raw = a.tgt.raw
	}
	b := passwordMessage(apReqOf(raw, l.authenticatorOf(a.tgsAsk, nil, usageAPAuth)), w.bytes())
	binary.BigEndian.PutUint16(b[2:], a.version)
	return b
}

// passwordAnswer decodes an answer with gokrb5: a result, and the code of a KRB-ERROR when it is one.
func (l *lab) passwordAnswer(a *passwordAsk, b []byte) (result uint16, text string, code ErrorCode) {
	l.Helper()
	if binary.BigEndian.Uint16(b) != uint16(len(b)) || binary.BigEndian.Uint16(b[2:]) != 1 {
		l.Fatalf("answer begins with %x, has %d octets", b[:6], len(b))
	}
	var reply kadmin.Reply
	if err := reply.Unmarshal(b); err != nil {
		l.Fatalf("answer: %v", err)
	}
	if reply.APREPLength == 0 {
		e := l.errorOf(b[6:])
		if e == nil || e.SName.PrincipalNameString() != "kadmin/changepw" {
			l.Fatalf("answer without AP-REP: got no KRB-ERROR of kadmin/changepw: %x", b)
		}
		return binary.BigEndian.Uint16(e.EData), string(e.EData[2:]), ErrorCode(e.ErrorCode)
	}
	key := a.tgt.key
	plain, err := key.Decrypt(nil, reply.APREP.EncPart.Cipher, usageAPRep)
	if err != nil {
		l.Fatalf("AP-REP: %v", err)
	}
	var part messages.EncAPRepPart
	if err := part.Unmarshal(plain); err != nil || part.SequenceNumber != 4711 || !part.CTime.Equal(l.now.Add(a.skew).Truncate(time.Second)) {
		l.Errorf("AP-REP: got %+v, %v", part, err)
	}
	if a.subkey != nil {
		key = a.subkey
	}
	if err := reply.Decrypt(types.EncryptionKey{KeyType: key.EType, KeyValue: key.Value}); err != nil {
		l.Fatalf("KRB-PRIV: %v", err)
	}
	if seq := reply.KRBPriv.DecryptedEncPart.SequenceNumber; seq != 4711 {
		l.Errorf("sequence number of the answer: got %d, want that of the AP-REP", seq)
	}
	return reply.ResultCode, reply.Result, 0
}

// changeTicket is an initial ticket for kadmin/changepw.
func (l *lab) changeTicket(client string) *creds {
	return l.tgt(client, func(a *ask) { a.sname, a.options = kadminName, 0 })
}

func TestPasswordChange(t *testing.T) {
	for _, etype := range []int32{18, 17, 23} {
		for _, sub := range []bool{false, true} {
			for _, form := range []string{"change", "set without a name", "set of one's own"} {
				l := newLab(t)
				c := l.tgt("alice", func(a *ask) { a.sname, a.etypes = kadminName, []int32{etype} })
				var a *passwordAsk
				switch form {
				case "change":
					a = l.changeAsk(c, "Fresh!2026")
				case "set without a name":
					a = l.setAsk(c, Name{}, "", "Fresh!2026")
				default:
					a = l.setAsk(c, principal("ALICE"), "contoso.com", "Fresh!2026")
				}
				if sub {
					a.subkey, _ = krbcrypt.RandomKey(18, l.rand)
				}
				result, text, code := l.passwordAnswer(a, l.k.ExchangePassword(t.Context(), l.passwordRequest(a)))
				if result != PasswordSuccess || code != 0 || l.last.Kind != KindPassword || l.last.Err != nil {
					t.Fatalf("%s, etype %d: got %d %q, code %v, record %v", form, etype, result, text, code, l.last.Err)
				}
				if want := keyFor(t, 18, "Fresh!2026", memSalt(testRealm, "alice")); string(l.key("alice", 18).Value) != string(want.Value) {
					t.Errorf("%s: the password is not the new one", form)
				}
				if ks, _ := l.d.account("alice").Keys(t.Context()); ks.Version != 2 {
					t.Errorf("key version: got %d, want 2", ks.Version)
				}
			}
		}
	}
}

// TestPasswordResults is every result code of RFC 3244 with its cause, and the KRB-ERROR that carries those that come before there is
// a security context.
func TestPasswordResults(t *testing.T) {
	damaged := func(change func(b []byte) []byte) func(l *lab) (*passwordAsk, []byte) {
		return func(l *lab) (*passwordAsk, []byte) {
			a := l.changeAsk(l.changeTicket("alice"), "Fresh!2026")
			return a, change(l.passwordRequest(a))
		}
	}
	asked := func(ask func(l *lab) *passwordAsk) func(l *lab) (*passwordAsk, []byte) {
		return func(l *lab) (*passwordAsk, []byte) {
			a := ask(l)
			return a, l.passwordRequest(a)
		}
	}
	for _, c := range []struct {
		name   string
		result uint16
		code   ErrorCode
		cause  func(l *lab) (*passwordAsk, []byte)
	}{
		{"set by an administrator", PasswordSuccess, 0, asked(func(l *lab) *passwordAsk {
			return l.setAsk(l.changeTicket("alice"), principal("bob"), testRealm, "Fresh!2026")
		})},
		{"set with a ticket that is not initial", PasswordSuccess, 0, asked(func(l *lab) *passwordAsk {
			return l.setAsk(l.ticketFor(l.tgt("alice"), "kadmin/changepw"), principal("bob"), testRealm, "Fresh!2026")
		})},
		{"length", PasswordMalformed, ErrCodeModified, damaged(func(b []byte) []byte { return append(b, 0) })},
		{"length of the AP-REQ", PasswordMalformed, ErrCodeModified, damaged(func(b []byte) []byte {
			binary.BigEndian.PutUint16(b[4:], uint16(len(b)))
			return b
		})},
		{"no AP-REQ", PasswordMalformed, ErrCodeModified, damaged(func(b []byte) []byte { b[4], b[5] = 0, 0; return b })},
		{"AP-REQ", PasswordMalformed, ErrCodeModified, damaged(func(b []byte) []byte { b[6] = 0; return b })},
		{"KRB-PRIV", PasswordMalformed, ErrCodeModified, damaged(func(b []byte) []byte { b[len(b)-1] ^= 1; return b })},
		{"sequence number", PasswordMalformed, ErrCodeModified, asked(func(l *lab) *passwordAsk {
			a := l.changeAsk(l.changeTicket("alice"), "Fresh!2026")
			a.seq = 1
			return a
		})},
		{"set data", PasswordMalformed, 0, asked(func(l *lab) *passwordAsk {
			a := l.setAsk(l.changeTicket("alice"), Name{}, "", "")
			a.data = []byte("no DER")
			return a
		})},
		{"password that is no UTF-8", PasswordMalformed, 0, asked(func(l *lab) *passwordAsk { return l.changeAsk(l.changeTicket("alice"), "\xff\xfe") })},
		{"password that is too long", PasswordMalformed, 0, asked(func(l *lab) *passwordAsk {
			return l.changeAsk(l.changeTicket("alice"), string(make([]byte, maxPassword+1)))
		})},
		{"failure", PasswordHardError, 0, asked(func(l *lab) *passwordAsk {
			l.d.refusal = errors.New("disk on fire")
			return l.changeAsk(l.changeTicket("alice"), "Fresh!2026")
		})},
		{"no such target", PasswordHardError, 0, asked(func(l *lab) *passwordAsk {
			return l.setAsk(l.changeTicket("alice"), principal("nobody"), testRealm, "Fresh!2026")
		})},
		{"target in another realm", PasswordHardError, 0, asked(func(l *lab) *passwordAsk {
			return l.setAsk(l.changeTicket("alice"), principal("bob"), "OTHER.COM", "Fresh!2026")
		})},
		{"nothing that changes passwords", PasswordHardError, 0, asked(func(l *lab) *passwordAsk {
			c := l.changeTicket("alice")
			l.k.Principals = struct{ Principals }{l.d}
			return l.changeAsk(c, "Fresh!2026")
		})},
		{"principals that panic", PasswordHardError, ErrCodeGeneric, asked(func(l *lab) *passwordAsk {
			c := l.changeTicket("alice")
			p, _ := l.d.own()
			p.Keys = func(context.Context) (KeySet, error) { panic("boom") }
			return l.changeAsk(c, "Fresh!2026")
		})},
		{"another service's ticket", PasswordAuthError, ErrCodeNotUs, asked(func(l *lab) *passwordAsk {
			return l.changeAsk(l.tgt("alice"), "Fresh!2026")
		})},
		{"expired ticket", PasswordAuthError, ErrCodeTicketExpired, asked(func(l *lab) *passwordAsk {
			c := l.changeTicket("alice")
			l.now = l.now.Add(2 * time.Minute)
			return l.changeAsk(c, "Fresh!2026")
		})},
		{"damaged ticket", PasswordAuthError, ErrCodeModified, asked(func(l *lab) *passwordAsk {
			c := l.changeTicket("alice")
			c.ticket.EncPart.Cipher[40] ^= 1
			c.raw, _ = c.ticket.Marshal()
			return l.changeAsk(c, "Fresh!2026")
		})},
		{"clock", PasswordAuthError, ErrCodeSkew, asked(func(l *lab) *passwordAsk {
			a := l.changeAsk(l.changeTicket("alice"), "Fresh!2026")
			a.skew = 6 * time.Minute
			return a
		})},
		{"old KRB-PRIV", PasswordAuthError, ErrCodeSkew, asked(func(l *lab) *passwordAsk {
			a := l.changeAsk(l.changeTicket("alice"), "Fresh!2026")
			a.age = 6 * time.Minute
			return a
		})},
		{"client deleted", PasswordAuthError, 0, asked(func(l *lab) *passwordAsk {
			c := l.changeTicket("alice")
			l.d.accounts = l.d.accounts[1:]
			return l.changeAsk(c, "Fresh!2026")
		})},
		{"policy", PasswordSoftError, 0, asked(func(l *lab) *passwordAsk {
			l.d.refusal = &PasswordError{Result: PasswordSoftError, Policy: &PasswordPolicy{MinLength: 7, History: 24, Properties: 1,
				MaxAge: 42 * 24 * time.Hour, MinAge: 24 * time.Hour}}
			return l.changeAsk(l.changeTicket("alice"), "short")
		})},
		{"set by somebody", PasswordAccessDenied, 0, asked(func(l *lab) *passwordAsk {
			return l.setAsk(l.changeTicket("bob"), principal("alice"), testRealm, "Fresh!2026")
		})},
		{"version", PasswordBadVersion, ErrCodeBadVersion, damaged(func(b []byte) []byte { b[3] = 2; return b })},
		{"change with a ticket that is not initial", PasswordInitialFlagRequired, 0, asked(func(l *lab) *passwordAsk {
			return l.changeAsk(l.ticketFor(l.tgt("alice"), "kadmin/changepw"), "Fresh!2026")
		})},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			a, req := c.cause(l)
			result, text, code := l.passwordAnswer(a, l.k.ExchangePassword(t.Context(), req))
			if result != c.result || code != c.code || l.last.Result != c.result || l.last.Code != c.code {
				t.Errorf("got result %d %q, code %v, record %d %v (%v), want %d, code %v", result, text, code, l.last.Result, l.last.Code, l.last.Err, c.result, c.code)
			}
			if (l.last.Err == nil) != (c.result == PasswordSuccess) {
				t.Errorf("record: got %v", l.last.Err)
			}
		})
	}
}

func TestPasswordPolicyBytes(t *testing.T) {
	p := PasswordPolicy{MinLength: 7, History: 24, Properties: 1, MaxAge: 42 * 24 * time.Hour, MinAge: 24 * time.Hour}
	const want = "0000" + "00000007" + "00000018" + "00000001" + "00002100f5598000" + "000000c92a69c000"
	if got := hex.EncodeToString(p.encode()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPasswordSetHasTheCallersGroups(t *testing.T) {
	l := newLab(t)
	a := l.setAsk(l.changeTicket("alice"), principal("bob"), testRealm, "Fresh!2026")
	l.k.ExchangePassword(t.Context(), l.passwordRequest(a))
	if !slices.Contains(l.d.setBy, l.d.account("alice").SID) || !slices.Contains(l.d.setBy, testSID.Append(localGroup.RID)) {
		t.Errorf("got SIDs %v", l.d.setBy)
	}
	if l.last.OnBehalfOf.String() != "bob" || l.last.Client.String() != "alice" {
		t.Errorf("record: got %v for %v", l.last.Client, l.last.OnBehalfOf)
	}
}

func TestPasswordIntercept(t *testing.T) {
	l := newLab(t)
	a := l.changeAsk(l.changeTicket("alice"), "Fresh!2026")
	l.k.Intercept = func(_ context.Context, x *Exchange) Intercepted { return Intercepted{Drop: x.Kind == KindPassword} }
	if got := l.k.ExchangePassword(t.Context(), l.passwordRequest(a)); got != nil {
		t.Errorf("got %x, want nothing", got)
	}
	if got := l.k.ExchangePassword(t.Context(), []byte("GET /")); got != nil {
		t.Errorf("not a request: got %x, want nothing", got)
	}
}

// TestPasswordAddress: MIT's client compares the sender's address in the answer with where it came from.
func TestPasswordAddress(t *testing.T) {
	for _, c := range []struct {
		local string
		kind  int32
		want  string
	}{{"192.0.2.10", 2, "c000020a"}, {"2001:db8::1", 24, "20010db8000000000000000000000001"}} {
		l := newLab(t)
		a := l.changeAsk(l.changeTicket("alice"), "Fresh!2026")
		b := l.k.exchangePassword(t.Context(), l.passwordRequest(a), netip.MustParseAddr(c.local), true)
		var reply kadmin.Reply
		if err := reply.Unmarshal(b); err != nil {
			t.Fatal(err)
		}
		if err := reply.Decrypt(types.EncryptionKey{KeyType: a.tgt.key.EType, KeyValue: a.tgt.key.Value}); err != nil {
			t.Fatal(err)
		}
		if got := reply.KRBPriv.DecryptedEncPart.SAddress; got.AddrType != c.kind || hex.EncodeToString(got.Address) != c.want || !l.last.UDP {
			t.Errorf("%s: got address %d %x, want %d %s", c.local, got.AddrType, got.Address, c.kind, c.want)
		}
	}
}
