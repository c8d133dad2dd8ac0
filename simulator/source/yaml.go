package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxNodes is how many values the documents of one file may have once aliases are followed; it ends the expansion of a file whose aliases
// multiply.
const maxNodes = 200_000

// ErrTooManyNodes: the aliases of a YAML file multiply beyond every use.
var ErrTooManyNodes = errors.New("aliases expand to more than 200000 values")

// ParseYAML reads the documents of a YAML stream. After a mistake it returns the documents before it and a *[YAMLError]. Scalars have the
// kinds of YAML 1.2; [YAML11] tells what the older readers see. Aliases are followed, merge keys too.
func ParseYAML(f *File) (documents []*Node, err error) {
	dec := yaml.NewDecoder(bytes.NewReader(f.Data))
	c := &yamlReader{f: f, left: maxNodes, lines: yamlLines(f)}
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return documents, yamlError(f, err)
		}
		if len(doc.Content) == 0 {
			continue
		}
		root := c.node(doc.Content[0], 0)
		if c.err != nil {
			return documents, &YAMLError{File: f, Line: c.line, at: c.line, Text: c.err.Error(), err: c.err}
		}
		documents = append(documents, root)
	}
}

type yamlReader struct {
	f     *File
	lines []int
	left  int
	err   error
	line  int
}

// yamlLines are the beginnings of a file's lines as YAML counts them: a carriage return alone ends one too, and so do the separators of Unicode
// (YAML 1.1, section 4.1.4).
func yamlLines(f *File) []int {
	if f.lines == nil {
		f.lines = lineStarts(f.Data)
	}
	b := f.Data
	lone := false
	for i := bytes.IndexByte(b, '\r'); i >= 0 && !lone; {
		lone = i+1 >= len(b) || b[i+1] != '\n'
		next := bytes.IndexByte(b[i+1:], '\r')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	if !lone && !bytes.Contains(b, []byte("\u0085")) && !bytes.Contains(b, []byte("\u2028")) && !bytes.Contains(b, []byte("\u2029")) {
		return f.lines
	}
	starts := []int{0}
	for i, r := range string(b) {
		switch {
		case r == '\n', r == '\r' && (i+1 >= len(b) || b[i+1] != '\n'), r == '\u0085', r == '\u2028', r == '\u2029':
			starts = append(starts, i+utf8.RuneLen(r))
		}
	}
	return starts
}

func (c *yamlReader) fail(n *yaml.Node, err error) {
	if c.err == nil {
		c.err, c.line = err, n.Line
	}
}

var errDepth = fmt.Errorf("values are nested deeper than %d", maxDepth)

func (c *yamlReader) node(y *yaml.Node, depth int) *Node {
	if c.left--; c.left < 0 {
		c.fail(y, ErrTooManyNodes)
	}
	if depth > maxDepth {
		c.fail(y, errDepth)
	}
	start := c.start(y)
	n := &Node{File: c.f, Start: start, End: start}
	if strings.HasPrefix(y.Tag, "!") && !strings.HasPrefix(y.Tag, "!!") {
		n.Tag = y.Tag
	}
	if c.err != nil {
		return n
	}
	switch y.Kind {
	case yaml.AliasNode:
		return c.node(y.Alias, depth+1)
	case yaml.MappingNode:
		n.Kind = Object
		c.members(n, y, depth)
		c.close(n, y, '}')
	case yaml.SequenceNode:
		n.Kind = Array
		n.Items = make([]*Node, 0, len(y.Content))
		for _, item := range y.Content {
			v := c.node(item, depth+1)
			n.Items = append(n.Items, v)
			n.End = max(n.End, v.End)
		}
		c.close(n, y, ']')
	default:
		c.scalar(n, y)
	}
	return n
}

// members reads a mapping; those of a merged one come first, so that the mapping's own count.
func (c *yamlReader) members(n *Node, y *yaml.Node, depth int) {
	var merged []Member
	own := make([]Member, 0, len(y.Content)/2)
	for i := 0; i+1 < len(y.Content) && c.err == nil; i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		if key.Tag == "!!merge" {
			m := c.node(value, depth+1)
			for _, from := range append([]*Node{m}, m.List()...) {
				merged = append(merged, from.Map()...)
			}
			continue
		}
		k, v := c.node(key, depth+1), c.node(value, depth+1)
		own = append(own, Member{k, v})
		n.End = max(n.End, k.End, v.End)
	}
	if len(merged) == 0 {
		n.Members = own
		return
	}
	for _, m := range merged {
		if !containsKey(own, m.Key.Text) {
			n.Members = append(n.Members, m)
		}
	}
	n.Members = append(n.Members, own...)
}

