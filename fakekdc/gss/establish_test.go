package gss

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/spnego"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

func TestEstablish(t *testing.T) {
	for _, etype := range etypes {
		for _, negotiate := range []bool{false, true} {
			for _, flags := range []Flags{0, FlagMutual, FlagInteg | FlagSequence, secureFlags} {
				t.Run(fmt.Sprintf("etype %d, SPNEGO %t, flags %#x", etype, negotiate, flags), func(t *testing.T) {
					r := newRealm(t, etype, nil)
					cfg := r.initiator(flags)
					cfg.SPNEGO = negotiate
					i, a := establish(t, NewInitiator(cfg), NewAcceptor(r.acceptor()))
					if a.Flags != flags || i.Flags != flags {
						t.Errorf("flags: got %#x and %#x, want %#x", i.Flags, a.Flags, flags)
					}
					if got, want := a.Client.String()+" at "+a.Server.String(), "alice@CONTOSO.COM at ldap/dc01.contoso.com@CONTOSO.COM"; got != want {
						t.Errorf("names: got %s, want %s", got, want)
					}
					if !bytes.Equal(a.PAC, samplePAC) || a.ServiceKey != r.service || a.TicketFlags != 0x40a10000 {
						t.Errorf("ticket: got PAC %q, flags %#x", a.PAC, a.TicketFlags)
					}
					if !a.AuthTime.Equal(start) || !a.StartTime.Equal(start.Add(time.Minute)) || !a.EndTime.Equal(start.Add(10*time.Hour)) || !a.RenewTill.Equal(start.Add(168*time.Hour)) {
						t.Errorf("times: got %v, %v, %v, %v", a.AuthTime, a.StartTime, a.EndTime, a.RenewTill)
					}
					if !bytes.Equal(i.MessageKey.Value, a.MessageKey.Value) || i.MessageKey.EType != etype || !bytes.Equal(a.SessionKey.Value, r.session.Value) {
						t.Errorf("message keys: got %x and %x", i.MessageKey.Value, a.MessageKey.Value)
					}
					// With mutual authentication the key is the acceptor's, but for RC4.
					if own := !bytes.Equal(a.MessageKey.Value, a.initiatorKey.Value); own != (flags&FlagMutual != 0 && etype != krbcrypt.RC4HMAC) {
						t.Errorf("acceptor's subkey: got %t", own)
					}
					for _, way := range []struct{ from, to *Context }{{i, a}, {a, i}} {
						token, err := way.from.Wrap(nil, []byte("hello"), true)
						if err != nil {
							t.Fatal(err)
						}
						if plain, conf, err := way.to.Unwrap(token); err != nil || !conf || string(plain) != "hello" {
							t.Errorf("message: got %q, %t, %v", plain, conf, err)
						}
					}
				})
			}
		}
	}
}

// TestInitiatorAgainstGokrb5 lets gokrb5 take our AP-REQ apart and make the AP-REP.
func TestInitiatorAgainstGokrb5(t *testing.T) {
	for _, etype := range etypes {
		t.Run(fmt.Sprint("etype ", etype), func(t *testing.T) {
			r := newRealm(t, etype, nil)
			cfg := r.initiator(secureFlags)
			bindings := HashBindings([]byte("tls-server-end-point:x"))
			cfg.Bindings = &bindings
			i := NewInitiator(cfg)
			token, done, err := i.Step(nil)
			if err != nil || done {
				t.Fatalf("got %t, %v, want a token and more to come", done, err)
			}
			var k spnego.KRB5Token
			if err := k.Unmarshal(token); err != nil || !k.IsAPReq() {
				t.Fatalf("gokrb5 does not read the token: %v", err)
			}
			if err := k.APReq.Ticket.Decrypt(gokrb5Key(r.service)); err != nil {
				t.Fatal(err)
			}
			if err := k.APReq.DecryptAuthenticator(gokrb5Key(r.session)); err != nil {
				t.Fatal(err)
			}
			auth := k.APReq.Authenticator
			want := slices.Concat([]byte{16, 0, 0, 0}, bindings[:], []byte{0x3e, 0, 0, 0})
			if auth.Cksum.CksumType != 0x8003 || !bytes.Equal(auth.Cksum.Checksum, want) {
				t.Errorf("checksum: got %#x %x, want 0x8003 %x", auth.Cksum.CksumType, auth.Cksum.Checksum, want)
			}
			if !types.IsFlagSet(&k.APReq.APOptions, 2) || auth.CName.PrincipalNameString() != "alice" || auth.CRealm != "CONTOSO.COM" || !auth.CTime.Equal(r.now) {
				t.Errorf("got options %v, authenticator %+v", k.APReq.APOptions, auth)
			}
			subkey := randomKey(t, etype, 9)
			part := messages.EncAPRepPart{CTime: auth.CTime, Cusec: auth.Cusec, Subkey: gokrb5Key(subkey), SequenceNumber: 77}
			if _, done, err = i.Step(gokrb5APRep(t, part, r.session)); err != nil || !done {
				t.Fatalf("AP-REP: got %t, %v, want done", done, err)
			}
			ctx := i.Context()
			if ctx.receive.next != 77 || ctx.send != uint64(auth.SeqNumber) {
				t.Errorf("numbers: got %d and %d, want 77 and %d", ctx.receive.next, ctx.send, auth.SeqNumber)
			}
			// MIT uses no acceptor's subkey with RFC 4757.
			if got := bytes.Equal(ctx.MessageKey.Value, subkey.Value); got != (etype != krbcrypt.RC4HMAC) {
				t.Errorf("acceptor's subkey is used: got %t", got)
			}
		})
	}
}

