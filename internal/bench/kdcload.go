package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/asnAppTag"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// A principal is a client of the KDC under load.
type principal struct{ name, password, realm string }

// nonceMark is a nonce that occurs in no other place of a message. Its first octet keeps the encoding at four octets
// for every nonce that differs in the lower three.
const nonceMark = 0x5A5B5C5D

// errorTooBig is KRB_ERR_RESPONSE_TOO_BIG: come back over TCP.
const errorTooBig = 52

// An exchange makes the requests of one client, each with a nonce of its own, so that no server can answer from a memory of
// replies. Everything that can be made beforehand is.
type exchange interface {
	// next gives the request number n; the slice is good until the next call.
	next(n uint32) ([]byte, error)
	// tag is the first octet of the wanted reply.
	tag() byte
}

// asExchange is an AS exchange with an encrypted timestamp.
type asExchange struct {
	request []byte
	nonce   int
}

func (x *asExchange) tag() byte { return 0x60 | asnAppTag.ASREP }

func (x *asExchange) next(n uint32) ([]byte, error) {
	putNonce(x.request[x.nonce:], n)
	return x.request, nil
}

func putNonce(b []byte, n uint32) {
	b[1], b[2], b[3] = byte(n>>16), byte(n>>8), byte(n)
}

func clientConfig(realm string) *config.Config {
	c := config.New()
	c.LibDefaults.DefaultRealm = realm
	c.LibDefaults.DefaultTktEnctypeIDs = []int32{krbcrypt.AES256SHA1}
	c.LibDefaults.DefaultTGSEnctypeIDs = []int32{krbcrypt.AES256SHA1}
	return c
}

func newASExchange(p principal) (*asExchange, types.EncryptionKey, error) {
	cname := types.NewPrincipalName(nametype.KRB_NT_PRINCIPAL, p.name)
	req, err := messages.NewASReqForTGT(p.realm, clientConfig(p.realm), cname)
	if err != nil {
		return nil, types.EncryptionKey{}, err
	}
	etype, err := crypto.GetEtype(krbcrypt.AES256SHA1)
	if err != nil {
		return nil, types.EncryptionKey{}, err
	}
	value, err := etype.StringToKey(p.password, p.realm+p.name, etype.GetDefaultStringToKeyParams())
	if err != nil {
		return nil, types.EncryptionKey{}, err
	}
	key := types.EncryptionKey{KeyType: krbcrypt.AES256SHA1, KeyValue: value}
	stamp, err := types.GetPAEncTSEncAsnMarshalled()
	if err != nil {
		return nil, key, err
	}
	sealed, err := crypto.GetEncryptedData(stamp, key, keyusage.AS_REQ_PA_ENC_TIMESTAMP, 0)
	if err != nil {
		return nil, key, err
	}
	pa, err := sealed.Marshal()
	if err != nil {
		return nil, key, err
	}
	req.PAData = types.PADataSequence{{PADataType: patype.PA_ENC_TIMESTAMP, PADataValue: pa}}
	req.ReqBody.Nonce = nonceMark
	b, err := req.Marshal()
	if err != nil {
		return nil, key, err
	}
	at, err := markAt(b)
	return &asExchange{b, at}, key, err
}

func markAt(b []byte) (int, error) {
	mark := binary.BigEndian.AppendUint32(nil, nonceMark)
	i := bytes.Index(b, mark)
	if i < 0 || bytes.Contains(b[i+1:], mark) {
		return 0, errors.New("the nonce's place in the request is not certain")
	}
	return i, nil
}

// tgsExchange is a TGS exchange for one service name under one TGT.
type tgsExchange struct {
	request       []byte
	body          []byte // part of request
	nonce         int    // in body
	cipher        []byte // part of request: the sealed authenticator
	authenticator []byte
	checksum      []byte // part of authenticator
	session       *krbcrypt.Key
	sealed        []byte
	random        io.Reader
}

func (x *tgsExchange) tag() byte { return 0x60 | asnAppTag.TGSREP }

func (x *tgsExchange) next(n uint32) ([]byte, error) {
	putNonce(x.body[x.nonce:], n)
	copy(x.checksum, x.session.Checksum(nil, x.body, keyusage.TGS_REQ_PA_TGS_REQ_AP_REQ_AUTHENTICATOR_CHKSUM))
	var err error
	x.sealed, err = x.session.Encrypt(x.sealed[:0], x.authenticator, keyusage.TGS_REQ_PA_TGS_REQ_AP_REQ_AUTHENTICATOR, x.random)
	if err != nil {
		return nil, err
	}
	if copy(x.cipher, x.sealed) != len(x.sealed) {
		return nil, errors.New("sealed authenticator has another length than in the template")
	}
	return x.request, nil
}

