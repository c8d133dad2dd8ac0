package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// variable is the environment variable that names the mutant of a run; without it nothing is changed.
const variable = "GMSASIM_MUTANT"

// selector is the name that mutated packages know the variable's value by.
const selector = "mutantOfThisRun"

// A place is where a decision stands in the source.
type place struct {
	file string // relative to the root, with slashes
	line int
	body int // offset of the byte after the brace that opens the body
}

func (p place) String() string { return fmt.Sprintf("%s:%d", p.file, p.line) }

// find looks the decisions up in the source below root. The error names each one that is not there.
func find(root string, list []decision) (map[string]place, error) {
	found := map[string]place{}
	seen := map[string]bool{}
	for _, d := range list {
		if seen[d.pkg] {
			continue
		}
		seen[d.pkg] = true
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(d.pkg), "*.go"))
		if err != nil {
			return nil, err
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			for _, decl := range file.Decls {
				f, ok := decl.(*ast.FuncDecl)
				if !ok || f.Body == nil {
					continue
				}
				found[d.pkg+" "+funcName(f)] = place{path.Join(d.pkg, filepath.Base(name)), set.Position(f.Pos()).Line, set.Position(f.Body.Lbrace).Offset + 1}
			}
		}
	}
	var missing []string
	for _, d := range list {
		if _, ok := found[d.name()]; !ok {
			missing = append(missing, d.name())
		}
	}
	if missing != nil {
		return nil, fmt.Errorf("not in the source any more: %s", strings.Join(missing, ", "))
	}
	return found, nil
}

// funcName is the name of a function, behind its receiver's type if it has one: Policy.Serves.
func funcName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	t := f.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name + "." + f.Name.Name
		default:
			return f.Name.Name
		}
	}
}

// mutate gives the files of an overlay, by their path relative to root: the decisions with their mutants, lines where they were, and in each
// package a file that reads the variable.
func mutate(root string, list []decision, places map[string]place) (map[string][]byte, error) {
	type insertion struct {
		at   int
		text string
	}
	inFile := map[string][]insertion{}
	files := map[string][]byte{}
	for _, d := range list {
		at := places[d.name()]
		var text strings.Builder
		fmt.Fprintf(&text, " switch %s {", selector)
		for _, a := range d.answers {
			fmt.Fprintf(&text, " case %s: %s;", strconv.Quote(d.mutant(a)), a.code)
		}
		text.WriteString(" };")
		inFile[at.file] = append(inFile[at.file], insertion{at.body, text.String()})
		files[path.Join(d.pkg, "mutant_of_this_run.go")] = fmt.Appendf(nil, "package %s\n\nimport \"os\"\n\nvar %s = os.Getenv(%q)\n", path.Base(d.pkg), selector, variable)
	}
	for _, name := range slices.Sorted(maps.Keys(inFile)) {
		source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		all := inFile[name]
		slices.SortFunc(all, func(a, b insertion) int { return b.at - a.at })
		for _, i := range all {
			source = slices.Insert(source, i.at, []byte(i.text)...)
		}
		files[name] = source
	}
	return files, nil
}

// overlay writes the files into a folder and gives the path of the description that go build -overlay reads.
func overlay(root, dir string, files map[string][]byte) (string, error) {
	replace := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		to := filepath.Join(dir, strings.ReplaceAll(name, "/", "+"))
		if err := os.WriteFile(to, files[name], 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(root, filepath.FromSlash(name))] = to
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, text, 0o600)
}

// moduleRoot is the folder of the module that the working directory is in.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("go.mod: %w", fs.ErrNotExist)
		}
		dir = up
	}
}
