package doctor

import (
	"testing"

	"github.com/gmsasim/gmsasim/scenarios"
)

// FuzzParseWorld: whatever a file holds, there is a world, or faults that all have a place in it.
func FuzzParseWorld(f *testing.F) {
	f.Add(shop)
	f.Add("schema: gmsasim.world/1\nuses: [{kind: kerberos, container: none}]\n")
	f.Add("schema: gmsasim.world/2\n")
	f.Fuzz(func(t *testing.T, text string) {
		_, err := ParseWorld("fuzz.yaml", []byte(text))
		if err == nil {
			return
		}
		list := scenarios.SourceErrors(err)
		if len(list) == 0 {
			t.Errorf("an error without a place: %v", err)
		}
		for _, s := range list {
			if s.Line < 1 || s.Column < 1 || s.Problem == "" {
				t.Errorf("%v: line %d, column %d", s, s.Line, s.Column)
			}
		}
	})
}
