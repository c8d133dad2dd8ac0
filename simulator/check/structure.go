package check

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

const pluginAD = "ActiveDirectory"

var structureRules = []*Rule{
	{
		ID: "missing-section", Group: "structure", Severity: Error, Needs: []How{Offline},
		Title:  "a section of the credential spec is missing",
		Why:    "New-CredentialSpec writes CmsPlugins, DomainJoinConfig and ActiveDirectoryConfig, always all three: which plug-in is asked, which domain the container is in, which accounts it may be. credentials-fetcher 2 refuses the file when one of the last two is not there.",
		Repair: "add the section, or write the file again with New-CredentialSpec",
		Bad:    `{"CmsPlugins": ["ActiveDirectory"]}`, Good: `{"CmsPlugins": ["ActiveDirectory"], "DomainJoinConfig": {…}, "ActiveDirectoryConfig": {…}}`,
		run: func(c *run) {
			for _, d := range c.specs() {
				if d.Root.IsEmpty() {
					continue // file-empty
				}
				for _, m := range specShape.members {
					n := d.Get(m.key)
					if !n.IsEmpty() || n == nil && c.misspelt(d.Root, specShape, m.key) {
						continue
					}
					var r *Report
					if n == nil {
						r = c.reportAt(head(d.Root), "%s is missing", m.key)
					} else {
						r = c.report(n, "%s is empty", m.key)
					}
					if m.key != credspec.KeyPlugins {
						if m.key == credspec.KeyDomainJoin {
							r.Consumer = c.says(Fetcher2, "missing or invalid DomainJoinConfig in credential spec")
						} else {
							r.Consumer = c.says(Fetcher2, "missing or invalid ActiveDirectoryConfig in credential spec")
						}
						continue
					}
					value := `["` + pluginAD + `"]`
					if n == nil {
						r.add(d.Root.InsertMember(0, m.key, value))
					} else if n.Kind == source.Array {
						r.add(n.Rewrite(value))
					}
				}
			}
		},
	},
	{
		ID: "cmsplugins-unknown", Group: "structure", Severity: Error, Depends: "a warning when only the letters' case differs", Needs: []How{Offline}, YieldsTo: []string{"placeholder-value", "value-whitespace", "json-hidden-char"},
		Title:  "CmsPlugins names another plug-in than ActiveDirectory",
		Why:    "ActiveDirectory is the only value that New-CredentialSpec writes and that any documentation has; the host has no other plug-in to load.",
		Repair: `write ["ActiveDirectory"]`,
		Bad:    `"CmsPlugins": ["AzureAD"]`, Good: `"CmsPlugins": ["ActiveDirectory"]`,
		run: func(c *run) {
			for _, d := range c.specs() {
				list := d.Get(credspec.KeyPlugins)
				known := 0
				for i, n := range list.List() {
					switch name := strings.Trim(n.String(), blanks); {
					case n.Kind != source.String:
					case name == pluginAD:
						if known++; known > 1 {
							r := c.report(n, "%s stands twice", pluginAD)
							r.Severity = Warning
							if edits, ok := list.RemoveItems(i); ok {
								r.Fix = append(r.Fix, edits...)
							}
						}
					case strings.EqualFold(name, pluginAD):
						known++
						r := c.report(n, "%q has to be %q", n.Text, pluginAD)
						r.Severity = Warning
						r.replace(n, pluginAD)
					default:
						c.report(n, "%q is no plug-in of the host: %q is the only one", n.Text, pluginAD)
					}
				}
			}
		},
	},
	{
		ID: "missing-field", Group: "structure", Severity: Error, Needs: []How{Offline, InDirectory}, YieldsTo: []string{"json-yaml-scalar", "helm-unquoted"},
		Title:  "a member of DomainJoinConfig is missing",
		Why:    "The section is what the container's LSA is told about its domain ([MS-LSAD] 2.2.4.14, POLICY_DNS_DOMAIN_INFO) and the account's name; New-CredentialSpec writes all six members.",
		Repair: "add the member; Get-ADDomain shows the domain's",
		Bad:    `"DomainJoinConfig": {"MachineAccountName": "webapp", "DnsName": "corp.example"}`, Good: `"DomainJoinConfig": {"Sid": "S-1-5-21-…", "MachineAccountName": "webapp", "Guid": "…", "DnsTreeName": "corp.example", "DnsName": "corp.example", "NetBiosName": "CORP"}`,
		run: func(c *run) {
			of, _ := specShape.keyOf(credspec.KeyDomainJoin)
			for _, d := range c.specs() {
				j := d.Get(credspec.KeyDomainJoin)
				if j.IsEmpty() || j.Kind != source.Object {
					continue
				}
				for _, m := range of.of.members {
					n := j.Get(m.key)
					if !n.IsEmpty() || n != nil && n.Kind != source.String && n.Kind != source.Null || n == nil && c.misspelt(j, of.of, m.key) {
						continue
					}
					var r *Report
					if n == nil {
						r = c.report(d.Root.Key(credspec.KeyDomainJoin), "DomainJoinConfig has no %s", m.key)
					} else {
						r = c.report(n, "%s is empty", m.key)
					}
					r.Repair = "add it: " + domainSource[m.key]
					if m.key == "DnsName" {
						r.Consumer = c.says(Fetcher2, "missing or invalid DnsName in credential spec")
					}
				}
			}
		},
	},
	{
		ID: "no-accounts", Group: "structure", Severity: Error, Needs: []How{Offline},
		Title:  "the credential spec lists no account",
		Why:    "GroupManagedServiceAccounts are the accounts whose passwords the container may have. Without one the container is nobody in the domain, and credentials-fetcher refuses the file.",
		Repair: "list the account twice, with the DNS and with the NETBIOS name of its domain as Scope",
		Bad:    `"ActiveDirectoryConfig": {"GroupManagedServiceAccounts": []}`, Good: `"GroupManagedServiceAccounts": [{"Name": "webapp", "Scope": "corp.example"}, {"Name": "webapp", "Scope": "CORP"}]`,
		run: func(c *run) {
			of, _ := specShape.keyOf(credspec.KeyActiveDirectory)
			for _, d := range c.specs() {
				ad := d.Get(credspec.KeyActiveDirectory)
				list := ad.Get(credspec.KeyAccounts)
				if ad.IsEmpty() || ad.Kind != source.Object || !list.IsEmpty() || list == nil && c.misspelt(ad, of.of, credspec.KeyAccounts) {
					continue
				}
				var r *Report
				if list == nil {
					r = c.report(d.Root.Key(credspec.KeyActiveDirectory), "ActiveDirectoryConfig has no %s", credspec.KeyAccounts)
				} else {
					r = c.report(list, "%s is empty", credspec.KeyAccounts)
				}
				r.Consumer = c.says(Fetcher2, "no GroupManagedServiceAccounts found in credential spec")
			}
		},
	},
	{
		ID: "account-entry-incomplete", Group: "structure", Severity: Error, Needs: []How{Offline}, YieldsTo: []string{"json-yaml-scalar"},
		Title:  "an entry of GroupManagedServiceAccounts lacks its Name or its Scope",
		Why:    "An entry is an account and the domain in which it is looked up; New-CredentialSpec writes both for each.",
		Repair: "add what is missing",
		Bad:    `{"Name": "webapp"}`, Good: `{"Name": "webapp", "Scope": "corp.example"}`,
		run: func(c *run) {
			for _, d := range c.specs() {
				for i, entry := range d.Accounts() {
					if entry.Kind != source.Object {
						continue
					}
					for _, key := range []string{"Name", "Scope"} {
						n := entry.Get(key)
						if !n.IsEmpty() || n != nil && n.Kind != source.String && n.Kind != source.Null || n == nil && c.misspelt(entry, accountShape, key) {
							continue
						}
						if n == nil {
							c.reportAt(head(entry), "entry %d has no %s", i+1, key)
						} else {
							c.report(n, "the %s of entry %d is empty", key, i+1)
						}
					}
				}
			}
		},
	},
	{
		ID: "placeholder-value", Group: "structure", Severity: Error, Needs: []How{Offline},
		Title:  "a slot of a template has not been filled in",
		Why:    "The text stands for a value that somebody was to put there; nobody replaces it later, and no domain has such a name.",
		Repair: "put the value in its place; Get-ADDomain shows the domain's, Get-ADServiceAccount the account's name",
		Bad:    `"DnsName": "<your domain>"`, Good: `"DnsName": "corp.example"`,
		run: func(c *run) {
			report := func(n *source.Node, name, slot string) {
				c.report(n, "%s still has the slot %s", name, slot)
			}
			c.eachPlace(func(p place) {
				switch {
				case p.of.kind != source.String:
				case p.node.Kind == source.Object:
					for _, m := range p.node.Members {
						if slot := placeholder(m.Value.String(), loose); slot != "" {
							report(m.Value, m.Key.Text, slot)
						}
					}
				case p.node.Kind == source.String:
					if slot := placeholder(p.node.Text, strictness(p)); slot != "" {
						report(p.node, lastPart(p.name), slot)
					}
				}
			})
			for _, d := range c.documents() {
				if slot := anglePattern.FindIndex(d.File.Data); slot != nil && d.File.Outer() != nil && d.Broken() && len(bytes.TrimSpace(d.File.Data)) == slot[1]-slot[0] {
					c.reportAt(d.File.Span(slot[0], slot[1]), "the text of the credential spec still is the slot %s", d.File.Data[slot[0]:slot[1]])
				}
			}
			for _, u := range c.setup.Uses {
				if slot := anglePattern.FindString(u.Image.String()); slot != "" {
					report(u.Image, "the image", slot)
				}
				if u.Carrier == setup.ECS && u.Option != nil && u.Option.Open {
					continue // the deployment fills it in
				}
				if u.Carrier == setup.ECS && u.Option != nil && (u.Source == setup.FromS3 || u.Source == setup.FromSSM || u.Source == setup.FromFile) {
					if slot := placeholder(u.Option.String(), strict); slot != "" {
						report(u.Option, "the place of the credential spec", slot)
					}
				} else if u.Option != nil && u.Source != setup.FromInline {
					if slot := anglePattern.FindString(u.Option.String()); slot != "" {
						report(u.Option, "the place of the credential spec", slot)
					}
				}
			}
		},
	},
	{
		ID: "doc-sample-values", Group: "structure", Severity: Warning, Depends: "an error when a directory is asked and its domain has other values", Needs: []How{Offline, InDirectory}, YieldsTo: []string{"sid-domain-mismatch", "guid-domain-mismatch"},
		Title:  "a value is that of a well-known example",
		Why:    "Sid and Guid identify one domain in the world. These stand in public pages and samples, so that they are somebody else's, or nobody's.",
		Repair: "put your domain's in: (Get-ADDomain).DomainSID.Value and (Get-ADDomain).ObjectGUID",
		Bad:    `"Guid": "12345678-1234-1234-1234-123456789012"`, Good: `"Guid": "3f7a2c51-8d64-4b0e-9a17-c2d5e8f01b36"`,
		run: func(c *run) {
			for _, d := range c.specs() {
				for _, key := range []string{"Sid", "Guid"} {
					n := d.Get(credspec.KeyDomainJoin, key)
					if IsSample(n.String()) {
						c.report(n, "the %s %s is that of a public example", key, strings.Trim(n.Text, blanks))
					}
				}
			}
		},
	},
}

