package setup

import (
	"path"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// index notes which files the set has by name, and what is in each.
func (s *Setup) index() {
	s.byName, s.inFile = map[string][]*source.File{}, map[*source.File][]*Document{}
	for _, f := range s.Files {
		s.byName[nameKey(f.Name)] = append(s.byName[nameKey(f.Name)], f)
	}
	for _, d := range s.Documents {
		s.inFile[d.File] = append(s.inFile[d.File], d)
	}
}

// nameKey is what files are found by: the last part of their name, whatever the letters' case, as Windows compares.
func nameKey(name string) string { return strings.ToLower(baseName(name)) }

// leave notes the name of a file that the set forgets: it is there, and others may name it.
func (s *Setup) leave(f *source.File) {
	if s.left == nil {
		s.left = map[string]bool{}
	}
	s.left[nameKey(f.Name)] = true
}

// link gives each use the document that it names, when it is among the set.
func (s *Setup) link() {
	for _, u := range s.Uses {
		if u.Spec != nil {
			continue
		}
		switch u.Source {
		case FromFile:
			u.Spec, u.Missing = s.specIn(u.File, u.Value)
		case FromObject:
			u.Spec, u.Missing = s.objectNamed(u.Value)
		case FromConfig:
			u.Spec, u.Missing = s.configNamed(u)
		case FromInline:
			u.Spec, u.Missing = s.inlineValue(u)
		case FromS3, FromSSM:
			u.Spec, u.Missing = s.stored(u)
		case FromRegistry:
			u.Missing = NotHeld
		default:
			u.Missing = NotNamed
		}
	}
}

// inlineValue is the credential spec in a use's own text.
func (s *Setup) inlineValue(u *Use) (*credspec.Document, Missing) {
	switch o := u.Chosen(); {
	case o == nil || o.Value == nil:
		return nil, NotNamed
	case o.Value.Open:
		return nil, NotSupplied
	default:
		return s.inline(o.Value), NotMissing
	}
}

// specIn is the credential spec in the file of the set that a path means for a file: the last part of the path decides, since the engine's
// folder is not what the user has at hand.
func (s *Setup) specIn(from *source.File, name string) (*credspec.Document, Missing) {
	f := s.near(from, name)
	if f == nil {
		return nil, NotSupplied
	}
	return s.promote(f), NotMissing
}

// promote is the credential spec in a file, which is one because somebody uses it as one, whatever it looks like.
func (s *Setup) promote(f *source.File) *credspec.Document {
	for _, d := range s.inFile[f] {
		if d.Spec != nil {
			return d.Spec
		}
	}
	list := s.inFile[f]
	for _, d := range list {
		if d.Form != FormUnknown {
			return &credspec.Document{File: f, Root: d.Root, Faults: d.Faults}
		}
	}
	spec := credspec.Read(f)
	d := &Document{Form: FormCredentialSpec, File: f, Root: spec.Root, Faults: spec.Faults, Spec: spec}
	if len(list) == 1 {
		*list[0] = *d
		return spec
	}
	s.Documents = append(s.Documents, d)
	s.inFile[f] = append(list, d)
	return spec
}

// FileNamed is the file of the set that a path in another file means; nil when there is none, or when it has nothing that is of interest here.
func (s *Setup) FileNamed(from *source.File, name string) *source.File { return s.near(from, name) }

// HasFile tells whether a file of the name that a path ends in is among the files that were given.
func (s *Setup) HasFile(name string) bool {
	return len(s.byName[nameKey(name)]) > 0 || s.left[nameKey(name)]
}

// baseName is the last part of a path with either separator.
func baseName(name string) string {
	return path.Base(strings.ReplaceAll(name, `\`, "/"))
}
