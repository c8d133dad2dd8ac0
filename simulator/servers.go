package simulator

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads"
	"github.com/gmsasim/gmsasim/fakekdc"
)

// newKDC makes the DC's KDC: its clock is the door's, its events go to the log, and faults strike its answers.
func (dc *DC) newKDC() *fakekdc.KDC {
	d := dc.d
	return &fakekdc.KDC{
		Realm: dc.dom.Realm, NetBIOSName: dc.dom.NetBIOSName, Principals: principals{dc},
		Now: dc.timeAt, Rand: newSeededRand(d.cfg.Seed, "KDC of "+dc.name), Policy: fakekdc.Policy{DefaultETypes: etypeBits(d.cfg.DefaultETypes), AllowedETypes: etypeBits(d.cfg.KDCETypes)},
		Level:     dc.kdcLevel,
		Trace:     dc.traceKDC,
		Intercept: dc.interceptKDC,
	}
}

// kdcOps are the kinds of exchange by the KDC's own.
var kdcOps = map[fakekdc.Kind]Op{fakekdc.KindAS: KDCAS, fakekdc.KindTGS: KDCTGS, fakekdc.KindPassword: Kpasswd}

// kdcText says what was asked for: client and server.
func kdcText(x *fakekdc.Exchange) string {
	var parts []string
	if len(x.Client.Parts) > 0 {
		parts = append(parts, x.Client.String()+"@"+x.ClientRealm)
	}
	if len(x.OnBehalfOf.Parts) > 0 && !x.OnBehalfOf.EqualFold(x.Client) {
		parts = append(parts, "on behalf of "+x.OnBehalfOf.String())
	}
	if len(x.Server.Parts) > 0 {
		parts = append(parts, "for "+x.Server.String())
	}
	return strings.Join(parts, " ")
}

func (dc *DC) traceKDC(ctx context.Context, x fakekdc.Exchange) {
	op, known := kdcOps[x.Kind]
	if !known {
		return // not even the beginning of a request
	}
	e := Event{Op: op, From: fromOf(ctx), To: dc.name, Text: kdcText(&x), Result: "ok"}
	switch {
	case x.Code != 0:
		e.Result, e.Code = x.Code.String(), int(x.Code)
		if x.Err != nil {
			e.Detail = strings.TrimPrefix(strings.TrimPrefix(x.Err.Error(), e.Result), ": ")
		}
	case x.Result != 0:
		e.Result, e.Code = fmt.Sprintf("kpasswd result %d", x.Result), int(x.Result)
		if x.Err != nil {
			e.Detail = x.Err.Error()
		}
	case x.Err != nil:
		e.Result, e.Code = "no answer", 1
	case x.Referral != "":
		e.Detail = "refers to " + x.Referral
	case x.TicketEType != 0:
		e.Detail = fmt.Sprintf("%s, kvno %d", etypeName(x.TicketEType), x.KeyVersion)
	}
	dc.d.event(e)
}

func (dc *DC) interceptKDC(ctx context.Context, x *fakekdc.Exchange) fakekdc.Intercepted {
	o, hit := dc.d.strike(kdcOps[x.Kind], fromOf(ctx), dc.name, kdcText(x))
	switch {
	case !hit:
		return fakekdc.Intercepted{}
	case o.kind == "krbError":
		return fakekdc.Intercepted{Code: fakekdc.ErrorCode(o.code)}
	}
	return fakekdc.Intercepted{Drop: true} // over TCP the connection is closed then, which is a reset too
}

// newLDAPServer makes the DC's LDAP server.
func (dc *DC) newLDAPServer() (*fakeads.Server, error) {
	d := dc.d
	return fakeads.NewServer(fakeads.Config{
		Replica: dc.replica, TLS: dc.lazyTLS(), Now: dc.timeAt, Rand: newSeededRand(d.cfg.Seed, "LDAP of "+dc.name),
		Trace: dc.traceLDAP, Intercept: dc.interceptLDAP, Prompt: true, RequireSigning: d.cfg.RequireSigning,
	})
}

// lazyTLS is the TLS side of a DC. The certificate is made when the first client asks for it: most domains never serve TLS. Session
// tickets are off: a client that does not read after the handshake, as Samba's, would wait for ever.
func (dc *DC) lazyTLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, SessionTicketsDisabled: true, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		a, err := dc.d.authority()
		if err != nil {
			return nil, err
		}
		return a.leaf(dc)
	}}
}

// ldapOps are the kinds of exchange by the LDAP server's own.
var ldapOps = map[fakeads.OperationKind]Op{
	"connect": LDAPConnect, "bind": LDAPBind, "search": LDAPSearch, "add": LDAPWrite, "modify": LDAPWrite, "modifyDN": LDAPWrite, "delete": LDAPWrite,
}

func ldapOp(kind fakeads.OperationKind) Op {
	if op, ok := ldapOps[kind]; ok {
		return op
	}
	return LDAPOther
}

// ldapText says what was asked for.
func ldapText(op *fakeads.Operation) string {
	switch op.Kind {
	case "connect", "search", "bind":
		return op.Text
	}
	return strings.TrimSpace(string(op.Kind) + " " + op.Text)
}

// ldapAccount is the account of a client from outside, which From does not tell.
func ldapAccount(from string, op *fakeads.Operation) string {
	if from == outside {
		return op.Account
	}
	return ""
}

