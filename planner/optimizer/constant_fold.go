package optimizer

import (
	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/props"
	"github.com/millrace/millrace/sql/expr"
)

// constantFold drops filters that keep everything. Calls on constants were folded when they were bound. A filter that keeps nothing
// becomes an empty table, unless the stream below must go on to move the watermark of a windowed plan above: then it stays, and
// costs nothing.
func constantFold(n logical.Node, d *props.Deriver) logical.Node {
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		f, ok := n.(*logical.Filter)
		if !ok {
			return n
		}
		var keep []expr.Expr
		for _, c := range logical.Conjuncts(f.Pred) {
			k, ok := c.(*expr.Const)
			if !ok {
				keep = append(keep, c)
				continue
			}
			if !k.Value.IsNull(0) && k.Value.Bool(0) {
				continue
			}
			if d.Of(f.Inputs()[0]).Bounded {
				return logical.NewValues(f.Columns(), nil)
			}
			keep = append(keep, c)
		}
		switch {
		case len(keep) == 0:
			return f.Inputs()[0]
		case len(keep) == len(logical.Conjuncts(f.Pred)):
			return f
		}
		return logical.NewFilter(f.Inputs()[0], logical.And(keep))
	})
}
