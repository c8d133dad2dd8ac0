package scenarios

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/ecs"
	"github.com/gmsasim/gmsasim/simulator/swarm"
)

// verb is one kind of step. Each maps to one method of package simulator.
type verb struct {
	name  string
	admin bool // takes as and server
	help  string
	new   func() action
}

// verbs are all kinds of steps, in the order in which they are listed.
var verbs = slices.Concat(
	directoryVerbs,
	spnVerbs,
	appVerbs,
	hostVerbs,
	containerVerbs,
	pluginVerbs,
	hostSystemVerbs,
	dockerVerbs,
	specVerbs,
	fetcherVerbs,
	ecsVerbs,
	accountVerbs,
	dcVerbs,
	sqlVerbs,
	cmdletVerbs,
	logVerbs,
	worldVerbs,
	membershipVerbs,
	hostCareVerbs,
	raceVerbs,
	orchestratorVerbs,
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

// hostVerbs are what happens on hosts and with sign-ins.
var hostVerbs = []verb{
	{"joinHost", true, "Add-Computer", func() action { return &joinHost{} }},
	{"restartHost", false, "Restart-Computer", func() action { return &restartHost{} }},
	{"purgeTickets", false, "klist purge, of a host or a session", func() action { return &purgeTickets{} }},
	{"listTickets", false, "klist, of a host or a session", func() action { return &listTickets{} }},
	{"testServiceAccount", false, "Test-ADServiceAccount on a host", func() action { return &testServiceAccount{} }},
	{"installServiceAccount", false, "Install-ADServiceAccount on a host", func() action { return &installServiceAccount{} }},
	{"readPassword", false, "read msDS-ManagedPassword from a host", func() action { return &readPassword{} }},
	{"signIn", false, "sign a user in on a host", func() action { return &signIn{} }},
	{"signInAsServiceAccount", false, "sign in as a service account on a host", func() action { return &signInAsServiceAccount{} }},
	{"kerberosTo", false, "get a ticket for a service", func() action { return &kerberosTo{} }},
	{"service", false, "start a service that runs as a service account", func() action { return &service{} }},
	{"refresh", false, "let a service's host read the password again", func() action { return &refresh{} }},
	{"accept", false, "let a service accept a ticket", func() action { return &accept{} }},
}

// containerVerbs are what happens on a container host and in containers.
var containerVerbs = []verb{
	{"runContainer", false, "docker run on a host", func() action { return &runContainer{} }},
	{"rerunContainer", false, "docker rm -f, and docker run again with other options", func() action { return &rerunContainer{} }},
	{"stopContainer", false, "docker stop", func() action { return &stopContainer{} }},
	{"nltest", false, "nltest in a container", func() action { return &nltest{} }},
	{"klist", false, "klist, klist get or klist purge in a container", func() action { return &klist{} }},
	{"whoami", false, "whoami in a container", func() action { return &whoami{} }},
	{"dirSYSVOL", false, `dir \\DOMAIN\SYSVOL in a container`, func() action { return &dirSYSVOL{} }},
	{"inboundKerberos", false, "sign in to the service of a container, or to a host, with Kerberos", func() action { return &inboundKerberos{} }},
	{"inboundNTLM", false, "sign in to a container's service with NTLM", func() action { return &inboundNTLM{} }},
	{"translateSID", false, "ask in a container for the SID of a name, or the name of a SID", func() action { return &translateSID{} }},
	{"sqlServer", false, "start a SQL Server that runs as a user", func() action { return &sqlServer{} }},
	{"createLogin", false, "CREATE LOGIN … FROM WINDOWS", func() action { return &createLogin{} }},
	{"connectSQL", false, "connect from a container with Integrated Security", func() action { return &connectSQL{} }},
}

// worldVerbs move time, break things and mend them.
var worldVerbs = []verb{
	{"advance", false, "move domain time by a duration", func() action { return &advance{} }},
	{"advanceTo", false, "move domain time to a time, the next change, or a point of a rotation", func() action { return &advanceTo{} }},
	{"stopDC", false, "take a DC off the network", func() action { return &stopDC{} }},
	{"startDC", false, "put a DC back on the network", func() action { return &startDC{} }},
	{"replicate", false, "repadmin /syncall, for all DCs or one", func() action { return &replicate{} }},
	{"restartKDS", false, "Restart-Service KdsSvc on a DC", func() action { return &restartKDS{} }},
	{"closePort", false, "a firewall keeps a port from a host", func() action { return &closePort{} }},
	{"openPort", false, "the firewall opens the port", func() action { return &openPort{} }},
	{"setClock", false, "set what the clock of a host, or of a user's workstation, is ahead of domain time", func() action { return &setClock{} }},
	{"inject", false, "put a fault in force", func() action { return &inject{} }},
	{"lift", false, "take a fault back", func() action { return &lift{} }},
	{"clearFaults", false, "take all faults back", func() action { return &clearFaults{} }},
	{"snapshot", false, "remember the state of the domain", func() action { return &snapshot{} }},
	{"restore", false, "bring a remembered state back", func() action { return &restore{} }},
}

// notModelled are verbs of the format that this version does not carry out.
var notModelled = []string{"diagnose", "run"}

func verbOf(name string) *verb {
	for i := range verbs {
		if verbs[i].name == name {
			return &verbs[i]
		}
	}
	return nil
}

func verbNames() []string {
	var names []string
	for _, v := range verbs {
		names = append(names, v.name)
	}
	return names
}

// A Verb is a kind of step, for those who list them.
type Verb struct {
	Name string `json:"name"`
	// Help says what it does, where there is one in an administrator's own words.
	Help string `json:"help"`
	// Arguments are the keys that it takes.
	Arguments []string `json:"arguments,omitempty"`
}

// Verbs lists the kinds of steps.
func Verbs() []Verb {
	var list []Verb
	for _, v := range verbs {
		list = append(list, Verb{v.name, v.help, argumentsOf(v.new())})
	}
	return list
}

// argumentsOf are the keys of an action.
func argumentsOf(a action) []string {
	switch a.(type) {
	case *advanceTo:
		return keysOf(reflect.TypeFor[rotationPoint]())
	case *runContainer:
		return append([]string{"host"}, keysOf(reflect.TypeFor[simulator.Container]())...)
	case *runTask:
		return append([]string{"cluster"}, keysOf(reflect.TypeFor[ecs.Task]())...)
	case *installPlugin:
		return append([]string{"host"}, keysOf(reflect.TypeFor[simulator.Plugin]())...)
	case *updateService:
		return keysOf(reflect.TypeFor[swarm.Service]())
	case *rerunContainer:
		return append([]string{"container"}, keysOf(reflect.TypeFor[simulator.Container]())...)
	}
	return keysOf(reflect.TypeOf(a).Elem())
}

// list writes names on one line.
func list(names []string) string { return "{" + strings.Join(names, ", ") + "}" }

// digest tells passwords apart without showing them.
func digest(password []byte) string {
	if password == nil {
		return "none"
	}
	sum := sha256.Sum256(password)
	return hex.EncodeToString(sum[:6])
}

// ----- root keys

type addKDSRootKey struct {
	Effective simulator.Effective `yaml:"effective,omitempty,scalar"`
	// LocalTestOnly is the switch of this name: the cmdlet prints True or False and makes nothing.
	LocalTestOnly bool `yaml:"localTestOnly,omitempty"`
}

func (*addKDSRootKey) check(*scope, *node) {}

func (a *addKDSRootKey) do(r *attempt) error {
	if a.LocalTestOnly {
		ok, err := r.admin().TestKDSRootKey()
		if err != nil {
			return err
		}
		output := "False"
		if ok {
			output = "True"
		}
		r.output(output)
		return nil
	}
	key, err := r.admin().AddKDSRootKey(a.Effective)
	if err != nil {
		return err
	}
	r.keep(key)
	r.fact("key", key.ID)
	r.fact("effective", key.Effective.Time(r.d.Clock.Now()))
	r.fact("DC", key.DC)
	return nil
}

type deleteKDSRootKey struct {
	Key string `yaml:"key,omitempty,scalar"`
	ID  string `yaml:"id,omitempty"`
}

func (a *deleteKDSRootKey) check(s *scope, n *node) {
	switch {
	case (a.Key == "") == (a.ID == ""):
		s.d.fail(n.errorAt("either key, a step that added one, or id, a GUID"))
	case a.Key != "":
		s.result(argument(n, "key"), a.Key, "addKDSRootKey")
	}
}

func (a *deleteKDSRootKey) do(r *attempt) error {
	id := a.ID
	if id == "" {
		key, err := resultOf[simulator.KDSRootKey](r, a.Key, "root key")
		if err != nil {
			return err
		}
		id = key.ID
	}
	return r.admin().DeleteKDSRootKey(id)
}

type listKDSRootKeys struct {
	DC string `yaml:"dc,scalar"`
}

func (a *listKDSRootKeys) check(s *scope, n *node) { s.dc(argument(n, "dc"), a.DC) }

func (a *listKDSRootKeys) do(r *attempt) error {
	dc, err := r.dc(a.DC)
	if err != nil {
		return err
	}
	keys, err := r.admin().Server(a.DC).KDSRootKeys()
	if err != nil {
		return err
	}
	r.fact("keys", len(keys))
	for _, k := range keys {
		r.fact("key", k.ID)
		r.fact("effective", k.Effective)
		r.fact("usable", k.Usable)
		r.fact("isFormatValid", k.AttributeOfWrongFormat == "")
		if k.AttributeOfWrongFormat != "" {
			r.fact("attributeOfWrongFormat", k.AttributeOfWrongFormat)
		}
	}
	r.fact("DC", dc.Name())
	return nil
}

// ----- groups, users, service accounts

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

// ----- hosts

type joinHost simulator.HostConfig

func (a *joinHost) check(s *scope, n *node) {
	cfg := simulator.Config{DNSName: s.cfg.DNSName, NetBIOSName: s.cfg.NetBIOSName, Start: s.earlier, DCs: s.cfg.DCs, Domains: s.cfg.Domains,
		Hosts: []simulator.HostConfig{simulator.HostConfig(*a)}}
	if s.live || a.LastRestart.After(s.earlier) {
		cfg.Start = a.LastRestart
	}
	s.d.validate(n, "hosts[0]", cfg)
	workgroup := slices.ContainsFunc(s.cfg.Hosts, func(h simulator.HostConfig) bool { return h.Workgroup && strings.EqualFold(bare(h.Name), bare(a.Name)) })
	if has(s.hosts, bare(a.Name)) && !workgroup {
		s.d.fail(argument(n, "name").errorAt("there is a host %q already", bare(a.Name)))
	}
	if !s.current.expect.fails() && !has(s.hosts, bare(a.Name)) {
		s.hosts = append(s.hosts, bare(a.Name))
	}
	s.enter(a.Name)
}

func (a *joinHost) do(r *attempt) error {
	_, err := r.admin().JoinHost(simulator.HostConfig(*a))
	return err
}

type restartHost struct {
	Host string `yaml:"host,scalar"`
}

func (a *restartHost) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *restartHost) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	h.Restart()
	return nil
}

