package simulator

import (
	"context"
	"fmt"
	"slices"
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
const maxEvents = 1 << 12

// An Event is one thing that happened: an exchange, a step of an administrator, a move of the clock.
type Event struct {
	// N counts from 1 in the order of happening.
	N int `json:"n"`
	// Time is domain time.
	Time time.Time `json:"time"`
	// Op is the kind: one of the kinds of exchange, or "admin", "host", "netlogon" (secure channels), "dc", "clock", "fault", "eventlog" (what a DC writes to its
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

// record is an event as it is kept. What is put together of parts that are there anyway is put together when somebody reads.
type record struct {
	time           time.Time
	op             Op
	from, to       string
	text, as       string // as: the account that a client from outside has, which From does not tell
	result, detail string
	code           int
}

func (r *record) event(n int) Event {
	e := Event{N: n, Time: r.time, Op: r.op, From: r.from, To: r.to, Text: r.text, Result: r.result, Code: r.code, Detail: r.detail}
	if r.as != "" {
		e.Text += " as " + r.as
	}
	return e
}

// eventLog is the ordered past of a domain, in pieces of which the oldest one is given up as a whole.
type eventLog struct {
	mu      sync.Mutex
	last    int // number of the last event
	pieces  [][]record
	changed chan struct{} // closed and replaced with every event
}

// pieceLength is how many events a piece has. Many domains see no more than a few dozen.
const pieceLength = 1 << 5

func (l *eventLog) add(r record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.pieces)
	if n == 0 || len(l.pieces[n-1]) == pieceLength {
		if n > maxEvents/pieceLength {
			l.pieces = slices.Delete(l.pieces, 0, 1)
		}
		l.pieces = append(l.pieces, make([]record, 0, pieceLength))
		n = len(l.pieces)
	}
	l.pieces[n-1] = append(l.pieces[n-1], r)
	l.last++
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

// kept is how many events there still are.
func (l *eventLog) kept() int {
	n := len(l.pieces)
	if n == 0 {
		return 0
	}
	return (n-1)*pieceLength + len(l.pieces[n-1])
}

func (l *eventLog) after(n int) []Event {
	first := l.last - l.kept() + 1
	n = max(n+1, first)
	if n > l.last {
		return nil
	}
	events := make([]Event, 0, l.last-n+1)
	for ; n <= l.last; n++ {
		i := n - first
		events = append(events, l.pieces[i/pieceLength][i%pieceLength].event(n))
	}
	return events
}

// event enters an event with domain time.
func (d *Domain) event(e Event) { d.eventBy(e, "") }

// eventBy enters an event of a client from outside with the account that it has.
func (d *Domain) eventBy(e Event, as string) {
	d.log.add(record{time: d.Clock.Now(), op: e.Op, from: e.From, to: e.To, text: e.Text, as: as, result: e.Result, code: e.Code, detail: e.Detail})
}

// Events lists what happened so far, oldest first. A domain remembers at least the last 4,096 events.
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

// LastEvent is the number of the last event, 0 when nothing has happened yet.
func (d *Domain) LastEvent() int {
	d.log.mu.Lock()
	defer d.log.mu.Unlock()
	return d.log.last
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
