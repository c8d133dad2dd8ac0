package simulator

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
)

// faces are the listeners for outside clients, all opened together when the first one is asked for: the records in DNS need the
// ports of all.
type faces struct {
	mu    sync.Mutex
	open  bool
	err   error
	byDC  map[*DC]*face
	dns   string
	stops []func() error // in the order of starting
	// published is byDC once all ports are known; DNS reads it.
	published atomic.Pointer[map[*DC]*face]
}

// face is one DC as outside clients reach it.
type face struct {
	address                       string
	ldap, ldaps, kdc, kpasswd, gc int // ports; gc 0: none

	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

func (f *face) at(port int) string { return net.JoinHostPort(f.address, strconv.Itoa(port)) }

// addressOf is the address on which a DC listens. With standard ports each DC needs its own.
func (d *Domain) addressOf(dc *DC) string {
	if !d.cfg.Listen.StandardPorts {
		return d.cfg.Listen.Address
	}
	a, err := netip.ParseAddr(d.cfg.Listen.Address)
	if err != nil {
		return d.cfg.Listen.Address
	}
	for _, o := range d.dcs {
		if o == dc {
			break
		}
		a = a.Next()
	}
	return a.String()
}

// Listen opens the listeners for outside clients, if they are not open: LDAP, LDAPS, Kerberos and kpasswd of each DC, and DNS. The
// methods that give addresses do so by themselves and panic when it fails, as net/http/httptest does.
func (d *Domain) Listen() error {
	f := &d.faces
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open || f.err != nil {
		return f.err
	}
	if d.ctx.Err() != nil {
		return errClosed
	}
	f.byDC = map[*DC]*face{}
	if f.err = d.openFaces(); f.err != nil {
		f.err = errors.Join(fmt.Errorf("listen: %w", f.err), f.stopLocked())
		return f.err
	}
	f.open = true
	return nil
}

func (f *faces) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = errClosed
	}
	f.open = false
	return f.stopLocked()
}

func (f *faces) stopLocked() error {
	var err error
	for i := len(f.stops) - 1; i >= 0; i-- {
		err = errors.Join(err, f.stops[i]())
	}
	f.stops = nil
	return err
}

// hangUp closes the connections of a DC.
func (f *faces) hangUp(dc *DC) {
	f.mu.Lock()
	face := f.byDC[dc]
	f.mu.Unlock()
	if face == nil {
		return
	}
	face.mu.Lock()
	conns := slices.Collect(maps.Keys(face.conns))
	face.mu.Unlock()
	for _, c := range conns {
		_ = c.Close() // the other side sees the end, which is the purpose
	}
}

// face gives a DC's addresses and opens the listeners for that; it panics when they cannot be opened.
func (d *Domain) face(dc *DC) *face {
	if err := d.Listen(); err != nil {
		panic("simulator: " + err.Error())
	}
	return d.faces.byDC[dc]
}

func (f *face) kdcAddr() string     { return f.at(f.kdc) }
func (f *face) kpasswdAddr() string { return f.at(f.kpasswd) }

// LDAPURL is ldap://address:port of the first DC. The listeners are opened when they are first asked for.
func (d *Domain) LDAPURL() string { return d.dcs[0].LDAPURL() }

// LDAPSURL is ldaps://address:port of the first DC.
func (d *Domain) LDAPSURL() string { return d.dcs[0].LDAPSURL() }

// KDCAddr is address:port of the first DC's KDC, for TCP and UDP.
func (d *Domain) KDCAddr() string { return d.dcs[0].KDCAddr() }

// KpasswdAddr is address:port of the first DC's password service, for TCP and UDP.
func (d *Domain) KpasswdAddr() string { return d.face(d.dcs[0]).kpasswdAddr() }

// DNSAddr is address:port of the DNS server, for TCP and UDP.
func (d *Domain) DNSAddr() string {
	d.face(d.dcs[0])
	return d.faces.dns
}

// LDAPURL is ldap://address:port of this DC, for TCP and, without a connection, UDP.
func (dc *DC) LDAPURL() string { f := dc.d.face(dc); return "ldap://" + f.at(f.ldap) }

// LDAPSURL is ldaps://address:port of this DC.
func (dc *DC) LDAPSURL() string { f := dc.d.face(dc); return "ldaps://" + f.at(f.ldaps) }

// KDCAddr is address:port of this DC's KDC, for TCP and UDP.
func (dc *DC) KDCAddr() string { return dc.d.face(dc).kdcAddr() }

// listenTCP opens a listener on a DC's address. A DC that is stopped takes connections and closes them at once, like a computer
// whose services are down.
func (f *face) listenTCP(dc *DC, port int) (net.Listener, int, error) {
	l, err := net.Listen("tcp", f.at(port))
	if err != nil {
		return nil, 0, err
	}
	return &faceListener{Listener: l, dc: dc, face: f}, l.Addr().(*net.TCPAddr).Port, nil
}

// listenBoth opens TCP and UDP on the same port of a DC's address.
func (f *face) listenBoth(dc *DC, port int) (net.Listener, net.PacketConn, int, error) {
	l, p, got, err := listenBoth(f.address, port)
	if err != nil {
		return nil, nil, 0, err
	}
	return &faceListener{Listener: l, dc: dc, face: f}, &facePacketConn{PacketConn: p, dc: dc}, got, nil
}

// portAttempts is how often another pair of ports is tried when the one that TCP got is taken for UDP.
const portAttempts = 16

// listenBoth opens TCP and UDP on the same port.
func listenBoth(address string, port int) (net.Listener, net.PacketConn, int, error) {
	for attempt := 1; ; attempt++ {
		l, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
		if err != nil {
			return nil, nil, 0, err
		}
		got := l.Addr().(*net.TCPAddr).Port
		p, err := net.ListenPacket("udp", net.JoinHostPort(address, strconv.Itoa(got)))
		if err == nil {
			return l, p, got, nil
		}
		err = errors.Join(err, l.Close())
		if port != 0 || attempt == portAttempts {
			return nil, nil, 0, err
		}
	}
}

// faceListener knows the connections of a DC, so that a stop ends them.
type faceListener struct {
	net.Listener
	dc   *DC
	face *face
}

func (l *faceListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if !l.dc.Running() {
			_ = c.Close() // nobody is there to talk to
			continue
		}
		fc := &faceConn{Conn: c, face: l.face}
		l.face.mu.Lock()
		if l.face.conns == nil {
			l.face.conns = map[net.Conn]struct{}{}
		}
		l.face.conns[fc] = struct{}{}
		l.face.mu.Unlock()
		return fc, nil
	}
}

type faceConn struct {
	net.Conn
	face *face
}

func (c *faceConn) Close() error {
	c.face.mu.Lock()
	delete(c.face.conns, c)
	c.face.mu.Unlock()
	return c.Conn.Close()
}

// facePacketConn loses what is sent to a DC that is stopped.
type facePacketConn struct {
	net.PacketConn
	dc *DC
}

func (c *facePacketConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.PacketConn.ReadFrom(b)
		if err != nil || c.dc.Running() {
			return n, from, err
		}
	}
}
