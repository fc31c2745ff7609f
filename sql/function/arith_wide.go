package function

import (
	"slices"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// The kernels of this file compute DECIMALs when an operand or the result has more than 38 digits. Operands may be of either width.

func anyWide(all []types.Type) bool {
	for _, t := range all {
		if t.Class() == types.ClassI256 {
			return true
		}
	}
	return false
}

// DecimalOf is the DECIMAL as which an operand is computed with: an integer constant has the digits that it has, not those of its
// type, as in MySQL.
func DecimalOf(a Arg) types.Type {
	x, ok := constInt(a)
	if !ok || !a.Type.Kind.IsInteger() || a.Type.Kind == types.Uint64 {
		return types.AsDecimal(a.Type)
	}
	digits := 1
	for x /= 10; x != 0; x /= 10 {
		digits++
	}
	return types.DecimalOf(digits, 0)
}

// wideAt reads a DECIMAL of either width.
func wideAt(v *vector.Vector, i int) types.Int256 {
	if v.I256 != nil {
		return v.I256[i]
	}
	return v.I128[i].Widen()
}

// exactAt reads an integer or a DECIMAL of any width.
func exactAt(v *vector.Vector, i int) types.Int256 {
	if v.Type.Class() == types.ClassI64 {
		return wideOf(v, i).Widen()
	}
	return wideAt(v, i)
}

// putWide stores a DECIMAL of either width; false when it has more digits than the column's class holds.
func putWide(out *vector.Vector, i int, x types.Int256) bool {
	if out.I256 != nil {
		out.I256[i] = x
		return types.WideFits(x, types.MaxDecimalPrecision)
	}
	small, ok := x.Narrow()
	out.I128[i] = small
	return ok && decimalFits(small)
}

func wideOverflow(ctx *Ctx, args []*vector.Vector, row int) {
	for _, a := range args {
		if a.IsNull(row) {
			return
		}
	}
	overflow(ctx, row, "a DECIMAL of more than %d digits", types.MaxDecimalPrecision)
}

// wideSum binds + and -; operands are brought to the result's scale on the way.
func wideSum(args []Arg, ret types.Type, op func(a, b types.Int256) (types.Int256, bool)) Bound {
	x, y := DecimalOf(args[0]), DecimalOf(args[1])
	kernel := func(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			a, ok := types.WideRescale(wideAt(args[0], i), x.Scale, ret.Scale)
			b, ok2 := types.WideRescale(wideAt(args[1], i), y.Scale, ret.Scale)
			r, ok3 := op(a, b)
			if !putWide(out, i, r) || !ok || !ok2 || !ok3 {
				wideOverflow(ctx, args, i)
			}
		}
	}
	return strict(ret, kernel, x, y)
}

func wideMulKernel(drop int) Kernel {
	return func(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			r, ok := types.WideMulDrop(wideAt(args[0], i), wideAt(args[1], i), drop)
			if !putWide(out, i, r) || !ok {
				wideOverflow(ctx, args, i)
			}
		}
	}
}

// wideDivKernel divides x * 10^shift by y, rounding; by zero is NULL.
func wideDivKernel(shift int) Kernel {
	return func(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			y := wideAt(args[1], i)
			if y.IsZero() {
				putWide(out, i, types.Int256{})
				out.SetNull(i)
				continue
			}
			r, ok := types.WideDivShift(wideAt(args[0], i), y, shift)
			if !putWide(out, i, r) || !ok {
				wideOverflow(ctx, args, i)
			}
		}
	}
}

// wideQuotient brings both operands to one scale and divides; ok is false when that overflows, zero when y is.
func wideQuotient(args []*vector.Vector, i int) (q, r types.Int256, zero, ok bool) {
	scale := max(args[0].Type.Scale, args[1].Type.Scale)
	x, ok := types.WideRescale(wideAt(args[0], i), args[0].Type.Scale, scale)
	y, ok2 := types.WideRescale(wideAt(args[1], i), args[1].Type.Scale, scale)
	q, r, some := x.DivRem(y)
	return q, r, !some, ok && ok2
}

func wideMod(args []Arg, ret types.Type) Bound {
	kernel := func(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			_, r, zero, ok := wideQuotient(args, i)
			fits := putWide(out, i, r)
			switch {
			case zero:
				out.SetNull(i)
			case !ok || !fits:
				wideOverflow(ctx, args, i)
			}
		}
	}
	return strict(ret, kernel, DecimalOf(args[0]), DecimalOf(args[1]))
}

func wideIntDiv(args []Arg) Bound {
	kernel := func(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			q, _, zero, ok := wideQuotient(args, i)
			small, narrow := q.Narrow()
			x, fits := small.Int64()
			out.I64[i] = x
			switch {
			case zero:
				out.SetNull(i)
			case !args[0].IsNull(i) && !args[1].IsNull(i) && (!ok || !narrow || !fits):
				overflow(ctx, i, "DIV")
			}
		}
	}
	return strict(tInt, kernel, DecimalOf(args[0]), DecimalOf(args[1]))
}

func kernelNegateWide(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range out.I256 {
		out.I256[i] = args[0].I256[i].Neg()
	}
}

// narrowFamilies are the families whose kernels compute in 128 bits: their DECIMAL arguments are cast to 38 digits, where a value
// that has more is a row error.
var narrowFamilies = map[string]bool{"math": true, "time": true, "geo": true}

func narrowBinder(bind binder) binder {
	return func(args []Arg) (Bound, error) {
		view := args
		for i, a := range args {
			if a.Type.Class() == types.ClassI256 {
				if &view[0] == &args[0] {
					view = append([]Arg{}, args...)
				}
				view[i] = Arg{Type: narrowed(a.Type)}
			}
		}
		bound, err := bind(view)
		bound.Ret = narrowed(bound.Ret)
		if anyWide(bound.ArgTypes) {
			bound.ArgTypes = slices.Clone(bound.ArgTypes)
			for i, t := range bound.ArgTypes {
				bound.ArgTypes[i] = narrowed(t)
			}
		}
		return bound, err
	}
}

// narrowed gives a DECIMAL of at most 38 digits and the same scale; other types as they are.
func narrowed(t types.Type) types.Type {
	if t.Class() == types.ClassI256 {
		t.Precision = types.NarrowPrecision
	}
	return t
}
