package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// credentialSpec is a credential spec as New-CredentialSpec writes it (CredentialSpec module 1.1.0; guide, "Check the Credential Spec
// file"). Fields that the simulated runtime does not look at stay in the file and are not read.
type credentialSpec struct {
	CmsPlugins       []string `json:"CmsPlugins"`
	DomainJoinConfig struct {
		Sid                string `json:"Sid"`
		MachineAccountName string `json:"MachineAccountName"`
		GUID               string `json:"Guid"`
		DNSTreeName        string `json:"DnsTreeName"`
		DNSName            string `json:"DnsName"`
		NetBIOSName        string `json:"NetBiosName"`
	} `json:"DomainJoinConfig"`
	ActiveDirectoryConfig struct {
		GroupManagedServiceAccounts []specAccount `json:"GroupManagedServiceAccounts"`
		// HostAccountConfig names the plug-in that a host outside the domain asks; nil: none.
		HostAccountConfig *hostAccountConfig `json:"HostAccountConfig,omitempty"`
	} `json:"ActiveDirectoryConfig"`

	text []byte // as the engine read it
}

type specAccount struct {
	Name  string `json:"Name"`
	Scope string `json:"Scope"`
}

// additional are the accounts of the spec besides the container's own.
func (s *credentialSpec) additional() []string {
	var list []string
	for _, a := range s.ActiveDirectoryConfig.GroupManagedServiceAccounts {
		if !sameAccount(a.Name, s.DomainJoinConfig.MachineAccountName) && !slices.ContainsFunc(list, func(o string) bool { return sameAccount(a.Name, o) }) {
			list = append(list, a.Name)
		}
	}
	return list
}

// names tells whether a name is that of the spec's domain, in the long or the short form.
func (s *credentialSpec) names(domain string) bool {
	return strings.EqualFold(domain, s.DomainJoinConfig.DNSName) || strings.EqualFold(domain, s.DomainJoinConfig.NetBIOSName)
}

// specOf makes a credential spec for accounts of a domain: the primary one has an entry for each form of the domain's name.
func specOf(dom *directory.Domain, forest string, sid security.SID, guid security.GUID, account string, additional []string) []byte {
	var s credentialSpec
	s.CmsPlugins = []string{"ActiveDirectory"}
	j := &s.DomainJoinConfig
	j.Sid, j.GUID, j.MachineAccountName = sid.String(), guid.String(), strings.TrimSuffix(account, "$")
	j.DNSTreeName, j.DNSName, j.NetBIOSName = forest, dom.DNSName, dom.NetBIOSName
	for _, scope := range []string{dom.DNSName, dom.NetBIOSName} {
		s.ActiveDirectoryConfig.GroupManagedServiceAccounts = append(s.ActiveDirectoryConfig.GroupManagedServiceAccounts, specAccount{j.MachineAccountName, scope})
	}
	for _, a := range additional {
		s.ActiveDirectoryConfig.GroupManagedServiceAccounts = append(s.ActiveDirectoryConfig.GroupManagedServiceAccounts, specAccount{strings.TrimSuffix(a, "$"), dom.DNSName})
	}
	text, err := json.MarshalIndent(&s, "", "    ")
	if err != nil {
		panic(err) // the type has nothing that cannot be written
	}
	return text
}

// specFile is the name of the file that New-CredentialSpec chooses.
func specFile(dom *directory.Domain, account string) string {
	return strings.ToLower(dom.NetBIOSName + "_" + strings.TrimSuffix(account, "$") + ".json")
}

// existingSpecs are the credential specs that the configuration puts on the host.
func (h *Host) existingSpecs() map[string][]byte {
	specs := map[string][]byte{}
	for _, a := range h.cfg.CredentialSpecs {
		specs[specFile(h.dom, a)] = specOf(h.dom, h.d.DNSName(), h.dom.SID, h.dom.GUID, a, nil)
	}
	return specs
}

