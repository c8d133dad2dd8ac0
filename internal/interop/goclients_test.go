package interop_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/go-ldap/ldap/v3"
	"github.com/go-ldap/ldap/v3/gssapi"
	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/credentials"
)

// goClients are the clients written in Go. Each runs in a process of its own inside the namespace, see TestMain.
var goClients = map[string]func() error{
	"gokrb5":  gokrb5Client,
	"go-ldap": goLDAPClient,
}

// gokrb5Client gets a TGT by password and a service ticket. FAST negotiation stays on, as the library has it by default.
func gokrb5Client() error {
	conf, err := config.Load(os.Getenv("KRB5_CONFIG"))
	if err != nil {
		return err
	}
	cl := client.NewWithPassword("alice", "CONTOSO.COM", "Alice!2026", conf)
	defer cl.Destroy()
	if err := cl.Login(); err != nil {
		return err
	}
	ticket, key, err := cl.GetServiceTicket("host/webapp01.contoso.com")
	if err != nil {
		return err
	}
	fmt.Printf("ticket for %s, encryption type %d, session key of type %d\n", ticket.SName.PrincipalNameString(), ticket.EncPart.EType, key.KeyType)
	return nil
}

// goLDAPClient binds with GSSAPI from a credential cache and without a layer, searches over StartTLS and LDAPS, pages, and makes
// more requests on one connection than fit an octet.
func goLDAPClient() error {
	conf, err := config.Load(os.Getenv("KRB5_CONFIG"))
	if err != nil {
		return err
	}
	cache, err := credentials.LoadCCache(strings.TrimPrefix(os.Getenv("KRB5CCNAME"), "FILE:"))
	if err != nil {
		return err
	}
	cl, err := client.NewFromCCache(cache, conf)
	if err != nil {
		return err
	}
	conn, err := ldap.DialURL("ldap://dc01.contoso.com")
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.GSSAPIBind(&gssapi.Client{Client: cl}, "ldap/dc01.contoso.com", ""); err != nil {
		return fmt.Errorf("GSSAPI bind: %w", err)
	}
	for i := range 200 {
		who, err := conn.WhoAmI(nil)
		if err != nil {
			return fmt.Errorf("request %d: %w", i, err)
		}
		if who.AuthzID != `u:CONTOSO\alice` {
			return fmt.Errorf("got identity %q, want u:CONTOSO\\alice", who.AuthzID)
		}
	}
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(os.Getenv("GMSASIM_CA_FILE"))
	if err != nil {
		return err
	}
	if !roots.AppendCertsFromPEM(pem) {
		return errors.New("no certificate in GMSASIM_CA_FILE")
	}
	trust := &tls.Config{RootCAs: roots, ServerName: "dc01.contoso.com"}
	for _, open := range []func() (*ldap.Conn, error){
		func() (*ldap.Conn, error) {
			return ldap.DialURL("ldaps://dc01.contoso.com", ldap.DialWithTLSConfig(trust))
		},
		func() (*ldap.Conn, error) {
			c, err := ldap.DialURL("ldap://dc01.contoso.com")
			if err != nil {
				return nil, err
			}
			return c, c.StartTLS(trust)
		},
	} {
		tlsConn, err := open()
		if err != nil {
			return err
		}
		defer tlsConn.Close()
		if err := tlsConn.Bind("alice@contoso.com", "Alice!2026"); err != nil {
			return fmt.Errorf("simple bind over TLS: %w", err)
		}
		found, err := tlsConn.SearchWithPaging(ldap.NewSearchRequest("dc=contoso,dc=com", ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, true,
			"(userAccountControl:1.2.840.113556.1.4.803:=512)", []string{"cn"}, nil), 500)
		if err != nil {
			return fmt.Errorf("paged search: %w", err)
		}
		fmt.Printf("%d users over TLS\n", len(found.Entries))
	}
	return nil
}
