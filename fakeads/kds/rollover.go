package kds

import (
	"fmt"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// Service is what one domain controller's Key Distribution Service knows.
type Service struct {
	Keys   []*RootKey
	Policy Policy
	Cache  *Cache // may be nil
	// Down tells that the service does not run: whatever is asked of it ends with ErrUnavailable.
	Down bool
}

// Key finds a root key by its id; the error wraps ErrNoKey.
func (s *Service) Key(id security.GUID) (*RootKey, error) {
	if s.Down {
		return nil, ErrUnavailable
	}
	for _, k := range s.Keys {
		if k.ID == id {
			return k, nil
		}
	}
	return nil, fmt.Errorf("no root key %v: %w", id, ErrNoKey)
}

// Password is the password of account sid that id names.
func (s *Service) Password(id *ManagedPasswordID, sid security.SID) ([]byte, error) {
	k, err := s.Key(id.RootKeyID)
	if err != nil {
		return nil, err
	}
	return s.Cache.Password(k, id.Interval, sid)
}

// State is what the directory stores about the passwords of an account.
type State struct {
	Created time.Time // whenCreated
	Days    int       // msDS-ManagedPasswordInterval
	// Current and Previous are msDS-ManagedPasswordId and
	// msDS-ManagedPasswordPreviousId; nil when absent. A new account has no
	// previous password.
	Current, Previous *ManagedPasswordID
}

// rollover is how many cycles a password lives. Zero would be forever.
func (st *State) rollover() (int64, error) {
	n, err := Rollover(st.Days)
	if err == nil && n == 0 {
		err = fmt.Errorf("%w: managed password interval of %d days", ErrInvalidArgument, st.Days)
	}
	return n, err
}

// interval is the cycle of the current password: that of the account's creation
// when no id is stored.
func (st *State) interval() Interval {
	if st.Current != nil {
		return st.Current.Interval
	}
	return IntervalAt(st.Created)
}

// Expiry is when the current password ends: a roll-over after the beginning of
// its cycle, so up to ten hours short of the nominal days.
func (st *State) Expiry() (time.Time, error) {
	n, err := st.rollover()
	if err != nil {
		return time.Time{}, err
	}
	if !st.interval().Valid() {
		return time.Time{}, fmt.Errorf("current password of %v: %w", st.interval(), ErrInvalidArgument)
	}
	return st.interval().Add(n).Start(), nil
}

// id names the password of iv, made with the root key for time at.
func (s *Service) id(iv Interval, at time.Time, domain, forest string) (*ManagedPasswordID, error) {
	if s.Down {
		return nil, ErrUnavailable
	}
	k, err := Select(s.Keys, at, s.Policy)
	if err != nil {
		return nil, err
	}
	return &ManagedPasswordID{Flags: EnvelopeEncrypts, Interval: iv, RootKeyID: k.ID, Domain: domain, Forest: forest}, nil
}

// Create is the state of an account made now, in the domain and forest of these
// DNS names. The error wraps ErrNoKey when no root key is old enough.
func (s *Service) Create(now time.Time, days int, domain, forest string) (State, error) {
	st := State{Created: now, Days: days}
	if _, err := st.rollover(); err != nil {
		return State{}, err
	}
	var err error
	st.Current, err = s.id(IntervalAt(now), now, domain, forest)
	return st, err
}

// Roll brings a state up to date, as a domain controller does when somebody
// needs the keys, and tells how many passwords that set: 0 when none was due, 1,
// or 2 when the previous one had to be made too because whole intervals were
// missed. Domain controllers that roll at different times arrive at the same
// state, if they have the same root keys: the root key is chosen for the
// beginning of the new cycle. domain and forest are DNS names, as in Create. The
// error wraps ErrNoKey when there is no root key for it.
func (s *Service) Roll(st State, now time.Time, domain, forest string) (next State, changes int, err error) {
	expiry, err := st.Expiry()
	if err != nil {
		return st, 0, err
	}
	next = st
	if now.Before(expiry) {
		if st.Current != nil {
			return st, 0, nil
		}
		if next.Current, err = s.id(st.interval(), st.Created, domain, forest); err != nil {
			return st, 0, err
		}
		return next, 1, nil
	}
	n, _ := st.rollover() // Expiry has looked at it
	first := st.interval().Add(n)
	iv := first.Add(IntervalAt(now).Sub(first) / n * n)
	if next.Current, err = s.id(iv, iv.Start(), domain, forest); err != nil {
		return st, 0, err
	}
	if iv == first && st.Current != nil {
		next.Previous = st.Current
		return next, 1, nil
	}
	before := iv.Add(-n)
	if next.Previous, err = s.id(before, before.Start(), domain, forest); err != nil {
		return st, 0, err
	}
	return next, 2, nil
}

// Blob is what a reader of msDS-ManagedPassword gets now from an account whose
// state Roll has brought up to date. In the last MaxClockSkew of the current
// password it is handed out as the previous one and its successor as current,
// so that nobody is left without.
func (s *Service) Blob(st State, sid security.SID, now time.Time) (*Blob, error) {
	expiry, err := st.Expiry()
	if err != nil {
		return nil, err
	}
	if future := st.Current; future != nil && future.Interval.Valid() && future.Interval.Start().After(now.Add(MaxClockSkew)) {
		return nil, fmt.Errorf("password of %v at %s: %w", future.Interval, now.UTC().Format(time.RFC3339), ErrInvalidArgument)
	}
	if st.Current == nil || !now.Before(expiry) {
		return nil, fmt.Errorf("no password of %s: %w", now.UTC().Format(time.RFC3339), ErrInvalidArgument)
	}
	current, previous := st.Current, st.Previous
	query := expiry.Sub(now) / tick * tick
	unchanged := query - MaxClockSkew
	if query <= MaxClockSkew {
		n, _ := st.rollover() // Expiry has looked at it
		iv := current.Interval.Add(n)
		next, err := s.id(iv, iv.Start(), current.Domain, current.Forest)
		if err != nil {
			return nil, err
		}
		current, previous = next, current
		unchanged = iv.Add(n).Start().Sub(now)/tick*tick - MaxClockSkew
	}
	b := &Blob{Query: query, Unchanged: unchanged}
	if b.Current, err = s.Password(current, sid); err != nil {
		return nil, err
	}
	if previous != nil {
		b.Previous, err = s.Password(previous, sid)
	}
	return b, err
}
