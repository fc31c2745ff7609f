package bind

import (
	"slices"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/expr"
)

// domain frees any subquery of the columns of the query around it, as Neumann and Kemper have it ("Unnesting Arbitrary Queries", BTW 2015): the
// different values of those columns, its domain, are pushed down the plan as columns of their own, until they meet what does not depend on
// them. Each node then works for all values at once. The plan is joined with the query around by these columns.
type domain struct {
	b    *Binder
	in   logical.Node
	own  map[int]expr.Expr
	vars []int // outer columns, ascending: the order of the domain's columns
	at   int
}

func newDomain(b *Binder, in logical.Node, q *subquery) *domain {
	d := &domain{b: b, in: in, own: q.outs, at: q.at}
	for _, v := range logical.OuterOf(q.plan) {
		if q.outs[v] != nil {
			d.vars = append(d.vars, v)
		}
	}
	return d
}

// values is the plan of the domain.
func (d *domain) values() logical.Node {
	var list columnList
	for _, v := range d.vars {
		list.append(d.own[v], expr.Print(d.own[v]))
	}
	return d.b.distinct(list.project(d.in), d.at)
}

// conditions equate the domain's columns, which stand from width on in the pushed plan, with the outer columns.
func (d *domain) conditions(width int) []expr.Expr {
	var out []expr.Expr
	for i, v := range d.vars {
		t := d.own[v].Type()
		e, err := expr.NewCall("<=>", d.at, &expr.Col{Index: logical.OuterBase + v, Name: expr.Print(d.own[v]), Typ: t, Pos: d.at},
			&expr.Col{Index: width + i, Name: expr.Print(d.own[v]), Typ: t, Pos: -1})
		if err != nil { // values of one type always compare
			continue
		}
		out = append(out, e)
	}
	return out
}

func (d *domain) reads(n logical.Node) bool { return (&puller{own: d.own}).reads(n) }

// bound replaces the outer columns by those of the domain, which stand from width on.
func (d *domain) bound(e expr.Expr, width int) expr.Expr {
	return logical.Transform(e, func(x expr.Expr) (expr.Expr, bool) {
		c, ok := x.(*expr.Col)
		if !ok || !logical.IsOuter(c) {
			return x, ok
		}
		i := slices.Index(d.vars, c.Index-logical.OuterBase)
		if i < 0 {
			return x, true
		}
		return &expr.Col{Index: width + i, Name: c.Name, Typ: c.Typ, Pos: c.Pos}, true
	})
}

// push makes n for every value of the domain: its columns, then those of the domain.
func (d *domain) push(n logical.Node) (logical.Node, error) {
	if !d.reads(n) {
		return logical.NewJoin(n, d.values(), logical.Join{Kind: physical.Inner, Pos: d.at}), nil
	}
	width := len(n.Columns())
	switch x := n.(type) {
	case *logical.Filter:
		return d.filter(x)
	case *logical.Project:
		return d.project(x)
	case *logical.Aggregate:
		return d.aggregate(x)
	case *logical.Join:
		return d.join(x)
	case *logical.Values:
		return d.rows(x)
	case *logical.Expand:
		return d.expand(x)
	case *logical.Union:
		in := make([]logical.Node, len(x.Inputs()))
		for i, c := range x.Inputs() {
			var err error
			if in[i], err = d.push(c); err != nil {
				return nil, err
			}
		}
		return logical.NewUnion(in...), nil
	case *logical.Window:
		in, err := d.push(x.Inputs()[0])
		if err != nil {
			return nil, err
		}
		w := logical.NewWindow(in, *x)
		below := width - len(logical.WindowColumnNames)
		order := allColumns(w)
		order = append(append(slices.Clone(order[:below]), order[below+len(d.vars):]...), order[below:below+len(d.vars)]...)
		return logical.NewPick(w, order), nil
	case *logical.Deduplicate, *logical.TopN, *logical.Sort, *logical.Limit, *logical.Over:
		in, err := d.push(n.Inputs()[0])
		if err != nil {
			return nil, err
		}
		below := len(n.Inputs()[0].Columns())
		return perPartition(n, in, allColumns(in)[below:], below)
	}
	return nil, notSupported(d.at, "a column of the query around, below this in a subquery,").WithHint("join with it in FROM")
}

