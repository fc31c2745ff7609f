package build

import (
	"slices"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/runtime/flow"
	"github.com/millrace/millrace/runtime/operator"
	"github.com/millrace/millrace/runtime/task"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/vector"
)

// sourceLeaf gives task at.task its share of a source's splits.
func (b *builder) sourceLeaf(f *fragment, s *physical.SourceScan, t *task.Task, tc *taskContext, at place) error {
	src := b.sources[s]
	static := at.static || f.static
	l := &task.Leaf{Name: leafName(s), Source: true, Static: static, Relation: s.Relation.Name, Parent: at.parent, ParentInput: at.input,
		Assign: at.assign, Restored: operator.MinTime}
	l.Policy = b.rejectPolicy(s, src)
	if m, ok := b.restored(l.Name); ok && !static {
		l.Restored = m
	}
	t.AddLeaf(l)
	src.Tasks = append(src.Tasks, SourceTask{Task: t, Leaf: len(t.Leaves) - 1})
	for i, sp := range b.allSplits(src, static) {
		if i%f.tasks != at.task {
			continue
		}
		src.Known[sp.Split] = true
		mark := int64(operator.MinTime)
		if sp.Watermark != 0 {
			mark = sp.Watermark
		}
		start := SplitStart{Split: sp.Split, Position: sp.Position, Channel: l.AddSplit(sp.Split, sp.Position, mark)}
		if sp.Ended {
			if err := start.Channel.Send(flow.Message{Kind: flow.End}); err != nil {
				return err
			}
			continue
		}
		src.Initial = append(src.Initial, start)
	}
	if s.Props.Bounded {
		l.Seal()
	}
	return nil
}

// allSplits lists a source's splits, with where the checkpoint left them.
func (b *builder) allSplits(src *openSource, static bool) []task.Split {
	var out []task.Split
	for _, sp := range src.splits {
		out = append(out, task.Split{Source: src.name, Split: sp.ID})
	}
	if b.opt.Last == nil || static {
		return out
	}
	for _, old := range b.opt.Last.Splits {
		if old.Source != src.name {
			continue
		}
		i := slices.IndexFunc(out, func(s task.Split) bool { return s.Split == old.Split })
		switch {
		case i >= 0:
			out[i] = old
		case old.Ended:
			out = append(out, old) // a file that is gone, but was read to its end
		}
	}
	return out
}

// rejectPolicy is what becomes of records that are no rows.
func (b *builder) rejectPolicy(s *physical.SourceScan, src *openSource) func(connectors.Rejected) error {
	policy := s.Relation.Options["error_policy"]
	return func(r connectors.Rejected) error {
		switch policy {
		case "fail":
			return r.Err
		case "skip":
			return nil
		}
		b.opt.Rejected("source", src.Relation, r)
		return nil
	}
}

// rowsLeaf feeds constant rows, a view's rows or an engine table's rows.
func (b *builder) rowsLeaf(n physical.Node, t *task.Task, tc *taskContext, at place) error {
	var reader connectors.Reader
	fields := fieldsOf(n)
	bounded := true
	switch x := n.(type) {
	case *physical.Values:
		reader = &valuesReader{rows: x.Rows, tc: tc}
	case *physical.SystemScan:
		reader = &systemReader{name: x.Relation.Name, fill: b.opt.System}
	case *physical.ViewScan:
		table := b.opt.Views(x.View.Name)
		if table == nil {
			return errNoView(x.View.Name)
		}
		bounded = !x.Follow
		reader = newViewReader(table, fields, x.Follow)
	}
	l := &task.Leaf{Name: leafName(n), Source: true, Static: at.static, Relation: "", Parent: at.parent, ParentInput: at.input,
		Assign: at.assign, Restored: operator.MinTime, Policy: func(r connectors.Rejected) error { return r.Err }}
	t.AddLeaf(l)
	src := &Source{Source: &readerSource{reader}, Fields: fields, Bounded: true, Known: map[string]bool{}, name: l.Name}
	ended := false
	if b.opt.Last != nil {
		for _, sp := range b.opt.Last.Splits {
			if sp.Source != l.Name {
				continue
			}
			ended = sp.Ended
			if v, ok := reader.(*valuesReader); ok {
				v.skip(sp.Position)
			}
		}
	}
	start := SplitStart{Split: "rows", Channel: l.AddSplit("rows", nil, operator.MinTime)}
	if ended {
		if err := start.Channel.Send(flow.Message{Kind: flow.End}); err != nil {
			return err
		}
	} else {
		src.Initial = append(src.Initial, start)
	}
	if bounded {
		l.Seal()
	}
	b.graph.Sources = append(b.graph.Sources, src)
	return nil
}

// evalRow evaluates constant expressions into the columns of b.
func evalRow(exprs []expr.Expr, tc *taskContext, b *vector.Batch) error {
	one := &vector.Batch{N: 1}
	for i, v := range expr.Compile(exprs).Eval(tc.fn, one) {
		b.Cols[i].AppendFrom(v, 0)
	}
	b.EndRow(vector.Insert)
	if len(tc.fn.Errs) > 0 {
		return tc.fn.Errs[0].Err
	}
	return nil
}
