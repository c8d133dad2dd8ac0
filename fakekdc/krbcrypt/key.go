package krbcrypt

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// Encryption types, RFC 3962 7, RFC 8009 8, RFC 4757 4.
const (
	AES128SHA1   int32 = 17
	AES256SHA1   int32 = 18
	AES128SHA256 int32 = 19
	AES256SHA384 int32 = 20
	RC4HMAC      int32 = 23
)

// Checksum types. The last is KERB_CHECKSUM_HMAC_MD5 of [MS-PAC] 2.8.
const (
	ChecksumAES128SHA1   int32 = 15
	ChecksumAES256SHA1   int32 = 16
	ChecksumAES128SHA256 int32 = 19
	ChecksumAES256SHA384 int32 = 20
	ChecksumHMACMD5      int32 = -138
)

// Errors of this package.
var (
	// ErrEType is an encryption type that is not supported.
	ErrEType = errors.New("encryption type not supported")
	// ErrIntegrity is a ciphertext or checksum that was not made with this key and usage.
	ErrIntegrity = errors.New("integrity check failed")
	// ErrKeySize is a key value of the wrong length for its encryption type.
	ErrKeySize = errors.New("wrong key size")
	// ErrChecksumType is a checksum type that does not belong to the key.
	ErrChecksumType = errors.New("checksum type does not belong to the key")
)

// profile is the part of an encryption type that is data.
type profile struct {
	etype     int32
	checksum  int32
	size      int // octets of a key
	sum       int // octets of a checksum
	confound  int // octets of a confounder
	hash      *hashFunc
	integrity int // octets of Ki and Kc
	// encryptThenMAC: the checksum is over IV and ciphertext (RFC 8009 5), not
	// over confounder and plaintext (RFC 3961 5.3).
	encryptThenMAC bool
}

var (
	aes128SHA1   = profile{AES128SHA1, ChecksumAES128SHA1, 16, 12, 16, &sha1Hash, 16, false}
	aes256SHA1   = profile{AES256SHA1, ChecksumAES256SHA1, 32, 12, 16, &sha1Hash, 32, false}
	aes128SHA256 = profile{AES128SHA256, ChecksumAES128SHA256, 16, 16, 16, &sha256Hash, 16, true}
	aes256SHA384 = profile{AES256SHA384, ChecksumAES256SHA384, 32, 24, 16, &sha384Hash, 24, true}
	rc4HMAC      = profile{RC4HMAC, ChecksumHMACMD5, 16, 16, 8, &md5Hash, 16, false}
)

func profileOf(etype int32) *profile {
	switch etype {
	case AES256SHA1:
		return &aes256SHA1
	case AES128SHA1:
		return &aes128SHA1
	case RC4HMAC:
		return &rc4HMAC
	case AES128SHA256:
		return &aes128SHA256
	case AES256SHA384:
		return &aes256SHA384
	}
	return nil
}

// Key is an encryption key with what was derived from it. It is safe for
// concurrent use; EType and Value must not be changed.
type Key struct {
	EType int32
	Value []byte

	profile *profile
	base    atomic.Pointer[cipher.Block]
	derived atomic.Pointer[derivedKey] // a list that only grows at its head
}

// purpose tells the keys of one usage apart.
type purpose uint8

const (
	forEncryption  purpose = iota // Ke and Ki, RC4: K2
	forChecksum                   // Kc, RC4: Ksign
	forMD5Checksum                // Ksign of a key that is not RC4's
)

// derivedKey is what one usage of a key needs. It does not change.
type derivedKey struct {
	usage   uint32
	purpose purpose
	block   cipher.Block // Ke
	mac     mac          // Ki, Kc, K2 or Ksign
	next    *derivedKey
}

// NewKey makes a key. It keeps value, which must have KeySize(etype) octets.
func NewKey(etype int32, value []byte) (*Key, error) {
	p := profileOf(etype)
	if p == nil {
		return nil, fmt.Errorf("%w: %d", ErrEType, etype)
	}
	if len(value) != p.size {
		return nil, fmt.Errorf("%w: %d octets for encryption type %d, which has %d", ErrKeySize, len(value), etype, p.size)
	}
	return &Key{EType: etype, Value: value, profile: p}, nil
}

// RandomKey makes a random key, for sessions.
func RandomKey(etype int32, rand io.Reader) (*Key, error) {
	value := make([]byte, KeySize(etype))
	if _, err := io.ReadFull(rand, value); err != nil {
		return nil, fmt.Errorf("random key: %w", err)
	}
	return NewKey(etype, value)
}

// KeySize is the length of a key in octets, 0 for an unsupported etype.
func KeySize(etype int32) int {
	if p := profileOf(etype); p != nil {
		return p.size
	}
	return 0
}

// Supported tells whether etype is one of the encryption types of this package.
func Supported(etype int32) bool { return profileOf(etype) != nil }

// ChecksumType is the checksum type that belongs to the key.
func (k *Key) ChecksumType() int32 { return k.profile.checksum }

// ChecksumSize is the length in octets of the key's checksums.
func (k *Key) ChecksumSize() int { return k.profile.sum }

// CipherSize is the length of the ciphertext of n octets.
func (k *Key) CipherSize(n int) int { return k.profile.confound + n + k.profile.sum }

