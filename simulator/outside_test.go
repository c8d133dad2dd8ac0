package simulator

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/keytab"
	mdns "github.com/miekg/dns"

	"github.com/gmsasim/gmsasim/fakeads/kds"
)

// TestOutsideLDAP drives the domain over its sockets with the LDAP client that most Go programs use.
func TestOutsideLDAP(t *testing.T) {
	d := StartT(t, Contoso())
	check(t, d.SetServiceAccount("WebApp01", func(s *ServiceAccount) { s.AllowedToRetrieve = append(s.AllowedToRetrieve, "alice") }))
	password := func(c *ldap.Conn) (string, error) {
		res, err := c.Search(ldap.NewSearchRequest(d.BaseDN(), ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, "(sAMAccountName=WebApp01$)",
			[]string{"msDS-ManagedPassword"}, nil))
		if err != nil {
			return "", err
		}
		if len(res.Entries) != 1 {
			return "", errors.New("not one entry")
		}
		return res.Entries[0].GetAttributeValue("msDS-ManagedPassword"), nil
	}
	trust := &tls.Config{RootCAs: d.RootCAs(), ServerName: d.DC("DC01").DNSName()}

	plain, err := ldap.DialURL(d.LDAPURL())
	check(t, err)
	defer plain.Close()
	check(t, plain.Bind("alice@contoso.com", "Passw0rd!"))
	if _, err := password(plain); !ldap.IsErrorWithCode(err, ldap.LDAPResultOperationsError) || !strings.Contains(err.Error(), "0000202D") {
		t.Errorf("in the clear: got %v, want operationsError with 0000202D", err)
	}
	check(t, plain.StartTLS(trust))
	if blob, err := password(plain); err != nil || len(blob) != 290 {
		t.Errorf("after StartTLS: got %d octets, %v", len(blob), err)
	}

	secure, err := ldap.DialURL(d.LDAPSURL(), ldap.DialWithTLSConfig(trust))
	check(t, err)
	defer secure.Close()
	if err := secure.Bind(`CONTOSO\alice`, "wrong"); !ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) {
		t.Errorf("wrong password: got %v, want result 49", err)
	}
	check(t, secure.Bind(`CONTOSO\alice`, "Passw0rd!"))
	blob, err := password(secure)
	check(t, err)
	parsed, err := kds.ParseBlob([]byte(blob))
	check(t, err)
	inside, err := d.Host("ContainerHost01").ReadPassword("WebApp01", Sealed)
	check(t, err)
	if string(parsed.Current) != string(inside.Current) {
		t.Error("inside and outside read different passwords")
	}
	d.WantTrace(t, "outside -> DC01: ", "msDS-ManagedPassword", `CONTOSO\alice`)

	d.Inject(Fault{On: LDAPSearch, From: "outside", Match: "webapp01", Count: 1, Do: Busy})
	if _, err := password(secure); !ldap.IsErrorWithCode(err, ldap.LDAPResultBusy) {
		t.Errorf("got %v, want busy", err)
	}
	if _, err := password(secure); err != nil {
		t.Errorf("after the fault: got %v", err)
	}
	d.DC("DC01").Stop()
	if _, err := password(secure); err == nil {
		t.Error("a DC that is stopped answers")
	}
	d.DC("DC01").Start()
	again, err := ldap.DialURL(d.LDAPURL())
	check(t, err)
	again.Close()
}

// TestOutsideKerberos signs in over the sockets with gokrb5: by password, with the keytab of a host, with that of the service
// account.
func TestOutsideKerberos(t *testing.T) {
	d := StartT(t, Contoso())
	conf, err := config.NewFromString(string(d.Krb5Conf()))
	check(t, err)
	alice := client.NewWithPassword("alice", d.Realm(), "Passw0rd!", conf)
	check(t, alice.Login())
	defer alice.Destroy()
	ticket, _, err := alice.GetServiceTicket("host/webapp01.contoso.com")
	check(t, err)
	if ticket.EncPart.EType != etypeAES256 || ticket.EncPart.KVNO != 1 {
		t.Errorf("got encryption type %d, key version %d", ticket.EncPart.EType, ticket.EncPart.KVNO)
	}
	kt := keytab.New()
	b, err := d.Keytab("WebApp01$")
	check(t, err)
	check(t, kt.Unmarshal(b))
	if err := ticket.DecryptEncPart(kt, nil); err != nil {
		t.Errorf("the service's keytab does not open the ticket: %v", err)
	}
	for _, account := range []string{"CONTAINERHOST01$", "WebApp01$"} {
		kt := keytab.New()
		b, err := d.Keytab(account)
		check(t, err)
		check(t, kt.Unmarshal(b))
		c := client.NewWithKeytab(account, d.Realm(), kt, conf)
		if err := c.Login(); err != nil {
			t.Errorf("%s with a keytab: %v", account, err)
		}
		c.Destroy()
	}
	wrong := client.NewWithPassword("alice", d.Realm(), "wrong", conf)
	if err := wrong.Login(); err == nil {
		t.Error("a wrong password: got a ticket")
	}
	d.WantTrace(t, "outside -> DC01: alice@CONTOSO.COM for krbtgt/CONTOSO.COM", "outside -> DC01: alice@CONTOSO.COM for host/webapp01.contoso.com => ok", "KDC_ERR_PREAUTH_FAILED")
	if _, err := d.Keytab("nobody"); err == nil {
		t.Error("the keytab of nobody: got nil")
	}
}

