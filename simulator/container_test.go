package simulator

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// gmsaContainer is a container of the guide's example.
func gmsaContainer() Container {
	return Container{CredentialSpec: "file://contoso_webapp01.json", User: networkService}
}

var networkService = windows.User{Kind: windows.NetworkService, Name: `NT AUTHORITY\NETWORK SERVICE`}

func start(t *testing.T, h *Host, c Container) *Running {
	t.Helper()
	r, err := h.Run(c)
	if err != nil {
		t.Fatalf("docker run: %v", err)
	}
	return r
}

func TestHealthyContainer(t *testing.T) {
	d := StartT(t, Contoso())
	c := start(t, d.Host("ContainerHost01"), gmsaContainer())
	verify, err := c.NltestSCVerify("contoso.com")
	check(t, err)
	want := "Flags: b0 HAS_IP  HAS_TIMESERV\nTrusted DC Name \\\\dc01.contoso.com\nTrusted DC Connection Status Status = 0 0x0 NERR_Success\n" +
		"Trust Verification Status = 0 0x0 NERR_Success\nThe command completed successfully\n"
	if verify.Text != want {
		t.Errorf("nltest /sc_verify: got\n%s\nwant\n%s", verify.Text, want)
	}
	text, err := c.KlistGet("krbtgt")
	check(t, err)
	want = `
Current LogonId is 0:0x3e4
A ticket to krbtgt has been retrieved successfully.

Cached Tickets: (1)

#0>     Client: WebApp01$ @ CONTOSO.COM
        Server: krbtgt/CONTOSO.COM @ CONTOSO.COM
        KerbTicket Encryption Type: AES-256-CTS-HMAC-SHA1-96
        Ticket Flags 0x40e10000 -> forwardable renewable initial pre_authent name_canonicalize
        Start Time: 5/3/2019 10:00:00 (local)
        End Time:   5/3/2019 20:00:00 (local)
        Renew Time: 5/10/2019 10:00:00 (local)
        Session Key Type: AES-256-CTS-HMAC-SHA1-96
        Cache Flags: 0x1 -> PRIMARY
        Kdc Called: dc01.contoso.com
`
	if text != want {
		t.Errorf("klist get krbtgt: got\n%s\nwant\n%s", text, want)
	}
	dir, err := c.DirSYSVOL("contoso.com")
	check(t, err)
	if !strings.Contains(dir, `    Directory: \\contoso.com\sysvol`) || !strings.Contains(dir, "d----l         5/3/2019  10:00 AM                contoso.com\n") {
		t.Errorf("dir: got\n%s", dir)
	}
	for _, get := range []func() (Nltest, error){c.NltestQuery, c.NltestParentDomain, func() (Nltest, error) { return c.NltestSCQuery("CONTOSO") },
		func() (Nltest, error) { return c.NltestSCReset("contoso.com") }, func() (Nltest, error) { return c.NltestDSGetDC("contoso.com") }} {
		n, err := get()
		if err != nil || n.Status() != StatusSuccess || !strings.HasSuffix(n.Text, completed) {
			t.Errorf("got %+v, %v", n, err)
		}
	}
	if n, err := c.NltestSCVerify("fabrikam.com"); err == nil || n.Text != "I_NetLogonControl failed: Status = 1355 0x54b ERROR_NO_SUCH_DOMAIN\n" {
		t.Errorf("another domain: got %+v, %v", n, err)
	}
	check(t, c.InboundKerberos("alice", "http/webapp01.contoso.com"))
	check(t, c.InboundNTLM("alice"))
	sid, err := c.TranslateName(`CONTOSO\WebApp01Hosts`)
	check(t, err)
	if name, err := c.TranslateSID(sid); err != nil || name != `CONTOSO\WebApp01Hosts` {
		t.Errorf("translate %s: got %s, %v", sid, name, err)
	}
	if _, err := c.TranslateName(`CONTOSO\WebApp02`); !errors.Is(err, diag.NoSuchAccount) {
		t.Errorf("unknown name: got %v", err)
	}
	if got := c.Whoami(); got != "nt authority\\network service\n" {
		t.Errorf("whoami: got %q", got)
	}
	purged, err := c.KlistPurge()
	check(t, err)
	after, err := c.Klist()
	check(t, err)
	if !strings.HasSuffix(purged, "\tTicket(s) purged!\n") || !strings.HasSuffix(after, "Cached Tickets: (0)\n") {
		t.Errorf("klist purge: got %s%s", purged, after)
	}
	got := d.State().Hosts[0]
	if w := (ContainerState{c.ID()[:12], c.Hostname(), "mcr.microsoft.com/windows/servercore:ltsc2019", "process", `NT AUTHORITY\NETWORK SERVICE`, "WebApp01", "0 0x0 NERR_Success"}); len(got.Containers) != 1 ||
		got.Containers[0] != w || len(got.CredentialSpecs) != 1 {
		t.Errorf("state: got %+v, want %+v", got, w)
	}
	c.Stop()
	if _, err := c.NltestQuery(); err == nil || len(d.Host("ContainerHost01").Containers()) != 0 {
		t.Errorf("a stopped container: got %v", err)
	}
}

