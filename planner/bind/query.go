package bind

import (
	"strconv"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
)

// block is a bound query body: its visible columns come first, behind them what only ORDER BY needs.
type block struct {
	node    logical.Node
	visible int
	order   []physical.SortKey
}

// Query binds a whole statement's query. An ad hoc query reads materialised views from their state: a snapshot, or with EMIT CHANGES
// and a single relation the state and then its changes. Everything else expands them as the queries they are.
func (b *Binder) Query(q *ast.Query) (logical.Node, error) {
	if b.env.AdHoc && q.Emit == ast.EmitChanges {
		b.follow = countTables(q) == 1
		b.inline = !b.follow
	}
	n, err := b.query(q)
	if err != nil {
		return nil, err
	}
	if b.env.AdHoc && q.Emit == ast.EmitDefault {
		return n, b.mustEnd(n, q)
	}
	return n, nil
}

// mustEnd refuses a plain SELECT whose result is never complete.
func (b *Binder) mustEnd(n logical.Node, q *ast.Query) error {
	if b.props.Of(n).Bounded {
		return nil
	}
	err := diag.New(diag.UnboundedQuery, b.at(q), "this SELECT reads an endless stream and would never end")
	if b.props.Of(n).Changelog == physical.AppendOnly {
		return err.WithHint("add EMIT CHANGES to follow it, or LIMIT n to see the first rows")
	}
	return err.WithHint("add EMIT CHANGES to follow the result as it changes, or create a MATERIALIZED VIEW and select from that")
}

// countTables counts the relations that a query names, as far as two.
func countTables(q *ast.Query) int {
	n := 0
	for i := range q.With {
		n += countTables(q.With[i].Query) - 1 // its use counts as one
	}
	return n + countBody(q.Body)
}

func countBody(body ast.QueryBody) int {
	switch x := body.(type) {
	case *ast.Query:
		return countTables(x)
	case *ast.SetOp:
		return countBody(x.Left) + countBody(x.Right)
	case *ast.Select:
		if x.From != nil {
			return countFrom(x.From)
		}
	}
	return 0
}

func countFrom(t ast.TableExpr) int {
	switch x := t.(type) {
	case *ast.Table:
		return 1
	case *ast.DerivedTable:
		return countTables(x.Query)
	case *ast.Join:
		return countFrom(x.Left) + countFrom(x.Right)
	case *ast.MatchRecognize:
		return countFrom(x.Input)
	case *ast.TableFunc:
		n := 0
		for _, a := range x.Args {
			if a.Table != nil {
				n += countFrom(a.Table)
			}
		}
		return n
	}
	return 0
}

// query binds a query with its WITH, ORDER BY and LIMIT.
func (b *Binder) query(q *ast.Query) (logical.Node, error) {
	if err := b.enter(q); err != nil {
		return nil, err
	}
	defer b.leave()
	outer, emit := b.ctes, b.emit
	defer func() { b.ctes, b.emit = outer, emit }()
	if q.Emit != ast.EmitDefault {
		b.emit = q.Emit
	}
	for i := range q.With {
		b.ctes = append(b.ctes[:len(b.ctes):len(b.ctes)], cte{def: &q.With[i], seen: len(b.ctes), around: len(b.frames), self: q.Recursive})
	}
	blk, err := b.body(q.Body, q.OrderBy)
	if err != nil {
		return nil, err
	}
	n, err := b.limited(blk, q)
	if err != nil {
		return nil, err
	}
	if blk.visible < len(n.Columns()) {
		n = logical.NewPick(n, allColumns(n)[:blk.visible])
	}
	return n, nil
}

func (b *Binder) body(body ast.QueryBody, order []ast.OrderItem) (*block, error) {
	switch x := body.(type) {
	case *ast.Select:
		return b.selectBlock(x, order)
	case *ast.Query:
		n, err := b.query(x)
		if err != nil {
			return nil, err
		}
		return b.orderOutput(n, order)
	case *ast.SetOp:
		n, err := b.setOp(x)
		if err != nil {
			return nil, err
		}
		return b.orderOutput(n, order)
	case *ast.Values:
		n, err := b.values(x)
		if err != nil {
			return nil, err
		}
		return b.orderOutput(n, order)
	}
	return nil, notSupported(b.at(body), "this query")
}

