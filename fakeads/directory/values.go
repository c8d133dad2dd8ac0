package directory

// smallInts are encodings of integers that most objects have.
var smallInts = func() (list [64][][]byte) {
	for i := range list {
		list[i] = [][]byte{intValue(int64(i))}
	}
	return list
}()

// Values of integer attributes that accounts have in common, beside the small ones.
var commonInts = func() map[int64][][]byte {
	m := map[int64][][]byte{}
	for _, n := range []int64{
		512, 513, 515, 4096, 66048, 805306368, 805306369, 268435456, 536870912, 9223372036854775807,
		-2147483646, -2147483644, -2147483640,
	} {
		m[n] = [][]byte{intValue(n)}
	}
	return m
}()

// intValues is one integer value, shared where that saves memory. It must not be changed.
func intValues(n int64) [][]byte {
	if v := sharedInt(n); v != nil {
		return v
	}
	return [][]byte{intValue(n)}
}

// sharedInt is intValues for numbers that many objects have, nil for others.
func sharedInt(n int64) [][]byte {
	if n >= 0 && n < int64(len(smallInts)) {
		return smallInts[n]
	}
	return commonInts[n]
}
