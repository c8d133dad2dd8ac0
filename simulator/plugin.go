package simulator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/simulator/credspec/plugin"
)

// PluginKind is the make of a plug-in: it decides what PluginInput and the secret have to look like (sources of the plug-ins).
type PluginKind string

// The makes.
const (
	// AzureKeyVault: input ObjectId=<managed identity>;SecretUri=<uri>, secret DOMAIN\user:password.
	AzureKeyVault PluginKind = "AzureKeyVault"
	// AWSPlugin: input {"credentialArn":"<arn>"}, secret {"username","password","domainName"} in JSON.
	AWSPlugin PluginKind = "AWS"
	// RancherPlugin: input <namespace>:<secret>, the secret's keys username, password, domainName in JSON.
	RancherPlugin PluginKind = "Rancher"
	// SamplePlugin is the one of Microsoft's documentation: input <domain>:<user>:<password>, no secret store.
	SamplePlugin PluginKind = "Sample"
)

// comClasses is where Container Credential Guard looks for the plug-ins that it may load (three plug-ins write it; the documentation of
// the interface names a key without Control).
const comClasses = `HKLM\SYSTEM\CurrentControlSet\Control\CCG\COMClasses`

// Plugin is a plug-in for Container Credential Guard on a host: a COM class that gives a user of the domain. The zero value of all fields
// but Kind is one that works.
type Plugin struct {
	Kind PluginKind `json:"kind" yaml:"kind"`
	// CLSID is the COM class in braces. Default: the one that the make registers.
	CLSID string `json:"clsid,omitempty" yaml:"clsid,omitempty"`
	// Unregistered says that the files are there and the COM class is not registered.
	Unregistered bool `json:"unregistered,omitempty" yaml:"unregistered,omitempty"`
	// COMClasses is the registry key below which the class is listed. Default: HKLM\SYSTEM\CurrentControlSet\Control\CCG\COMClasses, the
	// one that is read; none: it is listed nowhere.
	COMClasses string `json:"comClasses,omitempty" yaml:"comClasses,omitempty"`
	// RunAs is the identity of the COM application. Default: NT AUTHORITY\LocalService. Interactive User is whoever is signed in.
	RunAs string `json:"runAs,omitempty" yaml:"runAs,omitempty"`
	// Bits are those of the library. Default: 64.
	Bits int `json:"bits,omitempty" yaml:"bits,omitempty"`
	// InProcess says that the class has no surrogate process of its own.
	InProcess bool `json:"inProcess,omitempty" yaml:"inProcess,omitempty"`
}

const interactiveUser = "Interactive User"

func (p *Plugin) clsid() string {
	if p.CLSID != "" {
		return p.CLSID
	}
	return p.Kind.clsid()
}

// allowed tells whether Container Credential Guard may load the class.
func (p *Plugin) allowed() bool {
	return p.COMClasses == "" || strings.EqualFold(p.COMClasses, comClasses)
}

// validate checks a plug-in of the configuration.
func (p *Plugin) validate(k *checker, path string) {
	k.oneOf(path+".kind", string(p.Kind), string(AzureKeyVault), string(AWSPlugin), string(RancherPlugin), string(SamplePlugin))
	if p.Kind == "" {
		k.fail(path+".kind", "the kind is missing: AzureKeyVault, AWS, Rancher or Sample")
	}
	if p.CLSID != "" && !isCLSID(p.CLSID) {
		k.fail(path+".clsid", "%q is not a GUID in braces", p.CLSID)
	}
	if p.Bits != 0 && p.Bits != 32 && p.Bits != 64 {
		k.fail(path+".bits", "%d is neither 32 nor 64", p.Bits)
	}
}

// workgroupHost checks a host that has no account in the domain, so that only other hosts can have its name.
func (k *checker) workgroupHost(path string, earlier []HostConfig, h HostConfig) {
	switch {
	case h.Name == "" || len(h.Name) > maxComputerName:
		k.fail(path+".name", "%q has %d characters, a computer name has 1 to %d", h.Name, len(h.Name), maxComputerName)
	case slices.ContainsFunc(earlier, func(o HostConfig) bool { return hostKey(o.Name) == hostKey(h.Name) }):
		k.fail(path+".name", "there is a host %q already", h.Name)
	}
}

