package gss

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/spnego"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

var (
	msKRB5 = asn1.ObjectIdentifier{1, 2, 840, 48018, 1, 2, 2}
	ntlm   = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 2, 10}
)

// readInit and readResp let gokrb5 read a token of a negotiation.
func readInit(t testing.TB, token []byte) spnego.NegTokenInit {
	t.Helper()
	var s spnego.SPNEGOToken
	if err := s.Unmarshal(token); err != nil || !s.Init {
		t.Fatalf("gokrb5 reads no NegTokenInit from %x: %v", token, err)
	}
	return s.NegTokenInit
}

func readResp(t testing.TB, token []byte) *spnego.NegTokenResp {
	t.Helper()
	isInit, v, err := spnego.UnmarshalNegToken(token)
	resp, ok := v.(spnego.NegTokenResp)
	if err != nil || isInit || !ok {
		t.Fatalf("gokrb5 reads no NegTokenResp from %x: %v", token, err)
	}
	return &resp
}

// TestNegotiationHint is the answer to an empty first token, as Samba sends one.
func TestNegotiationHint(t *testing.T) {
	r := newRealm(t, krbcrypt.AES256SHA1, nil)
	a := NewAcceptor(r.acceptor())
	out, done, err := a.Step(nil)
	if err != nil || done {
		t.Fatalf("got %t, %v, want a token and more to come", done, err)
	}
	// gokrb5 does not know the hints: they are not in RFC 4178.
	var inner asn1.RawValue
	oid, rest := []byte(nil), []byte(nil)
	if oid, rest, err = unframe(out); err != nil || !bytes.Equal(oid, oidSPNEGO) {
		t.Fatalf("got mechanism %x, %v", oid, err)
	}
	if _, err := asn1.Unmarshal(rest, &inner); err != nil || !bytes.Contains(inner.Bytes, []byte(negHint)) {
		t.Errorf("got %x, %v, want the hint", rest, err)
	}
	init, _, err := decodeNegToken(out)
	if err != nil || len(init.mechanisms) != 2 || !bytes.Equal(init.mechanisms[0], oidMSKRB5) || !bytes.Equal(init.mechanisms[1], oidKRB5) {
		t.Errorf("got %+v, %v, want MS-KRB5 and KRB5", init, err)
	}
	// Then the negotiation goes as ever.
	cfg := r.initiator(secureFlags)
	cfg.SPNEGO = true
	establish(t, NewInitiator(cfg), a)
}

func TestInitiatorNegotiation(t *testing.T) {
	r := newRealm(t, krbcrypt.AES256SHA1, nil)
	cfg := r.initiator(secureFlags)
	cfg.SPNEGO = true
	token, _, err := NewInitiator(cfg).Step(nil)
	if err != nil {
		t.Fatal(err)
	}
	init := readInit(t, token)
	if len(init.MechTypes) != 2 || !init.MechTypes[0].Equal(msKRB5) || !init.MechTypes[1].Equal(gssapi.OIDKRB5.OID()) || init.MechListMIC != nil {
		t.Errorf("got %v, MIC %x, want MS-KRB5, KRB5 and none", init.MechTypes, init.MechListMIC)
	}
	var k spnego.KRB5Token
	if err := k.Unmarshal(init.MechTokenBytes); err != nil || !k.IsAPReq() {
		t.Errorf("token inside: %v", err)
	}
}

// TestAcceptorNegotiation negotiates with an initiator made of gokrb5's types.
func TestAcceptorNegotiation(t *testing.T) {
	krb5 := gssapi.OIDKRB5.OID()
	for _, tt := range []struct {
		name  string
		mechs []asn1.ObjectIdentifier
		bare  bool
		want  asn1.ObjectIdentifier
	}{
		{"MIT", []asn1.ObjectIdentifier{krb5}, false, krb5},
		{"Windows", []asn1.ObjectIdentifier{msKRB5, krb5, ntlm}, false, msKRB5},
		{"impacket: bare AP-REQ", []asn1.ObjectIdentifier{msKRB5}, true, msKRB5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRealm(t, krbcrypt.AES256SHA1, nil)
			inner := r.apReq(t, r.authenticatorOf(secureFlags), mutualOption)
			if !tt.bare {
				inner = frame(tokenAPReq, inner)
			}
			init := spnego.SPNEGOToken{Init: true, NegTokenInit: spnego.NegTokenInit{MechTypes: tt.mechs, MechTokenBytes: inner}}
			token, err := init.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			a := NewAcceptor(r.acceptor())
			out, done, err := a.Step(token)
			if err != nil || !done {
				t.Fatalf("got %t, %v, want done", done, err)
			}
			resp := readResp(t, out)
			if resp.State() != spnego.NegStateAcceptCompleted || !resp.SupportedMech.Equal(tt.want) || resp.MechListMIC != nil {
				t.Errorf("got state %v, mechanism %v, MIC %x, want completed, %v and none", resp.State(), resp.SupportedMech, resp.MechListMIC, tt.want)
			}
			reply := resp.ResponseToken
			if tt.bare {
				if reply[0] != application|typeAPRep {
					t.Errorf("got %x, want a bare AP-REP", reply)
				}
				reply = frame(tokenAPRep, reply)
			}
			var k spnego.KRB5Token
			if err := k.Unmarshal(reply); err != nil || !k.IsAPRep() {
				t.Errorf("token inside: %v", err)
			}
		})
	}
}