// gokrb5APRep encodes an AP-REP with its header.
func gokrb5APRep(t testing.TB, part messages.EncAPRepPart, session *krbcrypt.Key) []byte {
	t.Helper()
	b, err := asn1.Marshal(part)
	if err != nil {
		t.Fatal(err)
	}
	cipher, err := crypto.GetEncryptedData(asn1tools.AddASNAppTag(b, 27), gokrb5Key(session), 12, 0)
	if err != nil {
		t.Fatal(err)
	}
	b, err = asn1.Marshal(messages.APRep{PVNO: 5, MsgType: 15, EncPart: cipher})
	if err != nil {
		t.Fatal(err)
	}
	return frame(tokenAPRep, asn1tools.AddASNAppTag(b, 15))
}

// TestAcceptorAgainstGokrb5 lets gokrb5 make the AP-REQ and read our AP-REP.
func TestAcceptorAgainstGokrb5(t *testing.T) {
	for _, etype := range etypes {
		for _, bare := range []bool{false, true} {
			t.Run(fmt.Sprintf("etype %d, bare %t", etype, bare), func(t *testing.T) {
				r := newRealm(t, etype, nil)
				auth := r.authenticatorOf(secureFlags)
				auth.SubKey = gokrb5Key(randomKey(t, etype, 8))
				token := r.apReq(t, auth, mutualOption)
				if !bare {
					token = frame(tokenAPReq, token)
				}
				a := NewAcceptor(r.acceptor())
				out, done, err := a.Step(token)
				if err != nil || !done {
					t.Fatalf("got %t, %v, want done", done, err)
				}
				if bare {
					out = frame(tokenAPRep, out)
				}
				var k spnego.KRB5Token
				if err := k.Unmarshal(out); err != nil || !k.IsAPRep() {
					t.Fatalf("gokrb5 does not read the token %x: %v", out, err)
				}
				b, err := crypto.DecryptEncPart(k.APRep.EncPart, gokrb5Key(r.session), 12)
				if err != nil {
					t.Fatal(err)
				}
				var part messages.EncAPRepPart
				if err := part.Unmarshal(b); err != nil {
					t.Fatal(err)
				}
				ctx := a.Context()
				if !part.CTime.Equal(auth.CTime) || part.Cusec != auth.Cusec || uint64(part.SequenceNumber) != ctx.send {
					t.Errorf("got %+v, want the authenticator's time and number %d", part, ctx.send)
				}
				want := ctx.MessageKey
				if etype == krbcrypt.RC4HMAC {
					if part.Subkey.KeyType != 0 || !bytes.Equal(want.Value, auth.SubKey.KeyValue) {
						t.Errorf("RC4: got subkey %+v, want none and the initiator's in use", part.Subkey)
					}
				} else if part.Subkey.KeyType != etype || !bytes.Equal(part.Subkey.KeyValue, want.Value) {
					t.Errorf("subkey: got %+v, want %x", part.Subkey, want.Value)
				}
			})
		}
	}
}

