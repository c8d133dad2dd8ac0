package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gmsasim/gmsasim/simulator/check/gather"
	"github.com/gmsasim/gmsasim/simulator/check/report"
	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/credspec/consumer"
	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// showReport is the form of what credspec show says in JSON.
type showReport struct {
	Schema string      `json:"schema"`
	Specs  []shownSpec `json:"specs"`
}

type shownSpec struct {
	File    string          `json:"file"`
	Line    int             `json:"line"`
	Fields  []shownField    `json:"fields"`
	Readers []shownConsumer `json:"readers"`
}

type shownField struct {
	Path   string `json:"path"`
	Value  string `json:"value"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// shownConsumer is what one reader makes of a credential spec.
type shownConsumer struct {
	Reader  string   `json:"reader"`
	Says    string   `json:"says,omitempty"` // its refusal, in its own words
	short   string   // the same without the document that it quotes
	Account string   `json:"account,omitempty"`
	Domain  string   `json:"domain,omitempty"`
	Secret  string   `json:"secret,omitempty"`
	Dropped []string `json:"dropped,omitempty"`
	Silent  string   `json:"silent,omitempty"`
}

func (a *app) credspecShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show FILE",
		Short: "Show what a credential spec says, and what each of its readers makes of it",
		Long: `FILE holds a credential spec, or something that has one in it: a GMSACredentialSpec, a pod with contents, a bundle, a command line. - is the
standard input. The readers are the engine, the Kubernetes API server, the agents of ECS and credentials-fetcher; what they say is in their own words.

Exit status: 0 shown, 1 there is no credential spec in it that can be read to its end, 2 wrong use.`,
		Example: "  gmsasim credspec show webapp.json\n  gmsasim credspec show webapp.json --json\n  cat webapp.json | gmsasim credspec show -",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("credspec show takes one file; got %d", len(args)).(*usageError).shownBy("gmsasim credspec show --help")
			}
			return a.showSpecs(args[0])
		},
	}
}

// heldSpec is a credential spec of a file with the bytes that its readers get.
type heldSpec struct {
	*credspec.Document
	text []byte
}

// specsIn are the credential specs in a file.
func (a *app) specsIn(path string) ([]heldSpec, error) {
	s := &setup.Setup{}
	var stored []byte
	found := gather.Walk([]string{path}, gather.Options{Stdin: a.in}, func(f gather.File) {
		if f.Explicit {
			stored = f.Stored
		}
		s.Add(f.File, nil)
	})
	if len(found.Unread) > 0 {
		return nil, &exitError{exitUsage, fmt.Errorf("%s: %s", found.Unread[0].Name, found.Unread[0].Reason)}
	}
	if len(found.Folders) > 0 {
		return nil, usage("%s is a folder; a file is wanted", path)
	}
	s.Link()
	var list []heldSpec
	add := func(d *credspec.Document) {
		if d == nil || slices.ContainsFunc(list, func(h heldSpec) bool { return h.Document == d || h.Root != nil && h.Root == d.Root }) {
			return
		}
		h := heldSpec{Document: d}
		switch {
		case d.Wrapped && d.Root != nil:
			h.text = []byte(d.Root.JSON())
		case d.File.Outer() == nil:
			h.text = stored
		default:
			h.text = d.File.Data
		}
		list = append(list, h)
	}
	for _, d := range s.Documents {
		add(d.Spec)
	}
	for _, u := range s.Uses {
		add(u.Spec)
	}
	if len(list) == 0 {
		return nil, &exitError{exitUnexpected, fmt.Errorf("%s: there is no credential spec in it", path)}
	}
	return list, nil
}

func (a *app) showSpecs(path string) error {
	specs, err := a.specsIn(path)
	if err != nil {
		return err
	}
	shown := showReport{Schema: "gmsasim.credspec/1", Specs: []shownSpec{}}
	broken := false
	for _, h := range specs {
		broken = broken || h.Root == nil || h.Broken()
		shown.Specs = append(shown.Specs, shownOf(h))
	}
	if a.json {
		a.printJSON(shown)
	} else {
		for i, s := range shown.Specs {
			if i > 0 {
				fmt.Fprintln(a.out)
			}
			a.printSpec(s)
		}
		a.next("gmsasim check %s", shellQuoted(path))
	}
	if broken {
		return &exitError{status: exitUnexpected}
	}
	return nil
}

// shownOf is what a credential spec says, by field, and what its readers make of it.
func shownOf(h heldSpec) shownSpec {
	s := shownSpec{File: h.File.Root().Name, Line: 1, Fields: []shownField{}}
	if h.Root != nil {
		s.Line = h.Root.Span().Start.Line
	}
	h.Root.Walk(func(path []string, n *source.Node) bool {
		if n.Kind == source.Object || n.Kind == source.Array {
			return true
		}
		at := n.Span().Start
		text := n.Text
		if strings.Contains(strings.Join(path, "."), "PluginInput") {
			text = maskedInput(text)
		}
		s.Fields = append(s.Fields, shownField{strings.Join(path, "."), text, at.Line, at.Column})
		return true
	})
	s.Readers = readersOf(h)
	return s
}

// maskedInput hides the value of a password in a plug-in's input.
func maskedInput(text string) string {
	parts := strings.Split(text, ";")
	for i, p := range parts {
		if key, _, ok := strings.Cut(p, "="); ok && (strings.EqualFold(strings.TrimSpace(key), "password") || strings.EqualFold(strings.TrimSpace(key), "pwd")) {
			parts[i] = key + "=***"
		}
	}
	return strings.Join(parts, ";")
}

// readersOf asks the models of the readers.
func readersOf(h heldSpec) []shownConsumer {
	domainless := h.HostAccount() != nil
	var list []shownConsumer
	add := func(name string, o consumer.Outcome, err error) {
		c := shownConsumer{Reader: name}
		if refusal, ok := errors.AsType[*consumer.Refusal](err); ok {
			c.Says = refusal.Says
		} else if err != nil {
			c.Says = err.Error()
		} else {
			c.Account, c.Domain, c.Secret, c.Dropped, c.Silent = o.Account, o.Domain, o.Secret, o.Dropped, o.Silent
		}
		c.short = strings.Join(strings.Fields(strings.ReplaceAll(c.Says, string(h.text), "…")), " ")
		list = append(list, c)
	}
	add("engine on Windows", consumer.Moby(h.text), nil)
	if json.Valid(h.text) {
		object, err := json.Marshal(map[string]any{"apiVersion": "windows.k8s.io/v1", "kind": "GMSACredentialSpec", "metadata": map[string]string{"name": "shown"}, "credspec": json.RawMessage(h.text)})
		if err == nil {
			o, err := consumer.CRD(object)
			add("Kubernetes API server", o, err)
		}
	}
	o, err := consumer.AgentWindows(h.text, domainless, "task")
	add("ECS agent on Windows", o, err)
	o, err = consumer.AgentLinux(h.text, domainless, false)
	add("ECS agent on Linux", o, err)
	o, err = consumer.Fetcher1(h.text, domainless)
	add("credentials-fetcher 1", o, err)
	o, err = consumer.Fetcher2(h.text)
	add("credentials-fetcher 2", o, err)
	return list
}

func (a *app) printSpec(s shownSpec) {
	fmt.Fprintln(a.out, a.style.bold(s.File+":"+strconv.Itoa(s.Line)))
	width := 0
	for _, f := range s.Fields {
		width = max(width, len(f.Path))
	}
	for _, f := range s.Fields {
		fmt.Fprintf(a.out, "  %s  %s %s\n", pad(f.Path, width), report.Visible(f.Value), a.style.faint(fmt.Sprintf("(%d:%d)", f.Line, f.Column)))
	}
	fmt.Fprintln(a.out, "Read by")
	for _, r := range s.Readers {
		var said []string
		switch {
		case r.Says != "":
			said = append(said, a.style.bad("refused: ")+report.Visible(r.short))
		case r.Account != "":
			said = append(said, "account "+r.Account)
		}
		if r.Domain != "" {
			said = append(said, "domain "+r.Domain)
		}
		if r.Secret != "" {
			said = append(said, "secret "+r.Secret)
		}
		if len(r.Dropped) > 0 {
			said = append(said, "drops "+strings.Join(r.Dropped, ", ")+" without a word")
		}
		if r.Silent != "" {
			said = append(said, r.Silent)
		}
		if len(said) == 0 {
			said = append(said, "takes it as it is")
		}
		fmt.Fprintf(a.out, "  %s  %s\n", pad(r.Reader, 21), strings.Join(said, "; "))
	}
}
