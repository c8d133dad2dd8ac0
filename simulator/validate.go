package simulator

import (
	"errors"
	"fmt"
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
	// Code is the finding that a domain like this would have, where there is one; "" for what is only wrong.
	Code diag.Code
}

// Error gives path, problem and nearest value.
func (e *ConfigError) Error() string {
	s := e.Path + ": " + e.Problem
	if e.Nearest != "" {
		s += fmt.Sprintf("; nearest: %q", e.Nearest)
	}
	return s
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
