package directory

import (
	"sync"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// firstSchemaID is where the ids of schema objects begin: they are made late and must not disturb the others'.
const firstSchemaID uint32 = 1 << 31

// onceSchema is the schema naming context, made when somebody first looks: a domain starts without its five hundred objects.
// Every domain controller has the same. Of extending the schema only the version is modelled, see [Forest.ExtendSchema].
func (f *Forest) onceSchema() func(version int) *store {
	created := f.now()
	// The head's id is known before anybody looks.
	f.domains[0].ncs[ncSchema].headID = firstSchemaID
	var mu sync.Mutex
	made := map[int]*store{}
	return func(version int) *store {
		mu.Lock()
		defer mu.Unlock()
		if made[version] == nil {
			made[version] = f.makeSchema(version, created)
		}
		return made[version]
	}
}

// makeSchema makes the naming context of a version.
func (f *Forest) makeSchema(version int, created time.Time) *store {
	r := f.replicas[0]
	rs := &replicaState{}
	// Below the schema everybody may read, Schema Admins may write ([MS-ADTS] 6.1.1.3).
	sd, err := security.ParseSDDL("D:(A;CI;RPLCLORC;;;AU)(A;CI;RPWPCRLCLOCCRCWDWOSW;;;SA)(A;CI;RPWPCRLCLOCCDCRCWDWOSDDTSW;;;SY)", r.domain.SID, f.domains[0].SID)
	if err != nil {
		panic("directory: " + err.Error())
	}
	sa := f.domains[0].SID.Append(security.RIDSchemaAdmins)
	sd.Owner, sd.Group = sa, sa
	shared := newDescriptor(sd)
	p := &schemaPlanter{f: f, store: &rs.stores[0], sd: shared, created: created.Unix(), version: version}
	p.plant()
	return &rs.stores[0]
}

// schemaPlanter fills the schema naming context.
type schemaPlanter struct {
	f       *Forest
	store   *store
	sd      *descriptor
	created int64
	version int
	n       uint32
}

func (p *schemaPlanter) add(class *classDef, cn string, guid uint64, fill func(*entry)) *entry {
	nc := p.f.domains[0].ncs[ncSchema]
	e := &entry{id: firstSchemaID + p.n, nc: ncSchema, class: class, guid: seededGUID(p.f.cfg.Seed^schemaSeed, guid), sd: p.sd, created: p.created}
	if p.n == 0 {
		e.name, e.rdn = nc.dn, [][]byte{[]byte(cn)}
	} else {
		e.name, e.rdn, e.parent = nc.dn.Child("CN", cn), [][]byte{[]byte(cn)}, firstSchemaID
	}
	p.n++
	e.setAttr(aObjectCategory, p.f.categories[class.index])
	e.setAttr(aInstanceType, smallInts[4])
	e.setAttr(aShowInAdvancedViewOnly, [][]byte{valueTrue})
	fill(e)
	n := uint64(p.n)
	p.store.put(theSchema(), nil, record{entry: e, usnCreated: n, usnChanged: n, changed: p.created}, 1)
	return e
}

// schemaSeed keeps the GUIDs of schema objects apart from the others.
const schemaSeed = 0x736368656d61

func (p *schemaPlanter) plant() {
	s := theSchema()
	text := func(e *entry, a attrID, v string) { e.setAttr(a, [][]byte{[]byte(v)}) }
	list := func(e *entry, a attrID, ids []attrID) {
		var v [][]byte
		for _, id := range ids {
			v = append(v, s.def(id).nameBytes)
		}
		e.setAttr(a, v)
	}
	first := p.f.domains[0].replicas[0]
	p.add(s.class("dMD"), "Schema", 1, func(e *entry) {
		e.setAttr(aInstanceType, [][]byte{intValue(13)})
		e.setAttr(aObjectVersion, [][]byte{intValue(int64(p.version))})
		text(e, aFSMORoleOwner, "CN=NTDS Settings,CN="+first.name+",CN=Servers,CN="+defaultSite+",CN=Sites,"+first.ncs[ncConfiguration].dn.String())
	})
	for i, c := range s.classes {
		p.add(s.class("classSchema"), c.cn, uint64(1000+i), func(e *entry) {
			text(e, aLDAPDisplayName, c.name)
			text(e, aAdminDisplayName, c.cn)
			text(e, aGovernsID, c.oid)
			super := c.super
			if super == nil {
				super = c
			}
			text(e, aSubClassOf, super.name)
			e.setAttr(aObjectClassCategory, intValues(int64(c.category)))
			e.setAttr(aSchemaIDGUID, [][]byte{c.guid[:]})
			text(e, aRDNAttID, s.def(c.rdn).name)
			e.setAttr(aDefaultObjectCategory, p.f.categories[c.index])
			e.setAttr(aSystemOnly, [][]byte{valueFalse})
			if c.sddl != "" {
				text(e, aDefaultSecurityDescriptor, c.sddl)
			}
			list(e, aSystemMustContain, c.ownMust)
			list(e, aSystemMayContain, c.ownMay)
			var v [][]byte
			for _, n := range c.ownSuperiors {
				if k := s.class(n); k != nil {
					v = append(v, k.nameBytes)
				}
			}
			e.setAttr(aSystemPossSuperiors, v)
			v = nil
			for _, k := range c.aux {
				v = append(v, k.nameBytes)
			}
			e.setAttr(aSystemAuxiliaryClass, v)
		})
	}
	for i := range s.attrs {
		a := &s.attrs[i]
		p.add(s.class("attributeSchema"), a.cn, uint64(10000+i), func(e *entry) {
			text(e, aLDAPDisplayName, a.name)
			text(e, aAdminDisplayName, a.cn)
			text(e, aAttributeID, a.oid)
			text(e, aAttributeSyntax, a.syntaxOID)
			e.setAttr(aOMSyntax, intValues(int64(a.omSyntax)))
			e.setAttr(aIsSingleValued, [][]byte{boolValue(a.single)})
			e.setAttr(aSystemOnly, [][]byte{boolValue(a.systemOnly)})
			e.setAttr(aIsMemberOfPartialAttributeSet, [][]byte{boolValue(a.gc)})
			e.setAttr(aSearchFlags, intValues(int64(a.searchFlags)))
			e.setAttr(aSystemFlags, intValues(int64(int32(a.systemFlags))))
			e.setAttr(aSchemaIDGUID, [][]byte{a.guid[:]})
			if !a.propertySet.IsZero() {
				e.setAttr(aAttributeSecurityGUID, [][]byte{a.propertySet[:]})
			}
			if a.hasLower {
				e.setAttr(aRangeLower, intValues(a.rangeLower))
			}
			if a.hasUpper {
				e.setAttr(aRangeUpper, intValues(a.rangeUpper))
			}
			if a.linkID != 0 {
				e.setAttr(aLinkID, intValues(int64(a.linkID)))
			}
		})
	}
	// What the schema says as a whole is constructed ([MS-ADTS] 3.1.1.3.1.1.1).
	p.add(s.class("subSchema"), "Aggregate", 2, func(*entry) {})
}
