package kds

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

var testSID = security.MustSID("S-1-5-21-2468531440-3719951020-3687476655-1109")

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

// testKey is a root key made and effective at that time.
func testKey(n byte, start time.Time) *RootKey {
	return &RootKey{ID: security.GUID{n}, Version: 1, Data: bytes.Repeat([]byte{n}, KeySize), Hash: "SHA512", CreateTime: start, UseStartTime: start}
}

func testService(start time.Time) *Service {
	return &Service{Keys: []*RootKey{testKey(1, start)}, Cache: NewCache(0)}
}

// password names the password of an interval under testService's key.
func password(t testing.TB, s *Service, iv Interval) []byte {
	t.Helper()
	pw, err := s.Password(&ManagedPasswordID{Interval: iv, RootKeyID: s.Keys[0].ID}, testSID)
	if err != nil {
		t.Fatal(err)
	}
	return pw
}

// The timeline of an account with the default interval, made at noon.
func TestTimeline(t *testing.T) {
	s := testService(at("2026-01-01T00:00:00Z"))
	created := at("2026-03-02T12:00:00Z")
	st, err := s.Create(created, 30, "contoso.com", "contoso.com")
	if err != nil {
		t.Fatal(err)
	}
	first := Interval{363, 30, 20}
	if st.Current.Interval != first || !first.Start().Equal(at("2026-03-02T08:00:00Z")) || st.Previous != nil {
		t.Fatalf("new account: got %v (%v) and previous %v, want %v and none", st.Current.Interval, st.Current.Interval.Start(), st.Previous, first)
	}
	second := Interval{364, 0, 28}
	third := second.Add(72)
	day := func(n int, clock string) time.Time {
		return at("2026-03-02T"+clock+"Z").AddDate(0, 0, n)
	}
	for _, c := range []struct {
		name              string
		now               time.Time
		current, previous Interval // what the blob carries; previous zero: none
		stored            Interval // msDS-ManagedPasswordId after the read
		changes           int
		query, unchanged  time.Duration
	}{
		{"at creation", created, first, Interval{}, first, 0, 716 * time.Hour, 715*time.Hour + 55*time.Minute},
		{"a moment before the window", day(30, "07:54:59"), first, Interval{}, first, 0, 5*time.Minute + time.Second, time.Second},
		{"the window opens", day(30, "07:55:00"), second, first, first, 0, 5 * time.Minute, 720 * time.Hour},
		{"a second before expiry", day(30, "07:59:59"), second, first, first, 0, time.Second, 720*time.Hour - 5*time.Minute + time.Second},
		{"expiry", day(30, "08:00:00"), second, first, second, 1, 720 * time.Hour, 720*time.Hour - 5*time.Minute},
		{"nobody asked for 95 days", day(95, "12:00:00"), third.Add(72), third, third.Add(72), 2, 596 * time.Hour, 596*time.Hour - 5*time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			rolled, changes, err := s.Roll(st, c.now, "contoso.com", "contoso.com")
			if err != nil {
				t.Fatal(err)
			}
			if rolled.Current.Interval != c.stored || changes != c.changes {
				t.Errorf("stored: got %v after %d changes, want %v after %d", rolled.Current.Interval, changes, c.stored, c.changes)
			}
			b, err := s.Blob(rolled, testSID, c.now)
			if err != nil {
				t.Fatal(err)
			}
			if want := password(t, s, c.current); !bytes.Equal(b.Current, want) {
				t.Errorf("current password is not that of %v", c.current)
			}
			var previous []byte
			if c.previous != (Interval{}) {
				previous = password(t, s, c.previous)
			}
			if !bytes.Equal(b.Previous, previous) {
				t.Errorf("previous password is not that of %v", c.previous)
			}
			if b.Query != c.query || b.Unchanged != c.unchanged {
				t.Errorf("intervals: got %v and %v, want %v and %v", b.Query, b.Unchanged, c.query, c.unchanged)
			}
		})
	}
	if want := first.Add(72); second != want {
		t.Errorf("second interval: got %v, want %v", want, second)
	}
	if got := third.Add(72).Start(); !got.Equal(day(90, "08:00:00")) {
		t.Errorf("interval current on day 95 starts at %v, want day 90, 08:00", got)
	}
}

