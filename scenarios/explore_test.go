package scenarios

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// slot is a world with one place that the latest opener holds. Whoever has lost it is told so when it talks.
type slot struct {
	holder string
	opened map[string]bool
}

func (w *slot) actor(name string) Actor {
	return Actor{name, []Turn{
		{"open", func(context.Context) error { w.holder, w.opened[name] = name, true; return nil }},
		{"talk", func(context.Context) error {
			if w.opened[name] && w.holder != name {
				return &diag.Finding{Code: diag.ChannelDisplaced}
			}
			return nil
		}},
		{"close", func(context.Context) error { return nil }},
	}}
}

func exploreSlot(names ...string) (*Exploration, int, error) {
	ended := 0
	x, err := Explore(context.Background(), func(context.Context) ([]Actor, func() error, error) {
		w := &slot{opened: map[string]bool{}}
		var actors []Actor
		for _, n := range names {
			actors = append(actors, w.actor(n))
		}
		return actors, func() error { ended++; return nil }, nil
	})
	return x, ended, err
}

func TestExplore(t *testing.T) {
	x, ended, err := exploreSlot("a", "b")
	if err != nil {
		t.Fatal(err)
	}
	if x.Orders != 20 || x.Failing != 12 || x.Code != "GMSA302" || !slices.Equal(x.Ends, []End{{"GMSA302", 12}}) {
		t.Errorf("got %+v, want 12 of 20 with GMSA302", x)
	}
	if got := strings.Join(x.Shortest, " "); got != "a.open b.open a.talk" {
		t.Errorf("smallest: got %s, want a.open b.open a.talk", got)
	}
	if ended < 10 || ended > 20 {
		t.Errorf("%d worlds ended, want more than one for each of the 8 orders that do not fail, and fewer than one for each order", ended)
	}
	if x, _, err := exploreSlot("a", "b", "c"); err != nil || x.Orders != 1680 {
		t.Errorf("three actors: got %+v, %v, want 1680 orders", x, err)
	}
	if _, _, err := exploreSlot("a", "b", "c", "d"); !errors.Is(err, ErrTooManyOrders) {
		t.Errorf("four actors: got %v, want that there are too many orders", err)
	}
}

