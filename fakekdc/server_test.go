package fakekdc

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
)

// serve starts a server of the lab on loopback: TCP and UDP for Kerberos.
func (l *lab) serve(t *testing.T, change ...func(*Server)) (s *Server, tcp, udp net.Addr) {
	t.Helper()
	l.k.Trace = nil
	s = NewServer(l.k)
	for _, f := range change {
		f(s)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Serve(t.Context(), listener); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	wg.Go(func() {
		if err := s.ServePacket(t.Context(), packets); err != nil {
			t.Errorf("ServePacket: %v", err)
		}
	})
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		wg.Wait()
	})
	return s, listener.Addr(), packets.LocalAddr()
}

func dial(t *testing.T, a net.Addr) net.Conn {
	t.Helper()
	c, err := net.Dial(a.Network(), a.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// send writes a request with its length and reads the answer.
func send(c net.Conn, req []byte) ([]byte, error) {
	if err := writeMessage(c, req); err != nil {
		return nil, err
	}
	return readMessage(c, nil)
}

func TestServerTCP(t *testing.T) {
	l := newLab(t)
	a := asAsk("alice")
	req := a.encode(a.body())
	want := l.k.Exchange(t.Context(), req)
	_, tcp, _ := l.serve(t)
	c := dial(t, tcp)
	for range 3 { // more than one request on a connection
		if got, err := send(c, req); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("got %x, %v, want %x", got, err, want)
		}
	}
	// A request that comes octet by octet.
	framed := binary.BigEndian.AppendUint32(nil, uint32(len(req)))
	for _, b := range append(framed, req...) {
		if _, err := c.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := readMessage(c, nil); err != nil || !bytes.Equal(got, want) {
		t.Errorf("octet by octet: got %x, %v", got, err)
	}
}

func TestServerUDP(t *testing.T) {
	l := newLab(t)
	a := asAsk("alice")
	req := a.encode(a.body())
	want := l.k.Exchange(t.Context(), req)
	password, salt := passwordOf("alice")
	a.padata = []paData{l.timestampOf(keyFor(t, 18, password, salt), l.now), {9999, make([]byte, 1000)}}
	big := a.encode(a.body())
	_, _, udp := l.serve(t)
	c := dial(t, udp)
	buf := make([]byte, 1<<16)
	for _, r := range [][]byte{[]byte("garbage gets no answer"), req} {
		if _, err := c.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	n, err := c.Read(buf)
	if err != nil || !bytes.Equal(buf[:n], want) {
		t.Errorf("got %x, %v, want %x", buf[:n], err, want)
	}
	if _, err := c.Write(big); err != nil {
		t.Fatal(err)
	}
	if n, err = c.Read(buf); err != nil {
		t.Fatal(err)
	}
	if buf[0] == tagApplication+msgASRep && n > MaxUDP {
		t.Errorf("got an answer of %d octets, the limit is %d", n, MaxUDP)
	}
}

// TestUDPLimit is at and beyond 1465 octets.
func TestUDPLimit(t *testing.T) {
	l := newLab(t)
	spn := func(n int) string { return "host/" + string(bytes.Repeat([]byte("x"), n)) }
	tgt := l.tgt("alice")
	length := func(n int) (answer int, code ErrorCode) {
		l.d.named("web$").spns = []string{spn(n)}
		a := l.tgsAsk(tgt, spn(n))
		reply := l.k.Exchange(t.Context(), l.tgsRequest(a))
		l.k.ExchangeUDP(t.Context(), l.tgsRequest(l.tgsAsk(tgt, spn(n))))
		return len(reply), l.last.Code
	}
	l.k.Principals = l.d.MemPrincipals // without PACs an answer is short
	l.d.account("alice").Name = principal("alice")
	tgt = l.tgt("alice")
	at := -1
	for n := 300; n < 600; n++ {
		if size, _ := length(n); size >= MaxUDP-1 {
			at = n
			break
		}
	}
	if at < 0 {
		t.Fatal("no name makes an answer of 1465 octets")
	}
	for n := at; n < at+4; n++ {
		size, code := length(n)
		if (size > MaxUDP) != (code == ErrCodeResponseTooBig) {
			t.Errorf("answer of %d octets: got %v", size, code)
		}
	}
}

func TestServerRefusesLongMessages(t *testing.T) {
	l := newLab(t)
	_, tcp, _ := l.serve(t)
	for _, n := range []uint32{MaxRequest + 1, 1 << 31, 1<<32 - 1} {
		c := dial(t, tcp)
		if _, err := c.Write(binary.BigEndian.AppendUint32(nil, n)); err != nil {
			t.Fatal(err)
		}
		reply, err := readMessage(c, nil)
		if e := l.errorOf(reply); err != nil || e == nil || e.ErrorCode != int32(ErrCodeFieldTooLong) {
			t.Errorf("%d octets announced: got %x, %v, want %v", n, reply, err, ErrCodeFieldTooLong)
		}
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("%d octets announced: got %v, want the connection closed", n, err)
		}
	}
	// As long as allowed is read to the end.
	c := dial(t, tcp)
	longest := append([]byte{tagApplication + msgASReq}, make([]byte, MaxRequest-1)...)
	if reply, err := send(c, longest); err != nil || l.errorOf(reply) == nil {
		t.Errorf("longest request: got %x, %v", reply, err)
	}
}

func TestServerClosesOnGarbage(t *testing.T) {
	l := newLab(t)
	_, tcp, _ := l.serve(t)
	c := dial(t, tcp)
	if got, err := send(c, []byte("GET / HTTP/1.1")); !errors.Is(err, io.EOF) {
		t.Errorf("got %x, %v, want the connection closed", got, err)
	}
}

// TestServerIdle closes connections that send nothing, half a length, or half a request, however slowly they go on.
func TestServerIdle(t *testing.T) {
	l := newLab(t)
	_, tcp, _ := l.serve(t, func(s *Server) { s.IdleTimeout = 50 * time.Millisecond })
	for _, sent := range [][]byte{nil, {0, 0}, {0, 0, 1, 0, tagApplication + msgASReq}} {
		c := dial(t, tcp)
		if _, err := c.Write(sent); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("sent %x: got %v, want the connection closed", sent, err)
		}
	}
}

// TestServerClientThatNeverReads: its connection ends when the answers have filled what lies between, and others are served.
func TestServerClientThatNeverReads(t *testing.T) {
	l := newLab(t)
	a := asAsk("alice")
	req := a.encode(a.body())
	s, tcp, _ := l.serve(t, func(s *Server) { s.IdleTimeout = 300 * time.Millisecond })
	never := dial(t, tcp)
	framed := append(binary.BigEndian.AppendUint32(nil, uint32(len(req))), req...)
	var err error
	for err == nil { // until the server has given up
		_, err = never.Write(bytes.Repeat(framed, 64))
	}
	if got, err := send(dial(t, tcp), req); err != nil || len(got) == 0 {
		t.Errorf("another client: got %x, %v", got, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestServerMaxConns: the connection that has said nothing for longest makes room; one that talks stays.
func TestServerMaxConns(t *testing.T) {
	l := newLab(t)
	a := asAsk("alice")
	req := a.encode(a.body())
	_, tcp, _ := l.serve(t, func(s *Server) { s.MaxConns = 3 })
	silent := dial(t, tcp)
	busy := dial(t, tcp)
	for range 20 {
		if _, err := send(busy, req); err != nil {
			t.Fatal(err)
		}
		other := dial(t, tcp)
		if _, err := send(other, req); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := silent.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("silent connection: got %v, want it closed", err)
	}
	if _, err := send(busy, req); err != nil {
		t.Errorf("busy connection: got %v, want it open", err)
	}
}

// TestServerThousandConnections opens many more connections than are allowed; clients that talk are answered all the while.
func TestServerThousandConnections(t *testing.T) {
	l := newLab(t)
	a := asAsk("alice")
	req := a.encode(a.body())
	_, tcp, _ := l.serve(t, func(s *Server) { s.MaxConns = 100 })
	open := make([]net.Conn, 0, 400)
	defer func() {
		for _, c := range open {
			_ = c.Close()
		}
	}()
	for i := range cap(open) {
		c, err := net.Dial("tcp", tcp.String())
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
		if i%50 == 0 {
			if _, err := send(dial(t, tcp), req); err != nil {
				t.Fatalf("with %d connections open: %v", i, err)
			}
		}
	}
}

func TestServerStopsAndLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	l := newLab(t)
	l.k.Trace = nil
	a := asAsk("alice")
	req := a.encode(a.body())
	for i := range 50 {
		s := NewServer(l.k)
		ctx, cancel := context.WithCancel(context.Background())
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		packets, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := s.Serve(ctx, listener); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if err := s.ServePasswordPacket(ctx, packets); err != nil {
				t.Error(err)
			}
		})
		c, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := send(c, req); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			cancel() // either way it stops
			wg.Wait()
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("connection after Close: got it open")
		}
		_ = c.Close()
		cancel()
		late, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Serve(context.Background(), late); err != nil {
			t.Errorf("Serve after Close: got %v", err)
		}
		if _, err := late.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("listener given after Close: got %v, want it closed", err)
		}
	}
	// Goroutines of tests that ran before may end meanwhile, so only growth counts.
	if after := runtime.NumGoroutine(); after > before+2 {
		t.Errorf("goroutines: got %d, before there were %d", after, before)
	}
}

