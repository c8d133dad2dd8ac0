package directory

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/dn"
	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// New builds a forest with everything a fresh installation has. It derives no keys: an account's keys are made when somebody
// first needs them.
func New(cfg Config) (*Forest, error) {
	if len(cfg.Domains) == 0 {
		return nil, fmt.Errorf("directory: no domain: Config.Domains needs the forest root domain at least")
	}
	f := &Forest{cfg: cfg, heirs: heirs{}, queries: &sync.Pool{}}
	if f.cfg.MaxPageSize <= 0 {
		f.cfg.MaxPageSize = 1000
	}
	if f.cfg.MaxValRange <= 0 {
		f.cfg.MaxValRange = 1500
	}
	st := &forestState{version: 1, schema: cfg.schemaVersion()}
	if err := f.layOut(st); err != nil {
		return nil, fmt.Errorf("directory: %w", err)
	}
	f.plant(st)
	f.state = st
	f.schemaStore = f.onceSchema()
	return f, nil
}

// layOut makes the domains, naming contexts and replicas without their objects.
func (f *Forest) layOut(st *forestState) error {
	seed := f.cfg.Seed
	s := theSchema()
	var root *Domain
	for i, dc := range f.cfg.Domains {
		name := strings.ToLower(strings.TrimSuffix(dc.DNSName, "."))
		d := &Domain{DNSName: name, NetBIOSName: dc.NetBIOSName, Realm: strings.ToUpper(name), SID: dc.SID, Level: dc.Level, forest: f, index: i}
		parsed := dn.Domain(name)
		if name == "" || parsed.DNSName() != name {
			return fmt.Errorf("domain %d: %q is not a DNS name", i, dc.DNSName)
		}
		if f.Domain(name) != nil {
			return fmt.Errorf("domain %q is there twice", name)
		}
		if d.NetBIOSName == "" {
			first, _, _ := strings.Cut(name, ".")
			d.NetBIOSName = strings.ToUpper(first[:min(len(first), 15)])
		}
		if f.Domain(d.NetBIOSName) != nil {
			return fmt.Errorf("domain %q: NetBIOS name %s is another's", name, d.NetBIOSName)
		}
		d.DN = parsed.String()
		if d.Level == 0 {
			d.Level = 7
		}
		d.GUID = st.newGUID(seed)
		if dc.GUID != (security.GUID{}) {
			d.GUID = dc.GUID
		}
		if d.SID.IsZero() {
			g := st.newGUID(seed)
			sub := func(i int) uint32 {
				return uint32(g[i]) | uint32(g[i+1])<<8 | uint32(g[i+2])<<16 | uint32(g[i+3])<<24
			}
			d.SID = security.NewSID(5, 21, sub(0), sub(4)&^0xf000|0x3000, sub(12))
		}
		st.ridPools = append(st.ridPools, 1100)
		if root == nil {
			root = d
		}
		var ncs [ncKinds]*namingContext
		if i == 0 {
			config := parsed.Child("CN", "Configuration")
			ncs[ncConfiguration] = &namingContext{kind: ncConfiguration, dn: config, dns: root.DNSName}
			ncs[ncSchema] = &namingContext{kind: ncSchema, dn: config.Child("CN", "Schema"), dns: root.DNSName}
			ncs[ncForestDNS] = &namingContext{kind: ncForestDNS, dn: parsed.Child("DC", "ForestDnsZones"), dns: "ForestDnsZones." + root.DNSName}
		} else {
			ncs = f.domains[0].ncs
		}
		ncs[ncDomain] = &namingContext{kind: ncDomain, dn: parsed, dns: name}
		ncs[ncDomainDNS] = &namingContext{kind: ncDomainDNS, dn: parsed.Child("DC", "DomainDnsZones"), dns: "DomainDnsZones." + name}
		d.ncs = ncs
		hosts := dc.DCs
		if len(hosts) == 0 {
			hosts = []string{"DC01"}
		}
		for _, h := range hosts {
			r := &Replica{forest: f, domain: d, index: len(f.replicas), name: h, dns: strings.ToLower(h) + "." + name, ncs: ncs}
			if h == "" || len(h) > 15 || strings.ContainsAny(h, ".,=\\/ $") {
				return fmt.Errorf("domain %q: %q is not a host name of a domain controller", name, h)
			}
			if slices.ContainsFunc(d.replicas, func(o *Replica) bool { return strings.EqualFold(o.name, h) }) {
				return fmt.Errorf("domain %q: domain controller %s is there twice", name, h)
			}
			r.dsaGUID, r.invocationID = st.newGUID(seed), st.newGUID(seed)
			d.replicas = append(d.replicas, r)
			f.replicas = append(f.replicas, r)
			st.replicas = append(st.replicas, &replicaState{})
		}
		f.domains = append(f.domains, d)
	}
	schemaDN := f.domains[0].ncs[ncSchema].dn
	for _, d := range f.domains {
		for _, nc := range d.ncs {
			if nc.url == "" {
				nc.url = "ldap://" + nc.dns + "/" + escapeURL(nc.dn.String())
			}
		}
	}
	for _, r := range f.replicas {
		r.below = sync.OnceValue(func() (list [ncKinds][]string) {
			for k := range ncKinds {
				list[k] = r.references(k, false)
			}
			return list
		})
	}
	f.categories = make([][][]byte, len(s.classes))
	for i, c := range s.classes {
		f.categories[i] = [][]byte{[]byte(schemaDN.Child("CN", c.defaultCategory.cn).String())}
	}
	return nil
}