// owner is a holder of tickets: a host, or the session that a step signed in.
type owner struct {
	Host    string `yaml:"host,omitempty,scalar"`
	Session string `yaml:"session,omitempty"`
	// User stands for all sessions of a user on the host.
	User string `yaml:"user,omitempty"`
}

func (a *owner) check(s *scope, n *node) {
	switch {
	case (a.Host == "") == (a.Session == ""):
		s.d.fail(n.errorAt("either host or session"))
	case a.Host != "":
		s.host(argument(n, "host"), a.Host)
	default:
		s.result(argument(n, "session"), a.Session, "signIn", "signInAsServiceAccount")
	}
}

type purgeTickets owner

func (a *purgeTickets) check(s *scope, n *node) { (*owner)(a).check(s, n) }

func (a *purgeTickets) do(r *attempt) error {
	if a.Session != "" {
		session, err := resultOf[*simulator.Session](r, a.Session, "session")
		if err == nil {
			session.PurgeTickets()
		}
		return err
	}
	h, err := r.host(a.Host)
	switch {
	case err != nil:
		return err
	case a.User != "":
		h.PurgeSessions(a.User)
	default:
		h.PurgeTickets()
	}
	return nil
}

type listTickets owner

func (a *listTickets) check(s *scope, n *node) { (*owner)(a).check(s, n) }

