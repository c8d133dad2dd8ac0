package simulator

import (
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// firstRID is the first relative identifier of accounts that a domain does not have from its start ([MS-SAMR] 3.1.1.9.2).
const firstRID = 1000

// identify gives the root domain the identifiers of the configuration.
func (c Config) identify(root *directory.DomainConfig) error {
	if err := identified(root, c.SID, c.GUID); err != nil {
		return err
	}
	// What gets no identifier here gets one above those that are taken.
	for _, r := range c.rids() {
		if r.domain == "" || strings.EqualFold(r.domain, c.DNSName) {
			root.NextRID = max(root.NextRID, uint32(r.rid)+1)
		}
	}
	return nil
}

// identified gives a domain its SID and GUID; "" leaves them to the directory.
func identified(d *directory.DomainConfig, sid, guid string) (err error) {
	if sid != "" {
		if d.SID, err = security.ParseSID(sid); err != nil {
			return fmt.Errorf("sid: %w", err)
		}
	}
	if guid != "" {
		if d.GUID, err = security.ParseGUID(guid); err != nil {
			return fmt.Errorf("guid: %w", err)
		}
	}
	return nil
}

// givenRID is a relative identifier of the configuration.
type givenRID struct {
	path, domain string
	rid          int
}

// rids lists the relative identifiers of the configuration.
func (c Config) rids() (list []givenRID) {
	add := func(kind string, i int, domain string, rid int) {
		if rid != 0 {
			list = append(list, givenRID{fmt.Sprintf("%s[%d].rid", kind, i), domain, rid})
		}
	}
	for i, g := range c.Groups {
		add("groups", i, g.Domain, g.RID)
	}
	for i, u := range c.Users {
		add("users", i, u.Domain, u.RID)
	}
	for i, s := range c.ServiceAccounts {
		add("serviceAccounts", i, s.Domain, s.RID)
	}
	for i, h := range c.Hosts {
		add("hosts", i, h.Domain, h.RID)
	}
	return list
}

// withRID adds objectSid to the attributes of an account or group whose relative identifier is given.
func withRID(attrs []directory.Attribute, dom *directory.Domain, rid int) []directory.Attribute {
	if rid == 0 {
		return attrs
	}
	return append(attrs, directory.Attribute{Name: "objectSid", Values: [][]byte{dom.SID.Append(uint32(rid)).Bytes()}})
}

// domainIdentifiers checks the SID and the GUID of a domain; prefix begins their paths.
func (k *checker) domainIdentifiers(prefix, sid, guid string) {
	if sid != "" {
		if parsed, err := security.ParseSID(sid); err != nil || len(parsed.Bytes()) != len(anyDomain.Bytes()) || !strings.HasPrefix(parsed.String(), "S-1-5-21-") {
			k.fail(prefix+"sid", "%q is not the SID of a domain, as in S-1-5-21-1-2-3", sid)
		}
	}
	if guid != "" {
		if _, err := security.ParseGUID(guid); err != nil {
			k.fail(prefix+"guid", "%q is not a GUID", guid)
		}
	}
}

// identifiers checks the identifiers of the domain and its accounts.
func (k *checker) identifiers() {
	k.domainIdentifiers("", k.cfg.SID, k.cfg.GUID)
	for i, d := range k.cfg.Domains {
		k.domainIdentifiers(fmt.Sprintf("domains[%d].", i), d.SID, d.GUID)
		if d.SID != "" && strings.EqualFold(d.SID, k.cfg.SID) {
			k.fail(fmt.Sprintf("domains[%d].sid", i), "%s is the SID of the root domain", d.SID)
		}
	}
	taken := map[string]string{}
	for _, r := range k.cfg.rids() {
		key := fmt.Sprintf("%s %d", k.domainOf("", r.domain), r.rid)
		switch other := taken[key]; {
		case r.rid <= firstRID || r.rid >= 1<<30:
			k.fail(r.path, "%d is not between %d and %d; %d is the first DC's", r.rid, firstRID+1, 1<<30-1, firstRID)
		case r.rid == 1101 || r.rid == 1102:
			k.fail(r.path, "%d is taken by a group that comes with the DNS server", r.rid)
		case r.domain != "" && !strings.EqualFold(r.domain, k.cfg.DNSName):
			k.fail(r.path, "only accounts of the root domain can be given one")
		case other != "":
			k.fail(r.path, "%d is taken by %s", r.rid, other)
		default:
			taken[key] = r.path
		}
	}
}
