package control

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/simulator"
)

const token = "a-token"

func start(t *testing.T) (*simulator.Domain, *httptest.Server) {
	t.Helper()
	d := simulator.StartT(t, simulator.Contoso())
	s := httptest.NewServer(NewHandler(d, token))
	t.Cleanup(s.Close)
	return d, s
}

// ask sends a request and gives status and body.
func ask(t *testing.T, s *httptest.Server, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

func TestGuard(t *testing.T) {
	_, s := start(t)
	tests := []struct {
		name, host, authorization string
		want                      int
	}{
		{"right", "", "Bearer " + token, 200},
		{"localhost", "localhost:1", "Bearer " + token, 200},
		{"IPv6", "[::1]:80", "Bearer " + token, 200},
		{"no token", "", "", 401},
		{"a wrong token", "", "Bearer a-tokem", 401},
		{"a longer token", "", "Bearer " + token + "x", 401},
		{"another scheme", "", "Basic " + token, 401},
		{"a name that a web page has made to lead here", "evil.example:80", "Bearer " + token, 403},
		{"another address", "192.0.2.1", "Bearer " + token, 403},
		{"a name that begins like an address", "127.0.0.1.evil.example", "Bearer " + token, 403},
		{"no host", " ", "Bearer " + token, 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := httptest.NewRequest("GET", s.URL+"/clock", nil)
			if tt.host != "" {
				req.Host = tt.host
			}
			if tt.authorization != "" {
				req.Header.Set("Authorization", tt.authorization)
			}
			w := httptest.NewRecorder()
			s.Config.Handler.ServeHTTP(w, req)
			if w.Code != tt.want {
				t.Errorf("got %d %s, want %d", w.Code, w.Body, tt.want)
			}
		})
	}
}

func TestRequests(t *testing.T) {
	_, s := start(t)
	// One after the other in one domain.
	for _, tt := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/clock", "", 200, `{"time":"2019-05-03T10:00:00Z","next":{"at":"2019-06-02T08:00:00Z","what":"the password of WebApp01$ changes"}}`},
		{"POST", "/clock", `{"advance":"1h"}`, 200, `"time":"2019-05-03T11:00:00Z"`},
		{"POST", "/clock", `{"to":"2019-05-03T12:00:00Z"}`, 200, `"time":"2019-05-03T12:00:00Z"`},
		{"POST", "/clock", `{"to":"2019-05-03T11:00:00Z"}`, 409, `domain time is 2019-05-03T12:00:00Z already`},
		{"POST", "/clock", `{"to":"9019-05-03T11:00:00Z"}`, 400, `after the year 2400`},
		{"POST", "/clock", `{"advance":"-1h"}`, 400, `not a duration above 0`},
		{"POST", "/clock", `{"advance":"1h","next":true}`, 400, `one of advance, to and next`},
		{"POST", "/clock", `{}`, 400, `one of advance, to and next`},
		{"POST", "/clock", `{"advanec":"1h"}`, 400, `unknown field`},
		{"POST", "/clock", `{"next":true} x`, 400, `there is more`},
		{"POST", "/clock", ``, 400, `body: EOF`},
		{"POST", "/clock", `{"next":true}`, 200, `"time":"2019-06-02T08:00:00Z"`},
		{"PUT", "/clock", `{}`, 405, ``},
		{"GET", "/nowhere", ``, 404, ``},

		{"GET", "/faults", "", 200, `{"faults":[]}`},
		{"POST", "/faults", `{"on":"kdc.as","do":"drop"}`, 200, `{"id":1}`},
		{"GET", "/faults", "", 200, `{"faults":[{"on":"kdc.as","do":"drop"}]}`},
		{"POST", "/faults", `{"on":"kdc.as","do":"busy"}`, 400, `busy is an answer of LDAP and cannot happen to kdc.as`},
		{"POST", "/faults", `{"on":"kdc.sa","do":"drop"}`, 400, `"nearest":"kdc.as"`},
		{"POST", "/faults", `{"on":"kdc.as","do":"drop","from":"ContainerHots01"}`, 400, `"nearest":"ContainerHost01"`},
		{"DELETE", "/faults/7", "", 404, `no fault`},
		{"DELETE", "/faults/1", "", 200, `{"id":1}`},
		{"DELETE", "/faults/1", "", 404, `no fault`},
		{"POST", "/faults", `{"on":"kdc.as","do":"drop"}`, 200, `{"id":2}`},
		{"DELETE", "/faults", "", 200, `{"faults":[]}`},
		{"GET", "/faults", "", 200, `{"faults":[]}`},

		{"POST", "/snapshots", "", 200, `{"id":3}`},
		{"POST", "/clock", `{"advance":"1h"}`, 200, `"time":"2019-06-02T09:00:00Z"`},
		{"POST", "/snapshots/4/restore", "", 404, `no state`},
		{"POST", "/snapshots/3/restore", "", 200, `{"id":3}`},
		{"GET", "/clock", "", 200, `{"time":"2019-06-02T08:00:00Z"`},

		{"GET", "/state", "", 200, `"dnsName":"contoso.com"`},
		{"GET", "/events?since=2", "", 200, `"n":3,`},
		{"GET", "/events?since=x", "", 400, `not the number of an event`},
		{"GET", "/events?follow=maybe", "", 400, `follow is 1 or 0`},
		{"GET", "/transcript", "", 200, `advance 1h0m0s`},

		{"POST", "/steps", `{"id":"key","addKDSRootKey":"immediately"}`, 200, `"status":"passed"`},
		{"POST", "/steps", `{"testServiceAccount":{"host":"ContainerHost01","account":"WebApp01"}}`, 200, `"got":"ok"`},
		{"POST", "/steps", `{"testServiceAccount":{"host":"ContainerHost01","account":"WebAp01"}}`, 200, `"code":"GMSA104"`},
		{"POST", "/steps", "testServiceAccount: {host: ContainerHost02, account: WebApp01}\nexpect: GMSA201\n", 200, `"problems":["want GMSA201, got ok"]`},
		{"POST", "/steps", `{"testServiceAccount":{"host":"ContainerHost09","account":"WebApp01"}}`, 400, `"nearest":"ContainerHost01"`},
		{"POST", "/steps", `{"again":"key"}`, 200, `"again":true`},
		{"POST", "/steps", `{"deleteKDSRootKey":"key"}`, 200, `"status":"passed"`},
		{"POST", "/steps", `{"again":"kex"}`, 400, `"nearest":"key"`},
		{"POST", "/steps", `{"diagnose":{}}`, 501, `not modelled`},
		{"POST", "/steps", strings.Repeat(" ", maxBody+1), 413, `too large`},
	} {
		t.Run(tt.method+" "+tt.path+" "+tt.body[:min(len(tt.body), 60)], func(t *testing.T) {
			status, body := ask(t, s, tt.method, tt.path, tt.body)
			if status != tt.status || !strings.Contains(body, tt.want) {
				t.Errorf("got %d %s\nwant %d %s", status, body, tt.status, tt.want)
			}
		})
	}
}

