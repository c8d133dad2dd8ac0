package simulator

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// Principal name types (RFC 4120 6.2) and message numbers (RFC 4120 5.10, 7.5.7) that the client uses.
const (
	nameTypePrincipal = 1
	nameTypeSrvInst   = 2

	msgASReq    = 10
	msgASRep    = 11
	msgTGSReq   = 12
	msgTGSRep   = 13
	msgAPReq    = 14
	msgKRBError = 30

	tagEncASRepPart  = 25
	tagEncTGSRepPart = 26

	padataTGSReq       = 1
	padataEncTimestamp = 2
	padataETypeInfo2   = 19
	padataPACRequest   = 128
)

// Key usages (RFC 4120 7.5.1).
const (
	usagePATimestamp     = 1
	usageTicket          = 2
	usageASRep           = 3
	usageTGSReqChecksum  = 6
	usageTGSReqAuth      = 7
	usageTGSRepSession   = 8
	maxReferrals         = 8
	padataETypeInfoLimit = 16
)

// KDC options (RFC 4120 5.4.1).
const (
	optForwardable  = 1 << 30
	optRenewable    = 1 << 23
	optCanonicalize = 1 << 16
	optRenewableOK  = 1 << 4
	optRenew        = 1 << 1
)

// Encryption types (RFC 3961, 4757) by the names that administrators use.
const (
	etypeAES128 = 17
	etypeAES256 = 18
	etypeRC4    = 23
)

func etypeName(etype int32) string {
	switch etype {
	case etypeAES128:
		return "AES128"
	case etypeAES256:
		return "AES256"
	case etypeRC4:
		return "RC4"
	}
	return fmt.Sprintf("etype %d", etype)
}

// Kerberos error codes (RFC 4120 7.5.9) that the diagnosis and the client tell apart.
const (
	krbErrCPrincipalUnknown = 6
	krbErrSPrincipalUnknown = 7
	krbErrPolicy            = 12
	krbErrBadOption         = 13
	krbErrETypeNoSupp       = 14
	krbErrClientRevoked     = 18
	krbErrKeyExpired        = 23
	krbErrPreauthFailed     = 24
	krbErrPreauthRequired   = 25
	krbErrSvcUnavailable    = 29
	krbErrTicketExpired     = 32
	krbErrNotYetValid       = 33
	krbErrSkew              = 37
	krbErrModified          = 41
	krbErrGeneric           = 60
	krbErrWrongRealm        = 68
)

var krbErrNames = map[int]string{
	krbErrCPrincipalUnknown: "KDC_ERR_C_PRINCIPAL_UNKNOWN",
	krbErrSPrincipalUnknown: "KDC_ERR_S_PRINCIPAL_UNKNOWN",
	krbErrPolicy:            "KDC_ERR_POLICY",
	krbErrBadOption:         "KDC_ERR_BADOPTION",
	krbErrETypeNoSupp:       "KDC_ERR_ETYPE_NOSUPP",
	krbErrClientRevoked:     "KDC_ERR_CLIENT_REVOKED",
	krbErrKeyExpired:        "KDC_ERR_KEY_EXPIRED",
	krbErrPreauthFailed:     "KDC_ERR_PREAUTH_FAILED",
	krbErrPreauthRequired:   "KDC_ERR_PREAUTH_REQUIRED",
	krbErrSvcUnavailable:    "KDC_ERR_SVC_UNAVAILABLE",
	krbErrTicketExpired:     "KRB_AP_ERR_TKT_EXPIRED",
	krbErrNotYetValid:       "KRB_AP_ERR_TKT_NYV",
	35:                      "KRB_AP_ERR_NOT_US",
	36:                      "KRB_AP_ERR_BADMATCH",
	krbErrSkew:              "KRB_AP_ERR_SKEW",
	krbErrModified:          "KRB_AP_ERR_MODIFIED",
	44:                      "KRB_AP_ERR_BADKEYVER",
	52:                      "KRB_ERR_RESPONSE_TOO_BIG",
	krbErrGeneric:           "KRB_ERR_GENERIC",
	krbErrWrongRealm:        "KDC_ERR_WRONG_REALM",
}

func krbErrName(code int) string {
	if n, ok := krbErrNames[code]; ok {
		return n
	}
	return fmt.Sprintf("KRB-ERROR %d", code)
}

