package fakeads

import (
	"net"
	"sync"

	"github.com/vjeantet/ldapserver"
)

// transport takes connections from a listener, whose type is *conn, and for each message
// that one of them has ready calls its dispatch on a goroutine of its own. It reads messages by the
// conn's Read and closes the conn when Read ends. It is the only part that knows
// which LDAP library we stand on.
type transport interface {
	// serve returns when Accept fails.
	serve(l net.Listener) error
	// stop ends after every connection has been closed and every dispatch has
	// returned. The connections' Read must have been made to end.
	stop()
}

// library is the transport on vjeantet/ldapserver. What a conn gives it to read
// are stand-ins: small well-formed messages whose ID is the number of the
// request that the conn keeps. What the library writes is thrown away.
type library struct {
	server *ldapserver.Server
	once   sync.Once
	ready  chan struct{} // the server's Listener is set
}

func init() {
	// The library logs every message in hexadecimal to standard output, and its
	// logger can be set only here without a race.
	ldapserver.Logger = ldapserver.DiscardingLogger
}

func newLibrary() *library {
	t := &library{server: ldapserver.NewServer(), ready: make(chan struct{})}
	t.server.Handle(t)
	return t
}

// ServeLDAP implements ldapserver.Handler.
func (t *library) ServeLDAP(_ ldapserver.ResponseWriter, m *ldapserver.Message) {
	m.Client.GetConn().(*conn).dispatch(m.MessageID().Int())
}

func (t *library) serve(l net.Listener) error {
	return t.server.Serve(&announcing{Listener: l, t: t})
}

func (t *library) stop() {
	<-t.ready
	t.server.Stop()
}

// announcing tells stop that the library knows its listener.
type announcing struct {
	net.Listener
	t *library
}

func (a *announcing) Accept() (net.Conn, error) {
	a.t.once.Do(func() { close(a.t.ready) })
	return a.Listener.Accept()
}

// standIn appends the message that stands for request number n: an abandon request, the shortest
// there is.
func standIn(b []byte, n int) []byte {
	start := len(b)
	b = append(b, tagSequence, 0)
	b = appendNumber(b, tagInteger, n)
	b = append(b, opAbandonRequest, 1, 1)
	b[start+1] = byte(len(b) - start - 2)
	return b
}
