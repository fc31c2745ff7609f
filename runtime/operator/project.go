package operator

import (
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/vector"
)

// ProjectOptions describe a Project.
type ProjectOptions struct {
	Stage string // name in the error table
	Exprs []expr.Expr
}

// Project computes columns. Output rows are the input's, position by position; rows with an error go to the error policy and are
// left out.
type Project struct {
	stateless
	o      ProjectOptions
	eval   *expr.Evaluator
	sel    []int32
	failed []int32
	view   vector.Batch
}

// NewProject makes a projection.
func NewProject(o ProjectOptions) *Project { return &Project{o: o} }

// Open compiles the expressions.
func (p *Project) Open(ctx *Context) error {
	p.eval = expr.Compile(p.o.Exprs)
	return p.stateless.Open(ctx)
}

// Push computes and passes on.
func (p *Project) Push(_ int, b *vector.Batch, out Output) (err error) {
	cols := p.eval.Eval(p.ctx.Fn, b)
	p.view = vector.Batch{Cols: cols, N: b.N, Sel: b.Sel, Op: b.Op, Origin: b.Origin}
	if len(p.ctx.Fn.Errs) > 0 {
		if p.failed, err = disposeErrors(p.ctx, p.o.Stage, b, p.failed); err != nil {
			return err
		}
		p.sel = without(p.sel, b, p.failed)
		p.view.Sel = p.sel
	}
	if p.view.Rows() == 0 {
		return nil
	}
	return out.Push(&p.view)
}
