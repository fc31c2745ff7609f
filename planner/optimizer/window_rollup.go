package optimizer

import (
	"slices"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/planner/props"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
)

// rollupSize is the length of the windows that stand for windows already made: one for each end, and no longer than the distance that
// two different ends can have, which is a millisecond as for TIMESTAMP(3).
const rollupSize = types.Millisecond

// windowRollup: rows that carry the bounds of a window (results of a window aggregate, a join on a window) are grouped by its end. The
// last of them has come when the watermark passes the end, so that the groups can be given out once, at that time: as windows of
// a millisecond over `end - 1 ms`, which close at the end. The bounds stay group columns as they are.
//
// It comes after window_merge, which takes the windows that can still be made, and does not fire for EMIT CHANGES.
func windowRollup(n logical.Node, d *props.Deriver) logical.Node {
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		a, ok := n.(*logical.Aggregate)
		if !ok || a.Emit == ast.EmitChanges {
			return n
		}
		in := a.Inputs()[0]
		end := slices.IndexFunc(a.Keys, func(k int) bool { return slices.Contains(d.Of(in).WindowEnd, k) })
		if end < 0 {
			return n
		}
		time, err := lastInstant(logical.ColOf(in, a.Keys[end]))
		if err != nil {
			return n // arithmetic on a timestamp is always there; without it the plan stays as it was
		}
		return rolledUp(a, time)
	})
}

// lastInstant is the last millisecond before a window's end.
func lastInstant(end expr.Expr) (expr.Expr, error) {
	ms, err := expr.NewInterval(expr.NewInt(rollupSize), "MICROSECOND", -1)
	if err != nil {
		return nil, err
	}
	return expr.NewCall("-", -1, end, ms)
}

func rolledUp(a *logical.Aggregate, time expr.Expr) logical.Node {
	in := a.Inputs()[0]
	width := len(in.Columns())
	p := logical.NewPick(in, sequence(width))
	timed := logical.NewProject(in, append(p.Exprs, time), append(p.Names, "window_time"))
	wa := logical.NewWindowAggregate(timed, logical.WindowAggregate{
		Spec: physical.WindowSpec{Kind: physical.Tumble, TimeCol: width, Size: rollupSize, Slide: rollupSize},
		Keys: a.Keys, Aggs: a.Aggs,
	})
	keep := sequence(len(a.Keys))
	for i := range a.Aggs {
		keep = append(keep, len(a.Keys)+3+i)
	}
	return logical.NewPick(wa, keep)
}
