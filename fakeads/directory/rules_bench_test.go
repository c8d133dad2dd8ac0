package directory

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// benchWorld has ten thousand users, and a host in groups.
func benchWorld(b *testing.B) (*world, *Account) {
	w := newWorld(b)
	w.rootKey(11 * time.Hour)
	objects := make([]AddRequest, 10000)
	for i := range objects {
		name := fmt.Sprintf("user%d", i)
		objects[i] = AddRequest{"CN=" + name + ",CN=Users," + base, userAttributes(name)}
	}
	w.must(w.f.Populate("contoso.com", objects))
	host := w.computer("Host01", Text("servicePrincipalName", "HOST/Host01", "HOST/Host01.contoso.com"))
	g := w.group("WebApp01Hosts", secLocal, host)
	w.group("Direct", secGlobal, host)
	w.group("Outer", secGlobal)
	w.member("Outer", "CN=Direct,CN=Users,"+base)
	w.gmsa("WebApp01", readers(g.sid), Text("servicePrincipalName", "http/webapp01.contoso.com"))
	b.ReportAllocs()
	return w, host
}

// BenchmarkSignIn is what a KDC asks of the directory for one AS exchange.
func BenchmarkSignIn(b *testing.B) {
	w, _ := benchWorld(b)
	ctx := context.Background()
	for b.Loop() {
		a, err := w.dc.AccountByName(Principal, "WebApp01$")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := a.Keys(ctx); err != nil {
			b.Fatal(err)
		}
		a.PreviousKeys(ctx)
		w.dc.GlobalGroups(a)
		a.LogonSucceeded(ctx)
	}
}

func BenchmarkAccountByName(b *testing.B) {
	w, _ := benchWorld(b)
	for b.Loop() {
		if _, err := w.dc.AccountByName(Principal, "user5000"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAccountBySPN(b *testing.B) {
	w, _ := benchWorld(b)
	for _, spn := range []string{"http/webapp01.contoso.com", "cifs/Host01.contoso.com", "http/nobody"} {
		b.Run(spn, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = w.dc.AccountBySPN(spn)
			}
		})
	}
}

func BenchmarkToken(b *testing.B) {
	w, host := benchWorld(b)
	sids := append([]security.SID{host.SID}, sidsOf(w.dc.GlobalGroups(host))...)
	for b.Loop() {
		sids := append(sids[:len(sids):len(sids)], sidsOf(w.dc.ResourceGroups(sids))...)
		w.dc.Token(host.SID, sids[1:])
	}
}

func BenchmarkLogonSucceeded(b *testing.B) {
	_, host := benchWorld(b)
	host.LogonSucceeded(context.Background())
	for b.Loop() {
		host.LogonSucceeded(context.Background())
	}
}

func BenchmarkReadManagedPassword(b *testing.B) {
	w, _ := benchWorld(b)
	c := w.as("Host01$")
	dn := gmsaDN("WebApp01")
	for b.Loop() {
		if _, err := w.read(w.dc, c, dn, "msDS-ManagedPassword"); err != nil {
			b.Fatal(err)
		}
		w.events = w.events[:0]
	}
}
