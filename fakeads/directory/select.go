package directory

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// reader gives the values of attributes of one object after another. What it makes up is good until the next reset.
type reader struct {
	buf  []byte
	vals [][]byte
}

func (rd *reader) reset() {
	clear(rd.vals) // idle readers keep no objects
	rd.buf, rd.vals = rd.buf[:0], rd.vals[:0]
}

// made returns what was appended to buf since start as the only value.
func (rd *reader) made(start int) [][]byte {
	rd.vals = append(rd.vals, slices.Clip(rd.buf[start:]))
	return slices.Clip(rd.vals[len(rd.vals)-1:])
}

// of are the values of an attribute that is neither a link nor constructed.
func (rd *reader) of(v *view, e *entry, d *attrDef) [][]byte {
	switch d.id {
	case aObjectClass:
		if i, ok := e.lookup(aObjectClass); ok {
			return e.attrs[i].values()
		}
		return e.class.chainValues
	case aName:
		return e.rdn
	case aObjectGUID:
		rd.vals = append(rd.vals, e.guid[:])
		return slices.Clip(rd.vals[len(rd.vals)-1:])
	case aDistinguishedName:
		start := len(rd.buf)
		rd.buf = append(rd.buf, e.name.String()...)
		return rd.made(start)
	case aWhenCreated:
		start := len(rd.buf)
		rd.buf = appendTime(rd.buf, e.created)
		return rd.made(start)
	case aWhenChanged, aUSNCreated, aUSNChanged:
		start := len(rd.buf)
		rec := v.record(e.id)
		if rec == nil {
			return nil
		}
		switch d.id {
		case aWhenChanged:
			rd.buf = appendTime(rd.buf, rec.changed)
		case aUSNCreated:
			rd.buf = strconv.AppendUint(rd.buf, rec.usnCreated, 10)
		default:
			rd.buf = strconv.AppendUint(rd.buf, rec.usnChanged, 10)
		}
		return rd.made(start)
	case aNTSecurityDescriptor:
		return e.sd.values()
	case aReplPropertyMetaData:
		start := len(rd.buf)
		rd.buf = v.appendMetaData(rd.buf, e)
		return rd.made(start)
	case aBadPwdCount, aBadPasswordTime, aLastLogon, aLastLogoff, aLogonCount:
		if values, ok := v.logonValues(e, d.id); ok {
			return values
		}
	}
	if d.id == e.class.rdn {
		if i, ok := e.lookup(d.id); ok { // ou can have further values
			return e.attrs[i].values()
		}
		return e.rdn
	}
	if i, ok := e.lookup(d.id); ok {
		return e.attrs[i].values()
	}
	return nil
}

// selection is the attribute list of a search, read once.
type selection struct {
	all   bool // every attribute that is not constructed
	named []selected
	// sdFlags are the parts of descriptors asked for; explicit tells that the control was there, so that * has descriptors too.
	sdFlags    uint32
	sdExplicit bool
}

// selected is one attribute asked for by name.
type selected struct {
	def      *attrDef
	binary   bool // ;binary was asked for and is echoed
	ranged   bool
	from, to int // to -1: the last value
}

// readSelection reads the attribute list; named is room for it.
func readSelection(s *schema, req *SearchRequest, named []selected) selection {
	sel := selection{sdFlags: 15, named: named}
	if req.SDFlags != nil {
		sel.sdFlags, sel.sdExplicit = *req.SDFlags&15, true
		if sel.sdFlags == 0 {
			sel.sdFlags = 15 // [MS-ADTS] 3.1.1.3.4.1.11
		}
	}
	sel.all = len(req.Attributes) == 0
	for _, name := range req.Attributes {
		switch name {
		case "*":
			sel.all = true
			continue
		case "1.1", "+", "": // operational attributes are asked for by name
			continue
		}
		name, options, _ := strings.Cut(name, ";")
		d := s.attr(name)
		if d == nil {
			continue
		}
		x := selected{def: d}
		for option := range strings.SplitSeq(options, ";") {
			switch {
			case strings.EqualFold(option, "binary"):
				x.binary = true
			case len(option) > 6 && strings.EqualFold(option[:6], "range="):
				x.ranged = x.readRange(option[6:])
			}
		}
		if !slices.ContainsFunc(sel.named, func(o selected) bool { return o.def == d }) {
			sel.named = append(sel.named, x)
		}
	}
	// Answers have attributes in one order, whatever that of the request.
	slices.SortFunc(sel.named, func(a, b selected) int { return int(a.def.id) - int(b.def.id) })
	return sel
}

