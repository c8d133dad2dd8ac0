module github.com/gmsasim/gmsasim/internal/pacoracle

go 1.26.0

require (
	// The code under test.
	github.com/gmsasim/gmsasim v0.0.0
	// What the directory says of the accounts, read by a client that is not ours.
	github.com/go-ldap/ldap/v3 v3.4.15
	// A client of the KDC that is not ours, and its checksum functions.
	github.com/jcmturner/gokrb5/v8 v8.4.4
	// Decoder of PACs made from the IDL of [MS-PAC]: the judge. It is 122 MB, hence a module of its own.
	github.com/oiweiwei/go-msrpc v1.5.2
)

require github.com/jcmturner/gofork v1.7.6

require (
	github.com/Azure/go-ntlmssp v0.1.1 // indirect
	github.com/geoffgarside/ber v1.1.0 // indirect
	github.com/go-asn1-ber/asn1-ber v1.5.8 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/hashicorp/go-uuid v1.0.3 // indirect
	github.com/indece-official/go-ebcdic v1.2.0 // indirect
	github.com/jcmturner/aescts/v2 v2.0.0 // indirect
	github.com/jcmturner/dnsutils/v2 v2.0.0 // indirect
	github.com/jcmturner/goidentity/v6 v6.0.1 // indirect
	github.com/jcmturner/rpc/v2 v2.0.3 // indirect
	github.com/mattn/go-colorable v0.1.14 // indirect
	github.com/mattn/go-isatty v0.0.20 // indirect
	github.com/miekg/dns v1.1.73 // indirect
	github.com/oiweiwei/go-math v1.0.0 // indirect
	github.com/oiweiwei/go-oem v1.0.0 // indirect
	github.com/oiweiwei/go-smb2.fork v1.0.2 // indirect
	github.com/oiweiwei/gokrb5.fork/v9 v9.0.6 // indirect
	github.com/rs/zerolog v1.35.1 // indirect
	github.com/vjeantet/goldap v0.0.0-20260218214109-3dcf54ec83d6 // indirect
	github.com/vjeantet/ldapserver v1.0.2-0.20260218215457-e117373377c0 // indirect
	golang.org/x/crypto v0.54.0 // indirect
	golang.org/x/net v0.57.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
	golang.org/x/text v0.40.0 // indirect
)

replace github.com/gmsasim/gmsasim => ../..