func (a *listTickets) do(r *attempt) error {
	var tickets []simulator.Ticket
	if a.Session != "" {
		session, err := resultOf[*simulator.Session](r, a.Session, "session")
		if err != nil {
			return err
		}
		tickets = session.Tickets()
	} else {
		h, err := r.host(a.Host)
		if err != nil {
			return err
		}
		tickets = h.Tickets()
	}
	r.fact("tickets", len(tickets))
	for _, t := range tickets {
		r.fact(t.Server, fmt.Sprintf("%s, until %s", t.EType, t.EndTime.UTC().Format(time.RFC3339)))
	}
	return nil
}

// onHost is an account on a host.
type onHost struct {
	Host    string `yaml:"host"`
	Account string `yaml:"account"`
}

func (a *onHost) check(s *scope, n *node) {
	s.host(argument(n, "host"), a.Host)
	s.account(argument(n, "account"), a.Account, true)
}

type testServiceAccount onHost

func (a *testServiceAccount) check(s *scope, n *node) { (*onHost)(a).check(s, n) }

func (a *testServiceAccount) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	return h.TestServiceAccount(a.Account)
}

type installServiceAccount struct {
	Host    string `yaml:"host"`
	Account string `yaml:"account"`
	// Elevated tells whether the shell runs as administrator. Default true.
	Elevated *bool `yaml:"elevated,omitempty"`
}

