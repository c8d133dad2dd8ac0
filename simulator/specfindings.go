package simulator

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// findSpec finds out why the engine cannot load a credential spec.
func (d *Domain) findSpec(s *stepError, e *specError) *diag.Finding {
	h, ok := d.FindHost(s.logon.st.name)
	if !ok {
		return nil
	}
	folder := h.CredentialSpecFolder()
	f := &diag.Finding{
		Code:    diag.CredentialSpecMissing,
		Facts:   []diag.Fact{{Name: "option", Value: e.reference}, {Name: "folder", Value: folder}},
		SeenAs:  []string{e.text},
		Because: "the engine reads the file when it creates the container, by a flat name below this folder of this host",
	}
	h.mu.Lock()
	names := h.files.below(folder)
	h.mu.Unlock()
	base := baseName(e.file)
	near := base
	if !slices.Contains(names, near) {
		near = h.nearestFile(base)
	}
	again := func(file string) diag.Help {
		return diag.Help{Text: "give the option the name as it stands in the folder", Command: e.r.withSpec("file://" + file),
			Do: []string{"with: {securityOpts: [], " + strings.TrimPrefix(flowMap(arg{"credentialSpec", "file://" + file}), "{")}}
	}
	if near != "" && !strings.EqualFold(near, e.file) {
		f.Nearest = []diag.Near{{Wanted: e.file, Closest: near}}
	}
	switch e.fault {
	case badOption:
		f.Code, f.Mode = diag.SpecOption, "cs-bad-scheme"
		f.Because = "the engine takes credentialspec= with file://, registry:// or raw:// and a value, and knows no other security option"
		if strings.ContainsAny(e.reference, `"'`) {
			f.Mode = "cs-typo-swallowed"
			f.Because = "the quotes have come through the shell and are part of the option"
		}
		if _, value, ok := strings.Cut(e.reference, "="); near == "" {
			if !ok {
				value = e.reference
			}
			near = h.nearestFile(baseName(value))
		}
	case badPath:
		f.Code, f.Mode = diag.SpecPath, "cs-path-traversal"
		if strings.HasSuffix(e.text, "absolute") {
			f.Mode = "cs-absolute-path"
		}
		f.Because = "file:// takes a name below the engine's folder, and nothing else"
	case badDocument:
		return d.findDocument(h, e, f)
	default:
		return d.findFile(h, e, f, near, again)
	}
	if near != "" {
		f.Help = []diag.Help{again(near)}
	}
	return f
}