func newTGSExchange(p principal, tgt messages.ASRep, service []string, random io.Reader) (*tgsExchange, error) {
	session, err := krbcrypt.NewKey(tgt.DecryptedEncPart.Key.KeyType, tgt.DecryptedEncPart.Key.KeyValue)
	if err != nil {
		return nil, err
	}
	x := &tgsExchange{session: session, random: random}
	body := messages.KDCReqBody{
		KDCOptions: types.NewKrbFlags(),
		Realm:      p.realm,
		SName:      types.PrincipalName{NameType: nametype.KRB_NT_SRV_INST, NameString: service},
		Till:       time.Now().UTC().Truncate(time.Second).Add(8 * time.Hour),
		Nonce:      nonceMark,
		EType:      []int32{krbcrypt.AES256SHA1},
	}
	plainBody, err := body.Marshal()
	if err != nil {
		return nil, err
	}
	auth := types.Authenticator{
		AVNO: 5, CRealm: p.realm, CName: tgt.CName,
		Cksum: types.Checksum{CksumType: krbcrypt.ChecksumAES256SHA1, Checksum: bytes.Repeat([]byte{0xA7}, 12)},
		Cusec: 1, CTime: time.Now().UTC().Truncate(time.Second),
	}
	if x.authenticator, err = auth.Marshal(); err != nil {
		return nil, err
	}
	i := bytes.Index(x.authenticator, auth.Cksum.Checksum)
	if i < 0 {
		return nil, errors.New("the checksum's place in the authenticator is not certain")
	}
	x.checksum = x.authenticator[i : i+12]
	placeholder := bytes.Repeat([]byte{0x5C}, session.CipherSize(len(x.authenticator)))
	ap := messages.APReq{
		PVNO: 5, MsgType: 14, APOptions: types.NewKrbFlags(), Ticket: tgt.Ticket,
		EncryptedAuthenticator: types.EncryptedData{EType: session.EType, Cipher: placeholder},
	}
	apBytes, err := ap.Marshal()
	if err != nil {
		return nil, err
	}
	req := messages.TGSReq{KDCReqFields: messages.KDCReqFields{
		PVNO: 5, MsgType: 12, PAData: types.PADataSequence{{PADataType: patype.PA_TGS_REQ, PADataValue: apBytes}}, ReqBody: body,
	}}
	if x.request, err = req.Marshal(); err != nil {
		return nil, err
	}
	at := bytes.LastIndex(x.request, plainBody)
	ct := bytes.Index(x.request, placeholder)
	if at < 0 || ct < 0 {
		return nil, errors.New("the parts of the request are not where they are expected")
	}
	x.body, x.cipher = x.request[at:at+len(plainBody)], x.request[ct:ct+len(placeholder)]
	x.nonce, err = markAt(x.body)
	return x, err
}

// A wire sends one request and reads one reply. The reply is good until the next call.
type wire interface {
	do(req []byte) ([]byte, error)
	io.Closer
}

const wireTimeout = 10 * time.Second

// patience is the deadline of a connection. Setting it costs as much as a request does, so it is moved now and then only.
type patience struct{ next time.Time }

func (p *patience) renew(c net.Conn) error {
	now := time.Now()
	if now.Before(p.next) {
		return nil
	}
	p.next = now.Add(wireTimeout / 2)
	return c.SetDeadline(now.Add(wireTimeout))
}

type udpWire struct {
	net.Conn
	patience
	buf []byte
}

func dialUDP(dial dialer, addr string) (wire, error) {
	c, err := dial("udp", addr)
	return &udpWire{Conn: c, buf: make([]byte, 64<<10)}, err
}

func (w *udpWire) do(req []byte) ([]byte, error) {
	if err := w.renew(w.Conn); err != nil {
		return nil, err
	}
	if _, err := w.Write(req); err != nil {
		return nil, err
	}
	n, err := w.Read(w.buf)
	return w.buf[:n], err
}

type tcpWire struct {
	net.Conn
	patience
	out, in []byte
}

func dialTCP(dial dialer, addr string) (wire, error) {
	c, err := dial("tcp", addr)
	return &tcpWire{Conn: c, in: make([]byte, 64<<10)}, err
}

