package krbcrypt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/crypto/rfc3961"
	"github.com/jcmturner/gokrb5/v8/types"
)

var etypes = []int32{AES128SHA1, AES256SHA1, AES128SHA256, AES256SHA384, RC4HMAC}

// stream is a repeatable source of randomness.
func stream(seed byte) io.Reader { return rand.NewChaCha8([32]byte{seed}) }

func testKey(t testing.TB, etype int32) *Key {
	t.Helper()
	k, err := RandomKey(etype, stream(byte(etype)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// octets is n octets that differ.
func octets(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7)
	}
	return b
}

// gokrb5 is the judge, in both directions. Key usage 9 of RC4 is left out: gokrb5 follows
// the RFC's table there, see messageType.
func TestAgreesWithGokrb5(t *testing.T) {
	lengths := []int{255, 256, 257, 800, 1023, 1024, 1200, 4096, 65536}
	for n := range 200 {
		lengths = append(lengths, n)
	}
	for _, etype := range etypes {
		t.Run(fmt.Sprint(etype), func(t *testing.T) {
			t.Parallel()
			k := testKey(t, etype)
			theirs, err := crypto.GetEtype(etype)
			if err != nil {
				t.Fatal(err)
			}
			random := stream(1)
			for i, n := range lengths {
				usage := []uint32{1, 2, 3, 7, 8, 11, 12, 22, 23, 24}[i%10]
				plain := octets(n)
				ours, err := k.Encrypt([]byte("head"), plain, usage, random)
				if err != nil {
					t.Fatal(err)
				}
				if want := 4 + k.CipherSize(n); len(ours) != want {
					t.Fatalf("%d octets encrypted: got %d octets, want %d", n, len(ours), want)
				}
				got, err := theirs.DecryptMessage(k.Value, bytes.Clone(ours[4:]), usage)
				if err != nil || !bytes.Equal(got, plain) {
					t.Fatalf("gokrb5 decrypts %d octets of usage %d: got %x, %v", n, usage, got, err)
				}
				_, cipher, err := theirs.EncryptMessage(k.Value, bytes.Clone(plain), usage)
				if err != nil {
					t.Fatal(err)
				}
				sent := bytes.Clone(cipher)
				got, err = k.Decrypt([]byte("head"), cipher, usage)
				if err != nil || !bytes.Equal(got, append([]byte("head"), plain...)) {
					t.Fatalf("decrypt gokrb5's %d octets of usage %d: got %x, %v", n, usage, got, err)
				}
				if !bytes.Equal(cipher, sent) {
					t.Fatalf("decrypting %d octets changed the ciphertext", n)
				}
				sum, err := theirs.GetChecksumHash(k.Value, plain, usage)
				if err != nil {
					t.Fatal(err)
				}
				if got := k.Checksum(nil, plain, usage); !bytes.Equal(got, sum) || len(got) != k.ChecksumSize() {
					t.Fatalf("checksum of %d octets, usage %d: got %x, want %x", n, usage, got, sum)
				}
				if err := k.VerifyChecksum(theirs.GetHashID(), sum, plain, usage); err != nil {
					t.Fatalf("verify gokrb5's checksum of %d octets: %v", n, err)
				}
			}
		})
	}
}

func TestFoldLabelAgreesWithGokrb5(t *testing.T) {
	for usage := range 600 {
		for _, c := range []byte{constEncryption, constIntegrity, constChecksum} {
			label := [5]byte{byte(usage >> 24), byte(usage >> 16), byte(usage >> 8), byte(usage), c}
			var got [16]byte
			foldLabel(&got, &label)
			if want := rfc3961.Nfold(label[:], 128); !bytes.Equal(got[:], want) {
				t.Fatalf("usage %d, constant %#x: got %x, want %x", usage, c, got, want)
			}
		}
	}
}

func TestRC4StringToKeyAgreesWithGokrb5(t *testing.T) {
	e, err := crypto.GetEtype(RC4HMAC)
	if err != nil {
		t.Fatal(err)
	}
	// ASCII only: gokrb5 counts octets where it should count characters.
	for _, password := range []string{"Passw0rd!", strings.Repeat("long ", 60)} {
		want, err := e.StringToKey(password, "CONTOSO.COMalice", e.GetDefaultStringToKeyParams())
		if err != nil {
			t.Fatal(err)
		}
		got, err := StringToKey(RC4HMAC, password, "CONTOSO.COMalice")
		if err != nil || !bytes.Equal(got.Value, want) {
			t.Errorf("%q: got %x, %v, want %x", password, got.Value, err, want)
		}
	}
}

func TestFlippedBitIsNoticed(t *testing.T) {
	for _, etype := range etypes {
		k := testKey(t, etype)
		cipher, err := k.Encrypt(nil, octets(37), 2, stream(2))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 8 * len(cipher) {
			bad := bytes.Clone(cipher)
			bad[i/8] ^= 1 << (i % 8)
			if got, err := k.Decrypt(nil, bad, 2); !errors.Is(err, ErrIntegrity) || got != nil {
				t.Fatalf("etype %d, bit %d: got %x, %v, want %v", etype, i, got, err, ErrIntegrity)
			}
		}
		if _, err := k.Decrypt(nil, cipher, 3); !errors.Is(err, ErrIntegrity) {
			t.Errorf("etype %d, another usage: got %v, want %v", etype, err, ErrIntegrity)
		}
		for n := range len(cipher) {
			if _, err := k.Decrypt(nil, cipher[:n], 2); !errors.Is(err, ErrIntegrity) {
				t.Fatalf("etype %d, cut to %d octets: got %v, want %v", etype, n, err, ErrIntegrity)
			}
		}
		sum := k.Checksum(nil, octets(37), 17)
		for i := range 8 * len(sum) {
			bad := bytes.Clone(sum)
			bad[i/8] ^= 1 << (i % 8)
			if err := k.VerifyChecksum(k.ChecksumType(), bad, octets(37), 17); !errors.Is(err, ErrIntegrity) {
				t.Fatalf("etype %d, checksum bit %d: got %v, want %v", etype, i, err, ErrIntegrity)
			}
		}
		for n := range len(sum) {
			if err := k.VerifyChecksum(k.ChecksumType(), sum[:n], octets(37), 17); !errors.Is(err, ErrIntegrity) {
				t.Fatalf("etype %d, checksum cut to %d octets: got %v, want %v", etype, n, err, ErrIntegrity)
			}
		}
	}
}

func TestChecksumTypes(t *testing.T) {
	aes, nt := testKey(t, AES256SHA1), testKey(t, RC4HMAC)
	data := octets(100)
	md5 := aes.ChecksumMD5(nil, data, 17)
	if err := aes.VerifyChecksum(ChecksumHMACMD5, md5, data, 17); err != nil {
		t.Errorf("HMAC-MD5 with an AES key: %v", err)
	}
	if got, want := nt.ChecksumMD5(nil, data, 17), nt.Checksum(nil, data, 17); !bytes.Equal(got, want) {
		t.Errorf("HMAC-MD5 with an RC4 key: got %x, want %x", got, want)
	}
	if err := nt.VerifyChecksum(ChecksumAES256SHA1, aes.Checksum(nil, data, 17), data, 17); !errors.Is(err, ErrChecksumType) {
		t.Errorf("AES checksum with an RC4 key: got %v, want %v", err, ErrChecksumType)
	}
	if err := aes.VerifyChecksum(1, []byte{1, 2, 3, 4}, data, 17); !errors.Is(err, ErrChecksumType) {
		t.Errorf("CRC32: got %v, want %v", err, ErrChecksumType)
	}
}

func TestKeySizes(t *testing.T) {
	for _, etype := range etypes {
		n := KeySize(etype)
		if _, err := NewKey(etype, make([]byte, n)); err != nil {
			t.Errorf("etype %d: %v", etype, err)
		}
		for _, bad := range []int{0, n - 1, n + 1} {
			if _, err := NewKey(etype, make([]byte, bad)); !errors.Is(err, ErrKeySize) {
				t.Errorf("etype %d, %d octets: got %v, want %v", etype, bad, err, ErrKeySize)
			}
		}
	}
	// gokrb5 says 24 octets for this one; MIT refuses such keys.
	if got := KeySize(AES256SHA384); got != 32 {
		t.Errorf("key size of aes256-cts-hmac-sha384-192: got %d, want 32", got)
	}
	for _, etype := range []int32{0, 1, 3, 16, 24, -1} {
		if _, err := NewKey(etype, make([]byte, 16)); !errors.Is(err, ErrEType) || Supported(etype) {
			t.Errorf("etype %d: got %v, want %v", etype, err, ErrEType)
		}
		if _, err := RandomKey(etype, stream(1)); !errors.Is(err, ErrEType) {
			t.Errorf("random key of etype %d: got %v, want %v", etype, err, ErrEType)
		}
		if _, err := StringToKey(etype, "x", "y"); !errors.Is(err, ErrEType) {
			t.Errorf("string-to-key of etype %d: got %v, want %v", etype, err, ErrEType)
		}
	}
}

func TestRandomnessRunsDry(t *testing.T) {
	for _, etype := range etypes {
		k := testKey(t, etype)
		if _, err := k.Encrypt(nil, octets(5), 1, strings.NewReader("short")); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("encrypt: got %v, want %v", err, io.ErrUnexpectedEOF)
		}
		if _, err := RandomKey(etype, strings.NewReader("short")); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("random key: got %v, want %v", err, io.ErrUnexpectedEOF)
		}
	}
}

