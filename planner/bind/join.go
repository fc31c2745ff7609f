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
	if x.AsOf {
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
	if t, ok := x.Right.(*ast.DerivedTable); ok && t.Lateral {
		return b.lateral(x, t, left, ls)
	}
	right, rs, err := b.from(x.Right)
	if err != nil {
		return nil, nil, err
	}
	j := logical.Join{Pos: b.at(x), Kind: joinKinds[x.Kind]}
	s := &sides{left: left, right: right, ls: ls, rs: rs}
	if err := b.joinConditions(x, s); err != nil {
		return nil, nil, err
	}
	var out logical.Node
	if x.Kind == ast.JoinRight {
		out = b.swapped(s.left, s.right, j, s.conds)
	} else {
		out = logical.BuildJoin(s.left, s.right, j, s.conds)
	}
	return b.joined(x, s, out)
}

var joinKinds = map[ast.JoinKind]physical.JoinKind{ast.JoinInner: physical.Inner, ast.JoinCross: physical.Inner, ast.JoinLeft: physical.Left,
	ast.JoinRight: physical.Left, ast.JoinFull: physical.Full}

// sides are the inputs of a join and its conditions, over left columns then right columns. Tests are conditions with subqueries, which
// an inner join has as a filter above it.
type sides struct {
	left, right logical.Node
	ls, rs      *scope
	conds       []expr.Expr
	tests       []ast.Expr
	using       []ast.Name
}

func (s *sides) scope() *scope { return s.ls.join(s.rs, len(s.left.Columns())) }

// joined finishes a join: tests, and the columns of USING.
func (b *Binder) joined(x *ast.Join, s *sides, out logical.Node) (logical.Node, *scope, error) {
	sc := s.scope()
	for _, t := range s.tests {
		var err error
		if out, err = b.where(out, sc, t); err != nil {
			return nil, nil, err
		}
	}
	if len(s.using) == 0 {
		return out, sc, nil
	}
	return b.coalesced(x, s, out, sc)
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

// joinConditions binds ON, USING or NATURAL.
func (b *Binder) joinConditions(x *ast.Join, s *sides) error {
	if x.On != nil {
		return b.onConditions(x, s)
	}
	s.using = x.Using
	if x.Natural {
		s.using = commonNames(s.ls, s.rs, x)
	}
	for _, name := range s.using {
		l, err := s.ls.resolve([]ast.Name{name}, b.at)
		if err != nil {
			return err
		}
		r, err := s.rs.resolve([]ast.Name{name}, b.at)
		if err != nil {
			return err
		}
		e, err := expr.NewCall("=", b.at(name), l, logical.Shift(r, len(s.left.Columns())))
		if err != nil {
			return err
		}
		s.conds = append(s.conds, e)
	}
	return nil
}

// commonNames are the columns that both sides of a NATURAL JOIN have, in the order of the left side.
func commonNames(ls, rs *scope, x *ast.Join) []ast.Name {
	var out []ast.Name
	for _, c := range ls.cols {
		if _, n := rs.find("", c.name); n > 0 && !c.hidden {
			out = append(out, ast.Name{Pos: x.Pos, Text: c.name})
		}
	}
	return out
}

// onConditions binds ON. A condition with a subquery filters the result of an inner join; of an outer join it may only filter the side
// whose rows may miss.
func (b *Binder) onConditions(x *ast.Join, s *sides) error {
	sc := s.scope()
	for _, e := range conjuncts(x.On) {
		subs := &subqueries{}
		k, err := b.condition(e, &clause{name: "ON", scope: sc, subqueries: subs})
		if err != nil {
			return err
		}
		if c, ok := k.(*expr.Const); ok && !c.Value.IsNull(0) && c.Value.Bool(0) {
			continue
		}
		switch {
		case len(subs.list) == 0:
			s.conds = append(s.conds, logical.Conjuncts(k)...)
			continue
		case x.Kind == ast.JoinInner || x.Kind == ast.JoinCross:
			s.tests = append(s.tests, e)
		case x.Kind == ast.JoinLeft:
			s.right, err = b.where(s.right, s.rs, e)
		case x.Kind == ast.JoinRight:
			s.left, err = b.where(s.left, s.ls, e)
		default:
			err = notSupported(b.at(e), "a subquery in ON of a FULL JOIN").WithHint("filter its inputs in subqueries of FROM")
		}
		if d, ok := diag.As(err); ok && d.Code == diag.UnknownColumn {
			err = notSupported(b.at(e), "a subquery in ON of an outer join that reads the side whose rows are all kept").
				WithHint("compute it in a subquery of FROM and compare with its column")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// coalesced gives the scope of a join with USING or NATURAL (MySQL 8.0 manual, 15.2.13.2): first the common columns, once, in the order of the
// left side, then the others. A common column is the left one; of a FULL join whichever is there. A RIGHT join is a LEFT join of the
// sides exchanged, also in the order of its columns. Both sides' own still answer to their table's name.
func (b *Binder) coalesced(x *ast.Join, s *sides, out logical.Node, sc *scope) (logical.Node, *scope, error) {
	width := len(s.left.Columns())
	common := &scope{}
	var list columnList
	for i, f := range out.Columns() {
		list.append(logical.ColOf(out, i), f.Name)
	}
	first := s.ls
	if x.Kind == ast.JoinRight {
		first = s.rs
		sc = exchanged(sc, len(s.ls.cols))
	}
	for _, name := range inOrder(first, s.using) {
		l, _ := s.ls.find("", name.Text)
		r, _ := s.rs.find("", name.Text)
		shown := *l
		switch x.Kind {
		case ast.JoinRight:
			shown = *r
			shown.index += width
		case ast.JoinFull:
			e, err := expr.NewCall("coalesce", b.at(name), logical.ColOf(out, l.index), logical.ColOf(out, r.index+width))
			if err != nil {
				return nil, nil, err
			}
			shown = scopeColumn{name: l.name, typ: e.Type(), index: list.append(e, l.name)}
		}
		common.cols = append(common.cols, shown)
		for i := range sc.cols {
			if c := &sc.cols[i]; c.index == l.index || c.index == r.index+width {
				c.hidden = true
			}
		}
	}
	if len(list.exprs) > len(out.Columns()) {
		out = list.project(out)
	}
	common.cols = append(common.cols, sc.cols...)
	return out, common, nil
}

// exchanged puts the columns from n on first.
func exchanged(s *scope, n int) *scope {
	return &scope{cols: append(slices.Clone(s.cols[n:]), s.cols[:n]...)}
}

// inOrder sorts names as the columns of s are.
func inOrder(s *scope, names []ast.Name) []ast.Name {
	out := slices.Clone(names)
	slices.SortStableFunc(out, func(x, y ast.Name) int {
		a, _ := s.find("", x.Text)
		c, _ := s.find("", y.Text)
		return a.index - c.index
	})
	return out
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
	s := &sides{left: left, right: right, ls: ls, rs: fieldsToScope(alias, right)}
	if err := b.joinConditions(x, s); err != nil {
		return nil, nil, err
	}
	left, right = s.left, s.right
	conds := s.conds
	j := logical.Join{Pos: b.at(x), Kind: physical.Inner, Method: logical.Temporal}
	if x.Kind == ast.JoinLeft {
		j.Kind = physical.Left
	}
	if rel.Watermark == nil {
		j.Method = logical.Lookup
		return b.joined(x, s, logical.BuildJoin(left, right, j, conds))
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
	return b.joined(x, s, logical.BuildJoin(left, right, j, conds))
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
