package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// convertForms are the forms that convert writes, by the names of its flag.
var convertForms = []struct {
	name string
	form credspec.Form
}{
	{"windows", credspec.FormModule}, {"module7", credspec.FormModule7}, {"inline", credspec.FormInline},
	{"linux-aws", credspec.FormLinux}, {"kubernetes", credspec.FormKubernetes}, {"swarm", credspec.FormSwarm},
}

// convertReport is the form of a conversion in JSON.
type convertReport struct {
	Schema string   `json:"schema"`
	To     string   `json:"to"`
	Path   string   `json:"path,omitempty"`
	Text   string   `json:"text,omitempty"` // without --output
	Notes  []string `json:"notes,omitempty"`
}

func (a *app) credspecConvertCommand() *cobra.Command {
	var to, output string
	names := make([]string, len(convertForms))
	for i, f := range convertForms {
		names[i] = f.name
	}
	cmd := &cobra.Command{
		Use:   "convert FILE --to FORM",
		Short: "Write a credential spec in the form of another reader",
		Long: `FILE holds a credential spec, or something that has one in it; - is the standard input. The forms:

  windows     a file as the CredentialSpec module writes it in Windows PowerShell 5.1; module7 as in PowerShell 7
  inline      one line, for docker's raw:// and a pod's gmsaCredentialSpec
  linux-aws   for the ECS agent and credentials-fetcher on Linux, whose PluginInput is an object
  kubernetes  a GMSACredentialSpec
  swarm       the content of a config

Nothing is repaired on the way: see gmsasim check --fix. What has to be changed for the reader is said; what cannot be is refused with its reason.

Exit status: 0 written, 1 it cannot be converted, 2 wrong use.`,
		Example: "  gmsasim credspec convert webapp.json --to kubernetes\n  gmsasim credspec convert webapp.json --to linux-aws --output webapp-linux.json\n  cat webapp.json | gmsasim credspec convert - --to inline",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("credspec convert takes one file; got %d", len(args)).(*usageError).shownBy("gmsasim credspec convert --help")
			}
			for _, f := range convertForms {
				if f.name == to {
					return a.convertSpec(args[0], f.name, f.form, output)
				}
			}
			return usageNear(to, names, "--to: %q is not one of %s", to, strings.Join(names, ", "))
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "form: "+strings.Join(names, ", "))
	cmd.Flags().StringVarP(&output, "output", "o", "", "file to write (default: the standard output)")
	return cmd
}

func (a *app) convertSpec(path, name string, to credspec.Form, output string) error {
	specs, err := a.specsIn(path)
	if err != nil {
		return err
	}
	refused := func(err error) error { return &exitError{exitUnexpected, fmt.Errorf("%s: %w", path, err)} }
	switch {
	case len(specs) > 1:
		return refused(fmt.Errorf("there are %d credential specs in it, and one can be converted; gmsasim credspec show has them", len(specs)))
	case specs[0].Root == nil || specs[0].Broken():
		return refused(errors.New("the credential spec cannot be read to its end; gmsasim check says where it breaks off"))
	}
	spec := specs[0].Spec()
	text, err := credspec.Write(spec, to)
	if err != nil {
		return refused(err)
	}
	_, notes, err := credspec.Convert(spec, to)
	if err != nil {
		return refused(err)
	}
	notes = append(notes, leftOut(specs[0].Root)...)
	if output != "" {
		if err := os.WriteFile(output, text, 0o644); err != nil {
			return err
		}
	}
	if a.json {
		r := convertReport{Schema: "gmsasim.convert/1", To: name, Path: output, Notes: notes}
		if output == "" {
			r.Text = string(text)
		}
		a.printJSON(r)
		return nil
	}
	for _, n := range notes {
		fmt.Fprintf(a.err, "%s %s\n", a.talk.bold("note:"), n)
	}
	if output == "" {
		_, err := a.out.Write(text)
		return err
	}
	fmt.Fprintf(a.out, "wrote %s\n", output)
	a.next("gmsasim check %s", shellQuoted(output))
	return nil
}

// carried are the members that every form has; # stands for an index.
var carried = []string{
	"CmsPlugins", "CmsPlugins.#", "DomainJoinConfig", "DomainJoinConfig.Sid", "DomainJoinConfig.MachineAccountName", "DomainJoinConfig.Guid", "DomainJoinConfig.DnsTreeName",
	"DomainJoinConfig.DnsName", "DomainJoinConfig.NetBiosName", "ActiveDirectoryConfig", "ActiveDirectoryConfig.GroupManagedServiceAccounts",
	"ActiveDirectoryConfig.GroupManagedServiceAccounts.#", "ActiveDirectoryConfig.GroupManagedServiceAccounts.#.Name", "ActiveDirectoryConfig.GroupManagedServiceAccounts.#.Scope",
	"ActiveDirectoryConfig.HostAccountConfig", "ActiveDirectoryConfig.HostAccountConfig.PortableCcgVersion", "ActiveDirectoryConfig.HostAccountConfig.PluginGUID",
	"ActiveDirectoryConfig.HostAccountConfig.PluginInput",
}

// leftOut says what a document has that no form carries: members that no reader knows, and values of the wrong type.
func leftOut(root *source.Node) []string {
	var notes []string
	root.Walk(func(path []string, n *source.Node) bool {
		if len(path) == 0 {
			return true
		}
		at := make([]string, len(path))
		for i, p := range path {
			if at[i] = p; strings.Trim(p, "0123456789") == "" {
				at[i] = "#"
			}
		}
		key := strings.Join(at, ".")
		switch {
		case !slices.Contains(carried, key):
			notes = append(notes, fmt.Sprintf("%s (%s) is left out: no reader knows it", strings.Join(path, "."), n.Span().Start))
			return false
		case strings.HasSuffix(key, ".PluginInput"):
			return false
		case n.Kind != source.String && n.Kind != source.Object && n.Kind != source.Array:
			notes = append(notes, fmt.Sprintf("%s (%s) is left out: it is a %s, and readers want a string", strings.Join(path, "."), n.Span().Start, n.Kind))
		}
		return true
	})
	return notes
}
