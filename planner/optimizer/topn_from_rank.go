package optimizer

import (
	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/planner/props"
	"github.com/millrace/millrace/sql/expr"
)

// topNFromRank turns a filter that bounds a row number from above into a top-N. The row number stays a column; pruning drops it when
// nobody reads it. Without an order the rows are numbered as they arrive: the first of them is then fixed for ever, which is a
// deduplication and keeps an append-only input append-only.
func topNFromRank(n logical.Node, d *props.Deriver) logical.Node {
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		f, ok := n.(*logical.Filter)
		if !ok {
			return n
		}
		r, ok := f.Inputs()[0].(*logical.Over)
		if !ok || !r.IsRowNumber() {
			return n
		}
		rank := len(r.Columns()) - 1
		limit := int64(-1)
		var rest []expr.Expr
		for _, c := range logical.Conjuncts(f.Pred) {
			k, implied := upperBound(c, rank)
			if k < 0 {
				rest = append(rest, c)
				continue
			}
			if limit < 0 || k < limit {
				limit = k
			}
			if !implied {
				rest = append(rest, c)
			}
		}
		if limit < 0 {
			return n
		}
		return place(ranked(r, limit, d), rest)
	})
}

func ranked(r *logical.Over, limit int64, d *props.Deriver) logical.Node {
	in := r.Inputs()[0]
	if limit == 1 && len(r.Order) == 0 && d.Of(in).Changelog == physical.AppendOnly {
		first := logical.NewDeduplicate(in, r.PartitionBy)
		p := logical.NewPick(first, sequence(len(in.Columns())))
		return logical.NewProject(first, append(p.Exprs, expr.NewInt(1)), append(p.Names, "row_number"))
	}
	return logical.NewTopN(in, logical.TopN{PartitionBy: r.PartitionBy, Order: r.Order, Limit: limit, WithRank: true})
}

// upperBound reads `rank <= k`, `rank < k`, `rank = k` and the mirrored forms; -1 when e is none. Implied tells that a top-k fulfils
// the condition by itself.
func upperBound(e expr.Expr, rank int) (k int64, implied bool) {
	c, ok := e.(*expr.Call)
	if !ok || len(c.Args) != 2 {
		return -1, false
	}
	op, a, b := c.Name, c.Args[0], c.Args[1]
	if _, isConst := a.(*expr.Const); isConst {
		a, b = b, a
		op = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}[op]
	}
	col, ok := a.(*expr.Col)
	lit, isConst := b.(*expr.Const)
	if !ok || !isConst || col.Index != rank || !lit.Value.Type.Kind.IsInteger() || lit.Value.IsNull(0) {
		return -1, false
	}
	v := lit.Value.I64[0]
	switch op {
	case "<=":
		k, implied = v, true
	case "<":
		k, implied = v-1, true
	case "=":
		k, implied = v, v == 1
	default:
		return -1, false
	}
	if k < 1 {
		return -1, false
	}
	return k, implied
}
