package fakeads

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Tags of BER elements, X.690 8.1.2, as LDAP uses them (RFC 4511 5.1).
const (
	tagBoolean    = 0x01
	tagInteger    = 0x02
	tagOctets     = 0x04
	tagEnumerated = 0x0a
	tagSequence   = 0x30
	tagSet        = 0x31

	tagApplication = 0x40
	tagContext     = 0x80
	constructed    = 0x20
)

// errBER is wrapped by every error about octets that are not the BER that LDAP
// wants there.
var errBER = errors.New("malformed BER")

// reader takes BER elements off a slice. The first error stays; after it
// everything reads as empty.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", errBER, fmt.Sprintf(format, args...))
	}
	r.b = nil
}

func (r *reader) more() bool { return len(r.b) > 0 }

// peek is the next tag, 0 at the end.
func (r *reader) peek() byte {
	if len(r.b) == 0 {
		return 0
	}
	return r.b[0]
}

// header reads tag and length at the start of b. head is 0 when b is too short
// to tell. Lengths are definite (RFC 4511 5.1) and of at most four octets.
func header(b []byte) (tag byte, head, size int, err error) {
	if len(b) < 2 {
		return 0, 0, 0, nil
	}
	n := int(b[1])
	if n < 0x80 {
		return b[0], 2, n, nil
	}
	octets := n & 0x7f
	if octets == 0 {
		return 0, 0, 0, fmt.Errorf("%w: indefinite length", errBER)
	}
	if octets > 4 {
		return 0, 0, 0, fmt.Errorf("%w: length of %d octets", errBER, octets)
	}
	if len(b) < 2+octets {
		return 0, 0, 0, nil
	}
	var v uint64
	for _, o := range b[2 : 2+octets] {
		v = v<<8 | uint64(o)
	}
	if v > maxLength {
		return 0, 0, 0, fmt.Errorf("%w: length %d", errBER, v)
	}
	return b[0], 2 + octets, int(v), nil
}

// maxLength is what fits an int everywhere.
const maxLength = 1<<31 - 1

// any takes the next element, whatever it is; whole includes its header.
func (r *reader) any() (tag byte, content, whole []byte) {
	if r.err != nil {
		return 0, nil, nil
	}
	tag, head, size, err := header(r.b)
	switch {
	case err != nil:
		r.err, r.b = err, nil
		return 0, nil, nil
	case head == 0 || size > len(r.b)-head:
		r.fail("element cut short")
		return 0, nil, nil
	case tag&0x1f == 0x1f:
		r.fail("tag of more than one octet")
		return 0, nil, nil
	}
	content, whole = r.b[head:head+size:head+size], r.b[:head+size:head+size]
	r.b = r.b[head+size:]
	return tag, content, whole
}

// element takes the next element, which must have this tag.
func (r *reader) element(tag byte, what string) []byte {
	if r.err == nil && r.peek() != tag {
		if len(r.b) == 0 {
			r.fail("no %s", what)
		} else {
			r.fail("%s with tag 0x%02x", what, r.b[0])
		}
		return nil
	}
	_, content, _ := r.any()
	return content
}

// in opens a constructed element.
func (r *reader) in(tag byte, what string) reader {
	b := r.element(tag, what)
	return reader{b: b, err: r.err}
}

// close ends an element opened by in: its error is ours and nothing may be left.
func (r *reader) close(inner *reader, what string) {
	if r.err == nil && inner.err == nil && len(inner.b) > 0 {
		r.fail("octets after the end of %s", what)
	}
	if r.err == nil && inner.err != nil {
		r.err, r.b = inner.err, nil
	}
}

func (r *reader) octets(what string) []byte { return r.element(tagOctets, what) }

func (r *reader) text(what string) string { return string(r.element(tagOctets, what)) }

// number takes an INTEGER or ENUMERATED of a value from 0 to max.
func (r *reader) number(tag byte, max int, what string) int {
	return r.value(r.element(tag, what), max, what)
}

// value is the contents of an INTEGER from 0 to max. Superfluous leading zeros are tolerated:
// some encoders make them.
func (r *reader) value(b []byte, max int, what string) int {
	if r.err != nil {
		return 0
	}
	v, ok := integer(b)
	if !ok || v < 0 || v > int64(max) {
		r.fail("%s is not a number from 0 to %d", what, max)
		return 0
	}
	return int(v)
}

// integer reads the contents of an INTEGER that fits 64 bits.
func integer(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 8 {
		return 0, false
	}
	v := int64(int8(b[0]))
	for _, o := range b[1:] {
		v = v<<8 | int64(o)
	}
	return v, true
}

// boolean takes a BOOLEAN; every octet but 0 is TRUE, as go-asn1-ber's 1.
func (r *reader) boolean(what string) bool {
	b := r.element(tagBoolean, what)
	if r.err == nil && len(b) != 1 {
		r.fail("%s is not a boolean", what)
	}
	return len(b) == 1 && b[0] != 0
}

// longHeader is the size of what openElement appends.
const longHeader = 6

// openElement begins a constructed element and returns where it begins.
// closeElement writes its length. The length always has four octets: so do
// those of Active Directory, and nothing must be moved.
func openElement(b []byte, tag byte) ([]byte, int) {
	return append(b, tag, 0x84, 0, 0, 0, 0), len(b)
}

func closeElement(b []byte, start int) {
	binary.BigEndian.PutUint32(b[start+2:], uint32(len(b)-start-longHeader))
}

// appendOctets appends a primitive element with the shortest length.
func appendOctets[T string | []byte](b []byte, tag byte, content T) []byte {
	n := len(content)
	switch {
	case n < 0x80:
		b = append(b, tag, byte(n))
	case n < 0x100:
		b = append(b, tag, 0x81, byte(n))
	case n < 0x10000:
		b = append(b, tag, 0x82, byte(n>>8), byte(n))
	default:
		b = append(b, tag, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, content...)
}

// appendNumber appends an INTEGER or ENUMERATED of a value that is not negative.
func appendNumber(b []byte, tag byte, v int) []byte {
	n := 1
	for x := v >> 7; x > 0; x >>= 8 {
		n++
	}
	b = append(b, tag, byte(n))
	for i := n - 1; i >= 0; i-- {
		b = append(b, byte(v>>(8*i)))
	}
	return b
}
