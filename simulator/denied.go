package simulator

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/filter"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/windows"
)

// denial is what the diagnosis of a refused password looks at: a reader got the account and not the attribute.
type denial struct {
	d       *Domain
	dc      *DC
	step    *stepError
	reader  *directory.Account
	host    *Host  // the reader, when it is one
	account string // without $
	dn      string // of the account
	self    security.SID
	sd      *security.Descriptor // nil: nobody is allowed
	listed  []listed
	facts   []diag.Fact
}

// listed is one principal on the list of those who may retrieve the password.
type listed struct {
	sid  security.SID
	name string // as the cmdlets print it: the SID when it is nobody's
	dc   *DC    // that knows it; nil: nobody's
	dn   string
}

// findDenied tells why a reader got the account without the password: its ticket, the directory and the account's list of
// principals are compared.
func (d *Domain) findDenied(s *stepError) *diag.Finding {
	c := d.denialOf(s)
	if c == nil {
		return nil
	}
	if c.allows(c.dc, c.sd) {
		return c.staleTicket()
	}
	if f := c.notReplicated(); f != nil {
		return f
	}
	var groups []string
	for _, g := range c.dc.replica.GlobalGroups(c.reader) {
		groups = append(groups, d.nameOfSID(c.dc, g.SID))
	}
	f := &diag.Finding{
		Code:    diag.NotAllowed,
		Facts:   append(c.facts, diag.Fact{Name: "groups of the reader", Value: "{" + strings.Join(groups, ", ") + "}"}),
		SeenAs:  []string{seenTestFalse, seenInstall},
		Because: "the DC leaves the password out of its answer for everyone who is not on the account's list, Domain Admins included",
	}
	c.cause(f)
	return f
}

func (d *Domain) denialOf(s *stepError) *denial {
	c := &denial{d: d, dc: s.dc, step: s, account: strings.TrimSuffix(s.account, "$")}
	entry, err := d.lookup(c.dc, c.account+"$", "msDS-GroupMSAMembership", "objectSid", "objectClass")
	if err != nil {
		return nil
	}
	if c.reader, err = c.dc.replica.AccountByName(directory.Principal, s.logon.account); err != nil {
		return nil
	}
	c.dn = entry.DN
	c.host, _ = d.FindHost(s.logon.account)
	c.sd, _ = security.ParseDescriptor([]byte(entry.Value("msDS-GroupMSAMembership"))) // absent or damaged: nobody is allowed
	c.self, _ = security.SIDFromBytes([]byte(entry.Value("objectSid")))
	var names []string
	if c.sd != nil {
		for _, ace := range retrieveACEs(c.sd) {
			l := d.whoIs(c.dc, ace.SID)
			c.listed = append(c.listed, l)
			names = append(names, l.name)
		}
	}
	c.facts = []diag.Fact{{Name: "account", Value: s.account}, {Name: "reader", Value: s.logon.account}, {Name: "DC", Value: c.dc.name},
		{Name: "allowed", Value: "{" + strings.Join(names, ", ") + "}"}}
	return c
}

// allows tells whether a descriptor lets the reader read when it signs in anew and asks this DC.
func (c *denial) allows(dc *DC, sd *security.Descriptor) bool {
	a, err := dc.replica.AccountByName(directory.Principal, c.step.logon.account)
	return err == nil && sd != nil && sd.Allows(dc.replica.TokenFor(a), security.RightReadProperty, security.ObjectTypes{}, c.self)
}

func (c *denial) staleTicket() *diag.Finding {
	f := &diag.Finding{
		Code:    diag.StaleTicket,
		Mode:    "acl-no-restart",
		Facts:   c.facts,
		SeenAs:  []string{seenTestFalse, seenInstall},
		Because: "the DC reads the memberships in the ticket, and the ticket was issued before the membership came",
		Help: []diag.Help{{Text: "restart the computer", Command: "Restart-Computer", Sure: true},
			{Text: "or remove the computer's tickets", Command: "klist -li 0x3e7 purge"}},
	}
	if c.host != nil {
		f.Help[0].Do, f.Help[1].Do = []string{c.restart()}, []string{c.purge()}
	}
	for _, t := range c.step.logon.list() {
		f.Facts = append(f.Facts, diag.Fact{Name: "ticket", Value: fmt.Sprintf("%s of %s", t.Server, t.StartTime.UTC().Format(timeForm))})
	}
	return f
}

