package source

import (
	"strings"
	"testing"
)

// TestLayout: items and members come and go with their commas and lines, and nothing else changes.
func TestLayout(t *testing.T) {
	remove := func(which ...int) func(*Node) ([]Edit, bool) {
		return func(n *Node) ([]Edit, bool) { return n.RemoveItems(which...) }
	}
	members := func(which ...int) func(*Node) ([]Edit, bool) {
		return func(n *Node) ([]Edit, bool) { return n.RemoveMembers(which...) }
	}
	one := func(e Edit, ok bool) ([]Edit, bool) { return []Edit{e}, ok }
	scope := func(i int, text string) func(*Node) ([]Edit, bool) {
		return func(n *Node) ([]Edit, bool) { return one(n.CopyItem(i, NewText{n.Items[i].Get("s"), text})) }
	}
	insert := func(at int, key, value string) func(*Node) ([]Edit, bool) {
		return func(n *Node) ([]Edit, bool) { return one(n.InsertMember(at, key, value)) }
	}
	tests := []struct {
		name, text string
		do         func(*Node) ([]Edit, bool)
		want       string // "": refused
	}{
		{"first item", `{"x": [1, 2, 3]}`, remove(0), `{"x": [2, 3]}`},
		{"last item", `{"x": [1, 2, 3]}`, remove(2), `{"x": [1, 2]}`},
		{"two items apart", `{"x": [1, 2, 3]}`, remove(0, 2), `{"x": [2]}`},
		{"two items together", `{"x": [1, 2, 3]}`, remove(1, 2), `{"x": [1]}`},
		{"all items", `{"x": [1, 2]}`, remove(0, 1), `{"x": []}`},
		{"no such item", `{"x": [1, 2]}`, remove(2), ``},
		{"item on lines", "{\"x\": [\n  {\"s\": 1},\n  {\"s\": 2}\n]}", remove(1), "{\"x\": [\n  {\"s\": 1}\n]}"},
		{"member", "{\"x\": {\n  \"a\": 1,\n  \"b\": 2\n}}", members(0), "{\"x\": {\n  \"b\": 2\n}}"},
		{"yaml item", "x:\n- s: 1 # one\n  t: 2\n- s: 2\n# end\n", remove(0), "x:\n- s: 2\n# end\n"},
		{"yaml last item", "x:\n- s: 1\n- s: 2\n  t: 3", remove(1), "x:\n- s: 1"},
		{"yaml all items", "x:\n- s: 1\n", remove(0), ``},
		{"yaml list in list", "x:\n- - 1\n  - 2\ny: 1\n", remove(0), ``},
		{"yaml member", "x:\n  a: 1\n  b: |\n    two\n    lines\n  c: 3\n", members(1), "x:\n  a: 1\n  c: 3\n"},
		{"yaml first member of an item", "- x:\n  - a: 1\n    b: 2\n", func(n *Node) ([]Edit, bool) { return n.Items[0].RemoveMembers(0) }, "- x:\n  - b: 2\n"},
		{"yaml last member of an item", "- x:\n  - a: 1\n    b: 2\n", func(n *Node) ([]Edit, bool) { return n.Items[0].RemoveMembers(1) }, "- x:\n  - a: 1\n"},
		{"yaml folded text", "x:\n- a\n  b\n- c\n", remove(0), ``},
		{"yaml anchor in brackets", "x: [&a 1, 2, *a]\n", remove(1), ``},
		{"entry on lines", "{\"x\":  [\n    {\n      \"n\": 1,\n      \"s\":  \"a\"\n    }\n  ]}", scope(0, "b"),
			"{\"x\":  [\n    {\n      \"n\": 1,\n      \"s\":  \"a\"\n    },\n    {\n      \"n\": 1,\n      \"s\":  \"b\"\n    }\n  ]}"},
		{"compact entry", `{"x":[{"n":1,"s":"a"}]}`, scope(0, "b"), `{"x":[{"n":1,"s":"a"},{"n":1,"s":"b"}]}`},
		{"entry between", `{"x":[{"s":"a"} , {"s":"c"}]}`, scope(0, "b"), `{"x":[{"s":"a"} , {"s":"b"} , {"s":"c"}]}`},
		{"yaml entry", "x:\n  - n: 1 # one\n    # why\n    s: a # this\n# end\n", scope(0, "b"), ``},
		{"yaml entry with a comment", "x:\n  - n: 1 # one\n    s: a # this\n# end\n", scope(0, "b"), "x:\n  - n: 1 # one\n    s: a # this\n  - n: 1\n    s: b\n# end\n"},
		{"yaml entry that needs quotes", "x:\n- s: a\n", scope(0, "NO"), "x:\n- s: a\n- s: \"NO\"\n"},
		{"yaml entry in brackets", "x: [{n: 1, s: a}]\n", scope(0, "b"), "x: [{n: 1, s: a}, {n: 1, s: b}]\n"},
		{"new first member", "{\"x\": {\n  \"a\":  1,\n  \"b\":  2\n}}", insert(0, "k", "[1]"), "{\"x\": {\n  \"k\":  [1],\n  \"a\":  1,\n  \"b\":  2\n}}"},
		{"new last member", "{\"x\": {\n  \"a\":  1\n}}", insert(1, "k", `"v"`), "{\"x\": {\n  \"a\":  1,\n  \"k\":  \"v\"\n}}"},
		{"only member", `{"x": {}}`, insert(0, "k", "1"), `{"x": {"k": 1}}`},
		{"new yaml member", "x:\n  a: 1\n  b: 2 # two\ny: 1\n", insert(2, "k", `"v"`), "x:\n  a: 1\n  b: 2 # two\n  k: \"v\"\ny: 1\n"},
		{"new first yaml member", "x:\n  a: 1\n", insert(0, "k", "[1]"), "x:\n  k: [1]\n  a: 1\n"},
		{"new member in an item", "- x:\n  - a: 1\n", func(n *Node) ([]Edit, bool) { return one(n.Items[0].InsertMember(0, "k", "1")) }, "- x:\n  - k: 1\n    a: 1\n"},
		{"in a literal block", "t: |\n    {\"x\": [\n      {\"s\": \"a\"}\n    ]}\nu: 1\n",
			func(n *Node) ([]Edit, bool) {
				root, _ := ParseJSON(n.Inside())
				return scope(0, "b")(root.Get("x"))
			}, "t: |\n    {\"x\": [\n      {\"s\": \"a\"},\n      {\"s\": \"b\"}\n    ]}\nu: 1\n"},
		{"in a string", `{"t": "{\"x\": [{\"s\": \"a\"}, {\"s\": \"b\"}]}"}`,
			func(n *Node) ([]Edit, bool) {
				root, _ := ParseJSON(n.Inside())
				return root.Get("x").RemoveItems(0)
			}, `{"t": "{\"x\": [{\"s\": \"b\"}]}"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := NewFile("x", []byte(tt.text))
			var root *Node
			if strings.HasPrefix(tt.text, "{") {
				root, _ = ParseJSON(f)
			} else {
				docs, err := ParseYAML(f)
				if err != nil {
					t.Fatal(err)
				}
				root = docs[0]
			}
			n := root.Get("x")
			if root.Kind == Array {
				n = root.Items[0].Get("x")
			}
			if n == nil {
				n = root.Get("t")
			}
			edits, ok := tt.do(n)
			if !ok {
				if tt.want != "" {
					t.Fatal("refused")
				}
				return
			}
			if got, skipped := Apply(f, edits); string(got) != tt.want || skipped > 0 {
				t.Errorf("got (%d left out)\n%s\nwant\n%s", skipped, got, tt.want)
			}
		})
	}
}

// TestStored: a file stays in its encoding unless an edit is about that.
func TestStored(t *testing.T) {
	for name, stored := range map[string]string{
		UTF8BOM:               "\xef\xbb\xbf[\"\u00e4\"]",
		UTF16LE:               "\xff\xfe[\x00\"\x00\xe4\x00\"\x00]\x00",
		UTF16BE:               "\xfe\xff\x00[\x00\"\x00\xe4\x00\"\x00]",
		UTF16LE + " unmarked": "[\x00\"\x00a\x00\"\x00]\x00",
	} {
		f := NewFile("x", []byte(stored))
		root, _ := ParseJSON(f)
		e, ok := root.Items[0].Replace(root.Items[0].Text)
		if got, _ := Apply(f, []Edit{e}); !ok || string(got) != stored {
			t.Errorf("%s: %q after an edit", name, got)
		}
		if got, _ := Apply(f, []Edit{e, f.Reencode()}); string(got) != string(f.Data) {
			t.Errorf("%s: %q after the change of the encoding", name, got)
		}
	}
	f := NewFile("x", []byte("\xff\xfe[\x00\x00\xd8]\x00]")) // half a surrogate pair, half a unit
	if _, ok := f.Edit(0, 0, "x"); ok {
		t.Error("a file that cannot be written back as it was is edited")
	}
}
