// Package interop drives the clients that people really use against `gmsasim up`: MIT and Heimdal Kerberos, OpenLDAP, adcli,
// msktutil, Samba, SSSD, impacket, ldap3, go-ldap and gokrb5.
//
// `make interop` runs all of them (build tag interop) and prints a table of client, version, operation and result; a small core
// runs with `make test`. Everything happens in a private network namespace as an ordinary user: the standard ports and a copy of
// /etc, see package netns. A client that is not installed is skipped with its name, and with CI=true that is a failure.
//
// fetcher.sh plays a Linux host that fetches the password of a group managed service account with stock tools alone.
package interop
