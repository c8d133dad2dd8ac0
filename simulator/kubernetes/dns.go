package kubernetes

import (
	"slices"
	"strings"
)

// DNS is the cluster's DNS server, which pods ask (CoreDNS with a ConfigMap of its own). The zero value sends everything that is not of the
// cluster to the domain's servers.
type DNS struct {
	// Upstream are the servers for names that no stub domain covers: DCs, or addresses that do not know the domain. Default: the domain's.
	Upstream []string `json:"upstream,omitempty" yaml:"upstream,omitempty"`
	// StubDomains are zones that go to the domain's servers.
	StubDomains []string `json:"stubDomains,omitempty" yaml:"stubDomains,omitempty"`
	// TCPBlocked says that a firewall lets only UDP 53 through to the domain's servers.
	TCPBlocked bool `json:"tcpBlocked,omitempty" yaml:"tcpBlocked,omitempty"`
}

// address is that of the cluster's DNS service. As a DNS server of a container it does not know the domain.
const dnsAddress = "10.96.0.10"

// SetDNS changes the cluster's DNS server; pods see it at once.
func (c *Cluster) SetDNS(s DNS) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dns = s
	for _, p := range c.pods {
		c.setResolvers(p)
	}
}

// setResolvers tells the running containers of a pod what their DNS server knows now.
func (c *Cluster) setResolvers(p *pod) {
	for _, s := range p.mains {
		if s.run != nil && s.run.Runs() {
			s.run.SetDNS(c.resolvers(p)...)
		}
	}
}

// resolvers are the DNS servers of a pod as a simulated container takes them: what the cluster's server can find out about the domain.
func (c *Cluster) resolvers(p *pod) []string {
	if len(p.spec.Nameservers) > 0 {
		return p.spec.Nameservers
	}
	switch {
	case c.truncated():
		return []string{dnsAddress}
	case c.stub():
		return nil
	case len(c.dns.Upstream) > 0:
		return c.dns.Upstream
	}
	return nil
}

// stub tells that a stub domain covers the domain.
func (c *Cluster) stub() bool {
	name := strings.ToLower(c.d.DNSName())
	return slices.ContainsFunc(c.dns.StubDomains, func(z string) bool {
		z = strings.ToLower(strings.TrimSuffix(z, "."))
		return name == z || strings.HasSuffix(name, "."+z)
	})
}

// maxUDP is the largest answer in a datagram without EDNS (RFC 1035 2.3.4).
const maxUDP = 512

// truncated tells that the answer with the domain's controllers does not fit a datagram, and that the way over TCP is closed.
func (c *Cluster) truncated() bool { return c.dns.TCPBlocked && c.answerSize() > maxUDP }

// answerSize is the length of the answer to the locator's question: header and question, and for each DC an SRV record with the name of
// its target, which RFC 2782 forbids to compress, and the address of the target (RFC 1035 4.1).
func (c *Cluster) answerSize() int {
	const header, fixed, pointer, address = 12, 10, 2, 4
	size := header + len("_ldap._tcp.dc._msdcs.") + len(c.d.DNSName()) + 2 + 4
	for _, dc := range c.d.DCs() {
		size += pointer + fixed + 6 + len(dc.DNSName()) + 2
		size += pointer + fixed + address
	}
	return size
}
