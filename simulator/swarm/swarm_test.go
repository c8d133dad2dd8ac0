package swarm_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"testing"

	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
	"github.com/gmsasim/gmsasim/simulator/swarm"
)

// A service whose tasks share a host name: the later one takes the secure channel from the earlier.
func Example() {
	d, err := simulator.Start(context.Background(), simulator.Contoso())
	if err != nil {
		log.Fatal(err)
	}
	defer d.Close()
	s := swarm.New(d, nil)
	if err := s.CreateService(swarm.Service{Name: "web", Replicas: 2, Hostname: "webapp01", CredentialSpec: "file://contoso_webapp01.json"}); err != nil {
		log.Fatal(err)
	}
	_, err = s.Exec("web", 1, "nltest /sc_verify:contoso.com")
	fmt.Println(errors.Is(err, diag.ChannelDisplaced))
	err = s.UpdateService("web", func(sv *swarm.Service) { sv.Hostname = "web-{{.Task.Slot}}" })
	fmt.Println(err)
	_, err = s.Exec("web", 1, "nltest /sc_verify:contoso.com")
	fmt.Println(err)
	// Output:
	// true
	// <nil>
	// <nil>
}

func TestSources(t *testing.T) {
	d, err := simulator.Start(context.Background(), simulator.Contoso())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	s := swarm.New(d, nil)
	if err := s.CreateConfig("c", "WebApp01"); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		service swarm.Service
		want    string // part of the error, "" for none
	}{
		{swarm.Service{CredentialSpec: "config://c"}, ""},
		{swarm.Service{CredentialSpec: "config://x"}, "config not found: x"},
		{swarm.Service{CredentialSpec: "CONFIG://c"}, "value must be prefixed"},
		{swarm.Service{CredentialSpec: "c"}, "value must be prefixed"},
		{swarm.Service{CredentialSpec: "registry://"}, "must either provide"},
		{swarm.Service{Privileges: &swarm.Source{}}, "must either provide"},
		{swarm.Service{Privileges: &swarm.Source{File: "a", Registry: "b"}}, `cannot specify both "file" and "registry" credential specs`},
		{swarm.Service{Privileges: &swarm.Source{Config: "c", Registry: "b"}}, `cannot specify both "config" and "registry" credential specs`},
		{swarm.Service{Privileges: &swarm.Source{Config: "c", File: "b"}, Stack: true}, `cannot specify both "Config" and "File"`},
		{swarm.Service{Privileges: &swarm.Source{Config: "c"}, Stack: true}, ""},
	}
	for i, tt := range tests {
		tt.service.Name = fmt.Sprint("s", i)
		err := s.CreateService(tt.service)
		if tt.want == "" && err != nil || tt.want != "" && (!errors.Is(err, diag.ServiceSpecRefused) || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%+v: got %v, want %q", tt.service, err, tt.want)
		}
	}
}
