package check

import (
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/source"
)

var directoryDomainRules = []*Rule{
	{
		ID: "dnsname-not-found", Group: "domain", Severity: Error, Needs: []How{InDirectory}, YieldsTo: []string{"placeholder-value", "dnsname-syntax", "dnsname-is-host", "dnsname-is-netbios", "value-whitespace", "json-hidden-char"},
		Title:  "no domain has this DNS name",
		Why:    "Windows looks for a domain controller of DnsName by its DNS records. For a name that no domain has it finds none (error 1355), and the container has no domain; a parent's name leads to 1787 (plooploops/rundockerwindowscontainers, issue 7).",
		Repair: "write the DNS name of the account's domain: (Get-ADDomain).DNSRoot",
		Bad:    `"DnsName": "crop.example" in the forest of corp.example`, Good: `"DnsName": "corp.example"`,
	},
	{
		ID: "dnsname-not-account-domain", Group: "domain", Severity: Error, Needs: []How{InDirectory}, YieldsTo: []string{"placeholder-value"},
		Title:  "the account is in another domain than DnsName says",
		Why:    "The container takes DnsName for its own domain and asks there for the account, which the domain does not have: the trust check ends with 1787 ERROR_NO_TRUST_SAM_ACCOUNT (Microsoft's guide of 2019, \"wrong -Domain\").",
		Repair: "make the credential spec again with New-CredentialSpec -Domain",
		Bad:    `"DnsName": "corp.example" for an account of emea.corp.example`, Good: `"DnsName": "emea.corp.example"`,
	},
	{
		ID: "guid-is-account-guid", Group: "domain", Severity: Error, Needs: []How{InDirectory}, YieldsTo: []string{"placeholder-value"},
		Title:  "Guid is that of another object than the domain",
		Why:    "Guid is the objectGUID of the domain's head, as the module takes it from Get-ADDomain; that of the account leads to Netlogon failures (Virtualization-Documentation, pull request 1510).",
		Repair: "write the domain's GUID: (Get-ADDomain).ObjectGUID",
		Bad:    `"Guid": the ObjectGUID that Get-ADServiceAccount prints`, Good: `"Guid": the ObjectGUID that Get-ADDomain prints`,
	},
	{
		ID: "guid-byte-order", Group: "domain", Severity: Error, Needs: []How{InDirectory}, YieldsTo: []string{"placeholder-value"},
		Title:  "Guid has the bytes of its first three groups in the wrong order",
		Why:    "The first three groups of a GUID are numbers, which LDAP transports with their lowest byte first ([MS-DTYP] 2.3.4.2). Who writes the bytes of an LDIF down one after the other gets another GUID.",
		Repair: "turn the bytes of the first three groups around",
		Bad:    `"Guid": "512c7a3f-648d-0e4b-9a17-c2d5e8f01b36"`, Good: `"Guid": "3f7a2c51-8d64-4b0e-9a17-c2d5e8f01b36"`,
	},
	{
		ID: "netbios-mismatch", Group: "domain", Severity: Error, Needs: []How{InDirectory}, YieldsTo: []string{"placeholder-value", "netbios-syntax", "netbios-is-fqdn", "value-whitespace"},
		Title:  "NetBiosName is not the domain's",
		Why:    "NetBiosName becomes the short name of the container's domain ([MS-LSAD] 2.2.4.14), by which DOMAIN\\user is looked up. It is the nETBIOSName of the domain's cross reference, and need not be like the DNS name.",
		Repair: "write the domain's NETBIOS name: (Get-ADDomain).NetBIOSName",
		Bad:    `"NetBiosName": "CORPORATION" for a domain called CORP`, Good: `"NetBiosName": "CORP"`,
	},
}

// domainSID tells whether a text has the form of a domain's SID, S-1-5-21-a-b-c. What has not is for other rules.
func domainSID(text string) bool {
	rest, ok := strings.CutPrefix(strings.ToUpper(text), "S-1-5-21-")
	return ok && strings.Count(rest, "-") == 2
}

