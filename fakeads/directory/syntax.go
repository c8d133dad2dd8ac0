package directory

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gmsasim/gmsasim/fakeads/dn"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// syntax is how the values of an attribute are written and compared, [MS-ADTS] 3.1.1.2.2.
type syntax uint8

const (
	synOctets  syntax = iota // Octet, replica links and what has no rule of its own: byte for byte
	synString                // Unicode and Teletex: case does not count
	synExact                 // Printable, IA5, Numeric: case counts
	synInteger               // 32 bits, decimal
	synLarge                 // 64 bits, decimal
	synBoolean               // TRUE or FALSE
	synDN
	synDNBinary // B:32:hex:DN
	synOID      // an attribute or a class, by name
	synTime     // GeneralizedTime
	synSID
	synDescriptor
)

func syntaxOf(oid string, om int) syntax {
	switch oid {
	case "2.5.5.1":
		return synDN
	case "2.5.5.2":
		return synOID
	case "2.5.5.4", "2.5.5.12":
		return synString
	case "2.5.5.3", "2.5.5.5", "2.5.5.6":
		return synExact
	case "2.5.5.7":
		if om == 127 {
			return synDNBinary
		}
	case "2.5.5.8":
		return synBoolean
	case "2.5.5.9":
		return synInteger
	case "2.5.5.11":
		return synTime
	case "2.5.5.15":
		return synDescriptor
	case "2.5.5.16":
		return synLarge
	case "2.5.5.17":
		return synSID
	}
	return synOctets
}

// Values that many objects share.
var (
	valueTrue  = []byte("TRUE")
	valueFalse = []byte("FALSE")
)

func boolValue(b bool) []byte {
	if b {
		return valueTrue
	}
	return valueFalse
}

func intValue(n int64) []byte { return strconv.AppendInt(nil, n, 10) }

// timeLayout is GeneralizedTime as Active Directory writes it.
const timeLayout = "20060102150405.0Z"

func appendTime(b []byte, seconds int64) []byte {
	return time.Unix(seconds, 0).UTC().AppendFormat(b, timeLayout)
}

