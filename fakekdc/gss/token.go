package gss

import (
	"bytes"
	"fmt"
)

// maxToken is what a token of context establishment may have: twice the largest
// MaxTokenSize of Windows ([MS-KILE] 3.1.1.5: 65,535).
const maxToken = 1 << 17

// DER contents of the mechanism OIDs.
var (
	oidKRB5   = []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02}       // 1.2.840.113554.1.2.2, RFC 4121
	oidMSKRB5 = []byte{0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 0x01, 0x02, 0x02}       // 1.2.840.48018.1.2.2, [MS-SPNG] 3.1.5.2
	oidSPNEGO = []byte{0x2b, 0x06, 0x01, 0x05, 0x05, 0x02}                         // 1.3.6.1.5.5.2, RFC 4178
	oidNTLM   = []byte{0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0a} // 1.3.6.1.4.1.311.2.2.10
	ntlmMagic = []byte("NTLMSSP\x00")                                              // [MS-NLMP] 2.2.1
)

// isKRB5 tells whether oid is Kerberos, by its own or by Windows 2000's name.
func isKRB5(oid []byte) bool { return bytes.Equal(oid, oidKRB5) || bytes.Equal(oid, oidMSKRB5) }

// Token identifiers of Kerberos' context tokens, RFC 4121 4.1.
const (
	tokenAPReq    uint16 = 0x0100
	tokenAPRep    uint16 = 0x0200
	tokenKRBError uint16 = 0x0300
)

// frame puts the header of RFC 2743 3.1 before a Kerberos token.
func frame(id uint16, body []byte) []byte {
	return tlv(application, tlv(tagOID, oidKRB5), []byte{byte(id >> 8), byte(id)}, body)
}

// unframe splits a token with the header of RFC 2743 3.1 into mechanism and
// what the mechanism made.
func unframe(token []byte) (oid, inner []byte, err error) {
	d := der{b: token}
	a := d.in(application)
	oid = a.element(tagOID)
	d.close(a)
	if d.err != nil {
		return nil, nil, d.err
	}
	return oid, a.b, nil
}

// unframeKRB5 takes a Kerberos token apart. bare messages, without header, are
// what impacket puts into SPNEGO.
func unframeKRB5(token []byte) (id uint16, message []byte, bare bool, err error) {
	if len(token) > 0 {
		switch token[0] {
		case application | typeAPReq:
			return tokenAPReq, token, true, nil
		case application | typeAPRep:
			return tokenAPRep, token, true, nil
		case application | typeKRBError:
			return tokenKRBError, token, true, nil
		}
	}
	oid, inner, err := unframe(token)
	if err != nil {
		return 0, nil, false, err
	}
	if !isKRB5(oid) {
		return 0, nil, false, fmt.Errorf("%w: mechanism % x is not Kerberos", ErrMechanism, oid)
	}
	if len(inner) < 2 {
		return 0, nil, false, fmt.Errorf("%w: no token identifier", ErrToken)
	}
	return uint16(inner[0])<<8 | uint16(inner[1]), inner[2:], false, nil
}
