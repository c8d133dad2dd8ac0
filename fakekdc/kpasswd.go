package fakekdc

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"runtime/debug"
	"time"
	"unicode/utf8"

	"github.com/gmsasim/gmsasim/fakeads/security"
	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// Versions of the password-change protocol, RFC 3244 2.
const (
	versionChange = 1
	versionSet    = 0xFF80
)

// maxPassword is the longest password in octets of UTF-8; Active Directory's are at most 256 characters, managed ones 128 of up to
// 4 octets.
const maxPassword = 1024

// ExchangePassword answers a request to the kpasswd service, RFC 3244, as bytes: the message without the length that TCP puts
// before it. The result is nil when Intercept dropped the request or when req is not even the head of a request.
func (k *KDC) ExchangePassword(ctx context.Context, req []byte) []byte {
	return k.exchangePassword(ctx, req, loopback, false)
}

// loopback is the sender's address of answers that no socket sends.
var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

func (k *KDC) exchangePassword(ctx context.Context, req []byte, local netip.Addr, udp bool) []byte {
	if len(req) < 6 {
		return nil
	}
	x := &passwordExchange{exchange: exchange{kdc: k, now: k.now(ctx), q: new(request)}, local: local}
	x.record.Time, x.record.Kind, x.record.UDP = x.now, KindPassword, udp
	x.record.Server, x.record.ServerRealm = kadminName, k.Realm
	reply, err := x.answer(ctx, req)
	if err != nil {
		x.record.Err = err
		if errors.Is(err, errDropped) {
			reply = nil
		} else {
			reply = x.errorReply(err)
		}
	}
	if k.Trace != nil {
		k.Trace(ctx, x.record)
	}
	return reply
}

var kadminName = Name{NameService, []string{"kadmin", "changepw"}}

// passwordExchange is the state of one password change.
type passwordExchange struct {
	exchange
	local netip.Addr
}

// unacceptable is a request that is answered without a security context: a KRB-ERROR whose e-data is the result.
type unacceptable struct {
	result uint16
	err    error
}

func (e *unacceptable) Error() string { return e.err.Error() }
func (e *unacceptable) Unwrap() error { return e.err }

func (x *passwordExchange) answer(ctx context.Context, req []byte) (reply []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			reply, err = nil, refuse(ErrCodeGeneric, "panic: %v\n%s", p, debug.Stack())
		}
	}()
	malformed := func(format string, args ...any) error {
		return &unacceptable{PasswordMalformed, refuse(ErrCodeModified, format, args...)}
	}
	if len(req) > MaxRequest {
		return nil, malformed("request is longer than %d octets", MaxRequest)
	}
	length, version, apLength := binary.BigEndian.Uint16(req), binary.BigEndian.Uint16(req[2:]), int(binary.BigEndian.Uint16(req[4:]))
	if int(length) != len(req) {
		return nil, malformed("the request says it has %d octets and has %d", length, len(req))
	}
	if version != versionChange && version != versionSet {
		return nil, &unacceptable{PasswordBadVersion, refuse(ErrCodeBadVersion, "version %#x", version)}
	}
	if apLength == 0 || apLength > len(req)-6 {
		return nil, malformed("an AP-REQ of %d octets in a request of %d", apLength, len(req))
	}
	ap, err := parseAPReq(req[6 : 6+apLength])
	if err != nil {
		return nil, malformed("AP-REQ: %w", err)
	}
	caller, a, err := x.accept(ctx, &ap)
	if err != nil {
		return nil, err
	}
	x.record.Client, x.record.ClientRealm = caller.cname, caller.crealm
	x.record.Flags = caller.flags
	if err := interceptor(x.kdc.Intercept).ask(ctx, &x.record); err != nil {
		return nil, err
	}
	key := caller.session
	if a.subkey != nil {
		key = a.subkey
	}
	data, err := x.openPriv(req[6+apLength:], key, a)
	if err != nil {
		return nil, err
	}
	result, text, err := x.change(ctx, caller, version, data)
	x.record.Result, x.record.Err = result, err
	return x.reply(caller, key, a, result, text)
}

