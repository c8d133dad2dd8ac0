package simulator

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/filter"
	"github.com/gmsasim/gmsasim/fakekdc/gss"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// What Windows prints, by observer.
const (
	seenTestFalse   = "Test-ADServiceAccount : False, WARNING: Test failed for Managed Service Account … either this computer does not have permission to use the group MSA or this computer does not support all the Kerberos encryption types required"
	seenInstall     = "Install-ADServiceAccount : Cannot install service account. Error Message: '{Access Denied}"
	seenKeyMissing  = "New-ADServiceAccount : Key does not exist"
	seenNoLogonSrv  = "nltest: 1311 0x51f ERROR_NO_LOGON_SERVERS"
	seenNoDomain    = "nltest /dsgetdc: Getting DC name failed: Status = 1355 0x54b ERROR_NO_SUCH_DOMAIN"
	seenSPNUnknown  = "KDC_ERR_S_PRINCIPAL_UNKNOWN (0x7); users are asked for a password"
	seenNotFound    = "Cannot find an object with identity"
	timeForm        = "2006-01-02 15:04Z"
	maxSPNsCompared = 5000
)

// Protocol answers that a client finds where it expects a value.
var (
	errAbsent        = errors.New("no such object")
	errNoAttribute   = errors.New("the attribute is absent from the answer")
	errNoCommonEType = errors.New("host and account support no encryption type in common")
)

// ldapError is a refusal of an LDAP operation.
type ldapError struct {
	result int
	text   string
	cause  error // what the acceptor's token says, for a bind
}

func (e *ldapError) Error() string {
	return fmt.Sprintf("LDAP result %d: %s", e.result, strings.TrimRight(e.text, "\x00\n "))
}

// Unwrap gives the cause.
func (e *ldapError) Unwrap() error { return e.cause }

// says tells that the diagnostic contains a Windows error in hexadecimal.
func (e *ldapError) says(code string) bool {
	return strings.Contains(strings.ToUpper(e.text), code)
}

// explainer is an error that knows how to look for its own cause: a new kind of failure brings its diagnosis along. finding may give nil.
type explainer interface {
	error
	finding(d *Domain, s *stepError) *diag.Finding
}

func asKRBError(err error) *krbError {
	e, _ := errors.AsType[*krbError](err)
	return e
}

// unreachable tells that no DC was found or answered.
func unreachable(err error) bool {
	if _, ok := errors.AsType[*noDCError](err); ok {
		return true
	}
	_, ok := errors.AsType[*unreachableError](err)
	return ok
}

// passOver tells why a client goes on to the next DC after this error; "" when it does not.
func passOver(err error) string {
	if e, ok := errors.AsType[*ldapError](err); ok && (e.result == ldapBusy || e.result == ldapUnavailable) {
		return "answers " + e.Error()
	}
	if _, ok := errors.AsType[*lostError](err); ok {
		return err.Error()
	}
	return ""
}

// globalHasNoLocal is ERROR_DS_GLOBAL_CANT_HAVE_LOCAL_MEMBER ([MS-ERREF] 2.2), in the form of a diagnostic.
const globalHasNoLocal = "00002144"

// LDAP result codes (RFC 4511 4.1.9) that the diagnosis tells apart.
const (
	ldapOperationsError = 1
	ldapStrongerAuth    = 8
	ldapConstraint      = 19
	ldapNoSuchObject    = 32
	ldapInvalidCreds    = 49
	ldapAccessRights    = 50
	ldapBusy            = 51
	ldapUnavailable     = 52
	ldapEntryExists     = 68
)

// explain finds the cause of a failed step: it looks at the state of the domain around that step and wraps err in a finding. An
// error without a known cause comes back as it is.
func (d *Domain) explain(err error) error {
	if err == nil {
		return nil
	}
	if _, done := diag.Of(err); done {
		return err
	}
	f := d.diagnose(err)
	if f == nil {
		return err
	}
	d.byAdminClock(f)
	f.Cause = err
	if e, ok := diag.Lookup(f.Code); ok {
		f.Title = e.Title
	}
	from := ""
	if s, ok := errors.AsType[*stepError](err); ok && s.logon != nil {
		from = s.logon.st.name
	}
	f.Events = d.proof(from)
	return f
}

// proof is the number of the last exchange of a station.
func (d *Domain) proof(from string) []int {
	d.log.mu.Lock()
	defer d.log.mu.Unlock()
	const lookBack = 64
	for _, e := range slices.Backward(d.log.after(d.log.last - lookBack)) {
		asksForPreauth := e.Op == KDCAS && e.Code == krbErrPreauthRequired // how every sign-in begins
		if e.Result != "" && e.Result != "ok" && e.Op != opEventLog && !asksForPreauth && (from == "" || e.From == from) {
			return []int{e.N}
		}
	}
	return nil
}

