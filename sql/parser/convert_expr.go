package parser

import (
	"fmt"
	"slices"
	"strings"

	tast "github.com/pingcap/tidb/pkg/parser/ast"
	"github.com/pingcap/tidb/pkg/parser/opcode"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

func (c *conv) enter(off int) {
	if c.depth++; c.depth > maxTreeDepth {
		c.p.fail(diag.New(diag.TooDeep, max(0, off), "the expression is nested more than %d deep", maxTreeDepth))
	}
}

func (c *conv) leave() { c.depth-- }

func (c *conv) exprs(list []tast.ExprNode) []ast.Expr {
	out := make([]ast.Expr, len(list))
	for i, e := range list {
		out[i] = c.expr(e)
	}
	return out
}

// opt converts an expression that may be absent.
func (c *conv) opt(e tast.ExprNode) ast.Expr {
	if e == nil {
		return nil
	}
	return c.expr(e)
}

func (c *conv) pos(e tast.ExprNode) ast.Pos { return ast.Pos(e.OriginTextPosition() + c.base) }

// expr converts an expression; the switch is the whitelist of the dialect.
func (c *conv) expr(e tast.ExprNode) ast.Expr {
	at := c.pos(e)
	c.enter(int(at))
	defer c.leave()
	switch e := e.(type) {
	case *literal:
		return c.literal(e, at)
	case *param:
		return c.param(e)
	case *tast.ColumnNameExpr:
		return c.column(e.Name, int(at))
	case *tast.ParenthesesExpr:
		return c.expr(e.Expr)
	case *tast.PositionExpr:
		return c.position(e, at)
	case *tast.UnaryOperationExpr:
		return &ast.Unary{Pos: at, Op: unaryOps[e.Op], X: c.expr(e.V)}
	case *tast.BinaryOperationExpr:
		return c.binary(e, at)
	case *tast.IsNullExpr:
		return &ast.IsNull{Pos: at, X: c.expr(e.Expr), Not: e.Not}
	case *tast.IsTruthExpr:
		return &ast.IsTruth{Pos: at, X: c.expr(e.Expr), Not: e.Not, True: e.True != 0}
	case *tast.BetweenExpr:
		return &ast.Between{Pos: at, X: c.expr(e.Expr), Lo: c.expr(e.Left), Hi: c.expr(e.Right), Not: e.Not}
	case *tast.PatternInExpr:
		return c.in(e, at)
	case *tast.PatternLikeOrIlikeExpr:
		return c.like(e, at)
	case *tast.PatternRegexpExpr:
		return &ast.Like{Pos: at, Op: "REGEXP", X: c.expr(e.Expr), Pattern: c.expr(e.Pattern), Not: e.Not}
	case *tast.CaseExpr:
		return c.caseExpr(e, at)
	case *tast.RowExpr:
		return &ast.Row{Pos: at, Elems: c.exprs(e.Values)}
	case *tast.SubqueryExpr:
		return &ast.Subquery{Pos: at, Query: c.query(e.Query, at)}
	case *tast.ExistsSubqueryExpr:
		return c.exists(e, at)
	case *tast.CompareSubqueryExpr:
		return c.quantified(e, at)
	case *tast.AggregateFuncExpr:
		return c.aggregate(e, at)
	case *tast.WindowFuncExpr:
		return c.windowCall(e, at)
	case *tast.FuncCallExpr:
		return c.call(e, at)
	case *tast.FuncCastExpr:
		return c.binaryCast(e, at)
	case *tast.VariableExpr:
		return c.variable(e, at)
	case *tast.SetCollationExpr:
		if !strings.EqualFold(e.Collate, "utf8mb4_bin") && !strings.EqualFold(e.Collate, "binary") {
			c.unsupported(int(at), "a collation other than utf8mb4_bin")
		}
		return c.expr(e.Expr)
	case *tast.GetFormatSelectorExpr:
		return &ast.Literal{Pos: at, Kind: ast.LitString, Text: e.Selector.String()}
	case *tast.TimeUnitExpr:
		return &ast.Literal{Pos: at, Kind: ast.LitString, Text: strings.ToLower(e.Unit.String())}
	}
	return c.refuse(e, at)
}

// refuse names the kinds that are known and not supported.
func (c *conv) refuse(e tast.ExprNode, at ast.Pos) ast.Expr {
	what := "this expression"
	switch e.(type) {
	case *tast.DefaultExpr:
		what = "DEFAULT"
	case *tast.MatchAgainst:
		what = "MATCH .. AGAINST"
	case *tast.ValuesExpr:
		what = "VALUES(column)"
	}
	c.unsupported(int(at), what)
	return nil
}

func (c *conv) literal(e *literal, at ast.Pos) ast.Expr {
	lit := &ast.Literal{Pos: at}
	switch v := e.value.(type) {
	case nil:
		lit.Kind = ast.LitNull
	case bool:
		lit.Kind = ast.LitBool
		lit.Text = "FALSE"
		if v {
			lit.Text = "TRUE"
		}
	case string:
		lit.Kind, lit.Text = ast.LitString, v
	case rawBytes:
		lit.Kind, lit.Text = ast.LitBytes, string(v)
	case float64, decimalText, int64, uint64:
		c.number(lit, v)
	default:
		c.unsupported(int(at), "this literal")
	}
	return lit
}

// number takes a number's text from the source: TiDB has turned floats into binary already. Behind LIMIT its nodes have no position;
// then the value tells the text.
func (c *conv) number(lit *ast.Literal, value any) {
	t := c.p.toks[c.p.tokenAt(max(0, lit.At()))]
	if t.kind == kNumber && t.off == lit.At() {
		lit.Text = c.p.src[t.off:t.end]
	} else {
		lit.Pos = max(0, lit.Pos)
		lit.Text = fmt.Sprint(value)
	}
	switch {
	case strings.ContainsAny(lit.Text, "eE"):
		lit.Kind = ast.LitFloat
	case strings.Contains(lit.Text, "."):
		lit.Kind = ast.LitDecimal
	default:
		lit.Kind = ast.LitInt
	}
}

// position converts ORDER BY 1, whose node has no position.
func (c *conv) position(e *tast.PositionExpr, at ast.Pos) ast.Expr {
	return &ast.Literal{Pos: max(at, 0), Kind: ast.LitInt, Text: itoa(e.N)}
}

func (c *conv) param(e *param) ast.Expr {
	off := e.offset + c.base
	n, _ := slices.BinarySearch(c.p.params, off)
	return &ast.Param{Pos: ast.Pos(off), Index: n}
}

// column converts a name: an island's placeholder, or a path whose parts are read from the tokens.
func (c *conv) column(n *tast.ColumnName, at int) ast.Expr {
	if n.Table.O == "" {
		if h := c.p.fill(n.Name.O, at); h != nil {
			if h.expr == nil {
				c.p.fail(diag.New(diag.SyntaxError, h.off, "unexpected %s", c.p.describe(c.p.tokenAt(h.off))))
			}
			return h.expr
		}
	}
	want := n.Name.O
	if n.Table.O != "" {
		want = n.Table.O
	}
	if n.Schema.O != "" {
		want = n.Schema.O
	}
	p := c.p
	for k := p.tokenAt(at); k < len(p.toks) && k < p.tokenAt(at)+4; k++ {
		if t := p.toks[k]; t.kind != kWord && t.kind != kQuoted || !strings.EqualFold(p.nameAt(k).Text, want) {
			continue
		}
		col := &ast.Column{Pos: ast.Pos(p.toks[k].off), Parts: []ast.Name{p.nameAt(k)}}
		for ; p.op(k+1, ".") && (p.toks[k+2].kind == kWord || p.toks[k+2].kind == kQuoted); k += 2 {
			col.Parts = append(col.Parts, p.nameAt(k+2))
		}
		return col
	}
	col := &ast.Column{Pos: ast.Pos(at)}
	for _, part := range []string{n.Schema.O, n.Table.O, n.Name.O} {
		if part != "" {
			col.Parts = append(col.Parts, ast.Name{Pos: col.Pos, Text: part})
		}
	}
	return col
}

var unaryOps = map[opcode.Op]string{opcode.Not: "NOT", opcode.Not2: "NOT", opcode.Minus: "-", opcode.Plus: "+", opcode.BitNeg: "~"}

var binaryOps = map[opcode.Op]string{opcode.LogicAnd: "AND", opcode.LogicOr: "OR", opcode.LogicXor: "XOR", opcode.LeftShift: "<<",
	opcode.RightShift: ">>", opcode.GE: ">=", opcode.LE: "<=", opcode.EQ: "=", opcode.NE: "<>", opcode.LT: "<", opcode.GT: ">",
	opcode.Plus: "+", opcode.Minus: "-", opcode.And: "&", opcode.Or: "|", opcode.Mod: "%", opcode.Xor: "^", opcode.Div: "/",
	opcode.Mul: "*", opcode.IntDiv: "DIV", opcode.NullEQ: "<=>"}

// binary converts an operator of two operands. `x <=> marker ^ y` is x IS DISTINCT FROM y: the marker stands at the left edge of the
// right operand and comes back as a Row holding it and what it was tied to.
func (c *conv) binary(e *tast.BinaryOperationExpr, at ast.Pos) ast.Expr {
	op := binaryOps[e.Op]
	if op == "" {
		c.unsupported(int(at), "this operator")
	}
	left := c.expr(e.L)
	if _, ok := left.(*distinctMark); ok && op == "^" {
		return c.expr(e.R)
	}
	b := &ast.Binary{Pos: at, Op: op, X: left, Y: c.expr(e.R), OpPos: c.opPos(e.R, at)}
	if op == "<=>" {
		b.OpPos = ast.Pos(c.p.isBefore(int(b.OpPos)))
		if c.negated(e.R) {
			return &ast.Unary{Pos: at, Op: "NOT", X: b}
		}
	}
	return b
}

// negated tells whether the left edge of a right operand carries the marker of IS DISTINCT FROM.
func (c *conv) negated(e tast.ExprNode) bool {
	for {
		switch x := e.(type) {
		case *tast.BinaryOperationExpr:
			if name, ok := x.L.(*tast.ColumnNameExpr); ok && x.Op == opcode.Xor {
				return c.p.isMark(name.Name.Name.O)
			}
			e = x.L
		case *tast.FuncCallExpr: // || and -> begin with their left operand
			if len(x.Args) == 0 || x.Args[0].OriginTextPosition() != x.OriginTextPosition() {
				return false
			}
			e = x.Args[0]
		case *tast.PatternInExpr:
			e = x.Expr
		case *tast.BetweenExpr:
			e = x.Expr
		case *tast.PatternLikeOrIlikeExpr:
			e = x.Expr
		case *tast.PatternRegexpExpr:
			e = x.Expr
		default:
			return false
		}
	}
}

// isMark tells whether a name is the placeholder of a distinct marker.
func (p *parser) isMark(name string) bool {
	r := []rune(name)
	if len(r) != 1 || r[0] < holeFirst || int(r[0]-holeFirst) >= len(p.holes) {
		return false
	}
	_, ok := p.holes[r[0]-holeFirst].expr.(*distinctMark)
	return ok
}

// opPos finds the operator in front of the right operand.
func (c *conv) opPos(right tast.ExprNode, at ast.Pos) ast.Pos {
	k := c.p.tokenAt(int(c.pos(right)))
	if k == 0 || c.p.toks[k-1].off < int(at) {
		return at
	}
	return ast.Pos(c.p.toks[k-1].off)
}

// isBefore returns the offset of the IS to which the word at the offset belongs: IS [NOT] DISTINCT FROM.
func (p *parser) isBefore(off int) int {
	for k := p.tokenAt(off); k >= 0 && p.toks[k].kind == kWord; k-- {
		switch p.toks[k].up {
		case "IS":
			return p.toks[k].off
		case "NOT", "DISTINCT", "FROM":
			continue
		}
		break
	}
	return off
}

func (c *conv) in(e *tast.PatternInExpr, at ast.Pos) ast.Expr {
	in := &ast.In{Pos: at, X: c.expr(e.Expr), Not: e.Not}
	if e.Sel == nil {
		in.List = c.exprs(e.List)
		return in
	}
	sub, ok := e.Sel.(*tast.SubqueryExpr)
	if !ok {
		c.unsupported(int(at), "this form of IN")
	}
	in.Query = c.query(sub.Query, c.pos(sub))
	return in
}

func (c *conv) like(e *tast.PatternLikeOrIlikeExpr, at ast.Pos) ast.Expr {
	l := &ast.Like{Pos: at, Op: "ILIKE", X: c.expr(e.Expr), Pattern: c.expr(e.Pattern), Not: e.Not, Escape: rune(e.Escape)}
	if e.IsLike {
		l.Op = "LIKE"
	}
	return l
}

func (c *conv) caseExpr(e *tast.CaseExpr, at ast.Pos) ast.Expr {
	out := &ast.Case{Pos: at, Operand: c.opt(e.Value)}
	for _, w := range e.WhenClauses {
		out.Whens = append(out.Whens, ast.When{Cond: c.expr(w.Expr), Result: c.expr(w.Result)})
	}
	out.Else = c.opt(e.ElseClause)
	return out
}

func (c *conv) exists(e *tast.ExistsSubqueryExpr, at ast.Pos) ast.Expr {
	sub, ok := e.Sel.(*tast.SubqueryExpr)
	if !ok {
		c.unsupported(int(at), "this form of EXISTS")
	}
	s := &ast.Subquery{Pos: at, Query: c.query(sub.Query, at), Exists: true}
	if e.Not {
		return &ast.Unary{Pos: at, Op: "NOT", X: s}
	}
	return s
}

func (c *conv) quantified(e *tast.CompareSubqueryExpr, at ast.Pos) ast.Expr {
	sub, ok := e.R.(*tast.SubqueryExpr)
	op := binaryOps[e.Op]
	if !ok || op == "" {
		c.unsupported(int(at), "this comparison with a subquery")
	}
	return &ast.Quantified{Pos: at, Op: op, X: c.expr(e.L), All: e.All, Query: c.query(sub.Query, c.pos(sub))}
}

func (c *conv) variable(e *tast.VariableExpr, at ast.Pos) ast.Expr {
	if e.Value != nil {
		c.unsupported(int(at), "assigning a variable in an expression")
	}
	return &ast.Variable{Pos: at, Name: strings.ToLower(e.Name), System: e.IsSystem}
}

// binaryCast converts the operator BINARY; CAST never reaches TiDB.
func (c *conv) binaryCast(e *tast.FuncCastExpr, at ast.Pos) ast.Expr {
	if e.FunctionType != tast.CastBinaryOperator {
		c.unsupported(int(at), "this cast")
	}
	return &ast.Cast{Pos: at, X: c.expr(e.Expr), Type: ast.TypeName{Pos: at, Name: "BYTES"}}
}
