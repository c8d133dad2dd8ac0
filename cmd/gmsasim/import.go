package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/gmsasim/gmsasim/doctor"
	"github.com/gmsasim/gmsasim/doctor/intake"
	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator/check/gather"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/ldif"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// caseFlags are the files of a real case, and what is to become of them.
type caseFlags struct {
	ldif, inspect, credspec string
	now, writeWorld         string
	redact, stack           bool
	setup                   []string // the arguments that are users' files
}

func (c *caseFlags) add(f *pflag.FlagSet) {
	f.StringVar(&c.ldif, "ldif", "", "diagnose the directory of an LDIF export, - for the standard input")
	f.StringVar(&c.inspect, "inspect", "", "with the containers of a file that docker inspect has printed")
	f.StringVar(&c.credspec, "credspec", "", "with the credential spec of a file")
	f.StringVar(&c.now, "now", "", "domain time, as 2019-05-03T10:00:00Z (default: the newest time in the export)")
	f.BoolVar(&c.stack, "stack", false, "compose files are for docker stack deploy, not for docker compose")
	f.BoolVar(&c.redact, "redact", false, "put neutral names in the place of names, SIDs and GUIDs")
	f.StringVar(&c.writeWorld, "write-world", "", "write the world that was diagnosed to a file")
}

// given tells that there is a real case. A world file alone is none, unless it is to be redacted or written.
func (c *caseFlags) given() bool {
	return len(c.setup) > 0 || c.ldif != "" || c.inspect != "" || c.credspec != "" || c.now != "" || c.writeWorld != "" || c.redact || c.stack
}

// setupFiles are the arguments that are folders, the standard input, or files that are neither scenarios nor worlds.
func setupFiles(args []string) (list []string) {
	for _, name := range args {
		if name == "-" {
			list = append(list, name)
			continue
		}
		info, err := os.Stat(name)
		if err == nil && info.IsDir() {
			list = append(list, name)
			continue
		}
		if err != nil || strings.EqualFold(filepath.Ext(name), ".txtar") {
			continue
		}
		if data, err := head(name); err != nil || !doctor.IsOwn(data) {
			list = append(list, name)
		}
	}
	return list
}

// unsaidWorld is the error about files in which nothing was found, when one of them would be a world if it said so; nil when none would.
func (c *caseFlags) unsaidWorld(err error) error {
	if _, nothing := errors.AsType[*intake.NothingError](err); !nothing {
		return nil
	}
	for _, name := range c.setup {
		if data, err := head(name); err == nil && doctor.LikeWorld(data) {
			return usage("%s has members of a world and does not say that it is one: a world begins with the line schema: %s, a scenario with schema: %s", name, doctor.WorldSchema, scenarios.Schema)
		}
	}
	return nil
}

// caseReport is the form of the diagnosis of a real case in JSON.
type caseReport struct {
	Import *intake.Report `json:"import"`
	// Files are edits of the user's files that were replayed.
	Files []fileFix `json:"files,omitempty"`
	doctorReport
}

