package simulator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/gmsasim/gmsasim/simulator/windows"
)

// Container is what docker run is told. The zero value is a Server Core of the host's release without a credential spec.
type Container struct {
	// Image is a reference as docker takes it, of which the base counts: mcr.microsoft.com/windows/servercore:ltsc2019, or short
	// servercore:ltsc2019. Default: the Server Core of the host's release.
	Image windows.Image `json:"image,omitzero" yaml:"image,omitempty"`
	// Isolation is --isolation: process or hyperv. Default: process on servers, hyperv on clients.
	Isolation windows.Isolation `json:"isolation,omitempty" yaml:"isolation,omitempty"`
	// Hostname is --hostname. Default: the first twelve digits of the container's id.
	Hostname string `json:"hostname,omitempty" yaml:"hostname,omitempty"`
	// User is --user, or the USER of the image. Default: ContainerAdministrator, on the Nano Server ContainerUser.
	User windows.User `json:"user,omitzero" yaml:"user,omitempty"`
	// Service is the user of the service or application pool that does the work, when it is another than User.
	Service windows.User `json:"service,omitzero" yaml:"service,omitempty"`
	// AutoStart says that the service starts by itself with the container and calls the domain at once. With ServiceDependsOn, the
	// service waits for others: Netlogon.
	AutoStart        bool     `json:"autoStart,omitempty" yaml:"autoStart,omitempty"`
	ServiceDependsOn []string `json:"serviceDependsOn,omitempty" yaml:"serviceDependsOn,omitempty"`
	// KernelModeAuth is kernel-mode authentication of IIS: HTTP.sys opens tickets with the key of the container's own account, whatever the
	// application pool runs as, unless UseAppPoolCredentials says otherwise.
	KernelModeAuth        bool `json:"kernelModeAuth,omitempty" yaml:"kernelModeAuth,omitempty"`
	UseAppPoolCredentials bool `json:"useAppPoolCredentials,omitempty" yaml:"useAppPoolCredentials,omitempty"`
	// AuthEpResolution is the policy "Enable RPC Endpoint Mapper Client Authentication" in the container, under which a web application cannot ask a DC
	// for names.
	AuthEpResolution bool `json:"authEpResolution,omitempty" yaml:"authEpResolution,omitempty"`
	// CredentialSpec is the value of --security-opt credentialspec=…, for instance file://contoso_webapp01.json. Default: none.
	CredentialSpec string `json:"credentialSpec,omitempty" yaml:"credentialSpec,omitempty"`
	// SecurityOpts are further values of --security-opt as they are typed, before the one of CredentialSpec.
	SecurityOpts []string `json:"securityOpts,omitempty" yaml:"securityOpts,omitempty"`
	// Handover is the way in which the credential spec is handed over. Default: [BySecurityOpt].
	Handover Handover `json:"handover,omitempty" yaml:"handover,omitempty"`
	// CredentialsOff is the annotation io.microsoft.container.wcow.gmsa.disable, which containerd passes on to hcsshim.
	CredentialsOff bool `json:"credentialsOff,omitempty" yaml:"credentialsOff,omitempty"`
	// DNS are the DNS servers of the container: names of DCs, which know the domain, or addresses of others, which do not. Default: those
	// of its host.
	DNS []string `json:"dns,omitempty" yaml:"dns,omitempty"`
	// Subnet is the network of the container, as in 172.31.240.0/20. Default: one that nobody else has.
	Subnet string `json:"subnet,omitempty" yaml:"subnet,omitempty"`
	// DCs is the order in which the locator gives the DCs to the container. Default: as the host has it.
	DCs []string `json:"dcs,omitempty" yaml:"dcs,omitempty"`
	// ClosedPorts are what is kept from the container, see [HostConfig.ClosedPorts]. What is kept from the host is not kept from it.
	ClosedPorts []string `json:"closedPorts,omitempty" yaml:"closedPorts,omitempty"`
}