// readRange reads low-high or low-* ([MS-ADTS] 3.1.1.3.1.3.3).
func (x *selected) readRange(s string) bool {
	lo, hi, ok := strings.Cut(s, "-")
	if !ok {
		return false
	}
	from, err := strconv.ParseUint(lo, 10, 31)
	if err != nil {
		return false
	}
	x.from, x.to = int(from), -1
	if hi != "*" {
		to, err := strconv.ParseUint(hi, 10, 31)
		if err != nil || to < from {
			return false
		}
		x.to = int(to)
	}
	return true
}

// virtualAttributes are what every object has without storing it, in the order of answers.
var virtualAttributes = func() []attrID {
	list := []attrID{aObjectClass, aDistinguishedName, aWhenCreated, aWhenChanged, aUSNCreated, aUSNChanged, aNTSecurityDescriptor, aName, aObjectGUID}
	slices.Sort(list)
	return list
}()

// format fills out with what the selection takes of an object. The error is a constructed attribute's refusal of the whole search.
func (q *query) format(e *entry, out *Entry) error {
	q.out.reset()
	out.Attributes = out.Attributes[:0]
	if q.req.ExtendedDN >= 0 {
		start := len(q.out.buf)
		q.out.buf = q.appendExtended(q.out.buf, e)
		out.DN = string(q.out.buf[start:])
	} else {
		out.DN = e.name.String()
	}
	if q.sel.all {
		q.formatAll(e, out)
	}
	for i := range q.sel.named {
		x := &q.sel.named[i]
		if q.sel.all && !x.def.constructed && x.def.id != aNTSecurityDescriptor && !x.ranged && x.def.id != aReplPropertyMetaData {
			continue // * had it
		}
		if err := q.formatNamed(e, x, out); err != nil {
			return err
		}
	}
	return nil
}

