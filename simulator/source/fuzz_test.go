package source

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// inside fails when a value of a tree is not inside its file, or a string cannot be replaced and read again.
func inside(t *testing.T, f *File, root *Node) {
	t.Helper()
	root.Walk(func(path []string, n *Node) bool {
		if n.File != f || n.Start < 0 || n.End < n.Start || n.End > len(f.Data) {
			t.Fatalf("%v is at %d to %d of %d bytes", path, n.Start, n.End, len(f.Data))
		}
		if s := n.Span(); s.Start.Line < 1 || s.Start.Column < 1 || s.Offset+s.Length > len(f.Data) {
			t.Fatalf("%v is at %v", path, s)
		}
		return true
	})
}

// replaced replaces the first strings of a document one by one: reading again gives the new text there and the same everywhere else.
func replaced(t *testing.T, f *File, root *Node, parse func(*File) *Node) {
	t.Helper()
	const text = "it's \"new\": a\\b"
	left := 4
	root.Walk(func(path []string, n *Node) bool {
		if n.Kind != String || left == 0 {
			return true
		}
		e, ok := n.Replace(text)
		if !ok {
			return true
		}
		left--
		if e.File != f || e.Start < 0 || e.End < e.Start || e.End > len(f.Data) {
			t.Fatalf("%v: the edit is at %d to %d of %d", path, e.Start, e.End, len(f.Data))
		}
		after, skipped := Apply(f, []Edit{e})
		again := parse(NewFile(f.Name, after))
		if skipped > 0 || again == nil {
			t.Fatalf("%v: unreadable after the edit: %q", path, after)
		}
		old := n.Text
		n.Text = text
		same := Equal(root, again)
		n.Text = old
		if !same {
			t.Fatalf("%v: after the edit:\n%q\nbefore:\n%q", path, after, f.Data)
		}
		return true
	})
}

// whole is a tree whose values all have places and keys of their own, so that one can be changed alone.
func whole(root *Node) bool {
	ok := true
	seen := map[*Node]bool{}
	spans := map[[2]int]bool{}
	root.Walk(func(_ []string, n *Node) bool {
		place := [2]int{n.Start, n.End}
		if seen[n] || n.Kind == String && spans[place] {
			ok = false // an alias
		}
		seen[n], spans[place] = true, true
		keys := map[string]bool{}
		for _, m := range n.Members {
			if keys[m.Key.Text] || m.Key.Kind == Object || m.Key.Kind == Array {
				ok = false
			}
			keys[m.Key.Text] = true
		}
		return ok
	})
	return ok
}

func FuzzParseJSON(f *testing.F) {
	for _, seed := range []string{`{"a": [1, "b", {"c": null}], "d": "\u00e4\n"}`, `{"a": 1,} // end`, `{"a": "b`, "\xef\xbb\xbf[true]", `{"a": "{\"b\": 1}"}`, "[\"\xff\"]", `{"a": 1} {"b": 2}`, `/* x */ {"a" /* y */: 1}`, "{\"a\": \"\\ud83d\\ude00\"}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file := NewFile("x.json", data)
		root, faults := ParseJSON(file)
		ends := 0
		for _, fault := range faults {
			if fault.Start < 0 || fault.End < fault.Start || fault.End > len(file.Data) || fault.Text == "" {
				t.Fatalf("fault at %d to %d of %d: %q", fault.Start, fault.End, len(file.Data), fault.Text)
			}
			if fault.Kind == Syntax || fault.Kind == Truncated {
				ends++
			}
		}
		inside(t, file, root)
		if ends == 0 && root == nil {
			t.Fatal("nothing was read, and nothing is wrong")
		}
		if len(faults) > 0 || !utf8.Valid(file.Data) {
			return
		}
		if !json.Valid(file.Data) {
			t.Fatalf("%q has no fault, and encoding/json refuses it", file.Data)
		}
		if !json.Valid([]byte(root.JSON())) {
			t.Fatalf("%q is written as %q", file.Data, root.JSON())
		}
		again, faults := ParseJSON(NewFile("x.json", []byte(root.JSON())))
		if len(faults) > 0 || !Equal(root, again) {
			t.Fatalf("%q is written as %q: %v", file.Data, root.JSON(), faults)
		}
		if whole(root) {
			replaced(t, file, root, func(f *File) *Node {
				root, faults := ParseJSON(f)
				if len(faults) > 0 {
					return nil
				}
				return root
			})
		}
	})
}

func FuzzParseYAML(f *testing.F) {
	for _, seed := range []string{"a: &x plain # c\nb: \"q\\\"\"\nc: 'it''s'\nd: [1, 2]\ne: {k: v}\nf: >\n  one\n  two\ng:\n- x\n- é: *x\n", "a: |\n  one\n   two\n\n  three\nb: 1\n", "a: 1\n---\nb: [x, {y: z}]\n", "- - a\n  - b\n- c", "a: !t x\nb: ~\n<<: {c: d}\n", "a:\r\n  b: c\r\n", "? a\n: b\n", "x: \"a\n  b\"\n", "a: b\n c\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file := NewFile("x.yaml", data)
		docs, err := ParseYAML(file)
		if err != nil {
			y, ok := err.(*YAMLError)
			if !ok {
				t.Fatalf("%T", err)
			}
			if s := y.Span(); s.Start.Line < 1 || s.Offset < 0 || s.Offset+s.Length > len(file.Data) {
				t.Fatalf("the error is at %v", s)
			}
		}
		for _, root := range docs {
			inside(t, file, root)
		}
		if err != nil || len(docs) != 1 || !utf8.Valid(file.Data) || !whole(docs[0]) || strings.Contains(string(file.Data), "<<") {
			return
		}
		replaced(t, file, docs[0], func(f *File) *Node {
			docs, err := ParseYAML(f)
			if err != nil || len(docs) != 1 {
				return nil
			}
			return docs[0]
		})
	})
}
