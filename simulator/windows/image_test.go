package windows

import (
	"errors"
	"strings"
	"testing"
)

func TestParseImage(t *testing.T) {
	const sum = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for _, c := range []struct {
		in   string
		want Image
	}{
		{"mcr.microsoft.com/windows/servercore:ltsc2019", Image{ServerCore, Version{17763, 0}, ""}},
		{"mcr.microsoft.com/windows/servercore:ltsc2016", Image{ServerCore, Version{14393, 0}, ""}},
		{"mcr.microsoft.com/windows/nanoserver:sac2016", Image{NanoServer, Version{14393, 0}, ""}},
		{"mcr.microsoft.com/windows/nanoserver:1809", Image{NanoServer, Version{17763, 0}, "mcr.microsoft.com/windows/nanoserver:1809"}},
		{"mcr.microsoft.com/windows:20H2", Image{FullWindows, Version{19042, 0}, ""}},
		{"mcr.microsoft.com/windows/server:ltsc2022", Image{FullServer, Version{20348, 0}, ""}},
		{"mcr.microsoft.com/windows/servercore:10.0.17763.1817", Image{ServerCore, Version{17763, 1817}, ""}},
		{"mcr.microsoft.com/windows/servercore:10.0.17763.1817-amd64", Image{ServerCore, Version{17763, 1817}, "mcr.microsoft.com/windows/servercore:10.0.17763.1817-amd64"}},
		{"mcr.microsoft.com/windows/servercore:1809-KB4480116", Image{ServerCore, Version{17763, 0}, "mcr.microsoft.com/windows/servercore:1809-KB4480116"}},
		{"mcr.microsoft.com/windows/servercore:ltsc2025" + sum, Image{ServerCore, Version{26100, 0}, "mcr.microsoft.com/windows/servercore:ltsc2025" + sum}},
		{"microsoft/windowsservercore:1709", Image{ServerCore, Version{16299, 0}, "microsoft/windowsservercore:1709"}},
		{"servercore:1803", Image{ServerCore, Version{17134, 0}, "servercore:1803"}},
		{"registry.contoso.com:5000/mirror/windows/nanoserver:ltsc2022", Image{NanoServer, Version{20348, 0}, "registry.contoso.com:5000/mirror/windows/nanoserver:ltsc2022"}},
		{"mcr.microsoft.com/dotnet/framework/aspnet:4.8-windowsservercore-ltsc2019", Image{ServerCore, Version{17763, 0}, "mcr.microsoft.com/dotnet/framework/aspnet:4.8-windowsservercore-ltsc2019"}},
		{"mcr.microsoft.com/windows/servercore/iis:windowsservercore-ltsc2022", Image{ServerCore, Version{20348, 0}, "mcr.microsoft.com/windows/servercore/iis:windowsservercore-ltsc2022"}},
		{"mcr.microsoft.com/dotnet/aspnet:8.0-nanoserver-1809", Image{NanoServer, Version{17763, 0}, "mcr.microsoft.com/dotnet/aspnet:8.0-nanoserver-1809"}},
	} {
		got, err := ParseImage(c.in)
		if err != nil || got != c.want {
			t.Errorf("ParseImage(%q): got %+v, %v, want %+v", c.in, got, err, c.want)
		}
		if got.String() != c.in {
			t.Errorf("ParseImage(%q).String(): got %q", c.in, got.String())
		}
	}
}

