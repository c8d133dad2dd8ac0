package check

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// better are the rules that explain a value that is wrong in another way.
var better = []string{"placeholder-value", "json-hidden-char"}

var domainRules = []*Rule{
	{
		ID: "sid-syntax", Group: "domain", Severity: Error, Needs: []How{Offline}, YieldsTo: better,
		Title:  "Sid is not the SID of a domain",
		Why:    "A domain's SID is S-1-5-21 and three numbers, decimal and without leading zeros ([MS-DTYP] 2.4.2.1, 2.4.2.4). The container's LSA compares it with what the domain controller says of itself.",
		Repair: "put the domain's in: (Get-ADDomain).DomainSID.Value",
		Bad:    `"Sid": "S-1-5-21-1-2"`, Good: `"Sid": "S-1-5-21-2005147832-1190431754-3022818347"`,
		run: func(c *run) {
			c.eachSid(func(n *source.Node, s sidText) {
				if s.fault != "" {
					c.report(n, "%q is no SID of a domain: %s", s.text, s.fault)
				}
			})
		},
	},
	{
		ID: "sid-is-account-sid", Group: "domain", Severity: Error, Needs: []How{Offline, InDirectory}, YieldsTo: better,
		Title:  "Sid is that of an account, not that of its domain",
		Why:    "DomainJoinConfig is about the domain: New-CredentialSpec writes Get-ADDomain's DomainSID. The SID of an account has one number more, its RID ([MS-DTYP] 2.4.2); with it Netlogon and the translation of SIDs fail in the container (Virtualization-Documentation pull request 1510).",
		Repair: "leave the last number out",
		Bad:    `"Sid": "S-1-5-21-2005147832-1190431754-3022818347-1104"`, Good: `"Sid": "S-1-5-21-2005147832-1190431754-3022818347"`,
		run: func(c *run) {
			c.eachSid(func(n *source.Node, s sidText) {
				if s.rid != "" {
					r := c.report(n, "%s is the SID of an account: %s is its RID, and the domain's SID is %s", s.text, s.rid, s.domain)
					r.replace(n, s.domain)
				}
			})
		},
	},
	{
		ID: "sid-not-domain", Group: "domain", Severity: Error, Needs: []How{Offline}, YieldsTo: better,
		Title:  "Sid is a SID, and not one of a domain",
		Why:    "Built-in groups, well-known identities and accounts of Entra ID have SIDs of other forms ([MS-DTYP] 2.4.2.4); the SID of an Active Directory domain begins with S-1-5-21.",
		Repair: "put the domain's in: (Get-ADDomain).DomainSID.Value",
		Bad:    `"Sid": "S-1-5-32-544"`, Good: `"Sid": "S-1-5-21-2005147832-1190431754-3022818347"`,
		run: func(c *run) {
			c.eachSid(func(n *source.Node, s sidText) {
				if s.other != "" {
					c.report(n, "%s is %s", s.text, s.other)
				}
			})
		},
	},
	{
		ID: "sid-subauthority-range", Group: "domain", Severity: Error, Needs: []How{Offline}, YieldsTo: better,
		Title:  "a number of Sid does not fit into 32 bits",
		Why:    "The numbers of a SID are unsigned 32-bit integers ([MS-DTYP] 2.4.2): 4294967295 is the largest. A larger one was invented.",
		Repair: "put the domain's in: (Get-ADDomain).DomainSID.Value",
		Bad:    `"Sid": "S-1-5-21-4444444444-5555555555-6666666666"`, Good: `"Sid": "S-1-5-21-2005147832-1190431754-3022818347"`,
		run: func(c *run) {
			c.eachSid(func(n *source.Node, s sidText) {
				if s.large != "" {
					c.report(n, "%s in the Sid is larger than 4294967295", s.large)
				}
			})
		},
	},
	{
		ID: "sid-domain-mismatch", Group: "domain", Severity: Error, Needs: []How{CrossFile, InDirectory}, YieldsTo: better,
		Title:  "one domain has two SIDs, or two domains have one",
		Why:    "A SID is a domain's for its life ([MS-ADTS] 3.1.1.1.3, objectSid), so that of two credential specs that differ in this, one is wrong.",
		Repair: "write the older one again with New-CredentialSpec",
		Bad:    "two credential specs for corp.example with different Sids", Good: "two credential specs for corp.example with one Sid",
		run: func(c *run) {
			c.mismatch("Sid", func(text string) string {
				s := parseSid(text)
				return s.domain
			})
		},
	},
	{
		ID: "guid-syntax", Group: "domain", Severity: Error, Needs: []How{Offline}, YieldsTo: better,
		Title:  "Guid is not written as a GUID",
		Why:    "New-CredentialSpec writes the domain's objectGUID as 32 hexadecimal digits in groups of 8-4-4-4-12, without braces ([MS-DTYP] 2.3.4.3 has them, this field does not).",
		Repair: "put the domain's in: (Get-ADDomain).ObjectGUID",
		Bad:    `"Guid": "{3f7a2c51-8d64-4b0e-9a17-c2d5e8f01b36}"`, Good: `"Guid": "3f7a2c51-8d64-4b0e-9a17-c2d5e8f01b36"`,
		run: func(c *run) {
			c.eachGuid(func(n *source.Node, text string) {
				fault, right := guidFault(text)
				if fault == "" {
					return
				}
				r := c.report(n, "%q is not written as a GUID here: %s", text, fault)
				if right != "" {
					r.replace(n, right)
				}
			})
		},
	},
	{
		ID: "guid-zero", Group: "domain", Severity: Warning, Needs: []How{Offline}, YieldsTo: better,
		Title:  "Guid is filled with one digit",
		Why:    "No domain has such an objectGUID: domain controllers make them at random.",
		Repair: "put the domain's in: (Get-ADDomain).ObjectGUID",
		Bad:    `"Guid": "00000000-0000-0000-0000-000000000000"`, Good: `"Guid": "3f7a2c51-8d64-4b0e-9a17-c2d5e8f01b36"`,
		run: func(c *run) {
			c.eachGuid(func(n *source.Node, text string) {
				digits := strings.ReplaceAll(strings.Trim(text, "{}"), "-", "")
				if len(digits) == 32 && strings.Trim(strings.ToLower(digits), strings.ToLower(digits[:1])) == "" {
					c.report(n, "the Guid is nothing but the digit %s", digits[:1])
				}
			})
		},
	},
	{
		ID: "guid-domain-mismatch", Group: "domain", Severity: Error, Needs: []How{CrossFile, InDirectory}, YieldsTo: better,
		Title:  "one domain has two GUIDs, or two domains have one",
		Why:    "objectGUID never changes and is never used twice ([MS-ADTS] 3.1.1.1.4), so that of two credential specs that differ in this, one is wrong.",
		Repair: "write the older one again with New-CredentialSpec",
		Bad:    "two credential specs for corp.example with different Guids", Good: "two credential specs for corp.example with one Guid",
		run: func(c *run) {
			c.mismatch("Guid", func(text string) string {
				text = strings.Trim(strings.ToLower(text), "{}")
				if fault, _ := guidFault(text); fault != "" {
					return ""
				}
				return text
			})
		},
	},
	{
		ID: "dnsname-syntax", Group: "domain", Severity: Error, Depends: "a warning for underscores", Needs: []How{Offline}, YieldsTo: better,
		Title:  "a domain's name is not written as a DNS name",
		Why:    "The name is looked up in DNS to find a domain controller (_ldap._tcp.dc._msdcs and the name): labels of at most 63 letters, digits and hyphens, 253 characters in all (RFC 1123, section 2.1; RFC 1035, section 2.3.4). credentials-fetcher 1 checks it.",
		Repair: "put the domain's in: (Get-ADDomain).DNSRoot, for DnsTreeName (Get-ADDomain).Forest",
		Bad:    `"DnsName": "dc=corp,dc=example"`, Good: `"DnsName": "corp.example"`,
		run: func(c *run) {
			for _, d := range c.specs() {
				for _, key := range []string{"DnsName", "DnsTreeName"} {
					n := d.Get(credspec.KeyDomainJoin, key)
					text := trimmed(n)
					if text == "" {
						continue
					}
					if fault, right, mild := dnsFault(text); fault != "" {
						r := c.report(n, "%s %q: %s", key, text, fault)
						if mild {
							r.Severity = Warning
						}
						if right != "" {
							r.replace(n, right)
						}
					}
				}
			}
		},
	},
	{
		ID: "dnsname-single-label", Group: "domain", Severity: Warning, Depends: "an error for cf2", Needs: []How{Offline, InDirectory}, YieldsTo: append(slices.Clone(better), "dnsname-is-netbios", "dnsname-syntax"),
		Title:  "DnsName has no dot",
		Why:    "Domains with a name of one label are rare and not supported by many programs; mostly it is the NETBIOS name. credentials-fetcher 2 refuses it.",
		Repair: "put the domain's DNS name in: (Get-ADDomain).DNSRoot",
		Bad:    `"DnsName": "corp"`, Good: `"DnsName": "corp.example"`,
		run: func(c *run) {
			for _, d := range c.specs() {
				n := d.Get(credspec.KeyDomainJoin, "DnsName")
				if text := trimmed(n); text != "" && !strings.Contains(text, ".") {
					r := c.report(n, "DnsName %q has no dot", text)
					if c.targets(Fetcher2) {
						r.Severity, r.Consumer = Error, "invalid domain format: "+text
					}
				}
			}
		},
	},
	{
		ID: "dnsname-is-netbios", Group: "domain", Severity: Error, Needs: []How{Offline}, YieldsTo: better,
		Title:  "DnsName is the NETBIOS name",
		Why:    "The two names are for two ways to look a domain up; a domain controller is searched in DNS with DnsName, where the short name is not known.",
		Repair: "put the domain's DNS name in: (Get-ADDomain).DNSRoot",
		Bad:    `"DnsName": "corp", "NetBiosName": "CORP"`, Good: `"DnsName": "corp.example", "NetBiosName": "CORP"`,
		run: func(c *run) {
			for _, d := range c.specs() {
				v := viewOf(d)
				if v.dns != "" && strings.EqualFold(v.dns, v.netbios) && !strings.Contains(v.dns, ".") {
					c.report(v.node("DnsName"), "DnsName %q is the same as NetBiosName", v.dns).related(v.node("NetBiosName"), "the NETBIOS name")
				}
			}
		},
	},
	{
		ID: "dnsname-is-host", Group: "domain", Severity: Warning, Needs: []How{Offline, InDirectory}, YieldsTo: better,
		Title:  "DnsName looks like the name of a domain controller",
		Why:    "The name of the domain is asked for, and a controller is searched below it; a host's name in its place finds none.",
		Repair: "leave the host's label out",
		Bad:    `"DnsName": "dc01.corp.example"`, Good: `"DnsName": "corp.example"`,
		run: func(c *run) {
			for _, d := range c.specs() {
				v := viewOf(d)
				host, domain, _ := strings.Cut(v.dns, ".")
				if strings.Contains(domain, ".") && controllerName.MatchString(host) {
					c.report(v.node("DnsName"), "DnsName %q looks like the domain controller %s of %s", v.dns, host, domain)
				}
			}
		},
	},
	{
		ID: "dnstreename-swapped", Group: "domain", Severity: Error, Needs: []How{Offline, InDirectory}, YieldsTo: better,
		Title:  "DnsTreeName and DnsName are swapped",
		Why:    "DnsTreeName is the forest's root domain, DnsName the account's, which is the root or below it. The CredentialSpec module wrote them the wrong way round until February 2018 (Virtualization-Documentation pull request 711), which nobody feels in a forest of one domain.",
		Repair: "swap the two values",
		Bad:    `"DnsTreeName": "dev.corp.example", "DnsName": "corp.example"`, Good: `"DnsTreeName": "corp.example", "DnsName": "dev.corp.example"`,
		run: func(c *run) {
			for _, d := range c.specs() {
				if v := viewOf(d); v.swapped() {
					tree, dns := v.node("DnsTreeName"), v.node("DnsName")
					r := c.report(tree, "DnsTreeName %s is below DnsName %s: the forest's root cannot be", v.tree, v.dns)
					r.related(dns, "DnsName")
					first, ok1 := tree.Replace(v.dns)
					second, ok2 := dns.Replace(v.tree)
					if ok1 && ok2 {
						r.Fix = append(r.Fix, first, second)
					}
				}
			}
		},
	},
	{
		ID: "dnstreename-unrelated", Group: "domain", Severity: Info, Needs: []How{Offline, InDirectory}, YieldsTo: append(slices.Clone(better), "dnsname-syntax"),
		Title:  "DnsTreeName is neither DnsName nor above it",
		Why:    "It is right in a forest with several trees (moby issue 38779 has one); everywhere else it is a slip.",
		Repair: "compare it with (Get-ADDomain).Forest",
		Bad:    `"DnsTreeName": "root.example", "DnsName": "corp.test"`, Good: `"DnsTreeName": "corp.example", "DnsName": "dev.corp.example"`,
		run: func(c *run) {
			for _, d := range c.specs() {
				v := viewOf(d)
				if v.tree != "" && v.dns != "" && !strings.EqualFold(v.tree, v.dns) && !below(v.dns, v.tree) && !below(v.tree, v.dns) {
					c.report(v.node("DnsTreeName"), "DnsTreeName %s is neither %s nor above it", v.tree, v.dns).related(v.node("DnsName"), "DnsName")
				}
			}
		},
	},
	{
		ID: "dnstreename-not-forest", Group: "domain", Severity: Info, Needs: []How{Offline, InDirectory}, YieldsTo: append(slices.Clone(better), "dnsname-syntax", "dnsname-is-host"),
		Title:  "DnsTreeName may not be the forest's root",
		Why:    "A domain of three labels is often a child, and the forest's root is above it then; New-CredentialSpec writes Get-ADDomain's Forest. A wrong one is felt only across the domains of the forest.",
		Repair: "compare it with (Get-ADDomain).Forest",
		Bad:    `"DnsTreeName": "dev.corp.example", "DnsName": "dev.corp.example"`, Good: `"DnsTreeName": "corp.example", "DnsName": "dev.corp.example"`,
		run: func(c *run) {
			for _, d := range c.specs() {
				v := viewOf(d)
				if strings.Count(v.dns, ".") >= 2 && strings.EqualFold(v.tree, v.dns) {
					c.report(v.node("DnsTreeName"), "DnsTreeName is the same as DnsName %s, which has three labels or more", v.dns)
				}
			}
		},
	},
	{
		ID: "netbios-syntax", Group: "domain", Severity: Error, Needs: []How{Offline}, YieldsTo: append(slices.Clone(better), "netbios-is-fqdn"),
		Title:  "NetBiosName is no NETBIOS name of a domain",
		Why:    `NETBIOS names of domains have at most 15 characters, none of \ / : * ? " < > | and no dot in front (naming conventions in Active Directory, https://learn.microsoft.com/troubleshoot/windows-server/active-directory/naming-conventions-for-computer-domain-site-ou).`,
		Repair: "put the domain's in: (Get-ADDomain).NetBIOSName",
		Bad:    `"NetBiosName": "CORP-PRODUCTION-EU"`, Good: `"NetBiosName": "CORP"`,
		run: func(c *run) {
			for _, d := range c.specs() {
				v := viewOf(d)
				n := v.node("NetBiosName")
				switch i := strings.IndexAny(v.netbios, `\/:*?"<>|`); {
				case v.netbios == "":
				case i >= 0:
					c.report(n, "NetBiosName %q has the character %c", v.netbios, v.netbios[i])
				case v.netbios[0] == '.':
					c.report(n, "NetBiosName %q begins with a dot", v.netbios)
				case len([]rune(v.netbios)) > 15:
					c.report(n, "NetBiosName %q has %d characters, and 15 is the most", v.netbios, len([]rune(v.netbios)))
				}
			}
		},
	},
	{
		ID: "netbios-is-fqdn", Group: "domain", Severity: Error, Needs: []How{Offline}, YieldsTo: better,
		Title:  "NetBiosName is a DNS name",
		Why:    "The short name of the domain is asked for, the one before the backslash in CORP\\webapp; with a DNS name, logons in that form fail.",
		Repair: "put the domain's in: (Get-ADDomain).NetBIOSName",
		Bad:    `"NetBiosName": "corp.example"`, Good: `"NetBiosName": "CORP"`,
		run: func(c *run) {
			for _, d := range c.specs() {
				v := viewOf(d)
				if strings.IndexByte(v.netbios, '.') > 0 {
					c.report(v.node("NetBiosName"), "NetBiosName %q has a dot, as DNS names do", v.netbios)
				}
			}
		},
	},
}

