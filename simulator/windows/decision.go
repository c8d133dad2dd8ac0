package windows

import "fmt"

// Setup is a host, a container on it and the account that the container is to be, as far as releases of Windows matter.
type Setup struct {
	Host OS
	// NoHypervisor says that the host cannot run Hyper-V isolation: the role is missing, or the processor's support for it.
	NoHypervisor bool
	// Engine is the container engine. Default: [PeriodEngine].
	Engine Engine
	// HostDomain is the DNS name of the domain that the host has joined, "" for none.
	HostDomain string

	Image     Image
	Isolation Isolation
	// ID and Hostname are those of [Channel].
	ID, Hostname string
	// User is the user that the container is run as, by --user or by its image; Service the user of the service that does the
	// work, when it is another. The zero values stand for the default user of the image, and for User.
	User, Service User

	// CredentialSpec says that the container is given a credential spec; what follows is in it.
	CredentialSpec bool
	// Account is the gMSA's sAMAccountName, with or without the $; AccountDomain the DNS name of its domain.
	Account, AccountDomain string
	// Additional are the sAMAccountNames of the further accounts of the spec.
	Additional []string
	// HostAccountConfig says that the spec names a plug-in.
	HostAccountConfig bool

	// Others are the containers that run beside this one and set up secure channels on the same domain controllers.
	Others []Channel

	Profiles Profiles
}

// Outcome is how something fares in a container that has started.
type Outcome string

// The outcomes.
const (
	NotReached Outcome = "-"
	Works      Outcome = "ok"
	Fails      Outcome = "fail"
	// Intermittent: works until another container sets up its channel on the same domain controller, and again after this one
	// has set up its own anew.
	Intermittent Outcome = "intermittent"
	// FailsInApp: the container is fine, but the process is nobody on the network.
	FailsInApp Outcome = "fail-in-app"
)

// Warning is something that does not stop a container.
type Warning uint8

// The warnings. They are bits.
const (
	// RevisionsDiffer: host and image of Windows Server 2016 have different revisions, which is not supported ([RevisionWarn]).
	RevisionsDiffer Warning = 1 << iota
	// Baseline2020Differs: see [BaselinesDiffer].
	Baseline2020Differs
)

// Decision is what the rules say about a [Setup].
type Decision struct {
	Start Start
	// Isolation and Engine are those that apply, defaults filled in.
	Isolation Isolation
	Engine    Engine
	Warnings  Warning
	// What follows is set for a container with a credential spec that starts; the outcomes are NotReached otherwise.
	Retrieval Retrieval
	Names     Names
	// Identity is the account that the work is done as, "" for none.
	Identity string
	// Channel is the secure channel, Kerberos sign-ins in both directions, NTLM sign-ins at the container, SIDs the
	// translation of names and SIDs in it.
	Channel, Kerberos, NTLM, SIDs Outcome
}

// Decide applies the rules in the order in which Windows meets them: P11, P2, P1, P3 and P6 until the container runs, then
// P8, P9, P4, P5 and P7. The first that refuses the start decides it. Decide takes everything for healthy that is not part of
// the setup. The error is a *[NameError] for a host that does not exist or an unknown profile.
func Decide(s Setup) (Decision, error) { return decide(&s, &published) }

// rules are the predicates that a decision is made of, so that a test can show that each of them matters.
type rules struct {
	imageAllowed      func(host, image Version, iso Isolation, rule RevisionRule, floor ImageFloor) bool
	isolationOffered  func(host Build, e Edition, engine Engine, hypervisor bool, iso Isolation) bool
	gmsaStart         func(host Version, iso Isolation, engine EngineKind) Start
	ntlmAndSIDWork    func(image Build, hostname, account string) bool
	channelDisplaced  func(earlier, later Channel, rule Concurrency) bool
	userSwitchAllowed func(image Build, u User) bool
	identityOf        func(u User, image Build, rule Identity, account string, additional []string) string
	retrievalPath     func(host Build, hostDomain, accountDomain string, plugin bool) Retrieval
	networkName       func(image Build, hostname, account string) Names
	engineRuns        func(host Build, e Engine) bool
}