// TestAcceptorRefusals covers every check of RFC 4120 3.2.3.
func TestAcceptorRefusals(t *testing.T) {
	for _, tt := range []struct {
		name   string
		ticket func(*messages.EncTicketPart)
		auth   func(*types.Authenticator)
		config func(*realm, *AcceptorConfig)
		option byte
		code   int32 // 0: accepted
		err    error // without a code
	}{
		{name: "accepted", option: mutualOption},
		{name: "at the edge of the skew", auth: func(a *types.Authenticator) { a.CTime = a.CTime.Add(-5 * time.Minute); a.Cusec = 0 }},
		{name: "client ahead", auth: func(a *types.Authenticator) { a.CTime = a.CTime.Add(5*time.Minute + time.Second) }, code: 37},
		{name: "client behind", auth: func(a *types.Authenticator) { a.CTime = a.CTime.Add(-5*time.Minute - time.Second) }, code: 37},
		{name: "own skew", auth: func(a *types.Authenticator) { a.CTime = a.CTime.Add(-2 * time.Minute) }, config: func(_ *realm, c *AcceptorConfig) { c.Skew = time.Minute }, code: 37},
		{name: "expired", ticket: func(p *messages.EncTicketPart) { p.EndTime = start.Add(54 * time.Minute) }, code: 32},
		{name: "expired within the skew", ticket: func(p *messages.EncTicketPart) { p.EndTime = start.Add(56 * time.Minute) }},
		{name: "not yet valid", ticket: func(p *messages.EncTicketPart) { p.StartTime = start.Add(66 * time.Minute) }, code: 33},
		{name: "no start time", ticket: func(p *messages.EncTicketPart) { p.StartTime = time.Time{} }},
		{name: "no start time, authenticated later", ticket: func(p *messages.EncTicketPart) { p.StartTime, p.AuthTime = time.Time{}, start.Add(2*time.Hour) }, code: 33},
		{name: "invalid flag", ticket: func(p *messages.EncTicketPart) { p.Flags.Bytes = []byte{0x41, 0, 0, 0} }, code: 33},
		{name: "other client", auth: func(a *types.Authenticator) { a.CName.NameString = []string{"bob"} }, code: 36},
		{name: "other realm", auth: func(a *types.Authenticator) { a.CRealm = "FABRIKAM.COM" }, code: 36},
		{name: "client in other case", auth: func(a *types.Authenticator) { a.CName.NameString, a.CRealm = []string{"ALICE"}, "contoso.com" }},
		{name: "session key of an unknown type", ticket: func(p *messages.EncTicketPart) { p.Key.KeyType = 1 }, code: 41},
		{name: "session key too short", ticket: func(p *messages.EncTicketPart) { p.Key.KeyValue = p.Key.KeyValue[1:] }, code: 41},
		{name: "other session key", ticket: func(p *messages.EncTicketPart) { p.Key.KeyValue = make([]byte, 32) }, code: 41},
		{name: "subkey of an unknown type", auth: func(a *types.Authenticator) { a.SubKey = types.EncryptionKey{KeyType: 1, KeyValue: make([]byte, 8)} }, code: 41},
		{name: "checksum too short", auth: func(a *types.Authenticator) { a.Cksum.Checksum = a.Cksum.Checksum[:23] }, code: 50},
		{name: "checksum with delegated credentials", auth: func(a *types.Authenticator) { a.Cksum.Checksum = append(a.Cksum.Checksum, 1, 0, 2, 0, 9, 9) }},
		{name: "no checksum, as impacket", auth: func(a *types.Authenticator) { a.Cksum = types.Checksum{} }},
		{name: "authenticator of another version", auth: func(a *types.Authenticator) { a.AVNO = 4 }, code: 39},
		{name: "microseconds", auth: func(a *types.Authenticator) { a.Cusec = 1_000_000 }, err: ErrToken},
		{name: "user-to-user", option: 0x40, code: 67},
		{name: "no key", config: func(_ *realm, c *AcceptorConfig) {
			c.Keys = func(Principal, int32, int) ([]*krbcrypt.Key, error) { return nil, nil }
		}, code: 45},
		{name: "error of the keys", config: func(_ *realm, c *AcceptorConfig) {
			c.Keys = func(Principal, int32, int) ([]*krbcrypt.Key, error) { return nil, errors.New("no root key") }
		}, code: 45},
		{name: "error with a code", config: func(_ *realm, c *AcceptorConfig) {
			c.Keys = func(Principal, int32, int) ([]*krbcrypt.Key, error) {
				return nil, &Error{Code: 13, Err: errors.New("x")}
			}
		}, code: 13},
		{name: "key of another type", config: func(_ *realm, c *AcceptorConfig) {
			c.Keys = func(Principal, int32, int) ([]*krbcrypt.Key, error) {
				return []*krbcrypt.Key{randomKey(t, krbcrypt.RC4HMAC, 1)}, nil
			}
		}, code: 45},
		{name: "another key", config: func(_ *realm, c *AcceptorConfig) {
			c.Keys = func(Principal, int32, int) ([]*krbcrypt.Key, error) {
				return []*krbcrypt.Key{randomKey(t, krbcrypt.AES256SHA1, 99)}, nil
			}
		}, code: 41},
		{name: "old key beside the new one", config: func(r *realm, c *AcceptorConfig) {
			c.Keys = func(server Principal, etype int32, kvno int) ([]*krbcrypt.Key, error) {
				if server.String() != ldapDC.String() || etype != krbcrypt.AES256SHA1 || kvno != 7 {
					t.Errorf("asked for keys of %v, type %d, version %d", server, etype, kvno)
				}
				return []*krbcrypt.Key{randomKey(t, krbcrypt.RC4HMAC, 1), randomKey(t, krbcrypt.AES256SHA1, 99), r.service}, nil
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRealm(t, krbcrypt.AES256SHA1, tt.ticket)
			auth := r.authenticatorOf(secureFlags)
			if tt.auth != nil {
				tt.auth(&auth)
			}
			cfg := r.acceptor()
			if tt.config != nil {
				tt.config(r, &cfg)
			}
			a := NewAcceptor(cfg)
			out, done, err := a.Step(frame(tokenAPReq, r.apReq(t, auth, tt.option)))
			if tt.code == 0 && tt.err == nil {
				if err != nil || !done || a.Context() == nil {
					t.Fatalf("got %t, %v, want a context", done, err)
				}
				return
			}
			if done || a.Context() != nil {
				t.Error("got a context")
			}
			if tt.err != nil {
				if !errors.Is(err, tt.err) || out != nil {
					t.Errorf("got %x, %v, want %v", out, err, tt.err)
				}
				return
			}
			var coded *Error
			if !errors.As(err, &coded) || coded.Code != tt.code {
				t.Fatalf("got %v, want code %d", err, tt.code)
			}
			var k spnego.KRB5Token
			if err := k.Unmarshal(out); err != nil || !k.IsKRBError() {
				t.Fatalf("gokrb5 does not read the token %x: %v", out, err)
			}
			if got := k.KRBError; got.ErrorCode != tt.code || got.Realm != "CONTOSO.COM" || got.SName.PrincipalNameString() != "ldap/dc01.contoso.com" || !got.STime.Equal(r.now) {
				t.Errorf("KRB-ERROR: got %+v, want code %d", got, tt.code)
			}
			// The initiator tells the same code.
			i := NewInitiator(r.initiator(secureFlags))
			if _, _, err := i.Step(nil); err != nil {
				t.Fatal(err)
			}
			if _, _, err := i.Step(out); !errors.As(err, &coded) || coded.Code != tt.code {
				t.Errorf("initiator: got %v, want code %d", err, tt.code)
			}
			if _, _, err := a.Step(nil); !errors.Is(err, ErrToken) {
				t.Errorf("a step after the end: got %v, want ErrToken", err)
			}
		})
	}
}

func TestInitiatorRefusals(t *testing.T) {
	for _, tt := range []struct {
		name string
		part func(*messages.EncAPRepPart)
		key  byte // seed of the key it is encrypted with, 0: the session key
		code int32
	}{
		{name: "other time", part: func(p *messages.EncAPRepPart) { p.CTime = p.CTime.Add(time.Second) }, code: 46},
		{name: "other microseconds", part: func(p *messages.EncAPRepPart) { p.Cusec++ }, code: 46},
		{name: "other key", key: 99, code: 41},
		{name: "subkey of an unknown type", part: func(p *messages.EncAPRepPart) { p.Subkey = types.EncryptionKey{KeyType: 3, KeyValue: []byte{1}} }, code: 41},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRealm(t, krbcrypt.AES256SHA1, nil)
			i := NewInitiator(r.initiator(secureFlags))
			if _, _, err := i.Step(nil); err != nil {
				t.Fatal(err)
			}
			part := messages.EncAPRepPart{CTime: r.now, SequenceNumber: 1}
			if tt.part != nil {
				tt.part(&part)
			}
			key := r.session
			if tt.key != 0 {
				key = randomKey(t, krbcrypt.AES256SHA1, tt.key)
			}
			_, done, err := i.Step(gokrb5APRep(t, part, key))
			var coded *Error
			if done || !errors.As(err, &coded) || coded.Code != tt.code || i.Context() != nil {
				t.Errorf("got %t, %v, want code %d", done, err, tt.code)
			}
		})
	}
	r := newRealm(t, krbcrypt.AES256SHA1, nil)
	cfg := r.initiator(0)
	cfg.Ticket = []byte("no ticket")
	if _, _, err := NewInitiator(cfg).Step(nil); !errors.Is(err, ErrToken) {
		t.Errorf("no ticket: got %v, want ErrToken", err)
	}
}

