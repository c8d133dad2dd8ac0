package ldapdirectory

import (
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// FuzzObject makes objects of whatever a server says.
func FuzzObject(f *testing.F) {
	f.Add("<GUID=3f7a2c51-8d64-4b0e-9a17-c2d5e8f01b36>;<SID=S-1-5-21-1-2-3>;DC=corp,DC=example", "9223372036854775807", []byte{1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0})
	f.Add("<GUID", "-1", []byte{})
	f.Add("<=>;<>;", "132000000000000000", []byte("0123456789abcdef"))
	f.Fuzz(func(t *testing.T, name, number string, raw []byte) {
		guid, sid, dn := splitExtended(name)
		if len(sid)+len(dn) > len(name) {
			t.Errorf("%q became %q, %q and %q", name, guid, sid, dn)
		}
		if d := domainOf(dn); strings.ToLower(d) != d {
			t.Errorf("domain %q of %q", d, dn)
		}
		attrs := map[string][]string{"objectClass": {"top", number}, "cn": {name}, "userAccountControl": {number}, "msDS-SupportedEncryptionTypes": {number}, "accountExpires": {number},
			"msDS-User-Account-Control-Computed": {number}, "objectSid": {string(raw)}, "objectGUID": {string(raw)}}
		o := object(ldap.NewEntry(dn, attrs), "corp.example", time.Unix(0, 0))
		if o.CN != name || o.Class != number {
			t.Errorf("got %+v", o)
		}
	})
}
