// Package dn reads, compares and writes distinguished names as Active Directory
// does: RFC 4514 with the older spellings of RFC 2253 and 1779 that its clients
// still send.
//
// Comparison ignores case by Unicode's simple rules. Not modelled: the
// linguistic comparison of a Windows locale, in which "e" and "é" are the same.
package dn

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits on names from outside.
const (
	// MaxLength is the longest name, in bytes, MaxDepth the most components.
	//
	// guess: a distinguished name of more than 8,192 bytes or 256 components is refused as malformed; real trees stay far below.
	MaxLength = 8192
	MaxDepth  = 256
)

// ErrSyntax is wrapped by every error about a malformed name.
var ErrSyntax = errors.New("malformed distinguished name")

// SyntaxError says where the fault is.
type SyntaxError struct {
	Offset int // in bytes from the start
	Reason string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%v: offset %d: %s", ErrSyntax, e.Offset, e.Reason)
}

// Unwrap is ErrSyntax.
func (e *SyntaxError) Unwrap() error { return ErrSyntax }

// DN is a distinguished name. The zero value is the empty name. Compare names
// by their Key, not with ==.
type DN struct {
	text string // attribute types in upper case, values as given, escapes normalised
	key  string // lower case; a comma in it is always a separator
}

// Parse reads a name. Spaces around commas and equals signs are dropped,
// semicolons are taken as commas and quoted values are understood, as RFC 4514
// does not but RFC 2253 section 4 asks for. Errors are *SyntaxError.
//
// A component with several attributes (CN=a+OU=b) is refused: Active Directory
// has none ([MS-ADTS] 3.1.1.3.1.2).
func Parse(s string) (DN, error) {
	if len(s) > MaxLength {
		return DN{}, &SyntaxError{MaxLength, fmt.Sprintf("%d bytes, at most %d", len(s), MaxLength)}
	}
	if !utf8.ValidString(s) {
		return DN{}, &SyntaxError{0, "not UTF-8"}
	}
	p := parser{s: s}
	p.spaces()
	if p.at == len(s) {
		return DN{}, nil
	}
	var textBuf, keyBuf [160]byte // a name of the usual length costs one allocation
	text, key := textBuf[:0], keyBuf[:0]
	for depth := 1; ; depth++ {
		if depth > MaxDepth {
			return DN{}, p.fail(fmt.Sprintf("more than %d components", MaxDepth))
		}
		attr, value, err := p.component()
		if err != nil {
			return DN{}, err
		}
		text = appendComponent(text, attr, value)
		key = appendKey(key, attr, value)
		if p.at == len(s) {
			return join(text, key), nil
		}
		p.at++ // the separator
		text = append(text, ',')
		key = append(key, ',')
	}
}

// join makes a name of both forms, in one piece of memory.
func join(text, key []byte) DN {
	both := string(append(text, key...))
	return DN{both[:len(text)], both[len(text):]}
}

// MustParse is Parse for constants; it panics on error.
func MustParse(s string) DN {
	d, err := Parse(s)
	if err != nil {
		panic(fmt.Sprintf("dn: Parse(%q): %v", s, err))
	}
	return d
}

type parser struct {
	s  string
	at int
}

func (p *parser) fail(reason string) error { return &SyntaxError{p.at, reason} }

func (p *parser) spaces() {
	for p.at < len(p.s) && p.s[p.at] == ' ' {
		p.at++
	}
}

// component reads type=value and stops at a separator or the end.
func (p *parser) component() (attr, value string, err error) {
	p.spaces()
	start := p.at
	for p.at < len(p.s) && isType(p.s[p.at]) {
		p.at++
	}
	attr = p.s[start:p.at]
	if attr == "" {
		return "", "", p.fail("an attribute type must start a component")
	}
	if len(attr) > 4 && strings.EqualFold(attr[:4], "OID.") && '0' <= attr[4] && attr[4] <= '9' { // RFC 2253 section 4
		attr = attr[4:]
	}
	p.spaces()
	if p.at == len(p.s) || p.s[p.at] != '=' {
		return "", "", p.fail("= must follow the attribute type")
	}
	p.at++
	p.spaces()
	start = p.at
	switch {
	case p.at < len(p.s) && p.s[p.at] == '"':
		value, err = p.quoted()
	case p.at < len(p.s) && p.s[p.at] == '#':
		value, err = p.hexString()
	default:
		value, err = p.plain()
	}
	if err != nil {
		return "", "", err
	}
	p.spaces()
	if p.at < len(p.s) && p.s[p.at] != ',' && p.s[p.at] != ';' {
		if p.s[p.at] == '+' {
			return "", "", p.fail("a component of several attributes is not supported")
		}
		return "", "", p.fail("a comma must follow the value")
	}
	if value == "" {
		p.at = start
		return "", "", p.fail("an empty value")
	}
	if !utf8.ValidString(value) {
		p.at = start
		return "", "", p.fail("the value's escapes are not UTF-8")
	}
	return attr, value, nil
}

