package doctor

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// SymptomSchema names the form of a [Differential] in JSON.
const SymptomSchema = "gmsasim.symptom/1"

// Limits of a differential diagnosis.
const (
	maxFitting = 12
	maxCases   = 3 // of a cause, that the observers look at
	// leastFit is how much of what a symptom tells a cause has to show; a cause that shows far less than the best one is left out too.
	leastFit, nearBest = 0.5, 0.75
)

// A Differential is what may be behind a symptom, and how to find out which it is.
type Differential struct {
	Schema  string `json:"schema"`
	Symptom string `json:"symptom"`
	// Fitting are the causes, the best fit first.
	Fitting []Fitting `json:"fitting"`
	// More is how many further causes fit.
	More int `json:"more,omitempty"`
	// Tests tell them apart, the one that is expected to tell most first.
	Tests []Test `json:"tests"`
}

// Fitting is a cause that shows the symptom in some scenario.
type Fitting struct {
	// Cause is the id of a mode, or the code of a finding that has none.
	Cause string    `json:"cause"`
	Code  diag.Code `json:"code"`
	Title string    `json:"title"`
	// Seen is the line that fits best.
	Seen string `json:"seen"`
	// Fit is the share of what the symptom tells that the cause shows, from 0 to 1.
	Fit float64 `json:"fit"`
	// Scenario shows it.
	Scenario string `json:"scenario"`
	Case     string `json:"case,omitempty"`
}

// A Test is a command and what it shows under each cause, as the simulator computes it.
type Test struct {
	Command string `json:"command"`
	Where   string `json:"where"`
	// Bits is the information that the test is expected to give when all causes are equally likely.
	Bits     float64 `json:"bits"`
	Outcomes []Sight `json:"outcomes"`
}

// Sight is one thing that a test may show.
type Sight struct {
	Seen   string   `json:"seen"`
	Causes []string `json:"causes"`

	p []float64 // of the outcome together with each cause
}

// sighting is what the catalogue shows of a cause.
type sighting struct {
	Fitting
	lines []string
	cases []*scenarios.Case   // whose complaint it is; none when it only shows later
	seen  []map[string]string // what the observers show in each of these cases, by their command
}

// Symptom finds the causes that show a text somewhere in the scenarios: in the words of Windows, in those of the protocols, or by
// their numbers. It then carries out each observer under each of these causes, and orders the observers by what they tell.
func Symptom(ctx context.Context, bundles []*scenarios.Bundle, text string) (*Differential, error) {
	keys := simulator.NewKeys()
	all := sightings(ctx, bundles, keys)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d, found := differential(all, text)
	if err := lookAt(ctx, found, keys); err != nil {
		return d, err
	}
	d.Tests = compare(found)
	return d, ctx.Err()
}

// differential is the part of the answer that needs no observer, and the causes in it.
func differential(all []*sighting, text string) (*Differential, []*sighting) {
	d := &Differential{Schema: SymptomSchema, Symptom: text, Fitting: []Fitting{}, Tests: []Test{}}
	found := matching(all, text)
	if len(found) > maxFitting {
		d.More = len(found) - maxFitting
		found = found[:maxFitting]
	}
	for _, s := range found {
		d.Fitting = append(d.Fitting, s.Fitting)
	}
	return d, found
}

// sightings runs every case and collects what its steps show, by cause.
func sightings(ctx context.Context, bundles []*scenarios.Bundle, keys *simulator.Keys) []*sighting {
	byCause := map[string]*sighting{}
	results := scenarios.Run(ctx, bundles, scenarios.Options{Keys: keys})
	for i, b := range bundles {
		for j, res := range results[i].Cases {
			complained := false
			for _, step := range res.Steps {
				if step.Finding == nil {
					continue
				}
				s := enter(byCause, step, b, b.Cases[j])
				if !complained && len(s.cases) < maxCases {
					if s.cases = append(s.cases, b.Cases[j]); len(s.cases) == 1 {
						s.Scenario, s.Case = b.ID, b.Cases[j].Name
					}
				}
				complained = true
			}
		}
	}
	list := slices.Collect(maps.Values(byCause))
	slices.SortFunc(list, func(a, b *sighting) int { return strings.Compare(a.Cause, b.Cause) })
	return list
}

