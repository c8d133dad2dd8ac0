package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"text/tabwriter"
	"time"
)

// A row is what became of a mutant. A killer is "" when nothing noticed.
type row struct {
	decision       decision
	place          place
	answer         answer
	unit, scenario string
	took           time.Duration
}

// fault is what is wrong with a row, "" for nothing.
func (r row) fault() string {
	switch {
	case r.unit == "" && r.scenario == "":
		return "survives"
	case r.scenario == "" && r.decision.unseen[r.answer.name] == "":
		return "survives the catalogue"
	}
	return ""
}

// all runs the mutants, some at the same time, and gives their rows in the order of the list.
func (s *suites) all(ctx context.Context, list []decision, places map[string]place, jobs int) ([]row, error) {
	var rows []row
	for _, d := range list {
		for _, a := range d.answers {
			rows = append(rows, row{decision: d, place: places[d.name()], answer: a})
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var workers sync.WaitGroup
	for range max(jobs, 1) {
		workers.Go(func() {
			for i := range next {
				if err := s.run(ctx, &rows[i]); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := range rows {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	workers.Wait()
	return rows, context.Cause(ctx)
}

// run finds out what notices the mutant of a row.
func (s *suites) run(ctx context.Context, r *row) (err error) {
	start := time.Now()
	mutant := r.decision.mutant(r.answer)
	if r.unit, err = s.units(ctx, r.decision.pkg, mutant); err != nil {
		return err
	}
	if r.scenario, err = s.catalogue(ctx, mutant); err != nil {
		return err
	}
	r.took = time.Since(start)
	fmt.Fprintf(os.Stderr, "%5.1f s  %-40s %s\n", r.took.Seconds(), mutant, r.fault())
	return nil
}

// printTable writes the table and what is wrong below it; ok tells that nothing is.
func printTable(w io.Writer, rows []row) (ok bool) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "decision\tat\tmutant\tkilled by a test of the package\tkilled by a scenario\ttime")
	units, scenarios := 0, 0
	for _, r := range rows {
		unit, scenario := "-", "-"
		if r.unit != "" {
			unit, units = r.unit, units+1
		}
		if r.scenario != "" {
			scenario, scenarios = r.scenario, scenarios+1
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%.1f s\n", r.decision.fn, r.place, r.answer.name, unit, scenario, r.took.Seconds())
	}
	t.Flush()
	fmt.Fprintf(w, "\n%d mutants: %d killed by tests of their package, %d by scenarios\n", len(rows), units, scenarios)
	ok = true
	for _, r := range rows {
		if f := r.fault(); f != "" {
			ok = false
			fmt.Fprintf(w, "%s: %s answers %s; it decides that %s\n", f, r.decision.fn, r.answer.name, r.decision.why)
		} else if r.scenario == "" {
			fmt.Fprintf(w, "no scenario: %s answers %s: %s\n", r.decision.fn, r.answer.name, r.decision.unseen[r.answer.name])
		}
	}
	return ok
}
