package security

import (
	"encoding/hex"
	"errors"
	"fmt"
)

// ErrGUID is wrapped by every error about a malformed GUID.
var ErrGUID = errors.New("malformed GUID")

// GUID is a globally unique identifier in its wire form ([MS-DTYP] 2.3.4.2):
// the first three fields little-endian, the rest as they are. So GUID(b) of 16
// bytes read from an attribute is right, and g[:] is what is sent.
type GUID [16]byte

// guidOrder maps the position in the string form to that in the wire form.
var guidOrder = [16]int{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15}

// ParseGUID reads "12345678-9abc-def0-1234-56789abcdef0", in either case, with
// or without braces around it.
func ParseGUID(s string) (GUID, error) {
	t := s
	if len(t) == 38 && t[0] == '{' && t[37] == '}' {
		t = t[1:37]
	}
	if len(t) != 36 || t[8] != '-' || t[13] != '-' || t[18] != '-' || t[23] != '-' {
		return GUID{}, fmt.Errorf("%w %q: the form is 8-4-4-4-12 hexadecimal digits", ErrGUID, clip(s))
	}
	var b [16]byte
	if _, err := hex.Decode(b[:], []byte(t[:8]+t[9:13]+t[14:18]+t[19:23]+t[24:])); err != nil {
		return GUID{}, fmt.Errorf("%w %q: %w", ErrGUID, clip(s), err)
	}
	var g GUID
	for i, o := range guidOrder {
		g[o] = b[i]
	}
	return g, nil
}

// MustGUID is ParseGUID for constants; it panics on error.
func MustGUID(s string) GUID {
	g, err := ParseGUID(s)
	if err != nil {
		panic(err)
	}
	return g
}

// GUIDFromBytes reads the wire form, which must be 16 bytes.
func GUIDFromBytes(b []byte) (GUID, error) {
	if len(b) != 16 {
		return GUID{}, fmt.Errorf("%w: %d bytes, it has 16", ErrGUID, len(b))
	}
	return GUID(b), nil
}

// String is the dashed form in lower case, without braces.
func (g GUID) String() string {
	var b [16]byte
	for i, o := range guidOrder {
		b[i] = g[o]
	}
	var out [36]byte
	hex.Encode(out[0:8], b[0:4])
	hex.Encode(out[9:13], b[4:6])
	hex.Encode(out[14:18], b[6:8])
	hex.Encode(out[19:23], b[8:10])
	hex.Encode(out[24:36], b[10:16])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}

// IsZero tells whether every byte is zero.
func (g GUID) IsZero() bool { return g == GUID{} }
