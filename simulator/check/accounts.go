package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// fetchers are the targets that take an account out of the list instead of MachineAccountName.
var fetchers = []Target{Fetcher1, Fetcher2}

var accountRules = []*Rule{
	{
		ID: "account-dollar-suffix", Group: "accounts", Severity: Error, Needs: []How{Offline}, YieldsTo: append(slices.Clone(better), "account-domain-part"),
		Title:  "the account's name ends in $",
		Why:    "The name is the SAM name without its $: guide, \"Check the Credential Spec file\". Windows asks for an account of exactly this name and finds none; credentials-fetcher refuses the character.",
		Repair: "leave the $ out",
		Bad:    `{"Name": "webapp$", "Scope": "corp.example"}`, Good: `{"Name": "webapp", "Scope": "corp.example"}`,
		run: func(c *run) {
			for _, a := range c.accounts() {
				if strings.HasSuffix(a.text, "$") && placeholder(a.text, name) == "" { // $account$ is a slot
					c.report(a.node, "the name %q ends in $, which is not part of it here", a.text).replace(a.node, strings.TrimRight(a.text, "$"))
				}
			}
		},
	},
	{
		ID: "account-domain-part", Group: "accounts", Severity: Error, Needs: []How{Offline}, YieldsTo: better,
		Title:  "the account's name has its domain in it",
		Why:    "The name is the bare SAM name (guide, \"Check the Credential Spec file\": without the domain part); the domain stands in Scope. Nothing splits CORP\\webapp, webapp@corp.example or CN=webapp,…, so that no account of this name is found.",
		Repair: "leave the domain out",
		Bad:    `{"Name": "CORP\\webapp", "Scope": "corp.example"}`, Good: `{"Name": "webapp", "Scope": "corp.example"}`,
		run: func(c *run) {
			for _, a := range c.accounts() {
				if !hasDomainPart(a.text) {
					continue
				}
				r := c.report(a.node, "the name %q is not the bare name of an account", a.text)
				if domain, user, ok := splitAccount(a.text); ok && a.view.names(domain) && user != "" {
					r.replace(a.node, strings.TrimRight(user, "$"))
				}
			}
		},
	},
	{
		ID: "account-is-dns-name", Group: "accounts", Severity: Error, Needs: []How{Offline, InDirectory}, YieldsTo: better,
		Title:  "the account's name is its DNS host name",
		Why:    "New-ADServiceAccount wants a DNSHostName beside the name, and the two are taken for each other. The credential spec needs the SAM name; nothing is found under the other.",
		Repair: "put the SAM name in: (Get-ADServiceAccount …).SamAccountName without its $",
		Bad:    `{"Name": "webapp.corp.example", "Scope": "corp.example"}`, Good: `{"Name": "webapp", "Scope": "corp.example"}`,
		run: func(c *run) {
			for _, a := range c.accounts() {
				if below(strings.TrimSuffix(a.text, "$"), a.view.dns) && !hasDomainPart(a.text) && a.first {
					c.report(a.node, "the name %q ends in the domain's name, as DNS host names do", a.text)
				}
			}
		},
	},
	{
		ID: "account-invalid-chars", Group: "accounts", Severity: Error, Needs: []How{Offline}, YieldsTo: append(slices.Clone(better), "account-domain-part"),
		Title:  "the account's name has a character that no account has",
		Why:    `SAM names have none of " / \ [ ] : ; | = , + * ? < > ([MS-SAMR] 3.1.1.6), and no blank is of use in one. credentials-fetcher 1 refuses & $ ! ' ` + "`" + ` ~ too, because it puts the name into a command.`,
		Repair: "put the account's real name in, or rename the account",
		Bad:    `{"Name": "web app", "Scope": "corp.example"}`, Good: `{"Name": "webapp", "Scope": "corp.example"}`,
		run: func(c *run) {
			for _, a := range c.accounts() {
				text := strings.TrimSuffix(a.text, "$")
				bad := `"/\[]:;|=,+*?<> `
				if c.targets(Fetcher1) {
					bad += "&$!'`~"
				}
				i := strings.IndexAny(text, bad)
				if i < 0 || !a.first {
					continue
				}
				what := fmt.Sprintf("%q", text[i])
				if text[i] == ' ' {
					what = "a blank"
				}
				r := c.report(a.node, "the name %q has %s", a.text, what)
				if text[i] == '?' {
					r.Message += "; the module writes ? for a letter outside of ASCII"
				}
			}
		},
	},
	{
		ID: "account-too-long", Group: "accounts", Severity: Warning, Needs: []How{Offline, InDirectory}, YieldsTo: append(slices.Clone(better), "account-domain-part", "account-is-dns-name"),
		Title:  "the account's name has more than 15 characters",
		Why:    "New-ADServiceAccount takes names of 15 characters at most: the SAM name has the $ behind it, and NETBIOS names of computers have no more.",
		Repair: "look the name up with Get-ADServiceAccount",
		Bad:    `{"Name": "webapplication-front", "Scope": "corp.example"}`, Good: `{"Name": "webapp-front", "Scope": "corp.example"}`,
		run: func(c *run) {
			for _, a := range c.accounts() {
				if n := len([]rune(strings.TrimSuffix(a.text, "$"))); n > 15 && a.first {
					c.report(a.node, "the name %q has %d characters, and 15 is the most for a group managed service account", a.text, n)
				}
			}
		},
	},
	{
		ID: "account-case", Group: "accounts", Severity: Info, Needs: []How{Offline, InDirectory}, YieldsTo: better,
		Title:  "one account is spelled in two ways",
		Why:    "Windows does not care. The ECS agent on Linux looks for the lower-cased name in the path of a ticket, and names of files on Linux keep the letters' case.",
		Repair: "spell it in one way",
		Bad:    `"MachineAccountName": "WebApp" with "Name": "webapp"`, Good: `"MachineAccountName": "webapp" with "Name": "webapp"`,
		run: func(c *run) {
			type spelling struct {
				of   *credspec.Document
				name string
			}
			before := map[spelling]account{}
			for _, a := range c.accounts() {
				key := spelling{a.view.spec, strings.ToLower(bare(a.text))}
				first, known := before[key]
				switch {
				case !known:
					before[key] = a
				case bare(first.text) != bare(a.text):
					r := c.report(a.node, "%q is spelled %q here", first.text, a.text)
					r.related(first.node, "the other spelling")
					before[key] = a // one that goes on like this is not told again
				}
			}
		},
	},
	{
		ID: "machine-account-not-listed", Group: "accounts", Severity: Error, Needs: []How{Offline}, YieldsTo: better,
		Title:  "MachineAccountName is not among the listed accounts",
		Why:    "The container is the account of MachineAccountName, and its password is asked for by an entry of GroupManagedServiceAccounts. credentials-fetcher gets a ticket for the listed account instead, which the ECS agent on Linux does not find.",
		Repair: "list the account, with the DNS and with the NETBIOS name of its domain as Scope",
		Bad:    `"MachineAccountName": "webapp" with "Name": "webapp2"`, Good: `"MachineAccountName": "webapp" with "Name": "webapp"`,
		run: func(c *run) {
			for _, d := range c.specs() {
				v := viewOf(d)
				if v.machine == "" || len(v.listedNames()) == 0 || len(v.primary()) > 0 {
					continue
				}
				r := c.report(v.node("MachineAccountName"), "the account %q is not listed; %s", v.machine, listed(v.listedNames()))
				r.related(d.Root.Get(credspec.KeyActiveDirectory, credspec.KeyAccounts), "the list")
				if c.targetsOf(d, ECSLinux, Fargate) {
					r.Consumer = "unable to fetch valid credentialspec mapping"
				}
			}
		},
	},
	{
		ID: "first-account-not-primary", Group: "accounts", Severity: Info, Depends: "an error for cf1 and cf2", Needs: []How{Offline}, YieldsTo: better,
		Title:  "the first listed account is not MachineAccountName",
		Why:    "credentials-fetcher takes the first name of the list and does not look at MachineAccountName; Windows takes MachineAccountName.",
		Repair: "put the entries of MachineAccountName first",
		Bad:    `"MachineAccountName": "webapp" with "Name": "batch" first`, Good: `"MachineAccountName": "webapp" with "Name": "webapp" first`,
		run: func(c *run) {
			for _, d := range c.specs() {
				v := viewOf(d)
				primary := v.primary()
				if v.machine == "" || len(primary) == 0 || primary[0] == 0 {
					continue
				}
				first := d.Accounts()[0].Get("Name")
				if first.String() == "" {
					continue
				}
				r := c.report(first, "the first account is %q, and MachineAccountName is %q", first.Text, v.machine)
				r.related(v.node("MachineAccountName"), "the container's account")
				if c.targets(fetchers...) {
					r.Severity = Error
				}
			}
		},
	},
	{
		ID: "scope-missing-dns", Group: "accounts", Severity: Error, Needs: []How{Offline}, YieldsTo: append(slices.Clone(better), "scope-foreign"),
		Title:  "the account is not listed with its domain's DNS name",
		Why:    "New-CredentialSpec lists the container's account twice, with DNSRoot and with NetBIOSName as Scope (guide, \"Check the Credential Spec file\", shows both): the name is looked up in the form in which somebody asks.",
		Repair: "add an entry with DnsName as Scope",
		Bad:    `[{"Name": "webapp", "Scope": "CORP"}]`, Good: `[{"Name": "webapp", "Scope": "corp.example"}, {"Name": "webapp", "Scope": "CORP"}]`,
		run: func(c *run) {
			for _, d := range c.specs() {
				v := viewOf(d)
				c.missingScope(v, v.domain(), "DnsName")
			}
		},
	},
	{
		ID: "scope-missing-netbios", Group: "accounts", Severity: Warning, Needs: []How{Offline}, YieldsTo: append(slices.Clone(better), "scope-foreign"),
		Title:  "the account is not listed with its domain's NETBIOS name",
		Why:    "New-CredentialSpec lists the container's account twice, with DNSRoot and with NetBIOSName as Scope (guide, \"Check the Credential Spec file\", shows both). Without the second, a logon as CORP\\webapp finds no entry; services that run on Linux do not need it.",
		Repair: "add an entry with NetBiosName as Scope",
		Bad:    `[{"Name": "webapp", "Scope": "corp.example"}]`, Good: `[{"Name": "webapp", "Scope": "corp.example"}, {"Name": "webapp", "Scope": "CORP"}]`,
		run: func(c *run) {
			for _, d := range c.specs() {
				v := viewOf(d)
				c.missingScope(v, v.netbios, "NetBiosName")
			}
		},
	},
	{
		ID: "scope-duplicate", Group: "accounts", Severity: Warning, Needs: []How{Offline}, YieldsTo: better,
		Title:  "an account is listed twice with one scope",
		Why:    "The second entry says nothing; mostly it was to have the other form of the domain's name.",
		Repair: "remove it, or give it the other form of the name",
		Bad:    `[{"Name": "webapp", "Scope": "corp.example"}, {"Name": "webapp", "Scope": "CORP.example"}]`, Good: `[{"Name": "webapp", "Scope": "corp.example"}, {"Name": "webapp", "Scope": "CORP"}]`,
		run: func(c *run) {
			for _, d := range c.specs() {
				v := viewOf(d)
				if !c.opts.All && v.dns != "" && strings.EqualFold(v.dns, v.netbios) {
					continue // dnsname-is-netbios: both forms are one
				}
				list := d.Root.Get(credspec.KeyActiveDirectory, credspec.KeyAccounts)
				first := map[string]*source.Node{}
				var again []int
				var r *Report
				for i, entry := range list.List() {
					name, scope := bare(trimmed(entry.Get("Name"))), trimmed(entry.Get("Scope"))
					if name == "" || scope == "" {
						continue
					}
					key := strings.ToLower(name + "\n" + scope)
					if first[key] == nil {
						first[key] = entry
						continue
					}
					again = append(again, i)
					r = c.reportAt(entryPlace(entry), "%q is listed with the scope %q before", name, scope)
					r.related(first[key], "the first entry")
				}
				if r != nil { // one cut for all of them: each alone would cut into the next
					if edits, ok := list.RemoveItems(again...); ok {
						r.Fix = append(r.Fix, edits...)
					}
				}
			}
		},
	},
	{
		ID: "scope-foreign", Group: "accounts", Severity: Error, Needs: []How{Offline, InDirectory}, YieldsTo: better,
		Title:  "the container's account is listed with the scope of another domain",
		Why:    "Scope is the domain in which the name is looked up. MachineAccountName is an account of DnsName, so that it is not found in another domain, or another account is.",
		Repair: "write DnsName or NetBiosName",
		Bad:    `"DnsName": "corp.example" with {"Name": "webapp", "Scope": "lab.example"}`, Good: `"DnsName": "corp.example" with {"Name": "webapp", "Scope": "corp.example"}`,
		run: func(c *run) {
			for _, d := range c.specs() {
				v := viewOf(d)
				if v.dns == "" || v.netbios == "" {
					continue // missing-field
				}
				told := map[string]*Report{}
				for _, i := range v.primary() {
					n := d.Accounts()[i].Get("Scope")
					scope := trimmed(n)
					if scope == "" || v.names(scope) {
						continue
					}
					if told[strings.ToLower(scope)] != nil {
						continue
					}
					r := c.report(n, "the scope %q is neither %s nor %s, where %q is", scope, v.domain(), v.netbios, v.machine)
					r.related(v.node("DnsName"), "DnsName")
					told[strings.ToLower(scope)] = r
				}
			}
		},
	},
	{
		ID: "scope-additional-single", Group: "accounts", Severity: Info, Needs: []How{Offline}, YieldsTo: better,
		Title:  "an additional account is listed with one form of its domain's name",
		Why:    "New-CredentialSpec writes one entry for each of -AdditionalAccounts, with the domain as it was given or DNSRoot. guide: how a service asks for a second account is not said, so that the other form may be needed.",
		Repair: "add an entry with the other form, if something asks for it",
		Bad:    `{"Name": "batch", "Scope": "CORP"}`, Good: `{"Name": "batch", "Scope": "CORP"}, {"Name": "batch", "Scope": "corp.example"}`,
		run: func(c *run) {
			for _, d := range c.specs() {
				v := viewOf(d)
				if len(v.primary()) == 0 {
					continue // machine-account-not-listed
				}
				scopes := map[string]map[string]bool{}
				for _, entry := range d.Accounts() {
					name := strings.ToLower(bare(trimmed(entry.Get("Name"))))
					if scopes[name] == nil {
						scopes[name] = map[string]bool{}
					}
					scopes[name][strings.ToLower(trimmed(entry.Get("Scope")))] = true
				}
				for _, entry := range d.Accounts() {
					n := entry.Get("Name")
					name := strings.ToLower(bare(trimmed(n)))
					if name == "" || strings.EqualFold(name, bare(v.machine)) || trimmed(entry.Get("Scope")) == "" || len(scopes[name]) != 1 {
						continue
					}
					delete(scopes, name)
					c.report(n, "%q is listed with the scope %q only", trimmed(n), trimmed(entry.Get("Scope")))
				}
			}
		},
	},
	{
		ID: "host-other-domain", Group: "accounts", Severity: Error, Needs: []How{CrossFile, InDirectory},
		Title:  "the host is in another domain than the account",
		Why:    "The host asks for the account's password as a member of its own domain (guide, \"gMSA troubleshooting\": the host has to be in the account's domain); one outside of it needs a HostAccountConfig with a plug-in.",
		Repair: "run the container on a host of the account's domain, or add a HostAccountConfig",
		Bad:    "the host web01.lab.example for an account of corp.example", Good: "the host web01.corp.example for an account of corp.example",
		run: func(c *run) {
			if len(c.opts.Hosts) == 0 {
				for _, d := range c.specs() {
					if d.HostAccount() == nil {
						c.notChecked(d.File.Span(0, 0), "no host is named (--host)")
						return
					}
				}
				return
			}
			for _, d := range c.specs() {
				v := viewOf(d)
				if v.dns == "" || d.HostAccount() != nil {
					continue
				}
				for _, host := range c.opts.Hosts {
					_, domain, dotted := strings.Cut(strings.TrimSuffix(host, "."), ".")
					switch {
					case !dotted:
						c.notChecked(v.node("DnsName").Span(), "the host %s is named without its domain", host)
					case !strings.EqualFold(domain, v.domain()):
						c.report(v.node("DnsName"), "the host %s is in %s, and the account in %s", host, domain, v.domain())
					}
				}
			}
		},
	},
}

