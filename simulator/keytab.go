package simulator

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// keytabVersion is the header of a keytab in MIT's format 2 (MIT krb5, keytab_file_format).
const keytabVersion = 0x0502

// Keytab is a MIT keytab (format 2) with the current keys of an account under its sAMAccountName and its service principal names,
// each with the true key version number. For a managed service account these are the keys of the current password. A name is there
// as it is stored, as the host is called in the configuration, and in lower case: a ticket has the name as the client spelt it, and
// libraries compare letter by letter. A host has host/name and host/name.domain too, as the programs that join computers write them.
func (d *Domain) Keytab(account string) ([]byte, error) {
	a, err := d.account(account)
	if err != nil {
		return nil, err
	}
	set, err := a.Keys(d.inside("keytab"))
	if err != nil {
		return nil, fmt.Errorf("keys of %s: %w", account, err)
	}
	spellings := []string{a.SAMAccountName}
	if h, ok := d.FindHost(account); ok {
		spellings = append(spellings, h.Name()+"$", "host/"+h.Name(), "host/"+h.Name()+"."+a.Domain.DNSName)
	}
	var names [][]string
	seen := map[string]bool{}
	for _, name := range append(spellings, a.SPNs...) {
		for _, form := range []string{name, strings.ToLower(name)} {
			if !seen[form] {
				seen[form] = true
				names = append(names, strings.Split(form, "/"))
			}
		}
	}
	b := binary.BigEndian.AppendUint16(nil, keytabVersion)
	for _, name := range names {
		for _, k := range set.Keys {
			b = appendKeytabEntry(b, a.Domain.Realm, name, k, set.Version, d.Clock.Now())
		}
	}
	return b, nil
}

// account finds an account of the forest by its name: NAME, NAME$ or DOMAIN\NAME.
func (d *Domain) account(name string) (*directory.Account, error) {
	dom, sam := d.root(), name
	if nb, rest, qualified := strings.Cut(name, `\`); qualified {
		if dom = d.forest.Domain(nb); dom == nil {
			return nil, fmt.Errorf("no domain %q", nb)
		}
		sam = rest
	} else if h, ok := d.FindHost(name); ok {
		dom = h.dom
	}
	a, err := d.firstDCOf(dom).replica.AccountByName(directory.Principal, sam)
	if errors.Is(err, directory.ErrNoAccount) {
		return nil, d.explain(&stepError{step: stepFind, dc: d.firstDCOf(dom), account: sam, err: errAbsent})
	}
	return a, err
}

// appendKeytabEntry appends one entry: its length, name, time, version and key.
func appendKeytabEntry(b []byte, realm string, name []string, k *krbcrypt.Key, version int, t time.Time) []byte {
	nameType := uint32(nameTypePrincipal)
	if len(name) > 1 {
		nameType = nameTypeSrvInst
	}
	text := func(e []byte, s string) []byte {
		return append(binary.BigEndian.AppendUint16(e, uint16(len(s))), s...)
	}
	e := binary.BigEndian.AppendUint16(nil, uint16(len(name)))
	e = text(e, realm)
	for _, n := range name {
		e = text(e, n)
	}
	e = binary.BigEndian.AppendUint32(e, nameType)
	e = binary.BigEndian.AppendUint32(e, uint32(t.Unix()))
	e = append(e, byte(version))
	e = binary.BigEndian.AppendUint16(e, uint16(k.EType))
	e = text(e, string(k.Value))
	e = binary.BigEndian.AppendUint32(e, uint32(version))
	b = binary.BigEndian.AppendUint32(b, uint32(len(e)))
	return append(b, e...)
}
