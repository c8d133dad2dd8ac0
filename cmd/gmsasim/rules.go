package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/check"
	"github.com/gmsasim/gmsasim/simulator/check/report"
)

// ruleReport is the form of a rule in JSON.
type ruleReport struct {
	ID       string         `json:"id"`
	Group    string         `json:"group"`
	Severity string         `json:"severity"`
	Depends  string         `json:"depends,omitempty"`
	Needs    []check.How    `json:"needs"`
	Fix      bool           `json:"fix"`
	Targets  []check.Target `json:"targets,omitempty"`
	YieldsTo []string       `json:"yieldsTo,omitempty"`
	Title    string         `json:"title"`
	Why      string         `json:"why"`
	Repair   string         `json:"repair"`
	Bad      string         `json:"bad"`
	Good     string         `json:"good"`
	Page     string         `json:"page"`
}

func ruleJSON(r *check.Rule) ruleReport {
	return ruleReport{r.ID, r.Group, r.Severity.String(), r.Depends, r.Needs, r.Fixes(), r.Targets, r.YieldsTo, r.Title, r.Why, r.Repair, r.Bad, r.Good, report.Page(r)}
}

func (a *app) listRules() error {
	rules := check.Rules()
	if a.json {
		list := listReport{Schema: "gmsasim.list/1"}
		for _, r := range rules {
			list.Rules = append(list.Rules, ruleJSON(r))
		}
		a.printJSON(list)
		return nil
	}
	rows := [][]string{{"RULE", "GROUP", "SEVERITY", "CHECKED", "FIX", "TITLE"}}
	fixes := 0
	for _, r := range rules {
		fix := ""
		if r.Fixes() {
			fix, fixes = "yes", fixes+1
		}
		rows = append(rows, []string{r.ID, r.Group, severityOf(r), needs(r), fix, r.Title})
	}
	a.table(rows)
	fmt.Fprintf(a.out, "%s, %d with a fix\n", count(len(rules), "rule"), fixes)
	a.next("gmsasim explain %s", rules[0].ID)
	return nil
}

// severityOf is a rule's severity; * says that it depends on something.
func severityOf(r *check.Rule) string {
	if r.Depends != "" {
		return r.Severity.String() + "*"
	}
	return r.Severity.String()
}

func needs(r *check.Rule) string {
	var list []string
	for _, n := range r.Needs {
		list = append(list, string(n))
	}
	return strings.Join(list, ", ")
}

// explainRule explains a rule of check; ok is false when there is none of this id.
func (a *app) explainRule(id string) bool {
	i := slices.IndexFunc(check.Rules(), func(r *check.Rule) bool { return r.ID == id })
	if i < 0 {
		return false
	}
	r := check.Rules()[i]
	if a.json {
		d := ruleJSON(r)
		a.printJSON(explainReport{Schema: "gmsasim.explain/1", Rule: &d})
		return true
	}
	fmt.Fprintf(a.out, "%s\n\n%s\n\n", a.style.bold(r.ID+": "+r.Title), r.Why)
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(a.out, "%s  %s\n", pad(name, 9), text)
		}
	}
	severity := r.Severity.String()
	if r.Depends != "" {
		severity += "; " + r.Depends
	}
	line("severity", severity)
	line("checked", needs(r))
	var targets []string
	for _, t := range r.Targets {
		targets = append(targets, string(t))
	}
	line("targets", strings.Join(targets, ", "))
	line("repair", r.Repair)
	if r.Fixes() {
		line("fix", "gmsasim check --fix")
	}
	fmt.Fprintf(a.out, "\nWrong:\n%sRight:\n%s", indent(r.Bad), indent(r.Good))
	a.next("gmsasim list rules")
	return true
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ") + "\n"
}
