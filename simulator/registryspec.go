package simulator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// registryKey is where the engine looks for credential specs of registry:// below HKLM (moby, daemon/oci_windows.go).
const registryKey = `SOFTWARE\Microsoft\Windows NT\CurrentVersion\Virtualization\Containers\CredentialSpecs`

// registrySpecError: the engine finds no credential spec under a name in the registry.
type registrySpecError struct {
	r         *Running
	name      string
	keyAbsent bool // there is no value at all, so the key has never been made
}

func (e *registrySpecError) Error() string {
	if e.keyAbsent {
		return fmt.Sprintf("failed handling spec %q for container %s - registry key %s could not be opened: The system cannot find the file specified.", e.name, e.r.id, registryKey)
	}
	return fmt.Sprintf("registry credential spec %q for container %s was not found", e.name, e.r.id)
}

// finding tells what is there instead: other values, or a file of this name.
func (e *registrySpecError) finding(*Domain, *stepError) *diag.Finding {
	f := &diag.Finding{Code: diag.CredentialSpecMissing, Mode: "rt-registry-missing", SeenAs: []string{e.Error()},
		Facts:   []diag.Fact{{Name: "option", Value: "credentialspec=registry://" + e.name}, {Name: "key", Value: `HKLM\` + registryKey}},
		Because: "registry:// names a value of this key of this host, and New-CredentialSpec writes files, not values"}
	values, files := e.r.h.RegistrySpecs(), e.r.h.CredentialSpecs()
	f.Facts = append(f.Facts, diag.Fact{Name: "values", Value: strings.Join(values, ", ")}, diag.Fact{Name: "files", Value: strings.Join(files, ", ")})
	if near := diag.Nearest(e.name, values); near != "" {
		f.Nearest = []diag.Near{{Wanted: e.name, Closest: near}}
		f.Help = append(f.Help, diag.Help{Text: "use the value that is there", Command: e.r.withSpec("registry://" + near),
			Do: []string{flowStep("with", arg{"credentialSpec", "registry://" + near})}})
	}
	for _, file := range files {
		if strings.EqualFold(strings.TrimSuffix(file, ".json"), e.name) || len(files) == 1 {
			f.Help = append(f.Help,
				diag.Help{Text: "make the value from the file", Command: fmt.Sprintf(`New-ItemProperty "HKLM:\%s" -Name %s -Value (Get-Content -Raw %s\%s)`, registryKey, e.name, e.r.h.CredentialSpecFolder(), file),
					Do: []string{flowStep("setRegistrySpec", arg{"host", e.r.h.Name()}, arg{"name", e.name}, arg{"file", file})}},
				diag.Help{Text: "or name the file", Command: e.r.withSpec("file://" + file), Do: []string{flowStep("with", arg{"credentialSpec", "file://" + file})}})
			break
		}
	}
	return f
}

// registrySpec is the text of a value.
func (r *Running) registrySpec(name string) ([]byte, error) {
	h := r.h
	h.mu.Lock()
	defer h.mu.Unlock()
	text, ok := h.registry[strings.ToLower(name)]
	if !ok {
		return nil, &registrySpecError{r, name, len(h.registry) == 0}
	}
	return text, nil
}

// existingRegistrySpecs are the values that the configuration puts on the host.
func (h *Host) existingRegistrySpecs() map[string][]byte {
	values := map[string][]byte{}
	for _, a := range h.cfg.RegistrySpecs {
		values[strings.TrimSuffix(specFile(h.dom.NetBIOSName, a), ".json")] = specOf(specDomain{h.dom, h.d.DNSName(), h.dom.SID, h.dom.GUID}, a, nil)
	}
	return values
}

// RegistrySpecs lists the values below the key of the engine.
func (h *Host) RegistrySpecs() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []string
	for name := range h.registry {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// SetRegistrySpec puts the text of a file of the engine's folder under a name into the registry.
func (h *Host) SetRegistrySpec(name, file string) error {
	h.mu.Lock()
	text, ok := h.files.files[pathBelow(h.files.engine(), file)]
	if ok {
		h.registry[strings.ToLower(name)] = slices.Clone(text)
	}
	h.mu.Unlock()
	if !ok {
		return fmt.Errorf("no file %s in %s", file, h.CredentialSpecFolder())
	}
	h.d.event(Event{Op: opHost, From: h.Name(), Text: "reg add …\\CredentialSpecs /v " + name, Result: "ok"})
	return nil
}

// rawError: the engine is older than raw:// credential specs, which came with 19.03 (moby, March 2019).
type rawError struct {
	r *Running
}

const rawRefused = "invalid credential spec security option - value must be prefixed file:// or registry:// followed by a value"

func (e *rawError) Error() string { return daemonSays + rawRefused }

// finding tells the engine's version.
func (e *rawError) finding(*Domain, *stepError) *diag.Finding {
	r := e.r
	f := &diag.Finding{Code: diag.CredentialSpecMissing, Mode: "rt-raw-old-engine", SeenAs: []string{rawRefused},
		Facts:   []diag.Fact{{Name: "engine", Value: r.engine.String()}, {Name: "option", Value: "credentialspec=raw://…"}},
		Because: "the document itself as an option came with Docker 19.03; before, kubelet wrote a value into the registry for the time of the start",
		Help:    []diag.Help{{Text: "take a newer engine", Do: []string{flowStep("upgradeHost", arg{"host", r.h.Name()}, arg{"engine", "docker 19.03"})}}}}
	if files := r.h.CredentialSpecs(); len(files) > 0 {
		f.Help = append(f.Help, diag.Help{Text: "or put the document into a file of the host", Command: r.withSpec("file://" + files[0]),
			Do: []string{flowStep("with", arg{"credentialSpec", "file://" + files[0]})}})
	}
	return f
}

// takesScheme tells whether the engine knows the form of the option. An engine that nobody has named takes all forms, see
// [windows.PeriodEngine].
func (r *Running) takesScheme(named windows.Engine) error {
	scheme, _, _ := strings.Cut(r.cfg.CredentialSpec, "://")
	if strings.EqualFold(scheme, "raw") && named.Version != (windows.EngineVersion{}) && r.engine.Kind == windows.Docker && !r.engine.Version.AtLeast(19, 3) {
		return &rawError{r}
	}
	return nil
}
