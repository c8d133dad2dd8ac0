package simulator

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

func TestServiceAccountVerbs(t *testing.T) {
	d := StartT(t, Contoso())
	yes := true
	want := ServiceAccount{Name: "Svc", DNSHostName: "svc.contoso.com", SPNs: []string{"http/svc.contoso.com"}, AllowedToRetrieve: []string{"WebApp01Hosts"},
		IntervalDays: 30, EncryptionTypes: []string{"RC4", "AES128", "AES256"}, Enabled: &yes}
	check(t, d.NewServiceAccount(ServiceAccount{Name: "Svc", DNSHostName: want.DNSHostName, SPNs: want.SPNs, AllowedToRetrieve: want.AllowedToRetrieve}))
	got, err := d.ServiceAccount("svc$")
	check(t, err)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	check(t, d.SetServiceAccount("Svc", func(s *ServiceAccount) {
		s.SPNs = append(s.SPNs, "http/svc")
		s.EncryptionTypes = []string{"AES256"}
		s.AllowedToRetrieve = []string{"ContainerHost01$", "alice"}
		s.AllowedToDelegateTo = []string{"http/webapp01"}
		s.TrustedForDelegation = true
		*s.Enabled = false
	}))
	got, err = d.ServiceAccount("Svc")
	check(t, err)
	slices.Sort(got.SPNs)
	if !slices.Equal(got.SPNs, []string{"http/svc", "http/svc.contoso.com"}) || got.DNSHostName != "svc.contoso.com" || !slices.Equal(got.EncryptionTypes, []string{"AES256"}) ||
		!slices.Equal(got.AllowedToRetrieve, []string{"CONTAINERHOST01$", "alice"}) || !slices.Equal(got.AllowedToDelegateTo, []string{"http/webapp01"}) ||
		!got.TrustedForDelegation || *got.Enabled {
		t.Errorf("after Set-ADServiceAccount: got %+v", got)
	}
	check(t, d.SetServiceAccount("Svc", func(s *ServiceAccount) { s.DNSHostName = "other.contoso.com" }))
	if got, err = d.ServiceAccount("Svc"); err != nil || got.DNSHostName != "other.contoso.com" {
		t.Errorf("another dNSHostName: got %+v, %v", got, err)
	}
	if err := d.SetServiceAccount("Svc", func(*ServiceAccount) {}); err != nil {
		t.Errorf("no change: got %v, want nil", err)
	}
	if err := d.SetServiceAccount("Svc", func(s *ServiceAccount) { s.Name = "Other" }); !errors.Is(err, diag.ChangeRefused) {
		t.Errorf("rename: got %v, want %v", err, diag.ChangeRefused)
	}
	check(t, d.RemoveServiceAccount("Svc"))
	if _, err := d.ServiceAccount("Svc"); !errors.Is(err, diag.NoSuchAccount) {
		t.Errorf("after Remove-ADServiceAccount: got %v, want %v", err, diag.NoSuchAccount)
	}
	check(t, d.NewServiceAccount(ServiceAccount{Name: "Svc"}))
}

