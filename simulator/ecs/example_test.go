package ecs_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/ecs"
)

// A task with a credential spec needs an execution role, and then an instance of the domain.
func Example() {
	d, err := simulator.Start(context.Background(), simulator.Config{
		KDSRootKeys:     []simulator.KDSRootKey{{Effective: simulator.Ago(10 * 3600e9)}},
		Hosts:           []simulator.HostConfig{{Name: "Win01", OS: "Windows Server 2019"}},
		ServiceAccounts: []simulator.ServiceAccount{{Name: "WebApp01", AllowedToRetrieve: []string{"Win01"}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer d.Close()
	c := ecs.New(d, "web")
	fmt.Println(c.Register(d.Host("Win01"), true, nil).Attributes())
	c.Put("arn:aws:s3:::specs/webapp01.json", d.CredentialSpec("WebApp01"))
	task := ecs.Task{CredentialSpecs: []string{"credentialspec:arn:aws:s3:::specs/webapp01.json"}}
	_, err = c.Run(task)
	fmt.Println(errors.Is(err, diag.ECSNoExecutionRole), err)
	task.ExecutionRole = "arn:aws:iam::111122223333:role/ecsTaskExecutionRole"
	run, err := c.Run(task)
	if err != nil {
		fmt.Println(err)
		return
	}
	n, err := run.Container.NltestSCVerify("contoso.com")
	fmt.Println(run.Host, n.Status(), err)
	// Output:
	// [ecs.capability.gmsa]
	// true GMSA752 there is no execution role to fetch the credential spec with: credentialspec resource: unable to find execution role credentials
	// Win01 0 0x0 NERR_Success <nil>
}
