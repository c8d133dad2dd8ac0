package directory

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gmsasim/gmsasim/fakeads/dn"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// Windows codes of the mechanics of updates (winerror.h).
const (
	errNoSuchUser          = 0x525  // ERROR_NO_SUCH_USER
	errConversion          = 0x57   // ERROR_INVALID_PARAMETER
	errCantOnNonLeaf       = 0x2015 // ERROR_DS_CANT_ON_NON_LEAF
	errCantOnRDN           = 0x2016 // ERROR_DS_CANT_ON_RDN
	errCantModClass        = 0x2017 // ERROR_DS_CANT_MOD_OBJ_CLASS
	errUnwilling           = 0x2035 // ERROR_DS_UNWILLING_TO_PERFORM
	errNameExists          = 0x2071 // ERROR_DS_OBJ_STRING_NAME_EXISTS
	errRDNNotSchema        = 0x2073 // ERROR_DS_RDN_DOESNT_MATCH_SCHEMA
	errIllegalModification = 0x2077 // ERROR_DS_ILLEGAL_MOD_OPERATION
	errClassRequired       = 0x207B // ERROR_DS_OBJECT_CLASS_REQUIRED
	errMissingAttribute    = 0x207C // ERROR_DS_MISSING_REQUIRED_ATT
	errNotInClass          = 0x207D // ERROR_DS_ATT_NOT_DEF_FOR_CLASS
	errSingleValue         = 0x2081 // ERROR_DS_SINGLE_VALUE_CONSTRAINT
	errRange               = 0x2082 // ERROR_DS_RANGE_CONSTRAINT
	errValueExists         = 0x2083 // ERROR_DS_ATT_VAL_ALREADY_EXISTS
	errAttributeMissing    = 0x2084 // ERROR_DS_CANT_REM_MISSING_ATT
	errValueMissing        = 0x2085 // ERROR_DS_CANT_REM_MISSING_ATT_VAL
	errIllegalSuperior     = 0x2099 // ERROR_DS_ILLEGAL_SUPERIOR
	errOwnedBySAM          = 0x209A // ERROR_DS_ATTRIBUTE_OWNED_BY_SAM
	errSystemOnly          = 0x20B1 // ERROR_DS_CANT_MOD_SYSTEM_ONLY
	errCantDelete          = 0x20CE // ERROR_DS_CANT_DELETE
	// guess: a move to another naming context is refused with affectsMultipleDSAs and 00002078.
	errAcrossNamingContexts = 0x2078
)

// Add makes an object. Errors are *Error.
func (r *Replica) Add(ctx context.Context, c *Caller, name string, attrs []Attribute) error {
	if err := r.forest.mustBind(c); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.update(c, func(t *tx) error {
		_, err := t.add(name, attrs)
		return err
	})
}

// add makes an object as the transaction's caller.
func (t *tx) add(name string, attrs []Attribute) (*entry, error) {
	d, err := dn.Parse(name)
	if err != nil || d.IsZero() {
		return nil, badName(name)
	}
	rights := t.writeRights()
	if host := t.foreignHost(d); host != "" {
		return nil, elsewhere(host, d)
	}
	parent := t.parentOf(d)
	if parent == nil {
		if t.byDN(d) != nil { // the head of a naming context
			return nil, updErr(resultAlreadyExists, errNameExists, 6005, "ENTRY_EXISTS")
		}
		return nil, t.missing(d, rights)
	}
	if parent.hidden() || parent.nc == ncSchema {
		return nil, unwilling(errUnwilling)
	}
	class, aux, err := t.classes(attrs)
	if err != nil {
		return nil, err
	}
	t.byQuota = false
	if !rights.has(parent, security.RightCreateChild, security.ObjectTypes{Class: class.guid}) {
		if err := t.permitQuotaAdd(parent, class, attrs); err != nil {
			return nil, err
		}
	}
	if !class.mayBeUnder(parent.class) {
		return nil, updErr(resultNamingViolation, errIllegalSuperior, 6001, "NAME_VIOLATION")
	}
	rdnAttr, rdnValue := d.RDN()
	rdnDef := t.s.attr(rdnAttr)
	if rdnDef == nil || rdnDef.id != class.rdn {
		return nil, updErr(resultNamingViolation, errRDNNotSchema, 6001, "NAME_VIOLATION")
	}
	if err := rdnDef.inRange([]byte(rdnValue)); err != nil {
		return nil, err
	}
	if t.byDN(d) != nil {
		return nil, updErr(resultAlreadyExists, errNameExists, 6005, "ENTRY_EXISTS")
	}
	x := t.create(class, parent, d)
	x.e.attrs = t.scratch[:0] // save makes it the object's own
	var given *security.Descriptor
	for i := range attrs {
		if err := t.addAttribute(x, &attrs[i], aux, &given); err != nil {
			return nil, err
		}
	}
	if len(aux) > 0 {
		values := slices.Clone(class.chainValues)
		for _, a := range aux {
			values = append(values, a.nameBytes)
		}
		x.setShared(aObjectClass, values)
	}
	if !x.e.has(aObjectCategory) {
		x.setShared(aObjectCategory, t.f.categories[class.index])
	}
	x.setShared(aInstanceType, smallInts[4])
	owner, group := t.ownerOf(parent.nc)
	x.e.sd = t.descriptorFor(parent.sd, class, given, owner, group)
	if err := t.prepareAdd(x); err != nil {
		return nil, err
	}
	if err := t.checkMust(&x.e, aux); err != nil {
		return nil, err
	}
	return x.save(), nil
}

