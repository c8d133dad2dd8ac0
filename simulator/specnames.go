package simulator

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// specNameError: a name of a domain leads nowhere, on the command line or in the credential spec of a container.
type specNameError struct {
	field, value string // that is wrong
	asked        string // what was looked for
	text         string
}

func (e *specNameError) Error() string { return e.text }

func (e *specNameError) finding(d *Domain, s *stepError) *diag.Finding {
	if r := s.logon.st.container; r != nil {
		if f := d.findSpecNames(r); f != nil {
			return f
		}
	}
	f := &diag.Finding{
		Code: diag.SpecDomainName, Mode: "cs-wrong-domain-names",
		Facts:   []diag.Fact{{Name: e.field, Value: e.value}},
		SeenAs:  []string{e.text},
		Because: "domains are found by their DNS names; nothing is known under this one",
	}
	var names []string
	for _, dom := range d.forest.Domains() {
		names = append(names, dom.DNSName)
	}
	if near := diag.Nearest(e.value, names); near != "" {
		f.Nearest = []diag.Near{{Wanted: e.value, Closest: near}}
		f.Help = []diag.Help{{Text: "name the domain of the account, or leave it out for the host's own", Command: "New-CredentialSpec -AccountName " + s.account + " -Domain " + near, Do: []string{"with: " + flowMap(arg{"domain", near})}}}
	}
	return f
}

// containerOf is the container whose step failed; nil when it is none.
func containerOf(err error) *Running {
	if e, ok := errors.AsType[*noPasswordError](err); ok {
		return e.r
	}
	if s, ok := errors.AsType[*stepError](err); ok && s.logon != nil {
		return s.logon.st.container
	}
	return nil
}

// findSpecCause tells whether a field of a container's credential spec explains a failure; nil when none does.
func (d *Domain) findSpecCause(err error) *diag.Finding {
	r := containerOf(err)
	if r == nil || r.spec == nil {
		return nil
	}
	if e, ok := errors.AsType[*noPasswordError](err); ok {
		return d.findNoPassword(e)
	}
	j := r.spec.DomainJoinConfig
	if e, ok := errors.AsType[*noDCError](err); ok {
		if dom := d.forest.Domain(e.domain); dom == nil || !strings.EqualFold(dom.DNSName, e.domain) {
			if strings.EqualFold(e.domain, j.DNSName) {
				return d.findSpecNames(r)
			}
		}
		if strings.EqualFold(e.domain, j.DNSTreeName) && !strings.EqualFold(e.domain, d.DNSName()) {
			return d.findSpecNames(r)
		}
		return nil
	}
	unknown := false
	if e := asKRBError(err); e != nil {
		unknown = e.code == krbErrCPrincipalUnknown
	}
	if e, ok := errors.AsType[*channelError](err); ok {
		switch e.cause {
		case errForeignSID:
			return d.findForeign(r, e, diag.SpecSID, "cs-sid-of-gmsa", "Sid", j.Sid, e.dc.dom.SID.String())
		case errForeignGUID:
			if r.spec.ofGUID(d.rightDomain(r).GUID) { // it is the name that leads to another domain
				return d.findSpecNames(r)
			}
			return d.findForeign(r, e, diag.SpecGUID, "cs-guid-wrong", "Guid", j.GUID, d.rightDomain(r).GUID.String())
		}
		unknown = e.status == StatusNoTrustSAMAccount && sameAccount(e.account, r.account())
	}
	if unknown && r.st.dom != d.rightDomain(r) {
		return d.findSpecNames(r)
	}
	return nil
}

// rightDomain is the domain that a credential spec is about: the one whose SID it has, else the one that has the account, else the host's.
func (d *Domain) rightDomain(r *Running) *directory.Domain {
	j := r.spec.DomainJoinConfig
	for _, dom := range d.forest.Domains() {
		if j.Sid != "" && strings.EqualFold(j.Sid, dom.SID.String()) {
			return dom
		}
	}
	for _, dc := range d.dcs {
		if d.isServiceAccount(r.account()+"$", dc) {
			return dc.dom
		}
	}
	return r.h.dom
}

