package fakekdc

import (
	"errors"
	"fmt"
	"time"
)

// errDER is wrapped by every error about a malformed message.
var errDER = errors.New("malformed DER")

// Universal tags, ITU-T X.690.
const (
	tagBoolean     = 0x01
	tagInteger     = 0x02
	tagBitString   = 0x03
	tagOctets      = 0x04
	tagTime        = 0x18 // GeneralizedTime
	tagString      = 0x1B // GeneralString
	tagSequence    = 0x30
	tagContext     = 0xA0
	tagApplication = 0x60
)

// reader takes elements off the front of DER. It keeps the first error, so that a structure is read without a check after every
// field; err is looked at once at the end.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", errDER, what)
	}
	r.b = nil
}

// element cuts the first element: its tag, its contents, and all of it.
func (r *reader) element() (tag byte, content, whole []byte) {
	b := r.b
	if len(b) < 2 {
		r.fail("element is cut short")
		return 0, nil, nil
	}
	tag = b[0]
	if tag&0x1F == 0x1F {
		r.fail("tag number above 30")
		return 0, nil, nil
	}
	n, header := int(b[1]), 2
	if n >= 0x80 {
		width := n - 0x80
		if width == 0 || width > 4 || len(b) < 2+width {
			r.fail("length of an element")
			return 0, nil, nil
		}
		n = 0
		for _, c := range b[2 : 2+width] {
			n = n<<8 | int(c)
		}
		header += width
	}
	if n < 0 || n > len(b)-header {
		r.fail("element is longer than what holds it")
		return 0, nil, nil
	}
	r.b = b[header+n:]
	return tag, b[header : header+n], b[:header+n]
}

// want cuts an element that must have the tag and gives its contents.
func (r *reader) want(tag byte) []byte {
	got, content, _ := r.element()
	if r.err == nil && got != tag {
		r.fail(fmt.Sprintf("tag %#x where %#x belongs", got, tag))
		return nil
	}
	return content
}

// next tells whether the next element has the tag.
func (r *reader) next(tag byte) bool { return r.err == nil && len(r.b) > 0 && r.b[0] == tag }

// sequence gives a reader of a SEQUENCE that is all of b.
func sequence(b []byte, tags ...byte) *reader {
	r := &reader{b: b}
	for _, tag := range append(tags, tagSequence) {
		content := r.want(tag)
		if r.err == nil && len(r.b) > 0 {
			r.fail("octets after the end")
		}
		r.b = content
	}
	return r
}

// inner gives a reader of the contents of the next element, which has the context tag n, and within it a SEQUENCE.
func (r *reader) inner(n byte) *reader {
	c := &reader{b: r.want(tagContext + n), err: r.err}
	c.b = c.want(tagSequence)
	return c
}

// adopt takes over the error of a reader of a part.
func (r *reader) adopt(part *reader) {
	if r.err == nil {
		r.err = part.err
	}
}

// Fields of a SEQUENCE with explicit context tags.

func (r *reader) integer(n byte) int64 {
	c := reader{b: r.want(tagContext + n), err: r.err}
	b := c.want(tagInteger)
	if c.err == nil && (len(b) == 0 || len(b) > 8) {
		c.fail("integer")
	}
	r.adopt(&c)
	return intOf(b)
}

func intOf(b []byte) int64 {
	if len(b) == 0 {
		return 0
	}
	v := int64(int8(b[0]))
	for _, c := range b[1:] {
		v = v<<8 | int64(c)
	}
	return v
}

func (r *reader) octets(n byte) []byte { return r.primitive(n, tagOctets) }

func (r *reader) text(n byte) string { return string(r.primitive(n, tagString)) }

func (r *reader) primitive(n, tag byte) []byte {
	c := reader{b: r.want(tagContext + n), err: r.err}
	b := c.want(tag)
	r.adopt(&c)
	return b
}

// flags reads a KerberosFlags of 32 bits; longer ones are cut, shorter ones filled with zeros.
func (r *reader) flags(n byte) uint32 {
	b := r.primitive(n, tagBitString)
	if r.err == nil && len(b) == 0 {
		r.fail("bit string")
	}
	var v uint32
	for i := 1; i < 5; i++ {
		v <<= 8
		if i < len(b) {
			v |= uint32(b[i])
		}
	}
	return v
}