// Validate checks what can be checked without a host.
func (c Container) Validate() error {
	for label := range strings.SplitSeq(c.Hostname, ".") {
		if c.Hostname != "" && !dnsLabel.MatchString(label) {
			return fmt.Errorf("%q is not a host name: letters, digits and hyphens, with dots between", c.Hostname)
		}
	}
	if c.Handover != "" && !slices.Contains(handovers, c.Handover) {
		return fmt.Errorf("%q is no way to hand a credential spec over", c.Handover)
	}
	if c.Subnet != "" {
		if _, err := netip.ParsePrefix(c.Subnet); err != nil {
			return fmt.Errorf("%q is not a network, as in 172.31.240.0/20", c.Subnet)
		}
	}
	_, err := windows.ParseIsolation(string(c.Isolation))
	return err
}

// Running is a container that has started. The embedded [Process] is one that runs as the container's user.
type Running struct {
	*Process
	h         *Host
	id        string
	cfg       Container
	host      windows.OS
	image     windows.Image
	isolation windows.Isolation
	engine    windows.Engine
	profiles  windows.Profiles
	spec      *credentialSpec   // nil: none
	replaced  []*credentialSpec // of options before the one that counts
	st        station

	mu       sync.Mutex
	stopped  bool
	service  error // of the service that starts by itself; nil: it runs, or there is none
	settings settings
	sessions map[string]*logon // by lower-case account; the container's own and additional ones
	channel  channel
	byPlugin pluginPasswords
}

// Run is docker run. The rules of the releases decide in the order in which Windows meets them; the credential spec is loaded before
// the process is created. A container whose host cannot read the password starts all the same (KEP 689). The error has the engine's
// words and wraps a [diag.Finding] when the cause is known.
func (h *Host) Run(c Container) (*Running, error) {
	r, err := h.run(c)
	result := "ok"
	if err != nil {
		result = err.Error()
		err = &stepError{step: stepRun, logon: h.machine, err: err}
	} else {
		c = r.cfg // with the image that it ran
	}
	h.d.event(Event{Op: opHost, From: h.Name(), Text: "docker run " + c.options(), Result: result})
	if err != nil {
		return nil, h.d.explain(err)
	}
	return r, nil
}

// options are the options of docker run.
func (c Container) options() string {
	var list []string
	option := func(name, value string) {
		if strings.ContainsAny(value, " \t") {
			value = `"` + value + `"`
		}
		if value != "" {
			list = append(list, "--"+name+" "+value)
		}
	}
	for _, o := range c.securityOpts() {
		option("security-opt", o)
	}
	option("isolation", string(c.Isolation))
	option("hostname", c.Hostname)
	option("user", c.User.Name)
	if c.Image.Build != 0 {
		image := c.Image.String()
		if !strings.Contains(image, "/") { // the short form of this package, which docker does not know
			image = "mcr.microsoft.com/windows/" + image
		}
		list = append(list, image)
	}
	return strings.Join(list, " ")
}

