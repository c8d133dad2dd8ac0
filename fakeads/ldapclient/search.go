package ldapclient

import (
	"fmt"
	"strings"

	"github.com/gmsasim/gmsasim/fakeads/filter"
)

// Scopes of a search, RFC 4511 4.5.1.2.
const (
	BaseObject  = 0
	SingleLevel = 1
	Subtree     = 2
)

// oidPaged is the control of paged results, RFC 2696.
const oidPaged = "1.2.840.113556.1.4.319"

// SearchRequest is a search.
type SearchRequest struct {
	Base  string
	Scope int
	// Filter is what entries must fulfil; nil: (objectClass=*).
	Filter *filter.Filter
	// Attributes are the ones wanted; none: all user attributes.
	Attributes []string
	TypesOnly  bool
	// SizeLimit is how many entries the server may send; 0: no wish.
	SizeLimit int
	// PageSize asks for pages of so many entries and gathers them; 0: no paging.
	PageSize int
	Controls []Control
}

var anything = &filter.Filter{Op: filter.Present, Attr: "objectClass"}

func (q *SearchRequest) encode() []byte {
	f := q.Filter
	if f == nil {
		f = anything
	}
	attributes := make([][]byte, len(q.Attributes))
	for i, a := range q.Attributes {
		attributes[i] = text(a)
	}
	return element(opSearchRequest, text(q.Base), number(tagEnumerated, q.Scope), number(tagEnumerated, 0), number(tagInteger, q.SizeLimit),
		number(tagInteger, 0), boolean(q.TypesOnly), f.AppendBER(nil), element(tagSequence, attributes...))
}

// Search gathers the entries. With an *Error, what came before it is returned too: so does a server that has a limit.
func (c *Conn) Search(q *SearchRequest) ([]*Entry, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	op := q.encode()
	if q.PageSize == 0 {
		entries, _, err := c.page(nil, op, q.Controls)
		return entries, err
	}
	var entries []*Entry
	var cookie []byte
	for {
		value := element(tagSequence, number(tagInteger, q.PageSize), element(tagOctetString, cookie))
		controls := append(append([]Control{}, q.Controls...), Control{OID: oidPaged, Critical: true, Value: value})
		var answer []Control
		var err error
		if entries, answer, err = c.page(entries, op, controls); err != nil {
			return entries, err
		}
		if cookie, err = pageCookie(answer); err != nil || len(cookie) == 0 {
			return entries, err
		}
	}
}

// pageCookie is what leads to the next page; empty after the last one.
func pageCookie(controls []Control) ([]byte, error) {
	for _, ctl := range controls {
		if ctl.OID == oidPaged {
			r := reader{b: ctl.Value}
			seq := r.in(tagSequence)
			seq.number(tagInteger)
			cookie := seq.want(tagOctetString)
			return cookie, seq.err
		}
	}
	return nil, fmt.Errorf("%w: a page without its control", ErrProtocol)
}

// page makes one search request and appends its entries.
func (c *Conn) page(entries []*Entry, op []byte, controls []Control) ([]*Entry, []Control, error) {
	if err := c.send(op, controls); err != nil {
		return entries, nil, err
	}
	for {
		m, err := c.receive()
		if err != nil {
			return entries, nil, err
		}
		switch m.op {
		case opSearchEntry:
			if len(entries) == MaxEntries {
				return entries, nil, c.breaks(fmt.Errorf("%w: more than %d entries", ErrProtocol, MaxEntries))
			}
			entries = append(entries, m.entry)
		case opSearchReference, opIntermediate:
		case opSearchDone:
			return entries, m.controls, m.result.err()
		default:
			return entries, nil, c.breaks(fmt.Errorf("%w: operation %#02x in a search", ErrProtocol, m.op))
		}
	}
}

// Read reads one attribute of an object. ErrNoAttribute: the object has none, or the reader does not get it.
func (c *Conn) Read(dn, attribute string) ([][]byte, error) {
	entries, err := c.Search(&SearchRequest{Base: dn, Scope: BaseObject, Attributes: []string{attribute}})
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if v := e.Values(attribute); len(v) > 0 {
			return v, nil
		}
	}
	return nil, ErrNoAttribute
}

// Values are the values of an attribute, whose name has no case; nil when it is absent.
func (e *Entry) Values(name string) [][]byte {
	for i := range e.Attributes {
		if strings.EqualFold(e.Attributes[i].Name, name) {
			return e.Attributes[i].Values
		}
	}
	return nil
}

// Value is the first value of an attribute as text; "" when it is absent.
func (e *Entry) Value(name string) string {
	if v := e.Values(name); len(v) > 0 {
		return string(v[0])
	}
	return ""
}

// Texts are the values of an attribute as text.
func (e *Entry) Texts(name string) []string {
	var list []string
	for _, v := range e.Values(name) {
		list = append(list, string(v))
	}
	return list
}
