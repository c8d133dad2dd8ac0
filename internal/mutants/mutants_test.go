package main

import (
	"bytes"
	"go/format"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestDecisions holds the list against the source: every function is there, and every mutant compiles.
func TestDecisions(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	places, err := find(root, decisions)
	if err != nil {
		t.Fatal(err)
	}
	packages := map[string]bool{}
	mutants := map[string]bool{}
	for _, d := range decisions {
		packages["./"+d.pkg] = true
		if d.why == "" {
			t.Errorf("%s: says not what it decides", d.name())
		}
		answers := map[string]bool{}
		for _, a := range d.answers {
			answers[a.name] = true
			if m := d.mutant(a); mutants[m] {
				t.Errorf("two mutants are called %s", m)
			} else {
				mutants[m] = true
			}
		}
		if len(answers) < 2 {
			t.Errorf("%s: %d answers, want both extremes", d.name(), len(answers))
		}
		for name := range d.unseen {
			if !answers[name] {
				t.Errorf("%s: no answer %s, of which the list says why no scenario sees it", d.name(), name)
			}
		}
	}
	files, err := mutate(root, decisions, places)
	if err != nil {
		t.Fatal(err)
	}
	for name, source := range files {
		if _, err := format.Source(source); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		old, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err == nil && bytes.Count(old, []byte("\n")) != bytes.Count(source, []byte("\n")) {
			t.Errorf("%s: the lines moved", name)
		}
	}
	description, err := overlay(root, t.TempDir(), files)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", append([]string{"build", "-trimpath", "-overlay", description}, slices.Sorted(maps.Keys(packages))...)...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("the mutants do not compile: %v\n%s", err, out)
	}
}

// TestMissing shows that a decision that was renamed or taken out is noticed.
func TestMissing(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	gone := decision{pkg: "fakeads/kds", fn: "Policy.Gone", answers: boolean}
	if _, err := find(root, append([]decision{gone}, decisions...)); err == nil || !strings.Contains(err.Error(), "fakeads/kds Policy.Gone") || strings.Contains(err.Error(), ",") {
		t.Errorf("got %v, want an error that names fakeads/kds Policy.Gone alone", err)
	}
}

// TestSuites runs a decision of a module of its own, with a test that notices one of its two mutants.
func TestSuites(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":                   "module m\n\ngo 1.24\n",
		"p/p.go":                   "package p\n\ntype T struct{}\n\n// Even decides.\nfunc (*T) Even(n int) bool { return n%2 == 0 }\n",
		"p/p_test.go":              "package p\n\nimport \"testing\"\n\nfunc TestEven(t *testing.T) {\n\tt.Run(\"two\", func(t *testing.T) {\n\t\tif !(*T)(nil).Even(2) {\n\t\t\tt.Error(\"odd\")\n\t\t}\n\t})\n}\n",
		"internal/mutants/main.go": "package main\n\nimport \"os\"\n\nfunc main() {\n\tif os.Getenv(\"" + variable + "\") == \"p.T.Even=yes\" {\n\t\tpanic(\"even\")\n\t}\n}\n",
	} {
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list := []decision{{pkg: "p", fn: "T.Even", why: "a number is even", answers: boolean}}
	places, err := find(root, list)
	if err != nil {
		t.Fatal(err)
	}
	files, err := mutate(root, list, places)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	description, err := overlay(root, dir, files)
	if err != nil {
		t.Fatal(err)
	}
	s, err := build(t.Context(), root, dir, description, []string{"p"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.sane(t.Context(), []string{"p"}); err != nil {
		t.Error(err)
	}
	rows, err := s.all(t.Context(), list, places, 2)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rows {
		got = append(got, strings.Join([]string{r.place.String(), r.answer.name, r.unit, r.scenario, r.fault()}, "|"))
	}
	want := []string{"p/p.go:6|yes||panic: even|", "p/p.go:6|no|TestEven/two||survives the catalogue"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	var table strings.Builder
	if printTable(&table, rows) {
		t.Error("a mutant that survives the catalogue without a reason is taken as good")
	}
	if !strings.Contains(table.String(), "survives the catalogue: T.Even answers no; it decides that a number is even") {
		t.Errorf("the table does not name the survivor:\n%s", table.String())
	}
	if original, err := os.ReadFile(filepath.Join(root, "p", "p.go")); err != nil || bytes.Contains(original, []byte(selector)) {
		t.Errorf("the tree was changed: %v", err)
	}
}
