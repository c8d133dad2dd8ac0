package simulator

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// What Windows prints in and around containers.
const (
	seenTrust        = "The trust relationship between this workstation and the primary domain failed"
	seenNetlogon5720 = "Event 5720, NETLOGON: … the computer … does not have a local security database account."
	seenAnonymous    = `Login failed for user 'NT AUTHORITY\ANONYMOUS LOGON'.`
	seenNoPackage    = "klist failed with 0x8009030e: No credentials are available in the security package"
)

// findContainer finds the cause of a failed step of a container; nil when the step is none of a container's.
func (d *Domain) findContainer(s *stepError) *diag.Finding {
	if e, ok := errors.AsType[*startError](s.err); ok {
		return findStart(e)
	}
	if e, ok := errors.AsType[*specError](s.err); ok {
		return d.findSpec(s, e)
	}
	if e, ok := errors.AsType[*loginError](s.err); ok {
		return findLogin(e)
	}
	if e, ok := errors.AsType[*identityError](s.err); ok {
		return findIdentity(e)
	}
	if errors.Is(s.err, errNoSpec) {
		return &diag.Finding{
			Code:    diag.NoCredentialSpec,
			SeenAs:  []string{"nltest: Status = 1722 0x6ba RPC_S_SERVER_UNAVAILABLE", seenNoPackage},
			Because: "without a credential spec the container has no domain and no account, and its Netlogon service does not run; the engine does not warn",
			Help: []diag.Help{{Text: "give the container its credential spec, and look whether the option reached the engine",
				Command: `docker run --security-opt "credentialspec=file://…" …; docker inspect -f "{{json .HostConfig.SecurityOpt}}" ID`}},
		}
	}
	if e, ok := errors.AsType[*channelError](s.err); ok {
		return d.findChannel(s, e)
	}
	if e, ok := errors.AsType[*lookupError](s.err); ok {
		switch e.status {
		case StatusLogonFailure:
			return &diag.Finding{Code: diag.BadCredentials, Facts: []diag.Fact{{Name: "user", Value: s.account}}, SeenAs: []string{e.status.String()},
				Because: "the DC does not accept the response of the client: the user is unknown or disabled, or the password is another"}
		case StatusAccountDisabled, StatusPasswordExpired:
			return d.findUnusable(s.account, s.logon.st.firstDC(), krbErrClientRevoked)
		case StatusNoneMapped:
			return d.findNoSuchName(s.account, s.logon.st.firstDC())
		}
	}
	return nil
}

