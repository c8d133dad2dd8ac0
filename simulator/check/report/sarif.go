package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/check"
	"github.com/gmsasim/gmsasim/simulator/sarif"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// levels are the severities in SARIF's words (3.27.10).
var levels = map[check.Severity]string{check.Error: "error", check.Warning: "warning", check.Info: "note"}

// SARIF writes a check as SARIF 2.1.0: a rule with its page for each that occurs, a result with its region for each report, also for suppressed ones,
// and the fixes.
func SARIF(w io.Writer, c *Check) error {
	var run sarif.Run
	run.Tool.Driver.Version = c.Version
	run.Tool.Driver.URI = "https://github.com/gmsasim/gmsasim"
	index := map[*check.Rule]int{}
	prints := fingerprints{}
	add := func(r *check.Report) *sarif.Result {
		i, known := index[r.Rule]
		if !known {
			i = len(run.Tool.Driver.Rules)
			index[r.Rule] = i
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, ruleSARIF(r.Rule))
		}
		run.Results = append(run.Results, resultSARIF(r, i, prints.of(r)))
		return &run.Results[len(run.Results)-1]
	}
	for i := range c.Reports {
		add(&c.Reports[i])
	}
	for i := range c.Suppressed {
		s := &c.Suppressed[i]
		kind := "inSource"
		if s.By.File != s.Report.Where.File {
			kind = "external"
		}
		by := locationSARIF(s.By)
		add(&s.Report).Suppressions = []sarif.Suppression{{Kind: kind, Justification: s.Reason, Location: &by}}
	}
	inv := sarif.Invocation{Successful: len(c.Unread) == 0}
	for _, u := range c.Unread {
		inv.Notifications = append(inv.Notifications, sarif.Notification{Level: "error", Message: sarif.Message{Text: "not read: " + u.Reason},
			Locations: []sarif.Location{{Physical: &sarif.Physical{Artifact: sarif.Artifact{URI: sarif.URI(u.Name)}}}}})
	}
	for _, n := range c.NotChecked {
		note := sarif.Notification{Level: "note", Message: sarif.Message{Text: n.Rule.ID + " was not checked: " + n.Reason}}
		if n.Where.File != nil {
			note.Locations = []sarif.Location{locationSARIF(n.Where)}
		}
		inv.Notifications = append(inv.Notifications, note)
	}
	run.Invocations = []sarif.Invocation{inv}
	text, err := sarif.Encode(run)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", text)
	return err
}

func ruleSARIF(r *check.Rule) sarif.Rule {
	d := sarif.Rule{ID: r.ID, Short: sarif.Message{Text: sentence(r.Title)}, Full: &sarif.Message{Text: r.Why}, HelpURI: Page(r)}
	d.Help = sarif.Message{Text: r.Why + "\n\nRepair: " + r.Repair + "\n\nWrong:\n" + r.Bad + "\n\nRight:\n" + r.Good,
		Markdown: r.Why + "\n\n**Repair:** " + r.Repair + "\n\nWrong:\n\n" + fenced(r.Bad) + "\nRight:\n\n" + fenced(r.Good)}
	d.Default.Level = levels[r.Severity]
	tags := []string{r.Group}
	for _, n := range r.Needs {
		tags = append(tags, string(n))
	}
	d.Properties = map[string]any{"tags": tags}
	return d
}

func fenced(text string) string {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + "\n" + strings.TrimRight(text, "\n") + "\n" + fence + "\n"
}

// sentence begins with a capital letter and ends with a full stop.
func sentence(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

func resultSARIF(r *check.Report, rule int, print string) sarif.Result {
	text := masked(r.Message)
	if r.Consumer != "" {
		text += "\nSeen as: " + masked(r.Consumer)
	}
	if help := repair(r); help != "" {
		text += "\nHelp: " + help
	}
	d := sarif.Result{RuleID: r.Rule.ID, RuleIndex: rule, Level: levels[r.Severity], Message: sarif.Message{Text: text},
		Fingerprints: map[string]string{"gmsasim/v1": print}}
	if r.Where.File != nil {
		d.Locations = []sarif.Location{locationSARIF(r.Where)}
	}
	for i, rel := range r.Related {
		if rel.Where.File == nil {
			continue
		}
		l := locationSARIF(rel.Where)
		l.ID = &i
		if rel.Text != "" {
			l.Message = &sarif.Message{Text: masked(rel.Text)}
		}
		d.Related = append(d.Related, l)
	}
	// Another encoding cannot be said as a replacement of text.
	if len(r.Fix) > 0 && !slices.ContainsFunc(r.Fix, func(e source.Edit) bool { return e.UTF8 }) {
		d.Fixes = []sarif.Fix{fixSARIF(r)}
	}
	return d
}

func locationSARIF(s source.Span) sarif.Location {
	return sarif.Location{Physical: &sarif.Physical{Artifact: sarif.Artifact{URI: sarif.URI(name(s))}, Region: regionSARIF(s)}}
}

func regionSARIF(s source.Span) *sarif.Region {
	return &sarif.Region{StartLine: s.Start.Line, StartColumn: s.Start.Column, EndLine: s.End.Line, EndColumn: s.End.Column}
}

func fixSARIF(r *check.Report) sarif.Fix {
	fix := sarif.Fix{Description: sarif.Message{Text: repair(r)}}
	of := map[*source.File]int{}
	for _, e := range r.Fix {
		i, known := of[e.File]
		if !known {
			i = len(fix.Changes)
			of[e.File] = i
			fix.Changes = append(fix.Changes, sarif.Change{Artifact: sarif.Artifact{URI: sarif.URI(e.File.Name)}})
		}
		fix.Changes[i].Replacements = append(fix.Changes[i].Replacements,
			sarif.Replacement{Deleted: *regionSARIF(e.File.Span(e.Start, e.End)), Inserted: &sarif.Message{Text: e.New}})
	}
	return fix
}
