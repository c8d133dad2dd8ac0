package krbcrypt

import (
	"crypto/pbkdf2"
	"encoding/binary"
	"fmt"
	"unicode/utf16"

	//lint:ignore SA1019 the NT hash is MD4 ([MS-NLMP] 3.3.1), and nothing else will do
	"golang.org/x/crypto/md4"
)

// Rounds of PBKDF2 when no parameters say otherwise. Active Directory never
// sends parameters.
const (
	roundsSHA1 = 4096  // RFC 3962 4
	roundsSHA2 = 32768 // RFC 8009 4
)

// foldedKerberos is the 128-fold of "kerberos", RFC 3961 A.1.
var foldedKerberos = [16]byte{0x6b, 0x65, 0x72, 0x62, 0x65, 0x72, 0x6f, 0x73, 0x7b, 0x9b, 0x5b, 0x2b, 0x93, 0x13, 0x2b, 0x93}

// StringToKey derives a key from a password (UTF-8) and a salt with the default
// number of rounds. RC4 takes no salt. The password of a managed account is
// given with U+FFFD for each unpaired surrogate; its RC4 key comes from NTKey.
func StringToKey(etype int32, password, salt string) (*Key, error) {
	p := profileOf(etype)
	switch {
	case p == nil:
		return nil, fmt.Errorf("%w: %d", ErrEType, etype)
	case p == &rc4HMAC:
		return NTKey(UTF16LE(password)), nil
	case p.encryptThenMAC:
		return finishSHA2(p, stretch(p, password, saltSHA2(p, salt), roundsSHA2, p.size)), nil
	default:
		return finishSHA1(p, stretch(p, password, salt, roundsSHA1, p.size)), nil
	}
}

// stretch is PBKDF2 with the HMAC of the profile's hash.
func stretch(p *profile, password, salt string, rounds, n int) []byte {
	seed, err := pbkdf2.Key(p.hash.new, password, []byte(salt), rounds, n)
	if err != nil {
		panic(err) // sizes and rounds are constants
	}
	return seed
}

// finishSHA1 makes the key of an RFC 3962 type of PBKDF2's output, of which it
// takes as much as it needs.
func finishSHA1(p *profile, seed []byte) *Key {
	value := dk(nil, newBlock(seed[:p.size]), foldedKerberos[:], p.size)
	return &Key{EType: p.etype, Value: value, profile: p}
}

// finishSHA2 is the same for RFC 8009 4.
func finishSHA2(p *profile, seed []byte) *Key {
	return &Key{EType: p.etype, Value: kdfSHA2(nil, p.hash, seed, []byte("kerberos"), p.size), profile: p}
}

// saltSHA2 is the salt with the name of its encryption type, RFC 8009 4.
func saltSHA2(p *profile, salt string) string {
	if p == &aes128SHA256 {
		return "aes128-cts-hmac-sha256-128\x00" + salt
	}
	return "aes256-cts-hmac-sha384-192\x00" + salt
}

// NTKey is the RC4 key of a password in UTF-16LE: MD4 of its octets as they
// are (RFC 4757 2), so also for a password that is no valid UTF-16.
func NTKey(utf16le []byte) *Key {
	h := md4.New()
	h.Write(utf16le)
	return &Key{EType: RC4HMAC, Value: h.Sum(nil), profile: &rc4HMAC}
}

// UTF16LE encodes a password for NTKey.
func UTF16LE(s string) []byte {
	units := utf16.Encode([]rune(s))
	b := make([]byte, 0, 2*len(units))
	for _, u := range units {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}
