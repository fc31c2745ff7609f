package build

import (
	"context"
	"fmt"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/runtime/exchange"
	"github.com/millrace/millrace/runtime/operator"
	"github.com/millrace/millrace/runtime/task"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/invariant"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/state/keyed"
)

// builder is the state of one Build.
type builder struct {
	ctx     context.Context
	opt     Options
	graph   *Graph
	sources map[*physical.SourceScan]*openSource
	leaves  map[*task.Leaf]physical.Node // what feeds a leaf
	limit   int
}

// openSource is a source whose splits are known.
type openSource struct {
	*Source
	splits []connectors.Split
}

// Build opens the plan's sources, cuts it into fragments and connects their tasks. On error everything opened is closed.
func Build(ctx context.Context, plan *physical.Plan, opt Options) (g *Graph, err error) {
	b := &builder{ctx: ctx, opt: opt, graph: &Graph{}, sources: map[*physical.SourceScan]*openSource{}, leaves: map[*task.Leaf]physical.Node{}}
	defer func() {
		if err != nil {
			b.graph.Close(false)
		}
	}()
	if err := b.openSources(plan); err != nil {
		return nil, err
	}
	for i, root := range plan.Roots {
		f := cut(root)
		f.size(b.limit, func(s *physical.SourceScan) int { return len(b.sources[s].splits) })
		if f.tasks > 1 && !b.mayStayParallel(root) {
			f = gather(f)
		}
		if err := b.fragment(f, i, nil); err != nil {
			return nil, err
		}
	}
	for _, s := range b.sources {
		b.graph.Sources = append(b.graph.Sources, s.Source)
	}
	return b.graph, nil
}

// openSources opens every source and asks for its splits. The job's parallelism is never more than the splits of its largest source:
// a job that reads one file runs in one task and keeps its order.
func (b *builder) openSources(plan *physical.Plan) error {
	b.limit = 1
	var err error
	for _, root := range plan.Roots {
		scans(root, func(s *physical.SourceScan) {
			if err == nil {
				err = b.openSource(s)
			}
		})
	}
	return err
}

func (b *builder) openSource(s *physical.SourceScan) error {
	src, values, err := newSource(b.opt.Env, b.opt.JobID, s)
	if err != nil {
		return err
	}
	o := &openSource{Source: &Source{Relation: s.Relation.Name, Source: src, Fields: s.Props.Fields, Bounded: s.Props.Bounded,
		Known: map[string]bool{}, name: leafName(s)}}
	b.sources[s] = o
	if o.splits, err = src.Splits(b.ctx); err != nil {
		src.Close()
		delete(b.sources, s)
		return err
	}
	n := len(o.splits)
	if limit := values.Int("parallelism"); limit > 0 {
		n = min(n, int(limit))
	}
	b.limit = max(b.limit, min(b.opt.Parallelism, n))
	return nil
}

// mayStayParallel tells whether the plan's end can be written by several tasks.
func (b *builder) mayStayParallel(root physical.Node) bool {
	w, ok := root.(*physical.SinkWrite)
	return ok && w.Relation.Connector == "blackhole"
}

// gather puts a one-task fragment on top of f that only holds the plan's end.
func gather(f *fragment) *fragment {
	x := &physical.Exchange{Base: physical.Base{Props: *f.root.Properties(), In: []physical.Node{f.root}, State: f.root.ID() ^ gatherSalt}}
	top := &fragment{root: x, end: f.end, gather: true, tasks: 1, inputs: map[*physical.Exchange]*fragment{x: f}}
	f.out, f.end = x, nil
	return top
}

// gatherSalt keeps the identity of a made-up exchange apart from the node below it.
const gatherSalt = 0x9e3779b97f4a7c15

// fragment makes the tasks of f and of everything below. Targets[i][j] is the channel from task i of f to task j of its consumer.
func (b *builder) fragment(f *fragment, root int, targets [][]*exchange.Channel) error {
	feeds := map[*physical.Exchange][][]*exchange.Channel{} // [producer][consumer]
	for x, in := range f.inputs {
		feeds[x] = make([][]*exchange.Channel, in.tasks)
	}
	for i := range f.tasks {
		t, ctxs, err := b.task(f, root, i)
		if err != nil {
			return err
		}
		for _, l := range t.Leaves {
			x, ok := b.leaves[l].(*physical.Exchange)
			if !ok {
				continue
			}
			for p := range feeds[x] {
				feeds[x][p] = append(feeds[x][p], l.AddChannel())
			}
			l.Seal()
		}
		if f.out != nil {
			r := exchange.NewRouter(modeOf(f.out), f.out.Keys, f.root.Properties().Fields, targets[i])
			t.Terminal = &task.RouterTerminal{Router: r}
		} else if err := b.end(f, root, t, ctxs); err != nil {
			return err
		}
		b.graph.Tasks = append(b.graph.Tasks, t)
	}
	for x, in := range f.inputs {
		if err := b.fragment(in, root, feeds[x]); err != nil {
			return err
		}
	}
	return nil
}

// taskContext is what the operators of one task share.
type taskContext struct {
	fn    *function.Ctx
	delta *keyed.Delta
	from  uint16
	to    uint16
	keep  bool // state is durable

	recursions map[int]*operator.Recursive // by link
}

