package fakeads

import (
	"fmt"

	"github.com/gmsasim/gmsasim/fakeads/directory"
)

// Controls, [MS-ADTS] 3.1.1.3.4.1.
const (
	oidPaged          = "1.2.840.113556.1.4.319"
	oidSort           = "1.2.840.113556.1.4.473"
	oidSortResponse   = "1.2.840.113556.1.4.474"
	oidShowDeleted    = "1.2.840.113556.1.4.417"
	oidShowRecycled   = "1.2.840.113556.1.4.2064"
	oidCrossDomain    = "1.2.840.113556.1.4.521"
	oidNotification   = "1.2.840.113556.1.4.528"
	oidExtendedDN     = "1.2.840.113556.1.4.529"
	oidLazyCommit     = "1.2.840.113556.1.4.619"
	oidSDFlags        = "1.2.840.113556.1.4.801"
	oidTreeDelete     = "1.2.840.113556.1.4.805"
	oidDirSync        = "1.2.840.113556.1.4.841"
	oidStatistics     = "1.2.840.113556.1.4.970"
	oidVerifyName     = "1.2.840.113556.1.4.1338"
	oidDomainScope    = "1.2.840.113556.1.4.1339"
	oidSearchOptions  = "1.2.840.113556.1.4.1340"
	oidPermissive     = "1.2.840.113556.1.4.1413"
	oidASQ            = "1.2.840.113556.1.4.1504"
	oidQuota          = "1.2.840.113556.1.4.1852"
	oidShutdown       = "1.2.840.113556.1.4.1907"
	oidRangeNoError   = "1.2.840.113556.1.4.1948"
	oidForceUpdate    = "1.2.840.113556.1.4.1974"
	oidRODCUpdate     = "1.2.840.113556.1.4.1341"
	oidDNInput        = "1.2.840.113556.1.4.2026"
	oidShowLinks      = "1.2.840.113556.1.4.2065"
	oidPolicyHintsOld = "1.2.840.113556.1.4.2066"
	oidDirSyncEx      = "1.2.840.113556.1.4.2090"
	oidUpdateStats    = "1.2.840.113556.1.4.2205"
	oidTreeDeleteEx   = "1.2.840.113556.1.4.2204"
	oidSearchHints    = "1.2.840.113556.1.4.2206"
	oidExpectedCount  = "1.2.840.113556.1.4.2211"
	oidPolicyHints    = "1.2.840.113556.1.4.2239"
	oidSetOwner       = "1.2.840.113556.1.4.2255"
	oidBypassQuota    = "1.2.840.113556.1.4.2256"
	oidVLV            = "2.16.840.1.113730.3.4.9"
)

// standing is what becomes of a control.
type standing int

const (
	unknownControl standing = iota
	modelled
	harmless   // it changes nothing that can be seen here
	unmodelled // a domain controller knows it, we do not
)

func standingOf(oid string) standing {
	switch oid {
	case oidPaged, oidSort, oidShowDeleted, oidShowRecycled, oidExtendedDN, oidSDFlags, oidTreeDelete, oidDomainScope,
		oidSearchOptions, oidPermissive:
		return modelled
	case oidLazyCommit, oidVerifyName, oidRangeNoError, oidForceUpdate, oidShowLinks, oidUpdateStats, oidSearchHints,
		oidBypassQuota, oidRODCUpdate, oidPolicyHints, oidPolicyHintsOld, oidQuota:
		return harmless
	case oidCrossDomain, oidNotification, oidDirSync, oidDirSyncEx, oidStatistics, oidASQ, oidShutdown, oidDNInput,
		oidTreeDeleteEx, oidExpectedCount, oidSetOwner, oidVLV:
		return unmodelled
	}
	return unknownControl
}

// checkControls refuses a request with a critical control that is not known or
// not modelled. nil: it may go on.
func (c *conn) checkControls(p *pending, op *Operation) *result {
	for i := range p.controls {
		ctl := &p.controls[i]
		switch standingOf(ctl.oid) {
		case unmodelled:
			op.NotModelled = "control " + ctl.oid
			if ctl.critical {
				return c.s.controlError(resultUnavailableCritical)
			}
		case unknownControl:
			if ctl.critical {
				return c.s.controlError(resultUnavailableCritical)
			}
		}
	}
	return nil
}

