package simulator

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// ReviewCredentialSpec reads a credential spec of the host for secrets, as a review does: nothing that runs minds a password in it. A container
// with it works, and whoever sees the file, the option of the container or the object of an orchestrator has the password. The error wraps
// diag.PlaintextSecret.
func (h *Host) ReviewCredentialSpec(file string) error {
	text, ok := h.ReadCredentialSpec(file)
	if !ok {
		return fmt.Errorf("%s has no credential spec %s", h.Name(), file)
	}
	var s credentialSpec
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("credential spec %s: %w", file, err)
	}
	hac := s.ActiveDirectoryConfig.HostAccountConfig
	if hac == nil || !hac.holdsPassword() {
		return nil
	}
	return h.d.explain(&stepError{step: stepReview, logon: h.machine, account: s.DomainJoinConfig.MachineAccountName, err: &plaintextError{h, file, hac}})
}

// holdsPassword tells whether PluginInput is one of the forms that carry a password: the sample's third part, or a key that says so.
func (c *hostAccountConfig) holdsPassword() bool {
	lower := strings.ToLower(c.PluginInput)
	if strings.Contains(lower, "password=") || strings.Contains(lower, "pwd=") {
		return true
	}
	if strings.HasPrefix(lower, "{") || strings.Contains(lower, "://") || strings.HasPrefix(lower, "arn:") {
		return false
	}
	r, err := SamplePlugin.parse(c.PluginInput)
	return err == nil && r.user.password != ""
}

// plaintextError: a credential spec holds a password.
type plaintextError struct {
	host *Host
	file string
	hac  *hostAccountConfig
}

func (e *plaintextError) Error() string {
	return "the credential spec " + e.file + " holds a password in PluginInput"
}

func (e *plaintextError) finding(d *Domain, _ *stepError) *diag.Finding {
	f := &diag.Finding{Code: diag.PlaintextSecret, Mode: "cs-plaintext-secret",
		Facts:   []diag.Fact{{Name: "host", Value: e.host.Name()}, {Name: "file", Value: e.file}, {Name: "class", Value: e.hac.PluginGUID}},
		SeenAs:  []string{`docker inspect: "SecurityOpt": ["credentialspec=raw://…"]`},
		Because: "a credential spec is copied to every host, shown by docker inspect and stored by orchestrators, so it must hold no secret; the documentation's sample does",
	}
	help := diag.Help{Text: "take a plug-in that fetches the user from a secret store, run the containers anew, and change the password"}
	for _, p := range e.host.Plugins() {
		identities := e.host.identityNames()
		if secret := d.likelySecret(p.Kind, identities); p.Kind != SamplePlugin && secret != "" {
			help.Do = []string{flowStep("addHostAccountConfig", arg{"host", e.host.Name()}, arg{"file", e.file}, arg{"pluginGUID", p.clsid()},
				arg{"pluginInput", p.Kind.inputFor(secret, identities[0])})}
			break
		}
	}
	f.Help = []diag.Help{help}
	return f
}