var published = rules{
	imageAllowed: ImageAllowed, isolationOffered: IsolationOffered, gmsaStart: GMSAStart, ntlmAndSIDWork: NTLMAndSIDWork,
	channelDisplaced: ChannelDisplaced, userSwitchAllowed: UserSwitchAllowed, identityOf: IdentityOf, retrievalPath: RetrievalPath,
	networkName: NetworkName, engineRuns: EngineRuns,
}

func decide(s *Setup, r *rules) (Decision, error) {
	if releaseOf(s.Host.Build, s.Host.Edition) == nil {
		return Decision{}, fmt.Errorf("host: %w", impossible(s.Host.String(), s.Host.Build, s.Host.Edition))
	}
	if err := s.Profiles.Validate(); err != nil {
		return Decision{}, err
	}
	p := s.Profiles.WithDefaults()
	d := Decision{
		Isolation: s.Isolation.Resolve(s.Host.Edition), Engine: s.Engine.orPeriod(s.Host.Build),
		Channel: NotReached, Kerberos: NotReached, NTLM: NotReached, SIDs: NotReached,
	}
	if d.Start = start(s, r, p, &d); d.Start != Starts || !s.CredentialSpec {
		return d, nil
	}

	build := func(p Predicate) Build { return DecidingBuild(p, s.Host.Build, s.Image.Build) }
	d.Retrieval = r.retrievalPath(build(P8), s.HostDomain, s.AccountDomain, s.HostAccountConfig)
	d.Names = r.networkName(build(P9), s.Hostname, s.Account)
	d.Identity = r.identityOf(s.process(), build(P7), p.Identity, s.Account, s.Additional)
	if d.Retrieval == NobodyReads {
		d.Channel, d.Kerberos, d.NTLM, d.SIDs = Fails, Fails, Fails, Fails
		return d, nil
	}
	d.Channel = Works
	own := Channel{ID: s.ID, Hostname: s.Hostname, Image: build(P5)}
	for _, other := range s.Others {
		if r.channelDisplaced(own, other, p.Concurrency) || r.channelDisplaced(other, own, p.Concurrency) {
			d.Channel = Intermittent
		}
	}
	if !r.ntlmAndSIDWork(build(P4), s.Hostname, s.Account) {
		d.Channel = Fails
	}
	d.NTLM, d.SIDs = d.Channel, d.Channel
	d.Kerberos = Works
	if d.Identity == "" {
		d.Kerberos = FailsInApp
	}
	return d, nil
}

func start(s *Setup, r *rules, p Profiles, d *Decision) Start {
	host := Version{DecidingBuild(P1, s.Host.Build, s.Image.Build), s.Host.Revision}
	switch {
	case !r.engineRuns(host.Build, d.Engine):
		return NoEngine
	case !r.isolationOffered(host.Build, s.Host.Edition, d.Engine, !s.NoHypervisor, d.Isolation):
		return NoIsolation
	case !r.imageAllowed(host, s.Image.Version, d.Isolation, p.Revision, p.ImageFloor.For(d.Engine.Kind)):
		return ImageMismatch
	}
	if d.Isolation == Process && revisionsDiffer2016(host, s.Image.Version) {
		d.Warnings |= RevisionsDiffer
	}
	if BaselinesDiffer(host, s.Image.Version, d.Isolation) {
		d.Warnings |= Baseline2020Differs
	}
	if s.CredentialSpec {
		if end := r.gmsaStart(host, d.Isolation, d.Engine.Kind); end != Starts {
			return end
		}
	}
	if !r.userSwitchAllowed(DecidingBuild(P6, s.Host.Build, s.Image.Build), s.User) {
		return UserRefused
	}
	return Starts
}

// process is the user that the work is done as.
func (s *Setup) process() User {
	switch {
	case s.Service.Kind != ImageDefault:
		return s.Service
	case s.User.Kind != ImageDefault:
		return s.User
	}
	return DefaultUser(s.Image.Flavour)
}
