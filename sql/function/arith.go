package function

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// arith is the class of arithmetic that two operands need.
type arith uint8

const (
	arithInt arith = iota
	arithUint
	arithDecimal
	arithFloat
)

// arithOf finds the class; an error names the operand that is no number.
func arithOf(args []Arg) (arith, error) {
	class := arithInt
	for i, a := range args {
		switch k := a.Type.Kind; {
		case k == types.Null || k == types.Bool || k == types.Year || k.IsListed() || k.IsInteger() && k != types.Uint64:
		case k == types.Uint64:
			class = max(class, arithUint)
		case k == types.Decimal:
			class = max(class, arithDecimal)
		case k.IsFloat():
			class = arithFloat
		default:
			return 0, diag.New(diag.TypeMismatch, -1, "operand %d is a %s, not a number", i+1, a.Type).WithHint("CAST it to a number if that is what it holds")
		}
	}
	return class, nil
}

func arity(args []Arg, n int) error {
	if len(args) != n {
		return arityError(n, n, len(args))
	}
	return nil
}

func strict(ret types.Type, kernel Kernel, want ...types.Type) Bound {
	return Bound{Ret: ret, ArgTypes: want, Strict: true, Kernel: kernel}
}

var tUint = types.Of(types.Uint64)

func bindAdd(args []Arg) (Bound, error) {
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	if b, ok, err := bindMove(args, false); ok || err != nil {
		return b, err
	}
	class, err := arithOf(args)
	if err != nil {
		return Bound{}, err
	}
	switch class {
	case arithInt:
		return strict(tInt, kernelAddInt, tInt, tInt), nil
	case arithUint:
		return strict(tUint, unsignedKernel("+", addWide), args[0].Type, args[1].Type), nil
	case arithFloat:
		return strict(tFloat, kernelAddFloat, tFloat, tFloat), nil
	}
	ret, want := sumType(args)
	if anyWide(append(want, ret)) {
		return wideSum(args, ret, types.Int256.Add), nil
	}
	return Bound{Ret: ret, ArgTypes: want, Strict: true, Kernel: kernelAddDecimal}, nil
}

func bindSub(args []Arg) (Bound, error) {
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	if b, ok, err := bindMove(args, true); ok || err != nil {
		return b, err
	}
	class, err := arithOf(args)
	if err != nil {
		return Bound{}, err
	}
	switch class {
	case arithInt:
		return strict(tInt, kernelSubInt, tInt, tInt), nil
	case arithUint:
		return strict(tUint, unsignedKernel("-", subWide), args[0].Type, args[1].Type), nil
	case arithFloat:
		return strict(tFloat, kernelSubFloat, tFloat, tFloat), nil
	}
	ret, want := sumType(args)
	if anyWide(append(want, ret)) {
		return wideSum(args, ret, types.Int256.Sub), nil
	}
	return Bound{Ret: ret, ArgTypes: want, Strict: true, Kernel: kernelSubDecimal}, nil
}

// sumType gives the result of DECIMAL + and -, and the types that bring both operands to its scale.
func sumType(args []Arg) (types.Type, []types.Type) {
	x, y := DecimalOf(args[0]), DecimalOf(args[1])
	scale := max(x.Scale, y.Scale)
	ret := types.DecimalOf(max(x.Precision-x.Scale, y.Precision-y.Scale)+scale+1, scale)
	return ret, []types.Type{types.DecimalOf(x.Precision-x.Scale+scale, scale), types.DecimalOf(y.Precision-y.Scale+scale, scale)}
}

