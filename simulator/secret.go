package simulator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Secret is an entry of a secret store outside the domain, such as a key vault, that plug-ins fetch.
type Secret struct {
	// Name is what a plug-in asks for: the URI of a key vault's secret, an ARN, or namespace:name.
	Name string `json:"name" yaml:"name"`
	// Value is the text of the secret. What it has to look like is the plug-in's matter, see [PluginKind].
	Value string `json:"value" yaml:"value"`
	// Grants are the identities that may read it, see [HostConfig.Identities].
	Grants []string `json:"grants,omitempty" yaml:"grants,omitempty"`

	written time.Time
}

func cloneSecrets(list []Secret) []Secret {
	list = slices.Clone(list)
	for i := range list {
		list[i].Grants = slices.Clone(list[i].Grants)
	}
	return list
}

// Refusals of a secret store.
var (
	errNoSecret     = errors.New("there is no such secret")
	errSecretDenied = errors.New("access to the secret is denied")
)

func (d *Domain) secretLocked(name string) *Secret {
	i := slices.IndexFunc(d.secrets, func(s Secret) bool { return strings.EqualFold(s.Name, name) })
	if i < 0 {
		return nil
	}
	return &d.secrets[i]
}

// secret reads a secret as one of some identities; the error is one of the refusals above.
func (d *Domain) secret(name string, identities []string) (Secret, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.secretLocked(name)
	switch {
	case s == nil:
		return Secret{}, errNoSecret
	case !slices.ContainsFunc(identities, func(id string) bool {
		return slices.ContainsFunc(s.Grants, func(g string) bool { return strings.EqualFold(g, id) })
	}):
		return Secret{}, errSecretDenied
	}
	return *s, nil
}

// SetSecret writes the value of a secret (az keyvault secret set, aws secretsmanager put-secret-value). A new secret has no grants.
func (d *Domain) SetSecret(name, value string) {
	d.mu.Lock()
	s := d.secretLocked(name)
	if s == nil {
		d.secrets = append(d.secrets, Secret{Name: name})
		s = &d.secrets[len(d.secrets)-1]
	}
	s.Value, s.written = value, d.Clock.Now()
	d.mu.Unlock()
	d.event(Event{Op: opAdmin, Text: "write the secret " + name})
}

// GrantSecret lets an identity read a secret (az keyvault set-policy --secret-permissions get, or a role).
func (d *Domain) GrantSecret(name, identity string) error {
	d.mu.Lock()
	s := d.secretLocked(name)
	if s != nil && !slices.Contains(s.Grants, identity) {
		s.Grants = append(s.Grants, identity)
	}
	d.mu.Unlock()
	if s == nil {
		return fmt.Errorf("secret %s: %w", name, errNoSecret)
	}
	d.event(Event{Op: opAdmin, Text: fmt.Sprintf("grant %s the secret %s", identity, name)})
	return nil
}

// RevokeSecret takes back GrantSecret.
func (d *Domain) RevokeSecret(name, identity string) error {
	d.mu.Lock()
	s := d.secretLocked(name)
	if s != nil {
		s.Grants = slices.DeleteFunc(s.Grants, func(g string) bool { return strings.EqualFold(g, identity) })
	}
	d.mu.Unlock()
	if s == nil {
		return fmt.Errorf("secret %s: %w", name, errNoSecret)
	}
	d.event(Event{Op: opAdmin, Text: fmt.Sprintf("revoke the secret %s from %s", name, identity)})
	return nil
}

// ReadSecret reads the value of a secret as the host, with one of its identities.
func (h *Host) ReadSecret(name string) (string, error) {
	s, err := h.d.secret(name, h.identityNames())
	if err != nil {
		return "", fmt.Errorf("secret %s for %s: %w", name, h.Name(), err)
	}
	return s.Value, nil
}

// identityNames are the identities by which secret stores know the host.
func (h *Host) identityNames() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.identities) == 0 {
		return []string{h.Name()}
	}
	return slices.Clone(h.identities)
}

// AssignIdentity gives the host a further identity (az vmss identity assign).
func (h *Host) AssignIdentity(id string) {
	h.mu.Lock()
	if !slices.Contains(h.identities, id) {
		h.identities = append(h.identities, id)
	}
	h.mu.Unlock()
	h.d.event(Event{Op: opHost, From: h.Name(), Text: "assign the identity " + id})
}
