package windows

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Edition tells servers from clients; "Windows Server" from "Windows 10" and "Windows 11".
type Edition string

// The editions.
const (
	Server Edition = "server"
	Client Edition = "client"
)

// Servicing is the channel in which a release is serviced. It decides nothing.
type Servicing string

// The channels.
const (
	LongTerm      Servicing = "LTSC" // ten years
	SemiAnnual    Servicing = "SAC"  // eighteen months; ended with Windows Server 20H2
	AnnualChannel Servicing = "AC"   // container hosts
	ClientChannel Servicing = "client"
)

// Release is a release of Windows that can run containers, or the client edition of such a build.
type Release struct {
	// Name is the name that people use, for instance "Windows Server 2019" or "Windows 10 1809".
	Name      string
	Build     Build
	Edition   Edition
	Servicing Servicing
	// Released, EndOfMainstream and EndOfService are dates as 2006-01-02, "" where there is none. For clients, EndOfService is
	// that of Enterprise and Education, EndOfServiceHome that of Home and Pro (endoflife.date, August 2026).
	Released, EndOfMainstream, EndOfService, EndOfServiceHome string

	// product is 10 or 11 for clients; keys are the words of other names, in lower case.
	product int
	keys    []string
}

// String is the name.
func (r Release) String() string { return r.Name }

// OS is the release that the build and the edition have. Its revision is not known.
func (r Release) OS() OS { return OS{Version: Version{Build: r.Build}, Edition: r.Edition} }

// releases is in ascending order of builds; of two releases that share build and edition the first one is meant by the build.
// Builds from hcsshim osversion and the release information of Windows; dates from endoflife.date.
var releases = []Release{
	server("Windows Server 2016", Build1607, LongTerm, "2016-10-15", "2022-01-11", "2027-01-12",
		"2016", "1607", "rs1", "ltsc2016", "sac2016"),
	client(10, "1607", Build1607, "2019-04-09", "2018-04-10", "rs1", "2016", "ltsb2016"),
	client(10, "1703", Build1703, "2019-10-08", "2018-10-09", "rs2"),
	server("Windows Server 1709", Build1709, SemiAnnual, "2017-10-17", "", "2019-04-09", "1709", "rs3"),
	client(10, "1709", Build1709, "2020-10-13", "2019-04-09", "rs3"),
	server("Windows Server 1803", Build1803, SemiAnnual, "2018-04-30", "", "2019-11-12", "1803", "rs4"),
	client(10, "1803", Build1803, "2021-05-11", "2019-11-12", "rs4"),
	server("Windows Server 2019", Build1809, LongTerm, "2018-11-13", "2024-01-09", "2029-01-09", "2019", "rs5", "ltsc2019"),
	server("Windows Server 1809", Build1809, SemiAnnual, "2018-11-13", "", "2020-11-10", "1809"),
	client(10, "1809", Build1809, "2021-05-11", "2020-11-10", "rs5", "2019", "ltsc2019"),
	server("Windows Server 1903", Build1903, SemiAnnual, "2019-05-21", "", "2020-12-08", "1903", "19h1"),
	client(10, "1903", Build1903, "2020-12-08", "2020-12-08", "19h1"),
	server("Windows Server 1909", Build1909, SemiAnnual, "2019-11-12", "", "2021-05-11", "1909", "19h2"),
	client(10, "1909", Build1909, "2022-05-10", "2021-05-11", "19h2"),
	server("Windows Server 2004", Build2004, SemiAnnual, "2020-05-27", "", "2021-12-14", "2004", "20h1"),
	client(10, "2004", Build2004, "2021-12-14", "2021-12-14", "20h1"),
	server("Windows Server 20H2", Build20H2, SemiAnnual, "2020-10-20", "", "2022-08-09", "20h2"),
	client(10, "20H2", Build20H2, "2023-05-09", "2022-05-10"),
	client(10, "21H1", 19043, "2022-12-13", "2022-12-13"),
	client(10, "21H2", 19044, "2024-06-11", "2023-06-13", "2021", "ltsc2021"),
	client(10, "22H2", 19045, "2025-10-14", "2025-10-14"),
	server("Windows Server 2022", Build2022, LongTerm, "2021-08-18", "2026-10-13", "2031-10-14", "2022", "21h2", "ltsc2022"),
	client(11, "21H2", 22000, "2024-10-08", "2023-10-10"),
	client(11, "22H2", 22621, "2025-10-14", "2024-10-08"),
	client(11, "23H2", 22631, "2026-11-10", "2025-11-11"),
	server("Windows Server 23H2", Build23H2, AnnualChannel, "2023-10-24", "", "2026-05-12", "23h2"),
	server("Windows Server 2025", Build2025, LongTerm, "2024-11-01", "2029-11-13", "2034-11-14", "2025", "24h2", "ltsc2025"),
	client(11, "24H2", Build2025, "2027-10-12", "2026-10-13", "2024", "ltsc2024"),
	client(11, "25H2", 26200, "2028-10-10", "2027-10-12"),
	client(11, "26H1", 28000, "2029-03-13", "2028-03-14"),
}

func server(name string, b Build, c Servicing, released, mainstream, end string, keys ...string) Release {
	return Release{Name: name, Build: b, Edition: Server, Servicing: c, Released: released, EndOfMainstream: mainstream,
		EndOfService: end, keys: keys}
}

func client(product int, version string, b Build, end, endHome string, keys ...string) Release {
	return Release{Name: fmt.Sprintf("Windows %d %s", product, version), Build: b, Edition: Client, Servicing: ClientChannel,
		EndOfService: end, EndOfServiceHome: endHome, product: product, keys: append(keys, strings.ToLower(version))}
}

// Releases are all releases in ascending order of their builds, a server before the client of the same build.
func Releases() iter.Seq[Release] { return slices.Values(releases) }

// ReleaseOf is the release that has a build and an edition. For build 17763 on a server it is Windows Server 2019, which Windows
// Server 1809 does not differ from. The error is a *[NameError] with the rule and the nearest release: for a build that only the
// other edition has, the next release that contains its code.
func ReleaseOf(b Build, e Edition) (Release, error) {
	if r := releaseOf(b, e); r != nil {
		return *r, nil
	}
	return Release{}, impossible(b.String(), b, e)
}

func releaseOf(b Build, e Edition) *Release {
	for i := range releases {
		if r := &releases[i]; r.Build == b && r.Edition == e {
			return r
		}
	}
	return nil
}

// impossible is the error for a build that has no release in an edition.
func impossible(name string, b Build, e Edition) *NameError {
	err := &NameError{Kind: KindRelease, Name: name}
	switch {
	case e != Server && e != Client:
		err.Rule = fmt.Sprintf("%q is neither %q nor %q", e, Server, Client)
		return err
	case b < Build1607:
		err.Rule = tooOld
	default:
		err.Rule = fmt.Sprintf("no release has build %d", b)
		for i := range releases {
			if r := &releases[i]; r.Build == b {
				err.Rule = fmt.Sprintf("build %d was released as %s only, not as a %s edition", b, r.Name, e)
			}
		}
	}
	for i := range releases {
		r := &releases[i]
		if r.Edition != e {
			continue
		}
		err.Nearest = r.Name
		if r.Build >= b {
			break
		}
	}
	return err
}

// tooOld is the rule for everything before 14393 (container documentation, version compatibility).
const tooOld = "containers exist from build 14393 on, that is from Windows Server 2016 and Windows 10 1607"
