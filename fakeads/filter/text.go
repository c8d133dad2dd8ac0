package filter

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// SyntaxError says where in the string form the fault is.
type SyntaxError struct {
	Offset int    // in bytes from the start
	Reason string // what the grammar of RFC 4515 wants there
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%v: offset %d: %s", ErrSyntax, e.Offset, e.Reason)
}

// Unwrap is ErrSyntax.
func (e *SyntaxError) Unwrap() error { return ErrSyntax }

// Parse reads the string form, exactly as RFC 4515 section 3 has it: parentheses
// are required, no space is skipped and a backslash is followed by two
// hexadecimal digits. Consecutive asterisks count as one. The error is a
// *SyntaxError or wraps ErrLimit.
func Parse(s string) (*Filter, error) {
	if len(s) > MaxLength {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrLimit, len(s), MaxLength)
	}
	p := parser{s: s}
	f, err := p.filter(0)
	if err != nil {
		return nil, err
	}
	if p.at != len(s) {
		return nil, p.fail("nothing may follow the closing parenthesis")
	}
	return f, nil
}

// MustParse is Parse for constants; it panics on error.
func MustParse(s string) *Filter {
	f, err := Parse(s)
	if err != nil {
		panic(fmt.Sprintf("filter: Parse(%q): %v", s, err))
	}
	return f
}

type parser struct {
	s     string
	at    int
	items int
}

func (p *parser) fail(reason string) error { return &SyntaxError{Offset: p.at, Reason: reason} }

// peek is the next byte, 0 at the end. A NUL in a filter is refused wherever it is.
func (p *parser) peek() byte {
	if p.at < len(p.s) {
		return p.s[p.at]
	}
	return 0
}

func (p *parser) count() error {
	if p.items++; p.items > MaxItems {
		return fmt.Errorf("%w: more than %d items", ErrLimit, MaxItems)
	}
	return nil
}

func (p *parser) filter(depth int) (*Filter, error) {
	if depth > MaxDepth {
		return nil, fmt.Errorf("%w: nested deeper than %d", ErrLimit, MaxDepth)
	}
	if err := p.count(); err != nil {
		return nil, err
	}
	if p.peek() != '(' {
		return nil, p.fail("a filter starts with (")
	}
	p.at++
	var f *Filter
	var err error
	switch p.peek() {
	case '&':
		f, err = p.set(And, depth)
	case '|':
		f, err = p.set(Or, depth)
	case '!':
		p.at++
		var c *Filter
		if c, err = p.filter(depth + 1); err == nil {
			f = &Filter{Op: Not, Children: []*Filter{c}}
		}
	default:
		f, err = p.item()
	}
	if err != nil {
		return nil, err
	}
	if p.peek() != ')' {
		return nil, p.fail("a filter ends with )")
	}
	p.at++
	return f, nil
}

func (p *parser) set(op Op, depth int) (*Filter, error) {
	p.at++
	f := &Filter{Op: op}
	for p.peek() == '(' {
		c, err := p.filter(depth + 1)
		if err != nil {
			return nil, err
		}
		f.Children = append(f.Children, c)
	}
	return f, nil
}

func (p *parser) item() (*Filter, error) {
	attr, err := p.description()
	if err != nil {
		return nil, err
	}
	f := &Filter{Attr: attr}
	switch p.peek() {
	case ':':
		return p.extensible(f)
	case '=':
		p.at++
		return p.equality(f)
	case '~':
		f.Op = Approx
	case '>':
		f.Op = GreaterOrEqual
	case '<':
		f.Op = LessOrEqual
	default:
		return nil, p.fail("one of = ~= >= <= := must follow the attribute")
	}
	p.at++
	if p.peek() != '=' {
		return nil, p.fail("= must follow")
	}
	p.at++
	f.Value, err = p.value()
	return f, err
}

// description reads an attribute description (RFC 4512 2.5), which an
// extensible item may go without.
func (p *parser) description() (string, error) {
	start := p.at
	for p.at < len(p.s) && isDescription(p.s[p.at]) {
		p.at++
	}
	attr := p.s[start:p.at]
	if attr == "" {
		if p.peek() == ':' {
			return "", nil
		}
		return "", p.fail("an attribute name, &, | or ! must follow (")
	}
	name, options, _ := strings.Cut(attr, ";")
	if !isOID(name) || strings.HasPrefix(options, ";") || strings.Contains(options, ";;") || strings.HasSuffix(attr, ";") {
		p.at = start
		return "", p.fail("not an attribute description: letters, digits and hyphens after a letter, or a dotted number, and ;options")
	}
	return attr, nil
}

func isDescription(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == ';'
}

// isOID tells whether s is a descr or numericoid of RFC 4512 1.4.
func isOID(s string) bool {
	if s == "" {
		return false
	}
	if c := s[0] | 0x20; c >= 'a' && c <= 'z' {
		return !strings.ContainsAny(s, ".;")
	}
	for part := range strings.SplitSeq(s, ".") {
		if part == "" || len(part) > 1 && part[0] == '0' || strings.Trim(part, "0123456789") != "" {
			return false
		}
	}
	return true
}