// ends are what a matrix is about: how observers end.
const (
	ok   = "ok"
	fail = "FAIL"
	none = "-"
)

func end(err error) string {
	if err != nil {
		return fail
	}
	return ok
}

// TestWhoNoticesWhat is the table of the lessons: for the first step that is broken, which observer notices.
func TestWhoNoticesWhat(t *testing.T) {
	keys := NewKeys()
	contoso := func(change func(*Config)) Config {
		cfg := Contoso()
		cfg.Keys = keys
		if change != nil {
			change(&cfg)
		}
		return cfg
	}
	tests := []struct {
		row    string
		config Config
		run    Container
		// before is done when the domain has started, after when the container runs; early tells that alice has her ticket before.
		before func(t *testing.T, d *Domain)
		after  func(t *testing.T, d *Domain, c *Running)
		early  bool
		// target looks from the service that the container calls. plain tells that the container has no credential spec because there is no account.
		target func(t *testing.T, d *Domain, c *Running)
		plain  bool
		// In the order of the columns: Test-ADServiceAccount, New-CredentialSpec (with its warning), docker run, nltest
		// /parentdomain, /query, /sc_verify, klist get krbtgt, a ticket for a service, inbound Kerberos, inbound NTLM, names of SIDs.
		want [11]string
		// query and verify are the codes of nltest.
		query, verify Status
		finding       diag.Code // of the first observer that fails inside
	}{
		{row: "healthy", config: contoso(nil), run: gmsaContainer(), want: [11]string{ok, ok, ok, ok, ok, ok, ok, ok, ok, ok, ok}},
		{row: "S1 key missing", config: contoso(func(c *Config) { c.KDSRootKeys, c.ServiceAccounts = nil, nil }), run: Container{User: networkService}, plain: true,
			before: func(t *testing.T, d *Domain) {
				if err := d.NewServiceAccount(ServiceAccount{Name: "WebApp01"}); !errors.Is(err, diag.NoRootKey) {
					t.Errorf("New-ADServiceAccount: got %v", err)
				}
			},
			want: [11]string{fail, fail, none, none, none, none, none, none, none, none, none}, query: StatusServerUnavailable, verify: StatusServerUnavailable},
		{row: "S3/S4 not authorised", config: contoso(func(c *Config) { c.Groups[0].Members = nil }), run: gmsaContainer(),
			want: [11]string{fail, "ok + warning", ok, ok, fail, fail, fail, fail, fail, fail, fail}, query: StatusNoTrustLSASecret, verify: StatusNoTrustLSASecret,
			finding: diag.NotAllowed},
		{row: "S4 DC unreachable from host only", config: contoso(func(c *Config) { c.Hosts[0].ClosedPorts = []string{"DC01"} }), run: gmsaContainer(),
			want: [11]string{fail, fail, ok, ok, fail, fail, fail, fail, fail, fail, fail}, query: StatusNoTrustLSASecret, verify: StatusNoTrustLSASecret,
			finding: diag.DCUnreachable},
		{row: "S5 credspec ignored", config: contoso(nil), run: Container{User: networkService},
			want: [11]string{ok, ok, ok, fail, fail, fail, fail, fail, fail, fail, fail}, query: StatusServerUnavailable, verify: StatusServerUnavailable,
			finding: diag.NoCredentialSpec},
		{row: "S5 credspec missing", config: contoso(nil), run: Container{CredentialSpec: "file://contoso_webapp1.json"},
			want: [11]string{ok, ok, fail, none, none, none, none, none, none, none, none}, finding: diag.CredentialSpecMissing},
		{row: "S5 credspec unparsable", config: contoso(nil), run: Container{CredentialSpec: "file://contoso_webapp02.json"},
			before: func(_ *testing.T, d *Domain) {
				d.Host("ContainerHost01").WriteCredentialSpec("contoso_webapp02.json", []byte("{"))
			},
			want: [11]string{ok, ok, fail, none, none, none, none, none, none, none, none}, finding: diag.SpecUnreadable},
		{row: "S6 gMSA illegal for isolation", config: contoso(func(c *Config) { c.Hosts[0].OS = "Windows Server, version 1803" }),
			run:  Container{CredentialSpec: "file://contoso_webapp01.json", Isolation: windows.HyperV},
			want: [11]string{ok, ok, fail, none, none, none, none, none, none, none, none}, finding: diag.GMSAIsolation},
		{row: "DC unreachable from container", config: contoso(nil), run: func() Container { c := gmsaContainer(); c.ClosedPorts = []string{"DC01"}; return c }(), early: true,
			want: [11]string{ok, ok, ok, ok, fail, fail, fail, fail, ok, fail, fail}, query: StatusNoLogonServers, verify: StatusNoLogonServers, finding: diag.DCUnreachable},
		{row: "DNS of the container does not know the domain", config: contoso(nil), run: func() Container { c := gmsaContainer(); c.DNS = []string{"192.0.2.53"}; return c }(), early: true,
			want: [11]string{ok, ok, ok, ok, fail, fail, fail, fail, ok, fail, fail}, query: StatusNoLogonServers, verify: StatusNoLogonServers, finding: diag.DNSFindsNoDC},
		{row: "S7 UAC flag lost", config: contoso(nil), run: gmsaContainer(),
			before: func(t *testing.T, d *Domain) {
				check(t, d.SetAccountControl("WebApp01", uacNormal|uacTrustedForDelegation))
			},
			want: [11]string{ok, ok, ok, ok, fail, fail, ok, ok, ok, fail, fail}, query: StatusNoTrustSAMAccount, verify: StatusNoTrustSAMAccount, finding: diag.MachineFlagLost},
		{row: "S7 session displaced", config: contoso(nil), run: func() Container { c := gmsaContainer(); c.Hostname = "web"; return c }(),
			after: func(t *testing.T, d *Domain, _ *Running) {
				c := gmsaContainer()
				c.Hostname = "WEB"
				start(t, d.Host("ContainerHost02"), c)
			},
			want: [11]string{ok, ok, ok, ok, ok, fail, ok, ok, ok, fail, fail}, verify: StatusAccessDenied, finding: diag.ChannelDisplaced},
		{row: "S4/S10 hostname != gMSA before 17763", config: contoso(func(c *Config) { c.Hosts[0].OS = "Windows Server 2016" }),
			run:  Container{CredentialSpec: "file://contoso_webapp01.json", Hostname: "web", Service: networkService},
			want: [11]string{ok, ok, ok, ok, fail, fail, ok, ok, ok, fail, fail}, query: StatusNoTrustSAMAccount, verify: StatusNoTrustSAMAccount, finding: diag.HostnameDiffers},
		{row: "S9 SPN missing", config: contoso(func(c *Config) { c.ServiceAccounts[0].SPNs = nil }), run: gmsaContainer(),
			want: [11]string{ok, ok, ok, ok, ok, ok, ok, ok, fail, ok, ok}, finding: diag.SPNUnknown},
		{row: "S9 SPN duplicate", config: contoso(func(c *Config) {
			c.Users = append(c.Users, User{Name: "svc_web", SPNs: []string{"http/webapp01.contoso.com"}})
			c.ServiceAccounts[0].SPNs = append(c.ServiceAccounts[0].SPNs, "http/webapp01.contoso.com")
		}), run: gmsaContainer(),
			want: [11]string{ok, ok, ok, ok, ok, ok, ok, ok, fail, ok, ok}, finding: diag.SPNDuplicate},
		{row: "S11 wrong app user", config: contoso(nil), run: Container{CredentialSpec: "file://contoso_webapp01.json", Service: windows.User{Kind: windows.LocalUser, Name: "app"}},
			target: func(t *testing.T, _ *Domain, c *Running) { // what klist shows depends on the session that is asked
				if _, err := c.App().KlistGet("krbtgt"); !errors.Is(err, diag.WrongAppUser) {
					t.Errorf("klist as the user of the application: got %v", err)
				}
			},
			want: [11]string{ok, ok, ok, ok, ok, ok, ok, fail, fail, ok, ok}, finding: diag.WrongAppUser},
		{row: "S11 no login at target", config: contoso(nil), run: gmsaContainer(),
			target: func(t *testing.T, d *Domain, c *Running) {
				server, err := d.NewSQLServer("alice", `CONTOSO\WebApp01`)
				check(t, err)
				check(t, d.AddSPN("alice", "MSSQLSvc/sql.contoso.com", false))
				if err := c.App().ConnectTo(server, "MSSQLSvc/sql.contoso.com"); !errors.Is(err, diag.LoginMissing) {
					t.Errorf("got %v", err)
				}
				check(t, server.CreateLogin(`CONTOSO\WebApp01$`))
				check(t, c.App().ConnectTo(server, "MSSQLSvc/sql.contoso.com"))
			},
			want: [11]string{ok, ok, ok, ok, ok, ok, ok, ok, ok, ok, ok}},
	}
	const spn = "http/webapp01.contoso.com"
	for _, tc := range tests {
		// look asks every observer about the container of the row, and gives the first failure inside.
		look := func(t *testing.T, cfg Config, before func(*testing.T, *Domain)) (got [11]string, first error) {
			d := StartT(t, cfg)
			if before != nil {
				before(t, d)
			}
			got = [11]string{none, none, none, none, none, none, none, none, none, none, none}
			h := d.Host("ContainerHost01")
			got[0] = end(h.TestServiceAccount("WebApp01"))
			_, warning, err := h.NewCredentialSpec(NewCredentialSpec{Account: "WebApp01"})
			got[1] = end(err)
			if warning != nil {
				got[1] += " + warning"
			}
			note := func(err error) string {
				if err != nil && first == nil {
					first = err
				}
				return end(err)
			}
			var ticket *Ticket
			if tc.early {
				ticket, err = d.KerberosTo(t.Context(), "alice", spn)
				check(t, err)
			}
			c, err := h.Run(tc.run)
			got[2] = note(err)
			if err != nil {
				if list := h.Containers(); len(list) > 0 {
					t.Errorf("docker run failed and left %d containers", len(list))
				}
				return got, first // nobody can look inside
			}
			if tc.after != nil {
				tc.after(t, d, c)
			}
			_, err = c.NltestParentDomain()
			got[3] = note(err)
			n, err := c.NltestQuery()
			if got[4] = note(err); n.Status() != tc.query {
				t.Errorf("nltest /query: got %s, want %s", n.Status(), tc.query)
			}
			at := d.Snapshot()
			n, err = c.NltestSCVerify("contoso.com")
			if got[5] = note(err); n.Status() != tc.verify {
				t.Errorf("nltest /sc_verify: got %s, want %s", n.Status(), tc.verify)
			}
			// A failed use gives the channel up, and the next one heals it: each observer looks at the same state.
			check(t, d.Restore(at))
			system, err := c.Exec("SYSTEM")
			if err != nil {
				system = &Process{c: c, user: networkService}
			}
			_, err = system.KlistGet("krbtgt")
			got[6] = note(err)
			_, err = c.App().KerberosTo("ldap/dc01.contoso.com")
			got[7] = note(err)
			if tc.early {
				err = c.Accept(ticket)
			} else {
				err = c.InboundKerberos("alice", spn)
			}
			got[8] = note(err)
			check(t, d.Restore(at))
			got[9] = note(c.InboundNTLM("alice"))
			check(t, d.Restore(at))
			_, err = c.TranslateName("alice")
			got[10] = note(err)
			if tc.target != nil {
				tc.target(t, d, c)
			}
			return got, first
		}
		t.Run(tc.row, func(t *testing.T) {
			got, first := look(t, tc.config, tc.before)
			if tc.plain {
				// There is no account to look at. What the other columns show is the same in a domain that has the key, so it is not this.
				with, _ := look(t, contoso(nil), nil)
				for i := 2; i < len(got); i++ {
					if got[i] == with[i] {
						got[i] = none
					}
				}
			}
			if got != tc.want {
				t.Errorf("got  %v\nwant %v", got, tc.want)
			}
			if f, found := diag.Of(first); tc.finding != "" && (!found || f.Code != tc.finding) {
				t.Errorf("got %v, want %s", first, string(tc.finding))
			}
		})
	}
}

