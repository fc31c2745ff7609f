package bind

import (
	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
)

// difference binds EXCEPT and INTERSECT: the rows of both sides are grouped by all their columns and counted by side.
//
//	Filter(left > 0 AND right = 0)      EXCEPT; INTERSECT: right > 0
//	  Aggregate by all columns [COUNT(*) of the left, COUNT(*) of the right]
//	    Union(left with TRUE, FALSE; right with FALSE, TRUE)
//
// With ALL the filter's place is taken by copies of the row: EXCEPT ALL gives left - right of them, INTERSECT ALL the lesser.
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
	if n, err = chosen(n, width, x, b.at(x)); err != nil {
		return nil, err
	}
	out := logical.NewPick(n, allColumns(n)[:width])
	for i, f := range left.Columns() {
		out.Names[i] = f.Name
	}
	return logical.NewProject(n, out.Exprs, out.Names), nil
}

// chosen keeps the rows of an EXCEPT or INTERSECT; their numbers on the left and the right stand in columns width and width+1.
func chosen(n logical.Node, width int, x *ast.SetOp, at int) (logical.Node, error) {
	left, right := logical.ColOf(n, width), logical.ColOf(n, width+1)
	if x.All {
		return copies(n, left, right, x.Op == "INTERSECT", at)
	}
	op := "="
	if x.Op == "INTERSECT" {
		op = ">"
	}
	inLeft, err := expr.NewCall(">", at, left, expr.NewInt(0))
	if err != nil {
		return nil, err
	}
	inRight, err := expr.NewCall(op, at, right, expr.NewInt(0))
	if err != nil {
		return nil, err
	}
	return logical.NewFilter(n, logical.And([]expr.Expr{inLeft, inRight})), nil
}

// copies gives each row as often as the two numbers say: their difference, or the lesser of them.
func copies(n logical.Node, left, right expr.Expr, lesser bool, at int) (logical.Node, error) {
	name := "-"
	if lesser {
		name = "least"
	}
	times, err := expr.NewCall(name, at, left, right)
	if err != nil {
		return nil, err
	}
	if times, err = expr.NewCall("greatest", at, times, expr.NewInt(0)); err != nil {
		return nil, err
	}
	list, err := expr.NewCall("array_repeat", at, expr.NewBool(true), times)
	if err != nil {
		return nil, err
	}
	return logical.NewExpand(n, logical.Expand{Args: []expr.Expr{list}, Keep: allColumns(n),
		Made: []physical.ExpandColumn{{Arg: 0, Part: -1, Type: types.Of(types.Bool)}}, Names: []string{"copy"}}), nil
}

// marked appends two columns that tell which side a row is from.
func marked(n logical.Node, left bool) logical.Node {
	p := logical.NewPick(n, allColumns(n))
	return logical.NewProject(n, append(p.Exprs, expr.NewBool(left), expr.NewBool(!left)), append(p.Names, "left", "right"))
}
