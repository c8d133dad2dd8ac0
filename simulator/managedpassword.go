package simulator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// Protection is how an LDAP connection is protected.
type Protection string

// The protections of a connection after a bind with Kerberos.
const (
	Sealed Protection = "sealed" // signed and encrypted; what Windows uses to read a managed password
	Signed Protection = "signed"
	Plain  Protection = "plain"
)

// ManagedPassword is what a host gets with msDS-ManagedPassword.
type ManagedPassword struct {
	// Account is the sAMAccountName.
	Account  string `json:"account"`
	Current  []byte `json:"-"` // 256 bytes, UTF-16LE
	Previous []byte `json:"-"` // nil when there is none
	// QueryInterval is after which time a host should ask again; UnchangedInterval is how long the password surely stays.
	QueryInterval     time.Duration `json:"queryInterval"`
	UnchangedInterval time.Duration `json:"unchangedInterval"`
	// Read is the host's time of reading and DC the controller that answered.
	Read time.Time `json:"read"`
	DC   string    `json:"dc"`
	// KVNO is msDS-KeyVersionNumber at the time of reading.
	KVNO int `json:"kvno"`

	compound bool // the account is marked for compound identity
}

// inUse is the password to sign in with at a time: in the last five minutes before a change the DC gives the next password as the
// current one already, while only the previous one works everywhere ([MS-ADTS] msDS-ManagedPassword; Samba's clients do the same).
func (p *ManagedPassword) inUse(now time.Time) []byte {
	left := p.QueryInterval - now.Sub(p.Read)
	if p.Previous != nil && p.QueryInterval <= kds.MaxClockSkew && left > 0 {
		return p.Previous
	}
	return p.Current
}

// secret turns a managed password into keys.
func (d *Domain) managedSecret(password []byte) secret {
	return func(etype int32, salt string) (*krbcrypt.Key, error) {
		if etype == etypeRC4 {
			return krbcrypt.NTKey(password), nil
		}
		return d.keys.StringToKey(etype, kds.PasswordUTF8(password), salt)
	}
}

// ReadPassword reads the managed password of an account from a DC, with the host's own ticket.
func (h *Host) ReadPassword(account string, p Protection) (*ManagedPassword, error) {
	pw, err := h.fetch(h.d.ctx, account, p)
	return pw, h.d.explain(err)
}

// ReadPasswordAs is ReadPassword by a user who is signed in on the host, with the password that was configured or set for that user.
func (h *Host) ReadPasswordAs(user, account string, p Protection) (*ManagedPassword, error) {
	h.d.mu.Lock()
	password, ok := h.d.knownPasswordLocked(user)
	h.d.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("no password of a user %q is known", user)
	}
	pw, err := h.fetchAs(h.d.ctx, h.session(user, h.d.passwordSecret(password)).logon, account, p)
	return pw, h.d.explain(err)
}

// fetch reads the managed password over LDAP from the first DC that answers.
func (h *Host) fetch(ctx context.Context, account string, p Protection) (*ManagedPassword, error) {
	return h.fetchAs(ctx, h.machine, account, p)
}

func (h *Host) fetchAs(ctx context.Context, l *logon, account string, p Protection) (*ManagedPassword, error) {
	if err := h.pending(); err != nil {
		return nil, err
	}
	var pw *ManagedPassword
	err := h.onDC(ctx, l, p, func(c *ldapConn) error {
		var err error
		pw, err = readFrom(c, account)
		return err
	})
	if err != nil {
		return nil, err
	}
	return pw, nil
}

// onDC runs work on an LDAP connection to the first DC of the station's domain that answers. A DC that says it is busy or
// unavailable is passed over, as one that does not answer.
func (st *station) onDC(ctx context.Context, l *logon, p Protection, work func(*ldapConn) error) error {
	return st.onDCOf(ctx, st.dom.DNSName, l, p, work)
}

// onDCOf is onDC for the DCs of a domain that is named as somebody wrote it.
func (st *station) onDCOf(ctx context.Context, domain string, l *logon, p Protection, work func(*ldapConn) error) error {
	if l.nobody != nil {
		return &stepError{step: stepSignIn, logon: l, err: l.nobody}
	}
	return st.each(ctx, domain, "LDAP", portLDAP, func(dc *DC) (string, error) {
		err := st.withConn(ctx, dc, l, p, work)
		if why := passOver(err); why != "" {
			return why, nil
		}
		return "", err
	})
}

