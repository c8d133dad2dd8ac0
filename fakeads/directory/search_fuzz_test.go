package directory

import (
	"bytes"
	"context"
	"errors"
	"testing"
)

// FuzzCookie: what comes back as a cookie is from outside.
func FuzzCookie(f *testing.F) {
	forest := newForest(f, contosoConfig())
	r := forest.DC("DC01")
	req := &SearchRequest{Base: contosoDN, Scope: Subtree, ExtendedDN: -1, Page: &Page{Size: 3}, Attributes: []string{"1.1"}}
	res, err := r.Search(context.Background(), System(), req, func(*Entry) error { return nil })
	if err != nil || len(res.Cookie) == 0 {
		f.Fatalf("first page: %v", err)
	}
	f.Add(res.Cookie)
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := parseCookie(b); err == nil && !bytes.Equal(c.marshal(), b) {
			t.Errorf("cookie %x reads as %+v", b, c)
		}
		again := *req
		again.Page = &Page{Size: 3, Cookie: b}
		n := 0
		if _, err := r.Search(context.Background(), System(), &again, func(*Entry) error { n++; return nil }); err == nil && n > 3 {
			t.Errorf("a page of %d", n)
		}
	})
}

// FuzzBase: any base gives entries or an *Error.
func FuzzBase(f *testing.F) {
	r := newForest(f, contosoConfig()).DC("DC01")
	for _, s := range []string{contosoDN, "<GUID=00000000-0000-0000-0000-000000000000>", "<SID=S-1-5-32-544>", "<WKGUID=" + wkUsers + "," + contosoDN + ">", "<", "<X=>", "CN=a\\,b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, base string) {
		_, err := r.Search(context.Background(), System(), &SearchRequest{Base: base, ExtendedDN: -1}, func(*Entry) error { return nil })
		if _, ok := errors.AsType[*Error](err); err != nil && !ok {
			t.Errorf("%q: got %v, want an *Error", base, err)
		}
	})
}

// FuzzValue: a value of any syntax is refused or has a form that reads back as itself.
func FuzzValue(f *testing.F) {
	s := theSchema()
	for _, a := range []attrID{aCn, aUserAccountControl, aAccountExpires, aIsDeleted, aLastKnownParent, aWellKnownObjects, aObjectClass, aWhenCreated, aObjectSid, aNTSecurityDescriptor} {
		f.Add(uint16(a), []byte("B:2:00:CN=x"))
	}
	f.Fuzz(func(t *testing.T, a uint16, v []byte) {
		d := s.def(attrID(a) % numAttributes)
		c, ok := d.canonical(s, v)
		if !ok {
			return
		}
		again, ok := d.canonical(s, c)
		if !ok || !bytes.Equal(again, c) {
			t.Errorf("%s: %q becomes %q becomes %q, %v", d.name, v, c, again, ok)
		}
		if norm, ok := d.assertion(s, v); ok && d.id != aObjectGUID && d.syntax != synOctets && !d.equal(c, string(norm)) {
			t.Errorf("%s: %q does not match itself", d.name, v)
		}
	})
}

// FuzzSelection: options of attribute names and the flags of the descriptor control are from outside.
func FuzzSelection(f *testing.F) {
	forest := newForest(f, contosoConfig())
	r := forest.DC("DC01")
	f.Add("member;range=0-*", uint32(7))
	f.Add("member;binary;range=9-3", uint32(0))
	f.Fuzz(func(t *testing.T, name string, flags uint32) {
		req := &SearchRequest{Base: "CN=Administrators,CN=Builtin," + contosoDN, ExtendedDN: -1, Attributes: []string{name, "nTSecurityDescriptor"}, SDFlags: &flags}
		_, err := r.Search(context.Background(), System(), req, func(*Entry) error { return nil })
		if err != nil {
			t.Error(err)
		}
	})
}
