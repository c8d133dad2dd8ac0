package gss

import (
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// The judge of these tests is gokrb5: it makes the tickets, takes our tokens apart and makes tokens for us.

var (
	start  = time.Date(2019, 5, 3, 10, 0, 0, 0, time.UTC)
	alice  = Principal{NameType: 1, Components: []string{"alice"}, Realm: "CONTOSO.COM"}
	ldapDC = Principal{NameType: 2, Components: []string{"ldap", "dc01.contoso.com"}, Realm: "CONTOSO.COM"}
	etypes = []int32{krbcrypt.AES256SHA1, krbcrypt.AES128SHA1, krbcrypt.AES256SHA384, krbcrypt.AES128SHA256, krbcrypt.RC4HMAC}
)

// secureFlags are what Windows asks for on LDAP.
const secureFlags = FlagMutual | FlagReplay | FlagSequence | FlagConf | FlagInteg

func stream(seed byte) io.Reader { return rand.NewChaCha8([32]byte{seed}) }

func randomKey(t testing.TB, etype int32, seed byte) *krbcrypt.Key {
	t.Helper()
	k, err := krbcrypt.RandomKey(etype, stream(seed))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// gokrb5Key is a key as gokrb5 knows it.
func gokrb5Key(k *krbcrypt.Key) types.EncryptionKey {
	return types.EncryptionKey{KeyType: k.EType, KeyValue: k.Value}
}

func gokrb5Name(p Principal) types.PrincipalName {
	return types.PrincipalName{NameType: p.NameType, NameString: p.Components}
}

// realm is a service with its key, a ticket for it and the clock of both sides.
type realm struct {
	service, session *krbcrypt.Key
	ticket           []byte
	parsed           messages.Ticket
	now              time.Time
}

var samplePAC = []byte("a privilege attribute certificate")

// newRealm issues a ticket with gokrb5's types; change may alter it before it is encrypted.
func newRealm(t testing.TB, etype int32, change func(*messages.EncTicketPart)) *realm {
	t.Helper()
	r := &realm{service: randomKey(t, krbcrypt.AES256SHA1, 1), session: randomKey(t, etype, 2), now: start.Add(time.Hour)}
	pac, err := asn1.Marshal(types.AuthorizationData{{ADType: 128, ADData: samplePAC}})
	if err != nil {
		t.Fatal(err)
	}
	part := messages.EncTicketPart{
		Flags: asn1.BitString{Bytes: []byte{0x40, 0xa1, 0, 0}, BitLength: 32}, Key: gokrb5Key(r.session), CRealm: alice.Realm, CName: gokrb5Name(alice),
		AuthTime: start, StartTime: start.Add(time.Minute), EndTime: start.Add(10 * time.Hour), RenewTill: start.Add(7 * 24 * time.Hour),
		AuthorizationData: types.AuthorizationData{{ADType: 1, ADData: pac}},
	}
	if change != nil {
		change(&part)
	}
	b, err := asn1.Marshal(part)
	if err != nil {
		t.Fatal(err)
	}
	cipher, err := crypto.GetEncryptedData(asn1tools.AddASNAppTag(b, 3), gokrb5Key(r.service), 2, 7)
	if err != nil {
		t.Fatal(err)
	}
	r.parsed = messages.Ticket{TktVNO: 5, Realm: ldapDC.Realm, SName: gokrb5Name(ldapDC), EncPart: cipher}
	if r.ticket, err = r.parsed.Marshal(); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *realm) clock() time.Time { return r.now }

func (r *realm) acceptor() AcceptorConfig {
	return AcceptorConfig{Now: r.clock, Rand: stream(3),
		Keys: func(Principal, int32, int) ([]*krbcrypt.Key, error) { return []*krbcrypt.Key{r.service}, nil }}
}

func (r *realm) initiator(flags Flags) InitiatorConfig {
	return InitiatorConfig{Ticket: r.ticket, SessionKey: r.session, Client: alice, Flags: flags, Now: r.clock, Rand: stream(4)}
}

// establish runs both sides against each other to the end.
func establish(t testing.TB, i *Initiator, a *Acceptor) (initiator, acceptor *Context) {
	t.Helper()
	var token []byte
	for range 8 {
		out, done, err := i.Step(token)
		if err != nil {
			t.Fatalf("initiator: %v", err)
		}
		if out == nil && done {
			break
		}
		var accepted bool
		if token, accepted, err = a.Step(out); err != nil {
			t.Fatalf("acceptor: %v", err)
		}
		if done || accepted && token == nil {
			break
		}
	}
	if i.Context() == nil || a.Context() == nil {
		t.Fatalf("no end: initiator %v, acceptor %v", i.Context(), a.Context())
	}
	return i.Context(), a.Context()
}

// contexts establishes a context of an encryption type.
func contexts(t testing.TB, etype int32, flags Flags) (initiator, acceptor *Context) {
	t.Helper()
	r := newRealm(t, etype, nil)
	return establish(t, NewInitiator(r.initiator(flags)), NewAcceptor(r.acceptor()))
}

// authenticatorOf makes an authenticator as a client that is not ours would.
func (r *realm) authenticatorOf(flags Flags) types.Authenticator {
	return types.Authenticator{AVNO: 5, CRealm: alice.Realm, CName: gokrb5Name(alice), CTime: r.now.Truncate(time.Second), Cusec: 123456,
		SeqNumber: 0x12345678, Cksum: types.Checksum{CksumType: checksumGSS, Checksum: encodeGSSChecksum([16]byte{}, flags)}}
}

// apReq lets gokrb5 make an AP-REQ, without a header.
func (r *realm) apReq(t testing.TB, auth types.Authenticator, options byte) []byte {
	t.Helper()
	req, err := messages.NewAPReq(r.parsed, gokrb5Key(r.session), auth)
	if err != nil {
		t.Fatal(err)
	}
	req.APOptions = asn1.BitString{Bytes: []byte{options, 0, 0, 0}, BitLength: 32}
	b, err := req.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const mutualOption = 0x20 // first octet of the ap-options
