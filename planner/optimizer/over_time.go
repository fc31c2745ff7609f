package optimizer

import (
	"slices"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/planner/props"
)

// overTime: an order by event time can be computed as the watermark goes, over state that the frames bound. Results of windows are in such
// an order by the end of their windows, and by the start where it tells the end.
//
// A partition that is a part of a window is complete when the window closes; its rows are then given out once, and its state
// is dropped. The partition must tell the window's end: it holds the end, or the start, which tells it except for cumulating windows. It
// is not for EMIT CHANGES over rows that change.
func overTime(n logical.Node, d *props.Deriver) logical.Node {
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		o, ok := n.(*logical.Over)
		if !ok || o.Close >= 0 || o.Time >= 0 {
			return n
		}
		in := o.Inputs()[0]
		info := d.Of(in)
		next := *o
		if !o.Early || info.Changelog == physical.AppendOnly {
			next.Close = closing(o, in, info)
		}
		if info.Changelog == physical.AppendOnly && physical.Streams(o.Calls) && next.Close < 0 {
			next.Time = following(o, in, info)
		}
		if next.Close < 0 && next.Time < 0 {
			return n
		}
		return logical.NewOver(in, next)
	})
}

// following finds the column with the time that the order follows; -1: none.
func following(o *logical.Over, in logical.Node, info *props.Info) int {
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
func closing(o *logical.Over, in logical.Node, info *props.Info) int {
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
func tellsEnd(in logical.Node, info *props.Info) bool {
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
