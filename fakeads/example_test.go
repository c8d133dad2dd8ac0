package fakeads_test

import (
	"context"
	"fmt"
	"net"

	"github.com/go-ldap/ldap/v3"

	"github.com/gmsasim/gmsasim/fakeads"
	"github.com/gmsasim/gmsasim/fakeads/directory"
)

// A domain controller in process: no socket is opened.
func ExampleServer_ServeConn() {
	forest, err := directory.New(directory.Config{Domains: []directory.DomainConfig{{DNSName: "contoso.com"}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	server, err := fakeads.NewServer(fakeads.Config{Replica: forest.DC("DC01")})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	ours, theirs := net.Pipe()
	go server.ServeConn(context.Background(), theirs)
	client := ldap.NewConn(ours, false)
	client.Start()
	defer client.Close()
	if err := client.Bind(`CONTOSO\Administrator`, "Passw0rd!"); err != nil {
		fmt.Println(err)
		return
	}
	who, err := client.WhoAmI(nil)
	fmt.Println(who.AuthzID, err)
	// Output: u:CONTOSO\Administrator <nil>
}
