package check

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// TestRules runs the examples of testdata/rules: one archive for each rule, with files that it has to report (bad/), files that it must not
// report (good/) and, for a rule with a fix, the files afterwards (fixed/). The comment has lines "want: FILE:LINE:COLUMN SEVERITY MESSAGE" for
// every report of the rule on the bad files, and may have "targets: a b", "hosts: a b" and "spns: a b". A file whose name ends in .hex is given in hexadecimal.
// With directory.yaml, a domain, the rule is asked with a directory, and in the same way with directory-good.yaml about the good files. The part of a
// rule that needs one, of a rule that does not, has its examples in testdata/directory.
func TestRules(t *testing.T) {
	paths, err := filepath.Glob("testdata/rules/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	asked, err := filepath.Glob("testdata/directory/*.txtar")
	if err != nil || len(asked) == 0 {
		t.Fatalf("no examples with a directory: %v", err)
	}
	paths = append(paths, asked...)
	for _, path := range paths {
		id := strings.TrimSuffix(filepath.Base(path), ".txtar")
		t.Run(filepath.Base(filepath.Dir(path))+"/"+id, func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			rule := ruleByID(id)
			if rule == nil {
				t.Fatalf("no rule is called %s", id)
			}
			var want []string
			o := Options{All: true}
			for line := range strings.Lines(string(archive.Comment)) {
				line = strings.TrimSpace(line)
				if rest, ok := strings.CutPrefix(line, "want: "); ok {
					want = append(want, rest)
				}
				if rest, ok := strings.CutPrefix(line, "hosts: "); ok {
					o.Hosts = strings.Fields(rest)
				}
				if rest, ok := strings.CutPrefix(line, "spns: "); ok {
					o.SPNs = strings.Fields(rest)
				}
				if rest, ok := strings.CutPrefix(line, "targets: "); ok {
					for _, target := range strings.Fields(rest) {
						o.Targets = append(o.Targets, Target(target))
					}
				}
			}
			bad, good, fixed := part(t, archive, "bad/"), part(t, archive, "good/"), part(t, archive, "fixed/")
			if len(bad) == 0 || len(good) == 0 || len(want) == 0 {
				t.Fatal("an example needs bad/, good/ and want:")
			}
			ofGood := o
			for _, f := range archive.Files {
				switch f.Name {
				case "directory.yaml":
					o.Directory = OpenDirectory(t, f.Data)
					ofGood.Directory = o.Directory
				case "directory-good.yaml": // after the other
					ofGood.Directory = OpenDirectory(t, f.Data)
				}
			}
			var got []string
			var edits []source.Edit
			for _, r := range reportsOf(bad, o, rule) {
				got = append(got, fmt.Sprintf("%s:%s %s %s", r.Where.File.Name, r.Where.Start, r.Severity, r.Message))
				edits = append(edits, r.Fix...)
			}
			if !slices.Equal(got, want) {
				t.Errorf("reports\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
			}
			for _, r := range reportsOf(good, ofGood, rule) {
				t.Errorf("the good files are reported: %s:%s %s", r.Where.File.Name, r.Where.Start, r.Message)
			}
			if (len(edits) > 0) != (len(fixed) > 0) {
				t.Fatalf("%d edits, %d fixed files", len(edits), len(fixed))
			}
			for _, f := range fixed {
				i := slices.IndexFunc(bad, func(b *source.File) bool { return b.Name == f.Name })
				if i < 0 {
					t.Fatalf("fixed/%s is no bad file", f.Name)
				}
				text, skipped := source.Apply(bad[i], slices.DeleteFunc(slices.Clone(edits), func(e source.Edit) bool { return e.File != bad[i] }))
				if string(text) != string(f.Data) || skipped > 0 {
					t.Errorf("%s after the fix (%d left out):\n%s", f.Name, skipped, text)
				}
			}
		})
	}
}

// OpenDirectory is the directory of a domain that is written as for gmsasim up: this package may not start one.
var OpenDirectory func(t *testing.T, config []byte) Directory

// TestEveryRuleHasAnExample: no rule is without its archive.
func TestEveryRuleHasAnExample(t *testing.T) {
	for _, r := range Rules() {
		if _, err := os.Stat("testdata/rules/" + r.ID + ".txtar"); err != nil {
			t.Errorf("%s has no example: %v", r.ID, err)
		}
		if asks := slices.Contains(r.Needs, InDirectory); asks != (directoryChecks[r.ID] != nil) {
			t.Errorf("%s says that a directory can tell more: %v", r.ID, asks)
		}
		if _, err := os.Stat("testdata/directory/" + r.ID + ".txtar"); err != nil && r.run != nil && directoryChecks[r.ID] != nil {
			t.Errorf("%s has no example with a directory: %v", r.ID, err)
		}
		if r.run == nil && directoryChecks[r.ID] == nil && r.Group != "suppressions" || r.Title == "" || r.Why == "" || r.Repair == "" || r.Group == "" || len(r.Needs) == 0 || r.Bad == "" || r.Good == "" {
			t.Errorf("%s is not whole", r.ID)
		}
	}
}

func ruleByID(id string) *Rule {
	for _, r := range Rules() {
		if r.ID == id {
			return r
		}
	}
	return nil
}

func part(t *testing.T, a *txtar.Archive, prefix string) []*source.File {
	t.Helper()
	var list []*source.File
	for _, f := range a.Files {
		name, ok := strings.CutPrefix(f.Name, prefix)
		if !ok {
			continue
		}
		data := f.Data
		if n, hex := strings.CutSuffix(name, ".hex"); hex {
			name = n
			var b []byte
			if _, err := fmt.Sscanf(strings.Join(strings.Fields(string(data)), ""), "%x", &b); err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
			data = b
		}
		list = append(list, source.NewFile(name, data))
	}
	return list
}

// reportsOf are the reports of one rule on a set of files.
func reportsOf(files []*source.File, o Options, rule *Rule) []Report {
	return slices.DeleteFunc(Run(setup.Read(files), o).Reports, func(r Report) bool { return r.Rule != rule })
}

// TestRulesDoNotYieldInCircles: of two reports that yield to each other none would be left.
func TestRulesDoNotYieldInCircles(t *testing.T) {
	for _, start := range Rules() {
		seen := map[string]bool{}
		next := slices.Clone(start.YieldsTo)
		for len(next) > 0 {
			id := next[0]
			next = next[1:]
			if id == start.ID {
				t.Errorf("%s yields to itself, over others", start.ID)
				break
			}
			if rule := ruleByID(id); rule == nil {
				t.Errorf("%s yields to %s, which does not exist", start.ID, id)
			} else if !seen[id] {
				seen[id] = true
				next = append(next, rule.YieldsTo...)
			}
		}
	}
}
