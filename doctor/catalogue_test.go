package doctor

import (
	"slices"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// beyondRepair are complaints that no help repairs, each with the reason, by bundle and case. All other complaints have a
// proved fix.
var beyondRepair = map[string]map[string]string{
	"network-dc-busy": {
		"unwilling":                   "the DC's own state is against the request; a fault of the scenario stands for it",
		"unwilling beside another DC": "the DC's own state is against the request; a fault of the scenario stands for it",
	},
	"network-dns-wrong": {
		"no record": "the DNS server has lost the records; a fault of the scenario stands for it. host-dns-wrong has the setting that is repaired",
		"no answer": "the DNS server does not answer; a fault of the scenario stands for it. network-port-closed has the firewall that is repaired",
	},
	"spn-of-a-real-host": {
		"a name of its own": "nothing is wrong: the name that is to be added is there already",
	},
}

// TestCatalogue: for every bundle about a mode, the doctor names that mode as the first cause; where the bundle says that a case is another
// mode's or none's, it says so too. In all bundles, with a mode and without, it proves a fix for every complaint, but for those of which beyondRepair says why there is none;
// and the command of a fix is one that an administrator could type, and changes something.
func TestCatalogue(t *testing.T) {
	bundles, err := scenarios.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	keys := simulator.NewKeys()
	var n tally
	for _, b := range bundles {
		t.Run(b.ID, func(t *testing.T) { n.check(t, b, keys) })
	}
	for id, cases := range beyondRepair {
		for name := range cases {
			if !slices.ContainsFunc(bundles, func(b *scenarios.Bundle) bool {
				return b.ID == id && slices.ContainsFunc(b.Cases, func(c *scenarios.Case) bool { return c.Name == name })
			}) {
				t.Errorf("there is no case %q of %s, which is said to be beyond repair", name, id)
			}
		}
	}
	t.Logf("%d bundles, %d about a mode; %d cases, %d complain; first cause right in %d of %d, a fix proved in %d",
		n.bundles, n.about, n.cases, n.complain, n.right, n.judged, n.proved)
}

type tally struct{ bundles, about, cases, complain, judged, right, proved int }

// check diagnoses every case of a bundle.
func (n *tally) check(t *testing.T, b *scenarios.Bundle, keys *simulator.Keys) {
	n.bundles++
	if b.Mode != "" {
		n.about++
	}
	shown := false
	for _, c := range b.Cases {
		n.cases++
		r, err := Diagnose(t.Context(), c, Options{Keys: keys})
		if err != nil {
			t.Errorf("case %q: %v", c.Name, err)
			continue
		}
		if r.Outcome == Healthy {
			continue
		}
		n.complain++
		first := r.Causes[0]
		if b.Mode != "" {
			n.judged++
			if first.Finding.Mode == c.Mode {
				n.right++
				shown = shown || c.Mode == b.Mode
			} else {
				t.Errorf("case %q: step %d, %s: the first cause is %s of mode %q, want mode %q",
					c.Name, r.Complaint.N, r.Complaint.Verb, string(first.Finding.Code), first.Finding.Mode, c.Mode)
			}
		}
		for _, cause := range r.Causes {
			for _, h := range cause.Fixes {
				if problem := commandProblem(r.Complaint.Verb, h); problem != "" {
					t.Errorf("case %q, %s: the fix %s: %s\n\t%s\n\t%q", c.Name, string(cause.Finding.Code), problem, h.Text, h.Command, h.Do)
				}
			}
		}
		why := beyondRepair[b.ID][c.Name]
		switch {
		case r.Outcome == Repaired && why != "":
			t.Errorf("case %q: a fix is proved now: take it off the list of those without", c.Name)
		case r.Outcome == Repaired:
			n.proved++
		case why != "" && c.Mode == "":
			t.Logf("case %q, %s: no fix: %s", c.Name, string(first.Finding.Code), why)
		default:
			t.Errorf("case %q: step %d, %s, %s: no help is proved: %s", c.Name, r.Complaint.N, r.Complaint.Verb, string(first.Finding.Code), unproved(r))
		}
	}
	// Where only the diagnosis is wrong, nobody is to complain.
	if m, _ := diag.LookupMode(b.Mode); !t.Failed() && b.Mode != "" && !shown && m.Step != "diagnosis" {
		t.Errorf("no case complains of mode %s", b.Mode)
	}
}

// unproved are the reasons of the last cause.
func unproved(r *Report) string {
	var list []string
	for _, a := range r.Causes[len(r.Causes)-1].Advice {
		list = append(list, a.Unproved)
	}
	return strings.Join(list, "; ")
}
