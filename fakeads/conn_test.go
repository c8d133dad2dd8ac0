package fakeads

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/filter"
)

func TestOctetByOctet(t *testing.T) {
	w := newWorld(t, nil)
	p := w.pipe()
	for _, op := range [][]byte{rootDSEOp, bindOp(administrator, adminPassword), extendedOp(oidWhoAmI, nil)} {
		p.id++
		for _, o := range envelope(p.id, op) {
			p.write([]byte{o})
		}
		for {
			rep := p.read()
			if rep == nil || rep.code != 0 || rep.id != p.id {
				t.Fatalf("got %+v, want success of message %d", rep, p.id)
			}
			if rep.op != opSearchEntry {
				break
			}
			if got := rep.attrs[0].Values[0]; string(got) != "20190503100000.0Z" {
				t.Errorf("got currentTime %q, want the clock of the door", got)
			}
		}
	}
}

// TestServeConnEnds: ServeConn returns nil when the client unbinds or goes, and the reason otherwise.
func TestServeConnEnds(t *testing.T) {
	tests := []struct {
		name string
		do   func(*peer)
		want string
	}{
		{"unbind", func(p *peer) { p.send([]byte{opUnbindRequest, 0}) }, ""},
		{"close", func(p *peer) { p.conn.Close() }, ""},
		{"garbage", func(p *peer) { p.write([]byte("GET")); p.read() }, "not an LDAP message"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, nil)
			p := w.pipe()
			if rep := p.ask(rootDSEOp); rep.code != 0 {
				t.Fatalf("got result %d, want 0", rep.code)
			}
			tt.do(p)
			err := <-p.done
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if tt.name == "unbind" && len(w.traced(KindUnbind)) != 1 {
				t.Errorf("got no unbind operation")
			}
		})
	}
}

// TestBreachOfProtocol: the client gets a notice of disconnection and the connection is closed.
func TestBreachOfProtocol(t *testing.T) {
	tests := []struct {
		name string
		send []byte
	}{
		{"TLS hello on the plain port", []byte{0x16, 0x03, 0x01, 0x02, 0x00}},
		{"indefinite length", []byte{0x30, 0x80, 0, 0}},
		{"length of five octets", []byte{0x30, 0x85, 0, 0, 0, 0, 1}},
		{"2 GiB announced", []byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff}},
		{"4 GiB announced", []byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff}},
		{"above MaxReceiveBuffer", []byte{0x30, 0x84, 0x00, 0xa0, 0x00, 0x00}},
		{"no message ID", []byte{0x30, 0x02, 0x42, 0x00}},
		{"message ID 0", envelope(0, rootDSEOp)},
		{"unknown operation", envelope(1, []byte{0x7e, 0})},
		{"a response", envelope(1, []byte{opSearchDone, 7, 10, 1, 0, 4, 0, 4, 0})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, nil)
			p := w.dial(w.listen((*Server).Serve))
			p.write(tt.send)
			rep := p.read()
			if rep == nil || rep.id != 0 || rep.op != opExtendedResponse || rep.code != resultProtocolError || rep.name != oidNoticeOfDisconnection {
				t.Fatalf("got %+v, want a notice of disconnection with protocolError", rep)
			}
			if rep := p.read(); rep != nil {
				t.Errorf("got %+v after the notice, want the end", rep)
			}
		})
	}
}

// TestMalformedRequestIsAnswered: what can be answered is, and the session goes on.
func TestMalformedRequestIsAnswered(t *testing.T) {
	deep := present("a")
	for range filter.MaxDepth + 1 {
		deep = element(tagContext|constructed|2, deep)
	}
	w := newWorld(t, nil)
	p := w.pipe()
	for _, tt := range []struct {
		op   []byte
		code int
	}{
		{searchOp("", 2, []byte{0x8c, 0}), resultProtocolError},
		{searchOp("", 2, deep), resultAdminLimitExceeded},
		{element(opBindRequest, octets("no version")), resultProtocolError},
		{element(opModifyRequest, octets("CN=x")), resultProtocolError},
		{rootDSEOp, 0},
	} {
		if rep := p.ask(tt.op); rep.code != tt.code {
			t.Errorf("got result %d (%q), want %d", rep.code, rep.text, tt.code)
		}
	}
}