func (d *Domain) diagnose(err error) *diag.Finding {
	if f := d.findSpecCause(err); f != nil {
		return f
	}
	if e, ok := errors.AsType[*noPasswordError](err); ok {
		return d.diagnose(e.err) // what kept the host from reading it
	}
	if s, ok := errors.AsType[*stepError](err); ok {
		if e, ok := s.err.(explainer); ok { // it looks into its cause itself
			return e.finding(d, s)
		}
	}
	if e, ok := errors.AsType[*noDCError](err); ok {
		return d.findNoDC(e)
	}
	if e, ok := errors.AsType[*unreachableError](err); ok {
		return d.findUnreachable(e)
	}
	s, ok := errors.AsType[*stepError](err)
	if !ok {
		return nil
	}
	if f := d.findContainer(s); f != nil {
		return f
	}
	if e, ok := errors.AsType[explainer](s.err); ok {
		return e.finding(d, s)
	}
	if e := asKRBError(s.err); e != nil {
		return d.findKerberos(s, e.code, e)
	}
	if e, ok := errors.AsType[*gss.Error](s.err); ok {
		return d.findKerberos(s, int(e.Code), nil)
	}
	if e, ok := errors.AsType[*ldapError](s.err); ok {
		return d.findLDAP(s, e)
	}
	if e, ok := errors.AsType[*unknownNameError](s.err); ok {
		return d.findNoSuchName(e.name, e.dc)
	}
	if e, ok := errors.AsType[*propertyError](s.err); ok {
		return d.findProperty(s, e)
	}
	switch {
	case errors.Is(s.err, errAbsent):
		if f := d.findOtherDomain(s); f != nil {
			return f
		}
		return d.findNoSuchName(s.account, s.dc)
	case errors.Is(s.err, errNoAttribute):
		if f := d.findNothingToGive(s); f != nil {
			return f
		}
		f := d.findDenied(s)
		if f != nil && f.Code == diag.NotAllowed && f.Mode != "acl-overwritten" && d.lostAccess(s) {
			d.laterLoss(f, s)
		}
		return f
	case errors.Is(s.err, errNoCommonEType):
		return d.findNoCommonEType(s)
	}
	if e, ok := errors.AsType[*directory.Error](s.err); ok {
		return d.findLDAP(s, &ldapError{e.Result, e.Text, nil})
	}
	return nil
}

func (d *Domain) findNoDC(e *noDCError) *diag.Finding {
	f := &diag.Finding{
		Code:    diag.DNSFindsNoDC,
		Facts:   []diag.Fact{{Name: "domain", Value: e.domain}, {Name: "asked for", Value: "_ldap._tcp.dc._msdcs." + e.domain}, {Name: "answer", Value: e.cause}},
		SeenAs:  []string{seenNoDomain, seenNoLogonSrv},
		Because: "a member finds its DCs by SRV records that only the domain's own DNS servers have",
		Help: []diag.Help{{Text: "let the computer ask the domain's DNS servers, and look at what they answer",
			Command: "nslookup -type=srv _ldap._tcp.dc._msdcs." + e.domain}},
	}
	if e.st != nil && e.st.container != nil {
		e.st.container.noDC(f)
	}
	if h := d.hostAt(e.st); h != nil {
		h.noDC(f)
	}
	return f
}

func (d *Domain) findUnreachable(e *unreachableError) *diag.Finding {
	f := &diag.Finding{
		Code:    diag.DCUnreachable,
		Facts:   []diag.Fact{{Name: "service", Value: fmt.Sprintf("%s, port %d", e.service, e.port)}},
		SeenAs:  []string{seenNoLogonSrv, seenTestFalse},
		Because: "DNS names the DCs, and none of them answers on the port that this step needs",
		Help:    []diag.Help{{Text: "start a DC, or open the port between the computer and the DCs", Command: fmt.Sprintf("Test-NetConnection %s -Port %d", d.dcs[0].DNSName(), e.port)}},
	}
	refused := 0
	for _, a := range e.tried {
		f.Facts = append(f.Facts, diag.Fact{Name: a.dc, Value: a.why})
		if strings.HasPrefix(a.why, "answers") {
			refused++
		}
	}
	if refused == len(e.tried) {
		f.Code = diag.DCRefuses
		f.SeenAs = []string{"LDAP_BUSY (51)", "LDAP_UNAVAILABLE (52)"}
		f.Because = "each DC takes the connection and puts the request off; a client must try again later"
		f.Help = []diag.Help{{Text: "try again after a while; a tool should do so by itself", Do: []string{flowStep("advance", arg{"", "1m"})}}}
		return f
	}
	if e.st != nil && e.st.container != nil {
		e.st.container.unreachable(e, f)
	}
	if h := d.hostAt(e.st); h != nil {
		h.unreachable(e, f)
	}
	return f
}

