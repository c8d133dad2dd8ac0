package simulator

import (
	"fmt"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// TestSecureChannel is Test-ComputerSecureChannel on the host, and nltest /sc_verify there: the host proves its own password to a DC anew
// ([MS-NRPC] 3.4.5.2). nil is True.
func (h *Host) TestSecureChannel() error { return h.d.explain(h.proveChannel()) }

func (h *Host) proveChannel() error {
	d := h.d
	if h.machine.nobody != nil {
		return &stepError{step: stepChannel, logon: h.machine, err: h.machine.nobody}
	}
	if err := h.pending(); err != nil {
		return err
	}
	status := StatusNoLogonServers
	var answered *DC
	hash := kds.NTHash(krbcrypt.UTF16LE(h.cfg.Password))
	account := h.machine.account
	err := h.each(d.ctx, h.dom.DNSName, "Netlogon", portRPC, func(dc *DC) (string, error) {
		if why := h.reach(dc, portLDAP); why != "" { // the locator pings before it takes a DC ([MS-ADTS] 6.3.3)
			return why, nil
		}
		var client, server credential8
		for _, c := range []*credential8{&client, &server} {
			if _, err := d.rand.Read(c[:]); err != nil {
				return "", err
			}
		}
		_, status = dc.authenticate(d.ctx, account, h.Name(), client, server, seal(channelKey(hash[:], client, server), client))
		answered = dc
		d.event(Event{Op: Netlogon, From: h.Name(), To: dc.name, Text: fmt.Sprintf("NetrServerAuthenticate3 %s as %s", account, h.Name()),
			Result: okOr(status), Code: int(status)})
		return "", nil
	})
	if err == nil && status == StatusSuccess {
		return nil
	}
	h.logNoChannel(status, answered)
	return &stepError{step: stepChannel, logon: h.machine, dc: answered, err: &channelError{status, answered, account, h.Name(), err}}
}

// logNoChannel is what Netlogon writes to the host's System log (message table of Netlogon).
func (h *Host) logNoChannel(status Status, dc *DC) {
	e := Event{Op: opEventLog, From: h.Name(), Text: "System, NETLOGON 5719", Result: "Error",
		Detail: fmt.Sprintf("This computer was not able to set up a secure session with a domain controller in domain %s due to the following: %s", h.dom.NetBIOSName, status)}
	if dc != nil {
		e.Text = "System, NETLOGON 3210"
		e.Detail = fmt.Sprintf(`This computer could not authenticate with \\%s, a Windows domain controller for domain %s.`, dc.DNSName(), h.dom.NetBIOSName)
	}
	h.d.event(e)
}

// RepairSecureChannel is Test-ComputerSecureChannel -Repair, or Reset-ComputerMachinePassword, with the administrator's credentials: host
// and directory have one password again, and the next sign-in of the host is a new one.
func (a *Admin) RepairSecureChannel(host string) error {
	h, ok := a.d.FindHost(host)
	if !ok {
		return fmt.Errorf("no host %q", host)
	}
	err := a.at(h.dom).do("Test-ComputerSecureChannel -Repair on "+h.Name(), func(c *ldapConn) error {
		e, err := c.principal(h.Name()+"$", "distinguishedName")
		if err != nil {
			return c.change(h.Name(), err)
		}
		// Windows makes a new password for both sides. That they agree is what counts, so the host keeps the one that it has.
		return c.change(h.Name(), c.modify(e.DN, []directory.Modification{{Op: directory.ModReplace, Attribute: unicodePwd(h.cfg.Password)}}))
	})
	if err != nil {
		return err
	}
	h.machine.purge()
	return a.d.explain(h.proveChannel())
}
