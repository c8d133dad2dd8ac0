package scenarios

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/scenarios/catalog"
)

// FuzzParse: whatever a file holds, there is a bundle, or faults that all have a place in it.
func FuzzParse(f *testing.F) {
	names, err := fs.Glob(catalog.Files, "*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		data, err := catalog.Files.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := Parse("fuzz.txtar", []byte(text))
		if err == nil {
			if len(b.Cases) == 0 || len(b.Cases[0].plan.steps) == 0 {
				t.Error("a bundle without steps was accepted")
			}
			again, err := b.Format(nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Parse("fuzz.txtar", again); err != nil {
				t.Errorf("the formatted bundle is refused: %v", err)
			}
			return
		}
		checkPlaces(t, text, err)
	})
}

// FuzzParseConfig is the same for a domain, as YAML and as JSON.
func FuzzParseConfig(f *testing.F) {
	f.Add("domain.yaml", "dnsName: contoso.com\nkdsRootKeys:\n  - effective: -10h\nhosts: [{name: a}]\n")
	f.Add("domain.json", `{"dnsName": "contoso.com", "hosts": [{"name": "a", "clockOffset": "5m"}]}`)
	f.Fuzz(func(t *testing.T, name, text string) {
		file := "domain.yaml"
		if strings.HasSuffix(name, "json") {
			file = "domain.json"
		}
		c, err := ParseConfig(file, []byte(text))
		if err != nil {
			checkPlaces(t, text, err)
			return
		}
		if err := c.Validate(); err != nil {
			t.Errorf("a domain was accepted that is not valid: %v", err)
		}
	})
}

func checkPlaces(t *testing.T, text string, err error) {
	t.Helper()
	// A carriage return alone ends a line too, YAML 1.2 5.4.
	lines := strings.Count(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n") + 2
	list := SourceErrors(err)
	if len(list) == 0 {
		t.Errorf("an error without a place: %v", err)
	}
	for _, s := range list {
		if s.Line < 1 || s.Line > lines || s.Column < 1 || s.Problem == "" {
			t.Errorf("%v: line %d, column %d of %d lines", s, s.Line, s.Column, lines)
		}
		if errors.Is(s, fs.ErrNotExist) {
			t.Errorf("parsing looked for a file: %v", s)
		}
	}
}
