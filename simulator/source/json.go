package source

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// FaultKind is a way in which a text is not the JSON of RFC 8259.
type FaultKind int

// The faults of a text.
const (
	Syntax        FaultKind = iota // reading ended here
	Truncated                      // the end of the text inside a value; reading ended here
	Comment                        // //, /* */ or #; skipped
	TrailingComma                  // before } or ]; skipped
	TrailingData                   // after the document; ignored
)

// A Fault is one such place.
type Fault struct {
	Kind FaultKind
	File *File
	// Start and End are the range of what is wrong, in File.Data.
	Start, End int
	// Text says what is wrong: what was expected, and what is there.
	Text string
}

// Span is the place of the fault.
func (f Fault) Span() Span { return f.File.Span(f.Start, f.End) }

// maxDepth is how deep values may be nested; a credential spec needs five.
const maxDepth = 200

// ParseJSON reads one JSON document and goes on where it can: comments and commas that are too many are faults, not the end. After a fault of
// kind [Syntax] or [Truncated] the root holds what was read so far; it is nil when that is nothing.
func ParseJSON(f *File) (*Node, []Fault) { return ParseJSONAt(f, 0) }

// ParseJSONAt reads the document that begins at an offset: one that follows another, which is a fault of kind [TrailingData] of that.
func ParseJSONAt(f *File, offset int) (*Node, []Fault) {
	p := &jsonParser{f: f, b: f.Data, at: offset}
	root := p.value(0)
	if !p.stopped && root != nil {
		p.space()
		if p.at < len(p.b) && !p.stopped {
			p.fault(TrailingData, p.at, len(p.b), "the document ends before this")
		}
	}
	return root, p.faults
}

type jsonParser struct {
	f       *File
	b       []byte
	at      int
	faults  []Fault
	stopped bool
}

func (p *jsonParser) fault(kind FaultKind, start, end int, format string, args ...any) {
	p.faults = append(p.faults, Fault{Kind: kind, File: p.f, Start: start, End: max(start, min(end, len(p.b))), Text: fmt.Sprintf(format, args...)})
	if kind == Syntax || kind == Truncated {
		p.stopped = true
	}
}

// expected stops reading: something else is here than what has to be.
func (p *jsonParser) expected(what string) {
	if p.at >= len(p.b) {
		p.fault(Truncated, len(p.b), len(p.b), "expected %s, and the text ends", what)
		return
	}
	end := p.at + 1
	for end < len(p.b) && end-p.at < 40 && !strings.ContainsRune(" \t\r\n,:{}[]\"", rune(p.b[end])) && !strings.ContainsRune("{}[],:\"", rune(p.b[p.at])) {
		end++
	}
	for end < len(p.b) && !utf8.RuneStart(p.b[end]) {
		end++
	}
	p.fault(Syntax, p.at, end, "expected %s, found %q", what, p.b[p.at:end])
}

// space skips white space, and comments, which are faults.
func (p *jsonParser) space() {
	for p.at < len(p.b) {
		switch c := p.b[p.at]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			p.at++
		case c == '#' || c == '/' && p.at+1 < len(p.b) && p.b[p.at+1] == '/':
			start := p.at
			for p.at < len(p.b) && p.b[p.at] != '\n' && p.b[p.at] != '\r' {
				p.at++
			}
			p.fault(Comment, start, p.at, "JSON has no comments")
		case c == '/' && p.at+1 < len(p.b) && p.b[p.at+1] == '*':
			start := p.at
			end := strings.Index(string(p.b[start+2:]), "*/")
			if end < 0 {
				p.at = len(p.b)
				p.fault(Truncated, start, p.at, "the comment has no end")
				return
			}
			p.at = start + 2 + end + 2
			p.fault(Comment, start, p.at, "JSON has no comments")
		default:
			return
		}
	}
}

func (p *jsonParser) value(depth int) *Node {
	p.space()
	switch {
	case p.stopped:
		return nil
	case p.at >= len(p.b):
		p.expected("a value")
		return nil
	case depth > maxDepth:
		p.fault(Syntax, p.at, p.at+1, "values are nested deeper than %d", maxDepth)
		return nil
	}
	switch c := p.b[p.at]; {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		return p.string()
	default:
		return p.word()
	}
}

