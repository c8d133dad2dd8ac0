package directory

import (
	"context"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// clockwork is a forest with two domain controllers, an hour apart, and a clock.
func clockwork(t testing.TB, delay time.Duration) (f *Forest, advance func(time.Duration)) {
	now := defaultNow
	f = newForest(t, Config{Seed: 3, Now: func() time.Time { return now }, ReplicationDelay: delay, Domains: []DomainConfig{{DNSName: "contoso.com", DCs: []string{"DC01", "DC02"}}, {DNSName: "child.contoso.com"}}})
	return f, func(d time.Duration) { now = now.Add(d) }
}

func describe(t testing.TB, r *Replica, dn, text string) {
	t.Helper()
	if err := r.Modify(context.Background(), System(), dn, []Modification{{Op: ModReplace, Attribute: Text("description", text)}}, false); err != nil {
		t.Fatal(err)
	}
}

func has1(r *Replica, dn string) bool {
	_, err := r.Get(context.Background(), System(), dn, "1.1")
	return err == nil
}

func TestReplicationDelay(t *testing.T) {
	f, advance := clockwork(t, time.Hour)
	one, two, child := f.DC("DC01"), f.DC("DC02"), f.Domain("child.contoso.com").DCs()[0]
	const alice = "CN=alice,CN=Users," + contosoDN
	const note = "CN=note,CN=Configuration," + contosoDN
	mustAdd(t, one, alice, Text("objectClass", "user"), Text("sAMAccountName", "alice"))
	mustAdd(t, one, note, Text("objectClass", "container"))
	if want := defaultNow.Add(time.Hour); !f.NextDelivery().Equal(want) {
		t.Errorf("NextDelivery: got %v, want %v", f.NextDelivery(), want)
	}
	advance(time.Hour - time.Second)
	if has1(two, alice) || has1(child, note) || !has1(one, alice) {
		t.Error("the other domain controllers see it too early, or the first does not")
	}
	advance(time.Second)
	if !has1(two, alice) || !has1(child, note) {
		t.Error("the other domain controllers do not see it after the delay")
	}
	if has1(child, alice) {
		t.Error("another domain's controller holds it")
	}
	if !f.NextDelivery().IsZero() {
		t.Errorf("NextDelivery: got %v, want none", f.NextDelivery())
	}
	// Concurrent changes of different attributes both live; of one attribute, the later.
	describe(t, one, alice, "from one")
	advance(time.Minute)
	describe(t, two, alice, "from two")
	if err := one.Modify(context.Background(), System(), alice, []Modification{{Op: ModReplace, Attribute: Text("givenName", "Alice")}}, false); err != nil {
		t.Fatal(err)
	}
	one.Sync()
	two.Sync()
	for _, r := range []*Replica{one, two} {
		e := mustGet(t, r, alice, "description", "givenName")
		if e.Value("description") != "from two" || e.Value("givenName") != "Alice" {
			t.Errorf("%s after both changes: got %+v", r.Name(), e.Attributes)
		}
	}
}

func TestReplicationNameConflict(t *testing.T) {
	f, advance := clockwork(t, time.Hour)
	one, two := f.DC("DC01"), f.DC("DC02")
	const dn = "CN=same,CN=Users," + contosoDN
	mustAdd(t, one, dn, Text("objectClass", "container"), Text("description", "first"))
	advance(time.Minute)
	mustAdd(t, two, dn, Text("objectClass", "container"), Text("description", "second"))
	advance(2 * time.Hour)
	for _, r := range []*Replica{one, two} {
		if got := mustGet(t, r, dn, "description").Value("description"); got != "second" {
			t.Errorf("%s: %q has the name, want the later", r.Name(), got)
		}
		if got := names(t, r, System(), SearchRequest{Base: "CN=Users," + contosoDN, Scope: SingleLevel, Filter: nil}); len(got) == 0 {
			t.Error("nothing below Users")
		}
	}
	if a, b := dump(one), dump(two); a != b {
		t.Errorf("the replicas differ:\n%s\n%s", a, b)
	}
}

// dump is everything the replicas should agree on, as text.
func dump(r *Replica) string {
	v := r.view()
	var b []byte
	v.rs.stores[ncDomain].records.each(0, func(rec *record) bool {
		e := rec.entry
		if e.id < 200 {
			return true // most of what was there from the beginning, which nobody changes
		}
		b = append(append(b, e.name.String()...), ' ')
		for _, a := range e.attrs {
			b = append(append(b, theSchema().def(a.id).name...), '=')
			for _, x := range a.values() {
				b = append(append(b, x...), '|')
			}
		}
		for _, l := range e.links {
			if t := v.anywhere(l.target); t != nil {
				b = append(append(b, " ->"...), t.name.String()...)
			}
		}
		b = append(b, '\n')
		return true
	})
	return string(b)
}

// TestReplicasConverge writes at random on both domain controllers and asks for the same contents once everything was delivered.
func TestReplicasConverge(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f, advance := clockwork(t, time.Hour)
		replicas := []*Replica{f.DC("DC01"), f.DC("DC02")}
		users := []string{"CN=a,CN=Users," + contosoDN, "CN=b,CN=Users," + contosoDN, "CN=c,CN=Users," + contosoDN}
		const crew = "CN=crew,CN=Users," + contosoDN
		mustAdd(t, replicas[0], crew, Text("objectClass", "group"), Text("sAMAccountName", "crew"), Text("groupType", "-2147483646"))
		for _, u := range users {
			mustAdd(t, replicas[0], u, Text("objectClass", "container"))
		}
		replicas[1].Sync()
		ctx := context.Background()
		for i := range rapid.IntRange(1, 12).Draw(rt, "writes") {
			r := replicas[rapid.IntRange(0, 1).Draw(rt, "replica")]
			u := rapid.SampledFrom(users).Draw(rt, "object")
			// A write may be refused where the other replica has been before; that is part of it.
			switch rapid.IntRange(0, 4).Draw(rt, "kind") {
			case 0:
				_ = r.Modify(ctx, System(), u, []Modification{{Op: ModReplace, Attribute: Text("description", string(rune('a'+i)))}}, true)
			case 1:
				_ = r.ModifyDN(ctx, System(), u, "CN=z"+string(rune('a'+i)), true, "")
			case 2:
				_ = r.Delete(ctx, System(), u, true)
			case 3:
				_ = r.Add(ctx, System(), u, []Attribute{Text("objectClass", "container")})
			case 4:
				_ = r.Modify(ctx, System(), crew, []Modification{{Op: ModReplace, Attribute: Text("info", string(rune('a'+i)))}}, true)
			}
			advance(time.Duration(rapid.IntRange(0, 50).Draw(rt, "minutes")) * time.Minute)
		}
		advance(10 * time.Hour)
		if a, b := dump(replicas[0]), dump(replicas[1]); a != b {
			rt.Errorf("the replicas differ:\n%s\n%s", a, b)
		}
	})
}

