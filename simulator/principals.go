package simulator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc"
	"github.com/gmsasim/gmsasim/fakekdc/pac"
)

// principals is the realm of a KDC: the accounts in its DC's replica.
type principals struct{ dc *DC }

var (
	_ fakekdc.Principals      = principals{}
	_ fakekdc.Authorizer      = principals{}
	_ fakekdc.Truster         = principals{}
	_ fakekdc.PasswordChanger = principals{}
	_ fakekdc.LogonRecorder   = principals{}
)

// Bits of userAccountControl that a KDC goes by ([MS-ADTS] 2.2.16), besides those of objects.go.
const (
	uacServerTrust    = 0x2000
	uacDontExpire     = 0x10000
	uacNotDelegated   = 0x100000
	uacNoPreauth      = 0x400000
	uacTrustedToAuth  = 0x1000000
	uacNoAuthData     = 0x2000000
	ridProtectedUsers = 525
	ldapUnwilling     = 53
	ticksPerUnit      = 100 * time.Nanosecond
)

// Well-known SIDs in PACs ([MS-DTYP] 2.4.2.4).
var (
	sidAuthenticationAsserted = security.MustSID("S-1-18-1") // the KDC has seen proof of the client's key
	sidEnterpriseDCs          = security.MustSID("S-1-5-9")
)

// Client finds whom a client name means ([MS-KILE] 3.3.5.6.1). A user principal name of another domain of the forest leads there.
func (p principals) Client(ctx context.Context, name fakekdc.Name) (*fakekdc.Principal, error) {
	kind := directory.Principal
	name = p.localName(name)
	if name.Type == fakekdc.NameEnterprise {
		kind = directory.Enterprise
	}
	a, err := p.dc.replica.AccountByName(kind, name.String())
	if errors.Is(err, directory.ErrNoAccount) && kind == directory.Enterprise {
		if other := p.dc.replica.DomainOfUPN(name.String()); other != nil {
			return nil, &fakekdc.WrongRealmError{Realm: other.Realm}
		}
	}
	pr, err := p.principal(ctx, a, err)
	if err == nil && a.Disabled {
		pr.Restriction = fakekdc.StatusAccountDisabled // krbtgt too, which as a server is the KDC's own key all the same
	}
	return pr, err
}

// nameMSPrincipal is the type of a Windows NT style name, DOMAIN\account (KRB_NT_MS_PRINCIPAL of the Windows headers; impacket asks by it).
const nameMSPrincipal = -128

