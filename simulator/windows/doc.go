// Package windows knows what the releases of Windows do with containers that have a group managed service account: which
// releases there are, which container images they run, in which isolation a credential spec works, and which identity the
// processes in the container have.
//
// # What it decides
//
// Releases are told apart by build number and edition, never by marketing name ([OS], [Version], [ParseOS]). Twelve rules,
// called P1 to P12 here and in the documentation of gmsasim, say what a release does. Each is a pure function:
//
//	P1   [ImageAllowed]       the host runs this image in this isolation
//	P2   [IsolationOffered]   the host offers this isolation
//	P3   [GMSAStart]          a container with a credential spec starts in this isolation
//	P4   [NTLMAndSIDWork]     NTLM sign-ins and name translation work under this host name
//	P5   [ChannelDisplaced]   a secure channel is taken over by another container's
//	P6   [UserSwitchAllowed]  the container may be run as this user
//	P7   [IdentityOf]         who a process is on the network
//	P8   [RetrievalPath]      who reads the managed password for the container
//	P9   [NetworkName]        the names under which the container appears
//	P10  [KubernetesSupport]  how a version of Kubernetes takes credential specs
//	P11  [EngineRuns]         the container engine runs on this host
//	P12  [RootKeyUsable]      a KDS root key is old enough
//
// [DecidingBuild] says for each rule whether the build of the host or that of the image counts. [Decide] applies the rules in
// the order in which Windows meets them: P11, P2, P1, P3, the credential spec, P6; the container runs from there on and P8, P4,
// P5, P7 and P9 say how it fares.
//
// Where the sources contradict each other, the reading is a value of [Profiles]. Its zero value is the reading that fits most
// of what is reported.
//
// # What it does not decide
//
// Nothing here looks at a directory, a ticket, a clock, a network or a file. [Decide] takes for granted that the account exists
// and is enabled, that whoever [RetrievalPath] names may read the password, that the credential spec is found and correct, that
// domain controllers answer and that names resolve; what happens otherwise follows from exchanges with the simulated domain. What
// depends on the patch level of a domain controller belongs to the KDC. "Intermittent" says that an outcome depends on the order
// and on the domain controllers that the containers found; which order leads where is for a simulation to say. Whether a start
// that hangs ends after minutes with an error or not at all is not known, and [StartHangs] stands for both. The support dates of a
// [Release] are labels and decide nothing.
//
// # Sources
//
// The comments name these: the guide (Microsoft, "Group Managed Service Accounts for Windows containers", May 2019) and its later
// edition of March 2025; the container documentation on version compatibility and image lifecycles (MicrosoftDocs,
// Virtualization-Documentation); the source of moby/moby (daemon/oci_windows.go, daemon/daemon_windows.go), microsoft/hcsshim
// (osversion, internal/schemaversion, internal/credentials) and kubernetes/enhancements (KEP 689); threads in the issue
// trackers of microsoft/Windows-Containers and of the documentation. "Report" marks a rule that only such threads show,
// "inferred" one that follows from comparing builds and that no text states.
package windows
