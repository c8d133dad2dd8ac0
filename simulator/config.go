package simulator

import (
	"encoding"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/simulator/windows"
)

// Config describes a domain. It is data: every field is optional, the zero value is contoso.com with one DC, no KDS root key and
// no accounts of its own. The domain part of a scenario decodes into it under the same names.
type Config struct {
	// DNSName is the DNS name of the forest's root domain. Default contoso.com.
	DNSName string `json:"dnsName,omitempty" yaml:"dnsName,omitempty"`
	// NetBIOSName is the short name of the domain. Default the first label of DNSName in upper case, cut to 15 characters.
	NetBIOSName string `json:"netbiosName,omitempty" yaml:"netbiosName,omitempty"`
	// SID and GUID are objectSid and objectGUID of the root domain, as credential specs name them. Default: made from the seed.
	SID  string `json:"sid,omitempty" yaml:"sid,omitempty"`
	GUID string `json:"guid,omitempty" yaml:"guid,omitempty"`
	// Start is the domain time at start. Default 2019-05-03T10:00:00Z, or now when FollowRealTime is set.
	Start time.Time `json:"start,omitzero" yaml:"start,omitempty"`
	// FollowRealTime lets domain time run with the machine's clock from Start on. Without it, domain time moves only by
	// [Clock.Advance] and [Clock.AdvanceTo].
	FollowRealTime bool `json:"followRealTime,omitempty" yaml:"followRealTime,omitempty"`
	// WireTime is the clock of exchanges over real sockets: "machine" (default), because outside clients have the machine's
	// clock, or "domain", for clients that follow the KDC's time or run under a false clock. Exchanges of the simulated hosts
	// always carry domain time.
	WireTime string `json:"wireTime,omitempty" yaml:"wireTime,omitempty"`
	// Seed determines SIDs, GUIDs, keys, nonces and with them the transcript. Default 1.
	Seed uint64 `json:"seed,omitempty" yaml:"seed,omitempty"`
	// DCs are the domain controllers of the root domain. Default DC01.
	DCs []string `json:"dcs,omitempty" yaml:"dcs,omitempty"`
	// Domains are further domains of the forest, each with its own DCs.
	Domains []DomainConfig `json:"domains,omitempty" yaml:"domains,omitempty"`
	// SiteSubnets are the subnets that have a site. A container whose network is in none of them gets any DC. Default: every network has one.
	SiteSubnets []string `json:"siteSubnets,omitempty" yaml:"siteSubnets,omitempty"`
	// RequireSigning is LDAPServerIntegrity = 2 on the DCs: an LDAP connection that is neither signed, sealed nor under TLS is refused.
	RequireSigning bool `json:"requireSigning,omitempty" yaml:"requireSigning,omitempty"`
	// DCSubnet is the network that the DCs are in, which networks of containers may overlap with. Default 10.0.0.0/24. It does not decide
	// where they listen for outside clients, see Listen.
	DCSubnet string `json:"dcSubnet,omitempty" yaml:"dcSubnet,omitempty"`
	// DCSettings are what differs from the default on some of the DCs.
	DCSettings []DCSettings `json:"dcSettings,omitempty" yaml:"dcSettings,omitempty"`
	// SchemaVersion is objectVersion of the schema: 52 came with Windows Server 2012, and before it there are no group managed service
	// accounts. Default 88, Windows Server 2019 and 2022.
	SchemaVersion int `json:"schemaVersion,omitempty" yaml:"schemaVersion,omitempty"`
	// ReplicationDelay is the domain time that a change needs from one DC to the others. Default 0: at once.
	ReplicationDelay time.Duration `json:"replicationDelay,omitempty" yaml:"replicationDelay,omitempty"`
	// RootKeyPolicy says when a KDS root key becomes usable. Default [StrictRootKey].
	RootKeyPolicy RootKeyPolicy `json:"rootKeyPolicy,omitempty" yaml:"rootKeyPolicy,omitempty"`
	// Profiles are the readings of rules about containers on which the sources contradict each other.
	Profiles windows.Profiles `json:"profiles,omitzero" yaml:"profiles,omitempty"`
	// DefaultETypes are the encryption types of accounts that do not say which they support
	// (DefaultDomainSupportedEncTypes on a DC): RC4, AES128, AES256, and AES256-SK for RC4 tickets with AES session keys.
	DefaultETypes []string `json:"defaultETypes,omitempty" yaml:"defaultETypes,omitempty"`
	// KDCETypes are the encryption types that the DCs use at all: RC4, AES128, AES256 ("Network security: Configure encryption types allowed
	// for Kerberos"). Default: all three.
	KDCETypes []string `json:"kdcETypes,omitempty" yaml:"kdcETypes,omitempty"`
	// AdminPassword is the password of Administrator. Default Passw0rd!.
	AdminPassword string `json:"adminPassword,omitempty" yaml:"adminPassword,omitempty"`

	KDSRootKeys     []KDSRootKey     `json:"kdsRootKeys,omitempty" yaml:"kdsRootKeys,omitempty"`
	Groups          []Group          `json:"groups,omitempty" yaml:"groups,omitempty"`
	Users           []User           `json:"users,omitempty" yaml:"users,omitempty"`
	ServiceAccounts []ServiceAccount `json:"serviceAccounts,omitempty" yaml:"serviceAccounts,omitempty"`
	Hosts           []HostConfig     `json:"hosts,omitempty" yaml:"hosts,omitempty"`
	// Edits were made in the directory after everything else was there, one after the other.
	Edits []Edit `json:"edits,omitempty" yaml:"edits,omitempty"`
	// Secrets are what the plug-ins of hosts outside the domain fetch, from a store outside the domain.
	Secrets []Secret `json:"secrets,omitempty" yaml:"secrets,omitempty"`
	// Aliases are DNS names that lead to another name, as a CNAME record does. Nothing registers service principal names for them.
	Aliases []Alias `json:"aliases,omitempty" yaml:"aliases,omitempty"`
	// ReverseNames are DCs whose address leads back to another name than theirs. The DNS server itself answers no reverse look-ups.
	ReverseNames []ReverseName `json:"reverseNames,omitempty" yaml:"reverseNames,omitempty"`
	// Faults are in force from the start, as if given to [Domain.Inject] one after the other.
	Faults []Fault `json:"faults,omitempty" yaml:"faults,omitempty"`

	// Listen says where the listeners for outside clients are opened when they are first asked for.
	Listen Listen `json:"listen,omitzero" yaml:"listen,omitempty"`
	// Keys remembers derived keys and filled directories between domains. A password costs milliseconds to turn into a key, and a directory as
	// much to fill; domains that are started one after the other with the same accounts share that work. Default: each domain does its own.
	Keys *Keys `json:"-" yaml:"-"`
}

