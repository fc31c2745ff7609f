package optimizer

import (
	"slices"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/props"
	"github.com/millrace/millrace/sql/expr"
)

// expandBelowWindow copies rows first and puts them into windows then, where what is copied does not read the window: so that the grouping sets of
// a window stay right above it and become a window aggregate.
//
//	Project(kept columns in their order, made)      Project
//	  Expand                                   =>     Window
//	    Window                                          Expand
//	      in                                              in
func expandBelowWindow(n logical.Node, _ *props.Deriver) logical.Node {
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		x, ok := n.(*logical.Expand)
		if !ok {
			return n
		}
		w, ok := x.Inputs()[0].(*logical.Window)
		if !ok {
			return n
		}
		in := w.Inputs()[0]
		width := len(in.Columns())
		for _, a := range x.Args {
			if slices.ContainsFunc(expr.Columns(a), func(c int) bool { return c >= width }) {
				return n
			}
		}
		next := *x
		next.Keep = sequence(width)
		below := logical.NewExpand(in, next)
		above := logical.NewWindow(below, *w)
		order := make([]int, 0, len(x.Columns()))
		for _, c := range x.Keep {
			if c >= width {
				c += len(x.Made)
			}
			order = append(order, c)
		}
		for i := range x.Made {
			order = append(order, width+i)
		}
		return logical.NewPick(above, order)
	})
}
