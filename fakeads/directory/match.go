package directory

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gmsasim/gmsasim/fakeads/dn"
	"github.com/gmsasim/gmsasim/fakeads/filter"
)

// Matching rules of Active Directory, [MS-ADTS] 3.1.1.3.4.4.
const (
	ruleBitAnd = "1.2.840.113556.1.4.803"
	ruleBitOr  = "1.2.840.113556.1.4.804"
	ruleChain  = "1.2.840.113556.1.4.1941"
)

// matcher is a filter made ready for one view: names are attributes, values are in the form they are compared in.
type matcher struct {
	op       matchOp
	children []*matcher
	def      *attrDef
	norm     []byte
	number   int64
	class    *classDef
	target   uint32        // the object named by a value of DN syntax, 0 when there is none
	set      []uint32      // objects that a transitive link leads to, sorted
	substr   filter.Substr // folded for strings
	anr      []*attrDef
	first    []byte // of an ANR value of two words
	second   []byte
}

type matchOp uint8

const (
	matchNever matchOp = iota // Undefined: the attribute or the kind of comparison is unknown
	matchFalse
	matchAnd
	matchOr
	matchNot
	matchPresent
	matchEqual
	matchSubstrings
	matchGreater
	matchLess
	matchBitAnd
	matchBitOr
	matchClass
	matchLink
	matchBackLink
	matchSet
	matchANR
)

// compile makes a filter ready. What it does not understand is Undefined, as Active Directory has it: such a search succeeds and
// finds nothing.
func (v *view) compile(f *filter.Filter) *matcher {
	if f == nil {
		return &matcher{op: matchPresent, def: theSchema().def(aObjectClass)}
	}
	m := &matcher{}
	switch f.Op {
	case filter.And, filter.Or, filter.Not:
		m.op = map[filter.Op]matchOp{filter.And: matchAnd, filter.Or: matchOr, filter.Not: matchNot}[f.Op]
		m.children = make([]*matcher, len(f.Children))
		for i, c := range f.Children {
			m.children[i] = v.compile(c)
		}
		return m
	}
	s := theSchema()
	name, _, _ := strings.Cut(f.Attr, ";") // options such as ;binary do not change a comparison
	if strings.EqualFold(name, "anr") && (f.Op == filter.Equal || f.Op == filter.Approx) {
		return v.compileANR(s, f.Value)
	}
	m.def = s.attr(name)
	if m.def == nil || m.def.constructed && f.Op != filter.Present || m.def.secret {
		return m
	}
	switch f.Op {
	case filter.Present:
		m.op = matchPresent
		if m.def.constructed {
			m.op = matchNever
		}
	case filter.Equal, filter.Approx:
		v.compileEqual(s, m, f.Value)
	case filter.Substrings:
		compileSubstrings(m, &f.Substr)
	case filter.GreaterOrEqual, filter.LessOrEqual:
		op := matchGreater
		if f.Op == filter.LessOrEqual {
			op = matchLess
		}
		switch m.def.syntax {
		case synInteger, synLarge:
			n, err := strconv.ParseInt(string(f.Value), 10, 64)
			if err == nil {
				m.op, m.number = op, n
			}
		case synString, synExact, synTime, synOctets, synSID:
			if norm, ok := m.def.assertion(s, f.Value); ok {
				m.op, m.norm = op, norm
			}
		}
	case filter.Extensible:
		v.compileExtensible(s, m, f)
	}
	return m
}

func (v *view) compileEqual(s *schema, m *matcher, value []byte) {
	d := m.def
	switch {
	case d.id == aObjectClass:
		m.op, m.class = matchFalse, s.class(string(value))
		if m.class != nil {
			m.op = matchClass
		}
		return
	case d.id == aObjectCategory && bytes.IndexByte(value, '=') < 0:
		c := s.class(string(value))
		if c == nil {
			m.op = matchFalse
			return
		}
		value = v.f.categories[c.index][0]
	case d.syntax == synDN && (d.forwardLink || d.backLink):
		m.op = matchFalse
		if e := v.named(value); e != nil {
			m.target = e.id
			m.op = matchLink
			if d.backLink {
				m.op = matchBackLink
			}
		}
		return
	case d.syntax == synDN && len(value) > 0 && value[0] == '<':
		m.op = matchFalse
		if e := v.named(value); e != nil {
			m.op, m.norm = matchEqual, appendFolded(nil, []byte(e.name.String()))
		}
		return
	case d.syntax == synDescriptor:
		return
	}
	norm, ok := d.assertion(s, value)
	m.op, m.norm = matchFalse, norm
	if ok {
		m.op = matchEqual
	}
}