func (r *reader) time(n byte) time.Time {
	b := r.primitive(n, tagTime)
	if r.err != nil {
		return time.Time{}
	}
	t, ok := parseTime(b)
	if !ok {
		r.fail("time")
	}
	return t
}

// parseTime reads a KerberosTime, RFC 4120 5.2.3: YYYYMMDDHHMMSSZ.
func parseTime(b []byte) (time.Time, bool) {
	if len(b) != 15 || b[14] != 'Z' {
		return time.Time{}, false
	}
	var d [14]int
	for i, c := range b[:14] {
		if c < '0' || c > '9' {
			return time.Time{}, false
		}
		d[i] = int(c - '0')
	}
	year := d[0]*1000 + d[1]*100 + d[2]*10 + d[3]
	month, day := d[4]*10+d[5], d[6]*10+d[7]
	hour, minute, second := d[8]*10+d[9], d[10]*10+d[11], d[12]*10+d[13]
	if month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60 {
		return time.Time{}, false
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC), true
}

// writer builds DER from its end to its beginning, so that each length is known when it is written and no part is copied twice.
// Fields are therefore given in reverse order.
type writer struct {
	buf []byte
	pos int // what is written is buf[pos:]
}

func newWriter(size int) *writer { return &writer{buf: make([]byte, size), pos: size} }

func (w *writer) bytes() []byte { return w.buf[w.pos:] }

// mark is a place that wrap comes back to: how much is written after it.
func (w *writer) mark() int { return len(w.buf) - w.pos }

func (w *writer) need(n int) {
	if w.pos >= n {
		return
	}
	grown := make([]byte, 2*len(w.buf)+n)
	pos := len(grown) - (len(w.buf) - w.pos)
	copy(grown[pos:], w.buf[w.pos:])
	w.buf, w.pos = grown, pos
}

func (w *writer) raw(b []byte) {
	w.need(len(b))
	w.pos -= len(b)
	copy(w.buf[w.pos:], b)
}

func (w *writer) rawText(s string) {
	w.need(len(s))
	w.pos -= len(s)
	copy(w.buf[w.pos:], s)
}

func (w *writer) octet(c byte) {
	w.need(1)
	w.pos--
	w.buf[w.pos] = c
}

// wrap puts tag and length before everything that was written since mark.
func (w *writer) wrap(tag byte, mark int) {
	n := w.mark() - mark
	switch {
	case n < 0x80:
		w.octet(byte(n))
	default:
		width := byte(0)
		for v := n; v > 0; v >>= 8 {
			w.octet(byte(v))
			width++
		}
		w.octet(0x80 | width)
	}
	w.octet(tag)
}

// wrap2 is wrap in a universal element and in a context tag around it.
func (w *writer) wrap2(n, tag byte, mark int) {
	w.wrap(tag, mark)
	w.wrap(tagContext+n, mark)
}

func (w *writer) bareInteger(v int64) {
	m := w.mark()
	for {
		w.octet(byte(v))
		if v >= -0x80 && v < 0x80 {
			break
		}
		v >>= 8
	}
	w.wrap(tagInteger, m)
}

func (w *writer) integer(n byte, v int64) {
	m := w.mark()
	w.bareInteger(v)
	w.wrap(tagContext+n, m)
}

func (w *writer) octets(n byte, b []byte) {
	m := w.mark()
	w.raw(b)
	w.wrap2(n, tagOctets, m)
}

func (w *writer) text(n byte, s string) {
	m := w.mark()
	w.rawText(s)
	w.wrap2(n, tagString, m)
}

func (w *writer) flags(n byte, v uint32) {
	m := w.mark()
	for range 4 {
		w.octet(byte(v))
		v >>= 8
	}
	w.octet(0) // no unused bits
	w.wrap2(n, tagBitString, m)
}

func (w *writer) time(n byte, t time.Time) {
	m := w.mark()
	w.need(15)
	w.pos -= 15
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	b := w.buf[w.pos : w.pos+15]
	put := func(at, width, v int) {
		for i := at + width - 1; i >= at; i-- {
			b[i] = byte('0' + v%10)
			v /= 10
		}
	}
	put(0, 4, year)
	put(4, 2, int(month))
	put(6, 2, day)
	put(8, 2, hour)
	put(10, 2, minute)
	put(12, 2, second)
	b[14] = 'Z'
	w.wrap2(n, tagTime, m)
}