// parentOf is the object a new one goes below, nil when there is none. The last one is remembered: objects come in runs.
func (t *tx) parentOf(d dn.DN) *entry {
	p := d.Parent()
	if t.lastParent != nil && t.lastParent.name.Key() == p.Key() {
		if e := t.byID(t.lastParent.id); e == t.lastParent {
			return e
		}
	}
	k, ok := t.kindOf(d)
	if !ok || t.r.ncs[k].dn.Equal(d) {
		return nil
	}
	e := t.byDN(p)
	if e != nil && e.nc != k {
		return nil
	}
	t.lastParent = e
	return e
}

// writeRights are the caller's rights within the transaction. Descriptors are replaced as it goes, never changed in place, so what is
// remembered of one stays right.
func (t *tx) writeRights() *rights {
	if t.rightsOf == nil {
		t.rightsOf = t.view.rights(t.c)
	}
	t.rightsOf.parent = 0
	return t.rightsOf
}

// classes finds the structural class and the auxiliary classes besides its own.
func (t *tx) classes(attrs []Attribute) (class *classDef, aux []*classDef, err error) {
	violation := func() error {
		return updErr(resultObjectClassViolation, errClassRequired, 6002, "OBJ_CLASS_VIOLATION")
	}
	var buf [8]*classDef
	given := buf[:0]
	for i := range attrs {
		if !strings.EqualFold(attrs[i].Name, "objectClass") && attrs[i].Name != "2.5.4.0" {
			continue
		}
		for _, v := range attrs[i].Values {
			c := t.s.class(string(v))
			if c == nil || !t.defined(c) {
				return nil, nil, t.f.ldapErr(resultNoSuchAttribute, errConversion, "0C090D8A", "Error in attribute conversion operation")
			}
			given = append(given, c)
			if c.category <= 1 && (class == nil || len(c.chain) > len(class.chain)) {
				class = c
			}
		}
	}
	if class == nil {
		return nil, nil, violation()
	}
	for _, c := range given {
		switch {
		case class.parts[c] || slices.Contains(aux, c):
		case c.category == 3:
			aux = append(aux, c)
		default:
			return nil, nil, violation()
		}
	}
	return class, aux, nil
}

// onAdd are system-only attributes that a client may give to a new object. Those of managed passwords are replaced by the
// domain controller's own ([MS-ADTS] 3.1.1.5.2.2).
func onAdd(a attrID) bool {
	switch a {
	case aObjectClass, aInstanceType, aMsDSManagedPasswordInterval, aMsDSManagedPasswordId, aMsDSManagedPasswordPreviousId, aName, aMsDSOptionalFeatureGUID:
		return true
	}
	return false
}

func (t *tx) undefinedAttribute() error {
	return t.f.ldapErr(resultNoSuchAttribute, errConversion, "0C0910CA", "Error in attribute conversion operation")
}

// badValue refuses a value that is not of the attribute's syntax.
func (t *tx) badValue() error {
	return t.f.ldapErr(resultInvalidSyntax, errConversion, "0C090D8A", "Error in attribute conversion operation")
}

