package scenarios

import (
	"time"

	"github.com/gmsasim/gmsasim/simulator"
)

// directoryVerbs are what an administrator does to the directory.
var directoryVerbs = []verb{
	{"addKDSRootKey", true, "Add-KdsRootKey", func() action { return &addKDSRootKey{} }},
	{"deleteKDSRootKey", true, "Remove-ADObject on a root key", func() action { return &deleteKDSRootKey{} }},
	{"listKDSRootKeys", true, "Get-KdsRootKey on one DC", func() action { return &listKDSRootKeys{} }},
	{"newGroup", true, "New-ADGroup", func() action { return &newGroup{} }},
	{"removeGroup", true, "Remove-ADGroup", func() action { return &removeGroup{} }},
	{"addGroupMember", true, "Add-ADGroupMember", func() action { return &addGroupMember{} }},
	{"removeGroupMember", true, "Remove-ADGroupMember", func() action { return &removeGroupMember{} }},
	{"newServiceAccount", true, "New-ADServiceAccount", func() action { return &newServiceAccount{} }},
	{"getServiceAccount", true, "Get-ADServiceAccount", func() action { return &getServiceAccount{} }},
	{"setServiceAccount", true, "Set-ADServiceAccount", func() action { return &setServiceAccount{} }},
	{"removeServiceAccount", true, "Remove-ADServiceAccount", func() action { return &removeServiceAccount{} }},
	{"newUser", true, "New-ADUser", func() action { return &newUser{} }},
	{"setPassword", true, "Set-ADAccountPassword -Reset", func() action { return &setPassword{} }},
	{"setAccountControl", true, "Set-ADObject -Replace @{userAccountControl=…}", func() action { return &setAccountControl{} }},
	{"addSPN", true, "setspn -S, or -A with unchecked", func() action { return &addSPN{} }},
	{"removeSPN", true, "setspn -D", func() action { return &removeSPN{} }},
}

type newGroup simulator.Group

func (a *newGroup) check(s *scope, n *node) {
	s.accounts(argument(n, "members"), a.Members)
	s.enter(a.Name)
}

func (a *newGroup) do(r *attempt) error { return r.admin().NewGroup(simulator.Group(*a)) }

type removeGroup struct {
	Group string `yaml:"group,scalar"`
}

func (a *removeGroup) check(s *scope, n *node) { s.account(argument(n, "group"), a.Group, true) }
func (a *removeGroup) do(r *attempt) error     { return r.admin().RemoveGroup(a.Group) }

type addGroupMember struct {
	Group   string   `yaml:"group"`
	Members []string `yaml:"members"`
	// Exact takes the names as the cmdlet does: a computer's ends in $.
	Exact bool `yaml:"exact,omitempty"`
}

func (a *addGroupMember) check(s *scope, n *node) {
	s.account(argument(n, "group"), a.Group, true)
	s.accounts(argument(n, "members"), a.Members)
}

func (a *addGroupMember) do(r *attempt) error {
	if a.Exact {
		return r.admin().AddGroupMemberExactly(a.Group, a.Members...)
	}
	return r.admin().AddGroupMember(a.Group, a.Members...)
}

type removeGroupMember struct {
	Group   string   `yaml:"group"`
	Members []string `yaml:"members"`
}

func (a *removeGroupMember) check(s *scope, n *node) {
	(&addGroupMember{Group: a.Group, Members: a.Members}).check(s, n)
}

func (a *removeGroupMember) do(r *attempt) error {
	return r.admin().RemoveGroupMember(a.Group, a.Members...)
}

type newServiceAccount simulator.ServiceAccount

func (a *newServiceAccount) check(s *scope, n *node) {
	s.accounts(argument(n, "allowedToRetrieve"), a.AllowedToRetrieve)
	s.enter(a.Name)
}

func (a *newServiceAccount) do(r *attempt) error {
	return r.admin().NewServiceAccount(simulator.ServiceAccount(*a))
}

type getServiceAccount struct {
	Account string `yaml:"account,scalar"`
}

func (a *getServiceAccount) check(s *scope, n *node) {
	s.account(argument(n, "account"), a.Account, true)
}

func (a *getServiceAccount) do(r *attempt) error {
	got, err := r.admin().ServiceAccount(a.Account)
	if err != nil {
		return err
	}
	r.fact("name", got.Name)
	r.fact("dnsHostName", got.DNSHostName)
	r.fact("spns", list(got.SPNs))
	r.fact("allowedToRetrieve", list(got.AllowedToRetrieve))
	r.fact("intervalDays", got.IntervalDays)
	r.fact("encryptionTypes", list(got.EncryptionTypes))
	r.fact("enabled", got.Enabled == nil || *got.Enabled)
	class := "msDS-GroupManagedServiceAccount"
	if got.RestrictToSingleComputer {
		class = "msDS-ManagedServiceAccount"
	}
	r.fact("objectClass", class)
	if !got.AccountExpirationDate.IsZero() {
		r.fact("accountExpirationDate", got.AccountExpirationDate)
	}
	return nil
}

