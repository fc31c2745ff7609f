package props

import (
	"slices"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/expr"
)

// maxKeys bounds the key sets that are followed through joins, whose numbers multiply.
const maxKeys = 8

// keys derives sets of columns that identify a row.
func keys(n logical.Node, in []*Info) [][]int {
	switch x := n.(type) {
	case *logical.Scan:
		return scanKeys(x)
	case *logical.ViewScan:
		return relationKey(x.View)
	case *logical.Normalize:
		return [][]int{x.Key}
	case *logical.Deduplicate:
		return addKey(in[0].Keys, x.Key)
	case *logical.Aggregate:
		return aggregateKeys(x, in[0])
	case *logical.WindowAggregate:
		return windowAggregateKeys(x, in[0])
	case *logical.Window:
		return withWindow(x, in[0].Keys)
	case *logical.Project:
		return projectKeys(in[0].Keys, passed(x))
	case *logical.Expand:
		return expandKeys(x, in[0])
	case *logical.TopN:
		return topNKeys(x, in[0])
	case *logical.Join:
		return joinKeys(x, in)
	case *logical.Values:
		if len(x.Rows) <= 1 {
			return [][]int{{}}
		}
		return nil
	case *logical.Filter:
		return filterKeys(x, in[0].Keys)
	case *logical.Limit:
		return limitKeys(x.Limit, in[0].Keys)
	case *logical.Sort:
		return limitKeys(x.Limit, in[0].Keys)
	case *logical.Recursive:
		if x.Distinct {
			return [][]int{sequence(0, len(x.Columns()))}
		}
		return nil
	case *logical.Union, *logical.SystemScan, *logical.MatchRecognize, *logical.RecursiveRef:
		return nil
	}
	return in[0].Keys
}

// limitKeys: of one row the empty set of columns is a key.
func limitKeys(limit int64, keys [][]int) [][]int {
	if limit == 1 || limit == 0 {
		return [][]int{{}}
	}
	return keys
}

// filterKeys leaves a key that is compared with constants whole without its columns: there is one row at most.
func filterKeys(f *logical.Filter, keys [][]int) [][]int {
	fixed := map[int]bool{}
	for _, c := range logical.Conjuncts(f.Pred) {
		call, ok := c.(*expr.Call)
		if !ok || call.Name != "=" || len(call.Args) != 2 {
			continue
		}
		for i, a := range call.Args {
			if _, is := call.Args[1-i].(*expr.Const); is && logical.KeyColumn(a) >= 0 {
				fixed[logical.KeyColumn(a)] = true
			}
		}
	}
	for _, key := range keys {
		if len(key) > 0 && !slices.ContainsFunc(key, func(c int) bool { return !fixed[c] }) {
			return append(slices.Clone(keys), []int{})
		}
	}
	return keys
}

// scanKeys trusts the PRIMARY KEY of a static table and of a changelog. In an endless stream the same key comes again, and where there
// is a watermark the rows of a key are its versions.
func scanKeys(s *logical.Scan) [][]int {
	if len(s.Relation.PrimaryKey) == 0 || s.Changes == physical.AppendOnly && (!s.Bounded || s.Relation.Watermark != nil) {
		return nil
	}
	return projectKeys([][]int{s.Relation.PrimaryKey}, positions(s.Cols))
}

func relationKey(r *catalog.Relation) [][]int {
	if len(r.PrimaryKey) == 0 {
		return nil
	}
	return [][]int{r.PrimaryKey}
}

// projectKeys keeps the keys all of whose columns are passed on.
func projectKeys(keys [][]int, to map[int][]int) [][]int {
	var out [][]int
	for _, key := range keys {
		moved := make([]int, 0, len(key))
		for _, c := range key {
			if len(to[c]) > 0 {
				moved = append(moved, to[c][0])
			}
		}
		if len(moved) == len(key) {
			out = addKey(out, moved)
		}
	}
	return out
}

func addKey(keys [][]int, key []int) [][]int {
	if len(keys) >= maxKeys {
		return keys
	}
	return append(slices.Clone(keys), key)
}

func sequence(from, n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = from + i
	}
	return out
}

// aggregateKeys: the group is the key; a key of the input among the group columns is a smaller one.
func aggregateKeys(a *logical.Aggregate, in *Info) [][]int {
	return append(projectKeys(in.Keys, positions(a.Keys)), sequence(0, len(a.Keys)))
}

// windowAggregateKeys: group and window. Its start tells the window as well as its end does, except that cumulating windows share
// their starts.
func windowAggregateKeys(a *logical.WindowAggregate, in *Info) [][]int {
	n := len(a.Keys)
	if slices.ContainsFunc(a.Keys, func(k int) bool { return slices.Contains(in.WindowEnd, k) }) {
		return [][]int{sequence(0, n)} // a roll-up: the window follows from the group
	}
	byStart, byEnd := append(sequence(0, n), n), append(sequence(0, n), n+1)
	if a.Spec.Kind == physical.Cumulate {
		return [][]int{byEnd}
	}
	return [][]int{byStart, byEnd}
}

func withWindow(w *logical.Window, keys [][]int) [][]int {
	n := len(w.Inputs()[0].Columns())
	var out [][]int
	for _, k := range keys {
		if w.Spec.Kind == physical.Tumble {
			out = append(out, k)
			continue
		}
		out = append(out, append(slices.Clone(k), n, n+1))
	}
	return out
}

// expandKeys: the rows made of one row are told apart by their number only.
func expandKeys(x *logical.Expand, in *Info) [][]int {
	number := x.Ordinality()
	if number < 0 {
		return nil
	}
	var out [][]int
	for _, k := range projectKeys(in.Keys, positions(x.Keep)) {
		out = addKey(out, append(k, number))
	}
	return out
}

func topNKeys(t *logical.TopN, in *Info) [][]int {
	out := in.Keys
	if t.Limit == 1 {
		out = addKey(out, t.PartitionBy)
	} else if t.WithRank {
		out = addKey(out, append(slices.Clone(t.PartitionBy), len(t.Columns())-1))
	}
	return out
}

// joinKeys: when the join columns hold a key of one side, each row of the other finds at most one partner and keeps its own keys.
func joinKeys(j *logical.Join, in []*Info) [][]int {
	if j.Kind.LeftOnly() {
		return in[0].Keys
	}
	width := len(j.Inputs()[0].Columns())
	var out [][]int
	if j.Method == logical.Temporal || coversKey(in[1].Keys, j.RightKeys) {
		for _, k := range in[0].Keys {
			out = addKey(out, k)
		}
		if j.Kind != physical.Full && len(out) > 0 {
			return out
		}
	}
	if j.Kind == physical.Inner && coversKey(in[0].Keys, j.LeftKeys) {
		for _, k := range in[1].Keys {
			out = addKey(out, shift(k, width))
		}
	}
	if j.Kind == physical.Full {
		out = nil
	}
	for _, l := range in[0].Keys {
		for _, r := range in[1].Keys {
			out = addKey(out, append(slices.Clone(l), shift(r, width)...))
		}
	}
	return out
}

func coversKey(keys [][]int, cols []int) bool {
	return slices.ContainsFunc(keys, func(key []int) bool {
		for _, c := range key {
			if !slices.Contains(cols, c) {
				return false
			}
		}
		return true
	})
}

// PassedColumn tells which input column an expression passes on unchanged as far as identity goes; -1: none.
func PassedColumn(e expr.Expr) int {
	if c, ok := e.(*expr.Col); ok {
		return c.Index
	}
	return -1
}
