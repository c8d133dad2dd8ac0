package windows

import (
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

// Kinds of names, for [NameError].
const (
	KindRelease    = "Windows release"
	KindVersion    = "Windows version"
	KindImage      = "container base image"
	KindIsolation  = "isolation"
	KindEngine     = "container engine"
	KindKubernetes = "Kubernetes version"
	KindUser       = "user"
	KindProfile    = "profile value"
)

// maxName is how many bytes of a name are looked at; nothing that exists is longer. Image references may have 255 bytes before
// the tag and 128 in it (distribution/reference).
const maxName = 512

// NameError says that a name stands for nothing that exists.
type NameError struct {
	// Kind is what the name was taken for, one of the Kind constants.
	Kind string
	// Name is what was given.
	Name string
	// Rule is why there is no such thing, as a clause without a full stop.
	Rule string
	// Nearest is the closest name that is valid, "" when none is close.
	Nearest string
}

// Error is one sentence with the name, the rule and the nearest valid name.
func (e *NameError) Error() string {
	name := e.Name
	if len(name) > 80 {
		name = strings.ToValidUTF8(name[:80], "") + "…"
	}
	s := fmt.Sprintf("%q is no %s: %s", name, e.Kind, e.Rule)
	if e.Nearest != "" {
		s += fmt.Sprintf("; did you mean %q?", e.Nearest)
	}
	return s
}

// oneOf finds the member of words that text is, without regard to case.
func oneOf[T ~string](kind, text string, words ...T) (T, error) {
	names := make([]string, len(words))
	for i, w := range words {
		if strings.EqualFold(strings.TrimSpace(text), string(w)) {
			return w, nil
		}
		names[i] = string(w)
	}
	return "", &NameError{Kind: kind, Name: text, Rule: "it is one of " + strings.Join(names, ", "), Nearest: nearest(text, names)}
}

func nearest(text string, names []string) string {
	if len(text) > maxName {
		return ""
	}
	return diag.Nearest(text, names)
}
