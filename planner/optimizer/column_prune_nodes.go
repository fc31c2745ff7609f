package optimizer

import (
	"slices"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
)

// prune makes n without the columns that need does not name. It may keep more; to tells where each old column went, -1 for those gone.
func prune(n logical.Node, need uses) (out logical.Node, to []int) {
	switch x := n.(type) {
	case *logical.Scan:
		return pruneScan(x, need)
	case *logical.Project:
		return pruneProject(x, need)
	case *logical.Expand:
		return pruneExpand(x, need)
	case *logical.Join:
		return pruneJoin(x, need)
	case *logical.Union:
		return pruneUnion(x, need)
	case *logical.Aggregate:
		return pruneAggregate(x, need)
	case *logical.WindowAggregate:
		return pruneWindowAggregate(x, need)
	case *logical.Over:
		return pruneOver(x, need)
	case *logical.Window, *logical.TopN:
		return pruneAppending(n, need)
	case *logical.Recursive:
		return pruneRecursive(x)
	case *logical.Values, *logical.ViewScan, *logical.SystemScan, *logical.MatchRecognize, *logical.RecursiveRef:
		return n, sequence(len(n.Columns()))
	}
	return prunePassing(n, need)
}

// pruneScan keeps what is read. A row needs a column: when none is read, one of fixed width.
func pruneScan(s *logical.Scan, need uses) (logical.Node, []int) {
	to := make([]int, len(need))
	next := logical.Scan{Relation: s.Relation, Changes: s.Changes, Bounded: s.Bounded}
	keep := func(i int, t types.Type) {
		to[i] = len(next.Cols)
		next.Cols, next.Types = append(next.Cols, s.Cols[i]), append(next.Types, t)
	}
	for i, u := range need {
		to[i] = -1
		if u != nil {
			keep(i, u.narrow(s.Types[i]))
		}
	}
	if len(next.Cols) == 0 && len(need) > 0 {
		i := max(0, slices.IndexFunc(s.Types, func(t types.Type) bool { return t.Class() == types.ClassI64 }))
		keep(i, s.Types[i])
	}
	return logical.NewScan(next), to
}

func pruneProject(p *logical.Project, need uses) (logical.Node, []int) {
	below := make(uses, len(p.Inputs()[0].Columns()))
	kept := need.clone()
	if !slices.ContainsFunc(kept, func(u *use) bool { return u != nil }) {
		kept[0] = &use{all: true}
	}
	for i, u := range kept {
		if u == nil {
			continue
		}
		if col, path := fieldPath(p.Exprs[i]); col != nil && !u.all && len(u.fields) > 0 {
			for f, sub := range u.fields {
				below.at(col.Index).merge(under(path, f, sub))
			}
			continue
		}
		below.expr(p.Exprs[i])
	}
	in, moved := prune(p.Inputs()[0], below)
	to := make([]int, len(need))
	var exprs []expr.Expr
	var names []string
	for i, u := range kept {
		to[i] = -1
		if u != nil {
			to[i] = len(exprs)
			exprs, names = append(exprs, remap(p.Exprs[i], moved, in)), append(names, p.Names[i])
		}
	}
	return logical.NewProject(in, exprs, names), to
}

// pruneExpand drops made columns, and passes on only what is read above: above all not the arrays themselves, once per element.
func pruneExpand(x *logical.Expand, need uses) (logical.Node, []int) {
	below := make(uses, len(x.Inputs()[0].Columns()))
	for _, e := range x.Args {
		below.expr(e)
	}
	kept := need.clone()
	if !slices.ContainsFunc(kept, func(u *use) bool { return u != nil }) {
		kept.all(len(kept) - 1) // a row needs a column
	}
	for i, c := range x.Keep {
		if kept[i] != nil {
			below.at(c).merge(kept[i])
		}
	}
	in, moved := prune(x.Inputs()[0], below)
	next := *x
	next.Keep, next.Made, next.Names = nil, nil, nil
	to := make([]int, len(need))
	for i := range need {
		to[i] = -1
		switch made := i - len(x.Keep); {
		case kept[i] == nil:
		case made < 0:
			to[i] = len(next.Keep)
			next.Keep = append(next.Keep, moved[x.Keep[i]])
		default:
			to[i] = len(next.Keep) + len(next.Made)
			next.Made, next.Names = append(next.Made, x.Made[made]), append(next.Names, x.Names[made])
		}
	}
	next.Args = make([]expr.Expr, len(x.Args))
	for i, e := range x.Args {
		next.Args[i] = remap(e, moved, in)
	}
	return logical.NewExpand(in, next), to
}

// under puts the use of field f below a path.
func under(path []int, f int, sub *use) *use {
	u := &use{fields: map[int]*use{f: sub}}
	for i := len(path) - 1; i >= 0; i-- {
		u = &use{fields: map[int]*use{path[i]: u}}
	}
	return u
}

