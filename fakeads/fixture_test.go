package fakeads

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakekdc/gss"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
	"github.com/gmsasim/gmsasim/fakekdc/pac"
)

const (
	contoso       = "DC=contoso,DC=com"
	administrator = "CN=Administrator,CN=Users," + contoso
	adminPassword = "Passw0rd!"
	alicePassword = "correct Horse 7"
)

var domainTime = time.Date(2019, 5, 3, 10, 0, 0, 0, time.UTC)

// world is a domain controller and its LDAP face.
type world struct {
	t      testing.TB
	forest *directory.Forest
	dc     *directory.Replica
	srv    *Server
	cert   *x509.Certificate
	pool   *x509.CertPool

	mu  sync.Mutex
	ops []Operation
}

// newWorld starts contoso.com with one user, alice. change may alter the
// configuration of the face.
func newWorld(t testing.TB, change func(*Config)) *world {
	t.Helper()
	w := &world{t: t}
	var err error
	w.forest, err = directory.New(directory.Config{Seed: 7, Domains: []directory.DomainConfig{{DNSName: "contoso.com", AdministratorPassword: adminPassword}}})
	if err != nil {
		t.Fatal(err)
	}
	w.populate(user("alice", alicePassword))
	w.dc = w.forest.DC("DC01")
	cfg := Config{
		Replica: w.dc, Now: func(context.Context) time.Time { return domainTime }, Rand: rand.NewChaCha8([32]byte{9}),
		Trace: func(_ context.Context, op Operation) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.ops = append(w.ops, op)
		},
	}
	if change != nil {
		change(&cfg)
	}
	cfg.Prompt = cfg.Intercept == nil // the tests' own wait
	if w.srv, err = NewServer(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.srv.Close(); err != nil {
			t.Error(err)
		}
		noGoroutines(t)
	})
	return w
}

func user(name, password string, more ...directory.Attribute) directory.AddRequest {
	return directory.AddRequest{DN: "CN=" + name + ",CN=Users," + contoso, Attributes: append([]directory.Attribute{
		directory.Text("objectClass", "user"), directory.Text("sAMAccountName", name), directory.Text("userAccountControl", "512"),
		{Name: "unicodePwd", Values: [][]byte{directory.EncodePassword(password)}},
	}, more...)}
}

func (w *world) populate(objects ...directory.AddRequest) {
	w.t.Helper()
	if err := w.forest.Populate("contoso.com", objects); err != nil {
		w.t.Fatal(err)
	}
}

// traced returns the operations of a kind so far.
func (w *world) traced(kind OperationKind) []Operation {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []Operation
	for _, op := range w.ops {
		if op.Kind == kind {
			list = append(list, op)
		}
	}
	return list
}

