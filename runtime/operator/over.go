package operator

import (
	"math"

	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
)

// OverMode says when an operator of window functions gives its rows.
type OverMode uint8

// The modes.
const (
	OverChanges   OverMode = iota // at once, with the changes of other rows
	OverWatermark                 // once, behind the watermark
	OverClose                     // once, when the partition's window closes
	OverFinal                     // once, at the end
)

// FrameUnit says what the bounds of a frame count.
type FrameUnit uint8

// The units: rows, values of the order, groups of rows that tie.
const (
	FrameRows FrameUnit = iota
	FrameRange
	FrameGroups
)

// FrameBound is one end of a frame: Offset behind the present row, before it when negative. In frames of RANGE Offset is in the unit of
// the order column; Months come on top; Float takes the place of both for DOUBLE.
type FrameBound struct {
	Unbounded bool
	Offset    types.Int128
	Months    int64
	Float     float64
}

func (b *FrameBound) current() bool {
	return !b.Unbounded && b.Offset.IsZero() && b.Months == 0 && b.Float == 0
}

// rows is the offset of a frame of ROWS or GROUPS, cut to what cannot overflow.
func (b *FrameBound) rows() int64 {
	n, ok := b.Offset.Int64()
	if !ok {
		n = int64(maxFrameRows)
		if b.Offset.IsNeg() {
			n = -n
		}
	}
	return min(max(n, -maxFrameRows), maxFrameRows)
}

// maxFrameRows is more than the rows of any partition: sums of row numbers and it do not overflow.
const maxFrameRows = math.MaxInt64 / 4

// Frame is the rows that a framed call sees.
type Frame struct {
	Unit       FrameUnit
	Start, End FrameBound
}

// plain tells whether a frame has no distances in values: one of RANGE is then one of GROUPS.
func (f *Frame) plain() bool {
	return f.Unit != FrameRange || (f.Start.Unbounded || f.Start.current()) && (f.End.Unbounded || f.End.current())
}

// OverCall is a call with OVER. Aggregate holds name, arguments and, for WindowAggregate, the function and its filter; the arguments of the
// others are the value and, for LAG and LEAD, a default.
type OverCall struct {
	Aggregate
	Kind        function.WindowKind
	Ret         types.Type
	N           int64 // rows of LAG and LEAD, buckets of NTILE, place of NTH_VALUE
	IgnoreNulls bool
	Frame       Frame
}

// OverOptions describe an operator of window functions that share partition and order. Ties are broken by the rows' encoding.
type OverOptions struct {
	Stage       string       // name in the tables errors and late
	Input       []types.Type // the input's columns
	PartitionBy []int        // none: one partition
	Order       []SortKey
	Calls       []OverCall
	Mode        OverMode
	Time        int  // OverWatermark: the column whose time the order follows. OverClose: the end of the row's window. OverFinal: one with event time; -1: none
	TimeIsEnd   bool // Time is the end of a window
}

// NewOver makes the operator for the mode.
func NewOver(o OverOptions) Operator {
	for i := range o.Calls {
		if f := &o.Calls[i].Frame; f.Unit == FrameRange && f.plain() {
			f.Unit = FrameGroups
		}
	}
	if o.Mode == OverWatermark {
		return newOverStream(o)
	}
	return newOverRows(o)
}

// output is the schema: the input's columns, then one for each call.
func (o *OverOptions) output() []types.Type {
	out := append([]types.Type{}, o.Input...)
	for i := range o.Calls {
		out = append(out, o.Calls[i].Ret)
	}
	return out
}
