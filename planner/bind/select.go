package bind

import (
	"slices"
	"strings"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
)

// selection is a SELECT block on its way through the clauses, in SQL's order: FROM, WHERE, windows, select list, GROUP BY, HAVING,
// ORDER BY. Until finish all expressions are over node's columns, with placeholders for aggregates and row numbers.
type selection struct {
	b        *Binder
	ast      *ast.Select
	node     logical.Node
	scope    *scope
	windows  *groupWindow
	aggs     aggregates
	ranks    rankings
	subs     subqueries
	keys     []expr.Expr
	grouping grouping
	items    columnList // select list; names are the output's
	having   expr.Expr
	qualify  expr.Expr
	order    []orderKey
	orderAt  []int // item that an order key names; -1: an expression
	on       []expr.Expr
}

func (b *Binder) selectBlock(s *ast.Select, order []ast.OrderItem) (*block, error) {
	x := &selection{b: b, ast: s, scope: &scope{}}
	steps := []func() error{x.from, x.where, x.groupWindow, x.selectList, x.groupBy, x.filters}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if err := x.orderBy(order); err != nil {
		return nil, err
	}
	if err := x.aggregate(); err != nil {
		return nil, err
	}
	return x.finish()
}

func (x *selection) from() error {
	if x.ast.From == nil {
		x.node = logical.NewValues([]types.Field{{Name: "true", Type: types.Of(types.Bool)}}, [][]expr.Expr{{expr.NewBool(true)}})
		return nil
	}
	var err error
	x.node, x.scope, err = x.b.from(x.ast.From)
	return err
}

// condition binds a BOOLEAN expression.
func (b *Binder) condition(e ast.Expr, c *clause) (expr.Expr, error) {
	x, err := b.expr(e, c)
	if err != nil {
		return nil, err
	}
	t := x.Type()
	switch {
	case t.Kind == types.Bool:
		return x, nil
	case t.Kind == types.Null, t.Kind.IsNumeric():
		return expr.NewCast(x, types.Of(types.Bool), false, x.At())
	}
	return nil, diag.New(diag.TypeMismatch, b.at(e), "%s wants a condition, not %s", c.name, t).WithHint("compare it with something")
}

func (x *selection) where() error {
	if x.ast.Where == nil {
		return nil
	}
	var err error
	x.node, err = x.b.where(x.node, x.scope, x.ast.Where)
	return err
}

// groupWindow puts the window of GROUP BY TUMBLE(ts, ..) over the input.
func (x *selection) groupWindow() error {
	for _, g := range x.ast.GroupBy {
		call, ok := g.(*ast.Call)
		if !ok {
			continue
		}
		if _, ok := windowFuncs[call.Name]; !ok {
			continue
		}
		if x.windows != nil {
			return notSupported(x.b.at(g), "a second window in GROUP BY")
		}
		if err := x.addGroupWindow(call); err != nil {
			return err
		}
	}
	return nil
}

func (x *selection) addGroupWindow(call *ast.Call) error {
	b := x.b
	if len(call.Args) < 2 {
		return diag.New(diag.WrongArguments, b.at(call), "%s needs a time column and an interval", strings.ToUpper(call.Name)).
			WithHint("GROUP BY %s(ts, INTERVAL 10 SECOND)", strings.ToUpper(call.Name))
	}
	args, err := b.exprs(call.Args, &clause{name: "a window's arguments", scope: x.scope})
	if err != nil {
		return err
	}
	col, ok := args[0].(*expr.Col)
	if !ok {
		return diag.New(diag.NoEventTime, b.at(call.Args[0]), "a window needs a column with a watermark, not an expression")
	}
	wa := windowArgs{fn: call.Name, at: b.at(call), time: col, intervals: args[1:]}
	if last := len(args) - 1; args[last].Type().Kind == types.String {
		wa.zone, wa.intervals = constText(args[last]), args[1:last]
	}
	w, err := b.window(x.node, wa)
	if err != nil {
		return err
	}
	width := len(x.node.Columns())
	x.node = w
	texts := make([]string, len(args))
	for i, a := range args {
		texts[i] = expr.Print(a)
	}
	x.windows = &groupWindow{fn: call.Name, args: args, text: strings.ToUpper(call.Name) + "(" + strings.Join(texts, ", ") + ")",
		start: width, typ: w.Columns()[width].Type}
	extended := &scope{cols: append([]scopeColumn{}, x.scope.cols...)}
	for i, name := range logical.WindowColumnNames {
		if _, n := x.scope.find("", name); n == 0 {
			extended.cols = append(extended.cols, scopeColumn{name: name, typ: x.windows.typ, index: width + i})
		}
	}
	x.scope = extended
	return nil
}

