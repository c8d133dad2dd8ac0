package diag

import (
	"slices"
	"strings"
	"testing"
)

func TestModes(t *testing.T) {
	list := Modes()
	if lines := strings.Count(modesTable, "\n"); len(list) != lines-1 {
		t.Fatalf("%d modes from %d lines: every line after the first has eight columns", len(list), lines)
	}
	seen := map[string]bool{}
	for _, m := range list {
		if seen[m.ID] {
			t.Errorf("%s is there twice", m.ID)
		}
		seen[m.ID] = true
		if m.Title == "" || m.Step == "" || len(m.Areas) == 0 || !slices.Contains([]string{"D", "T", "I"}, m.Mark) {
			t.Errorf("%s lacks a title, a step, an area or a mark: %+v", m.ID, m)
		}
		if m.Note != "" && !strings.HasPrefix(m.Note, "partly: ") && !strings.HasPrefix(m.Note, "no: ") {
			t.Errorf("%s: the note begins with partly or no: %q", m.ID, m.Note)
		}
	}
	for _, m := range list {
		if m.Alias != "" && !seen[m.Alias] {
			t.Errorf("%s is an alias of %q, which is not there", m.ID, m.Alias)
		}
	}
}
