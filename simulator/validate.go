package simulator

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// A ConfigError is one fault in a [Config].
type ConfigError struct {
	// Path leads to the value under the names of the data form, for instance groups[1].members[0].
	Path string
	// Problem says what is wrong with it.
	Problem string
	// Nearest is the closest valid value, where there is one.
	Nearest string
}

// Error gives path, problem and nearest value.
func (e *ConfigError) Error() string {
	s := e.Path + ": " + e.Problem
	if e.Nearest != "" {
		s += fmt.Sprintf("; nearest: %q", e.Nearest)
	}
	return s
}

// Defaults of [Config].
const (
	defaultDNSName  = "contoso.com"
	defaultDC       = "DC01"
	defaultPassword = "Passw0rd!"
	defaultInterval = 30 // days, [MS-ADTS] msDS-ManagedPasswordInterval
)

var defaultStart = time.Date(2019, 5, 3, 10, 0, 0, 0, time.UTC)

// withDefaults fills in what c leaves open. now is the machine's clock.
func (c Config) withDefaults(now time.Time) Config {
	if c.DNSName == "" {
		c.DNSName = defaultDNSName
	}
	if c.NetBIOSName == "" {
		c.NetBIOSName = netBIOSOf(c.DNSName)
	}
	if c.Start.IsZero() {
		c.Start = defaultStart
		if c.FollowRealTime {
			c.Start = now
		}
	}
	c.Start = c.Start.UTC()
	if c.Seed == 0 {
		c.Seed = 1
	}
	if len(c.DCs) == 0 {
		c.DCs = []string{defaultDC}
	}
	c.Domains = slices.Clone(c.Domains)
	for i := range c.Domains {
		d := &c.Domains[i]
		if d.NetBIOSName == "" {
			d.NetBIOSName = netBIOSOf(d.DNSName)
		}
		if len(d.DCs) == 0 {
			d.DCs = []string{strings.ToUpper(firstLabel(d.DNSName)) + "DC01"}
		}
	}
	if c.RootKeyPolicy == "" {
		c.RootKeyPolicy = StrictRootKey
	}
	if c.WireTime == "" {
		c.WireTime = wireMachine
	}
	if c.AdminPassword == "" {
		c.AdminPassword = defaultPassword
	}
	if c.Listen.Address == "" {
		c.Listen.Address = "127.0.0.1"
	}
	return c
}

const (
	wireMachine = "machine"
	wireDomain  = "domain"
)

func firstLabel(dnsName string) string {
	label, _, _ := strings.Cut(dnsName, ".")
	return label
}

// netBIOSOf is the short name that dcpromo proposes: the first label in upper case, at most 15 characters.
func netBIOSOf(dnsName string) string {
	label := strings.ToUpper(firstLabel(dnsName))
	return label[:min(len(label), maxComputerName)]
}

// Limits of names: 15 characters for NetBIOS names of computers and domains, for a gMSA as New-ADServiceAccount demands; 20 for
// the sAMAccountName of a user and 64 for the name of a group ([MS-ADTS] 3.1.1.5.2.2, ms-DS attributes' rangeUpper).
const (
	maxComputerName = 15
	maxUserName     = 20
	maxGroupName    = 64
	maxAccounts     = 1_000_000
)

var (
	dnsLabel = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
	// illegalInSAM are the characters that sAMAccountName must not contain ([MS-SAMR] 3.1.1.6).
	illegalInSAM = "\"/\\[]:;|=,+*?<>"
)

// anyDomain stands for the SID of a domain where only the form of a text counts.
var anyDomain = security.MustSID("S-1-5-21-1-2-3")

// builtinPrincipals exist in every domain from the start.
var builtinPrincipals = []string{"Administrator", "Guest", "krbtgt", "Domain Admins", "Domain Users", "Domain Guests",
	"Domain Computers", "Domain Controllers", "Enterprise Admins", "Schema Admins"}

