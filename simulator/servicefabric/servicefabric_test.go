package servicefabric_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/servicefabric"
)

// An application on every node, of which one does not have the credential spec.
func Example() {
	cfg := simulator.Contoso()
	cfg.Hosts[1].CredentialSpecs = nil
	d, err := simulator.Start(context.Background(), cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer d.Close()
	c, err := servicefabric.New(d, nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := c.Deploy(servicefabric.Application{Name: "WebApp", SecurityOption: "credentialspec=file://contoso_webapp01.json", InstanceCount: -1}); err != nil {
		log.Fatal(err)
	}
	_, running, err := c.Health("WebApp")
	fmt.Println(running, errors.Is(err, diag.CredentialSpecMissing))
	if _, _, err := d.Host("ContainerHost02").NewCredentialSpec(simulator.NewCredentialSpec{Account: "WebApp01"}); err != nil {
		log.Fatal(err)
	}
	_, running, err = c.Health("WebApp")
	fmt.Println(running, err)
	// Output:
	// 2 true
	// 3 <nil>
}
