package fakeads

import "github.com/gmsasim/gmsasim/fakeads/directory"

// result is the answer to an operation, RFC 4511 4.1.9 and its extensions.
type result struct {
	code       int
	matchedDN  string
	diagnostic string
	referrals  []string
	// serverCreds is of a bind response, nil: none.
	serverCreds []byte
	// responseName and responseValue are of an extended response.
	responseName  string
	responseValue []byte
	controls      []control
}

// appendResult appends the LDAPMessage of an answer with this operation's tag. Active
// Directory ends diagnostic messages with a zero octet.
func appendResult(b []byte, id int, op byte, r *result) []byte {
	b, message := openElement(b, tagSequence)
	b = appendNumber(b, tagInteger, id)
	b, operation := openElement(b, op)
	b = appendNumber(b, tagEnumerated, r.code)
	b = appendOctets(b, tagOctets, r.matchedDN)
	if r.diagnostic == "" {
		b = append(b, tagOctets, 0)
	} else {
		b = appendOctets(b, tagOctets, r.diagnostic+"\x00")
	}
	if len(r.referrals) > 0 {
		var list int
		b, list = openElement(b, tagContext|constructed|3)
		for _, url := range r.referrals {
			b = appendOctets(b, tagOctets, url)
		}
		closeElement(b, list)
	}
	if r.serverCreds != nil {
		b = appendOctets(b, tagContext|7, r.serverCreds)
	}
	if r.responseName != "" {
		b = appendOctets(b, tagContext|10, r.responseName)
	}
	if r.responseValue != nil {
		b = appendOctets(b, tagContext|11, r.responseValue)
	}
	closeElement(b, operation)
	b = appendControls(b, r.controls)
	closeElement(b, message)
	return b
}

func appendControls(b []byte, controls []control) []byte {
	if len(controls) == 0 {
		return b
	}
	b, list := openElement(b, tagContext|constructed)
	for _, c := range controls {
		var one int
		b, one = openElement(b, tagSequence)
		b = appendOctets(b, tagOctets, c.oid)
		if c.critical {
			b = append(b, tagBoolean, 1, 0xff)
		}
		if c.value != nil {
			b = appendOctets(b, tagOctets, c.value)
		}
		closeElement(b, one)
	}
	closeElement(b, list)
	return b
}

// appendEntry appends the LDAPMessage of a SearchResultEntry, RFC 4511 4.5.2.
func appendEntry(b []byte, id int, e *directory.Entry) []byte {
	b, message := openElement(b, tagSequence)
	b = appendNumber(b, tagInteger, id)
	b, operation := openElement(b, opSearchEntry)
	b = appendOctets(b, tagOctets, e.DN)
	b, list := openElement(b, tagSequence)
	for i := range e.Attributes {
		a := &e.Attributes[i]
		var one, set int
		b, one = openElement(b, tagSequence)
		b = appendOctets(b, tagOctets, a.Name)
		b, set = openElement(b, tagSet)
		for _, v := range a.Values {
			b = appendOctets(b, tagOctets, v)
		}
		closeElement(b, set)
		closeElement(b, one)
	}
	closeElement(b, list)
	closeElement(b, operation)
	closeElement(b, message)
	return b
}

// appendReference appends the LDAPMessage of a SearchResultReference with one
// URL, as Active Directory makes them.
func appendReference(b []byte, id int, url string) []byte {
	b, message := openElement(b, tagSequence)
	b = appendNumber(b, tagInteger, id)
	b, operation := openElement(b, opSearchReference)
	b = appendOctets(b, tagOctets, url)
	closeElement(b, operation)
	closeElement(b, message)
	return b
}

const oidNoticeOfDisconnection = "1.3.6.1.4.1.1466.20036" // RFC 4511 4.4.1

// appendNotice appends a notice of disconnection: the server is about to close
// the connection for this reason.
func appendNotice(b []byte, code int, diagnostic string) []byte {
	return appendResult(b, 0, opExtendedResponse, &result{code: code, diagnostic: diagnostic, responseName: oidNoticeOfDisconnection})
}
