package bind

import (
	"strings"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
)

// Aggregate and window function calls are bound as references to columns that do not exist yet: the i-th call is column base+i. Once all
// clauses are bound, these are replaced by the columns where the operators put the results.
const (
	aggBase  = 1 << 24
	rankBase = 1 << 25
	subBase  = 1 << 26
)

// aggregates collects the aggregate calls of a query block.
type aggregates struct {
	calls []aggregate
}

type aggregate struct {
	name   string
	bound  function.BoundAgg
	args   []expr.Expr
	filter expr.Expr
}

// aggregateCall binds an aggregate call and stands a placeholder for its result.
func (b *Binder) aggregateCall(x *ast.Call, c *clause) (expr.Expr, error) {
	at := b.at(x)
	agg := function.LookupAgg(x.Name)
	switch {
	case agg == nil:
		if function.Lookup(x.Name) == nil {
			return nil, diag.New(diag.UnknownFunction, at, "unknown function %s", x.Name).WithHint("only COUNT takes *: COUNT(*)")
		}
		return nil, diag.New(diag.WrongArguments, at, "%s(*) is no aggregate function", x.Name).WithHint("only COUNT takes *")
	case c.aggs == nil:
		return nil, diag.New(diag.MisplacedFunction, at, "aggregate function %s may not stand in %s", strings.ToUpper(x.Name), c.name).
			WithHint("filter groups with HAVING, or aggregate in a subquery")
	}
	inner := &clause{name: "an aggregate function", scope: c.scope, windows: c.windows, subqueries: c.subqueries}
	call, err := b.bindAggregate(agg, x, inner, &clause{name: "FILTER", scope: c.scope, windows: c.windows, subqueries: c.subqueries})
	if err != nil {
		return nil, err
	}
	return c.aggs.add(call, at), nil
}

// bindAggregate binds arguments and FILTER of an aggregate call, with OVER or without.
func (b *Binder) bindAggregate(agg *function.Agg, x *ast.Call, inArgs, inFilter *clause) (call aggregate, err error) {
	at := b.at(x)
	args, order, err := b.aggregateArgs(x, agg, inArgs)
	if err != nil {
		return call, err
	}
	if ofQueryAround(args) {
		return call, notSupported(at, "an aggregate of the query around inside a subquery").
			WithHint("compute it in a subquery of FROM: FROM (SELECT .., %s(..) AS x ..) AS t", strings.ToUpper(x.Name))
	}
	if x.Filter != nil {
		if call.filter, err = b.condition(x.Filter, inFilter); err != nil {
			return call, err
		}
	}
	if call.bound, err = agg.Bind(describeArgs(args)); err != nil {
		return call, callError(agg.Name, agg.Signatures, at, err)
	}
	if call.args, err = castArgs(args, call.bound.ArgTypes); err != nil {
		return call, err
	}
	call.name = aggName(x, args, order, call.filter)
	call.wrap(x, agg, order)
	return call, nil
}

// ofQueryAround tells whether arguments read columns of a query around only: such an aggregate belongs to that query (SQL:2016, 6.10).
func ofQueryAround(args []expr.Expr) bool {
	outer := false
	for _, a := range args {
		if !onlyOuter(a) {
			return false
		}
		outer = outer || len(logical.Outer(a)) > 0
	}
	return outer
}

func describeArgs(args []expr.Expr) []function.Arg {
	out := make([]function.Arg, len(args))
	for i, a := range args {
		out[i].Type = a.Type()
		if k, ok := a.(*expr.Const); ok {
			out[i].Const = k.Value
		}
	}
	return out
}

// callError places what is wrong with the arguments of an aggregate or window function.
func callError(name string, signatures []string, at int, err error) error {
	if d, ok := diag.As(err); ok {
		placed := *d
		if d.Offset < 0 {
			placed.Offset, placed.Message = at, strings.ToUpper(name)+" "+d.Message
		}
		return &placed
	}
	e := diag.New(diag.WrongArguments, at, "%s: %v", name, err)
	if len(signatures) > 0 {
		return e.WithHint("usage: %s", strings.Join(signatures, " or "))
	}
	return e
}