// NewCredentialSpec is New-CredentialSpec: it finds the accounts in the directory and writes a file into the folder of the engine, whose
// name it returns. Whether the host may read the password does not matter to it: what is wrong with that is the warning, which wraps a
// [diag.Finding] as the error of [Host.TestServiceAccount] does.
func (h *Host) NewCredentialSpec(account string, additional ...string) (file string, warning, err error) {
	if h.cfg.Workgroup {
		return "", nil, h.d.explain(&stepError{step: stepFind, logon: h.machine, account: account, err: h.machine.nobody})
	}
	var sid security.SID
	var guid security.GUID
	if err := h.cmdlet("Get-ADServiceAccount"); err != nil {
		return "", nil, h.d.explain(err)
	}
	err = h.onDC(h.d.ctx, h.machine, Sealed, func(c *ldapConn) error {
		for _, a := range append([]string{account}, additional...) {
			name := strings.TrimSuffix(a, "$")
			if _, err := c.findAccount(h.dom.DN, name+"$", "distinguishedName"); err != nil {
				return &stepError{step: stepFind, logon: h.machine, dc: c.dc, account: name, err: err}
			}
		}
		b, err := c.read(h.dom.DN, "objectSid")
		if err == nil {
			sid, err = security.SIDFromBytes(b)
		}
		if err == nil {
			b, err = c.read(h.dom.DN, "objectGUID")
		}
		if err == nil {
			guid, err = security.GUIDFromBytes(b)
		}
		return err
	})
	if err != nil {
		return "", nil, h.d.explain(err)
	}
	file = specFile(h.dom, account)
	h.mu.Lock()
	h.specs[file] = specOf(h.dom, h.d.DNSName(), sid, guid, account, additional)
	h.mu.Unlock()
	_, warning = h.fetch(h.d.ctx, account, Sealed)
	h.d.event(Event{Op: opHost, From: h.Name(), Text: "New-CredentialSpec -AccountName " + account, Result: "ok", Detail: file})
	return file, h.d.explain(warning), nil
}

// CredentialSpecs lists the files in the folder of the engine (Get-CredentialSpec), which does not look into them.
func (h *Host) CredentialSpecs() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []string
	for name := range h.specs {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// WriteCredentialSpec puts a file into the folder of the engine, as it is; nil removes it.
func (h *Host) WriteCredentialSpec(file string, text []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if text == nil {
		delete(h.specs, strings.ToLower(file))
		return
	}
	h.specs[strings.ToLower(file)] = slices.Clone(text)
}

// specFolder is where Docker looks for credential specs in a default installation (guide, "Create a credential spec").
const specFolder = `C:\ProgramData\docker\CredentialSpecs`

// specError: the engine cannot give a container the credential spec that it was told.
type specError struct {
	reference, file string
	text            string // of the engine
}

func (e *specError) Error() string { return e.text }

// loadSpec finds the credential spec that an option names, with the engine's own words when it cannot (moby, daemon/oci_windows.go).
func (h *Host) loadSpec(id, reference string) (*credentialSpec, error) {
	fail := func(file, format string, args ...any) error {
		return &specError{reference, file, fmt.Sprintf(format, args...)}
	}
	scheme, value, ok := strings.Cut(reference, "://")
	var text []byte
	switch {
	case ok && value != "" && strings.EqualFold(scheme, "file"):
		path := strings.ReplaceAll(value, "/", `\`)
		switch {
		case strings.HasPrefix(path, `\`) || len(path) > 1 && path[1] == ':':
			return nil, fail("", "invalid credential spec: file:// path cannot be absolute")
		case slices.Contains(strings.Split(path, `\`), ".."):
			return nil, fail("", `invalid credential spec: file:// path must be under %s`, specFolder)
		}
		h.mu.Lock()
		text, ok = h.specs[strings.ToLower(path)]
		h.mu.Unlock()
		if !ok {
			return nil, fail(path, `failed to load credential spec for container %s: open %s\%s: The system cannot find the file specified.`, id, specFolder, path)
		}
	case ok && value != "" && strings.EqualFold(scheme, "registry"):
		var err error
		if text, err = h.registrySpec(id, value); err != nil {
			return nil, err
		}
	case ok && value != "" && strings.EqualFold(scheme, "raw"):
		text = []byte(value)
	default:
		return nil, fail("", "invalid credential spec security option - value must be prefixed by 'file://', 'registry://', or 'raw://' followed by a non-empty value")
	}
	s := credentialSpec{text: text}
	err := json.Unmarshal(text, &s)
	if err == nil && (s.DomainJoinConfig.MachineAccountName == "" || s.DomainJoinConfig.DNSName == "") {
		err = errors.New("MachineAccountName and DnsName are needed")
	}
	if err != nil {
		// guess: the text of HCS for a document that it cannot read is not known, so the error of the document stands in its place
		return nil, fail(value, "container %s encountered an error during CreateContainer: the credential spec is not valid: %v", id, err)
	}
	return &s, nil
}
