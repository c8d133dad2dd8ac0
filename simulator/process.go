package simulator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/simulator/windows"
)

// Process is a program in a container. What it sees of the domain depends on the user that it runs as. An observer returns what the
// command prints, and an error when it says that something is wrong; the error wraps a [diag.Finding] when the cause is known.
type Process struct {
	c    *Running
	user windows.User
	exec bool // started by docker exec --user
}

// Exec is docker exec --user. Before build 16299 nobody can be NETWORK SERVICE or SYSTEM.
func (r *Running) Exec(user string) (*Process, error) {
	u, err := windows.ParseUser(user)
	if err != nil {
		return nil, err
	}
	if err := r.runs(); err != nil {
		return nil, err
	}
	if u.Kind == windows.ImageDefault {
		u = windows.DefaultUser(r.image.Flavour)
	}
	if !windows.UserSwitchAllowed(r.build(windows.P6), u) {
		e := &startError{end: windows.UserRefused, r: r, user: u, exec: true}
		return nil, r.h.d.explain(&stepError{step: stepRun, logon: r.asLogon(), err: e})
	}
	return &Process{c: r, user: u, exec: true}, nil
}

// App is the process that does the work: the service or application pool, or what the container was started with.
func (r *Running) App() *Process {
	if u := r.appUser(); u.Kind != windows.ImageDefault {
		return &Process{c: r, user: u}
	}
	return r.Process
}

// User is the account that the process runs as, in the form that Windows prints.
func (p *Process) User() string { return p.user.Name }

// identity is the account that the process is on the network.
func (p *Process) identity() (string, error) {
	r := p.c
	if err := r.runs(); err != nil {
		return "", err
	}
	if r.spec == nil {
		return "", errNoSpec
	}
	account := windows.IdentityOf(p.user, r.build(windows.P7), r.profiles.Identity, r.account(), r.spec.additional())
	if p.user.Kind == windows.DomainAccount && account != "" {
		if err := r.mayRunAs(p.user, account); err != nil {
			return "", err
		}
	}
	switch {
	case account == "":
		return "", &identityError{p, p.user, r.image}
	case sameAccount(account, r.account()):
		return r.account(), nil
	}
	return account, nil
}

// ticketFor gets a ticket as the process; spn krbtgt is the ticket-granting ticket.
func (p *Process) ticketFor(ctx context.Context, spn string) (*credential, error) {
	account, err := p.identity()
	if err != nil {
		return nil, err
	}
	l, err := p.c.logon(ctx, account)
	if err != nil {
		return nil, err
	}
	if service, _, _ := strings.Cut(spn, "/"); strings.EqualFold(service, "krbtgt") {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.tgt, nil
	}
	return l.ticketFor(ctx, spn)
}

// explain puts the step on an error that has none.
func (p *Process) explain(err error, about string) error {
	if err == nil {
		return nil
	}
	if _, has := errors.AsType[*stepError](err); !has || isNoPassword(err) {
		err = &stepError{step: stepProcess, logon: p.c.asLogon(), server: about, err: err}
	}
	return p.c.h.d.explain(err)
}

func isNoPassword(err error) bool {
	_, ok := errors.AsType[*noPasswordError](err)
	return ok
}

// KerberosTo gets a ticket for a service as the process.
func (p *Process) KerberosTo(spn string) (*Ticket, error) {
	cred, err := p.ticketFor(p.c.h.d.ctx, spn)
	if err != nil {
		return nil, p.explain(err, spn)
	}
	t := cred.ticket()
	return &t, nil
}

// Accept takes a client's ticket for the container's service. The process that does the work has to be the account whose key opens it,
// and the container has to hold the password; it needs no DC for that.
func (r *Running) Accept(t *Ticket) error {
	p := r.App()
	account, err := p.identity()
	pool := account
	if r.cfg.KernelModeAuth && !r.cfg.UseAppPoolCredentials && r.spec != nil {
		account, err = r.account(), r.runs()
	}
	if err == nil {
		err = r.serviceError()
	}
	if err == nil {
		var pw *ManagedPassword
		if pw, err = r.password(r.h.d.ctx, account, false); err == nil {
			err = r.h.d.accept(&r.st, account+"$", r.h.d.managedKeys(r.st.dom, account, pw.both()), t)
		}
	}
	if step, ok := errors.AsType[*stepError](err); ok && step.step == stepAccept && pool != "" && !sameAccount(pool, account) {
		step.err = &kernelModeError{r, pool, step.err}
	}
	return p.explain(err, t.Server)
}

