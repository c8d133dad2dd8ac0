package krbcrypt

import (
	"crypto/rc4"
	"encoding/binary"
	"fmt"
	"io"
)

// messageType is the T of RFC 4757 3 for a key usage. The RFC's own table says
// 8 for a TGS-REP under a subkey; Windows and MIT use 9.
func messageType(usage uint32) [4]byte {
	switch usage {
	case 3:
		usage = 8
	case 23:
		usage = 13
	}
	var t [4]byte
	binary.LittleEndian.PutUint32(t[:], usage)
	return t
}

// deriveMD5 makes K2 of a usage, or the Ksign that every usage shares (RFC 4757 4).
func (k *Key) deriveMD5(usage uint32, p purpose) mac {
	base := newMAC(&md5Hash, k.Value)
	derived := make([]byte, rc4HMAC.size)
	if p == forEncryption {
		t := messageType(usage)
		base.sum(derived, t[:], nil)
	} else {
		base.sum(derived, []byte("signaturekey\x00"), nil)
	}
	return newMAC(&md5Hash, derived)
}

// encryptRC4 fills out with checksum, confounder and ciphertext (RFC 4757 5).
func encryptRC4(k2 *mac, out, plain []byte, rand io.Reader) error {
	sum, body := out[:rc4HMAC.sum], out[rc4HMAC.sum:]
	if _, err := io.ReadFull(rand, body[:rc4HMAC.confound]); err != nil {
		return fmt.Errorf("confounder: %w", err)
	}
	copy(body[rc4HMAC.confound:], plain)
	k2.sum(sum, body, nil)
	streamRC4(k2, sum, body, body)
	return nil
}

// decryptRC4 fills body with confounder and plaintext.
func decryptRC4(k2 *mac, body, cipher []byte) bool {
	sum := cipher[:rc4HMAC.sum]
	streamRC4(k2, sum, body, cipher[rc4HMAC.sum:])
	return k2.verify(sum, body, nil)
}

// streamRC4 runs RC4 with the key K3, which is the HMAC of a message's checksum.
func streamRC4(k2 *mac, sum, dst, src []byte) {
	h := k2.hash.get()
	c, err := rc4.NewCipher(k2.compute(h, sum, nil))
	k2.hash.idle.Put(h)
	if err != nil {
		panic(err) // a hash is a valid key
	}
	c.XORKeyStream(dst, src)
}

// sumMD5 fills out with the checksum of RFC 4757 4: the hash of type and data,
// signed.
func sumMD5(ksign *mac, out, data []byte, usage uint32) {
	h := md5Hash.get()
	t := h.pad[:4]
	mt := messageType(usage)
	copy(t, mt[:])
	h.Write(t)
	h.Write(data)
	digest := h.Sum(h.pad[:0])
	copy(out, ksign.compute(h, digest, nil))
	md5Hash.idle.Put(h)
}
