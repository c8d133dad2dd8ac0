package gss

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Layer is a SASL security layer, a bit of RFC 4752 3.3.
type Layer byte

// Security layers.
const (
	LayerNone            Layer = 1
	LayerIntegrity       Layer = 2
	LayerConfidentiality Layer = 4
)

// MaxBuffer is the largest protected buffer taken from a peer and announced to
// it, as Active Directory does, in octets.
const MaxBuffer = 0xA00000

// maxAuthorization is more than any account's name needs.
const maxAuthorization = 1024

// chunk is how much plaintext goes into one buffer: clients with small ones exist.
const chunk = 1 << 15

// LayerOf is the layer of a GSS-SPNEGO bind, which has no negotiation of its
// own: it follows from the context's flags ([MS-ADTS] 5.1.1.1.2).
func LayerOf(c *Context) Layer {
	switch {
	case c.Flags&FlagConf != 0:
		return LayerConfidentiality
	case c.Flags&FlagInteg != 0:
		return LayerIntegrity
	}
	return LayerNone
}

// OfferLayers is the server's message of RFC 4752 3.2: a wrapped token with the
// layers it offers and the size of its buffer.
func OfferLayers(c *Context, offer Layer, maxBuffer uint32) ([]byte, error) {
	return c.Wrap(nil, binary.BigEndian.AppendUint32(nil, uint32(offer)<<24|maxBuffer&0xffffff), false)
}

// AcceptChoice reads the client's answer to OfferLayers: the layer it chose, the
// largest token it takes, and the identity it wants to act as, which may be
// empty. A choice of 0, which go-ldap makes, is LayerNone.
func AcceptChoice(c *Context, token []byte, offered Layer) (layer Layer, peerMax uint32, authzid string, err error) {
	plain, _, err := c.Unwrap(token)
	if err != nil {
		return 0, 0, "", err
	}
	if len(plain) < 4 || len(plain) > 4+maxAuthorization {
		return 0, 0, "", fmt.Errorf("%w: choice of %d octets", ErrLayer, len(plain))
	}
	layer, peerMax = Layer(plain[0]), binary.BigEndian.Uint32(plain)&0xffffff
	if layer == 0 {
		layer = LayerNone
	}
	if bits.OnesCount8(uint8(layer)) != 1 || layer&offered == 0 {
		return 0, 0, "", fmt.Errorf("%w: choice %#02x of %#02x", ErrLayer, byte(layer), byte(offered))
	}
	return layer, peerMax, string(plain[4:]), nil
}

// ChooseLayer is the client's answer to the server's offer. It fails with
// ErrLayer when want is not offered.
func ChooseLayer(c *Context, offer []byte, want Layer, maxBuffer uint32, authzid string) (token []byte, peerMax uint32, err error) {
	plain, _, err := c.Unwrap(offer)
	if err != nil {
		return nil, 0, err
	}
	if len(plain) != 4 {
		return nil, 0, fmt.Errorf("%w: offer of %d octets", ErrLayer, len(plain))
	}
	if bits.OnesCount8(uint8(want)) != 1 || Layer(plain[0])&want == 0 {
		return nil, 0, fmt.Errorf("%w: %#02x is not in the offer %#02x", ErrLayer, byte(want), plain[0])
	}
	if want == LayerNone {
		maxBuffer = 0 // RFC 4752 3.1
	}
	answer := binary.BigEndian.AppendUint32(nil, uint32(want)<<24|maxBuffer&0xffffff)
	token, err = c.Wrap(nil, append(answer, authzid...), false)
	return token, binary.BigEndian.Uint32(plain) & 0xffffff, err
}

// Framing protects a byte stream as RFC 4422 3.7 says: buffers of a four-octet
// length and a token. One reader and one writer may use it at the same time.
// Without a layer it passes everything through.
type Framing struct {
	Context *Context
	Layer   Layer
	// PeerMax is the largest token the peer takes, in octets; 0: MaxBuffer.
	PeerMax uint32
}

const lengthSize = 4

// Seal appends the buffers that carry plain to dst, as many as there must be.
func (f *Framing) Seal(dst, plain []byte) ([]byte, error) {
	if f.Layer == LayerNone {
		return append(dst, plain...), nil
	}
	limit := MaxBuffer
	if f.PeerMax != 0 {
		limit = min(limit, int(f.PeerMax))
	}
	limit = min(limit-f.Context.overhead(), chunk)
	if limit <= 0 {
		return nil, fmt.Errorf("%w: the peer's buffer of %d octets holds no message", ErrLayer, f.PeerMax)
	}
	for len(plain) > 0 {
		n := min(len(plain), limit)
		start := len(dst)
		dst = append(dst, 0, 0, 0, 0)
		var err error
		if dst, err = f.Context.Wrap(dst, plain[:n], f.Layer == LayerConfidentiality); err != nil {
			return nil, err
		}
		binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-lengthSize))
		plain = plain[n:]
	}
	return dst, nil
}

// Open appends the plaintext of the first buffer of b to dst. n is the number of
// octets of b that it used: 0 when the buffer is not complete yet. A buffer of
// more than MaxBuffer octets is refused as soon as its length is known, an
// unsealed one under LayerConfidentiality too; both are ErrLayer.
func (f *Framing) Open(dst, b []byte) (plain []byte, n int, err error) {
	if f.Layer == LayerNone {
		return append(dst, b...), len(b), nil
	}
	if len(b) < lengthSize {
		return dst, 0, nil
	}
	size := binary.BigEndian.Uint32(b)
	if size > MaxBuffer {
		return nil, 0, fmt.Errorf("%w: buffer of %d octets, the limit is %d", ErrLayer, size, MaxBuffer)
	}
	if int(size) > len(b)-lengthSize {
		return dst, 0, nil
	}
	dst, conf, err := f.Context.unwrap(dst, b[lengthSize:lengthSize+int(size)])
	if err != nil {
		return nil, 0, err
	}
	if f.Layer == LayerConfidentiality && !conf {
		return nil, 0, fmt.Errorf("%w: a buffer is not sealed", ErrLayer)
	}
	return dst, lengthSize + int(size), nil
}
