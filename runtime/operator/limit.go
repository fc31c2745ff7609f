package operator

import (
	"encoding/binary"

	"github.com/millrace/millrace/sql/vector"
)

// LimitOptions describe a Limit.
type LimitOptions struct {
	Offset, Limit int64
}

// Finisher is implemented by operators that may be satisfied before their input ends: the task then ends the inputs.
type Finisher interface {
	// Done tells whether no further row can matter.
	Done() bool
}

// Limit drops the first Offset rows and passes the next Limit.
//
// State, table 0: "" -> rows seen.
type Limit struct {
	stateless
	o     LimitOptions
	seen  int64
	saved int64
	sel   []int32
	view  vector.Batch
}

// NewLimit makes a limit.
func NewLimit(o LimitOptions) *Limit { return &Limit{o: o} }

// Open reads the count back.
func (l *Limit) Open(ctx *Context) error {
	l.ctx = ctx
	return scanState(ctx, tableRows, func(_ uint16, _, value []byte) error {
		_, err := readVarints(value, &l.seen)
		l.saved = l.seen
		return err
	})
}

// Push passes the rows whose turn it is.
func (l *Limit) Push(_ int, b *vector.Batch, out Output) error {
	n := int64(b.Rows())
	from, to := max(0, l.o.Offset-l.seen), min(n, l.o.Offset+l.o.Limit-l.seen)
	l.seen += n
	if from >= to {
		return nil
	}
	if from == 0 && to == n {
		return out.Push(b)
	}
	l.sel = l.sel[:0]
	for k := from; k < to; k++ {
		l.sel = append(l.sel, int32(b.Row(int(k))))
	}
	l.view = vector.Batch{Cols: b.Cols, N: b.N, Sel: l.sel, Op: b.Op, Origin: b.Origin}
	return out.Push(&l.view)
}

// Done tells whether the limit has been reached.
func (l *Limit) Done() bool { return l.seen >= l.o.Offset+l.o.Limit }

// Barrier writes the count.
func (l *Limit) Barrier(uint64) error {
	if l.ctx.State == nil || l.seen == l.saved {
		return nil
	}
	l.ctx.State.Put(tableRows, l.ctx.Groups.From, nil, binary.AppendVarint(nil, l.seen))
	l.saved = l.seen
	return nil
}