// TestAcceptorNonsense feeds tokens that are none.
func TestAcceptorNonsense(t *testing.T) {
	r := newRealm(t, krbcrypt.AES256SHA1, nil)
	good := frame(tokenAPReq, r.apReq(t, r.authenticatorOf(0), 0))
	iakerb := tlv(application, tlv(tagOID, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x05}), []byte{1, 0})
	for _, tt := range []struct {
		name  string
		token []byte
		want  error
	}{
		{"text", []byte("hello"), ErrToken},
		{"cut short", good[:len(good)-1], ErrToken},
		{"too long", make([]byte, maxToken+1), ErrToken},
		{"only a header", frame(tokenAPReq, nil), ErrToken},
		{"no identifier", tlv(application, tlv(tagOID, oidKRB5), []byte{1}), ErrToken},
		{"AP-REP", frame(tokenAPRep, nil), ErrToken},
		{"other mechanism", iakerb, ErrMechanism},
		{"NTLM", []byte("NTLMSSP\x00\x01\x00\x00\x00"), ErrNTLM},
		{"negotiation answer first", (&negTokenResp{state: acceptCompleted}).encode(), ErrToken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := NewAcceptor(r.acceptor())
			if out, done, err := a.Step(tt.token); done || !errors.Is(err, tt.want) {
				t.Errorf("got %x, %t, %v, want %v", out, done, err, tt.want)
			}
		})
	}
	// The token is a token of the old name of the mechanism.
	old := tlv(application, tlv(tagOID, oidMSKRB5), []byte{1, 0}, r.apReq(t, r.authenticatorOf(0), 0))
	if _, done, err := NewAcceptor(r.acceptor()).Step(old); err != nil || !done {
		t.Errorf("Windows 2000's OID: got %t, %v, want done", done, err)
	}
}

