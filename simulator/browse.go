package simulator

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// spnCacheTimeout is how long a client remembers that nobody had a name (SpnCacheTimeout, Kerberos registry entries of Windows: 15 minutes).
const spnCacheTimeout = 15 * time.Minute

// negativeError: the client does not ask, because nobody had the name when it asked last.
type negativeError struct{ until time.Time }

func (e *negativeError) Error() string {
	return "the client remembers until " + e.until.UTC().Format(timeForm) + " that nobody has the name"
}

func (e *negativeError) finding(d *Domain, s *stepError) *diag.Finding {
	dc := s.logon.st.firstDC()
	if _, err := dc.replica.AccountBySPN(s.server); err != nil {
		return d.findSPN(s, dc) // nobody has it now either
	}
	return &diag.Finding{
		Code: diag.NegativeCache, Mode: "spn-klist-negative-cache",
		Facts:   []diag.Fact{{Name: "name", Value: s.server}, {Name: "session", Value: s.logon.account + " on " + s.logon.st.name}, {Name: "remembered until", Value: e.until.UTC().Format(timeForm)}},
		SeenAs:  []string{seenSPNUnknown},
		Because: "a client keeps the refusal for a quarter of an hour, so that it does not ask for each connection, and the name has been registered since",
		Help: []diag.Help{{Text: "remove the tickets of the session, and with them what it remembers", Command: "klist purge", Sure: true,
			Do: []string{flowStep("purgeTickets", arg{"host", s.logon.st.name}, arg{"user", s.logon.account})}},
			{Text: "or wait a quarter of an hour", Do: []string{flowStep("advance", arg{"", spnCacheTimeout.String()})}}},
	}
}

// addressError: a client does not ask for a ticket to an address, and nothing else is allowed.
type addressError struct {
	address string
	r       *Running
	scheme  string
}

func (e *addressError) Error() string {
	return e.address + " is an address, for which no ticket is asked"
}

func (e *addressError) finding(d *Domain, s *stepError) *diag.Finding {
	f := d.findSPNMissing(&stepError{step: stepTicket, logon: s.logon, server: "http/" + e.address, err: e}, "http/"+e.address, s.logon.st.firstDC())
	f.SeenAs = []string{"401, WWW-Authenticate: Negotiate"}
	f.Help = []diag.Help{{Text: "use the name of the service instead of its address"}}
	for _, r := range d.registeredSPNs(s.logon.st.firstDC()) {
		name := parseSPN(r.spn)
		if sameAccount(r.owner, e.r.serviceAccount()) && (strings.EqualFold(name.class, "host") || strings.EqualFold(name.class, "http")) {
			site := e.scheme + "://" + strings.ToLower(name.host)
			f.Help[0].Command, f.Help[0].Do = site, []string{flowStep("with", arg{"url", site})}
			break
		}
	}
	return f
}

// ntlmBlockedError: a policy keeps NTLM from being used (STATUS_NTLM_BLOCKED, 0xC0000418).
type ntlmBlockedError struct{ kerberos error } // why there is no ticket, nil when nobody asked for one

func (e *ntlmBlockedError) Error() string { return "0xC0000418 STATUS_NTLM_BLOCKED" }

func (e *ntlmBlockedError) finding(d *Domain, _ *stepError) *diag.Finding {
	f := &diag.Finding{
		Code: diag.NTLMBlocked, Mode: "ntlm-disabled",
		Facts:   []diag.Fact{{Name: "policy", Value: "Restrict NTLM: NTLM authentication in this domain"}},
		SeenAs:  []string{e.Error(), "Event 8004, NTLM, on the DC"},
		Because: "the domain passes no NTLM sign-in on, so that every fault of Kerberos that NTLM has hidden comes to light",
	}
	if e.kerberos != nil {
		if inner := d.diagnose(e.kerberos); inner != nil {
			f.Facts = append(f.Facts, inner.Facts...)
			f.Help, f.Nearest = inner.Help, inner.Nearest
		}
	}
	f.Help = append(f.Help, diag.Help{Text: "or allow NTLM until Kerberos works", Command: `Set-ItemProperty "HKLM:\SYSTEM\CurrentControlSet\Control\Lsa\MSV1_0" -Name RestrictSendingNTLMTraffic -Value 0`, Do: []string{setsPolicy(PolicyDenyNTLM, false)}})
	return f
}

// localAccountError: a DC is asked about an account of the client's own computer.
type localAccountError struct{ user string }

func (e *localAccountError) Error() string { return e.user + ": " + StatusLogonFailure.String() }

func (e *localAccountError) finding(*Domain, *stepError) *diag.Finding {
	return &diag.Finding{
		Code: diag.BadCredentials, Mode: "ntlm-local-account-only",
		Facts:   []diag.Fact{{Name: "user", Value: e.user}},
		SeenAs:  []string{StatusLogonFailure.String()},
		Because: "the service passes the sign-in on to its DC, and the DC does not know accounts of single computers",
		Help:    []diag.Help{{Text: "test with a user of the domain", Do: []string{flowStep("with", arg{"from", "Administrator"})}}},
	}
}

// Visit is what came of opening an address in a browser.
type Visit struct {
	// Protocol is Kerberos or NTLM.
	Protocol string
	// Client is who the service takes the visitor for.
	Client string
}

// Site is how a web server signs its visitors in.
type Site struct {
	// KerberosOnly is the provider Negotiate:Kerberos: there is no way round Kerberos.
	KerberosOnly bool
}

