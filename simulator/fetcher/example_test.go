package fetcher_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/fetcher"
)

// A Linux host of the domain gets a ticket for a container. With the connection only signed it does not.
func Example() {
	d, err := simulator.Start(context.Background(), simulator.Config{
		KDSRootKeys:     []simulator.KDSRootKey{{Effective: simulator.Ago(10 * 3600e9)}},
		Hosts:           []simulator.HostConfig{{Name: "Linux01", OS: "Amazon Linux 2023"}},
		ServiceAccounts: []simulator.ServiceAccount{{Name: "WebApp01", AllowedToRetrieve: []string{"Linux01"}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.Close()
	f := fetcher.New(d, d.Host("Linux01"), fetcher.Options{Protection: simulator.Signed})
	_, err = f.Lease(d.CredentialSpec("WebApp01"), nil)
	fmt.Println(errors.Is(err, diag.NotSealed))
	f.Set(fetcher.Options{})
	l, err := f.Lease(d.CredentialSpec("WebApp01"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	t, err := l.KerberosTo("ldap/dc01.contoso.com")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(t.Client)
	// Output:
	// true
	// WebApp01$@CONTOSO.COM
}
