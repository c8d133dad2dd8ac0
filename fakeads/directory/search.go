package directory

import (
	"context"
	"slices"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/dn"
	"github.com/gmsasim/gmsasim/fakeads/filter"
)

// query is one search while it runs.
type query struct {
	ctx    context.Context
	v      *view
	c      *Caller
	req    *SearchRequest
	rights *rights
	base   *entry // nil: the root of everything
	m      *matcher
	sel    selection

	match reader // for the filter
	out   reader // for the answer
	ids   []attrID
	entry Entry

	candidates []uint32
	named      []selected

	backLinks   []*attrDef // those that some object can have
	descriptors map[descriptorPart][][]byte
}

// Search runs a search. emit is called without any lock held; its error ends the search and is returned. What a search finds is
// the state at its beginning.
//
// Errors of the directory are *Error: noSuchObject, referral, invalidDNSyntax, sizeLimitExceeded after the entries that fitted,
// operationsError for an anonymous caller. A caller's ctx that is done ends it with ctx's error.
func (r *Replica) Search(ctx context.Context, c *Caller, req *SearchRequest, emit func(*Entry) error) (SearchResult, error) {
	if err := r.forest.mustBind(c); err != nil {
		return SearchResult{}, err
	}
	q, _ := r.forest.queries.Get().(*query)
	if q == nil {
		q = &query{}
	}
	v := r.view()
	q.ctx, q.v, q.c, q.req = ctx, &v, c, req
	q.rights = v.remembered(c)
	res, err := q.run(emit)
	q.rights.remember()
	q.out.reset()
	q.match.reset()
	*q = query{out: q.out, match: q.match, ids: q.ids[:0], entry: Entry{Attributes: q.entry.Attributes[:0]}, candidates: q.candidates[:0], named: q.named[:0]}
	r.forest.queries.Put(q)
	return res, err
}

// mustBind refuses anonymous operations; the root DSE is asked for otherwise.
func (f *Forest) mustBind(c *Caller) error {
	if c.System || c.Token != nil && !c.Anonymous {
		return nil
	}
	return f.ldapErr(resultOperationsError, 0x4DC, "0C090C78", "In order to perform this operation a successful bind must be completed on the connection.")
}

// Get reads one object by DN; names as in SearchRequest.Attributes. The entry is the caller's to keep, its values are shared.
func (r *Replica) Get(ctx context.Context, c *Caller, dn string, names ...string) (*Entry, error) {
	var found *Entry
	_, err := r.Search(ctx, c, &SearchRequest{Base: dn, Attributes: names, ExtendedDN: -1}, func(e *Entry) error {
		found = e.clone()
		return nil
	})
	if err == nil && found == nil {
		return nil, noObject(emptyDN)
	}
	return found, err
}

var emptyDN dn.DN

// clone is a copy that stays valid after emit. Values that were made up for the answer are copied with it.
func (e *Entry) clone() *Entry {
	c := &Entry{DN: strings.Clone(e.DN), Attributes: make([]Attribute, len(e.Attributes))}
	for i, a := range e.Attributes {
		c.Attributes[i] = Attribute{Name: a.Name, Values: make([][]byte, len(a.Values))}
		for j, v := range a.Values {
			c.Attributes[i].Values[j] = slices.Clone(v)
		}
	}
	return c
}

func (q *query) run(emit func(*Entry) error) (SearchResult, error) {
	var res SearchResult
	req := q.req
	var start cookie
	page := q.v.f.cfg.MaxPageSize
	if req.Page != nil {
		if req.Page.Size > 0 {
			page = min(page, req.Page.Size)
		}
		start.fingerprint = req.fingerprint(q.c)
		if len(req.Page.Cookie) > 0 {
			c, err := parseCookie(req.Page.Cookie)
			if err != nil || c.fingerprint != start.fingerprint {
				// guess: the cookie of another search is refused with unwillingToPerform and ERROR_INVALID_PARAMETER.
				return res, q.v.f.ldapErr(resultUnwilling, 0x57, "0C090B22", "Error processing control")
			}
			start = c
		}
		if req.Page.Size == 0 {
			return res, nil // the client gives the rest up (RFC 2696 3)
		}
	}
	switch {
	case req.Base == "" && req.Scope == BaseObject:
		return res, noObject(emptyDN) // the root DSE is asked for otherwise
	case req.Base == "":
		if !req.PhantomRoot {
			return res, noObject(emptyDN)
		}
	default:
		var err error
		if q.base, err = q.v.resolve(req.Base, q.rights, req.ShowDeleted || req.ShowRecycled); err != nil {
			return res, err
		}
	}
	q.m = q.v.compile(req.Filter)
	q.sel = readSelection(theSchema(), req, q.named)
	q.named = q.sel.named
	if q.sel.all {
		q.backLinks = q.v.usedBackLinks()
	}
	if !req.DomainScope && req.Scope != BaseObject && len(start.zero()) == 0 {
		res.Referrals = q.references()
	}
	limit := page
	if req.SizeLimit > 0 {
		limit = min(limit, req.SizeLimit)
	}
	if len(req.Sort) > 0 {
		return q.sorted(res, start, limit, emit)
	}
	return q.unsorted(res, start, limit, emit)
}

