package fakeads

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/gmsasim/gmsasim/fakeads/directory"
	"github.com/gmsasim/gmsasim/fakeads/filter"
)

const managedPassword = "msDS-ManagedPassword"

// maxWithheld is for how many entries of a search it is found out whether a
// managed password was withheld.
const maxWithheld = 16

// search carries out a search, [MS-ADTS] 3.1.1.3.
func (c *conn) search(p *pending, op *Operation) result {
	if r := c.checkControls(p, op); r != nil {
		return *r
	}
	q := p.search
	req := directory.SearchRequest{
		Base: q.base, Scope: q.scope, Filter: q.filter, Attributes: q.attrs, TypesOnly: q.typesOnly, SizeLimit: q.sizeLimit,
	}
	if err := applyControls(p.controls, &req); err != nil {
		return *c.s.controlError(resultProtocolError)
	}
	if q.base == "" && q.scope == directory.BaseObject {
		return c.rootDSE(p, op)
	}
	if c.caller.Anonymous {
		return c.s.anonymousError()
	}
	if req.Page != nil && req.Page.Size == 0 && len(req.Page.Cookie) > 0 { // RFC 2696 3: the client gives up
		return result{controls: []control{pagedResponse(0, nil)}}
	}
	wanted := !c.door.globalCatalog() && slices.ContainsFunc(q.attrs, func(a string) bool { return strings.EqualFold(a, managedPassword) })
	if c.door.globalCatalog() {
		catalogView(&req)
	}
	ctx := p.ctx
	if q.timeLimit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(q.timeLimit)*time.Second)
		defer cancel()
	}
	found, err := c.s.cfg.Replica.Search(ctx, &c.caller, &req, func(e *directory.Entry) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		op.Entries++
		if wanted && op.Entries <= maxWithheld {
			c.noteWithheld(ctx, op, e)
		}
		return c.entry(p.id, e)
	})
	var r result
	if err != nil {
		r = c.failed(ctx, op, err)
	}
	if r.code == resultSuccess || r.code == resultSizeLimitExceeded {
		for _, url := range found.Referrals {
			c.reference(p.id, url)
		}
	}
	if req.Sort != nil {
		r.controls = append(r.controls, sortResponse(found.SortResult))
	}
	if req.Page != nil && r.code == resultSuccess {
		r.controls = append(r.controls, pagedResponse(found.Estimate, found.Cookie))
	}
	return r
}

// catalogView makes of a search what a global catalog answers: all naming
// contexts below the empty base, no continuation references, no managed password
// ([MS-ADTS] 3.1.1.4.4: it is not in the partial attribute set).
func catalogView(req *directory.SearchRequest) {
	req.DomainScope = true
	if req.Base == "" {
		req.PhantomRoot = true
	}
	if len(req.Attributes) == 0 {
		return
	}
	req.Attributes = slices.DeleteFunc(slices.Clone(req.Attributes), func(a string) bool { return strings.EqualFold(a, managedPassword) })
	if len(req.Attributes) == 0 {
		req.Attributes = []string{"1.1"}
	}
}

// noteWithheld remembers that an entry of a gMSA came without the password that
// was asked for.
func (c *conn) noteWithheld(ctx context.Context, op *Operation, e *directory.Entry) {
	if len(op.Withheld) > 0 || slices.ContainsFunc(e.Attributes, func(a directory.Attribute) bool { return strings.EqualFold(a.Name, managedPassword) }) {
		return
	}
	full, err := c.s.cfg.Replica.Get(ctx, directory.System(), e.DN, "objectClass")
	if err != nil {
		return // it is gone meanwhile, or has an extended name: then nothing is known
	}
	for _, v := range full.Values("objectClass") {
		if strings.EqualFold(string(v), "msDS-GroupManagedServiceAccount") {
			op.Withheld = []string{managedPassword}
			return
		}
	}
}

