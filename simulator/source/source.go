// Package source holds what users wrote (JSON, YAML, HCL, XML and command lines) as values that know their place.
//
// Every reader of the package gives [Node] trees whose nodes point back into the bytes of a [File], so that a report can name a line and a
// column and a fix can replace a value and nothing else. A document inside a string of another document, as in the PluginInput of a credential
// spec, is a File of its own that maps its places outwards: see [Node.Inside].
package source

import (
	"bytes"
	"fmt"
	"sort"
	"unicode/utf8"
)

// A File is a text with a name. Places in it are offsets in bytes; [File.Position] turns them into lines and columns when somebody asks.
type File struct {
	// Name is the path as the user gave it; "-" is the standard input.
	Name string
	// Data is the text in UTF-8, after [Decode].
	Data []byte
	// Encoding is what the bytes were in: "" for UTF-8, otherwise one of [UTF8BOM], [UTF16LE], [UTF16BE].
	Encoding string
	// Size is the length of the file as stored, in bytes; of an embedded one, that of its text.
	Size int

	mark    bool  // UTF-16 with a byte order mark
	lossy   bool  // the bytes are not all of their encoding, so that nothing may be written back
	outer   *Node // the string that holds this document, nil for a file of its own
	offsets []int // of an embedded file: for each byte of Data, and one past it, its offset in the outer file; nil: not known
	lines   []int // offsets of the lines' beginnings
}

// Encodings other than UTF-8 that a user's file may have.
const (
	UTF8BOM = "UTF-8 with a byte order mark"
	UTF16LE = "UTF-16, little-endian"
	UTF16BE = "UTF-16, big-endian"
)

// NewFile makes a file of bytes as they are stored, whatever their encoding.
func NewFile(name string, stored []byte) *File {
	text, encoding := Decode(stored)
	f := &File{Name: name, Data: text, Encoding: encoding, Size: len(stored)}
	if encoding == UTF16LE || encoding == UTF16BE {
		f.mark = bytes.HasPrefix(stored, []byte("\xff\xfe")) || bytes.HasPrefix(stored, []byte("\xfe\xff"))
		f.lossy = !bytes.Equal(encode(text, encoding, f.mark), stored)
	}
	return f
}

// Position is a place for people: line and column from 1, the column in characters.
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

func (p Position) String() string { return fmt.Sprintf("%d:%d", p.Line, p.Column) }

// Root is the file on disk that the file is part of: itself, unless it is embedded.
func (f *File) Root() *File {
	for f.outer != nil {
		f = f.outer.File
	}
	return f
}

// Outer is the string that holds an embedded document, nil for a file of its own.
func (f *File) Outer() *Node { return f.outer }

// rooted maps a range to the file on disk. exact is false when only the string around it is known.
func (f *File) rooted(start, end int) (root *File, s, e int, exact bool) {
	exact = true
	for f.outer != nil {
		if f.offsets == nil {
			start, end, exact = f.outer.Start, f.outer.End, false
		} else {
			start, end = f.offsets[clamp(start, len(f.offsets)-1)], f.offsets[clamp(end, len(f.offsets)-1)]
		}
		f = f.outer.File
	}
	return f, clamp(start, len(f.Data)), clamp(max(start, end), len(f.Data)), exact
}

func clamp(n, most int) int { return max(0, min(n, most)) }

// Position is the place of an offset, in the file on disk when f is embedded.
func (f *File) Position(offset int) Position {
	root, at, _, _ := f.rooted(offset, offset)
	if root.lines == nil {
		root.lines = lineStarts(root.Data)
	}
	line := sort.SearchInts(root.lines, at+1)
	return Position{Line: line, Column: utf8.RuneCount(root.Data[root.lines[line-1]:at]) + 1}
}

// Line is the text of a line, from 1, without its end.
func (f *File) Line(n int) string {
	root := f.Root()
	if root.lines == nil {
		root.lines = lineStarts(root.Data)
	}
	if n < 1 || n > len(root.lines) {
		return ""
	}
	text := root.Data[root.lines[n-1]:]
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		text = text[:i]
	}
	return string(bytes.TrimSuffix(text, []byte("\r")))
}

// Offset is where a line begins, from 1; the end of the text for one that there is not.
func (f *File) Offset(line int) int { return f.offsetOf(line, 1) }

// offsetOf is the offset of a line and a column in characters, both from 1.
func (f *File) offsetOf(line, column int) int {
	if f.lines == nil {
		f.lines = lineStarts(f.Data)
	}
	return f.offsetIn(f.lines, line, column)
}

func (f *File) offsetIn(lines []int, line, column int) int {
	if line < 1 {
		return 0
	}
	if line > len(lines) {
		return len(f.Data)
	}
	at := lines[line-1]
	for ; column > 1 && at < len(f.Data) && f.Data[at] != '\n'; column-- {
		_, n := utf8.DecodeRune(f.Data[at:])
		at += n
	}
	return at
}

func lineStarts(text []byte) []int {
	starts := make([]int, 1, 1+bytes.Count(text, []byte("\n")))
	for i, b := range text {
		if b == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}

// A Span is a range of a file on disk, for reports.
type Span struct {
	File       *File
	Start, End Position
	// Offset and Length are the same in bytes of the text.
	Offset, Length int
}

// Span is a range of f, mapped to the file on disk.
func (f *File) Span(start, end int) Span {
	root, s, e, _ := f.rooted(start, end)
	return Span{File: root, Start: root.Position(s), End: root.Position(e), Offset: s, Length: e - s}
}

// An Edit replaces a range of a file on disk.
type Edit struct {
	File       *File
	Start, End int
	New        string
	// UTF8 stores the whole file in UTF-8 without a byte order mark from now on.
	UTF8 bool
}

// Reencode is the edit that stores the file on disk in UTF-8 without a byte order mark and changes nothing else.
func (f *File) Reencode() Edit { return Edit{File: f.Root(), UTF8: true} }

// Edit is the replacement of a range of f by a text. The text stands for itself: in an embedded file it is written as the strings around it
// demand. It fails (false) where the place is not known to the byte.
func (f *File) Edit(start, end int, text string) (Edit, bool) {
	for f.outer != nil {
		if f.offsets == nil {
			return Edit{}, false
		}
		var ok bool
		if text, ok = f.outer.quote(text); !ok {
			return Edit{}, false
		}
		start, end = f.offsets[start], f.offsets[end]
		f = f.outer.File
	}
	return Edit{File: f, Start: start, End: end, New: text}, !f.lossy
}

// Apply carries out edits of one file and returns it as it is to be stored: in its encoding, unless an edit changes that. Edits that overlap an
// earlier one are left out and counted.
func Apply(f *File, edits []Edit) (stored []byte, skipped int) {
	encoding := f.Encoding
	var text []byte
	sorted := append([]Edit(nil), edits...)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].Start < sorted[j].Start })
	at := 0
	for _, e := range sorted {
		if e.UTF8 {
			encoding = ""
		}
		if e.Start < at || e.End > len(f.Data) || e.End < e.Start {
			skipped++
			continue
		}
		text = append(append(text, f.Data[at:e.Start]...), e.New...)
		at = e.End
	}
	return encode(append(text, f.Data[at:]...), encoding, f.mark), skipped
}