// TestOutsideNames: a client that knows a DC by its address finds tickets and keys for the names that it has, and only outside.
func TestOutsideNames(t *testing.T) {
	d := StartT(t, Contoso())
	conf, err := config.NewFromString(string(d.Krb5Conf()))
	check(t, err)
	var table keytab.Keytab
	b, err := d.Keytab("ContainerHost01")
	check(t, err)
	check(t, table.Unmarshal(b))
	for _, name := range []string{"CONTAINERHOST01$", "ContainerHost01$", "containerhost01$", "host/containerhost01", "host/containerhost01.contoso.com"} {
		cl := client.NewWithKeytab(name, d.Realm(), &table, conf)
		if _, kvno, err := table.GetEncryptionKey(cl.Credentials.CName(), d.Realm(), 0, 18); err != nil || kvno != 1 {
			t.Errorf("key of %s: got version %d, %v, want 1", name, kvno, err)
		}
	}
	cl := client.NewWithKeytab("ContainerHost01$", d.Realm(), &table, conf)
	defer cl.Destroy()
	for _, spn := range []string{"ldap/127.0.0.1", "LDAP/localhost"} {
		if _, _, err := cl.GetServiceTicket(spn); err != nil {
			t.Errorf("%s: got %v, want a ticket", spn, err)
		}
	}
	for _, spn := range []string{"ldap/127.0.0.2", "http/127.0.0.1", "ldap/localhost/contoso.com"} {
		if _, _, err := cl.GetServiceTicket(spn); err == nil {
			t.Errorf("%s: got a ticket, want none", spn)
		}
	}
	if _, err := d.Host("ContainerHost01").KerberosTo("ldap/127.0.0.1"); err == nil {
		t.Error("a host of the domain got a ticket for ldap/127.0.0.1, a name that the directory does not have")
	}
}

func TestOutsideDNS(t *testing.T) {
	cfg := Contoso()
	cfg.DCs = []string{"DC01", "DC02"}
	cfg.Aliases = []Alias{{Name: "shop.contoso.com", Target: "containerhost01.contoso.com"}}
	d := StartT(t, cfg)
	for _, network := range []string{"udp", "tcp"} {
		c := mdns.Client{Net: network}
		ask := func(name string, kind uint16) *mdns.Msg {
			a, _, err := c.ExchangeContext(t.Context(), new(mdns.Msg).SetQuestion(name, kind), d.DNSAddr())
			check(t, err)
			return a
		}
		a := ask("_kerberos._tcp.contoso.com.", mdns.TypeSRV)
		var got []string
		for _, rr := range a.Answer {
			srv := rr.(*mdns.SRV)
			addr, _, err := net.SplitHostPort(d.KDCAddr())
			check(t, err)
			got = append(got, net.JoinHostPort(addr, strings.Fields(srv.String())[6]))
		}
		if len(got) != 2 || got[0] != d.DC("DC01").KDCAddr() && got[1] != d.DC("DC01").KDCAddr() {
			t.Errorf("%s: got %v, want the ports of the DCs, one of them %s", network, got, d.KDCAddr())
		}
		if a := ask("shop.contoso.com.", mdns.TypeA); len(a.Answer) != 2 {
			t.Errorf("%s: got %v, want alias and address", network, a.Answer)
		}
		if a := ask("nobody.contoso.com.", mdns.TypeA); a.Rcode != mdns.RcodeNameError {
			t.Errorf("%s: got %v, want NXDOMAIN", network, a.Rcode)
		}
	}
	remove := d.Inject(Fault{On: DNSLookup, From: "outside", Match: "_ldap._tcp.dc", Do: NoDC})
	var c mdns.Client
	a, _, err := c.Exchange(new(mdns.Msg).SetQuestion("_ldap._tcp.dc._msdcs.contoso.com.", mdns.TypeSRV), d.DNSAddr())
	if err != nil || a.Rcode != mdns.RcodeNameError {
		t.Errorf("got %v, %v, want NXDOMAIN", a, err)
	}
	remove()
	if _, err := d.JoinHost(HostConfig{Name: "New"}); err != nil {
		t.Fatal(err)
	}
	if a, _, err := c.Exchange(new(mdns.Msg).SetQuestion("new.contoso.com.", mdns.TypeA), d.DNSAddr()); err != nil || len(a.Answer) != 1 {
		t.Errorf("a host that has joined: got %v, %v", a, err)
	}
}

