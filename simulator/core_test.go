package simulator

import (
	"testing"

	"github.com/gmsasim/gmsasim/simulator/windows"
)

// TestCoreRows has the setups of the guide and its corrections, one row each: what the host says, whether the container starts, the status
// of nltest, and who of the others notices. [TestWhoNoticesWhat] has the rows about the first broken step.
func TestCoreRows(t *testing.T) {
	keys := NewKeys()
	contoso := func(os string, change func(*Config)) Config {
		cfg := Contoso()
		cfg.Keys = keys
		for i := range cfg.Hosts {
			cfg.Hosts[i].OS = os
		}
		if change != nil {
			change(&cfg)
		}
		return cfg
	}
	const (
		server2016, server1803, server2019 = "Windows Server 2016", "Windows Server, version 1803", "Windows Server 2019"
		spec                               = "file://contoso_webapp01.json"
	)
	run := func(hostname string, isolation windows.Isolation) Container {
		return Container{CredentialSpec: spec, Hostname: hostname, Isolation: isolation, Service: networkService}
	}
	second := func(hostname string) func(*testing.T, *Domain) {
		return func(t *testing.T, d *Domain) { start(t, d.Host("ContainerHost02"), run(hostname, windows.Process)) }
	}
	good := [5]string{ok, ok, ok, ok, ok}
	allFail := [5]string{fail, fail, fail, fail, fail}
	channelOnly := [5]string{ok, ok, ok, fail, fail}
	for _, tc := range []struct {
		row           string
		config        Config
		before, after func(*testing.T, *Domain)
		run           Container
		test, start   string
		query, verify Status
		// klist get krbtgt, dir of SYSVOL, inbound Kerberos, inbound NTLM, names of SIDs
		inside [5]string
	}{
		{row: "2019, no host name", config: contoso(server2019, nil), run: run("", windows.Process), test: ok, start: ok, inside: good},
		{row: "2016, host name is the account", config: contoso(server2016, nil), run: run("webapp01", windows.Process), test: ok, start: ok, inside: good},
		{row: "2016, another host name", config: contoso(server2016, nil), run: run("web", windows.Process), test: ok, start: ok,
			query: StatusNoTrustSAMAccount, verify: StatusNoTrustSAMAccount, inside: channelOnly},
		{row: "2019, another host name", config: contoso(server2019, nil), run: run("web", windows.Process), test: ok, start: ok, inside: good},
		{row: "1803, Hyper-V", config: contoso(server1803, nil), run: run("webapp01", windows.HyperV), test: ok, start: fail},
		{row: "2016, Hyper-V", config: contoso(server2016, nil), run: run("webapp01", windows.HyperV), test: ok, start: ok, inside: good},
		{row: "2019, Hyper-V", config: contoso(server2019, nil), run: run("", windows.HyperV), test: ok, start: ok, inside: good},
		{row: "2016, a second container", config: contoso(server2016, nil), run: run("webapp01", windows.Process), after: second("webapp01"), test: ok, start: ok,
			verify: StatusAccessDenied, inside: channelOnly},
		{row: "2019, a second container, guide of 2025", config: contoso(server2019, nil), run: run("web", windows.Process), after: second("web"), test: ok, start: ok,
			verify: StatusAccessDenied, inside: channelOnly},
		{row: "2019, a second container, guide of 2019", config: contoso(server2019, func(c *Config) { c.Profiles.Concurrency = windows.Concurrency2019 }),
			run: run("web", windows.Process), after: second("web"), test: ok, start: ok, inside: good},
		{row: "the host is not a member", config: contoso(server2019, func(c *Config) { c.Groups[0].Members = nil }), run: run("", windows.Process), test: fail, start: ok,
			query: StatusNoTrustLSASecret, verify: StatusNoTrustLSASecret, inside: allFail},
		{row: "a member after the restart", config: contoso(server2019, func(c *Config) { c.Groups[0].Members = nil }), run: run("", windows.Process),
			before: func(t *testing.T, d *Domain) {
				check(t, d.AddGroupMember("WebApp01Hosts", "ContainerHost01"))
				d.Host("ContainerHost01").Restart()
			}, test: ok, start: ok, inside: good},
		{row: "a member before the restart", config: contoso(server2019, func(c *Config) { c.Groups[0].Members, c.Groups[0].Scope = nil, Global }), run: run("", windows.Process),
			before: func(t *testing.T, d *Domain) {
				h := d.Host("ContainerHost01")
				if h.TestServiceAccount("WebApp01") == nil {
					t.Error("the host may read the password before it is a member")
				}
				check(t, d.AddGroupMember("WebApp01Hosts", "ContainerHost01"))
			}, test: fail, start: ok, query: StatusNoTrustLSASecret, verify: StatusNoTrustLSASecret, inside: allFail},
		{row: "the host has not joined, without a plug-in", config: contoso(server2019, func(c *Config) { c.Groups[0].Members, c.Hosts[0].Workgroup = nil, true }),
			run: run("", windows.Process), test: fail, start: ok, query: StatusNoTrustLSASecret, verify: StatusNoTrustLSASecret, inside: allFail},
		{row: "the account with a $ in the credential spec", config: contoso(server2019, nil), run: run("", windows.Process),
			before: func(t *testing.T, d *Domain) {
				check(t, d.Host("ContainerHost01").EditCredentialSpec("contoso_webapp01.json", "DomainJoinConfig.MachineAccountName", "webapp01$"))
			}, test: ok, start: ok, query: StatusNoTrustLSASecret, verify: StatusNoTrustLSASecret, inside: allFail},
		{row: "no credential spec", config: contoso(server2019, nil), run: Container{Service: networkService}, test: ok, start: ok,
			query: StatusServerUnavailable, verify: StatusServerUnavailable, inside: allFail},
		{row: "an absolute path", config: contoso(server2019, nil), run: Container{CredentialSpec: `file://C:\specs\webapp01.json`}, test: ok, start: fail},
		{row: "a file that is not there", config: contoso(server2019, nil), run: Container{CredentialSpec: "file://none.json"}, test: ok, start: fail},
		{row: "2016, the container runs as Network Service", config: contoso(server2016, nil), run: Container{CredentialSpec: spec, Hostname: "webapp01", User: networkService},
			test: ok, start: fail},
		{row: "no name for the service", config: contoso(server2019, func(c *Config) { c.ServiceAccounts[0].SPNs = nil }), run: run("", windows.Process), test: ok, start: ok,
			inside: [5]string{ok, ok, fail, ok, ok}},
		{row: "the account lost the flag of a machine", config: contoso(server2019, nil), run: run("", windows.Process),
			before: func(t *testing.T, d *Domain) { check(t, d.SetAccountControl("WebApp01", uacNormal)) }, test: ok, start: ok,
			query: StatusNoTrustSAMAccount, verify: StatusNoTrustSAMAccount, inside: channelOnly},
	} {
		t.Run(tc.row, func(t *testing.T) {
			d := StartT(t, tc.config)
			if tc.before != nil {
				tc.before(t, d)
			}
			h := d.Host("ContainerHost01")
			if got := end(h.TestServiceAccount("WebApp01")); got != tc.test {
				t.Errorf("Test-ADServiceAccount: got %s, want %s", got, tc.test)
			}
			c, err := h.Run(tc.run)
			if end(err) != tc.start {
				t.Fatalf("docker run: got %v, want %s", err, tc.start)
			}
			if err != nil {
				return
			}
			if tc.after != nil {
				if _, err := c.NltestSCVerify("contoso.com"); err != nil {
					t.Fatalf("before the other container: %v", err)
				}
				tc.after(t, d)
			}
			at := d.Snapshot()
			query, _ := c.NltestQuery()
			verify, _ := c.NltestSCVerify("contoso.com")
			if query.Status() != tc.query || verify.Status() != tc.verify {
				t.Errorf("nltest: got /query %s and /sc_verify %s, want %s and %s", query.Status(), verify.Status(), tc.query, tc.verify)
			}
			var got [5]string
			for i, look := range []func() error{
				func() error { _, err := c.App().KlistGet("krbtgt"); return err },
				func() error { _, err := c.App().DirSYSVOL("contoso.com"); return err },
				func() error { return c.InboundKerberos("alice", "http/webapp01.contoso.com") },
				func() error { return c.InboundNTLM("alice") },
				func() error { _, err := c.TranslateName("alice"); return err },
			} {
				check(t, d.Restore(at)) // each looks at the same state
				got[i] = end(look())
			}
			if got != tc.inside {
				t.Errorf("got  %v\nwant %v", got, tc.inside)
			}
		})
	}
}
