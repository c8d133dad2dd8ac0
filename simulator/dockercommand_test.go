package simulator

import (
	"testing"

	"github.com/gmsasim/gmsasim/simulator/windows"
)

// The command line of a help keeps the options of the container, and takes quotes where PowerShell needs them.
func TestDockerCommand(t *testing.T) {
	image, err := windows.ParseImage("servercore:ltsc2019")
	if err != nil {
		t.Fatal(err)
	}
	r := &Running{image: image, cfg: Container{Hostname: "web", DNS: []string{"DC01", "192.0.2.53"}, CredentialSpec: "file://a.json",
		User: windows.User{Name: `NT AUTHORITY\NETWORK SERVICE`}, SecurityOpts: []string{"x=y"}}}
	const base = "mcr.microsoft.com/windows/servercore:ltsc2019"
	for _, tc := range []struct{ got, want string }{
		{r.dockerRun(func(c *Container) { c.Hostname = "" }),
			`docker run --user "NT AUTHORITY\NETWORK SERVICE" --dns "<address of DC01>" --dns 192.0.2.53 --security-opt "x=y" --security-opt "credentialspec=file://a.json" ` + base},
		{r.withSpec("file://b.json"),
			`docker run --hostname web --user "NT AUTHORITY\NETWORK SERVICE" --dns "<address of DC01>" --dns 192.0.2.53 --security-opt "credentialspec=file://b.json" ` + base},
		{quoteWord(`raw://{"it's": 1}`), `'raw://{"it''s": 1}'`},
	} {
		if tc.got != tc.want {
			t.Errorf("\ngot  %s\nwant %s", tc.got, tc.want)
		}
	}
	if r.cfg.Hostname != "web" {
		t.Error("the container's own options have changed")
	}
}
