package fakeads

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// TestLargeRequestsShareRoom: requests that have begun may hold only so much together. The session of one too many ends, small
// requests of others go on, and what is held is given back.
func TestLargeRequestsShareRoom(t *testing.T) {
	const limit = 1 << 20
	w := newWorld(t, func(cfg *Config) { cfg.MaxBuffered = limit })
	small := w.pipe()
	part := append([]byte{tagSequence, 0x84, 0x00, 0x90, 0x00, 0x00}, make([]byte, 200<<10)...)
	var begun []*peer
	for range 20 {
		p := w.pipe()
		begun = append(begun, p)
		go io.Copy(io.Discard, p.conn)                // the notice
		if _, err := p.conn.Write(part); err != nil { // of a request of 9 MiB
			break
		}
		if got := w.srv.buffered.Load(); got > limit {
			t.Fatalf("got %d octets held, want at most %d", got, limit)
		}
	}
	last := begun[len(begun)-1]
	if len(begun) == 1 || len(begun) == 20 {
		t.Fatalf("got %d large requests of 200 KiB into 1 MiB", len(begun))
	}
	if err := <-last.done; !errors.Is(err, errCrowded) {
		t.Errorf("one too many: got %v, want %v", err, errCrowded)
	}
	if rep := small.ask(rootDSEOp); rep.code != 0 {
		t.Errorf("small request beside large ones: got result %d, want 0", rep.code)
	}
	for _, p := range begun[:len(begun)-1] {
		p.conn.Close()
		<-p.done
	}
	if got := w.srv.buffered.Load(); got != 0 {
		t.Errorf("after the large requests: got %d octets held, want 0", got)
	}
	// A large request that fits is answered, and leaves nothing.
	for range 20 {
		if rep := small.ask(searchOp("", 0, present("objectClass"), string(bytes.Repeat([]byte("a"), 100<<10)))); rep.code != 0 {
			t.Fatalf("large search: got result %d, want 0", rep.code)
		}
	}
	if rep := small.ask(rootDSEOp); rep.code != 0 {
		t.Fatalf("got result %d, want 0", rep.code)
	}
	if got := w.srv.buffered.Load(); got != 0 {
		t.Errorf("after answered requests: got %d octets held, want 0", got)
	}
}
