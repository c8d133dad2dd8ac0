package gss

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/gssapi"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

var aesTypes = etypes[:4]

// sizes of messages around the block size and the end of a buffer.
var sizes = []int{0, 1, 15, 16, 17, 31, 32, 100, 4096, 40000}

func octets(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7)
	}
	return b
}

// sides gives both directions of a context.
func sides(t testing.TB, etype int32, flags Flags) map[string][2]*Context {
	t.Helper()
	i, a := contexts(t, etype, flags)
	return map[string][2]*Context{"to the acceptor": {i, a}, "to the initiator": {a, i}}
}

// TestWrapAgainstGokrb5 opens every token that we make with gokrb5's crypto, by RFC 4121 4.2.4 and 4.2.6.2.
func TestWrapAgainstGokrb5(t *testing.T) {
	for _, etype := range aesTypes {
		for way, side := range sides(t, etype, secureFlags) {
			from := side[0]
			key := gokrb5Key(from.MessageKey)
			usage, flags := uint32(24), byte(4) // initiator seal; acceptor's subkey
			if !from.initiator {
				usage, flags = 22, 5
			}
			for _, size := range sizes {
				for _, conf := range []bool{false, true} {
					t.Run(fmt.Sprintf("etype %d %s, %d octets, sealed %t", etype, way, size, conf), func(t *testing.T) {
						plain := octets(size)
						number := from.send
						token, err := from.Wrap([]byte("before"), plain, conf)
						if err != nil {
							t.Fatal(err)
						}
						token, ok := bytes.CutPrefix(token, []byte("before"))
						if !ok {
							t.Fatal("what was there before is not")
						}
						if got := binary.BigEndian.Uint64(token[8:]); got != number || token[0] != 5 || token[1] != 4 || token[3] != 0xff {
							t.Errorf("header: got % x, want number %d", token[:16], number)
						}
						ec, rrc := binary.BigEndian.Uint16(token[4:]), int(binary.BigEndian.Uint16(token[6:]))
						body := token[16:]
						rrc %= len(body)
						straight := slices.Concat(body[rrc:], body[:rrc])
						if conf {
							// Windows rotates by the header's copy and the checksum: 28 for the types of RFC 3962.
							if token[2] != flags|2 || ec != 0 || rrc != 16+from.MessageKey.ChecksumSize() {
								t.Errorf("header: got % x", token[:16])
							}
							got, err := crypto.DecryptMessage(straight, key, usage)
							if err != nil {
								t.Fatal(err)
							}
							header := slices.Clone(token[:16])
							header[6], header[7] = 0, 0
							if !bytes.Equal(got, append(slices.Clone(plain), header...)) {
								t.Errorf("got %d octets, want the data and the header", len(got))
							}
							return
						}
						// go-ldap reads this layout only: the checksum first, EC and RRC its size.
						if sum := from.MessageKey.ChecksumSize(); token[2] != flags || int(ec) != sum || rrc != sum%len(body) || !bytes.Equal(body[sum:], plain) {
							t.Errorf("header: got % x", token[:16])
						}
						var w gssapi.WrapToken
						if err := w.Unmarshal(append(slices.Clone(token[:16]), straight...), !from.initiator); err != nil {
							t.Fatal(err)
						}
						if ok, err := w.Verify(key, usage); !ok || !bytes.Equal(w.Payload, plain) {
							t.Errorf("gokrb5: %v", err)
						}
					})
				}
			}
		}
	}
}

// foreign makes a wrap token with gokrb5's crypto: any rotation, any filler, with or without the acceptor's subkey.
func foreign(t testing.TB, c *Context, plain []byte, number uint64, conf, subkey bool, extra, rotation int) []byte {
	t.Helper()
	h := []byte{5, 4, 0, 0xff, 0, 0, 0, 0}
	h = binary.BigEndian.AppendUint64(h, number)
	usage := uint32(24)
	if !c.initiator {
		h[2] |= 1
		usage = 22
	}
	key := gokrb5Key(c.initiatorKey)
	if subkey {
		h[2] |= 4
		key = gokrb5Key(c.MessageKey)
	}
	e, err := crypto.GetEtype(key.KeyType)
	if err != nil {
		t.Fatal(err)
	}
	var body []byte
	if conf {
		h[2] |= 2
		binary.BigEndian.PutUint16(h[4:], uint16(extra))
		_, body, err = e.EncryptMessage(key.KeyValue, slices.Concat(plain, make([]byte, extra), h), usage)
	} else {
		var sum []byte
		sum, err = e.GetChecksumHash(key.KeyValue, slices.Concat(plain, h), usage)
		body = slices.Concat(plain, sum)
		binary.BigEndian.PutUint16(h[4:], uint16(len(sum)))
	}
	if err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint16(h[6:], uint16(rotation))
	if n := len(body) - rotation%len(body); n < len(body) {
		body = slices.Concat(body[n:], body[:n]) // RFC 4121 4.2.5: to the right
	}
	return append(h, body...)
}