// InboundKerberos lets a host, user or service account sign in to the container's service by a service principal name.
func (r *Running) InboundKerberos(from, spn string) error {
	t, err := r.h.d.KerberosTo(withService(r.h.d.ctx, r.serviceAccount()), from, spn)
	if err != nil {
		r.ofHostname(err, spn)
		return err
	}
	return r.Accept(t)
}

// serviceAccount is the sAMAccountName of the account that the container's service is on the network, "" for none.
func (r *Running) serviceAccount() string {
	account, err := r.App().identity()
	if err != nil {
		return ""
	}
	return account + "$"
}

// Klist is klist: the tickets of the process's session.
func (p *Process) Klist() (string, error) {
	if err := p.c.runs(); err != nil {
		return "", err
	}
	if !p.has(windows.Klist) {
		return notRecognized("klist"), p.lacks(windows.Klist)
	}
	return p.logonLine() + p.cached(), nil
}

// KlistGet is klist get: a ticket for a service, or with krbtgt the ticket-granting ticket.
func (p *Process) KlistGet(spn string) (string, error) {
	if !p.has(windows.Klist) {
		return notRecognized("klist"), p.lacks(windows.Klist)
	}
	_, err := p.ticketFor(p.c.h.d.ctx, spn)
	switch {
	case errors.Is(err, errStopped):
		return "", err
	case err != nil:
		return p.logonLine() + klistFailure(err), p.explain(err, spn)
	}
	return p.logonLine() + fmt.Sprintf("A ticket to %s has been retrieved successfully.\n", spn) + p.cached(), nil
}

// KlistPurge is klist purge.
func (p *Process) KlistPurge() (string, error) {
	if err := p.c.runs(); err != nil {
		return "", err
	}
	if !p.has(windows.Klist) {
		return notRecognized("klist"), p.lacks(windows.Klist)
	}
	if l := p.session(); l != nil {
		l.purge()
	}
	return p.logonLine() + "\tDeleting all tickets:\n\tTicket(s) purged!\n", nil
}

// session is the session of the process; nil when it has none yet.
func (p *Process) session() *logon {
	account, err := p.identity()
	if err != nil {
		return nil
	}
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	return p.c.sessions[strings.ToLower(account)]
}

// logonLine is how klist begins. SYSTEM, NETWORK SERVICE and LOCAL SERVICE have the same sessions everywhere ([MS-DTYP], LUIDs of ntifs.h).
func (p *Process) logonLine() string {
	id := "0x" + strings.TrimLeft(p.c.id[:7], "0")
	switch p.user.Kind {
	case windows.System:
		id = "0x3e7"
	case windows.NetworkService:
		id = "0x3e4"
	case windows.LocalService:
		id = "0x3e5"
	}
	return "\nCurrent LogonId is 0:" + id + "\n"
}

