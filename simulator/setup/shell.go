package setup

import (
	"bytes"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/gmsasim/gmsasim/simulator/source"
)

// dialect is the language of a script.
type dialect int

const (
	posix      dialect = iota // sh, bash: POSIX.1 Shell Command Language, 2.2
	powershell                // about_Parsing, about_Quoting_Rules
	cmd                       // cmd.exe, and the C runtime's rules for the quotes of an argument
)

// maxWords is how many words of a script are read.
const maxWords = 100_000

// dialectOf is the language that a file's name promises. Of a text without one, the continuation of its lines tells; one line alone is read as
// PowerShell reads it, which leaves the backslashes of Windows paths alone.
func dialectOf(f *source.File) dialect {
	switch strings.ToLower(path.Ext(f.Name)) {
	case ".sh", ".bash":
		return posix
	case ".ps1", ".psm1":
		return powershell
	case ".cmd", ".bat":
		return cmd
	}
	text := bytes.ReplaceAll(f.Data, []byte("\r\n"), []byte("\n"))
	switch {
	case bytes.HasPrefix(text, []byte("#!")), bytes.Contains(text, []byte("\\\n")):
		return posix
	case bytes.Contains(text, []byte("^\n")):
		return cmd
	}
	return powershell
}

// word is one argument, as the program gets it.
type word struct {
	start, end int
	text       []byte
	places     []int
	// quote is the quotation mark in which the whole word stands, 0: none, mixed: parts of it.
	quote byte
	begun bool // something that counts stands in it, an empty pair of quotes for instance
	open  bool // an expansion stands in it
	bare  bool // it is an expansion without quotes, which may become any number of words

	expansions []expansion
}

// expansion is a range of a word's text that the shell replaces by a variable's value; name is "" when it is something else than a variable.
type expansion struct {
	from, to int
	name     string
}

const mixed = 1

// lexer splits a script into commands. What it knows of a language is what decides where the words of a docker command begin and end.
type lexer struct {
	b        []byte
	d        dialect
	at       int
	word     word
	drop     bool // the next word is the target of a redirection
	command  []word
	commands [][]word
	words    int
	heredocs []string
}

// shellCommands are the commands of a script, each as its words.
func shellCommands(b []byte, d dialect) [][]word {
	l := &lexer{b: b, d: d}
	for l.at < len(l.b) && l.words < maxWords {
		l.step()
	}
	l.endCommand()
	return l.commands
}

func (l *lexer) peek(ahead int) byte {
	if l.at+ahead < len(l.b) {
		return l.b[l.at+ahead]
	}
	return 0
}

// put adds a byte of a word's text that stands at a place, in quotes of a kind.
func (l *lexer) put(c byte, at int, quote byte) {
	l.touch(quote)
	l.word.text = append(l.word.text, c)
	l.word.places = append(l.word.places, at)
}

// touch begins a word, if none has begun, and notes in which quotes it stands.
func (l *lexer) touch(quote byte) {
	if !l.word.begun {
		l.word = word{start: l.at, begun: true, quote: quote}
	} else if l.word.quote != quote {
		l.word.quote = mixed
	}
}

func (l *lexer) endWord() {
	if !l.word.begun {
		return
	}
	w := l.word
	w.end = l.at
	l.word = word{}
	if l.drop {
		l.drop = false
		return
	}
	l.words++
	l.command = append(l.command, w)
}

func (l *lexer) endCommand() {
	l.endWord()
	l.drop = false
	if len(l.command) > 0 {
		l.commands = append(l.commands, l.command)
	}
	l.command = nil
}

// escapeByte is what takes the meaning of the next byte away, outside quotes.
func (l *lexer) escapeByte() byte { return [...]byte{'\\', '`', '^'}[l.d] }

func (l *lexer) step() {
	c := l.b[l.at]
	switch {
	case c == '\n':
		l.endCommand()
		l.at++
		l.skipHeredocs()
	case c == ' ' || c == '\t' || c == '\r':
		l.endWord()
		l.at++
	case c == l.escapeByte():
		l.escape()
	case c == '#' && !l.word.begun && l.d != cmd:
		l.skipLine()
	case c == '<' && l.peek(1) == '#' && l.d == powershell:
		l.skipTo("#>")
	case c == '@' && l.d == powershell && !l.word.begun && (l.peek(1) == '"' || l.peek(1) == '\''):
		l.hereString()
	case c == '@' && l.d == cmd && !l.word.begun && len(l.command) == 0: // the command is not to be shown
		l.at++
	case c == '\'' && l.d != cmd:
		l.singleQuoted()
	case c == '"':
		l.doubleQuoted()
	case c == '$' && l.d != cmd:
		l.expansion(0)
	case c == '%' && l.d == cmd:
		l.percent(0)
	case c == ';' && l.d != cmd, c == '|', c == '&', c == '(', c == ')':
		l.endCommand()
		l.at++
	case (c == '{' || c == '}') && l.d == powershell && !l.word.begun:
		l.endCommand()
		l.at++
	case c == '<' || c == '>':
		l.redirection()
	case c == '\\' && l.d == cmd && l.peek(1) == '"':
		l.put('"', l.at, 0)
		l.at += 2
	default:
		bare := c == '@' && !l.word.begun && l.d == powershell // @arguments: a list of them
		l.put(c, l.at, 0)
		if bare {
			l.word.open, l.word.bare = true, true
			l.word.expansions = append(l.word.expansions, expansion{})
		}
		l.at++
	}
}

