package check_test

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator/check"
	"github.com/gmsasim/gmsasim/simulator/check/simulated"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

func init() { check.OpenDirectory = openDirectory }

func openDirectory(t *testing.T, config []byte) check.Directory {
	t.Helper()
	c, err := scenarios.ParseConfig("directory.yaml", config)
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
	return d
}

// TestDirectoryOfBrokenFiles asks a directory about what is left of the examples when they are cut off: whatever it is, an answer comes, and every
// report has a place.
func TestDirectoryOfBrokenFiles(t *testing.T) {
	paths, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(paths) < 150 {
		t.Fatalf("%d examples, %v", len(paths), err)
	}
	d := openDirectory(t, []byte("dnsName: corp.example\nkdsRootKeys: [{effective: -10h}]\ndomains: [{dnsName: emea.corp.example}]\nserviceAccounts: [{name: webapp}, {name: shop, domain: emea.corp.example}]\nhosts: [{name: WEB01}]\n"))
	const stride = 61
	cut, reports := 0, 0
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			name, ok := strings.CutPrefix(f.Name, "bad/")
			if !ok || strings.HasSuffix(name, ".hex") || len(f.Data) > 4096 {
				continue
			}
			for n := len(f.Data); n > 0; n -= stride {
				files := []*source.File{source.NewFile(name, f.Data[:n])}
				result := check.Run(setup.Read(files), check.Options{Directory: d, Hosts: []string{"WEB01"}, SPNs: []string{"http/shop"}, Targets: check.Targets(), All: true})
				cut++
				for _, r := range result.Reports {
					reports++
					if r.Where.File == nil || r.Message == "" {
						t.Fatalf("%s, %s to %d: %s %q at %v", path, name, n, r.Rule.ID, r.Message, r.Where)
					}
				}
			}
		}
	}
	t.Logf("%d cuts, %d reports", cut, reports)
}