// Listen says where a domain listens for outside clients. The zero value is 127.0.0.1 with ports of the system's choice.
type Listen struct {
	// Address is an IP address. Default 127.0.0.1. With several DCs and StandardPorts, each further DC takes the next address.
	Address string `json:"address,omitempty" yaml:"address,omitempty"`
	// StandardPorts takes 53, 88, 389, 464, 636 and 3268, for private network namespaces.
	StandardPorts bool `json:"standardPorts,omitempty" yaml:"standardPorts,omitempty"`
}

// Alias is a CNAME record.
type Alias struct {
	Name   string `json:"name" yaml:"name"`
	Target string `json:"target" yaml:"target"`
}

// ReverseName is a PTR record of a DC's address.
type ReverseName struct {
	DC   string `json:"dc" yaml:"dc"`
	Name string `json:"name" yaml:"name"`
}

// DomainConfig is a further domain of the forest.
type DomainConfig struct {
	DNSName     string `json:"dnsName,omitempty" yaml:"dnsName,omitempty"`
	NetBIOSName string `json:"netbiosName,omitempty" yaml:"netbiosName,omitempty"`
	// SID and GUID are as those of the root domain, see [Config.SID].
	SID  string   `json:"sid,omitempty" yaml:"sid,omitempty"`
	GUID string   `json:"guid,omitempty" yaml:"guid,omitempty"`
	DCs  []string `json:"dcs,omitempty" yaml:"dcs,omitempty"`
}

