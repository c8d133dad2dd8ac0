package directory

import (
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/gmsasim/gmsasim/fakeads/dn"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// construct computes a constructed attribute ([MS-ADTS] 3.1.1.4.5). The error refuses the whole search.
func (q *query) construct(e *entry, d *attrDef) ([][]byte, error) {
	text := func(s string) [][]byte { return [][]byte{[]byte(s)} }
	s := theSchema()
	switch d.id {
	case aCanonicalName:
		return text(dn.CanonicalName(e.name)), nil
	case aCreateTimeStamp:
		return [][]byte{appendTime(nil, e.created)}, nil
	case aModifyTimeStamp:
		if rec := q.v.record(e.id); rec != nil {
			return [][]byte{appendTime(nil, rec.changed)}, nil
		}
		return nil, nil
	case aSubSchemaSubEntry:
		return text(q.v.r.aggregate()), nil
	case aStructuralObjectClass:
		// The chain of classes, abstract ones included, without dynamically linked auxiliary classes ([MS-ADA3], structuralObjectClass).
		return e.class.chainValues, nil
	case aParentGUID:
		if p := q.v.byID(e.parent); p != nil {
			return [][]byte{p.guid[:]}, nil
		}
		return nil, nil
	case aAllowedAttributes, aAllowedAttributesEffective:
		var list [][]byte
		for i := range s.attrs {
			a := &s.attrs[i]
			if _, ok := e.class.allowed[a.id]; !ok {
				continue
			}
			if d.id == aAllowedAttributesEffective && (a.systemOnly || a.constructed || a.backLink || !q.rights.write(e, a)) {
				continue
			}
			list = append(list, a.nameBytes)
		}
		return list, nil
	case aAllowedChildClasses, aAllowedChildClassesEffective, aPossibleInferiors:
		var list [][]byte
		for _, c := range s.classes {
			if c.category > 1 || !c.mayBeUnder(e.class) {
				continue
			}
			if d.id == aAllowedChildClassesEffective && !q.rights.has(e, security.RightCreateChild, security.ObjectTypes{Class: c.guid}) {
				continue
			}
			list = append(list, c.nameBytes)
		}
		return list, nil
	case aSDRightsEffective:
		var n int64
		if q.rights.has(e, security.RightWriteOwner, security.ObjectTypes{}) {
			n |= 3
		}
		if q.rights.has(e, security.RightWriteDAC, security.ObjectTypes{}) {
			n |= 4
		}
		if q.rights.token == nil || q.rights.token.SecurityPrivilege() {
			n |= 8
		}
		return intValues(n), nil
	case aMsDSIsRODC:
		if e.is("computer") || e.is("server") || e.is("ntdsdsa") {
			return [][]byte{valueFalse}, nil
		}
		return nil, nil
	case aMsDSIsGC, aMsDSSiteName:
		r := q.v.replicaOf(e)
		if r == nil {
			return nil, nil
		}
		if d.id == aMsDSIsGC {
			return [][]byte{valueTrue}, nil
		}
		return text(defaultSite), nil
	case aMsDSApproxImmedSubordinates:
		return [][]byte{strconv.AppendInt(nil, int64(len(q.v.children(nil, e, 0))), 10)}, nil
	case aObjectClasses, aAttributeTypes, aDITContentRules, aExtendedClassInfo, aExtendedAttributeInfo:
		if e.class.folded == "subschema" {
			return s.aggregate(d.id), nil
		}
		return nil, nil
	case aTokenGroups, aTokenGroupsNoGCAcceptable, aTokenGroupsGlobalAndUniversal:
		if q.req.Scope != BaseObject {
			// These are for base-scope searches ([MS-ADTS] 3.1.1.4.5.19).
			// guess: tokenGroups in a search of another scope is refused with operationsError and 00002020, as Samba answers and users of
			// Windows report.
			return nil, svcErr(resultOperationsError, 0x2020, 5012, "DIR_ERROR")
		}
	}
	values, _, err := q.v.accountAttribute(q.c, e, d.id)
	return values, err
}

// replicaOf is the domain controller that a computer, server or NTDS Settings object stands for, nil when there is none.
func (v *view) replicaOf(e *entry) *Replica {
	for _, r := range v.f.replicas {
		ntds := v.byID(r.dsaID)
		if e.id == r.account || e.id == r.dsaID || ntds != nil && e.id == ntds.parent {
			return r
		}
	}
	return nil
}

// mayBeUnder tells whether instances of c may be children of instances of parent.
func (c *classDef) mayBeUnder(parent *classDef) bool {
	return slices.ContainsFunc(parent.chain, func(p *classDef) bool {
		_, ok := c.superiors[p.folded]
		return ok
	})
}

// aggregate is the DN of the subschema entry.
func (r *Replica) aggregate() string { return r.ncs[ncSchema].dn.Child("CN", "Aggregate").String() }

// appendMetaData appends PROPERTY_META_DATA_VECTOR version 1 ([MS-DRSR] 5.167 and 5.166), the value of replPropertyMetaData.
func (v *view) appendMetaData(b []byte, e *entry) []byte {
	s := theSchema()
	var ids []attrID
	for i := range e.attrs {
		ids = append(ids, e.attrs[i].id)
	}
	ids = append(ids, aObjectClass, aName, aNTSecurityDescriptor, aWhenCreated, e.class.rdn)
	if e.cred != nil {
		ids = append(ids, aUnicodePwd)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	ids = slices.DeleteFunc(ids, func(a attrID) bool { return s.def(a).notReplicated })
	b = binary.LittleEndian.AppendUint64(b, 1)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(ids)))
	for _, a := range ids {
		st := e.stampOf(a)
		b = binary.LittleEndian.AppendUint32(b, s.def(a).prefixed())
		b = binary.LittleEndian.AppendUint32(b, st.version)
		b = binary.LittleEndian.AppendUint64(b, uint64(st.time+secondsTo1970))
		b = append(b, v.f.replicas[st.dsa].invocationID[:]...)
		b = binary.LittleEndian.AppendUint64(b, st.usn)
		b = binary.LittleEndian.AppendUint64(b, st.usn)
	}
	return b
}

// secondsTo1970 are the seconds between 1601, where DSTIME begins ([MS-DRSR] 5.48), and 1970.
const secondsTo1970 = 11644473600
