package gss

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rc4"
	"encoding/binary"
	"fmt"
	"io"
)

// Per-message tokens for RC4 keys, RFC 4757 7.2 and 7.3. Their numbers have 32
// bits. The initiator's subkey is used; no acceptor's subkey is sent, because MIT
// does not use one with these tokens.

const (
	signHMACMD5   uint16 = 0x1100
	sealRC4       uint16 = 0x1000
	sealNone      uint16 = 0xffff
	tokenMICRC4   uint16 = 0x0101
	tokenWrapRC4  uint16 = 0x0201
	headRC4              = 8 // identifier, algorithms, filler
	sequenceRC4          = 8
	checksumRC4          = 8
	confounderRC4        = 8
	fixedRC4             = headRC4 + sequenceRC4 + checksumRC4
	paddingRC4           = 1 // the block size of a stream cipher, RFC 1964 1.2.2.3
	// overheadRC4: mechanism header, fixed part, confounder, padding.
	overheadRC4 = 6 + 11 + fixedRC4 + confounderRC4 + paddingRC4
)

// Message types T of the checksums, RFC 4757 7.2 and 7.3.
const (
	messageTypeWrap = 13
	messageTypeMIC  = 15
)

func headerRC4(id, seal uint16) []byte {
	h := binary.BigEndian.AppendUint16(make([]byte, 0, headRC4), id)
	h = binary.BigEndian.AppendUint16(h, signHMACMD5)
	h = binary.BigEndian.AppendUint16(h, seal)
	return append(h, 0xff, 0xff)
}

// sign is SGN_CKSUM, over the header and the rest.
func (c *Context) signRC4(messageType uint32, header, rest []byte) []byte {
	data := append(bytes.Clone(header), rest...)
	return c.MessageKey.ChecksumMD5(nil, data, messageType)[:checksumRC4]
}

func hmacMD5(key []byte, data ...byte) []byte {
	h := hmac.New(md5.New, key)
	h.Write(data)
	return h.Sum(nil)
}

func streamRC4(key, data []byte) {
	c, err := rc4.NewCipher(key)
	if err != nil {
		panic(err) // a hash is a valid key
	}
	c.XORKeyStream(data, data)
}

// cryptSequence encrypts or decrypts SND_SEQ in place.
func (c *Context) cryptSequence(field, checksum []byte) {
	key := hmacMD5(c.MessageKey.Value, 0, 0, 0, 0)
	streamRC4(hmacMD5(key, checksum...), field)
}

// cryptData encrypts or decrypts confounder and data in place.
func (c *Context) cryptData(data []byte, number uint32) {
	local := bytes.Clone(c.MessageKey.Value)
	for i := range local {
		local[i] ^= 0xf0
	}
	key := hmacMD5(local, 0, 0, 0, 0)
	streamRC4(hmacMD5(key, binary.BigEndian.AppendUint32(nil, number)...), data)
}

// sequence is SND_SEQ in clear: the number, then the direction.
func sequenceField(number uint32, byInitiator bool) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, sequenceRC4), number)
	if byInitiator {
		return append(b, 0, 0, 0, 0)
	}
	return append(b, 0xff, 0xff, 0xff, 0xff)
}

func (c *Context) wrapRC4(dst, plain []byte, conf bool) ([]byte, error) {
	seal := sealNone
	if conf {
		seal = sealRC4
	}
	body := make([]byte, confounderRC4, confounderRC4+len(plain)+paddingRC4)
	if _, err := io.ReadFull(c.rand, body); err != nil {
		return nil, fmt.Errorf("wrap: confounder: %w", err)
	}
	body = append(append(body, plain...), paddingRC4)
	header := headerRC4(tokenWrapRC4, seal)
	sum := c.signRC4(messageTypeWrap, header, body)
	number := uint32(c.number())
	field := sequenceField(number, c.initiator)
	c.cryptSequence(field, sum)
	if conf {
		c.cryptData(body, number)
	}
	return append(dst, tlv(application, tlv(tagOID, oidKRB5), header, field, sum, body)...), nil
}

