package diag

import (
	"embed"
	"strings"
)

//go:embed pages/*.md
var pages embed.FS

// Explain is the page of a code, in Markdown: what it means, how it looks on Windows, why, what repairs it, and what looks alike. The
// code may be in lower case. It reports false when there is no such code.
func Explain(c Code) (string, bool) {
	e, ok := Lookup(c)
	if !ok {
		return "", false
	}
	text, err := pages.ReadFile("pages/" + string(e.Code) + ".md")
	if err != nil {
		return "# " + string(e.Code) + ": " + e.Title + "\n", true
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n"), true
}
