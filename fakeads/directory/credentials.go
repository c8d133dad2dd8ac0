package directory

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// errNoPassword: the account was made without a password and has none yet.
var errNoPassword = errors.New("account has no password")

// secret is one password of an account with the keys made of it, which are derived when somebody first asks: string-to-key costs
// milliseconds. It does not change otherwise, and replicas and snapshots share it.
type secret struct {
	text   string  // a password that somebody chose
	origin *origin // nil for those: there are many
	salt   string  // of the AES keys, fixed when the password was set
	micros int64   // domain time when it was set, since 1970

	version int32 // msDS-KeyVersionNumber
	once    sync.Once
	keys    *KeySet
	err     error
}

// origin is what a password follows from that nobody chose.
type origin struct {
	// octets stand for a password that nobody knows: the keys are cut out of them. A new domain would pay milliseconds of
	// string-to-key for each of its own accounts otherwise.
	octets []byte
	// A managed password is a function of these instead. The root key is the one of the moment when the password was set: a
	// domain controller that holds an account's keys does not need it again, so deleting the key object does not lock the
	// account out.
	root     *kds.RootKey
	interval kds.Interval
	sid      security.SID
}

// newSecret is a password that an account with that salt gets now.
func (t *tx) newSecret(e *entry, text string, o *origin) *secret {
	return &secret{text: text, origin: o, salt: t.saltOf(e), micros: t.now.UnixMicro()}
}

// set is the domain time when the password was set.
func (s *secret) set() time.Time { return time.UnixMicro(s.micros) }

// chosen tells whether somebody chose the password, managed whether it follows from a root key. Otherwise nobody knows it.
func (s *secret) chosen() bool  { return s.origin == nil }
func (s *secret) managed() bool { return s.origin != nil && s.origin.root != nil }
func (s *secret) unknown() bool { return s.origin != nil && s.origin.root == nil }

// keyOctets is the length of a secret's octets: keys of 32, 16 and 16.
const keyOctets = 64

// password is the UTF-16LE password.
func (s *secret) password(passwords *kds.Cache) ([]byte, error) {
	if !s.managed() {
		return krbcrypt.UTF16LE(s.text), nil
	}
	return passwords.Password(s.origin.root, s.origin.interval, s.origin.sid)
}

// derive makes the keys, once: AES of the password as UTF-8, in which each unpaired surrogate of a managed password is U+FFFD, and
// RC4 of the bytes as they are.
func (s *secret) derive(keys *krbcrypt.Cache, passwords *kds.Cache) (*KeySet, error) {
	s.once.Do(func() {
		if s.unknown() {
			s.keys, s.err = s.cut()
			return
		}
		pw, err := s.password(passwords)
		if err != nil {
			s.err = fmt.Errorf("managed password of %v: %w", s.origin.interval, err)
			return
		}
		text := s.text
		if s.managed() {
			text = kds.PasswordUTF8(pw)
		}
		set := &KeySet{Version: int(s.version), Salt: s.salt, Keys: make([]*krbcrypt.Key, 0, 3)}
		for _, etype := range [...]int32{krbcrypt.AES256SHA1, krbcrypt.AES128SHA1} {
			k, err := keys.StringToKey(etype, text, s.salt)
			if err != nil {
				s.err = fmt.Errorf("keys: %w", err)
				return
			}
			set.Keys = append(set.Keys, k)
		}
		set.Keys = append(set.Keys, krbcrypt.NTKey(pw))
		s.keys = set
	})
	return s.keys, s.err
}

// cut makes keys of octets.
func (s *secret) cut() (*KeySet, error) {
	set := &KeySet{Version: int(s.version), Salt: s.salt}
	rest := s.origin.octets
	for _, etype := range [...]int32{krbcrypt.AES256SHA1, krbcrypt.AES128SHA1, krbcrypt.RC4HMAC} {
		n := krbcrypt.KeySize(etype)
		k, err := krbcrypt.NewKey(etype, rest[:n:n])
		if err != nil {
			return nil, err
		}
		set.Keys, rest = append(set.Keys, k), rest[n:]
	}
	return set, nil
}

// matches compares a password that somebody typed.
func (s *secret) matches(text string, passwords *kds.Cache) (bool, error) {
	if s.unknown() {
		return false, nil
	}
	if !s.managed() {
		return s.text == text, nil
	}
	pw, err := s.password(passwords)
	return err == nil && kds.PasswordUTF8(pw) == text, err
}

// credentials are an account's passwords: the value of unicodePwd, supplementalCredentials and ntPwdHistory together. They do not
// change; a new password makes new ones.
type credentials struct {
	current  *secret
	previous *secret  // the last one before, nil: none
	history  []string // passwords before the current one, the last first
}

// oldPasswordAccepted is how long the previous password of a gMSA works on. At exactly five minutes it stops.
const oldPasswordAccepted = kds.MaxClockSkew

// replaced is c after a new password.
func (c *credentials) replaced(s *secret, historyLength int) *credentials {
	next := &credentials{current: s}
	s.version = 1
	if c != nil && c.current != nil {
		next.previous = c.current
		s.version = c.current.version + 1
		if old := c.current; old.chosen() && historyLength > 1 {
			next.history = append([]string{old.text}, c.history[:min(len(c.history), historyLength-2)]...)
		}
	}
	return next
}

// remembers tells whether a password is among the last n, the current one included.
func (c *credentials) remembers(text string, n int) bool {
	if c == nil || n == 0 {
		return false
	}
	if c.current != nil && c.current.chosen() && c.current.text == text {
		return true
	}
	return slices.Contains(c.history[:min(len(c.history), n-1)], text)
}

// saltOf is the salt of the AES keys ([MS-KILE] 3.1.1.2): of a computer "host" and its full name whatever its dNSHostName says,
// of a user the left part of its UPN or its sAMAccountName, of a trust "krbtgt" and its name.
func saltOf(dnsName, realm, sam, upn string, uac uint32) string {
	switch {
	case uac&(uacWorkstationTrust|uacServerTrust) != 0:
		return realm + "host" + strings.ToLower(strings.TrimSuffix(sam, "$")) + "." + strings.ToLower(dnsName)
	case uac&uacInterdomainTrust != 0:
		return realm + "krbtgt" + strings.TrimSuffix(sam, "$")
	case upn != "":
		left, _, _ := strings.Cut(upn, "@")
		return realm + strings.ReplaceAll(left, "/", "")
	}
	return realm + sam
}

// ManagedPassword tells whether the password of a group managed service account is one that a domain controller has made, or will make at the
// next question. Somebody who writes into the database can put another one there.
func (a *Account) ManagedPassword() bool {
	return a.entry.cred == nil || a.entry.cred.current == nil || a.entry.cred.current.managed()
}
