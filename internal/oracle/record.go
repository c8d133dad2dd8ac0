package oracle

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A Record is what a client printed, taken apart: lines of LDIF, of the Kerberos probe, or of any other program.
type Record struct {
	// Code is the outcome in one word or two: the exit status of an LDAP tool is the LDAP result, the probe prints the KRB-ERROR,
	// and MIT's tools say what went wrong in words.
	Code string
	// Fields are the attributes of all entries, or the `name: value` lines of the probe, in order. Lines of other programs have
	// an empty name.
	Fields []Field
	// Text is all that was printed, on both streams.
	Text string
}

// A Field is one value of one attribute of one entry.
type Field struct {
	Entry, Name string
	Value       []byte
}

// mitError finds what an MIT program says after the last colon or before "while".
var mitError = regexp.MustCompile(`(?m)^k\w+: (.*?)(?: while .*)?$`)

// NewRecord takes the output of an operation apart. Exit is the exit status, or for the probe always 0.
func NewRecord(stdout, stderr string, exit int) *Record {
	r := &Record{Code: fmt.Sprintf("exit %d", exit), Text: stdout + stderr}
	if m := mitError.FindStringSubmatch(stderr); m != nil && exit != 0 {
		r.Code += ": " + strings.TrimSpace(krbName.ReplaceAllString(m[1], ""))
	}
	entry := ""
	for line := range strings.Lines(stdout) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || strings.HasPrefix(line, "# ") {
			continue
		}
		name, value := splitLine(line)
		switch {
		case name == "dn":
			entry = string(value)
			r.Fields = append(r.Fields, Field{Entry: entry, Name: "dn", Value: value})
		case name == "error":
			r.Code = "krb " + string(value)
		case name == "probe-failed" || name == "silence":
			r.Code = line
		default:
			r.Fields = append(r.Fields, Field{Entry: entry, Name: name, Value: value})
		}
	}
	return r
}

// krbName is a quoted or bare principal in an MIT message: it is in the command already.
var krbName = regexp.MustCompile(`'[^']*'|\S+@\S+`)

// splitLine reads "name: value" and "name:: base64". Any other line is a value without a name.
func splitLine(line string) (name string, value []byte) {
	name, rest, ok := strings.Cut(line, ":")
	if !ok || strings.ContainsAny(name, " \t\"") {
		return "", []byte(line)
	}
	if encoded, ok := strings.CutPrefix(rest, ": "); ok {
		if b, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			return name, b
		}
	}
	return name, []byte(strings.TrimPrefix(rest, " "))
}

// Lines renders the fields whose names are in only, or all of them, one line each. Values of one attribute have no order in LDAP, so
// they are sorted within an entry; the order of entries has no meaning either.
func (r *Record) Lines(n *Normaliser, only []string) []string {
	var lines []string
	for _, f := range r.Fields {
		if len(only) > 0 && !slices.ContainsFunc(only, func(name string) bool { return strings.EqualFold(name, f.Name) }) {
			continue
		}
		prefix := ""
		if f.Entry != "" && f.Name != "dn" {
			prefix = n.Text(f.Entry) + " "
		}
		if f.Name == "" {
			lines = append(lines, prefix+n.Text(string(f.Value)))
			continue
		}
		lines = append(lines, prefix+f.Name+": "+n.Value(f.Name, f.Value))
	}
	slices.Sort(lines)
	return lines
}

// Names renders which attributes each entry has, without values.
func (r *Record) Names(n *Normaliser) []string {
	sets := map[string][]string{}
	for _, f := range r.Fields {
		if f.Name != "" && f.Name != "dn" {
			entry := n.Text(f.Entry)
			sets[entry] = append(sets[entry], f.Name)
		}
	}
	var lines []string
	for entry, names := range sets {
		slices.Sort(names)
		lines = append(lines, strings.TrimSpace(entry+" "+strings.Join(slices.Compact(names), " ")))
	}
	slices.Sort(lines)
	return lines
}
