package directory

import (
	"testing"
	"time"
)

// TestIsolated: what arrives at a replica that takes nothing waits, in its order, and its own changes go out.
func TestIsolated(t *testing.T) {
	f, advance := clockwork(t, time.Minute)
	one, two := f.DC("DC01"), f.DC("DC02")
	const alice, bob = "CN=alice,CN=Users," + contosoDN, "CN=bob,CN=Users," + contosoDN
	two.SetIsolated(true)
	mustAdd(t, one, alice, Text("objectClass", "user"), Text("sAMAccountName", "alice"))
	describe(t, one, alice, "first")
	describe(t, one, alice, "last")
	mustAdd(t, two, bob, Text("objectClass", "user"), Text("sAMAccountName", "bob"))
	advance(time.Hour)
	if has1(two, alice) || !has1(one, bob) || !two.Isolated() || one.Isolated() {
		t.Fatal("the isolated replica took a change, or its own did not go out")
	}
	before := f.Snapshot()
	two.SetIsolated(false)
	a, err := two.Get(t.Context(), System(), alice, "description")
	if err != nil || a.Value("description") != "last" {
		t.Errorf("after it: got %v, %v", a, err)
	}
	f.Restore(before)
	if has1(two, alice) || !two.Isolated() {
		t.Error("a snapshot does not hold the isolation")
	}
}

// TestReleases: settings of a controller are its own and come back with a snapshot.
func TestReleases(t *testing.T) {
	f, _ := clockwork(t, 0)
	one, two := f.DC("DC01"), f.DC("DC02")
	before := f.Snapshot()
	one.SetBefore2012(true)
	one.SetClockOffset(time.Hour)
	one.SetKDSStopped(true)
	f.ExtendSchema(schemaDefault + 1)
	f.ExtendSchema(schema2012) // no way back
	if !one.Before2012() || two.Before2012() || one.ClockOffset() != time.Hour || two.ClockOffset() != 0 || !one.KDSStopped() || two.KDSStopped() {
		t.Error("the settings are not those of the one controller")
	}
	if v := f.SchemaVersion(); v != schemaDefault+1 {
		t.Errorf("got schema version %d", v)
	}
	f.Restore(before)
	if one.Before2012() || one.ClockOffset() != 0 || one.KDSStopped() || f.SchemaVersion() != schemaDefault {
		t.Error("a snapshot does not hold them")
	}
}
