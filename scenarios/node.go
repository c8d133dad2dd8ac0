package scenarios

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// A Place is a position in a file. Line and Column count from 1.
type Place struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// String is file:line:column.
func (p Place) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// A SourceError is one fault in a bundle or configuration.
type SourceError struct {
	Place
	// Problem says what is wrong.
	Problem string
	// Nearest is the closest valid name, where there is one.
	Nearest string
	// Code classifies the fault: GMSA900 for what the format has and the simulator does not model, the code of a finding for a domain that cannot
	// be because of it, otherwise empty.
	Code diag.Code
}

// Error is file:line:column, the problem and the nearest name.
func (e *SourceError) Error() string {
	s := e.Place.String() + ": " + e.Problem
	if e.Nearest != "" {
		s += "; nearest: " + e.Nearest
	}
	return s
}

// Is reports whether target is the code of e.
func (e *SourceError) Is(target error) bool {
	c, ok := target.(diag.Code)
	return ok && e.Code != "" && c == e.Code
}

// node is a value with its position: what is left of YAML and JSON when anchors, tags and merge keys are refused.
type node struct {
	place  Place
	kind   kind
	text   string // of a scalar
	quoted bool   // the scalar is a string whatever it looks like
	fields []field
	items  []*node
}

type kind uint8

const (
	scalarNode kind = iota
	nullNode
	mappingNode
	sequenceNode
)

func (k kind) String() string {
	return [...]string{"a single value", "nothing", "a mapping", "a list"}[k]
}

type field struct {
	key   *node
	value *node
}

// get gives the value of a key, nil when there is none.
func (n *node) get(key string) *node {
	if n == nil {
		return nil
	}
	for _, f := range n.fields {
		if f.key.text == key {
			return f.value
		}
	}
	return nil
}

// errorAt makes a SourceError.
func (n *node) errorAt(format string, args ...any) *SourceError {
	return &SourceError{Place: n.place, Problem: fmt.Sprintf(format, args...)}
}

// errorNear makes a SourceError with the nearest of some names.
func (n *node) errorNear(want string, names []string, format string, args ...any) *SourceError {
	e := n.errorAt(format, args...)
	e.Nearest = diag.Nearest(want, names)
	return e
}

// follow goes along a path such as groups[1].members[0] as far as the tree has it. A step that is not there ends at its parent, so
// an error about a missing value points at the thing that lacks it.
func (n *node) follow(path string) *node {
	for path != "" && n != nil {
		var next *node
		if rest, ok := strings.CutPrefix(path, "["); ok {
			index, tail, _ := strings.Cut(rest, "]")
			i, err := strconv.Atoi(index)
			if err != nil || i < 0 || i >= len(n.items) {
				return n
			}
			next, path = n.items[i], strings.TrimPrefix(tail, ".")
		} else {
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			if next = n.get(path[:end]); next == nil {
				return n
			}
			path = strings.TrimPrefix(path[end:], ".")
		}
		n = next
	}
	return n
}

// Limits of what is read: a person writes these files.
const (
	maxSource = 1 << 20 // bytes
	maxDepth  = 32      // nesting of lists and mappings
	maxIndent = 256     // blanks and dashes at the beginning of a line
	maxKeys   = 1024    // of one mapping
)

// parseYAML reads one YAML document. line is the line in file on which data begins.
func parseYAML(file string, line int, data []byte) (n *node, err error) {
	start := Place{file, line, 1}
	if len(data) > maxSource {
		return nil, &SourceError{Place: start, Problem: fmt.Sprintf("%d bytes, at most %d are read", len(data), maxSource)}
	}
	// Editors of Windows write a byte order mark, which is no part of the text.
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil, &SourceError{Place: start, Problem: "the file is UTF-16; save it as UTF-8"}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if tab := bytes.IndexByte(data, 0); tab >= 0 {
		return nil, &SourceError{Place: start, Problem: "the file contains a zero byte"}
	}
	r := yamlReader{file: file, line: line - 1}
	if err := r.depth(data); err != nil {
		return nil, err
	}
	defer func() {
		// The parser has panicked on damaged documents before; whoever reads files of strangers gets an error instead.
		if p := recover(); p != nil {
			n, err = nil, &SourceError{Place: start, Problem: fmt.Sprintf("the YAML parser gave up: %v", p)}
		}
	}()
	f, err := parser.ParseBytes(data, 0)
	if err != nil {
		if y, ok := errors.AsType[yaml.Error](err); ok && y.GetToken() != nil {
			return nil, &SourceError{Place: r.at(y.GetToken()), Problem: y.GetMessage()}
		}
		return nil, &SourceError{Place: start, Problem: err.Error()}
	}
	docs := slices.DeleteFunc(f.Docs, func(d *ast.DocumentNode) bool { return d.Body == nil })
	switch {
	case len(docs) == 0:
		return nil, &SourceError{Place: start, Problem: "there is nothing in it"}
	case len(docs) > 1:
		second, err := r.read(docs[1].Body, maxDepth)
		if err != nil {
			return nil, err
		}
		return nil, second.errorAt("a second document begins here; one file holds one")
	}
	return r.read(docs[0].Body, maxDepth)
}