// domainSource is where the members of DomainJoinConfig come from.
var domainSource = map[string]string{
	"Sid": "(Get-ADDomain).DomainSID.Value", "Guid": "(Get-ADDomain).ObjectGUID", "DnsTreeName": "(Get-ADDomain).Forest", "DnsName": "(Get-ADDomain).DNSRoot",
	"NetBiosName": "(Get-ADDomain).NetBIOSName", "MachineAccountName": "the SAM name of the group managed service account, without its $",
}

// accountShape is the shape of an entry of GroupManagedServiceAccounts.
var accountShape = specShape.members[2].of.members[0].of.item

// misspelt tells whether an object has a key in other letters, or one that looks like it: other rules report that, and the member is not missing.
func (c *run) misspelt(n *source.Node, of *shape, key string) bool {
	if c.opts.All {
		return false
	}
	for _, m := range n.Map() {
		if strings.EqualFold(m.Key.Text, key) {
			return true
		}
		if known, _ := of.keyOf(m.Key.Text); known == nil && nearMissing(n, of, m.Key.Text) == key {
			return true
		}
	}
	return false
}

// head is the beginning of an object: its bracket or its first key.
func head(n *source.Node) source.Span {
	if n.Start < len(n.File.Data) && n.File.Data[n.Start] == '{' || len(n.Members) == 0 {
		return n.File.Span(n.Start, min(n.Start+1, n.End))
	}
	return n.Members[0].Key.Span()
}

