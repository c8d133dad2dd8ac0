package doctest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/simulator/check"
)

// groups are the groups of rules with the headings of their sections, in their order.
var groups = []struct{ id, title string }{
	{"bytes", "Bytes and JSON"}, {"structure", "Structure"}, {"domain", "The domain's identity"}, {"accounts", "Accounts, scopes and the directory"}, {"hac", "HostAccountConfig and plug-ins"},
	{"docker", "docker, compose, swarm, Service Fabric, Nomad"}, {"k8s", "Kubernetes and Helm"}, {"ecs", "ECS"}, {"sets", "Sets of files"}, {"suppressions", "Requests to ignore"},
}

// TestRulesPage keeps docs/reference/rules.md as the rules are: a section for each, under its id.
func TestRulesPage(t *testing.T) {
	var b strings.Builder
	rules := check.Rules()
	seen := 0
	for _, g := range groups {
		fmt.Fprintf(&b, "## %s\n\n", g.title)
		for _, r := range rules {
			if r.Group != g.id {
				continue
			}
			seen++
			ruleSection(&b, r)
		}
	}
	if seen != len(rules) {
		t.Errorf("%d of %d rules are in a group that the page has", seen, len(rules))
	}
	page := filepath.Join("..", "..", "docs", "reference", "rules.md")
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- rules: begin, rewritten by `go test ./internal/doctest -update` -->\n", "<!-- rules: end -->\n"
	head, rest, ok := strings.Cut(string(text), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s lacks the marks of its generated part", page)
	}
	rewrite(t, page, string(text), head+begin+"\n"+b.String()+end+tail)
}

func ruleSection(b *strings.Builder, r *check.Rule) {
	fmt.Fprintf(b, "### %s\n\n%s. %s\n\n", r.ID, sentenceCase(r.Title), r.Why)
	severity := r.Severity.String()
	if r.Depends != "" {
		severity += "; " + r.Depends
	}
	var needs, targets []string
	for _, n := range r.Needs {
		needs = append(needs, string(n))
	}
	for _, target := range r.Targets {
		targets = append(targets, string(target))
	}
	fmt.Fprintf(b, "- Severity: %s\n- Checked: %s\n", severity, strings.Join(needs, ", "))
	if len(targets) > 0 {
		fmt.Fprintf(b, "- Targets: %s\n", strings.Join(targets, ", "))
	}
	fmt.Fprintf(b, "- Repair: %s\n", r.Repair)
	if r.Fixes() {
		b.WriteString("- `--fix` does it where it is certain\n")
	}
	fmt.Fprintf(b, "\n```text\n# wrong\n%s\n\n# right\n%s\n```\n\n", strings.TrimRight(r.Bad, "\n"), strings.TrimRight(r.Good, "\n"))
}

// sentenceCase begins with a capital letter, unless the first word is a name that is written small.
func sentenceCase(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// rewrite compares a generated file, and writes it with -update.
func rewrite(t *testing.T, path, is, want string) {
	t.Helper()
	if is == want {
		return
	}
	if !*update {
		t.Fatalf("%s is not as the code has it; run: go test ./internal/doctest -update", path)
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestFixableRules keeps the list of rules with a fix: those whose examples show one.
func TestFixableRules(t *testing.T) {
	dir := filepath.Join("..", "..", "simulator", "check")
	examples, err := filepath.Glob(filepath.Join(dir, "testdata", "rules", "*.txtar"))
	if err != nil || len(examples) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	var ids []string
	for _, path := range examples {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\n-- fixed/") {
			ids = append(ids, strings.TrimSuffix(filepath.Base(path), ".txtar"))
		}
	}
	slices.Sort(ids)
	list := filepath.Join(dir, "fixable.txt")
	text, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	rewrite(t, list, string(text), strings.Join(ids, "\n")+"\n")
}
