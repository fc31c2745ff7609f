package bind

import (
	"slices"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/function"
)

// A subquery in an expression is bound on its own: what it reads of the queries around it are columns from logical.OuterBase on. In the
// expression stands a placeholder, column subBase+i for the i-th subquery of the clause. attach puts the subquery beside the rows of the
// clause, freed of outer columns (pull.go, domain.go), and tells the expression that replaces the placeholder.

type subqueryKind uint8

const (
	scalarQuery subqueryKind = iota // its one value
	existsQuery                     // whether it has rows
	anyQuery                        // x op ANY (..): IN, ANY, SOME, ALL
)

type subquery struct {
	kind   subqueryKind
	plan   logical.Node
	outs   map[int]expr.Expr // what outer columns are in the query around, by number
	left   []expr.Expr       // anyQuery: what is compared with the columns
	op     string            // anyQuery
	negate bool              // anyQuery, existsQuery: NOT IN, NOT EXISTS, ALL (with the opposite op)
	at     int
}

// subqueries collects the subqueries of a clause. values holds what has replaced each placeholder; nil: not attached yet.
type subqueries struct {
	list   []*subquery
	values []expr.Expr
}

// frame is a query around the one that is being bound.
type frame struct {
	scope *scope
	outs  map[int]expr.Expr
}

// outerColumn resolves a name in the queries around, innermost first; nil: none knows it.
func (b *Binder) outerColumn(parts []ast.Name) (expr.Expr, error) {
	for i := len(b.frames) - 1; i >= 0; i-- {
		f := b.frames[i]
		e, err := f.scope.resolve(parts, b.at)
		if namesNothing(err, parts) {
			continue
		}
		if err != nil {
			return nil, err
		}
		n := b.outers
		for k, known := range f.outs {
			if expr.Equal(known, e) {
				n = k
			}
		}
		if n == b.outers {
			b.outers++
			f.outs[n] = e
		}
		return &expr.Col{Index: logical.OuterBase + n, Name: expr.Print(e), Typ: e.Type(), Pos: b.at(parts[0])}, nil
	}
	return nil, nil
}

// namesNothing tells whether err says that a scope knows no such name. A path whose first part is a column that is no STRUCT counts: it
// may be a table of a query around, as in SELECT .. FROM dept WHERE EXISTS (SELECT 1 FROM emp WHERE emp.dept = dept.id).
func namesNothing(err error, parts []ast.Name) bool {
	d, ok := diag.As(err)
	return ok && (d.Code == diag.UnknownColumn || d.Code == diag.TypeMismatch && len(parts) > 1)
}

// within binds a query inside the clause that sees sc.
func (b *Binder) inner(q *ast.Query, sc *scope) (*subquery, error) {
	f := &frame{scope: sc, outs: map[int]expr.Expr{}}
	b.frames = append(b.frames, f)
	n, err := b.query(q)
	b.frames = b.frames[:len(b.frames)-1]
	return &subquery{plan: n, outs: f.outs}, err
}

// subquery binds a query in an expression.
func (b *Binder) subquery(q *ast.Query, c *clause, at ast.Node) (*subquery, error) {
	if c.subqueries == nil {
		return nil, notSupported(b.at(at), "a subquery in %s", c.name).WithHint("join with it in FROM")
	}
	if b.subs++; b.subs > MaxJoins {
		return nil, diag.New(diag.TooDeep, b.at(at), "more than %d subqueries in one statement", MaxJoins)
	}
	s, err := b.inner(q, c.scope)
	if err != nil {
		return nil, err
	}
	s.at = b.at(at)
	return s, nil
}

func (b *Binder) scalarSubquery(x *ast.Subquery, c *clause) (expr.Expr, error) {
	s, err := b.subquery(x.Query, c, x)
	if err != nil {
		return nil, err
	}
	if x.Exists {
		s.kind, s.plan = existsQuery, existence(s.plan)
		return c.subqueries.add(s), nil
	}
	if n := len(s.plan.Columns()); n != 1 {
		return nil, diag.New(diag.WrongArguments, s.at, "a scalar subquery gives one column, this one %d", n)
	}
	return c.subqueries.add(s), nil
}

