package simulator

import (
	"errors"

	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// findOutdated is about a container whose credential spec has been changed on the host since it was created, where the change has to do with
// what failed; nil otherwise. The engine reads the document when it creates a container, and a restart keeps it.
func findOutdated(s *stepError) *diag.Finding {
	if s.logon == nil || s.logon.st.container == nil {
		return nil
	}
	r := s.logon.st.container
	if r.spec == nil {
		return nil
	}
	options := r.cfg.securityOpts()
	now, err := r.loadSpec(options[len(options)-1])
	if err != nil || now == nil {
		return nil // a container that runs does not need the file
	}
	changed := ""
	if e, ok := errors.AsType[*identityError](s.err); ok {
		if windows.IdentityOf(e.user, r.build(windows.P7), r.profiles.Identity, now.DomainJoinConfig.MachineAccountName, now.additional()) != "" {
			changed = "accounts: " + jsonText(now.additional()) + ", the container has " + jsonText(r.spec.additional())
		}
	} else if now.DomainJoinConfig != r.spec.DomainJoinConfig {
		changed = "DomainJoinConfig: " + jsonText(now.DomainJoinConfig) + ", the container has " + jsonText(r.spec.DomainJoinConfig)
	}
	if changed == "" {
		return nil
	}
	return &diag.Finding{Code: diag.SpecOutdated, Mode: "rt-credspec-changed-needs-recreate",
		Facts:   []diag.Fact{{Name: "credential spec", Value: r.cfg.CredentialSpec}, {Name: "now", Value: changed}},
		SeenAs:  []string{seenNoPackage, seenTrust},
		Because: "the engine reads a credential spec when it creates the container; docker restart keeps what was read, and Kubernetes keeps its copy in the pod",
		Help:    []diag.Help{{Text: "make the container anew", Command: "docker rm -f " + r.shortID() + "; " + r.dockerRun(func(*Container) {}), Do: []string{r.again()}}}}
}
