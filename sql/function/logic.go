package function

import (
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

func bindNot(args []Arg) (Bound, error) {
	want, err := match(args, 1, []types.Type{tBool})
	return Bound{Ret: tBool, ArgTypes: want, Strict: true, Kernel: kernelNot}, err
}

func kernelNot(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i, x := range args[0].I64[:n] {
		out.I64[i] = x ^ 1
	}
}

// bindLogic binds AND and OR for callers that do not build lazy nodes.
func bindLogic(or bool) binder {
	decided := boolInt(or)
	kernel := rowInt(func(args []*vector.Vector, i int) (int64, bool) {
		known := true
		for _, a := range args {
			if a.IsNull(i) {
				known = false
			} else if a.I64[i] == decided {
				return decided, true
			}
		}
		return 1 - decided, known
	})
	return nullable(variadic(tBool, kernel, 2, tBool))
}

func bindXor(args []Arg) (Bound, error) {
	want, err := match(args, 2, []types.Type{tBool, tBool})
	return Bound{Ret: tBool, ArgTypes: want, Strict: true, Kernel: kernelXor}, err
}

func kernelXor(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range n {
		out.I64[i] = args[0].I64[i] ^ args[1].I64[i]
	}
}

func bindIsNull(not bool) binder {
	flip := boolInt(not)
	kernel := func(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		x := args[0]
		for i := range n {
			out.I64[i] = boolInt(x.IsNull(i)) ^ flip
		}
	}
	return func(args []Arg) (Bound, error) {
		if err := arity(args, 1); err != nil {
			return Bound{}, err
		}
		return Bound{Ret: tBool, ArgTypes: []types.Type{args[0].Type}, Kernel: kernel}, nil
	}
}

func bindIsTruth(value, not bool) binder {
	wanted, flip := boolInt(value), boolInt(not)
	kernel := func(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i, x := range args[0].I64[:n] {
			out.I64[i] = boolInt(x == wanted && !args[0].IsNull(i)) ^ flip
		}
	}
	return nullable(fixed(tBool, kernel, tBool))
}

// bindBitwise binds operators on the bits of integers, signed or not.
func bindBitwise(kernel Kernel, n int) binder {
	return func(args []Arg) (Bound, error) {
		want := make([]types.Type, n)
		for i := range want {
			want[i] = tInt
			if i < len(args) && args[i].Type.Kind == types.Uint64 {
				want[i] = tUint
			}
		}
		argTypes, err := match(args, n, want)
		return Bound{Ret: tUint, ArgTypes: argTypes, Strict: true, Kernel: kernel}, err
	}
}

func kernelBitAnd(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range n {
		out.I64[i] = args[0].I64[i] & args[1].I64[i]
	}
}

func kernelBitOr(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range n {
		out.I64[i] = args[0].I64[i] | args[1].I64[i]
	}
}

func kernelBitXor(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range n {
		out.I64[i] = args[0].I64[i] ^ args[1].I64[i]
	}
}

func kernelBitNot(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range n {
		out.I64[i] = ^args[0].I64[i]
	}
}

func kernelShiftLeft(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range n {
		out.I64[i] = int64(uint64(args[0].I64[i]) << uint64(args[1].I64[i]))
	}
}

func kernelShiftRight(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i := range n {
		out.I64[i] = int64(uint64(args[0].I64[i]) >> uint64(args[1].I64[i]))
	}
}
