package simulator

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Kinds of events that are not exchanges.
const (
	opAdmin       Op = "admin"
	opHost        Op = "host"
	opDC          Op = "dc"
	opClock       Op = "clock"
	opFault       Op = "fault"
	opEventLog    Op = "eventlog"
	opNotModelled Op = "not modelled"
)

// outside is the name of clients on sockets.
const outside = "outside"

// maxEvents bounds what a domain remembers of its past; older events are forgotten.
const maxEvents = 1 << 16

// An Event is one thing that happened: an exchange, a step of an administrator, a move of the clock.
type Event struct {
	// N counts from 1 in the order of happening.
	N int `json:"n"`
	// Time is domain time.
	Time time.Time `json:"time"`
	// Op is the kind: one of the kinds of exchange, or "admin", "host", "dc", "clock", "fault", "eventlog" (what a DC writes to its
	// event logs), "not modelled".
	Op Op `json:"op"`
	// From is the host or account that acts; "outside" is a client on a socket.
	From string `json:"from,omitempty"`
	// To is the DC or service.
	To string `json:"to,omitempty"`
	// Text says what was asked: filter and attributes, client and server name, the command of an administrator.
	Text string `json:"text,omitempty"`
	// Result is what came of it: "ok" or the protocol's own name of the error.
	Result string `json:"result,omitempty"`
	// Code is the protocol's error code; 0 is success.
	Code int `json:"code,omitempty"`
	// Detail is the diagnostic text of the answer.
	Detail string `json:"detail,omitempty"`
}

// String is the event as a line of the transcript.
func (e Event) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%4d %s %-12s", e.N, e.Time.UTC().Format("2006-01-02 15:04:05Z"), e.Op)
	switch {
	case e.From != "" && e.To != "":
		fmt.Fprintf(&b, " %s -> %s:", e.From, e.To)
	case e.From != "" || e.To != "":
		fmt.Fprintf(&b, " %s:", e.From+e.To)
	}
	if e.Text != "" {
		b.WriteString(" " + e.Text)
	}
	if e.Result != "" {
		b.WriteString(" => " + e.Result)
	}
	if e.Detail != "" {
		b.WriteString(" | " + strings.TrimRight(strings.ReplaceAll(e.Detail, "\n", " "), "\x00 "))
	}
	return b.String()
}

// eventLog is the ordered past of a domain.
type eventLog struct {
	mu      sync.Mutex
	last    int
	events  []Event
	changed chan struct{} // closed and replaced with every event
}

func (l *eventLog) add(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	e.N = l.last
	if len(l.events) >= 2*maxEvents {
		l.events = append(l.events[:0], l.events[maxEvents:]...)
	}
	l.events = append(l.events, e)
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// since copies the events after number n, and gives the channel that is closed when there are more.
func (l *eventLog) since(n int) ([]Event, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	return l.after(n), l.changed
}

func (l *eventLog) after(n int) []Event {
	first := l.last - len(l.events) // number before the first one kept
	start := min(max(n-first, 0), len(l.events))
	return append([]Event(nil), l.events[start:]...)
}

// event enters an event with domain time.
func (d *Domain) event(e Event) {
	e.Time = d.Clock.Now()
	d.log.add(e)
}

// Events lists what happened so far, oldest first. A domain remembers at least the last 65,536 events.
func (d *Domain) Events() []Event {
	d.log.mu.Lock()
	defer d.log.mu.Unlock()
	return d.log.after(0)
}

// EventsSince lists the events with a number above n.
func (d *Domain) EventsSince(n int) []Event {
	d.log.mu.Lock()
	defer d.log.mu.Unlock()
	return d.log.after(n)
}

// FollowEvents lists the events with a number above n, and gives the channel that is closed when there are more.
func (d *Domain) FollowEvents(n int) ([]Event, <-chan struct{}) { return d.log.since(n) }

// Transcript is the golden form of the events: one line each, the same bytes for the same seed and steps.
func (d *Domain) Transcript() string {
	var b strings.Builder
	for _, e := range d.Events() {
		b.WriteString(e.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// Await returns the first event after the call that match accepts; events that happened before are not looked at. It ends with the
// cause of ctx, or with an error when the domain is closed.
func (d *Domain) Await(ctx context.Context, match func(Event) bool) (Event, error) {
	d.log.mu.Lock()
	last := d.log.last
	d.log.mu.Unlock()
	for {
		events, more := d.log.since(last)
		for _, e := range events {
			if match(e) {
				return e, nil
			}
			last = e.N
		}
		select {
		case <-more:
		case <-ctx.Done():
			return Event{}, context.Cause(ctx)
		case <-d.ctx.Done():
			return Event{}, errClosed
		}
	}
}

// WantTrace fails t unless lines of the transcript contain the texts in this order.
func (d *Domain) WantTrace(t TB, inOrder ...string) {
	t.Helper()
	transcript := d.Transcript()
	rest := transcript
	for i, want := range inOrder {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Fatalf("trace: got no %q after %q, want %q in this order; transcript:\n%s", want, inOrder[:i], inOrder, transcript)
		}
		rest = after
	}
}
