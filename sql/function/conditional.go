package function

import (
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// conditionalFuncs is the table of conditional functions. Expressions turn them into lazy nodes; the kernels here are for callers
// that have all arguments anyway.
func conditionalFuncs() []*Func {
	return family("conditional",
		def("if(cond, a, b)", "a when cond is TRUE, else b; only the one that is taken is evaluated.", bindIf, "if(1 < 2, 'yes', 'no')", "yes", "if(NULL, 1, 2)", "2").alias("iff"),
		def("ifnull(a, b)", "a unless it is NULL, else b.", bindCoalesce(2, 2), "ifnull(NULL, 5)", "5").alias("nvl"),
		def("coalesce(a, b, ..)", "The first argument that is not NULL.", bindCoalesce(1, 1<<16), "coalesce(NULL, NULL, 3)", "3", "coalesce(1, 2.5)", "1.0"),
		def("nullif(a, b)", "NULL when a = b, else a.", bindNullIf, "nullif(1, 1)", "NULL", "nullif(1, 2)", "1", "nullif(1, NULL)", "1"),
		def("case(cond, a, .. [, else])", "CASE WHEN cond THEN a .. ELSE else END: the result of the first condition that is TRUE.", bindCase, "CASE WHEN 1 > 2 THEN 'a' ELSE 'b' END", "b", "CASE WHEN NULL THEN 1 END", "NULL"),
		def("nvl2(x, a, b)", "a when x is not NULL, else b.", bindNvl2, "nvl2(NULL, 'set', 'unset')", "unset"),
		def("decode(x, a, result, .. [, else])", "The result behind the first value that equals x, NULL being equal to NULL; else, or NULL, when there is none.", bindDecode, "decode(2, 1, 'one', 2, 'two', 'many')", "two", "decode(NULL, 1, 'one', NULL, 'none')", "none", "decode(3, 1, 'one')", "NULL"),
		def("nullifzero(x)", "NULL when x is zero, else x.", bindZero(true), "nullifzero(0)", "NULL", "nullifzero(7)", "7", "nullifzero(NULL)", "NULL"),
		def("zeroifnull(x)", "0 when x is NULL, else x.", bindZero(false), "zeroifnull(NULL)", "0", "zeroifnull(1.5)", "1.5"),
	)
}

// bindCase binds condition, result, .. [else].
func bindCase(args []Arg) (Bound, error) {
	if len(args) < 2 {
		return Bound{}, countError("a condition and a result", len(args))
	}
	var results []Arg
	for i, a := range args {
		if i%2 == 1 || i == len(args)-1 {
			results = append(results, a)
		}
	}
	t, _, err := commonArgs(results)
	want := make([]types.Type, len(args))
	for i := range want {
		want[i] = t
		if i%2 == 0 && i < len(args)-1 {
			want[i] = tBool
		}
	}
	return Bound{Ret: t, ArgTypes: want, Kernel: kernelCase}, err
}

func kernelCase(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	for i := range n {
		k := 0
		for k+1 < len(a) && (a[k].IsNull(i) || a[k].I64[i] == 0) {
			k += 2
		}
		appendBranch(out, a, k, i)
	}
}

// appendBranch appends the result behind condition k of conditions and results in turn, or else what stands last alone, or else NULL.
func appendBranch(out *vector.Vector, a []*vector.Vector, k, i int) {
	switch {
	case k+1 < len(a):
		out.AppendFrom(a[k+1], i)
	case k < len(a):
		out.AppendFrom(a[k], i)
	default:
		out.AppendNull()
	}
}

func bindIf(args []Arg) (Bound, error) {
	if err := arity(args, 3); err != nil {
		return Bound{}, err
	}
	return bindCase(args)
}

func bindCoalesce(least, most int) binder {
	return func(args []Arg) (Bound, error) {
		if len(args) < least || len(args) > most {
			return Bound{}, arityError(least, most, len(args))
		}
		t, want, err := commonArgs(args)
		return Bound{Ret: t, ArgTypes: want, Kernel: func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
			for i := range n {
				k := 0
				for k < len(a)-1 && a[k].IsNull(i) {
					k++
				}
				out.AppendFrom(a[k], i)
			}
		}}, err
	}
}

func bindNullIf(args []Arg) (Bound, error) {
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	t, want, err := commonArgs(args)
	return Bound{Ret: t, ArgTypes: want, Kernel: func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		for i := range n {
			if a[0].IsNull(i) || !a[1].IsNull(i) && Compare(a[0], i, a[1], i) == 0 {
				out.AppendNull()
			} else {
				out.AppendFrom(a[0], i)
			}
		}
	}}, err
}

// bindNvl2 binds x, a, b.
func bindNvl2(args []Arg) (Bound, error) {
	if err := arity(args, 3); err != nil {
		return Bound{}, err
	}
	t, want, err := commonArgs(args[1:])
	return Bound{Ret: t, ArgTypes: append([]types.Type{args[0].Type}, want...), Kernel: func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		for i := range n {
			out.AppendFrom(a[1+boolInt(a[0].IsNull(i))], i)
		}
	}}, err
}

// bindDecode binds x, value, result, .. [else].
func bindDecode(args []Arg) (Bound, error) {
	if len(args) < 3 {
		return Bound{}, countError("a value, then values and results", len(args))
	}
	values, results := []Arg{args[0]}, []Arg{}
	for k := 1; k < len(args); k++ {
		if k%2 == 1 && k < len(args)-1 {
			values = append(values, args[k])
		} else {
			results = append(results, args[k])
		}
	}
	x, _, err := commonArgs(values)
	if err != nil {
		return Bound{}, err
	}
	t, _, err := commonArgs(results)
	want := make([]types.Type, len(args))
	for k := range want {
		if want[k] = t; k == 0 || k%2 == 1 && k < len(args)-1 {
			want[k] = x
		}
	}
	return Bound{Ret: t, ArgTypes: want, Kernel: func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		for i := range n {
			k := 1
			for ; k+1 < len(a); k += 2 {
				if a[0].IsNull(i) == a[k].IsNull(i) && (a[0].IsNull(i) || Compare(a[0], i, a[k], i) == 0) {
					break
				}
			}
			appendBranch(out, a, k, i)
		}
	}}, err
}

// bindZero binds NULLIFZERO (toNull) and ZEROIFNULL.
func bindZero(toNull bool) binder {
	return func(args []Arg) (Bound, error) {
		t, err := numericArg(args)
		if err != nil {
			return Bound{}, err
		}
		zero := vector.New(t, 1)
		zero.Resize(1)
		return Bound{Ret: t, ArgTypes: []types.Type{t}, Kernel: func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
			for i := range n {
				switch {
				case toNull && !a[0].IsNull(i) && Compare(a[0], i, zero, 0) == 0:
					out.AppendNull()
				case !toNull && a[0].IsNull(i):
					out.AppendFrom(zero, 0)
				default:
					out.AppendFrom(a[0], i)
				}
			}
		}}, nil
	}
}
