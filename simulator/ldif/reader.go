package ldif

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Limits bound what a file may hold. The zero value of a field is its default.
type Limits struct {
	// Line is the length of a line as it lies in the file, in bytes. Default 1 MiB.
	Line int
	// Value is the length of a value when it is unfolded and decoded, in bytes. Default 16 MiB.
	Value int
	// Values is the number of values of an entry. Default 200,000.
	Values int
	// Entries is the number of entries. Default 2,000,000.
	Entries int
}

func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		field *int
		value int
	}{{&l.Line, 1 << 20}, {&l.Value, 16 << 20}, {&l.Values, 200_000}, {&l.Entries, 2_000_000}} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	return l
}

// Kinds of errors, which every [*Error] wraps.
var (
	ErrSyntax   = errors.New("malformed LDIF")
	ErrEncoding = errors.New("not UTF-8 or UTF-16")
	ErrChange   = errors.New("a change, not an entry")
	ErrLimit    = errors.New("limit exceeded")
	ErrFormat   = errors.New("not LDIF")
)

// An Error is what is wrong with a line of a file.
type Error struct {
	// Line counts from 1.
	Line int
	// Problem says what is wrong, and where there is a way, what helps.
	Problem string
	// Kind is one of the kinds of this package.
	Kind error
}

// Error gives line and problem.
func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Problem) }

// Unwrap gives the kind.
func (e *Error) Unwrap() error { return e.Kind }

// A Value is one value of an attribute.
type Value struct {
	// Attribute is the name as the file has it, without options; Options is what follows its first semicolon, as in range=0-1499.
	Attribute, Options string
	// Data is the value, decoded.
	Data []byte
	// Line is where the value begins, from 1.
	Line int
}

// An Entry is an object. Its values are good until the next one is read.
type Entry struct {
	DN string
	// Line is that of the dn, from 1.
	Line   int
	Values []Value
}

// A Note is what a file says of its own completeness.
type Note struct {
	Line int
	Text string
}

// A Reader reads entries.
type Reader struct {
	lines   lines
	limits  Limits
	names   map[string]string // attribute names, each once
	entry   Entry
	data    []byte // of the values of the entry
	peeked  bool   // the line that was read last has not been taken
	last    logical
	entries int
	notes   []Note
	err     error
}

// NewReader makes a reader of a file. It looks at nothing before the first call of Next.
func NewReader(r io.Reader, l Limits) *Reader {
	l = l.withDefaults()
	return &Reader{lines: lines{src: r, limit: l.Line, value: l.Value}, limits: l, names: map[string]string{}}
}

// Line is the number of lines that have been read.
func (r *Reader) Line() int { return r.lines.n }

// Notes are what the file has said so far of its own completeness: an answer of the server other than success, an end within a line.
func (r *Reader) Notes() []Note { return r.notes }

// Next reads the next entry. Errors are io.EOF after the last one, [*Error], and those of the source. After an error there is nothing more.
func (r *Reader) Next() (*Entry, error) {
	if r.err != nil {
		return nil, r.err
	}
	e, err := r.next()
	if err != nil {
		r.err = err
		return nil, err
	}
	return e, nil
}

func (r *Reader) fail(line int, kind error, format string, args ...any) error {
	return &Error{Line: line, Kind: kind, Problem: fmt.Sprintf(format, args...)}
}

func (r *Reader) next() (*Entry, error) {
	for {
		l, err := r.line()
		if err != nil {
			return nil, err
		}
		if len(l.text) == 0 {
			continue
		}
		name, value, ok := bytes.Cut(l.text, []byte(":"))
		switch {
		case !ok:
			return nil, r.noColon(l)
		case equalFold(name, "dn"):
			return r.read(l)
		case equalFold(name, "version"):
			if v := bytes.TrimSpace(value); string(v) != "1" {
				return nil, r.fail(l.line, ErrFormat, "version %s of LDIF; there is 1 only", quoted(v))
			}
		case equalFold(name, "search"), equalFold(name, "result"), equalFold(name, "ref"), equalFold(name, "control"), equalFold(name, "pagedresults"), equalFold(name, "matchedDN"), equalFold(name, "text"):
			// What ldapsearch prints between and after the entries when it is not given -LLL.
			if v := bytes.TrimSpace(value); equalFold(name, "result") && !bytes.HasPrefix(v, []byte("0 ")) {
				r.notes = append(r.notes, Note{l.line, fmt.Sprintf("the server ended the search with %s: entries may be missing", quoted(v))})
			}
		default:
			return nil, r.fail(l.line, ErrSyntax, "%s stands outside an entry; an entry begins with dn: and ends with an empty line", quoted(l.text))
		}
	}
}

// noColon refuses a line that is no attribute.
func (r *Reader) noColon(l logical) error {
	if l.cut {
		return r.fail(l.line, ErrSyntax, "the file ends within a line, after %s: it is cut off", quoted(l.text))
	}
	return r.fail(l.line, ErrSyntax, "%s is no attribute: there is no colon", quoted(l.text))
}

