package lower

import (
	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/planner/props"
	"github.com/millrace/millrace/sql/catalog"
)

func (l *Lowerer) windowed(x *logical.Join) (int, int) {
	return props.WindowedJoin(x, l.props.Of(x.Inputs()[0]), l.props.Of(x.Inputs()[1]))
}

// rootProps: a root passes on what it gets.
func rootProps(in physical.Node) physical.Base {
	return physical.Base{Props: *in.Properties(), In: []physical.Node{in}}
}

// Sink ends a plan in a sink. Changes of a key must reach the sink in their order, so they must all come from one task.
func (l *Lowerer) Sink(in physical.Node, rel *catalog.Relation, key []int, policy physical.ErrorPolicy) physical.Node {
	if in.Properties().Changelog != physical.AppendOnly && len(key) > 0 {
		in = l.Distributed(in, key)
	}
	o := &physical.SinkWrite{Base: rootProps(in), Relation: rel, Key: key, Policy: policy}
	return finish(l, o, &o.Base)
}

// View ends a plan in a materialised view. Without a key rows are counted by their whole content, so that a row that is taken back must
// come to the task that has it.
func (l *Lowerer) View(in physical.Node, rel *catalog.Relation) physical.Node {
	key := rel.PrimaryKey
	switch {
	case len(key) > 0:
		in = l.Distributed(in, key)
	case in.Properties().Changelog != physical.AppendOnly:
		in = l.Distributed(in, prefix(len(in.Properties().Fields)))
	}
	o := &physical.ViewWrite{Base: rootProps(in), View: rel, Key: key}
	return finish(l, o, &o.Base)
}

// Result ends a plan at the client; final asks for the rows that remain instead of their changes.
func (l *Lowerer) Result(in physical.Node, final bool) physical.Node {
	if final {
		in = l.Materialize(in)
	}
	o := &physical.Result{Base: rootProps(in)}
	return finish(l, o, &o.Base)
}
