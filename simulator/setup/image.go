package setup

import (
	"strings"

	"github.com/gmsasim/gmsasim/simulator/windows"
)

// ImageOS tells what the name of an image says about the operating system: "windows", "linux" or "", and the release of Windows Server
// ("ltsc2019") that its tag names. Only names that nobody gives to something else count.
func ImageOS(image string) (os, release string) {
	image = strings.ToLower(image)
	if at := strings.IndexByte(image, '@'); at >= 0 {
		image = image[:at]
	}
	repository, tag := image, ""
	if colon := strings.LastIndexByte(image, ':'); colon > strings.LastIndexByte(image, '/') {
		repository, tag = image[:colon], image[colon+1:]
	}
	for _, r := range releases {
		if hasMark(tag, strings.ToLower(r.name)) || hasMark(tag, windows.Version{Build: r.build}.String()) || r.old != "" && hasMark(tag, r.old) {
			release = r.name
		}
	}
	switch {
	case strings.Contains(repository, "windows"), strings.Contains(repository, "nanoserver"), strings.Contains(repository, "servercore"),
		strings.Contains(tag, "windows"), strings.Contains(tag, "nanoserver"), strings.Contains(tag, "ltsc20"), release != "" && strings.Contains(tag, "10.0."),
		strings.HasSuffix(repository, "dotnet/framework"), strings.Contains(repository, "dotnet/framework/"),
		repository == "microsoft/iis", repository == "microsoft/aspnet", strings.HasPrefix(repository, "microsoft/dotnet-framework"):
		return "windows", release
	}
	name := strings.TrimPrefix(strings.TrimPrefix(repository, "docker.io/"), "library/")
	if linuxImages[name] {
		return "linux", ""
	}
	for _, word := range strings.FieldsFunc(tag, func(r rune) bool { return r == '-' || r == '_' }) {
		if linuxTags[strings.TrimRight(word, "0123456789.")] {
			return "linux", ""
		}
	}
	return "", ""
}

// releases are the releases of Windows Server by what tags say: the name, the version, and of two the number of old
// (hub.docker.com/_/microsoft-windows-servercore).
var releases = []struct {
	name  string
	build windows.Build
	old   string
}{
	{"ltsc2016", windows.Build1607, "1607"},
	{"1709", windows.Build1709, ""},
	{"1803", windows.Build1803, ""},
	{"ltsc2019", windows.Build1809, "1809"},
	{"1903", windows.Build1903, ""},
	{"1909", windows.Build1909, ""},
	{"2004", windows.Build2004, ""},
	{"20H2", windows.Build20H2, ""},
	{"ltsc2022", windows.Build2022, ""},
	{"ltsc2025", windows.Build2025, ""},
}

// hasMark tells whether a tag has a mark as one of its parts: 4.8-windowsservercore-ltsc2019, 10.0.17763.1879.
func hasMark(tag, mark string) bool {
	for from := 0; ; {
		i := strings.Index(tag[from:], mark)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(mark)
		if (i == 0 || tag[i-1] == '-' || tag[i-1] == '_') && (end == len(tag) || tag[end] == '-' || tag[end] == '_' || tag[end] == '.') {
			return true
		}
		from = i + 1
	}
}

// linuxImages are official images that exist for Linux only (docker-library/official-images, Architectures).
var linuxImages = map[string]bool{
	"alpine": true, "amazonlinux": true, "almalinux": true, "archlinux": true, "busybox": true, "centos": true, "debian": true, "fedora": true, "httpd": true,
	"mariadb": true, "memcached": true, "mysql": true, "nginx": true, "oraclelinux": true, "photon": true, "php": true, "postgres": true, "rabbitmq": true,
	"redis": true, "rockylinux": true, "ruby": true, "ubuntu": true, "wordpress": true,
}

// linuxTags are words of tags that name a distribution of Linux.
var linuxTags = map[string]bool{
	"alpine": true, "bookworm": true, "bullseye": true, "buster": true, "trixie": true, "jammy": true, "focal": true, "noble": true, "bionic": true, "slim": true,
	"ubuntu": true, "debian": true, "linux": true, "cbl": true, "mariner": true, "azurelinux": true,
}
