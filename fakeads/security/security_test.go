package security

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Bytes of real SIDs and GUIDs: [MS-DTYP] 2.4.2.2 and 2.3.4.2, and values seen in
// directories.
func TestSIDAndGUIDBytes(t *testing.T) {
	for text, want := range map[string]string{
		"S-1-1-0":            "010100000000000100000000",
		"S-1-5-9":            "010100000000000509000000",
		"S-1-5-32-544":       "01020000000000052000000020020000",
		"S-1-18-1":           "010100000000001201000000",
		"S-1-5-21-0-0-0-497": "010500000000000515000000000000000000000000000000f1010000",
		"S-1-5-21-2468531440-3719951020-3687476655-1109": "010500000000000515000000f0cc2293acf2b9ddaf6dcadb55040000",
		"S-1-5-21-702590844-1001920913-2680819671":       "0104000000000005150000007cafe0299119b83bd70fca9f",
		"S-1-0xffffffffffff":                             "0100ffffffffffff",
	} {
		sid, err := ParseSID(text)
		if err != nil || hex.EncodeToString(sid.Bytes()) != want || sid.String() != text {
			t.Errorf("%s: got %v %x, %v, want %s", text, sid, sid.Bytes(), err, want)
		}
		if back, err := SIDFromBytes(unhex(t, want)); err != nil || back != sid {
			t.Errorf("%s: got %v, %v, want %s", want, back, err, text)
		}
	}
	for text, want := range map[string]string{
		"7dc95c96-fa85-183a-dff5-f70696bf0b11": "965cc97d85fa3a18dff5f70696bf0b11",
		"e362ed86-b728-0842-b27d-2dea7a9df218": "86ed62e328b74208b27d2dea7a9df218",
		"bf967a86-0de6-11d0-a285-00aa003049e2": "867a96bfe60dd011a28500aa003049e2",
	} {
		g, err := ParseGUID(text)
		if err != nil || hex.EncodeToString(g[:]) != want || g.String() != text {
			t.Errorf("%s: got %v %x, %v, want %s", text, g, g[:], err, want)
		}
		if back, err := ParseGUID("{" + strings.ToUpper(text) + "}"); err != nil || back != g {
			t.Errorf("%s with braces: got %v, %v", text, back, err)
		}
		if back, err := GUIDFromBytes(unhex(t, want)); err != nil || back != g {
			t.Errorf("%s: got %v, %v, want %s", want, back, err, text)
		}
	}
}

func TestSIDParts(t *testing.T) {
	domain := MustSID("S-1-5-21-1-2-3")
	sid := domain.Append(1104)
	if sid.String() != "S-1-5-21-1-2-3-1104" || sid.RID() != 1104 || sid.Domain() != domain || sid.Len() != 5 || sid.Authority() != 5 || sid.Size() != 28 {
		t.Errorf("got %v, RID %d, domain %v, %d sub-authorities, authority %d, %d bytes", sid, sid.RID(), sid.Domain(), sid.Len(), sid.Authority(), sid.Size())
	}
	var zero SID
	if !zero.IsZero() || zero.String() != "" || zero.Bytes() != nil || zero.RID() != 0 || !zero.Domain().IsZero() || !zero.Append(1).IsZero() || zero.Len() != 0 || zero.Authority() != 0 {
		t.Error("the zero SID has parts")
	}
	full := MustSID("S-1-5" + strings.Repeat("-1", maxSubAuthorities))
	if !full.Append(1).IsZero() {
		t.Error("a full SID took another sub-authority")
	}
	if got := NewSID(5, 32, 544); got != BuiltinAdministrators {
		t.Errorf("got %v, want %v", got, BuiltinAdministrators)
	}
}

