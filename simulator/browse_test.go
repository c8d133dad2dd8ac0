package simulator

import (
	"slices"
	"testing"
)

// TestBrowse: which protocol a browser comes with, and as whom.
func TestBrowse(t *testing.T) {
	cfg := Contoso()
	cfg.ServiceAccounts[0].SPNs = append(slices.Clone(cfg.ServiceAccounts[0].SPNs), "http/shop.contoso.com")
	d := StartT(t, cfg)
	c := gmsaContainer()
	c.Hostname = "webapp01"
	r := start(t, d.Host("ContainerHost01"), c)
	for _, tc := range []struct {
		from, address string
		site          Site
		want          string // protocol, "" for an error
	}{
		{"alice", "http://shop.contoso.com", Site{}, "Kerberos"},
		{`CONTOSO\alice`, "http://shop.contoso.com:8080/a", Site{KerberosOnly: true}, "Kerberos"}, // the port is no part of the name
		{"alice", "http://nobody.contoso.com", Site{}, "NTLM"},
		{"alice", "http://nobody.contoso.com", Site{KerberosOnly: true}, ""},
		{"alice", "http://10.0.0.7", Site{}, "NTLM"},
		{"alice", "http://10.0.0.7", Site{KerberosOnly: true}, ""},
		{`LAPTOP\alice`, "http://shop.contoso.com", Site{}, ""},
		{"alice", "ftp://shop.contoso.com", Site{}, ""},
		{"alice", "shop", Site{}, ""},
		{"nobody", "http://shop.contoso.com", Site{}, ""},
	} {
		v, err := d.Browse(tc.from, tc.address, r, tc.site)
		if v.Protocol != tc.want && err == nil || (err == nil) != (tc.want != "") {
			t.Errorf("%s at %s, %+v: got %+v, %v; want %q", tc.from, tc.address, tc.site, v, err, tc.want)
		}
	}
	check(t, d.SetPolicy(PolicyDenyNTLM, true))
	if _, err := d.Browse("alice", "http://nobody.contoso.com", r, Site{}); err == nil {
		t.Error("without NTLM: got no error")
	}
	check(t, d.SetPolicy(PolicyDenyNTLM, false))
	if err := d.SetPolicy("none", true); err == nil {
		t.Error("a policy that is none: got no error")
	}
}