func TestMessageIDInUse(t *testing.T) {
	release := make(chan struct{})
	w := newWorld(t, func(cfg *Config) {
		cfg.Intercept = func(ctx context.Context, op *Operation) Intercepted {
			if op.Kind == KindSearch {
				<-release
			}
			return Intercepted{}
		}
	})
	p := w.dial(w.listen((*Server).Serve))
	p.write(append(envelope(5, rootDSEOp), envelope(5, rootDSEOp)...))
	rep := p.read()
	close(release)
	if rep == nil || rep.id != 0 || rep.code != resultProtocolError {
		t.Errorf("got %+v, want a notice of disconnection", rep)
	}
}

func TestPipelined(t *testing.T) {
	w := newWorld(t, nil)
	p := w.dial(w.listen((*Server).Serve))
	const n = 50
	var b []byte
	for i := range n {
		b = append(b, envelope(i+1, rootDSEOp)...)
	}
	p.write(b)
	seen := map[int]bool{}
	for len(seen) < n {
		rep := p.read()
		if rep == nil {
			t.Fatal("the connection ended")
		}
		if rep.op == opSearchDone {
			seen[rep.id] = true
		}
	}
}

// TestPromptAndOthers: on one connection, searches that take no time are answered beside one that finds
// much, each once.
func TestPromptAndOthers(t *testing.T) {
	w := newWorld(t, nil)
	p := w.dial(w.listen((*Server).Serve))
	p.ask(bindOp(administrator, adminPassword))
	const n = 60
	var b []byte
	for i := range n {
		op := searchOp(contoso, directory.Subtree, equal("sAMAccountName", "alice"), "cn")
		switch i % 3 {
		case 1:
			op = searchOp(contoso, directory.Subtree, present("objectClass"), "cn")
		case 2:
			op = element(opCompareRequest, octets(administrator), element(tagSequence, octets("cn"), octets("Administrator")))
		}
		b = append(b, envelope(100+i, op)...)
	}
	go func() { _, _ = p.conn.Write(b) }() // a failure ends the reading below
	entries, done := map[int]int{}, map[int]bool{}
	for len(done) < n {
		rep := p.read()
		switch {
		case rep == nil:
			t.Fatal("the connection ended")
		case rep.op == opSearchEntry:
			entries[rep.id]++
		case rep.op == opSearchDone || rep.op == opCompareResponse:
			if done[rep.id] {
				t.Errorf("message %d is answered twice", rep.id)
			}
			done[rep.id] = true
		}
	}
	for i := range n {
		got := entries[100+i]
		if i%3 == 0 && got != 1 || i%3 == 1 && got < 20 {
			t.Errorf("message %d: got %d entries", 100+i, got)
		}
	}
}

// TestBindWaits: a bind begins when every request before it has been answered.
func TestBindWaits(t *testing.T) {
	var running, most atomic.Int32
	w := newWorld(t, func(cfg *Config) {
		cfg.Intercept = func(ctx context.Context, op *Operation) Intercepted {
			if op.Kind == KindBind && running.Load() != 0 {
				t.Error("a bind runs while a search does")
			}
			if op.Kind == KindSearch {
				most.Store(max(most.Load(), running.Add(1)))
			}
			return Intercepted{}
		}
		cfg.Trace = func(_ context.Context, op Operation) {
			if op.Kind == KindSearch {
				running.Add(-1)
			}
		}
	})
	p := w.dial(w.listen((*Server).Serve))
	var b []byte
	for i := range 30 {
		op := rootDSEOp
		if i%10 == 9 {
			op = bindOp(administrator, adminPassword)
		}
		b = append(b, envelope(i+1, op)...)
	}
	p.write(b)
	binds := 0
	for binds < 3 {
		rep := p.read()
		if rep == nil {
			t.Fatal("the connection ended")
		}
		if rep.op == opBindResponse {
			if binds++; rep.code != 0 || rep.id != binds*10 {
				t.Errorf("got bind answer %+v, want success of message %d", rep, binds*10)
			}
		}
	}
}

