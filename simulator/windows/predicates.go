package windows

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Predicate is the number of one of the twelve rules.
type Predicate uint8

// The rules. See the package comment for the function of each.
const (
	P1 Predicate = 1 + iota
	P2
	P3
	P4
	P5
	P6
	P7
	P8
	P9
	P10
	P11
	P12
)

// DecidingBuild is the build that a rule looks at. The rules about what happens inside a container (P4 to P7 and P9) look at
// that of the image, the others at that of the host. The two differ for an older image in Hyper-V isolation only.
// Documentation speaks of "the version of Windows" alone, so this division is inferred: code in the container is the image's.
func DecidingBuild(p Predicate, host, image Build) Build {
	switch p {
	case P4, P5, P6, P7, P9:
		return image
	}
	return host
}

// ImageAllowed is P1: whether a host runs an image in an isolation, Process or HyperV.
//
//   - Hyper-V isolation: images up to the host's build.
//   - Process isolation before build 20348: the host's build exactly; on 14393 under [RevisionBlock] the same revision too.
//   - Process isolation from 20348 on: from the floor up to the host's build. The floor is the newest of 20348 and 26100 that is
//     older than the host, 20348 when there is none; under [FloorOfDocs] it is always 20348.
//
// A refusal is HCS error 0xc0370101. Sources: documentation on version compatibility; hcsshim osversion,
// platform_compat_windows.go. The revision rule of 2016 is worded in two ways in editions of the documentation.
func ImageAllowed(host, image Version, iso Isolation, rule RevisionRule, floor ImageFloor) bool {
	switch {
	case iso == HyperV:
		return image.Build <= host.Build
	case host.Build < Build2022:
		return image.Build == host.Build && !(rule == RevisionBlock && revisionsDiffer2016(host, image))
	case floor == FloorOfCode && host.Build > Build2025:
		return image.Build >= Build2025 && image.Build <= host.Build
	}
	return image.Build >= Build2022 && image.Build <= host.Build
}

// revisionsDiffer2016 is the state that the revision rule of Windows Server 2016 is about.
func revisionsDiffer2016(host, image Version) bool {
	return host.Build == Build1607 && image.Build == Build1607 &&
		host.Revision != 0 && image.Revision != 0 && host.Revision != image.Revision
}

// BaselinesDiffer belongs to P1: whether host and image are on different sides of the security update of 11 February 2020 in
// process isolation. The container starts, but 32-bit processes in it fail silently or hang (KB4542617). An unknown revision
// is on either side.
func BaselinesDiffer(host, image Version, iso Isolation) bool {
	h, hostKnown := after2020(host)
	i, imageKnown := after2020(image)
	return iso == Process && hostKnown && imageKnown && h != i
}

// after2020 tells whether a version holds the update of 11 February 2020. The revisions are those of that day's cumulative
// updates: KB4537764, KB4537765, KB4537789, KB4537762, KB4532691 and KB4532693 (Windows release information).
func after2020(v Version) (after, known bool) {
	var first uint32
	switch v.Build {
	case Build1607:
		first = 3504
	case Build1703:
		first = 2284
	case Build1709:
		first = 1686
	case Build1803:
		first = 1304
	case Build1809:
		first = 1039
	case Build1903, Build1909:
		first = 657
	default:
		return v.Build >= Build2004, v.Build >= Build2004
	}
	return v.Revision >= first, v.Revision != 0
}

// IsolationOffered is P2: whether a host offers an isolation, Process or HyperV. Servers offer process isolation, and Hyper-V
// isolation when hypervisor says that the role is installed and the processor can do it. Clients offer Hyper-V isolation
// under the same condition, and process isolation from build 17763 on, which takes Docker 18.09 or later; that containerd
// needs no particular version is inferred. Sources: moby daemon/daemon_windows.go; documentation on version compatibility and
// on Hyper-V isolation.
func IsolationOffered(host Build, e Edition, engine Engine, hypervisor bool, iso Isolation) bool {
	switch {
	case iso == HyperV:
		return hypervisor
	case e == Server:
		return true
	}
	return host >= Build1809 && (engine.Kind == Containerd || engine.Version.AtLeast(18, 9))
}

// Start is how the start of a container ends.
type Start string

// The ends. The text of each error is the engine's; [Start.Code] has its number.
const (
	Starts        Start = "ok"
	NoEngine      Start = "engine"        // the engine does not run on this host
	NoIsolation   Start = "isolation"     // the host does not offer the isolation
	ImageMismatch Start = "image"         // the operating system of the container does not match that of the host
	StartHangs    Start = "hang"          // the start hangs, or fails after minutes without an answer of the virtual machine
	NoCredential  Start = "no-credential" // creation fails, or the container runs without a credential; reports show both
	UserRefused   Start = "user"          // the user name or password is incorrect, when the process is created
)

