package simulator

import (
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// notJoinedError: the work needs the account of a computer, and the host has none in the domain.
type notJoinedError struct {
	host *Host
	spec *credentialSpec // that the host reads a password for; nil: none
}

func (e *notJoinedError) Error() string {
	return "This computer is not joined to an Active Directory domain."
}

func (e *notJoinedError) finding(d *Domain, s *stepError) *diag.Finding {
	h := e.host
	f := &diag.Finding{
		Code: diag.HostNotJoined, Mode: "host-not-domain-joined",
		Facts:   []diag.Fact{{Name: "host", Value: h.Name() + ", of a workgroup"}},
		SeenAs:  []string{"New-CredentialSpec : " + e.Error(), seenNoLogonSrv, "nltest: 1786 0x6fa ERROR_NO_TRUST_LSA_SECRET"},
		Because: "a managed password is read by the account of the host, and a computer outside the domain has none; the container starts all the same",
	}
	join := diag.Help{Text: "join the computer to the domain and allow it to read the password, or use a plug-in with a HostAccountConfig section",
		Command: "Add-Computer -DomainName " + d.DNSName() + " -Restart", Do: append([]string{flowStep("joinHost", arg{"name", h.Name()})}, d.allowSteps(s.account, h.Name())...)}
	if s.step == stepFind {
		f.Mode = "cs-module-not-joined"
	}
	if e.spec == nil {
		f.Help = []diag.Help{join}
		return f
	}
	release, err := h.release()
	switch {
	case e.spec.ActiveDirectoryConfig.HostAccountConfig != nil && err == nil && release.Build < windows.Build1809:
		f.Mode = "os-plugin-unsupported"
		f.Facts = append(f.Facts, diag.Fact{Name: "release", Value: release.String()}, diag.Fact{Name: "section HostAccountConfig", Value: "there, and not read"})
		f.Because = "Container Credential Guard takes plug-ins from build 17763 on; an older host ignores the section and has no account of its own"
		upgrade := diag.Help{Text: "move to Windows Server 2019 or later, and to an image of it", Do: []string{flowStep("upgradeHost", arg{"host", h.Name()}, arg{"os", "Windows Server 2019"})}}
		if c := h.containerOf(e.spec); c != nil {
			upgrade.Do = append(upgrade.Do, flowStep("rerunContainer", arg{"container", c.shortID()}, arg{"image", "servercore:ltsc2019"}))
		}
		f.Help = []diag.Help{upgrade, join}
	case e.spec.misplacedSection():
		f.Mode = "cs-hostaccountconfig-misplaced"
		f.Facts = append(f.Facts, diag.Fact{Name: "section HostAccountConfig", Value: "not below ActiveDirectoryConfig"})
		f.Because = "the section HostAccountConfig counts below ActiveDirectoryConfig only; elsewhere nothing reads it and the host is asked for its own account"
		f.Help = []diag.Help{h.moveSection(e.spec), join}
	default:
		f.Help = []diag.Help{join}
	}
	last := &f.Help[len(f.Help)-1]
	last.Do = append(last.Do, flowStep("restartHost", arg{"", h.Name()}))
	// A container that ran when the computer joined has ended with its restart.
	if c := h.containerOf(e.spec); c != nil {
		last.Do = append(last.Do, flowStep("rerunContainer", arg{"container", c.shortID()}))
	}
	return f
}

// allowSteps are the steps by which a reader comes to be allowed: into a group that is on the account's list already, or onto the list.
// A computer restarts after it.
func (d *Domain) allowSteps(account, reader string) []string {
	account = strings.TrimSuffix(account, "$")
	if account == "" {
		return nil
	}
	names := d.allowedNames(d.dcs[0], account)
	if d.allowedGroup(names) != "" {
		return []string{flowStep("addGroupMember", arg{"group", d.allowedGroup(names)}, arg{"members", []string{reader}})}
	}
	return []string{flowStep("setServiceAccount", arg{"account", account}, arg{"allowedToRetrieve", append(names, reader)})}
}

// allowCommand is what allowSteps does, as a command line.
func (d *Domain) allowCommand(account, reader string) string {
	account = strings.TrimSuffix(account, "$")
	names := d.allowedNames(d.dcs[0], account)
	if group := d.allowedGroup(names); group != "" {
		return fmt.Sprintf("Add-ADGroupMember -Identity %q -Members %q", group, reader)
	}
	return fmt.Sprintf(`Set-ADServiceAccount %s -PrincipalsAllowedToRetrieveManagedPassword "%s"`, account, strings.Join(append(names, reader), `","`))
}

// allowUser is the help for a user that reads a password.
func (d *Domain) allowUser(account, user string) diag.Help {
	return diag.Help{Text: "allow the user; it counts from its next sign-in on, and no restart is needed",
		Command: d.allowCommand(account, user), Do: d.allowSteps(account, user)}
}

// allowedNames are the principals that may read the password of an account, by name, as a DC has them.
func (d *Domain) allowedNames(dc *DC, account string) []string {
	entry, err := d.lookup(dc, account+"$", "msDS-GroupMSAMembership")
	if err != nil {
		return nil
	}
	sd, err := security.ParseDescriptor([]byte(entry.Value("msDS-GroupMSAMembership")))
	if err != nil {
		return nil
	}
	var names []string
	for _, ace := range retrieveACEs(sd) {
		names = append(names, d.nameOfSID(dc, ace.SID))
	}
	return names
}

// allowed tells whether a reader with all of its memberships may read the password of an account, as a DC has them.
func (d *Domain) allowed(dc *DC, account, reader string) bool {
	entry, err := d.lookup(dc, strings.TrimSuffix(account, "$")+"$", "msDS-GroupMSAMembership", "objectSid")
	if err != nil {
		return false
	}
	sd, err := security.ParseDescriptor([]byte(entry.Value("msDS-GroupMSAMembership")))
	if err != nil {
		return false
	}
	self, err := security.SIDFromBytes([]byte(entry.Value("objectSid")))
	if err != nil {
		return false
	}
	a, err := dc.replica.AccountByName(directory.Principal, reader)
	return err == nil && sd.Allows(dc.replica.TokenFor(a), security.RightReadProperty, security.ObjectTypes{}, self)
}

// allowedGroup is the first of some principals that is a group; "" when none is.
func (d *Domain) allowedGroup(names []string) string {
	for _, name := range names {
		if e, err := d.lookup(d.dcs[0], name, "groupType"); err == nil && e.Value("groupType") != "" {
			return name
		}
	}
	return ""
}

// domainName is the DNS name of the domain that the host has joined, "" for none.
func (h *Host) domainName() string {
	if h.cfg.Workgroup {
		return ""
	}
	return h.dom.DNSName
}

// containerOf is the running container that was given a credential spec; nil when none runs.
func (h *Host) containerOf(spec *credentialSpec) *Running {
	for _, c := range h.Containers() {
		if c.spec == spec {
			return c
		}
	}
	return nil
}

// join makes a host of the domain of one of a workgroup: what is on the computer stays, its containers end.
func (h *Host) join(cfg HostConfig) *Host {
	for _, c := range h.Containers() {
		c.Stop()
	}
	was := h.cfg
	was.Workgroup, was.Domain, was.Password = false, cfg.Domain, cfg.Password
	was.LastRestart = h.d.Clock.Now()
	h.d.mu.Lock()
	for i, o := range h.d.hosts {
		if o == h {
			h.d.hosts = append(h.d.hosts[:i:i], h.d.hosts[i+1:]...)
			break
		}
	}
	h.d.mu.Unlock()
	joined := h.d.addHost(was)
	h.mu.Lock()
	defer h.mu.Unlock()
	joined.files, joined.plugins, joined.identities, joined.started = h.files, h.plugins, h.identities, h.started
	return joined
}

// SetDNS sets the DNS servers of the host (Set-DnsClientServerAddress): names of DCs, or addresses of servers that do not know the domain;
// none: the domain's.
func (h *Host) SetDNS(servers ...string) {
	h.station.mu.Lock()
	h.station.dns = append([]string(nil), servers...)
	h.station.located = nil
	h.station.mu.Unlock()
	h.d.event(Event{Op: opHost, From: h.Name(), Text: "Set-DnsClientServerAddress " + strings.Join(servers, ",")})
}

// Joined tells whether the host has joined a domain.
func (h *Host) Joined() bool { return !h.cfg.Workgroup }

// OS is the operating system as the configuration names it, "" when it does not.
func (h *Host) OS() string { return h.cfg.OS }

// Windows is the release of the host; an error for one that is no Windows.
func (h *Host) Windows() (windows.OS, error) { return h.release() }
