package logical

import (
	"strings"

	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/expr"
)

// NotNull tells for each column of a node whether it is known never to be NULL. False is always a right answer.
func NotNull(n Node) []bool {
	out := make([]bool, len(n.Columns()))
	var in []bool
	if len(n.Inputs()) > 0 {
		in = NotNull(n.Inputs()[0])
	}
	switch x := n.(type) {
	case *Scan:
		for i, c := range x.Cols {
			out[i] = x.Relation.Columns[c].NotNull
		}
	case *ViewScan:
		for i, c := range x.View.Columns {
			out[i] = c.NotNull
		}
	case *Project:
		for i, e := range x.Exprs {
			out[i] = exprNotNull(e, in)
		}
	case *Window:
		copy(out, in)
		for i := len(in); i < len(out); i++ {
			out[i] = true // rows without a time are in no window
		}
	case *Aggregate:
		keysNotNull(out, in, x.Keys)
		countsNotNull(out[len(x.Keys):], x.Aggs)
	case *WindowAggregate:
		keysNotNull(out, in, x.Keys)
		aggs := out[len(out)-len(x.Aggs):]
		for i := len(x.Keys); i < len(out)-len(x.Aggs); i++ {
			out[i] = true // start and end of the window
		}
		countsNotNull(aggs, x.Aggs)
	case *Join:
		if x.Kind == physical.Full {
			return out
		}
		copy(out, in)
		if x.Kind == physical.Inner {
			copy(out[len(in):], NotNull(x.Inputs()[1]))
		}
	case *Filter, *Watermark, *Normalize, *Deduplicate, *Sort, *Limit, *TopN:
		copy(out, in)
	}
	return out
}

func exprNotNull(e expr.Expr, in []bool) bool {
	switch e := e.(type) {
	case *expr.Col:
		return in[e.Index]
	case *expr.Const:
		return !e.Value.IsNull(0)
	}
	return false
}

func keysNotNull(out, in []bool, keys []int) {
	for i, k := range keys {
		out[i] = in[k]
	}
}

// countsNotNull marks COUNT, which is 0 where others are NULL.
func countsNotNull(out []bool, aggs []physical.AggCall) {
	for i, a := range aggs {
		out[i] = strings.HasPrefix(strings.ToLower(a.Name), "count(")
	}
}
