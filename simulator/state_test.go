package simulator

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestState(t *testing.T) {
	cfg := Contoso()
	cfg.DCs = []string{"DC01", "DC02"}
	cfg.Hosts[1].ClockOffset = time.Minute
	d := StartT(t, cfg)
	check(t, d.Host("ContainerHost01").TestServiceAccount("WebApp01"))
	d.DC("dc02.contoso.com.").Stop()
	d.Inject(Fault{On: KDCAS, Do: Drop})
	s := d.State()
	if s.DNSName != "contoso.com" || s.NetBIOSName != "CONTOSO" || s.Seed != 1 || !s.Time.Equal(defaultStart) || !strings.HasPrefix(s.SID, "S-1-5-21-") {
		t.Errorf("got %+v", s)
	}
	if want := []DCState{{"DC01", "dc01.contoso.com", true}, {"DC02", "dc02.contoso.com", false}}; !reflect.DeepEqual(s.DCs, want) {
		t.Errorf("got %+v, want %+v", s.DCs, want)
	}
	if !slices.Equal(s.ServiceAccounts, []string{"WebApp01"}) || !slices.Equal(s.Groups, []string{"WebApp01Hosts"}) || !slices.Equal(s.Users, []string{"alice"}) {
		t.Errorf("got accounts %v, groups %v, users %v", s.ServiceAccounts, s.Groups, s.Users)
	}
	if len(s.Hosts) != 3 || s.Hosts[1].ClockOffset != time.Minute || len(s.Hosts[0].Tickets) != 2 || len(s.Faults) != 1 || len(s.KDSRootKeys) != 1 {
		t.Errorf("got hosts %+v, faults %v, keys %v", s.Hosts, s.Faults, s.KDSRootKeys)
	}
	if b, err := json.Marshal(s); err != nil || strings.Contains(string(b), "Passw0rd") {
		t.Errorf("as JSON: got %s, %v", b, err)
	}
}

func TestNames(t *testing.T) {
	d := StartT(t, Config{DNSName: "corp.example.org", DCs: []string{"A"}, Hosts: []HostConfig{{Name: "Web", ClockOffset: time.Second}}})
	if d.DNSName() != "corp.example.org" || d.NetBIOSName() != "CORP" || d.Realm() != "CORP.EXAMPLE.ORG" || d.BaseDN() != "DC=corp,DC=example,DC=org" {
		t.Errorf("got %s, %s, %s, %s", d.DNSName(), d.NetBIOSName(), d.Realm(), d.BaseDN())
	}
	dc := d.DC("a")
	if dc.Name() != "A" || dc.DNSName() != "a.corp.example.org" || dc.Domain() != "corp.example.org" || len(d.DCs()) != 1 {
		t.Errorf("got %s, %s, %s", dc.Name(), dc.DNSName(), dc.Domain())
	}
	if h := d.Host("WEB$"); h.Name() != "Web" || !h.Time().Equal(defaultStart.Add(time.Second)) || !h.LastRestart().Equal(defaultStart) {
		t.Errorf("got %s, %v, %v", h.Name(), h.Time(), h.LastRestart())
	}
	if got := d.Config(); got.AdminPassword != defaultPassword || got.Seed != 1 || got.RootKeyPolicy != StrictRootKey {
		t.Errorf("got %+v, want the defaults filled in", got)
	}
	for name, f := range map[string]func(){"Host": func() { d.Host("x") }, "DC": func() { d.DC("x") }} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s of nobody: got no panic", name)
				}
			}()
			f()
		}()
	}
}

// TestTemporaryFolder: a domain of a program makes its folder when it needs one, and removes it.
func TestTemporaryFolder(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	d, err := Start(t.Context(), Contoso())
	check(t, err)
	path, err := d.CAFile()
	check(t, err)
	b, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(b), "-----BEGIN CERTIFICATE-----") {
		t.Errorf("got %q, %v", b, err)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("got %v, %v, want a folder for its owner only", info, err)
	}
	check(t, d.Close())
	if _, err := os.Stat(filepath.Dir(path)); !os.IsNotExist(err) {
		t.Errorf("after Close: got %v, want that the folder is gone", err)
	}
}

func TestReplicateOneDC(t *testing.T) {
	d := StartT(t, twoDCs())
	check(t, d.NewServiceAccount(ServiceAccount{Name: "Svc", AllowedToRetrieve: []string{"ContainerHost04"}}))
	d.DC("DC02").Replicate()
	check(t, d.Host("ContainerHost04").TestServiceAccount("Svc"))
	d.WantTrace(t, "repadmin /syncall DC02", "DC02: base=CN=Svc")
}

func TestEventsAreForgotten(t *testing.T) {
	d := StartT(t, Config{})
	for range 2*maxEvents + 10 {
		d.event(Event{Op: opHost})
	}
	events := d.Events()
	if n := len(events); n < maxEvents || events[n-1].N != 2*maxEvents+10 || events[0].N != 2*maxEvents+10-n+1 {
		t.Errorf("got %d events from %d to %d", n, events[0].N, events[n-1].N)
	}
	if got := d.EventsSince(2*maxEvents + 8); len(got) != 2 {
		t.Errorf("got %d events, want the last 2", len(got))
	}
	if got := d.EventsSince(1 << 30); len(got) != 0 {
		t.Errorf("after the last one: got %d events", len(got))
	}
}

func TestFollowEvents(t *testing.T) {
	d := StartT(t, Contoso())
	check(t, d.Host("ContainerHost01").TestServiceAccount("WebApp01"))
	events, more := d.FollowEvents(3)
	if len(events) == 0 || events[0].N != 4 {
		t.Errorf("got %v, want the events from the fourth on", events)
	}
	select {
	case <-more:
		t.Error("there is news without an event")
	default:
	}
	d.event(Event{Op: opHost})
	<-more
}

func TestEventText(t *testing.T) {
	for _, tc := range []struct {
		e    Event
		want string
	}{
		{Event{N: 7, Time: defaultStart, Op: KDCAS, From: "a", To: "b", Text: "t", Result: "ok", Detail: "x\n\x00"}, "   7 2019-05-03 10:00:00Z kdc.as       a -> b: t => ok | x"},
		{Event{N: 12345, Time: defaultStart, Op: opClock, Text: "advance 1h"}, "12345 2019-05-03 10:00:00Z clock        advance 1h"},
		{Event{N: 1, Time: defaultStart, Op: opDC, To: "DC01", Text: "stop"}, "   1 2019-05-03 10:00:00Z dc           DC01: stop"},
	} {
		if got := tc.e.String(); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
}