// named is the object that a value of DN syntax names in a filter, in this replica or elsewhere in the forest.
func (v *view) named(value []byte) *entry {
	name := string(value)
	if strings.HasPrefix(name, "<") {
		e, _ := v.resolveBracket(name) // what is no name matches nothing
		return e
	}
	d, err := dn.Parse(name)
	if err != nil || d.IsZero() {
		return nil
	}
	if e := v.byDN(d); e != nil {
		return e
	}
	for _, o := range v.f.domains {
		if o != v.r.domain {
			if e := v.inDomain(o).byDN(d); e != nil {
				return e
			}
		}
	}
	return nil
}

func compileSubstrings(m *matcher, p *filter.Substr) {
	var fold func([]byte) []byte
	switch m.def.syntax {
	case synString:
		fold = func(b []byte) []byte {
			if b == nil {
				return nil
			}
			return appendFolded(make([]byte, 0, len(b)), b)
		}
	case synExact, synOctets, synSID:
		fold = func(b []byte) []byte { return b }
	default:
		return
	}
	m.op = matchSubstrings
	m.substr.Initial, m.substr.Final = fold(p.Initial), fold(p.Final)
	for _, a := range p.Any {
		m.substr.Any = append(m.substr.Any, fold(a))
	}
}

func (v *view) compileExtensible(s *schema, m *matcher, f *filter.Filter) {
	switch f.Rule {
	case "":
		v.compileEqual(s, m, f.Value)
	case ruleBitAnd, ruleBitOr:
		n, err := strconv.ParseInt(string(f.Value), 10, 64)
		if err != nil || m.def.syntax != synInteger && m.def.syntax != synLarge {
			return
		}
		if m.def.syntax == synInteger {
			n = int64(uint32(n))
		}
		m.op, m.number = matchBitAnd, n
		if f.Rule == ruleBitOr {
			m.op = matchBitOr
		}
	case ruleChain:
		if !m.def.forwardLink && !m.def.backLink {
			return
		}
		m.op = matchFalse
		if e := v.named(f.Value); e != nil {
			m.op, m.set = matchSet, v.chain(e, m.def)
		}
	}
}

// chain are the objects from which a chain of links leads to e: for a forward link attribute the holders of links to e and so on
// up, for a back link attribute those that e links to and so on down. Sorted.
func (v *view) chain(e *entry, d *attrDef) []uint32 {
	seen := map[uint32]bool{}
	var list []uint32
	queue := []*entry{e}
	note := func(t *entry) {
		if !seen[t.id] {
			seen[t.id] = true
			list = append(list, t.id)
			queue = append(queue, t)
		}
	}
	for len(queue) > 0 {
		e := queue[0]
		queue = queue[1:]
		if d.forwardLink {
			for t := range v.sources(e, d.id) {
				note(t)
			}
		} else {
			for t := range v.targets(e, d.partner) {
				note(t)
			}
		}
	}
	slices.Sort(list)
	return list
}

// compileANR makes ready ambiguous name resolution, [MS-ADTS] 3.1.1.3.1.3.3: a prefix of any of the attributes, or two words that
// begin given name and surname in either order. A leading = asks for the whole value.
func (v *view) compileANR(s *schema, value []byte) *matcher {
	m := &matcher{op: matchANR, anr: s.anr}
	value = bytes.TrimSpace(value)
	if rest, ok := bytes.CutPrefix(value, []byte("=")); ok {
		m.number = 1
		value = rest
	}
	if len(value) == 0 || !utf8.Valid(value) {
		return &matcher{}
	}
	m.norm = appendFolded(nil, value)
	if first, second, ok := bytes.Cut(m.norm, []byte(" ")); ok {
		m.first, m.second = first, bytes.TrimSpace(second)
	}
	return m
}