// realCase diagnoses a real case. args may have a world file.
func (a *app) realCase(ctx context.Context, c *caseFlags, args []string, of doctor.Subject) error {
	args = slices.DeleteFunc(slices.Clone(args), func(name string) bool { return slices.Contains(c.setup, name) })
	if len(args) > 1 || c.ldif == "" && len(args) == 0 && len(c.setup) == 0 {
		return usage("a real case is --ldif FILE, a world file, files of users, or several of them; got %s", count(len(args), "world"))
	}
	papers, err := a.papers(c, args, of)
	if err != nil {
		return err
	}
	w, imported, err := papers.Make()
	if e, ok := errors.AsType[*intake.UnknownError](err); ok {
		known := e.Known
		return &usageError{problem: e.Error(), nearest: diag.Nearest(e.Name, known)}
	}
	if err != nil {
		if unsaid := c.unsaidWorld(err); unsaid != nil {
			return unsaid
		}
		return &exitError{exitUsage, err}
	}
	if c.redact {
		if w, imported, err = intake.Redact(w, imported); err != nil {
			return &exitError{exitUsage, err}
		}
	}
	name := "case"
	if c.writeWorld != "" {
		text, err := intake.YAML(w)
		if err != nil {
			return err
		}
		if err := os.WriteFile(c.writeWorld, text, 0o600); err != nil {
			return err
		}
	}
	report, err := doctor.DiagnoseWorld(ctx, name, w, doctor.Options{})
	if err != nil {
		return err
	}
	fixes, err := a.fileFixes(ctx, papers, report)
	if err != nil {
		return err
	}
	exit := doctorExit(report)
	switch {
	case a.sarif:
		if err := a.printSARIF(report); err != nil {
			return err
		}
	case a.json:
		a.printJSON(caseReport{imported, fixes, doctorReport{report, exit}})
	default:
		fmt.Fprintf(a.out, "%s\n", imported.Text())
		fmt.Fprintf(a.out, "%s\n", report.Text(a.doctorStyle()))
		a.printFileFixes(fixes)
		a.printOutcome(report)
	}
	if exit != exitOK {
		return &exitError{status: exit}
	}
	return nil
}

// papers reads the files of a case.
func (a *app) papers(c *caseFlags, args []string, of doctor.Subject) (*intake.Papers, error) {
	p := &intake.Papers{Host: of.Host, Account: of.Account}
	var now time.Time
	if c.now != "" {
		var err error
		if now, err = time.Parse(time.RFC3339, c.now); err != nil {
			return nil, usage("--now %q is not a time such as 2019-05-03T10:00:00Z", c.now)
		}
	}
	if len(args) == 1 {
		data, err := readFile(args[0])
		if err != nil {
			return nil, err
		}
		if p.World, err = doctor.ParseWorldPart(args[0], data); err != nil {
			return nil, err
		}
		if !now.IsZero() {
			p.World.Domain.Start = now.UTC()
		}
	}
	if c.inspect != "" {
		data, err := readFile(c.inspect)
		if err != nil {
			return nil, err
		}
		if p.Inspected, err = intake.ParseInspect(c.inspect, data); err != nil {
			return nil, &exitError{exitUsage, err}
		}
	}
	if c.credspec != "" {
		data, err := readFile(c.credspec)
		if err != nil {
			return nil, err
		}
		p.Spec = intake.ReadSpec(c.credspec, data)
	}
	if err := c.readSetup(p, a.in); err != nil {
		return nil, err
	}
	if c.ldif == "" {
		return p, nil
	}
	file, name := a.in, "-"
	if c.ldif != "-" {
		f, err := os.Open(c.ldif)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		file, name = f, c.ldif
	}
	var err error
	p.Directory, err = intake.ReadDirectory(name, file, intake.Options{Now: now, Keep: p.Keep()})
	if e, ok := errors.AsType[*ldif.Error](err); ok {
		return nil, &scenarios.SourceError{Place: scenarios.Place{File: name, Line: e.Line, Column: 1}, Problem: e.Problem}
	}
	if _, ok := errors.AsType[*fs.PathError](err); err != nil && !ok {
		return nil, &exitError{exitUsage, fmt.Errorf("%s: %w", name, err)}
	}
	return p, err
}

// readSetup reads the users' files of a case.
func (c *caseFlags) readSetup(p *intake.Papers, stdin io.Reader) error {
	if len(c.setup) == 0 {
		return nil
	}
	var files []*source.File
	found := gather.Walk(c.setup, gather.Options{Stdin: stdin}, func(f gather.File) {
		if _, side := setup.SideOf(f.Name); !side && !doctor.IsWorld(f.Stored) {
			files = append(files, f.File)
		}
	})
	for _, u := range found.Unread {
		return usage("%s: %s", u.Name, u.Reason)
	}
	p.Setup, p.Stack = setup.Read(files), c.stack
	return nil
}

// readFile reads a small file.
func readFile(name string) ([]byte, error) {
	const most = 16 << 20
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && len(data) > most {
		err = usage("%s has more than %d MiB", name, most>>20)
	}
	return data, err
}
