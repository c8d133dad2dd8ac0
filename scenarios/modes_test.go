package scenarios

import (
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// TestNotesOfModes: a mode that a bundle is about is not said to be missing, and one that no bundle is about says why.
func TestNotesOfModes(t *testing.T) {
	bundles, err := Catalog()
	if err != nil {
		t.Fatal(err)
	}
	about := map[string]string{}
	for _, b := range bundles {
		if b.Mode != "" {
			about[b.Mode] = b.ID
		}
	}
	for _, m := range diag.Modes() {
		bundle := about[m.ID]
		if bundle == "" && m.Alias != "" {
			bundle = about[m.Alias]
		}
		switch no := strings.HasPrefix(m.Note, "no: "); {
		case bundle != "" && no:
			t.Errorf("%s: the bundle %s is about it, and the note says %q", m.ID, bundle, m.Note)
		case bundle == "" && !no:
			t.Errorf("%s: no bundle is about it, and the note %q does not say why", m.ID, m.Note)
		}
	}
}
