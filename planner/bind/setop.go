package bind

import (
	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/expr"
)

// difference binds EXCEPT and INTERSECT: the rows of both sides are grouped by all their columns and counted by side.
//
//	Filter(left > 0 AND right = 0)      EXCEPT; INTERSECT: right > 0
//	  Aggregate by all columns [COUNT(*) of the left, COUNT(*) of the right]
//	    Union(left with TRUE, FALSE; right with FALSE, TRUE)
func (b *Binder) difference(left, right logical.Node, x *ast.SetOp) (logical.Node, error) {
	width := len(left.Columns())
	count, err := countAll()
	if err != nil {
		return nil, err
	}
	both := logical.NewUnion(marked(left, true), marked(right, false))
	var keys []expr.Expr
	for i := range width {
		keys = append(keys, logical.ColOf(both, i))
	}
	var calls aggregates
	for i, side := range []string{"left", "right"} {
		call := count
		call.name, call.filter = "COUNT(*) of the "+side, logical.ColOf(both, width+i)
		calls.calls = append(calls.calls, call)
	}
	n := calls.group(both, keys, b.emit, b.at(x))
	op := "="
	if x.Op == "INTERSECT" {
		op = ">"
	}
	inLeft, err := expr.NewCall(">", b.at(x), logical.ColOf(n, width), expr.NewInt(0))
	if err != nil {
		return nil, err
	}
	inRight, err := expr.NewCall(op, b.at(x), logical.ColOf(n, width+1), expr.NewInt(0))
	if err != nil {
		return nil, err
	}
	n = logical.NewFilter(n, logical.And([]expr.Expr{inLeft, inRight}))
	out := logical.NewPick(n, allColumns(n)[:width])
	for i, f := range left.Columns() {
		out.Names[i] = f.Name
	}
	return logical.NewProject(n, out.Exprs, out.Names), nil
}

// marked appends two columns that tell which side a row is from.
func marked(n logical.Node, left bool) logical.Node {
	p := logical.NewPick(n, allColumns(n))
	return logical.NewProject(n, append(p.Exprs, expr.NewBool(left), expr.NewBool(!left)), append(p.Names, "left", "right"))
}
