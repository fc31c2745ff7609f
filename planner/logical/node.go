package logical

import "github.com/millrace/millrace/sql/types"

// Node is an operator of the logical plan.
type Node interface {
	// Columns is the output.
	Columns() []types.Field
	Inputs() []Node
	// With makes the same operator over other inputs, whose columns must be those of the present ones.
	With(inputs ...Node) Node
}

// base is embedded by every node.
type base struct {
	cols []types.Field
	in   []Node
}

// Columns returns the output columns.
func (b *base) Columns() []types.Field { return b.cols }

// Inputs returns the children.
func (b *base) Inputs() []Node { return b.in }

// Rewrite rebuilds a plan bottom-up; fn gets each node with its inputs already rewritten.
func Rewrite(n Node, fn func(Node) Node) Node {
	in := n.Inputs()
	if len(in) == 0 {
		return fn(n)
	}
	next, changed := make([]Node, len(in)), false
	for i, c := range in {
		next[i] = Rewrite(c, fn)
		changed = changed || next[i] != c
	}
	if changed {
		n = n.With(next...)
	}
	return fn(n)
}

// Walk visits a plan top-down.
func Walk(n Node, fn func(Node)) {
	fn(n)
	for _, c := range n.Inputs() {
		Walk(c, fn)
	}
}

// concat joins two column lists without touching either.
func concat(a, b []types.Field) []types.Field {
	out := make([]types.Field, 0, len(a)+len(b))
	return append(append(out, a...), b...)
}
