package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// contentsOf are all objects of a replica's domain and of the configuration as text.
func contentsOf(t *testing.T, r *Replica) string {
	t.Helper()
	var b strings.Builder
	for _, nc := range []string{r.domain.DN, "CN=Configuration," + r.forest.domains[0].DN} {
		req := &SearchRequest{Base: nc, Scope: Subtree, Attributes: []string{"*", "nTSecurityDescriptor", "uSNChanged", "memberOf"}, ExtendedDN: -1, DomainScope: true, Page: &Page{Size: 1000}}
		_, err := r.Search(context.Background(), System(), req, func(e *Entry) error {
			fmt.Fprintf(&b, "%s\n", e.DN)
			for _, a := range e.Attributes {
				fmt.Fprintf(&b, "  %s %q\n", a.Name, a.Values)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func TestFork(t *testing.T) {
	w := newWorld(t, twoDCs(time.Hour), childDomain)
	w.rootKey(10 * time.Hour)
	w.user("alice")
	w.f.DCs()[1].Sync()
	var events []Event
	now := w.now
	fork := w.f.Fork(func() time.Time { return now }, func(e Event) { events = append(events, e) })
	for i, r := range w.f.DCs() {
		o := fork.DCs()[i]
		if o.forest != fork || o.domain == r.domain || o.domain.forest != fork || !slices.Contains(o.domain.replicas, o) {
			t.Errorf("%s is not of the fork", o.dns)
		}
		if a, b := contentsOf(t, r), contentsOf(t, o); a != b {
			t.Errorf("%s: got\n%s\nwant\n%s", r.dns, b, a)
		}
	}

	// What happens in one is not seen in the other, and the same things are the same in both.
	before := contentsOf(t, w.dc)
	v := &world{TB: t, f: fork, dc: fork.DCs()[0], now: w.now}
	bob := v.user("bob")
	if got := contentsOf(t, w.dc); got != before {
		t.Errorf("a user of the fork changed the forest: got\n%s\nwant\n%s", got, before)
	}
	if again := w.user("bob"); again.SID != bob.SID || again.GUID != bob.GUID {
		t.Errorf("the forest gave bob %v and %v, its fork %v and %v, want the same", again.SID, again.GUID, bob.SID, bob.GUID)
	}
	w.group("Hosts", 0x80000002, w.account("bob"))
	if e := v.dc.view(); e.bySAM("Hosts") != nil {
		t.Error("a group of the forest is in its fork")
	}

	// Each has its own time and events.
	if _, err := fork.DCs()[1].AccountByName(Principal, "bob"); err == nil {
		t.Error("the fork's second controller has bob before an hour has passed")
	}
	now = now.Add(time.Hour)
	if _, err := fork.DCs()[1].AccountByName(Principal, "bob"); err != nil {
		t.Errorf("bob after an hour: %v", err)
	}
	if _, err := w.f.DCs()[1].AccountByName(Principal, "bob"); err == nil {
		t.Error("the forest's second controller has bob, and no time has passed for it")
	}
	seen := len(w.events)
	v.rootKey(10 * time.Hour)
	if len(events) == 0 || len(w.events) != seen {
		t.Errorf("a root key of the fork: got %d events there and %d in the forest, want one there", len(events), len(w.events)-seen)
	}
}
