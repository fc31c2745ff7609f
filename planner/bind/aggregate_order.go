package bind

import (
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/function"
)

// aggregateArgs binds the arguments of an aggregate and its ORDER BY. Of f(p) WITHIN GROUP (ORDER BY x), where x is what f is about, x
// becomes the first argument.
func (b *Binder) aggregateArgs(x *ast.Call, agg *function.Agg, c *clause) (args []expr.Expr, order []orderKey, err error) {
	if args, err = b.exprs(x.Args, c); err != nil {
		return nil, nil, err
	}
	if lower(x.Name) == "group_concat" {
		if args, err = concatArgs(args, x.Separator, b.at(x)); err != nil {
			return nil, nil, err
		}
	}
	for _, o := range x.OrderBy {
		key := orderKey{desc: o.Desc}
		if i, ok, err := b.ordinal(o.Expr, len(x.Args)); err != nil {
			return nil, nil, err
		} else if ok {
			key.expr = args[i]
		} else if key.expr, err = b.expr(o.Expr, c); err != nil {
			return nil, nil, err
		}
		order = append(order, key)
	}
	switch {
	case !x.WithinGroup:
		return args, order, nil
	case agg.OrderedSet:
		return b.orderedSet(x, args, order)
	case agg.Ordered:
		return args, order, nil
	}
	return nil, nil, diag.New(diag.MisplacedFunction, b.at(x), "%s takes no WITHIN GROUP: its result does not depend on an order", strings.ToUpper(x.Name))
}

// concatArgs makes the arguments of GROUP_CONCAT one text, and the separator the second argument.
func concatArgs(args []expr.Expr, separator string, at int) ([]expr.Expr, error) {
	if len(args) > 1 {
		joined, err := expr.NewCall("concat", at, args...)
		if err != nil {
			return nil, err
		}
		args = []expr.Expr{joined}
	}
	return append(args, expr.NewString(separator)), nil
}

// interpolated are the ordered-set aggregates whose fraction f of descending values is the fraction 1-f of ascending ones.
var interpolated = map[string]bool{"percentile_cont": true, "approx_percentile": true}

// orderedSet puts x of WITHIN GROUP (ORDER BY x) in front. A fraction counts from the other end when x descends.
func (b *Binder) orderedSet(x *ast.Call, args []expr.Expr, order []orderKey) ([]expr.Expr, []orderKey, error) {
	if len(order) != 1 {
		return nil, nil, diag.New(diag.WrongArguments, b.at(x), "%s takes one expression in WITHIN GROUP (ORDER BY ..), got %d", strings.ToUpper(x.Name), len(order))
	}
	if order[0].desc {
		if !interpolated[lower(x.Name)] || len(args) == 0 || !args[0].Type().Kind.IsNumeric() {
			return nil, nil, notSupported(b.at(x), "%s in descending order", strings.ToUpper(x.Name))
		}
		rest, err := expr.NewCall("-", args[0].At(), expr.NewInt(1), args[0])
		if err != nil {
			return nil, nil, err
		}
		args = append([]expr.Expr{rest}, args[1:]...)
	}
	return append([]expr.Expr{order[0].expr}, args...), nil, nil
}

// wrap makes the aggregate observe DISTINCT, ORDER BY and IGNORE NULLS. The keys of the order become arguments behind its own.
func (a *aggregate) wrap(x *ast.Call, agg *function.Agg, order []orderKey) {
	switch {
	case len(order) > 0 && agg.Ordered:
		o := function.Ordering{Distinct: x.Distinct}
		for _, k := range order {
			a.args = append(a.args, k.expr)
			o.Keys, o.Desc = append(o.Keys, k.expr.Type()), append(o.Desc, k.desc)
		}
		a.bound = function.NewOrdered(a.bound, o)
	case x.Distinct && len(a.args) > 0:
		a.bound = function.NewDistinct(a.bound)
	}
	if x.IgnoreNulls && len(a.args) > 0 {
		a.bound = function.NewSkipNulls(a.bound)
	}
}
