package function

import (
	"strconv"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// wideKernel makes a DECIMAL of more than 38 digits from anything, and a DECIMAL of fewer from one of more.
func (c *caster) wideKernel() Kernel {
	read := c.wideReader()
	return func(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		in := args[0]
		out.Resize(n)
		for i := range n {
			if in.IsNull(i) {
				putWide(out, i, types.Int256{})
				continue
			}
			x, code := read(ctx, in, i)
			fits := putWide(out, i, x) && types.WideFits(x, c.to.Precision)
			if code == 0 && !fits {
				code = diag.NumericOverflow
			}
			if code != 0 {
				c.bad(ctx, in, i, out, code)
			}
		}
	}
}

// wideReader gives the function that reads a value at the target's scale; code 0 means that there is one.
func (c *caster) wideReader() func(ctx *Ctx, in *vector.Vector, i int) (x types.Int256, code diag.Code) {
	ok := func(x types.Int256, fits bool) (types.Int256, diag.Code) {
		if !fits {
			return x, diag.NumericOverflow
		}
		return x, 0
	}
	switch from := c.from; {
	case from.Class() == types.ClassBytes:
		return func(_ *Ctx, in *vector.Vector, i int) (types.Int256, diag.Code) {
			x, fits := types.ParseWide(trimSpace(in.Bytes(i)), c.to.Scale)
			if !fits {
				return x, diag.InvalidCast
			}
			return x, 0
		}
	case from.Kind == types.Decimal:
		return func(_ *Ctx, in *vector.Vector, i int) (types.Int256, diag.Code) {
			return ok(types.WideRescale(wideAt(in, i), from.Scale, c.to.Scale))
		}
	case from.Kind.IsFloat():
		return func(_ *Ctx, in *vector.Vector, i int) (types.Int256, diag.Code) {
			var room [40]byte
			return ok(types.ParseWide(strconv.AppendFloat(room[:0], in.F64[i], 'e', -1, 64), c.to.Scale))
		}
	case from.Kind.IsTemporal():
		return func(ctx *Ctx, in *vector.Vector, i int) (types.Int256, diag.Code) {
			return ok(types.WideRescale(types.I256(packTemporal(ctx, in, i)), 0, c.to.Scale))
		}
	}
	return func(_ *Ctx, in *vector.Vector, i int) (types.Int256, diag.Code) {
		return ok(types.WideRescale(wideOf(in, i).Widen(), 0, c.to.Scale))
	}
}

// fromWide converts a DECIMAL of more than 38 digits to an integer, a boolean or a float.
func (c *caster) fromWide(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	out.Resize(n)
	for i := range n {
		x := in.I256[i]
		switch {
		case c.to.Kind.IsFloat():
			out.F64[i] = types.WideFloat(x, c.from.Scale)
		case c.to.Kind == types.Bool:
			out.I64[i] = boolInt(!x.IsZero())
		default:
			whole, _ := types.WideRescale(x, c.from.Scale, 0)
			small, ok := whole.Narrow()
			if !ok {
				small = maxUnscaled
			}
			c.narrow(ctx, small, i, in, out)
		}
	}
}