func (a *installServiceAccount) check(s *scope, n *node) { (&onHost{a.Host, a.Account}).check(s, n) }

func (a *installServiceAccount) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	if a.Elevated != nil && !*a.Elevated {
		return h.Unelevated().InstallServiceAccount(a.Account)
	}
	return h.InstallServiceAccount(a.Account)
}

type readPassword struct {
	Host       string               `yaml:"host"`
	Account    string               `yaml:"account"`
	Protection simulator.Protection `yaml:"protection,omitempty"`
	// User is who reads on the host. Default: the host itself, which is SYSTEM.
	User string `yaml:"user,omitempty"`
	// ByDN lets the reader build the account's DN instead of searching by name.
	ByDN bool `yaml:"byDN,omitempty"`
}

func (a *readPassword) check(s *scope, n *node) {
	s.host(argument(n, "host"), a.Host)
	s.account(argument(n, "account"), a.Account, true)
}

func (a *readPassword) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	p := a.Protection
	if p == "" {
		p = simulator.Sealed
	}
	read := h.ReadPassword
	switch {
	case a.ByDN:
		read = func(account string, _ simulator.Protection) (*simulator.ManagedPassword, error) {
			return h.ReadPasswordByDN(account)
		}
	case a.User != "" && !strings.EqualFold(a.User, "SYSTEM"):
		read = func(account string, p simulator.Protection) (*simulator.ManagedPassword, error) {
			return h.ReadPasswordAs(a.User, account, p)
		}
	}
	pw, err := read(a.Account, p)
	if err != nil {
		return err
	}
	r.keep(pw)
	r.fact("account", pw.Account)
	r.fact("DC", pw.DC)
	r.fact("kvno", pw.KVNO)
	r.fact("current", digest(pw.Current))
	r.fact("previous", digest(pw.Previous))
	r.fact("ask again in", pw.QueryInterval)
	r.fact("unchanged for", pw.UnchangedInterval)
	return nil
}

