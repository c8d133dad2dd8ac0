package simulator

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/kds"
)

// Clock is domain time. It moves only when told, unless Config.FollowRealTime is set.
type Clock struct {
	d    *Domain
	base atomic.Pointer[clockBase]
}

// clockBase is a pair of times that belong together: domain time, and the machine's when domain time follows it.
type clockBase struct {
	domain time.Time
	real   time.Time // zero: domain time stands still
}

func newClock(d *Domain, start time.Time, follow bool) *Clock {
	c := &Clock{d: d}
	c.set(start, follow)
	return c
}

func (c *Clock) set(t time.Time, follow bool) {
	b := &clockBase{domain: t.UTC()}
	if follow {
		b.real = time.Now()
	}
	c.base.Store(b)
}

// Now is the domain time.
func (c *Clock) Now() time.Time {
	b := c.base.Load()
	if b.real.IsZero() {
		return b.domain
	}
	return b.domain.Add(time.Since(b.real))
}

// Advance moves domain time by d. When it returns, all that was due has happened. It panics when d is negative.
func (c *Clock) Advance(d time.Duration) {
	from := c.Now()
	c.move(from, from.Add(d))
}

// AdvanceTo moves domain time to t; it panics when t is before Now.
func (c *Clock) AdvanceTo(t time.Time) { c.move(c.Now(), t) }

// move goes from one time to another. A running clock is read once only, so that an advance by ten hours is one by ten hours.
func (c *Clock) move(from, t time.Time) {
	if t.Before(from) {
		panic(fmt.Sprintf("simulator: AdvanceTo %s: domain time is %s already and does not go back", t.UTC().Format(time.RFC3339), from.Format(time.RFC3339)))
	}
	follow := !c.base.Load().real.IsZero()
	c.d.settle()
	c.set(t, follow)
	text := fmt.Sprintf("advance %s", t.Sub(from))
	if t.Sub(from) < time.Second {
		text += " (less than a second: is the unit right?)"
	}
	c.d.event(Event{Op: opClock, Text: text})
}

// Next tells the next change that only time brings: a root key becomes usable, a password rolls, a change reaches a DC.
func (c *Clock) Next() (at time.Time, what string, ok bool) {
	now := c.Now()
	consider := func(t time.Time, text string) {
		if t.After(now) && (!ok || t.Before(at)) {
			at, what, ok = t, text, true
		}
	}
	dc := c.d.dcs[0]
	for _, k := range dc.rootKeys() {
		consider(c.d.policy.UsableAt(k.RootKey), fmt.Sprintf("KDS root key %s becomes usable", k.ID))
	}
	consider(c.d.forest.NextDelivery(), "a change reaches another domain controller")
	for _, dc := range c.d.dcs {
		if dc != dc.peers()[0] {
			continue
		}
		for _, r := range dc.rotations() {
			n := int(now.Sub(r.first)/r.length) + 1
			consider(r.Start(n), fmt.Sprintf("the password of %s changes", r.account))
		}
	}
	return at, what, ok
}

func (p RootKeyPolicy) kds() kds.Policy {
	switch p {
	case IntervalRootKey:
		return kds.IntervalRule
	case SambaRootKey:
		return kds.Samba10h5m
	default:
		return kds.Strict10h
	}
}

// usableAt is when a key with this effective time becomes usable.
func usableAt(p RootKeyPolicy, effective time.Time) time.Time {
	return p.kds().UsableAt(&kds.RootKey{UseStartTime: effective})
}

// Rotation is the timeline of a service account's password. Interval 0 begins with the ten-hour interval in which the account was
// made ([MS-ADTS] msDS-ManagedPasswordId).
type Rotation struct {
	account string
	first   time.Time
	length  time.Duration
}

// Rotation gives the timeline of a service account.
func (d *Domain) Rotation(account string) (Rotation, error) {
	for _, dc := range d.dcs {
		for _, r := range dc.rotations() {
			if sameAccount(r.account, account) {
				return r, nil
			}
		}
	}
	return Rotation{}, d.explain(&stepError{step: stepFind, account: account, err: errAbsent})
}

// Length is the time between two passwords: whole ten-hour intervals, 720 h for 30 days.
func (r Rotation) Length() time.Duration { return r.length }

// Start is the beginning of interval n.
func (r Rotation) Start(n int) time.Time { return r.first.Add(time.Duration(n) * r.length) }

// Middle is halfway through interval n.
func (r Rotation) Middle(n int) time.Time { return r.Start(n).Add(r.length / 2) }

// SkewWindow is inside the last five minutes of interval n, in which the next password is given as the current one already.
func (r Rotation) SkewWindow(n int) time.Time { return r.Start(n + 1).Add(-2 * time.Minute) }

// PreviousStillValid is inside the first five minutes of interval n, in which the password of interval n-1 still works.
func (r Rotation) PreviousStillValid(n int) time.Time { return r.Start(n).Add(2 * time.Minute) }