// askAccountSID names the account whose SID stands for the domain's.
func (c *run) askAccountSID(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	for _, doc := range c.specs() {
		n := join(doc, "Sid")
		if n == nil || domainSID(n.Text) {
			continue
		}
		found, err := d.Find("", BySID, n.Text)
		if err != nil {
			a.fail(n, err)
			continue
		}
		if len(found) == 0 {
			continue
		}
		o := found[0]
		r := c.know(n, Error, "%s is the SID of %s, not of a domain", n.Text, describe(o))
		if dom := domainNamed(a.domains, o.Domain); dom != nil && dom.SID != "" {
			r.Repair = fmt.Sprintf("write the SID of %s, %s", dom.DNSName, dom.SID)
			r.replace(n, dom.SID)
		}
	}
}

// describe says what an object is.
func describe(o Object) string {
	class := map[string]string{ClassGMSA: "the service account", ClassSMSA: "the standalone service account", ClassDMSA: "the delegated service account", ClassComputer: "the computer", ClassUser: "the user",
		"group": "the group", "organizationalUnit": "the organizational unit", "domainDNS": "the domain", "container": "the container"}[o.Class]
	if class == "" {
		class = "the object"
	}
	if o.SAM != "" {
		return class + " " + o.SAM
	}
	return class + " " + o.DN
}

// askDomainSID compares Sid with that of the domain's head.
func (c *run) askDomainSID(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	a.about(true, func(doc *credspec.Document, dom *Domain) {
		n := join(doc, "Sid")
		if n == nil || dom.SID == "" || !domainSID(n.Text) {
			return
		}
		if strings.EqualFold(n.Text, dom.SID) {
			c.retract(n) // the other one is wrong
			return
		}
		whose := ""
		for _, o := range a.domains {
			if strings.EqualFold(o.SID, n.Text) {
				whose = ", and this is that of " + o.DNSName
			}
		}
		r := c.know(n, Error, "the SID of %s is %s%s", dom.DNSName, dom.SID, whose)
		r.Repair = "write " + dom.SID
		r.replace(n, dom.SID)
	})
}

// guidOf is the text of Guid without the braces that another rule is about, "" when it is no GUID.
func guidOf(n *source.Node) string {
	if n == nil {
		return ""
	}
	text := strings.ToLower(strings.Trim(n.Text, "{}"))
	if len(text) != 36 {
		return ""
	}
	for i, r := range text {
		if hyphen := i == 8 || i == 13 || i == 18 || i == 23; hyphen != (r == '-') || !hyphen && !strings.ContainsRune("0123456789abcdef", r) {
			return ""
		}
	}
	return text
}

// turned is a GUID with the bytes of its first three groups the other way round.
func turned(guid string) string {
	swap := func(group string) string {
		var b strings.Builder
		for i := len(group) - 2; i >= 0; i -= 2 {
			b.WriteString(group[i : i+2])
		}
		return b.String()
	}
	return swap(guid[:8]) + "-" + swap(guid[9:13]) + "-" + swap(guid[14:18]) + guid[18:]
}

// guids calls f for each Guid that is not the one of the spec's domain, with what is known of it.
func (a *asking) guids(f func(n *source.Node, guid string, dom *Domain, owner *Object)) {
	for _, doc := range a.c.specs() {
		n := join(doc, "Guid")
		guid := guidOf(n)
		dom := a.domainOf(doc)
		if guid == "" {
			continue
		}
		if dom != nil && strings.EqualFold(dom.GUID, guid) {
			a.c.retract(n)
			continue
		}
		found, err := a.Find("", ByGUID, guid)
		if err != nil {
			a.fail(n, err)
			continue
		}
		var owner *Object
		if len(found) > 0 && domainByGUID(a.domains, guid) == nil {
			owner = &found[0]
		}
		f(n, guid, dom, owner)
	}
}

