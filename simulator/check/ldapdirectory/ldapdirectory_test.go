package ldapdirectory_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/config"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/check"
	. "github.com/gmsasim/gmsasim/simulator/check/ldapdirectory"
	"github.com/gmsasim/gmsasim/simulator/check/simulated"
)

// forest is a forest of three domains in two trees.
func forest(t *testing.T) *simulator.Domain {
	t.Helper()
	cfg := simulator.Contoso()
	cfg.Domains = []simulator.DomainConfig{{DNSName: "emea.contoso.com", DCs: []string{"DC11"}}, {DNSName: "fabrikam.example", NetBIOSName: "FAB", DCs: []string{"DC21"}}}
	cfg.Hosts = append(cfg.Hosts, simulator.HostConfig{Name: "EmeaHost", Domain: "emea.contoso.com"})
	cfg.Groups = append(cfg.Groups,
		simulator.Group{Name: "EmeaHosts", Domain: "emea.contoso.com", Scope: simulator.Universal, Members: []string{"EmeaHost"}},
		simulator.Group{Name: "OuterHosts"})
	cfg.ServiceAccounts = append(cfg.ServiceAccounts,
		simulator.ServiceAccount{Name: "Shared", AllowedToRetrieve: []string{"OuterHosts"}},
		simulator.ServiceAccount{Name: "Shop", Domain: "emea.contoso.com"},
		simulator.ServiceAccount{Name: "Nobodys", SPNs: []string{"http/shop.contoso.com"}})
	// A group of one domain in a group of another, which no tokenGroups of the first shows.
	cfg.Edits = append(cfg.Edits, simulator.Edit{Object: "OuterHosts", Attribute: "member", Values: []string{"CN=EmeaHosts,CN=Users,DC=emea,DC=contoso,DC=com"}})
	return simulator.StartT(t, cfg)
}

// server is how it asks one over sockets.
func server(t *testing.T, d *simulator.Domain, s Server, login Login) Config {
	t.Helper()
	s.DNS, s.Roots = d.DNSAddr(), d.RootCAs()
	dial, err := s.Dial()
	if err != nil {
		t.Fatal(err)
	}
	return Config{Dial: dial, Login: login}
}

func kerberosConfig(t *testing.T, d *simulator.Domain) *config.Config {
	t.Helper()
	conf, err := config.NewFromString(string(d.Krb5Conf()))
	if err != nil {
		t.Fatal(err)
	}
	return conf
}

