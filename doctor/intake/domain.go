package intake

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/doctor"
	"github.com/gmsasim/gmsasim/fakeads/dn"
	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/ldif"
)

// Options say how an export becomes a domain.
type Options struct {
	// Now is the domain time. Default: the newest time in the export.
	Now time.Time
	// Keep are accounts and service principal names that the world is to have although no service account leads to them.
	Keep []string
	// Limits bound the file.
	Limits ldif.Limits
}

// Directory is what an export says of a domain.
type Directory struct {
	Config simulator.Config
	Report *Report
	// Readers are who should read which password, as far as the directory says so: the computers that may, and those whose own object
	// still names a group that may and no longer has them.
	Readers []doctor.Reader
}

// ReadDirectory makes a domain of an LDIF export. Errors of the file are [*ldif.Error]; those of what it holds say what is missing.
func ReadDirectory(file string, r io.Reader, o Options) (*Directory, error) {
	report := &Report{Schema: ReportSchema, File: file, Warnings: []Remark{}, Assumed: []Remark{}, Ignored: []Remark{}}
	x, err := readExport(r, o.Limits, report)
	if err != nil {
		return nil, err
	}
	b := &builder{export: x, report: report, keep: map[string]bool{}, hosts: map[*object]string{}, edits: []simulator.Edit{}}
	for _, k := range o.Keep {
		b.keep[strings.ToLower(strings.TrimSuffix(k, "$"))] = true
	}
	if err := b.head(); err != nil {
		return nil, err
	}
	b.time(o.Now)
	b.controllers()
	b.rootKeys()
	b.accounts()
	b.cfg.Edits = append(b.cfg.Edits, b.edits...)
	b.count()
	report.Domain, report.Time = b.cfg.DNSName, b.cfg.Start
	if err := b.cfg.Validate(); err != nil {
		return nil, fmt.Errorf("the domain of the export cannot be: %w", err)
	}
	return &Directory{b.cfg, report, b.readers}, nil
}

// builder makes a configuration of an export.
type builder struct {
	*export
	report *Report
	cfg    simulator.Config
	root   dn.DN // of the domain
	sid    security.SID
	keep   map[string]bool
	edits  []simulator.Edit

	// names that objects have in the configuration; those without are not in it.
	hosts   map[*object]string
	readers []doctor.Reader
}

// all lists the objects of a kind that belong to the domain.
func (b *builder) all(k kind) (list []*object) {
	for _, o := range b.objects {
		if o.kind == k && (k == rootKey || k == crossRef || o.name.Equal(b.root) || o.name.DNSName() == b.cfg.DNSName) {
			list = append(list, o)
		}
	}
	return list
}

// exported tells whether the export has an attribute for a kind of object: then one without it has none in the directory either.
func (b *builder) exported(k kind, attribute string) bool {
	return b.says[k][strings.ToLower(attribute)]
}

