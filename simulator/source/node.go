package source

import (
	"strconv"
	"strings"
)

// Kind is the type of a value, in JSON's words.
type Kind uint8

// The kinds of values.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

func (k Kind) String() string {
	return [...]string{"null", "boolean", "number", "string", "array", "object"}[k]
}

// A Node is a value and the range of bytes that it was read from.
type Node struct {
	File *File
	// Text is the value of a string, and a number, boolean or null as it is written.
	Text string
	// Start and End are the range of the value in File.Data, with the quotes of a string.
	Start, End int
	// Members are those of an object in the order of the file. A key that stands twice is there twice.
	Members []Member
	// Items are those of an array.
	Items []*Node
	// Tag is the tag of a YAML value that is not one of YAML's own types, as it is written ("!Sub").
	Tag  string
	Kind Kind
	// Style is how a string is written.
	Style Style
	// Open is true of a string with a variable in it whose value no file of the set gives; Text has the variable as it is written.
	Open bool

	foreign *foreign // of a string of style Foreign: see [NewForeign]
}

// foreign is what a string of another notation knows of its place.
type foreign struct {
	places  []int
	quoting func(string) (string, bool)
}

// NewForeign makes a string of another notation (an argument of a shell, an attribute of XML, a template of HCL) that stands at start to end.
// places has for each byte of text, and one past it, its place in f; nil when they are not known. quoting writes a text as it has to stand
// between places' ends; nil: it cannot be replaced.
func NewForeign(f *File, start, end int, text string, places []int, quoting func(string) (string, bool)) *Node {
	if len(places) != len(text)+1 {
		places = nil
	}
	return &Node{File: f, Kind: String, Text: text, Start: start, End: end, Style: Foreign, foreign: &foreign{places, quoting}}
}

// Part is the range of a string's text from start to end as a string of its own.
func (n *Node) Part(start, end int) *Node {
	inside := n.Inside()
	start, end = clamp(start, len(n.Text)), clamp(end, len(n.Text))
	return &Node{File: inside, Kind: String, Text: n.Text[start:max(start, end)], Start: start, End: max(start, end), Style: Raw, Open: n.Open}
}

// A Member is a key and its value.
type Member struct{ Key, Value *Node }

// Style is how a scalar is written.
type Style uint8

// The styles of strings: JSON knows only [DoubleQuoted].
const (
	DoubleQuoted Style = iota
	SingleQuoted
	Plain
	Literal // YAML |
	Folded  // YAML >
	Raw     // the text stands for itself
	Foreign // another notation's, see [NewForeign]
)

// Get is the value at a path of keys, nil when there is none. Keys are compared to the letter; of a key that stands twice the last counts, as
// for encoding/json's maps. Get of nil is nil.
func (n *Node) Get(path ...string) *Node {
	for _, key := range path {
		if n = n.member(key); n == nil {
			return nil
		}
	}
	return n
}

func (n *Node) member(key string) *Node {
	if n == nil || n.Kind != Object {
		return nil
	}
	for i := len(n.Members) - 1; i >= 0; i-- {
		if n.Members[i].Key.Text == key {
			return n.Members[i].Value
		}
	}
	return nil
}

// Key is the key of a member, nil when there is none.
func (n *Node) Key(key string) *Node {
	if n == nil {
		return nil
	}
	for i := len(n.Members) - 1; i >= 0; i-- {
		if n.Members[i].Key.Text == key {
			return n.Members[i].Key
		}
	}
	return nil
}

// String is the text of a string, "" for anything else and for nil.
func (n *Node) String() string {
	if n == nil || n.Kind != String {
		return ""
	}
	return n.Text
}

// List is the items of an array, none for anything else and for nil.
func (n *Node) List() []*Node {
	if n == nil || n.Kind != Array {
		return nil
	}
	return n.Items
}

// Map is the members of an object, none for anything else and for nil.
func (n *Node) Map() []Member {
	if n == nil || n.Kind != Object {
		return nil
	}
	return n.Members
}

// IsEmpty tells whether a value is absent or has nothing in it: null, "", [], {}.
func (n *Node) IsEmpty() bool {
	return n == nil || n.Kind == Null || n.Kind == String && n.Text == "" || n.Kind == Array && len(n.Items) == 0 || n.Kind == Object && len(n.Members) == 0
}

// Span is the place of the value.
func (n *Node) Span() Span { return n.File.Span(n.Start, n.End) }

// Replace is the edit that puts another value in the place of a string, written in the style of the one that is there; a plain one gets quotes
// when it needs them.
func (n *Node) Replace(text string) (Edit, bool) {
	e, ok := n.inPlace(text)
	if !ok {
		return Edit{}, false
	}
	return n.File.Edit(e.Start, e.End, e.New)
}

// Walk calls f for the value and everything below it, with the path of keys and indices ("0", "1", …), until f returns false for a branch.
func (n *Node) Walk(f func(path []string, n *Node) bool) { n.walk(nil, f) }

func (n *Node) walk(path []string, f func([]string, *Node) bool) {
	if n == nil || !f(path, n) {
		return
	}
	for _, m := range n.Members {
		m.Value.walk(append(path[:len(path):len(path)], m.Key.Text), f)
	}
	for i, item := range n.Items {
		item.walk(append(path[:len(path):len(path)], strconv.Itoa(i)), f)
	}
}

// Equal tells whether two values are the same as JSON values: the order of keys does not matter, of a key twice the last counts.
func Equal(a, b *Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Kind != b.Kind {
		return false
	}
	switch a.Kind {
	case Array:
		if len(a.Items) != len(b.Items) {
			return false
		}
		for i := range a.Items {
			if !Equal(a.Items[i], b.Items[i]) {
				return false
			}
		}
		return true
	case Object:
		for _, pair := range [2][2]*Node{{a, b}, {b, a}} {
			for _, m := range pair[0].Members {
				if !Equal(pair[0].Get(m.Key.Text), pair[1].Get(m.Key.Text)) {
					return false
				}
			}
		}
		return true
	case Null:
		return true
	}
	return a.Text == b.Text
}

// Inside is the text of a string as a file of its own, whose places map to the string's.
func (n *Node) Inside() *File {
	if n == nil {
		return &File{}
	}
	return &File{Name: n.File.Name, Data: []byte(n.Text), Size: len(n.Text), outer: n, offsets: n.offsets()}
}

// quote writes a text as it has to stand inside the string, without quotes around it.
func (n *Node) quote(text string) (string, bool) {
	switch n.Style {
	case DoubleQuoted:
		return escapeJSON(text), true
	case SingleQuoted:
		return strings.ReplaceAll(text, "'", "''"), !strings.ContainsAny(text, "\n")
	case Plain:
		return text, plainSafe(text)
	case Literal:
		if !strings.Contains(text, "\n") {
			return text, true
		}
		indent, ok := n.blockIndent()
		return strings.ReplaceAll(text, "\n", "\n"+indent), ok
	case Raw:
		return text, true
	case Foreign:
		if n.foreign != nil && n.foreign.quoting != nil {
			return n.foreign.quoting(text)
		}
	}
	return "", false
}

// plainSafe tells whether a text may stand in YAML without quotes and stays a string there, in a reader of YAML 1.1 too.
func plainSafe(text string) bool {
	if text == "" || strings.ContainsAny(text, "\n\"'{}[]&*!|>%@`,") || strings.Contains(text, ": ") || strings.Contains(text, " #") || strings.HasSuffix(text, ":") ||
		strings.TrimSpace(text) != text || strings.ContainsAny(text[:1], "-?#=~") {
		return false
	}
	return YAML11(text) == String
}
