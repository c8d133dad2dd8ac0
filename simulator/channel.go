package simulator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// channel is the secure channel of a container as its Netlogon keeps it.
type channel struct {
	dc      *DC
	session *channelSession // nil: there is none
	since   time.Time       // when the session was set up
	clock   uint32          // timestamps of authenticators, which only have to differ
	status  Status          // last known
	cause   error           // of that status
}

// channelError: the secure channel does not come about or does not carry a call.
type channelError struct {
	status   Status
	dc       *DC
	account  string // sAMAccountName that Netlogon goes by
	computer string // name under which the DC keeps the session
	cause    error
}

func (e *channelError) Error() string {
	s := "secure channel: " + e.status.String()
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

func (e *channelError) Unwrap() error { return e.cause }

// names are the account that Netlogon in the container goes by, and the computer name under which a DC keeps its session.
func (r *Running) names() (account, computer string) {
	n := windows.NetworkName(r.build(windows.P9), r.Hostname(), r.account())
	computer = windows.ChannelName(windows.Channel{ID: r.shortID(), Hostname: r.cfg.Hostname, Image: r.build(windows.P5)}, r.profiles.Concurrency)
	return n.Netlogon + "$", computer
}

// setUpLocked sets up the secure channel with the first DC that answers: its locator, the endpoint mapper, a challenge, and the proof of the
// password ([MS-NRPC] 3.4.5.2).
func (r *Running) setUpLocked(ctx context.Context) error {
	ch := &r.channel
	ch.session, ch.dc = nil, nil
	account, computer := r.names()
	fail := func(status Status, dc *DC, cause error) error {
		ch.status, ch.dc, ch.cause = status, dc, cause
		r.logFailure(status, dc, computer)
		return &channelError{status, dc, account, computer, cause}
	}
	pw, err := r.password(ctx, r.account(), false)
	if err != nil {
		return fail(StatusNoTrustLSASecret, nil, err)
	}
	status, dc, err := r.authenticateLocked(ctx, account, computer, pw)
	if status == StatusAccessDenied {
		// The password may have changed since the host read it.
		if pw, err := r.password(ctx, r.account(), true); err == nil {
			status, dc, _ = r.authenticateLocked(ctx, account, computer, pw)
		}
	}
	if status != StatusSuccess {
		return fail(status, dc, err)
	}
	ch.status, ch.cause = StatusSuccess, nil
	return nil
}

func (r *Running) authenticateLocked(ctx context.Context, account, computer string, pw *ManagedPassword) (status Status, answered *DC, err error) {
	d := r.h.d
	hash := kds.NTHash(pw.inUse(r.st.now()))
	var noEndpoint, noPing []attempt
	silent := false // a DC that is there did not answer the ping
	err = r.st.each(ctx, r.spec.DomainJoinConfig.DNSName, "Netlogon", portRPC, func(dc *DC) (string, error) {
		if why := r.st.reach(dc, portLDAP); why != "" { // the locator pings before it takes a DC ([MS-ADTS] 6.3.3)
			noPing = append(noPing, attempt{dc.name, why})
			return why, nil
		}
		if why := r.st.reach(dc, portNetlogon); why != "" {
			noEndpoint = append(noEndpoint, attempt{dc.name, why})
			return why, nil
		}
		if _, hit := d.strike(Netlogon, r.st.name, dc.name, "NetrServerAuthenticate3 "+computer+" as "+account); hit {
			return "does not answer", nil
		}
		if why := r.pingedBy(dc); why != "" {
			silent = true
			return why, nil
		}
		var client, server credential8
		for _, c := range []*credential8{&client, &server} {
			if _, err := d.rand.Read(c[:]); err != nil {
				return "", err
			}
		}
		key := channelKey(hash[:], client, server)
		_, status = dc.authenticate(ctx, account, computer, client, server, seal(key, client))
		answered = dc
		d.event(Event{Op: Netlogon, From: r.st.name, To: dc.name, Text: fmt.Sprintf("NetrServerAuthenticate3 %s as %s", account, computer),
			Result: okOr(status), Code: int(status)})
		if status == StatusSuccess {
			r.channel.dc, r.channel.session, r.channel.since = dc, &channelSession{account: account, key: key, seed: client}, r.st.now()
		}
		return "", nil
	})
	switch {
	case err == nil:
		return status, answered, nil
	case silent:
		return StatusNoLogonServers, nil, errForeignGUID
	case len(noEndpoint) > 0: // the endpoint mapper has answered
		return StatusServerUnavailable, nil, &unreachableError{&r.st, "Netlogon", portNetlogon, noEndpoint}
	case len(noPing) > 0:
		return StatusNoLogonServers, nil, &unreachableError{&r.st, "LDAP", portLDAP, noPing}
	}
	return StatusNoLogonServers, nil, err
}

// logFailure is what Netlogon writes to the container's System log when it has no channel (message table of Netlogon).
func (r *Running) logFailure(status Status, dc *DC, computer string) {
	e := Event{Op: opEventLog, From: r.st.name, Text: "System, NETLOGON 5719", Result: "Error",
		Detail: fmt.Sprintf("This computer was not able to set up a secure session with a domain controller in domain %s due to the following: %s", r.spec.DomainJoinConfig.NetBIOSName, status)}
	if status == StatusNoTrustSAMAccount {
		e.Text = "System, NETLOGON 5720"
		e.Detail = fmt.Sprintf(`The session setup to the Windows Domain Controller \\%s for the domain %s failed because the computer %s does not have a local security database account.`,
			dc.DNSName(), r.spec.DomainJoinConfig.NetBIOSName, computer)
	}
	r.h.d.event(e)
}

func okOr(s Status) string {
	if s == StatusSuccess {
		return "ok"
	}
	return s.String()
}

// withChannel makes sure of a secure channel and runs a call over it; call may be nil. A DC that does not answer any more is left for
// another. When the DC has another session under the computer's name, the call is denied and the channel is given up, so that the
// next call sets it up anew.
func (r *Running) withChannel(ctx context.Context, call func(*DC) error) error {
	if err := r.runs(); err != nil {
		return err
	}
	if r.spec == nil {
		return errNoSpec
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	ch := &r.channel
	if ch.session != nil && (r.st.reach(ch.dc, portRPC) != "" || r.st.reach(ch.dc, portNetlogon) != "") {
		ch.session = nil
	}
	if ch.session == nil {
		if err := r.setUpLocked(ctx); err != nil {
			return err
		}
	}
	if call == nil {
		return nil
	}
	account, computer := r.names()
	if r.channelAged() {
		ch.status, ch.cause = StatusTrustFailure, errAged
		return &channelError{StatusTrustFailure, ch.dc, account, computer, errAged}
	}
	// guess: a call over a session that another container has replaced ends with ERROR_ACCESS_DENIED, and the call after it begins a new session
	r.h.d.await(Netlogon, r.st.name)
	ch.clock++
	if dc := ch.dc; !dc.admits(computer, ch.clock, ch.session.step(ch.clock)) {
		ch.session, ch.status, ch.cause = nil, StatusAccessDenied, errDisplaced
		r.h.d.event(Event{Op: Netlogon, From: r.st.name, To: dc.name, Text: "a call over the channel of " + computer, Result: okOr(StatusAccessDenied), Code: int(StatusAccessDenied)})
		return &channelError{StatusAccessDenied, dc, account, computer, errDisplaced}
	}
	return call(ch.dc)
}

// reset gives the channel up and sets it up anew.
func (r *Running) reset(ctx context.Context) error {
	if r.spec == nil {
		return errNoSpec
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.setUpLocked(ctx)
}

// OpenChannel is what Netlogon does when it starts: it sets up the secure channel, and gives up the one that it has.
func (r *Running) OpenChannel() error {
	err := r.runs()
	if err == nil {
		err = r.reset(r.h.d.ctx)
	}
	if err == nil {
		return nil
	}
	return r.h.d.explain(&stepError{step: stepLookup, logon: r.asLogon(), err: err})
}

// UseChannel is a call over the secure channel, which is set up when there is none: the service account's name becomes a SID.
func (r *Running) UseChannel() error {
	if r.spec == nil {
		return r.OpenChannel() // says why there is none
	}
	_, err := r.TranslateName(r.spec.DomainJoinConfig.NetBIOSName + `\` + r.account() + "$")
	return err
}

// errDisplaced: the DC has a session of another client under the computer's name.
var errDisplaced = fmt.Errorf("the session on the domain controller has another key")

// InboundNTLM lets a user sign in to the container's service with NTLM, as clients do that reach it by an address or a name without a
// service principal name. The container gives a challenge and passes the response on to its DC ([MS-NLMP] 3.3.2, [MS-APDS] 3.1.5).
func (r *Running) InboundNTLM(user string) error {
	d := r.h.d
	d.mu.Lock()
	password, ok := d.knownPasswordLocked(user)
	d.mu.Unlock()
	if !ok {
		return fmt.Errorf("no password of a user %q is known", user)
	}
	var challenge credential8
	blob := make([]byte, 8)
	for _, b := range [][]byte{challenge[:], blob} {
		if _, err := d.rand.Read(b); err != nil {
			return err
		}
	}
	if r.spec == nil {
		return d.explain(&stepError{step: stepLookup, logon: r.asLogon(), err: errNoSpec})
	}
	if d.hasPolicy(PolicyDenyNTLM) {
		return d.explain(&stepError{step: stepLookup, logon: r.asLogon(), account: user, err: &ntlmBlockedError{}})
	}
	hash := kds.NTHash(utf16LE(password))
	domain := r.spec.DomainJoinConfig.NetBIOSName
	proof := ntlmv2Proof(ntlmv2Key(hash[:], user, domain), challenge, blob)
	return r.over("NTLM sign-in of "+user, user, func(dc *DC) Status { return dc.logonNetwork(d.ctx, user, domain, challenge, proof, blob) })
}

// TranslateSID asks for the name of a SID, as NTAccount.Translate and the role providers of ASP.NET do.
func (r *Running) TranslateSID(sid string) (name string, err error) {
	parsed, err := security.ParseSID(sid)
	if err != nil {
		return "", err
	}
	err = r.translate("name of "+sid, sid, func(dc *DC) (status Status) {
		name, status = dc.lookupSID(parsed)
		return status
	})
	return name, err
}

// TranslateName asks for the SID of an account or group, with or without the domain.
func (r *Running) TranslateName(name string) (sid string, err error) {
	err = r.translate("SID of "+name, name, func(dc *DC) (status Status) {
		sid, status = dc.lookupName(name)
		return status
	})
	return sid, err
}

// lookupError: the DC's answer over a good channel is a refusal.
type lookupError struct {
	what   string
	status Status
}

func (e *lookupError) Error() string { return e.what + ": " + e.status.String() }

func (r *Running) over(text, about string, call func(*DC) Status) error {
	return r.overWith(text, about, func(dc *DC) error { return r.called(text, dc, call) })
}

// called makes a call to a DC and turns its refusal into an error.
func (r *Running) called(text string, dc *DC, call func(*DC) Status) error {
	status := call(dc)
	r.h.d.event(Event{Op: Netlogon, From: r.st.name, To: dc.name, Text: text, Result: okOr(status), Code: int(status)})
	if status != StatusSuccess {
		return &lookupError{text, status}
	}
	return nil
}

func (r *Running) overWith(text, about string, call func(*DC) error) error {
	return r.about(about, r.withChannel(r.h.d.ctx, call))
}

// ask makes a call over the secure channel.
func (r *Running) ask(text string, call func(*DC) Status) error {
	return r.withChannel(r.h.d.ctx, func(dc *DC) error { return r.called(text, dc, call) })
}

func (r *Running) about(about string, err error) error {
	if err == nil {
		return nil
	}
	return r.h.d.explain(&stepError{step: stepLookup, logon: r.asLogon(), account: about, err: err})
}

// translate is over for names and SIDs, which the container holds against the SID of its own domain. One policy breaks it, and another lets
// DCs answer without a channel.
func (r *Running) translate(text, about string, call func(*DC) Status) error {
	if r.cfg.AuthEpResolution && r.spec != nil {
		return r.about(about, &lookupPolicyError{r})
	}
	err := r.withChannel(r.h.d.ctx, func(dc *DC) error {
		if !r.trusts(dc) {
			account, computer := r.names()
			return &channelError{StatusNoneMapped, dc, account, computer, errForeignSID}
		}
		return r.called(text, dc, call)
	})
	if e, ok := errors.AsType[*channelError](err); ok && e.cause != errForeignSID && r.translateAnonymously(call) {
		return nil
	}
	return r.about(about, err)
}

// asLogon stands for the container in an error.
func (r *Running) asLogon() *logon {
	l := &logon{st: &r.st}
	if r.spec != nil {
		l.account = r.account() + "$"
	}
	return l
}
