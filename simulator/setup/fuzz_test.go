package setup

import (
	"bytes"
	"testing"

	"github.com/gmsasim/gmsasim/simulator/source"
)

// The fuzz targets of the readers, one for each language. Whatever the text: every value stands inside the file, and putting another name into
// an option gives a text from which the reader reads that name and nothing else changed.

func FuzzPosix(f *testing.F)      { fuzzReader(f, "a.sh") }
func FuzzPowerShell(f *testing.F) { fuzzReader(f, "a.ps1") }
func FuzzCmd(f *testing.F)        { fuzzReader(f, "a.cmd") }
func FuzzCompose(f *testing.F)    { fuzzReader(f, "compose.yaml") }
func FuzzFabric(f *testing.F)     { fuzzReader(f, "ApplicationManifest.xml") }
func FuzzHCL(f *testing.F)        { fuzzReader(f, "job.nomad") }
func FuzzEngine(f *testing.F)     { fuzzReader(f, "a.json") }

// fuzzReader fuzzes the reader of a file's language. The corpora under testdata/fuzz have a seed of each kind.
func fuzzReader(f *testing.F, name string) {
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		file := source.NewFile(name, data)
		s := Read([]*source.File{file})
		for _, d := range s.Documents {
			d.Root.Walk(func(path []string, n *source.Node) bool {
				if n.Start < 0 || n.End < n.Start || n.End > len(n.File.Data) {
					t.Fatalf("%v stands at %d to %d of %d bytes", path, n.Start, n.End, len(n.File.Data))
				}
				return true
			})
		}
		for i, u := range s.Uses {
			for k, o := range u.Options {
				if span := o.Node.Span(); span.File != file || span.Length < 0 || span.Offset+span.Length > len(file.Data) {
					t.Fatalf("use %d, option %d: %+v", i, k, span)
				}
				if o.Value == nil {
					continue
				}
				e, ok := o.Value.Replace("other.json")
				if !ok || file.Encoding != "" {
					continue
				}
				text, skipped := source.Apply(file, []source.Edit{e})
				if skipped > 0 {
					t.Fatalf("use %d, option %d: the edit is outside the file: %+v", i, k, e)
				}
				again := Read([]*source.File{source.NewFile(name, text)})
				if len(again.Uses) <= i || len(again.Uses[i].Options) <= k || again.Uses[i].Options[k].Value == nil || again.Uses[i].Options[k].Value.Text != "other.json" {
					t.Fatalf("use %d, option %d: with another name in the place of %q the text is\n%s", i, k, o.Value.Text, text)
				}
				if got := again.Uses[i].Options[k]; got.Key != o.Key || got.Scheme != o.Scheme {
					t.Fatalf("use %d, option %d: %q %q became %q %q in\n%s", i, k, o.Key, o.Scheme, got.Key, got.Scheme, text)
				}
				if !bytes.Contains(text, []byte("other.json")) {
					t.Fatalf("the edit wrote %q", e.New)
				}
			}
		}
	})
}
