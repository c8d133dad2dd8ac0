package simulator

import (
	"slices"
	"strings"
	"time"
)

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
