package ldapdirectory

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/simulator/check"
)

// Domains implements [check.Directory]: the cross references of the forest's domains, whose naming contexts carry SID and GUID ([MS-ADTS] 3.1.1.3.4.1.5,
// 6.1.1.2.1.1), and the trusts of the domain that is asked first.
func (d *Directory) Domains() ([]check.Domain, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.allDomains()
}

func (d *Directory) allDomains() ([]check.Domain, error) {
	if d.domains == nil {
		list, err := d.askDomains()
		d.domains = &answer[[]check.Domain]{list, err}
	}
	return d.domains.value, d.domains.err
}

func (d *Directory) askDomains() ([]check.Domain, error) {
	l, err := d.link("")
	if err != nil {
		return nil, err
	}
	forest := domainOf(l.root)
	// systemFlags: FLAG_CR_NTDS_NC and FLAG_CR_NTDS_DOMAIN ([MS-ADTS] 2.2.11).
	refs, err := l.search("CN=Partitions,"+l.config, "(&(objectClass=crossRef)(systemFlags:1.2.840.113556.1.4.803:=3))", []ldap.Control{extendedDN()}, "nCName", "nETBIOSName", "dnsRoot")
	if err != nil {
		return nil, fmt.Errorf("domains of the forest: %w", err)
	}
	var list []check.Domain
	for _, e := range refs {
		guid, sid, dn := splitExtended(e.GetAttributeValue("nCName"))
		list = append(list, check.Domain{DNSName: cmp.Or(strings.ToLower(e.GetAttributeValue("dnsRoot")), domainOf(dn)), NetBIOSName: e.GetAttributeValue("nETBIOSName"), SID: sid, GUID: guid, Forest: forest})
	}
	if len(list) > maxDomains {
		return nil, fmt.Errorf("%d domains, at most %d are looked at", len(list), maxDomains)
	}
	slices.SortStableFunc(list, func(a, b check.Domain) int {
		return cmp.Or(boolFirst(strings.EqualFold(a.DNSName, forest), strings.EqualFold(b.DNSName, forest)), cmp.Compare(a.DNSName, b.DNSName))
	})
	trusts, err := l.search("CN=System,"+l.base, "(objectClass=trustedDomain)", nil, "trustPartner", "flatName", "securityIdentifier")
	if err != nil {
		return nil, fmt.Errorf("trusts of %s: %w", l.domain(), err)
	}
	for _, e := range trusts {
		t := check.Domain{DNSName: strings.ToLower(e.GetAttributeValue("trustPartner")), NetBIOSName: e.GetAttributeValue("flatName"), Trusted: true}
		if sids := sidTexts(e.GetRawAttributeValues("securityIdentifier")); len(sids) == 1 {
			t.SID = sids[0]
		}
		if !slices.ContainsFunc(list, func(o check.Domain) bool { return strings.EqualFold(o.DNSName, t.DNSName) }) {
			list = append(list, t)
		}
	}
	return list, nil
}

func boolFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// extendedDN is LDAP_SERVER_EXTENDED_DN_OID with SIDs and GUIDs in their usual form ([MS-ADTS] 3.1.1.3.4.1.5).
func extendedDN() ldap.Control {
	seq := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "ExtendedDNRequestValue")
	seq.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 1, "Flag"))
	return ldap.NewControlString("1.2.840.113556.1.4.529", false, string(seq.Bytes()))
}

// splitExtended takes <GUID=…>;<SID=…>;DC=… apart.
func splitExtended(dn string) (guid, sid, plain string) {
	for strings.HasPrefix(dn, "<") {
		part, rest, ok := strings.Cut(dn, ">;")
		if !ok {
			break
		}
		switch name, value, _ := strings.Cut(part[1:], "="); strings.ToUpper(name) {
		case "GUID":
			guid = strings.ToLower(value)
		case "SID":
			sid = value
		}
		dn = rest
	}
	return guid, sid, dn
}

