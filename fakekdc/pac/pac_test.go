package pac

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

var contoso = security.MustSID("S-1-5-21-1004336348-1177238915-682003330")

func testKey(t testing.TB, etype int32, seed byte) *krbcrypt.Key {
	t.Helper()
	k, err := krbcrypt.RandomKey(etype, rand.NewChaCha8([32]byte{seed}))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// webapp is what a gMSA's tickets carry, with every buffer that there is.
func webapp() *PAC {
	requested := AttributeRequested
	set := at("2019-05-03T10:00:00Z")
	return &PAC{
		LogonInfo: &LogonInfo{
			LogonTime: set, LogoffTime: Never(), KickOffTime: Never(),
			PasswordLastSet: set, PasswordCanChange: set, PasswordMustChange: Never(),
			EffectiveName: "webapp01$", FullName: "Web 𝄞 Ä", LogonScript: "a.cmd", ProfilePath: `\\dc01\p`, HomeDirectory: "C:\\", HomeDirectoryDrive: "H:",
			LogonCount: 7, BadPasswordCount: 1, UserID: 1105, PrimaryGroupID: security.RIDDomainComputers,
			Groups:         []GroupMembership{{security.RIDDomainComputers, GroupDefault}, {1110, GroupDefault}, {1111, GroupDefault}},
			UserFlags:      UserFlagExtraSIDs | UserFlagResourceGroups,
			UserSessionKey: [16]byte{1, 2, 3}, LogonServer: "DC01", LogonDomainName: "CONTOSO", LogonDomainID: contoso,
			UserAccountControl: UserWorkstationTrust, SubAuthStatus: 3,
			LastSuccessfulILogon: set, LastFailedILogon: set, FailedILogonCount: 2,
			ExtraSIDs:           []SIDAndAttributes{{security.AuthenticationAuthorityAssert, GroupDefault}, {security.MustSID("S-1-5-21-1-2-3-1200"), GroupDefault}},
			ResourceGroupDomain: contoso, ResourceGroups: []GroupMembership{{1120, GroupResource}, {1121, GroupResource}},
		},
		ClientInfo: &ClientInfo{AuthTime: set, Name: "webapp01$"},
		UPNDNSInfo: &UPNDNSInfo{
			UPN: "webapp01$@contoso.com", DNSDomain: "CONTOSO.COM", Flags: UPNConstructed | UPNExtended,
			SAMAccountName: "webapp01$", SID: contoso.Append(1105),
		},
		Attributes: &requested,
		Requestor:  contoso.Append(1105),
		Delegation: &DelegationInfo{Target: "http/web.contoso.com", Transited: []string{"front$@CONTOSO.COM", "middle$@CONTOSO.COM"}},
		Raw: []Buffer{
			{TypeCredentials, []byte("credentials")}, {TypeClientClaims, []byte("client claims")}, {TypeDeviceInfo, []byte("device")},
			{TypeDeviceClaims, []byte{}}, {99, []byte("unknown")},
		},
	}
}

// content is p without what belongs to its encoding.
func content(p *PAC) *PAC {
	c := *p
	c.Server, c.KDC, c.Ticket, c.Full, c.encoded = nil, nil, nil, nil, nil
	return &c
}

func TestRoundTrip(t *testing.T) {
	minimal := &PAC{
		LogonInfo:  &LogonInfo{EffectiveName: "alice", UserID: 1103, PrimaryGroupID: 513, LogonDomainID: contoso},
		UPNDNSInfo: &UPNDNSInfo{UPN: "alice@contoso.com", DNSDomain: "CONTOSO.COM"},
		Delegation: &DelegationInfo{Target: "http/web"},
	}
	for name, want := range map[string]*PAC{"every buffer": webapp(), "minimal": minimal, "empty": {}} {
		for _, etypes := range [][2]int32{{18, 18}, {17, 18}, {23, 18}, {18, 23}, {19, 20}, {20, 19}} {
			for _, ticketPart := range [][]byte{nil, []byte("ticket")} {
				o := SignOptions{ServerKey: testKey(t, etypes[0], 1), KDCKey: testKey(t, etypes[1], 2), TicketPart: ticketPart, Full: ticketPart != nil}
				b, err := want.Sign(o)
				if err != nil {
					t.Fatalf("%s, etypes %v: %v", name, etypes, err)
				}
				got, err := Parse(b)
				if err != nil {
					t.Fatalf("%s, etypes %v: %v", name, etypes, err)
				}
				if err := got.Verify(o.ServerKey, o.KDCKey, ticketPart); err != nil {
					t.Errorf("%s, etypes %v: %v", name, etypes, err)
				}
				if (got.Ticket != nil) != (ticketPart != nil) || (got.Full != nil) != o.Full {
					t.Errorf("%s: got ticket and full signatures %v, %v", name, got.Ticket, got.Full)
				}
				if !reflect.DeepEqual(content(got), want) {
					t.Errorf("%s, etypes %v: got %+v\nwant %+v", name, etypes, content(got), want)
				}
			}
		}
	}
}

func TestBuffersAreInAscendingOrderAndAligned(t *testing.T) {
	b, err := webapp().Sign(SignOptions{ServerKey: testKey(t, 23, 1), KDCKey: testKey(t, 18, 2), TicketPart: []byte{1}, Full: true})
	if err != nil {
		t.Fatal(err)
	}
	var last uint32
	end := uint64(headerSize + infoSize*binary.LittleEndian.Uint32(b))
	for i := range binary.LittleEndian.Uint32(b) {
		info := b[headerSize+infoSize*i:]
		kind, size, offset := binary.LittleEndian.Uint32(info), binary.LittleEndian.Uint32(info[4:]), binary.LittleEndian.Uint64(info[8:])
		if kind <= last {
			t.Errorf("type %d after %d", kind, last)
		}
		if offset%8 != 0 || offset-end >= 8 {
			t.Errorf("type %d at offset %d after %d", kind, offset, end)
		}
		for _, v := range b[end:offset] {
			if v != 0 {
				t.Errorf("padding before type %d: got %#x, want 0", kind, v)
			}
		}
		last, end = kind, offset+uint64(size)
	}
}

// Every octet of a PAC is under a signature or is one.
func TestFlippedBitIsNoticed(t *testing.T) {
	w2003, w2022 := windowsVectors(t)
	ours := windows{serverKey: testKey(t, 23, 1), kdcKey: testKey(t, 18, 2), ticketPart: []byte("DER of a ticket")}
	var err error
	ours.pac, err = webapp().Sign(SignOptions{ServerKey: ours.serverKey, KDCKey: ours.kdcKey, TicketPart: ours.ticketPart, Full: true})
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range map[string]windows{"Windows 2003": w2003, "Windows 2022": w2022, "ours": ours} {
		for i := range w.pac {
			for _, bit := range []byte{1, 0x80} {
				bad := bytes.Clone(w.pac)
				bad[i] ^= bit
				p, err := Parse(bad)
				if err == nil {
					err = p.Verify(w.serverKey, w.kdcKey, w.ticketPart)
				}
				if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrSignature) {
					t.Errorf("%s: octet %d xor %#x: got %v, want an error", name, i, bit, err)
				}
			}
		}
		for i := range w.ticketPart {
			bad := bytes.Clone(w.ticketPart)
			bad[i] ^= 1
			if err := mustParse(t, w.pac).Verify(nil, w.kdcKey, bad); !errors.Is(err, ErrSignature) {
				t.Errorf("%s: octet %d of the ticket: got %v, want %v", name, i, err, ErrSignature)
			}
		}
	}
}

