package diag

import "strings"

// Suggest returns the candidate that word was probably meant to be, "" when none is near: at most one edit for words of up to four
// characters, two for longer ones; a swap of neighbours is one edit. Case does not count; of equals the first in the list wins.
func Suggest(word string, candidates []string) string {
	limit := 2
	if len(word) <= 4 {
		limit = 1
	}
	if len(word) < 2 {
		return ""
	}
	best, bestDist := "", limit+1
	w := strings.ToLower(word)
	for _, c := range candidates {
		lc := strings.ToLower(c)
		if lc == w || abs(len(lc)-len(w)) > limit {
			continue
		}
		if d := distance(w, lc, bestDist); d < bestDist || d == bestDist && d <= limit && c < best {
			best, bestDist = c, d
		}
	}
	return best
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// distance is the number of insertions, deletions, substitutions and swaps of neighbours between a and b, in bytes.
func distance(a, b string, limit int) int {
	prev2 := make([]int, len(b)+1)
	prev := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		low := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], prev2[j-2]+1)
			}
			low = min(low, row[j])
		}
		if low > limit {
			return limit + 1
		}
		prev2, prev, row = prev, row, prev2
	}
	return prev[len(b)]
}

// Distance is the edit distance of two words, a swap of neighbours counting as one; beyond limit it is some number above limit.
func Distance(a, b string, limit int) int {
	if abs(len(a)-len(b)) > limit {
		return limit + 1
	}
	return distance(a, b, limit)
}
