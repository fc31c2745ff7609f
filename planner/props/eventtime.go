package props

import (
	"slices"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
)

// eventTime derives the columns with event time, and those that hold start and end of the row's window.
func (d *Deriver) eventTime(n logical.Node, in []*Info) (time, start, end []int) {
	switch x := n.(type) {
	case *logical.Watermark:
		return []int{x.TimeCol}, nil, nil
	case *logical.Window:
		return windowTime(x, in[0])
	case *logical.WindowAggregate:
		return windowAggregateTime(x, in[0])
	case *logical.Aggregate:
		return aggregateTime(x, in[0])
	case *logical.Over:
		return d.overTime(x, in[0])
	case *logical.Project:
		to := passed(x)
		return mapColumns(in[0].EventTime, to), mapColumns(in[0].WindowStart, to), mapColumns(in[0].WindowEnd, to)
	case *logical.Expand:
		to := positions(x.Keep)
		return mapColumns(in[0].EventTime, to), mapColumns(in[0].WindowStart, to), mapColumns(in[0].WindowEnd, to)
	case *logical.Join:
		return joinTime(x, in)
	case *logical.Union:
		return unionTime(in)
	case *logical.MatchRecognize:
		if x.AllRows { // a match ends later than its rows, but in their order
			return in[0].EventTime, nil, nil
		}
		return nil, nil, nil
	case *logical.ViewScan, *logical.Values, *logical.Scan, *logical.SystemScan, *logical.Recursive, *logical.RecursiveRef:
		return nil, nil, nil
	}
	return in[0].EventTime, in[0].WindowStart, in[0].WindowEnd
}

func windowTime(w *logical.Window, in *Info) (time, start, end []int) {
	n := len(w.Inputs()[0].Columns())
	if w.Untimed {
		return nil, nil, nil
	}
	return append(slices.Clone(in.EventTime), n+2), []int{n}, []int{n + 1}
}

// windowAggregateTime: besides the window's own columns, group columns that hold the bounds of windows made before keep their
// meaning: results come when those close.
func windowAggregateTime(a *logical.WindowAggregate, in *Info) (time, start, end []int) {
	n, to := len(a.Keys), positions(a.Keys)
	time = append(mapColumns(in.EventTime, to), n+2)
	return time, append(mapColumns(in.WindowStart, to), n), append(mapColumns(in.WindowEnd, to), n+1)
}

// aggregateTime: group columns keep what they were, but only windows bound the changes of a group, so plain event time does not
// survive an aggregation unless grouped by it.
func aggregateTime(a *logical.Aggregate, in *Info) (time, start, end []int) {
	to := positions(a.Keys)
	return mapColumns(in.EventTime, to), mapColumns(in.WindowStart, to), mapColumns(in.WindowEnd, to)
}

// joinTime: a regular join without windows releases rows at any later time, so event time ends there.
func joinTime(j *logical.Join, in []*Info) (time, start, end []int) {
	width := len(j.Inputs()[0].Columns())
	if j.Method == logical.Temporal {
		return in[0].EventTime, in[0].WindowStart, in[0].WindowEnd
	}
	if streams, ok := IsLookup(j, in[0], in[1]); ok {
		i, at := in[streams], streams*width
		return shift(i.EventTime, at), shift(i.WindowStart, at), shift(i.WindowEnd, at)
	}
	if l, r := WindowedJoin(j, in[0], in[1]); l < 0 || r < 0 || j.Kind == physical.Full {
		return nil, nil, nil
	}
	time, start, end = in[0].EventTime, in[0].WindowStart, in[0].WindowEnd
	if j.Kind != physical.Inner {
		return time, start, end // the right side's columns are NULL in null rows, or not there
	}
	time = append(slices.Clone(time), shift(in[1].EventTime, width)...)
	start = append(slices.Clone(start), shift(in[1].WindowStart, width)...)
	return time, start, append(slices.Clone(end), shift(in[1].WindowEnd, width)...)
}

// WindowedJoin finds the pair of join columns that both hold the window's end; -1, -1 when the join is on no window.
func WindowedJoin(j *logical.Join, left, right *Info) (int, int) {
	for i, l := range j.LeftKeys {
		if slices.Contains(left.WindowEnd, l) && slices.Contains(right.WindowEnd, j.RightKeys[i]) {
			return l, j.RightKeys[i]
		}
	}
	return -1, -1
}

// unionTime keeps the columns that are event time on every side.
func unionTime(in []*Info) (time, start, end []int) {
	time, start, end = in[0].EventTime, in[0].WindowStart, in[0].WindowEnd
	for _, i := range in[1:] {
		time, start, end = intersect(time, i.EventTime), intersect(start, i.WindowStart), intersect(end, i.WindowEnd)
	}
	return time, start, end
}

func intersect(a, b []int) []int {
	var out []int
	for _, x := range a {
		if slices.Contains(b, x) {
			out = append(out, x)
		}
	}
	return out
}
