package simulator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
)

// SetAccountControl writes userAccountControl of an account (Set-ADObject -Replace @{userAccountControl=…}).
func (a *Admin) SetAccountControl(account string, value uint32) error {
	return a.do(fmt.Sprintf("Set-ADObject %s -Replace @{userAccountControl=%d}", account, value), func(c *ldapConn) error {
		e, err := c.principal(account, "distinguishedName")
		if err != nil {
			return c.change(account, err)
		}
		return c.change(account, c.modify(e.DN, []directory.Modification{{Op: directory.ModReplace, Attribute: integer("userAccountControl", value)}}))
	})
}

// Logoff ends the sessions of an administrator's account: the next command signs in anew, with the memberships of that time.
func (d *Domain) Logoff(account string) {
	d.mu.Lock()
	for key := range d.admins {
		if strings.HasSuffix(key, `\`+strings.ToLower(account)) {
			delete(d.admins, key)
		}
	}
	d.mu.Unlock()
	d.event(Event{Op: opAdmin, From: account, Text: "logoff"})
}

// NewUser is New-ADUser.
func (a *Admin) NewUser(u User) error {
	if u.Password == "" {
		u.Password = defaultPassword
	}
	err := a.do("New-ADUser -Name "+u.Name, func(c *ldapConn) error {
		o := userObject(c.dc.dom, u)
		return c.create(u.Name, c.add(o.DN, o.Attributes))
	})
	if err == nil {
		a.d.setKnownPassword(u.Name, u.Password)
	}
	return err
}

// knownPasswordLocked is the password that was set for a user, or else configured.
func (d *Domain) knownPasswordLocked(user string) (password string, ok bool) {
	if password, ok = d.passwords[strings.ToLower(user)]; ok {
		return password, true
	}
	if strings.EqualFold(user, "Administrator") {
		return d.cfg.AdminPassword, true
	}
	if i := slices.IndexFunc(d.cfg.Users, func(u User) bool { return strings.EqualFold(u.Name, user) }); i >= 0 {
		return cmp.Or(d.cfg.Users[i].Password, defaultPassword), true
	}
	return "", false
}

func (d *Domain) setKnownPassword(user, password string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.passwords[strings.ToLower(user)] = password
	for key := range d.admins {
		if strings.HasSuffix(key, `\`+strings.ToLower(user)) {
			delete(d.admins, key)
		}
	}
}

// SetPasswordOffline writes the password of an account into the DCs' databases past the directory's rules, as tools do that work on a database
// of a stopped DC.
func (d *Domain) SetPasswordOffline(account, password string) error {
	d.settle()
	dc := d.dcs[0]
	a, err := dc.replica.AccountByName(directory.Principal, account)
	if err != nil {
		return fmt.Errorf("%s: %w", account, err)
	}
	if err := dc.replica.SetPassword(d.ctx, directory.System(), a.SID, password); err != nil {
		return fmt.Errorf("%s: %w", account, err)
	}
	d.event(Event{Op: opDC, To: dc.name, Text: "the password of " + a.SAMAccountName + " is written into the database"})
	return nil
}

// SetPassword resets the password of a user or computer (Set-ADAccountPassword -Reset). A host whose account it is does not learn
// of it.
func (a *Admin) SetPassword(account, password string) error {
	if h, ok := a.d.FindHost(account); ok {
		// The host has signed in at its restart, under the password of that time. When it cannot, it cannot later either.
		_ = h.machine.signIn(a.d.ctx)
	}
	err := a.do("Set-ADAccountPassword "+account+" -Reset", func(c *ldapConn) error {
		e, err := c.principal(account, "distinguishedName")
		if err != nil {
			return c.change(account, err)
		}
		return c.change(account, c.modify(e.DN, []directory.Modification{{Op: directory.ModReplace, Attribute: unicodePwd(password)}}))
	})
	if _, isHost := a.d.FindHost(account); err == nil && !isHost {
		a.d.setKnownPassword(account, password)
	}
	return err
}

// SetEncryptionTypes is Set-ADUser -KerberosEncryptionType, or Set-ADComputer for a computer.
func (a *Admin) SetEncryptionTypes(account string, types []string) error {
	return a.do(fmt.Sprintf("Set-ADUser %s -KerberosEncryptionType %s", account, strings.Join(types, ",")), func(c *ldapConn) error {
		e, err := c.principal(account, "distinguishedName")
		if err != nil {
			return c.change(account, err)
		}
		return c.change(account, c.modify(e.DN, []directory.Modification{{Op: directory.ModReplace, Attribute: integer("msDS-SupportedEncryptionTypes", etypeBits(types))}}))
	})
}
