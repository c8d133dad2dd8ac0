package directory

import (
	"context"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/filter"
)

// Compare tests one value. Errors are *Error: an attribute that the object does not have, or that the caller may not read, is
// noSuchAttribute.
func (r *Replica) Compare(ctx context.Context, c *Caller, name, attr string, value []byte) (bool, error) {
	if err := r.forest.mustBind(c); err != nil {
		return false, err
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	v := r.view()
	q := &query{ctx: ctx, v: &v, c: c, req: &SearchRequest{ExtendedDN: -1}, rights: v.rights(c)}
	e, err := v.resolve(name, q.rights, false)
	if err != nil {
		return false, err
	}
	attr, _, _ = strings.Cut(attr, ";")
	d := theSchema().attr(attr)
	if d == nil {
		return false, r.forest.ldapErr(resultNoSuchAttribute, errConversion, "0C0910CA", "Error in attribute conversion operation")
	}
	present := v.compile(&filter.Filter{Op: filter.Present, Attr: d.name})
	if present.match(q, e) != filter.True {
		return false, attrErr(resultNoSuchAttribute, errAttributeMissing, 1001, d)
	}
	m := v.compile(&filter.Filter{Op: filter.Equal, Attr: d.name, Value: value})
	if m.op == matchNever {
		return false, attrErr(resultInappropriateMatching, errConversion, 1004, d)
	}
	return m.match(q, e) == filter.True, nil
}