func enter(byCause map[string]*sighting, step *scenarios.StepResult, b *scenarios.Bundle, c *scenarios.Case) *sighting {
	f := step.Finding
	cause, title := f.Mode, f.Title
	if m, ok := diag.LookupMode(f.Mode); ok {
		title = m.Title
	}
	cause = cmp.Or(cause, string(f.Code))
	s := byCause[cause]
	if s == nil {
		s = &sighting{Fitting: Fitting{Cause: cause, Code: f.Code, Title: title, Scenario: b.ID, Case: c.Name}}
		byCause[cause] = s
	}
	s.add(string(f.Code)+" "+f.Title, title)
	s.add(f.SeenAs...)
	if f.Cause != nil {
		s.add(f.Cause.Error())
	}
	for _, fact := range step.Facts {
		s.add(strings.Split(fact.Value, "\n")...)
	}
	return s
}

// add enters lines that are not there yet.
func (s *sighting) add(lines ...string) {
	for _, l := range lines {
		if l = strings.TrimSpace(l); l != "" && !slices.Contains(s.lines, l) {
			s.lines = append(s.lines, l)
		}
	}
}

// matching gives the causes that a text fits, the best first.
func matching(all []*sighting, text string) []*sighting {
	query := words(text)
	var texts [][]string
	for _, s := range all {
		texts = append(texts, words(s.Cause+"\n"+strings.Join(s.lines, "\n")))
	}
	weight := weights(texts)
	rarest := math.Log(1 + float64(len(all)))
	var found []*sighting
	best := 0.0
	for i, s := range all {
		s.Fit = fit(query, texts[i], weight, rarest)
		if s.Fit < leastFit {
			continue
		}
		best = max(best, s.Fit)
		line := 0.0
		for _, l := range s.lines {
			if f := fit(query, words(l), weight, rarest); f > line {
				line, s.Seen = f, strings.TrimSpace(l)
			}
		}
		// One line that has it all fits better than many that have a part each.
		s.Fit = math.Round(50*(s.Fit+line)) / 100
		found = append(found, s)
	}
	found = slices.DeleteFunc(found, func(s *sighting) bool { return s.Fit < best*nearBest })
	slices.SortStableFunc(found, func(a, b *sighting) int { return cmp.Compare(b.Fit, a.Fit) })
	return found
}

// lookAt carries out the observers in every case of the causes, several at the same time.
func lookAt(ctx context.Context, found []*sighting, keys *simulator.Keys) error {
	type job struct{ cause, n int }
	var jobs []job
	errs := make([][]error, len(found))
	for i, s := range found {
		s.seen, errs[i] = make([]map[string]string, len(s.cases)), make([]error, len(s.cases))
		for n := range s.cases {
			jobs = append(jobs, job{i, n})
		}
	}
	next := make(chan job)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(jobs)) {
		workers.Go(func() {
			for j := range next {
				found[j.cause].seen[j.n], errs[j.cause][j.n] = observe(ctx, found[j.cause].cases[j.n], Options{Keys: keys})
			}
		})
	}
	for _, j := range jobs {
		next <- j
	}
	close(next)
	workers.Wait()
	return errors.Join(slices.Concat(errs...)...)
}

// compare finds out which observers tell causes apart that somebody complains of.
func compare(found []*sighting) []Test {
	found = slices.DeleteFunc(slices.Clone(found), func(s *sighting) bool { return len(s.seen) == 0 })
	tests := []Test{}
	for _, o := range observers {
		t := Test{Command: o.command, Where: o.where}
		for _, s := range found {
			for _, shows := range s.seen {
				t.add(cmp.Or(shows[o.command], "cannot be run"), s.Cause, 1/float64(len(found)*len(s.seen)))
			}
		}
		if t.Bits = t.information(len(found)); t.Bits > 0 {
			tests = append(tests, t)
		}
	}
	slices.SortStableFunc(tests, func(a, b Test) int { return cmp.Compare(b.Bits, a.Bits) })
	return tests
}

// add enters that a cause shows something, with the probability of that.
func (t *Test) add(seen, cause string, p float64) {
	i := slices.IndexFunc(t.Outcomes, func(o Sight) bool { return o.Seen == seen })
	if i < 0 {
		t.Outcomes = append(t.Outcomes, Sight{Seen: seen})
		i = len(t.Outcomes) - 1
	}
	o := &t.Outcomes[i]
	n := slices.Index(o.Causes, cause)
	if n < 0 {
		o.Causes, o.p = append(o.Causes, cause), append(o.p, 0)
		n = len(o.Causes) - 1
	}
	o.p[n] += p
}

// information is what the outcome is expected to tell about the cause, in bits: the entropy of the outcome without what is left of it when
// the cause is known. All causes are equally likely.
func (t *Test) information(causes int) (bits float64) {
	for _, o := range t.Outcomes {
		sum := 0.0
		for _, p := range o.p {
			sum += p
			bits += p * math.Log2(p*float64(causes))
		}
		bits -= sum * math.Log2(sum)
	}
	return math.Round(100*bits) / 100
}