func open(t *testing.T, cfg Config) *Directory {
	t.Helper()
	dir, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dir.Close(); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestDirectory asks one forest the same questions over each kind of connection.
func TestDirectory(t *testing.T) {
	d := forest(t)
	keytab, err := d.Keytab("ContainerHost01$")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "host.keytab")
	if err := os.WriteFile(file, keytab, 0o600); err != nil {
		t.Fatal(err)
	}
	machine, err := FromKeytab(kerberosConfig(t, d), file, "", "")
	if err != nil {
		t.Fatal(err)
	}
	password := Password{Name: "Administrator@contoso.com", Password: "Passw0rd!"}
	for name, cfg := range map[string]Config{
		"in process":                      simulated.Of(d),
		"LDAPS":                           server(t, d, Server{URL: d.LDAPSURL()}, password),
		"StartTLS":                        server(t, d, Server{URL: d.LDAPURL(), StartTLS: true}, password),
		"GSSAPI":                          server(t, d, Server{URL: d.LDAPURL()}, FromPassword(kerberosConfig(t, d), "Administrator", "CONTOSO.COM", "Passw0rd!")),
		"GSSAPI over LDAPS":               server(t, d, Server{URL: d.LDAPSURL()}, FromPassword(kerberosConfig(t, d), "Administrator", "CONTOSO.COM", "Passw0rd!")),
		"GSSAPI with a computer's keytab": server(t, d, Server{URL: d.LDAPURL()}, machine),
	} {
		t.Run(name, func(t *testing.T) {
			dir := open(t, cfg)
			domains, err := dir.Domains()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, dom := range domains {
				head, err := dir.Find(dom.DNSName, check.ByGUID, dom.GUID)
				if err != nil || len(head) != 1 || head[0].Class != "domainDNS" || head[0].SID != dom.SID || dom.Forest != "contoso.com" || dom.Trusted {
					t.Errorf("got %+v, whose head is %+v, %v", dom, head, err)
				}
				got = append(got, dom.DNSName+" "+dom.NetBIOSName)
			}
			if want := []string{"contoso.com CONTOSO", "emea.contoso.com EMEA", "fabrikam.example FAB"}; !slices.Equal(got, want) {
				t.Errorf("got domains %q, want %q", got, want)
			}
			one := func(domain string, by check.Key, value string) check.Object {
				t.Helper()
				found, err := dir.Find(domain, by, value)
				if err != nil || len(found) != 1 {
					t.Fatalf("%s %s: got %d objects, %v", by, value, len(found), err)
				}
				return found[0]
			}
			account := one("contoso.com", check.BySAM, "webapp01$")
			if account.SAM != "WebApp01$" || account.Class != check.ClassGMSA || account.Domain != "contoso.com" || account.Flags&check.WorkstationTrustAccount == 0 || account.DNSHostName != "WebApp01.contoso.com" || len(account.SPNs) == 0 {
				t.Errorf("got %+v", account)
			}
			for by, value := range map[check.Key]string{check.BySID: account.SID, check.ByGUID: account.GUID, check.ByCN: "WebApp01", check.ByHost: "WEBAPP01.contoso.com", check.BySPN: account.SPNs[0]} {
				if o := one("", by, value); o.DN != account.DN {
					t.Errorf("by %s %s: got %s", by, value, o.DN)
				}
			}
			if found, err := dir.Find("contoso.com", check.BySAM, "*"); err != nil || len(found) != 0 {
				t.Errorf("a name is not a pattern: got %d objects, %v", len(found), err)
			}
			if o := one("", check.BySAM, "Shop$"); o.Domain != "emea.contoso.com" {
				t.Errorf("got %+v", o)
			}
			if names, err := dir.ServiceAccounts("contoso.com"); err != nil || strings.Join(names, " ") != "WebApp01 Shared Nobodys" {
				t.Errorf("got accounts %q, %v", names, err)
			}
			host, other := one("", check.BySAM, "ContainerHost01$"), one("", check.BySAM, "EmeaHost$")
			shared := one("contoso.com", check.BySAM, "Shared$")
			for _, tt := range []struct {
				account, who check.Object
				want         bool
			}{{account, host, true}, {account, other, false}, {shared, host, false}, {shared, other, true}} {
				if may, err := dir.MayRetrieve(tt.account, tt.who); err != nil || may != tt.want {
					t.Errorf("%s of %s: got %v, %v, want %v", tt.who.SAM, tt.account.SAM, may, err, tt.want)
				}
			}
			keys, dc, err := dir.RootKeys("contoso.com")
			if strings.Contains(name, "computer") {
				if !errors.Is(err, ErrHidden) {
					t.Errorf("a computer sees root keys: got %v, %v", keys, err)
				}
			} else if err != nil || len(keys) != 1 || dc != "dc01.contoso.com" || keys[0].ID != d.State().KDSRootKeys[0].ID || !keys[0].Effective.Equal(d.State().KDSRootKeys[0].Effective) {
				t.Errorf("got %+v of %s, %v, want %+v", keys, dc, err, d.State().KDSRootKeys)
			}
			if now, err := dir.Now(); err != nil || name == "in process" && !now.Equal(d.Clock.Now()) {
				t.Errorf("got %v, %v", now, err)
			}
		})
	}
}