func (p *jsonParser) object(depth int) *Node {
	n := &Node{File: p.f, Kind: Object, Start: p.at}
	p.at++
	for first := true; ; first = false {
		n.End = p.at
		if !p.another(n, first, '}') {
			return n
		}
		if p.at >= len(p.b) || p.b[p.at] != '"' {
			p.expected("a key in double quotes or }")
			return n
		}
		key := p.string()
		if p.space(); p.stopped {
			return n
		}
		if p.at >= len(p.b) || p.b[p.at] != ':' {
			p.expected("a colon after the key " + key.Text)
			return n
		}
		p.at++
		value := p.value(depth + 1)
		if value != nil {
			n.Members = append(n.Members, Member{key, value})
		}
		n.End = p.at
		if p.stopped {
			return n
		}
	}
}

// another goes to the next member or item, past the comma before it; false: there is none, and the value has ended or is broken.
func (p *jsonParser) another(n *Node, first bool, closing byte) bool {
	if p.space(); p.stopped {
		return false
	}
	comma := p.at
	if !first && p.at < len(p.b) && p.b[p.at] == ',' {
		p.at++
		if p.space(); p.stopped {
			return false
		}
		if p.at < len(p.b) && p.b[p.at] == closing {
			p.fault(TrailingComma, comma, comma+1, "a comma before %c", closing)
		}
	} else if !first && (p.at >= len(p.b) || p.b[p.at] != closing) {
		p.expected("a comma or " + string(closing))
		return false
	}
	if p.at < len(p.b) && p.b[p.at] == closing {
		p.at++
		n.End = p.at
		return false
	}
	return true
}

func (p *jsonParser) array(depth int) *Node {
	n := &Node{File: p.f, Kind: Array, Start: p.at}
	p.at++
	for first := true; ; first = false {
		n.End = p.at
		if !p.another(n, first, ']') {
			return n
		}
		value := p.value(depth + 1)
		if value != nil {
			n.Items = append(n.Items, value)
		}
		n.End = p.at
		if p.stopped {
			return n
		}
	}
}

func (p *jsonParser) string() *Node {
	n := &Node{File: p.f, Kind: String, Start: p.at, Style: DoubleQuoted}
	p.at++
	for p.at < len(p.b) {
		switch p.b[p.at] {
		case '\\':
			p.at += 2
			continue
		case '"':
			p.at++
			n.End = p.at
			var bad int
			n.Text, _, bad = unescape(p.b[n.Start+1:n.End-1], n.Start+1, false)
			if bad >= 0 {
				p.fault(Syntax, bad, bad+2, "%q is no escape of JSON", p.b[bad:min(bad+2, len(p.b))])
			}
			return n
		}
		if c := p.b[p.at]; c < ' ' && len(strings.TrimSpace(string(p.b[p.at:]))) > 0 {
			n.End = p.at
			n.Text, _, _ = unescape(p.b[n.Start+1:n.End], n.Start+1, false)
			if c == '\n' || c == '\r' {
				p.fault(Syntax, n.Start, n.End, "the string has no closing quote on its line")
			} else {
				p.fault(Syntax, p.at, p.at+1, "the control character U+%04X stands in a string without an escape", c)
			}
			return n
		}
		p.at++
	}
	p.at = len(p.b)
	n.End = p.at
	n.Text, _, _ = unescape(p.b[n.Start+1:], n.Start+1, false)
	p.fault(Truncated, n.Start, n.End, "the string has no closing quote")
	return n
}

func (p *jsonParser) word() *Node {
	start := p.at
	for p.at < len(p.b) && !strings.ContainsRune(" \t\r\n,:{}[]\"/#", rune(p.b[p.at])) {
		p.at++
	}
	word := string(p.b[start:p.at])
	n := &Node{File: p.f, Text: word, Start: start, End: p.at, Style: Plain}
	switch {
	case word == "null":
		n.Kind = Null
	case word == "true", word == "false":
		n.Kind = Bool
	case word != "" && json.Valid([]byte(word)):
		n.Kind = Number
	case p.at >= len(p.b) && word != "" && (strings.HasPrefix("null", word) || strings.HasPrefix("true", word) || strings.HasPrefix("false", word)):
		p.fault(Truncated, start, p.at, "the text ends inside %q", word)
		return nil
	default:
		p.at = start
		p.expected("a value (a string in double quotes, a number, true, false, null, [ or {)")
		return nil
	}
	return n
}

