package function

import (
	"bytes"
	"cmp"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// Compare orders row i of a against row j of b, which have the same type: NULL first, text bytewise, NaN last.
func Compare(a *vector.Vector, i int, b *vector.Vector, j int) int {
	an, bn := a.IsNull(i), b.IsNull(j)
	if an || bn {
		return int(boolInt(bn) - boolInt(an))
	}
	switch a.Type.Class() {
	case types.ClassI64:
		if a.Type.Kind == types.Uint64 {
			return cmp.Compare(uint64(a.I64[i]), uint64(b.I64[j]))
		}
		return cmp.Compare(a.I64[i], b.I64[j])
	case types.ClassF64:
		return compareFloat(a.F64[i], b.F64[j])
	case types.ClassI128:
		if a.Type.Kind == types.Interval {
			return compareInterval(a.I128[i], b.I128[j])
		}
		return a.I128[i].Cmp(b.I128[j])
	case types.ClassBytes:
		return bytes.Compare(a.Bytes(i), b.Bytes(j))
	case types.ClassList:
		return compareList(a, i, b, j)
	}
	for c := range a.Child {
		if r := Compare(a.Child[c], i, b.Child[c], j); r != 0 {
			return r
		}
	}
	return 0
}

func compareFloat(x, y float64) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	case x == y:
		return 0
	}
	return int(boolInt(x != x) - boolInt(y != y))
}

func compareInterval(x, y types.Int128) int {
	if c := cmp.Compare(x.Hi, y.Hi); c != 0 {
		return c
	}
	return cmp.Compare(int64(x.Lo), int64(y.Lo))
}

func compareList(a *vector.Vector, i int, b *vector.Vector, j int) int {
	x, y := a.Off[i], b.Off[j]
	for ; x < a.Off[i+1] && y < b.Off[j+1]; x, y = x+1, y+1 {
		for c := range a.Child {
			if r := Compare(a.Child[c], int(x), b.Child[c], int(y)); r != 0 {
				return r
			}
		}
	}
	return cmp.Compare(a.Off[i+1]-x, b.Off[j+1]-y)
}
