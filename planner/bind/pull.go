package bind

import (
	"slices"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/vector"
)

// puller pulls the conditions of a subquery that read columns of the query around up to its top, where they become those of a join. It is the cheap
// way: nothing of the query around is computed twice. Where a condition cannot pass (an inequality below an aggregate, an outer column
// in a select list), the whole subquery goes the way of domain.go.
type puller struct {
	own map[int]expr.Expr // the outer columns that are to be freed; others are left where they are
}

// pulled is a plan whose first columns are those it had, with the conditions pulled out of it over its columns and outer ones.
type pulled struct {
	node  logical.Node
	width int // of the plan as it was
	conds []expr.Expr
	empty []expr.Expr // as in freed
}

// reads tells whether a plan reads columns to be freed.
func (p *puller) reads(n logical.Node) bool {
	for _, i := range logical.OuterOf(n) {
		if p.own[i] != nil {
			return true
		}
	}
	return false
}

func (p *puller) readsExpr(e expr.Expr) bool {
	for _, i := range logical.Outer(e) {
		if p.own[i] != nil {
			return true
		}
	}
	return false
}

func (p *puller) pull(n logical.Node) (*pulled, bool) {
	if !p.reads(n) {
		return &pulled{node: n, width: len(n.Columns())}, true
	}
	switch x := n.(type) {
	case *logical.Filter:
		return p.filter(x)
	case *logical.Project:
		return p.project(x)
	case *logical.Aggregate:
		return p.aggregate(x)
	case *logical.Join:
		return p.join(x)
	case *logical.Deduplicate, *logical.TopN, *logical.Sort, *logical.Limit, *logical.Over:
		return p.partitioned(n)
	}
	return nil, false
}

func (p *puller) filter(x *logical.Filter) (*pulled, bool) {
	out, ok := p.pull(x.Inputs()[0])
	if !ok {
		return nil, false
	}
	if out.empty != nil {
		// A group that the condition takes away is not one that never was.
		pred := logical.Substitute(x.Pred, out.empty)
		k, folded := expr.FoldConstant(pred).(*expr.Const)
		if !folded || !k.Value.IsNull(0) && k.Value.Bool(0) {
			return nil, false
		}
		out.empty = nil
	}
	var keep []expr.Expr
	for _, c := range logical.Conjuncts(x.Pred) {
		if p.readsExpr(c) {
			out.conds = append(out.conds, c)
		} else {
			keep = append(keep, c)
		}
	}
	if len(keep) > 0 {
		out.node = logical.NewFilter(out.node, logical.And(keep))
	}
	return out, true
}

// project passes the columns on that the conditions read.
func (p *puller) project(x *logical.Project) (*pulled, bool) {
	for _, e := range x.Exprs {
		if p.readsExpr(e) {
			return nil, false
		}
	}
	in, ok := p.pull(x.Inputs()[0])
	if !ok {
		return nil, false
	}
	list := columnList{exprs: append([]expr.Expr{}, x.Exprs...), names: append([]string{}, x.Names...)}
	out := &pulled{width: len(x.Exprs)}
	for _, c := range in.conds {
		out.conds = append(out.conds, logical.Transform(c, func(e expr.Expr) (expr.Expr, bool) {
			col, ok := e.(*expr.Col)
			if !ok || logical.IsOuter(col) {
				return e, ok
			}
			moved := *col
			moved.Index = list.add(logical.ColOf(in.node, col.Index))
			return &moved, true
		}))
	}
	out.node = list.project(in.node)
	for _, e := range x.Exprs {
		if in.empty != nil {
			out.empty = append(out.empty, expr.FoldConstant(logical.Substitute(e, in.empty)))
		}
	}
	return out, true
}

