// Package kds is the Microsoft Group Key Distribution Service ([MS-GKDI]) and
// what Active Directory makes of it for group managed service accounts: root
// keys, the ten-hour intervals, the derived keys and passwords, their roll-over,
// and the structures in which they are stored and handed out.
//
// Everything is a function of its arguments. No function asks for the time, and
// nothing here knows a directory or a network.
//
// Not modelled: the public keys of DPAPI-NG (a GetKey answer's L2 public key) and
// the creation of a root key by the service itself when there is none.
package kds
