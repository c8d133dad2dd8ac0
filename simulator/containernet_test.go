package simulator

import (
	"errors"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// TestContainerNetworks: which networks keep a container from its DCs, and which have a site.
func TestContainerNetworks(t *testing.T) {
	cfg := Contoso()
	cfg.DCSubnet, cfg.SiteSubnets = "10.20.0.0/16", []string{"172.16.0.0/12", "192.168.7.0/24"}
	d := StartT(t, cfg)
	for _, tc := range []struct {
		subnet   string
		overlaps bool
		noSite   bool
	}{
		{"", false, false},
		{"10.20.30.0/24", true, true},
		{"10.0.0.0/8", true, true},
		{"10.21.0.0/16", false, true},
		{"172.31.240.0/20", false, false},
		{"192.168.7.0/24", false, false},
		{"192.168.0.0/16", false, true}, // part of it is in a site
	} {
		c := gmsaContainer()
		c.Subnet = tc.subnet
		r := start(t, d.Host("ContainerHost01"), c)
		if _, err := r.NltestSCVerify("contoso.com"); errors.Is(err, diag.DCUnreachable) != tc.overlaps {
			t.Errorf("%q: got %v", tc.subnet, err)
		}
		n, _ := r.NltestDSGetDC("contoso.com") // fails where the networks overlap
		if got := r.st.siteUnknown(); got != tc.noSite || !tc.overlaps && strings.Contains(n.Text, "CLOSE_SITE") == tc.noSite {
			t.Errorf("%q: without a site: got %v and\n%s", tc.subnet, got, n.Text)
		}
	}
	if err := (Container{Subnet: "10.0.0.1"}).Validate(); err == nil {
		t.Error("an address: got no error")
	}
}

// TestShuts: which closed ports are one of a DC.
func TestShuts(t *testing.T) {
	dc := &DC{name: "DC01"}
	for closed, want := range map[string]bool{"49667": true, "dc01": true, "DC01:49667": true, "DC01:135": false, "135": false, "DC02": false} {
		if got := shuts(closed, dc, portNetlogon); got != want {
			t.Errorf("%s: got %v, want %v", closed, got, want)
		}
	}
}
