package kds

import (
	"sync"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// Cache remembers L1 seed keys and passwords. They are functions of what they
// are derived from, so nothing in it becomes wrong, and one cache can serve any
// number of forests. A nil Cache remembers nothing. It is safe for concurrent
// use.
type Cache struct {
	mu        sync.Mutex
	l1        generations[l1ID, [KeySize]byte]
	passwords generations[passwordID, []byte]
}

// A root key counts by what is derived from it, not by its id alone: it can be
// deleted and made again.
type rootID struct {
	id   security.GUID
	data [KeySize]byte
	hash string
}

type l1ID struct {
	root   rootID
	l0, l1 int32
}

type passwordID struct {
	root rootID
	iv   Interval
	sid  security.SID
}

// NewCache makes a cache that remembers at least the last n passwords, and at
// most twice as many; 0 means 4096.
func NewCache(n int) *Cache {
	if n <= 0 {
		n = 4096
	}
	return &Cache{
		l1:        generations[l1ID, [KeySize]byte]{limit: 64},
		passwords: generations[passwordID, []byte]{limit: n},
	}
}

// Password is [Password], remembered. The caller must not change the bytes.
func (c *Cache) Password(k *RootKey, iv Interval, sid security.SID) ([]byte, error) {
	if c == nil {
		return Password(k, iv, sid)
	}
	if err := checkPassword(k, iv, sid); err != nil {
		return nil, err
	}
	id := passwordID{rootID{id: k.ID, data: [KeySize]byte(k.Data), hash: k.hash()}, iv, sid}
	c.mu.Lock()
	pw, ok := c.passwords.get(id)
	if ok {
		c.mu.Unlock()
		return pw, nil
	}
	idL1 := l1ID{id.root, iv.L0, iv.L1}
	l1, ok := c.l1.get(idL1)
	c.mu.Unlock()

	// Two callers at once derive the same bytes; that is cheaper than waiting.
	var l *ladder
	if ok {
		l = &ladder{derivation: newDerivation(hashes[k.hash()]), id: k.ID, key: l1}
	} else {
		l = newLadder(k, iv.L0)
		l.toL1(iv, targetSD)
		l1 = l.key
	}
	l.toL2(iv)
	pw = l.password(sid)

	c.mu.Lock()
	c.l1.put(idL1, l1)
	c.passwords.put(id, pw)
	c.mu.Unlock()
	return pw, nil
}

// generations is a map that forgets: once the young half is full it becomes the
// old one, and what was old and not asked for since is gone.
type generations[K comparable, V any] struct {
	limit      int
	young, old map[K]V
}

func (g *generations[K, V]) get(k K) (V, bool) {
	if v, ok := g.young[k]; ok {
		return v, true
	}
	v, ok := g.old[k]
	if ok {
		g.put(k, v)
	}
	return v, ok
}

func (g *generations[K, V]) put(k K, v V) {
	if len(g.young) >= g.limit {
		g.old, g.young = g.young, nil
	}
	if g.young == nil {
		g.young = make(map[K]V)
	}
	g.young[k] = v
}