func TestGroupVerbs(t *testing.T) {
	d := StartT(t, Contoso())
	check(t, d.NewGroup(Group{Name: "Inner", Scope: Global, Members: []string{"ContainerHost01", "CONTAINERHOST02$", "alice"}}))
	check(t, d.NewGroup(Group{Name: "#Outer", Members: []string{"Inner"}}))
	check(t, d.SetServiceAccount("WebApp01", func(s *ServiceAccount) { s.AllowedToRetrieve = []string{"#Outer"} }))
	h := d.Host("ContainerHost02")
	h.Restart()
	check(t, h.TestServiceAccount("WebApp01"))
	check(t, d.RemoveGroupMember("Inner", "ContainerHost02"))
	check(t, h.TestServiceAccount("WebApp01")) // the membership is in the ticket still
	h.Restart()
	if err := h.TestServiceAccount("WebApp01"); !errors.Is(err, diag.NotAllowed) {
		t.Errorf("got %v, want %v", err, diag.NotAllowed)
	}
	check(t, d.RemoveGroup("Inner"))
	for _, tc := range []struct {
		name string
		err  error
		want diag.Code
	}{
		{"new group under a taken name", d.NewGroup(Group{Name: "alice"}), diag.NameTaken},
		{"member that does not exist", d.AddGroupMember("WebApp01Hosts", "nobody"), diag.NoSuchAccount},
		{"group that does not exist", d.AddGroupMember("Inner", "alice"), diag.NoSuchAccount},
		{"member twice", d.AddGroupMember("WebApp01Hosts", "ContainerHost01"), diag.ChangeRefused},
		{"no member", d.RemoveGroupMember("WebApp01Hosts", "alice"), diag.ChangeRefused},
		{"removal of what is not there", d.RemoveGroup("Inner"), diag.NoSuchAccount},
	} {
		if !errors.Is(tc.err, tc.want) {
			t.Errorf("%s: got %v, want %v", tc.name, tc.err, tc.want)
		}
	}
}

func TestRootKeyVerbs(t *testing.T) {
	d := StartT(t, Config{})
	now := d.Clock.Now()
	key, err := d.AddKDSRootKey(Ago(10 * time.Hour))
	check(t, err)
	if key.DC != "DC01" || !key.Created.Equal(now) || !key.Effective.Time(now).Equal(now.Add(-10*time.Hour)) {
		t.Errorf("got key %+v", key)
	}
	keys := d.DC("DC01").KDSRootKeys()
	if len(keys) != 1 || keys[0].ID != key.ID || !keys[0].Usable.Equal(now) || !strings.HasPrefix(keys[0].Creator, "CN=DC01,OU=Domain Controllers") {
		t.Errorf("Get-KdsRootKey: got %+v", keys)
	}
	check(t, d.NewServiceAccount(ServiceAccount{Name: "Svc", AllowedToRetrieve: []string{"Domain Computers"}}))
	h, err := d.JoinHost(HostConfig{Name: "Host01"})
	check(t, err)
	check(t, h.TestServiceAccount("Svc"))
	check(t, d.DeleteKDSRootKey(key.ID))
	if got := d.DC("DC01").KDSRootKeys(); len(got) != 0 {
		t.Errorf("after the deletion: got %+v", got)
	}
	check(t, h.TestServiceAccount("Svc")) // the service has the key in memory
	d.DC("DC01").RestartKDS()
	if err := h.TestServiceAccount("Svc"); err == nil {
		t.Error("after the restart of the service: got True, want that the key is missing")
	}
	if _, err := d.Server("DC09").AddKDSRootKey(Immediately); err == nil {
		t.Error("a DC that does not exist: got nil")
	}
	if _, err := d.As("nobody").AddKDSRootKey(Immediately); err == nil {
		t.Error("an account that does not exist: got nil")
	}
}

