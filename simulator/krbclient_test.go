package simulator

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// replyKey is the key under which the corpus of FuzzReply was made.
func replyKey() *krbcrypt.Key {
	k, err := krbcrypt.NewKey(etypeAES256, bytes.Repeat([]byte{7}, 32))
	if err != nil {
		panic(err)
	}
	return k
}

// FuzzReply reads octets as a KDC's answer: as an error, and as a reply under a key that the client has.
func FuzzReply(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		if e := readKRBError(b); e != nil && e.Error() == "" {
			t.Error("an error without a text")
		}
		c := &krbClient{}
		for msg, usage := range map[int]uint32{msgASRep: usageASRep, msgTGSRep: usageTGSRepSession} {
			cred, err := c.readReply(b, msg, 12345, usage, "DC01", func(etype int32, _ string) (*krbcrypt.Key, error) {
				if etype != etypeAES256 {
					return nil, errors.New("another type")
				}
				return replyKey(), nil
			})
			if err == nil && (cred.key == nil || cred.raw == nil) {
				t.Errorf("a reply without key or ticket: %+v", cred)
			}
		}
	})
}

// FuzzETypeInfo reads octets as the hints of a pre-authentication error.
func FuzzETypeInfo(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		want := []int32{etypeAES256, etypeRC4}
		etype, _, ok := readETypeInfo2(b, want)
		if ok && etype != etypeAES256 && etype != etypeRC4 {
			t.Errorf("got encryption type %d, which is none of %v", etype, want)
		}
	})
}

// reply makes a KDC's reply for the tests and the corpus.
func reply(msg int, nonce int64, usage uint32) []byte {
	at := derTime(time.Date(2019, 5, 3, 10, 0, 0, 0, time.UTC))
	session := tlv(tagSequence, field(0, derInt(etypeAES256)), field(1, tlv(tagOctetString, bytes.Repeat([]byte{9}, 32))))
	part := tlv(application0+tagEncASRepPart, tlv(tagSequence, field(0, session), field(1, tlv(tagSequence)), field(2, derInt(nonce)), field(4, derFlags(0x40e10000)),
		field(5, at), field(7, at), field(9, derString("CONTOSO.COM")), field(10, serverName("krbtgt/CONTOSO.COM"))))
	if msg == msgTGSRep {
		part[0] = application0 + tagEncTGSRepPart
	}
	cipher, err := replyKey().Encrypt(nil, part, usage, bytes.NewReader(make([]byte, 64)))
	if err != nil {
		panic(err)
	}
	ticket := tlv(application0+1, tlv(tagSequence, field(0, derInt(5)), field(1, derString("CONTOSO.COM")), field(2, serverName("krbtgt/CONTOSO.COM")),
		field(3, tlv(tagSequence, field(0, derInt(etypeAES256)), field(1, derInt(2)), field(2, tlv(tagOctetString, []byte("sealed")))))))
	return tlv(application0+byte(msg), tlv(tagSequence, field(0, derInt(5)), field(1, derInt(int64(msg))), field(3, derString("CONTOSO.COM")),
		field(4, principalName(nameTypePrincipal, "alice")), field(5, ticket), field(6, encryptedData(etypeAES256, cipher))))
}

func TestReadReply(t *testing.T) {
	key := func(int32, string) (*krbcrypt.Key, error) { return replyKey(), nil }
	c := &krbClient{}
	cred, err := c.readReply(reply(msgASRep, 12345, usageASRep), msgASRep, 12345, usageASRep, "DC01", key)
	check(t, err)
	if cred.client != "alice" || cred.server != "krbtgt/CONTOSO.COM" || cred.kvno != 2 || cred.flags != 0x40e10000 || cred.key.EType != etypeAES256 {
		t.Errorf("got %+v", cred)
	}
	if _, err := c.readReply(reply(msgASRep, 1, usageASRep), msgASRep, 12345, usageASRep, "DC01", key); !errors.Is(err, errNonce) {
		t.Errorf("another nonce: got %v, want %v", err, errNonce)
	}
	for name, b := range map[string][]byte{
		"another message": reply(msgTGSRep, 12345, usageTGSRepSession),
		"another usage":   reply(msgASRep, 12345, usageTGSRepSession),
		"cut short":       reply(msgASRep, 12345, usageASRep)[:200],
		"nothing":         nil,
	} {
		if _, err := c.readReply(b, msgASRep, 12345, usageASRep, "DC01", key); err == nil {
			t.Errorf("%s: got nil", name)
		}
	}
}
