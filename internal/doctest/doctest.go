// Package doctest finds the snippets of the documentation, so that a test can run every one of them.
//
// Three kinds of fenced blocks are run. A "console" block is a terminal session: lines that begin with "$ " are commands and
// what follows is what they print, where a line that is only "…" stands for any lines and "…" within a line for any text.
// A "go" block is a whole file and is compiled, or run when it holds tests. A "txtar" block is a scenario bundle and is run.
// A block may ask for programs after its language, as in "console needs=kinit,kvno", and console blocks may state the last
// command's exit status with "exit=1". A block with "file=domain.yaml" is laid under that name into the folders of the console
// blocks that follow it on its page. Blocks in any other language are not run, and only "text", "yaml", "json", "mermaid"
// and "powershell" are known besides, so that a misspelt language is not silently passed over.
package doctest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Block is one fenced block of a Markdown file.
type Block struct {
	// Lang is the first word after the fence; Line is the line of the fence, from 1.
	Lang string
	Line int
	// Needs names programs without which the block cannot be run.
	Needs []string
	// Exit is the exit status that the last command of a console block is to have.
	Exit int
	// File is the name under which console blocks find the text; "" for none.
	File string
	// Text is what stands between the fences.
	Text string
}

var known = []string{"console", "go", "txtar", "text", "yaml", "json", "mermaid", "powershell"}

// Blocks returns the fenced blocks of a Markdown text. A fence without a known language, with an unknown option, or one
// that is never closed is an error that gives the line.
func Blocks(markdown string) ([]Block, error) {
	var blocks []Block
	var open *Block
	for i, line := range strings.Split(markdown, "\n") {
		info, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && open == nil:
			b := Block{Line: i + 1}
			words := strings.Fields(info)
			if len(words) == 0 || !slices.Contains(known, words[0]) {
				return nil, fmt.Errorf("line %d: fenced block %q needs one of the languages %v", i+1, info, known)
			}
			b.Lang = words[0]
			for _, w := range words[1:] {
				key, value, _ := strings.Cut(w, "=")
				var err error
				switch key {
				case "needs":
					b.Needs = strings.Split(value, ",")
				case "exit":
					b.Exit, err = strconv.Atoi(value)
				case "file":
					if b.File = value; value == "" || strings.ContainsAny(value, `/\`) {
						err = fmt.Errorf("%q is not a file name", value)
					}
				default:
					err = fmt.Errorf("unknown option")
				}
				if err != nil {
					return nil, fmt.Errorf("line %d: option %q of a fenced block: %w", i+1, w, err)
				}
			}
			open = &b
		case fence:
			blocks = append(blocks, *open)
			open = nil
		case open != nil:
			open.Text += line + "\n"
		}
	}
	if open != nil {
		return nil, fmt.Errorf("line %d: fenced block is never closed", open.Line)
	}
	return blocks, nil
}

// A Command is one command of a console block with the output that the text shows for it, "" when it shows none.
type Command struct {
	Line   string
	Output string
}

// Commands splits a console block. Output before the first command is an error.
func Commands(b Block) ([]Command, error) {
	var cmds []Command
	for line := range strings.Lines(b.Text) {
		if c, ok := strings.CutPrefix(line, "$ "); ok {
			cmds = append(cmds, Command{Line: strings.TrimSuffix(c, "\n")})
			continue
		}
		if len(cmds) == 0 {
			return nil, fmt.Errorf("line %d: console block does not begin with a command", b.Line)
		}
		cmds[len(cmds)-1].Output += line
	}
	return cmds, nil
}

// Matches tells whether got is what the text shows: trailing blanks and blank lines at the end do not count, a line "…" stands
// for any number of lines and "…" within a line for any text. An empty want is satisfied by anything.
func Matches(want, got string) bool {
	if strings.TrimSpace(want) == "" {
		return true
	}
	var pattern strings.Builder
	pattern.WriteString(`\A`)
	for _, line := range strings.Split(strings.TrimRight(want, " \n"), "\n") {
		if strings.TrimSpace(line) == "…" {
			pattern.WriteString(`(?:[^\n]*\n)*?`)
			continue
		}
		for i, part := range strings.Split(strings.TrimRight(line, " "), "…") {
			if i > 0 {
				pattern.WriteString(`[^\n]*`)
			}
			pattern.WriteString(regexp.QuoteMeta(part))
		}
		pattern.WriteString(`[ ]*\n`)
	}
	pattern.WriteString(`\s*\z`)
	return regexp.MustCompile(pattern.String()).MatchString(strings.TrimRight(got, " \n") + "\n")
}
