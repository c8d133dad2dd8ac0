package doctest

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestGuesses keeps docs/modelled.md complete: each rule in the code that has no source is marked "guess:" in its comment and
// listed there.
func TestGuesses(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	list, err := guesses(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		t.Fatal("no guess was found, so the search is broken")
	}
	sameBlock(t, "guesses", "| where | what is assumed |\n| --- | --- |\n"+strings.Join(list, ""))
}

// guesses returns a table row for each "guess:" in a comment of the module's Go files, in the order of the files.
func guesses(root string) ([]string, error) {
	var rows []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != root) {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		for _, group := range file.Comments {
			text := strings.Join(strings.Fields(group.Text()), " ")
			for _, part := range strings.Split(text, "guess:")[1:] {
				// A guess ends with its sentence.
				if i := strings.Index(part, ". "); i >= 0 {
					part = part[:i]
				}
				part = strings.TrimSuffix(strings.TrimSpace(part), ".")
				rows = append(rows, fmt.Sprintf("| `%s` | %s |\n", filepath.ToSlash(rel), strings.ReplaceAll(part, "|", `\|`)))
			}
		}
		return nil
	})
	return slices.Compact(rows), err
}

// TestScenariosExist checks the last column of the tables in docs/modelled.md: what it names is a bundle of the catalogue.
func TestScenariosExist(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "modelled.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for i, line := range strings.Split(string(text), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) != 6 { // section, statement, modelled, scenario
			continue
		}
		for j, id := range strings.Split(cells[4], "`") {
			if j%2 == 0 {
				continue
			}
			named++
			if _, err := os.Stat(filepath.Join("..", "..", "scenarios", "catalog", id+".txtar")); err != nil {
				t.Errorf("docs/modelled.md:%d: %v", i+1, err)
			}
		}
	}
	if named == 0 {
		t.Error("no scenario was found, so the search is broken")
	}
}
