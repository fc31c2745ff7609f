package bind

import (
	"strconv"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
)

// row binds a STRUCT. Elements without a name of their own are called f1, f2, ..
func (b *Binder) row(x *ast.Row, c *clause) (expr.Expr, error) {
	if x.Names == nil {
		return b.call("row", b.at(x), c, x.Elems...)
	}
	args := make([]expr.Expr, 0, 2*len(x.Elems))
	for i, e := range x.Elems {
		v, err := b.expr(e, c)
		if err != nil {
			return nil, err
		}
		name := x.Names[i].Text
		if name == "" {
			name = "f" + strconv.Itoa(i+1)
		}
		args = append(args, expr.NewString(name), v)
	}
	return expr.NewCall("named_struct", b.at(x), args...)
}

// rowPair gives the elements of two rows of one length that are compared; ok is false when one is no row.
func (b *Binder) rowPair(x, y ast.Expr, c *clause) (left, right []expr.Expr, ok bool, err error) {
	l, isRow := x.(*ast.Row)
	r, both := y.(*ast.Row)
	if !isRow || !both {
		return nil, nil, false, nil
	}
	if len(l.Elems) != len(r.Elems) {
		return nil, nil, false, diag.New(diag.TypeMismatch, b.at(y), "a row of %d values against one of %d", len(l.Elems), len(r.Elems))
	}
	if left, err = b.exprs(l.Elems, c); err != nil {
		return nil, nil, false, err
	}
	right, err = b.exprs(r.Elems, c)
	return left, right, true, err
}

// compareRows compares rows element by element, as SQL defines it: (a, b) = (x, y) is a = x AND b = y, so that a NULL in one of them
// need not make the answer NULL; (a, b) < (x, y) is a < x OR a = x AND b < y.
func compareRows(op string, at int, left, right []expr.Expr) (expr.Expr, error) {
	last := len(left) - 1
	switch op {
	case "=", "<=>":
		return foldPairs("and", op, at, left, right)
	case "<>", "!=":
		return foldPairs("or", op, at, left, right)
	}
	out, err := expr.NewCall(op, at, left[last], right[last])
	for i := last - 1; i >= 0 && err == nil; i-- {
		var equal, less expr.Expr
		if equal, err = expr.NewCall("=", at, left[i], right[i]); err != nil {
			return nil, err
		}
		if out, err = expr.NewCall("and", at, equal, out); err != nil {
			return nil, err
		}
		if less, err = expr.NewCall(op[:1], at, left[i], right[i]); err != nil {
			return nil, err
		}
		out, err = expr.NewCall("or", at, less, out)
	}
	return out, err
}

// foldPairs joins the comparisons of all elements with a connective.
func foldPairs(connective, op string, at int, left, right []expr.Expr) (out expr.Expr, err error) {
	for i := range left {
		e, err := expr.NewCall(op, at, left[i], right[i])
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = e
			continue
		}
		if out, err = expr.NewCall(connective, at, out, e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// inRows binds (a, b) IN ((1, 2), ..) as a chain of OR; ok is false when not all sides are rows.
func (b *Binder) inRows(x *ast.In, c *clause) (out expr.Expr, ok bool, err error) {
	for _, y := range x.List {
		left, right, isRow, err := b.rowPair(x.X, y, c)
		if !isRow || err != nil {
			return nil, false, err
		}
		e, err := compareRows("=", b.at(x), left, right)
		if err != nil {
			return nil, false, err
		}
		if out == nil {
			out = e
			continue
		}
		if out, err = expr.NewCall("or", b.at(x), out, e); err != nil {
			return nil, false, err
		}
	}
	return out, out != nil, nil
}