// existence leaves out of a plan what does not change whether it has rows.
func existence(n logical.Node) logical.Node {
	for {
		switch x := n.(type) {
		case *logical.Project, *logical.Deduplicate:
		case *logical.Sort:
			if x.Offset > 0 || x.Limit == 0 {
				return n
			}
		case *logical.Limit:
			if x.Offset > 0 || x.Limit == 0 {
				return n
			}
		case *logical.TopN:
			if x.Limit == 0 || x.WithRank {
				return n
			}
		case *logical.Aggregate:
			if len(x.Keys) == 0 {
				return n
			}
		default:
			return n
		}
		n = n.Inputs()[0]
	}
}

func (b *Binder) inSubquery(x *ast.In, c *clause) (expr.Expr, error) {
	return b.compared(&ast.Quantified{Pos: x.Pos, Op: "=", X: x.X, Query: x.Query}, x.Not, "IN", c)
}

var opposite = map[string]string{"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}

func (b *Binder) quantified(x *ast.Quantified, c *clause) (expr.Expr, error) {
	op := x.Op
	if op == "!=" {
		op = "<>"
	}
	if opposite[op] == "" {
		return nil, notSupported(b.at(x), "%s with ANY or ALL", x.Op).WithHint("ANY and ALL take = <> < <= > >=")
	}
	q := *x
	q.Op = op
	word := "ANY"
	if x.All { // all x op y: not any x opposite y
		q.Op, word = opposite[op], "ALL"
	}
	return b.compared(&q, x.All, word, c)
}

// compared binds `x op ANY (query)`, or its negation.
func (b *Binder) compared(x *ast.Quantified, negate bool, word string, c *clause) (expr.Expr, error) {
	var left []expr.Expr
	var err error
	if row, ok := x.X.(*ast.Row); ok {
		left, err = b.exprs(row.Elems, c)
	} else {
		left, err = b.exprs([]ast.Expr{x.X}, c)
	}
	if err != nil {
		return nil, err
	}
	s, err := b.subquery(x.Query, c, x)
	if err != nil {
		return nil, err
	}
	s.kind, s.left, s.op, s.negate = anyQuery, left, lower(x.Op), negate
	if n := len(s.plan.Columns()); n != len(left) {
		return nil, diag.New(diag.WrongArguments, s.at, "%s compares with %s, the subquery gives %d", word, columnCount(len(left)), n)
	}
	if _, err := s.compare(len(left), left); err != nil { // types that do not compare are told here
		return nil, err
	}
	return c.subqueries.add(s), nil
}

func columnCount(n int) string {
	if n == 1 {
		return "one column"
	}
	return expr.Print(expr.NewInt(int64(n))) + " columns"
}

// compare compares the left expressions with the subquery's columns, which stand from width on.
func (s *subquery) compare(width int, left []expr.Expr) (expr.Expr, error) {
	var right []expr.Expr
	for i := range left {
		right = append(right, logical.Shift(logical.ColOf(s.plan, i), width))
	}
	if len(left) == 1 {
		return expr.NewCall(s.op, s.at, left[0], right[0])
	}
	return compareRows(s.op, s.at, left, right)
}

// add records a subquery and returns the placeholder of its value.
func (s *subqueries) add(q *subquery) expr.Expr {
	s.list, s.values = append(s.list, q), append(s.values, nil)
	return &expr.Col{Index: subBase + len(s.list) - 1, Name: "subquery", Typ: q.typ(), Pos: q.at}
}

// attach puts the subqueries that want names beside the rows of in, whose columns stay in front.
func (b *Binder) attachAll(in logical.Node, s *subqueries, want func(i int) bool) (logical.Node, error) {
	for i, q := range s.list {
		if s.values[i] != nil || !want(i) {
			continue
		}
		for k, e := range q.left {
			q.left[k] = s.place(e)
		}
		for k, e := range q.outs {
			q.outs[k] = s.place(e)
		}
		var err error
		if in, s.values[i], err = b.attach(in, q); err != nil {
			return nil, err
		}
	}
	return in, nil
}

// place replaces the placeholders of attached subqueries.
func (s *subqueries) place(e expr.Expr) expr.Expr {
	return logical.Transform(e, func(x expr.Expr) (expr.Expr, bool) {
		c, ok := x.(*expr.Col)
		if !ok {
			return nil, false
		}
		if i := c.Index - subBase; i >= 0 && i < len(s.values) && s.values[i] != nil {
			return s.values[i], true
		}
		return x, true
	})
}

// usedBy lists the subqueries whose placeholders stand in e, and in what those compare with.
func (s *subqueries) usedBy(exprs ...expr.Expr) map[int]bool {
	used := map[int]bool{}
	var visit func(e expr.Expr)
	visit = func(e expr.Expr) {
		if e == nil {
			return
		}
		for _, c := range expr.Columns(e) {
			i := c - subBase
			if i < 0 || i >= len(s.list) || used[i] {
				continue
			}
			used[i] = true
			for _, l := range s.list[i].left {
				visit(l)
			}
		}
	}
	for _, e := range exprs {
		visit(e)
	}
	return used
}

// all calls fn with every expression over the query around, to rewrite it; those of attached subqueries are done with.
func (s *subqueries) all(fn func(*expr.Expr)) {
	for i, q := range s.list {
		if s.values[i] != nil {
			continue
		}
		for k := range q.left {
			fn(&q.left[k])
		}
		for k, e := range q.outs {
			fn(&e)
			q.outs[k] = e
		}
	}
}

func countAll() (aggregate, error) {
	bound, err := function.LookupAgg("count").Bind(nil)
	return aggregate{name: "COUNT(*)", bound: bound}, err
}

// where filters a node. A test for rows at the top of the condition becomes a semi or an anti join, other subqueries are put beside
// the rows first.
func (b *Binder) where(in logical.Node, sc *scope, cond ast.Expr) (logical.Node, error) {
	width := len(in.Columns())
	subs := &subqueries{}
	c := &clause{name: "WHERE", scope: sc, subqueries: subs}
	var conds []expr.Expr
	for _, e := range conjuncts(cond) {
		k, err := b.condition(e, c)
		if err != nil {
			return nil, err
		}
		conds = append(conds, k)
	}
	out, err := b.filterWith(in, subs, conds)
	if err != nil {
		return nil, err
	}
	if len(out.Columns()) > width {
		out = logical.NewPick(out, allColumns(out)[:width])
	}
	return out, nil
}

// filterWith keeps the rows for which all conditions hold; behind the columns of in stand those of subqueries.
func (b *Binder) filterWith(in logical.Node, subs *subqueries, conds []expr.Expr) (logical.Node, error) {
	var rest []expr.Expr
	out := in
	for _, e := range conds {
		q, negate, ok := subs.test(e)
		if !ok {
			rest = append(rest, e)
			continue
		}
		var err error
		if out, err = b.keepTested(out, q, negate); err != nil {
			return nil, err
		}
	}
	used := subs.usedBy(rest...)
	out, err := b.attachAll(out, subs, func(i int) bool { return used[i] })
	if err != nil || len(rest) == 0 {
		return out, err
	}
	for i, e := range rest {
		rest[i] = subs.place(e)
	}
	return logical.NewFilter(out, logical.And(rest)), nil
}

// test tells whether a condition is a test for rows of a subquery by itself, or its negation.
func (s *subqueries) test(e expr.Expr) (q *subquery, negate, ok bool) {
	if call, is := e.(*expr.Call); is && call.Name == "not" {
		e, negate = call.Args[0], true
	}
	c, is := e.(*expr.Col)
	if !is || c.Index < subBase || c.Index >= subBase+len(s.list) {
		return nil, false, false
	}
	q = s.list[c.Index-subBase]
	if q.kind == scalarQuery || slices.ContainsFunc(q.left, func(e expr.Expr) bool { return len(s.usedBy(e)) > 0 }) {
		return nil, false, false
	}
	return q, negate != q.negate, true
}

// keepTested keeps the rows for which a test holds. Where the comparison is not known for some row of the subquery, NOT IN is not TRUE.
func (b *Binder) keepTested(in logical.Node, q *subquery, negate bool) (logical.Node, error) {
	p, err := b.free(in, q, q.kind == anyQuery)
	if err != nil {
		return nil, err
	}
	if p.always() {
		if negate {
			return logical.NewFilter(in, expr.NewBool(false)), nil
		}
		return in, nil
	}
	kind := physical.Semi
	if negate {
		kind = physical.Anti
	}
	if q.kind == existsQuery {
		return p.join(in, kind, q.at), nil
	}
	eq, err := q.compare(len(in.Columns()), q.left)
	if err != nil {
		return nil, err
	}
	out := p.join(in, kind, q.at, eq)
	if !negate {
		return out, nil
	}
	return b.joinUnknown(in, out, p, q, physical.Anti)
}

func conjuncts(e ast.Expr) []ast.Expr {
	if x, ok := e.(*ast.Binary); ok && x.Op == "AND" {
		return append(conjuncts(x.X), conjuncts(x.Y)...)
	}
	return []ast.Expr{e}
}
