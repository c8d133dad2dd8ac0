package krbcrypt

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatalf("hex %q: %v", s, err)
	}
	return b
}

// RFC 3962 appendix B: CBC with ciphertext stealing, zero IV.
func TestCiphertextStealingVectors(t *testing.T) {
	block := newBlock([]byte("chicken teriyaki"))
	plain := []byte("I would like the General Gau's Chicken, please, and wonton soup.")
	for _, want := range []string{
		"c6353568f2bf8cb4d8a580362da7ff7f97",
		"fc00783e0efdb2c1d445d4c8eff7ed2297687268d6ecccc0c07b25e25ecfe5",
		"39312523a78662d5be7fcbcc98ebf5a897687268d6ecccc0c07b25e25ecfe584",
		"97687268d6ecccc0c07b25e25ecfe584b3fffd940c16a18c1b5549d2f838029e39312523a78662d5be7fcbcc98ebf5",
		"97687268d6ecccc0c07b25e25ecfe5849dad8bbb96c4cdc03bc103e1a194bbd839312523a78662d5be7fcbcc98ebf5a8",
		"97687268d6ecccc0c07b25e25ecfe58439312523a78662d5be7fcbcc98ebf5a84807efe836ee89a526730dbc2f7bc8409dad8bbb96c4cdc03bc103e1a194bbd8",
	} {
		n := len(want) / 2
		got := bytes.Clone(plain[:n])
		encryptCTS(block, got)
		if hex.EncodeToString(got) != want {
			t.Errorf("%d octets: got %x, want %s", n, got, want)
		}
		decryptCTS(block, got)
		if !bytes.Equal(got, plain[:n]) {
			t.Errorf("%d octets decrypted: got %q, want %q", n, got, plain[:n])
		}
	}
}

// RFC 3962 appendix B: PBKDF2 and the key made of it. The vectors have their own
// numbers of rounds.
func TestStringToKeyVectorsSHA1(t *testing.T) {
	x64 := string(bytes.Repeat([]byte("X"), 64))
	for _, v := range []struct {
		rounds                         int64
		password, salt, aes128, aes256 string
	}{
		{1, "password", "ATHENA.MIT.EDUraeburn", "42263c6e89f4fc28b8df68ee09799f15", "fe697b52bc0d3ce14432ba036a92e65bbb52280990a2fa27883998d72af30161"},
		{2, "password", "ATHENA.MIT.EDUraeburn", "c651bf29e2300ac27fa469d693bdda13", "a2e16d16b36069c135d5e9d2e25f896102685618b95914b467c67622225824ff"},
		{1200, "password", "ATHENA.MIT.EDUraeburn", "4c01cd46d632d01e6dbe230a01ed642a", "55a6ac740ad17b4846941051e1e8b0a7548d93b0ab30a8bc3ff16280382b8c2a"},
		{5, "password", "\x124VxxV4\x12", "e9b23d52273747dd5c35cb55be619d8e", "97a4e786be20d81a382d5ebc96d5909cabcdadc87ca48f574504159f16c36e31"},
		{1200, x64, "pass phrase equals block size", "59d1bb789a828b1aa54ef9c2883f69ed", "89adee3608db8bc71f1bfbfe459486b05618b70cbae22092534e56c553ba4b34"},
		{1200, x64 + "X", "pass phrase exceeds block size", "cb8005dc5f90179a7f02104c0018751d", "d78c5c9cb872a8c9dad4697f0bb5b2d21496c82beb2caeda2112fceea057401b"},
		{50, "\U0001d11e", "EXAMPLE.COMpianist", "f149c1f2e154a73452d43e7fe62a56e5", "4b6d9839f84406df1f09cc166db4b83c571848b784a3d6bdc346589a3e393f9e"},
	} {
		for _, c := range []struct {
			p    *profile
			want string
		}{{&aes128SHA1, v.aes128}, {&aes256SHA1, v.aes256}} {
			k, err := stringToKeySHA1(c.p, stretchSHA1(v.password, v.salt, v.rounds))
			if err != nil {
				t.Fatal(err)
			}
			if got := hex.EncodeToString(k.Value); got != c.want {
				t.Errorf("%d rounds, salt %q, etype %d: got %s, want %s", v.rounds, v.salt, c.p.etype, got, c.want)
			}
		}
	}
}

// RFC 8009 appendix A.
func TestStringToKeyVectorsSHA2(t *testing.T) {
	salt := string(unhex(t, "10df9dd783e5bc8acea1730e74355f61")) + "ATHENA.MIT.EDUraeburn"
	for etype, want := range map[int32]string{
		AES128SHA256: "089bca48b105ea6ea77ca5d2f39dc5e7",
		AES256SHA384: "45bd806dbf6a833a9cffc1c94589a222367a79bc21c413718906e9f578a78467",
	} {
		k, err := StringToKey(etype, "password", salt)
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(k.Value); got != want {
			t.Errorf("etype %d: got %s, want %s", etype, got, want)
		}
	}
}

