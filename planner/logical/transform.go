package logical

import "github.com/millrace/millrace/sql/expr"

// Transform rebuilds an expression top-down: where fn returns true, its result replaces the whole subexpression and is not entered.
// Unlike expr.Rewrite it may change types, as long as what stands above still fits.
func Transform(e expr.Expr, fn func(expr.Expr) (expr.Expr, bool)) expr.Expr {
	if e == nil {
		return nil
	}
	if r, done := fn(e); done {
		return r
	}
	switch x := e.(type) {
	case *expr.Call:
		c := *x
		c.Args = transformAll(x.Args, fn)
		return &c
	case *expr.Case:
		c := *x
		c.Conds, c.Results, c.Else = transformAll(x.Conds, fn), transformAll(x.Results, fn), Transform(x.Else, fn)
		return &c
	case *expr.Logic:
		c := *x
		c.Args = transformAll(x.Args, fn)
		return &c
	case *expr.Field:
		c := *x
		c.X = Transform(x.X, fn)
		return &c
	case *expr.Lambda:
		c := *x
		c.Body = Transform(x.Body, fn)
		return &c
	}
	return e
}

func transformAll(list []expr.Expr, fn func(expr.Expr) (expr.Expr, bool)) []expr.Expr {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		out[i] = Transform(e, fn)
	}
	return out
}

// Substitute replaces column i by exprs[i].
func Substitute(e expr.Expr, exprs []expr.Expr) expr.Expr {
	return Transform(e, func(x expr.Expr) (expr.Expr, bool) {
		if c, ok := x.(*expr.Col); ok {
			if IsOuter(c) {
				return c, true
			}
			return exprs[c.Index], true
		}
		return nil, false
	})
}

// Remap moves column i to to[i].
func Remap(e expr.Expr, to []int) expr.Expr {
	return Transform(e, func(x expr.Expr) (expr.Expr, bool) {
		c, ok := x.(*expr.Col)
		if !ok || IsOuter(c) {
			return x, ok
		}
		moved := *c
		moved.Index = to[c.Index]
		return &moved, true
	})
}

// Shift moves column references by n.
func Shift(e expr.Expr, n int) expr.Expr {
	return Transform(e, func(x expr.Expr) (expr.Expr, bool) {
		if c, ok := x.(*expr.Col); ok {
			if IsOuter(c) {
				return c, true
			}
			moved := *c
			moved.Index += n
			return &moved, true
		}
		return nil, false
	})
}

// Conjuncts splits a condition at its top ANDs; nil has none.
func Conjuncts(e expr.Expr) []expr.Expr {
	if e == nil {
		return nil
	}
	l, ok := e.(*expr.Logic)
	if !ok || l.Or {
		return []expr.Expr{e}
	}
	var out []expr.Expr
	for _, a := range l.Args {
		out = append(out, Conjuncts(a)...)
	}
	return out
}

// And joins conditions; nil when there are none.
func And(list []expr.Expr) expr.Expr {
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	}
	return &expr.Logic{Args: list, Pos: list[0].At()}
}
