package pacoracle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/oiweiwei/go-msrpc/msrpc/dtyp"
	msrpc "github.com/oiweiwei/go-msrpc/msrpc/pac"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
	"github.com/gmsasim/gmsasim/fakekdc/pac"
)

// pacUsage is the key usage of every signature, [MS-PAC] 2.8.
const pacUsage = 17

// decode lets go-msrpc read a PAC. It panics on what it does not understand.
func decode(b []byte) (p *msrpc.PAC, err error) {
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, fmt.Errorf("go-msrpc panics: %v", r)
		}
	}()
	p = new(msrpc.PAC)
	return p, p.Unmarshal(b)
}

// types are the buffers in their order.
func types(p *msrpc.PAC) []uint32 {
	var list []uint32
	for _, b := range p.Buffers {
		list = append(list, uint32(b.Type))
	}
	return list
}

// layout checks what [MS-PAC] 2.3 and 2.4 say of the buffers: each at a multiple of 8, in their order without gaps, zeros between them.
func layout(b []byte, p *msrpc.PAC) error {
	end := uint64(8 + 16*len(p.Buffers))
	for _, buf := range p.Buffers {
		if buf.Offset%8 != 0 || buf.Offset < end || buf.Offset-end >= 8 {
			return fmt.Errorf("buffer %d at %d after %d", buf.Type, buf.Offset, end)
		}
		if !zero(b[end:buf.Offset]) {
			return fmt.Errorf("padding before buffer %d: % x", buf.Type, b[end:buf.Offset])
		}
		end = buf.Offset + uint64(buf.BufferLength)
	}
	if uint64(len(b))-end >= 8 || !zero(b[end:]) {
		return fmt.Errorf("% x after the last buffer", b[end:])
	}
	return nil
}

func zero(b []byte) bool { return !slices.ContainsFunc(b, func(o byte) bool { return o != 0 }) }

// keys are what a PAC is signed with. ticket is the DER of the EncTicketPart with one zero octet in place of the PAC; nil: no
// signature of it is expected.
type keys struct {
	server, kdc *krbcrypt.Key
	ticket      []byte
	full        bool
}

// sum is gokrb5's checksum.
func sum(k *krbcrypt.Key, data []byte) ([]byte, error) {
	e, err := crypto.GetChksumEtype(k.ChecksumType())
	if err != nil {
		return nil, err
	}
	return e.GetChecksumHash(k.Value, data, pacUsage)
}

var errSignature = errors.New("signature differs")

// signatures computes every signature anew, by the rules of [MS-PAC] 2.8.
func signatures(b []byte, p *msrpc.PAC, k keys) error {
	found := map[uint32][]byte{}
	clean := func(which ...uint32) []byte {
		c := slices.Clone(b)
		for _, buf := range p.Buffers {
			if slices.Contains(which, uint32(buf.Type)) {
				clear(c[buf.Offset+4 : buf.Offset+uint64(buf.BufferLength)])
			}
		}
		return c
	}
	for _, buf := range p.Buffers {
		if msrpc.IsSignatureBuffer(buf) {
			found[uint32(buf.Type)] = b[buf.Offset : buf.Offset+uint64(buf.BufferLength)]
		}
	}
	want := []struct {
		kind uint32
		key  *krbcrypt.Key
		data []byte
	}{{6, k.server, clean(6, 7)}, {7, k.kdc, nil}}
	if len(found[6]) > 4 {
		want[1].data = found[6][4:]
	}
	if k.ticket != nil {
		want = append(want, struct {
			kind uint32
			key  *krbcrypt.Key
			data []byte
		}{16, k.kdc, k.ticket})
	}
	if k.full {
		want = append(want, struct {
			kind uint32
			key  *krbcrypt.Key
			data []byte
		}{19, k.kdc, clean(6, 7, 19)})
	}
	if len(found) != len(want) {
		return fmt.Errorf("%w: %d of them, want %d", errSignature, len(found), len(want))
	}
	for _, w := range want {
		s, err := sum(w.key, w.data)
		if err != nil {
			return err
		}
		s = append(binary.LittleEndian.AppendUint32(nil, uint32(w.key.ChecksumType())), s...)
		if !bytes.Equal(found[w.kind], s) {
			return fmt.Errorf("%w: buffer %d is %x, want %x", errSignature, w.kind, found[w.kind], s)
		}
	}
	return nil
}

