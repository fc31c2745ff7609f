package expr

import "github.com/millrace/millrace/sql/function"

// nearest finds the function whose name is at most two edits away from name; "" when there is none.
func nearest(name string) string {
	best, bestDistance := "", 3
	for _, f := range function.All() {
		if d := editDistance(name, f.Name, bestDistance); d < bestDistance {
			best, bestDistance = f.Name, d
		}
	}
	for _, a := range function.AllAggs() {
		if d := editDistance(name, a.Name, bestDistance); d < bestDistance {
			best, bestDistance = a.Name, d
		}
	}
	return best
}

// editDistance is the Levenshtein distance, cut at limit.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit || len(a) <= 2 {
		return limit
	}
	prev, cur := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range len(a) {
		cur[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			cur[j+1] = min(prev[j]+cost, prev[j+1]+1, cur[j]+1)
		}
		prev, cur = cur, prev
	}
	return prev[len(b)]
}
