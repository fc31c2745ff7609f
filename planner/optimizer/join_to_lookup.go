package optimizer

import (
	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/planner/props"
	"github.com/millrace/millrace/sql/expr"
)

// joinToLookup: when the right side is a static table (it ends, and has no watermark that would give its rows a time), it is read whole
// first; then the left side streams past it, needs no state, and keeps its event time. An inner join with the static table on the left
// is turned round.
func joinToLookup(n logical.Node, d *props.Deriver) logical.Node {
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		j, ok := n.(*logical.Join)
		if !ok || j.Method != logical.Regular || j.Kind == physical.Full {
			return n
		}
		left, right := j.Inputs()[0], j.Inputs()[1]
		streams, ok := props.IsLookup(j, d.Of(left), d.Of(right))
		switch {
		case !ok:
			return n
		case streams == 1:
			return turned(j)
		}
		next := *j
		next.Method = logical.Lookup
		return next.With(left, right)
	})
}

// turned exchanges the sides and puts the columns back.
func turned(j *logical.Join) logical.Node {
	left, right := j.Inputs()[0], j.Inputs()[1]
	l, r := len(left.Columns()), len(right.Columns())
	moved := make([]int, l+r)
	for i := range moved {
		moved[i] = (i + r) % (l + r)
	}
	next := *j
	next.Method, next.LeftKeys, next.RightKeys = logical.Lookup, j.RightKeys, j.LeftKeys
	if j.Residual != nil {
		next.Residual = expr.Remap(j.Residual, moved)
	}
	return logical.NewPick(next.With(right, left), moved)
}