// accept opens the AP-REQ: a ticket for kadmin/changepw and an authenticator, RFC 4120 3.2.3.
func (x *passwordExchange) accept(ctx context.Context, ap *apReq) (*ticketPart, *authenticator, error) {
	own, err := x.kdc.authority(ctx)
	if err != nil {
		return nil, nil, err
	}
	if !ap.ticket.sname.EqualFold(kadminName) || !x.kdc.isOwnRealm(ap.ticket.realm) {
		return nil, nil, refuse(ErrCodeNotUs, "a ticket for %v", ap.ticket.sname)
	}
	key, err := own.keys.find(&ap.ticket.enc)
	if err != nil {
		return nil, nil, err
	}
	part, err := decryptTicket(key, ap.ticket.enc.cipher)
	if err != nil {
		return nil, nil, err
	}
	if p := part.pac; p != nil {
		if err := p.Verify(key, nil, nil); err != nil {
			return nil, nil, refuse(ErrCodeModified, "%w", err)
		}
	}
	if err := x.checkTimes(part); err != nil {
		return nil, nil, err
	}
	a, err := x.openAuthenticator(&ap.authenticator, part, usageAPAuth)
	return part, a, err
}

// openPriv decrypts the KRB-PRIV of a request, RFC 4120 5.7, and gives its user data.
func (x *passwordExchange) openPriv(b []byte, key *krbcrypt.Key, a *authenticator) ([]byte, error) {
	bad := func(err error) error {
		return &unacceptable{PasswordMalformed, refuse(ErrCodeModified, "KRB-PRIV: %w", err)}
	}
	r := sequence(b, tagApplication+msgPriv)
	if v := r.integer(0); r.err == nil && v != 5 {
		r.fail("KRB-PRIV version")
	}
	if v := r.integer(1); r.err == nil && v != msgPriv {
		r.fail("KRB-PRIV message type")
	}
	enc := r.encrypted(3)
	if r.err != nil {
		return nil, bad(r.err)
	}
	plain, err := key.Decrypt(nil, enc.cipher, usagePriv)
	if err != nil {
		return nil, bad(err)
	}
	r = sequence(plain, tagApplication+msgEncPriv)
	data := r.octets(0)
	var at time.Time
	if r.next(tagContext + 1) {
		at = r.time(1)
	}
	if r.next(tagContext + 2) {
		at = at.Add(microseconds(r.integer(2)))
	}
	if r.next(tagContext + 3) {
		if seq := r.integer(3); r.err == nil && a.hasSeq && uint32(seq) != uint32(a.seq) {
			r.fail("sequence number")
		}
	}
	if r.err != nil { // addresses follow; networks translate them, so they are not looked at
		return nil, bad(r.err)
	}
	if d := x.now.Sub(at); !at.IsZero() && x.kdc.Policy.isSkewed(d) {
		return nil, refuse(ErrCodeSkew, "the client's clock is %v behind", d)
	}
	return data, nil
}

// change carries out the request and gives the result code and the text that goes with it.
func (x *passwordExchange) change(ctx context.Context, caller *ticketPart, version uint16, data []byte) (uint16, []byte, error) {
	password, name, realm, err := passwordData(version, data)
	if err != nil {
		return PasswordMalformed, nil, err
	}
	changer, ok := x.kdc.Principals.(PasswordChanger)
	if !ok {
		return PasswordHardError, []byte("passwords cannot be changed here"), errors.New("no PasswordChanger")
	}
	client, err := x.kdc.Principals.Client(ctx, caller.cname)
	if err != nil {
		return PasswordAuthError, nil, fmt.Errorf("client %v: %w", caller.cname, err)
	}
	target := client
	if len(name.Parts) > 0 {
		x.record.OnBehalfOf = name
		if realm != "" && !x.kdc.isOwnRealm(realm) {
			return PasswordHardError, []byte("no such user"), fmt.Errorf("target in realm %q", realm)
		}
		if target, err = x.kdc.Principals.Client(ctx, name); err != nil {
			return PasswordHardError, []byte("no such user"), fmt.Errorf("target %v: %w", name, err)
		}
	}
	if target.same(client) {
		// The ticket must show that the password was typed just now, RFC 3244 2.
		if !caller.has(flagInitial) {
			return PasswordInitialFlagRequired, nil, errors.New("the ticket was not got with the password")
		}
		err = changer.ChangePassword(ctx, client, password)
	} else {
		var sids []security.SID
		if caller.pac != nil {
			sids = caller.pac.SIDs()
		}
		err = changer.SetPassword(ctx, client, sids, target, password)
	}
	var refused *PasswordError
	switch {
	case err == nil:
		return PasswordSuccess, nil, nil
	case !errors.As(err, &refused):
		return PasswordHardError, nil, err
	case refused.Policy != nil:
		return refused.Result, refused.Policy.encode(), err
	}
	return refused.Result, []byte(refused.Text), err
}

