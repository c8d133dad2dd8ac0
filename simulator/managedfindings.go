package simulator

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// ldapNoSuchAttribute is the result for a class that the schema does not have (RFC 4511 4.1.9).
const ldapNoSuchAttribute = 16

// managedEntry is what the findings about managed passwords look at.
func (d *Domain) managedEntry(dc *DC, account string) (*directory.Entry, error) {
	return d.lookup(dc, strings.TrimSuffix(account, "$")+"$", "cn", "objectClass", "objectSid", "dNSHostName", "servicePrincipalName", "msDS-ManagedPasswordId",
		"msDS-ManagedPasswordInterval", "msDS-GroupMSAMembership", "msDS-SupportedEncryptionTypes", "whenCreated")
}

// recreate are the steps that delete a service account and make it anew with the same properties, apart from what change does to them.
func (d *Domain) recreate(dc *DC, account string, change func(*ServiceAccount)) diag.Help {
	e, err := d.managedEntry(dc, account)
	if err != nil {
		return diag.Help{Text: "make the account anew"}
	}
	s := ServiceAccount{Name: e.Value("cn")}
	for _, v := range e.Values("servicePrincipalName") {
		s.SPNs = append(s.SPNs, string(v))
	}
	s.AllowedToRetrieve = d.readersOf(dc, e)
	s.IntervalDays, _ = strconv.Atoi(e.Value("msDS-ManagedPasswordInterval"))
	if change != nil {
		change(&s)
	}
	args := []arg{{"name", s.Name}}
	list := func(name string, values []string) {
		if len(values) > 0 {
			args = append(args, arg{name, values})
		}
	}
	list("spns", s.SPNs)
	list("allowedToRetrieve", s.AllowedToRetrieve)
	if s.IntervalDays != 0 && s.IntervalDays != defaultInterval {
		args = append(args, arg{"intervalDays", s.IntervalDays})
	}
	h := diag.Help{Text: "make the account anew; it has another SID then", Command: fmt.Sprintf("Remove-ADServiceAccount %s; %s", s.Name, s.command(s.Name, s.dnsHostName(dc.dom))),
		Do: []string{flowStep("removeServiceAccount", arg{"", s.Name}), flowStep("newServiceAccount", args...)}}
	if len(d.dcs) > 1 {
		for _, other := range dc.peers() {
			h.Do = append(h.Do, flowStep("replicate", arg{"", other.name}))
		}
	}
	return h
}

// findDCState finds what a DC cannot do in its state: without its key distribution service, before Windows Server 2012, or with a schema of
// that time. nil: nothing of this.
func (d *Domain) findDCState(s *stepError, e *ldapError, dc *DC) *diag.Finding {
	switch {
	case e.says("800706BA"):
		return findKDSDown(dc)
	case e.says("8009000D") && dc.replica.Before2012():
		return d.findOldDC(dc)
	case e.says("80070057") && s.step == stepRead:
		return d.findFuturePassword(s.account, dc)
	case e.result == ldapNoSuchAttribute && s.step == stepCreate && d.forest.SchemaVersion() < schemaOfServiceAccounts:
		return &diag.Finding{
			Code: diag.SchemaTooOld, Mode: "kds-schema-too-old",
			Facts:   []diag.Fact{{Name: "objectVersion", Value: strconv.Itoa(d.forest.SchemaVersion()) + ", wanted 52"}, {Name: "DC", Value: dc.name}},
			SeenAs:  []string{"New-ADServiceAccount : The specified directory service attribute or value does not exist"},
			Because: "the classes of group managed service accounts and of root keys came with the schema of Windows Server 2012",
			Help: []diag.Help{{Text: "extend the schema of the forest", Command: "adprep /forestprep",
				Do: []string{flowStep("extendSchema", arg{"", schemaOf2022})}}},
		}
	}
	return nil
}

// Versions of the schema (tables of adprep).
const (
	schemaOfServiceAccounts = 52
	schemaOf2022            = 88
)

func findKDSDown(dc *DC) *diag.Finding {
	return &diag.Finding{
		Code: diag.KDSDown, Mode: "kds-service-down",
		Facts:   []diag.Fact{{Name: "DC", Value: dc.name}, {Name: "KdsSvc", Value: "stopped"}},
		SeenAs:  []string{"Microsoft-Windows-KdsSvc/Operational event 4003, or 4001 when it cannot start", seenTestFalse},
		Because: "a DC has its key distribution service derive root keys and managed passwords; passwords that it has derived before serve sign-ins on",
		Help:    []diag.Help{{Text: "start the service on the DC", Command: "Start-Service KdsSvc", Do: []string{flowStep("startKDS", arg{"", dc.name})}, Sure: true}},
	}
}

