package directory

import (
	"errors"
	"fmt"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// classGMSA is the class of group managed service accounts, in lower case.
const classGMSA = "msds-groupmanagedserviceaccount"

// managedState is what the directory stores about the passwords of a gMSA.
func managedState(e *entry) (kds.State, error) {
	st := kds.State{Created: time.Unix(e.created, 0).UTC(), Days: int(e.int(aMsDSManagedPasswordInterval))}
	for _, p := range []struct {
		attr attrID
		to   **kds.ManagedPasswordID
	}{{aMsDSManagedPasswordId, &st.Current}, {aMsDSManagedPasswordPreviousId, &st.Previous}} {
		if b := e.value(p.attr); b != nil {
			id, err := kds.ParseManagedPasswordID(b)
			if err != nil {
				return st, err
			}
			*p.to = id
		}
	}
	return st, nil
}

// due tells whether the password of a gMSA is past its end or has not been made, without reading the stored ids.
func (e *entry) due(now time.Time) bool {
	if e.cred == nil || e.cred.current == nil || !e.cred.current.managed() {
		return true
	}
	n, err := kds.Rollover(int(e.int(aMsDSManagedPasswordInterval)))
	return err != nil || !now.Before(e.cred.current.origin.interval.Add(n).Start())
}

// prepareManaged makes the first password of a new gMSA. Ids and passwords that the client sent are dropped ([MS-ADTS]
// 3.1.1.5.2.2). Without a usable root key there is no account: NTE_NO_KEY. A missing interval is for the schema to refuse.
func (t *tx) prepareManaged(d *draft) error {
	d.remove(aMsDSManagedPasswordId)
	d.remove(aMsDSManagedPasswordPreviousId)
	d.password = nil
	svc := t.service()
	if !d.e.has(aMsDSManagedPasswordInterval) {
		if _, err := kds.Select(svc.Keys, t.now, svc.Policy); err != nil {
			return noKey(err)
		}
		return nil
	}
	st, err := svc.Create(t.now, int(d.e.int(aMsDSManagedPasswordInterval)), t.r.domain.DNSName, t.f.domains[0].DNSName)
	if err != nil {
		return noKey(err)
	}
	if err := t.setManaged(d, svc, st, 1); err != nil {
		return noKey(err)
	}
	return nil
}

// setManaged writes a new state: ids, secrets and pwdLastSet. changes is how many passwords it sets, as [kds.Service.Roll] counts.
func (t *tx) setManaged(d *draft, svc *kds.Service, next kds.State, changes int) error {
	if changes == 2 {
		s, err := t.managedSecret(d, svc, next.Previous)
		if err != nil {
			return err
		}
		d.setCredentials(d.e.cred.replaced(s, 0))
	}
	s, err := t.managedSecret(d, svc, next.Current)
	if err != nil {
		return err
	}
	d.setCredentials(d.e.cred.replaced(s, 0))
	d.set(aMsDSManagedPasswordId, next.Current.Marshal())
	if next.Previous != nil {
		d.set(aMsDSManagedPasswordPreviousId, next.Previous.Marshal())
	}
	d.setInt(aPwdLastSet, int64(kds.FromTime(t.now)))
	return nil
}

// managedSecret is the password that an id names.
func (t *tx) managedSecret(d *draft, svc *kds.Service, id *kds.ManagedPasswordID) (*secret, error) {
	k, err := svc.Key(id.RootKeyID)
	if err != nil {
		return nil, err
	}
	return t.newSecret(&d.e, "", &origin{root: k, interval: id.Interval, sid: d.e.sid}), nil
}

// roll brings the passwords of a gMSA up to date, as every domain controller does when somebody needs them; e is the account as
// this replica has it now, and so is the result. The error is a *kds.Error when no root key allows it.
func (t *tx) roll(e *entry) (*entry, error) {
	if !e.due(t.now) {
		return e, nil
	}
	st, err := managedState(e)
	if err != nil {
		return nil, err
	}
	svc := t.service()
	next, changes, err := svc.Roll(st, t.now, t.r.domain.DNSName, t.f.domains[0].DNSName)
	if err != nil {
		return nil, err
	}
	if changes == 0 {
		return e, nil
	}
	d := t.edit(e)
	if err := t.setManaged(d, svc, next, changes); err != nil {
		return nil, err
	}
	return d.save(), nil
}

// rolled is the present version of a gMSA at the replica, with passwords that are up to date at the time returned with it.
func (r *Replica) rolled(id uint32) (e *entry, now time.Time, err error) {
	v := r.view()
	e = v.byID(id)
	if e == nil || e.deleted {
		return nil, v.now, ErrNoAccount
	}
	if !e.due(v.now) {
		return e, v.now, nil
	}
	err = r.update(System(), func(t *tx) error {
		now = t.now
		if e = t.byID(id); e == nil || e.deleted {
			return ErrNoAccount
		}
		var err error
		e, err = t.roll(e)
		return err
	})
	return e, now, err
}

// reviseManaged follows a change that the system itself makes to a gMSA's ids, such as one by a domain controller with a wrong
// clock: the secrets are made anew from what is stored.
func (t *tx) reviseManaged(d *draft) error {
	if !d.wrote(aMsDSManagedPasswordId) || !d.e.has(aMsDSManagedPasswordId) {
		return nil
	}
	st, err := managedState(&d.e)
	if err != nil {
		return attrErr(resultConstraintViolation, 0x57, 1005, t.s.def(aMsDSManagedPasswordId))
	}
	s, err := t.managedSecret(d, t.service(), st.Current)
	if err != nil {
		return noKey(err)
	}
	d.setCredentials(d.e.cred.replaced(s, 0))
	return nil
}

// noKey is the refusal of a write for a reason of the Key Distribution Service, with its HRESULT as the code: 8009000D when no
// root key is usable. The result is from Samba's tests against Windows, the form of the text is a guess.
func noKey(err error) error {
	if e, ok := errors.AsType[*kds.Error](err); ok {
		return unwilling(e.HRESULT)
	}
	return err
}

// Events of the Directory Service log about reading managed passwords.
const (
	eventPasswordFetched = 2946
	eventPasswordDenied  = 2947
)

// managedPassword is the value of msDS-ManagedPassword ([MS-ADTS] 3.1.1.4.5.39). It is absent for whoever msDS-GroupMSAMembership
// does not admit, Domain Admins included. Over a connection that does not keep secrets the whole search fails, and that comes
// first, so it tells nothing about the rights.
func (v *view) managedPassword(c *Caller, e *entry) ([][]byte, error) {
	if !c.keepsSecrets() {
		return nil, notConfidential()
	}
	if !e.is(classGMSA) || v.rs.before {
		return nil, nil
	}
	caller := c.Account
	if c.Token != nil {
		caller = c.Token.User.String()
	}
	report := func(id int, level, text string) {
		v.r.report(Event{Log: "Directory Service", Source: "ActiveDirectory_DomainService", ID: id, Level: level, Object: e.name.String(), Text: text})
	}
	if !c.System && !mayRetrieve(c.Token, e) {
		report(eventPasswordDenied, "Warning", fmt.Sprintf("%s was not allowed to fetch the password of group managed service account %s.", caller, e.name))
		return nil, nil
	}
	b, err := v.r.managedBlob(e)
	if err != nil {
		report(eventPasswordDenied, "Warning", fmt.Sprintf("%s could not fetch the password of group managed service account %s: %v", caller, e.name, err))
		if k, ok := errors.AsType[*kds.Error](err); ok {
			return nil, &Error{Result: resultOperationsError, Code: k.HRESULT,
				Text: fmt.Sprintf("%08X: SvcErr: DSID-031A12D2, problem 5012 (DIR_ERROR), data %d\n", k.HRESULT, int32(k.HRESULT))}
		}
		return nil, err
	}
	report(eventPasswordFetched, "Information", fmt.Sprintf("%s fetched the password of group managed service account %s.", caller, e.name))
	return [][]byte{b.Marshal()}, nil
}

func (r *Replica) managedBlob(e *entry) (*kds.Blob, error) {
	e, now, err := r.rolled(e.id)
	if err != nil {
		return nil, err
	}
	svc, err := r.kdsService()
	if err != nil {
		return nil, err
	}
	st, err := managedState(e)
	if err != nil {
		return nil, err
	}
	return svc.Blob(st, e.sid, now)
}

// notConfidential is ERROR_DS_CONFIDENTIALITY_REQUIRED. Result and number are from Samba's tests against Windows; the rest of the
// text is a guess.
func notConfidential() *Error {
	return &Error{Result: resultOperationsError, Code: 0x202D, Text: "0000202D: SvcErr: DSID-031A12D2, problem 5012 (DIR_ERROR), data 8237\n"}
}

// mayRetrieve is the access check on msDS-GroupMSAMembership. Without the attribute, or with one that is no descriptor, nobody may.
func mayRetrieve(t *security.Token, e *entry) bool {
	b := e.value(aMsDSGroupMSAMembership)
	if b == nil || t == nil {
		return false
	}
	sd, err := security.ParseDescriptor(b)
	return err == nil && sd.Allows(t, security.RightReadProperty, security.ObjectTypes{}, e.sid)
}
