package diag

import "strings"

// maxSuggestLen bounds the words that Suggest compares, so that a hostile name costs nothing.
const maxSuggestLen = 64

// Suggest returns the candidate nearest to word, compared case-insensitively, or "" when none is near: at most two edits, and fewer
// than half of the word's letters.
func Suggest(word string, candidates []string) string {
	best, bestDistance := "", 3
	if len(word) > maxSuggestLen {
		return ""
	}
	for _, c := range candidates {
		if len(c) > maxSuggestLen {
			continue
		}
		d := editDistance(strings.ToLower(word), strings.ToLower(c))
		if d < bestDistance && 2*d < max(len(word), 2)+1 {
			best, bestDistance = c, d
		}
	}
	return best
}

// editDistance counts insertions, deletions, substitutions and swaps of neighbours (Damerau's restricted distance).
func editDistance(a, b string) int {
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}