func (d *Domain) findOldDC(dc *DC) *diag.Finding {
	return &diag.Finding{
		Code: diag.DCTooOld, Mode: "kds-no-2012-dc",
		Facts:   []diag.Fact{{Name: "DC", Value: dc.name}},
		SeenAs:  []string{seenKeyMissing, seenTestFalse},
		Because: "DCs before Windows Server 2012 have no key distribution service, make no managed password and give none out; the functional level does not matter",
		Help: []diag.Help{{Text: "upgrade the DC, or put a newer one into the site",
			Do: []string{flowStep("upgradeDC", arg{"dc", dc.name}, arg{"os", "Windows Server 2022"})}}},
	}
}

// findFuturePassword is about an id of a time that the DC's clock has not reached.
func (d *Domain) findFuturePassword(account string, dc *DC) *diag.Finding {
	id := d.passwordID(dc, account)
	now := d.Clock.Now().Add(dc.replica.ClockOffset())
	if id == nil || !id.Interval.Start().After(now.Add(kds.MaxClockSkew)) {
		return nil
	}
	wait := id.Interval.Start().Sub(now)
	return &diag.Finding{
		Code: diag.FuturePassword, Mode: "kds-dc-clock-future",
		Facts: []diag.Fact{{Name: "account", Value: account}, {Name: "DC", Value: dc.name}, {Name: "its clock", Value: now.UTC().Format(timeForm)},
			{Name: "password of", Value: id.Interval.Start().UTC().Format(timeForm)}},
		SeenAs:  []string{seenTestFalse, "Directory Service event 2947"},
		Because: "a DC whose clock was ahead has made the password of a time to come; no DC derives a key of the future, so nobody gets it before that time",
		Help:    []diag.Help{d.recreate(dc, account, nil), waitHelp("set the clocks right and wait until that time", wait)},
	}
}

// passwordID is msDS-ManagedPasswordId of an account on a DC; nil when there is none.
func (d *Domain) passwordID(dc *DC, account string) *kds.ManagedPasswordID {
	e, err := d.managedEntry(dc, account)
	if err != nil {
		return nil
	}
	id, err := kds.ParseManagedPasswordID([]byte(e.Value("msDS-ManagedPasswordId")))
	if err != nil {
		return nil
	}
	return id
}

// findKeyOfPassword is about the root key that the present password of an account was made with; nil when the DC has it.
func (d *Domain) findKeyOfPassword(account string, dc *DC) *diag.Finding {
	id := d.passwordID(dc, account)
	if id == nil {
		return nil
	}
	has := func(dc *DC) bool {
		for _, k := range dc.rootKeys() {
			if k.ID == id.RootKeyID {
				return true
			}
		}
		return false
	}
	if has(dc) {
		return nil
	}
	facts := []diag.Fact{{Name: "account", Value: account}, {Name: "made with", Value: id.RootKeyID.String()}, {Name: "DC", Value: dc.name}}
	for _, other := range d.dcs {
		if !has(other) {
			continue
		}
		f := &diag.Finding{Code: diag.RootKeyNotOnDC, Mode: "kds-not-replicated", Facts: append(facts, diag.Fact{Name: "on", Value: other.name}),
			SeenAs:  []string{seenTestFalse, "Directory Service event 2947"},
			Because: "the password was made with a root key that has not been replicated to this DC",
			Help:    []diag.Help{replicateHelp(dc)}}
		if len(other.rootKeys()) > 1 {
			f.Mode = "kds-multiple-keys"
		}
		return f
	}
	f := &diag.Finding{
		Code: diag.RootKeyGone, Mode: "kds-deleted-recreated-cache", Facts: facts,
		SeenAs:  []string{seenTestFalse, "Directory Service event 2947"},
		Because: "the root key was deleted; DCs that have used it remember it until their key distribution service restarts, others cannot derive the password",
	}
	again := d.recreate(dc, account, nil)
	if d.rootKeyFinding(dc) != nil {
		helps := d.keyHelps(dc)
		again.Do = append(helps[1].Do, again.Do...)
		again.Command = helps[1].Command + "; " + again.Command
	}
	f.Help = []diag.Help{again, {Text: "restore the key's object from a backup, authoritatively, and restart the service on every DC", Command: "Restart-Service KdsSvc"}}
	return f
}