// formatAll adds every attribute that is stored, linked or kept by the replica, in the order of ATTRTYPs.
func (q *query) formatAll(e *entry, out *Entry) {
	ids := q.ids[:0]
	for i := range e.attrs {
		ids = append(ids, e.attrs[i].id)
	}
	ids = append(ids, virtualAttributes...)
	ids = append(ids, e.class.rdn)
	if e.is("user") {
		ids = append(ids, logonAttributes[:]...)
	}
	for i := range e.links {
		if a := e.links[i].attr; i == 0 || a != e.links[i-1].attr {
			ids = append(ids, a)
		}
	}
	for _, d := range q.backLinks {
		ids = append(ids, d.id)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	q.ids = ids
	s := theSchema()
	for _, id := range ids {
		if id == aNTSecurityDescriptor && !q.sel.sdExplicit || id == aReplPropertyMetaData {
			continue
		}
		q.add(e, &selected{def: s.def(id)}, out)
	}
}

func (q *query) formatNamed(e *entry, x *selected, out *Entry) error {
	if !x.def.constructed {
		q.add(e, x, out)
		return nil
	}
	if !q.rights.read(e, x.def) && x.def.id != aMsDSManagedPassword { // its own check comes with the value
		return nil
	}
	values, err := q.construct(e, x.def)
	if err != nil {
		return err
	}
	q.emit(e, x, values, out)
	return nil
}

// add adds one attribute that is not constructed, if the caller may read it and it has values.
func (q *query) add(e *entry, x *selected, out *Entry) {
	d := x.def
	if d.secret || !q.rights.read(e, d) {
		if d.id != aNTSecurityDescriptor {
			return
		}
	}
	switch {
	case d.id == aNTSecurityDescriptor:
		q.emit(e, x, q.descriptorOf(e), out)
	case d.forwardLink:
		q.addForward(e, x, out)
	case d.backLink:
		start := len(q.out.vals)
		for t := range q.v.sources(e, d.partner) {
			q.appendName(t)
		}
		q.emit(e, x, slices.Clip(q.out.vals[start:]), out)
	default:
		values := q.out.of(q.v, e, d)
		if q.req.ExtendedDN >= 0 && d.syntax == synDN {
			values = q.extend(values)
		}
		q.emit(e, x, values, out)
	}
}

// addForward adds a forward link attribute, formatting no more values than are given.
func (q *query) addForward(e *entry, x *selected, out *Entry) {
	links := e.linksOf(x.def.id)
	if len(links) == 0 {
		return
	}
	start := len(q.out.vals)
	if x.def.syntax != synDN {
		return
	}
	for _, l := range links {
		if t := q.v.anywhere(l.target); t != nil && !t.deleted {
			q.appendName(t)
		}
	}
	q.emit(e, x, slices.Clip(q.out.vals[start:]), out)
}

// appendName appends an object's DN as a value.
func (q *query) appendName(t *entry) {
	start := len(q.out.buf)
	if q.req.ExtendedDN >= 0 {
		q.out.buf = q.appendExtended(q.out.buf, t)
	} else {
		q.out.buf = append(q.out.buf, t.name.String()...)
	}
	q.out.vals = append(q.out.vals, slices.Clip(q.out.buf[start:]))
}

// extend rewrites stored names in the form of the extended DN control.
func (q *query) extend(values [][]byte) [][]byte {
	start := len(q.out.vals)
	for _, v := range values {
		if t := q.v.named(v); t != nil {
			q.appendName(t)
		} else {
			q.out.vals = append(q.out.vals, v)
		}
	}
	return slices.Clip(q.out.vals[start:])
}

// appendExtended appends <GUID=…>;<SID=…>;DN ([MS-ADTS] 3.1.1.3.4.1.5).
func (q *query) appendExtended(b []byte, e *entry) []byte {
	b = append(b, "<GUID="...)
	if q.req.ExtendedDN == 1 {
		b = append(b, e.guid.String()...)
	} else {
		b = hex.AppendEncode(b, e.guid[:])
	}
	b = append(b, ">;"...)
	if !e.sid.IsZero() {
		b = append(b, "<SID="...)
		if q.req.ExtendedDN == 1 {
			b = append(b, e.sid.String()...)
		} else {
			b = hex.AppendEncode(b, e.sid.Bytes())
		}
		b = append(b, ">;"...)
	}
	return append(b, e.name.String()...)
}

// emit adds an attribute with its values to the answer: all of them, the range asked for, or the first MaxValRange with the
// range in the name ([MS-ADTS] 3.1.1.3.1.3.3).
func (q *query) emit(e *entry, x *selected, values [][]byte, out *Entry) {
	n := len(values)
	if n == 0 {
		return
	}
	name := x.def.name
	if x.binary {
		name += ";binary"
	}
	limit := q.v.f.cfg.MaxValRange
	if !x.ranged && n <= limit {
		q.attribute(name, values, out)
		return
	}
	from, to := x.from, x.to
	if !x.ranged {
		from, to = 0, -1
		q.attribute(name, nil, out) // the plain name, empty
	}
	if from >= n {
		return
	}
	last := min(n-1, from+limit-1)
	if to >= 0 {
		last = min(last, to)
	}
	high := "*"
	if last < n-1 {
		high = strconv.Itoa(last)
	}
	q.attribute(name+";range="+strconv.Itoa(from)+"-"+high, values[from:last+1], out)
}

func (q *query) attribute(name string, values [][]byte, out *Entry) {
	if q.req.TypesOnly {
		values = nil
	}
	out.Attributes = append(out.Attributes, Attribute{Name: name, Values: values})
}

// descriptorOf is nTSecurityDescriptor with the parts that were asked for. One part that the caller may not read leaves the
// whole attribute out: the SACL needs SeSecurityPrivilege ([MS-ADTS] 3.1.1.3.4.1.11).
func (q *query) descriptorOf(e *entry) [][]byte {
	const owner, group, dacl, sacl = 1, 2, 4, 8
	flags := q.sel.sdFlags
	if q.rights.token != nil {
		if flags&sacl != 0 && !q.rights.token.SecurityPrivilege() {
			return nil
		}
		if flags&(owner|group|dacl) != 0 && !q.rights.has(e, security.RightReadControl, security.ObjectTypes{}) {
			return nil
		}
	}
	if flags == owner|group|dacl|sacl || flags == owner|group|dacl && e.sd.get().SACL == nil {
		return e.sd.values()
	}
	key := descriptorPart{e.sd, flags}
	if v := q.descriptors[key]; v != nil {
		return v
	}
	sd := *e.sd.get()
	if flags&owner == 0 {
		sd.Owner = security.SID{}
	}
	if flags&group == 0 {
		sd.Group = security.SID{}
	}
	if flags&dacl == 0 {
		sd.DACL = nil
		sd.Control &^= security.DACLPresent | security.DACLAutoInherited | security.DACLProtected
	}
	if flags&sacl == 0 {
		sd.SACL = nil
		sd.Control &^= security.SACLPresent | security.SACLAutoInherited | security.SACLProtected
	}
	v := [][]byte{sd.Marshal()}
	if q.descriptors == nil {
		q.descriptors = map[descriptorPart][][]byte{}
	}
	q.descriptors[key] = v
	return v
}

// descriptorPart is a descriptor with some of its parts.
type descriptorPart struct {
	sd    *descriptor
	flags uint32
}
