package operator

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// AggWindowOptions describe a windowed aggregation.
type AggWindowOptions struct {
	Stage    string       // name in the tables errors and late
	Window   Window       // any kind
	Input    []types.Type // the input's columns
	Keys     []int
	Aggs     []Aggregate
	Retract  bool // the input takes rows back
	TimeType types.Type
}

// NewAggWindow makes the operator for the window's kind: AggWindow, or AggSession for session windows.
func NewAggWindow(o AggWindowOptions) Operator {
	if o.TimeType.Kind == types.Null {
		o.TimeType = WindowTimeType
	}
	if o.Window.Kind == Session {
		return newAggSession(o)
	}
	return &AggWindow{o: o, keyTypes: schemaOf(o.Input, o.Keys), assign: newAssigner(o.Window)}
}

// outputTypes are: keys, window_start, window_end, window_time, aggregates.
func (o *AggWindowOptions) outputTypes() []types.Type {
	out := append(schemaOf(o.Input, o.Keys), o.TimeType, o.TimeType, o.TimeType)
	return append(out, resultTypes(o.Aggs)...)
}

const (
	maxFreePanes = 4 // emptied panes kept for reuse
	nearPanes    = 8 // open windows looked at one by one, from the latest, before searching
)

// AggWindow groups rows by window and keys and emits each window once, when the watermark reaches its end - 1 ms: windows by ascending
// end, groups by encoded key. Rows all of whose windows have closed are late. Output: keys, window_start, window_end, window_time,
// aggregates; append-only.
//
// State, table 0: window end | key -> window start, rows, accumulators. A closed window is one range delete per key group.
type AggWindow struct {
	o        AggWindowOptions
	ctx      *Context
	clock    clock
	keyTypes []types.Type
	assign   assigner
	open     []*pane // by ascending end
	free     []*pane
	dropped  []droppedPane // since the last barrier

	emit    emitter
	sorter  groupSorter
	keys    []*vector.Vector
	hash    []uint64
	touched []*pane
	windows []interval
	late    []int32
	buf     []byte
}

// droppedPane is a closed window whose entries are still in the state.
type droppedPane struct {
	end    int64
	stored groupSet
}

// Open reads the open windows back.
func (a *AggWindow) Open(ctx *Context) error {
	if err := a.o.Window.check(); err != nil {
		return err
	}
	a.ctx, a.emit = ctx, newEmitter(a.o.outputTypes())
	if err := a.clock.load(ctx); err != nil {
		return err
	}
	cols := newColumns(a.keyTypes)
	return scanState(ctx, tableRows, func(group uint16, key, value []byte) error {
		end, key, err := readTime(key)
		if err != nil {
			return err
		}
		start, value, err := readTime(value)
		if err != nil {
			return err
		}
		return a.pane(interval{start, end}).read(group, key, value, a.keyTypes, cols)
	})
}

// Push folds rows into their windows.
func (a *AggWindow) Push(_ int, b *vector.Batch, _ Output) error {
	a.keys = pick(a.keys, b, a.o.Keys)
	a.hash = resized(a.hash, b.Rows())
	row.Hash(a.keys, b.Sel, a.hash)
	a.late, a.touched = a.late[:0], a.touched[:0]
	if err := a.spread(b); err != nil {
		return err
	}
	for _, p := range a.touched {
		if err := p.apply(b, a.keys, a.o.Retract); err != nil {
			return err
		}
	}
	if len(a.late) > 0 {
		a.ctx.Late(a.o.Stage, b, a.late)
	}
	return nil
}

// spread adds each counting row to the row lists of its panes.
func (a *AggWindow) spread(b *vector.Batch) error {
	col := b.Cols[a.o.Window.TimeCol]
	single := a.o.Window.Kind == Tumble
	var last *pane
	for k, h := range a.hash {
		i := b.Row(k)
		t, bad := eventTime(col, i)
		if bad != nil {
			if err := a.ctx.RowError(a.o.Stage, b, i, bad); err != nil {
				return err
			}
			continue
		}
		if single && last != nil && t >= last.start && t < last.end {
			last.rows, last.hash = append(last.rows, int32(i)), append(last.hash, h)
			continue
		}
		a.windows = a.assign.assign(a.windows[:0], t)
		late := len(a.windows) > 0
		for _, w := range a.windows {
			if closedBy(a.clock.now, w.end) {
				continue
			}
			late = false
			p := a.pane(w)
			if len(p.rows) == 0 {
				a.touched = append(a.touched, p)
			}
			p.rows, p.hash = append(p.rows, int32(i)), append(p.hash, h)
			last = p
		}
		if late {
			a.late = append(a.late, int32(i))
		}
	}
	return nil
}

