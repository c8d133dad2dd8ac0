package simulator

import (
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// monitorError: ServiceMonitor, with which images of IIS begin, cannot configure IIS and ends the container (report).
type monitorError struct {
	r *Running
}

const monitorSays = "Service 'w3svc' has been stopped\n\nAPPCMD failed with error code 4312\n\nFailed to update IIS configuration"

func (e *monitorError) Error() string { return monitorSays }

// finding tells which options do not go together.
func (e *monitorError) finding(*Domain, *stepError) *diag.Finding {
	return &diag.Finding{Code: diag.EntryPointFails, Mode: "rt-servicemonitor-hostname", SeenAs: []string{monitorSays},
		Facts:   []diag.Fact{{Name: "image", Value: e.r.Image()}, {Name: "hostname", Value: e.r.cfg.Hostname}},
		Because: "ServiceMonitor writes the environment into the configuration of IIS, and fails at it in a container that has both a credential spec and a host name of its own",
		Help: []diag.Help{{Text: "leave the host name out; from Windows Server 2019 on the account does not need it", Command: e.r.dockerRun(func(c *Container) { c.Hostname = "" }),
			Do: []string{flowStep("with", arg{"hostname", ""})}}}}
}

// entryPoint is what the image's entry point does when the container has started.
//
// guess: from build 17763 on only, since images of Windows Server 2016 need the host name and are not in the report; and under Docker only, since
// the report is about docker run and every pod has a host name, while images of IIS are what pages about pods with gMSAs show
func (r *Running) entryPoint() error {
	repository, _, _ := strings.Cut(r.image.Reference, ":")
	ofIIS := strings.HasSuffix(repository, "/iis") || strings.HasSuffix(repository, "/aspnet")
	if ofIIS && r.spec != nil && r.cfg.Hostname != "" && r.image.Build >= windows.Build1809 && r.engine.Kind != windows.Containerd {
		return &monitorError{r}
	}
	return nil
}
