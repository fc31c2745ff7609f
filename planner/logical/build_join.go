package logical

import (
	"slices"

	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
)

// BuildJoin makes a join from conditions over left columns then right columns: equalities between the sides become keys, computed by
// projections below where they are more than columns, the rest becomes the residual. Keys and Residual of j are kept. The output is
// that of the join over left and right, whatever had to be added below.
func BuildJoin(left, right Node, j Join, conds []expr.Expr) Node {
	width := len(left.Columns())
	l, r := &side{node: left}, &side{node: right}
	var rest []expr.Expr
	for _, c := range conds {
		a, b, ok := equality(c, width)
		if !ok {
			rest = append(rest, c)
			continue
		}
		j = j.WithKey(l.column(a), r.column(Shift(b, -width)), isNullEqual(c))
	}
	newLeft, newRight := l.build(), r.build()
	shifted := len(newLeft.Columns()) - width
	residual := And(append(Conjuncts(j.Residual), rest...))
	if residual != nil && shifted > 0 {
		residual = Transform(residual, func(e expr.Expr) (expr.Expr, bool) {
			c, ok := e.(*expr.Col)
			if !ok || c.Index < width || IsOuter(c) {
				return e, ok
			}
			moved := *c
			moved.Index += shifted
			return &moved, true
		})
	}
	j.Residual = residual
	out := Node(NewJoin(newLeft, newRight, j))
	if shifted == 0 && newRight == right {
		return out
	}
	keep := make([]int, 0, len(out.Columns()))
	for i := range width {
		keep = append(keep, i)
	}
	behind := len(right.Columns())
	if j.Kind.LeftOnly() {
		behind = len(out.Columns()) - len(newLeft.Columns())
	}
	for i := range behind {
		keep = append(keep, width+shifted+i)
	}
	return NewPick(out, keep)
}

// WithKey adds a pair of keys.
func (j Join) WithKey(left, right int, nullEqual bool) Join {
	if nullEqual || j.NullEqual != nil {
		list := make([]bool, len(j.LeftKeys), len(j.LeftKeys)+1)
		copy(list, j.NullEqual)
		j.NullEqual = append(list, nullEqual)
	}
	j.LeftKeys, j.RightKeys = append(slices.Clone(j.LeftKeys), left), append(slices.Clone(j.RightKeys), right)
	return j
}

func isNullEqual(e expr.Expr) bool {
	c, ok := e.(*expr.Call)
	return ok && c.Name == "<=>"
}

// equality takes `a = b` or `a <=> b` apart when a reads only left and b only right columns, or the other way round.
func equality(e expr.Expr, width int) (left, right expr.Expr, ok bool) {
	c, is := e.(*expr.Call)
	if !is || c.Name != "=" && c.Name != "<=>" || len(c.Args) != 2 {
		return nil, nil, false
	}
	a, b := sideOf(c.Args[0], width), sideOf(c.Args[1], width)
	switch {
	case a == 1 && b == 2:
		return c.Args[0], c.Args[1], true
	case a == 2 && b == 1:
		return c.Args[1], c.Args[0], true
	}
	return nil, nil, false
}

// sideOf tells which sides e reads: 0 none, 1 left, 2 right, 3 both. What reads columns of a query around counts as both: it is no key.
func sideOf(e expr.Expr, width int) int {
	sides := 0
	for _, c := range expr.Columns(e) {
		if c >= OuterBase {
			return 3
		}
		if c < width {
			sides |= 1
		} else {
			sides |= 2
		}
	}
	if !expr.Deterministic(e) {
		return 3
	}
	return sides
}

// Equality takes `a = b` or `a <=> b` apart, see BuildJoin.
func Equality(e expr.Expr, width int) (left, right expr.Expr, ok bool) { return equality(e, width) }

// SideOf tells which inputs of a join e reads: 0 none, 1 left, 2 right, 3 both.
func SideOf(e expr.Expr, width int) int { return sideOf(e, width) }

// side is one input of a join that may get computed key columns.
type side struct {
	node  Node
	extra []expr.Expr
}

// column gives the column that holds e: an equal column of the same physical form, or a new one.
func (s *side) column(e expr.Expr) int {
	if c := KeyColumn(e); c >= 0 {
		return c
	}
	for i, x := range s.extra {
		if expr.Equal(x, e) {
			return len(s.node.Columns()) + i
		}
	}
	s.extra = append(s.extra, e)
	return len(s.node.Columns()) + len(s.extra) - 1
}

func (s *side) build() Node {
	if len(s.extra) == 0 {
		return s.node
	}
	n := len(s.node.Columns())
	exprs, names := make([]expr.Expr, 0, n+len(s.extra)), make([]string, 0, n+len(s.extra))
	for i, f := range s.node.Columns() {
		exprs, names = append(exprs, ColOf(s.node, i)), append(names, f.Name)
	}
	for _, e := range s.extra {
		exprs, names = append(exprs, e), append(names, expr.Print(e))
	}
	return NewProject(s.node, exprs, names)
}

// KeyColumn is the column that e is, seen through casts between signed integers, whose keys are the same bytes; -1: none.
func KeyColumn(e expr.Expr) int {
	switch x := e.(type) {
	case *expr.Col:
		return x.Index
	case *expr.Call:
		if x.Name == "cast" && signed(x.Type()) && signed(x.Args[0].Type()) && x.Type().Kind >= x.Args[0].Type().Kind {
			return KeyColumn(x.Args[0])
		}
	}
	return -1
}

func signed(t types.Type) bool { return t.Kind >= types.Int8 && t.Kind <= types.Int64 }
