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
	"github.com/millrace/millrace/sql/vector"
)

// maxGroupingSets bounds the sets of one GROUP BY: each row is counted once in every set.
const maxGroupingSets = 256

// groupingBase is the first placeholder of GROUPING(..) calls, see aggBase.
const groupingBase = 1 << 23

// grouping is GROUPING SETS, ROLLUP and CUBE of a query block. There is one aggregation for all sets: each row is copied once per set
// (logical.Expand), with the number of the set, and the keys that are not in the set are NULL. So the input is read once, state, windows
// and corrections are those of any GROUP BY, and sets are told apart even where keys are NULL by themselves.
type grouping struct {
	sets  [][]int // by set: indexes of keys
	calls []groupingCall
}

// groupingCall is GROUPING(a, b): a number whose bits tell which arguments the row's set leaves out, the last argument lowest
// (MySQL 8.0 manual, 14.23).
type groupingCall struct {
	args []expr.Expr
	at   int
}

// maxGroupingArgs keeps the result in a BIGINT.
const maxGroupingArgs = 62

func (b *Binder) groupingCall(x *ast.Call, c *clause) (expr.Expr, error) {
	at := b.at(x)
	switch {
	case c.grouping == nil:
		return nil, diag.New(diag.MisplacedFunction, at, "%s may not stand in %s", strings.ToUpper(x.Name), c.name).
			WithHint("it tells of a row of GROUP BY ROLLUP, CUBE or GROUPING SETS which keys are left out")
	case len(x.Args) == 0 || len(x.Args) > maxGroupingArgs:
		return nil, diag.New(diag.WrongArguments, at, "%s takes 1 to %d keys of GROUP BY", strings.ToUpper(x.Name), maxGroupingArgs)
	}
	args, err := b.exprs(x.Args, &clause{name: strings.ToUpper(x.Name), scope: c.scope, windows: c.windows, alias: c.alias, subqueries: c.subqueries})
	if err != nil {
		return nil, err
	}
	c.grouping.calls = append(c.grouping.calls, groupingCall{args: args, at: at})
	return &expr.Col{Index: groupingBase + len(c.grouping.calls) - 1, Name: "GROUPING", Typ: types.Of(types.Int64), Pos: at}, nil
}

// groupElement binds an element of GROUP BY: the sets of keys that it means.
func (x *selection) groupElement(g ast.Expr, c *clause) ([][]int, error) {
	s, ok := g.(*ast.GroupingSets)
	if !ok {
		keys, err := x.groupKeys(g, c)
		return [][]int{keys}, err
	}
	if s.Kind == "SETS" {
		return x.listedSets(s, c)
	}
	items := make([][]int, len(s.Items))
	for i, item := range s.Items {
		for _, e := range item {
			keys, err := x.groupKeys(e, c)
			if err != nil {
				return nil, err
			}
			items[i] = append(items[i], keys...)
		}
	}
	var out [][]int
	if s.Kind == "ROLLUP" {
		for n := len(items); n >= 0; n-- {
			out = append(out, slices.Concat(items[:n]...))
		}
		return out, nil
	}
	if len(items) > 30 || 1<<len(items) > maxGroupingSets {
		return nil, tooManySets(x.b.at(s))
	}
	for bits := 1<<len(items) - 1; bits >= 0; bits-- {
		var set []int
		for i, item := range items {
			if bits>>(len(items)-1-i)&1 != 0 {
				set = append(set, item...)
			}
		}
		out = append(out, set)
	}
	return out, nil
}

// listedSets binds GROUPING SETS (..), whose items may be sets of sets.
func (x *selection) listedSets(s *ast.GroupingSets, c *clause) (out [][]int, err error) {
	for _, item := range s.Items {
		if len(item) == 1 {
			more, err := x.groupElement(item[0], c)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
			continue
		}
		var set []int
		for _, e := range item {
			keys, err := x.groupKeys(e, c)
			if err != nil {
				return nil, err
			}
			set = append(set, keys...)
		}
		out = append(out, set)
	}
	return out, nil
}

func tooManySets(at int) error {
	return diag.New(diag.TooDeep, at, "GROUP BY has more than %d grouping sets", maxGroupingSets).
		WithHint("name the sets that you want: GROUPING SETS ((a, b), (a), ())")
}

