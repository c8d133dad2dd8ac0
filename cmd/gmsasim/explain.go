package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator/check"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// explainReport is the form of an explanation in JSON; one of its fields is set.
type explainReport struct {
	Schema   string                `json:"schema"`
	Finding  *findingReport        `json:"finding,omitempty"`
	Scenario *scenarioReport       `json:"scenario,omitempty"`
	Mode     *scenarios.ModeReport `json:"mode,omitempty"`
	Rule     *ruleReport           `json:"rule,omitempty"`
	Shown    []shownReport         `json:"shown,omitempty"` // the findings whose pages show a text
}

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain CODE|SCENARIO|MODE|RULE|TEXT",
		Short: "Explain a finding, a scenario, a failure mode, a rule of check, or a text that Windows printed",
		Long: `A finding is explained by its code, a scenario, a failure mode and a rule by their ids. Anything else is looked for among the texts and numbers that Windows
shows; a number may be decimal or hexadecimal.`,
		Example: "  gmsasim explain GMSA102\n  gmsasim explain membership-newer-than-ticket\n  gmsasim explain acl-no-restart\n  gmsasim explain account-dollar-suffix\n  gmsasim explain 1311\n  gmsasim explain 'Key does not exist'",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("explain takes a code, a scenario, a mode, a rule, or a text")
			}
			return a.explain(strings.Join(args, " "))
		},
	}
}

func (a *app) explain(name string) error {
	bundles, err := scenarios.Catalog()
	if err != nil {
		return err
	}
	if page, ok := diag.Explain(diag.Code(name)); ok {
		e, _ := diag.Lookup(diag.Code(name))
		ids := triggers(bundles, e.Code)
		if a.json {
			a.printJSON(explainReport{Schema: "gmsasim.explain/1", Finding: &findingReport{string(e.Code), e.Title, ids, page}})
			return nil
		}
		fmt.Fprint(a.out, a.headings(page))
		if len(ids) > 0 {
			a.next("gmsasim run %s --verbose", ids[0])
		}
		return nil
	}
	var names []string
	for _, e := range diag.All() {
		names = append(names, string(e.Code))
	}
	for _, b := range bundles {
		names = append(names, b.ID)
		if b.ID != name {
			continue
		}
		if a.json {
			r := reportOf(b)
			a.printJSON(explainReport{Schema: "gmsasim.explain/1", Scenario: &r})
			return nil
		}
		fmt.Fprintf(a.out, "%s\n", b.Lesson)
		if m, ok := diag.LookupMode(b.Mode); ok {
			fmt.Fprintf(a.out, "\nFailure mode: %s, %s (%s)\n", m.ID, m.Title, stepWords(m.Step))
		}
		if b.Cases[0].Name != "" {
			fmt.Fprintf(a.out, "\nCases:\n")
			for _, c := range b.Cases {
				fmt.Fprintf(a.out, "  %s\n", c.Name)
			}
		}
		a.next("gmsasim run %s --verbose", b.ID)
		return nil
	}
	for _, r := range scenarios.ModeReports(bundles) {
		names = append(names, r.ID)
		if r.ID == name {
			a.explainMode(r)
			return nil
		}
	}
	if a.explainRule(name) {
		return nil
	}
	for _, r := range check.Rules() {
		names = append(names, r.ID)
	}
	if a.explainText(name) {
		return nil
	}
	return usageNear(name, names, "nothing to explain under %q", name).shownBy("gmsasim list findings")
}

// headings shows the headings of a page.
func (a *app) headings(page string) string {
	var b strings.Builder
	for line := range strings.Lines(page) {
		if title, ok := strings.CutPrefix(line, "#"); ok {
			line = a.style.bold(strings.TrimSpace(strings.TrimLeft(title, "#"))) + "\n"
		}
		if strings.HasPrefix(line, "```") {
			continue
		}
		b.WriteString(line)
	}
	return b.String()
}
