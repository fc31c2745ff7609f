package function

import (
	"fmt"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// maxMadeElements bounds the elements that SEQUENCE and ARRAY_REPEAT make of one row; more are a row error.
const maxMadeElements = 1 << 20

// appendElements copies the elements from..to of a list's only child.
func appendElements(out, list *vector.Vector, from, to int) {
	for j := from; j < to; j++ {
		out.Child[0].AppendFrom(list.Child[0], j)
	}
}

func kernelArrayConcat(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	for i := range n {
		for _, v := range a {
			appendElements(out, v, int(v.Off[i]), int(v.Off[i+1]))
		}
		out.EndList()
	}
}

// kernelArrayPush is ARRAY_APPEND (last true) and ARRAY_PREPEND. A NULL element is an element.
func kernelArrayPush(last bool) Kernel {
	return func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		for i := range n {
			if a[0].IsNull(i) {
				out.AppendNull()
				continue
			}
			if !last {
				out.Child[0].AppendFrom(a[1], i)
			}
			appendElements(out, a[0], int(a[0].Off[i]), int(a[0].Off[i+1]))
			if last {
				out.Child[0].AppendFrom(a[1], i)
			}
			out.EndList()
		}
	}
}

func kernelArrayRemove(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	for i := range n {
		for j := int(a[0].Off[i]); j < int(a[0].Off[i+1]); j++ {
			if Compare(a[0].Child[0], j, a[1], i) != 0 {
				out.Child[0].AppendFrom(a[0].Child[0], j)
			}
		}
		out.EndList()
	}
}

func kernelArrayCompact(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	for i := range n {
		for j := int(a[0].Off[i]); j < int(a[0].Off[i+1]); j++ {
			if !a[0].Child[0].IsNull(j) {
				out.Child[0].AppendFrom(a[0].Child[0], j)
			}
		}
		out.EndList()
	}
}

func kernelArrayPositions(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	for i := range n {
		for j := int(a[0].Off[i]); j < int(a[0].Off[i+1]); j++ {
			if Compare(a[0].Child[0], j, a[1], i) == 0 {
				out.Child[0].AppendI64(int64(j) - int64(a[0].Off[i]) + 1)
			}
		}
		out.EndList()
	}
}

func kernelArrayReverse(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	for i := range n {
		for j := int(a[0].Off[i+1]) - 1; j >= int(a[0].Off[i]); j-- {
			out.Child[0].AppendFrom(a[0].Child[0], j)
		}
		out.EndList()
	}
}

// bindOrArray makes a function of texts one of ARRAYs when its first argument is one.
func bindOrArray(text, array binder) binder {
	return func(args []Arg) (Bound, error) {
		if len(args) > 0 && args[0].Type.Kind == types.Array {
			return array(args)
		}
		return text(args)
	}
}

// bindSlice binds SLICE(x, start, length): from 1, negative from the end.
func bindSlice(args []Arg) (Bound, error) {
	if err := arity(args, 3); err != nil {
		return Bound{}, err
	}
	if err := arrayArg(args, 0); err != nil {
		return Bound{}, err
	}
	if _, err := match(args[1:], 2, []types.Type{tInt, tInt}); err != nil {
		return Bound{}, fmt.Errorf("start and length must be numbers, not %s and %s", args[1].Type, args[2].Type)
	}
	t := arrayOf(args[0].Type)
	return strict(t, kernelSlice, t, tInt, tInt), nil
}

func kernelSlice(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	for i := range n {
		size, start, length := int64(listLen(a[0], i)), a[1].I64[i], a[2].I64[i]
		switch {
		case start == 0:
			ctx.Fail(i, diag.New(diag.InvalidArgument, -1, "SLICE starts at 1 or, from the end, at -1, not at 0"))
		case length < 0:
			ctx.Fail(i, diag.New(diag.InvalidArgument, -1, "the length of a SLICE is negative: %d", length))
		case start < 0:
			start += size + 1
		}
		if start >= 1 && length > 0 && start <= size {
			from := int(a[0].Off[i]) + int(start) - 1
			appendElements(out, a[0], from, from+int(min(length, size-start+1)))
		}
		out.EndList()
	}
}

