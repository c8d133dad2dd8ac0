package diag

import "strings"

// Nearest returns the candidate with the smallest edit distance to want, without regard to case, or "" when none is close: more
// than half of want's letters would have to change. Of equally close candidates the first wins.
func Nearest(want string, candidates []string) string {
	best, bestDistance := "", len([]rune(want))/2+1
	for _, c := range candidates {
		if d := distance(strings.ToLower(want), strings.ToLower(c), bestDistance); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance is the Levenshtein distance of a and b; limit or more is given as limit.
func distance(a, b string, limit int) int {
	ra, rb := []rune(a), []rune(b)
	if d := len(ra) - len(rb); d >= limit || -d >= limit {
		return limit
	}
	row := make([]int, len(rb)+1)
	for j := range row {
		row[j] = j
	}
	for i, ca := range ra {
		diagonal := row[0]
		row[0] = i + 1
		lowest := row[0]
		for j, cb := range rb {
			change := diagonal
			if ca != cb {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
			lowest = min(lowest, row[j+1])
		}
		if lowest >= limit {
			return limit
		}
	}
	return min(row[len(rb)], limit)
}

// Distance is how many letters have to be changed, added or left out to make b of a, whatever their case.
func Distance(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	return distance(a, b, len([]rune(a))+len([]rune(b))+1)
}
