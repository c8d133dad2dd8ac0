package setup

import "github.com/gmsasim/gmsasim/simulator/source"

// isTerraform tells whether a document has services or containers of Terraform's docker provider.
func isTerraform(root *source.Node) bool {
	found := false
	each(root, "resource", func(n *source.Node) {
		found = found || n.Get("docker_service") != nil || n.Get("docker_container") != nil
	})
	return found
}

// readTerraform reads the docker_service and docker_container resources of Terraform's docker provider (kreuzwerker/docker, its schemas).
func (s *Setup) readTerraform(d *Document) {
	one := func(n *source.Node) *source.Node { // in JSON a block may be an array of one
		if l := n.List(); len(l) == 1 {
			return l[0]
		}
		return n
	}
	each(d.Root, "resource", func(resources *source.Node) {
		labelled(resources, "docker_service", func(name string, n *source.Node) {
			container := one(one(n.Get("task_spec")).Get("container_spec"))
			member := one(one(container.Get("privileges")).Get("credential_spec"))
			if member == nil {
				return
			}
			u := &Use{
				Carrier: Swarm, File: d.File, Name: name, Container: container, Where: member, Member: member,
				Image: container.Get("image"), Hostname: container.Get("hostname"), User: container.Get("user"), Isolation: container.Get("isolation"),
				Replicas: number(text(one(one(n.Get("mode")).Get("replicated")).Get("replicas"))),
			}
			for _, m := range member.Map() {
				if o := memberOption(m); o != nil {
					u.Options = append(u.Options, o)
				}
			}
			u.choose()
			u.system()
			s.Uses = append(s.Uses, u)
		})
		labelled(resources, "docker_container", func(name string, n *source.Node) {
			u := &Use{
				Carrier: Docker, File: d.File, Name: name, Container: n, Where: n,
				Image: n.Get("image"), Hostname: n.Get("hostname"), User: n.Get("user"),
			}
			for _, item := range n.Get("security_opts").List() {
				if item.Kind == source.String && len(u.Options) < maxOptions {
					u.Options = append(u.Options, securityOption(item))
				}
			}
			if !namesSpec(u.Options) {
				return
			}
			u.choose()
			u.system()
			s.Uses = append(s.Uses, u)
		})
	})
}
