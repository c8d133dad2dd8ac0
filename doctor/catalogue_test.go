package doctor

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

var update = flag.Bool("update", false, "write the list of bundles that do not hold yet anew")

// pendingFile lists the bundles that do not hold yet, with the first reason. It is to become shorter: a bundle that holds and is on it
// fails the test.
const pendingFile = "testdata/pending.tsv"

// TestCatalogue: for every bundle about a mode, the doctor names that mode as the first cause and proves a fix; where the bundle says
// that a case is another mode's or none's, it says so too.
func TestCatalogue(t *testing.T) {
	bundles, err := scenarios.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	pending := readPending(t)
	found := map[string]string{}
	keys := simulator.NewKeys()
	var n tally
	ran := 0
	for _, b := range bundles {
		if b.Mode == "" {
			continue
		}
		t.Run(b.ID, func(t *testing.T) {
			ran++
			problem := n.check(t, b, keys)
			if problem != "" {
				found[b.ID] = problem
			}
			switch {
			case *update:
			case problem != "" && pending[b.ID] == "":
				t.Error(problem)
			case problem == "" && pending[b.ID] != "":
				t.Errorf("the doctor is right about it now: take it off %s", pendingFile)
			}
		})
		delete(pending, b.ID)
	}
	if ran == n.bundles && !*update {
		for id := range pending {
			t.Errorf("%s lists %s, and there is no such bundle with a mode", pendingFile, id)
		}
	}
	if *update {
		var text strings.Builder
		for _, id := range slices.Sorted(maps.Keys(found)) {
			fmt.Fprintf(&text, "%s\t%s\n", id, found[id])
		}
		if err := os.WriteFile(pendingFile, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d bundles about a mode, %d do not hold yet; %d cases, %d complain; first cause right in %d, a fix proved in %d",
		n.bundles, len(found), n.cases, n.complain, n.right, n.proved)
}

func readPending(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(pendingFile)
	if err != nil {
		t.Fatal(err)
	}
	pending := map[string]string{}
	for line := range strings.Lines(string(text)) {
		id, why, _ := strings.Cut(strings.TrimSpace(line), "\t")
		pending[id] = why
	}
	return pending
}

type tally struct{ bundles, cases, complain, right, proved int }

// check diagnoses every case of a bundle and gives the first thing that does not hold.
func (n *tally) check(t *testing.T, b *scenarios.Bundle, keys *simulator.Keys) (problem string) {
	n.bundles++
	shown := false
	wrong := func(c *scenarios.Case, format string, args ...any) {
		if problem == "" {
			problem = fmt.Sprintf("case %q: ", c.Name) + fmt.Sprintf(format, args...)
		}
	}
	for _, c := range b.Cases {
		n.cases++
		r, err := Diagnose(t.Context(), c, Options{Keys: keys})
		if err != nil {
			wrong(c, "%v", err)
			continue
		}
		if r.Outcome == Healthy {
			continue
		}
		n.complain++
		first := r.Causes[0]
		if first.Finding.Mode == c.Mode {
			n.right++
			shown = shown || c.Mode == b.Mode
		} else {
			wrong(c, "step %d, %s: the first cause is %s of mode %q, want mode %q", r.Complaint.N, r.Complaint.Verb, string(first.Finding.Code), first.Finding.Mode, c.Mode)
		}
		if r.Outcome == Repaired {
			n.proved++
		} else if c.Mode != "" {
			wrong(c, "step %d, %s, %s: no help is proved: %s", r.Complaint.N, r.Complaint.Verb, string(first.Finding.Code), unproved(r))
		}
	}
	// Where only the diagnosis is wrong, nobody is to complain.
	if m, _ := diag.LookupMode(b.Mode); problem == "" && !shown && m.Step != "diagnosis" {
		problem = "no case complains of mode " + b.Mode
	}
	return problem
}

// unproved are the reasons of the last cause.
func unproved(r *Report) string {
	var list []string
	for _, a := range r.Causes[len(r.Causes)-1].Advice {
		list = append(list, a.Unproved)
	}
	return strings.Join(list, "; ")
}