// compare tells where what go-msrpc read differs from what was put in.
func compare(t *testing.T, got *msrpc.PAC, want *pac.PAC) {
	t.Helper()
	same := func(what string, got, want any) {
		t.Helper()
		if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
			t.Errorf("%s: got %q, want %q", what, g, w)
		}
	}
	if l, w := got.LogonInformation, want.LogonInfo; (l != nil) != (w != nil) {
		t.Errorf("logon info: got %v, want %v", l, w)
	} else if l != nil {
		for _, f := range []struct {
			what string
			got  *dtyp.Filetime
			want time.Time
		}{
			{"LogonTime", l.LogonTime, w.LogonTime}, {"LogoffTime", l.LogoffTime, w.LogoffTime}, {"KickOffTime", l.KickOffTime, w.KickOffTime},
			{"PasswordLastSet", l.PasswordLastSet, w.PasswordLastSet}, {"PasswordCanChange", l.PasswordCanChange, w.PasswordCanChange},
			{"PasswordMustChange", l.PasswordMustChange, w.PasswordMustChange},
		} {
			same(f.what, ticks(f.got), filetime(f.want))
		}
		for _, f := range []struct {
			what  string
			got   *dtyp.UnicodeString
			want  string
			spare uint16 // octets of room beyond the text ([MS-PAC] 2.5 as Windows fills it)
		}{
			{"EffectiveName", l.EffectiveName, w.EffectiveName, 0}, {"FullName", l.FullName, w.FullName, 0}, {"LogonScript", l.LogonScript, w.LogonScript, 0},
			{"ProfilePath", l.ProfilePath, w.ProfilePath, 0}, {"HomeDirectory", l.HomeDirectory, w.HomeDirectory, 0},
			{"HomeDirectoryDrive", l.HomeDirectoryDrive, w.HomeDirectoryDrive, 0}, {"LogonServer", l.LogonServer, w.LogonServer, 2},
			{"LogonDomainName", l.LogonDomainName, w.LogonDomainName, 2},
		} {
			same(f.what, f.got.Buffer, f.want)
			same(f.what+" room", f.got.MaximumLength-f.got.Length, f.spare)
		}
		same("LogonCount", l.LogonCount, w.LogonCount)
		same("BadPasswordCount", l.BadPasswordCount, w.BadPasswordCount)
		same("UserID", l.UserID, w.UserID)
		same("PrimaryGroupID", l.PrimaryGroupID, w.PrimaryGroupID)
		same("Groups", groups(l.GroupIDs), w.Groups)
		same("UserFlags", l.UserFlags, w.UserFlags)
		var session []byte
		for _, block := range l.UserSessionKey.Data {
			session = append(session, block.Data...)
		}
		same("UserSessionKey", fmt.Sprintf("%x", session), fmt.Sprintf("%x", w.UserSessionKey[:]))
		same("LogonDomainID", sid(l.LogonDomainID), w.LogonDomainID)
		same("UserAccountControl", l.UserAccountControl, w.UserAccountControl)
		var extra []pac.SIDAndAttributes
		for _, e := range l.ExtraSIDs {
			extra = append(extra, pac.SIDAndAttributes{SID: sid(e.SID), Attributes: e.Attributes})
		}
		same("ExtraSIDs", extra, w.ExtraSIDs)
		same("ResourceGroupDomain", sid(l.ResourceGroupDomainSID), w.ResourceGroupDomain)
		same("ResourceGroups", groups(l.ResourceGroupIDs), w.ResourceGroups)
	}
	if c, w := got.ClientNameAndTicketInformation, want.ClientInfo; (c != nil) != (w != nil) {
		t.Errorf("client info: got %v, want %v", c, w)
	} else if c != nil {
		same("client name", c.Name, w.Name)
		same("client name's length", c.NameLength, 2*len(w.Name))
		same("authentication time", ticks(c.ClientID), filetime(w.AuthTime))
	}
	if u, w := got.UPNAndDNSInformation, want.UPNDNSInfo; (u != nil) != (w != nil) {
		t.Errorf("UPN and DNS info: got %v, want %v", u, w)
	} else if u != nil {
		same("UPN", u.UPN, w.UPN)
		same("DNS domain", u.DNSDomainName, w.DNSDomain)
		same("UPN flags", u.Flags, w.Flags)
		same("SAM name", u.SAMName, w.SAMAccountName)
		same("SID of the UPN info", sid(u.SID), w.SID)
		for _, offset := range []uint16{u.UPNOffset, u.DNSDomainNameOffset, u.SAMNameOffset, u.SIDOffset} {
			same("offset in the UPN info modulo 8", offset%8, 0)
		}
	}
	if a, w := got.Attributes, want.Attributes; (a != nil) != (w != nil) {
		t.Errorf("attributes: got %v, want %v", a, w)
	} else if a != nil {
		same("attributes", a.Flags, *w)
		same("bits of the attributes", a.FlagsLength, 2)
	}
	same("requestor", sid(got.RequestorSID), want.Requestor)
	if d, w := got.ConstrainedDelegationInformation, want.Delegation; (d != nil) != (w != nil) {
		t.Errorf("delegation info: got %v, want %v", d, w)
	} else if d != nil {
		same("delegation target", d.S4u2proxyTarget.Buffer, w.Target)
		var services []string
		for _, s := range d.S4UTransitedServices {
			services = append(services, s.Buffer)
		}
		same("transited services", services, w.Transited)
	}
}

func groups(list []*msrpc.GroupMembership) (out []pac.GroupMembership) {
	for _, g := range list {
		out = append(out, pac.GroupMembership{RID: g.RelativeID, Attributes: g.Attributes})
	}
	return out
}

func sid(s *dtyp.SID) security.SID {
	if s == nil {
		return security.SID{}
	}
	return security.MustSID(s.String())
}

func ticks(f *dtyp.Filetime) uint64 { return uint64(f.HighDateTime)<<32 | uint64(f.LowDateTime) }

// filetime is 100 ns since 1601 ([MS-DTYP] 2.3.3); zero for no time.
func filetime(t time.Time) uint64 {
	switch {
	case t.IsZero():
		return 0
	case t.Equal(pac.Never()):
		return 1<<63 - 1
	}
	return uint64(t.Unix()+11644473600)*10_000_000 + uint64(t.Nanosecond()/100)
}

// judge decodes a PAC, checks its layout and its signatures.
func judge(b []byte, k keys) (*msrpc.PAC, error) {
	p, err := decode(b)
	if err != nil {
		return nil, err
	}
	if err := layout(b, p); err != nil {
		return nil, err
	}
	return p, signatures(b, p, k)
}

// flips changes one bit of each octet of a PAC in turn and reports those that nobody notices.
func flips(t *testing.T, b []byte, k keys) {
	t.Helper()
	for at := range b {
		c := slices.Clone(b)
		c[at] ^= 1 << (at % 8)
		if _, err := judge(c, k); err == nil {
			t.Errorf("octet %d of %d changed: nobody notices", at, len(b))
		}
	}
}
