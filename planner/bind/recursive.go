package bind

import (
	"strconv"
	"strings"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
)

// Steps of a recursion when the session does not say (MySQL's default).
const (
	defaultRecursionDepth = 1000
	recursionVariable     = "cte_max_recursion_depth"
)

// maxRecursiveDigits is the precision of DECIMAL columns of a recursive table.
const maxRecursiveDigits = 38

// recursion is a recursive common table expression while its recursive part is bound.
type recursion struct {
	cols   []types.Field
	link   int
	around int // queries around where it is bound
	uses   int
}

// branch is one SELECT of the body of a recursive table; all says that UNION ALL stands in front of it.
type branch struct {
	body ast.QueryBody
	all  bool
}

// recursive binds WITH RECURSIVE name AS (first rows UNION [ALL] recursive part) (MySQL 8.0 manual, 15.2.20).
func (b *Binder) recursive(c cte) (logical.Node, error) {
	q, at := c.def.Query, b.at(c.def.Name)
	switch {
	case !b.env.AdHoc:
		return nil, notSupported(at, "WITH RECURSIVE in what runs for ever").WithHint("run it as a query over tables and views")
	case len(q.OrderBy) > 0:
		return nil, notSupported(b.at(q.OrderBy[0].Expr), "ORDER BY in a recursive table").WithHint("order the query that reads it")
	}
	first, rest, err := b.branches(c, q)
	if err != nil {
		return nil, err
	}
	seed, err := b.firstRowsOf(q, first)
	if err != nil {
		return nil, err
	}
	b.recursions++
	r := logical.Recursive{Link: b.recursions, Limit: -1, Pos: at}
	if r.MaxDepth, err = b.recursionDepth(); err != nil {
		return nil, err
	}
	rec := &recursion{cols: columnsNamed(seed, c.def.Columns), link: r.Link, around: len(b.frames)}
	var parts []logical.Node
	for _, p := range rest {
		r.Distinct = r.Distinct || !p.all
		n, err := b.recursivePart(c, rec, p, seed)
		if err != nil {
			return nil, err
		}
		parts = append(parts, n)
	}
	n := parts[0]
	if len(parts) > 1 {
		n = logical.NewUnion(parts...)
	}
	if r.Limit, err = b.rowsWanted(q); err != nil {
		return nil, err
	}
	return b.limited(&block{node: logical.NewRecursive(seed, n, r)}, q)
}

// rowsWanted is LIMIT and OFFSET together; -1: all.
func (b *Binder) rowsWanted(q *ast.Query) (int64, error) {
	if q.Limit == nil {
		return -1, nil
	}
	n, err := b.rowCount(q.Limit, "LIMIT")
	if err != nil || q.Offset == nil {
		return n, err
	}
	offset, err := b.rowCount(q.Offset, "OFFSET")
	return n + offset, err
}

func (b *Binder) endless(at ast.Node) error {
	return diag.New(diag.UnboundedQuery, b.at(at), "a recursive table over an endless stream would never be complete").
		WithHint("read a table that ends, or a MATERIALIZED VIEW without EMIT CHANGES")
}

func (b *Binder) recursionDepth() (int, error) {
	text := b.env.Variables[recursionVariable]
	if text == "" {
		return defaultRecursionDepth, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, diag.New(diag.BadOption, -1, "%s: '%s' is no number", recursionVariable, text)
	}
	return n, nil
}

// branches parts the SELECTs of a recursive table into those that do not read it, and those that do.
func (b *Binder) branches(c cte, q *ast.Query) (first, rest []branch, err error) {
	name := c.def.Name.Text
	usage := "WITH RECURSIVE " + name + " AS (first rows UNION ALL SELECT .. FROM " + name + ")"
	all, err := b.flatten(q.Body, name, true)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range all {
		switch {
		case mentions(p.body, name):
			rest = append(rest, p)
		case len(rest) > 0:
			return nil, nil, diag.New(diag.SyntaxError, b.at(p.body), "the first rows of recursive table '%s' stand behind its recursive part", name).WithHint("%s", usage)
		default:
			first = append(first, p)
		}
	}
	if len(first) == 0 {
		return nil, nil, diag.New(diag.SyntaxError, b.at(c.def.Name), "recursive table '%s' has no first rows", name).WithHint("%s", usage)
	}
	return first, rest, nil
}

// flatten lists the SELECTs of a chain of UNIONs, as far as the table is read in them.
func (b *Binder) flatten(body ast.QueryBody, name string, all bool) ([]branch, error) {
	x, ok := body.(*ast.SetOp)
	if !ok || !mentions(body, name) {
		return []branch{{body, all}}, nil
	}
	if x.Op != "UNION" {
		return nil, notSupported(b.at(x), "%s in a recursive table", x.Op).WithHint("UNION and UNION ALL are")
	}
	left, err := b.flatten(x.Left, name, all)
	if err != nil {
		return nil, err
	}
	right, err := b.flatten(x.Right, name, x.All)
	return append(left, right...), err
}

// mentions tells whether a query reads a table of that name in FROM.
func mentions(body ast.QueryBody, name string) bool {
	switch x := body.(type) {
	case *ast.Query:
		for i := range x.With {
			if strings.EqualFold(x.With[i].Name.Text, name) {
				return false // another table of the name
			}
			if mentions(x.With[i].Query, name) {
				return true
			}
		}
		return mentions(x.Body, name)
	case *ast.SetOp:
		return mentions(x.Left, name) || mentions(x.Right, name)
	case *ast.Select:
		return x.From != nil && mentionsIn(x.From, name)
	}
	return false
}

