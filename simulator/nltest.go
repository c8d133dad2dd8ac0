package simulator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/windows"
)

// Nltest is what nltest found and printed. It ends with exit code 0 and its last line says so when the status above is an error.
type Nltest struct {
	// Connection is the status of the secure channel, Trust that of its verification where there was one; Failed that of the whole
	// call, when there are no others.
	Connection, Trust, Failed Status
	// DC is the DNS name of the DC, "" for none.
	DC string
	// Text is the output as it is.
	Text string
}

// Status is the first status that is not 0.
func (n Nltest) Status() Status {
	for _, s := range []Status{n.Failed, n.Connection, n.Trust} {
		if s != StatusSuccess {
			return s
		}
	}
	return StatusSuccess
}

const completed = "The command completed successfully\n"

// control runs one of the calls to the local Netlogon service: a container without credential spec has none, and the service knows its
// own domain only.
func (p *Process) control(domain string, work func() (Nltest, error)) (Nltest, error) {
	r := p.c
	fail := func(s Status, err error) (Nltest, error) {
		return Nltest{Failed: s, Text: fmt.Sprintf("I_NetLogonControl failed: Status = %s\n", s)}, p.explainChannel(err)
	}
	switch {
	case r.runs() != nil:
		return Nltest{}, r.runs()
	case !p.has(windows.Nltest):
		return Nltest{Text: notRecognized("nltest")}, p.lacks(windows.Nltest)
	case r.spec == nil:
		return fail(StatusServerUnavailable, errNoSpec)
	case domain != "" && !r.spec.names(domain):
		text := fmt.Sprintf("%s is not the domain of the container, which is %s: %s", domain, r.spec.DomainJoinConfig.DNSName, StatusNoSuchDomain)
		if dom := r.h.d.forest.Domain(domain); dom != nil && dom == r.h.d.rightDomain(r) { // the command is right and the credential spec is not
			return fail(StatusNoSuchDomain, &specNameError{field: "NetBiosName", value: r.spec.DomainJoinConfig.NetBIOSName, asked: domain, text: text})
		}
		return fail(StatusNoSuchDomain, errors.New(text))
	}
	n, err := work()
	return n, p.explainChannel(err)
}

func (p *Process) explainChannel(err error) error {
	if err == nil {
		return nil
	}
	return p.c.h.d.explain(&stepError{step: stepChannel, logon: p.c.asLogon(), err: err})
}

// statusOf is the status of a channel that did not come about.
func statusOf(err error) Status {
	if e, ok := errors.AsType[*channelError](err); ok {
		return e.status
	}
	return StatusNoLogonServers
}

// trusted is the part of the output that names the DC.
func (r *Running) trusted(err error, good int) (n Nltest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	flags := fmt.Sprintf("Flags: %x HAS_IP  HAS_TIMESERV\n", good)
	dc := ""
	if err != nil {
		n.Connection = statusOf(err)
		flags = fmt.Sprintf("Flags: %x\n", good&0x80)
	} else if r.channel.dc != nil {
		n.DC = r.channel.dc.DNSName()
		dc = ` \\` + n.DC
	}
	n.Text = flags + "Trusted DC Name" + dc + "\nTrusted DC Connection Status Status = " + n.Connection.String() + "\n"
	return n
}

// NltestSCVerify is nltest /sc_verify:domain: it makes a call over the secure channel, which it sets up when there is none.
func (p *Process) NltestSCVerify(domain string) (Nltest, error) {
	return p.control(domain, func() (Nltest, error) {
		err := p.c.withChannel(p.c.h.d.ctx, func(*DC) error { return nil })
		n := p.c.trusted(err, 0xb0)
		n.Trust = n.Connection
		if err == nil {
			if err = p.c.verifySID(); err != nil {
				n.Trust = statusOf(err)
			}
		}
		n.Text += "Trust Verification Status = " + n.Trust.String() + "\n" + completed
		return n, err
	})
}

// verifySID compares the SID of the domain with the one that the container believes in.
func (r *Running) verifySID() error {
	r.mu.Lock()
	dc := r.channel.dc
	r.mu.Unlock()
	if dc == nil || r.trusts(dc) {
		return nil
	}
	account, computer := r.names()
	return &channelError{StatusTrustFailure, dc, account, computer, errForeignSID}
}

// NltestSCQuery is nltest /sc_query:domain: the last known state, without a question to the DC.
func (p *Process) NltestSCQuery(domain string) (Nltest, error) {
	return p.control(domain, func() (Nltest, error) {
		err := p.c.lastKnown()
		n := p.c.trusted(err, 0x30)
		n.Text += completed
		return n, err
	})
}

// NltestSCReset is nltest /sc_reset:domain: the secure channel is set up anew, with a DC that is looked for anew.
func (p *Process) NltestSCReset(domain string) (Nltest, error) {
	return p.control(domain, func() (Nltest, error) {
		p.c.st.forget()
		err := p.c.reset(p.c.h.d.ctx)
		n := p.c.trusted(err, 0x30)
		n.Text += completed
		return n, err
	})
}

