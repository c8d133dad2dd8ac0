package check

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/credspec/plugin"
	"github.com/gmsasim/gmsasim/simulator/source"
)

var directoryHostRules = []*Rule{
	{
		ID: "host-not-authorised", Group: "accounts", Severity: Error, Needs: []How{InDirectory},
		Title:  "a host may not read the account's password",
		Why:    "A domain controller gives msDS-ManagedPassword only to those whom msDS-GroupMSAMembership lists, themselves or through groups. The module warns (\"This computer is not authorized to use the group managed service account\") and writes the file all the same.",
		Repair: "add the computer to the group that is allowed, then restart it",
		Bad:    `--host WEB02, which is in no group of PrincipalsAllowedToRetrieveManagedPassword`, Good: `--host WEB01, which is in webapp-hosts`,
	},
	{
		ID: "host-membership-stale", Group: "accounts", Severity: Error, Needs: []How{InDirectory},
		Title:  "a host's ticket is older than its membership",
		Why:    "A domain controller reads the memberships in the ticket of the host, which was issued before the host came into the group: Microsoft's guide wants a restart after the change.",
		Repair: "restart the computer, or remove its tickets: klist -li 0x3e7 purge",
		Bad:    `WEB01 joined webapp-hosts five minutes ago and has not been restarted`, Good: `WEB01 was restarted after it joined`,
	},
	{
		ID: "kds-key-not-ready", Group: "accounts", Severity: Error, Needs: []How{InDirectory},
		Title:  "no KDS root key makes passwords yet",
		Why:    "Passwords are derived from a root key that every domain controller has; one that is younger than ten hours is not used, so that it can be replicated (Microsoft, \"Create the Key Distribution Services KDS Root Key\").",
		Repair: "Add-KdsRootKey -EffectiveImmediately, and wait ten hours; in a lab with one domain controller Add-KdsRootKey -EffectiveTime ((Get-Date).AddHours(-10))",
		Bad:    `a root key that was made an hour ago`, Good: `a root key that was made yesterday`,
	},
	{
		ID: "encryption-mismatch", Group: "accounts", Severity: Warning, Needs: []How{InDirectory},
		Title:  "account and host have no AES encryption type in common",
		Why:    "Test-ADServiceAccount says so, and domain controllers stop to issue RC4 tickets ([MS-KILE] 2.2.7, msDS-SupportedEncryptionTypes).",
		Repair: "Set-ADServiceAccount -KerberosEncryptionType AES128, AES256",
		Bad:    `msDS-SupportedEncryptionTypes 4 (RC4)`, Good: `msDS-SupportedEncryptionTypes 24 (AES128, AES256)`,
	},
	{
		ID: "plugin-user-not-authorised", Group: "hac", Severity: Error, Needs: []How{InDirectory},
		Title:  "the user of the plug-in may not read the account's password",
		Why:    "On a host outside the domain Container Credential Guard signs in as the user whom the plug-in gives, and reads the password as that user: it must exist, be able to sign in, and be among PrincipalsAllowedToRetrieveManagedPassword.",
		Repair: "add the user to the group that is allowed",
		Bad:    `"username": "svc-gmsa", a user outside of webapp-readers`, Good: `"username": "svc-gmsa", a member of webapp-readers`,
	},
}

// noHosts is why the checks of hosts are left out.
const noHosts = "no host is named (--host)"

// eachHost calls f for each account that hosts of the domain are to use, with each host that is to. A spec for hosts outside of the domain has
// none.
func (a *asking) eachHost(f func(r reference, account, host Object)) {
	if len(a.c.opts.Hosts) == 0 {
		a.c.notChecked(a.c.specs()[0].Root.Span(), noHosts)
		return
	}
	a.eachAccount(func(r reference, account Object) {
		if r.doc.HostAccount() != nil {
			return
		}
		for _, name := range a.c.opts.Hosts {
			host, err := a.host(name)
			switch {
			case err != nil:
				a.fail(r.node, err)
			case host != nil:
				f(r, account, *host)
			}
		}
	})
}

