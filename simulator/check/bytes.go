package check

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// goReaders are the targets that read a credential spec with encoding/json.
var goReaders = []Target{ECSWindows, ECSLinux, Fargate, Fetcher2}

var bytesRules = []*Rule{
	{
		ID: "file-empty", Group: "bytes", Severity: Error, Needs: []How{Offline}, YieldsTo: []string{"k8s-inline-empty", "compose-config-empty"},
		Title:  "the credential spec says nothing",
		Why:    "The engine hands the text on without looking at it (moby daemon/oci_windows.go): with no bytes in it, the container starts as if no credential spec had been given. {} passes the admission webhook of Kubernetes, and Windows refuses to create the container with 0xC000000D.",
		Repair: "write it again with New-CredentialSpec",
		Bad:    "{}", Good: `{"CmsPlugins": ["ActiveDirectory"], "DomainJoinConfig": {…}, "ActiveDirectoryConfig": {…}}`,
		run: func(c *run) {
			for _, t := range c.texts() {
				if t.spec == nil || t.spec.Broken() && t.spec.Root != nil || t.spec.Root != nil && !t.spec.Root.IsEmpty() || !t.blank() {
					continue
				}
				switch root := t.spec.Root; {
				case root != nil:
					c.report(root, "the credential spec is %s", root.JSON())
				case t.spec.File.Size == 0:
					c.reportAt(t.spec.File.Span(0, 0), "the file has no bytes")
				default:
					c.reportAt(t.spec.File.Span(0, len(t.spec.File.Data)), "the file has nothing but white space")
				}
			}
			for _, d := range c.setup.Documents {
				if body := d.Root.Get(setup.KeyBody); d.Form == setup.FormKubernetes && d.Root.Get("kind").String() == setup.KindGMSACredentialSpec && body != nil && body.IsEmpty() {
					c.report(body, "the credential spec is %s", body.JSON())
				}
			}
		},
	},
	{
		ID: "json-bom", Group: "bytes", Severity: Warning, Depends: "an error for ecs-windows, ecs-linux, fargate and cf2", Needs: []How{Offline},
		Title:  "the file begins with a byte order mark",
		Why:    "RFC 8259, section 8.1, forbids the mark, and readers written in Go (the ECS agent, credentials-fetcher 2) refuse it. The CredentialSpec module writes ASCII.",
		Repair: "save it as UTF-8 without a byte order mark: Out-File -Encoding ascii, in PowerShell 7 utf8NoBOM",
		Bad:    "EF BB BF 7B …", Good: "7B …",
		run: func(c *run) {
			for _, t := range c.texts() {
				if t.file.Encoding == source.UTF8BOM {
					r := c.reportAt(t.file.Span(0, 0), "the file begins with the bytes EF BB BF, the mark of UTF-8")
					r.Fix = append(r.Fix, t.file.Reencode())
					if c.targetsOf(t.spec, goReaders...) {
						r.Severity, r.Consumer = Error, "invalid character 'ï' looking for beginning of value"
					}
				}
			}
		},
	},
	{
		ID: "json-utf16", Group: "bytes", Severity: Error, Needs: []How{Offline},
		Title:  "the file is in UTF-16",
		Why:    "JSON that leaves its program is UTF-8 (RFC 8259, section 8.1). In Windows PowerShell, > and Out-File write UTF-16 unless they are told otherwise.",
		Repair: "write it with Out-File -Encoding ascii",
		Bad:    "Get-Content a.json > b.json", Good: "Get-Content a.json | Out-File -Encoding ascii b.json",
		run: func(c *run) {
			for _, t := range c.texts() {
				if t.file.Encoding == source.UTF16LE || t.file.Encoding == source.UTF16BE {
					r := c.reportAt(t.file.Span(0, 0), "the file is in %s", t.file.Encoding)
					if _, ok := t.file.Edit(0, 0, ""); ok {
						r.Fix = append(r.Fix, t.file.Reencode())
					}
					if c.targetsOf(t.spec, goReaders...) {
						r.Consumer = map[string]string{source.UTF16LE: "invalid character 'ÿ' looking for beginning of value", source.UTF16BE: "invalid character 'þ' looking for beginning of value"}[t.file.Encoding]
					}
				}
			}
		},
	},
	{
		ID: "json-syntax", Group: "bytes", Severity: Error, Needs: []How{Offline}, YieldsTo: []string{"k8s-inline-syntax", "docker-raw-quotes", "placeholder-value"},
		Title:  "the document is not JSON",
		Why:    "What is not JSON by RFC 8259 is refused by every reader of credential specs but credentials-fetcher 1, which takes what stands before the mistake and says nothing.",
		Repair: "put it right at this place; strings need double quotes, and a double quote or a backslash in one needs a backslash before it",
		Bad:    `"Guid": 3f7a2c51-8d64-4b0e-9a17-c2d5e8f01b36,`, Good: `"Guid": "3f7a2c51-8d64-4b0e-9a17-c2d5e8f01b36",`,
		run: func(c *run) { c.faults(source.Syntax, nil) },
	},
	{
		ID: "json-comment", Group: "bytes", Severity: Error, Needs: []How{Offline}, YieldsTo: []string{"k8s-inline-syntax"},
		Title:  "JSON has no comments",
		Why:    "RFC 8259 knows none, and encoding/json, which the ECS agent and credentials-fetcher 2 read with, stops at one. Only credentials-fetcher 1 skips it.",
		Repair: "remove it",
		Bad:    `"PortableCcgVersion": "1" // always`, Good: `"PortableCcgVersion": "1"`,
		run: func(c *run) {
			c.faults(source.Comment, func(r *Report, f source.Fault) {
				r.Message = fmt.Sprintf("%s is a comment, which JSON does not have", firstWords(f.File.Data[f.Start:f.End]))
				data := f.File.Data
				start, end := f.Start, f.End
				for start > 0 && (data[start-1] == ' ' || data[start-1] == '\t') {
					start--
				}
				if start == 0 || data[start-1] == '\n' || data[start-1] == '\r' { // a line of its own
					for _, eol := range []string{"\r\n", "\n", "\r"} {
						if bytes.HasPrefix(data[end:], []byte(eol)) {
							end += len(eol)
							break
						}
					}
				}
				c.edit(r, f.File, start, end, "")
			})
		},
	},
	{
		ID: "json-trailing-comma", Group: "bytes", Severity: Error, Needs: []How{Offline}, YieldsTo: []string{"k8s-inline-syntax"},
		Title:  "a comma stands before the end of an object or array",
		Why:    "RFC 8259 has commas between values only, and encoding/json refuses one before } or ].",
		Repair: "remove the comma",
		Bad:    `"CmsPlugins": ["ActiveDirectory",]`, Good: `"CmsPlugins": ["ActiveDirectory"]`,
		run: func(c *run) {
			c.faults(source.TrailingComma, func(r *Report, f source.Fault) { c.edit(r, f.File, f.Start, f.End, "") })
		},
	},
	{
		ID: "json-trailing-data", Group: "bytes", Severity: Error, Needs: []How{Offline}, YieldsTo: []string{"k8s-inline-syntax"},
		Title:  "something follows the document",
		Why:    "A file is one credential spec. encoding/json refuses what comes after the last bracket; credentials-fetcher 1 does not look at it.",
		Repair: "keep one document in a file",
		Bad:    "{…}\n{…}", Good: "{…}",
		run: func(c *run) {
			c.faults(source.TrailingData, func(r *Report, f source.Fault) {
				end := f.Start + len(bytes.SplitN(f.File.Data[f.Start:], []byte("\n"), 2)[0])
				r.Where = f.File.Span(f.Start, end)
				r.Message = fmt.Sprintf("the document ends before %s", firstWords(f.File.Data[f.Start:end]))
			})
		},
	},
	{
		ID: "json-truncated", Group: "bytes", Severity: Error, Needs: []How{Offline}, YieldsTo: []string{"k8s-inline-syntax", "file-empty"},
		Title:  "the document ends too early",
		Why:    "A copy or a download stopped, or a bracket is missing. credentials-fetcher 1 uses what it has read up to there; the others refuse the file.",
		Repair: "copy the file again, or close what is open",
		Bad:    `{"CmsPlugins": ["Act`, Good: `{"CmsPlugins": ["ActiveDirectory"], …}`,
		run: func(c *run) { c.faults(source.Truncated, nil) },
	},
	{
		ID: "json-duplicate-key", Group: "bytes", Severity: Error, Depends: "a warning for keys that differ in case", Needs: []How{Offline},
		Title:  "a key stands twice in one object",
		Why:    "Which of the two counts is left open by RFC 8259, section 4, and readers differ: maps and jsoncpp take the last, Go's structs take both when the letters' case differs, strict readers of YAML refuse the file.",
		Repair: "keep one of them",
		Bad:    `"DnsName": "corp.example", "DnsName": "lab.example"`, Good: `"DnsName": "corp.example"`,
		run: func(c *run) {
			for _, t := range c.texts() {
				if t.broken() {
					continue // a part of it has been read
				}
				t.root.Walk(func(_ []string, n *source.Node) bool {
					c.duplicates(n, nil)
					return true
				})
			}
			for _, d := range c.specs() {
				walkShape(place{"", d.Root, specShape, d}, func(p place) {
					c.duplicates(p.node, p.of)
				})
			}
		},
	},
	{
		ID: "json-key-case", Group: "bytes", Severity: Error, Needs: []How{Offline},
		Title:  "a key has other capital letters than it should",
		Why:    "The CRD of Kubernetes drops the member without a word, and readers with maps (the ECS agent on Windows, credentials-fetcher) do not find it. Readers with Go structs take it all the same, so that the file works in one place and not in the next.",
		Repair: "write the key as the module does",
		Bad:    `"dnsName": "corp.example"`, Good: `"DnsName": "corp.example"`,
		run: func(c *run) {
			c.eachPlace(func(p place) {
				for _, m := range p.node.Map() {
					known, exact := p.of.keyOf(m.Key.Text)
					if known == nil || exact || p.node.Key(known.key) != nil {
						continue
					}
					c.report(m.Key, "the key %q has to be %q", m.Key.Text, known.key).replace(m.Key, known.key)
				}
			})
		},
	},
	{
		ID: "json-unknown-field", Group: "bytes", Severity: Warning, Depends: "an error when it looks like a known key that is missing", Needs: []How{Offline}, YieldsTo: []string{"hac-misplaced", "k8s-cr-pruned-field"},
		Title:  "a key that no reader of credential specs knows",
		Why:    "The CRD of Kubernetes drops it without a word (windows-gmsa, gmsa-crd.yml), and the others ignore it: what it was to say is not said.",
		Repair: "correct the key, or remove it",
		Bad:    `"PortableCcgPlugin": "1"`, Good: `"PortableCcgVersion": "1"`,
		run: func(c *run) {
			c.eachPlace(func(p place) {
				for _, m := range p.node.Map() {
					if known, _ := p.of.keyOf(m.Key.Text); known != nil || len(p.of.members) == 0 {
						continue
					}
					where := "a credential spec"
					if p.name != "" {
						where = lastPart(p.name)
					}
					r := c.report(m.Key, "%s has no member %q", where, m.Key.Text)
					if near := nearMissing(p.node, p.of, m.Key.Text); near != "" {
						r.Severity = Error
						r.Message += fmt.Sprintf("; %q is missing", near)
						r.Repair = fmt.Sprintf("is %q meant?", near)
					} else if section := sectionWith(specShape, "", m.Key.Text); section != "" {
						r.Message += "; it belongs into " + section
						r.Repair = "move it there"
					}
				}
			})
		},
	},
	{
		ID: "json-wrong-type", Group: "bytes", Severity: Error, Needs: []How{Offline}, YieldsTo: []string{"k8s-cr-string-body", "k8s-inline-syntax"},
		Title:  "a value has another JSON type than it should",
		Why:    "The API server refuses a GMSACredentialSpec with it (windows-gmsa, gmsa-crd.yml), encoding/json refuses it for the ECS agent on Linux, and maps do not find a text in it.",
		Repair: "give it the type that the module writes",
		Bad:    `"CmsPlugins": "ActiveDirectory"`, Good: `"CmsPlugins": ["ActiveDirectory"]`,
		run: func(c *run) {
			for _, d := range c.documents() {
				if d.Root != nil && !d.Broken() && d.Root.Kind != source.Object && !d.Root.IsEmpty() {
					c.report(d.Root, "the credential spec is %s, and has to be an object", article(d.Root.Kind))
				}
			}
			c.eachPlace(c.wrongType)
		},
	},
	{
		ID: "json-yaml-scalar", Group: "bytes", Severity: Error, Depends: "a warning for dates", Needs: []How{Offline}, Targets: []Target{TargetK8s}, YieldsTo: []string{"helm-unquoted"},
		Title:  "YAML takes a text for something else",
		Why:    "Readers of manifests follow YAML 1.1 (https://yaml.org/type/): NO is false there, 0123 a number. The CRD wants strings, so the API server refuses the object.",
		Repair: "put the value in quotes",
		Bad:    "NetBiosName: NO", Good: `NetBiosName: "NO"`,
		run: func(c *run) {
			c.eachPlace(func(p place) {
				n := p.node
				if p.of.kind != source.String || !isYAML(n) || n.Style != source.Plain || n.Kind == source.Object || n.Kind == source.Array || n.Text == "" {
					return
				}
				kind := n.Kind
				if kind == source.String {
					kind = source.YAML11(n.Text)
				}
				var r *Report
				switch {
				case kind != source.String:
					r = c.report(n, "%s is %s to readers of YAML, and %s has to be a string", n.Text, article(kind), lastPart(p.name))
				case source.IsYAMLDate(n.Text):
					r = c.report(n, "%s is a date to some readers of YAML, and %s has to be a string", n.Text, lastPart(p.name))
					r.Severity = Warning
				default:
					return
				}
				if e, ok := n.Rewrite(`"` + n.Text + `"`); ok {
					r.Fix = append(r.Fix, e)
				}
			})
		},
	},
	{
		ID: "json-non-ascii", Group: "bytes", Severity: Warning, Needs: []How{Offline, InDirectory}, YieldsTo: []string{"json-hidden-char", "placeholder-value", "account-invalid-chars"},
		Title:  "a value has letters outside of ASCII",
		Why:    "The CredentialSpec module writes its file with Set-Content -Encoding Ascii, which turns every other letter into a question mark; a file that has such letters was not written by it, and one with question marks has lost them.",
		Repair: "use account and domain names of ASCII letters",
		Bad:    `"Name": "büro01"`, Good: `"Name": "buero01"`,
		run: func(c *run) {
			told := map[string]*credspec.Document{}
			c.eachString(func(p place) {
				if told[p.node.Text] == p.spec {
					return // the same name in another place
				}
				told[p.node.Text] = p.spec
				isName := strings.HasSuffix(p.name, "Name") && !strings.HasSuffix(p.name, "Config.DnsName")
				for i, r := range p.node.Text {
					switch {
					case r == utf8.RuneError && !strings.Contains(string(p.node.File.Data[p.node.Start:p.node.End]), "\uFFFD"):
						c.report(p.node, "%s is not UTF-8", lastPart(p.name))
						return
					case r >= utf8.RuneSelf && !hidden(r):
						c.report(p.node, "%s has the letter %q", lastPart(p.name), r)
						return
					case r == '?' && isName && i > 0:
						c.report(p.node, "%s has a question mark: the module writes one for every letter outside of ASCII", lastPart(p.name))
						return
					}
				}
			})
		},
	},
	{
		ID: "json-hidden-char", Group: "bytes", Severity: Error, Needs: []How{Offline}, YieldsTo: []string{"placeholder-value"},
		Title:  "a value has a character that nobody sees",
		Why:    "Names and identifiers are compared as they stand; a no-break space, a zero-width character or a curly quote comes along with text that is copied from a web page or a mail.",
		Repair: "type the value again",
		Bad:    `"DnsName": "corp.example\u200b"`, Good: `"DnsName": "corp.example"`,
		run: func(c *run) {
			c.eachPlace(func(p place) {
				n := p.node
				if p.of.kind != source.String || n.Kind != source.String {
					return
				}
				text := strings.Trim(n.Text, blanks)
				if p.of.any {
					text = strings.Map(func(r rune) rune {
						if strings.ContainsRune(blanks, r) {
							return -1
						}
						return r
					}, text)
				}
				i := strings.IndexFunc(text, hidden)
				if i < 0 {
					return
				}
				bad, _ := utf8.DecodeRuneInString(text[i:])
				r := c.report(n, "%s has the character U+%04X (%s)", lastPart(p.name), bad, hiddenName(bad))
				if clean, ok := withoutHidden(n.Text); ok && clean != "" {
					r.replace(n, clean)
				}
			})
		},
	},
	{
		ID: "value-whitespace", Group: "bytes", Severity: Error, Needs: []How{Offline}, YieldsTo: []string{"placeholder-value"},
		Title:  "a value has blanks around it",
		Why:    "No reader trims: the name with the blank is looked up, and there is none like it.",
		Repair: "remove the blanks",
		Bad:    `"Name": "webapp "`, Good: `"Name": "webapp"`,
		run: func(c *run) {
			c.eachString(func(p place) {
				trimmed := strings.Trim(p.node.Text, blanks)
				if trimmed == p.node.Text {
					return
				}
				if trimmed == "" {
					c.report(p.node, "%s has nothing but blanks", lastPart(p.name))
					return
				}
				side := "ends in"
				if strings.TrimLeft(p.node.Text, blanks) != p.node.Text {
					side = "begins with"
				}
				c.report(p.node, "%s %s a blank: %q", lastPart(p.name), side, p.node.Text).replace(p.node, trimmed)
			})
		},
	},
	{
		ID: "file-too-large", Group: "bytes", Severity: Error, Depends: "a warning for docker's raw://", Needs: []How{Offline, CrossFile}, Targets: []Target{TargetDocker, TargetSwarm, TargetStack, TargetK8s, Fetcher1}, YieldsTo: []string{"k8s-inline-too-large", "compose-config-empty"},
		Title:  "the credential spec is too long for what carries it",
		Why:    "A pod's gmsaCredentialSpec has 65,536 bytes at most (Kubernetes, pod validation), a swarm config fewer than 1,024,000 (moby swarmkit), an object of S3 that credentials-fetcher 1 reads 4,000, a command line of Windows 32,767 characters (CreateProcessW).",
		Repair: "leave out additional accounts, or choose another carrier",
		Bad:    "a GMSACredentialSpec with a thousand accounts", Good: "one with the accounts that the container uses",
		run: tooLarge,
	},
	{
		ID: "file-name-trimmed", Group: "bytes", Severity: Warning, Needs: []How{Offline, InDirectory},
		Title:  "the file's name lacks letters of the account's",
		Why:    "The CredentialSpec module cuts the ending .json off with TrimEnd, which takes a set of characters: a name that ends in j, s, o, n or a dot loses these letters (Virtualization-Documentation issue 1222). Whoever refers to the file by the account's name does not find it.",
		Repair: "refer to the file by the name that it has, or write it with -Name",
		Bad:    "corp_job.json for the account jobs", Good: "corp_jobs.json",
		run: func(c *run) {
			for _, d := range c.specs() {
				if d.File.Outer() != nil || d.Wrapped {
					continue
				}
				j := d.Get(credspec.KeyDomainJoin)
				whole := strings.ToLower(j.Get("NetBiosName").String() + "_" + strings.TrimSuffix(j.Get("MachineAccountName").String(), "$"))
				name, isJSON := strings.CutSuffix(strings.ToLower(baseName(d.File.Name)), ".json")
				if isJSON && j.Get("MachineAccountName").String() != "" && name != whole && name == strings.TrimRight(whole, ".json") {
					c.report(j.Get("MachineAccountName"), "the file is called %s.json, and the account %s", name, j.Get("MachineAccountName").Text)
				}
			}
		},
	},
}

