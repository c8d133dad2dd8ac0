package scenarios

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/scenarios/catalog"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// Catalog reads the bundles that are built in, in the order of their ids. An error is a defect of this package.
func Catalog() ([]*Bundle, error) {
	names, err := fs.Glob(catalog.Files, "*.txtar")
	if err != nil {
		return nil, err
	}
	var list []*Bundle
	for _, name := range names {
		b, err := builtIn(name)
		if err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	return list, nil
}

func builtIn(name string) (*Bundle, error) {
	data, err := catalog.Files.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	b, err := Parse("catalog/"+name, data)
	if err != nil {
		return nil, err
	}
	b.BuiltIn = true
	return b, nil
}

// candidates are the bundles among which patterns choose: the ones that are named, where all are ids or files, and otherwise the catalogue.
func candidates(patterns []string) ([]*Bundle, error) {
	var list []*Bundle
	for _, p := range patterns {
		if isFile(p) {
			continue
		}
		b, err := builtIn(strings.TrimPrefix(p, "catalog/") + ".txtar")
		if err != nil {
			return Catalog() // an area, a code, a glob, or a slip whose nearest id is wanted
		}
		list = append(list, b)
	}
	if list == nil && len(patterns) == 0 {
		return Catalog()
	}
	return list, nil
}

// A SelectError is a pattern that chooses nothing.
type SelectError struct {
	Pattern string
	Nearest string
}

// Error gives the pattern and the nearest id.
func (e *SelectError) Error() string {
	s := fmt.Sprintf("no scenario %q", e.Pattern)
	if e.Nearest != "" {
		s += "; nearest: " + e.Nearest
	}
	return s
}

// Select gives bundles by patterns: a file's path; an id of the catalogue, or a glob over them; the name of an area; the code of a
// finding. catalog/... and no pattern at all are the whole catalogue. A bundle that several patterns choose comes once. The error
// joins one [*SelectError] or [*SourceError] for each fault.
func Select(patterns ...string) ([]*Bundle, error) {
	all, err := candidates(patterns)
	if err != nil {
		return nil, err
	}
	if len(patterns) == 0 {
		return all, nil
	}
	var chosen []*Bundle
	var faults []error
	add := func(b *Bundle) {
		if !slices.ContainsFunc(chosen, func(o *Bundle) bool { return o.File == b.File }) {
			chosen = append(chosen, b)
		}
	}
	for _, p := range patterns {
		if isFile(p) {
			b, err := Load(p)
			if err != nil {
				faults = append(faults, err)
				continue
			}
			add(b)
			continue
		}
		found := false
		for _, b := range all {
			if b.chosenBy(p) {
				add(b)
				found = true
			}
		}
		if !found {
			var ids []string
			for _, b := range all {
				ids = append(ids, b.ID)
			}
			faults = append(faults, &SelectError{p, diag.Nearest(p, append(ids, areas...))})
		}
	}
	return chosen, errors.Join(faults...)
}

// isFile tells a path from a pattern.
func isFile(p string) bool {
	if strings.HasSuffix(p, ".txtar") || isYAML(p) {
		return true
	}
	info, err := os.Stat(p)
	return err == nil && info.Mode().IsRegular()
}

func (b *Bundle) chosenBy(p string) bool {
	p = strings.TrimPrefix(p, "catalog/")
	if p == "..." || p == b.ID || p == b.Area || slices.ContainsFunc(b.Findings, func(c diag.Code) bool { return strings.EqualFold(string(c), p) }) {
		return true
	}
	ok, err := path.Match(p, b.ID)
	return err == nil && ok
}
