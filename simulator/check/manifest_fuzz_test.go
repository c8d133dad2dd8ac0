package check

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// FuzzManifest reads a manifest and runs all rules over it. Every report is inside of the file. The fix of a report of Kubernetes' rules leaves
// a file that can be read, in which the rule says this less often.
func FuzzManifest(f *testing.F) {
	paths, err := filepath.Glob("testdata/rules/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		if base := filepath.Base(path); !strings.HasPrefix(base, "k8s-") && !strings.HasPrefix(base, "helm-") {
			continue
		}
		var all []byte
		for _, file := range archive.Files {
			if strings.HasPrefix(file.Name, "bad/") && strings.HasSuffix(file.Name, ".yaml") && len(file.Data) < 4096 {
				all = append(append(all, "---\n"...), file.Data...)
			}
		}
		f.Add(all)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<14 {
			return
		}
		check := func(data []byte) (*source.File, *setup.Setup, []Report) {
			file := source.NewFile("a.yaml", data)
			s := setup.Read([]*source.File{file})
			return file, s, Run(s, Options{All: true}).Reports
		}
		file, s, reports := check(data)
		for _, r := range reports {
			if r.Where.File != file || r.Where.Offset < 0 || r.Where.Length < 0 || r.Where.Offset+r.Where.Length > len(file.Data) || r.Where.Start.Line < 1 || r.Where.Start.Column < 1 {
				t.Fatalf("%s is reported at %v", r.Rule.ID, r.Where)
			}
		}
		if file.Encoding != "" || broken(s) {
			return
		}
		for _, r := range reports {
			if len(r.Fix) == 0 || r.Rule.Group != "k8s" {
				continue
			}
			after, skipped := source.Apply(file, r.Fix)
			if skipped > 0 {
				t.Fatalf("%s has edits that overlap: %v", r.Rule.ID, r.Fix)
			}
			_, s, again := check(after)
			if broken(s) {
				t.Fatalf("after the fix of %s (%s at %s) the file cannot be read:\n%s\nbefore:\n%s", r.Rule.ID, r.Message, r.Where.Start, after, data)
			}
			if n, m := count(reports, r), count(again, r); m >= n {
				t.Fatalf("after the fix of %s (%s at %s) there are %d of its reports, before %d:\n%s\nbefore:\n%s", r.Rule.ID, r.Message, r.Where.Start, m, n, after, data)
			}
		}
	})
}

func broken(s *setup.Setup) bool {
	for _, d := range s.Documents {
		if d.Err != nil {
			return true
		}
	}
	return false
}

// count is how often a rule says the same: a fix may bring something else to light.
func count(reports []Report, like Report) int {
	n := 0
	for _, r := range reports {
		if r.Rule == like.Rule && r.Message == like.Message {
			n++
		}
	}
	return n
}