func (x *selection) clause(name string) *clause {
	return &clause{name: name, scope: x.scope, aggs: &x.aggs, ranks: &x.ranks, windows: x.windows, subqueries: &x.subs, grouping: &x.grouping}
}

func (x *selection) selectList() error {
	c := x.clause("the select list")
	for i := range x.ast.Items {
		item := &x.ast.Items[i]
		if star, ok := item.Expr.(*ast.Star); ok {
			if err := x.star(star); err != nil {
				return err
			}
			continue
		}
		e, err := x.b.expr(item.Expr, c)
		if err != nil {
			return err
		}
		x.items.append(e, itemName(item))
	}
	if len(x.items.exprs) > MaxColumns {
		return diag.New(diag.TooDeep, x.b.at(x.ast), "more than %d columns in a select list", MaxColumns)
	}
	return nil
}

func itemName(item *ast.SelectItem) string {
	if item.Alias.Text != "" {
		return item.Alias.Text
	}
	if col, ok := item.Expr.(*ast.Column); ok {
		return col.Parts[len(col.Parts)-1].Text
	}
	return item.Text
}

// star expands `*` and `t.*`. The window columns that GROUP BY TUMBLE adds are no part of it, nor is a column that USING hides.
func (x *selection) star(star *ast.Star) error {
	if x.ast.From == nil {
		return diag.New(diag.SyntaxError, x.b.at(star), "SELECT * needs a FROM clause")
	}
	if star.Table != "" && !x.scope.hasTable(star.Table) {
		err := diag.New(diag.UnknownTable, x.b.at(star), "unknown table '%s'", star.Table)
		return hintNearest(err, star.Table, x.scope.tables(), "tables in FROM")
	}
	for _, c := range x.scope.cols {
		if star.Table == "" && c.hidden || star.Table != "" && !strings.EqualFold(star.Table, c.table) {
			continue
		}
		if x.windows != nil && c.index >= x.windows.start {
			continue
		}
		x.items.append(&expr.Col{Index: c.index, Name: c.name, Typ: c.typ, Pos: x.b.at(star)}, c.name)
	}
	return nil
}

// alias resolves a name of the select list.
func (x *selection) alias(name string) expr.Expr {
	for i := range x.ast.Items {
		if strings.EqualFold(x.ast.Items[i].Alias.Text, name) {
			return x.itemExpr(i)
		}
	}
	return nil
}

// aliasOrKey resolves a name of HAVING: a column that is grouped by wins over a name of the select list (MySQL 8.0 manual, 15.2.13).
func (x *selection) aliasOrKey(name string) expr.Expr {
	e, err := x.scope.resolve([]ast.Name{{Text: name}}, x.b.at)
	if err == nil && slices.ContainsFunc(x.keys, func(k expr.Expr) bool { return expr.Equal(k, e) }) {
		return e
	}
	return x.alias(name)
}

// itemExpr finds the bound expression of a written item; stars before it have become several.
func (x *selection) itemExpr(written int) expr.Expr {
	behind := len(x.ast.Items) - written
	for _, it := range x.ast.Items[written+1:] {
		if _, ok := it.Expr.(*ast.Star); ok {
			behind = -1
		}
	}
	if behind >= 0 {
		return x.items.exprs[len(x.items.exprs)-behind]
	}
	return x.items.exprs[min(written, len(x.items.exprs)-1)]
}

func (x *selection) groupBy() error {
	c := &clause{name: "GROUP BY", scope: x.scope, windows: x.windows, alias: x.alias, subqueries: &x.subs}
	sets := [][]int{{}}
	for _, g := range x.ast.GroupBy {
		more, err := x.groupElement(g, c)
		if err != nil {
			return err
		}
		if sets, err = x.crossSets(sets, more, x.b.at(g)); err != nil {
			return err
		}
	}
	x.grouping.sets = sets
	return nil
}

// groupKeys binds a key of GROUP BY and tells its place among the keys; a window function is three.
func (x *selection) groupKeys(g ast.Expr, c *clause) (at []int, err error) {
	if call, ok := g.(*ast.Call); ok && windowFuncs[call.Name].usage != "" && x.windows != nil {
		for i := range logical.WindowColumnNames {
			at = append(at, x.addKey(x.windows.column(i, x.b.at(g))))
		}
		return at, nil
	}
	e, err := x.groupExpr(g, c)
	if err != nil {
		return nil, err
	}
	if hasPlaceholder(e) {
		return nil, diag.New(diag.MisplacedFunction, x.b.at(g), "GROUP BY may not use an aggregate or window function")
	}
	return []int{x.addKey(e)}, nil
}

