package operator

import (
	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// DedupOptions describe a deduplication.
type DedupOptions struct {
	Input []types.Type // the input's columns
	Key   []int
	First bool // keep the first row of each key, else the last
}

// NewDedup makes a Dedup (First), whose input and output are append-only, or an operator that keeps the last row of each key and emits
// a retract changelog.
func NewDedup(o DedupOptions) Operator {
	if o.First {
		return &Dedup{o: o}
	}
	return &Normalize{o: NormalizeOptions{Input: o.Input, Key: o.Key}, exact: true}
}

// Dedup passes the first row of each key. It copies nothing.
//
// State, table 0: key -> nothing.
type Dedup struct {
	stateless
	o     DedupOptions
	table *row.GroupTable
	seen  int // group ids below are known; keys are never released, so that ids ascend
	fresh []int32
	keys  []*vector.Vector
	hash  []uint64
	gids  []int32
	sel   []int32
	view  vector.Batch
}

// Open reads the keys back.
func (d *Dedup) Open(ctx *Context) error {
	d.ctx = ctx
	schema := schemaOf(d.o.Input, d.o.Key)
	d.table = row.NewGroupTable(schema)
	cols := newColumns(schema)
	d.hash, d.gids = make([]uint64, 1), make([]int32, 1)
	err := scanState(ctx, tableRows, func(_ uint16, key, _ []byte) error {
		if err := decodeKey(key, schema, cols); err != nil {
			return err
		}
		row.Hash(cols, firstRow, d.hash)
		d.table.Groups(d.hash, cols, firstRow, d.gids)
		return nil
	})
	d.seen = d.table.Cap()
	return err
}

// Push passes the rows with new keys.
func (d *Dedup) Push(_ int, b *vector.Batch, out Output) error {
	d.keys = pick(d.keys, b, d.o.Key)
	n := b.Rows()
	d.hash, d.gids = resized(d.hash, n), resized(d.gids, n)
	row.Hash(d.keys, b.Sel, d.hash)
	if d.table.Groups(d.hash, d.keys, b.Sel, d.gids) == 0 {
		return nil
	}
	d.sel = d.sel[:0]
	for k, gid := range d.gids {
		if int(gid) >= d.seen { // ids are given out in order of first touch
			d.seen = int(gid) + 1
			d.sel = append(d.sel, int32(b.Row(k)))
			if d.ctx.State != nil {
				d.fresh = append(d.fresh, gid)
			}
		}
	}
	d.view = vector.Batch{Cols: b.Cols, N: b.N, Sel: d.sel, Op: b.Op, Origin: b.Origin}
	return out.Push(&d.view)
}

// Barrier writes the new keys.
func (d *Dedup) Barrier(uint64) error {
	if d.ctx.State == nil {
		return nil
	}
	for _, gid := range d.fresh {
		d.ctx.State.Put(tableRows, row.KeyGroup(d.table.Hash(gid)), d.table.Key(gid), nil)
	}
	d.fresh = d.fresh[:0]
	return nil
}