// noGoroutines fails when one of a server is still there. A goroutine may take a
// moment to end after it has said so.
func noGoroutines(t testing.TB) {
	t.Helper()
	b := make([]byte, 1<<20)
	var left string
	for range 1000 {
		left = ""
		for _, g := range strings.Split(string(b[:runtime.Stack(b, true)]), "\n\n") {
			if strings.Contains(g, "ldapserver.(*") || strings.Contains(g, "fakeads.(*conn)") {
				left = g
			}
		}
		if left == "" {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("goroutine after Close:\n%s", left)
}

// pipe connects in process.
func (w *world) pipe() *peer {
	w.t.Helper()
	ours, theirs := net.Pipe()
	done := make(chan error, 1)
	go func() { done <- w.srv.ServeConn(w.t.Context(), theirs) }()
	p := &peer{t: w.t, conn: ours, done: done}
	w.t.Cleanup(func() { ours.Close() })
	return p
}

// listen serves on a loopback port with the method given and returns its address.
func (w *world) listen(serve func(*Server, context.Context, net.Listener) error) string {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- serve(w.srv, context.Background(), l) }()
	w.t.Cleanup(func() {
		if err := w.srv.Close(); err != nil {
			w.t.Error(err)
		}
		if err := <-done; err != nil {
			w.t.Errorf("Serve: %v", err)
		}
	})
	return l.Addr().String()
}

func (w *world) dial(addr string) *peer {
	w.t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	return &peer{t: w.t, conn: c}
}

// peer is a client that speaks in octets.
type peer struct {
	t       testing.TB
	conn    net.Conn
	done    chan error // of ServeConn
	framing *gss.Framing
	raw     []byte
	plain   []byte
	buf     []byte
	id      int
}

// message is an answer taken apart.
type reply struct {
	id       int
	op       byte
	content  []byte
	octets   []byte
	code     int
	matched  string
	text     string
	creds    []byte // serverSaslCreds
	name     string
	value    []byte
	controls map[string][]byte
	dn       string // of an entry
	attrs    []directory.Attribute
}

func (p *peer) write(b []byte) {
	p.t.Helper()
	if p.framing != nil {
		var err error
		if b, err = p.framing.Seal(nil, b); err != nil {
			p.t.Fatal(err)
		}
	}
	if _, err := p.conn.Write(b); err != nil {
		p.t.Fatalf("write: %v", err)
	}
}

// envelope is an LDAPMessage around an operation.
func envelope(id int, op []byte, controls ...control) []byte {
	b, m := openElement(nil, tagSequence)
	b = appendNumber(b, tagInteger, id)
	b = append(b, op...)
	b = appendControls(b, controls)
	closeElement(b, m)
	return b
}

func (p *peer) send(op []byte, controls ...control) int {
	p.t.Helper()
	p.id++
	p.write(envelope(p.id, op, controls...))
	return p.id
}

// read returns the next answer, nil at the end of the connection.
func (p *peer) read() *reply {
	p.t.Helper()
	for {
		if _, head, size, err := header(p.plain); err != nil {
			p.t.Fatal(err)
		} else if head > 0 && len(p.plain) >= head+size {
			msg := p.plain[:head+size]
			p.plain = p.plain[head+size:]
			return parseReply(p.t, msg)
		}
		if !p.more() {
			return nil
		}
	}
}

// more receives what comes next, false at the end of the connection.
func (p *peer) more() bool {
	p.t.Helper()
	for {
		if p.framing != nil {
			plain, n, err := p.framing.Open(p.plain, p.raw)
			if err != nil {
				p.t.Fatal(err)
			}
			if n > 0 {
				p.plain, p.raw = plain, p.raw[n:]
				return true
			}
		}
		if p.buf == nil {
			p.buf = make([]byte, 64<<10)
			p.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		}
		n, err := p.conn.Read(p.buf)
		if n == 0 {
			if err == io.EOF || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "reset") {
				return false
			}
			p.t.Fatalf("read: %v", err)
		}
		if p.framing == nil {
			p.plain = append(p.plain, p.buf[:n]...)
			return true
		}
		p.raw = append(p.raw, p.buf[:n]...)
	}
}

func parseReply(t testing.TB, msg []byte) *reply {
	t.Helper()
	outer := reader{b: msg}
	m := outer.in(tagSequence, "message")
	rep := &reply{id: m.number(tagInteger, maxMessageID, "id"), controls: map[string][]byte{}}
	rep.op, rep.content, _ = m.any()
	rep.octets = msg
	r := reader{b: rep.content}
	switch rep.op {
	case opSearchEntry:
		rep.dn = r.text("dn")
		d := decoder{}
		rep.attrs = d.attributes(&r)
	case opSearchReference:
		rep.name = r.text("uri")
	default:
		rep.code = r.number(tagEnumerated, 255, "result")
		rep.matched, rep.text = r.text("matchedDN"), r.text("diagnostic")
		for r.more() {
			switch tag, b, _ := r.any(); tag {
			case tagContext | 7:
				rep.creds = b
			case tagContext | 10:
				rep.name = string(b)
			case tagContext | 11:
				rep.value = b
			}
		}
	}
	if m.more() {
		var req request
		d := decoder{}
		if err := d.controls(&req, &m); err != nil {
			t.Fatalf("controls of the answer: %v", err)
		}
		for _, c := range req.controls {
			rep.controls[c.oid] = c.value
		}
	}
	for _, err := range []error{outer.err, m.err, r.err} {
		if err != nil {
			t.Fatalf("answer % x: %v", msg, err)
		}
	}
	return rep
}

