package simulator

import (
	"errors"

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
		f := d.findChannel(s, e)
		if f != nil && f.Code == diag.HostnameDiffers && d.hasPolicy(PolicyAnonymousNames) {
			f.Mode = "sid-anonymous-policy"
			f.Facts = append(f.Facts, diag.Fact{Name: "policy", Value: "Allow anonymous SID/Name translation, which hides it from those who ask for names"})
		}
		return f
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
