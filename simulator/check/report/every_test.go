package report

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/tools/txtar"

	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator/check"
	"github.com/gmsasim/gmsasim/simulator/check/simulated"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// TestEveryRule writes the reports of every rule's failing example in every form: SARIF by its schema, with the region of the very bytes, a page and the fix;
// JUnit by its own; text with the place, the line and the marks under it.
func TestEveryRule(t *testing.T) {
	examples, err := filepath.Glob("../testdata/rules/*.txtar")
	if err != nil || len(examples) < 150 {
		t.Fatalf("%d examples, %v", len(examples), err)
	}
	schema := sarifSchema(t)
	for _, path := range examples {
		id := strings.TrimSuffix(filepath.Base(path), ".txtar")
		t.Run(id, func(t *testing.T) {
			c := exampleOf(t, path)
			about := 0
			for _, r := range c.Reports {
				if r.Rule.ID == id {
					about++
				}
			}
			if about == 0 {
				t.Fatal("the failing example is not reported")
			}
			text := written(t, "sarif", c)
			doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(doc); err != nil {
				t.Error(err)
			}
			var log struct {
				Runs []struct{ Results []readResult }
			}
			if err := json.Unmarshal([]byte(text), &log); err != nil {
				t.Fatal(err)
			}
			if len(log.Runs[0].Results) != len(c.Reports)+len(c.Suppressed) {
				t.Fatalf("%d results of %d reports", len(log.Runs[0].Results), len(c.Reports)+len(c.Suppressed))
			}
			people := written(t, "text", c)
			for i := range c.Reports {
				r := &c.Reports[i]
				if r.Where.File == nil {
					continue
				}
				region := log.Runs[0].Results[i].Locations[0].PhysicalLocation.Region
				data := r.Where.File.Data
				from, to := offset(data, region.StartLine, region.StartColumn), offset(data, region.EndLine, region.EndColumn)
				if from != r.Where.Offset || to != r.Where.Offset+r.Where.Length {
					t.Errorf("%s: region %+v is bytes %d to %d, the report's are %d and %d more", r.Rule.ID, region, from, to, r.Where.Offset, r.Where.Length)
				}
				if want := fmt.Sprintf("--> %s:%s", r.Where.File.Name, r.Where.Start); !strings.Contains(people, want) {
					t.Errorf("the text lacks %q", want)
				}
				for _, fix := range log.Runs[0].Results[i].Fixes {
					for _, change := range fix.ArtifactChanges {
						if len(change.Replacements) == 0 {
							t.Errorf("%s: a fix without a replacement", r.Rule.ID)
						}
					}
				}
			}
			if faults := junitFaults(written(t, "junit", c)); len(faults) > 0 {
				t.Error(faults)
			}
			for line := range strings.Lines(written(t, "github", c)) {
				if !strings.HasPrefix(line, "::") {
					t.Errorf("no workflow command: %s", line)
				}
			}
			for _, format := range []string{"json", "gitlab"} {
				if !json.Valid([]byte(written(t, format, c))) {
					t.Errorf("%s is not JSON", format)
				}
			}
		})
	}
}

// offset is the byte of a line and column in characters.
func offset(data []byte, line, column int) int {
	at := 0
	for range line - 1 {
		at += strings.IndexByte(string(data[at:]), '\n') + 1
	}
	for i := range string(data[at:]) {
		if column--; column == 0 {
			return at + i
		}
	}
	return len(data)
}

// exampleOf checks the failing files of a rule's example.
func exampleOf(t *testing.T, path string) *Check {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	o := check.Options{All: true}
	for line := range strings.Lines(string(archive.Comment)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "targets: "); ok {
			for _, target := range strings.Fields(rest) {
				o.Targets = append(o.Targets, check.Target(target))
			}
		}
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "hosts: "); ok {
			o.Hosts = strings.Fields(rest)
		}
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "spns: "); ok {
			o.SPNs = strings.Fields(rest)
		}
	}
	var files []*source.File
	for _, f := range archive.Files {
		if f.Name == "directory.yaml" {
			c, err := scenarios.ParseConfig(f.Name, f.Data)
			if err != nil {
				t.Fatal(err)
			}
			d, err := simulated.Open(t.Context(), c.Config)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := d.Close(); err != nil {
					t.Error(err)
				}
			})
			o.Directory = d
		}
		name, ok := strings.CutPrefix(f.Name, "bad/")
		if !ok {
			continue
		}
		data := f.Data
		if plain, isHex := strings.CutSuffix(name, ".hex"); isHex {
			name = plain
			if data, err = hex.DecodeString(strings.Join(strings.Fields(string(data)), "")); err != nil {
				t.Fatal(err)
			}
		}
		files = append(files, source.NewFile(name, data))
	}
	return &Check{Result: check.Run(setup.Read(files), o), Files: len(files), Version: "1", FailOn: Threshold(check.Error)}
}