// baseName is the last part of a path, without quotes.
func baseName(path string) string {
	path = strings.ToLower(strings.ReplaceAll(strings.Trim(path, `"'`), "/", `\`))
	return strings.Trim(path[strings.LastIndexByte(path, '\\')+1:], `"'`)
}

// findFile finds out where the file is that is not in the folder.
func (d *Domain) findFile(h *Host, e *specError, f *diag.Finding, near string, again func(string) diag.Help) *diag.Finding {
	name := strings.ToLower(strings.ReplaceAll(e.file, "/", `\`))
	h.mu.Lock()
	names, elsewhere, module := h.files.below(h.files.engine()), h.files.elsewhere(name), h.files.modules()
	h.mu.Unlock()
	f.Facts = append(f.Facts, diag.Fact{Name: "files", Value: strings.Join(names, ", ")})
	f.Help = []diag.Help{{Text: "look what the file is called here", Command: "Get-CredentialSpec"}}
	trimmed := trimmedFile(strings.TrimSuffix(name, ".json"))
	other := d.hostWithSpec(h, name)
	switch {
	case strings.ContainsAny(name, `"'`):
		f.Mode = "cs-typo-swallowed"
		f.Because = "the quotes have come through the shell and are part of the name"
	case trimmed != name && slices.Contains(names, trimmed):
		f.Mode = "cs-trimend-bug"
		f.Because = `the module takes the characters j, s, o, n and . off the end of the name before it adds .json, so names that end in one of them are cut`
		f.Nearest = []diag.Near{{Wanted: name, Closest: trimmed, WhyNot: "written by New-CredentialSpec"}}
		near = trimmed
	case elsewhere != "":
		f.Mode = "cs-docker-root-moved"
		f.Facts = append(f.Facts, diag.Fact{Name: "lies in", Value: elsewhere}, diag.Fact{Name: "Get-CredentialSpec reads", Value: module})
		f.Because = "the engine has another data root than the module took when it wrote the file: docker info tells the root only while the engine runs"
		f.Nearest, near = nil, ""
		f.Help = append(f.Help, diag.Help{Text: "copy the file to the engine's folder, or make it again while the engine runs", Command: `docker info -f "{{.DockerRootDir}}"; copy ` + elsewhere + " " + h.CredentialSpecFolder(),
			Do: []string{flowStep("copyCredentialSpec", arg{"file", name}, arg{"from", h.Name()}, arg{"to", h.Name()})}})
	case other != nil:
		f.Mode = "cs-not-copied-everywhere"
		f.Facts = append(f.Facts, diag.Fact{Name: "on", Value: other.Name()})
		f.Because = "each host has its own folder, and the file has not come to this one"
		f.Nearest, near = nil, ""
		f.Help = append(f.Help, diag.Help{Text: "copy the file to every host, or make it there",
			Command: fmt.Sprintf(`copy \\%s\C$\ProgramData\docker\CredentialSpecs\%s %s`, other.Name(), name, h.CredentialSpecFolder()),
			Do:      []string{flowStep("copyCredentialSpec", arg{"file", name}, arg{"from", other.Name()}, arg{"to", h.Name()})}})
	default:
		f.Mode = "cs-not-found"
		if near == "" {
			account := d.likelyAccount(strings.TrimPrefix(baseName(name), strings.ToLower(h.dom.NetBIOSName)+"_"), h.firstDC())
			if account == "" {
				break
			}
			file := specFile(h.dom.NetBIOSName, account)
			do := []string{flowStep("newCredentialSpec", arg{"host", h.Name()}, arg{"account", account})}
			if file != name {
				do = append(do, again(file).Do...)
			}
			f.Help = append(f.Help, diag.Help{Text: "make the file, and give the option its name", Command: "New-CredentialSpec -AccountName " + account, Do: do})
		}
	}
	if near != "" {
		f.Help = append(f.Help, again(near))
	}
	return f
}

// hostWithSpec is another host of the domain with a file of this name; nil for none.
func (d *Domain) hostWithSpec(h *Host, name string) *Host {
	for _, o := range d.Hosts() {
		if _, has := o.ReadCredentialSpec(name); has && o != h {
			return o
		}
	}
	return nil
}

// findDocument finds out why Windows cannot read a document.
func (d *Domain) findDocument(h *Host, e *specError, f *diag.Finding) *diag.Finding {
	t, ok := errors.AsType[*specTextError](e.err)
	if !ok {
		return nil
	}
	f.Code, f.Mode, f.Nearest = diag.SpecUnreadable, "cs-invalid-json", nil
	f.SeenAs = append(f.SeenAs, "hcsshim::CreateComputeSystem …: winapi error #3489660941", "Microsoft-Windows-Containers-CCG/Admin, event 3")
	f.Because = "the engine passes the document on unread, and Windows wants one JSON document in plain UTF-8"
	f.Facts = []diag.Fact{{Name: "document", Value: e.path}, {Name: "problem", Value: t.Error()}}
	if e.path == "" {
		f.Facts[0].Value = "raw:// option"
	}
	if t.line > 0 && e.path != "" {
		f.At = []diag.Span{{File: e.path, Line: t.line, Column: t.column, Length: 1}}
	}
	switch {
	case t.encoding != "":
		f.Mode = "cs-bad-encoding"
		f.Facts = append(f.Facts, diag.Fact{Name: "encoding", Value: t.encoding})
		f.Because = "the file was written by something that chose the encoding itself, as Out-File and > of Windows PowerShell do; the module writes ASCII"
	case t.missing != "":
		f.Code, f.Mode = diag.SpecFieldMissing, ""
		f.Because = "without this field Windows does not know which computer the container is, and refuses the document"
	}
	account := d.accountOfFile(h, baseName(e.path))
	if account == "" {
		account = d.likelyAccount(accountIn(e.file), h.firstDC())
	}
	if account == "" {
		return f
	}
	file := specFile(h.dom.NetBIOSName, account)
	do := []string{flowStep("newCredentialSpec", arg{"host", h.Name()}, arg{"account", account})}
	if !strings.EqualFold(pathBelow(h.CredentialSpecFolder(), file), e.path) {
		do = append(do, "with: "+flowMap(arg{"credentialSpec", "file://" + file}))
	}
	f.Help = []diag.Help{{Text: "let the module write the file again", Command: "New-CredentialSpec -AccountName " + account, Do: do}}
	return f
}

// accountIn is the account that a document names, as far as that can be seen in a text that is not JSON.
func accountIn(text string) string {
	_, rest, _ := strings.Cut(text, `"MachineAccountName"`)
	_, rest, _ = strings.Cut(rest, `"`)
	name, _, _ := strings.Cut(rest, `"`)
	return name
}

// accountOfFile is the service account after which New-CredentialSpec would name a file; "" for none.
func (d *Domain) accountOfFile(h *Host, file string) string {
	for _, name := range d.serviceAccounts(h.firstDC()) {
		if strings.EqualFold(specFile(h.dom.NetBIOSName, name), file) || strings.EqualFold(h.dom.NetBIOSName+"_"+name+".json", file) {
			return name
		}
	}
	return ""
}

// serviceAccounts are the names of the service accounts on a DC, without $.
func (d *Domain) serviceAccounts(dc *DC) []string {
	var names []string
	for _, name := range d.principalNames(dc) {
		if d.isServiceAccount(name+"$", dc) {
			names = append(names, name)
		}
	}
	return names
}

// likelyAccount is the service account that a name stands for: without the domain and the $, or misspelt; "" for none.
func (d *Domain) likelyAccount(name string, dc *DC) string {
	if _, after, ok := strings.Cut(name, `\`); ok {
		name = after
	}
	name, _, _ = strings.Cut(name, "@")
	name, _, _ = strings.Cut(name, ".")
	name = strings.TrimRight(name, "$")
	if a, err := dc.replica.AccountByName(directory.Principal, name+"$"); err == nil && a.ServiceAccount {
		return strings.TrimSuffix(a.SAMAccountName, "$")
	}
	if name == "" {
		return ""
	}
	return diag.Nearest(name, d.serviceAccounts(dc))
}