// findSpecNames compares the names in a credential spec with those of its domain; nil when they are right.
func (d *Domain) findSpecNames(r *Running) *diag.Finding {
	j, dom := r.spec.DomainJoinConfig, d.rightDomain(r)
	f := &diag.Finding{
		Code: diag.SpecDomainName, Mode: "cs-wrong-domain-names",
		SeenAs:  []string{seenNoDomain, seenNoLogonSrv, "nltest: 1787 0x6fb ERROR_NO_TRUST_SAM_ACCOUNT"},
		Because: "the container takes the names of its domain from the credential spec as they stand, and looks for domain controllers under them",
	}
	wrong := false
	for _, n := range []struct{ field, value, want string }{{"DnsName", j.DNSName, dom.DNSName}, {"NetBiosName", j.NetBIOSName, dom.NetBIOSName}, {"DnsTreeName", j.DNSTreeName, d.DNSName()}} {
		if n.value == "" || strings.EqualFold(n.value, n.want) {
			continue
		}
		wrong = true
		f.Facts = append(f.Facts, diag.Fact{Name: n.field, Value: n.value + ", the domain's is " + n.want})
	}
	swapped := strings.EqualFold(j.DNSName, d.DNSName()) && strings.EqualFold(j.DNSTreeName, dom.DNSName) && !strings.EqualFold(j.DNSName, j.DNSTreeName)
	switch {
	case !wrong:
		return nil
	case swapped:
		f.Mode = "cs-dnstree-swapped"
		f.Because = "DnsName is the domain of the account and DnsTreeName the root of its forest; modules before February 2018 exchanged them, which shows only where the two differ"
	case strings.EqualFold(j.DNSName, dom.DNSName) && strings.EqualFold(j.NetBIOSName, dom.NetBIOSName):
		f.Mode = "trust-child-domain-credspec"
		f.SeenAs = f.SeenAs[:1]
		f.Because = "what is looked for in the whole forest, as a global catalogue, is looked for under DnsTreeName, which is the root domain of the forest and not the domain of the account"
	case !strings.EqualFold(j.Sid, dom.SID.String()) && j.Sid != "" && d.forest.Domain(j.DNSName) == nil:
		f.Mode = "cs-stale-after-domain-change"
		f.Facts = append(f.Facts, diag.Fact{Name: "Sid", Value: j.Sid + ", the domain's is " + dom.SID.String()})
		f.Because = "the file is from another domain, of which nothing is left: a credential spec does not follow when hosts and accounts move"
	}
	f.Help = d.remade(r, dom, "")
	return f
}

// findForeign is about a SID or GUID that is not the domain's.
func (d *Domain) findForeign(r *Running, e *channelError, code diag.Code, mode, field, value, want string) *diag.Finding {
	f := &diag.Finding{
		Code: code, Mode: mode,
		Facts:   []diag.Fact{{Name: field, Value: value}, {Name: "of the domain", Value: want}, {Name: "status", Value: e.status.String()}},
		SeenAs:  []string{"nltest: " + e.status.String()},
		Because: field + " is about the domain, whose Get-ADDomain shows it; Kerberos does not use it, the secure channel does",
		Help:    d.remade(r, d.rightDomain(r), ""),
	}
	for _, dc := range d.dcs {
		if owner, err := dc.objectWith(field, value); err == nil {
			f.Facts = append(f.Facts, diag.Fact{Name: "belongs to", Value: owner})
			break
		}
	}
	if code == diag.SpecSID {
		f.SeenAs = append(f.SeenAs, "Some or all identity references could not be translated.")
	}
	return f
}

// remade is to let the module write the credential spec again and to run the container with it. account is the right name, "" for the one
// in the spec.
func (d *Domain) remade(r *Running, dom *directory.Domain, account string) []diag.Help {
	dc := r.h.firstDC()
	for _, o := range d.dcs {
		if o.dom == dom {
			dc = o
			break
		}
	}
	if account == "" {
		account = d.likelyAccount(r.account(), dc)
	}
	if account == "" {
		return nil
	}
	command, args := "New-CredentialSpec -AccountName "+account, []arg{{"host", r.h.Name()}, {"account", account}}
	var others []string
	for _, a := range r.spec.additional() {
		if name := d.likelyAccount(a, dc); name != "" && !sameAccount(name, account) {
			others = append(others, name)
		}
	}
	if len(others) > 0 {
		command += " -AdditionalAccounts " + strings.Join(others, ", ")
		args = append(args, arg{"additional", others})
	}
	if dom != r.h.dom {
		command += " -Domain " + dom.DNSName
		args = append(args, arg{"domain", dom.DNSName})
	}
	file := specFile(dom.NetBIOSName, account)
	return []diag.Help{{Text: "let the module write the file again, and run the container anew with it", Command: command + "; " + r.withSpec("file://"+file),
		Do: []string{flowStep("newCredentialSpec", args...), flowStep("rerunContainer", arg{"container", r.shortID()}, arg{"credentialSpec", "file://" + file})}}}
}

