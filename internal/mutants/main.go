package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

func main() {
	only := flag.String("only", "*", "decisions to mutate: globs of their names without the package, with commas, such as Cluster.*,shuts")
	jobs := flag.Int("j", runtime.GOMAXPROCS(0), "mutants at the same time")
	catalogue := flag.Bool("catalogue", false, "run the catalogue in this process, up to the first failure; for the program's own use")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ok, err := false, error(nil)
	if *catalogue {
		ok, err = runCatalogue(ctx)
	} else {
		ok, err = judge(ctx, *only, *jobs)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// judge runs the suites against the mutants of the chosen decisions and prints the table; ok tells that none survives.
func judge(ctx context.Context, only string, jobs int) (ok bool, err error) {
	root, err := moduleRoot()
	if err != nil {
		return false, err
	}
	places, err := find(root, decisions)
	if err != nil {
		return false, err
	}
	var chosen []decision
	var packages []string
	for _, d := range decisions {
		for glob := range strings.SplitSeq(only, ",") {
			match, err := path.Match(glob, d.fn)
			if err != nil {
				return false, err
			}
			if match {
				chosen = append(chosen, d)
				packages = append(packages, d.pkg)
				break
			}
		}
	}
	if chosen == nil {
		return false, fmt.Errorf("no decision is called %s", only)
	}
	slices.Sort(packages)
	packages = slices.Compact(packages)
	files, err := mutate(root, chosen, places)
	if err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return false, err
	}
	description, err := overlay(root, dir, files)
	if err != nil {
		return false, err
	}
	start := time.Now()
	s, err := build(ctx, root, dir, description, packages)
	if err != nil {
		return false, err
	}
	fmt.Fprintf(os.Stderr, "built in %.0f s\n", time.Since(start).Seconds())
	if err := s.sane(ctx, packages); err != nil {
		return false, err
	}
	rows, err := s.all(ctx, chosen, places, jobs)
	if err != nil {
		return false, err
	}
	ok = printTable(os.Stdout, rows)
	fmt.Printf("%.0f s\n", time.Since(start).Seconds())
	return ok, nil
}

// sane is an error when the suites fail without a mutant: then they prove nothing.
func (s *suites) sane(ctx context.Context, packages []string) error {
	for _, p := range packages {
		if name, err := s.units(ctx, p, ""); err != nil || name != "" {
			return errors.Join(fmt.Errorf("%s fails without a mutant: %s", p, name), err)
		}
	}
	name, err := s.catalogue(ctx, "")
	if err != nil || name != "" {
		return errors.Join(fmt.Errorf("the catalogue fails without a mutant: %s", name), err)
	}
	return nil
}