func (w *tcpWire) do(req []byte) ([]byte, error) {
	if err := w.renew(w.Conn); err != nil {
		return nil, err
	}
	w.out = append(binary.BigEndian.AppendUint32(w.out[:0], uint32(len(req))), req...)
	if _, err := w.Write(w.out); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(w.Conn, w.in[:4]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(w.in)
	if n > uint32(len(w.in)) {
		return nil, fmt.Errorf("reply of %d octets", n)
	}
	_, err := io.ReadFull(w.Conn, w.in[:n])
	return w.in[:n], err
}

// reply checks that b is the wanted kind of reply.
func reply(b []byte, tag byte) error {
	if len(b) > 0 && b[0] == tag {
		return nil
	}
	var e messages.KRBError
	if err := e.Unmarshal(b); err != nil {
		return fmt.Errorf("neither reply nor KRB-ERROR: %x", b[:min(len(b), 32)])
	}
	return krbError(e.ErrorCode)
}

type krbError int32

func (e krbError) Error() string { return fmt.Sprintf("KRB-ERROR %d", int32(e)) }

// login gets a TGT.
func login(w wire, p principal) (messages.ASRep, error) {
	var rep messages.ASRep
	x, key, err := newASExchange(p)
	if err != nil {
		return rep, err
	}
	req, err := x.next(1)
	if err != nil {
		return rep, err
	}
	b, err := w.do(req)
	if err != nil {
		return rep, err
	}
	if err := reply(b, x.tag()); err != nil {
		return rep, err
	}
	if err := rep.Unmarshal(b); err != nil {
		return rep, err
	}
	plain, err := crypto.DecryptEncPart(rep.EncPart, key, keyusage.AS_REP_ENCPART)
	if err != nil {
		return rep, err
	}
	if _, err := asn1.UnmarshalWithParams(plain, &rep.DecryptedEncPart, fmt.Sprintf("application,explicit,tag:%v", asnAppTag.EncASRepPart)); err != nil {
		// MIT and others tag the part of an AS reply as that of a TGS reply, which RFC 4120 5.4.2 tells clients to accept.
		if _, err2 := asn1.UnmarshalWithParams(plain, &rep.DecryptedEncPart, fmt.Sprintf("application,explicit,tag:%v", asnAppTag.EncTGSRepPart)); err2 != nil {
			return rep, err
		}
	}
	return rep, nil
}

// kdcTarget is a KDC under load.
type kdcTarget struct {
	addr    string
	dialer  dialer // nil: net.Dial
	server  *server
	clients []principal
	service []string
}

// kdcRates measures AS and TGS exchanges with one client per principal, over UDP where the answers fit and over kept TCP connections where
// the KDC says that they do not.
func kdcRates(targets []kdcTarget, o options) (as, tgs []rate, err error) {
	var asLoads, tgsLoads []load
	defer func() {
		closeAll(asLoads)
		closeAll(tgsLoads)
	}()
	for _, t := range targets {
		asWorkers, tgsWorkers, err := t.workers()
		asLoads, tgsLoads = append(asLoads, load{asWorkers, t.server}), append(tgsLoads, load{tgsWorkers, t.server})
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", t.server.name, err)
		}
	}
	if as, err = measure(asLoads, o); err != nil {
		return nil, nil, fmt.Errorf("AS: %w", err)
	}
	if tgs, err = measure(tgsLoads, o); err != nil {
		return nil, nil, fmt.Errorf("TGS: %w", err)
	}
	return as, tgs, nil
}

// workers are the clients. Those made before an error are given too, to be closed.
func (t kdcTarget) workers() (as, tgs []worker, err error) {
	open, err := t.transport()
	if err != nil {
		return nil, nil, err
	}
	for i, p := range t.clients {
		wa, err := t.dial(open)
		if err != nil {
			return as, tgs, err
		}
		x, _, err := newASExchange(p)
		if err != nil {
			return as, tgs, errors.Join(err, wa.Close())
		}
		as = append(as, kdcWorker(wa, x))
		tgt, err := login(wa, p)
		if err != nil {
			return as, tgs, fmt.Errorf("sign-in of %s: %w", p.name, err)
		}
		xt, err := newTGSExchange(p, tgt, t.service, newRandom(uint64(i)))
		if err != nil {
			return as, tgs, err
		}
		wt, err := t.dial(open)
		if err != nil {
			return as, tgs, err
		}
		tgs = append(tgs, kdcWorker(wt, xt))
	}
	return as, tgs, nil
}

// A dialer is net.Dial, here or in another network namespace.
type dialer func(network, addr string) (net.Conn, error)

func (t kdcTarget) dial(open func(dialer, string) (wire, error)) (wire, error) {
	if t.dialer == nil {
		return open(net.Dial, t.addr)
	}
	return open(t.dialer, t.addr)
}

// transport finds out how to talk to the KDC.
func (t kdcTarget) transport() (func(dialer, string) (wire, error), error) {
	w, err := t.dial(dialUDP)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	_, err = login(w, t.clients[0])
	var code krbError
	switch {
	case err == nil:
		return dialUDP, nil
	case errors.As(err, &code) && code == errorTooBig:
		return dialTCP, nil
	default:
		return nil, fmt.Errorf("sign-in of %s over UDP: %w", t.clients[0].name, err)
	}
}

func kdcWorker(w wire, x exchange) worker {
	n := uint32(0)
	return worker{
		do: func() (int, error) {
			n++
			req, err := x.next(n)
			if err != nil {
				return 0, err
			}
			b, err := w.do(req)
			if err != nil {
				return 0, err
			}
			return 1, reply(b, x.tag())
		},
		close: func() { w.Close() },
	}
}
