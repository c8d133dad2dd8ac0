package gss

import (
	"fmt"
	"testing"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// benchmarkSizes: a small search answer, one with a managed password, a buffer full.
var benchmarkSizes = []int{200, 1500, 32 << 10}

func benchmarkEach(b *testing.B, run func(b *testing.B, i, a *Context, plain []byte)) {
	for _, etype := range []int32{krbcrypt.AES256SHA1, krbcrypt.AES256SHA384, krbcrypt.RC4HMAC} {
		for _, size := range benchmarkSizes {
			b.Run(fmt.Sprintf("etype%d/%d", etype, size), func(b *testing.B) {
				i, a := contexts(b, etype, FlagMutual|FlagConf|FlagInteg)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				run(b, i, a, octets(size))
			})
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	benchmarkEach(b, func(b *testing.B, i, _ *Context, plain []byte) {
		var token []byte
		for b.Loop() {
			var err error
			if token, err = i.Wrap(token[:0], plain, true); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkUnseal(b *testing.B) {
	benchmarkEach(b, func(b *testing.B, i, a *Context, plain []byte) {
		token, err := i.Wrap(nil, plain, true)
		if err != nil {
			b.Fatal(err)
		}
		var out []byte
		for b.Loop() {
			if out, _, err = a.unwrap(out[:0], token); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSign(b *testing.B) {
	benchmarkEach(b, func(b *testing.B, i, _ *Context, plain []byte) {
		var token []byte
		for b.Loop() {
			var err error
			if token, err = i.Wrap(token[:0], plain, false); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkAccept is the acceptor's part of a bind: ticket, authenticator, AP-REP.
func BenchmarkAccept(b *testing.B) {
	for _, negotiate := range []bool{false, true} {
		b.Run(fmt.Sprintf("SPNEGO=%t", negotiate), func(b *testing.B) {
			r := newRealm(b, krbcrypt.AES256SHA1, nil)
			cfg := r.initiator(secureFlags)
			cfg.SPNEGO = negotiate
			token, _, err := NewInitiator(cfg).Step(nil)
			if err != nil {
				b.Fatal(err)
			}
			accept := r.acceptor()
			b.ReportAllocs()
			for b.Loop() {
				if _, done, err := NewAcceptor(accept).Step(token); err != nil || !done {
					b.Fatal(done, err)
				}
			}
		})
	}
}