// escape reads an escape outside quotes; before the end of a line it continues the command.
func (l *lexer) escape() {
	rest := l.b[l.at+1:]
	if n := len(rest); n > 0 && rest[0] == '\n' || n > 1 && rest[0] == '\r' && rest[1] == '\n' {
		if l.d != posix { // there the parts of a word on both sides grow together
			l.endWord()
		} else if l.word.begun {
			l.touch(0)
		}
		l.at += 1 + bytes.IndexByte(rest, '\n') + 1
		return
	}
	if len(rest) == 0 {
		if l.word.begun { // its quotes do not end where it ends
			l.touch(0)
		}
		l.at++
		return
	}
	l.touch(0)
	l.put(rest[0], l.at, 0)
	l.at += 2
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func (l *lexer) skipLine() {
	for l.at < len(l.b) && l.b[l.at] != '\n' {
		l.at++
	}
}

func (l *lexer) skipTo(end string) {
	if i := bytes.Index(l.b[l.at:], []byte(end)); i >= 0 {
		l.at += i + len(end)
		return
	}
	l.at = len(l.b)
}

func (l *lexer) singleQuoted() {
	l.touch('\'')
	for l.at++; l.at < len(l.b); l.at++ {
		switch c := l.b[l.at]; {
		case c == '\\' && l.d == powershell && l.peek(1) == '"': // the C runtime of the program reads \" as a quotation mark
			l.put('"', l.at, '\'')
			l.at++
		case c != '\'':
			l.put(c, l.at, '\'')
		case l.d == powershell && l.peek(1) == '\'':
			l.put('\'', l.at, '\'')
			l.at++
		default:
			l.at++
			return
		}
	}
	l.unclosed()
}

// unclosed notes that the quotes of a word have no end: nothing can be put into them.
func (l *lexer) unclosed() { l.word.quote = mixed }

func (l *lexer) doubleQuoted() {
	l.touch('"')
	for l.at++; l.at < len(l.b); {
		c, next := l.b[l.at], l.peek(1)
		switch {
		case c == '"' && l.d == powershell && next == '"':
			l.put('"', l.at, '"')
			l.at += 2
		case c == '"':
			l.at++
			return
		case c == '\\' && l.d == posix && next == '\n':
			l.at += 2
		case c == '\\' && l.d == posix && (next == '$' || next == '`' || next == '"' || next == '\\'),
			c == '\\' && l.d == cmd && next == '"':
			l.put(next, l.at, '"')
			l.at += 2
		case c == '\\' && l.d == powershell && next == '`' && l.peek(2) == '"': // \" for the C runtime, the quote escaped for the shell
			l.put('"', l.at, '"')
			l.at += 3
		case c == '`' && l.d == powershell && next != 0:
			l.put(next, l.at, '"')
			l.at += 2
		case c == '$' && l.d != cmd:
			l.expansion('"')
		case c == '%' && l.d == cmd:
			l.percent('"')
		default:
			l.put(c, l.at, '"')
			l.at++
		}
	}
	l.unclosed()
}

// expansion reads $X, ${X} and $(…), which stand in the word as they are written. Commands inside $(…) without quotes are commands too.
func (l *lexer) expansion(quote byte) {
	next := l.peek(1)
	if next == '(' && quote == 0 {
		l.touch(0)
		l.word.open, l.word.bare = true, true
		l.word.expansions = append(l.word.expansions, expansion{})
		l.put('$', l.at, quote)
		l.at++
		l.endCommand()
		return
	}
	if next != '{' && next != '(' && next != '_' && next != '@' && next != '*' && !isLetter(next) && (next < '0' || next > '9') {
		l.put('$', l.at, quote)
		l.at++
		return
	}
	first := !l.word.begun
	l.touch(quote)
	l.word.open = true
	l.word.bare = l.word.bare || first && quote == 0
	end := l.at + 1
	switch next {
	case '(', '{':
		closing := map[byte]byte{'(': ')', '{': '}'}[next]
		depth := 0
		for ; end < len(l.b); end++ {
			if l.b[end] == next {
				depth++
			} else if l.b[end] == closing {
				if depth--; depth == 0 {
					end++
					break
				}
			}
		}
	default:
		for end < len(l.b) && (isLetter(l.b[end]) || l.b[end] == '_' || l.b[end] >= '0' && l.b[end] <= '9' || l.b[end] == ':' && l.d == powershell && end+1 < len(l.b) && isLetter(l.b[end+1]) || l.b[end] == '@' || l.b[end] == '*') {
			end++
		}
	}
	e := expansion{from: len(l.word.text), name: variableName(string(l.b[l.at+1 : end]))}
	for ; l.at < end; l.at++ {
		l.put(l.b[l.at], l.at, quote)
	}
	e.to = len(l.word.text)
	l.word.expansions = append(l.word.expansions, e)
}

// variableName is the name in X and {X}, "" for anything else.
func variableName(text string) string {
	if inside, ok := strings.CutPrefix(text, "{"); ok {
		text = strings.TrimSuffix(inside, "}")
	}
	if text == "" || strings.Trim(text, nameBytes) != "" || text[0] >= '0' && text[0] <= '9' {
		return ""
	}
	return text
}

const nameBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

// percent reads %X% of cmd, which stands in the word as it is written.
func (l *lexer) percent(quote byte) {
	l.touch(quote)
	l.word.open = true
	end := l.at + 1
	for end < len(l.b) && strings.IndexByte(nameBytes, l.b[end]) >= 0 {
		end++
	}
	e := expansion{from: len(l.word.text)}
	if end < len(l.b) && l.b[end] == '%' {
		end++
		e.name = variableName(string(l.b[l.at+1 : end-1]))
	} else {
		end = l.at + 1
	}
	for ; l.at < end; l.at++ {
		l.put(l.b[l.at], l.at, quote)
	}
	e.to = len(l.word.text)
	l.word.expansions = append(l.word.expansions, e)
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// hereString reads @"…"@ and @'…'@ of PowerShell, whose text begins on the next line and whose end stands at the beginning of one.
func (l *lexer) hereString() {
	quote := l.peek(1)
	l.touch(quote)
	begin := bytes.IndexByte(l.b[l.at:], '\n')
	if begin < 0 {
		l.at = len(l.b)
		return
	}
	begin += l.at + 1
	end := bytes.Index(l.b[begin-1:], []byte{'\n', quote, '@'})
	if end < 0 {
		l.at = len(l.b)
		return
	}
	end += begin - 1
	for i := begin; i < end; i++ {
		l.put(l.b[i], i, quote)
		if quote == '"' && l.b[i] == '$' {
			l.word.open = true
			l.word.expansions = append(l.word.expansions, expansion{})
		}
	}
	l.word.quote = mixed // what is put in would need the here-string's own rules
	l.at = end + 3
}

// redirection reads < and > with what belongs to them; the word behind is a file's name and no argument.
func (l *lexer) redirection() {
	if l.word.begun && len(bytes.Trim(l.word.text, "0123456789*")) == 0 { // 2>
		l.word = word{}
	}
	l.endWord()
	if l.d == posix && bytes.HasPrefix(l.b[l.at:], []byte("<<")) && l.peek(2) != '<' {
		l.at += 2
		if l.peek(0) == '-' {
			l.at++
		}
		for l.at < len(l.b) && (l.b[l.at] == ' ' || l.b[l.at] == '\t') {
			l.at++
		}
		start := l.at
		for l.at < len(l.b) && !isBlank(l.b[l.at]) && !bytes.ContainsRune([]byte(";|&()<>"), rune(l.b[l.at])) {
			l.at++
		}
		if delimiter := strings.Trim(string(l.b[start:l.at]), `'"\`); delimiter != "" && len(l.heredocs) < 16 {
			l.heredocs = append(l.heredocs, delimiter)
		}
		return
	}
	for l.at < len(l.b) && (l.b[l.at] == '<' || l.b[l.at] == '>' || l.b[l.at] == '&') {
		l.at++
	}
	l.drop = true
}

// skipHeredocs skips the texts of the here-documents that the line before announced.
func (l *lexer) skipHeredocs() {
	for _, delimiter := range l.heredocs {
		for l.at < len(l.b) {
			line := l.b[l.at:]
			if i := bytes.IndexByte(line, '\n'); i >= 0 {
				line = line[:i]
			}
			l.at = min(l.at+len(line)+1, len(l.b))
			if string(bytes.TrimSpace(line)) == delimiter {
				break
			}
		}
	}
	l.heredocs = nil
}

// assignments are the variables of a script that have one value, written in the script itself: those that are set once, to a text without
// variables. Names of PowerShell and cmd have no case.
func assignments(commands [][]word, d dialect) map[string]string {
	values, often := map[string]string{}, map[string]int{}
	note := func(name string, w word, value string) {
		if name = variableKey(name, d); w.open {
			often[name]++ // whatever it becomes, it is not known
		}
		often[name]++
		values[name] = value
	}
	for _, words := range commands {
		for i := 0; i < len(words); i++ {
			text := string(words[i].text)
			name, value, assigned := strings.Cut(text, "=")
			switch {
			case d == posix && shellWords[text]:
				continue
			case d == posix && (text == "read" || text == "for") && i+1 < len(words): // whatever comes
				note(string(words[i+1].text), word{open: true}, "")
			case d == posix && assigned && variableName(name) == name && name != "":
				note(name, words[i], value)
				continue // X=1 Y=2
			case d == powershell && len(words) > i+1 && len(words[i].expansions) == 1 && (string(words[i+1].text) == "=" || string(words[i+1].text) == "+="):
				w := word{open: true}
				if len(words) == i+3 && string(words[i+1].text) == "=" && words[i+2].quote != 0 && words[i+2].quote != mixed { // a string; a word would be a command
					w = words[i+2]
				}
				note(words[i].expansions[0].name, w, string(w.text))
			case d == cmd && strings.EqualFold(text, "set") && len(words) > i+1:
				name, value, assigned := strings.Cut(string(words[i+1].text), "=")
				w := words[i+1]
				if !assigned || len(words) != i+2 {
					w.open = true
				}
				note(name, w, value)
			case d == cmd: // if … set X=Y
				continue
			}
			break
		}
	}
	for name, n := range often {
		if n > 1 {
			delete(values, name)
		}
	}
	delete(values, "")
	return values
}

// shellWords stand before an assignment and leave it one.
var shellWords = set("export", "readonly", "local", "declare", "then", "do", "else", "{", "!")

func variableKey(name string, d dialect) string {
	if d == posix {
		return name
	}
	return strings.ToLower(name)
}

// expand puts the values of variables into a word when all of them are known. The places of what is put in are those of the variable, and the
// word cannot be edited.
func (w *word) expand(values map[string]string, d dialect) {
	if !w.open || len(w.expansions) == 0 {
		return
	}
	var text []byte
	var places []int
	at := 0
	for _, e := range w.expansions {
		value, known := values[variableKey(e.name, d)]
		if !known || e.name == "" || w.bare && (value == "" || strings.ContainsAny(value, " \t\n*?[")) {
			return
		}
		text, places = append(text, w.text[at:e.from]...), append(places, w.places[at:e.from]...)
		for range len(value) {
			places = append(places, w.places[e.from])
		}
		text, at = append(text, value...), e.to
	}
	w.text, w.places = append(text, w.text[at:]...), append(places, w.places[at:]...)
	w.open, w.bare, w.quote, w.expansions = false, false, mixed, nil
}

// node is a word as a value with its place. open words have a variable in them.
func (w *word) node(f *source.File, d dialect) *source.Node {
	places := append(w.places[:len(w.places):len(w.places)], w.end)
	switch {
	case len(w.places) == 0, !utf8.Valid(w.text):
		places = nil
	case w.quote == '"' || w.quote == '\'':
		places[len(w.places)] = w.end - 1
	}
	n := source.NewForeign(f, w.start, w.end, strings.ToValidUTF8(string(w.text), "\uFFFD"), places, quoting(w.quote, d))
	n.Open = w.open
	return n
}

// quoting writes a text into the quotes in which a word stands.
func quoting(quote byte, d dialect) func(string) (string, bool) {
	return func(text string) (string, bool) {
		switch {
		case quote == mixed || strings.ContainsAny(text, "\r\n"):
			return "", false
		case quote == 0:
			return text, strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=+,@") == ""
		case quote == '\'' && d == powershell:
			return strings.ReplaceAll(text, "'", "''"), !strings.Contains(text, `"`)
		case quote == '\'':
			return text, !strings.Contains(text, "'")
		case d == posix:
			return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(text), true
		case d == powershell:
			return strings.NewReplacer("`", "``", "$", "`$").Replace(text), !strings.Contains(text, `"`)
		default:
			return text, !strings.ContainsAny(text, `"%`)
		}
	}
}
