package directory

import (
	"context"
	"slices"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// Delete makes a tombstone; tree is control 1.2.840.113556.1.4.805. Errors are *Error.
//
// Not modelled: the recycle bin, bringing tombstones back, and their end after tombstoneLifetime.
func (r *Replica) Delete(ctx context.Context, c *Caller, name string, tree bool) error {
	if err := r.forest.mustBind(c); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.update(c, func(t *tx) error {
		rights := t.writeRights()
		e, err := t.resolve(name, rights, false)
		if err != nil {
			return err
		}
		return t.delete(rights, e, tree)
	})
}

func (t *tx) delete(rights *rights, e *entry, tree bool) error {
	if e.nc == ncSchema || e.parent == 0 {
		return unwilling(errUnwilling)
	}
	if uint32(e.int(aSystemFlags))&flagDisallowDelete != 0 || e.bool(aIsCriticalSystemObject) && !t.c.System {
		return unwilling(errCantDelete)
	}
	byTree := tree && rights.has(e, security.RightDeleteTree, security.ObjectTypes{})
	if !byTree && !t.mayRemove(rights, e, t.byID(e.parent)) {
		return secErr()
	}
	return t.entomb(e, tree)
}

// entomb turns an object and, with tree, everything below into tombstones.
func (t *tx) entomb(e *entry, tree bool) error {
	for _, id := range t.children(nil, e, 0) {
		if !tree {
			return updErr(resultNotOnNonLeaf, errCantOnNonLeaf, 6003, "CANT_ON_NON_LEAF")
		}
		child := t.byID(id)
		if uint32(child.int(aSystemFlags))&flagDisallowDelete != 0 || child.bool(aIsCriticalSystemObject) && !t.c.System {
			return unwilling(errCantDelete)
		}
		if err := t.entomb(child, true); err != nil {
			return err
		}
	}
	if err := t.prepareDelete(e); err != nil {
		return err
	}
	x := t.edit(e)
	for _, a := range slices.Clone(e.attrs) {
		if !keptOnTombstone(t.s.def(a.id)) {
			x.remove(a.id)
		}
	}
	x.setBool(aIsDeleted, true)
	if p := t.byID(e.parent); p != nil {
		x.setText(aLastKnownParent, p.name.String())
	}
	x.e.deleted = true
	if e.cred != nil {
		x.setCredentials(nil)
	}
	for _, l := range slices.Clone(x.e.links) {
		x.changeLink(l, false)
	}
	// The name makes room for another object of the same one ([MS-ADTS] 3.1.1.5.5.6).
	container := t.byDN(t.r.ncs[e.nc].dn.Child("CN", "Deleted Objects"))
	if container == nil || uint32(e.int(aSystemFlags))&flagDisallowMoveOnDelete != 0 {
		container = t.byID(e.parent)
	}
	attr, value := e.name.RDN()
	x.rename(container, attr, tombstoneName(value, e.guid))
	x.save()
	return nil
}

// tombstoneName is the RDN of a deleted object; the old name is cut so that it fits 255 characters.
func tombstoneName(value string, guid security.GUID) string {
	const room = 75 // as many as Windows keeps ([MS-ADTS] 3.1.1.5.5.6.1)
	if r := []rune(value); len(r) > room {
		value = string(r[:room])
	}
	return value + "\nDEL:" + guid.String()
}

// keptOnTombstone: what a tombstone keeps ([MS-ADTS] 3.1.1.5.5.1.1).
func keptOnTombstone(d *attrDef) bool {
	switch d.id {
	case aObjectCategory, aSAMAccountType:
		return false
	case aObjectSid, aSAMAccountName, aObjectClass, aInstanceType, aIsDeleted, aLastKnownParent, aUserAccountControl, aGroupType,
		aDNSHostName, aSystemFlags, aSIDHistory, aFlatName, aTrustPartner, aOMSyntax:
		return true
	}
	return d.searchFlags&searchPreserve != 0
}
