// Package diag holds the catalogue of findings: one code for one cause, with the text that says what is wrong, how Windows
// shows it, why it is so and what repairs it.
//
// A [Finding] is an error. Its code is an error too, so a test asks for the cause without looking at words:
//
//	if errors.Is(err, diag.StaleTicket) { … }
//
// Codes never change their meaning and are never used again for another one. [Lookup] gives the catalogue entry of a code,
// [Explain] its page.
package diag

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Code names one cause: "GMSA" and three digits.
type Code string

// The causes that the simulator can diagnose today. The hundreds group them: 1 root keys and password time, 2 who may read the password,
// 3 containers, 4 credential specs and plug-ins, 5 names and tickets, 6 reaching the domain, 7 orchestrators, 9 the simulator itself.
const (
	NoRootKey             Code = "GMSA101" // no KDS root key exists
	YoungRootKey          Code = "GMSA102" // the KDS root key is not usable yet
	RootKeyNotOnDC        Code = "GMSA103" // another DC has the KDS root key, this one does not
	NoSuchAccount         Code = "GMSA104" // no account or group has this name
	AccountNotOnDC        Code = "GMSA105" // another DC has the account, this one does not
	NameTaken             Code = "GMSA106" // the name of a new account is in use
	ChangeRefused         Code = "GMSA107" // the directory's rules do not allow a change
	RootKeyGone           Code = "GMSA110" // no DC has the root key of the account's password any more
	KDSDown               Code = "GMSA111" // the key distribution service of a DC does not run
	PasswordsDiffer       Code = "GMSA112" // two DCs have different passwords of the account
	BadRootKey            Code = "GMSA113" // the KDS root key is damaged
	DCTooOld              Code = "GMSA114" // the DC runs a release before Windows Server 2012
	SchemaTooOld          Code = "GMSA115" // the schema has no group managed service accounts
	FuturePassword        Code = "GMSA116" // the password's time has not come
	NotGroupAccount       Code = "GMSA117" // the account is another kind of managed service account
	WrongContainer        Code = "GMSA118" // the account is in another container than the tool looks in
	PasswordOverwritten   Code = "GMSA119" // somebody has set the account's password by hand
	NotAllowed            Code = "GMSA201" // the host is not among the principals allowed to retrieve the password
	StaleTicket           Code = "GMSA202" // the host's ticket is older than its membership
	NotSealed             Code = "GMSA203" // the connection is not encrypted
	NoCommonEType         Code = "GMSA204" // client, account and KDC have no encryption type in common
	AdminDenied           Code = "GMSA205" // the administrator's account lacks the right for a change
	MembershipNotOnDC     Code = "GMSA206" // another DC allows the reader, this one does not yet
	OtherDomain           Code = "GMSA210" // the host is of another domain than the account
	RestartPending        Code = "GMSA211" // the host was not restarted since it joined
	ModuleMissing         Code = "GMSA212" // the Active Directory module is not installed on the host
	ADWSUnreachable       Code = "GMSA213" // the cmdlets reach no Active Directory Web Services
	ShellNotElevated      Code = "GMSA214" // the cmdlet needs an elevated shell
	CompoundIdentity      Code = "GMSA215" // the account is marked for compound identity
	UnknownParameter      Code = "GMSA216" // a cmdlet has no parameter of the name
	EventTextMissing      Code = "GMSA217" // a computer has no texts for the events of an exported log
	HostnameDiffers       Code = "GMSA301" // the container's host name is not the account's, on a release where it has to be
	ChannelDisplaced      Code = "GMSA302" // another container has taken over the secure channel
	GMSAIsolation         Code = "GMSA303" // the release cannot start a container with a credential spec in this isolation
	WrongAppUser          Code = "GMSA304" // the process runs as a user that is nobody on the network
	NoCredentialSpec      Code = "GMSA305" // the container was started without a credential spec
	MachineFlagLost       Code = "GMSA306" // the service account is no machine account any more
	LoginMissing          Code = "GMSA307" // a server knows who comes and has no login for it
	ImageMismatch         Code = "GMSA311" // the host does not run images of this build in this isolation
	IsolationNotOffered   Code = "GMSA312" // the host does not offer the isolation
	UserRefused           Code = "GMSA313" // the image cannot start a process as this user
	EngineTooNew          Code = "GMSA314" // the engine does not run on this host
	UnknownFlag           Code = "GMSA315" // the docker client does not know a flag
	CCGUnavailable        Code = "GMSA316" // Container Credential Guard of the host does not answer
	CredentialsOff        Code = "GMSA317" // credentials are turned off for the container
	Baselines             Code = "GMSA318" // host and image are on different sides of an update, and 32-bit programs do not run
	ServiceTooEarly       Code = "GMSA319" // a service called the domain before the secure channel was up
	SpecOutdated          Code = "GMSA320" // the container has an older credential spec than its host
	EntryPointFails       Code = "GMSA321" // the entry point of the image ends the container
	ChannelAged           Code = "GMSA322" // the secure channel has been up for longer than the release keeps it
	SMBElsewhere          Code = "GMSA323" // SMB of the container looks names up in another network
	ToolMissing           Code = "GMSA340" // the image does not hold the program
	SettingRefused        Code = "GMSA341" // a command did not change the user of the application
	LookupPolicy          Code = "GMSA342" // a policy about the endpoint mapper breaks questions for names
	SQLUntrusted          Code = "GMSA343" // SQL Server cannot tell who comes
	SQLAuthentication     Code = "GMSA344" // the connection string asks for a login of SQL Server's own
	SpecFieldMissing      Code = "GMSA401" // the credential spec lacks a field
	SpecAccountName       Code = "GMSA402" // an account's name in the credential spec has a $ or a domain
	SpecDomainName        Code = "GMSA403" // a domain's name in the credential spec is wrong
	SpecNoEntry           Code = "GMSA404" // the credential spec has no entry for the account
	SpecSID               Code = "GMSA405" // the Sid of the credential spec is not the domain's
	SpecPath              Code = "GMSA406" // the option gives a path where a flat name belongs
	SpecGUID              Code = "GMSA407" // the Guid of the credential spec is not the domain's
	CredentialSpecMissing Code = "GMSA410" // the engine cannot load the credential spec that it was told
	SpecOption            Code = "GMSA411" // the engine does not understand the security option
	SpecUnreadable        Code = "GMSA412" // Windows cannot read the document of the credential spec
	SpecCmdlet            Code = "GMSA413" // New-CredentialSpec does not work on this computer
	SpecExists            Code = "GMSA414" // a credential spec of this name is there already
	SpecAdditional        Code = "GMSA415" // an additional account is given in a form that the module does not take
	SpecReplaced          Code = "GMSA416" // a later option has put another credential spec in place
	HostNotJoined         Code = "GMSA450" // the host has no account in the domain and no plug-in
	PluginSectionBad      Code = "GMSA451" // the section HostAccountConfig cannot be read
	PluginNotStarted      Code = "GMSA452" // the plug-in cannot be started
	PluginGaveNothing     Code = "GMSA453" // the plug-in gave no user
	PlaintextSecret       Code = "GMSA454" // a credential spec holds a password
	SPNUnknown            Code = "GMSA501" // no account has this service principal name
	SPNDuplicate          Code = "GMSA502" // two accounts have this service principal name
	SPNOtherName          Code = "GMSA503" // the service was reached by a name that nobody registered
	TicketUnderOldKey     Code = "GMSA504" // the ticket is encrypted with a key that the service does not hold
	BadCredentials        Code = "GMSA505" // the password or key of the account is not the directory's
	AccountUnusable       Code = "GMSA506" // the account is disabled, locked or expired
	SPNTaken              Code = "GMSA507" // a new service principal name is another account's
	SPNNotOnDC            Code = "GMSA508" // another DC knows the service principal name, this one does not
	AddressNotName        Code = "GMSA509" // the service is reached by its address, which is no name
	NTLMBlocked           Code = "GMSA510" // a policy does not allow NTLM, and Kerberos is not to be had
	NegativeCache         Code = "GMSA511" // the client remembers that nobody had the name
	DelegationRefused     Code = "GMSA512" // the service may not go to another one as the user
	DNSFindsNoDC          Code = "GMSA601" // DNS has no domain controller of the domain
	DCUnreachable         Code = "GMSA602" // no domain controller answers
	ClockSkew             Code = "GMSA603" // the clocks are more than five minutes apart
	DCRefuses             Code = "GMSA604" // a domain controller answers that it is busy or unavailable
	RequestRefused        Code = "GMSA605" // a domain controller does not carry a request out
	SigningRequired       Code = "GMSA610" // a DC demands a signature that the client does not give
	SpecNotExpanded       Code = "GMSA701" // a pod names a credential spec and its container has none
	WebhookUnreachable    Code = "GMSA702" // the API server gets no answer of the gMSA webhook
	WebhookNotInstalled   Code = "GMSA703" // the installation of the gMSA webhook does not come to its end
	CredentialSpecObject  Code = "GMSA704" // the GMSACredentialSpec that a pod names is absent or empty
	UseNotAllowed         Code = "GMSA705" // the pod's service account may not use the GMSACredentialSpec
	PodSettingsRefused    Code = "GMSA706" // the gMSA webhook refuses the settings of a pod
	APIServerRefuses      Code = "GMSA707" // the API server does not take an object
	NoSuitableNode        Code = "GMSA708" // no node takes a container, or one that cannot run it does
	ServiceSpecRefused    Code = "GMSA711" // a swarm service does not name one source of its credential spec
	ECSNoInstance         Code = "GMSA750" // no container instance has what the task asks for
	ECSSpecRefused        Code = "GMSA751" // the task's option for the credential spec is none that is taken
	ECSNoExecutionRole    Code = "GMSA752" // the agent has no role to fetch the credential spec with
	ECSNoSection          Code = "GMSA753" // the credential spec of a domainless task lacks its section
	FetcherNoPassword     Code = "GMSA760" // the daemon looks for the account where it is not
	FetcherNoTicket       Code = "GMSA761" // the password does not reach kinit whole
	ReverseName           Code = "GMSA762" // the client asks for the name of a reverse look-up
	TicketLapsed          Code = "GMSA763" // nobody renewed the ticket
	NotModelled           Code = "GMSA900" // the simulator does not model this
	SimulatorBug          Code = "GMSA999" // the simulator contradicts itself
)