func TestReplay(t *testing.T) {
	r := newRealm(t, krbcrypt.AES256SHA1, nil)
	cfg := r.acceptor()
	cfg.Replay = NewReplayCache(4)
	token := func() []byte { return frame(tokenAPReq, r.apReq(t, r.authenticatorOf(0), 0)) }
	accept := func(token []byte) error {
		_, _, err := NewAcceptor(cfg).Step(token)
		return err
	}
	first := token()
	if err := accept(first); err != nil {
		t.Fatal(err)
	}
	var coded *Error
	if err := accept(first); !errors.As(err, &coded) || coded.Code != 34 {
		t.Errorf("again: got %v, want code 34", err)
	}
	if err := accept(token()); err != nil {
		t.Errorf("another authenticator of the same second: got %v, want none", err)
	}
	// It is bounded: the oldest is forgotten.
	for range 4 {
		if err := accept(token()); err != nil {
			t.Fatal(err)
		}
	}
	if got := cfg.Replay.Len(); got != 4 {
		t.Errorf("remembered: got %d, want 4", got)
	}
	if err := accept(first); err != nil {
		t.Errorf("after being forgotten: got %v, want none", err)
	}
	// What is too old to be accepted again is not kept.
	r.now = r.now.Add(10*time.Minute + time.Second)
	if err := accept(token()); err != nil {
		t.Fatal(err)
	}
	if got := cfg.Replay.Len(); got != 1 {
		t.Errorf("remembered after ten minutes: got %d, want 1", got)
	}
	// A request that is refused may come again.
	r.now = r.now.Add(time.Hour)
	late := frame(tokenAPReq, r.apReq(t, func() types.Authenticator {
		a := r.authenticatorOf(0)
		a.CTime = a.CTime.Add(6 * time.Minute)
		return a
	}(), 0))
	if err := accept(late); !errors.As(err, &coded) || coded.Code != 37 {
		t.Fatalf("too early: got %v, want code 37", err)
	}
	r.now = r.now.Add(5 * time.Minute)
	if err := accept(late); err != nil {
		t.Errorf("in time: got %v, want none", err)
	}
}