// account is a value that names an account: MachineAccountName, or an entry's Name.
type account struct {
	node *source.Node
	text string // without blanks around it
	view view
	// first tells whether the credential spec has the name for the first time here.
	first bool
}

// accounts are the values that name an account.
func (c *run) accounts() []account {
	var list []account
	for _, d := range c.specs() {
		v := viewOf(d)
		seen := map[string]bool{}
		add := func(n *source.Node) {
			if t := trimmed(n); t != "" {
				list = append(list, account{n, t, v, !seen[strings.ToLower(t)]})
				seen[strings.ToLower(t)] = true
			}
		}
		add(v.node("MachineAccountName"))
		for _, a := range d.Accounts() {
			add(a.Get("Name"))
		}
	}
	return list
}

// trimmed is a string without blanks around it, and without the characters that nobody sees: value-whitespace and json-hidden-char tell of those,
// and other rules take the value for what was meant.
func trimmed(n *source.Node) string {
	text := strings.Trim(n.String(), blanks)
	if strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) < 0 {
		return text
	}
	if clean, ok := withoutHidden(text); ok {
		return clean
	}
	return text
}

// hasDomainPart tells whether a name has its domain in it, in any of the forms that there are.
func hasDomainPart(name string) bool {
	return strings.ContainsAny(name, `\@/`) || strings.Contains(strings.ToUpper(name), "CN=")
}