func TestVerifyNamesTheSignature(t *testing.T) {
	server, kdc, other := testKey(t, 18, 1), testKey(t, 18, 2), testKey(t, 18, 3)
	ticket := []byte("ticket")
	service, err := webapp().Sign(SignOptions{ServerKey: server, KDCKey: kdc, TicketPart: ticket, Full: true})
	if err != nil {
		t.Fatal(err)
	}
	tgt, err := webapp().Sign(SignOptions{ServerKey: kdc, KDCKey: kdc})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name        string
		pac         []byte
		server, kdc *krbcrypt.Key
		ticket      []byte
		want        string // in the error; "" for none
	}{
		{"service ticket", service, server, kdc, ticket, ""},
		{"as a service sees it", service, server, nil, ticket, ""},
		{"as another KDC's service sees it", service, nil, nil, nil, ""},
		{"TGT", tgt, kdc, kdc, nil, ""},
		{"wrong service key", service, other, kdc, ticket, "server signature"},
		{"wrong KDC key", service, server, other, ticket, "KDC signature"},
		{"another ticket", service, server, kdc, []byte("other"), "ticket signature"},
		{"no ticket signature", tgt, kdc, kdc, ticket, "no ticket signature"},
		{"key of another type", service, testKey(t, 23, 1), nil, nil, "type 16, the key makes type -138"},
	} {
		err := mustParse(t, c.pac).Verify(c.server, c.kdc, c.ticket)
		if c.want == "" && err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.want != "" && (!errors.Is(err, ErrSignature) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	if err := new(PAC).Verify(server, nil, nil); !errors.Is(err, ErrSignature) {
		t.Errorf("no signatures, service: got %v, want %v", err, ErrSignature)
	}
	if err := new(PAC).Verify(nil, kdc, nil); !errors.Is(err, ErrSignature) {
		t.Errorf("no signatures, KDC: got %v, want %v", err, ErrSignature)
	}
}

func TestRODCIdentifier(t *testing.T) {
	k := testKey(t, 18, 1)
	b := binary.LittleEndian.AppendUint32(nil, 1)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint32(b, TypeKDCChecksum)
	b = binary.LittleEndian.AppendUint32(b, 18)
	b = binary.LittleEndian.AppendUint64(b, 24)
	b = binary.LittleEndian.AppendUint32(b, uint32(k.ChecksumType()))
	b = append(b, make([]byte, 12)...)
	b = binary.LittleEndian.AppendUint16(b, 0x1234)
	p := mustParse(t, b)
	if p.KDC.RODC != 0x1234 || len(p.KDC.Sum) != 12 {
		t.Errorf("got %+v, want identifier 0x1234 and 12 octets", p.KDC)
	}
}

func TestSIDsOfAnotherDomainsUser(t *testing.T) {
	user := security.MustSID("S-1-5-21-9-9-9-1000")
	p := &PAC{LogonInfo: &LogonInfo{LogonDomainID: contoso, ExtraSIDs: []SIDAndAttributes{{user, GroupDefault}, {security.Everyone, GroupDefault}}}}
	checkSIDs(t, p, user, security.Everyone)
	checkSIDs(t, new(PAC))
}

func TestParseRefuses(t *testing.T) {
	good, err := webapp().Sign(SignOptions{ServerKey: testKey(t, 18, 1), KDCKey: testKey(t, 18, 2)})
	if err != nil {
		t.Fatal(err)
	}
	// entry changes the i-th PAC_INFO_BUFFER of good.
	entry := func(i int, change func(info []byte)) []byte {
		b := bytes.Clone(good)
		change(b[headerSize+infoSize*i:][:infoSize])
		return b
	}
	count := func(n uint32) []byte {
		b := bytes.Clone(good)
		binary.LittleEndian.PutUint32(b, n)
		return b
	}
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"nothing", nil, "no header"},
		{"version", append([]byte{0, 0, 0, 0, 1, 0, 0, 0}, 0), "version 1"},
		{"count above the limit", count(65), "65 buffers, the limit is 64"},
		{"count of 2^32-1", count(1<<32 - 1), "the limit is 64"},
		{"count beyond the end", good[:headerSize+infoSize], "buffers in"},
		{"too large", make([]byte, maxSize+1), "the limit is"},
		{"offset inside the header", entry(0, func(b []byte) { binary.LittleEndian.PutUint64(b[8:], 8) }), "at offset 8"},
		{"offset not aligned", entry(0, func(b []byte) { b[8]++ }), "at offset"},
		{"offset of 2^64-8", entry(0, func(b []byte) { binary.LittleEndian.PutUint64(b[8:], 1<<64-8) }), "at offset 18446744073709551608"},
		{"size beyond the end", entry(0, func(b []byte) { binary.LittleEndian.PutUint32(b[4:], 1<<31) }), "2147483648 bytes"},
		{"type twice", entry(1, func(b []byte) { b[0] = 1 }), "type 1 is there twice"},
		{"overlap", entry(0, func(b []byte) { binary.LittleEndian.PutUint32(b[4:], uint32(len(good)-headerSize-infoSize*13)) }), ""},
	} {
		p, err := Parse(c.b)
		if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, %v, want %q", c.name, p, err, c.want)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	o := SignOptions{ServerKey: testKey(t, 18, 1), KDCKey: testKey(t, 18, 2)}
	long := strings.Repeat("x", 40000)
	for name, p := range map[string]*PAC{
		"long client name": {ClientInfo: &ClientInfo{Name: long}},
		"long name":        {LogonInfo: &LogonInfo{EffectiveName: long}},
		"long UPN":         {UPNDNSInfo: &UPNDNSInfo{UPN: long}},
		"long target":      {Delegation: &DelegationInfo{Target: long}},
		"raw signature":    {Raw: []Buffer{{TypeServerChecksum, nil}}},
		"too many buffers": {Raw: make([]Buffer, 70)},
		"too large":        {Raw: []Buffer{{TypeClientClaims, make([]byte, maxSize)}}},
	} {
		if b, err := p.Sign(o); err == nil {
			t.Errorf("%s: got %d octets, want an error", name, len(b))
		}
	}
	if _, err := webapp().Sign(SignOptions{ServerKey: o.ServerKey}); err == nil {
		t.Error("no KDC key: got a PAC, want an error")
	}
}