// parseTime reads GeneralizedTime and UTCTime in the forms that Active Directory takes.
func parseTime(b []byte) (time.Time, bool) {
	s := string(b)
	for _, layout := range []string{"20060102150405.0Z", "20060102150405Z", "20060102150405.999999999Z", "20060102150405.999999999-0700", "20060102150405-0700", "060102150405Z"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// canonical brings a value that a client wrote into the form that is stored and read back. ok is false for what the
// syntax does not allow. DNs of links and of DN-Binary are resolved elsewhere.
func (a *attrDef) canonical(s *schema, v []byte) (out []byte, ok bool) {
	switch a.syntax {
	case synString:
		return v, utf8.Valid(v) && bytes.IndexByte(v, 0) < 0
	case synExact:
		for _, c := range v {
			if c >= utf8.RuneSelf {
				return nil, false
			}
		}
		return v, true
	case synInteger:
		n, err := strconv.ParseInt(string(v), 10, 64)
		if err != nil || n < -1<<31 || n >= 1<<32 {
			return nil, false
		}
		return canonicalInt(v, int64(int32(uint32(n)))), true
	case synLarge:
		n, err := strconv.ParseInt(string(v), 10, 64)
		if err != nil {
			return nil, false
		}
		return canonicalInt(v, n), true
	case synBoolean:
		switch {
		case bytes.EqualFold(v, valueTrue):
			return valueTrue, true
		case bytes.EqualFold(v, valueFalse):
			return valueFalse, true
		}
		return nil, false
	case synDN:
		d, err := dn.Parse(string(v))
		if err != nil || d.IsZero() {
			return nil, false
		}
		return []byte(d.String()), true
	case synDNBinary:
		bin, name, ok := splitDNBinary(v)
		if !ok {
			return nil, false
		}
		d, err := dn.Parse(string(name))
		if err != nil || d.IsZero() {
			return nil, false
		}
		return appendDNBinary(nil, bin, d.String()), true
	case synOID:
		if c := s.class(string(v)); c != nil {
			return c.nameBytes, true
		}
		if d := s.attr(string(v)); d != nil {
			return d.nameBytes, true
		}
		return v, isOID(v)
	case synTime:
		t, ok := parseTime(v)
		if !ok {
			return nil, false
		}
		return appendTime(nil, t.Unix()), true
	case synSID:
		if _, err := security.SIDFromBytes(v); err == nil {
			return v, true
		}
		sid, err := security.ParseSID(string(v))
		return sid.Bytes(), err == nil
	case synDescriptor:
		_, err := security.ParseDescriptor(v)
		return v, err == nil
	}
	return v, true
}

func canonicalInt(v []byte, n int64) []byte {
	var buf [20]byte
	if s := strconv.AppendInt(buf[:0], n, 10); !bytes.Equal(s, v) {
		return bytes.Clone(s)
	}
	return v
}

func isOID(v []byte) bool {
	if len(v) == 0 {
		return false
	}
	for _, c := range v {
		if c != '.' && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// splitDNBinary reads B:<number of hexadecimal digits>:<digits>:<DN> ([MS-ADTS] 3.1.1.2.2.2.5).
func splitDNBinary(v []byte) (bin, name []byte, ok bool) {
	rest, found := bytes.CutPrefix(v, []byte("B:"))
	if !found {
		if rest, found = bytes.CutPrefix(v, []byte("b:")); !found {
			return nil, nil, false
		}
	}
	count, rest, found := bytes.Cut(rest, []byte(":"))
	if !found {
		return nil, nil, false
	}
	n, err := strconv.ParseUint(string(count), 10, 31)
	if err != nil || n%2 != 0 || n >= uint64(len(rest)) || rest[n] != ':' {
		return nil, nil, false
	}
	bin = make([]byte, n/2)
	if _, err := hex.Decode(bin, rest[:n]); err != nil {
		return nil, nil, false
	}
	return bin, rest[n+1:], true
}

func appendDNBinary(b, bin []byte, name string) []byte {
	b = append(b, "B:"...)
	b = strconv.AppendInt(b, int64(2*len(bin)), 10)
	b = append(b, ':')
	b = append(b, strings.ToUpper(hex.EncodeToString(bin))...)
	b = append(b, ':')
	return append(b, name...)
}

// normalise appends the form in which equal values of the syntax are equal bytes. v is a stored value.
func (a *attrDef) normalise(b, v []byte) []byte {
	switch a.syntax {
	case synString, synOID, synDN, synDNBinary: // stored names are in one spelling but for case
		return appendFolded(b, v)
	}
	return append(b, v...)
}

// assertion is the normalised form of the value of a filter item or a comparison; ok is false when nothing can match it.
func (a *attrDef) assertion(s *schema, v []byte) (norm []byte, ok bool) {
	switch a.syntax {
	case synOctets:
		if a.id == aObjectGUID || a.id == aSchemaIDGUID || a.id == aInvocationId || a.id == aAttributeSecurityGUID || a.id == aParentGUID {
			if len(v) != 16 {
				// guess: a filter may give objectGUID in its dashed form as well as in escaped bytes.
				g, err := security.ParseGUID(string(v))
				return g[:], err == nil
			}
		}
		return v, true
	case synSID:
		if _, err := security.SIDFromBytes(v); err == nil {
			return v, true
		}
		sid, err := security.ParseSID(string(v))
		return sid.Bytes(), err == nil
	case synString:
		return appendFolded(nil, v), utf8.Valid(v)
	}
	c, ok := a.canonical(s, v)
	if !ok {
		return nil, false
	}
	return a.normalise(nil, c), true
}

// appendFolded appends v without the differences of case.
func appendFolded(b, v []byte) []byte {
	for i, c := range v {
		if c >= utf8.RuneSelf {
			return appendFoldedRunes(b, v[i:])
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}

func appendFoldedRunes(b, v []byte) []byte {
	for len(v) > 0 {
		r, n := utf8.DecodeRune(v)
		b = utf8.AppendRune(b, foldRune(r))
		v = v[n:]
	}
	return b
}

func foldKey(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || c >= 'A' && c <= 'Z' {
			return string(appendFolded(make([]byte, 0, len(s)), []byte(s)))
		}
	}
	return s
}

// equalFolded tells whether v, a stored value, equals the folded norm.
func equalFolded(v, norm []byte) bool {
	if len(v) == len(norm) {
		for i, c := range v {
			if c >= utf8.RuneSelf {
				return bytes.Equal(appendFolded(nil, v), norm)
			}
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			if c != norm[i] {
				return false
			}
		}
		return true
	}
	for _, c := range v {
		if c >= utf8.RuneSelf {
			return bytes.Equal(appendFolded(nil, v), norm)
		}
	}
	return false
}

// sortKey is a form of a value whose byte order is the order of the attribute.
func (a *attrDef) sortKey(v []byte) []byte {
	switch a.syntax {
	case synInteger, synLarge:
		n, _ := strconv.ParseInt(string(v), 10, 64)
		return binary.BigEndian.AppendUint64(nil, uint64(n)^1<<63)
	case synString, synOID, synDN:
		return appendFolded([]byte{}, v)
	}
	return append([]byte{}, v...)
}
