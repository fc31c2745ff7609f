package parser

import (
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// maskGrouping masks the keys of the GROUP BY at k and returns the token behind them. The grammar reads CUBE(a, b) as a call and
// refuses the rest, so every grouping set is an island; WITH ROLLUP stays the grammar's.
func (p *parser) maskGrouping(rec *selectRec, k, j int) int {
	group := k
	for k += 2; k < j; k++ {
		switch {
		case p.groupingAt(k):
			start := k
			var g *ast.GroupingSets
			g, k = p.groupingSets(k)
			p.punch(start, k, hole{expr: g})
		case p.op(k, "(") && int(p.match[k]) == k+1:
			if k == group+2 && !p.op(k+2, ",") { // two bytes are too few for a placeholder
				rec.grouping = &ast.GroupingSets{Pos: ast.Pos(p.toks[k].off), Kind: "SETS", Items: [][]ast.Expr{{}}}
				p.blank(p.toks[group].off, p.toks[k+1].end)
				return k + 2
			}
			p.fail(tokenError(p.toks[k], diag.SyntaxError, "an empty group beside other keys").WithHint("write GROUPING SETS ((a), ())"))
		default:
			k = p.maskExpr(k, j, stopClause|stopQualify|stopComma)
		}
		for k < j && !p.op(k, ",") {
			if p.stops(k, stopClause|stopQualify, false) {
				return k
			}
			p.refuseWithCube(k)
			k++ // WITH ROLLUP, or an error, which the grammar will place
		}
	}
	return min(k, j)
}

func (p *parser) refuseWithCube(k int) {
	if p.word(k, "WITH", "CUBE") {
		p.fail(tokenError(p.toks[k+1], diag.SyntaxError, "unexpected %s", p.describe(k+1)).WithHint("write GROUP BY CUBE (a, b)"))
	}
}

// groupingAt tells whether ROLLUP (..), CUBE (..) or GROUPING SETS (..) begins at k.
func (p *parser) groupingAt(k int) bool {
	return (p.word(k, "ROLLUP") || p.word(k, "CUBE")) && p.op(k+1, "(") || p.word(k, "GROUPING", "SETS")
}

// groupingSets parses the grouping sets at k and returns the token behind them.
func (p *parser) groupingSets(k int) (*ast.GroupingSets, int) {
	g := &ast.GroupingSets{Pos: ast.Pos(p.toks[k].off), Kind: p.toks[k].up}
	open := k + 1
	if g.Kind == "GROUPING" {
		g.Kind = "SETS"
		open++
	}
	if !p.op(open, "(") {
		p.wanted(open, "(")
	}
	m := int(p.match[open])
	for i := open + 1; ; {
		end := p.comma(i, m)
		g.Items = append(g.Items, p.groupingItem(g.Kind, i, end))
		if end >= m {
			return g, m + 1
		}
		i = end + 1
	}
}

// groupingItem parses one item of grouping sets, the tokens [i, j): an expression, a bracketed list, or sets within sets.
func (p *parser) groupingItem(kind string, i, j int) []ast.Expr {
	switch {
	case i == j:
		p.failAt(j, diag.SyntaxError, "a grouping key is missing before %s", p.describe(j))
	case p.groupingAt(i):
		if kind != "SETS" {
			p.fail(tokenError(p.toks[i], diag.SyntaxError, "%s within %s", p.toks[i].up, kind).WithHint("sets stand within GROUPING SETS (..)"))
		}
		g, end := p.groupingSets(i)
		if end != j {
			p.failAt(end, diag.SyntaxError, "unexpected %s", p.describe(end))
		}
		return []ast.Expr{g}
	case p.op(i, "(") && int(p.match[i]) == j-1 && !p.startsQuery(i):
		if j == i+2 {
			if kind != "SETS" {
				p.failAt(i+1, diag.SyntaxError, "a grouping key is missing before )")
			}
			return []ast.Expr{}
		}
		return p.exprs(i+1, j-1)
	}
	return []ast.Expr{p.expr(i, j)}
}

// rollup turns GROUP BY a, b WITH ROLLUP into one ROLLUP(a, b).
func rollup(keys []ast.Expr) *ast.GroupingSets {
	g := &ast.GroupingSets{Pos: ast.Pos(keys[0].At()), Kind: "ROLLUP"}
	for _, key := range keys {
		g.Items = append(g.Items, []ast.Expr{key})
	}
	return g
}
