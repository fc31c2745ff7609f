package bind

import (
	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/function"
)

// subqueries collects the scalar subqueries of a clause. They are bound on their own, so that a correlated one fails with an
// unknown column.
type subqueries struct {
	nodes []logical.Node
}

func (b *Binder) scalarSubquery(x *ast.Subquery, c *clause) (expr.Expr, error) {
	at := b.at(x)
	if c.subqueries == nil {
		return nil, notSupported(at, "a subquery in %s", c.name).WithHint("join with it in FROM")
	}
	n, err := b.subquery(x.Query)
	if err != nil {
		return nil, err
	}
	if x.Exists {
		return b.exists(n, c, at)
	}
	if len(n.Columns()) != 1 {
		return nil, diag.New(diag.WrongArguments, at, "a scalar subquery gives one column, this one %d", len(n.Columns()))
	}
	if !b.singleRow(n) {
		return nil, notSupported(at, "a scalar subquery that may give several rows").WithHint("aggregate it (MAX, ANY_VALUE), or write IN (SELECT ..)")
	}
	return c.subqueries.add(n, at), nil
}

// add records a subquery of one column and one row and returns the placeholder of its value.
func (s *subqueries) add(n logical.Node, at int) expr.Expr {
	s.nodes = append(s.nodes, n)
	return &expr.Col{Index: subBase + len(s.nodes) - 1, Name: n.Columns()[0].Name, Typ: n.Columns()[0].Type, Pos: at}
}

// join puts the rows of the subqueries beside those of in; where tells their columns.
func (s *subqueries) join(in logical.Node, at int) (out logical.Node, where []int) {
	out = in
	for _, n := range s.nodes {
		where = append(where, len(out.Columns()))
		out = logical.NewJoin(out, n, logical.Join{Kind: physical.Left, Pos: at})
	}
	return out, where
}

// exists is `IFNULL((SELECT COUNT(*) FROM ..), 0) > 0`: in an endless query the count has no row before the first row has come.
func (b *Binder) exists(n logical.Node, c *clause, at int) (expr.Expr, error) {
	count, err := countAll()
	if err != nil {
		return nil, err
	}
	calls := aggregates{calls: []aggregate{count}}
	rows, err := expr.NewCall("ifnull", at, c.subqueries.add(calls.group(n, nil, b.emit, at), at), expr.NewInt(0))
	if err != nil {
		return nil, err
	}
	return expr.NewCall(">", at, rows, expr.NewInt(0))
}

func countAll() (aggregate, error) {
	bound, err := function.LookupAgg("count").Bind(nil)
	return aggregate{name: "COUNT(*)", bound: bound}, err
}

// subquery binds a query on its own.
func (b *Binder) subquery(q *ast.Query) (logical.Node, error) {
	n, err := b.query(q)
	if d, ok := diag.As(err); ok && d.Code == diag.UnknownColumn {
		const why = "a subquery does not see the columns of the query around it; use a join"
		moved := *d
		if moved.Hint = why; d.Hint != "" {
			moved.Hint = d.Hint + "; " + why
		}
		return nil, &moved
	}
	return n, err
}

// singleRow tells whether at most one row is known to come: the empty set of columns is a key.
func (b *Binder) singleRow(n logical.Node) bool {
	for _, k := range b.props.Of(n).Keys {
		if len(k) == 0 {
			return true
		}
	}
	return false
}

func (b *Binder) inSubquery(x *ast.In, c *clause) (expr.Expr, error) {
	return nil, notSupported(b.at(x), "IN (SELECT ..) here").WithHint("it may stand in WHERE, joined to other conditions by AND, without NOT")
}

// where filters a node. IN (SELECT ..) at the top of the condition becomes a join with the distinct rows of the subquery, a scalar
// subquery a left join with its row.
func (b *Binder) where(in logical.Node, sc *scope, cond ast.Expr) (logical.Node, error) {
	out := in
	subs := &subqueries{}
	c := &clause{name: "WHERE", scope: sc, subqueries: subs}
	var conds []expr.Expr
	for _, e := range conjuncts(cond) {
		if x, ok := e.(*ast.In); ok && x.Query != nil && !x.Not {
			var err error
			if out, err = b.semiJoin(out, x, c); err != nil {
				return nil, err
			}
			continue
		}
		k, err := b.condition(e, c)
		if err != nil {
			return nil, err
		}
		conds = append(conds, k)
	}
	width := len(in.Columns())
	out, where := subs.join(out, b.at(cond))
	if len(conds) > 0 {
		all := conds[0]
		if len(conds) > 1 {
			var err error
			if all, err = expr.NewCall("and", b.at(cond), conds...); err != nil {
				return nil, err
			}
		}
		out = logical.NewFilter(out, place(all, subBase, where))
	}
	if len(out.Columns()) > width {
		out = logical.NewPick(out, allColumns(out)[:width])
	}
	return out, nil
}

func conjuncts(e ast.Expr) []ast.Expr {
	if x, ok := e.(*ast.Binary); ok && x.Op == "AND" {
		return append(conjuncts(x.X), conjuncts(x.Y)...)
	}
	return []ast.Expr{e}
}

func (b *Binder) semiJoin(in logical.Node, x *ast.In, c *clause) (logical.Node, error) {
	value, err := b.expr(x.X, &clause{name: c.name, scope: c.scope})
	if err != nil {
		return nil, err
	}
	sub, err := b.subquery(x.Query)
	if err != nil {
		return nil, err
	}
	if len(sub.Columns()) != 1 {
		return nil, diag.New(diag.WrongArguments, b.at(x), "IN compares with one column, the subquery gives %d", len(sub.Columns()))
	}
	width := len(in.Columns())
	right := logical.ColOf(sub, 0)
	right.Index += width
	eq, err := expr.NewCall("=", b.at(x), value, right)
	if err != nil {
		return nil, err
	}
	sub = b.distinct(sub, b.at(x))
	n := logical.BuildJoin(in, sub, logical.Join{Kind: physical.Inner, Pos: b.at(x)}, []expr.Expr{eq})
	return logical.NewPick(n, allColumns(n)[:width]), nil
}