// krbError is a KRB-ERROR as a client gets it.
type krbError struct {
	code int
	data []byte // e-data
	// stime is the KDC's clock.
	stime time.Time
	// crealm is the client realm that a KDC_ERR_WRONG_REALM names.
	crealm string
	dc     string // that sent it
}

func (e *krbError) Error() string { return fmt.Sprintf("%s (%d)", krbErrName(e.code), e.code) }

// credential is a ticket with what its holder needs to use it.
type credential struct {
	raw                         []byte // the ticket in DER
	key                         *krbcrypt.Key
	client, crealm              string
	server, srealm              string // server as sent back: class/host or krbtgt/REALM
	etype                       int32  // of the ticket's encrypted part
	kvno                        int
	flags                       uint32
	auth, start, end, renewTill time.Time
	dc                          string
}

func (c *credential) ticket() Ticket {
	return Ticket{
		Client: c.client + "@" + c.crealm, Server: c.server + "@" + c.srealm, EType: etypeName(c.etype), KVNO: c.kvno, Flags: c.flags,
		AuthTime: c.auth, StartTime: c.start, EndTime: c.end, RenewTill: c.renewTill, DC: c.dc, cred: c,
	}
}

// krbClient makes requests and reads replies; it has no socket. send carries a request to a KDC of realm and brings the reply.
type krbClient struct {
	rand   io.Reader
	now    func() time.Time // the client's own clock
	etypes []int32
	send   func(ctx context.Context, realm string, req []byte) (rep []byte, dc string, err error)
}

// secret gives the key of a principal for an encryption type and a salt.
type secret func(etype int32, salt string) (*krbcrypt.Key, error)

// nonce is 31 random bits, so that no peer takes it for negative.
func (c *krbClient) nonce() (uint32, error) {
	var b [4]byte
	if _, err := io.ReadFull(c.rand, b[:]); err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint32(b[:]) & 0x7fffffff, nil
}

func principalName(nameType int64, parts ...string) []byte {
	var names [][]byte
	for _, p := range parts {
		names = append(names, derString(p))
	}
	return tlv(tagSequence, field(0, derInt(nameType)), field(1, tlv(tagSequence, names...)))
}

func serverName(server string) []byte {
	return principalName(nameTypeSrvInst, strings.Split(server, "/")...)
}

func (c *krbClient) etypeList() []byte {
	var list [][]byte
	for _, e := range c.etypes {
		list = append(list, derInt(int64(e)))
	}
	return tlv(tagSequence, list...)
}

func padata(kind int64, value []byte) []byte {
	return tlv(tagSequence, field(1, derInt(kind)), field(2, tlv(tagOctetString, value)))
}

func encryptedData(etype int32, cipher []byte) []byte {
	return tlv(tagSequence, field(0, derInt(int64(etype))), field(2, tlv(tagOctetString, cipher)))
}

// farFuture is the till that Windows sends.
var farFuture = time.Date(2037, 9, 13, 2, 48, 5, 0, time.UTC)

// signIn is the AS exchange for a ticket-granting ticket: without pre-authentication first, as Windows begins, then with a
// timestamp under the key that the KDC's hints lead to (RFC 4120 3.1, 5.2.7.5).
func (c *krbClient) signIn(ctx context.Context, realm, client string, password secret) (*credential, error) {
	nonce, err := c.nonce()
	if err != nil {
		return nil, err
	}
	body := tlv(tagSequence,
		field(0, derFlags(optForwardable|optRenewable|optCanonicalize|optRenewableOK)),
		field(1, principalName(nameTypePrincipal, client)),
		field(2, derString(realm)),
		field(3, serverName("krbtgt/"+realm)),
		field(5, derTime(farFuture)),
		field(6, derTime(farFuture)),
		field(7, derInt(int64(nonce))),
		field(8, c.etypeList()))
	pac := padata(padataPACRequest, tlv(tagSequence, field(0, []byte{0x01, 0x01, 0xff}))) // KERB-PA-PAC-REQUEST, include-pac TRUE
	ask := func(pa ...[]byte) ([]byte, string, error) {
		return c.send(ctx, realm, tlv(application0+msgASReq, tlv(tagSequence,
			field(1, derInt(5)), field(2, derInt(msgASReq)), field(3, tlv(tagSequence, pa...)), field(4, body))))
	}
	rep, dc, err := ask(pac)
	if err != nil {
		return nil, err
	}
	var key *krbcrypt.Key
	if refusal := readKRBError(rep); refusal != nil {
		refusal.dc = dc
		if refusal.code != krbErrPreauthRequired {
			return nil, refusal
		}
		etype, salt, err := c.chooseEType(refusal.data)
		if err != nil {
			return nil, err
		}
		if key, err = password(etype, salt); err != nil {
			return nil, err
		}
		now := c.now()
		stamp := tlv(tagSequence, field(0, derTime(now)), field(1, derInt(int64(now.Nanosecond()/1000))))
		cipher, err := key.Encrypt(nil, stamp, usagePATimestamp, c.rand)
		if err != nil {
			return nil, err
		}
		if rep, dc, err = ask(padata(padataEncTimestamp, encryptedData(etype, cipher)), pac); err != nil {
			return nil, err
		}
		if refusal := readKRBError(rep); refusal != nil {
			refusal.dc = dc
			return nil, refusal
		}
	}
	return c.readReply(rep, msgASRep, nonce, usageASRep, dc, func(etype int32, salt string) (*krbcrypt.Key, error) {
		if key != nil && key.EType == etype {
			return key, nil
		}
		return password(etype, salt)
	})
}