// TestFollow: a follower gets what was and what comes, and leaves when the server closes.
func TestFollow(t *testing.T) {
	d := simulator.StartT(t, simulator.Contoso())
	s, err := Start(d)
	if err != nil {
		t.Fatal(err)
	}
	c := NewClient(s.URL(), s.Token())
	d.Clock.Advance(time.Hour)
	texts := make(chan string)
	done := make(chan error, 1)
	go func() {
		done <- c.Events(context.Background(), 0, true, func(e simulator.Event) error {
			texts <- e.Text
			return nil
		})
	}()
	want := func(text string) {
		t.Helper()
		for got := range texts {
			if got == text {
				return
			}
		}
	}
	want("advance 1h0m0s")
	for i := 2; i < 20; i++ {
		d.Clock.Advance(time.Duration(i) * time.Hour)
		want(fmt.Sprintf("advance %dh0m0s", i))
	}
	go func() {
		for range texts { // nothing more is expected, and nobody may hang on it
		}
	}()
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	<-done
	close(texts)
	if _, err := c.Clock(context.Background()); err == nil {
		t.Error("a closed server answered")
	}
}

// TestFollowers: the number of followers is limited.
func TestFollowers(t *testing.T) {
	_, s := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for i := range maxFollowers + 1 {
		req, err := http.NewRequestWithContext(ctx, "GET", s.URL+"/events?follow=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := s.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		want := http.StatusOK
		if i == maxFollowers {
			want = http.StatusTooManyRequests
		}
		if resp.StatusCode != want {
			t.Fatalf("follower %d: got %s, want %d", i+1, resp.Status, want)
		}
	}
	cancel()
}

// TestStateRoundTrip: the state is JSON that reads back.
func TestStateRoundTrip(t *testing.T) {
	d, s := start(t)
	_, body := ask(t, s, "GET", "/state", "")
	var got simulator.State
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if want := d.State(); got.SID != want.SID || len(got.Hosts) != len(want.Hosts) || !got.Time.Equal(want.Time) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
