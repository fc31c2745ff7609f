package parser

import (
	"slices"
	"strings"

	tast "github.com/pingcap/tidb/pkg/parser/ast"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// conv turns one of TiDB's trees into ours. base is what to add to its offsets to get offsets of the source.
type conv struct {
	p     *parser
	base  int
	depth int
}

func (c *conv) unsupported(off int, what string) {
	c.p.fail(diag.New(diag.NotSupported, max(0, min(off, len(c.p.src))), "%s is not supported", what))
}

// query converts a statement that should be a query. at is where it begins.
func (c *conv) query(stmt tast.Node, at ast.Pos) *ast.Query {
	c.enter(int(at))
	defer c.leave()
	switch s := stmt.(type) {
	case *tast.SelectStmt:
		return c.selectQuery(s, at)
	case *tast.SetOprStmt:
		q := &ast.Query{Pos: at}
		c.with(q, s.With)
		q.Body = c.setOps(s.SelectList.Selects, at)
		q.OrderBy = c.queryOrder(s.OrderBy, int(at))
		c.limit(q, s.Limit)
		return c.flatten(q)
	}
	c.unsupported(int(at), "this statement")
	return nil
}

// flatten removes brackets around a whole query that carry nothing: (SELECT ..) ORDER BY x keeps them, ((SELECT ..)) does not.
func (c *conv) flatten(q *ast.Query) *ast.Query {
	inner, ok := q.Body.(*ast.Query)
	if !ok || len(inner.With) > 0 || len(inner.OrderBy) > 0 || inner.Limit != nil || inner.Offset != nil {
		return q
	}
	q.Body = inner.Body
	return q
}

func (c *conv) selectQuery(s *tast.SelectStmt, at ast.Pos) *ast.Query {
	q := &ast.Query{Pos: at}
	c.with(q, s.With)
	body, rec := c.selectBody(s, at)
	q.Body = body
	q.OrderBy = c.queryOrder(s.OrderBy, body.At())
	if rec != nil {
		c.expandWindows(rec, s.WindowSpecs)
	}
	c.limit(q, s.Limit)
	if s.LockInfo != nil {
		c.unsupported(c.p.wordBehind(int(at), "FOR", "LOCK"), "locking rows (FOR UPDATE, FOR SHARE)")
	}
	if s.SelectIntoOpt != nil {
		c.unsupported(c.p.wordBehind(int(at), "INTO"), "SELECT .. INTO")
	}
	return q
}

func (c *conv) with(q *ast.Query, w *tast.WithClause) {
	if w == nil {
		return
	}
	rec := c.withRec(w, q.At())
	q.Recursive = w.IsRecursive
	for i, cte := range w.CTEs {
		sub := c.query(cte.Query.Query, rec.names[i].Pos)
		q.With = append(q.With, ast.CTE{Name: rec.names[i], Columns: rec.columns[i], Query: sub})
	}
}

// withRec finds what the tokens told about a WITH clause.
func (c *conv) withRec(w *tast.WithClause, off int) *withRec {
next:
	for _, rec := range c.p.withs {
		if rec.used || len(rec.names) != len(w.CTEs) {
			continue
		}
		for i, cte := range w.CTEs {
			if !strings.EqualFold(rec.names[i].Text, cte.Name.O) {
				continue next
			}
		}
		rec.used = true
		return rec
	}
	c.unsupported(off, "this form of WITH")
	return nil
}

func (c *conv) limit(q *ast.Query, l *tast.Limit) {
	if l == nil {
		return
	}
	q.Limit, q.Offset = c.opt(l.Count), c.opt(l.Offset)
	for _, e := range []ast.Expr{q.Limit, q.Offset} {
		if lit, ok := e.(*ast.Literal); ok { // TiDB gives these no position
			lit.Pos = ast.Pos(c.p.wordBehind(q.At(), "LIMIT", "FETCH"))
		}
	}
}

// setOps builds the tree of a flat list of operands: INTERSECT binds tighter than UNION and EXCEPT, all to the left.
func (c *conv) setOps(list []tast.Node, at ast.Pos) ast.QueryBody {
	type term struct {
		body ast.QueryBody
		op   tast.SetOprType
	}
	var terms []term
	if len(list) > maxTreeDepth {
		c.p.tooDeep(c.p.tokenAt(int(at)), maxTreeDepth)
	}
	for i, n := range list {
		body, op := c.setOperand(n, at)
		if i > 0 && (op == tast.Intersect || op == tast.IntersectAll) {
			last := &terms[len(terms)-1]
			last.body = setOp(op, last.body, body)
			continue
		}
		terms = append(terms, term{body, op})
	}
	out := terms[0].body
	for _, t := range terms[1:] {
		out = setOp(t.op, out, t.body)
	}
	return out
}

func setOp(op tast.SetOprType, left, right ast.QueryBody) ast.QueryBody {
	name, all := strings.CutSuffix(op.String(), " ALL")
	return &ast.SetOp{Pos: ast.Pos(left.At()), Op: name, All: all, Left: left, Right: right}
}

// setOperand converts one operand and the operator in front of it.
func (c *conv) setOperand(n tast.Node, at ast.Pos) (ast.QueryBody, tast.SetOprType) {
	var op tast.SetOprType
	switch s := n.(type) {
	case *tast.SelectStmt:
		if s.AfterSetOperator != nil {
			op = *s.AfterSetOperator
		}
		q := c.selectQuery(s, at)
		return trim(q), op
	case *tast.SetOprSelectList:
		if s.AfterSetOperator != nil {
			op = *s.AfterSetOperator
		}
		q := &ast.Query{Pos: at}
		if s.With != nil && len(s.Selects) == 1 {
			if sel, ok := s.Selects[0].(*tast.SelectStmt); ok && sel.With == s.With {
				s.With = nil // the same clause hangs at the SELECT
			}
		}
		c.with(q, s.With)
		q.Body = c.setOps(s.Selects, at)
		q.OrderBy = c.queryOrder(s.OrderBy, int(at))
		c.limit(q, s.Limit)
		return trim(q), op
	}
	c.unsupported(int(at), "this operand of a set operation")
	return nil, op
}

// trim returns the body of a query that has nothing else.
func trim(q *ast.Query) ast.QueryBody {
	if len(q.With) == 0 && len(q.OrderBy) == 0 && q.Limit == nil && q.Offset == nil {
		return q.Body
	}
	q.Pos = ast.Pos(q.Body.At())
	return q
}

// selectBody converts one SELECT, or VALUES, which has no record.
func (c *conv) selectBody(s *tast.SelectStmt, at ast.Pos) (ast.QueryBody, *selectRec) {
	if s.Kind == tast.SelectStmtKindValues {
		v := &ast.Values{Pos: at}
		for _, row := range s.Lists {
			v.Rows = append(v.Rows, c.exprs(row.Values))
		}
		return v, nil
	}
	if s.Kind != tast.SelectStmtKindSelect || s.Fields == nil || len(s.Fields.Fields) == 0 {
		c.unsupported(int(at), "this form of query")
	}
	rec := c.selectRec(s.Fields.Fields[0].Offset+c.base, at)
	out := &ast.Select{Pos: ast.Pos(rec.pos), Distinct: s.Distinct, DistinctOn: rec.distinctOn, Qualify: rec.qualify}
	if len(s.Fields.Fields) != len(rec.items) {
		c.unsupported(rec.pos, "this select list")
	}
	for i, f := range s.Fields.Fields {
		out.Items = append(out.Items, c.item(f, rec.items[i]))
	}
	if s.From != nil {
		out.From = c.from(s.From, rec)
	}
	if s.Where != nil {
		out.Where = c.expr(s.Where)
	}
	if s.GroupBy != nil {
		for i, item := range s.GroupBy.Items {
			key := c.expr(item.Expr)
			if _, ok := item.Expr.(*tast.PositionExpr); ok {
				key.(*ast.Literal).Pos = c.p.keyPos(rec.pos, "GROUP", i)
			}
			out.GroupBy = append(out.GroupBy, key)
		}
		if s.GroupBy.Rollup {
			c.withRollup(out)
		}
	}
	if rec.grouping != nil {
		out.GroupBy = []ast.Expr{rec.grouping}
	}
	if s.Having != nil {
		out.Having = c.expr(s.Having.Expr)
	}
	return out, rec
}

// withRollup makes one ROLLUP of the keys.
func (c *conv) withRollup(s *ast.Select) {
	for _, key := range s.GroupBy {
		if g, ok := key.(*ast.GroupingSets); ok {
			c.p.fail(diag.New(diag.SyntaxError, g.At(), "WITH ROLLUP behind %s", c.p.describe(c.p.tokenAt(g.At()))).WithHint("write the keys into ROLLUP (..)"))
		}
	}
	s.GroupBy = []ast.Expr{rollup(s.GroupBy)}
}

func (c *conv) selectRec(firstItem int, at ast.Pos) *selectRec {
	for _, rec := range c.p.selects {
		if !rec.used && len(rec.items) > 0 && c.p.toks[rec.items[0][0]].off == firstItem {
			rec.used = true
			return rec
		}
	}
	c.unsupported(int(at), "this form of SELECT")
	return nil
}

// item converts an item of a select list; tokens is its range.
func (c *conv) item(f *tast.SelectField, tokens [2]int) ast.SelectItem {
	p := c.p
	i, j := tokens[0], tokens[1]
	item := ast.SelectItem{Pos: ast.Pos(p.toks[i].off)}
	if w := f.WildCard; w != nil {
		star := &ast.Star{Pos: item.Pos, Table: w.Table.O}
		if w.Schema.O != "" {
			star.Table = w.Schema.O + "." + w.Table.O
		}
		item.Expr = star
	} else {
		item.Expr = c.expr(f.Expr)
	}
	if f.AsName.O != "" {
		if j-i < 2 { // 1select is one token for us, two for TiDB
			p.failAt(i, diag.SyntaxError, "unexpected %s", p.describe(i))
		}
		j--
		item.Alias = p.nameAt(j)
		if p.toks[j].kind == kString {
			item.Alias.Text = unquote(p.src[p.toks[j].off:p.toks[j].end])
		}
		if p.word(j-1, "AS") {
			j--
		}
	}
	if j > i {
		item.Text = p.src[p.toks[i].off:p.toks[j-1].end]
	}
	return item
}

// from converts the FROM clause; the factors of the tokens and the leaves of the tree come in the same order.
func (c *conv) from(ref *tast.TableRefsClause, rec *selectRec) ast.TableExpr {
	out, _ := c.table(ref.TableRefs, rec)
	for _, f := range rec.factors {
		if !f.used {
			c.p.fail(diag.New(diag.SyntaxError, f.pos, "unexpected %s", c.p.describe(c.p.tokenAt(f.pos))))
		}
	}
	return out
}

// table converts a table expression and returns its leftmost factor, too.
func (c *conv) table(n tast.ResultSetNode, rec *selectRec) (ast.TableExpr, *factor) {
	c.enter(rec.pos)
	defer c.leave()
	switch t := n.(type) {
	case *tast.Join:
		return c.join(t, rec)
	case *tast.TableSource:
		f := c.factor(t, rec)
		return c.leaf(t, f), f
	}
	c.unsupported(rec.pos, "this table expression")
	return nil, nil
}

func (c *conv) join(t *tast.Join, rec *selectRec) (ast.TableExpr, *factor) {
	left, first := c.table(t.Left, rec)
	if t.Right == nil {
		return left, first
	}
	right, second := c.table(t.Right, rec)
	kind := second.join
	second.join = join{}
	j := &ast.Join{Pos: ast.Pos(left.At()), Left: left, Right: right, Natural: t.NaturalJoin, AsOf: kind.asOf, Match: kind.match}
	switch {
	case kind.full:
		j.Kind = ast.JoinFull
	case t.Tp == tast.LeftJoin:
		j.Kind = ast.JoinLeft
	case t.Tp == tast.RightJoin:
		j.Kind = ast.JoinRight
	case t.On == nil && t.Using == nil && !t.NaturalJoin && !kind.asOf:
		j.Kind = ast.JoinCross
	}
	if t.On != nil && !kind.blind {
		j.On = c.expr(t.On.Expr)
	}
	for _, col := range t.Using {
		j.Using = append(j.Using, rec.using(col.Name.O, j.Pos))
	}
	return j, first
}

// using takes the first unused name of a USING clause that is so spelt.
func (rec *selectRec) using(name string, at ast.Pos) ast.Name {
	for i, n := range rec.usings {
		if strings.EqualFold(n.Text, name) {
			rec.usings = slices.Delete(rec.usings, i, i+1)
			return n
		}
	}
	return ast.Name{Pos: at, Text: name}
}

// factor finds the factor of a leaf: the first unused one, or, where TiDB has turned a join around, the one of that name.
func (c *conv) factor(t *tast.TableSource, rec *selectRec) *factor {
	var first *factor
	for _, f := range rec.factors {
		if f.used {
			continue
		}
		if first == nil {
			first = f
		}
		if c.fits(t, f) {
			f.used = true
			return f
		}
	}
	if first == nil {
		c.unsupported(rec.pos, "this FROM clause")
	}
	c.p.fail(diag.New(diag.SyntaxError, first.pos, "unexpected %s", c.p.describe(c.p.tokenAt(first.pos))))
	return nil
}

func (c *conv) fits(t *tast.TableSource, f *factor) bool {
	if !strings.EqualFold(t.AsName.O, f.alias.Text) {
		return false
	}
	name, ok := t.Source.(*tast.TableName)
	if !ok {
		return f.table == nil && f.name.Text == ""
	}
	if f.table != nil {
		return strings.HasPrefix(name.Name.O, "\xEE") || strings.HasPrefix(name.Name.O, "\xEF")
	}
	return strings.EqualFold(name.Name.O, f.name.Text)
}

func (c *conv) leaf(t *tast.TableSource, f *factor) ast.TableExpr {
	switch s := t.Source.(type) {
	case *tast.TableName:
		if len(s.PartitionNames) > 0 || s.TableSample != nil || s.AsOf != nil {
			c.unsupported(f.pos, "PARTITION or TABLESAMPLE of a table")
		}
		if f.table == nil {
			if f.columns != nil {
				c.unsupported(f.columns[0].At(), "renaming the columns of a table")
			}
			return &ast.Table{Pos: ast.Pos(f.pos), Schema: f.schema, Name: f.name, Alias: f.alias, AsOf: f.asOf}
		}
		c.p.fill(s.Name.O, f.pos)
		c.refuseAsOf(f)
		switch e := f.table.(type) {
		case *ast.TableFunc:
			e.Alias, e.Columns = f.alias, f.columns
		case *ast.DerivedTable:
			e.Alias, e.Columns = f.alias, f.columns
		case *ast.JSONTable:
			if e.Alias = f.alias; f.columns != nil {
				c.unsupported(f.columns[0].At(), "renaming the columns of JSON_TABLE")
			}
		case *ast.MatchRecognize:
			e.Alias, e.Columns = f.alias, f.columns
		}
		return f.table
	case *tast.SelectStmt, *tast.SetOprStmt:
		c.refuseAsOf(f)
		return &ast.DerivedTable{Pos: ast.Pos(f.pos), Query: c.query(s, ast.Pos(f.pos)), Alias: f.alias, Columns: f.columns, Lateral: t.Lateral}
	}
	c.unsupported(f.pos, "this in FROM")
	return nil
}

func (c *conv) refuseAsOf(f *factor) {
	if f.asOf != nil {
		c.unsupported(f.asOf.At(), "AS OF behind anything but a table")
	}
}

// wordBehind returns the offset of the first of the words behind an offset, outside brackets; the offset itself if there is none.
func (p *parser) wordBehind(off int, words ...string) int {
	for k := p.tokenAt(off); k < p.end; k++ {
		if p.match[k] > int32(k) {
			k = int(p.match[k])
		} else if t := p.toks[k]; t.kind == kWord && slices.Contains(words, t.up) {
			return t.off
		}
	}
	return off
}
