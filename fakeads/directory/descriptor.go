package directory

import (
	"sync"

	"github.com/gmsasim/gmsasim/fakeads/security"
)

// descriptor is a security descriptor, parsed and as bytes. Objects with the same descriptor share it.
type descriptor struct {
	sd    *security.Descriptor
	bytes [][]byte // one value
}

func newDescriptor(sd *security.Descriptor) *descriptor {
	return &descriptor{sd: sd, bytes: [][]byte{sd.Marshal()}}
}

// heirKey is what the descriptor of a new object follows from when its creator gives none.
type heirKey struct {
	parent       *descriptor
	class        *classDef
	domain       security.SID
	owner, group security.SID
}

// descriptors remembers what objects of a class below a parent get, so that ten thousand users share one descriptor. It is a
// memory of pure functions.
type descriptors struct {
	mu   sync.Mutex
	heir map[heirKey]*descriptor
}
