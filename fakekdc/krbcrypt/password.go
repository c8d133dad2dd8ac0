package krbcrypt

import (
	"encoding/binary"
	"fmt"
	"unicode/utf16"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/crypto/rfc3962"
	//lint:ignore SA1019 the NT hash is MD4 ([MS-NLMP] 3.3.1), and nothing else will do
	"golang.org/x/crypto/md4"
)

// StringToKey derives a key from a password (UTF-8) and a salt with the default
// number of rounds, 4,096 (RFC 3962 4) or 32,768 (RFC 8009 4): Active Directory
// never sends parameters. RC4 takes no salt. The password of a managed account is
// given with U+FFFD for each unpaired surrogate; its RC4 key comes from NTKey.
func StringToKey(etype int32, password, salt string) (*Key, error) {
	p := profileOf(etype)
	switch {
	case p == nil:
		return nil, fmt.Errorf("%w: %d", ErrEType, etype)
	case p == &rc4HMAC:
		return NTKey(UTF16LE(password)), nil
	case p.encryptThenMAC:
		return stringToKeySHA2(p, password, salt)
	default:
		return stringToKeySHA1(p, stretchSHA1(password, salt, roundsSHA1))
	}
}

// stretchSHA1 is PBKDF2 of RFC 3962 4 for as many octets as the longer of both
// types takes.
func stretchSHA1(password, salt string, rounds int64) []byte {
	return rfc3962.StringToPBKDF2(password, salt, rounds, crypto.Aes256CtsHmacSha96{})
}

// roundsSHA1 is the default of RFC 3962 4.
const roundsSHA1 = 4096

// stringToKeySHA1 makes the key of an RFC 3962 type of PBKDF2's output, of which
// it takes as much as it needs.
func stringToKeySHA1(p *profile, seed []byte) (*Key, error) {
	e, err := crypto.GetEtype(p.etype)
	if err != nil {
		return nil, err
	}
	value, err := e.DeriveKey(seed[:p.size], []byte("kerberos"))
	if err != nil {
		return nil, err
	}
	return &Key{EType: p.etype, Value: value, profile: p}, nil
}

// stringToKeySHA2 makes the key of an RFC 8009 type.
func stringToKeySHA2(p *profile, password, salt string) (*Key, error) {
	e, err := crypto.GetEtype(p.etype)
	if err != nil {
		return nil, err
	}
	value, err := e.StringToKey(password, salt, e.GetDefaultStringToKeyParams())
	if err != nil {
		return nil, err
	}
	return &Key{EType: p.etype, Value: value, profile: p}, nil
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
