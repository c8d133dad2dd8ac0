package directory

import "unicode"

// foldRune gives all runes that differ only in case the same rune: the smallest of the orbit of unicode.SimpleFold, or its
// lower case where that is ASCII; the same rule as package dn's.
func foldRune(r rune) rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if least >= 'A' && least <= 'Z' {
		return least + 'a' - 'A'
	}
	return least
}
