package function

import (
	"math/big"
	"math/bits"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// maxUnscaled is 10^38: every DECIMAL's magnitude is below it.
var maxUnscaled = types.Pow10[types.NarrowPrecision]

// decimalFits tells whether |v| < 10^38, cheaply for small values.
func decimalFits(v types.Int128) bool {
	if hi := v.Hi ^ v.Hi>>63; hi < 1<<60 {
		return true
	}
	return types.FitsPrecision(v, types.NarrowPrecision)
}

func decimalOverflow(ctx *Ctx, args []*vector.Vector, row int) {
	for _, a := range args {
		if a.IsNull(row) {
			return
		}
	}
	overflow(ctx, row, "a DECIMAL of more than %d digits", types.NarrowPrecision)
}

// kernelAddDecimal adds values of one scale.
func kernelAddDecimal(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	x, y := args[0].I128[:n], args[1].I128[:n]
	for i := range out.I128 {
		r, ok := x[i].Add(y[i])
		out.I128[i] = r
		if !ok || !decimalFits(r) {
			decimalOverflow(ctx, args, i)
		}
	}
}

func kernelSubDecimal(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	x, y := args[0].I128[:n], args[1].I128[:n]
	for i := range out.I128 {
		r, ok := x[i].Sub(y[i])
		out.I128[i] = r
		if !ok || !decimalFits(r) {
			decimalOverflow(ctx, args, i)
		}
	}
}

// mulDecimalKernel multiplies and drops the decimals beyond the greatest scale.
func mulDecimalKernel(drop int) Kernel {
	return func(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		x, y := args[0].I128[:n], args[1].I128[:n]
		for i := range out.I128 {
			a, b := x[i], y[i]
			if drop == 0 && a.Hi == int64(a.Lo)>>63 && b.Hi == int64(b.Lo)>>63 {
				// 64-bit operands: the product is at most 2^126 < 10^38, so nothing needs checking.
				hi, lo := bits.Mul64(a.Lo, b.Lo)
				out.I128[i] = types.Int128{Hi: int64(hi) - a.Hi&int64(b.Lo) - b.Hi&int64(a.Lo), Lo: lo}
				continue
			}
			r, ok := a.Mul(b)
			switch {
			case drop > 0 && !ok:
				r, ok = mulThenDrop(x[i], y[i], drop)
			case drop > 0:
				r, ok = types.DivRound(r, types.Pow10[drop])
			}
			out.I128[i] = r
			if !ok || !decimalFits(r) {
				decimalOverflow(ctx, args, i)
			}
		}
	}
}

// mulThenDrop is the rare product that needs more than 128 bits before its decimals are cut.
func mulThenDrop(x, y types.Int128, drop int) (types.Int128, bool) {
	return roundBig(new(big.Int).Mul(x.Big(), y.Big()), types.Pow10[drop].Big())
}

// roundBig divides, rounding half away from zero.
func roundBig(a, b *big.Int) (types.Int128, bool) {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	if r.Abs(r).Lsh(r, 1).CmpAbs(b) >= 0 {
		q.Add(q, big.NewInt(int64(a.Sign()*b.Sign())))
	}
	return types.FromBig(q)
}

// divDecimalKernel divides x * 10^shift by y, rounding; by zero is NULL.
func divDecimalKernel(shift int) Kernel {
	return func(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range out.I128 {
			x, y := args[0].I128[i], args[1].I128[i]
			if y.IsZero() {
				out.I128[i] = types.Int128{}
				out.SetNull(i)
				continue
			}
			r, ok := divShifted(x, y, shift)
			out.I128[i] = r
			if !ok || !decimalFits(r) {
				decimalOverflow(ctx, args, i)
			}
		}
	}
}

func divShifted(x, y types.Int128, shift int) (types.Int128, bool) {
	if shift <= types.NarrowPrecision {
		if up, ok := x.Mul(types.Pow10[shift]); ok {
			return types.DivRound(up, y)
		}
	}
	factor := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(shift)), nil)
	return roundBig(factor.Mul(factor, x.Big()), y.Big())
}

// kernelModDecimal and kernelIntDivDecimal work on values of one scale, which cancels out.
func kernelModDecimal(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range out.I128 {
		_, r, ok := args[0].I128[i].DivRem(args[1].I128[i])
		out.I128[i] = r
		if !ok {
			out.SetNull(i)
		}
	}
}

func kernelIntDivDecimal(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range out.I64 {
		q, _, ok := args[0].I128[i].DivRem(args[1].I128[i])
		r, fits := q.Int64()
		out.I64[i] = r
		switch {
		case !ok:
			out.SetNull(i)
		case !fits:
			decimalOverflow(ctx, args, i)
		}
	}
}

func kernelNegateDecimal(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range out.I128 {
		out.I128[i] = args[0].I128[i].Neg()
	}
}

func kernelNegateInterval(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range out.I128 {
		r, ok := types.NegInterval(args[0].I128[i])
		out.I128[i] = r
		if !ok {
			overflow(ctx, i, "- INTERVAL")
		}
	}
}
