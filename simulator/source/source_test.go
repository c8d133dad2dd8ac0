package source

import (
	"strconv"
	"strings"
	"testing"
	"unicode"
)

func TestJSONFaults(t *testing.T) {
	tests := []struct {
		text string
		want string // kinds and places
	}{
		{`{"a": 1}`, ""},
		{"{\"a\": 1 // one\n}", "2@1:9"},
		{`{"a": [1,],}`, "3@1:9 3@1:11"},
		{`{"a": 1} x`, "4@1:10"},
		{`{"a": guid of domain}`, "0@1:7"},
		{`{"a": "b`, "1@1:7"},
		{`{"a": tr`, "1@1:7"},
		{`{"a"`, "1@1:5"},
		{``, "1@1:1"},
		{"{\n  \"ä\": \"\\q\"}", "0@2:9"},
		{`{"a" "b"}`, "0@1:6"},
		{"{\"a\": \"b,\n \"c\": 1}", "0@1:7"},
		{"{\"a\": \"b\tc\"}", "0@1:9"},
		{"{\"a\": \"b\n", "1@1:7"},
		{strings.Repeat("[", 300), "0@1:202"},
	}
	for _, tt := range tests {
		_, faults := ParseJSON(NewFile("x", []byte(tt.text)))
		var got []string
		for _, f := range faults {
			got = append(got, strconv.Itoa(int(f.Kind))+"@"+f.Span().Start.String())
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%.30q: got %q, want %q", tt.text, got, tt.want)
		}
	}
}

// TestEmbedded: a value in a document in a string in a YAML file is found to the byte, and replacing it changes nothing else.
func TestEmbedded(t *testing.T) {
	const inner = `{"PluginInput": "{\"credentialArn\": \"arn:x\"}"}`
	for name, text := range map[string]string{
		"literal": "spec:\n  text: |\n    " + inner + "\n  more: 1\n",
		"single":  "spec:\n  text: '" + inner + "'\n  more: 1\n",
		"double":  "spec:\n  text: \"" + escapeJSON(inner) + "\"\n  more: 1\n",
	} {
		docs, err := ParseYAML(NewFile("x.yaml", []byte(text)))
		if err != nil || len(docs) != 1 {
			t.Fatalf("%s: %v, %d documents", name, err, len(docs))
		}
		outer, faults := ParseJSON(docs[0].Get("spec", "text").Inside())
		if len(faults) > 0 {
			t.Fatalf("%s: %v", name, faults)
		}
		nested, faults := ParseJSON(outer.Get("PluginInput").Inside())
		if len(faults) > 0 {
			t.Fatalf("%s: %v", name, faults)
		}
		arn := nested.Get("credentialArn")
		edit, ok := arn.Replace(`arn:"y"`)
		if !ok {
			t.Fatalf("%s: no edit", name)
		}
		if got := string(edit.File.Data[edit.Start:edit.End]); got != "arn:x" {
			t.Errorf("%s: the edit replaces %q", name, got)
		}
		after, _ := Apply(edit.File, []Edit{edit})
		docs, err = ParseYAML(NewFile("x.yaml", after))
		if err != nil {
			t.Fatalf("%s: %v in\n%s", name, err, after)
		}
		outer, _ = ParseJSON(docs[0].Get("spec", "text").Inside())
		nested, faults = ParseJSON(outer.Get("PluginInput").Inside())
		if len(faults) > 0 || nested.Get("credentialArn").String() != `arn:"y"` || docs[0].Get("spec", "more").Text != "1" {
			t.Errorf("%s: after the edit:\n%s", name, after)
		}
	}
}

