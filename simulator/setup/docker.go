package setup

import (
	"path"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/source"
)

// Command is a docker command line that makes a container or a service.
type Command struct {
	// Verb is "run", "create", "service create", "service update", "build" or "config create".
	Verb  string
	Words []*source.Node
	Flags []Flag
	// Image is the first word that belongs to no option: the image, of an update the service; nil: none is there, or a variable hides it.
	Image *source.Node
	// Rest are the words behind it.
	Rest []*source.Node
}

// Flag is an option of a command with its long name.
type Flag struct {
	Name string
	// Node is the word in which it stands; Value is its value, nil for one that has none.
	Node, Value *source.Node
}

// flag is the last value of an option, nil when it is not given.
func (c *Command) flag(name string) *source.Node {
	var value *source.Node
	for _, f := range c.Flags {
		if f.Name == name {
			value = f.Value
		}
	}
	return value
}

// Limits of what is read of command lines.
const (
	maxCommands = 10_000
	maxOptions  = 1_000
)

// shellDocuments reads a script: its docker commands are an array of arrays.
func shellDocuments(f *source.File) []*Document {
	d := dialectOf(f)
	root := &source.Node{File: f, Kind: source.Array, Start: 0, End: len(f.Data)}
	commands := shellCommands(f.Data, d)
	values := assignments(commands, d)
	for _, words := range commands {
		at := dockerWord(words)
		if at < 0 || len(root.Items) >= maxCommands {
			continue
		}
		words = words[at:]
		list := &source.Node{File: f, Kind: source.Array, Start: words[0].start, End: words[len(words)-1].end}
		for i := range words {
			words[i].expand(values, d)
			n := words[i].node(f, d)
			list.Items = append(list.Items, n)
			if words[i].bare && i > 0 {
				list.Members = append(list.Members, source.Member{Key: n, Value: n}) // words that may be any number of words
			}
		}
		root.Items = append(root.Items, list)
	}
	return []*Document{{Form: FormDockerArgs, File: f, Root: root}}
}

