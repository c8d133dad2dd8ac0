package dn

import "unicode"

// fold gives all runes that differ only in case the same rune: the smallest of
// the orbit of unicode.SimpleFold, or its lower case where that is ASCII.
func fold(r rune) rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if least >= 'A' && least <= 'Z' {
		return least + 'a' - 'A'
	}
	return least
}
