package check

import "testing"

// TestEnginePaths: what the daemon on Windows makes of the path behind file://.
func TestEnginePaths(t *testing.T) {
	for path, want := range map[string]struct {
		clean                      string
		absolute, escapes, refuses bool
	}{
		`a.json`:                            {clean: `a.json`},
		`./team//a.json`:                    {clean: `team\a.json`},
		`team/../a.json`:                    {clean: `a.json`},
		`..\a.json`:                         {clean: `..\a.json`, escapes: true, refuses: true},
		`..\CredentialSpecsOld\a.json`:      {clean: `..\CredentialSpecsOld\a.json`, escapes: true},
		`..\CredentialSpecs\a.json`:         {clean: `..\CredentialSpecs\a.json`},
		`..\..\docker\CredentialSpecs2\a`:   {clean: `..\..\docker\CredentialSpecs2\a`, escapes: true},
		`team\..\..\a.json`:                 {clean: `..\a.json`, escapes: true, refuses: true},
		`C:\a.json`:                         {clean: `C:\a.json`, absolute: true},
		`C:a.json`:                          {clean: `C:a.json`},
		`/a.json`:                           {clean: `a.json`},
		`\\host\share\a.json`:               {clean: `host\share\a.json`, absolute: true},
		`..`:                                {clean: `..`, escapes: true, refuses: true},
		`....\a.json`:                       {clean: `....\a.json`},
		`..\credentialspecs\..\..\x\a.json`: {clean: `..\..\x\a.json`, escapes: true, refuses: true},
	} {
		if got := windowsClean(path); got != want.clean {
			t.Errorf("clean %q: %q, want %q", path, got, want.clean)
		}
		if got := windowsAbsolute(path); got != want.absolute {
			t.Errorf("absolute %q: %t", path, got)
		}
		if got := escapes(path); got != want.escapes {
			t.Errorf("escapes %q: %t", path, got)
		}
		if got := escapes(path) && daemonRefuses(path); got != want.refuses {
			t.Errorf("refuses %q: %t", path, got)
		}
	}
}
