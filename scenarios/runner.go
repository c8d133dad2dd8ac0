package scenarios

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// Options say how bundles are run. The zero value runs every case with the bundle's own seed.
type Options struct {
	// Seed replaces the seed of every case; 0 leaves it.
	Seed uint64
	// Case chooses cases: a glob over their names; "" takes all.
	Case string
	// Keys is shared by the domains of the run, so that each password is turned into a key once, and each directory filled once. Default: a
	// new one for each run.
	Keys *simulator.Keys
	// Jobs is how many cases run at the same time. Default: the number of processors.
	Jobs int
	// Update takes outcomes for goldens, instead of comparing them; see [Result.Goldens].
	Update bool
	// Transcript keeps the transcript of each case.
	Transcript bool
}

// A Result is what came of one bundle.
type Result struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	File  string `json:"file"`
	// BuiltIn is that of the bundle.
	BuiltIn bool          `json:"builtIn,omitempty"`
	Area    string        `json:"area,omitempty"`
	Status  Status        `json:"status"`
	Cases   []*CaseResult `json:"cases"`
	// Goldens are the outcomes that the steps have as output, by name, when they were to be updated.
	Goldens map[string]string `json:"-"`
}

// A CaseResult is what came of one case.
type CaseResult struct {
	Name   string        `json:"name,omitempty"`
	Values []Value       `json:"values,omitempty"`
	Seed   uint64        `json:"seed"`
	Status Status        `json:"status"`
	Error  string        `json:"error,omitempty"` // the domain could not be started or closed
	Steps  []*StepResult `json:"steps"`
	// Transcript is the domain's, when it was asked for.
	Transcript string `json:"transcript,omitempty"`
	// Events are those of the step that failed, as lines of the transcript.
	Events []string `json:"events,omitempty"`

	goldens map[string]string
}

// Count gives the numbers of steps that passed, and of all.
func (r *Result) Count() (passed, all int) {
	for _, c := range r.Cases {
		for _, s := range c.Steps {
			if all++; s.Status == Passed {
				passed++
			}
		}
	}
	return passed, all
}

// NotModelled tells that the case ended at something that the simulator does not model.
func (c *CaseResult) NotModelled() bool { return c.endedWith(diag.NotModelled) }

// Internal tells that the case ended at a defect of the simulator.
func (c *CaseResult) Internal() bool { return c.Error != "" || c.endedWith(diag.SimulatorBug) }

func (c *CaseResult) endedWith(code diag.Code) bool {
	for _, s := range c.Steps {
		if s.Status == Failed && s.Got == string(code) {
			return true
		}
	}
	return false
}

// Run runs the chosen cases of a bundle, each in a domain of its own.
func (b *Bundle) Run(ctx context.Context, o Options) *Result {
	return Run(ctx, []*Bundle{b}, o)[0]
}

// Run runs bundles, several cases at the same time. The results are in the order of the bundles and their cases, and the same for
// the same seed whatever runs beside.
func Run(ctx context.Context, bundles []*Bundle, o Options) []*Result {
	if o.Keys == nil {
		o.Keys = simulator.NewKeys()
	}
	if o.Jobs <= 0 {
		o.Jobs = runtime.GOMAXPROCS(0)
	}
	type job struct {
		c    *Case
		into **CaseResult
	}
	var jobs []job
	var results []*Result
	for _, b := range bundles {
		r := &Result{ID: b.ID, Title: b.Title, File: b.File, BuiltIn: b.BuiltIn, Area: b.Area, Status: Passed}
		results = append(results, r)
		var chosen []*Case
		for _, c := range b.Cases {
			if c.Matches(o.Case) {
				chosen = append(chosen, c)
			}
		}
		r.Cases = make([]*CaseResult, len(chosen))
		for i, c := range chosen {
			jobs = append(jobs, job{c, &r.Cases[i]})
		}
	}
	next := make(chan job)
	var workers sync.WaitGroup
	for range min(o.Jobs, len(jobs)) {
		workers.Go(func() {
			for j := range next {
				*j.into = j.c.run(ctx, o)
			}
		})
	}
	for _, j := range jobs {
		next <- j
	}
	close(next)
	workers.Wait()
	for _, r := range results {
		for _, c := range r.Cases {
			if c.Status != Passed {
				r.Status = Failed
			}
			for name, text := range c.goldens {
				if r.Goldens == nil {
					r.Goldens = map[string]string{}
				}
				r.Goldens[name] = text
			}
		}
	}
	return results
}

// Matches tells whether a glob, "" for all, chooses the case by its name; * stands for any text.
func (c *Case) Matches(glob string) bool {
	if glob == "" || glob == c.Name {
		return true
	}
	return matches(strings.ReplaceAll(glob, "*", "…"), c.Name)
}

// Bundle is the bundle that the case belongs to.
func (c *Case) Bundle() *Bundle { return c.bundle }

// Config is the domain of the case.
func (c *Case) Config() simulator.Config { return c.plan.config }

// Run runs one case in a domain of its own.
func (c *Case) Run(ctx context.Context, o Options) *CaseResult {
	if o.Keys == nil {
		o.Keys = simulator.NewKeys()
	}
	return c.run(ctx, o)
}

func (c *Case) run(ctx context.Context, o Options) *CaseResult {
	res := &CaseResult{Name: c.Name, Values: c.Values, Seed: cmp.Or(o.Seed, c.plan.config.Seed, 1), Status: Passed, goldens: map[string]string{}}
	defer func() { // what was not reached has a result too
		for i := len(res.Steps); i < len(c.plan.steps); i++ {
			res.Steps = append(res.Steps, newStepResult(i+1, c.plan.steps[i]))
		}
	}()
	r, err := c.Replay(ctx, o)
	if err != nil {
		res.Status, res.Error = Failed, fmt.Sprintf("start the domain: %v", err)
		return res
	}
	d := r.Domain()
	if !o.Update {
		r.golden = c.bundle.Golden
	}
	for _, step := range c.plan.steps {
		sr := r.Next(ctx)
		res.Steps = append(res.Steps, sr)
		if name := step.expect.Output; name != "" && sr.Status == Passed && o.Update {
			res.goldens[name] = sr.Output
		}
		if sr.Status != Passed {
			res.Status = Failed
			for _, e := range d.EventsSince(sr.FirstEvent - 1) {
				if sr.FirstEvent > 0 && e.N <= sr.LastEvent {
					res.Events = append(res.Events, e.String())
				}
			}
			break
		}
	}
	if o.Transcript {
		res.Transcript = d.Transcript()
	}
	if err := r.Close(); err != nil {
		res.Status, res.Error = Failed, fmt.Sprintf("close the domain: %v", err)
	}
	return res
}

// Goldens are the outcomes that the steps of the case have as output, by name, when they were to be updated.
func (c *CaseResult) Goldens() map[string]string { return c.goldens }
