package filter

import (
	"fmt"
	"math/bits"
)

// Tags of the parts of an item, RFC 4511 4.5.1.
const (
	classContext = 0x80
	constructed  = 0x20

	tagOctetString = 0x04
	tagSequence    = 0x30

	tagInitial = classContext
	tagAny     = classContext | 1
	tagFinal   = classContext | 2

	tagRule    = classContext | 1
	tagType    = classContext | 2
	tagValue   = classContext | 3
	tagDNAttrs = classContext | 4
)

// FromBER reads the Filter element of a search request, which must fill b. The
// values of the result are slices of b. The attribute descriptions are taken as
// they are: one that names nothing makes its item Undefined, not the request an
// error (RFC 4511 4.5.1.7). Errors wrap ErrSyntax or ErrLimit.
func FromBER(b []byte) (*Filter, error) { return fromBER(b, nil) }

// Decoder reads one filter after another and uses its memory again: a filter is valid until the next
// one is read. Of filters that ask for the same attributes, as those of one client do, only the
// first costs an allocation. The zero value is ready. A Decoder is not for several goroutines.
type Decoder struct {
	items []Filter
	used  int
}

// kept is how many items a Decoder has room for. Further ones are made anew.
const kept = 4

// FromBER is like the function of this name.
func (d *Decoder) FromBER(b []byte) (*Filter, error) {
	if d.items == nil {
		d.items = make([]Filter, kept)
	}
	d.used = 0
	return fromBER(b, d)
}

func fromBER(b []byte, memory *Decoder) (*Filter, error) {
	if len(b) > MaxLength {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrLimit, len(b), MaxLength)
	}
	d := decoder{size: len(b), memory: memory}
	f, rest, err := d.filter(b, 0)
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		return nil, d.fail(rest, "bytes after the filter")
	}
	return f, nil
}

type decoder struct {
	size   int // of the whole element, for offsets in errors
	items  int
	memory *Decoder
}

// maxKept is the longest attribute description that a Decoder keeps.
const maxKept = 64

// item makes an empty item. Attr is still that of the one whose place it takes.
func (d *decoder) item(op Op) *Filter {
	m := d.memory
	if m == nil || m.used == len(m.items) {
		return &Filter{Op: op}
	}
	f := &m.items[m.used]
	m.used++
	*f = Filter{Op: op, Attr: f.Attr, Children: f.Children[:0]}
	if len(f.Attr) > maxKept {
		f.Attr = ""
	}
	if cap(f.Children) > kept {
		f.Children = nil
	}
	return f
}

// named gives f its attribute.
func (f *Filter) named(attr []byte) {
	if f.Attr != string(attr) {
		f.Attr = string(attr)
	}
}

func (d *decoder) fail(rest []byte, reason string) error {
	return fmt.Errorf("%w: %s, %d bytes before the end of %d", ErrSyntax, reason, len(rest), d.size)
}

func (d *decoder) count() error {
	if d.items++; d.items > MaxItems {
		return fmt.Errorf("%w: more than %d items", ErrLimit, MaxItems)
	}
	return nil
}

// element splits the first BER element off b. Lengths are definite (RFC 4511
// 5.1), of at most four octets.
func (d *decoder) element(b []byte) (tag byte, content, rest []byte, err error) {
	if len(b) < 2 {
		return 0, nil, nil, d.fail(b, "element cut short")
	}
	n, head := int(b[1]), 2
	if n >= 0x80 {
		octets := n & 0x7f
		if octets == 0 {
			return 0, nil, nil, d.fail(b, "indefinite length")
		}
		if octets > 4 || len(b) < 2+octets {
			return 0, nil, nil, d.fail(b, "length cut short or too long")
		}
		n = 0
		for _, o := range b[2 : 2+octets] {
			n = n<<8 | int(o)
		}
		head += octets
	}
	if n > len(b)-head {
		return 0, nil, nil, d.fail(b, "element longer than its container")
	}
	return b[0], b[head : head+n : head+n], b[head+n:], nil
}

