package parser

import (
	tast "github.com/pingcap/tidb/pkg/parser/ast"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// chunk parses the rows of the tokens [i, j) and reuses their placeholders afterwards.
func (p *parser) chunk(out [][]ast.Expr, i, j int) [][]ast.Expr {
	mark := len(p.holes)
	p.maskExpr(i, j, 0)
	stmt, base := p.grammar("INSERT INTO t VALUES ", i, j, "")
	ins, ok := stmt.(*tast.InsertStmt)
	if !ok || len(ins.OnDuplicate) > 0 {
		p.failAt(i, diag.SyntaxError, "rows are expected")
	}
	c := &conv{p: p, base: base}
	for _, row := range ins.Lists {
		out = append(out, c.exprs(row))
	}
	p.settle(mark)
	p.holes = p.holes[:mark]
	return out
}