// TestRunAgreesWithTheRules runs containers on hosts of many releases and compares what the exchanges come to with what the rules of
// package windows say: neither knows of the other where it matters, the names of the secure channel and the key of the session.
func TestRunAgreesWithTheRules(t *testing.T) {
	cfg := Contoso()
	cfg.Hosts = nil
	releases := []string{"Windows Server 2016", "Windows 10 1607", "Windows 10 1703", "Windows Server, version 1709", "Windows 10 1803", "Windows Server 2019",
		"Windows 10 1809", "Windows Server, version 20H2", "Windows Server 2022", "Windows 11 25H2", "Windows Server 2025"}
	for i, os := range releases {
		cfg.Hosts = append(cfg.Hosts, HostConfig{Name: "H" + string(rune('A'+i)), OS: os, CredentialSpecs: []string{"WebApp01"}, NoHypervisor: os == "Windows Server 2022"})
		cfg.Groups[0].Members = append(cfg.Groups[0].Members, "H"+string(rune('A'+i)))
	}
	cfg.Groups[0].Members = cfg.Groups[0].Members[3:]
	var images []windows.Image
	for _, tag := range []string{"ltsc2016", "1803", "ltsc2019", "ltsc2022", "ltsc2025"} {
		image, err := windows.ParseImage("servercore:" + tag)
		check(t, err)
		images = append(images, image)
	}
	users := []windows.User{{}, networkService, {Kind: windows.LocalUser, Name: "app"}, {Kind: windows.AppPool, Name: `IIS APPPOOL\DefaultAppPool`}}
	cases, started := 0, 0
	for _, profiles := range []windows.Profiles{{}, {Concurrency: windows.Concurrency2019, Identity: windows.StrictDocsIdentity}} {
		cfg.Profiles, cfg.Keys = profiles, NewKeys()
		d := StartT(t, cfg)
		alice, err := d.KerberosTo(t.Context(), "alice", "http/webapp01.contoso.com")
		check(t, err)
		fresh := d.Snapshot()
		for _, h := range d.Hosts() {
			os, err := h.release()
			check(t, err)
			for _, image := range images {
				for _, iso := range []windows.Isolation{windows.DefaultMode, windows.Process, windows.HyperV} {
					for i, hostname := range []string{"", "webapp01", "WEBAPP01", "web", "webapp01.contoso.com"} {
						for j, user := range users {
							if (i+j)%len(users) > 1 { // the host name and the user have nothing to do with each other
								continue
							}
							c := Container{Image: image, Isolation: iso, Hostname: hostname, User: user, CredentialSpec: "file://contoso_webapp01.json"}
							for _, shared := range []bool{false, true} {
								cases++
								check(t, d.Restore(fresh))
								setup := windows.Setup{Host: os, NoHypervisor: h.cfg.NoHypervisor, HostDomain: "contoso.com", Image: image, Isolation: iso, Hostname: hostname, ID: "0",
									User: user, CredentialSpec: true, Account: "WebApp01", AccountDomain: "contoso.com", Profiles: profiles}
								if shared {
									setup.Others = []windows.Channel{{ID: "1", Hostname: hostname, Image: image.Build}}
								}
								want, err := windows.Decide(setup)
								check(t, err)
								r, err := h.Run(c)
								if (err == nil) != (want.Start == windows.Starts) {
									t.Errorf("%s, %+v: got %v, want %s", os, c, err, want.Start)
								}
								if err != nil {
									if _, known := diag.Of(err); !known {
										t.Errorf("%s, %+v: got %v without a finding", os, c, err)
									}
									continue
								}
								started++
								if shared {
									start(t, h, c)
								}
								outcome := func(err error) windows.Outcome {
									switch {
									case err == nil:
										return windows.Works
									case errors.Is(err, diag.WrongAppUser):
										return windows.FailsInApp
									case errors.Is(err, diag.ChannelDisplaced):
										return windows.Intermittent
									case errors.Is(err, diag.HostnameDiffers), errors.Is(err, diag.NoSuchAccount):
										return windows.Fails
									}
									t.Errorf("%s, %+v: got %v", os, c, err)
									return ""
								}
								got := [3]windows.Outcome{outcome(r.InboundNTLM("alice")), outcome(r.Accept(alice)), ""}
								_, err = r.App().KlistGet("krbtgt")
								got[2] = outcome(err)
								if wanted := [3]windows.Outcome{want.NTLM, want.Kerberos, want.Kerberos}; got != wanted {
									t.Errorf("%s, %+v: got %v, want %v", os, c, got, wanted)
								}
							}
						}
					}
				}
			}
		}
	}
	if cases < 3000 || started < 400 {
		t.Errorf("got %d cases and %d containers, which is too few to tell", cases, started)
	}
}

