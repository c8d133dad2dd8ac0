package setup

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// Read reads the files of a set. It never fails as a whole: what cannot be read is in [Document.Err] and [Document.Faults].
func Read(files []*source.File) *Setup {
	s := &Setup{}
	for _, f := range files {
		s.Add(f, nil)
	}
	s.Link()
	return s
}

// Add reads one more file of a set; [Setup.Link] has to follow the last. keep is asked what was found in it, and where it answers no, the set
// forgets the file: of ten thousand manifests, few may be about credential specs. nil keeps all.
func (s *Setup) Add(f *source.File, keep func([]*Document, []*Use) bool) bool {
	if _, side := SideOf(f.Name); side {
		s.Files = append(s.Files, f)
		return true
	}
	docs, uses, pods, tasks := len(s.Documents), len(s.Uses), len(s.Pods), len(s.Tasks)
	for _, d := range documents(f) {
		if d.Broken() {
			s.Documents = append(s.Documents, d)
			continue
		}
		s.Documents = append(s.Documents, kubernetesDocuments(d)...)
	}
	for _, d := range s.Documents[docs:] {
		if read, ok := readers[d.Form]; ok && d.Root != nil && !d.Broken() {
			read(s, d)
		}
	}
	if keep != nil && !keep(s.Documents[docs:], s.Uses[uses:]) {
		clear(s.Documents[docs:])
		clear(s.Uses[uses:])
		clear(s.Pods[pods:])
		clear(s.Tasks[tasks:])
		s.Documents, s.Uses, s.Pods, s.Tasks = s.Documents[:docs], s.Uses[:uses], s.Pods[:pods], s.Tasks[:tasks]
		s.leave(f)
		return false
	}
	if keep != nil { // what stands beside it in the file and says nothing of identities
		s.Documents = append(s.Documents[:docs], slices.DeleteFunc(s.Documents[docs:], func(d *Document) bool {
			return d.Form == FormKubernetes && d.Err == nil && silentKinds[d.Root.Get("kind").String()]
		})...)
	}
	s.Files = append(s.Files, f)
	return true
}

// Link gives each use the document that it names, when it is among the set.
func (s *Setup) Link() {
	s.index()
	s.extendAcross()
	s.linkFabric()
	s.link()
}

// SideFile is the name of the file beside another one that lists what shall not be reported of it: JSON has no comments.
func SideFile(name string) string {
	dir, base := splitPath(name)
	return dir + "." + base + ".lint"
}

// SideOf is the file that a side file is about; ok is false for other files.
func SideOf(name string) (of string, ok bool) {
	dir, base := splitPath(name)
	of, dotted := strings.CutPrefix(base, ".")
	of, lint := strings.CutSuffix(of, ".lint")
	return dir + of, dotted && lint && of != ""
}