// task makes task i of f without its terminal.
func (b *builder) task(f *fragment, root, i int) (*task.Task, *taskContext, error) {
	t := task.New(len(b.graph.Tasks), fmt.Sprintf("%s[%d]", describe(f.root), i))
	t.Static = f.static
	tc := &taskContext{fn: &function.Ctx{Now: b.opt.Clock().UnixMicro(), Zone: b.opt.Zone},
		from: exchange.GroupFrom(i, f.tasks), to: exchange.GroupFrom(i+1, f.tasks), keep: b.opt.State != nil && !f.static}
	if tc.keep {
		tc.delta = &keyed.Delta{}
		t.Delta = deltaTaker{tc.delta}
	}
	if _, err := b.node(f, f.root, t, tc, place{task: i}); err != nil {
		return nil, nil, err
	}
	// Nodes were added parents first, because leaves need them; barriers go children first.
	for l, r := 0, len(t.Nodes)-1; l < r; l, r = l+1, r-1 {
		t.Nodes[l], t.Nodes[r] = t.Nodes[r], t.Nodes[l]
	}
	return t, tc, nil
}

// deltaTaker hands out the changes of a task's state.
type deltaTaker struct{ d *keyed.Delta }

// Take returns a copy of the delta and empties it.
func (t deltaTaker) Take() []byte {
	if t.d.Len() == 0 {
		return nil
	}
	out := append([]byte(nil), t.d.Bytes()...)
	t.d.Reset()
	return out
}

// place is where a node stands: below which parent, in which task, under which Assign node.
type place struct {
	parent *task.Node
	input  int
	task   int
	assign *task.Node
	static bool
}

// node builds n and what is below it in the fragment.
func (b *builder) node(f *fragment, n physical.Node, t *task.Task, tc *taskContext, at place) (*task.Node, error) {
	if at.parent == nil && isLeaf(n) {
		// A leaf needs a node above it: pass rows through.
		pass := t.AddNode(&task.Node{Name: "pass", Op: operator.NewUnion(), Ctx: b.context(n, tc, nil), Inputs: 1})
		at.parent = pass
	}
	switch x := n.(type) {
	case *physical.Exchange:
		b.exchangeLeaf(f, x, t, at)
		return nil, nil
	case *physical.SourceScan:
		return nil, b.sourceLeaf(f, x, t, tc, at)
	case *physical.ViewScan, *physical.Values, *physical.SystemScan:
		return nil, b.rowsLeaf(n, t, tc, at)
	case *physical.RecursiveRef:
		tc.recursions[x.Link].Feed(at.parent.Feedback(at.input))
		return nil, nil
	}
	tn, err := b.operatorNode(n, tc)
	if err != nil {
		return nil, err
	}
	if x, ok := n.(*physical.Recursive); ok {
		if tc.recursions == nil {
			tc.recursions = map[int]*operator.Recursive{}
		}
		tc.recursions[x.Link] = tn.Op.(*operator.Recursive)
	}
	if invariant.Enabled && tn.Op != nil {
		at.parent, at.input = b.checker(n, t, tc, at), 0
	}
	tn.Inputs, tn.Parent, tn.ParentInput = len(n.Inputs()), at.parent, at.input
	t.AddNode(tn)
	for i, in := range n.Inputs() {
		below := place{parent: tn, input: i, task: at.task, assign: at.assign, static: at.static}
		if tn.Assign != nil {
			below.assign = tn
		}
		if _, lookup := n.(*physical.LookupJoin); lookup && i == 1 {
			below.static = true
		}
		if _, err := b.node(f, in, t, tc, below); err != nil {
			return nil, err
		}
	}
	return tn, nil
}

// checkerSalt keeps the state of a checker apart from that of the node it checks.
const checkerSalt = 0xc2b2ae3d27d4eb4f

// checker puts a node above n that verifies what n's edge promises; only in builds with invariants.
func (b *builder) checker(n physical.Node, t *task.Task, tc *taskContext, at place) *task.Node {
	legal := false // a source's changelog may be wrong; what these make may not
	var key []int  // of the rows, as of the operator's state
	switch x := n.(type) {
	case *physical.GroupAggregate: // the keys come first
		for i := range x.Keys {
			key = append(key, i)
		}
		legal = true
	case *physical.TopN:
		key, legal = x.PartitionBy, true
	case *physical.Normalize:
		key, legal = x.Key, true
	case *physical.Over:
		key, legal = x.PartitionBy, true
	}
	name := describe(n)
	cn := &task.Node{Name: name + "!", Inputs: 1, Parent: at.parent, ParentInput: at.input, Op: operator.NewChecker(operator.CheckerOptions{
		Edge: name, Schema: typesOf(n), AppendOnly: n.Properties().Changelog == physical.AppendOnly, Legal: legal, Key: key})}
	cn.Ctx = b.context(n, tc, nil)
	cn.Ctx.State = b.state(n.ID()^checkerSalt, tc)
	return t.AddNode(cn)
}

func isLeaf(n physical.Node) bool {
	switch n.(type) {
	case *physical.Exchange, *physical.SourceScan, *physical.ViewScan, *physical.Values, *physical.SystemScan:
		return true
	}
	return false
}

func leafName(n physical.Node) string { return fmt.Sprintf("%016x", n.ID()) }

func (b *builder) exchangeLeaf(f *fragment, x *physical.Exchange, t *task.Task, at place) {
	l := &task.Leaf{Name: leafName(x) + "x", Parent: at.parent, ParentInput: at.input, Restored: operator.MinTime,
		Static: at.static || f.static}
	if m, ok := b.restored(l.Name); ok && !l.Static {
		l.Restored = m
	}
	t.AddLeaf(l)
	b.leaves[l] = x
}

func (b *builder) restored(leaf string) (int64, bool) {
	if b.opt.Last == nil {
		return 0, false
	}
	m, ok := b.opt.Last.Watermarks[leaf]
	return m, ok
}

// fieldsOf gives the output columns of a node.
func fieldsOf(n physical.Node) []types.Field { return n.Properties().Fields }
