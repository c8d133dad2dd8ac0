package simulator

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

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
	return tlv(tagSequence, field(0, derInt(nameType)), sequenceIn(1, names...))
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
	return tlv(tagSequence, field(1, derInt(kind)), octets(2, value))
}

func encryptedData(etype int32, cipher []byte) []byte {
	return tlv(tagSequence, field(0, derInt(int64(etype))), octets(2, cipher))
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
		return c.send(ctx, realm, message(msgASReq,
			field(1, derInt(5)), field(2, derInt(msgASReq)), sequenceIn(3, pa...), field(4, body)))
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
		parts = append(parts, sequenceIn(11, q.tickets...))
	}
	body := tlv(tagSequence, parts...)
	sum := tlv(tagSequence, field(0, derInt(int64(tgt.key.ChecksumType()))),
		octets(1, tgt.key.Checksum(nil, body, usageTGSReqChecksum)))
	ap, err := c.apReq(tgt, usageTGSReqAuth, sum)
	if err != nil {
		return nil, err
	}
	rep, dc, err := c.send(ctx, realm, message(msgTGSReq,
		field(1, derInt(5)), field(2, derInt(msgTGSReq)), sequenceIn(3, append([][]byte{padata(padataTGSReq, ap)}, q.padata...)...), field(4, body)))
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
	cipher, err := cred.key.Encrypt(nil, message(2, parts...), usage, c.rand)
	if err != nil {
		return nil, err
	}
	return message(msgAPReq, field(0, derInt(5)), field(1, derInt(msgAPReq)), field(2, derFlags(0)), field(3, cred.raw),
		field(4, encryptedData(cred.key.EType, cipher))), nil
}
