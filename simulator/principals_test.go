package simulator

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc"
	"github.com/gmsasim/gmsasim/fakekdc/pac"
)

// severalDomains is a forest of two trees.
func severalDomains() Config {
	cfg := Contoso()
	cfg.Domains = []DomainConfig{{DNSName: "emea.contoso.com"}, {DNSName: "fabrikam.com", DCs: []string{"FAB1"}}}
	cfg.Users = append(cfg.Users, User{Name: "dora", Domain: "emea.contoso.com", UserPrincipalName: "dora@contoso.com"})
	cfg.Keys = rememberedForTests
	return cfg
}

func principalsOf(d *Domain, dc string) (principals, context.Context) {
	return principals{d.DC(dc)}, d.inside("test")
}

func TestClientAndServerNames(t *testing.T) {
	d := StartT(t, severalDomains())
	p, ctx := principalsOf(d, "DC01")
	for _, tc := range []struct {
		kind  int32
		name  string
		want  string // sAMAccountName
		realm string // of another domain
	}{
		{fakekdc.NamePrincipal, "ALICE", "alice", ""},
		{fakekdc.NamePrincipal, "webapp01", "WebApp01$", ""},
		{fakekdc.NamePrincipal, "webapp01$", "WebApp01$", ""},
		{fakekdc.NamePrincipal, "dora", "", ""},
		{fakekdc.NamePrincipal, "host/webapp01", "", ""},
		{fakekdc.NameEnterprise, "alice@contoso.com", "alice", ""},
		{fakekdc.NameEnterprise, "dora@contoso.com", "", "EMEA.CONTOSO.COM"},
		{fakekdc.NameEnterprise, "dora@emea.contoso.com", "", "EMEA.CONTOSO.COM"},
		{fakekdc.NameEnterprise, "dora@nowhere.com", "", ""},
		{nameMSPrincipal, `CONTOSO\alice`, "alice", ""},
		{nameMSPrincipal, `EMEA\dora`, "", ""},
	} {
		got, err := p.Client(ctx, fakekdc.ParseName(tc.kind, tc.name))
		var wrong *fakekdc.WrongRealmError
		switch {
		case tc.realm != "":
			if !errors.As(err, &wrong) || wrong.Realm != tc.realm {
				t.Errorf("client %s: got %v, %v, want realm %s", tc.name, got, err, tc.realm)
			}
		case tc.want == "":
			if !errors.Is(err, fakekdc.ErrUnknown) {
				t.Errorf("client %s: got %v, %v, want that it is unknown", tc.name, got, err)
			}
		case err != nil || got.Name.String() != tc.want:
			t.Errorf("client %s: got %v, %v, want %s", tc.name, got, err, tc.want)
		}
	}
	for name, want := range map[string]string{
		"krbtgt/CONTOSO.COM": "krbtgt", "host/WEBAPP01": "WebApp01$", "http/containerhost01.contoso.com": "CONTAINERHOST01$", // through the aliases of host
		"webapp01": "WebApp01$", "ldap/dc01.contoso.com": "DC01$", "LDAP/DC01.contoso.com/contoso.com": "DC01$",
	} {
		got, err := p.Server(ctx, fakekdc.ParseName(fakekdc.NameService, name))
		if err != nil || got.Name.String() != want {
			t.Errorf("server %s: got %v, %v, want %s", name, got, err, want)
		}
	}
	if got, err := p.Server(ctx, fakekdc.ParseName(fakekdc.NameEnterprise, "WebApp01$@contoso.com")); err != nil || got.Name.String() != "WebApp01$" {
		t.Errorf("server by enterprise name: got %v, %v", got, err)
	}
	// A user who has no service principal name is no service.
	for kind, name := range map[int32]string{fakekdc.NameEnterprise: "alice@contoso.com", fakekdc.NamePrincipal: "alice", nameMSPrincipal: `CONTOSO\alice`} {
		if got, err := p.Server(ctx, fakekdc.ParseName(kind, name)); !errors.Is(err, fakekdc.ErrUnknown) {
			t.Errorf("server %s: got %v, %v, want that it is unknown", name, got, err)
		}
	}
	if _, err := p.Server(ctx, fakekdc.ParseName(fakekdc.NameService, "http/nobody")); !errors.Is(err, fakekdc.ErrUnknown) {
		t.Errorf("server of nobody: got %v", err)
	}
}

