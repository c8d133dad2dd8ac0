package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/gmsasim/gmsasim/simulator/check"
	"github.com/gmsasim/gmsasim/simulator/check/gather"
	"github.com/gmsasim/gmsasim/simulator/check/report"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// checkFlags are the flags of check.
type checkFlags struct {
	targets, hosts []string
	failOn, format string
	all            bool
	fix, dryRun    bool
	watch          bool
	stdinName      string
	limit          int64
	options        check.Options
	threshold      report.Threshold
	paths          []string
	directory      directoryFlags
}

func (a *app) checkCommand() *cobra.Command {
	var o checkFlags
	cmd := &cobra.Command{
		Use:   "check PATH...",
		Short: "Find what is wrong with credential specs and the files that use them",
		Long: `A path is a file, a folder that is searched for files, or - for the standard input. Credential specs are read, and whatever uses them: docker
command lines, compose files, swarm services, Kubernetes manifests and values of the windows-gmsa chart, ECS task definitions (JSON, CloudFormation,
Terraform), Service Fabric manifests, Nomad jobs, OCI bundles, and secrets of plug-ins. All paths together are one set: a manifest may name what
another file holds. In folders, what is about something else is passed over, as are hidden folders and node_modules.

With --against, what a file says is compared with a directory: domain, accounts, scopes, and with --host who may retrieve the passwords.

A line of a file is left alone with a comment on it or above it: # gmsasim:ignore RULE REASON. JSON has no comments: there the line
"RULE [/JSON/POINTER] REASON" stands in the file .NAME.lint beside NAME.

Exit status: 0 nothing at or above --fail-on, 1 something, 2 wrong use or a path that cannot be read, 3 the simulator failed.`,
		Example: "  gmsasim check webapp.json\n  gmsasim check deploy --target k8s,ecs-windows\n  gmsasim check --fix --dry-run webapp.json\n  cat webapp.json | gmsasim check - --stdin-name webapp.json --format sarif\n  gmsasim check deploy --watch",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.complete(args, a.json); err != nil {
				return err
			}
			ctx := cmd.Context()
			if o.watch || o.directory.against != "" { // otherwise a signal ends it at once, also while it waits for a pipe
				var stop context.CancelFunc
				ctx, stop = signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
				defer stop()
			}
			return a.checkAgainst(ctx, &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.directory.against, "against", "", "directory to compare with: an ldap:// or ldaps:// address, up for a running domain, a configuration, a world or a scenario")
	o.directory.add(f)
	f.StringSliceVarP(&o.targets, "target", "t", nil, "consumers the files are meant for, or all (default: what the files are written for)")
	f.StringSliceVar(&o.hosts, "host", nil, "hosts that shall be allowed to retrieve the passwords, for checks against a directory")
	f.StringSliceVar(&o.options.SPNs, "spn", nil, "service principal names that clients ask for, for checks against a directory")
	f.StringVar(&o.failOn, "fail-on", "error", "least severity that ends with status 1: "+strings.Join(report.Thresholds(), ", "))
	f.StringVarP(&o.format, "format", "f", "", "form of the answer: "+strings.Join(report.Formats(), ", "))
	f.BoolVar(&o.all, "all", false, "report also what another report of the same value explains")
	f.BoolVar(&o.fix, "fix", false, "repair what can be repaired for certain, and nothing else")
	f.BoolVar(&o.dryRun, "dry-run", false, "with --fix: print what would be changed, and change nothing")
	f.BoolVarP(&o.watch, "watch", "w", false, "check again whenever a file changes")
	f.StringVar(&o.stdinName, "stdin-name", "", "name of what comes from the standard input; its extension tells the language")
	f.Int64Var(&o.limit, "limit", gather.DefaultLimit, "size in bytes above which a file is not read")
	return cmd
}

// complete looks at the flags.
func (o *checkFlags) complete(args []string, json bool) error {
	if len(args) == 0 {
		return usage("check takes the paths of files or folders, or -").(*usageError).shownBy("gmsasim check --help")
	}
	o.paths = args
	o.options.All, o.options.Hosts = o.all, o.hosts
	var known []string
	for _, t := range check.Targets() {
		known = append(known, string(t))
	}
	for _, name := range o.targets {
		switch name = strings.ToLower(strings.TrimSpace(name)); {
		case name == "all":
			o.options.Targets = check.Targets()
		case slices.Contains(known, name):
			o.options.Targets = append(o.options.Targets, check.Target(name))
		default:
			return usageNear(name, known, "no target %q; there are %s, and all", name, strings.Join(known, ", "))
		}
	}
	var ok bool
	if o.threshold, ok = report.ParseThreshold(o.failOn); !ok {
		return usageNear(o.failOn, report.Thresholds(), "--fail-on: %q is not one of %s", o.failOn, strings.Join(report.Thresholds(), ", "))
	}
	switch {
	case o.format == "" && json:
		o.format = "json"
	case o.format == "":
		o.format = "text"
	case !slices.Contains(report.Formats(), o.format):
		return usageNear(o.format, report.Formats(), "--format: %q is not one of %s", o.format, strings.Join(report.Formats(), ", "))
	case json && o.format != "json":
		return usage("--json and --format %s exclude each other", o.format)
	}
	stdin := slices.Contains(args, "-")
	switch {
	case o.dryRun && !o.fix:
		return usage("--dry-run belongs to --fix")
	case o.fix && stdin:
		return usage("--fix changes files, and the standard input is none")
	case o.watch && stdin:
		return usage("--watch needs files; the standard input does not change")
	case o.watch && o.fix:
		return usage("--watch and --fix exclude each other: a file is not changed while somebody edits it")
	case o.directory.against == "" && o.directory != (directoryFlags{}):
		return usage("--user, --keytab and the like belong to --against")
	case o.directory.against == "" && len(o.options.SPNs) > 0:
		return usage("--spn belongs to --against: only a directory knows who has a service principal name")
	case o.limit <= 0:
		return usage("--limit %d: files have more than that", o.limit)
	}
	return nil
}

// checkAgainst opens the directory, when there is one to compare with, and checks.
func (a *app) checkAgainst(ctx context.Context, o *checkFlags) (err error) {
	if o.directory.against != "" {
		d, openErr := a.openDirectory(ctx, o.directory)
		if openErr != nil {
			return openErr
		}
		defer func() { err = errors.Join(err, d.Close()) }()
		o.options.Directory = d.asked
	}
	if o.watch {
		return a.watchFiles(ctx, o)
	}
	return a.checkOnce(ctx, o)
}

// gathered is a set of files, read.
type gathered struct {
	setup  *setup.Setup
	stored map[*source.File][]byte
	found  gather.Found
	files  int
	// unknown were given by name, and nothing in them is about credential specs.
	unknown []string
}

// gatherFiles reads the files of a check. Of what a folder has, only what matters is kept.
func (a *app) gatherFiles(o *checkFlags, changed map[string][]byte) *gathered {
	g := &gathered{setup: &setup.Setup{}, stored: map[*source.File][]byte{}}
	var empty []*source.File
	g.found = gather.Walk(o.paths, gather.Options{Limit: o.limit, Stdin: a.in, StdinName: o.stdinName, Changed: changed}, func(f gather.File) {
		if _, side := setup.SideOf(f.Name); !side {
			g.files++
		}
		var keep func([]*setup.Document, []*setup.Use) bool
		if f.Explicit {
			keep = known
		} else {
			var parse bool
			if parse, keep = setup.Relevant(f.File); !parse {
				if setup.Empty(f.File) {
					empty = append(empty, f.File)
				}
				return
			}
		}
		switch kept := g.setup.Add(f.File, keep); {
		case kept && o.fix:
			g.stored[f.File] = f.Stored
		case !kept && f.Explicit:
			g.unknown = append(g.unknown, f.Name)
		}
	})
	for _, f := range g.setup.Neighbours(empty) {
		g.setup.Add(f, nil)
	}
	g.setup.Link()
	return g
}

// known tells whether a file that was named has something that some rule is about.
func known(docs []*setup.Document, uses []*setup.Use) bool {
	return len(uses) > 0 || slices.ContainsFunc(docs, func(d *setup.Document) bool { return d.Form != setup.FormUnknown })
}

// judge runs the rules.
func (o *checkFlags) judge(g *gathered) *report.Check {
	c := &report.Check{Result: check.Run(g.setup, o.options), Files: g.files, Unknown: g.unknown, Unread: g.found.Unread,
		FailOn: o.threshold, Version: buildVersion().Version, Time: time.Now(), Targets: o.options.Targets}
	if len(c.Targets) == 0 {
		c.Targets = check.Derive(g.setup)
	}
	switch {
	case len(c.Unread) > 0:
		c.Exit = exitUsage
	case c.Failed():
		c.Exit = exitUnexpected
	}
	return c
}

// checkOnce checks, with --fix after repairing.
func (a *app) checkOnce(ctx context.Context, o *checkFlags) error {
	var g *gathered
	if o.fix {
		var err error
		if g, err = a.repair(ctx, o); err != nil {
			return err
		}
	} else {
		g = a.gatherFiles(o, nil)
	}
	if g.files == 0 && len(g.found.Unread) == 0 {
		return usage("no file to check in %s", strings.Join(o.paths, ", "))
	}
	c := o.judge(g)
	switch {
	case o.dryRun && o.format == "text": // the differences are the answer
		a.next("gmsasim check --fix %s", quotedPaths(o.paths))
	default:
		if err := a.printCheck(c, o); err != nil {
			return err
		}
	}
	if c.Exit != exitOK {
		return &exitError{status: c.Exit}
	}
	return nil
}

// printCheck writes a check in its form.
func (a *app) printCheck(c *report.Check, o *checkFlags) error {
	if o.format != "text" {
		return report.Write(a.out, o.format, c)
	}
	if err := report.Text(a.out, c, report.Style{Paint: a.style.paint}); err != nil {
		return err
	}
	switch {
	case len(c.Reports) == 0:
		a.next("gmsasim list rules")
	case c.Fixable() > 0 && !o.fix:
		a.next("gmsasim check --fix --dry-run %s", quotedPaths(o.paths))
	default:
		worst := slices.MaxFunc(c.Reports, func(x, y check.Report) int { return int(x.Severity) - int(y.Severity) })
		a.next("gmsasim explain %s", worst.Rule.ID)
	}
	return nil
}

func quotedPaths(paths []string) string {
	var list []string
	for _, p := range paths {
		list = append(list, shellQuoted(p))
	}
	return strings.Join(list, " ")
}
