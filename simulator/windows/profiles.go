package windows

// Profiles are the readings of rules on which the sources contradict each other. The zero value has the default of each.
type Profiles struct {
	Concurrency Concurrency  `json:"concurrency,omitempty" yaml:"concurrency,omitempty"`
	Identity    Identity     `json:"identity,omitempty" yaml:"identity,omitempty"`
	Revision    RevisionRule `json:"revision2016,omitempty" yaml:"revision2016,omitempty"`
	ImageFloor  ImageFloor   `json:"imageFloor,omitempty" yaml:"imageFloor,omitempty"`
	Plugin      PluginRule   `json:"pluginFailure,omitempty" yaml:"pluginFailure,omitempty"`
}

// WithDefaults is p with the default in place of each empty value.
func (p Profiles) WithDefaults() Profiles {
	if p.Concurrency == "" {
		p.Concurrency = Concurrency2025
	}
	if p.Identity == "" {
		p.Identity = ObservedIdentity
	}
	if p.Revision == "" {
		p.Revision = RevisionWarn
	}
	if p.ImageFloor == "" {
		p.ImageFloor = FloorByEngine
	}
	if p.Plugin == "" {
		p.Plugin = StartsWithout
	}
	return p
}

// Validate refuses unknown values with the nearest known one; the error is a *[NameError]. Values must be spelt exactly.
func (p Profiles) Validate() error {
	p = p.WithDefaults()
	if err := exactly(p.Concurrency, Concurrency2025, Concurrency2019); err != nil {
		return err
	}
	if err := exactly(p.Identity, ObservedIdentity, StrictDocsIdentity); err != nil {
		return err
	}
	if err := exactly(p.Revision, RevisionWarn, RevisionBlock); err != nil {
		return err
	}
	if err := exactly(p.Plugin, StartsWithout, NoStart); err != nil {
		return err
	}
	return exactly(p.ImageFloor, FloorByEngine, FloorOfCode, FloorOfDocs)
}

func exactly[T ~string](value T, words ...T) error {
	for _, w := range words {
		if value == w {
			return nil
		}
	}
	w, err := oneOf(KindProfile, string(value), words...)
	if err == nil {
		return &NameError{Kind: KindProfile, Name: string(value), Rule: "case matters here", Nearest: string(w)}
	}
	return err
}

// Concurrency says up to which release containers with equal host names displace each other's secure channels.
type Concurrency string

// The two editions of the guide.
const (
	// Concurrency2025 is the default: on every release, when host names are given and equal (guide, edition of March 2025;
	// reports from Kubernetes).
	Concurrency2025 Concurrency = "2025-03"
	// Concurrency2019: before build 17763 only; from there on, each container's identity is apart from its host name (guide, May
	// 2019, known issues).
	Concurrency2019 Concurrency = "2019-05"
)

// Identity says which users of a container are the gMSA on the network.
type Identity string

// The readings.
const (
	// ObservedIdentity is the default: from build 17763 on, virtual accounts and the image's default users too, as the
	// guide's own klist output, a test of hcsshim and reports show.
	ObservedIdentity Identity = "observed"
	// StrictDocsIdentity: NETWORK SERVICE and SYSTEM only, as the text of the guide says.
	StrictDocsIdentity Identity = "strictDocs"
)

// RevisionRule says what happens on Windows Server 2016 when image and host have different revisions.
type RevisionRule string

// The readings.
const (
	// RevisionWarn is the default: the container starts, unsupported (documentation on version compatibility, older wording).
	RevisionWarn RevisionRule = "warn"
	// RevisionBlock: the container does not start (newer wording).
	RevisionBlock RevisionRule = "block"
)

// ImageFloor says which images a host that is newer than Windows Server 2025 takes in process isolation.
type ImageFloor string

// The readings. They differ for builds after 26100 only.
const (
	// FloorByEngine is the default: the code for containerd, the documentation for Docker.
	FloorByEngine ImageFloor = "byEngine"
	// FloorOfCode: from the newest long-term release that is older than the host (hcsshim, osversion).
	FloorOfCode ImageFloor = "code"
	// FloorOfDocs: from Windows Server 2022 (documentation on version compatibility, Windows 11).
	FloorOfDocs ImageFloor = "docs"
)

// PluginRule says what becomes of a container when a plug-in of its host has no password for it. No source tells.
type PluginRule string

// The readings.
const (
	// StartsWithout is the default: the container starts without a password, as it does on a host of the domain that may not read it
	// (KEP 689).
	StartsWithout PluginRule = "startsWithout"
	// NoStart: the container is not created.
	NoStart PluginRule = "noStart"
)

// For is the reading for an engine: [FloorOfCode] or [FloorOfDocs].
func (f ImageFloor) For(e EngineKind) ImageFloor {
	switch {
	case f == FloorOfCode || f == FloorOfDocs:
		return f
	case e == Containerd:
		return FloorOfCode
	}
	return FloorOfDocs
}
