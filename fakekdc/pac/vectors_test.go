package pac

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/iana/adtype"
	"github.com/jcmturner/gokrb5/v8/iana/asnAppTag"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// windows is a PAC that a Windows KDC made, with what signed it.
type windows struct {
	pac               []byte
	serverKey, kdcKey *krbcrypt.Key
	ticketPart        []byte // nil for the one without a ticket
}

type keyVector struct {
	EType int32  `json:"etype"`
	Key   string `json:"key"`
}

func (v keyVector) key(t testing.TB) *krbcrypt.Key {
	t.Helper()
	k, err := krbcrypt.NewKey(v.EType, unhex(t, v.Key))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// testdata/pac_windows.json: a PAC of Windows Server 2003 and a service ticket
// of Windows Server 2022, from MIT krb5's src/lib/krb5/krb/t_pac.c.
func windowsVectors(t testing.TB) (w2003, w2022 windows) {
	t.Helper()
	raw, err := os.ReadFile("testdata/pac_windows.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors []struct {
			PAC       string    `json:"pac"`
			Ticket    string    `json:"ticket_der"`
			KDCKey    keyVector `json:"kdc_key"`
			KrbtgtKey keyVector `json:"krbtgt_key"`
			ServerKey keyVector `json:"server_key"`
		} `json:"vectors"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	for _, v := range file.Vectors {
		if v.PAC != "" {
			w2003 = windows{unhex(t, v.PAC), v.ServerKey.key(t), v.KDCKey.key(t), nil}
			continue
		}
		w2022 = windows{serverKey: v.ServerKey.key(t), kdcKey: v.KrbtgtKey.key(t)}
		w2022.pac, w2022.ticketPart = openTicket(t, unhex(t, v.Ticket), w2022.serverKey)
	}
	if w2003.pac == nil || w2022.pac == nil {
		t.Fatal("a vector is missing")
	}
	return w2003, w2022
}

// openTicket decrypts a ticket and splits it into its PAC and the part that the
// ticket signature covers.
func openTicket(t testing.TB, der []byte, key *krbcrypt.Key) (pac, ticketPart []byte) {
	t.Helper()
	var ticket messages.Ticket
	if err := ticket.Unmarshal(der); err != nil {
		t.Fatal(err)
	}
	plain, err := key.Decrypt(nil, ticket.EncPart.Cipher, 2)
	if err != nil {
		t.Fatal(err)
	}
	var part messages.EncTicketPart
	if err := part.Unmarshal(plain); err != nil {
		t.Fatal(err)
	}
	for i, ad := range part.AuthorizationData {
		var inner types.AuthorizationData
		if ad.ADType != adtype.ADIfRelevant || inner.Unmarshal(ad.ADData) != nil || inner[0].ADType != adtype.ADWin2KPAC {
			continue
		}
		pac = inner[0].ADData
		inner[0].ADData = []byte{0}
		if part.AuthorizationData[i].ADData, err = asn1.Marshal(inner); err != nil {
			t.Fatal(err)
		}
	}
	if pac == nil {
		t.Fatal("no PAC in the ticket")
	}
	b, err := asn1.Marshal(part)
	if err != nil {
		t.Fatal(err)
	}
	return pac, asn1tools.AddASNAppTag(b, asnAppTag.EncTicketPart)
}

func mustParse(t testing.TB, b []byte) *PAC {
	t.Helper()
	p, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestWindows2003(t *testing.T) {
	w, _ := windowsVectors(t)
	p := mustParse(t, w.pac)
	if err := p.Verify(w.serverKey, w.kdcKey, nil); err != nil {
		t.Error(err)
	}
	domain := security.MustSID("S-1-5-21-3048156945-3961193616-3706469200")
	set := at("2005-06-17T17:31:09.2216Z")
	want := &LogonInfo{
		LogonTime: at("2005-06-30T08:43:32.2526512Z"), LogoffTime: Never(), KickOffTime: Never(),
		PasswordLastSet: set, PasswordCanChange: set, PasswordMustChange: Never(),
		EffectiveName: "W2003FINAL$", LogonCount: 101, UserID: 1005, PrimaryGroupID: 516,
		Groups:    []GroupMembership{{516, GroupDefault}},
		UserFlags: UserFlagExtraSIDs, LogonServer: "W2003FINAL", LogonDomainName: "WIN2K3THINK", LogonDomainID: domain,
		UserAccountControl: UserServerTrust | UserTrustedForDelegation,
		ExtraSIDs:          []SIDAndAttributes{{security.EnterpriseDCs, GroupDefault}},
	}
	if !reflect.DeepEqual(p.LogonInfo, want) {
		t.Errorf("logon info: got %+v\nwant %+v", p.LogonInfo, want)
	}
	if want := (&ClientInfo{AuthTime: at("2005-07-04T01:30:09Z"), Name: "w2003final$"}); !reflect.DeepEqual(p.ClientInfo, want) {
		t.Errorf("client info: got %+v, want %+v", p.ClientInfo, want)
	}
	checkSIDs(t, p, domain.Append(1005), domain.Append(516), security.EnterpriseDCs)

	// Its KDC put client info before the signatures; each buffer is the same.
	b, err := p.Sign(SignOptions{ServerKey: w.serverKey, KDCKey: w.kdcKey})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []uint32{TypeLogonInfo, TypeClientInfo} {
		if got, want := rawBuffer(t, b, kind), rawBuffer(t, w.pac, kind); !bytes.Equal(got, want) {
			t.Errorf("buffer of type %d encoded again: got\n%swant\n%s", kind, hex.Dump(got), hex.Dump(want))
		}
	}
	if err := mustParse(t, b).Verify(w.serverKey, w.kdcKey, nil); err != nil {
		t.Errorf("signed again: %v", err)
	}
}

func TestWindows2022(t *testing.T) {
	_, w := windowsVectors(t)
	p := mustParse(t, w.pac)
	if err := p.Verify(w.serverKey, w.kdcKey, w.ticketPart); err != nil {
		t.Error(err)
	}
	domain := security.MustSID("S-1-5-21-133451344-1126667713-3548050118")
	want := &LogonInfo{
		LogonTime: at("2022-11-23T16:01:59.531685Z"), LogoffTime: Never(), KickOffTime: Never(),
		PasswordLastSet: at("2022-02-14T09:45:46.7651518Z"), PasswordCanChange: at("2022-02-15T09:45:46.7651518Z"), PasswordMustChange: Never(),
		EffectiveName: "Administrator", LogonCount: 370, UserID: 500, PrimaryGroupID: 513,
		Groups:    []GroupMembership{{513, GroupDefault}, {512, GroupDefault}, {520, GroupDefault}, {518, GroupDefault}, {519, GroupDefault}},
		UserFlags: UserFlagExtraSIDs | UserFlagResourceGroups, LogonServer: "W2022-118", LogonDomainName: "W2022-L7", LogonDomainID: domain,
		UserAccountControl:  UserNormalAccount | UserDontExpirePassword,
		ExtraSIDs:           []SIDAndAttributes{{security.AuthenticationAuthorityAssert, GroupDefault}},
		ResourceGroupDomain: domain, ResourceGroups: []GroupMembership{{572, GroupResource}},
	}
	if !reflect.DeepEqual(p.LogonInfo, want) {
		t.Errorf("logon info: got %+v\nwant %+v", p.LogonInfo, want)
	}
	if want := (&ClientInfo{AuthTime: at("2022-11-23T16:01:59Z"), Name: "administrator"}); !reflect.DeepEqual(p.ClientInfo, want) {
		t.Errorf("client info: got %+v, want %+v", p.ClientInfo, want)
	}
	if want := (&UPNDNSInfo{
		UPN: "Administrator@w2022-l7.base", DNSDomain: "W2022-L7.BASE", Flags: UPNConstructed | UPNExtended,
		SAMAccountName: "Administrator", SID: domain.Append(500),
	}); !reflect.DeepEqual(p.UPNDNSInfo, want) {
		t.Errorf("UPN and DNS info: got %+v, want %+v", p.UPNDNSInfo, want)
	}
	checkSIDs(t, p, domain.Append(500), domain.Append(513), domain.Append(512), domain.Append(520), domain.Append(518), domain.Append(519),
		security.AuthenticationAuthorityAssert, domain.Append(572))

	b, err := p.Sign(SignOptions{ServerKey: w.serverKey, KDCKey: w.kdcKey, TicketPart: w.ticketPart, Full: true})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b, w.pac) {
		t.Errorf("encoded again: got\n%swant\n%s", hex.Dump(b), hex.Dump(w.pac))
	}
}

func checkSIDs(t *testing.T, p *PAC, want ...security.SID) {
	t.Helper()
	if got := p.SIDs(); !slices.Equal(got, want) {
		t.Errorf("SIDs: got %v, want %v", got, want)
	}
}

// rawBuffer is the data of a buffer in an encoded PAC.
func rawBuffer(t testing.TB, b []byte, kind uint32) []byte {
	t.Helper()
	for i := range binary.LittleEndian.Uint32(b) {
		info := b[headerSize+infoSize*i:]
		if binary.LittleEndian.Uint32(info) == kind {
			return b[binary.LittleEndian.Uint64(info[8:]):][:binary.LittleEndian.Uint32(info[4:])]
		}
	}
	t.Fatalf("no buffer of type %d", kind)
	return nil
}
