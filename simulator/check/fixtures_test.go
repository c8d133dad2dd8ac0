package check

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// fixture is a file of an index with what has to be reported of it, and what must not.
type fixture struct {
	Path    string   `json:"path"`
	Kind    string   `json:"kind"`
	Note    string   `json:"note"`
	Must    []string `json:"must"`
	MustNot []string `json:"mustNot"`
	// With are files that are read with it; what is reported of them does not count.
	With []string `json:"with"`
}

// sharedFixtures is the folder with other people's files, which are not copied: ../shared beside the repository, or beside the one that a worktree belongs to.
func sharedFixtures(t *testing.T) string {
	t.Helper()
	for _, dir := range []string{"../../../shared", "../../../../shared"} {
		if _, err := os.Stat(filepath.Join(dir, "reference/fixtures/index.json")); err == nil {
			return filepath.Join(dir, "reference/fixtures")
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("the collection of public files is not there: ../shared/reference/fixtures")
	}
	t.Skip("the collection of public files is not beside the repository: ../shared/reference/fixtures")
	return ""
}

// companions are the files that INDEX.md names for rules that look at several.
var companions = map[string][]string{
	"k8s/wg-deploy-inline-mismatch.yml":           {"k8s/wg-credspec-0.yml"},
	"k8s/wg-deploy-inline-match.yml":              {"k8s/wg-credspec-0.yml"},
	"k8s/k8sdocs-old-deployment.yaml":             {"k8s/k8sdocs-gmsa-WebApp1.yaml"},
	"k8s/blog-gmsa-k8s-deployment-wrong-ref.yaml": {"k8s/blog-gmsa-k8s-account-sid.yaml"},
}

// TestSharedFixtures holds the rules against the public files: with all targets, every id that has to fire does, and none that must not.
func TestSharedFixtures(t *testing.T) {
	dir := sharedFixtures(t)
	list := readIndex(t, dir)
	if len(list) < 76 {
		t.Fatalf("the index has %d files", len(list))
	}
	for i := range list {
		list[i].With = companions[list[i].Path]
	}
	holdFixtures(t, dir, list)
}

// TestOwnFiles holds the rules against our own files with the same kinds of faults.
func TestOwnFiles(t *testing.T) {
	const dir = "testdata/files"
	list := readIndex(t, dir)
	indexed, faulty := map[string]bool{"index.json": true}, 0
	for _, f := range list {
		indexed[f.Path] = true
		if len(f.Must) > 0 {
			faulty++
		}
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if rel, _ := filepath.Rel(dir, path); err == nil && !d.IsDir() && !indexed[filepath.ToSlash(rel)] {
			t.Errorf("%s is not in the index", rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 60 || faulty < 45 {
		t.Errorf("%d files, %d of them with faults", len(list), faulty)
	}
	holdFixtures(t, dir, list)
}

func readIndex(t *testing.T, dir string) (list []fixture) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func holdFixtures(t *testing.T, dir string, list []fixture) {
	var table strings.Builder
	for _, f := range list {
		var files []*source.File
		for _, name := range append([]string{f.Path}, f.With...) {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, source.NewFile(name, text))
		}
		reports := Run(setup.Read(files), Options{All: true, Targets: Targets()}).Reports
		fired := map[string]int{}
		for _, r := range reports {
			if r.Where.File == files[0] || r.Where.File == nil || relatedTo(r, files[0]) {
				fired[r.Rule.ID]++
			}
		}
		var row []string
		t.Run(f.Path, func(t *testing.T) {
			for _, id := range f.Must {
				mark := "+"
				if ruleByID(id) == nil {
					t.Errorf("no rule is called %s", id)
				}
				if fired[id] == 0 {
					mark = "MISSING "
					t.Errorf("%s is not reported", id)
				}
				row = append(row, mark+id)
			}
			for _, id := range f.MustNot {
				mark := "-"
				if fired[id] > 0 {
					mark = "WRONG "
					for _, r := range reports {
						if r.Rule.ID == id {
							t.Errorf("%s is reported: %s %s", id, r.Where.Start, r.Message)
						}
					}
				}
				row = append(row, mark+id)
			}
			holdEntries(t, files[0], reports)
		})
		for _, r := range reports {
			id := r.Rule.ID
			if fired[id] > 0 && !slices.Contains(f.Must, id) && !slices.Contains(f.MustNot, id) {
				row = append(row, id)
				fired[id] = 0
			}
		}
		fmt.Fprintf(&table, "%-52s %s\n", f.Path, strings.Join(row, " "))
		if testing.Verbose() {
			for _, r := range reports {
				if r.Where.File == files[0] && !slices.Contains(f.Must, r.Rule.ID) {
					fmt.Fprintf(&table, "    %s %s %s: %s\n", r.Where.Start, r.Severity, r.Rule.ID, r.Message)
				}
			}
		}
	}
	if testing.Verbose() {
		t.Logf("+ has to be reported and is, - must not be and is not, others are reported too\n%s", table.String())
	}
}

func relatedTo(r Report, f *source.File) bool {
	return slices.ContainsFunc(r.Related, func(o Related) bool { return o.Where.File == f })
}

// holdEntries looks at files that are lists of cases, each with its own ids: a command line, or the options that an engine is given and the files
// that it has. Those are made command lines, so that the rules see what they would.
func holdEntries(t *testing.T, f *source.File, reports []Report) {
	if !strings.HasSuffix(f.Name, ".json") {
		return
	}
	root, _ := source.ParseJSON(f)
	for i, item := range root.List() {
		var fired func(id string) bool
		switch options := item.Get("securityOpt"); {
		case options != nil:
			argv := []string{"docker", "run"}
			for _, o := range options.List() {
				argv = append(argv, "--security-opt", o.String())
			}
			line, err := json.Marshal([]map[string][]string{{"argv": append(argv, "registry.corp.example/shop:ltsc2022")}})
			if err != nil {
				t.Fatal(err)
			}
			files := []*source.File{source.NewFile("arguments.json", line), source.NewFile("other.json", []byte(`{"CmsPlugins":["ActiveDirectory"]}`))}
			for _, m := range item.Get("files").Map() {
				files = append(files, source.NewFile(m.Key.Text, []byte(m.Value.String())))
			}
			of := Run(setup.Read(files), Options{All: true, Targets: Targets()}).Reports
			fired = func(id string) bool {
				return slices.ContainsFunc(of, func(r Report) bool { return r.Rule.ID == id && r.Where.File == files[0] })
			}
		default:
			fired = func(id string) bool {
				return slices.ContainsFunc(reports, func(r Report) bool {
					return r.Rule.ID == id && r.Where.File == f && r.Where.Offset >= item.Start && r.Where.Offset <= item.End
				})
			}
		}
		for _, id := range item.Get("must").List() {
			if !fired(id.String()) {
				t.Errorf("entry %d: %s is not reported", i, id.String())
			}
		}
	}
}

// TestCatalogue: every rule of the catalogue of lint rules is there, and what it says of severity and group is kept.
func TestCatalogue(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(sharedFixtures(t), "lint-rules.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list []struct{ ID, Group, Severity string }
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, want := range list {
		known[want.ID] = true
		rule := ruleByID(want.ID)
		if rule == nil {
			t.Errorf("%s is missing", want.ID)
			continue
		}
		if severity := map[byte]Severity{'E': Error, 'W': Warning, 'I': Info}[want.Severity[0]]; rule.Severity != severity && rule.Depends == "" {
			t.Errorf("%s: severity %s, and the catalogue has %q", rule.ID, rule.Severity, want.Severity)
		}
	}
	for _, r := range Rules() {
		if !known[r.ID] && r.Group != "suppressions" {
			t.Errorf("%s is not in the catalogue", r.ID)
		}
	}
}
