package ecs_test

import (
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/ecs"
	"github.com/gmsasim/gmsasim/simulator/fetcher"
)

// TestAgentWords: a credential spec that the agent cannot use ends the task in the agent's own words, those of its operating system.
func TestAgentWords(t *testing.T) {
	const secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:ccguser"
	d := simulator.StartT(t, simulator.Config{
		KDSRootKeys:     []simulator.KDSRootKey{{Effective: simulator.Ago(10 * 3600e9)}},
		Users:           []simulator.User{{Name: "ccguser", Password: "Passw0rd!"}},
		ServiceAccounts: []simulator.ServiceAccount{{Name: "WebApp01", AllowedToRetrieve: []string{"ccguser"}}},
		Hosts: []simulator.HostConfig{
			{Name: "Win01", OS: "Windows Server 2019", Workgroup: true, Plugins: []simulator.Plugin{{Kind: simulator.AWSPlugin}}},
			{Name: "Lin01", OS: "Amazon Linux 2023", Workgroup: true},
		},
		Secrets: []simulator.Secret{{Name: secret, Value: `{"username":"ccguser","password":"Passw0rd!","domainName":"contoso.com"}`, Grants: []string{"Win01", "Lin01"}}},
	})
	c := ecs.New(d, "web")
	c.Register(d.Host("Win01"), true, nil)
	c.Register(d.Host("Lin01"), true, fetcher.New(d, d.Host("Lin01"), fetcher.Options{}))
	section := func(linux bool) string {
		text, err := ecs.Section(d.CredentialSpec("WebApp01"), secret, linux)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	lower := func(s string) string { return strings.Replace(s, "DomainJoinConfig", "domainjoinconfig", 1) }
	for _, tt := range []struct {
		name, text string
		linux      bool
		want       string // "": the task runs
	}{
		{"Windows", section(false), false, ""},
		{"Linux", section(true), true, ""},
		{"the other's form on Linux", section(false), true, "json: cannot unmarshal string into Go struct field"},
		{"the other's form on Windows", section(true), false, "Unable to marshal untyped object pluginInputStringUntyped to type string"},
		{"byte order mark on Windows", "\ufeff" + section(false), false, "invalid character 'ï' looking for beginning of value"},
		{"mistake in S3 on Linux", section(true) + "}", true, "unexpected end of JSON input"},
		{"no section on Windows", string(d.CredentialSpec("WebApp01")), false, "Unable to parse HostAccountConfig from credential spec"},
		{"no section on Linux", string(d.CredentialSpec("WebApp01")), true, "unable to fetch valid credentialspec mapping"},
		{"no account on Linux", strings.Replace(section(true), `"MachineAccountName": "WebApp01"`, `"MachineAccountName": ""`, 1), true, "unable to fetch valid credentialspec mapping"},
		// The agent takes keys in any letters, and credentials-fetcher does not.
		{"key in other letters on Linux", lower(section(true)), true, "Error: credential spec provided is not properly formatted"},
	} {
		c.Put("arn:aws:s3:::specs/webapp.json", []byte(tt.text))
		run, err := c.Run(ecs.Task{Linux: tt.linux, ExecutionRole: "arn:aws:iam::111122223333:role/e", CredentialSpecs: []string{"credentialspecdomainless:arn:aws:s3:::specs/webapp.json"}})
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want == "" && run.Container != nil:
			if n, err := run.Container.NltestSCVerify("contoso.com"); err != nil {
				t.Errorf("%s: %v, %v", tt.name, n.Status(), err)
			}
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}
