package pacoracle

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/messages"
	krbtypes "github.com/jcmturner/gokrb5/v8/types"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
	"github.com/gmsasim/gmsasim/fakekdc/pac"
)

const realm = "CONTOSO.COM"

// accounts are principals with PACs: those of memory, and what a directory would say of each.
type accounts struct {
	*fakekdc.MemPrincipals
	pacs      map[string]*pac.PAC
	resources []pac.GroupMembership
}

func (a *accounts) Authorize(_ context.Context, p *fakekdc.Principal) (*pac.PAC, error) {
	return a.pacs[strings.ToLower(p.Name.String())], nil
}

func (a *accounts) ResourceGroups(context.Context, *fakekdc.Principal, []security.SID) (security.SID, []pac.GroupMembership, error) {
	return contoso, a.resources, nil
}

// lab is a KDC behind a socket and gokrb5's client of it.
type lab struct {
	accounts *accounts
	conf     *config.Config
}

func newLab(t *testing.T) *lab {
	t.Helper()
	a := &accounts{MemPrincipals: fakekdc.NewMemPrincipals(realm), pacs: map[string]*pac.PAC{}, resources: []pac.GroupMembership{{RID: 1120, Attributes: pac.GroupResource}}}
	for i, p := range []*fakekdc.Principal{a.Add("alice", "Alice!2026"), a.Add("webapp01$", "secret", "http/web.contoso.com"), a.Add("old$", "secret", "http/old.contoso.com")} {
		name := p.Name.String()
		p.SID = contoso.Append(uint32(1104 + i))
		if name == "old$" {
			p.SupportedETypes = fakekdc.ETypeBitRC4
		}
		primary, control := uint32(513), pac.UserNormalAccount
		if strings.HasSuffix(name, "$") {
			primary, control = 515, pac.UserWorkstationTrust
		}
		a.pacs[name] = &pac.PAC{
			LogonInfo: &pac.LogonInfo{LogonTime: when, LogoffTime: pac.Never(), KickOffTime: pac.Never(), PasswordLastSet: when, PasswordCanChange: when,
				PasswordMustChange: pac.Never(), EffectiveName: name, LogonCount: 3, UserID: p.SID.RID(), PrimaryGroupID: primary,
				Groups: []pac.GroupMembership{{RID: primary, Attributes: pac.GroupDefault}}, UserFlags: pac.UserFlagExtraSIDs, LogonServer: "DC01",
				LogonDomainName: "CONTOSO", LogonDomainID: contoso, UserAccountControl: control,
				ExtraSIDs: []pac.SIDAndAttributes{{SID: security.AuthenticationAuthorityAssert, Attributes: pac.GroupDefault}}},
			UPNDNSInfo: &pac.UPNDNSInfo{UPN: name + "@contoso.com", DNSDomain: realm, Flags: pac.UPNExtended, SAMAccountName: name, SID: p.SID},
		}
	}
	server := fakekdc.NewServer(&fakekdc.KDC{Realm: realm, NetBIOSName: "CONTOSO", Principals: a})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(context.Background(), l) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return &lab{accounts: a, conf: clientConfig(t, realm, l.Addr().String())}
}

func clientConfig(t *testing.T, realm, kdc string) *config.Config {
	t.Helper()
	conf, err := config.NewFromString(fmt.Sprintf("[libdefaults]\n default_realm = %[1]s\n dns_lookup_kdc = false\n udp_preference_limit = 1\n[realms]\n %[1]s = {\n kdc = %[2]s\n }\n", realm, kdc))
	if err != nil {
		t.Fatal(err)
	}
	return conf
}

