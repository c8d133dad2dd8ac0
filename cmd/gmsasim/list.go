package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// listReport is the form of a list in JSON.
type listReport struct {
	Schema    string                 `json:"schema"`
	Scenarios []scenarioReport       `json:"scenarios,omitempty"`
	Findings  []findingReport        `json:"findings,omitempty"`
	Verbs     []scenarios.Verb       `json:"verbs,omitempty"`
	Modes     []scenarios.ModeReport `json:"modes,omitempty"`
	Rules     []ruleReport           `json:"rules,omitempty"`
}

type scenarioReport struct {
	ID       string      `json:"id"`
	Title    string      `json:"title"`
	Area     string      `json:"area"`
	Level    int         `json:"level"`
	Covers   []string    `json:"covers,omitempty"`
	Findings []diag.Code `json:"findings,omitempty"`
	Cases    []string    `json:"cases"`
	Lesson   string      `json:"lesson"`
}

type findingReport struct {
	Code      string   `json:"code"`
	Title     string   `json:"title"`
	Scenarios []string `json:"scenarios,omitempty"`
	Page      string   `json:"page,omitempty"`
}

const (
	listScenarios = "scenarios"
	listFindings  = "findings"
	listVerbs     = "verbs"
	listModes     = "modes"
	listOfRules   = "rules"
)

func (a *app) listCommand() *cobra.Command {
	kinds := []string{listScenarios, listFindings, listModes, listVerbs, listOfRules}
	return &cobra.Command{
		Use:       "list [scenarios|findings|modes|verbs|rules]",
		Short:     "List scenarios, findings, failure modes, the verbs of steps, or the rules of check",
		Example:   "  gmsasim list\n  gmsasim list findings\n  gmsasim list modes --json\n  gmsasim list rules",
		ValidArgs: kinds,
		RunE: func(_ *cobra.Command, args []string) error {
			kind := listScenarios
			switch {
			case len(args) > 1:
				return usage("one kind of list, got %s", strings.Join(args, " "))
			case len(args) == 1:
				kind = args[0]
			}
			switch kind {
			case listScenarios:
				return a.listScenarios()
			case listFindings:
				return a.listFindings()
			case listModes:
				return a.listModes()
			case listVerbs:
				return a.listVerbs()
			case listOfRules:
				return a.listRules()
			}
			return usageNear(kind, kinds, "no list of %q; there are %s", kind, strings.Join(kinds, ", "))
		},
	}
}

func reportOf(b *scenarios.Bundle) scenarioReport {
	r := scenarioReport{ID: b.ID, Title: b.Title, Area: b.Area, Level: b.Level, Covers: b.Covers, Findings: b.Findings, Lesson: b.Lesson}
	for _, c := range b.Cases {
		r.Cases = append(r.Cases, c.Name)
	}
	return r
}

func (a *app) listScenarios() error {
	bundles, err := scenarios.Catalog()
	if err != nil {
		return err
	}
	if a.json {
		report := listReport{Schema: "gmsasim.list/1"}
		for _, b := range bundles {
			report.Scenarios = append(report.Scenarios, reportOf(b))
		}
		a.printJSON(report)
		return nil
	}
	rows := [][]string{{"ID", "AREA", "LEVEL", "CASES", "TITLE"}}
	for _, b := range bundles {
		rows = append(rows, []string{b.ID, b.Area, fmt.Sprint(b.Level), fmt.Sprint(len(b.Cases)), b.Title})
	}
	a.table(rows)
	a.next("gmsasim explain %s", bundles[0].ID)
	return nil
}

// triggers are the ids of the scenarios that run into a finding.
func triggers(bundles []*scenarios.Bundle, code diag.Code) []string {
	var ids []string
	for _, b := range bundles {
		for _, c := range b.Findings {
			if c == code {
				ids = append(ids, b.ID)
			}
		}
	}
	return ids
}

func (a *app) listFindings() error {
	bundles, err := scenarios.Catalog()
	if err != nil {
		return err
	}
	report := listReport{Schema: "gmsasim.list/1"}
	rows := [][]string{{"CODE", "TITLE", "SCENARIOS"}}
	for _, e := range diag.All() {
		ids := triggers(bundles, e.Code)
		report.Findings = append(report.Findings, findingReport{Code: string(e.Code), Title: e.Title, Scenarios: ids})
		rows = append(rows, []string{string(e.Code), e.Title, strings.Join(ids, ", ")})
	}
	if a.json {
		a.printJSON(report)
		return nil
	}
	a.table(rows)
	a.next("gmsasim explain %s", string(diag.YoungRootKey))
	return nil
}

func (a *app) listVerbs() error {
	if a.json {
		a.printJSON(listReport{Schema: "gmsasim.list/1", Verbs: scenarios.Verbs()})
		return nil
	}
	rows := [][]string{{"VERB", "WHAT", "ARGUMENTS"}}
	for _, v := range scenarios.Verbs() {
		rows = append(rows, []string{v.Name, v.Help, strings.Join(v.Arguments, ", ")})
	}
	a.table(rows)
	a.next("gmsasim explain path-from-key-to-ticket")
	return nil
}

// table prints rows in columns; the first row is the heading.
func (a *app) table(rows [][]string) {
	var widths []int
	for _, r := range rows {
		for i, c := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	for i, r := range rows {
		var cells []string
		for j, c := range r {
			if j < len(r)-1 {
				c = pad(c, widths[j])
			}
			cells = append(cells, c)
		}
		line := strings.TrimRight(strings.Join(cells, "  "), " ")
		if i == 0 {
			line = a.style.faint(line)
		}
		fmt.Fprintln(a.out, line)
	}
}
