package setup

import (
	"bytes"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/source"
)

// What a file about credential specs says somewhere, in small letters: the first list in one that has them or uses them, the second in one that
// decides who may.
var (
	mentions = [][]byte{
		[]byte("credential"), []byte("credspec"), []byte("gmsa"), []byte("cmsplugins"), []byte("domainjoinconfig"), []byte("activedirectoryconfig"), []byte("windowsoptions"), []byte("windows.k8s.io"),
		[]byte("security_opt"), []byte("security-opt"), []byte("securityopt"), []byte("domainname"), []byte("vault_addr"),
	}
	permits = [][]byte{[]byte("rbac.authorization.k8s.io"), []byte("serviceaccount"), []byte("kind: namespace"), []byte("runtimeclass"), []byte(`"namespace"`)}
)

// silentKinds are Kubernetes objects that say nothing of pods, identities or rights.
var silentKinds = map[string]bool{"Service": true, "Ingress": true, "HorizontalPodAutoscaler": true, "PodDisruptionBudget": true, "NetworkPolicy": true, "PersistentVolumeClaim": true}

func containsAny(text []byte, list [][]byte) bool {
	for _, s := range list {
		if bytes.Contains(text, s) {
			return true
		}
	}
	return false
}

// Relevant tells whether a file that was found in a folder, and not named, is about credential specs: of ten thousand manifests, few may be. It
// looks at the words first, so that the others need not be parsed, and after reading at the forms.
//
// An empty file has no words; see [Empty] and [Setup.Neighbours].
func Relevant(f *source.File) (parse bool, keep func([]*Document, []*Use) bool) {
	if _, side := SideOf(f.Name); side {
		return true, nil
	}
	text := bytes.ToLower(f.Data)
	mentioned := containsAny(text, mentions)
	if !mentioned && !containsAny(text, permits) {
		return false, nil
	}
	return true, func(docs []*Document, uses []*Use) bool {
		if len(uses) > 0 {
			return true
		}
		for _, d := range docs {
			switch {
			case d.Spec != nil:
				return true
			case d.Form == FormUnknown:
			case d.Form != FormKubernetes || mentioned:
				return true
			default:
				switch d.Root.Get("kind").String() {
				case "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "ServiceAccount", "Namespace", "RuntimeClass":
					return true
				}
			}
		}
		return false
	}
}

// Empty tells whether a file holds nothing that a credential spec could have been: it is one only when something names it, or when its neighbours are.
func Empty(f *source.File) bool {
	if len(f.Data) > 64 {
		return false
	}
	switch string(bytes.TrimSpace(f.Data)) {
	case "", "null", "{}", "[]":
		return language(f) == "json"
	}
	return false
}

// Neighbours tells of each file in which there is nothing whether a use of the set names it, or a credential spec of the set lies in its folder.
func (s *Setup) Neighbours(empty []*source.File) []*source.File {
	if len(empty) == 0 {
		return nil
	}
	named, folders := map[string]bool{}, map[string]bool{}
	for _, u := range s.Uses {
		if u.Source == FromFile {
			named[strings.ToLower(baseName(u.Value))] = true
		}
	}
	for _, d := range s.Documents {
		if d.Form == FormCredentialSpec {
			dir, _ := splitPath(d.File.Root().Name)
			folders[dir] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(empty), func(f *source.File) bool {
		dir, base := splitPath(f.Name)
		return !folders[dir] && !named[strings.ToLower(base)]
	})
}
