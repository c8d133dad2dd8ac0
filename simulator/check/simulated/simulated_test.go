package simulated

import (
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/check"
)

// TestStale: a computer that came into the group after its start has a stale ticket until it is restarted; one that is in no group never has.
func TestStale(t *testing.T) {
	start := time.Date(2019, 5, 3, 10, 0, 0, 0, time.UTC)
	d, err := Open(t.Context(), simulator.Config{
		DNSName: "corp.example", Start: start, KDSRootKeys: []simulator.KDSRootKey{{Effective: simulator.Ago(10 * time.Hour)}},
		Groups:          []simulator.Group{{Name: "web-hosts", Scope: simulator.Global, Members: []string{"WEB01"}, MembersSince: start.Add(-5 * time.Minute)}},
		Hosts:           []simulator.HostConfig{{Name: "WEB01", LastRestart: start.Add(-2 * time.Hour)}, {Name: "WEB02"}},
		ServiceAccounts: []simulator.ServiceAccount{{Name: "webapp", AllowedToRetrieve: []string{"web-hosts"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	one := func(sam string) check.Object {
		t.Helper()
		found, err := d.Find("corp.example", check.BySAM, sam)
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %v, %v", sam, found, err)
		}
		return found[0]
	}
	account := one("webapp$")
	for _, tt := range []struct {
		host       string
		may, stale bool
	}{{"WEB01$", true, true}, {"WEB02$", false, false}} {
		host := one(tt.host)
		may, err := d.MayRetrieve(account, host)
		if err != nil || may != tt.may {
			t.Errorf("%s may retrieve: %v, %v", tt.host, may, err)
		}
		issued, stale, err := d.Stale(account, host)
		if err != nil || stale != tt.stale || stale && !issued.Equal(start.Add(-2*time.Hour)) {
			t.Errorf("%s: stale %v since %v, %v", tt.host, stale, issued, err)
		}
	}
	d.domain.Host("WEB01").Restart()
	if _, stale, err := d.Stale(account, one("WEB01$")); err != nil || stale {
		t.Errorf("after a restart: %v, %v", stale, err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Find("corp.example", check.BySAM, "other$"); err == nil {
		t.Error("a closed directory answers")
	}
	if _, _, err := d.domain.DialLDAP(t.Context(), clientName, ""); err == nil {
		t.Error("the domain outlives its directory")
	}
}