// TestRestrictions: what keeps an account from signing in.
func TestRestrictions(t *testing.T) {
	cfg := Contoso()
	cfg.Users = append(cfg.Users, User{Name: "gone", Disabled: true})
	d := StartT(t, cfg)
	p, ctx := principalsOf(d, "DC01")
	set := func(user string, a directory.Attribute) {
		t.Helper()
		check(t, p.dc.replica.Modify(ctx, directory.System(), "CN="+user+",CN=Users,DC=contoso,DC=com", []directory.Modification{{Op: directory.ModReplace, Attribute: a}}, false))
	}
	status := func(user string) (restriction, password fakekdc.Status) {
		t.Helper()
		c, err := p.Client(ctx, fakekdc.ParseName(fakekdc.NamePrincipal, user))
		check(t, err)
		return c.Restriction, c.PasswordStatus
	}
	if r, _ := status("gone"); r != fakekdc.StatusAccountDisabled {
		t.Errorf("disabled: got %#x", r)
	}
	if r, _ := status("krbtgt"); r != fakekdc.StatusAccountDisabled {
		t.Errorf("krbtgt as a client: got %#x, want it disabled", r)
	}
	if r, w := status("alice"); r != 0 || w != 0 {
		t.Errorf("got %#x and %#x, want no restriction", r, w)
	}
	hours := slices.Repeat([]byte{0xff}, 21)
	hours[5*3+1] = 0xfb // Friday 10:00 UTC
	set("alice", directory.Attribute{Name: "logonHours", Values: [][]byte{hours}})
	if r, _ := status("alice"); r != fakekdc.StatusInvalidLogonHours {
		t.Errorf("outside the hours: got %#x", r)
	}
	d.Clock.Advance(time.Hour)
	if r, _ := status("alice"); r != 0 {
		t.Errorf("an hour later: got %#x, want none", r)
	}
	set("alice", directory.Text("accountExpires", "1"))
	if r, _ := status("alice"); r != fakekdc.StatusAccountExpired {
		t.Errorf("expired: got %#x", r)
	}
	set("alice", directory.Text("accountExpires", "0"))
	set("alice", directory.Text("pwdLastSet", "0"))
	if _, w := status("alice"); w != fakekdc.StatusPasswordMustChange {
		t.Errorf("must change: got %#x", w)
	}
	set("alice", directory.Text("pwdLastSet", "-1"))
	d.Clock.Advance(43 * 24 * time.Hour)
	if _, w := status("alice"); w != fakekdc.StatusPasswordExpired {
		t.Errorf("password of 43 days: got %#x", w)
	}
}

func TestAuthorize(t *testing.T) {
	cfg := severalDomains()
	cfg.Groups = append(cfg.Groups, Group{Name: "Admins2", Scope: Global, Members: []string{"alice", "WebApp01$"}})
	d := StartT(t, cfg)
	p, ctx := principalsOf(d, "DC01")
	authorize := func(ctx context.Context, name string) *pac.PAC {
		t.Helper()
		c, err := p.Client(ctx, fakekdc.ParseName(fakekdc.NamePrincipal, name))
		check(t, err)
		a, err := p.Authorize(ctx, c)
		check(t, err)
		return a
	}
	rids := func(l *pac.LogonInfo) []uint32 {
		var list []uint32
		for _, g := range l.Groups {
			list = append(list, g.RID)
		}
		return list
	}
	a := authorize(ctx, "webapp01")
	l := a.LogonInfo
	if l.EffectiveName != "WebApp01$" || l.PrimaryGroupID != 515 || l.UserAccountControl != pac.UserWorkstationTrust || l.LogonServer != "DC01" || l.LogonDomainName != "CONTOSO" ||
		l.LogonDomainID != d.root().SID || !l.PasswordMustChange.Equal(pac.Never()) || l.UserFlags != pac.UserFlagExtraSIDs {
		t.Errorf("service account: got %+v", l)
	}
	if got := rids(l); len(got) != 2 || got[0] != 515 || got[1] < 1000 {
		t.Errorf("groups of the service account: got %v, want the primary group and the global one", got)
	}
	if a.UPNDNSInfo.UPN != "WebApp01$@contoso.com" || a.UPNDNSInfo.DNSDomain != "CONTOSO.COM" || a.UPNDNSInfo.Flags != pac.UPNConstructed|pac.UPNExtended {
		t.Errorf("got %+v", a.UPNDNSInfo)
	}
	if !slices.ContainsFunc(l.ExtraSIDs, func(s pac.SIDAndAttributes) bool { return s.SID == sidAuthenticationAsserted }) {
		t.Error("no SID for the asserted identity")
	}
	dc := authorize(ctx, "DC01$").LogonInfo
	if dc.UserAccountControl&pac.UserServerTrust == 0 || dc.PrimaryGroupID != 516 || !slices.ContainsFunc(dc.ExtraSIDs, func(s pac.SIDAndAttributes) bool { return s.SID == sidEnterpriseDCs }) {
		t.Errorf("a DC: got %+v", dc)
	}
	other := security.MustSID("S-1-5-21-1-2-3-1105")
	noted := &[]directory.GroupMembership{{SID: d.root().SID.Append(513), Attributes: 7}, {SID: other, Attributes: 7}}
	then := authorize(withDoor(d.ctx, &door{from: "test", groups: noted}), "alice").LogonInfo
	if got := rids(then); !slices.Equal(got, []uint32{513}) || then.ExtraSIDs[len(then.ExtraSIDs)-1].SID != other {
		t.Errorf("with memberships of another time: got %v and %v", got, then.ExtraSIDs)
	}
}