// orderOutput binds ORDER BY over the output columns only: those of a set operation or VALUES.
func (b *Binder) orderOutput(n logical.Node, order []ast.OrderItem) (*block, error) {
	blk := &block{node: n, visible: len(n.Columns())}
	sc := fieldsToScope("", n)
	var list columnList
	for i, f := range n.Columns() {
		list.append(logical.ColOf(n, i), f.Name)
	}
	for _, o := range order {
		if i, ok, err := b.ordinal(o.Expr, blk.visible); err != nil {
			return nil, err
		} else if ok {
			blk.order = append(blk.order, physical.SortKey{Col: i, Desc: o.Desc})
			continue
		}
		e, err := b.expr(o.Expr, &clause{name: "ORDER BY", scope: sc})
		if err != nil {
			return nil, err
		}
		blk.order = append(blk.order, physical.SortKey{Col: list.add(e), Desc: o.Desc})
	}
	if len(list.exprs) > blk.visible {
		blk.node = list.project(n)
	}
	return blk, nil
}

// ordinal reads `ORDER BY 2` or `GROUP BY 2`.
func (b *Binder) ordinal(e ast.Expr, n int) (int, bool, error) {
	lit, ok := e.(*ast.Literal)
	if !ok || lit.Kind != ast.LitInt {
		return 0, false, nil
	}
	i := 0
	for _, c := range lit.Text {
		if i = i*10 + int(c-'0'); i > MaxColumns {
			break
		}
	}
	if i < 1 || i > n {
		return 0, false, diag.New(diag.UnknownColumn, b.at(e), "position %s is not in the select list, which has %d column(s)", lit.Text, n)
	}
	return i - 1, true, nil
}

// limited applies ORDER BY and LIMIT. Over an endless input an order makes sense only as a top-N that keeps changing.
func (b *Binder) limited(blk *block, q *ast.Query) (logical.Node, error) {
	limit, offset := int64(-1), int64(0)
	var err error
	if q.Limit != nil {
		if limit, err = b.rowCount(q.Limit, "LIMIT"); err != nil {
			return nil, err
		}
	}
	if q.Offset != nil {
		if offset, err = b.rowCount(q.Offset, "OFFSET"); err != nil {
			return nil, err
		}
	}
	switch {
	case len(blk.order) == 0 && limit < 0 && offset == 0:
		return blk.node, nil
	case len(blk.order) == 0:
		return b.firstRows(blk.node, q, offset, limit)
	case b.props.Of(blk.node).Bounded && b.env.AdHoc:
		return logical.NewSort(blk.node, logical.Sort{Order: blk.order, Offset: offset, Limit: limit, Pos: b.at(q)}), nil
	case limit < 0:
		if b.props.Of(blk.node).Bounded || b.depth > 1 {
			return blk.node, nil // without LIMIT the order of a subquery or of what is stored means nothing
		}
		return nil, diag.New(diag.UnboundedQuery, b.at(q.OrderBy[0].Expr), "ORDER BY without LIMIT over an endless stream would never give a row").
			WithHint("add LIMIT n for a top-n that is kept up to date, or order when you read the result")
	case offset > 0:
		return firstOf(blk.node, logical.TopN{Order: blk.order}, offset, limit)
	}
	return logical.NewTopN(blk.node, logical.TopN{Order: blk.order, Limit: limit}), nil
}

// firstRows is LIMIT without ORDER BY: the rows that come first. Rows that may be taken back cannot be counted, unless changes are
// what was asked for.
func (b *Binder) firstRows(n logical.Node, q *ast.Query, offset, limit int64) (logical.Node, error) {
	info := b.props.Of(n)
	if !info.Bounded && info.Changelog != physical.AppendOnly && q.Emit != ast.EmitChanges {
		return nil, b.mustEnd(n, q)
	}
	return logical.NewLimit(n, logical.Limit{Offset: offset, Limit: limit, Pos: b.at(q)}), nil
}

func (b *Binder) rowCount(e ast.Expr, what string) (int64, error) {
	if _, param := e.(*ast.Param); param && b.env.Describe {
		return 1, nil
	}
	x, err := b.expr(e, &clause{name: what, scope: &scope{}})
	if err != nil {
		return 0, err
	}
	k, ok := x.(*expr.Const)
	if !ok || !k.Value.Type.Kind.IsInteger() || k.Value.IsNull(0) || k.Value.I64[0] < 0 {
		return 0, diag.New(diag.WrongArguments, b.at(e), "%s takes a number of rows", what)
	}
	return k.Value.I64[0], nil
}

