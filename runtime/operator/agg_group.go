package operator

import (
	"encoding/binary"
	"fmt"

	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// AggGroupOptions describe a GROUP BY without a window of its own.
type AggGroupOptions struct {
	Stage     string       // name in the table late
	Input     []types.Type // the input's columns
	Keys      []int        // none: one global group
	Aggs      []Aggregate
	Retract   bool // the input takes rows back
	WindowEnd int  // index in Keys of a window's end: the group dies when the watermark closes it; -1: none; no effect with FinalOnly
	FinalOnly bool // emit each group once, at the end
}

// AggGroup keeps a row per group and emits its changes: after each input batch, for every group whose result the batch has changed, +I,
// or -U and +U, or -D when the group has lost its last row; groups in the order in which the batch first touched them. The global
// group never dies: without rows it holds the aggregates' results over nothing. Output: keys, aggregates.
//
// State, table 0: [window end |] key -> rows, accumulators.
type AggGroup struct {
	o        AggGroupOptions
	ctx      *Context
	clock    clock
	keyTypes []types.Type
	table    *row.GroupTable
	accs     accumulators
	counts   []int64              // by gid: rows in the group; < 0 while a row is taken back before it came
	shown    []bool               // by gid: the group's row exists downstream
	ends     map[int64]*endGroups // groups by window end, when WindowEnd is set
	filed    []bool               // by gid: listed in ends
	dirty    dirtySet
	dropped  keyList       // groups gone since the last barrier
	expired  []droppedPane // windows gone since the last barrier

	emit    emitter
	before  []*vector.Vector // results of touched groups before the batch, by rank of touch
	after   []*vector.Vector
	rank    []int32 // by gid: 1 + rank of touch in the current batch
	touched []int32
	old     []bool // by rank: shown before the batch
	keys    []*vector.Vector
	scratch []*vector.Vector // one key
	hash    []uint64
	rows    []int32
	gids    []int32
	changes []vector.Change
	late    []int32
	sorter  groupSorter
	buf     []byte
}

// endGroups are the groups of one window. Gids may be stale: the group's key tells.
type endGroups struct {
	gids   []int32
	stored groupSet // key groups with entries in the state
}

// NewAggGroup makes a group aggregation.
func NewAggGroup(o AggGroupOptions) *AggGroup {
	return &AggGroup{o: o, keyTypes: schemaOf(o.Input, o.Keys)}
}

// Open reads the groups back.
func (a *AggGroup) Open(ctx *Context) error {
	a.ctx = ctx
	results := resultTypes(a.o.Aggs)
	a.emit = newEmitter(append(append([]types.Type{}, a.keyTypes...), results...))
	a.before, a.after, a.scratch = newColumns(results), newColumns(results), newColumns(a.keyTypes)
	a.table, a.accs = row.NewGroupTable(a.keyTypes), newAccumulators(a.o.Aggs, a.o.Retract)
	if a.o.WindowEnd >= 0 && !a.o.FinalOnly { // the last watermark closes all windows before End emits them
		a.ends = map[int64]*endGroups{}
		if err := a.clock.load(ctx); err != nil {
			return err
		}
	}
	cols := newColumns(a.keyTypes)
	return scanState(ctx, tableRows, func(_ uint16, key, value []byte) error {
		return a.restore(key, value, cols)
	})
}

// restore takes one entry of the state in. cols is scratch.
func (a *AggGroup) restore(key, value []byte, cols []*vector.Vector) (err error) {
	if a.ends != nil {
		if _, key, err = readTime(key); err != nil {
			return err
		}
	}
	if err := decodeKey(key, a.keyTypes, cols); err != nil {
		return err
	}
	var n int64
	if value, err = readVarints(value, &n); err != nil {
		return err
	}
	a.hash = resized(a.hash, 1)
	row.Hash(cols, firstRow, a.hash)
	gid := a.groupsOf(cols, firstRow)[0]
	a.counts[gid], a.shown[gid] = n, n > 0 || len(a.o.Keys) == 0
	a.markStored(gid)
	return a.accs.decode(gid, value)
}

// groupsOf finds or makes the groups of rows whose hashes are in a.hash.
func (a *AggGroup) groupsOf(keys []*vector.Vector, rows []int32) []int32 {
	a.gids = resized(a.gids, len(rows))
	inserted := a.table.Groups(a.hash, keys, rows, a.gids)
	n := a.table.Cap()
	a.accs.grow(n)
	a.counts, a.shown, a.rank = grown(a.counts, n), grown(a.shown, n), grown(a.rank, n)
	if inserted > 0 && a.ends != nil {
		a.index(keys, rows)
	}
	return a.gids
}

// index files new groups under their window's end.
func (a *AggGroup) index(keys []*vector.Vector, rows []int32) {
	a.filed = grown(a.filed, a.table.Cap())
	col := keys[a.o.WindowEnd]
	for k, gid := range a.gids {
		if i := int(rows[k]); !a.filed[gid] && !col.IsNull(i) {
			list := a.ends[col.I64[i]]
			if list == nil {
				list = &endGroups{}
				a.ends[col.I64[i]] = list
			}
			list.gids = append(list.gids, gid)
			a.filed[gid] = true
		}
	}
}

// Push folds rows in and emits what changes.
func (a *AggGroup) Push(_ int, b *vector.Batch, out Output) error {
	a.emit.out = out
	a.keys = pick(a.keys, b, a.o.Keys)
	a.selectRows(b)
	if len(a.rows) == 0 {
		return nil
	}
	a.hash = resized(a.hash, len(a.rows))
	row.Hash(a.keys, a.rows, a.hash)
	gids := a.groupsOf(a.keys, a.rows)
	a.touch(gids)
	var changes []vector.Change
	if len(b.Op) > 0 {
		a.changes = a.changes[:0]
		for _, i := range a.rows {
			a.changes = append(a.changes, b.Op[i])
		}
		changes = a.changes
	}
	for k, gid := range gids {
		a.counts[gid] += b.Change(int(a.rows[k])).Sign()
	}
	if err := a.accs.add(b, gids, a.rows, changes); err != nil {
		return err
	}
	if err := a.emitTouched(); err != nil {
		return err
	}
	return a.emit.flush()
}

// selectRows sets rows to the counting rows that are not late.
func (a *AggGroup) selectRows(b *vector.Batch) {
	a.rows, a.late = a.rows[:0], a.late[:0]
	var ends *vector.Vector
	if a.ends != nil {
		ends = a.keys[a.o.WindowEnd]
	}
	for k := range b.Rows() {
		i := b.Row(k)
		if ends != nil && !ends.IsNull(i) && closedBy(a.clock.now, ends.I64[i]) {
			a.late = append(a.late, int32(i))
			continue
		}
		a.rows = append(a.rows, int32(i))
	}
	if len(a.late) > 0 {
		a.ctx.Late(a.o.Stage, b, a.late)
	}
}

// touch lists the distinct groups in order and, unless only the end counts, their results so far.
func (a *AggGroup) touch(gids []int32) {
	a.touched, a.old = a.touched[:0], a.old[:0]
	resetColumns(a.before)
	for _, gid := range gids {
		if a.rank[gid] != 0 {
			continue
		}
		a.touched = append(a.touched, gid)
		a.rank[gid] = int32(len(a.touched))
		a.dirty.mark(gid)
		if !a.o.FinalOnly {
			a.old = append(a.old, a.shown[gid])
			a.accs.emit(gid, a.before)
		}
	}
}

// emitTouched compares the touched groups with before and emits the changes.
func (a *AggGroup) emitTouched() error {
	resetColumns(a.after)
	for r, gid := range a.touched {
		a.rank[gid] = 0
		alive := a.counts[gid] > 0 || len(a.o.Keys) == 0
		if !a.o.FinalOnly {
			a.accs.emit(gid, a.after)
			if err := a.change(gid, r, alive); err != nil {
				return err
			}
		}
		a.shown[gid] = alive
		if a.counts[gid] == 0 && !alive {
			a.drop(gid)
		}
	}
	return nil
}

// change emits the change of one group, whose results are in row r of before and after.
func (a *AggGroup) change(gid int32, r int, alive bool) error {
	switch {
	case a.old[r] && !alive:
		return a.row(gid, a.before, r, vector.Delete)
	case a.old[r]:
		if rowsEqual(a.before, r, a.after, r) {
			return nil
		}
		if err := a.row(gid, a.before, r, vector.UpdateBefore); err != nil {
			return err
		}
		return a.row(gid, a.after, r, vector.UpdateAfter)
	case alive:
		return a.row(gid, a.after, r, vector.Insert)
	}
	return nil
}

func (a *AggGroup) row(gid int32, results []*vector.Vector, r int, op vector.Change) error {
	n := len(a.keyTypes)
	cols := a.emit.batch.Cols
	a.table.AppendKey(gid, cols[:n])
	for c, v := range results {
		cols[n+c].AppendFrom(v, r)
	}
	return a.emit.end(op)
}

// drop forgets a group. Its state is deleted at the next barrier.
func (a *AggGroup) drop(gid int32) {
	if a.ctx.State != nil {
		a.dropped.add(row.KeyGroup(a.table.Hash(gid)), func(dst []byte) []byte { return a.stateKey(dst, gid) })
	}
	a.release(gid)
}

func (a *AggGroup) release(gid int32) {
	a.accs.clear(gid)
	a.counts[gid], a.shown[gid] = 0, false
	if a.ends != nil {
		a.filed[gid] = false
	}
	a.table.Release(gid)
}

// stateKey appends the key of a group's entry.
func (a *AggGroup) stateKey(dst []byte, gid int32) []byte {
	if a.ends != nil {
		end, ok := a.endOf(gid)
		if !ok {
			end = MinTime
		}
		dst = orderedTime(dst, end)
	}
	return append(dst, a.table.Key(gid)...)
}

// endOf returns the end of the group's window; false when it is NULL.
func (a *AggGroup) endOf(gid int32) (int64, bool) {
	resetColumns(a.scratch)
	a.table.AppendKey(gid, a.scratch)
	col := a.scratch[a.o.WindowEnd]
	return col.I64[0], !col.IsNull(0)
}

// Watermark forgets the groups of windows that t closes.
func (a *AggGroup) Watermark(t int64, _ Output) (int64, error) {
	if a.ends == nil || t <= a.clock.now {
		return t, nil
	}
	a.clock.now = t
	for end, list := range a.ends {
		if !closedBy(t, end) {
			continue
		}
		for _, gid := range list.gids {
			if !a.table.IsLive(gid) {
				continue
			}
			if of, ok := a.endOf(gid); ok && of == end {
				a.release(gid)
			}
		}
		if list.stored != (groupSet{}) {
			a.expired = append(a.expired, droppedPane{end, list.stored})
		}
		delete(a.ends, end)
	}
	return t, nil
}

// Barrier writes the changed groups and deletes those that are gone.
func (a *AggGroup) Barrier(uint64) error {
	st := a.ctx.State
	if st == nil {
		return nil
	}
	if a.ends != nil {
		a.clock.save(a.ctx)
	}
	for _, d := range a.expired {
		from, to := orderedTime(nil, d.end), orderedTime(nil, d.end+1)
		d.stored.each(func(group uint16) { st.DeleteRange(tableRows, group, from, to) })
	}
	a.expired = a.expired[:0]
	a.dropped.each(func(group uint16, key []byte) { st.Delete(tableRows, group, key) })
	a.dropped.clear()
	for _, ref := range a.sorter.arrange(a.table, a.dirty.list) {
		gid := ref.gid
		a.buf = a.stateKey(a.buf[:0], gid)
		at := len(a.buf)
		a.buf = binary.AppendVarint(a.buf, a.counts[gid])
		a.buf = a.accs.encode(gid, a.buf)
		st.Put(tableRows, uint16(ref.group), a.buf[:at], a.buf[at:])
		a.markStored(gid)
	}
	a.dirty.clear()
	return nil
}

// markStored notes that the state has an entry in the group's window.
func (a *AggGroup) markStored(gid int32) {
	if a.ends == nil {
		return
	}
	if end, ok := a.endOf(gid); ok && a.ends[end] != nil {
		a.ends[end].stored.add(row.KeyGroup(a.table.Hash(gid)))
	}
}

// Start emits the global group's row over nothing, unless a run before has done so.
func (a *AggGroup) Start(out Output) error {
	if len(a.o.Keys) > 0 || a.o.FinalOnly {
		return nil
	}
	a.emit.out = out
	if err := a.endGlobal(); err != nil {
		return err
	}
	return a.emit.flush()
}

// End emits the groups of a FinalOnly aggregation by key, and the global group's row when no row ever came.
func (a *AggGroup) End(_ int, out Output) error {
	a.emit.out = out
	if len(a.o.Keys) == 0 {
		if err := a.endGlobal(); err != nil {
			return err
		}
	}
	if !a.o.FinalOnly {
		return a.emit.flush()
	}
	a.sorter.reset()
	for gid := range a.table.All() {
		if a.shown[gid] && !a.sorter.add(a.table, gid) {
			return fmt.Errorf("groups have more than %d bytes of keys in one task", maxSortArena)
		}
	}
	a.sorter.sort()
	for _, ref := range a.sorter.refs {
		resetColumns(a.after)
		a.accs.emit(ref.gid, a.after)
		if err := a.row(ref.gid, a.after, 0, vector.Insert); err != nil {
			return err
		}
	}
	return a.emit.flush()
}

// endGlobal makes the global group in the task that owns it, unless it exists.
func (a *AggGroup) endGlobal() error {
	if a.table.Len() > 0 {
		return nil
	}
	a.hash = hashEmptyKey(a.hash)
	if group := row.KeyGroup(a.hash[0]); group < a.ctx.Groups.From || group >= a.ctx.Groups.To {
		return nil
	}
	gid := a.groupsOf(nil, firstRow)[0]
	a.dirty.mark(gid)
	a.shown[gid] = true
	if a.o.FinalOnly {
		return nil
	}
	resetColumns(a.after)
	a.accs.emit(gid, a.after)
	return a.row(gid, a.after, 0, vector.Insert)
}

// Close has nothing to release.
func (a *AggGroup) Close() error { return nil }