// readFrom finds an account in the domain of a DC and reads its password.
func readFrom(c *ldapConn, account string) (*ManagedPassword, error) {
	name := strings.TrimSuffix(account, "$")
	entry, err := c.findAccount(c.dc.dom.DN, name+"$", "distinguishedName", "objectClass", "sAMAccountName", "msDS-SupportedEncryptionTypes", "msDS-KeyVersionNumber")
	if err != nil {
		return nil, &stepError{step: stepFind, logon: c.logon, dc: c.dc, account: name, err: err}
	}
	blob, err := c.read(entry.DN, "msDS-ManagedPassword")
	if err != nil {
		return nil, &stepError{step: stepRead, logon: c.logon, dc: c.dc, account: name, err: err}
	}
	parsed, err := kds.ParseBlob(blob)
	if err != nil {
		return nil, &stepError{step: stepRead, logon: c.logon, dc: c.dc, account: name, err: err}
	}
	if bits := entry.number("msDS-SupportedEncryptionTypes"); bits != 0 && !slices.ContainsFunc(c.logon.etypes, func(e int32) bool { return bits&int(etypeBits([]string{etypeName(e)})) != 0 }) {
		return nil, &stepError{step: stepRead, logon: c.logon, dc: c.dc, account: name, err: errNoCommonEType}
	}
	return &ManagedPassword{Account: entry.value("sAMAccountName"), Current: parsed.Current, Previous: parsed.Previous, QueryInterval: parsed.Query,
		UnchangedInterval: parsed.Unchanged, Read: c.logon.st.now(), DC: c.dc.name, KVNO: entry.number("msDS-KeyVersionNumber"),
		compound: entry.number("msDS-SupportedEncryptionTypes")&compoundIdentity != 0}, nil
}

func (h *Host) keep(pw *ManagedPassword) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.managed == nil {
		h.managed = map[string]*ManagedPassword{}
	}
	h.managed[strings.ToLower(pw.Account)] = pw
}

// password gives the managed password as the host uses it: the one it keeps until it should ask again, and the kept one also when
// no DC answers (credential fetch of Windows: cache first, and the cached value when a DC cannot be asked).
func (h *Host) password(ctx context.Context, account string, fresh bool) (*ManagedPassword, error) {
	h.mu.Lock()
	kept := h.managed[strings.ToLower(strings.TrimSuffix(account, "$"))+"$"]
	h.mu.Unlock()
	if kept != nil && !fresh && h.now().Before(kept.Read.Add(kept.QueryInterval)) {
		return kept, nil
	}
	pw, err := h.fetch(ctx, account, Sealed)
	if err != nil {
		if kept != nil && !fresh && unreachable(err) {
			return kept, nil
		}
		return nil, err
	}
	h.keep(pw)
	return pw, nil
}

// both are the current password and, where there is one, the previous one.
func (p *ManagedPassword) both() [][]byte {
	list := [][]byte{p.Current}
	if p.Previous != nil {
		list = append(list, p.Previous)
	}
	return list
}

// keysFor gives the keys that a service holds for an encryption type.
type keysFor func(etype int32) ([]*krbcrypt.Key, error)

// managedKeys are the keys of managed passwords.
func (d *Domain) managedKeys(dom *directory.Domain, account string, passwords [][]byte) keysFor {
	salt := salt(dom, account)
	return func(etype int32) ([]*krbcrypt.Key, error) {
		var keys []*krbcrypt.Key
		for _, pw := range passwords {
			k, err := d.managedSecret(pw)(etype, salt)
			if err != nil {
				return nil, err
			}
			keys = append(keys, k)
		}
		return keys, nil
	}
}

// salt is the salt of the AES keys of computers and service accounts ([MS-KILE] 3.1.1.2).
func salt(dom *directory.Domain, name string) string {
	return dom.Realm + "host" + strings.ToLower(name) + "." + strings.ToLower(dom.DNSName)
}