// Error makes a code a target for errors.Is.
func (c Code) Error() string {
	if e, ok := Lookup(c); ok {
		return fmt.Sprintf("%s: %s", string(c), e.Title)
	}
	return string(c)
}

// A Fact is a name and a value that the diagnosis rests on, for instance "usable", "2019-05-03 20:00Z".
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Help is one way to repair the cause: a sentence and, where there is one, the command that an administrator types.
type Help struct {
	Text    string `json:"text"`
	Command string `json:"command,omitempty"`
	// Do is the same for a replay: steps of a scenario in flow style, as in "restartHost: ContainerHost01", carried out before the step
	// that failed is tried again. "with: {isolation: process}" changes the arguments of that step. A help without Do is advice that
	// nothing proves.
	Do []string `json:"do,omitempty"`
	// Sure tells that the command is safe to apply without a further question.
	Sure bool `json:"sure,omitempty"`
}

// Near is something close to what was asked for, with the difference in words.
type Near struct {
	Wanted  string `json:"wanted"`
	Closest string `json:"closest"`
	WhyNot  string `json:"whyNot,omitempty"`
}

// A Span is a place in a file. Line and Column count from 1.
type Span struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Length int    `json:"length,omitempty"`
	Label  string `json:"label,omitempty"`
}

// A Finding is one cause, diagnosed from the state of a domain and from the step that failed.
type Finding struct {
	Code    Code     `json:"code"`
	Mode    string   `json:"mode,omitempty"`    // the failure mode of [Modes] that the state is an instance of
	Title   string   `json:"title"`             // stands alone, lower case, no full stop
	At      []Span   `json:"at,omitempty"`      // the first is the primary one
	Facts   []Fact   `json:"facts,omitempty"`   // in the order in which they are printed
	SeenAs  []string `json:"seenAs,omitempty"`  // what Windows prints
	Because string   `json:"because,omitempty"` // one sentence: the mechanism
	Help    []Help   `json:"help,omitempty"`
	Nearest []Near   `json:"nearest,omitempty"`
	Events  []int    `json:"events,omitempty"` // numbers of the events that prove it
	Cause   error    `json:"-"`                // what the protocol answered
}

