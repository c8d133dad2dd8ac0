// Package pac reads, writes, signs and verifies the Privilege Attribute
// Certificate of Windows Kerberos tickets, [MS-PAC].
//
// A PAC is written in the order and with the padding of Windows Server 2022.
// Credentials, claims and device information are carried as they are; everything
// else is decoded.
package pac
