package directory

import (
	"testing"
	"time"
)

func TestRootDSE(t *testing.T) {
	f := newForest(t, contosoConfig())
	r := f.DC("DC01")
	wire := time.Date(2024, 11, 3, 6, 29, 34, 987654321, time.UTC)
	e := r.RootDSE(&Caller{Anonymous: true}, nil, wire)
	for name, want := range map[string]string{
		"defaultNamingContext": contosoDN, "rootDomainNamingContext": contosoDN, "dnsHostName": "DC01.contoso.com", "currentTime": "20241103062934.0Z",
		"ldapServiceName": "contoso.com:dc01$@CONTOSO.COM", "domainControllerFunctionality": "7", "isSynchronized": "TRUE",
		"dsServiceName": "CN=NTDS Settings,CN=DC01,CN=Servers,CN=Default-First-Site-Name,CN=Sites,CN=Configuration," + contosoDN,
	} {
		if got := e.Value(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]int{"namingContexts": 5, "supportedControl": 40, "supportedCapabilities": 6, "supportedLDAPPolicies": 20, "supportedSASLMechanisms": 4} {
		if got := len(e.Values(name)); got != want {
			t.Errorf("%s: got %d values, want %d", name, got, want)
		}
	}
	if len(e.Attributes) != 22 || e.Attributes[0].Name != "domainFunctionality" {
		t.Errorf("got %d attributes, the first %s, want 22", len(e.Attributes), e.Attributes[0].Name)
	}
	if e := r.RootDSE(admin(f), []string{"TOKENGROUPS", "supportedExtension", "nosuch"}, wire); len(e.Attributes) != 2 || len(e.Values("tokenGroups")) < 8 {
		t.Errorf("by name: got %+v", e.Attributes)
	}
	// The DNs it names are there.
	for _, name := range []string{"dsServiceName", "serverName", "schemaNamingContext", "subschemaSubentry", "configurationNamingContext"} {
		mustGet(t, r, e.Value(name), "1.1")
	}
}