// checker collects the faults of one Config.
type checker struct {
	cfg      Config
	faults   []error
	accounts map[string]principal // by lower-case NetBIOS domain, "\", sAMAccountName
	names    []string             // of principals, as the user wrote them
	dcs      []string
	domains  []string // DNS names
}

// principal is an account or group of a Config.
type principal struct {
	path  string
	scope GroupScope // "" for accounts
}

// Validate checks c as a whole. The error joins one [*ConfigError] for each fault.
func (c Config) Validate() error {
	k := &checker{cfg: c.withDefaults(defaultStart), accounts: map[string]principal{}}
	k.forest()
	k.principals()
	k.references()
	k.keys()
	k.dcSettings()
	k.identifiers()
	k.edits()
	k.faultsInForce()
	return errors.Join(k.faults...)
}

func (k *checker) fail(path, format string, args ...any) {
	k.faults = append(k.faults, &ConfigError{Path: path, Problem: fmt.Sprintf(format, args...)})
}

func (k *checker) failNear(path, want string, candidates []string, format string, args ...any) {
	k.faults = append(k.faults, &ConfigError{Path: path, Problem: fmt.Sprintf(format, args...), Nearest: diag.Nearest(want, candidates)})
}

// oneOf checks a word; the empty word stands for the default.
func (k *checker) oneOf(path, word string, words ...string) {
	if word != "" && !slices.Contains(words, word) {
		k.failNear(path, word, words, "%q is not one of %s", word, strings.Join(words, ", "))
	}
}

func (k *checker) forest() {
	c := k.cfg
	k.dnsName("dnsName", c.DNSName)
	k.netBIOSName("netbiosName", c.NetBIOSName)
	k.domains = []string{c.DNSName}
	k.oneOf("rootKeyPolicy", string(c.RootKeyPolicy), string(StrictRootKey), string(IntervalRootKey), string(SambaRootKey))
	k.oneOf("wireTime", c.WireTime, wireMachine, wireDomain)
	if err := c.Profiles.Validate(); err != nil {
		k.name("profiles", err)
	}
	if c.ReplicationDelay < 0 {
		k.fail("replicationDelay", "%v is negative", c.ReplicationDelay)
	}
	if c.Start.Year() < 1970 || c.Start.Year() > 2400 {
		k.fail("start", "%s is not between the years 1970 and 2400", c.Start.Format(time.RFC3339))
	}
	k.etypes("kdcETypes", c.KDCETypes)
	for i, e := range c.DefaultETypes {
		k.oneOf(fmt.Sprintf("defaultETypes[%d]", i), e, "RC4", "AES128", "AES256", "AES256-SK")
	}
	if a, err := netip.ParseAddr(c.Listen.Address); err != nil {
		k.fail("listen.address", "%q is not an IP address", c.Listen.Address)
	} else if a.Zone() != "" {
		k.fail("listen.address", "%q has a zone", c.Listen.Address)
	}
	for i, s := range c.SiteSubnets {
		if _, err := netip.ParsePrefix(s); err != nil {
			k.fail(fmt.Sprintf("siteSubnets[%d]", i), "%q is not a network, as in 10.0.0.0/24", s)
		}
	}
	if _, err := netip.ParsePrefix(c.DCSubnet); err != nil && c.DCSubnet != "" {
		k.fail("dcSubnet", "%q is not a network, as in 10.0.0.0/24", c.DCSubnet)
	}
	k.controllers("dcs", c.DCs)
	k.reverseNames()
	for i, d := range c.Domains {
		path := fmt.Sprintf("domains[%d]", i)
		if d.DNSName == "" {
			k.fail(path+".dnsName", "a further domain needs a name")
			continue
		}
		k.dnsName(path+".dnsName", d.DNSName)
		k.netBIOSName(path+".netbiosName", d.NetBIOSName)
		if slices.ContainsFunc(k.domains, func(s string) bool { return strings.EqualFold(s, d.DNSName) }) {
			k.fail(path+".dnsName", "the forest has a domain %q already", d.DNSName)
		}
		if strings.EqualFold(d.NetBIOSName, c.NetBIOSName) || slices.ContainsFunc(c.Domains[:i], func(o DomainConfig) bool { return strings.EqualFold(o.NetBIOSName, d.NetBIOSName) }) {
			k.fail(path+".netbiosName", "the forest has a domain %q already", d.NetBIOSName)
		}
		k.domains = append(k.domains, d.DNSName)
		k.controllers(path+".dcs", d.DCs)
	}
}