// head finds the domain, its names and its identifiers.
func (b *builder) head() error {
	var heads []*object
	for _, o := range b.objects {
		if o.kind == domainHead && !strings.HasPrefix(o.name.DNSName(), "domaindnszones.") && !strings.HasPrefix(o.name.DNSName(), "forestdnszones.") {
			heads = append(heads, o)
		}
	}
	dns := ""
	if len(heads) > 0 {
		// Of several domains the one with the most entries is meant.
		slices.SortStableFunc(heads, func(a, c *object) int { return b.domains[c.name.DNSName()] - b.domains[a.name.DNSName()] })
		dns = heads[0].name.DNSName()
	} else {
		for _, c := range tally(b.domains) {
			if c.Name != "" && !strings.Contains(c.Name, "dnszones.") {
				dns = c.Name
				break
			}
		}
	}
	if dns == "" {
		return fmt.Errorf("no entry of the export belongs to a domain: their names have no DC=")
	}
	b.cfg.DNSName, b.root = dns, dn.Domain(dns)
	if len(heads) == 0 {
		b.report.assume(0, "the domain is %s, as the names of most entries say: the export does not have the domain itself", dns)
	} else {
		h := heads[0]
		if b.sid, _ = h.sid(); b.sid.IsZero() {
			b.report.assume(h.line, "the domain's SID: objectSid is not in the export")
		}
		if v := h.attr["objectguid"]; len(v) > 0 {
			if g, err := security.GUIDFromBytes(v[0].data); err == nil {
				b.cfg.GUID = g.String()
			}
		}
	}
	if b.cfg.GUID == "" {
		b.report.assume(0, "the domain's GUID: objectGUID of %s is not in the export", b.root)
	}
	b.domainSID()
	for _, o := range b.objects {
		if o.kind == crossRef && strings.EqualFold(o.text("nCName"), b.root.String()) && o.has("nETBIOSName") {
			b.cfg.NetBIOSName = strings.ToUpper(o.text("nETBIOSName"))
		}
	}
	if b.cfg.NetBIOSName == "" {
		first, _, _ := strings.Cut(dns, ".")
		b.cfg.NetBIOSName = strings.ToUpper(first[:min(len(first), 15)])
		b.report.assume(0, "the NetBIOS name is %s: the export has no crossRef of the domain (CN=Partitions of the configuration)", b.cfg.NetBIOSName)
	}
	for name, n := range b.domains {
		if name != dns && name != "" && !strings.Contains(name, "dnszones.") {
			if strings.HasSuffix(dns, "."+name) {
				b.report.ignore(0, "%d entries of %s, of which %s is a part; the world has %s alone", n, name, dns, dns)
			} else {
				b.report.ignore(0, "%d entries of another domain, %s", n, name)
			}
		}
	}
	slices.SortFunc(b.report.Ignored, func(a, c Remark) int { return strings.Compare(a.Text, c.Text) })
	return nil
}

// domainSID takes the domain's SID from any account when the domain is not there.
func (b *builder) domainSID() {
	for _, o := range b.objects {
		if !b.sid.IsZero() {
			break
		}
		if sid, ok := o.sid(); ok && o.name.DNSName() == b.cfg.DNSName && sid.Len() == 5 {
			b.sid = sid.Domain()
			b.report.assume(o.at("objectSid"), "the domain's SID is that of its accounts")
		}
	}
	if !b.sid.IsZero() {
		b.cfg.SID = b.sid.String()
	}
}

// time sets the domain time.
func (b *builder) time(now time.Time) {
	r := b.report
	switch {
	case !now.IsZero():
		b.cfg.Start, r.TimeFrom = now.UTC(), "as given"
	case !b.newest.IsZero():
		t := b.newest.Truncate(time.Second)
		if t.Before(b.newest) {
			t = t.Add(time.Second)
		}
		b.cfg.Start, r.TimeFrom = t, fmt.Sprintf("the newest time in the export, line %d; --now sets another", b.newestAt)
	default:
		b.cfg.Start, r.TimeFrom = time.Date(2019, 5, 3, 10, 0, 0, 0, time.UTC), "assumed: the export has no times; --now sets another"
	}
}

func (b *builder) controllers() {
	for _, o := range b.all(controller) {
		if name := o.account(); isComputerName(name) {
			b.cfg.DCs = append(b.cfg.DCs, name)
			b.hosts[o] = name + "$"
		} else {
			b.report.ignore(o.line, "the domain controller %s: that is no computer name", name)
		}
	}
	if len(b.cfg.DCs) == 0 {
		b.report.assume(0, "one domain controller, DC01: the export has none")
	}
}