func TestAbandon(t *testing.T) {
	started := make(chan struct{})
	w := newWorld(t, func(cfg *Config) {
		cfg.Intercept = func(ctx context.Context, op *Operation) Intercepted {
			if op.Kind == KindCompare {
				close(started)
				<-ctx.Done() // the abandon ends it
			}
			return Intercepted{}
		}
	})
	p := w.pipe()
	p.ask(bindOp(administrator, adminPassword))
	abandoned := p.send(element(opCompareRequest, octets(administrator), element(tagSequence, octets("cn"), octets("x"))))
	<-started
	p.send(append([]byte{opAbandonRequest}, number(tagInteger, abandoned)[1:]...))
	if rep := p.ask(rootDSEOp); rep.code != 0 { // nothing but the answer to this one
		t.Errorf("got result %d, want 0", rep.code)
	}
	p.ask(bindOp("", "")) // waits for what runs
	if got := w.traced(KindAbandon); len(got) != 1 || !strings.HasPrefix(got[0].Text, "compare ") {
		t.Errorf("got %+v, want one abandoned compare", got)
	}
	if got := w.traced(KindCompare); len(got) != 0 {
		t.Errorf("got %+v, want no compare: it was abandoned", got)
	}
}

// TestHalfClose: a client that only stops sending gets its answers.
func TestHalfClose(t *testing.T) {
	w := newWorld(t, nil)
	p := w.dial(w.listen((*Server).Serve))
	p.send(rootDSEOp)
	if err := p.conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if rep := p.read(); rep == nil || rep.code != 0 {
			t.Fatalf("got %+v, want entry and success", rep)
		}
	}
	if rep := p.read(); rep != nil {
		t.Errorf("got %+v, want the end", rep)
	}
}

func TestIntercept(t *testing.T) {
	var next atomic.Pointer[Intercepted]
	seen := make(chan struct{}, 16)
	w := newWorld(t, func(cfg *Config) {
		cfg.Intercept = func(_ context.Context, op *Operation) Intercepted {
			if op.Kind == KindConnect {
				return Intercepted{}
			}
			defer func() { seen <- struct{}{} }()
			return *next.Load()
		}
	})
	p := w.pipe()
	next.Store(&Intercepted{Result: resultBusy, Diagnostic: "too much to do"})
	if rep := p.ask(rootDSEOp); rep.code != resultBusy || rep.text != "too much to do\x00" {
		t.Errorf("got %+v, want busy with its text", rep)
	}
	next.Store(&Intercepted{Drop: true})
	p.send(rootDSEOp)
	for range 2 {
		<-seen // the search before and this one
	}
	next.Store(&Intercepted{Result: resultUnavailable})
	if rep := p.ask(bindOp("", "")); rep.code != resultUnavailable {
		t.Errorf("got %+v, want unavailable", rep)
	}
	next.Store(&Intercepted{Reset: true})
	p.send(rootDSEOp)
	if rep := p.read(); rep != nil {
		t.Errorf("got %+v, want a closed connection", rep)
	}
	if got := w.traced(KindSearch); len(got) != 1 || got[0].ResultName != "busy" {
		t.Errorf("got %+v, want the one search that was answered", got)
	}
}

func TestInterceptConnect(t *testing.T) {
	var next atomic.Pointer[Intercepted]
	w := newWorld(t, func(cfg *Config) {
		cfg.Intercept = func(_ context.Context, op *Operation) Intercepted { return *next.Load() }
	})
	addr := w.listen((*Server).Serve)
	next.Store(&Intercepted{Reset: true})
	if c, err := net.Dial("tcp", addr); err == nil { // else it was reset already
		if n, err := c.Read(make([]byte, 1)); err == nil {
			t.Errorf("got %d octets, want a closed connection", n)
		}
		c.Close()
	}
	next.Store(&Intercepted{Result: resultUnavailable})
	p := w.dial(addr)
	if rep := p.read(); rep == nil || rep.name != oidNoticeOfDisconnection || rep.code != resultUnavailable {
		t.Errorf("got %+v, want a notice of disconnection", rep)
	}
}

