package windows

import (
	"errors"
	"testing"
	"unicode/utf8"
)

// checkName holds what is true of every refusal: it is a *NameError about the text, and what it calls the nearest name is valid.
func checkName(t *testing.T, text string, err error, valid func(string) error) {
	t.Helper()
	name, ok := errors.AsType[*NameError](err)
	if !ok || name.Name != text || name.Rule == "" {
		t.Fatalf("%q: got %v, want a *NameError about it", text, err)
	}
	if utf8.ValidString(text) && !utf8.ValidString(name.Error()) {
		t.Fatalf("%q: the message is not UTF-8", text)
	}
	if name.Nearest != "" {
		if err := valid(name.Nearest); err != nil {
			t.Fatalf("%q: nearest is no name: %v", text, err)
		}
	}
}

// FuzzParseOS: what is read is a release, and its text form is read as the same; what is refused has a valid nearest name.
func FuzzParseOS(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		o, err := ParseOS(text)
		if err != nil {
			checkName(t, text, err, func(s string) error { _, err := ParseOS(s); return err })
			return
		}
		if _, err := ReleaseOf(o.Build, o.Edition); err != nil {
			t.Fatalf("%q: got %s, which is no release: %v", text, o, err)
		}
		if again, err := ParseOS(o.String()); err != nil || again != o {
			t.Fatalf("%q: got %s, whose text form is read as %s, %v", text, o, again, err)
		}
	})
}

// FuzzParseImage: what is read is a published base, and its text form is read as the same; what is refused has a valid nearest name.
func FuzzParseImage(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		i, err := ParseImage(text)
		if err != nil {
			checkName(t, text, err, func(s string) error { _, err := ParseImage(s); return err })
			return
		}
		if _, err := BaseImage(i.Flavour, i.Build); err != nil {
			t.Fatalf("%q: got %+v: %v", text, i, err)
		}
		if again, err := ParseImage(i.String()); err != nil || again != i {
			t.Fatalf("%q: got %+v, whose text form is read as %+v, %v", text, i, again, err)
		}
	})
}

// FuzzParseEngine covers the versions and the users too: none of them fails otherwise than with a NameError, and text forms are stable.
func FuzzParseEngine(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		if e, err := ParseEngine(text); err != nil {
			if _, ok := errors.AsType[*NameError](err); !ok {
				t.Fatalf("engine %q: got %v", text, err)
			}
		} else if again, err := ParseEngine(e.String()); err != nil || again != e {
			t.Fatalf("engine %q: got %s, then %s, %v", text, e, again, err)
		}
		if u, err := ParseUser(text); err == nil {
			if again, err := ParseUser(u.Name); u.Kind != LocalUser && (err != nil || again.Kind != u.Kind) {
				t.Fatalf("user %q: got %+v, then %+v, %v", text, u, again, err)
			}
		}
		if v, err := ParseKubernetesVersion(text); err == nil {
			if again, err := ParseKubernetesVersion(v.String()); err != nil || again != v {
				t.Fatalf("Kubernetes %q: got %s, then %s, %v", text, v, again, err)
			}
		}
	})
}

func BenchmarkParseOS(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseOS("Windows Server 2019 (10.0.17763.1817)"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseImage(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseImage("mcr.microsoft.com/windows/servercore:ltsc2019"); err != nil {
			b.Fatal(err)
		}
	}
}
