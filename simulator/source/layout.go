package source

import (
	"bytes"
	"slices"
	"strings"
)

// RemoveItems are the edits that take items out of an array together with the commas and lines that belong to them. They fail (false) where
// that cannot be done without touching something else: an item that an alias brings in, text that is folded over lines, the last item of a
// YAML list in block style.
func (n *Node) RemoveItems(which ...int) ([]Edit, bool) {
	if n == nil || n.Kind != Array {
		return nil, false
	}
	parts := make([]part, len(n.Items))
	for i, item := range n.Items {
		parts[i] = part{item.Start, item.End, []*Node{item}}
	}
	return n.remove(parts, which)
}

// RemoveMembers are the edits that take members, by their index, out of an object in the same way.
func (n *Node) RemoveMembers(which ...int) ([]Edit, bool) {
	if n == nil || n.Kind != Object {
		return nil, false
	}
	return n.remove(n.memberParts(), which)
}

func (n *Node) memberParts() []part {
	parts := make([]part, len(n.Members))
	for i, m := range n.Members {
		parts[i] = part{m.Key.Start, m.Value.End, []*Node{m.Key, m.Value}}
	}
	return parts
}

// part is an item or a member: a range of its file.
type part struct {
	start, end int
	nodes      []*Node
}

func (n *Node) remove(parts []part, which []int) ([]Edit, bool) {
	if !n.plainly(parts) || len(which) == 0 {
		return nil, false
	}
	which = slices.Compact(slices.Sorted(slices.Values(which)))
	if which[0] < 0 || which[len(which)-1] >= len(parts) {
		return nil, false
	}
	gone := func(i int) bool { return i >= 0 && i < len(parts) && slices.Contains(which, i) }
	block := !n.flow()
	if block && len(which) == len(parts) {
		return nil, false
	}
	var edits []Edit
	for first := 0; first < len(parts); first++ {
		if !gone(first) {
			continue
		}
		last := first
		for gone(last + 1) {
			last++
		}
		var start, end int
		switch {
		case last+1 < len(parts) && (!block || !n.alone(parts[first].start)):
			start, end = parts[first].start, parts[last+1].start
		case block:
			start, end = n.lineStart(parts[first].start), min(n.lineEnd(parts[last].end)+1, len(n.File.Data))
			if !n.alone(parts[first].start) {
				return nil, false
			}
			if end == len(n.File.Data) && start > 0 && n.File.Data[end-1] != '\n' {
				start-- // the file ends without a line's end before and after
			}
		case first > 0:
			start, end = parts[first-1].end, parts[last].end
		default:
			start, end = n.Start+1, n.End-1
		}
		e, ok := n.File.Edit(start, end, "")
		if !ok {
			return nil, false
		}
		edits = append(edits, e)
		first = last
	}
	return edits, true
}

// flow tells whether an array or object is written in brackets.
func (n *Node) flow() bool {
	return n.Start < len(n.File.Data) && n.End > n.Start+1 && (n.File.Data[n.Start] == '[' || n.File.Data[n.Start] == '{')
}

// plainly tells whether the parts stand in the file one behind the other, all of their text known, so that ranges between them can be cut.
func (n *Node) plainly(parts []part) bool {
	b, at := n.File.Data, n.Start
	for i, p := range parts {
		if p.start < at || p.end < p.start || p.end > max(n.End, n.Start) || p.end > len(b) {
			return false
		}
		if before := bytes.TrimRight(b[at:p.start], " \t\r\n"); n.flow() && i > 0 && !bytes.HasSuffix(before, []byte(",")) || n.flow() && i == 0 && len(before) != 1 {
			return false // an anchor, a tag, a comment
		}
		for _, node := range p.nodes {
			if node.File != n.File || !node.exact() {
				return false
			}
		}
		at = p.end
	}
	return true
}

