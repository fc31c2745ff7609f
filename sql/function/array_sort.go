package function

import (
	"fmt"
	"slices"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// sortParams: one element, of which the lambda gives a key, or two to compare.
func sortParams(args []Arg) ([]types.Type, error) {
	if err := arrayArg(args, 0); err != nil {
		return nil, err
	}
	elem := *arrayOf(args[0].Type).Elem
	return []types.Type{elem, elem}, nil
}

func bindArraySort(args []Arg) (Bound, error) {
	if len(args) == 1 {
		return bindArray1(kernelArraySort, sameType)(args)
	}
	t, err := bindElements(args)
	if err != nil {
		return Bound{}, err
	}
	body := args[1].Type
	if args[1].Params == 1 {
		return Bound{Ret: t, ArgTypes: []types.Type{t, body}, Strict: true, NewLambda: func() LambdaKernel {
			s := &keySorter{}
			return s.run
		}}, nil
	}
	if body.Kind == types.Bool || !accepts(tFloat, body) {
		return Bound{}, fmt.Errorf("the lambda must give a number, negative when its first argument comes first, not %s", body)
	}
	elem := *t.Elem
	return Bound{Ret: t, ArgTypes: []types.Type{t, tFloat}, Strict: true, NewLambda: func() LambdaKernel {
		s := &mergeSorter{left: vector.New(elem, 0), right: vector.New(elem, 0)}
		return s.run
	}}, nil
}

// keySorter sorts elements by the key that a lambda gives, NULL keys last; equal keys keep their order.
type keySorter struct {
	e     elements
	order []int32
}

func (s *keySorter) run(_ *Ctx, apply Apply, a []*vector.Vector, n int, out *vector.Vector) {
	keys := s.e.apply(apply, 1, 1, a[0], n)
	at := int32(0)
	for i := range n {
		s.order = s.order[:0]
		for range listLen(a[0], i) {
			s.order = append(s.order, at)
			at++
		}
		slices.SortStableFunc(s.order, func(x, y int32) int { return nullsLast.compare(keys, x, y) })
		out.Child[0].AppendAll(s.e.parts[0], s.order)
		out.EndList()
	}
}

// mergeSorter sorts by a lambda that compares two elements. It merges runs of doubling length, all merges of a length of all ARRAYs of
// the batch in step, so that the lambda sees one pair of each merge at a time, in columns. It is stable, and a lambda that contradicts
// itself gives some order, never a loop.
type mergeSorter struct {
	order, merged []int32 // elements, in the places of their ARRAYs
	merges        []merge
	rows          []int32
	left, right   *vector.Vector
	sel           []int32
}

// merge is one pair of runs on its way: [a, mid) and [b, end) go to out.
type merge struct {
	row         int32
	a, mid      int32
	b, end, out int32
}

func (s *mergeSorter) run(ctx *Ctx, apply Apply, args []*vector.Vector, n int, out *vector.Vector) {
	list := args[0]
	longest := 0
	s.order, s.merged = s.order[:0], s.merged[:0]
	for j := range list.Off[n] {
		s.order, s.merged = append(s.order, j), append(s.merged, j)
	}
	for i := range n {
		longest = max(longest, listLen(list, i))
	}
	for width := 1; width < longest; width *= 2 {
		s.pair(list, n, int32(width))
		for len(s.merges) > 0 {
			s.step(ctx, apply, list)
		}
		s.order, s.merged = s.merged, s.order
	}
	for i := range n {
		out.Child[0].AppendAll(list.Child[0], s.order[list.Off[i]:list.Off[i+1]])
		out.EndList()
	}
}

// pair lists the merges of runs of a width; what has no partner is copied.
func (s *mergeSorter) pair(list *vector.Vector, n int, width int32) {
	s.merges = s.merges[:0]
	for i := range n {
		for lo, end := list.Off[i], list.Off[i+1]; lo < end; lo += 2 * width {
			m := merge{row: int32(i), a: lo, mid: min(lo+width, end), b: min(lo+width, end), end: min(lo+2*width, end), out: lo}
			if m.b == m.end {
				copy(s.merged[lo:end], s.order[lo:end])
				continue
			}
			s.merges = append(s.merges, m)
		}
	}
}

// step moves one element of every merge.
func (s *mergeSorter) step(ctx *Ctx, apply Apply, list *vector.Vector) {
	s.rows = s.rows[:0]
	for _, m := range s.merges {
		s.rows = append(s.rows, m.row)
	}
	s.gather(s.left, list, func(m *merge) int32 { return m.a })
	s.gather(s.right, list, func(m *merge) int32 { return m.b })
	answer := apply(1, s.rows, s.left, s.right)
	left := s.merges[:0]
	for k, m := range s.merges {
		if answer.IsNull(k) {
			ctx.Fail(int(m.row), diag.New(diag.InvalidArgument, -1, "the lambda of ARRAY_SORT gives NULL for the order of two elements").
				WithHint("let it decide about NULLs as well, or sort by a key: ARRAY_SORT(x, e -> key)"))
		}
		if !answer.IsNull(k) && answer.F64[k] > 0 {
			s.merged[m.out] = s.order[m.b]
			m.b++
		} else {
			s.merged[m.out] = s.order[m.a]
			m.a++
		}
		m.out++
		if m.a == m.mid || m.b == m.end {
			rest := copy(s.merged[m.out:], s.order[m.a:m.mid])
			copy(s.merged[m.out+int32(rest):], s.order[m.b:m.end])
			continue
		}
		left = append(left, m)
	}
	s.merges = left
}

func (s *mergeSorter) gather(to, list *vector.Vector, which func(*merge) int32) {
	to.Reset()
	s.sel = s.sel[:0]
	for k := range s.merges {
		s.sel = append(s.sel, s.order[which(&s.merges[k])])
	}
	to.AppendAll(list.Child[0], s.sel)
}

// sortOrder is an order of elements.
type sortOrder struct{ desc, nullsFirst bool }

var nullsLast = sortOrder{}

func (o sortOrder) compare(elems *vector.Vector, x, y int32) int {
	xn, yn := elems.IsNull(int(x)), elems.IsNull(int(y))
	if xn || yn {
		r := int(boolInt(yn) - boolInt(xn))
		if !o.nullsFirst {
			r = -r
		}
		return r
	}
	r := Compare(elems, int(x), elems, int(y))
	if o.desc {
		return -r
	}
	return r
}

// append appends the elements of array i in order. Scratch is kept from row to row.
func (o sortOrder) append(out, list *vector.Vector, i int, scratch []int32) []int32 {
	elems, order := list.Child[0], scratch[:0]
	for j := list.Off[i]; j < list.Off[i+1]; j++ {
		order = append(order, j)
	}
	slices.SortStableFunc(order, func(x, y int32) int { return o.compare(elems, x, y) })
	out.Child[0].AppendAll(elems, order)
	out.EndList()
	return order
}

func kernelArraySort(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	var order []int32
	for i := range n {
		order = nullsLast.append(out, a[0], i, order)
	}
}

// bindSortArray binds SORT_ARRAY(x [, ascending]): NULLs are least, as in ORDER BY.
func bindSortArray(args []Arg) (Bound, error) {
	if len(args) != 1 && len(args) != 2 {
		return Bound{}, arityError(1, 2, len(args))
	}
	if err := arrayArg(args, 0); err != nil {
		return Bound{}, err
	}
	if len(args) == 2 && !accepts(tBool, args[1].Type) {
		return Bound{}, fmt.Errorf("argument 2 must be TRUE (ascending) or FALSE, not %s", args[1].Type)
	}
	t := arrayOf(args[0].Type)
	return strict(t, func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		var order []int32
		for i := range n {
			desc := len(a) == 2 && a[1].I64[i] == 0
			order = sortOrder{desc: desc, nullsFirst: !desc}.append(out, a[0], i, order)
		}
	}, []types.Type{t, tBool}[:len(args)]...), nil
}