func TestRollWithoutStoredID(t *testing.T) {
	s := testService(at("2026-01-01T00:00:00Z"))
	created := at("2026-03-02T12:00:00Z")
	st := State{Created: created, Days: 30}
	first := IntervalAt(created)
	next, changes, err := s.Roll(st, created.Add(time.Hour), "contoso.com", "contoso.com")
	if err != nil || next.Current.Interval != first || next.Previous != nil || changes != 1 {
		t.Errorf("within the first interval: got %+v, %d, %v, want %v and no previous", next, changes, err, first)
	}
	next, changes, err = s.Roll(st, created.AddDate(0, 0, 31), "contoso.com", "contoso.com")
	if err != nil || next.Current.Interval != first.Add(72) || next.Previous == nil || next.Previous.Interval != first || changes != 2 {
		t.Errorf("after it: got %+v, %d, %v, want %v with previous %v", next, changes, err, first.Add(72), first)
	}
}

// A domain controller whose clock was ahead leaves an id from the future; the
// account stays on it until time has caught up.
func TestRollFutureID(t *testing.T) {
	s := testService(at("2026-01-01T00:00:00Z"))
	now := at("2026-03-02T12:00:00Z")
	future := &ManagedPasswordID{Flags: EnvelopeEncrypts, Interval: IntervalAt(now.AddDate(1, 0, 0)), RootKeyID: s.Keys[0].ID}
	st := State{Created: now, Days: 30, Current: future}
	for _, days := range []int{0, 100, 394} {
		next, changes, err := s.Roll(st, now.AddDate(0, 0, days), "", "")
		if err != nil || next.Current != future || changes != 0 {
			t.Errorf("after %d days: got %v, %d, %v, want no change", days, next.Current.Interval, changes, err)
		}
	}
	if next, changes, err := s.Roll(st, now.AddDate(0, 0, 395), "", ""); err != nil || changes != 1 || next.Previous != future {
		t.Errorf("after 395 days: got %+v, %d, %v, want one roll", next, changes, err)
	}
}

func TestServiceRefusals(t *testing.T) {
	start := at("2026-03-02T12:00:00Z")
	s := testService(start)
	if _, err := s.Create(start.Add(KeyCycle-1), 30, "", ""); !errors.Is(err, ErrNoKey) {
		t.Errorf("key too young: got %v, want %v", err, ErrNoKey)
	}
	if _, err := s.Create(start.Add(KeyCycle), 30, "", ""); err != nil {
		t.Errorf("key exactly ten hours old: %v", err)
	}
	var refusal *Error
	if _, err := (&Service{}).Create(start, 30, "", ""); !errors.As(err, &refusal) || refusal.HRESULT != 0x8009000D {
		t.Errorf("no key: got %v, want HRESULT 0x8009000D", err)
	}
	now := start.Add(KeyCycle)
	if _, err := s.Create(now, 0, "", ""); !errors.Is(err, ErrInvalidArgument) {
		t.Errorf("interval of 0 days: got %v, want %v", err, ErrInvalidArgument)
	}
	if _, err := s.Create(now, -1, "", ""); !errors.Is(err, ErrInvalidArgument) {
		t.Errorf("interval of -1 days: got %v, want %v", err, ErrInvalidArgument)
	}

	st, err := s.Create(now, 30, "", "")
	if err != nil {
		t.Fatal(err)
	}
	// The root key of the current id is deleted, another one made: the account
	// is unusable until its next roll.
	replaced := &Service{Keys: []*RootKey{testKey(2, start.AddDate(0, 0, 5))}}
	if _, err := replaced.Blob(st, testSID, now.AddDate(0, 0, 10)); !errors.Is(err, ErrNoKey) {
		t.Errorf("deleted key: got %v, want %v", err, ErrNoKey)
	}
	rolled, _, err := replaced.Roll(st, now.AddDate(0, 0, 31), "", "")
	if err != nil || rolled.Current.RootKeyID != replaced.Keys[0].ID {
		t.Errorf("next roll: got %+v, %v, want the new key", rolled, err)
	}
	// The new password is there, the previous one is not.
	if _, err := replaced.Blob(rolled, testSID, now.AddDate(0, 0, 31)); !errors.Is(err, ErrNoKey) {
		t.Errorf("previous password under the deleted key: got %v, want %v", err, ErrNoKey)
	}
	// A stale state has no password to give.
	if _, err := s.Blob(st, testSID, now.AddDate(0, 0, 31)); !errors.Is(err, ErrInvalidArgument) {
		t.Errorf("expired state: got %v, want %v", err, ErrInvalidArgument)
	}
	st.Current = &ManagedPasswordID{Interval: Interval{1, 40, 2}}
	if _, _, err := s.Roll(st, now, "", ""); !errors.Is(err, ErrInvalidArgument) {
		t.Errorf("stored id that is no cycle: got %v, want %v", err, ErrInvalidArgument)
	}
}

