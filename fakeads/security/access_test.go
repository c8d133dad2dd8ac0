package security

import "testing"

// TestObjectEntries is about entries that name an attribute, a property set, an extended right or a class: they count for that one only,
// whether they allow or deny ([MS-ADTS] 5.1.3.3.3 and 5.1.3.3.4).
func TestObjectEntries(t *testing.T) {
	const one, other, set, class = "f3a64788-5306-11d1-a9c5-0000f80367c1", "bf967950-0de6-11d0-a285-00aa003049e2", "e48d0154-bcf8-11d1-8702-00c04fb96050", "bf967a86-0de6-11d0-a285-00aa003049e2"
	guid := func(s string) GUID {
		g, err := ParseGUID(s)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	asked := ObjectTypes{Attribute: guid(one), PropertySet: guid(set), Class: guid(class)}
	for _, tt := range []struct {
		name, dacl string
		obj        ObjectTypes
		want       bool
	}{
		{"an entry for everything", "(A;;RP;;;WD)", asked, true},
		{"for the attribute", "(OA;;RP;" + one + ";;WD)", asked, true},
		{"for the property set", "(OA;;RP;" + set + ";;WD)", asked, true},
		{"for the class", "(OA;;RP;" + class + ";;WD)", asked, true},
		{"for another attribute", "(OA;;RP;" + other + ";;WD)", asked, false},
		{"for an extended right", "(OA;;RP;" + other + ";;WD)", ObjectTypes{ExtendedRight: guid(other)}, true},
		{"for an attribute, asked about the object", "(OA;;RP;" + one + ";;WD)", ObjectTypes{}, false},
		{"denied for the attribute", "(OD;;RP;" + one + ";;WD)(A;;RP;;;WD)", asked, false},
		{"denied for another attribute", "(OD;;RP;" + other + ";;WD)(A;;RP;;;WD)", asked, true},
		{"for another right", "(OA;;WP;" + one + ";;WD)", asked, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			domain := MustSID("S-1-5-21-1-2-3")
			d, err := ParseSDDL("D:"+tt.dacl, domain, domain)
			if err != nil {
				t.Fatal(err)
			}
			token := NewToken(MustSID("S-1-5-21-1-2-3-1104"), Everyone)
			if got := d.Allows(token, RightReadProperty, tt.obj, SID{}); got != tt.want {
				t.Errorf("Descriptor.Allows gives %t, want %t", got, tt.want)
			}
			if got := d.For(token, SID{}).Allows(RightReadProperty, tt.obj); got != tt.want {
				t.Errorf("Access.Allows gives %t, want %t", got, tt.want)
			}
		})
	}
}