// addAttribute takes one attribute of an add into the draft.
func (t *tx) addAttribute(x *draft, a *Attribute, aux []*classDef, given **security.Descriptor) error {
	name, _, _ := strings.Cut(a.Name, ";")
	def := t.s.attr(name)
	if def == nil {
		return t.undefinedAttribute()
	}
	if len(a.Values) == 0 {
		return t.badValue()
	}
	switch def.id {
	case aObjectClass, aInstanceType:
		return nil
	case aName, x.e.class.rdn:
		if !equalFolded(a.Values[0], appendFolded(nil, x.e.rdn[0])) {
			return updErr(resultNamingViolation, errRDNNotSchema, 6001, "NAME_VIOLATION")
		}
		if len(a.Values) == 1 {
			return nil
		}
	case aUnicodePwd:
		if len(a.Values) != 1 {
			return attrErr(resultConstraintViolation, errSingleValue, 1005, def)
		}
		x.password = a.Values[0]
		return nil
	case aObjectGUID:
		if t.c.System && len(a.Values[0]) == 16 {
			x.e.guid = security.GUID(a.Values[0])
			return nil
		}
	case aNTSecurityDescriptor:
		sd, err := security.ParseDescriptor(a.Values[0])
		if err != nil || len(a.Values) != 1 {
			return t.badValue()
		}
		if sd.SACL != nil && !t.c.System && !t.c.Token.SecurityPrivilege() {
			return secErr()
		}
		*given = sd
		return nil
	}
	switch {
	case def.secret && t.c.System:
		return nil
	case def.constructed:
		return attrErr(resultConstraintViolation, errSystemOnly, 1005, def)
	case def.backLink, def.secret:
		return unwilling(errOwnedBySAM)
	case !t.c.System && (def.id == aObjectSid || def.id == aSAMAccountType):
		return unwilling(errOwnedBySAM)
	case !t.c.System && def.systemOnly && !onAdd(def.id) && !slices.Contains(x.e.class.must, def.id):
		return attrErr(resultConstraintViolation, errSystemOnly, 1005, def)
	}
	if !x.e.class.allows(def.id, aux) {
		return notInClass(def)
	}
	if def.forwardLink && def.syntax == synDN {
		return t.addLinks(x, def, a.Values)
	}
	values, err := t.canonicalValues(def, a.Values)
	if err != nil {
		return err
	}
	if def.single && len(values) > 1 {
		return attrErr(resultConstraintViolation, errSingleValue, 1005, def)
	}
	if x.e.has(def.id) && def.id != x.e.class.rdn {
		return attrErr(resultAttributeOrValueExists, errValueExists, 1006, def)
	}
	if def.id == aObjectSid {
		x.e.sid, _ = security.SIDFromBytes(values[0]) // its syntax was checked
	}
	x.setShared(def.id, values)
	return nil
}

func notInClass(def *attrDef) error {
	return &Error{Result: resultObjectClassViolation, Code: errNotInClass,
		Text: fmt.Sprintf("%08X: UpdErr: DSID-03151D8E, problem 6002 (OBJ_CLASS_VIOLATION), data %d\n", errNotInClass, int32(def.prefixed()))}
}

// allows tells whether an instance may have the attribute.
func (c *classDef) allows(a attrID, aux []*classDef) bool {
	if _, ok := c.allowed[a]; ok {
		return true
	}
	return slices.ContainsFunc(aux, func(x *classDef) bool { _, ok := x.allowed[a]; return ok })
}

// addLinks adds the values of a forward link attribute of a new object.
func (t *tx) addLinks(x *draft, def *attrDef, values [][]byte) error {
	if def.single && len(values) > 1 {
		return attrErr(resultConstraintViolation, errSingleValue, 1005, def)
	}
	for _, v := range values {
		target, err := t.linkTarget(def, v)
		if err != nil {
			return err
		}
		if !x.addLink(def.id, target) {
			return alreadyLinked(def)
		}
	}
	return nil
}

func alreadyLinked(def *attrDef) error {
	if def.id == aMember {
		return updErr(resultAlreadyExists, errMemberInGroup, 6005, "ENTRY_EXISTS")
	}
	return attrErr(resultAttributeOrValueExists, errValueExists, 1006, def)
}

// linkTarget is the object that a link value names.
func (t *tx) linkTarget(def *attrDef, v []byte) (*entry, error) {
	if len(v) == 0 || v[0] != '<' {
		if d, err := dn.Parse(string(v)); err != nil || d.IsZero() {
			return nil, t.badValue()
		}
	}
	e := t.named(v)
	if e == nil || e.hidden() {
		return nil, &Error{Result: resultNoSuchObject, Code: errNoSuchUser,
			Text: fmt.Sprintf("%08X: NameErr: DSID-031A120F, problem 2001 (NO_OBJECT), data 0, best match of:\n\t'%s'\n", errNoSuchUser, v)}
	}
	return e, nil
}

