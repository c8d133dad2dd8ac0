package simulator

import (
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

func (d *Domain) findChannel(s *stepError, e *channelError) *diag.Finding {
	own := strings.TrimSuffix(s.logon.account, "$")
	facts := []diag.Fact{{Name: "status", Value: e.status.String()}, {Name: "account", Value: e.account}, {Name: "computer name", Value: e.computer}}
	dc := e.dc
	if dc == nil {
		dc = s.logon.st.firstDC()
	}
	facts = append(facts, diag.Fact{Name: "DC", Value: dc.name})
	switch {
	case e.cause == errAged:
		return s.logon.st.container.findAged(facts)
	case e.cause == errDisplaced:
		return d.findDisplaced(s.logon.st.container, e, facts)
	case e.status == StatusNoTrustSAMAccount && !sameAccount(e.account, own):
		f := findHostname(s.logon.st.container, own, facts)
		f.SeenAs = []string{seenTrust, seenNetlogon5720, "nltest /sc_verify: 1787 0x6fb ERROR_NO_TRUST_SAM_ACCOUNT"}
		f.Because = "before build 17763 Netlogon in a container goes by the host name, and the domain has no such computer; Kerberos goes by the service account and works"
		return f
	}
	a, err := dc.replica.AccountByName(directory.Principal, e.account)
	switch {
	case err != nil:
		return s.logon.st.ofSite(d.findNoSuchName(strings.TrimSuffix(e.account, "$"), dc))
	case a.Disabled:
		return d.findUnusable(a.SAMAccountName, dc, krbErrClientRevoked)
	case a.UserAccountControl&uacWorkstationTrust == 0:
		return &diag.Finding{Code: diag.MachineFlagLost, Facts: append(facts, diag.Fact{Name: "userAccountControl", Value: fmt.Sprintf("%d, without 4096", a.UserAccountControl)}),
			SeenAs:  []string{"nltest: 1787 0x6fb ERROR_NO_TRUST_SAM_ACCOUNT", "Some or all identity references could not be translated."},
			Because: "a DC gives a secure channel to accounts with WORKSTATION_TRUST_ACCOUNT only; tools that set delegation as for a user take the flag away",
			Mode:    "acct-uac-missing-wta",
			Help: []diag.Help{{Text: "put the flag back",
				Command: fmt.Sprintf("Set-ADObject (Get-ADServiceAccount %s) -Replace @{userAccountControl=%d}", own, asMachine(a.UserAccountControl)),
				Do:      []string{flowStep("setAccountControl", arg{"account", own}, arg{"value", asMachine(a.UserAccountControl)})}}}}
	case e.status == StatusAccessDenied && !sameAccount(e.account, own):
		f := findHostname(s.logon.st.container, own, facts)
		f.SeenAs = []string{seenTrust}
		f.Because = "before build 17763 Netlogon in a container goes by the host name, and that is another computer's, whose password the container does not have"
		return f
	case e.status == StatusAccessDenied && d.findBrokenHost(s, dc) != nil:
		return d.findBrokenHost(s, dc)
	case e.status == StatusAccessDenied:
		if f := d.findPasswords(e.account, dc, s); f != nil {
			f.Facts = append(facts[:1:1], f.Facts...)
			return f
		}
		return &diag.Finding{Code: diag.BadCredentials, Facts: append(facts, d.passwordFacts(e.account, dc)...), SeenAs: []string{seenTrust},
			Because: "the DC has another password of the account than the container"}
	}
	return nil
}

// findHostname is about a container of before build 17763 whose host name is not its account's.
func findHostname(r *Running, own string, facts []diag.Fact) *diag.Finding {
	f := &diag.Finding{Code: diag.HostnameDiffers, Mode: "os-hostname-mismatch", Facts: append(facts, diag.Fact{Name: "service account", Value: own + "$"})}
	if label, _, dotted := strings.Cut(r.cfg.Hostname, "."); dotted && strings.EqualFold(label, own) {
		f.Mode = "os-hostname-fqdn"
	}
	name := strings.ToLower(own)
	f.Help = []diag.Help{
		{Text: "start the container under the name of the account, without the domain", Command: r.dockerRun(func(c *Container) { c.Hostname = name }), Do: []string{r.again(arg{"hostname", name})}},
		{Text: "or take Windows Server 2019 or later, and an image of it", Do: []string{flowStep("upgradeHost", arg{"host", r.h.Name()}, arg{"os", "Windows Server 2019"}),
			r.again(arg{"image", string(windows.ServerCore) + ":ltsc2019"}, arg{"isolation", string(windows.Process)})}},
	}
	return f
}

// again is the container run anew with options changed.
func (r *Running) again(changed ...arg) string {
	return flowStep("rerunContainer", append([]arg{{"container", r.shortID()}}, changed...)...)
}

// findDisplaced is about a container whose session on the DC another one has taken over.
func (d *Domain) findDisplaced(r *Running, e *channelError, facts []diag.Fact) *diag.Finding {
	f := &diag.Finding{Code: diag.ChannelDisplaced, Mode: "os-concurrent-same-hostname-2019", SeenAs: []string{seenTrust, "nltest /sc_verify: 5 0x5 ERROR_ACCESS_DENIED"},
		Because: "a DC keeps one session for each computer name, and another container with the same host name has set up its own since"}
	reset := diag.Help{Text: "until then, set the channel up anew, which cuts the other container off", Command: "nltest /sc_reset:" + r.spec.DomainJoinConfig.DNSName,
		Do: []string{flowStep("nltest", arg{"container", r.shortID()}, arg{"command", "/sc_reset:" + r.spec.DomainJoinConfig.DNSName})}}
	rival := d.rivalOf(r, e)
	if rival != nil {
		facts = append(facts, diag.Fact{Name: "session is of", Value: rival.st.name})
	}
	f.Facts = facts
	if r.build(windows.P5) >= windows.Build1809 {
		f.Help = []diag.Help{{Text: "give each container a host name of its own, or none", Command: r.dockerRun(func(c *Container) { c.Hostname = "" }), Do: []string{r.again(arg{"hostname", ""})}}, reset}
		return f
	}
	f.Mode = "os-concurrent-same-hostname-old"
	f.Because += "; before build 17763 the host name has to be the account's, so an account serves one container at a time"
	one := diag.Help{Text: "run one container for each service account, or move to Windows Server 2019"}
	if rival != nil {
		one.Command, one.Do = "docker stop "+rival.shortID(), []string{flowStep("stopContainer", arg{"", rival.shortID()})}
	}
	f.Help = []diag.Help{one, reset}
	return f
}

// rivalOf is the running container that has the session under the computer name of r; nil when it has ended.
func (d *Domain) rivalOf(r *Running, e *channelError) *Running {
	for _, h := range d.Hosts() {
		for _, o := range h.Containers() {
			if o == r || o.spec == nil {
				continue
			}
			if _, computer := o.names(); computer == e.computer && o.channelDC() == e.dc {
				return o
			}
		}
	}
	return nil
}

// channelDC is the DC of the container's secure channel; nil for none.
func (r *Running) channelDC() *DC {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.channel.dc
}
