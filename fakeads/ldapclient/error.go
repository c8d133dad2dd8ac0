package ldapclient

import (
	"errors"
	"fmt"
	"strings"
)

// Result codes that callers tell apart, RFC 4511 4.1.9.
const (
	ResultSuccess            = 0
	ResultCompareFalse       = 5
	ResultCompareTrue        = 6
	ResultSASLBindInProgress = 14
)

// Errors about what a server sends.
var (
	// ErrProtocol: a message that is malformed, too long or not an answer to what was asked.
	ErrProtocol = errors.New("malformed LDAP answer")
	// ErrNoAttribute: the entry is there, the attribute is not, or not for this reader.
	ErrNoAttribute = errors.New("the attribute is absent from the answer")
	// ErrDisconnected: the server gave notice that it ends the connection (RFC 4511 4.4.1).
	ErrDisconnected = errors.New("the server ends the connection")
)

// Error is an answer with a result code that is no success.
type Error struct {
	// Result is the code of RFC 4511 4.1.9.
	Result int
	// Diagnostic is the server's text, as it came: Active Directory's may end in a line feed and a NUL.
	Diagnostic string
	// MatchedDN is the nearest ancestor that exists, for noSuchObject.
	MatchedDN string
	// Referrals are LDAP URLs, for referral.
	Referrals []string
	// Err is the cause where the answer holds one: for a bind, the *gss.Error of the acceptor's token.
	Err error
}

// Error gives the code and the text, without what Active Directory puts at its end.
func (e *Error) Error() string {
	s := fmt.Sprintf("LDAP result %d", e.Result)
	if text := strings.TrimRight(e.Diagnostic, "\x00\n "); text != "" {
		s += ": " + text
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }
