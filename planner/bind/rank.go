package bind

import (
	"strings"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
)

// rankings collects the ROW_NUMBER() calls of a query block.
type rankings struct {
	calls []ranking
}

type ranking struct {
	partition []expr.Expr
	order     []orderKey
	pos       int
}

type orderKey struct {
	expr expr.Expr
	desc bool
}

func (b *Binder) overCall(x *ast.Call, c *clause) (expr.Expr, error) {
	at := b.at(x)
	switch {
	case c.ranks == nil:
		return nil, diag.New(diag.MisplacedFunction, at, "window function %s may not stand in %s", strings.ToUpper(x.Name), c.name).
			WithHint("use QUALIFY, or filter in an outer query")
	case lower(x.Name) != "row_number":
		return nil, notSupported(at, "%s() OVER", strings.ToUpper(x.Name)).
			WithHint("ROW_NUMBER() OVER (PARTITION BY .. ORDER BY ..) with a limit (<= n) is")
	case len(x.Args) > 0 || x.Over.Frame != nil:
		return nil, diag.New(diag.WrongArguments, at, "ROW_NUMBER takes neither arguments nor a frame")
	}
	inner := *c
	inner.ranks, inner.name = nil, "OVER"
	r := ranking{pos: at}
	var err error
	if r.partition, err = b.exprs(x.Over.PartitionBy, &inner); err != nil {
		return nil, err
	}
	for _, o := range x.Over.OrderBy {
		e, err := b.expr(o.Expr, &inner)
		if err != nil {
			return nil, err
		}
		r.order = append(r.order, orderKey{expr: e, desc: o.Desc})
	}
	c.ranks.calls = append(c.ranks.calls, r)
	i := len(c.ranks.calls) - 1
	return &expr.Col{Index: rankBase + i, Name: "row_number", Typ: types.Of(types.Int64), Pos: at}, nil
}

// apply puts the row numbers over in, whose columns stay in front; where tells the column of the i-th call.
func (r *rankings) apply(in logical.Node) (out logical.Node, where []int) {
	width := len(in.Columns())
	var list columnList
	for i, f := range in.Columns() {
		list.append(logical.ColOf(in, i), f.Name)
	}
	nodes := make([]logical.RowNumber, len(r.calls))
	for i, c := range r.calls {
		nodes[i].Pos = c.pos
		for _, p := range c.partition {
			nodes[i].PartitionBy = append(nodes[i].PartitionBy, list.add(p))
		}
		for _, o := range c.order {
			nodes[i].Order = append(nodes[i].Order, physical.SortKey{Col: list.add(o.expr), Desc: o.desc})
		}
	}
	out = in
	if len(list.exprs) > width {
		out = list.project(in)
	}
	for i := range nodes {
		where = append(where, len(out.Columns()))
		out = logical.NewRowNumber(out, nodes[i])
	}
	return out, where
}

// place replaces placeholders at base by the columns in where.
func place(e expr.Expr, base int, where []int) expr.Expr {
	return logical.Transform(e, func(x expr.Expr) (expr.Expr, bool) {
		c, ok := x.(*expr.Col)
		if !ok {
			return nil, false
		}
		if i := c.Index - base; i >= 0 && i < len(where) {
			moved := *c
			moved.Index = where[i]
			return &moved, true
		}
		return x, true
	})
}
