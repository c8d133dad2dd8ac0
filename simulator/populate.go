package simulator

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/kds"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// populate builds forest and hosts from the configuration: the state before the story begins.
func (d *Domain) populate() error {
	if err := d.newForest(); err != nil {
		return err
	}
	if err := d.populateRootKeys(); err != nil {
		return err
	}
	b := newPopulation(d, len(d.cfg.Hosts)+len(d.cfg.Groups)+len(d.cfg.ServiceAccounts))
	for i := range d.cfg.Hosts {
		b.host(&d.cfg.Hosts[i])
	}
	for i := range d.cfg.Users {
		b.user(&d.cfg.Users[i])
	}
	b.users = d.cfg.Users
	if err := b.flush(); err != nil {
		return err
	}
	if err := b.groups(d.cfg.Groups); err != nil {
		return err
	}
	for i := range d.cfg.ServiceAccounts {
		if err := b.serviceAccount(&d.cfg.ServiceAccounts[i]); err != nil {
			return fmt.Errorf("serviceAccounts[%d]: %w", i, err)
		}
	}
	if err := b.flush(); err != nil {
		return err
	}
	for _, h := range d.cfg.Hosts {
		d.addHost(h)
	}
	if err := b.members(); err != nil {
		return err
	}
	if err := b.edits(); err != nil {
		return err
	}
	d.applyDCSettings()
	return nil
}

func (d *Domain) newForest() error {
	domains := []directory.DomainConfig{{DNSName: d.cfg.DNSName, NetBIOSName: d.cfg.NetBIOSName, DCs: d.cfg.DCs, AdministratorPassword: d.cfg.AdminPassword}}
	if err := d.cfg.identify(&domains[0]); err != nil {
		return err
	}
	for _, c := range d.cfg.Domains {
		domains = append(domains, directory.DomainConfig{DNSName: c.DNSName, NetBIOSName: c.NetBIOSName, DCs: c.DCs, AdministratorPassword: d.cfg.AdminPassword})
	}
	forest, err := directory.New(directory.Config{
		Seed: d.cfg.Seed, Now: d.Clock.Now, Domains: domains, ReplicationDelay: d.cfg.ReplicationDelay, RootKeyPolicy: d.policy,
		Keys: d.cfg.Keys.strings, Passwords: d.cfg.Keys.passwords, DefaultETypes: etypeBits(d.cfg.DefaultETypes), Events: d.directoryEvent, SchemaVersion: d.cfg.SchemaVersion,
	})
	if err != nil {
		return fmt.Errorf("directory: %w", err)
	}
	d.forest = forest
	for _, r := range forest.DCs() {
		dc := &DC{d: d, name: r.Name(), replica: r, dom: r.Domain()}
		dc.kdc = dc.newKDC()
		d.dcs = append(d.dcs, dc)
	}
	return nil
}

// directoryEvent enters what a DC writes to its event logs.
func (d *Domain) directoryEvent(e directory.Event) {
	d.event(Event{Op: opEventLog, To: e.DC, Text: fmt.Sprintf("%s, %s %d", e.Log, e.Source, e.ID), Result: e.Level, Detail: e.Text})
}

// kdfParamSHA512 is the msKds-KDFParam of keys that Windows makes: SP 800-108 with SHA512 ([MS-GKDI] 2.2.1).
var kdfParamSHA512, _ = hex.DecodeString("00000000010000000e000000000000005300480041003500310032000000")

func (d *Domain) populateRootKeys() error {
	for i, k := range d.cfg.KDSRootKeys {
		dc := d.dcs[0]
		if k.DC != "" {
			dc = d.DC(k.DC)
		}
		created := k.Created
		if created.IsZero() {
			created = d.cfg.Start
		}
		data := sha256.Sum256(binary.BigEndian.AppendUint32([]byte(fmt.Sprintf("gmsasim root key %d ", d.cfg.Seed)), uint32(i)))
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
		err := d.forest.Populate(d.cfg.DNSName, []directory.AddRequest{{
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