func bindMul(args []Arg) (Bound, error) {
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	class, err := arithOf(args)
	if err != nil {
		return Bound{}, err
	}
	switch class {
	case arithInt:
		return strict(tInt, kernelMulInt, tInt, tInt), nil
	case arithUint:
		return strict(tUint, unsignedKernel("*", mulWide), args[0].Type, args[1].Type), nil
	case arithFloat:
		return strict(tFloat, kernelMulFloat, tFloat, tFloat), nil
	}
	x, y := DecimalOf(args[0]), DecimalOf(args[1])
	ret := types.DecimalOf(x.Precision+y.Precision, x.Scale+y.Scale)
	drop := x.Scale + y.Scale - ret.Scale
	if anyWide([]types.Type{ret, x, y}) {
		return strict(ret, wideMulKernel(drop), x, y), nil
	}
	return strict(ret, mulDecimalKernel(drop), x, y), nil
}

// divIncrement is MySQL's div_precision_increment: how many decimals / adds to those of the dividend.
const divIncrement = 4

func bindDiv(args []Arg) (Bound, error) {
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	class, err := arithOf(args)
	if err != nil {
		return Bound{}, err
	}
	if class == arithFloat {
		return strict(tFloat, kernelDivFloat, tFloat, tFloat), nil
	}
	x, y := DecimalOf(args[0]), DecimalOf(args[1])
	scale := min(x.Scale+divIncrement, types.MaxDecimalScale)
	ret := types.DecimalOf(x.Precision-x.Scale+y.Scale+scale, scale)
	if anyWide([]types.Type{ret, x, y}) {
		return strict(ret, wideDivKernel(ret.Scale-x.Scale+y.Scale), x, y), nil
	}
	return strict(ret, divDecimalKernel(ret.Scale-x.Scale+y.Scale), x, y), nil
}

func bindIntDiv(args []Arg) (Bound, error) {
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	class, err := arithOf(args)
	if err != nil {
		return Bound{}, err
	}
	switch class {
	case arithInt:
		return strict(tInt, kernelIntDiv, tInt, tInt), nil
	case arithUint:
		return strict(tUint, kernelIntDivUint, args[0].Type, args[1].Type), nil
	case arithFloat:
		return strict(tInt, kernelIntDivFloat, tFloat, tFloat), nil
	}
	_, want := sumType(args)
	if anyWide(want) {
		return wideIntDiv(args), nil
	}
	return Bound{Ret: tInt, ArgTypes: want, Strict: true, Kernel: kernelIntDivDecimal}, nil
}

func bindMod(args []Arg) (Bound, error) {
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	class, err := arithOf(args)
	if err != nil {
		return Bound{}, err
	}
	switch class {
	case arithInt:
		return strict(tInt, kernelModInt, tInt, tInt), nil
	case arithUint: // the remainder has the sign of a, and is not larger
		ret := tInt
		if args[0].Type.Kind.IsUnsignedBits() {
			ret = tUint
		}
		return strict(ret, kernelModUint, args[0].Type, args[1].Type), nil
	case arithFloat:
		return strict(tFloat, kernelModFloat, tFloat, tFloat), nil
	}
	ret, want := sumType(args)
	ret = types.DecimalOf(ret.Precision-1, ret.Scale)
	if anyWide(append(want, ret)) {
		return wideMod(args, ret), nil
	}
	return Bound{Ret: ret, ArgTypes: want, Strict: true, Kernel: kernelModDecimal}, nil
}

func bindNegate(args []Arg) (Bound, error) {
	if err := arity(args, 1); err != nil {
		return Bound{}, err
	}
	if args[0].Type.Kind == types.Interval {
		return strict(tInterval, kernelNegateInterval, tInterval), nil
	}
	class, err := arithOf(args)
	if err != nil {
		return Bound{}, err
	}
	switch class {
	case arithInt:
		return strict(tInt, kernelNegateInt, tInt), nil
	case arithFloat:
		return strict(tFloat, kernelNegateFloat, tFloat), nil
	}
	t := types.AsDecimal(args[0].Type)
	if anyWide([]types.Type{t}) {
		return strict(t, kernelNegateWide, t), nil
	}
	return strict(t, kernelNegateDecimal, t), nil
}