// dockerWord is the place of the word docker in a command, behind sudo, assignments and keywords; -1: there is none.
func dockerWord(words []word) int {
	for i, w := range words {
		name := strings.ToLower(path.Base(strings.ReplaceAll(string(w.text), `\`, "/")))
		switch strings.TrimSuffix(name, ".exe") {
		case "docker", "nerdctl", "podman":
			if i+1 < len(words) {
				return i
			}
			return -1
		case "echo", "write-host", "write-output", "printf", "rem", "::", "which", "get-command", "where", "man", "apt-get", "apt", "yum", "systemctl":
			return -1
		}
	}
	return -1
}

// isDockerArguments tells whether a JSON document is the arguments of a docker command: an array that begins with docker, or of several such.
func isDockerArguments(root *source.Node) bool {
	items := root.List()
	if len(items) == 0 {
		return false
	}
	if items[0].String() == "docker" {
		return true
	}
	return argv(items[0]) != nil
}

// argv is the arguments in an item of a list of commands: an array, or an object that has one as argv.
func argv(n *source.Node) *source.Node {
	if n.Get("argv") != nil {
		n = n.Get("argv")
	}
	if l := n.List(); len(l) > 0 && l[0].String() == "docker" {
		return n
	}
	return nil
}

func (s *Setup) readDockerArguments(d *Document) {
	lines := d.Root.List()
	if len(lines) > 0 && lines[0].Kind == source.String {
		lines = []*source.Node{d.Root}
	}
	for _, line := range lines[:min(len(lines), maxCommands)] {
		if a := line.Get("argv"); a != nil {
			line = a
		}
		c := parseCommand(line)
		if c == nil {
			continue
		}
		if c.Verb == "config create" {
			s.configCreate(d, c)
			continue
		}
		if u := c.use(d.File); u != nil {
			s.Uses = append(s.Uses, u)
		}
	}
}

// verbs are the commands that are read, by their words.
var verbs = map[string]string{
	"run": "run", "create": "create", "container run": "run", "container create": "create", "service create": "service create", "service update": "service update",
	"build": "build", "image build": "build", "buildx build": "build", "builder build": "build", "config create": "config create",
}

// switches are the options of docker, and of each verb, that take no value (docker/cli, cli/command). All others take one.
var switches = map[string]map[string]bool{
	"":               set("debug", "D", "tls", "tlsverify", "help", "version", "v"),
	"run":            set("detach", "d", "init", "interactive", "i", "no-healthcheck", "oom-kill-disable", "privileged", "publish-all", "P", "quiet", "q", "read-only", "rm", "sig-proxy", "tty", "t", "use-api-socket", "disable-content-trust", "help"),
	"service create": set("detach", "d", "init", "insecure", "no-healthcheck", "no-resolve-image", "quiet", "q", "read-only", "tty", "t", "with-registry-auth", "force", "rollback", "help"),
	"build":          set("compress", "force-rm", "no-cache", "pull", "rm", "squash", "quiet", "q", "disable-content-trust", "load", "push", "stream", "check", "D", "debug", "help"),
	"config create":  set("help"),
}

// shorts are the short options that matter here.
var shorts = map[string]string{"h": "hostname", "u": "user", "t": "tag", "f": "file"}

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// parseCommand reads a command line as docker's own reader does: options and their values up to the first word that is neither, the image;
// everything behind it is the container's command.
func parseCommand(line *source.Node) *Command {
	words := line.List()
	c := &Command{Words: words}
	at := 1
	var name []string
	for at < len(words) && len(name) < 2 {
		text := words[at].String()
		if strings.HasPrefix(text, "-") && len(name) == 0 {
			if !strings.Contains(text, "=") && !switches[""][strings.TrimLeft(text, "-")] {
				at++
			}
			at++
			continue
		}
		name = append(name, text)
		at++
		if verb, ok := verbs[strings.Join(name, " ")]; ok {
			c.Verb = verb
			break
		}
	}
	if c.Verb == "" {
		return nil
	}
	known := switches[c.Verb]
	switch c.Verb {
	case "create":
		known = switches["run"]
	case "service update":
		known = switches["service create"]
	}
	for at < len(words) && len(c.Flags) < maxOptions {
		n := words[at]
		text := n.String()
		at++
		switch {
		case text == "--":
			c.positional(words[at:])
			return c
		case strings.HasPrefix(text, "--"):
			name, _, has := strings.Cut(text[2:], "=")
			f := Flag{Name: name, Node: n}
			switch {
			case has:
				f.Value = n.Part(2+len(name)+1, len(text))
			case !known[name] && at < len(words):
				f.Value = words[at]
				at++
			}
			c.Flags = append(c.Flags, f)
		case strings.HasPrefix(text, "-") && len(text) > 1:
			at += c.short(n, words[at:], known)
		case line.Key(text) != nil && isMarked(line, n) && hasFlag(words[at:]):
			// a variable that may hold options: what follows are options still
		default:
			c.positional(words[at-1:])
			return c
		}
	}
	return c
}

// isMarked tells whether a word of a line may become any number of words.
func isMarked(line, word *source.Node) bool {
	for _, m := range line.Members {
		if m.Key == word {
			return true
		}
	}
	return false
}

func hasFlag(words []*source.Node) bool {
	for _, n := range words {
		if strings.HasPrefix(n.String(), "-") {
			return true
		}
	}
	return false
}

func (c *Command) positional(words []*source.Node) {
	if len(words) > 0 {
		c.Image, c.Rest = words[0], words[1:]
	}
}

// short reads a word of short options, -itu USER or -uUSER, and returns how many of the following words belong to it.
func (c *Command) short(n *source.Node, following []*source.Node, known map[string]bool) int {
	text := n.String()
	for i := 1; i < len(text); i++ {
		letter := text[i : i+1]
		name := letter
		if long, ok := shorts[letter]; ok {
			name = long
		}
		if known[letter] {
			c.Flags = append(c.Flags, Flag{Name: name, Node: n})
			continue
		}
		f := Flag{Name: name, Node: n}
		used := 0
		switch {
		case i+1 < len(text) && text[i+1] == '=':
			f.Value = n.Part(i+2, len(text))
		case i+1 < len(text):
			f.Value = n.Part(i+1, len(text))
		case len(following) > 0:
			f.Value, used = following[0], 1
		}
		c.Flags = append(c.Flags, f)
		return used
	}
	return 0
}

// use is the container that the command makes; nil when it has nothing to do with credential specs.
func (c *Command) use(f *source.File) *Use {
	u := &Use{
		Carrier: Docker, File: f, Command: c, Image: c.Image, Hostname: c.flag("hostname"), User: c.flag("user"), Isolation: c.flag("isolation"), Platform: c.flag("platform"),
		Name: c.flag("name").String(),
	}
	for _, flag := range c.Flags {
		switch {
		case flag.Value == nil:
		case flag.Name == "security-opt":
			u.Options = append(u.Options, securityOption(flag.Value))
		case flag.Name == "credential-spec":
			u.Options = append(u.Options, serviceFlag(flag.Value))
		}
	}
	switch c.Verb {
	case "service create", "service update":
		u.Carrier = Swarm
		u.Replicas = number(c.flag("replicas").String())
		if c.Verb == "service update" {
			if c.Image != nil {
				u.Name = c.Image.String()
			}
			u.Image = c.flag("image")
		}
	case "build":
		u.Image = nil
	}
	for i, n := range c.Rest {
		if o := behind(n, c.Rest[i+1:]); o != nil {
			u.Options = append(u.Options, o)
		}
	}
	if !namesSpec(u.Options) {
		return nil
	}
	u.Where = c.Words[0]
	u.choose()
	u.system()
	return u
}

// behind is the option that a word behind the image was to be.
func behind(n *source.Node, following []*source.Node) *Option {
	text := n.String()
	var o *Option
	for _, name := range []string{"--security-opt", "--credential-spec"} {
		value := n
		switch {
		case text == name && len(following) > 0:
			value = following[0]
		case strings.HasPrefix(text, name+"="):
			value = n.Part(len(name)+1, len(text))
		default:
			continue
		}
		if o = securityOption(value); name == "--credential-spec" {
			o = serviceFlag(value)
		}
	}
	if o == nil || !o.Meant() {
		return nil
	}
	if o.Behind = true; o.Node.File != n.File {
		o.Word = n
	}
	return o
}

// namesSpec tells whether one of the options is, or was to be, a credential spec.
func namesSpec(options []*Option) bool {
	for _, o := range options {
		if o.Meant() {
			return true
		}
	}
	return false
}

// system tells the use's operating system and release by its platform and image.
func (u *Use) system() {
	if u.Image != nil && !u.Image.Open {
		u.OS, u.Release = ImageOS(u.Image.String())
	}
	if u.Platform != nil && !u.Platform.Open {
		switch os, _, _ := strings.Cut(strings.ToLower(u.Platform.String()), "/"); os {
		case "windows", "linux":
			u.OS = os
		}
	}
}

func number(text string) int {
	n := 0
	for _, c := range text {
		if c < '0' || c > '9' || n > 1_000_000 {
			return 0
		}
		n = 10*n + int(c-'0')
	}
	return n
}
