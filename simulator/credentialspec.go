package simulator

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/simulator/credspec/module"
)

// credentialSpec is a credential spec with all of its fields (CredentialSpec module 1.1.0; guide, "Check the Credential Spec file"). The five
// fields of DomainJoinConfig besides the account are what the container's LSA is told about its domain ([MS-LSAD] 2.2.4.14,
// POLICY_DNS_DOMAIN_INFO); each is used as it stands by whoever needs it.
type credentialSpec struct {
	CmsPlugins       []string `json:"CmsPlugins"`
	DomainJoinConfig struct {
		Sid                string `json:"Sid"`                // of the domain
		MachineAccountName string `json:"MachineAccountName"` // without $ and domain
		GUID               string `json:"Guid"`               // objectGUID of the domain
		DNSTreeName        string `json:"DnsTreeName"`        // the forest's root domain
		DNSName            string `json:"DnsName"`
		NetBIOSName        string `json:"NetBiosName"`
	} `json:"DomainJoinConfig"`
	ActiveDirectoryConfig struct {
		GroupManagedServiceAccounts []specAccount `json:"GroupManagedServiceAccounts"`
		// HostAccountConfig names the plug-in that a host outside the domain asks; nil: none.
		HostAccountConfig *hostAccountConfig `json:"HostAccountConfig,omitempty"`
	} `json:"ActiveDirectoryConfig"`

	text []byte // as the engine read it
	path string // the file that it was read from, "" for one that came in the option
}

// specAccount is an account whose password the container may ask for, and the domain in which that is looked up, in the long or the short
// form of its name.
type specAccount struct {
	Name  string `json:"Name"`
	Scope string `json:"Scope"`
}

// specTextError: Windows cannot read the document of a credential spec.
type specTextError struct {
	problem      string
	line, column int    // from 1; 0: about the whole
	encoding     string // that the bytes are in, when that is the trouble
	missing      string // path of a field that is not there
}

func (e *specTextError) Error() string {
	if e.line > 0 {
		return fmt.Sprintf("line %d, column %d: %s", e.line, e.column, e.problem)
	}
	return e.problem
}

// parseSpec reads the document of a credential spec.
//
// guess: Windows wants one JSON document in UTF-8 without a byte order mark, as the module writes ASCII on purpose; what its own reader lets
// pass is not known
func parseSpec(text []byte) (*credentialSpec, error) {
	for _, mark := range []struct{ bytes, name string }{{"\xef\xbb\xbf", "UTF-8 with a byte order mark"}, {"\xff\xfe", "UTF-16, little-endian"}, {"\xfe\xff", "UTF-16, big-endian"}} {
		if bytes.HasPrefix(text, []byte(mark.bytes)) {
			return nil, &specTextError{problem: fmt.Sprintf("the bytes %x where the document begins", mark.bytes), line: 1, column: 1, encoding: mark.name}
		}
	}
	s := credentialSpec{text: text}
	if err := json.Unmarshal(text, &s); err != nil {
		e := &specTextError{problem: err.Error()}
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			e.line, e.column = position(text, int(syntax.Offset)-1)
		} else if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			e.problem = fmt.Sprintf("%s is a JSON %s", kind.Field, kind.Value)
			e.line, e.column = position(text, int(kind.Offset)-1)
		}
		return nil, e
	}
	for _, f := range []struct{ value, path string }{{s.DomainJoinConfig.MachineAccountName, "DomainJoinConfig.MachineAccountName"}, {s.DomainJoinConfig.DNSName, "DomainJoinConfig.DnsName"}} {
		if f.value == "" {
			return nil, &specTextError{problem: f.path + " is missing", missing: f.path}
		}
	}
	return &s, nil
}

// position is the line and column of a byte, from 1; the end for one beyond it.
func position(text []byte, at int) (line, column int) {
	before := text[:max(0, min(at, len(text)))]
	return bytes.Count(before, []byte("\n")) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}

// entries are the entries for an account. Names are compared as they stand, without regard to case: a $ or a domain is part of the name.
func (s *credentialSpec) entries(account string) []specAccount {
	var list []specAccount
	for _, a := range s.ActiveDirectoryConfig.GroupManagedServiceAccounts {
		if strings.EqualFold(a.Name, account) {
			list = append(list, a)
		}
	}
	return list
}

// additional are the accounts of the spec besides the container's own.
func (s *credentialSpec) additional() []string {
	var list []string
	for _, a := range s.ActiveDirectoryConfig.GroupManagedServiceAccounts {
		if !sameAccount(a.Name, s.DomainJoinConfig.MachineAccountName) && !slices.ContainsFunc(list, func(o string) bool { return sameAccount(a.Name, o) }) {
			list = append(list, a.Name)
		}
	}
	return list
}

// names tells whether a name is that of the spec's domain, in the long or the short form.
func (s *credentialSpec) names(domain string) bool {
	return strings.EqualFold(domain, s.DomainJoinConfig.DNSName) || strings.EqualFold(domain, s.DomainJoinConfig.NetBIOSName)
}

// ofSID tells whether the domain SID is what the spec says, or the spec says none.
func (s *credentialSpec) ofSID(sid security.SID) bool {
	return s.DomainJoinConfig.Sid == "" || strings.EqualFold(s.DomainJoinConfig.Sid, sid.String())
}

// ofGUID does the same for the domain's objectGUID.
func (s *credentialSpec) ofGUID(guid security.GUID) bool {
	g := strings.Trim(s.DomainJoinConfig.GUID, "{}")
	return g == "" || strings.EqualFold(g, guid.String())
}

// specDomain is the domain that a credential spec is about, as New-CredentialSpec finds it in the directory.
type specDomain struct {
	*directory.Domain
	forest string
	sid    security.SID
	guid   security.GUID
}

// specOf makes a credential spec for accounts of a domain: the primary one has an entry for each form of the domain's name, others have one.
func specOf(dom specDomain, account string, additional []AdditionalAccount) []byte {
	s := module.Spec{CmsPlugins: []string{"ActiveDirectory"}, DomainJoin: module.DomainJoin{
		Sid: dom.sid.String(), Guid: dom.guid.String(), MachineAccountName: strings.TrimSuffix(account, "$"), DnsTreeName: dom.forest, DnsName: dom.DNSName, NetBiosName: dom.NetBIOSName,
	}}
	for _, scope := range []string{dom.DNSName, dom.NetBIOSName} {
		s.Accounts = append(s.Accounts, module.Account{Name: s.DomainJoin.MachineAccountName, Scope: scope})
	}
	for _, a := range additional {
		s.Accounts = append(s.Accounts, module.Account{Name: strings.TrimSuffix(a.Account, "$"), Scope: cmp.Or(a.Domain, dom.DNSName)})
	}
	return s.Module(module.LF)
}
