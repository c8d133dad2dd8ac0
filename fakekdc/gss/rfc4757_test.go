package gss

import (
	"bytes"
	"crypto/rc4"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/crypto/rfc4757"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// rc4Token is a token of RFC 4757 as the test reads and makes it, with gokrb5's HMAC.
type rc4Token struct {
	id, seal uint16
	number   uint32
	acceptor bool
	body     []byte // confounder, data, padding; MIC: nothing
}

func le32(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }

func arcfour(key, data []byte) []byte {
	c, err := rc4.NewCipher(key)
	if err != nil {
		panic(err)
	}
	out := make([]byte, len(data))
	c.XORKeyStream(out, data)
	return out
}

// sum is SGN_CKSUM, RFC 4757 7.2: Ksign = HMAC(K, "signaturekey"), HMAC(Ksign, MD5(T, header, data)).
func (r *rc4Token) sum(key, data []byte) []byte {
	header := slices.Concat(binary.BigEndian.AppendUint16(nil, r.id), []byte{0x11, 0}, binary.BigEndian.AppendUint16(nil, r.seal), []byte{0xff, 0xff})
	usage := uint32(13)
	if r.id == 0x0101 {
		usage = 15
	}
	sum, err := rfc4757.Checksum(key, usage, slices.Concat(header, data))
	if err != nil {
		panic(err)
	}
	return sum[:8]
}

func (r *rc4Token) dataKey(key []byte) []byte {
	local := slices.Clone(key)
	for i := range local {
		local[i] ^= 0xf0
	}
	return rfc4757.HMAC(rfc4757.HMAC(local, le32(0)), binary.BigEndian.AppendUint32(nil, r.number))
}

// encode makes the token; data is what a MIC covers.
func (r *rc4Token) encode(t testing.TB, key, data []byte) []byte {
	t.Helper()
	covered, body := data, r.body
	if r.id == 0x0201 {
		covered = r.body
		if r.seal == 0x1000 {
			body = arcfour(r.dataKey(key), r.body)
		}
	}
	sum := r.sum(key, covered)
	field := binary.BigEndian.AppendUint32(nil, r.number)
	if r.acceptor {
		field = append(field, 0xff, 0xff, 0xff, 0xff)
	} else {
		field = append(field, 0, 0, 0, 0)
	}
	field = arcfour(rfc4757.HMAC(rfc4757.HMAC(key, le32(0)), sum), field)
	inner := slices.Concat(binary.BigEndian.AppendUint16(nil, r.id), []byte{0x11, 0}, binary.BigEndian.AppendUint16(nil, r.seal), []byte{0xff, 0xff}, field, sum, body)
	oid, err := asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 113554, 1, 2, 2})
	if err != nil {
		t.Fatal(err)
	}
	token, err := asn1.Marshal(asn1.RawValue{Class: 1, Tag: 0, IsCompound: true, Bytes: append(oid, inner...)})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestRC4Tokens(t *testing.T) {
	for way, side := range sides(t, krbcrypt.RC4HMAC, secureFlags) {
		from, to := side[0], side[1]
		key := from.MessageKey.Value
		for _, size := range sizes {
			for _, conf := range []bool{false, true} {
				plain := octets(size)
				want := rc4Token{id: 0x0201, seal: 0xffff, number: uint32(from.send), acceptor: !from.initiator}
				if conf {
					want.seal = 0x1000
				}
				token, err := from.Wrap(nil, plain, conf)
				if err != nil {
					t.Fatal(err)
				}
				// The confounder is random: it is taken from the token, the rest is computed.
				_, inner, err := unframe(token)
				if err != nil {
					t.Fatal(err)
				}
				want.body = inner[24:]
				if conf {
					want.body = arcfour(want.dataKey(key), want.body)
				}
				if got := want.body[8:]; !bytes.Equal(got, append(slices.Clone(plain), 1)) {
					t.Errorf("%s, %d octets, sealed %t: got %d octets, want the data and one of padding", way, size, conf, len(got))
				}
				if again := want.encode(t, key, nil); !bytes.Equal(again, token) {
					t.Errorf("%s, %d octets, sealed %t: got %x, want %x", way, size, conf, token, again)
				}
				if got, sealed, err := to.Unwrap(token); err != nil || sealed != conf || !bytes.Equal(got, plain) {
					t.Errorf("%s, %d octets: got %d octets, %t, %v", way, size, len(got), sealed, err)
				}
			}
			msg := octets(size)
			mic := rc4Token{id: 0x0101, seal: 0xffff, number: uint32(from.send), acceptor: !from.initiator}
			token, err := from.MIC(nil, msg)
			if err != nil {
				t.Fatal(err)
			}
			if want := mic.encode(t, key, msg); !bytes.Equal(token, want) {
				t.Errorf("%s, MIC of %d octets: got %x, want %x", way, size, token, want)
			}
			if err := to.VerifyMIC(token, append(msg, 1)); !errors.Is(err, ErrIntegrity) {
				t.Errorf("%s, MIC of %d octets and one more: got %v, want ErrIntegrity", way, size, err)
			}
			if err := to.VerifyMIC(token, msg); err != nil {
				t.Errorf("%s, MIC of %d octets: got %v", way, size, err)
			}
		}
	}
}

