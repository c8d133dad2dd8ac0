package simulator

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// portNetlogon stands for the dynamic port on which the endpoint mapper of a DC says that Netlogon is ([MS-NRPC] 2.1; dynamic ports
// begin at 49152).
const portNetlogon = 49667

// shutBy lists what keeps a DC's port from a station.
func (st *station) shutBy(dc *DC, port int) []string {
	st.mu.Lock()
	defer st.mu.Unlock()
	var list []string
	for _, c := range st.closed {
		if shuts(c, dc, port) {
			list = append(list, c)
		}
	}
	return list
}

// shuts tells whether a closed port is one of a DC.
func shuts(closed string, dc *DC, port int) bool {
	p := strconv.Itoa(port)
	return closed == p || strings.EqualFold(closed, dc.name) || strings.EqualFold(closed, dc.name+":"+p)
}

// noDC completes a finding about a container that finds no DC of its domain.
func (r *Running) noDC(f *diag.Finding) {
	f.Mode = "net-container-dns-wrong"
	f.Facts = append(f.Facts, diag.Fact{Name: "DNS servers", Value: strings.Join(r.cfg.DNS, ", ")})
	own := r.st.firstDC().name
	f.Help = []diag.Help{{Text: "let the container ask the domain's DNS servers, by its own option, its network's or its host's", Command: r.dockerRun(func(c *Container) { c.DNS = []string{own} }),
		Do: []string{r.again(arg{"dns", []string{own}})}}}
}

// unreachable completes a finding about a container that reaches no DC on a port.
func (r *Running) unreachable(e *unreachableError, f *diag.Finding) {
	f.Mode = "host-firewall-ports"
	if r.st.overlaps() {
		f.Mode = "net-nat-overlap"
		f.Facts = append(f.Facts, diag.Fact{Name: "container's network", Value: r.cfg.Subnet}, diag.Fact{Name: "network of the DCs", Value: r.h.d.dcSubnet().String()})
		f.Because = "the container's network has the addresses of the DCs' network, so packets to a DC stay in it"
		f.Help = []diag.Help{{Text: "give the containers a network that nobody else has", Command: `"fixed-cidr": "172.31.240.0/20" in daemon.json, or docker network create --subnet`,
			Do: []string{r.again(arg{"subnet", "172.31.240.0/20"})}}}
		return
	}
	var open, closed []string
	for _, a := range e.tried {
		dc, ok := r.h.d.FindDC(a.dc)
		if !ok {
			continue
		}
		if !dc.Running() {
			f.Mode = "host-dc-unreachable"
			f.Help = []diag.Help{{Text: "start the domain controller", Do: []string{flowStep("startDC", arg{"", dc.name})}}}
			return
		}
		for _, c := range r.st.shutBy(dc, e.port) {
			if strings.EqualFold(c, dc.name) {
				f.Mode = "net-container-no-route"
			}
			if !slices.Contains(closed, c) {
				closed, open = append(closed, c), append(open, flowStep("openPort", arg{"container", r.shortID()}, arg{"port", c}))
			}
		}
	}
	if f.Mode == "host-firewall-ports" && (e.port == portRPC || e.port == portNetlogon) {
		f.Mode = "net-rpc-dynamic-blocked"
		f.Because = "a secure channel is RPC: the endpoint mapper on port 135 names a dynamic port from 49152 on, and both have to be open; Kerberos and LDAP need neither"
	}
	f.Help = []diag.Help{{Text: "let the container's network reach the DC", Command: allowRules(closed), Do: open}}
}

// overlaps tells whether the station's own network has the addresses of the DCs' one: packets to a DC then stay in it.
func (st *station) overlaps() bool {
	if st.container == nil || st.container.cfg.Subnet == "" {
		return false
	}
	own, err := netip.ParsePrefix(st.container.cfg.Subnet)
	if err != nil {
		return false // validated
	}
	return own.Overlaps(st.d.dcSubnet())
}

// dcSubnet is the network that the DCs are in.
func (d *Domain) dcSubnet() netip.Prefix {
	if p, err := netip.ParsePrefix(d.cfg.DCSubnet); err == nil { // validated
		return p
	}
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, 0}), 24)
}
