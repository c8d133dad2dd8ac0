package simulator

import (
	"testing"

	"github.com/gmsasim/gmsasim/simulator/windows"
)

// TestSnapshotOfSettings: files, policies, logins, a test of root keys, a sign-in at the desktop and a container's DNS go back too.
func TestSnapshotOfSettings(t *testing.T) {
	d := StartT(t, Contoso())
	check(t, d.NewUser(User{Name: "sqlsvc", SPNs: []string{"MSSQLSvc/db:1433"}}))
	server, err := d.NewSQLServer("sqlsvc")
	check(t, err)
	h, dc := d.Host("ContainerHost01"), d.DC("DC01")
	c := start(t, h, gmsaContainer())
	before := d.Snapshot()

	h.WriteCredentialSpec("late.json", []byte("{}"))
	h.SetSignedIn(true)
	check(t, h.Upgrade("", windows.Engine{Kind: windows.Containerd}))
	check(t, d.SetPolicy(PolicyDenyNTLM, true))
	check(t, server.CreateLogin(`CONTOSO\WebApp01$`))
	if _, err := d.NewSQLServer("alice"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.TestKDSRootKey(); err != nil {
		t.Fatal(err)
	}
	c.SetDNS("8.8.8.8")
	dc.StopKDS()

	check(t, d.Restore(before))
	if _, there := h.ReadCredentialSpec("late.json"); there {
		t.Error("a file of after the snapshot is there")
	}
	if h.machineSystem().signedIn || h.Engine() != (windows.Engine{}) {
		t.Errorf("got %+v", h.machineSystem())
	}
	if d.hasPolicy(PolicyDenyNTLM) {
		t.Error("the policy is in force")
	}
	if l := server.allLogins(); len(l) != 0 || d.SQLServer("alice") != nil || d.SQLServer("sqlsvc") != server {
		t.Errorf("got logins %+v", l)
	}
	if !dc.localKeyTest().IsZero() || dc.replica.KDSStopped() {
		t.Error("the DC remembers what happened after the snapshot")
	}
	if _, err := c.NltestSCVerify("contoso.com"); err != nil {
		t.Errorf("with the DNS servers of the snapshot: %v", err)
	}
}
