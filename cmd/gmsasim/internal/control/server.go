// Package control is the HTTP interface of a running domain: its clock, faults, events, state, snapshots, and single steps of a
// scenario. Any language can drive a domain with it.
//
//	GET    /clock                    the time and the next change that only time brings
//	POST   /clock                    {"advance":"10h"}, {"to":"2019-05-03T20:00:00Z"} or {"next":true}
//	GET    /faults                   the faults in force
//	POST   /faults                   a fault, as in a scenario: {"on":"kdc.as","do":"drop","count":1}; gives its id
//	DELETE /faults[/{id}]            takes one fault back, or all
//	GET    /events?since=N           the events after number N; with follow=1 one JSON object a line, until the client leaves
//	GET    /transcript               the events as text
//	GET    /state                    a summary of the domain
//	POST   /snapshots                remembers the state; gives an id
//	POST   /snapshots/{id}/restore   brings it back
//	POST   /steps                    one step of a scenario, as JSON or YAML; gives what came of it
//
// Every request carries the header Authorization: Bearer TOKEN. The server is on the loopback interface and answers only to names of
// that interface, so that a web page that is open on the same computer cannot reach it.
package control

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gmsasim/gmsasim/scenarios"
	"github.com/gmsasim/gmsasim/simulator"
	"github.com/gmsasim/gmsasim/simulator/diag"
)

// Limits of what a client can ask for.
const (
	maxBody      = 1 << 20 // bytes of a request
	maxHeader    = 16 << 10
	maxFollowers = 64
	maxSnapshots = 256
	maxFaults    = 1024
	readTimeout  = 10 * time.Second
	writeTimeout = 30 * time.Second
	idleTimeout  = time.Minute
	closeTimeout = 5 * time.Second
)

// A Server serves the interface on the loopback interface.
type Server struct {
	url, token string
	http       *http.Server
	cancel     context.CancelFunc
	served     chan error
}

