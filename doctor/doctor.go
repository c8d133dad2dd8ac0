// Package doctor says why a setup does not work, and proves what repairs it.
//
// [Diagnose] runs a case until a step ends in a finding: the complaint. It then carries out each help of the finding in a fresh
// replay of the case and tries the step again. A help that makes the step succeed is a proved fix. One that makes another cause appear
// has uncovered the next fault, and the search goes on from there, so several faults come out in the order in which they bite.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// Schema names the form of a [Report] in JSON.
const Schema = "gmsasim.doctor/1"

// Limits of the search. A setup with more faults at once is repaired in several visits.
const (
	maxCauses  = 6
	maxReplays = 64
)

// Options say how a case is diagnosed. The zero value takes the case as it is.
type Options struct {
	// Seed replaces the seed of the case; 0 leaves it.
	Seed uint64
	// Keys is shared by the domains of all replays. Default: a new one.
	Keys *simulator.Keys
}

// Outcome is how a diagnosis ended.
type Outcome string

// The outcomes.
const (
	Healthy  Outcome = "healthy"  // no step ends in a finding
	Repaired Outcome = "repaired" // every cause has a fix, and with all of them the complaint is gone
	Open     Outcome = "open"     // no help leads to success
)

// A Report is what the doctor says of one case.
type Report struct {
	Schema   string `json:"schema"`
	Scenario string `json:"scenario"`
	Title    string `json:"title,omitempty"`
	Case     string `json:"case,omitempty"`
	// Domain is the DNS name, and Time the domain time of the complaint, or of the end.
	Domain  string    `json:"domain"`
	Time    time.Time `json:"time"`
	Outcome Outcome   `json:"outcome"`
	// Complaint is the first step that ends in a finding; nil for a healthy case.
	Complaint *scenarios.StepResult `json:"complaint,omitempty"`
	// Chain is what [Look] says of the state at the complaint, where somebody asked for it.
	Chain *Chain `json:"chain,omitempty"`
	// Causes are in the order in which they bite: each appears when those before it are repaired.
	Causes []Cause `json:"causes"`
	// Replays is how many times the case was run again.
	Replays int `json:"replays"`
}

// A Cause is one fault.
type Cause struct {
	// Finding is the cause as the step found it, without its help, which is below.
	Finding *diag.Finding `json:"finding"`
	// Fixes are the helps that lead to success, by themselves or together with the first fix of each cause that follows.
	Fixes []diag.Help `json:"fixes"`
	// Advice are the other helps, each with the reason why it is no proved fix.
	Advice []Advice `json:"advice,omitempty"`
}

// Advice is a help that is not proved.
type Advice struct {
	diag.Help
	// Unproved is why: it cannot be replayed, the same cause stays, or another one appears that nothing repairs.
	Unproved string `json:"unproved"`
}

// Diagnose finds the causes of the first complaint of a case, and proves what repairs them. An error means that the case cannot be
// run; what the case complains about is in the report.
func Diagnose(ctx context.Context, c *scenarios.Case, o Options) (*Report, error) {
	return newPatient(c, o).diagnose(ctx, nil)
}

// DiagnoseWorld makes the checks of a world, see [World.Case], and goes on through all of them: what is behind a check that fails is
// repaired, and the next check is made in the repaired world. The chain of the report has the checks in the order in which they were made.
func DiagnoseWorld(ctx context.Context, name string, w *World, o Options) (*Report, error) {
	c, links, err := w.Case(name)
	if err != nil {
		return nil, err
	}
	return newPatient(c, o).diagnose(ctx, links)
}