func TestUsersAndHosts(t *testing.T) {
	d := StartT(t, Contoso())
	check(t, d.NewUser(User{Name: "bob", Password: "Secret!77"}))
	h, err := d.JoinHost(HostConfig{Name: "ContainerHost09", OS: "Windows Server 2022", LastRestart: d.Clock.Now()})
	check(t, err)
	if _, err := d.JoinHost(HostConfig{Name: "containerhost09$"}); err == nil {
		t.Error("a second host of the same name: got nil")
	}
	s, err := h.SignIn("bob", "Secret!77")
	check(t, err)
	if _, err := s.KerberosTo("host/webapp01"); err != nil {
		t.Error(err)
	}
	if tickets := s.Tickets(); len(tickets) != 2 || tickets[0].Server != "krbtgt/CONTOSO.COM@CONTOSO.COM" || tickets[1].Client != "bob@CONTOSO.COM" {
		t.Errorf("klist: got %+v", tickets)
	}
	s.PurgeTickets()
	if len(s.Tickets()) != 0 {
		t.Error("klist purge leaves tickets")
	}
	check(t, d.SetPassword("bob", "Another!88"))
	if _, err := h.SignIn("bob", "Secret!77"); !errors.Is(err, diag.BadCredentials) {
		t.Errorf("the old password: got %v, want %v", err, diag.BadCredentials)
	}
	if _, err := d.KerberosTo(t.Context(), "bob", "host/webapp01"); err != nil {
		t.Errorf("the domain does not know the new password: %v", err)
	}
	if _, err := d.KerberosTo(t.Context(), "WebApp01", "host/ContainerHost09"); err != nil {
		t.Errorf("as the service account: %v", err)
	}
	if _, err := d.KerberosTo(t.Context(), "ContainerHost09$", "ldap/dc01.contoso.com"); err != nil {
		t.Errorf("as a host: %v", err)
	}
	if _, err := d.As("bob").ServiceAccount("WebApp01"); err != nil {
		t.Errorf("a user reads an account: %v", err)
	}
	if err := d.As("carol").NewGroup(Group{Name: "x"}); err == nil {
		t.Error("an administrator whom nobody knows: got nil")
	}
}

// TestPasswordRoll follows a managed password over a change: what hosts read, which keys work, and who must look again.
func TestPasswordRoll(t *testing.T) {
	d := StartT(t, Contoso())
	h := d.Host("ContainerHost01")
	service, err := h.Service("WebApp01")
	check(t, err)
	first, err := h.ReadPassword("WebApp01", Sealed)
	check(t, err)
	if len(first.Current) != 256 || first.Previous != nil || first.KVNO != 1 || first.QueryInterval-first.UnchangedInterval != 5*time.Minute {
		t.Errorf("got %+v", first)
	}
	r, err := d.Rotation("WebApp01$")
	check(t, err)
	if r.Length() != 720*time.Hour || !r.Start(1).Equal(d.Clock.Now().Add(first.QueryInterval)) {
		t.Errorf("got a rotation of %v from %v, password until %v", r.Length(), r.Start(0), d.Clock.Now().Add(first.QueryInterval))
	}
	if at, what, ok := d.Clock.Next(); !ok || !at.Equal(r.Start(1)) || !strings.Contains(what, "WebApp01$") {
		t.Errorf("next: got %v %q, want the change of the password at %v", at, what, r.Start(1))
	}

	d.Clock.AdvanceTo(r.SkewWindow(0))
	window, err := h.ReadPassword("WebApp01", Sealed)
	check(t, err)
	if string(window.Previous) != string(first.Current) || string(window.Current) == string(first.Current) {
		t.Error("shortly before the change: want the next password as the current one, and the current one as the previous one")
	}
	if _, err := h.SignInAsServiceAccount("WebApp01"); err != nil {
		t.Errorf("sign in shortly before the change: %v", err)
	}

	d.Clock.AdvanceTo(r.PreviousStillValid(1))
	ticket, err := d.KerberosTo(t.Context(), "alice", "host/webapp01")
	check(t, err)
	if ticket.KVNO != 2 {
		t.Errorf("after the change: got key version %d, want 2", ticket.KVNO)
	}
	if err := service.Accept(ticket); !errors.Is(err, diag.TicketUnderOldKey) {
		t.Errorf("a service that has not looked again: got %v, want %v", err, diag.TicketUnderOldKey)
	}
	if _, err := h.SignIn("WebApp01$", ""); !errors.Is(err, diag.BadCredentials) {
		t.Errorf("a wrong password of the account: got %v, want %v", err, diag.BadCredentials)
	}
	old := h.session("WebApp01$", d.managedSecret(first.Current))
	if err := old.logon.signIn(d.ctx); err != nil {
		t.Errorf("the previous password within five minutes: got %v", err)
	}
	check(t, service.Refresh())
	check(t, service.Accept(ticket))

	d.Clock.AdvanceTo(r.Start(1).Add(20 * time.Minute))
	old = h.session("WebApp01$", d.managedSecret(first.Current))
	if err := old.logon.signIn(d.ctx); asKRBError(err) == nil || asKRBError(err).code != krbErrPreauthFailed {
		t.Errorf("the previous password later: got %v, want that pre-authentication fails", err)
	}
	if _, err := h.SignInAsServiceAccount("WebApp01"); err != nil {
		t.Errorf("sign in after the change: %v", err)
	}
}