func (k *checker) dnsName(path, name string) {
	labels := strings.Split(name, ".")
	if len(labels) < 2 {
		k.fail(path, "%q has one label; Active Directory needs two, for instance contoso.com", name)
		return
	}
	if len(name) > 64 { // [MS-ADTS] 6.1.4; longer names are refused by dcpromo
		k.fail(path, "%q has %d characters, at most 64 are allowed", name, len(name))
	}
	for _, l := range labels {
		if !dnsLabel.MatchString(l) {
			k.fail(path, "%q is not a DNS name: label %q", name, l)
			return
		}
	}
}

func (k *checker) netBIOSName(path, name string) {
	switch {
	case name == "" || len(name) > maxComputerName:
		k.fail(path, "%q has %d characters, a NetBIOS name has 1 to %d", name, len(name), maxComputerName)
	case strings.ContainsAny(name, illegalInSAM+" .") || strings.ToUpper(name) != name:
		k.fail(path, "%q is not a NetBIOS name in upper case", name)
	}
}

func (k *checker) controllers(path string, names []string) {
	for i, n := range names {
		p := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case !dnsLabel.MatchString(n) || len(n) > maxComputerName:
			k.fail(p, "%q is not a computer name: letters, digits and hyphens, at most %d", n, maxComputerName)
		case slices.ContainsFunc(k.dcs, func(s string) bool { return strings.EqualFold(s, n) }):
			k.fail(p, "there is a DC %q already", n)
		}
		k.dcs = append(k.dcs, n)
	}
}

// domainOf resolves the domain field of an account: the NetBIOS name in lower case.
func (k *checker) domainOf(path, domain string) string {
	if domain == "" || strings.EqualFold(domain, k.cfg.DNSName) {
		return strings.ToLower(k.cfg.NetBIOSName)
	}
	for _, d := range k.cfg.Domains {
		if strings.EqualFold(d.DNSName, domain) {
			return strings.ToLower(d.NetBIOSName)
		}
	}
	if path != "" {
		k.failNear(path, domain, k.domains, "the forest has no domain %q", domain)
	}
	return strings.ToLower(k.cfg.NetBIOSName)
}