func TestYAMLPlaces(t *testing.T) {
	const text = "a: &x  plain text # c\nb: \"q\\\"\"\nc: 'it''s'\nd: [1, 2]\ne: {k: v}\nf: >\n  one\n  two\ng:\n- x\n- é: *x\n"
	docs, err := ParseYAML(NewFile("x", []byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"a": "plain text", "b": `"q\""`, "c": "'it''s'", "d": "[1, 2]", "e": "{k: v}", "f": ">\n  one\n  two"} {
		n := docs[0].Get(key)
		if got := text[n.Start:n.End]; got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if n := docs[0].Get("g").List()[1].Get("é"); n.String() != "plain text" {
		t.Errorf("the alias is %q", n.String())
	}
}

func TestYAMLBomb(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 9; i++ {
		b.WriteString("a" + strconv.Itoa(i) + ": &a" + strconv.Itoa(i) + " [" + strings.TrimSuffix(strings.Repeat("*a"+strconv.Itoa(i-1)+", ", 10), ", ") + "]\n")
	}
	if _, err := ParseYAML(NewFile("x", []byte(b.String()))); err == nil || !strings.Contains(err.Error(), "200000") {
		t.Errorf("got %v", err)
	}
}

func TestYAMLErrorLine(t *testing.T) {
	for text, want := range map[string]int{
		"a:\n  b: 1\n c: 2\n":                                          3,
		"x: 1\na:\n  C:\n - y\n  d: 1\n":                               4,
		"x: 1\ny:\n  a:\n    C:\n   - y\n  d: 1\n":                     5,
		"x: 1\na: {\n  b: 1\n  c: 2\n}\n":                              4,
		"a: [1,\n  2\n  3: 4\n]\n":                                     3,
		"x: [\n 1,\n 2\n]\ny: {\n  a: 1\n}\nz:\n  a: 1\n b: 2\nq: 1\n": 10,
		"a: @x\n":                                    1,
		"b: 1\na: `x\nc: 1\n":                        2,
		"a: b: c\n":                                  1,
		"x: 1\na: b\n  c: d\ne: 1\n":                 3,
		"a: 1\nz: 'x\nb: 1\n":                        2,
		"x: 1\ny: \"a\n\nb: 1\n":                     2,
		"a: 1\n\tb: 2\n":                             2,
		"x: 1\na: &a\n- b\nc: [\n":                   4,
		"a: 1\nb\nc: 2\n":                            2,
		"x: 1\na:\n  - b: 1\n    c: 1\n   d: 1\n":    5,
		"a: 1\n---\nb: 1\nc:\n  d: 2\n e: 1\nf: 1\n": 6,
		"a: *x\n":                                    1,
	} {
		_, err := ParseYAML(NewFile("x", []byte(text)))
		if err == nil || err.(*YAMLError).At() != want {
			t.Errorf("%q: %v at %d, want %d", text, err, err.(*YAMLError).At(), want)
		}
	}
}

func TestYAMLTags(t *testing.T) {
	docs, err := ParseYAML(NewFile("x.yaml", []byte("a: !Sub 'x${Y}'\nb: !Ref Y\nc: !Join ['', [x, !GetAtt B.Arn]]\nd: !!str 1\n")))
	if err != nil || len(docs) != 1 {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"a": "!Sub", "b": "!Ref", "c": "!Join", "d": ""} {
		if got := docs[0].Get(key).Tag; got != want {
			t.Errorf("%s has the tag %q, want %q", key, got, want)
		}
	}
	if got := docs[0].Get("b"); got.Kind != String || got.Text != "Y" {
		t.Errorf("b is %v %q", got.Kind, got.Text)
	}
}

// TestYAMLOtherLines: YAML knows more ends of lines than people count; places stay right, and what is folded over lines is not replaced.
func TestYAMLOtherLines(t *testing.T) {
	for _, end := range []string{"\n", "\r\n", "\r", "\u0085", "\u2028"} {
		text := "a: one" + end + "b: 'two'" + end + "c: three" + end + "  four" + end + "d: [five]" + end
		docs, err := ParseYAML(NewFile("x", []byte(text)))
		if err != nil || len(docs) != 1 {
			t.Fatalf("%q: %v", end, err)
		}
		for key, want := range map[string]string{"a": "one", "b": "'two'", "d": "[five]"} {
			if n := docs[0].Get(key); text[n.Start:n.End] != want {
				t.Errorf("%q: %s is %q", end, key, text[n.Start:n.End])
			}
		}
		if _, ok := docs[0].Get("c").Replace("x"); ok || len(strings.FieldsFunc(docs[0].Get("c").Text, unicode.IsSpace)) != 2 {
			t.Errorf("%q: %q can be replaced: %v", end, docs[0].Get("c").Text, ok)
		}
	}
}
