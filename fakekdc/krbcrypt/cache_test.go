package krbcrypt

import (
	"fmt"
	"sync"
	"testing"
)

func mustDerive(t testing.TB, c *Cache, etype int32, password string) *Key {
	t.Helper()
	k, err := c.StringToKey(etype, password, "CONTOSO.COMalice")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestCacheRemembers(t *testing.T) {
	c := NewCache(4)
	for _, etype := range []int32{AES128SHA1, AES256SHA1, AES128SHA256} {
		if a, b := mustDerive(t, c, etype, "secret"), mustDerive(t, c, etype, "secret"); a != b {
			t.Errorf("etype %d: got two keys, want the same", etype)
		}
	}
	if got := c.Len(); got != 2 {
		t.Errorf("remembered: got %d, want 2: the RFC 3962 types share one computation", got)
	}
	if a, b := mustDerive(t, c, AES256SHA1, "secret"), mustDerive(t, c, AES256SHA1, "other"); a == b {
		t.Error("two passwords: got one key")
	}
	if got := mustDerive(t, c, RC4HMAC, "secret").EType; got != RC4HMAC {
		t.Errorf("RC4: got etype %d", got)
	}
	if _, err := c.StringToKey(1, "secret", ""); err == nil {
		t.Error("etype 1: got a key, want an error")
	}
}

func TestCacheForgetsTheLeastRecentlyUsed(t *testing.T) {
	c := NewCache(2)
	first := mustDerive(t, c, AES256SHA1, "first")
	second := mustDerive(t, c, AES256SHA1, "second")
	mustDerive(t, c, AES256SHA1, "first")
	mustDerive(t, c, AES256SHA1, "third")
	if got := c.Len(); got != 2 {
		t.Errorf("remembered: got %d, want 2", got)
	}
	if mustDerive(t, c, AES256SHA1, "first") != first {
		t.Error("first was used last but one: got it forgotten, want it remembered")
	}
	if mustDerive(t, c, AES256SHA1, "second") == second {
		t.Error("second was used least recently: got it remembered, want it forgotten")
	}
}

func TestNilCacheRemembersNothing(t *testing.T) {
	var c *Cache
	a, b := mustDerive(t, c, AES256SHA1, "secret"), mustDerive(t, c, AES256SHA1, "secret")
	if a == b {
		t.Error("got the same key twice")
	}
	if string(a.Value) != string(b.Value) {
		t.Errorf("got %x and %x, want equal values", a.Value, b.Value)
	}
}

func TestCacheComputesOnceForAll(t *testing.T) {
	c := NewCache(0)
	keys := make([]*Key, 16)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() { keys[i] = mustDerive(t, c, AES256SHA1, "secret") })
	}
	wg.Wait()
	for i, k := range keys {
		if k != keys[0] {
			t.Fatalf("goroutine %d: got another key", i)
		}
	}
}

func BenchmarkStringToKey(b *testing.B) {
	b.Run("derived", func(b *testing.B) {
		for b.Loop() {
			if _, err := StringToKey(AES256SHA1, "Passw0rd!", "CONTOSO.COMalice"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("remembered", func(b *testing.B) {
		c := NewCache(1000)
		for i := range 10 {
			mustDerive(b, c, AES256SHA1, fmt.Sprint(i))
		}
		b.ReportAllocs()
		for b.Loop() {
			mustDerive(b, c, AES256SHA1, "7")
		}
	})
}
