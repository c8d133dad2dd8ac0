package diag

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestFindingIsAnError(t *testing.T) {
	cause := errors.New("LDAP result 1")
	f := &Finding{Code: NotSealed, Title: "the password is only given over an encrypted connection", Cause: cause}
	err := fmt.Errorf("read password: %w", f)
	if !errors.Is(err, NotSealed) || errors.Is(err, StaleTicket) || !errors.Is(err, cause) {
		t.Errorf("got %v, want that it is %v and its cause and nothing else", err, NotSealed)
	}
	if got, ok := Of(err); !ok || got != f {
		t.Errorf("got %v, want the finding in the chain", got)
	}
	if _, ok := Of(cause); ok {
		t.Error("an error without finding has one")
	}
	if got, want := f.Error(), "GMSA203 the password is only given over an encrypted connection: LDAP result 1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := NotSealed.Error(), "GMSA203: the password is only given over an encrypted connection"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Code("GMSA000").Error(); got != "GMSA000" {
		t.Errorf("got %q", got)
	}
}

func TestCatalogue(t *testing.T) {
	form := regexp.MustCompile(`^GMSA[1-9][0-9]{2}$`)
	seen := map[string]bool{}
	for _, e := range All() {
		if !form.MatchString(string(e.Code)) || seen[e.Title] || e.Title == "" || strings.HasSuffix(e.Title, ".") {
			t.Errorf("entry %+v: want a code of three digits and a title of its own without full stop", e)
		}
		seen[e.Title] = true
		if got, ok := Lookup(Code(strings.ToLower(string(e.Code)))); !ok || got != e {
			t.Errorf("lookup of %s: got %+v", e.Code, got)
		}
	}
	if !slices.IsSortedFunc(All(), func(a, b Entry) int { return strings.Compare(string(a.Code), string(b.Code)) }) {
		t.Error("the catalogue is not in the order of codes")
	}
	if _, ok := Lookup("GMSA000"); ok {
		t.Error("GMSA000: got an entry")
	}
}

// TestCodesStay: codes are part of the promise and never change their meaning.
func TestCodesStay(t *testing.T) {
	for code, want := range map[Code]string{
		NoRootKey: "GMSA101", YoungRootKey: "GMSA102", RootKeyNotOnDC: "GMSA103", NoSuchAccount: "GMSA104", AccountNotOnDC: "GMSA105", NameTaken: "GMSA106",
		ChangeRefused: "GMSA107", NotAllowed: "GMSA201", StaleTicket: "GMSA202", NotSealed: "GMSA203", NoCommonEType: "GMSA204", AdminDenied: "GMSA205",
		MembershipNotOnDC: "GMSA206", HostnameDiffers: "GMSA301", ChannelDisplaced: "GMSA302", GMSAIsolation: "GMSA303", WrongAppUser: "GMSA304",
		NoCredentialSpec: "GMSA305", MachineFlagLost: "GMSA306", LoginMissing: "GMSA307", ImageMismatch: "GMSA311", IsolationNotOffered: "GMSA312", UserRefused: "GMSA313",
		UnknownFlag: "GMSA315", CCGUnavailable: "GMSA316", CredentialsOff: "GMSA317", Baselines: "GMSA318", ServiceTooEarly: "GMSA319", SpecOutdated: "GMSA320",
		SMBElsewhere: "GMSA323", SigningRequired: "GMSA610", EntryPointFails: "GMSA321", ChannelAged: "GMSA322",
		EngineTooNew: "GMSA314", SpecFieldMissing: "GMSA401", SpecAccountName: "GMSA402", SpecDomainName: "GMSA403", SpecNoEntry: "GMSA404", SpecSID: "GMSA405",
		SpecPath: "GMSA406", SpecGUID: "GMSA407", CredentialSpecMissing: "GMSA410", SpecOption: "GMSA411", SpecUnreadable: "GMSA412", SpecCmdlet: "GMSA413",
		SpecExists: "GMSA414", SpecAdditional: "GMSA415", SpecReplaced: "GMSA416", SPNUnknown: "GMSA501", SPNDuplicate: "GMSA502", SPNOtherName: "GMSA503", TicketUnderOldKey: "GMSA504",
		BadCredentials: "GMSA505", AccountUnusable: "GMSA506", SPNTaken: "GMSA507", DNSFindsNoDC: "GMSA601", DCUnreachable: "GMSA602", ClockSkew: "GMSA603",
		DCRefuses: "GMSA604", NotModelled: "GMSA900", SimulatorBug: "GMSA999",
	} {
		if string(code) != want {
			t.Errorf("got %s, want %s", string(code), want)
		}
		if _, ok := Lookup(code); !ok {
			t.Errorf("%s is not in the catalogue", want)
		}
	}
}

func TestFindingAsJSON(t *testing.T) {
	f := Finding{Code: NoSuchAccount, Title: "x", At: []Span{{File: "a.json", Line: 2, Column: 3}}, Facts: []Fact{{"name", "Web"}},
		Help: []Help{{Text: "do", Command: "it"}}, Nearest: []Near{{Wanted: "Web", Closest: "WebApp01"}}, Events: []int{7}, Cause: errors.New("y")}
	b, err := json.Marshal(f)
	want := `{"code":"GMSA104","title":"x","at":[{"file":"a.json","line":2,"column":3}],"facts":[{"name":"name","value":"Web"}],` +
		`"help":[{"text":"do","command":"it"}],"nearest":[{"wanted":"Web","closest":"WebApp01"}],"events":[7]}`
	if err != nil || string(b) != want {
		t.Errorf("got %s, %v, want %s", b, err, want)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"ContainerHost01", "WebApp01", "WebApp02", "alice", "Gäste"}
	for _, tc := range []struct{ want, nearest string }{
		{"WebApp1", "WebApp01"},
		{"webapp01", "WebApp01"},
		{"WebApp03", "WebApp01"}, // as near as WebApp02; the first wins
		{"ContainerHst01", "ContainerHost01"},
		{"alcie", "alice"},
		{"Gaste", "Gäste"},
		{"bob", ""},
		{"", ""},
		{"completely different", ""},
	} {
		if got := Nearest(tc.want, names); got != tc.nearest {
			t.Errorf("%q: got %q, want %q", tc.want, got, tc.nearest)
		}
	}
	if got := Nearest("x", nil); got != "" {
		t.Errorf("no candidates: got %q", got)
	}
}
