package doctest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/scenarios"
)

var update = flag.Bool("update", false, "rewrite the generated parts of docs/modelled.md")

var modelledPage = filepath.Join("..", "..", "docs", "modelled.md")

// sameBlock compares a generated part of docs/modelled.md, which stands between two marks with its name, and rewrites it with -update.
func sameBlock(t *testing.T, name, want string) {
	t.Helper()
	text, err := os.ReadFile(modelledPage)
	if err != nil {
		t.Fatal(err)
	}
	begin := "<!-- " + name + ": begin, rewritten by `go test ./internal/doctest -update` -->\n"
	end := "<!-- " + name + ": end -->\n"
	head, rest, ok := strings.Cut(string(text), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("docs/modelled.md lacks the lines %q and %q", begin, end)
	}
	whole := head + begin + "\n" + want + "\n" + end + tail
	if whole == string(text) {
		return
	}
	if !*update {
		t.Fatalf("docs/modelled.md does not list the %s as the code has them; run: go test ./internal/doctest -update", name)
	}
	if err := os.WriteFile(modelledPage, []byte(whole), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestFailureModes keeps the list of failure modes in docs/modelled.md as the catalogue has them. A mode that is not modelled, or partly,
// says what is missing.
func TestFailureModes(t *testing.T) {
	bundles, err := scenarios.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	reports := scenarios.ModeReports(bundles)
	counts := map[string]int{}
	var rows strings.Builder
	for _, r := range reports {
		counts[r.Modelled]++
		missing := r.Why
		if r.Alias != "" {
			missing = strings.TrimPrefix(missing+"; the same as `"+r.Alias+"`", "; ")
		}
		if r.Modelled != scenarios.ModelledYes && r.Why == "" {
			t.Errorf("%s: modelled %s, and nobody says why", r.ID, r.Modelled)
		}
		var codes []string
		for _, c := range r.Findings {
			codes = append(codes, string(c))
		}
		fmt.Fprintf(&rows, "| `%s` | %s | %s | %s | %s | %s | %s |\n", r.ID, r.Step, r.Mark, r.Modelled, quoted(r.Scenarios), strings.Join(codes, ", "), missing)
	}
	sameBlock(t, "modes", fmt.Sprintf("%d modes: %d modelled, %d partly, %d not.\n\n| mode | step | mark | modelled | scenarios | findings | what is missing |\n"+
		"| --- | --- | --- | --- | --- | --- | --- |\n%s", len(reports), counts[scenarios.ModelledYes], counts[scenarios.ModelledPartly], counts[scenarios.ModelledNo], rows.String()))
}

// quoted writes ids as code, with commas.
func quoted(ids []string) string {
	var list []string
	for _, id := range ids {
		list = append(list, "`"+id+"`")
	}
	return strings.Join(list, ", ")
}

// A guideRow is a row of docs/modelled.md about a statement of the guide.
var guideRow = regexp.MustCompile(`(?m)^\| (\d+\.\d+) \| (.*) \| ((yes|partly|no)\b.*?) \| (.*?) ?\|$`)

// TestGuide compares the part of docs/modelled.md about the guide with scenarios/guide.tsv, in both directions: each statement has a row
// with its number and words, and each row a statement. A row names scenarios, of which one at least is about the section of the guide, or
// gives the reason why there is none.
func TestGuide(t *testing.T) {
	bundles, err := scenarios.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	covers := map[string][]string{}
	for _, b := range bundles {
		covers[b.ID] = b.Covers
	}
	page, err := os.ReadFile(modelledPage)
	if err != nil {
		t.Fatal(err)
	}
	type row struct{ statement, modelled, mark, scenarios string }
	rows := map[string]row{}
	for _, m := range guideRow.FindAllStringSubmatch(string(page), -1) {
		if _, twice := rows[m[1]]; twice {
			t.Errorf("%s: two rows", m[1])
		}
		rows[m[1]] = row{m[2], m[3], m[4], m[5]}
	}
	index, err := os.ReadFile(filepath.Join("..", "..", "scenarios", "guide.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	kinds := []string{"fact", "rule", "requirement", "command", "result", "advice"}
	numbers := map[string]bool{}
	counts := map[string]int{}
	for i, line := range strings.Split(strings.TrimSpace(strings.ReplaceAll(string(index), "\r\n", "\n")), "\n") {
		c := strings.Split(line, "\t")
		if i == 0 {
			continue // the names of the columns
		}
		if len(c) != 4 || !slices.Contains(kinds, c[2]) {
			t.Fatalf("scenarios/guide.tsv:%d: got %q, want number, section, kind of %v and statement", i+1, line, kinds)
		}
		number, section, statement := c[0], c[1], c[3]
		at := slices.IndexFunc(scenarios.Sections(), func(s scenarios.Section) bool { return s.Name == section })
		counts[section]++
		if want := fmt.Sprintf("%d.%d", at, counts[section]); number != want {
			t.Errorf("scenarios/guide.tsv:%d: got number %s, want %s", i+1, number, want)
		}
		numbers[number] = true
		r, found := rows[number]
		if !found || r.statement != statement {
			t.Errorf("docs/modelled.md: %s: got statement %q, want %q", number, r.statement, statement)
			continue
		}
		_, reason, _ := strings.Cut(r.modelled, ": ")
		if r.scenarios == "" {
			if r.mark == scenarios.ModelledYes || reason == "" {
				t.Errorf("docs/modelled.md: %s: neither a scenario nor a reason why there is none", number)
			}
			continue
		}
		about := false
		for id := range strings.SplitSeq(r.scenarios, ", ") {
			sections, exists := covers[strings.Trim(id, "`")]
			if !exists {
				t.Errorf("docs/modelled.md: %s: there is no scenario %s", number, id)
			}
			about = about || slices.Contains(sections, section)
		}
		if !about {
			t.Errorf("docs/modelled.md: %s: none of %s covers %s", number, r.scenarios, section)
		}
	}
	for number := range rows {
		if !numbers[number] {
			t.Errorf("docs/modelled.md: %s: scenarios/guide.tsv has no such statement", number)
		}
	}
	for _, s := range scenarios.Sections() {
		if counts[s.Name] == 0 {
			t.Errorf("scenarios/guide.tsv: nothing of %s", s.Name)
		}
	}
}
