package kds

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

func TestPasswordRefusals(t *testing.T) {
	k := testKey(1, at("2026-01-01T00:00:00Z"))
	if _, err := Password(k, Interval{363, 30, -1}, testSID); !errors.Is(err, ErrInvalidArgument) {
		t.Errorf("an L1 key: got %v, want %v", err, ErrInvalidArgument)
	}
	if _, err := Password(k, Interval{1 << 20, 0, 0}, testSID); !errors.Is(err, ErrInvalidArgument) {
		t.Errorf("beyond FILETIME: got %v, want %v", err, ErrInvalidArgument)
	}
	if _, err := Password(k, Interval{363, 30, 20}, security.SID{}); !errors.Is(err, ErrInvalidArgument) {
		t.Errorf("no SID: got %v, want %v", err, ErrInvalidArgument)
	}
	if _, err := NewCache(1).Password(&RootKey{}, Interval{363, 30, 20}, testSID); !errors.Is(err, ErrBadKey) {
		t.Errorf("empty key: got %v, want %v", err, ErrBadKey)
	}
	if _, err := L0Key(k, -1); !errors.Is(err, ErrInvalidArgument) {
		t.Errorf("L0 index -1: got %v, want %v", err, ErrInvalidArgument)
	}
}

// Of a few thousand passwords some had a zero unit, and none has one any more.
func TestPasswordHasNoZeroUnit(t *testing.T) {
	k := testKey(1, at("2026-01-01T00:00:00Z"))
	c := NewCache(1)
	ones := 0
	for rid := range uint32(3000) {
		pw, err := c.Password(k, Interval{363, 30, 31}, testSID.Domain().Append(rid))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(pw); i += 2 {
			switch {
			case pw[i] == 0 && pw[i+1] == 0:
				t.Fatalf("account %d: zero unit at %d", rid, i)
			case pw[i] == 1 && pw[i+1] == 0:
				ones++
			}
		}
	}
	if ones == 0 {
		t.Error("no unit was 1: the passwords are not random")
	}
}

func TestCache(t *testing.T) {
	c := NewCache(8)
	a, b := testKey(1, at("2026-01-01T00:00:00Z")), testKey(1, at("2026-01-01T00:00:00Z"))
	b.Data = bytes.Repeat([]byte{2}, KeySize) // the same id, another key
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range int32(40) {
				for _, k := range []*RootKey{a, b} {
					iv := Interval{363, i % 5, i % 20}
					want, err := Password(k, iv, testSID)
					if err != nil {
						t.Error(err)
						return
					}
					if got, err := c.Password(k, iv, testSID); err != nil || !bytes.Equal(got, want) {
						t.Errorf("%v: got %x, %v, want %x", iv, got, err, want)
					}
				}
			}
		})
	}
	wg.Wait()
	if n := len(c.passwords.young) + len(c.passwords.old); n < 8 || n > 16 {
		t.Errorf("remembers %d passwords, want 8 to 16", n)
	}
}

func BenchmarkPasswordCold(b *testing.B) {
	k := testKey(1, at("2026-01-01T00:00:00Z"))
	for b.Loop() {
		if _, err := Password(k, Interval{363, 0, 0}, testSID); err != nil { // the longest way down
			b.Fatal(err)
		}
	}
}

func BenchmarkPasswordOtherAccount(b *testing.B) {
	k := testKey(1, at("2026-01-01T00:00:00Z"))
	c := NewCache(16)
	domain := testSID.Domain()
	rid := uint32(0)
	for b.Loop() {
		rid++
		if _, err := c.Password(k, Interval{363, 30, 20}, domain.Append(rid)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPasswordCached(b *testing.B) {
	k := testKey(1, at("2026-01-01T00:00:00Z"))
	c := NewCache(16)
	for b.Loop() {
		if _, err := c.Password(k, Interval{363, 30, 20}, testSID); err != nil {
			b.Fatal(err)
		}
	}
}
