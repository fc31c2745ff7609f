package bind

import (
	"slices"
	"strings"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
)

// join binds a join. RIGHT becomes LEFT with the sides exchanged.
func (b *Binder) join(x *ast.Join) (logical.Node, *scope, error) {
	if b.joins++; b.joins > MaxJoins {
		return nil, nil, diag.New(diag.TooDeep, b.at(x), "more than %d joins in one statement", MaxJoins)
	}
	switch {
	case x.Natural:
		return nil, nil, diag.New(diag.NotSupported, b.at(x.Right), "planning NATURAL JOIN is not supported").WithHint("name the columns: JOIN .. USING (a, b)")
	case x.AsOf:
		return nil, nil, diag.New(diag.NotSupported, b.at(x.Right), "planning ASOF JOIN is not supported")
	}
	left, ls, err := b.from(x.Left)
	if err != nil {
		return nil, nil, err
	}
	if t, ok := x.Right.(*ast.Table); ok && t.AsOf != nil {
		return b.temporal(x, t, left, ls)
	}
	if expands(x.Right) {
		return b.expandJoin(x, left, ls)
	}
	right, rs, err := b.from(x.Right)
	if err != nil {
		return nil, nil, err
	}
	width := len(left.Columns())
	sc := ls.join(rs, width)
	conds, err := b.joinConditions(x, ls, rs, sc, width)
	if err != nil {
		return nil, nil, err
	}
	j := logical.Join{Pos: b.at(x), Kind: physical.Inner}
	switch x.Kind {
	case ast.JoinLeft:
		j.Kind = physical.Left
	case ast.JoinFull:
		j.Kind = physical.Full
	case ast.JoinRight:
		j.Kind = physical.Left
		return b.swapped(left, right, j, conds), sc, nil
	}
	return logical.BuildJoin(left, right, j, conds), sc, nil
}

// swapped joins with the sides exchanged and puts the columns back in their order.
func (b *Binder) swapped(left, right logical.Node, j logical.Join, conds []expr.Expr) logical.Node {
	l, r := len(left.Columns()), len(right.Columns())
	moved := make([]int, l+r)
	for i := range moved {
		moved[i] = (i + r) % (l + r)
	}
	for i, c := range conds {
		conds[i] = logical.Remap(c, moved)
	}
	return logical.NewPick(logical.BuildJoin(right, left, j, conds), moved)
}

// joinConditions binds ON or USING over left columns then right columns. USING hides the right side's column; for a RIGHT join the
// left one may be NULL, so that the right one is shown.
func (b *Binder) joinConditions(x *ast.Join, ls, rs, sc *scope, width int) ([]expr.Expr, error) {
	if x.On != nil {
		e, err := b.condition(x.On, &clause{name: "ON", scope: sc})
		if err != nil {
			return nil, err
		}
		if k, ok := e.(*expr.Const); ok && !k.Value.IsNull(0) && k.Value.Bool(0) {
			return nil, nil
		}
		return logical.Conjuncts(e), nil
	}
	var conds []expr.Expr
	for _, name := range x.Using {
		l, err := ls.resolve([]ast.Name{name}, b.at)
		if err != nil {
			return nil, err
		}
		r, err := rs.resolve([]ast.Name{name}, b.at)
		if err != nil {
			return nil, err
		}
		e, err := expr.NewCall("=", b.at(name), l, logical.Shift(r, width))
		if err != nil {
			return nil, err
		}
		conds = append(conds, e)
		hide, _ := rs.find("", name.Text)
		hidden := hide.index + width
		if x.Kind == ast.JoinRight {
			hide, _ = ls.find("", name.Text)
			hidden = hide.index
		}
		for i := range sc.cols {
			if sc.cols[i].index == hidden {
				sc.cols[i].hidden = true
			}
		}
	}
	return conds, nil
}