// equalities makes the plan's sides of conditions columns of it; ok is false when a condition is no equality. at are those columns,
// conds the conditions over them.
func (p *puller) equalities(in *pulled) (node logical.Node, at []int, conds []expr.Expr, ok bool) {
	var list columnList
	for i, f := range in.node.Columns() {
		list.append(logical.ColOf(in.node, i), f.Name)
	}
	for _, c := range in.conds {
		call, is := c.(*expr.Call)
		if !is || call.Name != "=" && call.Name != "<=>" {
			return nil, nil, nil, false
		}
		outer, inner := call.Args[0], call.Args[1]
		if p.readsExpr(inner) {
			outer, inner = inner, outer
		}
		if len(logical.Outer(inner)) > 0 || !onlyOuter(outer) || len(expr.Columns(inner)) == 0 {
			return nil, nil, nil, false
		}
		col := list.add(inner)
		at = append(at, col)
		next := *call
		next.Args = []expr.Expr{outer, &expr.Col{Index: col, Name: list.names[col], Typ: inner.Type(), Pos: -1}}
		conds = append(conds, &next)
	}
	node = in.node
	if len(list.exprs) > len(in.node.Columns()) {
		node = list.project(in.node)
	}
	return node, at, conds, true
}

func onlyOuter(e expr.Expr) bool {
	for _, c := range expr.Columns(e) {
		if c < logical.OuterBase {
			return false
		}
	}
	return true
}

// aggregate groups by what the conditions equate, too.
func (p *puller) aggregate(x *logical.Aggregate) (*pulled, bool) {
	in, ok := p.pull(x.Inputs()[0])
	if !ok || in.empty != nil {
		return nil, false
	}
	node, at, conds, ok := p.equalities(in)
	if !ok {
		return nil, false
	}
	next := *x
	next.Keys = append(append([]int{}, x.Keys...), at...)
	out := &pulled{width: len(x.Columns())}
	n, more := len(x.Keys), len(at)
	order := make([]int, 0, out.width+more)
	for i := range n {
		order = append(order, i)
	}
	for i := range x.Aggs {
		order = append(order, n+more+i)
	}
	for i := range more {
		order = append(order, n+i)
	}
	out.node = logical.NewPick(logical.NewAggregate(node, next), order)
	for i, c := range conds {
		call := *c.(*expr.Call)
		key := *call.Args[1].(*expr.Col)
		key.Index = out.width + i
		call.Args = []expr.Expr{call.Args[0], &key}
		out.conds = append(out.conds, &call)
	}
	if n == 0 {
		out.empty = emptyResults(x.Aggs)
	}
	return out, true
}

// emptyResults are what aggregates give over no rows.
func emptyResults(aggs []physical.AggCall) []expr.Expr {
	out := make([]expr.Expr, len(aggs))
	for i, a := range aggs {
		s := a.Bound.NewState(false)
		s.Grow(1)
		v := vector.New(a.Bound.Ret, 1)
		s.Emit(0, v)
		out[i] = &expr.Const{Value: v, Pos: -1}
	}
	return out
}

// join pulls from both sides of an inner join, from the left side of others.
func (p *puller) join(x *logical.Join) (*pulled, bool) {
	inner := x.Kind == physical.Inner && x.Method == logical.Regular
	if !inner && (p.reads(x.Inputs()[1]) || p.readsExpr(x.Residual) || x.Kind == physical.Full) {
		return nil, false
	}
	l, lok := p.pull(x.Inputs()[0])
	if !lok || l.empty != nil {
		return nil, false
	}
	r, rok := p.pull(x.Inputs()[1])
	if !rok || r.empty != nil {
		return nil, false
	}
	next := *x
	next.Residual = nil
	lw, lmore := l.width, len(l.node.Columns())-l.width
	var keep []expr.Expr
	out := &pulled{width: len(x.Columns())}
	// Behind the join stand left, more of left, right, more of right; from there the order is left, right, more of both.
	for _, c := range logical.Conjuncts(x.Residual) {
		if p.readsExpr(c) {
			out.conds = append(out.conds, c)
		} else {
			keep = append(keep, shiftFrom(c, lw, lmore))
		}
	}
	next.Residual = logical.And(keep)
	joined := logical.NewJoin(l.node, r.node, next)
	order := make([]int, 0, len(joined.Columns()))
	for i := range lw {
		order = append(order, i)
	}
	for i := lw + lmore; i < lw+lmore+out.width-lw; i++ {
		order = append(order, i)
	}
	moreLeft := len(order)
	for i := range lmore {
		order = append(order, lw+i)
	}
	moreRight := len(order)
	for i := lw + lmore + out.width - lw; i < len(joined.Columns()); i++ {
		order = append(order, i)
	}
	out.node = logical.NewPick(joined, order)
	for _, c := range l.conds {
		out.conds = append(out.conds, moved(c, lw, 0, moreLeft))
	}
	for _, c := range r.conds {
		out.conds = append(out.conds, moved(c, r.width, lw, moreRight))
	}
	return out, true
}

