package doctor

import (
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

func parse(t *testing.T, text string) *scenarios.Case {
	t.Helper()
	b, err := scenarios.Parse("case.yaml", []byte("schema: gmsasim/v1\nid: case\ntitle: a case\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	return b.Cases[0]
}

func diagnose(t *testing.T, text string) *Report {
	t.Helper()
	r, err := Diagnose(t.Context(), parse(t, text), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestHealthy(t *testing.T) {
	r := diagnose(t, "domain: contoso\nsteps:\n  - testServiceAccount: {host: ContainerHost01, account: WebApp01}\n")
	if r.Outcome != Healthy || r.Complaint != nil || len(r.Causes) != 0 || r.Replays != 0 {
		t.Errorf("got %+v, want a healthy case without causes", r)
	}
}

// TestUnexpectedEnds: a case that does not come to what it says cannot be diagnosed.
func TestUnexpectedEnds(t *testing.T) {
	steps := "domain: contoso\nsteps:\n  - {readPassword: {host: ContainerHost01, account: WebApp01}, expect: {facts: {DC: DC09}}}\n"
	if _, err := Diagnose(t.Context(), parse(t, steps), Options{}); err == nil || !strings.Contains(err.Error(), "want DC09") {
		t.Errorf("got %v, want what the step came to", err)
	}
}

// TestTry: what comes of a help, from carrying it out.
func TestTry(t *testing.T) {
	const setup = `domain:
  groups: [{name: WebApp01Hosts}]
  hosts: [{name: ContainerHost01}]
  kdsRootKeys: [{effective: 2019-05-01T00:00:00Z}]
  serviceAccounts: [{name: WebApp01, allowedToRetrieve: [WebApp01Hosts]}]
steps:
  - testServiceAccount: {host: ContainerHost01, account: WebApp01}
`
	p := newPatient(parse(t, setup), Options{})
	r, last, err := p.complaint(t.Context())
	if err != nil || last == nil {
		t.Fatalf("got %v, %v, want a complaint", last, err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	p.step = last.N
	member := "addGroupMember: {group: WebApp01Hosts, members: [ContainerHost01]}"
	for _, tt := range []struct {
		name  string
		fixes []string
		next  diag.Code
		why   string
	}{
		{"all of it", []string{member, "restartHost: ContainerHost01"}, "", ""},
		{"half of it", []string{member}, diag.StaleTicket, ""},
		{"nothing that helps", []string{"restartHost: ContainerHost01"}, diag.NotAllowed, ""},
		{"another argument", []string{`with: {account: "WebApp02"}`}, diag.NoSuchAccount, ""},
		{"no such verb", []string{"reboot: ContainerHost01"}, "", "cannot be carried out: fix:1:1: no verb or key"},
		{"no such argument", []string{"with: {acount: WebApp01}"}, "", "cannot be carried out: with:1:"},
		{"a step that fails", []string{"addGroupMember: {group: Nobody, members: [ContainerHost01]}"}, "", "addGroupMember fails: GMSA104"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next, why, err := p.try(t.Context(), tt.fixes)
			if err != nil {
				t.Fatal(err)
			}
			var code diag.Code
			if next != nil {
				code = next.Code
			}
			if code != tt.next || !strings.HasPrefix(why, tt.why) || (why == "") != (tt.why == "") {
				t.Errorf("got %q %q, want %q %q", code, why, tt.next, tt.why)
			}
		})
	}
}
