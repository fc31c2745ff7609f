//go:build invariants

package invariant

import "fmt"

// Enabled says whether the checks are compiled in.
const Enabled = true

// Check panics with the formatted message when ok is false.
func Check(ok bool, format string, args ...any) {
	if !ok {
		panic("invariant violated: " + fmt.Sprintf(format, args...))
	}
}
