package simulator

import (
	"strings"
	"testing"
)

// FuzzConnectionString: the name that a connection string asks a ticket for is one name of the service MSSQLSvc.
func FuzzConnectionString(f *testing.F) {
	f.Add("Server=tcp:db.contoso.com,1433;Integrated Security=SSPI")
	f.Add(`Data Source=db\SQL1 ; User ID=sa; Password=x;y`)
	f.Add("server;=;;")
	f.Fuzz(func(t *testing.T, text string) {
		if spn := parseConnectionString(text).spn(); !strings.HasPrefix(spn, "MSSQLSvc/") || !strings.Contains(spn, ":") {
			t.Errorf("%q: got %q", text, spn)
		}
	})
}
