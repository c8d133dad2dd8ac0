package fakekdc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
	"github.com/gmsasim/gmsasim/fakekdc/pac"
)

// Errors of [Principals]. Any other error makes the KDC answer KRB_ERR_GENERIC (60).
var (
	// ErrUnknown: there is no such principal. The answer is error 6 or 7.
	ErrUnknown = errors.New("no such principal")
	// ErrDuplicate: more than one account has the service principal name. Active Directory answers error 7, not 8, and logs System
	// event 11.
	ErrDuplicate = errors.New("service principal name is not unique")
)

// WrongRealmError says that a client belongs to another realm that the KDC knows; it answers KDC_ERR_WRONG_REALM (68) and names the
// realm (RFC 6806 7).
type WrongRealmError struct{ Realm string }

func (e *WrongRealmError) Error() string { return "client of realm " + e.Realm }

// Principals is what a KDC knows of its realm. What implements it may also implement [Authorizer], [Truster], [PasswordChanger] and
// [LogonRecorder]. All methods must be safe for concurrent use; ctx is the one given to [KDC.Exchange].
type Principals interface {
	// Client finds whom a client name of this realm means. For Active Directory the order is [MS-KILE] 3.3.5.6.1: sAMAccountName,
	// userPrincipalName, sAMAccountName with $. A name of type NameEnterprise has one part that holds a userPrincipalName and may
	// belong to another realm: *WrongRealmError.
	Client(ctx context.Context, name Name) (*Principal, error)
	// Server finds the account that holds a service principal name, exactly or through an alias, or is named by one part as
	// clients are ([MS-KILE] 3.3.5.1.1). The KDC asks for its own key as krbtgt/REALM, with the realm as in [KDC.Realm]; other
	// names that begin with krbtgt never come here.
	Server(ctx context.Context, name Name) (*Principal, error)
}

// Principal is an account at the moment of the question.
type Principal struct {
	// Name is the stored name, one part: "WebApp01$". Replies carry it when the client asked for canonicalisation.
	Name Name
	// SID tells accounts apart, also one that was deleted and made anew under its old name. Without an [Authorizer] it may be zero;
	// then Name does.
	SID security.SID
	// Keys gives the long-term keys. It is called only when a key is needed, because deriving one costs milliseconds.
	Keys func(ctx context.Context) (KeySet, error)
	// SupportedETypes is msDS-SupportedEncryptionTypes ([MS-KILE] 2.2.7); 0 when absent: [Policy] decides.
	SupportedETypes uint32
	// DomainController accounts and krbtgt are taken to support every encryption type, whatever SupportedETypes says.
	DomainController bool

	// Restriction keeps the account from signing in: StatusAccountDisabled and the like, 0 for none.
	Restriction Status
	// PasswordStatus is StatusPasswordExpired or StatusPasswordMustChange when only kadmin/changepw may be had, otherwise 0.
	PasswordStatus Status
	// PasswordExpires is sent to the client as key-expiration; zero: never.
	PasswordExpires time.Time

	NoPreauth      bool // DONT_REQ_PREAUTH
	ProtectedUser  bool // member of Protected Users: tickets of 4 hours, no RC4, no delegation
	NotDelegated   bool // NOT_DELEGATED: "account is sensitive and cannot be delegated"
	NoAuthData     bool // NO_AUTH_DATA_REQUIRED: tickets for this service carry no PAC
	ServiceAccount bool // a user-to-user or S4U2Self target even without a service principal name

	TrustedForDelegation       bool     // unconstrained: tickets for it have ok-as-delegate
	TrustedToAuthForDelegation bool     // S4U2Self gives it forwardable tickets
	AllowedToDelegateTo        []string // msDS-AllowedToDelegateTo: constrained
	// AllowedToAct is msDS-AllowedToActOnBehalfOfOtherIdentity: resource-based constrained delegation; nil: nobody.
	AllowedToAct *security.Descriptor

	// Account is the implementation's own; the KDC hands it back.
	Account any
}

// same tells whether two principals are the same account.
func (p *Principal) same(o *Principal) bool {
	if !p.SID.IsZero() || !o.SID.IsZero() {
		return p.SID == o.SID
	}
	return p.Name.EqualFold(o.Name)
}