func FuzzParse(f *testing.F) {
	_, w2022 := windowsVectors(f)
	f.Add(w2022.pac)
	for _, p := range []*PAC{webapp(), {}} {
		b, err := p.Sign(SignOptions{ServerKey: testKey(f, 18, 1), KDCKey: testKey(f, 23, 2), TicketPart: []byte{0}, Full: true})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	server, kdc := testKey(f, 18, 1), testKey(f, 23, 2)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse(b)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatalf("got %v, want it to wrap %v", err, ErrFormat)
			}
			return
		}
		if err := p.Verify(server, kdc, []byte{0}); err != nil && !errors.Is(err, ErrSignature) {
			t.Fatalf("got %v, want it to wrap %v", err, ErrSignature)
		}
		p.SIDs()
		// What was understood survives being written and read again.
		again, err := p.Sign(SignOptions{ServerKey: server, KDCKey: kdc})
		if err != nil {
			return // more buffers or longer than we write
		}
		q, err := Parse(again)
		if err != nil {
			t.Fatalf("cannot read what was written: %v", err)
		}
		third, err := q.Sign(SignOptions{ServerKey: server, KDCKey: kdc})
		if err != nil || !bytes.Equal(again, third) {
			t.Fatalf("written twice: %v, got\n%x\nwant\n%x", err, third, again)
		}
	})
}

func BenchmarkSign(b *testing.B) {
	_, w := windowsVectors(b)
	p := mustParse(b, w.pac)
	part := make([]byte, 300)
	for _, etype := range []int32{18, 23} {
		server, kdc := testKey(b, etype, 1), testKey(b, 18, 2)
		b.Run(fmt.Sprintf("TGT/etype=%d", etype), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Sign(SignOptions{ServerKey: server, KDCKey: kdc}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("service/etype=%d", etype), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Sign(SignOptions{ServerKey: server, KDCKey: kdc, TicketPart: part, Full: true}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParseAndVerify(b *testing.B) {
	_, w := windowsVectors(b)
	b.ReportAllocs()
	for b.Loop() {
		p, err := Parse(w.pac)
		if err != nil {
			b.Fatal(err)
		}
		if err := p.Verify(w.serverKey, w.kdcKey, w.ticketPart); err != nil {
			b.Fatal(err)
		}
	}
}
