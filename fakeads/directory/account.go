package directory

import (
	"errors"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/dn"
	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// Lookup errors of accounts.
var (
	// ErrNoAccount: no account has this name.
	ErrNoAccount = errors.New("no such account")
	// ErrDuplicateSPN: more than one account has this service principal name.
	ErrDuplicateSPN = errors.New("service principal name is not unique")
	// ErrWrongPassword: the password is not the account's.
	ErrWrongPassword = errors.New("wrong password")
)

// isAccount tells whether an object can hold keys: users, computers and their subclasses.
func (e *entry) isAccount() bool { return e != nil && !e.deleted && e.is("user") }

func (v *view) accountOrNone(e *entry) (*Account, error) {
	if !e.isAccount() {
		return nil, ErrNoAccount
	}
	return v.account(e), nil
}

// AccountByName finds a client principal in the order of [MS-KILE] 3.3.5.6.1: sAMAccountName, userPrincipalName name@realm,
// sAMAccountName with $; altSecurityIdentities are not modelled. An enterprise name is a userPrincipalName, or a sAMAccountName at a
// name of the domain. ErrNoAccount
// when there is none.
func (r *Replica) AccountByName(kind NameKind, name string) (*Account, error) {
	v := r.view()
	if kind == Enterprise {
		return v.accountOrNone(v.byEnterpriseName(name))
	}
	if e := v.bySAM(name); e.isAccount() {
		return v.account(e), nil
	}
	if e := v.oneByUPN(name + "@" + r.domain.DNSName); e != nil {
		return v.account(e), nil
	}
	return v.accountOrNone(v.bySAM(name + "$"))
}

// oneByUPN is the only account with that userPrincipalName; nil when there is none, or two that replication brought together.
func (v *view) oneByUPN(upn string) *entry {
	list := v.byUPN(upn)
	if len(list) == 1 && list[0].isAccount() {
		return list[0]
	}
	return nil
}

// byEnterpriseName finds name@suffix: a userPrincipalName, else an account of this domain when the suffix names it or there is
// none.
func (v *view) byEnterpriseName(name string) *entry {
	if e := v.oneByUPN(name); e != nil {
		return e
	}
	at := strings.LastIndexByte(name, '@')
	if at < 0 {
		return v.bySAMWithOrWithoutDollar(name) // as impacket asks for service accounts, of Windows and Samba too
	}
	if v.f.Domain(name[at+1:]) != v.r.domain {
		return nil
	}
	return v.bySAMWithOrWithoutDollar(name[:at])
}

func (v *view) bySAMWithOrWithoutDollar(name string) *entry {
	if e := v.bySAM(name); e.isAccount() {
		return e
	}
	return v.bySAM(name + "$")
}

// DomainOfUPN finds the other domain of the forest that an enterprise name belongs to, by a userPrincipalName in the global
// catalog or by the suffix: a KDC answers KDC_ERR_WRONG_REALM with its name (RFC 6806 7). nil: none.
func (r *Replica) DomainOfUPN(name string) *Domain {
	v := r.view()
	for _, d := range r.forest.domains {
		if d != r.domain && v.inDomain(d).oneByUPN(name) != nil {
			return d
		}
	}
	if at := strings.LastIndexByte(name, '@'); at >= 0 {
		if d := r.forest.Domain(name[at+1:]); d != nil && d != r.domain {
			return d
		}
	}
	return nil
}

// AccountByBindName finds the account a simple bind names: a DN, user@domain, DOMAIN\user, canonical name, GUID or SID string
// ([MS-ADTS] 5.1.1.1.1). Names of other domains of the forest are looked up there; a name alone means nobody. Names are as they
// are stored, a computer's with its $.
func (r *Replica) AccountByBindName(name string) (*Account, error) {
	v := r.view()
	if d, err := dn.Parse(name); err == nil && !d.IsZero() {
		return v.accountOrNone(v.byDN(d))
	}
	if netBIOS, sam, ok := strings.Cut(name, `\`); ok {
		d := r.forest.Domain(netBIOS)
		if d == nil {
			return nil, ErrNoAccount
		}
		w := v.inDomain(d)
		return w.accountOrNone(w.bySAM(sam))
	}
	if at := strings.LastIndexByte(name, '@'); at >= 0 {
		return v.byMailLikeName(name, at)
	}
	if path, rest, ok := strings.Cut(name, "/"); ok {
		return v.byCanonicalName(path, rest)
	}
	if g, err := security.ParseGUID(name); err == nil {
		return v.accountOrNone(v.byGUID(g))
	}
	if sid, err := security.ParseSID(name); err == nil {
		return v.accountOrNone(v.bySID(sid))
	}
	return nil, ErrNoAccount
}

func (v *view) byMailLikeName(name string, at int) (*Account, error) {
	for _, d := range v.f.domains {
		w := v.inDomain(d)
		if e := w.oneByUPN(name); e != nil {
			return w.account(e), nil
		}
	}
	if d := v.f.Domain(name[at+1:]); d != nil {
		w := v.inDomain(d)
		return w.accountOrNone(w.bySAM(name[:at]))
	}
	return nil, ErrNoAccount
}

// byCanonicalName finds contoso.com/Users/alice. A canonical name does not tell the types of its components, so objects of the
// last one's name are compared.
func (v *view) byCanonicalName(domain, path string) (*Account, error) {
	d := v.f.Domain(domain)
	if d == nil || !strings.EqualFold(d.DNSName, domain) {
		return nil, ErrNoAccount
	}
	w := v.inDomain(d)
	last := path
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '/' && path[i-1] != '\\' {
			last = path[i+1:]
			break
		}
	}
	for _, e := range w.byRDN(ncDomain, strings.ReplaceAll(last, `\/`, "/")) {
		if e.isAccount() && strings.EqualFold(dn.CanonicalName(e.name), d.DNSName+"/"+path) {
			return w.account(e), nil
		}
	}
	return nil, ErrNoAccount
}

// byRDN are the live objects whose last name has that value, in any case.
func (v *view) byRDN(k ncKind, value string) []*entry {
	norm := foldKey(value)
	s := v.store(k)
	h := hashOf(xRDN, norm)
	var list []*entry
	for id := s.index.first(h, 0); id != 0; id = s.index.first(h, id) {
		if e := s.records.get(id).entry; !e.deleted && equalFolded(e.rdn[0], []byte(norm)) {
			list = append(list, e)
		}
	}
	return list
}

// AccountBySID finds an account of this domain.
func (r *Replica) AccountBySID(sid security.SID) (*Account, error) {
	v := r.view()
	return v.accountOrNone(v.bySID(sid))
}

// AccountByDN finds an account by distinguished name.
func (r *Replica) AccountByDN(name string) (*Account, error) {
	v := r.view()
	return v.accountOrNone(v.byName(name))
}

// account is the snapshot of an account, with what userAccountControl, the domain's policy and the time make of it.
func (v *view) account(e *entry) *Account {
	d := v.r.domain
	l := v.rs.logons.get(e.id)
	uac := uint32(e.int(aUserAccountControl))
	a := &Account{
		SAMAccountName: e.text(aSAMAccountName), DN: e.name.String(), SID: e.sid, GUID: e.guid,
		UPN: e.text(aUserPrincipalName), DNSHostName: e.text(aDNSHostName), DisplayName: e.text(aDisplayName),
		SPNs: e.texts(aServicePrincipalName), UserAccountControl: uac, SupportedETypes: uint32(e.int(aMsDSSupportedEncryptionTypes)),
		PrimaryGroupID: uint32(e.int(aPrimaryGroupID)), ServiceAccount: e.is(classGMSA),
		Computer: e.is("computer"), DomainController: uac&uacServerTrust != 0, Disabled: uac&uacAccountDisabled != 0,
		LastLogon: filetime(int64(l.lastLogon)), LogonCount: int(l.logonCount), BadPasswordCount: int(l.badPwdCount),
		LogonHours: e.value(aLogonHours), AllowedToDelegateTo: e.texts(aMsDSAllowedToDelegateTo), Domain: d, replica: v.r, entry: e,
	}
	a.UserPrincipalName = a.UPN
	if a.UPN == "" {
		a.UserPrincipalName = a.SAMAccountName + "@" + d.DNSName
	}
	if n := e.int(aAccountExpires); n != 0 && n != neverExpires {
		a.AccountExpires = filetime(n)
		a.Expired = !v.now.Before(a.AccountExpires)
	}
	if b := e.value(aMsDSAllowedToActOnBehalfOfOtherIdentity); b != nil {
		if sd, err := security.ParseDescriptor(b); err == nil { // damaged: nobody is allowed
			a.AllowedToAct = sd
		}
	}
	p := v.passwordPolicy()
	a.Locked = p.locked(e, v.now)
	a.passwordTimes(p, v.now)
	return a
}

// passwordTimes says when the password was set, and from when and until when it can and must be changed ([MS-ADTS]
// 3.1.1.4.5.31). Passwords of machines do not expire.
func (a *Account) passwordTimes(p *passwordPolicy, now time.Time) {
	a.PwdLastSet = filetime(a.entry.int(aPwdLastSet))
	machine := a.UserAccountControl&(uacWorkstationTrust|uacServerTrust|uacInterdomainTrust) != 0
	expires := !machine && a.UserAccountControl&(uacDontExpirePassword|uacSmartcardRequired) == 0
	if a.PwdLastSet.IsZero() {
		a.MustChangePassword = expires
		return
	}
	a.PwdCanChange = a.PwdLastSet
	if !machine {
		a.PwdCanChange = a.PwdLastSet.Add(p.minAge)
	}
	if expires && p.maxAge > 0 {
		a.PwdMustChange = a.PwdLastSet.Add(p.maxAge)
		a.PasswordExpired = !now.Before(a.PwdMustChange)
	}
}

// filetime is a stored time, zero for 0.
func filetime(n int64) time.Time {
	if n <= 0 {
		return time.Time{}
	}
	return kds.FILETIME(n).Time()
}

// passwordPolicy is the domain's.
func (v *view) passwordPolicy() *passwordPolicy {
	head := v.head(ncDomain)
	if head == nil {
		return &passwordPolicy{} // while the domain is being made
	}
	// Durations are stored as negative ticks of 100 ns; the least number there is means for ever.
	duration := func(a attrID) time.Duration {
		n := head.int(a)
		if n >= 0 || n < -int64(1<<63-1)/100 {
			return 0
		}
		return time.Duration(-n * 100)
	}
	return &passwordPolicy{
		minLength: int(head.int(aMinPwdLength)), history: int(head.int(aPwdHistoryLength)), complex: head.int(aPwdProperties)&domainPasswordComplex != 0,
		minAge: duration(aMinPwdAge), maxAge: duration(aMaxPwdAge), lockoutThreshold: int(head.int(aLockoutThreshold)),
		lockoutDuration: duration(aLockoutDuration), lockoutWindow: duration(aLockOutObservationWindow),
	}
}

// saltOf is the salt of an account's next password.
func (v *view) saltOf(e *entry) string {
	return saltOf(v.r.domain.DNSName, v.r.domain.Realm, e.text(aSAMAccountName), e.text(aUserPrincipalName), uint32(e.int(aUserAccountControl)))
}
