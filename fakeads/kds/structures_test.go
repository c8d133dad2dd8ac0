package kds

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

func anyInterval() *rapid.Generator[Interval] {
	return rapid.Custom(func(t *rapid.T) Interval {
		return Interval{rapid.Int32().Draw(t, "l0"), rapid.Int32().Draw(t, "l1"), rapid.Int32().Draw(t, "l2")}
	})
}

func anyGUID() *rapid.Generator[security.GUID] {
	return rapid.Custom(func(t *rapid.T) security.GUID {
		return security.GUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "guid"))
	})
}

// anyName draws DNS-like names, some beyond the basic plane.
func anyName() *rapid.Generator[string] { return rapid.StringMatching(`[a-zä𝄞.-]{0,20}`) }

// anyBytes draws nil rather than an empty slice, as decoding gives.
func anyBytes(most int) *rapid.Generator[[]byte] {
	return rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, most), clone)
}

func TestStructuresRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &ManagedPasswordID{Flags: rapid.Uint32().Draw(t, "flags"), Interval: anyInterval().Draw(t, "interval"), RootKeyID: anyGUID().Draw(t, "id"),
			Additional: anyBytes(40).Draw(t, "additional"), Domain: anyName().Draw(t, "domain"), Forest: anyName().Draw(t, "forest")}
		if got, err := ParseManagedPasswordID(m.Marshal()); err != nil || !reflect.DeepEqual(got, m) {
			t.Fatalf("key envelope: got %+v, %v, want %+v", got, err, m)
		}
		e := &GroupKeyEnvelope{Flags: m.Flags, Interval: m.Interval, RootKeyID: m.RootKeyID, KDFAlgorithm: KDFAlgorithm,
			KDFParameters: KDFParameters{"SHA512"}.Marshal(), SecretAgreementAlgorithm: SecretAgreementAlgorithm,
			SecretAgreementParameters: DefaultFFCDHParameters().Marshal(), PrivateKeyLength: PrivateKeyLength, PublicKeyLength: PublicKeyLength,
			L1Key: anyBytes(64).Draw(t, "l1"), L2Key: anyBytes(64).Draw(t, "l2"), Domain: m.Domain, Forest: m.Forest}
		if got, err := ParseGroupKeyEnvelope(e.Marshal()); err != nil || !reflect.DeepEqual(got, e) {
			t.Fatalf("group key envelope: got %+v, %v, want %+v", got, err, e)
		}
		even := func(name string) []byte {
			b := rapid.SliceOfN(rapid.Byte(), 2, 300).Draw(t, name)
			return b[:len(b)&^1]
		}
		ticks := rapid.Map(rapid.Int64Range(0, int64(maxInterval/tick)), func(n int64) time.Duration { return time.Duration(n) * tick })
		b := &Blob{Current: even("current"), Query: ticks.Draw(t, "query"), Unchanged: ticks.Draw(t, "unchanged")}
		if rapid.Bool().Draw(t, "has previous") {
			b.Previous = even("previous")
		}
		if got, err := ParseBlob(b.Marshal()); err != nil || !reflect.DeepEqual(got, b) {
			t.Fatalf("blob: got %+v, %v, want %+v", got, err, b)
		}
		q := &GetKeyRequest{TargetSD: anyBytes(100).Draw(t, "sd"), Interval: m.Interval}
		if rapid.Bool().Draw(t, "has root key") {
			q.RootKeyID = &m.RootKeyID
		}
		if got, err := ParseGetKeyRequest(q.Marshal()); err != nil || !reflect.DeepEqual(got, q) {
			t.Fatalf("GetKey request: got %+v, %v, want %+v", got, err, q)
		}
		a := &GetKeyResponse{Envelope: m.Marshal(), HRESULT: rapid.Uint32().Draw(t, "hresult")}
		if got, err := ParseGetKeyResponse(a.Marshal()); err != nil || !reflect.DeepEqual(got, a) {
			t.Fatalf("GetKey response: got %+v, %v, want %+v", got, err, a)
		}
	})
}

