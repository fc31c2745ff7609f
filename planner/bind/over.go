package bind

import (
	"slices"
	"strings"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/function"
)

// rankings collects the calls with OVER of a query block.
type rankings struct {
	calls []ranking
}

// ranking is one call: over the block's input, or the output of its aggregation once that is known.
type ranking struct {
	call      physical.OverCall // without columns
	args      []expr.Expr
	filter    expr.Expr
	partition []expr.Expr
	order     []orderKey
	pos       int
}

type orderKey struct {
	expr expr.Expr
	desc bool
}

// overCall binds a call with OVER and stands a placeholder for its result.
func (b *Binder) overCall(x *ast.Call, c *clause) (expr.Expr, error) {
	at := b.at(x)
	if c.ranks == nil {
		return nil, diag.New(diag.MisplacedFunction, at, "window function %s may not stand in %s", strings.ToUpper(x.Name), c.name).
			WithHint("use QUALIFY, or filter in an outer query")
	}
	inner := *c
	inner.ranks, inner.name = nil, "OVER"
	r := ranking{pos: at}
	var err error
	if fn := function.LookupWindow(windowName(x.Name)); fn != nil {
		err = b.windowCall(&r, fn, x, &inner)
	} else {
		err = b.aggregateOver(&r, x, &inner)
	}
	if err != nil {
		return nil, err
	}
	if err := b.overWindow(&r, x, &inner); err != nil {
		return nil, err
	}
	return c.ranks.add(r), nil
}

// windowName: FIRST and LAST are aggregates by arrival; with OVER they mean the frame's order.
func windowName(name string) string {
	switch lower(name) {
	case "first":
		return "first_value"
	case "last":
		return "last_value"
	}
	return name
}

// overWindow binds PARTITION BY, ORDER BY and the frame.
func (b *Binder) overWindow(r *ranking, x *ast.Call, c *clause) error {
	var err error
	if r.partition, err = b.exprs(x.Over.PartitionBy, c); err != nil {
		return err
	}
	for _, o := range x.Over.OrderBy {
		e, err := b.expr(o.Expr, c)
		if err != nil {
			return err
		}
		r.order = append(r.order, orderKey{expr: e, desc: o.Desc})
	}
	r.call.Frame = physical.DefaultFrame(len(r.order) > 0)
	if x.Over.Frame != nil && r.call.Kind.Framed() {
		if r.call.Frame, err = b.frame(x.Over.Frame, r.order, b.at(x.Over)); err != nil {
			return err
		}
	}
	all := slices.Clone(r.partition)
	all = append(all, r.args...)
	for _, o := range r.order {
		all = append(all, o.expr)
	}
	for _, e := range all {
		if slices.ContainsFunc(expr.Columns(e), func(c int) bool { return c >= rankBase && c < subBase }) {
			return diag.New(diag.MisplacedFunction, r.pos, "a window function may not stand inside another one").
				WithHint("compute the inner one in a subquery")
		}
	}
	return nil
}

// windowCall binds the arguments of a function that needs OVER.
func (b *Binder) windowCall(r *ranking, fn *function.WindowFunc, x *ast.Call, c *clause) error {
	name := strings.ToUpper(x.Name)
	switch {
	case x.Distinct || x.Filter != nil || len(x.OrderBy) > 0:
		return diag.New(diag.WrongArguments, r.pos, "%s takes no DISTINCT, FILTER or ORDER BY inside", name)
	case x.IgnoreNulls && !fn.Nulls:
		return diag.New(diag.WrongArguments, r.pos, "%s takes no IGNORE NULLS", name).WithHint("LAG, LEAD, FIRST_VALUE, LAST_VALUE and NTH_VALUE do")
	}
	args, err := b.exprs(x.Args, c)
	if err != nil {
		return err
	}
	bound, err := fn.Bind(describeArgs(args))
	if err != nil {
		return callError(name, fn.Signatures, r.pos, err)
	}
	for i, a := range bound.Columns {
		e, err := castTo(args[a], bound.ArgTypes[i], args[a].At())
		if err != nil {
			return err
		}
		r.args = append(r.args, e)
	}
	r.call = physical.OverCall{Name: aggName(x, args, nil, nil), Kind: bound.Kind, Ret: bound.Ret, N: bound.N, IgnoreNulls: x.IgnoreNulls, Filter: -1}
	return nil
}

