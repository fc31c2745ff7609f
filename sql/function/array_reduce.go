package function

import (
	"fmt"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// reduceParams: the state has the type of the start, widened until the next state fits. What keeps growing, as DECIMALs do at each
// addition, gets as many digits as there are.
func reduceParams(args []Arg, i int) ([]types.Type, error) {
	if i != 2 && i != 3 || len(args) < 3 || len(args) > 4 {
		return nil, fmt.Errorf("takes an ARRAY, a start and one or two lambdas")
	}
	if err := arrayArg(args, 0); err != nil {
		return nil, err
	}
	state, err := reduceState(args)
	if err != nil {
		return nil, err
	}
	if i == 3 {
		return firstParams(args[i], []types.Type{state}, 1)
	}
	return firstParams(args[i], []types.Type{state, *arrayOf(args[0].Type).Elem}, 2)
}

func reduceState(args []Arg) (types.Type, error) {
	state, next := args[1].Type, args[2].Type
	if next.Kind == types.Null || next.Equal(state) {
		return state, nil
	}
	t, ok := types.CommonType(state, next)
	switch {
	case !ok:
		return t, fmt.Errorf("the state begins as %s, but the lambda gives %s", state, next)
	case t.Kind == types.Decimal:
		t = types.DecimalOf(types.MaxDecimalPrecision, t.Scale)
	}
	return t, nil
}

func bindReduce(args []Arg) (Bound, error) {
	if len(args) != 3 && len(args) != 4 {
		return Bound{}, arityError(3, 4, len(args))
	}
	if err := arrayArg(args, 0); err != nil {
		return Bound{}, err
	}
	for i := 2; i < len(args); i++ {
		if err := lambdaArg(args, i); err != nil {
			return Bound{}, err
		}
	}
	state, err := reduceState(args)
	if err != nil {
		return Bound{}, err
	}
	bound := Bound{Ret: state, ArgTypes: []types.Type{arrayOf(args[0].Type), state, state}}
	if len(args) == 4 {
		bound.Ret = args[3].Type
		bound.ArgTypes = append(bound.ArgTypes, args[3].Type)
	}
	elem := *bound.ArgTypes[0].Elem
	bound.NewLambda = func() LambdaKernel {
		r := &reducer{state: vector.New(state, 0), next: vector.New(state, 0), done: vector.New(state, 0), elem: vector.New(elem, 0), ordered: vector.New(state, 0)}
		return r.run
	}
	return bound, nil
}

// reducer folds all rows of a batch together, the k-th elements of all in step k. A row whose elements are used up leaves; its state goes
// to done.
type reducer struct {
	rows        []int32 // those that have an element left
	state, next *vector.Vector
	elem        *vector.Vector
	done        *vector.Vector
	at          []int32 // by row: its place in done; -1: its ARRAY is NULL
	sel, stay   []int32
	ordered     *vector.Vector
}

func (r *reducer) run(_ *Ctx, apply Apply, a []*vector.Vector, n int, out *vector.Vector) {
	list := a[0]
	r.begin(list, a[1], n)
	for k := 0; len(r.rows) > 0; k++ {
		r.elem.Reset()
		r.sel = r.sel[:0]
		for _, i := range r.rows {
			r.sel = append(r.sel, list.Off[i]+int32(k))
		}
		r.elem.AppendAll(list.Child[0], r.sel)
		r.keep(apply(2, r.rows, r.state, r.elem), list, k)
	}
	to := out
	if len(a) == 4 {
		to = r.ordered
		to.Reset()
	}
	r.sel = r.sel[:0]
	for i := range n {
		appendOrNull(to, r.done, int(r.at[i]))
		r.sel = append(r.sel, int32(i))
	}
	if len(a) == 4 {
		out.AppendAll(apply(3, r.sel, to), nil)
	}
	for i := range n {
		if list.IsNull(i) {
			out.SetNull(i)
		}
	}
}

// begin takes the rows with elements in; those without are done.
func (r *reducer) begin(list, start *vector.Vector, n int) {
	r.rows, r.at = r.rows[:0], r.at[:0]
	r.done.Reset()
	r.state.Reset()
	for i := range n {
		r.at = append(r.at, -1)
		switch {
		case list.IsNull(i):
		case listLen(list, i) == 0:
			r.at[i] = int32(r.done.N)
			r.done.AppendFrom(start, i)
		default:
			r.rows = append(r.rows, int32(i))
		}
	}
	r.state.AppendAll(start, r.rows)
}

// keep takes the states behind element k.
func (r *reducer) keep(next, list *vector.Vector, k int) {
	left := r.rows[:0]
	r.stay = r.stay[:0]
	for p, i := range r.rows {
		if listLen(list, int(i)) == k+1 {
			r.at[i] = int32(r.done.N)
			r.done.AppendFrom(next, p)
			continue
		}
		left, r.stay = append(left, i), append(r.stay, int32(p))
	}
	r.rows = left
	r.next.Reset()
	r.next.AppendAll(next, r.stay)
	r.state, r.next = r.next, r.state
}
