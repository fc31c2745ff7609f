package operator

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// OverRows keeps the rows of each partition and computes partitions as a whole: in any order, over rows that may be taken back.
//
//   - OverChanges: after each input batch the partitions that it touched are computed again and the differences are emitted, in the order in
//     which the batch first touched the partitions: -D of rows that are gone, -U and +U of rows whose results have changed, +I of new rows.
//     A partition of n rows costs O(n) each time.
//   - OverClose: a partition is emitted when the watermark closes its window, by ascending end and then by encoded key, and forgotten.
//     Rows of closed windows are late.
//   - OverFinal: all partitions are emitted at the end, by encoded key; the output's watermark stands
//     still until then, where the input has event time.
//
// State, table 0: partition | ordered row (bag).
type OverRows struct {
	o       OverOptions
	ctx     *Context
	clock   clock
	order   ordering
	bag     *bag
	lists   []overList // by gid
	eval    *overEval
	results []types.Type     // of the calls
	part    []*vector.Vector // the rows of the partition that is being computed
	refs    []int32          // their entries, copies repeated
	emit    emitter
	sorter  groupSorter

	touched []int32
	before  []overResult // of the touched partitions before the batch, one after the other
	begins  []int        // by touch: where in before
	values  []byte       // encoded results of before
	changed []int        // pairs of indexes: in before, in refs
	fresh   []int

	finished bool
	ends     []endList // OverClose: by ascending end
	free     []endList
	late     []int32
	keys     []*vector.Vector
	hash     []uint64
	gids     []int32
	merged   []int32
	encoded  []byte
	buf      []byte
}

// overList is the entries of a partition: the first sorted ones in order, the others as they came. Dead ones may be among them.
type overList struct {
	entries []int32
	sorted  int
	touched bool  // by the current batch
	dead    bool  // there are dead entries: they must go before the bag frees them
	listed  bool  // OverClose: end is known
	end     int64 // of the partition's window
}

// overResult is a row with the results of the calls, encoded in values[off:off+size].
type overResult struct {
	entry     int32
	off, size int
}

// endList is the open partitions whose windows end at the same time.
type endList struct {
	end  int64
	gids []int32
}

func newOverRows(o OverOptions) *OverRows {
	return &OverRows{o: o, order: ordering{keys: o.Order, schema: o.Input}, eval: newOverEval(o.Calls, o.Order),
		results: o.output()[len(o.Input):]}
}

// Open reads the rows back.
func (x *OverRows) Open(ctx *Context) error {
	x.ctx, x.emit, x.part = ctx, newEmitter(x.o.output()), newColumns(x.o.Input)
	if err := x.clock.load(ctx); err != nil {
		return err
	}
	x.bag = newBag(schemaOf(x.o.Input, x.o.PartitionBy), ctx.State != nil)
	if err := x.bag.read(ctx, tableRows); err != nil {
		return err
	}
	x.lists = grown(x.lists, x.bag.table.Cap())
	for gid := range x.bag.table.All() {
		for e := x.bag.first(gid); e != noEntry; e = x.bag.entries[e].next {
			x.lists[gid].entries = append(x.lists[gid].entries, e)
		}
		if err := x.reopen(gid); err != nil {
			return err
		}
	}
	return nil
}

// reopen finds out when a partition closes, from its first row.
func (x *OverRows) reopen(gid int32) error {
	if x.o.Mode != OverClose {
		return nil
	}
	resetColumns(x.part)
	if err := x.order.decode(x.bag.bytes(x.bag.first(gid)), x.part); err != nil {
		return err
	}
	x.list(gid, x.part[x.o.Time].I64[0])
	return nil
}

// list notes when a partition closes. A group id that has changed hands stays in the list of its old end too, where it no longer counts.
func (x *OverRows) list(gid int32, end int64) {
	if x.lists[gid].listed && x.lists[gid].end == end {
		return
	}
	x.lists[gid].listed, x.lists[gid].end = true, end
	at, found := slices.BinarySearchFunc(x.ends, end, func(l endList, end int64) int { return cmp.Compare(l.end, end) })
	if !found {
		var l endList
		if n := len(x.free); n > 0 {
			l, x.free = x.free[n-1], x.free[:n-1]
		}
		l.end = end
		x.ends = slices.Insert(x.ends, at, l)
	}
	x.ends[at].gids = append(x.ends[at].gids, gid)
}