// pane returns the open window, opening it when it is new. Windows are found from the latest backwards: rows mostly come in order.
func (a *AggWindow) pane(w interval) *pane {
	at := len(a.open)
	for tries := 0; at > 0 && a.open[at-1].end > w.end; tries++ {
		if at--; tries == nearPanes {
			at, _ = slices.BinarySearchFunc(a.open, w.end+1, func(p *pane, end int64) int { return cmp.Compare(p.end, end) })
			break
		}
	}
	if at > 0 && a.open[at-1].end == w.end {
		return a.open[at-1]
	}
	var p *pane
	if n := len(a.free); n > 0 {
		p = a.free[n-1]
		a.free = a.free[:n-1]
	} else {
		p = newPane(a.keyTypes, a.o.Aggs, a.o.Retract)
		if a.o.Retract {
			p.counts = []int64{}
		}
	}
	p.interval = w
	a.open = slices.Insert(a.open, at, p)
	return p
}

// Watermark emits the windows that t closes.
func (a *AggWindow) Watermark(t int64, out Output) (int64, error) {
	if t <= a.clock.now {
		return t, nil
	}
	a.clock.now = t
	a.emit.out = out
	n := 0
	for n < len(a.open) && closedBy(t, a.open[n].end) {
		if err := a.fire(a.open[n]); err != nil {
			return t, err
		}
		a.release(a.open[n])
		n++
	}
	if n > 0 {
		a.open = slices.Delete(a.open, 0, n)
	}
	return t, a.emit.flush()
}

// fire emits all groups of a window, by key.
func (a *AggWindow) fire(p *pane) error {
	a.sorter.reset()
	for gid := range p.table.All() {
		if !p.alive(gid) {
			continue
		}
		if !a.sorter.add(p.table, gid) {
			return fmt.Errorf("window has more than %d bytes of keys in one task", maxSortArena)
		}
	}
	a.sorter.sort()
	n := len(a.keyTypes)
	cols := a.emit.batch.Cols
	for _, ref := range a.sorter.refs {
		p.table.AppendKey(ref.gid, cols[:n])
		cols[n].AppendI64(p.start)
		cols[n+1].AppendI64(p.end)
		cols[n+2].AppendI64(p.end - beforeEnd)
		p.accs.emit(ref.gid, cols[n+3:])
		if err := a.emit.end(vector.Insert); err != nil {
			return err
		}
	}
	return nil
}

// release drops a window that has fired.
func (a *AggWindow) release(p *pane) {
	if p.stored != (groupSet{}) {
		a.dropped = append(a.dropped, droppedPane{p.end, p.stored})
	}
	p.recycle()
	if len(a.free) < maxFreePanes {
		a.free = append(a.free, p)
	}
}

// Barrier writes the changed groups and drops the closed windows.
func (a *AggWindow) Barrier(uint64) error {
	a.clock.save(a.ctx)
	if a.ctx.State == nil {
		return nil
	}
	for _, d := range a.dropped {
		from, to := orderedTime(nil, d.end), orderedTime(nil, d.end+1)
		d.stored.each(func(group uint16) { a.ctx.State.DeleteRange(tableRows, group, from, to) })
	}
	a.dropped = a.dropped[:0]
	for _, p := range a.open {
		a.buf = p.write(a.ctx.State, &a.sorter, a.buf)
	}
	return nil
}

// End has nothing to emit: the watermark MaxTime has closed all windows.
func (a *AggWindow) End(int, Output) error { return nil }

// Close has nothing to release.
func (a *AggWindow) Close() error { return nil }
