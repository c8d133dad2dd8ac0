package directory

import (
	"encoding/hex"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/dn"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// resolve finds the object that a DN of a request names, in its plain form or as <GUID=…>, <SID=…> or <WKGUID=…,…> ([MS-ADTS]
// 3.1.1.3.1.2.4). The error is an *Error: 34 for what is no name, 10 for another domain's, 32 for nothing.
func (v *view) resolve(name string, rights *rights, deleted bool) (*entry, error) {
	if strings.HasPrefix(name, "<") {
		e, err := v.resolveBracket(name)
		if err != nil {
			return nil, err
		}
		if e == nil || e.hidden() && !deleted || !rights.see(e) {
			return nil, noObject(dn.DN{})
		}
		return e, nil
	}
	for k := range ncKinds { // the usual bases, spelled as the root DSE does
		if nc := v.r.ncs[k]; v.r.holds(k) && nc.dn.String() == name {
			return v.head(k), nil
		}
	}
	d, err := dn.Parse(name)
	if err != nil {
		return nil, badName(name)
	}
	return v.resolveDN(d, rights, deleted)
}

func (v *view) resolveDN(d dn.DN, rights *rights, deleted bool) (*entry, error) {
	if host := v.foreignHost(d); host != "" {
		return nil, elsewhere(host, d)
	}
	e := v.byDN(d)
	if e == nil || e.hidden() && !deleted || !rights.see(e) {
		return nil, v.missing(d, rights)
	}
	return e, nil
}

// foreignHost is the DNS name to refer to for a name that is not in a naming context of this domain controller; empty when it is, or
// when nobody knows.
func (v *view) foreignHost(d dn.DN) string {
	best, host := -1, ""
	for k := range ncKinds {
		if nc := v.r.ncs[k]; v.r.holds(k) && d.IsUnder(nc.dn) && len(nc.dn.Key()) > best {
			best, host = len(nc.dn.Key()), ""
		}
	}
	for _, o := range v.f.domains {
		if o == v.r.domain {
			continue
		}
		for _, k := range []ncKind{ncDomain, ncDomainDNS} {
			if nc := o.ncs[k]; d.IsUnder(nc.dn) && len(nc.dn.Key()) > best {
				best, host = len(nc.dn.Key()), nc.dns
			}
		}
	}
	if best >= 0 {
		return host
	}
	return d.DNSName() // outside the forest: the DC components are taken at their word
}

// missing is noSuchObject for a name: the best match is the nearest ancestor there is.
func (v *view) missing(d dn.DN, rights *rights) error { return v.missingCode(0x208D, d, rights) }

func (v *view) missingCode(code uint32, d dn.DN, rights *rights) error {
	for d = d.Parent(); !d.IsZero(); d = d.Parent() {
		if e := v.byDN(d); e != nil && !e.hidden() && rights.see(e) {
			return noObjectCode(code, e.name)
		}
	}
	return noObjectCode(code, dn.DN{})
}

func (v *view) resolveBracket(name string) (*entry, error) {
	inner, ok := strings.CutSuffix(name[1:], ">")
	kind, value, found := strings.Cut(inner, "=")
	if !ok || !found {
		return nil, badName(name)
	}
	switch strings.ToUpper(kind) {
	case "GUID":
		g, err := security.ParseGUID(value)
		if b, hexErr := hex.DecodeString(value); err != nil && hexErr == nil {
			g, err = security.GUIDFromBytes(b)
		}
		if err != nil {
			return nil, badName(name)
		}
		return v.byGUID(g), nil
	case "SID":
		sid, err := security.ParseSID(value)
		if b, hexErr := hex.DecodeString(value); err != nil && hexErr == nil {
			sid, err = security.SIDFromBytes(b)
		}
		if err != nil {
			return nil, badName(name)
		}
		return v.bySID(sid), nil
	case "WKGUID":
		guid, below, found := strings.Cut(value, ",")
		if b, err := hex.DecodeString(guid); !found || err != nil || len(b) != 16 {
			return nil, badName(name)
		}
		d, err := dn.Parse(below)
		if err != nil {
			return nil, badName(name)
		}
		head := v.byDN(d)
		if head == nil {
			return nil, nil
		}
		prefix := "B:32:" + strings.ToUpper(guid) + ":"
		for _, a := range []attrID{aWellKnownObjects, aOtherWellKnownObjects} {
			for _, val := range head.values(a) {
				if rest, ok := strings.CutPrefix(string(val), prefix); ok {
					return v.byName(rest), nil
				}
			}
		}
		return nil, nil
	}
	return nil, badName(name)
}
