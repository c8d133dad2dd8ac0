package simulator_test

import (
	"context"
	"errors"
	"testing"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// TestHoldOrdersARace: the call of one container is held while another one sets up its channel, so the race has one outcome.
func TestHoldOrdersARace(t *testing.T) {
	d := simulator.StartT(t, simulator.Contoso())
	h, _ := d.FindHost("ContainerHost01")
	run := func() *simulator.Running {
		t.Helper()
		c, err := h.Run(simulator.Container{Hostname: "web", CredentialSpec: "file://contoso_webapp01.json", Service: windows.User{Name: `NT AUTHORITY\NETWORK SERVICE`}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	a := run()
	held := d.Hold(simulator.Netlogon, "ContainerHost01/web")
	talked := make(chan error, 1)
	go func() { talked <- a.UseChannel() }()
	<-held.Arrived()
	run() // takes the channel over
	held.Release()
	held.Release() // does no harm
	if err := <-talked; !errors.Is(err, diag.ChannelDisplaced) {
		t.Errorf("got %v, want %v", err, diag.ChannelDisplaced)
	}
	if err := a.UseChannel(); err != nil {
		t.Errorf("only one exchange is held: %v", err)
	}
}

// TestHoldEndsWithTheDomain: closing a domain lets go of what is held, and of what would have been.
func TestHoldEndsWithTheDomain(t *testing.T) {
	d, err := simulator.Start(context.Background(), simulator.Contoso())
	if err != nil {
		t.Fatal(err)
	}
	h, _ := d.FindHost("ContainerHost01")
	held := d.Hold(simulator.KDCAS, "ContainerHost01")
	d.Hold(simulator.LDAPSearch, "nobody")
	h.Restart()
	tested := make(chan error, 1)
	go func() { tested <- h.TestServiceAccount("WebApp01") }()
	<-held.Arrived()
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	<-tested // with or without an answer, it ends
}

func TestNetlogonFault(t *testing.T) {
	cfg := simulator.Contoso()
	cfg.DCs = []string{"DC01", "DC02"}
	d := simulator.StartT(t, cfg)
	defer d.Inject(simulator.Fault{On: simulator.Netlogon, DC: "DC01", Do: simulator.Drop})()
	h, _ := d.FindHost("ContainerHost01")
	c, err := h.Run(simulator.Container{CredentialSpec: "file://contoso_webapp01.json"})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := c.NltestSCQuery("contoso.com"); err != nil || n.DC != "dc02.contoso.com" {
		t.Errorf("got %+v, %v, want a channel with the other DC", n, err)
	}
}