// planter adds objects to a forest that nobody sees yet.
type planter struct{ *tx }

// plant makes the objects of a fresh forest.
func (f *Forest) plant(st *forestState) {
	var shared [ncStored]store // configuration and forest zones so far
	for i, d := range f.domains {
		first := d.replicas[0]
		rs := st.replicas[first.index]
		rs.stores[ncConfiguration], rs.stores[ncForestDNS] = shared[ncConfiguration], shared[ncForestDNS]
		p := f.planterAt(st, d)
		if i == 0 {
			p.configuration()
			p.forestDNS()
		}
		p.domain(d)
		p.servers(d)
		p.domainDNS(d)
		shared = rs.stores
		for _, r := range d.replicas[1:] {
			st.replicas[r.index].stores[ncDomain], st.replicas[r.index].stores[ncDomainDNS] = rs.stores[ncDomain], rs.stores[ncDomainDNS]
			st.replicas[r.index].usn = rs.usn
		}
	}
	st.version++ // what the domain's controllers share is not to be changed in place
	f.trusts(st)
	for _, rs := range st.replicas {
		rs.stores[ncConfiguration], rs.stores[ncForestDNS] = shared[ncConfiguration], shared[ncForestDNS]
		rs.usn = max(rs.usn, st.replicas[0].usn)
	}
}

// planterAt is a planter at a domain's first domain controller.
func (f *Forest) planterAt(st *forestState, d *Domain) *planter {
	r := d.replicas[0]
	return &planter{tx: &tx{view: view{f: f, r: r, st: st, rs: st.replicas[r.index], now: f.now()}, c: System(), s: theSchema(), lists: make([]*[][]byte, numAttributes)}}
}

// store keeps a draft without telling other replicas.
func (p *planter) keep(d *draft) *entry {
	e := d.save()
	p.ops = p.ops[:0]
	return e
}

// head plants the head of a naming context.
func (p *planter) head(k ncKind, class string, sd *descriptor, guid security.GUID, fill func(*draft)) *entry {
	nc := p.r.ncs[k]
	c := p.s.class(class)
	_, value := nc.dn.RDN()
	d := &draft{tx: p.tx, owned: true, ownLinks: true, e: entry{
		id: p.newID(), nc: k, origin: uint16(p.r.index), guid: guid, name: nc.dn, rdn: [][]byte{[]byte(value)}, class: c, created: p.now.Unix(), sd: sd,
	}}
	d.e.attrs = make([]attribute, 0, 40)
	d.setShared(aObjectCategory, p.f.categories[c.index])
	d.setInt(aInstanceType, 5) // head of a naming context, writable ([MS-ADTS] 2.2.9)
	if fill != nil {
		fill(d)
	}
	nc.headID = d.e.id
	return p.keep(d)
}

// child plants an object. The descriptor is what its class and parent give.
func (p *planter) child(parent *entry, class, attr, value string, fill func(*draft)) *entry {
	c := p.s.class(class)
	d := p.create(c, parent, parent.name.Child(attr, value))
	d.e.attrs = make([]attribute, 0, 12)
	d.setShared(aObjectCategory, p.f.categories[c.index])
	d.setShared(aInstanceType, smallInts[4])
	if fill != nil {
		fill(d)
	}
	if d.e.sd == nil {
		owner, group := p.ownerOf(parent.nc)
		d.e.sd = p.descriptorFor(parent.sd, c, nil, owner, group)
	}
	return p.keep(d)
}

func (p *planter) container(parent *entry, name string) *entry {
	return p.child(parent, "container", "CN", name, advanced)
}

