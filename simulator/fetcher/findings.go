package fetcher

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// step is a program of the daemon's way.
type step string

const (
	stepReader step = "kinit of the reader"
	stepSearch step = "ldapsearch"
	stepTicket step = "kinit of the account"
	stepUse    step = "use of the ticket"
)

// Kerberos errors that the daemon's way tells apart (RFC 4120 7.5.9).
const (
	krbSPrincipalUnknown = 7
	krbTicketExpired     = 32
)

// explain puts a finding of the daemon's own way on an error: the simulator's, with the daemon's words and repairs, or one of its own.
func (l *Lease) explain(at step, o Options, dn string, err error) error {
	under, ok := diag.Of(err)
	if !ok {
		under = &diag.Finding{Cause: err}
	}
	f := *under
	f.Facts = append([]diag.Fact{{Name: "host", Value: l.f.host}, {Name: "step", Value: string(at)}}, under.Facts...)
	own := func(code diag.Code, mode string) {
		e, _ := diag.Lookup(code)
		f.Code, f.Title, f.Mode, f.Help, f.Nearest = code, e.Title, mode, nil, nil
	}
	var cut *cutError
	switch {
	case at == stepReader && l.user == nil && under.Code == diag.HostNotJoined:
		f.Mode = "ecs-linux-not-joined"
		f.SeenAs = []string{"gMSA on linux requires domain joined instance"}
	case at == stepReader && l.user != nil && (under.Code == diag.BadCredentials || under.Code == diag.NoSuchAccount || under.Code == diag.AccountUnusable):
		f.Mode = "cf-domainless-bad-creds"
		f.SeenAs = []string{"ERROR: Invalid credentials for domainless user"}
		f.Because = "outside the domain the daemon signs in as the user of the secret, and the domain does not take this user and password"
		f.Help = []diag.Help{{Text: "write the user's name and password into the secret", Command: fmt.Sprintf(`aws secretsmanager put-secret-value --secret-id <secret> --secret-string '{"username":"<user>","password":"<password>","domainName":%q}'`, l.spec.domain)}}
		if under.Code == diag.BadCredentials {
			f.Help = append(f.Help, diag.Help{Text: "or give the user the password that the secret has", Command: "Set-ADAccountPassword -Reset " + l.user.Name,
				Do: []string{fmt.Sprintf("setPassword: {account: %q, password: %q}", l.user.Name, l.user.Password)}})
		}
		if under.Code == diag.NoSuchAccount {
			f.Help = append(f.Help, diag.Help{Text: "or make the user that the secret names; it has to be allowed to read the password too", Command: "New-ADUser -Name " + l.user.Name,
				Do: []string{fmt.Sprintf("newUser: {name: %q, password: %q}", l.user.Name, l.user.Password)}})
		}
	case at == stepSearch && simulator.KerberosCode(err) == krbSPrincipalUnknown && o.Reverse:
		own(diag.ReverseName, "cf-ldap-rdns")
		f.SeenAs = []string{"ldap_sasl_interactive_bind: Local error (-2)", "Server not found in Kerberos database"}
		f.Because = "the library asks for the name that a reverse look-up of the DC's address gives, and no account has that name"
		right := o
		right.Reverse = false
		f.Help = []diag.Help{{Text: "keep the library from reverse look-ups: rdns = false in krb5.conf, or ldapsearch -N", Command: `sed -i "/\[libdefaults\]/a rdns = false" /etc/krb5.conf; systemctl restart credentials-fetcher`, Do: l.f.settings(right)}}
	case at == stepSearch && under.Code == diag.NotSealed:
		f.Mode = "cf-unsealed-ldap"
		f.SeenAs = append([]string{"ERROR: Password not found"}, under.SeenAs...)
		right := o
		right.Protection = simulator.Sealed
		f.Help = []diag.Help{{Text: "take a version that asks for an encrypted layer, ldapsearch -O minssf=256", Command: "dnf update credentials-fetcher", Do: l.f.settings(right)}}
	case at == stepSearch && (under.Code == diag.NoSuchAccount || under.Code == ""):
		where := l.f.d.AccountDN(l.spec.account + "$")
		if where == "" || strings.EqualFold(where, dn) {
			break
		}
		own(diag.FetcherNoPassword, "cf-ou")
		f.Facts = append(f.Facts, diag.Fact{Name: "looked for", Value: dn}, diag.Fact{Name: "is", Value: where})
		f.SeenAs = []string{"ERROR: Password not found", "ERROR: Cannot get gMSA krb ticket"}
		f.Because = "the daemon puts the account's DN together from its name and CN=Managed Service Accounts, or what CF_GMSA_OU says, and does not search below the domain"
		right := o
		_, rest, _ := strings.Cut(where, ",")
		right.OU = strings.TrimSuffix(rest, ","+baseDN(l.spec.domain))
		f.Help = []diag.Help{{Text: "tell the daemon where the account is, and start it again", Command: fmt.Sprintf("CF_GMSA_OU=%q; systemctl restart credentials-fetcher", right.OU), Do: l.f.settings(right)}}
	case at == stepTicket && errors.As(err, &cut):
		own(diag.FetcherNoTicket, "cf-password-newline")
		f.Facts = append(f.Facts, diag.Fact{Name: "bytes that kinit got", Value: fmt.Sprint(cut.length)})
		f.SeenAs = []string{"ERROR: Cannot get gMSA krb ticket", "kinit: Preauthentication failed while getting initial credentials"}
		f.Because = "the password is random, and this one has a line feed among its characters; kinit reads its input up to there"
		f.Help = []diag.Help{{Text: "use a version that does not pipe the password; or wait for the next password, which has none with 99.8 %", Command: "dnf update credentials-fetcher",
			Do: []string{"advanceTo: {account: " + l.spec.account + ", interval: 1}"}}}
	case at == stepUse && simulator.KerberosCode(err) == krbTicketExpired:
		own(diag.TicketLapsed, "cf-ticket-not-renewed")
		f.SeenAs = []string{"KRB_AP_ERR_TKT_EXPIRED (0x20)", "klist: the ticket has expired"}
		f.Because = "a ticket ends after ten hours, the application in the container cannot renew it, and the daemon that does it is down"
		f.Help = []diag.Help{{Text: "start the daemon", Command: "systemctl start credentials-fetcher", Do: []string{"fetcher: {host: " + l.f.host + "}"}}}
	}
	if f.Code == "" {
		return err
	}
	f.Cause = err
	return &f
}

// settings is the step that sets the daemon anew.
func (f *Daemon) settings(o Options) []string {
	s := "fetcher: {host: " + f.host
	if o.OU != "" && o.OU != defaultOU {
		s += fmt.Sprintf(", ou: %q", o.OU)
	}
	if o.Reverse {
		s += ", reverse: true"
	}
	if o.Protection != "" && o.Protection != simulator.Sealed {
		s += ", protection: " + string(o.Protection)
	}
	return []string{s + "}"}
}