// bindTrimArray binds TRIM_ARRAY(x, n): without the last n.
func bindTrimArray(args []Arg) (Bound, error) {
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	if err := arrayArg(args, 0); err != nil {
		return Bound{}, err
	}
	if !accepts(tInt, args[1].Type) {
		return Bound{}, fmt.Errorf("argument 2 must be a number, not %s", args[1].Type)
	}
	t := arrayOf(args[0].Type)
	return strict(t, func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		for i := range n {
			size, drop := int64(listLen(a[0], i)), a[1].I64[i]
			if drop < 0 || drop > size {
				ctx.Fail(i, diag.New(diag.InvalidArgument, -1, "cannot take %d elements from an ARRAY of %d", drop, size))
				drop = 0
			}
			appendElements(out, a[0], int(a[0].Off[i]), int(a[0].Off[i+1])-int(drop))
			out.EndList()
		}
	}, t, tInt), nil
}

func bindFlatten(args []Arg) (Bound, error) {
	if err := arity(args, 1); err != nil {
		return Bound{}, err
	}
	t := args[0].Type
	if t.Kind != types.Array || t.Elem.Kind != types.Array {
		return Bound{}, fmt.Errorf("argument 1 must be an ARRAY of ARRAYs, not %s", t)
	}
	return strict(*t.Elem, func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		inner := a[0].Child[0]
		for i := range n {
			for j := int(a[0].Off[i]); j < int(a[0].Off[i+1]); j++ {
				if !inner.IsNull(j) {
					appendElements(out, inner, int(inner.Off[j]), int(inner.Off[j+1]))
				}
			}
			out.EndList()
		}
	}, t), nil
}

// bindArrayRepeat binds ARRAY_REPEAT(x, n): the value may be NULL.
func bindArrayRepeat(args []Arg) (Bound, error) {
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	if !accepts(tInt, args[1].Type) {
		return Bound{}, fmt.Errorf("argument 2 must be a number, not %s", args[1].Type)
	}
	t := args[0].Type
	return Bound{Ret: types.ArrayOf(t), ArgTypes: []types.Type{t, tInt}, Kernel: func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		for i := range n {
			if a[1].IsNull(i) {
				out.AppendNull()
				continue
			}
			times := a[1].I64[i]
			if times > maxMadeElements {
				ctx.Fail(i, tooManyElements(times))
				times = 0
			}
			for range times {
				out.Child[0].AppendFrom(a[0], i)
			}
			out.EndList()
		}
	}}, nil
}

func tooManyElements(n int64) *diag.Error {
	return diag.New(diag.InvalidArgument, -1, "an ARRAY of %d elements is larger than %d", n, maxMadeElements)
}

// bindArraysZip binds ARRAYS_ZIP: STRUCTs of the elements side by side, the shorter ARRAYs filled with NULL.
func bindArraysZip(args []Arg) (Bound, error) {
	if len(args) == 0 {
		return Bound{}, countError("1 ARRAY or more", 0)
	}
	fields, want := make([]types.Field, len(args)), make([]types.Type, len(args))
	for i := range args {
		if err := arrayArg(args, i); err != nil {
			return Bound{}, err
		}
		want[i] = arrayOf(args[i].Type)
		fields[i] = types.Field{Name: fmt.Sprintf("f%d", i+1), Type: *want[i].Elem}
	}
	return strict(types.ArrayOf(types.StructOf(fields...)), kernelArraysZip, want...), nil
}

func kernelArraysZip(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	made := out.Child[0]
	for i := range n {
		size := 0
		for _, v := range a {
			size = max(size, listLen(v, i))
		}
		for k := range size {
			for f, v := range a {
				if k < listLen(v, i) {
					made.Child[f].AppendFrom(v.Child[0], int(v.Off[i])+k)
				} else {
					made.Child[f].AppendNull()
				}
			}
			made.EndStruct()
		}
		out.EndList()
	}
}