// says is a consumer's text when the consumer is a target.
func (c *run) says(t Target, text string) string {
	if c.targets(t) {
		return text
	}
	return ""
}

// add adds an edit to the report's fix, if there is one.
func (r *Report) add(e source.Edit, ok bool) {
	if ok {
		r.Fix = append(r.Fix, e)
	}
}

// How much may be in a value: strict ones have no underscores in capitals, names may.
const (
	strict = iota
	name
	loose // anything, as in the input of a plug-in
)

func strictness(p place) int {
	switch {
	case p.of.any:
		return loose
	case strings.HasSuffix(p.name, ".Sid"), strings.HasSuffix(p.name, ".Guid"), strings.HasSuffix(p.name, ".DnsName"), strings.HasSuffix(p.name, ".DnsTreeName"), strings.HasSuffix(p.name, ".PluginGUID"):
		return strict
	}
	return name
}

var (
	anglePattern = regexp.MustCompile(`<[^<>=]+>`)
	slotPattern  = regexp.MustCompile(`\$\{[^}]*\}|\$\([^)]*\)|\{\{[^}]*\}\}|\.\.\.|…`)
	yourPattern  = regexp.MustCompile(`\bYOUR[A-Z0-9_-]*|(?i:\byour[-_ ]?(?:ad|domain|company|organi[sz]ation|org|account|gmsa|sid|guid|netbios|name|forest|secret|vault|service|tenant|own|region|host|realm)[-_a-z0-9]*)`)
	fillPattern  = regexp.MustCompile(`(?i:x{4,}|change[-_ ]?me|replace[-_ ]?me|placeholder|account[-_ ](?:name|sid|guid)\b)|\b(?:TODO|FIXME|TBD)\b`)
	dollar       = regexp.MustCompile(`\$[A-Za-z_][A-Za-z0-9_:.]*\$?`)
	dollarWhole  = regexp.MustCompile(`^\$[A-Za-z_][A-Za-z0-9_:.]*\$?$|\$[A-Za-z_][A-Za-z0-9_]*\$`)
	percent      = regexp.MustCompile(`^%[A-Za-z_]+%$`)
	capitals     = regexp.MustCompile(`\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b`)
	slotWords    = map[string]bool{"YOUR": true, "MY": true, "NAME": true, "FQDN": true, "NETBIOS": true, "SID": true, "GUID": true, "ARN": true, "INSERT": true, "VALUE": true, "CHANGE": true, "REPLACE": true, "HERE": true, "DOMAIN": true, "PLACEHOLDER": true}
)