func overflow(ctx *Ctx, row int, what string, args ...any) {
	if !ctx.Counts(row) {
		return
	}
	ctx.Fail(row, diag.New(diag.NumericOverflow, -1, "numeric value out of range in %s", fmt.Sprintf(what, args...)))
}

func kernelAddInt(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	x, y, r := args[0].I64[:n], args[1].I64[:n], out.I64[:n]
	wrapped := int64(0)
	for i := range r {
		s := x[i] + y[i]
		wrapped |= (x[i] ^ s) & (y[i] ^ s)
		r[i] = s
	}
	if wrapped >= 0 {
		return
	}
	for i := range r {
		if (x[i]^r[i])&(y[i]^r[i]) < 0 && !args[0].IsNull(i) && !args[1].IsNull(i) {
			overflow(ctx, i, "%d + %d", x[i], y[i])
		}
	}
}

func kernelSubInt(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	x, y, r := args[0].I64[:n], args[1].I64[:n], out.I64[:n]
	wrapped := int64(0)
	for i := range r {
		d := x[i] - y[i]
		wrapped |= (x[i] ^ y[i]) & (x[i] ^ d)
		r[i] = d
	}
	if wrapped >= 0 {
		return
	}
	for i := range r {
		if (x[i]^y[i])&(x[i]^r[i]) < 0 && !args[0].IsNull(i) && !args[1].IsNull(i) {
			overflow(ctx, i, "%d - %d", x[i], y[i])
		}
	}
}

func kernelMulInt(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	x, y, r := args[0].I64[:n], args[1].I64[:n], out.I64[:n]
	wide := int64(0) // bits beyond 31 in some operand: only then can a product overflow
	for i := range r {
		wide |= (x[i] ^ x[i]>>63) | (y[i] ^ y[i]>>63)
		r[i] = x[i] * y[i]
	}
	if wide <= math.MaxInt32 {
		return
	}
	for i := range r {
		hi, lo := bits.Mul64(uint64(x[i]), uint64(y[i]))
		// Two's complement: correct the unsigned high half for negative operands.
		high := int64(hi) - (x[i]>>63)&y[i] - (y[i]>>63)&x[i]
		if high != int64(lo)>>63 && !args[0].IsNull(i) && !args[1].IsNull(i) {
			overflow(ctx, i, "%d * %d", x[i], y[i])
		}
	}
}

func kernelNegateInt(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i, x := range args[0].I64[:n] {
		out.I64[i] = -x
		if x == math.MinInt64 {
			overflow(ctx, i, "-(%d)", x)
		}
	}
}

func kernelIntDiv(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	x, y := args[0].I64[:n], args[1].I64[:n]
	for i := range n {
		switch {
		case y[i] == 0:
			out.I64[i] = 0
			out.SetNull(i)
		case y[i] == -1 && x[i] == math.MinInt64:
			overflow(ctx, i, "%d DIV -1", x[i])
		default:
			out.I64[i] = x[i] / y[i]
		}
	}
}

// kernelIntDivUint divides with BIGINT UNSIGNED on a side; the quotient is BIGINT UNSIGNED, too.
func kernelIntDivUint(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range n {
		q, _, ok := wideOf(args[0], i).DivRem(wideOf(args[1], i))
		out.I64[i] = int64(q.Lo)
		switch {
		case !ok:
			out.SetNull(i)
		case q.Hi != 0 && !args[0].IsNull(i) && !args[1].IsNull(i):
			overflow(ctx, i, "BIGINT UNSIGNED DIV")
		}
	}
}

// kernelModUint is kernelModInt with BIGINT UNSIGNED on a side.
func kernelModUint(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range n {
		_, r, ok := wideOf(args[0], i).DivRem(wideOf(args[1], i))
		out.I64[i] = int64(r.Lo)
		if !ok {
			out.SetNull(i)
		}
	}
}

