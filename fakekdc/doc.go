// Package fakekdc is a Kerberos key distribution centre that answers as Active Directory's does: AS, TGS and password changes as
// functions of bytes, with listeners for UDP and TCP.
//
// A [KDC] needs to know its principals. [MemPrincipals] is a small set of them for tests that need no more than a KDC; a whole domain
// implements [Principals] on its directory, and further interfaces for what it can say besides: [Authorizer] for PACs,
// [Truster] for other realms, [PasswordChanger] for kpasswd, [LogonRecorder] for counters.
//
// Modelled: pre-authentication by encrypted timestamp with ETYPE-INFO2, encryption types 17 to 20 and 23 and their choice by
// msDS-SupportedEncryptionTypes, canonicalisation, enterprise names, renewal, validation, forwarding, user-to-user,
// S4U2Self and S4U2Proxy, referrals, PACs with all signatures, RFC 3244 password changes, and AD's errors with their NTSTATUS.
//
// Not modelled: FAST (a client's armour is ignored), PKINIT, claims and compound identity, authentication policies,
// read-only domain controllers, postdated tickets, addresses in tickets.
package fakekdc