// TestKeptPassword: a host that has installed the account uses what it keeps when no DC answers.
func TestKeptPassword(t *testing.T) {
	d := StartT(t, Contoso())
	h := d.Host("ContainerHost01")
	check(t, h.InstallServiceAccount("WebApp01"))
	h.ClosePort("389")
	if _, err := h.SignInAsServiceAccount("WebApp01"); err != nil {
		t.Errorf("with the kept password: %v", err)
	}
	r, err := d.Rotation("WebApp01")
	check(t, err)
	d.Clock.AdvanceTo(r.Start(1).Add(time.Minute)) // the host should ask again and cannot; the old password works for five minutes
	if _, err := h.SignInAsServiceAccount("WebApp01"); err != nil {
		t.Errorf("with the kept password after its time: %v", err)
	}
	d.Clock.Advance(10 * time.Minute)
	if _, err := h.SignInAsServiceAccount("WebApp01"); !errors.Is(err, diag.DCUnreachable) {
		t.Errorf("when the kept password works no more: got %v, want %v", err, diag.DCUnreachable)
	}
	h.Restart()
	if _, err := h.SignInAsServiceAccount("WebApp01"); !errors.Is(err, diag.DCUnreachable) {
		t.Errorf("after a restart: got %v, want %v", err, diag.DCUnreachable)
	}
	h.OpenPort("389")
	if _, err := h.SignInAsServiceAccount("WebApp01"); err != nil {
		t.Error(err)
	}
}

// TestFailOver: a host goes on to the next DC whatever is wrong with the first.
func TestFailOver(t *testing.T) {
	for name, spoil := range map[string]func(*Domain){
		"stopped":           func(d *Domain) { d.DC("DC01").Stop() },
		"closed LDAP":       func(d *Domain) { d.Host("ContainerHost01").ClosePort("DC01:389") },
		"closed altogether": func(d *Domain) { d.Host("ContainerHost01").ClosePort("DC01") },
		"busy once":         func(d *Domain) { d.Inject(Fault{On: LDAPSearch, Count: 1, Do: Busy}) },
		"unavailable":       func(d *Domain) { d.Inject(Fault{On: LDAPBind, DC: "DC01", Do: Unavailable}) },
		"search dropped":    func(d *Domain) { d.Inject(Fault{On: LDAPSearch, DC: "DC01", Do: Drop}) },
		"bind reset":        func(d *Domain) { d.Inject(Fault{On: LDAPBind, DC: "DC01", Do: Reset}) },
		"connection":        func(d *Domain) { d.Inject(Fault{On: LDAPConnect, DC: "DC01", Do: Drop}) },
		"KDC":               func(d *Domain) { d.Inject(Fault{On: KDCAS, DC: "DC01", Do: Drop}) },
		"KDC unavailable":   func(d *Domain) { d.Inject(Fault{On: KDCTGS, DC: "DC01", Do: KRBError(29)}) },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := Contoso()
			cfg.DCs = []string{"DC01", "DC02"}
			cfg.Keys = rememberedForTests
			d := StartT(t, cfg)
			spoil(d)
			pw, err := d.Host("ContainerHost01").ReadPassword("WebApp01", Sealed)
			check(t, err)
			if name != "KDC" && name != "KDC unavailable" && pw.DC != "DC02" {
				t.Errorf("got the answer of %s, want DC02", pw.DC)
			}
		})
	}
}

