package lower

import (
	"slices"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/planner/props"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// node lowers one node over lowered inputs.
func (l *Lowerer) node(n logical.Node, in []physical.Node) (physical.Node, error) {
	switch x := n.(type) {
	case *logical.Scan:
		o := &physical.SourceScan{Base: l.base(n), Relation: x.Relation, Columns: x.Cols, Types: x.Types}
		return finish(l, o, &o.Base), nil
	case *logical.Watermark:
		o := &physical.AssignWatermark{Base: l.base(n, in...), TimeCol: x.TimeCol, Expr: x.Expr, MaxFuture: x.MaxFuture, Policy: l.opts.Policy, Relation: x.Relation}
		if x.Policy != nil && l.opts.Policy != physical.Fail {
			o.Policy = *x.Policy
		}
		return finish(l, o, &o.Base), nil
	case *logical.Values:
		o := &physical.Values{Base: l.base(n), Rows: x.Rows}
		return finish(l, o, &o.Base), nil
	case *logical.ViewScan:
		o := &physical.ViewScan{Base: l.base(n), View: x.View, Follow: x.Follow}
		return finish(l, o, &o.Base), nil
	case *logical.SystemScan:
		o := &physical.SystemScan{Base: l.base(n), Relation: x.Relation}
		return finish(l, o, &o.Base), nil
	case *logical.Filter:
		o := &physical.Filter{Base: l.base(n, in...), Pred: x.Pred, Policy: l.opts.Policy}
		return finish(l, o, &o.Base), nil
	case *logical.Project:
		o := &physical.Project{Base: l.base(n, in...), Exprs: x.Exprs, Policy: l.opts.Policy}
		return finish(l, o, &o.Base), nil
	case *logical.Expand:
		o := &physical.Expand{Base: l.base(n, in...), Args: x.Args, Keep: x.Keep, Made: x.Made, Outer: x.Outer, Policy: l.opts.Policy}
		return finish(l, o, &o.Base), nil
	case *logical.RecursiveRef:
		o := &physical.RecursiveRef{Base: l.base(n), Link: x.Link}
		return finish(l, o, &o.Base), nil
	case *logical.Recursive:
		o := &physical.Recursive{Base: l.base(n, l.exchange(l.Materialize(in[0]), nil), in[1]), Link: x.Link, Distinct: x.Distinct,
			MaxDepth: x.MaxDepth, Limit: x.Limit, Pos: x.Pos}
		return finish(l, o, &o.Base), nil
	case *logical.Union:
		o := &physical.Union{Base: l.base(n, in...)}
		return finish(l, o, &o.Base), nil
	case *logical.Join:
		return l.join(x, in)
	}
	return l.stateful(n, in[0])
}

func (l *Lowerer) stateful(n logical.Node, in physical.Node) (physical.Node, error) {
	switch x := n.(type) {
	case *logical.Normalize:
		o := &physical.Normalize{Base: l.base(n, l.exchange(in, x.Key)), Key: x.Key}
		return finish(l, o, &o.Base), nil
	case *logical.Deduplicate:
		o := &physical.Deduplicate{Base: l.base(n, l.exchange(in, x.Key)), Key: x.Key, First: true}
		l.warnGrowth(in, "deduplication remembers every key that it has let through")
		return finish(l, o, &o.Base), nil
	case *logical.TopN:
		o := &physical.TopN{Base: l.base(n, l.exchange(in, x.PartitionBy)), PartitionBy: x.PartitionBy, Order: x.Order, Limit: x.Limit, WithRank: x.WithRank}
		return finish(l, o, &o.Base), nil
	case *logical.Sort:
		o := &physical.Sort{Base: l.base(n, l.exchange(l.Materialize(in), nil)), Order: x.Order, Offset: x.Offset, Limit: x.Limit}
		return finish(l, o, &o.Base), nil
	case *logical.Limit:
		return l.limit(x, in)
	case *logical.Window:
		return l.window(x, in)
	case *logical.WindowAggregate:
		o := &physical.WindowAggregate{Base: l.base(n, l.exchange(in, x.Keys)), Window: x.Spec, Keys: x.Keys, Aggs: x.Aggs}
		return finish(l, o, &o.Base), nil
	case *logical.Aggregate:
		return l.aggregate(x, in)
	case *logical.Over:
		return l.over(x, in), nil
	case *logical.MatchRecognize:
		return nil, diag.New(diag.NotSupported, x.Pos, "running MATCH_RECOGNIZE is not supported").
			WithHint("it is checked, but not executed yet; LAG and LEAD with QUALIFY find short patterns")
	}
	return nil, diag.New(diag.Internal, -1, "no physical operator for %s", logical.Describe(n))
}

func (l *Lowerer) over(x *logical.Over, in physical.Node) physical.Node {
	o := &physical.Over{Base: l.base(x, l.exchange(in, x.PartitionBy)), PartitionBy: x.PartitionBy, Order: x.Order, Calls: x.Calls,
		Mode: l.props.OverMode(x), Time: -1}
	end, time := l.props.OverTimes(x)
	switch o.Mode {
	case physical.OverFinal:
		if t := l.props.Of(x.Inputs()[0]).EventTime; len(t) > 0 {
			o.Time = t[0]
		}
	case physical.OverClose:
		o.Time, o.TimeIsEnd = end, true
	case physical.OverChanges:
		if !in.Properties().Bounded {
			l.warn("OVER keeps every row and computes a partition again when one of its rows changes: the state grows for ever; " +
				"ORDER BY the column with the watermark gives each row once")
		}
	case physical.OverStream:
		o.Time = time
		o.TimeIsEnd = !slices.Contains(l.props.Of(x.Inputs()[0]).EventTime, time)
		if !o.TimeIsEnd && l.withoutDelay(x.Inputs()[0]) {
			l.warn("the watermark has no delay: a row with the same time as one before it is late; WATERMARK FOR ts AS ts - INTERVAL 1 MILLISECOND lets it in")
		}
		if physical.Ahead(x.Calls) {
			l.warn("a row with LEAD or a frame of FOLLOWING rows is given out when those have come: the time of what follows stands still until then")
		}
		if len(x.PartitionBy) > 0 && physical.Remembers(x.Calls) {
			l.warnGrowth(in, "OVER remembers every partition")
		}
	}
	return finish(l, o, &o.Base)
}

// withoutDelay tells whether a watermark below is the event time itself.
func (l *Lowerer) withoutDelay(n logical.Node) bool {
	found := false
	logical.Walk(n, func(n logical.Node) {
		if w, ok := n.(*logical.Watermark); ok {
			found = found || props.PassedColumn(w.Expr) == w.TimeCol
		}
	})
	return found
}

func (l *Lowerer) limit(x *logical.Limit, in physical.Node) (physical.Node, error) {
	if l.opts.FinalOnly && in.Properties().Bounded {
		in = l.Materialize(in)
	}
	o := &physical.Limit{Offset: x.Offset, Limit: x.Limit}
	o.Base = l.base(x, l.exchange(in, nil))
	return finish(l, o, &o.Base), nil
}

func (l *Lowerer) window(x *logical.Window, in physical.Node) (physical.Node, error) {
	if x.Spec.Kind == physical.Session {
		return nil, diag.New(diag.NotSupported, x.Pos, "SESSION without GROUP BY window_start, window_end is not supported").
			WithHint("a session is known only when it is over: aggregate it, without EMIT CHANGES")
	}
	o := &physical.WindowAssign{Base: l.base(x, in), Window: x.Spec}
	return finish(l, o, &o.Base), nil
}

func (l *Lowerer) aggregate(x *logical.Aggregate, in physical.Node) (physical.Node, error) {
	info := l.props.Of(x)
	o := &physical.GroupAggregate{
		Keys: x.Keys, Aggs: x.Aggs, WindowEnd: -1,
		RetractInput: in.Properties().Changelog != physical.AppendOnly,
		FinalOnly:    x.Final || l.opts.FinalOnly && info.Bounded,
	}
	for i, k := range x.Keys {
		if slices.Contains(l.props.Of(x.Inputs()[0]).WindowEnd, k) {
			o.WindowEnd = i
		}
	}
	if x.Emit == ast.EmitOnWindowClose && !o.FinalOnly {
		return nil, diag.New(diag.NotSupported, x.Pos, "EMIT ON WINDOW CLOSE needs a window that closes").
			WithHint("GROUP BY window_start, window_end over TUMBLE, HOP, CUMULATE or SESSION")
	}
	if o.WindowEnd < 0 && len(o.Keys) > 0 {
		l.warnGrowth(in, "GROUP BY keeps every group it has seen")
	}
	o.Base = l.base(x, l.exchange(in, x.Keys))
	return finish(l, o, &o.Base), nil
}

// warnGrowth warns of state that has no bound but the number of keys.
func (l *Lowerer) warnGrowth(in physical.Node, what string) {
	if !in.Properties().Bounded {
		l.warn(what + ": the state grows with the number of different keys")
	}
}

func (l *Lowerer) join(x *logical.Join, in []physical.Node) (physical.Node, error) {
	left, right := in[0], in[1]
	switch x.Method {
	case logical.Lookup:
		o := &physical.LookupJoin{Kind: x.Kind, LeftKeys: x.LeftKeys, RightKeys: x.RightKeys, NullEqual: x.NullEqual, Residual: x.Residual}
		o.Base = l.base(x, left, l.broadcast(l.Materialize(right)))
		return finish(l, o, &o.Base), nil
	case logical.Temporal:
		o := &physical.TemporalJoin{Kind: x.Kind, LeftKeys: x.LeftKeys, RightKeys: x.RightKeys, Residual: x.Residual, LeftTime: x.LeftTime, RightTime: x.RightTime}
		o.Base = l.base(x, l.exchange(left, x.LeftKeys), l.exchange(right, x.RightKeys))
		return finish(l, o, &o.Base), nil
	}
	if err := l.checkTheta(x, left, right); err != nil {
		return nil, err
	}
	return l.regularJoin(x, left, right), nil
}

// checkTheta refuses a join without an equality of two endless streams: every row would meet every other. Rows that come and go belong to
// tables, whose size is not that of all time, and a single row is as good as a constant.
func (l *Lowerer) checkTheta(x *logical.Join, left, right physical.Node) error {
	if len(x.LeftKeys) > 0 || x.Kind.LeftOnly() && x.Residual == nil {
		return nil
	}
	for _, in := range []*physical.Props{left.Properties(), right.Properties()} {
		if in.Bounded || in.Changelog != physical.AppendOnly || slices.ContainsFunc(in.Keys, func(k []int) bool { return len(k) == 0 }) {
			return nil
		}
	}
	return diag.New(diag.UnboundedState, x.Pos, "a join of two endless streams without an equality would compare each row with all others, for ever").
		WithHint("equate a column of both sides (in windows: window_start and window_end too), or let one side be a table or an aggregation")
}

func (l *Lowerer) regularJoin(x *logical.Join, left, right physical.Node) physical.Node {
	o := &physical.Join{Kind: x.Kind, LeftKeys: x.LeftKeys, RightKeys: x.RightKeys, NullEqual: x.NullEqual, Residual: x.Residual}
	o.LeftWindowEnd, o.RightWindowEnd = l.windowed(x)
	if o.LeftWindowEnd < 0 && (!left.Properties().Bounded || !right.Properties().Bounded) {
		l.warn("the join keeps all rows of both sides: its state grows for ever; join on window_start and window_end, or with FOR SYSTEM_TIME AS OF, to bound it")
	}
	o.Base = l.base(x, l.exchange(left, x.LeftKeys), l.exchange(right, x.RightKeys))
	return finish(l, o, &o.Base)
}