func findStart(e *startError) *diag.Finding {
	f := &diag.Finding{
		Facts:  []diag.Fact{{Name: "host", Value: e.host.String()}, {Name: "image", Value: e.image.String() + ", build " + e.image.Build.String()}, {Name: "isolation", Value: string(e.iso)}},
		SeenAs: []string{e.text},
	}
	switch e.end {
	case windows.NoEngine:
		f.Code = diag.EngineTooNew
		f.Because = "Docker from 23.0 on, and containerd, need build 17763; older hosts run an engine of their time"
		f.Help = []diag.Help{{Text: "keep an engine up to 20.10 on this host, or move to Windows Server 2019 or later"}}
	case windows.NoIsolation:
		f.Code = diag.IsolationNotOffered
		f.Because = "servers offer process isolation, clients only from 1809 on and when asked; Hyper-V isolation needs the role and a processor that can do it"
		f.Help = []diag.Help{{Text: "run the container in the isolation that the host offers", Command: "docker run --isolation=hyperv …"}}
		if e.iso == windows.HyperV {
			f.Help = []diag.Help{{Text: "install the role, in a virtual machine with nested virtualisation, or use process isolation", Command: "Install-WindowsFeature Hyper-V"}}
		}
	case windows.ImageMismatch:
		f.Code = diag.ImageMismatch
		f.Because = "in process isolation the image shares the host's kernel, so its build has to be one that this kernel carries"
		f.Help = []diag.Help{{Text: "take the image of the host's release"}}
		if e.image.Build <= e.host.Build {
			f.Help = append(f.Help, diag.Help{Text: "or run this image in Hyper-V isolation", Command: "docker run --isolation=hyperv …"})
		}
	case windows.StartHangs, windows.NoCredential:
		f.Code = diag.GMSAIsolation
		f.Because = "builds 15063, 16299 and 17134 cannot hand the credential to a container in Hyper-V isolation; the same container without a credential spec starts"
		f.Help = []diag.Help{{Text: "use process isolation on a server, or a host of build 14393 or from 17763 on", Command: "docker run --isolation=process …"}}
		if e.end == windows.NoCredential {
			f.Because = "containerd hands credentials to containers from build 17763.1817 on in process isolation and from 19041 on in Hyper-V isolation"
			f.Help = []diag.Help{{Text: "update the host: KB5000822 on Windows Server 2019, or a later release"}}
		}
	case windows.UserRefused:
		f.Code = diag.UserRefused
		f.Facts = append(f.Facts, diag.Fact{Name: "user", Value: e.user.Name})
		f.Because = "images before build 16299 cannot start a process as NETWORK SERVICE or SYSTEM"
		f.Help = []diag.Help{{Text: "let a service or an application pool of the container run as this user, or take an image of 1709 or later"}}
	default:
		return nil
	}
	return f
}

func (d *Domain) findSpec(s *stepError, e *specError) *diag.Finding {
	f := &diag.Finding{
		Code:    diag.CredentialSpecMissing,
		Facts:   []diag.Fact{{Name: "option", Value: "credentialspec=" + e.reference}, {Name: "folder", Value: specFolder}},
		SeenAs:  []string{e.text},
		Because: "the engine reads the file when it creates the container, by a flat name below this folder of this host",
		Help:    []diag.Help{{Text: "look what the file is called here, or make it", Command: "Get-CredentialSpec; New-CredentialSpec -AccountName …"}},
	}
	if h, ok := d.FindHost(s.logon.st.name); ok {
		names := h.CredentialSpecs()
		f.Facts = append(f.Facts, diag.Fact{Name: "files", Value: strings.Join(names, ", ")})
		if near := diag.Nearest(e.file, names); near != "" && e.file != "" && !strings.EqualFold(near, e.file) {
			f.Nearest = []diag.Near{{Wanted: e.file, Closest: near}}
		}
	}
	return f
}

func findLogin(e *loginError) *diag.Finding {
	f := &diag.Finding{
		Code:    diag.LoginMissing,
		Facts:   []diag.Fact{{Name: "account", Value: e.login}, {Name: "logins", Value: strings.Join(e.known, ", ")}},
		SeenAs:  []string{e.Error()},
		Because: "the server has authenticated the account and has no login for it",
		Help:    []diag.Help{{Text: "create a login for the service account, with its domain and the final $", Command: "CREATE LOGIN [" + e.login + "] FROM WINDOWS"}},
	}
	if near := diag.Nearest(e.login, e.known); near != "" {
		f.Nearest = []diag.Near{{Wanted: e.login, Closest: near}}
	}
	return f
}

func findIdentity(e *identityError) *diag.Finding {
	return &diag.Finding{
		Code:    diag.WrongAppUser,
		Facts:   []diag.Fact{{Name: "user", Value: e.user.Name}, {Name: "image build", Value: e.image.Build.String()}},
		SeenAs:  []string{seenAnonymous, seenNoPackage},
		Because: "the service account stands in for the computer account of the container, which SYSTEM and NETWORK SERVICE use on the network and other users do not",
		Help: []diag.Help{{Text: "let the application run as NETWORK SERVICE or SYSTEM",
			Command: `sc.exe config SERVICE obj= "NT AUTHORITY\NETWORK SERVICE" password= ""; for IIS: appcmd set AppPool DefaultAppPool -processModel.identityType:NetworkService`}},
	}
}

