package function

import (
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

func wideUnary(f func(types.Int256) types.Int256) Kernel {
	return func(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			if !putWide(out, i, f(wideAt(args[0], i))) {
				wideOverflow(ctx, args[:1], i)
			}
		}
	}
}

// wideRounding binds CEIL (1) and FLOOR (-1) of a DECIMAL of more than 38 digits.
func wideRounding(t types.Type, direction int64) Bound {
	one, _ := types.WideRescale(types.I256(1), 0, t.Scale)
	return strict(types.DecimalOf(t.Precision-t.Scale+1, 0), wideUnary(func(x types.Int256) types.Int256 {
		q, r, _ := x.DivRem(one)
		if !r.IsZero() && r.IsNeg() == (direction < 0) {
			q, _ = q.Add(types.I256(direction))
		}
		return q
	}), t)
}

// wideRound binds ROUND and TRUNCATE, to so many digits behind the point or, when negative, before it.
func wideRound(want []types.Type, digits int, cut bool) Bound {
	t := want[0]
	scale := min(max(digits, 0), t.Scale)
	ret := types.DecimalOf(t.Precision-t.Scale+scale+1, scale)
	drop := min(t.Scale-digits, types.MaxDecimalPrecision+1) // digits cut off the unscaled value
	if digits >= t.Scale {
		drop = 0
	}
	unit, _ := types.WideRescale(types.I256(1), 0, drop)
	kernel := wideUnary(func(x types.Int256) types.Int256 {
		q, _, _ := x.DivRem(unit)
		if !cut {
			q, _ = types.WideDivRound(x, unit)
		}
		q, _ = types.WideRescale(q, t.Scale-drop, scale)
		return q
	})
	return Bound{Ret: ret, ArgTypes: want, Strict: true, Kernel: kernel}
}
