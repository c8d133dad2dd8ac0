package simulator

import (
	"context"
	"encoding/binary"
)

// What S4U needs beside the rest of the client ([MS-SFU] 2.2; RFC 4120 7.5.1, 7.5.2).
const (
	padataForUser      = 129
	padataPACOptions   = 167
	usageForUser       = 17
	optCNameInTicket   = 1 << 17
	pacOptionRBCD      = 1 << 28
	checksumHMACMD5    = -138
	packageForUserName = "Kerberos"
)

// s4uSelf is S4U2Self ([MS-SFU] 3.1.5.1.1): a ticket to the service itself in the name of a user who did not bring one. account is the service's
// sAMAccountName.
func (c *krbClient) s4uSelf(ctx context.Context, tgt *credential, account, user string) (*credential, error) {
	realm := realmOf(tgt)
	data := binary.LittleEndian.AppendUint32(nil, nameTypePrincipal)
	data = append(data, user+realm+packageForUserName...)
	sum := tlv(tagSequence, field(0, derInt(checksumHMACMD5)), field(1, tlv(tagOctetString, tgt.key.ChecksumMD5(nil, data, usageForUser))))
	forUser := tlv(tagSequence, field(0, principalName(nameTypePrincipal, user)), field(1, derString(realm)), field(2, sum), field(3, derString(packageForUserName)))
	return c.ask(ctx, tgt, tgsRequest{server: principalName(nameTypePrincipal, account), options: optForwardable | optRenewable | optCanonicalize,
		padata: [][]byte{padata(padataForUser, forUser)}})
}

// s4uProxy is S4U2Proxy ([MS-SFU] 3.1.5.2.1): a ticket to another service in the name of the user whose ticket to the asking service is the evidence.
func (c *krbClient) s4uProxy(ctx context.Context, tgt *credential, evidence []byte, server string) (*credential, error) {
	options := padata(padataPACOptions, tlv(tagSequence, field(0, derFlags(pacOptionRBCD))))
	return c.ask(ctx, tgt, tgsRequest{server: serverName(server), options: optForwardable | optRenewable | optCanonicalize | optCNameInTicket,
		padata: [][]byte{options}, tickets: [][]byte{evidence}})
}
