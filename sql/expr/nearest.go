package expr

import (
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/function"
)

// nearest finds the function whose name or alias is at most two edits away from name, a swap of neighbours counting as one; "" when there is none.
func nearest(name string) string {
	best, bestDistance := "", 3
	try := func(known string) {
		if limit := bestDistance - 1; limit > 0 && len(name) > 2 {
			if d := diag.Distance(name, known, limit); d <= limit {
				best, bestDistance = known, d
			}
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
		try(w.Name)
	}
	return best
}
