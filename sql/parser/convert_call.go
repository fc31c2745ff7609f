package parser

import (
	"strconv"
	"strings"

	tast "github.com/pingcap/tidb/pkg/parser/ast"

	"github.com/millrace/millrace/sql/ast"
)

func itoa(n int) string { return strconv.Itoa(n) }

// aggregate converts an aggregate call without OVER.
func (c *conv) aggregate(e *tast.AggregateFuncExpr, at ast.Pos) ast.Expr {
	call := &ast.Call{Pos: at, Name: c.callName(strings.ToLower(e.F), at), Distinct: e.Distinct}
	c.aggregateArgs(call, e.Args)
	call.OrderBy = c.orderBy(e.Order)
	return call
}

// aggregateArgs converts arguments; COUNT(*) arrives as the Go int 1, GROUP_CONCAT's separator as an argument behind the others.
func (c *conv) aggregateArgs(call *ast.Call, args []tast.ExprNode) {
	if len(args) == 1 {
		if lit, ok := args[0].(*literal); ok {
			if _, star := lit.value.(int); star {
				call.Star = true
				return
			}
		}
	}
	if call.Name == "group_concat" && len(args) > 0 {
		if sep, ok := args[len(args)-1].(*literal); ok {
			call.Separator = sep.GetString()
		}
		args = args[:len(args)-1]
	}
	call.Args = c.exprs(args)
}

var typedLiterals = map[string]ast.LiteralKind{tast.DateLiteral: ast.LitDate, tast.TimeLiteral: ast.LitTime, tast.TimestampLiteral: ast.LitTimestamp}

// call converts a scalar call and the operators that TiDB turns into calls.
func (c *conv) call(e *tast.FuncCallExpr, at ast.Pos) ast.Expr {
	name := e.FnName.L
	if e.Schema.O != "" {
		c.unsupported(int(at), "a function with a schema")
	}
	if kind, ok := typedLiterals[name]; ok && len(e.Args) == 1 {
		if lit, ok := e.Args[0].(*literal); ok {
			return &ast.Literal{Pos: at, Kind: kind, Text: lit.GetString()}
		}
	}
	if name == tast.Concat && len(e.Args) == 2 && e.Args[0].OriginTextPosition() == e.OriginTextPosition() {
		return &ast.Binary{Pos: at, Op: "||", X: c.expr(e.Args[0]), Y: c.expr(e.Args[1]), OpPos: c.opPos(e.Args[1], at)}
	}
	call := &ast.Call{Pos: at, Name: c.callName(name, at)}
	args := e.Args
	switch name {
	case tast.CharFunc, "char":
		// TiDB adds the character set behind the arguments, NULL or a name; neither has a position.
		if lit, ok := args[len(args)-1].(*literal); ok && lit.OriginTextPosition() == 0 {
			args = args[:len(args)-1]
		}
		call.Name = "char"
	case "trim":
		return c.trimCall(call, args)
	}
	for _, a := range args {
		x := c.expr(a)
		if _, ok := a.(*tast.TimeUnitExpr); ok {
			x.(*ast.Literal).Pos = at
		}
		call.Args = append(call.Args, x)
	}
	return call
}

// callName prefers the name that was written: TiDB renames some.
func (c *conv) callName(name string, at ast.Pos) string {
	if t := c.p.toks[c.p.tokenAt(int(at))]; t.kind == kWord && t.off == int(at) && c.p.op(c.p.tokenAt(int(at))+1, "(") {
		return strings.ToLower(t.up)
	}
	return name
}

// trimCall turns TRIM(LEADING x FROM s) into ltrim(s, x) and the like.
func (c *conv) trimCall(call *ast.Call, args []tast.ExprNode) ast.Expr {
	if len(args) == 3 {
		if d, ok := args[2].(*tast.TrimDirectionExpr); ok {
			switch d.Direction {
			case tast.TrimLeading:
				call.Name = "ltrim"
			case tast.TrimTrailing:
				call.Name = "rtrim"
			}
			args = args[:2]
			if lit, ok := args[1].(*literal); ok && lit.OriginTextPosition() == 0 && lit.GetString() == " " {
				args = args[:1]
			}
		}
	}
	call.Args = c.exprs(args)
	return call
}
