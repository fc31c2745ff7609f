package operator

import (
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// ExpandColumn is a column that Expand makes of the elements of argument Arg: the field Part of a STRUCT, the key (0) or value (1) of a
// MAP, or the element itself (Part -1). Arg -1 is the number of the row among those made of one input row, from 1.
type ExpandColumn struct {
	Arg, Part int
	Type      types.Type
}

// ExpandOptions describe an Expand.
type ExpandOptions struct {
	Stage string       // name in the error table
	Input []types.Type // the input's columns
	Args  []expr.Expr  // ARRAYs and MAPs over the input
	Keep  []int        // the input's columns that are passed on
	Made  []ExpandColumn
	Outer bool
}

// Expand makes a row of each element of its arguments, taken side by side: a row gives as many rows as its longest argument has
// elements, the shorter ones filled with NULL. A row without elements gives none or, with Outer, one whose made columns are NULL.
// Rows have the change kind of the row that they are made of, in the order of the elements: taking a row back takes back all that was
// made of it. Rows whose arguments fail go to the error policy. Output: Keep, Made.
type Expand struct {
	stateless
	o      ExpandOptions
	eval   *expr.Evaluator
	failed []int32
	sel    []int32
	in     *vector.Batch
	args   []*vector.Vector
	batch  *vector.Batch
	from   []int32   // by row to come: the input row that it is made of
	number []int64   // by row to come: its number, from 1; 0: a row without elements
	elems  [][]int32 // by argument, by row to come: the element; noElem
	padded []bool    // by argument: elems has a noElem
}

const noElem = -1

// NewExpand makes an expansion.
func NewExpand(o ExpandOptions) *Expand {
	x := &Expand{o: o, batch: &vector.Batch{}, elems: make([][]int32, len(o.Args)), padded: make([]bool, len(o.Args))}
	for _, c := range o.Keep {
		x.batch.Cols = append(x.batch.Cols, vector.New(o.Input[c], 0))
	}
	for _, m := range o.Made {
		x.batch.Cols = append(x.batch.Cols, vector.New(m.Type, 0))
	}
	return x
}

// Open compiles the arguments.
func (x *Expand) Open(ctx *Context) error {
	x.eval = expr.Compile(x.o.Args)
	return x.stateless.Open(ctx)
}

// Push emits what the rows of b expand to.
func (x *Expand) Push(_ int, b *vector.Batch, out Output) (err error) {
	x.in, x.args = b, x.eval.Eval(x.ctx.Fn, b)
	view := vector.Batch{N: b.N, Sel: b.Sel}
	if len(x.ctx.Fn.Errs) > 0 {
		if x.failed, err = disposeErrors(x.ctx, x.o.Stage, b, x.failed); err != nil {
			return err
		}
		x.sel = without(x.sel, b, x.failed)
		view.Sel = x.sel
	}
	for k := range view.Rows() {
		if err = x.row(view.Row(k), out); err != nil {
			return err
		}
	}
	return x.flush(out)
}

// row lists the rows that input row i expands to, emitting whenever a batch is full.
func (x *Expand) row(i int, out Output) error {
	longest := int32(0)
	for _, a := range x.args {
		if !a.IsNull(i) {
			longest = max(longest, a.Off[i+1]-a.Off[i])
		}
	}
	if longest == 0 && x.o.Outer {
		x.from, x.number = append(x.from, int32(i)), append(x.number, 0)
		for k := range x.args {
			x.elems[k], x.padded[k] = append(x.elems[k], noElem), true
		}
	}
	for done := int32(0); done < longest; {
		n := min(longest-done, vector.MaxRows-int32(len(x.from)))
		x.list(i, done, n)
		done += n
		if len(x.from) == vector.MaxRows {
			if err := x.flush(out); err != nil {
				return err
			}
		}
	}
	if len(x.from) == vector.MaxRows {
		return x.flush(out)
	}
	return nil
}

// list adds n rows of input row i, from element number first (0-based) on.
func (x *Expand) list(i int, first, n int32) {
	for k := range n {
		x.from, x.number = append(x.from, int32(i)), append(x.number, int64(first+k)+1)
	}
	for k, a := range x.args {
		at, end := a.Off[i]+first, a.Off[i+1]
		if a.IsNull(i) {
			end = at
		}
		for j := at; j < at+n; j++ {
			if j < end {
				x.elems[k] = append(x.elems[k], j)
				continue
			}
			x.elems[k], x.padded[k] = append(x.elems[k], noElem), true
		}
	}
}

// flush emits the rows listed.
func (x *Expand) flush(out Output) error {
	if len(x.from) == 0 {
		return nil
	}
	x.batch.Reset()
	for c, col := range x.o.Keep {
		x.batch.Cols[c].AppendAll(x.in.Cols[col], x.from)
	}
	for m, made := range x.o.Made {
		x.fill(x.batch.Cols[len(x.o.Keep)+m], made)
	}
	x.batch.N, x.batch.Origin = len(x.from), x.in.Origin
	if len(x.in.Op) > 0 {
		for _, i := range x.from {
			x.batch.Op = append(x.batch.Op, x.in.Op[i])
		}
	}
	x.from, x.number = x.from[:0], x.number[:0]
	for k := range x.elems {
		x.elems[k], x.padded[k] = x.elems[k][:0], false
	}
	return out.Push(x.batch)
}

// fill makes one column of the rows listed.
func (x *Expand) fill(to *vector.Vector, made ExpandColumn) {
	if made.Arg < 0 {
		for _, n := range x.number {
			to.AppendI64(n)
			if n == 0 {
				to.SetNull(to.N - 1)
			}
		}
		return
	}
	elems, list := x.elems[made.Arg], x.args[made.Arg]
	values := list.Child[0]
	var parent *vector.Vector // a STRUCT whose fields are NULL where it is
	switch {
	case made.Part >= 0 && list.Type.Kind == types.Map:
		values = list.Child[made.Part]
	case made.Part >= 0:
		values, parent = values.Child[made.Part], values
	}
	if !x.padded[made.Arg] && (parent == nil || !parent.HasNulls()) {
		to.AppendAll(values, elems)
		return
	}
	for _, j := range elems {
		if j == noElem || parent != nil && parent.IsNull(int(j)) {
			to.AppendNull()
			continue
		}
		to.AppendFrom(values, int(j))
	}
}
