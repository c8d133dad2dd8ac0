package directory

import (
	"context"

	"github.com/gmsasim/gmsasim/fakeads/dn"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// Bits of systemFlags that protect an object, [MS-ADTS] 2.2.11.
const (
	flagDisallowMoveOnDelete = 0x02000000
	flagDisallowMove         = 0x04000000
	flagDisallowRename       = 0x08000000
	flagConfigAllowRename    = 0x40000000
	flagConfigAllowMove      = 0x20000000
	flagConfigLimitedMove    = 0x10000000
	flagDisallowDelete       = 0x80000000
)

// ModifyDN renames or moves an object. deleteOld makes no difference: the RDN attribute has one value. Errors are *Error.
func (r *Replica) ModifyDN(ctx context.Context, c *Caller, name, newRDN string, deleteOld bool, newSuperior string) error {
	if err := r.forest.mustBind(c); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.update(c, func(t *tx) error { return t.modifyDN(name, newRDN, newSuperior) })
}

func (t *tx) modifyDN(name, newRDN, newSuperior string) error {
	rights := t.writeRights()
	e, err := t.resolve(name, rights, false)
	if err != nil {
		return err
	}
	rdn, err := dn.Parse(newRDN)
	if err != nil || rdn.Depth() != 1 {
		return badName(newRDN)
	}
	if e.nc == ncSchema || e.parent == 0 {
		return unwilling(errUnwilling)
	}
	attr, value := rdn.RDN()
	def := t.s.attr(attr)
	if def == nil || def.id != e.class.rdn {
		return updErr(resultNamingViolation, errRDNNotSchema, 6001, "NAME_VIOLATION")
	}
	if err := def.inRange([]byte(value)); err != nil {
		return err
	}
	old := t.byID(e.parent)
	parent := old
	if newSuperior != "" {
		if parent, err = t.resolve(newSuperior, rights, false); err != nil {
			return err
		}
	}
	moves, renames := parent != old, string(e.rdn[0]) != value
	flags := uint32(e.int(aSystemFlags))
	if e.nc == ncConfiguration {
		// In the configuration what is not allowed is forbidden.
		if renames && flags&flagConfigAllowRename == 0 && flags&flagDisallowRename != 0 || moves && flags&(flagConfigAllowMove|flagConfigLimitedMove) == 0 {
			return unwilling(errIllegalModification)
		}
	} else if renames && flags&flagDisallowRename != 0 || moves && flags&flagDisallowMove != 0 {
		return unwilling(errIllegalModification)
	}
	if moves {
		if parent.nc != e.nc {
			return &Error{Result: resultAffectsMultipleDSAs, Code: errAcrossNamingContexts, Text: updErr(0, errAcrossNamingContexts, 6007, "AFFECTS_MULTIPLE_DSAS").Text}
		}
		if parent.name.IsUnder(e.name) {
			return unwilling(errIllegalModification)
		}
		if !e.class.mayBeUnder(parent.class) {
			return updErr(resultNamingViolation, errIllegalSuperior, 6001, "NAME_VIOLATION")
		}
		if !t.mayRemove(rights, e, old) || !rights.has(parent, security.RightCreateChild, security.ObjectTypes{Class: e.class.guid}) {
			return secErr()
		}
	}
	if renames && (!rights.write(e, t.s.def(aName)) || !rights.write(e, def)) {
		return secErr()
	}
	next := parent.name.Child(attr, value)
	if o := t.byDN(next); o != nil && o.id != e.id {
		return updErr(resultAlreadyExists, errNameExists, 6005, "ENTRY_EXISTS")
	}
	x := t.edit(e)
	x.rename(parent, attr, value)
	if moves {
		x.setDescriptor(newDescriptor(security.Inherit(parent.sd.get(), e.sd.get(), nil, e.class.guid)))
	}
	if err := t.prepareModify(x); err != nil {
		return err
	}
	stored := x.save()
	if stored.sd != e.sd {
		t.propagate(stored)
	}
	return nil
}

// mayRemove: DELETE on the object or DELETE_CHILD on its parent ([MS-ADTS] 3.1.1.5.5.3).
func (t *tx) mayRemove(rights *rights, e, parent *entry) bool {
	return rights.has(e, security.RightDelete, security.ObjectTypes{}) ||
		parent != nil && rights.has(parent, security.RightDeleteChild, security.ObjectTypes{Class: e.class.guid})
}
