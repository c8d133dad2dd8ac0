package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// specVerbs are what happens to files with credential specs and to what works with them.
var specVerbs = []verb{
	{"newCredentialSpec", false, "New-CredentialSpec on a host", func() action { return &newCredentialSpec{} }},
	{"writeCredentialSpec", false, "write a file into the folder of a host's engine", func() action { return &writeCredentialSpec{} }},
	{"editCredentialSpec", false, "change a field of a file in that folder", func() action { return &editCredentialSpec{} }},
	{"readCredentialSpec", false, "show a file of that folder", func() action { return &readCredentialSpec{} }},
	{"removeCredentialSpec", false, "remove a file from that folder", func() action { return &removeCredentialSpec{} }},
	{"copyCredentialSpec", false, "copy a file from one host to another, or into the engine's folder of the same", func() action { return &copyCredentialSpec{} }},
	{"getCredentialSpec", false, "Get-CredentialSpec on a host", func() action { return &getCredentialSpec{} }},
	{"copyModule", false, "copy the PowerShell module CredentialSpec from one host to another", func() action { return &copyModule{} }},
	{"stopEngine", false, "Stop-Service docker on a host", func() action { return &stopEngine{} }},
	{"startEngine", false, "Start-Service docker on a host", func() action { return &startEngine{} }},
}

type newCredentialSpec struct {
	Host       string              `yaml:"host"`
	Account    string              `yaml:"account"`
	Additional []additionalAccount `yaml:"additional,omitempty"`
	Domain     string              `yaml:"domain,omitempty"`
	FileName   string              `yaml:"fileName,omitempty"`
	Path       string              `yaml:"path,omitempty"`
	NoClobber  bool                `yaml:"noClobber,omitempty"`
	// WarningAction is continue or stop; stop makes an error of a warning.
	WarningAction string `yaml:"warningAction,omitempty"`
}

// additionalAccount is a name, or a hashtable with account and domain. One with other keys is what people type, so it is read.
type additionalAccount simulator.AdditionalAccount

func (a *additionalAccount) decodeNode(d *decoder, n *node) {
	switch n.kind {
	case scalarNode:
		a.Account = n.text
	case mappingNode:
		for _, f := range n.fields {
			text, ok := d.scalar(f.value, "a name")
			switch {
			case !ok:
			case f.key.text == "account":
				a.Account = text
			case f.key.text == "domain":
				a.Domain = text
			default:
				a.Invalid = "System.Collections.Hashtable"
			}
		}
		if a.Account == "" {
			a.Invalid = "System.Collections.Hashtable"
		}
	default:
		d.fail(n.errorAt("want the name of an account, or a mapping with account and domain, got %s", n.kind))
	}
}

func (a *newCredentialSpec) check(s *scope, n *node) {
	s.host(argument(n, "host"), a.Host)
	s.account(argument(n, "account"), a.Account, true)
	for _, o := range a.Additional {
		if o.Account != "" {
			s.account(argument(n, "additional"), o.Account, true)
		}
	}
	if w := n.get("warningAction"); w != nil && a.WarningAction != "stop" && a.WarningAction != "continue" {
		s.d.fail(w.errorNear(a.WarningAction, []string{"stop", "continue"}, "%q is neither stop nor continue", a.WarningAction))
	}
	if a.FileName != "" && a.Path != "" {
		s.d.fail(n.errorAt("either fileName or path"))
	}
}

func (a *newCredentialSpec) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	p := simulator.NewCredentialSpec{Account: a.Account, Domain: a.Domain, FileName: a.FileName, Path: a.Path, NoClobber: a.NoClobber, StopAtWarning: a.WarningAction == "stop"}
	for _, o := range a.Additional {
		p.Additional = append(p.Additional, simulator.AdditionalAccount(o))
	}
	file, warning, err := h.NewCredentialSpec(p)
	if file != "" {
		r.fact("file", file)
		r.fact("warning", codeOf(warning))
	}
	return err
}

// codeOf is the code of a finding in one word.
func codeOf(err error) string {
	if err == nil {
		return "none"
	}
	if f, ok := diag.Of(err); ok {
		return string(f.Code)
	}
	return err.Error()
}

// encodings are those of Out-File in Windows PowerShell that matter for a document of ASCII.
var encodings = []string{"ascii", "unicode", "bigendianunicode", "utf8"}

// writeCredentialSpec writes a file. What it holds is a part of the bundle, or stands in the step itself.
type writeCredentialSpec struct {
	Host string `yaml:"host"`
	File string `yaml:"file"`
	// Content is the name of a part of the bundle, Text the document itself.
	Content string `yaml:"content,omitempty"`
	Text    string `yaml:"text,omitempty"`
	// Encoding is what Out-File -Encoding takes; utf8 is with a byte order mark, as there. Default ascii: the bytes as they are.
	Encoding string `yaml:"encoding,omitempty"`

	part string // the part's text
}

