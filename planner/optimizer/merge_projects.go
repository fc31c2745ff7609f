package optimizer

import (
	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/props"
	"github.com/millrace/millrace/sql/expr"
)

// maxMergedNodes bounds the expression that substitution may grow: x+x over x+x over .. doubles at every step.
const maxMergedNodes = 2000

// mergeProjects puts the inner expressions into the outer ones. What is used twice is computed once all the same: evaluation shares
// equal subexpressions. Only what gives another value each time (RAND) must not be copied. Projections that change nothing go.
func mergeProjects(n logical.Node, _ *props.Deriver) logical.Node {
	root := n
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		switch x := n.(type) {
		case *logical.Project:
			inner, ok := x.Inputs()[0].(*logical.Project)
			if ok && mergeable(x, inner) {
				exprs := make([]expr.Expr, len(x.Exprs))
				for i, e := range x.Exprs {
					exprs[i] = logical.Substitute(e, inner.Exprs)
				}
				x = logical.NewProject(inner.Inputs()[0], exprs, x.Names)
			}
			if x.IsIdentity() && n != root {
				return x.Inputs()[0]
			}
			return x
		case *logical.Filter:
			if inner, ok := x.Inputs()[0].(*logical.Filter); ok {
				return logical.NewFilter(inner.Inputs()[0], logical.And(append(logical.Conjuncts(inner.Pred), logical.Conjuncts(x.Pred)...)))
			}
		}
		return n
	})
}

func mergeable(outer, inner *logical.Project) bool {
	uses := make([]int, len(inner.Exprs))
	total := 0
	for _, e := range outer.Exprs {
		expr.Walk(e, func(x expr.Expr) bool {
			total++
			if c, ok := x.(*expr.Col); ok {
				uses[c.Index]++
			}
			return true
		})
	}
	for i, e := range inner.Exprs {
		total += uses[i] * size(e)
		if uses[i] > 1 && !expr.Deterministic(e) {
			return false
		}
	}
	return total <= maxMergedNodes
}

func size(e expr.Expr) int {
	n := 0
	expr.Walk(e, func(expr.Expr) bool { n++; return true })
	return n
}
