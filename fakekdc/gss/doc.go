// Package gss establishes and uses Kerberos security contexts as Active
// Directory's LDAP server and its clients do: GSS-API tokens of RFC 4121 and,
// for RC4 keys, RFC 4757; SPNEGO of RFC 4178 with [MS-SPNG]'s habits; the SASL
// mechanisms GSSAPI (RFC 4752) and GSS-SPNEGO with their security layers.
//
// Everything is a function of bytes: no sockets, no goroutines, no clock of its
// own.
package gss
