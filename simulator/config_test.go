package simulator

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestValidate(t *testing.T) {
	withHost := func(h HostConfig) Config { return Config{Hosts: []HostConfig{h}} }
	key := []KDSRootKey{{Effective: Ago(10 * time.Hour)}}
	account := func(s ServiceAccount) Config { return Config{KDSRootKeys: key, ServiceAccounts: []ServiceAccount{s}} }
	for _, tc := range []struct {
		config  Config
		path    string // of the only fault
		nearest string
	}{
		{Config{DNSName: "contoso"}, "dnsName", ""},
		{Config{DNSName: "con_toso.com"}, "dnsName", ""},
		{Config{DNSName: strings.Repeat("a", 61) + ".com"}, "dnsName", ""},
		{Config{NetBIOSName: "contoso"}, "netbiosName", ""},
		{Config{NetBIOSName: "SIXTEENCHARACTER"}, "netbiosName", ""},
		{Config{WireTime: "mashine"}, "wireTime", "machine"},
		{Config{RootKeyPolicy: "strickt"}, "rootKeyPolicy", "strict"},
		{Config{ReplicationDelay: -1}, "replicationDelay", ""},
		{Config{Start: time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC)}, "start", ""},
		{Config{DefaultETypes: []string{"RC4", "AES265"}}, "defaultETypes[1]", "AES256"},
		{Config{Listen: Listen{Address: "localhost"}}, "listen.address", ""},
		{Config{Listen: Listen{Address: "fe80::1%eth0"}}, "listen.address", ""},
		{Config{DCs: []string{"DC01", "dc01"}}, "dcs[1]", ""},
		{Config{DCs: []string{"DC_1"}}, "dcs[0]", ""},
		{Config{Domains: []DomainConfig{{}}}, "domains[0].dnsName", ""},
		{Config{Domains: []DomainConfig{{DNSName: "CONTOSO.COM", NetBIOSName: "OTHER"}}}, "domains[0].dnsName", ""},
		{Config{Domains: []DomainConfig{{DNSName: "contoso.org"}}}, "domains[0].netbiosName", ""},
		{Config{Domains: []DomainConfig{{DNSName: "emea.contoso.com", DCs: []string{"DC01"}}}}, "domains[0].dcs[0]", ""},
		{withHost(HostConfig{}), "hosts[0].name", ""},
		{withHost(HostConfig{Name: "Sixteen-Letters1"}), "hosts[0].name", ""},
		{withHost(HostConfig{Name: "host 1"}), "hosts[0].name", ""},
		{withHost(HostConfig{Name: "DC01"}), "hosts[0].name", ""},
		{withHost(HostConfig{Name: "h", Domain: "contso.com"}), "hosts[0].domain", "contoso.com"},
		{withHost(HostConfig{Name: "h", LastRestart: defaultStart.Add(time.Second)}), "hosts[0].lastRestart", ""},
		{withHost(HostConfig{Name: "h", DCs: []string{"DC02"}}), "hosts[0].dcs[0]", "DC01"},
		{withHost(HostConfig{Name: "h", ClosedPorts: []string{"389", "DC01:88", "DC01", "DC1"}}), "hosts[0].closedPorts[3]", "DC01"},
		{withHost(HostConfig{Name: "h", ClosedPorts: []string{"70000"}}), "hosts[0].closedPorts[0]", ""},
		{withHost(HostConfig{Name: "h", EncryptionTypes: []string{"DES"}}), "hosts[0].encryptionTypes[0]", ""},
		{Config{Hosts: []HostConfig{{Name: "h"}, {Name: "H$"}}}, "hosts[1].name", ""},
		{Config{Users: []User{{Name: "a:b"}}}, "users[0].name", ""},
		{Config{Users: []User{{Name: " a"}}}, "users[0].name", ""},
		{Config{Users: []User{{Name: "Administrator"}}}, "users[0].name", ""},
		{Config{Users: []User{{Name: "a", SPNs: []string{"http"}}}}, "users[0].spns[0]", ""},
		{Config{Groups: []Group{{Name: "Domain Admins"}}}, "groups[0].name", ""},
		{Config{Groups: []Group{{Name: "g", Scope: "global"}}}, "groups[0].scope", "Global"},
		{Config{Groups: []Group{{Name: "g", Members: []string{"nobdy"}}}, Users: []User{{Name: "nobody"}}}, "groups[0].members[0]", "nobody"},
		{Config{Groups: []Group{{Name: "g", Members: []string{"g"}}}}, "groups[0].members[0]", ""},
		{Config{Groups: []Group{{Name: "g", Members: []string{"Guest", "guest"}}}}, "groups[0].members[1]", ""},
		{Config{Groups: []Group{{Name: "g", Scope: Global, Members: []string{"l"}}, {Name: "l"}}}, "groups[0].members[0]", ""},
		{Config{Groups: []Group{{Name: "g", Scope: Universal, Members: []string{"l"}}, {Name: "l"}}}, "groups[0].members[0]", ""},
		{Config{ServiceAccounts: []ServiceAccount{{Name: "s"}}}, "serviceAccounts", ""},
		{account(ServiceAccount{Name: "SixteenCharacter"}), "serviceAccounts[0].name", ""},
		{account(ServiceAccount{Name: "s", IntervalDays: -1}), "serviceAccounts[0].intervalDays", ""},
		{account(ServiceAccount{Name: "s", AllowedToRetrieve: []string{"Domain Computer"}}), "serviceAccounts[0].allowedToRetrieve[0]", "Domain Computers"},
		{account(ServiceAccount{Name: "s", SPNs: []string{"http/a b"}}), "serviceAccounts[0].spns[0]", ""},
		{Config{KDSRootKeys: []KDSRootKey{{ID: "x"}}}, "kdsRootKeys[0].id", ""},
		{Config{KDSRootKeys: []KDSRootKey{{Created: defaultStart.Add(time.Hour)}}}, "kdsRootKeys[0].created", ""},
		{Config{KDSRootKeys: []KDSRootKey{{DC: "DC1"}}}, "kdsRootKeys[0].dc", "DC01"},
		{Config{Aliases: []Alias{{Name: "a..b", Target: "c.d"}}}, "aliases[0].name", ""},
		{Config{Aliases: []Alias{{Name: "a.b", Target: "c..d"}}}, "aliases[0].target", ""},
		{Config{Aliases: []Alias{{Name: "a.b", Target: "c.d"}, {Name: "A.b.", Target: "c.d"}}}, "aliases[1].name", ""},
		{Config{Aliases: []Alias{{Name: "DC01.contoso.com", Target: "c.d"}}}, "aliases[0].name", ""},
		{Config{Aliases: []Alias{{Name: "h.contoso.com", Target: "c.d"}}, Hosts: []HostConfig{{Name: "H"}}}, "aliases[0].name", ""},
		{Config{Aliases: []Alias{{Name: "www.contoso.com", Target: "web1.contoso.com"}}, Hosts: []HostConfig{{Name: "Web01"}}}, "aliases[0].target", "web01.contoso.com"},
		{Config{Aliases: []Alias{{Name: "www.contoso.com", Target: "www.contoso.com"}}}, "aliases[0].target", ""},
		{Config{Faults: []Fault{{Do: Drop}}}, "faults[0].on", ""},
		{Config{Faults: []Fault{{On: "ldap.serch", Do: Busy}}}, "faults[0].on", "ldap.search"},
		{Config{Faults: []Fault{{On: KDCAS, Do: Busy}}}, "faults[0].do", ""},
		{Config{Faults: []Fault{{On: LDAPSearch}}}, "faults[0].do", ""},
		{Config{Faults: []Fault{{On: LDAPSearch, Do: NoDC}}}, "faults[0].do", ""},
		{Config{Faults: []Fault{{On: LDAPConnect, Do: Busy}}}, "faults[0].do", ""},
		{Config{Faults: []Fault{{On: LDAPSearch, Do: KRBError(7)}}}, "faults[0].do", ""},
		{Config{Faults: []Fault{{On: LDAPSearch, Do: Busy, DC: "DC02"}}}, "faults[0].dc", "DC01"},
		{Config{Faults: []Fault{{On: LDAPSearch, Do: Busy, From: "outsid"}}}, "faults[0].from", "outside"},
		{Config{Faults: []Fault{{On: LDAPSearch, Do: Busy, Skip: -1}}}, "faults[0]", ""},
	} {
		err := tc.config.Validate()
		joined, ok := err.(interface{ Unwrap() []error })
		if !ok || len(joined.Unwrap()) != 1 {
			t.Errorf("%s: got %v, want one fault", tc.path, err)
			continue
		}
		e, ok := errors.AsType[*ConfigError](err)
		if !ok || e.Path != tc.path || e.Nearest != tc.nearest || e.Problem == "" {
			t.Errorf("got %v, want a fault of %s with nearest %q", err, tc.path, tc.nearest)
		}
	}
	circle := Config{Aliases: []Alias{{Name: "a.b", Target: "c.d"}, {Name: "c.d", Target: "e.f"}, {Name: "e.f", Target: "a.b"}, {Name: "x.y", Target: "a.b"}}}
	if joined, ok := circle.Validate().(interface{ Unwrap() []error }); !ok || len(joined.Unwrap()) != 3 {
		t.Errorf("circle of three aliases: got %v, want three faults", circle.Validate())
	}
	for _, ok := range []Config{{}, Contoso(), twoDCs(), {DNSName: "a.b"}, {Hosts: []HostConfig{{Name: "h$"}}},
		{Hosts: []HostConfig{{Name: "h"}}, Aliases: []Alias{{"a.contoso.com", "b.contoso.com"}, {"b.contoso.com", "H.contoso.com."}, {"c.contoso.com", "dc01.contoso.com"}, {"d.contoso.com", "elsewhere.example"}}}} {
		if err := ok.Validate(); err != nil {
			t.Errorf("%+v: got %v, want nil", ok, err)
		}
	}
}