// cached lists the tickets as klist does.
func (p *Process) cached() string {
	var tickets []Ticket
	if l := p.session(); l != nil {
		tickets = l.list()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nCached Tickets: (%d)\n", len(tickets))
	for i, t := range tickets {
		b.WriteString("\n")
		primary := "0"
		if strings.HasPrefix(t.Server, "krbtgt/") {
			primary = "0x1 -> PRIMARY"
		}
		kdc := t.DC
		if dc, ok := p.c.h.d.FindDC(t.DC); ok {
			kdc = dc.DNSName()
		}
		const local = "1/2/2006 15:04:05 (local)"
		fmt.Fprintf(&b, "#%d>     Client: %s\n", i, at(t.Client))
		for _, line := range []string{
			"Server: " + at(t.Server),
			"KerbTicket Encryption Type: " + etypeWindowsName(t.cred.etype),
			"Ticket Flags " + ticketFlags(t.Flags),
			"Start Time: " + t.StartTime.UTC().Format(local),
			"End Time:   " + t.EndTime.UTC().Format(local),
			"Renew Time: " + renewTime(t.RenewTill, local),
			"Session Key Type: " + etypeWindowsName(t.cred.key.EType),
			"Cache Flags: " + primary,
			"Kdc Called: " + kdc,
		} {
			b.WriteString("        " + line + "\n")
		}
	}
	return b.String()
}

func renewTime(t time.Time, form string) string {
	if t.IsZero() {
		return "0"
	}
	return t.UTC().Format(form)
}

// at writes name@REALM as klist does.
func at(principal string) string {
	i := strings.LastIndexByte(principal, '@')
	if i < 0 {
		return principal
	}
	return principal[:i] + " @ " + principal[i+1:]
}

func etypeWindowsName(etype int32) string {
	switch etype {
	case etypeAES256:
		return "AES-256-CTS-HMAC-SHA1-96"
	case etypeAES128:
		return "AES-128-CTS-HMAC-SHA1-96"
	case etypeRC4:
		return "RSADSI RC4-HMAC(NT)"
	}
	return fmt.Sprint(etype)
}

// ticketFlags are the flags with their names (RFC 4120 5.3, [MS-KILE] 2.2.7).
func ticketFlags(flags uint32) string {
	names := []struct {
		bit  uint32
		name string
	}{
		{0x40000000, "forwardable"}, {0x20000000, "forwarded"}, {0x10000000, "proxiable"}, {0x00800000, "renewable"}, {0x00400000, "initial"},
		{0x00200000, "pre_authent"}, {0x00040000, "ok_as_delegate"}, {0x00010000, "name_canonicalize"},
	}
	var list []string
	for _, n := range names {
		if flags&n.bit != 0 {
			list = append(list, n.name)
		}
	}
	return fmt.Sprintf("%#x -> %s", flags, strings.Join(list, " "))
}

// klistFailure is what klist get prints: the status of the package and its meaning (captures; ntstatus.h).
func klistFailure(err error) string {
	const call = "Error calling API LsaCallAuthenticationPackage (GetTicket substatus): %s\nklist failed with %s\n"
	failed := func(substatus, rest string) string { return fmt.Sprintf(call, substatus, rest) }
	var nobody *identityError
	switch {
	case errors.Is(err, errNoSpec), errors.As(err, &nobody), isNoPassword(err):
		return failed("0x8009030e", "0x8009030e/-2146893042: No credentials are available in the security package")
	case unreachable(err):
		return failed("0x51f", "0xc000005e/-1073741730: There are currently no logon servers available to service the logon request.")
	}
	if e := asKRBError(err); e != nil {
		switch e.code {
		case krbErrETypeNoSupp:
			return failed("0x80090342", "0xc00002fd/-1073741059: The encryption type requested is not supported by the KDC.")
		case krbErrSPrincipalUnknown:
			return failed("0x6fb", "0xc000018b/-1073741429: The SAM database on the Windows Server does not have a computer account for this workstation trust relationship.")
		// guess: klist prints the NTSTATUS that is named like the Kerberos error where no capture shows another one
		case krbErrSkew:
			return failed("0x576", "0xc0000133/-1073741517: The time at the Primary Domain Controller is different than the time at the Backup Domain Controller or member server by too large an amount.")
		case krbErrClientRevoked:
			return failed("0x533", "0xc0000072/-1073741710: The referenced account is currently disabled and may not be logged on to.")
		case krbErrPreauthFailed, krbErrCPrincipalUnknown:
			return failed("0x52e", "0xc000006d/-1073741715: The attempted logon is invalid. This is either due to a bad username or authentication information.")
		}
	}
	return failed("0x5", "0xc0000022/-1073741790: {Access Denied}\nA process has requested access to an object, but has not been granted those access rights.")
}

// Whoami is whoami, which prints the local user whatever account the process is on the network.
func (p *Process) Whoami() string { return strings.ToLower(p.user.Name) + "\n" }

// WhoamiUPN is whoami /upn.
func (p *Process) WhoamiUPN() string {
	return "ERROR: Unable to get User Principal Name (UPN) as the current logged-on user is not a domain user.\n"
}

// portSMB is where shares are ([MS-SMB2] 2.1).
const portSMB = 445

// DirSYSVOL is dir \\domain\SYSVOL in PowerShell: it needs a DC that answers for files and a ticket for it as the process's account.
func (p *Process) DirSYSVOL(domain string) (string, error) {
	r := p.c
	if err := r.runs(); err != nil {
		return "", err
	}
	path := `\\` + domain + `\SYSVOL`
	failed := func(text string, err error) (string, error) { return text, p.explain(err, "cifs/"+domain) }
	missing := fmt.Sprintf("dir : Cannot find path '%s' because it does not exist.\n    + CategoryInfo          : ObjectNotFound: (%s:String) [Get-ChildItem], ItemNotFoundException\n"+
		"    + FullyQualifiedErrorId : PathNotFound,Microsoft.PowerShell.Commands.GetChildItemCommand\n", path, path)
	dom := r.h.d.forest.Domain(domain)
	if dom == nil {
		return failed(missing, &noDCError{&r.st, strings.ToLower(domain), "no such domain"})
	}
	if err := r.smbNames(path); err != nil {
		return failed(missing, err)
	}
	var answered *DC
	err := r.st.each(r.h.d.ctx, dom.DNSName, "SMB", portSMB, func(dc *DC) (string, error) {
		answered = dc
		return "", nil
	})
	if err != nil {
		return failed(missing, err)
	}
	if _, err := p.ticketFor(r.h.d.ctx, "cifs/"+answered.DNSName()); err != nil {
		if unreachable(err) {
			return failed(missing, err)
		}
		if asKRBError(err) != nil {
			return failed("dir : The user name or password is incorrect.\n", err)
		}
		return failed("dir : Access is denied\n", err)
	}
	made := r.h.d.cfg.Start.UTC().Format("1/2/2006")
	at := r.h.d.cfg.Start.UTC().Format("3:04 PM")
	return fmt.Sprintf("\n\n    Directory: %s\n\n\nMode                LastWriteTime         Length Name\n----                -------------         ------ ----\nd----l%17s%10s                %s\n",
		`\\`+domain+`\sysvol`, made, at, dom.DNSName), nil
}

// has tells whether the image holds a tool: nltest, klist or powershell.
func (p *Process) has(t windows.Tool) bool { return p.c.image.Has(t) }

// lacks is the error of a program that the image does not hold.
func (p *Process) lacks(t windows.Tool) error { return p.explain(&toolError{t, p.c}, "") }

// notRecognized is what cmd prints for a program that is not there.
func notRecognized(command string) string {
	return fmt.Sprintf("'%s' is not recognized as an internal or external command,\noperable program or batch file.\n", command)
}

// runningSnapshot is the state of a container at one time.
type runningSnapshot struct {
	r        *Running
	stopped  bool
	settings settings
	closed   []string
	dns      []string
	sessions map[string]logonSnapshot
	service  error
	channel  channel
	byPlugin map[string]*ManagedPassword
}

func (r *Running) snapshot() runningSnapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := runningSnapshot{r: r, stopped: r.stopped, service: r.service, settings: r.settings, channel: r.channel.clone(), sessions: map[string]logonSnapshot{}, byPlugin: r.byPlugin.snapshot()}
	for name, l := range r.sessions {
		s.sessions[name] = l.snapshot()
	}
	r.st.mu.Lock()
	defer r.st.mu.Unlock()
	s.closed, s.dns = slices.Clone(r.st.closed), r.st.dns
	return s
}

func (s runningSnapshot) restore() {
	r := s.r
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped, r.service, r.settings, r.channel = s.stopped, s.service, s.settings, s.channel.clone()
	r.byPlugin.restore(s.byPlugin)
	for name, l := range r.sessions {
		if was, ok := s.sessions[name]; ok {
			l.restore(was)
		} else {
			l.purge()
		}
	}
	r.st.mu.Lock()
	defer r.st.mu.Unlock()
	r.st.closed, r.st.dns, r.st.located = slices.Clone(s.closed), s.dns, nil
}

func (c channel) clone() channel {
	if c.session != nil {
		session := *c.session
		c.session = &session
	}
	return c
}
