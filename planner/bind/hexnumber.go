package bind

import (
	"strconv"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/expr"
)

// arithmetic are the operators in which x'0F', 0x0F and b'1' are numbers; in comparisons they are when another operand is one
// (MySQL manual, 9.1.4 Hexadecimal Literals).
var (
	arithmetic = map[string]bool{"+": true, "-": true, "*": true, "/": true, "%": true, "mod": true, "div": true, "&": true, "|": true,
		"^": true, "<<": true, ">>": true, "~": true, "negate": true}
	comparing = map[string]bool{"=": true, "<>": true, "!=": true, "<": true, "<=": true, ">": true, ">=": true, "<=>": true, "in": true,
		"between": true}
)

// hexNumbers replaces the hexadecimal and bit literals among the operands of an operator by the numbers that they are.
func hexNumbers(op string, args []ast.Expr, bound []expr.Expr) {
	numeric := arithmetic[op]
	for _, e := range bound {
		numeric = numeric || comparing[op] && e.Type().Kind.IsNumeric()
	}
	for i, a := range args {
		if !numeric {
			break
		}
		bound[i] = hexNumber(a, bound[i])
	}
}

// hexNumber is e, or the number that it is as a literal of up to 8 bytes, the first byte the highest.
func hexNumber(x ast.Expr, e expr.Expr) expr.Expr {
	lit, ok := x.(*ast.Literal)
	if !ok || lit.Kind != ast.LitBytes || len(lit.Text) > 8 {
		return e
	}
	v := uint64(0)
	for _, c := range []byte(lit.Text) {
		v = v<<8 | uint64(c)
	}
	n, err := expr.NewNumber(strconv.FormatUint(v, 10), e.At())
	if err != nil {
		return e
	}
	return n
}