// rootDSE answers a search for the entry with the empty name, with the answer to
// an LDAP ping if that is asked for ([MS-ADTS] 6.3.3).
func (c *conn) rootDSE(p *pending, op *Operation) result {
	q := p.search
	if i := slices.IndexFunc(q.attrs, func(a string) bool { return strings.EqualFold(a, netlogonAttribute) }); i >= 0 && q.filter != nil {
		value, ok := c.s.netlogon(q.filter, c.server)
		if !ok {
			return result{}
		}
		e := directory.Entry{Attributes: []directory.Attribute{{Name: netlogonAttribute, Values: [][]byte{value}}}}
		if q.typesOnly {
			e.Attributes[0].Values = nil
		}
		op.Entries++
		if err := c.entry(p.id, &e); err != nil {
			return c.failed(p.ctx, op, err)
		}
		return result{}
	}
	e := c.s.cfg.Replica.RootDSE(&c.caller, q.attrs, c.s.now(c.ctx))
	if e == nil || q.filter != nil && q.filter.Eval(func(f *filter.Filter) filter.Ternary { return rootMatches(e, f) }) != filter.True {
		return result{}
	}
	if q.typesOnly {
		bare := directory.Entry{DN: e.DN, Attributes: slices.Clone(e.Attributes)}
		for i := range bare.Attributes {
			bare.Attributes[i].Values = nil
		}
		e = &bare
	}
	op.Entries++
	if err := c.entry(p.id, e); err != nil {
		return c.failed(p.ctx, op, err)
	}
	return result{}
}

// rootMatches decides an item of a filter on the root DSE. It has a class and a name
// although it shows neither; of the rest only what was asked for is known.
func rootMatches(e *directory.Entry, f *filter.Filter) filter.Ternary {
	always := strings.EqualFold(f.Attr, "objectClass") || strings.EqualFold(f.Attr, "distinguishedName")
	switch f.Op {
	case filter.Present:
		if always || e.Values(f.Attr) != nil {
			return filter.True
		}
		return filter.False
	case filter.Equal:
		if strings.EqualFold(f.Attr, "objectClass") && strings.EqualFold(string(f.Value), "top") {
			return filter.True
		}
		for _, v := range e.Values(f.Attr) {
			if strings.EqualFold(string(v), string(f.Value)) {
				return filter.True
			}
		}
		return filter.False
	}
	return filter.Undefined
}

// update carries out add, modify, modifyDN, delete and compare.
func (c *conn) update(p *pending, op *Operation) result {
	if r := c.checkControls(p, op); r != nil {
		return *r
	}
	if c.caller.Anonymous {
		return c.s.anonymousError()
	}
	if c.door.globalCatalog() && p.kind != KindCompare {
		return c.s.unwilling("The global catalog is read-only")
	}
	replica := c.s.cfg.Replica
	var err error
	switch p.kind {
	case KindAdd:
		err = replica.Add(p.ctx, &c.caller, p.add.DN, p.add.Attributes)
	case KindModify:
		err = replica.Modify(p.ctx, &c.caller, p.modify.dn, p.modify.changes, p.find(oidPermissive) != nil)
	case KindModifyDN:
		m := p.modifyDN
		err = replica.ModifyDN(p.ctx, &c.caller, m.dn, m.newRDN, m.deleteOld, m.newSuperior)
	case KindDelete:
		err = replica.Delete(p.ctx, &c.caller, p.dn, p.find(oidTreeDelete) != nil)
	case KindCompare:
		var equal bool
		equal, err = replica.Compare(p.ctx, &c.caller, p.compare.dn, p.compare.attr, p.compare.value)
		if err == nil && equal {
			return result{code: resultCompareTrue}
		}
		if err == nil {
			return result{code: resultCompareFalse}
		}
	default:
		err = errors.New("no such operation")
	}
	if err != nil {
		return c.failed(p.ctx, op, err)
	}
	return result{}
}
