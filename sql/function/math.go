package function

import (
	"hash/crc32"
	"math"
	"math/bits"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// mathFuncs is the table of numeric functions.
func mathFuncs() []*Func {
	all := []*Func{
		def("abs(x)", "The absolute value.", bindAbs, "abs(-3)", "3", "abs(-1.5)", "1.5").wide(),
		def("ceil(x)", "The least integer that is not below x.", bindRounding(1), "ceil(1.2)", "2", "ceil(-1.2)", "-1").alias("ceiling").wide(),
		def("floor(x)", "The greatest integer that is not above x.", bindRounding(-1), "floor(1.8)", "1", "floor(-1.2)", "-2").wide(),
		def("round(x) | round(x, d)", "x rounded to d decimals (0 unless given), halves away from zero. A negative d rounds before the point.", bindRound(false),
			"round(1.255, 2)", "1.26", "round(-1.5)", "-2", "round(1250, -2)", "1300").wide(),
		def("truncate(x, d)", "x cut to d decimals.", bindRound(true), "truncate(1.259, 2)", "1.25", "truncate(-1.9, 0)", "-1").alias("trunc").wide(),
		def("sign(x)", "-1, 0 or 1.", fixed(tInt, rowInt(func(args []*vector.Vector, i int) (int64, bool) {
			return boolInt(args[0].F64[i] > 0) - boolInt(args[0].F64[i] < 0), true
		}), tFloat), "sign(-2.5)", "-1"),
		def("greatest(a, b, ..)", "The greatest argument; NULL when one is NULL.", bindPick(1), "greatest(1, 3, 2)", "3", "greatest('a', 'b')", "b").wide(),
		def("least(a, b, ..)", "The least argument; NULL when one is NULL.", bindPick(-1), "least(2, 1.5)", "1.5").wide(),
		def("pi()", "The number pi.", fixed(tFloat, rowFloat(func([]*vector.Vector, int) float64 { return math.Pi })), "pi()", "3.141592653589793"),
		math1("sqrt(x)", "The square root; NULL below zero.", math.Sqrt, "sqrt(16)", "4", "sqrt(-1)", "NULL"),
		math1("exp(x)", "e to the power of x.", math.Exp, "exp(0)", "1"),
		math1("ln(x)", "The natural logarithm; NULL unless x > 0.", math.Log, "ln(1)", "0", "ln(0)", "NULL"),
		math1("log2(x)", "The logarithm to base 2.", math.Log2, "log2(8)", "3"),
		math1("log10(x)", "The logarithm to base 10.", math.Log10, "log10(100)", "2"),
		def("log(x) | log(base, x)", "The natural logarithm, or the logarithm to a base.", optional(tFloat, rowFloat(logarithm), 1, tFloat, tFloat), "log(1)", "0", "log(2, 8)", "3", "log(0, 8)", "NULL"),
		def("power(x, y)", "x to the power of y.", fixed(tFloat, rowFloat(func(a []*vector.Vector, i int) float64 { return math.Pow(a[0].F64[i], a[1].F64[i]) }), tFloat, tFloat), "power(2, 10)", "1024").alias("pow"),
		math1("degrees(x)", "Radians as degrees.", func(x float64) float64 { return x * 180 / math.Pi }, "degrees(pi())", "180"),
		math1("radians(x)", "Degrees as radians.", func(x float64) float64 { return x * math.Pi / 180 }, "radians(180)", "3.141592653589793"),
		math1("sin(x)", "The sine.", math.Sin, "sin(0)", "0"),
		math1("cos(x)", "The cosine.", math.Cos, "cos(0)", "1"),
		math1("tan(x)", "The tangent.", math.Tan, "tan(0)", "0"),
		math1("cot(x)", "The cotangent.", func(x float64) float64 { return 1 / math.Tan(x) }, "cot(0)", "NULL"),
		math1("asin(x)", "The arc sine; NULL outside -1..1.", math.Asin, "asin(0)", "0"),
		math1("acos(x)", "The arc cosine; NULL outside -1..1.", math.Acos, "acos(1)", "0", "acos(2)", "NULL"),
		def("atan(x) | atan(y, x)", "The arc tangent, or the angle of the point (x, y).", optional(tFloat, rowFloat(func(a []*vector.Vector, i int) float64 {
			if len(a) == 2 {
				return math.Atan2(a[0].F64[i], a[1].F64[i])
			}
			return math.Atan(a[0].F64[i])
		}), 1, tFloat, tFloat), "atan(0)", "0", "degrees(atan(1, 0))", "90"),
		def("atan2(y, x)", "The angle of the point (x, y).", fixed(tFloat, rowFloat(func(a []*vector.Vector, i int) float64 { return math.Atan2(a[0].F64[i], a[1].F64[i]) }), tFloat, tFloat), "atan2(0, 1)", "0"),
		def("rand() | rand(seed)", "A random number, 0 <= x < 1. Without a seed it differs after a replay; with one it is the first number of MySQL's sequence for that seed, row by row: rand(id) is reproducible.", bindRand,
			"round(rand(3), 9)", "0.905769756", "rand() < 1", "1").alias("random").volatile(),
		def("conv(s, from, to)", "A number's digits in another base, 2..36. What follows the digits does not count; negative numbers are taken modulo 2 to the 64.", fixed(tText, rowText(convert), tText, tInt, tInt), "conv('ff', 16, 10)", "255", "conv(10, 10, 2)", "1010", "conv(-1, 10, 16)", "FFFFFFFFFFFFFFFF", "conv('7x', 10, 2)", "111"),
		def("bit_count(x)", "How many bits are set.", fixed(tInt, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			return int64(bits.OnesCount64(uint64(a[0].I64[i]))), true
		}), tInt), "bit_count(7)", "3"),
		def("crc32(s)", "The CRC-32 checksum of a text.", fixed(types.Of(types.Uint32), rowInt(func(a []*vector.Vector, i int) (int64, bool) { return int64(crc32.ChecksumIEEE(a[0].Bytes(i))), true }), tBytes), "crc32('MySQL')", "3259397556"),
		def("width_bucket(x, low, high, n)", "In which of n equal parts of low..high x lies, from 1; 0 below, n+1 above.", fixed(tInt, rowInt(widthBucket), tFloat, tFloat, tFloat, tInt), "width_bucket(5, 0, 10, 5)", "3"),
	}
	all = append(append(all, realFuncs()...), integerFuncs()...)
	for _, f := range all {
		if f.Name != "greatest" && f.Name != "least" && f.Name != "conv" && f.Name != "crc32" {
			f.TextLiterals = types.Float64
		}
	}
	return family("math", all...)
}

