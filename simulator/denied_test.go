package simulator

import (
	"errors"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// TestDeniedModes has a list, a group or a directory in a state in which ContainerHost01 does not get the password, and the failure mode
// that the finding tells.
func TestDeniedModes(t *testing.T) {
	config := func(change func(*Config)) Config {
		cfg := Contoso()
		cfg.Hosts[0].CredentialSpecs = nil
		change(&cfg)
		return cfg
	}
	group := func(g Group) func(*Config) { return func(c *Config) { c.Groups[0] = g } }
	list := func(names ...string) func(*Config) {
		return func(c *Config) { c.ServiceAccounts[0].AllowedToRetrieve = names }
	}
	for _, tc := range []struct {
		name   string
		config Config
		before func(*testing.T, *Domain)
		code   diag.Code
		mode   string
	}{
		{"nobody is allowed", config(list()), nil, diag.NotAllowed, "acl-no-principals"},
		{"another group", config(list("Domain Admins")), nil, diag.NotAllowed, "acl-host-not-member"},
		{"not in the group", config(group(Group{Name: "WebApp01Hosts"})), nil, diag.NotAllowed, "acl-host-not-member"},
		{"a distribution group", config(group(Group{Name: "WebApp01Hosts", Category: Distribution, Members: []string{"ContainerHost01"}})), nil,
			diag.NotAllowed, "acl-distribution-group"},
		{"a workstation", config(func(c *Config) { list("ContainerHost02")(c); c.Hosts[0].OS = "Windows 10 1809" }), nil, diag.NotAllowed, "acl-admin-cannot-read"},
		{"a workstation when nobody may read", config(func(c *Config) { list("Domain Admins")(c); c.Hosts[0].OS = "Windows 10 1809" }), nil,
			diag.NotAllowed, "acl-host-not-member"},
		{"a user of the host's name", config(func(c *Config) {
			c.Users = append(c.Users, User{Name: "ContainerHost01"})
			c.Groups[0].Members = nil
		}), func(t *testing.T, d *Domain) { check(t, d.AddGroupMemberExactly("WebApp01Hosts", "ContainerHost01")) }, diag.NotAllowed, "acl-member-without-dollar"},
		{"a deleted group", config(func(*Config) {}), func(t *testing.T, d *Domain) { check(t, d.RemoveGroup("WebApp01Hosts")) }, diag.NotAllowed, "acl-orphaned-sid"},
		{"built anew", config(func(*Config) {}), func(t *testing.T, d *Domain) { must(t)(d.RejoinHost("ContainerHost01", "")) }, diag.NotAllowed, "host-reimaged-new-sid"},
		{"a right to write", config(func(c *Config) { list()(c); c.ServiceAccounts[0].RetrieveSDDL = "O:BAD:(A;;WP;;;DC)" }), nil, diag.NotAllowed, "acl-sd-without-readprop"},
		{"a membership after the ticket", config(group(Group{Name: "WebApp01Hosts", Scope: Global})), func(t *testing.T, d *Domain) {
			check(t, d.AddGroupMember("WebApp01Hosts", "ContainerHost01"))
		}, diag.StaleTicket, "acl-no-restart"},
		{"removed while the password is kept", config(func(*Config) {}), func(t *testing.T, d *Domain) {
			check(t, d.Host("ContainerHost01").InstallServiceAccount("WebApp01"))
			check(t, d.RemoveGroupMember("WebApp01Hosts", "ContainerHost01"))
		}, diag.NotAllowed, "host-cached-password"},
		{"the list written while the password is kept", config(func(*Config) {}), func(t *testing.T, d *Domain) {
			check(t, d.Host("ContainerHost01").InstallServiceAccount("WebApp01"))
			check(t, d.SetServiceAccount("WebApp01", func(s *ServiceAccount) { s.AllowedToRetrieve = []string{"ContainerHost02"} }))
		}, diag.NotAllowed, "acl-overwritten"},
		{"groups in a circle", config(func(c *Config) {
			c.Groups = append(c.Groups, Group{Name: "Other", Scope: DomainLocal, Members: []string{"WebApp01Hosts", "ContainerHost01"}},
				Group{Name: "Lonely", Scope: DomainLocal})
			c.Groups[0].Members = []string{"Other"}
			list("Lonely")(c)
		}), nil, diag.NotAllowed, "acl-host-not-member"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := StartT(t, tc.config)
			if tc.before != nil {
				tc.before(t, d)
				d.Host("ContainerHost01").PurgeTickets()
			}
			if tc.code == diag.StaleTicket {
				d = StartT(t, tc.config) // the host has not signed in since
				tc.before(t, d)
			}
			err := d.Host("ContainerHost01").TestServiceAccount("WebApp01")
			f, ok := diag.Of(err)
			if !ok || f.Code != tc.code || f.Mode != tc.mode {
				t.Fatalf("got %v of mode %q, want %s of mode %s", err, modeOf(f), tc.code.Error(), tc.mode)
			}
			if len(f.Help) == 0 || len(f.Help[0].Do) == 0 {
				t.Error("there is no help that a replay can carry out")
			}
		})
	}
}

func modeOf(f *diag.Finding) string {
	if f == nil {
		return ""
	}
	return f.Mode
}

// TestSkewModes: the finding tells whose clock is off, and five minutes are no fault.
func TestSkewModes(t *testing.T) {
	for _, tc := range []struct {
		name string
		off  func(*Domain, time.Duration)
		step func(*Domain) error
		mode string
	}{
		{"a host", func(d *Domain, o time.Duration) { d.Host("ContainerHost01").SetClockOffset(o) },
			func(d *Domain) error { return d.Host("ContainerHost01").TestServiceAccount("WebApp01") }, "host-clock-skew"},
		{"a client", func(d *Domain, o time.Duration) { d.SetUserClock("alice", o) },
			func(d *Domain) error { _, err := d.KerberosTo(t.Context(), "alice", "host/webapp01"); return err }, "clock-client"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := StartT(t, Contoso())
			tc.off(d, 4*time.Minute)
			check(t, tc.step(d))
			d = StartT(t, Contoso())
			tc.off(d, -6*time.Minute)
			err := tc.step(d)
			if f, ok := diag.Of(err); !ok || !errors.Is(err, diag.ClockSkew) || f.Mode != tc.mode {
				t.Errorf("got %v, want a finding of mode %s", err, tc.mode)
			}
		})
	}
}

// TestRejoinHost: the account is another one, and files stay.
func TestRejoinHost(t *testing.T) {
	d := StartT(t, Contoso())
	old := d.Host("ContainerHost01")
	h, err := d.RejoinHost("ContainerHost01", "")
	check(t, err)
	if now := d.Host("ContainerHost01"); now != h || now == old {
		t.Error("the domain does not know the new host")
	}
	if len(d.Hosts()) != 3 {
		t.Errorf("got %d hosts, want 3", len(d.Hosts()))
	}
	check(t, h.TestSecureChannel())
	if got := h.CredentialSpecs(); len(got) != 1 {
		t.Errorf("credential specs: got %q, want the one of before", got)
	}
	if _, err := d.RejoinHost("Nobody", ""); err == nil {
		t.Error("a host that does not exist was joined again")
	}
}
