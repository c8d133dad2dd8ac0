package check

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// TestSets checks the folders of testdata/sets as a user does, with the targets that their files speak of. The comment has lines
// "want: FILE:LINE:COLUMN SEVERITY RULE" for every report, and before them
// "want: FILE:LINE:COLUMN unread RULE" for files that were not read to their end; most have none, being set-ups that work. A comment "crlf" gives the files the ends of
// lines of Windows.
func TestSets(t *testing.T) {
	paths, err := filepath.Glob("testdata/sets/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no sets: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var want, got []string
			for line := range strings.Lines(string(archive.Comment)) {
				if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "want: "); ok {
					want = append(want, rest)
				}
				if strings.TrimSpace(line) == "crlf" {
					for i, f := range archive.Files {
						archive.Files[i].Data = []byte(strings.ReplaceAll(string(f.Data), "\n", "\r\n"))
					}
				}
			}
			result := Run(setup.Read(part(t, archive, "")), Options{})
			for _, n := range result.NotChecked {
				if n.Where.File != nil && n.Where.Offset > 0 && strings.Contains(n.Reason, "to its end") {
					got = append(got, fmt.Sprintf("%s:%s unread %s", n.Where.File.Name, n.Where.Start, n.Rule.ID))
				}
			}
			for _, r := range result.Reports {
				got = append(got, fmt.Sprintf("%s:%s %s %s", r.Where.File.Name, r.Where.Start, r.Severity, r.Rule.ID))
			}
			if !slices.Equal(got, want) {
				t.Errorf("reports\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
			}
		})
	}
}

// TestCommentsOfEveryEnd: a comment is taken out to the end of its line, and no further, whatever ends lines.
func TestCommentsOfEveryEnd(t *testing.T) {
	body := "{\n  # of its own\n  \"CmsPlugins\": [\"ActiveDirectory\"], // behind\n  \"DomainJoinConfig\": {\"MachineAccountName\": \"webapp\"}\n}\n"
	want := "{\n  \"CmsPlugins\": [\"ActiveDirectory\"],\n  \"DomainJoinConfig\": {\"MachineAccountName\": \"webapp\"}\n}\n"
	for _, eol := range []string{"\n", "\r\n", "\r"} {
		f := source.NewFile("webapp.json", []byte(strings.ReplaceAll(body, "\n", eol)))
		var edits []source.Edit
		for _, r := range reportsOf([]*source.File{f}, Options{All: true}, ruleByID("json-comment")) {
			edits = append(edits, r.Fix...)
		}
		if got, skipped := source.Apply(f, edits); len(edits) != 2 || skipped > 0 || string(got) != strings.ReplaceAll(want, "\n", eol) {
			t.Errorf("%d edits, %d left out: %q", len(edits), skipped, got)
		}
	}
}
