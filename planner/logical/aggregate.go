package logical

import (
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/types"
)

// Aggregate groups by the columns Keys (none: one global row). Output: keys, then aggregates. Emit is the query's EMIT clause. Final says that
// the input is a static table and the groups come once, when it has been read.
type Aggregate struct {
	base
	Keys  []int
	Aggs  []physical.AggCall
	Emit  ast.EmitMode
	Final bool
	Pos   int // of the query block, for errors
}

// NewAggregate makes an aggregation.
func NewAggregate(in Node, a Aggregate) *Aggregate {
	a.in = []Node{in}
	a.cols = AggColumns(pick(in.Columns(), a.Keys), a.Aggs)
	return &a
}

// With makes the aggregation over another input.
func (a *Aggregate) With(in ...Node) Node { return NewAggregate(in[0], *a) }

// AggColumns appends the aggregates' result columns to keys.
func AggColumns(keys []types.Field, aggs []physical.AggCall) []types.Field {
	out := make([]types.Field, 0, len(keys)+len(aggs))
	out = append(out, keys...)
	for _, c := range aggs {
		out = append(out, types.Field{Name: c.Name, Type: c.Bound.Ret})
	}
	return out
}

func pick(cols []types.Field, at []int) []types.Field {
	out := make([]types.Field, len(at))
	for i, c := range at {
		out[i] = cols[c]
	}
	return out
}

// Window appends window_start, window_end and window_time, one copy of the row per window. Untimed marks a window over a bounded
// input without watermark: its windows never close before the end. PartitionBy (SESSION only) are columns of the input.
type Window struct {
	base
	Spec        physical.WindowSpec
	PartitionBy []int
	Untimed     bool
	Pos         int
}

// WindowColumnNames are the columns that a window appends, in this order.
var WindowColumnNames = [3]string{"window_start", "window_end", "window_time"}

// WindowColumns are the columns that a window over a time column of type t appends.
func WindowColumns(t types.Type) []types.Field {
	out := make([]types.Field, len(WindowColumnNames))
	for i, name := range WindowColumnNames {
		out[i] = types.Field{Name: name, Type: t}
	}
	return out
}

// NewWindow makes a window assignment.
func NewWindow(in Node, w Window) *Window {
	w.in = []Node{in}
	w.cols = concat(in.Columns(), WindowColumns(in.Columns()[w.Spec.TimeCol].Type))
	return &w
}

// With makes the window assignment over another input.
func (w *Window) With(in ...Node) Node { return NewWindow(in[0], *w) }

// WindowAggregate groups unwindowed rows by window and Keys and emits each window once, when it closes. Output: keys,
// window_start, window_end, window_time, aggregates.
type WindowAggregate struct {
	base
	Spec physical.WindowSpec
	Keys []int
	Aggs []physical.AggCall
}

// NewWindowAggregate makes a window aggregation.
func NewWindowAggregate(in Node, a WindowAggregate) *WindowAggregate {
	a.in = []Node{in}
	keys := concat(pick(in.Columns(), a.Keys), WindowColumns(in.Columns()[a.Spec.TimeCol].Type))
	a.cols = AggColumns(keys, a.Aggs)
	return &a
}

// With makes the window aggregation over another input.
func (a *WindowAggregate) With(in ...Node) Node { return NewWindowAggregate(in[0], *a) }
