package function

import (
	"fmt"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// arrayFuncs is the table of functions of ARRAY, MAP and STRUCT.
func arrayFuncs() []*Func {
	return family("array",
		def("array(a, b, ..)", "An ARRAY of the arguments: ARRAY[a, b, ..].", bindArray, "array(1, 2.5)", "[1.0, 2.5]"),
		def("map(key, value, ..)", "A MAP.", bindMap, "map('a', 1)", `{"a": 1}`),
		def("row(a, b, ..)", "A STRUCT with fields f1, f2, ..", bindRow, "row(1, 'x')", `{"f1": 1, "f2": "x"}`).alias("struct"),
		def("cardinality(x)", "How many elements an ARRAY or MAP has.", bindCardinality, "cardinality(array(1, 2))", "2").alias("array_length"),
		named("[]", "x[i] | element_at(x, i)", "The i-th element of an ARRAY, from 1 (negative: from the end), or the value of a MAP's key; NULL when there is none.", bindElement,
			"element_at(array('a', 'b'), 2)", "b", "element_at(map('k', 5), 'k')", "5", "element_at(array(1), 3)", "NULL").alias("element_at", "subscript"),
		def("array_contains(x, v)", "Whether an ARRAY has an element equal to v.", bindArraySearch(tBool, func(at int64) int64 { return boolInt(at > 0) }), "array_contains(array(1, 2), 2)", "1"),
		def("array_position(x, v)", "Where v first occurs in an ARRAY, from 1; 0 when it does not.", bindArraySearch(tInt, func(at int64) int64 { return at }), "array_position(array('a', 'b'), 'b')", "2"),
		def("array_join(x, sep) | array_join(x, sep, null)", "The elements as text, joined; NULLs are left out or written as the third argument.", bindArrayJoin, "array_join(array(1, NULL, 2), '-')", "1-2", "array_join(array('a', NULL), ',', '?')", "a,?"),
		def("array_concat(x, y)", "Two ARRAYs joined.", bindArrayConcat, "array_concat(array(1), array(2))", "[1, 2]"),
		def("map_keys(m)", "The keys of a MAP.", bindMapPart(0), "map_keys(map('a', 1))", `["a"]`),
		def("map_values(m)", "The values of a MAP.", bindMapPart(1), "map_values(map('a', 1))", "[1]"),
		def("split(s, sep)", "The parts of a text as ARRAY.", fixed(types.ArrayOf(tText), kernelSplit, tText, tText), "split('a,b', ',')", `["a", "b"]`),
	)
}

func bindArray(args []Arg) (Bound, error) {
	t, want, err := commonArgs(args)
	return Bound{Ret: types.ArrayOf(t), ArgTypes: want, Kernel: func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		for i := range n {
			for _, v := range a {
				out.Child[0].AppendFrom(v, i)
			}
			out.EndList()
		}
	}}, err
}

func bindMap(args []Arg) (Bound, error) {
	if len(args) == 0 || len(args)%2 != 0 {
		return Bound{}, countError("pairs of keys and values", len(args))
	}
	var keys, values []Arg
	for i := 0; i < len(args); i += 2 {
		keys, values = append(keys, args[i]), append(values, args[i+1])
	}
	key, _, err := commonArgs(keys)
	if err != nil {
		return Bound{}, err
	}
	value, _, err := commonArgs(values)
	var want []types.Type
	for range keys {
		want = append(want, key, value)
	}
	return Bound{Ret: types.MapOf(key, value), ArgTypes: want, Kernel: func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		for i := range n {
			for k := 0; k < len(a); k += 2 {
				out.Child[0].AppendFrom(a[k], i)
				out.Child[1].AppendFrom(a[k+1], i)
			}
			out.EndList()
		}
	}}, err
}

func bindRow(args []Arg) (Bound, error) {
	if len(args) == 0 {
		return Bound{}, countError("1 argument or more", 0)
	}
	fields := make([]types.Field, len(args))
	for i, a := range args {
		fields[i] = types.Field{Name: fmt.Sprintf("f%d", i+1), Type: a.Type}
	}
	return Bound{Ret: types.StructOf(fields...), ArgTypes: anyTypes(args), Kernel: func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		for k, v := range a {
			out.Child[k].AppendAll(v, nil)
		}
		for range n {
			out.EndStruct()
		}
	}}, nil
}

func isList(t types.Type) bool { return t.Class() == types.ClassList }

func bindCardinality(args []Arg) (Bound, error) {
	if err := arity(args, 1); err != nil {
		return Bound{}, err
	}
	if !isList(args[0].Type) {
		return Bound{}, fmt.Errorf("argument 1 must be an ARRAY or MAP, not %s", args[0].Type)
	}
	return strict(tInt, rowInt(func(a []*vector.Vector, i int) (int64, bool) { return int64(a[0].Off[i+1] - a[0].Off[i]), true }), args[0].Type), nil
}

