package operator

import (
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// RecursiveOptions describe a recursive table.
type RecursiveOptions struct {
	Schema   []types.Type
	Distinct bool  // a row that has been there is not taken again
	MaxDepth int   // steps; more are an error
	Limit    int64 // rows after which it stops; < 0: none
	Pos      int   // for errors, in the statement
}

// maxRecursiveRows bounds the rows of a recursive table: a circle under UNION ALL may double them at every step.
const maxRecursiveRows = 10_000_000

// Feedback is the way from a recursion back to the bottom of its body.
type Feedback interface {
	Output
	// End says that no more rows come.
	End() error
}

// Recursive evaluates a recursive table semi-naively: input 0 brings the first rows; once they are complete, the rows of each step go through
// the body, whose output comes back as input 1 and is the next step, until one is empty. The body's operators treat each row by itself, so
// that only new rows need to be looked at. Everything is append-only; nothing is checkpointed.
type Recursive struct {
	stateless
	o    RecursiveOptions
	body []Feedback
	emit emitter
	step []*vector.Batch // rows of the step that is being collected
	rows int64
	seen *row.GroupTable // Distinct: all rows so far

	hash []uint64
	sel  []int32
	gids []int32
}

// NewRecursive makes a recursion; Feed connects it with its body.
func NewRecursive(o RecursiveOptions) *Recursive { return &Recursive{o: o} }

// Feed adds a place in the body where the rows of a step go.
func (r *Recursive) Feed(f Feedback) { r.body = append(r.body, f) }

// Open prepares the set of rows.
func (r *Recursive) Open(ctx *Context) error {
	r.emit = newEmitter(r.o.Schema)
	if r.o.Distinct {
		r.seen = row.NewGroupTable(r.o.Schema)
	}
	return r.stateless.Open(ctx)
}

// full tells that the rows asked for are there.
func (r *Recursive) full() bool { return r.o.Limit >= 0 && r.rows >= r.o.Limit }

// Push takes new rows: emits them, and keeps them for the next step.
func (r *Recursive) Push(_ int, b *vector.Batch, out Output) error {
	r.emit.out = out
	r.sel = r.sel[:0]
	for k := range b.Rows() {
		if i := int32(b.Row(k)); r.seen == nil || r.isNew(b, i) {
			r.sel = append(r.sel, i)
		}
	}
	for _, i := range r.sel {
		if r.full() {
			break
		}
		if r.rows++; r.rows > maxRecursiveRows {
			return diag.New(diag.RecursionDepth, r.o.Pos, "the recursive table has more than %d rows", maxRecursiveRows).
				WithHint("does it run in a circle? UNION instead of UNION ALL takes each row once")
		}
		to := r.room()
		for c, v := range b.Cols {
			to.Cols[c].AppendFrom(v, int(i))
			r.emit.batch.Cols[c].AppendFrom(v, int(i))
		}
		to.EndRow(vector.Insert)
		if err := r.emit.end(vector.Insert); err != nil {
			return err
		}
	}
	return r.emit.flush()
}

// room is the batch that takes the next row of the step.
func (r *Recursive) room() *vector.Batch {
	if n := len(r.step); n > 0 && r.step[n-1].N < vector.MaxRows {
		return r.step[n-1]
	}
	b := &vector.Batch{Cols: newColumns(r.o.Schema)}
	r.step = append(r.step, b)
	return b
}

// isNew tells whether row i of b has not been there, and remembers it.
func (r *Recursive) isNew(b *vector.Batch, i int32) bool {
	r.hash, r.gids = resized(r.hash, 1), resized(r.gids, 1)
	one := [1]int32{i}
	row.Hash(b.Cols, one[:], r.hash)
	return r.seen.Groups(r.hash, b.Cols, one[:], r.gids) > 0
}

// End of the first rows runs the recursion.
func (r *Recursive) End(input int, _ Output) error {
	if input != 0 {
		return nil
	}
	for depth := 0; len(r.step) > 0 && !r.full(); depth++ {
		now := r.step
		r.step = nil
		if depth > r.o.MaxDepth {
			return diag.New(diag.RecursionDepth, r.o.Pos, "the recursion has not ended after %d steps", r.o.MaxDepth).
				WithHint("is there a condition that ends it? If it goes deeper: SET cte_max_recursion_depth = 10000")
		}
		for _, b := range now {
			for _, f := range r.body {
				if err := f.Push(b); err != nil {
					return err
				}
			}
		}
	}
	for _, f := range r.body {
		if err := f.End(); err != nil {
			return err
		}
	}
	return nil
}
