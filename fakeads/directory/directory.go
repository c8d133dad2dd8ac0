package directory

import (
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/filter"
	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// Config describes a forest when it is born. The zero value of every field has
// a meaning; only Domains must be given, the forest root domain first.
type Config struct {
	// Seed decides SIDs, GUIDs, generated passwords and root keys: the same
	// seed and the same sequence of calls give the same bytes.
	Seed uint64
	// Now is domain time. Nil stands still at 2019-05-03T10:00:00Z.
	Now func() time.Time
	// Domains of the forest, root first. A child's name ends in its parent's.
	Domains []DomainConfig
	// ReplicationDelay is the domain time between a write and its arrival on
	// the other domain controllers. 0: they see it at once.
	ReplicationDelay time.Duration
	// RootKeyPolicy decides how old a KDS root key must be to be used.
	RootKeyPolicy kds.Policy
	// Keys and Passwords remember derived keys; share them between forests of
	// one process. Nil derives anew.
	Keys      *krbcrypt.Cache
	Passwords *kds.Cache
	// DefaultETypes is DefaultDomainSupportedEncTypes of the KDC: the bits an
	// account without msDS-SupportedEncryptionTypes is taken to support.
	// 0 means 0x27 (updates of November 2022, CVE-2022-37966).
	DefaultETypes uint32
	// MaxPageSize and MaxValRange are the LDAP policies of these names;
	// 0 means 1000 and 1500 ([MS-ADTS] 3.1.1.3.4.6).
	MaxPageSize int
	MaxValRange int
	// Build is the Windows build number in diagnostics (the v field of a
	// LdapErr). 0 means 0x4f7c, Server 2022.
	Build uint32
	// SchemaVersion is objectVersion of the schema; 0 means 88, Windows Server 2019 and 2022. Below 52, Windows Server 2012, there are no
	// classes of group managed service accounts and root keys.
	SchemaVersion int
	// Events receives what a domain controller would write to its event logs.
	// It is called with no lock held, in the order of the writes of one call.
	Events func(Event)
}

// DomainConfig describes one domain.
type DomainConfig struct {
	DNSName     string        // "contoso.com"
	NetBIOSName string        // "CONTOSO"; empty: first label in upper case
	DCs         []string      // host names without the domain; empty: DC01
	SID         security.SID  // zero: made from the seed
	GUID        security.GUID // objectGUID of the domain's head; zero: made from the seed
	// NextRID is the first relative identifier that domain controllers give to new accounts and to controllers but the first, when those
	// below are taken by accounts that come with objectSid. Default 1100.
	NextRID uint32
	// Level is the functional level of domain and forest as in
	// msDS-Behavior-Version; 0 means 7 (2016).
	Level int
	// Password of the built-in Administrator; empty: "Passw0rd!".
	AdministratorPassword string
}

// Domain is one domain of the forest; its fields never change.
type Domain struct {
	DNSName     string // lower case
	NetBIOSName string
	Realm       string // Kerberos realm, DNSName in upper case
	DN          string // "DC=contoso,DC=com"
	SID         security.SID
	GUID        security.GUID
	Level       int
	forest      *Forest
	index       int
	ncs         [ncKinds]*namingContext
	replicas    []*Replica
}

// Caller is on whose behalf the directory is asked.
type Caller struct {
	// Token is the identity that access checks see. Nil means anonymous
	// unless System is set.
	Token *security.Token
	// Encrypted says that the connection keeps secrets: TLS or a sealing SASL
	// layer. Signing alone does not count.
	Encrypted bool
	// System is the domain controller itself: no access checks, and system-only
	// attributes may be written.
	System bool
	// Anonymous callers may read the root DSE and nothing else.
	Anonymous bool
	// Account names the caller in events: CONTOSO\alice.
	Account string
}

// keepsSecrets tells whether the caller may be sent or may send a secret as far as the connection goes.
func (c *Caller) keepsSecrets() bool { return c.Encrypted || c.System }

// System is the domain controller acting on its own behalf.
func System() *Caller {
	return &Caller{Encrypted: true, System: true, Account: `NT AUTHORITY\SYSTEM`}
}

// Search scopes, with the numbers of RFC 4511 4.5.1.2.
const (
	BaseObject  = 0
	SingleLevel = 1
	Subtree     = 2
)

// Attribute is a named list of values in LDAP's string encodings.
type Attribute struct {
	Name   string
	Values [][]byte
}

// Text makes an attribute of string values.
func Text(name string, values ...string) Attribute {
	a := Attribute{Name: name, Values: make([][]byte, len(values))}
	for i, v := range values {
		a.Values[i] = []byte(v)
	}
	return a
}

// Entry is one search result. It and its slices are valid until emit returns;
// the value bytes are shared with the directory and must not be changed.
type Entry struct {
	DN         string
	Attributes []Attribute
}

// Values returns the values of the attribute named, in any case, or nil.
func (e *Entry) Values(name string) [][]byte {
	for i := range e.Attributes {
		if strings.EqualFold(e.Attributes[i].Name, name) {
			return e.Attributes[i].Values
		}
	}
	return nil
}

// Value returns the first value of the attribute as a string, or "".
func (e *Entry) Value(name string) string {
	if v := e.Values(name); len(v) > 0 {
		return string(v[0])
	}
	return ""
}

// SortKey is one key of the server-side sort control (RFC 2891).
type SortKey struct {
	Attribute string
	Reverse   bool
}

// Page is the paged-results control (RFC 2696). An empty cookie starts.
type Page struct {
	Size   int
	Cookie []byte
}

// SearchRequest is a search operation with the controls that change it.
type SearchRequest struct {
	Base       string // DN, or <GUID=…>, <SID=…>, <WKGUID=…,…>
	Scope      int
	Filter     *filter.Filter // nil: (objectClass=*)
	Attributes []string       // empty: all user attributes
	TypesOnly  bool
	SizeLimit  int // 0: none but MaxPageSize

	ShowDeleted  bool      // 1.2.840.113556.1.4.417
	ShowRecycled bool      // 1.2.840.113556.1.4.2064
	DomainScope  bool      // 1.2.840.113556.1.4.1339: no continuation references
	PhantomRoot  bool      // 1.2.840.113556.1.4.1340 with flag 2: cross naming contexts
	ExtendedDN   int       // 1.2.840.113556.1.4.529: -1 not asked, 0 hex, 1 string form
	SDFlags      *uint32   // 1.2.840.113556.1.4.801
	Sort         []SortKey // 1.2.840.113556.1.4.473
	MustSort     bool      // that control was critical: no entries in another order (RFC 2891 2)
	Page         *Page     // 1.2.840.113556.1.4.319
}

// SearchResult is what comes after the entries.
type SearchResult struct {
	// Cookie continues a paged search; empty: it was the last page.
	Cookie []byte
	// Estimate of the total number of entries; 0 as AD answers: unknown.
	Estimate int
	// Referrals are continuation references, LDAP URLs, to be sent as
	// SearchResultReference messages.
	Referrals []string
	// SortResult is the code of the sort response control: 0, 16 (no such
	// attribute) or 18 (inappropriate matching).
	SortResult int
}

// Modification operations, with the numbers of RFC 4511 4.6.
const (
	ModAdd     = 0
	ModDelete  = 1
	ModReplace = 2
)

// Modification is one change of a modify operation.
type Modification struct {
	Op        int
	Attribute Attribute
}

// AddRequest is one object for Populate.
type AddRequest struct {
	DN         string
	Attributes []Attribute
}

// Event is an entry of a domain controller's event log.
type Event struct {
	Time   time.Time // domain time
	DC     string
	Log    string // "Directory Service", "System", "Microsoft-Windows-KdsSvc/Operational"
	Source string
	ID     int
	Level  string // "Information", "Warning", "Error"
	Text   string
	Object string // DN of the object concerned
}

// GroupMembership is a group as a PAC carries it: RID in the domain of the
// list it is in, and SE_GROUP attributes ([MS-PAC] 2.2.2).
type GroupMembership struct {
	SID        security.SID
	Attributes uint32
}

// Account is a snapshot of a security principal that can hold keys: a user,
// computer, gMSA or trust account, as the KDC and binds see it.
type Account struct {
	SAMAccountName    string
	DN                string
	SID               security.SID
	GUID              security.GUID
	UPN               string // empty: none
	DNSHostName       string
	DisplayName       string
	UserPrincipalName string // UPN, or sAMAccountName@dns domain
	SPNs              []string
	// UserAccountControl is the stored value; Disabled, Locked, Expired,
	// PasswordExpired and MustChangePassword are computed from it, the policy
	// and domain time.
	UserAccountControl uint32
	// SupportedETypes is msDS-SupportedEncryptionTypes, 0 when absent.
	SupportedETypes                     uint32
	PrimaryGroupID                      uint32
	ServiceAccount                      bool // a gMSA
	Computer                            bool // a machine account of any kind, gMSA included
	DomainController                    bool
	Disabled, Locked, Expired           bool
	PasswordExpired, MustChangePassword bool
	PwdLastSet                          time.Time // zero: must change at next logon
	PwdCanChange, PwdMustChange         time.Time // zero PwdMustChange: never
	AccountExpires                      time.Time // zero: never
	LastLogon                           time.Time // on this replica
	LogonCount, BadPasswordCount        int       // on this replica
	LogonHours                          []byte    // 21 octets or nil
	AllowedToDelegateTo                 []string
	AllowedToAct                        *security.Descriptor // msDS-AllowedToActOnBehalfOfOtherIdentity, nil: none
	Domain                              *Domain

	replica *Replica
	entry   *entry
}

// NameKind says how a client principal's name is to be read.
type NameKind int

// Kinds of client names, after the principal name types of RFC 4120 6.2 and
// RFC 6806 5.
const (
	Principal  NameKind = iota // NT-PRINCIPAL and whatever has no rule of its own
	Enterprise                 // NT-ENTERPRISE: one component holding a UPN
)
