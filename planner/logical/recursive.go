package logical

import "github.com/millrace/millrace/sql/types"

// Recursive is a recursive common table expression: the rows of the first input, and all that the second makes of them, of what it made of
// those, and so on. The second input is a body over a RecursiveRef of the same Link; rows pass it one by one, so that each step needs to
// look at the new rows only. Output: the columns of the first input.
type Recursive struct {
	base
	Link     int
	Distinct bool  // UNION: a row that has been there is not taken again
	MaxDepth int   // steps; more are an error
	Limit    int64 // rows after which it may stop; < 0: none
	Pos      int
}

// NewRecursive makes a recursion.
func NewRecursive(seed, body Node, r Recursive) *Recursive {
	r.in, r.cols = []Node{seed, body}, seed.Columns()
	return &r
}

// With makes the recursion over other inputs.
func (r *Recursive) With(in ...Node) Node { return NewRecursive(in[0], in[1], *r) }

// RecursiveRef is the new rows of a step, inside the body of the Recursive with the same Link.
type RecursiveRef struct {
	base
	Link int
}

// NewRecursiveRef makes a reference.
func NewRecursiveRef(cols []types.Field, link int) *RecursiveRef {
	return &RecursiveRef{base: base{cols: cols}, Link: link}
}

// With returns the reference: it has no inputs.
func (r *RecursiveRef) With(...Node) Node { return r }