func pruneJoin(j *logical.Join, need uses) (logical.Node, []int) {
	width := len(j.Inputs()[0].Columns())
	if j.Kind == physical.Mark && need[width] == nil { // nobody asks whether there is a partner
		in, to := prune(j.Inputs()[0], need[:width:width])
		return in, append(slices.Clone(to), -1)
	}
	all := need.clone()
	if j.Kind.LeftOnly() {
		all = append(all[:width:width], make(uses, len(j.Inputs()[1].Columns()))...)
	}
	all.expr(j.Residual)
	left, right := all[:width:width], all[width:]
	left.all(j.LeftKeys...)
	right.all(j.RightKeys...)
	if j.Method == logical.Temporal {
		left.all(j.LeftTime)
		right.all(j.RightTime)
	}
	l, lto := prune(j.Inputs()[0], left)
	r, rto := prune(j.Inputs()[1], right)
	next := *j
	next.LeftKeys, next.RightKeys = remapAll(j.LeftKeys, lto), remapAll(j.RightKeys, rto)
	if j.Method == logical.Temporal {
		next.LeftTime, next.RightTime = lto[j.LeftTime], rto[j.RightTime]
	}
	to := slices.Clone(lto)
	for _, c := range rto {
		if c >= 0 {
			c += len(l.Columns())
		}
		to = append(to, c)
	}
	next.Residual = nil
	if j.Residual != nil {
		both := logical.NewJoin(l, r, logical.Join{Kind: physical.Inner})
		next.Residual = remap(j.Residual, to, both)
	}
	if j.Kind.LeftOnly() {
		to = to[:width:width]
		if j.Kind == physical.Mark {
			to = append(to, len(l.Columns()))
		}
	}
	return next.With(l, r), to
}

// pruneUnion gives all inputs the same columns in the same order; STRUCTs stay whole, so that types agree.
func pruneUnion(u *logical.Union, need uses) (logical.Node, []int) {
	to := make([]int, len(need))
	var keep []int
	for i, x := range need {
		to[i] = -1
		if x != nil || len(keep) == 0 && i == len(need)-1 {
			to[i] = len(keep)
			keep = append(keep, i)
		}
	}
	in := make([]logical.Node, len(u.Inputs()))
	for i, c := range u.Inputs() {
		below := make(uses, len(need))
		below.all(keep...)
		n, moved := prune(c, below)
		cols := remapAll(keep, moved)
		if len(n.Columns()) != len(cols) || !isSequence(cols) {
			n = logical.NewPick(n, cols)
		}
		in[i] = n
	}
	return logical.NewUnion(in...), to
}

// pruneRecursive keeps all columns of a recursion, whose body makes them of one another, and prunes what lies below.
func pruneRecursive(r *logical.Recursive) (logical.Node, []int) {
	in := make([]logical.Node, len(r.Inputs()))
	for i, c := range r.Inputs() {
		below := make(uses, len(c.Columns()))
		below.all(sequence(len(below))...)
		n, moved := prune(c, below)
		if len(n.Columns()) != len(moved) || !isSequence(moved) {
			n = logical.NewPick(n, moved)
		}
		in[i] = n
	}
	return r.With(in...), sequence(len(r.Columns()))
}

// keepAggs prunes the calls and notes what the kept ones read; to is filled in from base on.
func keepAggs(aggs []physical.AggCall, need uses, base int, below uses, to []int) (kept []physical.AggCall) {
	next := base
	for i, call := range aggs {
		to[base+i] = -1
		if need[base+i] == nil {
			continue
		}
		to[base+i] = next
		next++
		below.all(call.Args...)
		if call.Filter >= 0 {
			below.all(call.Filter)
		}
		kept = append(kept, call)
	}
	return kept
}

func remapAggs(aggs []physical.AggCall, to []int) []physical.AggCall {
	out := make([]physical.AggCall, len(aggs))
	for i, call := range aggs {
		call.Args = remapAll(call.Args, to)
		if call.Filter >= 0 {
			call.Filter = to[call.Filter]
		}
		out[i] = call
	}
	return out
}

// pruneAggregate keeps all keys: they say what a group is. A global aggregate keeps a call, so that its row has a column.
func pruneAggregate(a *logical.Aggregate, need uses) (logical.Node, []int) {
	need = need.clone()
	if len(a.Keys) == 0 && !slices.ContainsFunc(need, func(u *use) bool { return u != nil }) {
		need.all(0)
	}
	below := make(uses, len(a.Inputs()[0].Columns()))
	below.all(a.Keys...)
	to := sequence(len(need))
	aggs := keepAggs(a.Aggs, need, len(a.Keys), below, to)
	in, moved := prune(a.Inputs()[0], below)
	next := *a
	next.Keys, next.Aggs = remapAll(a.Keys, moved), remapAggs(aggs, moved)
	return logical.NewAggregate(in, next), to
}

