package function

import (
	"fmt"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// lambdaFuncs is the table of functions of ARRAYs that take lambdas.
func lambdaFuncs() []*Func {
	place := " A second parameter is the element's place, from 1."
	return family("lambda",
		def("transform(x, e -> result) | transform(x, (e, i) -> result)", "An ARRAY of what the lambda makes of each element."+place, bindTransform, "transform(array(1, 2), e -> e * 10)", "[10, 20]", "transform(array('a', 'b'), (e, i) -> concat(e, i))", `["a1", "b2"]`, "transform(array(array(1), array(2, 3)), e -> transform(e, f -> f + cardinality(e)))", "[[2], [4, 5]]").alias("array_map", "array_transform", "list_transform").taking(lambdaAt(1, elementParams)),
		def("filter(x, e -> condition) | filter(x, (e, i) -> condition)", "The elements for which the lambda is TRUE."+place, bindFilter, "filter(array(1, NULL, 5), e -> e > 2)", "[5]").alias("array_filter", "list_filter").taking(lambdaAt(1, elementParams)),
		def("reduce(x, start, (state, e) -> next) | reduce(x, start, (state, e) -> next, state -> result)", "Goes through an ARRAY from its first element: the state is `start`, then what the lambda makes of state and element.", bindReduce, "reduce(array(1, 2, 3), 0, (s, e) -> s + e)", "6", "reduce(array('a', 'b'), '', (s, e) -> concat(e, s), s -> upper(s))", "BA").alias("aggregate", "array_reduce").taking(reduceParams),
		def("any_match(x, e -> condition)", "Whether the lambda is TRUE for some element; NULL when it is not but could be.", bindMatch(true, true), "any_match(array(1, 5), e -> e > 3)", "1", "any_match(array(1, NULL), e -> e > 3)", "NULL").alias("array_any").taking(lambdaAt(1, elementParams)),
		def("all_match(x, e -> condition)", "Whether the lambda is TRUE for all elements; NULL when none is FALSE and some NULL.", bindMatch(false, false), "all_match(array(1, 5), e -> e > 3)", "0", "all_match(array(), e -> e > 3)", "1").alias("array_all").taking(lambdaAt(1, elementParams)),
		def("none_match(x, e -> condition)", "Whether the lambda is TRUE for no element.", bindMatch(true, false), "none_match(array(1, 2), e -> e > 3)", "1").alias("array_none").taking(lambdaAt(1, elementParams)),
		def("array_first(x) | array_first(x, e -> condition)", "The first element, or the first for which the lambda is TRUE; NULL when there is none.", bindFirst(false), "array_first(array(1, 4, 6), e -> e > 2)", "4", "array_first(array(1, 2))", "1").alias("find_first").taking(lambdaAt(1, elementParams)),
		def("array_last(x) | array_last(x, e -> condition)", "The last element, or the last for which the lambda is TRUE; NULL when there is none.", bindFirst(true), "array_last(array(1, 4, 6), e -> e < 5)", "4", "array_last(array())", "NULL").alias("find_last").taking(lambdaAt(1, elementParams)),
		def("array_sort(x) | array_sort(x, e -> key) | array_sort(x, (a, b) -> order)", "The elements in ascending order, NULLs last; by the keys that a lambda gives; or in the order of a lambda that is negative when a comes before b, positive when behind.", bindArraySort, "array_sort(array(2, NULL, 1))", "[1, 2, null]", "array_sort(array('ccc', 'a', 'bb'), e -> length(e))", `["a", "bb", "ccc"]`, "array_sort(array(1, 3, 2), (a, b) -> b - a)", "[3, 2, 1]").taking(lambdaAt(1, sortParams)),
		def("zip_with(x, y, (a, b) -> result)", "An ARRAY of what the lambda makes of the elements side by side; the shorter ARRAY is filled with NULL.", bindZipWith, "zip_with(array(1, 2), array(10, 20), (a, b) -> a + b)", "[11, 22]").taking(zipParams),
		def("map_filter(m, (k, v) -> condition)", "The entries for which the lambda is TRUE.", bindMapFilter, "map_filter(map('a', 1, 'b', 5), (k, v) -> v > 2)", `{"b": 5}`).taking(lambdaAt(1, entryParams)),
		def("transform_values(m, (k, v) -> value)", "A MAP with other values.", bindTransformValues, "transform_values(map('a', 1), (k, v) -> v + 1)", `{"a": 2}`).taking(lambdaAt(1, entryParams)),
		def("transform_keys(m, (k, v) -> key)", "A MAP with other keys; of equal ones the last counts.", bindTransformKeys, "transform_keys(map('a', 1), (k, v) -> upper(k))", `{"A": 1}`).taking(lambdaAt(1, entryParams)),
		def("map_zip_with(m1, m2, (k, v1, v2) -> value)", "A MAP of the keys of both, of what the lambda makes of their values; NULL stands for a missing one.", bindMapZipWith, "map_zip_with(map('a', 1), map('a', 2, 'b', 3), (k, v, w) -> coalesce(v, 0) + w)", `{"a": 3, "b": 3}`).taking(mapZipParams),
	)
}

// bindElements checks the arguments of a function of an ARRAY and a lambda over its elements.
func bindElements(args []Arg) (array types.Type, err error) {
	if err := arity(args, 2); err != nil {
		return array, err
	}
	if err := arrayArg(args, 0); err != nil {
		return array, err
	}
	return arrayOf(args[0].Type), lambdaArg(args, 1)
}

func bindTransform(args []Arg) (Bound, error) {
	t, err := bindElements(args)
	if err != nil {
		return Bound{}, err
	}
	body, params := args[1].Type, args[1].Params
	return Bound{Ret: types.ArrayOf(body), ArgTypes: []types.Type{t, body}, Strict: true, NewLambda: func() LambdaKernel {
		var e elements
		return func(_ *Ctx, apply Apply, a []*vector.Vector, n int, out *vector.Vector) {
			out.Child[0].AppendAll(e.apply(apply, 1, params, a[0], n), nil)
			sameLengths(out, a[0], n)
		}
	}}, nil
}

// conditionArg checks that a lambda gives a condition.
func conditionArg(arg Arg) error {
	if !accepts(tBool, arg.Type) {
		return fmt.Errorf("the lambda must give a condition, not %s", arg.Type)
	}
	return nil
}

// bindCondition checks the arguments of a function of an ARRAY and a condition on its elements.
func bindCondition(args []Arg) (array types.Type, err error) {
	if array, err = bindElements(args); err == nil {
		err = conditionArg(args[1])
	}
	return array, err
}

func isTrue(v *vector.Vector, i int) bool { return !v.IsNull(i) && v.I64[i] != 0 }

func bindFilter(args []Arg) (Bound, error) {
	t, err := bindCondition(args)
	if err != nil {
		return Bound{}, err
	}
	params := args[1].Params
	return Bound{Ret: t, ArgTypes: []types.Type{t, tBool}, Strict: true, NewLambda: func() LambdaKernel {
		var e elements
		return func(_ *Ctx, apply Apply, a []*vector.Vector, n int, out *vector.Vector) {
			e.filter(e.apply(apply, 1, params, a[0], n), a[0], n, out)
		}
	}}, nil
}

// bindMatch binds ANY_MATCH (hit TRUE gives TRUE), NONE_MATCH (TRUE gives FALSE) and ALL_MATCH (FALSE gives FALSE): `hit` is the answer of
// the lambda that decides, `then` the result when it comes.
func bindMatch(hit, then bool) binder {
	return func(args []Arg) (Bound, error) {
		t, err := bindCondition(args)
		if err != nil {
			return Bound{}, err
		}
		params := args[1].Params
		return Bound{Ret: tBool, ArgTypes: []types.Type{t, tBool}, Strict: true, NewLambda: func() LambdaKernel {
			var e elements
			return func(_ *Ctx, apply Apply, a []*vector.Vector, n int, out *vector.Vector) {
				cond := e.apply(apply, 1, params, a[0], n)
				at := 0
				for i := range n {
					found, nulls := false, false
					for range listLen(a[0], i) {
						if cond.IsNull(at) {
							nulls = true
						} else if (cond.I64[at] != 0) == hit {
							found = true
						}
						at++
					}
					out.AppendBool(found == then)
					if !found && nulls {
						out.SetNull(i)
					}
				}
			}
		}}, nil
	}
}

// bindFirst binds ARRAY_FIRST and ARRAY_LAST, with or without a condition.
func bindFirst(last bool) binder {
	return func(args []Arg) (Bound, error) {
		if len(args) == 1 {
			return bindArray1(kernelEnd(last), elemOf)(args)
		}
		t, err := bindCondition(args)
		if err != nil {
			return Bound{}, err
		}
		params := args[1].Params
		return Bound{Ret: *t.Elem, ArgTypes: []types.Type{t, tBool}, Strict: true, NewLambda: func() LambdaKernel {
			var e elements
			return func(_ *Ctx, apply Apply, a []*vector.Vector, n int, out *vector.Vector) {
				cond := e.apply(apply, 1, params, a[0], n)
				at := 0
				for i := range n {
					found := -1
					for range listLen(a[0], i) {
						if isTrue(cond, at) && (last || found < 0) {
							found = at
						}
						at++
					}
					appendOrNull(out, e.parts[0], found)
				}
			}
		}}, nil
	}
}

func appendOrNull(out, v *vector.Vector, i int) {
	if i < 0 {
		out.AppendNull()
		return
	}
	out.AppendFrom(v, i)
}

func kernelEnd(last bool) Kernel {
	return func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		for i := range n {
			at := int(a[0].Off[i])
			if last {
				at = int(a[0].Off[i+1]) - 1
			}
			if listLen(a[0], i) == 0 {
				at = -1
			}
			appendOrNull(out, a[0].Child[0], at)
		}
	}
}

