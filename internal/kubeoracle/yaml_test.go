package kubeoracle

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/gmsasim/gmsasim/simulator/source"
)

// TestPlainScalars: what kubectl's reader makes of a plain scalar is what source.YAML11 says, for the usual traps and for scalars by chance.
func TestPlainScalars(t *testing.T) {
	words := strings.Fields(`y Y yes Yes YES yEs n N no No NO nO on On ON off Off OFF true True TRUE tRUE false False null Null NULL ~ nil none
		0 00 01 0123 08 0o17 0x1F 0xg 0b101 0b2 1_000 1_ _1 +1 -1 +0123 - + . .. 1. .5 -.5 1e3 1E3 1e 1e+3 1.5e-3 e3 .inf -.inf +.Inf .INF .nan .NaN inf nan
		190:20:30 1:2 12:60 1:20:30.15 2026-11-26 2026-1-2 2026-11-26T10:00:00Z 26.11.2026 10.5 10.5.1 1,000 1/2 S-1-5-21 3f7a2c51 1e10 12e45 7e2f 0e1 CORP CORP1 1CORP 123abc 0xCAFE 0XCAFE 0B1 = <<a 1__0 0_7 -0b1 -0x1 -017 +0x1 0.0 -0 +.5e1 1.2.3`)
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		var b strings.Builder
		for range 1 + r.IntN(6) {
			b.WriteByte("0123456789+-._eExXoObBaAfF:nNyYsStTrRuUlL"[r.IntN(41)])
		}
		words = append(words, b.String())
	}
	compared := 0
	for _, word := range words {
		text, err := yaml.YAMLToJSON([]byte("a: " + word + "\n"))
		if err != nil {
			continue
		}
		var v struct{ A json.RawMessage }
		if json.Unmarshal(text, &v) != nil {
			continue // .inf is no JSON
		}
		want := source.Number
		switch {
		case len(v.A) == 0 || string(v.A) == "null":
			want = source.Null
		case v.A[0] == '"':
			want = source.String
		case v.A[0] == '{' || v.A[0] == '[':
			continue
		case v.A[0] == 't' || v.A[0] == 'f':
			want = source.Bool
		}
		if strings.HasSuffix(word, ":") || strings.HasPrefix(word, "- ") || word == "-" {
			continue // no scalar
		}
		compared++
		if got := source.YAML11(word); got != want {
			t.Errorf("%s: kubectl reads %s (%s), we say %s", word, want, v.A, got)
		}
	}
	t.Logf("%d scalars", compared)
}

// TestErrors: what kubectl prints of a file that is no YAML is quoted to the letter, with its own count of lines.
func TestErrors(t *testing.T) {
	for _, text := range []string{
		"a:\n  b: 1\n c: 2\n", "a:\n  b: 1\n  c: 2\n d: 2\ne: 1\n", "a:\n  - x\n - y\n", "x: 1\na:\n  C:\n - y\n  d: 1\n", "x: 1\ny:\n  a:\n    C:\n   - y\n  d: 1\n",
		"a: {\n  b: 1\n  c: 2\n}\n", "x: 1\na: {\n  b: 1\n  c: 2\n}\n", "a: [1,\n  2\n  3: 4\n]\n", "a: @x\n", "b: 1\na: `x\n", "a: b: c\n", "x: 1\na: b\n  c: d\n",
		"a: 'x\nb: 1\n", "x: 1\ny: \"a\nb: 1\n", "a: 1\n\tb: 2\n", "a:\n\tb: 2\n", "a: *x\n", "x: 1\na: %x\n", "x: 1\na: !<x\n", "z: 1\na: \"\\q\"\n", "a: 1\nb\nc: 2\n",
		"x: 1\na:\n  - b: 1\n    c: 1\n   d: 1\n", "x: 1\na: &a\n- b\nc: [\n", "kind: X\nspec:\n  list:\n  - a\n  b: [c, d\n  e: f\n",
	} {
		_, want := yaml.YAMLToJSON([]byte(text))
		_, err := source.ParseYAML(source.NewFile("x", []byte(text)))
		if want == nil || err == nil {
			t.Errorf("%q: kubectl says %v, we %v", text, want, err)
			continue
		}
		if got := err.(*source.YAMLError).Kubectl(); got != want.Error() {
			t.Errorf("%q: kubectl says %q, we quote %q", text, want, got)
		}
		// As a later document of a stream, which kubectl cuts at the marks.
		_, err = source.ParseYAML(source.NewFile("x", []byte("q: 1\nr: 2\n---\n"+text)))
		if got := err.(*source.YAMLError).Kubectl(); got != want.Error() {
			t.Errorf("%q in a stream: kubectl says %q, we quote %q", text, want, got)
		}
	}
}
