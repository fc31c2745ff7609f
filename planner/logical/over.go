package logical

import (
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
)

// Over appends the results of calls with OVER that share PARTITION BY and ORDER BY. A filter on a lone ROW_NUMBER makes it a TopN (rule
// topn_from_rank). The rule over_time sets Close and Time: Close is the column with the end of the window that a partition is a part of,
// Time the column with the event time, or the end of the window, that the order follows; -1: none.
type Over struct {
	base
	PartitionBy []int
	Order       []physical.SortKey
	Calls       []physical.OverCall
	Close, Time int
	Early       bool // EMIT CHANGES: rows that change are not held until their window closes
	Pos         int
}

// NewOver makes an over.
func NewOver(in Node, o Over) *Over {
	o.in = []Node{in}
	fields := make([]types.Field, len(o.Calls))
	for i, c := range o.Calls {
		fields[i] = types.Field{Name: c.Name, Type: c.Ret}
		if c.Kind == function.RowNumber {
			fields[i].Name = "row_number"
		}
	}
	o.cols = concat(in.Columns(), fields)
	return &o
}

// With makes the over over another input.
func (o *Over) With(in ...Node) Node { return NewOver(in[0], *o) }

// IsRowNumber tells whether the node computes nothing but ROW_NUMBER.
func (o *Over) IsRowNumber() bool { return len(o.Calls) == 1 && o.Calls[0].Kind == function.RowNumber }

func (o *Over) text(in []types.Field) string {
	if o.IsRowNumber() {
		return "RowNumber partition " + physical.Names(in, o.PartitionBy) + " order " + physical.OrderText(in, o.Order)
	}
	s := "Over " + physical.OverText(in, o.PartitionBy, o.Order, o.Calls)
	switch {
	case o.Close >= 0:
		s += " until " + in[o.Close].Name
	case o.Time >= 0:
		s += " along " + in[o.Time].Name
	}
	return s
}
