package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/gmsasim/gmsasim/scenarios"
)

// runReport is the form of a run in JSON.
type runReport struct {
	Schema    string              `json:"schema"`
	Exit      int                 `json:"exit"`
	Scenarios int                 `json:"scenarios"`
	Cases     int                 `json:"cases"`
	Failed    int                 `json:"failed"` // cases
	Results   []*scenarios.Result `json:"results"`
}

func (a *app) runCommand() *cobra.Command {
	var o scenarios.Options
	var verbose bool
	cmd := &cobra.Command{
		Use:   "run [PATTERN|FILE...]",
		Short: "Run scenarios and say whether each step came to what it should",
		Long: `A pattern is the id of a scenario, a glob such as 'kds-*', an area such as spn, or the code of a finding. A file is a txtar bundle, or a
YAML file with its scenario alone. Without one, the whole catalogue is run.

Exit status: 0 everything as expected, 1 not as expected, 2 wrong use, 3 the simulator failed, 4 not modelled.`,
		Example: "  gmsasim run\n  gmsasim run 'kds-*' --verbose\n  gmsasim run membership-newer-than-ticket --case 'a global group'",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return a.runScenarios(ctx, args, o, verbose)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Case, "case", "", "run the cases with this name only; * stands for any text")
	f.Uint64Var(&o.Seed, "seed", 0, "seed of the domains (default: the scenario's own)")
	f.IntVarP(&o.Jobs, "jobs", "j", 0, "cases at the same time (default: the number of processors)")
	f.BoolVarP(&verbose, "verbose", "v", false, "show every step")
	f.BoolVar(&o.Transcript, "transcript", false, "show the transcript of every case")
	f.BoolVar(&o.Update, "update", false, "rewrite the goldens of the files")
	return cmd
}

func (a *app) runScenarios(ctx context.Context, patterns []string, o scenarios.Options, verbose bool) error {
	// Domains live for milliseconds and little of them outlives its case, so collecting that often, as the default does for a small heap,
	// is a fifth of the whole work.
	if os.Getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(400))
	}
	bundles, err := scenarios.Select(patterns...)
	if err != nil {
		return err
	}
	if o.Case != "" {
		if err := casesExist(bundles, o.Case); err != nil {
			return err
		}
	}
	start := time.Now()
	results := scenarios.Run(ctx, bundles, o)
	if err := ctx.Err(); err != nil {
		return err
	}
	report := runReport{Schema: "gmsasim.run/1", Results: results}
	var steps, passed int
	for _, r := range results {
		if len(r.Cases) == 0 {
			continue
		}
		report.Scenarios++
		p, n := r.Count()
		passed, steps = passed+p, steps+n
		for _, c := range r.Cases {
			report.Cases++
			if c.Status == scenarios.Passed {
				continue
			}
			report.Failed++
			// A defect of the simulator outweighs what is not modelled, and that a wrong end.
			switch {
			case c.Internal():
				report.Exit = exitInternal
			case c.NotModelled() && report.Exit != exitInternal:
				report.Exit = exitNotModelled
			case report.Exit == exitOK:
				report.Exit = exitUnexpected
			}
		}
	}
	if o.Update {
		if err := a.rewrite(bundles, results); err != nil {
			return err
		}
	}
	if a.json {
		a.printJSON(report)
	} else {
		a.printResults(results, verbose)
		verdict := "all as expected"
		if report.Failed > 0 {
			verdict = count(report.Failed, "case") + " not as expected"
		}
		fmt.Fprintf(a.out, "\n%s, %s, %d of %d steps: %s (%.1f s)\n", count(report.Scenarios, "scenario"), count(report.Cases, "case"), passed, steps, verdict, time.Since(start).Seconds())
		a.nextAfterRun(results, report)
	}
	if report.Exit != exitOK {
		return &exitError{status: report.Exit}
	}
	return nil
}

// casesExist refuses a name that no case has.
func casesExist(bundles []*scenarios.Bundle, glob string) error {
	var names []string
	for _, b := range bundles {
		for _, c := range b.Cases {
			if c.Matches(glob) {
				return nil
			}
			names = append(names, c.Name)
		}
	}
	return usageNear(glob, names, "no case %q", glob).shownBy("gmsasim explain " + bundles[0].ID)
}

func (a *app) printResults(results []*scenarios.Result, verbose bool) {
	width := 0
	for _, r := range results {
		width = max(width, utf8.RuneCountInString(r.ID))
	}
	for _, r := range results {
		if len(r.Cases) == 0 {
			continue
		}
		_, steps := r.Count()
		fmt.Fprintf(a.out, "%s %s  %s %s\n", a.style.mark(r.Status == scenarios.Passed), a.style.bold(pad(r.ID, width)), r.Title,
			a.style.faint(fmt.Sprintf("(%s, %d steps)", count(len(r.Cases), "case"), steps)))
		for _, c := range r.Cases {
			a.printCase(r, c, verbose)
		}
	}
}