// TestRenewal: the ticket of a host lives on by renewal, with the memberships of its sign-in, for seven days.
func TestRenewal(t *testing.T) {
	cfg := Contoso()
	cfg.Groups[0].Scope, cfg.Groups[0].Members = Global, nil
	d := StartT(t, cfg)
	h := d.Host("ContainerHost01")
	check(t, d.AddGroupMember("WebApp01Hosts", "ContainerHost01"))
	d.Clock.Advance(6 * 24 * time.Hour)
	if err := h.TestServiceAccount("WebApp01"); !errors.Is(err, diag.StaleTicket) {
		t.Errorf("after six days: got %v, want %v", err, diag.StaleTicket)
	}
	tgt := h.Tickets()[0]
	if !tgt.AuthTime.Equal(defaultStart) || !tgt.EndTime.After(d.Clock.Now()) {
		t.Errorf("got a ticket of %v until %v, want a renewed one of %v", tgt.AuthTime, tgt.EndTime, defaultStart)
	}
	d.Clock.Advance(2 * 24 * time.Hour)
	if err := h.TestServiceAccount("WebApp01"); err != nil {
		t.Errorf("after eight days the host has signed in again: got %v, want True", err)
	}
}

func TestSeveralDomains(t *testing.T) {
	cfg := Contoso()
	cfg.Domains = []DomainConfig{{DNSName: "emea.contoso.com"}, {DNSName: "fabrikam.com", DCs: []string{"FAB1"}}}
	cfg.Hosts = append(cfg.Hosts, HostConfig{Name: "EmeaHost", Domain: "emea.contoso.com"})
	cfg.Users = append(cfg.Users, User{Name: "dora", Domain: "emea.contoso.com", UserPrincipalName: "dora@contoso.com"})
	cfg.Groups = append(cfg.Groups, Group{Name: "EmeaHosts", Domain: "emea.contoso.com", Members: []string{"EmeaHost"}})
	cfg.ServiceAccounts = append(cfg.ServiceAccounts, ServiceAccount{Name: "EmeaSvc", Domain: "emea.contoso.com", SPNs: []string{"http/svc.emea.contoso.com"},
		AllowedToRetrieve: []string{"EmeaHosts"}})
	d := StartT(t, cfg)
	emea := d.Host("EmeaHost")
	check(t, emea.TestServiceAccount("EmeaSvc"))
	ticket, err := emea.KerberosTo("host/webapp01.contoso.com")
	check(t, err)
	if ticket.Server != "host/webapp01.contoso.com@CONTOSO.COM" || ticket.Client != "EMEAHOST$@EMEA.CONTOSO.COM" {
		t.Errorf("a ticket of the parent: got %+v", ticket)
	}
	service, err := d.Host("ContainerHost01").Service("WebApp01")
	check(t, err)
	check(t, service.Accept(ticket))
	ticket, err = d.Host("ContainerHost01").KerberosTo("http/svc.emea.contoso.com")
	check(t, err)
	if ticket.Server != "http/svc.emea.contoso.com@EMEA.CONTOSO.COM" {
		t.Errorf("a ticket of the child: got %+v", ticket)
	}
	check(t, d.Server("EMEADC01").NewServiceAccount(ServiceAccount{Name: "Other"}))
	got, err := d.Server("EMEADC01").ServiceAccount("Other")
	check(t, err)
	if got.Domain != "emea.contoso.com" {
		t.Errorf("got %+v, want an account of the child", got)
	}
	if _, err := d.ServiceAccount("Other"); !errors.Is(err, diag.NoSuchAccount) {
		t.Errorf("the child's account in the root domain: got %v, want %v", err, diag.NoSuchAccount)
	}
	if _, err := emea.KerberosTo("http/nobody.contoso.com"); !errors.Is(err, diag.SPNUnknown) {
		t.Errorf("a name of nobody: got %v, want %v", err, diag.SPNUnknown)
	}
}
