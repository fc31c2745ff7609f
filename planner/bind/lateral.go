package bind

import (
	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
)

// lateral binds `left JOIN LATERAL (query)`: the query sees the columns of left, and runs as if for each of its rows.
func (b *Binder) lateral(x *ast.Join, t *ast.DerivedTable, left logical.Node, ls *scope) (logical.Node, *scope, error) {
	at := b.at(t)
	switch {
	case x.Kind == ast.JoinRight || x.Kind == ast.JoinFull:
		return nil, nil, diag.New(diag.WrongArguments, at, "LATERAL reads the rows on its left: it cannot be joined with RIGHT or FULL JOIN").WithHint("use JOIN or LEFT JOIN")
	case len(x.Using) > 0 || x.Natural:
		return nil, nil, notSupported(at, "USING or NATURAL with LATERAL").WithHint("write the condition in its WHERE")
	}
	q, err := b.inner(t.Query, ls)
	if err != nil {
		return nil, nil, err
	}
	q.at = at
	rs := fieldsToScope(t.Alias.Text, q.plan)
	if err := b.renameScope(rs, t.Columns, t); err != nil {
		return nil, nil, err
	}
	s := &sides{left: left, right: q.plan, ls: ls, rs: rs}
	if x.On != nil {
		if err := b.onConditions(x, s); err != nil {
			return nil, nil, err
		}
	}
	if s.right != q.plan {
		return nil, nil, notSupported(at, "a subquery in ON of LATERAL").WithHint("write the condition in its WHERE")
	}
	out, err := b.lateralJoin(left, q, joinKinds[x.Kind], s.conds)
	if err != nil {
		return nil, nil, err
	}
	return b.joined(x, s, out)
}

// lateralJoin gives the columns of in, then those of the subquery.
func (b *Binder) lateralJoin(in logical.Node, q *subquery, kind physical.JoinKind, conds []expr.Expr) (logical.Node, error) {
	width, own := len(in.Columns()), len(q.plan.Columns())
	if row, ok := q.computed(width); ok && len(conds) == 0 {
		p := logical.NewPick(in, allColumns(in))
		for i, f := range q.plan.Columns() {
			p.Exprs, p.Names = append(p.Exprs, row[i]), append(p.Names, f.Name)
		}
		return logical.NewProject(in, p.Exprs, p.Names), nil
	}
	p, err := b.free(in, q, len(conds) > 0)
	if err != nil {
		return nil, err
	}
	if p.always() {
		return b.joinEmpty(in, q, p)
	}
	out := p.join(in, kind, q.at, conds...)
	return logical.NewPick(out, allColumns(out)[:width+own]), nil
}

// computed gives the row of a subquery that reads no table: expressions over the rows of the query around.
func (q *subquery) computed(width int) ([]expr.Expr, bool) {
	p, ok := q.plan.(*logical.Project)
	if !ok {
		return nil, false
	}
	one, ok := p.Inputs()[0].(*logical.Values)
	if !ok || len(one.Rows) != 1 {
		return nil, false
	}
	row := make([]expr.Expr, len(p.Exprs))
	for i, e := range p.Exprs {
		if !expr.Deterministic(e) {
			return nil, false
		}
		row[i] = q.over(logical.Substitute(e, one.Rows[0]), width)
	}
	return row, true
}

// joinEmpty joins in with a subquery that has a row in any case: where conds find none, the empty one.
func (b *Binder) joinEmpty(in logical.Node, q *subquery, p *freed) (logical.Node, error) {
	width, own := len(in.Columns()), len(p.empty)
	cols := logical.NewPick(p.node, allColumns(p.node))
	p.node = logical.NewProject(p.node, append(cols.Exprs, expr.NewBool(true)), append(cols.Names, "found"))
	joined := p.join(in, physical.Left, q.at)
	found := logical.ColOf(joined, len(joined.Columns())-1)
	out := logical.NewPick(joined, allColumns(joined)[:width+own])
	for i, e := range p.empty {
		if isNullConst(e) {
			continue
		}
		value, err := expr.NewCase([]expr.Expr{found}, []expr.Expr{out.Exprs[width+i]}, e, q.at)
		if err != nil {
			return nil, err
		}
		if out.Exprs[width+i], err = castTo(value, q.plan.Columns()[i].Type, q.at); err != nil {
			return nil, err
		}
	}
	return logical.NewProject(joined, out.Exprs, out.Names), nil
}