// match decides the filter for an object. An attribute that the caller may not read is Undefined ([MS-ADTS] 3.1.1.3.1.3.1).
func (m *matcher) match(q *query, e *entry) filter.Ternary {
	switch m.op {
	case matchAnd:
		result := filter.True
		for _, c := range m.children {
			switch c.match(q, e) {
			case filter.False:
				return filter.False
			case filter.Undefined:
				result = filter.Undefined
			}
		}
		return result
	case matchOr:
		result := filter.False
		for _, c := range m.children {
			switch c.match(q, e) {
			case filter.True:
				return filter.True
			case filter.Undefined:
				result = filter.Undefined
			}
		}
		return result
	case matchNot:
		switch m.children[0].match(q, e) {
		case filter.True:
			return filter.False
		case filter.False:
			return filter.True
		}
		return filter.Undefined
	case matchNever:
		return filter.Undefined
	case matchFalse:
		if m.def != nil && !q.rights.read(e, m.def) {
			return filter.Undefined
		}
		return filter.False
	case matchANR:
		return ternary(m.matchANR(q, e))
	}
	if !q.rights.read(e, m.def) {
		return filter.Undefined
	}
	switch m.op {
	case matchClass:
		if e.class.is(m.class) {
			return filter.True
		}
		return ternary(e.hasAux(m.class))
	case matchLink:
		return ternary(e.hasLink(m.def.id, m.target))
	case matchBackLink:
		t := q.v.byID(m.target)
		return ternary(t != nil && t.hasLink(m.def.partner, e.id))
	case matchSet:
		_, ok := slices.BinarySearch(m.set, e.id)
		return ternary(ok)
	}
	if m.op == matchPresent {
		switch {
		case m.def.forwardLink:
			return ternary(len(e.linksOf(m.def.id)) > 0)
		case m.def.backLink:
			for range q.v.sources(e, m.def.partner) {
				return filter.True
			}
			return filter.False
		}
	}
	values := q.match.of(q.v, e, m.def)
	if m.op == matchPresent {
		return ternary(len(values) > 0)
	}
	for _, v := range values {
		if m.matchValue(v) {
			return filter.True
		}
	}
	return filter.False
}

func ternary(b bool) filter.Ternary {
	if b {
		return filter.True
	}
	return filter.False
}

// hasAux tells whether a class was added to the object's own.
func (e *entry) hasAux(c *classDef) bool {
	i, ok := e.lookup(aObjectClass)
	return ok && slices.ContainsFunc(e.attrs[i].values(), func(v []byte) bool { return string(v) == c.name })
}

func (m *matcher) matchValue(v []byte) bool {
	switch m.op {
	case matchEqual:
		switch m.def.syntax {
		case synString, synOID, synDN, synDNBinary:
			return equalFolded(v, m.norm)
		}
		return bytes.Equal(v, m.norm)
	case matchGreater, matchLess:
		var c int
		switch m.def.syntax {
		case synInteger, synLarge:
			n, _ := strconv.ParseInt(string(v), 10, 64)
			switch {
			case n < m.number:
				c = -1
			case n > m.number:
				c = 1
			}
		case synString:
			var buf [128]byte
			c = bytes.Compare(appendFolded(buf[:0], v), m.norm)
		default:
			c = bytes.Compare(v, m.norm)
		}
		if m.op == matchGreater {
			return c >= 0
		}
		return c <= 0
	case matchBitAnd, matchBitOr:
		n, _ := strconv.ParseInt(string(v), 10, 64)
		if m.def.syntax == synInteger {
			n = int64(uint32(n))
		}
		if m.op == matchBitAnd {
			return n&m.number == m.number
		}
		return n&m.number != 0
	case matchSubstrings:
		if m.def.syntax == synString {
			var buf [128]byte
			v = appendFolded(buf[:0], v)
		}
		return matchPattern(v, &m.substr)
	}
	return false
}

func matchPattern(v []byte, p *filter.Substr) bool {
	v, ok := bytes.CutPrefix(v, p.Initial)
	if !ok {
		return false
	}
	for _, a := range p.Any {
		i := bytes.Index(v, a)
		if i < 0 {
			return false
		}
		v = v[i+len(a):]
	}
	return bytes.HasSuffix(v, p.Final)
}

