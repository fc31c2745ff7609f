package function

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// arrayFuncs is the table of functions of ARRAY, MAP and STRUCT.
func arrayFuncs() []*Func {
	return family("array",
		def("array(a, b, ..)", "An ARRAY of the arguments: ARRAY[a, b, ..].", bindArray, "array(1, 2.5)", "[1.0, 2.5]", "array(1, NULL)", "[1, null]"),
		def("row(a, b, ..)", "A STRUCT with fields f1, f2, ..", bindRow, "row(1, 'x')", `{"f1": 1, "f2": "x"}`, "row(1, NULL)", `{"f1": 1, "f2": null}`).alias("struct"),
		def("cardinality(x)", "How many elements an ARRAY or MAP has.", bindCardinality, "cardinality(array(1, 2))", "2").alias("array_length", "array_size"),
		named("[]", "x[i] | element_at(x, i)", "The i-th element of an ARRAY, from 1 (negative: from the end), or the value of a MAP's key; NULL when there is none.", bindElement,
			"element_at(array('a', 'b'), 2)", "b", "element_at(map('k', 5), 'k')", "5", "element_at(array(1), 3)", "NULL").alias("element_at", "subscript"),
		def("array_contains(x, v)", "Whether an ARRAY has an element equal to v.", bindArraySearch(tBool, func(at int64) int64 { return boolInt(at > 0) }), "array_contains(array(1, 2), 2)", "1"),
		def("array_position(x, v)", "Where v first occurs in an ARRAY, from 1; 0 when it does not.", bindArraySearch(tInt, func(at int64) int64 { return at }), "array_position(array('a', 'b'), 'b')", "2"),
		def("array_join(x, sep) | array_join(x, sep, null)", "The elements as text, joined; NULLs are left out or written as the third argument.", bindArrayJoin, "array_join(array(1, NULL, 2), '-')", "1-2", "array_join(array('a', NULL), ',', '?')", "a,?"),
		def("named_struct(name, value, ..)", "A STRUCT with names: STRUCT(value AS name, ..).", bindNamedStruct, "named_struct('x', 1, 'y', 'a')", `{"x": 1, "y": "a"}`, "named_struct('x', NULL)", `{"x": null}`),
		def("array_concat(x, y, ..)", "ARRAYs joined.", bindArrays(kernelArrayConcat, types.Type{}, 1, maxArguments), "array_concat(array(1), array(2), array(2.5))", "[1.0, 2.0, 2.5]").alias("array_cat"),
		def("array_append(x, v)", "An ARRAY with v behind it.", nullable(bindArrayElement(kernelArrayPush(true), types.Type{})), "array_append(array(1), 2)", "[1, 2]", "array_append(array(1), NULL)", "[1, null]").alias("array_push_back"),
		def("array_prepend(x, v)", "An ARRAY with v in front.", nullable(bindArrayElement(kernelArrayPush(false), types.Type{})), "array_prepend(array(1), 2)", "[2, 1]", "array_prepend(array(1), NULL)", "[null, 1]").alias("array_push_front"),
		def("array_remove(x, v)", "An ARRAY without the elements equal to v.", bindArrayElement(kernelArrayRemove, types.Type{}), "array_remove(array(1, 2, NULL, 1), 1)", "[2, null]"),
		def("array_compact(x)", "An ARRAY without its NULLs.", bindArray1(kernelArrayCompact, sameType), "array_compact(array(1, NULL, 2))", "[1, 2]"),
		def("array_positions(x, v)", "All places of v in an ARRAY, from 1.", bindArrayElement(kernelArrayPositions, types.ArrayOf(tInt)), "array_positions(array('a', 'b', 'a'), 'a')", "[1, 3]"),
		def("array_distinct(x)", "An ARRAY without repetitions; the first of equal elements stays.", bindArray1(kernelDistinct, sameType), "array_distinct(array(2, 1, NULL, 2, NULL))", "[2, 1, null]"),
		def("array_union(x, y)", "The elements of either ARRAY, without repetitions.", bindArrays(kernelArrayUnion, types.Type{}, 2, 2), "array_union(array(1, 2), array(2, 3))", "[1, 2, 3]"),
		def("array_intersect(x, y)", "The elements of both ARRAYs, without repetitions.", bindArrays(kernelArraySelect(true), types.Type{}, 2, 2), "array_intersect(array(3, 1, 2), array(2, 3))", "[3, 2]"),
		def("array_except(x, y)", "The elements of x that are not in y, without repetitions.", bindArrays(kernelArraySelect(false), types.Type{}, 2, 2), "array_except(array(1, 2, 1, 3), array(3))", "[1, 2]"),
		def("arrays_overlap(x, y)", "Whether some element is in both ARRAYs; NULL when only a NULL could be.", bindArrays(kernelOverlap, tBool, 2, 2), "arrays_overlap(array(1, 2), array(2))", "1", "arrays_overlap(array(1, NULL), array(2))", "NULL", "arrays_overlap(array(1), array(2))", "0"),
		def("contains_all(x, y)", "Whether all elements of y are in x.", bindArrays(kernelContainsAll, tBool, 2, 2), "contains_all(array(1, 2, 3), array(3, 1))", "1", "contains_all(array(1), array(1, 2))", "0").alias("array_contains_all"),
		def("array_min(x)", "The least element; NULLs do not count.", bindArray1(kernelExtreme(false), elemOf), "array_min(array(3, NULL, 1))", "1"),
		def("array_max(x)", "The greatest element; NULLs do not count.", bindArray1(kernelExtreme(true), elemOf), "array_max(array('a', 'c', 'b'))", "c"),
		def("array_sum(x)", "The sum of the elements, of the type that SUM has; NULLs do not count.", bindArraySum(false), "array_sum(array(1, NULL, 2))", "3", "array_sum(array(1.5, 2.25))", "3.75"),
		def("array_avg(x)", "The mean of the elements, of the type that AVG has; NULLs do not count.", bindArraySum(true), "array_avg(array(1, 2, NULL))", "1.5000").alias("array_average", "array_mean"),
		def("sort_array(x) | sort_array(x, ascending)", "The elements in the order of ORDER BY: NULLs are least.", bindSortArray, "sort_array(array(2, NULL, 1))", "[null, 1, 2]", "sort_array(array(2, NULL, 1), FALSE)", "[2, 1, null]"),
		def("array_reverse(x)", "The elements in reverse; REVERSE does it too.", bindArray1(kernelArrayReverse, sameType), "array_reverse(array(1, 2))", "[2, 1]", "reverse(array('a', 'b'))", `["b", "a"]`),
		def("slice(x, start, length)", "Part of an ARRAY: from the start-th element, counted from 1 or, negative, from the end.", bindSlice, "slice(array(1, 2, 3, 4), 2, 2)", "[2, 3]", "slice(array(1, 2, 3), -2, 5)", "[2, 3]"),
		def("trim_array(x, n)", "An ARRAY without its last n elements.", bindTrimArray, "trim_array(array(1, 2, 3), 1)", "[1, 2]"),
		def("flatten(x)", "The elements of the ARRAYs in an ARRAY; NULLs among those are left out.", bindFlatten, "flatten(array(array(1, 2), array(3)))", "[1, 2, 3]"),
		def("array_repeat(v, n)", "An ARRAY of n times v.", bindArrayRepeat, "array_repeat('a', 2)", `["a", "a"]`, "array_repeat(NULL, 2)", "[null, null]"),
		def("arrays_zip(x, y, ..)", "An ARRAY of STRUCTs of the elements side by side; shorter ARRAYs are filled with NULL.", bindArraysZip, "arrays_zip(array(1, 2), array('a'))", `[{"f1": 1, "f2": "a"}, {"f1": 2, "f2": null}]`),
		def("sequence(from, to) | sequence(from, to, step)", "The integers from..to, or dates and times by an INTERVAL, as ARRAY; in FROM as rows: FROM generate_series(1, 3) AS n.", bindSequence, "sequence(1, 3)", "[1, 2, 3]", "sequence(5, 1, -2)", "[5, 3, 1]", "sequence(DATE '2026-01-31', DATE '2026-03-31', INTERVAL 1 MONTH)", `["2026-01-31", "2026-02-28", "2026-03-31"]`).alias("generate_series"),
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

// maxArguments bounds the arguments of functions that take any number.
const maxArguments = 1 << 16

// bindNamedStruct binds pairs of a constant name and a value.
func bindNamedStruct(args []Arg) (Bound, error) {
	if len(args) == 0 || len(args)%2 != 0 {
		return Bound{}, countError("pairs of names and values", len(args))
	}
	var fields []types.Field
	for i := 0; i < len(args); i += 2 {
		name, ok := constText(args[i])
		if !ok || name == "" {
			return Bound{}, fmt.Errorf("argument %d must be a constant text, the name of a field", i+1)
		}
		for _, f := range fields {
			if strings.EqualFold(f.Name, name) {
				return Bound{}, fmt.Errorf("two fields are named '%s'", name)
			}
		}
		fields = append(fields, types.Field{Name: name, Type: args[i+1].Type})
	}
	return Bound{Ret: types.StructOf(fields...), ArgTypes: anyTypes(args), Kernel: func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		for k := range out.Child {
			out.Child[k].AppendAll(a[2*k+1], nil)
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
	t, at := args[0].Type, args[1].Type
	switch t.Kind {
	case types.Array:
		if !accepts(tInt, at) {
			return Bound{}, diag.New(diag.TypeMismatch, -1, "elements of an ARRAY are counted from 1, not found by %s", at).
				WithHint("x['key'] reads a MAP, x.name a field of a STRUCT")
		}
		return strict(*t.Elem, kernelElement, t, tInt), nil
	case types.Map:
		if !accepts(*t.Key, at) {
			return Bound{}, diag.New(diag.TypeMismatch, -1, "the keys of the MAP are %s, not %s", t.Key, at).WithHint("CAST it to the type of the keys")
		}
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

func kernelSplit(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	for i := range n {
		splitInto(out.Child[0], a[0].Bytes(i), a[1].Bytes(i))
		out.EndList()
	}
}
