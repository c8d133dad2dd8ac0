package simulator

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/simulator/diag"
)

var update = flag.Bool("update", false, "rewrite golden files")

func TestContoso(t *testing.T) {
	d := StartT(t, Contoso())
	h := d.Host("ContainerHost01")
	if err := h.TestServiceAccount("WebApp01"); err != nil {
		t.Fatalf("Test-ADServiceAccount: got %v, want True", err)
	}
	if err := h.InstallServiceAccount("WebApp01$"); err != nil {
		t.Fatalf("Install-ADServiceAccount: %v", err)
	}
	s, err := h.SignInAsServiceAccount("webapp01")
	if err != nil {
		t.Fatalf("sign in as the service account: %v", err)
	}
	if got, want := s.Account(), "WebApp01$@CONTOSO.COM"; got != want {
		t.Errorf("got account %s, want %s", got, want)
	}
	service, err := h.Service("WebApp01")
	if err != nil {
		t.Fatal(err)
	}
	ticket, err := d.Host("ContainerHost02").KerberosTo("host/WebApp01.contoso.com")
	if err != nil {
		t.Fatal(err)
	}
	if ticket.EType != "AES256" || ticket.Client != "CONTAINERHOST02$@CONTOSO.COM" || ticket.KVNO != 1 || ticket.DC != "DC01" {
		t.Errorf("got ticket %+v", ticket)
	}
	if err := service.Accept(ticket); err != nil {
		t.Errorf("accept a ticket: %v", err)
	}
	if ticket, err = d.KerberosTo(t.Context(), "alice", "host/webapp01"); err != nil {
		t.Fatal(err)
	}
	if err := service.Accept(ticket); err != nil {
		t.Errorf("accept alice's ticket: %v", err)
	}
	golden(t, "contoso", d.Transcript())
}

// golden compares text with a file of testdata, and writes the file with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; go test -update writes it", err)
	}
	if got != string(want) {
		t.Errorf("the transcript differs from %s (go test -update rewrites it):\n%s", path, firstDifference(got, string(want)))
	}
}

// firstDifference shows the first line that differs.
func firstDifference(got, want string) string {
	g, w := bytes.Split([]byte(got), []byte("\n")), bytes.Split([]byte(want), []byte("\n"))
	for i := range max(len(g), len(w)) {
		var a, b []byte
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if !bytes.Equal(a, b) {
			return "got  " + string(a) + "\nwant " + string(b)
		}
	}
	return ""
}

// story is a run through most of what a domain does; its transcript depends on the seed alone.
func story(t *testing.T, cfg Config) string {
	t.Helper()
	cfg.DCs = []string{"DC01", "DC02"}
	cfg.ReplicationDelay = 15 * time.Minute
	cfg.Hosts = append(cfg.Hosts, HostConfig{Name: "ContainerHost04", DCs: []string{"DC02"}})
	d := StartT(t, cfg)
	late := d.Host("ContainerHost04")
	if err := late.TestServiceAccount("WebApp01"); !errors.Is(err, diag.NotAllowed) {
		t.Errorf("got %v, want %v", err, diag.NotAllowed)
	}
	if err := d.AddGroupMember("WebApp01Hosts", "ContainerHost04"); err != nil {
		t.Error(err)
	}
	if err := late.TestServiceAccount("WebApp01"); !errors.Is(err, diag.MembershipNotOnDC) {
		t.Errorf("got %v, want %v", err, diag.MembershipNotOnDC)
	}
	d.Clock.Advance(time.Hour)
	late.Restart()
	if err := late.TestServiceAccount("WebApp01"); err != nil {
		t.Error(err)
	}
	r, err := d.Rotation("WebApp01")
	if err != nil {
		t.Fatal(err)
	}
	d.Clock.AdvanceTo(r.Middle(1))
	pw, err := late.ReadPassword("WebApp01", Sealed)
	if err != nil {
		t.Fatal(err)
	}
	remove := d.Inject(Fault{On: KDCTGS, DC: "DC02", Do: Drop})
	if _, err := late.KerberosTo("host/webapp01"); err != nil {
		t.Error(err)
	}
	remove()
	tickets := ""
	for _, ticket := range late.Tickets() {
		tickets += ticket.Server + " " + string(ticket.cred.raw)
	}
	return d.Transcript() + string(pw.Current) + string(pw.Previous) + d.State().SID + tickets
}

// TestSameSeedSameBytes: passwords, tickets and transcript are the same for the same seed, and others for another.
func TestSameSeedSameBytes(t *testing.T) {
	first, second := story(t, Contoso()), story(t, Contoso())
	if first != second {
		t.Errorf("two runs with the same seed differ:\n%s", firstDifference(second, first))
	}
	other := Contoso()
	other.Seed = 2
	if story(t, other) == first {
		t.Error("another seed gives the same passwords and tickets")
	}
}