// zero is empty for the cookie of a first page.
func (c *cookie) zero() string {
	if c.kind == 0 && c.after == 0 && c.offset == 0 {
		return ""
	}
	return "later"
}

// unsorted gives objects in the order of their creation.
func (q *query) unsorted(res SearchResult, start cookie, limit int, emit func(*Entry) error) (SearchResult, error) {
	n := 0
	out := &q.entry
	last := start
	var failed error
	more := false
	err := q.each(start, func(k ncKind, e *entry) bool {
		if n == limit {
			more = true
			return false
		}
		if failed = q.format(e, out); failed == nil {
			failed = emit(out)
		}
		n++
		last.kind, last.after = k, e.id
		return failed == nil
	})
	if failed != nil {
		return SearchResult{}, failed
	}
	if err != nil {
		return SearchResult{}, err
	}
	return q.end(res, more, last)
}

// end is the result after the entries.
func (q *query) end(res SearchResult, more bool, next cookie) (SearchResult, error) {
	switch {
	case !more:
	case q.req.Page != nil && (q.req.SizeLimit == 0 || q.req.SizeLimit > q.req.Page.Size):
		res.Cookie = next.marshal()
	default:
		return res, &Error{Result: resultSizeLimit}
	}
	return res, nil
}

// each visits the objects that match, after the cookie's, until visit says no.
func (q *query) each(start cookie, visit func(ncKind, *entry) bool) error {
	req := q.req
	if q.base != nil && req.Scope == BaseObject {
		if q.test(q.base) && (start.after == 0 || q.base.id > start.after) {
			visit(q.base.nc, q.base)
		}
		return nil
	}
	stopped := false
	n := 0
	var err error
	test := func(k ncKind, e *entry) bool {
		if n++; n%256 == 0 {
			if err = q.ctx.Err(); err != nil {
				return false
			}
		}
		if !q.inScope(e) || !q.test(e) {
			return true
		}
		stopped = !visit(k, e)
		return !stopped
	}
	for _, k := range q.contexts() {
		if k < start.kind {
			continue
		}
		after := uint32(0)
		if k == start.kind {
			after = start.after
		}
		s := q.v.store(k)
		ids, scan := q.plan(k, s, after)
		if scan {
			s.records.each(after, func(r *record) bool { return test(k, r.entry) })
		}
		for _, id := range ids {
			r := s.records.get(id)
			if r != nil && !test(k, r.entry) {
				break
			}
		}
		if stopped || err != nil {
			break
		}
	}
	return err
}

// contexts are the naming contexts that the search looks into.
func (q *query) contexts() []ncKind {
	if q.base != nil && !q.req.PhantomRoot {
		return []ncKind{q.base.nc}
	}
	var list []ncKind
	for k := range ncKinds {
		if q.v.r.holds(k) && (q.base == nil || q.base.nc == k || q.req.Scope == Subtree && q.v.r.ncs[k].dn.IsUnder(q.base.name)) {
			list = append(list, k)
		}
	}
	return list
}

// smallTree is how many objects below a base are looked at one by one before the index is asked.
const smallTree = 64

// plan chooses the objects of a naming context to look at: by ids, or all.
func (q *query) plan(k ncKind, s *store, after uint32) (ids []uint32, scan bool) {
	rank := q.m.rank()
	head := q.base == nil || q.base.parent == 0 || q.base.nc != k
	if q.req.Scope == SingleLevel && q.base != nil {
		if rank <= planValue {
			return q.found(s, after), false
		}
		return q.v.children(nil, q.base, after), false
	}
	if rank <= planLinks {
		return q.found(s, after), false
	}
	if !head {
		if ids, ok := q.subtree(s, smallTree); ok {
			return idsAfter(ids, after), false
		}
	}
	if rank == planCommon {
		return q.found(s, after), false
	}
	if head {
		return nil, true
	}
	ids, _ = q.subtree(s, 0)
	return idsAfter(ids, after), false
}

// found are the ids that the index gives.
func (q *query) found(s *store, after uint32) []uint32 {
	q.candidates = q.m.candidates(q, s, q.candidates[:0], after)
	return q.candidates
}

func idsAfter(ids []uint32, after uint32) []uint32 {
	i, _ := slices.BinarySearch(ids, after+1)
	return ids[i:]
}

// subtree are the ids of the base and everything below, sorted; ok is false when they are more than limit, which 0 lifts.
func (q *query) subtree(s *store, limit int) (ids []uint32, ok bool) {
	ids = append(ids, q.base.id)
	for i := 0; i < len(ids); i++ {
		ids = s.below(ids, ids[i], 0)
		if limit > 0 && len(ids) > limit {
			return nil, false
		}
	}
	slices.Sort(ids)
	return ids, true
}

func (q *query) inScope(e *entry) bool {
	if q.base == nil {
		return q.req.Scope == Subtree || e.parent == 0
	}
	if q.req.Scope == SingleLevel {
		return e.parent == q.base.id
	}
	return e.id == q.base.id || e.name.IsUnder(q.base.name)
}