func TestUnwrapForeign(t *testing.T) {
	for _, etype := range aesTypes {
		for way, side := range sides(t, etype, 0|FlagMutual|FlagConf|FlagInteg) { // numbers are not judged
			from, to := side[0], side[1]
			for _, size := range []int{0, 1, 16, 100} {
				for _, conf := range []bool{false, true} {
					for _, subkey := range []bool{false, true} {
						for _, rotation := range []int{0, 1, 12, 16, 28, 44, 5000, 65535} {
							for _, extra := range []int{0, 1, 16} {
								if !conf && extra > 0 {
									continue
								}
								token := foreign(t, from, octets(size), 1, conf, subkey, extra, rotation)
								plain, sealed, err := to.Unwrap(token)
								if err != nil || sealed != conf || !bytes.Equal(plain, octets(size)) {
									t.Errorf("etype %d %s, %d octets, sealed %t, subkey %t, RRC %d, EC %d: got %d octets, %t, %v", etype, way, size, conf, subkey, rotation, extra, len(plain), sealed, err)
								}
							}
						}
					}
				}
			}
		}
	}
}

func TestUnwrapRefusals(t *testing.T) {
	i, a := contexts(t, krbcrypt.AES256SHA1, FlagMutual|FlagConf|FlagInteg)
	for _, conf := range []bool{false, true} {
		token, err := i.Wrap(nil, []byte("attack at dawn"), conf)
		if err != nil {
			t.Fatal(err)
		}
		// Every octet counts, but for the high bits of RRC, of which the length of the body is a period.
		for at := range token {
			for bit := range 8 {
				b := slices.Clone(token)
				b[at] ^= 1 << bit
				if plain, _, err := a.Unwrap(b); err == nil {
					t.Errorf("sealed %t, bit %d of octet %d flipped: got %q, want an error", conf, bit, at, plain)
				} else if !errors.Is(err, ErrIntegrity) && !errors.Is(err, ErrToken) {
					t.Errorf("sealed %t, octet %d: got %v, want ErrIntegrity or ErrToken", conf, at, err)
				}
			}
		}
		for n := range token {
			if _, _, err := a.Unwrap(token[:n]); err == nil {
				t.Errorf("sealed %t, first %d octets: got no error", conf, n)
			}
		}
		if _, _, err := i.Unwrap(token); !errors.Is(err, ErrToken) {
			t.Errorf("own message: got %v, want ErrToken", err)
		}
		if err := a.VerifyMIC(token, nil); !errors.Is(err, ErrToken) {
			t.Errorf("as MIC: got %v, want ErrToken", err)
		}
		if plain, _, err := a.Unwrap(token); err != nil || string(plain) != "attack at dawn" {
			t.Errorf("unchanged: got %q, %v", plain, err)
		}
	}
	// More filler than there is data.
	if _, _, err := a.Unwrap(changedExtra(t, i)); !errors.Is(err, ErrToken) {
		t.Errorf("EC beyond the data: got %v, want ErrToken", err)
	}
}

