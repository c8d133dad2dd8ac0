package simulator

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/dn"
	"github.com/gmsasim/gmsasim/fakeads/security"
)

// Edit is a change that somebody has made to an object of the directory by hand, with the means of a domain controller: what the other
// parts of a [Config] cannot express, and what a directory would refuse to an administrator.
type Edit struct {
	// Object is an account or group as elsewhere in a configuration, the GUID of a KDS root key, or a distinguished name.
	Object string `json:"object" yaml:"object"`
	// Attribute is replaced by Values, text as LDAP has it; a value that begins with "base64:" stands for bytes. Without values the attribute
	// is removed, and without an attribute the object.
	Attribute string   `json:"attribute,omitempty" yaml:"attribute,omitempty"`
	Values    []string `json:"values,omitempty" yaml:"values,omitempty"`
}

// binaryPrefix marks values of edits that are not text.
const binaryPrefix = "base64:"

// bytes are the values as the directory stores them.
func (e Edit) bytes() ([][]byte, error) {
	var list [][]byte
	for _, v := range e.Values {
		text, binary := strings.CutPrefix(v, binaryPrefix)
		if !binary {
			list = append(list, []byte(v))
			continue
		}
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("%q is not base64: %w", text, err)
		}
		list = append(list, b)
	}
	return list, nil
}

// edits checks what can be checked without a directory.
func (k *checker) edits() {
	for i, e := range k.cfg.Edits {
		path := fmt.Sprintf("edits[%d]", i)
		if _, err := e.bytes(); err != nil {
			k.fail(path+".values", "%v", err)
		}
		if e.Attribute == "" && len(e.Values) > 0 {
			k.fail(path+".attribute", "the attribute of the values is missing")
		}
		if _, err := security.ParseGUID(e.Object); err == nil {
			continue
		}
		if strings.Contains(e.Object, "=") {
			if _, err := dn.Parse(e.Object); err != nil {
				k.fail(path+".object", "%v", err)
			}
			continue
		}
		if _, ok := k.find("", e.Object); !ok {
			k.failNear(path+".object", e.Object, k.names, "no account or group %q", e.Object)
		}
	}
}

// edits makes the changes of the configuration.
func (b *population) edits() error {
	for i, e := range b.d.cfg.Edits {
		if err := b.edit(e); err != nil {
			return fmt.Errorf("edits[%d]: %s: %w", i, e.Object, err)
		}
	}
	return nil
}

func (b *population) edit(e Edit) error {
	d := b.d
	dc := d.dcs[0]
	name := e.Object
	if guid, err := security.ParseGUID(name); err == nil {
		name = rootKeyDN(d.root(), guid.String())
	} else if !strings.Contains(name, "=") {
		if name, err = d.dnOf(dc, name); err != nil {
			return err
		}
	}
	values, err := e.bytes()
	if err != nil {
		return err
	}
	if e.Attribute == "" {
		err = dc.replica.Delete(context.Background(), directory.System(), name, false)
	} else {
		mod := directory.Modification{Op: directory.ModReplace, Attribute: directory.Attribute{Name: e.Attribute, Values: values}}
		err = dc.replica.Modify(context.Background(), directory.System(), name, []directory.Modification{mod}, false)
	}
	if err != nil {
		return err
	}
	for _, dc := range d.dcs {
		dc.replica.Sync()
		dc.replica.RestartKDS() // the edit is older than the memory of the service
	}
	return nil
}

// rootKeyDN is the name of a KDS root key's object.
func rootKeyDN(dom *directory.Domain, id string) string {
	return "CN=" + id + ",CN=Master Root Keys,CN=Group Key Distribution Service,CN=Services,CN=Configuration," + dom.DN
}