func domainByGUID(list []Domain, guid string) *Domain {
	for i := range list {
		if strings.EqualFold(list[i].GUID, guid) {
			return &list[i]
		}
	}
	return nil
}

// askDomainGUID compares Guid with that of the domain's head. What the two rules below explain better is theirs.
func (c *run) askDomainGUID(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	a.guids(func(n *source.Node, guid string, dom *Domain, owner *Object) {
		if dom == nil || dom.GUID == "" {
			return
		}
		whose := ""
		if o := domainByGUID(a.domains, guid); o != nil {
			whose = ", and this is that of " + o.DNSName
		}
		r := c.know(n, Error, "the GUID of %s is %s%s", dom.DNSName, dom.GUID, whose)
		r.Repair = "write " + dom.GUID
		r.replace(n, dom.GUID)
	})
}

func (c *run) askAccountGUID(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	a.guids(func(n *source.Node, guid string, dom *Domain, owner *Object) {
		if owner == nil {
			return
		}
		r := c.know(n, Error, "%s is the GUID of %s, not of a domain", guid, describe(*owner))
		if dom == nil {
			dom = domainNamed(a.domains, owner.Domain)
		}
		if dom != nil && dom.GUID != "" {
			r.Repair = fmt.Sprintf("write the GUID of %s, %s", dom.DNSName, dom.GUID)
			r.replace(n, dom.GUID)
		}
	})
}

func (c *run) askByteOrder(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	a.guids(func(n *source.Node, guid string, _ *Domain, _ *Object) {
		if dom := domainByGUID(a.domains, turned(guid)); dom != nil {
			r := c.know(n, Error, "the GUID of %s is %s: the bytes of its first three groups stand here the other way round", dom.DNSName, dom.GUID)
			r.Repair = "write " + dom.GUID
			r.replace(n, dom.GUID)
		}
	})
}

// askSampleValues makes sure: what comes from a page is wrong, unless it is this domain's.
func (c *run) askSampleValues(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	a.about(true, func(doc *credspec.Document, dom *Domain) {
		for key, real := range map[string]string{"Sid": dom.SID, "Guid": dom.GUID} {
			n := join(doc, key)
			if n == nil || real == "" || c.reported(n) == nil {
				continue
			}
			if strings.EqualFold(strings.Trim(n.Text, "{}"), real) {
				c.retract(n)
				continue
			}
			r := c.know(n, Error, "%s is the %s of an example on a page; that of %s is %s", n.Text, strings.ToUpper(key), dom.DNSName, real)
			r.Repair = "write " + real
			r.replace(n, real)
		}
	})
}

// askMissingFields offers the domain's values.
func (c *run) askMissingFields(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	a.about(false, func(doc *credspec.Document, dom *Domain) {
		section := doc.Get(credspec.KeyDomainJoin)
		if section == nil || section.Kind != source.Object {
			return
		}
		values := map[string]string{"Sid": dom.SID, "Guid": dom.GUID, "DnsTreeName": dom.Forest, "DnsName": dom.DNSName, "NetBiosName": dom.NetBIOSName}
		var absent *source.Node // where a missing member is reported
		if absent = doc.Root.Key(credspec.KeyDomainJoin); absent == nil {
			return
		}
		for i := len(c.out.Reports) - 1; i >= 0 && c.out.Reports[i].Rule == c.rule; i-- {
			r := &c.out.Reports[i]
			for key, value := range values {
				n := section.Get(key)
				place := absent
				if n != nil {
					place = n
				}
				if value == "" || !n.IsEmpty() || r.Where != place.Span() || !mentions(r.Message, key) {
					continue
				}
				r.Repair = fmt.Sprintf("%s is %s in %s", key, value, dom.DNSName)
				if n != nil && n.Kind == source.String {
					r.Fix = nil
					r.replace(n, value)
				} else if e, ok := section.InsertMember(len(section.Members), key, quoted(value)); ok && n == nil {
					r.Fix = []source.Edit{e}
				}
			}
		}
	})
}

