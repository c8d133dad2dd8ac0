package scenarios

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

func session(t *testing.T) *Session {
	t.Helper()
	return NewSession(simulator.StartT(t, simulator.Contoso()))
}

func do(t *testing.T, s *Session, step string) *StepResult {
	t.Helper()
	r, err := s.Do(t.Context(), "step", []byte(step))
	if err != nil {
		t.Fatalf("%s: %v", step, err)
	}
	return r
}

// TestJudge: what is said of a step that ends otherwise than expected.
func TestJudge(t *testing.T) {
	s := session(t)
	do(t, s, "{id: read, readPassword: {host: ContainerHost01, account: WebApp01}}")
	tests := []struct {
		step string
		want string // the only problem; "" for none
	}{
		{"testServiceAccount: {host: ContainerHost01, account: WebApp01}", ""},
		{"{testServiceAccount: {host: ContainerHost01, account: WebApp01}, expect: GMSA201}", "want GMSA201, got ok"},
		{"{testServiceAccount: {host: ContainerHost01, account: WebAp01}}", "want ok, got GMSA104 no account or group has this name: …"},
		{"{testServiceAccount: {host: ContainerHost01, account: WebAp01}, expect: GMSA201}", "want GMSA201, got GMSA104 no account …"},
		{"{testServiceAccount: {host: ContainerHost01, account: WebAp01}, expect: {error: x}}", `want error "x", got GMSA104 …`},
		{"{testServiceAccount: {host: ContainerHost01, account: WebAp01}, expect: {finding: GMSA104, nearest: WebApp01}}", ""},
		{"{testServiceAccount: {host: ContainerHost01, account: WebAp01}, expect: {finding: GMSA104, nearest: WebApp02}}", "want WebApp02 as the nearest name, got WebApp01"},
		{"{testServiceAccount: {host: ContainerHost01, account: WebAp01}, expect: {finding: GMSA104, says: Cannot find an object}}", ""},
		{"{testServiceAccount: {host: ContainerHost01, account: WebAp01}, expect: {finding: GMSA104, says: Access denied}}", `nothing says "Access denied": GMSA104 …`},
		{"{testServiceAccount: {host: ContainerHost01, account: WebAp01}, expect: {finding: GMSA104, help: setspn}}", `no help contains "setspn"`},
		{"{testServiceAccount: {host: ContainerHost01, account: WebAp01}, expect: {finding: GMSA104, facts: {DC: DC02}}}", "DC: want DC02, got DC01"},
		{"{again: read, expect: {facts: {DC: DC01, current: …, ask again in: 71…}}}", ""},
		{"{again: read, expect: {facts: {dc: DC01}}}", `no fact "dc"; there are account, DC, kvno, current, previous, ask again in, unchanged for`},
		{"{again: read, expect: {same: {current: read.current}}}", ""},
		{"{again: read, expect: {same: {current: read.previous}}}", "current: want the same as read.previous, which is none, got …"},
		{"{again: read, expect: {differs: {current: read.current}}}", "current: want another value than read.current, got … too"},
		{"{again: read, expect: {same: {current: read.curent}}}", `the step "read" stated no fact "curent"; there are …`},
		{"{again: read, expect: {trace: [filter=(sAMAccountName=WebApp01$), msDS-ManagedPassword]}}", ""},
		{"{again: read, expect: {trace: [msDS-ManagedPassword, filter=(sAMAccountName=WebApp01$)]}}", "the events of the step do not contain …"},
		{"{advanceTo: 2019-05-03T10:00:00Z, expect: {error: does not go back}}", ""},
		{"{advanceTo: 2019-05-03T10:00:00Z, expect: {error: went back}}", `want error "went back", got domain time is 2019-05-03T10:00:00Z already …`},
		{"{lift: read}", `want ok, got the step "read" gave no fault`},
		{"{as: bob, removeGroup: x}", `want ok, got no password of an account "bob" is known`},
	}
	for _, tt := range tests {
		r := do(t, s, tt.step)
		got := strings.Join(r.Problems, "\n")
		if !matches(tt.want, got) {
			t.Errorf("%s\ngot  %s\nwant %s", tt.step, got, tt.want)
		}
		if (r.Status == Passed) != (got == "") {
			t.Errorf("%s: status %s with the problems %q", tt.step, r.Status, got)
		}
	}
}

func TestSessionDo(t *testing.T) {
	s := session(t)
	for _, tt := range []struct{ step, want string }{
		{"", "step:1:1: there is nothing in it"},
		{"{advance: 1h", "step:1:1: could not find flow mapping end token '}'"},
		{"testServiceAccount: {host: ContainerHots01, account: WebApp01}", `step:1:28: no host "ContainerHots01" at this step; nearest: ContainerHost01`},
		{"{advance: 1h, expect: {output: want/x}}", "step:1:23: a single step has no golden to compare with"},
		{"{again: nothing}", `step:1:9: no earlier step "nothing"`},
	} {
		if r, err := s.Do(t.Context(), "step", []byte(tt.step)); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %+v, %v, want %s", tt.step, r, err, tt.want)
		}
	}
	// Ids live on, and may be used anew.
	do(t, s, "{id: web, service: {host: ContainerHost01, account: WebApp01}}")
	do(t, s, "{id: ticket, kerberosTo: {from: alice, spn: host/WebApp01}}")
	if r := do(t, s, `{"accept": {"service": "web", "ticket": "ticket"}}`); r.Status != Passed {
		t.Errorf("accept: got %+v", r)
	}
	do(t, s, "{id: ticket, kerberosTo: {from: alice, spn: no/where}}")
	if r := do(t, s, "accept: {service: web, ticket: ticket}"); r.Error != `the step "ticket" gave no ticket` {
		t.Errorf("a ticket that has gone: got %q", r.Error)
	}
	do(t, s, "joinHost: {name: Build01}")
	if r := do(t, s, "testServiceAccount: {host: Build01, account: WebApp01}"); r.Got != string(diag.NotAllowed) {
		t.Errorf("a host that joined: got %s", r.Got)
	}
	if _, err := json.Marshal(do(t, s, "advance: 1h")); err != nil {
		t.Error(err)
	}
}