func bindElement(args []Arg) (Bound, error) {
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	t := args[0].Type
	switch t.Kind {
	case types.Array:
		return strict(*t.Elem, kernelElement, t, tInt), nil
	case types.Map:
		return strict(*t.Elem, kernelMapValue, t, *t.Key), nil
	}
	return Bound{}, fmt.Errorf("argument 1 must be an ARRAY or MAP, not %s", t)
}

func kernelElement(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	for i := range n {
		from, to := int64(a[0].Off[i]), int64(a[0].Off[i+1])
		at := a[1].I64[i]
		if at < 0 {
			at += to - from + 1
		}
		if at < 1 || at > to-from {
			out.AppendNull()
			continue
		}
		out.AppendFrom(a[0].Child[0], int(from+at-1))
	}
}

func kernelMapValue(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	for i := range n {
		at := indexIn(a[0].Child[0], a[0].Off[i], a[0].Off[i+1], a[1], i)
		if at < 0 {
			out.AppendNull()
			continue
		}
		out.AppendFrom(a[0].Child[1], at)
	}
}

// indexIn finds row i of v among the rows from..to of list; -1 when it is not there.
func indexIn(list *vector.Vector, from, to int32, v *vector.Vector, i int) int {
	for j := from; j < to; j++ {
		if Compare(list, int(j), v, i) == 0 {
			return int(j)
		}
	}
	return -1
}

func bindArraySearch(ret types.Type, f func(at int64) int64) binder {
	return func(args []Arg) (Bound, error) {
		if err := arity(args, 2); err != nil {
			return Bound{}, err
		}
		if args[0].Type.Kind != types.Array {
			return Bound{}, fmt.Errorf("argument 1 must be an ARRAY, not %s", args[0].Type)
		}
		t, ok := types.CommonType(*args[0].Type.Elem, args[1].Type)
		if !ok {
			return Bound{}, fmt.Errorf("argument 2 is a %s, the elements are %s", args[1].Type, args[0].Type.Elem)
		}
		return strict(ret, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			at := indexIn(a[0].Child[0], a[0].Off[i], a[0].Off[i+1], a[1], i)
			if at < 0 {
				return f(0), true
			}
			return f(int64(at) - int64(a[0].Off[i]) + 1), true
		}), types.ArrayOf(t), t), nil
	}
}

func bindArrayJoin(args []Arg) (Bound, error) {
	if len(args) != 2 && len(args) != 3 {
		return Bound{}, arityError(2, 3, len(args))
	}
	if args[0].Type.Kind != types.Array {
		return Bound{}, fmt.Errorf("argument 1 must be an ARRAY, not %s", args[0].Type)
	}
	want := []types.Type{args[0].Type, tText, tText}[:len(args)]
	return Bound{Ret: tText, ArgTypes: want, Strict: true, Kernel: rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
		first := true
		for j := int(a[0].Off[i]); j < int(a[0].Off[i+1]); j++ {
			null := a[0].Child[0].IsNull(j)
			if null && len(a) == 2 {
				continue
			}
			if !first {
				dst = append(dst, a[1].Bytes(i)...)
			}
			first = false
			if null {
				dst = append(dst, a[2].Bytes(i)...)
			} else {
				dst = AppendText(dst, a[0].Child[0], j)
			}
		}
		return dst, true
	})}, nil
}

func bindArrayConcat(args []Arg) (Bound, error) {
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	t, want, err := commonArgs(args)
	if err != nil || t.Kind != types.Array {
		return Bound{}, fmt.Errorf("arguments must be ARRAYs of one type, not %s and %s", args[0].Type, args[1].Type)
	}
	return strict(t, func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		for i := range n {
			for _, v := range a {
				for j := v.Off[i]; j < v.Off[i+1]; j++ {
					out.Child[0].AppendFrom(v.Child[0], int(j))
				}
			}
			out.EndList()
		}
	}, want...), nil
}

func bindMapPart(child int) binder {
	return func(args []Arg) (Bound, error) {
		if err := arity(args, 1); err != nil {
			return Bound{}, err
		}
		t := args[0].Type
		if t.Kind != types.Map {
			return Bound{}, fmt.Errorf("argument 1 must be a MAP, not %s", t)
		}
		part := *t.Key
		if child == 1 {
			part = *t.Elem
		}
		return strict(types.ArrayOf(part), func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
			out.Child[0].AppendAll(a[0].Child[child], nil)
			for i := range n {
				out.Off = append(out.Off, a[0].Off[i+1])
			}
			out.N = n
		}, t), nil
	}
}

func kernelSplit(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	for i := range n {
		splitInto(out.Child[0], a[0].Bytes(i), a[1].Bytes(i))
		out.EndList()
	}
}
