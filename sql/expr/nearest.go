package expr

import "github.com/millrace/millrace/sql/function"

// nearest finds the function whose name or alias is at most two edits away from name; "" when there is none.
func nearest(name string) string {
	best, bestDistance := "", 3
	try := func(known string) {
		if d := editDistance(name, known, bestDistance); d < bestDistance {
			best, bestDistance = known, d
		}
	}
	for _, f := range function.All() {
		try(f.Name)
	}
	for _, a := range function.AllAggs() {
		try(a.Name)
	}
	for _, f := range function.All() { // names come before aliases that are as near
		for _, alias := range f.Aliases {
			try(alias)
		}
	}
	for _, w := range function.AllWindows() {
		if d := editDistance(name, w.Name, bestDistance); d < bestDistance {
			best, bestDistance = w.Name, d
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