// findNothingToGive tells why an account has no password to give for anybody; nil when the reader is the cause.
func (d *Domain) findNothingToGive(s *stepError) *diag.Finding {
	if s.dc.replica.Before2012() {
		return d.findOldDC(s.dc)
	}
	e, err := d.managedEntry(s.dc, s.account)
	if err != nil {
		return nil
	}
	for _, class := range e.Values("objectClass") {
		if !strings.EqualFold(string(class), classStandalone) {
			continue
		}
		return &diag.Finding{
			Code: diag.NotGroupAccount, Mode: "acct-smsa-not-gmsa",
			Facts:   []diag.Fact{{Name: "account", Value: s.account}, {Name: "objectClass", Value: classStandalone}, {Name: "DC", Value: s.dc.name}},
			SeenAs:  []string{"Test-ADServiceAccount : False, WARNING: The Managed Service Account … is not linked with any computer object in the directory."},
			Because: "a standalone managed service account belongs to one computer, which sets its password; DCs give out passwords of group accounts only",
			Help: []diag.Help{d.recreate(s.dc, s.account, func(a *ServiceAccount) {
				if len(a.AllowedToRetrieve) == 0 && s.logon != nil {
					a.AllowedToRetrieve = []string{s.logon.account}
				}
			})},
		}
	}
	return nil
}

