package diag

import (
	"strings"
	"testing"
)

// TestExplain keeps a page for every code, each with its five parts and the title of the catalogue.
func TestExplain(t *testing.T) {
	for _, e := range All() {
		page, ok := Explain(Code(strings.ToLower(string(e.Code))))
		if !ok {
			t.Errorf("%s has no page", e.Code)
		}
		if want := "# " + string(e.Code) + ": " + e.Title + "\n"; !strings.HasPrefix(page, want) {
			t.Errorf("%s: the page begins %.60q, want %q", e.Code, page, want)
		}
		for _, part := range []string{"\n## How it looks\n", "\n## Why\n", "\n## What repairs it\n", "\n## What looks alike\n"} {
			if !strings.Contains(page, part) {
				t.Errorf("%s: the page has no part %q", e.Code, strings.TrimSpace(part))
			}
		}
	}
	if _, ok := Explain("GMSA000"); ok {
		t.Error("GMSA000 has a page")
	}
	entries, err := pages.ReadDir("pages")
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(All()) {
		t.Errorf("got %d pages, want one for each of %d codes", len(entries), len(All()))
	}
}

func TestText(t *testing.T) {
	f := &Finding{
		Code: YoungRootKey, Title: "the KDS root key is too young to use",
		Facts:   []Fact{{"usable", "2019-05-03 20:00Z"}, {"a longer name", "x"}},
		SeenAs:  []string{"one", "two"},
		Because: "of the wait",
		Nearest: []Near{{Wanted: "a", Closest: "b", WhyNot: "differs"}},
		Help:    []Help{{Text: "wait"}, {Text: "back-date it", Command: "Add-KdsRootKey"}},
	}
	want := `error[GMSA102]: the KDS root key is too young to use
    usable         2019-05-03 20:00Z
    a longer name  x
    nearest        b (differs)
    seen as        one
                   two
    because        of the wait
help: wait
help: back-date it
    Add-KdsRootKey
`
	if got := f.Text(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