// view is the DomainJoinConfig of a credential spec with its texts trimmed.
type view struct {
	spec                        *credspec.Document
	dns, tree, netbios, machine string
}

func viewOf(d *credspec.Document) view {
	text := func(key string) string { return trimmed(d.Get(credspec.KeyDomainJoin, key)) }
	return view{d, text("DnsName"), text("DnsTreeName"), text("NetBiosName"), text("MachineAccountName")}
}

func (v view) node(key string) *source.Node { return v.spec.Get(credspec.KeyDomainJoin, key) }

// swapped tells whether the forest's root would be below the domain.
func (v view) swapped() bool { return below(v.tree, v.dns) }

// below tells whether a domain is a child of another one, or a child's.
func below(child, parent string) bool {
	return parent != "" && len(child) > len(parent)+1 && strings.EqualFold(child[len(child)-len(parent)-1:], "."+parent)
}

// sidText is what the text of a Sid is.
type sidText struct {
	text   string
	domain string // the domain's SID, "" when it has none
	rid    string // of an account's SID
	other  string // what it is, when that is no domain
	large  string // the number that does not fit
	fault  string // why it is no SID of a domain
}

var sidPattern = regexp.MustCompile(`^[Ss]-1-([0-9]+)((?:-[0-9]+)*)$`)

