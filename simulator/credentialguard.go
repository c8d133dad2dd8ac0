package simulator

import (
	"fmt"

	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// ccgError: Container Credential Guard of the host does not answer when a container is created (report; HRESULT form of
// 0xC0020017, the RPC server is unavailable).
type ccgError struct {
	h  *Host
	id string
}

func (e *ccgError) Error() string {
	return fmt.Sprintf("%shcsshim::CreateComputeSystem %s: winapi error #3489792023.", daemonSays, e.id)
}

// finding tells what the number hides.
func (e *ccgError) finding(*Domain, *stepError) *diag.Finding {
	return &diag.Finding{Code: diag.CCGUnavailable, Mode: "rt-ccg-rpc-unavailable",
		Facts: []diag.Fact{{Name: "host", Value: e.h.Name()}, {Name: "error", Value: "3489792023 = 0xD0020017, from 0xC0020017: the RPC server is unavailable"}},
		SeenAs: []string{fmt.Sprintf("hcsshim::CreateComputeSystem %s: winapi error #3489792023.", e.id),
			"Hyper-V-Compute-Admin 11507: Failed to setup the external credentials for Container"},
		Because: "from build 17763 on, a service of the host, Container Credential Guard, gives a container its credentials; without a credential spec nobody asks it",
		Help: []diag.Help{{Text: "restart the host, which starts the service", Command: "Restart-Computer", Do: []string{flowStep("restartHost", arg{"", e.h.Name()})}},
			{Text: "or start the service", Command: "sc.exe start CCG", Do: []string{flowStep("startCCG", arg{"", e.h.Name()})}}}}
}

// credentialGuard asks Container Credential Guard to set up the credentials of a container. Before build 17763 there is none.
func (r *Running) credentialGuard(sys system) error {
	if r.host.Build < windows.Build1809 || !sys.ccgStopped {
		return nil
	}
	r.h.d.event(Event{Op: opEventLog, From: r.h.Name(), Text: "Microsoft-Windows-Hyper-V-Compute-Admin 11507", Result: "Error",
		Detail: fmt.Sprintf("Failed to setup the external credentials for Container '%s': The RPC server is unavailable. (0xC0020017).", r.id)})
	return &ccgError{r.h, r.id}
}

// SetCCG starts or stops Container Credential Guard. A restart of the host starts it too.
func (h *Host) SetCCG(running bool) {
	h.mu.Lock()
	h.sys.ccgStopped = !running
	h.mu.Unlock()
	text := "Container Credential Guard starts"
	if !running {
		text = "Container Credential Guard stops"
	}
	h.d.event(Event{Op: opHost, From: h.Name(), Text: text})
}

// disabledError: the annotation io.microsoft.container.wcow.gmsa.disable turns credentials off (hcsshim, internal/hcsoci).
type disabledError struct{}

const gmsaDisabled = "gMSA credentials are disabled: operation denied"

func (e *disabledError) Error() string {
	return "failed to create containerd task: failed to create shim task: " + gmsaDisabled + ": unknown"
}

// finding tells where the refusal comes from.
func (e *disabledError) finding(*Domain, *stepError) *diag.Finding {
	return &diag.Finding{Code: diag.CredentialsOff, Mode: "rt-gmsa-disabled-annotation", SeenAs: []string{gmsaDisabled},
		Facts:   []diag.Fact{{Name: "annotation", Value: "io.microsoft.container.wcow.gmsa.disable"}},
		Because: "hcsshim refuses a container that has both a credential spec and the annotation that turns credentials off; somebody's policy sets it",
		Help:    []diag.Help{{Text: "take the annotation away, or the credential spec", Do: []string{flowStep("with", arg{"credentialsOff", false})}}}}
}