// unescape decodes the inside of a double-quoted string that begins at base in its file. With wanted, offsets has the place of each byte and
// of the end. bad is the place of the first escape that JSON does not have, -1 for none; it stays as it is written.
func unescape(raw []byte, base int, wanted bool) (text string, offsets []int, bad int) {
	bad = -1
	if !wanted && bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return string(raw), nil, bad
	}
	var b strings.Builder
	put := func(s string, at int) {
		b.WriteString(s)
		if wanted {
			for range len(s) {
				offsets = append(offsets, base+at)
			}
		}
	}
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			r, n := utf8.DecodeRune(raw[i:])
			if r == utf8.RuneError && n == 1 {
				put("\uFFFD", i)
			} else {
				for k := range n {
					put(string(raw[i+k:i+k+1]), i+k)
				}
			}
			i += n
			continue
		}
		if i+1 >= len(raw) {
			put(`\`, i)
			break
		}
		if plain, ok := map[byte]string{'"': `"`, '\\': `\`, '/': "/", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t"}[raw[i+1]]; ok {
			put(plain, i)
			i += 2
			continue
		}
		if r, ok := hex4(raw[i:]); ok {
			width := 6
			if utf16.IsSurrogate(r) {
				low, ok := hex4(raw[i+6:])
				if pair := utf16.DecodeRune(r, low); ok && pair != utf8.RuneError {
					r, width = pair, 12
				} else {
					r = utf8.RuneError
				}
			}
			put(string(r), i)
			i += width
			continue
		}
		if bad < 0 {
			bad = base + i
		}
		put(string(raw[i:i+2]), i)
		i += 2
	}
	if wanted {
		offsets = append(offsets, base+len(raw))
	}
	return b.String(), offsets, bad
}

// hex4 reads \uXXXX.
func hex4(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:6] {
		digit := strings.IndexByte("0123456789abcdef", c|0x20)
		if digit < 0 || c < '0' {
			return 0, false
		}
		r = r<<4 | rune(digit)
	}
	return r, true
}

// escapeJSON writes a text as the inside of a JSON string.
func escapeJSON(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x20:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Unmarshal puts a value into a Go value as encoding/json would have from the document, with its rules for letters' case and types.
func (n *Node) Unmarshal(v any) error { return json.Unmarshal([]byte(n.JSON()), v) }

// JSON is the value as JSON text without white space, members in their order.
func (n *Node) JSON() string {
	var b strings.Builder
	n.write(&b, false)
	return b.String()
}

// JSON11 is the same with plain scalars as readers of YAML 1.1 take them, kubectl among them: NO is false.
func (n *Node) JSON11() string {
	var b strings.Builder
	n.write(&b, true)
	return b.String()
}

func (n *Node) write(b *strings.Builder, yaml11 bool) {
	if n != nil && yaml11 && n.Style == Plain && n.Kind == String {
		switch YAML11(n.Text) {
		case Null:
			b.WriteString("null")
			return
		case Bool:
			b.WriteString(map[bool]string{true: "true", false: "false"}[strings.ContainsAny(n.Text[:1], "yYtT") || strings.EqualFold(n.Text, "on")])
			return
		case Number:
			if json.Valid([]byte(n.Text)) {
				b.WriteString(n.Text)
			} else {
				b.WriteByte('0') // which number does not matter to anybody: it is no string
			}
			return
		}
	}
	switch {
	case n == nil || n.Kind == Null:
		b.WriteString("null")
	case n.Kind == String:
		b.WriteString(`"` + escapeJSON(n.Text) + `"`)
	case n.Kind == Array:
		b.WriteByte('[')
		for i, item := range n.Items {
			if i > 0 {
				b.WriteByte(',')
			}
			item.write(b, yaml11)
		}
		b.WriteByte(']')
	case n.Kind == Object:
		b.WriteByte('{')
		for i, m := range n.Members {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(`"` + escapeJSON(m.Key.Text) + `":`)
			m.Value.write(b, yaml11)
		}
		b.WriteByte('}')
	case json.Valid([]byte(n.Text)):
		b.WriteString(n.Text)
	default: // a number or boolean of YAML that JSON writes otherwise
		b.WriteString(`"` + escapeJSON(n.Text) + `"`)
	}
}
