package directory

// The rules of accounts, groups and managed service accounts are joined to the mechanics of the directory here.

// prepareAdd completes and checks a new object after the caller's rights and the syntax of the values were checked, before the
// class's mandatory attributes are.
func (t *tx) prepareAdd(d *draft) error { return nil }

// prepareModify does the same for a change.
func (t *tx) prepareModify(d *draft) error { return nil }

// prepareDelete refuses or accompanies the deletion of an object.
func (t *tx) prepareDelete(e *entry) error { return nil }

// permitQuotaAdd decides where the parent's descriptor does not grant the creation of a computer: users may join computers within
// their quota.
func (t *tx) permitQuotaAdd(parent *entry, class *classDef, attrs []Attribute) error { return secErr() }

// validated checks a validated write: the caller may not write the property, but has the right to write it checked.
func (t *tx) validated(old *entry, d *draft, a attrID) error { return secErr() }

// modifyPassword carries out modifications of unicodePwd and userPassword; the rights are checked by it.
func (t *tx) modifyPassword(old *entry, d *draft, mods []Modification) error { return nil }

// bootPassword gives an account of a fresh installation its password, without deriving a key.
func (t *tx) bootPassword(d *draft, password string) {}

// logonValues are the values of an attribute that this domain controller keeps for itself.
func (v *view) logonValues(e *entry, a attrID) (values [][]byte, ok bool) { return nil, false }

var logonAttributes = [0]attrID{}