func TestConfigAsData(t *testing.T) {
	in := Contoso()
	in.Faults = []Fault{{On: LDAPSearch, Do: Busy}, {On: KDCAS, Do: KRBError(29)}}
	b, err := json.Marshal(in)
	check(t, err)
	var out Config
	check(t, json.Unmarshal(b, &out))
	again, err := json.Marshal(out)
	check(t, err)
	if string(again) != string(b) {
		t.Errorf("got %s, want %s", again, b)
	}
}

func TestEffective(t *testing.T) {
	now := defaultStart
	for _, tc := range []struct {
		text string
		want time.Time
		back string
	}{
		{"default", now.Add(240 * time.Hour), "default"},
		{"immediately", now, "immediately"},
		{"IMMEDIATELY", now, "immediately"},
		{"-10h", now.Add(-10 * time.Hour), "-10h0m0s"},
		{"90m", now.Add(90 * time.Minute), "1h30m0s"},
		{"2019-05-03T12:00:00+02:00", now, "2019-05-03T10:00:00Z"},
	} {
		var e Effective
		check(t, e.UnmarshalText([]byte(tc.text)))
		back, err := e.MarshalText()
		if got := e.Time(now); !got.Equal(tc.want) || string(back) != tc.back || err != nil {
			t.Errorf("%s: got %v and %s, %v; want %v and %s", tc.text, got, back, err, tc.want, tc.back)
		}
	}
	var e Effective
	if err := e.UnmarshalText([]byte("soon")); err == nil {
		t.Error("soon: got nil")
	}
}

