package doctor

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/scenarios"
)

// world begins a case with the guide's account on a host of Windows Server 2019.
const world = `domain:
  kdsRootKeys: [{effective: -10h}]
  groups: [{name: WebApp01Hosts, members: [ContainerHost01]}]
  users: [{name: alice}]
  serviceAccounts: [{name: WebApp01, spns: [host/WebApp01, host/WebApp01.contoso.com], allowedToRetrieve: [WebApp01Hosts]}]
  hosts: [{name: ContainerHost01, credentialSpecs: [WebApp01]}]
steps:
`

// TestLook: the marks of S1 to S11 in one line, + works, x fails, - is not reached, . was not checked.
func TestLook(t *testing.T) {
	signs := map[Mark]string{Works: "+", Fails: "x", NotReached: "-", NotChecked: "."}
	complain := "  - testServiceAccount: {host: ContainerHost01, account: WebApp01}\n"
	for _, tt := range []struct {
		name, steps string
		of          Subject
		want        string
		code        string // of the first that fails
	}{
		{"healthy", world + complain, Subject{}, "+++++++++++", ""},
		{"not in the group", world + "  - removeGroupMember: {group: WebApp01Hosts, members: [ContainerHost01]}\n  - restartHost: ContainerHost01\n" + complain,
			Subject{}, "+++x++-----", "GMSA201"},
		{"no DC", world + "  - stopDC: DC01\n" + complain, Subject{}, "..x-++-----", "GMSA602"},
		{"no root key", "steps:\n  - {newServiceAccount: {name: WebApp01}}\n", Subject{}, "x----------", "GMSA101"},
		{"no credential spec", world + `  - {id: c, runContainer: {host: ContainerHost01}}
  - {nltest: {container: c, command: "/sc_verify:contoso.com"}}
`, Subject{}, "++++x+-----", "GMSA305"},
		{"a file that is not there", world + "  - {runContainer: {host: ContainerHost01, credentialSpec: \"file://webapp.json\"}}\n", Subject{}, "++++x------", "GMSA410"},
		{"no such isolation", strings.Replace(world, "{name: ContainerHost01,", "{name: ContainerHost01, noHypervisor: true,", 1) +
			"  - {runContainer: {host: ContainerHost01, isolation: hyperv, credentialSpec: \"file://contoso_webapp01.json\"}}\n", Subject{}, "++++.x-----", "GMSA312"},
		{"an alias", world + "  - {kerberosTo: {from: alice, spn: host/shop.contoso.com}}\n", Subject{}, "++++++++x++", "GMSA501"},
		{"channel displaced before the complaint", world + `  - {id: a, runContainer: {host: ContainerHost01, hostname: web, credentialSpec: "file://contoso_webapp01.json"}}
  - {id: b, runContainer: {host: ContainerHost01, hostname: web, credentialSpec: "file://contoso_webapp01.json"}}
  - {nltest: {container: a, command: "/sc_verify:contoso.com"}}
`, Subject{}, "++++++x++-+", "GMSA302"},
		{"another account", world + complain, Subject{Account: "webapp01$"}, "+++++++++++", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Look(t.Context(), parse(t, tt.steps), Options{}, tt.of)
			if err != nil {
				t.Fatal(err)
			}
			var marks, code string
			for _, l := range c.Links {
				marks += signs[l.Mark]
				if l.Finding != nil && code == "" {
					code = string(l.Finding.Code)
				}
			}
			if marks != tt.want || code != tt.code {
				t.Errorf("got %s %s, want %s %s: %+v", marks, code, tt.want, tt.code, c.Links)
			}
		})
	}
}

// TestLookAtOthers: hosts outside the domain with a plug-in, and containers that an orchestrator placed, in bundles of the catalogue.
func TestLookAtOthers(t *testing.T) {
	signs := map[Mark]string{Works: "+", Fails: "x", NotReached: "-", NotChecked: "."}
	bundles, err := scenarios.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{
		"plugin-bad-user-credentials": "+++x++-----", // the plug-in's user, not the host, is refused
		"host-not-domain-joined":      "++x-++-----",
		"k8s-node-not-allowed":        "+++x++-----", // on the node of the pod
		"k8s-credspec-not-found":      "++++.x-----", // there is no pod to look into
		"swarm-replicas-one-hostname": "++++++x+.-.",
	} {
		t.Run(id, func(t *testing.T) {
			i := slices.IndexFunc(bundles, func(b *scenarios.Bundle) bool { return b.ID == id })
			c, err := Look(t.Context(), bundles[i].Cases[0], Options{}, Subject{})
			if err != nil {
				t.Fatal(err)
			}
			marks := ""
			for _, l := range c.Links {
				marks += signs[l.Mark]
			}
			if marks != want {
				t.Errorf("got %s, want %s: %+v", marks, want, c.Links)
			}
		})
	}
}

func TestLookAtWhatIsNotThere(t *testing.T) {
	c := parse(t, world+"  - testServiceAccount: {host: ContainerHost01, account: WebApp01}\n")
	for _, tt := range []struct {
		of      Subject
		nearest string
	}{
		{Subject{Host: "ContainerHost1"}, "ContainerHost01"},
		{Subject{Account: "WebAp01"}, "WebApp01"},
	} {
		_, err := Look(t.Context(), c, Options{}, tt.of)
		if e, ok := errors.AsType[*UnknownError](err); !ok || e.Nearest != tt.nearest {
			t.Errorf("%+v: got %v, want the nearest name %s", tt.of, err, tt.nearest)
		}
	}
}
