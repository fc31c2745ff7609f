package logical

import (
	"slices"

	"github.com/millrace/millrace/sql/expr"
)

// OuterBase is the index of the first column of a query around a subquery. While a subquery is bound on its own, what it reads of the queries
// around it are columns OuterBase+i, where i numbers such columns of the statement. Decorrelation replaces them all: no finished plan
// has any.
const OuterBase = 1 << 27

// IsOuter tells whether c is a column of a query around.
func IsOuter(c *expr.Col) bool { return c.Index >= OuterBase }

// Outer lists the numbers of the columns of queries around that e reads, ascending.
func Outer(e expr.Expr) []int {
	var out []int
	if e == nil {
		return nil
	}
	for _, c := range expr.Columns(e) {
		if c >= OuterBase {
			out = append(out, c-OuterBase)
		}
	}
	return out
}

// OuterOf lists the numbers of the columns of queries around that a plan reads, ascending.
func OuterOf(n Node) []int {
	var out []int
	Walk(n, func(n Node) {
		for _, e := range exprsOf(n) {
			out = append(out, Outer(e)...)
		}
	})
	slices.Sort(out)
	return slices.Compact(out)
}

// exprsOf lists the expressions of a node.
func exprsOf(n Node) []expr.Expr {
	switch x := n.(type) {
	case *Filter:
		return []expr.Expr{x.Pred}
	case *Project:
		return x.Exprs
	case *Join:
		return []expr.Expr{x.Residual}
	case *Expand:
		return x.Args
	case *Values:
		return slices.Concat(x.Rows...)
	}
	return nil
}
