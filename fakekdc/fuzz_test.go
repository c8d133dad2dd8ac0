package fakekdc

import (
	"strings"
	"testing"

	"github.com/jcmturner/gokrb5/v8/kadmin"
	"github.com/jcmturner/gokrb5/v8/messages"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// judge wants an answer to be one of the messages that gokrb5 reads, and no panic behind it.
func (l *lab) judge(reply []byte) {
	l.Helper()
	if l.last.Err != nil && strings.Contains(l.last.Err.Error(), "panic: ") {
		l.Fatal(l.last.Err)
	}
	if reply == nil {
		return
	}
	var err error
	switch reply[0] {
	case tagApplication + msgASRep:
		var m messages.ASRep
		err = m.Unmarshal(reply)
	case tagApplication + msgTGSRep:
		var m messages.TGSRep
		err = m.Unmarshal(reply)
	default:
		var m messages.KRBError
		err = m.Unmarshal(reply)
	}
	if err != nil {
		l.Fatalf("answer %x: %v", reply, err)
	}
}

// FuzzExchange sends octets as requests. The corpus has requests of MIT's client, of gokrb5's and of these tests.
func FuzzExchange(f *testing.F) {
	l := newLab(f)
	f.Fuzz(func(t *testing.T, req []byte) {
		l.TB = t
		l.judge(l.k.Exchange(t.Context(), req))
		if reply := l.k.ExchangeUDP(t.Context(), req); len(reply) > MaxUDP {
			t.Fatalf("answer of %d octets over UDP", len(reply))
		}
	})
}

// FuzzExchangePassword sends octets to kpasswd.
func FuzzExchangePassword(f *testing.F) {
	l := newLab(f)
	f.Fuzz(func(t *testing.T, req []byte) {
		l.TB = t
		reply := l.k.ExchangePassword(t.Context(), req)
		l.judge(nil)
		if reply == nil {
			return
		}
		var m kadmin.Reply
		if err := m.Unmarshal(reply); err != nil {
			t.Fatalf("answer %x: %v", reply, err)
		}
	})
}

// FuzzSealed puts octets where only who knows a key can put them: into a ticket, an authenticator, a timestamp, the data of S4U2Self
// and a KRB-PRIV.
func FuzzSealed(f *testing.F) {
	l := newLab(f)
	tgt, change := l.tgt("alice"), l.changeTicket("alice")
	web := l.tgt("web$")
	f.Fuzz(func(t *testing.T, where byte, plain []byte) {
		l.TB = t
		seal := func(key *krbcrypt.Key, usage uint32) []byte { return l.sealed(key, plain, usage) }
		var req []byte
		switch where % 7 {
		case 0: // a TGT
			c := *tgt
			cipher, err := l.krbtgt(18).Encrypt(nil, plain, usageTicket, l.rand)
			if err != nil {
				t.Fatal(err)
			}
			c.ticket.EncPart.Cipher = cipher
			if c.raw, err = c.ticket.Marshal(); err != nil {
				t.Fatal(err)
			}
			req = l.tgsRequest(l.tgsAsk(&c, "host/web"))
		case 1: // an authenticator
			a := l.tgsAsk(tgt, "host/web")
			a.padata = []paData{{paTGSReq, apReqOf(tgt.raw, seal(tgt.key, usageTGSAuth))}}
			req = a.encode(a.body())
		case 2: // a timestamp
			a := asAsk("alice")
			password, salt := passwordOf("alice")
			a.padata = []paData{{paEncTimestamp, seal(keyFor(t, 18, password, salt), usageTimestamp)}}
			req = a.encode(a.body())
		case 3:
			a := l.tgsAsk(web, "host/web")
			a.padata = []paData{{paForUser, plain}}
			req = l.tgsRequest(a)
		case 4:
			a := l.tgsAsk(web, "host/web")
			a.padata = []paData{{paS4UX509User, plain}, {paPACOptions, plain}}
			req = l.tgsRequest(a)
		case 5: // a KRB-PRIV
			a := l.tgsAsk(change, "")
			w := newWriter(512)
			w.raw(seal(change.key, usagePriv))
			w.wrap(tagContext+3, 0)
			w.integer(1, msgPriv)
			w.integer(0, 5)
			w.wrap(tagSequence, 0)
			w.wrap(tagApplication+msgPriv, 0)
			l.k.ExchangePassword(t.Context(), passwordMessage(apReqOf(change.raw, l.authenticatorOf(a, nil, usageAPAuth)), w.bytes()))
			l.judge(nil)
			return
		default: // ChangePasswdData
			a := l.setAsk(change, Name{}, "", "")
			a.data = plain
			l.k.ExchangePassword(t.Context(), l.passwordRequest(a))
			l.judge(nil)
			return
		}
		l.judge(l.k.Exchange(t.Context(), req))
	})
}
