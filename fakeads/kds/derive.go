package kds

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"unicode/utf16"

	//lint:ignore SA1019 the NT hash is MD4 ([MS-NLMP] 3.3.1), and nothing else will do
	"golang.org/x/crypto/md4"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// PasswordSize is the length of a managed password in bytes: 128 UTF-16 units.
const PasswordSize = 256

// hash is what HMAC is made of.
type hash struct {
	block int
	sum   func(out, data []byte) []byte // appends the digest of data to out
}

var hashes = map[string]*hash{
	"SHA1":   {sha1.BlockSize, func(out, b []byte) []byte { s := sha1.Sum(b); return append(out, s[:]...) }},
	"SHA256": {sha256.BlockSize, func(out, b []byte) []byte { s := sha256.Sum256(b); return append(out, s[:]...) }},
	"SHA384": {sha512.BlockSize, func(out, b []byte) []byte { s := sha512.Sum384(b); return append(out, s[:]...) }},
	"SHA512": {sha512.BlockSize, func(out, b []byte) []byte { s := sha512.Sum512(b); return append(out, s[:]...) }},
}

// Labels of the key derivation. The terminating NUL is part of them.
var (
	labelService  = utf16z("KDS service")
	labelPassword = utf16z("GMSA PASSWORD")
)

// utf16z is s in UTF-16LE with a terminating NUL.
func utf16z(s string) []byte {
	units := utf16.Encode([]rune(s))
	b := make([]byte, 0, 2*len(units)+2)
	for _, u := range units {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return append(b, 0, 0)
}

// derivation is the counter-mode key derivation of SP 800-108 with HMAC, with
// its buffers. It is not safe for concurrent use.
type derivation struct {
	*hash
	inner, outer []byte
}

func newDerivation(h *hash) *derivation {
	return &derivation{h, make([]byte, 0, 320), make([]byte, 0, 192)}
}

// derive fills out, which may be key's own memory. The counter comes first and
// has 32 bits, the length last and counts bits; both are big-endian.
func (d *derivation) derive(out, key, label, context []byte) {
	var buf [sha512.BlockSize]byte
	if len(key) > d.block {
		key = d.sum(buf[:0], key)
	} else {
		key = append(buf[:0], key...)
	}
	d.inner, d.outer = d.inner[:0], d.outer[:0]
	for i := range d.block {
		var k byte
		if i < len(key) {
			k = key[i]
		}
		d.inner = append(d.inner, k^0x36)
		d.outer = append(d.outer, k^0x5c)
	}
	d.inner = append(d.inner, 0, 0, 0, 0)
	d.inner = append(d.inner, label...)
	d.inner = append(d.inner, 0)
	d.inner = append(d.inner, context...)
	d.inner = binary.BigEndian.AppendUint32(d.inner, uint32(len(out))*8)
	for n := uint32(1); len(out) > 0; n++ {
		binary.BigEndian.PutUint32(d.inner[d.block:], n)
		d.outer = d.sum(d.outer[:d.block], d.inner)
		digest := d.sum(d.inner[len(d.inner):], d.outer)
		out = out[copy(out, digest):]
	}
}

// ladder derives seed keys below one root key.
type ladder struct {
	*derivation
	id      security.GUID
	key     [KeySize]byte
	context []byte
}

// newLadder stands on the L0 seed key of iv.
func newLadder(k *RootKey, l0 int32) *ladder {
	l := &ladder{derivation: newDerivation(hashes[k.hash()]), id: k.ID, context: make([]byte, 0, 128)}
	copy(l.key[:], k.Data)
	l.step(Interval{l0, -1, -1}, nil)
	return l
}

// step derives the key of iv from the present one.
func (l *ladder) step(iv Interval, targetSD []byte) {
	c := append(l.context[:0], l.id[:]...)
	c = binary.LittleEndian.AppendUint32(c, uint32(iv.L0))
	c = binary.LittleEndian.AppendUint32(c, uint32(iv.L1))
	c = binary.LittleEndian.AppendUint32(c, uint32(iv.L2))
	l.derive(l.key[:], l.key[:], labelService, append(c, targetSD...))
}

// toL1 goes down from the L0 seed key. The security descriptor enters into the
// first step and no other.
func (l *ladder) toL1(iv Interval, targetSD []byte) {
	l.step(Interval{iv.L0, levels - 1, -1}, targetSD)
	for n := int32(levels - 2); n >= iv.L1; n-- {
		l.step(Interval{iv.L0, n, -1}, nil)
	}
}

// toL2 goes down from the L1 seed key.
func (l *ladder) toL2(iv Interval) {
	for n := int32(levels - 1); n >= iv.L2; n-- {
		l.step(Interval{iv.L0, iv.L1, n}, nil)
	}
}

// L0Key is the seed key that all of an L0 index are derived from. The service
// never hands it out.
func L0Key(k *RootKey, l0 int32) ([]byte, error) {
	if err := k.Check(); err != nil {
		return nil, err
	}
	if l0 < 0 {
		return nil, fmt.Errorf("L0 index %d: %w", l0, ErrInvalidArgument)
	}
	l := newLadder(k, l0)
	return l.key[:], nil
}

// GroupKey is the seed key of iv for those whom targetSD, a self-relative
// security descriptor, admits: the L2 key of a cycle, or the L1 key when iv.L2
// is -1. It is 64 bytes long. Errors wrap ErrBadKey or ErrInvalidArgument.
func GroupKey(k *RootKey, iv Interval, targetSD []byte) ([]byte, error) {
	if err := k.Check(); err != nil {
		return nil, err
	}
	if iv.L0 < 0 || iv.L1 < 0 || iv.L1 >= levels || iv.L2 < -1 || iv.L2 >= levels {
		return nil, fmt.Errorf("no key is handed out for %v: %w", iv, ErrInvalidArgument)
	}
	l := newLadder(k, iv.L0)
	l.toL1(iv, targetSD)
	if iv.L2 >= 0 {
		l.toL2(iv)
	}
	return l.key[:], nil
}

// targetSD admits Enterprise Domain Controllers: the descriptor under which all
// managed passwords are derived ([MS-ADTS]). Its bytes are hashed, so their
// order matters: the owner comes last.
var targetSD = security.MustSDDL("O:SYD:(A;;FRFW;;;ED)").MarshalOwnerLast()

// TargetSD is the security descriptor under which all managed passwords are
// derived: O:SYD:(A;;FRFW;;;ED), self-relative, the owner last.
func TargetSD() []byte { return append([]byte(nil), targetSD...) }

// Password is the managed password of the account sid for the cycle iv: 256
// bytes, UTF-16LE without a terminator. Errors as of GroupKey.
func Password(k *RootKey, iv Interval, sid security.SID) ([]byte, error) {
	if err := checkPassword(k, iv, sid); err != nil {
		return nil, err
	}
	l := newLadder(k, iv.L0)
	l.toL1(iv, targetSD)
	l.toL2(iv)
	return l.password(sid), nil
}

func checkPassword(k *RootKey, iv Interval, sid security.SID) error {
	if err := k.Check(); err != nil {
		return err
	}
	if !iv.Valid() {
		return fmt.Errorf("%v is not an interval: %w", iv, ErrInvalidArgument)
	}
	if sid.IsZero() {
		return fmt.Errorf("account without a SID: %w", ErrInvalidArgument)
	}
	return nil
}

// password derives from the L2 key. No UTF-16 unit of it is zero.
func (l *ladder) password(sid security.SID) []byte {
	pw := make([]byte, PasswordSize)
	l.derive(pw, l.key[:], labelPassword, sid.AppendTo(l.context[:0]))
	for i := 0; i < len(pw); i += 2 {
		if pw[i] == 0 && pw[i+1] == 0 {
			pw[i] = 1
		}
	}
	return pw
}

// PasswordUTF8 is a password, in UTF-16LE, as the string-to-key of the AES
// encryption types takes it: unpaired surrogates are U+FFFD.
func PasswordUTF8(pw []byte) string {
	units := make([]uint16, len(pw)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(pw[2*i:])
	}
	return string(utf16.Decode(units))
}

// NTHash is MD4 of the password's bytes: the NT hash, and the key of RC4.
func NTHash(pw []byte) [16]byte {
	h := md4.New()
	h.Write(pw)
	return [16]byte(h.Sum(nil))
}