func TestSameRandomnessSameCiphertext(t *testing.T) {
	for _, etype := range etypes {
		a, err := testKey(t, etype).Encrypt(nil, octets(50), 2, stream(9))
		if err != nil {
			t.Fatal(err)
		}
		b, err := testKey(t, etype).Encrypt(nil, octets(50), 2, stream(9))
		if err != nil || !bytes.Equal(a, b) {
			t.Errorf("etype %d: got %x, %v, want %x", etype, b, err, a)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	for _, etype := range etypes {
		k := testKey(t, etype)
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				random := stream(byte(g))
				for i := range 50 {
					usage := uint32(1 + i%12)
					cipher, err := k.Encrypt(nil, octets(i), usage, random)
					if err != nil {
						t.Error(err)
						return
					}
					if got, err := k.Decrypt(nil, cipher, usage); err != nil || !bytes.Equal(got, octets(i)) {
						t.Errorf("etype %d: got %x, %v", etype, got, err)
						return
					}
					if err := k.VerifyChecksum(k.ChecksumType(), k.Checksum(nil, cipher, usage), cipher, usage); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
	}
}

func TestNoAllocationsWhenKeysAreKnown(t *testing.T) {
	plain, random := octets(800), stream(3)
	for _, etype := range []int32{AES128SHA1, AES256SHA1, AES128SHA256, AES256SHA384} {
		k := testKey(t, etype)
		buf, back := make([]byte, 0, 1000), make([]byte, 0, 1000)
		run := func() {
			cipher, err := k.Encrypt(buf, plain, 2, random)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := k.Decrypt(back, cipher, 2); err != nil {
				t.Fatal(err)
			}
			k.Checksum(back, plain, 17)
		}
		// The least of many runs: the race detector lets pools forget one time in four.
		got := testing.AllocsPerRun(1, run)
		for range 200 {
			got = min(got, testing.AllocsPerRun(1, run))
		}
		if got > 0 {
			t.Errorf("etype %d: got %v allocations, want 0", etype, got)
		}
	}
}

func BenchmarkEncrypt(b *testing.B) {
	for _, etype := range []int32{AES256SHA1, RC4HMAC} {
		for _, n := range []int{28, 200, 300, 1200} {
			plain := octets(n)
			b.Run(fmt.Sprintf("etype=%d/octets=%d/own", etype, n), func(b *testing.B) {
				k, random := testKey(b, etype), stream(1)
				buf := make([]byte, 0, 1300)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := k.Encrypt(buf, plain, 3, random); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(fmt.Sprintf("etype=%d/octets=%d/gokrb5", etype, n), func(b *testing.B) {
				e, err := crypto.GetEtype(etype)
				if err != nil {
					b.Fatal(err)
				}
				k := testKey(b, etype)
				b.ReportAllocs()
				for b.Loop() {
					if _, _, err := e.EncryptMessage(k.Value, plain, 3); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkDecrypt(b *testing.B) {
	for _, n := range []int{28, 300, 1200} {
		k := testKey(b, AES256SHA1)
		cipher, err := k.Encrypt(nil, octets(n), 2, stream(1))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("octets=%d/own", n), func(b *testing.B) {
			buf := make([]byte, 0, 1300)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := k.Decrypt(buf, cipher, 2); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("octets=%d/gokrb5", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := crypto.DecryptMessage(cipher, types.EncryptionKey{KeyType: k.EType, KeyValue: k.Value}, 2); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkChecksum(b *testing.B) {
	for _, n := range []int{20, 800, 1200} {
		k, data := testKey(b, AES256SHA1), octets(n)
		b.Run(fmt.Sprintf("octets=%d/own", n), func(b *testing.B) {
			buf := make([]byte, 0, 32)
			b.ReportAllocs()
			for b.Loop() {
				k.Checksum(buf, data, 17)
			}
		})
		b.Run(fmt.Sprintf("octets=%d/gokrb5", n), func(b *testing.B) {
			e, err := crypto.GetEtype(k.EType)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.GetChecksumHash(k.Value, data, 17); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkNewSession is a key never seen before, used for one message.
func BenchmarkNewSession(b *testing.B) {
	value, plain, random := testKey(b, AES256SHA1).Value, octets(200), stream(1)
	buf := make([]byte, 0, 300)
	b.ReportAllocs()
	for b.Loop() {
		k, err := NewKey(AES256SHA1, value)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := k.Encrypt(buf, plain, 8, random); err != nil {
			b.Fatal(err)
		}
	}
}
