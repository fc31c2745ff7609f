package operator

import (
	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// NormalizeOptions describe a Normalize.
type NormalizeOptions struct {
	Input []types.Type // the input's columns
	Key   []int
}

// Normalize remembers the last row of each key and turns an upsert changelog into a retract one: +I for a new key, -U and +U when the
// row differs from the last, -D with the whole last row. Deletions of unknown keys and -U are dropped.
//
// State, table 0: key -> row.
type Normalize struct {
	stateless
	o       NormalizeOptions
	exact   bool // a deletion counts only when its row is the last one
	last    *lastRows
	keys    []*vector.Vector
	rows    []int32
	emit    emitter
	encoded []byte
}

// NewNormalize makes a normalizer.
func NewNormalize(o NormalizeOptions) *Normalize { return &Normalize{o: o} }

// Open reads the rows back.
func (n *Normalize) Open(ctx *Context) error {
	n.emit = newEmitter(n.o.Input)
	n.last = newLastRows(schemaOf(n.o.Input, n.o.Key), ctx.State != nil)
	n.ctx = ctx
	return n.last.read(ctx, tableRows)
}

// Push emits the changes that the rows make.
func (n *Normalize) Push(_ int, b *vector.Batch, out Output) error {
	n.emit.out = out
	n.keys = pick(n.keys, b, n.o.Key)
	n.rows = n.rows[:0]
	for k := range b.Rows() {
		if i := b.Row(k); b.Change(i) != vector.UpdateBefore {
			n.rows = append(n.rows, int32(i))
		}
	}
	gids := n.last.groups(n.keys, n.rows)
	for k, i := range n.rows {
		if err := n.pushRow(b, int(i), gids[k]); err != nil {
			return err
		}
	}
	if len(b.Op) > 0 {
		n.last.release(gids)
	}
	return n.emit.flush()
}

func (n *Normalize) pushRow(b *vector.Batch, i int, gid int32) error {
	n.encoded = row.EncodeValue(n.encoded[:0], b.Cols, i)
	old := n.last.get(gid)
	if b.Change(i) == vector.Delete {
		if old == nil || n.exact && !n.last.holds(gid, n.encoded) {
			return nil
		}
		if err := n.emitOld(old, vector.Delete); err != nil {
			return err
		}
		n.last.remove(gid)
		return nil
	}
	op := vector.Insert
	if old != nil {
		if n.last.holds(gid, n.encoded) {
			return nil
		}
		if err := n.emitOld(old, vector.UpdateBefore); err != nil {
			return err
		}
		op = vector.UpdateAfter
	}
	n.last.set(gid, n.encoded)
	for c, v := range n.emit.batch.Cols {
		v.AppendFrom(b.Cols[c], i)
	}
	return n.emit.end(op)
}

func (n *Normalize) emitOld(old []byte, op vector.Change) error {
	if _, err := row.DecodeValue(old, n.o.Input, n.emit.batch.Cols); err != nil {
		return err
	}
	return n.emit.end(op)
}

// Barrier writes the changed rows.
func (n *Normalize) Barrier(uint64) error {
	if n.ctx.State != nil {
		n.last.write(n.ctx.State, tableRows)
	}
	return nil
}