// dcOf is the DC that a Kerberos error came from, or the first one of the client's domain.
func (d *Domain) dcOf(s *stepError, e *krbError) *DC {
	if s.dc != nil {
		return s.dc
	}
	if e != nil {
		if dc, ok := d.FindDC(e.dc); ok {
			return dc
		}
	}
	if s.logon != nil {
		return s.logon.st.firstDC()
	}
	return d.dcs[0]
}

func (d *Domain) findKerberos(s *stepError, code int, e *krbError) *diag.Finding {
	dc := d.dcOf(s, e)
	account := ""
	if s.logon != nil {
		account = s.logon.account
	}
	switch code {
	case krbErrCPrincipalUnknown:
		if s.logon != nil {
			return s.logon.st.ofSite(d.findNoSuchName(account, dc))
		}
		return d.findNoSuchName(account, dc)
	case krbErrSPrincipalUnknown:
		return d.findSPN(s, dc)
	case krbErrClientRevoked, krbErrKeyExpired:
		return d.findUnusable(account, dc, code)
	case krbErrPreauthFailed:
		if f := d.findBrokenHost(s, dc); f != nil {
			return f
		}
		if f := d.findPasswords(account, dc, s); f != nil {
			return f
		}
		return &diag.Finding{
			Code:    diag.BadCredentials,
			Facts:   d.passwordFacts(account, dc),
			SeenAs:  []string{"KDC_ERR_PREAUTH_FAILED (0x18)", "The trust relationship between this workstation and the primary domain failed"},
			Because: "the KDC could not open the timestamp with the keys that it has for the account",
			Help: []diag.Help{{Text: "for a computer, repair its password; for a managed service account, read the password again",
				Command: "Test-ComputerSecureChannel -Repair"}},
		}
	case krbErrSkew, krbErrNotYetValid:
		return d.findSkew(s, dc, e)
	case krbErrETypeNoSupp:
		return d.findNoCommonEType(s)
	case krbErrModified:
		if s.step == stepAccept {
			if f := d.findReplaced(s); f != nil {
				return f
			}
			return d.findOldKey(s)
		}
	case krbErrGeneric, krbErrSvcUnavailable:
		if dc.replica.KDSStopped() && d.isServiceAccount(account, dc) {
			return findKDSDown(dc)
		}
		if f := d.rootKeyFinding(dc); f != nil && d.isServiceAccount(account, dc) {
			return f
		}
	}
	return nil
}

func (d *Domain) isServiceAccount(name string, dc *DC) bool {
	a, err := dc.replica.AccountByName(directory.Principal, name)
	return err == nil && a.ServiceAccount
}

func (d *Domain) passwordFacts(account string, dc *DC) []diag.Fact {
	facts := []diag.Fact{{Name: "account", Value: account}, {Name: "DC", Value: dc.name}}
	if a, err := dc.replica.AccountByName(directory.Principal, account); err == nil && !a.PwdLastSet.IsZero() {
		facts = append(facts, diag.Fact{Name: "password set", Value: a.PwdLastSet.UTC().Format(timeForm)})
	}
	return facts
}

