package simulator

import (
	"slices"
	"strings"
	"sync"
)

// A Held is the next exchange of a kind that a station begins: it waits until it is released. A test that wants two clients to meet in
// one order holds one of them, lets the other go by, and releases the first.
type Held struct {
	op      Op
	from    string
	arrived chan struct{}
	release chan struct{}
	once    sync.Once
}

// Hold makes the next exchange of this kind wait that from begins: a host, a container as HOST/NAME (its host name, or the first twelve
// digits of its id), or "outside" for a client on a socket; "" is anybody. One exchange is held; those after it go by. Closing the domain
// releases it.
func (d *Domain) Hold(op Op, from string) *Held {
	h := &Held{op: op, from: from, arrived: make(chan struct{}), release: make(chan struct{})}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.holds = append(d.holds, h)
	return h
}

// Arrived is closed when an exchange has come and waits.
func (h *Held) Arrived() <-chan struct{} { return h.arrived }

// Release lets the exchange go on, or go by when it has not come yet. It may be called more than once.
func (h *Held) Release() { h.once.Do(func() { close(h.release) }) }

// await makes an exchange wait that is held. The caller holds no lock of the domain.
func (d *Domain) await(op Op, from string) {
	d.mu.Lock()
	i := slices.IndexFunc(d.holds, func(h *Held) bool { return h.op == op && (h.from == "" || strings.EqualFold(h.from, from)) })
	if i < 0 {
		d.mu.Unlock()
		return
	}
	h := d.holds[i]
	d.holds = slices.Delete(d.holds, i, i+1)
	d.mu.Unlock()
	close(h.arrived)
	select {
	case <-h.release:
	case <-d.ctx.Done():
	}
}