func (a *writeCredentialSpec) check(s *scope, n *node) {
	s.host(argument(n, "host"), a.Host)
	if c := n.get("content"); c != nil {
		text, ok := s.inputs[a.Content]
		if !ok {
			var names []string
			for name := range s.inputs {
				names = append(names, name)
			}
			slices.Sort(names)
			s.d.fail(c.errorNear(a.Content, names, "the bundle has no part %q", a.Content))
		}
		a.part = text
		s.used(a.Content)
	}
	if a.Content != "" && n.get("text") != nil {
		s.d.fail(n.errorAt("either content or text"))
	}
	if e := n.get("encoding"); e != nil && !slices.Contains(encodings, a.Encoding) {
		s.d.fail(e.errorNear(a.Encoding, encodings, "no encoding %q; there are %s", a.Encoding, strings.Join(encodings, ", ")))
	}
}

func (a *writeCredentialSpec) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	text := encode(a.part+a.Text, a.Encoding)
	h.WriteCredentialSpec(a.File, text)
	r.fact("bytes", len(text))
	return nil
}

// encode writes a text as Out-File does.
func encode(text, encoding string) []byte {
	switch encoding {
	case "utf8":
		return []byte("\ufeff" + text)
	case "unicode", "bigendianunicode":
		b := []byte{}
		for _, u := range utf16.Encode([]rune("\ufeff" + text)) {
			if encoding == "unicode" {
				b = append(b, byte(u), byte(u>>8))
			} else {
				b = append(b, byte(u>>8), byte(u))
			}
		}
		return b
	}
	return append([]byte{}, text...)
}

// editCredentialSpec changes a field by hand. Without a value it is removed.
type editCredentialSpec struct {
	Host string `yaml:"host"`
	File string `yaml:"file"`
	// Field is a path with dots: DomainJoinConfig.Sid.
	Field string `yaml:"field"`
	Value string `yaml:"value,omitempty"`
	// SIDOf and GUIDOf are objects whose identifier is put there.
	SIDOf  string `yaml:"sidOf,omitempty"`
	GUIDOf string `yaml:"guidOf,omitempty"`
}

func (a *editCredentialSpec) check(s *scope, n *node) {
	s.host(argument(n, "host"), a.Host)
	if given(a.Value, a.SIDOf, a.GUIDOf) > 1 {
		s.d.fail(n.errorAt("one of value, sidOf and guidOf, or none to remove the field"))
	}
	for _, name := range []string{a.SIDOf, a.GUIDOf} {
		if name != "" {
			s.account(n, name, false)
		}
	}
}

func (a *editCredentialSpec) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	var value any
	if a.Value != "" {
		value = a.Value
	}
	if name := a.SIDOf + a.GUIDOf; name != "" {
		sid, guid, err := r.d.Identifiers(name)
		if err != nil {
			return err
		}
		value = sid
		if a.GUIDOf != "" {
			value = guid
		}
	}
	return h.EditCredentialSpec(a.File, a.Field, value)
}

type readCredentialSpec struct {
	Host string `yaml:"host"`
	File string `yaml:"file"`
}

func (a *readCredentialSpec) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *readCredentialSpec) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err != nil {
		return err
	}
	text, ok := h.ReadCredentialSpec(a.File)
	if !ok {
		return fmt.Errorf("no file %s in %s of %s", a.File, h.CredentialSpecFolder(), h.Name())
	}
	r.output(string(text))
	return nil
}

type removeCredentialSpec struct {
	Host string `yaml:"host"`
	File string `yaml:"file"`
}

func (a *removeCredentialSpec) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *removeCredentialSpec) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err == nil {
		h.WriteCredentialSpec(a.File, nil)
	}
	return err
}

type copyCredentialSpec struct {
	File string `yaml:"file"`
	From string `yaml:"from"`
	To   string `yaml:"to"`
}

func (a *copyCredentialSpec) check(s *scope, n *node) {
	s.host(argument(n, "from"), a.From)
	s.host(argument(n, "to"), a.To)
}

func (a *copyCredentialSpec) do(r *attempt) error {
	from, to, err := r.twoHosts(a.From, a.To)
	if err != nil {
		return err
	}
	return from.CopyCredentialSpec(a.File, to)
}

type getCredentialSpec struct {
	Host string `yaml:"host,scalar"`
}

func (a *getCredentialSpec) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *getCredentialSpec) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err == nil {
		r.fact("files", list(h.CredentialSpecs()))
	}
	return err
}

type copyModule struct {
	From string `yaml:"from"`
	To   string `yaml:"to"`
}

func (a *copyModule) check(s *scope, n *node) {
	s.host(argument(n, "from"), a.From)
	s.host(argument(n, "to"), a.To)
}

func (a *copyModule) do(r *attempt) error {
	from, to, err := r.twoHosts(a.From, a.To)
	if err != nil {
		return err
	}
	return from.CopyModule(to)
}

type stopEngine struct {
	Host string `yaml:"host,scalar"`
}

func (a *stopEngine) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *stopEngine) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err == nil {
		h.StopEngine()
	}
	return err
}

type startEngine struct {
	Host string `yaml:"host,scalar"`
}

func (a *startEngine) check(s *scope, n *node) { s.host(argument(n, "host"), a.Host) }

func (a *startEngine) do(r *attempt) error {
	h, err := r.host(a.Host)
	if err == nil {
		h.StartEngine()
	}
	return err
}