func (d *Domain) findLDAP(s *stepError, e *ldapError) *diag.Finding {
	dc := s.dc
	if dc == nil {
		dc = d.dcs[0]
	}
	if f := d.findDCState(s, e, dc); f != nil {
		return f
	}
	switch {
	case e.says("0000202D"):
		return &diag.Finding{
			Code:    diag.NotSealed,
			Facts:   []diag.Fact{{Name: "account", Value: s.account}, {Name: "DC", Value: dc.name}},
			SeenAs:  []string{"LDAP operationsError (1), 0000202D ERROR_DS_CONFIDENTIALITY_REQUIRED"},
			Because: "a DC gives msDS-ManagedPassword only over TLS or a sealed SASL layer; signing alone does not count",
			Help: []diag.Help{{Text: "bind with Kerberos and confidentiality, or use LDAPS or StartTLS", Command: sealedSearch(dc, s.account), Sure: true,
				Do: []string{flowStep("with", arg{"protection", string(Sealed)})}}},
		}
	case e.says("8009000D"):
		return d.findNoKey(s, dc)
	case e.result == ldapStrongerAuth:
		return findStrongerAuth(s, dc)
	case e.result == ldapInvalidCreds:
		return &diag.Finding{Code: diag.BadCredentials, Facts: []diag.Fact{{Name: "DC", Value: dc.name}}, SeenAs: []string{"LDAP invalidCredentials (49)"},
			Because: "the DC does not accept the ticket or password of the bind"}
	case e.says("000021C7"):
		return d.findSPNNotUnique(s, dc)
	case e.result == ldapEntryExists && s.step == stepCreate:
		return d.findNameTaken(s, dc)
	case e.result == ldapNoSuchObject && s.step == stepFind:
		return d.findNoSuchName(s.account, dc)
	case e.result == ldapAccessRights && len(s.spns) > 0:
		return d.findSPNDenied(s, dc)
	case e.result == ldapAccessRights:
		as := ""
		if s.logon != nil {
			as = s.logon.account
		}
		return findAdminDenied(s, as, dc)
	case s.step == stepCreate || s.step == stepChange:
		f := &diag.Finding{
			Code:    diag.ChangeRefused,
			Facts:   []diag.Fact{{Name: "object", Value: s.account}, {Name: "DC", Value: dc.name}, {Name: "answer", Value: e.Error()}},
			Because: "the directory's schema or consistency rules do not allow the change",
		}
		switch {
		case e.result == ldapNoSuchAttribute && len(s.spns) == 1:
			d.elsewhereSPN(s, dc, f)
		case e.says(globalHasNoLocal):
			f.Because = "a global group takes accounts and global groups of its own domain only; a domain-local one takes all"
			f.Help = []diag.Help{{Text: "make the group that takes the other one domain-local, by way of universal",
				Command: fmt.Sprintf("Set-ADGroup %[1]q -GroupScope Universal; Set-ADGroup %[1]q -GroupScope DomainLocal", s.account),
				Do:      []string{flowStep("setGroup", arg{"group", s.account}, arg{"scope", string(Universal)}), flowStep("setGroup", arg{"group", s.account}, arg{"scope", string(DomainLocal)})}}}
		}
		return f
	}
	if e.result == ldapNoSuchObject || e.result == ldapOperationsError {
		return nil
	}
	return &diag.Finding{
		Code:    diag.RequestRefused,
		Facts:   []diag.Fact{{Name: "DC", Value: dc.name}, {Name: "answer", Value: e.Error()}},
		SeenAs:  []string{"LDAP_UNWILLING_TO_PERFORM (53)", "LDAP_ADMIN_LIMIT_EXCEEDED (11)"},
		Because: "the DC understands the request and does not carry it out: a policy, a limit or its own state is against it, not the rights of who asks; clients go to no other DC for that",
		Help:    []diag.Help{{Text: "look at the log Directory Service of this DC, and try another one meanwhile", Command: "repadmin /showrepl " + dc.name}},
	}
}

// findNoSuchName tells apart a name that nobody has and one that has not reached this DC.
func (d *Domain) findNoSuchName(name string, dc *DC) *diag.Finding {
	if dc == nil {
		dc = d.dcs[0]
	}
	for _, other := range d.dcs {
		if other == dc || other.dom != dc.dom {
			continue
		}
		if _, err := d.lookup(other, name); err == nil {
			return &diag.Finding{
				Code:    diag.AccountNotOnDC,
				Mode:    "repl-new-object",
				Facts:   []diag.Fact{{Name: "name", Value: name}, {Name: "on", Value: other.name}, {Name: "not on", Value: dc.name}},
				SeenAs:  []string{seenNotFound + ": '" + name + "'"},
				Because: "a change is on the DC where it was made until replication brings it to the others",
				Help:    []diag.Help{replicateHelp(dc)},
			}
		}
	}
	f := &diag.Finding{
		Code:    diag.NoSuchAccount,
		Facts:   []diag.Fact{{Name: "name", Value: name}, {Name: "DC", Value: dc.name}},
		SeenAs:  []string{fmt.Sprintf("%s: '%s' under: '%s'.", seenNotFound, name, dc.dom.DN)},
		Because: "names are compared with sAMAccountName, which ends in $ for computers and managed service accounts",
	}
	bare := strings.TrimSuffix(name, "$")
	if near := diag.Nearest(bare, d.principalNames(dc)); near != "" {
		f.Nearest = []diag.Near{{Wanted: bare, Closest: near}}
		f.Help = []diag.Help{{Text: fmt.Sprintf("write the name as the directory has it, %s instead of %s", near, bare), Do: []string{flowStep("with", arg{"account", near})}}}
	}
	return f
}

// principalNames are the names of accounts and groups on a DC, without final $.
func (d *Domain) principalNames(dc *DC) []string {
	var names []string
	// An incomplete list only makes the suggestion poorer.
	_ = dc.search(dc.dom.DN, filter.MustParse("(|(objectClass=user)(objectClass=group))"), []string{"sAMAccountName"}, func(e *directory.Entry) {
		if len(names) < maxSPNsCompared {
			names = append(names, strings.TrimSuffix(e.Value("sAMAccountName"), "$"))
		}
	})
	return names
}

// gssResult is the name and number of a failed context establishment.
func gssResult(err error) (string, int) {
	if e, ok := errors.AsType[*gss.Error](err); ok {
		return krbErrName(int(e.Code)), int(e.Code)
	}
	return err.Error(), 1
}
