package check

import (
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// unreadable are the rules that explain better why a name is nobody's.
var unreadable = []string{"placeholder-value", "value-whitespace", "json-hidden-char", "json-non-ascii", "account-domain-part", "account-is-dns-name", "account-invalid-chars", "account-too-long"}

var directoryAccountRules = []*Rule{
	{
		ID: "account-not-found", Group: "accounts", Severity: Error, Needs: []How{InDirectory}, YieldsTo: unreadable,
		Title:  "the domain has no account of this name",
		Why:    "The name is looked up in the domain of its scope as a SAM name with $. The module refuses such a name (\"could not be found in the … domain\", CredentialSpec.psm1); a file that was made otherwise starts the container, which then has no password.",
		Repair: "write the account's SAM name without $, or create the account",
		Bad:    `"Name": "webap" in a domain with the account webapp`, Good: `"Name": "webapp"`,
	},
	{
		ID: "account-not-gmsa", Group: "accounts", Severity: Error, Needs: []How{InDirectory}, YieldsTo: []string{"placeholder-value"},
		Title:  "the account is no group managed service account",
		Why:    "Only msDS-GroupManagedServiceAccount has a password that several computers may read ([MS-ADTS] 3.1.1.4.5.39); credentials-fetcher filters on the class (gmsa_service.cpp). A computer, a user, a standalone or a delegated account gives nothing.",
		Repair: "create a group managed service account: New-ADServiceAccount",
		Bad:    `"Name": "web01" where WEB01$ is a computer`, Good: `"Name": "webapp" where webapp$ is a group managed service account`,
	},
	{
		ID: "account-name-collision", Group: "accounts", Severity: Error, Needs: []How{InDirectory},
		Title:  "another object has the account's name",
		Why:    "Names without $ are ambiguous when a user or a group has the SAM name, and look-ups by the common name when two objects have it: the guide, \"Create a gMSA\", wants the name unique in the domain.",
		Repair: "rename one of them",
		Bad:    `"Name": "webapp" beside a user webapp`, Good: `"Name": "webapp" that nobody else has`,
	},
	{
		ID: "account-cn-differs", Group: "accounts", Severity: Info, Depends: "error for cf1 and cf2", Needs: []How{InDirectory},
		Title:  "the account's common name is not its SAM name",
		Why:    "credentials-fetcher looks for (CN=name) and finds nothing when only the SAM name is like that (aws/credentials-fetcher, gmsa_service.cpp). Windows goes by the SAM name.",
		Repair: "rename the object, or give credentials-fetcher its distinguished name",
		Bad:    `"Name": "webapp" of CN=Web App,CN=Managed Service Accounts,…`, Good: `"Name": "webapp" of CN=webapp,CN=Managed Service Accounts,…`,
	},
	{
		ID: "account-disabled", Group: "accounts", Severity: Error, Needs: []How{InDirectory},
		Title:  "the account is disabled, or is no workstation trust account",
		Why:    "A disabled account gets no ticket (KDC_ERR_CLIENT_REVOKED). Netlogon takes the container for a computer and wants WORKSTATION_TRUST_ACCOUNT, 0x1000, in userAccountControl ([MS-ADTS] 2.2.16); Microsoft's guide, \"Troubleshoot gMSAs\".",
		Repair: "enable it: Set-ADServiceAccount -Enabled $true",
		Bad:    `"Name": "webapp" with userAccountControl 0x1002`, Good: `"Name": "webapp" with userAccountControl 0x1000`,
	},
	{
		ID: "scope-unknown-domain", Group: "accounts", Severity: Error, Needs: []How{InDirectory}, YieldsTo: []string{"placeholder-value", "value-whitespace", "json-hidden-char"},
		Title:  "no domain has the name of the scope",
		Why:    "The scope is the domain in which the account is looked up, by its DNS or its NETBIOS name; in one that is neither in the forest nor trusted nothing can be.",
		Repair: "write the DNS or the NETBIOS name of the account's domain",
		Bad:    `{"Name": "agent", "Scope": "crop.example"}`, Good: `{"Name": "agent", "Scope": "corp.example"}`,
	},
	{
		ID: "spn-missing", Group: "accounts", Severity: Warning, Depends: "information where no name was given that clients use", Needs: []How{InDirectory},
		Title:  "clients get no Kerberos ticket for a name of the service",
		Why:    "Kerberos finds the account by the service principal name that the client asks for ([MS-KILE] 3.3.5.1.1); without one clients fall back to NTLM or fail (Virtualization-Documentation, issue 1341).",
		Repair: "register it: setspn -S",
		Bad:    `http/shop.corp.example that no account has`, Good: `setspn -S http/shop.corp.example webapp$`,
	},
	{
		ID: "spn-duplicate", Group: "accounts", Severity: Error, Needs: []How{InDirectory},
		Title:  "two accounts have the same service principal name",
		Why:    "A domain controller that finds two accounts gives no ticket for either (KDC_ERR_PRINCIPAL_NOT_UNIQUE, event 11 of the KDC).",
		Repair: "take it from the account that it does not belong to: setspn -D",
		Bad:    `http/shop.corp.example of both webapp$ and WEB01$`, Good: `http/shop.corp.example of webapp$ alone`,
	},
}

// reference is a place that names a service account, and the domain in which it is looked up.
type reference struct {
	doc     *credspec.Document
	node    *source.Node // the name
	scope   *source.Node // nil for MachineAccountName
	name    string       // without $
	domain  *Domain      // nil: unknown
	primary bool         // it is the container's own account
}

// references are the accounts that the specs name: each spec's MachineAccountName, and the entries that do not say the same once more.
func (a *asking) references() []reference {
	var list []reference
	for _, doc := range a.c.specs() {
		dom := a.domainOf(doc)
		machine := join(doc, "MachineAccountName")
		own, ok := samName(machine)
		if ok {
			list = append(list, reference{doc: doc, node: machine, name: own, domain: dom, primary: true})
		}
		type key struct{ name, domain string }
		seen := map[key]bool{}
		if ok && dom != nil {
			seen[key{strings.ToLower(own), dom.DNSName}] = true
		}
		for _, entry := range doc.Accounts() {
			n, scope := entry.Get("Name"), entry.Get("Scope")
			name, usable := samName(n)
			if !usable || scope.String() == "" {
				continue
			}
			r := reference{doc: doc, node: n, scope: scope, name: name, domain: domainNamed(a.domains, strings.TrimSpace(scope.Text)), primary: ok && strings.EqualFold(own, name)}
			if r.domain != nil {
				k := key{strings.ToLower(name), r.domain.DNSName}
				if seen[k] {
					continue
				}
				seen[k] = true
			}
			list = append(list, r)
		}
	}
	return list
}

// eachReference calls f for each account that can be looked up, with the objects of its SAM name.
func (a *asking) eachReference(f func(r reference, found []Object)) {
	for _, r := range a.references() {
		switch {
		case r.domain == nil:
		case r.domain.Trusted:
			a.fail(r.node, fmt.Errorf("%s is outside of the forest of %s, which alone can be asked", r.domain.DNSName, a.forest()))
		default:
			found, err := a.Find(r.domain.DNSName, BySAM, r.name+"$")
			if err != nil {
				a.fail(r.node, err)
				continue
			}
			f(r, found)
		}
	}
}

// eachAccount calls f for each group managed service account that is named, once for each name in each domain of a spec.
func (a *asking) eachAccount(f func(r reference, account Object)) {
	a.eachReference(func(r reference, found []Object) {
		if len(found) == 1 && found[0].Class == ClassGMSA {
			f(r, found[0])
		}
	})
}

func (c *run) askAccounts(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	a.eachReference(func(r reference, found []Object) {
		if len(found) > 0 {
			return
		}
		other, err := d.Find(r.domain.DNSName, BySAM, r.name)
		if err != nil || len(other) > 0 { // it is somebody else's name: account-not-gmsa
			return
		}
		elsewhere, err := a.elsewhere(r.node, r.domain)
		if err != nil {
			a.fail(r.node, err)
		}
		if elsewhere != nil && r.primary {
			return // dnsname-not-account-domain, or scope-foreign
		}
		report := c.know(r.node, Error, "%s has no account %s$", r.domain.DNSName, r.name)
		report.Consumer = fmt.Sprintf("The group managed service account %q could not be found in the %s domain.", r.name, r.domain.DNSName)
		switch near := a.nearestAccount(r); {
		case elsewhere != nil:
			report.Message += fmt.Sprintf(", %s has", elsewhere.Domain)
			report.Repair = "write the scope " + elsewhere.Domain
			if r.scope != nil {
				report.replace(r.scope, elsewhere.Domain)
			}
		case near != "":
			report.Repair = "nearest: " + near
		}
	})
}

// nearestAccount is the account of the domain with nearly the name of a reference.
func (a *asking) nearestAccount(r reference) string {
	names, err := a.ServiceAccounts(r.domain.DNSName)
	if err != nil {
		a.fail(r.node, err)
		return ""
	}
	return diag.Nearest(r.name, names)
}

func (c *run) askClass(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	a.eachReference(func(r reference, found []Object) {
		if len(found) == 0 {
			var err error
			if found, err = d.Find(r.domain.DNSName, BySAM, r.name); err != nil {
				a.fail(r.node, err)
			}
		}
		if len(found) > 0 && found[0].Class != ClassGMSA {
			c.know(r.node, Error, "%q is %s, no group managed service account", r.name, describe(found[0]))
		}
	})
}

func (c *run) askCollision(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	a.eachAccount(func(r reference, account Object) {
		same, err := d.Find(r.domain.DNSName, BySAM, r.name)
		if err == nil && len(same) == 0 {
			same, err = d.Find(r.domain.DNSName, ByCN, r.name)
		}
		if err != nil {
			a.fail(r.node, err)
			return
		}
		for _, o := range same {
			if o.DN != account.DN {
				c.know(r.node, Error, "%s has the name of the service account too (%s)", describe(o), o.DN)
				return
			}
		}
	})
}

func (c *run) askCN(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	a.eachAccount(func(r reference, account Object) {
		if account.CN == "" || strings.EqualFold(account.CN, account.name()) {
			return
		}
		report := c.know(r.node, Info, "the common name of %s is %q: a look-up by (CN=%s) does not find it", account.SAM, account.CN, r.name)
		if c.targets(Fetcher1, Fetcher2) {
			report.Severity = Error
			report.Consumer = "ERROR: Cannot get gMSA krb ticket"
		}
	})
}

func (c *run) askDisabled(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	a.eachAccount(func(r reference, account Object) {
		switch {
		case account.Flags&AccountDisabled != 0:
			c.know(r.node, Error, "the account %s is disabled (userAccountControl %#x)", account.SAM, account.Flags)
		case account.Expired:
			c.know(r.node, Error, "the account %s has expired", account.SAM).Repair = "give it another date: Set-ADServiceAccount -AccountExpirationDate"
		case account.Flags != 0 && account.Flags&WorkstationTrustAccount == 0:
			c.know(r.node, Error, "userAccountControl of %s is %#x, without 0x1000 for a workstation trust account", account.SAM, account.Flags).Repair = "set userAccountControl to 0x1000"
		}
	})
}

func (c *run) askUnknownScope(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	for _, doc := range c.specs() {
		own, _ := samName(join(doc, "MachineAccountName"))
		for _, entry := range doc.Accounts() {
			scope := entry.Get("Scope")
			name, usable := samName(entry.Get("Name"))
			text := strings.TrimSpace(scope.String())
			if !usable || text == "" || strings.EqualFold(name, own) || domainNamed(a.domains, text) != nil ||
				strings.EqualFold(text, join(doc, "DnsName").String()) || strings.EqualFold(text, join(doc, "NetBiosName").String()) { // these have rules of their own
				continue
			}
			var names []string
			for _, dom := range a.domains {
				names = append(names, dom.DNSName, dom.NetBIOSName)
			}
			r := c.know(scope, Error, "neither the forest of %s nor its trusts have a domain %s", a.forest(), text)
			if near := diag.Nearest(text, names); near != "" {
				r.Repair = "nearest: " + near
			}
		}
	}
}

// askForeignScope makes sure of a scope of another domain: whether the account is there.
func (c *run) askForeignScope(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	for _, doc := range c.specs() {
		own, ok := samName(join(doc, "MachineAccountName"))
		dom := a.domainOf(doc)
		if !ok || dom == nil {
			continue
		}
		for _, entry := range doc.Accounts() {
			scope := entry.Get("Scope")
			name, usable := samName(entry.Get("Name"))
			if !usable || !strings.EqualFold(name, own) || scope.String() == "" {
				continue
			}
			other := domainNamed(a.domains, strings.TrimSpace(scope.Text))
			switch {
			case other == dom:
				c.retract(scope) // a wrong NetBiosName or DnsName is another rule's
			case other == nil || other.Trusted:
			default:
				found, err := d.Find(other.DNSName, BySAM, name+"$")
				if err != nil {
					a.fail(scope, err)
				} else if len(found) == 0 {
					c.know(scope, Error, "%s has no account %s$", other.DNSName, name).Repair = fmt.Sprintf("write %s or %s", dom.DNSName, dom.NetBIOSName)
				}
			}
		}
	}
}

// askDottedName: a SAM name may have dots.
func (c *run) askDottedName(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	a.eachReported(func(n *source.Node, name string, dom *Domain) {
		found, err := d.Find(dom.DNSName, BySAM, name+"$")
		switch {
		case err != nil:
			a.fail(n, err)
		case len(found) > 0:
			c.know(n, Info, "%s has an account %s, whose name ends like the domain's", dom.DNSName, found[0].SAM)
		default:
			short, _, _ := strings.Cut(name, ".")
			if found, err := d.Find(dom.DNSName, BySAM, short+"$"); err == nil && len(found) == 1 && found[0].Class == ClassGMSA {
				r := c.know(n, Error, "%s is a DNS name; the account of %s is called %s", name, dom.DNSName, found[0].name())
				r.Repair = "write " + found[0].name()
				r.replace(n, found[0].name())
			}
		}
	})
}

// eachReported calls f for each name of an account that the rule has reported without the directory.
func (a *asking) eachReported(f func(n *source.Node, name string, dom *Domain)) {
	for _, r := range a.references() {
		if r.domain != nil && !r.domain.Trusted && a.c.reported(r.node) != nil {
			f(r.node, r.name, r.domain)
		}
	}
}

// askLongName: nobody has a name that is too long.
func (c *run) askLongName(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	a.eachReported(func(n *source.Node, name string, dom *Domain) {
		found, err := d.Find(dom.DNSName, BySAM, name+"$")
		if err != nil {
			a.fail(n, err)
			return
		}
		if len(found) > 0 {
			return
		}
		r := c.know(n, Error, "%s has no account %s$, and %d characters are more than the 15 of a service account's name", dom.DNSName, name, len([]rune(name)))
		for _, have := range a.accountsOf(n, dom) {
			if strings.HasPrefix(strings.ToLower(name), strings.ToLower(have)) && len(have) >= 15 {
				r.Repair = "write " + have
				r.replace(n, have)
			}
		}
	})
}

func (a *asking) accountsOf(n *source.Node, dom *Domain) []string {
	names, err := a.ServiceAccounts(dom.DNSName)
	if err != nil {
		a.fail(n, err)
	}
	return names
}

// askCase compares the letters with the directory's.
func (c *run) askCase(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	a.eachAccount(func(r reference, account Object) {
		for _, n := range c.spellings(r) {
			if n.Text == account.name() {
				c.retract(n) // another place is spelled otherwise
			}
			if n.Text == account.name() || !strings.EqualFold(n.Text, account.name()) {
				continue
			}
			c.know(n, Info, "the directory writes %s", account.name()).replace(n, account.name())
		}
	})
}

// spellings are all places of a spec that name an account.
func (c *run) spellings(r reference) []*source.Node {
	var list []*source.Node
	add := func(n *source.Node) {
		if name, ok := samName(n); ok && strings.EqualFold(name, r.name) {
			list = append(list, n)
		}
	}
	add(join(r.doc, "MachineAccountName"))
	for _, entry := range r.doc.Accounts() {
		add(entry.Get("Name"))
	}
	return list
}

// askLostLetters finds the account whose letters outside of ASCII have become question marks.
func (c *run) askLostLetters(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	for _, doc := range c.specs() {
		dom := a.domainOf(doc)
		if dom == nil || dom.Trusted {
			continue
		}
		for _, n := range accountNodes(doc) {
			if !strings.Contains(n.Text, "?") {
				continue
			}
			for _, have := range a.accountsOf(n, dom) {
				if fitsLost(n.Text, have) {
					r := c.know(n, Error, "the account is called %s: the ? stand for letters that were lost", have)
					r.Repair = "write " + have
					r.replace(n, have)
				}
			}
		}
	}
}

// accountNodes are the values of a spec that name accounts.
func accountNodes(doc *credspec.Document) []*source.Node {
	var list []*source.Node
	if n := join(doc, "MachineAccountName"); n != nil {
		list = append(list, n)
	}
	for _, entry := range doc.Accounts() {
		if n := entry.Get("Name"); n != nil && n.Kind == source.String {
			list = append(list, n)
		}
	}
	return list
}

// fitsLost tells whether a text is a name whose letters outside of ASCII, and only they, have become question marks, as ConvertTo-Json with
// Out-File -Encoding ascii leaves them.
func fitsLost(text, name string) bool {
	a, b := []rune(strings.ToLower(text)), []rune(strings.ToLower(name))
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if lost := b[i] > 0x7f; lost != (a[i] == '?') || !lost && a[i] != b[i] {
			return false
		}
	}
	return true
}