func (x *selection) addKey(e expr.Expr) int {
	for i, k := range x.keys {
		if expr.Equal(k, e) {
			return i
		}
	}
	x.keys = append(x.keys, e)
	return len(x.keys) - 1
}

func (x *selection) groupExpr(g ast.Expr, c *clause) (expr.Expr, error) {
	i, ok, err := x.b.ordinal(g, len(x.items.exprs))
	if err != nil {
		return nil, err
	}
	if ok {
		return x.items.exprs[i], nil
	}
	return x.b.expr(g, c)
}

// hasPlaceholder tells whether e holds an aggregate or window function call.
func hasPlaceholder(e expr.Expr) bool {
	return slices.ContainsFunc(expr.Columns(e), func(c int) bool { return c >= groupingBase && c < subBase })
}

func (x *selection) filters() (err error) {
	if x.ast.Having != nil {
		c := x.clause("HAVING")
		c.alias, c.aliasFirst, c.ranks = x.aliasOrKey, true, nil
		if x.having, err = x.b.condition(x.ast.Having, c); err != nil {
			return err
		}
	}
	if x.ast.Qualify != nil {
		c := x.clause("QUALIFY")
		c.alias, c.aliasFirst = x.alias, true
		if x.qualify, err = x.b.condition(x.ast.Qualify, c); err != nil {
			return err
		}
	}
	x.on, err = x.b.exprs(x.ast.DistinctOn, x.clause("DISTINCT ON"))
	return err
}

func (x *selection) orderBy(order []ast.OrderItem) error {
	c := x.clause("ORDER BY")
	c.alias, c.aliasFirst = x.alias, true
	for _, o := range order {
		i, ok, err := x.b.ordinal(o.Expr, len(x.items.exprs))
		if err != nil {
			return err
		}
		if ok {
			x.order, x.orderAt = append(x.order, orderKey{desc: o.Desc}), append(x.orderAt, i)
			continue
		}
		e, err := x.b.expr(o.Expr, c)
		if err != nil {
			return err
		}
		x.order, x.orderAt = append(x.order, orderKey{expr: e, desc: o.Desc}), append(x.orderAt, -1)
	}
	return nil
}

// all calls fn with every expression that is evaluated above the aggregation, to rewrite it.
func (x *selection) all(fn func(expr.Expr) (expr.Expr, error)) (err error) {
	visit := func(e *expr.Expr) {
		if err == nil && *e != nil {
			*e, err = fn(*e)
		}
	}
	for i := range x.items.exprs {
		visit(&x.items.exprs[i])
	}
	visit(&x.having)
	visit(&x.qualify)
	x.subs.all(visit)
	for i := range x.order {
		visit(&x.order[i].expr)
	}
	for i := range x.on {
		visit(&x.on[i])
	}
	for i := range x.ranks.calls {
		x.ranks.calls[i].visit(visit)
	}
	return err
}

// aggregate puts the aggregation over the input when the block has one, and moves all that stands above to its output.
func (x *selection) aggregate() error {
	if len(x.keys) == 0 && len(x.ast.GroupBy) == 0 && len(x.aggs.calls) == 0 {
		return x.filterHaving()
	}
	if err := x.attachBelow(); err != nil {
		return err
	}
	keys, known := x.keys, x.keys
	var set expr.Expr
	if !x.grouping.simple(len(x.keys)) {
		var err error
		if keys, known, err = x.expandSets(); err != nil {
			return err
		}
		set = known[len(known)-1]
	}
	x.node = x.aggs.group(x.node, keys, x.b.emit, x.b.at(x.ast))
	err := x.all(func(e expr.Expr) (expr.Expr, error) {
		e, err := x.placeGrouping(e, set)
		if err != nil {
			return nil, err
		}
		return regroup(e, known)
	})
	if err != nil {
		return err
	}
	return x.filterHaving()
}

// attachBelow puts the subqueries of group keys and of aggregates' arguments below the aggregation.
func (x *selection) attachBelow() error {
	var reads []expr.Expr
	below := func(fn func(*expr.Expr)) {
		for i := range x.keys {
			fn(&x.keys[i])
		}
		for i := range x.aggs.calls {
			for k := range x.aggs.calls[i].args {
				fn(&x.aggs.calls[i].args[k])
			}
			if x.aggs.calls[i].filter != nil {
				fn(&x.aggs.calls[i].filter)
			}
		}
	}
	below(func(e *expr.Expr) { reads = append(reads, *e) })
	if err := x.attach(x.subs.usedBy(reads...)); err != nil {
		return err
	}
	below(func(e *expr.Expr) { *e = x.subs.place(*e) })
	return nil
}

