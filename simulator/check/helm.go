package check

import (
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/setup"
	"github.com/gmsasim/gmsasim/simulator/source"
)

var helmRules = []*Rule{
	{
		ID: "helm-braces", Group: "k8s", Severity: Error, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "the chart's value pluginGUID has braces",
		Why:    "The template puts braces around it (windows-gmsa, charts/gmsa/templates/credentialspec.yaml): with its own there are two pairs, and no plug-in has this class.",
		Repair: "write the GUID without braces",
		Bad:    `pluginGUID: "{CCC2A336-D7F3-4818-A213-272B7924213E}"`, Good: "pluginGUID: CCC2A336-D7F3-4818-A213-272B7924213E",
		run: (*run).helmBraces,
	},
	{
		ID: "helm-unquoted", Group: "k8s", Severity: Error, Needs: []How{Offline}, Targets: []Target{TargetK8s},
		Title:  "a value of the chart becomes something else than a string",
		Why:    "The template writes the values of domainJoinConfig without quotes (windows-gmsa, charts/gmsa/templates/credentialspec.yaml): what YAML 1.1 reads as a boolean, number or null there is refused by the schema, however it is quoted in the values.",
		Repair: `put quotes inside the quotes: '"NO"'`,
		Bad:    `netBiosName: "NO"`, Good: `netBiosName: '"NO"'`,
		run: (*run).helmUnquoted,
	},
}

// chartCredentials are the credential sections of values of the chart gmsa that make a resource.
func (c *run) chartCredentials(f func(values *source.Node)) {
	for _, d := range c.setup.Documents {
		if d.Form == setup.FormHelmValues && d.Spec != nil {
			f(setup.HelmCredential(d.Root))
		}
	}
}

func (c *run) helmBraces() {
	c.chartCredentials(func(values *source.Node) {
		n := values.Get("hostAccountConfig", "pluginGUID")
		if bare := strings.Trim(n.String(), "{}"); bare != n.String() {
			r := c.report(n, "pluginGUID has braces, and the template adds a pair")
			r.Consumer = fmt.Sprintf("the chart makes PluginGUID: %q", "{"+n.Text+"}")
			r.replace(n, bare)
		}
	})
}

func (c *run) helmUnquoted() {
	c.chartCredentials(func(values *source.Node) {
		for _, m := range values.Get("domainJoinConfig").Map() {
			n := m.Value
			text, kind := n.Text, n.Kind
			if kind == source.String {
				kind = source.YAML11(text)
			}
			if kind == source.String {
				if begins := strings.IndexAny(text, "#&*!|>%@`{}[],?-") == 0; !begins && !strings.Contains(text, " #") && !strings.Contains(text, ": ") {
					continue
				}
				c.report(n, "%s is written without quotes by the template, where %q is no plain text of YAML", m.Key.Text, text).requote(n)
				continue
			}
			if kind == source.Array || kind == source.Object {
				c.report(n, "%s is %s, and has to be a string", m.Key.Text, article(kind))
				continue
			}
			r := c.report(n, "%s becomes %s in the resource, because the template writes no quotes around %q", m.Key.Text, article(kind), text)
			r.Consumer = fmt.Sprintf("credspec.DomainJoinConfig: Invalid value: %q: in body must be of type string: %q", kind.String(), kind.String())
			if text != "" {
				r.requote(n)
			} else {
				r.Repair = "give the value"
			}
		}
	})
}

// requote adds the edit that puts a value into double quotes inside of single ones.
func (r *Report) requote(n *source.Node) {
	if strings.ContainsAny(n.Text, "'\"\\\n") || n.Style == source.Literal || n.Style == source.Folded {
		return
	}
	if e, ok := n.File.Edit(n.Start, n.End, `'"`+n.Text+`"'`); ok {
		r.Fix = append(r.Fix, e)
	}
}