func (d *Domain) findChannel(s *stepError, e *channelError) *diag.Finding {
	own := strings.TrimSuffix(s.logon.account, "$")
	facts := []diag.Fact{{Name: "status", Value: e.status.String()}, {Name: "account", Value: e.account}, {Name: "computer name", Value: e.computer}}
	dc := e.dc
	if dc == nil {
		dc = s.logon.st.firstDC()
	}
	facts = append(facts, diag.Fact{Name: "DC", Value: dc.name})
	switch {
	case e.cause == errDisplaced:
		return &diag.Finding{Code: diag.ChannelDisplaced, Facts: facts, SeenAs: []string{seenTrust, "nltest /sc_verify: 5 0x5 ERROR_ACCESS_DENIED"},
			Because: "a DC keeps one session for each computer name, and another container with the same host name has set up its own since",
			Help: []diag.Help{{Text: "give each container a host name of its own, or none (from Windows Server 2019 on); before, one container for each service account"},
				{Text: "until then, set the channel up anew, which cuts the other container off", Command: "nltest /sc_reset:" + d.DNSName()}}}
	case e.status == StatusNoTrustSAMAccount && !sameAccount(e.account, own):
		return &diag.Finding{Code: diag.HostnameDiffers, Facts: append(facts, diag.Fact{Name: "service account", Value: own + "$"}),
			SeenAs:  []string{seenTrust, seenNetlogon5720, "nltest /sc_verify: 1787 0x6fb ERROR_NO_TRUST_SAM_ACCOUNT"},
			Because: "before build 17763 Netlogon in a container goes by the host name, and the domain has no such computer; Kerberos goes by the service account and works",
			Help: []diag.Help{{Text: "start the container under the name of the account", Command: "docker run --hostname " + strings.ToLower(own) + " …"},
				{Text: "or take Windows Server 2019 or later"}}}
	}
	a, err := dc.replica.AccountByName(directory.Principal, e.account)
	switch {
	case err != nil:
		return d.findNoSuchName(strings.TrimSuffix(e.account, "$"), dc)
	case a.Disabled:
		return d.findUnusable(a.SAMAccountName, dc, krbErrClientRevoked)
	case a.UserAccountControl&uacWorkstationTrust == 0:
		return &diag.Finding{Code: diag.MachineFlagLost, Facts: append(facts, diag.Fact{Name: "userAccountControl", Value: fmt.Sprintf("%d, without 4096", a.UserAccountControl)}),
			SeenAs:  []string{"nltest: 1787 0x6fb ERROR_NO_TRUST_SAM_ACCOUNT", "Some or all identity references could not be translated."},
			Because: "a DC gives a secure channel to accounts with WORKSTATION_TRUST_ACCOUNT only; tools that set delegation as for a user take the flag away",
			Help: []diag.Help{{Text: "put the flag back",
				Command: fmt.Sprintf("Set-ADObject (Get-ADServiceAccount %s) -Replace @{userAccountControl=4096}", own)}}}
	case e.status == StatusAccessDenied && !sameAccount(e.account, own):
		return &diag.Finding{Code: diag.HostnameDiffers, Facts: append(facts, diag.Fact{Name: "service account", Value: own + "$"}), SeenAs: []string{seenTrust},
			Because: "before build 17763 Netlogon in a container goes by the host name, and that is another computer's, whose password the container does not have",
			Help:    []diag.Help{{Text: "start the container under the name of the account", Command: "docker run --hostname " + strings.ToLower(own) + " …"}}}
	case e.status == StatusAccessDenied:
		return &diag.Finding{Code: diag.BadCredentials, Facts: append(facts, d.passwordFacts(e.account, dc)...), SeenAs: []string{seenTrust},
			Because: "the DC has another password of the account than the container"}
	}
	return nil
}