// ----- signing in and tickets

type signIn struct {
	Host     string `yaml:"host"`
	User     string `yaml:"user"`
	Password string `yaml:"password"`
}

func (a *signIn) check(s *scope, n *node) {
	s.host(argument(n, "host"), a.Host)
	s.account(argument(n, "user"), a.User, true)
}

func (a *signIn) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	session, err := h.SignIn(a.User, a.Password)
	if err != nil {
		return err
	}
	r.session(session)
	return nil
}

func (r *attempt) session(s *simulator.Session) {
	r.keep(s)
	r.fact("client", s.Account())
	for _, t := range s.Tickets() {
		r.ticketFacts(t)
		break
	}
}

func (r *attempt) ticketFacts(t simulator.Ticket) {
	r.fact("server", t.Server)
	r.fact("encryption", t.EType)
	r.fact("kvno", t.KVNO)
	r.fact("until", t.EndTime)
	r.fact("DC", t.DC)
}

type signInAsServiceAccount onHost

func (a *signInAsServiceAccount) check(s *scope, n *node) { (*onHost)(a).check(s, n) }

func (a *signInAsServiceAccount) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	session, err := h.SignInAsServiceAccount(a.Account)
	if err != nil {
		return err
	}
	r.session(session)
	return nil
}

type kerberosTo struct {
	// From is a host, a user with a known password, or a service account that the first host signs in.
	From    string `yaml:"from,omitempty"`
	Session string `yaml:"session,omitempty"`
	// Container is one whose service asks.
	Container string `yaml:"container,omitempty"`
	SPN       string `yaml:"spn"`
}

func (a *kerberosTo) check(s *scope, n *node) {
	switch {
	case given(a.From, a.Session, a.Container) != 1:
		s.d.fail(n.errorAt("one of from, an account, session, a step that signed one in, and container, a step that runs one"))
	case a.Session != "":
		s.result(argument(n, "session"), a.Session, "signIn", "signInAsServiceAccount")
	case a.Container != "":
		s.result(argument(n, "container"), a.Container, "runContainer")
	default:
		s.account(argument(n, "from"), a.From, true)
	}
}

func (a *kerberosTo) do(r *attempt) error {
	var t *simulator.Ticket
	var err error
	switch {
	case a.Session != "":
		var session *simulator.Session
		if session, err = resultOf[*simulator.Session](r, a.Session, "session"); err == nil {
			t, err = session.KerberosTo(a.SPN)
		}
	case a.Container != "":
		var c *simulator.Running
		if c, err = resultOf[*simulator.Running](r, a.Container, "container"); err == nil {
			t, err = c.App().KerberosTo(a.SPN)
		}
	default:
		t, err = r.d.KerberosTo(r.ctx, a.From, a.SPN)
	}
	if err != nil {
		return err
	}
	r.keep(t)
	r.fact("client", t.Client)
	r.ticketFacts(*t)
	return nil
}

type service onHost

func (a *service) check(s *scope, n *node) { (*onHost)(a).check(s, n) }

func (a *service) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	svc, err := h.Service(a.Account)
	if err == nil {
		r.keep(svc)
	}
	return err
}

type refresh struct {
	Service string `yaml:"service,omitempty,scalar"`
	// Host and Account stand for all services of a host that run as the account, and for its containers.
	Host    string `yaml:"host,omitempty"`
	Account string `yaml:"account,omitempty"`
}

func (a *refresh) check(s *scope, n *node) {
	switch {
	case a.Service != "" && given(a.Host, a.Account) == 0:
		s.result(argument(n, "service"), a.Service, "service")
	case a.Service == "" && given(a.Host, a.Account) == 2:
		s.host(argument(n, "host"), a.Host)
		s.account(argument(n, "account"), a.Account, true)
	default:
		s.d.fail(n.errorAt("either service, or host and account"))
	}
}

