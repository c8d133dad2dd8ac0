package directory

import (
	"context"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// Modify changes an object; permissive is control 1.2.840.113556.1.4.1413. Errors are *Error.
func (r *Replica) Modify(ctx context.Context, c *Caller, name string, mods []Modification, permissive bool) error {
	if err := r.forest.mustBind(c); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.update(c, func(t *tx) error { return t.modify(name, mods, permissive) })
}

// validatedWrites are the rights to write an attribute when the value is checked, [MS-ADTS] 5.1.3.2.2.
var validatedWrites = map[attrID]security.GUID{
	aServicePrincipalName: security.MustGUID("f3a64788-5306-11d1-a9c5-0000f80367c1"),
	aDNSHostName:          security.MustGUID("72e39547-7b18-11d1-adef-00c04fd8d5cd"),
	aMember:               security.MustGUID("bf9679c0-0de6-11d0-a285-00aa003049e2"),
}

func (t *tx) modify(name string, mods []Modification, permissive bool) error {
	rights := t.writeRights()
	e, err := t.resolve(name, rights, t.c.System)
	if err != nil {
		return err
	}
	if e.nc == ncSchema {
		return unwilling(errUnwilling)
	}
	x := t.edit(e)
	aux := e.auxiliaries(t.s)
	var passwords []Modification
	var checked []attrID
	for i := range mods {
		m := &mods[i]
		name, _, _ := strings.Cut(m.Attribute.Name, ";")
		def := t.s.attr(name)
		if def == nil {
			return t.undefinedAttribute()
		}
		if m.Op < ModAdd || m.Op > ModReplace {
			return t.f.ldapErr(resultUnwilling, errConversion, "0C090F8F", "Error in attribute conversion operation")
		}
		if def.id == aUnicodePwd {
			passwords = append(passwords, *m)
			continue
		}
		if err := t.mayModify(e, def, rights, &checked); err != nil {
			return err
		}
		switch {
		case def.id == aObjectClass:
			aux, err = t.modifyClasses(x, m, aux)
		case def.id == aNTSecurityDescriptor:
			err = t.modifyDescriptor(x, m, rights)
		case !e.class.allows(def.id, aux) && m.Op != ModDelete:
			err = notInClass(def)
		case def.forwardLink && def.syntax == synDN:
			err = t.modifyLinks(x, def, m, permissive)
		default:
			err = t.modifyValues(x, def, m, permissive)
		}
		if err != nil {
			return err
		}
	}
	if len(passwords) > 0 {
		if err := t.modifyPassword(e, x, passwords); err != nil {
			return err
		}
	}
	for _, a := range checked {
		if err := t.validated(e, x, a); err != nil {
			return err
		}
	}
	if err := t.prepareModify(x); err != nil {
		return err
	}
	if len(x.changed) > 0 {
		if err := t.checkMust(&x.e, aux); err != nil && t.checkMust(e, aux) == nil {
			return err
		}
	}
	next := x.save()
	if next.sd != e.sd {
		t.propagate(next)
	}
	return nil
}

// mayModify checks that a client may write the attribute at all and that the caller has the right to.
func (t *tx) mayModify(e *entry, def *attrDef, rights *rights, checked *[]attrID) error {
	switch {
	case def.id == e.class.rdn && !t.c.System, def.id == aName:
		return updErr(resultNotOnRDN, errCantOnRDN, 6004, "CANT_ON_RDN")
	case def.constructed:
		return attrErr(resultConstraintViolation, errSystemOnly, 1005, def)
	case def.backLink || def.secret:
		return unwilling(errOwnedBySAM)
	case t.c.System:
		return nil
	case def.id == aObjectSid || def.id == aSAMAccountType || def.id == aPrimaryGroupID && e.is("group"):
		return unwilling(errOwnedBySAM)
	case def.id == aObjectClass || def.id == aNTSecurityDescriptor:
		if def.id == aObjectClass && !rights.write(e, def) {
			return secErr()
		}
		return nil
	}
	if !rights.write(e, def) {
		right, ok := validatedWrites[def.id]
		if !ok || !rights.has(e, security.RightSelf, security.ObjectTypes{ExtendedRight: right}) {
			return secErr()
		}
		if !slices.Contains(*checked, def.id) {
			*checked = append(*checked, def.id)
		}
	}
	if def.systemOnly {
		return attrErr(resultConstraintViolation, errSystemOnly, 1005, def)
	}
	return nil
}

// modifyValues applies one modification to an attribute that is no link.
func (t *tx) modifyValues(x *draft, def *attrDef, m *Modification, permissive bool) error {
	a := def.id
	if m.Op == ModDelete && len(m.Attribute.Values) == 0 || m.Op == ModReplace && len(m.Attribute.Values) == 0 {
		if !x.e.has(a) {
			if m.Op == ModDelete && !permissive {
				return attrErr(resultNoSuchAttribute, errAttributeMissing, 1001, def)
			}
			return nil
		}
		x.remove(a)
		return nil
	}
	if len(m.Attribute.Values) == 0 {
		return t.badValue()
	}
	if m.Op == ModDelete {
		for _, v := range m.Attribute.Values {
			c, ok := def.canonical(t.s, v)
			if !ok || !x.removeValue(a, c) {
				if permissive {
					continue
				}
				return attrErr(resultNoSuchAttribute, errValueMissing, 1001, def)
			}
		}
		return nil
	}
	values, err := t.canonicalValues(def, m.Attribute.Values)
	if err != nil {
		return err
	}
	if m.Op == ModReplace {
		if def.single && len(values) > 1 {
			return attrErr(resultConstraintViolation, errSingleValue, 1005, def)
		}
		x.setShared(a, values)
		return nil
	}
	for _, v := range values {
		if x.indexOf(a, v) >= 0 {
			if permissive {
				continue
			}
			return attrErr(resultAttributeOrValueExists, errValueExists, 1006, def)
		}
		if def.single && x.e.has(a) {
			return attrErr(resultConstraintViolation, errSingleValue, 1005, def)
		}
		x.addValue(a, v)
	}
	return nil
}

// modifyLinks applies one modification to a forward link attribute.
func (t *tx) modifyLinks(x *draft, def *attrDef, m *Modification, permissive bool) error {
	a := def.id
	targets := make([]*entry, 0, len(m.Attribute.Values))
	for _, v := range m.Attribute.Values {
		e, err := t.linkTarget(def, v)
		if err != nil {
			return err
		}
		targets = append(targets, e)
	}
	if def.single && m.Op != ModDelete && (len(targets) > 1 || m.Op == ModAdd && len(x.e.linksOf(a)) > 0) {
		return attrErr(resultConstraintViolation, errSingleValue, 1005, def)
	}
	clear := func() {
		for _, l := range slices.Clone(x.e.linksOf(a)) {
			x.changeLink(l, false)
		}
	}
	switch {
	case m.Op == ModAdd:
		for _, e := range targets {
			if !x.addLink(a, e) && !permissive {
				return alreadyLinked(def)
			}
		}
	case m.Op == ModDelete && len(targets) == 0:
		if len(x.e.linksOf(a)) == 0 && !permissive {
			return attrErr(resultNoSuchAttribute, errAttributeMissing, 1001, def)
		}
		clear()
	case m.Op == ModDelete:
		for _, e := range targets {
			if !x.removeLink(a, e) && !permissive {
				if a == aMember {
					return updErr(resultUnwilling, errMemberNotInGroup, 5001, "MEMBER_NOT_IN_GROUP")
				}
				return attrErr(resultNoSuchAttribute, errValueMissing, 1001, def)
			}
		}
	default:
		clear()
		for _, e := range targets {
			x.addLink(a, e)
		}
	}
	return nil
}

// auxiliaries are the classes that were added to the object's own.
func (e *entry) auxiliaries(s *schema) []*classDef {
	i, ok := e.lookup(aObjectClass)
	if !ok {
		return nil
	}
	var list []*classDef
	for _, v := range e.attrs[i].values() {
		if c := s.class(string(v)); c != nil && !e.class.is(c) {
			list = append(list, c)
		}
	}
	return list
}

// modifyClasses adds and removes auxiliary classes; the structural class stays ([MS-ADTS] 3.1.1.5.3.3).
func (t *tx) modifyClasses(x *draft, m *Modification, aux []*classDef) ([]*classDef, error) {
	prohibited := updErr(resultObjectClassMods, errCantModClass, 6008, "CANT_MOD_OBJ_CLASS")
	var given []*classDef
	for _, v := range m.Attribute.Values {
		c := t.s.class(string(v))
		if c == nil {
			return nil, t.undefinedAttribute()
		}
		given = append(given, c)
	}
	if m.Op == ModReplace {
		if !slices.Contains(given, x.e.class) {
			return nil, prohibited
		}
		aux = nil
	}
	aux = slices.Clone(aux)
	for _, c := range given {
		switch {
		case m.Op == ModDelete && slices.Contains(aux, c):
			aux = slices.DeleteFunc(aux, func(a *classDef) bool { return a == c })
		case m.Op == ModDelete:
			return nil, prohibited
		case x.e.class.is(c) && m.Op == ModReplace:
		case c.category != 3 || slices.Contains(aux, c) || x.e.class.is(c):
			return nil, prohibited
		default:
			aux = append(aux, c)
		}
	}
	if len(aux) == 0 {
		x.remove(aObjectClass)
		return nil, nil
	}
	values := slices.Clone(x.e.class.chainValues)
	for _, a := range aux {
		values = append(values, a.nameBytes)
	}
	x.setShared(aObjectClass, values)
	return aux, nil
}

// modifyDescriptor replaces the parts that the new descriptor has, each with its own right ([MS-ADTS] 5.1.3.2.1): the DACL with
// WRITE_DAC, owner and group with WRITE_OWNER, the SACL with SeSecurityPrivilege.
func (t *tx) modifyDescriptor(x *draft, m *Modification, rights *rights) error {
	def := t.s.def(aNTSecurityDescriptor)
	if m.Op == ModDelete || len(m.Attribute.Values) != 1 {
		return attrErr(resultConstraintViolation, errIllegalModification, 1005, def)
	}
	given, err := security.ParseDescriptor(m.Attribute.Values[0])
	if err != nil {
		return t.badValue()
	}
	e := x.old
	sd := *e.sd.get()
	if !given.Owner.IsZero() && given.Owner != sd.Owner || !given.Group.IsZero() && given.Group != sd.Group {
		if !rights.has(e, security.RightWriteOwner, security.ObjectTypes{}) {
			return secErr()
		}
		if !given.Owner.IsZero() {
			// Only oneself and one's groups can be made owner ([MS-ADTS] 6.1.3.4); the system and backup operators may do more.
			if given.Owner != sd.Owner && !t.c.System && !t.c.Token.Has(given.Owner) && !t.c.Token.SecurityPrivilege() {
				return &Error{Result: resultConstraintViolation, Code: 0x51B, Text: "0000051B: AtrErr: DSID-030F22B2, #1:\n\t0: 0000051B: DSID-030F22B2, problem 1005 (CONSTRAINT_ATT_TYPE), data 0, Att 20119 (nTSecurityDescriptor)\n"}
			}
			sd.Owner = given.Owner
		}
		if !given.Group.IsZero() {
			sd.Group = given.Group
		}
	}
	if given.Control&security.DACLPresent != 0 {
		if !rights.has(e, security.RightWriteDAC, security.ObjectTypes{}) {
			return secErr()
		}
		const bits = security.DACLPresent | security.DACLProtected | security.DACLAutoInherited | security.DACLAutoInheritReq
		sd.DACL, sd.Control = given.DACL, sd.Control&^bits|given.Control&bits
	}
	if given.Control&security.SACLPresent != 0 && given.SACL != nil && len(given.SACL.ACEs) > 0 {
		if !t.c.System && !t.c.Token.SecurityPrivilege() {
			return secErr()
		}
		const bits = security.SACLPresent | security.SACLProtected | security.SACLAutoInherited
		sd.SACL, sd.Control = given.SACL, sd.Control&^bits|given.Control&bits
	}
	var parent *security.Descriptor
	if p := t.byID(e.parent); p != nil {
		parent = p.sd.get()
	}
	x.setDescriptor(newDescriptor(security.Inherit(parent, &sd, nil, e.class.guid)))
	return nil
}

// propagate brings the inherited entries of everything below an object in step with its descriptor ([MS-ADTS] 6.1.3.2).
func (t *tx) propagate(e *entry) {
	type key struct {
		old   *descriptor
		class *classDef
	}
	made := map[key]*descriptor{}
	for _, id := range t.children(nil, e, 0) {
		child := t.byID(id)
		if child.deleted {
			continue
		}
		k := key{child.sd, child.class}
		sd := made[k]
		if sd == nil {
			sd = newDescriptor(security.Inherit(e.sd.get(), child.sd.get(), nil, child.class.guid))
			made[k] = sd
		}
		if string(sd.values()[0]) == string(child.sd.values()[0]) {
			continue
		}
		x := t.edit(child)
		x.setDescriptor(sd)
		t.propagate(x.save())
	}
}
