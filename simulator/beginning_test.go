package simulator

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/filter"
)

// directoryOf is all that the DCs of a domain hold.
func directoryOf(t *testing.T, d *Domain) string {
	t.Helper()
	var b strings.Builder
	for _, dc := range d.dcs {
		for _, nc := range []string{dc.dom.DN, "CN=Configuration," + d.BaseDN()} {
			err := dc.search(nc, filter.MustParse("(objectClass=*)"), []string{"*", "nTSecurityDescriptor", "uSNChanged", "memberOf"}, func(e *directory.Entry) {
				fmt.Fprintf(&b, "%s: %s\n", dc.name, e.DN)
				for _, a := range e.Attributes {
					fmt.Fprintf(&b, "  %s %q\n", a.Name, a.Values)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return b.String()
}

// TestRememberedBeginning tells that a domain is the same, and does the same, whether its directory was remembered or made.
func TestRememberedBeginning(t *testing.T) {
	twoDomains := Contoso()
	twoDomains.DCs, twoDomains.Domains, twoDomains.ReplicationDelay = []string{"DC01", "DC02"}, []DomainConfig{{DNSName: "emea.contoso.com"}}, time.Hour
	late := Contoso()
	late.Groups[0].MembersSince = defaultStart.Add(-time.Minute)
	late.Hosts[1].LastRestart = defaultStart.Add(-time.Hour)
	late.Users = append(late.Users, User{Name: "bob", ClockOffset: time.Minute})
	edited := Contoso()
	edited.Edits = []Edit{{Object: "WebApp01", Attribute: "description", Values: []string{"by hand"}}}
	for name, cfg := range map[string]Config{"contoso": Contoso(), "two domains": twoDomains, "members since": late, "edits": edited, "nothing": {}} {
		t.Run(name, func(t *testing.T) {
			keys := NewKeys()
			outcome := func(keys *Keys) (begin, transcript string) {
				cfg := cfg
				cfg.Keys = keys
				d := StartT(t, cfg)
				begin = directoryOf(t, d)
				for _, h := range d.Hosts() {
					_ = h.TestServiceAccount("WebApp01") // the transcript has what comes of it
				}
				if err := d.NewGroup(Group{Name: "Later"}); err != nil {
					t.Errorf("new group: %v", err)
				}
				return begin, d.Transcript() + directoryOf(t, d)
			}
			wantBegin, wantTranscript := outcome(nil)
			for range 3 {
				begin, transcript := outcome(keys)
				if begin != wantBegin {
					t.Errorf("the directory: got\n%s\nwant\n%s", begin, wantBegin)
				}
				if transcript != wantTranscript {
					t.Errorf("the transcript: got\n%s\nwant\n%s", transcript, wantTranscript)
				}
			}
			if n := len(keys.beginnings.last); n != 1 {
				t.Errorf("got %d remembered directories of one configuration, want 1", n)
			}
		})
	}
}

// TestBeginningOfOthers tells that configurations with another directory do not share one, and those with the same do.
func TestBeginningOfOthers(t *testing.T) {
	keys := NewKeys()
	start := func(change func(*Config)) *directory.Forest {
		cfg := Contoso()
		cfg.Keys = keys
		cfg.KDSRootKeys = []KDSRootKey{{Effective: At(defaultStart.Add(-11 * time.Hour))}}
		change(&cfg)
		d := StartT(t, cfg)
		part := d.cfg.directoryPart()
		b, ok := keys.beginnings.get(&part)
		if !ok {
			t.Fatal("the directory is not remembered")
		}
		return b.forest
	}
	first := start(func(*Config) {})
	seen := map[*directory.Forest]string{first: "the first configuration"}
	for name, change := range map[string]func(*Config){
		"seed":  func(c *Config) { c.Seed = 2 },
		"start": func(c *Config) { c.Start = defaultStart.Add(time.Nanosecond) },
		"root key": func(c *Config) {
			c.KDSRootKeys = []KDSRootKey{{Effective: At(defaultStart.Add(-11*time.Hour + time.Nanosecond))}}
		},
		"password":          func(c *Config) { c.Users[0].Password = "\xff" },
		"another password":  func(c *Config) { c.Users[0].Password = "\xfe" }, // as JSON, both are U+FFFD
		"a host's release":  func(c *Config) { c.Hosts[0].OS = "Windows Server 2022" },
		"service account":   func(c *Config) { c.ServiceAccounts[0].IntervalDays = 1 },
		"default of etypes": func(c *Config) { c.DefaultETypes = []string{"RC4"} },
	} {
		f := start(change)
		if other, ok := seen[f]; ok {
			t.Errorf("%s: got the directory of %s", name, other)
		}
		seen[f] = name
	}
	for name, change := range map[string]func(*Config){
		"closed port":   func(c *Config) { c.Hosts[0].ClosedPorts = []string{"389"} },
		"clock":         func(c *Config) { c.Users[0].ClockOffset = time.Hour },
		"etypes of DCs": func(c *Config) { c.KDCETypes = []string{"AES256"} },
	} {
		if start(change) != first {
			t.Errorf("%s: got another directory than that of the same accounts", name)
		}
	}
}

// TestMemory tells that the values used last are kept.
func TestMemory(t *testing.T) {
	m := &memory[int, string]{size: 2}
	key := func(n int) *int { return &n }
	has := func(n int) bool { _, ok := m.get(key(n)); return ok }
	m.put(key(1), "one")
	m.put(key(2), "two")
	if v, ok := m.get(key(1)); !ok || v != "one" {
		t.Errorf("got %q, %v, want one", v, ok)
	}
	m.put(key(3), "three")
	if got := []bool{has(1), has(2), has(3)}; !reflect.DeepEqual(got, []bool{true, false, true}) {
		t.Errorf("got %v of three values in room for two, of which the second was not used for the longest time", got)
	}
	none := &memory[int, string]{}
	none.put(key(1), "one")
	if v, ok := none.get(key(1)); ok {
		t.Errorf("got %q of a memory without room", v)
	}
}
