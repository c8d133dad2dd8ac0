package fakeads

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

type netlogonVector struct {
	Name   string
	Hex    string
	Fields struct {
		Opcode          uint16
		Flags           string
		DomainGUID      string `json:"domain_guid"`
		Forest          string
		DNSDomain       string `json:"dns_domain"`
		DNSHost         string `json:"dns_host"`
		NetBIOSDomain   string `json:"netbios_domain"`
		NetBIOSComputer string `json:"netbios_computer"`
		User            string
		DCSite          string `json:"dc_site"`
		ClientSite      string `json:"client_site"`
		NtVersion       uint32 `json:"nt_version"`
		LMNT, LM20      uint16
	}
}

func netlogonVectors(t testing.TB) []netlogonVector {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors/netlogon_response.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []netlogonVector }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) != 2 {
		t.Fatalf("got %d vectors, want 2", len(file.Vectors))
	}
	return file.Vectors
}

func TestNetlogonVectors(t *testing.T) {
	for _, v := range netlogonVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			f := v.Fields
			flags, err := strconv.ParseUint(f.Flags, 0, 32)
			if err != nil {
				t.Fatal(err)
			}
			want := &NetlogonResponse{Opcode: f.Opcode, Flags: uint32(flags), DomainGUID: security.MustGUID(f.DomainGUID), Forest: f.Forest, Domain: f.DNSDomain,
				Host: f.DNSHost, NetBIOSDomain: f.NetBIOSDomain, NetBIOSComputer: f.NetBIOSComputer, User: f.User, DCSite: f.DCSite, ClientSite: f.ClientSite,
				NtVersion: f.NtVersion}
			if f.LMNT != netlogonToken || f.LM20 != netlogonToken {
				t.Errorf("tokens: got %x %x, want ffff", f.LMNT, f.LM20)
			}
			value, err := hex.DecodeString(v.Hex)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := ParseNetlogon(value); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("decoded: got %+v, %v, want %+v", got, err, want)
			}
			if got, err := want.Marshal(); err != nil || hex.EncodeToString(got) != v.Hex {
				t.Errorf("encoded: got %x, %v, want %s", got, err, v.Hex)
			}
		})
	}
}

// TestNetlogonForms encodes one response in each form. The first is the value that Samba 4.22 gives for contoso.com, but for the flags
// and the GUID.
func TestNetlogonForms(t *testing.T) {
	base := NetlogonResponse{Flags: 0x1f3fd, Forest: "contoso.com", Domain: "contoso.com", Host: "dc01.contoso.com", NetBIOSDomain: "CONTOSO",
		NetBIOSComputer: "DC01", DCSite: "Default-First-Site-Name", ClientSite: "Default-First-Site-Name"}
	const (
		guid  = "00000000000000000000000000000000"
		names = "07636f6e746f736f03636f6d00" + "c018" + "0464633031c018" + "07434f4e544f534f00" + "044443303100" + "00" +
			"1744656661756c742d46697273742d536974652d4e616d6500" + "c03e"
		unicode = "5c005c00440043003000310000000000" + "43004f004e0054004f0053004f000000" // \\DC01, no user, CONTOSO
	)
	for _, tt := range []struct {
		name   string
		change func(*NetlogonResponse)
		want   string
	}{
		{"extended", func(n *NetlogonResponse) { n.Opcode, n.NtVersion = 23, 5 }, "17000000fdf30100" + guid + names + "05000000ffffffff"},
		{"address", func(n *NetlogonResponse) { n.Opcode, n.NtVersion, n.Addr = 23, 0xd, netip.MustParseAddr("192.0.2.10") },
			"17000000fdf30100" + guid + names + "1002000000c000020a0000000000000000" + "0d000000ffffffff"},
		{"closest site", func(n *NetlogonResponse) { n.Opcode, n.NtVersion, n.NextClosestSite = 23, 0x15, "Branch" },
			"17000000fdf30100" + guid + names + "064272616e636800" + "15000000ffffffff"},
		{"all, unknown user", func(n *NetlogonResponse) {
			n.Opcode, n.NtVersion, n.Addr, n.User = 25, 0x1d, netip.MustParseAddr("127.0.0.1"), "alice"
		}, "19000000fdf30100" + guid + strings.Replace(strings.Replace(names, "04444330310000", "04444330310005616c69636500", 1), "c03e", "c044", 1) +
			"10020000007f0000010000000000000000" + "00" + "1d000000ffffffff"},
		{"Windows 2000", func(n *NetlogonResponse) { n.Opcode, n.NtVersion, n.Addr = 19, 3, netip.MustParseAddr("192.0.2.10") },
			"1300" + unicode + guid + guid + "07636f6e746f736f03636f6d00" + "c042" + "0464633031c042" + "0a0200c0" + "fdf30100" + "03000000ffffffff"},
		{"NT 4", func(n *NetlogonResponse) { n.Opcode, n.NtVersion = 21, 1 }, "1500" + unicode + "01000000ffffffff"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := base
			tt.change(&n)
			got, err := n.Marshal()
			if err != nil || hex.EncodeToString(got) != tt.want {
				t.Fatalf("got %x, %v, want %s", got, err, tt.want)
			}
			back, err := ParseNetlogon(got)
			if err != nil {
				t.Fatal(err)
			}
			switch { // what the form does not have
			case n.NtVersion == 1:
				n.Flags, n.Forest, n.Domain, n.Host, n.DCSite, n.ClientSite = 0, "", "", "", "", ""
			case !n.extended():
				n.DCSite, n.ClientSite = "", ""
			}
			if !reflect.DeepEqual(back, &n) {
				t.Errorf("decoded: got %+v, want %+v", back, &n)
			}
		})
	}
}

