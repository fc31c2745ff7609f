package operator

import (
	"bytes"
	"slices"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// SortOptions describe a Sort.
type SortOptions struct {
	Input  []types.Type // the input's columns
	Order  []SortKey
	Offset int64
	Limit  int64 // < 0: all
}

// Sort collects a bounded changelog and emits its final rows at the end, ordered; equal keys by the rows' encoding.
//
// State, table 0: ordered rows (bag).
type Sort struct {
	collector
	o SortOptions
}

// NewSort makes a sort.
func NewSort(o SortOptions) *Sort {
	return &Sort{o: o, collector: collector{order: ordering{keys: o.Order, schema: o.Input}}}
}

// End emits the rows.
func (s *Sort) End(_ int, out Output) error {
	rows := s.rows()
	slices.SortFunc(rows, func(x, y int32) int { return bytes.Compare(s.bag.bytes(x), s.bag.bytes(y)) })
	return s.emitRows(rows, s.o.Offset, s.o.Limit, out)
}

// collector keeps the multiset of rows that a changelog amounts to.
type collector struct {
	ctx     *Context
	order   ordering
	bag     *bag
	gids    []int32
	hash    []uint64
	encoded []byte
	buf     []byte
	emit    emitter
}

// Open reads the rows back.
func (c *collector) Open(ctx *Context) error {
	c.ctx, c.emit = ctx, newEmitter(c.order.schema)
	c.bag = newBag(nil, ctx.State != nil)
	return c.bag.read(ctx, tableRows)
}

// Push counts rows in and out.
func (c *collector) Push(_ int, b *vector.Batch, _ Output) error {
	if b.Rows() == 0 {
		return nil
	}
	c.hash, c.gids = hashEmptyKey(c.hash), resized(c.gids, 1)
	c.bag.groups(c.hash, nil, firstRow, c.gids)
	for k := range b.Rows() {
		i := b.Row(k)
		c.encoded = c.order.encode(c.encoded[:0], b, i)
		if b.Change(i).Adds() {
			c.bag.add(c.gids[0], c.encoded, 1)
		} else if e := c.bag.lookup(c.gids[0], c.encoded); e != noEntry {
			c.bag.remove(e, 1)
		}
	}
	c.bag.releaseUnused(c.gids)
	c.bag.sweep()
	return nil
}

// rows returns the live entries in order of arrival.
func (c *collector) rows() []int32 {
	var out []int32
	for gid := range c.bag.table.All() {
		for e := c.bag.first(gid); e != noEntry; e = c.bag.entries[e].next {
			out = append(out, e)
		}
	}
	return out
}

// emitRows emits the copies of entries from offset on, at most limit (< 0: all).
func (c *collector) emitRows(rows []int32, offset, limit int64, out Output) error {
	c.emit.out = out
	for _, e := range rows {
		for range c.bag.entries[e].count {
			if offset > 0 {
				offset--
				continue
			}
			if limit == 0 {
				return c.emit.flush()
			}
			limit--
			if err := c.order.decode(c.bag.bytes(e), c.emit.batch.Cols); err != nil {
				return err
			}
			if err := c.emit.end(vector.Insert); err != nil {
				return err
			}
		}
	}
	return c.emit.flush()
}

// Watermark passes t on.
func (c *collector) Watermark(t int64, _ Output) (int64, error) { return t, nil }

// Barrier writes the changed rows.
func (c *collector) Barrier(uint64) error {
	if c.ctx.State != nil {
		c.buf = c.bag.write(c.ctx.State, tableRows, c.buf)
	}
	return nil
}

// Close has nothing to release.
func (c *collector) Close() error { return nil }