func (a *refresh) do(r *attempt) error {
	if a.Host != "" {
		h, err := r.host(a.Host)
		if err != nil {
			return err
		}
		return h.RefreshServiceAccount(a.Account)
	}
	svc, err := resultOf[*simulator.Service](r, a.Service, "service")
	if err != nil {
		return err
	}
	return svc.Refresh()
}

type accept struct {
	Service string `yaml:"service,omitempty"`
	// Container is one whose service accepts; Host a computer, whose own services accept.
	Container string `yaml:"container,omitempty"`
	Host      string `yaml:"host,omitempty"`
	Ticket    string `yaml:"ticket"`
}

func (a *accept) check(s *scope, n *node) {
	switch {
	case given(a.Service, a.Container, a.Host) != 1:
		s.d.fail(n.errorAt("one of service, container and host"))
		return
	case a.Host != "":
		s.host(argument(n, "host"), a.Host)
	case a.Service != "":
		s.result(argument(n, "service"), a.Service, "service")
	default:
		s.result(argument(n, "container"), a.Container, "runContainer")
	}
	s.result(argument(n, "ticket"), a.Ticket, "kerberosTo")
}

func (a *accept) do(r *attempt) error {
	t, err := resultOf[*simulator.Ticket](r, a.Ticket, "ticket")
	if err != nil {
		return err
	}
	var by interface{ Accept(*simulator.Ticket) error }
	switch {
	case a.Service != "":
		by, err = resultOf[*simulator.Service](r, a.Service, "service")
	case a.Host != "":
		by, err = r.host(a.Host)
	default:
		by, err = resultOf[*simulator.Running](r, a.Container, "container")
	}
	if err != nil {
		return err
	}
	if err := by.Accept(t); err != nil {
		return err
	}
	r.fact("client", t.Client)
	return nil
}

// given counts the arguments that are there.
func given(arguments ...string) (n int) {
	for _, a := range arguments {
		if a != "" {
			n++
		}
	}
	return n
}

// ----- time

type advance struct {
	By time.Duration `yaml:"by,scalar"`
}

func (a *advance) check(s *scope, n *node) {
	if a.By <= 0 {
		s.d.fail(argument(n, "by").errorAt("%v: domain time moves forward only", a.By))
		return
	}
	s.earlier = s.earlier.Add(a.By)
}

func (a *advance) do(r *attempt) error { return r.advanceTo(r.d.Clock.Now().Add(a.By)) }

func (r *attempt) advanceTo(t time.Time) error {
	// Where domain time runs with the machine's, it has moved a little by the time that it is set.
	if now := r.d.Clock.Now(); !t.After(now) {
		return fmt.Errorf("domain time is %s already and does not go back to %s", now.Format(time.RFC3339), t.UTC().Format(time.RFC3339))
	}
	if t.Year() > maxYear {
		return fmt.Errorf("%s is after the year %d", t.UTC().Format(time.RFC3339), maxYear)
	}
	r.d.Clock.AdvanceTo(t)
	r.fact("now", t)
	return nil
}

// maxYear is where the start of a simulator.Config ends too.
const maxYear = 2400

// advanceTo is a time, the word next, or a point in the rotation of an account's password.
type advanceTo struct {
	at   time.Time
	next bool
	rotationPoint
}

type rotationPoint struct {
	Account string `yaml:"account"`
	// Interval counts from 0, the one in which the account was made.
	Interval int `yaml:"interval,omitempty"`
	// Point is one of points.
	Point string `yaml:"point,omitempty"`
}

// points are those of simulator.Rotation.
var points = []string{"start", "middle", "skewWindow", "previousStillValid"}

func (a *advanceTo) decodeNode(d *decoder, n *node) {
	switch {
	case n.kind == scalarNode && n.text == "next":
		a.next = true
	case n.kind == scalarNode:
		d.decode(n, &a.at)
	default:
		d.decode(n, &a.rotationPoint)
	}
}