// objectAttributes are what an object is made of.
var objectAttributes = []string{"objectClass", "cn", "sAMAccountName", "objectSid", "objectGUID", "dNSHostName", "servicePrincipalName", "userAccountControl", "msDS-SupportedEncryptionTypes",
	"accountExpires", "msDS-User-Account-Control-Computed"}

// Find implements [check.Directory].
func (d *Directory) Find(domain string, by check.Key, value string) ([]check.Object, error) {
	if value == "" {
		return nil, nil
	}
	if domain != "" {
		return d.findIn(domain, by, value)
	}
	domains, err := d.Domains()
	if err != nil {
		return nil, err
	}
	var list []check.Object
	for _, dom := range domains {
		if dom.Trusted {
			continue
		}
		found, err := d.findIn(dom.DNSName, by, value)
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	return list, nil
}

func (d *Directory) findIn(domain string, by check.Key, value string) ([]check.Object, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := strings.ToLower(domain + "\x00" + string(by) + "\x00" + value)
	a := d.found[key]
	if a == nil {
		list, err := d.ask(domain, by, value)
		a = &answer[[]check.Object]{list, err}
		d.found[key] = a
	}
	return a.value, a.err
}

func (d *Directory) ask(domain string, by check.Key, value string) ([]check.Object, error) {
	l, err := d.link(domain)
	if err != nil {
		return nil, err
	}
	text := ldap.EscapeFilter(value)
	switch by {
	case check.BySID:
		sid, err := security.ParseSID(value)
		if err != nil {
			return nil, nil // nobody's
		}
		text = octets(sid.Bytes())
	case check.ByGUID:
		guid, err := security.ParseGUID(value)
		if err != nil {
			return nil, nil
		}
		text = octets(guid[:])
	}
	entries, err := l.search(l.base, "("+string(by)+"="+text+")", nil, objectAttributes...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.dc, err)
	}
	list := make([]check.Object, len(entries))
	for i, e := range entries {
		list[i] = object(e, l.domain(), l.since)
	}
	return list, nil
}

// octets writes bytes as a filter has them (RFC 4515 3).
func octets(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		s.WriteByte('\\')
		s.WriteString(hex.EncodeToString([]byte{c}))
	}
	return s.String()
}

// never are the values of accountExpires of an account that does not expire ([MS-ADA1] 2.1).
var never = [...]int64{0, 1<<63 - 1}

// Bits of msDS-User-Account-Control-Computed ([MS-ADA2] 2.476).
const computedLockout = 0x10

func object(e *ldap.Entry, domain string, now time.Time) check.Object {
	number := func(attr string) uint32 {
		n, _ := strconv.ParseInt(e.GetAttributeValue(attr), 10, 64) // absent: 0
		return uint32(n)
	}
	o := check.Object{
		DN: e.DN, Domain: domain, CN: e.GetAttributeValue("cn"), SAM: e.GetAttributeValue("sAMAccountName"), DNSHostName: e.GetAttributeValue("dNSHostName"),
		SPNs: e.GetAttributeValues("servicePrincipalName"), Flags: number("userAccountControl"), EncryptionTypes: number("msDS-SupportedEncryptionTypes"),
		Locked: number("msDS-User-Account-Control-Computed")&computedLockout != 0,
	}
	if classes := e.GetAttributeValues("objectClass"); len(classes) > 0 {
		o.Class = classes[len(classes)-1] // they come from the most general to the most specific ([MS-ADTS] 3.1.1.2.4.3)
	}
	if sids := sidTexts(e.GetRawAttributeValues("objectSid")); len(sids) == 1 {
		o.SID = sids[0]
	}
	if guid, err := security.GUIDFromBytes(e.GetRawAttributeValue("objectGUID")); err == nil {
		o.GUID = guid.String()
	}
	if n, err := strconv.ParseInt(e.GetAttributeValue("accountExpires"), 10, 64); err == nil && !slices.Contains(never[:], n) {
		o.Expired = !fileTime(n).After(now)
	}
	return o
}

