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
		if a.Type.Kind.IsUnsignedBits() {
			return cmp.Compare(uint64(a.I64[i]), uint64(b.I64[j]))
		}
		return cmp.Compare(a.I64[i], b.I64[j])
	case types.ClassF64:
		return compareFloat(a.F64[i], b.F64[j])
	case types.ClassI128:
		switch a.Type.Kind {
		case types.Interval:
			return compareInterval(a.I128[i], b.I128[j])
		case types.Point:
			return comparePoint(a.I128[i], b.I128[j])
		}
		return a.I128[i].Cmp(b.I128[j])
	case types.ClassI256:
		return a.I256[i].Cmp(b.I256[j])
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

// comparePoint orders by longitude, then latitude, so that sorting is total; < has no other meaning for points.
func comparePoint(x, y types.Int128) int {
	xlon, xlat := types.PointParts(x)
	ylon, ylat := types.PointParts(y)
	if c := compareFloat(xlon, ylon); c != 0 {
		return c
	}
	return compareFloat(xlat, ylat)
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
