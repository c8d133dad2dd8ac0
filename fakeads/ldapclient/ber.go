package ldapclient

import (
	"fmt"
)

// Universal tags and those of the protocol's operations, RFC 4511 4.2 to 4.13. Operations are application tags; bit 0x20 says
// that there are elements inside.
const (
	tagBoolean     = 0x01
	tagInteger     = 0x02
	tagOctetString = 0x04
	tagEnumerated  = 0x0a
	tagSequence    = 0x30
	tagSet         = 0x31

	tagControls = 0xa0 // [0] of LDAPMessage

	opBindRequest     = 0x60
	opBindResponse    = 0x61
	opUnbindRequest   = 0x42
	opSearchRequest   = 0x63
	opSearchEntry     = 0x64
	opSearchDone      = 0x65
	opModifyRequest   = 0x66
	opModifyResponse  = 0x67
	opAddRequest      = 0x68
	opAddResponse     = 0x69
	opDeleteRequest   = 0x4a
	opDeleteResponse  = 0x6b
	opModDNRequest    = 0x6c
	opModDNResponse   = 0x6d
	opCompareRequest  = 0x6e
	opCompareResponse = 0x6f
	opSearchReference = 0x73
	opExtendedRequest = 0x77
	opExtended        = 0x78
	opIntermediate    = 0x79

	tagSimple      = 0x80 // AuthenticationChoice
	tagSASL        = 0xa3
	tagReferral    = 0xa3 // LDAPResult
	tagSASLCreds   = 0x87 // BindResponse
	tagSuperior    = 0x80 // ModifyDNRequest
	tagRequestName = 0x80 // ExtendedRequest
	tagRequestData = 0x81
	tagAnswerName  = 0x8a // ExtendedResponse
	tagAnswerData  = 0x8b
)

// appendHeader appends tag and length.
func appendHeader(b []byte, tag byte, n int) []byte {
	switch {
	case n < 0x80:
		return append(b, tag, byte(n))
	case n < 0x100:
		return append(b, tag, 0x81, byte(n))
	case n < 0x10000:
		return append(b, tag, 0x82, byte(n>>8), byte(n))
	default:
		return append(b, tag, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
}

// element is one element with its contents joined.
func element(tag byte, contents ...[]byte) []byte {
	n := 0
	for _, c := range contents {
		n += len(c)
	}
	b := appendHeader(make([]byte, 0, n+6), tag, n)
	for _, c := range contents {
		b = append(b, c...)
	}
	return b
}

func text(s string) []byte { return element(tagOctetString, []byte(s)) }

// number is an INTEGER or ENUMERATED.
func number(tag byte, v int) []byte {
	n := 1
	for x := v; x > 127 || x < -128; x >>= 8 {
		n++
	}
	b := make([]byte, n)
	for i := range b {
		b[n-1-i] = byte(v >> (8 * i))
	}
	return element(tag, b)
}

func boolean(v bool) []byte {
	if v {
		return []byte{tagBoolean, 1, 0xff}
	}
	return []byte{tagBoolean, 1, 0}
}

// header reads tag and length at the start of b: the size of the whole element, or 0 when b does not hold the header yet. Lengths are
// definite (RFC 4511 5.1).
func header(b []byte, limit int) (head, size int, err error) {
	if len(b) < 2 {
		return 0, 0, nil
	}
	n := int(b[1])
	if n < 0x80 {
		return 2, 2 + n, nil
	}
	octets := n & 0x7f
	if octets == 0 || octets > 4 {
		return 0, 0, fmt.Errorf("%w: length of %d octets", ErrProtocol, octets)
	}
	if len(b) < 2+octets {
		return 0, 0, nil
	}
	n = 0
	for _, o := range b[2 : 2+octets] {
		n = n<<8 | int(o)
	}
	if n > limit {
		return 0, 0, fmt.Errorf("%w: element of %d octets, the limit is %d", ErrProtocol, n, limit)
	}
	return 2 + octets, 2 + octets + n, nil
}

// reader walks over the elements of a buffer. The first fault stays in err, and everything after it reads as empty.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrProtocol, fmt.Sprintf(format, args...))
	}
	r.b = nil
}

// more tells that there is another element.
func (r *reader) more() bool { return r.err == nil && len(r.b) > 0 }

// peek is the next tag, 0 at the end.
func (r *reader) peek() byte {
	if !r.more() {
		return 0
	}
	return r.b[0]
}

// next takes the next element.
func (r *reader) next() (tag byte, content []byte) {
	head, size, err := header(r.b, MaxMessage)
	switch {
	case r.err != nil:
		return 0, nil
	case err != nil:
		r.err, r.b = err, nil
		return 0, nil
	case size == 0 || size > len(r.b):
		r.fail("element cut short")
		return 0, nil
	}
	tag, content = r.b[0], r.b[head:size]
	r.b = r.b[size:]
	return tag, content
}

// want takes the next element, which must have the tag.
func (r *reader) want(tag byte) []byte {
	got, content := r.next()
	if r.err == nil && got != tag {
		r.fail("tag %#02x, want %#02x", got, tag)
		return nil
	}
	return content
}

// in opens the next element, which must have the tag.
func (r *reader) in(tag byte) *reader { return &reader{b: r.want(tag), err: r.err} }

// adopt takes over the fault of an inner reader.
func (r *reader) adopt(inner *reader) {
	if inner.err != nil && r.err == nil {
		r.err, r.b = inner.err, nil
	}
}

func (r *reader) text() string { return string(r.want(tagOctetString)) }

// number reads an INTEGER or ENUMERATED of at most four octets.
func (r *reader) number(tag byte) int {
	c := r.want(tag)
	if r.err != nil {
		return 0
	}
	if len(c) == 0 || len(c) > 4 {
		r.fail("number of %d octets", len(c))
		return 0
	}
	v := int(int8(c[0]))
	for _, o := range c[1:] {
		v = v<<8 | int(o)
	}
	return v
}