// math1 defines a function of one DOUBLE; results that are no finite number are NULL.
func math1(signature, doc string, f func(float64) float64, examples ...string) *Func {
	kernel := rowFloat(func(args []*vector.Vector, i int) float64 { return f(args[0].F64[i]) })
	return def(signature, doc, fixed(tFloat, kernel, tFloat), examples...)
}

func logarithm(args []*vector.Vector, i int) float64 {
	if len(args) == 1 {
		return math.Log(args[0].F64[i])
	}
	switch args[0].F64[i] {
	case 2:
		return math.Log2(args[1].F64[i])
	case 10:
		return math.Log10(args[1].F64[i])
	}
	if base := args[0].F64[i]; base <= 0 {
		return math.NaN()
	}
	return math.Log(args[1].F64[i]) / math.Log(args[0].F64[i])
}

func bindRand(args []Arg) (Bound, error) {
	if len(args) > 0 {
		return fixed(tFloat, rowFloat(seededRand), tInt)(args)
	}
	return fixed(tFloat, kernelRand)(args)
}

func kernelRand(_ *Ctx, _ []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range n {
		out.F64[i] = rand.Float64()
	}
}

func widthBucket(a []*vector.Vector, i int) (int64, bool) {
	x, low, high, n := a[0].F64[i], a[1].F64[i], a[2].F64[i], a[3].I64[i]
	switch {
	case !(low < high) || n <= 0:
		return 0, false
	case x < low:
		return 0, true
	case x >= high:
		return n + 1, true
	}
	return int64((x-low)/(high-low)*float64(n)) + 1, true
}

