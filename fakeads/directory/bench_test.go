package directory

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/gmsasim/gmsasim/fakeads/filter"
)

// people are n user accounts, each with two service principal names.
func people(n int) []AddRequest {
	list := make([]AddRequest, n)
	for i := range list {
		name := fmt.Sprintf("account%06d", i)
		list[i] = AddRequest{DN: "CN=" + name + ",CN=Users," + contosoDN, Attributes: []Attribute{
			Text("objectClass", "user"), Text("sAMAccountName", name), Text("userAccountControl", "66048"),
			Text("servicePrincipalName", "http/"+name, "http/"+name+".contoso.com"),
			{Name: "unicodePwd", Values: [][]byte{EncodePassword("Passw0rd!")}},
		}}
	}
	return list
}

func populated(b testing.TB, n int, dcs ...string) *Forest {
	f := newForest(b, Config{Seed: 1, Domains: []DomainConfig{{DNSName: "contoso.com", DCs: dcs}}})
	if err := f.Populate("contoso.com", people(n)); err != nil {
		b.Fatal(err)
	}
	return f
}

func BenchmarkPopulate10k(b *testing.B) {
	list := people(10_000)
	b.ReportAllocs()
	for b.Loop() {
		f := newForest(b, Config{Seed: 1, Domains: []DomainConfig{{DNSName: "contoso.com", DCs: []string{"DC01", "DC02"}}}})
		if err := f.Populate("contoso.com", list); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMemory reports the heap of 10,000 and 100,000 accounts on two domain controllers.
func BenchmarkMemory(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				f := populated(b, n, "DC01", "DC02")
				runtime.GC()
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB")
				runtime.KeepAlive(f)
			}
		})
	}
}

func BenchmarkSearchByName(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			f := populated(b, n)
			r, c := f.DC("DC01"), admin(f)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				found := 0
				req := &SearchRequest{Base: contosoDN, Scope: Subtree, Filter: &filter.Filter{Op: filter.Equal, Attr: "sAMAccountName", Value: fmt.Appendf(nil, "account%06d", i%n)},
					Attributes: []string{"cn", "sAMAccountName", "objectSid", "userAccountControl", "servicePrincipalName"}, ExtendedDN: -1}
				if _, err := r.Search(context.Background(), c, req, func(*Entry) error { found++; return nil }); err != nil || found != 1 {
					b.Fatalf("found %d, %v", found, err)
				}
				i += 7919
			}
		})
	}
}

func BenchmarkEnumerate10k(b *testing.B) {
	for _, attrs := range [][]string{{"cn", "sAMAccountName", "objectSid", "userAccountControl", "servicePrincipalName"}, nil} {
		b.Run(fmt.Sprintf("%d attributes", len(attrs)), func(b *testing.B) {
			f := populated(b, 10_000)
			r, c := f.DC("DC01"), admin(f)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				req := &SearchRequest{Base: contosoDN, Scope: Subtree, Filter: filter.MustParse("(objectClass=user)"), Attributes: attrs, ExtendedDN: -1, Page: &Page{Size: 1000}}
				for {
					res, err := r.Search(context.Background(), c, req, func(*Entry) error { n++; return nil })
					if err != nil {
						b.Fatal(err)
					}
					if len(res.Cookie) == 0 {
						break
					}
					req.Page.Cookie = res.Cookie
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

func BenchmarkSnapshotRestore(b *testing.B) {
	f := populated(b, 10_000)
	for b.Loop() {
		f.Restore(f.Snapshot())
	}
}

func BenchmarkModify(b *testing.B) {
	f := populated(b, 10_000, "DC01", "DC02")
	r := f.DC("DC01")
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		mod := Modification{Op: ModReplace, Attribute: Text("description", fmt.Sprint(i))}
		if err := r.Modify(context.Background(), System(), fmt.Sprintf("CN=account%06d,CN=Users,%s", i%10_000, contosoDN), []Modification{mod}, false); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
