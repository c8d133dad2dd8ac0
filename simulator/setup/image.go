package setup

import "strings"

// ImageOS tells what the name of an image says about the operating system: "windows", "linux" or "", and the Windows Server release
// ("ltsc2019") that its tag names. Only names that nobody gives to something else count.
func ImageOS(image string) (os, release string) {
	name := strings.ToLower(image)
	if i := strings.IndexByte(name, '@'); i >= 0 {
		name = name[:i]
	}
	tag := ""
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name, tag = name[:i], name[i+1:]
	}
	for _, r := range imageReleases {
		if strings.Contains(tag, r.part) {
			release = r.release
			break
		}
	}
	for _, part := range []string{"windows/servercore", "windows/nanoserver", "mcr.microsoft.com/windows", "microsoft/windowsservercore", "microsoft/nanoserver", "dotnet/framework/"} {
		if strings.Contains(name, part) {
			return "windows", release
		}
	}
	if release != "" || strings.Contains(tag, "windowsservercore") || strings.Contains(tag, "nanoserver") {
		return "windows", release
	}
	return "", ""
}

// imageReleases are the parts of tags by which Microsoft's images name a release (https://mcr.microsoft.com/product/windows/servercore).
var imageReleases = []struct{ part, release string }{
	{"ltsc2025", "ltsc2025"}, {"ltsc2022", "ltsc2022"}, {"ltsc2019", "ltsc2019"}, {"ltsc2016", "ltsc2016"},
	{"10.0.26100", "ltsc2025"}, {"10.0.20348", "ltsc2022"}, {"10.0.17763", "ltsc2019"}, {"10.0.14393", "ltsc2016"},
	{"windowsservercore-1809", "ltsc2019"}, {"nanoserver-1809", "ltsc2019"}, {"windowsservercore-1803", "1803"}, {"windowsservercore-1709", "1709"},
}