// TestChannelsTakeTurns: of two containers with one host name the later one has the channel, on the DC that both found.
func TestChannelsTakeTurns(t *testing.T) {
	cfg := Contoso()
	cfg.DCs = []string{"DC01", "DC02"}
	d := StartT(t, cfg)
	run := func(dc string) *Running {
		c := gmsaContainer()
		c.Hostname, c.DCs = "web", []string{dc}
		return start(t, d.Host("ContainerHost01"), c)
	}
	a, b, elsewhere := run("DC01"), run("DC01"), run("DC02")
	statuses := func(c *Running) (Status, Status) {
		q, _ := c.NltestQuery()
		v, _ := c.NltestSCVerify("contoso.com")
		return q.Status(), v.Status()
	}
	for i, step := range []struct {
		c             *Running
		query, verify Status
	}{
		{a, StatusSuccess, StatusAccessDenied}, {b, StatusSuccess, StatusSuccess}, // the first was cut off and remembers it well
		{a, StatusAccessDenied, StatusSuccess}, {b, StatusSuccess, StatusAccessDenied}, // it sets its channel up anew, which cuts the other off
		{elsewhere, StatusSuccess, StatusSuccess},
	} {
		if q, v := statuses(step.c); q != step.query || v != step.verify {
			t.Errorf("step %d: got %s, %s; want %s, %s", i, q, v, step.query, step.verify)
		}
	}
	d.DC("DC02").Stop()
	check(t, elsewhere.InboundNTLM("alice")) // moves to DC01
	if err := a.InboundNTLM("alice"); !errors.Is(err, diag.ChannelDisplaced) {
		t.Errorf("after a third one came: got %v", err)
	}
	if n, err := a.NltestSCReset("contoso.com"); err != nil || n.DC != "dc01.contoso.com" {
		t.Errorf("nltest /sc_reset: got %+v, %v", n, err)
	}
	check(t, a.InboundNTLM("alice"))
}