func (a *app) printCase(r *scenarios.Result, c *scenarios.CaseResult, verbose bool) {
	if c.Name != "" {
		fmt.Fprintf(a.out, "    %s %s%s\n", a.style.mark(c.Status == scenarios.Passed), c.Name, a.style.faint(explored(c)))
	}
	if c.Error != "" {
		fmt.Fprintf(a.out, "        %s\n", a.style.bad(c.Error))
	}
	for _, s := range c.Steps {
		if s.Status == scenarios.Failed {
			a.printFailure(r, c, s)
		} else if verbose {
			a.printStep(s)
		}
	}
	if c.Transcript != "" {
		for line := range strings.Lines(c.Transcript) {
			fmt.Fprintf(a.out, "        %s", line)
		}
	}
}

// explored says how many orders of a case fail, for one that tried them all.
func explored(c *scenarios.CaseResult) string {
	var b strings.Builder
	for _, s := range c.Steps {
		x := s.Explored
		if x == nil {
			continue
		}
		fmt.Fprintf(&b, "  %d of %d orders fail", x.Failing, x.Orders)
		if x.Failing > 0 {
			fmt.Fprintf(&b, " (%s): %s", x.Code, strings.Join(x.Shortest, ", "))
		}
	}
	return b.String()
}

func (a *app) printStep(s *scenarios.StepResult) {
	if s.Note != "" {
		fmt.Fprintf(a.out, "          %s\n", a.style.faint("# "+s.Note))
	}
	if s.Status == scenarios.NotReached {
		fmt.Fprintf(a.out, "        %2d %s: not reached\n", s.N, s.Verb)
		return
	}
	fmt.Fprintf(a.out, "        %2d %s  %s %s => %s\n", s.N, s.Time.UTC().Format("2006-01-02 15:04:05Z"), s.Verb, s.Arguments, s.Got)
	if s.Finding != nil {
		a.indented(s.Output)
		return
	}
	for _, f := range s.Facts {
		// What a command printed has lines of its own; they stand below each other.
		fmt.Fprintf(a.out, "               %s: %s\n", f.Name, strings.ReplaceAll(strings.TrimRight(f.Value, "\n"), "\n", "\n                 "))
	}
}

func (a *app) indented(text string) {
	for line := range strings.Lines(text) {
		fmt.Fprintf(a.out, "               %s", line)
	}
}

func (a *app) printFailure(r *scenarios.Result, c *scenarios.CaseResult, s *scenarios.StepResult) {
	fmt.Fprintf(a.out, "        step %d, %s (%s)\n", s.N, s.Verb, s.At)
	for _, p := range s.Problems {
		fmt.Fprintf(a.out, "        %s\n", a.style.bad(p))
	}
	if s.Finding != nil {
		a.indented(s.Output)
	}
	const most = 12
	events := c.Events
	if len(events) > most {
		fmt.Fprintf(a.out, "        %s\n", a.style.faint(fmt.Sprintf("events, the last %d of %d:", most, len(events))))
		events = events[len(events)-most:]
	}
	for _, e := range events {
		fmt.Fprintf(a.out, "        %s\n", a.style.faint(e))
	}
	again := "gmsasim run " + shellQuoted(selector(r))
	if c.Name != "" {
		again += " --case " + shellQuoted(c.Name)
	}
	fmt.Fprintf(a.out, "        again: %s --seed %d -v\n", again, c.Seed)
}

// selector is what names the bundle on the command line.
func selector(r *scenarios.Result) string {
	if r.BuiltIn {
		return r.ID
	}
	return r.File
}

func (a *app) nextAfterRun(results []*scenarios.Result, report runReport) {
	switch {
	case report.Failed > 0:
		for _, r := range results {
			for _, c := range r.Cases {
				for _, s := range c.Steps {
					if s.Status == scenarios.Failed && s.Finding != nil {
						a.next("gmsasim explain %s", string(s.Finding.Code))
						return
					}
				}
			}
		}
		a.next("gmsasim run --transcript …")
	case len(results) == 1:
		a.next("gmsasim explain %s", results[0].ID)
	default:
		a.next("gmsasim run kds-key-too-young --verbose")
	}
}

// rewrite writes the goldens of a run into the bundles' files.
func (a *app) rewrite(bundles []*scenarios.Bundle, results []*scenarios.Result) error {
	var faults []error
	for i, b := range bundles {
		if len(results[i].Goldens) == 0 {
			continue
		}
		if b.BuiltIn {
			faults = append(faults, usage("%s is built in; give the path of its file to rewrite its goldens", b.ID))
			continue
		}
		text, err := b.Format(results[i].Goldens)
		if err == nil {
			err = os.WriteFile(b.File, text, 0o644)
		}
		if err != nil {
			faults = append(faults, err)
			continue
		}
		fmt.Fprintf(a.err, "rewrote %s\n", b.File)
	}
	return errors.Join(faults...)
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// shellQuoted is a word as a POSIX shell takes it.
func shellQuoted(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_./:@%+,=", r)
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