func containsKey(list []Member, key string) bool {
	for _, m := range list {
		if m.Key.Text == key {
			return true
		}
	}
	return false
}

// start is the offset of a value, behind its anchor and tag.
func (c *yamlReader) start(y *yaml.Node) int {
	at := c.f.offsetIn(c.lines, y.Line, y.Column)
	for at < len(c.f.Data) && (c.f.Data[at] == '&' || c.f.Data[at] == '!') {
		for at < len(c.f.Data) && !isSpace(c.f.Data[at]) {
			at++
		}
		for at < len(c.f.Data) && isSpace(c.f.Data[at]) {
			at++
		}
	}
	return at
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\r' || b == '\n' }

// close finds the bracket that ends a flow collection.
func (c *yamlReader) close(n *Node, y *yaml.Node, bracket byte) {
	if y.Style&yaml.FlowStyle == 0 {
		return
	}
	for at := max(n.End, n.Start+1); at < len(c.f.Data); at++ {
		if c.f.Data[at] == bracket {
			n.End = at + 1
			return
		}
		if !isSpace(c.f.Data[at]) && c.f.Data[at] != ',' {
			return
		}
	}
}

func (c *yamlReader) scalar(n *Node, y *yaml.Node) {
	n.Text = y.Value
	b := c.f.Data
	switch {
	case y.Style&yaml.DoubleQuotedStyle != 0:
		n.Kind, n.Style = String, DoubleQuoted
		for n.End = n.Start + 1; n.End < len(b) && b[n.End] != '"'; n.End++ {
			if b[n.End] == '\\' {
				n.End++
			}
		}
		n.End = min(n.End+1, len(b))
	case y.Style&yaml.SingleQuotedStyle != 0:
		n.Kind, n.Style = String, SingleQuoted
		for n.End = n.Start + 1; n.End < len(b) && (b[n.End] != '\'' || n.End+1 < len(b) && b[n.End+1] == '\''); n.End++ {
			if b[n.End] == '\'' {
				n.End++
			}
		}
		n.End = min(n.End+1, len(b))
	case y.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		n.Kind, n.Style = String, Literal
		if y.Style&yaml.FoldedStyle != 0 {
			n.Style = Folded
		}
		n.End = c.blockEnd(n.Start)
	default:
		n.Style = Plain
		n.Kind = map[string]Kind{"!!null": Null, "!!bool": Bool, "!!int": Number, "!!float": Number}[y.ShortTag()]
		if tag := y.ShortTag(); n.Kind == Null && tag != "!!null" {
			n.Kind = String
		}
		n.End = n.Start + len(y.Value)
		if !bytes.HasPrefix(b[n.Start:], []byte(y.Value)) { // folded over lines
			n.End = n.Start
			for n.End < len(b) && b[n.End] != '\n' {
				n.End++
			}
		}
	}
}

// blockEnd is the end of a block scalar whose indicator stands at start: before the first line that is not indented more than the line of the
// indicator and not empty.
func (c *yamlReader) blockEnd(start int) int {
	b := c.f.Data
	lineStart := bytes.LastIndexByte(b[:start], '\n') + 1
	parent := indentOf(b[lineStart:])
	at := start
	for at < len(b) && b[at] != '\n' {
		at++
	}
	end := at
	for at < len(b) {
		at++ // past the line's end
		line := b[min(at, len(b)):]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i]
		}
		if len(bytes.TrimSpace(line)) > 0 {
			if indentOf(line) <= parent {
				break
			}
			end = at + len(line)
		}
		at += len(line)
	}
	return min(end, len(b))
}

// indentOf counts the blanks before a line's text; the dashes of a list's items count as blanks, since what they introduce is indented more.
func indentOf(line []byte) int {
	n := 0
	for n < len(line) && line[n] == ' ' {
		n++
	}
	return n
}

// offsets has for each byte of a string's text, and for its end, the place in the file; nil when they cannot be told apart.
func (n *Node) offsets() []int {
	raw := n.File.Data[n.Start:n.End]
	switch {
	case n.Kind != String:
		return nil
	case n.Style == Foreign:
		if n.foreign == nil {
			return nil
		}
		return n.foreign.places
	case n.Style == Raw || n.Style == Plain:
		if string(raw) != n.Text {
			return nil
		}
		return counting(n.Start, len(n.Text))
	case len(raw) < 2:
		return nil
	case n.Style == DoubleQuoted:
		text, offsets, bad := unescape(raw[1:len(raw)-1], n.Start+1, true)
		if text != n.Text || bad >= 0 {
			return nil
		}
		return offsets
	case n.Style == SingleQuoted:
		var offsets []int
		inside := raw[1 : len(raw)-1]
		for i := 0; i < len(inside); i++ {
			offsets = append(offsets, n.Start+1+i)
			if inside[i] == '\'' {
				i++
			}
		}
		if len(offsets) != len(n.Text) {
			return nil
		}
		return append(offsets, n.End-1)
	case n.Style == Literal:
		return n.literalOffsets()
	}
	return nil
}

