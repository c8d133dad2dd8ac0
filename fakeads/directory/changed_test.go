package directory

import (
	"testing"
	"time"
)

func TestWritten(t *testing.T) {
	f, advance := clockwork(t, 0)
	dc := f.DC("DC01")
	const alice = "CN=alice,CN=Users," + contosoDN
	mustAdd(t, dc, alice, Text("objectClass", "user"), Text("sAMAccountName", "alice"), Text("description", "new"))
	advance(time.Hour)
	describe(t, dc, alice, "changed")
	for _, tc := range []struct {
		dn, attribute string
		version       uint32
		at            time.Time
	}{
		{alice, "description", 2, defaultNow.Add(time.Hour)},
		{alice, "sAMAccountName", 1, defaultNow},
		{alice, "noSuchAttribute", 0, time.Time{}},
		{"CN=nobody,CN=Users," + contosoDN, "description", 0, time.Time{}},
	} {
		if version, at := dc.Written(tc.dn, tc.attribute); version != tc.version || !at.Equal(tc.at) {
			t.Errorf("%s of %s: got version %d of %v, want %d of %v", tc.attribute, tc.dn, version, at, tc.version, tc.at)
		}
	}
}