type yamlReader struct {
	file string
	line int // added to the parser's lines
}

func (r yamlReader) at(t *token.Token) Place {
	return Place{r.file, r.line + max(t.Position.Line, 1), max(t.Position.Column, 1)}
}

// depth refuses documents that are nested so deep that the parser suffers: its time grows with the square of the depth, or worse.
func (r yamlReader) depth(data []byte) error {
	open, number := 0, 0
	var keys [maxIndent + 1]int // of the mapping that is open at each indentation
	for line := range bytes.Lines(data) {
		number++
		refuse := func(what string, n int) error {
			return &SourceError{Place: Place{r.file, r.line + number, 1}, Problem: fmt.Sprintf("more than %d %s", n, what)}
		}
		// Brackets in plain text and comments do not add up over a file.
		if line[0] != ' ' {
			open = 0
		}
		indent := len(line) - len(bytes.TrimLeft(line, " -?:"))
		if indent > maxIndent {
			return refuse("blanks and dashes begin a line", maxIndent)
		}
		if marks := bytes.Count(line[:indent], []byte("- ")) + bytes.Count(line[:indent], []byte("? ")); marks > maxDepth {
			return refuse("lists begin in one line", maxDepth)
		}
		if blanks := len(line) - len(bytes.TrimLeft(line, " ")); blanks < len(line)-1 {
			clear(keys[blanks+1:])
			if line[blanks] != '-' && bytes.IndexByte(line, ':') >= 0 {
				if keys[blanks]++; keys[blanks] > maxKeys {
					return refuse("keys in one mapping", maxKeys)
				}
			}
		}
		for _, c := range line {
			switch c {
			case '[', '{':
				if open++; open > maxDepth*4 {
					return refuse("brackets are open", maxDepth*4)
				}
			case ']', '}':
				open--
			}
		}
	}
	return nil
}

func (r yamlReader) read(n ast.Node, depth int) (*node, error) {
	at := r.at(n.GetToken())
	if depth == 0 {
		return nil, &SourceError{Place: at, Problem: fmt.Sprintf("nested deeper than %d", maxDepth)}
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		m := &node{place: at, kind: mappingNode}
		if n.Start != nil && n.IsFlowStyle {
			m.place = r.at(n.Start)
		}
		for _, v := range n.Values {
			if err := r.field(m, v, depth); err != nil {
				return nil, err
			}
		}
		if !n.IsFlowStyle && len(m.fields) > 0 {
			m.place = m.fields[0].key.place
		}
		return m, nil
	case *ast.MappingValueNode: // a block mapping with one key
		m := &node{kind: mappingNode}
		if err := r.field(m, n, depth); err != nil {
			return nil, err
		}
		m.place = m.fields[0].key.place
		return m, nil
	case *ast.SequenceNode:
		s := &node{place: at, kind: sequenceNode}
		for _, v := range n.Values {
			item, err := r.read(v, depth-1)
			if err != nil {
				return nil, err
			}
			s.items = append(s.items, item)
		}
		return s, nil
	case *ast.NullNode:
		return &node{place: at, kind: nullNode}, nil
	case *ast.StringNode:
		quoted := n.Token.Type == token.SingleQuoteType || n.Token.Type == token.DoubleQuoteType
		return &node{place: at, text: n.Value, quoted: quoted}, nil
	case *ast.LiteralNode:
		return &node{place: at, text: n.Value.Value, quoted: true}, nil
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return &node{place: at, text: n.GetToken().Value}, nil
	case *ast.AnchorNode, *ast.AliasNode:
		return nil, &SourceError{Place: at, Problem: "anchors and aliases are not part of the format; repetition is cases, reuse is again"}
	case *ast.TagNode:
		return nil, &SourceError{Place: at, Problem: "tags are not part of the format"}
	default:
		return nil, &SourceError{Place: at, Problem: fmt.Sprintf("%s is not part of the format", strings.ToLower(n.Type().YAMLName()))}
	}
}

