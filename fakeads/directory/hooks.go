package directory

// The rules of accounts, groups and managed service accounts are joined to the mechanics of the directory here.

// prepareAdd completes and checks a new object after the caller's rights and the syntax of the values were checked, before the
// class's mandatory attributes are.
func (t *tx) prepareAdd(d *draft) error { return nil }

// prepareModify does the same for a change.
func (t *tx) prepareModify(d *draft) error { return nil }

// bootPassword gives an account of a fresh installation its password, without deriving a key.
func (t *tx) bootPassword(d *draft, password string) {}

// permitAdd decides where the parent's descriptor does not grant the creation of a child: users may join computers within
// their quota.
func (t *tx) permitAdd(parent *entry, class *classDef) bool { return false }
