package operator

import (
	"bytes"
	"slices"

	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// TopNOptions describe a TopN.
type TopNOptions struct {
	Input       []types.Type // the input's columns
	PartitionBy []int        // none: one partition
	Order       []SortKey
	Limit       int64 // rows per partition
	WithRank    bool  // append row_number, a BIGINT
	AppendOnly  bool  // the input never takes rows back: rows beyond Limit are forgotten
}

// TopN keeps the rows of each partition in order and emits the changes of its first Limit rows, after each input batch, partitions in the
// order in which the batch first touched them. Ties are broken by the rows' encoding. Without rank: -D for rows that leave, then +I for
// rows that enter; with rank: -U and +U where a rank changes its row.
//
// State, table 0: partition | ordered row (bag).
type TopN struct {
	stateless
	o       TopNOptions
	order   ordering
	bag     *bag
	sorted  [][]int32 // by gid: live entries in order
	totals  []int64   // by gid: rows, copies counted
	emit    emitter
	touched []int32
	rank    []bool  // by gid: touched in this batch
	before  []int32 // top rows of touched partitions before the batch, one after the other; copies repeated
	starts  []int   // by touch: where in before
	after   []int32
	keys    []*vector.Vector
	hash    []uint64
	gids    []int32
	encoded []byte
	buf     []byte
}

// NewTopN makes a ranking.
func NewTopN(o TopNOptions) *TopN {
	return &TopN{o: o, order: ordering{keys: o.Order, schema: o.Input}}
}

// Open reads the rows back.
func (t *TopN) Open(ctx *Context) error {
	t.ctx = ctx
	schema := append([]types.Type{}, t.o.Input...)
	if t.o.WithRank {
		schema = append(schema, types.Of(types.Int64))
	}
	t.emit = newEmitter(schema)
	t.bag = newBag(schemaOf(t.o.Input, t.o.PartitionBy), ctx.State != nil)
	if err := t.bag.read(ctx, tableRows); err != nil {
		return err
	}
	t.grow()
	for gid := range t.bag.table.All() {
		for e := t.bag.first(gid); e != noEntry; e = t.bag.entries[e].next {
			t.sorted[gid] = append(t.sorted[gid], e)
			t.totals[gid] += t.bag.entries[e].count
		}
		slices.SortFunc(t.sorted[gid], func(x, y int32) int { return bytes.Compare(t.bag.bytes(x), t.bag.bytes(y)) })
	}
	return nil
}

func (t *TopN) grow() {
	n := t.bag.table.Cap()
	t.sorted, t.totals, t.rank = grown(t.sorted, n), grown(t.totals, n), grown(t.rank, n)
}

// Push takes rows in and out and emits what changes at the top.
func (t *TopN) Push(_ int, b *vector.Batch, out Output) error {
	t.emit.out = out
	t.keys = pick(t.keys, b, t.o.PartitionBy)
	n := b.Rows()
	t.hash, t.gids = resized(t.hash, n), resized(t.gids, n)
	row.Hash(t.keys, b.Sel, t.hash)
	t.bag.groups(t.hash, t.keys, b.Sel, t.gids)
	t.grow()
	t.touched, t.before, t.starts = t.touched[:0], t.before[:0], t.starts[:0]
	for k, gid := range t.gids {
		if !t.rank[gid] {
			t.rank[gid] = true
			t.touched = append(t.touched, gid)
			t.starts = append(t.starts, len(t.before))
			t.before = t.top(t.before, gid)
		}
		t.take(b, b.Row(k), gid)
	}
	for r, gid := range t.touched {
		t.rank[gid] = false
		end := len(t.before)
		if r+1 < len(t.starts) {
			end = t.starts[r+1]
		}
		t.after = t.top(t.after[:0], gid)
		if err := t.diff(t.before[t.starts[r]:end], t.after); err != nil {
			return err
		}
	}
	t.bag.releaseUnused(t.touched)
	t.bag.sweep()
	return t.emit.flush()
}

// top appends the entries of the first Limit rows of a partition, copies repeated.
func (t *TopN) top(dst []int32, gid int32) []int32 {
	left := t.o.Limit
	for _, e := range t.sorted[gid] {
		for range t.bag.entries[e].count {
			if left == 0 {
				return dst
			}
			left--
			dst = append(dst, e)
		}
	}
	return dst
}

// take adds a row to its partition, or takes it back.
func (t *TopN) take(b *vector.Batch, i int, gid int32) {
	t.encoded = t.order.encode(t.encoded[:0], b, i)
	if b.Change(i).Adds() {
		e, fresh := t.bag.add(gid, t.encoded, 1)
		if fresh {
			t.sorted[gid] = slices.Insert(t.sorted[gid], t.position(gid, t.encoded), e)
		}
		t.totals[gid]++
		if t.o.AppendOnly {
			t.forget(gid)
		}
		return
	}
	e := t.bag.lookup(gid, t.encoded)
	if e == noEntry {
		return
	}
	if t.bag.entries[e].count == 1 {
		at := t.position(gid, t.encoded)
		t.sorted[gid] = slices.Delete(t.sorted[gid], at, at+1)
	}
	t.bag.remove(e, 1)
	t.totals[gid]--
}

// position returns where a row stands, or belongs, in its partition.
func (t *TopN) position(gid int32, data []byte) int {
	at, _ := slices.BinarySearchFunc(t.sorted[gid], data, func(e int32, d []byte) int { return bytes.Compare(t.bag.bytes(e), d) })
	return at
}

// forget drops rows that can never come to the top.
func (t *TopN) forget(gid int32) {
	for {
		list := t.sorted[gid]
		if len(list) == 0 {
			return
		}
		e := list[len(list)-1]
		count := t.bag.entries[e].count
		extra := min(count, t.totals[gid]-t.o.Limit)
		if extra <= 0 {
			return
		}
		if extra == count {
			t.sorted[gid] = list[:len(list)-1]
		}
		t.bag.remove(e, extra)
		t.totals[gid] -= extra
	}
}

// diff emits the changes between two states of a partition's top.
func (t *TopN) diff(before, after []int32) error {
	if t.o.WithRank {
		return t.diffRanks(before, after)
	}
	if err := t.emitMissing(before, after, vector.Delete); err != nil {
		return err
	}
	return t.emitMissing(after, before, vector.Insert)
}

// emitMissing emits the rows of a that b lacks; both are sorted.
func (t *TopN) emitMissing(a, b []int32, op vector.Change) error {
	for _, e := range a {
		for len(b) > 0 && b[0] != e && bytes.Compare(t.bag.bytes(b[0]), t.bag.bytes(e)) < 0 {
			b = b[1:]
		}
		if len(b) > 0 && b[0] == e {
			b = b[1:]
			continue
		}
		if err := t.emitRow(e, 0, op); err != nil {
			return err
		}
	}
	return nil
}

func (t *TopN) diffRanks(before, after []int32) error {
	for k := range max(len(before), len(after)) {
		var err error
		switch {
		case k >= len(before):
			err = t.emitRow(after[k], k+1, vector.Insert)
		case k >= len(after):
			err = t.emitRow(before[k], k+1, vector.Delete)
		case before[k] != after[k]:
			if err = t.emitRow(before[k], k+1, vector.UpdateBefore); err == nil {
				err = t.emitRow(after[k], k+1, vector.UpdateAfter)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *TopN) emitRow(e int32, rank int, op vector.Change) error {
	n := len(t.o.Input)
	cols := t.emit.batch.Cols
	if err := t.order.decode(t.bag.bytes(e), cols[:n]); err != nil {
		return err
	}
	if t.o.WithRank {
		cols[n].AppendI64(int64(rank))
	}
	return t.emit.end(op)
}

// Barrier writes the changed rows.
func (t *TopN) Barrier(uint64) error {
	if t.ctx.State != nil {
		t.buf = t.bag.write(t.ctx.State, tableRows, t.buf)
	}
	return nil
}