// TestEnv: a program gets its way to the domain from its environment.
func TestEnv(t *testing.T) {
	d := StartT(t, Contoso())
	env, err := d.Env("ContainerHost01$")
	check(t, err)
	vars := map[string]string{}
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		vars[name] = value
	}
	for name, want := range map[string]string{
		"GMSASIM_DOMAIN": "contoso.com", "GMSASIM_REALM": "CONTOSO.COM", "GMSASIM_NETBIOS": "CONTOSO", "GMSASIM_BASE_DN": "DC=contoso,DC=com",
		"GMSASIM_DC": "dc01.contoso.com", "GMSASIM_LDAP_URL": d.LDAPURL(), "GMSASIM_LDAPS_URL": d.LDAPSURL(), "GMSASIM_KDC": d.KDCAddr(),
		"GMSASIM_KPASSWD": d.KpasswdAddr(), "GMSASIM_DNS": d.DNSAddr(),
	} {
		if vars[name] != want {
			t.Errorf("%s: got %q, want %q", name, vars[name], want)
		}
	}
	for _, name := range []string{"KRB5_CONFIG", "KRB5_KTNAME", "KRB5_CLIENT_KTNAME", "GMSASIM_CA_FILE"} {
		info, err := os.Stat(strings.TrimPrefix(vars[name], "FILE:"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: got %v, %v, want a file for its owner only", name, info, err)
		}
	}
	cmd := d.Command("", "sh", "-c", "echo $GMSASIM_REALM; base64 ${KRB5_KTNAME#FILE:}")
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("no shell")
	}
	check(t, err)
	realm, encoded, _ := strings.Cut(string(out), "\n")
	keys, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(encoded, "\n", ""))
	if want, _ := d.Keytab("ContainerHost01"); realm != "CONTOSO.COM" || err != nil || string(keys) != string(want) {
		t.Errorf("got realm %q and a keytab of %d octets, %v; want the first host's", realm, len(keys), err)
	}
	if cmd := d.Command("nobody", "true"); cmd.Err == nil {
		t.Error("a program as nobody: got no error")
	}
}

func TestListenOnTakenPorts(t *testing.T) {
	if l, err := net.Listen("tcp", "127.0.0.77:88"); err != nil {
		t.Skipf("cannot take a port below 1024: %v", err)
	} else {
		defer l.Close()
	}
	cfg := Contoso()
	cfg.Listen = Listen{Address: "127.0.0.77", StandardPorts: true}
	files := sockets(t)
	d := StartT(t, cfg)
	if err := d.Listen(); err == nil || !strings.Contains(err.Error(), ":88") {
		t.Errorf("got %v, want that port 88 is taken", err)
	}
	if got := sockets(t); got > files {
		t.Errorf("after the failure: got %d open files, want %d", got, files)
	}
	check(t, d.Host("ContainerHost01").TestServiceAccount("WebApp01"))
}

func TestStandardPorts(t *testing.T) {
	cfg := Contoso()
	cfg.DCs = []string{"DC01", "DC02"}
	cfg.Listen = Listen{Address: "127.0.0.81", StandardPorts: true}
	d := StartT(t, cfg)
	if err := d.Listen(); err != nil {
		t.Skipf("cannot take ports below 1024: %v", err)
	}
	if d.KDCAddr() != "127.0.0.81:88" || d.DC("DC02").LDAPURL() != "ldap://127.0.0.82:389" || d.DNSAddr() != "127.0.0.81:53" {
		t.Errorf("got %s, %s, %s", d.KDCAddr(), d.DC("DC02").LDAPURL(), d.DNSAddr())
	}
	c, err := ldap.DialURL("ldap://127.0.0.82:3268")
	check(t, err)
	defer c.Close()
	check(t, c.Bind("alice@contoso.com", "Passw0rd!"))
}

// TestOutsideKpasswd changes a password over the sockets. The domain's minimum age counts in domain time.
func TestOutsideKpasswd(t *testing.T) {
	d := StartT(t, Contoso())
	conf, err := config.NewFromString(string(d.Krb5Conf()))
	check(t, err)
	change := func(from, to string) error {
		c := client.NewWithPassword("alice", d.Realm(), from, conf)
		defer c.Destroy()
		check(t, c.Login())
		ok, err := c.ChangePasswd(to)
		if err == nil && !ok {
			err = errors.New("refused")
		}
		return err
	}
	if err := change("Passw0rd!", "Another!88"); err == nil {
		t.Error("on the day of the last change: got nil, want that the minimum age forbids it")
	}
	d.Clock.Advance(25 * time.Hour)
	if err := change("Passw0rd!", "short"); err == nil {
		t.Error("a short password: got nil")
	}
	check(t, change("Passw0rd!", "Another!88"))
	d.WantTrace(t, "kpasswd result 4", "outside -> DC01: alice@CONTOSO.COM for kadmin/changepw => ok")
	if _, err := d.KerberosTo(t.Context(), "alice", "host/webapp01"); err != nil {
		t.Errorf("the domain does not know the new password: %v", err)
	}
	if _, err := d.Host("ContainerHost01").SignIn("alice", "Passw0rd!"); err == nil {
		t.Error("the old password works")
	}
	d.Inject(Fault{On: Kpasswd, Do: KRBError(29), Count: 1})
	if err := change("Another!88", "Third!99"); err == nil {
		t.Error("with a fault: got nil")
	}
}