// Where the SIDs that are not those of domains come from ([MS-DTYP] 2.4.2.4).
var otherSids = []struct{ prefix, what string }{
	{"S-1-5-32-", "a built-in group's SID, the same on every computer"},
	{"S-1-12-1-", "the SID of an identity of Entra ID, which has no domain"},
	{"S-1-5-80-", "the SID of a Windows service"},
	{"S-1-15-", "the SID of an app package"},
	{"S-1-16-", "an integrity level"},
	{"S-1-5-21-0-0-0-", "a well-known SID of Windows"},
}

func parseSid(text string) sidText {
	s := sidText{text: text}
	m := sidPattern.FindStringSubmatch(text)
	if m == nil {
		s.fault = "it has to be S-1-5-21 and three numbers"
		return s
	}
	parts := strings.Split(strings.TrimPrefix(m[2], "-"), "-")
	for _, p := range append(slices.Clone(parts), m[1]) {
		if len(p) > 1 && p[0] == '0' {
			s.fault = fmt.Sprintf("%s has a leading zero", p)
			return s
		}
	}
	for _, p := range parts {
		if n, err := strconv.ParseUint(p, 10, 32); p != "" && (err != nil || n > 1<<32-1) {
			s.large = p
			return s
		}
	}
	for _, o := range otherSids {
		if strings.HasPrefix("S"+text[1:]+"-", o.prefix) {
			s.other = o.what
			return s
		}
	}
	if m[1] != "5" || parts[0] != "21" {
		s.other = "the SID of a well-known identity, not of a domain"
		return s
	}
	switch len(parts) {
	case 4:
		s.domain = "S" + text[1:]
	case 5:
		s.rid = parts[4]
		s.domain = "S" + text[1:len(text)-len(s.rid)-1]
	default:
		s.fault = fmt.Sprintf("three numbers have to follow S-1-5-21, and %d do", len(parts)-1)
	}
	return s
}