// Start opens the interface of a domain on 127.0.0.1 at a port of the system's choice, with a token of its own.
func Start(d *simulator.Domain) (*Server, error) {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return nil, fmt.Errorf("control token: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("control interface: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{url: "http://" + l.Addr().String(), token: hex.EncodeToString(secret), cancel: cancel, served: make(chan error, 1)}
	s.http = &http.Server{
		Handler:           NewHandler(d, s.token),
		ReadHeaderTimeout: readTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	go func() { s.served <- s.http.Serve(l) }()
	return s, nil
}

// URL is where the interface is, without a final slash.
func (s *Server) URL() string { return s.url }

// Token is what clients must show.
func (s *Server) Token() string { return s.token }

// Close ends all requests and waits for them.
func (s *Server) Close() error {
	s.cancel() // followers leave
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// handler is the interface of one domain.
type handler struct {
	d         *simulator.Domain
	token     string
	session   *scenarios.Session
	followers chan struct{}

	mu        sync.Mutex
	last      int // id given last
	faults    map[int]func()
	snapshots map[int]*simulator.Snapshot
}

// NewHandler is the interface of d for clients that show the token.
func NewHandler(d *simulator.Domain, token string) http.Handler {
	h := &handler{d: d, token: token, session: scenarios.NewSession(d), followers: make(chan struct{}, maxFollowers),
		faults: map[int]func(){}, snapshots: map[int]*simulator.Snapshot{}}
	mux := http.NewServeMux()
	for pattern, serve := range map[string]func(http.ResponseWriter, *http.Request) (any, error){
		"GET /clock":                   h.clock,
		"POST /clock":                  h.moveClock,
		"GET /faults":                  h.listFaults,
		"POST /faults":                 h.inject,
		"DELETE /faults":               h.clearFaults,
		"DELETE /faults/{id}":          h.lift,
		"GET /events":                  h.events,
		"GET /transcript":              h.transcript,
		"GET /state":                   h.state,
		"POST /snapshots":              h.snapshot,
		"POST /snapshots/{id}/restore": h.restore,
		"POST /steps":                  h.step,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			v, err := serve(w, r)
			switch {
			case err != nil:
				writeError(w, err)
			case v != nil:
				writeJSON(w, http.StatusOK, v)
			}
		})
	}
	return h.guard(mux)
}

// statusError is a refusal with its HTTP status.
type statusError struct {
	status int
	err    error
}

func (e *statusError) Error() string { return e.err.Error() }
func (e *statusError) Unwrap() error { return e.err }

func refuse(status int, format string, args ...any) error {
	return &statusError{status, fmt.Errorf(format, args...)}
}

// guard checks where a request comes from and what it shows, and limits it.
func (h *handler) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback(r.Host) {
			writeError(w, refuse(http.StatusForbidden, "the host %q is not this computer's loopback interface", r.Host))
			return
		}
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || subtle.ConstantTimeCompare([]byte(token), []byte(h.token)) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="gmsasim"`)
			writeError(w, refuse(http.StatusUnauthorized, "show the token of the domain: Authorization: Bearer TOKEN"))
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		// A writer without deadlines, as in tests, has no slow client either.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
		next.ServeHTTP(w, r)
	})
}

// loopback tells whether the Host header names the loopback interface.
func loopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil && a.IsLoopback()
}

// An Error is how the interface refuses.
type Error struct {
	Message string    `json:"error"`
	Problem []Problem `json:"problems,omitempty"`
}

// A Problem is one fault in what was sent.
type Problem struct {
	scenarios.Place
	Problem string `json:"problem"`
	Nearest string `json:"nearest,omitempty"`
}

func writeError(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	if s, ok := errors.AsType[*statusError](err); ok {
		status = s.status
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		status = http.StatusRequestEntityTooLarge
	}
	if errors.Is(err, diag.NotModelled) {
		status = http.StatusNotImplemented
	}
	e := Error{Message: err.Error()}
	for _, s := range scenarios.SourceErrors(err) {
		e.Problem = append(e.Problem, Problem{s.Place, s.Problem, s.Nearest})
	}
	writeJSON(w, status, e)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // a client that has left does not read the rest
}

// readJSON reads the body into v; unknown keys are refused.
func readJSON(r *http.Request, v any) error {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("body: there is more after the value")
	}
	return nil
}

// A Clock is the answer about domain time.
type Clock struct {
	Time time.Time `json:"time"`
	// Next is the next change that only time brings.
	Next *Change `json:"next,omitempty"`
}

// A Change is a change that only time brings.
type Change struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
}

func (h *handler) clock(http.ResponseWriter, *http.Request) (any, error) {
	c := Clock{Time: h.d.Clock.Now()}
	if at, what, ok := h.d.Clock.Next(); ok {
		c.Next = &Change{at, what}
	}
	return c, nil
}

// A Move says where to move domain time; exactly one field is set.
type Move struct {
	Advance string     `json:"advance,omitempty"` // a duration such as 10h
	To      *time.Time `json:"to,omitempty"`
	Next    bool       `json:"next,omitempty"`
}

func (h *handler) moveClock(w http.ResponseWriter, r *http.Request) (any, error) {
	var m Move
	if err := readJSON(r, &m); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.d.Clock.Now()
	var to time.Time
	switch {
	case m.Advance != "" && m.To == nil && !m.Next:
		by, err := time.ParseDuration(m.Advance)
		if err != nil || by <= 0 {
			return nil, refuse(http.StatusBadRequest, "%q is not a duration above 0 such as 10h", m.Advance)
		}
		to = now.Add(by)
	case m.To != nil && m.Advance == "" && !m.Next:
		to = *m.To
	case m.Next && m.Advance == "" && m.To == nil:
		at, _, ok := h.d.Clock.Next()
		if !ok {
			return nil, refuse(http.StatusConflict, "no change is due that only time brings")
		}
		to = at
	default:
		return nil, refuse(http.StatusBadRequest, "say one of advance, to and next")
	}
	// Where domain time runs with the machine's, it has moved a little since it was read.
	const margin = time.Millisecond
	if to.Before(now.Add(margin)) {
		return nil, refuse(http.StatusConflict, "domain time is %s already and does not go back", now.Format(time.RFC3339))
	}
	if to.Year() > maxYear {
		return nil, refuse(http.StatusBadRequest, "%s is after the year %d", to.Format(time.RFC3339), maxYear)
	}
	h.d.Clock.AdvanceTo(to)
	return h.clock(w, r)
}

// maxYear is where simulator.Config ends too.
const maxYear = 2400

// Faults is the answer about faults.
type Faults struct {
	Faults []simulator.Fault `json:"faults"`
}

func (h *handler) listFaults(http.ResponseWriter, *http.Request) (any, error) {
	return Faults{append([]simulator.Fault{}, h.d.Faults()...)}, nil
}

// ID names a fault or a snapshot.
type ID struct {
	ID int `json:"id"`
}

func (h *handler) inject(_ http.ResponseWriter, r *http.Request) (any, error) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	f, err := scenarios.ParseFault("body", data, h.d)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.faults) >= maxFaults {
		return nil, refuse(http.StatusTooManyRequests, "%d faults are in force; take some back", maxFaults)
	}
	h.last++
	h.faults[h.last] = h.d.Inject(f)
	return ID{h.last}, nil
}

func (h *handler) clearFaults(http.ResponseWriter, *http.Request) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.faults)
	h.d.ClearFaults()
	return Faults{[]simulator.Fault{}}, nil
}

// id is the id in the path, 0 when it is no number.
func (h *handler) id(r *http.Request) int {
	n, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		return 0
	}
	return n
}

func (h *handler) lift(_ http.ResponseWriter, r *http.Request) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	id := h.id(r)
	remove, ok := h.faults[id]
	if !ok {
		return nil, refuse(http.StatusNotFound, "no fault %q was injected here", r.PathValue("id"))
	}
	remove()
	delete(h.faults, id)
	return ID{id}, nil
}

// Events is the answer about events.
type Events struct {
	Events []simulator.Event `json:"events"`
}

func (h *handler) events(w http.ResponseWriter, r *http.Request) (any, error) {
	since := 0
	if s := r.FormValue("since"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return nil, refuse(http.StatusBadRequest, "since: %q is not the number of an event", s)
		}
		since = n
	}
	switch r.FormValue("follow") {
	case "", "0", "false":
		return Events{append([]simulator.Event{}, h.d.EventsSince(since)...)}, nil
	case "1", "true":
		return nil, h.follow(w, r, since)
	}
	return nil, refuse(http.StatusBadRequest, "follow is 1 or 0")
}

// follow writes events as they come, one a line, until the client leaves.
func (h *handler) follow(w http.ResponseWriter, r *http.Request, last int) error {
	select {
	case h.followers <- struct{}{}:
		defer func() { <-h.followers }()
	default:
		return refuse(http.StatusTooManyRequests, "%d clients follow already", maxFollowers)
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{}) // the request has been read; a follower may stay
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for {
		events, more := h.d.FollowEvents(last)
		if len(events) > 0 {
			_ = rc.SetWriteDeadline(time.Now().Add(writeTimeout))
		}
		for _, e := range events {
			if enc.Encode(e) != nil {
				return nil // the client has left or does not read
			}
			last = e.N
		}
		if rc.Flush() != nil {
			return nil
		}
		select {
		case <-more:
		case <-r.Context().Done():
			return nil
		}
	}
}

func (h *handler) transcript(w http.ResponseWriter, _ *http.Request) (any, error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, h.d.Transcript()) // a client that has left does not read the rest
	return nil, nil
}

func (h *handler) state(http.ResponseWriter, *http.Request) (any, error) { return h.d.State(), nil }

func (h *handler) snapshot(http.ResponseWriter, *http.Request) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.snapshots) >= maxSnapshots {
		return nil, refuse(http.StatusTooManyRequests, "%d states are remembered, which is all there is room for", maxSnapshots)
	}
	h.last++
	h.snapshots[h.last] = h.d.Snapshot()
	return ID{h.last}, nil
}

func (h *handler) restore(_ http.ResponseWriter, r *http.Request) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	id := h.id(r)
	s, ok := h.snapshots[id]
	if !ok {
		return nil, refuse(http.StatusNotFound, "no state %q is remembered", r.PathValue("id"))
	}
	return ID{id}, h.d.Restore(s)
}

func (h *handler) step(_ http.ResponseWriter, r *http.Request) (any, error) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	return h.session.Do(r.Context(), "body", data)
}
