package directory

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestIndexIsASet compares the index with a map, through copies that must not see each other's changes.
func TestIndexIsASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type version struct {
			x    index
			want map[posting]bool
		}
		versions := []version{{want: map[posting]bool{}}}
		owner := uint64(0)
		for range rapid.IntRange(1, 8).Draw(t, "versions") {
			from := versions[rapid.IntRange(0, len(versions)-1).Draw(t, "from")]
			owner++
			v := version{x: from.x, want: map[posting]bool{}}
			for p := range from.want {
				v.want[p] = true
			}
			for range rapid.IntRange(0, 300).Draw(t, "changes") {
				p := posting{rapid.Uint64Range(0, 6).Draw(t, "hash"), rapid.Uint32Range(1, 80).Draw(t, "id")}
				if rapid.IntRange(0, 3).Draw(t, "kind") == 0 {
					if got := v.x.remove(p, owner); got != v.want[p] {
						t.Fatalf("remove %v: got %v, want %v", p, got, v.want[p])
					}
					delete(v.want, p)
				} else {
					if got := v.x.insert(p, owner); got == v.want[p] {
						t.Fatalf("insert %v: got %v, want %v", p, got, !v.want[p])
					}
					v.want[p] = true
				}
			}
			versions = append(versions, v)
		}
		for i, v := range versions {
			if v.x.count != len(v.want) {
				t.Fatalf("version %d: count got %d, want %d", i, v.x.count, len(v.want))
			}
			for hash := range uint64(7) {
				after := rapid.Uint32Range(0, 80).Draw(t, "after")
				var want []uint32
				for p := range v.want {
					if p.hash == hash && p.id > after {
						want = append(want, p.id)
					}
				}
				slices.Sort(want)
				if got := v.x.ids(nil, hash, after); !slices.Equal(got, want) {
					t.Fatalf("version %d, hash %d after %d: got %v, want %v", i, hash, after, got, want)
				}
				var first uint32
				if len(want) > 0 {
					first = want[0]
				}
				if got := v.x.first(hash, after); got != first {
					t.Fatalf("version %d, first of %d after %d: got %d, want %d", i, hash, after, got, first)
				}
			}
		}
	})
}

// TestRecordsAreAMap does the same for records.
func TestRecordsAreAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r, old records
		want := map[uint32]*entry{}
		wantOld := map[uint32]*entry{}
		ids := rapid.OneOf(rapid.Uint32Range(1, 100), rapid.Uint32Range(1, 5000), rapid.Uint32Range(firstSchemaID, firstSchemaID+40))
		for owner := range uint64(3) {
			old = r
			wantOld = map[uint32]*entry{}
			for k, v := range want {
				wantOld[k] = v
			}
			for range rapid.IntRange(0, 200).Draw(t, "changes") {
				id := ids.Draw(t, "id")
				e := &entry{id: id}
				if rapid.IntRange(0, 4).Draw(t, "kind") == 0 {
					e = nil
				}
				r.set(id, record{entry: e}, owner+1)
				if e == nil {
					delete(want, id)
				} else {
					want[id] = e
				}
			}
		}
		for _, c := range []struct {
			r    *records
			want map[uint32]*entry
		}{{&r, want}, {&old, wantOld}} {
			if c.r.count != len(c.want) {
				t.Fatalf("count: got %d, want %d", c.r.count, len(c.want))
			}
			after := rapid.OneOf(rapid.Just(uint32(0)), ids).Draw(t, "after")
			var got, expect []uint32
			c.r.each(after, func(rec *record) bool {
				got = append(got, rec.entry.id)
				return true
			})
			for id, e := range c.want {
				if rec := c.r.get(id); rec == nil || rec.entry != e {
					t.Fatalf("get %d: got %v", id, rec)
				}
				if id > after {
					expect = append(expect, id)
				}
			}
			slices.Sort(expect)
			if !slices.Equal(got, expect) {
				t.Fatalf("each after %d: got %v, want %v", after, got, expect)
			}
		}
	})
}

// TestHashesOfReferences: attributes and ids are small numbers, and no two of their pairs share a hash. Where a child and a link did,
// a rename of one member of a large group went in circles.
func TestHashesOfReferences(t *testing.T) {
	const ids = 4096
	type reference struct {
		a  attrID
		id uint32
	}
	seen := make(map[uint64]reference, 8*ids)
	for _, a := range []attrID{xDN, xGUID, xParent, xClass, xRDN, aMember, aManagedBy, aMsDSManagedPasswordId} {
		for id := range uint32(ids) {
			h := hashID(a, id)
			if other, ok := seen[h]; ok {
				t.Fatalf("hash of attribute %d with id %d: got that of %d with %d", a, id, other.a, other.id)
			}
			seen[h] = reference{a, id}
		}
	}
}

// TestWalksDownTheTreeEnd: what the index has for another value of the same hash is no child.
func TestWalksDownTheTreeEnd(t *testing.T) {
	var s store
	s.version = 1
	for id, parent := range []uint32{1: 0, 2: 1, 3: 1, 4: 2} {
		if id > 0 {
			s.records.set(uint32(id), record{entry: &entry{id: uint32(id), parent: parent}}, s.version)
			s.index.insert(posting{hashID(xParent, parent), uint32(id)}, s.version)
		}
	}
	for _, stray := range []uint32{1, 2, 4} {
		s.index.insert(posting{hashID(xParent, 2), stray}, s.version)
	}
	if got, want := s.below([]uint32{9}, 2, 0), []uint32{9, 4}; !slices.Equal(got, want) {
		t.Errorf("below 2, after what was there: got %v, want %v", got, want)
	}
	q := &query{base: s.records.get(1).entry}
	if got, ok := q.subtree(&s, 0); !ok || !slices.Equal(got, []uint32{1, 2, 3, 4}) {
		t.Errorf("subtree: got %v, %v, want 1 2 3 4", got, ok)
	}
}
