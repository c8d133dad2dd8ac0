package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/gmsasim/gmsasim/simulator/check"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// mostRounds is how often fixes are looked for again: a repaired fault may have hidden another one.
const mostRounds = 10

// repair carries out fixes until there are none left, writes the files that they change, and returns the set as it is then. With --dry-run it prints
// the differences instead.
func (a *app) repair(ctx context.Context, o *checkFlags) (*gathered, error) {
	changed, original := map[string][]byte{}, map[string][]byte{}
	type done struct {
		file string
		at   source.Position
		rule string
	}
	var said []done
	var g *gathered
	for range mostRounds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		g = a.gatherFiles(o, changed)
		edits, reports := chosen(check.Run(g.setup, o.options).Reports)
		before := len(said)
		for f, list := range edits {
			text, _ := source.Apply(f, list)
			if bytes.Equal(text, g.stored[f]) {
				continue
			}
			path := filepath.FromSlash(f.Name)
			if _, known := original[path]; !known {
				original[path] = g.stored[f]
			}
			changed[path] = text
			for _, r := range reports {
				if r.Where.File == f {
					said = append(said, done{f.Name, r.Where.Start, r.Rule.ID})
				}
			}
		}
		if len(said) == before {
			break
		}
	}
	slices.SortFunc(said, func(a, b done) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.at.Line, b.at.Line), cmp.Compare(a.at.Column, b.at.Column), cmp.Compare(a.rule, b.rule))
	})
	var failed error
	for _, path := range slices.Sorted(maps.Keys(changed)) {
		if o.dryRun {
			if o.format == "text" {
				was, _ := source.Decode(original[path])
				is, _ := source.Decode(changed[path])
				fmt.Fprintf(a.out, "%s", diff.Diff("a/"+filepath.ToSlash(path), was, "b/"+filepath.ToSlash(path), is))
			}
			continue
		}
		if err := writeOver(path, original[path], changed[path]); err != nil {
			failed = errors.Join(failed, fmt.Errorf("fix %s: %w", path, err))
			said = slices.DeleteFunc(said, func(d done) bool { return filepath.FromSlash(d.file) == path })
		}
	}
	verb := "fixed"
	if o.dryRun {
		verb = "would fix"
	}
	for _, d := range said {
		fmt.Fprintf(a.err, "%s %s:%s: %s\n", a.talk.good(verb), d.file, d.at, d.rule)
	}
	if failed != nil { // the other files are as was said
		return nil, &exitError{exitUsage, failed}
	}
	if o.dryRun { // what is reported is what is there
		return a.gatherFiles(o, nil), nil
	}
	return g, nil
}

// chosen are the edits of those reports whose edits touch none of an earlier report: a fix is carried out whole or not at all.
func chosen(reports []check.Report) (map[*source.File][]source.Edit, []check.Report) {
	edits := map[*source.File][]source.Edit{}
	var taken []check.Report
	for _, r := range reports {
		if len(r.Fix) == 0 || slices.ContainsFunc(r.Fix, func(e source.Edit) bool {
			return e.File.Outer() != nil || slices.ContainsFunc(edits[e.File], func(o source.Edit) bool { return touch(e, o) })
		}) {
			continue
		}
		for _, e := range r.Fix {
			edits[e.File] = append(edits[e.File], e)
		}
		taken = append(taken, r)
	}
	return edits, taken
}

// touch tells whether two edits of a file change the same place, or places next to each other, where the order would matter.
func touch(a, b source.Edit) bool { return a.Start <= b.End && b.Start <= a.End }

// writeOver puts a text in the place of a file's: whole or not at all, through links, with the file's mode. It refuses when the file is not any more
// what was read.
func writeOver(path string, old, text []byte) (err error) {
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o222 == 0 {
		return errors.New("the file is read-only; nothing is written") // renaming would not notice
	}
	if now, err := os.ReadFile(path); err != nil {
		return err
	} else if !bytes.Equal(now, old) {
		return errors.New("the file changed while it was checked; nothing is written")
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(info.Mode().Perm()), sameOwner(f, info), f.Sync())
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