func (r yamlReader) field(m *node, v *ast.MappingValueNode, depth int) error {
	if _, merge := v.Key.(*ast.MergeKeyNode); merge {
		return &SourceError{Place: r.at(v.Key.GetToken()), Problem: "merge keys are not part of the format; repetition is cases, reuse is again"}
	}
	key, err := r.read(v.Key, depth-1)
	if err != nil {
		return err
	}
	if key.kind != scalarNode {
		return key.errorAt("%s cannot be a key", key.kind)
	}
	if m.get(key.text) != nil {
		return key.errorAt("the key %s is there already", key.text)
	}
	value, err := r.read(v.Value, depth-1)
	if err != nil {
		return err
	}
	if value.kind == nullNode && value.place.Line < key.place.Line {
		value.place = key.place
	}
	if len(m.fields) == maxKeys {
		return key.errorAt("more than %d keys in one mapping", maxKeys)
	}
	m.fields = append(m.fields, field{key, value})
	return nil
}

// parseJSON reads one JSON value.
func parseJSON(file string, data []byte) (*node, error) {
	if len(data) > maxSource {
		return nil, &SourceError{Place: Place{file, 1, 1}, Problem: fmt.Sprintf("%d bytes, at most %d are read", len(data), maxSource)}
	}
	r := &jsonReader{file: file, data: data, dec: json.NewDecoder(bytes.NewReader(data))}
	r.dec.UseNumber()
	n, err := r.value(maxDepth)
	if err != nil {
		return nil, err
	}
	after := r.place()
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, &SourceError{Place: after, Problem: "there is more after the value"}
	}
	return n, nil
}

type jsonReader struct {
	file string
	data []byte
	dec  *json.Decoder
}

// place is where the next token begins.
func (r *jsonReader) place() Place {
	at := min(int(r.dec.InputOffset()), len(r.data))
	for at < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[at]) >= 0 {
		at++
	}
	return placeOf(r.file, r.data, at)
}

// placeOf turns an offset into line and column.
func placeOf(file string, data []byte, offset int) Place {
	before := data[:min(offset, len(data))]
	line := bytes.Count(before, []byte("\n"))
	return Place{file, line + 1, len([]rune(string(before[bytes.LastIndexByte(before, '\n')+1:]))) + 1}
}

func (r *jsonReader) value(depth int) (*node, error) {
	n := &node{place: r.place()}
	if depth == 0 {
		return nil, n.errorAt("nested deeper than %d", maxDepth)
	}
	t, err := r.dec.Token()
	if err != nil {
		if s, ok := errors.AsType[*json.SyntaxError](err); ok {
			n.place = placeOf(r.file, r.data, max(int(s.Offset)-1, 0))
		}
		return nil, n.errorAt("not JSON: %v", err)
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '[' {
			n.kind = sequenceNode
			for r.dec.More() {
				item, err := r.value(depth - 1)
				if err != nil {
					return nil, err
				}
				n.items = append(n.items, item)
			}
		} else {
			n.kind = mappingNode
			for r.dec.More() {
				key, err := r.value(depth - 1)
				if err != nil {
					return nil, err
				}
				if n.get(key.text) != nil {
					return nil, key.errorAt("the key %s is there already", key.text)
				}
				value, err := r.value(depth - 1)
				if err != nil {
					return nil, err
				}
				if len(n.fields) == maxKeys {
					return nil, key.errorAt("more than %d keys in one mapping", maxKeys)
				}
				n.fields = append(n.fields, field{key, value})
			}
		}
		if _, err := r.dec.Token(); err != nil {
			return nil, n.errorAt("not JSON: %v", err)
		}
	case nil:
		n.kind = nullNode
	case string:
		n.text, n.quoted = t, true
	default:
		n.text = fmt.Sprint(t)
	}
	return n, nil
}