// moved moves columns below width by `by`, those from there on to `more` on.
func moved(e expr.Expr, width, by, more int) expr.Expr {
	return logical.Transform(e, func(x expr.Expr) (expr.Expr, bool) {
		c, ok := x.(*expr.Col)
		if !ok || logical.IsOuter(c) {
			return x, ok
		}
		m := *c
		if m.Index < width {
			m.Index += by
		} else {
			m.Index += more - width
		}
		return &m, true
	})
}

// partitioned applies what orders, counts or deduplicates rows to the rows of each value of the columns that the conditions equate.
func (p *puller) partitioned(n logical.Node) (*pulled, bool) {
	in, ok := p.pull(n.Inputs()[0])
	if !ok {
		return nil, false
	}
	if in.empty != nil { // one row: an order of it means nothing
		if x, is := n.(*logical.Sort); is && x.Offset == 0 && x.Limit != 0 {
			return in, true
		}
		return nil, false
	}
	node, at, conds, ok := p.equalities(in)
	if !ok {
		return nil, false
	}
	out, err := perPartition(n, node, at, in.width)
	if err != nil {
		return nil, false
	}
	res := &pulled{node: out, width: len(n.Columns())}
	for _, c := range conds {
		res.conds = append(res.conds, moved(c, in.width, 0, res.width))
	}
	return res, true
}

// perPartition makes n over another input for each value of the columns at. The input's first width columns are those of n's input; in
// the output those behind them stand behind n's own.
func perPartition(n, in logical.Node, at []int, width int) (logical.Node, error) {
	switch x := n.(type) {
	case *logical.Deduplicate:
		return logical.NewDeduplicate(in, append(append([]int{}, x.Key...), at...)), nil
	case *logical.Over:
		next := *x
		next.PartitionBy = append(append([]int{}, x.PartitionBy...), at...)
		return lastBehind(logical.NewOver(in, next), width, len(x.Calls)), nil
	case *logical.TopN:
		next := *x
		next.PartitionBy = append(append([]int{}, x.PartitionBy...), at...)
		out := logical.NewTopN(in, next)
		if x.WithRank {
			return lastBehind(out, width, 1), nil
		}
		return out, nil
	case *logical.Sort:
		if x.Limit < 0 && x.Offset == 0 {
			return in, nil
		}
		return firstOf(in, logical.TopN{PartitionBy: at, Order: x.Order}, x.Offset, x.Limit)
	case *logical.Limit:
		return firstOf(in, logical.TopN{PartitionBy: at}, x.Offset, x.Limit)
	}
	return nil, notSupported(-1, "%T in a correlated subquery", n)
}

// lastBehind moves the last count columns to place width.
func lastBehind(n logical.Node, width, count int) logical.Node {
	all := allColumns(n)
	last := len(all) - count
	order := slices.Concat(all[:width], all[last:], all[width:last])
	return logical.NewPick(n, order)
}

// maxPartitionRows stands for LIMIT without a number: an offset alone.
const maxPartitionRows = 1 << 40

// firstOf is LIMIT with OFFSET per partition.
func firstOf(in logical.Node, t logical.TopN, offset, limit int64) (logical.Node, error) {
	if limit < 0 {
		limit = maxPartitionRows
	}
	if limit == 0 {
		return logical.NewFilter(in, expr.NewBool(false)), nil
	}
	t.Limit = limit + offset
	if offset == 0 {
		return logical.NewTopN(in, t), nil
	}
	t.WithRank = true
	n := logical.NewTopN(in, t)
	width := len(in.Columns())
	past, err := expr.NewCall(">", -1, logical.ColOf(n, width), expr.NewInt(offset))
	if err != nil {
		return nil, err
	}
	return logical.NewPick(logical.NewFilter(n, past), allColumns(n)[:width]), nil
}