// filter lets the domain meet what does not depend on it under its conditions, so that these can be keys.
func (d *domain) filter(x *logical.Filter) (logical.Node, error) {
	conds, below := logical.Conjuncts(x.Pred), x.Inputs()[0]
	for {
		f, ok := below.(*logical.Filter)
		if !ok {
			break
		}
		conds, below = append(conds, logical.Conjuncts(f.Pred)...), f.Inputs()[0]
	}
	width := len(below.Columns())
	if !d.reads(below) {
		if n := d.derived(below, conds); n != nil {
			return n, nil
		}
		for i, c := range conds {
			conds[i] = d.bound(c, width)
		}
		return logical.BuildJoin(below, d.values(), logical.Join{Kind: physical.Inner, Pos: d.at}, conds), nil
	}
	in, err := d.push(below)
	if err != nil {
		return nil, err
	}
	for i, c := range conds {
		conds[i] = d.bound(c, width)
	}
	return logical.NewFilter(in, logical.And(conds)), nil
}

// derived reads the domain off the rows themselves where the conditions equate all of it: values that the query around does not have do no harm,
// because the result is joined with it. nil: not all is equated.
func (d *domain) derived(in logical.Node, conds []expr.Expr) logical.Node {
	width := len(in.Columns())
	p := logical.NewPick(in, allColumns(in))
	exprs, names := p.Exprs, p.Names
	var notNull []expr.Expr
	for _, v := range d.vars {
		e := d.equated(conds, v)
		if e == nil {
			return nil
		}
		is, err := expr.NewCall("is_not_null", d.at, &expr.Col{Index: len(exprs), Typ: e.Type(), Pos: -1})
		if err != nil {
			return nil
		}
		notNull = append(notNull, is)
		exprs, names = append(exprs, e), append(names, expr.Print(e))
	}
	all := notNull
	for _, c := range conds {
		all = append(all, d.bound(c, width))
	}
	return logical.NewFilter(logical.NewProject(in, exprs, names), logical.And(all))
}

// equated finds what a condition says an outer column equals, in its own type.
func (d *domain) equated(conds []expr.Expr, v int) expr.Expr {
	for _, c := range conds {
		call, ok := c.(*expr.Call)
		if !ok || call.Name != "=" || len(call.Args) != 2 {
			continue
		}
		for i, a := range call.Args {
			e := call.Args[1-i]
			col, ok := a.(*expr.Col)
			if ok && col.Index == logical.OuterBase+v && len(logical.Outer(e)) == 0 && e.Type().Equal(col.Typ) && expr.Deterministic(e) {
				return e
			}
		}
	}
	return nil
}

// columns appends the domain's columns of in, which stand from width on, to a list.
func (d *domain) columns(in logical.Node, width int, exprs []expr.Expr, names []string) ([]expr.Expr, []string) {
	for i := range d.vars {
		exprs, names = append(exprs, logical.ColOf(in, width+i)), append(names, in.Columns()[width+i].Name)
	}
	return exprs, names
}

func (d *domain) project(x *logical.Project) (logical.Node, error) {
	width := len(x.Inputs()[0].Columns())
	in, err := d.push(x.Inputs()[0])
	if err != nil {
		return nil, err
	}
	exprs := make([]expr.Expr, len(x.Exprs))
	for i, e := range x.Exprs {
		exprs[i] = d.bound(e, width)
	}
	exprs, names := d.columns(in, width, exprs, slices.Clone(x.Names))
	return logical.NewProject(in, exprs, names), nil
}

// rows makes constant rows that read the domain.
func (d *domain) rows(x *logical.Values) (logical.Node, error) {
	var in []logical.Node
	for _, row := range x.Rows {
		values := d.values()
		exprs, names := make([]expr.Expr, len(row)), make([]string, len(row))
		for i, e := range row {
			exprs[i], names[i] = d.bound(e, 0), x.Columns()[i].Name
		}
		exprs, names = d.columns(values, 0, exprs, names)
		in = append(in, logical.NewProject(values, exprs, names))
	}
	if len(in) == 1 {
		return in[0], nil
	}
	return logical.NewUnion(in...), nil
}

// expand makes rows of values that the domain holds, too.
func (d *domain) expand(x *logical.Expand) (logical.Node, error) {
	below := len(x.Inputs()[0].Columns())
	in, err := d.push(x.Inputs()[0])
	if err != nil {
		return nil, err
	}
	next := *x
	next.Args = make([]expr.Expr, len(x.Args))
	for i, e := range x.Args {
		next.Args[i] = d.bound(e, below)
	}
	next.Keep = append(slices.Clone(x.Keep), allColumns(in)[below:]...)
	out := logical.NewExpand(in, next)
	n, k := len(x.Keep), len(d.vars)
	order := allColumns(out)
	order = append(append(slices.Clone(order[:n]), order[n+k:]...), order[n:n+k]...)
	return logical.NewPick(out, order), nil
}

