package windows

import (
	"fmt"
	"slices"
	"strings"
)

// Flavour is how much of Windows a base image holds.
type Flavour string

// The flavours, by the last part of their repositories on mcr.microsoft.com/windows.
const (
	ServerCore  Flavour = "servercore"
	NanoServer  Flavour = "nanoserver"
	FullWindows Flavour = "windows" // mcr.microsoft.com/windows, up to 20H2
	FullServer  Flavour = "server"  // from Windows Server 2022 on
)

var flavours = []Flavour{ServerCore, NanoServer, FullWindows, FullServer}

// Repository is the repository of the base image.
func (f Flavour) Repository() string {
	if f == FullWindows {
		return "mcr.microsoft.com/windows"
	}
	return "mcr.microsoft.com/windows/" + string(f)
}

// Tool is a program that an admin looks for in a container.
type Tool string

// The tools that not every image has.
const (
	Nltest     Tool = "nltest"
	Klist      Tool = "klist"
	PowerShell Tool = "powershell"
)

// Image is a container image as far as its base goes. The zero value is no image.
type Image struct {
	Flavour Flavour
	Version
	// Reference is the name that the image was given under, "" for the published name of the base image.
	Reference string
}

// String is the reference.
func (i Image) String() string {
	if i.Reference != "" {
		return i.Reference
	}
	return i.Flavour.Repository() + ":" + i.tag()
}

// tag is the published tag of the image: by release, or by version where the revision is known.
func (i Image) tag() string {
	if i.Revision == 0 {
		for _, t := range imageTags {
			if t.build == i.Build && slices.Contains(t.flavours, i.Flavour) {
				return t.tag
			}
		}
	}
	return i.Version.String()
}

// MarshalText is String.
func (i Image) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText is [ParseImage].
func (i *Image) UnmarshalText(text []byte) (err error) {
	*i, err = ParseImage(string(text))
	return err
}

// Has tells whether the image holds a tool: the Nano Server has neither nltest nor klist, and no PowerShell since 1709 (reports,
// image documentation).
func (i Image) Has(t Tool) bool {
	return i.Flavour != NanoServer || t == PowerShell && i.Build < Build1709
}

// imageTags are the published tags by release (documentation on image lifecycles). The annual channel, 23H2, runs the images of
// Windows Server 2022 and has none of its own. Of two tags for one image the first is the preferred one.
var imageTags = []struct {
	tag      string
	build    Build
	flavours []Flavour
}{
	{"ltsc2016", Build1607, []Flavour{ServerCore}},
	{"sac2016", Build1607, []Flavour{NanoServer}},
	{"1709", Build1709, []Flavour{ServerCore, NanoServer}},
	{"1803", Build1803, []Flavour{ServerCore, NanoServer}},
	{"ltsc2019", Build1809, []Flavour{ServerCore, NanoServer, FullWindows}},
	{"1809", Build1809, []Flavour{ServerCore, NanoServer, FullWindows}},
	{"1903", Build1903, []Flavour{ServerCore, NanoServer, FullWindows}},
	{"1909", Build1909, []Flavour{ServerCore, NanoServer, FullWindows}},
	{"2004", Build2004, []Flavour{ServerCore, NanoServer, FullWindows}},
	{"20H2", Build20H2, []Flavour{ServerCore, NanoServer, FullWindows}},
	{"ltsc2022", Build2022, []Flavour{ServerCore, NanoServer, FullServer}},
	{"ltsc2025", Build2025, []Flavour{ServerCore, NanoServer, FullServer}},
}

// BaseImage is the base image of a flavour and a build. The error is a *[NameError] with the nearest image that exists.
func BaseImage(f Flavour, b Build) (Image, error) {
	if hasImage(f, b) {
		return Image{Flavour: f, Version: Version{Build: b}}, nil
	}
	name := f.Repository() + ":" + Version{Build: b}.String()
	if !slices.Contains(flavours, f) {
		rule := "the flavours are servercore, nanoserver, windows and server"
		return Image{}, &NameError{Kind: KindImage, Name: name, Rule: rule, Nearest: nearestFlavour(f, b)}
	}
	return Image{}, noImage(name, f, b)
}

func hasImage(f Flavour, b Build) bool {
	for i := range imageTags {
		if t := &imageTags[i]; t.build == b && slices.Contains(t.flavours, f) {
			return true
		}
	}
	return false
}

func noImage(name string, f Flavour, b Build) *NameError {
	err := &NameError{Kind: KindImage, Name: name, Rule: fmt.Sprintf("no base image has build %d", b)}
	if other := slices.IndexFunc(flavours, func(g Flavour) bool { return hasImage(g, b) }); other >= 0 {
		err.Rule = fmt.Sprintf("build %d has no image of the flavour %s", b, f)
		err.Nearest = Image{Flavour: flavours[other], Version: Version{Build: b}}.String()
		return err
	}
	for _, t := range imageTags {
		if !slices.Contains(t.flavours, f) || err.Nearest != "" && t.build > b {
			continue
		}
		err.Nearest = f.Repository() + ":" + t.tag
	}
	return err
}

func nearestFlavour(f Flavour, b Build) string {
	var names []string
	for _, g := range flavours {
		if hasImage(g, b) {
			names = append(names, string(g))
		}
	}
	if g := nearest(string(f), names); g != "" {
		return Image{Flavour: Flavour(g), Version: Version{Build: b}}.String()
	}
	return ""
}

