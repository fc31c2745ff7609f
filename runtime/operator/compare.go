package operator

import (
	"bytes"
	"math"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// rowsEqual tells whether row i of a and row j of b are the same, NULLs equal and floats by their bits. Columns have the same types.
func rowsEqual(a []*vector.Vector, i int, b []*vector.Vector, j int) bool {
	for c := range a {
		if !cellsEqual(a[c], i, b[c], j) {
			return false
		}
	}
	return true
}

func cellsEqual(a *vector.Vector, i int, b *vector.Vector, j int) bool {
	if a.IsNull(i) || b.IsNull(j) {
		return a.IsNull(i) == b.IsNull(j)
	}
	switch a.Type.Class() {
	case types.ClassI64:
		return a.I64[i] == b.I64[j]
	case types.ClassF64:
		return math.Float64bits(a.F64[i]) == math.Float64bits(b.F64[j])
	case types.ClassI128:
		return a.I128[i] == b.I128[j]
	case types.ClassI256:
		return a.I256[i] == b.I256[j]
	case types.ClassBytes:
		return bytes.Equal(a.Bytes(i), b.Bytes(j))
	case types.ClassList:
		return listsEqual(a, i, b, j)
	}
	return rowsEqual(a.Child, i, b.Child, j)
}

func listsEqual(a *vector.Vector, i int, b *vector.Vector, j int) bool {
	n := a.Off[i+1] - a.Off[i]
	if b.Off[j+1]-b.Off[j] != n {
		return false
	}
	for k := range n {
		if !rowsEqual(a.Child, int(a.Off[i]+k), b.Child, int(b.Off[j]+k)) {
			return false
		}
	}
	return true
}