func pruneWindowAggregate(a *logical.WindowAggregate, need uses) (logical.Node, []int) {
	below := make(uses, len(a.Inputs()[0].Columns()))
	below.all(a.Keys...)
	below.all(a.Spec.TimeCol)
	to := sequence(len(need))
	aggs := keepAggs(a.Aggs, need, len(a.Keys)+3, below, to)
	in, moved := prune(a.Inputs()[0], below)
	next := *a
	next.Keys, next.Aggs = remapAll(a.Keys, moved), remapAggs(aggs, moved)
	next.Spec.TimeCol = moved[a.Spec.TimeCol]
	return logical.NewWindowAggregate(in, next), to
}

// pruneAppending prunes nodes that append columns of their own to those of their input.
func pruneAppending(n logical.Node, need uses) (logical.Node, []int) {
	width := len(n.Inputs()[0].Columns())
	below := need.clone()[:width:width]
	switch x := n.(type) {
	case *logical.Window:
		below.all(x.Spec.TimeCol)
		below.all(x.PartitionBy...)
	case *logical.TopN:
		below.all(x.PartitionBy...)
		below.sort(x.Order)
	}
	in, to := prune(n.Inputs()[0], below)
	to = slices.Clone(to)
	kept := len(in.Columns())
	for i := width; i < len(need); i++ {
		to = append(to, kept+i-width)
	}
	switch x := n.(type) {
	case *logical.Window:
		next := *x
		next.Spec.TimeCol, next.PartitionBy = to[x.Spec.TimeCol], remapAll(x.PartitionBy, to)
		return logical.NewWindow(in, next), to
	}
	next := *n.(*logical.TopN)
	if next.WithRank && need[width] == nil {
		next.WithRank, to[width] = false, -1
	}
	next.PartitionBy, next.Order = remapAll(next.PartitionBy, to), remapSort(next.Order, to)
	return logical.NewTopN(in, next), to
}

// pruneOver drops the calls that nobody reads, and the node with the last of them.
func pruneOver(o *logical.Over, need uses) (logical.Node, []int) {
	width := len(o.Inputs()[0].Columns())
	var calls []physical.OverCall
	for i, c := range o.Calls {
		if need[width+i] != nil {
			calls = append(calls, c)
		}
	}
	below := need.clone()[:width:width]
	if len(calls) > 0 {
		below.all(o.PartitionBy...)
		below.sort(o.Order)
		below.all(physical.OverColumns(calls)...)
		for _, c := range []int{o.Close, o.Time} {
			if c >= 0 {
				below.all(c)
			}
		}
	}
	in, moved := prune(o.Inputs()[0], below)
	to := slices.Clone(moved)
	next := len(in.Columns())
	for i := range o.Calls {
		to = append(to, -1)
		if need[width+i] != nil {
			to[width+i] = next
			next++
		}
	}
	if len(calls) == 0 {
		return in, to
	}
	out := *o
	out.PartitionBy, out.Order, out.Calls = remapAll(o.PartitionBy, moved), remapSort(o.Order, moved), make([]physical.OverCall, len(calls))
	for i, c := range calls {
		c.Args = remapAll(c.Args, moved)
		if c.Filter >= 0 {
			c.Filter = moved[c.Filter]
		}
		out.Calls[i] = c
	}
	if o.Close >= 0 {
		out.Close = moved[o.Close]
	}
	if o.Time >= 0 {
		out.Time = moved[o.Time]
	}
	return logical.NewOver(in, out), to
}

// prunePassing prunes nodes that pass their input's columns on.
func prunePassing(n logical.Node, need uses) (logical.Node, []int) {
	below := need.clone()
	switch x := n.(type) {
	case *logical.Filter:
		below.expr(x.Pred)
	case *logical.Watermark:
		below.all(x.TimeCol)
		below.expr(x.Expr)
	case *logical.Normalize:
		below.all(x.Key...)
	case *logical.Deduplicate:
		below.all(x.Key...)
	case *logical.Sort:
		below.sort(x.Order)
	}
	in, to := prune(n.Inputs()[0], below)
	switch x := n.(type) {
	case *logical.Filter:
		return logical.NewFilter(in, remap(x.Pred, to, in)), to
	case *logical.Watermark:
		next := *x
		next.TimeCol, next.Expr = to[x.TimeCol], remap(x.Expr, to, in)
		return logical.NewWatermark(in, next), to
	case *logical.Normalize:
		return logical.NewNormalize(in, remapAll(x.Key, to)), to
	case *logical.Deduplicate:
		return logical.NewDeduplicate(in, remapAll(x.Key, to)), to
	case *logical.Sort:
		next := *x
		next.Order = remapSort(x.Order, to)
		return logical.NewSort(in, next), to
	}
	return n.With(in), to
}
