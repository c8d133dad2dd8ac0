package krbcrypt

import (
	"container/list"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"sync"
)

// defaultCacheSize holds the passwords of a large forest's test: about 16 MiB when full.
const defaultCacheSize = 1 << 16

// Cache remembers keys that were derived from passwords; the least recently
// used are forgotten first. It is safe for concurrent use, and one computation
// serves everyone who asks for the same key at the same time. A nil *Cache
// remembers nothing.
//
// Both RFC 3962 types of a password come from one computation.
type Cache struct {
	mu      sync.Mutex
	size    int
	entries map[[sha256.Size]byte]*list.Element
	recent  list.List // of *cached, the most recently used in front
}

// cached is the keys of one password, salt and family of encryption types. They
// are computed by whoever comes first, outside the cache's lock.
type cached struct {
	id   [sha256.Size]byte
	once sync.Once
	keys [2]*Key // of RFC 3962: 17 and 18
	err  error
}

// NewCache makes a cache of at most size passwords, 65,536 if size is 0.
func NewCache(size int) *Cache {
	if size <= 0 {
		size = defaultCacheSize
	}
	return &Cache{size: size, entries: make(map[[sha256.Size]byte]*list.Element)}
}

// StringToKey is the function StringToKey, remembered. All callers get the same
// *Key.
func (c *Cache) StringToKey(etype int32, password, salt string) (*Key, error) {
	p := profileOf(etype)
	if p == nil {
		return nil, fmt.Errorf("%w: %d", ErrEType, etype)
	}
	if c == nil || p == &rc4HMAC { // MD4 is cheaper than looking it up
		return StringToKey(etype, password, salt)
	}
	family := p.etype
	if !p.encryptThenMAC {
		family = AES256SHA1
	}
	e := c.entry(identify(family, password, salt))
	e.once.Do(func() {
		if p.encryptThenMAC {
			e.keys[0], e.err = stringToKeySHA2(p, password, salt)
			return
		}
		// The key of 17 is made of the first 16 octets of what 18 needs.
		seed := stretchSHA1(password, salt, roundsSHA1)
		if e.keys[0], e.err = stringToKeySHA1(&aes128SHA1, seed); e.err == nil {
			e.keys[1], e.err = stringToKeySHA1(&aes256SHA1, seed)
		}
	})
	if p == &aes256SHA1 {
		return e.keys[1], e.err
	}
	return e.keys[0], e.err
}

// Len is the number of passwords remembered.
func (c *Cache) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.recent.Len()
}

func (c *Cache) entry(id [sha256.Size]byte) *cached {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el, ok := c.entries[id]; ok {
		c.recent.MoveToFront(el)
		return el.Value.(*cached)
	}
	e := &cached{id: id}
	c.entries[id] = c.recent.PushFront(e)
	for c.recent.Len() > c.size {
		oldest := c.recent.Remove(c.recent.Back()).(*cached)
		delete(c.entries, oldest.id)
	}
	return e
}

// identify keeps the cache from holding passwords.
func identify(family int32, password, salt string) [sha256.Size]byte {
	b := make([]byte, 0, 12+len(password)+len(salt))
	b = binary.BigEndian.AppendUint32(b, uint32(family))
	b = binary.BigEndian.AppendUint64(b, uint64(len(password)))
	b = append(b, password...)
	b = append(b, salt...)
	return sha256.Sum256(b)
}
