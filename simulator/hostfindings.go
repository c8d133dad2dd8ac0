package simulator

import (
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// hostOf is the host whose own session a step used; nil when it was another account's.
func (d *Domain) hostOf(l *logon) *Host {
	if l == nil {
		return nil
	}
	if h, ok := d.FindHost(l.account); ok && h.machine == l {
		return h
	}
	return nil
}

// findBrokenHost: the host's own password is not the directory's; nil when the step was not the host's.
func (d *Domain) findBrokenHost(s *stepError, dc *DC) *diag.Finding {
	h := d.hostOf(s.logon)
	if h == nil {
		return nil
	}
	return &diag.Finding{
		Code:    diag.BadCredentials,
		Mode:    "host-machine-channel-broken",
		Facts:   append([]diag.Fact{{Name: "host", Value: h.Name()}}, d.passwordFacts(s.logon.account, dc)...),
		SeenAs:  []string{seenTrust, "KDC_ERR_PREAUTH_FAILED (0x18)", "System event 3210, NETLOGON", "Install-ADServiceAccount : An unspecified error has occurred"},
		Because: "a computer has a password too, and the directory has another one: after a restored snapshot, for a cloned image, or when somebody reset the account",
		Help: []diag.Help{{Text: "let host and directory agree on a new password", Command: "Test-ComputerSecureChannel -Repair -Credential (Get-Credential)",
			Do: []string{flowStep("testSecureChannel", arg{"host", h.Name()}, arg{"repair", true})}}},
	}
}

// findOtherDomain: the account that a host looked for is in another domain of the forest.
func (d *Domain) findOtherDomain(s *stepError) *diag.Finding {
	h := d.hostOf(s.logon)
	if h == nil || s.dc == nil || s.step != stepFind {
		return nil
	}
	dom := d.accountElsewhere(s.account, s.dc)
	if dom == nil {
		return nil
	}
	return &diag.Finding{
		Code:    diag.OtherDomain,
		Mode:    "host-wrong-domain",
		Facts:   []diag.Fact{{Name: "host", Value: h.Name() + "." + h.dom.DNSName}, {Name: "account", Value: strings.TrimSuffix(s.account, "$") + " of " + dom.DNSName}},
		SeenAs:  []string{seenTestFalse, fmt.Sprintf("%s: '%s' under: '%s'.", seenNotFound, s.account, h.dom.DN)},
		Because: "a host reads passwords of its own domain's accounts only, whatever trusts there are and however right the credential spec looks",
		Help: []diag.Help{{Text: "join the host to the account's domain, or let the container read the password by a plug-in",
			Command: "Add-Computer -DomainName " + dom.DNSName + " -Restart", Do: []string{flowStep("rejoinHost", arg{"host", h.Name()}, arg{"domain", dom.DNSName})}}},
	}
}
