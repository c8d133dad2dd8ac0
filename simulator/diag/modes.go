package diag

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// A Mode is one way in which a setup fails: a state that makes one step go wrong. Several modes may share the code of a finding, which
// then names the mode beside it.
type Mode struct {
	ID string `json:"id"`
	// Title stands alone, without a full stop.
	Title string `json:"title"`
	// Areas are the parts of a setup that it is about; the first is the main one.
	Areas []string `json:"areas"`
	// Step is where the state bites, and after > where somebody first notices: S1 root key, S2 create, S3 list of principals, S4 read
	// the password, S5 credential spec, S6 start, S7 secure channel, S8 outbound, S9 inbound Kerberos, S10 inbound NTLM and names, S11
	// application.
	Step string `json:"step"`
	// Mark is the evidence for the mechanism: D documented, T reported in threads, I inferred. What is inferred is modelled but judges
	// nobody.
	Mark string `json:"mark"`
	// When is det (the same state always gives the same result), int (it depends on time, on the DC that answers or on placement) or prob.
	When string `json:"when"`
	// Alias is the mode that this is another view of; "" for none.
	Alias string `json:"alias,omitempty"`
	// Note says what is missing, for a mode that is modelled partly or not: "partly: …" or "no: …".
	Note string `json:"note,omitempty"`
}

//go:embed modes.tsv
var modesTable string

// Modes lists the known failure modes in the order of their areas. The table is modes.tsv beside this file; its first line names the
// columns.
func Modes() []Mode { return slices.Clone(modes()) }

// modes reads the table once; nobody changes what it gives.
var modes = sync.OnceValue(func() []Mode {
	var list []Mode
	for i, line := range strings.Split(strings.TrimSuffix(strings.ReplaceAll(modesTable, "\r\n", "\n"), "\n"), "\n") {
		c := strings.Split(line, "\t")
		if i == 0 || len(c) != 8 {
			continue // TestModes has every line
		}
		list = append(list, Mode{ID: c[0], Areas: strings.Split(c[1], ","), Step: c[2], Mark: c[3], When: c[4], Alias: c[5], Title: c[6], Note: c[7]})
	}
	return list
})

// LookupMode finds a mode by its id.
func LookupMode(id string) (Mode, bool) {
	list := modes()
	i := slices.IndexFunc(list, func(m Mode) bool { return strings.EqualFold(m.ID, id) })
	if i < 0 {
		return Mode{}, false
	}
	return list[i], true
}
