package setup

import "github.com/gmsasim/gmsasim/simulator/source"

// isContainer tells whether a document is a container of the engine's API.
func isContainer(root *source.Node) bool { return len(containers(root)) > 0 }

// containers are the containers of a document: what docker inspect prints, a list, or the body of the request that creates one.
func containers(root *source.Node) []*source.Node {
	var list []*source.Node
	for _, n := range append([]*source.Node{root}, root.List()...) {
		if n.Get("HostConfig").Map() != nil && len(list) < maxCommands {
			list = append(list, n)
		}
	}
	return list
}

func (s *Setup) readContainer(d *Document) {
	for _, n := range containers(d.Root) {
		config := n
		if n.Get("Config") != nil {
			config = n.Get("Config")
		}
		u := &Use{
			Carrier: Docker, File: d.File, Name: n.Get("Name").String(), Container: n, Where: n,
			Image: config.Get("Image"), User: config.Get("User"), Isolation: n.Get("HostConfig", "Isolation"),
		}
		// What docker inspect shows as the host name is the engine's own choice, the id's first digits, when the user gave none.
		if h := config.Get("Hostname"); h.String() != "" && (len(h.Text) != 12 || len(n.Get("Id").String()) < 12 || n.Get("Id").String()[:12] != h.Text) {
			u.Hostname = h
		}
		if u.User.IsEmpty() {
			u.User = nil
		}
		if u.Isolation.IsEmpty() || u.Isolation.Text == "default" {
			u.Isolation = nil
		}
		for _, item := range n.Get("HostConfig", "SecurityOpt").List() {
			if item.Kind == source.String && len(u.Options) < maxOptions {
				u.Options = append(u.Options, securityOption(item))
			}
		}
		if !namesSpec(u.Options) {
			continue
		}
		u.choose()
		u.system()
		s.Uses = append(s.Uses, u)
	}
}