// TestExploreShrinks: what does not matter for a failure is left out of it.
func TestExploreShrinks(t *testing.T) {
	begin := func(context.Context) ([]Actor, func() error, error) {
		granted, restarted := false, false
		set := func(b *bool) func(context.Context) error {
			return func(context.Context) error { *b = true; return nil }
		}
		nothing := func(context.Context) error { return nil }
		return []Actor{
			{"admin", []Turn{{"look", nothing}, {"grant", set(&granted)}, {"tell", nothing}}},
			{"host", []Turn{{"wait", nothing}, {"restart", func(context.Context) error { restarted = granted; return nil }}, {"test", func(context.Context) error {
				if granted && !restarted {
					return &diag.Finding{Code: diag.StaleTicket}
				}
				return nil
			}}}},
		}, func() error { return nil }, nil
	}
	x, err := Explore(t.Context(), begin)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(x.Shortest, " "); got != "admin.grant host.test" {
		t.Errorf("got %s, want admin.grant host.test", got)
	}
	failing := errors.New("no world")
	if _, err := Explore(t.Context(), func(context.Context) ([]Actor, func() error, error) { return nil, nil, failing }); !errors.Is(err, failing) {
		t.Errorf("got %v, want the error of begin", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Explore(ctx, begin); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
}

func TestOrders(t *testing.T) {
	for _, counts := range [][]int{{1, 1}, {3, 3}, {2, 3}, {1, 2, 3}, {5}} {
		seen := map[string]bool{}
		for o := range orders(counts) {
			key := fmt.Sprint(o)
			if seen[key] {
				t.Errorf("%v: %s is there twice", counts, key)
			}
			seen[key] = true
			next := make([]int, len(counts))
			for _, r := range o {
				if r.turn != next[r.actor] {
					t.Fatalf("%v: %s is out of an actor's own order", counts, key)
				}
				next[r.actor]++
			}
		}
		if len(seen) != countOrders(counts) {
			t.Errorf("%v: %d orders, counted %d", counts, len(seen), countOrders(counts))
		}
	}
}

const raceOfTwo = `domain:
  kdsRootKeys: [{effective: -10h}]
  groups: [{name: G, members: [H1]}]
  users: [{name: alice}]
  serviceAccounts: [{name: WebApp01, allowedToRetrieve: [G]}]
  hosts: [{name: H1, os: Windows Server 2016, credentialSpecs: [WebApp01]}]
`

// TestSmallestCanBePasted: what explore prints is a scenario's steps, which fail in the same way.
func TestSmallestCanBePasted(t *testing.T) {
	actors := `  - explore:
      actors:
        a: [{id: a, runContainer: {host: H1, hostname: webapp01, credentialSpec: "file://contoso_webapp01.json"}}, {inboundNTLM: {container: a, from: alice}}, {stopContainer: a}]
        b: [{id: b, runContainer: {host: H1, hostname: webapp01, credentialSpec: "file://contoso_webapp01.json"}}, {inboundNTLM: {container: b, from: alice}}, {stopContainer: b}]
`
	b, err := Parse("test.txtar", []byte(bundleText(raceOfTwo+"steps:\n"+actors)))
	if err != nil {
		t.Fatal(err)
	}
	res := b.Cases[0].Run(t.Context(), Options{})
	x := res.Steps[0].Explored
	if x == nil || x.Failing == 0 {
		t.Fatalf("got %+v, want orders that fail", res.Steps[0])
	}
	smallest, _ := factOf(res.Steps[0].Facts, "smallest")
	pasted := strings.ReplaceAll(strings.TrimRight(smallest, "\n"), "\n", "\n  ")
	if b, err = Parse("test.txtar", []byte(bundleText(raceOfTwo+"steps:\n  "+pasted+"\n"))); err != nil {
		t.Fatalf("%v\nin\n%s", err, smallest)
	}
	res = b.Cases[0].Run(t.Context(), Options{})
	if last := res.Steps[len(res.Steps)-1]; last.Got != x.Code || last.N != len(x.Shortest) {
		t.Errorf("the pasted steps end at %d with %s, want %d with %s", last.N, last.Got, len(x.Shortest), x.Code)
	}
}

func TestRacesRefused(t *testing.T) {
	run := `  - {id: a, runContainer: {host: H1}}` + "\n"
	for _, tt := range []struct{ name, step, want string }{
		{"an unknown word", run + "  - schedule: [a.opne]\n", `no "opne" of a container; there are open, talk, close; nearest: open`},
		{"no container", run + "  - schedule: [b.open]\n", `no earlier step "b" with runContainer`},
		{"no list", run + "  - schedule: a.open\n", "want a list such as [a.open, b.open, a.talk], got a single value"},
		{"one actor", run + "  - explore: {actors: {a: [open]}}\n", "want two or three actors, each with the list of what it does"},
		{"an actor without turns", run + "  - explore: {actors: {a: [open], b: open}}\n", "want the list of what b does, got a single value"},
		{"too many", run + "  - explore: {actors: {a: [open, open, open, open, open, open, open, open], x: [{advance: 1h}, {advance: 1h}, {advance: 1h}, {advance: 1h}, {advance: 1h}, {advance: 1h}, {advance: 1h}, {advance: 1h}]}}\n",
			"[8 8] steps can be put into more than 10000 orders"},
		{"an explorer as actor", run + "  - explore: {actors: {a: [open], x: [{explore: {actors: {a: [open], y: [{advance: 1h}]}}}]}}\n", "an actor does not explore"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("test.txtar", []byte(bundleText(raceOfTwo+"steps:\n"+tt.step)))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