// TestPanic: a panic costs one request, one in Trace the connection, never more.
func TestPanic(t *testing.T) {
	var inTrace atomic.Bool
	w := newWorld(t, func(cfg *Config) {
		trace := cfg.Trace
		cfg.Intercept = func(_ context.Context, op *Operation) Intercepted {
			if op.Kind == KindSearch || op.Kind == KindExtended {
				panic("intercepted " + string(op.Kind))
			}
			return Intercepted{}
		}
		cfg.Trace = func(ctx context.Context, op Operation) {
			if inTrace.Load() && op.Kind != KindConnect {
				panic("traced")
			}
			trace(ctx, op)
		}
	})
	p := w.pipe()
	for _, op := range [][]byte{rootDSEOp, extendedOp(oidWhoAmI, nil)} {
		if rep := p.ask(op); rep.code != resultOther {
			t.Errorf("got %+v, want other", rep)
		}
	}
	if rep := p.ask(bindOp("", "")); rep.code != 0 {
		t.Errorf("got %+v, want success", rep)
	}
	if ops := w.traced(KindSearch); len(ops) != 1 || ops[0].Fault == nil || ops[0].Fault.Error() != "panic: intercepted search" {
		t.Errorf("got %+v, want one search with the panic as its fault", ops)
	}
	inTrace.Store(true)
	p.send(rootDSEOp)
	if rep := p.read(); rep != nil {
		t.Errorf("got %+v, want the end", rep)
	}
	other := w.pipe()
	inTrace.Store(false)
	if rep := other.ask(bindOp("", "")); rep.code != 0 {
		t.Errorf("got %+v, want success on another connection", rep)
	}
}

func TestSlowClients(t *testing.T) {
	w := newWorld(t, func(cfg *Config) {
		cfg.ReceiveTimeout = 50 * time.Millisecond
		cfg.IdleTimeout = 50 * time.Millisecond
	})
	addr := w.listen((*Server).Serve)
	tests := []struct {
		name string
		do   func(*peer)
	}{
		{"never sends", func(p *peer) {}},
		{"half a message", func(p *peer) { p.write(envelope(1, rootDSEOp)[:10]) }},
		{"idle after a request", func(p *peer) { p.ask(rootDSEOp) }},
		{"half the second message", func(p *peer) { p.ask(rootDSEOp); p.write(envelope(2, rootDSEOp)[:10]) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := w.dial(addr)
			tt.do(p)
			if rep := p.read(); rep != nil {
				t.Errorf("got %+v, want a closed connection", rep)
			}
		})
	}
}

// TestSilentTLSClient: neither a handshake that does not come nor one that stops holds a connection.
func TestSilentTLSClient(t *testing.T) {
	w := newTLSWorld(t, func(cfg *Config) { cfg.ReceiveTimeout = 50 * time.Millisecond })
	for name, addr := range map[string]string{"LDAPS": w.listen((*Server).ServeTLS), "GC over TLS": w.listen((*Server).ServeGCTLS)} {
		for _, begin := range []string{"", "\x16\x03\x01\x00\x80\x01"} {
			p := w.dial(addr)
			p.write([]byte(begin))
			if rep := p.read(); rep != nil {
				t.Errorf("%s after % x: got %+v, want a closed connection", name, begin, rep)
			}
		}
	}
}

// exhausted is a listener that has no file descriptors left for a while.
type exhausted struct {
	net.Listener
	failures int
}