func (h *Host) run(c Container) (*Running, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	h.mu.Lock()
	stopped := h.files.stopped
	h.mu.Unlock()
	if stopped {
		return nil, errNoEngine
	}
	sys := h.machineSystem()
	host, err := sys.release()
	if err != nil {
		return nil, fmt.Errorf("containers of %s: %w", h.Name(), err)
	}
	if c.Image.Build == 0 {
		if c.Image, err = windows.BaseImage(windows.ServerCore, host.Build); err != nil {
			return nil, err
		}
	}
	c.Isolation, _ = windows.ParseIsolation(string(c.Isolation)) // validated
	r := &Running{h: h, cfg: c, host: host, image: c.Image, profiles: h.d.cfg.Profiles.WithDefaults(), id: h.nextID()}
	given := len(c.securityOpts()) > 0
	setup := windows.Setup{Host: host, NoHypervisor: sys.noHypervisor, Engine: sys.engine, HostDomain: h.domainName(), Image: c.Image, Isolation: c.Isolation,
		ID: r.shortID(), Hostname: c.Hostname, User: c.User, CredentialSpec: given, Profiles: h.d.cfg.Profiles}
	decision, err := windows.Decide(setup)
	if err != nil {
		return nil, err
	}
	r.isolation, r.engine = decision.Isolation, decision.Engine
	end := decision.Start
	if c.Handover == ByLegacyFlag && r.engine.Version.AtLeast(17, 4) {
		return nil, &flagError{"--credentialspec"}
	}
	if given && (end == windows.Starts || end == windows.StartHangs || end == windows.UserRefused || end == windows.NoCredential) {
		if err := r.takesScheme(sys.engine); err != nil {
			return nil, err
		}
		if err := r.loadSpecs(); err != nil {
			return nil, fmt.Errorf("docker: Error response from daemon: %w", err)
		}
	}
	if end != windows.Starts {
		return nil, &startError{end: end, r: r, user: c.User}
	}
	if r.spec != nil {
		if c.CredentialsOff && r.engine.Kind == windows.Containerd {
			return nil, &disabledError{}
		}
		if err := r.credentialGuard(sys); err != nil {
			return nil, err
		}
	}
	if err := r.entryPoint(); err != nil {
		return nil, err
	}
	name := c.Hostname
	if name == "" {
		name = r.shortID()
	}
	r.st.d, r.st.name, r.st.dom, r.st.clock = h.d, h.Name()+"/"+name, h.dom, &h.station
	r.st.container = r
	r.st.closed, r.st.dns, r.st.order = slices.Clone(c.ClosedPorts), slices.Clone(c.DNS), c.DCs
	if r.st.order == nil && !r.st.siteUnknown() {
		r.st.order = h.cfg.DCs
	}
	if r.spec != nil {
		if dom := h.d.forest.Domain(r.spec.DomainJoinConfig.DNSName); dom != nil {
			r.st.dom = dom
		}
	}
	r.Process = &Process{c: r, user: r.mainUser()}
	if r.spec != nil && r.reader() == windows.PluginReads && r.profiles.Plugin == windows.NoStart {
		if _, err := r.password(h.d.ctx, r.account(), false); err != nil {
			return nil, err
		}
	}
	h.mu.Lock()
	h.containers = append(h.containers, r)
	h.mu.Unlock()
	r.begin(h.d.ctx)
	return r, nil
}

// nextID makes the id of the next container of the host: the same for the same seed and order.
func (h *Host) nextID() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.started++
	seed := seedBytes(h.d.cfg.Seed, fmt.Sprintf("container %d of %s", h.started, strings.ToLower(h.Name())))
	sum := sha256.Sum256(seed[:])
	return hex.EncodeToString(sum[:])
}

// Containers lists the containers that run on the host, in the order of their start.
func (h *Host) Containers() []*Running {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.containers)
}

// ID is the container's id: 64 hexadecimal digits.
func (r *Running) ID() string { return r.id }

func (r *Running) shortID() string { return r.id[:12] }

// Hostname is the name that the container has for itself: the one that it was given, or the first twelve digits of its id.
func (r *Running) Hostname() string {
	if r.cfg.Hostname != "" {
		return r.cfg.Hostname
	}
	return r.shortID()
}

// Isolation is the isolation that the container runs in.
func (r *Running) Isolation() string { return string(r.isolation) }

// Image is the reference of its image.
func (r *Running) Image() string { return r.image.String() }

// Options are what docker run was told, with the ports that its network keeps from it now: a network outlives its containers.
func (r *Running) Options() Container {
	c := r.cfg
	r.st.mu.Lock()
	c.ClosedPorts = slices.Clone(r.st.closed)
	r.st.mu.Unlock()
	return c
}

// Host is the host that it runs on.
func (r *Running) Host() *Host { return r.h }

