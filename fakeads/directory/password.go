package directory

import (
	"context"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// Extended rights about passwords ([MS-ADTS] 5.1.3.2.1).
var (
	rightResetPassword  = security.MustGUID("00299570-246d-11d0-a768-00aa006e0529") // User-Force-Change-Password
	rightChangePassword = security.MustGUID("ab721a53-1e2f-11d0-9819-00aa0040529b") // User-Change-Password
)

// Windows codes about passwords.
const (
	errPasswordRestriction = 0x52D // ERROR_PASSWORD_RESTRICTION
	errInvalidPassword     = 0x56  // ERROR_INVALID_PASSWORD: the old one is wrong
	errInvalidParameter    = 0x57  // ERROR_INVALID_PARAMETER
)

// EncodePassword is the value of unicodePwd for a password: UTF-16LE in quotation marks ([MS-ADTS] 3.1.1.3.1.5).
func EncodePassword(password string) []byte { return krbcrypt.UTF16LE(`"` + password + `"`) }

// decodePassword is the opposite; ok is false for what is not UTF-16LE in quotation marks.
func decodePassword(b []byte) (password string, ok bool) {
	if len(b) < 4 || len(b)%2 != 0 {
		return "", false
	}
	if password, ok := decodeASCII(b); ok {
		return password, true
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	if units[0] != '"' || units[len(units)-1] != '"' {
		return "", false
	}
	return string(utf16.Decode(units[1 : len(units)-1])), true
}

// decodeASCII is decodePassword for the passwords that most accounts of a population have.
func decodeASCII(b []byte) (password string, ok bool) {
	var buf [64]byte
	n := len(b) / 2
	if n > len(buf) {
		return "", false
	}
	for i := range n {
		if b[2*i] >= utf8.RuneSelf || b[2*i+1] != 0 {
			return "", false
		}
		buf[i] = b[2*i]
	}
	if buf[0] != '"' || buf[n-1] != '"' {
		return "", false
	}
	return string(buf[1 : n-1]), true
}

// passwordChange tells the ways to a new password apart.
type passwordChange int

const (
	passwordGiven   passwordChange = iota // by the system: nothing is checked
	passwordReset                         // by somebody else: length and complexity
	passwordChanged                       // by the account itself: minimum age and history too
)

// setPassword gives an account a new password after the domain's policy has been asked ([MS-SAMR] 3.1.1.7). Machine accounts make
// their passwords themselves and are exempt from it.
//
// guess: an administrator's reset of a machine account's password is exempt from the password policy, as the machine's own change is.
func (t *tx) setPassword(d *draft, password string, how passwordChange) error {
	var p *passwordPolicy
	if how != passwordGiven || d.e.cred != nil {
		p = t.passwordPolicy()
	}
	uac := uint32(d.e.int(aUserAccountControl))
	if how != passwordGiven && uac&(uacWorkstationTrust|uacServerTrust|uacInterdomainTrust) == 0 {
		refused := attrErr(resultConstraintViolation, errPasswordRestriction, 1005, t.s.def(aUnicodePwd))
		if !(password == "" && uac&uacPasswordNotRequired != 0) && !p.accepts(password, d.e.text(aSAMAccountName), d.e.text(aDisplayName)) {
			return refused
		}
		if how == passwordChanged {
			last := filetime(d.e.int(aPwdLastSet))
			if !last.IsZero() && t.now.Before(last.Add(p.minAge)) || d.e.cred.remembers(password, p.history) {
				return refused
			}
		}
	}
	history := 0
	if p != nil {
		history = p.history
	}
	if d.e.cred == nil {
		p := t.new.passwords.one()
		p.credentials.current = &p.secret
		p.secret.text, p.secret.salt, p.secret.micros, p.secret.version = password, t.saltOf(&d.e), t.now.UnixMicro(), 1
		d.setCredentials(&p.credentials)
	} else {
		d.setCredentials(d.e.cred.replaced(t.newSecret(&d.e, password, nil), history))
	}
	d.setInt(aPwdLastSet, int64(kds.FromTime(t.now)))
	return nil
}

// bootPassword gives an account of a fresh installation its password, without deriving a key.
func (t *tx) bootPassword(d *draft, password string) {
	d.setCredentials(d.e.cred.replaced(t.newSecret(&d.e, password, nil), 0))
	d.setInt(aPwdLastSet, int64(kds.FromTime(t.now)))
}

// bootKeys gives an account of a fresh installation a password that nobody knows.
func (t *tx) bootKeys(d *draft) {
	d.setCredentials(d.e.cred.replaced(t.newSecret(&d.e, "", &origin{octets: t.random(keyOctets)}), 0))
	d.setInt(aPwdLastSet, int64(kds.FromTime(t.now)))
}

// passwordOnAdd sets the password that came with a new account.
func (t *tx) passwordOnAdd(d *draft) error {
	if d.password == nil {
		return nil
	}
	if !t.c.keepsSecrets() {
		return unwilling(errGenFailure)
	}
	password, ok := decodePassword(d.password)
	if !ok {
		return unwilling(errGenFailure)
	}
	if password == t.lastText {
		password = t.lastText // populations have few passwords
	}
	t.lastText = password
	how := passwordReset
	if t.c.System {
		how = passwordGiven
	}
	return t.setPassword(d, password, how)
}

// modifyPassword carries out modifications of unicodePwd ([MS-ADTS] 3.1.1.3.1.5): a replacement is a reset, the old value deleted
// and a new one added a change. It takes a connection that keeps secrets, and the extended right of either.
func (t *tx) modifyPassword(old *entry, d *draft, mods []Modification) error {
	var was, next [][]byte
	reset := false
	for _, m := range mods {
		switch {
		case !strings.EqualFold(m.Attribute.Name, "unicodePwd"):
			return unwilling(errGenFailure) // userPassword: dSHeuristics fUserPwdSupport is off
		case m.Op == ModReplace:
			reset = true
			next = append(next, m.Attribute.Values...)
		case m.Op == ModAdd:
			next = append(next, m.Attribute.Values...)
		case m.Op == ModDelete:
			was = append(was, m.Attribute.Values...)
		}
	}
	if !t.c.keepsSecrets() {
		return unwilling(errGenFailure)
	}
	if len(next) != 1 || reset == (len(was) == 1) || len(was) > 1 {
		return attrErr(resultConstraintViolation, errInvalidParameter, 1005, t.s.def(aUnicodePwd))
	}
	right := rightResetPassword
	if !reset {
		right = rightChangePassword
	}
	if !t.controlAccess(old, right) {
		return secErr()
	}
	if old.is(classGMSA) {
		return unwilling(errGenFailure) // its passwords are the domain controller's to make
	}
	password, ok := decodePassword(next[0])
	if !ok {
		return unwilling(errGenFailure)
	}
	how := passwordReset
	if !reset {
		how = passwordChanged
		text, ok := decodePassword(was[0])
		if !ok || old.cred == nil || old.cred.current == nil || !old.cred.current.chosen() || old.cred.current.text != text {
			return attrErr(resultConstraintViolation, errInvalidPassword, 1005, t.s.def(aUnicodePwd))
		}
	}
	if t.c.System {
		how = passwordGiven
	}
	mustChange := d.wrote(aPwdLastSet) && d.e.int(aPwdLastSet) == 0
	if err := t.setPassword(d, password, how); err != nil {
		return err
	}
	if mustChange {
		d.setInt(aPwdLastSet, 0)
	}
	return nil
}

// controlAccess tells whether the caller has an extended right on an object.
func (t *tx) controlAccess(e *entry, right security.GUID) bool {
	if t.c.System {
		return true
	}
	if t.c.Token == nil || e.sd == nil {
		return false
	}
	return e.sd.get().Allows(t.c.Token, security.RightControlAccess, security.ObjectTypes{ExtendedRight: right, Class: e.class.guid}, e.sid)
}

// SetPassword is the reset of [MS-SAMR] 3.1.5.6.4; c decides the rights. Length and complexity apply unless c is the system.
// *Error explains a refusal: 00002098 for want of rights, 0000052D for the policy.
func (r *Replica) SetPassword(ctx context.Context, c *Caller, sid security.SID, password string) error {
	return r.update(c, func(t *tx) error {
		e := t.bySID(sid)
		switch {
		case !e.isAccount():
			return ErrNoAccount
		case !t.controlAccess(e, rightResetPassword):
			return secErr()
		case e.is(classGMSA) && !c.System:
			return unwilling(errGenFailure)
		}
		how := passwordReset
		if c.System {
			how = passwordGiven
		}
		d := t.edit(e)
		if err := t.setPassword(d, password, how); err != nil {
			return err
		}
		d.save()
		return nil
	})
}

// ChangePassword sets a new password for an account that has proved the old one; minimum age, length, complexity and history
// apply. *Error explains a refusal, 0000052D whatever of the policy it was.
func (r *Replica) ChangePassword(ctx context.Context, sid security.SID, password string) error {
	return r.update(System(), func(t *tx) error {
		e := t.bySID(sid)
		switch {
		case !e.isAccount():
			return ErrNoAccount
		case e.is(classGMSA):
			return unwilling(errGenFailure)
		}
		d := t.edit(e)
		if err := t.setPassword(d, password, passwordChanged); err != nil {
			return err
		}
		d.save()
		return nil
	})
}

// CheckPassword compares a password (ErrWrongPassword) and keeps the account's counters: badPwdCount, lockout for everything but
// a gMSA, logonCount. A gMSA's password is its UTF-8 form with U+FFFD for what is no character; the previous one is accepted for
// five minutes after the roll. Whether the account may sign in at all is not looked at.
func (a *Account) CheckPassword(ctx context.Context, password string) error {
	e, now := a.entry, a.replica.view().now
	if a.ServiceAccount {
		var err error
		if e, now, err = a.replica.rolled(e.id); err != nil {
			return err
		}
	}
	candidates := [2]*secret{}
	if e.cred != nil {
		candidates[0] = e.cred.current
		if a.ServiceAccount && e.cred.previous != nil && now.Sub(e.cred.current.set()) < oldPasswordAccepted {
			candidates[1] = e.cred.previous
		}
	}
	for _, s := range candidates {
		if s == nil {
			continue
		}
		ok, err := s.matches(password, a.replica.forest.cfg.Passwords)
		if err != nil {
			return err
		}
		if ok {
			a.LogonSucceeded(ctx)
			return nil
		}
	}
	// One of the two passwords before is a stale copy somewhere, not an attack ([MS-SAMR] 3.1.1.7.3).
	if e.cred == nil || !e.cred.remembers(password, recentPasswords) {
		a.LogonFailed(ctx)
	}
	return ErrWrongPassword
}

// recentPasswords is how many of the history, the present one included, do not count as wrong.
const recentPasswords = 3
