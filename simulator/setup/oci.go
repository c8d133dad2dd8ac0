package setup

import "github.com/gmsasim/gmsasim/simulator/source"

// isOCI tells whether a document is the config.json of a bundle (runtime-spec: ociVersion), or a request of the CRI with a Windows security
// context.
func isOCI(root *source.Node) bool {
	return root.Get("ociVersion") != nil || len(criContexts(root)) > 0
}

// criContext is a security context of the CRI, of a sandbox or a container.
type criContext struct {
	name, image  *source.Node
	node, option *source.Node
}

// criContexts are the Windows security contexts of requests of the CRI (k8s.io/cri-api), as crictl reads them: keys in snake_case or as in
// protobuf's JSON.
func criContexts(root *source.Node) []criContext {
	var list []criContext
	for _, config := range []*source.Node{root, root.Get("config"), root.Get("sandbox_config"), root.Get("sandboxConfig")} {
		windows := config.Get("windows")
		for _, key := range []string{"security_context", "securityContext"} {
			for _, spec := range []string{"credential_spec", "credentialSpec"} {
				if n := windows.Get(key, spec); n != nil {
					list = append(list, criContext{config.Get("metadata", "name"), config.Get("image", "image"), windows.Get(key), n})
				}
			}
		}
	}
	return list
}

// readOCI reads the credential spec of a bundle or a request: containerd and hcsshim take a string. An object, which the runtime specification's
// schema describes, is dropped without a word (hcsshim internal/hcsoci).
func (s *Setup) readOCI(d *Document) {
	add := func(u *Use, n *source.Node) {
		o := &Option{Via: ViaMember, Node: n, Key: "credentialSpec", Source: FromUnknown}
		if n.Kind == source.String && n.Text != "" {
			o.Value, o.Source = n, FromInline
		}
		u.Options, u.Where = []*Option{o}, n
		u.choose()
		u.system()
		if u.OS == "" {
			u.OS = "windows"
		}
		s.Uses = append(s.Uses, u)
	}
	if n := d.Root.Get("windows", "credentialSpec"); n != nil && d.Root.Get("ociVersion") != nil {
		u := &Use{Carrier: OCI, File: d.File, Name: d.Root.Get("hostname").String(), Container: d.Root, Hostname: d.Root.Get("hostname"), User: d.Root.Get("process", "user", "username")}
		if d.Root.Get("windows", "hyperv") != nil {
			u.Isolation = source.NewForeign(d.File, n.Start, n.Start, "hyperv", nil, nil)
		}
		add(u, n)
	}
	for _, c := range criContexts(d.Root) {
		u := &Use{Carrier: OCI, File: d.File, Name: c.name.String(), Container: c.node, Image: c.image, User: c.node.Get("run_as_username")}
		add(u, c.option)
	}
}