func kernelModInt(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	x, y := args[0].I64[:n], args[1].I64[:n]
	for i := range n {
		if y[i] == 0 {
			out.I64[i] = 0
			out.SetNull(i)
			continue
		}
		out.I64[i] = x[i] % y[i]
	}
}

// wideOf reads an integer operand of any kind without loss.
func wideOf(v *vector.Vector, i int) types.Int128 {
	if v.Type.Kind.IsUnsignedBits() {
		return types.U128(uint64(v.I64[i]))
	}
	return types.I128(v.I64[i])
}

func addWide(x, y types.Int128) types.Int128 { r, _ := x.Add(y); return r }
func subWide(x, y types.Int128) types.Int128 { r, _ := x.Sub(y); return r }

// mulWide of 64-bit operands; a product beyond 127 bits is out of range of BIGINT UNSIGNED whatever it is.
func mulWide(x, y types.Int128) types.Int128 {
	r, ok := x.Mul(y)
	if !ok {
		return types.Int128{Hi: 1}
	}
	return r
}

// unsignedKernel computes with BIGINT UNSIGNED on a side in 128 bits: results below 0 or above 64 bits are row errors.
func unsignedKernel(symbol string, op func(x, y types.Int128) types.Int128) Kernel {
	return func(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			r := op(wideOf(args[0], i), wideOf(args[1], i))
			out.I64[i] = int64(r.Lo)
			if r.Hi != 0 && !args[0].IsNull(i) && !args[1].IsNull(i) {
				overflow(ctx, i, "BIGINT UNSIGNED %s", symbol)
			}
		}
	}
}

func finite(ctx *Ctx, args []*vector.Vector, out *vector.Vector, symbol string) {
	sum := 0.0
	for _, f := range out.F64 {
		sum += f - f // stays 0 unless some f is infinite or NaN
	}
	if sum == 0 {
		return
	}
	for i, f := range out.F64 {
		if f-f != 0 && !args[0].IsNull(i) && !args[1].IsNull(i) {
			overflow(ctx, i, "%g %s %g", args[0].F64[i], symbol, args[1].F64[i])
		}
	}
}

func kernelAddFloat(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	x, y := args[0].F64[:n], args[1].F64[:n]
	for i := range out.F64 {
		out.F64[i] = x[i] + y[i]
	}
	finite(ctx, args, out, "+")
}

func kernelSubFloat(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	x, y := args[0].F64[:n], args[1].F64[:n]
	for i := range out.F64 {
		out.F64[i] = x[i] - y[i]
	}
	finite(ctx, args, out, "-")
}

func kernelMulFloat(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	x, y := args[0].F64[:n], args[1].F64[:n]
	for i := range out.F64 {
		out.F64[i] = x[i] * y[i]
	}
	finite(ctx, args, out, "*")
}

func kernelDivFloat(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	x, y := args[0].F64[:n], args[1].F64[:n]
	for i := range out.F64 {
		if y[i] == 0 {
			out.F64[i] = 0
			out.SetNull(i)
			continue
		}
		out.F64[i] = x[i] / y[i]
	}
	finite(ctx, args, out, "/")
}

func kernelModFloat(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range out.F64 {
		out.F64[i] = math.Mod(args[0].F64[i], args[1].F64[i])
		if args[1].F64[i] == 0 {
			out.F64[i] = 0
			out.SetNull(i)
		}
	}
}

func kernelIntDivFloat(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range out.I64 {
		out.I64[i] = 0
		if args[1].F64[i] == 0 {
			out.SetNull(i)
			continue
		}
		q := math.Trunc(args[0].F64[i] / args[1].F64[i])
		if !(math.Abs(q) < 1<<63) {
			overflow(ctx, i, "DIV")
			continue
		}
		out.I64[i] = int64(q)
	}
}

func kernelNegateFloat(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range out.F64 {
		out.F64[i] = -args[0].F64[i]
	}
}