// chooseEType picks the first entry of ETYPE-INFO2 that the client supports.
func (c *krbClient) chooseEType(methodData []byte) (int32, string, error) {
	etype, salt, ok := readETypeInfo2(methodData, c.etypes)
	if !ok {
		return 0, "", &krbError{code: krbErrETypeNoSupp}
	}
	return etype, salt, nil
}

// ticketFor is the TGS exchange: a ticket for server with the ticket-granting ticket tgt. Referrals to other realms are followed
// ([MS-KILE] 3.3.5.7.5, RFC 6806 8).
func (c *krbClient) ticketFor(ctx context.Context, tgt *credential, server string) (*credential, error) {
	for range maxReferrals {
		cred, err := c.tgs(ctx, tgt, server, optForwardable|optRenewable|optCanonicalize)
		if err != nil {
			return nil, err
		}
		next, referred := strings.CutPrefix(cred.server, "krbtgt/")
		if !referred || strings.EqualFold(cred.server, server) {
			return cred, nil
		}
		if strings.EqualFold(next, realmOf(tgt)) {
			return nil, fmt.Errorf("the KDC of %s refers to itself for %s", next, server)
		}
		tgt = cred
	}
	return nil, fmt.Errorf("more than %d referrals for %s", maxReferrals, server)
}

// renew is the TGS exchange that makes a ticket-granting ticket live on; what is in its PAC stays (RFC 4120 3.3.3).
func (c *krbClient) renew(ctx context.Context, tgt *credential) (*credential, error) {
	return c.tgs(ctx, tgt, tgt.server, optForwardable|optRenewable|optRenew)
}

// realmOf is the realm whose KDC takes a ticket-granting ticket.
func realmOf(tgt *credential) string {
	_, realm, _ := strings.Cut(tgt.server, "/")
	return realm
}

func (c *krbClient) tgs(ctx context.Context, tgt *credential, server string, options uint32) (*credential, error) {
	return c.ask(ctx, tgt, tgsRequest{server: serverName(server), options: options})
}

// tgsRequest is what differs between requests of the TGS exchange.
type tgsRequest struct {
	server  []byte // PrincipalName
	options uint32
	padata  [][]byte // beside the AP-REQ
	tickets [][]byte // additional tickets
}

