package gss

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strconv"
	"time"
)

// Tags of the ASN.1 types that Kerberos and SPNEGO use.
const (
	tagInteger         = 0x02
	tagBitString       = 0x03
	tagOctetString     = 0x04
	tagOID             = 0x06
	tagEnumerated      = 0x0a
	tagUTF8String      = 0x0c
	tagIA5String       = 0x16
	tagGeneralizedTime = 0x18
	tagGeneralString   = 0x1b
	tagSequence        = 0x30
	application        = 0x60 // constructed
	contextTag         = 0xa0 // constructed
)

// tlv encodes an element. Tags are one octet here.
func tlv(tag byte, parts ...[]byte) []byte { return nest([]byte{tag}, parts...) }

// nest encodes elements that are each the only content of the one before, the innermost of the parts joined. A ticket is copied once for all of
// them.
func nest(tags []byte, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	b := make([]byte, 0, n+6*len(tags))
	for i, tag := range tags {
		size := n // of the content, with the headers that follow
		for range tags[i+1:] {
			size += 2 + octetsOfLength(size)
		}
		b = append(b, tag)
		if size < 0x80 {
			b = append(b, byte(size))
			continue
		}
		octets := octetsOfLength(size)
		b = append(b, 0x80|byte(octets))
		for i := octets - 1; i >= 0; i-- {
			b = append(b, byte(size>>(8*i)))
		}
	}
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// octetsOfLength is how many octets a length takes after its first one.
func octetsOfLength(n int) int {
	if n < 0x80 {
		return 0
	}
	return (bits.Len(uint(n)) + 7) / 8
}

func explicit(n byte, parts ...[]byte) []byte { return tlv(contextTag+n, parts...) }
func sequence(parts ...[]byte) []byte         { return tlv(tagSequence, parts...) }

// octetString is [n] OCTET STRING.
func octetString(n byte, b []byte) []byte { return nest([]byte{contextTag + n, tagOctetString}, b) }

// message is the application element n of a SEQUENCE.
func message(n byte, parts ...[]byte) []byte {
	return nest([]byte{application | n, tagSequence}, parts...)
}

// integer encodes an INTEGER in the fewest octets.
func integer(v int64) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(v))
	for len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
		b = b[1:]
	}
	return tlv(tagInteger, b)
}

func generalizedTime(t time.Time) []byte {
	return tlv(tagGeneralizedTime, t.UTC().AppendFormat(nil, "20060102150405Z"))
}

// flags32 encodes KerberosFlags, RFC 4120 5.2.8.
func flags32(v uint32) []byte {
	return tlv(tagBitString, []byte{0}, binary.BigEndian.AppendUint32(nil, v))
}

func (p Principal) encode() []byte {
	var names []byte
	for _, c := range p.Components {
		names = append(names, tlv(tagGeneralString, []byte(c))...)
	}
	return sequence(explicit(0, integer(int64(p.NameType))), explicit(1, sequence(names)))
}

func encodeEncrypted(etype int32, cipher []byte) []byte {
	return sequence(explicit(0, integer(int64(etype))), octetString(2, cipher))
}

// der reads elements one after another. After a failure every method gives a
// zero value and err keeps the first error. Lengths are definite; they need not
// be minimal.
type der struct {
	b   []byte
	err error
}

func (d *der) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: "+format, append([]any{ErrToken}, args...)...)
	}
	d.b = nil
}

// peek is the tag of the next element, 0 at the end.
func (d *der) peek() byte {
	if len(d.b) == 0 {
		return 0
	}
	return d.b[0]
}

// element takes the next element, which must have this tag.
func (d *der) element(tag byte) []byte {
	if d.err != nil {
		return nil
	}
	if len(d.b) < 2 || d.b[0] != tag {
		d.fail("tag %#02x wanted, %s follows", tag, tagName(d.b))
		return nil
	}
	n, head := int(d.b[1]), 2
	if n >= 0x80 {
		size := n & 0x7f
		if size == 0 || size > 4 || len(d.b) < 2+size {
			d.fail("length of %d octets after tag %#02x", size, tag)
			return nil
		}
		n, head = 0, 2+size
		for _, v := range d.b[2:head] {
			n = n<<8 | int(v)
		}
	}
	if n > len(d.b)-head {
		d.fail("element %#02x of %d octets in %d", tag, n, len(d.b)-head)
		return nil
	}
	content := d.b[head : head+n : head+n]
	d.b = d.b[head+n:]
	return content
}

func tagName(b []byte) string {
	if len(b) == 0 {
		return "nothing"
	}
	return "tag 0x" + strconv.FormatUint(uint64(b[0]), 16)
}