func convert(dst []byte, args []*vector.Vector, i int) ([]byte, bool) {
	from, to := args[1].I64[i], args[2].I64[i]
	if from < 2 || from > 36 || to < 2 || to > 36 {
		return dst, false
	}
	if len(args[0].Bytes(i)) == 0 {
		return dst, false
	}
	x := leadingDigits(args[0].Bytes(i), uint64(from))
	return append(dst, strings.ToUpper(strconv.FormatUint(x, int(to)))...), true
}

// leadingDigits reads the number at the beginning of s as MySQL's CONV does: blanks, a sign, digits of the base; 0 when there are none,
// the largest number when there are too many.
func leadingDigits(s []byte, base uint64) uint64 {
	s = trimSpace(s)
	negative := len(s) > 0 && s[0] == '-'
	if negative || len(s) > 0 && s[0] == '+' {
		s = s[1:]
	}
	x := uint64(0)
	for _, c := range s {
		digit := base // of what is no digit
		switch {
		case c >= '0' && c <= '9':
			digit = uint64(c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			digit = uint64(c|0x20-'a') + 10
		}
		if digit >= base {
			break
		}
		high, low := bits.Mul64(x, base)
		sum, carry := bits.Add64(low, digit, 0)
		if high != 0 || carry != 0 {
			return math.MaxUint64
		}
		x = sum
	}
	if negative {
		return -x
	}
	return x
}

func bindAbs(args []Arg) (Bound, error) {
	t, err := numericArg(args)
	switch {
	case err != nil:
		return Bound{}, err
	case t.Kind.IsFloat():
		return strict(tFloat, rowFloat(func(a []*vector.Vector, i int) float64 { return math.Abs(a[0].F64[i]) }), tFloat), nil
	case t.Class() == types.ClassI256:
		return strict(t, wideUnary(types.Int256.Abs), t), nil
	case t.Kind == types.Decimal:
		return strict(t, func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
			out.Resize(n)
			for i := range n {
				out.I128[i] = a[0].I128[i].Abs()
			}
		}, t), nil
	case t.Kind == types.Uint64:
		return strict(t, copyKernel, t), nil
	}
	return strict(tInt, func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i, x := range a[0].I64[:n] {
			out.I64[i] = max(x, -x)
			if x == math.MinInt64 {
				overflow(ctx, i, "abs(%d)", x)
			}
		}
	}, tInt), nil
}

// bindRounding binds CEIL (1) and FLOOR (-1): integers stay, DECIMALs lose their decimals.
func bindRounding(direction int64) binder {
	return func(args []Arg) (Bound, error) {
		t, err := numericArg(args)
		switch {
		case err != nil:
			return Bound{}, err
		case t.Kind.IsFloat():
			f := math.Ceil
			if direction < 0 {
				f = math.Floor
			}
			return strict(tFloat, rowFloat(func(a []*vector.Vector, i int) float64 { return f(a[0].F64[i]) }), tFloat), nil
		case t.Kind != types.Decimal:
			return strict(t, copyKernel, t), nil
		case t.Class() == types.ClassI256:
			return wideRounding(t, direction), nil
		}
		return strict(types.DecimalOf(t.Precision-t.Scale+1, 0), func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
			out.Resize(n)
			for i := range n {
				q, r, _ := a[0].I128[i].DivRem(types.Pow10[t.Scale])
				if !r.IsZero() && r.IsNeg() == (direction < 0) {
					q, _ = q.Add(types.I128(direction))
				}
				out.I128[i] = q
			}
		}, t), nil
	}
}

// bindRound binds ROUND and TRUNCATE. The number of decimals must be constant unless x is a float.
func bindRound(cut bool) binder {
	return func(args []Arg) (Bound, error) {
		if len(args) < 1 || len(args) > 2 {
			return Bound{}, arityError(1, 2, len(args))
		}
		t, err := numericArg(args[:1])
		if err != nil {
			return Bound{}, err
		}
		digits, constant := int64(0), true
		if len(args) == 2 {
			digits, constant = constInt(args[1])
			digits = min(max(digits, -400), 400) // beyond the digits of every type
		}
		want := []types.Type{t, tInt}[:len(args)]
		if t.Kind.IsFloat() || !constant {
			want[0] = tFloat
			return Bound{Ret: tFloat, ArgTypes: want, Strict: true, Kernel: rowFloat(func(a []*vector.Vector, i int) float64 {
				d := int64(0)
				if len(a) == 2 {
					d = a[1].I64[i]
				}
				return roundFloat(a[0].F64[i], d, cut)
			})}, nil
		}
		if t.Kind == types.Uint64 {
			return Bound{Ret: t, ArgTypes: want, Strict: true, Kernel: roundUintKernel(digits, cut)}, nil
		}
		if t.Kind != types.Decimal {
			want[0] = tInt
			return Bound{Ret: tInt, ArgTypes: want, Strict: true, Kernel: roundIntKernel(digits, cut)}, nil
		}
		scale := int(min(max(digits, 0), int64(t.Scale)))
		if t.Class() == types.ClassI256 {
			return wideRound(want, int(digits), cut), nil
		}
		return Bound{Ret: types.DecimalOf(t.Precision-t.Scale+scale+1, scale), ArgTypes: want, Strict: true, Kernel: roundDecimalKernel(t.Scale, scale, digits, cut)}, nil
	}
}

