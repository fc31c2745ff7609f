package vector

import (
	"github.com/millrace/millrace/sql/types"
)

// MaxRows is the largest number of rows of a batch.
const MaxRows = 4096

// Change is the kind of a row in a changelog.
type Change int8

// The change kinds. A row that only exists from now on is an Insert; an update is an UpdateBefore (the row that ends) followed by an
// UpdateAfter (the row that replaces it); Delete ends a row.
const (
	Insert Change = iota
	UpdateBefore
	UpdateAfter
	Delete
)

var changeNames = [...]string{"+I", "-U", "+U", "-D"}

// String gives +I, -U, +U or -D.
func (c Change) String() string { return changeNames[c] }

// Adds tells whether the row begins to exist (+I, +U).
func (c Change) Adds() bool { return c == Insert || c == UpdateAfter }

// Sign is +1 for rows that begin to exist, -1 for rows that end.
func (c Change) Sign() int64 {
	if c.Adds() {
		return 1
	}
	return -1
}

// ParseChange reads +I, -U, +U, -D and the bare or lower-case letters I, U (an UpdateAfter), D.
func ParseChange(s []byte) (Change, bool) {
	switch string(s) {
	case "+I", "I", "i", "+i", "c", "r":
		return Insert, true
	case "-U", "-u":
		return UpdateBefore, true
	case "+U", "U", "u", "+u":
		return UpdateAfter, true
	case "-D", "D", "d", "-d":
		return Delete, true
	}
	return 0, false
}

// Batch is up to MaxRows rows in columns (operators may emit larger ones when one input row makes many). Invariants: every column
// has N rows; Sel is nil or strictly ascending indexes < N; Op is empty (all Insert) or has N entries.
type Batch struct {
	Cols []*Vector
	N    int
	Sel  []int32  // the rows that count; nil: all
	Op   []Change // change kind per physical row; empty: all Insert

	// Origin is the number of the source split that the rows come from, within the task. It means something only in a source's
	// fragment; operators there pass it on.
	Origin int
}

// NewBatch makes an empty batch with a column per field.
func NewBatch(fields []types.Field, capacity int) *Batch {
	b := &Batch{Cols: make([]*Vector, len(fields))}
	for i, f := range fields {
		b.Cols[i] = New(f.Type, capacity)
	}
	return b
}

// Reset empties the batch and its columns, keeping buffers. The batch must own its columns.
func (b *Batch) Reset() {
	for _, c := range b.Cols {
		c.Reset()
	}
	b.N, b.Sel, b.Op = 0, nil, b.Op[:0]
}

// Rows returns how many rows count.
func (b *Batch) Rows() int {
	if b.Sel != nil {
		return len(b.Sel)
	}
	return b.N
}

// Row maps the k-th counting row to its physical index.
func (b *Batch) Row(k int) int {
	if b.Sel != nil {
		return int(b.Sel[k])
	}
	return k
}

// Change returns the change kind of physical row i.
func (b *Batch) Change(i int) Change {
	if len(b.Op) == 0 {
		return Insert
	}
	return b.Op[i]
}

// AppendOp records the change kind of the row that is about to be completed by EndRow; all rows before without one were inserts.
func (b *Batch) AppendOp(op Change) {
	if op == Insert && len(b.Op) == 0 {
		return
	}
	for len(b.Op) < b.N {
		b.Op = append(b.Op, Insert)
	}
	b.Op = append(b.Op, op)
}

// EndRow counts a row whose values have been appended to every column.
func (b *Batch) EndRow(op Change) {
	b.AppendOp(op)
	b.N++
}

// AppendRow copies physical row i of src, which has the same columns.
func (b *Batch) AppendRow(src *Batch, i int) {
	for c, col := range b.Cols {
		col.AppendFrom(src.Cols[c], i)
	}
	b.EndRow(src.Change(i))
}

// AppendBatch copies the counting rows of src, which has the same columns.
func (b *Batch) AppendBatch(src *Batch) {
	for c, col := range b.Cols {
		col.AppendAll(src.Cols[c], src.Sel)
	}
	if len(src.Op) > 0 || len(b.Op) > 0 {
		for k := range src.Rows() {
			b.EndRow(src.Change(src.Row(k)))
		}
		return
	}
	b.N += src.Rows()
}