// exact tells whether the range of everything in a value is known.
func (n *Node) exact() bool {
	exact := true
	n.Walk(func(_ []string, c *Node) bool {
		if c.Start < n.Start || c.End > n.End || c.Kind == String && c.Style == Plain && string(c.File.Data[c.Start:c.End]) != c.Text {
			exact = false
		}
		return exact
	})
	return exact
}

func (n *Node) lineStart(at int) int { return bytes.LastIndexByte(n.File.Data[:at], '\n') + 1 }

func (n *Node) lineEnd(at int) int {
	if i := bytes.IndexByte(n.File.Data[at:], '\n'); i >= 0 {
		return at + i
	}
	return len(n.File.Data)
}

// alone tells whether nothing but blanks, and for an item its dash, stands before a place on its line.
func (n *Node) alone(at int) bool {
	before := strings.TrimSpace(string(n.File.Data[n.lineStart(at):at]))
	return before == "" || n.Kind == Array && before == "-"
}

// A NewText is the text that a string shall have in a copy.
type NewText struct {
	Of   *Node
	Text string
}

// CopyItem is the edit that puts a copy of an item behind it, in which some strings have other texts: an entry more, laid out as its file lays
// out entries.
func (n *Node) CopyItem(i int, change ...NewText) (Edit, bool) {
	if n == nil || n.Kind != Array || i < 0 || i >= len(n.Items) {
		return Edit{}, false
	}
	parts := make([]part, len(n.Items))
	for k, item := range n.Items {
		parts[k] = part{item.Start, item.End, []*Node{item}}
	}
	if !n.plainly(parts) {
		return Edit{}, false
	}
	item := n.Items[i]
	text, ok := item.copied(change)
	if !ok {
		return Edit{}, false
	}
	if n.flow() {
		return n.File.Edit(item.End, item.End, n.separator(parts, i)+text)
	}
	if !n.alone(item.Start) {
		return Edit{}, false
	}
	end := n.lineEnd(item.End)
	return n.File.Edit(end, end, "\n"+string(n.File.Data[n.lineStart(item.Start):item.Start])+text)
}

// copied is the text of a value with other strings in it and without the comments between its members.
func (n *Node) copied(change []NewText) (string, bool) {
	b := n.File.Data
	var edits []Edit
	for _, c := range change {
		e, ok := c.Of.inPlace(c.Text)
		if !ok || e.Start < n.Start || e.End > n.End {
			return "", false
		}
		edits = append(edits, e)
	}
	at := n.Start
	for _, m := range n.Members {
		if i := bytes.IndexByte(b[at:m.Key.Start], '#'); i >= 0 {
			start := at + len(bytes.TrimRight(b[at:at+i], " \t"))
			end := n.lineEnd(at + i)
			if bytes.IndexByte(b[end:m.Key.Start], '#') >= 0 {
				return "", false
			}
			edits = append(edits, Edit{Start: start, End: end})
		}
		at = m.Value.End
	}
	slices.SortFunc(edits, func(x, y Edit) int { return x.Start - y.Start })
	var text strings.Builder
	at = n.Start
	for _, e := range edits {
		if e.Start < at {
			return "", false
		}
		text.Write(b[at:e.Start])
		text.WriteString(e.New)
		at = e.End
	}
	text.Write(b[at:n.End])
	return text.String(), true
}

// inPlace is [Node.Replace] in the file of the value itself.
func (n *Node) inPlace(text string) (Edit, bool) {
	if n == nil || n.Kind != String || n.Style == Literal || n.Style == Folded || n.Style == Plain && n.Start == n.End {
		return Edit{}, false
	}
	start, end := n.Start, n.End
	quoted, ok := n.quote(text)
	switch {
	case n.Style == Plain && (end > len(n.File.Data) || string(n.File.Data[start:end]) != n.Text):
		return Edit{}, false // folded over lines
	case n.Style == Plain && !ok:
		quoted, ok = `"`+escapeJSON(text)+`"`, true
	case n.Style == DoubleQuoted || n.Style == SingleQuoted:
		if !n.closed() {
			return Edit{}, false
		}
		start, end = start+1, end-1
	case n.Style == Foreign:
		if n.foreign == nil || n.foreign.places == nil {
			return Edit{}, false
		}
		start, end = n.foreign.places[0], n.foreign.places[len(n.Text)]
	}
	return Edit{File: n.File, Start: start, End: end, New: quoted}, ok && start <= end
}

