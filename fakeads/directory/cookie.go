package directory

import (
	"encoding/binary"
	"errors"
)

// cookie is where a paged search goes on. It says nothing that the server would have to remember.
type cookie struct {
	kind        ncKind
	after       uint32 // id of the last object given
	offset      uint32 // of a sorted search: how many were given
	fingerprint uint64 // of the request; another request's cookie is refused
}

const (
	cookieVersion = 1
	cookieLength  = 18
)

var errCookie = errors.New("not a cookie of this search")

func (c *cookie) marshal() []byte {
	b := make([]byte, 0, cookieLength)
	b = append(b, cookieVersion, byte(c.kind))
	b = binary.BigEndian.AppendUint32(b, c.after)
	b = binary.BigEndian.AppendUint32(b, c.offset)
	return binary.BigEndian.AppendUint64(b, c.fingerprint)
}

func parseCookie(b []byte) (cookie, error) {
	if len(b) != cookieLength || b[0] != cookieVersion || ncKind(b[1]) >= ncKinds {
		return cookie{}, errCookie
	}
	return cookie{kind: ncKind(b[1]), after: binary.BigEndian.Uint32(b[2:]), offset: binary.BigEndian.Uint32(b[6:]), fingerprint: binary.BigEndian.Uint64(b[10:])}, nil
}

// fingerprint is the same for the pages of one search of one caller and different for others.
func (req *SearchRequest) fingerprint(c *Caller) uint64 {
	b := make([]byte, 0, 256)
	b = append(b, req.Base...)
	b = append(b, 0, byte(req.Scope))
	for _, flag := range []bool{req.ShowDeleted, req.ShowRecycled, req.PhantomRoot, len(req.Sort) > 0} {
		if flag {
			b = append(b, 1)
		} else {
			b = append(b, 0)
		}
	}
	if req.Filter != nil {
		b = req.Filter.AppendBER(b)
	}
	for _, k := range req.Sort {
		b = append(append(b, k.Attribute...), 0)
		if k.Reverse {
			b = append(b, 1)
		}
	}
	if c.Token != nil {
		b = c.Token.User.AppendTo(b)
	}
	return hashOf(0, b)
}