// add enters a principal. sam is its sAMAccountName.
func (k *checker) add(path, domain, name, sam string, limit int, scope GroupScope) {
	switch {
	case name == "":
		k.fail(path+".name", "the name is missing")
		return
	case len(name) > limit:
		k.fail(path+".name", "%q has %d characters, at most %d are allowed", name, len(name), limit)
	case strings.ContainsAny(name, illegalInSAM) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		k.fail(path+".name", "%q contains one of %s or a control character", name, illegalInSAM)
	case strings.HasSuffix(name, ".") || strings.TrimSpace(name) != name:
		k.fail(path+".name", "%q begins or ends with a blank or ends with a dot", name)
	}
	key := k.domainOf(path+".domain", domain) + `\` + strings.ToLower(sam)
	if other, taken := k.accounts[key]; taken {
		k.fail(path+".name", "the name %q (sAMAccountName %s) is taken by %s", name, sam, other.path)
		return
	}
	k.accounts[key] = principal{path, scope}
	k.names = append(k.names, name)
}

func (k *checker) principals() {
	c := k.cfg
	for _, d := range append([]DomainConfig{{DNSName: c.DNSName, NetBIOSName: c.NetBIOSName, DCs: c.DCs}}, c.Domains...) {
		for _, b := range builtinPrincipals {
			scope := Global
			switch b {
			case "Administrator", "Guest", "krbtgt":
				scope = ""
			case "Enterprise Admins", "Schema Admins":
				scope = Universal
			}
			k.accounts[strings.ToLower(d.NetBIOSName+`\`+b)] = principal{"the domain itself", scope}
		}
		for _, dc := range d.DCs {
			k.accounts[strings.ToLower(d.NetBIOSName+`\`+dc+"$")] = principal{path: "the DC " + dc}
		}
	}
	k.names = slices.Clone(builtinPrincipals)
	if n := len(c.Hosts) + len(c.Users) + len(c.ServiceAccounts) + len(c.Groups); n > maxAccounts {
		k.fail("hosts", "%d accounts and groups, at most %d are allowed", n, maxAccounts)
		return
	}
	for i, h := range c.Hosts {
		path := fmt.Sprintf("hosts[%d]", i)
		if h.Workgroup {
			k.workgroupHost(path, c.Hosts[:i], h)
		} else {
			k.add(path, h.Domain, strings.TrimSuffix(h.Name, "$"), strings.ToUpper(strings.TrimSuffix(h.Name, "$"))+"$", maxComputerName, "")
		}
		for j, p := range h.Plugins {
			p.validate(k, fmt.Sprintf("%s.plugins[%d]", path, j))
		}
		if name := strings.TrimSuffix(h.Name, "$"); name != "" && !dnsLabel.MatchString(name) {
			k.fail(path+".name", "%q is not a computer name: letters, digits and hyphens", h.Name)
		}
		if h.LastRestart.After(c.Start) {
			k.fail(path+".lastRestart", "%s is after the start %s", h.LastRestart.UTC().Format(time.RFC3339), c.Start.Format(time.RFC3339))
		}
		for j, dc := range h.DCs {
			if !slices.ContainsFunc(k.dcs, func(s string) bool { return strings.EqualFold(s, dc) }) {
				k.failNear(fmt.Sprintf("%s.dcs[%d]", path, j), dc, k.dcs, "no DC %q", dc)
			}
		}
		for j, p := range h.ClosedPorts {
			k.port(fmt.Sprintf("%s.closedPorts[%d]", path, j), p)
		}
		k.etypes(path+".encryptionTypes", h.EncryptionTypes)
		if strings.HasPrefix(strings.ToLower(strings.TrimSpace(h.OS)), "windows") {
			if _, err := windows.ParseOS(h.OS); err != nil {
				k.name(path+".os", err)
			}
		}
		for j, a := range h.CredentialSpecs {
			if strings.TrimSuffix(a, "$") == "" || strings.ContainsAny(a, illegalInSAM) {
				k.fail(fmt.Sprintf("%s.credentialSpecs[%d]", path, j), "%q is not the name of an account", a)
			}
		}
	}
	k.secrets()
	for i, u := range c.Users {
		path := fmt.Sprintf("users[%d]", i)
		k.add(path, u.Domain, u.Name, u.Name, maxUserName, "")
		k.spns(path, u.SPNs)
		k.etypes(path+".encryptionTypes", u.EncryptionTypes, "DES", "None")
	}
	for i, s := range c.ServiceAccounts {
		path := fmt.Sprintf("serviceAccounts[%d]", i)
		k.add(path, s.Domain, s.Name, strings.TrimSuffix(s.Name, "$")+"$", maxComputerName, "")
		if strings.HasSuffix(s.Name, "$") {
			k.fail(path+".name", "%q: give the name without the final $, the domain adds it to sAMAccountName", s.Name)
		}
		if s.IntervalDays < 0 || s.IntervalDays > 36500 {
			k.fail(path+".intervalDays", "%d is not between 1 and 36500", s.IntervalDays)
		}
		if s.RetrieveSDDL != "" {
			if len(s.AllowedToRetrieve) > 0 {
				k.fail(path+".retrieveSDDL", "allowedToRetrieve says the same in other words; give one of them")
			}
			// The names of a domain's groups need a domain, whichever it is.
			if _, err := security.ParseSDDL(s.RetrieveSDDL, anyDomain, anyDomain); err != nil {
				k.fail(path+".retrieveSDDL", "%v", err)
			}
		}
		k.spns(path, s.SPNs)
		k.etypes(path+".encryptionTypes", s.EncryptionTypes, "DES", "None")
	}
	for i, g := range c.Groups {
		path := fmt.Sprintf("groups[%d]", i)
		k.oneOf(path+".scope", string(g.Scope), string(DomainLocal), string(Global), string(Universal))
		k.oneOf(path+".category", string(g.Category), string(Security), string(Distribution))
		k.add(path, g.Domain, g.Name, g.Name, maxGroupName, g.scope())
	}
}

func (g Group) scope() GroupScope {
	if g.Scope == "" {
		return DomainLocal
	}
	return g.Scope
}

// port checks an entry of closedPorts: "389", "DC01:389" or "DC01".
func (k *checker) port(path, s string) {
	dc, port, both := strings.Cut(s, ":")
	if !both {
		if _, err := strconv.Atoi(s); err == nil {
			dc, port = "", s
		}
	}
	if port != "" || both {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			k.fail(path, "%q: %q is not a port", s, port)
		}
	}
	if dc != "" && !slices.ContainsFunc(k.dcs, func(d string) bool { return strings.EqualFold(d, dc) }) {
		k.failNear(path, dc, k.dcs, "no DC %q", dc)
	}
}

func (k *checker) spns(path string, spns []string) {
	for i, spn := range spns {
		class, rest, found := strings.Cut(spn, "/")
		if !found || class == "" || rest == "" || strings.HasSuffix(rest, "/") || strings.ContainsFunc(spn, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			k.fail(fmt.Sprintf("%s.spns[%d]", path, i), "%q is not a service principal name: class/host, for instance http/webapp01.%s", spn, k.cfg.DNSName)
		}
	}
}

func (k *checker) etypes(path string, names []string, more ...string) {
	for i, e := range names {
		k.oneOf(fmt.Sprintf("%s[%d]", path, i), e, append([]string{"RC4", "AES128", "AES256"}, more...)...)
	}
}

// find looks a principal up by the name that a config gives it: NAME or DOMAIN\NAME, a computer with or without $.
func (k *checker) find(domain, name string) (principal, bool) {
	nb, sam, qualified := strings.Cut(strings.ToLower(name), `\`)
	if !qualified {
		nb, sam = k.domainOf("", domain), strings.ToLower(name)
	}
	for _, key := range []string{nb + `\` + sam, nb + `\` + sam + "$"} {
		if p, ok := k.accounts[key]; ok {
			return p, true
		}
	}
	return principal{}, false
}

func (k *checker) references() {
	for i, g := range k.cfg.Groups {
		for j, m := range g.Members {
			path := fmt.Sprintf("groups[%d].members[%d]", i, j)
			p, ok := k.find(g.Domain, m)
			switch {
			case !ok:
				k.failNear(path, m, k.names, "no account or group %q", m)
			case strings.EqualFold(m, g.Name):
				k.fail(path, "the group %q cannot be its own member", g.Name)
			case slices.ContainsFunc(g.Members[:j], func(o string) bool { return strings.EqualFold(o, m) }):
				k.fail(path, "%q is named twice", m)
			case g.scope() == Global && (p.scope == DomainLocal || p.scope == Universal):
				k.fail(path, "the global group %q cannot have the %s group %q as a member", g.Name, p.scope, m)
			case g.scope() == Universal && p.scope == DomainLocal:
				k.fail(path, "the universal group %q cannot have the %s group %q as a member", g.Name, p.scope, m)
			}
		}
	}
	for i, s := range k.cfg.ServiceAccounts {
		for j, m := range s.AllowedToRetrieve {
			if _, ok := k.find(s.Domain, m); !ok {
				k.failNear(fmt.Sprintf("serviceAccounts[%d].allowedToRetrieve[%d]", i, j), m, k.names, "no account or group %q", m)
			}
		}
	}
	k.aliases()
}

// aliases checks that each alias has a name of its own and leads somewhere: to a host, a DC, a domain, the DNS host name of a service
// account, another alias, or out of the forest.
func (k *checker) aliases() {
	inDomain := func(name, domain string) string {
		if domain == "" {
			domain = k.cfg.DNSName
		}
		return strings.ToLower(name + "." + domain)
	}
	taken := map[string]string{}
	var known []string
	know := func(name, what string) {
		if _, ok := taken[name]; !ok {
			taken[name] = what
			known = append(known, name)
		}
	}
	for _, d := range append([]DomainConfig{{DNSName: k.cfg.DNSName, DCs: k.cfg.DCs}}, k.cfg.Domains...) {
		know(strings.ToLower(d.DNSName), "a domain")
		for _, dc := range d.DCs {
			know(inDomain(dc, d.DNSName), "a DC")
		}
	}
	for _, h := range k.cfg.Hosts {
		know(inDomain(strings.TrimSuffix(h.Name, "$"), h.Domain), "a host")
	}
	targets := map[string]string{}
	for i, a := range k.cfg.Aliases {
		path := fmt.Sprintf("aliases[%d]", i)
		if !k.hostName(path+".name", a.Name) {
			continue
		}
		name := strings.ToLower(strings.TrimSuffix(a.Name, "."))
		if what, ok := taken[name]; ok {
			k.fail(path+".name", "%q is the name of %s", a.Name, what)
			continue
		}
		know(name, "another alias")
		targets[name] = strings.ToLower(strings.TrimSuffix(a.Target, "."))
	}
	for _, s := range k.cfg.ServiceAccounts {
		know(strings.ToLower(s.DNSHostName), "a service account")
		know(inDomain(strings.TrimSuffix(s.Name, "$"), s.Domain), "a service account")
	}
	for i, a := range k.cfg.Aliases {
		path := fmt.Sprintf("aliases[%d].target", i)
		if !k.hostName(path, a.Target) {
			continue
		}
		next := strings.ToLower(strings.TrimSuffix(a.Target, "."))
		if _, ok := taken[next]; !ok && k.inForest(next) {
			k.failNear(path, a.Target, known, "there is no host, DC or alias %q", a.Target)
		}
		for range k.cfg.Aliases {
			if next == strings.ToLower(strings.TrimSuffix(a.Name, ".")) {
				k.fail(path, "%q leads back to %q", a.Target, a.Name)
				break
			}
			next = targets[next]
		}
	}
}

// inForest tells whether a name in lower case is below one of the forest's domains.
func (k *checker) inForest(name string) bool {
	return slices.ContainsFunc(k.domains, func(d string) bool { return strings.HasSuffix(name, "."+strings.ToLower(d)) })
}

// name passes on what package windows says of a name.
func (k *checker) name(path string, err error) {
	e := &ConfigError{Path: path, Problem: err.Error()}
	if n, ok := errors.AsType[*windows.NameError](err); ok {
		e.Problem, e.Nearest = fmt.Sprintf("%q is no %s: %s", n.Name, n.Kind, n.Rule), n.Nearest
	}
	k.faults = append(k.faults, e)
}

func (k *checker) hostName(path, name string) bool {
	for _, l := range strings.Split(strings.TrimSuffix(name, "."), ".") {
		if !dnsLabel.MatchString(l) {
			k.fail(path, "%q is not a DNS name", name)
			return false
		}
	}
	return true
}

// keys checks the root keys, and that the service accounts can exist: a DC makes none without a usable key.
func (k *checker) keys() {
	c := k.cfg
	usable := false
	for i, key := range c.KDSRootKeys {
		path := fmt.Sprintf("kdsRootKeys[%d]", i)
		created := key.Created
		if created.IsZero() {
			created = c.Start
		}
		if created.After(c.Start) {
			k.fail(path+".created", "%s is after the start %s", created.UTC().Format(time.RFC3339), c.Start.Format(time.RFC3339))
		}
		if key.ID != "" {
			if _, err := security.ParseGUID(key.ID); err != nil {
				k.fail(path+".id", "%q is not a GUID", key.ID)
			}
			if j := slices.IndexFunc(c.KDSRootKeys[:i], func(o KDSRootKey) bool { return strings.EqualFold(o.ID, key.ID) }); j >= 0 {
				k.fail(path+".id", "kdsRootKeys[%d] has the same id", j)
			}
		}
		if key.DC != "" && !slices.ContainsFunc(k.dcs, func(s string) bool { return strings.EqualFold(s, key.DC) }) {
			k.failNear(path+".dc", key.DC, k.dcs, "no DC %q", key.DC)
		}
		if _, ok := damageable[key.Damaged]; key.Damaged != "" && !ok {
			k.failNear(path+".damaged", key.Damaged, slices.Sorted(maps.Keys(damageable)), "no attribute %q of a root key that can be damaged", key.Damaged)
		}
		usable = usable || key.Damaged == "" && !usableAt(c.RootKeyPolicy, key.Effective.Time(created)).After(c.Start)
	}
	if len(c.ServiceAccounts) > 0 && !usable {
		k.fail("serviceAccounts", "no KDS root key is usable at the start, and a DC makes no service account without one; add a key with effective: -10h")
	}
}

// dcSettings checks what is said of single DCs, and the version of the schema.
func (k *checker) dcSettings() {
	for i, s := range k.cfg.DCSettings {
		path := fmt.Sprintf("dcSettings[%d]", i)
		if !slices.ContainsFunc(k.dcs, func(d string) bool { return strings.EqualFold(d, s.Name) }) {
			k.failNear(path+".name", s.Name, k.dcs, "no DC %q", s.Name)
		}
		if _, ok := before2012(s.OS); s.OS != "" && !ok {
			k.failNear(path+".os", s.OS, dcReleases, "%q is no release of a DC", s.OS)
		}
		if s.Update != "" && !slices.Contains(dcUpdates, string(s.Update)) {
			k.failNear(path+".update", string(s.Update), dcUpdates, "%q is no update of a DC", s.Update)
		}
	}
	switch v := k.cfg.SchemaVersion; {
	case v < 0:
		k.fail("schemaVersion", "%d is negative", v)
	case v != 0 && v < 52 && len(k.cfg.KDSRootKeys)+len(k.cfg.ServiceAccounts) > 0:
		k.fail("schemaVersion", "a schema of version %d has no service accounts and root keys; 52 is the first that has", v)
	}
}

func (k *checker) faultsInForce() {
	ops := []string{string(DNSLookup), string(LDAPConnect), string(LDAPBind), string(LDAPSearch), string(LDAPWrite), string(LDAPOther),
		string(KDCAS), string(KDCTGS), string(Kpasswd), string(Netlogon)}
	for i, f := range k.cfg.Faults {
		path := fmt.Sprintf("faults[%d]", i)
		if f.On == "" {
			k.fail(path+".on", "the kind of exchange is missing: one of %s", strings.Join(ops, ", "))
		}
		k.oneOf(path+".on", string(f.On), ops...)
		if f.DC != "" && !slices.ContainsFunc(k.dcs, func(s string) bool { return strings.EqualFold(s, f.DC) }) {
			k.failNear(path+".dc", f.DC, k.dcs, "no DC %q", f.DC)
		}
		if f.Skip < 0 || f.Count < 0 {
			k.fail(path, "skip and count must not be negative")
		}
		if problem := f.mismatch(); problem != "" {
			k.fail(path+".do", "%s", problem)
		}
		if f.From != "" && f.From != outside {
			if !slices.ContainsFunc(k.cfg.Hosts, func(h HostConfig) bool { return strings.EqualFold(h.Name, f.From) }) {
				names := []string{outside}
				for _, h := range k.cfg.Hosts {
					names = append(names, h.Name)
				}
				k.failNear(path+".from", f.From, names, "no host %q", f.From)
			}
		}
	}
}
