package directory

// slab cuts many small slices out of few allocations. What is cut stays in memory as long as its neighbours, so it is for what
// lives and dies together: the objects of one population. A slab of chunk 0 allocates each slice on its own.
type slab[T any] struct {
	free  []T
	chunk int // elements
}

// take is a slice of n zero elements that cannot grow into its neighbour.
func (s *slab[T]) take(n int) []T {
	if n > len(s.free) {
		if n > s.chunk/4 {
			return make([]T, n)
		}
		s.free = make([]T, s.chunk)
	}
	cut := s.free[:n:n]
	s.free = s.free[n:]
	return cut
}

// one is a new element.
func (s *slab[T]) one() *T { return &s.take(1)[0] }

// slabs are where a transaction's new objects come from.
type slabs struct {
	bytes      slab[byte]
	values     slab[[]byte]
	lists      slab[[][]byte]
	attributes slab[attribute]
	entries    slab[entry]
	operations slab[operation]
	passwords  slab[password]
}

// password is a new password with the credentials of an account that had none.
type password struct {
	credentials credentials
	secret      secret
}

// populating makes the slabs large: many objects follow.
func (s *slabs) populating() {
	s.bytes.chunk, s.values.chunk, s.lists.chunk, s.attributes.chunk = 8<<10, 512, 512, 512
	s.entries.chunk, s.operations.chunk, s.passwords.chunk = 64, 128, 64
}

// copyOf is a copy of b.
func (s *slabs) copyOf(b []byte) []byte {
	c := s.bytes.take(len(b))
	copy(c, b)
	return c
}

// value is the list of one value.
func (s *slabs) value(v []byte) [][]byte {
	list := s.values.take(1)
	list[0] = v
	return list
}

// copyOfText is a copy of s as a value.
func (s *slabs) copyOfText(text string) []byte {
	c := s.bytes.take(len(text))
	copy(c, text)
	return c
}
