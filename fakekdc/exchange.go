package fakekdc

import (
	"context"
	"fmt"
	"time"
)

// Kind tells what was asked of a KDC.
type Kind uint8

// Kinds of exchanges.
const (
	KindUnknown  Kind = iota // not a request
	KindAS                   // authentication service
	KindTGS                  // ticket-granting service
	KindPassword             // kpasswd
)

func (k Kind) String() string {
	switch k {
	case KindAS:
		return "AS"
	case KindTGS:
		return "TGS"
	case KindPassword:
		return "kpasswd"
	}
	return "unknown"
}

// Exchange is the record of a request and its answer, for [KDC.Trace] and, as far as it is known before the answer, for
// [KDC.Intercept]. Names are as in the ticket issued or, when none was, as asked for.
type Exchange struct {
	Time time.Time // the KDC's clock
	Kind Kind
	UDP  bool
	// Client is who asked, in ClientRealm. In a TGS exchange it is known once the TGT has been opened.
	Client      Name
	ClientRealm string
	Server      Name
	ServerRealm string
	// OnBehalfOf is the user of S4U2Self and S4U2Proxy.
	OnBehalfOf Name
	Options    uint32  // KDCOptions, RFC 4120 5.4.1
	ETypes     []int32 // that the client offers
	// Preauth is the encryption type of the timestamp, 0 without one.
	Preauth int32

	// Of the ticket issued:
	TicketEType, SessionEType, ReplyEType int32
	KeyVersion                            int    // of the key that the ticket is encrypted in
	Flags                                 uint32 // RFC 4120 5.3
	AuthTime, StartTime, EndTime          time.Time
	RenewTill                             time.Time // zero: not renewable
	PAC                                   bool
	// Referral is the realm that the client was referred to.
	Referral string

	// Code is the error answered, 0 for success; of kpasswd, the code of a KRB-ERROR.
	Code ErrorCode
	// Status is the NTSTATUS in the error's data.
	Status Status
	// Result is the result code of a kpasswd exchange that reached one.
	Result uint16
	// Err says why in words. Clients do not get it: Active Directory sends no e-text.
	Err error
}

// Intercepted is what [KDC.Intercept] wants: its zero value, nothing.
type Intercepted struct {
	// Code is answered instead, with Status in its data when not 0.
	Code   ErrorCode
	Status Status
	// Drop gives no answer at all. A connection is closed then.
	Drop bool
}

type interceptor func(ctx context.Context, x *Exchange) Intercepted

func (f interceptor) ask(ctx context.Context, x *Exchange) error {
	if f == nil {
		return nil
	}
	switch i := f(ctx, x); {
	case i.Drop:
		return errDropped
	case i.Code != 0:
		return &refusal{code: i.Code, status: i.Status, why: fmt.Errorf("intercepted")}
	}
	return nil
}
