package setup

import (
	"strings"

	"github.com/gmsasim/gmsasim/simulator/source"
)

// The elements of Service Fabric's schema (http://schemas.microsoft.com/2011/01/fabric) that stand at the top of a file.
const (
	elementApplication = "ApplicationManifest"
	elementParameters  = "Application" // a file of parameters of one application
	elementService     = "ServiceManifest"
	elementImport      = "ServiceManifestImport"
	elementPolicies    = "Policies"
	elementPolicy      = "ContainerHostPolicies"
)

// fabric is what a file of Service Fabric is: the name of its root element.
type fabric struct{ element string }

func xmlDocuments(f *source.File) []*Document {
	name, root, err := parseXML(f)
	d := &Document{File: f, Root: root, Err: err, Form: FormUnknown}
	switch name {
	case elementApplication, elementParameters, elementService, elementImport, elementPolicies, elementPolicy:
		if name != elementParameters || root.Get("Parameters") != nil {
			d.Form, d.fabric = FormServiceFabric, &fabric{name}
		}
	}
	return []*Document{d}
}

// each calls f for every member of a name.
func each(n *source.Node, name string, f func(*source.Node)) {
	for _, m := range n.Map() {
		if m.Key.Text == name {
			f(m.Value)
		}
	}
}

// Policy is a ContainerHostPolicies element of an application's manifest: what a container of Service Fabric has beside its image.
type Policy struct {
	Document *Document
	Node     *source.Node
	// Service is the name of the service's manifest, "" in a fragment.
	Service string
	// Parameters are those of the application, nil in a fragment, which does not show them.
	Parameters *source.Node
}

// Policies are the policies of a document of Service Fabric.
func (d *Document) Policies() []*Policy {
	if d.fabric == nil {
		return nil
	}
	var list []*Policy
	policies := func(service string, parameters, n *source.Node) {
		each(n, elementPolicy, func(n *source.Node) {
			if len(list) < maxCommands {
				list = append(list, &Policy{d, n, service, parameters})
			}
		})
	}
	imported := func(parameters, n *source.Node) {
		service := n.Get("ServiceManifestRef", "ServiceManifestName").String()
		each(n, elementPolicies, func(n *source.Node) { policies(service, parameters, n) })
	}
	switch d.fabric.element {
	case elementApplication:
		parameters := d.Root.Get("Parameters")
		if parameters == nil {
			parameters = &source.Node{File: d.File, Kind: source.Object}
		}
		each(d.Root, elementImport, func(n *source.Node) { imported(parameters, n) })
		each(d.Root, elementPolicies, func(n *source.Node) { policies("", parameters, n) })
	case elementImport:
		imported(nil, d.Root)
	case elementPolicies:
		policies("", nil, d.Root)
	case elementPolicy:
		list = append(list, &Policy{Document: d, Node: d.Root})
	}
	return list
}

// Parameter tells whether a value is a reference, [Name], and to what.
func Parameter(n *source.Node) (name string, ok bool) {
	text := n.String()
	if len(text) < 3 || text[0] != '[' || text[len(text)-1] != ']' {
		return "", false
	}
	return text[1 : len(text)-1], true
}

// Defined tells whether the application has a parameter, and gives its default value.
func (p *Policy) Defined(name string) (value *source.Node, ok bool) {
	each(p.Parameters, "Parameter", func(n *source.Node) {
		if n.Get("Name").String() == name {
			value, ok = n.Get("DefaultValue"), true
		}
	})
	return value, ok
}

func (s *Setup) readServiceFabric(d *Document) {
	for _, p := range d.Policies() {
		if u := s.fabricUse(p); u != nil {
			s.Uses = append(s.Uses, u)
		}
	}
}

// resolve puts a parameter's value in the place of a reference: that of a file of parameters, which a deployment gives, or the default.
func (s *Setup) resolve(p *Policy, n *source.Node) *source.Node {
	name, ok := Parameter(n)
	if !ok {
		return n
	}
	value, _ := p.Defined(name)
	if value.String() == "" {
		value = s.parameters[name]
	}
	text, open := value.String(), value == nil
	if open {
		text = n.Text
	}
	resolved := source.NewForeign(n.File, n.Start, n.End, text, nil, nil)
	resolved.Open = open
	return resolved
}

// fabricUse is the container of a policy; nil when it has nothing to do with credential specs.
func (s *Setup) fabricUse(p *Policy) *Use {
	u := &Use{
		Carrier: ServiceFabric, File: p.Document.File, Name: p.Node.Get("CodePackageRef").String(), Container: p.Node, Where: p.Node, policy: p,
	}
	get := func(key string) *source.Node {
		if n := p.Node.Get(key); n != nil {
			return s.resolve(p, n)
		}
		return nil
	}
	u.Hostname, u.Isolation = get("Hostname"), get("Isolation")
	each(p.Node, "SecurityOption", func(n *source.Node) {
		if v := n.Get("Value"); v != nil && len(u.Options) < maxOptions {
			u.Options = append(u.Options, securityOption(s.resolve(p, v)))
		}
	})
	named := namesSpec(u.Options)
	for _, o := range u.Options {
		named = named || o.Node.Open // a parameter may be everything
	}
	if !named {
		return nil
	}
	u.Image = s.images[[2]string{p.Service, u.Name}]
	u.choose()
	u.system()
	return u
}

// linkFabric reads the containers of Service Fabric again, now that the manifests of services and the files of parameters are there.
func (s *Setup) linkFabric() {
	s.parameters, s.images = map[string]*source.Node{}, map[[2]string]*source.Node{}
	for _, d := range s.Documents {
		switch {
		case d.fabric == nil:
		case d.fabric.element == elementParameters:
			each(d.Root.Get("Parameters"), "Parameter", func(n *source.Node) {
				if name := n.Get("Name").String(); s.parameters[name] == nil && n.Get("Value") != nil {
					s.parameters[name] = n.Get("Value")
				}
			})
		case d.fabric.element == elementService:
			each(d.Root, "CodePackage", func(n *source.Node) {
				if image := n.Get("EntryPoint", "ContainerHost", "ImageName"); image.String() != "" {
					s.images[[2]string{d.Root.Get("Name").String(), strings.TrimSpace(n.Get("Name").String())}] = image
				}
			})
		}
	}
	for _, u := range s.Uses {
		if u.policy == nil {
			continue
		}
		if again := s.fabricUse(u.policy); again != nil {
			*u = *again
		}
	}
}