// TestContainerAfterRotation: a container keeps working across changes of the password, with tickets under the old key too.
func TestContainerAfterRotation(t *testing.T) {
	d := StartT(t, Contoso())
	c := start(t, d.Host("ContainerHost01"), gmsaContainer())
	rot, err := d.Rotation("WebApp01")
	check(t, err)
	d.Clock.AdvanceTo(rot.Start(1).Add(-1))
	old, err := d.KerberosTo(t.Context(), "alice", "http/webapp01")
	check(t, err)
	d.Clock.AdvanceTo(rot.PreviousStillValid(1))
	check(t, c.InboundKerberos("alice", "http/webapp01"))
	check(t, c.Accept(old))
	d.Clock.AdvanceTo(rot.Middle(3))
	check(t, c.InboundKerberos("ContainerHost02", "http/webapp01"))
	if err := c.InboundNTLM("alice"); !errors.Is(err, diag.AccountUnusable) {
		t.Errorf("a password of 45 days: got %v", err)
	}
	if n, err := c.NltestSCReset("contoso.com"); err != nil {
		t.Errorf("nltest /sc_reset: got %+v, %v", n, err)
	}
	if _, err := c.KlistGet("ldap/dc01.contoso.com"); err != nil {
		t.Errorf("klist get: %v", err)
	}
}