const blanks = " \t\r\n"

// text is a JSON document that a rule about bytes looks at.
type text struct {
	file   *source.File
	root   *source.Node
	faults []source.Fault
	spec   *credspec.Document // nil when the document is none
}

// blank tells whether the text holds nothing: it is not one that ends too early.
func (t *text) blank() bool {
	return t.root != nil || len(bytes.TrimSpace(t.file.Data)) == 0
}

// broken tells whether reading ended before the text did.
func (t *text) broken() bool {
	return slices.ContainsFunc(t.faults, func(f source.Fault) bool { return f.Kind == source.Syntax || f.Kind == source.Truncated })
}

// texts are the set's credential specs and the other JSON documents whose form is known, each once.
func (c *run) texts() []text {
	if c.shared.knownTexts {
		return c.shared.texts
	}
	seen := map[*source.File]bool{}
	for _, d := range c.setup.Documents {
		if setup.Language(d.File) != "json" || d.Form == setup.FormUnknown || d.Form == setup.FormCredentialSpec && !c.meant(d) || seen[d.File] {
			continue
		}
		seen[d.File] = true
		t := text{file: d.File, root: d.Root, faults: d.Faults}
		if d.Form == setup.FormCredentialSpec {
			t.spec = d.Spec
		}
		c.shared.texts = append(c.shared.texts, t)
	}
	for _, d := range c.documents() {
		if d.File.Outer() != nil && !d.Wrapped && !seen[d.File] {
			seen[d.File] = true
			c.shared.texts = append(c.shared.texts, text{file: d.File, root: d.Root, faults: d.Faults, spec: d})
		}
	}
	c.shared.knownTexts = true
	return c.shared.texts
}

