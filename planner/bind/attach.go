package bind

import (
	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
)

// freed is a subquery's plan that reads no column of the query around it: what it had to do with them stands in conds, over the rows of the query
// around and then the plan's. The subquery's own columns come first in the plan.
type freed struct {
	node  logical.Node
	conds []expr.Expr
	// empty is the row that the subquery gives where conds find none: an aggregate without GROUP BY has a row even then. nil: no row.
	empty []expr.Expr
}

// always tells that there is a row in any case.
func (p *freed) always() bool { return p.empty != nil }

func (q *subquery) typ() types.Type {
	if q.kind == scalarQuery {
		return q.plan.Columns()[0].Type
	}
	return types.Of(types.Bool)
}

// free frees a subquery for rows of in. Exact: the empty row must be a row of the plan.
func (b *Binder) free(in logical.Node, q *subquery, exact bool) (*freed, error) {
	plan := finalTables(b, q.plan)
	p, ok := (&puller{own: q.outs}).pull(plan)
	if !ok || exact && p.empty != nil {
		d := newDomain(b, in, q)
		node, err := d.push(plan)
		if err != nil {
			return nil, err
		}
		p = &pulled{node: node, conds: d.conditions(len(plan.Columns()))}
	}
	out := &freed{node: p.node, empty: p.empty}
	for _, c := range p.conds {
		out.conds = append(out.conds, q.over(c, len(in.Columns())))
	}
	if missing := logical.OuterOf(p.node); len(missing) > 0 && len(b.frames) == 0 {
		return nil, notSupported(q.at, "a column of the query around, at this place of a subquery,")
	}
	return out, nil
}

// finalTables lets aggregates over static tables give their rows once, when the table has been read: then the subquery is a table to look up
// things in.
func finalTables(b *Binder, n logical.Node) logical.Node {
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		a, ok := n.(*logical.Aggregate)
		if !ok || a.Final || !b.props.Of(a.Inputs()[0]).Static {
			return n
		}
		next := *a
		next.Final = true
		return logical.NewAggregate(a.Inputs()[0], next)
	})
}

// over moves an expression over the plan's columns, and outer ones, to the rows of the query around beside the plan's.
func (q *subquery) over(e expr.Expr, width int) expr.Expr {
	return logical.Transform(e, func(x expr.Expr) (expr.Expr, bool) {
		c, ok := x.(*expr.Col)
		if !ok {
			return nil, false
		}
		if !logical.IsOuter(c) {
			return logical.Shift(c, width), true
		}
		if own := q.outs[c.Index-logical.OuterBase]; own != nil {
			return own, true
		}
		return x, true
	})
}

// join joins in with the plan.
func (p *freed) join(in logical.Node, kind physical.JoinKind, at int, more ...expr.Expr) logical.Node {
	conds := append(append([]expr.Expr{}, p.conds...), more...)
	return logical.BuildJoin(in, p.node, logical.Join{Kind: kind, Pos: at}, conds)
}

// attach puts a subquery beside the rows of in and gives the expression of its value over the result.
func (b *Binder) attach(in logical.Node, q *subquery) (logical.Node, expr.Expr, error) {
	switch q.kind {
	case existsQuery:
		p, err := b.free(in, q, false)
		if err != nil {
			return nil, nil, err
		}
		if p.always() {
			return in, expr.NewBool(true), nil
		}
		out := p.join(in, physical.Mark, q.at)
		return out, logical.ColOf(out, len(in.Columns())), nil
	case anyQuery:
		return b.attachAny(in, q)
	}
	return b.attachScalar(in, q)
}

// attachAny gives TRUE when some comparison is TRUE, else NULL when some is NULL, else FALSE; negated the opposite.
func (b *Binder) attachAny(in logical.Node, q *subquery) (logical.Node, expr.Expr, error) {
	p, err := b.free(in, q, true)
	if err != nil {
		return nil, nil, err
	}
	width := len(in.Columns())
	eq, err := q.compare(width, q.left)
	if err != nil {
		return nil, nil, err
	}
	out := p.join(in, physical.Mark, q.at, eq)
	found := logical.ColOf(out, width)
	if out, err = b.joinUnknown(in, out, p, q, physical.Mark); err != nil {
		return nil, nil, err
	}
	null, err := expr.NewCast(expr.NewNull(), types.Of(types.Bool), false, q.at)
	if err != nil {
		return nil, nil, err
	}
	unknown := logical.ColOf(out, len(out.Columns())-1)
	value, err := expr.NewCase([]expr.Expr{found, unknown}, []expr.Expr{expr.NewBool(!q.negate), null}, expr.NewBool(q.negate), q.at)
	return out, value, err
}

// joinUnknown joins out, made of in, with the rows of the subquery for which the comparison is NULL. That of two values is when one of
// them is: then the different values of the subquery do not matter, only whether there is a NULL among them.
func (b *Binder) joinUnknown(in, out logical.Node, p *freed, q *subquery, kind physical.JoinKind) (logical.Node, error) {
	width, more := len(in.Columns()), len(out.Columns())-len(in.Columns())
	u := *p
	var cond expr.Expr
	var err error
	if len(q.left) == 1 {
		isNull, err := expr.NewCall("is_null", q.at, logical.ColOf(p.node, 0))
		if err != nil {
			return nil, err
		}
		cols := logical.NewPick(p.node, allColumns(p.node))
		u.node = logical.NewProject(p.node, append(cols.Exprs, isNull), append(cols.Names, "is_null"))
		left, err := expr.NewCall("is_null", q.at, q.left[0])
		if err != nil {
			return nil, err
		}
		if k, ok := left.(*expr.Const); ok && !k.Value.Bool(0) {
			cond = logical.Shift(logical.ColOf(u.node, len(u.node.Columns())-1), width)
		} else if cond, err = expr.NewCall("or", q.at, left, logical.Shift(logical.ColOf(u.node, len(u.node.Columns())-1), width)); err != nil {
			return nil, err
		}
	} else {
		if cond, err = q.compare(width, q.left); err != nil {
			return nil, err
		}
		if cond, err = expr.NewCall("is_null", q.at, cond); err != nil {
			return nil, err
		}
	}
	u.conds = nil
	for _, c := range append(append([]expr.Expr{}, p.conds...), cond) {
		u.conds = append(u.conds, shiftFrom(c, width, more))
	}
	return u.join(out, kind, q.at), nil
}

