package optimizer

import (
	"slices"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/planner/props"
	"github.com/millrace/millrace/sql/expr"
)

// filterPushdown moves conditions down to just above the sources. They stop where they would change the meaning:
//   - at a watermark: rows that are filtered out still tell how far time is;
//   - at the versioned side of a temporal join: without its newest version an older one would be found;
//   - at the side of an outer join that gets null rows, except for the join's own condition;
//   - at windows and groups, unless they read only what identifies the group.
func filterPushdown(n logical.Node, d *props.Deriver) logical.Node {
	return (&pusher{d}).push(n, nil)
}

type pusher struct{ d *props.Deriver }

// push makes n with the conditions applied to its output as far down as they go.
func (p *pusher) push(n logical.Node, conds []expr.Expr) logical.Node {
	var stay []expr.Expr
	conds, stay = split(conds, expr.Deterministic)
	switch x := n.(type) {
	case *logical.Filter:
		return place(p.push(x.Inputs()[0], append(conds, logical.Conjuncts(x.Pred)...)), stay)
	case *logical.Project:
		return place(p.project(x, conds), stay)
	case *logical.Join:
		return place(p.join(x, conds), stay)
	case *logical.Union:
		return place(p.union(x, conds), stay)
	}
	down, up := split(conds, p.passes(n))
	in := make([]logical.Node, len(n.Inputs()))
	for i, c := range n.Inputs() {
		in[i] = p.push(c, p.below(n, down))
	}
	if len(in) > 0 && !slices.Equal(in, n.Inputs()) {
		n = n.With(in...)
	}
	return place(n, append(up, stay...))
}

func split(conds []expr.Expr, keep func(expr.Expr) bool) (yes, no []expr.Expr) {
	for _, c := range conds {
		if keep(c) {
			yes = append(yes, c)
		} else {
			no = append(no, c)
		}
	}
	return yes, no
}

func place(n logical.Node, conds []expr.Expr) logical.Node {
	if len(conds) == 0 {
		return n
	}
	return logical.NewFilter(n, logical.And(conds))
}

// passes tells which conditions may move below a node with one input.
func (p *pusher) passes(n logical.Node) func(expr.Expr) bool {
	only := func(cols []int) func(expr.Expr) bool {
		return func(e expr.Expr) bool {
			used := expr.Columns(e)
			return len(used) > 0 && !slices.ContainsFunc(used, func(c int) bool { return !slices.Contains(cols, c) })
		}
	}
	switch x := n.(type) {
	case *logical.Window:
		width := len(x.Inputs()[0].Columns())
		return only(sequence(width))
	case *logical.Expand:
		return only(sequence(len(x.Keep)))
	case *logical.Normalize:
		return only(x.Key)
	case *logical.Deduplicate:
		return only(x.Key)
	case *logical.Over:
		return only(x.PartitionBy)
	case *logical.TopN:
		return only(x.PartitionBy)
	case *logical.Aggregate:
		return only(p.plainKeys(x))
	}
	return func(expr.Expr) bool { return false }
}

// plainKeys are the group columns that are not bounds of a window: a condition on those would come between window and aggregate.
func (p *pusher) plainKeys(a *logical.Aggregate) []int {
	info := p.d.Of(a)
	var out []int
	for i := range a.Keys {
		if !slices.Contains(info.WindowStart, i) && !slices.Contains(info.WindowEnd, i) && !slices.Contains(info.EventTime, i) {
			out = append(out, i)
		}
	}
	return out
}

// below rewrites conditions over n's output into ones over its input.
func (p *pusher) below(n logical.Node, conds []expr.Expr) []expr.Expr {
	var from []int // where the output's columns come from
	switch x := n.(type) {
	case *logical.Aggregate:
		from = x.Keys
	case *logical.Expand:
		from = x.Keep
	default:
		return conds
	}
	out := make([]expr.Expr, len(conds))
	for i, c := range conds {
		out[i] = logical.Transform(c, func(e expr.Expr) (expr.Expr, bool) {
			col, ok := e.(*expr.Col)
			if !ok {
				return nil, false
			}
			return logical.ColOf(n.Inputs()[0], from[col.Index]), true
		})
	}
	return out
}

func (p *pusher) project(x *logical.Project, conds []expr.Expr) logical.Node {
	down, up := split(conds, func(c expr.Expr) bool {
		grown := 0
		for _, i := range expr.Columns(c) {
			grown += size(x.Exprs[i])
			if !expr.Deterministic(x.Exprs[i]) {
				return false
			}
		}
		return grown <= maxMergedNodes
	})
	for i, c := range down {
		down[i] = logical.Substitute(c, x.Exprs)
	}
	return place(x.With(p.push(x.Inputs()[0], down)), up)
}

func (p *pusher) union(x *logical.Union, conds []expr.Expr) logical.Node {
	in := make([]logical.Node, len(x.Inputs()))
	for i, c := range x.Inputs() {
		in[i] = p.push(c, slices.Clone(conds))
	}
	return x.With(in...)
}

// join sends conditions to the sides that they read. Of those on both sides an inner join makes keys and residual.
func (p *pusher) join(x *logical.Join, conds []expr.Expr) logical.Node {
	width := len(x.Inputs()[0].Columns())
	var left, right, on, up []expr.Expr
	inner, rightOpen := x.Kind == physical.Inner, x.Method != logical.Temporal
	for _, c := range conds {
		switch side := logical.SideOf(c, width); {
		case side == 1 && x.Kind != physical.Full:
			left = append(left, c)
		case side == 2 && inner && rightOpen:
			right = append(right, logical.Shift(c, -width))
		case side == 3 && inner:
			on = append(on, c)
		default:
			up = append(up, c)
		}
	}
	next := *x
	residual := logical.Conjuncts(x.Residual)
	next.Residual = nil
	for _, c := range residual {
		switch side := logical.SideOf(c, width); {
		case side == 1 && (inner || x.Kind == physical.Semi):
			left = append(left, c)
		case side == 2 && x.Kind != physical.Full && rightOpen:
			right = append(right, logical.Shift(c, -width))
		default:
			next.Residual = logical.And(append(logical.Conjuncts(next.Residual), c))
		}
	}
	l, r := p.push(x.Inputs()[0], left), p.push(x.Inputs()[1], right)
	if !rightOpen { // the versions are those of the primary key: no further keys
		next.Residual = logical.And(append(logical.Conjuncts(next.Residual), on...))
		on = nil
	}
	return place(logical.BuildJoin(l, r, next, on), up)
}

func sequence(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