// documents are all credential specs, also those that could not be read, each once.
func (c *run) documents() []*credspec.Document {
	var list []*credspec.Document
	seen := map[*credspec.Document]bool{}
	add := func(d *credspec.Document) {
		if d != nil && !seen[d] {
			seen[d] = true
			list = append(list, d)
		}
	}
	for _, d := range c.setup.Documents {
		add(d.Spec)
	}
	for _, u := range c.setup.Uses {
		add(u.Spec)
	}
	return list
}

// meant tells whether a JSON file that was taken for a credential spec is meant to be one. Any file may be empty or {}; it is about credential
// specs when it has one of their keys, when it is all that was given, when something refers to it, or when its folder has others.
func (c *run) meant(d *setup.Document) bool {
	if has(d.Root, credspec.KeyPlugins) || has(d.Root, credspec.KeyDomainJoin) || has(d.Root, credspec.KeyActiveDirectory) || len(c.setup.Files) == 1 {
		return true
	}
	if bytes.Contains(d.File.Data, []byte(credspec.KeyDomainJoin)) || bytes.Contains(d.File.Data, []byte(credspec.KeyPlugins)) {
		return true
	}
	for _, u := range c.setup.Uses {
		if u.Spec == d.Spec {
			return true
		}
	}
	folder := folderOf(d.File.Name)
	if strings.EqualFold(baseName(folder), "CredentialSpecs") {
		return true
	}
	if c.shared.specFolders == nil {
		c.shared.specFolders = map[string]bool{}
		for _, o := range c.setup.Documents {
			if o.Form == setup.FormCredentialSpec && !o.Root.IsEmpty() {
				c.shared.specFolders[folderOf(o.File.Name)] = true
			}
		}
	}
	return c.shared.specFolders[folder]
}

