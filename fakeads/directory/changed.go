package directory

import "time"

// Written is what the replication metadata of this replica say of an attribute ([MS-DRSR] 5.166, shown by repadmin /showobjmeta): when it
// was last written and its version, which is 1 from the creation of the object. Version 0 stands for an unknown object or attribute.
func (r *Replica) Written(name, attribute string) (version uint32, at time.Time) {
	v := r.view()
	def := theSchema().attr(attribute)
	e, err := v.resolve(name, &rights{}, false)
	if err != nil || def == nil {
		return 0, time.Time{}
	}
	s := e.stampOf(def.id)
	return s.version, time.Unix(s.time, 0).UTC()
}