func TestParseImageErrors(t *testing.T) {
	for _, c := range []struct{ in, rule, nearest string }{
		{"mcr.microsoft.com/windows/servercore", "no tag latest", "mcr.microsoft.com/windows/servercore:ltsc2025"},
		{"mcr.microsoft.com/windows:latest", "no tag latest", "mcr.microsoft.com/windows:20H2"},
		{"mcr.microsoft.com/windows/servercore:ltsc2018", "no base image has this tag", "mcr.microsoft.com/windows/servercore:ltsc2016"},
		{"mcr.microsoft.com/windows/servercore:LTSC2019", "no base image has this tag", "mcr.microsoft.com/windows/servercore:ltsc2019"},
		{"mcr.microsoft.com/windows/servercore:2019", "no base image has this tag", "mcr.microsoft.com/windows/servercore:ltsc2019"},
		{"mcr.microsoft.com/windows/nanoserver:20h2", "no base image has this tag", "mcr.microsoft.com/windows/nanoserver:20H2"},
		{"mcr.microsoft.com/windows/servercore:1703", "no base image has build 15063", "mcr.microsoft.com/windows/servercore:ltsc2016"},
		{"mcr.microsoft.com/windows/servercore:10.0.15063.0", "no base image has build 15063", "mcr.microsoft.com/windows/servercore:ltsc2016"},
		{"mcr.microsoft.com/windows/servercore:23H2", "no base image has build 25398", "mcr.microsoft.com/windows/servercore:ltsc2022"},
		{"mcr.microsoft.com/windows/server:ltsc2019", "build 17763 has no image of the flavour server", "mcr.microsoft.com/windows/servercore:ltsc2019"},
		{"mcr.microsoft.com/windows:ltsc2022", "build 20348 has no image of the flavour windows", "mcr.microsoft.com/windows/servercore:ltsc2022"},
		{"mcr.microsoft.com/windows/servercore:1809-KB1", "no base image has this tag", "mcr.microsoft.com/windows/servercore:1809"},
		{"mcr.microsoft.com/windows/servercor:ltsc2019", "does not say", "mcr.microsoft.com/windows/servercore:ltsc2019"},
		{"MCR.microsoft.com/windows/servercore:ltsc2019", "lower case", "mcr.microsoft.com/windows/servercore:ltsc2019"},
		{"mcr.microsoft.com/windows/servercore:ltsc2019 x", "no blanks", "mcr.microsoft.com/windows/servercore:ltsc2019"},
		{"contoso/webapp:1", "does not say", ""}, {"ubuntu:20.04", "does not say", ""}, {"", "does not say", ""}, {strings.Repeat("a", maxName+1), "too long", ""},
	} {
		i, err := ParseImage(c.in)
		name, ok := errors.AsType[*NameError](err)
		if !ok {
			t.Errorf("ParseImage(%.60q): got %s, %v, want a *NameError", c.in, i, err)
			continue
		}
		if !strings.Contains(name.Rule, c.rule) || name.Nearest != c.nearest || name.Name != c.in {
			t.Errorf("ParseImage(%.60q): got rule %q, nearest %q, want %q, %q", c.in, name.Rule, name.Nearest, c.rule, c.nearest)
		}
		if name.Nearest != "" {
			if _, err := ParseImage(name.Nearest); err != nil {
				t.Errorf("nearest of %q: %v", c.in, err)
			}
		}
	}
}

func TestBaseImage(t *testing.T) {
	count := 0
	for _, f := range flavours {
		for r := range Releases() {
			if r.Edition != Server {
				continue
			}
			image, err := BaseImage(f, r.Build)
			if err != nil {
				name, _ := errors.AsType[*NameError](err)
				if _, err := ParseImage(name.Nearest); err != nil {
					t.Errorf("nearest of %s on %s: %v", f, r, err)
				}
				continue
			}
			count++
			if again, err := ParseImage(image.String()); err != nil || again != image {
				t.Errorf("ParseImage(%q): got %+v, %v, want %+v", image, again, err, image)
			}
		}
	}
	// Eleven servers with a build of their own but for 23H2 have servercore and nanoserver; windows has six, server two.
	if count != 11+11+6+2 {
		t.Errorf("got %d base images, want 30", count)
	}
	if _, err := BaseImage("servercor", 17763); err == nil || !strings.Contains(err.Error(), `did you mean "mcr.microsoft.com/windows/servercore:ltsc2019"?`) {
		t.Errorf("flavour servercor: got %v", err)
	}
}

func TestTools(t *testing.T) {
	for _, c := range []struct {
		Image
		Tool
		want bool
	}{
		{Image{Flavour: NanoServer, Version: Version{Build: 17763}}, Nltest, false}, {Image{Flavour: NanoServer, Version: Version{Build: 17763}}, Klist, false},
		{Image{Flavour: NanoServer, Version: Version{Build: 16299}}, PowerShell, false}, {Image{Flavour: NanoServer, Version: Version{Build: 16298}}, PowerShell, true},
		{Image{Flavour: ServerCore, Version: Version{Build: 17763}}, Nltest, true}, {Image{Flavour: FullServer, Version: Version{Build: 20348}}, Klist, true},
	} {
		if got := c.Has(c.Tool); got != c.want {
			t.Errorf("%s in %s: got %v, want %v", c.Tool, c.Image, got, c.want)
		}
	}
}
