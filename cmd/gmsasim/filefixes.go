package main

import (
	"context"
	"fmt"

	"github.com/gmsasim/gmsasim/doctor"
	"github.com/gmsasim/gmsasim/doctor/intake"
	"github.com/gmsasim/gmsasim/simulator/check"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// fileFix is an edit of the user's own files that was tried in a replay: the same domain, the files as the edit leaves them.
type fileFix struct {
	// Rules are the rules of check whose fixes were carried out; all of them together when one alone is not enough.
	Rules   []string `json:"rules"`
	Place   string   `json:"place"`
	Message string   `json:"message"`
	// Healthy tells that nothing is wrong any more; otherwise the checks get further than before.
	Healthy bool `json:"healthy"`

	command string
}

// mostFileFixes bounds the replays.
const mostFileFixes = 12

// fileFixes tries what check would repair in the files of a case that complains: each fix alone, then all together.
func (a *app) fileFixes(ctx context.Context, p *intake.Papers, before *doctor.Report) ([]fileFix, error) {
	if p.Setup == nil || before.Complaint == nil {
		return nil, nil
	}
	var fixable []check.Report
	for _, r := range check.Run(p.Setup, check.Options{}).Reports {
		if len(r.Fix) > 0 && r.Severity == check.Error && len(fixable) < mostFileFixes {
			fixable = append(fixable, r)
		}
	}
	var fixes []fileFix
	for i, r := range fixable {
		better, healthy, err := a.tried(ctx, p, before, fixable[i:i+1])
		if err != nil {
			return nil, err
		}
		if better {
			fixes = append(fixes, fileFix{Rules: []string{r.Rule.ID}, Place: fmt.Sprintf("%s:%s", r.Where.File.Name, r.Where.Start), Message: r.Message, Healthy: healthy,
				command: "gmsasim check --fix " + r.Where.File.Name})
		}
	}
	if len(fixable) < 2 || len(fixes) > 0 && fixes[0].Healthy {
		return fixes, nil
	}
	better, healthy, err := a.tried(ctx, p, before, fixable)
	if err != nil || !better {
		return fixes, err
	}
	all := fileFix{Place: fixable[0].Where.File.Name, Message: fmt.Sprintf("all %d together", len(fixable)), Healthy: healthy, command: "gmsasim check --fix"}
	for i, r := range fixable {
		all.Rules = append(all.Rules, r.Rule.ID)
		if i == 0 || r.Where.File != fixable[i-1].Where.File {
			all.command += " " + r.Where.File.Name
		}
	}
	return append(fixes, all), nil
}

// tried diagnoses the case with the files as some fixes leave them. better tells that more of the checks succeed.
func (a *app) tried(ctx context.Context, p *intake.Papers, before *doctor.Report, reports []check.Report) (better, healthy bool, err error) {
	edits, _ := chosen(reports)
	var files []*source.File
	for _, f := range p.Setup.Files {
		if list := edits[f]; len(list) > 0 {
			text, _ := source.Apply(f, list)
			f = source.NewFile(f.Name, text)
		}
		files = append(files, f)
	}
	again := *p
	again.Setup = setup.Read(files)
	w, _, err := again.Make()
	if err != nil {
		return false, false, nil // the edit took away what the case is about
	}
	after, err := doctor.DiagnoseWorld(ctx, "case", w, doctor.Options{})
	if err != nil {
		return false, false, err
	}
	healthy = after.Outcome == doctor.Healthy
	return healthy || working(after) > working(before), healthy, nil
}

// working counts the checks that succeeded by themselves.
func working(r *doctor.Report) (n int) {
	for _, l := range r.Chain.Links {
		if l.Mark == doctor.Works {
			n++
		}
	}
	return n
}

// printFileFixes prints what was found, behind the causes.
func (a *app) printFileFixes(fixes []fileFix) {
	for _, f := range fixes {
		what := "more of the checks succeed"
		if f.Healthy {
			what = "nothing is wrong with it"
		}
		fmt.Fprintf(a.out, "fix of the file (replayed, %s): %s: %s\n    %s\n", what, f.Place, f.Message, f.command)
	}
	if len(fixes) > 0 {
		fmt.Fprintln(a.out)
	}
}
