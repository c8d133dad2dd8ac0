package check

import (
	"slices"
	"strings"
	"time"
)

// Directory is the forest that the credential specs are about, as somebody sees it who may look. Domains are named by their DNS names; names are
// compared without regard to case. An error means that the question could not be asked, which is not that the answer is no.
type Directory interface {
	// Domains are the domains of the forest, its root first, and after them those outside that one of them trusts.
	Domains() ([]Domain, error)
	// Find are the objects of a domain that have a value; of the whole forest, when the domain is "".
	Find(domain string, by Key, value string) ([]Object, error)
	// ServiceAccounts are the SAM names of the group managed service accounts of a domain, without $.
	ServiceAccounts(domain string) ([]string, error)
	// MayRetrieve tells whether the list of an account (msDS-GroupMSAMembership) has somebody, by itself or through groups, as a sign-in at this
	// moment would see them.
	MayRetrieve(account, who Object) (bool, error)
	// RootKeys are the KDS root keys that a domain controller of a domain knows, and its name.
	RootKeys(domain string) (keys []RootKey, dc string, err error)
	// Now is the time of the directory.
	Now() (time.Time, error)
}

// TicketDirectory is a [Directory] that sees the tickets of computers too, as only a simulated one can.
type TicketDirectory interface {
	Directory
	// Stale tells whether a computer is kept from an account's password only because its ticket was issued before it came into a group, and when
	// that was.
	Stale(account, computer Object) (issued time.Time, stale bool, err error)
}

// Domain is a domain of the forest, or one that the forest trusts. What is not known is "".
type Domain struct {
	DNSName, NetBIOSName string
	SID, GUID            string // of the domain head
	// Forest is the DNS name of the forest's root domain.
	Forest string
	// Trusted says that the domain is outside of the forest: there is a trust and no more is known.
	Trusted bool
}

// named tells whether a domain has a name, in either form.
func (d *Domain) named(name string) bool {
	return name != "" && (strings.EqualFold(d.DNSName, name) || strings.EqualFold(d.NetBIOSName, name))
}

// domainNamed is the domain with a name in either form, nil when there is none.
func domainNamed(list []Domain, name string) *Domain {
	if i := slices.IndexFunc(list, func(d Domain) bool { return d.named(name) }); i >= 0 {
		return &list[i]
	}
	return nil
}

// Key is what objects are found by.
type Key string

// The keys of [Directory.Find].
const (
	BySAM  Key = "sAMAccountName" // as it is stored: with $ for computers and service accounts
	ByCN   Key = "cn"
	BySPN  Key = "servicePrincipalName"
	ByGUID Key = "objectGUID" // in its usual form with hyphens
	BySID  Key = "objectSid"  // in its usual form, S-1-…
	ByHost Key = "dNSHostName"
	ByUPN  Key = "userPrincipalName"
)

// Classes of accounts ([MS-ADSC]).
const (
	ClassGMSA     = "msDS-GroupManagedServiceAccount"
	ClassSMSA     = "msDS-ManagedServiceAccount"
	ClassDMSA     = "msDS-DelegatedManagedServiceAccount"
	ClassComputer = "computer"
	ClassUser     = "user"
)

// Bits of userAccountControl ([MS-ADTS] 2.2.16).
const (
	AccountDisabled         = 0x2
	WorkstationTrustAccount = 0x1000
)

// Bits of msDS-SupportedEncryptionTypes ([MS-KILE] 2.2.7).
const (
	EncryptionRC4 = 0x4
	EncryptionAES = 0x8 | 0x10
)

// Object is an object of the directory, with what rules ask of it. An attribute that the object does not have, or does not show, is zero.
type Object struct {
	DN     string
	Domain string // DNS name of its domain
	Class  string // the most specific one
	CN     string
	SAM    string
	SID    string
	GUID   string

	DNSHostName string
	SPNs        []string
	// Flags are userAccountControl.
	Flags uint32
	// EncryptionTypes are msDS-SupportedEncryptionTypes, 0: the domain's default.
	EncryptionTypes uint32
	// Locked and Expired say that a sign-in is refused.
	Locked, Expired bool
}

// name is the account's name without $.
func (o *Object) name() string { return strings.TrimSuffix(o.SAM, "$") }

// RootKey is a KDS root key ([MS-ADTS] 2.321 to 2.334, msKds-ProvRootKey).
type RootKey struct {
	ID                 string
	Created, Effective time.Time
}

var directoryRules = []*Rule{}

// directoryChecks are what rules ask a directory, by their id: of those in directoryRules, which need one, and of others, which then know more.
var directoryChecks = map[string]func(*run, Directory){}