type setServiceAccount struct {
	Account                    string    `yaml:"account"`
	DNSHostName                *string   `yaml:"dnsHostName,omitempty"`
	SPNs                       *[]string `yaml:"spns,omitempty"`
	AllowedToRetrieve          *[]string `yaml:"allowedToRetrieve,omitempty"`
	RetrieveSDDL               *string   `yaml:"retrieveSDDL,omitempty"`
	IntervalDays               *int      `yaml:"intervalDays,omitempty"`
	EncryptionTypes            *[]string `yaml:"encryptionTypes,omitempty"`
	Enabled                    *bool     `yaml:"enabled,omitempty"`
	AllowedToDelegateTo        *[]string `yaml:"allowedToDelegateTo,omitempty"`
	Compound                   *bool     `yaml:"compoundIdentitySupported,omitempty"`
	TrustedForDelegation       *bool     `yaml:"trustedForDelegation,omitempty"`
	TrustedToAuthForDelegation *bool     `yaml:"trustedToAuthForDelegation,omitempty"`
	// AccountExpirationDate is when the account expires; NeverExpires is Clear-ADAccountExpiration.
	AccountExpirationDate *time.Time `yaml:"accountExpirationDate,omitempty"`
	NeverExpires          bool       `yaml:"neverExpires,omitempty"`
}

func (a *setServiceAccount) check(s *scope, n *node) {
	s.account(argument(n, "account"), a.Account, true)
	if a.AllowedToRetrieve != nil {
		s.accounts(argument(n, "allowedToRetrieve"), *a.AllowedToRetrieve)
	}
	if len(n.fields) < 2 {
		s.d.fail(n.errorAt("nothing is to be set"))
	}
}

func (a *setServiceAccount) do(r *attempt) error {
	return r.admin().SetServiceAccount(a.Account, func(s *simulator.ServiceAccount) {
		set(&s.DNSHostName, a.DNSHostName)
		set(&s.SPNs, a.SPNs)
		if a.AllowedToRetrieve != nil {
			s.AllowedToRetrieve, s.RetrieveSDDL = *a.AllowedToRetrieve, "" // the cmdlet writes a descriptor of its own
		}
		set(&s.RetrieveSDDL, a.RetrieveSDDL)
		set(&s.IntervalDays, a.IntervalDays)
		set(&s.EncryptionTypes, a.EncryptionTypes)
		set(&s.AllowedToDelegateTo, a.AllowedToDelegateTo)
		set(&s.CompoundIdentitySupported, a.Compound)
		set(&s.TrustedForDelegation, a.TrustedForDelegation)
		set(&s.TrustedToAuthForDelegation, a.TrustedToAuthForDelegation)
		set(&s.AccountExpirationDate, a.AccountExpirationDate)
		if a.NeverExpires {
			s.AccountExpirationDate = time.Time{}
		}
		if a.Enabled != nil {
			s.Enabled = a.Enabled
		}
	})
}

func set[T any](to *T, value *T) {
	if value != nil {
		*to = *value
	}
}

type setAccountControl struct {
	Account string `yaml:"account"`
	Value   int    `yaml:"value"`
}

func (a *setAccountControl) check(s *scope, n *node) {
	s.account(argument(n, "account"), a.Account, true)
	if a.Value < 0 {
		s.d.fail(argument(n, "value").errorAt("userAccountControl is not negative"))
	}
}

func (a *setAccountControl) do(r *attempt) error {
	return r.admin().SetAccountControl(a.Account, uint32(a.Value))
}

type removeServiceAccount struct {
	Account string `yaml:"account,scalar"`
}

func (a *removeServiceAccount) check(s *scope, n *node) {
	s.account(argument(n, "account"), a.Account, true)
}

func (a *removeServiceAccount) do(r *attempt) error {
	return r.admin().RemoveServiceAccount(a.Account)
}

type newUser simulator.User

func (a *newUser) check(s *scope, _ *node) { s.enter(a.Name) }
func (a *newUser) do(r *attempt) error     { return r.admin().NewUser(simulator.User(*a)) }

type setPassword struct {
	Account  string `yaml:"account"`
	Password string `yaml:"password"`
	// Offline writes it into the database of a DC, past the directory's rules.
	Offline bool `yaml:"offline,omitempty"`
}

func (a *setPassword) check(s *scope, n *node) { s.account(argument(n, "account"), a.Account, true) }
func (a *setPassword) do(r *attempt) error {
	if a.Offline {
		return r.d.SetPasswordOffline(a.Account, a.Password)
	}
	return r.admin().SetPassword(a.Account, a.Password)
}

type addSPN struct {
	Account string `yaml:"account"`
	SPN     string `yaml:"spn"`
	// Unchecked is setspn -A of old releases.
	Unchecked bool `yaml:"unchecked,omitempty"`
}

func (a *addSPN) check(s *scope, n *node) { s.account(argument(n, "account"), a.Account, true) }
func (a *addSPN) do(r *attempt) error     { return r.admin().AddSPN(a.Account, a.SPN, a.Unchecked) }

type removeSPN struct {
	Account string `yaml:"account"`
	SPN     string `yaml:"spn"`
}

func (a *removeSPN) check(s *scope, n *node) { s.account(argument(n, "account"), a.Account, true) }
func (a *removeSPN) do(r *attempt) error     { return r.admin().RemoveSPN(a.Account, a.SPN) }
