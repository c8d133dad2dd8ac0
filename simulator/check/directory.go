package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/source"
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

// directoryRules are the rules that only a directory can answer.
var directoryRules = slices.Concat(directoryDomainRules, directoryAccountRules, directoryHostRules)

// directoryChecks are what rules ask a directory, by their id: of those in directoryRules, which need one, and of others, which then know more.
var directoryChecks = map[string]func(*run, Directory){
	"sid-is-account-sid":         (*run).askAccountSID,
	"sid-domain-mismatch":        (*run).askDomainSID,
	"guid-domain-mismatch":       (*run).askDomainGUID,
	"guid-is-account-guid":       (*run).askAccountGUID,
	"guid-byte-order":            (*run).askByteOrder,
	"doc-sample-values":          (*run).askSampleValues,
	"missing-field":              (*run).askMissingFields,
	"dnsname-single-label":       (*run).askSingleLabel,
	"dnsname-is-host":            (*run).askHostName,
	"dnsname-not-found":          (*run).askDNSName,
	"dnsname-not-account-domain": (*run).askAccountDomain,
	"dnstreename-swapped":        (*run).askSwapped,
	"dnstreename-unrelated":      (*run).askUnrelated,
	"dnstreename-not-forest":     (*run).askForest,
	"netbios-mismatch":           (*run).askNetBIOS,

	"account-is-dns-name":    (*run).askDottedName,
	"account-too-long":       (*run).askLongName,
	"account-case":           (*run).askCase,
	"json-non-ascii":         (*run).askLostLetters,
	"file-name-trimmed":      (*run).askTrimmedFiles,
	"scope-foreign":          (*run).askForeignScope,
	"scope-unknown-domain":   (*run).askUnknownScope,
	"account-not-found":      (*run).askAccounts,
	"account-not-gmsa":       (*run).askClass,
	"account-name-collision": (*run).askCollision,
	"account-cn-differs":     (*run).askCN,
	"account-disabled":       (*run).askDisabled,
	"spn-missing":            (*run).askMissingSPN,
	"spn-duplicate":          (*run).askDuplicateSPN,

	"host-not-authorised":        (*run).askHosts,
	"host-membership-stale":      (*run).askTickets,
	"host-other-domain":          (*run).askHostDomain,
	"kds-key-not-ready":          (*run).askRootKeys,
	"encryption-mismatch":        (*run).askEncryption,
	"plugin-secret-user-is-gmsa": (*run).askPluginUser,
	"plugin-user-not-authorised": (*run).askPluginRights,
}

// asking is a directory in the hands of one rule.
type asking struct {
	Directory
	c       *run
	domains []Domain
	failed  map[string]bool
}

// ask begins the questions of a rule. It is false when there is nothing to ask about, or nobody answers; the latter is said.
func (c *run) ask(d Directory) (*asking, bool) {
	if len(c.specs()) == 0 {
		return nil, false
	}
	a := &asking{Directory: d, c: c, failed: map[string]bool{}}
	var err error
	if a.domains, err = d.Domains(); err != nil {
		a.fail(c.specs()[0].Root, err)
		return nil, false
	}
	return a, true
}

// fail says once that a question had no answer.
func (a *asking) fail(n *source.Node, err error) {
	if text := err.Error(); !a.failed[text] {
		a.failed[text] = true
		a.c.notChecked(n.Span(), "%s", text)
	}
}

// reported is the rule's own report of a value, which it made without the directory; nil when there is none.
func (c *run) reported(n *source.Node) *Report {
	where := n.Span() // in the file itself, also of a value in a document inside of it
	for i := len(c.out.Reports) - 1; i >= 0 && c.out.Reports[i].Rule == c.rule; i-- {
		if r := &c.out.Reports[i]; r.Where.File == where.File && r.Where.Offset == where.Offset {
			return r
		}
	}
	return nil
}

// know reports what the directory says of a value, in the place of what the rule said without it.
func (c *run) know(n *source.Node, severity Severity, format string, args ...any) *Report {
	r := c.reported(n)
	if r == nil {
		r = c.report(n, "")
	}
	r.Severity, r.Message, r.Fix, r.Repair = severity, fmt.Sprintf(format, args...), nil, ""
	return r
}

// retract takes the rule's report of a value back: the directory says that nothing is wrong.
func (c *run) retract(n *source.Node) {
	if r := c.reported(n); r != nil {
		i := slices.IndexFunc(c.out.Reports, func(o Report) bool { return o.Rule == r.Rule && o.Where == r.Where })
		c.out.Reports = slices.Delete(c.out.Reports, i, i+1)
	}
}

// forget takes back all that the rule has said without the directory.
func (c *run) forget() {
	mine := func(r *Rule) bool { return r == c.rule }
	c.out.Reports = slices.DeleteFunc(c.out.Reports, func(r Report) bool { return mine(r.Rule) })
	c.out.NotChecked = slices.DeleteFunc(c.out.NotChecked, func(n NotChecked) bool { return mine(n.Rule) })
}

// join is a value of DomainJoinConfig that is a text, nil when there is none.
func join(d *credspec.Document, key string) *source.Node {
	if n := d.Get(credspec.KeyDomainJoin, key); n != nil && n.Kind == source.String && strings.TrimSpace(n.Text) != "" {
		return n
	}
	return nil
}

// domainOf is the domain that a credential spec says it is about: by DnsName, and without one by NetBiosName.
func (a *asking) domainOf(d *credspec.Document) *Domain {
	n := join(d, "DnsName")
	if n == nil {
		n = join(d, "NetBiosName")
	}
	if n == nil {
		return nil
	}
	return domainNamed(a.domains, strings.TrimSpace(n.Text))
}

// about are the credential specs with the domain of the forest that each is about. Of a domain outside the forest too little is known; with trusted
// they are among them all the same.
func (a *asking) about(trusted bool, f func(d *credspec.Document, dom *Domain)) {
	for _, d := range a.c.specs() {
		if dom := a.domainOf(d); dom != nil && (trusted || !dom.Trusted) {
			f(d, dom)
		}
	}
}

// names are the DNS names of the forest's domains and the trusted ones.
func (a *asking) names() []string {
	var list []string
	for _, d := range a.domains {
		list = append(list, d.DNSName)
	}
	return list
}

// forest is the DNS name of the forest's root domain.
func (a *asking) forest() string {
	if len(a.domains) == 0 {
		return ""
	}
	return a.domains[0].Forest
}