func TestServerDropsWhatInterceptDrops(t *testing.T) {
	l := newLab(t)
	l.k.Intercept = func(context.Context, *Exchange) Intercepted { return Intercepted{Drop: true} }
	a := asAsk("alice")
	_, tcp, _ := l.serve(t)
	if got, err := send(dial(t, tcp), a.encode(a.body())); !errors.Is(err, io.EOF) {
		t.Errorf("got %x, %v, want the connection closed", got, err)
	}
}

func TestTowards(t *testing.T) {
	v4, v6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("::1")
	if got := towards(v4, peer{udp: netip.MustParseAddrPort("192.0.2.9:1")}); got != v4 {
		t.Errorf("bound: got %v, want %v", got, v4)
	}
	if got := towards(netip.IPv6Unspecified(), peer{udp: netip.AddrPortFrom(v6, 1)}); got != v6 {
		t.Errorf("unbound, from loopback: got %v, want %v", got, v6)
	}
	if got := towards(netip.IPv4Unspecified(), peer{udp: netip.MustParseAddrPort("127.0.0.9:1")}); !got.IsLoopback() {
		t.Errorf("unbound, from loopback: got %v", got)
	}
}

// TestGokrb5Client is the client of most Go programs, with FAST negotiation as it has it by default: sign-in, tickets and a change of
// the password.
func TestGokrb5Client(t *testing.T) {
	l := newLab(t)
	l.k.Now, l.k.Rand = nil, nil // this client has the machine's clock
	s, tcp, _ := l.serve(t)
	passwords, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.ServePassword(t.Context(), passwords); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(wg.Wait)
	t.Cleanup(func() { _ = s.Close() })
	conf, err := config.NewFromString("[libdefaults]\n default_realm = CONTOSO.COM\n udp_preference_limit = 1\n forwardable = true\n" +
		"[realms]\n CONTOSO.COM = {\n  kdc = " + tcp.String() + "\n  kpasswd_server = " + passwords.Addr().String() + "\n }\n")
	if err != nil {
		t.Fatal(err)
	}
	cl := client.NewWithPassword("alice", testRealm, "Alice!2026", conf)
	if err := cl.Login(); err != nil {
		t.Fatal(err)
	}
	for _, spn := range []string{"host/web", "http/back.contoso.com", "ldap/dc01.contoso.com"} {
		ticket, _, err := cl.GetServiceTicket(spn)
		if err != nil || ticket.SName.PrincipalNameString() != spn {
			t.Errorf("%s: got %v, %v", spn, ticket.SName, err)
		}
	}
	if ok, err := cl.ChangePasswd("Fresh!2026"); !ok || err != nil {
		t.Fatalf("change of the password: got %v, %v", ok, err)
	}
	if err := client.NewWithPassword("alice", testRealm, "Fresh!2026", conf).Login(); err != nil {
		t.Errorf("with the new password: %v", err)
	}
	if err := client.NewWithPassword("alice", testRealm, "Alice!2026", conf).Login(); err == nil {
		t.Error("with the old password: got in")
	}
}

