package fakekdc_test

import (
	"context"
	"fmt"
	"net"

	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"

	"github.com/gmsasim/gmsasim/fakekdc"
)

// A KDC for a test, and a client that gets a service ticket from it.
func ExampleKDC() {
	accounts := fakekdc.NewMemPrincipals("EXAMPLE.COM")
	accounts.Add("alice", "Passw0rd!")
	accounts.Add("web$", "secret", "http/web.example.com")
	server := fakekdc.NewServer(&fakekdc.KDC{Realm: "EXAMPLE.COM", Principals: accounts})
	defer server.Close()
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	go server.Serve(context.Background(), l)
	conf, _ := config.NewFromString(krb5Conf("EXAMPLE.COM", l.Addr(), l.Addr()))

	ticket, _, err := client.NewWithPassword("alice", "EXAMPLE.COM", "Passw0rd!", conf).GetServiceTicket("http/web.example.com")
	fmt.Println(ticket.SName.PrincipalNameString(), ticket.EncPart.EType, err)
	// Output: http/web.example.com 18 <nil>
}

// krb5Conf is a krb5.conf that knows one realm and asks no DNS.
func krb5Conf(realm string, kdc, kpasswd net.Addr) string {
	return fmt.Sprintf(`[libdefaults]
  default_realm = %[1]s
  dns_lookup_kdc = false
  dns_lookup_realm = false
  rdns = false
  dns_canonicalize_hostname = false
  udp_preference_limit = 1
[realms]
  %[1]s = {
    kdc = %[2]v
    kpasswd_server = %[3]v
  }
[domain_realm]
  .example.com = %[1]s
`, realm, kdc, kpasswd)
}