// Code is the number of the error that the start ends with: an HRESULT of HCS, or the Win32 error of a refused user. It is 0
// where there is none or none is known.
func (s Start) Code() uint32 {
	switch s {
	case ImageMismatch:
		return 0xc0370101
	case StartHangs:
		return 0xc0370109
	case UserRefused:
		return 0x52e
	}
	return 0
}

// GMSAStart is P3: how the start of a container with a credential spec ends in an isolation, Process or HyperV, as far as the
// credential decides it.
//
//   - Process isolation starts; under containerd on build 17763 it takes revision 1817, KB5000822 (report).
//   - Hyper-V isolation starts on 14393 and from 17763 on. On 15063, 16299 and 17134, servers and clients, it hangs or fails with
//     0xc0370109 (guide, known issues). Under containerd it takes build 19041 (hcsshim and containerd history).
func GMSAStart(host Version, iso Isolation, engine EngineKind) Start {
	switch {
	case engine == Containerd && iso == HyperV && host.Build < Build2004:
		return NoCredential
	case engine == Containerd && host.Build == Build1809 && host.Revision != 0 && host.Revision < 1817:
		return NoCredential
	case iso == HyperV && host.Build > Build1607 && host.Build < Build1809:
		return StartHangs
	}
	return Starts
}

// NTLMAndSIDWork is P4: whether NTLM sign-ins at the container and the translation of names and SIDs in it can work under a
// host name. From build 17763 of the image on they do under any; before, the host name has to be the account's sAMAccountName
// without the $, in any case. A fully qualified name is another name, and so is an empty one, which stands for the twelve
// hexadecimal digits that the engine chooses. Kerberos in and out never depends on it. Source: guide, known issues and "Check
// the container".
func NTLMAndSIDWork(image Build, hostname, account string) bool {
	return image >= Build1809 || hostname != "" && strings.EqualFold(hostname, strings.TrimSuffix(account, "$"))
}

// maxNetBIOSName is the length of a computer name on a secure channel, in characters: a NetBIOS name less its suffix (RFC
// 1001 5.2).
const maxNetBIOSName = 15

// Channel is the side of a container on its secure channel.
type Channel struct {
	// ID is the container's id. It tells containers apart and is the host name of one that was given none.
	ID string
	// Hostname is the host name that the container was given, "" for none.
	Hostname string
	// Image is the build of the image.
	Image Build
}

// ChannelName is the computer name under which a domain controller remembers the session of a container: the first 15
// characters of its host name in upper case. A container without a host name has its id, which nobody else has. Under
// [Concurrency2019] so has every container from build 17763 on.
func ChannelName(c Channel, rule Concurrency) string {
	name := c.Hostname
	if name == "" || rule == Concurrency2019 && c.Image >= Build1809 {
		name = c.ID
	}
	return strings.ToUpper(firstCharacters(name))
}

func firstCharacters(name string) string {
	if len(name) <= maxNetBIOSName {
		return name
	}
	end := 0
	for range maxNetBIOSName {
		_, size := utf8.DecodeRuneInString(name[end:])
		end += size
	}
	return name[:end]
}

// ChannelDisplaced is P5: whether the secure channel of a container is taken over when another container sets up its own on
// the same domain controller: whether both have the same computer name there. Without a host name on either side it is not.
// Sources: guide, known issues, editions of May 2019 and March 2025; [MS-NRPC] 3.5.1, where a server keeps one session per
// computer name.
func ChannelDisplaced(earlier, later Channel, rule Concurrency) bool {
	for _, c := range []Channel{earlier, later} {
		if c.Hostname == "" || rule == Concurrency2019 && c.Image >= Build1809 {
			return false
		}
	}
	return strings.EqualFold(firstCharacters(earlier.Hostname), firstCharacters(later.Hostname))
}

// UserSwitchAllowed is P6: whether a container, or a process in it, can be started as a user. NETWORK SERVICE and SYSTEM take
// an image of build 16299; before, the process is not created, with Win32 error 0x52e. Sources: guide, "Run arbitrary console
// apps as Network Service"; report on ltsc2016 images.
func UserSwitchAllowed(image Build, u User) bool {
	return image >= Build1709 || u.Kind != System && u.Kind != NetworkService
}