func roundFloat(x float64, digits int64, cut bool) float64 {
	if digits > 300 || x-x != 0 {
		return x
	}
	factor := math.Pow(10, float64(digits))
	if up := x * factor; up-up == 0 {
		if cut {
			return math.Trunc(up) / factor
		}
		return math.Round(up) / factor
	}
	return x
}

// roundTo rounds or cuts to a multiple of 10^drop, in units of that.
func roundTo(x types.Int128, drop int, cut bool) types.Int128 {
	if drop > types.NarrowPrecision {
		return types.Int128{}
	}
	if cut {
		q, _, _ := x.DivRem(types.Pow10[drop])
		return q
	}
	q, _ := types.DivRound(x, types.Pow10[drop])
	return q
}

// roundUintKernel rounds BIGINT UNSIGNED before the point.
func roundUintKernel(digits int64, cut bool) Kernel {
	if digits >= 0 {
		return copyKernel
	}
	return func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			r := types.Int128{}
			if digits >= -types.MaxDecimalScale {
				r, _ = roundTo(types.U128(uint64(a[0].I64[i])), int(-digits), cut).Mul(types.Pow10[-digits])
			}
			if out.I64[i] = int64(r.Lo); r.Hi != 0 && !a[0].IsNull(i) {
				overflow(ctx, i, "round(%d, %d)", uint64(a[0].I64[i]), digits)
			}
		}
	}
}

func roundIntKernel(digits int64, cut bool) Kernel {
	if digits >= 0 {
		return copyKernel
	}
	drop := int(min(-digits, 20))
	return func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			r, _ := roundTo(types.I128(a[0].I64[i]), drop, cut).Mul(types.Pow10[drop])
			x, ok := r.Int64()
			out.I64[i] = x
			if !ok {
				overflow(ctx, i, "round(%d)", a[0].I64[i])
			}
		}
	}
}

func roundDecimalKernel(from, to int, digits int64, cut bool) Kernel {
	return func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			if digits >= 0 {
				out.I128[i] = roundTo(a[0].I128[i], from-to, cut)
				continue
			}
			up := int(min(-digits, 39))
			r, ok := types.Int128{}, true
			if up <= types.NarrowPrecision {
				r, ok = roundTo(a[0].I128[i], from+up, cut).Mul(types.Pow10[up])
			}
			out.I128[i] = r
			if !ok {
				decimalOverflow(ctx, a[:1], i)
			}
		}
	}
}

// bindPick binds GREATEST (1) and LEAST (-1).
func bindPick(wanted int) binder {
	return func(args []Arg) (Bound, error) {
		if len(args) < 2 {
			return Bound{}, countError("2 arguments or more", len(args))
		}
		t, want, err := commonArgs(args)
		if err != nil {
			return Bound{}, err
		}
		for _, a := range args {
			if isNumber(a.Type) && !isNumber(t) {
				return Bound{}, diag.New(diag.TypeMismatch, -1, "cannot compare %s with text", a.Type).WithHint("CAST the text to a number")
			}
		}
		kernel := func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
			for i := range n {
				best := a[0]
				for _, x := range a[1:] {
					if Compare(x, i, best, i) == wanted {
						best = x
					}
				}
				out.AppendFrom(best, i)
			}
		}
		return Bound{Ret: t, ArgTypes: want, Strict: true, Kernel: kernel}, nil
	}
}