// quoted is a text as a JSON string. The values of a domain have nothing that needs more.
func quoted(text string) string { return `"` + text + `"` }

// mentions tells whether a message has a word.
func mentions(message, word string) bool {
	for _, w := range strings.FieldsFunc(message, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9') }) {
		if w == word {
			return true
		}
	}
	return false
}

// askSingleLabel: a domain may really have a name of one label.
func (c *run) askSingleLabel(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	for _, doc := range c.specs() {
		n := join(doc, "DnsName")
		if n == nil || c.reported(n) == nil {
			continue
		}
		for _, dom := range a.domains {
			switch {
			case strings.EqualFold(dom.DNSName, n.Text):
				c.know(n, Info, "the domain %s really has a name without a dot", dom.DNSName)
			case strings.EqualFold(dom.NetBIOSName, n.Text):
				r := c.know(n, Error, "%s is the NETBIOS name of %s", n.Text, dom.DNSName)
				r.Repair = "write " + dom.DNSName
				r.replace(n, dom.DNSName)
			}
		}
	}
}

// askHostName: DnsName may be that of a computer.
func (c *run) askHostName(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	for _, doc := range c.specs() {
		n := join(doc, "DnsName")
		if n == nil {
			continue
		}
		name := strings.TrimSpace(n.Text)
		if domainNamed(a.domains, name) != nil {
			c.retract(n)
			continue
		}
		found, err := d.Find("", ByHost, name)
		if err != nil {
			a.fail(n, err)
			continue
		}
		if len(found) > 0 {
			o := found[0]
			r := c.know(n, Error, "%s is the name of %s, not of a domain", name, describe(o))
			r.Repair = "write " + o.Domain
			r.replace(n, o.Domain)
		}
	}
}

func (c *run) askDNSName(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	for _, doc := range c.specs() {
		n := join(doc, "DnsName")
		if n == nil || domainNamed(a.domains, strings.TrimSpace(n.Text)) != nil {
			continue
		}
		r := c.know(n, Error, "neither the forest of %s nor its trusts have a domain %s", a.forest(), n.Text)
		if near := a.nearestDomain(doc, n.Text); near != "" {
			r.Repair = "nearest: " + near
		}
	}
}

// nearestDomain is the domain that a spec may mean: the one that its other names or its SID are of, or one with nearly this name.
func (a *asking) nearestDomain(doc *credspec.Document, name string) string {
	for _, key := range []string{"NetBiosName", "Sid", "Guid"} {
		n := join(doc, key)
		if n == nil {
			continue
		}
		for _, dom := range a.domains {
			if text := strings.Trim(n.Text, "{}"); strings.EqualFold(dom.NetBIOSName, text) || strings.EqualFold(dom.SID, text) || strings.EqualFold(dom.GUID, text) {
				return dom.DNSName
			}
		}
	}
	return diag.Nearest(name, a.names())
}

// askAccountDomain looks for the container's account in the other domains when the named one does not have it.
func (c *run) askAccountDomain(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	a.about(false, func(doc *credspec.Document, dom *Domain) {
		n, machine := join(doc, "DnsName"), join(doc, "MachineAccountName")
		if n == nil || machine == nil {
			return
		}
		elsewhere, err := a.elsewhere(machine, dom)
		if err != nil {
			a.fail(machine, err)
			return
		}
		if elsewhere == nil {
			return
		}
		other := domainNamed(a.domains, elsewhere.Domain)
		r := c.know(n, Error, "%s has no service account %s: %s has it", dom.DNSName, elsewhere.name(), elsewhere.Domain)
		r.related(machine, "the account")
		r.Repair = fmt.Sprintf("make the credential spec again with -Domain %s", elsewhere.Domain)
		if other != nil {
			r.Consumer = "1787 0x6fb ERROR_NO_TRUST_SAM_ACCOUNT"
		}
	})
}

