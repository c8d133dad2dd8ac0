package setup

import (
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/source"
)

// Via is the way in which an [Option] is handed over.
type Via string

// The ways.
const (
	ViaSecurityOpt Via = "security option" // credentialspec=SCHEME://VALUE, which the daemon takes apart
	ViaServiceFlag Via = "--credential-spec"
	ViaMember      Via = "credential_spec" // a member for each source: compose files, the API's ServiceSpec
)

// Option is one text that is to name a credential spec, taken apart as its reader does.
type Option struct {
	Via Via
	// Node is the whole text as it stands in its file; of a member, the member's value.
	Node *source.Node
	// Key is what stands before the first =, of a member its name. Separator is '=', ':' for the form of old, or 0.
	Key       string
	Separator byte
	// Scheme is what stands before ://, as it is written.
	Scheme string
	// Value is what follows ://, or the key when there is no scheme; nil: nothing.
	Value *source.Node
	// Source is what the reader makes of it: [FromUnknown] when it takes it for no credential spec.
	Source SourceKind
	// Word is the whole word of an option behind the image that has its flag in front, --security-opt=…; nil: the word is Node.
	Word *source.Node
	// Behind is true of an option that stands behind the image, where it is an argument of the container's command.
	Behind bool
}

// OptionKey is the key of the security option.
const OptionKey = "credentialspec"

// IsCredentialSpec tells whether an option has the key of a credential spec, as the daemon compares: whatever the letters' case.
func (o *Option) IsCredentialSpec() bool {
	return o.Via != ViaSecurityOpt || IsCredentialSpecKey(o.Key)
}

// IsCredentialSpecKey tells whether a key is that of a credential spec, as the daemon compares.
func IsCredentialSpecKey(key string) bool { return strings.EqualFold(key, OptionKey) }

// Meant tells whether an option is a credential spec or was to be one, by its key.
func (o *Option) Meant() bool { return o.Via != ViaSecurityOpt || looksLikeKey(o.Key) }

// securityOption takes a security option apart (moby daemon/oci_windows.go, setWindowsCredentialSpecInSpec): at the first =, the key in any
// case; the value at the first ://, the scheme in any case.
func securityOption(n *source.Node) *Option {
	o := &Option{Via: ViaSecurityOpt, Node: n, Source: FromUnknown}
	text := n.Text
	at := strings.IndexByte(text, '=')
	if colon := strings.IndexByte(text, ':'); at < 0 || colon >= 0 && colon < at && looksLikeKey(text[:colon]) {
		at = colon
	}
	if at < 0 {
		o.Key = text
		return o
	}
	o.Key, o.Separator = text[:at], text[at]
	o.value(at + 1)
	if o.Separator != '=' || !strings.EqualFold(o.Key, OptionKey) {
		o.Source = FromUnknown
	}
	return o
}

// value takes what follows the key apart.
func (o *Option) value(from int) {
	text := o.Node.Text[from:]
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		if text != "" {
			o.Value = o.Node.Part(from, len(o.Node.Text))
		}
		return
	}
	o.Scheme = scheme
	if rest == "" {
		return
	}
	o.Value = o.Node.Part(from+len(scheme)+len("://"), len(o.Node.Text))
	o.Source = schemes[strings.ToLower(scheme)]
	if o.Source == "" {
		o.Source = FromUnknown
	}
}

// schemes are those that the daemon knows.
var schemes = map[string]SourceKind{"file": FromFile, "registry": FromRegistry, "raw": FromInline, "config": FromConfig}

// serviceFlag takes the value of --credential-spec apart (docker/cli cli/command/service/opts.go, credentialSpecOpt): the three schemes to the
// letter.
func serviceFlag(n *source.Node) *Option {
	o := &Option{Via: ViaServiceFlag, Node: n, Source: FromUnknown}
	o.value(0)
	switch o.Scheme {
	case "file", "registry", "config":
	default:
		o.Source = FromUnknown
	}
	return o
}

// looksLikeKey tells whether a text is, or is to be, the key of a credential spec.
func looksLikeKey(key string) bool {
	key = strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(key))
	return key == OptionKey || strings.Contains(key, "credential") || len(key) > 8 && len(key) < 24 && diag.Distance(key, OptionKey) <= 3
}

// Chosen is the option that counts, nil when none does.
func (u *Use) Chosen() *Option {
	for i := len(u.Options) - 1; i >= 0; i-- {
		if o := u.Options[i]; u.Option != nil && o.Node == u.Option {
			return o
		}
	}
	return nil
}

// choose makes one of a use's options, the last that its reader takes, the use's own: the daemon resolves all and keeps the last.
func (u *Use) choose() {
	u.Source = FromNowhere
	for _, o := range u.Options {
		if o.Behind || !o.Meant() || o.Via == ViaMember && o.Value == nil && u.Carrier != OCI {
			continue
		}
		u.Source, u.Option, u.Where, u.Value = o.Source, o.Node, o.Node, ""
		if o.Value != nil {
			u.Value = o.Value.Text
		}
	}
}
