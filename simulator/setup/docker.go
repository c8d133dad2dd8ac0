package setup

import (
	"path"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/source"
)

func shellDocuments(f *source.File) []*Document { return nil }

func (s *Setup) readDockerArguments(d *Document) {}

// fileNamed is the credential spec in the file of the set that a name in the engine's folder means: the last part of the path, whatever the
// letters' case, as Windows compares.
func (s *Setup) fileNamed(name string) (*credspec.Document, Missing) {
	want := baseName(name)
	for _, d := range s.Documents {
		if d.Form == FormCredentialSpec && strings.EqualFold(baseName(d.File.Root().Name), want) {
			return d.Spec, NotMissing
		}
	}
	return nil, NotSupplied
}

// baseName is the last part of a path with either separator.
func baseName(name string) string {
	return path.Base(strings.ReplaceAll(name, `\`, "/"))
}