// TestMechanismListMIC has Kerberos second in the list: the choice must be protected by MICs of both sides (RFC 4178 5).
func TestMechanismListMIC(t *testing.T) {
	for _, forged := range []bool{false, true} {
		for _, early := range []bool{false, true} { // the initiator's MIC comes along with its token
			t.Run(fmt.Sprintf("forged %t, early %t", forged, early), func(t *testing.T) {
				r := newRealm(t, krbcrypt.AES256SHA1, nil)
				list := negTokenInit{mechanisms: [][]byte{oidNTLM, oidKRB5}, token: []byte("NTLMSSP\x00")}
				token := list.encode()
				a := NewAcceptor(r.acceptor())
				out, done, err := a.Step(token)
				if err != nil || done {
					t.Fatalf("got %t, %v, want more to come", done, err)
				}
				if resp := readResp(t, out); resp.State() != spnego.NegStateRequestMIC || !resp.SupportedMech.Equal(gssapi.OIDKRB5.OID()) || resp.ResponseToken != nil {
					t.Errorf("got %+v, want request-mic and KRB5", resp)
				}
				clear(token) // the caller's memory is the caller's
				// Kerberos without the negotiation, to have an initiator's context.
				flags := secureFlags
				if early {
					flags &^= FlagMutual // the key is known before the answer
				}
				i := NewInitiator(r.initiator(flags))
				inner, _, err := i.Step(nil)
				if err != nil {
					t.Fatal(err)
				}
				covered := list.list
				if forged {
					covered = encodeMechanisms([][]byte{oidKRB5})
				}
				second := negTokenResp{state: noState, token: inner}
				if early {
					if second.mic, err = i.Context().MIC(nil, covered); err != nil {
						t.Fatal(err)
					}
				}
				out, done, err = a.Step(second.encode())
				if !early {
					if err != nil || done {
						t.Fatalf("got %t, %v, want more to come", done, err)
					}
					resp := readResp(t, out)
					if resp.State() != spnego.NegStateAcceptIncomplete {
						t.Errorf("got state %v, want incomplete", resp.State())
					}
					if _, _, err := i.Step(resp.ResponseToken); err != nil {
						t.Fatal(err)
					}
					if err := i.Context().VerifyMIC(resp.MechListMIC, list.list); err != nil {
						t.Errorf("MIC of the acceptor: got %v", err)
					}
					mic, err := i.Context().MIC(nil, covered)
					if err != nil {
						t.Fatal(err)
					}
					out, done, err = a.Step((&negTokenResp{state: noState, mic: mic}).encode())
					if forged != errors.Is(err, ErrIntegrity) || done == forged {
						t.Errorf("last step: got %t, %v", done, err)
					}
				}
				if forged {
					if early && !errors.Is(err, ErrIntegrity) || readResp(t, out).State() != spnego.NegStateReject || a.Context() != nil {
						t.Errorf("got %x, %v, want a rejection", out, err)
					}
					return
				}
				resp := readResp(t, out)
				if !done || resp.State() != spnego.NegStateAcceptCompleted {
					t.Errorf("got %t, %v, %+v, want completed", done, err, resp)
				}
				if early {
					if err := i.Context().VerifyMIC(resp.MechListMIC, list.list); err != nil {
						t.Errorf("MIC of the acceptor: got %v", err)
					}
				}
			})
		}
	}
}

// TestInitiatorSendsMIC has an acceptor that does not complete before it has seen a MIC.
func TestInitiatorSendsMIC(t *testing.T) {
	r := newRealm(t, krbcrypt.AES256SHA1, nil)
	cfg := r.initiator(secureFlags)
	cfg.SPNEGO = true
	i := NewInitiator(cfg)
	token, _, err := i.Step(nil)
	if err != nil {
		t.Fatal(err)
	}
	init := readInit(t, token)
	a := NewAcceptor(r.acceptor())
	reply, _, err := a.Step(init.MechTokenBytes)
	if err != nil {
		t.Fatal(err)
	}
	list := encodeMechanisms([][]byte{oidMSKRB5, oidKRB5})
	mic, err := a.Context().MIC(nil, list)
	if err != nil {
		t.Fatal(err)
	}
	out, done, err := i.Step((&negTokenResp{state: acceptIncomplete, mechanism: oidMSKRB5, token: reply, mic: mic}).encode())
	if err != nil || done {
		t.Fatalf("got %t, %v, want a MIC", done, err)
	}
	if err := a.Context().VerifyMIC(readResp(t, out).MechListMIC, list); err != nil {
		t.Errorf("MIC of the initiator: got %v", err)
	}
	if _, done, err = i.Step((&negTokenResp{state: acceptCompleted}).encode()); err != nil || !done {
		t.Errorf("got %t, %v, want done", done, err)
	}
}

