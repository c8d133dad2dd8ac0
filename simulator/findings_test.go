package simulator

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// twoDCs is Contoso with a second DC that gets changes an hour later, and a host that asks only that one first.
func twoDCs() Config {
	cfg := Contoso()
	cfg.DCs = []string{"DC01", "DC02"}
	cfg.ReplicationDelay = time.Hour
	cfg.Hosts = append(cfg.Hosts, HostConfig{Name: "ContainerHost04", DCs: []string{"DC02"}})
	return cfg
}

// TestFindings has a domain in a state, a step that fails because of it, and the way out, after which the step works.
func TestFindings(t *testing.T) {
	test := func(host string) func(*Domain) error {
		return func(d *Domain) error { return d.Host(host).TestServiceAccount("WebApp01") }
	}
	newAccount := func(d *Domain) error { return d.NewServiceAccount(ServiceAccount{Name: "Svc"}) }
	global := func(c Config) Config {
		c.Groups[0].Scope = Global
		c.Groups[0].Members = nil
		return c
	}
	for _, tc := range []struct {
		name   string
		config Config
		before func(*testing.T, *Domain)
		step   func(*Domain) error
		want   diag.Code
		facts  []string // that the finding's facts contain
		repair func(*testing.T, *Domain)
		after  func(*Domain) error // default: step
	}{
		{name: "no root key", config: Config{}, step: newAccount, want: diag.NoRootKey, repair: func(t *testing.T, d *Domain) {
			must(t)(d.AddKDSRootKey(Ago(10 * time.Hour)))
		}},
		{name: "young root key", config: Config{}, before: func(t *testing.T, d *Domain) { must(t)(d.AddKDSRootKey(Immediately)) }, step: newAccount,
			want: diag.YoungRootKey, facts: []string{"2019-05-03 20:00Z    in 10h0m0s"}, repair: func(t *testing.T, d *Domain) { d.Clock.Advance(10 * time.Hour) }},
		{name: "back-dated root key on another DC", config: Config{DCs: []string{"DC01", "DC02"}, ReplicationDelay: time.Hour},
			before: func(t *testing.T, d *Domain) { must(t)(d.AddKDSRootKey(Ago(10 * time.Hour))) },
			step:   func(d *Domain) error { return d.Server("DC02").NewServiceAccount(ServiceAccount{Name: "Svc"}) }, want: diag.RootKeyNotOnDC,
			facts: []string{"DC01", "DC02"}, repair: func(t *testing.T, d *Domain) { d.Replicate() }},
		{name: "misspelt account", config: Contoso(), step: func(d *Domain) error { return d.Host("ContainerHost01").TestServiceAccount("WebApp1") },
			want: diag.NoSuchAccount, after: test("ContainerHost01")},
		{name: "account on another DC", config: twoDCs(), before: func(t *testing.T, d *Domain) {
			check(t, d.NewServiceAccount(ServiceAccount{Name: "Svc", AllowedToRetrieve: []string{"ContainerHost04"}}))
		}, step: func(d *Domain) error { return d.Host("ContainerHost04").TestServiceAccount("Svc") }, want: diag.AccountNotOnDC, facts: []string{"DC01", "DC02"},
			repair: func(t *testing.T, d *Domain) { d.Clock.Advance(time.Hour) }},
		{name: "name of another account", config: Contoso(), step: func(d *Domain) error { return d.NewServiceAccount(ServiceAccount{Name: "WebApp01"}) },
			want: diag.NameTaken, facts: []string{"CN=WebApp01,CN=Managed Service Accounts,DC=contoso,DC=com"}, after: newAccount},
		{name: "name of a computer", config: Contoso(), step: func(d *Domain) error { return d.NewServiceAccount(ServiceAccount{Name: "ContainerHost01"}) },
			want: diag.NameTaken, facts: []string{"CN=ContainerHost01,CN=Computers"}, after: newAccount},
		{name: "name too long", config: Contoso(), step: func(d *Domain) error { return d.NewServiceAccount(ServiceAccount{Name: "SixteenCharacter"}) },
			want: diag.ChangeRefused, after: newAccount},
		{name: "another interval", config: Contoso(), step: func(d *Domain) error {
			return d.SetServiceAccount("WebApp01", func(s *ServiceAccount) { s.IntervalDays = 15 })
		}, want: diag.ChangeRefused, after: test("ContainerHost01")},
		{name: "not allowed", config: global(Contoso()), step: test("ContainerHost01"), want: diag.NotAllowed, facts: []string{"{WebApp01Hosts}", "CONTAINERHOST01$"},
			repair: func(t *testing.T, d *Domain) {
				check(t, d.AddGroupMember("WebApp01Hosts", "ContainerHost01"))
				d.Host("ContainerHost01").Restart()
			}},
		{name: "nobody allowed", config: Contoso(), before: func(t *testing.T, d *Domain) {
			check(t, d.SetServiceAccount("WebApp01", func(s *ServiceAccount) { s.AllowedToRetrieve = nil }))
		}, step: test("ContainerHost01"), want: diag.NotAllowed, facts: []string{"{}"}, repair: func(t *testing.T, d *Domain) {
			check(t, d.SetServiceAccount("WebApp01", func(s *ServiceAccount) { s.AllowedToRetrieve = []string{"ContainerHost01$"} }))
		}},
		{name: "old ticket, purged", config: global(Contoso()), before: func(t *testing.T, d *Domain) {
			check(t, d.Host("ContainerHost01").machine.signIn(d.ctx))
			check(t, d.AddGroupMember("WebApp01Hosts", "ContainerHost01"))
		}, step: test("ContainerHost01"), want: diag.StaleTicket, facts: []string{"krbtgt/CONTOSO.COM"},
			repair: func(t *testing.T, d *Domain) { d.Host("ContainerHost01").PurgeTickets() }},
		{name: "old ticket of a host that has not signed in", config: global(Contoso()), before: func(t *testing.T, d *Domain) {
			check(t, d.AddGroupMember("WebApp01Hosts", "ContainerHost01"))
		}, step: test("ContainerHost01"), want: diag.StaleTicket, repair: func(t *testing.T, d *Domain) { d.Host("ContainerHost01").Restart() }},
		{name: "member since after the restart", config: func() Config {
			c := Contoso()
			c.Groups[0].Scope = Global
			c.Groups[0].MembersSince = defaultStart.Add(-time.Hour)
			c.Hosts[0].LastRestart = defaultStart.Add(-2 * time.Hour)
			return c
		}(), step: test("ContainerHost01"), want: diag.StaleTicket, after: test("ContainerHost02")},
		{name: "plain connection", config: Contoso(), step: func(d *Domain) error {
			_, err := d.Host("ContainerHost01").ReadPassword("WebApp01", Plain)
			return err
		}, want: diag.NotSealed, after: test("ContainerHost01")},
		{name: "signed connection", config: Contoso(), step: func(d *Domain) error {
			_, err := d.Host("ContainerHost01").ReadPassword("WebApp01", Signed)
			return err
		}, want: diag.NotSealed, after: test("ContainerHost01")},
		{name: "no encryption type in common", config: func() Config {
			c := Contoso()
			c.ServiceAccounts[0].EncryptionTypes = []string{"AES256"}
			c.Hosts[0].EncryptionTypes = []string{"RC4"}
			return c
		}(), step: test("ContainerHost01"), want: diag.NoCommonEType, facts: []string{"RC4", "AES256"}, repair: func(t *testing.T, d *Domain) {
			check(t, d.SetServiceAccount("WebApp01", func(s *ServiceAccount) { s.EncryptionTypes = []string{"RC4", "AES256"} }))
		}},
		{name: "user as administrator", config: Contoso(), step: func(d *Domain) error { return d.As("alice").NewGroup(Group{Name: "Hers"}) },
			want: diag.AdminDenied, facts: []string{"alice"}, after: func(d *Domain) error { return d.NewGroup(Group{Name: "Hers"}) }},
		{name: "membership on another DC", config: twoDCs(), before: func(t *testing.T, d *Domain) {
			check(t, d.AddGroupMember("WebApp01Hosts", "ContainerHost04"))
		}, step: test("ContainerHost04"), want: diag.MembershipNotOnDC, facts: []string{"DC01", "DC02"}, repair: func(t *testing.T, d *Domain) {
			d.Clock.Advance(time.Hour)
			d.Host("ContainerHost04").Restart()
		}},
		{name: "service principal name of nobody", config: Contoso(), step: kerberos("http/WebApp01.contoso.com:8080"), want: diag.SPNUnknown,
			repair: func(t *testing.T, d *Domain) {
				check(t, d.AddSPN("WebApp01$", "http/WebApp01.contoso.com:8080", false))
			}},
		{name: "two owners of a name", config: twoDCs(), before: func(t *testing.T, d *Domain) {
			check(t, d.Server("DC01").AddSPN("WebApp01$", "http/web.contoso.com", true))
			check(t, d.Server("DC02").AddSPN("alice", "http/web.contoso.com", true))
			d.Clock.Advance(time.Hour)
		}, step: kerberos("http/web.contoso.com"), want: diag.SPNDuplicate, facts: []string{"WebApp01$, alice"},
			repair: func(t *testing.T, d *Domain) { check(t, d.RemoveSPN("alice", "http/web.contoso.com")) }},
		{name: "alias", config: func() Config {
			c := Contoso()
			c.Aliases = []Alias{{Name: "shop.contoso.com", Target: "webapp01.contoso.com"}}
			return c
		}(), step: kerberos("host/shop.contoso.com"), want: diag.SPNOtherName,
			repair: func(t *testing.T, d *Domain) { check(t, d.AddSPN("WebApp01$", "host/shop.contoso.com", false)) }},
		{name: "password of a computer reset", config: Contoso(), before: func(t *testing.T, d *Domain) {
			check(t, d.SetPassword("ContainerHost01", "something-else"))
			d.Host("ContainerHost01").Restart()
		}, step: test("ContainerHost01"), want: diag.BadCredentials, facts: []string{"2019-05-03 10:00Z"},
			repair: func(t *testing.T, d *Domain) {
				check(t, d.SetPassword("ContainerHost01", d.hostPassword("ContainerHost01")))
			}},
		{name: "wrong password", config: Contoso(), step: func(d *Domain) error { _, err := d.Host("ContainerHost01").SignIn("alice", "wrong"); return err },
			want: diag.BadCredentials, after: func(d *Domain) error { _, err := d.Host("ContainerHost01").SignIn("alice", "Passw0rd!"); return err }},
		{name: "user of nobody", config: Contoso(), step: func(d *Domain) error { _, err := d.Host("ContainerHost01").SignIn("alicia", "x"); return err },
			want: diag.NoSuchAccount, after: func(d *Domain) error { _, err := d.Host("ContainerHost01").SignIn("ALICE", "Passw0rd!"); return err }},
		{name: "disabled account", config: Contoso(), before: func(t *testing.T, d *Domain) {
			no := false
			check(t, d.SetServiceAccount("WebApp01", func(s *ServiceAccount) { s.Enabled = &no }))
		}, step: func(d *Domain) error {
			_, err := d.Host("ContainerHost01").SignInAsServiceAccount("WebApp01")
			return err
		},
			want: diag.AccountUnusable, facts: []string{"disabled"}, repair: func(t *testing.T, d *Domain) {
				yes := true
				check(t, d.SetServiceAccount("WebApp01", func(s *ServiceAccount) { s.Enabled = &yes }))
			}},
		{name: "name of another account's service", config: Contoso(), step: func(d *Domain) error { return d.AddSPN("alice", "host/webapp01", false) }, want: diag.SPNTaken,
			facts: []string{"WebApp01"}, repair: func(t *testing.T, d *Domain) { check(t, d.RemoveSPN("WebApp01$", "host/webapp01")) }},
		{name: "name of another account's service, unchecked", config: Contoso(), step: func(d *Domain) error { return d.AddSPN("alice", "host/webapp01", true) },
			want: diag.SPNTaken, after: test("ContainerHost01")},
		{name: "DNS without records", config: Contoso(), before: func(t *testing.T, d *Domain) { d.Inject(Fault{On: DNSLookup, From: "ContainerHost01", Do: NoDC}) },
			step: test("ContainerHost01"), want: diag.DNSFindsNoDC, repair: func(t *testing.T, d *Domain) { d.ClearFaults() }},
		{name: "DNS that does not answer", config: Contoso(), before: func(t *testing.T, d *Domain) { d.Inject(Fault{On: DNSLookup, Do: Drop}) },
			step: test("ContainerHost01"), want: diag.DNSFindsNoDC, repair: func(t *testing.T, d *Domain) { d.ClearFaults() }},
		{name: "DNS behind a firewall", config: Contoso(), before: func(t *testing.T, d *Domain) { d.Host("ContainerHost01").ClosePort("53") },
			step: test("ContainerHost01"), want: diag.DNSFindsNoDC, repair: func(t *testing.T, d *Domain) { d.Host("ContainerHost01").OpenPort("53") }},
		{name: "DC down", config: Contoso(), before: func(t *testing.T, d *Domain) { d.DC("DC01").Stop() }, step: test("ContainerHost01"),
			want: diag.DCUnreachable, facts: []string{"does not answer"}, repair: func(t *testing.T, d *Domain) { d.DC("DC01").Start() }},
		{name: "closed port", config: Contoso(), before: func(t *testing.T, d *Domain) { d.Host("ContainerHost01").ClosePort("DC01:389") }, step: test("ContainerHost01"),
			want: diag.DCUnreachable, facts: []string{"port 389", "closed port"}, repair: func(t *testing.T, d *Domain) { d.Host("ContainerHost01").OpenPort("DC01:389") }},
		{name: "closed Kerberos port", config: func() Config { c := Contoso(); c.Hosts[0].ClosedPorts = []string{"88"}; return c }(), step: test("ContainerHost01"),
			want: diag.DCUnreachable, facts: []string{"port 88"}, repair: func(t *testing.T, d *Domain) { d.Host("ContainerHost01").OpenPort("88") }},
		{name: "no DC answers a search", config: Contoso(), before: func(t *testing.T, d *Domain) { d.Inject(Fault{On: LDAPSearch, Do: Drop}) }, step: test("ContainerHost01"),
			want: diag.DCUnreachable, facts: []string{"does not answer"}, repair: func(t *testing.T, d *Domain) { d.ClearFaults() }},
		{name: "every connection is reset", config: Contoso(), before: func(t *testing.T, d *Domain) { d.Inject(Fault{On: LDAPConnect, Do: Reset}) }, step: test("ContainerHost01"),
			want: diag.DCUnreachable, facts: []string{"closes the connection"}, repair: func(t *testing.T, d *Domain) { d.ClearFaults() }},
		{name: "no KDC answers", config: Contoso(), before: func(t *testing.T, d *Domain) { d.Inject(Fault{On: KDCTGS, Do: Drop}) }, step: test("ContainerHost01"),
			want: diag.DCUnreachable, facts: []string{"Kerberos, port 88"}, repair: func(t *testing.T, d *Domain) { d.ClearFaults() }},
		{name: "clock ahead", config: func() Config { c := Contoso(); c.Hosts[0].ClockOffset = 6 * time.Minute; return c }(), step: test("ContainerHost01"),
			want: diag.ClockSkew, facts: []string{"6m0s, at most 5m0s"}, repair: func(t *testing.T, d *Domain) { d.Host("ContainerHost01").SetClockOffset(0) }},
		{name: "clock set back under a ticket", config: Contoso(), before: func(t *testing.T, d *Domain) {
			check(t, d.Host("ContainerHost01").TestServiceAccount("WebApp01"))
			d.Host("ContainerHost01").SetClockOffset(-5*time.Minute - time.Second)
		}, step: test("ContainerHost01"), want: diag.ClockSkew, facts: []string{"5m1s"},
			repair: func(t *testing.T, d *Domain) { d.Host("ContainerHost01").SetClockOffset(-4 * time.Minute) }},
		{name: "clock a day ahead", config: func() Config { c := Contoso(); c.Hosts[0].ClockOffset = 24 * time.Hour; return c }(), step: test("ContainerHost01"),
			want: diag.ClockSkew, facts: []string{"24h0m0s, at most 5m0s"}, repair: func(t *testing.T, d *Domain) { d.Host("ContainerHost01").SetClockOffset(0) }},
		{name: "busy DC", config: Contoso(), before: func(t *testing.T, d *Domain) {
			d.Inject(Fault{On: LDAPSearch, Match: "msDS-ManagedPassword", Do: Busy})
		},
			step: test("ContainerHost01"), want: diag.DCRefuses, facts: []string{"51"}, repair: func(t *testing.T, d *Domain) { d.ClearFaults() }},
		{name: "unavailable DC", config: Contoso(), before: func(t *testing.T, d *Domain) { d.Inject(Fault{On: LDAPBind, Do: Unavailable}) },
			step: test("ContainerHost01"), want: diag.DCRefuses, facts: []string{"52"}, repair: func(t *testing.T, d *Domain) { d.ClearFaults() }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.config.Keys = rememberedForTests
			d := StartT(t, tc.config)
			if tc.before != nil {
				tc.before(t, d)
			}
			err := tc.step(d)
			if !errors.Is(err, tc.want) {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
			f, _ := diag.Of(err)
			if f.Title == "" || f.Because == "" || len(f.SeenAs) == 0 && tc.want != diag.ChangeRefused {
				t.Errorf("finding without title, mechanism or symptom: %+v", f)
			}
			var facts strings.Builder
			for _, fact := range f.Facts {
				facts.WriteString(fact.Name + ": " + fact.Value + "\n")
			}
			for _, want := range tc.facts {
				if !strings.Contains(facts.String(), want) {
					t.Errorf("got facts\n%swant %q among them", facts.String(), want)
				}
			}
			if tc.repair != nil {
				tc.repair(t, d)
			}
			if tc.after == nil {
				tc.after = tc.step
			}
			if err := tc.after(d); err != nil {
				t.Errorf("after the repair: got %v, want success", err)
			}
		})
	}
}

