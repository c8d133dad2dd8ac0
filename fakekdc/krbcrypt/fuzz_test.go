package krbcrypt

import (
	"bytes"
	"errors"
	"testing"
)

// FuzzDecrypt feeds what a peer can send to every encryption type: nothing that the key did not make is believed, and what it made comes
// back whole, whatever its length.
func FuzzDecrypt(f *testing.F) {
	etypes := []int32{AES256SHA1, AES128SHA1, AES256SHA384, AES128SHA256, RC4HMAC}
	f.Fuzz(func(t *testing.T, b []byte, usage uint32) {
		for _, etype := range etypes {
			k := testKey(t, etype)
			before := []byte("before")
			if plain, err := k.Decrypt(before, b, usage); !errors.Is(err, ErrIntegrity) || plain != nil {
				t.Errorf("etype %d: got %x, %v, want ErrIntegrity", etype, plain, err)
			}
			if err := k.VerifyChecksum(k.ChecksumType(), b, b, usage); !errors.Is(err, ErrIntegrity) {
				t.Errorf("etype %d: checksum: got %v, want ErrIntegrity", etype, err)
			}
			cipher, err := k.Encrypt(nil, b, usage, stream(1))
			if err != nil || len(cipher) != k.CipherSize(len(b)) {
				t.Fatalf("etype %d: got %d octets, %v, want %d", etype, len(cipher), err, k.CipherSize(len(b)))
			}
			if plain, err := k.Decrypt(before, cipher, usage); err != nil || !bytes.Equal(plain, append([]byte("before"), b...)) {
				t.Errorf("etype %d: got %x, %v, want what was encrypted", etype, plain, err)
			}
			if err := k.VerifyChecksum(k.ChecksumType(), k.Checksum(nil, b, usage), b, usage); err != nil {
				t.Errorf("etype %d: own checksum: %v", etype, err)
			}
		}
	})
}