// slotPatterns are those of every kind of value, each with characters of which a match has at least one.
var slotPatterns = []struct {
	*regexp.Regexp
	signs string
}{{anglePattern, "<"}, {slotPattern, "${.…"}, {yourPattern, "yY"}, {fillPattern, "xXcCrRpPaATFB"}}

// placeholder is the part of a value that is a slot of a template, "" when it has none.
func placeholder(text string, how int) string {
	if text == "" {
		return ""
	}
	for _, p := range slotPatterns {
		if !strings.ContainsAny(text, p.signs) {
			continue // most values have none, and there are many
		}
		if slot := p.FindString(text); slot != "" {
			return slot
		}
	}
	pattern := dollar
	if how == loose {
		pattern = dollarWhole // a password may have a $
	}
	if slot := pattern.FindString(text); slot != "" {
		return slot
	}
	if percent.MatchString(text) {
		return text
	}
	for _, slot := range capitals.FindAllString(text, -1) {
		if how == strict {
			return slot
		}
		for _, word := range strings.Split(slot, "_") {
			if slotWords[word] {
				return slot
			}
		}
	}
	return ""
}

// Values of public pages and samples: Microsoft's pages on gMSA containers, the pages of Kubernetes and Rancher, AWS' samples and blogs.
var sampleValues = map[string]bool{
	"s-1-5-21-702590844-1001920913-2680819671": true, "s-1-5-21-2126729477-2524075714-3094792973": true, "s-1-5-21-2126449477-2524075714-3094792973": true,
	"s-1-5-21-3700119848-2853083131-2094573802": true, "s-1-5-21-4066351383-705263209-1606769140": true, "s-1-5-21-4217655605-3681839426-3493040985": true,
	"s-1-5-21-2421564706-1737585382-3854682907": true, "s-1-5-21-1234567890-1234567890-1234567890": true, "s-1-5-21-1111111111-2222222222-3333333333": true,
	"56d9b66c-d746-4f87-bd26-26760cfdca2e": true, "244818ae-87ca-4fcd-92ec-e79e5252348a": true, "244818ae-87ac-4fcd-92ec-e79e5252348a": true,
	"af602f85-d754-4eea-9fa8-fd76810485f1": true, "6a91814c-e151-4fb0-96f0-f517566fc883": true, "12345678-1234-1234-1234-123456789012": true,
	"a1b2c3d4-e5f6-7890-abcd-ef1234567890": true,
}

// IsSample tells whether a Sid or a Guid is one of a public example.
func IsSample(text string) bool {
	text = strings.ToLower(strings.Trim(text, blanks+"{}"))
	return sampleValues[text] || strings.HasPrefix(text, "deadbeef-")
}

// whereIs is a place for a message about another one.
func whereIs(n *source.Node) string {
	s := n.Span()
	return fmt.Sprintf("%s:%d", s.File.Name, s.Start.Line)
}