func TestOutcome(t *testing.T) {
	for _, text := range []string{"drop", "reset", "busy", "unavailable", "noDC", "refuse 53", "krbError 7"} {
		var o Outcome
		if err := o.UnmarshalText([]byte(text)); err != nil || o.String() != text {
			t.Errorf("%s: got %s, %v", text, o, err)
		}
	}
	for _, text := range []string{"", "drop 1", "refuse", "refuse x", "refuse -1", "refuse 70000", "maybe", "krbError"} {
		if err := new(Outcome).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q: got nil", text)
		}
	}
}

func TestFaultsAreCounted(t *testing.T) {
	d := StartT(t, Contoso())
	remove := d.Inject(Fault{On: KDCTGS, Match: "HOST/webapp01", Skip: 1, Count: 2, Do: KRBError(7)})
	h := d.Host("ContainerHost01")
	var got []bool
	for range 5 {
		_, err := h.KerberosTo("host/webapp01")
		got = append(got, err == nil)
		h.PurgeTickets()
	}
	if want := []bool{true, false, false, true, true}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if len(d.Faults()) != 0 {
		t.Errorf("got %v, want that the fault is spent", d.Faults())
	}
	remove()
	remove = d.Inject(Fault{On: KDCAS, Do: Drop})
	if len(d.Faults()) != 1 {
		t.Error("the fault is not listed")
	}
	remove()
	remove()
	check(t, h.TestServiceAccount("WebApp01"))
	defer func() {
		if recover() == nil {
			t.Error("a fault that cannot happen: got no panic")
		}
	}()
	d.Inject(Fault{On: KDCAS, Do: Busy})
}

