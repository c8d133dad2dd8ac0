package setup

import (
	"path"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/credspec"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// maxExtends is how many services may extend one another in a row.
const maxExtends = 16

// isComposePart tells whether a document without services is a part of a compose file: its configs.
func isComposePart(root *source.Node) bool {
	return root.Get("version").String() != "" && root.Get("configs").Map() != nil
}

func (s *Setup) readCompose(d *Document) {
	d.Root.Walk(func(_ []string, n *source.Node) bool {
		interpolate(n)
		return true
	})
	for _, m := range d.Root.Get("services").Map() {
		service := m.Value
		if service.Kind != source.Object {
			continue
		}
		u := s.composeUse(d, m.Key.Text, service)
		if u == nil && service.Get("extends", "file") != nil { // what it extends may come later: see extendAcross
			u = &Use{Carrier: Compose, File: d.File, Name: m.Key.Text, Container: service, document: d, Source: FromNowhere}
		}
		if u != nil {
			s.Uses = append(s.Uses, u)
		}
	}
}

// extendAcross reads the services again that extend one of another file, now that all files are there.
func (s *Setup) extendAcross() {
	kept := s.Uses[:0]
	for _, u := range s.Uses {
		if u.Carrier == Compose && u.document != nil && u.Container.Get("extends", "file") != nil {
			again := s.composeUse(u.document, u.Name, u.Container)
			if again == nil {
				continue
			}
			*u = *again
		}
		kept = append(kept, u)
	}
	s.Uses = kept
}

// composeUse is the container of a service; nil when it has nothing to do with credential specs.
func (s *Setup) composeUse(d *Document, name string, service *source.Node) *Use {
	chain := s.extends(d, service)
	get := func(path ...string) *source.Node {
		for _, n := range chain {
			if v := n.Get(path...); v != nil {
				return v
			}
		}
		return nil
	}
	u := &Use{
		Carrier: Compose, File: d.File, Name: name, Container: service, document: d,
		Hostname: get("hostname"), User: get("user"), Isolation: get("isolation"), Image: get("image"), Platform: get("platform"),
	}
	member := get("credential_spec")
	for _, m := range member.Map() {
		if o := memberOption(m); o != nil {
			u.Options = append(u.Options, o)
		}
	}
	for i := len(chain) - 1; i >= 0; i-- { // a list of the extended service comes first
		for _, item := range chain[i].Get("security_opt").List() {
			if item.Kind == source.String && len(u.Options) < maxOptions {
				u.Options = append(u.Options, securityOption(item))
			}
		}
	}
	if member == nil && !namesSpec(u.Options) {
		return nil
	}
	u.Where, u.Member = service, member
	if member != nil {
		u.Where = member
	}
	for _, key := range [][]string{{"deploy", "replicas"}, {"scale"}} {
		if n := get(key...); n != nil {
			u.Replicas = number(n.Text)
		}
	}
	u.choose()
	u.system()
	return u
}

// memberOption is a member of a credential_spec, or of the API's CredentialSpec: a source and its name. Members that nobody knows are none.
func memberOption(m source.Member) *Option {
	o := &Option{Via: ViaMember, Node: m.Value, Key: m.Key.Text, Value: m.Value}
	switch strings.ToLower(m.Key.Text) {
	case "file":
		o.Source = FromFile
	case "registry":
		o.Source = FromRegistry
	case "config":
		o.Source = FromConfig
	default:
		return nil
	}
	if m.Value.IsEmpty() {
		o.Value, o.Source = nil, FromUnknown
	}
	return o
}

// ForStack tells whether a compose file is written for docker stack deploy: it has what only a swarm does.
func (d *Document) ForStack() bool {
	for _, m := range d.Root.Get("services").Map() {
		for _, key := range []string{"mode", "endpoint_mode", "placement", "update_config", "rollback_config"} {
			if m.Value.Get("deploy", key) != nil {
				return true
			}
		}
		if m.Value.Get("credential_spec", "config") != nil {
			return true
		}
	}
	return false
}

// Document is the compose file that defines a service; nil of other uses.
func (u *Use) Document() *Document { return u.document }

// extends is a service and those that it extends, in the order in which their members count.
func (s *Setup) extends(d *Document, service *source.Node) []*source.Node {
	chain := []*source.Node{service}
	for range maxExtends {
		e := service.Get("extends")
		name := e.String()
		if e.Get("service") != nil {
			name = e.Get("service").String()
		}
		if file := e.Get("file").String(); file != "" {
			if d = s.compose(s.near(d.File, file)); d == nil {
				return chain
			}
		}
		if service = d.Root.Get("services", name); service == nil || service.Kind != source.Object {
			return chain
		}
		for _, before := range chain {
			if before == service {
				return chain
			}
		}
		chain = append(chain, service)
	}
	return chain
}

// compose is the compose file in a file of the set.
func (s *Setup) compose(f *source.File) *Document {
	for _, d := range s.inFile[f] {
		if d.Form == FormCompose {
			return d
		}
	}
	return nil
}

// configNamed is the credential spec in the config that a use names: of the configs of its compose file, or those that scripts and exports of
// the set create.
func (s *Setup) configNamed(u *Use) (*credspec.Document, Missing) {
	if u.document != nil {
		config := u.document.Root.Get("configs", u.Value)
		switch {
		case config == nil:
			return nil, NotSupplied
		case config.Get("content").String() != "":
			return s.inline(config.Get("content")), NotMissing
		case config.Get("file").String() != "":
			return s.specIn(u.document.File, config.Get("file").String())
		case config.Get("name").String() != "":
			return s.swarmConfig(u.document.File, config.Get("name").String())
		}
	}
	return s.swarmConfig(u.File, u.Value)
}

// inline is the credential spec in a string, each string read once.
func (s *Setup) inline(n *source.Node) *credspec.Document {
	if d := s.inlines[n]; d != nil {
		return d
	}
	if s.inlines == nil {
		s.inlines = map[*source.Node]*credspec.Document{}
	}
	d := credspec.Read(n.Inside())
	s.inlines[n] = d
	return d
}

// interpolate puts the values of variables into a string as compose does before it reads anything (compose-spec, 12-interpolation): ${X:-default}
// has one, ${X} and $X only in an environment that no file shows.
func interpolate(n *source.Node) {
	if n.Kind != source.String || !strings.Contains(n.Text, "$") {
		return
	}
	text, open := expand(n.Text, 0)
	if open {
		n.Open = true
		return
	}
	if text != n.Text {
		*n = *source.NewForeign(n.File, n.Start, n.End, text, nil, nil)
	}
}

// expand puts the defaults of variables in; open: one has none.
func expand(text string, depth int) (out string, open bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '$' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		switch c := text[i]; {
		case c == '$':
			b.WriteByte('$')
		case c == '{' && depth < 8:
			end := closing(text[i:])
			if end < 0 {
				return text, true
			}
			value, unknown := defaultOf(text[i+1:i+end], depth)
			open = open || unknown
			b.WriteString(value)
			i += end
		case isLetter(c) || c == '_':
			return text, true
		default:
			b.WriteByte('$')
			b.WriteByte(c)
		}
	}
	return b.String(), open
}

