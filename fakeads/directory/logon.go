package directory

import (
	"context"
	"strconv"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/kds"
)

// logonState is what one domain controller remembers of an account's sign-ins; none of it replicates ([MS-ADA1] 2.62, 2.358). It
// does not change.
type logonState struct {
	badPwdCount, logonCount    int32
	badPasswordTime, lastLogon kds.FILETIME
}

// logonTable maps ids of accounts to their logonState: a persistent radix tree, so that a sign-in copies a few nodes and touches
// no index. Copying the struct shares it.
type logonTable struct {
	root  *logonNode
	shift uint
}

type logonNode struct {
	owner uint64
	kids  *[recordFan]*logonNode  // of an inner node
	leafs *[recordFan]*logonState // of a leaf
}

func newLogonNode(owner uint64, leaf bool) *logonNode {
	if leaf {
		return &logonNode{owner: owner, leafs: new([recordFan]*logonState)}
	}
	return &logonNode{owner: owner, kids: new([recordFan]*logonNode)}
}

func (n *logonNode) own(owner uint64) *logonNode {
	if n.owner == owner {
		return n
	}
	c := &logonNode{owner: owner}
	if n.kids != nil {
		kids := *n.kids
		c.kids = &kids
	} else {
		leafs := *n.leafs
		c.leafs = &leafs
	}
	return c
}

var noLogons = &logonState{}

// get is never nil.
func (t *logonTable) get(id uint32) *logonState {
	n := t.root
	if n == nil || uint64(id)>>(t.shift+recordBits) != 0 {
		return noLogons
	}
	for s := t.shift; s > 0; s -= recordBits {
		if n = n.kids[id>>s&recordMask]; n == nil {
			return noLogons
		}
	}
	if l := n.leafs[id&recordMask]; l != nil {
		return l
	}
	return noLogons
}

func (t *logonTable) set(id uint32, l *logonState, owner uint64) {
	if t.root == nil {
		t.root = newLogonNode(owner, true)
	}
	for uint64(id)>>(t.shift+recordBits) != 0 {
		up := newLogonNode(owner, false)
		up.kids[0] = t.root
		t.root, t.shift = up, t.shift+recordBits
	}
	n := t.root.own(owner)
	t.root = n
	for s := t.shift; s > 0; s -= recordBits {
		kid := &n.kids[id>>s&recordMask]
		if *kid == nil {
			*kid = newLogonNode(owner, s == recordBits)
		} else {
			*kid = (*kid).own(owner)
		}
		n = *kid
	}
	n.leafs[id&recordMask] = l
}

// logonAttributes are the attributes that logonValues answers, in the order of the schema.
var logonAttributes = [...]attrID{aBadPwdCount, aBadPasswordTime, aLastLogon, aLastLogoff, aLogonCount}

var valueZero = [][]byte{[]byte("0")}

// logonValues are the values of an attribute that this domain controller keeps for itself; ok is false for any other attribute
// and for objects that are no accounts.
func (v *view) logonValues(e *entry, a attrID) (values [][]byte, ok bool) {
	switch a {
	case aBadPwdCount, aBadPasswordTime, aLastLogon, aLastLogoff, aLogonCount:
	default:
		return nil, false
	}
	if !e.is("user") {
		return nil, false
	}
	l := v.rs.logons.get(e.id)
	var n int64
	switch a {
	case aBadPwdCount:
		n = int64(l.badPwdCount)
	case aBadPasswordTime:
		n = int64(l.badPasswordTime)
	case aLastLogon:
		n = int64(l.lastLogon)
	case aLogonCount:
		n = int64(l.logonCount)
	}
	if n == 0 {
		return valueZero, true
	}
	return [][]byte{strconv.AppendInt(nil, n, 10)}, true
}

// logonTimeSync is how stale lastLogonTimestamp may be: fourteen days less a random part of up to five, which is five here so that
// the same seed gives the same bytes ([MS-ADA1] 2.352, msDS-LogonTimeSyncInterval).
const logonTimeSync = 9 * 24 * time.Hour

// maxLogonCount is where logonCount stays ([MS-SAMR] 3.1.1.8: it does not wrap).
const maxLogonCount = 65535

// LogonSucceeded keeps the counters after a sign-in whose credentials the caller has checked itself, such as a KDC: lastLogon and
// logonCount go on, badPwdCount and an expired lockout are forgotten.
func (a *Account) LogonSucceeded(ctx context.Context) {
	// The account may be gone in the meantime; there is nothing to count then.
	_ = a.replica.update(System(), func(t *tx) error {
		e := t.byID(a.entry.id)
		if e == nil || e.deleted {
			return nil
		}
		l := *t.rs.logons.get(e.id)
		l.lastLogon, l.badPwdCount = kds.FromTime(t.now), 0
		l.logonCount = min(l.logonCount+1, maxLogonCount)
		t.rs.logons.set(e.id, &l, t.st.version)
		stamp := kds.FILETIME(e.int(aLastLogonTimestamp))
		stale := stamp == 0 || t.now.Sub(stamp.Time()) > logonTimeSync
		if !stale && e.int(aLockoutTime) == 0 {
			return nil
		}
		d := t.edit(e)
		if stale {
			d.setInt(aLastLogonTimestamp, int64(kds.FromTime(t.now)))
		}
		if e.int(aLockoutTime) != 0 {
			d.setInt(aLockoutTime, 0)
		}
		d.save()
		return nil
	})
}

// LogonFailed counts a wrong password. Everything but a gMSA is locked out when the count reaches the domain's lockoutThreshold
// within the observation window ([MS-SAMR] 3.1.1.7.3).
func (a *Account) LogonFailed(ctx context.Context) {
	_ = a.replica.update(System(), func(t *tx) error { // as above
		e := t.byID(a.entry.id)
		if e == nil || e.deleted {
			return nil
		}
		p := t.passwordPolicy()
		l := *t.rs.logons.get(e.id)
		if l.badPasswordTime != 0 && t.now.Sub(l.badPasswordTime.Time()) >= p.lockoutWindow {
			l.badPwdCount = 0
		}
		l.badPwdCount++
		l.badPasswordTime = kds.FromTime(t.now)
		t.rs.logons.set(e.id, &l, t.st.version)
		if p.lockoutThreshold == 0 || int(l.badPwdCount) < p.lockoutThreshold || e.is(classGMSA) || p.locked(e, t.now) {
			return nil
		}
		d := t.edit(e)
		d.setInt(aLockoutTime, int64(kds.FromTime(t.now)))
		d.save()
		return nil
	})
}

// locked tells whether a lockout holds at that time.
func (p *passwordPolicy) locked(e *entry, now time.Time) bool {
	since := kds.FILETIME(e.int(aLockoutTime))
	if since == 0 {
		return false
	}
	return p.lockoutDuration == 0 || now.Before(since.Time().Add(p.lockoutDuration))
}
