package function

import (
	"fmt"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// Apply evaluates the lambda that is argument arg of a call, over elements rather than rows: params has one vector for each of the
// lambda's parameters, all of len(rows) elements, and rows[k] is the row of the batch that element k belongs to (ascending or not),
// whose columns the lambda may read too. The result has one value per element and is valid until the next Apply of the same lambda; it
// may be one of params. Errors of elements are recorded as errors of their rows.
type Apply func(arg int, rows []int32, params ...*vector.Vector) *vector.Vector

// LambdaKernel is the Kernel of a function with lambdas: args has nil where a lambda stands. It belongs to one task and may keep
// buffers from call to call.
type LambdaKernel func(ctx *Ctx, apply Apply, args []*vector.Vector, n int, out *vector.Vector)

// params names the types of a lambda's parameters; the number that was written must be one of those offered.
type params = func(args []Arg, i int) ([]types.Type, error)

// taking declares the lambdas of a function.
func (f *Func) taking(p params) *Func { f.Lambda = p; return f }

// lambdaAt offers the same parameters to the lambda at argument `at` only; most is the greatest number of parameters that makes sense.
func lambdaAt(at int, offer func(args []Arg) ([]types.Type, error)) params {
	return func(args []Arg, i int) ([]types.Type, error) {
		if i != at {
			return nil, fmt.Errorf("argument %d must not be a lambda", i+1)
		}
		all, err := offer(args)
		if err != nil {
			return nil, err
		}
		return firstParams(args[i], all, 1)
	}
}

// firstParams gives as many of the parameters as were written, at least `least`.
func firstParams(lambda Arg, all []types.Type, least int) ([]types.Type, error) {
	if n := lambda.Params; n >= least && n <= len(all) {
		return all[:n], nil
	}
	return nil, paramsError(least, len(all), lambda.Params)
}

func paramsError(least, most, got int) error {
	want := fmt.Sprintf("%d parameters", most)
	switch {
	case least != most:
		want = fmt.Sprintf("%d or %d parameters", least, most)
	case most == 1:
		want = "1 parameter"
	}
	return fmt.Errorf("the lambda takes %s, got %d", want, got)
}

// lambdaArg checks that argument i is a lambda.
func lambdaArg(args []Arg, i int) error {
	if i >= len(args) || !args[i].Lambda {
		return fmt.Errorf("argument %d must be a lambda such as x -> x + 1", i+1)
	}
	return nil
}

// elementParams are those of a lambda over an ARRAY: the element, and its place from 1.
func elementParams(args []Arg) ([]types.Type, error) {
	if len(args) == 0 {
		return nil, countError("an ARRAY and a lambda", 0)
	}
	if err := arrayArg(args, 0); err != nil {
		return nil, err
	}
	return []types.Type{*arrayOf(args[0].Type).Elem, tInt}, nil
}

// elements walks the elements of the lists of a batch. Buffers are kept.
type elements struct {
	rows  []int32 // by element: its row
	place *vector.Vector
	parts []*vector.Vector // the children, exactly the elements of the batch
	views []*vector.Vector
	keep  []int32
}

// of takes the elements of n lists, which lie one behind the other. Lists that are NULL may have elements too: the caller's result is NULL
// there.
func (e *elements) of(list *vector.Vector, n int) {
	e.rows, e.parts = e.rows[:0], e.parts[:0]
	for i := range n {
		for range listLen(list, i) {
			e.rows = append(e.rows, int32(i))
		}
	}
	from, to := int(list.Off[0]), int(list.Off[n])
	for len(e.views) < len(list.Child) {
		e.views = append(e.views, &vector.Vector{})
	}
	for c, child := range list.Child {
		switch {
		case from == 0 && child.N == to:
			e.parts = append(e.parts, child)
		case from == 0:
			child.Slice(to, e.views[c])
			e.parts = append(e.parts, e.views[c])
		default:
			part := vector.New(child.Type, to-from)
			for j := from; j < to; j++ {
				part.AppendFrom(child, j)
			}
			e.parts = append(e.parts, part)
		}
	}
}

// places gives the place of each element in its list, from 1.
func (e *elements) places(list *vector.Vector, n int) *vector.Vector {
	if e.place == nil {
		e.place = vector.New(tInt, len(e.rows))
	}
	e.place.Reset()
	for i := range n {
		for k := range listLen(list, i) {
			e.place.AppendI64(int64(k) + 1)
		}
	}
	return e.place
}

// apply evaluates a lambda of one parameter, or two, the element and its place.
func (e *elements) apply(apply Apply, arg, params int, list *vector.Vector, n int) *vector.Vector {
	e.of(list, n)
	if params == 2 {
		return apply(arg, e.rows, e.parts[0], e.places(list, n))
	}
	return apply(arg, e.rows, e.parts[0])
}

// filter gives out the lists with only those elements for which the condition is TRUE.
func (e *elements) filter(cond, list *vector.Vector, n int, out *vector.Vector) {
	e.keep = e.keep[:0]
	at := 0
	for i := range n {
		for range listLen(list, i) {
			if isTrue(cond, at) {
				e.keep = append(e.keep, int32(at))
			}
			at++
		}
		out.Off = append(out.Off, int32(len(e.keep)))
	}
	for c, part := range e.parts {
		out.Child[c].AppendAll(part, e.keep)
	}
	out.N = n
}

// sameLengths gives out the lengths of the lists.
func sameLengths(out, list *vector.Vector, n int) {
	for i := range n {
		out.Off = append(out.Off, list.Off[i+1]-list.Off[0])
	}
	out.N = n
}
