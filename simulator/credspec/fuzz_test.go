package credspec

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gmsasim/gmsasim/simulator/source"
)

// FuzzReadWrite: whatever a credential spec says after reading, every form says it too, or its writer tells why not.
func FuzzReadWrite(f *testing.F) {
	for _, s := range []Spec{sample(), withHost(awsGUID, `{"credentialArn":"`+arnSecret+`"}`), withHost(awsGUID, "", Field{Key: "CredentialArn", Value: arnSecret}), withHost(akvGUID, "ObjectId=1;SecretUri=https://v.example/secrets/s"), {}} {
		text, err := Write(s, FormInline)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"CmsPlugins":["~","1e3","yes","2024-01-01"," x","a: b","#","\u2028\u0000\ud83d\ude00"],"DomainJoinConfig":{"Sid":"- x","MachineAccountName":"a"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d := Read(source.NewFile("a.json", text))
		for _, fault := range d.Faults {
			if s := fault.Span(); s.Offset < 0 || s.Offset+s.Length > len(d.File.Data) {
				t.Fatalf("fault at %v", s)
			}
		}
		s := d.Spec()
		for _, form := range Forms() {
			want, _, err := Convert(s, form)
			got, werr := Write(s, form)
			if err != nil || werr != nil {
				if err == nil && !errors.Is(werr, ErrName) && !errors.Is(werr, ErrSize) || err != nil && (werr == nil || !errors.Is(err, ErrPlugin)) {
					t.Fatalf("%s: %v, %v", form, err, werr)
				}
				continue
			}
			if !utf8.Valid(got) {
				t.Fatalf("%s: %q", form, got)
			}
			if back := again(t, form, got); !reflect.DeepEqual(normal(back), normal(want)) {
				t.Fatalf("%s: got %+v, want %+v in\n%s", form, back, want, got)
			}
		}
	})
}

// normal takes the differences out that no text can have: no list and an empty one, a member that stands twice.
func normal(s Spec) Spec {
	if len(s.CmsPlugins) == 0 {
		s.CmsPlugins = nil
	}
	if len(s.Accounts) == 0 {
		s.Accounts = nil
	}
	if s.Host != nil {
		host := *s.Host
		host.PluginObject = nil
		for _, f := range s.Host.PluginObject {
			host.PluginObject = append(host.PluginObject, Field{Key: strings.ToValidUTF8(f.Key, "\uFFFD"), Value: f.Value})
		}
		s.Host = &host
	}
	return s
}