func TestNegotiationRefusals(t *testing.T) {
	r := newRealm(t, krbcrypt.AES256SHA1, nil)
	apReq := frame(tokenAPReq, r.apReq(t, r.authenticatorOf(0), 0))
	offer := func(token []byte, mechs ...[]byte) []byte {
		return (&negTokenInit{mechanisms: mechs, token: token}).encode()
	}
	for _, tt := range []struct {
		name   string
		tokens [][]byte
		want   error
		reject bool // the answer is a rejection
	}{
		{"only NTLM", [][]byte{offer([]byte("NTLMSSP\x00"), oidNTLM)}, ErrNTLM, true},
		{"NTLM in Kerberos' name", [][]byte{offer([]byte("NTLMSSP\x00\x01"), oidKRB5)}, ErrNTLM, true},
		{"NTLM after a choice", [][]byte{offer(nil, oidKRB5), (&negTokenResp{state: noState, token: []byte("NTLMSSP\x00\x03")}).encode()}, ErrNTLM, true},
		{"only an unknown one", [][]byte{offer(nil, []byte{0x2a, 3})}, ErrMechanism, true},
		{"no mechanism", [][]byte{offer(nil)}, ErrMechanism, true},
		{"two offers", [][]byte{offer(nil, oidKRB5), offer(apReq, oidKRB5)}, ErrToken, false},
		{"the initiator rejects", [][]byte{offer(nil, oidKRB5), (&negTokenResp{state: rejected}).encode()}, ErrMechanism, false},
		{"no token after the choice", [][]byte{offer(nil, oidKRB5), (&negTokenResp{state: acceptIncomplete}).encode()}, ErrToken, true},
		{"empty after the choice", [][]byte{offer(nil, oidKRB5), nil}, ErrToken, false},
		{"without the negotiation after the choice", [][]byte{offer(nil, oidKRB5), apReq}, ErrToken, false},
		{"too many mechanisms", [][]byte{offer(nil, slices.Repeat([][]byte{oidKRB5}, maxMechanisms+1)...)}, ErrToken, false},
		{"unknown state", [][]byte{offer(nil, oidKRB5), (&negTokenResp{state: 4}).encode()}, ErrToken, false},
		{"nonsense inside", [][]byte{offer([]byte("x"), oidKRB5)}, ErrToken, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := NewAcceptor(r.acceptor())
			var out []byte
			var err error
			for i, token := range tt.tokens {
				if out, _, err = a.Step(token); err != nil && i < len(tt.tokens)-1 {
					t.Fatalf("step %d: %v", i, err)
				}
			}
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if (out != nil) != tt.reject || tt.reject && readResp(t, out).State() != spnego.NegStateReject {
				t.Errorf("got answer %x, want a rejection: %t", out, tt.reject)
			}
		})
	}
	// A Kerberos error travels inside the rejection.
	r.now = r.now.Add(24 * time.Hour)
	out, _, err := NewAcceptor(r.acceptor()).Step(offer(apReq, oidKRB5))
	var coded *Error
	if !errors.As(err, &coded) || coded.Code != 32 {
		t.Fatalf("got %v, want code 32", err)
	}
	cfg := r.initiator(secureFlags)
	cfg.SPNEGO = true
	i := NewInitiator(cfg)
	if _, _, err := i.Step(nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := i.Step(out); !errors.As(err, &coded) || coded.Code != 32 {
		t.Errorf("initiator: got %v, want code 32", err)
	}
}

func TestInitiatorNegotiationRefusals(t *testing.T) {
	for _, tt := range []struct {
		name  string
		token []byte
		want  error
		code  int32
	}{
		{name: "rejected", token: (&negTokenResp{state: rejected}).encode(), want: ErrMechanism},
		{name: "another mechanism", token: (&negTokenResp{state: acceptCompleted, mechanism: oidNTLM}).encode(), want: ErrMechanism},
		{name: "completed without proof", token: (&negTokenResp{state: acceptCompleted, mechanism: oidKRB5}).encode(), code: 46},
		{name: "an offer", token: (&negTokenInit{mechanisms: [][]byte{oidKRB5}}).encode(), want: ErrToken},
		{name: "nonsense", token: []byte("hello"), want: ErrToken},
		{name: "too long", token: make([]byte, maxToken+1), want: ErrToken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRealm(t, krbcrypt.AES256SHA1, nil)
			cfg := r.initiator(secureFlags)
			cfg.SPNEGO = true
			i := NewInitiator(cfg)
			if _, _, err := i.Step(nil); err != nil {
				t.Fatal(err)
			}
			_, done, err := i.Step(tt.token)
			var coded *Error
			if done || tt.want != nil && !errors.Is(err, tt.want) || tt.code != 0 && (!errors.As(err, &coded) || coded.Code != tt.code) {
				t.Errorf("got %t, %v, want %v, code %d", done, err, tt.want, tt.code)
			}
			if _, _, err := i.Step(nil); !errors.Is(err, ErrToken) {
				t.Errorf("a step after the end: got %v, want ErrToken", err)
			}
		})
	}
}