// aggregate groups by the domain, too. Without GROUP BY each of its values has a row, also where there is nothing to aggregate.
func (d *domain) aggregate(x *logical.Aggregate) (logical.Node, error) {
	below := len(x.Inputs()[0].Columns())
	in, err := d.push(x.Inputs()[0])
	if err != nil {
		return nil, err
	}
	next := *x
	next.Keys = append(slices.Clone(x.Keys), allColumns(in)[below:]...)
	next.Final = false
	g := logical.Node(logical.NewAggregate(in, next))
	n, k := len(x.Keys), len(d.vars)
	order := allColumns(g)
	order = append(append(slices.Clone(order[:n]), order[n+k:]...), order[n:n+k]...)
	if n > 0 {
		return logical.NewPick(g, order), nil
	}
	p := logical.NewPick(g, order)
	g = logical.NewProject(g, append(p.Exprs, expr.NewBool(true)), append(p.Names, "found"))
	return d.withEmpty(g, emptyResults(x.Aggs))
}

// withEmpty gives the values of the domain that have no row in g the row empty. In g stand the row, the domain and a marker.
func (d *domain) withEmpty(g logical.Node, empty []expr.Expr) (logical.Node, error) {
	values, n, k := d.values(), len(empty), len(d.vars)
	j := logical.Join{Kind: physical.Left, Pos: d.at}
	for i := range k {
		j.LeftKeys, j.RightKeys, j.NullEqual = append(j.LeftKeys, i), append(j.RightKeys, n+i), append(j.NullEqual, true)
	}
	out := logical.NewJoin(values, g, j)
	found := logical.ColOf(out, k+n+k)
	exprs, names := make([]expr.Expr, n), make([]string, n)
	for i, e := range empty {
		col := logical.ColOf(out, k+i)
		exprs[i], names[i] = col, col.Name
		if isNullConst(e) {
			continue
		}
		var err error
		if exprs[i], err = expr.NewCase([]expr.Expr{found}, []expr.Expr{col}, e, d.at); err != nil {
			return nil, err
		}
		if exprs[i], err = castTo(exprs[i], col.Typ, d.at); err != nil {
			return nil, err
		}
	}
	exprs, names = d.columns(out, 0, exprs, names)
	return logical.NewProject(out, exprs, names), nil
}

// join pushes to the sides that depend on the domain. The left side of other than inner joins needs it in any case.
func (d *domain) join(x *logical.Join) (logical.Node, error) {
	left, right := x.Inputs()[0], x.Inputs()[1]
	inner := x.Kind == physical.Inner
	switch {
	case x.Kind == physical.Full:
		return nil, notSupported(d.at, "a column of the query around, in a FULL JOIN of a subquery,")
	case inner && !d.reads(left) && d.reads(right):
		return d.joinRight(x)
	}
	lw := len(left.Columns())
	l, err := d.push(left)
	if err != nil {
		return nil, err
	}
	k := len(d.vars)
	next := *x
	next.Residual = nil
	var conds []expr.Expr
	for _, c := range logical.Conjuncts(x.Residual) {
		conds = append(conds, d.bound(shiftFrom(c, lw, k), lw))
	}
	both := d.reads(right)
	if both {
		rw := len(right.Columns())
		if right, err = d.push(right); err != nil {
			return nil, err
		}
		for i := range k {
			next = next.WithKey(lw+i, rw+i, true)
		}
	}
	out := logical.BuildJoin(l, right, next, conds)
	// left, domain, right (or mark), perhaps the domain again: the domain goes behind.
	own := len(x.Columns())
	order := allColumns(out)
	order = append(append(slices.Clone(order[:lw]), order[lw+k:own+k]...), order[lw:lw+k]...)
	return logical.NewPick(out, order), nil
}

// joinRight pushes to the right side of an inner join only.
func (d *domain) joinRight(x *logical.Join) (logical.Node, error) {
	r, err := d.push(x.Inputs()[1])
	if err != nil {
		return nil, err
	}
	next := *x
	next.Residual = nil
	var conds []expr.Expr
	for _, c := range logical.Conjuncts(x.Residual) {
		conds = append(conds, d.bound(c, len(x.Columns())))
	}
	return logical.BuildJoin(x.Inputs()[0], r, next, conds), nil
}