// Browse opens a URL of the container's service as a user of the domain at a computer of its own, or with COMPUTER\name as an account of that
// computer. The browser asks for a ticket to http/HOST, without a port, and takes NTLM when nobody has the name or when there is none to ask for.
func (d *Domain) Browse(from, address string, r *Running, site Site) (Visit, error) {
	if domain, _, qualified := strings.Cut(from, `\`); qualified && d.forest.Domain(domain) == nil {
		l := &logon{st: &station{d: d, name: domain, dom: d.root()}, account: from}
		status := r.ask("NTLM sign-in of "+from, func(dc *DC) Status { return dc.logonNetwork(d.ctx, from, domain, credential8{}, nil, nil) })
		if _, refused := status.(*lookupError); refused {
			status = &localAccountError{from}
		}
		return Visit{}, d.explain(&stepError{step: stepLookup, logon: l, account: from, err: status})
	}
	from = from[strings.LastIndexByte(from, '\\')+1:]
	d.mu.Lock()
	password, ok := d.knownPasswordLocked(from)
	d.mu.Unlock()
	if !ok {
		return Visit{}, fmt.Errorf("no password of a user %q is known", from)
	}
	return d.browse(d.userLogon(from, password), address, r, site)
}

// Browse is [Domain.Browse] as the signed-in user, whose tickets are kept.
func (s *Session) Browse(address string, r *Running, site Site) (Visit, error) {
	return s.d.browse(s.logon, address, r, site)
}

func (d *Domain) browse(l *logon, address string, r *Running, site Site) (Visit, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return Visit{}, fmt.Errorf("%q is not an address such as http://webapp01.contoso.com", address)
	}
	d.event(Event{Op: opHost, From: l.st.name, Text: l.account + " opens " + address})
	var noTicket error
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		noTicket = &stepError{step: stepTicket, logon: l, err: &addressError{u.Hostname(), r, u.Scheme}}
		if site.KerberosOnly || d.hasPolicy(PolicyDenyNTLM) {
			return Visit{}, d.explain(noTicket)
		}
	} else {
		cred, err := l.ticketFor(withService(d.ctx, r.serviceAccount()), "http/"+u.Hostname())
		switch {
		case err == nil:
			t := cred.ticket()
			return Visit{"Kerberos", t.Client}, r.Accept(&t)
		case !nobodyHasName(err) || site.KerberosOnly:
			return Visit{}, d.explain(err)
		}
		noTicket = err
	}
	if d.hasPolicy(PolicyDenyNTLM) {
		return Visit{}, d.explain(&stepError{step: stepLookup, logon: l, account: l.account, err: &ntlmBlockedError{noTicket}})
	}
	return Visit{"NTLM", l.st.dom.NetBIOSName + `\` + l.account}, r.InboundNTLM(l.account)
}

// kernelModeError: the ticket is for the account of the application pool, and the kernel opened it with that of the computer.
type kernelModeError struct {
	r     *Running
	pool  string
	cause error
}

func (e *kernelModeError) Error() string { return e.cause.Error() }

func (e *kernelModeError) finding(d *Domain, s *stepError) *diag.Finding {
	f := d.findOldKey(s)
	spn, _, _ := strings.Cut(s.server, "@")
	if owner, err := e.r.st.firstDC().replica.AccountBySPN(spn); err != nil || !sameAccount(owner.SAMAccountName, e.pool) {
		return f
	}
	f.Mode = "spn-iis-useAppPoolCredentials"
	f.Facts = append(f.Facts, diag.Fact{Name: "application pool", Value: e.pool})
	f.Because = "with kernel-mode authentication HTTP.sys opens tickets with the key of the computer account, which here is the service account of the container"
	f.Help = []diag.Help{{Text: "let IIS open tickets with the key of the application pool",
		Command: "appcmd set config -section:system.webServer/security/authentication/windowsAuthentication -useAppPoolCredentials:true",
		Do:      []string{flowStep("rerunContainer", arg{"container", e.r.shortID()}, arg{"useAppPoolCredentials", true})}}}
	return f
}

// lookupPolicyError: the endpoint mapper of the DC wants the client to authenticate, which the container cannot do from within IIS.
type lookupPolicyError struct{ r *Running }

func (e *lookupPolicyError) Error() string { return StatusTrustFailure.String() }

func (e *lookupPolicyError) finding(*Domain, *stepError) *diag.Finding {
	return &diag.Finding{
		Code: diag.LookupPolicy, Mode: "sid-rpc-epmap-policy",
		Facts:   []diag.Fact{{Name: "policy", Value: "Enable RPC Endpoint Mapper Client Authentication (EnableAuthEpResolution = 1)"}, {Name: "container", Value: e.r.shortID()}},
		SeenAs:  []string{seenTrust},
		Because: "with the policy a client authenticates to the endpoint mapper first, and a web application in a container cannot; the channel itself is sound",
		Help: []diag.Help{{Text: "take the policy from containers", Command: `reg delete "HKLM\Software\Policies\Microsoft\Windows NT\Rpc" /v EnableAuthEpResolution`,
			Do: []string{flowStep("rerunContainer", arg{"container", e.r.shortID()}, arg{"authEpResolution", false})}}},
	}
}

// translateAnonymously asks a DC for a name without a secure channel, where the policy for it is in force.
func (r *Running) translateAnonymously(call func(*DC) Status) bool {
	if r.spec == nil || !r.h.d.hasPolicy(PolicyAnonymousNames) {
		return false
	}
	dc, err := r.locatedDC(r.h.d.ctx, r.spec.DomainJoinConfig.DNSName)
	return err == nil && call(dc) == StatusSuccess
}

// nobodyHasName tells that the KDC, or the client's memory of it, has no account for a name.
func nobodyHasName(err error) bool {
	if _, remembered := errors.AsType[*negativeError](err); remembered {
		return true
	}
	e := asKRBError(err)
	return e != nil && e.code == krbErrSPrincipalUnknown
}