// diagnose repairs the first complaint, or with links, one for each step, every one.
func (p *patient) diagnose(ctx context.Context, links []Link) (*Report, error) {
	b := p.c.Bundle()
	report := &Report{Schema: Schema, Scenario: b.ID, Title: b.Title, Case: p.c.Name, Outcome: Healthy, Causes: []Cause{}}
	if links != nil {
		report.Chain = &Chain{Links: links}
	}
	mark := func(from, to int, m Mark) { // steps from..to-1
		for i := from; i < to && i <= len(links); i++ {
			links[i-1].Mark = m
		}
	}
	for done := 1; ; {
		last, err := p.examine(ctx, report)
		if err != nil {
			return nil, err
		}
		if last == nil {
			mark(done, len(links)+1, Works)
			return report, nil
		}
		mark(done, last.N, Works)
		mark(last.N, last.N+1, Fails)
		if links != nil {
			links[last.N-1].Finding = last.Finding
		}
		done, p.step = last.N+1, last.N
		causes, repaired, err := p.causes(ctx, last.Finding, nil, nil)
		if err != nil {
			return nil, err
		}
		report.Causes, report.Replays, report.Outcome = append(report.Causes, causes...), p.replays, Open
		if !repaired {
			return report, nil
		}
		report.Outcome = Repaired
		if links == nil {
			return report, nil
		}
		t := treatment{step: last.N}
		for _, c := range causes {
			t.fixes = append(t.fixes, c.Fixes[0].Do...)
		}
		p.course = append(p.course, t)
	}
}

// examine runs the case up to the next complaint and enters it.
func (p *patient) examine(ctx context.Context, report *Report) (*scenarios.StepResult, error) {
	r, last, err := p.complaint(ctx)
	if err != nil {
		return nil, err
	}
	if report.Complaint == nil {
		report.Domain, report.Time, report.Complaint = r.Domain().DNSName(), r.Domain().Clock.Now(), last
	}
	return last, r.Close()
}

// patient is a case under diagnosis.
type patient struct {
	c       *scenarios.Case
	o       Options
	step    int // number of the step that complains
	course  []treatment
	replays int
	ran     string // the last docker run of the replay that was tried last; "" for none
}

// treatment repairs a step that complained.
type treatment struct {
	step  int
	fixes []string
}

func newPatient(c *scenarios.Case, o Options) *patient {
	if o.Keys == nil {
		o.Keys = simulator.NewKeys()
	}
	return &patient{c: c, o: o}
}

// complaint runs the case up to the first step that ends in a finding and that the course so far does not repair; without one the step is nil.
// The caller closes the replay.
func (p *patient) complaint(ctx context.Context) (*scenarios.Replay, *scenarios.StepResult, error) {
	r, err := p.c.Replay(ctx, scenarios.Options{Seed: p.o.Seed, Keys: p.o.Keys})
	if err != nil {
		return nil, nil, fmt.Errorf("start the domain: %w", err)
	}
	for {
		step := r.Next(ctx)
		if step == nil {
			return r, nil, nil
		}
		if i := slices.IndexFunc(p.course, func(t treatment) bool { return t.step == step.N }); i >= 0 {
			next, why, err := repeat(ctx, r, p.course[i].fixes)
			if next != nil || why != "" || err != nil {
				return nil, nil, errors.Join(fmt.Errorf("step %d: what repaired it does so no more: %s", step.N, why), err, r.Close())
			}
			continue
		}
		switch {
		case step.Finding != nil:
			return r, step, nil
		case step.Status == scenarios.Failed:
			return nil, nil, errors.Join(fmt.Errorf("%s: step %d, %s: %s", step.At, step.N, step.Verb, strings.Join(step.Problems, "; ")), r.Close())
		}
	}
}

// before runs the case up to the step before the complaint, or to its end when there is none. The caller closes the replay.
func (p *patient) before(ctx context.Context) (*scenarios.Replay, error) {
	r, err := p.c.Replay(ctx, scenarios.Options{Seed: p.o.Seed, Keys: p.o.Keys})
	if err != nil {
		return nil, fmt.Errorf("start the domain: %w", err)
	}
	for n := 1; n != p.step; n++ {
		if r.Next(ctx) == nil {
			break
		}
	}
	return r, nil
}