func (c *krbClient) ask(ctx context.Context, tgt *credential, q tgsRequest) (*credential, error) {
	nonce, err := c.nonce()
	if err != nil {
		return nil, err
	}
	realm := realmOf(tgt)
	parts := [][]byte{
		field(0, derFlags(q.options)),
		field(2, derString(realm)),
		field(3, q.server),
		field(5, derTime(farFuture)),
		field(7, derInt(int64(nonce))),
		field(8, c.etypeList()),
	}
	if len(q.tickets) > 0 {
		parts = append(parts, field(11, tlv(tagSequence, q.tickets...)))
	}
	body := tlv(tagSequence, parts...)
	sum := tlv(tagSequence, field(0, derInt(int64(tgt.key.ChecksumType()))),
		field(1, tlv(tagOctetString, tgt.key.Checksum(nil, body, usageTGSReqChecksum))))
	ap, err := c.apReq(tgt, usageTGSReqAuth, sum)
	if err != nil {
		return nil, err
	}
	rep, dc, err := c.send(ctx, realm, tlv(application0+msgTGSReq, tlv(tagSequence,
		field(1, derInt(5)), field(2, derInt(msgTGSReq)), field(3, tlv(tagSequence, append([][]byte{padata(padataTGSReq, ap)}, q.padata...)...)), field(4, body))))
	if err != nil {
		return nil, err
	}
	if refusal := readKRBError(rep); refusal != nil {
		refusal.dc = dc
		return nil, refusal
	}
	return c.readReply(rep, msgTGSRep, nonce, usageTGSRepSession, dc, func(etype int32, _ string) (*krbcrypt.Key, error) {
		if etype != tgt.key.EType {
			return nil, fmt.Errorf("TGS-REP under encryption type %d, the session key has %d", etype, tgt.key.EType)
		}
		return tgt.key, nil
	})
}

// apReq is an AP-REQ with an authenticator (RFC 4120 5.5.1).
func (c *krbClient) apReq(cred *credential, usage uint32, checksum []byte) ([]byte, error) {
	now := c.now()
	parts := [][]byte{field(0, derInt(5)), field(1, derString(cred.crealm)), field(2, principalName(nameTypePrincipal, cred.client))}
	if checksum != nil {
		parts = append(parts, field(3, checksum))
	}
	parts = append(parts, field(4, derInt(int64(now.Nanosecond()/1000))), field(5, derTime(now)))
	cipher, err := cred.key.Encrypt(nil, tlv(application0+2, tlv(tagSequence, parts...)), usage, c.rand)
	if err != nil {
		return nil, err
	}
	return tlv(application0+msgAPReq, tlv(tagSequence,
		field(0, derInt(5)), field(1, derInt(msgAPReq)), field(2, derFlags(0)), field(3, cred.raw),
		field(4, encryptedData(cred.key.EType, cipher)))), nil
}

var errNonce = errors.New("reply to another request: the nonce differs")

// readReply opens an AS-REP or TGS-REP (RFC 4120 5.4.2).
func (c *krbClient) readReply(b []byte, msg int, nonce uint32, usage uint32, dc string, key secret) (*credential, error) {
	wrap := func(err error) error { return fmt.Errorf("reply of %s: %w", dc, err) }
	rep, err := derSequence(b, msg)
	if err != nil {
		return nil, wrap(err)
	}
	cred := &credential{dc: dc}
	if cred.crealm, err = readString(rep[3]); err != nil {
		return nil, wrap(err)
	}
	if cred.client, err = readName(rep[4]); err != nil {
		return nil, wrap(err)
	}
	if err := cred.readTicket(rep[5]); err != nil {
		return nil, wrap(err)
	}
	etype, _, cipher, err := readEncrypted(rep[6])
	if err != nil {
		return nil, wrap(err)
	}
	salt := ""
	if _, s, ok := readETypeInfo2(rep[2], []int32{etype}); ok {
		salt = s
	}
	k, err := key(etype, salt)
	if err != nil {
		return nil, wrap(err)
	}
	plain, err := k.Decrypt(nil, cipher, usage)
	if err != nil {
		return nil, wrap(err)
	}
	part, err := derSequence(plain, tagEncTGSRepPart)
	if err != nil && msg == msgASRep { // an AS-REP may carry either application tag (RFC 4120 5.4.2)
		part, err = derSequence(plain, tagEncASRepPart)
	}
	if err != nil {
		return nil, wrap(err)
	}
	n, err := readInt(part[2])
	if err != nil {
		return nil, wrap(err)
	}
	if uint32(n) != nonce {
		return nil, wrap(errNonce)
	}
	return cred, wrapNil(cred.readTimes(part), wrap)
}

func wrapNil(err error, wrap func(error) error) error {
	if err == nil {
		return nil
	}
	return wrap(err)
}

// readTicket keeps the ticket as it is and notes what is legible in it.
func (cred *credential) readTicket(b []byte) error {
	cred.raw = slices.Clone(b)
	t, err := derSequence(b, 1)
	if err != nil {
		return err
	}
	if cred.srealm, err = readString(t[1]); err != nil {
		return err
	}
	if cred.server, err = readName(t[2]); err != nil {
		return err
	}
	cred.etype, cred.kvno, _, err = readEncrypted(t[3])
	return err
}