// TestSessionConcurrently: a session is used by several requests of the control interface.
func TestSessionConcurrently(t *testing.T) {
	s := session(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				if r, err := s.Do(t.Context(), "step", []byte("{id: a, testServiceAccount: {host: ContainerHost02, account: WebApp01}}")); err != nil || r.Status != Passed {
					t.Errorf("got %+v, %v", r, err)
				}
			}
		})
	}
	wg.Wait()
}

// broken is an action that shows a defect of the simulator.
type broken struct{}

func (broken) check(*scope, *node) {}
func (broken) do(*attempt) error   { panic("nobody expected this") }

func TestPanicIsAFinding(t *testing.T) {
	s := session(t)
	r := s.do(t.Context(), &Step{verb: "break", action: broken{}, args: &node{}}, nil)
	if r.Got != string(diag.SimulatorBug) || !strings.Contains(r.Error, "nobody expected this") {
		t.Errorf("got %s, %s, want GMSA999 with the panic's value", r.Got, r.Error)
	}
	c := &CaseResult{Steps: []*StepResult{r}}
	if !c.Internal() || c.NotModelled() {
		t.Errorf("internal: got %v, not modelled: %v", c.Internal(), c.NotModelled())
	}
}

func TestRunStopsAtTheFirstFailure(t *testing.T) {
	b, err := Parse("test.txtar", []byte(bundleText(`domain: contoso
cases:
  - {case: right, account: WebApp01}
  - {case: wrong, account: alice}
steps:
  - advance: 1h
  - testServiceAccount: {host: ContainerHost01, account: $account}
  - advance: 1h
`)))
	if err != nil {
		t.Fatal(err)
	}
	r := b.Run(t.Context(), Options{})
	if r.Status != Failed || r.Cases[0].Status != Passed || r.Cases[1].Status != Failed {
		t.Fatalf("got %+v", r)
	}
	var got []string
	for _, s := range r.Cases[1].Steps {
		got = append(got, string(s.Status))
	}
	if want := "passed, failed, not reached"; strings.Join(got, ", ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, ", "), want)
	}
	if len(r.Cases[1].Events) == 0 || r.Cases[0].Events != nil {
		t.Errorf("events: got %q and %q", r.Cases[0].Events, r.Cases[1].Events)
	}
	if passed, all := r.Count(); passed != 4 || all != 6 {
		t.Errorf("got %d of %d steps, want 4 of 6", passed, all)
	}
	if one := b.Run(t.Context(), Options{Case: "ri*"}); len(one.Cases) != 1 || one.Status != Passed {
		t.Errorf("one case: got %+v", one)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	b, err := Parse("test.txtar", []byte(bundleText("domain: contoso\nsteps: [advance: 1h]\n")))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := b.Run(ctx, Options{}); r.Status != Failed {
		t.Errorf("got %+v, want a failure", r)
	}
}

func TestSelect(t *testing.T) {
	all, err := Select("catalog/...")
	if err != nil || len(all) < 14 {
		t.Fatalf("the whole catalogue: got %d, %v", len(all), err)
	}
	// those are the ids of the bundles that something holds of.
	those := func(holds func(*Bundle) bool) string {
		var ids []string
		for _, b := range all {
			if holds(b) {
				ids = append(ids, b.ID)
			}
		}
		return strings.Join(ids, " ")
	}
	found := func(code diag.Code) func(*Bundle) bool {
		return func(b *Bundle) bool { return slices.Contains(b.Findings, code) }
	}
	for _, tt := range []struct {
		patterns []string
		want     string // ids, or the error
	}{
		{[]string{"kds-no-*"}, "kds-no-root-key"},
		{[]string{"rotation"}, those(func(b *Bundle) bool { return b.Area == "rotation" })},
		{[]string{"gmsa203"}, those(found("GMSA203"))},
		{[]string{"catalog/kds-no-root-key", "GMSA101"}, "kds-no-root-key " + those(func(b *Bundle) bool { return b.ID != "kds-no-root-key" && found("GMSA101")(b) })},
		{[]string{"catalog/kds-no-root-key.txtar"}, "kds-no-root-key"},
		{[]string{"kds-no-rot-key"}, `no scenario "kds-no-rot-key"; nearest: kds-no-root-key`},
		{[]string{"spn", "[", "nothing at all"}, "no scenario \"[\"\nno scenario \"nothing at all\""},
	} {
		bundles, err := Select(tt.patterns...)
		var got []string
		for _, b := range bundles {
			got = append(got, b.ID)
		}
		text := strings.Join(got, " ")
		if err != nil {
			text = err.Error()
		}
		if text != tt.want || text == "" {
			t.Errorf("%q: got %s, want %s", tt.patterns, text, tt.want)
		}
	}
}

func TestVerbs(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range Verbs() {
		if seen[v.Name] || v.Help == "" {
			t.Errorf("verb %s: seen before %v, help %q", v.Name, seen[v.Name], v.Help)
		}
		seen[v.Name] = true
	}
	for _, name := range notModelled {
		if seen[name] {
			t.Errorf("%s is modelled", name)
		}
	}
}
