package simulator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// SQLServer stands for a server outside of containers that asks who comes and lets in whom it knows: SQL Server with Windows
// authentication. It runs as a user, who has its service principal names.
type SQLServer struct {
	d       *Domain
	st      station
	account string
	secret  secret

	mu     sync.Mutex
	logins []sqlLogin
}

// sqlLogin is a login of a Windows account. The server keeps the SID that the name had when the login was made (sys.server_principals) and
// lets in whoever has it.
type sqlLogin struct {
	name string // DOMAIN\name
	sid  string // "": nobody had the name
}

// NewSQLServer starts a server that runs as a user with a known password.
func (d *Domain) NewSQLServer(account string, logins ...string) (*SQLServer, error) {
	dc := d.firstDCOf(d.root())
	var list []sqlLogin
	for _, name := range logins {
		sid, _ := dc.lookupName(name)
		list = append(list, sqlLogin{name, sid})
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	password, ok := d.knownPasswordLocked(account)
	if !ok {
		return nil, fmt.Errorf("no password of a user %q is known", account)
	}
	s := &SQLServer{d: d, account: account, secret: d.passwordSecret(password), logins: list}
	s.st.d, s.st.name, s.st.dom = d, account, d.root()
	d.sqlServers = append(d.sqlServers, s)
	return s, nil
}

// SQLServer finds the server that was started last as a user; nil when there is none.
func (d *Domain) SQLServer(account string) *SQLServer {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range slices.Backward(d.sqlServers) {
		if strings.EqualFold(s.account, account) {
			return s
		}
	}
	return nil
}

// allSQLServers lists the servers in the order of their start.
func (d *Domain) allSQLServers() []*SQLServer {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.sqlServers)
}

