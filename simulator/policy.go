package simulator

import (
	"fmt"
	"slices"
)

// Policy is a security setting of the domain that a group policy brings.
type Policy string

// The policies of the domain.
const (
	// PolicyDenyNTLM is "Network security: Restrict NTLM: NTLM authentication in this domain", deny all: DCs pass no response on.
	PolicyDenyNTLM Policy = "denyNTLM"
	// PolicyAnonymousNames is "Network access: Allow anonymous SID/Name translation" on DCs.
	PolicyAnonymousNames Policy = "anonymousNameTranslation"
)

// Policies lists the policies of the domain.
func Policies() []Policy { return []Policy{PolicyDenyNTLM, PolicyAnonymousNames} }

// SetPolicy puts a policy in force or takes it back.
func (d *Domain) SetPolicy(p Policy, enabled bool) error {
	if !slices.Contains(Policies(), p) {
		return fmt.Errorf("no policy %q", p)
	}
	d.mu.Lock()
	d.policies = slices.DeleteFunc(slices.Clone(d.policies), func(o Policy) bool { return o == p })
	if enabled {
		d.policies = append(d.policies, p)
	}
	d.mu.Unlock()
	d.event(Event{Op: opAdmin, From: "Administrator", Text: fmt.Sprintf("policy %s: %t", p, enabled)})
	return nil
}

// hasPolicy tells whether a policy is in force.
func (d *Domain) hasPolicy(p Policy) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Contains(d.policies, p)
}

func setsPolicy(p Policy, enabled bool) string {
	return flowStep("setPolicy", arg{"policy", string(p)}, arg{"enabled", enabled})
}