// attach puts subqueries beside the rows and replaces their placeholders.
func (x *selection) attach(wanted map[int]bool) (err error) {
	if len(wanted) == 0 {
		return nil
	}
	if x.node, err = x.b.attachAll(x.node, &x.subs, func(i int) bool { return wanted[i] }); err != nil {
		return err
	}
	return x.all(func(e expr.Expr) (expr.Expr, error) { return x.subs.place(e), nil })
}

// filterHaving keeps the groups that HAVING wants.
func (x *selection) filterHaving() (err error) {
	if x.having == nil {
		return nil
	}
	x.node, err = x.b.filterWith(x.node, &x.subs, logical.Conjuncts(x.having))
	x.having = nil
	return err
}

// attachRest puts the subqueries beside the rows that have not been yet; byRank says whether those come now that read window functions.
func (x *selection) attachRest(byRank bool) error {
	var reads []expr.Expr
	_ = x.all(func(e expr.Expr) (expr.Expr, error) { reads = append(reads, e); return e, nil }) // collecting never fails
	wanted := x.subs.usedBy(reads...)
	for i := range wanted {
		ranked := slices.ContainsFunc(x.subs.list[i].left, func(e expr.Expr) bool {
			return slices.ContainsFunc(expr.Columns(e), func(c int) bool { return c >= rankBase && c < subBase })
		})
		wanted[i] = byRank || !ranked
	}
	return x.attach(wanted)
}

// finish computes window functions, QUALIFY, the select list and DISTINCT. Columns that only ORDER BY needs come behind the visible ones.
func (x *selection) finish() (*block, error) {
	if err := x.attachRest(false); err != nil {
		return nil, err
	}
	if len(x.ranks.calls) > 0 {
		var where []int
		x.node, where = x.ranks.apply(x.node, x.b.emit == ast.EmitChanges)
		_ = x.all(func(e expr.Expr) (expr.Expr, error) { return place(e, rankBase, where), nil }) // place never fails
	}
	if err := x.attachRest(true); err != nil {
		return nil, err
	}
	if x.qualify != nil {
		x.node = logical.NewFilter(x.node, x.qualify)
	}
	if err := x.distinctOn(); err != nil {
		return nil, err
	}
	blk := &block{visible: len(x.items.exprs)}
	for i, o := range x.order {
		col := x.orderAt[i]
		if col < 0 {
			col = x.items.add(o.expr)
		}
		blk.order = append(blk.order, physical.SortKey{Col: col, Desc: o.desc})
	}
	if x.ast.Distinct {
		return blk, x.distinct(blk)
	}
	blk.node = x.items.project(x.node)
	return blk, nil
}

// distinct finishes SELECT DISTINCT: what it is ordered by must follow from the select list, because of equal rows one is left.
func (x *selection) distinct(blk *block) error {
	behind := columnList{exprs: x.items.exprs[blk.visible:], names: x.items.names[blk.visible:]}
	x.items = columnList{exprs: x.items.exprs[:blk.visible:blk.visible], names: x.items.names[:blk.visible:blk.visible]}
	blk.node = x.b.distinct(x.items.project(x.node), x.b.at(x.ast))
	if len(behind.exprs) == 0 {
		return nil
	}
	var list columnList
	for i, f := range blk.node.Columns() {
		list.append(logical.ColOf(blk.node, i), f.Name)
	}
	for i, e := range behind.exprs {
		over, err := regroup(e, x.items.exprs)
		if err != nil {
			return notSupported(e.At(), "SELECT DISTINCT with ORDER BY something that is not in the select list").WithHint("add it to the select list, or GROUP BY instead of DISTINCT")
		}
		list.append(over, behind.names[i])
	}
	blk.node = list.project(blk.node)
	return nil
}

// distinctOn keeps the first row to arrive for each value of DISTINCT ON (..).
func (x *selection) distinctOn() error {
	if len(x.on) == 0 {
		return nil
	}
	if x.b.props.Of(x.node).Changelog != physical.AppendOnly {
		return notSupported(x.b.at(x.ast), "DISTINCT ON over rows that may be taken back").WithHint("use ROW_NUMBER() OVER (PARTITION BY .. ORDER BY ..) = 1")
	}
	var list columnList
	for i, f := range x.node.Columns() {
		list.append(logical.ColOf(x.node, i), f.Name)
	}
	var key []int
	for _, e := range x.on {
		key = append(key, list.add(e))
	}
	if len(list.exprs) > len(x.node.Columns()) {
		x.node = list.project(x.node)
	}
	x.node = logical.NewDeduplicate(x.node, key)
	return nil
}
