package gss

import (
	"bytes"
	"errors"
	"testing"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// expected tells whether an error is one that the package documents.
func expected(err error) bool {
	var coded *Error
	if errors.As(err, &coded) {
		return true
	}
	for _, known := range []error{ErrToken, ErrNTLM, ErrMechanism, ErrBindings, ErrIntegrity, ErrSequence, ErrLayer} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// FuzzAcceptor feeds two tokens: nothing but a ticket that the key opens makes a context.
func FuzzAcceptor(f *testing.F) {
	r := newRealm(f, krbcrypt.AES256SHA1, nil)
	f.Fuzz(func(t *testing.T, first, second []byte) {
		a := NewAcceptor(r.acceptor())
		for _, token := range [][]byte{first, second} {
			out, done, err := a.Step(token)
			if done != (a.Context() != nil) || done && err != nil {
				t.Errorf("got %x, %t, %v, context %v", out, done, err, a.Context())
			}
			if err != nil && !expected(err) {
				t.Errorf("got an unexpected error: %v", err)
			}
			if done || err != nil {
				return
			}
		}
	})
}

// FuzzAuthenticator feeds what is inside of a ticket and of an authenticator, behind the encryption that a client with a ticket can do.
func FuzzAuthenticator(f *testing.F) {
	r := newRealm(f, krbcrypt.AES256SHA1, nil)
	f.Fuzz(func(t *testing.T, ticket, authenticator []byte) {
		seal := func(k *krbcrypt.Key, plain []byte, usage uint32) []byte {
			cipher, err := k.Encrypt(nil, plain, usage, stream(5))
			if err != nil {
				t.Fatal(err)
			}
			return encodeEncrypted(k.EType, cipher)
		}
		service := ldapDC.encode()
		tkt := tlv(application|typeTicket, sequence(explicit(0, integer(5)), explicit(1, tlv(tagGeneralString, []byte(ldapDC.Realm))),
			explicit(2, service), explicit(3, seal(r.service, ticket, usageTicket))))
		req := tlv(application|typeAPReq, sequence(explicit(0, integer(5)), explicit(1, integer(typeAPReq)), explicit(2, flags32(optionMutualRequired)),
			explicit(3, tkt), explicit(4, seal(r.session, authenticator, usageAuthenticator))))
		a := NewAcceptor(r.acceptor())
		if _, done, err := a.Step(frame(tokenAPReq, req)); err != nil && !expected(err) || done != (a.Context() != nil) {
			t.Errorf("got %t, %v", done, err)
		}
	})
}

// FuzzInitiator feeds the acceptor's answers, in a negotiation and without.
func FuzzInitiator(f *testing.F) {
	r := newRealm(f, krbcrypt.AES256SHA1, nil)
	f.Fuzz(func(t *testing.T, token []byte, negotiate bool) {
		cfg := r.initiator(secureFlags)
		cfg.SPNEGO = negotiate
		i := NewInitiator(cfg)
		if _, _, err := i.Step(nil); err != nil {
			t.Fatal(err)
		}
		if _, done, err := i.Step(token); done || err != nil && !expected(err) {
			t.Errorf("got %t, %v, want no context from an acceptor without the key", done, err)
		}
	})
}

// FuzzSPNEGO checks that what can be read can be written, and then reads the same.
func FuzzSPNEGO(f *testing.F) {
	f.Fuzz(func(t *testing.T, token []byte) {
		init, resp, err := decodeNegToken(token)
		if err != nil {
			if !expected(err) {
				t.Errorf("got an unexpected error: %v", err)
			}
			return
		}
		if init != nil {
			again, _, err := decodeNegToken((&negTokenInit{mechanisms: init.mechanisms, token: init.token}).encode())
			if err != nil || len(again.mechanisms) != len(init.mechanisms) || !bytes.Equal(again.token, init.token) {
				t.Errorf("got %+v, %v, want %+v", again, err, init)
			}
			return
		}
		_, again, err := decodeNegToken(resp.encode())
		if err != nil || again.state != resp.state || !bytes.Equal(again.mechanism, resp.mechanism) || !bytes.Equal(again.token, resp.token) || !bytes.Equal(again.mic, resp.mic) {
			t.Errorf("got %+v, %v, want %+v", again, err, resp)
		}
	})
}

// FuzzUnwrap feeds messages to a context of each family of tokens: nothing that the key did not make is believed.
func FuzzUnwrap(f *testing.F) {
	_, aes := contexts(f, krbcrypt.AES256SHA1, secureFlags)
	_, rc4 := contexts(f, krbcrypt.RC4HMAC, secureFlags)
	f.Fuzz(func(t *testing.T, token, msg []byte) {
		for _, c := range []*Context{aes, rc4} {
			if plain, _, err := c.Unwrap(token); err == nil || !expected(err) {
				t.Errorf("got %x, %v, want a refusal", plain, err)
			}
			if err := c.VerifyMIC(token, msg); err == nil || !expected(err) {
				t.Errorf("MIC: got %v, want a refusal", err)
			}
		}
	})
}

// FuzzSealed feeds what is inside of a sealed message, header and filler, behind the encryption.
func FuzzSealed(f *testing.F) {
	i, a := contexts(f, krbcrypt.AES256SHA1, FlagMutual|FlagConf|FlagInteg)
	f.Fuzz(func(t *testing.T, header, plain []byte) {
		cipher, err := i.MessageKey.Encrypt(nil, plain, usageInitiatorSeal, stream(6))
		if err != nil {
			t.Fatal(err)
		}
		got, conf, err := a.Unwrap(append(bytes.Clone(header), cipher...))
		if err != nil {
			if !expected(err) {
				t.Errorf("got an unexpected error: %v", err)
			}
			return
		}
		if !conf || !bytes.HasPrefix(plain, got) {
			t.Errorf("got %x, sealed %t of %x", got, conf, plain)
		}
	})
}

// FuzzFraming feeds a stream: it is used up to the first error and never beyond its end.
func FuzzFraming(f *testing.F) {
	_, aes := contexts(f, krbcrypt.AES256SHA1, secureFlags)
	f.Fuzz(func(t *testing.T, wire []byte, layer byte) {
		fr := &Framing{Context: aes, Layer: []Layer{LayerNone, LayerIntegrity, LayerConfidentiality}[layer%3]}
		for len(wire) > 0 {
			plain, n, err := fr.Open(nil, wire)
			if err != nil {
				if !expected(err) {
					t.Errorf("got an unexpected error: %v", err)
				}
				return
			}
			if n < 0 || n > len(wire) || n == 0 && plain != nil {
				t.Fatalf("got %d of %d octets", n, len(wire))
			}
			if n == 0 {
				return
			}
			wire = wire[n:]
		}
	})
}

// FuzzChecksum reads the contents of a checksum of type 0x8003.
func FuzzChecksum(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		bindings, flags, err := decodeGSSChecksum(b)
		if err != nil {
			if !expected(err) {
				t.Errorf("got an unexpected error: %v", err)
			}
			return
		}
		if again := encodeGSSChecksum(bindings, flags); !bytes.HasPrefix(b, again) {
			t.Errorf("got %x from %x", again, b)
		}
	})
}