// TestRC4Padding: Windows pads to eight octets for block ciphers only, but a receiver takes any padding of RFC 1964 1.2.2.3.
func TestRC4Padding(t *testing.T) {
	i, a := contexts(t, krbcrypt.RC4HMAC, FlagMutual|FlagConf|FlagInteg)
	for _, tt := range []struct {
		body []byte
		want string // "": refused
	}{
		{[]byte("12345678hello\x01"), "hello"},
		{[]byte("12345678hello\x03\x03\x03"), "hello"},
		{[]byte("12345678\x01"), " "}, // an empty message; the blank stands for it
		{[]byte("12345678hello\x00"), ""},
		{[]byte("12345678hello\x09"), ""},
		{[]byte("12345678\x02"), ""},
		{[]byte("12345678"), ""},
	} {
		for _, seal := range []uint16{0x1000, 0xffff} {
			r := rc4Token{id: 0x0201, seal: seal, number: 5, body: tt.body}
			plain, _, err := a.Unwrap(r.encode(t, i.MessageKey.Value, nil))
			if tt.want == "" {
				if !errors.Is(err, ErrToken) {
					t.Errorf("%q: got %q, %v, want ErrToken", tt.body, plain, err)
				}
			} else if err != nil || string(plain) != strings.TrimSpace(tt.want) {
				t.Errorf("%q: got %q, %v, want %q", tt.body, plain, err, tt.want)
			}
		}
	}
}

func TestRC4Refusals(t *testing.T) {
	i, a := contexts(t, krbcrypt.RC4HMAC, secureFlags)
	for _, conf := range []bool{false, true} {
		token, err := i.Wrap(nil, []byte("attack at dawn"), conf)
		if err != nil {
			t.Fatal(err)
		}
		for at := range token {
			for bit := range 8 {
				b := slices.Clone(token)
				b[at] ^= 1 << bit
				if oid, _, err := unframe(b); err == nil && bytes.Equal(oid, oidMSKRB5) {
					continue // the mechanism's other name is as good
				}
				if plain, _, err := a.Unwrap(b); err == nil {
					t.Errorf("sealed %t, bit %d of octet %d flipped: got %q, want an error", conf, bit, at, plain)
				} else if number := at >= 21 && at < 25; errors.Is(err, ErrSequence) != (number && !conf) {
					// No checksum covers the number of an unsealed message.
					t.Errorf("sealed %t, octet %d: got %v", conf, at, err)
				}
			}
		}
		for n := range token {
			if _, _, err := a.Unwrap(token[:n]); err == nil {
				t.Errorf("sealed %t, first %d octets: got no error", conf, n)
			}
		}
		if _, _, err := i.Unwrap(token); !errors.Is(err, ErrIntegrity) {
			t.Errorf("own message: got %v, want ErrIntegrity", err)
		}
		if _, _, err := a.Unwrap(token); err != nil {
			t.Errorf("unchanged: got %v", err)
		}
	}
	mic, err := i.MIC(nil, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	for at := range mic {
		b := slices.Clone(mic)
		b[at] ^= 0x10
		if err := a.VerifyMIC(b, []byte("x")); err == nil {
			t.Errorf("MIC with octet %d changed: got no error", at)
		}
	}
}