func isType(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.'
}

// plain reads a value up to an unescaped separator; spaces at its end that are
// not escaped are not part of it.
func (p *parser) plain() (string, error) {
	if end := strings.IndexAny(p.s[p.at:], ",;+\"<>\\\x00"); end < 0 || p.s[p.at+end] == ',' {
		value := p.s[p.at:]
		if end >= 0 {
			value = value[:end]
		}
		p.at += len(value)
		return strings.TrimRight(value, " "), nil
	}
	var out []byte
	keep := 0 // length of out that trailing spaces are not cut below
	for ; p.at < len(p.s); p.at++ {
		switch c := p.s[p.at]; c {
		case ',', ';', '+':
			return trimSpaces(out, keep), nil
		case '"', '<', '>':
			return "", p.fail(fmt.Sprintf(`%q in a value is written \%c`, c, c))
		case 0:
			return "", p.fail(`NUL in a value is written \00`)
		case '\\':
			b, err := p.escape()
			if err != nil {
				return "", err
			}
			out = append(out, b)
			keep = len(out)
		default:
			out = append(out, c)
		}
	}
	return trimSpaces(out, keep), nil
}

func trimSpaces(b []byte, keep int) string {
	for len(b) > keep && b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	return string(b)
}

// escape reads what follows a backslash and stops at its last byte.
func (p *parser) escape() (byte, error) {
	if p.at+1 == len(p.s) {
		return 0, p.fail(`nothing follows \`)
	}
	c := p.s[p.at+1]
	if strings.IndexByte(` "#+,;<=>\/`, c) >= 0 {
		p.at++
		return c, nil
	}
	if p.at+2 < len(p.s) {
		var b [1]byte
		if _, err := hex.Decode(b[:], []byte(p.s[p.at+1:p.at+3])); err == nil {
			p.at += 2
			return b[0], nil
		}
	}
	return 0, p.fail(`two hexadecimal digits or a special character must follow \`)
}

// quoted reads "value", RFC 2253 section 4.
func (p *parser) quoted() (string, error) {
	var out []byte
	for p.at++; p.at < len(p.s); p.at++ {
		switch c := p.s[p.at]; c {
		case '"':
			p.at++
			return string(out), nil
		case '\\':
			b, err := p.escape()
			if err != nil {
				return "", err
			}
			out = append(out, b)
		default:
			out = append(out, c)
		}
	}
	return "", p.fail("the quoted value does not end")
}

// hexString reads #hex: the BER encoding of a string (RFC 4514 2.4).
func (p *parser) hexString() (string, error) {
	start := p.at
	end := start + 1
	for end < len(p.s) && p.s[end] != ',' && p.s[end] != ';' && p.s[end] != ' ' {
		end++
	}
	b, err := hex.DecodeString(p.s[start+1 : end])
	// A string of at least one byte and below 128: tag, one length octet, content.
	if err != nil || len(b) < 3 || b[0]&0x20 != 0 || b[1] >= 0x80 || int(b[1]) != len(b)-2 {
		return "", p.fail("# must be followed by a short BER string in hexadecimal digits")
	}
	p.at = end
	return string(b[2:]), nil
}

// appendComponent writes ATTR=value with the escapes of RFC 4514 2.4 and, as
// Active Directory does, an escaped equals sign and control characters in hex.
func appendComponent(b []byte, attr, value string) []byte {
	for i := range len(attr) {
		c := attr[i]
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		b = append(b, c)
	}
	b = append(b, '=')
	for i := range len(value) {
		c := value[i]
		switch {
		case c < ' ' || c == 0x7f:
			b = append(b, '\\', upperHex[c>>4], upperHex[c&15])
			continue
		case c == ',' || c == '+' || c == '"' || c == '\\' || c == '<' || c == '>' || c == ';' || c == '=',
			c == ' ' && (i == 0 || i == len(value)-1),
			c == '#' && i == 0:
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	return b
}

const upperHex = "0123456789ABCDEF"

// appendKey writes the form in which equal names are equal strings: lower case,
// commas and backslashes of values in hex.
func appendKey(b []byte, attr, value string) []byte {
	for i := range len(attr) {
		c := attr[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	b = append(b, '=')
	for _, r := range value {
		switch {
		case r == ',' || r == '\\':
			b = append(b, '\\', upperHex[r>>4], upperHex[r&15])
		case r < utf8.RuneSelf:
			if r >= 'A' && r <= 'Z' {
				r += 'a' - 'A'
			}
			b = append(b, byte(r))
		default:
			b = utf8.AppendRune(b, fold(r))
		}
	}
	return b
}

// String is the name with attribute types in upper case, values as given and
// no superfluous spaces or escapes.
func (d DN) String() string { return d.text }

// Key is equal for names that are equal, and only for those. The key of a name
// below another ends in a comma and the other's key.
func (d DN) Key() string { return d.key }

// Equal tells whether both are the same name.
func (d DN) Equal(e DN) bool { return d.key == e.key }

// IsZero tells whether d is the empty name.
func (d DN) IsZero() bool { return d.key == "" }

// Depth is the number of components.
func (d DN) Depth() int {
	if d.key == "" {
		return 0
	}
	return 1 + strings.Count(d.key, ",")
}

// cut is where the first component of the text ends.
func (d DN) cut() int {
	for i := 0; i < len(d.text); i++ {
		switch d.text[i] {
		case '\\':
			i++
		case ',':
			return i
		}
	}
	return len(d.text)
}

// RDN is the attribute type, in upper case, and the unescaped value of the
// first component; both empty for the empty name.
func (d DN) RDN() (attr, value string) {
	first := d.text[:d.cut()]
	attr, escaped, _ := strings.Cut(first, "=")
	if strings.IndexByte(escaped, '\\') < 0 {
		return attr, escaped
	}
	p := parser{s: escaped}
	var out []byte
	for ; p.at < len(escaped); p.at++ {
		c := escaped[p.at]
		if c == '\\' {
			c, _ = p.escape() // the text was made by appendComponent
		}
		out = append(out, c)
	}
	return attr, string(out)
}

// Parent is the name without its first component; empty for a name of one.
func (d DN) Parent() DN {
	cut := d.cut()
	if cut == len(d.text) {
		return DN{}
	}
	return DN{d.text[cut+1:], d.key[strings.IndexByte(d.key, ',')+1:]}
}

// Child is the name of the component attr=value below d. The value is plain
// text, not escaped.
func (d DN) Child(attr, value string) DN {
	text := appendComponent(make([]byte, 0, len(attr)+len(value)+len(d.text)+8), attr, value)
	key := appendKey(make([]byte, 0, len(attr)+len(value)+len(d.key)+8), attr, value)
	if d.key != "" {
		text = append(append(text, ','), d.text...)
		key = append(append(key, ','), d.key...)
	}
	return DN{string(text), string(key)}
}

// IsUnder tells whether d is ancestor or below it. Everything is under the
// empty name.
func (d DN) IsUnder(ancestor DN) bool {
	if ancestor.key == "" || d.key == ancestor.key {
		return true
	}
	n := len(d.key) - len(ancestor.key)
	return n > 0 && d.key[n-1] == ',' && d.key[n:] == ancestor.key
}

// Domain is the name of a DNS domain (RFC 2247): contoso.com is
// DC=contoso,DC=com.
func Domain(dns string) DN {
	var d DN
	labels := strings.Split(strings.TrimSuffix(dns, "."), ".")
	for i := len(labels) - 1; i >= 0; i-- {
		if labels[i] != "" {
			d = d.Child("DC", labels[i])
		}
	}
	return d
}

// DNSName is the DNS domain that the trailing DC components spell; empty when
// there are none.
func (d DN) DNSName() string {
	name, _ := d.split()
	return name
}

// split takes the trailing DC components off: their DNS name, and the values of
// the others, innermost first.
func (d DN) split() (dns string, values []string) {
	var labels []string
	for ; !d.IsZero(); d = d.Parent() {
		attr, value := d.RDN()
		if attr == "DC" {
			labels = append(labels, value)
			continue
		}
		values = append(append(values, labels...), value)
		labels = labels[:0]
	}
	return strings.Join(labels, "."), values
}

// CanonicalName is the form of the attribute canonicalName ([MS-ADTS]
// 3.1.1.4.5): contoso.com/Users/alice, and contoso.com/ for the domain itself. A
// slash within a component is escaped.
func CanonicalName(d DN) string {
	dns, values := d.split()
	var b strings.Builder
	b.WriteString(dns)
	b.WriteByte('/')
	for i := len(values) - 1; i >= 0; i-- {
		b.WriteString(strings.ReplaceAll(values[i], "/", `\/`))
		if i > 0 {
			b.WriteByte('/')
		}
	}
	return b.String()
}
