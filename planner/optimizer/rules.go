package optimizer

import (
	"fmt"
	"slices"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/props"
	"github.com/millrace/millrace/sql/invariant"
)

// Rule is one rewriting of a whole plan.
type Rule struct {
	Name  string
	Doc   string
	Apply func(n logical.Node, d *props.Deriver) logical.Node
}

// Rules is the optimizer, in order of execution. Conditions move down before anything looks at what stands under a filter;
// operators are recognised before columns are pruned, because pruning makes projections that hide them.
var Rules = []Rule{
	{"constant_fold", "drop filters that are always TRUE, empty what is never TRUE", constantFold},
	{"merge_projects", "compute a projection of a projection at once", mergeProjects},
	{"filter_pushdown", "filter as early as possible; equalities across a join become its keys", filterPushdown},
	{"topn_from_rank", "ROW_NUMBER() <= n becomes a top-N, = 1 by arrival a deduplication", topNFromRank},
	{"expand_below_window", "copy rows for grouping sets before they go into windows", expandBelowWindow},
	{"merge_projects", "again: the rules above leave projections", mergeProjects},
	{"window_merge", "a GROUP BY over a window's bounds becomes one window aggregate", windowMerge},
	{"window_rollup", "a GROUP BY over the bounds of windows already made gives its results when they close", windowRollup},
	{"filter_pushdown", "again: HAVING now stands over a projection", filterPushdown},
	{"over_time", "OVER (ORDER BY event time) follows the watermark, OVER (PARTITION BY window_end) the window", overTime},
	{"join_to_lookup", "a join with a table that ends reads that table first", joinToLookup},
	{"merge_projects", "again, so that pruning sees through", mergeProjects},
	{"column_prune", "read only the columns, and fields of STRUCTs, that are used", columnPrune},
	{"merge_projects", "again: pruning leaves projections", mergeProjects},
}

// Optimize applies all rules, or only those that are named. Fired is called with each rule that changed the plan; it may be nil.
func Optimize(n logical.Node, fired func(rule string), only ...string) logical.Node {
	for _, r := range Rules {
		if len(only) > 0 && !slices.Contains(only, r.Name) {
			continue
		}
		next := r.Apply(n, props.New(false))
		if invariant.Enabled {
			check(r.Name, n, next)
		}
		if next != n && fired != nil && logical.Print(next) != logical.Print(n) {
			fired(r.Name)
		}
		n = next
	}
	return n
}

// check panics when a rule breaks the plan or changes its output.
func check(rule string, before, after logical.Node) {
	if err := logical.Check(after); err != nil {
		panic(fmt.Sprintf("rule %s: %v\n%s=>\n%s", rule, err, logical.Print(before), logical.Print(after)))
	}
	a, b := before.Columns(), after.Columns()
	if len(a) != len(b) {
		panic(fmt.Sprintf("rule %s: %d columns became %d", rule, len(a), len(b)))
	}
	for i := range a {
		if a[i].Name != b[i].Name || !a[i].Type.Equal(b[i].Type) {
			panic(fmt.Sprintf("rule %s: column %s %s became %s %s", rule, a[i].Name, a[i].Type, b[i].Name, b[i].Type))
		}
	}
}
