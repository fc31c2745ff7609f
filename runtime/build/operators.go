package build

import (
	"fmt"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/runtime/operator"
	"github.com/millrace/millrace/runtime/task"
	"github.com/millrace/millrace/runtime/watermark"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// operatorNode makes the task node of a plan node: one case per kind.
func (b *builder) operatorNode(n physical.Node, tc *taskContext) (*task.Node, error) {
	tn := &task.Node{Name: describe(n)}
	tn.Ctx = b.context(n, tc, tn)
	if w, ok := n.(*physical.AssignWatermark); ok {
		tn.Assign = watermark.NewAssigner(watermark.Options{TimeCol: w.TimeCol, Expr: w.Expr, MaxFuture: w.MaxFuture, Clock: b.opt.Clock,
			Digits: fieldsOf(n)[w.TimeCol].Type.Precision})
		return tn, nil
	}
	op, err := newOperator(n, tn.Name)
	if err != nil {
		return nil, err
	}
	tn.Op = op
	return tn, nil
}

// newOperator maps plan nodes to operators.
func newOperator(n physical.Node, stage string) (operator.Operator, error) {
	switch x := n.(type) {
	case *physical.Filter:
		return operator.NewFilter(operator.FilterOptions{Stage: stage, Pred: x.Pred}), nil
	case *physical.Project:
		return operator.NewProject(operator.ProjectOptions{Stage: stage, Exprs: x.Exprs}), nil
	case *physical.Expand:
		return operator.NewExpand(operator.ExpandOptions{Stage: stage, Args: x.Args, Keep: x.Keep, Made: expandColumns(x.Made), Input: inputTypes(n, 0), Outer: x.Outer}), nil
	case *physical.WindowAssign:
		return operator.NewWindowAssign(operator.WindowAssignOptions{Stage: stage, Window: windowOf(x.Window), TimeType: timeType(x.In[0], x.Window)}), nil
	case *physical.WindowAggregate:
		return operator.NewAggWindow(operator.AggWindowOptions{Stage: stage, Window: windowOf(x.Window), Input: inputTypes(n, 0), Keys: x.Keys,
			Aggs: aggregates(x.Aggs), Retract: retracts(x.In[0]), TimeType: timeType(x.In[0], x.Window)}), nil
	case *physical.GroupAggregate:
		return operator.NewAggGroup(operator.AggGroupOptions{Stage: stage, Input: inputTypes(n, 0), Keys: x.Keys, Aggs: aggregates(x.Aggs),
			Retract: x.RetractInput, WindowEnd: x.WindowEnd, FinalOnly: x.FinalOnly}), nil
	case *physical.Join:
		return newJoin(x, stage), nil
	case *physical.TemporalJoin:
		return operator.NewTemporalJoin(operator.TemporalJoinOptions{Stage: stage, Kind: operator.JoinKind(x.Kind), Left: inputTypes(n, 0),
			Right: inputTypes(n, 1), LeftKeys: x.LeftKeys, RightKeys: x.RightKeys, LeftTime: x.LeftTime, RightTime: x.RightTime, Residual: x.Residual}), nil
	case *physical.LookupJoin:
		return operator.NewLookupJoin(operator.LookupJoinOptions{Stage: stage, Kind: operator.JoinKind(x.Kind), Left: inputTypes(n, 0),
			Right: inputTypes(n, 1), LeftKeys: x.LeftKeys, RightKeys: x.RightKeys, NullEqual: x.NullEqual, Residual: x.Residual}), nil
	}
	return newRanking(n, stage)
}

// newJoin makes the operator of a regular join.
func newJoin(x *physical.Join, stage string) operator.Operator {
	o := operator.JoinOptions{Stage: stage, Kind: operator.JoinKind(x.Kind), Left: inputTypes(x, 0), Right: inputTypes(x, 1),
		LeftKeys: x.LeftKeys, RightKeys: x.RightKeys, NullEqual: x.NullEqual, Residual: x.Residual,
		LeftWindowEnd: x.LeftWindowEnd, RightWindowEnd: x.RightWindowEnd}
	if x.Kind.LeftOnly() {
		return operator.NewSemiJoin(o)
	}
	return operator.NewJoin(o)
}

// newRanking maps the plan nodes that order, number or remember rows.
func newRanking(n physical.Node, stage string) (operator.Operator, error) {
	switch x := n.(type) {
	case *physical.Union:
		return operator.NewUnion(), nil
	case *physical.Recursive:
		return operator.NewRecursive(operator.RecursiveOptions{Schema: typesOf(n), Distinct: x.Distinct, MaxDepth: x.MaxDepth, Limit: x.Limit, Pos: x.Pos}), nil
	case *physical.Normalize:
		return operator.NewNormalize(operator.NormalizeOptions{Input: inputTypes(n, 0), Key: x.Key}), nil
	case *physical.Deduplicate:
		return operator.NewDedup(operator.DedupOptions{Input: inputTypes(n, 0), Key: x.Key, First: x.First}), nil
	case *physical.TopN:
		return operator.NewTopN(operator.TopNOptions{Input: inputTypes(n, 0), PartitionBy: x.PartitionBy, Order: sortKeys(x.Order),
			Limit: x.Limit, WithRank: x.WithRank, AppendOnly: !retracts(x.In[0])}), nil
	case *physical.Over:
		return operator.NewOver(overOptions(x, stage)), nil
	case *physical.Sort:
		return operator.NewSort(operator.SortOptions{Input: inputTypes(n, 0), Order: sortKeys(x.Order), Offset: x.Offset, Limit: x.Limit}), nil
	case *physical.Limit:
		return operator.NewLimit(operator.LimitOptions{Offset: x.Offset, Limit: x.Limit}), nil
	case *physical.Materialize:
		return operator.NewMaterialize(operator.MaterializeOptions{Input: inputTypes(n, 0)}), nil
	}
	return nil, fmt.Errorf("building an operator for %T", n)
}

func typesOf(n physical.Node) []types.Type {
	var out []types.Type
	for _, f := range fieldsOf(n) {
		out = append(out, f.Type)
	}
	return out
}

func inputTypes(n physical.Node, i int) []types.Type { return typesOf(n.Inputs()[i]) }

func retracts(n physical.Node) bool { return n.Properties().Changelog != physical.AppendOnly }

func timeType(in physical.Node, w physical.WindowSpec) types.Type {
	return fieldsOf(in)[w.TimeCol].Type
}

func windowOf(w physical.WindowSpec) operator.Window {
	return operator.Window{Kind: operator.WindowKind(w.Kind), TimeCol: w.TimeCol, Size: w.Size, Slide: w.Slide, Offset: w.Offset, Gap: w.Gap, Zone: w.Zone}
}

func aggregates(calls []physical.AggCall) []operator.Aggregate {
	out := make([]operator.Aggregate, len(calls))
	for i, c := range calls {
		out[i] = operator.Aggregate{Name: c.Name, Bound: c.Bound, Args: c.Args, Filter: c.Filter}
	}
	return out
}

func expandColumns(made []physical.ExpandColumn) []operator.ExpandColumn {
	out := make([]operator.ExpandColumn, len(made))
	for i, m := range made {
		out[i] = operator.ExpandColumn{Arg: m.Arg, Part: m.Part, Type: m.Type}
	}
	return out
}

func sortKeys(keys []physical.SortKey) []operator.SortKey {
	out := make([]operator.SortKey, len(keys))
	for i, k := range keys {
		out[i] = operator.SortKey{Col: k.Col, Desc: k.Desc}
	}
	return out
}

// describe names a plan node in statistics and error tables.
func describe(n physical.Node) string {
	switch x := n.(type) {
	case *physical.SourceScan:
		return "scan " + x.Relation.Name
	case *physical.AssignWatermark:
		return "watermark " + x.Relation
	case *physical.ViewScan:
		return "view " + x.View.Name
	case *physical.Exchange:
		return "exchange"
	}
	name := fmt.Sprintf("%T", n)[len("*physical."):]
	return fmt.Sprintf("%s#%04x", name, n.ID()&0xffff)
}

// context makes what a node's operator sees of the world. Tn counts its errors and late rows; nil: not counted.
func (b *builder) context(n physical.Node, tc *taskContext, tn *task.Node) *operator.Context {
	fn := *tc.fn
	c := &operator.Context{Fn: &fn, State: b.state(n.ID(), tc)}
	c.Groups.From, c.Groups.To = tc.from, tc.to
	policy := policyOf(n)
	publish := func(fn func()) { fn() }
	if tn != nil {
		publish = tn.OnCommit
	}
	c.RowError = func(stage string, batch *vector.Batch, row int, err *diag.Error) error {
		if tn != nil {
			tn.Counters.Errors.Add(1)
		}
		switch policy {
		case physical.Fail:
			return err
		case physical.Skip:
			return nil
		}
		rejected := connectors.Rejected{Raw: function.AppendRow(nil, batch, row), Err: err}
		publish(func() { b.opt.Rejected(stage, "", rejected) })
		return nil
	}
	c.Late = func(stage string, batch *vector.Batch, rows []int32) {
		if tn != nil {
			tn.Counters.Late.Add(int64(len(rows)))
		}
		publish(b.opt.Late(stage, batch, rows))
	}
	return c
}

func policyOf(n physical.Node) physical.ErrorPolicy {
	switch x := n.(type) {
	case *physical.Filter:
		return x.Policy
	case *physical.Project:
		return x.Policy
	case *physical.Expand:
		return x.Policy
	case *physical.AssignWatermark:
		return x.Policy
	}
	return physical.DeadLetter
}
