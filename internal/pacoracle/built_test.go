package pacoracle

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
	"github.com/gmsasim/gmsasim/fakekdc/pac"
)

var (
	contoso  = security.MustSID("S-1-5-21-1004336348-1177238915-682003330")
	fabrikam = security.MustSID("S-1-5-21-7-8-9")
	when     = time.Date(2019, 5, 3, 10, 0, 0, 0, time.UTC)
)

func key(t testing.TB, etype int32, seed byte) *krbcrypt.Key {
	t.Helper()
	k, err := krbcrypt.RandomKey(etype, rand.NewChaCha8([32]byte{seed}))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// samples are PACs of every kind of account and ticket.
func samples() map[string]*pac.PAC {
	requested := pac.AttributeRequested
	user := &pac.LogonInfo{
		LogonTime: when.Add(123456700), LogoffTime: pac.Never(), KickOffTime: pac.Never(), PasswordLastSet: when, PasswordCanChange: when.Add(24 * time.Hour),
		PasswordMustChange: when.Add(42 * 24 * time.Hour), EffectiveName: "alice", LogonCount: 370, UserID: 1104, PrimaryGroupID: 513,
		Groups: []pac.GroupMembership{{RID: 513, Attributes: pac.GroupDefault}}, UserFlags: pac.UserFlagExtraSIDs, LogonServer: "DC01",
		LogonDomainName: "CONTOSO", LogonDomainID: contoso, UserAccountControl: pac.UserNormalAccount,
		ExtraSIDs: []pac.SIDAndAttributes{{SID: security.AuthenticationAuthorityAssert, Attributes: pac.GroupDefault}},
	}
	gmsa := *user
	gmsa.EffectiveName, gmsa.UserID, gmsa.PrimaryGroupID, gmsa.UserAccountControl = "webapp01$", 1105, 515, pac.UserWorkstationTrust
	gmsa.PasswordCanChange, gmsa.PasswordMustChange = when, pac.Never()
	gmsa.Groups = []pac.GroupMembership{{RID: 515, Attributes: pac.GroupDefault}, {RID: 1110, Attributes: pac.GroupDefault}}
	gmsa.UserFlags |= pac.UserFlagResourceGroups
	gmsa.ResourceGroupDomain = contoso
	gmsa.ResourceGroups = []pac.GroupMembership{{RID: 1120, Attributes: pac.GroupResource}, {RID: 1121, Attributes: pac.GroupResource}}
	full := gmsa
	full.FullName, full.LogonScript, full.ProfilePath, full.HomeDirectory, full.HomeDirectoryDrive = "Wéb 𝄞", "a.cmd", `\\dc01\p`, `C:\`, "H:"
	full.BadPasswordCount, full.UserSessionKey = 3, [16]byte{0: 1, 7: 2, 8: 3, 15: 4}
	full.ExtraSIDs = []pac.SIDAndAttributes{{SID: security.AuthenticationAuthorityAssert, Attributes: 7}, {SID: fabrikam.Append(1100), Attributes: 7}, {SID: security.MustSID("S-1-5-9"), Attributes: 7}}
	for i := range 200 {
		full.Groups = append(full.Groups, pac.GroupMembership{RID: uint32(2000 + i), Attributes: pac.GroupDefault})
	}
	upn := func(name, sam string, flags uint32, rid uint32) *pac.UPNDNSInfo {
		return &pac.UPNDNSInfo{UPN: name, DNSDomain: "CONTOSO.COM", Flags: flags, SAMAccountName: sam, SID: contoso.Append(rid)}
	}
	return map[string]*pac.PAC{
		"TGT of a user": {LogonInfo: user, ClientInfo: &pac.ClientInfo{AuthTime: when, Name: "alice"}, UPNDNSInfo: upn("alice@contoso.com", "alice", pac.UPNExtended, 1104),
			Attributes: &requested, Requestor: contoso.Append(1104)},
		"service ticket of a gMSA": {LogonInfo: &gmsa, ClientInfo: &pac.ClientInfo{AuthTime: when, Name: "webapp01$"},
			UPNDNSInfo: upn("webapp01$@contoso.com", "webapp01$", pac.UPNExtended|pac.UPNConstructed, 1105)},
		"everything": {LogonInfo: &full, ClientInfo: &pac.ClientInfo{AuthTime: when, Name: "webapp01$"}, UPNDNSInfo: upn("webapp01$@contoso.com", "webapp01$", 3, 1105),
			Attributes: &requested, Requestor: contoso.Append(1105),
			Delegation: &pac.DelegationInfo{Target: "http/web.contoso.com", Transited: []string{"svc$@CONTOSO.COM", "other$@CONTOSO.COM"}}},
		"delegation through nobody": {LogonInfo: user, Delegation: &pac.DelegationInfo{Target: "http/web.contoso.com"}},
		"nothing but names":         {LogonInfo: &pac.LogonInfo{EffectiveName: "x", LogonDomainID: contoso}, ClientInfo: &pac.ClientInfo{AuthTime: when, Name: "x"}},
		"long name":                 {LogonInfo: user, ClientInfo: &pac.ClientInfo{AuthTime: when, Name: strings.Repeat("n", 255)}},
	}
}

func TestBuilt(t *testing.T) {
	for name, p := range samples() {
		for _, server := range []int32{krbcrypt.AES256SHA1, krbcrypt.AES128SHA1, krbcrypt.RC4HMAC, krbcrypt.AES256SHA384, krbcrypt.AES128SHA256} {
			for _, service := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, etype %d, service %t", name, server, service), func(t *testing.T) {
					k := keys{server: key(t, server, 1), kdc: key(t, krbcrypt.AES256SHA1, 2), full: service}
					if service {
						k.ticket = []byte("the DER of a ticket")
					}
					b, err := p.Sign(pac.SignOptions{ServerKey: k.server, KDCKey: k.kdc, TicketPart: k.ticket, Full: k.full})
					if err != nil {
						t.Fatal(err)
					}
					got, err := judge(b, k)
					if err != nil {
						t.Fatal(err)
					}
					compare(t, got, p)
					if !slices.IsSorted(types(got)) {
						t.Errorf("order: got %v", types(got))
					}
				})
			}
		}
	}
}

func TestFlippedBitIsNoticed(t *testing.T) {
	p := samples()["service ticket of a gMSA"]
	for _, etype := range []int32{krbcrypt.AES256SHA1, krbcrypt.RC4HMAC} {
		k := keys{server: key(t, etype, 1), kdc: key(t, krbcrypt.AES256SHA1, 2), ticket: []byte("the DER of a ticket"), full: true}
		b, err := p.Sign(pac.SignOptions{ServerKey: k.server, KDCKey: k.kdc, TicketPart: k.ticket, Full: true})
		if err != nil {
			t.Fatal(err)
		}
		flips(t, b, k)
		other := k
		other.ticket = []byte("the DER of another")
		if _, err := judge(b, other); err == nil {
			t.Error("another ticket: nobody notices")
		}
	}
}
