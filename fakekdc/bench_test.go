package fakekdc

import (
	"testing"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// BenchmarkAS is an AS exchange with pre-authentication and a PAC, in process.
func BenchmarkAS(b *testing.B) {
	l := newLab(b)
	l.k.Trace, l.k.Rand = nil, nil
	password, salt := passwordOf("alice")
	key := keyFor(b, 18, password, salt)
	a := asAsk("alice")
	a.options = optForwardable | optRenewable | optCanonicalize
	a.padata = []paData{l.timestampOf(key, l.now), pacRequestData(true)}
	benchExchange(b, l, a.encode(a.body()), msgASRep)
}

// BenchmarkPreauthRequired is the first half of what most clients do.
func BenchmarkPreauthRequired(b *testing.B) {
	l := newLab(b)
	l.k.Trace, l.k.Rand = nil, nil
	a := asAsk("alice")
	benchExchange(b, l, a.encode(a.body()), msgError)
}

// BenchmarkTGS is a TGS exchange with a PAC, in process: with a TGT that was seen before, and with one that was not.
func BenchmarkTGS(b *testing.B) {
	for _, forget := range []bool{false, true} {
		name := "known TGT"
		if forget {
			name = "new TGT"
		}
		b.Run(name, func(b *testing.B) {
			l := newLab(b)
			a := l.tgsAsk(l.tgt("alice"), "host/web.contoso.com")
			a.subkey, _ = krbcrypt.RandomKey(18, l.rand)
			l.k.Trace, l.k.Rand = nil, nil
			req := l.tgsRequest(a)
			if forget {
				b.ReportAllocs()
				for b.Loop() {
					l.k.tickets = ticketCache{}
					l.k.Exchange(b.Context(), req)
				}
				return
			}
			benchExchange(b, l, req, msgTGSRep)
		})
	}
}

func benchExchange(b *testing.B, l *lab, req []byte, want byte) {
	if got := l.k.Exchange(b.Context(), req); got[0] != tagApplication+want {
		b.Fatalf("got a message of tag %#x, want %#x", got[0], tagApplication+want)
	}
	b.ReportAllocs()
	for b.Loop() {
		l.k.Exchange(b.Context(), req)
	}
}