// aggregateOver binds an aggregate with OVER.
func (b *Binder) aggregateOver(r *ranking, x *ast.Call, c *clause) error {
	agg := function.LookupAgg(x.Name)
	if agg == nil {
		err := diag.New(diag.MisplacedFunction, r.pos, "%s is neither a window function nor an aggregate: it takes no OVER", strings.ToUpper(x.Name))
		return err.WithHint("SHOW FUNCTIONS lists the functions with their families")
	}
	bound, err := b.bindAggregate(agg, x, c, c)
	if err != nil {
		return err
	}
	r.args, r.filter = bound.args, bound.filter
	r.call = physical.OverCall{Name: bound.name, Kind: function.WindowAggregate, Agg: bound.bound, Ret: bound.bound.Ret, Filter: -1}
	return nil
}

// add records a call, once for equal ones, and returns its placeholder.
func (r *rankings) add(call ranking) expr.Expr {
	i := 0
	for i < len(r.calls) && !r.calls[i].equal(&call) {
		i++
	}
	if i == len(r.calls) {
		r.calls = append(r.calls, call)
	}
	name := call.call.Name
	if call.call.Kind == function.RowNumber {
		name = "row_number"
	}
	return &expr.Col{Index: rankBase + i, Name: name, Typ: call.call.Ret, Pos: call.pos}
}

func (r *ranking) equal(o *ranking) bool {
	return r.call.Name == o.call.Name && r.call.IgnoreNulls == o.call.IgnoreNulls && r.call.Frame == o.call.Frame &&
		slices.EqualFunc(r.args, o.args, expr.Equal) && r.sameWindow(o)
}

// sameWindow tells whether two calls share partition and order.
func (r *ranking) sameWindow(o *ranking) bool {
	return slices.EqualFunc(r.partition, o.partition, expr.Equal) &&
		slices.EqualFunc(r.order, o.order, func(x, y orderKey) bool { return x.desc == y.desc && expr.Equal(x.expr, y.expr) })
}

// visit calls fn with every expression of the call.
func (r *ranking) visit(fn func(*expr.Expr)) {
	for i := range r.args {
		fn(&r.args[i])
	}
	fn(&r.filter)
	for i := range r.partition {
		fn(&r.partition[i])
	}
	for i := range r.order {
		fn(&r.order[i].expr)
	}
}

// windows parts the calls by their windows, in the order of the first call of each. A lone ROW_NUMBER comes last: a filter on it then
// stands right above and makes it a top-n.
func (r *rankings) windows() [][]int {
	var groups, lone [][]int
next:
	for i := range r.calls {
		for g := range groups {
			if r.calls[groups[g][0]].sameWindow(&r.calls[i]) {
				groups[g] = append(groups[g], i)
				continue next
			}
		}
		groups = append(groups, []int{i})
	}
	groups = slices.DeleteFunc(groups, func(g []int) bool {
		if len(g) > 1 || r.calls[g[0]].call.Kind != function.RowNumber {
			return false
		}
		lone = append(lone, g)
		return true
	})
	return append(groups, lone...)
}

// apply puts the calls over in, whose columns stay in front; where tells the column of the i-th call.
func (r *rankings) apply(in logical.Node, early bool) (out logical.Node, where []int) {
	width := len(in.Columns())
	var list columnList
	for i, f := range in.Columns() {
		list.append(logical.ColOf(in, i), f.Name)
	}
	groups := r.windows()
	nodes := make([]logical.Over, len(groups))
	for g, calls := range groups {
		first := &r.calls[calls[0]]
		nodes[g] = logical.Over{Pos: first.pos, Close: -1, Time: -1, Early: early}
		for _, p := range first.partition {
			nodes[g].PartitionBy = append(nodes[g].PartitionBy, list.add(p))
		}
		for _, o := range first.order {
			nodes[g].Order = append(nodes[g].Order, physical.SortKey{Col: list.add(o.expr), Desc: o.desc})
		}
		for _, i := range calls {
			call := r.calls[i].call
			for _, a := range r.calls[i].args {
				call.Args = append(call.Args, list.add(a))
			}
			if f := r.calls[i].filter; f != nil {
				call.Filter = list.add(f)
			}
			nodes[g].Calls = append(nodes[g].Calls, call)
		}
	}
	out = in
	if len(list.exprs) > width {
		out = list.project(in)
	}
	where = make([]int, len(r.calls))
	for g := range nodes {
		for k, i := range groups[g] {
			where[i] = len(out.Columns()) + k
		}
		out = logical.NewOver(out, nodes[g])
	}
	return out, where
}

// place replaces placeholders at base by the columns in where.
func place(e expr.Expr, base int, where []int) expr.Expr {
	return logical.Transform(e, func(x expr.Expr) (expr.Expr, bool) {
		c, ok := x.(*expr.Col)
		if !ok {
			return nil, false
		}
		if i := c.Index - base; i >= 0 && i < len(where) {
			moved := *c
			moved.Index = where[i]
			return &moved, true
		}
		return x, true
	})
}
