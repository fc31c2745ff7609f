package build

import (
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/runtime/exchange"
)

// fragment is the part of a plan between two exchanges: a tree of nodes that runs as one chain in each of its tasks.
type fragment struct {
	root   physical.Node      // its topmost operator; the Exchange or plan root above it is not part of it
	out    *physical.Exchange // where its rows go; nil: the plan's end
	end    physical.Node      // SinkWrite, ViewWrite or Result when out is nil
	gather bool               // made up by the builder: passes rows of several tasks to one
	inputs map[*physical.Exchange]*fragment
	static bool // below the right input of a lookup join
	tasks  int
}

// cut splits the plan below a root into fragments; the result is the one that ends the plan.
func cut(root physical.Node) *fragment {
	f := &fragment{root: root.Inputs()[0], end: root}
	f.collect(f.root, false)
	return f
}

// collect finds the exchanges below n that feed f.
func (f *fragment) collect(n physical.Node, static bool) {
	if f.inputs == nil {
		f.inputs = map[*physical.Exchange]*fragment{}
	}
	if x, ok := n.(*physical.Exchange); ok {
		child := &fragment{root: x.In[0], out: x, static: f.static || static}
		child.collect(child.root, false)
		f.inputs[x] = child
		return
	}
	for i, in := range n.Inputs() {
		_, lookup := n.(*physical.LookupJoin)
		f.collect(in, static || lookup && i == 1)
	}
}

// size decides how many tasks each fragment gets. Limit is the job's parallelism; splits gives the number of splits of a source.
func (f *fragment) size(limit int, splits func(*physical.SourceScan) int) {
	sources, single, keyed := 0, false, false
	for x, in := range f.inputs {
		in.size(limit, splits)
		switch modeOf(x) {
		case exchange.Gather:
			single = true
		case exchange.ByKey:
			keyed = true
		}
	}
	walkFragment(f.root, func(n physical.Node) {
		switch s := n.(type) {
		case *physical.SourceScan:
			sources = max(sources, splits(s))
		case *physical.ViewScan, *physical.Values, *physical.SystemScan:
			single = true
		}
	})
	switch {
	case single:
		f.tasks = 1
	case keyed:
		f.tasks = limit
	default:
		f.tasks = max(1, min(limit, sources))
	}
}

// modeOf tells how an exchange routes.
func modeOf(x *physical.Exchange) exchange.Mode {
	switch {
	case x.Broadcast:
		return exchange.Broadcast
	case len(x.Keys) == 0:
		return exchange.Gather
	}
	return exchange.ByKey
}

// walkFragment calls fn for the nodes of a fragment, children first, stopping at exchanges.
func walkFragment(n physical.Node, fn func(physical.Node)) {
	if _, ok := n.(*physical.Exchange); ok {
		return
	}
	for _, in := range n.Inputs() {
		walkFragment(in, fn)
	}
	fn(n)
}

// scans lists the sources of the whole plan below n.
func scans(n physical.Node, fn func(s *physical.SourceScan)) {
	if s, ok := n.(*physical.SourceScan); ok {
		fn(s)
	}
	for _, in := range n.Inputs() {
		scans(in, fn)
	}
}
