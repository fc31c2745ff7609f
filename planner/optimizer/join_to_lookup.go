package optimizer

import (
	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/planner/props"
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
			next := *j
			next.Method = logical.Lookup
			return logical.Turned(next, left, right)
		}
		next := *j
		next.Method = logical.Lookup
		return next.With(left, right)
	})
}
