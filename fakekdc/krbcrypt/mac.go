package krbcrypt

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding"
	"hash"
	"sync"
)

// hashFunc is a hash with idle instances of it.
type hashFunc struct {
	new   func() hash.Hash
	block int
	state int // octets of a marshalled state
	idle  sync.Pool
}

// The idle instances are scratch space: nothing can be observed through them.
var (
	md5Hash    = hashFunc{new: md5.New, block: md5.BlockSize, state: 92}
	sha1Hash   = hashFunc{new: sha1.New, block: sha1.BlockSize, state: 96}
	sha256Hash = hashFunc{new: sha256.New, block: sha256.BlockSize, state: 108}
	sha384Hash = hashFunc{new: sha512.New384, block: sha512.BlockSize, state: 204}
)

// hasher is an instance of a hash with room for its results, so that using it
// allocates nothing.
type hasher struct {
	hash.Hash
	restore encoding.BinaryUnmarshaler
	pad     [sha512.BlockSize]byte
	sum     [sha512.Size]byte
}

func (f *hashFunc) get() *hasher {
	if h, ok := f.idle.Get().(*hasher); ok {
		h.Reset()
		return h
	}
	h := f.new()
	return &hasher{Hash: h, restore: h.(encoding.BinaryUnmarshaler)}
}

// mac is HMAC (RFC 2104) with a key. It remembers the states of the hash after
// the padded key instead of the key.
type mac struct {
	hash   *hashFunc
	states []byte // inner, then outer
}

func newMAC(f *hashFunc, key []byte) mac {
	h := f.get()
	defer f.idle.Put(h)
	m := mac{hash: f, states: make([]byte, 0, 2*f.state)}
	for _, pad := range [2]byte{0x36, 0x5c} {
		block := h.pad[:f.block]
		for i := range block {
			block[i] = pad
		}
		for i, v := range key { // keys are shorter than blocks here
			block[i] ^= v
		}
		h.Reset()
		h.Write(block)
		states, err := h.Hash.(encoding.BinaryAppender).AppendBinary(m.states)
		if err != nil {
			panic(err) // hashes of the standard library do not fail
		}
		m.states = states
	}
	return m
}

// sum fills out with the first octets of the HMAC of a and b.
func (m *mac) sum(out, a, b []byte) {
	h := m.hash.get()
	copy(out, m.compute(h, a, b))
	m.hash.idle.Put(h)
}

// verify tells whether sum is the start of the HMAC of a and b.
func (m *mac) verify(sum, a, b []byte) bool {
	h := m.hash.get()
	ok := equal(sum, m.compute(h, a, b)[:len(sum)])
	m.hash.idle.Put(h)
	return ok
}

// compute is the whole HMAC, in h's own space.
func (m *mac) compute(h *hasher, a, b []byte) []byte {
	half := len(m.states) / 2
	h.load(m.states[:half])
	h.Write(a)
	h.Write(b)
	inner := h.Sum(h.sum[:0])
	h.load(m.states[half:])
	h.Write(inner)
	return h.Sum(h.sum[:0])
}

func (h *hasher) load(state []byte) {
	if err := h.restore.UnmarshalBinary(state); err != nil {
		panic(err) // it was marshalled by the same hash
	}
}

// equal compares in constant time.
func equal(a, b []byte) bool { return hmac.Equal(a, b) }
