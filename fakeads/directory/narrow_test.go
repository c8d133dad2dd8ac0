package directory

import (
	"testing"

	"github.com/gmsasim/gmsasim/fakeads/filter"
)

func TestNarrow(t *testing.T) {
	for text, want := range map[string]bool{
		"(sAMAccountName=alice)": true,
		"(SAMACCOUNTNAME=alice)": true,
		"(cn=alice)":             true,
		"(objectSid;binary=x)":   true,
		"(&(objectClass=user)(servicePrincipalName=http/x))":         true,
		"(|(sAMAccountName=alice)(servicePrincipalName=http/alice))": true,
		"(|(sAMAccountName=alice)(description=x))":                   false,
		"(objectClass=user)":                           false,
		"(objectCategory=person)":                      false,
		"(&(objectCategory=person)(objectClass=user))": false,
		"(description=x)":                              false,
		"(noSuchAttribute=x)":                          false,
		"(cn=*)":                                       false,
		"(cn=a*)":                                      false,
		"(!(cn=a))":                                    false,
		"(&)":                                          false,
		"(|)":                                          false,
	} {
		if got := Narrow(filter.MustParse(text)); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
	if Narrow(nil) {
		t.Error("no filter: got true, want false")
	}
}
