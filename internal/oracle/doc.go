// Package oracle compares gmsasim with a domain controller that somebody else wrote: Samba 4.22 from Debian 13.
//
// One table of operations, each a call of a stock client, is sent to both; what comes back is brought into a form without the
// names, times and keys that must differ, and compared as far as its check says: see [Grade]. A difference must be in the table of
// allowed differences with its reason and with the outcome of either side; one that is not there fails the test, and one that is
// there but has vanished fails it as well, so the table stays true.
//
// The tests need root, the clients of .ci/clients.sh and the build tag oracle; `make oracle` runs them. The domain controller's
// tree is built once, in the user's cache folder.
package oracle