// test tells whether the object is shown and matches.
func (q *query) test(e *entry) bool {
	if e.hidden() && !q.req.ShowDeleted && !q.req.ShowRecycled {
		return false
	}
	if e != q.base && !q.rights.see(e) {
		return false
	}
	q.match.reset()
	return q.m.match(q, e) == filter.True
}

// references are the continuation references of a search from its base down: the naming contexts below it ([MS-ADTS]
// 3.1.1.3.1.5). The caller must not change them.
func (q *query) references() []string {
	if q.base == nil || q.base.parent != 0 || q.req.PhantomRoot {
		return nil
	}
	if q.req.Scope == Subtree {
		return q.v.r.below()[q.base.nc]
	}
	return q.v.r.references(q.base.nc, true)
}

// references are those of a search from the head of a naming context: the contexts directly below. What lies below another one is
// that one's to name.
func (r *Replica) references(base ncKind, single bool) []string {
	head := r.ncs[base].dn
	var below []*namingContext
	for _, k := range []ncKind{ncForestDNS, ncDomainDNS, ncConfiguration, ncSchema} {
		below = append(below, r.ncs[k])
	}
	for _, d := range r.forest.domains {
		if d != r.domain {
			below = append(below, d.ncs[ncDomain])
		}
	}
	var list []string
	for _, nc := range below {
		if nc.dn.Equal(head) || !nc.dn.IsUnder(head) || single && !nc.dn.Parent().Equal(head) {
			continue
		}
		if slices.ContainsFunc(below, func(o *namingContext) bool {
			return o != nc && !o.dn.Equal(head) && o.dn.IsUnder(head) && nc.dn.IsUnder(o.dn)
		}) {
			continue
		}
		u := nc.url
		if single {
			u += "??base"
		}
		list = append(list, u)
	}
	return list
}

// usedBackLinks are the back link attributes that some object has.
func (v *view) usedBackLinks() []*attrDef {
	var set attrSet
	for k := range ncStored {
		for i, w := range v.rs.stores[k].linked {
			set[i] |= w
		}
	}
	s := theSchema()
	var list []*attrDef
	for i := range s.attrs {
		if d := &s.attrs[i]; d.backLink && d.partner != 0 && set.has(d.partner) {
			list = append(list, d)
		}
	}
	return list
}

// Result codes of the sort control's response (RFC 2891 1.2).
const (
	sortNoSuchAttribute       = 16
	sortInappropriateMatching = 18
)

// maxSorted is MaxTempTableSize: how many objects a sort may have ([MS-ADTS] 3.1.1.3.4.6).
const maxSorted = 10_000

// sorted gives objects in the order of one attribute. Active Directory takes a single key ([MS-ADTS] 3.1.1.3.4.1.13).
func (q *query) sorted(res SearchResult, start cookie, limit int, emit func(*Entry) error) (SearchResult, error) {
	key := q.req.Sort[0]
	d := theSchema().attr(key.Attribute)
	switch {
	case len(q.req.Sort) > 1:
		res.SortResult = sortInappropriateMatching
	case d == nil:
		res.SortResult = sortNoSuchAttribute
	case d.constructed || d.forwardLink || d.backLink || d.syntax == synDescriptor:
		res.SortResult = sortInappropriateMatching
	}
	if res.SortResult != 0 {
		if q.req.MustSort {
			return res, q.v.f.ldapErr(resultUnavailableCritical, 0x57, "0C090B22", "Error processing control")
		}
		return q.unsorted(res, start, limit, emit)
	}
	type item struct {
		e   *entry
		key []byte // nil: no value, which comes last
	}
	var items []item
	err := q.each(cookie{}, func(_ ncKind, e *entry) bool {
		it := item{e: e}
		if q.rights.read(e, d) {
			q.match.reset()
			for _, v := range q.match.of(q.v, e, d) {
				k := d.sortKey(v)
				if it.key == nil || string(k) < string(it.key) {
					it.key = k
				}
			}
		}
		items = append(items, it)
		return len(items) <= maxSorted
	})
	if err != nil {
		return SearchResult{}, err
	}
	if len(items) > maxSorted {
		// guess: sorting more results than MaxTempTableSize allows is refused with unwillingToPerform.
		return SearchResult{}, unwilling(0x20B5)
	}
	slices.SortStableFunc(items, func(a, b item) int {
		if (a.key == nil) != (b.key == nil) {
			if a.key == nil {
				return 1
			}
			return -1
		}
		c := strings.Compare(string(a.key), string(b.key))
		if key.Reverse {
			c = -c
		}
		return c
	})
	items = items[min(int(start.offset), len(items)):]
	more := len(items) > limit
	items = items[:min(limit, len(items))]
	out := &q.entry
	for _, it := range items {
		err := q.format(it.e, out)
		if err == nil {
			err = emit(out)
		}
		if err != nil {
			return SearchResult{}, err
		}
	}
	start.offset += uint32(len(items))
	return q.end(res, more, start)
}
