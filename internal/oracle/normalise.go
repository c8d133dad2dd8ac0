package oracle

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// A Normaliser replaces what two servers cannot have in common (SIDs, GUIDs, times, counters, key material) by what it stands for.
type Normaliser struct {
	// NameOf gives the sAMAccountName of a SID of the domain, empty when there is none.
	NameOf func(sid string) string
	// Domain is the SID of the domain.
	Domain string
}

var (
	sidPattern  = regexp.MustCompile(`S-1-5-21(-\d+){3}(-\d+)?`)
	guidPattern = regexp.MustCompile(`(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`)
	timePattern = regexp.MustCompile(`\b\d{14}\.0Z\b`)
	placeInText = regexp.MustCompile(` at \.\./\S+:\d+|DSID-[0-9A-F]+|, v[0-9a-f]{4}\b`)
)

// machineTimes are the attributes whose value is a moment as a number.
var machineTimes = map[string]bool{
	"pwdlastset": true, "lastlogon": true, "lastlogontimestamp": true, "badpasswordtime": true, "whencreated": true,
	"whenchanged": true, "creationtime": true, "mskds-createtime": true, "mskds-usestarttime": true,
}

// counters are the attributes that count what happened on one server.
var counters = map[string]bool{
	"usncreated": true, "usnchanged": true, "highestcommittedusn": true, "logoncount": true,
}

// Text replaces SIDs, GUIDs and times in running text.
func (n *Normaliser) Text(s string) string {
	s = sidPattern.ReplaceAllStringFunc(s, n.sid)
	s = guidPattern.ReplaceAllString(s, "<guid>")
	s = timePattern.ReplaceAllString(s, "<time>")
	return placeInText.ReplaceAllString(s, "")
}

// sid names a SID: an account by its name, a well-known one by its RID.
func (n *Normaliser) sid(s string) string {
	if s == n.Domain {
		return "<domain>"
	}
	rid, ok := strings.CutPrefix(s, n.Domain+"-")
	if !ok {
		return s
	}
	if len(rid) <= 3 {
		return "<domain>-" + rid
	}
	if name := n.NameOf(s); name != "" {
		return "<" + name + ">"
	}
	return "<domain>-?"
}

// Value renders one value of an attribute.
func (n *Normaliser) Value(name string, value []byte) string {
	key, _, _ := strings.Cut(strings.ToLower(name), ";")
	switch {
	case machineTimes[key]:
		if len(value) == 1 {
			return string(value) // 0: never, which is a fact
		}
		return "<time>"
	case counters[key]:
		return "<count>"
	case key == "objectguid" || key == "parentguid" || key == "invocationid":
		return fmt.Sprintf("<guid of %d octets>", len(value))
	case key == "objectsid" || key == "tokengroups":
		sid, err := security.SIDFromBytes(value)
		if err != nil {
			return fmt.Sprintf("not a SID: %v", err)
		}
		return n.Text(sid.String())
	case key == "msds-groupmsamembership" || key == "ntsecuritydescriptor":
		sd, err := security.ParseDescriptor(value)
		if err != nil {
			return fmt.Sprintf("not a security descriptor: %v", err)
		}
		return n.Text(describeDescriptor(sd))
	case key == "msds-managedpassword":
		return describeBlob(value)
	case key == "msds-managedpasswordid" || key == "msds-managedpasswordpreviousid":
		return describeKeyID(value)
	}
	if !utf8.Valid(value) {
		return fmt.Sprintf("<%d octets>", len(value))
	}
	return n.Text(string(value))
}

// describeDescriptor renders owner, group and DACL in the order of the descriptor.
func describeDescriptor(sd *security.Descriptor) string {
	text := fmt.Sprintf("control=%#x owner=%s group=%s", sd.Control, sd.Owner, sd.Group)
	if sd.DACL == nil {
		return text + " no DACL"
	}
	for _, ace := range sd.DACL.ACEs {
		text += fmt.Sprintf(" (%d %#x %#x %s)", ace.Type, ace.Flags, uint32(ace.Mask), ace.SID)
	}
	return text
}

// describeBlob renders MSDS-MANAGEDPASSWORD_BLOB ([MS-ADTS] 2.2.19) without the passwords. Written for this comparison alone: it
// must not share a decoder with the server under test.
func describeBlob(b []byte) string {
	if len(b) < 16 {
		return fmt.Sprintf("blob of %d octets", len(b))
	}
	u16 := func(o int) int { return int(binary.LittleEndian.Uint16(b[o:])) }
	text := fmt.Sprintf("version=%d reserved=%d length=%d/%d current=%d previous=%d query=%d unchanged=%d",
		u16(0), u16(2), binary.LittleEndian.Uint32(b[4:]), len(b), u16(8), u16(10), u16(12), u16(14))
	query, unchanged := u16(12), u16(14)
	if query+8 <= len(b) && unchanged+8 <= len(b) {
		q, u := binary.LittleEndian.Uint64(b[query:]), binary.LittleEndian.Uint64(b[unchanged:])
		text += fmt.Sprintf(" query-unchanged=%d", q-u)
	}
	if end := u16(8) + 256; end+2 <= len(b) {
		text += fmt.Sprintf(" terminator=%x", b[end:end+2])
	}
	return text
}

// describeKeyID renders the key envelope of msDS-ManagedPasswordId ([MS-GKDI] 2.2.4) without the key's GUID, and without the interval,
// which is that of the account's creation.
func describeKeyID(b []byte) string {
	if len(b) < 52 {
		return fmt.Sprintf("key id of %d octets", len(b))
	}
	u32 := func(o int) uint32 { return binary.LittleEndian.Uint32(b[o:]) }
	strings := make([]uint16, 0, len(b)/2)
	for o := 52; o+2 <= len(b); o += 2 {
		strings = append(strings, binary.LittleEndian.Uint16(b[o:]))
	}
	interval := "interval"
	if u32(16) > 31 || u32(20) > 31 {
		interval = fmt.Sprintf("no interval %d,%d,%d", u32(12), u32(16), u32(20))
	}
	return fmt.Sprintf("version=%d magic=%q flags=%d <%s> info=%d domain=%d forest=%d %q",
		u32(0), b[4:8], u32(8), interval, u32(40), u32(44), u32(48), string(utf16.Decode(strings)))
}