// KeySet is one version of an account's long-term keys.
type KeySet struct {
	// Keys has one key per encryption type.
	Keys []*krbcrypt.Key
	// Version is msDS-KeyVersionNumber.
	Version int
	// Salt of the AES keys, for ETYPE-INFO2.
	Salt string
	// Previous are keys of version Version-1 that are still accepted: in pre-authentication for five minutes after the password of
	// a gMSA rolled, and for TGTs after a change of krbtgt's password.
	Previous []*krbcrypt.Key
}

func keyOf(keys []*krbcrypt.Key, etype int32) *krbcrypt.Key {
	for _, k := range keys {
		if k.EType == etype {
			return k
		}
	}
	return nil
}

// Authorizer gives what PACs say. A KDC whose Principals has it puts a PAC into every TGT, refuses TGTs without one, and checks
// that the requestor's SID still is the client's.
type Authorizer interface {
	// Authorize says what the PAC of a fresh logon holds: LogonInfo without resource groups, UPNDNSInfo, and claims in Raw. The
	// groups are global and universal ones; domain-local ones do not belong into a TGT ([MS-KILE] 3.3.5.6.3). It is called at AS
	// and S4U2Self. The result is not changed by the KDC and may be shared.
	Authorize(ctx context.Context, client *Principal) (*pac.PAC, error)
	// ResourceGroups are the domain-local groups of the server's domain that hold one of the SIDs, at any depth ([MS-KILE]
	// 3.3.5.7.3). It is called for each service ticket.
	ResourceGroups(ctx context.Context, server *Principal, sids []security.SID) (domain security.SID, groups []pac.GroupMembership, err error)
}

// Truster knows other realms.
type Truster interface {
	// Locate names the realm whose account holds a service principal name that is none of ours, as a KDC asks a global catalog:
	// "" when nobody has it.
	Locate(ctx context.Context, name Name) (realm string, err error)
	// Trust finds the trust that leads to a realm, in one step or as the first of several. ErrUnknown: no trust leads there.
	Trust(ctx context.Context, realm string) (*Trust, error)
}

// Trust is a two-way trust with another realm.
type Trust struct {
	// Realm is the other side.
	Realm string
	// Keys are shared by both sides, for krbtgt/OTHER here and krbtgt/HERE there.
	Keys func(ctx context.Context) (KeySet, error)
	// SupportedETypes is msDS-SupportedEncryptionTypes of the trusted domain object; 0: the strongest key there is.
	SupportedETypes uint32
}

// PasswordChanger changes passwords for the kpasswd service. A refusal that is no *PasswordError is a hard error (2).
type PasswordChanger interface {
	// ChangePassword is a change by the account itself, which has proved its old password.
	ChangePassword(ctx context.Context, client *Principal, password string) error
	// SetPassword is a reset of target by caller, whose token has the SIDs: who may do that is for the implementation to say.
	SetPassword(ctx context.Context, caller *Principal, sids []security.SID, target *Principal, password string) error
}

// Result codes of RFC 3244 2.
const (
	PasswordSuccess             uint16 = 0
	PasswordMalformed           uint16 = 1
	PasswordHardError           uint16 = 2
	PasswordAuthError           uint16 = 3
	PasswordSoftError           uint16 = 4
	PasswordAccessDenied        uint16 = 5
	PasswordBadVersion          uint16 = 6
	PasswordInitialFlagRequired uint16 = 7
)

// PasswordError is the refusal of a password change.
type PasswordError struct {
	Result uint16 // PasswordSoftError and the like
	// Policy is sent instead of Text: Active Directory's clients make their own sentence of it.
	Policy *PasswordPolicy
	Text   string
}

func (e *PasswordError) Error() string {
	if e.Text != "" {
		return e.Text
	}
	return fmt.Sprintf("password change refused with result %d", e.Result)
}

// PasswordPolicy is the domain's policy as kpasswd sends it, 30 octets.
type PasswordPolicy struct {
	MinLength, History uint32
	Properties         uint32 // pwdProperties: 1 is DOMAIN_PASSWORD_COMPLEX
	MaxAge, MinAge     time.Duration
}

// LogonRecorder keeps counters of sign-ins: badPwdCount, lockout, lastLogon, logonCount.
type LogonRecorder interface {
	LogonSucceeded(ctx context.Context, client *Principal)
	// LogonFailed reports a wrong password.
	LogonFailed(ctx context.Context, client *Principal)
}
