// Package ldif reads LDIF files (RFC 2849) as a stream: exports of a directory by ldifde and by OpenLDAP's ldapsearch, in UTF-8 or UTF-16.
//
//	r := ldif.NewReader(file, ldif.Limits{})
//	for {
//		e, err := r.Next()
//		if err == io.EOF {
//			break
//		}
//		…
//	}
//
// A reader takes what these programs write: folded lines, base64, comments, version lines, CRLF, several files one after the other, the
// answers and references of ldapsearch between the entries, and ldifde's changetype: add. Changes of other types, values that are to be
// fetched from a URL, and files in another encoding or of another kind are refused. Every error says the line.
package ldif
