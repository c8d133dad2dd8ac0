package simulator

import (
	"fmt"
	"time"

	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// startError: the engine does not start the container, or a process in it.
type startError struct {
	end  windows.Start
	r    *Running
	user windows.User // that the process was to run as
	exec bool         // docker exec
}

func (e *startError) Error() string { return daemonSays + startText(e.end, e.r) }

// daemonSays is how the docker client begins what the engine told it.
const daemonSays = "docker: Error response from daemon: "

// startText are the engine's words (moby, hcsshim; reports).
func startText(end windows.Start, r *Running) string {
	call := func(name, text string) string {
		return fmt.Sprintf("container %s encountered an error during %s: failure in a Windows system call: %s", r.id, name, text)
	}
	switch end {
	case windows.NoEngine:
		return "this version of Windows does not support the docker daemon (Windows build 17763 or higher is required)"
	case windows.NoIsolation:
		if r.isolation == windows.Process {
			return "Windows client operating systems earlier than version 1809 can only run Hyper-V containers"
		}
		// guess: without the Hyper-V role a Hyper-V isolated container fails with 0xc0370102
		return call("CreateContainer", "The virtual machine could not be started because a required feature is not installed. (0xc0370102)")
	case windows.ImageMismatch:
		return call("CreateContainer", "The operating system of the container does not match the operating system of the host. (0xc0370101)")
	case windows.StartHangs:
		return call("Start", "The operation timed out because a response was not received from the Virtual Machine hosting the Container. (0xc0370109).")
	case windows.UserRefused:
		return call("CreateProcess", "The user name or password is incorrect. (0x52e)")
	}
	return fmt.Sprintf("hcs::CreateComputeSystem %s: the credential cannot be given to the container: unknown", r.id)
}

// startTimeout is how long hcsshim waits for the start of a container (internal/timeout, HCSSHIM_TIMEOUT_SYSTEMSTART).
const startTimeout = 4 * time.Minute

// finding tells which rule of the releases did not let the container start.
func (e *startError) finding(*Domain, *stepError) *diag.Finding {
	r := e.r
	f := &diag.Finding{
		Facts:  []diag.Fact{{Name: "host", Value: r.host.String()}, {Name: "image", Value: r.image.String() + ", build " + r.image.Build.String()}, {Name: "isolation", Value: string(r.isolation)}},
		SeenAs: []string{startText(e.end, r)},
	}
	switch e.end {
	case windows.NoEngine:
		e.noEngine(f)
	case windows.NoIsolation:
		e.noIsolation(f)
	case windows.ImageMismatch:
		e.imageMismatch(f)
	case windows.StartHangs:
		e.hangs(f)
	case windows.NoCredential:
		f.Code, f.Mode = diag.GMSAIsolation, "k8s-containerd-kb"
		f.Because = "containerd hands credentials to containers from build 17763.1817 on in process isolation and from 19041 on in Hyper-V isolation"
		f.Help = []diag.Help{{Text: "update the host: KB5000822 on Windows Server 2019, or a later release", Do: []string{e.upgradeTo("Windows Server 2019 (10.0.17763.1817)")}}}
		if r.isolation == windows.HyperV {
			f.Help = []diag.Help{e.otherIsolation(windows.Process)}
		}
	case windows.UserRefused:
		e.userRefused(f)
	default:
		return nil
	}
	return f
}

func (e *startError) noEngine(f *diag.Finding) {
	f.Code, f.Mode = diag.EngineTooNew, "rt-engine-old-host"
	f.Facts = append(f.Facts, diag.Fact{Name: "engine", Value: e.r.h.machineSystem().engine.String()})
	f.Because = "Docker from 23.0 on, and containerd, need build 17763; older hosts run an engine of their time"
	f.Help = []diag.Help{
		{Text: "run an engine up to 20.10 on this host", Do: []string{flowStep("upgradeHost", arg{"host", e.r.h.Name()}, arg{"engine", "docker 20.10"})}},
		{Text: "or move to Windows Server 2019 or later", Do: []string{e.upgradeTo("Windows Server 2019"), e.with("image", string(windows.ServerCore)+":ltsc2019")}},
	}
}

func (e *startError) noIsolation(f *diag.Finding) {
	f.Code = diag.IsolationNotOffered
	if e.r.isolation == windows.Process {
		f.Mode = "rt-client-process-isolation"
		f.Because = "clients offer process isolation from 1809 on, with Docker 18.09 or later, and when it is asked for"
		f.Help = []diag.Help{e.otherIsolation(windows.HyperV)}
		return
	}
	f.Mode = "rt-hyperv-role-missing"
	f.Because = "Hyper-V isolation needs the Hyper-V role and a processor that can do it, or nested virtualisation"
	f.Help = []diag.Help{{Text: "install the role, in a virtual machine with nested virtualisation", Command: "Install-WindowsFeature Hyper-V -Restart",
		Do: []string{flowStep("installHyperV", arg{"", e.r.h.Name()})}}}
	if e.r.host.Edition == windows.Server {
		f.Help = append(f.Help, e.otherIsolation(windows.Process))
	}
}

func (e *startError) imageMismatch(f *diag.Finding) {
	r := e.r
	f.Code, f.Mode = diag.ImageMismatch, "rt-os-mismatch-process"
	f.Because = "in process isolation the image shares the host's kernel, so its build has to be one that this kernel carries"
	switch {
	case r.isolation == windows.HyperV:
		f.Because = "Hyper-V isolation runs images up to the host's build"
	case r.image.Build == r.host.Build:
		f.Mode = "rt-revision-mismatch-2016"
		f.Facts = append(f.Facts, diag.Fact{Name: "revisions", Value: fmt.Sprintf("host %s, image %s", r.host.Version, r.image.Version)})
		f.Because = "on Windows Server 2016 the revision has to be the same too, by the newer wording of the documentation"
	}
	if image, ok := e.fittingImage(); ok {
		f.Help = append(f.Help, diag.Help{Text: "take the image that fits the host", Command: "docker pull " + image.String(), Do: []string{e.with("image", image.String())}})
	}
	if r.isolation == windows.Process && r.image.Build <= r.host.Build {
		f.Help = append(f.Help, e.otherIsolation(windows.HyperV))
	}
}

func (e *startError) hangs(f *diag.Finding) {
	r := e.r
	f.Code, f.Mode = diag.GMSAIsolation, "os-hyperv-hang"
	f.Facts = append(f.Facts, diag.Fact{Name: "gives up after", Value: startTimeout.String()})
	f.Because = "builds 15063, 16299 and 17134 cannot hand the credential to a container in Hyper-V isolation; the same container without a credential spec starts"
	if r.cfg.Isolation == windows.DefaultMode {
		f.Mode = "os-hyperv-default-client"
		f.Facts = append(f.Facts, diag.Fact{Name: "isolation asked for", Value: "none; that of a client is hyperv"})
	}
	if r.host.Edition == windows.Server {
		f.Help = append(f.Help, e.otherIsolation(windows.Process))
	}
	newer := "Windows Server 2019"
	if r.host.Edition == windows.Client {
		newer = "Windows 10 1809"
	}
	f.Help = append(f.Help, diag.Help{Text: "use a host of build 17763 or later", Do: []string{e.upgradeTo(newer)}})
}

func (e *startError) userRefused(f *diag.Finding) {
	f.Code, f.Mode = diag.UserRefused, "rt-user-ns-2016"
	f.Facts = append(f.Facts, diag.Fact{Name: "user", Value: e.user.Name})
	f.Because = "images before build 16299 cannot start a process as NETWORK SERVICE or SYSTEM"
	h := diag.Help{Text: "let a service or an application pool of the container run as this user, or take an image of 1709 or later"}
	if e.exec {
		h.Do = []string{e.with("user", windows.DefaultUser(e.r.image.Flavour).Name)}
	} else {
		h.Do = []string{flowStep("with", arg{"user", windows.DefaultUser(e.r.image.Flavour).Name}, arg{"service", e.user.Name})}
	}
	f.Help = []diag.Help{h}
}

// with is the failing step again with one argument changed.
func (e *startError) with(name, value string) string { return flowStep("with", arg{name, value}) }

func (e *startError) otherIsolation(iso windows.Isolation) diag.Help {
	return diag.Help{Text: "run the container in the isolation that the host can give it", Command: e.r.dockerRun(func(c *Container) { c.Isolation = iso }), Do: []string{e.with("isolation", string(iso))}}
}

func (e *startError) upgradeTo(os string) string {
	return flowStep("upgradeHost", arg{"host", e.r.h.Name()}, arg{"os", os})
}

// fittingImage is the newest base image of the same flavour that the host runs in the isolation.
func (e *startError) fittingImage() (windows.Image, bool) {
	r := e.r
	host := r.host.Version
	if r.image.Build == host.Build { // a matter of revisions
		image, err := windows.BaseImage(r.image.Flavour, host.Build)
		image.Revision = host.Revision
		return image, err == nil
	}
	for _, b := range []windows.Build{host.Build, windows.Build2025, windows.Build2022, windows.Build1809, windows.Build1607} {
		image, err := windows.BaseImage(r.image.Flavour, b)
		if err == nil && windows.ImageAllowed(host, image.Version, r.isolation, r.profiles.Revision, r.profiles.ImageFloor.For(r.engine.Kind)) {
			return image, true
		}
	}
	return windows.Image{}, false
}
