package fakekdc

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// KDC answers requests for one realm. Its fields must not be changed once it is in use; it is safe for concurrent use.
type KDC struct {
	// Realm is the DNS name of the domain in upper case. Requests may spell it in any case.
	Realm string
	// NetBIOSName of the domain, for krbtgt/CONTOSO; empty: none.
	NetBIOSName string
	Principals  Principals
	// Now is the clock of an exchange; nil: time.Now.
	Now func(ctx context.Context) time.Time
	// Rand makes session keys and confounders; nil: crypto/rand. With a reader of seeded numbers the same requests in the same
	// order get the same answers.
	Rand   io.Reader
	Policy Policy
	// Level is what the last update of the domain controller changes; nil: nothing. It is asked in each exchange, since updates come.
	Level func() Level
	// Trace receives the record of each exchange before its answer is returned. It is called with no lock held.
	Trace func(ctx context.Context, x Exchange)
	// Intercept may change the answer of a request that has been read: faults are made so.
	Intercept func(ctx context.Context, x *Exchange) Intercepted

	randMu  sync.Mutex
	tickets ticketCache
}

func (k *KDC) now(ctx context.Context) time.Time {
	if k.Now == nil {
		return time.Now().UTC()
	}
	return k.Now(ctx).UTC()
}

// random is the KDC as a source of random octets that several goroutines may read.
type random struct{ k *KDC }

func (r random) Read(b []byte) (int, error) {
	if r.k.Rand == nil {
		return rand.Read(b)
	}
	r.k.randMu.Lock()
	defer r.k.randMu.Unlock()
	return io.ReadFull(r.k.Rand, b)
}

// ownName is krbtgt/REALM.
func (k *KDC) ownName() Name { return Name{NameService, []string{"krbtgt", k.Realm}} }

// isOwnRealm tells whether a realm is this KDC's, by DNS or NetBIOS name in any case.
func (k *KDC) isOwnRealm(realm string) bool {
	return strings.EqualFold(realm, k.Realm) || k.NetBIOSName != "" && strings.EqualFold(realm, k.NetBIOSName)
}

// Exchange answers an AS-REQ or TGS-REQ as over TCP. It never fails: what is wrong is said by the KRB-ERROR that it returns. The
// result is nil only when Intercept dropped the request or when req is not even the beginning of a request to a KDC.
func (k *KDC) Exchange(ctx context.Context, req []byte) []byte { return k.exchange(ctx, req, 0) }

// MaxUDP is the longest answer over UDP; longer ones are KRB_ERR_RESPONSE_TOO_BIG (52), after which clients come back over TCP.
// It is the default of MaxDatagramReplySize, [MS-KILE] 3.3.1.
const MaxUDP = 1465

// ExchangeUDP is Exchange for a request that came by UDP.
func (k *KDC) ExchangeUDP(ctx context.Context, req []byte) []byte {
	return k.exchange(ctx, req, MaxUDP)
}

func (k *KDC) exchange(ctx context.Context, req []byte, limit int) (reply []byte) {
	x := &exchange{kdc: k, now: k.now(ctx)}
	x.record.Time, x.record.UDP = x.now, limit > 0
	q, err := parseRequest(req)
	if q != nil {
		x.record.Kind = q.exchange()
	}
	if err == nil {
		reply, err = x.answer(ctx, q)
	}
	if err == nil && limit > 0 && len(reply) > limit {
		err = refuse(ErrCodeResponseTooBig, "answer of %d octets", len(reply))
	}
	if err != nil {
		x.record.Err = err
		switch {
		case errors.Is(err, errDropped), errors.Is(err, errNotRequest):
			reply = nil
		default:
			e := asRefusal(err)
			x.record.Code, x.record.Status = e.code, e.status
			var realm string
			var sname Name
			if q != nil {
				realm, sname = q.realm, q.sname
			}
			reply = k.krbError(x.now, x.record.Kind, realm, sname, e)
		}
	}
	if k.Trace != nil {
		k.Trace(ctx, x.record)
	}
	return reply
}

// exchange is the state of one request.
type exchange struct {
	kdc    *KDC
	now    time.Time
	q      *request
	record Exchange
}

// answer dispatches a request. A panic, which would be a mistake of ours, costs only the one client an error.
func (x *exchange) answer(ctx context.Context, q *request) (reply []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			reply, err = nil, refuse(ErrCodeGeneric, "panic: %v\n%s", p, debug.Stack())
		}
	}()
	x.q = q
	r := &x.record
	r.Client, r.ClientRealm = q.cname, q.realm
	r.Server, r.ServerRealm = q.sname, q.realm
	r.Options, r.ETypes = q.options, q.etypes
	if q.kind == msgASReq {
		return x.as(ctx)
	}
	return x.tgs(ctx)
}

// serverError is the answer to a server look-up that failed.
func serverError(name Name, err error) error {
	switch {
	case errors.Is(err, ErrUnknown), errors.Is(err, ErrDuplicate):
		return refuse(ErrCodeServerUnknown, "server %v: %w", name, err)
	}
	return fmt.Errorf("server %v: %w", name, err)
}
