package simulator

import (
	"errors"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
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
	if f := findOutdated(s); f != nil {
		return f
	}
	if e, ok := errors.AsType[*specError](s.err); ok {
		return d.findSpec(s, e)
	}
	if e, ok := errors.AsType[*loginError](s.err); ok {
		return findLogin(e)
	}
	if e, ok := errors.AsType[*identityError](s.err); ok {
		f := findIdentity(e)
		s.logon.st.container.ofPrompt(e, f)
		return f
	}
	if errors.Is(s.err, errNoSpec) {
		return findNoSpec(s.logon.st.container)
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