// canonicalValues brings values into the stored form and checks their syntax and range, and that none is there twice. The result
// shares no memory with the request.
func (t *tx) canonicalValues(def *attrDef, values [][]byte) ([][]byte, error) {
	out := t.new.values.take(len(values))
	for i, v := range values {
		c, ok := def.canonical(t.s, v)
		if !ok {
			return nil, t.badValue()
		}
		if err := def.inRange(c); err != nil {
			return nil, err
		}
		if def.syntax == synInteger && len(values) == 1 {
			n, _ := strconv.ParseInt(string(c), 10, 64) // canonical
			return t.intValues(n), nil
		}
		out[i] = t.new.copyOf(c)
	}
	if !def.distinct(out) {
		return nil, attrErr(resultAttributeOrValueExists, errValueExists, 1006, def)
	}
	return out, nil
}

// distinct tells whether no two values are equal.
func (a *attrDef) distinct(values [][]byte) bool {
	const few = 8
	if len(values) > few {
		seen := make(map[string]bool, len(values))
		for _, v := range values {
			seen[string(a.normalise(nil, v))] = true
		}
		return len(seen) == len(values)
	}
	var buf [128]byte
	for i, v := range values[:max(len(values)-1, 0)] {
		norm := string(a.normalise(buf[:0], v))
		for _, w := range values[i+1:] {
			if a.equal(w, norm) {
				return false
			}
		}
	}
	return true
}

// maxValue bounds one value, in bytes: MaxReceiveBuffer ([MS-ADTS] 3.1.1.3.4.6).
const maxValue = 10 << 20

// inRange checks rangeLower and rangeUpper: numbers by value, strings by characters, the rest by bytes.
func (a *attrDef) inRange(v []byte) error {
	var n int64
	switch a.syntax {
	case synInteger, synLarge:
		if !a.hasLower && !a.hasUpper {
			return nil
		}
		n, _ = strconv.ParseInt(string(v), 10, 64) // canonical
	case synString:
		n = int64(utf8.RuneCount(v))
	case synDN, synDNBinary, synOID, synBoolean, synTime:
		return nil
	default:
		n = int64(len(v))
	}
	if a.hasLower && n < a.rangeLower || a.hasUpper && n > a.rangeUpper || len(v) > maxValue {
		return attrErr(resultConstraintViolation, errRange, 1005, a)
	}
	return nil
}

// checkMust refuses an object without an attribute that its class must have.
func (t *tx) checkMust(e *entry, aux []*classDef) error {
	check := func(must []attrID) error {
		for _, a := range must {
			if a == aNTSecurityDescriptor || e.has(a) || len(e.linksOf(a)) > 0 {
				continue
			}
			return &Error{Result: resultObjectClassViolation, Code: errMissingAttribute,
				Text: fmt.Sprintf("%08X: UpdErr: DSID-03151D8E, problem 6002 (OBJ_CLASS_VIOLATION), data %d\n", errMissingAttribute, int32(t.s.def(a).prefixed()))}
		}
		return nil
	}
	if err := check(e.class.must); err != nil {
		return err
	}
	for _, c := range aux {
		if err := check(c.must); err != nil {
			return err
		}
	}
	return nil
}

// Populate adds objects as the system to the first domain controller of a domain and delivers them to every replica at once: the
// state before the story begins. An error names the object; then none has been added.
func (f *Forest) Populate(domain string, objects []AddRequest) error {
	return f.PopulateFrom(domain, slices.Values(objects))
}

// PopulateFrom is [Forest.Populate] for objects that are made one at a time. The directory keeps nothing of a request, whose memory
// the next one may use. Making them must not ask the forest.
func (f *Forest) PopulateFrom(domain string, objects iter.Seq[AddRequest]) error {
	d := f.Domain(domain)
	if d == nil {
		return fmt.Errorf("directory: no domain %q", domain)
	}
	return d.replicas[0].update(System(), func(t *tx) error {
		t.atOnce = true
		t.new.populating()
		t.lists = make([]*[][]byte, numAttributes)
		for o := range objects {
			if _, err := t.add(o.DN, o.Attributes); err != nil {
				return fmt.Errorf("%s: %w", o.DN, err)
			}
		}
		return nil
	})
}
