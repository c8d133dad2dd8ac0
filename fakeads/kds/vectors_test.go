package kds

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// hexBytes is a JSON string of hexadecimal digits.
type hexBytes []byte

func (h *hexBytes) UnmarshalText(t []byte) error {
	*h = make([]byte, hex.DecodedLen(len(t)))
	_, err := hex.Decode(*h, t)
	return err
}

// gkid is a JSON array [L0, L1, L2].
type gkid [3]int32

func (g gkid) interval() Interval { return Interval{g[0], g[1], g[2]} }

// guid is a GUID in its string form.
type guid struct{ security.GUID }

func (g *guid) UnmarshalText(t []byte) (err error) {
	g.GUID, err = security.ParseGUID(string(t))
	return err
}

// readVectors reads testdata/vectors/name.json.
func readVectors(t testing.TB, name string, into any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "vectors", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func TestIntervalVectors(t *testing.T) {
	var v struct {
		Intervals []struct {
			Filetime, Start uint64
			GKID            gkid
		}
		Rollover []struct {
			Days  int
			Ticks uint64
		}
		Rejected []int `json:"rollover_rejected_days"`
	}
	readVectors(t, "gkdi_intervals", &v)
	for _, c := range v.Intervals {
		iv := FILETIME(c.Filetime).Interval()
		if iv != c.GKID.interval() {
			t.Errorf("interval of %d: got %v, want %v", c.Filetime, iv, c.GKID)
		}
		if got := uint64(iv.Filetime()); got != c.Start {
			t.Errorf("start of %v: got %d, want %d", iv, got, c.Start)
		}
		if got := IntervalAt(FILETIME(c.Filetime).Time()); got != iv {
			t.Errorf("interval at %v: got %v, want %v", FILETIME(c.Filetime).Time(), got, iv)
		}
		if !iv.Valid() {
			t.Errorf("%v: not valid", iv)
		}
	}
	for _, c := range v.Rollover {
		n, err := Rollover(c.Days)
		if got := uint64(n) * ticksPerCycle; err != nil || got != c.Ticks {
			t.Errorf("roll-over of %d days: got %d ticks, %v, want %d", c.Days, got, err, c.Ticks)
		}
	}
	for _, days := range v.Rejected {
		if n, err := Rollover(days); !errors.Is(err, ErrInvalidArgument) {
			t.Errorf("roll-over of %d days: got %d, %v, want a refusal", days, n, err)
		}
	}
}

func TestSeedKeyVectors(t *testing.T) {
	var v struct {
		Vectors []struct {
			Name               string
			RootKeyID          guid     `json:"root_key_id"`
			Hash               string   `json:"kdf_hash"`
			RootKeyData        hexBytes `json:"root_key_data"`
			SecurityDescriptor hexBytes `json:"security_descriptor"`
			SeedKey            hexBytes `json:"seed_key"`
			GKID               gkid
		}
		MustFail []struct {
			Name, Status, KDF string
			Version           int      `json:"root_key_version"`
			RootKeyData       hexBytes `json:"root_key_data"`
			GKID              gkid
		} `json:"must_fail"`
	}
	readVectors(t, "gkdi_seed_keys", &v)
	if len(v.Vectors) != 13 || len(v.MustFail) != 13 {
		t.Fatalf("got %d derivations and %d refusals, want 13 of each", len(v.Vectors), len(v.MustFail))
	}
	for _, c := range v.Vectors {
		t.Run(c.Name, func(t *testing.T) {
			k := &RootKey{ID: c.RootKeyID.GUID, Version: 1, Data: c.RootKeyData, Hash: c.Hash}
			var got []byte
			var err error
			if c.GKID[1] < 0 {
				got, err = L0Key(k, c.GKID[0])
			} else {
				if !bytes.Equal(c.SecurityDescriptor, TargetSD()) {
					t.Fatalf("target descriptor: got %x, want %x", TargetSD(), c.SecurityDescriptor)
				}
				got, err = GroupKey(k, c.GKID.interval(), c.SecurityDescriptor)
			}
			if err != nil || !bytes.Equal(got, c.SeedKey) {
				t.Errorf("seed key: got %x, %v, want %x", got, err, []byte(c.SeedKey))
			}
		})
	}
	class := map[string]error{"NT_STATUS_NOT_SUPPORTED": ErrBadKey, "NT_STATUS_INVALID_PARAMETER": ErrInvalidArgument}
	for _, c := range v.MustFail {
		t.Run(c.Name, func(t *testing.T) {
			k := &RootKey{Version: c.Version, Data: c.RootKeyData, Hash: c.KDF}
			key, err := GroupKey(k, c.GKID.interval(), TargetSD())
			if want := class[c.Status]; want == nil || !errors.Is(err, want) {
				t.Errorf("got %x, %v, want %v", key, err, want)
			}
		})
	}
}

func TestPasswordVectors(t *testing.T) {
	var v struct {
		SecurityDescriptor hexBytes `json:"security_descriptor"`
		Vectors            []struct {
			Name              string
			RootKeyID         guid     `json:"root_key_id"`
			Hash              string   `json:"kdf_hash"`
			RootKeyData       hexBytes `json:"root_key_data"`
			GKID              *gkid
			Filetime          uint64
			ManagedPasswordID hexBytes `json:"managed_password_id"`
			PreviousChange    uint64   `json:"previous_change_filetime"`
			Effective         uint64   `json:"effective_filetime"`
			Days              int      `json:"interval_days"`
			SID               string
			Password          hexBytes `json:"password_utf16le"`
			NTHash            hexBytes `json:"nt_hash"`
		}
	}
	readVectors(t, "gmsa_password", &v)
	if !bytes.Equal(v.SecurityDescriptor, TargetSD()) {
		t.Errorf("target descriptor: got %x, want %x", TargetSD(), []byte(v.SecurityDescriptor))
	}
	for _, c := range v.Vectors {
		t.Run(c.Name, func(t *testing.T) {
			k := &RootKey{ID: c.RootKeyID.GUID, Version: 1, Data: c.RootKeyData, Hash: c.Hash}
			sid := security.MustSID(c.SID)
			service := &Service{Keys: []*RootKey{k}, Cache: NewCache(0)}
			id := &ManagedPasswordID{Flags: EnvelopeEncrypts, RootKeyID: k.ID}
			var err error
			switch {
			case c.GKID != nil:
				id.Interval = c.GKID.interval()
			case c.ManagedPasswordID != nil:
				if id, err = ParseManagedPasswordID(c.ManagedPasswordID); err != nil {
					t.Fatal(err)
				}
			case c.Days != 0:
				id.Interval = FILETIME(c.PreviousChange).Interval()
				st, _, err := service.Roll(State{Days: c.Days, Current: id}, FILETIME(c.Effective).Time(), "", "")
				if err != nil {
					t.Fatal(err)
				}
				id = st.Current
			default:
				id.Interval = FILETIME(c.Filetime).Interval()
			}
			for range 2 { // derived, then remembered
				pw, err := service.Password(id, sid)
				if err != nil {
					t.Fatal(err)
				}
				if c.Password != nil && !bytes.Equal(pw, c.Password) {
					t.Errorf("password: got %x, want %x", pw, []byte(c.Password))
				}
				if hash := NTHash(pw); c.NTHash != nil && !bytes.Equal(hash[:], c.NTHash) {
					t.Errorf("NT hash: got %x, want %x", hash, []byte(c.NTHash))
				}
			}
		})
	}
}

func TestKerberosKeyVectors(t *testing.T) {
	var v struct {
		Vectors []struct {
			Name         string
			Password     hexBytes `json:"password_utf16le"`
			UTF8         hexBytes `json:"password_utf8"`
			Replacements int      `json:"replacement_chars"`
			RC4          hexBytes `json:"rc4_hmac"`
		}
	}
	readVectors(t, "gmsa_kerberos_keys", &v)
	if len(v.Vectors) == 0 {
		t.Fatal("no vectors")
	}
	for _, c := range v.Vectors {
		t.Run(c.Name, func(t *testing.T) {
			got := PasswordUTF8(c.Password)
			if got != string(c.UTF8) {
				t.Errorf("UTF-8: got %x, want %x", got, []byte(c.UTF8))
			}
			if n := strings.Count(got, "\uFFFD"); n != c.Replacements {
				t.Errorf("replacement characters: got %d, want %d", n, c.Replacements)
			}
			if hash := NTHash(c.Password); !bytes.Equal(hash[:], c.RC4) {
				t.Errorf("NT hash: got %x, want %x", hash, []byte(c.RC4))
			}
		})
	}
}

func TestManagedPasswordBlobVectors(t *testing.T) {
	var v struct {
		Vectors []struct {
			Name   string
			Blob   hexBytes
			Fields struct {
				Length         int
				PreviousOffset int    `json:"previous_offset"`
				Query          uint64 `json:"query_interval"`
				Unchanged      uint64 `json:"unchanged_interval"`
			}
			NTHash hexBytes `json:"nt_hash"`
			UTF8   hexBytes `json:"utf8_password_full"`
		}
	}
	readVectors(t, "managed_password_blob", &v)
	if len(v.Vectors) != 5 {
		t.Fatalf("got %d blobs, want 5", len(v.Vectors))
	}
	for _, c := range v.Vectors {
		t.Run(c.Name, func(t *testing.T) {
			b, err := ParseBlob(c.Blob)
			if err != nil {
				t.Fatal(err)
			}
			if got := uint64(b.Query / tick); got != c.Fields.Query {
				t.Errorf("query interval: got %d, want %d", got, c.Fields.Query)
			}
			if got := uint64(b.Unchanged / tick); got != c.Fields.Unchanged {
				t.Errorf("unchanged interval: got %d, want %d", got, c.Fields.Unchanged)
			}
			if b.Query-b.Unchanged != MaxClockSkew {
				t.Errorf("query - unchanged: got %v, want %v", b.Query-b.Unchanged, MaxClockSkew)
			}
			if len(b.Current) != PasswordSize {
				t.Errorf("password: got %d bytes, want %d", len(b.Current), PasswordSize)
			}
			if got, want := b.Previous != nil, c.Fields.PreviousOffset != 0; got != want {
				t.Errorf("previous password there: got %v, want %v", got, want)
			}
			if hash := NTHash(b.Current); c.NTHash != nil && !bytes.Equal(hash[:], c.NTHash) {
				t.Errorf("NT hash: got %x, want %x", hash, []byte(c.NTHash))
			}
			if c.UTF8 != nil && PasswordUTF8(b.Current) != string(c.UTF8) {
				t.Errorf("UTF-8: got %x, want %x", PasswordUTF8(b.Current), []byte(c.UTF8))
			}
			if got := b.Marshal(); !bytes.Equal(got, c.Blob) {
				t.Errorf("encoded again: got %x, want %x", got, []byte(c.Blob))
			}
		})
	}
}

func TestStructureVectors(t *testing.T) {
	var v struct {
		Vectors []struct {
			Type, Name string
			Hex        hexBytes
			Fields     struct {
				Flags                uint32
				GKID                 gkid
				RootKeyID            guid   `json:"root_key_id"`
				Domain               string `json:"domain_name"`
				Forest               string `json:"forest_name"`
				KDFAlgorithm         string `json:"kdf_algorithm"`
				Agreement            string `json:"secret_agreement_algorithm"`
				PrivateLen           uint32 `json:"private_key_len"`
				PublicLen            uint32 `json:"public_key_len"`
				L1Len                int    `json:"l1_key_len"`
				L2Len                int    `json:"l2_key_len"`
				Hash                 string
				Length               int
				KeyLength            int `json:"key_length"`
				AdditionalInfoLength int `json:"additional_info_len"`
			}
		}
		Requests []struct {
			Name string
			Hex  hexBytes
		} `json:"getkey_request_stub"`
		Response struct{ Hex hexBytes } `json:"getkey_response_error_stub"`
	}
	readVectors(t, "gkdi_blobs", &v)
	for _, c := range v.Vectors {
		t.Run(c.Name, func(t *testing.T) {
			var again []byte
			switch c.Type {
			case "KeyEnvelope":
				m, err := ParseManagedPasswordID(c.Hex)
				if err != nil {
					t.Fatal(err)
				}
				want := ManagedPasswordID{Flags: c.Fields.Flags, Interval: c.Fields.GKID.interval(), RootKeyID: c.Fields.RootKeyID.GUID,
					Domain: c.Fields.Domain, Forest: c.Fields.Forest}
				if len(m.Additional) != c.Fields.AdditionalInfoLength {
					t.Errorf("additional information: got %d bytes, want %d", len(m.Additional), c.Fields.AdditionalInfoLength)
				}
				if m.Flags != want.Flags || m.Interval != want.Interval || m.RootKeyID != want.RootKeyID || m.Domain != want.Domain || m.Forest != want.Forest {
					t.Errorf("got %+v, want %+v", *m, want)
				}
				again = m.Marshal()
			case "GroupKeyEnvelope":
				e, err := ParseGroupKeyEnvelope(c.Hex)
				if err != nil {
					t.Fatal(err)
				}
				if e.Flags != c.Fields.Flags || e.Interval != c.Fields.GKID.interval() || e.RootKeyID != c.Fields.RootKeyID.GUID ||
					e.Domain != c.Fields.Domain || e.Forest != c.Fields.Forest ||
					e.PrivateKeyLength != c.Fields.PrivateLen || e.PublicKeyLength != c.Fields.PublicLen {
					t.Errorf("got %+v, want %+v", e, c.Fields)
				}
				if c.Fields.KDFAlgorithm != "" && (e.KDFAlgorithm != KDFAlgorithm || e.SecretAgreementAlgorithm != c.Fields.Agreement ||
					len(e.L1Key) != c.Fields.L1Len || len(e.L2Key) != c.Fields.L2Len) {
					t.Errorf("got %+v, want %+v", e, c.Fields)
				}
				if p, err := ParseKDFParameters(e.KDFParameters); err != nil || p.Hash != "SHA512" {
					t.Errorf("hash: got %v, %v, want SHA512", p, err)
				}
				again = e.Marshal()
			case "KdfParameters":
				p, err := ParseKDFParameters(c.Hex)
				if err != nil || p.Hash != c.Fields.Hash {
					t.Fatalf("got %v, %v, want %s", p, err, c.Fields.Hash)
				}
				again = p.Marshal()
			case "FfcDhParameters":
				p, err := ParseFFCDHParameters(c.Hex)
				if err != nil || len(p.P) != c.Fields.KeyLength || len(p.G) != c.Fields.KeyLength || len(c.Hex) != c.Fields.Length {
					t.Fatalf("got %v, %v, want two numbers of %d bytes in %d", p, err, c.Fields.KeyLength, c.Fields.Length)
				}
				if d := DefaultFFCDHParameters(); !bytes.Equal(d.P, p.P) || !bytes.Equal(d.G, p.G) {
					t.Errorf("default parameters: got %x, want %x", d.Marshal(), []byte(c.Hex))
				}
				again = p.Marshal()
			default:
				t.Fatalf("unknown type %q", c.Type)
			}
			if !bytes.Equal(again, c.Hex) {
				t.Errorf("encoded again: got %x, want %x", again, []byte(c.Hex))
			}
		})
	}
	id := security.MustGUID("73294420-917f-416a-9ec3-86082afafb9e")
	wants := []*security.GUID{&id, nil}
	if len(v.Requests) != len(wants) {
		t.Fatalf("got %d GetKey requests, want %d", len(v.Requests), len(wants))
	}
	for i, c := range v.Requests {
		t.Run(c.Name, func(t *testing.T) {
			q, err := ParseGetKeyRequest(c.Hex)
			if err != nil {
				t.Fatal(err)
			}
			if (q.RootKeyID == nil) != (wants[i] == nil) || wants[i] != nil && *q.RootKeyID != *wants[i] {
				t.Errorf("root key: got %v, want %v", q.RootKeyID, wants[i])
			}
			if want := (Interval{-1, 1, 31}); q.Interval != want || !bytes.Equal(q.TargetSD, []byte{1, 2, 3, 4}) {
				t.Errorf("got %v, descriptor %x, want %v, 01020304", q.Interval, q.TargetSD, want)
			}
			if got := q.Marshal(); !bytes.Equal(got, c.Hex) {
				t.Errorf("encoded again: got %x, want %x", got, []byte(c.Hex))
			}
		})
	}
	a, err := ParseGetKeyResponse(v.Response.Hex)
	if err != nil || a.HRESULT != ErrInvalidArgument.HRESULT || a.Envelope != nil {
		t.Fatalf("error response: got %+v, %v, want 0x%08X", a, err, ErrInvalidArgument.HRESULT)
	}
	if got := a.Marshal(); !bytes.Equal(got, v.Response.Hex) {
		t.Errorf("error response encoded again: got %x, want %x", got, []byte(v.Response.Hex))
	}
}

func TestDirectoryValueVectors(t *testing.T) {
	var v struct {
		IDs map[string]struct {
			GKID           gkid
			RootKeyID      guid `json:"root_key_id"`
			Domain, Forest string
			Start          uint64 `json:"start_filetime"`
			Hex            hexBytes
		} `json:"managed_password_ids"`
		Facts struct {
			RollCycles int64  `json:"intelligence_roll_cycles"`
			PwdLastSet uint64 `json:"mirage_pwdLastSet"`
		}
	}
	readVectors(t, "directory_values", &v)
	ids := map[string]*ManagedPasswordID{}
	for name, c := range v.IDs {
		m, err := ParseManagedPasswordID(c.Hex)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		ids[name] = m
		if m.Flags != EnvelopeEncrypts || m.Interval != c.GKID.interval() || m.RootKeyID != c.RootKeyID.GUID || m.Domain != c.Domain || m.Forest != c.Forest {
			t.Errorf("%s: got %+v, want %+v", name, *m, c)
		}
		if got := uint64(m.Interval.Filetime()); got != c.Start {
			t.Errorf("%s: start %d, want %d", name, got, c.Start)
		}
		if got := m.Marshal(); !bytes.Equal(got, c.Hex) {
			t.Errorf("%s: encoded again: got %x, want %x", name, got, []byte(c.Hex))
		}
	}
	if got := ids["intelligence_cur"].Interval.Sub(ids["intelligence_prev"].Interval); got != v.Facts.RollCycles {
		t.Errorf("a real roll: got %d cycles, want %d", got, v.Facts.RollCycles)
	}
	if n, err := Rollover(30); n != v.Facts.RollCycles || err != nil {
		t.Errorf("30 days: got %d cycles, %v, want %d", n, err, v.Facts.RollCycles)
	}
	if got := FILETIME(v.Facts.PwdLastSet).Interval(); got != ids["mirage"].Interval {
		t.Errorf("interval of pwdLastSet: got %v, want %v", got, ids["mirage"].Interval)
	}
}

func TestAvailabilityVectors(t *testing.T) {
	var v struct {
		Now struct {
			GKID       gkid
			Start, End time.Time
		} `json:"interval_containing_now"`
		Cases []struct {
			Case              string
			Created           time.Time
			UseStart          time.Time `json:"use_start"`
			Interval          time.Time `json:"usable_interval_rule"`
			Strict            time.Time `json:"usable_strict10h_rule"`
			Samba             time.Time `json:"usable_strict10h5m_rule"`
			ExplicitKeyIDFrom time.Time `json:"explicit_key_id_rule_first_interval"`
		}
	}
	readVectors(t, "kds_availability", &v)
	if len(v.Cases) == 0 {
		t.Fatal("no cases")
	}
	if iv := v.Now.GKID.interval(); !iv.Start().Equal(v.Now.Start) || !iv.Add(1).Start().Equal(v.Now.End) {
		t.Errorf("%v: got %v to %v, want %v to %v", iv, iv.Start(), iv.Add(1).Start(), v.Now.Start, v.Now.End)
	}
	for _, c := range v.Cases {
		t.Run(c.Case, func(t *testing.T) {
			k := &RootKey{Version: 1, Data: make([]byte, KeySize), CreateTime: c.Created, UseStartTime: c.UseStart}
			for p, want := range map[Policy]time.Time{Strict10h: c.Strict, IntervalRule: c.Interval, Samba10h5m: c.Samba} {
				got := p.UsableAt(k)
				if !got.Equal(want) {
					t.Errorf("%v: usable at %v, want %v", p, got, want)
				}
				if _, err := Select([]*RootKey{k}, got, p); err != nil {
					t.Errorf("%v: at that moment: %v", p, err)
				}
				if !got.After(c.Created) {
					continue
				}
				if _, err := Select([]*RootKey{k}, got.Add(-1), p); !errors.Is(err, ErrNoKey) {
					t.Errorf("%v: a moment before: got %v, want %v", p, err, ErrNoKey)
				}
			}
			if got := k.FirstInterval().Start(); !got.Equal(c.ExplicitKeyIDFrom) {
				t.Errorf("first interval by id: got %v, want %v", got, c.ExplicitKeyIDFrom)
			}
		})
	}
}

// Windows protected these blobs under keys of its own; they open only if every
// step from the root key down is right.
func TestDPAPINGVectors(t *testing.T) {
	var v struct {
		Vectors []struct {
			Name          string
			Version       int
			RootKeyID     guid `json:"RootKeyId"`
			KdfParameters hexBytes
			RootKeyData   hexBytes
			Data          hexBytes
		}
	}
	readVectors(t, "dpapi_ng_windows", &v)
	if len(v.Vectors) != 4 {
		t.Fatalf("got %d blobs, want 4", len(v.Vectors))
	}
	for _, c := range v.Vectors {
		t.Run(c.Name, func(t *testing.T) {
			p, err := ParseKDFParameters(c.KdfParameters)
			if err != nil {
				t.Fatal(err)
			}
			if again := p.Marshal(); !bytes.Equal(again, c.KdfParameters) {
				t.Errorf("KDF parameters encoded again: got %x, want %x", again, []byte(c.KdfParameters))
			}
			m := parseProtected(t, c.Data)
			id, err := ParseManagedPasswordID(m.keyID)
			if err != nil {
				t.Fatal(err)
			}
			if again := id.Marshal(); !bytes.Equal(again, m.keyID) {
				t.Errorf("key envelope encoded again: got %x, want %x", again, m.keyID)
			}
			if id.RootKeyID != c.RootKeyID.GUID {
				t.Fatalf("root key: got %v, want %v", id.RootKeyID, c.RootKeyID.GUID)
			}
			// The descriptor of a SID protector: whom it names may have the key,
			// everyone may have the public one.
			sd := security.MustSDDL("O:SYG:SYD:(A;;CCDC;;;" + m.sid + ")(A;;DC;;;WD)").MarshalOwnerLast()
			k := &RootKey{ID: id.RootKeyID, Version: c.Version, Data: c.RootKeyData, Hash: p.Hash}
			l2, err := GroupKey(k, id.Interval, sd)
			if err != nil {
				t.Fatal(err)
			}
			kek := make([]byte, 32)
			newDerivation(hashes[p.Hash]).derive(kek, l2, labelService, id.Additional)
			cek, ok := unwrapKey(kek, m.wrapped)
			if !ok {
				t.Fatal("the content key does not unwrap")
			}
			block, err := aes.NewCipher(cek)
			if err != nil {
				t.Fatal(err)
			}
			gcm, err := cipher.NewGCM(block)
			if err != nil {
				t.Fatal(err)
			}
			plain, err := gcm.Open(nil, m.nonce, m.ciphertext, nil)
			if err != nil {
				t.Fatalf("content: %v", err)
			}
			if len(plain) == 0 {
				t.Error("content: empty")
			}
			m.ciphertext[0] ^= 1
			if _, err := gcm.Open(nil, m.nonce, m.ciphertext, nil); err == nil {
				t.Error("content with a flipped bit opens")
			}
		})
	}
}

// protected is what matters of a blob of NCryptProtectSecret: CMS EnvelopedData
// with one KEKRecipientInfo (RFC 5652 6.2.3).
type protected struct {
	keyID, wrapped, nonce, ciphertext []byte
	sid                               string
}

func parseProtected(t *testing.T, b []byte) protected {
	t.Helper()
	next := func(b []byte) (asn1.RawValue, []byte) {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(b, &v)
		if err != nil {
			t.Fatalf("CMS: %v", err)
		}
		return v, rest
	}
	outer, _ := next(b)
	_, rest := next(outer.Bytes) // contentType
	explicit, _ := next(rest)
	enveloped, _ := next(explicit.Bytes)
	_, rest = next(enveloped.Bytes) // version
	set, rest := next(rest)
	recipient, _ := next(set.Bytes)
	_, r := next(recipient.Bytes) // version
	kekid, r := next(r)
	_, r = next(r) // keyEncryptionAlgorithm
	wrapped, _ := next(r)
	keyID, other := next(kekid.Bytes)
	otherSeq, _ := next(other)
	_, other = next(otherSeq.Bytes)
	protector, _ := next(other)
	_, other = next(protector.Bytes)
	for range 3 { // SEQUENCE OF SEQUENCE OF SEQUENCE { type "SID", value }
		var v asn1.RawValue
		v, _ = next(other)
		other = v.Bytes
	}
	_, other = next(other)
	sid, _ := next(other)
	info, _ := next(rest)
	_, r = next(info.Bytes) // contentType
	alg, content := next(r)
	ciphertext, _ := next(content)
	_, r = next(alg.Bytes)
	params, _ := next(r)
	nonce, _ := next(params.Bytes)
	return protected{keyID: keyID.Bytes, wrapped: wrapped.Bytes, nonce: nonce.Bytes, ciphertext: bytes.Clone(ciphertext.Bytes), sid: string(sid.Bytes)}
}

// unwrapKey is the AES key unwrap of RFC 3394 2.2.2.
func unwrapKey(kek, wrapped []byte) ([]byte, bool) {
	block, err := aes.NewCipher(kek)
	if err != nil || len(wrapped) < 24 || len(wrapped)%8 != 0 {
		return nil, false
	}
	n := len(wrapped)/8 - 1
	r := bytes.Clone(wrapped[8:])
	var b [16]byte
	copy(b[:8], wrapped)
	for j := 5; j >= 0; j-- {
		for i := n; i >= 1; i-- {
			a := binary.BigEndian.Uint64(b[:8]) ^ uint64(n*j+i)
			binary.BigEndian.PutUint64(b[:8], a)
			copy(b[8:], r[8*(i-1):8*i])
			block.Decrypt(b[:], b[:])
			copy(r[8*(i-1):], b[8:])
		}
	}
	return r, bytes.Equal(b[:8], bytes.Repeat([]byte{0xA6}, 8))
}
