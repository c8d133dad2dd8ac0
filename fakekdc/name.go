package fakekdc

import (
	"strings"
)

// Name types, RFC 4120 6.2 and RFC 6806 5.
const (
	NameUnknown    int32 = 0
	NamePrincipal  int32 = 1
	NameService    int32 = 2 // NT-SRV-INST
	NameHost       int32 = 3 // NT-SRV-HST
	NameEnterprise int32 = 10
)

// Limits on names in requests. Active Directory's own are smaller: 256 characters for a service principal name's host.
const (
	maxNameParts = 16
	maxNameText  = 1024
)

// A Name is a PrincipalName, RFC 4120 5.2.2, without the realm.
type Name struct {
	Type  int32
	Parts []string
}

// ParseName splits "host/web.contoso.com" at the slashes and gives a name of the type.
func ParseName(nameType int32, s string) Name { return Name{nameType, strings.Split(s, "/")} }

// String joins the parts with slashes.
func (n Name) String() string { return strings.Join(n.Parts, "/") }

// EqualFold compares parts without regard to case or type: Active Directory's names have no case, and clients use the types
// interchangeably.
func (n Name) EqualFold(o Name) bool {
	if len(n.Parts) != len(o.Parts) {
		return false
	}
	for i := range n.Parts {
		if !strings.EqualFold(n.Parts[i], o.Parts[i]) {
			return false
		}
	}
	return true
}

func (n Name) is(parts ...string) bool { return n.EqualFold(Name{Parts: parts}) }

func (r *reader) name(n byte) Name {
	s := r.inner(n)
	name := Name{Type: int32(s.integer(0))}
	list := s.inner(1)
	total := 0
	for list.err == nil && len(list.b) > 0 {
		part := list.want(tagString)
		total += len(part)
		if len(name.Parts) == maxNameParts || total > maxNameText {
			list.fail("name is too long")
			break
		}
		name.Parts = append(name.Parts, string(part))
	}
	s.adopt(list)
	r.adopt(s)
	return name
}

func (w *writer) name(n byte, name Name) {
	m := w.mark()
	w.bareName(name)
	w.wrap(tagContext+n, m)
}

func (w *writer) bareName(name Name) {
	m := w.mark()
	for i := len(name.Parts) - 1; i >= 0; i-- {
		p := w.mark()
		w.rawText(name.Parts[i])
		w.wrap(tagString, p)
	}
	w.wrap2(1, tagSequence, m)
	w.integer(0, int64(name.Type))
	w.wrap(tagSequence, m)
}