func TestSIDAndGUIDErrors(t *testing.T) {
	for _, s := range []string{"", "S-1", "S-1-", "S-2-5-18", "X-1-5-18", "S-1-5-", "S-1--5", "S-1-5-x", "S-1-5-4294967296", "S-1-281474976710656", "S-1-0xg",
		"S-1-5" + strings.Repeat("-1", maxSubAuthorities+1)} {
		if sid, err := ParseSID(s); !errors.Is(err, ErrSID) {
			t.Errorf("%q: got %v, %v, want %v", s, sid, err, ErrSID)
		}
	}
	for _, s := range []string{"", "01", "0200000000000005", "0101000000000005", "010000000000000500", "01100000000000050000000000"} {
		if sid, err := SIDFromBytes(unhex(t, s)); !errors.Is(err, ErrSID) {
			t.Errorf("%s: got %v, %v, want %v", s, sid, err, ErrSID)
		}
	}
	for _, s := range []string{"", "7dc95c96fa85183adff5f70696bf0b11", "7dc95c96-fa85-183a-dff5-f70696bf0b1", "7dc95c96-fa85-183a-dff5-f70696bf0b1x", "(7dc95c96-fa85-183a-dff5-f70696bf0b11)"} {
		if g, err := ParseGUID(s); !errors.Is(err, ErrGUID) {
			t.Errorf("%q: got %v, %v, want %v", s, g, err, ErrGUID)
		}
	}
	if _, err := GUIDFromBytes(make([]byte, 15)); !errors.Is(err, ErrGUID) {
		t.Errorf("15 bytes: got %v, want %v", err, ErrGUID)
	}
}

