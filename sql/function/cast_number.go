package function

import (
	"math"
	"strconv"
	"unsafe"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

func (c *caster) floatKernel() Kernel {
	switch {
	case c.from.Class() == types.ClassBytes:
		return c.floatFromText
	case c.from.Kind == types.Decimal:
		return c.floatFromDecimal
	case c.from.Kind.IsFloat():
		return c.floatFromFloat
	}
	return c.floatFromInteger
}

func (c *caster) floatFromFloat(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	out.Resize(n)
	copy(out.F64, in.F64[:n])
	if c.to.Kind != types.Float32 {
		return
	}
	for i, f := range out.F64 {
		out.F64[i] = float64(float32(f))
		if math.IsInf(out.F64[i], 0) && !math.IsInf(f, 0) {
			c.bad(ctx, in, i, out, diag.NumericOverflow)
		}
	}
}

func (c *caster) floatFromInteger(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	out.Resize(n)
	switch {
	case c.from.Kind.IsTemporal():
		for i := range n {
			out.F64[i] = float64(packTemporal(ctx, in, i))
		}
	case c.from.Kind.IsUnsignedBits():
		for i := range n {
			out.F64[i] = float64(uint64(in.I64[i]))
		}
	default:
		for i := range n {
			out.F64[i] = float64(in.I64[i])
		}
	}
}

var pow10Float = func() (p [types.MaxDecimalScale + 1]float64) {
	for i := range p {
		p[i] = math.Pow(10, float64(i))
	}
	return p
}()

// exactPow10 is the largest power of ten that a DOUBLE holds exactly.
const exactPow10 = 22

// decimalToFloat gives the nearest DOUBLE: by a division when both of its operands are exact, else by way of the digits.
func decimalToFloat(x types.Int128, scale int) float64 {
	if v, ok := x.Int64(); ok && v > -1<<53 && v < 1<<53 && scale <= exactPow10 {
		return float64(v) / pow10Float[scale]
	}
	var room [64]byte
	f, _ := strconv.ParseFloat(string(types.AppendDecimal(room[:0], x, scale)), 64)
	return f
}

func (c *caster) floatFromDecimal(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	out.Resize(n)
	for i := range n {
		out.F64[i] = decimalToFloat(in.I128[i], c.from.Scale)
	}
}

func (c *caster) floatFromText(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	out.Resize(n)
	for i := range n {
		f, ok := parseFloat(trimSpace(in.Bytes(i)))
		out.F64[i] = f
		if !ok {
			c.bad(ctx, in, i, out, diag.InvalidCast)
		}
	}
}

// parseFloat reads a decimal number; names of infinities, hexadecimal and underscores, which strconv takes, are refused.
func parseFloat(s []byte) (float64, bool) {
	for _, ch := range s {
		if (ch < '0' || ch > '9') && ch != '.' && ch != '-' && ch != '+' && ch != 'e' && ch != 'E' {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(s), len(s)), 64)
	if err != nil {
		return 0, false
	}
	return f, true
}

func (c *caster) decimalKernel() Kernel {
	switch {
	case c.from.Class() == types.ClassBytes:
		return c.decimalFromText
	case c.from.Kind == types.Decimal:
		return c.decimalFromDecimal
	case c.from.Kind.IsFloat():
		return c.decimalFromFloat
	}
	return c.decimalFromInteger
}

// saturated turns a conversion that overflowed into a value that fits no DECIMAL.
func saturated(x types.Int128, ok bool) types.Int128 {
	if !ok {
		return maxUnscaled
	}
	return x
}

// store checks a decimal against the target's precision.
func (c *caster) store(ctx *Ctx, x types.Int128, row int, in, out *vector.Vector) {
	out.I128[row] = x
	if !types.FitsPrecision(x, c.to.Precision) {
		c.bad(ctx, in, row, out, diag.NumericOverflow)
	}
}

func (c *caster) decimalFromInteger(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	out.Resize(n)
	if c.from.Kind.IsTemporal() {
		for i := range n {
			x, ok := types.Rescale(types.I128(packTemporal(ctx, in, i)), 0, c.to.Scale)
			c.store(ctx, saturated(x, ok), i, in, out)
		}
		return
	}
	unsigned := c.from.Kind.IsUnsignedBits()
	always := c.to.Precision-c.to.Scale >= types.IntegerDigits(c.from.Kind)
	factor := types.Pow10[c.to.Scale]
	for i := range n {
		x := types.I128(in.I64[i])
		if unsigned {
			x.Hi = 0
		}
		if c.to.Scale == 0 && always {
			out.I128[i] = x
			continue
		}
		x, ok := x.Mul(factor)
		if always {
			out.I128[i] = x
			continue
		}
		c.store(ctx, saturated(x, ok), i, in, out)
	}
}

func (c *caster) decimalFromDecimal(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	out.Resize(n)
	for i := range n {
		x, ok := types.Rescale(in.I128[i], c.from.Scale, c.to.Scale)
		c.store(ctx, saturated(x, ok), i, in, out)
	}
}

func (c *caster) decimalFromFloat(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	out.Resize(n)
	for i := range n {
		x, ok := decimalFromFloat(in.F64[i], c.to.Scale)
		c.store(ctx, saturated(x, ok), i, in, out)
	}
}

// decimalFromFloat goes through the shortest text, so that 0.1 becomes 0.1 and not its binary neighbour.
func decimalFromFloat(f float64, scale int) (types.Int128, bool) {
	if f-f != 0 {
		return types.Int128{}, false
	}
	var room [40]byte
	return types.ParseDecimal(strconv.AppendFloat(room[:0], f, 'e', -1, 64), scale)
}

func (c *caster) decimalFromText(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	out.Resize(n)
	for i := range n {
		x, ok := types.ParseDecimal(trimSpace(in.Bytes(i)), c.to.Scale)
		out.I128[i] = x
		switch {
		case !ok:
			c.bad(ctx, in, i, out, diag.InvalidCast)
		case !types.FitsPrecision(x, c.to.Precision):
			c.bad(ctx, in, i, out, diag.NumericOverflow)
		}
	}
}
