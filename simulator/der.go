package simulator

import (
	"errors"
	"fmt"
	"time"
)

// The DER of Kerberos is small: definite lengths, tags below 31, and a handful of types (RFC 4120 5.2). The simulated clients
// write their requests with these functions and read replies with derReader, so that a request costs microseconds.

const (
	tagInteger     = 0x02
	tagBitString   = 0x03
	tagOctetString = 0x04
	tagSequence    = 0x30
	tagGeneralized = 0x18
	tagGeneral     = 0x1b // GeneralString
)

// context0 plus n is the constructed context-specific tag [n], application0 plus n the application tag.
const (
	context0     = 0xa0
	application0 = 0x60
)

// tlv encodes one element of the contents joined.
func tlv(tag byte, contents ...[]byte) []byte { return nest([]byte{tag}, contents...) }

// nest encodes elements that are each the only content of the one before, the innermost of the contents joined. What is large is copied once
// instead of once for each element.
func nest(tags []byte, contents ...[]byte) []byte {
	n := 0
	for _, c := range contents {
		n += len(c)
	}
	b := make([]byte, 0, n+5*len(tags))
	for i, tag := range tags {
		size := n // of the content, with the headers that follow
		for range tags[i+1:] {
			size += 1 + lengthSize(size)
		}
		b = appendLength(append(b, tag), size)
	}
	for _, c := range contents {
		b = append(b, c...)
	}
	return b
}

// lengthSize is how many octets a length takes.
func lengthSize(n int) int {
	switch {
	case n < 0x80:
		return 1
	case n < 0x100:
		return 2
	case n < 0x10000:
		return 3
	}
	return 4
}

func appendLength(b []byte, n int) []byte {
	switch lengthSize(n) {
	case 1:
		return append(b, byte(n))
	case 2:
		return append(b, 0x81, byte(n))
	case 3:
		return append(b, 0x82, byte(n>>8), byte(n))
	}
	return append(b, 0x83, byte(n>>16), byte(n>>8), byte(n))
}

// field is [n] content.
func field(n byte, content ...[]byte) []byte { return tlv(context0+n, content...) }

// octets is [n] OCTET STRING.
func octets(n byte, content []byte) []byte {
	return nest([]byte{context0 + n, tagOctetString}, content)
}

// sequenceIn is [n] SEQUENCE.
func sequenceIn(n byte, elements ...[]byte) []byte {
	return nest([]byte{context0 + n, tagSequence}, elements...)
}

// message is the application element n of a SEQUENCE.
func message(n byte, fields ...[]byte) []byte {
	return nest([]byte{application0 + n, tagSequence}, fields...)
}

func derInt(v int64) []byte {
	n := 1
	for x := v; x > 127 || x < -128; x >>= 8 {
		n++
	}
	b := make([]byte, n)
	for i := range b {
		b[n-1-i] = byte(v >> (8 * i))
	}
	return tlv(tagInteger, b)
}

func derString(s string) []byte { return tlv(tagGeneral, []byte(s)) }

func derTime(t time.Time) []byte {
	return tlv(tagGeneralized, []byte(t.UTC().Format("20060102150405Z")))
}

// derFlags is a KerberosFlags of 32 bits.
func derFlags(f uint32) []byte {
	return tlv(tagBitString, []byte{0, byte(f >> 24), byte(f >> 16), byte(f >> 8), byte(f)})
}

var errDER = errors.New("malformed DER")

// derReader walks over the elements of a buffer.
type derReader struct{ rest []byte }

// next splits the first element off: its tag, its content, and the element as a whole.
func (r *derReader) next() (tag byte, content, whole []byte, err error) {
	b := r.rest
	if len(b) < 2 {
		return 0, nil, nil, fmt.Errorf("%w: %d octets left", errDER, len(b))
	}
	if b[0]&0x1f == 0x1f {
		return 0, nil, nil, fmt.Errorf("%w: tag above 30", errDER)
	}
	head, n := 2, int(b[1])
	if n >= 0x80 {
		octets := n & 0x7f
		if octets == 0 || octets > 3 || len(b) < 2+octets {
			return 0, nil, nil, fmt.Errorf("%w: length of %d octets", errDER, octets)
		}
		n = 0
		for _, o := range b[2 : 2+octets] {
			n = n<<8 | int(o)
		}
		head += octets
	}
	if n > len(b)-head {
		return 0, nil, nil, fmt.Errorf("%w: element of %d octets, %d left", errDER, n, len(b)-head)
	}
	r.rest = b[head+n:]
	return b[0], b[head : head+n], b[:head+n], nil
}

// fields are the context-tagged elements of a SEQUENCE by their number: the content, without the context tag.
type fields [16][]byte

// derSequence reads SEQUENCE { [0] … [15] }, optionally inside an application tag.
func derSequence(b []byte, application int) (fields, error) {
	var f fields
	r := derReader{b}
	tag, content, _, err := r.next()
	if err != nil {
		return f, err
	}
	if application >= 0 {
		if tag != application0+byte(application) {
			return f, fmt.Errorf("%w: tag %#x, want application %d", errDER, tag, application)
		}
		r = derReader{content}
		if tag, content, _, err = r.next(); err != nil {
			return f, err
		}
	}
	if tag != tagSequence {
		return f, fmt.Errorf("%w: tag %#x, want a sequence", errDER, tag)
	}
	for r = (derReader{content}); len(r.rest) > 0; {
		tag, content, _, err := r.next()
		if err != nil {
			return f, err
		}
		if tag < context0 || tag > context0+15 {
			return f, fmt.Errorf("%w: tag %#x in a sequence of fields", errDER, tag)
		}
		f[tag-context0] = content
	}
	return f, nil
}

// inner reads the one element inside a field.
func inner(b []byte, want byte) ([]byte, error) {
	r := derReader{b}
	tag, content, _, err := r.next()
	if err != nil {
		return nil, err
	}
	if tag != want {
		return nil, fmt.Errorf("%w: tag %#x, want %#x", errDER, tag, want)
	}
	return content, nil
}

func readInt(b []byte) (int64, error) {
	c, err := inner(b, tagInteger)
	if err != nil {
		return 0, err
	}
	if len(c) == 0 || len(c) > 8 {
		return 0, fmt.Errorf("%w: integer of %d octets", errDER, len(c))
	}
	v := int64(int8(c[0]))
	for _, o := range c[1:] {
		v = v<<8 | int64(o)
	}
	return v, nil
}

func readString(b []byte) (string, error) {
	c, err := inner(b, tagGeneral)
	return string(c), err
}

func readTime(b []byte) (time.Time, error) {
	c, err := inner(b, tagGeneralized)
	if err != nil {
		return time.Time{}, err
	}
	return time.Parse("20060102150405Z", string(c))
}

func readFlags(b []byte) (uint32, error) {
	c, err := inner(b, tagBitString)
	if err != nil {
		return 0, err
	}
	if len(c) != 5 {
		return 0, fmt.Errorf("%w: flags of %d octets", errDER, len(c))
	}
	return uint32(c[1])<<24 | uint32(c[2])<<16 | uint32(c[3])<<8 | uint32(c[4]), nil
}