// setOp binds UNION; columns meet by position in their common type.
func (b *Binder) setOp(x *ast.SetOp) (logical.Node, error) {
	if err := b.enter(x); err != nil {
		return nil, err
	}
	defer b.leave()
	l, err := b.body(x.Left, nil)
	if err != nil {
		return nil, err
	}
	r, err := b.body(x.Right, nil)
	if err != nil {
		return nil, err
	}
	left, right := l.node, r.node
	if len(left.Columns()) != len(right.Columns()) {
		return nil, diag.New(diag.TypeMismatch, b.at(x.Right), "%s of %d and %d columns", x.Op, len(left.Columns()), len(right.Columns()))
	}
	common := make([]types.Type, len(left.Columns()))
	for i, f := range left.Columns() {
		t, ok := types.CommonType(f.Type, right.Columns()[i].Type)
		if !ok {
			return nil, diag.New(diag.TypeMismatch, b.at(x.Right), "%s: column %d is %s on the left and %s on the right", x.Op, i+1, f.Type, right.Columns()[i].Type)
		}
		common[i] = t
	}
	if left, err = castColumns(left, common); err != nil {
		return nil, err
	}
	if right, err = castColumns(right, common); err != nil {
		return nil, err
	}
	if x.Op != "UNION" {
		return b.difference(left, right, x)
	}
	n := logical.Node(logical.NewUnion(left, right))
	if !x.All {
		n = b.distinct(n, b.at(x))
	}
	return n, nil
}

func castColumns(n logical.Node, want []types.Type) (logical.Node, error) {
	p := logical.NewPick(n, allColumns(n))
	changed := false
	for i, e := range p.Exprs {
		if e.Type().Equal(want[i]) {
			continue
		}
		var err error
		if p.Exprs[i], err = expr.NewCast(e, want[i], false, -1); err != nil {
			return nil, err
		}
		changed = true
	}
	if !changed {
		return n, nil
	}
	return logical.NewProject(n, p.Exprs, p.Names), nil
}

// distinct keeps one of equal rows: for an append-only input the first to come. Rows that carry their window's end are grouped instead,
// because groups are forgotten when the window closes.
func (b *Binder) distinct(n logical.Node, pos int) logical.Node {
	info := b.props.Of(n)
	windowed := len(info.WindowEnd) > 0 && b.emit != ast.EmitChanges
	if info.Changelog == physical.AppendOnly && !windowed {
		return logical.NewDeduplicate(n, allColumns(n))
	}
	return logical.NewAggregate(n, logical.Aggregate{Keys: allColumns(n), Emit: b.emit, Pos: pos})
}

func (b *Binder) values(x *ast.Values) (logical.Node, error) {
	c := &clause{name: "VALUES", scope: &scope{}}
	rows := make([][]expr.Expr, len(x.Rows))
	var cols []types.Field
	for i, row := range x.Rows {
		exprs, err := b.exprs(row, c)
		if err != nil {
			return nil, err
		}
		if i > 0 && len(exprs) != len(cols) {
			return nil, diag.New(diag.WrongArguments, b.at(row[0]), "row %d has %d values, the first has %d", i+1, len(exprs), len(cols))
		}
		rows[i] = exprs
		for k, e := range exprs {
			if i == 0 {
				cols = append(cols, types.Field{Name: "column_" + strconv.Itoa(k), Type: e.Type()})
				continue
			}
			t, ok := types.CommonType(cols[k].Type, e.Type())
			if !ok {
				return nil, diag.New(diag.TypeMismatch, e.At(), "value is %s, those above are %s", e.Type(), cols[k].Type)
			}
			cols[k].Type = t
		}
	}
	return castValues(cols, rows)
}

func castValues(cols []types.Field, rows [][]expr.Expr) (logical.Node, error) {
	for _, row := range rows {
		for k, e := range row {
			var err error
			if row[k], err = castTo(e, cols[k].Type, e.At()); err != nil {
				return nil, err
			}
		}
	}
	return logical.NewValues(cols, rows), nil
}