// read reads an entry whose dn has been read.
func (r *Reader) read(l logical) (*Entry, error) {
	if r.entries++; r.entries > r.limits.Entries {
		return nil, r.fail(l.line, ErrLimit, "more than %d entries", r.limits.Entries)
	}
	r.data = r.data[:0]
	dn, err := r.value(l, l.text[len("dn"):])
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(dn) {
		return nil, r.fail(l.line, ErrEncoding, "the distinguished name is not UTF-8")
	}
	e := &r.entry
	*e = Entry{DN: string(dn), Line: l.line, Values: e.Values[:0]}
	r.data = r.data[:0]
	for {
		l, err := r.line()
		if err == io.EOF {
			return e, nil
		}
		if err != nil {
			return nil, err
		}
		if len(l.text) == 0 {
			return e, nil
		}
		if equalFold(l.text[:min(3, len(l.text))], "dn:") { // somebody has joined two files
			r.last, r.peeked = l, true
			return e, nil
		}
		if err := r.attribute(e, l); err != nil {
			return nil, err
		}
	}
}

// attribute reads one line of an entry.
func (r *Reader) attribute(e *Entry, l logical) error {
	colon := bytes.IndexByte(l.text, ':')
	if colon < 0 {
		return r.noColon(l)
	}
	name := l.text[:colon]
	if at := badDescription(name); at >= 0 {
		return r.fail(l.line, ErrSyntax, "%s is no name of an attribute", quoted(name))
	}
	if equalFold(name, "changetype") {
		kind := bytes.TrimSpace(l.text[colon+1:])
		if equalFold(kind, "add") && len(e.Values) == 0 {
			return nil
		}
		return r.fail(l.line, ErrChange, "changetype %s: this is a file of changes, not an export of entries", quoted(kind))
	}
	if equalFold(name, "control") && len(e.Values) == 0 {
		return r.fail(l.line, ErrChange, "a control: this is a file of changes, not an export of entries")
	}
	if len(e.Values) == r.limits.Values {
		return r.fail(l.line, ErrLimit, "more than %d values in an entry", r.limits.Values)
	}
	data, err := r.value(l, l.text[colon:])
	if err != nil {
		return err
	}
	attribute, options := r.name(name)
	e.Values = append(e.Values, Value{Attribute: attribute, Options: options, Data: data, Line: l.line})
	return nil
}

// name splits an attribute description. The same names share their memory.
func (r *Reader) name(b []byte) (attribute, options string) {
	s, ok := r.names[string(b)]
	if !ok {
		s = string(b)
		if len(r.names) < 10_000 {
			r.names[s] = s
		}
	}
	attribute, options, _ = strings.Cut(s, ";")
	return attribute, options
}

// value decodes what follows the name of a line: it begins with the colon.
func (r *Reader) value(l logical, b []byte) ([]byte, error) {
	start := len(r.data)
	switch {
	case len(b) > 1 && b[1] == ':':
		text := bytes.TrimSpace(b[2:])
		n := base64.StdEncoding.DecodedLen(len(text))
		r.data = append(r.data, make([]byte, n)...)
		got, err := base64.StdEncoding.Decode(r.data[start:], text)
		if err != nil {
			if l.cut || len(text)%4 != 0 && r.lines.ended() {
				return nil, r.fail(l.line, ErrSyntax, "the file ends within a base64 value: it is cut off")
			}
			return nil, r.fail(l.line, ErrSyntax, "the value is not base64: %v", err)
		}
		r.data = r.data[:start+got]
	case len(b) > 1 && b[1] == '<':
		return nil, r.fail(l.line, ErrSyntax, "the value is in another place, %s; export it with the values in the file (ldapsearch without -t)", quoted(bytes.TrimSpace(b[2:])))
	default:
		text := bytes.TrimLeft(b[1:], " ")
		if i := invalid(text); i >= 0 {
			return nil, r.fail(l.line, ErrEncoding, "byte 0x%02X is not UTF-8: the file was saved in another encoding, perhaps Windows-1252; export with ldifde -u, or save it as UTF-8", text[i])
		}
		if bytes.IndexByte(text, 0) >= 0 {
			return nil, r.fail(l.line, ErrEncoding, "there is a NUL character in the text: UTF-16 without a byte order mark in the middle of a file, or a binary file")
		}
		r.data = append(r.data, text...)
	}
	if len(r.data)-start > r.limits.Value {
		return nil, r.fail(l.line, ErrLimit, "a value of more than %d bytes", r.limits.Value)
	}
	return r.data[start:len(r.data):len(r.data)], nil
}

// line gives the next line that is no comment, unfolded.
func (r *Reader) line() (logical, error) {
	if r.peeked {
		r.peeked = false
		return r.last, nil
	}
	for {
		l, err := r.lines.next()
		if err != nil {
			return l, err
		}
		if l.cut && len(l.text) > 0 && l.text[0] != '#' {
			r.notes = append(r.notes, Note{l.line, "the file ends without a line break: its last entry may be cut off"})
		}
		if len(l.text) == 0 || l.text[0] != '#' {
			return l, nil
		}
	}
}

// badDescription gives the place of the first character that no attribute description has (RFC 4512 2.5), -1 for none.
func badDescription(b []byte) int {
	for i, c := range b {
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9', c == '-', c == '.', c == ';' && i > 0, c == '=' && i > 0, c == '*' && i > 0, c == '_':
		default:
			return i
		}
	}
	if len(b) == 0 {
		return 0
	}
	return -1
}

// invalid gives the place of the first byte that is not UTF-8, -1 for none.
func invalid(b []byte) int {
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		c, n := utf8.DecodeRune(b[i:])
		if c == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

func equalFold(b []byte, s string) bool { return len(b) == len(s) && strings.EqualFold(string(b), s) }

// quoted shows the beginning of a text.
func quoted(b []byte) string {
	const most = 60
	if len(b) > most {
		return fmt.Sprintf("%q…", b[:most])
	}
	return fmt.Sprintf("%q", b)
}
