package directory

import (
	"context"
	"fmt"
	"testing"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

func TestMachineAccountQuota(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	alice := w.user("alice")
	c := w.as("alice")
	computer := func(name string, more ...Attribute) (string, []Attribute) {
		return "CN=" + name + ",CN=Computers," + base, append([]Attribute{Text("objectClass", "computer"), Text("sAMAccountName", name+"$"),
			Text("userAccountControl", "69632"), Text("dNSHostName", name+".contoso.com"), Text("servicePrincipalName", "HOST/"+name, "HOST/"+name+".contoso.com")}, more...)
	}
	for _, x := range []struct {
		what   string
		change func(attrs []Attribute) []Attribute
		parent string
		result int
		code   uint32
	}{
		{"more attributes than a join has", func(a []Attribute) []Attribute { return append(a, Text("description", "x")) }, "", 50, 0x2098},
		{"a domain controller", func(a []Attribute) []Attribute {
			return append(without(a, "userAccountControl"), Text("userAccountControl", "8192"))
		}, "", 50, 0x2098},
		{"somebody else's name", func(a []Attribute) []Attribute {
			return append(without(a, "servicePrincipalName"), Text("servicePrincipalName", "HOST/other"))
		}, "", 19, 0x200B},
		{"a gMSA", func(a []Attribute) []Attribute {
			return append(without(a, "objectClass"), Text("objectClass", "msDS-GroupManagedServiceAccount"))
		}, "", 50, 0x2098},
		{"elsewhere", func(a []Attribute) []Attribute { return a }, "CN=Users", 50, 0x2098},
		{"without $", func(a []Attribute) []Attribute {
			return append(without(a, "sAMAccountName"), Text("sAMAccountName", "h"))
		}, "", 80, 0x523},
	} {
		dn, attrs := computer("h")
		if x.parent != "" {
			dn = "CN=h," + x.parent + "," + base
		}
		wantCode(t, x.what, w.dc.Add(ctx, c, dn, x.change(attrs)), x.result, x.code)
	}
	for i := range 10 {
		dn, attrs := computer(fmt.Sprintf("h%d", i))
		wantCode(t, dn, w.dc.Add(ctx, c, dn, attrs), 0, 0)
	}
	dn, attrs := computer("h10")
	wantCode(t, "the eleventh", w.dc.Add(ctx, c, dn, attrs), 53, 0x216D)
	wantCode(t, "an administrator's", w.dc.Add(ctx, w.as("Administrator"), dn, attrs), 0, 0)

	v := w.dc.view()
	e := v.bySAM("h3$")
	if want := w.f.Domains()[0].SID.Append(security.RIDDomainAdmins); e.sd.get().Owner != want {
		t.Errorf("owner: got %v, want Domain Admins", e.sd.get().Owner)
	}
	if got := string(e.value(aMSDSCreatorSID)); got != string(alice.SID.Bytes()) {
		t.Errorf("mS-DS-CreatorSID: got %x, want alice", got)
	}
	h3 := w.account("h3$")
	wantCode(t, "the creator sets the password", w.dc.SetPassword(ctx, c, h3.SID, "x"), 0, 0)
	wantCode(t, "not of other computers", w.dc.SetPassword(ctx, c, w.account("h10$").SID, "x"), 50, 0x2098)
	self := &Caller{Token: w.dc.TokenFor(h3), Encrypted: true}
	wantCode(t, "the computer's own dNSHostName", w.modify(self, h3.DN, ModReplace, Text("dNSHostName", "H3.contoso.com")), 0, 0)
	wantCode(t, "another dNSHostName", w.modify(self, h3.DN, ModReplace, Text("dNSHostName", "h4.contoso.com")), 19, 0x200B)
	wantCode(t, "its own SPN", w.modify(self, h3.DN, ModAdd, Text("servicePrincipalName", "RestrictedKrbHost/h3")), 0, 0)
	wantCode(t, "its own SPN with a port", w.modify(self, h3.DN, ModAdd, Text("servicePrincipalName", "MSSQLSvc/h3.contoso.com:1433")), 0, 0)
	wantCode(t, "another SPN", w.modify(self, h3.DN, ModAdd, Text("servicePrincipalName", "RestrictedKrbHost/h77")), 19, 0x200B)
	wantCode(t, "another attribute", w.modify(self, h3.DN, ModReplace, Text("sAMAccountName", "h77$")), 50, 0x2098)
}