func TestReplayCacheGrows(t *testing.T) {
	c := NewReplayCache(40)
	now := start
	for i := range 100 {
		if c.seen([]byte{byte(i)}, now, time.Minute) {
			t.Errorf("%d: seen before it came", i)
		}
		now = now.Add(time.Second)
		if want := min(i+1, 40); c.Len() != want {
			t.Errorf("after %d: got %d, want %d", i+1, c.Len(), want)
		}
	}
	for i := 60; i < 100; i++ {
		if !c.seen([]byte{byte(i)}, now, time.Minute) {
			t.Errorf("%d: forgotten", i)
		}
	}
}

func TestBindings(t *testing.T) {
	mine, other := HashBindings([]byte("tls-server-end-point:mine")), HashBindings([]byte("tls-server-end-point:other"))
	// AD-AUTH-DATA-AP-OPTIONS with KERB_AP_OPTIONS_CBT inside AD-IF-RELEVANT ([MS-KILE] 3.2.5.8).
	inner, err := asn1.Marshal(types.AuthorizationData{{ADType: 143, ADData: []byte{0, 0x40, 0, 0}}})
	if err != nil {
		t.Fatal(err)
	}
	knows := types.AuthorizationData{{ADType: 1, ADData: inner}}
	for _, tt := range []struct {
		name     string
		want     *[16]byte
		optional bool
		sent     *[16]byte // nil: zeros
		knows    bool
		none     bool // no checksum at all
		refused  bool
	}{
		{name: "not asked for", sent: &other},
		{name: "match", want: &mine, sent: &mine},
		{name: "differ", want: &mine, sent: &other, refused: true},
		{name: "differ, optional", want: &mine, optional: true, sent: &other, refused: true},
		{name: "none", want: &mine, refused: true},
		{name: "no checksum", want: &mine, none: true, refused: true},
		{name: "none, optional", want: &mine, optional: true},
		{name: "no checksum, optional", want: &mine, optional: true, none: true},
		{name: "none, optional, but the client knows them", want: &mine, optional: true, knows: true, refused: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRealm(t, krbcrypt.AES256SHA1, nil)
			auth := r.authenticatorOf(0)
			if tt.sent != nil {
				auth.Cksum.Checksum = encodeGSSChecksum(*tt.sent, 0)
			}
			if tt.knows {
				auth.AuthorizationData = knows
			}
			if tt.none {
				auth.Cksum = types.Checksum{}
			}
			cfg := r.acceptor()
			cfg.Bindings, cfg.BindingsOptional = tt.want, tt.optional
			a := NewAcceptor(cfg)
			_, _, err := a.Step(frame(tokenAPReq, r.apReq(t, auth, 0)))
			if tt.refused != errors.Is(err, ErrBindings) || !tt.refused && err != nil {
				t.Errorf("got %v, want refused %t", err, tt.refused)
			}
			if err == nil && tt.sent != nil && a.Context().Bindings != *tt.sent {
				t.Errorf("bindings: got %x, want %x", a.Context().Bindings, *tt.sent)
			}
		})
	}
	// RFC 4121 4.1.1.2 over five fields: types and lengths of the addresses, length and data of the application.
	if got, want := fmt.Sprintf("%x", HashBindings(nil)), "441018525208457705bf09a8ee3c1093"; got != want {
		t.Errorf("empty bindings: got %s, want %s", got, want)
	}
}