func mentionsIn(t ast.TableExpr, name string) bool {
	switch x := t.(type) {
	case *ast.Table:
		return x.Schema.Text == "" && strings.EqualFold(x.Name.Text, name)
	case *ast.DerivedTable:
		return mentions(x.Query, name)
	case *ast.Join:
		return mentionsIn(x.Left, name) || mentionsIn(x.Right, name)
	}
	return false
}

// firstRowsOf binds the SELECTs that a recursion begins with. They alone decide the types of its columns, as in MySQL; here these are wide
// enough for what comes later: BIGINT, text of any length, DECIMALs of many digits.
func (b *Binder) firstRowsOf(q *ast.Query, first []branch) (logical.Node, error) {
	body := first[0].body
	for _, s := range first[1:] {
		body = &ast.SetOp{Pos: q.Pos, Op: "UNION", All: s.all, Left: body, Right: s.body}
	}
	blk, err := b.body(body, nil)
	if err != nil {
		return nil, err
	}
	if !b.props.Of(blk.node).Bounded {
		return nil, b.endless(first[0].body)
	}
	want := make([]types.Type, len(blk.node.Columns()))
	for i, f := range blk.node.Columns() {
		switch t := f.Type; {
		case t.Kind == types.Null || t.Kind == types.String:
			want[i] = types.Of(types.String)
		case t.Kind.IsInteger() && !t.Kind.IsUnsigned():
			want[i] = types.Of(types.Int64)
		case t.Kind == types.Decimal:
			want[i] = types.DecimalOf(maxRecursiveDigits, t.Scale)
		default:
			want[i] = t
		}
	}
	return castColumns(blk.node, want)
}

// columnsNamed are the columns of n under a list of names.
func columnsNamed(n logical.Node, names []ast.Name) []types.Field {
	out := append([]types.Field{}, n.Columns()...)
	for i := range min(len(out), len(names)) {
		out[i].Name = names[i].Text
	}
	return out
}

// recursivePart binds a SELECT that reads the table, for the new rows of a step.
func (b *Binder) recursivePart(c cte, rec *recursion, p branch, seed logical.Node) (logical.Node, error) {
	outer := b.ctes
	b.ctes = append(outer[:len(outer):len(outer)], cte{def: c.def, rec: rec, seen: len(outer), around: c.around})
	rec.uses = 0
	blk, err := b.body(p.body, nil)
	b.ctes = outer
	if err != nil {
		return nil, err
	}
	n := blk.node
	switch {
	case len(n.Columns()) != len(seed.Columns()):
		return nil, diag.New(diag.TypeMismatch, b.at(p.body), "the recursive part gives %d columns, the first rows %d", len(n.Columns()), len(seed.Columns()))
	case rec.uses > 1:
		return nil, notSupported(b.at(p.body), "reading recursive table '%s' more than once in one SELECT", c.def.Name.Text)
	case !b.props.Of(n).Bounded:
		return nil, b.endless(p.body)
	}
	if n, err = stepwise(n, rec.link, b.at(p.body)); err != nil {
		return nil, err
	}
	want := make([]types.Type, len(seed.Columns()))
	for i, f := range seed.Columns() {
		want[i] = f.Type
	}
	if n, err = castColumns(n, want); err != nil {
		return nil, err
	}
	return b.rename(n, seed.Columns()), nil
}

// refers tells whether a plan holds the reference.
func refers(n logical.Node, link int) bool {
	found := false
	logical.Walk(n, func(n logical.Node) {
		r, ok := n.(*logical.RecursiveRef)
		found = found || ok && r.Link == link
	})
	return found
}

// stepwise makes every join on the way of the recursive rows a lookup in the table on the other side, and refuses what needs to see all
// rows at once.
func stepwise(n logical.Node, link, at int) (logical.Node, error) {
	switch x := n.(type) {
	case *logical.RecursiveRef:
		return x, nil
	case *logical.Project, *logical.Filter, *logical.Expand:
		in, err := stepwise(n.Inputs()[0], link, at)
		if err != nil {
			return nil, err
		}
		return n.With(in), nil
	case *logical.Join:
		return stepwiseJoin(x, link, at)
	case *logical.Aggregate:
		return nil, notSupported(at, "GROUP BY, DISTINCT or an aggregate in the recursive part").WithHint("aggregate in the query that reads the table")
	}
	return nil, notSupported(at, "this in the recursive part").
		WithHint("it may select, filter and join rows; LIMIT, ORDER BY, DISTINCT and window functions belong to the query that reads the table")
}

func stepwiseJoin(x *logical.Join, link, at int) (logical.Node, error) {
	left, right := x.Inputs()[0], x.Inputs()[1]
	next := *x
	next.Method = logical.Lookup
	l, r := refers(left, link), refers(right, link)
	switch {
	case x.Method == logical.Temporal || x.Kind == physical.Full || l && r:
	case l:
		in, err := stepwise(left, link, at)
		if err != nil {
			return nil, err
		}
		return next.With(in, right), nil
	case x.Kind == physical.Inner:
		in, err := stepwise(right, link, at)
		if err != nil {
			return nil, err
		}
		return logical.Turned(next, left, in), nil
	}
	return nil, notSupported(at, "this join of a recursive table").WithHint("it may stand on either side of JOIN, and on the left of LEFT JOIN")
}

// recursiveRef reads the new rows of the recursive table that is being bound.
func (b *Binder) recursiveRef(rec *recursion, alias string, at ast.Node) (logical.Node, *scope, error) {
	if len(b.frames) > rec.around {
		return nil, nil, notSupported(b.at(at), "a recursive table in a subquery of its own recursive part").WithHint("join with it in FROM")
	}
	rec.uses++
	n := logical.NewRecursiveRef(rec.cols, rec.link)
	return n, fieldsToScope(alias, n), nil
}