// findNoPassword finds out why the host has no password for a container.
func (d *Domain) findNoPassword(e *noPasswordError) *diag.Finding {
	r, dom := e.r, d.rightDomain(e.r)
	entry, noEntry := errors.AsType[*specEntryError](e.err)
	if noEntry || errors.Is(e.err, errAbsent) {
		if f := d.findAccountName(r, e.account); f != nil {
			return f
		}
		if d.forest.Domain(r.spec.DomainJoinConfig.DNSName) == nil {
			return d.findSpecNames(r)
		}
	}
	switch foreign, is := errors.AsType[*foreignAccountError](e.err); {
	case is:
		return d.findForeignAccount(r, foreign)
	case noEntry:
		return d.findEntry(r, entry, dom)
	}
	f := d.diagnose(e.err) // what kept the host from reading it
	if f != nil && f.Code == diag.NoSuchAccount && d.AccountDN(e.account+"$") == "" {
		d.findNoAccount(r, e.account, dom, f)
	}
	if f != nil && f.Code == diag.NotAllowed && !strings.EqualFold(e.account, r.account()) {
		f.Mode = "cs-additional-unauthorised"
		f.Because = "each account of the credential spec has a list of its own of those who may read its password"
		f.Help = []diag.Help{{Text: "allow the host to read the password of this account too", Command: fmt.Sprintf("Set-ADServiceAccount %s -PrincipalsAllowedToRetrieveManagedPassword %s$", e.account, r.h.Name()),
			Do: []string{flowStep("setServiceAccount", arg{"account", e.account}, arg{"allowedToRetrieve", []string{r.h.Name()}})}}}
	}
	return f
}

// findNoAccount repairs a credential spec that names no account of the domain: another name was meant, or the account is gone.
func (d *Domain) findNoAccount(r *Running, account string, dom *directory.Domain, f *diag.Finding) {
	if len(f.Nearest) > 0 {
		if name := d.likelyAccount(f.Nearest[0].Closest, r.h.firstDC()); name != "" {
			f.Help = d.remade(r, dom, name)
			return
		}
	}
	f.Help = []diag.Help{{Text: "make the account, and run the container anew; or name another one in the credential spec",
		Command: ServiceAccount{AllowedToRetrieve: []string{r.h.Name() + "$"}}.command(account, account+"."+dom.DNSName) + "; docker restart " + r.shortID(),
		Do:      []string{flowStep("newServiceAccount", arg{"name", account}, arg{"allowedToRetrieve", []string{r.h.Name()}}), flowStep("rerunContainer", arg{"container", r.shortID()})}}}
}

// findAccountName tells what is wrong with the form of an account's name; nil when nothing is.
func (d *Domain) findAccountName(r *Running, name string) *diag.Finding {
	f := &diag.Finding{
		Code:    diag.SpecAccountName,
		Facts:   []diag.Fact{{Name: "name", Value: name}, {Name: "looked up as", Value: name + "$"}},
		SeenAs:  []string{"nltest: 1786 0x6fa ERROR_NO_TRUST_LSA_SECRET", seenNoPackage},
		Because: "the name is a sAMAccountName without its $, which Windows puts behind it itself",
		Help:    d.remade(r, d.rightDomain(r), d.likelyAccount(name, r.h.firstDC())),
	}
	switch {
	case strings.ContainsAny(name, `.\@`):
		f.Mode = "cs-name-fqdn"
	case strings.HasSuffix(name, "$"):
		f.Mode = "cs-name-with-dollar"
	default:
		return nil
	}
	return f
}

func (d *Domain) findEntry(r *Running, e *specEntryError, dom *directory.Domain) *diag.Finding {
	var listed []string
	for _, a := range r.spec.ActiveDirectoryConfig.GroupManagedServiceAccounts {
		listed = append(listed, a.Name+" in "+a.Scope)
	}
	f := &diag.Finding{
		Code: diag.SpecNoEntry, Mode: "cs-missing-scope",
		Facts:   []diag.Fact{{Name: "account", Value: e.account}, {Name: "entries", Value: "{" + strings.Join(listed, ", ") + "}"}},
		SeenAs:  []string{"nltest: 1786 0x6fa ERROR_NO_TRUST_LSA_SECRET", seenNoPackage},
		Because: "the host hands out the passwords of the accounts in GroupManagedServiceAccounts, looked up in the domain of their Scope",
		Help:    d.remade(r, dom, d.likelyAccount(e.account, r.h.firstDC())),
	}
	switch {
	case e.form != "":
		f.Facts = append(f.Facts, diag.Fact{Name: "form of the domain", Value: e.form})
		f.SeenAs = []string{"1069 The service did not start due to a logon failure.", seenNoPackage}
		f.Because = "the account needs one entry with the DNS name of the domain and one with the short name; the form that this process uses has none"
	case len(e.scopes) == 0:
		f.Mode = "cs-machine-name-mismatch"
		f.Because = "MachineAccountName has to be one of the accounts in GroupManagedServiceAccounts: from there the host takes whose password it may hand out"
		if first := r.spec.ActiveDirectoryConfig.GroupManagedServiceAccounts; len(first) > 0 {
			f.Nearest = []diag.Near{{Wanted: e.account, Closest: first[0].Name}}
		}
	}
	return f
}

