package windows

import (
	"fmt"
	"slices"
	"strings"
)

// OS is an installed Windows: a version and an edition. The zero value is no Windows. Its text form is a name as [ParseOS]
// reads it.
type OS struct {
	Version
	Edition Edition
}

// String is the name of the release, followed by the version where the revision is known: "Windows Server 2019
// (10.0.17763.1817)".
func (o OS) String() string {
	r := releaseOf(o.Build, o.Edition)
	switch {
	case r == nil:
		return fmt.Sprintf("Windows %s %s", o.Edition, o.Version)
	case o.Revision == 0:
		return r.Name
	}
	return fmt.Sprintf("%s (%s)", r.Name, o.Version)
}

// MarshalText is String.
func (o OS) MarshalText() ([]byte, error) {
	if _, err := ReleaseOf(o.Build, o.Edition); err != nil {
		return nil, err
	}
	return []byte(o.String()), nil
}

// UnmarshalText is [ParseOS].
func (o *OS) UnmarshalText(text []byte) (err error) {
	*o, err = ParseOS(string(text))
	return err
}

// ParseOS reads the name of a release as people write it, with or without a version:
//
//	Windows Server 2019          WS2019            ltsc2019
//	Windows Server, version 1903 Server 1903       19H1
//	Windows 10 1809              Win10 1809        Windows 10 Enterprise LTSC 2019
//	Windows Server 2019 (10.0.17763.1817)          10.0.17763.1817
//	Windows 11 24H2 (OS Build 26100.1742)
//
// Case, commas, parentheses and the names of product editions do not matter. A name that fits a server and a client means the
// server. The error is a *[NameError]: its rule says why there is no such release, and Nearest is one that there is.
func ParseOS(name string) (OS, error) {
	r, v, err := parseName(name)
	if err != nil {
		return OS{}, err
	}
	return OS{Version{r.Build, v.Revision}, r.Edition}, nil
}

// ParseRelease is [ParseOS] for the release alone. It tells Windows Server 1809 from Windows Server 2019, which have the same
// build.
func ParseRelease(name string) (Release, error) {
	r, _, err := parseName(name)
	if err != nil {
		return Release{}, err
	}
	return *r, nil
}

// noise are words of names that say nothing about the build.
var noise = []string{
	"microsoft", "windows", "win", "w", "version", "ver", "v", "os", "build", "edition", "release", "update",
	"standard", "datacenter", "core", "enterprise", "education", "pro", "professional", "home",
	"ltsc", "ltsb", "sac", "ac", "semi-annual", "annual", "channel",
}

// ancientServers and ancientClients are releases from before containers.
var (
	ancientServers = []string{"2000", "2003", "2008", "2008r2", "2012", "2012r2"}
	ancientClients = []string{"xp", "vista", "7", "8", "8.1", "1507", "1511"}
)

type nameWords struct {
	edition  Edition // "" when the name does not say
	product  int     // 10, 11 or 0
	key      string  // "" when the name has none
	version  Version
	unknown  bool
	ancient  bool
	conflict bool
}

func parseName(name string) (*Release, Version, error) {
	fail := func(rule, near string) (*Release, Version, error) {
		return nil, Version{}, &NameError{Kind: KindRelease, Name: name, Rule: rule, Nearest: near}
	}
	if len(name) > maxName {
		return fail("it is too long to be one", "")
	}
	w := readName(name)
	if w.ancient {
		return nil, Version{}, impossible(name, Build1607-1, w.edition)
	}
	var fit []*Release
	if !w.unknown && !w.conflict {
		fit = w.fitting()
	}
	switch {
	case len(fit) == 1:
		return fit[0], w.version, nil
	case len(fit) > 1:
		// Container hosts are servers; of two servers with one build the first is the one that the build stands for.
		if w.key == "" && w.version.Build == 0 {
			return fail("it names no version", fit[len(fit)-1].Name)
		}
		if i := slices.IndexFunc(fit, func(r *Release) bool { return r.Edition == Server }); i >= 0 {
			return fit[i], w.version, nil
		}
		return fail(fmt.Sprintf("it fits %s and %s", fit[0].Name, fit[1].Name), fit[len(fit)-1].Name)
	case w.conflict:
		return fail("no release has this name", nearestRelease(name, ""))
	case w.unknown:
		return fail("no release has this name", nearestRelease(name, w.edition))
	}
	return w.refuse(name)
}

