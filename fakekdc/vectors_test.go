package fakekdc

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// TestWindowsTicket opens a service ticket of Windows Server 2022, from MIT krb5's src/lib/krb5/krb/t_pac.c: its signatures hold over
// what we take for the signed part, and its fields are what we would write.
func TestWindowsTicket(t *testing.T) {
	raw, err := os.ReadFile("pac/testdata/pac_windows.json")
	if err != nil {
		t.Fatal(err)
	}
	type keyVector struct {
		EType int32  `json:"etype"`
		Key   string `json:"key"`
	}
	var file struct {
		Vectors []struct {
			Ticket    string    `json:"ticket_der"`
			KrbtgtKey keyVector `json:"krbtgt_key"`
			ServerKey keyVector `json:"server_key"`
		} `json:"vectors"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	key := func(v keyVector) *krbcrypt.Key {
		b, err := hex.DecodeString(v.Key)
		if err != nil {
			t.Fatal(err)
		}
		k, err := krbcrypt.NewKey(v.EType, b)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	tickets := 0
	for _, v := range file.Vectors {
		if v.Ticket == "" {
			continue
		}
		tickets++
		der, err := hex.DecodeString(v.Ticket)
		if err != nil {
			t.Fatal(err)
		}
		r := &reader{b: der}
		tkt := r.ticket()
		if r.err != nil {
			t.Fatal(r.err)
		}
		part, err := decryptTicket(key(v.ServerKey), tkt.enc.cipher)
		if err != nil {
			t.Fatal(err)
		}
		if part.flags != 0x00A50000 || part.cname.String() != "administrator" || part.transited != "" {
			t.Errorf("got flags %#x, client %v, transited %q", part.flags, part.cname, part.transited)
		}
		if err := part.pac.Verify(key(v.ServerKey), key(v.KrbtgtKey), wholeTicketPart(part.fields, placeholder)); err != nil {
			t.Error(err)
		}
		if err := part.checkClientInfo(); err != nil {
			t.Error(err)
		}
		if got := part.encodeFields(); !bytes.Equal(got, part.fields) {
			t.Errorf("fields: got\n%x\nwant\n%x", got, part.fields)
		}
		w := newWriter(64)
		w.ticket(0, tkt)
		outer := &reader{b: w.bytes()}
		if got := outer.want(tagContext); !bytes.Equal(got, der) {
			t.Errorf("ticket: got\n%x\nwant\n%x", got, der)
		}
	}
	if tickets == 0 {
		t.Error("the file has no ticket")
	}
}