// findForeignAccount is about an account of another domain than the host's.
func (d *Domain) findForeignAccount(r *Running, e *foreignAccountError) *diag.Finding {
	f := &diag.Finding{
		Code: diag.NotAllowed, Mode: "host-wrong-domain",
		Facts:   []diag.Fact{{Name: "account", Value: e.account}, {Name: "its domain", Value: e.dom.DNSName}, {Name: "domain of the host", Value: r.h.dom.DNSName}},
		SeenAs:  []string{seenTestFalse, "nltest: 1786 0x6fa ERROR_NO_TRUST_LSA_SECRET"},
		Because: "a computer reads passwords of managed accounts of its own domain only; New-CredentialSpec writes the file all the same",
	}
	if !e.additional {
		for _, o := range d.Hosts() {
			if o.dom == e.dom {
				f.Help = []diag.Help{{Text: "run the container on a host of the account's domain",
					Do: []string{flowStep("copyCredentialSpec", arg{"file", baseName(r.spec.path)}, arg{"from", r.h.Name()}, arg{"to", o.Name()}),
						flowStep("rerunContainer", arg{"container", r.shortID()}, arg{"host", o.Name()})}}}
				break
			}
		}
		return f
	}
	f.Mode = "cs-additional-cross-domain"
	own := r.h.dom
	file := specFile(own.NetBIOSName, r.account())
	rerun := []arg{{"container", r.shortID()}, {"credentialSpec", "file://" + file}}
	if form, name, ok := strings.Cut(r.cfg.Service.Name, `\`); ok && d.forest.Domain(form) == e.dom {
		rerun = append(rerun, arg{"service", own.NetBIOSName + `\` + name})
	}
	f.Help = []diag.Help{{Text: "make an account for this in the host's own domain",
		Command: fmt.Sprintf("%s; New-CredentialSpec -AccountName %s -AdditionalAccounts %s; %s",
			ServiceAccount{AllowedToRetrieve: []string{r.h.Name() + "$"}}.command(e.account, e.account+"."+own.DNSName), r.account(), e.account, r.withSpec("file://"+file)),
		Do: []string{flowStep("newServiceAccount", arg{"name", e.account}, arg{"allowedToRetrieve", []string{r.h.Name()}}),
			flowStep("newCredentialSpec", arg{"host", r.h.Name()}, arg{"account", r.account()}, arg{"additional", []string{e.account}}), flowStep("rerunContainer", rerun...)}}}
	return f
}

// findReplaced tells whether a container works with another credential spec than the one that a service's account would need, because a later
// option counts; nil when not.
func (d *Domain) findReplaced(s *stepError) *diag.Finding {
	r := s.logon.st.container
	if r == nil || len(r.replaced) == 0 {
		return nil
	}
	spn, _, _ := strings.Cut(s.server, "@")
	a, err := r.h.firstDC().replica.AccountBySPN(spn)
	if err != nil {
		return nil
	}
	for _, spec := range r.replaced {
		if !sameAccount(spec.DomainJoinConfig.MachineAccountName, a.SAMAccountName) {
			continue
		}
		file := "file://" + baseName(spec.path)
		return &diag.Finding{
			Code: diag.SpecReplaced, Mode: "cs-last-wins",
			Facts: []diag.Fact{{Name: "options", Value: strings.Join(r.cfg.securityOpts(), ", ")}, {Name: "account of the container", Value: r.account() + "$"},
				{Name: "account of the service", Value: a.SAMAccountName}},
			SeenAs:  []string{`docker inspect -f "{{json .HostConfig.SecurityOpt}}" shows both`, "KRB_AP_ERR_MODIFIED (0x29)"},
			Because: "the engine reads the credential specs of all options and takes the last one, without a word",
			Help: []diag.Help{{Text: "give one credential spec, with further accounts as additional ones", Command: r.withSpec(file),
				Do: []string{"rerunContainer: {container: " + flowText(r.shortID()) + ", securityOpts: [], " + strings.TrimPrefix(flowMap(arg{"credentialSpec", file}), "{")}}},
		}
	}
	return nil
}