func (l *exhausted) Accept() (net.Conn, error) {
	if l.failures > 0 {
		l.failures--
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

func TestAcceptFailsForAWhile(t *testing.T) {
	w := newWorld(t, nil)
	addr := w.listen(func(s *Server, ctx context.Context, l net.Listener) error {
		return s.Serve(ctx, &exhausted{Listener: l, failures: 3})
	})
	if rep := w.dial(addr).ask(rootDSEOp); rep.code != 0 {
		t.Errorf("got %+v, want success", rep)
	}
}

// TestClientThatNeverReads loses its connection; others are served meanwhile.
func TestClientThatNeverReads(t *testing.T) {
	ended := make(chan struct{})
	w := newWorld(t, func(cfg *Config) {
		cfg.WriteTimeout = 100 * time.Millisecond
		trace := cfg.Trace
		cfg.Trace = func(ctx context.Context, op Operation) {
			trace(ctx, op)
			if op.Kind == KindSearch && op.Account != "" && op.Result == resultOther {
				select {
				case <-ended:
				default:
					close(ended)
				}
			}
		}
	})
	objects := make([]directory.AddRequest, 900)
	for i := range objects {
		objects[i] = user(fmt.Sprintf("reader%03d", i), alicePassword, directory.Text("description", strings.Repeat("x", 1000)))
	}
	w.populate(objects...)
	addr := w.listen((*Server).Serve)
	p := w.dial(addr)
	p.ask(bindOp(administrator, adminPassword))
	p.conn.(*net.TCPConn).SetReadBuffer(4096)
	for range 15 {
		p.send(searchOp(contoso, directory.Subtree, present("description"), "description"))
	}
	other := w.dial(addr)
	if rep := other.ask(rootDSEOp); rep.code != 0 {
		t.Errorf("got %+v, want success", rep)
	}
	<-ended
}

func TestMaxConnections(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.MaxConnections = 2 })
	addr := w.listen((*Server).Serve)
	first, second := w.dial(addr), w.dial(addr)
	first.ask(rootDSEOp)
	second.ask(rootDSEOp)
	third := w.dial(addr)
	if rep := third.read(); rep == nil || rep.code != resultBusy || rep.name != oidNoticeOfDisconnection {
		t.Errorf("got %+v, want a notice of disconnection that says busy", rep)
	}
	if rep := third.read(); rep != nil {
		t.Errorf("got %+v, want the end", rep)
	}
	if rep := first.ask(rootDSEOp); rep.code != 0 {
		t.Errorf("got %+v, want success", rep)
	}
}

// TestClose: clients learn of it, requests that run are cancelled, nothing is left.
func TestClose(t *testing.T) {
	started := make(chan struct{})
	w := newWorld(t, func(cfg *Config) {
		cfg.Intercept = func(ctx context.Context, op *Operation) Intercepted {
			if op.Kind == KindExtended {
				close(started)
				<-ctx.Done()
			}
			return Intercepted{}
		}
	})
	addr := w.listen((*Server).Serve)
	idle, busy, silent, inside := w.dial(addr), w.dial(addr), w.dial(addr), w.pipe()
	idle.ask(rootDSEOp)
	inside.ask(rootDSEOp)
	_ = silent
	busy.send(extendedOp(oidWhoAmI, nil))
	<-started
	if err := w.srv.Close(); err != nil {
		t.Fatal(err)
	}
	noGoroutines(t)
	if rep := idle.read(); rep == nil || rep.code != resultUnavailable || rep.name != oidNoticeOfDisconnection {
		t.Errorf("got %+v, want a notice of disconnection", rep)
	}
	if err := <-inside.done; err != nil {
		t.Errorf("ServeConn: got %v, want nil", err)
	}
	ours, theirs := net.Pipe()
	if err := w.srv.ServeConn(context.Background(), theirs); err != ErrClosed {
		t.Errorf("ServeConn after Close: got %v, want ErrClosed", err)
	}
	if _, err := ours.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the connection is still open: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.srv.Serve(context.Background(), l); err != ErrClosed {
		t.Errorf("Serve after Close: got %v, want ErrClosed", err)
	}
}