// rootKeys enters the KDS root keys. An account needs a usable one when it is made, so keys that have become unusable or are gone were
// changed afterwards: that is what they are here too.
func (b *builder) rootKeys() {
	start := b.cfg.Start
	usable := false
	known := map[string]bool{}
	for _, o := range b.all(rootKey) {
		_, id := o.name.RDN()
		guid, err := security.ParseGUID(id)
		if err != nil {
			b.report.ignore(o.line, "a KDS root key whose name %q is no GUID", id)
			continue
		}
		known[guid.String()] = true
		created, use := o.fileTime("msKds-CreateTime"), o.fileTime("msKds-UseStartTime")
		if created.IsZero() || created.After(start) {
			b.report.assume(o.at("msKds-CreateTime"), "a KDS root key was made when the domain time begins: msKds-CreateTime is missing or later")
			created = start
		}
		if use.IsZero() {
			use = created.Add(-10 * time.Hour)
			b.report.assume(o.line, "a KDS root key is in use since it was made: msKds-UseStartTime is missing")
		}
		use = use.Truncate(time.Second)
		b.cfg.KDSRootKeys = append(b.cfg.KDSRootKeys, simulator.KDSRootKey{ID: guid.String(), Effective: simulator.At(use), Created: created.Truncate(time.Second)})
		usable = usable || !use.Add(10*time.Hour).After(start)
	}
	accounts := b.all(serviceAccount)
	if len(accounts) == 0 {
		return
	}
	if added := b.goneKeys(accounts, known); usable || added {
		return
	}
	// None is usable, and there are accounts: they were made before somebody changed the key.
	k := &b.cfg.KDSRootKeys[0]
	use := k.Effective.Time(k.Created)
	b.report.warn(b.all(rootKey)[0].at("msKds-UseStartTime"), "no KDS root key is usable at %s, and there are service accounts: one was, when they were made", term(start.Format(time.RFC3339)))
	k.Created = start.Add(-11 * time.Hour)
	k.Effective = simulator.At(k.Created)
	b.edits = append(b.edits, simulator.Edit{Object: k.ID, Attribute: "msKds-UseStartTime", Values: []string{toFileTime(use)}})
}

func toFileTime(t time.Time) string {
	return fmt.Sprint((t.Unix()+11644473600)*1e7 + int64(t.Nanosecond()/100))
}

// goneKeys are those that a password was made of and that are not in the export: deleted when others are there, else not exported.
// It tells whether there were some; they were usable when the accounts were made.
func (b *builder) goneKeys(accounts []*object, known map[string]bool) (added bool) {
	complete := len(known) > 0
	for _, o := range accounts {
		id, ok := passwordKey(o)
		switch {
		case !ok || known[id]:
			continue
		case !complete:
			b.report.assume(o.at("msDS-ManagedPasswordId"), "KDS root keys are not in the export (CN=Master Root Keys of the configuration): the one that the passwords name is there and usable")
		default:
			b.report.warn(o.at("msDS-ManagedPasswordId"), "the password of %s is made of the KDS root key %s, which is not among those of the export", o.account(), id)
			b.edits = append(b.edits, simulator.Edit{Object: id})
		}
		known[id] = true
		made := b.cfg.Start.Add(-11 * time.Hour)
		if t := o.generalized("whenCreated"); !complete && !t.IsZero() && t.Before(made) {
			made = t.Add(-11 * time.Hour)
		}
		b.cfg.KDSRootKeys = append(b.cfg.KDSRootKeys, simulator.KDSRootKey{ID: id, Effective: simulator.At(made), Created: made})
		added = true
	}
	if len(b.cfg.KDSRootKeys) == 0 {
		made := b.cfg.Start.Add(-11 * time.Hour)
		b.cfg.KDSRootKeys = append(b.cfg.KDSRootKeys, simulator.KDSRootKey{Effective: simulator.At(made), Created: made})
		b.report.assume(0, "a usable KDS root key: the export has none (CN=Master Root Keys of the configuration)")
		added = true
	}
	return added
}

// passwordKey is the root key that msDS-ManagedPasswordId names ([MS-GKDI] 2.2.4: after version, magic, flags and three indices).
func passwordKey(o *object) (string, bool) {
	const at = 24
	v := o.attr[strings.ToLower("msDS-ManagedPasswordId")]
	if len(v) == 0 || len(v[0].data) < at+16 {
		return "", false
	}
	g, err := security.GUIDFromBytes(v[0].data[at : at+16])
	return g.String(), err == nil
}

func (b *builder) count() {
	add := func(n int, one, many string) {
		if n > 0 {
			b.report.Read = append(b.report.Read, Count{cmp.Or(map[bool]string{true: one, false: many}[n == 1]), n})
		}
	}
	c := b.cfg
	add(len(c.DCs), "domain controller", "domain controllers")
	add(len(c.KDSRootKeys), "KDS root key", "KDS root keys")
	add(len(c.ServiceAccounts), "gMSA", "gMSAs")
	add(len(c.Groups), "group", "groups")
	add(len(c.Hosts), "computer", "computers")
	add(len(c.Users), "user", "users")
	add(len(c.Edits), "edit", "edits")
}