// secrets checks the names of the secrets.
func (k *checker) secrets() {
	for i, s := range k.cfg.Secrets {
		path := fmt.Sprintf("secrets[%d].name", i)
		switch {
		case s.Name == "":
			k.fail(path, "the name is missing")
		case slices.ContainsFunc(k.cfg.Secrets[:i], func(o Secret) bool { return strings.EqualFold(o.Name, s.Name) }):
			k.fail(path, "there is a secret %q already", s.Name)
		}
	}
}

// isCLSID tells whether a text is a GUID in braces.
func isCLSID(s string) bool {
	_, err := security.ParseGUID(s)
	return err == nil && strings.HasPrefix(s, "{") && strings.HasSuffix(s, "}")
}

// InstallPlugin installs a plug-in, in place of one of the same class.
func (h *Host) InstallPlugin(p Plugin) {
	h.mu.Lock()
	h.plugins = slices.DeleteFunc(h.plugins, func(o Plugin) bool { return strings.EqualFold(o.clsid(), p.clsid()) })
	h.plugins = append(h.plugins, p)
	h.mu.Unlock()
	h.d.event(Event{Op: opHost, From: h.Name(), Text: fmt.Sprintf("install the plug-in %s %s", p.Kind, p.clsid())})
}

// RemovePlugin takes a plug-in from the host.
func (h *Host) RemovePlugin(kind PluginKind) {
	h.mu.Lock()
	h.plugins = slices.DeleteFunc(h.plugins, func(o Plugin) bool { return o.Kind == kind })
	h.mu.Unlock()
	h.d.event(Event{Op: opHost, From: h.Name(), Text: "remove the plug-in " + string(kind)})
}

// Plugins lists the plug-ins of the host.
func (h *Host) Plugins() []Plugin {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.plugins)
}

// SetSignedIn says whether somebody is signed in at the host's desktop.
func (h *Host) SetSignedIn(signedIn bool) {
	h.mu.Lock()
	h.sys.signedIn = signedIn
	h.mu.Unlock()
}

// portableUser is what a plug-in gives: a user of the domain.
type portableUser struct {
	domain, user, password string
	secret                 *Secret // that it is from; nil: none
}

// request is what a plug-in reads from its input: the secret to fetch and, where the input says so, the identity to fetch it with.
type request struct {
	secret, identity string
	user             *portableUser // that the input itself holds
}

// errInput and errSecretForm: the plug-in does not understand its input, or what it fetched.
var (
	errInput      = plugin.ErrInput
	errSecretForm = plugin.ErrSecret
)

// clsid is the class that the make registers.
func (kind PluginKind) clsid() string { return plugin.Make(kind).CLSID() }

// grammar is what a make wants to read.
func (kind PluginKind) grammar() (input, secret string) { return plugin.Make(kind).Grammar() }

// parse reads PluginInput.
func (kind PluginKind) parse(input string) (request, error) {
	in, err := plugin.Make(kind).Parse(input)
	if err != nil {
		return request{}, errInput
	}
	r := request{secret: in.Secret, identity: in.Identity}
	if in.User != nil {
		r.user = &portableUser{domain: in.User.Domain, user: in.User.Name, password: in.User.Password}
	}
	return r, nil
}

// user reads the value of a secret.
func (kind PluginKind) user(s *Secret) (*portableUser, error) {
	u, err := plugin.Make(kind).ParseSecret(s.Value)
	if err != nil {
		return nil, errSecretForm
	}
	return &portableUser{domain: u.Domain, user: u.Name, password: u.Password, secret: s}, nil
}

// secretValue writes a user in the form of the make.
func (kind PluginKind) secretValue(domain, user, password string) string {
	return plugin.Make(kind).Secret(plugin.User{Domain: domain, Name: user, Password: password})
}