// find is the control with this OID, nil if the request has none.
func (p *request) find(oid string) *control {
	for i := range p.controls {
		if p.controls[i].oid == oid {
			return &p.controls[i]
		}
	}
	return nil
}

func (s *Server) controlError(code int) *result {
	return &result{code: code, diagnostic: s.ldapErr(errorInvalidParameter, dsidControl, "Error processing control", 0)}
}

// maxSortKeys is far above the one key that a domain controller takes.
const maxSortKeys = 16

// applyControls puts the controls of a search into req. errors wrap errBER.
func applyControls(controls []control, req *directory.SearchRequest) error {
	req.ExtendedDN = -1
	for i := range controls {
		c := &controls[i]
		r := reader{b: c.value}
		var err error
		switch c.oid {
		case oidPaged: // RFC 2696
			seq := r.in(tagSequence, "paged results")
			req.Page = &directory.Page{Size: seq.number(tagInteger, maxMessageID, "page size"), Cookie: seq.octets("cookie")}
			r.close(&seq, "paged results")
		case oidSDFlags:
			seq := r.in(tagSequence, "SD flags")
			// Some clients, ADSI among them, send the flags as a negative number.
			if v, ok := integer(seq.element(tagInteger, "flags")); ok {
				flags := uint32(v)
				req.SDFlags = &flags
			} else {
				seq.fail("flags are not a number")
			}
			r.close(&seq, "SD flags")
		case oidExtendedDN: // without a value: the hexadecimal form
			req.ExtendedDN = 0
			if len(c.value) > 0 {
				seq := r.in(tagSequence, "extended DN")
				req.ExtendedDN = seq.number(tagInteger, 1, "form")
				r.close(&seq, "extended DN")
			}
		case oidSearchOptions:
			seq := r.in(tagSequence, "search options")
			flags := seq.number(tagInteger, maxMessageID, "flags")
			req.DomainScope = req.DomainScope || flags&1 != 0
			req.PhantomRoot = flags&2 != 0
			r.close(&seq, "search options")
		case oidSort:
			req.Sort, err = decodeSort(&r)
			req.MustSort = c.critical
		case oidDomainScope:
			req.DomainScope, r.b = true, nil
		case oidShowDeleted:
			req.ShowDeleted, r.b = true, nil
		case oidShowRecycled:
			req.ShowRecycled, r.b = true, nil
		default:
			r.b = nil
		}
		if err == nil && r.err == nil && r.more() {
			r.fail("octets after the value")
		}
		if err == nil {
			err = r.err
		}
		if err != nil {
			return fmt.Errorf("control %s: %w", c.oid, err)
		}
	}
	return nil
}

// decodeSort reads the keys of the sort control, RFC 2891 1.1.
func decodeSort(r *reader) ([]directory.SortKey, error) {
	var keys []directory.SortKey
	list := r.in(tagSequence, "sort keys")
	for list.more() {
		if len(keys) == maxSortKeys {
			return nil, fmt.Errorf("%w: more than %d sort keys", errTooMany, maxSortKeys)
		}
		k := list.in(tagSequence, "sort key")
		key := directory.SortKey{Attribute: k.text("attribute type")}
		if k.peek() == tagContext {
			k.element(tagContext, "ordering rule") // a locale; there is one order here
		}
		if k.peek() == tagContext|1 {
			v := k.element(tagContext|1, "reverse order")
			key.Reverse = len(v) == 1 && v[0] != 0
		}
		list.close(&k, "sort key")
		keys = append(keys, key)
	}
	r.close(&list, "sort keys")
	if r.err == nil && len(keys) == 0 {
		r.fail("no sort keys")
	}
	return keys, r.err
}

// pagedResponse is the control of the answer to a paged search, RFC 2696 2.
func pagedResponse(estimate int, cookie []byte) control {
	b, seq := openElement(nil, tagSequence)
	b = appendNumber(b, tagInteger, estimate)
	b = appendOctets(b, tagOctets, cookie)
	closeElement(b, seq)
	return control{oid: oidPaged, value: b}
}

// sortResponse is the control of the answer to a sorted search, RFC 2891 1.2.
func sortResponse(code int) control {
	b, seq := openElement(nil, tagSequence)
	b = appendNumber(b, tagEnumerated, code)
	closeElement(b, seq)
	return control{oid: oidSortResponse, value: b}
}