// lostAccess tells that a reader who is refused held a password until its time was over: what was taken from it is noticed at the change.
func (d *Domain) lostAccess(s *stepError) bool {
	h, ok := d.FindHost(s.logon.account)
	if !ok {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	kept := h.managed[strings.ToLower(strings.TrimSuffix(s.account, "$"))+"$"]
	return kept != nil && !h.now().Before(kept.Read.Add(kept.QueryInterval))
}

// laterLoss makes of a denial one that was noticed late. Containers run, so the host's tickets go without a restart.
func (d *Domain) laterLoss(f *diag.Finding, s *stepError) {
	f.Mode = "rot-host-lost-access"
	h, ok := d.FindHost(s.logon.account)
	if !ok {
		return
	}
	restart, purge := flowStep("restartHost", arg{"", h.Name()}), flowStep("purgeTickets", arg{"host", h.Name()})
	for _, help := range f.Help {
		if i := slices.Index(help.Do, restart); i >= 0 {
			do := slices.Clone(help.Do)
			do[i] = purge
			f.Help = append([]diag.Help{{Text: "give the host its access back, and let go of its old tickets", Command: help.Command + "; klist -li 0x3e7 purge", Do: do}}, f.Help...)
			return
		}
	}
}

// findPasswords is about a managed password that a DC does not take: it compares what the DCs store of it, and what the host has. nil: the
// account is no service account, or its password is simply another.
func (d *Domain) findPasswords(account string, dc *DC, s *stepError) *diag.Finding {
	a, err := dc.replica.AccountByName(directory.Principal, account)
	if err != nil || !a.ServiceAccount {
		return nil
	}
	facts := []diag.Fact{{Name: "account", Value: a.SAMAccountName}, {Name: "DC", Value: dc.name}}
	seen := []string{"KDC_ERR_PREAUTH_FAILED (0x18)", seenTrust, "nltest /sc_verify: 5 0x5 ERROR_ACCESS_DENIED"}
	name := strings.TrimSuffix(a.SAMAccountName, "$")
	if !a.ManagedPassword() {
		f := &diag.Finding{Code: diag.PasswordOverwritten, Mode: "rot-manual-reset", Facts: append(facts, d.passwordFacts(account, dc)[2:]...), SeenAs: seen,
			Because: "the DC holds a password that somebody wrote, and hosts still get the one that is derived from the root key; the next change by the DC ends it",
			Help:    []diag.Help{d.recreate(dc, name, nil)}}
		if r, err := d.Rotation(account); err == nil {
			now := d.Clock.Now()
			f.Help = append(f.Help, waitHelp("or wait for the next change of the password", r.Start(int(now.Sub(r.first)/r.length)+1).Sub(now)))
		}
		return f
	}
	if f := d.comparePasswords(name, dc, facts, seen); f != nil {
		return f
	}
	return d.findKeptPassword(name, dc, facts, seen, s)
}

// comparePasswords looks whether another DC has another password of the account.
func (d *Domain) comparePasswords(name string, dc *DC, facts []diag.Fact, seen []string) *diag.Finding {
	here, err := d.managedEntry(dc, name)
	if err != nil {
		return nil
	}
	id := d.passwordID(dc, name)
	for _, other := range dc.peers() {
		there, err := d.managedEntry(other, name)
		otherID := d.passwordID(other, name)
		if other == dc || err != nil || id == nil || otherID == nil {
			continue
		}
		f := &diag.Finding{Code: diag.PasswordsDiffer, SeenAs: seen, Help: []diag.Help{convergeHelp(dc, other)},
			Facts: append(facts, diag.Fact{Name: dc.name, Value: idText(id)}, diag.Fact{Name: other.name, Value: idText(otherID)})}
		switch {
		case !bytes.Equal([]byte(here.Value("objectSid")), []byte(there.Value("objectSid"))):
			f.Mode = "repl-lingering"
			f.Because = "the account was deleted and made anew, and a DC that takes no changes still has the old one, with another SID and so another password"
		case id.RootKeyID != otherID.RootKeyID:
			f.Mode = "kds-multiple-keys"
			f.Because = "each DC takes the root key that was created last of those that it has, and one of them lacks a key: from the same change on they derive different passwords"
		case id.Interval != otherID.Interval:
			f.Mode = "repl-password-id"
			f.Because = "one DC has changed the password already and another has not noticed that it is time; what is read from the one is not taken by the other"
			f.Help = append([]diag.Help{waitHelp("wait a few minutes, and read the password again", kds.MaxClockSkew)}, f.Help...)
		default:
			continue
		}
		return f
	}
	return nil
}

// convergeHelp lets two DCs have the same.
func convergeHelp(a, b *DC) diag.Help {
	h := replicateHelp(a)
	if b.replica.Isolated() && !a.replica.Isolated() {
		h = replicateHelp(b)
		a, b = b, a
	}
	h.Do = append(h.Do, flowStep("replicate", arg{"", b.name}))
	return h
}

func idText(id *kds.ManagedPasswordID) string {
	return fmt.Sprintf("key %s, from %s", id.RootKeyID.String()[:8], id.Interval.Start().UTC().Format(timeForm))
}

// findKeptPassword is about a host that goes on with a password that it has kept over a change.
func (d *Domain) findKeptPassword(name string, dc *DC, facts []diag.Fact, seen []string, s *stepError) *diag.Finding {
	if s.logon == nil {
		return nil
	}
	hostName, _, _ := strings.Cut(s.logon.st.name, "/")
	h, ok := d.FindHost(hostName)
	if !ok {
		return nil
	}
	h.mu.Lock()
	kept := h.managed[strings.ToLower(name)+"$"]
	h.mu.Unlock()
	if kept == nil || h.now().Before(kept.Read.Add(kept.QueryInterval)) {
		return nil
	}
	f := &diag.Finding{Code: diag.BadCredentials, Mode: "rot-running-container", SeenAs: seen,
		Facts: append(facts, diag.Fact{Name: "host", Value: h.Name()}, diag.Fact{Name: "read", Value: kept.Read.UTC().Format(timeForm)},
			diag.Fact{Name: "good until", Value: kept.Read.Add(kept.QueryInterval).UTC().Format(timeForm)}),
		Because: "the password has changed, and the host could not read the new one; it goes on with the one that it has kept"}
	if r, err := d.Rotation(name); err == nil && r.length <= 24*time.Hour {
		f.Mode = "rot-short-interval"
		f.Because += "; with an interval of one day that takes less than a day"
	}
	f.Help = []diag.Help{openHelp(h)}
	return f
}

// openHelp opens what is closed for a host.
func openHelp(h *Host) diag.Help {
	h.station.mu.Lock()
	defer h.station.mu.Unlock()
	help := diag.Help{Text: "let the host reach a DC again", Command: allowRules(h.closed)}
	for _, port := range h.closed {
		help.Do = append(help.Do, flowStep("openPort", arg{"host", h.Name()}, arg{"port", port}))
	}
	return help
}

// readersOf are the names of the principals that may retrieve the password.
func (d *Domain) readersOf(dc *DC, e *directory.Entry) []string {
	var names []string
	for _, ace := range retrieveACEsOf([]byte(e.Value("msDS-GroupMSAMembership"))) {
		names = append(names, d.nameOfSID(dc, ace.SID))
	}
	return names
}

// intervalError: the interval of an account was to be changed.
type intervalError struct {
	before, after int
	err           error
}

func (e *intervalError) Error() string { return e.err.Error() }

// Unwrap gives the directory's refusal.
func (e *intervalError) Unwrap() error { return e.err }

func (e *intervalError) finding(d *Domain, s *stepError) *diag.Finding {
	return &diag.Finding{
		Code: diag.ChangeRefused, Mode: "acct-interval-immutable",
		Facts:   []diag.Fact{{Name: "account", Value: s.account}, {Name: "msDS-ManagedPasswordInterval", Value: fmt.Sprintf("%d, wanted %d", e.before, e.after)}, {Name: "answer", Value: e.Error()}},
		SeenAs:  []string{"Set-ADServiceAccount : A parameter cannot be found that matches parameter name 'ManagedPasswordIntervalInDays'."},
		Because: "the interval is fixed when the account is made: every DC computes the times of all passwords from it",
		Help:    []diag.Help{d.recreate(s.dc, s.account, func(a *ServiceAccount) { a.IntervalDays = e.after })},
	}
}