// KDSRootKey is a root key of the key distribution service.
type KDSRootKey struct {
	// ID is the key's GUID; the domain chooses it when empty.
	ID string `json:"id,omitempty" yaml:"id,omitempty"`
	// Effective is when the key is meant to take effect. The zero value is the default of Add-KdsRootKey: ten days after
	// creation.
	Effective Effective `json:"effective,omitzero" yaml:"effective,omitempty"`
	// Created is the time of creation. Default: domain time at start, or of the call.
	Created time.Time `json:"created,omitzero" yaml:"created,omitempty"`
	// DC is the DC on which the key is made. Default: the first one.
	DC string `json:"dc,omitempty" yaml:"dc,omitempty"`
	// Damaged is an attribute of the key's object that holds what it must not, for instance msKds-RootKeyData: the key cannot be used.
	Damaged string `json:"damaged,omitempty" yaml:"damaged,omitempty"`
}

// Group is a group.
type Group struct {
	Name string `json:"name" yaml:"name"`
	// Scope is the group's scope. Default [DomainLocal], as in the guide's example.
	Scope GroupScope `json:"scope,omitempty" yaml:"scope,omitempty"`
	// Category is the group's category. Default [Security]. A distribution group is in no ticket.
	Category GroupCategory `json:"category,omitempty" yaml:"category,omitempty"`
	// Members are names of accounts and groups. A host's name works with and without the final $.
	Members []string `json:"members,omitempty" yaml:"members,omitempty"`
	// MembersSince is when the members came into the group. A host that was restarted before has signed in without them.
	// Default: before every restart.
	MembersSince time.Time `json:"membersSince,omitzero" yaml:"membersSince,omitempty"`
	RID          int       `json:"rid,omitempty" yaml:"rid,omitempty"` // see [ServiceAccount.RID]
	// Domain is the DNS name of the group's domain. Default: the root domain.
	Domain string `json:"domain,omitempty" yaml:"domain,omitempty"`
}

// GroupScope is the scope of a group, as New-ADGroup -GroupScope takes it.
type GroupScope string

// The scopes. Global and universal groups are in the TGT; domain-local ones are added to each service ticket by the DC that
// issues it ([MS-KILE] 3.3.5.6, 3.3.5.7).
const (
	DomainLocal GroupScope = "DomainLocal"
	Global      GroupScope = "Global"
	Universal   GroupScope = "Universal"
)

// GroupCategory is the category of a group, as New-ADGroup -GroupCategory takes it.
type GroupCategory string

// The categories. Only security groups come into tokens ([MS-ADTS] 2.2.12).
const (
	Security     GroupCategory = "Security"
	Distribution GroupCategory = "Distribution"
)

// User is a user account.
type User struct {
	Name     string `json:"name" yaml:"name"`
	Password string `json:"password,omitempty" yaml:"password,omitempty"` // default Passw0rd!
	// UserPrincipalName is the attribute of this name; without it, a user signs in as name@domain all the same.
	UserPrincipalName string   `json:"userPrincipalName,omitempty" yaml:"userPrincipalName,omitempty"`
	SPNs              []string `json:"spns,omitempty" yaml:"spns,omitempty"`
	// EncryptionTypes are the names of Set-ADUser -KerberosEncryptionType: RC4, AES128, AES256, DES, None.
	EncryptionTypes []string `json:"encryptionTypes,omitempty" yaml:"encryptionTypes,omitempty"`
	Disabled        bool     `json:"disabled,omitempty" yaml:"disabled,omitempty"`
	// AccountNotDelegated is Set-ADUser -AccountNotDelegated: the account is sensitive and no service acts as it.
	AccountNotDelegated bool `json:"accountNotDelegated,omitempty" yaml:"accountNotDelegated,omitempty"`
	// ClockOffset is what the clock of the user's workstation is ahead of domain time.
	ClockOffset time.Duration `json:"clockOffset,omitempty" yaml:"clockOffset,omitempty"`
	RID         int           `json:"rid,omitempty" yaml:"rid,omitempty"` // see [ServiceAccount.RID]
	Domain      string        `json:"domain,omitempty" yaml:"domain,omitempty"`
}

