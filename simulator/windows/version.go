package windows

import (
	"strconv"
	"strings"
)

// Build is the build number of Windows: the third number of a version such as 10.0.17763.1817. Server and client editions
// of a build share their kernel, so most rules look at nothing else.
type Build uint32

// Builds at which rules change (hcsshim, osversion).
const (
	Build1607 Build = 14393 // Windows Server 2016
	Build1703 Build = 15063 // clients only
	Build1709 Build = 16299
	Build1803 Build = 17134
	Build1809 Build = 17763 // Windows Server 2019
	Build1903 Build = 18362
	Build1909 Build = 18363
	Build2004 Build = 19041
	Build20H2 Build = 19042
	Build2022 Build = 20348 // Windows Server 2022
	Build23H2 Build = 25398 // Windows Server 23H2, the annual channel
	Build2025 Build = 26100 // Windows Server 2025, Windows 11 24H2
)

// String is the number.
func (b Build) String() string { return strconv.FormatUint(uint64(b), 10) }

// Version is a build and its revision, the level of cumulative updates. Revision 0 means that it is not known: rules about
// revisions then do not apply.
type Version struct {
	Build    Build
	Revision uint32
}

// String is the version as `ver` prints it, 10.0.17763.1817, and without the last number when the revision is not known.
func (v Version) String() string {
	s := "10.0." + v.Build.String()
	if v.Revision != 0 {
		s += "." + strconv.FormatUint(uint64(v.Revision), 10)
	}
	return s
}

// ParseVersion reads a version or a part of it: 10.0.17763.1817, 10.0.17763, 17763.1817 or 17763. The error is a *[NameError].
// It does not ask whether a release has that build; [ReleaseOf] does.
func ParseVersion(text string) (Version, error) {
	v, ok := versionOf(strings.TrimSpace(text))
	if !ok {
		return Version{}, &NameError{
			Kind: KindVersion, Name: text, Rule: "a version is build.revision or 10.0.build.revision", Nearest: "10.0.17763.1817",
		}
	}
	return v, nil
}

func versionOf(text string) (v Version, ok bool) {
	text = strings.TrimPrefix(text, "10.0.")
	build, revision, hasRevision := strings.Cut(text, ".")
	b, ok := number(build)
	if !ok || len(build) != 5 {
		return Version{}, false
	}
	v.Build = Build(b)
	if hasRevision {
		v.Revision, ok = number(revision)
	}
	return v, ok
}

// number reads a plain decimal number of at most six digits.
func number(s string) (uint32, bool) {
	if s == "" || len(s) > 6 {
		return 0, false
	}
	var n uint32
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint32(c-'0')
	}
	return n, true
}