// closed tells whether a quoted string ends in its quotation mark; one at the end of a text that was cut off does not.
func (n *Node) closed() bool {
	raw := n.File.Data[n.Start:n.End]
	if len(raw) < 2 || raw[len(raw)-1] != raw[0] {
		return false
	}
	inside := raw[1 : len(raw)-1]
	escapes := len(inside) - len(bytes.TrimRight(inside, `\\`))
	return n.Style == SingleQuoted || escapes%2 == 0
}

// separator is what stands between two parts, as the file has it around part i.
func (n *Node) separator(parts []part, i int) string {
	b := n.File.Data
	for _, k := range []int{i, i - 1} {
		if k >= 0 && k+1 < len(parts) {
			if gap := string(b[parts[k].end:parts[k+1].start]); strings.TrimSpace(gap) == "," {
				return gap
			}
		}
	}
	if gap := string(b[n.Start+1 : parts[0].start]); gap != "" && strings.TrimSpace(gap) == "" && strings.Contains(gap, "\n") {
		return "," + gap
	}
	if len(parts[0].nodes) == 1 && len(parts[0].nodes[0].Members) > 1 { // as between the members of the item
		item := parts[0].nodes[0]
		if gap := string(b[item.Members[0].Value.End:item.Members[1].Key.Start]); strings.TrimSpace(gap) == "," && !strings.Contains(gap, "\n") {
			return gap
		}
	}
	return ", "
}

// InsertMember is the edit that puts a member before the one of an index, or behind the last when there are that many, laid out as the others.
// The value is JSON, which is YAML too.
func (n *Node) InsertMember(at int, key, value string) (Edit, bool) {
	if n == nil || n.Kind != Object || at < 0 || at > len(n.Members) {
		return Edit{}, false
	}
	parts := n.memberParts()
	if len(parts) == 0 {
		if !n.flow() {
			return Edit{}, false
		}
		return n.File.Edit(n.Start+1, n.End-1, `"`+escapeJSON(key)+`": `+value)
	}
	if !n.plainly(parts) {
		return Edit{}, false
	}
	b, first := n.File.Data, n.Members[0]
	colon := string(b[first.Key.End:first.Value.Start])
	if strings.TrimSpace(colon) != ":" || strings.Contains(colon, "\n") {
		colon = ": "
	}
	switch {
	case n.flow() && at < len(parts):
		return n.File.Edit(parts[at].start, parts[at].start, `"`+escapeJSON(key)+`"`+colon+value+n.separator(parts, at))
	case n.flow():
		last := parts[at-1].end
		return n.File.Edit(last, last, n.separator(parts, at-1)+`"`+escapeJSON(key)+`"`+colon+value)
	}
	if !plainSafe(key) {
		key = `"` + escapeJSON(key) + `"`
	}
	indent := strings.Map(func(r rune) rune {
		if r == '-' {
			return ' '
		}
		return r
	}, string(b[n.lineStart(first.Key.Start):first.Key.Start]))
	if strings.TrimSpace(indent) != "" {
		return Edit{}, false
	}
	if at < len(parts) {
		return n.File.Edit(parts[at].start, parts[at].start, key+": "+value+"\n"+indent)
	}
	end := n.lineEnd(parts[at-1].end)
	return n.File.Edit(end, end, "\n"+indent+key+": "+value)
}

// Rewrite is the edit that puts another text, as it is to stand in the file, in the place of a whole value with its quotes.
func (n *Node) Rewrite(text string) (Edit, bool) {
	if n == nil {
		return Edit{}, false
	}
	return n.File.Edit(n.Start, n.End, text)
}