func (a *advanceTo) check(s *scope, n *node) {
	switch {
	case a.next:
	case !a.at.IsZero():
		if !s.live && !a.at.After(s.earlier) {
			s.d.fail(n.errorAt("domain time is %s already at this step", s.earlier.UTC().Format(time.RFC3339)))
		}
		s.earlier = a.at
	default:
		s.account(argument(n, "account"), a.Account, true)
		if a.Interval < 0 || a.Interval > 10_000 {
			s.d.fail(argument(n, "interval").errorAt("%d is not between 0 and 10000", a.Interval))
		}
		if a.Point != "" && !has(points, a.Point) {
			s.d.fail(argument(n, "point").errorNear(a.Point, points, "no point %q of a rotation", a.Point))
		}
	}
}

func (a *advanceTo) do(r *attempt) error {
	switch {
	case a.next:
		t, what, ok := r.d.Clock.Next()
		if !ok {
			return errors.New("no change is due that only time brings")
		}
		r.fact("what", what)
		return r.advanceTo(t)
	case !a.at.IsZero():
		return r.advanceTo(a.at)
	}
	rot, err := r.d.Rotation(a.Account)
	if err != nil {
		return err
	}
	t := rot.Start(a.Interval)
	switch a.Point {
	case "middle":
		t = rot.Middle(a.Interval)
	case "skewWindow":
		t = rot.SkewWindow(a.Interval)
	case "previousStillValid":
		t = rot.PreviousStillValid(a.Interval)
	}
	return r.advanceTo(t)
}

// ----- domain controllers and the network

type onDC struct {
	DC string `yaml:"dc,scalar"`
}

func (a *onDC) check(s *scope, n *node) { s.dc(argument(n, "dc"), a.DC) }

func (a *onDC) with(r *attempt, work func(*simulator.DC)) error {
	dc, err := r.dc(a.DC)
	if err == nil {
		work(dc)
	}
	return err
}

type stopDC onDC

func (a *stopDC) check(s *scope, n *node) { (*onDC)(a).check(s, n) }
func (a *stopDC) do(r *attempt) error     { return (*onDC)(a).with(r, (*simulator.DC).Stop) }

type startDC onDC

func (a *startDC) check(s *scope, n *node) { (*onDC)(a).check(s, n) }
func (a *startDC) do(r *attempt) error     { return (*onDC)(a).with(r, (*simulator.DC).Start) }

type restartKDS onDC

func (a *restartKDS) check(s *scope, n *node) { (*onDC)(a).check(s, n) }
func (a *restartKDS) do(r *attempt) error     { return (*onDC)(a).with(r, (*simulator.DC).RestartKDS) }

type replicate struct {
	DC string `yaml:"dc,omitempty,scalar"`
}

func (a *replicate) check(s *scope, n *node) {
	if a.DC != "" {
		s.dc(argument(n, "dc"), a.DC)
	}
}

func (a *replicate) do(r *attempt) error {
	if a.DC == "" {
		r.d.Replicate()
		return nil
	}
	return (&onDC{a.DC}).with(r, (*simulator.DC).Replicate)
}

type closePort struct {
	Host      string `yaml:"host,omitempty"`
	Container string `yaml:"container,omitempty"`
	// Port is "389" on every DC, "DC01:88" on one, "DC01" all of its ports.
	Port string `yaml:"port"`
}

func (a *closePort) check(s *scope, n *node) {
	switch {
	case given(a.Host, a.Container) != 1:
		s.d.fail(n.errorAt("either host or container"))
		return
	case a.Host != "":
		s.host(argument(n, "host"), a.Host)
	default:
		s.result(argument(n, "container"), a.Container, "runContainer")
	}
	s.ports(argument(n, "port"), a.Port)
}

// ports checks what a firewall may keep.
func (s *scope) ports(n *node, ports ...string) {
	for _, p := range ports {
		s.d.validate(n, "hosts[0].closedPorts[0]",
			simulator.Config{DNSName: s.cfg.DNSName, NetBIOSName: s.cfg.NetBIOSName, DCs: s.cfg.DCs, Domains: s.cfg.Domains,
				Hosts: []simulator.HostConfig{{Name: "h", ClosedPorts: []string{p}}}})
	}
}

