package lower

import (
	"slices"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/planner/props"
)

// Options say how a plan will run.
type Options struct {
	Policy    physical.ErrorPolicy // of filters and projections
	FinalOnly bool                 // aggregates over bounded inputs emit once, at the end
}

// Lowerer lowers one plan of a statement; state identities are unique within the statement.
type Lowerer struct {
	opts     Options
	props    *props.Deriver
	ids      *physical.Identities
	Warnings []string
}

// New makes a lowerer; ids belongs to the statement.
func New(opts Options, ids *physical.Identities) *Lowerer {
	return &Lowerer{opts: opts, props: props.New(opts.FinalOnly), ids: ids}
}

// Props gives what is known of a logical node under the options.
func (l *Lowerer) Props(n logical.Node) *props.Info { return l.props.Of(n) }

func (l *Lowerer) warn(text string) {
	if !slices.Contains(l.Warnings, text) {
		l.Warnings = append(l.Warnings, text)
	}
}

// Plan lowers a plan without its root.
func (l *Lowerer) Plan(n logical.Node) (physical.Node, error) {
	in := make([]physical.Node, len(n.Inputs()))
	for i, c := range n.Inputs() {
		var err error
		if in[i], err = l.Plan(c); err != nil {
			return nil, err
		}
	}
	out, err := l.node(n, in)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// base makes the properties of a logical node's operator. What merely passes rows on has the changelog of its physical input, which a
// Materialize below may have made simpler than what was derived.
func (l *Lowerer) base(n logical.Node, in ...physical.Node) physical.Base {
	info := l.props.Of(n)
	p := physical.Props{Fields: n.Columns(), Changelog: info.Changelog, Keys: info.Keys, Bounded: info.Bounded}
	p.EventTime = slices.Concat(info.EventTime, info.WindowStart, info.WindowEnd)
	slices.Sort(p.EventTime)
	p.EventTime = slices.Compact(p.EventTime)
	switch n.(type) {
	case *logical.Filter, *logical.Project, *logical.Limit, *logical.Window, *logical.Expand:
		p.Changelog = min(p.Changelog, in[0].Properties().Changelog)
	}
	return physical.Base{Props: p, In: in}
}

// finish gives the node its identity.
func finish[N physical.Node](l *Lowerer, n N, b *physical.Base) physical.Node {
	b.State = l.ids.Of(n)
	return n
}

// exchange moves rows by key; no keys: to one task.
func (l *Lowerer) exchange(in physical.Node, keys []int) physical.Node {
	p := *in.Properties()
	x := &physical.Exchange{Base: physical.Base{Props: p, In: []physical.Node{in}}, Keys: keys}
	return finish(l, x, &x.Base)
}

func (l *Lowerer) broadcast(in physical.Node) physical.Node {
	p := *in.Properties()
	x := &physical.Exchange{Base: physical.Base{Props: p, In: []physical.Node{in}}, Broadcast: true}
	return finish(l, x, &x.Base)
}

// Materialize collects a bounded changelog in one task and emits its final rows; an append-only input passes as it is.
func (l *Lowerer) Materialize(in physical.Node) physical.Node {
	if in.Properties().Changelog == physical.AppendOnly {
		return in
	}
	x := l.exchange(in, nil)
	p := *in.Properties()
	p.Changelog = physical.AppendOnly
	m := &physical.Materialize{Base: physical.Base{Props: p, In: []physical.Node{x}}}
	return finish(l, m, &m.Base)
}

// Distributed puts an exchange by key below a root that needs all rows of a key in one task, in order, unless they are there already.
func (l *Lowerer) Distributed(in physical.Node, key []int) physical.Node {
	have, known := distribution(in)
	if known && subset(have, key) {
		return in
	}
	return l.exchange(in, key)
}

func subset(a, b []int) bool {
	return !slices.ContainsFunc(a, func(x int) bool { return !slices.Contains(b, x) })
}

// distribution tells by which output columns the rows are spread over tasks (none: all in one task); known is false when nothing is
// known.
func distribution(n physical.Node) (cols []int, known bool) {
	switch x := n.(type) {
	case *physical.Exchange:
		return x.Keys, !x.Broadcast
	case *physical.Filter, *physical.Normalize, *physical.Deduplicate, *physical.WindowAssign, *physical.TopN, *physical.Over, *physical.Sort,
		*physical.Limit, *physical.Materialize:
		return distribution(n.Inputs()[0])
	case *physical.GroupAggregate:
		return prefix(len(x.Keys)), true
	case *physical.WindowAggregate:
		return prefix(len(x.Keys)), true
	case *physical.Join:
		return x.LeftKeys, x.Kind != physical.Full
	case *physical.TemporalJoin:
		return x.LeftKeys, true
	case *physical.LookupJoin:
		return distribution(n.Inputs()[0])
	case *physical.Project:
		return projected(x)
	case *physical.Expand:
		return expanded(x)
	}
	return nil, false
}

func prefix(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func projected(p *physical.Project) ([]int, bool) {
	cols, known := distribution(p.In[0])
	if !known {
		return nil, false
	}
	out := make([]int, 0, len(cols))
	for _, c := range cols {
		for i, e := range p.Exprs {
			if props.PassedColumn(e) == c {
				out = append(out, i)
				break
			}
		}
	}
	return out, len(out) == len(cols)
}

func expanded(x *physical.Expand) ([]int, bool) {
	cols, known := distribution(x.In[0])
	if !known {
		return nil, false
	}
	out := make([]int, 0, len(cols))
	for _, c := range cols {
		if at := slices.Index(x.Keep, c); at >= 0 {
			out = append(out, at)
		}
	}
	return out, len(out) == len(cols)
}
