package simulator

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"testing"
	"weak"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

func TestWire(t *testing.T) {
	sent := bytes.Repeat([]byte("0123456789abcdef"), 3*maxOnTheWay/16+1) // more than fits on the way
	near, far := newWire()
	go func() {
		if n, err := near.Write(sent); n != len(sent) || err != nil {
			t.Errorf("write: got %d, %v, want %d octets", n, err, len(sent))
		}
		if err := near.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	got, err := io.ReadAll(far)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("got %d octets, %v, want the %d that were sent, and then the end", len(got), err, len(sent))
	}
	if _, err := far.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("write to an end that is closed: got %v, want %v", err, io.ErrClosedPipe)
	}
	if _, err := near.Read(make([]byte, 1)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("read from an end that is closed: got %v, want %v", err, io.ErrClosedPipe)
	}
}

// TestWireEnds tells that a close makes the ends return that wait.
func TestWireEnds(t *testing.T) {
	for _, close := range []func(near, far *wire) error{
		func(near, _ *wire) error { return near.Close() },
		func(_, far *wire) error { return far.Close() },
	} {
		near, far := newWire()
		ended := make(chan error, 2)
		go func() {
			_, err := near.Read(make([]byte, 1))
			ended <- err
		}()
		go func() {
			_, err := near.Write(make([]byte, 2*maxOnTheWay))
			ended <- err
		}()
		if err := close(near, far); err != nil {
			t.Errorf("close: %v", err)
		}
		for range 2 {
			if err := <-ended; err == nil {
				t.Error("got no error of an end that waited, want one")
			}
		}
	}
}

// TestClosedDomainIsGone tells that nothing keeps a domain that is closed: neither idle buffers nor what was found out in it.
func TestClosedDomainIsGone(t *testing.T) {
	d, finding := func() (weak.Pointer[Domain], *diag.Finding) {
		cfg := Contoso()
		cfg.Groups[0].Members = cfg.Groups[0].Members[1:]
		d, err := Start(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		f, ok := diag.Of(d.Host("ContainerHost01").TestServiceAccount("WebApp01"))
		if !ok {
			t.Fatalf("got no finding, want %s", diag.NotAllowed)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		return weak.Make(d), f.Apart()
	}()
	runtime.GC()
	if d.Value() != nil {
		t.Error("the domain is still there after a collection, want it gone")
	}
	if finding.Cause == nil || finding.Code != diag.NotAllowed {
		t.Errorf("got %v, want a finding with its cause", finding)
	}
}