// shiftFrom moves the columns from width on by n.
func shiftFrom(e expr.Expr, width, n int) expr.Expr {
	return logical.Transform(e, func(x expr.Expr) (expr.Expr, bool) {
		c, ok := x.(*expr.Col)
		if !ok || c.Index < width {
			return x, ok
		}
		return logical.Shift(c, n), true
	})
}

// attachScalar gives the subquery's value: NULL when it has no row, an error when it has several.
func (b *Binder) attachScalar(in logical.Node, q *subquery) (logical.Node, expr.Expr, error) {
	width := len(in.Columns())
	if row, ok := q.computed(width); ok {
		return in, row[0], nil
	}
	p, err := b.free(in, q, false)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case !b.oneRow(p, width):
		return b.attachChecked(in, q, p)
	case p.always():
		out, err := b.joinEmpty(in, q, p)
		return out, &expr.Col{Index: width, Name: q.plan.Columns()[0].Name, Typ: q.typ(), Pos: q.at}, err
	}
	out := p.join(in, physical.Left, q.at)
	return out, logical.ColOf(out, width), nil
}

func isNullConst(e expr.Expr) bool {
	k, ok := e.(*expr.Const)
	return ok && k.Value.IsNull(0)
}

// oneRow tells whether the plan gives each row of the query around at most one row: the columns that conds equate hold a key of it.
func (b *Binder) oneRow(p *freed, width int) bool {
	equal := map[int]bool{}
	for _, c := range p.conds {
		if _, inner, ok := logical.Equality(c, width); ok {
			equal[logical.KeyColumn(inner)-width] = true
		}
	}
	for _, key := range b.props.Of(p.node).Keys {
		all := true
		for _, c := range key {
			all = all && equal[c]
		}
		if all {
			return true
		}
	}
	return false
}

// attachChecked counts the subquery's rows: more than one is an error of the row that asks. While rows still come and go, a second one may
// be there for a moment only, so that over a stream it must follow from the query that there is one.
func (b *Binder) attachChecked(in logical.Node, q *subquery, p *freed) (logical.Node, expr.Expr, error) {
	if !b.props.Of(p.node).Bounded {
		return nil, nil, notSupported(q.at, "a scalar subquery over a stream that may give several rows").
			WithHint("aggregate it (MAX, ANY_VALUE), take the first with ORDER BY .. LIMIT 1, or write IN (SELECT ..)")
	}
	width := len(in.Columns())
	keys, conds, ok := equated(p, width)
	if !ok {
		d := newDomain(b, in, q)
		node, err := d.push(finalTables(b, q.plan))
		if err != nil {
			return nil, nil, err
		}
		p = &freed{node: node}
		for _, c := range d.conditions(1) {
			p.conds = append(p.conds, q.over(c, width))
		}
		keys, conds, _ = equated(p, width)
	}
	calls, err := oneOf(logical.ColOf(p.node, 0))
	if err != nil {
		return nil, nil, err
	}
	n := finalTables(b, calls.group(p.node, keys, b.emit, q.at))
	out := logical.BuildJoin(in, n, logical.Join{Kind: physical.Left, Pos: q.at}, conds)
	check, err := expr.NewCall("single_row", q.at, logical.ColOf(out, width+len(keys)))
	if err != nil {
		return nil, nil, err
	}
	value, err := expr.NewCase([]expr.Expr{check}, []expr.Expr{logical.ColOf(out, width+len(keys)+1)}, nil, q.at)
	return out, value, err
}

// oneOf counts rows and keeps one of their values.
func oneOf(value expr.Expr) (*aggregates, error) {
	count, err := countAll()
	if err != nil {
		return nil, err
	}
	any, err := function.LookupAgg("any_value").Bind([]function.Arg{{Type: value.Type()}})
	if err != nil {
		return nil, diag.New(diag.Internal, value.At(), "any_value: %v", err)
	}
	return &aggregates{calls: []aggregate{count, {name: "ANY_VALUE(" + expr.Print(value) + ")", bound: any, args: []expr.Expr{value}}}}, nil
}

// equated takes conditions apart that all equate something of the query around with something of the plan: keys are what of the plan, conds the
// same conditions when the keys stand in front of a plan of their own; ok is false when there are others.
func equated(p *freed, width int) (keys, conds []expr.Expr, ok bool) {
	for _, c := range p.conds {
		outer, inner, is := logical.Equality(c, width)
		if !is {
			return nil, nil, false
		}
		e := logical.Shift(inner, -width)
		conds = append(conds, &expr.Call{}) // replaced below
		call := *c.(*expr.Call)
		call.Args = []expr.Expr{outer, &expr.Col{Index: width + len(keys), Name: expr.Print(e), Typ: e.Type(), Pos: -1}}
		conds[len(conds)-1] = &call
		keys = append(keys, e)
	}
	return keys, conds, true
}
