// Bench measures the servers of this module and, in the same run and with the same load generator, the servers that people would
// otherwise use: MIT's KDC with its fastest database, OpenLDAP's slapd with an index, and Samba where a tree of it is at hand.
//
//	go run ./internal/bench [-only kdc,ldap,samba,process] [-seconds 2] [-rounds 3] [-cpuprofile PREFIX] [-memprofile PREFIX]
//
// One table comes out: what was measured, the bar, the aim, our figure, the peer's figure, the ratio. Rates depend on the machine, so
// the verdicts are ratios within the run or processor time per request, read from /proc for the server's process alone.
//
// MIT and slapd come from the Debian tree that .ci/peers.sh builds and run in it with data folders and ports of their own. Samba is
// the oracle's: a copy of its domain controller runs over the tree in a network namespace, into which the load generator goes too.
// Without a tree, our figures are printed alone.
package main
