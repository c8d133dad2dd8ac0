package gss

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

const everyLayer = LayerNone | LayerIntegrity | LayerConfidentiality

func TestLayerNegotiation(t *testing.T) {
	for _, etype := range etypes {
		for _, tt := range []struct {
			name    string
			offered Layer
			choice  byte
			max     uint32
			authzid string
			want    Layer // 0: refused
		}{
			{"none", everyLayer, 1, 0, "", LayerNone},
			{"go-ldap's 0", everyLayer, 0, 0, "", LayerNone},
			{"sign", everyLayer, 2, 0xffffff, "", LayerIntegrity},
			{"seal, with an identity", everyLayer, 4, 0x10000, "u:CONTOSO\\alice", LayerConfidentiality},
			{"two bits", everyLayer, 6, 0xffffff, "", 0},
			{"unknown bit", everyLayer, 8, 0xffffff, "", 0},
			{"not offered", LayerIntegrity | LayerConfidentiality, 1, 0, "", 0},
			{"identity too long", everyLayer, 1, 0, strings.Repeat("x", maxAuthorization+1), 0},
		} {
			t.Run(fmt.Sprintf("etype %d, %s", etype, tt.name), func(t *testing.T) {
				i, a := contexts(t, etype, secureFlags)
				offer, err := OfferLayers(a, tt.offered, MaxBuffer)
				if err != nil {
					t.Fatal(err)
				}
				if plain, conf, err := i.Unwrap(offer); err != nil || conf || !bytes.Equal(plain, []byte{byte(tt.offered), 0xa0, 0, 0}) {
					t.Errorf("offer: got %x, sealed %t, %v", plain, conf, err)
				}
				choice, err := i.Wrap(nil, append(binary.BigEndian.AppendUint32(nil, uint32(tt.choice)<<24|tt.max), tt.authzid...), false)
				if err != nil {
					t.Fatal(err)
				}
				layer, max, authzid, err := AcceptChoice(a, choice, tt.offered)
				if tt.want == 0 {
					if !errors.Is(err, ErrLayer) {
						t.Errorf("got %v, %v, want ErrLayer", layer, err)
					}
					return
				}
				if err != nil || layer != tt.want || max != tt.max || authzid != tt.authzid {
					t.Errorf("got %v, %d, %q, %v, want %v, %d, %q", layer, max, authzid, err, tt.want, tt.max, tt.authzid)
				}
			})
		}
	}
}

func TestChooseLayer(t *testing.T) {
	for _, tt := range []struct {
		offered, want Layer
		max           uint32 // what the server hears
		err           error
	}{
		{everyLayer, LayerConfidentiality, MaxBuffer, nil},
		{everyLayer, LayerNone, 0, nil},
		{LayerNone, LayerConfidentiality, 0, ErrLayer},
		{everyLayer, LayerIntegrity | LayerConfidentiality, 0, ErrLayer},
	} {
		i, a := contexts(t, krbcrypt.AES256SHA1, secureFlags)
		offer, err := OfferLayers(a, tt.offered, 0x4000)
		if err != nil {
			t.Fatal(err)
		}
		token, peer, err := ChooseLayer(i, offer, tt.want, MaxBuffer, "")
		if !errors.Is(err, tt.err) {
			t.Errorf("%v of %v: got %v, want %v", tt.want, tt.offered, err, tt.err)
		}
		if err != nil {
			continue
		}
		if layer, max, _, err := AcceptChoice(a, token, tt.offered); err != nil || layer != tt.want || max != tt.max || peer != 0x4000 {
			t.Errorf("%v of %v: got %v, %d, %d, %v", tt.want, tt.offered, layer, max, peer, err)
		}
	}
	i, a := contexts(t, krbcrypt.AES256SHA1, secureFlags)
	long, err := a.Wrap(nil, make([]byte, 5), false)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := ChooseLayer(i, long, LayerNone, 0, ""); !errors.Is(err, ErrLayer) {
		t.Errorf("offer of five octets: got %v, want ErrLayer", err)
	}
	if _, _, _, err := AcceptChoice(a, []byte("x"), everyLayer); !errors.Is(err, ErrToken) {
		t.Errorf("choice that is no token: got %v, want ErrToken", err)
	}
}

func TestLayerOf(t *testing.T) {
	for flags, want := range map[Flags]Layer{0: LayerNone, FlagMutual | FlagReplay: LayerNone, FlagInteg: LayerIntegrity, FlagConf: LayerConfidentiality, FlagConf | FlagInteg: LayerConfidentiality} {
		if got := LayerOf(&Context{Flags: flags}); got != want {
			t.Errorf("flags %#x: got %v, want %v", flags, got, want)
		}
	}
}