// Push takes rows in and out, and in OverChanges emits what changes.
func (x *OverRows) Push(_ int, b *vector.Batch, out Output) error {
	x.emit.out = out
	x.keys = pick(x.keys, b, x.o.PartitionBy)
	n := b.Rows()
	x.hash, x.gids = resized(x.hash, n), resized(x.gids, n)
	row.Hash(x.keys, b.Sel, x.hash)
	x.bag.groups(x.hash, x.keys, b.Sel, x.gids)
	x.lists = grown(x.lists, x.bag.table.Cap())
	x.touched, x.before, x.begins, x.values, x.late = x.touched[:0], x.before[:0], x.begins[:0], x.values[:0], x.late[:0]
	for k, gid := range x.gids {
		i := b.Row(k)
		if ok, err := x.open(b, i, gid); err != nil {
			return err
		} else if !ok {
			continue
		}
		if err := x.touch(gid); err != nil {
			return err
		}
		x.take(b, i, gid)
	}
	for r, gid := range x.touched {
		x.lists[gid].touched = false
		if x.o.Mode != OverChanges {
			if x.lists[gid].dead {
				x.arrange(gid)
			}
			continue
		}
		if err := x.compute(gid); err != nil {
			return err
		}
		end := len(x.before)
		if r+1 < len(x.begins) {
			end = x.begins[r+1]
		}
		if err := x.diff(x.before[x.begins[r]:end]); err != nil {
			return err
		}
	}
	x.bag.releaseUnused(x.gids)
	x.bag.sweep()
	if len(x.late) > 0 {
		x.ctx.Late(x.o.Stage, b, x.late)
	}
	return x.emit.flush()
}

// open tells whether a row's window is still open, and lists its partition under the window's end.
func (x *OverRows) open(b *vector.Batch, i int, gid int32) (bool, error) {
	if x.o.Mode != OverClose {
		return true, nil
	}
	end, bad := eventTime(b.Cols[x.o.Time], i)
	switch {
	case bad != nil:
		return false, x.ctx.RowError(x.o.Stage, b, i, bad)
	case closedBy(x.clock.now, end):
		x.late = append(x.late, int32(i))
		return false, nil
	}
	x.list(gid, end)
	return true, nil
}

// touch notes a partition of the batch, with its results so far.
func (x *OverRows) touch(gid int32) error {
	if x.lists[gid].touched {
		return nil
	}
	x.lists[gid].touched = true
	x.touched = append(x.touched, gid)
	if x.o.Mode != OverChanges {
		return nil
	}
	x.begins = append(x.begins, len(x.before))
	if err := x.compute(gid); err != nil {
		return err
	}
	for i, e := range x.refs {
		at := len(x.values)
		x.values = row.EncodeValue(x.values, x.eval.out, i)
		x.before = append(x.before, overResult{e, at, len(x.values) - at})
	}
	return nil
}

// take adds a row to its partition, or takes it back.
func (x *OverRows) take(b *vector.Batch, i int, gid int32) {
	x.encoded = x.order.encode(x.encoded[:0], b, i)
	if b.Change(i).Adds() {
		if e, fresh := x.bag.add(gid, x.encoded, 1); fresh {
			x.lists[gid].entries = append(x.lists[gid].entries, e)
		}
	} else if e := x.bag.lookup(gid, x.encoded); e != noEntry {
		x.bag.remove(e, 1)
		x.lists[gid].dead = true
	}
}

func (x *OverRows) compareEntries(a, b int32) int {
	if a == b {
		return 0
	}
	return bytes.Compare(x.bag.bytes(a), x.bag.bytes(b))
}

// arrange brings a partition's entries into order and drops the dead ones. One that died and came back is there twice.
func (x *OverRows) arrange(gid int32) []int32 {
	l := &x.lists[gid]
	tail := l.entries[l.sorted:]
	slices.SortFunc(tail, x.compareEntries)
	x.merged = x.merged[:0]
	keep := func(e int32) {
		if n := len(x.merged); x.bag.entries[e].count > 0 && (n == 0 || x.merged[n-1] != e) {
			x.merged = append(x.merged, e)
		}
	}
	for _, e := range l.entries[:l.sorted] {
		for len(tail) > 0 && x.compareEntries(tail[0], e) < 0 {
			keep(tail[0])
			tail = tail[1:]
		}
		keep(e)
	}
	for _, e := range tail {
		keep(e)
	}
	l.entries = append(l.entries[:0], x.merged...)
	l.sorted, l.dead = len(l.entries), false
	return l.entries
}

// compute evaluates a partition: refs has its rows, eval.out the results.
func (x *OverRows) compute(gid int32) error {
	resetColumns(x.part)
	x.refs = x.refs[:0]
	x.eval.begin(x.part)
	var last []byte
	for _, e := range x.arrange(gid) {
		data := x.bag.bytes(e)
		if len(data) < 4 {
			return fmt.Errorf("reading ordered row: %d bytes", len(data))
		}
		key := data[:binary.BigEndian.Uint32(data[len(data)-4:])]
		for c := range x.bag.entries[e].count {
			if err := x.order.decode(data, x.part); err != nil {
				return err
			}
			x.eval.add(len(x.refs) > 0 && (c > 0 || bytes.Equal(key, last)))
			x.refs = append(x.refs, e)
		}
		last = key
	}
	return x.eval.run()
}