func (m *matcher) matchANR(q *query, e *entry) bool {
	var buf [128]byte
	for _, d := range m.anr {
		if !q.rights.read(e, d) {
			continue
		}
		for _, v := range q.match.of(q.v, e, d) {
			f := appendFolded(buf[:0], v)
			if bytes.Equal(f, m.norm) || m.number == 0 && bytes.HasPrefix(f, m.norm) {
				return true
			}
		}
	}
	if len(m.second) == 0 || m.number != 0 {
		return false
	}
	given := appendFolded(nil, e.value(aGivenName))
	sn := appendFolded(nil, e.value(aSn))
	return bytes.HasPrefix(given, m.first) && bytes.HasPrefix(sn, m.second) || bytes.HasPrefix(given, m.second) && bytes.HasPrefix(sn, m.first)
}

// Ranks of a plan: how few objects it leads to.
const (
	planUnique = iota // a name or a number that belongs to one object
	planValue         // an indexed value
	planLinks         // members of a group and the like
	planCommon        // a class, a category
	planNone
)

// rank tells how well the index answers the filter.
func (m *matcher) rank() int {
	switch m.op {
	case matchFalse, matchNever:
		return planUnique
	case matchAnd:
		best := planNone
		for _, c := range m.children {
			best = min(best, c.rank())
		}
		return best
	case matchOr:
		worst := planUnique
		for _, c := range m.children {
			worst = max(worst, c.rank())
		}
		return worst
	case matchClass:
		return planCommon
	case matchLink, matchBackLink, matchSet:
		return planLinks
	case matchEqual:
		switch m.def.id {
		case aObjectGUID, aDistinguishedName, aObjectSid, aSAMAccountName, aServicePrincipalName, aUserPrincipalName:
			return planUnique
		case aObjectCategory, aSAMAccountType:
			return planCommon
		}
		if m.def.indexed || m.def.rdnAlias || m.def.id == aName {
			return planValue
		}
	}
	return planNone
}

// candidates appends ids, sorted, of objects of a naming context among which are all after an id that match. The rank is not
// planNone.
func (m *matcher) candidates(q *query, s *store, to []uint32, after uint32) []uint32 {
	switch m.op {
	case matchAnd:
		best := m.children[0]
		for _, c := range m.children[1:] {
			if c.rank() < best.rank() {
				best = c
			}
		}
		return best.candidates(q, s, to, after)
	case matchOr:
		start := len(to)
		for _, c := range m.children {
			to = c.candidates(q, s, to, after)
		}
		return to[:start+len(sortedUnique(to[start:]))]
	case matchClass:
		start := len(to)
		for _, c := range m.class.structurals {
			to = s.index.ids(to, hashID(xClass, uint32(c.index)), after)
		}
		if m.class.category != 1 {
			to = s.index.ids(to, hashID(xClass, uint32(m.class.index)), after) // as an auxiliary class of single objects
		}
		return to[:start+len(sortedUnique(to[start:]))]
	case matchLink:
		return s.index.ids(to, hashID(m.def.id, m.target), after)
	case matchBackLink:
		start := len(to)
		if t := q.v.byID(m.target); t != nil {
			for _, l := range t.linksOf(m.def.partner) {
				if l.target > after {
					to = append(to, l.target)
				}
			}
		}
		return to[:start+len(sortedUnique(to[start:]))]
	case matchSet:
		i, _ := slices.BinarySearch(m.set, after+1)
		return append(to, m.set[i:]...)
	case matchEqual:
		a := m.def.id
		switch {
		case a == aObjectGUID:
			a = xGUID
		case a == aDistinguishedName:
			d, err := dn.Parse(string(m.norm))
			if err != nil {
				return to
			}
			return s.index.ids(to, hashOf(xDN, d.Key()), after)
		case m.def.rdnAlias || a == aName:
			start := len(to)
			to = s.index.ids(to, hashOf(xRDN, m.norm), after)
			if m.def.indexed {
				to = s.index.ids(to, hashOf(a, m.norm), after) // further values, and objects named by another attribute
			}
			return to[:start+len(sortedUnique(to[start:]))]
		}
		return s.index.ids(to, hashOf(a, m.norm), after)
	}
	return to // nothing matches
}

func sortedUnique(ids []uint32) []uint32 {
	slices.Sort(ids)
	return slices.Compact(ids)
}
