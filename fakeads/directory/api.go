package directory

import (
	"context"
	"errors"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

var errNotYet = errors.New("directory: not built yet")

// Lookup errors of accounts.
var (
	// ErrNoAccount: no account has this name.
	ErrNoAccount = errors.New("no such account")
	// ErrDuplicateSPN: more than one account has this service principal name.
	ErrDuplicateSPN = errors.New("service principal name is not unique")
	// ErrWrongPassword: the password is not the account's.
	ErrWrongPassword = errors.New("wrong password")
)

// Populate adds objects as the system to the first domain controller of a
// domain and delivers them to every replica at once: the state before the
// story begins.
func (f *Forest) Populate(domain string, objects []AddRequest) error { return errNotYet }

// RestartKDS empties the Key Distribution Service's cache of root keys.
func (r *Replica) RestartKDS() {}

// AddRootKey does what Add-KdsRootKey does on this domain controller: it makes
// a root key with that effective time and returns its id.
func (r *Replica) AddRootKey(ctx context.Context, c *Caller, effective time.Time) (security.GUID, error) {
	return security.GUID{}, errNotYet
}

// Search runs a search. emit is called without any lock held.
func (r *Replica) Search(ctx context.Context, c *Caller, req *SearchRequest, emit func(*Entry) error) (SearchResult, error) {
	return SearchResult{}, errNotYet
}

// Get reads one object by DN; names as in SearchRequest.Attributes.
func (r *Replica) Get(ctx context.Context, c *Caller, dn string, names ...string) (*Entry, error) {
	return nil, errNotYet
}

// RootDSE is the entry with the empty name, [MS-ADTS] 3.1.1.3.2. wire is the
// time of the door the question came through, for currentTime.
func (r *Replica) RootDSE(c *Caller, attrs []string, wire time.Time) *Entry { return nil }

// Add makes an object.
func (r *Replica) Add(ctx context.Context, c *Caller, dn string, attrs []Attribute) error {
	return errNotYet
}

// Modify changes an object; permissive is control 1.2.840.113556.1.4.1413.
func (r *Replica) Modify(ctx context.Context, c *Caller, dn string, mods []Modification, permissive bool) error {
	return errNotYet
}

// ModifyDN renames or moves an object.
func (r *Replica) ModifyDN(ctx context.Context, c *Caller, dn, newRDN string, deleteOld bool, newSuperior string) error {
	return errNotYet
}

// Delete makes a tombstone; tree is control 1.2.840.113556.1.4.805.
func (r *Replica) Delete(ctx context.Context, c *Caller, dn string, tree bool) error {
	return errNotYet
}

// Compare tests one value.
func (r *Replica) Compare(ctx context.Context, c *Caller, dn, attr string, value []byte) (bool, error) {
	return false, errNotYet
}

// AccountByName finds a client principal in the order of [MS-KILE] 3.3.5.6.1:
// sAMAccountName, userPrincipalName name@realm, sAMAccountName with $.
// ErrNoAccount when there is none.
func (r *Replica) AccountByName(kind NameKind, name string) (*Account, error) {
	return nil, errNotYet
}

// AccountByBindName finds the account a simple bind names: a DN, user@domain,
// DOMAIN\user, canonical name, GUID or SID string.
func (r *Replica) AccountByBindName(name string) (*Account, error) { return nil, errNotYet }

// AccountBySPN finds the account that holds a service principal name, exactly
// or through sPNMappings. ErrDuplicateSPN after logging event 11.
func (r *Replica) AccountBySPN(spn string) (*Account, error) { return nil, errNotYet }

// DomainOfSPN finds the other domain of the forest whose account holds the
// name, as a KDC asks a global catalog before it makes a referral; nil: none.
func (r *Replica) DomainOfSPN(spn string) *Domain { return nil }

// AccountBySID finds an account of this domain.
func (r *Replica) AccountBySID(sid security.SID) (*Account, error) { return nil, errNotYet }

// AccountByDN finds an account by distinguished name.
func (r *Replica) AccountByDN(dn string) (*Account, error) { return nil, errNotYet }

// TrustKeys returns the inter-realm keys shared with another domain of the
// forest, strongest first, and their version; nil when there is no trust.
func (r *Replica) TrustKeys(other *Domain) (keys []*krbcrypt.Key, kvno int) { return nil, 0 }

// KeySet is a version of an account's long-term keys.
type KeySet struct {
	Keys    []*krbcrypt.Key // aes256, aes128, rc4
	Version int             // msDS-KeyVersionNumber
	Salt    string          // of the AES keys
}

// Keys returns the present keys. A gMSA whose password is due rolls here; the
// error then is a *kds.Error when no root key allows it.
func (a *Account) Keys(ctx context.Context) (*KeySet, error) { return nil, errNotYet }

// PreviousKeys are the keys of a gMSA's previous password while they are still
// accepted, five minutes after the roll; nil otherwise.
func (a *Account) PreviousKeys(ctx context.Context) *KeySet { return nil }

// CheckPassword compares a password (ErrWrongPassword) and keeps the account's
// counters: badPwdCount, lockout for everything but a gMSA, logonCount.
func (a *Account) CheckPassword(ctx context.Context, password string) error { return errNotYet }

// LogonFailed and LogonSucceeded keep the counters for a caller that has
// checked the credentials itself, such as a KDC.
func (a *Account) LogonFailed(ctx context.Context)    {}
func (a *Account) LogonSucceeded(ctx context.Context) {}

// ChangePassword is the change (old known) and SetPassword the reset of
// [MS-SAMR]; c decides the rights. *Error explains a refusal.
func (r *Replica) SetPassword(ctx context.Context, c *Caller, sid security.SID, password string) error {
	return errNotYet
}

// ChangePassword sets a new password for an account that has proved the old
// one; minimum age, length, complexity and history apply.
func (r *Replica) ChangePassword(ctx context.Context, sid security.SID, password string) error {
	return errNotYet
}

// GlobalGroups are the security-enabled global and universal groups of the
// account, nested ones included, primary group first: what a TGT carries.
func (r *Replica) GlobalGroups(a *Account) []GroupMembership { return nil }

// ResourceGroups are the domain-local groups of this domain that contain one
// of the SIDs, at any depth: what a service ticket adds. Builtin groups are
// not among them.
func (r *Replica) ResourceGroups(sids []security.SID) []GroupMembership { return nil }

// Token is the access token this domain controller's LSA makes of the SIDs of
// a PAC: it adds Everyone, Network, Authenticated Users and builtin groups.
func (r *Replica) Token(user security.SID, sids []security.SID) *security.Token { return nil }

// TokenFor is the token of a fresh logon at this domain controller, as for a
// simple bind.
func (r *Replica) TokenFor(a *Account) *security.Token { return nil }

// EncodePassword is the value of unicodePwd for a password: UTF-16LE in
// quotation marks ([MS-ADTS] 3.1.1.3.1.5).
func EncodePassword(password string) []byte { return krbcrypt.UTF16LE(`"` + password + `"`) }