// Encrypt appends the ciphertext of plain for a key usage (RFC 4120 7.5.1) to
// dst; the confounder comes from rand. plain may not overlap the free part of dst.
func (k *Key) Encrypt(dst, plain []byte, usage uint32, rand io.Reader) ([]byte, error) {
	p := k.profile
	d := k.keysFor(usage, forEncryption)
	start := len(dst)
	dst = grow(dst, k.CipherSize(len(plain)))
	out := dst[start:]
	if p == &rc4HMAC {
		return dst, encryptRC4(&d.mac, out, plain, rand)
	}
	body := out[:p.confound+len(plain)]
	if _, err := io.ReadFull(rand, body[:p.confound]); err != nil {
		return nil, fmt.Errorf("confounder: %w", err)
	}
	copy(body[p.confound:], plain)
	if p.encryptThenMAC {
		encryptCTS(d.block, body)
		d.mac.sum(out[len(body):], zeroIV[:], body)
	} else {
		d.mac.sum(out[len(body):], body, nil)
		encryptCTS(d.block, body)
	}
	return dst, nil
}

// Decrypt checks cipher and appends its plaintext to dst. It fails with
// ErrIntegrity, also when cipher is too short to be one.
func (k *Key) Decrypt(dst, cipher []byte, usage uint32) ([]byte, error) {
	p := k.profile
	n := len(cipher) - p.sum
	if n < p.confound {
		return nil, fmt.Errorf("%w: %d octets are no ciphertext of encryption type %d", ErrIntegrity, len(cipher), k.EType)
	}
	d := k.keysFor(usage, forEncryption)
	start := len(dst)
	dst = grow(dst, n)
	body := dst[start:]
	var ok bool
	switch {
	case p == &rc4HMAC:
		ok = decryptRC4(&d.mac, body, cipher)
	case p.encryptThenMAC:
		if ok = d.mac.verify(cipher[n:], zeroIV[:], cipher[:n]); ok {
			copy(body, cipher)
			decryptCTS(d.block, body)
		}
	default:
		copy(body, cipher)
		decryptCTS(d.block, body)
		ok = d.mac.verify(cipher[n:], body, nil)
	}
	if !ok {
		clear(body)
		return nil, fmt.Errorf("%w: ciphertext of encryption type %d, key usage %d", ErrIntegrity, k.EType, usage)
	}
	copy(body, body[p.confound:])
	return dst[:len(dst)-p.confound], nil
}

// Checksum appends the checksum of data to dst.
func (k *Key) Checksum(dst, data []byte, usage uint32) []byte {
	d := k.keysFor(usage, forChecksum)
	start := len(dst)
	dst = grow(dst, k.profile.sum)
	if k.profile == &rc4HMAC {
		sumMD5(&d.mac, dst[start:], data, usage)
	} else {
		d.mac.sum(dst[start:], data, nil)
	}
	return dst
}

// ChecksumMD5 appends a ChecksumHMACMD5, whatever the encryption type of the
// key: PA-FOR-USER is signed so ([MS-SFU] 2.2.1).
func (k *Key) ChecksumMD5(dst, data []byte, usage uint32) []byte {
	d := k.keysFor(usage, forMD5Checksum)
	start := len(dst)
	dst = grow(dst, rc4HMAC.sum)
	sumMD5(&d.mac, dst[start:], data, usage)
	return dst
}

// VerifyChecksum checks sum, of the checksum type ctype, over data. The type is
// the key's own or, with any key, ChecksumHMACMD5. It fails with ErrChecksumType
// or ErrIntegrity.
func (k *Key) VerifyChecksum(ctype int32, sum, data []byte, usage uint32) error {
	var buf [32]byte
	var want []byte
	switch ctype {
	case k.profile.checksum:
		want = k.Checksum(buf[:0], data, usage)
	case ChecksumHMACMD5:
		want = k.ChecksumMD5(buf[:0], data, usage)
	default:
		return fmt.Errorf("%w: checksum type %d, encryption type %d", ErrChecksumType, ctype, k.EType)
	}
	if !equal(sum, want) {
		return fmt.Errorf("%w: checksum of type %d, key usage %d", ErrIntegrity, ctype, usage)
	}
	return nil
}

// keysFor finds or derives the keys of a usage. Two goroutines may derive the
// same keys at once; both results are right.
func (k *Key) keysFor(usage uint32, p purpose) *derivedKey {
	head := k.derived.Load()
	for d := head; d != nil; d = d.next {
		if d.usage == usage && d.purpose == p {
			return d
		}
	}
	d := k.derive(usage, p)
	for {
		d.next = head
		if k.derived.CompareAndSwap(head, d) {
			return d
		}
		head = k.derived.Load()
	}
}

func (k *Key) derive(usage uint32, p purpose) *derivedKey {
	d := &derivedKey{usage: usage, purpose: p}
	switch {
	case k.profile == &rc4HMAC || p == forMD5Checksum:
		d.mac = k.deriveMD5(usage, p)
	case p == forEncryption:
		var buf [32]byte
		d.block = newBlock(k.deriveAES(buf[:0], usage, constEncryption, k.profile.size))
		d.mac = newMAC(k.profile.hash, k.deriveAES(buf[:0], usage, constIntegrity, k.profile.integrity))
	default:
		var buf [32]byte
		d.mac = newMAC(k.profile.hash, k.deriveAES(buf[:0], usage, constChecksum, k.profile.integrity))
	}
	return d
}

// block is the AES cipher of the key itself, for the derivation of RFC 3961 5.1.
func (k *Key) block() cipher.Block {
	if b := k.base.Load(); b != nil {
		return *b
	}
	b := newBlock(k.Value)
	k.base.Store(&b)
	return b
}

func newBlock(key []byte) cipher.Block {
	b, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // key sizes are checked in NewKey and fixed in the profiles
	}
	return b
}

// grow lengthens dst by n octets.
func grow(dst []byte, n int) []byte {
	if need := len(dst) + n; need > cap(dst) {
		grown := make([]byte, need)
		copy(grown, dst)
		return grown
	}
	return dst[:len(dst)+n]
}