// splitAccount takes CORP\webapp and webapp@corp.example apart.
func splitAccount(name string) (domain, user string, ok bool) {
	if domain, user, ok = strings.Cut(name, `\`); ok {
		return domain, user, !strings.ContainsAny(user, `\@/=`)
	}
	user, domain, ok = strings.Cut(name, "@")
	return domain, user, ok && !strings.ContainsAny(user, `\@/=`)
}

// bare is a name without the $ and the domain, which other rules report.
func bare(name string) string {
	if _, user, ok := splitAccount(name); ok {
		name = user
	}
	return strings.TrimRight(name, "$")
}

// domain is the account's domain: DnsName, or the name that was swapped with it.
func (v view) domain() string {
	if v.swapped() {
		return v.tree
	}
	return v.dns
}

// names tells whether a name is one of the account's domain.
func (v view) names(domain string) bool {
	return domain != "" && (strings.EqualFold(domain, v.dns) || strings.EqualFold(domain, v.netbios) || v.swapped() && strings.EqualFold(domain, v.tree))
}

// primary are the entries of MachineAccountName, by their index.
func (v view) primary() []int {
	var list []int
	for i, entry := range v.spec.Accounts() {
		if name := bare(trimmed(entry.Get("Name"))); name != "" && strings.EqualFold(name, bare(v.machine)) {
			list = append(list, i)
		}
	}
	return list
}

// listedNames are the names of the list, each once.
func (v view) listedNames() []string {
	var list []string
	for _, entry := range v.spec.Accounts() {
		if name := trimmed(entry.Get("Name")); name != "" && !slices.ContainsFunc(list, func(o string) bool { return strings.EqualFold(o, name) }) {
			list = append(list, name)
		}
	}
	return list
}

// listed says which accounts are listed.
func listed(names []string) string {
	switch {
	case len(names) == 1:
		return fmt.Sprintf("%q is the only one", names[0])
	case len(names) > 3:
		return fmt.Sprintf("%q, %q and %d more are", names[0], names[1], len(names)-2)
	}
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(quoted, " and ") + " are"
}

// missingScope reports an account that has entries, and none with a form of its domain's name; the fix is a copy of the entry before.
func (c *run) missingScope(v view, want, key string) {
	primary := v.primary()
	if want == "" || len(primary) == 0 || !c.opts.All && placeholder(want, strict) != "" {
		return
	}
	list := v.spec.Root.Get(credspec.KeyActiveDirectory, credspec.KeyAccounts)
	after, foreign := -1, -1
	for _, i := range primary {
		n := list.Items[i].Get("Scope")
		switch {
		case strings.EqualFold(trimmed(n), want):
			return
		case trimmed(n) == "":
		case v.names(trimmed(n)):
			after = i
		case foreign < 0:
			foreign = i // it was to be this one, mostly
		}
	}
	if foreign >= 0 && v.dns != "" && v.netbios != "" {
		after = foreign
	}
	if after < 0 {
		return // account-entry-incomplete
	}
	n := list.Items[after].Get("Scope")
	r := c.reportAt(entryPlace(list.Items[after]), "%q has no entry with the scope %s (%s)", trimmed(list.Items[after].Get("Name")), want, key)
	if v.names(trimmed(n)) { // an entry of another domain is to be put right, not to be copied
		r.add(list.CopyItem(after, source.NewText{Of: n, Text: want}))
	}
}

// entryPlace is the place of an entry of the list: its values, without the lines between.
func entryPlace(entry *source.Node) source.Span {
	if n := entry.Get("Scope"); n != nil {
		return n.Span()
	}
	return head(entry)
}
