package krbcrypt

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"math/bits"
)

// zeroIV is the initial vector of every message (RFC 3962 5, RFC 8009 5).
var zeroIV [aes.BlockSize]byte

// Constants that end the label of a derived key, RFC 3961 5.3.
const (
	constEncryption byte = 0xAA
	constIntegrity  byte = 0x55
	constChecksum   byte = 0x99
)

// encryptCTS encrypts p in place in CBC mode with ciphertext stealing and a zero
// IV (RFC 3962 5): the last two blocks are swapped, always. p has at least one block.
func encryptCTS(b cipher.Block, p []byte) {
	const bs = aes.BlockSize
	last := (len(p) - 1) / bs * bs
	prev := zeroIV[:]
	for i := 0; i < last; i += bs {
		block := p[i : i+bs]
		subtle.XORBytes(block, block, prev)
		b.Encrypt(block, block)
		prev = block
	}
	if last == 0 {
		b.Encrypt(p, p)
		return
	}
	// prev is what plain CBC would put before the last block. Its head moves
	// behind the last block of the ciphertext.
	tail := p[last:]
	for i, v := range tail {
		tail[i] = prev[i]
		prev[i] ^= v
	}
	b.Encrypt(prev, prev)
}

// decryptCTS is the inverse of encryptCTS.
func decryptCTS(b cipher.Block, p []byte) {
	const bs = aes.BlockSize
	last := (len(p) - 1) / bs * bs
	if last == 0 {
		b.Decrypt(p, p)
		return
	}
	prev, tail := p[last-bs:last], p[last:]
	b.Decrypt(prev, prev)
	for i, v := range tail {
		tail[i] = prev[i] ^ v
		prev[i] = v
	}
	for i := last - bs; i > 0; i -= bs {
		block := p[i : i+bs]
		b.Decrypt(block, block)
		subtle.XORBytes(block, block, p[i-bs:i])
	}
	b.Decrypt(p[:bs], p[:bs])
}

// deriveAES appends the key of n octets that the AES types derive for a usage.
func (k *Key) deriveAES(dst []byte, usage uint32, constant byte, n int) []byte {
	var label [5]byte
	binary.BigEndian.PutUint32(label[:], usage)
	label[4] = constant
	if k.profile.encryptThenMAC {
		return kdfSHA2(dst, k.profile.hash, k.Value, label[:], n)
	}
	var folded [aes.BlockSize]byte
	foldLabel(&folded, &label)
	return dk(dst, k.block(), folded[:], n)
}

// dk is DK of RFC 3961 5.1 for AES: the n-folded constant, encrypted until
// there are n octets. n is a multiple of the block size.
func dk(dst []byte, b cipher.Block, folded []byte, n int) []byte {
	start := len(dst)
	dst = grow(dst, n)
	in := folded
	for out := dst[start:]; len(out) > 0; out = out[aes.BlockSize:] {
		b.Encrypt(out, in)
		in = out[:aes.BlockSize]
	}
	return dst
}

// foldLabel is the 128-fold of a usage's five octets, RFC 3961 5.1: sixteen
// copies, each turned right by 13 bits more than the one before, added in
// one's complement.
func foldLabel(out *[16]byte, label *[5]byte) {
	const width = 40
	v := uint64(binary.BigEndian.Uint32(label[:]))<<8 | uint64(label[4])
	var copies [80]byte
	for i := range 16 {
		turn := 13 * i % width
		r := (v>>turn | v<<(width-turn)) & (1<<width - 1)
		copies[5*i] = byte(r >> 32)
		binary.BigEndian.PutUint32(copies[5*i+1:], uint32(r))
	}
	var hi, lo, carry uint64
	for i := 0; i < len(copies); i += 16 {
		lo, carry = bits.Add64(lo, binary.BigEndian.Uint64(copies[i+8:]), carry)
		hi, carry = bits.Add64(hi, binary.BigEndian.Uint64(copies[i:]), carry)
	}
	lo, carry = bits.Add64(lo, 0, carry)
	hi += carry
	binary.BigEndian.PutUint64(out[:8], hi)
	binary.BigEndian.PutUint64(out[8:], lo)
}

// kdfSHA2 is KDF-HMAC-SHA2 of RFC 8009 3 for at most one hash of n octets.
func kdfSHA2(dst []byte, h *hashFunc, key, label []byte, n int) []byte {
	in := make([]byte, 0, 16)
	in = append(in, 0, 0, 0, 1)
	in = append(in, label...)
	in = append(in, 0)
	in = binary.BigEndian.AppendUint32(in, uint32(8*n))
	m := newMAC(h, key)
	start := len(dst)
	dst = grow(dst, n)
	m.sum(dst[start:], in, nil)
	return dst
}
