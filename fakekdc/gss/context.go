package gss

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakekdc/krbcrypt"
)

// Flags are GSS context flags, RFC 4121 4.1.1.1.
type Flags uint32

// Context flags. The last three are of [MS-KILE] 3.2.5.2 and RFC 4757 7.1.
const (
	FlagDelegate Flags = 0x1
	FlagMutual   Flags = 0x2
	FlagReplay   Flags = 0x4
	FlagSequence Flags = 0x8
	FlagConf     Flags = 0x10
	FlagInteg    Flags = 0x20
	FlagDCEStyle Flags = 0x1000
	FlagIdentify Flags = 0x2000
	FlagExtended Flags = 0x4000
)

// Principal is a Kerberos name with its realm.
type Principal struct {
	NameType   int32
	Components []string
	Realm      string
}

// String is the form "HTTP/web.contoso.com@CONTOSO.COM".
func (p Principal) String() string { return strings.Join(p.Components, "/") + "@" + p.Realm }

// Errors of this package.
var (
	// ErrToken: a token that is malformed or not of the expected kind.
	ErrToken = errors.New("malformed GSS token")
	// ErrNTLM: the peer offers NTLM, alone or inside SPNEGO. Step returns the
	// token that refuses it along with this error.
	ErrNTLM = errors.New("NTLM is not supported")
	// ErrMechanism: no common mechanism.
	ErrMechanism = errors.New("no common GSS mechanism")
	// ErrBindings: channel bindings missing or different.
	ErrBindings = errors.New("channel bindings do not match")
	// ErrIntegrity: a wrapped message or MIC that does not verify.
	ErrIntegrity = errors.New("message integrity check failed")
	// ErrSequence: a message that is a replay or out of sequence.
	ErrSequence = errors.New("message out of sequence")
	// ErrLayer: an invalid SASL security layer or buffer.
	ErrLayer = errors.New("invalid SASL security layer")
)

// Error is a failure that Kerberos has a code for (RFC 4120 7.5.9). Use
// errors.As to find it.
type Error struct {
	// Code is KRB_AP_ERR_MODIFIED (41) and the like.
	Code int32
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("%v (krb5 error %d)", e.Err, e.Code) }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Context is an established security context. Its message methods may be used
// by one reader (Unwrap, VerifyMIC) and one writer (Wrap, MIC) at the same time.
type Context struct {
	// Client and Server are the names in the ticket.
	Client, Server Principal
	Flags          Flags
	// TicketFlags is the first 32 bits of the ticket's flags.
	TicketFlags                             uint32
	AuthTime, StartTime, EndTime, RenewTill time.Time
	// PAC is the AD-WIN2K-PAC of the ticket, nil if there is none.
	PAC []byte
	// ServiceKey is the key that opened the ticket; it verifies the PAC's
	// server signature. Acceptors only.
	ServiceKey *krbcrypt.Key
	// SessionKey is the ticket's session key, MessageKey the one messages are
	// protected with: the acceptor's subkey, else the initiator's, else SessionKey.
	SessionKey, MessageKey *krbcrypt.Key
	// Bindings is the MD5 of the initiator's channel bindings, RFC 4121
	// 4.1.1.2; zero if it has none.
	Bindings [16]byte

	initiator bool
	// initiatorKey is the initiator's subkey, else SessionKey: for messages of a
	// peer that does not use the acceptor's subkey.
	initiatorKey *krbcrypt.Key
	rand         io.Reader
	send         uint64 // the next number
	receive      window
	// Scratch space of the writer and of the reader.
	writing, reading []byte
}

// Wrap appends a token that protects plain (RFC 4121 4.2.6.2, RFC 4757 7.3) to
// dst: sealed with conf, else signed.
func (c *Context) Wrap(dst, plain []byte, conf bool) ([]byte, error) {
	if c.MessageKey.EType == krbcrypt.RC4HMAC {
		return c.wrapRC4(dst, plain, conf)
	}
	return c.wrapCFX(dst, plain, conf)
}

// Unwrap opens the peer's token and tells whether it was sealed. The plaintext
// does not alias token. It fails with ErrToken, ErrIntegrity or ErrSequence.
func (c *Context) Unwrap(token []byte) (plain []byte, conf bool, err error) {
	return c.unwrap(nil, token)
}

// unwrap is Unwrap that appends to dst.
func (c *Context) unwrap(dst, token []byte) ([]byte, bool, error) {
	if c.MessageKey.EType == krbcrypt.RC4HMAC {
		return c.unwrapRC4(dst, token)
	}
	return c.unwrapCFX(dst, token)
}

// MIC appends a token that signs msg, RFC 4121 4.2.6.1 and RFC 4757 7.2.
func (c *Context) MIC(dst, msg []byte) ([]byte, error) {
	if c.MessageKey.EType == krbcrypt.RC4HMAC {
		return c.micRC4(dst, msg), nil
	}
	return c.micCFX(dst, msg), nil
}

// VerifyMIC checks the peer's MIC token over msg.
func (c *Context) VerifyMIC(token, msg []byte) error {
	if c.MessageKey.EType == krbcrypt.RC4HMAC {
		return c.verifyRC4(token, msg)
	}
	return c.verifyCFX(token, msg)
}

// overhead is at most what Wrap adds to a message.
func (c *Context) overhead() int {
	if c.MessageKey.EType == krbcrypt.RC4HMAC {
		return overheadRC4
	}
	return headerCFX + c.MessageKey.CipherSize(headerCFX)
}

// number is the sequence number of the next message sent.
func (c *Context) number() uint64 {
	n := c.send
	c.send++
	return n
}

// window judges the sequence numbers of what the peer sends, RFC 2743 1.2.3. It
// judges only if the context has sequence or replay detection: go-ldap sends the
// same number always, and asks for neither.
type window struct {
	next uint64 // one more than the highest number that came
	seen uint64 // bit i: next-1-i came
	mask uint64 // of the numbers' width
}

const windowSize = 64

// take accepts a number of an authentic message or fails with ErrSequence.
func (w *window) take(n uint64, flags Flags) error {
	n &= w.mask
	ahead := (n - w.next) & w.mask
	switch {
	case flags&FlagSequence != 0:
		if ahead != 0 {
			return fmt.Errorf("%w: number %d, want %d", ErrSequence, n, w.next&w.mask)
		}
	case flags&FlagReplay != 0 && ahead > w.mask/2:
		behind := (w.next - 1 - n) & w.mask
		if behind >= windowSize {
			return fmt.Errorf("%w: number %d is too old", ErrSequence, n)
		}
		if w.seen&(1<<behind) != 0 {
			return fmt.Errorf("%w: number %d came before", ErrSequence, n)
		}
		w.seen |= 1 << behind
		return nil
	case flags&FlagReplay == 0:
		return nil
	}
	w.seen = w.seen<<(ahead+1) | 1 // shifts of 64 and more give 0
	w.next = n + 1
	return nil
}

// start sets the first number of a peer: what is below never comes.
func (w *window) start(n uint64, mask uint64) {
	*w = window{next: n & mask, seen: ^uint64(0), mask: mask}
}

// scratch keeps a buffer for the next message unless it has grown large.
func scratch(b []byte) []byte {
	if cap(b) > 1<<16 {
		return nil
	}
	return b[:0]
}