// pipeListener hands out connections that are no sockets, and an error when it has no more.
type pipeListener struct {
	conns  chan net.Conn
	failed error
	once   sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	c, ok := <-l.conns
	if !ok {
		return nil, l.failed
	}
	return c, nil
}

func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.conns) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{} }

// TestServerListenerOfItsOwnKind: whatever it says when it is closed, that is the end that was wanted; before, it is a failure, and
// connections are given up for it first.
func TestServerListenerOfItsOwnKind(t *testing.T) {
	l := newLab(t)
	l.k.Trace = nil
	a := asAsk("alice")
	for _, closed := range []bool{true, false} {
		s := NewServer(l.k)
		pipe := &pipeListener{conns: make(chan net.Conn), failed: errors.New("no more")}
		done := make(chan error, 1)
		go func() { done <- s.Serve(t.Context(), pipe) }()
		ours, theirs := net.Pipe()
		pipe.conns <- theirs
		if reply, err := send(ours, a.encode(a.body())); err != nil || len(reply) == 0 {
			t.Fatalf("got %x, %v", reply, err)
		}
		if closed {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		} else if err := pipe.Close(); err != nil {
			t.Error(err)
		}
		err := <-done
		if closed && err != nil || !closed && !errors.Is(err, pipe.failed) {
			t.Errorf("closed by the server: %v: got %v", closed, err)
		}
		if _, err := ours.Read(make([]byte, 1)); err == nil {
			t.Error("connection: got it open")
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// plainPackets hides that a socket is a UDP socket.
type plainPackets struct{ net.PacketConn }

// TestPasswordUDP changes a password over UDP, with sockets of both kinds.
func TestPasswordUDP(t *testing.T) {
	for _, plain := range []bool{false, true} {
		l := newLab(t)
		l.k.Trace = nil
		s := NewServer(l.k)
		packets, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := packets
		if plain {
			served = plainPackets{packets}
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := s.ServePasswordPacket(t.Context(), served); err != nil {
				t.Error(err)
			}
		})
		c := dial(t, packets.LocalAddr())
		a := l.changeAsk(l.changeTicket("alice"), "Fresh!2026")
		if _, err := c.Write(l.passwordRequest(a)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 1<<16)
		n, err := c.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if result, text, code := l.passwordAnswer(a, buf[:n]); result != PasswordSuccess {
			t.Errorf("got %d %q, %v", result, text, code)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
	}
}