// TestProtection: what goes over the network is sealed, and a password never goes in the clear.
func TestProtection(t *testing.T) {
	d := forest(t)
	_, err := Open(t.Context(), server(t, d, Server{URL: d.LDAPURL()}, Password{Name: "Administrator@contoso.com", Password: "Passw0rd!"}))
	if !errors.Is(err, ErrInTheClear) {
		t.Errorf("got %v", err)
	}
	for _, e := range d.Events() {
		if e.Op == simulator.LDAPBind {
			t.Errorf("somebody signed in: %+v", e)
		}
	}
	open(t, server(t, d, Server{URL: d.LDAPURL()}, FromPassword(kerberosConfig(t, d), "Administrator", "CONTOSO.COM", "Passw0rd!")))
	d.WantTrace(t, "outside -> DC01: ", "GSSAPI seal")
}

func TestRefusals(t *testing.T) {
	d := forest(t)
	for name, tt := range map[string]struct {
		cfg  func() (Config, error)
		want string
	}{
		"wrong password": {func() (Config, error) {
			return server(t, d, Server{URL: d.LDAPSURL()}, Password{Name: "Administrator@contoso.com", Password: "wrong"}), nil
		}, "Invalid Credentials"},
		"no password": {func() (Config, error) {
			return server(t, d, Server{URL: d.LDAPSURL()}, Password{Name: "Administrator@contoso.com"}), nil
		}, "a name and a password are needed"},
		"nobody listens": {func() (Config, error) {
			return server(t, d, Server{URL: "ldap://127.0.0.1:1"}, Password{Name: "x", Password: "y"}), nil
		}, "cannot reach a domain controller: dial tcp"},
		"authority not trusted": {func() (Config, error) {
			dial, err := Server{URL: d.LDAPSURL()}.Dial()
			return Config{Dial: dial, Login: Password{Name: "x", Password: "y"}}, err
		}, "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := tt.cfg()
			if err != nil {
				t.Fatal(err)
			}
			dir, err := Open(t.Context(), cfg)
			if err == nil {
				t.Fatal(dir.Close())
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	for _, bad := range []string{"http://dc01", "ldap://", "ldap://dc01/dc=contoso", "ldap://user@dc01", "dc01", "ldap://[::1"} {
		if _, err := (Server{URL: bad}).Dial(); err == nil {
			t.Errorf("%q is taken for an address", bad)
		}
	}
	// A domain whose controller is away: that one question fails, the others go on.
	dir := open(t, simulated.Of(d))
	d.DC("DC11").Stop()
	var e *ConnectError
	if _, err := dir.Find("emea.contoso.com", check.BySAM, "Shop$"); !errors.As(err, &e) || e.Domain != "emea.contoso.com" {
		t.Errorf("got %v", err)
	}
	if found, err := dir.Find("contoso.com", check.BySAM, "WebApp01$"); err != nil || len(found) != 1 {
		t.Errorf("got %d, %v", len(found), err)
	}
}

// TestSilence: a server that takes connections and says nothing is not waited for, and neither is one whose caller has gone.
func TestSilence(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var held sync.WaitGroup
	held.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			held.Go(func() {
				_, _ = io.Copy(io.Discard, c)
				_ = c.Close()
			})
		}
	})
	defer func() {
		_ = listener.Close()
		held.Wait()
	}()
	for _, s := range []Server{{URL: "ldap://" + listener.Addr().String()}, {URL: "ldap://" + listener.Addr().String(), StartTLS: true}} {
		dial, err := s.Dial()
		if err != nil {
			t.Fatal(err)
		}
		cfg := Config{Dial: dial, Login: Password{Name: "x", Password: "y"}, Timeout: 50 * time.Millisecond}
		if dir, err := Open(t.Context(), cfg); err == nil {
			t.Error("a silent server has answered")
			_ = dir.Close()
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		cfg.Timeout = time.Hour
		if dir, err := Open(ctx, cfg); err == nil {
			t.Error("a silent server has answered")
			_ = dir.Close()
		}
	}
}
