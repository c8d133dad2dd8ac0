package consumer

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// jsoncpp is a value as jsoncpp 1.9 reads it: nil, bool, json.Number, string, *jsoncppObject or *jsoncppArray.
type jsoncpp struct{ v any }

type jsoncppObject struct{ fields map[string]*jsoncpp }

type jsoncppArray struct{ items []*jsoncpp }

// jsoncppThrow is the Json::LogicError that an accessor throws for a value of the wrong type.
type jsoncppThrow struct{}

// parseJSONCPP reads a document with the settings of CharReaderBuilder: a byte order mark is skipped; comments and a comma before a closing
// bracket are fine; what follows the document does not count; a key that stands twice has its last value. Reading ends at a mistake, and what
// was read before stays (jsoncpp src/lib_json/json_reader.cpp, OurReader).
func parseJSONCPP(text []byte) *jsoncpp {
	// guess: that a comma before a closing bracket passes is what the settings of CharReaderBuilder say; it was not tried with the library
	r := &jsoncppReader{b: bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))}
	root := &jsoncpp{}
	r.value(root, 0)
	return root
}

type jsoncppReader struct {
	b  []byte
	at int
}

// jsoncppDepth is stackLimit; deeper values throw while they are read, which is a mistake in the text for all that its reader sees here.
const jsoncppDepth = 1000

// space skips blanks and comments; false: a comment without end.
func (r *jsoncppReader) space() bool {
	for r.at < len(r.b) {
		rest := r.b[r.at:]
		switch {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			r.at++
		case bytes.HasPrefix(rest, []byte("//")):
			if i := bytes.IndexAny(rest, "\r\n"); i >= 0 {
				r.at += i
			} else {
				r.at = len(r.b)
			}
		case bytes.HasPrefix(rest, []byte("/*")):
			i := bytes.Index(rest, []byte("*/"))
			if i < 2 {
				r.at = len(r.b)
				return false
			}
			r.at += i + 2
		default:
			return true
		}
	}
	return true
}

func (r *jsoncppReader) peek() byte {
	if !r.space() || r.at >= len(r.b) {
		return 0
	}
	return r.b[r.at]
}

func (r *jsoncppReader) take(c byte) bool {
	if r.peek() != c || r.at >= len(r.b) {
		return false
	}
	r.at++
	return true
}

// value reads into v; false: a mistake, after which nothing is read any more.
func (r *jsoncppReader) value(v *jsoncpp, depth int) bool {
	if depth > jsoncppDepth {
		return false
	}
	switch c := r.peek(); {
	case c == '{':
		r.at++
		return r.object(v, depth)
	case c == '[':
		r.at++
		return r.array(v, depth)
	case c == '"':
		s, ok := r.string()
		if ok {
			v.v = s
		}
		return ok
	default:
		end := r.at
		for end < len(r.b) && strings.IndexByte(" \t\r\n,:{}[]\"/", r.b[end]) < 0 {
			end++
		}
		word := string(r.b[r.at:end])
		switch {
		case word == "null":
			v.v = nil
		case word == "true" || word == "false":
			v.v = word == "true"
		case word != "" && (word[0] == '-' || word[0] >= '0' && word[0] <= '9') && json.Valid([]byte(word)):
			v.v = json.Number(word)
		default:
			return false
		}
		r.at = end
		return true
	}
}

func (r *jsoncppReader) object(v *jsoncpp, depth int) bool {
	o := &jsoncppObject{fields: map[string]*jsoncpp{}}
	v.v = o
	for {
		if r.take('}') {
			return true
		}
		if r.peek() != '"' {
			return false
		}
		name, ok := r.string()
		if !ok || !r.take(':') {
			return false
		}
		field := &jsoncpp{}
		o.fields[name] = field
		if !r.value(field, depth+1) {
			return false
		}
		if r.take(',') {
			continue
		}
		return r.take('}')
	}
}

func (r *jsoncppReader) array(v *jsoncpp, depth int) bool {
	a := &jsoncppArray{}
	v.v = a
	for {
		if r.take(']') {
			return true
		}
		item := &jsoncpp{}
		a.items = append(a.items, item)
		if !r.value(item, depth+1) {
			return false
		}
		if r.take(',') {
			continue
		}
		return r.take(']')
	}
}

// string reads a string; r is at its quote.
func (r *jsoncppReader) string() (string, bool) {
	end := r.at + 1
	for end < len(r.b) && r.b[end] != '"' {
		if r.b[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(r.b) {
		r.at = len(r.b)
		return "", false
	}
	raw := r.b[r.at : end+1]
	r.at = end + 1
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s, true
	}
	if bytes.IndexByte(raw, '\\') < 0 { // characters that JSON wants escaped pass
		return string(raw[1 : len(raw)-1]), true
	}
	return "", false
}

// member is what operator[] gives for one name after the other: a null value for what is not there, of null too.
func member(v *jsoncpp, path ...string) *jsoncpp {
	for _, name := range path {
		switch o := v.v.(type) {
		case nil:
			return &jsoncpp{}
		case *jsoncppObject:
			if v = o.fields[name]; v == nil {
				return &jsoncpp{}
			}
		default:
			panic(jsoncppThrow{})
		}
	}
	return v
}

// asString is the text of a value; those of numbers and booleans have one.
func (v *jsoncpp) asString() string {
	switch s := v.v.(type) {
	case nil:
		return ""
	case string:
		return s
	case json.Number:
		return s.String()
	case bool:
		if s {
			return "true"
		}
		return "false"
	}
	panic(jsoncppThrow{})
}

// values are those over which a loop goes: none of a scalar.
func (v *jsoncpp) values() []*jsoncpp {
	switch s := v.v.(type) {
	case *jsoncppArray:
		return s.items
	case *jsoncppObject:
		list := make([]*jsoncpp, 0, len(s.fields))
		for _, name := range slices.Sorted(maps.Keys(s.fields)) { // std::map has them in this order
			list = append(list, s.fields[name])
		}
		return list
	}
	return nil
}