func (c *Context) micRC4(dst, msg []byte) []byte {
	header := headerRC4(tokenMICRC4, sealNone)
	sum := c.signRC4(messageTypeMIC, header, msg)
	field := sequenceField(uint32(c.number()), c.initiator)
	c.cryptSequence(field, sum)
	return append(dst, tlv(application, tlv(tagOID, oidKRB5), header, field, sum)...)
}

// messageRC4 is a token of the peer taken apart.
type messageRC4 struct {
	header, sum, body []byte
	seal              uint16
	number            uint32
}

func (c *Context) parseRC4(token []byte, id uint16) (messageRC4, error) {
	oid, b, err := unframe(token)
	switch {
	case err != nil:
		return messageRC4{}, err
	case !isKRB5(oid):
		return messageRC4{}, fmt.Errorf("%w: mechanism % x is not Kerberos", ErrToken, oid)
	case len(b) < fixedRC4:
		return messageRC4{}, fmt.Errorf("%w: message token of %d octets", ErrToken, len(b))
	case binary.BigEndian.Uint16(b) != id:
		return messageRC4{}, fmt.Errorf("%w: message token %#04x, want %#04x", ErrToken, binary.BigEndian.Uint16(b), id)
	case binary.BigEndian.Uint16(b[2:]) != signHMACMD5:
		return messageRC4{}, fmt.Errorf("%w: signature algorithm %#04x", ErrToken, binary.BigEndian.Uint16(b[2:]))
	}
	m := messageRC4{header: b[:headRC4], sum: b[headRC4+sequenceRC4 : fixedRC4], body: bytes.Clone(b[fixedRC4:])}
	m.seal = binary.BigEndian.Uint16(b[4:])
	field := bytes.Clone(b[headRC4 : headRC4+sequenceRC4])
	c.cryptSequence(field, m.sum)
	m.number = binary.BigEndian.Uint32(field)
	if !bytes.Equal(field, sequenceField(m.number, !c.initiator)) {
		return messageRC4{}, fmt.Errorf("%w: the sequence number is not the peer's", ErrIntegrity)
	}
	return m, nil
}

func (c *Context) unwrapRC4(dst, token []byte) ([]byte, bool, error) {
	m, err := c.parseRC4(token, tokenWrapRC4)
	if err != nil {
		return nil, false, err
	}
	switch m.seal {
	case sealRC4:
		c.cryptData(m.body, m.number)
	case sealNone:
	default:
		return nil, false, fmt.Errorf("%w: seal algorithm %#04x", ErrToken, m.seal)
	}
	if !hmac.Equal(m.sum, c.signRC4(messageTypeWrap, m.header, m.body)) {
		return nil, false, fmt.Errorf("%w: wrap token", ErrIntegrity)
	}
	if len(m.body) < confounderRC4+paddingRC4 {
		return nil, false, fmt.Errorf("%w: wrapped %d octets", ErrToken, len(m.body))
	}
	plain := m.body[confounderRC4:]
	padding := int(plain[len(plain)-1])
	if padding < 1 || padding > 8 || padding > len(plain) {
		return nil, false, fmt.Errorf("%w: padding of %d octets", ErrToken, padding)
	}
	if err := c.receive.take(uint64(m.number), c.Flags); err != nil {
		return nil, false, err
	}
	return append(dst, plain[:len(plain)-padding]...), m.seal == sealRC4, nil
}

func (c *Context) verifyRC4(token, msg []byte) error {
	m, err := c.parseRC4(token, tokenMICRC4)
	if err != nil {
		return err
	}
	if len(m.body) != 0 {
		return fmt.Errorf("%w: %d octets after the checksum", ErrToken, len(m.body))
	}
	if !hmac.Equal(m.sum, c.signRC4(messageTypeMIC, m.header, msg)) {
		return fmt.Errorf("%w: MIC", ErrIntegrity)
	}
	return c.receive.take(uint64(m.number), c.Flags)
}