// TestNetlogonRefuses: a DC denies what is not made with the key, and a user who has another password.
func TestNetlogonRefuses(t *testing.T) {
	d := StartT(t, Contoso())
	dc := d.DC("DC01")
	var client, server, wrong credential8
	for name, want := range map[string]Status{"WebApp01$": StatusAccessDenied, "CONTAINERHOST01$": StatusAccessDenied, "alice": StatusNoTrustSAMAccount, "nobody$": StatusNoTrustSAMAccount} {
		if _, got := dc.authenticate(t.Context(), name, "X", client, server, wrong); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	if dc.admits("X", 1, credential8{}) {
		t.Error("a call without a session was admitted")
	}
	c := start(t, d.Host("ContainerHost01"), gmsaContainer())
	c.channel.session.key[0] ^= 1
	if err := c.InboundNTLM("alice"); !errors.Is(err, diag.ChannelDisplaced) {
		t.Errorf("another key: got %v", err)
	}
	d.setKnownPassword("alice", "wrong")
	if err := c.InboundNTLM("alice"); !errors.Is(err, diag.BadCredentials) {
		t.Errorf("a wrong password: got %v", err)
	}
	d.setKnownPassword("alice", defaultPassword)
	check(t, c.InboundNTLM("alice"))
}

// TestSnapshotOfContainers: a restored state has its containers, their channels and credential specs back, and no others.
func TestSnapshotOfContainers(t *testing.T) {
	d := StartT(t, Contoso())
	h := d.Host("ContainerHost01")
	named := gmsaContainer()
	named.Hostname = "web"
	a := start(t, h, named)
	s := d.Snapshot()
	b := start(t, h, named)
	h.WriteCredentialSpec("contoso_webapp01.json", nil)
	a.ClosePort("88")
	if _, err := h.Run(gmsaContainer()); !errors.Is(err, diag.CredentialSpecMissing) {
		t.Errorf("without the file: got %v", err)
	}
	a.Stop()
	check(t, d.Restore(s))
	if _, err := b.NltestQuery(); err == nil {
		t.Error("a container that started after the snapshot still runs")
	}
	check(t, a.InboundNTLM("alice"))
	if _, err := a.KlistGet("krbtgt"); err != nil {
		t.Error(err)
	}
	if got := h.Containers(); len(got) != 1 || got[0] != a || len(h.CredentialSpecs()) != 1 {
		t.Errorf("got containers %v and files %v", got, h.CredentialSpecs())
	}
}

// TestAdditionalAccounts: a process that runs as a further account of the credential spec is that one on the network.
func TestAdditionalAccounts(t *testing.T) {
	cfg := Contoso()
	cfg.ServiceAccounts = append(cfg.ServiceAccounts, ServiceAccount{Name: "LogAgentSvc", AllowedToRetrieve: []string{"WebApp01Hosts"}})
	d := StartT(t, cfg)
	h := d.Host("ContainerHost01")
	c := gmsaContainer()
	c.Service = windows.User{Kind: windows.DomainAccount, Name: `CONTOSO\LogAgentSvc$`}
	if _, err := start(t, h, c).App().KerberosTo("ldap/dc01.contoso.com"); !errors.Is(err, diag.WrongAppUser) {
		t.Errorf("an account that the spec does not name: got %v", err)
	}
	_, warning, err := h.NewCredentialSpec(NewCredentialSpec{Account: "WebApp01", Additional: []AdditionalAccount{{Account: "LogAgentSvc"}}})
	check(t, errors.Join(warning, err))
	ticket, err := start(t, h, c).App().KerberosTo("ldap/dc01.contoso.com")
	check(t, err)
	if ticket.Client != "LogAgentSvc$@CONTOSO.COM" {
		t.Errorf("got a ticket of %s", ticket.Client)
	}
	if _, _, err := h.NewCredentialSpec(NewCredentialSpec{Account: "WebApp01", Additional: []AdditionalAccount{{Account: "LogAgentSv"}}}); !errors.Is(err, diag.NoSuchAccount) {
		t.Errorf("an account that is not there: got %v", err)
	}
}

// TestNanoServer: the image holds neither nltest nor klist, and its service works.
func TestNanoServer(t *testing.T) {
	d := StartT(t, Contoso())
	image, err := windows.ParseImage("nanoserver:1809")
	check(t, err)
	c := start(t, d.Host("ContainerHost01"), Container{Image: image, CredentialSpec: "file://contoso_webapp01.json"})
	n, err := c.NltestQuery()
	if err == nil || !strings.HasPrefix(n.Text, "'nltest' is not recognized") {
		t.Errorf("nltest: got %+v, %v", n, err)
	}
	if text, err := c.KlistGet("krbtgt"); err == nil || !strings.HasPrefix(text, "'klist' is not recognized") {
		t.Errorf("klist: got %s, %v", text, err)
	}
	if c.User() != `User Manager\ContainerUser` {
		t.Errorf("got user %s", c.User())
	}
	check(t, c.InboundKerberos("alice", "http/webapp01"))
}

// TestAccountMadeAnew: an account that was deleted and made again under its name has another password, which the host has to read again.
func TestAccountMadeAnew(t *testing.T) {
	d := StartT(t, Contoso())
	c := start(t, d.Host("ContainerHost01"), gmsaContainer())
	again, err := d.ServiceAccount("WebApp01")
	check(t, err)
	for range 2 { // first for the channel, then for Kerberos
		check(t, d.RemoveServiceAccount("WebApp01"))
		check(t, d.NewServiceAccount(again))
		if _, err := c.KlistPurge(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.KlistGet("ldap/dc01.contoso.com"); err != nil {
			t.Errorf("klist get: %v", err)
		}
		check(t, d.RemoveServiceAccount("WebApp01"))
		check(t, d.NewServiceAccount(again))
		if n, err := c.NltestSCReset("contoso.com"); err != nil {
			t.Errorf("nltest /sc_reset: %v\n%s", err, n.Text)
		}
	}
	check(t, d.RemoveServiceAccount("WebApp01"))
	if _, err := c.NltestSCReset("contoso.com"); !errors.Is(err, diag.NoSuchAccount) {
		t.Errorf("without the account: got %v", err)
	}
}

// TestContainersAtOnce: containers of several hosts work at the same time, while others start, end and are restored.
func TestContainersAtOnce(t *testing.T) {
	d := StartT(t, Contoso())
	named := gmsaContainer()
	named.Hostname = "web"
	var running []*Running
	for _, h := range d.Hosts() {
		running = append(running, start(t, h, named), start(t, h, gmsaContainer()))
	}
	s := d.Snapshot()
	var wg sync.WaitGroup
	for i, c := range running {
		wg.Go(func() {
			for range 5 {
				// Those with the same name cut each other off; a restore takes channels and containers away. Neither may block or mix up.
				_, err := c.NltestSCVerify("contoso.com")
				if err != nil && i%2 == 1 {
					t.Errorf("a container with a name of its own: %v", err)
				}
				_ = c.InboundNTLM("alice")
				if _, err := c.KlistGet("ldap/dc01.contoso.com"); err != nil {
					t.Errorf("klist: %v", err)
				}
				if extra, err := c.Host().Run(named); err == nil {
					extra.Stop()
				}
				_ = d.State()
			}
		})
	}
	wg.Wait()
	wg.Go(func() { _ = d.Restore(s) })
	for _, c := range running {
		wg.Go(func() { _, _ = c.NltestSCReset("contoso.com") })
	}
	wg.Wait()
	if got := len(d.Host("ContainerHost02").Containers()); got != 2 {
		t.Errorf("got %d containers, want 2", got)
	}
}
