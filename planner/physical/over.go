package physical

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
)

// FrameUnit says what the bounds of a frame count.
type FrameUnit uint8

// The units: rows, values of the order, groups of rows that tie.
const (
	FrameRows FrameUnit = iota
	FrameRange
	FrameGroups
)

var frameUnitNames = [...]string{"ROWS", "RANGE", "GROUPS"}

// FrameBound is one end of a frame, Offset behind (negative: before) the present row. In frames of RANGE the unit of Offset is that of
// the order column in memory: microseconds for TIMESTAMP and DATETIME, days for DATE, units of the last decimal for DECIMAL; Months come
// on top; Float takes the place of both when the order column is a DOUBLE.
type FrameBound struct {
	Unbounded bool // PRECEDING in Frame.Start, FOLLOWING in Frame.End
	Offset    types.Int128
	Months    int64
	Float     float64
	Text      string // as EXPLAIN prints it
}

// Current tells whether the bound is CURRENT ROW.
func (b *FrameBound) Current() bool {
	return !b.Unbounded && b.Offset.IsZero() && b.Months == 0 && b.Float == 0
}

// Rows is the offset of a frame of ROWS or GROUPS.
func (b *FrameBound) Rows() int64 { return int64(b.Offset.Lo) }

// Frame is the rows that a framed function sees.
type Frame struct {
	Unit       FrameUnit
	Start, End FrameBound
}

// DefaultFrame is the frame of a window without one: up to the present row and those that tie with it, or, without an order, the
// whole partition (MySQL 8.0 manual, 14.20.3).
func DefaultFrame(ordered bool) Frame {
	f := Frame{Unit: FrameRange, Start: FrameBound{Unbounded: true, Text: "UNBOUNDED PRECEDING"}}
	f.End = FrameBound{Text: "CURRENT ROW"}
	if !ordered {
		f.End = FrameBound{Unbounded: true, Text: "UNBOUNDED FOLLOWING"}
	}
	return f
}

// Plain tells whether a frame of RANGE has no distances: it is then one of GROUPS.
func (f *Frame) Plain() bool {
	return (f.Start.Unbounded || f.Start.Current()) && (f.End.Unbounded || f.End.Current())
}

// OverCall is one call of an Over. Agg is set when Kind is WindowAggregate. Args are columns of the input: of the aggregate, or the value
// and the default of a window function. Filter is a BOOLEAN column (-1: none).
type OverCall struct {
	Name        string
	Kind        function.WindowKind
	Agg         function.BoundAgg
	Ret         types.Type
	Args        []int
	Filter      int
	N           int64 // see function.BoundWindow
	IgnoreNulls bool
	Frame       Frame
}

// OverMode says when an Over gives its rows.
type OverMode uint8

// The modes.
const (
	OverChanges OverMode = iota // at once, with the changes of other rows
	OverStream                  // each row once, when the watermark has passed what its frames need: the order is event time
	OverClose                   // each row once, when the window that its partition is a part of closes
	OverFinal                   // each row once, at the end of a bounded input
)

var overModeNames = [...]string{"changes", "by watermark", "on window close", "final"}

// Over appends the results of window functions that share partition and order. State of OverChanges, OverFinal: all rows; of OverStream:
// the rows that wait and those that frames look back to; of OverClose: the rows of open windows. Time is the column with the time at
// which a row is complete (OverStream; its own, or with TimeIsEnd the end of its window) or its window closes (OverClose), or any with event time (OverFinal); -1:
// none.
type Over struct {
	Base
	PartitionBy []int
	Order       []SortKey
	Calls       []OverCall
	Mode        OverMode
	Time        int
	TimeIsEnd   bool
}

// OverText describes an Over: partition (a) order (b) [RANK(), SUM(x) ROWS BETWEEN 2 PRECEDING AND CURRENT ROW].
func OverText(in []types.Field, partition []int, order []SortKey, calls []OverCall) string {
	parts := make([]string, len(calls))
	for i := range calls {
		parts[i] = calls[i].text(len(order) > 0)
	}
	return fmt.Sprintf("partition %s order %s [%s]", Names(in, partition), OrderText(in, order), strings.Join(parts, ", "))
}

func (c *OverCall) text(ordered bool) string {
	s := c.Name
	if c.IgnoreNulls {
		s += " IGNORE NULLS"
	}
	d := DefaultFrame(ordered)
	same := c.Frame.Unit == d.Unit && c.Frame.Start == d.Start && c.Frame.End == d.End
	if !c.Kind.Framed() || same {
		return s
	}
	return fmt.Sprintf("%s %s BETWEEN %s AND %s", s, frameUnitNames[c.Frame.Unit], c.Frame.Start.Text, c.Frame.End.Text)
}

// OverColumns lists the columns that calls read.
func OverColumns(calls []OverCall) []int {
	var out []int
	for _, c := range calls {
		out = append(out, c.Args...)
		if c.Filter >= 0 {
			out = append(out, c.Filter)
		}
	}
	return out
}

// Streams tells whether every call can be computed once and for all from rows in the order of event time, and state that does not hold
// the whole partition.
func Streams(calls []OverCall) bool {
	for i := range calls {
		c := &calls[i]
		switch c.Kind {
		case function.PercentRank, function.CumeDist, function.Ntile:
			return false
		case function.Lead:
			if c.IgnoreNulls {
				return false
			}
		case function.Lag:
			if c.IgnoreNulls && c.N != 1 {
				return false
			}
		}
		if c.Kind.Framed() && c.Frame.End.Unbounded {
			return false
		}
	}
	return true
}

// Remembers tells whether the state of streaming calls holds something of every partition for ever: numbers, accumulators, or the last rows,
// as frames that do not count time do.
func Remembers(calls []OverCall) bool {
	for i := range calls {
		if c := &calls[i]; !c.Kind.Framed() || c.Frame.Start.Unbounded || c.Frame.Unit != FrameRange {
			return true
		}
	}
	return false
}

// Ahead tells whether streaming calls wait for rows that may never come.
func Ahead(calls []OverCall) bool {
	for i := range calls {
		c := &calls[i]
		switch {
		case c.Kind == function.Lead && c.N > 0:
			return true
		case c.Kind.Framed() && c.Frame.Unit != FrameRange && c.Frame.End.Rows() > 0:
			return true
		}
	}
	return false
}
