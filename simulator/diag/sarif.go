package diag

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/sarif"
)

// A Located is a finding of a run with where the run met it.
type Located struct {
	*Finding
	// At is the place in the file that was run; the zero value when there is none.
	At Span
	// Subject names what was examined, for instance a scenario and its case.
	Subject string
}

// SARIF writes findings in the Static Analysis Results Interchange Format, version 2.1.0 (OASIS): one run of the tool, a rule for each
// code that occurs, with its page, and a result for each finding.
func SARIF(version string, findings []Located) ([]byte, error) {
	var run sarif.Run
	run.Tool.Driver.Version = version
	for _, f := range findings {
		rules := run.Tool.Driver.Rules
		i := slices.IndexFunc(rules, func(r sarif.Rule) bool { return r.ID == string(f.Code) })
		if i < 0 {
			i = len(rules)
			run.Tool.Driver.Rules = append(rules, ruleOf(f.Code))
		}
		run.Results = append(run.Results, resultOf(f, i))
	}
	return sarif.Encode(run)
}

func ruleOf(c Code) sarif.Rule {
	e, _ := Lookup(c)
	page, _ := Explain(c)
	r := sarif.Rule{ID: string(c), Short: sarif.Message{Text: e.Title}, Help: sarif.Message{Text: page, Markdown: page}}
	r.Default.Level = "error"
	return r
}

func resultOf(f Located, rule int) sarif.Result {
	var text strings.Builder
	text.WriteString(f.Title)
	for _, fact := range f.Facts {
		fmt.Fprintf(&text, "\n%s: %s", fact.Name, fact.Value)
	}
	if f.Because != "" {
		fmt.Fprintf(&text, "\nbecause %s", f.Because)
	}
	for _, h := range f.Help {
		text.WriteString("\nhelp: " + h.Text)
		if h.Command != "" {
			text.WriteString(": " + h.Command)
		}
	}
	r := sarif.Result{RuleID: string(f.Code), RuleIndex: rule, Level: "error", Message: sarif.Message{Text: text.String()},
		Fingerprints: map[string]string{"gmsasim/v1": string(f.Code) + " " + f.Subject}, Properties: map[string]any{}}
	if f.Mode != "" {
		r.Properties["mode"] = f.Mode
	}
	if len(f.SeenAs) > 0 {
		r.Properties["seenAs"] = f.SeenAs
	}
	spans := f.Finding.At
	if f.At != (Span{}) {
		spans = append([]Span{f.At}, spans...)
	}
	for _, s := range spans {
		p := &sarif.Physical{}
		p.Artifact.URI = sarif.URI(s.File)
		if s.Line > 0 {
			p.Region = &sarif.Region{StartLine: s.Line, StartColumn: s.Column}
			if s.Length > 0 {
				p.Region.EndColumn = s.Column + s.Length
			}
		}
		l := sarif.Location{Physical: p}
		if s.Label != "" {
			l.Message = &sarif.Message{Text: s.Label}
		}
		r.Locations = append(r.Locations, l)
	}
	return r
}
