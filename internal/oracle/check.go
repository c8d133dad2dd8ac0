package oracle

import (
	"fmt"
	"slices"
	"strings"
)

// A Grade says how far two outcomes must agree.
type Grade string

const (
	// Exact compares the code and the normalised values.
	Exact Grade = "exact"
	// Code compares the LDAP result, the KRB-ERROR code or MIT's message, no more.
	Code Grade = "code"
	// Class compares success or refusal, and whether each of a list of facts is in what was printed.
	Class Grade = "class"
	// Structure compares which fields are there, without order or values.
	Structure Grade = "structure"
)

// A Check is one comparison of what an operation printed.
type Check struct {
	Grade Grade
	// Of lists the fields compared (Exact) or the facts looked for (Class). Empty with Exact: all fields.
	Of []string
	// Differs names the allowed difference, with the outcome of either side. Both outcomes are checked.
	Differs        string
	Samba, Gmsasim string
}

// Outcome is what the check compares.
func (c Check) Outcome(r *Record, n *Normaliser) string {
	switch c.Grade {
	case Code:
		return r.Code
	case Class:
		words := []string{"refused"}
		if r.Code == "exit 0" || r.Code == "krb 0" {
			words[0] = "success"
		}
		for _, fact := range c.Of {
			sign := "-"
			if strings.Contains(strings.ToLower(r.Text), strings.ToLower(fact)) {
				sign = "+"
			}
			words = append(words, sign+fact)
		}
		return strings.Join(words, " ")
	case Structure:
		return strings.Join(append([]string{r.Code}, r.Names(n)...), "\n")
	default:
		return strings.Join(append([]string{r.Code}, r.Lines(n, c.Of)...), "\n")
	}
}

// Judge compares two outcomes. It returns an empty string when they are as the check wants them.
func (c Check) Judge(samba, gmsasim string) string {
	if c.Differs == "" {
		if samba == gmsasim {
			return ""
		}
		return "unlisted difference:\n" + sideBySide(samba, gmsasim)
	}
	if samba == gmsasim {
		return fmt.Sprintf("the allowed difference %s has vanished; both:\n%s", c.Differs, samba)
	}
	if samba == c.Samba && gmsasim == c.Gmsasim {
		return ""
	}
	return fmt.Sprintf("not the difference that %s allows:\n%swant:\n%s", c.Differs, sideBySide(samba, gmsasim), sideBySide(c.Samba, c.Gmsasim))
}

// sideBySide prints the lines that only one side has, or everything when that is little.
func sideBySide(samba, gmsasim string) string {
	s, g := strings.Split(samba, "\n"), strings.Split(gmsasim, "\n")
	var b strings.Builder
	for _, l := range s {
		if !slices.Contains(g, l) {
			fmt.Fprintf(&b, "  samba   %s\n", l)
		}
	}
	for _, l := range g {
		if !slices.Contains(s, l) {
			fmt.Fprintf(&b, "  gmsasim %s\n", l)
		}
	}
	if b.Len() == 0 {
		fmt.Fprintf(&b, "  samba   %q\n  gmsasim %q\n", samba, gmsasim)
	}
	return b.String()
}
