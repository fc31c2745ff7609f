package expr

import (
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/vector"
)

// Filter selects the rows where a condition is TRUE. It belongs to one task.
type Filter struct {
	terms []term
}

// term is one operand of the filter's outermost AND. Narrow keeps in sel the rows where it is TRUE, in place.
type term interface {
	narrow(ctx *function.Ctx, b *vector.Batch, sel []int32) []int32
}

// CompileFilter prepares a BOOLEAN or numeric expression; nil selects all rows.
func CompileFilter(e Expr) *Filter {
	f := &Filter{}
	if e == nil {
		return f
	}
	if c, err := condition(e); err == nil { // WHERE n means n <> 0
		e = c
	}
	args := []Expr{e}
	if l, ok := e.(*Logic); ok && !l.Or {
		args = l.Args
	}
	for _, a := range args {
		f.terms = append(f.terms, compileTerm(a))
	}
	return f
}

func compileTerm(e Expr) term {
	if t := fusedTerm(e); t != nil {
		return t
	}
	return &generalTerm{eval: Compile([]Expr{e})}
}

// Select overwrites dst with the physical rows, ascending, among b's counting rows where the condition is TRUE, and returns it. Rows
// whose condition fails are left out; their errors are in ctx.Errs.
func (f *Filter) Select(ctx *function.Ctx, b *vector.Batch, dst []int32) []int32 {
	dst = startSelection(b, dst)
	for _, t := range f.terms {
		if len(dst) == 0 {
			break
		}
		dst = t.narrow(ctx, b, dst)
	}
	return dst
}

func startSelection(b *vector.Batch, dst []int32) []int32 {
	if b.Sel != nil {
		return append(dst[:0], b.Sel...)
	}
	if cap(dst) < b.N {
		dst = make([]int32, b.N)
	}
	dst = dst[:b.N]
	for i := range dst {
		dst[i] = int32(i)
	}
	return dst
}

// generalTerm evaluates any expression over the whole batch; errors count only for rows that earlier terms have let through.
type generalTerm struct {
	eval *Evaluator
	view vector.Batch
}

func (t *generalTerm) narrow(ctx *function.Ctx, b *vector.Batch, sel []int32) []int32 {
	t.view = vector.Batch{Cols: b.Cols, N: b.N, Sel: sel, Op: b.Op}
	start := len(ctx.Errs)
	v := t.eval.Eval(ctx, &t.view)[0]
	for _, e := range ctx.Errs[start:] {
		markFailed(sel, int32(e.Row))
	}
	k := 0
	for _, i := range sel {
		if i < 0 {
			continue
		}
		if v.I64[i] != 0 && !v.IsNull(int(i)) {
			sel[k] = i
			k++
		}
	}
	return sel[:k]
}

// markFailed takes a row out of an ascending selection by setting its entry to -1.
func markFailed(sel []int32, row int32) {
	for k, i := range sel {
		if i == row {
			sel[k] = -1
			return
		}
	}
}