// gate is what a firewall stands before.
type gate interface {
	ClosePort(port string)
	OpenPort(port string)
}

func (a *closePort) gate(r *attempt) (gate, error) {
	if a.Container != "" {
		return resultOf[*simulator.Running](r, a.Container, "container")
	}
	return r.host(a.Host)
}

func (a *closePort) do(r *attempt) error {
	g, err := a.gate(r)
	if err == nil {
		g.ClosePort(a.Port)
	}
	return err
}

type openPort closePort

func (a *openPort) check(s *scope, n *node) { (*closePort)(a).check(s, n) }

func (a *openPort) do(r *attempt) error {
	g, err := (*closePort)(a).gate(r)
	if err == nil {
		g.OpenPort(a.Port)
	}
	return err
}

type setClock struct {
	Host string `yaml:"host,omitempty"`
	// User is one whose workstation's clock is set.
	User   string        `yaml:"user,omitempty"`
	Offset time.Duration `yaml:"offset"`
}

func (a *setClock) check(s *scope, n *node) {
	switch {
	case given(a.Host, a.User) != 1:
		s.d.fail(n.errorAt("either host or user"))
	case a.Host != "":
		s.host(argument(n, "host"), a.Host)
	default:
		s.account(argument(n, "user"), a.User, true)
	}
}

func (a *setClock) do(r *attempt) error {
	if a.User != "" {
		r.d.SetUserClock(a.User, a.Offset)
		return nil
	}
	h, err := r.host(a.Host)
	if err == nil {
		h.SetClockOffset(a.Offset)
	}
	return err
}

// ----- faults and snapshots

type inject simulator.Fault

func (a *inject) check(s *scope, n *node) {
	cfg := simulator.Config{DNSName: s.cfg.DNSName, NetBIOSName: s.cfg.NetBIOSName, DCs: s.cfg.DCs, Domains: s.cfg.Domains,
		Faults: []simulator.Fault{simulator.Fault(*a)}}
	for _, h := range s.hosts {
		cfg.Hosts = append(cfg.Hosts, simulator.HostConfig{Name: h})
	}
	s.d.validate(n, "faults[0]", cfg)
}

func (a *inject) do(r *attempt) error {
	r.keep(r.d.Inject(simulator.Fault(*a)))
	return nil
}

type lift struct {
	Fault string `yaml:"fault,scalar"`
}

func (a *lift) check(s *scope, n *node) { s.result(argument(n, "fault"), a.Fault, "inject") }

func (a *lift) do(r *attempt) error {
	remove, err := resultOf[func()](r, a.Fault, "fault")
	if err == nil {
		remove()
	}
	return err
}

type clearFaults struct{}

func (*clearFaults) check(*scope, *node) {}

func (*clearFaults) do(r *attempt) error {
	r.d.ClearFaults()
	return nil
}

type snapshot struct{}

func (*snapshot) check(s *scope, n *node) {
	if s.current.id == "" {
		s.d.fail(n.errorAt("a snapshot needs an id, by which restore names it"))
		return
	}
	s.hostsAt[s.current.id] = append([]string(nil), s.hosts...)
}

func (*snapshot) do(r *attempt) error {
	r.keep(r.d.Snapshot())
	return nil
}

type restore struct {
	Snapshot string `yaml:"snapshot,scalar"`
}

func (a *restore) check(s *scope, n *node) {
	s.result(argument(n, "snapshot"), a.Snapshot, "snapshot")
	if hosts, ok := s.hostsAt[a.Snapshot]; ok {
		s.hosts = hosts
	}
	s.earlier = time.Time{}
}

func (a *restore) do(r *attempt) error {
	snap, err := resultOf[*simulator.Snapshot](r, a.Snapshot, "snapshot")
	if err != nil {
		return err
	}
	return r.d.Restore(snap)
}