// passwordData reads the new password and, of a set request, whose it is: ChangePasswdData, RFC 3244 2.
func passwordData(version uint16, data []byte) (password string, name Name, realm string, err error) {
	if version == versionSet {
		r := sequence(data)
		data = r.octets(0)
		if r.next(tagContext + 1) {
			name = r.name(1)
		}
		if r.next(tagContext + 2) {
			realm = r.text(2)
		}
		if r.err == nil && len(r.b) > 0 {
			r.fail("octets after the end")
		}
		if r.err != nil {
			return "", Name{}, "", fmt.Errorf("ChangePasswdData: %w", r.err)
		}
	}
	if len(data) > maxPassword {
		return "", Name{}, "", fmt.Errorf("password of %d octets", len(data))
	}
	if !utf8.Valid(data) {
		return "", Name{}, "", errors.New("password is not UTF-8")
	}
	return string(data), name, realm, nil
}

// encode is the policy as Active Directory sends it: 2 octets of 0, then five numbers, times in units of 100 ns. MIT's and Windows'
// clients read it (MIT krb5, krb5_chpw_message).
func (p *PasswordPolicy) encode() []byte {
	b := binary.BigEndian.AppendUint16(make([]byte, 0, 30), 0)
	b = binary.BigEndian.AppendUint32(b, p.MinLength)
	b = binary.BigEndian.AppendUint32(b, p.History)
	b = binary.BigEndian.AppendUint32(b, p.Properties)
	b = binary.BigEndian.AppendUint64(b, uint64(p.MaxAge/100))
	return binary.BigEndian.AppendUint64(b, uint64(p.MinAge/100))
}

// reply is an AP-REP and the result in a KRB-PRIV.
func (x *passwordExchange) reply(caller *ticketPart, key *krbcrypt.Key, a *authenticator, result uint16, text []byte) ([]byte, error) {
	seq := int64(uint32(a.seq)) // ours may start anywhere, so also where the client's does
	w := newWriter(64)
	w.integer(3, seq)
	w.integer(1, a.cusec)
	w.time(0, a.ctime)
	w.wrap(tagSequence, 0)
	w.wrap(tagApplication+msgEncAPRep, 0)
	cipher, err := caller.session.Encrypt(nil, w.bytes(), usageAPRep, random{x.kdc})
	if err != nil {
		return nil, err
	}
	w = newWriter(128)
	w.encrypted(2, encrypted{etype: caller.session.EType, cipher: cipher})
	w.integer(1, msgAPRep)
	w.integer(0, 5)
	w.wrap(tagSequence, 0)
	w.wrap(tagApplication+msgAPRep, 0)
	apRep := w.bytes()

	addressType, address := int64(2), x.local.AsSlice() // RFC 4120 7.5.3
	if x.local.Is6() {
		addressType = 24
	}
	w = newWriter(128 + len(text))
	w.octets(1, address)
	w.integer(0, addressType)
	w.wrap2(4, tagSequence, 0)
	w.integer(3, seq)
	w.integer(2, int64(x.now.Nanosecond()/1000))
	w.time(1, x.now)
	w.octets(0, resultData(result, text))
	w.wrap(tagSequence, 0)
	w.wrap(tagApplication+msgEncPriv, 0)
	if cipher, err = key.Encrypt(nil, w.bytes(), usagePriv, random{x.kdc}); err != nil {
		return nil, err
	}
	w = newWriter(len(cipher) + 64)
	w.encrypted(3, encrypted{etype: key.EType, cipher: cipher})
	w.integer(1, msgPriv)
	w.integer(0, 5)
	w.wrap(tagSequence, 0)
	w.wrap(tagApplication+msgPriv, 0)
	return passwordMessage(apRep, w.bytes()), nil
}

func resultData(result uint16, text []byte) []byte {
	return append(binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(text)), result), text...)
}

// passwordMessage is the frame of RFC 3244 2; answers always have version 1.
func passwordMessage(apRep, rest []byte) []byte {
	b := make([]byte, 0, 6+len(apRep)+len(rest))
	b = binary.BigEndian.AppendUint16(b, uint16(6+len(apRep)+len(rest)))
	b = binary.BigEndian.AppendUint16(b, versionChange)
	b = binary.BigEndian.AppendUint16(b, uint16(len(apRep)))
	return append(append(b, apRep...), rest...)
}

// errorReply is a KRB-ERROR whose e-data is the result code; a request that could not be authenticated has result 3.
func (x *passwordExchange) errorReply(err error) []byte {
	e := *asRefusal(err)
	result := PasswordAuthError
	var u *unacceptable
	switch {
	case errors.As(err, &u):
		result = u.result
	case e.code == ErrCodeGeneric:
		result = PasswordHardError
	}
	e.data = resultData(result, nil)
	x.record.Code, x.record.Status, x.record.Result = e.code, e.status, result
	return passwordMessage(nil, x.kdc.krbError(x.now, KindPassword, x.kdc.Realm, kadminName, &e))
}