// ServiceAccount is a group managed service account (msDS-GroupManagedServiceAccount).
type ServiceAccount struct {
	// Name is the account's name; sAMAccountName is the name with a final $.
	Name string `json:"name" yaml:"name"`
	// DNSHostName is the value of -DNSHostName. Default name.domain.
	DNSHostName string   `json:"dnsHostName,omitempty" yaml:"dnsHostName,omitempty"`
	SPNs        []string `json:"spns,omitempty" yaml:"spns,omitempty"`
	// AllowedToRetrieve are the accounts and groups of -PrincipalsAllowedToRetrieveManagedPassword.
	AllowedToRetrieve []string `json:"allowedToRetrieve,omitempty" yaml:"allowedToRetrieve,omitempty"`
	// RetrieveSDDL is msDS-GroupMSAMembership in SDDL ([MS-DTYP] 2.5.1), for a descriptor that a script has written. It takes the place of
	// AllowedToRetrieve. Default: the descriptor that the cmdlets write.
	RetrieveSDDL string `json:"retrieveSDDL,omitempty" yaml:"retrieveSDDL,omitempty"`
	// IntervalDays is -ManagedPasswordIntervalInDays. Default 30. It cannot be changed later.
	IntervalDays int `json:"intervalDays,omitempty" yaml:"intervalDays,omitempty"`
	// EncryptionTypes are the names of -KerberosEncryptionType: RC4, AES128, AES256, DES, None. Default: the first three, as the cmdlet sets.
	EncryptionTypes []string `json:"encryptionTypes,omitempty" yaml:"encryptionTypes,omitempty"`
	// Enabled is -Enabled. Default true.
	Enabled *bool `json:"enabled,omitempty" yaml:"enabled,omitempty"`
	// AllowedToDelegateTo are the SPNs of constrained delegation (msDS-AllowedToDelegateTo).
	AllowedToDelegateTo []string `json:"allowedToDelegateTo,omitempty" yaml:"allowedToDelegateTo,omitempty"`
	// TrustedForDelegation is -TrustedForDelegation: tickets for the account carry ok-as-delegate.
	TrustedForDelegation bool `json:"trustedForDelegation,omitempty" yaml:"trustedForDelegation,omitempty"`
	// TrustedToAuthForDelegation is Set-ADAccountControl -TrustedToAuthForDelegation: the service may show tickets that it made itself for users who
	// came without Kerberos (protocol transition).
	TrustedToAuthForDelegation bool `json:"trustedToAuthForDelegation,omitempty" yaml:"trustedToAuthForDelegation,omitempty"`
	// CompoundIdentitySupported is the parameter of this name: tickets for the account shall carry the client's device
	// ([MS-ADTS] 2.2.7, Compound-identity-supported).
	CompoundIdentitySupported bool `json:"compoundIdentitySupported,omitempty" yaml:"compoundIdentitySupported,omitempty"`
	// AccountExpirationDate is -AccountExpirationDate. Default: never.
	AccountExpirationDate time.Time `json:"accountExpirationDate,omitzero" yaml:"accountExpirationDate,omitempty"`
	// RestrictToSingleComputer is the switch of this name: it makes a standalone managed service account, another class of object, whose
	// password a computer sets and no DC gives out.
	RestrictToSingleComputer bool `json:"restrictToSingleComputer,omitempty" yaml:"restrictToSingleComputer,omitempty"`
	// RestrictToOutboundAuthenticationOnly is the switch of this name: the account is for clients.
	//
	// guess: such an account gets no dNSHostName and no service principal names, so that there is no ticket to it
	RestrictToOutboundAuthenticationOnly bool `json:"restrictToOutboundAuthenticationOnly,omitempty" yaml:"restrictToOutboundAuthenticationOnly,omitempty"`
	// WithoutDNSHostName says that -DNSHostName was left out. The cmdlet takes no group account without it.
	WithoutDNSHostName bool `json:"withoutDNSHostName,omitempty" yaml:"withoutDNSHostName,omitempty"`
	// Path is the DN of the container or organizational unit. Default: CN=Managed Service Accounts of the domain.
	Path string `json:"path,omitempty" yaml:"path,omitempty"`
	// RID is the relative identifier, the last part of objectSid, 1000 or more. Default: the next one of the DC's pool.
	RID    int    `json:"rid,omitempty" yaml:"rid,omitempty"`
	Domain string `json:"domain,omitempty" yaml:"domain,omitempty"`
}