// ask sends a request and returns its answer, after any entries.
func (p *peer) ask(op []byte, controls ...control) *reply {
	p.t.Helper()
	rep, _ := p.collect(op, controls...)
	return rep
}

// collect is ask that keeps entries and references.
func (p *peer) collect(op []byte, controls ...control) (*reply, []*reply) {
	p.t.Helper()
	id := p.send(op, controls...)
	var entries []*reply
	for {
		rep := p.read()
		if rep == nil {
			p.t.Fatal("the connection ended before the answer")
		}
		if rep.id != id {
			p.t.Fatalf("answer to message %d, want %d", rep.id, id)
		}
		if rep.op != opSearchEntry && rep.op != opSearchReference {
			return rep, entries
		}
		entries = append(entries, rep)
	}
}

func element(tag byte, parts ...[]byte) []byte {
	return appendOctets(nil, tag, bytes.Join(parts, nil))
}

func octets(s string) []byte { return element(tagOctets, []byte(s)) }

func number(tag byte, v int) []byte { return appendNumber(nil, tag, v) }

func bindOp(name, password string) []byte {
	return element(opBindRequest, number(tagInteger, 3), octets(name), element(tagContext, []byte(password)))
}

func saslOp(mechanism string, creds []byte) []byte {
	parts := [][]byte{octets(mechanism)}
	if creds != nil {
		parts = append(parts, element(tagOctets, creds))
	}
	return element(opBindRequest, number(tagInteger, 3), octets(""), element(tagContext|constructed|3, parts...))
}

func searchOp(base string, scope int, filter []byte, attrs ...string) []byte {
	var list []byte
	for _, a := range attrs {
		list = append(list, octets(a)...)
	}
	return element(opSearchRequest, octets(base), number(tagEnumerated, scope), number(tagEnumerated, 0), number(tagInteger, 0),
		number(tagInteger, 0), []byte{tagBoolean, 1, 0}, filter, element(tagSequence, list))
}

func extendedOp(oid string, value []byte) []byte {
	parts := [][]byte{element(tagContext, []byte(oid))}
	if value != nil {
		parts = append(parts, element(tagContext|1, value))
	}
	return element(opExtendedRequest, parts...)
}

func present(attr string) []byte { return element(tagContext|7, []byte(attr)) }

func equal(attr, value string) []byte {
	return element(tagContext|constructed|3, octets(attr), octets(value))
}

var rootDSEOp = searchOp("", directory.BaseObject, present("objectClass"), "currentTime")

