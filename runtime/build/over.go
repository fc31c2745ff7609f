package build

import (
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/runtime/operator"
)

func overOptions(x *physical.Over, stage string) operator.OverOptions {
	o := operator.OverOptions{Stage: stage, Input: inputTypes(x, 0), PartitionBy: x.PartitionBy, Order: sortKeys(x.Order),
		Mode: operator.OverMode(x.Mode), Time: x.Time, TimeIsEnd: x.TimeIsEnd}
	for _, c := range x.Calls {
		o.Calls = append(o.Calls, operator.OverCall{
			Aggregate: operator.Aggregate{Name: c.Name, Bound: c.Agg, Args: c.Args, Filter: c.Filter},
			Kind:      c.Kind, Ret: c.Ret, N: c.N, IgnoreNulls: c.IgnoreNulls,
			Frame: operator.Frame{Unit: operator.FrameUnit(c.Frame.Unit), Start: frameBound(c.Frame.Start), End: frameBound(c.Frame.End)},
		})
	}
	return o
}

func frameBound(b physical.FrameBound) operator.FrameBound {
	return operator.FrameBound{Unbounded: b.Unbounded, Offset: b.Offset, Months: b.Months, Float: b.Float}
}
