package simulator

import (
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// TestDelegation: S4U2Proxy needs the other name on the account's list, and with NTLM the right to change protocols.
func TestDelegation(t *testing.T) {
	cfg := Contoso()
	cfg.Users = append(cfg.Users, User{Name: "sqlsvc", SPNs: []string{"MSSQLSvc/db:1433"}})
	d := StartT(t, cfg)
	c := start(t, d.Host("ContainerHost01"), gmsaContainer())
	p, err := c.Exec(networkService.Name)
	check(t, err)
	act := func(how Arrival, want string) {
		t.Helper()
		ticket, err := p.ActFor(ForUser{User: "alice", Arrived: how, At: "host/webapp01"}, "MSSQLSvc/db:1433")
		if want == "" {
			if err != nil || !strings.EqualFold(ticket.Client, "alice@CONTOSO.COM") || ticket.Server != "MSSQLSvc/db:1433@CONTOSO.COM" {
				t.Errorf("%s: got %+v, %v", how, ticket, err)
			}
			return
		}
		if f, ok := diag.Of(err); !ok || f.Code != diag.DelegationRefused || f.Mode != want {
			t.Errorf("%s: got %v, want %s", how, err, want)
		}
	}
	act(ByKerberos, "deleg-none")
	check(t, d.SetServiceAccount("WebApp01", func(s *ServiceAccount) { s.AllowedToDelegateTo = []string{"MSSQLSvc/db:1433"} }))
	act(ByKerberos, "")
	act(ByNTLM, "deleg-protocol-transition-missing")
	check(t, d.SetServiceAccount("WebApp01", func(s *ServiceAccount) { s.TrustedToAuthForDelegation = true }))
	act(ByNTLM, "")
	act(ByForms, "")
}