// changedExtra is a sealed token whose authentic header announces more filler than there is.
func changedExtra(t testing.TB, c *Context) []byte {
	t.Helper()
	h := []byte{5, 4, 2 | 4, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9}
	token, err := c.MessageKey.Encrypt(slices.Clone(h), append([]byte("data"), h...), usageInitiatorSeal, stream(7))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestMICAgainstGokrb5(t *testing.T) {
	for _, etype := range aesTypes {
		for way, side := range sides(t, etype, secureFlags) {
			t.Run(fmt.Sprintf("etype %d %s", etype, way), func(t *testing.T) {
				from, to := side[0], side[1]
				usage, flags := uint32(25), byte(4)
				if !from.initiator {
					usage, flags = 23, 5
				}
				for _, size := range sizes {
					msg := octets(size)
					token, err := from.MIC([]byte("before"), msg)
					if err != nil {
						t.Fatal(err)
					}
					token = token[len("before"):]
					var m gssapi.MICToken
					if err := m.Unmarshal(token, !from.initiator); err != nil {
						t.Fatal(err)
					}
					m.Payload = msg
					if ok, err := m.Verify(gokrb5Key(from.MessageKey), usage); !ok || m.Flags != flags {
						t.Errorf("%d octets: got flags %#x, %v", size, m.Flags, err)
					}
					if err := to.VerifyMIC(token, append(msg, 1)); !errors.Is(err, ErrIntegrity) {
						t.Errorf("%d octets and one more: got %v, want ErrIntegrity", size, err)
					}
					if err := to.VerifyMIC(token, msg); err != nil {
						t.Errorf("%d octets: got %v", size, err)
					}
					// gokrb5 makes one.
					theirs := gssapi.MICToken{Flags: flags, SndSeqNum: from.send, Payload: msg}
					if err := theirs.SetChecksum(gokrb5Key(from.MessageKey), usage); err != nil {
						t.Fatal(err)
					}
					from.send++
					b, err := theirs.Marshal()
					if err != nil {
						t.Fatal(err)
					}
					if err := to.VerifyMIC(b, msg); err != nil {
						t.Errorf("%d octets by gokrb5: got %v", size, err)
					}
					if err := to.VerifyMIC(b[:15], msg); !errors.Is(err, ErrToken) {
						t.Errorf("cut short: got %v, want ErrToken", err)
					}
				}
			})
		}
	}
}

// TestSequence covers what is judged under which flags (RFC 2743 1.2.3).
func TestSequence(t *testing.T) {
	type step struct {
		number int // relative to the first
		ok     bool
	}
	for _, tt := range []struct {
		name  string
		flags Flags
		steps []step
	}{
		{"nothing", 0, []step{{0, true}, {0, true}, {-5, true}, {100, true}, {1, true}}},
		{"replay", FlagReplay, []step{{0, true}, {0, false}, {3, true}, {1, true}, {2, true}, {1, false}, {3, false}, {-1, false}, {63, true}, {0, false}, {4, true}, {200, true}, {63, false}, {136, false}, {137, true}, {137, false}, {1 << 20, true}, {1<<20 - 1, true}}},
		{"sequence", FlagSequence, []step{{0, true}, {0, false}, {2, false}, {1, true}, {2, true}, {1, false}}},
		{"both", FlagReplay | FlagSequence, []step{{0, true}, {0, false}, {1, true}, {3, false}, {2, true}}},
	} {
		for _, width := range []struct {
			name  string
			first uint64
			mask  uint64
		}{{"64 bits", 0x12345678, ^uint64(0)}, {"64 bits over the end", ^uint64(1), ^uint64(0)}, {"32 bits over the end", 0xfffffffe, 1<<32 - 1}} {
			t.Run(tt.name+", "+width.name, func(t *testing.T) {
				var w window
				w.start(width.first, width.mask)
				for i, s := range tt.steps {
					err := w.take((width.first+uint64(s.number))&width.mask, tt.flags)
					if (err == nil) != s.ok || err != nil && !errors.Is(err, ErrSequence) {
						t.Errorf("step %d, number %d: got %v, want accepted %t", i, s.number, err, s.ok)
					}
				}
			})
		}
	}
}

// TestSequenceOfMessages: a message that is refused does not move the window.
func TestSequenceOfMessages(t *testing.T) {
	for _, etype := range etypes {
		i, a := contexts(t, etype, secureFlags)
		var tokens [][]byte
		for n := range 3 {
			token, err := i.Wrap(nil, []byte{byte(n)}, true)
			if err != nil {
				t.Fatal(err)
			}
			tokens = append(tokens, token)
		}
		bad := slices.Clone(tokens[0])
		bad[len(bad)-1] ^= 1
		for n, tt := range []struct {
			token []byte
			want  error
		}{{bad, ErrIntegrity}, {tokens[1], ErrSequence}, {tokens[0], nil}, {tokens[0], ErrSequence}, {tokens[1], nil}, {tokens[2], nil}} {
			if _, _, err := a.Unwrap(tt.token); !errors.Is(err, tt.want) {
				t.Errorf("etype %d, step %d: got %v, want %v", etype, n, err, tt.want)
			}
		}
	}
}

// TestPlaintextIsTheCallers: later messages do not write into it.
func TestPlaintextIsTheCallers(t *testing.T) {
	for _, etype := range etypes {
		i, a := contexts(t, etype, secureFlags)
		first, err := i.Wrap(nil, []byte("first"), true)
		if err != nil {
			t.Fatal(err)
		}
		plain, _, err := a.Unwrap(first)
		if err != nil {
			t.Fatal(err)
		}
		clear(first)
		second, err := i.Wrap(nil, []byte("other"), true)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := a.Unwrap(second); err != nil || string(plain) != "first" {
			t.Errorf("etype %d: got %q, %v, want first", etype, plain, err)
		}
	}
}
