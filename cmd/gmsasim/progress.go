package main

import (
	"fmt"
	"io"
	"time"
)

// progress tells a person at a terminal how far a long work is, on one line that it writes over. To anything else it says nothing.
type progress struct {
	w     io.Writer // nil: nobody looks
	what  string
	all   int
	start time.Time
	last  time.Time
}

// progress begins to tell about a work of this many things.
func (a *app) progress(what string, all int) *progress {
	p := &progress{what: what, all: all, start: time.Now()}
	if terminal(a.err) && !a.json {
		p.w = a.err
	}
	return p
}

// redrawAfter keeps the line readable, and the terminal from being what takes the time.
const redrawAfter = 100 * time.Millisecond

// at says how many are done.
func (p *progress) at(done int) {
	now := time.Now()
	if p.w == nil || now.Sub(p.last) < redrawAfter {
		return
	}
	p.last = now
	left := ""
	if took := now.Sub(p.start); took > time.Second && done > 0 {
		left = fmt.Sprintf(", %s/s, %s left", grouped(int(float64(done)/took.Seconds())),
			(took * time.Duration(p.all-done) / time.Duration(done)).Round(time.Second))
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s of %s %s%s", grouped(done), grouped(p.all), p.what, left)
}

// end takes the line away.
func (p *progress) end() {
	if p.w != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