// Error gives the code, the title and the protocol's answer on one line.
func (f *Finding) Error() string {
	s := string(f.Code) + " " + f.Title
	if f.Cause != nil {
		s += ": " + f.Cause.Error()
	}
	return s
}

// Unwrap gives the protocol's answer.
func (f *Finding) Unwrap() error { return f.Cause }

// Is reports whether target is the code of f.
func (f *Finding) Is(target error) bool {
	c, ok := target.(Code)
	return ok && c == f.Code
}

// Of returns the first finding in the chain of err.
func Of(err error) (*Finding, bool) {
	return errors.AsType[*Finding](err)
}

// An Entry is what the catalogue says of a code, without the facts of a case.
type Entry struct {
	Code  Code
	Title string
}

// All lists the catalogue in the order of codes.
func All() []Entry { return slices.Clone(catalogue) }

// Lookup finds the entry of c, which may be in lower case.
func Lookup(c Code) (Entry, bool) {
	i := slices.IndexFunc(catalogue, func(e Entry) bool { return strings.EqualFold(string(e.Code), string(c)) })
	if i < 0 {
		return Entry{}, false
	}
	return catalogue[i], true
}

var catalogue = []Entry{
	{NoRootKey, "there is no KDS root key"},
	{YoungRootKey, "the KDS root key is too young to use"},
	{RootKeyNotOnDC, "this DC does not have the KDS root key yet"},
	{NoSuchAccount, "no account or group has this name"},
	{AccountNotOnDC, "this DC does not have the account yet"},
	{NameTaken, "the name is taken"},
	{ChangeRefused, "the directory refuses the change"},
	{RootKeyGone, "the root key of the account's password is gone"},
	{KDSDown, "the key distribution service does not run"},
	{PasswordsDiffer, "two DCs have different passwords of the account"},
	{BadRootKey, "the KDS root key is damaged"},
	{DCTooOld, "the DC is older than Windows Server 2012"},
	{SchemaTooOld, "the schema is older than Windows Server 2012"},
	{FuturePassword, "the password in the directory is of a time to come"},
	{NotGroupAccount, "the account is no group managed service account"},
	{WrongContainer, "the account is not where the tool looks"},
	{PasswordOverwritten, "the account's password was set by hand"},
	{NotAllowed, "the host may not read the password"},
	{StaleTicket, "the host's ticket is older than its group membership"},
	{NotSealed, "the password is only given over an encrypted connection"},
	{NoCommonEType, "no encryption type in common"},
	{AdminDenied, "the administrator may not make this change"},
	{MembershipNotOnDC, "this DC does not have the membership yet"},
	{OtherDomain, "the host is of another domain than the account"},
	{RestartPending, "the host was not restarted since it joined"},
	{ModuleMissing, "the Active Directory module is not installed"},
	{ADWSUnreachable, "the cmdlets reach no Active Directory Web Services"},
	{ShellNotElevated, "the shell is not elevated"},
	{CompoundIdentity, "the account is marked for compound identity"},
	{UnknownParameter, "the cmdlet has no such parameter"},
	{EventTextMissing, "the computer has no texts for the events of the log"},
	{HostnameDiffers, "the container's host name is not the account's name"},
	{ChannelDisplaced, "another container has taken over the secure channel"},
	{GMSAIsolation, "this release does not start the container with a credential spec"},
	{WrongAppUser, "the application's user is nobody on the network"},
	{NoCredentialSpec, "the container has no credential spec"},
	{MachineFlagLost, "the service account is no machine account any more"},
	{LoginMissing, "the server has no login for the service account"},
	{ImageMismatch, "the image does not fit the host"},
	{IsolationNotOffered, "the host does not offer this isolation"},
	{UserRefused, "the image cannot start a process as this user"},
	{EngineTooNew, "the container engine does not run on this host"},
	{UnknownFlag, "the docker client does not know a flag"},
	{CCGUnavailable, "Container Credential Guard of the host does not answer"},
	{CredentialsOff, "credentials are turned off for the container"},
	{Baselines, "32-bit programs do not run: host and image are on different sides of an update"},
	{ServiceTooEarly, "a service called the domain before the secure channel was up"},
	{SpecOutdated, "the container has an older credential spec than its host"},
	{EntryPointFails, "the entry point of the image ends the container"},
	{ChannelAged, "the secure channel has been up for longer than the release keeps it"},
	{SMBElsewhere, "SMB of the container looks names up in another network"},
	{ToolMissing, "the image does not hold the program"},
	{SettingRefused, "the command did not change the application's user"},
	{LookupPolicy, "a policy about the RPC endpoint mapper breaks questions for names"},
	{SQLUntrusted, "SQL Server gets nobody that it can trust"},
	{SQLAuthentication, "the connection string names a user of its own"},
	{SpecFieldMissing, "the credential spec lacks a field"},
	{SpecAccountName, "an account's name in the credential spec has a $ or a domain"},
	{SpecDomainName, "a domain's name in the credential spec is wrong"},
	{SpecNoEntry, "the credential spec has no entry for the account"},
	{SpecSID, "the Sid of the credential spec is not the domain's"},
	{SpecPath, "the option gives a path where a file name belongs"},
	{SpecGUID, "the Guid of the credential spec is not the domain's"},
	{CredentialSpecMissing, "the engine cannot load the credential spec"},
	{SpecOption, "the engine does not understand the security option"},
	{SpecUnreadable, "the document of the credential spec cannot be read"},
	{SpecCmdlet, "New-CredentialSpec does not work on this computer"},
	{SpecExists, "a credential spec of this name exists"},
	{SpecAdditional, "the module does not take this additional account"},
	{SpecReplaced, "a later option has put another credential spec in place"},
	{HostNotJoined, "the host has no account in the domain"},
	{PluginSectionBad, "the section for the plug-in cannot be read"},
	{PluginNotStarted, "the plug-in cannot be started"},
	{PluginGaveNothing, "the plug-in gave no user"},
	{PlaintextSecret, "the credential spec holds a password"},
	{SPNUnknown, "no account has this service principal name"},
	{SPNDuplicate, "two accounts have this service principal name"},
	{SPNOtherName, "the service is reached by a name that nobody registered"},
	{TicketUnderOldKey, "the ticket is under a key that the service does not hold"},
	{BadCredentials, "the password is not the one in the directory"},
	{AccountUnusable, "the account cannot sign in"},
	{SPNTaken, "another account has this service principal name"},
	{SPNNotOnDC, "this DC does not have the service principal name yet"},
	{AddressNotName, "an address has no service principal name"},
	{NTLMBlocked, "NTLM is blocked, and Kerberos is not to be had"},
	{NegativeCache, "the client remembers that the name was unknown"},
	{DelegationRefused, "the service may not act as the user"},
	{DNSFindsNoDC, "DNS finds no domain controller"},
	{DCUnreachable, "no domain controller answers"},
	{ClockSkew, "the clocks are too far apart"},
	{DCRefuses, "the domain controller is busy or unavailable"},
	{RequestRefused, "the domain controller refuses the request"},
	{SigningRequired, "the domain controller demands a signature"},
	{SpecNotExpanded, "the pod's credential spec does not reach its container"},
	{WebhookUnreachable, "the API server gets no answer of the gMSA webhook"},
	{WebhookNotInstalled, "the gMSA webhook cannot be installed"},
	{CredentialSpecObject, "the GMSACredentialSpec is absent or empty"},
	{UseNotAllowed, "the pod's service account may not use the GMSACredentialSpec"},
	{PodSettingsRefused, "the webhook refuses the pod's gMSA settings"},
	{APIServerRefuses, "the API server does not take the object"},
	{NoSuitableNode, "no suitable node takes the container"},
	{ServiceSpecRefused, "the service does not name one source of its credential spec"},
	{ECSNoInstance, "no container instance has what the task asks for"},
	{ECSSpecRefused, "the task's credential spec is not one that can be taken"},
	{ECSNoExecutionRole, "there is no execution role to fetch the credential spec with"},
	{ECSNoSection, "the credential spec has no section for a domainless task"},
	{FetcherNoPassword, "the daemon looks for the account where it is not"},
	{FetcherNoTicket, "the password does not reach kinit whole"},
	{ReverseName, "the client asks for the name of a reverse look-up"},
	{TicketLapsed, "nobody renewed the ticket"},
	{NotModelled, "not modelled"},
	{SimulatorBug, "the simulator contradicts itself"},
}
