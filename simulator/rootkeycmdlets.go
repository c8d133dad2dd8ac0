package simulator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/filter"
)

// AddKDSRootKey is Add-KdsRootKey. It runs on the administrator's DC.
func (a *Admin) AddKDSRootKey(e Effective) (KDSRootKey, error) {
	dc, err := a.target()
	if err != nil {
		return KDSRootKey{}, err
	}
	if dc == nil {
		dc = a.d.dcs[0]
	}
	a.d.settle()
	now := a.d.Clock.Now().Add(a.d.userClock(a.as)) // Get-Date where the administrator sits; the DC has the time of creation from its own clock
	command := "Add-KdsRootKey"
	switch {
	case e == Immediately:
		command += " -EffectiveImmediately"
	case !e.IsZero():
		command += " -EffectiveTime " + e.Time(now).UTC().Format("2006-01-02T15:04:05Z")
	}
	a.d.event(Event{Op: opAdmin, From: a.as, To: dc.name, Text: command})
	if !dc.Running() {
		return KDSRootKey{}, a.d.explain(&unreachableError{nil, "LDAP", portLDAP, []attempt{{dc.name, "does not answer"}}})
	}
	account, err := dc.replica.AccountByName(directory.Principal, a.as)
	if err != nil {
		return KDSRootKey{}, fmt.Errorf("%s: %w", a.as, err)
	}
	caller := &directory.Caller{Token: dc.replica.TokenFor(account), Encrypted: true, Account: dc.dom.NetBIOSName + `\` + a.as}
	id, err := dc.replica.AddRootKey(withDoor(a.d.ctx, &door{from: a.as}), caller, e.Time(now))
	if err != nil {
		return KDSRootKey{}, a.d.explain(&stepError{step: stepCreate, dc: dc, logon: &logon{st: &station{d: a.d, name: a.as, dom: dc.dom}, account: a.as}, account: rootKeyObject, err: err})
	}
	return KDSRootKey{ID: id.String(), Effective: At(e.Time(now)), Created: now, DC: dc.name}, nil
}

// KDSRootKeys is Get-KdsRootKey: the root keys in the replica of the administrator's DC that the account may see. Who may not see them gets
// none, and no error.
func (a *Admin) KDSRootKeys() ([]RootKeyState, error) {
	var keys []RootKeyState
	err := a.do("Get-KdsRootKey", func(c *ldapConn) error {
		keys = nil
		base := "CN=Master Root Keys,CN=Group Key Distribution Service,CN=Services,CN=Configuration," + a.d.root().DN
		found, err := c.search(base, rootKeyFilter, "cn")
		if e, ok := errors.AsType[*ldapError](err); ok && e.result == ldapNoSuchObject {
			return nil
		}
		if err != nil {
			return err
		}
		for _, k := range c.dc.rootKeyStates() {
			if slices.ContainsFunc(found, func(e *ldapEntry) bool { return strings.EqualFold(e.value("cn"), k.ID) }) {
				keys = append(keys, k)
			}
		}
		return nil
	})
	return keys, err
}

var rootKeyFilter = filter.MustParse("(objectClass=msKds-ProvRootKey)")

// TestKDSRootKey is Add-KdsRootKey -LocalTestOnly: it tells whether the DC could make a key, and makes none.
func (a *Admin) TestKDSRootKey() (bool, error) {
	dc, err := a.target()
	if err != nil {
		return false, err
	}
	if dc == nil {
		dc = a.d.dcs[0]
	}
	a.d.settle()
	a.d.event(Event{Op: opAdmin, From: a.as, To: dc.name, Text: "Add-KdsRootKey -LocalTestOnly"})
	if !dc.Running() {
		return false, a.d.explain(&unreachableError{nil, "LDAP", portLDAP, []attempt{{dc.name, "does not answer"}}})
	}
	dc.mu.Lock()
	dc.tested = a.d.Clock.Now()
	dc.mu.Unlock()
	return !dc.replica.KDSStopped(), nil
}

// DeleteKDSRootKey deletes a root key by its GUID. A DC that has used the key keeps it until its key distribution service restarts.
func (a *Admin) DeleteKDSRootKey(id string) error {
	return a.do("Remove-ADObject "+id, func(c *ldapConn) error {
		return c.change(id, c.delete(rootKeyDN(a.d.root(), strings.ToLower(id))))
	})
}

// localKeyTest is when somebody ran Add-KdsRootKey -LocalTestOnly on the DC; zero for never.
func (dc *DC) localKeyTest() time.Time {
	dc.mu.Lock()
	defer dc.mu.Unlock()
	return dc.tested
}