// NltestQuery is nltest /query: the last known state, without a question to the DC.
func (p *Process) NltestQuery() (Nltest, error) {
	return p.control("", func() (Nltest, error) {
		err := p.c.lastKnown()
		n := Nltest{}
		if err != nil {
			n.Connection = statusOf(err)
		}
		n.Text = "Flags: 0\nConnection Status = " + n.Connection.String() + "\n" + completed
		return n, err
	})
}

// lastKnown is the state of the channel as Netlogon remembers it.
func (r *Running) lastKnown() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.channel.status == StatusSuccess {
		return nil
	}
	account, computer := r.names()
	return &channelError{status: r.channel.status, dc: r.channel.dc, account: account, computer: computer, cause: r.channel.cause}
}

// NltestParentDomain is nltest /parentdomain, which reads the container's own configuration.
func (p *Process) NltestParentDomain() (Nltest, error) {
	r := p.c
	if r.spec != nil {
		n, err := p.control("", func() (Nltest, error) {
			return Nltest{Text: r.spec.DomainJoinConfig.DNSName + ". (1)\n" + completed}, nil
		})
		return n, err
	}
	n, err := p.control("", nil)
	if n.Failed != StatusSuccess {
		n.Text = fmt.Sprintf("Getting parent domain failed: Status = %s\n", n.Failed)
	}
	return n, err
}

// NltestDSGetDC is nltest /dsgetdc:domain: the DC locator, which looks up and pings.
func (p *Process) NltestDSGetDC(domain string) (Nltest, error) {
	r := p.c
	if err := r.runs(); err != nil {
		return Nltest{}, err
	}
	if !p.has(windows.Nltest) {
		return Nltest{Text: notRecognized("nltest")}, p.lacks(windows.Nltest)
	}
	dc, err := r.locatedDC(r.h.d.ctx, domain)
	if err != nil {
		return Nltest{Failed: StatusNoSuchDomain, Text: fmt.Sprintf("Getting DC name failed: Status = %s\n", StatusNoSuchDomain)}, p.explainChannel(err)
	}
	const site = "Default-First-Site-Name"
	pdc := ""
	if dc == dc.peers()[0] {
		pdc = "PDC "
	}
	lines := []string{
		`           DC: \\` + dc.DNSName(),
		`      Address: \\` + r.h.d.addressOf(dc),
		"     Dom Guid: " + dc.dom.GUID.String(),
		"     Dom Name: " + dc.dom.DNSName,
		"  Forest Name: " + r.h.d.DNSName(),
		" Dc Site Name: " + site,
	}
	near := ""
	if !r.st.siteUnknown() {
		lines, near = append(lines, "Our Site Name: "+site), "CLOSE_SITE "
	}
	lines = append(lines, "        Flags: "+pdc+"GC DS LDAP KDC TIMESERV WRITABLE DNS_DC DNS_DOMAIN DNS_FOREST "+near+"FULL_SECRET WS DS_8 DS_9 DS_10")
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(line + "\n")
	}
	return Nltest{DC: dc.DNSName(), Text: b.String() + completed}, nil
}

// NltestFindGC is nltest /dsgetdc: /gc: a global catalogue of the forest, which the locator looks for under the forest's name in the credential spec
// (DsGetDcName without a name and with DS_GC_SERVER_REQUIRED).
func (p *Process) NltestFindGC() (Nltest, error) {
	r := p.c
	if r.runs() == nil && p.has(windows.Nltest) && r.spec != nil && r.spec.DomainJoinConfig.DNSTreeName != "" {
		tree := r.spec.DomainJoinConfig.DNSTreeName
		if _, err := r.st.lookupSRV(r.h.d.ctx, "_gc._tcp."+strings.ToLower(tree)); err != nil {
			return Nltest{Failed: StatusNoSuchDomain, Text: fmt.Sprintf("Getting DC name failed: Status = %s\n", StatusNoSuchDomain)}, p.explainChannel(&noDCError{&r.st, strings.ToLower(tree), err.Error()})
		}
		return p.NltestDSGetDC(tree)
	}
	domain := r.h.dom.DNSName
	if r.spec != nil {
		domain = r.spec.DomainJoinConfig.DNSName
	}
	return p.NltestDSGetDC(domain)
}

// locatedDC is the first DC of a domain that answers a ping.
func (r *Running) locatedDC(ctx context.Context, domain string) (*DC, error) {
	dom := r.h.d.forest.Domain(domain)
	if dom == nil {
		return nil, &noDCError{&r.st, strings.ToLower(domain), "no such domain"}
	}
	dcs, err := r.st.locate(ctx, dom.DNSName)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(dcs, func(dc *DC) bool { return r.st.reach(dc, portLDAP) == "" })
	if i < 0 {
		r.st.forget()
		return nil, &unreachableError{&r.st, "LDAP", portLDAP, []attempt{{dcs[0].name, r.st.reach(dcs[0], portLDAP)}}}
	}
	return dcs[i], nil
}
