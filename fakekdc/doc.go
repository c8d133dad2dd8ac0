// Package fakekdc is a Kerberos key distribution centre that answers as Active Directory's does: AS, TGS and password changes as
// functions of bytes, with listeners for UDP and TCP.
//
// A [KDC] needs to know its principals. [MemPrincipals] is a small set of them for tests that need no more than a KDC; a whole domain
// implements [Principals] on its directory, and further interfaces for what it can say besides: [Authorizer] for PACs,
// [Truster] for other realms, [PasswordChanger] for kpasswd, [LogonRecorder] for counters. [Server] puts a KDC on the network;
// [KDC.Exchange] and [KDC.ExchangePassword] need none.
//
// Modelled: pre-authentication by encrypted timestamp with ETYPE-INFO2, encryption types 17 to 20 and 23 and their choice by
// msDS-SupportedEncryptionTypes and by the default of each year's updates ([Policy]), canonicalisation, enterprise names, renewal,
// validation, forwarding, user-to-user, S4U2Self and S4U2Proxy with unconstrained, constrained and resource-based delegation,
// referrals between realms, PACs with all signatures, Protected Users, RFC 3244 password changes, and AD's errors with their NTSTATUS.
//
// Not modelled, and what a client that asks for it gets:
//
//   - FAST (RFC 6113): armour is ignored and the request answered as it is outside. A client that insists on armour fails.
//   - PKINIT, and users named by a certificate in S4U2Self: KDC_ERR_PADATA_TYPE_NOSUPP.
//   - Postdated tickets: KDC_ERR_BADOPTION, as from Active Directory. Tickets marked invalid are validated but never issued.
//   - S4U across realms: KDC_ERR_POLICY for S4U2Self, KDC_ERR_BADOPTION for S4U2Proxy.
//   - Addresses and a client's own authorization data: left out of tickets.
//   - Claims, compound identity, authentication policies and silos, SID filtering, read-only domain controllers, one-way trusts: not there.
//   - Replays of authenticators and timestamps: answered again, which Active Directory's KDC does for timestamps too.
package fakekdc