func TestSelect(t *testing.T) {
	day := func(n int) time.Time { return at("2026-03-01T00:00:00Z").AddDate(0, 0, n) }
	key := func(n byte, created, use int) *RootKey {
		k := testKey(n, day(created))
		k.UseStartTime = day(use)
		return k
	}
	bad := key(9, 9, 0)
	bad.Data = bad.Data[1:]
	keys := []*RootKey{key(1, 0, 4), key(2, 2, 1), key(3, 1, 3), key(4, 3, 20), bad}
	for _, c := range []struct {
		day  int
		want byte
	}{{2, 2}, {5, 2}, {30, 4}} {
		k, err := Select(keys, day(c.day), Strict10h)
		if err != nil || k.ID[0] != c.want {
			t.Errorf("day %d: got %v, %v, want key %d: the newest of those that serve", c.day, k, err, c.want)
		}
	}
	if k, err := Select([]*RootKey{key(1, 0, 0), key(5, 0, 0), key(3, 0, 0)}, day(1), Strict10h); err != nil || k.ID[0] != 5 {
		t.Errorf("keys of one moment: got %v, %v, want key 5 whatever the order", k, err)
	}
	many := make([]*RootKey, MaxRootKeys+1)
	for i := range many {
		many[i] = keys[0]
	}
	if _, err := Select(many, day(30), Strict10h); !errors.Is(err, ErrTooManyKeys) {
		t.Errorf("%d keys: got %v, want %v", len(many), err, ErrTooManyKeys)
	}
	if _, err := Select(many[1:], day(30), Strict10h); err != nil {
		t.Errorf("%d keys: %v", len(many)-1, err)
	}
}

// anyTime draws moments that a FILETIME can tell, centuries around today's.
func anyTime() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		return FILETIME(rapid.Uint64Range(0, 1<<62).Draw(t, "ticks")).Time()
	})
}

func TestIntervalsTileTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := anyTime().Draw(t, "now")
		iv := IntervalAt(now)
		if !iv.Valid() {
			t.Fatalf("%v is not valid", iv)
		}
		if now.Before(iv.Start()) || !now.Before(iv.Add(1).Start()) {
			t.Fatalf("%v is not in %v, from %v to %v", now, iv, iv.Start(), iv.Add(1).Start())
		}
		if got := iv.Add(1).Start().Sub(iv.Start()); got != KeyCycle {
			t.Fatalf("%v lasts %v, want %v", iv, got, KeyCycle)
		}
		if IntervalAt(iv.Start()) != iv || iv.Add(1).Compare(iv) <= 0 {
			t.Fatalf("%v does not begin at its start or does not come before its successor", iv)
		}
		n := rapid.Int64Range(-2000, 2000).Draw(t, "n")
		if iv.cycle()+n >= 0 {
			if got := iv.Add(n).Add(-n); got != iv || iv.Add(n).Sub(iv) != n {
				t.Fatalf("%v, %d on and back: got %v", iv, n, got)
			}
		}
	})
}

func TestFiletimeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := FILETIME(rapid.Uint64().Draw(t, "f"))
		if got := FromTime(f.Time()); got != f {
			t.Fatalf("%d: got %d back from %v", f, got, f.Time())
		}
	})
	if got := FromTime(time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC)); got != 0 {
		t.Errorf("before 1601: got %d, want 0", got)
	}
	if got := FromTime(time.Unix(0, 0)); got != 116444736000000000 {
		t.Errorf("Unix epoch: got %d, want 116444736000000000", got)
	}
	if got := FromTime(time.Date(70000, 1, 1, 0, 0, 0, 0, time.UTC)); got != 1<<64-1 {
		t.Errorf("year 70000: got %d, want the last FILETIME", got)
	}
}

