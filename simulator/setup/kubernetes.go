package setup

import (
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// The resource of windows-gmsa, as its CustomResourceDefinition names it.
const (
	KindGMSACredentialSpec = "GMSACredentialSpec"
	GroupGMSA              = "windows.k8s.io"
	// KeyBody is the only member of the resource that its schema knows beside metadata.
	KeyBody = "credspec"
)

// maxLists is how deep lists of objects may be nested; kubectl writes one.
const maxLists = 4

// kubernetesDocuments gives every object its document: those of a List stand beside the list itself, which keeps the file's faults.
func kubernetesDocuments(d *Document) []*Document {
	list := []*Document{d}
	if d.Form != FormKubernetes {
		return list
	}
	list = appendItems(list, d, 0)
	for _, o := range list {
		if kindOf(o.Root) == KindGMSACredentialSpec {
			o.Spec = objectBody(o.Root)
		}
	}
	return list
}

func appendItems(list []*Document, d *Document, depth int) []*Document {
	if depth > maxLists || !strings.HasSuffix(kindOf(d.Root), "List") {
		return list
	}
	for _, item := range d.Root.Get("items").List() {
		if item.Kind != source.Object {
			continue
		}
		o := &Document{File: d.File, Root: item, Form: FormKubernetes}
		list = appendItems(append(list, o), o, depth+1)
	}
	return list
}

// isKubernetes tells objects of the API.
func isKubernetes(root *source.Node) bool {
	return root.Get("apiVersion") != nil && root.Get("kind") != nil || strings.EqualFold(kindOf(root), KindGMSACredentialSpec)
}

// hasWindowsOptions tells a fragment of an object that names a credential spec as pods do.
func hasWindowsOptions(root *source.Node) bool {
	found := false
	root.Walk(func(_ []string, n *source.Node) bool {
		options := n.Get("windowsOptions")
		found = found || options.Get(OptionName) != nil || options.Get(OptionContents) != nil
		return !found
	})
	return found
}

func kindOf(root *source.Node) string { return root.Get("kind").String() }

// objectBody is the credential spec of a GMSACredentialSpec. It stands under credspec; one that was put under spec, beside the metadata or into
// a string is read too, so that what is wrong inside is told together with that: see [StoredBody] for what the API server keeps.
func objectBody(root *source.Node) *credspec.Document {
	for _, n := range []*source.Node{root.Get(KeyBody), root.Get("spec", KeyBody), foldGet(root, KeyBody), foldGet(root.Get("spec"), KeyBody), root.Get("spec")} {
		if n == nil {
			continue
		}
		if n.Kind == source.String && strings.HasPrefix(strings.TrimSpace(n.Text), "{") {
			return credspec.Read(n.Inside())
		}
		if n.Kind == source.Object && len(n.Members) > 0 {
			return credspec.OfNode(n)
		}
	}
	for _, m := range root.Map() {
		if m.Key.Text == credspec.KeyDomainJoin || m.Key.Text == credspec.KeyActiveDirectory {
			return credspec.OfNode(bare(root))
		}
	}
	return nil
}

// bare is an object without the members that every object of Kubernetes has.
func bare(root *source.Node) *source.Node {
	n := *root
	n.Members = nil
	for _, m := range root.Members {
		switch m.Key.Text {
		case "apiVersion", "kind", "metadata", "status":
		default:
			n.Members = append(n.Members, m)
		}
	}
	return &n
}

func foldGet(n *source.Node, key string) *source.Node {
	for _, m := range n.Map() {
		if strings.EqualFold(m.Key.Text, key) {
			return m.Value
		}
	}
	return nil
}

// StoredBody is what the API server keeps of a GMSACredentialSpec and the webhook hands out: the object under credspec, nil when there is none.
func StoredBody(root *source.Node) *source.Node {
	if n := root.Get(KeyBody); n != nil && n.Kind == source.Object {
		return n
	}
	return nil
}

// objectNamed is the body of the GMSACredentialSpec of a name.
func (s *Setup) objectNamed(name string) (*credspec.Document, Missing) {
	if s.objects == nil {
		s.objects = map[string]*credspec.Document{}
		for _, d := range s.Documents {
			if d.Form == FormKubernetes && d.Spec != nil {
				s.objects[d.Root.Get("metadata", "name").String()] = d.Spec
			}
		}
	}
	if spec := s.objects[name]; spec != nil && name != "" {
		return spec, NotMissing
	}
	return nil, NotSupplied
}

// readKubernetes finds the pods of an object and the containers that are to have an identity.
func (s *Setup) readKubernetes(d *Document) {
	for _, p := range podsOf(d) {
		s.Pods = append(s.Pods, p)
		s.Uses = append(s.Uses, p.uses()...)
	}
}