// HostConfig is a computer that is joined to the domain, or with Workgroup one that is not.
type HostConfig struct {
	// Name is the computer's name without $; sAMAccountName is the name in upper case with a final $.
	Name string `json:"name" yaml:"name"`
	// OS is written to operatingSystem. A host that runs containers is a Windows: "Windows Server 2019", "Windows 10 1809", with or
	// without a version as in "Windows Server 2019 (10.0.17763.1817)". Default for its containers: Windows Server 2019.
	OS string `json:"os,omitempty" yaml:"os,omitempty"`
	// Engine is the container engine, as in "docker 20.10.7" or "containerd 1.6.8". Default: Docker of the release's time.
	Engine windows.Engine `json:"engine,omitzero" yaml:"engine,omitempty"`
	// NoHypervisor says that Hyper-V isolation is not to be had: the role is missing, or the processor's support for it.
	NoHypervisor bool `json:"noHypervisor,omitempty" yaml:"noHypervisor,omitempty"`
	// CredentialSpecs are service accounts for which New-CredentialSpec has written a file on this host already:
	// NETBIOS_account.json in lower case, in the folder CredentialSpecs of the engine.
	CredentialSpecs []string `json:"credentialSpecs,omitempty" yaml:"credentialSpecs,omitempty"`
	// SpecFiles are credential specs as they lie in the folder of the engine.
	SpecFiles []SpecFile `json:"specFiles,omitempty" yaml:"specFiles,omitempty"`
	// RegistrySpecs are service accounts whose credential specs are in the registry of this host, as NETBIOS_account in lower case: what
	// registry:// names.
	RegistrySpecs []string `json:"registrySpecs,omitempty" yaml:"registrySpecs,omitempty"`
	// SMBInHostNetwork says that SMB of containers under containerd looks names up in the network compartment of the host, which is not the
	// container's: EnableCompartmentNamespace of HNS is not set (report).
	SMBInHostNetwork bool `json:"smbInHostNetwork,omitempty" yaml:"smbInHostNetwork,omitempty"`
	// CCGStopped says that Container Credential Guard does not answer until somebody starts it or the host.
	CCGStopped bool `json:"ccgStopped,omitempty" yaml:"ccgStopped,omitempty"`
	// DataRoot is where the container engine keeps its data (data-root of daemon.json). Default C:\ProgramData\docker.
	DataRoot string `json:"dataRoot,omitempty" yaml:"dataRoot,omitempty"`
	// EngineStopped says that the container engine has never been started, so that its folders are not there.
	EngineStopped bool `json:"engineStopped,omitempty" yaml:"engineStopped,omitempty"`
	// NoCredentialSpecModule says that the PowerShell module CredentialSpec is not installed and the gallery cannot be reached.
	NoCredentialSpecModule bool `json:"noCredentialSpecModule,omitempty" yaml:"noCredentialSpecModule,omitempty"`
	// LastRestart is when the host got its ticket: a group membership is in it only when it is older, see [Group.MembersSince].
	// Default: domain time at start.
	LastRestart time.Time `json:"lastRestart,omitzero" yaml:"lastRestart,omitempty"`
	// DCs is the order in which the locator gives the DCs to this host, its site's first. Default: the domain's order.
	DCs []string `json:"dcs,omitempty" yaml:"dcs,omitempty"`
	// ClockOffset is what the host's clock is ahead of domain time.
	ClockOffset time.Duration `json:"clockOffset,omitempty" yaml:"clockOffset,omitempty"`
	// ClosedPorts are what a firewall keeps from this host: "389" on every DC, "DC01:88" on one, "DC01" all of its ports.
	ClosedPorts []string `json:"closedPorts,omitempty" yaml:"closedPorts,omitempty"`
	// NoADModule says that the Active Directory module for Windows PowerShell is not installed, so its cmdlets are unknown.
	NoADModule bool `json:"noADModule,omitempty" yaml:"noADModule,omitempty"`
	// RestartPending says that the computer has joined and was not restarted since, so that it does not work for the domain yet.
	RestartPending bool `json:"restartPending,omitempty" yaml:"restartPending,omitempty"`
	// Password is the computer account's password. Default: one made from the seed.
	Password string `json:"password,omitempty" yaml:"password,omitempty"`
	// EncryptionTypes are what the host supports: RC4, AES128, AES256. Default: all three.
	EncryptionTypes []string `json:"encryptionTypes,omitempty" yaml:"encryptionTypes,omitempty"`
	RID             int      `json:"rid,omitempty" yaml:"rid,omitempty"` // see [ServiceAccount.RID]
	Domain          string   `json:"domain,omitempty" yaml:"domain,omitempty"`
	// Workgroup says that the computer has not joined the domain: it has no account there, and its containers get a password by a plug-in or
	// not at all.
	Workgroup bool `json:"workgroup,omitempty" yaml:"workgroup,omitempty"`
	// DNS are the DNS servers of the computer: names of DCs, which know the domain, or addresses of others, which do not. Default: the
	// domain's. Its containers ask the same ones unless they are told others.
	DNS []string `json:"dns,omitempty" yaml:"dns,omitempty"`
	// Plugins are the plug-ins for Container Credential Guard that are installed.
	Plugins []Plugin `json:"plugins,omitempty" yaml:"plugins,omitempty"`
	// Identities are those that a secret store knows the computer by, such as the object ids of its managed identities. Default: its name.
	Identities []string `json:"identities,omitempty" yaml:"identities,omitempty"`
	// SignedIn says that somebody is signed in at the computer's desktop.
	SignedIn bool `json:"signedIn,omitempty" yaml:"signedIn,omitempty"`
}

