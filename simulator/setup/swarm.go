package setup

import (
	"encoding/base64"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// swarmServices are the ServiceSpecs of a document: the body of a request, or what docker service inspect prints, a list of services.
func swarmServices(root *source.Node) []*source.Node {
	var list []*source.Node
	for _, n := range append([]*source.Node{root}, root.List()...) {
		if spec := n.Get("Spec"); spec != nil {
			n = spec
		}
		if n.Get("TaskTemplate", "ContainerSpec") != nil && len(list) < maxCommands {
			list = append(list, n)
		}
	}
	return list
}

func isSwarmService(root *source.Node) bool { return len(swarmServices(root)) > 0 }

func (s *Setup) readSwarmService(d *Document) {
	for _, spec := range swarmServices(d.Root) {
		container := spec.Get("TaskTemplate", "ContainerSpec")
		member := container.Get("Privileges", "CredentialSpec")
		if member == nil {
			continue
		}
		u := &Use{
			Carrier: Swarm, File: d.File, Name: spec.Get("Name").String(), Container: container, Where: member, Member: member,
			Image: container.Get("Image"), Hostname: container.Get("Hostname"), User: container.Get("User"), Isolation: container.Get("Isolation"),
			Replicas: number(text(spec.Get("Mode", "Replicated", "Replicas"))),
		}
		for _, m := range member.Map() {
			if o := memberOption(m); o != nil {
				u.Options = append(u.Options, o)
			}
		}
		u.choose()
		u.system()
		for _, p := range spec.Get("TaskTemplate", "Placement", "Platforms").List() {
			if os := strings.ToLower(p.Get("OS").String()); os != "" && u.OS == "" {
				u.OS = os
			}
		}
		s.Uses = append(s.Uses, u)
	}
}

// text is the text of a value, "" for nil.
func text(n *source.Node) string {
	if n == nil {
		return ""
	}
	return n.Text
}

// isSwarmConfig tells whether a document is what docker config inspect prints, or the body that creates a config.
func isSwarmConfig(root *source.Node) bool { return len(swarmConfigs(root)) > 0 }

func swarmConfigs(root *source.Node) []*source.Node {
	var list []*source.Node
	for _, n := range append([]*source.Node{root}, root.List()...) {
		spec := n
		if n.Get("Spec") != nil {
			spec = n.Get("Spec")
		}
		if spec.Get("Name").String() != "" && spec.Get("Data").String() != "" && len(list) < maxCommands {
			list = append(list, n)
		}
	}
	return list
}

// swarmConfig is a config of the swarm that files of the set show.
type swarmConfig struct {
	file *source.File // the document that creates it
	path string       // the file that docker config create reads
	data *source.Node // its contents
}

// readSwarmConfig notes the configs of an export by name and id.
func (s *Setup) readSwarmConfig(d *Document) {
	for _, n := range swarmConfigs(d.Root) {
		spec := n
		if n.Get("Spec") != nil {
			spec = n.Get("Spec")
		}
		data, err := base64.StdEncoding.DecodeString(spec.Get("Data").String())
		if err != nil {
			continue
		}
		at := spec.Get("Data")
		c := swarmConfig{file: d.File, data: source.NewForeign(at.File, at.Start, at.End, string(data), nil, nil)}
		s.config(spec.Get("Name").String(), c)
		s.config(n.Get("ID").String(), c)
	}
}

// configCreate notes the config that docker config create NAME FILE makes.
func (s *Setup) configCreate(d *Document, c *Command) {
	if c.Image == nil || len(c.Rest) == 0 {
		return
	}
	s.config(c.Image.String(), swarmConfig{file: d.File, path: c.Rest[0].String()})
}

// config notes a config by its name or id.
func (s *Setup) config(name string, c swarmConfig) {
	if s.configs == nil {
		s.configs = map[string]swarmConfig{}
	}
	if name != "" {
		s.configs[name] = c
	}
}

// swarmConfig is the credential spec in a config of the swarm by its name or id.
func (s *Setup) swarmConfig(from *source.File, name string) (*credspec.Document, Missing) {
	c, ok := s.configs[name]
	switch {
	case !ok:
		return nil, NotHeld
	case c.data != nil:
		return s.inline(c.data), NotMissing
	}
	return s.specIn(c.file, c.path)
}
