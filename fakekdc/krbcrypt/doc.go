// Package krbcrypt is the cryptography of a Kerberos server: encryption,
// checksums and key derivation of the encryption types that Active Directory
// and its clients use.
//
//	17, 18  AES-CTS-HMAC-SHA1-96           RFC 3961, RFC 3962
//	19, 20  AES-CTS-HMAC-SHA2              RFC 8009
//	23      RC4-HMAC                       RFC 4757
//
// A [Key] remembers what it derived for each key usage, so that a long-lived
// key costs one AES pass and one HMAC per message. A [Cache] remembers what was
// derived from passwords; that derivation, which costs milliseconds whoever does
// it, is gokrb5's.
package krbcrypt