// host is the computer of a name: a DNS name, DOMAIN\NAME, or a SAM name with or without $. It is an error that there is none.
func (a *asking) host(name string) (*Object, error) {
	var found []Object
	var err error
	domain, sam, qualified := strings.Cut(name, `\`)
	switch {
	case qualified:
		dom := domainNamed(a.domains, domain)
		if dom == nil || dom.Trusted {
			return nil, fmt.Errorf("--host %s: the forest of %s has no domain %s", name, a.forest(), domain)
		}
		found, err = a.Find(dom.DNSName, BySAM, strings.TrimSuffix(sam, "$")+"$")
	case strings.Contains(name, "."):
		found, err = a.Find("", ByHost, name)
	default:
		found, err = a.Find("", BySAM, strings.TrimSuffix(name, "$")+"$")
	}
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, fmt.Errorf("--host %s: the forest of %s has no such computer", name, a.forest())
	case len(found) > 1:
		return nil, fmt.Errorf("--host %s: several computers have this name; write DOMAIN\\%s", name, name)
	}
	return &found[0], nil
}

func (c *run) askHosts(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	a.eachHost(func(r reference, account, host Object) {
		may, err := d.MayRetrieve(account, host)
		switch {
		case err != nil:
			a.fail(r.node, err)
		case !may:
			report := c.report(r.node, "%s may not read the password of %s", host.SAM, account.SAM)
			report.Consumer = fmt.Sprintf("This computer is not authorized to use the group managed service account %q", r.name)
		}
	})
}

func (c *run) askTickets(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	tickets, ok := d.(TicketDirectory)
	if !ok {
		c.notChecked(c.specs()[0].Root.Span(), "only a simulated domain shows the tickets of its computers")
		return
	}
	a.eachHost(func(r reference, account, host Object) {
		if may, err := d.MayRetrieve(account, host); err != nil || !may {
			return // host-not-authorised
		}
		issued, stale, err := tickets.Stale(account, host)
		switch {
		case err != nil:
			a.fail(r.node, err)
		case stale:
			c.report(r.node, "%s came into a group that may read the password of %s after its ticket was issued, %s", host.SAM, account.SAM, issued.UTC().Format(time.DateTime))
		}
	})
}

// askHostDomain goes by the domains of the objects, in the place of what the hosts' names tell.
func (c *run) askHostDomain(d Directory) {
	a, ok := c.ask(d)
	if !ok || len(c.opts.Hosts) == 0 {
		return
	}
	c.forget()
	a.eachHost(func(r reference, account, host Object) {
		if n := join(r.doc, "DnsName"); r.primary && r.scope == nil && n != nil && !strings.EqualFold(account.Domain, host.Domain) {
			c.report(n, "the host %s is in %s, and the account %s in %s", host.name(), host.Domain, account.name(), account.Domain)
		}
	})
}

// keyAge is how old a root key has to be ([MS-GKDI] 3.1.4.1.1).
const keyAge = 10 * time.Hour

// usableAt is when a key is old enough.
func (k *RootKey) usableAt() time.Time {
	if t := k.Effective.Add(keyAge); t.After(k.Created) {
		return t
	}
	return k.Created
}

func (c *run) askRootKeys(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	// One domain has one answer, which is reported where its first spec names an account. The accounts may be missing just because there is no key.
	first := map[string]*source.Node{}
	var order []string
	more := map[string][]*source.Node{}
	a.about(false, func(doc *credspec.Document, dom *Domain) {
		n := join(doc, "MachineAccountName")
		if n == nil {
			n = doc.Root
		}
		if first[dom.DNSName] != nil {
			more[dom.DNSName] = append(more[dom.DNSName], n)
			return
		}
		first[dom.DNSName] = n
		order = append(order, dom.DNSName)
	})
	for _, domain := range order {
		n := first[domain]
		keys, dc, err := d.RootKeys(domain)
		now := time.Time{}
		if err == nil {
			now, err = d.Now()
		}
		if err != nil {
			a.fail(n, err)
			continue
		}
		var next time.Time
		ready := false
		for _, k := range keys {
			at := k.usableAt()
			ready = ready || !at.After(now)
			if next.IsZero() || at.Before(next) {
				next = at
			}
		}
		if ready {
			continue
		}
		var report *Report
		if len(keys) == 0 {
			report = c.report(n, "%s has no KDS root key", dc)
		} else {
			report = c.report(n, "%s uses no KDS root key before %s", dc, next.UTC().Format(time.DateTime))
			report.Repair = "wait until then; in a lab with one domain controller, Add-KdsRootKey -EffectiveTime ((Get-Date).AddHours(-10))"
		}
		for _, other := range more[domain] {
			report.related(other, "the same domain")
		}
	}
}

func (c *run) askEncryption(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	alone := map[*source.Node]bool{}
	a.eachAccount(func(r reference, account Object) {
		if account.EncryptionTypes != 0 && account.EncryptionTypes&EncryptionAES == 0 {
			alone[r.node] = true
			c.report(r.node, "%s supports no AES encryption type (msDS-SupportedEncryptionTypes %d)", account.SAM, account.EncryptionTypes)
		}
	})
	if len(c.opts.Hosts) == 0 {
		return
	}
	a.eachHost(func(r reference, account, host Object) {
		if alone[r.node] || account.EncryptionTypes == 0 || host.EncryptionTypes == 0 || account.EncryptionTypes&host.EncryptionTypes&EncryptionAES != 0 {
			return
		}
		c.report(r.node, "%s and %s have no AES encryption type in common (msDS-SupportedEncryptionTypes %d and %d)", account.SAM, host.SAM, account.EncryptionTypes, host.EncryptionTypes)
	})
}

// pluginUser is a user whom a plug-in gives, where its name stands.
type pluginUser struct {
	node         *source.Node
	domain, name string
	doc          *credspec.Document // the spec whose input it is; nil: a secret of its own
}

// pluginUsers are the users that the files of the set name: in secrets of plug-ins, and in inputs that hold the user itself.
func (c *run) pluginUsers() []pluginUser {
	var list []pluginUser
	for _, s := range c.secrets() {
		if s.user != nil && s.name != "" && !(s.data && !isBase64(s.user.String())) {
			list = append(list, pluginUser{node: s.user, domain: s.domain(), name: s.name})
		}
	}
	for _, doc := range c.specs() {
		host := doc.HostAccount()
		input := host.Get("PluginInput")
		if input.String() == "" {
			continue
		}
		make, ok := plugin.ByCLSID(host.Get("PluginGUID").String())
		if !ok {
			continue
		}
		if in, err := make.Shape(input.Text); err == nil && in.User != nil {
			list = append(list, pluginUser{node: input, domain: in.User.Domain, name: in.User.Name, doc: doc})
		}
	}
	return list
}

func isBase64(text string) bool {
	_, err := base64.StdEncoding.DecodeString(text)
	return err == nil
}

// domain is the domain of the user of a secret, "" when it does not say.
func (s *secret) domain() string {
	if !s.keys {
		account, _, _ := strings.Cut(s.root.String(), ":")
		domain, _, _ := strings.Cut(account, `\`)
		return domain
	}
	for _, m := range s.root.Map() {
		if !strings.EqualFold(m.Key.Text, "domainName") {
			continue
		}
		if text, err := base64.StdEncoding.DecodeString(m.Value.String()); s.data && err == nil {
			return strings.TrimSpace(string(text))
		}
		return m.Value.String()
	}
	return ""
}

// errDomain: the user of a plug-in is of a domain that the forest does not have.
var errDomain = errors.New("no such domain")

// user finds the user of a plug-in: nil when there is none. Without a domain it is looked for in the whole forest.
func (a *asking) user(u pluginUser) (*Object, error) {
	dom := ""
	if u.domain != "" {
		switch d := domainNamed(a.domains, u.domain); {
		case d == nil:
			return nil, errDomain
		case d.Trusted:
			return nil, fmt.Errorf("%s is outside of the forest of %s, which alone can be asked", d.DNSName, a.forest())
		default:
			dom = d.DNSName
		}
	}
	found, err := a.Find(dom, BySAM, u.name)
	if err == nil && len(found) == 0 {
		found, err = a.Find(dom, BySAM, strings.TrimSuffix(u.name, "$")+"$")
	}
	return firstOf(found), err
}

func firstOf(list []Object) *Object {
	if len(list) == 0 {
		return nil
	}
	return &list[0]
}

func (c *run) askPluginUser(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	for _, u := range c.pluginUsers() {
		o, err := a.user(u)
		switch {
		case errors.Is(err, errDomain): // plugin-user-not-authorised
		case err != nil:
			a.fail(u.node, err)
		case o == nil:
		case o.Class != ClassUser:
			c.know(u.node, Error, "the user is %s, whose password nobody can write into a secret", describe(*o))
		default:
			c.retract(u.node)
		}
	}
}

func (c *run) askPluginRights(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	for _, u := range c.pluginUsers() {
		o, err := a.user(u)
		switch {
		case errors.Is(err, errDomain):
			if u.doc == nil || !strings.EqualFold(join(u.doc, "DnsName").String(), u.domain) { // which is dnsname-not-found
				c.report(u.node, "the user %s is of the domain %s, which neither the forest of %s nor its trusts have", u.name, u.domain, a.forest()).Repair = "correct the domain"
			}
			continue
		case err != nil:
			a.fail(u.node, err)
			continue
		case o == nil:
			c.report(u.node, "the forest of %s has no user %s", a.forest(), u.name).Repair = "correct the name, or create the user"
			continue
		case o.Class != ClassUser:
			continue // plugin-secret-user-is-gmsa
		case o.Flags&AccountDisabled != 0:
			c.report(u.node, "the user %s is disabled", o.SAM).Repair = "enable the user: Enable-ADAccount"
			continue
		case o.Locked:
			c.report(u.node, "the user %s is locked out", o.SAM).Repair = "unlock the user: Unlock-ADAccount"
			continue
		case o.Expired:
			c.report(u.node, "the user %s has expired", o.SAM).Repair = "give the user another date: Set-ADUser -AccountExpirationDate"
			continue
		}
		a.eachAccount(func(r reference, account Object) {
			if r.doc.HostAccount() == nil || u.doc != nil && u.doc != r.doc {
				return
			}
			may, err := d.MayRetrieve(account, *o)
			switch {
			case err != nil:
				a.fail(u.node, err)
			case !may:
				c.report(u.node, "the user %s may not read the password of %s", o.SAM, account.SAM).related(r.node, "the account")
			}
		})
	}
}