// RootKeyPolicy says when a KDS root key becomes usable; the sources disagree.
type RootKeyPolicy string

// The readings of the ten hours.
const (
	// StrictRootKey: ten hours after the effective time (guide: one-time preparation).
	StrictRootKey RootKeyPolicy = "strict"
	// IntervalRootKey: when the interval that contains the effective time has ended ([MS-GKDI] 3.1.4.1).
	IntervalRootKey RootKeyPolicy = "interval"
	// SambaRootKey: ten hours and five minutes after the effective time, as Samba 4.22 has it.
	SambaRootKey RootKeyPolicy = "samba"
)

// Effective is the effective time of a KDS root key as an administrator says it. The zero value is the default of
// Add-KdsRootKey, ten days from now. As text: "immediately", "default", a duration from now ("-10h", "10h") or an RFC 3339 time.
type Effective struct {
	kind effectiveKind
	d    time.Duration
	at   time.Time
}

type effectiveKind uint8

const (
	effectiveDefault effectiveKind = iota
	effectiveRelative
	effectiveAt
)

// defaultEffective is the default of Add-KdsRootKey -EffectiveTime (PowerShell reference of Add-KdsRootKey).
const defaultEffective = 10 * 24 * time.Hour

// Immediately is Add-KdsRootKey -EffectiveImmediately: effective now, and usable when the policy's time has passed.
var Immediately = Effective{kind: effectiveRelative}