func TestFraming(t *testing.T) {
	for _, etype := range etypes {
		for _, layer := range []Layer{LayerNone, LayerIntegrity, LayerConfidentiality} {
			for _, peerMax := range []uint32{0, 200, 70000} {
				t.Run(fmt.Sprintf("etype %d, layer %d, buffers of %d", etype, layer, peerMax), func(t *testing.T) {
					i, a := contexts(t, etype, secureFlags)
					from, to := &Framing{Context: a, Layer: layer, PeerMax: peerMax}, &Framing{Context: i, Layer: layer}
					want := octets(100_000)
					wire, err := from.Seal(nil, want[:60_000])
					if err != nil {
						t.Fatal(err)
					}
					if wire, err = from.Seal(wire, want[60_000:]); err != nil {
						t.Fatal(err)
					}
					var got []byte
					for fed := 0; len(got) < len(want); {
						// The network delivers in pieces.
						fed = min(fed+777, len(wire))
						if layer != LayerNone && fed >= lengthSize && peerMax != 0 && binary.BigEndian.Uint32(wire) > peerMax {
							t.Fatalf("got a buffer of %d octets", binary.BigEndian.Uint32(wire))
						}
						for {
							var n int
							if got, n, err = to.Open(got, wire[:fed]); err != nil {
								t.Fatal(err)
							}
							wire, fed = wire[n:], fed-n
							if n == 0 || fed == 0 {
								break
							}
						}
						if fed == len(wire) && len(got) < len(want) && fed > 0 {
							t.Fatalf("got %d octets of %d and no more", len(got), len(want))
						}
					}
					if !bytes.Equal(got, want) || len(wire) != 0 {
						t.Errorf("got %d octets, %d left over", len(got), len(wire))
					}
				})
			}
		}
	}
}

func TestFramingRefusals(t *testing.T) {
	i, a := contexts(t, krbcrypt.AES256SHA1, secureFlags)
	f := &Framing{Context: a, Layer: LayerConfidentiality}
	// The length alone is enough to refuse.
	if _, _, err := f.Open(nil, []byte{0, 0xa0, 0, 1}); !errors.Is(err, ErrLayer) {
		t.Errorf("too large: got %v, want ErrLayer", err)
	}
	if plain, n, err := f.Open(nil, []byte{0, 0xa0, 0, 0}); plain != nil || n != 0 || err != nil {
		t.Errorf("largest, not complete: got %x, %d, %v, want nothing", plain, n, err)
	}
	if _, n, err := f.Open(nil, []byte{0, 0, 0}); n != 0 || err != nil {
		t.Errorf("part of a length: got %d, %v, want nothing", n, err)
	}
	if _, _, err := f.Open(nil, []byte{0, 0, 0, 0}); !errors.Is(err, ErrToken) {
		t.Errorf("empty buffer: got %v, want ErrToken", err)
	}
	signed, err := (&Framing{Context: i, Layer: LayerIntegrity}).Seal(nil, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Open(nil, signed); !errors.Is(err, ErrLayer) {
		t.Errorf("unsealed buffer under a sealing layer: got %v, want ErrLayer", err)
	}
	sealed, err := (&Framing{Context: i, Layer: LayerConfidentiality}).Seal(nil, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	// A peer may seal where only signing is agreed.
	if plain, _, err := (&Framing{Context: a, Layer: LayerIntegrity}).Open(nil, sealed); err != nil || string(plain) != "x" {
		t.Errorf("sealed buffer under a signing layer: got %q, %v", plain, err)
	}
	small := &Framing{Context: i, Layer: LayerConfidentiality, PeerMax: 60}
	if _, err := small.Seal(nil, []byte("x")); !errors.Is(err, ErrLayer) {
		t.Errorf("peer without room: got %v, want ErrLayer", err)
	}
}

// TestFramingBothWays reads and writes at the same time, as a connection does.
func TestFramingBothWays(t *testing.T) {
	for _, etype := range etypes {
		i, a := contexts(t, etype, secureFlags)
		near, far := &Framing{Context: i, Layer: LayerConfidentiality}, &Framing{Context: a, Layer: LayerConfidentiality}
		there, back := make(chan []byte, 1), make(chan []byte, 1)
		run := func(f *Framing, out chan<- []byte, in <-chan []byte) error {
			failed := make(chan error, 1)
			go func() {
				defer close(out)
				for range 50 {
					b, err := f.Seal(nil, octets(100))
					if err != nil {
						failed <- err
						return
					}
					out <- b
				}
				failed <- nil
			}()
			for b := range in {
				if plain, _, err := f.Open(nil, b); err != nil || !bytes.Equal(plain, octets(100)) {
					return fmt.Errorf("got %d octets, %w", len(plain), err)
				}
			}
			return <-failed
		}
		ended := make(chan error, 1)
		go func() { ended <- run(far, back, there) }()
		if err := run(near, there, back); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// TestRandomnessRunsDry: without randomness there is no token, and no panic.
func TestRandomnessRunsDry(t *testing.T) {
	dry := bytes.NewReader(nil)
	for _, etype := range etypes {
		r := newRealm(t, etype, nil)
		cfg := r.initiator(secureFlags)
		cfg.Rand = dry
		if _, _, err := NewInitiator(cfg).Step(nil); err == nil {
			t.Errorf("etype %d, initiator: got no error", etype)
		}
		accept := r.acceptor()
		accept.Rand = dry
		if _, done, err := NewAcceptor(accept).Step(frame(tokenAPReq, r.apReq(t, r.authenticatorOf(secureFlags), mutualOption))); err == nil || done {
			t.Errorf("etype %d, acceptor: got %t, %v, want an error", etype, done, err)
		}
		i, _ := contexts(t, etype, secureFlags)
		i.rand = dry
		if _, err := i.Wrap(nil, []byte("x"), true); err == nil {
			t.Errorf("etype %d, wrap: got no error", etype)
		}
	}
}