// rememberedForTests saves the tests the derivation of the same keys again and again.
var rememberedForTests = NewKeys()

// kerberos gets a ticket for a service as ContainerHost02.
func kerberos(spn string) func(*Domain) error {
	return func(d *Domain) error {
		_, err := d.Host("ContainerHost02").KerberosTo(spn)
		return err
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T) func(any, error) {
	return func(_ any, err error) {
		t.Helper()
		check(t, err)
	}
}

// TestNearestNames: a finding about a name says which one was probably meant.
func TestNearestNames(t *testing.T) {
	d := StartT(t, Contoso())
	for _, tc := range []struct {
		step          func() error
		want, closest string
	}{
		{func() error { return d.Host("ContainerHost01").TestServiceAccount("WebApp1") }, "WebApp1", "WebApp01"},
		{func() error { return kerberos("http/webapp01.contoso.co")(d) }, "http/webapp01.contoso.co", "host/WebApp01.contoso.com"},
		{func() error { return kerberos("MSSQLSvc/webapp01.contoso.com")(d) }, "MSSQLSvc/webapp01.contoso.com", "host/WebApp01.contoso.com"},
	} {
		f, ok := diag.Of(tc.step())
		if !ok || len(f.Nearest) != 1 || f.Nearest[0].Wanted != tc.want || f.Nearest[0].Closest != tc.closest {
			t.Errorf("got %+v, want %s near %s", f, tc.closest, tc.want)
		}
	}
}

// TestProof: a finding names the event that shows the failure.
func TestProof(t *testing.T) {
	d := StartT(t, twoDCs())
	err := d.Host("ContainerHost04").TestServiceAccount("WebApp01")
	f, ok := diag.Of(err)
	if !ok || len(f.Events) != 1 {
		t.Fatalf("got %v, want a finding with an event", err)
	}
	e := d.EventsSince(f.Events[0] - 1)[0]
	if e.Op != LDAPSearch || e.Result != resultAbsent || !strings.Contains(e.Text, "msDS-ManagedPassword") || e.From != "ContainerHost04" || e.To != "DC02" {
		t.Errorf("got %v, want the search that brought no password", e)
	}
}