func (p *parser) extensible(f *Filter) (*Filter, error) {
	f.Op = Extensible
	p.at++
	if len(p.s)-p.at >= 3 && strings.EqualFold(p.s[p.at:p.at+2], "dn") && p.s[p.at+2] == ':' {
		f.DNAttrs = true
		p.at += 3
	}
	if p.peek() != '=' {
		start := p.at
		for p.at < len(p.s) && isDescription(p.s[p.at]) {
			p.at++
		}
		f.Rule = p.s[start:p.at]
		if !isOID(f.Rule) {
			p.at = start
			return nil, p.fail("a matching rule must follow the colon")
		}
		if p.peek() != ':' {
			return nil, p.fail(":= must follow the matching rule")
		}
		p.at++
	}
	if p.peek() != '=' {
		return nil, p.fail(":= must follow")
	}
	if f.Attr == "" && f.Rule == "" {
		return nil, p.fail("an extensible match has an attribute, a matching rule or both")
	}
	p.at++
	var err error
	f.Value, err = p.value()
	return f, err
}

// equality reads what follows =: a value, a pattern or a lone asterisk.
func (p *parser) equality(f *Filter) (*Filter, error) {
	first, err := p.value()
	if err != nil {
		return nil, err
	}
	if p.peek() != '*' {
		f.Op, f.Value = Equal, first
		return f, nil
	}
	var sub Substr
	if len(first) > 0 {
		sub.Initial = first
	}
	for p.peek() == '*' {
		p.at++
		part, err := p.value()
		if err != nil {
			return nil, err
		}
		if len(part) == 0 {
			continue
		}
		if p.peek() == '*' {
			if err := p.count(); err != nil {
				return nil, err
			}
			sub.Any = append(sub.Any, part)
		} else {
			sub.Final = part
		}
	}
	if sub.Initial == nil && sub.Any == nil && sub.Final == nil {
		f.Op = Present
		return f, nil
	}
	f.Op, f.Substr = Substrings, sub
	return f, nil
}

// value reads up to the next ), ( or *, and takes the escapes out.
func (p *parser) value() ([]byte, error) {
	start := p.at
	end := start
	escapes := false
scan:
	for ; end < len(p.s); end++ {
		switch p.s[end] {
		case ')', '*':
			break scan
		case '(':
			p.at = end
			return nil, p.fail(`( in a value is written \28`)
		case 0:
			p.at = end
			return nil, p.fail(`NUL in a value is written \00`)
		case '\\':
			escapes = true
		}
	}
	raw := p.s[start:end]
	if !utf8.ValidString(raw) {
		for p.at < end {
			r, n := utf8.DecodeRuneInString(p.s[p.at:end])
			if r == utf8.RuneError && n <= 1 {
				break
			}
			p.at += n
		}
		return nil, p.fail(`bytes that are not UTF-8 are written \xx`)
	}
	p.at = end
	if !escapes {
		return []byte(raw), nil
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			continue
		}
		if i+2 >= len(raw) {
			p.at = start + i
			return nil, p.fail(`two hexadecimal digits must follow \`)
		}
		hi, ok1 := unhex(raw[i+1])
		lo, ok2 := unhex(raw[i+2])
		if !ok1 || !ok2 {
			p.at = start + i
			return nil, p.fail(`two hexadecimal digits must follow \`)
		}
		out = append(out, hi<<4|lo)
		i += 2
	}
	return out, nil
}

func unhex(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// String is the form of RFC 4515; Parse reads it back.
func (f *Filter) String() string { return string(f.AppendText(nil)) }

// AppendText appends what String gives.
func (f *Filter) AppendText(b []byte) []byte {
	b = append(b, '(')
	switch f.Op {
	case And, Or, Not:
		b = append(b, "&|!"[f.Op])
		for _, c := range f.Children {
			b = c.AppendText(b)
		}
		return append(b, ')')
	case Equal:
		b = append(append(b, f.Attr...), '=')
	case GreaterOrEqual:
		b = append(append(b, f.Attr...), ">="...)
	case LessOrEqual:
		b = append(append(b, f.Attr...), "<="...)
	case Approx:
		b = append(append(b, f.Attr...), "~="...)
	case Present:
		return append(append(b, f.Attr...), "=*)"...)
	case Substrings:
		b = append(append(b, f.Attr...), '=')
		b = append(appendEscaped(b, f.Substr.Initial), '*')
		for _, part := range f.Substr.Any {
			b = append(appendEscaped(b, part), '*')
		}
		return append(appendEscaped(b, f.Substr.Final), ')')
	case Extensible:
		b = append(b, f.Attr...)
		if f.DNAttrs {
			b = append(b, ":dn"...)
		}
		if f.Rule != "" {
			b = append(append(b, ':'), f.Rule...)
		}
		b = append(b, ":="...)
	}
	return append(appendEscaped(b, f.Value), ')')
}

const hexDigits = "0123456789abcdef"

func isPlain(c byte) bool {
	return c >= ' ' && c < 0x7f && c != '(' && c != ')' && c != '*' && c != '\\'
}

// appendEscaped escapes what RFC 4515 section 3 demands, control characters and
// everything that is not UTF-8.
func appendEscaped(b, value []byte) []byte {
	plain := 0
	for plain < len(value) && isPlain(value[plain]) {
		plain++
	}
	b, value = append(b, value[:plain]...), value[plain:]
	if bytes.IndexFunc(value, func(r rune) bool {
		return r < ' ' || r == 0x7f || r == utf8.RuneError || r == '(' || r == ')' || r == '*' || r == '\\'
	}) < 0 {
		return append(b, value...)
	}
	for len(value) > 0 {
		r, n := utf8.DecodeRune(value)
		switch {
		case r == utf8.RuneError && n == 1, r < ' ', r == 0x7f, r == '(', r == ')', r == '*', r == '\\':
			b = append(b, '\\', hexDigits[value[0]>>4], hexDigits[value[0]&15])
		default:
			b = append(b, value[:n]...)
		}
		value = value[n:]
	}
	return b
}
