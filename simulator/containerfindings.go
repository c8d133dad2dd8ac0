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