// IdentityOf is P7: the account that a process is on the network, as a sAMAccountName without the $, "" for none. SYSTEM and
// NETWORK SERVICE are the gMSA. So are, from build 17763 of the image on and under [ObservedIdentity], the default users of
// images and virtual accounts. LOCAL SERVICE and local users are nobody. A domain account is itself when it is the gMSA or
// one of the additional accounts that the credential spec names. account and additional are sAMAccountNames with or without
// the $. Sources: guide, "Configure your application to use the gMSA"; reports; a test of hcsshim.
func IdentityOf(u User, image Build, rule Identity, account string, additional []string) string {
	account = strings.TrimSuffix(account, "$")
	switch u.Kind {
	case System, NetworkService:
		return account
	case ImageDefault, ContainerAdministrator, ContainerUser, AppPool, VirtualService:
		if rule != StrictDocsIdentity && image >= Build1809 {
			return account
		}
	case DomainAccount:
		name := u.account()
		if strings.EqualFold(name, account) {
			return account
		}
		for _, a := range additional {
			if a = strings.TrimSuffix(a, "$"); strings.EqualFold(name, a) {
				return a
			}
		}
	}
	return ""
}

// Retrieval is who reads the managed password for a container.
type Retrieval string

// The readers.
const (
	NobodyReads   Retrieval = "none"     // the container starts all the same, without a password
	ComputerReads Retrieval = "computer" // the computer account of the host
	PluginReads   Retrieval = "plugin"   // the user that a plug-in of the host names
)

// RetrievalPath is P8: who reads the managed password. hostDomain is the DNS name of the domain that the host has joined, ""
// for none; plugin tells whether the credential spec has a HostAccountConfig section, which hosts before build 17763 ignore.
// The computer account reads passwords of its own domain only. Sources: guide; CCG documentation; KEP 689 (a container
// without a password starts).
func RetrievalPath(host Build, hostDomain, accountDomain string, plugin bool) Retrieval {
	switch {
	case plugin && host >= Build1809:
		return PluginReads
	case hostDomain != "" && sameDomain(hostDomain, accountDomain):
		return ComputerReads
	}
	return NobodyReads
}

func sameDomain(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}

// Names are the names under which a container appears on the network.
type Names struct {
	// Netlogon is the computer name that Netlogon in the container goes by.
	Netlogon string
	// Kerberos is the principal of its tickets.
	Kerberos string
}

// NetworkName is P9: from build 17763 of the image on, a container is its account, whatever its host name; before, Netlogon
// goes by the host name. account is a sAMAccountName. Under [Concurrency2025] the session of the secure channel is remembered
// under the host name all the same, see [ChannelName]. Source: guide, "Run a container with a gMSA" and known issues.
func NetworkName(image Build, hostname, account string) Names {
	if image >= Build1809 {
		return Names{Netlogon: strings.TrimSuffix(account, "$"), Kerberos: account}
	}
	return Names{Netlogon: hostname, Kerberos: account}
}

// KubernetesStage is how far the support of a version of Kubernetes for credential specs is.
type KubernetesStage string

// The stages.
const (
	// KubernetesNone: no support; annotations and fields are ignored.
	KubernetesNone KubernetesStage = "none"
	// KubernetesAlpha: annotations of the pod (pod.alpha.windows.kubernetes.io/…), behind the gate WindowsGMSA, which is off.
	KubernetesAlpha KubernetesStage = "alpha"
	// KubernetesBeta: fields of securityContext.windowsOptions, the gate is on; annotations are ignored.
	KubernetesBeta KubernetesStage = "beta"
	// KubernetesStable: the fields, without a gate.
	KubernetesStable KubernetesStage = "stable"
)

// KubernetesSupport is P10. Sources: KEP 689; Kubernetes documentation; guide (1.14 alpha).
func KubernetesSupport(v KubernetesVersion) KubernetesStage {
	switch at := EngineVersion(v); {
	case at.AtLeast(1, 18):
		return KubernetesStable
	case at.AtLeast(1, 16):
		return KubernetesBeta
	case at.AtLeast(1, 14):
		return KubernetesAlpha
	}
	return KubernetesNone
}

// EngineRuns is P11: whether an engine runs on a host. Docker from 23.0 on refuses hosts before build 17763 (moby, February
// 2022), and containerd needs the second schema of HCS, which is there from 17763 on (hcsshim, internal/schemaversion).
func EngineRuns(host Build, e Engine) bool {
	return host >= Build1809 || e.Kind != Containerd && !e.Version.AtLeast(23, 0)
}

// RootKeyDelay is how long after its effective time a KDS root key is usable (guide, one-time preparation).
const RootKeyDelay = 10 * time.Hour

// RootKeyUsable is P12: whether a KDS root key is usable at a time: from exactly ten hours after its effective time on. Other
// readings of the ten hours are policies of the directory, package fakeads/kds.
func RootKeyUsable(effective, now time.Time) bool {
	return !now.Before(effective.Add(RootKeyDelay))
}