// castArgs casts to what the aggregate wants. Integers of any width are the same in memory.
func castArgs(args []expr.Expr, want []types.Type) ([]expr.Expr, error) {
	if len(want) != len(args) {
		args = args[:min(len(args), len(want))]
	}
	out := make([]expr.Expr, len(args))
	for i, a := range args {
		var err error
		if a.Type().Kind == want[i].Kind && a.Type().Class() == types.ClassI64 {
			out[i] = a
			continue
		}
		if out[i], err = castTo(a, want[i], a.At()); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func aggName(x *ast.Call, args []expr.Expr, order []orderKey, filter expr.Expr) string {
	parts := make([]string, len(args))
	for i, a := range args {
		parts[i] = expr.Print(a)
	}
	inside := strings.Join(parts, ", ")
	if x.Star {
		inside = "*"
	}
	if x.Distinct {
		inside = "DISTINCT " + inside
	}
	for i, o := range order {
		inside += pickName(i == 0, " ORDER BY ", ", ") + expr.Print(o.expr) + pickName(o.desc, " DESC", "")
	}
	name := strings.ToUpper(x.Name) + "(" + inside + ")" + pickName(x.IgnoreNulls, " IGNORE NULLS", "")
	if filter != nil {
		name += " FILTER (WHERE " + expr.Print(filter) + ")"
	}
	return name
}

// add records a call, once for equal ones, and returns its placeholder.
func (a *aggregates) add(call aggregate, at int) expr.Expr {
	i := 0
	for i < len(a.calls) && !a.calls[i].equal(&call) {
		i++
	}
	if i == len(a.calls) {
		a.calls = append(a.calls, call)
	}
	return &expr.Col{Index: aggBase + i, Name: call.name, Typ: call.bound.Ret, Pos: at}
}

func (a *aggregate) equal(o *aggregate) bool {
	if a.name != o.name || len(a.args) != len(o.args) || (a.filter == nil) != (o.filter == nil) {
		return false
	}
	for i := range a.args {
		if !expr.Equal(a.args[i], o.args[i]) {
			return false
		}
	}
	return a.filter == nil || expr.Equal(a.filter, o.filter)
}

// columnList collects distinct expressions to be computed by one projection.
type columnList struct {
	exprs []expr.Expr
	names []string
}

func (l *columnList) add(e expr.Expr) int {
	for i, x := range l.exprs {
		if expr.Equal(x, e) {
			return i
		}
	}
	return l.append(e, expr.Print(e))
}

func (l *columnList) append(e expr.Expr, name string) int {
	l.exprs, l.names = append(l.exprs, e), append(l.names, name)
	return len(l.exprs) - 1
}

// project computes the list over in. A row needs a column, so that an empty list gets a constant.
func (l *columnList) project(in logical.Node) logical.Node {
	if len(l.exprs) == 0 {
		l.append(expr.NewBool(true), "true")
	}
	return logical.NewProject(in, l.exprs, l.names)
}

// group puts an aggregation over in: keys, then the collected calls.
func (a *aggregates) group(in logical.Node, keys []expr.Expr, emit ast.EmitMode, pos int) logical.Node {
	var list columnList
	node := logical.Aggregate{Emit: emit, Pos: pos}
	for _, k := range keys {
		node.Keys = append(node.Keys, list.append(k, expr.Print(k)))
	}
	for _, c := range a.calls {
		call := physical.AggCall{Name: c.name, Bound: c.bound, Filter: -1}
		for _, arg := range c.args {
			call.Args = append(call.Args, list.add(arg))
		}
		if c.filter != nil {
			call.Filter = list.add(c.filter)
		}
		node.Aggs = append(node.Aggs, call)
	}
	return logical.NewAggregate(list.project(in), node)
}

// regroup rewrites an expression over the input of an aggregation into one over its output; what is neither grouped nor aggregated is
// an error.
func regroup(e expr.Expr, keys []expr.Expr) (expr.Expr, error) {
	var bad *expr.Col
	out := logical.Transform(e, func(x expr.Expr) (expr.Expr, bool) {
		if _, ok := x.(*expr.Const); ok {
			return x, true
		}
		for i, k := range keys {
			if expr.Equal(x, k) {
				return &expr.Col{Index: i, Name: expr.Print(k), Typ: k.Type(), Pos: x.At()}, true
			}
		}
		c, ok := x.(*expr.Col)
		switch {
		case !ok:
			return nil, false
		case c.Index >= aggBase && c.Index < rankBase:
			moved := *c
			moved.Index += len(keys) - aggBase
			return &moved, true
		case c.Index < aggBase && bad == nil:
			bad = c
		}
		return x, true
	})
	if bad != nil {
		err := diag.New(diag.NotGrouped, bad.Pos, "column '%s' is neither in GROUP BY nor inside an aggregate function", bad.Name)
		return nil, err.WithHint("add it to GROUP BY, or write MAX(%s) or ANY_VALUE(%s)", bad.Name, bad.Name)
	}
	return out, nil
}