// tickets signs in and gets a ticket for a service.
func tickets(t *testing.T, cl *client.Client, conf *config.Config, spn string) (tgt, service messages.Ticket) {
	t.Helper()
	req, err := messages.NewASReqForTGT(cl.Credentials.Domain(), conf, cl.Credentials.CName())
	if err != nil {
		t.Fatal(err)
	}
	as, err := cl.ASExchange(cl.Credentials.Domain(), req, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, tgs, err := cl.TGSREQGenerateAndExchange(krbtypes.NewPrincipalName(2, spn), cl.Credentials.Domain(), as.Ticket, as.DecryptedEncPart.Key, false)
	if err != nil {
		t.Fatal(err)
	}
	return as.Ticket, tgs.Ticket
}

func (l *lab) keyOf(t *testing.T, parts ...string) func(etype int32) *krbcrypt.Key {
	t.Helper()
	p, err := l.accounts.Server(t.Context(), fakekdc.Name{Type: 2, Parts: parts})
	if err != nil {
		t.Fatal(err)
	}
	set, err := p.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return func(etype int32) *krbcrypt.Key {
		i := slices.IndexFunc(set.Keys, func(k *krbcrypt.Key) bool { return k.EType == etype })
		if i < 0 {
			t.Fatalf("%v has no key of encryption type %d", parts, etype)
		}
		return set.Keys[i]
	}
}

// open decrypts a ticket with gokrb5 and returns what is in it, its PAC, and its DER with one zero octet in the PAC's place ([MS-PAC] 2.8.3).
func open(t *testing.T, ticket messages.Ticket, k *krbcrypt.Key) (part messages.EncTicketPart, pacBytes, without []byte) {
	t.Helper()
	plain, err := crypto.DecryptEncPart(ticket.EncPart, krbtypes.EncryptionKey{KeyType: k.EType, KeyValue: k.Value}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := part.Unmarshal(plain); err != nil {
		t.Fatal(err)
	}
	bare := part
	bare.AuthorizationData = nil
	for _, outer := range part.AuthorizationData {
		var inner krbtypes.AuthorizationData
		if outer.ADType == 1 {
			if err := inner.Unmarshal(outer.ADData); err != nil {
				t.Fatal(err)
			}
		}
		for i := range inner {
			if inner[i].ADType == 128 {
				pacBytes, inner[i].ADData = inner[i].ADData, []byte{0}
			}
		}
		if inner != nil {
			if outer.ADData, err = asn1.Marshal(inner); err != nil {
				t.Fatal(err)
			}
		}
		bare.AuthorizationData = append(bare.AuthorizationData, outer)
	}
	b, err := asn1.Marshal(bare)
	if err != nil {
		t.Fatal(err)
	}
	return part, pacBytes, asn1tools.AddASNAppTag(b, 3)
}

func TestIssued(t *testing.T) {
	l := newLab(t)
	for _, tt := range []struct {
		client, password string
		service          string
		etype            int32 // of the service's key
	}{
		{"alice", "Alice!2026", "http/web.contoso.com", krbcrypt.AES256SHA1},
		{"webapp01$", "secret", "http/web.contoso.com", krbcrypt.AES256SHA1},
		{"alice", "Alice!2026", "http/old.contoso.com", krbcrypt.RC4HMAC},
	} {
		t.Run(tt.client+" at "+tt.service, func(t *testing.T) {
			cl := client.NewWithPassword(tt.client, realm, tt.password, l.conf, client.DisablePAFXFAST(true))
			tgt, service := tickets(t, cl, l.conf, tt.service)
			krbtgt := l.keyOf(t, "krbtgt", realm)(krbcrypt.AES256SHA1)

			part, b, _ := open(t, tgt, krbtgt)
			k := keys{server: krbtgt, kdc: krbtgt}
			got, err := judge(b, k)
			if err != nil {
				t.Fatalf("TGT: %v", err)
			}
			if want := []uint32{1, 6, 7, 10, 12, 17, 18}; !slices.Equal(types(got), want) {
				t.Errorf("buffers of the TGT: got %v, want %v", types(got), want)
			}
			base := l.accounts.pacs[tt.client]
			implicit := pac.AttributeGivenImplicitly
			compare(t, got, &pac.PAC{LogonInfo: base.LogonInfo, UPNDNSInfo: base.UPNDNSInfo, Attributes: &implicit, Requestor: base.UPNDNSInfo.SID,
				ClientInfo: &pac.ClientInfo{AuthTime: part.AuthTime, Name: tt.client}})
			flips(t, b, k)

			holder := l.keyOf(t, strings.Split(tt.service, "/")...)(tt.etype)
			part, b, without := open(t, service, holder)
			k = keys{server: holder, kdc: krbtgt, ticket: without, full: true}
			if got, err = judge(b, k); err != nil {
				t.Fatalf("service ticket: %v", err)
			}
			if want := []uint32{1, 6, 7, 10, 12, 16, 19}; !slices.Equal(types(got), want) {
				t.Errorf("buffers of the service ticket: got %v, want %v", types(got), want)
			}
			logon := *base.LogonInfo
			logon.UserFlags |= pac.UserFlagResourceGroups
			logon.ResourceGroupDomain, logon.ResourceGroups = contoso, l.accounts.resources
			compare(t, got, &pac.PAC{LogonInfo: &logon, UPNDNSInfo: base.UPNDNSInfo, ClientInfo: &pac.ClientInfo{AuthTime: part.AuthTime, Name: tt.client}})
			flips(t, b, k)

			// The ticket's own fields are signed too.
			part.EndTime = part.EndTime.Add(time.Hour)
			k.ticket = remade(t, part)
			if _, err := judge(b, k); err == nil {
				t.Error("a ticket with another end time: nobody notices")
			}
		})
	}
}

// remade is the DER of a ticket with one zero octet in the PAC's place.
func remade(t *testing.T, part messages.EncTicketPart) []byte {
	t.Helper()
	inner, err := asn1.Marshal(krbtypes.AuthorizationData{{ADType: 128, ADData: []byte{0}}})
	if err != nil {
		t.Fatal(err)
	}
	part.AuthorizationData = krbtypes.AuthorizationData{{ADType: 1, ADData: inner}}
	b, err := asn1.Marshal(part)
	if err != nil {
		t.Fatal(err)
	}
	return asn1tools.AddASNAppTag(b, 3)
}