// want splits off an element with this tag.
func (d *decoder) want(b []byte, tag byte, what string) (content, rest []byte, err error) {
	got, content, rest, err := d.element(b)
	if err == nil && got != tag {
		err = d.fail(b, fmt.Sprintf("%s with tag 0x%02x", what, got))
	}
	return content, rest, err
}

func (d *decoder) filter(b []byte, depth int) (*Filter, []byte, error) {
	if depth > MaxDepth {
		return nil, nil, fmt.Errorf("%w: nested deeper than %d", ErrLimit, MaxDepth)
	}
	if err := d.count(); err != nil {
		return nil, nil, err
	}
	tag, content, rest, err := d.element(b)
	if err != nil {
		return nil, nil, err
	}
	f := d.item(Op(tag & 0x1f))
	wantTag := byte(classContext | constructed)
	if f.Op == Present {
		wantTag = classContext
	}
	if f.Op > Extensible || tag&^0x1f != wantTag {
		return nil, nil, d.fail(b, fmt.Sprintf("no filter item has tag 0x%02x", tag))
	}
	switch f.Op {
	case And, Or:
		f.Attr = ""
		for len(content) > 0 {
			var c *Filter
			if c, content, err = d.filter(content, depth+1); err != nil {
				return nil, nil, err
			}
			f.Children = append(f.Children, c)
		}
	case Not:
		c, after, err := d.filter(content, depth+1)
		if err != nil {
			return nil, nil, err
		}
		if len(after) > 0 {
			return nil, nil, d.fail(after, "not has more than one filter")
		}
		f.Attr, f.Children = "", append(f.Children, c)
	case Present:
		f.named(content)
	case Substrings:
		err = d.substrings(f, content)
	case Extensible:
		err = d.extensible(f, content)
	default:
		err = d.assertion(f, content)
	}
	if err != nil {
		return nil, nil, err
	}
	return f, rest, nil
}

func (d *decoder) assertion(f *Filter, b []byte) error {
	attr, b, err := d.want(b, tagOctetString, "attribute description")
	if err != nil {
		return err
	}
	value, b, err := d.want(b, tagOctetString, "assertion value")
	if err != nil {
		return err
	}
	if len(b) > 0 {
		return d.fail(b, "bytes after the assertion value")
	}
	f.named(attr)
	f.Value = value
	return nil
}

func (d *decoder) substrings(f *Filter, b []byte) error {
	attr, b, err := d.want(b, tagOctetString, "attribute description")
	if err != nil {
		return err
	}
	parts, b, err := d.want(b, tagSequence, "substrings")
	if err != nil {
		return err
	}
	if len(b) > 0 {
		return d.fail(b, "bytes after the substrings")
	}
	if len(parts) == 0 {
		return d.fail(b, "no substring in substrings")
	}
	f.named(attr)
	for first := true; len(parts) > 0; first = false {
		if err := d.count(); err != nil {
			return err
		}
		tag, part, rest, err := d.element(parts)
		if err != nil {
			return err
		}
		switch {
		case len(part) == 0:
			return d.fail(parts, "empty substring")
		case tag == tagInitial && first:
			f.Substr.Initial = part
		case tag == tagAny:
			f.Substr.Any = append(f.Substr.Any, part)
		case tag == tagFinal && len(rest) == 0:
			f.Substr.Final = part
		default:
			return d.fail(parts, fmt.Sprintf("substring with tag 0x%02x out of place", tag))
		}
		parts = rest
	}
	return nil
}