// fitting are the releases that all words of the name describe.
func (w nameWords) fitting() []*Release {
	var fit []*Release
	for i := range releases {
		r := &releases[i]
		if w.edition != "" && r.Edition != w.edition || w.product != 0 && r.product != w.product ||
			w.key != "" && !slices.Contains(r.keys, w.key) || w.version.Build != 0 && r.Build != w.version.Build {
			continue
		}
		fit = append(fit, r)
	}
	return fit
}

// refuse says why words that each mean something describe no release together.
func (w nameWords) refuse(name string) (*Release, Version, error) {
	err := &NameError{Kind: KindRelease, Name: name}
	if w.key == "" {
		e := w.edition
		if e == "" {
			e = Server
		}
		if r := releaseOf(w.version.Build, e); r != nil {
			err.Rule, err.Nearest = fmt.Sprintf("build %d is %s", r.Build, r.Name), r.Name
			return nil, Version{}, err
		}
		return nil, Version{}, impossible(name, w.version.Build, e)
	}
	without := w
	without.version = Version{}
	if fit := without.fitting(); len(fit) > 0 {
		err.Rule = fmt.Sprintf("%s has build %d", fit[0].Name, fit[0].Build)
		err.Nearest = fit[0].Name
		return nil, Version{}, err
	}
	// A key is one because a release has it, so something is left.
	without.edition, without.product = "", 0
	others := without.fitting()
	if w.edition == Server {
		return nil, Version{}, impossible(name, others[0].Build, Server)
	}
	other := others[0]
	if i := slices.IndexFunc(others, func(r *Release) bool { return r.Edition == Client }); i >= 0 {
		other = others[i]
	}
	err.Rule = fmt.Sprintf("there is %s, but no such version of Windows %d", other.Name, w.product)
	err.Nearest = other.Name
	return nil, Version{}, err
}

func nearestRelease(name string, e Edition) string {
	var names []string
	for i := range releases {
		if e == "" || releases[i].Edition == e {
			names = append(names, releases[i].Name)
		}
	}
	return nearest(name, names)
}

// readName sorts the words of a name.
func readName(name string) nameWords {
	var w nameWords
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return strings.ContainsRune(" \t,;()[]_®", r)
	})
	// "2012 R2" is one word of a name.
	for i := len(words) - 1; i > 0; i-- {
		if words[i] == "r2" {
			words[i-1] += "r2"
			words = slices.Delete(words, i, i+1)
		}
	}
	w.unknown = len(words) == 0
	for _, word := range words {
		w.read(word)
	}
	return w
}

func (w *nameWords) read(word string) {
	for _, glued := range []string{"windows", "server", "win", "ws", "w"} {
		if rest, ok := strings.CutPrefix(word, glued); ok && rest != "" && rest[0] >= '0' && rest[0] <= '9' {
			w.read(glued)
			word = rest
			break
		}
	}
	v, isVersion := versionOf(word)
	switch {
	case word == "server", word == "ws":
		w.setEdition(Server)
	case word == "10", word == "11":
		w.conflict = w.conflict || w.product != 0
		w.product = 10 + int(word[1]-'0')
		w.setEdition(Client)
	case slices.Contains(noise, word):
	case isVersion:
		w.conflict = w.conflict || w.version.Build != 0
		w.version = v
	case isKey(word):
		w.conflict = w.conflict || w.key != "" && w.key != word
		w.key = word
	case slices.Contains(ancientServers, word):
		w.ancient = true
		w.setEdition(Server)
	case slices.Contains(ancientClients, word):
		w.ancient = true
		if w.edition == "" {
			w.edition = Client
		}
	default:
		w.unknown = true
	}
}

func (w *nameWords) setEdition(e Edition) {
	w.conflict = w.conflict || w.edition != "" && w.edition != e
	w.edition = e
}

func isKey(word string) bool {
	return slices.ContainsFunc(releases, func(r Release) bool { return slices.Contains(r.keys, word) })
}