func TestParseRefusals(t *testing.T) {
	id := (&ManagedPasswordID{Flags: EnvelopeEncrypts, Domain: "contoso.com", Forest: "contoso.com"}).Marshal()
	blob := (&Blob{Current: make([]byte, PasswordSize), Query: time.Hour}).Marshal()
	change := func(b []byte, at int, v byte) []byte {
		b = bytes.Clone(b)
		b[at] = v
		return b
	}
	parseID := func(b []byte) error { _, err := ParseManagedPasswordID(b); return err }
	parseBlob := func(b []byte) error { _, err := ParseBlob(b); return err }
	for _, c := range []struct {
		name  string
		parse func([]byte) error
		in    []byte
		want  string
	}{
		{"empty id", parseID, nil, "version of 4 bytes where 0 are left"},
		{"id of version 2", parseID, change(id, 0, 2), "version is 0x2, must be 0x1"},
		{"id with another magic", parseID, change(id, 4, 0), "magic is 0x4b534400, must be 0x4b53444b"},
		{"id cut short", parseID, id[:len(id)-1], "forest name of 24 bytes where 23 are left"},
		{"id too long", parseID, append(bytes.Clone(id), 0), "1 bytes too many"},
		{"id with a huge length", parseID, change(id, 47, 0xff), "domain name of 4278190104 bytes where 48 are left"},
		{"id with an odd name", parseID, change(change(id, 44, 23), 48, 25), "domain name is not UTF-16"},
		{"id with a NUL in a name", parseID, change(id, 54, 0), "domain name has a NUL within"},
		{"id with half a character", parseID, change(change(id, 54, 0), 55, 0xd8), "domain name has an unpaired surrogate"},
		{"empty blob", parseBlob, nil, "0 bytes, must be 16 to 65536"},
		{"blob of version 2", parseBlob, change(blob, 0, 2), "version 2, must be 1"},
		{"blob with a reserved field", parseBlob, change(blob, 2, 2), "reserved field is 2"},
		{"blob of another length", parseBlob, change(blob, 4, 0), "length 256 of 290 bytes"},
		{"blob with wild offsets", parseBlob, change(blob, 13, 0xff), "offsets 16, 0, 65298, 282 in 290 bytes"},
		{"blob with previous before current", parseBlob, change(blob, 10, 1), "offsets 16, 1, 274, 282 in 290 bytes"},
		{"blob with previous at the end", parseBlob, change(change(blob, 10, 0x12), 11, 1), "previous password of 0 bytes is empty"},
		{"blob without terminator", parseBlob, change(blob, 273, 1), "current password of 258 bytes is empty, odd or without a NUL at the end"},
		{"blob good for ever", parseBlob, change(blob, 281, 0x80), "longer than 292 years"},
		{"KDF parameters of two", func(b []byte) error { _, err := ParseKDFParameters(b); return err },
			change(KDFParameters{"SHA512"}.Marshal(), 4, 2), "count is 0x2, must be 0x1"},
		{"DH parameters of another length", func(b []byte) error { _, err := ParseFFCDHParameters(b); return err },
			DefaultFFCDHParameters().Marshal()[:523], "length is 0x20c, must be 0x20b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.parse(c.in)
			var malformed *Malformed
			if !errors.As(err, &malformed) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want a Malformed error with %q", err, c.want)
			}
		})
	}
}

// fuzzDecoder checks what holds for every decoder: no panic, and what is accepted encodes to
// the same bytes.
func fuzzDecoder(f *testing.F, again func([]byte) ([]byte, error), seeds ...[]byte) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := again(b)
		if err == nil && !bytes.Equal(out, b) {
			t.Errorf("encoded again: got %x, want %x", out, b)
		}
	})
}

func FuzzManagedPasswordID(f *testing.F) {
	fuzzDecoder(f, func(b []byte) ([]byte, error) {
		m, err := ParseManagedPasswordID(b)
		if err != nil {
			return nil, err
		}
		return m.Marshal(), nil
	}, (&ManagedPasswordID{Flags: 2, Interval: Interval{363, 30, 20}, Domain: "contoso.com", Forest: "contoso.com"}).Marshal(),
		(&ManagedPasswordID{Additional: []byte{1, 2}}).Marshal())
}

func FuzzGroupKeyEnvelope(f *testing.F) {
	fuzzDecoder(f, func(b []byte) ([]byte, error) {
		e, err := ParseGroupKeyEnvelope(b)
		if err != nil {
			return nil, err
		}
		return e.Marshal(), nil
	}, (&GroupKeyEnvelope{Interval: Interval{363, 30, 20}, KDFAlgorithm: KDFAlgorithm, SecretAgreementAlgorithm: "DH", L2Key: make([]byte, 64), Domain: "contoso.com"}).Marshal())
}

func FuzzKDFParameters(f *testing.F) {
	fuzzDecoder(f, func(b []byte) ([]byte, error) {
		p, err := ParseKDFParameters(b)
		if err != nil {
			return nil, err
		}
		return p.Marshal(), nil
	}, KDFParameters{"SHA512"}.Marshal(), KDFParameters{"SHA1"}.Marshal())
}

func FuzzFFCDHParameters(f *testing.F) {
	fuzzDecoder(f, func(b []byte) ([]byte, error) {
		p, err := ParseFFCDHParameters(b)
		if err != nil {
			return nil, err
		}
		return p.Marshal(), nil
	}, (&FFCDHParameters{P: []byte{7}, G: []byte{2}}).Marshal())
}

func FuzzParseBlob(f *testing.F) {
	fuzzDecoder(f, func(b []byte) ([]byte, error) {
		p, err := ParseBlob(b)
		if err != nil {
			return nil, err
		}
		return p.Marshal(), nil
	}, (&Blob{Current: make([]byte, PasswordSize), Query: time.Hour, Unchanged: 55 * time.Minute}).Marshal(),
		(&Blob{Current: []byte("ab"), Previous: []byte("cd")}).Marshal())
}

// The padding of NDR64 may have any value, so what is accepted need not encode
// to the same bytes, but to something that means the same.
func FuzzGetKey(f *testing.F) {
	id := security.GUID{1}
	f.Add((&GetKeyRequest{TargetSD: TargetSD(), RootKeyID: &id, Interval: Interval{-1, -1, -1}}).Marshal())
	f.Add((&GetKeyResponse{Envelope: []byte{1, 2, 3}}).Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		if q, err := ParseGetKeyRequest(b); err == nil {
			if again, err := ParseGetKeyRequest(q.Marshal()); err != nil || !reflect.DeepEqual(again, q) {
				t.Errorf("request: got %+v, %v, want %+v", again, err, q)
			}
		}
		if a, err := ParseGetKeyResponse(b); err == nil {
			if again, err := ParseGetKeyResponse(a.Marshal()); err != nil || !reflect.DeepEqual(again, a) {
				t.Errorf("response: got %+v, %v, want %+v", again, err, a)
			}
		}
	})
}
