package simulator

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// defaultRoot is the engine's data root of a default installation, and where the CredentialSpec module looks when nothing tells it another.
const defaultRoot = `C:\ProgramData\docker`

// SpecFile is a credential spec as it lies in a folder.
type SpecFile struct {
	// Name is the file's, as in contoso_webapp01.json.
	Name string `json:"name" yaml:"name"`
	// Text is the whole file, whether or not Windows can read it.
	Text string `json:"text" yaml:"text"`
}

// folderName is the folder of credential specs below the data root.
const folderName = "CredentialSpecs"

// specFiles are the files of a host that engine and module work with.
type specFiles struct {
	root    string            // the engine's data root
	stopped bool              // the engine does not run
	files   map[string][]byte // by path in lower case
	folders map[string]bool   // by path in lower case
	module  bool              // the CredentialSpec module is installed
}

func (s specFiles) clone() specFiles {
	s.files, s.folders = maps.Clone(s.files), maps.Clone(s.folders)
	return s
}

// setUpFiles is the host as its configuration has it: an engine that has started once has made its folder.
func (h *Host) setUpFiles() {
	s := &h.files
	*s = specFiles{root: strings.TrimRight(h.cfg.DataRoot, `\`), stopped: h.cfg.EngineStopped, module: !h.cfg.NoCredentialSpecModule, files: map[string][]byte{}, folders: map[string]bool{}}
	if s.root == "" {
		s.root = defaultRoot
	}
	if !s.stopped || len(h.cfg.CredentialSpecs) > 0 {
		s.folders[strings.ToLower(s.engine())] = true
		s.folders[strings.ToLower(defaultRoot+`\`+folderName)] = true // a root that was moved was the default one at the first start
	}
	for _, a := range h.cfg.CredentialSpecs {
		s.files[pathBelow(s.engine(), specFile(h.dom.NetBIOSName, a))] = specOf(specDomain{h.dom, h.d.DNSName(), h.dom.SID, h.dom.GUID}, a, nil)
	}
	for _, f := range h.cfg.SpecFiles {
		s.folders[strings.ToLower(s.engine())] = true
		s.files[pathBelow(s.engine(), f.Name)] = []byte(f.Text)
	}
}

// engine is where the engine reads credential specs.
func (s *specFiles) engine() string { return s.root + `\` + folderName }

// modules is where the module reads and writes them: it asks docker info, else daemon.json for the old key graph, else it takes the default
// (CredentialSpec module 1.1.0). A root that is moved by the key data-root is known to the engine alone.
func (s *specFiles) modules() string {
	if s.stopped {
		return defaultRoot + `\` + folderName
	}
	return s.engine()
}

// storedSpec is the content of a file by its path in lower case.
func (h *Host) storedSpec(path string) (text []byte, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	text, ok = h.files.files[path]
	return text, ok
}

// below lists the files that lie in a folder.
func (s *specFiles) below(folder string) []string {
	prefix := strings.ToLower(folder) + `\`
	var list []string
	for path := range s.files {
		if name, ok := strings.CutPrefix(path, prefix); ok && !strings.Contains(name, `\`) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// elsewhere is the path of a file of this name in another folder than the engine's; "" for none.
func (s *specFiles) elsewhere(name string) string {
	var list []string
	for path := range s.files {
		if strings.HasSuffix(path, `\`+strings.ToLower(name)) && path != pathBelow(s.engine(), name) {
			list = append(list, path)
		}
	}
	slices.Sort(list)
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// pathBelow joins a folder and a relative name as Windows cleans paths, in lower case.
func pathBelow(folder, name string) string {
	var parts []string
	for _, p := range strings.Split(folder+`\`+strings.ReplaceAll(name, "/", `\`), `\`) {
		switch {
		case p == "" || p == ".":
		case p == ".." && len(parts) > 1:
			parts = parts[:len(parts)-1]
		case p != "..":
			parts = append(parts, p)
		}
	}
	return strings.ToLower(strings.Join(parts, `\`))
}

// CredentialSpecFolder is where the engine of the host reads credential specs.
func (h *Host) CredentialSpecFolder() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.files.engine()
}

// CredentialSpecs lists the files that Get-CredentialSpec shows, which does not look into them.
func (h *Host) CredentialSpecs() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.files.below(h.files.modules())
}

// WriteCredentialSpec puts a file into the folder of the engine, as it is; nil removes it.
func (h *Host) WriteCredentialSpec(file string, text []byte) {
	h.mu.Lock()
	path := pathBelow(h.files.engine(), file)
	if text == nil {
		delete(h.files.files, path)
	} else {
		h.files.files[path] = slices.Clone(text)
	}
	h.files.folders[strings.ToLower(h.files.engine())] = true
	shown := h.files.engine() + `\` + file
	h.mu.Unlock()
	what := fmt.Sprintf("write %s, %d bytes", shown, len(text))
	if text == nil {
		what = "remove " + shown
	}
	h.d.event(Event{Op: opHost, From: h.Name(), Text: what})
}

// CopyCredentialSpec copies a credential spec of a host, from whichever folder it is in, into the folder of the engine of another host or of
// the same.
func (h *Host) CopyCredentialSpec(file string, to *Host) error {
	h.mu.Lock()
	text, ok := h.files.files[pathBelow(h.files.engine(), file)]
	if !ok {
		text, ok = h.files.files[h.files.elsewhere(file)]
	}
	h.mu.Unlock()
	if !ok {
		return fmt.Errorf("no credential spec %s on %s", file, h.Name())
	}
	to.WriteCredentialSpec(file, text)
	return nil
}

// StopEngine is Stop-Service docker: its containers end, and it answers nobody.
func (h *Host) StopEngine() {
	for _, c := range h.Containers() {
		c.Stop()
	}
	h.mu.Lock()
	h.files.stopped = true
	h.mu.Unlock()
	h.d.event(Event{Op: opHost, From: h.Name(), Text: "Stop-Service docker"})
}

// StartEngine is Start-Service docker. At its start the engine makes the folder of credential specs where there is none.
func (h *Host) StartEngine() {
	h.mu.Lock()
	h.files.stopped = false
	h.files.folders[strings.ToLower(h.files.engine())] = true
	h.mu.Unlock()
	h.d.event(Event{Op: opHost, From: h.Name(), Text: "Start-Service docker"})
}

// CopyModule copies the folder of the CredentialSpec module from another host, where Save-Module or Install-Module has put it.
func (h *Host) CopyModule(to *Host) error {
	h.mu.Lock()
	has := h.files.module
	h.mu.Unlock()
	if !has {
		return fmt.Errorf("%s does not have the module either", h.Name())
	}
	to.mu.Lock()
	to.files.module = true
	to.mu.Unlock()
	to.d.event(Event{Op: opHost, From: to.Name(), Text: `copy the module CredentialSpec from ` + h.Name()})
	return nil
}

// errNoEngine is what the docker command says when the service does not run.
var errNoEngine = fmt.Errorf("docker: error during connect: open //./pipe/docker_engine: The system cannot find the file specified")

// nearestFile is the file of the engine's folder that is likest to a name.
func (h *Host) nearestFile(name string) string {
	h.mu.Lock()
	names := h.files.below(h.files.engine())
	h.mu.Unlock()
	return diag.Nearest(name, names)
}