func TestSnapshot(t *testing.T) {
	f, advance := clockwork(t, time.Hour)
	r := f.DC("DC01")
	const alice, bob = "CN=alice,CN=Users," + contosoDN, "CN=bob,CN=Users," + contosoDN
	mustAdd(t, r, alice, Text("objectClass", "user"), Text("sAMAccountName", "alice"))
	s := f.Snapshot()
	var sids []string
	for range 2 {
		mustAdd(t, r, bob, Text("objectClass", "user"), Text("sAMAccountName", "bob"))
		sids = append(sids, string(mustGet(t, r, bob, "objectSid").Values("objectSid")[0]))
		if err := r.Delete(context.Background(), System(), alice, false); err != nil {
			t.Fatal(err)
		}
		advance(2 * time.Hour)
		f.Restore(s)
		if !has1(r, alice) || has1(r, bob) {
			t.Error("Restore did not bring the state back")
		}
	}
	if sids[0] != sids[1] {
		t.Error("the same story after a Restore gives another SID")
	}
}

func TestPopulateReachesAll(t *testing.T) {
	f, _ := clockwork(t, time.Hour)
	if err := f.Populate("contoso.com", people(10)); err != nil {
		t.Fatal(err)
	}
	for _, r := range f.Domains()[0].DCs() {
		if !has1(r, "CN=account000009,CN=Users,"+contosoDN) {
			t.Errorf("%s does not have what was populated", r.Name())
		}
	}
	err := f.Populate("contoso.com", append(people(1), AddRequest{DN: "CN=x," + contosoDN}))
	if err == nil {
		t.Error("a name that is taken was populated")
	}
}
