package gss

import (
	"crypto/sha256"
	"sync"
	"time"
)

// defaultReplaySize is 5 MiB of authenticators.
const defaultReplaySize = 1 << 16

// ReplayCache remembers authenticators for as long as their time would be
// accepted again. It is bounded, has no goroutine, and is safe for concurrent use.
type ReplayCache struct {
	mu    sync.Mutex
	size  int
	known map[[sha256.Size]byte]struct{}
	// queue is a ring of the known ones in the order they came in.
	queue       []remembered
	head, count int
}

type remembered struct {
	id    [sha256.Size]byte
	until time.Time
}

// NewReplayCache makes a cache of at most size authenticators, 65,536 if size
// is 0. When all of them are fresh the oldest is forgotten.
func NewReplayCache(size int) *ReplayCache {
	if size <= 0 {
		size = defaultReplaySize
	}
	return &ReplayCache{size: size, known: make(map[[sha256.Size]byte]struct{})}
}

// Len is the number of authenticators remembered.
func (r *ReplayCache) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// seen tells whether this encrypted authenticator came before, and remembers it
// for keep. Its confounder makes every honest one different.
func (r *ReplayCache) seen(cipher []byte, now time.Time, keep time.Duration) bool {
	id := sha256.Sum256(cipher)
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.count > 0 && now.After(r.queue[r.head].until) {
		r.forget()
	}
	if _, ok := r.known[id]; ok {
		return true
	}
	if r.count == r.size {
		r.forget()
	}
	if r.count == len(r.queue) {
		r.grow()
	}
	r.queue[(r.head+r.count)%len(r.queue)] = remembered{id: id, until: now.Add(keep)}
	r.count++
	r.known[id] = struct{}{}
	return false
}

func (r *ReplayCache) forget() {
	delete(r.known, r.queue[r.head].id)
	r.head = (r.head + 1) % len(r.queue)
	r.count--
}

func (r *ReplayCache) grow() {
	bigger := make([]remembered, min(r.size, max(16, 2*len(r.queue))))
	n := copy(bigger, r.queue[r.head:])
	copy(bigger[n:], r.queue[:r.head])
	r.queue, r.head = bigger, 0
}