// localName takes the name of the DC's own domain off DOMAIN\account.
func (p principals) localName(name fakekdc.Name) fakekdc.Name {
	if name.Type != nameMSPrincipal || len(name.Parts) != 1 {
		return name
	}
	domain, account, ok := strings.Cut(name.Parts[0], `\`)
	if ok && p.dc.d.forest.Domain(domain) == p.dc.dom {
		name.Parts = []string{account}
	}
	return name
}

// Server finds the account of a service ([MS-KILE] 3.3.5.1.1).
func (p principals) Server(ctx context.Context, name fakekdc.Name) (*fakekdc.Principal, error) {
	name = p.localName(name)
	if name.EqualFold(fakekdc.Name{Parts: []string{"krbtgt", p.dc.dom.Realm}}) {
		a, err := p.dc.replica.AccountByName(directory.Principal, "krbtgt")
		return p.principal(ctx, a, err)
	}
	var a *directory.Account
	var err error
	switch {
	case name.Type == fakekdc.NameEnterprise && len(name.Parts) == 1:
		a, err = p.dc.replica.AccountByName(directory.Enterprise, name.Parts[0])
	case len(name.Parts) == 1:
		a, err = p.dc.replica.AccountByName(directory.Principal, name.Parts[0])
	default:
		a, err = p.dc.replica.AccountBySPN(name.String())
		if errors.Is(err, directory.ErrNoAccount) && doorOf(ctx) == nil && p.dc.listensAs(name) {
			a, err = p.dc.replica.AccountByName(directory.Principal, p.dc.name+"$")
		}
	}
	if err == nil && !a.Computer && len(a.SPNs) == 0 && !strings.EqualFold(a.SAMAccountName, "krbtgt") {
		// A user who offers no service, measured with Samba; kerberoasting tools find the same with Windows.
		return nil, fmt.Errorf("%w: %s has no service principal name", fakekdc.ErrUnknown, a.SAMAccountName)
	}
	return p.principal(ctx, a, err)
}

// listensAs tells whether a service principal name is LDAP at the place where outside clients reach this DC: ldap/127.0.0.1 or
// ldap/localhost. Active Directory has no such names. Clients that find a DC by an address and a port of the system's choice have no
// other one to ask for.
func (dc *DC) listensAs(name fakekdc.Name) bool {
	return len(name.Parts) == 2 && strings.EqualFold(name.Parts[0], "ldap") &&
		(strings.EqualFold(name.Parts[1], "localhost") || name.Parts[1] == dc.d.addressOf(dc))
}

// principal makes a KDC's principal of an account, and a KDC's error of the directory's.
func (p principals) principal(ctx context.Context, a *directory.Account, err error) (*fakekdc.Principal, error) {
	switch {
	case errors.Is(err, directory.ErrNoAccount):
		return nil, fmt.Errorf("%w: %w", fakekdc.ErrUnknown, err)
	case errors.Is(err, directory.ErrDuplicateSPN):
		return nil, fmt.Errorf("%w: %w", fakekdc.ErrDuplicate, err)
	case err != nil:
		return nil, err
	}
	uac := a.UserAccountControl
	krbtgt := strings.EqualFold(a.SAMAccountName, "krbtgt")
	pr := &fakekdc.Principal{
		Name:                       fakekdc.Name{Type: fakekdc.NamePrincipal, Parts: []string{a.SAMAccountName}},
		SID:                        a.SID,
		Keys:                       func(ctx context.Context) (fakekdc.KeySet, error) { return keysOf(ctx, a) },
		SupportedETypes:            a.SupportedETypes,
		DomainController:           a.DomainController || krbtgt,
		NoPreauth:                  uac&uacNoPreauth != 0,
		NotDelegated:               uac&uacNotDelegated != 0,
		NoAuthData:                 uac&uacNoAuthData != 0,
		ServiceAccount:             a.Computer,
		TrustedForDelegation:       uac&uacTrustedForDelegation != 0,
		TrustedToAuthForDelegation: uac&uacTrustedToAuth != 0,
		AllowedToDelegateTo:        a.AllowedToDelegateTo,
		AllowedToAct:               a.AllowedToAct,
		ProtectedUser:              !krbtgt && p.protected(a),
		Account:                    a,
	}
	switch {
	case krbtgt:
		// It is disabled as an account and still the KDC's own key.
	case a.Disabled:
		pr.Restriction = fakekdc.StatusAccountDisabled
	case a.Locked:
		pr.Restriction = fakekdc.StatusAccountLockedOut
	case a.Expired:
		pr.Restriction = fakekdc.StatusAccountExpired
	case !withinLogonHours(a.LogonHours, p.dc.d.Clock.Now()):
		pr.Restriction = fakekdc.StatusInvalidLogonHours
	}
	switch {
	case a.MustChangePassword:
		pr.PasswordStatus = fakekdc.StatusPasswordMustChange
	case a.PasswordExpired:
		pr.PasswordStatus = fakekdc.StatusPasswordExpired
	}
	if !a.PwdMustChange.IsZero() {
		// The directory counts in domain time, a client on a socket in the machine's.
		pr.PasswordExpires = a.PwdMustChange.Add(p.dc.d.timeAt(ctx).Sub(p.dc.d.Clock.Now()))
		if door := doorOf(ctx); door != nil {
			pr.PasswordExpires = a.PwdMustChange
		}
	}
	return pr, nil
}

// protected tells whether the account is in Protected Users, directly or through another group.
func (p principals) protected(a *directory.Account) bool {
	return slices.ContainsFunc(p.dc.replica.GlobalGroups(a), func(g directory.GroupMembership) bool {
		return g.SID.RID() == ridProtectedUsers && g.SID.Domain() == a.Domain.SID
	})
}

// withinLogonHours reads the bit of the hour in logonHours: 21 octets, the first bit Sunday midnight UTC ([MS-SAMR] 2.2.6.5).
func withinLogonHours(hours []byte, now time.Time) bool {
	now = now.UTC()
	bit := int(now.Weekday())*24 + now.Hour()
	return bit/8 >= len(hours) || hours[bit/8]&(1<<(bit%8)) != 0
}

// keysOf gives the keys of an account; those of a service account change when its password is due.
func keysOf(ctx context.Context, a *directory.Account) (fakekdc.KeySet, error) {
	set, err := a.Keys(ctx)
	if err != nil {
		return fakekdc.KeySet{}, err
	}
	keys := fakekdc.KeySet{Keys: set.Keys, Version: set.Version, Salt: set.Salt}
	if previous := a.PreviousKeys(ctx); previous != nil {
		keys.Previous = previous.Keys
	}
	return keys, nil
}

func accountOf(p *fakekdc.Principal) *directory.Account {
	a, _ := p.Account.(*directory.Account)
	return a
}

// samControl translates userAccountControl to the bits of SAM ([MS-SAMR] 2.2.1.12, 3.1.5.14.2).
var samControl = [...]struct{ uac, sam uint32 }{
	{uacDisabled, pac.UserAccountDisabled},
	{uacNormal, pac.UserNormalAccount},
	{uacWorkstationTrust, pac.UserWorkstationTrust},
	{uacServerTrust, pac.UserServerTrust},
	{uacDontExpire, pac.UserDontExpirePassword},
	{uacTrustedForDelegation, pac.UserTrustedForDelegation},
	{uacNotDelegated, pac.UserNotDelegated},
	{uacNoPreauth, pac.UserDontRequirePreauth},
	{uacTrustedToAuth, pac.UserTrustedToAuthForDelegation},
}

// Authorize is what the PAC of a fresh sign-in says ([MS-PAC] 2.5; values as seen in tickets of Windows Server 2022).
func (p principals) Authorize(ctx context.Context, client *fakekdc.Principal) (*pac.PAC, error) {
	a := accountOf(client)
	groups := p.dc.replica.GlobalGroups(a)
	if door := doorOf(ctx); door != nil && door.groups != nil {
		groups = *door.groups // a sign-in that is made up for sees the memberships of its time
	}
	info := &pac.LogonInfo{
		LogonTime: a.LastLogon, LogoffTime: pac.Never(), KickOffTime: pac.Never(),
		PasswordLastSet: a.PwdLastSet, PasswordCanChange: a.PwdCanChange, PasswordMustChange: a.PwdMustChange,
		EffectiveName: a.SAMAccountName, FullName: a.DisplayName,
		LogonCount: uint16(min(a.LogonCount, 1<<16-1)), BadPasswordCount: uint16(min(a.BadPasswordCount, 1<<16-1)),
		UserID: a.SID.RID(), PrimaryGroupID: a.PrimaryGroupID,
		UserFlags:   pac.UserFlagExtraSIDs,
		LogonServer: strings.ToUpper(p.dc.name), LogonDomainName: p.dc.dom.NetBIOSName, LogonDomainID: p.dc.dom.SID,
		ExtraSIDs: []pac.SIDAndAttributes{{SID: sidAuthenticationAsserted, Attributes: pac.GroupDefault}},
	}
	if a.PwdMustChange.IsZero() {
		info.PasswordMustChange = pac.Never()
	}
	for _, bits := range samControl {
		if a.UserAccountControl&bits.uac != 0 {
			info.UserAccountControl |= bits.sam
		}
	}
	if a.DomainController {
		info.ExtraSIDs = append(info.ExtraSIDs, pac.SIDAndAttributes{SID: sidEnterpriseDCs, Attributes: pac.GroupDefault})
	}
	for _, g := range groups {
		if g.SID.Domain() == p.dc.dom.SID {
			info.Groups = append(info.Groups, pac.GroupMembership{RID: g.SID.RID(), Attributes: g.Attributes})
		} else {
			info.ExtraSIDs = append(info.ExtraSIDs, pac.SIDAndAttributes{SID: g.SID, Attributes: g.Attributes})
		}
	}
	upn := &pac.UPNDNSInfo{UPN: a.UserPrincipalName, DNSDomain: p.dc.dom.Realm, Flags: pac.UPNExtended, SAMAccountName: a.SAMAccountName, SID: a.SID}
	if a.UPN == "" {
		upn.Flags |= pac.UPNConstructed
	}
	return &pac.PAC{LogonInfo: info, UPNDNSInfo: upn}, nil
}

// ResourceGroups are the domain-local groups that a service ticket adds ([MS-KILE] 3.3.5.7.3).
func (p principals) ResourceGroups(_ context.Context, _ *fakekdc.Principal, sids []security.SID) (security.SID, []pac.GroupMembership, error) {
	var groups []pac.GroupMembership
	for _, g := range p.dc.replica.ResourceGroups(sids) {
		groups = append(groups, pac.GroupMembership{RID: g.SID.RID(), Attributes: g.Attributes})
	}
	return p.dc.dom.SID, groups, nil
}

// Locate asks the other domains of the forest, as a KDC asks a global catalog.
func (p principals) Locate(_ context.Context, name fakekdc.Name) (string, error) {
	if dom := p.dc.replica.DomainOfSPN(name.String()); dom != nil {
		return dom.Realm, nil
	}
	return "", nil
}

// Trust finds the trust that leads to a realm of the forest: with it, or with the domain that is next on the way there.
func (p principals) Trust(_ context.Context, realm string) (*fakekdc.Trust, error) {
	target := p.dc.d.forest.Domain(realm)
	if target == nil || target == p.dc.dom {
		return nil, fmt.Errorf("%w: no trust leads to %s", fakekdc.ErrUnknown, realm)
	}
	next := p.dc.d.nextDomain(p.dc.dom, target)
	if next == nil {
		return nil, fmt.Errorf("%w: no trust leads to %s", fakekdc.ErrUnknown, realm)
	}
	return &fakekdc.Trust{Realm: next.Realm, Keys: func(context.Context) (fakekdc.KeySet, error) {
		keys, version := p.dc.replica.TrustKeys(next)
		return fakekdc.KeySet{Keys: keys, Version: version}, nil
	}}, nil
}

// nextDomain is the first domain on the shortest way over trusts; nil when there is no way.
func (d *Domain) nextDomain(from, to *directory.Domain) *directory.Domain {
	trusted := func(a *directory.Domain) []*directory.Domain {
		var list []*directory.Domain
		for _, b := range d.forest.Domains() {
			if keys, _ := d.firstDCOf(a).replica.TrustKeys(b); a != b && len(keys) > 0 {
				list = append(list, b)
			}
		}
		return list
	}
	first := map[*directory.Domain]*directory.Domain{from: nil}
	queue := []*directory.Domain{from}
	for len(queue) > 0 {
		a := queue[0]
		queue = queue[1:]
		for _, b := range trusted(a) {
			if _, seen := first[b]; seen {
				continue
			}
			if first[b] = first[a]; a == from {
				first[b] = b
			}
			if b == to {
				return first[b]
			}
			queue = append(queue, b)
		}
	}
	return nil
}

// ChangePassword is a change by the account itself.
func (p principals) ChangePassword(ctx context.Context, client *fakekdc.Principal, password string) error {
	a := accountOf(client)
	err := p.dc.replica.ChangePassword(ctx, a.SID, password)
	return p.passwordResult(ctx, a, password, err)
}

// SetPassword is a reset of target's password with the rights of caller.
func (p principals) SetPassword(ctx context.Context, caller *fakekdc.Principal, sids []security.SID, target *fakekdc.Principal, password string) error {
	a := accountOf(target)
	c := &directory.Caller{Token: p.dc.replica.Token(caller.SID, sids), Encrypted: true, Account: p.dc.dom.NetBIOSName + `\` + caller.Name.String()}
	err := p.dc.replica.SetPassword(ctx, c, a.SID, password)
	return p.passwordResult(ctx, a, password, err)
}

// passwordResult makes an answer of kpasswd of the directory's, and lets the domain remember a user's new password.
func (p principals) passwordResult(ctx context.Context, a *directory.Account, password string, err error) error {
	if err == nil {
		if !a.Computer {
			p.dc.d.setKnownPassword(a.SAMAccountName, password)
		}
		return nil
	}
	e, ok := errors.AsType[*directory.Error](err)
	switch {
	case !ok:
		return err
	case e.Result == ldapAccessRights:
		return &fakekdc.PasswordError{Result: fakekdc.PasswordAccessDenied, Text: "Access denied"}
	case e.Result == ldapConstraint || e.Result == ldapUnwilling:
		return &fakekdc.PasswordError{Result: fakekdc.PasswordSoftError, Policy: p.policy(ctx)}
	}
	return &fakekdc.PasswordError{Result: fakekdc.PasswordHardError, Text: e.Text}
}

// policy reads the domain's password policy; nil when it cannot be read.
func (p principals) policy(ctx context.Context) *fakekdc.PasswordPolicy {
	e, err := p.dc.replica.Get(ctx, directory.System(), p.dc.dom.DN, "minPwdLength", "pwdHistoryLength", "pwdProperties", "maxPwdAge", "minPwdAge")
	if err != nil {
		return nil
	}
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(e.Value(name), 10, 64) // absent: 0, which is no rule
		return n
	}
	age := func(name string) time.Duration { return time.Duration(-max(number(name), -1<<62/100)) * ticksPerUnit }
	return &fakekdc.PasswordPolicy{MinLength: uint32(number("minPwdLength")), History: uint32(number("pwdHistoryLength")),
		Properties: uint32(number("pwdProperties")), MaxAge: age("maxPwdAge"), MinAge: age("minPwdAge")}
}

// LogonSucceeded keeps the counters of the account.
func (p principals) LogonSucceeded(ctx context.Context, client *fakekdc.Principal) {
	accountOf(client).LogonSucceeded(ctx)
}

// LogonFailed keeps the counters of the account.
func (p principals) LogonFailed(ctx context.Context, client *fakekdc.Principal) {
	accountOf(client).LogonFailed(ctx)
}
