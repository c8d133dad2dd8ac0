package simulator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/filter"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

func (d *Domain) firstDCOf(dom *directory.Domain) *DC {
	for _, dc := range d.dcs {
		if dc.dom == dom {
			return dc
		}
	}
	return d.dcs[0]
}

// lookup finds an account or group on a DC by NAME or DOMAIN\NAME, a computer or service account with and without the final $.
func (d *Domain) lookup(dc *DC, name string, attrs ...string) (*directory.Entry, error) {
	base := dc.dom.DN
	nb, sam, qualified := strings.Cut(name, `\`)
	if !qualified {
		sam = name
	} else if dom := d.forest.Domain(nb); dom != nil {
		base = dom.DN
		if dom != dc.dom {
			dc = d.firstDCOf(dom)
		}
	} else {
		return nil, fmt.Errorf("no domain %q", nb)
	}
	for _, s := range []string{sam, sam + "$"} {
		var found *directory.Entry
		f := &filter.Filter{Op: filter.Equal, Attr: "sAMAccountName", Value: []byte(s)}
		err := dc.search(base, f, append([]string{"distinguishedName"}, attrs...), func(e *directory.Entry) {
			if found == nil {
				found = cloneEntry(e)
			}
		})
		if err != nil {
			return nil, err
		}
		if found != nil {
			return found, nil
		}
	}
	return nil, &unknownNameError{name: name, dc: dc}
}

// unknownNameError: a name that an administrator gave is no account's or group's.
type unknownNameError struct {
	name string
	dc   *DC
}

func (e *unknownNameError) Error() string {
	return fmt.Sprintf("cannot find an object with identity: '%s' under: '%s'", e.name, e.dc.dom.DN)
}

func cloneEntry(e *directory.Entry) *directory.Entry {
	c := &directory.Entry{DN: e.DN, Attributes: slices.Clone(e.Attributes)}
	for i := range c.Attributes {
		c.Attributes[i].Values = slices.Clone(c.Attributes[i].Values)
	}
	return c
}

func (d *Domain) dnOf(dc *DC, name string) (string, error) {
	e, err := d.lookup(dc, name)
	if err != nil {
		return "", err
	}
	return e.DN, nil
}

func (d *Domain) sidOf(dc *DC, name string) (security.SID, error) {
	e, err := d.lookup(dc, name, "objectSid")
	if err != nil {
		return security.SID{}, err
	}
	return security.SIDFromBytes([]byte(e.Value("objectSid")))
}