// advanced hides the object from the simple view of administrative tools.
func advanced(d *draft) { d.set(aShowInAdvancedViewOnly, valueTrue) }

// described and critical are fills put together.
func described(text string, more ...func(*draft)) func(*draft) {
	return func(d *draft) {
		if text != "" {
			d.setText(aDescription, text)
		}
		for _, f := range more {
			f(d)
		}
	}
}

func critical(d *draft) { d.set(aIsCriticalSystemObject, valueTrue) }

// fixed marks an object that can be neither deleted, renamed nor moved ([MS-ADTS] 2.2.11): 0x8C000000.
func fixed(d *draft) { d.setInt(aSystemFlags, -1946157056) }

// parseSD reads a constant descriptor for a domain.
func (d *Domain) parseSD(sddl string) *security.Descriptor {
	sd, err := security.ParseSDDL(sddl, d.SID, d.forest.domains[0].SID)
	if err != nil {
		panic(fmt.Sprintf("directory: %s: %v", sddl, err))
	}
	return sd
}

// sddl gives an object a descriptor of its own beside what it inherits.
func (p *planter) sddl(parent *entry, class, text string) *descriptor {
	owner, group := p.ownerOf(parent.nc)
	guid, above, d := p.s.class(class).guid, parent.sd, p.r.domain
	return &descriptor{make: func() *security.Descriptor {
		return security.Inherit(above.get(), d.parseSD(text), &security.Token{User: owner, PrimaryGroup: group}, guid)
	}}
}

// wellKnownObject is one value of wellKnownObjects.
func wellKnownObject(guid string, e dn.DN) []byte {
	b, err := hex.DecodeString(guid)
	if err != nil {
		panic(fmt.Sprintf("directory: %q: %v", guid, err))
	}
	return appendDNBinary(nil, b, e.String())
}

// GUIDs of well-known containers, [MS-ADTS] 6.1.1.4.
const (
	wkUsers             = "A9D1CA15768811D1ADED00C04FD8D5CD"
	wkComputers         = "AA312825768811D1ADED00C04FD8D5CD"
	wkSystem            = "AB1D30F3768811D1ADED00C04FD8D5CD"
	wkControllers       = "A361B2FFFFD211D1AA4B00C04FD7D83A"
	wkInfrastructure    = "2FBAC1870ADE11D297C400C04FD8D5CD"
	wkDeleted           = "18E2EA80684F11D2B9AA00C04F79F805"
	wkLostAndFound      = "AB8153B7768811D1ADED00C04FD8D5CD"
	wkForeignPrincipals = "22B70C67D56E4EFB91E9300FCA3DC1AA"
	wkProgramData       = "09460C08AE1E4A4EA0F64AEE7DAA1E5A"
	wkMicrosoftData     = "F4BE92A4C777485E878E9421D53087DB"
	wkQuotas            = "6227F0AF1FC2410D8E3BB10615BB5B0F"
	wkServiceAccounts   = "1EB93889E40C45DF9F0C64D23BBB6237"
	wkKeys              = "683A24E2E8164BD3AF86AC3C2CF3F981"
)

// deletedSD is the descriptor of CN=Deleted Objects: only administrators may look ([MS-ADTS] 6.1.1.4.2).
const deletedSD = "D:PAI(A;;RPLC;;;BA)(A;;RPWPCCDCLCRCWOWDSDSW;;;SY)"

// hidden plants the container of tombstones.
func (p *planter) deletedObjects(head *entry) dn.DN {
	return p.child(head, "container", "CN", "Deleted Objects", func(d *draft) {
		d.set(aShowInAdvancedViewOnly, valueTrue)
		d.set(aIsDeleted, valueTrue)
		critical(d)
		fixed(d)
		d.setText(aDescription, "Default container for deleted objects")
		d.e.sd = p.sddl(head, "container", deletedSD)
	}).name
}

// configurationSD is the descriptor of the configuration naming context's head ([MS-ADTS] 6.1.1.1.2).
const configurationSD = "D:(OA;;CR;1131f6aa-9c07-11d1-f79f-00c04fc2dcd2;;ED)(OA;;CR;1131f6ab-9c07-11d1-f79f-00c04fc2dcd2;;ED)" +
	"(OA;;CR;1131f6ac-9c07-11d1-f79f-00c04fc2dcd2;;ED)(OA;;CR;1131f6aa-9c07-11d1-f79f-00c04fc2dcd2;;BA)(OA;;CR;1131f6ab-9c07-11d1-f79f-00c04fc2dcd2;;BA)" +
	"(OA;;CR;1131f6ac-9c07-11d1-f79f-00c04fc2dcd2;;BA)(A;;RPLCLORC;;;AU)(A;CI;RPWPCRLCLOCCDCRCWDWOSDDTSW;;;EA)(A;;RPWPCRLCLOCCDCRCWDWOSDDTSW;;;SY)" +
	"(A;CIIO;RPWPCRLCLOCCRCWDWOSDSW;;;DA)"

