package simulator_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// A domain without a KDS root key: the account cannot be made until there is one and ten hours have passed.
func Example() {
	d, err := simulator.Start(context.Background(), simulator.Config{
		Hosts: []simulator.HostConfig{{Name: "ContainerHost01"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer d.Close()

	webApp := simulator.ServiceAccount{Name: "WebApp01", AllowedToRetrieve: []string{"ContainerHost01"}}
	if _, err := d.AddKDSRootKey(simulator.Immediately); err != nil {
		log.Fatal(err)
	}
	err = d.NewServiceAccount(webApp)
	fmt.Println("at once:", errors.Is(err, diag.YoungRootKey))

	d.Clock.Advance(10 * time.Hour)
	fmt.Println("ten hours later:", d.NewServiceAccount(webApp))
	fmt.Println("Test-ADServiceAccount:", d.Host("ContainerHost01").TestServiceAccount("WebApp01"))
	// Output:
	// at once: true
	// ten hours later: <nil>
	// Test-ADServiceAccount: <nil>
}

// In a test, StartT closes the domain at the end and logs the last events when the test has failed.
func ExampleStartT() {
	test := func(t *testing.T) {
		d := simulator.StartT(t, simulator.Contoso())
		d.Inject(simulator.Fault{On: simulator.LDAPSearch, Match: "msDS-ManagedPassword", Count: 2, Do: simulator.Busy})
		// … let the tool read the password from d.LDAPURL(): it should try again …
	}
	_ = test
}

// A finding says what is wrong, why, and what repairs it.
func ExampleHost_TestServiceAccount() {
	cfg := simulator.Contoso()
	cfg.Hosts = append(cfg.Hosts, simulator.HostConfig{Name: "ContainerHost04"})
	d, err := simulator.Start(context.Background(), cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer d.Close()

	err = d.Host("ContainerHost04").TestServiceAccount("WebApp01")
	if f, ok := diag.Of(err); ok {
		fmt.Println(string(f.Code), f.Title)
		fmt.Println(f.Help[0].Command)
	}
	// Output:
	// GMSA201 the host may not read the password
	// Add-ADGroupMember -Identity "WebApp01Hosts" -Members "CONTAINERHOST04$"; Restart-Computer
}
