package simulator

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/filter"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// nameOf is the name of a SID as the cmdlets print it; the SID itself when it is nobody's.
func (c *ldapConn) nameOf(sid security.SID) string {
	f := &filter.Filter{Op: filter.Equal, Attr: "objectSid", Value: sid.Bytes()}
	entries, err := c.search(c.dc.dom.DN, f, "sAMAccountName")
	if err != nil || len(entries) == 0 {
		return sid.String()
	}
	return entries[0].value("sAMAccountName")
}

// sids resolves the names of principals to their SIDs, over LDAP as the cmdlets do.
func (c *ldapConn) sids(names []string) ([]security.SID, error) {
	var list []security.SID
	for _, n := range names {
		e, err := c.principal(n, "objectSid")
		if unknown, ok := errors.AsType[*unknownNameError](err); ok {
			return nil, &unknownPrincipalError{*unknown}
		}
		if err != nil {
			return nil, err
		}
		sid, err := security.SIDFromBytes([]byte(e.value("objectSid")))
		if err != nil {
			return nil, fmt.Errorf("objectSid of %s: %w", n, err)
		}
		list = append(list, sid)
	}
	return list, nil
}

// principal finds an account or group by NAME, NAME$, a SID or a DN.
func (c *ldapConn) principal(name string, attrs ...string) (*ldapEntry, error) {
	if sid, err := security.ParseSID(name); err == nil {
		f := &filter.Filter{Op: filter.Equal, Attr: "objectSid", Value: sid.Bytes()}
		entries, err := c.search(c.dc.dom.DN, f, attrs...)
		if err != nil {
			return nil, err
		}
		if len(entries) == 1 {
			return entries[0], nil
		}
		return nil, &unknownNameError{name: name, dc: c.dc}
	}
	for _, sam := range []string{name, name + "$"} {
		e, err := c.findAccount(c.dc.dom.DN, sam, attrs...)
		if !errors.Is(err, errAbsent) {
			return e, err
		}
	}
	return nil, &unknownNameError{name: name, dc: c.dc}
}

// exactly finds an account or group by its sAMAccountName, SID or DN, and by nothing near it.
func (c *ldapConn) exactly(name string, attrs ...string) (*ldapEntry, error) {
	if strings.HasPrefix(name, "S-1-") || strings.Contains(name, "=") {
		return c.principal(name, attrs...)
	}
	e, err := c.findAccount(c.dc.dom.DN, name, attrs...)
	if errors.Is(err, errAbsent) {
		err = &unknownNameError{name: name, dc: c.dc}
	}
	return e, err
}

// sameAccount compares account names without regard to case and a final $.
func sameAccount(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "$"), strings.TrimSuffix(b, "$"))
}