func counting(from, n int) []int {
	list := make([]int, n+1)
	for i := range list {
		list[i] = from + i
	}
	return list
}

// literalOffsets walks the lines of a literal block beside the text.
func (n *Node) literalOffsets() []int {
	b := n.File.Data
	at := n.Start + bytes.IndexByte(b[n.Start:n.End], '\n') + 1
	if at <= n.Start {
		return nil
	}
	indent := -1
	var offsets []int
	text := n.Text
	for text != "" {
		line, rest, ended := strings.Cut(text, "\n")
		if at > len(b) {
			return nil
		}
		length := bytes.IndexByte(b[at:], '\n')
		if length < 0 {
			length = len(b) - at
		}
		raw := bytes.TrimSuffix(b[at:at+length], []byte("\r"))
		if indent < 0 && len(bytes.TrimSpace(raw)) > 0 {
			indent = len(raw) - len(line)
		}
		skip := min(max(indent, 0), len(raw))
		if string(raw[skip:]) != line {
			return nil
		}
		for i := range len(line) {
			offsets = append(offsets, at+skip+i)
		}
		if ended {
			offsets = append(offsets, at+len(raw))
		}
		at += length + 1
		text = rest
	}
	return append(offsets, min(at, n.End))
}

// blockIndent is what stands before each line of a literal block.
func (n *Node) blockIndent() (string, bool) {
	b, at := n.File.Data, n.literalOffsets()
	for i := range at {
		if (i == 0 || n.Text[i-1] == '\n') && i < len(n.Text) && n.Text[i] != '\n' {
			return string(b[n.lineStart(at[i]):at[i]]), true
		}
	}
	return "", false
}

// YAML 1.1 as sigs.k8s.io/yaml and most readers of manifests have it (https://yaml.org/type/bool.html, int.html, float.html).
var (
	yamlBool  = regexp.MustCompile(`^(y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$`)
	yamlNull  = regexp.MustCompile(`^(~|null|Null|NULL|)$`)
	yamlFloat = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
	yamlInf   = regexp.MustCompile(`^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)
	yamlDate  = regexp.MustCompile(`^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?$`)
)

// YAML11 is the kind that readers of YAML 1.1 give to a plain scalar: "NO" is a boolean and "1e3" a number there. Dates, which become strings
// in JSON, are strings.
func YAML11(plain string) Kind {
	switch {
	case yamlNull.MatchString(plain):
		return Null
	case yamlBool.MatchString(plain):
		return Bool
	case isYAMLNumber(plain):
		return Number
	}
	return String
}

// isYAMLNumber reads numbers as go-yaml does, which kubectl and helm use: underscores anywhere, prefixes of bases in either case, no sexagesimal
// numbers, and nothing that does not fit.
func isYAMLNumber(plain string) bool {
	if yamlInf.MatchString(plain) {
		return true
	}
	if plain == "" || !strings.ContainsRune("+-.0123456789", rune(plain[0])) {
		return false
	}
	digits := strings.ReplaceAll(plain, "_", "")
	if plain[0] != '.' {
		if _, err := strconv.ParseInt(digits, 0, 64); err == nil {
			return true
		}
		if _, err := strconv.ParseUint(digits, 0, 64); err == nil {
			return true
		}
	}
	if !yamlFloat.MatchString(digits) {
		return false
	}
	_, err := strconv.ParseFloat(digits, 64)
	return err == nil
}

// IsYAMLDate tells whether readers of YAML 1.1 take a plain scalar for a date.
func IsYAMLDate(plain string) bool { return yamlDate.MatchString(plain) }

// YAMLScalar writes a text so that every reader of YAML, those of YAML 1.1 too, takes it for this text: plain where that is certain, otherwise
// in double quotes.
func YAMLScalar(text string) string {
	plain := plainSafe(text) && !IsYAMLDate(text)
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r < ' ' || r == '"' || r == '\\':
			plain = false
			b.WriteString(escapeJSON(string(r)))
		case r > 0xffff && !unicode.IsPrint(r):
			plain = false
			fmt.Fprintf(&b, `\U%08x`, r)
		case r != ' ' && !unicode.IsPrint(r):
			plain = false
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	if plain {
		return text
	}
	return b.String()
}
