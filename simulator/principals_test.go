package simulator

import (
	"errors"
	"testing"

	"github.com/gmsasim/gmsasim/fakekdc"
)

func TestServiceByWindowsNTName(t *testing.T) {
	d := StartT(t, Contoso())
	p := principals{d.DCs()[0]}
	for _, tc := range []struct {
		name string
		kind int32
		want string
	}{
		{`CONTOSO\WebApp01$`, nameMSPrincipal, "WebApp01$"},
		{`contoso.com\webapp01`, nameMSPrincipal, "WebApp01$"},
		{`OTHER\WebApp01$`, nameMSPrincipal, ""},
		{`WebApp01$`, nameMSPrincipal, "WebApp01$"},
		{`CONTOSO\WebApp01$`, fakekdc.NamePrincipal, ""},
	} {
		got, err := p.Server(t.Context(), fakekdc.Name{Type: tc.kind, Parts: []string{tc.name}})
		switch {
		case tc.want == "":
			if !errors.Is(err, fakekdc.ErrUnknown) {
				t.Errorf("%s of type %d: got error %v, want %v", tc.name, tc.kind, err, fakekdc.ErrUnknown)
			}
		case err != nil:
			t.Errorf("%s of type %d: %v", tc.name, tc.kind, err)
		case got.Name.String() != tc.want:
			t.Errorf("%s of type %d: got %s, want %s", tc.name, tc.kind, got.Name, tc.want)
		}
	}
}
