package simulator

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

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
		code := diag.YoungRootKey
		if len(c.KDSRootKeys) == 0 {
			code = diag.NoRootKey
		}
		k.faults = append(k.faults, &ConfigError{Path: "serviceAccounts", Code: code,
			Problem: "no KDS root key is usable at the start, and a DC makes no service account without one; add a key with effective: -10h"})
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
