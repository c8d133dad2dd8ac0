package simulator

import (
	"slices"

	"github.com/gmsasim/gmsasim/simulator/windows"
)

// opOrchestrator marks what something built on a domain did: Swarm, Kubernetes, Service Fabric.
const opOrchestrator Op = "orchestrator"

// Record enters an event of something that is built on a domain, such as an orchestrator, into the domain's transcript. from is who acts,
// result "ok" or what went wrong.
func (d *Domain) Record(from, text, result string) {
	d.event(Event{Op: opOrchestrator, From: from, Text: text, Result: result})
}

// ReadCredentialSpec gives a file of the folder of the engine as it is.
func (h *Host) ReadCredentialSpec(file string) (text []byte, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	text, ok = h.files.files[pathBelow(h.files.engine(), file)]
	return slices.Clone(text), ok
}

// MayRead tells whether the host gets the managed password of an account now. It leaves nothing behind on the host.
func (h *Host) MayRead(account string) bool {
	_, err := h.fetch(h.d.ctx, account, Sealed)
	return err == nil
}

// Runs tells that the container has not been stopped.
func (r *Running) Runs() bool { return r.runs() == nil }

// Account is the account that the container's credential spec names; "" without a spec.
func (r *Running) Account() string {
	if r.spec == nil {
		return ""
	}
	return r.account()
}

// Domain is the DNS name of the domain that the container's credential spec names; "" without a spec.
func (r *Running) Domain() string {
	if r.spec == nil {
		return ""
	}
	return r.spec.DomainJoinConfig.DNSName
}

// SetDNS changes the DNS servers of the container, see [Container.DNS]. What its locator found is forgotten.
func (r *Running) SetDNS(servers ...string) {
	r.st.mu.Lock()
	r.st.dns = slices.Clone(servers)
	r.st.mu.Unlock()
	r.st.forget()
}

// FlowStep writes a step for [diag.Help.Do]: a verb, and names with their values in turn, which are texts, lists of texts, whole numbers
// or bools. Texts and lists that are empty are left out.
func FlowStep(verb string, namesAndValues ...any) string {
	var args []arg
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		switch v := namesAndValues[i+1].(type) {
		case string:
			if v == "" {
				continue
			}
		case []string:
			if len(v) == 0 {
				continue
			}
		}
		name, _ := namesAndValues[i].(string)
		args = append(args, arg{name, namesAndValues[i+1]})
	}
	return flowStep(verb, args...)
}

// Engine is the container engine that the configuration or an upgrade names; the zero value is the one of the release's time.
func (h *Host) Engine() windows.Engine { return h.machineSystem().engine }