// Whatever is asked when: the current password's cycle is not over and not in
// the future, the previous password is the one that was current before, rolling
// twice is rolling once, and rolling step by step ends where one roll ends.
func TestRollProperties(t *testing.T) {
	s := testService(at("2000-01-01T00:00:00Z"))
	rapid.Check(t, func(t *rapid.T) {
		created := at("2010-01-01T00:00:00Z").Add(time.Duration(rapid.Int64Range(0, int64(5*365*24*time.Hour)).Draw(t, "created")))
		days := rapid.IntRange(1, 120).Draw(t, "days")
		n, err := Rollover(days)
		if err != nil {
			t.Fatal(err)
		}
		st, err := s.Create(created, days, "contoso.com", "contoso.com")
		if err != nil {
			t.Fatal(err)
		}
		now := created
		for range rapid.IntRange(1, 6).Draw(t, "reads") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(400*24*time.Hour)).Draw(t, "wait")))
			next, changes, err := s.Roll(st, now, "contoso.com", "contoso.com")
			if err != nil {
				t.Fatal(err)
			}
			expiry, err := next.Expiry()
			if err != nil || !now.Before(expiry) || now.Before(next.Current.Interval.Start()) {
				t.Fatalf("%v is not in the life of %v, which ends %v, %v", now, next.Current.Interval, expiry, err)
			}
			if moved := next.Current.Interval.Sub(st.Current.Interval); moved%n != 0 || (moved == 0) != (changes == 0) || (moved == n) != (changes == 1) {
				t.Fatalf("moved by %d cycles of %d with %d changes", moved, n, changes)
			}
			if next.Previous != nil && next.Current.Interval.Sub(next.Previous.Interval) != n {
				t.Fatalf("previous %v is not one roll-over before %v", next.Previous.Interval, next.Current.Interval)
			}
			if changes == 1 && next.Previous != st.Current {
				t.Fatalf("previous is not what was current")
			}
			if again, changes, err := s.Roll(next, now, "", ""); err != nil || again != next || changes != 0 {
				t.Fatalf("rolled again: %+v, %d, %v", again, changes, err)
			}
			direct, _, err := s.Roll(State{Created: created, Days: days, Current: &ManagedPasswordID{Interval: IntervalAt(created)}}, now, "", "")
			if err != nil || direct.Current.Interval != next.Current.Interval {
				t.Fatalf("rolled from the start: %v, %v, want %v", direct.Current.Interval, err, next.Current.Interval)
			}
			b, err := s.Blob(next, testSID, now)
			if err != nil {
				t.Fatal(err)
			}
			if b.Query <= 0 && expiry.Sub(now) >= tick || b.Unchanged < 0 || b.Unchanged < b.Query-MaxClockSkew {
				t.Fatalf("intervals %v and %v", b.Query, b.Unchanged)
			}
			// A reader that comes back when Unchanged has run out finds nothing
			// changed a moment before.
			later := now.Add(b.Unchanged - time.Second)
			if b.Query > MaxClockSkew && later.After(now) {
				same, err := s.Blob(next, testSID, later)
				if err != nil || !bytes.Equal(same.Current, b.Current) || !bytes.Equal(same.Previous, b.Previous) {
					t.Fatalf("changed before Unchanged ran out: %v", err)
				}
			}
			st = next
		}
	})
}

func TestBlobWindowHandsOver(t *testing.T) {
	s := testService(at("2026-01-01T00:00:00Z"))
	st, err := s.Create(at("2026-03-02T12:00:00Z"), 1, "contoso.com", "contoso.com")
	if err != nil {
		t.Fatal(err)
	}
	expiry, err := st.Expiry()
	if err != nil {
		t.Fatal(err)
	}
	before, err := s.Blob(st, testSID, expiry.Add(-MaxClockSkew))
	if err != nil {
		t.Fatal(err)
	}
	rolled, _, err := s.Roll(st, expiry, "contoso.com", "contoso.com")
	if err != nil {
		t.Fatal(err)
	}
	after, err := s.Blob(rolled, testSID, expiry)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before.Current, after.Current) || !bytes.Equal(before.Previous, after.Previous) {
		t.Error("the passwords of the last five minutes are not those after the roll")
	}
}
