package engine

import (
	"strings"

	"github.com/millrace/millrace/sql/ast"
)

// tablesOf lists the relations that a query names, lower case.
func tablesOf(q *ast.Query) []string {
	c := &tableCollector{}
	c.query(q)
	return c.names
}

type tableCollector struct{ names []string }

func (c *tableCollector) query(q *ast.Query) {
	for _, cte := range q.With {
		c.query(cte.Query)
	}
	c.body(q.Body)
}

func (c *tableCollector) body(b ast.QueryBody) {
	switch x := b.(type) {
	case *ast.Select:
		if x.From != nil {
			c.table(x.From)
		}
	case *ast.SetOp:
		c.body(x.Left)
		c.body(x.Right)
	case *ast.Query:
		c.query(x)
	}
}

func (c *tableCollector) table(t ast.TableExpr) {
	switch x := t.(type) {
	case *ast.Table:
		c.names = append(c.names, strings.ToLower(x.Name.Text))
	case *ast.DerivedTable:
		c.query(x.Query)
	case *ast.Join:
		c.table(x.Left)
		c.table(x.Right)
	case *ast.TableFunc:
		for _, a := range x.Args {
			if a.Table != nil {
				c.table(a.Table)
			}
		}
	}
}
