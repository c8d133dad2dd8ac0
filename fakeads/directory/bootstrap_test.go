package directory

import (
	"testing"
)

func contosoConfig() Config {
	return Config{Seed: 1, Domains: []DomainConfig{{DNSName: "contoso.com"}}}
}

func newForest(t testing.TB, cfg Config) *Forest {
	t.Helper()
	f, err := New(cfg)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return f
}

func TestBootstrap(t *testing.T) {
	f := newForest(t, Config{Seed: 7, Domains: []DomainConfig{{DNSName: "Contoso.com", DCs: []string{"DC01", "DC02"}}, {DNSName: "child.contoso.com"}, {DNSName: "fabrikam.net"}}})
	for _, r := range f.DCs() {
		v := r.view()
		for k := range ncKinds {
			if v.head(k) == nil {
				t.Errorf("%s has no head of naming context %d", r.DNSName(), k)
			}
		}
		if e := v.bySAM(r.Name() + "$"); e == nil || e.id != r.account {
			t.Errorf("%s: computer object got %v, want id %d", r.DNSName(), e, r.account)
		}
		admins := v.bySAM("domain admins")
		if admins == nil || !admins.hasLink(aMember, v.bySAM("Administrator").id) {
			t.Errorf("%s: Administrator is not in Domain Admins", r.DNSName())
		}
		if e := v.wellKnown(wkServiceAccounts); e == nil || e.text(aCn) != "Managed Service Accounts" {
			t.Errorf("%s: container of service accounts: got %v", r.DNSName(), e)
		}
		if e := v.byName("cn=sam-account-name," + r.ncs[ncSchema].dn.String()); e == nil || e.text(aLDAPDisplayName) != "sAMAccountName" {
			t.Errorf("%s: schema object: got %v", r.DNSName(), e)
		}
	}
}

func TestSameSeedSameForest(t *testing.T) {
	a, b := newForest(t, contosoConfig()), newForest(t, contosoConfig())
	if a.Domains()[0].SID != b.Domains()[0].SID || a.DCs()[0].DSAGUID() != b.DCs()[0].DSAGUID() {
		t.Errorf("two forests of one seed differ: got %v and %v", a.Domains()[0].SID, b.Domains()[0].SID)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if _, err := New(contosoConfig()); err != nil {
			b.Fatal(err)
		}
	}
}