// msDS-GroupMSAMembership as the Active Directory cmdlets wrote it; the file says
// where it was published.
func TestGroupMSAMembershipVectors(t *testing.T) {
	b, err := os.ReadFile("testdata/vectors/directory_values.json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Values map[string]struct {
			Control, Owner, Hex string
			OwnerOff            int  `json:"owner_off"`
			DACLOff             int  `json:"dacl_off"`
			Revision            byte `json:"acl_revision"`
			ACEs                []struct {
				Type, Flags byte
				Mask, SID   string
			}
		} `json:"group_msa_membership"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Values) != 3 {
		t.Fatalf("got %d values, want 3", len(v.Values))
	}
	for name, c := range v.Values {
		t.Run(name, func(t *testing.T) {
			raw := unhex(t, c.Hex)
			d, err := ParseDescriptor(raw)
			if err != nil {
				t.Fatal(err)
			}
			if d.Control != SelfRelative|DACLPresent || d.Owner.String() != c.Owner || !d.Group.IsZero() || d.SACL != nil || d.DACL.Revision != c.Revision {
				t.Errorf("got %+v, want %+v", d, c)
			}
			sddl := "O:BAD:"
			for i, a := range c.ACEs {
				got := d.DACL.ACEs[i]
				if want := (ACE{Type: a.Type, Flags: a.Flags, Mask: FullControl, SID: MustSID(a.SID)}); !reflect.DeepEqual(got, want) {
					t.Errorf("entry %d: got %+v, want %+v", i, got, want)
				}
				sddl += "(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;" + a.SID + ")"
			}
			if got := d.SDDL(SID{}); got != sddl {
				t.Errorf("SDDL: got %s, want %s", got, sddl)
			}
			again := d.Marshal()
			if c.OwnerOff > c.DACLOff {
				again = d.MarshalOwnerLast()
			}
			if !bytes.Equal(again, raw) {
				t.Errorf("encoded again: got %x, want %x", again, raw)
			}
			reader := NewToken(MustSID(c.ACEs[0].SID), Everyone, AuthenticatedUsers)
			if !d.Allows(reader, RightReadProperty, ObjectTypes{}, SID{}) {
				t.Error("who is listed may not read")
			}
			if d.Allows(NewToken(MustSID("S-1-5-21-1-2-3-1104"), Everyone, AuthenticatedUsers), RightReadProperty, ObjectTypes{}, SID{}) {
				t.Error("who is not listed may read")
			}
		})
	}
}

// The descriptor under which managed passwords are derived, [MS-GKDI]: its bytes
// are hashed.
func TestMarshalOwnerLast(t *testing.T) {
	const want = "010004803000000000000000000000001400000002001c0001000000000014009f011200010100000000000509000000010100000000000512000000"
	d := MustSDDL("O:SYD:(A;;FRFW;;;S-1-5-9)")
	if got := hex.EncodeToString(d.MarshalOwnerLast()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := d.SDDL(SID{}); got != "O:SYD:(A;;0x12019f;;;ED)" {
		t.Errorf("got %s", got)
	}
}

var (
	testDomain = MustSID("S-1-5-21-1-2-3")
	testRoot   = MustSID("S-1-5-21-9-8-7")
)

func TestSDDL(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"D:", "D:"},
		{"D:NO_ACCESS_CONTROL", "D:NO_ACCESS_CONTROL"},
		{"O:DAG:DU", "O:DAG:DU"},
		{"O:EAG:SA", "O:S-1-5-21-9-8-7-519G:S-1-5-21-9-8-7-518"},
		{"O:S-1-5-21-1-2-3-512", "O:DA"},
		{" o:BA", ""},
		{"D:PARAI(A;;GA;;;SY) (D;OICINPIOID;RPWP;;;WD)", "D:PARAI(A;;GA;;;SY)(D;OICINPIOID;RPWP;;;WD)"},
		{"D:(A;;rpwp;;;wd)", "D:(A;;RPWP;;;WD)"},
		{"D:(A;;0xf01ff;;;AU)", "D:(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;AU)"},
		{"D:(A;;983551;;;AU)", "D:(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;AU)"},
		{"D:(A;;FA;;;AU)", "D:(A;;0x1f01ff;;;AU)"},
		{"D:(A;;;;;AU)", "D:(A;;;;;AU)"},
		{"D:(OA;CIIO;RP;BF967950-0DE6-11D0-A285-00AA003049E2;bf967aba-0de6-11d0-a285-00aa003049e2;PS)", "D:(OA;CIIO;RP;bf967950-0de6-11d0-a285-00aa003049e2;bf967aba-0de6-11d0-a285-00aa003049e2;PS)"},
		{"D:(OA;;CR;;;PS)", "D:(OA;;CR;;;PS)"},
		{"D:(OD;;CR;ab721a53-1e2f-11d0-9819-00aa0040529b;;WD)S:(AU;CISAFA;WDWO;;;WD)(OU;SA;WP;;bf967aa5-0de6-11d0-a285-00aa003049e2;WD)",
			"D:(OD;;CR;ab721a53-1e2f-11d0-9819-00aa0040529b;;WD)S:(AU;CISAFA;WDWO;;;WD)(OU;SA;WP;;bf967aa5-0de6-11d0-a285-00aa003049e2;WD)"},
		{"S:(ML;;NW;;;LW)", "S:(ML;;CC;;;LW)"},
	} {
		d, err := ParseSDDL(c.in, testDomain, testRoot)
		if strings.HasPrefix(c.in, " o") {
			if err == nil {
				t.Errorf("%q: accepted", c.in)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", c.in, err)
			continue
		}
		if got := d.SDDL(testDomain); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
		back, err := ParseDescriptor(d.Marshal())
		if err != nil || back.SDDL(testDomain) != c.want {
			t.Errorf("%q by way of bytes: got %v, %v, want %q", c.in, back, err, c.want)
		}
		if last, err := ParseDescriptor(d.MarshalOwnerLast()); err != nil || !reflect.DeepEqual(last, back) {
			t.Errorf("%q with the owner last: got %+v, %v, want %+v", c.in, last, err, back)
		}
	}
}

func TestSDDLErrors(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"X:BA", "a part must start with"}, {"O", "a part must start with"}, {"O:BAO:BA", "O: is there twice"}, {"O:", "malformed SID"}, {"O:ZZ", `"ZZ" is no SID`}, {"O:S-1-5-x", "malformed SID"},
		{"D:(A;;GA;;;SY", "( without )"}, {"D:(A;;GA;;SY)", "has 5 fields"}, {"D:(A;;GA;;;SY;(1))", "has 7 fields"}, {"D:(XA;;GA;;;SY)", "type \"XA\""}, {"D:(A;XX;GA;;;SY)", `"XX" in "XX" is unknown`},
		{"D:(A;;G;;;SY)", `"G" in "G" is unknown`}, {"D:(A;;0x100000000;;;SY)", "rights"}, {"D:(A;;GA;bf967950-0de6-11d0-a285-00aa003049e2;;SY)", "takes no object type"},
		{"D:(OA;;GA;bf967950;;SY)", "malformed GUID"}, {"D:(A;;GA;;;)", "malformed SID"}, {"D:NO_ACCESS_CONTROL(A;;GA;;;SY)", "with entries"}, {"D:(A;;GA;;;SY)x", "a part must start with"},
		{"D:" + strings.Repeat("(A;;GA;;;SY)", 4000), "ACL of"}, {strings.Repeat(" ", maxDescriptor+1), "at most"},
	} {
		d, err := ParseSDDL(c.in, testDomain, testRoot)
		if !errors.Is(err, ErrSDDL) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.40q: got %v, %v, want an error with %q", c.in, d, err, c.want)
		}
	}
	for _, in := range []string{"O:DA", "O:EA"} {
		if _, err := ParseSDDL(in, SID{}, SID{}); !errors.Is(err, ErrSDDL) || !strings.Contains(err.Error(), "none is given") {
			t.Errorf("%s without a domain: got %v", in, err)
		}
	}
}

func TestParseDescriptorErrors(t *testing.T) {
	good := MustSDDL("O:BAG:SYD:(OA;;RP;bf967950-0de6-11d0-a285-00aa003049e2;bf967aba-0de6-11d0-a285-00aa003049e2;WD)").Marshal()
	// Offsets: owner 20, group 36, DACL 48, its entry 56, mask 60, object flags 64, types 68 and 84, SID 100.
	change := func(at int, v ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[at:], v)
		return b
	}
	for _, c := range []struct {
		name string
		in   []byte
		want string
	}{
		{"empty", nil, "0 bytes"},
		{"huge", make([]byte, maxDescriptor+1), "must be 20 to"},
		{"revision 2", change(0, 2), "revision 2"},
		{"absolute", change(3, 0), "not self-relative"},
		{"owner outside", change(4, 0xff, 0xff, 0xff, 0xff), "owner at offset 4294967295"},
		{"owner in the header", change(4, 4), "owner at offset 4"},
		{"owner at the end", change(4, byte(len(good)-4)), "owner: malformed SID"},
		{"DACL at the end", change(16, byte(len(good)-4)), "ACL header cut short"},
		{"ACL revision 3", change(48, 3), "ACL revision 3"},
		{"ACL too long", change(50, 0xff), "ACL of 255 bytes"},
		{"ACL too short", change(50, 7), "ACL of 7 bytes"},
		{"too many entries", change(52, 0xff, 0xff), "65535 ACEs in"},
		{"one entry too many", change(52, 2), "ACE 1 of 2 cut short"},
		{"entry too long", change(58, 0xff), "ACE 0 of 255 bytes"},
		{"entry too short", change(58, 3), "ACE 0 of 3 bytes"},
		{"entry without mask", change(58, 4), "no room for the mask"},
		{"entry without object flags", change(58, 8), "no room for the object flags"},
		{"entry without object type", change(58, 12), "no room for the object type"},
		{"unknown object flags", change(64, 7), "object flags 0x7"},
		{"entry without SID", change(58, 44), "malformed SID"},
		{"unknown entry", change(56, 0x20), "unknown type 0x20"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := ParseDescriptor(c.in)
			if !errors.Is(err, ErrDescriptor) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, %v, want an error with %q", d, err, c.want)
			}
		})
	}
	// A callback entry keeps what follows its SID.
	b := append(bytes.Clone(good), 1, 2, 3, 4)
	copy(b[50:], []byte{68 - 16 + 12})
	b[50], b[58] = byte(len(b)-48), byte(len(b)-56)
	b[56] = accessAllowedCallbackObject
	d, err := ParseDescriptor(b)
	if err != nil || !bytes.Equal(d.DACL.ACEs[0].ApplicationData, []byte{1, 2, 3, 4}) || !bytes.Equal(d.Marshal(), b) {
		t.Errorf("callback entry: got %+v, %v", d, err)
	}
}

// anyDescriptor draws descriptors as ParseSDDL gives them.
func anyDescriptor() *rapid.Generator[*Descriptor] {
	sid := rapid.SampledFrom([]SID{Everyone, Self, System, BuiltinAdministrators, testDomain.Append(512), testDomain.Append(1104), CreatorOwner, OwnerRights})
	guid := rapid.SampledFrom([]GUID{{1}, {2}, {3}})
	acl := func(t *rapid.T, name string, types []byte) *ACL {
		a := &ACL{Revision: ACLRevision}
		for range rapid.IntRange(0, 5).Draw(t, name) {
			e := ACE{Type: rapid.SampledFrom(types).Draw(t, "type"), Flags: rapid.Byte().Draw(t, "flags") & 0xdf,
				Mask: AccessMask(rapid.Uint32().Draw(t, "mask")), SID: sid.Draw(t, "sid")}
			if isObject(e.Type) {
				a.Revision = ACLRevisionDS
				if e.HasObjectType = rapid.Bool().Draw(t, "has type"); e.HasObjectType {
					e.ObjectType = guid.Draw(t, "type")
				}
				if e.HasInheritedObjectType = rapid.Bool().Draw(t, "has inherited type"); e.HasInheritedObjectType {
					e.InheritedObjectType = guid.Draw(t, "inherited type")
				}
			}
			a.ACEs = append(a.ACEs, e)
		}
		return a
	}
	return rapid.Custom(func(t *rapid.T) *Descriptor {
		d := &Descriptor{Control: SelfRelative}
		if rapid.Bool().Draw(t, "has owner") {
			d.Owner = sid.Draw(t, "owner")
		}
		if rapid.Bool().Draw(t, "has group") {
			d.Group = sid.Draw(t, "group")
		}
		if rapid.Bool().Draw(t, "has DACL") {
			d.Control |= DACLPresent | rapid.Uint16().Draw(t, "control")&(DACLProtected|DACLAutoInherited|DACLAutoInheritReq)
			if rapid.IntRange(0, 9).Draw(t, "null") > 0 {
				d.DACL = acl(t, "dacl", []byte{AccessAllowed, AccessDenied, AccessAllowedObject, AccessDeniedObject})
			}
		}
		if rapid.Bool().Draw(t, "has SACL") {
			d.Control |= SACLPresent
			d.SACL = acl(t, "sacl", []byte{SystemAudit, SystemAuditObject})
		}
		return d
	})
}

// normal is d with empty lists for missing entries, to compare.
func normal(d *Descriptor) string { return d.SDDL(SID{}) }

func TestDescriptorRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := anyDescriptor().Draw(t, "d")
		raw := d.Marshal()
		back, err := ParseDescriptor(raw)
		if err != nil || normal(back) != normal(d) || !bytes.Equal(back.Marshal(), raw) {
			t.Fatalf("got %+v, %v, want %+v", back, err, d)
		}
		text := d.SDDL(testDomain)
		back, err = ParseSDDL(text, testDomain, testRoot)
		if err != nil || !bytes.Equal(back.Marshal(), raw) {
			t.Fatalf("%s: got %+v, %v, want %+v", text, back, err, d)
		}
	})
}

func FuzzSID(f *testing.F) {
	f.Add("S-1-5-18")
	f.Fuzz(func(t *testing.T, s string) {
		if sid, err := ParseSID(s); err == nil {
			if back, err := ParseSID(sid.String()); err != nil || back != sid {
				t.Errorf("%q: %v comes back as %v, %v", s, sid, back, err)
			}
		}
		if sid, err := SIDFromBytes([]byte(s)); err == nil && string(sid.Bytes()) != s {
			t.Errorf("%q: comes back as %x", s, sid.Bytes())
		}
	})
}

func FuzzParseDescriptor(f *testing.F) {
	f.Add(MustSDDL("O:BAD:(A;;RP;;;WD)").Marshal())
	token := NewToken(testDomain.Append(1104), Everyone)
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ParseDescriptor(b)
		if err != nil {
			return
		}
		d.Allows(token, RightReadProperty, ObjectTypes{}, token.User)
		if len(b) < maxACL { // parts that overlap grow when they are written apart
			back, err := ParseDescriptor(d.Marshal())
			if err != nil || back.SDDL(testDomain) != d.SDDL(testDomain) {
				t.Errorf("%x: comes back as %+v, %v", b, back, err)
			}
		}
	})
}

func FuzzParseSDDL(f *testing.F) {
	f.Add("O:BAD:(A;;RP;;;WD)")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseSDDL(s, testDomain, testRoot)
		if err != nil {
			return
		}
		back, err := ParseSDDL(d.SDDL(testDomain), testDomain, testRoot)
		if err != nil || !bytes.Equal(back.Marshal(), d.Marshal()) {
			t.Errorf("%q: %s comes back as %+v, %v", s, d.SDDL(testDomain), back, err)
		}
	})
}