// ParseImage reads the reference of an image and says which base it has. Base images are known by their repositories:
// mcr.microsoft.com/windows/servercore, its mirrors in other registries, the names that they had on Docker Hub
// (microsoft/windowsservercore), and the short servercore. Tags are releases (ltsc2019, 1809), versions (10.0.17763.1817),
// and either with -KBnnnnnnn or -amd64. Other images are known by a tag that ends with the base, as
// mcr.microsoft.com/dotnet/framework/aspnet:4.8-windowsservercore-ltsc2019 does. Whatever says nothing of its base is refused
// with a *[NameError]: say on which base image it was built.
func ParseImage(reference string) (Image, error) {
	fail := func(rule, near string) (Image, error) {
		return Image{}, &NameError{Kind: KindImage, Name: reference, Rule: rule, Nearest: near}
	}
	if len(reference) > maxName {
		return fail("it is too long to be one", "")
	}
	name := strings.TrimSpace(reference)
	name, _, _ = strings.Cut(name, "@sha256:")
	repository, tag, hasTag := cutTag(name)
	flavour, isBase := baseRepository(repository)
	if !isBase {
		flavour, tag, isBase = baseInTag(tag)
		if !isBase {
			return fail("it does not say on which Windows base image it is built", nearestReference(name))
		}
	}
	if repository != strings.ToLower(repository) || strings.ContainsFunc(name, notInReference) {
		return fail("repositories are in lower case and a reference has no blanks", nearestReference(name))
	}
	if !hasTag || tag == "latest" {
		near := flavour.Repository() + ":" + newest(flavour)
		return fail("Windows base images have no tag latest, because the tag has to fit the host", near)
	}
	version, ok := tagVersion(flavour, tag)
	if !ok {
		return Image{}, unknownTag(reference, flavour, tag)
	}
	if !hasImage(flavour, version.Build) {
		return Image{}, noImage(reference, flavour, version.Build)
	}
	image := Image{Flavour: flavour, Version: version}
	if whole := strings.TrimSpace(reference); image.String() != whole {
		image.Reference = whole
	}
	return image, nil
}

func cutTag(name string) (repository, tag string, ok bool) {
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		return name[:i], name[i+1:], true
	}
	return name, "", false
}

// notInReference are the characters that neither a repository nor a tag has (distribution/reference).
func notInReference(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-/:", r))
}

// baseRepository is the flavour of a base image's repository, in this or another registry.
func baseRepository(repository string) (Flavour, bool) {
	parts := strings.Split(strings.ToLower(repository), "/")
	last, parent := parts[len(parts)-1], ""
	if len(parts) > 1 {
		parent = parts[len(parts)-2]
	}
	switch {
	case last == "servercore" || last == "windowsservercore":
		return ServerCore, true
	case last == "nanoserver":
		return NanoServer, true
	case last == "server" && (parent == "windows" || parent == ""):
		return FullServer, true
	case last == "windows":
		return FullWindows, true
	}
	return "", false
}

// baseInTag finds the base in the tag of an image that is built on it, and the tag that the base has.
func baseInTag(tag string) (Flavour, string, bool) {
	for _, known := range []struct {
		word string
		Flavour
	}{{"windowsservercore", ServerCore}, {"servercore", ServerCore}, {"nanoserver", NanoServer}} {
		if i := strings.LastIndex(tag, known.word+"-"); i == 0 || i > 0 && tag[i-1] == '-' {
			return known.Flavour, tag[i+len(known.word)+1:], true
		}
	}
	return "", tag, false
}

// tagVersion is the version that a tag of a flavour stands for.
func tagVersion(f Flavour, tag string) (Version, bool) {
	tag = strings.TrimSuffix(tag, "-amd64")
	if base, kb, ok := strings.Cut(tag, "-KB"); ok {
		if _, isNumber := number(strings.TrimPrefix(kb, kb[:min(1, len(kb))])); !isNumber || len(kb) != 7 {
			return Version{}, false
		}
		tag = base
	}
	if strings.HasPrefix(tag, "10.0.") {
		return versionOf(tag)
	}
	for _, t := range imageTags {
		// A release that exists for other flavours only is found here too and refused with that reason.
		if t.tag == tag {
			return Version{Build: t.build}, true
		}
	}
	return Version{}, false
}

func unknownTag(reference string, f Flavour, tag string) *NameError {
	err := &NameError{Kind: KindImage, Name: reference, Rule: "no base image has this tag"}
	if r, _, notRelease := parseName(tag); notRelease == nil {
		if e := noImage(reference, f, r.Build); !hasImage(f, r.Build) {
			return e
		}
		err.Nearest = Image{Flavour: f, Version: Version{Build: r.Build}}.String()
		return err
	}
	var tags []string
	for _, t := range imageTags {
		if slices.Contains(t.flavours, f) {
			tags = append(tags, t.tag)
		}
	}
	if near := nearest(tag, tags); near != "" {
		err.Nearest = f.Repository() + ":" + near
	}
	return err
}

// newest is the tag of the newest long-term release that a flavour has.
func newest(f Flavour) string {
	for _, t := range slices.Backward(imageTags) {
		if slices.Contains(t.flavours, f) {
			return t.tag
		}
	}
	return ""
}

// nearestReference is the published base image whose name is closest.
func nearestReference(name string) string {
	var names []string
	for _, f := range flavours {
		for _, t := range imageTags {
			if slices.Contains(t.flavours, f) {
				names = append(names, f.Repository()+":"+t.tag)
			}
		}
	}
	return nearest(name, names)
}