func splitPath(name string) (dir, base string) {
	i := strings.LastIndexAny(name, `/\`) + 1
	return name[:i], name[i:]
}

// Language is the notation that a file is read in: json, yaml, xml, hcl or shell.
func Language(f *source.File) string { return language(f) }

// readers find the uses in a document of a form.
var readers = map[Form]func(*Setup, *Document){
	FormDockerArgs:    (*Setup).readDockerArguments,
	FormContainer:     (*Setup).readContainer,
	FormCompose:       (*Setup).readCompose,
	FormSwarmConfig:   (*Setup).readSwarmConfig,
	FormSwarmService:  (*Setup).readSwarmService,
	FormKubernetes:    (*Setup).readKubernetes,
	FormECS:           (*Setup).readECS,
	FormServiceFabric: (*Setup).readServiceFabric,
	FormNomad:         (*Setup).readNomad,
	FormOCI:           (*Setup).readOCI,
	FormTerraform:     (*Setup).readTerraform,
}

// documents reads a file by the language that its name promises, or its first letter when it promises none.
func documents(f *source.File) []*Document {
	switch language(f) {
	case "xml":
		return xmlDocuments(f)
	case "hcl":
		return hclDocuments(f)
	case "yaml":
		return yamlDocuments(f)
	case "shell":
		return shellDocuments(f)
	}
	return jsonDocuments(f)
}

// language is the notation of a file.
func language(f *source.File) string {
	switch strings.ToLower(path.Ext(strings.ReplaceAll(f.Name, `\`, "/"))) {
	case ".json", ".jsonl", ".tpl":
		return "json"
	case ".yaml", ".yml":
		return "yaml"
	case ".xml":
		return "xml"
	case ".hcl", ".nomad", ".tf":
		return "hcl"
	case ".sh", ".bash", ".ps1", ".cmd", ".bat", ".psm1":
		return "shell"
	}
	switch text := bytes.TrimSpace(f.Data); {
	case len(text) == 0 || text[0] == '{' || text[0] == '[':
		return "json"
	case text[0] == '<':
		return "xml"
	case bytes.HasPrefix(text, []byte("docker ")), bytes.HasPrefix(text, []byte("#!")), bytes.HasPrefix(text, []byte("sudo docker ")):
		return "shell"
	}
	return "yaml"
}

func jsonDocuments(f *source.File) []*Document {
	root, faults := source.ParseJSON(f)
	d := &Document{File: f, Root: root, Faults: faults, Form: recognise(root)}
	if d.Form == FormUnknown && looksLikeSpec(f) {
		d.Form = FormCredentialSpec
	}
	if d.Form == FormCredentialSpec {
		d.Spec = &credspec.Document{File: f, Root: root, Faults: faults}
	}
	return []*Document{d}
}

// looksLikeSpec tells whether a text that could not be read to its end, or holds nothing, was to be a credential spec: it has a section's
// name, or is empty where a JSON file belongs.
func looksLikeSpec(f *source.File) bool {
	text := bytes.ToLower(f.Data)
	for _, key := range []string{credspec.KeyPlugins, credspec.KeyDomainJoin, credspec.KeyActiveDirectory} {
		if bytes.Contains(text, []byte(`"`+strings.ToLower(key)+`"`)) {
			return true
		}
	}
	switch string(bytes.TrimSpace(text)) {
	case "", "null", "{}", "[]":
		return true
	}
	return beginsSpec(text)
}

// beginsSpec tells whether a lower-case text ends inside its first key, and that could have become a section's name.
func beginsSpec(text []byte) bool {
	rest, ok := bytes.CutPrefix(bytes.TrimSpace(text), []byte("{"))
	if rest = bytes.TrimSpace(rest); !ok || len(rest) == 0 {
		return ok
	}
	key, quoted := bytes.CutPrefix(rest, []byte(`"`))
	for _, name := range []string{credspec.KeyPlugins, credspec.KeyDomainJoin, credspec.KeyActiveDirectory} {
		if quoted && strings.HasPrefix(strings.ToLower(name), string(key)) {
			return true
		}
	}
	return false
}

func yamlDocuments(f *source.File) []*Document {
	roots, err := source.ParseYAML(f)
	var list []*Document
	for _, root := range roots {
		list = append(list, &Document{File: f, Root: root, Form: recognise(root)})
	}
	if err != nil {
		d := &Document{File: f, Err: err, Form: FormUnknown}
		if bytes.Contains(f.Data, []byte("apiVersion:")) {
			d.Form = FormKubernetes
		} else if bytes.Contains(f.Data, []byte("services:")) {
			d.Form = FormCompose
		}
		list = append(list, d)
	}
	for _, d := range list {
		switch d.Form {
		case FormCredentialSpec:
			d.Spec = credspec.OfNode(d.Root)
		case FormHelmValues:
			d.Spec = helmSpec(d.Root)
		}
	}
	return list
}

// recognise tells a document's form by its keys.
func recognise(root *source.Node) Form {
	has := func(keys ...string) bool {
		for _, m := range root.Map() {
			for _, key := range keys {
				if strings.EqualFold(m.Key.Text, key) {
					return true
				}
			}
		}
		return false
	}
	switch {
	case root == nil:
		return FormUnknown
	case isKubernetes(root):
		return FormKubernetes
	case has(credspec.KeyPlugins, credspec.KeyDomainJoin, credspec.KeyActiveDirectory):
		return FormCredentialSpec
	case isECS(root):
		return FormECS
	case isSwarmService(root):
		return FormSwarmService
	case isSwarmConfig(root):
		return FormSwarmConfig
	case isDockerArguments(root):
		return FormDockerArgs
	case isContainer(root):
		return FormContainer
	case isOCI(root):
		return FormOCI
	case isNomad(root):
		return FormNomad
	case isTerraform(root):
		return FormTerraform
	case isHelmValues(root):
		return FormHelmValues
	case isPluginSecret(root):
		return FormPluginSecret
	case isCcgVault(root):
		return FormCcgVault
	case root.Get("services").Map() != nil, isComposePart(root):
		return FormCompose
	case hasWindowsOptions(root):
		return FormKubernetes
	}
	return FormUnknown
}
