package function

import (
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// bindMove binds + and - with an instant or INTERVAL on a side; ok is false when there is none.
func bindMove(args []Arg, minus bool) (Bound, bool, error) {
	a, b := args[0], args[1]
	switch {
	case a.Type.Kind == types.Interval && b.Type.Kind == types.Interval:
		return strict(tInterval, intervalSum(minus), tInterval, tInterval), true, nil
	case isMovable(a) && b.Type.Kind == types.Interval:
		bound, err := bindAddInterval(a, b, minus)
		return bound, true, err
	case a.Type.Kind == types.Interval && isMovable(b) && !minus:
		bound, err := bindAddInterval(b, a, false)
		if err == nil {
			inner := bound.Kernel
			bound.ArgTypes[0], bound.ArgTypes[1] = bound.ArgTypes[1], bound.ArgTypes[0]
			bound.Kernel = swapped(inner)
		}
		return bound, true, err
	case minus && a.Type.Kind.IsTemporal() && b.Type.Kind.IsTemporal():
		t, ok := types.CommonType(a.Type, b.Type)
		if !ok {
			return Bound{}, true, diag.New(diag.TypeMismatch, -1, "cannot subtract %s from %s", b.Type, a.Type)
		}
		return strict(tInterval, differenceKernel(t.Kind), t, t), true, nil
	case a.Type.Kind.IsTemporal() || b.Type.Kind.IsTemporal() || a.Type.Kind == types.Interval || b.Type.Kind == types.Interval:
		return Bound{}, true, diag.New(diag.TypeMismatch, -1, "cannot add or subtract %s and %s", a.Type, b.Type).WithHint("write INTERVAL 1 DAY for a span of time")
	}
	return Bound{}, false, nil
}

// swapped exchanges two arguments. It keeps no state, so a bound function stays shareable.
func swapped(k Kernel) Kernel {
	return func(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		args[0], args[1] = args[1], args[0]
		k(ctx, args, n, out)
		args[0], args[1] = args[1], args[0]
	}
}

// isMovable tells whether an INTERVAL can be added; text literals are read as instants.
func isMovable(a Arg) bool { return a.Type.Kind.IsTemporal() || a.Type.Kind == types.String }

// bindAddInterval binds instant +/- interval. A DATE stays one when the interval is known to have no hours.
func bindAddInterval(at, iv Arg, minus bool) (Bound, error) {
	t := at.Type
	switch {
	case t.Kind == types.String, t.Kind == types.Null:
		t = tDatetime
		if s, ok := constText(at); ok && len(s) == len("2026-01-02") && wholeDays(iv) {
			t = tDate
		}
	case t.Kind == types.Date && !wholeDays(iv):
		t = tDatetime
	}
	return strict(t, moveKernel(t.Kind, minus), t, tInterval), nil
}

func wholeDays(iv Arg) bool {
	if iv.Const == nil || iv.Const.IsNull(0) {
		return iv.Const != nil
	}
	if iv.Const.Type.Kind != types.Interval {
		return false
	}
	_, micros := types.IntervalParts(iv.Const.I128[0])
	return micros%types.Day == 0
}

// moveKernel adds an interval; results outside years 0..9999 are NULL, as in MySQL.
func moveKernel(kind types.Kind, minus bool) Kernel {
	return func(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			iv, ok := args[1].I128[i], true
			if minus {
				iv, ok = types.NegInterval(iv)
			}
			r, in := moveInstant(ctx, args[0].I64[i], kind, iv)
			out.I64[i] = r
			if !ok || !in {
				out.SetNull(i)
			}
		}
	}
}

// moveInstant adds an interval on the calendar of the session's zone.
func moveInstant(ctx *Ctx, x int64, kind types.Kind, iv types.Int128) (int64, bool) {
	switch kind {
	case types.Date:
		if x < types.MinDay || x > types.MaxDay {
			return 0, false
		}
		r, ok := types.AddInterval(x*types.Day, iv)
		return types.FloorDiv(r, types.Day), ok
	case types.Timestamp:
		if iv.Hi == 0 || ctx.Zone == nil {
			return types.AddInterval(x, iv)
		}
		r, ok := types.AddInterval(ctx.toWall(x), iv)
		return ctx.fromWall(r), ok
	case types.Time:
		r := x + int64(iv.Lo)
		return r, iv.Hi == 0 && r > -839*types.Hour && r < 839*types.Hour
	}
	return types.AddInterval(x, iv)
}

func differenceKernel(kind types.Kind) Kernel {
	unit := int64(1)
	if kind == types.Date {
		unit = types.Day
	}
	return func(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			out.I128[i] = types.IntervalOf(0, (args[0].I64[i]-args[1].I64[i])*unit)
		}
	}
}

func intervalSum(minus bool) Kernel {
	return func(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			y, ok := args[1].I128[i], true
			if minus {
				y, ok = types.NegInterval(y)
			}
			x := args[0].I128[i]
			months, fits := types.I128(x.Hi).Add(types.I128(y.Hi))
			micros, fits2 := types.I128(int64(x.Lo)).Add(types.I128(int64(y.Lo)))
			m, inRange := months.Int64()
			u, inRange2 := micros.Int64()
			out.I128[i] = types.IntervalOf(m, u)
			if !(ok && fits && fits2 && inRange && inRange2) {
				overflow(ctx, i, "a sum of intervals")
			}
		}
	}
}
