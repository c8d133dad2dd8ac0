package gss

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// Per-message tokens of RFC 4121 4.2.6.

const headerCFX = 16

// Token identifiers, RFC 4121 4.2.6.
const (
	tokenMIC  uint16 = 0x0404
	tokenWrap uint16 = 0x0504
)

// Flags of a token, RFC 4121 4.2.2.
const (
	sentByAcceptor byte = 1
	sealed         byte = 2
	acceptorSubkey byte = 4
)

// Key usages, RFC 4121 2. Integrity-only wrap tokens use the seal usages too; the
// sign usages are for MICs.
const (
	usageAcceptorSeal  = 22
	usageAcceptorSign  = 23
	usageInitiatorSeal = 24
	usageInitiatorSign = 25
)

// usage picks a key usage by who sends.
func usage(byInitiator bool, initiator, acceptor uint32) uint32 {
	if byInitiator {
		return initiator
	}
	return acceptor
}

func (c *Context) sealUsage(own bool) uint32 {
	return usage(c.initiator == own, usageInitiatorSeal, usageAcceptorSeal)
}

func (c *Context) signUsage(own bool) uint32 {
	return usage(c.initiator == own, usageInitiatorSign, usageAcceptorSign)
}

// header is the header of our next token, with EC and RRC zero.
func (c *Context) header(id uint16, conf bool) [headerCFX]byte {
	h := [headerCFX]byte{byte(id >> 8), byte(id), 0, 0xff}
	if !c.initiator {
		h[2] |= sentByAcceptor
	}
	if conf {
		h[2] |= sealed
	}
	if c.MessageKey != c.initiatorKey {
		h[2] |= acceptorSubkey
	}
	if id == tokenMIC {
		copy(h[3:8], "\xff\xff\xff\xff\xff")
	}
	binary.BigEndian.PutUint64(h[8:], c.number())
	return h
}

// parseHeader checks the header of the peer's token and finds its key.
func (c *Context) parseHeader(token []byte, id uint16) (*krbcrypt.Key, error) {
	switch {
	case len(token) < headerCFX:
		return nil, fmt.Errorf("%w: message token of %d octets", ErrToken, len(token))
	case binary.BigEndian.Uint16(token) != id:
		return nil, fmt.Errorf("%w: message token %#04x, want %#04x", ErrToken, binary.BigEndian.Uint16(token), id)
	case token[3] != 0xff:
		return nil, fmt.Errorf("%w: filler %#02x", ErrToken, token[3])
	case (token[2]&sentByAcceptor != 0) != c.initiator:
		return nil, fmt.Errorf("%w: our own message came back", ErrToken)
	case token[2]&acceptorSubkey == 0:
		return c.initiatorKey, nil
	}
	return c.MessageKey, nil
}

// wrapCFX makes tokens as Windows does: what follows the data is rotated to the
// front, which is the one layout that every client reads.
func (c *Context) wrapCFX(dst, plain []byte, conf bool) ([]byte, error) {
	h := c.header(tokenWrap, conf)
	k := c.MessageKey
	c.writing = append(append(c.writing, plain...), h[:]...)
	defer func() { c.writing = scratch(c.writing) }()
	start := len(dst)
	if !conf {
		// Checksum over data and header with EC and RRC zero, then the data.
		n := k.ChecksumSize()
		binary.BigEndian.PutUint16(h[4:], uint16(n)) // EC
		binary.BigEndian.PutUint16(h[6:], uint16(n)) // RRC
		dst = slices.Grow(dst, headerCFX+n+len(plain))
		dst = append(dst, h[:]...)
		dst = k.Checksum(dst, c.writing, c.sealUsage(true))
		return append(dst, plain...), nil
	}
	// The end of the ciphertext, which is the header's copy and the checksum, goes
	// to the front: the ciphertext is written that much too far back.
	rotation := headerCFX + k.ChecksumSize()
	dst = slices.Grow(dst, headerCFX+rotation+k.CipherSize(len(c.writing)))
	binary.BigEndian.PutUint16(h[6:], uint16(rotation))
	dst = append(dst, h[:]...)
	body := start + headerCFX
	dst, err := k.Encrypt(dst[:body+rotation], c.writing, c.sealUsage(true), c.rand)
	if err != nil {
		return nil, fmt.Errorf("wrap: %w", err)
	}
	end := len(dst) - rotation
	copy(dst[body:], dst[end:])
	return dst[:end], nil
}

