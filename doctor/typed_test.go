package doctor

import "testing"

func TestTyped(t *testing.T) {
	const ran = `docker run --security-opt credentialspec=file://contoso_webapp01.json --hostname webapp01 mcr.microsoft.com/windows/servercore:ltsc2016`
	for _, tt := range []struct{ command, ran, want string }{
		{"docker run --hostname webapp01 …", ran, ran},
		{"New-CredentialSpec -AccountName WebApp01; docker run --hostname webapp01 …", ran, "New-CredentialSpec -AccountName WebApp01; " + ran},
		{"docker run --hostname webapp01 …", "", "docker run --hostname webapp01 …"},
		{"docker run --hostname webapp01 IMAGE", ran, "docker run --hostname webapp01 IMAGE"},
		{"docker run --dns 10.0.0.1 …", ran, "docker run --dns 10.0.0.1 …"},
		{"Restart-Computer", ran, "Restart-Computer"},
		{"", ran, ""},
	} {
		if got := typed(tt.command, tt.ran); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.command, got, tt.want)
		}
	}
}
