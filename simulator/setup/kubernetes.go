package setup

import "github.com/gmsasim/gmsasim/simulator/credspec"

func (s *Setup) readKubernetes(d *Document) {}

// objectNamed is the body of the GMSACredentialSpec of a name.
func (s *Setup) objectNamed(name string) (*credspec.Document, Missing) {
	for _, d := range s.Documents {
		if d.Form == FormKubernetes && d.Spec != nil && d.Root.Get("metadata", "name").String() == name {
			return d.Spec, NotMissing
		}
	}
	return nil, NotSupplied
}
