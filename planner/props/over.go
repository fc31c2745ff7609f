package props

import (
	"slices"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
)

// OverMode decides when an Over gives its rows.
func (d *Deriver) OverMode(o *logical.Over) physical.OverMode {
	if d.FinalOnly && d.Of(o.Inputs()[0]).Bounded {
		return physical.OverFinal
	}
	switch end, time := d.OverTimes(o); {
	case end >= 0:
		return physical.OverClose
	case time >= 0:
		return physical.OverStream
	}
	return physical.OverChanges
}

// OverTimes finds the columns that Over.Close and Over.Time name; -1: none, and at most one of them is any. A partition that is a part of a
// window is complete when the window closes; it must tell the window's end: it holds the end, or the start, which tells it except for
// cumulating windows. That is not for EMIT CHANGES over rows that change. An order by event time can be computed as the watermark goes, over
// state that the frames bound; results of windows are in such an order by the end of their windows, and by the start where it tells
// the end.
func (d *Deriver) OverTimes(o *logical.Over) (end, time int) {
	if o.Close >= 0 || o.Time >= 0 {
		return o.Close, o.Time
	}
	in := o.Inputs()[0]
	info := d.Of(in)
	if !o.Early || info.Changelog == physical.AppendOnly {
		if end = closing(o, in, info); end >= 0 {
			return end, -1
		}
	}
	if info.Changelog == physical.AppendOnly && physical.Streams(o.Calls) {
		return -1, following(o, in, info)
	}
	return -1, -1
}

// overTime: rows that are given out in the order of event time keep it, and those that wait for their window to close keep its bounds. The
// others come, or come again, at any time.
func (d *Deriver) overTime(o *logical.Over, in *Info) (time, start, end []int) {
	switch d.OverMode(o) {
	case physical.OverStream:
		if _, t := d.OverTimes(o); slices.Contains(in.EventTime, t) {
			time = []int{t}
		}
		return time, in.WindowStart, in.WindowEnd
	case physical.OverFinal: // at the end of all time
		if len(in.EventTime) == 0 {
			return nil, nil, nil
		}
		return in.EventTime, in.WindowStart, in.WindowEnd
	case physical.OverClose:
		return nil, in.WindowStart, in.WindowEnd
	}
	return nil, nil, nil
}

// following finds the column with the time that the order follows; -1: none.
func following(o *logical.Over, in logical.Node, info *Info) int {
	if len(o.Order) == 0 || o.Order[0].Desc {
		return -1
	}
	col := o.Order[0].Col
	switch {
	case slices.Contains(info.EventTime, col), slices.Contains(info.WindowEnd, col):
		return col
	case slices.Contains(info.WindowStart, col) && tellsEnd(in, info) && !reachesAhead(o.Calls):
		return info.WindowEnd[0]
	}
	return -1
}

// reachesAhead tells whether a frame ends at a distance behind the present row's place in the order: by window_start the watermark
// would not tell when that has been reached.
func reachesAhead(calls []physical.OverCall) bool {
	return slices.ContainsFunc(calls, func(c physical.OverCall) bool {
		return c.Kind.Framed() && c.Frame.Unit == physical.FrameRange && !c.Frame.End.Current()
	})
}

// closing finds the column with the end of the window that the partition belongs to; -1: none.
func closing(o *logical.Over, in logical.Node, info *Info) int {
	if i := slices.IndexFunc(o.PartitionBy, func(c int) bool { return slices.Contains(info.WindowEnd, c) }); i >= 0 {
		return o.PartitionBy[i]
	}
	byStart := slices.ContainsFunc(o.PartitionBy, func(c int) bool { return slices.Contains(info.WindowStart, c) })
	if !byStart || !tellsEnd(in, info) {
		return -1
	}
	return info.WindowEnd[0]
}

// tellsEnd tells whether the start of a row's window tells its end.
func tellsEnd(in logical.Node, info *Info) bool {
	return len(info.WindowEnd) == 1 && len(info.WindowStart) == 1 && !cumulates(in)
}

// cumulates tells whether windows below share their starts. Sessions of different keys do too: each key has its own end.
func cumulates(n logical.Node) bool {
	found := false
	logical.Walk(n, func(n logical.Node) {
		switch x := n.(type) {
		case *logical.Window:
			found = found || variableEnd(x.Spec.Kind)
		case *logical.WindowAggregate:
			found = found || variableEnd(x.Spec.Kind)
		}
	})
	return found
}

func variableEnd(k physical.WindowKind) bool { return k == physical.Cumulate || k == physical.Session }