// Stop is docker stop. The container's session stays on its DC, as nobody tells the DC.
func (r *Running) Stop() {
	r.end()
	r.h.mu.Lock()
	r.h.containers = slices.DeleteFunc(r.h.containers, func(o *Running) bool { return o == r })
	r.h.mu.Unlock()
	r.h.d.event(Event{Op: opHost, From: r.h.Name(), Text: "docker stop " + r.shortID()})
}

func (r *Running) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
}

// ClosePort and OpenPort change what is kept from the container's network, see [Host.ClosePort].
func (r *Running) ClosePort(port string) {
	r.st.mu.Lock()
	r.st.closed = append(r.st.closed, port)
	r.st.mu.Unlock()
	r.h.d.event(Event{Op: opHost, From: r.st.name, Text: "the network closes " + port})
}

// OpenPort takes back ClosePort.
func (r *Running) OpenPort(port string) {
	r.st.mu.Lock()
	r.st.closed = slices.DeleteFunc(r.st.closed, func(s string) bool { return s == port })
	r.st.mu.Unlock()
	r.h.d.event(Event{Op: opHost, From: r.st.name, Text: "the network opens " + port})
}

var errStopped = errors.New("the container does not run any more")

// runs is an error when the container has been stopped.
func (r *Running) runs() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return errStopped
	}
	return nil
}

// account is the name of the container's own account as the credential spec has it. A $ at its end is part of the name: Windows puts
// another one behind it (guide, "Check the Credential Spec file").
func (r *Running) account() string { return r.spec.DomainJoinConfig.MachineAccountName }

// mainUser is the user that the container runs as.
func (r *Running) mainUser() windows.User {
	if r.cfg.User.Kind != windows.ImageDefault {
		return r.cfg.User
	}
	return windows.DefaultUser(r.image.Flavour)
}

// build is the build that a rule looks at.
func (r *Running) build(p windows.Predicate) windows.Build {
	return windows.DecidingBuild(p, r.host.Build, r.image.Build)
}

// password is an account's managed password as the container has it from its host.
//
// guess: the container asks its host whenever it needs the password, so that what the host may read later works without a new container.
func (r *Running) password(ctx context.Context, account string, fresh bool) (*ManagedPassword, error) {
	if r.spec == nil {
		return nil, errNoSpec
	}
	err := r.mayAsk(account)
	var pw *ManagedPassword
	if err == nil {
		pw, err = r.retrieve(ctx, account, fresh)
	}
	if err != nil {
		return nil, &noPasswordError{r, account, err}
	}
	return pw, nil
}

// errNoSpec: the container was started without a credential spec, so it has neither a domain nor an account.
var errNoSpec = errors.New("the container has no credential spec")

// noPasswordError: the host could not get the password for the container.
type noPasswordError struct {
	r       *Running
	account string
	err     error
}

func (e *noPasswordError) Error() string { return "the container has no password: " + e.err.Error() }
func (e *noPasswordError) Unwrap() error { return e.err }

// logon gives the session of an account in the container, signed in.
func (r *Running) logon(ctx context.Context, account string) (*logon, error) {
	for _, fresh := range []bool{false, true} {
		pw, err := r.password(ctx, account, fresh)
		if err != nil {
			return nil, err
		}
		r.mu.Lock()
		l := r.sessions[strings.ToLower(account)]
		if l == nil {
			l = &logon{st: &r.st, account: pw.Account, realm: strings.ToUpper(r.spec.DomainJoinConfig.DNSName), etypes: clientETypes(nil)}
			if r.sessions == nil {
				r.sessions = map[string]*logon{}
			}
			r.sessions[strings.ToLower(account)] = l
		}
		r.mu.Unlock()
		l.mu.Lock()
		l.secret = r.h.d.managedSecret(pw.inUse(r.st.now()))
		err = l.signInLocked(ctx)
		l.mu.Unlock()
		if e := asKRBError(err); fresh || e == nil || e.code != krbErrPreauthFailed {
			return l, err
		}
	}
	return nil, errClosed // not reached
}
