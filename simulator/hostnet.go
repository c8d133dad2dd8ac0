package simulator

import (
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// hostAt is the host whose own place in the network a station is; nil for a container's, a user's or an administrator's.
func (d *Domain) hostAt(st *station) *Host {
	if st == nil || st.container != nil {
		return nil
	}
	if h, ok := d.FindHost(st.name); ok && &h.station == st {
		return h
	}
	return nil
}

// noDC completes a finding about a host that finds no DC of its domain.
func (h *Host) noDC(f *diag.Finding) {
	f.Mode = "host-dc-unreachable"
	h.station.mu.Lock()
	servers := h.dns
	h.station.mu.Unlock()
	if len(servers) == 0 {
		var do []string
		shut := h.shut(portDNS)
		for _, port := range shut {
			do = append(do, flowStep("openPort", arg{"host", h.Name()}, arg{"port", port}))
		}
		if do != nil {
			f.Mode, f.Help[0] = "host-firewall-ports", diag.Help{Text: "let the host reach the domain's DNS servers", Command: allowRules(shut), Do: do}
		}
		return
	}
	f.Facts = append(f.Facts, diag.Fact{Name: "DNS servers", Value: strings.Join(servers, ", ")})
	own := h.firstDC().name
	f.Help = []diag.Help{{Text: "let the host ask the domain's DNS servers", Command: "Set-DnsClientServerAddress -InterfaceAlias Ethernet -ServerAddresses \"" + addressPlaceholder(own) + "\"",
		Do: []string{flowStep("setDNS", arg{"host", h.Name()}, arg{"servers", []string{own}})}}}
}

// unreachable completes a finding about a host that reaches no DC on a port: the DCs are off the network, a firewall keeps them from the
// host, or it keeps the one port.
func (h *Host) unreachable(e *unreachableError, f *diag.Finding) {
	f.Mode = "host-dc-unreachable"
	f.SeenAs = append(f.SeenAs, "System event 5719, NETLOGON")
	var do, open []string
	if ports := h.shut(e.port); ports != nil {
		f.Mode = "host-firewall-ports"
		f.Because = "DNS names the DCs and they run; a firewall keeps one port of them from the host, and other ports are open"
		open = ports
	}
	h.station.mu.Lock()
	closed := h.closed
	h.station.mu.Unlock()
	for _, a := range e.tried {
		dc, ok := h.d.FindDC(a.dc)
		if !ok {
			continue
		}
		if !dc.Running() {
			do = append(do, flowStep("startDC", arg{"", dc.name}))
		}
		for _, c := range closed {
			if strings.EqualFold(c, dc.name) {
				open = append(open, c)
			}
		}
	}
	for _, c := range open {
		do = append(do, flowStep("openPort", arg{"host", h.Name()}, arg{"port", c}))
	}
	f.Help = []diag.Help{{Text: "start a DC, or open the way between the host and the DCs", Command: allowRules(open), Do: do}}
}