// readTimes takes session key, flags and times from an EncKDCRepPart.
func (cred *credential) readTimes(part fields) error {
	k, err := derSequence(part[0], -1)
	if err != nil {
		return err
	}
	etype, err := readInt(k[0])
	if err != nil {
		return err
	}
	value, err := inner(k[1], tagOctetString)
	if err != nil {
		return err
	}
	if cred.key, err = krbcrypt.NewKey(int32(etype), slices.Clone(value)); err != nil {
		return err
	}
	if cred.flags, err = readFlags(part[4]); err != nil {
		return err
	}
	if cred.auth, err = readTime(part[5]); err != nil {
		return err
	}
	if cred.end, err = readTime(part[7]); err != nil {
		return err
	}
	cred.start = cred.auth
	if part[6] != nil {
		if cred.start, err = readTime(part[6]); err != nil {
			return err
		}
	}
	if part[8] != nil {
		if cred.renewTill, err = readTime(part[8]); err != nil {
			return err
		}
	}
	return nil
}

// readKRBError reads b as a KRB-ERROR; nil means that it is something else.
func readKRBError(b []byte) *krbError {
	f, err := derSequence(b, msgKRBError)
	if err != nil {
		return nil
	}
	code, err := readInt(f[6])
	if err != nil {
		return &krbError{code: krbErrGeneric}
	}
	e := &krbError{code: int(code)}
	e.stime, _ = readTime(f[4])              // absent in a damaged error only; the code is what counts
	e.crealm, _ = readString(f[7])           // optional
	e.data, _ = inner(f[12], tagOctetString) // optional
	return e
}

// readETypeInfo2 finds, in a METHOD-DATA, the first ETYPE-INFO2 entry of a wanted type (RFC 4120 5.2.7.5).
func readETypeInfo2(methodData []byte, want []int32) (etype int32, salt string, ok bool) {
	list, err := inner(methodData, tagSequence)
	if err != nil {
		return 0, "", false
	}
	for r, i := (derReader{list}), 0; len(r.rest) > 0 && i < padataETypeInfoLimit; i++ {
		_, _, whole, err := r.next()
		if err != nil {
			return 0, "", false
		}
		pa, err := derSequence(whole, -1)
		if err != nil {
			return 0, "", false
		}
		if kind, err := readInt(pa[1]); err != nil || kind != padataETypeInfo2 {
			continue
		}
		value, err := inner(pa[2], tagOctetString)
		if err != nil {
			return 0, "", false
		}
		entries, err := inner(value, tagSequence)
		if err != nil {
			return 0, "", false
		}
		for r, i := (derReader{entries}), 0; len(r.rest) > 0 && i < padataETypeInfoLimit; i++ {
			_, _, whole, err := r.next()
			if err != nil {
				return 0, "", false
			}
			entry, err := derSequence(whole, -1)
			if err != nil {
				return 0, "", false
			}
			e, err := readInt(entry[0])
			if err != nil || !slices.Contains(want, int32(e)) {
				continue
			}
			salt, _ := readString(entry[1]) // absent: RC4, which has none
			return int32(e), salt, true
		}
	}
	return 0, "", false
}

func readName(b []byte) (string, error) {
	f, err := derSequence(b, -1)
	if err != nil {
		return "", err
	}
	list, err := inner(f[1], tagSequence)
	if err != nil {
		return "", err
	}
	var parts []string
	for r := (derReader{list}); len(r.rest) > 0; {
		tag, content, _, err := r.next()
		if err != nil {
			return "", err
		}
		if tag != tagGeneral {
			return "", fmt.Errorf("%w: tag %#x in a principal name", errDER, tag)
		}
		parts = append(parts, string(content))
	}
	return strings.Join(parts, "/"), nil
}

func readEncrypted(b []byte) (etype int32, kvno int, cipher []byte, err error) {
	f, err := derSequence(b, -1)
	if err != nil {
		return 0, 0, nil, err
	}
	e, err := readInt(f[0])
	if err != nil {
		return 0, 0, nil, err
	}
	if f[1] != nil {
		v, err := readInt(f[1])
		if err != nil {
			return 0, 0, nil, err
		}
		kvno = int(uint32(v)) // RFC 4120 has UInt32; old encoders write it negative
	}
	cipher, err = inner(f[2], tagOctetString)
	return int32(e), kvno, cipher, err
}