func baseName(name string) string { return name[strings.LastIndexAny(name, `/\`)+1:] }

func folderOf(name string) string {
	return strings.TrimRight(name[:len(name)-len(baseName(name))], `/\`)
}

// faults reports the faults of a kind.
func (c *run) faults(kind source.FaultKind, more func(*Report, source.Fault)) {
	for _, t := range c.texts() {
		if kind == source.Truncated && len(bytes.TrimSpace(t.file.Data)) == 0 {
			continue // file-empty
		}
		consumer := ""
		if c.targetsOf(t.spec, goReaders...) {
			var v any
			if err := json.Unmarshal(t.file.Data, &v); err != nil {
				consumer = err.Error()
			}
		}
		for _, f := range t.faults {
			if f.Kind == kind {
				r := c.reportAt(f.Span(), "%s", f.Text)
				r.Consumer, consumer = consumer, "" // a reader stops at the first
				if more != nil {
					more(r, f)
				}
			}
		}
	}
}

// edit adds an edit to a report's fix when its place is known to the byte.
func (c *run) edit(r *Report, f *source.File, start, end int, text string) {
	if e, ok := f.Edit(start, end, text); ok {
		r.Fix = append(r.Fix, e)
	}
}

// firstWords is the beginning of a text for a message.
func firstWords(b []byte) string {
	text := []rune(strings.TrimSpace(strings.ToValidUTF8(string(b), "\uFFFD")))
	if i := strings.IndexByte(string(text), '\n'); i >= 0 {
		text = []rune(strings.TrimSpace(string(text)[:i]))
	}
	if len(text) > 24 {
		text = append(text[:24], '…')
	}
	return string(text)
}

// duplicates reports the keys of an object that stand twice. With a shape, it is about the known keys that differ in case.
func (c *run) duplicates(n *source.Node, of *shape) {
	if len(n.Map()) < 2 {
		return
	}
	first := map[string]source.Member{}
	for i, m := range n.Map() {
		key := m.Key.Text
		if of != nil {
			known, _ := of.keyOf(key)
			if known == nil {
				continue
			}
			key = known.key
		}
		before, twice := first[key]
		if !twice {
			first[key] = m
			continue
		}
		switch {
		case of == nil || isYAML(n) && before.Key.Text == m.Key.Text:
			r := c.report(m.Key, "%q stands twice in this object", m.Key.Text)
			r.related(before.Key, "the first one")
			if source.Equal(before.Value, m.Value) {
				if edits, ok := n.RemoveMembers(i); ok {
					r.Fix = append(r.Fix, edits...)
				}
			} else {
				r.Message += " with different values"
			}
		case before.Key.Text != m.Key.Text:
			r := c.report(m.Key, "%q and %q are one key to some readers", before.Key.Text, m.Key.Text)
			r.Severity = Warning
			r.related(before.Key, "the first one")
		}
	}
}

// nearMissing is the known key that an unknown one looks like, if the object lacks it.
func nearMissing(n *source.Node, of *shape, key string) string {
	best, least := "", 3
	for _, m := range of.members {
		if has(n, m.key) {
			continue
		}
		if d := diag.Distance(m.key, key); d < least {
			best, least = m.key, d
		} else if best == "" && len(key) >= 8 && len(m.key) >= 8 && strings.EqualFold(m.key[:8], key[:8]) {
			best = m.key
		}
	}
	return best
}

// sectionWith is the section that has a key.
func sectionWith(s *shape, name, key string) string {
	for _, m := range s.members {
		if m.key == key {
			return name
		}
		in := m.of
		if in.item != nil {
			in = in.item
		}
		if found := sectionWith(in, m.key, key); found != "" {
			return found
		}
	}
	return ""
}

// lastPart is a path without the sections before the last one's key.
func lastPart(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 && !strings.Contains(name[:i], "[") {
		return name[i+1:]
	}
	return name
}

// article is a kind with its article.
func article(k source.Kind) string {
	switch k {
	case source.Null:
		return "null"
	case source.Array, source.Object:
		return "an " + k.String()
	}
	return "a " + k.String()
}

// wrongType reports a value of another type than its shape.
func (c *run) wrongType(p place) {
	n := p.node
	if p.name == "" || n.Kind == p.of.kind || n.Kind == source.Null || p.of.any && n.Kind == source.Object {
		return
	}
	if p.of.kind == source.String && isYAML(n) && (n.Kind == source.Number || n.Kind == source.Bool) {
		return // json-yaml-scalar
	}
	r := c.report(n, "%s is %s, and has to be %s", lastPart(p.name), article(n.Kind), article(p.of.kind))
	raw := string(n.File.Data[n.Start:n.End])
	switch {
	case p.of.kind == source.Array && n.Kind == p.of.item.kind && (n.Kind == source.String && n.Text != "" || strings.HasPrefix(raw, "{")) && !strings.Contains(raw, "\n"):
		c.edit(r, n.File, n.Start, n.End, "["+raw+"]")
	case p.of.kind == source.String && (n.Kind == source.Number || n.Kind == source.Bool):
		c.edit(r, n.File, n.Start, n.End, `"`+raw+`"`)
	}
}

// hidden tells whether a character is one that nobody sees, or takes for another.
func hidden(r rune) bool { return hiddenName(r) != "" }

func hiddenName(r rune) string {
	switch {
	case r == '\u00a0' || r == '\u202f' || r == '\u2007':
		return "no-break space"
	case r == '\u00ad':
		return "soft hyphen"
	case r >= '\u200b' && r <= '\u200f' || r == '\u2060' || r == '\ufeff' || r >= '\u202a' && r <= '\u202e':
		return "zero-width character"
	case r >= '\u2018' && r <= '\u201f':
		return "curly quote"
	case unicode.IsControl(r):
		return "control character"
	case r != ' ' && unicode.IsSpace(r):
		return "wide space"
	}
	return ""
}

// withoutHidden is the text without zero-width characters and soft hyphens, and without spaces and curly quotes around it; ok is false when
// hidden characters are left, for which nobody knows what was meant.
func withoutHidden(text string) (clean string, ok bool) {
	clean = strings.Map(func(r rune) rune {
		if name := hiddenName(r); name == "soft hyphen" || name == "zero-width character" {
			return -1
		}
		return r
	}, text)
	clean = strings.TrimFunc(clean, func(r rune) bool { return unicode.IsSpace(r) || hiddenName(r) == "curly quote" })
	return clean, strings.IndexFunc(clean, hidden) < 0
}

// tooLarge is the rule file-too-large.
func tooLarge(c *run) {
	report := func(n *source.File, where source.Span, size, limit int, what string) *Report {
		return c.reportAt(where, "%s has %d bytes, %d more than %s takes", map[bool]string{true: "the text", false: "the file"}[n.Outer() != nil], size, size-limit, what)
	}
	begin := func(d *credspec.Document) source.Span { return d.File.Span(0, 0) }
	for _, d := range c.documents() {
		if d.Root == nil || d.Broken() {
			continue
		}
		if d.Wrapped && c.targets(TargetK8s) {
			if text := d.Root.JSON(); len(text) > 65536 {
				c.reportAt(d.Root.Span(), "the credential spec has %d bytes as JSON, %d more than a pod's gmsaCredentialSpec takes", len(text), len(text)-65536)
			}
		}
		if !d.Wrapped && d.File.Outer() == nil && d.File.Size > 4000 && c.targets(Fetcher1) {
			report(d.File, begin(d), d.File.Size, 4000, "credentials-fetcher 1 from S3").Consumer = "ERROR: invalid object for credentialspec in s3"
		}
	}
	for _, u := range c.setup.Uses {
		if u.Spec == nil || u.Spec.Wrapped {
			continue
		}
		f := u.Spec.File
		switch {
		case u.Source == setup.FromConfig && f.Size >= 1024000:
			report(f, begin(u.Spec), f.Size, 1023999, "a config").Consumer = "config data must be larger than 0 and less than 1024000 bytes"
		case u.Source == setup.FromInline && u.Carrier == setup.Kubernetes && f.Size > 65536:
			report(f, f.Span(0, len(f.Data)), f.Size, 65536, "gmsaCredentialSpec").Consumer = "gmsaCredentialSpec size must be under 64 KiB"
		case u.Source == setup.FromInline && u.Carrier == setup.Docker && f.Size > 32000:
			report(f, f.Span(0, len(f.Data)), f.Size, 32000, "a command line of Windows with the rest of the command").Severity = Warning
		}
	}
}
