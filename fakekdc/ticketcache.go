package fakekdc

import (
	"bytes"
	"hash/maphash"
	"sync"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// maxGeneration is how many octets of ciphertext one generation of a ticketCache remembers.
const maxGeneration = 2 << 20

// ticketCache remembers TGTs that were opened, because clients come back with the same one for each service: what is saved is the
// decryption, the PAC's signatures and decoding, and the derived keys of the session key. It holds two generations and forgets the
// older one when the younger is full. Only tickets that this KDC or a trusted one made get into it.
type ticketCache struct {
	mu         sync.Mutex
	seed       maphash.Seed
	young, old map[uint64]*openedTicket
	size       int // octets in young
}

// openedTicket is a ticket whose decryption and signatures are right. It is not changed.
type openedTicket struct {
	cipher []byte
	key    *krbcrypt.Key
	part   *ticketPart
}

func (c *ticketCache) get(key *krbcrypt.Key, cipher []byte) *ticketPart {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.young == nil {
		return nil
	}
	id := maphash.Bytes(c.seed, cipher)
	o := c.young[id]
	if o == nil {
		if o = c.old[id]; o == nil {
			return nil
		}
		c.keep(id, o)
	}
	if !bytes.Equal(o.cipher, cipher) || o.key.EType != key.EType || !bytes.Equal(o.key.Value, key.Value) {
		return nil
	}
	return o.part
}

func (c *ticketCache) put(key *krbcrypt.Key, cipher []byte, part *ticketPart) {
	o := &openedTicket{bytes.Clone(cipher), key, part}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.young == nil {
		c.seed, c.young = maphash.MakeSeed(), map[uint64]*openedTicket{}
	}
	c.keep(maphash.Bytes(c.seed, cipher), o)
}

func (c *ticketCache) keep(id uint64, o *openedTicket) {
	if c.size+len(o.cipher) > maxGeneration {
		c.old, c.young, c.size = c.young, map[uint64]*openedTicket{}, 0
	}
	c.young[id] = o
	c.size += len(o.cipher)
}
