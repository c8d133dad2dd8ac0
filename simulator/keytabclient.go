package simulator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/kds"
)

// What follows is for clients that are put together from single programs, as the daemons of Linux are from kinit and ldapsearch: each step is
// one program's, and nothing is made up for in the background as Windows does.

// KeytabSession is kinit -k on the host: a new sign-in as the computer's account, with the memberships of now.
func (h *Host) KeytabSession() (*Session, error) {
	m := h.machine
	s := &Session{d: h.d, logon: &logon{st: &h.station, account: m.account, realm: m.realm, etypes: m.etypes, secret: m.secret, nobody: m.nobody}}
	if err := s.logon.signIn(h.d.ctx); err != nil {
		return nil, h.d.explain(err)
	}
	return s, nil
}

// Cache is the session as a credential cache in a file: its ticket-granting ticket as it is now, which nobody renews. After its end the KDC
// refuses it (KRB_AP_ERR_TKT_EXPIRED).
func (s *Session) Cache() *Session {
	l := s.logon
	l.mu.Lock()
	defer l.mu.Unlock()
	return &Session{d: s.d, logon: &logon{st: l.st, account: l.account, realm: l.realm, etypes: l.etypes, cache: true, tgt: l.tgt}}
}

// A PasswordSearch is an LDAP search for a managed password as a program words it.
type PasswordSearch struct {
	// Domain is the DNS name of the domain whose controllers are asked.
	Domain string
	// DN is the object.
	DN string
	// Protection is what the bind asks for. Default: none.
	Protection Protection
	// Reverse lets the program take the DC's name for its ticket from a reverse look-up of the address (rdns of MIT's library), instead of
	// the name that it connected to.
	Reverse bool
}

// SearchPassword is ldapsearch -Y GSSAPI: it binds to the first DC that answers, with the session's ticket, and reads msDS-ManagedPassword of
// one object.
func (s *Session) SearchPassword(q PasswordSearch) (*ManagedPassword, error) {
	l := s.logon
	var pw *ManagedPassword
	err := l.st.each(s.d.ctx, q.Domain, "LDAP", portLDAP, func(dc *DC) (string, error) {
		name := dc.DNSName()
		if q.Reverse {
			name = dc.ReverseName()
		}
		err := l.st.withConnAs(s.d.ctx, dc, "ldap/"+name, l, q.Protection, func(c *ldapConn) error {
			var err error
			pw, err = c.passwordOf(q.DN)
			return err
		})
		if why := passOver(err); why != "" {
			return why, nil
		}
		return "", err
	})
	if err != nil {
		return nil, s.d.explain(err)
	}
	return pw, nil
}

// passwordOf reads the managed password of an object, whoever's it is.
func (c *ldapConn) passwordOf(dn string) (*ManagedPassword, error) {
	fail := func(err error) (*ManagedPassword, error) {
		return nil, &stepError{step: stepRead, logon: c.logon, dc: c.dc, account: nameInDN(dn), err: err}
	}
	sam, err := c.read(dn, "sAMAccountName")
	if err != nil {
		return fail(err)
	}
	blob, err := c.read(dn, "msDS-ManagedPassword")
	if err != nil {
		return fail(err)
	}
	parsed, err := kds.ParseBlob(blob)
	if err != nil {
		return fail(err)
	}
	return &ManagedPassword{Account: string(sam), Current: parsed.Current, Previous: parsed.Previous, QueryInterval: parsed.Query,
		UnchangedInterval: parsed.Unchanged, Read: c.logon.st.now(), DC: c.dc.name}, nil
}

// nameInDN is the value of the first part of a DN.
func nameInDN(dn string) string {
	first, _, _ := strings.Cut(dn, ",")
	_, value, _ := strings.Cut(first, "=")
	return value
}

// UTF8 is the current password as programs hand it to kinit: the UTF-16 of the directory turned into UTF-8.
func (p *ManagedPassword) UTF8() string { return kds.PasswordUTF8(p.Current) }

// ReverseName is the name that a reverse look-up of the DC's address gives: its own, or the one of [Config.ReverseNames].
func (dc *DC) ReverseName() string {
	for _, r := range dc.d.cfg.ReverseNames {
		if strings.EqualFold(r.DC, dc.name) {
			return r.Name
		}
	}
	return dc.DNSName()
}

// AccountDN is the DN of an account or group on the first DC; "" when there is none.
func (d *Domain) AccountDN(name string) string {
	for _, n := range []string{name, name + "$"} {
		if e, err := d.lookup(d.dcs[0], n); err == nil {
			return e.DN
		}
	}
	return ""
}

// KerberosCode is the code of the Kerberos error in the chain of err (RFC 4120 7.5.9); 0 when there is none.
func KerberosCode(err error) int {
	if e := asKRBError(err); e != nil {
		return e.code
	}
	return 0
}

// CredentialSpec is what New-CredentialSpec writes for an account of the root domain.
func (d *Domain) CredentialSpec(account string) []byte {
	dom := d.root()
	return specOf(specDomain{dom, d.DNSName(), dom.SID, dom.GUID}, account, nil)
}

// reverseNames checks the reverse names of DCs of the root domain.
func (k *checker) reverseNames() {
	for i, r := range k.cfg.ReverseNames {
		path := fmt.Sprintf("reverseNames[%d]", i)
		if !slices.ContainsFunc(k.dcs, func(s string) bool { return strings.EqualFold(s, r.DC) }) {
			k.failNear(path+".dc", r.DC, k.dcs, "no DC %q", r.DC)
		}
		k.hostName(path+".name", r.Name)
	}
}
