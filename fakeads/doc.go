// Package fakeads is the LDAP face of a fake domain controller: what a client
// of Active Directory Domain Services meets on ports 389, 636 and 3268.
//
// A [Server] answers on behalf of one [directory.Replica]. It takes
// connections from listeners ([Server.Serve], [Server.ServeTLS],
// [Server.ServeGC]) or one at a time ([Server.ServeConn], over net.Pipe too),
// and the same code serves all of them. It binds clients by password, GSSAPI
// and GSS-SPNEGO, protects connections by SASL layers and TLS, and turns
// requests and their controls into calls of the directory.
//
// What cannot be modelled is refused with the protocol's own error, and the
// [Operation] given to Config.Trace says so.
package fakeads