// Descriptors of the Group Key Distribution Service's containers, from the forest preparation of Server 2012 (operations 95 to 98).
const kdsSD = "D:(A;;RPLCLORC;;;AU)(A;;RPWPCRLCLOCCRCWDWOSW;;;EA)(A;;RPWPCRLCLOCCDCRCWDWOSDDTSW;;;SY)"

// configuration plants the configuration naming context.
func (p *planter) configuration() {
	f := p.f
	root := f.domains[0]
	sd := &descriptor{make: func() *security.Descriptor {
		sd := root.parseSD(configurationSD)
		sd.Owner, sd.Group = root.SID.Append(security.RIDEnterpriseAdmins), root.SID.Append(security.RIDEnterpriseAdmins)
		return sd
	}}
	nc := p.r.ncs[ncConfiguration].dn
	head := p.head(ncConfiguration, "configuration", sd, p.newGUID(), func(d *draft) {
		advanced(d)
		d.set(aWellKnownObjects,
			wellKnownObject(wkDeleted, nc.Child("CN", "Deleted Objects")),
			wellKnownObject(wkLostAndFound, nc.Child("CN", "LostAndFoundConfig")),
			wellKnownObject(wkQuotas, nc.Child("CN", "NTDS Quotas")))
	})
	p.deletedObjects(head)
	p.child(head, "lostAndFound", "CN", "LostAndFoundConfig", described("Default container for orphaned objects", advanced, fixed))
	p.child(head, "msDS-QuotaContainer", "CN", "NTDS Quotas", described("Quota specifications container", advanced, fixed))
	p.container(head, "DisplaySpecifiers")
	p.container(head, "Extended-Rights")
	p.container(head, "ForestUpdates")
	p.container(head, "WellKnown Security Principals")

	services := p.container(head, "Services")
	nt := p.container(services, "Windows NT")
	ds := p.child(nt, "nTDSService", "CN", "Directory Service", func(d *draft) {
		advanced(d)
		d.set(aSPNMappings, []byte("host="+strings.Join(hostAliases[:], ",")))
		d.setInt(aTombstoneLifetime, 180)
		d.setText(aMsDSOtherSettings, "DisableVLVSupport=0", "DynamicObjectMinTTL=900", "DynamicObjectDefaultTTL=86400")
	})
	features := p.container(ds, "Optional Features")
	p.child(features, "msDS-OptionalFeature", "CN", "Recycle Bin Feature", func(d *draft) {
		advanced(d)
		d.setInt(aMsDSOptionalFeatureFlags, 1)
		d.setInt(aMsDSRequiredForestBehaviorVersion, 4)
		g := security.MustGUID("766ddcd8-acd0-445e-f3b9-a7f9b6744f2a") // [MS-ADTS] 3.1.1.9.1
		d.set(aMsDSOptionalFeatureGUID, g[:])
	})
	gkds := p.child(services, "container", "CN", "Group Key Distribution Service", func(d *draft) {
		advanced(d)
		d.e.sd = p.sddl(services, "container", kdsSD)
	})
	for _, name := range []string{"Master Root Keys", "Server Configuration"} {
		c := p.child(gkds, "container", "CN", name, func(d *draft) {
			advanced(d)
			d.e.sd = p.sddl(gkds, "container", kdsSD)
		})
		if name == "Server Configuration" {
			p.child(c, "msKds-ProvServerConfiguration", "CN", "Group Key Distribution Service Server Configuration", func(d *draft) {
				advanced(d)
				d.setInt(aMsKdsVersion, 1)
			})
		}
	}

	sites := p.child(head, "sitesContainer", "CN", "Sites", fixed)
	site := p.child(sites, "site", "CN", defaultSite, nil)
	p.child(site, "serversContainer", "CN", "Servers", nil)
	p.child(site, "nTDSSiteSettings", "CN", "NTDS Site Settings", advanced)
	p.child(sites, "subnetContainer", "CN", "Subnets", fixed)
	transports := p.child(sites, "interSiteTransportContainer", "CN", "Inter-Site Transports", nil)
	ip := p.child(transports, "interSiteTransport", "CN", "IP", func(d *draft) {
		d.setText(aTransportAddressAttribute, "dNSHostName")
		d.setText(aTransportDLLName, "ismip.dll")
	})
	p.child(ip, "siteLink", "CN", "DEFAULTIPSITELINK", func(d *draft) {
		d.setInt(aCost, 100)
		d.setInt(aReplInterval, 180)
		d.addLink(aSiteList, site)
	})

	parts := p.child(head, "crossRefContainer", "CN", "Partitions", func(d *draft) {
		fixed(d)
		d.setInt(aMsDSBehaviorVersion, int64(root.Level))
		d.e.sd = p.sddl(head, "crossRefContainer", "D:(A;;GA;;;SY)(A;;RPLCLORC;;;AU)")
	})
	p.crossRef(parts, "Enterprise Configuration", p.r.ncs[ncConfiguration], root, 1)
	p.crossRef(parts, "Enterprise Schema", p.r.ncs[ncSchema], root, 1)
	p.crossRef(parts, p.newGUID().String(), p.r.ncs[ncForestDNS], root, 5)
}

