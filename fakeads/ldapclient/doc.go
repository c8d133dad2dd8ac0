// Package ldapclient is the LDAP client of simulated hosts. It works over any [net.Conn], net.Pipe included, sets no deadlines and
// starts no goroutines: closing the connection from elsewhere ends what waits on it.
//
//	c := ldapclient.New(conn)
//	defer c.Close()
//	if err := c.BindSPNEGO(initiator); err != nil { … } // the context's flags decide the layer
//	entries, err := c.Search(&ldapclient.SearchRequest{Base: "DC=contoso,DC=com", Scope: ldapclient.Subtree, Filter: f})
//
// It speaks LDAP v3 (RFC 4511): simple and SASL binds with GSSAPI (RFC 4752) and GSS-SPNEGO ([MS-ADTS] 5.1.1.1.2) and their
// layers, searches with paged results (RFC 2696), add, modify, delete, modify DN, compare and extended operations. One request is
// under way at a time. It does not follow referrals, and it does not reconnect.
package ldapclient