// raw takes the next element with its tag and length.
func (d *der) raw(tag byte) []byte {
	start := d.b
	d.element(tag)
	if d.err != nil {
		return nil
	}
	return start[:len(start)-len(d.b)]
}

// in opens the next element, which must have this tag. Use close to keep its error.
func (d *der) in(tag byte) der {
	b := d.element(tag)
	return der{b: b, err: d.err}
}

// optional opens the next element if it has this tag.
func (d *der) optional(tag byte) (der, bool) {
	if d.err != nil || d.peek() != tag {
		return der{}, false
	}
	return d.in(tag), true
}

// close takes over the error of an element that in or optional opened.
func (d *der) close(inner der) {
	if d.err == nil && inner.err != nil {
		d.err, d.b = inner.err, nil
	}
}

func (d *der) integer() int64 { return d.number(tagInteger) }

func (d *der) number(tag byte) int64 {
	b := d.element(tag)
	if d.err != nil {
		return 0
	}
	if len(b) == 0 || len(b) > 8 {
		d.fail("integer of %d octets", len(b))
		return 0
	}
	v := int64(int8(b[0]))
	for _, o := range b[1:] {
		v = v<<8 | int64(o)
	}
	return v
}

func (d *der) int32() int32 {
	v := d.integer()
	if int64(int32(v)) != v {
		d.fail("integer %d out of range", v)
	}
	return int32(v)
}

// text takes a KerberosString. Some clients send it as another type.
func (d *der) text() string {
	switch d.peek() {
	case tagUTF8String, tagIA5String:
		return string(d.element(d.peek()))
	}
	return string(d.element(tagGeneralString))
}

// flags takes the first 32 bits of KerberosFlags.
func (d *der) flags() uint32 {
	b := d.element(tagBitString)
	if d.err != nil {
		return 0
	}
	if len(b) == 0 || b[0] > 7 {
		d.fail("bit string of %d octets", len(b))
		return 0
	}
	var v [4]byte
	copy(v[:], b[1:])
	return binary.BigEndian.Uint32(v[:])
}

// time takes a KerberosTime, RFC 4120 5.2.3: YYYYMMDDHHMMSSZ.
func (d *der) time() time.Time {
	b := d.element(tagGeneralizedTime)
	if d.err != nil {
		return time.Time{}
	}
	const form = "20060102150405Z"
	if len(b) != len(form) || b[len(b)-1] != 'Z' {
		d.fail("time %.20q", b)
		return time.Time{}
	}
	var f [14]int
	for i, c := range b[:14] {
		if c < '0' || c > '9' {
			d.fail("time %.20q", b)
			return time.Time{}
		}
		f[i] = int(c - '0')
	}
	two := func(i int) int { return 10*f[i] + f[i+1] }
	year, month, day := 100*two(0)+two(2), two(4), two(6)
	hour, minute, second := two(8), two(10), two(12)
	if month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60 {
		d.fail("time %.20q", b)
		return time.Time{}
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
}

// principal takes a PrincipalName, RFC 4120 5.2.2.
func (d *der) principal() Principal {
	s := d.in(tagSequence)
	var p Principal
	f := s.in(contextTag + 0)
	p.NameType = f.int32()
	s.close(f)
	f = s.in(contextTag + 1)
	names := f.in(tagSequence)
	for len(names.b) > 0 {
		if len(p.Components) == maxComponents {
			names.fail("name of more than %d components", maxComponents)
			break
		}
		p.Components = append(p.Components, names.text())
	}
	f.close(names)
	s.close(f)
	d.close(s)
	return p
}

// maxComponents is far above what any service name has.
const maxComponents = 16

// encrypted is EncryptedData, RFC 4120 5.2.9. KVNO is 0 when absent.
type encrypted struct {
	etype  int32
	kvno   int
	cipher []byte
}

func (d *der) encrypted() encrypted {
	s := d.in(tagSequence)
	var e encrypted
	f := s.in(contextTag + 0)
	e.etype = f.int32()
	s.close(f)
	if f, ok := s.optional(contextTag + 1); ok {
		e.kvno = int(uint32(f.integer()))
		s.close(f)
	}
	f = s.in(contextTag + 2)
	e.cipher = f.element(tagOctetString)
	s.close(f)
	d.close(s)
	return e
}

// typed is the shape of EncryptionKey, Checksum and AuthorizationData's
// elements: a number and octets.
func (d *der) typed() (int32, []byte) {
	s := d.in(tagSequence)
	f := s.in(contextTag + 0)
	n := f.int32()
	s.close(f)
	f = s.in(contextTag + 1)
	b := f.element(tagOctetString)
	s.close(f)
	d.close(s)
	return n, b
}