// After is effective d from now.
func After(d time.Duration) Effective { return Effective{kind: effectiveRelative, d: d} }

// Ago is effective d before now: Ago(10*time.Hour) is Add-KdsRootKey -EffectiveTime ((Get-Date).AddHours(-10)).
func Ago(d time.Duration) Effective { return Effective{kind: effectiveRelative, d: -d} }

// At is effective at t.
func At(t time.Time) Effective { return Effective{kind: effectiveAt, at: t} }

// Time is the effective time of a key that is made at now.
func (e Effective) Time(now time.Time) time.Time {
	switch e.kind {
	case effectiveRelative:
		return now.Add(e.d)
	case effectiveAt:
		return e.at
	default:
		return now.Add(defaultEffective)
	}
}

// IsZero tells that e is the cmdlet's default.
func (e Effective) IsZero() bool { return e.kind == effectiveDefault }

var (
	_ encoding.TextMarshaler   = Effective{}
	_ encoding.TextUnmarshaler = (*Effective)(nil)
)

// MarshalText gives the form that UnmarshalText reads.
func (e Effective) MarshalText() ([]byte, error) {
	switch {
	case e.kind == effectiveDefault:
		return []byte("default"), nil
	case e.kind == effectiveAt:
		return []byte(e.at.Format(time.RFC3339)), nil
	case e.d == 0:
		return []byte("immediately"), nil
	default:
		return []byte(e.d.String()), nil
	}
}

// UnmarshalText reads "immediately", "default", a duration or an RFC 3339 time.
func (e *Effective) UnmarshalText(b []byte) error {
	s := string(b)
	switch strings.ToLower(s) {
	case "default":
		*e = Effective{}
		return nil
	case "immediately":
		*e = Immediately
		return nil
	}
	if d, err := time.ParseDuration(s); err == nil {
		*e = After(d)
		return nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		*e = At(t.UTC())
		return nil
	}
	return fmt.Errorf("effective time %s: want immediately, default, a duration such as -10h, or a time such as 2019-05-03T10:00:00Z", strconv.Quote(s))
}

// Contoso is the example of Microsoft's guide: the gMSA WebApp01, the domain-local group WebApp01Hosts that may read its password,
// with ContainerHost01 to ContainerHost03 in it, which have its credential spec, the user alice, and a KDS root key that is usable.
func Contoso() Config {
	return Config{
		KDSRootKeys: []KDSRootKey{{Effective: Ago(10 * time.Hour)}},
		Groups:      []Group{{Name: "WebApp01Hosts", Scope: DomainLocal, Members: []string{"ContainerHost01", "ContainerHost02", "ContainerHost03"}}},
		Users:       []User{{Name: "alice"}},
		ServiceAccounts: []ServiceAccount{{
			Name:              "WebApp01",
			DNSHostName:       "WebApp01.contoso.com",
			SPNs:              []string{"host/WebApp01", "host/WebApp01.contoso.com"},
			AllowedToRetrieve: []string{"WebApp01Hosts"},
		}},
		Hosts: []HostConfig{
			{Name: "ContainerHost01", CredentialSpecs: []string{"WebApp01"}},
			{Name: "ContainerHost02", CredentialSpecs: []string{"WebApp01"}},
			{Name: "ContainerHost03", CredentialSpecs: []string{"WebApp01"}},
		},
	}
}