// temporal binds `left JOIN t FOR SYSTEM_TIME AS OF left.ts`: t must be versioned (PRIMARY KEY and WATERMARK) or bounded; then its
// present rows are its only version.
func (b *Binder) temporal(x *ast.Join, t *ast.Table, left logical.Node, ls *scope) (logical.Node, *scope, error) {
	if x.Kind != ast.JoinInner && x.Kind != ast.JoinLeft {
		return nil, nil, notSupported(b.at(t), "FOR SYSTEM_TIME AS OF in other than INNER and LEFT joins")
	}
	time, err := b.expr(t.AsOf, &clause{name: "FOR SYSTEM_TIME AS OF", scope: ls})
	if err != nil {
		return nil, nil, err
	}
	rel, err := b.relation(t)
	if err != nil {
		return nil, nil, err
	}
	right, err := b.versions(rel, t)
	if err != nil {
		return nil, nil, err
	}
	alias := rel.Name
	if t.Alias.Text != "" {
		alias = t.Alias.Text
	}
	width := len(left.Columns())
	rs := fieldsToScope(alias, right)
	sc := ls.join(rs, width)
	conds, err := b.joinConditions(x, ls, rs, sc, width)
	if err != nil {
		return nil, nil, err
	}
	j := logical.Join{Pos: b.at(x), Kind: physical.Inner, Method: logical.Temporal}
	if x.Kind == ast.JoinLeft {
		j.Kind = physical.Left
	}
	if rel.Watermark == nil {
		j.Method = logical.Lookup
		return logical.BuildJoin(left, right, j, conds), sc, nil
	}
	col, ok := time.(*expr.Col)
	if !ok || !slices.Contains(b.props.Of(left).EventTime, col.Index) {
		return nil, nil, diag.New(diag.NoEventTime, b.at(t.AsOf), "FOR SYSTEM_TIME AS OF needs the left side's event-time column, %s is not one", expr.Print(time)).
			WithHint("name the column that the left source's WATERMARK is declared for")
	}
	j.LeftTime, j.RightTime = col.Index, rel.Watermark.Column
	conds, residual, err := b.keyConditions(rel, t, conds, width)
	if err != nil {
		return nil, nil, err
	}
	j.Residual = logical.And(residual)
	// The residual was bound over the sides as they are; BuildJoin moves it when it has to add key columns.
	return logical.BuildJoin(left, right, j, conds), sc, nil
}

// versions reads the table of a temporal join.
func (b *Binder) versions(rel *catalog.Relation, t *ast.Table) (logical.Node, error) {
	if rel.Kind != catalog.Source && rel.Kind != catalog.Table {
		return nil, notSupported(b.at(t), "FOR SYSTEM_TIME AS OF over a %s", rel.Kind).WithHint("join with a table that has PRIMARY KEY and WATERMARK")
	}
	switch {
	case rel.Watermark == nil && b.env.bounded(rel):
		return b.scan(rel, t, false)
	case len(rel.PrimaryKey) == 0:
		return nil, diag.New(diag.NoKey, b.at(t), "'%s' has no PRIMARY KEY: its rows cannot be versions of one another", rel.Name).
			WithHint("declare PRIMARY KEY (..) NOT ENFORCED in its columns")
	case rel.Watermark == nil:
		return nil, diag.New(diag.NoEventTime, b.at(t), "'%s' has no WATERMARK: it is unknown when its versions begin", rel.Name).
			WithHint("declare WATERMARK FOR ts AS ts in its columns")
	}
	return b.scan(rel, t, true)
}

// keyConditions splits the conditions of a temporal join: equalities on the columns of the right primary key, each once, and the rest.
// The versions are those of the primary key, so that other equalities must not become keys.
func (b *Binder) keyConditions(rel *catalog.Relation, t *ast.Table, conds []expr.Expr, width int) (keys, rest []expr.Expr, err error) {
	found := map[int]bool{}
	for _, c := range conds {
		if col := rightKeyColumn(c, width); slices.Contains(rel.PrimaryKey, col) && !found[col] {
			found[col] = true
			keys = append(keys, c)
			continue
		}
		rest = append(rest, c)
	}
	if len(found) == len(rel.PrimaryKey) {
		return keys, rest, nil
	}
	var want []string
	for _, c := range rel.PrimaryKey {
		want = append(want, rel.Columns[c].Name)
	}
	return nil, nil, diag.New(diag.NoKey, b.at(t), "the join must equate the whole primary key of '%s' (%s)", rel.Name, strings.Join(want, ", ")).
		WithHint("ON .. = %s.%s", rel.Name, want[0])
}

// rightKeyColumn is the right column that an equality compares with the left side, seen through casts; -1: no such equality.
func rightKeyColumn(e expr.Expr, width int) int {
	c, ok := e.(*expr.Call)
	if !ok || c.Name != "=" || len(c.Args) != 2 {
		return -1
	}
	for i, a := range c.Args {
		if logical.SideOf(a, width) != 2 || logical.SideOf(c.Args[1-i], width) != 1 {
			continue
		}
		for {
			cast, ok := a.(*expr.Call)
			if !ok || cast.Name != "cast" {
				break
			}
			a = cast.Args[0]
		}
		if col, ok := a.(*expr.Col); ok {
			return col.Index - width
		}
	}
	return -1
}