// crossSets combines every set so far with every set of one more element.
func (x *selection) crossSets(sets, with [][]int, at int) ([][]int, error) {
	if len(sets)*len(with) > maxGroupingSets {
		return nil, tooManySets(at)
	}
	var out [][]int
	for _, a := range sets {
		for _, b := range with {
			set := append(slices.Clone(a), b...)
			slices.Sort(set)
			out = append(out, slices.Compact(set))
		}
	}
	return out, nil
}

// simple tells that every key is in the only set: a plain GROUP BY.
func (g *grouping) simple(keys int) bool {
	return len(g.sets) == 0 || len(g.sets) == 1 && len(g.sets[0]) == keys
}

// expandSets copies the rows, once per set. It returns the keys as the aggregation computes them, and those keys as the clauses
// above know them; the number of the set is the last.
func (x *selection) expandSets() (computed, known []expr.Expr, err error) {
	width := len(x.node.Columns())
	numbers := vector.New(types.ArrayOf(types.Of(types.Int64)), 1)
	for i := range x.grouping.sets {
		numbers.Child[0].AppendI64(int64(i))
	}
	numbers.EndList()
	x.node = logical.NewExpand(x.node, logical.Expand{Args: []expr.Expr{&expr.Const{Value: numbers, Pos: -1}}, Keep: allColumns(x.node),
		Made: []physical.ExpandColumn{{Arg: 0, Part: -1, Type: types.Of(types.Int64)}}, Names: []string{"grouping_set"}})
	set := logical.ColOf(x.node, width)
	for i, k := range x.keys {
		in := []expr.Expr{set}
		for n, s := range x.grouping.sets {
			if slices.Contains(s, i) {
				in = append(in, expr.NewInt(int64(n)))
			}
		}
		if len(in)-1 < len(x.grouping.sets) {
			if k, err = keyInSets(k, in); err != nil {
				return nil, nil, err
			}
		}
		computed = append(computed, k)
	}
	return append(computed, set), append(slices.Clone(x.keys), set), nil
}

// keyInSets is a key in the sets that in lists, NULL in the others.
func keyInSets(k expr.Expr, in []expr.Expr) (expr.Expr, error) {
	if len(in) == 1 {
		return k, nil
	}
	cond, err := expr.NewCall("in", k.At(), in...)
	if err != nil {
		return nil, err
	}
	e, err := expr.NewCase([]expr.Expr{cond}, []expr.Expr{k}, nil, k.At())
	if err != nil {
		return nil, err
	}
	return castTo(e, k.Type(), k.At())
}

// placeGrouping replaces GROUPING calls by what they are in each set; set is its number, nil in a plain GROUP BY.
func (x *selection) placeGrouping(e expr.Expr, set expr.Expr) (expr.Expr, error) {
	var failed error
	out := logical.Transform(e, func(e expr.Expr) (expr.Expr, bool) {
		c, ok := e.(*expr.Col)
		if !ok {
			return nil, false
		}
		i := c.Index - groupingBase
		if i < 0 || i >= len(x.grouping.calls) {
			return e, true
		}
		value, err := x.groupingValue(&x.grouping.calls[i], set)
		if err != nil {
			failed = err
			return e, true
		}
		return value, true
	})
	return out, failed
}

func (x *selection) groupingValue(call *groupingCall, set expr.Expr) (expr.Expr, error) {
	args := make([]int, len(call.args))
	for i, a := range call.args {
		args[i] = slices.IndexFunc(x.keys, func(k expr.Expr) bool { return expr.Equal(k, a) })
		if args[i] < 0 {
			return nil, diag.New(diag.NotGrouped, a.At(), "GROUPING: %s is no key of GROUP BY", expr.Print(a)).WithHint("give it a key exactly as GROUP BY has it")
		}
	}
	if set == nil {
		return expr.NewInt(0), nil
	}
	var conds, results []expr.Expr
	for n, s := range x.grouping.sets {
		bits := int64(0)
		for _, a := range args {
			bits *= 2
			if !slices.Contains(s, a) {
				bits++
			}
		}
		is, err := expr.NewCall("=", call.at, set, expr.NewInt(int64(n)))
		if err != nil {
			return nil, err
		}
		conds, results = append(conds, is), append(results, expr.NewInt(bits))
	}
	e, err := expr.NewCase(conds, results, nil, call.at)
	if err != nil {
		return nil, err
	}
	return castTo(e, types.Of(types.Int64), call.at)
}
