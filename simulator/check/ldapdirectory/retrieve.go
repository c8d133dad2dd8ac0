package ldapdirectory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/simulator/check"
)

// MayRetrieve implements [check.Directory] with the access check of a domain controller ([MS-ADTS] 3.1.1.4.4 of msDS-ManagedPassword): the token of a
// new sign-in against the descriptor in msDS-GroupMSAMembership.
func (d *Directory) MayRetrieve(account, who check.Object) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l, err := d.link(account.Domain)
	if err != nil {
		return false, err
	}
	if who.SID != "" && slices.Contains(l.sids, who.SID) {
		return l.retrieves(account)
	}
	e, err := l.read(account.DN, "msDS-GroupMSAMembership")
	if err != nil {
		return false, fmt.Errorf("%s: %w", l.dc, err)
	}
	raw := e.GetRawAttributeValue("msDS-GroupMSAMembership")
	if len(raw) == 0 {
		if !d.administers(l) {
			return false, fmt.Errorf("the principals allowed to retrieve the password of %s: %w", account.SAM, ErrHidden)
		}
		return false, nil // nobody is on the list
	}
	list, err := security.ParseDescriptor(raw)
	if err != nil {
		return false, fmt.Errorf("msDS-GroupMSAMembership of %s: %w", account.SAM, err)
	}
	sids, err := d.tokenOf(l, who)
	if err != nil {
		return false, err
	}
	token, err := tokenFrom(who.SID, sids)
	if err != nil {
		return false, err
	}
	self, _ := security.ParseSID(account.SID) // zero is nobody
	return list.Allows(token, security.RightReadProperty, security.ObjectTypes{}, self), nil
}

// retrieves tells whether the account that asks gets the password, as Test-ADServiceAccount does for the computer that it runs on.
func (l *link) retrieves(account check.Object) (bool, error) {
	e, err := l.read(account.DN, "msDS-ManagedPassword")
	if err != nil {
		return false, fmt.Errorf("%s: %w", l.dc, err)
	}
	blob := e.GetRawAttributeValue("msDS-ManagedPassword")
	clear(blob) // that it came is all that matters
	return len(blob) > 0, nil
}

func tokenFrom(user string, groups []string) (*security.Token, error) {
	sid, err := security.ParseSID(user)
	if err != nil {
		return nil, err
	}
	all := []security.SID{security.Everyone, security.AuthenticatedUsers, security.Network, security.ThisOrganization, security.AuthenticationAuthorityAssert}
	for _, g := range groups {
		if s, err := security.ParseSID(g); err == nil {
			all = append(all, s)
		}
	}
	return security.NewToken(sid, all...), nil
}

// tokenOf are the SIDs of the groups that somebody has at a domain controller: those of the own domain (tokenGroups, [MS-ADTS] 3.1.1.4.5.19), and the
// domain-local ones of the controller's, which the own domain does not know.
func (d *Directory) tokenOf(l *link, who check.Object) ([]string, error) {
	key := strings.ToLower(l.domain() + "\x00" + who.DN)
	if a := d.tokens[key]; a != nil {
		return a.value, a.err
	}
	sids, err := d.askToken(l, who)
	d.tokens[key] = &answer[[]string]{sids, err}
	return sids, err
}

func (d *Directory) askToken(l *link, who check.Object) ([]string, error) {
	own, err := d.link(who.Domain)
	if err != nil {
		return nil, err
	}
	e, err := own.read(who.DN, "tokenGroups")
	if err != nil {
		return nil, fmt.Errorf("%s: groups of %s: %w", own.dc, who.SAM, err)
	}
	sids := sidTexts(e.GetRawAttributeValues("tokenGroups"))
	if own == l || strings.EqualFold(own.domain(), l.domain()) {
		return sids, nil
	}
	// Members from another domain are references, or foreign security principals with the name of the account's SID; the rule walks through both.
	names, err := own.names(sids)
	if err != nil {
		return nil, fmt.Errorf("%s: groups of %s: %w", own.dc, who.SAM, err)
	}
	var in strings.Builder
	for _, dn := range append(names, who.DN) {
		in.WriteString("(member:" + inChain + ":=" + ldap.EscapeFilter(dn) + ")")
	}
	groups, err := l.search(l.base, "(&(objectClass=group)(|"+in.String()+"))", nil, "objectSid")
	if err != nil {
		return nil, fmt.Errorf("%s: groups of %s: %w", l.dc, cmp.Or(who.SAM, who.DN), err)
	}
	for _, g := range groups {
		sids = append(sids, sidTexts(g.GetRawAttributeValues("objectSid"))...)
	}
	slices.Sort(sids)
	return slices.Compact(sids), nil
}

// inChain is LDAP_MATCHING_RULE_TRANSITIVE_EVAL ([MS-ADTS] 3.1.1.3.4.4.3).
const inChain = "1.2.840.113556.1.4.1941"

// names are the distinguished names of groups.
func (l *link) names(sids []string) ([]string, error) {
	var of strings.Builder
	for _, text := range sids {
		if sid, err := security.ParseSID(text); err == nil {
			of.WriteString("(objectSid=" + octets(sid.Bytes()) + ")")
		}
	}
	if of.Len() == 0 {
		return nil, nil
	}
	entries, err := l.search(l.base, "(|"+of.String()+")", nil, "1.1")
	if err != nil {
		return nil, err
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.DN)
	}
	return list, nil
}