func (c *run) eachSid(f func(*source.Node, sidText)) {
	for _, d := range c.specs() {
		n := d.Get(credspec.KeyDomainJoin, "Sid")
		if text := trimmed(n); text != "" {
			f(n, parseSid(text))
		}
	}
}

func (c *run) eachGuid(f func(n *source.Node, text string)) {
	for _, d := range c.specs() {
		n := d.Get(credspec.KeyDomainJoin, "Guid")
		if text := trimmed(n); text != "" {
			f(n, text)
		}
	}
}

var guidPattern = regexp.MustCompile(`^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// guidFault is why a text is not a bare GUID, and how it is written rightly when that is certain.
func guidFault(text string) (fault, right string) {
	if guidPattern.MatchString(text) {
		return "", ""
	}
	inside := strings.Trim(text, "{}()")
	switch urn := strings.ToLower(inside); {
	case inside != text && guidPattern.MatchString(inside):
		return "it stands in brackets", inside
	case strings.HasPrefix(urn, "urn:uuid:") && guidPattern.MatchString(inside[9:]):
		return "it begins with urn:uuid:", inside[9:]
	case len(inside) == 32 && guidPattern.MatchString(hyphens(inside)):
		return "its hyphens are missing", hyphens(inside)
	}
	digits := strings.ReplaceAll(inside, "-", "")
	if i := strings.IndexFunc(digits, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF", r) }); i >= 0 {
		return fmt.Sprintf("%c is no hexadecimal digit", []rune(digits[i:])[0]), ""
	}
	if len(digits) != 32 {
		return fmt.Sprintf("it has %d digits, and has to have 32", len(digits)), ""
	}
	return "its groups are not 8-4-4-4-12", ""
}

// hyphens puts the hyphens into 32 digits.
func hyphens(s string) string {
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// dnsFault is why a text is no DNS name of a domain, and how it is written rightly when that is certain. mild: Windows takes it.
func dnsFault(text string) (fault, right string, mild bool) {
	if dn := domainOfDN(text); dn != "" {
		return "it is a distinguished name", dn, false
	}
	if strings.Contains(text, "://") {
		return "it is a URL", "", false
	}
	if trimmed := strings.TrimSuffix(text, "."); trimmed != text && trimmed != "" {
		if fault, _, _ := dnsFault(trimmed); fault == "" {
			return "a dot stands at its end", trimmed, false
		}
	}
	if len(text) > 253 {
		return fmt.Sprintf("it has %d characters, and 253 is the most", len(text)), "", false
	}
	underscore := ""
	for _, label := range strings.Split(text, ".") {
		switch i := strings.IndexFunc(label, notDNS); {
		case label == "":
			return "a label is empty", "", false
		case len(label) > 63:
			return fmt.Sprintf("the label %s has %d characters, and 63 is the most", label, len(label)), "", false
		case i >= 0:
			return fmt.Sprintf("%q may not stand in it", []rune(label[i:])[0]), "", false
		case label[0] == '-' || label[len(label)-1] == '-':
			return fmt.Sprintf("the label %s begins or ends with a hyphen", label), "", false
		case strings.Contains(label, "_"):
			underscore = label
		}
	}
	if underscore != "" {
		return fmt.Sprintf("the label %s has an underscore, which host names may not have", underscore), "", true
	}
	return "", "", false
}

// notDNS tells whether a character may not stand in a label. Letters outside of ASCII are json-non-ascii's.
func notDNS(r rune) bool {
	return r < 0x80 && !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
}

// domainOfDN is the DNS name of a distinguished name of nothing but DC parts.
func domainOfDN(text string) string {
	var labels []string
	for _, part := range strings.Split(text, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok || !strings.EqualFold(strings.TrimSpace(key), "dc") {
			return ""
		}
		labels = append(labels, strings.TrimSpace(value))
	}
	name := strings.Join(labels, ".")
	if fault, _, _ := dnsFault(name); fault != "" {
		return ""
	}
	return name
}

// controllerName is what administrators and Windows call domain controllers.
//
// guess: such names are a habit, not a rule
var controllerName = regexp.MustCompile(`(?i)^(?:dc|pdc|bdc|rodc|adc)[-_]?[0-9]+$|^(?:pdc|bdc)$|^win-[0-9a-z]{11}$|-dc[0-9]*$`)

// mismatch compares a value that belongs to a domain over all credential specs: one DnsName with two of them, or two DnsNames with one.
func (c *run) mismatch(key string, normal func(string) string) {
	type owner struct {
		node  *source.Node
		value string
		dns   string
	}
	byDNS, byValue := map[string]owner{}, map[string]owner{}
	for _, d := range c.specs() {
		v := viewOf(d)
		n := v.node(key)
		value := normal(trimmed(n))
		if value == "" || v.dns == "" || placeholder(v.dns, strict) != "" {
			continue
		}
		dns := strings.ToLower(v.dns)
		this := owner{n, value, dns}
		first, known := byDNS[dns]
		if !known {
			byDNS[dns] = this
			first = this
		}
		other, taken := byValue[value]
		if !taken {
			byValue[value] = this
			other = this
		}
		switch {
		case first.value != value:
			c.report(n, "%s has the %s %s here and %s in %s", v.dns, key, value, first.value, whereIs(first.node)).related(first.node, "the other "+key+" of "+v.dns)
		case other.dns != dns:
			c.report(n, "the %s of %s is also that of %s in %s", key, v.dns, other.dns, whereIs(other.node)).related(other.node, "the same "+key+" of "+other.dns)
		}
	}
}
