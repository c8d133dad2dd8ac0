package main

import (
	"fmt"

	"github.com/gmsasim/gmsasim/doctor"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// printSARIF prints the causes of a diagnosis, each at the step that complains, with the fixes that were replayed.
func (a *app) printSARIF(r *doctor.Report) error {
	var list []diag.Located
	for _, c := range r.Causes {
		f := *c.Finding
		f.Help = c.Fixes
		l := diag.Located{Finding: &f, Subject: r.Scenario + " " + r.Case}
		if s := r.Complaint; s != nil {
			l.At = diag.Span{File: s.At.File, Line: s.At.Line, Column: s.At.Column, Label: s.Verb}
		}
		list = append(list, l)
	}
	text, err := diag.SARIF(buildVersion().Version, list)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "%s\n", text)
	return err
}