func (d *decoder) extensible(f *Filter, b []byte) error {
	f.Attr = ""
	var last byte
	for len(b) > 0 {
		tag, content, rest, err := d.element(b)
		if err != nil {
			return err
		}
		if tag <= last {
			return d.fail(b, fmt.Sprintf("matching rule assertion has tag 0x%02x out of order", tag))
		}
		last = tag
		switch tag {
		case tagRule:
			f.Rule = string(content)
		case tagType:
			f.Attr = string(content)
		case tagValue:
			f.Value = content
		case tagDNAttrs:
			if len(content) != 1 {
				return d.fail(b, "boolean of a length other than 1")
			}
			f.DNAttrs = content[0] != 0
		default:
			return d.fail(b, fmt.Sprintf("matching rule assertion has no tag 0x%02x", tag))
		}
		b = rest
	}
	if f.Value == nil {
		return d.fail(b, "matching rule assertion without a value")
	}
	if f.Attr == "" && f.Rule == "" {
		return d.fail(b, "matching rule assertion with neither rule nor type")
	}
	return nil
}

// AppendBER appends the Filter element of a search request.
func (f *Filter) AppendBER(b []byte) []byte {
	if f.Op == Present {
		return appendElement(b, classContext|byte(Present), f.Attr)
	}
	b = appendHeader(b, classContext|constructed|byte(f.Op), f.contentSize())
	switch f.Op {
	case And, Or, Not:
		for _, c := range f.Children {
			b = c.AppendBER(b)
		}
	case Substrings:
		b = appendElement(b, tagOctetString, f.Attr)
		b = appendHeader(b, tagSequence, f.Substr.size())
		if f.Substr.Initial != nil {
			b = appendElement(b, tagInitial, f.Substr.Initial)
		}
		for _, part := range f.Substr.Any {
			b = appendElement(b, tagAny, part)
		}
		if f.Substr.Final != nil {
			b = appendElement(b, tagFinal, f.Substr.Final)
		}
	case Extensible:
		if f.Rule != "" {
			b = appendElement(b, tagRule, f.Rule)
		}
		if f.Attr != "" {
			b = appendElement(b, tagType, f.Attr)
		}
		b = appendElement(b, tagValue, f.Value)
		if f.DNAttrs {
			b = append(b, tagDNAttrs, 1, 0xff)
		}
	default:
		b = appendElement(b, tagOctetString, f.Attr)
		b = appendElement(b, tagOctetString, f.Value)
	}
	return b
}

func (f *Filter) size() int {
	if f.Op == Present {
		return elementSize(len(f.Attr))
	}
	return elementSize(f.contentSize())
}

func (f *Filter) contentSize() int {
	n := 0
	switch f.Op {
	case And, Or, Not:
		for _, c := range f.Children {
			n += c.size()
		}
	case Substrings:
		n = elementSize(len(f.Attr)) + elementSize(f.Substr.size())
	case Extensible:
		if f.Rule != "" {
			n += elementSize(len(f.Rule))
		}
		if f.Attr != "" {
			n += elementSize(len(f.Attr))
		}
		n += elementSize(len(f.Value))
		if f.DNAttrs {
			n += elementSize(1)
		}
	default:
		n = elementSize(len(f.Attr)) + elementSize(len(f.Value))
	}
	return n
}

func (s *Substr) size() int {
	n := 0
	if s.Initial != nil {
		n += elementSize(len(s.Initial))
	}
	for _, part := range s.Any {
		n += elementSize(len(part))
	}
	if s.Final != nil {
		n += elementSize(len(s.Final))
	}
	return n
}

// lengthOctets is how many octets follow the first one of a length.
func lengthOctets(n int) int {
	if n < 0x80 {
		return 0
	}
	return (bits.Len(uint(n)) + 7) / 8
}

func elementSize(content int) int { return 2 + lengthOctets(content) + content }

func appendHeader(b []byte, tag byte, n int) []byte {
	octets := lengthOctets(n)
	if octets == 0 {
		return append(b, tag, byte(n))
	}
	b = append(b, tag, 0x80|byte(octets))
	for i := octets - 1; i >= 0; i-- {
		b = append(b, byte(n>>(8*i)))
	}
	return b
}

func appendElement[T string | []byte](b []byte, tag byte, content T) []byte {
	return append(appendHeader(b, tag, len(content)), content...)
}