// CreateLogin is CREATE LOGIN … FROM WINDOWS for DOMAIN\name; that of a service account ends with $. The server asks a DC for the name.
func (s *SQLServer) CreateLogin(login string) error {
	sid, status := s.st.firstDC().lookupName(login)
	result := "ok"
	var err error
	if s.taken(login, sid) {
		err = &sqlError{15025, "The server principal '" + login + "' already exists."}
		result = err.Error()
	} else if _, _, qualified := strings.Cut(login, `\`); status != StatusSuccess || !qualified {
		refused := &noWindowsUserError{login}
		result, err = refused.Error(), s.d.explain(&stepError{step: stepChange, logon: s.asLogon(), account: login, err: refused})
	}
	s.d.event(Event{Op: opHost, From: s.st.name, Text: "CREATE LOGIN [" + login + "] FROM WINDOWS", Result: result})
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.logins = append(s.logins, sqlLogin{login, sid})
	s.mu.Unlock()
	return nil
}

// sqlError is an answer of the server as its clients print it, by number and text (sys.messages).
type sqlError struct {
	number int
	text   string
}

func (e *sqlError) Error() string { return fmt.Sprintf("%d: %s", e.number, e.text) }

// DropLogin is DROP LOGIN.
func (s *SQLServer) DropLogin(login string) error {
	s.mu.Lock()
	i := slices.IndexFunc(s.logins, func(l sqlLogin) bool { return strings.EqualFold(l.name, login) })
	if i >= 0 {
		s.logins = slices.Delete(s.logins, i, i+1)
	}
	s.mu.Unlock()
	if i < 0 {
		return &sqlError{15151, "Cannot drop the login '" + login + "', because it does not exist or you do not have permission."}
	}
	s.d.event(Event{Op: opHost, From: s.st.name, Text: "DROP LOGIN [" + login + "]", Result: "ok"})
	return nil
}

// taken tells that a login of the name is for another SID. One for the same account may be made again, which changes nothing here; the server
// refuses that too.
func (s *SQLServer) taken(name, sid string) bool {
	return slices.ContainsFunc(s.allLogins(), func(l sqlLogin) bool { return strings.EqualFold(l.name, name) && l.sid != "" && l.sid != sid })
}

// allLogins are the logins in the order in which they were made.
func (s *SQLServer) allLogins() []sqlLogin {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.logins)
}

func (s *SQLServer) setLogins(logins []sqlLogin) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logins = slices.Clone(logins)
}

func (s *SQLServer) asLogon() *logon { return &logon{st: &s.st, account: s.account} }

// noWindowsUserError: the DC knows no such account (SQL Server, error 15401).
type noWindowsUserError struct{ login string }

func (e *noWindowsUserError) Error() string {
	return "15401: Windows NT user or group '" + e.login + "' not found. Check the name again."
}

func (e *noWindowsUserError) finding(d *Domain, s *stepError) *diag.Finding {
	dc := s.logon.st.firstDC()
	domain, name, qualified := strings.Cut(e.login, `\`)
	if !qualified {
		domain, name = "", domain
	}
	f := &diag.Finding{
		Code: diag.NoSuchAccount, Mode: "app-sql-create-login-fails",
		Facts:   []diag.Fact{{Name: "name", Value: e.login}, {Name: "DC", Value: dc.name}},
		SeenAs:  []string{e.Error()},
		Because: "SQL Server asks the domain for the SID of exactly this name: the short name of the domain, and for a service account the final $",
	}
	bare := strings.TrimSuffix(name, "$")
	near := diag.Nearest(bare, d.principalNames(dc))
	if near == "" {
		return f
	}
	if a, err := d.lookup(dc, near+"$", "sAMAccountName"); err == nil {
		near = a.Value("sAMAccountName")
	}
	near = dc.dom.NetBIOSName + `\` + near
	why := "the name differs"
	switch {
	case !qualified || !strings.EqualFold(domain, dc.dom.NetBIOSName):
		why = "the domain is " + dc.dom.NetBIOSName
	case strings.EqualFold(near, e.login+"$"):
		why = "the $ is part of the name"
	}
	f.Nearest = []diag.Near{{Wanted: e.login, Closest: near, WhyNot: why}}
	f.Help = []diag.Help{{Text: "write the name as the domain has it", Command: "CREATE LOGIN [" + near + "] FROM WINDOWS", Do: []string{flowStep("with", arg{"login", near})}}}
	return f
}

// sqlAuthenticationError: the client asks for a login of SQL Server's own, and the server takes Windows accounts only (SQL Server, 18456 state 58).
type sqlAuthenticationError struct {
	user  string
	right string // a connection string that asks for Windows authentication
}

func (e *sqlAuthenticationError) Error() string {
	return "18456: Login failed for user '" + e.user + "'."
}

func (e *sqlAuthenticationError) finding(*Domain, *stepError) *diag.Finding {
	return &diag.Finding{
		Code: diag.SQLAuthentication, Mode: "app-conn-string-userid",
		Facts:   []diag.Fact{{Name: "user", Value: e.user}, {Name: "server", Value: "takes Windows accounts only"}},
		SeenAs:  []string{e.Error()},
		Because: "without Integrated Security the client sends the user and password of its connection string, and the service account is not asked for anything",
		Help:    []diag.Help{{Text: "take user and password out and ask for Windows authentication", Command: e.right, Do: []string{flowStep("with", arg{"connectionString", e.right})}}},
	}
}

// untrustedError: what the client offers is no account of a domain that the server trusts (SQL Server, error 18452).
type untrustedError struct {
	server *SQLServer
	r      *Running
	cause  error
}

func (e *untrustedError) Error() string {
	return "18452: Login failed. The login is from an untrusted domain and cannot be used with Integrated authentication. (" + e.cause.Error() + ")"
}

func (e *untrustedError) finding(d *Domain, s *stepError) *diag.Finding {
	f := &diag.Finding{
		Code: diag.SQLUntrusted, Mode: "app-sql-untrusted-domain",
		Facts:   []diag.Fact{{Name: "server", Value: e.server.account}, {Name: "client", Value: e.cause.Error()}},
		SeenAs:  []string{"18452: Login failed. The login is from an untrusted domain and cannot be used with Integrated authentication."},
		Because: "the client has no ticket for the server, and what NTLM offers instead is no account that the server's domain vouches for",
	}
	if errors.Is(e.cause, errNoSpec) {
		f.Help = []diag.Help{{Text: "give the container its credential spec", Command: `docker run --security-opt "credentialspec=file://<credential spec>" <image>`}}
		if files := e.r.h.CredentialSpecs(); len(files) > 0 {
			f.Help[0].Do = []string{flowStep("rerunContainer", arg{"container", e.r.shortID()}, arg{"credentialSpec", "file://" + files[0]})}
			f.Help[0].Command = e.r.withSpec("file://" + files[0])
		}
		return f
	}
	cause := e.cause
	if _, has := errors.AsType[*stepError](cause); !has {
		cause = &stepError{step: stepProcess, logon: s.logon, server: s.server, err: cause}
	}
	if inner := d.diagnose(cause); inner != nil {
		f.Facts, f.Help, f.Nearest = append(f.Facts, inner.Facts...), inner.Help, inner.Nearest
	}
	return f
}

// keys are those of the server's user ([MS-KILE] 3.1.1.2: the salt of a user is the realm and the name).
func (s *SQLServer) keys(etype int32) ([]*krbcrypt.Key, error) {
	k, err := s.secret(etype, s.st.dom.Realm+s.account)
	return []*krbcrypt.Key{k}, err
}

// ConnectTo connects to a server by one of its service principal names, with Integrated Security, as the process. There is no way round
// Kerberos here; a connection string, as [Process.Connect] takes it, also leaves the way over NTLM.
func (p *Process) ConnectTo(s *SQLServer, spn string) error {
	cred, err := p.ticketFor(withService(p.c.h.d.ctx, s.account), spn)
	if err != nil {
		return p.notTrusted(s, spn, err)
	}
	return p.present(s, spn, cred)
}

// notTrusted is what SQL Server says to a client without a ticket.
func (p *Process) notTrusted(s *SQLServer, spn string, err error) error {
	if errors.Is(err, errNoSpec) || isNoPassword(err) {
		err = &untrustedError{s, p.c, err}
	}
	return p.explain(err, spn)
}

// present lets the server open a ticket and look for a login.
func (p *Process) present(s *SQLServer, spn string, cred *credential) error {
	t := cred.ticket()
	if err := s.d.accept(&s.st, s.account, s.keys, &t); err != nil {
		err = s.d.explain(err)
		if f, ok := diag.Of(err); ok && f.Mode == "spn-on-wrong-account" {
			f.Mode = "app-sql-spn" // the same at a database, where the client is blamed first
			p.purgeToo(f)
		}
		return err
	}
	return p.admit(s, spn, s.st.dom.NetBIOSName+`\`+cred.client)
}

// purgeToo lets the session of the process forget the ticket that was made for another account, after the name has moved.
func (p *Process) purgeToo(f *diag.Finding) {
	for i := range f.Help {
		if len(f.Help[i].Do) > 0 {
			f.Help[i].Command += "; klist purge"
			f.Help[i].Do = append(f.Help[i].Do, flowStep("klist", arg{"container", p.c.shortID()}, arg{"user", p.user.Name}, arg{"purge", true}))
		}
	}
}

// admit looks for a login.
func (p *Process) admit(s *SQLServer, spn, login string) error {
	sid, _ := s.st.firstDC().lookupName(login)
	logins := s.allLogins()
	if slices.ContainsFunc(logins, func(l sqlLogin) bool { return sid != "" && l.sid == sid }) {
		return nil
	}
	return p.explain(&loginError{s, login, sid, logins}, spn)
}

// Connect opens a connection string as SqlClient does: Server=HOST[\INSTANCE][,PORT], Integrated Security or User ID and Password. With
// Integrated Security a user and password are passed over (documentation of SqlConnection.ConnectionString). The name that it asks a ticket for
// is MSSQLSvc/HOST:PORT, or with an instance MSSQLSvc/HOST:INSTANCE. Nobody having that name, it falls back to NTLM. protocol is Kerberos or NTLM.
func (p *Process) Connect(s *SQLServer, connectionString string) (protocol string, err error) {
	c := parseConnectionString(connectionString)
	spn := c.spn()
	if !c.integrated {
		return "", p.explain(&sqlAuthenticationError{c.user, "Server=" + c.server + ";Integrated Security=True"}, spn)
	}
	cred, err := p.ticketFor(withService(p.c.h.d.ctx, s.account), spn)
	if err == nil {
		return "Kerberos", p.present(s, spn, cred)
	}
	// guess: SqlClient leaves the choice to the package Negotiate, which falls back to NTLM for a name that nobody has and for no other error
	if e := asKRBError(err); e == nil || e.code != krbErrSPrincipalUnknown {
		return "", p.notTrusted(s, spn, err)
	}
	if s.d.hasPolicy(PolicyDenyNTLM) {
		return "", p.explain(&untrustedError{s, p.c, err}, spn)
	}
	// guess: over NTLM too the process is the service account, by the password that the container holds
	account, nobody := p.identity()
	if nobody != nil {
		return "", p.explain(nobody, spn)
	}
	return "NTLM", p.admit(s, spn, s.st.dom.NetBIOSName+`\`+account+"$")
}

// connection is a connection string in its parts.
type connection struct {
	server, user string
	integrated   bool
}

func parseConnectionString(text string) (c connection) {
	// guess: a value in quotes may have a semicolon, which no name of a server or user here has
	for part := range strings.SplitSeq(text, ";") {
		key, value, _ := strings.Cut(part, "=")
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "server", "data source", "address", "addr", "network address":
			c.server = value
		case "user id", "uid", "user":
			c.user = value
		case "integrated security", "trusted_connection":
			switch strings.ToLower(value) {
			case "true", "yes", "sspi":
				c.integrated = true
			}
		}
	}
	return c
}

// spn is the name that SqlClient makes ([SQL Server documentation, "Register a Service Principal Name"]); the port is 1433 when none is given.
func (c connection) spn() string {
	host, port, hasPort := strings.Cut(strings.TrimPrefix(strings.ToLower(c.server), "tcp:"), ",")
	host, instance, named := strings.Cut(host, `\`)
	switch {
	case hasPort:
		return "MSSQLSvc/" + host + ":" + port
	case named:
		// guess: SQL Server Browser is not asked for the port of an instance; its name stands in the service principal name, as with named pipes
		return "MSSQLSvc/" + host + ":" + instance
	}
	return "MSSQLSvc/" + host + ":1433"
}
