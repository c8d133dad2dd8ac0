// Package simulator is a whole Active Directory domain for managed service accounts, in one process: directory, KDC, key
// distribution service, DNS and the computers that read managed passwords.
//
//	func TestFetch(t *testing.T) {
//		d := simulator.StartT(t, simulator.Contoso())
//		if err := mytool.Fetch(d.LDAPURL(), "WebApp01"); err != nil {
//			t.Fatal(err)
//		}
//	}
//
// A [Config] says what is in the domain. [Domain] has the verbs of an administrator ([Admin]), the computers ([Host]), and what
// a program needs to reach the domain over real sockets ([Domain.LDAPURL], [Domain.Krb5Conf], [Domain.Command]).
//
// There are two clocks, for two questions. Domain time ([Clock]) decides what the directory says: whether a root key is usable,
// which password is current, whether a change has reached a DC. It starts at a fixed time and moves only when told. Exchanges
// over sockets carry the machine's time, because the clients have that clock; the exchanges of the simulated hosts carry domain
// time.
//
// The simulated hosts are real clients: they speak DNS, Kerberos and LDAP to the same code as a program outside. A failure is
// always a state that makes a step fail; the errors say which, as findings of package diag.
package simulator
