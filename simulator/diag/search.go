package diag

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// A Match is a code whose page shows a text that Windows prints.
type Match struct {
	Entry
	// Line is the line of the page, without its mark.
	Line string
}

// Search finds the codes whose pages show a text under "How it looks": part of a line without regard to case, or a number of Windows or Kerberos,
// which stands for itself in decimal and in hexadecimal ("1311" is 0x51f too). The matches are in the order of codes, one for each.
func Search(text string) []Match {
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		return nil
	}
	forms := numberForms(text)
	var found []Match
	for _, e := range All() {
		page, _ := Explain(e.Code)
		_, looks, _ := strings.Cut(page, "## How it looks\n")
		looks, _, _ = strings.Cut(looks, "\n## ")
		for line := range strings.Lines(looks) {
			line = strings.TrimSpace(strings.TrimPrefix(line, "- "))
			if shows(line, text, forms) {
				found = append(found, Match{e, line})
				break
			}
		}
	}
	return found
}

// shows tells that a line shows a text; a number counts as a whole word only.
func shows(line, text string, forms []string) bool {
	plain := strings.ReplaceAll(line, "`", "")
	if forms == nil {
		return strings.Contains(strings.ToLower(plain), strings.ToLower(text))
	}
	words := strings.FieldsFunc(strings.ToLower(plain), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for _, w := range words {
		for _, f := range forms {
			if w == f {
				return true
			}
		}
	}
	return false
}

// numberForms are the ways in which a number is written; nil for a text that is none. A status may be given signed, as klist prints it beside
// the hexadecimal form, and an HRESULT of a Win32 error (0x8007…) stands for that error too.
func numberForms(text string) []string {
	n, err := strconv.ParseInt(text, 0, 64)
	if err != nil || n < math.MinInt32 || n > math.MaxUint32 {
		return nil
	}
	u := uint32(n)
	forms := []string{fmt.Sprint(u), fmt.Sprintf("0x%x", u), fmt.Sprintf("0x%08x", u)}
	if u>>16 == 0x8007 {
		forms = append(forms, fmt.Sprint(u&0xffff), fmt.Sprintf("0x%x", u&0xffff))
	}
	return forms
}