func (c *Context) unwrapCFX(dst, token []byte) ([]byte, bool, error) {
	k, err := c.parseHeader(token, tokenWrap)
	if err != nil {
		return nil, false, err
	}
	conf := token[2]&sealed != 0
	extra, rotation := int(binary.BigEndian.Uint16(token[4:])), int(binary.BigEndian.Uint16(token[6:]))
	h := [headerCFX]byte(token)
	h[6], h[7] = 0, 0
	body := token[headerCFX:]
	if len(body) > 0 && rotation%len(body) != 0 {
		rotation %= len(body)
		c.reading = append(append(c.reading, body[rotation:]...), body[:rotation]...)
		body = c.reading
		defer func() { c.reading = scratch(c.reading) }()
	}
	if conf {
		dst, err = c.openSealed(dst, body, k, h[:], extra)
	} else {
		dst, err = c.openSigned(dst, body, k, h[:], extra)
	}
	if err != nil {
		return nil, false, err
	}
	if err := c.receive.take(binary.BigEndian.Uint64(h[8:]), c.Flags); err != nil {
		return nil, false, err
	}
	return dst, conf, nil
}

// openSealed decrypts data, filler of extra octets and a copy of the header with RRC zero.
func (c *Context) openSealed(dst, body []byte, k *krbcrypt.Key, h []byte, extra int) ([]byte, error) {
	start := len(dst)
	dst, err := k.Decrypt(dst, body, c.sealUsage(false))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIntegrity, err)
	}
	end := len(dst) - headerCFX
	if end-extra < start {
		return nil, fmt.Errorf("%w: sealed message of %d octets with %d extra", ErrToken, len(dst)-start, extra)
	}
	if !bytes.Equal(dst[end:], h) {
		return nil, fmt.Errorf("%w: the header is not the sealed one", ErrIntegrity)
	}
	return dst[:end-extra], nil
}

// openSigned checks the extra octets of checksum that follow the data.
func (c *Context) openSigned(dst, body []byte, k *krbcrypt.Key, h []byte, extra int) ([]byte, error) {
	if extra != k.ChecksumSize() || extra > len(body) {
		return nil, fmt.Errorf("%w: checksum of %d octets in %d", ErrToken, extra, len(body))
	}
	data, sum := body[:len(body)-extra], body[len(body)-extra:]
	h[4], h[5] = 0, 0
	start := len(dst)
	dst = append(append(dst, data...), h...)
	if err := k.VerifyChecksum(k.ChecksumType(), sum, dst[start:], c.sealUsage(false)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIntegrity, err)
	}
	return dst[:len(dst)-headerCFX], nil
}

func (c *Context) micCFX(dst, msg []byte) []byte {
	h := c.header(tokenMIC, false)
	c.writing = append(append(c.writing, msg...), h[:]...)
	dst = append(dst, h[:]...)
	dst = c.MessageKey.Checksum(dst, c.writing, c.signUsage(true))
	c.writing = scratch(c.writing)
	return dst
}

func (c *Context) verifyCFX(token, msg []byte) error {
	k, err := c.parseHeader(token, tokenMIC)
	if err != nil {
		return err
	}
	c.reading = append(append(c.reading, msg...), token[:headerCFX]...)
	err = k.VerifyChecksum(k.ChecksumType(), token[headerCFX:], c.reading, c.signUsage(false))
	c.reading = scratch(c.reading)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrIntegrity, err)
	}
	return c.receive.take(binary.BigEndian.Uint64(token[8:]), c.Flags)
}