// diff emits the changes from before to the partition just computed.
func (x *OverRows) diff(before []overResult) error {
	x.changed, x.fresh = x.changed[:0], x.fresh[:0]
	i := 0
	for j, e := range x.refs {
		for i < len(before) && before[i].entry != e && x.compareEntries(before[i].entry, e) < 0 {
			if err := x.emitOld(&before[i], vector.Delete); err != nil {
				return err
			}
			i++
		}
		if i == len(before) || before[i].entry != e {
			x.fresh = append(x.fresh, j)
			continue
		}
		x.buf = row.EncodeValue(x.buf[:0], x.eval.out, j)
		if old := &before[i]; !bytes.Equal(x.buf, x.values[old.off:old.off+old.size]) {
			x.changed = append(x.changed, i, j)
		}
		i++
	}
	for ; i < len(before); i++ {
		if err := x.emitOld(&before[i], vector.Delete); err != nil {
			return err
		}
	}
	for k := 0; k < len(x.changed); k += 2 {
		if err := x.emitOld(&before[x.changed[k]], vector.UpdateBefore); err != nil {
			return err
		}
		if err := x.emitNew(x.changed[k+1], vector.UpdateAfter); err != nil {
			return err
		}
	}
	for _, j := range x.fresh {
		if err := x.emitNew(j, vector.Insert); err != nil {
			return err
		}
	}
	return nil
}

// emitOld emits a row as it was before the batch.
func (x *OverRows) emitOld(r *overResult, op vector.Change) error {
	n, cols := len(x.o.Input), x.emit.batch.Cols
	if err := x.order.decode(x.bag.bytes(r.entry), cols[:n]); err != nil {
		return err
	}
	if _, err := row.DecodeValue(x.values[r.off:r.off+r.size], x.results, cols[n:]); err != nil {
		return fmt.Errorf("reading results: %w", err)
	}
	return x.emit.end(op)
}

// emitNew emits a row of the partition just computed.
func (x *OverRows) emitNew(i int, op vector.Change) error {
	n, cols := len(x.o.Input), x.emit.batch.Cols
	for c, v := range x.part {
		cols[c].AppendFrom(v, i)
	}
	for c, v := range x.eval.out {
		cols[n+c].AppendFrom(v, i)
	}
	return x.emit.end(op)
}

// emitAll emits partitions, by key.
func (x *OverRows) emitAll(gids []int32) error {
	x.sorter.reset()
	for _, gid := range gids {
		if x.bag.first(gid) != noEntry && !x.sorter.add(x.bag.table, gid) {
			return fmt.Errorf("window has more than %d bytes of keys in one task", maxSortArena)
		}
	}
	x.sorter.sort()
	for _, ref := range x.sorter.refs {
		if err := x.compute(ref.gid); err != nil {
			return err
		}
		for i := range x.refs {
			if err := x.emitNew(i, vector.Insert); err != nil {
				return err
			}
		}
	}
	return nil
}

// Watermark emits the partitions whose windows t closes, in OverFinal all when the input is over: until then nothing is known of the
// output's time.
func (x *OverRows) Watermark(t int64, out Output) (int64, error) {
	if x.o.Mode == OverFinal && x.o.Time >= 0 {
		if t != MaxTime {
			return MinTime, nil
		}
		return t, x.finish(out)
	}
	if t <= x.clock.now {
		return t, nil
	}
	x.clock.now = t
	x.emit.out = out
	n := 0
	for ; n < len(x.ends) && closedBy(t, x.ends[n].end); n++ {
		l := x.ends[n]
		l.gids = slices.DeleteFunc(l.gids, func(gid int32) bool { return !x.lists[gid].listed || x.lists[gid].end != l.end })
		if err := x.emitAll(l.gids); err != nil {
			return t, err
		}
		for _, gid := range l.gids {
			x.forget(gid)
		}
		l.gids = l.gids[:0]
		if len(x.free) < maxFreePanes {
			x.free = append(x.free, l)
		}
	}
	x.ends = slices.Delete(x.ends, 0, n)
	x.bag.sweep()
	return t, x.emit.flush()
}

// forget drops a partition.
func (x *OverRows) forget(gid int32) {
	for e := x.bag.first(gid); e != noEntry; e = x.bag.first(gid) {
		x.bag.remove(e, x.bag.entries[e].count)
	}
	x.lists[gid] = overList{entries: x.lists[gid].entries[:0]}
}

// finish emits everything, once.
func (x *OverRows) finish(out Output) error {
	if x.finished {
		return nil
	}
	x.finished = true
	x.emit.out = out
	if err := x.emitAll(slices.Collect(x.bag.table.All())); err != nil {
		return err
	}
	return x.emit.flush()
}

// End emits everything in OverFinal: rows without event time may come behind the last watermark.
func (x *OverRows) End(_ int, out Output) error {
	if x.o.Mode != OverFinal {
		return nil
	}
	return x.finish(out)
}

// Barrier writes the changed rows.
func (x *OverRows) Barrier(uint64) error {
	if x.ctx.State == nil {
		return nil
	}
	if x.o.Mode == OverClose {
		x.clock.save(x.ctx)
	}
	x.buf = x.bag.write(x.ctx.State, tableRows, x.buf)
	return nil
}

// Close has nothing to release.
func (x *OverRows) Close() error { return nil }
