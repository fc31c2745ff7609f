package operator

import (
	"bytes"
	"cmp"
	"container/heap"
	"fmt"
	"slices"

	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// AggSession groups rows by keys and session: rows of a key at most Gap apart, in time, form one window [first, last + Gap). A session is
// emitted once, when the watermark reaches its end - 1 ms; sessions by ascending end, then key. A row is late when it would begin a
// session that the watermark has closed.
//
// Sessions merge and, with retractions, split, which accumulators cannot. So the rows are kept (only the columns that aggregates
// read) and aggregated when a session closes, by time, then arrival.
//
// State, table 0: key | time | arguments (bag).
type AggSession struct {
	o        AggWindowOptions
	ctx      *Context
	clock    clock
	keyTypes []types.Type
	used     []int // input columns that aggregates read
	usedType []types.Type
	bag      *bag
	accs     accumulators
	due      dueHeap
	dueOf    []int64 // by gid: earliest entry in due, maxDue: none

	emit    emitter
	args    *vector.Batch // rows of one session, the used columns
	keys    []*vector.Vector
	argCols []*vector.Vector
	hash    []uint64
	gids    []int32
	group0  []int32
	all     []int32
	late    []int32
	order   []int32
	ready   []session
	names   []byte // keys of ready
	encoded []byte
	buf     []byte
}

// session is a closed session: entries order[from:to].
type session struct {
	interval
	gid            int32
	from, to       int
	keyFrom, keyTo int
}

const maxDue = MaxTime

func newAggSession(o AggWindowOptions) *AggSession {
	s := &AggSession{o: o, keyTypes: schemaOf(o.Input, o.Keys)}
	for _, a := range o.Aggs {
		for _, c := range append(slices.Clone(a.Args), a.Filter) {
			if c >= 0 && !slices.Contains(s.used, c) {
				s.used = append(s.used, c)
			}
		}
	}
	s.usedType = schemaOf(o.Input, s.used)
	return s
}

// specs are the aggregates over the used columns.
func (s *AggSession) specs() []Aggregate {
	out := slices.Clone(s.o.Aggs)
	for i := range out {
		out[i].Args = slices.Clone(out[i].Args)
		for j, c := range out[i].Args {
			out[i].Args[j] = slices.Index(s.used, c)
		}
		if out[i].Filter >= 0 {
			out[i].Filter = slices.Index(s.used, out[i].Filter)
		}
	}
	return out
}

// Open reads the rows of open sessions back.
func (s *AggSession) Open(ctx *Context) error {
	if err := s.o.Window.check(); err != nil {
		return err
	}
	s.ctx, s.emit = ctx, newEmitter(s.o.outputTypes())
	s.args = newEmitter(s.usedType).batch
	s.accs = newAccumulators(s.specs(), false)
	s.accs.grow(1)
	s.bag = newBag(s.keyTypes, ctx.State != nil)
	if err := s.clock.load(ctx); err != nil {
		return err
	}
	if err := s.bag.read(ctx, tableRows); err != nil {
		return err
	}
	s.growDue()
	for gid := range s.bag.table.All() {
		for e := s.bag.first(gid); e != noEntry; e = s.bag.entries[e].next {
			s.schedule(gid, s.timeOf(e)+s.o.Window.Gap)
		}
	}
	return nil
}

func (s *AggSession) growDue() {
	for n := len(s.dueOf); n < s.bag.table.Cap(); n++ {
		s.dueOf = append(s.dueOf, maxDue)
	}
}

// schedule makes sure that the key is looked at when the watermark closes end.
func (s *AggSession) schedule(gid int32, end int64) {
	if end < s.dueOf[gid] {
		s.dueOf[gid] = end
		heap.Push(&s.due, dueKey{end, gid})
	}
}

func (s *AggSession) timeOf(e int32) int64 {
	t, _, err := readTime(s.bag.bytes(e))
	if err != nil {
		return MinTime
	}
	return t
}

// Push keeps rows.
func (s *AggSession) Push(_ int, b *vector.Batch, _ Output) error {
	s.keys, s.argCols = pick(s.keys, b, s.o.Keys), pick(s.argCols, b, s.used)
	n := b.Rows()
	s.hash, s.gids = resized(s.hash, n), resized(s.gids, n)
	row.Hash(s.keys, b.Sel, s.hash)
	s.bag.groups(s.hash, s.keys, b.Sel, s.gids)
	s.growDue()
	s.late = s.late[:0]
	col := b.Cols[s.o.Window.TimeCol]
	for k, gid := range s.gids {
		i := b.Row(k)
		t, bad := eventTime(col, i)
		if bad != nil {
			if err := s.ctx.RowError(s.o.Stage, b, i, bad); err != nil {
				return err
			}
			continue
		}
		if closedBy(s.clock.now, t+s.o.Window.Gap) && !s.joins(gid, t) {
			s.late = append(s.late, int32(i))
			continue
		}
		s.encoded = row.EncodeValue(orderedTime(s.encoded[:0], t), s.argCols, i)
		if b.Change(i).Adds() {
			s.bag.add(gid, s.encoded, 1)
			s.schedule(gid, t+s.o.Window.Gap)
		} else if e := s.bag.lookup(gid, s.encoded); e != noEntry {
			s.bag.remove(e, 1)
			if s.clock.now > MinTime {
				s.schedule(gid, s.clock.now) // what is left may end earlier: look at the next watermark
			}
		}
	}
	s.bag.releaseUnused(s.gids)
	s.bag.sweep()
	if len(s.late) > 0 {
		s.ctx.Late(s.o.Stage, b, s.late)
	}
	return nil
}

// joins tells whether an open session reaches t.
func (s *AggSession) joins(gid int32, t int64) bool {
	for e := s.bag.first(gid); e != noEntry; e = s.bag.entries[e].next {
		if d := s.timeOf(e) - t; d <= s.o.Window.Gap && -d <= s.o.Window.Gap {
			return true
		}
	}
	return false
}

// Watermark emits the sessions that t closes.
func (s *AggSession) Watermark(t int64, out Output) (int64, error) {
	if t <= s.clock.now {
		return t, nil
	}
	s.clock.now = t
	s.emit.out = out
	s.order, s.ready, s.names = s.order[:0], s.ready[:0], s.names[:0]
	for len(s.due) > 0 && closedBy(t, s.due[0].end) {
		d := heap.Pop(&s.due).(dueKey)
		if s.dueOf[d.gid] != d.end {
			continue // superseded
		}
		s.dueOf[d.gid] = maxDue
		if s.bag.table.IsLive(d.gid) {
			s.close(d.gid, t)
		}
	}
	slices.SortFunc(s.ready, func(a, b session) int {
		return cmp.Or(cmp.Compare(a.end, b.end), bytes.Compare(s.names[a.keyFrom:a.keyTo], s.names[b.keyFrom:b.keyTo]))
	})
	for _, x := range s.ready {
		if err := s.fire(x); err != nil {
			return t, err
		}
	}
	for _, e := range s.order {
		s.bag.remove(e, s.bag.entries[e].count)
	}
	s.bag.sweep()
	return t, s.emit.flush()
}

// close finds the sessions of a key that t closes and schedules the rest.
func (s *AggSession) close(gid int32, t int64) {
	from := len(s.order)
	for e := s.bag.first(gid); e != noEntry; e = s.bag.entries[e].next {
		s.order = append(s.order, e)
	}
	rows := s.order[from:]
	slices.SortFunc(rows, func(x, y int32) int {
		return cmp.Or(cmp.Compare(s.timeOf(x), s.timeOf(y)), cmp.Compare(s.bag.entries[x].seq, s.bag.entries[y].seq))
	})
	keyFrom := len(s.names)
	s.names = append(s.names, s.bag.table.Key(gid)...)
	for len(rows) > 0 {
		n, last := 1, s.timeOf(rows[0])
		for n < len(rows) && s.timeOf(rows[n])-last <= s.o.Window.Gap {
			last = s.timeOf(rows[n])
			n++
		}
		end := last + s.o.Window.Gap
		if !closedBy(t, end) {
			s.schedule(gid, end)
			s.order = s.order[:len(s.order)-len(rows)]
			return
		}
		at := len(s.order) - len(rows)
		s.ready = append(s.ready, session{interval{s.timeOf(rows[0]), end}, gid, at, at + n, keyFrom, len(s.names)})
		rows = rows[n:]
	}
}

// fire aggregates the rows of a session and emits it.
func (s *AggSession) fire(x session) error {
	s.accs.clear(0)
	s.args.Reset()
	for _, e := range s.order[x.from:x.to] {
		for range s.bag.entries[e].count {
			_, data, err := readTime(s.bag.bytes(e))
			if err != nil {
				return err
			}
			if _, err := row.DecodeValue(data, s.usedType, s.args.Cols); err != nil {
				return fmt.Errorf("reading session row: %w", err)
			}
			s.args.EndRow(vector.Insert)
			if s.args.N == vector.MaxRows {
				if err := s.aggregate(); err != nil {
					return err
				}
			}
		}
	}
	if err := s.aggregate(); err != nil {
		return err
	}
	n := len(s.keyTypes)
	cols := s.emit.batch.Cols
	s.bag.table.AppendKey(x.gid, cols[:n])
	cols[n].AppendI64(x.start)
	cols[n+1].AppendI64(x.end)
	cols[n+2].AppendI64(x.end - beforeEnd)
	s.accs.emit(0, cols[n+3:])
	return s.emit.end(vector.Insert)
}

// aggregate folds args into group 0.
func (s *AggSession) aggregate() error {
	s.group0, s.all = resized(s.group0, s.args.N), resized(s.all, s.args.N)
	for i := range s.all {
		s.group0[i], s.all[i] = 0, int32(i)
	}
	err := s.accs.add(s.args, s.group0, s.all, nil)
	s.args.Reset()
	return err
}

// Barrier writes the changed rows.
func (s *AggSession) Barrier(uint64) error {
	if s.ctx.State == nil {
		return nil
	}
	s.clock.save(s.ctx)
	s.buf = s.bag.write(s.ctx.State, tableRows, s.buf)
	return nil
}

// End has nothing to emit: the watermark MaxTime has closed all sessions.
func (s *AggSession) End(int, Output) error { return nil }

// Close has nothing to release.
func (s *AggSession) Close() error { return nil }

// dueKey asks for a look at a key when the watermark closes end.
type dueKey struct {
	end int64
	gid int32
}

// dueHeap is a heap of dueKeys by end. Entries may be superseded: dueOf tells.
type dueHeap []dueKey

// Len is part of heap.Interface.
func (h dueHeap) Len() int { return len(h) }

// Less is part of heap.Interface.
func (h dueHeap) Less(i, j int) bool { return h[i].end < h[j].end }

// Swap is part of heap.Interface.
func (h dueHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push is part of heap.Interface.
func (h *dueHeap) Push(x any) { *h = append(*h, x.(dueKey)) }

// Pop is part of heap.Interface.
func (h *dueHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
