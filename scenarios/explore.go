package scenarios

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// An Actor does its turns in their order; what others do comes in between.
type Actor struct {
	Name  string
	Turns []Turn
}

// A Turn is one step of an actor.
type Turn struct {
	Name string
	Do   func(context.Context) error
}

// An Exploration is what came of all orders of some actors.
type Exploration struct {
	// Orders is how many there are, Failing in how many of them a turn failed.
	Orders  int `json:"orders"`
	Failing int `json:"failing"`
	// Ends counts the failing orders by the code of the finding, or error, in the order of codes.
	Ends []End `json:"ends,omitempty"`
	// Shortest is the smallest failing sequence of turns, as actor.turn: leave out any of them, and the rest does not fail in this way.
	Shortest []string `json:"shortest,omitempty"`
	// Code is what Shortest ends with.
	Code string `json:"code,omitempty"`
}

// End is a number of orders that ended in the same way.
type End struct {
	Code   string `json:"code"`
	Orders int    `json:"orders"`
}

// MaxOrders is how many orders Explore runs at most.
const MaxOrders = 10_000

// ErrTooManyOrders is wrapped by the refusal to run more than [MaxOrders].
var ErrTooManyOrders = errors.New("too many orders")

// Explore runs every order into which the turns of actors can be put, each in a world that begin makes anew and whose end is called
// afterwards. begin gives the same actors with the same turns every time, bound to its new world. A turn that fails ends its order.
//
// Explore finds what depends on the order: the world has no other source of chance, so orders that begin like one that failed fail like it,
// and are counted without being run. Its error is that of begin or end, or says that there
// are too many orders.
func Explore(ctx context.Context, begin func(context.Context) (actors []Actor, end func() error, err error)) (*Exploration, error) {
	x := &explorer{begin: begin}
	actors, end, err := begin(ctx)
	if err != nil {
		return nil, err
	}
	if err := end(); err != nil {
		return nil, err
	}
	var counts []int
	for _, a := range actors {
		counts = append(counts, len(a.Turns))
		x.names = append(x.names, a)
	}
	if n := countOrders(counts); n > MaxOrders {
		return nil, fmt.Errorf("%w: %v turns can be put into %d orders, at most %d are run", ErrTooManyOrders, counts, n, MaxOrders)
	}
	res := &Exploration{}
	var worst []turnRef // the shortest failing beginning of an order
	ends := map[string]int{}
	var prefix []turnRef // the beginning of the last order that failed, up to the turn that did
	var code string
	for order := range orders(counts) {
		res.Orders++
		if len(prefix) > 0 && slices.Equal(prefix, order[:len(prefix)]) {
			res.Failing++
			ends[code]++
			continue
		}
		failed, got, err := x.run(ctx, order)
		if err != nil {
			return nil, err
		}
		prefix, code = nil, got
		if code == "" {
			continue
		}
		prefix = slices.Clone(order[:failed+1])
		res.Failing++
		ends[code]++
		if worst == nil || failed+1 < len(worst) {
			worst, res.Code = prefix, code
		}
	}
	for code, n := range ends {
		res.Ends = append(res.Ends, End{code, n})
	}
	slices.SortFunc(res.Ends, func(a, b End) int { return cmp.Compare(a.Code, b.Code) })
	if worst != nil {
		if worst, err = x.shrink(ctx, worst, res.Code); err != nil {
			return nil, err
		}
		for _, t := range worst {
			res.Shortest = append(res.Shortest, x.names[t.actor].Name+"."+x.names[t.actor].Turns[t.turn].Name)
		}
	}
	return res, nil
}

// turnRef is one turn by the numbers of its actor and of the turn.
type turnRef struct{ actor, turn int }

type explorer struct {
	begin func(context.Context) ([]Actor, func() error, error)
	names []Actor
}

// run carries out turns in a new world. It gives the place of the turn that failed and the code of its failure, "" for none.
func (x *explorer) run(ctx context.Context, order []turnRef) (failed int, code string, err error) {
	if err := ctx.Err(); err != nil {
		return 0, "", err
	}
	actors, end, err := x.begin(ctx)
	if err != nil {
		return 0, "", err
	}
	defer func() { err = errors.Join(err, end()) }()
	for i, t := range order {
		if err := actors[t.actor].Turns[t.turn].Do(ctx); err != nil {
			return i, endOf(err), nil
		}
	}
	return 0, "", nil
}

// endOf is the code of a finding, or the word error.
func endOf(err error) string {
	if f, ok := diag.Of(err); ok {
		return string(f.Code)
	}
	return "error"
}

// shrink leaves out turns while the rest still ends with the same code at its last turn.
func (x *explorer) shrink(ctx context.Context, order []turnRef, code string) ([]turnRef, error) {
	for i := 0; i < len(order)-1; {
		less := slices.Delete(slices.Clone(order), i, i+1)
		failed, got, err := x.run(ctx, less)
		if err != nil {
			return nil, err
		}
		if got == code && failed == len(less)-1 {
			order, i = less, 0
			continue
		}
		i++
	}
	return order, nil
}

// countOrders is the multinomial coefficient of the counts: in how many ways the turns can be interleaved. It stops counting above
// [MaxOrders].
func countOrders(counts []int) int {
	n, total := 1, 0
	for _, c := range counts {
		for k := 1; k <= c; k++ {
			total++
			if n = n * total / k; n > MaxOrders*MaxOrders {
				return n
			}
		}
	}
	return n
}

// orders gives every order of the turns; the first is one actor after the other. The slice is the caller's only until the next one.
func orders(counts []int) iter.Seq[[]turnRef] {
	return func(yield func([]turnRef) bool) {
		done := make([]int, len(counts))
		total := 0
		for _, c := range counts {
			total += c
		}
		order := make([]turnRef, 0, total)
		var next func() bool
		next = func() bool {
			if len(order) == total {
				return yield(order)
			}
			for a := range counts {
				if done[a] == counts[a] {
					continue
				}
				order = append(order, turnRef{a, done[a]})
				done[a]++
				ok := next()
				done[a]--
				order = order[:len(order)-1]
				if !ok {
					return false
				}
			}
			return true
		}
		next()
	}
}

// String says how many orders fail, in which way, and which is the smallest.
func (x *Exploration) String() string {
	if x.Failing == 0 {
		return fmt.Sprintf("0 of %d orders fail", x.Orders)
	}
	var ends []string
	for _, e := range x.Ends {
		ends = append(ends, fmt.Sprintf("%d with %s", e.Orders, e.Code))
	}
	return fmt.Sprintf("%d of %d orders fail, %s; the smallest is %s", x.Failing, x.Orders, strings.Join(ends, ", "), strings.Join(x.Shortest, ", "))
}