func (dc *DC) traceLDAP(ctx context.Context, op fakeads.Operation) {
	from := fromOf(ctx)
	e := Event{Op: ldapOp(op.Kind), From: from, To: dc.name, Text: ldapText(&op), Result: "ok", Code: op.Result, Detail: op.Diagnostic}
	switch {
	case op.Result != 0:
		e.Result = op.ResultName
		if op.Fault != nil {
			e.Detail = strings.TrimSpace(op.Diagnostic + " (" + op.Fault.Error() + ")")
		}
	case len(op.Withheld) > 0:
		e.Result = resultAbsent
		e.Detail = strings.Join(op.Withheld, ", ") + " is not for this reader"
	}
	dc.d.eventBy(e, ldapAccount(from, &op))
	if op.NotModelled != "" {
		dc.d.event(Event{Op: opNotModelled, From: from, To: dc.name, Text: op.NotModelled})
	}
}

// resultAbsent is the result of a search that succeeds and leaves out what the reader may not see.
const resultAbsent = "attribute absent"

// Diagnostics of a DC that puts requests off: ERROR_DS_BUSY and ERROR_DS_UNAVAILABLE ([MS-ERREF] 2.2, [MS-ADTS] 3.1.1.1.9).
const (
	diagnosticBusy        = "0000200E: SvcErr: DSID-00000000, problem 5001 (BUSY), data 0\n\x00"
	diagnosticUnavailable = "0000200F: SvcErr: DSID-00000000, problem 5002 (UNAVAILABLE), data 0\n\x00"
)

func (dc *DC) interceptLDAP(ctx context.Context, op *fakeads.Operation) fakeads.Intercepted {
	if !dc.d.faulty() {
		return fakeads.Intercepted{}
	}
	from := fromOf(ctx)
	text := ldapText(op)
	if account := ldapAccount(from, op); account != "" {
		text += " as " + account
	}
	o, hit := dc.d.strike(ldapOp(op.Kind), from, dc.name, text)
	if !hit {
		return fakeads.Intercepted{}
	}
	var line *line
	if door := doorOf(ctx); door != nil {
		line = door.line
	}
	switch o {
	case Drop:
		line.lose("does not answer")
		return fakeads.Intercepted{Drop: true}
	case Reset:
		line.lose("closes the connection")
		return fakeads.Intercepted{Reset: true}
	case Busy:
		return fakeads.Intercepted{Result: o.code, Diagnostic: diagnosticBusy}
	case Unavailable:
		return fakeads.Intercepted{Result: o.code, Diagnostic: diagnosticUnavailable}
	}
	return fakeads.Intercepted{Result: o.code}
}

// openFaces opens the listeners of all DCs and of DNS. All sockets are there before anything is served, because the records in DNS
// name the ports of all.
func (d *Domain) openFaces() error {
	f := &d.faces
	var serve []func() error
	// The servers close what they serve; what was opened and never served is closed here.
	stop := func(c io.Closer) {
		f.stops = append(f.stops, func() error {
			if err := c.Close(); !errors.Is(err, net.ErrClosed) {
				return err
			}
			return nil
		})
	}
	port := func(standard int) int {
		if d.cfg.Listen.StandardPorts {
			return standard
		}
		return 0
	}
	for _, dc := range d.dcs {
		ldap, err := dc.ldapServer()
		if err != nil {
			return err
		}
		kdc := fakekdc.NewServer(dc.kdc)
		stop(kdc)
		fc := &face{address: d.addressOf(dc)}
		f.byDC[dc] = fc
		both := func(standard int, tcp func(context.Context, net.Listener) error, udp func(context.Context, net.PacketConn) error) (int, error) {
			l, p, got, err := fc.listenBoth(dc, port(standard))
			if err != nil {
				return 0, err
			}
			stop(l)
			stop(p)
			serve = append(serve, func() error { return tcp(d.ctx, l) }, func() error { return udp(d.ctx, p) })
			return got, nil
		}
		only := func(standard int, tcp func(context.Context, net.Listener) error) (int, error) {
			l, got, err := fc.listenTCP(dc, port(standard))
			if err != nil {
				return 0, err
			}
			stop(l)
			serve = append(serve, func() error { return tcp(d.ctx, l) })
			return got, nil
		}
		if fc.ldap, err = both(portLDAP, ldap.Serve, ldap.ServePacket); err != nil {
			return err
		}
		if fc.ldaps, err = only(portLDAPS, ldap.ServeTLS); err != nil {
			return err
		}
		if fc.kdc, err = both(portKDC, kdc.Serve, kdc.ServePacket); err != nil {
			return err
		}
		if fc.kpasswd, err = both(portKpasswd, kdc.ServePassword, kdc.ServePasswordPacket); err != nil {
			return err
		}
		if d.cfg.Listen.StandardPorts {
			if fc.gc, err = only(portGC, ldap.ServeGC); err != nil {
				return err
			}
		}
	}
	// DNS is the domain's, not one DC's: it answers from the first DC's address also when that DC is stopped.
	l, p, got, err := listenBoth(d.cfg.Listen.Address, port(portDNS))
	if err != nil {
		return err
	}
	stop(l)
	stop(p)
	serve = append(serve, func() error { return d.dns.Serve(d.ctx, l) }, func() error { return d.dns.ServePacket(d.ctx, p) })
	f.dns = net.JoinHostPort(d.cfg.Listen.Address, strconv.Itoa(got))
	f.published.Store(&f.byDC)
	d.zoneChanged()
	for _, s := range serve {
		d.serving.Go(func() { _ = s() }) // it ends when its socket is closed
	}
	return nil
}
