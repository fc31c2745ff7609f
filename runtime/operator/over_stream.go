package operator

import (
	"bytes"
	"slices"

	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// OverStream computes calls over rows in the order of event time and emits each row once. A row waits until the watermark has passed its
// time: its place in the order is then known, and so are the rows that tie with it. From then on it belongs to its partition's history, is
// emitted as soon as its frames have ended, and is forgotten when no frame can reach back to it. Frames that begin with the partition keep
// an accumulator instead of rows.
//
// Rows come out by time, and within a partition in the order, ties by encoding; those that wait for rows behind them when these have come.
// Meanwhile the output's watermark stands still before them. Rows at or before the watermark are late.
//
// State: table 0, rows: time | sequence number -> row. Table 1, partitions: key -> numbers and accumulators (over_stream_state.go).
type OverStream struct {
	o       OverOptions
	ctx     *Context
	clock   clock
	ties    []SortKey // the order behind the time
	table   *row.GroupTable
	parts   []overPart // by gid
	calls   []*frameCall
	waiting eventQueue[timedEntry]
	emit    emitter

	entries []overEntry
	free    []int32
	arena   []byte
	spare   []byte // for the next compaction
	garbage int
	seq     uint64

	run     []timedEntry     // rows of one time
	passed  []entryRef       // rows of the history as they came into it
	cursors [passCursors]int // into passed

	added, removed cachedRow
	one            [1]*vector.Vector
	keys           []*vector.Vector
	hash           []uint64
	gids           []int32
	late           []int32

	ahead     bool // a frame reaches forward
	reaches   bool // by time
	bounded   bool // a frame leaves rows behind
	byRows    bool // by their number
	remembers bool // partitions without rows have numbers or accumulators

	progress   int64           // the history has all rows up to here
	lastPassed int64           // time of the last row of the history
	restored   map[int32]int64 // while reading the state: the first place not emitted
	state      []byte

	dirty   dirtySet   // partitions
	unsaved []entryRef // rows that the state does not have
	dropped [2]keyList // by table: what must go from the state
	buf     []byte
}

// overEntry is a row. Place, group and rank count from 1 within the partition.
type overEntry struct {
	time  int64 // the watermark that completes it
	key   int64 // its value of the first order column
	seq   uint64
	off   int64
	size  int32
	tie   int32 // bytes of the order behind the time, which come first
	gid   int32
	next  int32
	place int64 // 0: it waits
	group int64
	rank  int64
	done  bool // emitted
	saved bool
}

// timedEntry is an entry that waits for the watermark to pass its time.
type timedEntry struct {
	time  int64
	entry int32
	gid   int32
}

// entryRef names an entry as long as its sequence number is the same: entries are reused.
type entryRef struct {
	entry int32
	seq   uint64
}

// overPart is a partition: its history is the entries from head to tail.
type overPart struct {
	head, tail int32
	pending    int32 // the first entry that is not emitted; noEntry: none
	places     int64 // given so far, and so on
	groups     int64
	rank       int64
	members    int32 // entries, waiting ones included
	saved      bool  // the state has it
}

// Cursors into the queue of passed rows.
const (
	passHeld  = iota // before it all rows are emitted: it holds the watermark
	passReach        // before it the watermark has passed all that frames reach forward to
	passFaded        // before it the watermark has passed all that frames can reach back from
	passCursors
)

// cachedRow is an entry in columns.
type cachedRow struct {
	batch vector.Batch
	entry int32
}

func newOverStream(o OverOptions) *OverStream {
	x := &OverStream{o: o, ties: o.Order}
	if len(o.Order) > 0 && o.Order[0].Col == o.Time {
		x.ties = o.Order[1:]
	}
	x.waiting = newEventQueue(func(a, b timedEntry) bool { return a.time < b.time })
	for i := range o.Calls {
		x.bind(&o.Calls[i])
	}
	return x
}

// Open reads the rows and partitions back.
func (x *OverStream) Open(ctx *Context) error {
	x.ctx, x.emit = ctx, newEmitter(x.o.output())
	x.table = row.NewGroupTable(schemaOf(x.o.Input, x.o.PartitionBy))
	for _, c := range []*cachedRow{&x.added, &x.removed} {
		*c = cachedRow{batch: vector.Batch{Cols: newColumns(x.o.Input), N: 1}, entry: noEntry}
	}
	if err := x.clock.load(ctx); err != nil {
		return err
	}
	return x.read()
}

// tied tells whether two rows have the same place in the order.
func (x *OverStream) tied(a, b int32) bool {
	p, q := &x.entries[a], &x.entries[b]
	return p.time == q.time && bytes.Equal(x.bytes(a)[:p.tie], x.bytes(b)[:q.tie])
}

func (x *OverStream) bytes(e int32) []byte {
	p := &x.entries[e]
	return x.arena[p.off : p.off+int64(p.size)]
}

// Push takes rows in.
func (x *OverStream) Push(_ int, b *vector.Batch, _ Output) error {
	n := b.Rows()
	x.keys = pick(x.keys, b, x.o.PartitionBy)
	x.hash, x.gids = resized(x.hash, n), resized(x.gids, n)
	row.Hash(x.keys, b.Sel, x.hash)
	x.table.Groups(x.hash, x.keys, b.Sel, x.gids)
	x.grow()
	x.late = x.late[:0]
	times := b.Cols[x.o.Time]
	for k, gid := range x.gids {
		i := b.Row(k)
		t, bad := eventTime(times, i)
		if bad != nil {
			if err := x.ctx.RowError(x.o.Stage, b, i, bad); err != nil {
				return err
			}
			continue
		}
		if x.o.TimeIsEnd {
			t -= beforeEnd
		}
		if t <= x.clock.now {
			x.late = append(x.late, int32(i))
			continue
		}
		e := x.insert(b, i, t, gid)
		x.entries[e].seq = x.seq
		x.unsaved = append(x.unsaved, entryRef{e, x.seq})
		x.seq++
		x.waiting.push(timedEntry{t, e, gid})
	}
	for _, gid := range x.gids {
		x.releaseIfUnused(gid)
	}
	if len(x.late) > 0 {
		x.ctx.Late(x.o.Stage, b, x.late)
	}
	return nil
}

func (x *OverStream) grow() {
	n := x.table.Cap()
	for len(x.parts) < n {
		x.parts = append(x.parts, overPart{head: noEntry, tail: noEntry, pending: noEntry})
	}
	for _, c := range x.calls {
		c.grow(n)
	}
}

// releaseIfUnused gives the id of a partition back that has never had a row.
func (x *OverStream) releaseIfUnused(gid int32) {
	if p := &x.parts[gid]; p.members == 0 && p.places == 0 && x.table.IsLive(gid) {
		x.table.Release(gid)
	}
}

// insert makes an entry of row i of b.
func (x *OverStream) insert(b *vector.Batch, i int, t int64, gid int32) int32 {
	if x.garbage > compactBagMin && x.garbage > len(x.arena)/2 {
		x.compact()
	}
	var e int32
	if n := len(x.free); n > 0 {
		e, x.free = x.free[n-1], x.free[:n-1]
	} else {
		e = int32(len(x.entries))
		x.entries = append(x.entries, overEntry{})
	}
	off := len(x.arena)
	for _, k := range x.ties {
		at := len(x.arena)
		x.one[0] = b.Cols[k.Col]
		x.arena = row.EncodeKey(x.arena, x.one[:], i)
		if k.Desc {
			invert(x.arena[at:])
		}
	}
	tie := len(x.arena) - off
	x.arena = row.EncodeValue(x.arena, b.Cols, i)
	p := &x.entries[e]
	*p = overEntry{time: t, off: int64(off), size: int32(len(x.arena) - off), tie: int32(tie), gid: gid, next: noEntry}
	if v := b.Cols[x.o.Order[0].Col]; v.Type.Class() == types.ClassI64 {
		p.key = v.I64[i]
	}
	x.parts[gid].members++
	return e
}

// invert turns the order of key bytes round.
func invert(key []byte) {
	for j := range key {
		key[j] = ^key[j]
	}
}

// compact drops the garbage of the arena.
func (x *OverStream) compact() {
	arena := x.spare[:0]
	for i := range x.entries {
		p := &x.entries[i]
		if p.size > 0 {
			data := x.arena[p.off : p.off+int64(p.size)]
			p.off = int64(len(arena))
			arena = append(arena, data...)
		}
	}
	x.arena, x.spare, x.garbage = arena, x.arena, 0
}

// discard frees an entry.
func (x *OverStream) discard(e int32) {
	p := &x.entries[e]
	if p.saved {
		group := row.KeyGroup(x.table.Hash(p.gid))
		x.dropped[tableRows].add(group, func(dst []byte) []byte { return appendSeq(orderedTime(dst, p.time), p.seq) })
	}
	x.garbage += int(p.size)
	x.parts[p.gid].members--
	*p = overEntry{seq: ^uint64(0)}
	x.free = append(x.free, e)
	if x.added.entry == e {
		x.added.entry = noEntry
	}
	if x.removed.entry == e {
		x.removed.entry = noEntry
	}
	if len(x.free) == len(x.entries) {
		x.arena, x.garbage = x.arena[:0], 0
	}
}

// load decodes an entry.
func (x *OverStream) load(c *cachedRow, e int32) (*vector.Batch, error) {
	if c.entry == e {
		return &c.batch, nil
	}
	resetColumns(c.batch.Cols)
	c.entry = e
	_, err := row.DecodeValue(x.bytes(e)[x.entries[e].tie:], x.o.Input, c.batch.Cols)
	return &c.batch, err
}

// Watermark brings the rows up to t into the history and emits those whose frames have ended.
func (x *OverStream) Watermark(t int64, out Output) (int64, error) {
	if t <= x.clock.now {
		return x.held(t), nil
	}
	x.clock.now = t
	x.emit.out = out
	for x.waiting.len() > 0 && x.waiting.first().time <= t {
		x.run = append(x.run[:0], x.waiting.pop())
		for x.waiting.len() > 0 && x.waiting.first().time == x.run[0].time {
			x.run = append(x.run, x.waiting.pop())
		}
		if err := x.pass(); err != nil {
			return t, err
		}
	}
	x.progress = t
	if err := x.reach(); err != nil {
		return t, err
	}
	if err := x.fade(); err != nil {
		return t, err
	}
	return x.held(t), x.emit.flush()
}

// pass brings the rows of one time into the history: partition by partition, in the rest of the order.
func (x *OverStream) pass() error {
	x.progress = x.run[0].time
	x.lastPassed = x.progress
	if len(x.run) > 1 {
		slices.SortFunc(x.run, func(a, b timedEntry) int {
			if a.gid != b.gid {
				return int(a.gid - b.gid)
			}
			return bytes.Compare(x.bytes(a.entry), x.bytes(b.entry))
		})
	}
	for i := 0; i < len(x.run); {
		gid := x.run[i].gid
		for ; i < len(x.run) && x.run[i].gid == gid; i++ {
			x.link(x.run[i].entry)
		}
		if err := x.advance(gid); err != nil {
			return err
		}
	}
	return nil
}

// link appends an entry to its partition.
func (x *OverStream) link(e int32) {
	p := &x.entries[e]
	part := &x.parts[p.gid]
	x.dirty.mark(p.gid)
	if part.tail == noEntry || part.places == 0 || !x.tied(part.tail, e) {
		part.groups++
		part.rank = part.places + 1
	}
	part.places++
	p.place, p.group, p.rank = part.places, part.groups, part.rank
	x.enlist(part, e)
}

// enlist puts an entry that has its numbers at the end of the history.
func (x *OverStream) enlist(part *overPart, e int32) {
	if part.tail == noEntry {
		part.head = e
	} else {
		x.entries[part.tail].next = e
	}
	part.tail = e
	if part.pending == noEntry && !x.entries[e].done {
		part.pending = e
	}
	for _, c := range x.calls {
		c.appended(e, &x.entries[e])
	}
	if x.queues() {
		x.passed = append(x.passed, entryRef{e, x.entries[e].seq})
	}
}

// Barrier writes what has changed.
func (x *OverStream) Barrier(uint64) error {
	x.write()
	return nil
}

// End has nothing to emit: the watermark MaxTime has let everything out.
func (x *OverStream) End(int, Output) error { return nil }

// Close has nothing to release.
func (x *OverStream) Close() error { return nil }