func (c *denial) restart() string { return flowStep("restartHost", arg{"", c.host.Name()}) }
func (c *denial) purge() string   { return flowStep("purgeTickets", arg{"host", c.host.Name()}) }

// notReplicated looks for another DC of the domain that would give the password.
func (c *denial) notReplicated() *diag.Finding {
	for _, other := range c.dc.peers() {
		if other == c.dc {
			continue
		}
		e, err := c.d.lookup(other, c.account+"$", "msDS-GroupMSAMembership")
		if err != nil {
			continue
		}
		sd, err := security.ParseDescriptor([]byte(e.Value("msDS-GroupMSAMembership")))
		if err != nil || !c.allows(other, sd) {
			continue
		}
		f := &diag.Finding{
			Code:    diag.MembershipNotOnDC,
			Mode:    "repl-group-membership",
			Facts:   append(c.facts, diag.Fact{Name: "allowed on", Value: other.name}),
			SeenAs:  []string{seenTestFalse, seenInstall},
			Because: "the change that allows the reader is on another DC and has not been replicated to this one",
			Help:    []diag.Help{{Text: "replicate, or wait for replication, then restart the computer", Command: "repadmin /syncall /AdeP", Sure: true, Do: []string{"replicate:"}}},
		}
		if c.allows(c.dc, sd) {
			f.Mode = "repl-acl"
		}
		if c.host != nil {
			f.Help[0].Do = append(f.Help[0].Do, c.restart())
		}
		return f
	}
	return nil
}

// whoIs finds who has a SID.
func (d *Domain) whoIs(dc *DC, sid security.SID) listed {
	l := listed{sid: sid, name: sid.String()}
	for _, candidate := range append([]*DC{dc}, d.dcs...) {
		err := candidate.search(candidate.dom.DN, &filter.Filter{Op: filter.Equal, Attr: "objectSid", Value: sid.Bytes()}, []string{"sAMAccountName"}, func(e *directory.Entry) {
			l.name, l.dc, l.dn = e.Value("sAMAccountName"), candidate, e.DN
		})
		if err == nil && l.dc != nil {
			if candidate.dom != dc.dom {
				l.name = candidate.dom.NetBIOSName + `\` + l.name
			}
			break
		}
	}
	return l
}

// nameOfSID is the name of an account or group, or the SID.
func (d *Domain) nameOfSID(dc *DC, sid security.SID) string { return d.whoIs(dc, sid).name }

// deleted finds the tombstone of an account or group by an attribute that it keeps ([MS-ADTS] 3.1.1.5.5.1.1); nil when there is none.
func (dc *DC) deleted(attribute string, value []byte) *directory.Entry {
	var found *directory.Entry
	f := &filter.Filter{Op: filter.And, Children: []*filter.Filter{
		{Op: filter.Equal, Attr: "isDeleted", Value: []byte("TRUE")}, {Op: filter.Equal, Attr: attribute, Value: value}}}
	req := &directory.SearchRequest{Base: dc.dom.DN, Scope: directory.Subtree, Filter: f, Attributes: []string{"sAMAccountName", "objectSid", "objectClass"},
		ExtendedDN: -1, DomainScope: true, ShowDeleted: true}
	// Without an answer there is no tombstone to tell of.
	_, _ = dc.replica.Search(context.Background(), directory.System(), req, func(e *directory.Entry) error {
		found = cloneEntry(e)
		return nil
	})
	return found
}

// isWorkstation tells a computer that runs no containers of the account: a client of Windows without its credential spec.
func (h *Host) isWorkstation(account string) bool {
	os, err := windows.ParseOS(h.cfg.OS)
	return err == nil && os.Edition == windows.Client && len(h.Containers()) == 0 && !slices.Contains(h.CredentialSpecs(), specFile(h.dom.NetBIOSName, account))
}

// mayRetrieve is msDS-GroupMSAMembership of an account; nil when the attribute is absent.
func (d *Domain) mayRetrieve(dom *directory.Domain, s ServiceAccount, allowed []security.SID) ([]byte, error) {
	switch {
	case s.RetrieveSDDL != "":
		sd, err := security.ParseSDDL(s.RetrieveSDDL, dom.SID, d.root().SID)
		if err != nil {
			return nil, fmt.Errorf("retrieveSDDL: %w", err)
		}
		return sd.Marshal(), nil
	case len(allowed) > 0:
		return retrieveDescriptor(allowed), nil
	}
	return nil, nil
}
