package scenarios

import (
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// A ModeReport is a failure mode with what of it is modelled.
type ModeReport struct {
	diag.Mode
	// Modelled is yes when a scenario is about the mode, partly when something of it is missing, otherwise no. An alias is modelled as what it stands for.
	Modelled string `json:"modelled"`
	// Why says what is missing.
	Why       string      `json:"why,omitempty"`
	Scenarios []string    `json:"scenarios,omitempty"`
	Findings  []diag.Code `json:"findings,omitempty"`
}

// The words of ModeReport.Modelled.
const (
	ModelledYes    = "yes"
	ModelledPartly = "partly"
	ModelledNo     = "no"
)

// ModeReports says of each mode which of the bundles are about it, and what they find.
func ModeReports(bundles []*Bundle) []ModeReport {
	modes := diag.Modes()
	reports := make([]ModeReport, len(modes))
	for i, m := range modes {
		r := ModeReport{Mode: m, Modelled: ModelledNo}
		r.Note = ""
		kind, why, _ := strings.Cut(m.Note, ": ")
		r.Why = why
		for _, b := range bundles {
			if b.Mode != m.ID && (m.Alias == "" || b.Mode != m.Alias) {
				continue
			}
			r.Modelled = ModelledYes
			r.Scenarios = append(r.Scenarios, b.ID)
			for _, c := range b.Findings {
				if !slices.Contains(r.Findings, c) {
					r.Findings = append(r.Findings, c)
				}
			}
		}
		if r.Modelled == ModelledYes && kind == ModelledPartly {
			r.Modelled = ModelledPartly
		}
		reports[i] = r
	}
	return reports
}
