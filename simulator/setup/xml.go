package setup

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/source"
)

// Limits of XML documents: a manifest of an application has a depth of six.
const (
	maxXMLDepth = 100
	maxXMLNodes = 200_000
)

// parseXML reads a document as a tree: an element is an object whose members are its attributes and then its elements, by their local names and
// in their order; one that has only text is a string. Comments, instructions and namespaces are left out. The name of the root element is
// returned beside it. After a mistake the tree has what stood before it.
func parseXML(f *source.File) (name string, root *source.Node, err error) {
	dec := xml.NewDecoder(bytes.NewReader(f.Data))
	dec.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // the text is UTF-8, whatever its declaration says
	type open struct {
		key, node *source.Node
		text      strings.Builder
		textAt    int
	}
	var stack []*open
	left := maxXMLNodes
	fail := func(at int, problem error) (string, *source.Node, error) {
		for _, o := range stack {
			o.node.End = max(o.node.End, at)
		}
		text := problem.Error()
		if e, ok := errors.AsType[*xml.SyntaxError](problem); ok {
			text = e.Msg
		}
		return name, root, &source.SyntaxError{File: f, Start: at, End: min(at+1, len(f.Data)), Text: text, Err: problem}
	}
	for {
		start := int(dec.InputOffset())
		token, problem := dec.Token()
		if errors.Is(problem, io.EOF) {
			if root == nil {
				return fail(len(f.Data), errors.New("there is no element"))
			}
			return name, root, nil
		}
		end := int(dec.InputOffset())
		if problem != nil {
			return fail(min(end, len(f.Data)), problem)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if left -= 1 + len(t.Attr); left < 0 {
				return fail(start, fmt.Errorf("more than %d values", maxXMLNodes))
			}
			if len(stack) >= maxXMLDepth {
				return fail(start, fmt.Errorf("elements are nested deeper than %d", maxXMLDepth))
			}
			n := &source.Node{File: f, Kind: source.Object, Start: start, End: end}
			key := source.NewForeign(f, start+1, min(start+1+len(t.Name.Local), end), t.Name.Local, nil, nil)
			n.Members = xmlAttributes(f, start, end, t)
			if len(stack) == 0 {
				if root == nil {
					name, root = t.Name.Local, n
				}
			} else {
				parent := stack[len(stack)-1].node
				parent.Members = append(parent.Members, source.Member{Key: key, Value: n})
			}
			stack = append(stack, &open{key: key, node: n, textAt: -1})
		case xml.CharData:
			if len(stack) > 0 {
				top := stack[len(stack)-1]
				if top.textAt < 0 {
					top.textAt = start
				}
				top.text.Write(t)
			}
		case xml.EndElement:
			top := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			top.node.End = end
			if len(top.node.Members) == 0 && strings.TrimSpace(top.text.String()) != "" {
				text := strings.TrimSpace(top.text.String())
				at := top.textAt + bytes.Index(f.Data[top.textAt:end], []byte(text))
				s := source.NewForeign(f, top.node.Start, end, text, nil, nil)
				if at >= top.textAt {
					s = source.NewForeign(f, at, at+len(text), text, counting(at, len(text)), xmlQuoting)
				}
				*top.node = *s
			}
		}
	}
}

// xmlAttributes are the attributes of a start tag as members, each value with its place.
func xmlAttributes(f *source.File, start, end int, t xml.StartElement) []source.Member {
	var members []source.Member
	at := start + 1
	for at < end && !isBlank(f.Data[at]) {
		at++
	}
	for _, a := range t.Attr {
		for at < end && isBlank(f.Data[at]) {
			at++
		}
		keyAt := at
		for at < end && f.Data[at] != '=' && !isBlank(f.Data[at]) {
			at++
		}
		key := source.NewForeign(f, keyAt, at, a.Name.Local, nil, nil)
		for at < end && f.Data[at] != '"' && f.Data[at] != '\'' {
			at++
		}
		if at >= end {
			return members
		}
		quote, from := f.Data[at], at+1
		for at = from; at < end && f.Data[at] != quote; at++ {
			continue
		}
		value := source.NewForeign(f, from, at, a.Value, xmlPlaces(f.Data[from:at], from, a.Value), xmlQuoting)
		at++
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
			members = append(members, source.Member{Key: key, Value: value})
		}
	}
	return members
}

// xmlPlaces has the place of each byte of a value that stands at a place; nil when they cannot be told apart.
func xmlPlaces(raw []byte, from int, value string) []int {
	if string(raw) == value {
		return counting(from, len(value))
	}
	var places []int
	var b strings.Builder
	for i := 0; i < len(raw); {
		if raw[i] != '&' {
			b.WriteByte(raw[i])
			places = append(places, from+i)
			i++
			continue
		}
		end := bytes.IndexByte(raw[i:], ';')
		if end < 0 {
			return nil
		}
		plain, ok := map[string]string{"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": `"`, "&apos;": "'"}[string(raw[i:i+end+1])]
		if !ok {
			return nil
		}
		b.WriteString(plain)
		places = append(places, from+i)
		i += end + 1
	}
	if b.String() != value {
		return nil
	}
	return append(places, from+len(raw))
}

func xmlQuoting(text string) (string, bool) {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;").Replace(text), !strings.ContainsAny(text, "\r\n\t")
}

// counting is the places of a text that stands as it is from a place on.
func counting(from, n int) []int {
	list := make([]int, n+1)
	for i := range list {
		list[i] = from + i
	}
	return list
}
