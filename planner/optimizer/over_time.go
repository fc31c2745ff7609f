package optimizer

import (
	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/props"
)

// overTime notes the column by whose time an Over goes, before column_prune would drop it: see props.OverTimes.
func overTime(n logical.Node, d *props.Deriver) logical.Node {
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		o, ok := n.(*logical.Over)
		if !ok || o.Close >= 0 || o.Time >= 0 {
			return n
		}
		next := *o
		if next.Close, next.Time = d.OverTimes(o); next.Close < 0 && next.Time < 0 {
			return n
		}
		return logical.NewOver(o.Inputs()[0], next)
	})
}
