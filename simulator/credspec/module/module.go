// Package module writes credential specs as the PowerShell module CredentialSpec does, to the byte. It reads nothing, so that the simulated cmdlet and
// the command share it.
package module

import (
	"fmt"
	"strings"
)

// Spec is what a credential spec says (CredentialSpec module 1.1.0; windows-gmsa, the CRD's schema). A field that is absent is "".
type Spec struct {
	CmsPlugins []string
	DomainJoin DomainJoin
	// Accounts are the GroupManagedServiceAccounts: the accounts whose passwords the container may ask for.
	Accounts []Account
	// Host is the HostAccountConfig of a host outside the domain; nil: none.
	Host *HostAccount
}

// DomainJoin is DomainJoinConfig: what the container's LSA is told about its domain ([MS-LSAD] 2.2.4.14), and the account that it has.
type DomainJoin struct {
	Sid                string // of the domain, S-1-5-21-a-b-c
	MachineAccountName string // SAM name without $
	Guid               string // objectGUID of the domain, without braces
	DnsTreeName        string // of the forest's root domain
	DnsName            string // of the domain
	NetBiosName        string // of the domain
}

// Account is an entry of GroupManagedServiceAccounts.
type Account struct {
	Name  string // SAM name without $
	Scope string // the domain to look in, DNS or NETBIOS name
}

// HostAccount is HostAccountConfig: the plug-in that fetches the credentials of an ordinary user.
type HostAccount struct {
	PortableCcgVersion string // "1"
	PluginGUID         string // CLSID in braces
	// PluginInput is handed to the plug-in unread. The Linux agents of AWS want an object instead: PluginObject.
	PluginInput string
	// PluginObject are the members of a PluginInput that is an object, in their order; nil when it is a string.
	PluginObject []Field
}

// Field is a key and its text.
type Field struct{ Key, Value string }

// Paths of the sections.
const (
	KeyPlugins         = "CmsPlugins"
	KeyDomainJoin      = "DomainJoinConfig"
	KeyActiveDirectory = "ActiveDirectoryConfig"
	KeyAccounts        = "GroupManagedServiceAccounts"
	KeyHostAccount     = "HostAccountConfig"
)

// Newline is how a file ends its lines.
type Newline string

// The ends of lines.
const (
	LF   Newline = "\n"
	CRLF Newline = "\r\n"
)

// Module writes a credential spec as New-CredentialSpec does on Windows: members in the module's order, laid out by ConvertTo-Json of Windows PowerShell
// 5.1, with a line's end behind the last one (Out-File). Where the module writes a question mark for a letter that is not in ASCII, this writes an
// escape, which every reader of JSON takes for the letter.
func (s Spec) Module(end Newline) []byte {
	w := &layout{end: string(end)}
	w.object(0,
		entry{KeyPlugins, func(indent int) {
			w.array(indent, len(s.CmsPlugins), func(i, _ int) { w.text(s.CmsPlugins[i]) })
		}},
		entry{KeyDomainJoin, func(indent int) {
			j := s.DomainJoin
			w.object(indent, w.field("Sid", j.Sid), w.field("MachineAccountName", j.MachineAccountName), w.field("Guid", j.Guid), w.field("DnsTreeName", j.DnsTreeName),
				w.field("DnsName", j.DnsName), w.field("NetBiosName", j.NetBiosName))
		}},
		entry{KeyActiveDirectory, func(indent int) {
			members := []entry{{KeyAccounts, func(indent int) {
				w.array(indent, len(s.Accounts), func(i, indent int) {
					w.object(indent, w.field("Name", s.Accounts[i].Name), w.field("Scope", s.Accounts[i].Scope))
				})
			}}}
			if h := s.Host; h != nil {
				input := w.field("PluginInput", h.PluginInput)
				if h.PluginObject != nil {
					input = entry{"PluginInput", func(indent int) {
						var fields []entry
						for _, f := range h.PluginObject {
							fields = append(fields, w.field(f.Key, f.Value))
						}
						w.object(indent, fields...)
					}}
				}
				members = append(members, entry{KeyHostAccount, func(indent int) {
					w.object(indent, w.field("PortableCcgVersion", h.PortableCcgVersion), w.field("PluginGUID", h.PluginGUID), input)
				}})
			}
			w.object(indent, members...)
		}})
	w.b.WriteString(w.end)
	return []byte(w.b.String())
}

// layout is the layout of ConvertTo-Json in Windows PowerShell 5.1: two blanks behind a colon, and what is inside of a bracket stands four columns to
// the right of it.
type layout struct {
	b   strings.Builder
	end string
}

// entry is a member: its key, and what writes its value, whose bracket stands in a column.
type entry struct {
	key   string
	value func(column int)
}

func (w *layout) field(key, value string) entry {
	return entry{key, func(int) { w.text(value) }}
}

const step = 4

func (w *layout) line(column int) {
	w.b.WriteString(w.end)
	w.b.WriteString(strings.Repeat(" ", column))
}

func (w *layout) object(column int, members ...entry) {
	w.b.WriteByte('{')
	for i, m := range members {
		if i > 0 {
			w.b.WriteByte(',')
		}
		w.line(column + step)
		before := w.b.Len()
		w.text(m.key)
		w.b.WriteString(":  ")
		m.value(column + step + w.b.Len() - before)
	}
	w.line(column)
	w.b.WriteByte('}')
}

func (w *layout) array(column, n int, item func(i, column int)) {
	w.b.WriteByte('[')
	for i := range n {
		if i > 0 {
			w.b.WriteByte(',')
		}
		w.line(column + step)
		item(i, column+step)
	}
	w.line(column)
	w.b.WriteByte(']')
}

// text writes a string in ASCII. Besides what JSON demands, ' < > & are escaped, as .NET's JavaScriptSerializer does under ConvertTo-Json.
func (w *layout) text(s string) {
	w.b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			w.b.WriteByte('\\')
			w.b.WriteRune(r)
		case r == '\n':
			w.b.WriteString(`\n`)
		case r == '\r':
			w.b.WriteString(`\r`)
		case r == '\t':
			w.b.WriteString(`\t`)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&w.b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		case r < ' ' || r > '~' || strings.ContainsRune(`'<>&`, r):
			fmt.Fprintf(&w.b, `\u%04x`, r)
		default:
			w.b.WriteRune(r)
		}
	}
	w.b.WriteByte('"')
}