// crossRef tells the forest of a naming context; flags as in [MS-ADTS] 2.2.11: 1 naming context, 2 domain, 4 not in the GC.
func (p *planter) crossRef(parts *entry, name string, nc *namingContext, d *Domain, flags int64) *entry {
	return p.child(parts, "crossRef", "CN", name, func(x *draft) {
		advanced(x)
		x.set(aNCName, []byte(nc.dn.String()))
		x.setText(aDnsRoot, nc.dns)
		x.setInt(aSystemFlags, flags)
		if nc.kind == ncDomain {
			x.setText(aNETBIOSName, d.NetBIOSName)
			x.setInt(aMsDSBehaviorVersion, int64(d.Level))
			if parent := d.parent(); parent != nil {
				x.set(aTrustParent, []byte(parts.name.Child("CN", parent.NetBIOSName).String()))
			} else if d.index > 0 {
				x.set(aRootTrust, []byte(parts.name.Child("CN", p.f.domains[0].NetBIOSName).String()))
			}
		}
	})
}

// defaultSite is the only site.
const defaultSite = "Default-First-Site-Name"

// parent is the domain above in the DNS tree, nil for the root of a tree.
func (d *Domain) parent() *Domain {
	_, rest, _ := strings.Cut(d.DNSName, ".")
	for _, o := range d.forest.domains {
		if o.DNSName == rest {
			return o
		}
	}
	return nil
}

// partitions, sitesDN and so on are names below the configuration head.
func (p *planter) below(k ncKind, names ...string) *entry {
	d := p.r.ncs[k].dn
	for _, n := range names {
		d = d.Child("CN", n)
	}
	e := p.byDN(d)
	if e == nil {
		panic("directory: not planted: " + d.String())
	}
	return e
}

func (p *planter) forestDNS() { p.dnsNC(ncForestDNS, "_msdcs."+p.r.domain.DNSName) }

func (p *planter) domainDNS(d *Domain) {
	p.dnsNC(ncDomainDNS, d.DNSName)
	p.crossRef(p.below(ncConfiguration, "Partitions"), p.newGUID().String(), p.r.ncs[ncDomainDNS], d, 5)
}

// domainSD is the descriptor of a domain's head: the default of samDomain, which domainDNS has as an auxiliary class.
func (p *planter) domainSD() *descriptor {
	owner, group := p.ownerOf(ncDomain)
	f, d, class := p.f, p.r.domain, p.s.class("samDomain")
	return &descriptor{make: func() *security.Descriptor {
		sd := *f.defaultDescriptor(class, d)
		sd.Owner, sd.Group = owner, group
		return &sd
	}}
}

// dnsNC plants an application naming context of the DNS service. Zones' records are not objects here.
func (p *planter) dnsNC(k ncKind, zone string) {
	head := p.head(k, "domainDNS", p.domainSD(), p.newGUID(), func(d *draft) {
		advanced(d)
		d.setText(aDescription, "Microsoft DNS Directory")
		d.set(aWellKnownObjects, wellKnownObject(wkDeleted, d.e.name.Child("CN", "Deleted Objects")))
	})
	p.deletedObjects(head)
	c := p.container(head, "MicrosoftDNS")
	p.child(c, "dnsZone", "DC", zone, advanced)
}

// FILETIME of a time in decimal.
func fileTimeValue(t time.Time) []byte { return intValue(int64(kds.FromTime(t))) }
