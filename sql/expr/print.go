package expr

import (
	"strings"

	"github.com/millrace/millrace/sql/types"
)

// precedence of the operators that print infix; higher binds tighter.
var precedence = map[string]int{
	"or": 1, "xor": 2, "and": 3, "not": 4,
	"=": 6, "<=>": 6, "<>": 6, "<": 6, "<=": 6, ">": 6, ">=": 6, "like": 6, "ilike": 6, "regexp": 6,
	"|": 7, "&": 8, "<<": 9, ">>": 9, "+": 10, "-": 10, "*": 11, "/": 11, "%": 11, "div": 11, "^": 12, "||": 13,
}

const atom = 100

// Print gives e as SQL for EXPLAIN and messages. Implicit casts are shown, since they cost and explain types.
func Print(e Expr) string {
	var p printer
	p.expr(e, 0)
	return p.String()
}

type printer struct{ strings.Builder }

func (p *printer) expr(e Expr, outer int) {
	switch x := e.(type) {
	case nil:
		p.WriteString("NULL")
	case *Const:
		p.constant(x)
	case *Col:
		p.WriteString(x.Name)
	case *Call:
		p.call(x, outer)
	case *Case:
		p.caseWhen(x)
	case *Logic:
		op := "and"
		if x.Or {
			op = "or"
		}
		p.infix(op, x.Args, outer)
	case *Field:
		p.expr(x.X, atom)
		p.WriteString("." + x.X.Type().Fields[x.Index].Name)
	case *Var:
		p.WriteString(x.Name)
	case *Lambda:
		if len(x.Names) == 1 {
			p.WriteString(x.Names[0] + " -> ")
		} else {
			p.WriteString("(" + strings.Join(x.Names, ", ") + ") -> ")
		}
		p.expr(x.Body, 0)
	}
}

func (p *printer) constant(c *Const) {
	if c.Value.IsNull(0) {
		p.WriteString("NULL")
		return
	}
	text := string(c.text())
	switch c.Value.Type.Kind {
	case types.String, types.JSON:
		text = "'" + strings.ReplaceAll(text, "'", "''") + "'"
	case types.Date, types.Time, types.Datetime, types.Timestamp:
		text = c.Value.Type.Kind.String() + " '" + text + "'"
	case types.Interval:
		text = "INTERVAL " + text
	case types.Bool:
		text = "FALSE"
		if c.Value.Bool(0) {
			text = "TRUE"
		}
	case types.Bytes:
		text = "x'" + hexText(c.Value.Bytes(0)) + "'"
	}
	p.WriteString(text)
}

func hexText(b []byte) string {
	const digits = "0123456789abcdef"
	var s strings.Builder
	for _, c := range b {
		s.WriteByte(digits[c>>4])
		s.WriteByte(digits[c&15])
	}
	return s.String()
}

func (p *printer) infix(op string, args []Expr, outer int) {
	own := precedence[op]
	if own < outer {
		p.WriteByte('(')
		defer p.WriteByte(')')
	}
	for i, a := range args {
		inner := own
		if i > 0 {
			p.WriteString(" " + strings.ToUpper(op) + " ")
			inner++ // a - (b - c) keeps its parentheses
		}
		p.expr(a, inner)
	}
}

func (p *printer) call(c *Call, outer int) {
	switch {
	case c.Name == "cast" || c.Name == "try_cast":
		p.WriteString(strings.ToUpper(c.Name) + "(")
		p.expr(c.Args[0], 0)
		p.WriteString(" AS " + c.Bound.Ret.String() + ")")
	case len(c.Args) == 2 && precedence[c.Name] > 0:
		p.infix(c.Name, c.Args, outer)
	case len(c.Args) == 1 && suffixes[c.Name] != "":
		p.expr(c.Args[0], 7)
		p.WriteString(" " + suffixes[c.Name])
	case len(c.Args) == 1 && c.Name == "not":
		p.WriteString("NOT ")
		p.expr(c.Args[0], 5)
	case len(c.Args) == 1 && (c.Name == "negate" || c.Name == "~"):
		p.WriteString(map[string]string{"negate": "-", "~": "~"}[c.Name])
		p.expr(c.Args[0], atom)
	case c.Name == "between" && len(c.Args) == 3:
		p.expr(c.Args[0], 7)
		p.WriteString(" BETWEEN ")
		p.expr(c.Args[1], 7)
		p.WriteString(" AND ")
		p.expr(c.Args[2], 7)
	case c.Name == "in":
		p.expr(c.Args[0], 7)
		p.WriteString(" IN (")
		p.list(c.Args[1:])
	case c.Name == "[]":
		p.expr(c.Args[0], atom)
		p.WriteByte('[')
		p.expr(c.Args[1], 0)
		p.WriteByte(']')
	default:
		p.WriteString(strings.ToUpper(c.Name) + "(")
		p.list(c.Args)
	}
}

var suffixes = map[string]string{"is_null": "IS NULL", "is_not_null": "IS NOT NULL", "is_true": "IS TRUE", "is_false": "IS FALSE",
	"is_not_true": "IS NOT TRUE", "is_not_false": "IS NOT FALSE"}

// list prints arguments and the closing parenthesis.
func (p *printer) list(args []Expr) {
	for i, a := range args {
		if i > 0 {
			p.WriteString(", ")
		}
		p.expr(a, 0)
	}
	p.WriteByte(')')
}

func (p *printer) caseWhen(c *Case) {
	p.WriteString("CASE")
	for i := range c.Conds {
		p.WriteString(" WHEN ")
		p.expr(c.Conds[i], 0)
		p.WriteString(" THEN ")
		p.expr(c.Results[i], 0)
	}
	if c.Else != nil {
		p.WriteString(" ELSE ")
		p.expr(c.Else, 0)
	}
	p.WriteString(" END")
}