// RFC 8009 appendix A: key derivation, encryption with a given confounder, checksum; key usage 2.
func TestEncryptionVectorsSHA2(t *testing.T) {
	const message = "000102030405060708090a0b0c0d0e0f1011121314"
	for _, v := range []struct {
		etype              int32
		key, kc, ke, ki    string
		checksum           string
		confounder, cipher [4]string // of the first 0, 6, 16 and 21 octets of message
	}{
		{
			AES128SHA256, "3705d96080c17728a0e800eab6e0d23c",
			"b31a018a48f54776f403e9a396325dc3", "9b197dd1e8c5609d6e67c3e37c62c72e", "9fda0e56ab2d85e1569a688696c26a6c",
			"d78367186643d67b411cba9139fc1dee",
			[4]string{"7e5895eaf2672435bad817f545a37148", "7bca285e2fd4130fb55b1a5c83bc5b24", "56ab21713ff62c0a1457200f6fa9948f", "a7a4e29a4728ce10664fb64e49ad3fac"},
			[4]string{
				"ef85fb890bb8472f4dab20394dca781dad877eda39d50c870c0d5a0a8e48c718",
				"84d7f30754ed987bab0bf3506beb09cfb55402cef7e6877ce99e247e52d16ed4421dfdf8976c",
				"3517d640f50ddc8ad3628722b3569d2ae07493fa8263254080ea65c1008e8fc295fb4852e7d83e1e7c48c37eebe6b0d3",
				"720f73b18d9859cd6ccb4346115cd336c70f58edc0c4437c5573544c31c813bce1e6d072c186b39a413c2f92ca9b8334a287ffcbfc",
			},
		},
		{
			AES256SHA384, "6d404d37faf79f9df0d33568d320669800eb4836472ea8a026d16b7182460c52",
			"ef5718be86cc84963d8bbb5031e9f5c4ba41f28faf69e73d", "56ab22bee63d82d7bc5227f6773f8ea7a5eb1c825160c38312980c442e5c7e49", "69b16514e3cd8e56b82010d5c73012b622c4d00ffc23ed1f",
			"45ee791567eefca37f4ac1e0222de80d43c3bfa06699672a",
			[4]string{"f764e9fa15c276478b2c7d0c4e5f58e4", "b80d3251c1f6471494256ffe712d0b9a", "53bf8a0d105265d4e276428624ce5e63", "763e65367e864f02f55153c7e3b58af1"},
			[4]string{
				"41f53fa5bfe7026d91faf9be959195a058707273a96a40f0a01960621ac612748b9bbfbe7eb4ce3c",
				"4ed7b37c2bcac8f74f23c1cf07e62bc7b75fb3f637b9f559c7f664f69eab7b6092237526ea0d1f61cb20d69d10f2",
				"bc47ffec7998eb91e8115cf8d19dac4bbbe2e163e87dd37f49beca92027764f68cf51f14d798c2273f35df574d1f932e40c4ff255b36a266",
				"40013e2df58e8751957d2878bcd2d6fe101ccfd556cb1eae79db3c3ee86429f2b2a602ac86fef6ecb647d6295fae077a1feb517508d2c16b4192e01f62",
			},
		},
	} {
		k, err := NewKey(v.etype, unhex(t, v.key))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			constant byte
			want     string
		}{{constChecksum, v.kc}, {constEncryption, v.ke}, {constIntegrity, v.ki}} {
			if got := k.deriveAES(nil, 2, c.constant, len(c.want)/2); hex.EncodeToString(got) != c.want {
				t.Errorf("etype %d, derived key %#x: got %x, want %s", v.etype, c.constant, got, c.want)
			}
		}
		if got := k.Checksum(nil, unhex(t, message), 2); hex.EncodeToString(got) != v.checksum {
			t.Errorf("etype %d, checksum: got %x, want %s", v.etype, got, v.checksum)
		}
		for i, n := range []int{0, 6, 16, 21} {
			got, err := k.Encrypt(nil, unhex(t, message)[:n], 2, bytes.NewReader(unhex(t, v.confounder[i])))
			if err != nil || hex.EncodeToString(got) != v.cipher[i] {
				t.Errorf("etype %d, %d octets: got %x, %v, want %s", v.etype, n, got, err, v.cipher[i])
			}
		}
	}
}

// testdata/gmsa_kerberos_keys.json: passwords of managed accounts from published
// samples; its AES keys were computed by gokrb5 and MIT's libkrb5 1.20.1, which agree.
func TestManagedPasswordVectors(t *testing.T) {
	raw, err := os.ReadFile("testdata/gmsa_kerberos_keys.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors []struct {
			Name     string `json:"name"`
			UTF16LE  string `json:"password_utf16le"`
			UTF8     string `json:"password_utf8"`
			Salt     string `json:"salt"`
			RC4      string `json:"rc4_hmac"`
			AES128   string `json:"aes128_cts_hmac_sha1_96"`
			AES256   string `json:"aes256_cts_hmac_sha1_96"`
			Rounds   int    `json:"iterations"`
			Replaced int    `json:"replacement_chars"`
		} `json:"vectors"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) == 0 {
		t.Fatal("no vectors")
	}
	cache := NewCache(10)
	for _, v := range file.Vectors {
		if v.Rounds != roundsSHA1 {
			t.Fatalf("%s: %d rounds, the default is %d", v.Name, v.Rounds, roundsSHA1)
		}
		if got := hex.EncodeToString(NTKey(unhex(t, v.UTF16LE)).Value); got != v.RC4 {
			t.Errorf("%s: RC4 key: got %s, want %s", v.Name, got, v.RC4)
		}
		for etype, want := range map[int32]string{AES128SHA1: v.AES128, AES256SHA1: v.AES256} {
			password := string(unhex(t, v.UTF8))
			for _, derive := range []func(int32, string, string) (*Key, error){StringToKey, cache.StringToKey} {
				k, err := derive(etype, password, v.Salt)
				if err != nil {
					t.Fatal(err)
				}
				if got := hex.EncodeToString(k.Value); got != want {
					t.Errorf("%s: etype %d: got %s, want %s", v.Name, etype, got, want)
				}
			}
		}
	}
}