func TestClock(t *testing.T) {
	d := StartT(t, Config{DCs: []string{"DC01", "DC02"}, ReplicationDelay: time.Hour})
	if got := d.Clock.Now(); !got.Equal(defaultStart) {
		t.Errorf("got %v, want %v", got, defaultStart)
	}
	if at, what, ok := d.Clock.Next(); ok {
		t.Errorf("nothing is to come: got %v %s", at, what)
	}
	if _, err := d.AddKDSRootKey(Immediately); err != nil {
		t.Fatal(err)
	}
	if at, what, ok := d.Clock.Next(); !ok || !at.Equal(defaultStart.Add(time.Hour)) || !strings.Contains(what, "another domain controller") {
		t.Errorf("got %v %q, want the delivery of the key", at, what)
	}
	d.Clock.Advance(time.Hour)
	if at, what, ok := d.Clock.Next(); !ok || !at.Equal(defaultStart.Add(10*time.Hour)) || !strings.Contains(what, "becomes usable") {
		t.Errorf("got %v %q, want that the key becomes usable", at, what)
	}
	d.Clock.Advance(1)
	d.WantTrace(t, "less than a second: is the unit right?")
	defer func() {
		if recover() == nil {
			t.Error("back in time: got no panic")
		}
	}()
	d.Clock.AdvanceTo(defaultStart)
}

func TestFollowRealTime(t *testing.T) {
	before := time.Now()
	d := StartT(t, Config{FollowRealTime: true})
	if now := d.Clock.Now(); now.Before(before.Truncate(0)) || time.Since(now) > time.Minute {
		t.Errorf("got %v, want the machine's time", now)
	}
	first := d.Clock.Now()
	d.Clock.Advance(time.Hour)
	if got := d.Clock.Now().Sub(first); got < time.Hour || got > time.Hour+time.Minute {
		t.Errorf("got %v later, want an hour", got)
	}
}

// TestRootKeyPolicies: the sources disagree about when a key is usable.
func TestRootKeyPolicies(t *testing.T) {
	for policy, after := range map[RootKeyPolicy]time.Duration{
		"":              10 * time.Hour,
		StrictRootKey:   10 * time.Hour,
		SambaRootKey:    10*time.Hour + 5*time.Minute,
		IntervalRootKey: 0, // the start is not the start of an interval; see below
	} {
		t.Run(string(policy), func(t *testing.T) {
			d := StartT(t, Config{RootKeyPolicy: policy})
			if _, err := d.AddKDSRootKey(Immediately); err != nil {
				t.Fatal(err)
			}
			usable := d.DC("DC01").KDSRootKeys()[0].Usable
			if policy == IntervalRootKey {
				if usable.Unix()%36000 != 0 && usable.Sub(defaultStart) > 10*time.Hour {
					t.Errorf("got %v, want the end of an interval", usable)
				}
			} else if got := usable.Sub(defaultStart); got != after {
				t.Errorf("got usable after %v, want %v", got, after)
			}
			d.Clock.AdvanceTo(usable.Add(-time.Second))
			if err := d.NewServiceAccount(ServiceAccount{Name: "s"}); err == nil {
				t.Error("a second before: got nil")
			}
			d.Clock.AdvanceTo(usable)
			check(t, d.NewServiceAccount(ServiceAccount{Name: "s"}))
		})
	}
}