func TestNetlogonRefusals(t *testing.T) {
	good, err := hex.DecodeString(netlogonVectors(t)[0].Hex)
	if err != nil {
		t.Fatal(err)
	}
	change := func(at int, v byte) []byte {
		b := append([]byte(nil), good...)
		b[at] = v
		return b
	}
	for name, b := range map[string][]byte{
		"empty":                 nil,
		"cut short":             good[:len(good)-1],
		"tokens only":           {23, 0, 5, 0, 0, 0, 255, 255, 255, 255},
		"operation code":        change(0, 22),
		"pointer to itself":     change(24, 0xc0),
		"pointer forward":       change(49, 0xff),
		"label type":            change(24, 0x40),
		"label too long":        change(24, 0x3f),
		"parts not there":       change(len(good)-8, 0x0d),
		"octets left over":      append(append([]byte(nil), good[:len(good)-8]...), append([]byte{0}, good[len(good)-8:]...)...),
		"longer than any":       append(make([]byte, maxNetlogon), good...),
		"server without an UNC": {19, 0, 'D', 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 255, 255, 255, 255},
	} {
		if got, err := ParseNetlogon(b); !errors.Is(err, ErrNetlogon) {
			t.Errorf("%s: got %+v, %v, want ErrNetlogon", name, got, err)
		}
	}
	for name, n := range map[string]*NetlogonResponse{
		"empty label":    {Opcode: 23, NtVersion: 5, Domain: "a..b"},
		"label too long": {Opcode: 23, NtVersion: 5, User: strings.Repeat("x", 64)},
		"name too long":  {Opcode: 23, NtVersion: 5, User: strings.Repeat("x.", 127)},
		"zero in a name": {Opcode: 19, NtVersion: 3, User: "a\x00b"},
	} {
		if got, err := n.Marshal(); !errors.Is(err, ErrNetlogon) {
			t.Errorf("%s: got %x, %v, want ErrNetlogon", name, got, err)
		}
	}
}

// FuzzParseNetlogon checks that what can be read can be written, and then reads the same.
func FuzzParseNetlogon(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := ParseNetlogon(b)
		if err != nil {
			if !errors.Is(err, ErrNetlogon) {
				t.Errorf("got %v, want ErrNetlogon", err)
			}
			return
		}
		again, err := n.Marshal()
		if err != nil {
			t.Fatalf("%+v does not encode: %v", n, err)
		}
		if back, err := ParseNetlogon(again); err != nil || !reflect.DeepEqual(back, n) {
			t.Errorf("got %+v, %v, want %+v", back, err, n)
		}
	})
}