// causes explains a finding that is there when the fixes so far have been carried out. before are the findings on the way to it.
func (p *patient) causes(ctx context.Context, f *diag.Finding, before []*diag.Finding, fixes []string) ([]Cause, bool, error) {
	bare := *f
	bare.Help = nil
	cause := Cause{Finding: &bare, Fixes: []diag.Help{}}
	before = append(slices.Clone(before), f)
	type lead struct {
		help diag.Help
		next *diag.Finding
	}
	var leads []lead
	for _, h := range f.Help {
		if len(h.Do) == 0 {
			cause.Advice = append(cause.Advice, Advice{h, "nothing that a replay can carry out"})
			continue
		}
		if p.replays == maxReplays {
			cause.Advice = append(cause.Advice, Advice{h, "not tried: too many replays"})
			continue
		}
		next, why, err := p.try(ctx, append(slices.Clone(fixes), h.Do...))
		switch {
		case err != nil:
			return nil, false, err
		case why != "":
			cause.Advice = append(cause.Advice, Advice{h, why})
		case next == nil:
			h.Command = typed(h.Command, p.ran)
			cause.Fixes = append(cause.Fixes, h)
		case sameCause(f, next):
			cause.Advice = append(cause.Advice, Advice{h, "the same cause stays"})
		case slices.ContainsFunc(before, func(o *diag.Finding) bool { return sameCause(o, next) }):
			cause.Advice = append(cause.Advice, Advice{h, "leads back to " + string(next.Code)})
		default:
			leads = append(leads, lead{h, next})
		}
	}
	repaired := len(cause.Fixes) > 0
	var rest []Cause
	for _, l := range leads {
		uncovers := Advice{l.help, "uncovers " + string(l.next.Code)}
		if repaired || len(before) == maxCauses {
			cause.Advice = append(cause.Advice, uncovers)
			continue
		}
		further, green, err := p.causes(ctx, l.next, before, append(slices.Clone(fixes), l.help.Do...))
		switch {
		case err != nil:
			return nil, false, err
		case green:
			cause.Fixes, rest, repaired = append(cause.Fixes, l.help), further, true
		default:
			cause.Advice = append(cause.Advice, uncovers)
			if rest == nil {
				rest = further
			}
		}
	}
	return append([]Cause{cause}, rest...), repaired, nil
}

// sameCause: the code and the mode are the cause; facts such as times and ids of containers differ from one replay to the next.
func sameCause(a, b *diag.Finding) bool { return a.Code == b.Code && a.Mode == b.Mode }

// try carries out fixes in a fresh replay and repeats the step that complains. It gives the finding of the step, nil after a success,
// or else why the fixes could not be carried out.
func (p *patient) try(ctx context.Context, fixes []string) (next *diag.Finding, why string, err error) {
	p.replays++
	r, last, err := p.complaint(ctx)
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if last == nil || last.N != p.step {
		return nil, "", fmt.Errorf("step %d complains in one run and not in the next", p.step)
	}
	before := lastEvent(r)
	next, why, err = repeat(ctx, r, fixes)
	p.ran = lastRun(r, before)
	return next, why, err
}

// repeat carries out fixes and the last step once more.
func repeat(ctx context.Context, r *scenarios.Replay, fixes []string) (next *diag.Finding, why string, err error) {
	var with []string
	for _, fix := range fixes {
		if arguments, ok := strings.CutPrefix(fix, "with:"); ok {
			with = append(with, arguments)
			continue
		}
		res, err := r.Session().Do(ctx, "fix", []byte(fix))
		switch {
		case err != nil:
			return nil, fmt.Sprintf("cannot be carried out: %v", err), nil
		case res.Got != "ok":
			return nil, fmt.Sprintf("%s fails: %s", res.Verb, res.Error), nil
		}
	}
	res, err := r.Again(ctx, with...)
	switch {
	case err != nil:
		return nil, fmt.Sprintf("cannot be carried out: %v", err), nil
	case res.Finding != nil:
		return res.Finding, "", nil
	case res.Got != "ok":
		return nil, fmt.Sprintf("%s then fails: %s", res.Verb, res.Error), nil
	}
	return nil, "", nil
}
