// Package dns answers for the zones of a forest: the records by which clients locate domain controllers ([MS-ADTS] 6.3.2), the
// addresses of hosts, and aliases.
//
// [Server.Exchange] is a function of bytes. [Server.Serve] and [Server.ServePacket] put it on TCP and UDP. The server is
// authoritative only: it does not recurse, and names outside its zones are refused.
package dns
