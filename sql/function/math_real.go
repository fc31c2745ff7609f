package function

import (
	"math"

	"github.com/millrace/millrace/sql/vector"
)

// realFuncs is the part of the numeric table that computes with DOUBLEs.
func realFuncs() []*Func {
	return []*Func{
		math1("cbrt(x)", "The cube root.", math.Cbrt, "cbrt(27)", "3"),
		math1("square(x)", "x times x, as a DOUBLE.", func(x float64) float64 { return x * x }, "square(1.5)", "2.25"),
		math1("expm1(x)", "e to the power of x, minus 1; exact for small x.", math.Expm1, "expm1(0)", "0"),
		math1("log1p(x)", "The natural logarithm of 1 + x, exact for small x; NULL unless x > -1.", math.Log1p, "log1p(0)", "0", "log1p(-2)", "NULL"),
		math1("sinh(x)", "The hyperbolic sine.", math.Sinh, "sinh(0)", "0"),
		math1("cosh(x)", "The hyperbolic cosine.", math.Cosh, "cosh(0)", "1"),
		math1("tanh(x)", "The hyperbolic tangent.", math.Tanh, "tanh(0)", "0"),
		math1("asinh(x)", "The inverse hyperbolic sine.", math.Asinh, "asinh(0)", "0"),
		math1("acosh(x)", "The inverse hyperbolic cosine; NULL below 1.", math.Acosh, "acosh(1)", "0", "acosh(0)", "NULL"),
		math1("atanh(x)", "The inverse hyperbolic tangent; NULL unless -1 < x < 1.", math.Atanh, "atanh(0)", "0", "atanh(1)", "NULL"),
		math1("sec(x)", "The secant, 1 / cos(x).", func(x float64) float64 { return 1 / math.Cos(x) }, "sec(0)", "1"),
		math1("csc(x)", "The cosecant, 1 / sin(x); NULL at 0.", func(x float64) float64 { return 1 / math.Sin(x) }, "csc(pi() / 2)", "1", "csc(0)", "NULL"),
		math1("sigmoid(x)", "The logistic function 1 / (1 + exp(-x)).", func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, "sigmoid(0)", "0.5"),
		math2("hypot(x, y)", "The length of the vector (x, y).", math.Hypot, "hypot(3, 4)", "5"),
		math2("safe_divide(a, b)", "a / b as a DOUBLE; NULL when b is zero.", func(a, b float64) float64 { return a / b }, "safe_divide(1, 4)", "0.25", "safe_divide(1, 0)", "NULL").alias("try_divide"),
		math2("relative_change(old, new)", "(new - old) / old; NULL when old is zero.", func(a, b float64) float64 { return (b - a) / a }, "relative_change(80, 100)", "0.25", "relative_change(0, 1)", "NULL"),
		def("e()", "Euler's number.", fixed(tFloat, rowFloat(func([]*vector.Vector, int) float64 { return math.E })), "e()", "2.718281828459045"),
		def("isnan(x)", "Whether x is not a number. Arithmetic gives NULL instead; NaN comes from sources only.", fixed(tBool, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			return boolInt(math.IsNaN(a[0].F64[i])), true
		}), tFloat), "isnan(1.5)", "0", "isnan(NULL)", "NULL").alias("is_nan"),
		def("isinf(x)", "Whether x is infinite. Arithmetic gives NULL instead; infinities come from sources only.", fixed(tBool, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			return boolInt(math.IsInf(a[0].F64[i], 0)), true
		}), tFloat), "isinf(1.5)", "0").alias("is_inf"),
		def("isfinite(x)", "Whether x is a finite number.", fixed(tBool, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			return boolInt(a[0].F64[i]-a[0].F64[i] == 0), true
		}), tFloat), "isfinite(1.5)", "1").alias("is_finite"),
		def("nanvl(x, y)", "x unless it is not a number, else y.", fixed(tFloat, rowFloat(func(a []*vector.Vector, i int) float64 {
			if x := a[0].F64[i]; !math.IsNaN(x) {
				return x
			}
			return a[1].F64[i]
		}), tFloat, tFloat), "nanvl(1.5, 0)", "1.5"),
		def("round_half_even(x) | round_half_even(x, d)", "x as DOUBLE rounded to d decimals (0 unless given), halves to the even neighbour.", optional(tFloat, rowFloat(roundHalfEven), 1, tFloat, tInt),
			"round_half_even(2.5)", "2", "round_half_even(0.125, 2)", "0.12").alias("bround"),
		def("round_to(x, step)", "The multiple of step that is nearest to x, as a DOUBLE; NULL when step is zero.", fixed(tFloat, rowFloat(func(a []*vector.Vector, i int) float64 {
			return math.Round(a[0].F64[i]/a[1].F64[i]) * a[1].F64[i]
		}), tFloat, tFloat), "round_to(7.3, 0.5)", "7.5", "round_to(1, 0)", "NULL"),
		def("lerp(a, b, t)", "The point between a (t = 0) and b (t = 1).", fixed(tFloat, rowFloat(func(a []*vector.Vector, i int) float64 {
			return a[0].F64[i] + (a[1].F64[i]-a[0].F64[i])*a[2].F64[i]
		}), tFloat, tFloat, tFloat), "lerp(10, 20, 0.25)", "12.5"),
		def("clamp(x, low, high)", "x, or the bound it lies beyond.", bindClamp, "clamp(15, 0, 10)", "10", "clamp(-1.5, 0, 10)", "0.0", "clamp(NULL, 0, 1)", "NULL"),
	}
}

// math2 is math1 for functions of two DOUBLEs.
func math2(signature, doc string, f func(a, b float64) float64, examples ...string) *Func {
	kernel := rowFloat(func(a []*vector.Vector, i int) float64 { return f(a[0].F64[i], a[1].F64[i]) })
	return def(signature, doc, fixed(tFloat, kernel, tFloat, tFloat), examples...)
}

func roundHalfEven(a []*vector.Vector, i int) float64 {
	digits := int64(0)
	if len(a) == 2 {
		digits = min(max(a[1].I64[i], -300), 300)
	}
	factor := math.Pow(10, float64(digits))
	if up := a[0].F64[i] * factor; up-up == 0 && factor != 0 {
		return math.RoundToEven(up) / factor
	}
	return a[0].F64[i]
}

func bindClamp(args []Arg) (Bound, error) {
	if err := arity(args, 3); err != nil {
		return Bound{}, err
	}
	t, want, err := commonArgs(args)
	if err != nil {
		return Bound{}, err
	}
	kernel := func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		for i := range n {
			pick := a[0]
			if Compare(a[0], i, a[1], i) < 0 {
				pick = a[1]
			} else if Compare(a[0], i, a[2], i) > 0 {
				pick = a[2]
			}
			out.AppendFrom(pick, i)
		}
	}
	return Bound{Ret: t, ArgTypes: want, Strict: true, Kernel: kernel}, nil
}
