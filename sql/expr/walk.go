package expr

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/vector"
)

// children returns the direct subexpressions in order of evaluation.
func children(e Expr) []Expr {
	switch e := e.(type) {
	case *Call:
		return e.Args
	case *Case:
		out := make([]Expr, 0, 2*len(e.Conds)+1)
		for i := range e.Conds {
			out = append(out, e.Conds[i], e.Results[i])
		}
		if e.Else != nil {
			out = append(out, e.Else)
		}
		return out
	case *Logic:
		return e.Args
	case *Field:
		return []Expr{e.X}
	case *Lambda:
		return []Expr{e.Body}
	}
	return nil
}

// Walk calls fn for e and, where fn returns true, for its subexpressions.
func Walk(e Expr, fn func(Expr) bool) {
	if e == nil || !fn(e) {
		return
	}
	for _, c := range children(e) {
		Walk(c, fn)
	}
}

// Rewrite rebuilds e bottom-up: fn gets each node with its children already rewritten and returns what replaces it. The replacement
// must have the same type.
func Rewrite(e Expr, fn func(Expr) Expr) Expr {
	switch x := e.(type) {
	case *Call:
		c := *x
		c.Args = rewriteAll(x.Args, fn)
		return fn(&c)
	case *Case:
		c := *x
		c.Conds, c.Results = rewriteAll(x.Conds, fn), rewriteAll(x.Results, fn)
		if x.Else != nil {
			c.Else = Rewrite(x.Else, fn)
		}
		return fn(&c)
	case *Logic:
		c := *x
		c.Args = rewriteAll(x.Args, fn)
		return fn(&c)
	case *Field:
		c := *x
		c.X = Rewrite(x.X, fn)
		return fn(&c)
	case *Lambda:
		c := *x
		c.Body = Rewrite(x.Body, fn)
		return fn(&c)
	}
	return fn(e)
}

func rewriteAll(list []Expr, fn func(Expr) Expr) []Expr {
	out := make([]Expr, len(list))
	for i, e := range list {
		out[i] = Rewrite(e, fn)
	}
	return out
}

// Columns returns the indexes of the columns that e reads, ascending.
func Columns(e Expr) []int {
	var out []int
	Walk(e, func(x Expr) bool {
		if c, ok := x.(*Col); ok && !slices.Contains(out, c.Index) {
			out = append(out, c.Index)
		}
		return true
	})
	slices.Sort(out)
	return out
}

// Deterministic tells whether e gives the same value for the same row every time within an epoch; NOW() does, RAND() and UUID() do not.
func Deterministic(e Expr) bool {
	ok := true
	Walk(e, func(x Expr) bool {
		if c, is := x.(*Call); is && c.Fn != nil && !c.Fn.Deterministic && !c.Fn.Stable {
			ok = false
		}
		return ok
	})
	return ok
}

// Equal tells whether both expressions compute the same: same structure, functions, columns, constants and types. Names of columns
// and positions do not matter.
func Equal(a, b Expr) bool {
	if a == nil || b == nil {
		return a == b
	}
	if !a.Type().Equal(b.Type()) {
		return false
	}
	switch x := a.(type) {
	case *Const:
		y, ok := b.(*Const)
		return ok && equalConst(x.Value, y.Value)
	case *Col:
		y, ok := b.(*Col)
		return ok && x.Index == y.Index
	case *Call:
		y, ok := b.(*Call)
		return ok && x.Name == y.Name && equalAll(x.Args, y.Args)
	case *Case:
		y, ok := b.(*Case)
		return ok && equalAll(x.Conds, y.Conds) && equalAll(x.Results, y.Results) && Equal(x.Else, y.Else)
	case *Logic:
		y, ok := b.(*Logic)
		return ok && x.Or == y.Or && equalAll(x.Args, y.Args)
	case *Field:
		y, ok := b.(*Field)
		return ok && x.Index == y.Index && Equal(x.X, y.X)
	case *Lambda:
		y, ok := b.(*Lambda)
		return ok && x.Level == y.Level && len(x.Params) == len(y.Params) && sameTypes(x.Params, y.Params) && Equal(x.Body, y.Body)
	case *Var:
		y, ok := b.(*Var)
		return ok && x.Level == y.Level && x.Index == y.Index
	}
	return false
}

func equalAll(a, b []Expr) bool { return slices.EqualFunc(a, b, Equal) }

func equalConst(a, b *vector.Vector) bool {
	return bytes.Equal(row.EncodeKey(nil, []*vector.Vector{a}, 0), row.EncodeKey(nil, []*vector.Vector{b}, 0))
}

// identity is a text that two expressions share exactly when they are Equal.
func identity(e Expr) string { return string(appendIdentity(nil, e)) }

func appendIdentity(dst []byte, e Expr) []byte {
	switch x := e.(type) {
	case *Const:
		dst = append(dst, 'k')
		dst = strconv.AppendQuote(dst, string(row.EncodeKey(nil, []*vector.Vector{x.Value}, 0)))
	case *Col:
		dst = strconv.AppendInt(append(dst, 'c'), int64(x.Index), 10)
	case *Call:
		dst = strconv.AppendQuote(append(dst, 'f'), x.Name)
	case *Case:
		dst = strconv.AppendInt(append(dst, 'w'), int64(len(x.Conds)), 10)
	case *Logic:
		dst = strconv.AppendBool(append(dst, 'l'), x.Or)
	case *Field:
		dst = strconv.AppendInt(append(dst, 'm'), int64(x.Index), 10)
	case *Lambda:
		dst = strconv.AppendInt(append(dst, 'x'), int64(x.Level), 10)
		for _, t := range x.Params {
			dst = append(append(dst, ','), t.String()...)
		}
	case *Var:
		dst = strconv.AppendInt(append(dst, 'v'), int64(x.Level), 10)
		dst = strconv.AppendInt(append(dst, '.'), int64(x.Index), 10)
	}
	dst = append(append(append(dst, ':'), e.Type().String()...), '(')
	for _, c := range children(e) {
		dst = append(appendIdentity(dst, c), ',')
	}
	return append(dst, ')')
}