// TestContextEnds: the context of Serve ends the listener and its connections.
func TestContextEnds(t *testing.T) {
	w := newWorld(t, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.srv.Serve(ctx, l) }()
	p := w.dial(l.Addr().String())
	p.ask(rootDSEOp)
	cancel()
	if err := <-done; err != context.Canceled {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if rep := p.read(); rep != nil {
		t.Errorf("got %+v, want a closed connection", rep)
	}
}

// TestGoLDAP is more than 128 operations of go-ldap on one connection, over each protection it has.
func TestGoLDAP(t *testing.T) {
	w := newTLSWorld(t, nil)
	plain, secure := w.listen((*Server).Serve), w.listen((*Server).ServeTLS)
	dial := map[string]func() (*ldap.Conn, error){
		"plain": func() (*ldap.Conn, error) { return ldap.DialURL("ldap://" + plain) },
		"ldaps": func() (*ldap.Conn, error) {
			return ldap.DialURL("ldaps://"+secure, ldap.DialWithTLSConfig(w.clientTLS()))
		},
		"StartTLS": func() (*ldap.Conn, error) {
			c, err := ldap.DialURL("ldap://" + plain)
			if err == nil {
				err = c.StartTLS(w.clientTLS())
			}
			return c, err
		},
	}
	for name, dial := range dial {
		t.Run(name, func(t *testing.T) {
			c, err := dial()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.Bind("alice@contoso.com", alicePassword); err != nil {
				t.Fatal(err)
			}
			for i := range 300 {
				typesOnly := i%2 == 1
				got, err := c.Search(ldap.NewSearchRequest(contoso, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, typesOnly,
					"(sAMAccountName=alice)", []string{"sAMAccountName"}, []ldap.Control{ldap.NewControlManageDsaIT(false)}))
				if err != nil {
					t.Fatalf("search %d: %v", i, err)
				}
				want := "alice"
				if typesOnly {
					want = ""
				}
				if len(got.Entries) != 1 || got.Entries[0].GetAttributeValue("sAMAccountName") != want {
					t.Fatalf("search %d: got %v, want one entry with sAMAccountName %q", i, got.Entries, want)
				}
			}
			who, err := c.WhoAmI(nil)
			if err != nil || who.AuthzID != `u:CONTOSO\alice` {
				t.Errorf("got %v, %v, want u:CONTOSO\\alice", who, err)
			}
		})
	}
}

// octetConn is a connection that brings octets and takes everything.
type octetConn struct {
	net.Conn
	in io.Reader
}

func (c *octetConn) Read(p []byte) (int, error)       { return c.in.Read(p) }
func (c *octetConn) Write(p []byte) (int, error)      { return len(p), nil }
func (c *octetConn) Close() error                     { return nil }
func (c *octetConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *octetConn) RemoteAddr() net.Addr             { return nil }
func (c *octetConn) SetDeadline(time.Time) error      { return nil }
func (c *octetConn) SetReadDeadline(time.Time) error  { return nil }
func (c *octetConn) SetWriteDeadline(time.Time) error { return nil }

func FuzzConn(f *testing.F) {
	w := newWorld(f, func(cfg *Config) { cfg.Trace = nil })
	f.Add(envelope(1, rootDSEOp))
	f.Add(append(envelope(1, bindOp(administrator, adminPassword)), envelope(2, searchOp(contoso, 2, equal("sAMAccountName", "alice")))...))
	f.Add(append(envelope(1, saslOp(mechanismSPNEGO, nil)), envelope(2, saslOp(mechanismSPNEGO, []byte("NTLMSSP\x00")))...))
	f.Add(append(envelope(1, extendedOp(oidStartTLS, nil)), 0x16, 3, 1))
	f.Add([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = w.srv.ServeConn(context.Background(), &octetConn{in: strings.NewReader(string(b))})
	})
}

// TestSameMessageIDAgain: a client may use an ID again as soon as it has the answer.
func TestSameMessageIDAgain(t *testing.T) {
	w := newWorld(t, nil)
	p := w.pipe()
	for range 200 {
		p.write(envelope(1, rootDSEOp))
		for {
			rep := p.read()
			if rep == nil || rep.id != 1 || rep.code != 0 {
				t.Fatalf("got %+v, want success of message 1", rep)
			}
			if rep.op == opSearchDone {
				break
			}
		}
	}
}

// BenchmarkConnections reports what a connection costs that has searched and is idle, the client's socket and goroutine stacks
// included.
func BenchmarkConnections(b *testing.B) {
	const n = 500
	w := newWorld(b, nil)
	addr := w.listen((*Server).Serve)
	msg := append(envelope(1, bindOp(administrator, adminPassword)), envelope(2, searchOp(contoso, directory.Subtree, equal("sAMAccountName", "alice"), "cn"))...)
	memory := func() uint64 {
		runtime.GC()
		runtime.GC() // what pools hold goes with the second one
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	for b.Loop() {
		before := memory()
		conns := make([]net.Conn, n)
		buf := make([]byte, 64<<10)
		for i := range conns {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			conns[i] = c
			if _, err := c.Write(msg); err != nil {
				b.Fatal(err)
			}
			for got := 0; !bytes.Contains(buf[:got], []byte{opSearchDone, 0x84}); {
				k, err := c.Read(buf[got:])
				if err != nil {
					b.Fatal(err)
				}
				got += k
			}
		}
		b.ReportMetric(float64(memory()-before)/n, "B/connection")
		runtime.KeepAlive(conns)
	}
}