// elsewhere is the service account of a name in another domain of the forest, nil when the domain itself has it or no other does.
func (a *asking) elsewhere(name *source.Node, dom *Domain) (*Object, error) {
	sam, ok := samName(name)
	if !ok {
		return nil, nil
	}
	here, err := a.Find(dom.DNSName, BySAM, sam+"$")
	if err != nil || len(here) > 0 {
		return nil, err
	}
	for _, o := range a.domains {
		if o.Trusted || strings.EqualFold(o.DNSName, dom.DNSName) {
			continue
		}
		found, err := a.Find(o.DNSName, BySAM, sam+"$")
		if err != nil {
			return nil, err
		}
		if len(found) > 0 && found[0].Class == ClassGMSA {
			return &found[0], nil
		}
	}
	return nil, nil
}

// samName is an account's name as it can be asked for, without $. Names that have a domain or characters that no SAM name has are for other rules.
func samName(n *source.Node) (string, bool) {
	if n == nil || n.Kind != source.String {
		return "", false
	}
	name := strings.TrimSuffix(strings.TrimSpace(n.Text), "$")
	return name, name != "" && !strings.ContainsAny(name, `"/\[]:;|=,+*?<>@`+"\x00")
}

// askSwapped: the two names of a domain may stand in each other's place.
func (c *run) askSwapped(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	for _, doc := range c.specs() {
		n, tree := join(doc, "DnsName"), join(doc, "DnsTreeName")
		if n == nil || tree == nil {
			continue
		}
		if strings.EqualFold(tree.Text, a.forest()) {
			c.retract(tree)
			c.retract(n)
			continue
		}
		if dom := domainNamed(a.domains, tree.Text); dom != nil && !dom.Trusted && strings.EqualFold(n.Text, a.forest()) {
			r := c.reported(n)
			if r == nil {
				r = c.know(tree, Error, "")
			}
			r.Severity, r.Message = Error, fmt.Sprintf("%s is a domain and %s the root of its forest: the two names are swapped", dom.DNSName, a.forest())
			r.Fix, r.Related = nil, nil
			r.replace(n, tree.Text)
			r.replace(tree, n.Text)
			r.related(n, "DnsName")
		}
	}
}

// askUnrelated: whether a tree's name is the forest's root is known now.
func (c *run) askUnrelated(d Directory) {
	c.askTree(d, func(name, tree string) bool { return !strings.EqualFold(name, tree) })
}

func (c *run) askForest(d Directory) { c.askTree(d, strings.EqualFold) }

func (c *run) askTree(d Directory, mine func(name, tree string) bool) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	a.about(false, func(doc *credspec.Document, dom *Domain) {
		n, tree := join(doc, "DnsName"), join(doc, "DnsTreeName")
		switch {
		case n == nil || tree == nil:
		case strings.EqualFold(tree.Text, dom.Forest):
			c.retract(tree)
			c.retract(n)
		case !mine(n.Text, tree.Text), strings.EqualFold(n.Text, dom.Forest) && domainNamed(a.domains, tree.Text) != nil: // swapped
		default:
			c.retract(n)
			r := c.know(tree, Error, "the root of the forest of %s is %s, not %s", dom.DNSName, dom.Forest, tree.Text)
			r.Repair = "write " + dom.Forest
			r.replace(tree, dom.Forest)
		}
	})
}

func (c *run) askNetBIOS(d Directory) {
	a, ok := c.ask(d)
	if !ok {
		return
	}
	for _, doc := range c.specs() {
		name, n := join(doc, "DnsName"), join(doc, "NetBiosName")
		if name == nil || n == nil {
			continue
		}
		dom := domainNamed(a.domains, strings.TrimSpace(name.Text))
		if dom == nil || dom.NetBIOSName == "" || strings.EqualFold(dom.NetBIOSName, n.Text) {
			continue
		}
		r := c.know(n, Error, "the NETBIOS name of %s is %s, not %s", dom.DNSName, dom.NetBIOSName, n.Text)
		r.Repair = "write " + dom.NetBIOSName
		r.replace(n, dom.NetBIOSName)
	}
}