// askTrimmedFiles looks at files that are named and not there: the module may have written them under a shorter name
// (Virtualization-Documentation, issue 1222).
func (c *run) askTrimmedFiles(d Directory) {
	var missing []*setup.Use
	for _, u := range c.setup.Uses {
		if u.Source == setup.FromFile && u.Spec == nil && u.Missing == setup.NotSupplied && u.Where != nil {
			missing = append(missing, u)
		}
	}
	if len(missing) == 0 {
		return
	}
	domains, err := d.Domains()
	if err != nil {
		c.notChecked(missing[0].Where.Span(), "%v", err)
		return
	}
	a := &asking{Directory: d, c: c, domains: domains, failed: map[string]bool{}}
	for _, u := range missing {
		file := u.Value[strings.LastIndexAny(u.Value, `/\`)+1:]
		stem, isJSON := strings.CutSuffix(strings.ToLower(file), ".json")
		netbios, account, ok := strings.Cut(stem, "_")
		written := strings.TrimRight(stem, ".json") + ".json" // the module's TrimEnd takes characters, not a suffix
		dom := domainNamed(domains, netbios)
		if !ok || !isJSON || dom == nil || dom.Trusted || written == strings.ToLower(file) {
			continue
		}
		found, err := d.Find(dom.DNSName, BySAM, account+"$")
		if err != nil {
			a.fail(u.Where, err)
			continue
		}
		if len(found) == 1 && found[0].Class == ClassGMSA {
			c.know(u.Where, Warning, "the module calls the file of %s %s, without the last letters of the name", found[0].name(), written).Repair = "refer to " + written
		}
	}
}

// askMissingSPN looks for the names that clients use, and for the account's own.
func (c *run) askMissingSPN(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	asked := map[string]bool{}
	a.eachAccount(func(r reference, account Object) {
		if !r.primary {
			return
		}
		for _, spn := range c.opts.SPNs {
			if asked[spn] {
				continue
			}
			asked[spn] = true
			has, err := a.hasSPN(spn)
			switch {
			case err != nil:
				a.fail(r.node, err)
			case !has:
				c.know(r.node, Warning, "no account has the service principal name %s", spn).Repair = fmt.Sprintf("setspn -S %s %s", spn, account.SAM)
			}
		}
		host := strings.ToLower(account.DNSHostName)
		if host == "" || len(c.opts.SPNs) > 0 {
			return
		}
		for _, spn := range account.SPNs {
			if _, name, _ := strings.Cut(strings.ToLower(spn), "/"); hostPart(name) == host {
				return
			}
		}
		c.know(r.node, Info, "%s has no service principal name for %s, its own DNS name: nobody gets a ticket for it", account.SAM, account.DNSHostName).Repair = fmt.Sprintf("setspn -S host/%s %s, if clients sign in at the service", account.DNSHostName, account.SAM)
	})
}

// hostPart is the host of a service principal name's instance, without port and service.
func hostPart(instance string) string {
	name, _, _ := strings.Cut(instance, "/")
	name, _, _ = strings.Cut(name, ":")
	return name
}

// hasSPN tells whether an account has a service principal name, or one with host for the service class, which stands for many of them
// (sPNMappings, [MS-ADTS] 6.1.1.2.4.1.3).
func (a *asking) hasSPN(spn string) (bool, error) {
	found, err := a.Find("", BySPN, spn)
	if err != nil || len(found) > 0 {
		return len(found) > 0, err
	}
	class, instance, _ := strings.Cut(spn, "/")
	if !strings.Contains(mappedClasses, " "+strings.ToLower(class)+" ") {
		return false, nil
	}
	found, err = a.Find("", BySPN, "host/"+instance)
	return len(found) > 0, err
}

// mappedClasses are the service classes that host stands for by default (the attribute sPNMappings of a new forest).
const mappedClasses = " alerter appmgmt cisvc clipsrv browser dhcp dnscache replicator eventlog eventsystem policyagent oakley dmserver dns mcsvc fax msiserver ias messenger netlogon netman netdde netddedsm " +
	"nmagent plugplay protectedstorage rasman rpclocator rpc rpcss remoteaccess rsvp samss scardsvr scesrv seclogon scm dcom cifs spooler snmp schedule tapisrv trksvr trkwks ups time wins www http w3svc iisadmin msdtc "

func (c *run) askDuplicateSPN(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	a.eachAccount(func(r reference, account Object) {
		for _, spn := range account.SPNs {
			found, err := d.Find("", BySPN, spn)
			if err != nil {
				a.fail(r.node, err)
				continue
			}
			for _, o := range found {
				if o.DN != account.DN {
					c.report(r.node, "%s has the service principal name %s of %s too", describe(o), spn, account.SAM).Repair = fmt.Sprintf("setspn -D %s %s", spn, o.SAM)
				}
			}
		}
	})
}