// fileTime is a FILETIME ([MS-DTYP] 2.3.3): hundreds of nanoseconds since 1601.
func fileTime(n int64) time.Time {
	const toUnix = 11644473600
	return time.Unix(n/1e7-toUnix, n%1e7*100).UTC()
}

func sidTexts(values [][]byte) []string {
	var list []string
	for _, b := range values {
		if sid, err := security.SIDFromBytes(b); err == nil {
			list = append(list, sid.String())
		}
	}
	return list
}

// ServiceAccounts implements [check.Directory].
func (d *Directory) ServiceAccounts(domain string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := strings.ToLower(domain)
	a := d.accounts[key]
	if a == nil {
		names, err := d.askServiceAccounts(domain)
		a = &answer[[]string]{names, err}
		d.accounts[key] = a
	}
	return slices.Clone(a.value), a.err
}

func (d *Directory) askServiceAccounts(domain string) ([]string, error) {
	l, err := d.link(domain)
	if err != nil {
		return nil, err
	}
	entries, err := l.search(l.base, "(objectClass="+check.ClassGMSA+")", nil, "sAMAccountName")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.dc, err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.GetAttributeValue("sAMAccountName"), "$"))
	}
	return names, nil
}

// Home is the DNS name of the domain whose controller was asked first, and the account that asks, as DOMAIN\NAME.
func (d *Directory) Home() (domain, account string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l, err := d.link("")
	if err != nil {
		return "", "", err
	}
	return l.domain(), l.who, nil
}

// Now implements [check.Directory].
func (d *Directory) Now() (time.Time, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l, err := d.link("")
	if err != nil {
		return time.Time{}, err
	}
	return d.now(l)
}

// generalizedTime is the form of times in Active Directory ([MS-ADTS] 3.1.1.2.2.2.9).
const generalizedTime = "20060102150405.0Z"

func (d *Directory) now(l *link) (time.Time, error) {
	e, err := l.read("", "currentTime")
	if err != nil {
		return time.Time{}, err
	}
	return time.Parse(generalizedTime, e.GetAttributeValue("currentTime"))
}

// ErrHidden means that the account that asks does not see what it would need.
var ErrHidden = errors.New("not visible to the account that asks")

// RootKeys implements [check.Directory]. Only Domain Admins of the forest's root domain and Enterprise Admins see the keys ([MS-GKDI] 3.1.4.1.1): for
// others that none is seen says nothing, and the error is [ErrHidden].
func (d *Directory) RootKeys(domain string) ([]check.RootKey, string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l, err := d.link(domain)
	if err != nil {
		return nil, "", err
	}
	entries, err := l.search("CN=Group Key Distribution Service,CN=Services,"+l.config, "(objectClass=msKds-ProvRootKey)", nil, "cn", "msKds-CreateTime", "msKds-UseStartTime")
	if err != nil && !ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
		return nil, l.dc, fmt.Errorf("%s: %w", l.dc, err)
	}
	if len(entries) == 0 && !d.administers(l) {
		return nil, l.dc, fmt.Errorf("KDS root keys: %w: %s is neither in Domain Admins of the forest's root domain nor in Enterprise Admins", ErrHidden, cmp.Or(l.who, "it"))
	}
	var keys []check.RootKey
	for _, e := range entries {
		k := check.RootKey{ID: e.GetAttributeValue("cn")}
		for attr, t := range map[string]*time.Time{"msKds-CreateTime": &k.Created, "msKds-UseStartTime": &k.Effective} {
			if n, err := strconv.ParseInt(e.GetAttributeValue(attr), 10, 64); err == nil {
				*t = fileTime(n)
			}
		}
		keys = append(keys, k)
	}
	return keys, l.dc, nil
}

// administers tells whether the connection's account is an administrator of the forest.
func (d *Directory) administers(l *link) bool {
	domains, err := d.allDomains()
	return err == nil && len(domains) > 0 && slices.ContainsFunc([]uint32{security.RIDDomainAdmins, security.RIDEnterpriseAdmins}, func(rid uint32) bool {
		return slices.Contains(l.sids, domains[0].SID+"-"+strconv.Itoa(int(rid)))
	})
}
