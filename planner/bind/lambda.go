package bind

import (
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
)

// lambda is the parameters of a lambda whose body is being bound, and the lambdas around it.
type lambda struct {
	params []*expr.Var
	outer  *lambda
}

func (l *lambda) depth() int {
	n := 0
	for ; l != nil; l = l.outer {
		n++
	}
	return n
}

// resolve finds the parameter that a path begins with; ok is false when it begins with none. Parameters hide columns.
func (l *lambda) resolve(parts []ast.Name, at func(ast.Node) int) (e expr.Expr, ok bool, err error) {
	for ; l != nil; l = l.outer {
		for _, p := range l.params {
			if !strings.EqualFold(p.Name, parts[0].Text) {
				continue
			}
			v := *p
			v.Pos = at(parts[0])
			e = &v
			for _, field := range parts[1:] {
				if e, err = fieldOf(e, field, at); err != nil {
					break
				}
			}
			return e, true, err
		}
	}
	return nil, false, nil
}

// unbound makes an argument of a lambda. Its body is bound once the function has told the types of the parameters.
func (b *Binder) unbound(x *ast.Lambda, c *clause) (expr.Expr, error) {
	u := &expr.Unbound{Level: c.lambda.depth(), Pos: b.at(x)}
	for i, p := range x.Params {
		for _, before := range x.Params[:i] {
			if strings.EqualFold(before.Text, p.Text) {
				return nil, diag.New(diag.DuplicateName, b.at(p), "two parameters of a lambda are named '%s'", p.Text)
			}
		}
		u.Names = append(u.Names, p.Text)
	}
	u.Bind = func(params []*expr.Var) (expr.Expr, error) {
		inner := *c
		inner.lambda = &lambda{params: params, outer: c.lambda}
		return b.expr(x.Body, &inner)
	}
	return u, nil
}
