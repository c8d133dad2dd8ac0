package doctor

import (
	"slices"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// shop is a world in which everything works.
const shop = `schema: gmsasim.world/1
domain:
  kdsRootKeys: [{effective: -10h}]
  groups: [{name: WebApp01Hosts, members: [ContainerHost01]}]
  users: [{name: alice}, {name: sqlsvc, spns: ["MSSQLSvc/db:1433"]}]
  serviceAccounts:
    - {name: WebApp01, spns: [http/shop.contoso.com], allowedToRetrieve: [WebApp01Hosts]}
  hosts: [{name: ContainerHost01, os: Windows Server 2019, credentialSpecs: [WebApp01]}]
containers:
  - {name: shop, host: ContainerHost01, hostname: shop, credentialSpec: "file://contoso_webapp01.json"}
sqlServers:
  - {name: db, account: sqlsvc, logins: ['CONTOSO\WebApp01$']}
uses:
  - {kind: kerberos, container: shop, user: alice, name: shop.contoso.com}
  - {kind: ntlm, container: shop, user: alice}
  - {kind: names, container: shop, user: alice}
  - {kind: ticket, container: shop, spn: host/ContainerHost01.contoso.com}
  - {kind: sql, container: shop, sqlServer: db, spn: "MSSQLSvc/db:1433"}
`

func TestHealthyWorld(t *testing.T) {
	w, err := ParseWorld("shop.yaml", []byte(shop))
	if err != nil {
		t.Fatal(err)
	}
	r, err := DiagnoseWorld(t.Context(), "shop", w, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Outcome != Healthy || slices.ContainsFunc(r.Chain.Links, func(l Link) bool { return l.Mark != Works }) || len(r.Chain.Links) != 12 {
		t.Errorf("got %s, want twelve checks that work:\n%s", r.Outcome, r.Text(Plain))
	}
}

// TestWorldWithoutKey: a domain whose accounts cannot be because no root key is usable is diagnosed, not refused.
func TestWorldWithoutKey(t *testing.T) {
	for _, tt := range []struct {
		name, keys string
		code       diag.Code
	}{
		{"no key", "", diag.NoRootKey},
		{"a young key", "  kdsRootKeys: [{effective: 2h}]\n", diag.YoungRootKey},
	} {
		text := strings.Replace(shop, "  kdsRootKeys: [{effective: -10h}]\n", tt.keys, 1)
		w, err := ParseWorld("shop.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		r, err := DiagnoseWorld(t.Context(), "shop", w, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Outcome != Repaired || len(r.Causes) != 1 || r.Causes[0].Finding.Code != tt.code || !strings.HasPrefix(r.Causes[0].Fixes[0].Command, "Add-KdsRootKey") {
			t.Errorf("%s: got\n%s\nwant %s alone, and that a key is made", tt.name, r.Text(Plain), string(tt.code))
		}
	}
	text := strings.NewReplacer("  kdsRootKeys: [{effective: -10h}]\n", "", "members: [ContainerHost01]", "members: [ContainerHost1]").Replace(shop)
	if _, err := ParseWorld("shop.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), "ContainerHost01") {
		t.Errorf("another fault beside it: got %v, want that it is refused", err)
	}
}

func TestIsOwn(t *testing.T) {
	for text, want := range map[string]bool{
		shop: true, "schema: gmsasim/v1\ndomain: contoso\n": true, `"schema": "gmsasim.world/2"`: true, "schema: other/1\n": false, "services: {}\n": false,
	} {
		if IsOwn([]byte(text)) != want {
			t.Errorf("%.40q: got %v, want %v", text, !want, want)
		}
	}
}

func TestLikeWorld(t *testing.T) {
	_, rest, _ := strings.Cut(shop, "\n")
	for text, want := range map[string]bool{
		shop: false, rest: true, "schema: gmsasim/v1\ndomain: contoso\nsteps: []\n": false, "services:\n  web: {image: x}\n": false, "a:\n  domain: x\n": false,
	} {
		if LikeWorld([]byte(text)) != want {
			t.Errorf("%.40q: got %v, want %v", text, !want, want)
		}
	}
}

// TestWorldFaults: several faults come out in the order in which they bite, each with a proved fix, and the checks between them work.
func TestWorldFaults(t *testing.T) {
	text := strings.NewReplacer(", members: [ContainerHost01]", "", "spns: [http/shop.contoso.com], ", "").Replace(shop)
	w, err := ParseWorld("shop.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	r, err := DiagnoseWorld(t.Context(), "shop", w, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Causes) < 2 || r.Causes[0].Finding.Code != diag.NotAllowed || r.Causes[1].Finding.Code != diag.SPNUnknown {
		t.Fatalf("got\n%s\nwant GMSA201 and GMSA501", r.Text(Plain))
	}
	var failed []string
	for _, l := range r.Chain.Links {
		if l.Mark == Fails {
			failed = append(failed, l.Step)
		}
	}
	if !slices.Equal(failed, []string{"S4", "S9"}) {
		t.Errorf("got the failing steps %v, want S4 and S9:\n%s", failed, r.Text(Plain))
	}
}

// TestImpossibleWorlds: what no machine can be put into is refused, at its place, with the rule and the nearest that is possible.
func TestImpossibleWorlds(t *testing.T) {
	for _, tt := range []struct{ old, new, want string }{
		{"os: Windows Server 2019", "os: Windows Server 1703", "shop.yaml:8:39: \"Windows Server 1703\" is no Windows release: …not as a server edition; nearest: Windows Server 1709"},
		{"os: Windows Server 2019", "os: Windows 10 1803", ""},
		{"hostname: shop,", "isolation: process, hostname: shop,", ""},
		{"os: Windows Server 2019, credentialSpecs: [WebApp01]}]\ncontainers:\n  - {", "os: Windows 10 1803, credentialSpecs: [WebApp01]}]\ncontainers:\n  - {isolation: process, ",
			"shop.yaml:10:17: Windows 10 1803… does not offer process isolation: clients before 1809 …; nearest: hyperv"},
		{"host: ContainerHost01, h", "host: ContainerHost1, h", "shop.yaml:10:24: no host \"ContainerHost1\"; nearest: ContainerHost01"},
		{"user: alice, name", "user: alic, name", "shop.yaml:14:45: no user \"alic\"; nearest: alice"},
		{"kind: ntlm", "kind: ntml", "shop.yaml:15:12: no kind of use \"ntml\"; …; nearest: ntlm"},
		{", name: shop.contoso.com}", "}", "shop.yaml:14:5: a use of kind kerberos needs spn or name"},
		{"sqlServer: db,", "sqlServer: bd,", "shop.yaml:18:45: no SQL Server \"bd\""},
		{"account: sqlsvc", "account: slqsvc", "shop.yaml:12:25: no user \"slqsvc\"; nearest: sqlsvc"},
		{"uses:", "use:", "shop.yaml:13:1: no key \"use\" here; …; nearest: uses"},
		{"gmsasim.world/1", "gmsasim.world/2", "shop.yaml:1:9: schema \"gmsasim.world/2\": this version reads gmsasim.world/1"},
		{"name: shop, host", "name: sh op, host", "shop.yaml:10:12: \"sh op\" is not a name: …"},
		{"members: [ContainerHost01]", "members: [ContainerHost02]", "shop.yaml:4:"},
	} {
		if !strings.Contains(shop, tt.old) {
			t.Fatalf("the world does not contain %q", tt.old)
		}
		w, err := ParseWorld("shop.yaml", []byte(strings.Replace(shop, tt.old, tt.new, 1)))
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: got %v, want no error", tt.new, err)
		case tt.want == "":
			if err := w.Validate(); err != nil {
				t.Errorf("%s: the reader takes it and Validate says %v", tt.new, err)
			}
		case err == nil || !inOrder(err.Error(), tt.want):
			t.Errorf("%s: got %v, want %s", tt.new, err, tt.want)
		case len(scenarios.SourceErrors(err)) == 0:
			t.Errorf("%s: %v has no place", tt.new, err)
		}
	}
}

// inOrder tells that text begins with the first of some parts, with … between, and contains the others in this order.
func inOrder(text, parts string) bool {
	first, rest, _ := strings.Cut(parts, "…")
	text, ok := strings.CutPrefix(text, first)
	for _, p := range strings.Split(rest, "…") {
		if ok {
			_, text, ok = strings.Cut(text, p)
		}
	}
	return ok
}

func TestIsWorld(t *testing.T) {
	for text, want := range map[string]bool{shop: true, "# a comment\nschema: gmsasim.world/7\n": true, "\ufeffschema: gmsasim.world/1\n": true, "schema: gmsasim/v1\n": false, "x: schema: gmsasim.world/1": false, "": false} {
		if got := IsWorld([]byte(text)); got != want {
			t.Errorf("%.30q: got %v, want %v", text, got, want)
		}
	}
}
