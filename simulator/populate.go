package simulator

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// populate builds forest and hosts from the configuration: the state before the story begins.
func (d *Domain) populate() error {
	d.fillPasswords()
	start, err := d.beginning()
	if err != nil {
		return err
	}
	d.adopt(start.forest.Fork(d.Clock.Now, d.directoryEvent))
	for _, e := range start.events {
		d.directoryEvent(e)
	}
	for _, h := range d.cfg.Hosts {
		d.addHost(h)
	}
	b := &population{d: d, dns: start.dns, later: slices.Clone(start.later)}
	if err := b.members(); err != nil {
		return err
	}
	if err := b.edits(); err != nil {
		return err
	}
	d.applyDCSettings()
	return nil
}

// fillPasswords gives hosts and users the passwords that the configuration leaves open.
func (d *Domain) fillPasswords() {
	for i := range d.cfg.Hosts {
		h := &d.cfg.Hosts[i]
		h.Name = strings.TrimSuffix(h.Name, "$")
		if h.Password == "" {
			h.Password = d.hostPassword(h.Name)
		}
	}
	for i := range d.cfg.Users {
		if u := &d.cfg.Users[i]; u.Password == "" {
			u.Password = defaultPassword
		}
	}
}

// forestDomains are the domains of the forest, the root first.
func (c Config) forestDomains() ([]directory.DomainConfig, error) {
	domains := []directory.DomainConfig{{DNSName: c.DNSName, NetBIOSName: c.NetBIOSName, DCs: c.DCs, AdministratorPassword: c.AdminPassword}}
	if err := c.identify(&domains[0]); err != nil {
		return nil, err
	}
	for _, o := range c.Domains {
		d := directory.DomainConfig{DNSName: o.DNSName, NetBIOSName: o.NetBIOSName, DCs: o.DCs, AdministratorPassword: c.AdminPassword}
		if err := identified(&d, o.SID, o.GUID); err != nil {
			return nil, err
		}
		domains = append(domains, d)
	}
	return domains, nil
}

// adopt makes a forest the domain's, with a DC for each replica.
func (d *Domain) adopt(forest *directory.Forest) {
	d.forest, d.dcs = forest, nil
	for _, r := range forest.DCs() {
		dc := &DC{d: d, name: r.Name(), replica: r, dom: r.Domain()}
		dc.kdc = dc.newKDC()
		d.dcs = append(d.dcs, dc)
	}
}

// directoryEvent enters what a DC writes to its event logs.
func (d *Domain) directoryEvent(e directory.Event) {
	d.event(Event{Op: opEventLog, To: e.DC, Text: fmt.Sprintf("%s, %s %d", e.Log, e.Source, e.ID), Result: e.Level, Detail: e.Text})
}

// kdfParamSHA512 is the msKds-KDFParam of keys that Windows makes: SP 800-108 with SHA512 ([MS-GKDI] 2.2.1).
var kdfParamSHA512, _ = hex.DecodeString("00000000010000000e000000000000005300480041003500310032000000")

func (d *Domain) populateRootKeys(part *Config) error {
	for i, k := range part.KDSRootKeys {
		dc := d.dcs[0]
		if k.DC != "" {
			dc = d.DC(k.DC)
		}
		created := k.Created
		if created.IsZero() {
			created = part.Start
		}
		data := sha256.Sum256(binary.BigEndian.AppendUint32([]byte(fmt.Sprintf("gmsasim root key %d ", part.Seed)), uint32(i)))
		more := sha256.Sum256(data[:])
		id := k.ID
		if id == "" {
			var g security.GUID
			copy(g[:], more[16:])
			g[7], g[8] = g[7]&0x0f|0x40, g[8]&0x3f|0x80 // version 4, in the wire form's byte order
			id = g.String()
		}
		id = strings.ToLower(strings.Trim(id, "{}"))
		number := func(n int) []byte { return strconv.AppendInt(nil, int64(n), 10) }
		stamp := func(t time.Time) []byte { return strconv.AppendUint(nil, uint64(kds.FromTime(t)), 10) }
		attrs := []directory.Attribute{
			directory.Text("objectClass", "msKds-ProvRootKey"),
			{Name: "msKds-Version", Values: [][]byte{number(1)}},
			{Name: "msKds-RootKeyData", Values: [][]byte{append(data[:], more[:]...)}},
			{Name: "msKds-CreateTime", Values: [][]byte{stamp(created)}},
			{Name: "msKds-UseStartTime", Values: [][]byte{stamp(k.Effective.Time(created))}},
			directory.Text("msKds-DomainID", "CN="+dc.name+",OU=Domain Controllers,"+dc.dom.DN),
			directory.Text("msKds-KDFAlgorithmID", "SP800_108_CTR_HMAC"),
			{Name: "msKds-KDFParam", Values: [][]byte{kdfParamSHA512}},
			directory.Text("msKds-SecretAgreementAlgorithmID", "DH"),
			{Name: "msKds-PublicKeyLength", Values: [][]byte{number(2048)}},
			{Name: "msKds-PrivateKeyLength", Values: [][]byte{number(512)}},
		}
		for j := range attrs {
			if strings.EqualFold(attrs[j].Name, k.Damaged) {
				attrs[j].Values = [][]byte{damagedValue(attrs[j].Name)}
			}
		}
		err := d.forest.Populate(part.DNSName, []directory.AddRequest{{
			DN:         rootKeyDN(d.root(), id),
			Attributes: attrs,
		}})
		if err != nil {
			return fmt.Errorf("kdsRootKeys[%d]: %w", i, err)
		}
	}
	return nil
}

// damageable are the attributes of a root key whose value decides whether it can be used, with one that it must not have.
var damageable = map[string]string{"msKds-Version": "9", "msKds-RootKeyData": "too short", "msKds-UseStartTime": "0", "msKds-KDFAlgorithmID": "NONE",
	"msKds-KDFParam": "no parameters"}

func damagedValue(attribute string) []byte { return []byte(damageable[attribute]) }

// hostPassword is the machine password that a host makes for itself, from the seed.
func (d *Domain) hostPassword(name string) string {
	sum := sha256.Sum256([]byte(fmt.Sprintf("gmsasim machine password %d %s", d.cfg.Seed, strings.ToUpper(name))))
	return base64.RawStdEncoding.EncodeToString(sum[:])
}
