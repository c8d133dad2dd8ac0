package simulator

import (
	"context"
	"fmt"
	"testing"
)

// BenchmarkStart is a domain up and down, without and with its listeners.
func BenchmarkStart(b *testing.B) {
	for _, listen := range []bool{false, true} {
		b.Run(fmt.Sprintf("listen=%v", listen), func(b *testing.B) {
			for b.Loop() {
				d, err := Start(context.Background(), Contoso())
				if err != nil {
					b.Fatal(err)
				}
				if listen {
					if err := d.Listen(); err != nil {
						b.Fatal(err)
					}
				}
				if err := d.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkStartLarge is a domain with ten thousand accounts: no key is derived before it is needed.
func BenchmarkStartLarge(b *testing.B) {
	cfg := Contoso()
	for i := range 10000 {
		cfg.Users = append(cfg.Users, User{Name: fmt.Sprintf("user%05d", i)})
	}
	for b.Loop() {
		d, err := Start(context.Background(), cfg)
		if err != nil {
			b.Fatal(err)
		}
		if err := d.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCase is a case as a tool author's test has it: a fresh domain, a host that signs in, binds, reads and decodes the password,
// signs in as the service account and gets a ticket. Fresh keys are derived anew in each; remembered ones are those of a suite that
// shares [Keys].
func BenchmarkCase(b *testing.B) {
	run := func(b *testing.B, keys *Keys, seed uint64) {
		cfg := Contoso()
		cfg.Keys, cfg.Seed = keys, seed
		d, err := Start(context.Background(), cfg)
		if err != nil {
			b.Fatal(err)
		}
		defer d.Close()
		h := d.Host("ContainerHost01")
		if err := h.TestServiceAccount("WebApp01"); err != nil {
			b.Fatal(err)
		}
		if _, err := h.KerberosTo("host/WebApp01.contoso.com"); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("keys=fresh", func(b *testing.B) {
		b.ReportAllocs()
		for seed := uint64(1); b.Loop(); seed++ {
			run(b, nil, seed)
		}
	})
	b.Run("keys=remembered", func(b *testing.B) {
		b.ReportAllocs()
		keys := NewKeys()
		for b.Loop() {
			run(b, keys, 1)
		}
	})
}
