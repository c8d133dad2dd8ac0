// Package filter reads, writes and evaluates LDAP search filters: the string
// form of RFC 4515 and the BER form of RFC 4511 4.5.1.7.
//
// The package knows no attributes. What a comparison means is the caller's
// part, given to [Filter.Eval]; the three-valued logic around it is here.
package filter

import (
	"errors"
	"fmt"
)

// Limits on filters from outside, in either form.
const (
	// MaxDepth is how deep And, Or and Not may be nested.
	MaxDepth = 100
	// MaxItems is how many items, substring parts included, a filter may have.
	MaxItems = 10000
	// MaxLength is the longest string or BER form, in bytes.
	MaxLength = 1 << 20
)

// ErrSyntax is wrapped by every error about a malformed filter, ErrLimit by
// those about one that is too deep, too long or has too many items.
var (
	ErrSyntax = errors.New("malformed filter")
	ErrLimit  = errors.New("filter too complex")
)

// Op is the kind of a filter item. Its value is the tag number of the CHOICE
// in RFC 4511 4.5.1.
type Op uint8

// The kinds of filter items.
const (
	And Op = iota
	Or
	Not
	Equal
	Substrings
	GreaterOrEqual
	LessOrEqual
	Present
	Approx
	Extensible
)

var opNames = [...]string{"and", "or", "not", "equalityMatch", "substrings", "greaterOrEqual", "lessOrEqual", "present", "approxMatch", "extensibleMatch"}

// String is the name in RFC 4511 4.5.1.
func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return fmt.Sprintf("Op(%d)", uint8(o))
}

// Filter is an item and everything below it. Filters are not changed once made
// and may be shared between goroutines.
type Filter struct {
	Op       Op
	Children []*Filter // of And and Or, any number (RFC 4526); of Not, one
	Attr     string    // attribute description as given, options included; empty in an Extensible item without one
	Value    []byte    // of Equal, GreaterOrEqual, LessOrEqual, Approx and Extensible
	Substr   Substr    // of Substrings
	Rule     string    // matching rule of an Extensible item, empty when absent
	DNAttrs  bool      // of Extensible: the attributes of the name are matched too
}

// Substr is the pattern of a Substrings item. Initial and Final are nil where
// the pattern has none; one of the three is there.
type Substr struct {
	Initial []byte
	Any     [][]byte
	Final   []byte
}

// Ternary is a truth value of RFC 4511 4.5.1.7.
type Ternary int8

// The truth values.
const (
	Undefined Ternary = iota
	False
	True
)

// String is the name as the RFC writes it.
func (t Ternary) String() string { return [...]string{"Undefined", "FALSE", "TRUE"}[t] }

// Eval decides f in the logic of RFC 4511 4.5.1.7. leaf decides the items that
// are not And, Or or Not. An empty And is TRUE, an empty Or FALSE (RFC 4526).
func (f *Filter) Eval(leaf func(*Filter) Ternary) Ternary {
	switch f.Op {
	case And:
		result := True
		for _, c := range f.Children {
			switch c.Eval(leaf) {
			case False:
				return False
			case Undefined:
				result = Undefined
			}
		}
		return result
	case Or:
		result := False
		for _, c := range f.Children {
			switch c.Eval(leaf) {
			case True:
				return True
			case Undefined:
				result = Undefined
			}
		}
		return result
	case Not:
		switch f.Children[0].Eval(leaf) {
		case True:
			return False
		case False:
			return True
		}
		return Undefined
	}
	return leaf(f)
}

// All calls yield for f and every item below it, outer ones first.
func (f *Filter) All(yield func(*Filter) bool) { f.walk(yield) }

func (f *Filter) walk(yield func(*Filter) bool) bool {
	if !yield(f) {
		return false
	}
	for _, c := range f.Children {
		if !c.walk(yield) {
			return false
		}
	}
	return true
}
