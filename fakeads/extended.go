package fakeads

import "github.com/gmsasim/gmsasim/fakekdc/gss"

// Extended operations, [MS-ADTS] 3.1.1.3.4.2.
const (
	oidStartTLS   = "1.3.6.1.4.1.1466.20037"     // RFC 4511 4.14
	oidWhoAmI     = "1.3.6.1.4.1.4203.1.11.3"    // RFC 4532
	oidFastBind   = "1.2.840.113556.1.4.1781"    // [MS-ADTS] 3.1.1.3.4.2.2
	oidTTLRefresh = "1.3.6.1.4.1.1466.101.119.1" // RFC 2589
	oidBatch      = "1.2.840.113556.1.4.2212"    // [MS-ADTS] 3.1.1.3.4.2.5
)

// extendedName is the operation's name for people.
func extendedName(oid string) string {
	switch oid {
	case oidStartTLS:
		return "StartTLS"
	case oidWhoAmI:
		return "WhoAmI"
	case oidFastBind:
		return "FastBind"
	case oidTTLRefresh:
		return "TTLRefresh"
	case oidBatch:
		return "BatchRequest"
	}
	return oid
}

// extended carries out an extended operation. then is to be called after the answer.
func (c *conn) extended(p *pending, op *Operation) (r result, then func()) {
	if r := c.checkControls(p, op); r != nil {
		return *r, nil
	}
	switch p.extended.oid {
	case oidStartTLS:
		return c.startTLS(p)
	case oidWhoAmI:
		authzid := []byte{}
		if c.identity.account != "" {
			authzid = []byte("u:" + c.identity.account)
		}
		return result{responseValue: authzid}, nil
	case oidFastBind:
		if c.identity.account != "" || c.layer != gss.LayerNone {
			return c.s.unwilling("Fast bind mode must be entered before the first bind"), nil
		}
		c.fast = true
		return result{responseName: oidFastBind}, nil
	case oidTTLRefresh, oidBatch:
		op.NotModelled = "extended operation " + extendedName(p.extended.oid)
		return c.s.unwilling("Not supported"), nil
	}
	return result{code: resultProtocolError, diagnostic: c.s.ldapErr(errorDecoding, dsidExtended, "Unknown extended request OID", 0)}, nil
}

// startTLS is RFC 4511 4.14. The identity stays.
func (c *conn) startTLS(p *pending) (result, func()) {
	refused := func(code int, comment string) (result, func()) {
		return result{code: code, diagnostic: c.s.ldapErr(0, dsidTLS, comment, 0), responseName: oidStartTLS}, nil
	}
	switch {
	case p.extended.value != nil:
		return c.s.malformed(resultProtocolError), nil
	case c.secure:
		return refused(resultOperationsError, "TLS or SSL already in effect")
	case c.layer != gss.LayerNone || c.sasl != nil:
		return refused(resultOperationsError, "TLS cannot start on a connection with a SASL layer or bind")
	case c.s.tls == nil:
		return refused(resultUnavailable, "Error initializing SSL/TLS")
	case !c.plain.empty():
		// What was sent before TLS is there cannot be trusted behind it.
		return refused(resultOperationsError, "Requests are outstanding")
	}
	return result{responseName: oidStartTLS}, func() {
		if err := c.handshake(); err != nil {
			c.end(err)
		}
	}
}