func zipParams(args []Arg, i int) ([]types.Type, error) {
	if i != 2 || len(args) != 3 {
		return nil, fmt.Errorf("takes two ARRAYs and then a lambda")
	}
	for k := range 2 {
		if err := arrayArg(args, k); err != nil {
			return nil, err
		}
	}
	return firstParams(args[i], []types.Type{*arrayOf(args[0].Type).Elem, *arrayOf(args[1].Type).Elem}, 2)
}

func bindZipWith(args []Arg) (Bound, error) {
	if err := arity(args, 3); err != nil {
		return Bound{}, err
	}
	if err := lambdaArg(args, 2); err != nil {
		return Bound{}, err
	}
	zip, err := bindArraysZip(args[:2])
	if err != nil {
		return Bound{}, err
	}
	body := args[2].Type
	return Bound{Ret: types.ArrayOf(body), ArgTypes: append(zip.ArgTypes, body), Strict: true, NewLambda: func() LambdaKernel {
		var e elements
		pairs := vector.New(zip.Ret, 0)
		return func(ctx *Ctx, apply Apply, a []*vector.Vector, n int, out *vector.Vector) {
			pairs.Reset()
			kernelArraysZip(ctx, a[:2], n, pairs)
			e.of(pairs, n)
			out.Child[0].AppendAll(apply(2, e.rows, e.parts[0].Child[0], e.parts[0].Child[1]), nil)
			sameLengths(out, pairs, n)
		}
	}}, nil
}
