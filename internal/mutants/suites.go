package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// patience is how long a suite may take; a mutant that hangs it is noticed too.
const patience = 5 * time.Minute

// suites are the programs that should notice a mutant, built once with all mutants in them.
type suites struct {
	root, dir string
}

// build compiles the tests of the packages and the runner of the catalogue against the overlay.
func build(ctx context.Context, root, dir, overlay string, packages []string) (*suites, error) {
	run := func(args ...string) error {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
		}
		return nil
	}
	args := []string{"test", "-c", "-trimpath", "-overlay", overlay, "-o", dir + string(filepath.Separator)}
	for _, p := range packages {
		args = append(args, "./"+p)
	}
	if err := run(args...); err != nil {
		return nil, err
	}
	return &suites{root, dir}, run("build", "-trimpath", "-overlay", overlay, "-o", filepath.Join(dir, "catalogue"), "./internal/mutants")
}

// units runs the tests of a package against a mutant, "" for none, and gives the first that fails, "" when none does.
func (s *suites) units(ctx context.Context, pkg, mutant string) (string, error) {
	return s.first(ctx, filepath.Join(s.root, filepath.FromSlash(pkg)), mutant, failedTest, filepath.Join(s.dir, path.Base(pkg)+".test"), "-test.failfast")
}

// catalogue runs the scenarios against a mutant, "" for none, up to the first case that is not as expected.
func (s *suites) catalogue(ctx context.Context, mutant string) (string, error) {
	return s.first(ctx, s.dir, mutant, failedScenario, filepath.Join(s.dir, "catalogue"), "-catalogue")
}

// first runs a program in a folder against a mutant and gives the first failure that it prints, or what it says when it fails without one.
func (s *suites) first(ctx context.Context, dir, mutant string, failure func(line string) string, program string, args ...string) (string, error) {
	limit, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(limit, program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), variable+"="+mutant)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case limit.Err() != nil:
		return "no end after " + patience.String(), nil
	case err == nil:
		return "", nil
	case !errors.As(err, &exit):
		return "", err
	}
	name := ""
	for line := range strings.Lines(string(out)) {
		if found := failure(line); found != "" && (name == "" || strings.HasPrefix(found, name+"/")) {
			name = found // a subtest follows its test
		}
	}
	if name != "" {
		return name, nil
	}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return strings.TrimSpace(line), nil
		}
	}
	return "", fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), mutant, err, out)
}

// failedTest reads the name of a test in a line of its package's output.
func failedTest(line string) string {
	rest, ok := strings.CutPrefix(strings.TrimSpace(line), "--- FAIL: ")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, " ")
	return name
}
