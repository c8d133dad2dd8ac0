package diag

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Text is the finding as people read it: what is wrong, the facts, what Windows shows, why, and what repairs it. It ends with a
// newline, has no colour and holds nothing that differs between two runs with the same seed.
func (f *Finding) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "error[%s]: %s\n", string(f.Code), f.Title)
	for _, s := range f.At {
		fmt.Fprintf(&b, "  --> %s:%d:%d", s.File, s.Line, s.Column)
		if s.Label != "" {
			b.WriteString("  " + s.Label)
		}
		b.WriteByte('\n')
	}
	width := 10
	for _, fact := range f.Facts {
		width = max(width, utf8.RuneCountInString(fact.Name))
	}
	line := func(name, value string) {
		value = strings.ReplaceAll(strings.ReplaceAll(value, "\n\n", "\n"), "\n", "\n"+strings.Repeat(" ", width+6))
		fmt.Fprintf(&b, "    %s%s  %s\n", name, strings.Repeat(" ", max(0, width-utf8.RuneCountInString(name))), value)
	}
	for _, fact := range f.Facts {
		line(fact.Name, fact.Value)
	}
	for _, n := range f.Nearest {
		line("nearest", n.Closest+bracketed(n.WhyNot))
	}
	for i, s := range f.SeenAs {
		name := "seen as"
		if i > 0 {
			name = ""
		}
		line(name, s)
	}
	if f.Because != "" {
		line("because", f.Because)
	}
	for _, h := range f.Help {
		fmt.Fprintf(&b, "help: %s\n", h.Text)
		if h.Command != "" {
			fmt.Fprintf(&b, "    %s\n", h.Command)
		}
	}
	return b.String()
}

func bracketed(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}
