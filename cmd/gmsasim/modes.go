package main

import (
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

func (a *app) listModes() error {
	bundles, err := scenarios.Catalog()
	if err != nil {
		return err
	}
	reports := scenarios.ModeReports(bundles)
	if a.json {
		a.printJSON(listReport{Schema: "gmsasim.list/1", Modes: reports})
		return nil
	}
	rows := [][]string{{"MODE", "STEP", "MARK", "MODELLED", "FINDINGS", "SCENARIOS", "TITLE"}}
	counts := map[string]int{}
	for _, r := range reports {
		counts[r.Modelled]++
		var codes []string
		for _, c := range r.Findings {
			codes = append(codes, string(c))
		}
		rows = append(rows, []string{r.ID, r.Step, r.Mark, r.Modelled, strings.Join(codes, ","), strings.Join(r.Scenarios, ","), r.Title})
	}
	a.table(rows)
	fmt.Fprintf(a.out, "\n%d modes: %d modelled, %d partly, %d not\n", len(reports), counts[scenarios.ModelledYes], counts[scenarios.ModelledPartly], counts[scenarios.ModelledNo])
	a.next("gmsasim explain %s", reports[0].ID)
	return nil
}

// explainMode prints what is known of a failure mode.
func (a *app) explainMode(r scenarios.ModeReport) {
	if a.json {
		a.printJSON(explainReport{Schema: "gmsasim.explain/1", Mode: &r})
		return
	}
	fmt.Fprintf(a.out, "%s\n\n", a.style.bold(r.ID+": "+r.Title))
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(a.out, "%-10s %s\n", name, value)
		}
	}
	line("areas", strings.Join(r.Areas, ", "))
	line("step", stepWords(r.Step))
	line("evidence", map[string]string{"D": "documented", "T": "reported in threads", "I": "inferred: modelled, and no judge of anybody"}[r.Mark])
	line("when", r.When)
	line("alias of", r.Alias)
	line("modelled", r.Modelled)
	line("missing", r.Why)
	for i, c := range r.Findings {
		e, _ := diag.Lookup(c)
		name := "findings"
		if i > 0 {
			name = ""
		}
		line(name, string(c)+" "+e.Title)
	}
	line("scenarios", strings.Join(r.Scenarios, ", "))
	switch {
	case len(r.Scenarios) > 0:
		a.next("gmsasim explain %s", r.Scenarios[0])
	default:
		a.next("gmsasim list modes")
	}
}

// steps are the names of the steps of a setup.
var steps = []struct{ id, name string }{
	{"S1", "root key"}, {"S2", "create the account"}, {"S3", "list of principals"}, {"S4", "read the password"}, {"S5", "credential spec"}, {"S6", "start the container"},
	{"S7", "secure channel"}, {"S8", "outbound tickets"}, {"S9", "inbound Kerberos"}, {"S10", "inbound NTLM and names"}, {"S11", "application"},
}

// stepWords writes the steps of a mode with their names: "S3 list of principals, noticed at S4 read the password".
func stepWords(step string) string {
	bites, noticed, found := strings.Cut(step, ">")
	named := func(id string) string {
		for _, s := range steps {
			if s.id == id {
				return id + " " + s.name
			}
		}
		return id
	}
	if !found {
		return named(bites)
	}
	return named(bites) + ", noticed at " + named(noticed)
}

// explainText finds the codes behind a text that Windows prints. It reports false when no page shows it.
func (a *app) explainText(text string) bool {
	found := diag.Search(text)
	if len(found) == 0 {
		return false
	}
	if a.json {
		r := explainReport{Schema: "gmsasim.explain/1"}
		for _, m := range found {
			r.Shown = append(r.Shown, shownReport{string(m.Code), m.Title, m.Line})
		}
		a.printJSON(r)
		return true
	}
	fmt.Fprintf(a.out, "%s shown by %s:\n\n", a.style.bold(text), count(len(found), "finding"))
	for _, m := range found {
		fmt.Fprintf(a.out, "%s  %s\n         %s\n", string(m.Code), m.Title, a.style.faint(m.Line))
	}
	a.next("gmsasim explain %s", string(found[0].Code))
	return true
}

// shownReport is a finding whose page shows a text.
type shownReport struct {
	Code  string `json:"code"`
	Title string `json:"title"`
	Line  string `json:"line"`
}
