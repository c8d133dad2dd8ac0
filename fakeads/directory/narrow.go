package directory

import (
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/filter"
)

// Narrow tells whether an index leads from a filter to the few objects that can match it, so that a search for them takes no
// time worth speaking of, whatever the base.
func Narrow(f *filter.Filter) bool {
	if f == nil {
		return false
	}
	switch f.Op {
	case filter.And:
		for _, c := range f.Children {
			if Narrow(c) {
				return true
			}
		}
	case filter.Or:
		for _, c := range f.Children {
			if !Narrow(c) {
				return false
			}
		}
		return len(f.Children) > 0
	case filter.Equal:
		name, _, _ := strings.Cut(f.Attr, ";")
		d := theSchema().attr(name)
		if d == nil {
			return false
		}
		m := matcher{op: matchEqual, def: d}
		return d.id != aObjectClass && m.rank() <= planValue
	}
	return false
}