// closing is the place of the } that ends the { at the beginning, -1: none.
func closing(text string) int {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// defaultOf is the value of the inside of ${…} in an empty environment.
func defaultOf(inside string, depth int) (value string, open bool) {
	end := 0
	for end < len(inside) && (isLetter(inside[end]) || inside[end] == '_' || inside[end] >= '0' && inside[end] <= '9') {
		end++
	}
	operator := inside[end:]
	for _, o := range []string{":-", "-"} {
		if rest, ok := strings.CutPrefix(operator, o); ok {
			return expand(rest, depth+1)
		}
	}
	return "", true
}

// near is the file of the set that a path means beside another file: at that place, or else the one of that name that is nearest to it. Windows
// compares without the letters' case.
func (s *Setup) near(from *source.File, name string) *source.File {
	list := s.byName[nameKey(name)]
	if len(list) == 0 {
		return nil
	}
	dir := path.Dir(strings.ReplaceAll(from.Root().Name, `\`, "/"))
	want := path.Join(dir, strings.ReplaceAll(name, `\`, "/"))
	best, most := list[0], -1
	for _, f := range list {
		at := strings.ReplaceAll(f.Name, `\`, "/")
		if strings.EqualFold(path.Clean(at), want) {
			return f
		}
		if n := common(path.Dir(at), dir); n > most {
			best, most = f, n
		}
	}
	return best
}

// common counts the folders that two paths begin with.
func common(a, b string) int {
	n := 0
	x, y := strings.Split(a, "/"), strings.Split(b, "/")
	for n < len(x) && n < len(y) && strings.EqualFold(x[n], y[n]) {
		n++
	}
	return n
}