// certificate is one for dc01.contoso.com and 127.0.0.1.
func (w *world) certificate() tls.Certificate {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "dc01.contoso.com"}, DNSNames: []string{"dc01.contoso.com"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(crand.Reader, template, template, key.Public(), key)
	if err != nil {
		w.t.Fatal(err)
	}
	if w.cert, err = x509.ParseCertificate(der); err != nil {
		w.t.Fatal(err)
	}
	w.pool = x509.NewCertPool()
	w.pool.AddCert(w.cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func newTLSWorld(t testing.TB, change func(*Config)) *world {
	t.Helper()
	authority := &world{t: t}
	cert := authority.certificate()
	w := newWorld(t, func(cfg *Config) {
		cfg.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
		if change != nil {
			change(cfg)
		}
	})
	w.cert, w.pool = authority.cert, authority.pool
	return w
}

func (w *world) clientTLS() *tls.Config {
	return &tls.Config{RootCAs: w.pool, ServerName: "dc01.contoso.com"}
}

// ticketOptions alters a ticket for the domain controller before it is encrypted.
type ticketOptions struct {
	sessionType int32
	serviceType int32
	noPAC       bool
	forged      bool // the PAC is signed with another key
	end         time.Time
	groups      []uint32
}

// ticket makes what alice's client got from a KDC for ldap/dc01.contoso.com: gokrb5
// encodes it.
func (w *world) ticket(o ticketOptions) gss.InitiatorConfig {
	w.t.Helper()
	if o.sessionType == 0 {
		o.sessionType = krbcrypt.AES256SHA1
	}
	if o.serviceType == 0 {
		o.serviceType = krbcrypt.AES256SHA1
	}
	if o.end.IsZero() {
		o.end = domainTime.Add(10 * time.Hour)
	}
	keys, err := w.srv.ownKeys(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	var service *krbcrypt.Key
	for _, k := range keys {
		if k.EType == o.serviceType {
			service = k
		}
	}
	if service == nil {
		w.t.Fatalf("the domain controller has no key of type %d", o.serviceType)
	}
	session, err := krbcrypt.RandomKey(o.sessionType, rand.NewChaCha8([32]byte{byte(o.sessionType)}))
	if err != nil {
		w.t.Fatal(err)
	}
	account, err := w.dc.AccountByName(directory.Principal, "alice")
	if err != nil {
		w.t.Fatal(err)
	}
	client := gss.Principal{NameType: 1, Components: []string{"alice"}, Realm: "CONTOSO.COM"}
	part := messages.EncTicketPart{
		Flags: asn1.BitString{Bytes: []byte{0x40, 0xa1, 0, 0}, BitLength: 32},
		Key:   types.EncryptionKey{KeyType: session.EType, KeyValue: session.Value}, CRealm: client.Realm,
		CName: types.PrincipalName{NameType: 1, NameString: client.Components}, AuthTime: domainTime.Add(-time.Minute),
		StartTime: domainTime.Add(-time.Minute), EndTime: o.end, RenewTill: o.end,
	}
	if !o.noPAC {
		signer := service
		if o.forged {
			if signer, err = krbcrypt.RandomKey(service.EType, rand.NewChaCha8([32]byte{66})); err != nil {
				w.t.Fatal(err)
			}
		}
		info := &pac.LogonInfo{
			EffectiveName: "alice", UserID: account.SID.RID(), PrimaryGroupID: 513, LogonDomainName: "CONTOSO",
			LogonDomainID: account.SID.Domain(), UserAccountControl: pac.UserNormalAccount,
		}
		for _, rid := range append([]uint32{513}, o.groups...) {
			info.Groups = append(info.Groups, pac.GroupMembership{RID: rid, Attributes: pac.GroupDefault})
		}
		p := &pac.PAC{LogonInfo: info, ClientInfo: &pac.ClientInfo{AuthTime: part.AuthTime, Name: "alice"}}
		b, err := p.Sign(pac.SignOptions{ServerKey: signer, KDCKey: service})
		if err != nil {
			w.t.Fatal(err)
		}
		inner, err := asn1.Marshal(types.AuthorizationData{{ADType: 128, ADData: b}})
		if err != nil {
			w.t.Fatal(err)
		}
		part.AuthorizationData = types.AuthorizationData{{ADType: 1, ADData: inner}}
	}
	b, err := asn1.Marshal(part)
	if err != nil {
		w.t.Fatal(err)
	}
	cipher, err := crypto.GetEncryptedData(asn1tools.AddASNAppTag(b, 3), types.EncryptionKey{KeyType: service.EType, KeyValue: service.Value}, 2, 1)
	if err != nil {
		w.t.Fatal(err)
	}
	ticket := messages.Ticket{TktVNO: 5, Realm: client.Realm, SName: types.PrincipalName{NameType: 2, NameString: []string{"ldap", "dc01.contoso.com"}}, EncPart: cipher}
	der, err := ticket.Marshal()
	if err != nil {
		w.t.Fatal(err)
	}
	var seed [32]byte
	w.mu.Lock()
	copy(seed[:], fmt.Sprint("initiator", len(w.ops)))
	w.mu.Unlock()
	return gss.InitiatorConfig{
		Ticket: der, SessionKey: session, Client: client, Now: func() time.Time { return domainTime }, Rand: rand.NewChaCha8(seed),
	}
}