func TestTrustRoutes(t *testing.T) {
	d := StartT(t, severalDomains())
	for _, tc := range []struct{ dc, realm, next string }{
		{"DC01", "EMEA.CONTOSO.COM", "EMEA.CONTOSO.COM"},
		{"DC01", "fabrikam.com", "FABRIKAM.COM"},
		{"EMEADC01", "CONTOSO.COM", "CONTOSO.COM"},
		{"EMEADC01", "FABRIKAM.COM", "CONTOSO.COM"},
		{"FAB1", "EMEA.CONTOSO.COM", "CONTOSO.COM"},
		{"DC01", "CONTOSO.COM", ""},
		{"DC01", "NOWHERE.COM", ""},
	} {
		p, ctx := principalsOf(d, tc.dc)
		trust, err := p.Trust(ctx, tc.realm)
		if tc.next == "" {
			if !errors.Is(err, fakekdc.ErrUnknown) {
				t.Errorf("%s to %s: got %v, %v, want none", tc.dc, tc.realm, trust, err)
			}
			continue
		}
		check(t, err)
		here, err := trust.Keys(ctx)
		check(t, err)
		if trust.Realm != tc.next || len(here.Keys) == 0 {
			t.Errorf("%s to %s: got the trust with %s and %d keys, want %s", tc.dc, tc.realm, trust.Realm, len(here.Keys), tc.next)
		}
	}
	if _, err := d.KerberosTo(t.Context(), "alice", "ldap/fab1.fabrikam.com"); err != nil {
		t.Errorf("a ticket of the other tree: %v", err)
	}
}

func TestPasswordReset(t *testing.T) {
	d := StartT(t, Contoso())
	p, ctx := principalsOf(d, "DC01")
	client := func(name string) *fakekdc.Principal {
		t.Helper()
		c, err := p.Client(ctx, fakekdc.ParseName(fakekdc.NamePrincipal, name))
		check(t, err)
		return c
	}
	sids := func(name string) []security.SID {
		t.Helper()
		a, err := p.Authorize(ctx, client(name))
		check(t, err)
		return a.SIDs()
	}
	var refused *fakekdc.PasswordError
	if err := p.SetPassword(ctx, client("alice"), sids("alice"), client("Administrator"), "Another!88"); !errors.As(err, &refused) || refused.Result != fakekdc.PasswordAccessDenied {
		t.Errorf("a user resets the administrator's password: got %v, want access denied", err)
	}
	if err := p.SetPassword(ctx, client("Administrator"), sids("Administrator"), client("alice"), "x"); !errors.As(err, &refused) || refused.Result != fakekdc.PasswordSoftError || refused.Policy == nil || refused.Policy.MinLength != 7 {
		t.Errorf("a bad password: got %v with policy %+v, want a soft error with the policy", err, refused)
	}
	check(t, p.SetPassword(ctx, client("Administrator"), sids("Administrator"), client("alice"), "Another!88"))
	if _, err := d.Host("ContainerHost01").SignIn("alice", "Another!88"); err != nil {
		t.Errorf("with the new password: %v", err)
	}
	check(t, d.NewGroup(Group{Name: "x"})) // the administrator's own session goes on
}
