package operator

import (
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/vector"
)

// FilterOptions describe a Filter.
type FilterOptions struct {
	Stage string // name in the error table
	Pred  expr.Expr
}

// Filter keeps the rows where a condition is TRUE. It copies nothing: the output shares the input's columns. Rows whose condition
// fails go to the error policy.
type Filter struct {
	stateless
	o      FilterOptions
	filter *expr.Filter
	sel    []int32
	failed []int32
	view   vector.Batch
}

// NewFilter makes a filter.
func NewFilter(o FilterOptions) *Filter { return &Filter{o: o} }

// Open compiles the condition.
func (f *Filter) Open(ctx *Context) error {
	f.filter = expr.CompileFilter(f.o.Pred)
	return f.stateless.Open(ctx)
}

// Push passes the selected rows on.
func (f *Filter) Push(_ int, b *vector.Batch, out Output) (err error) {
	f.sel, f.failed, err = selectRows(f.ctx, f.o.Stage, f.filter, b, f.sel, f.failed)
	if err != nil || len(f.sel) == 0 {
		return err
	}
	f.view = vector.Batch{Cols: b.Cols, N: b.N, Sel: f.sel, Op: b.Op, Origin: b.Origin}
	if len(f.sel) == b.N {
		f.view.Sel = nil
	}
	return out.Push(&f.view)
}
