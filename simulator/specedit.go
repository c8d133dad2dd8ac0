package simulator

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// EditCredentialSpec changes one field of a credential spec in the folder of the engine, as people do with an editor. The field is a path with
// dots, in which a number counts the items of a list from 0: ActiveDirectoryConfig.GroupManagedServiceAccounts.1. A nil value removes the
// field. The document has to be JSON; it is written again as a whole.
func (h *Host) EditCredentialSpec(file, field string, value any) error {
	text, ok := h.ReadCredentialSpec(file)
	if !ok {
		return fmt.Errorf("no file %s in %s of %s", file, h.CredentialSpecFolder(), h.Name())
	}
	var doc any
	if err := json.Unmarshal(text, &doc); err != nil {
		return fmt.Errorf("edit %s: %w", file, err)
	}
	doc, err := edited(doc, strings.Split(field, "."), value)
	if err != nil {
		return fmt.Errorf("edit %s: %s: %w", file, field, err)
	}
	text, err = json.MarshalIndent(doc, "", "    ")
	if err != nil {
		return fmt.Errorf("edit %s: %w", file, err)
	}
	h.WriteCredentialSpec(file, text)
	return nil
}

// edited gives the value with the part below a path replaced, or removed by nil.
func edited(v any, path []string, value any) (any, error) {
	if len(path) == 0 {
		return value, nil
	}
	switch v := v.(type) {
	case map[string]any:
		if len(path) == 1 && value == nil {
			delete(v, path[0])
			return v, nil
		}
		part, err := edited(v[path[0]], path[1:], value)
		if err == nil {
			v[path[0]] = part
		}
		return v, err
	case []any:
		i, err := strconv.Atoi(path[0])
		if err != nil || i < 0 || i >= len(v) {
			return nil, fmt.Errorf("the list has %d items and no %s", len(v), path[0])
		}
		if len(path) == 1 && value == nil {
			return slices.Delete(v, i, i+1), nil
		}
		v[i], err = edited(v[i], path[1:], value)
		return v, err
	case nil:
		if value == nil {
			return nil, nil
		}
		part, err := edited(nil, path[1:], value)
		return map[string]any{path[0]: part}, err
	}
	return nil, fmt.Errorf("%q is in no object", path[0])
}

// Identifiers are objectSid and objectGUID of an account, group or computer as Get-ADObject shows them.
func (d *Domain) Identifiers(name string) (sid, guid string, err error) {
	for _, dc := range d.dcs {
		e, lookupErr := d.lookup(dc, name, "objectSid", "objectGUID")
		if lookupErr != nil {
			err = lookupErr
			continue
		}
		s, err := security.SIDFromBytes([]byte(e.Value("objectSid")))
		if err != nil {
			return "", "", err
		}
		g, err := security.GUIDFromBytes([]byte(e.Value("objectGUID")))
		return s.String(), g.String(), err
	}
	return "", "", err
}
