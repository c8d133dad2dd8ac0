package doctor

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// words are what a text is searched by: its words in lower case, and numbers by their value, so that 1311 finds 0x51f. Decimal numbers
// of one or two digits are left as they are: they count things as often as they name an error.
func words(text string) []string {
	var list []string
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' }) {
		if hex, ok := strings.CutPrefix(w, "0x"); ok {
			if n, err := strconv.ParseUint(hex, 16, 64); err == nil {
				w = "#" + strconv.FormatUint(n, 10)
			}
		} else if n, err := strconv.ParseUint(w, 10, 64); err == nil && n >= 100 {
			w = "#" + w
		}
		if !slices.Contains(list, w) {
			list = append(list, w)
		}
	}
	return list
}

// weights are what words tell: a word that few texts have tells more than one that all have.
func weights(texts [][]string) map[string]float64 {
	in := map[string]int{}
	for _, t := range texts {
		for _, w := range t {
			in[w]++
		}
	}
	weight := make(map[string]float64, len(in))
	for w, n := range in {
		weight[w] = math.Log(1 + float64(len(texts))/float64(n))
	}
	return weight
}

// fit is how much of what a query tells is in a text, from 0 to 1. A word that no text has counts as the rarest.
func fit(query, text []string, weight map[string]float64, rarest float64) float64 {
	var has, all float64
	for _, w := range query {
		v, known := weight[w]
		if !known {
			v = rarest
		}
		all += v
		if slices.Contains(text, w) {
			has += v
		}
	}
	if all == 0 {
		return 0
	}
	return has / all
}
