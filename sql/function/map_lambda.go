package function

import (
	"fmt"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// entryParams are those of a lambda over a MAP: key and value.
func entryParams(args []Arg) ([]types.Type, error) {
	if len(args) == 0 {
		return nil, countError("a MAP and a lambda", 0)
	}
	if err := mapArg(args, 0); err != nil {
		return nil, err
	}
	if n := args[len(args)-1].Params; n != 2 {
		return nil, paramsError(2, 2, n)
	}
	return []types.Type{*args[0].Type.Key, *args[0].Type.Elem}, nil
}

func bindEntries(args []Arg) error {
	if err := arity(args, 2); err != nil {
		return err
	}
	if err := mapArg(args, 0); err != nil {
		return err
	}
	return lambdaArg(args, 1)
}

func bindMapFilter(args []Arg) (Bound, error) {
	err := bindEntries(args)
	if err == nil {
		err = conditionArg(args[1])
	}
	if err != nil {
		return Bound{}, err
	}
	t := args[0].Type
	return Bound{Ret: t, ArgTypes: []types.Type{t, tBool}, Strict: true, NewLambda: func() LambdaKernel {
		var e elements
		return func(_ *Ctx, apply Apply, a []*vector.Vector, n int, out *vector.Vector) {
			e.of(a[0], n)
			e.filter(apply(1, e.rows, e.parts[0], e.parts[1]), a[0], n, out)
		}
	}}, nil
}

func bindTransformValues(args []Arg) (Bound, error) {
	if err := bindEntries(args); err != nil {
		return Bound{}, err
	}
	t, body := args[0].Type, args[1].Type
	return Bound{Ret: types.MapOf(*t.Key, body), ArgTypes: []types.Type{t, body}, Strict: true, NewLambda: func() LambdaKernel {
		var e elements
		return func(_ *Ctx, apply Apply, a []*vector.Vector, n int, out *vector.Vector) {
			e.of(a[0], n)
			out.Child[1].AppendAll(apply(1, e.rows, e.parts[0], e.parts[1]), nil)
			out.Child[0].AppendAll(e.parts[0], nil)
			sameLengths(out, a[0], n)
		}
	}}, nil
}

func bindTransformKeys(args []Arg) (Bound, error) {
	if err := bindEntries(args); err != nil {
		return Bound{}, err
	}
	t, body := args[0].Type, args[1].Type
	return Bound{Ret: types.MapOf(body, *t.Elem), ArgTypes: []types.Type{t, body}, Strict: true, NewLambda: func() LambdaKernel {
		var e elements
		var m mapEntries
		return func(ctx *Ctx, apply Apply, a []*vector.Vector, n int, out *vector.Vector) {
			e.of(a[0], n)
			keys := apply(1, e.rows, e.parts[0], e.parts[1])
			at := 0
			for i := range n {
				m.begin(ctx, i, out, listLen(a[0], i))
				for range listLen(a[0], i) {
					m.add(keys, at, e.parts[1], at)
					at++
				}
				out.EndList()
			}
		}
	}}, nil
}

func mapZipParams(args []Arg, i int) ([]types.Type, error) {
	if i != 2 || len(args) != 3 {
		return nil, fmt.Errorf("takes two MAPs and then a lambda")
	}
	key, err := zippedKey(args)
	if err != nil {
		return nil, err
	}
	return firstParams(args[i], []types.Type{key, *args[0].Type.Elem, *args[1].Type.Elem}, 3)
}

func zippedKey(args []Arg) (types.Type, error) {
	for k := range 2 {
		if err := mapArg(args, k); err != nil {
			return types.Type{}, err
		}
	}
	key, ok := types.CommonType(*args[0].Type.Key, *args[1].Type.Key)
	if !ok {
		return key, fmt.Errorf("the MAPs have keys of different types: %s and %s", args[0].Type.Key, args[1].Type.Key)
	}
	return key, nil
}

func bindMapZipWith(args []Arg) (Bound, error) {
	if err := arity(args, 3); err != nil {
		return Bound{}, err
	}
	if err := lambdaArg(args, 2); err != nil {
		return Bound{}, err
	}
	key, err := zippedKey(args)
	if err != nil {
		return Bound{}, err
	}
	body, x, y := args[2].Type, *args[0].Type.Elem, *args[1].Type.Elem
	want := []types.Type{types.MapOf(key, x), types.MapOf(key, y), body}
	return Bound{Ret: types.MapOf(key, body), ArgTypes: want, Strict: true, NewLambda: func() LambdaKernel {
		z := &mapZipper{keys: vector.New(key, 0), left: vector.New(x, 0), right: vector.New(y, 0)}
		return z.run
	}}, nil
}

// mapZipper puts the values of two MAPs side by side, by key.
type mapZipper struct {
	keys, left, right *vector.Vector
	rows              []int32
	seen              elementSet
	hash              [2][]uint64
}

func (z *mapZipper) run(_ *Ctx, apply Apply, a []*vector.Vector, n int, out *vector.Vector) {
	z.keys.Reset()
	z.left.Reset()
	z.right.Reset()
	z.rows = z.rows[:0]
	for k := range z.hash {
		z.hash[k] = hashes(z.hash[k], a[k].Child[0])
	}
	for i := range n {
		z.zip(a[0], a[1], i)
		out.Off = append(out.Off, int32(z.keys.N))
	}
	out.Child[1].AppendAll(apply(2, z.rows, z.keys, z.left, z.right), nil)
	out.Child[0].AppendAll(z.keys, nil)
	out.N = n
}

// zip lists the keys of row i: those of the left MAP, then those that only the right one has.
func (z *mapZipper) zip(left, right *vector.Vector, i int) {
	z.seen.fill(right, i, z.hash[1])
	for j := int(left.Off[i]); j < int(left.Off[i+1]); j++ {
		at, _ := z.seen.find(left.Child[0], j, z.hash[0][j])
		z.keys.AppendFrom(left.Child[0], j)
		z.left.AppendFrom(left.Child[1], j)
		appendOrNull(z.right, right.Child[1], at)
		z.rows = append(z.rows, int32(i))
	}
	z.seen.fill(left, i, z.hash[0])
	for j := int(right.Off[i]); j < int(right.Off[i+1]); j++ {
		if at, _ := z.seen.find(right.Child[0], j, z.hash[1][j]); at >= 0 {
			continue
		}
		z.keys.AppendFrom(right.Child[0], j)
		z.left.AppendNull()
		z.right.AppendFrom(right.Child[1], j)
		z.rows = append(z.rows, int32(i))
	}
}
