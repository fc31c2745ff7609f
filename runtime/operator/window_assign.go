package operator

import (
	"fmt"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// WindowAssignOptions describe a WindowAssign.
type WindowAssignOptions struct {
	Stage    string // name in the error table
	Window   Window // not Session
	TimeType types.Type
}

// WindowAssign appends window_start, window_end and window_time (end - 1 ms) to each row, once per window that it falls into. The
// input's columns are shared: a batch leaves as one batch per rank of window, so that a row's copies are not adjacent. Rows without a
// usable event time go to the error policy; rows that fall between hop windows vanish.
type WindowAssign struct {
	stateless
	o       WindowAssignOptions
	assign  assigner
	windows []interval
	first   []int32 // by physical row: index of its first window in windows
	count   []int32 // by physical row: windows not yet emitted
	sel     []int32
	times   [3]*vector.Vector
	view    vector.Batch
}

// NewWindowAssign makes a window assigner.
func NewWindowAssign(o WindowAssignOptions) *WindowAssign {
	if o.TimeType.Kind == types.Null {
		o.TimeType = WindowTimeType
	}
	w := &WindowAssign{o: o, assign: newAssigner(o.Window)}
	for i := range w.times {
		w.times[i] = vector.New(o.TimeType, 0)
	}
	return w
}

// Open checks the window.
func (w *WindowAssign) Open(ctx *Context) error {
	if w.o.Window.Kind == Session {
		return fmt.Errorf("session windows exist only in aggregates")
	}
	if err := w.o.Window.check(); err != nil {
		return err
	}
	return w.stateless.Open(ctx)
}

// Push emits the rows of b with their windows.
func (w *WindowAssign) Push(_ int, b *vector.Batch, out Output) error {
	if err := w.assignRows(b); err != nil {
		return err
	}
	w.view = vector.Batch{Cols: append(w.view.Cols[:0], b.Cols...), N: b.N, Op: b.Op, Origin: b.Origin}
	w.view.Cols = append(w.view.Cols, w.times[0], w.times[1], w.times[2])
	for w.nextRank(b) {
		w.view.Sel = w.sel
		if len(w.sel) == b.N {
			w.view.Sel = nil
		}
		if err := out.Push(&w.view); err != nil {
			return err
		}
	}
	return nil
}

// assignRows computes the windows of the counting rows.
func (w *WindowAssign) assignRows(b *vector.Batch) error {
	w.first, w.count = resized(w.first, b.N), resized(w.count, b.N)
	w.windows, w.sel = w.windows[:0], w.sel[:0]
	col := b.Cols[w.o.Window.TimeCol]
	for k := range b.Rows() {
		i := b.Row(k)
		t, bad := eventTime(col, i)
		if bad != nil {
			if err := w.ctx.RowError(w.o.Stage, b, i, bad); err != nil {
				return err
			}
			continue
		}
		from := len(w.windows)
		w.windows = w.assign.assign(w.windows, t)
		w.first[i], w.count[i] = int32(from), int32(len(w.windows)-from)
		w.sel = append(w.sel, int32(i))
	}
	return nil
}

// nextRank puts the next window of every row that has one into times, and the rows into sel; false when none has.
func (w *WindowAssign) nextRank(b *vector.Batch) bool {
	for _, v := range w.times {
		v.Resize(b.N)
	}
	left := w.sel[:0]
	for _, i := range w.sel {
		if w.count[i] == 0 {
			continue
		}
		x := w.windows[w.first[i]]
		w.first[i]++
		w.count[i]--
		w.times[0].I64[i], w.times[1].I64[i], w.times[2].I64[i] = x.start, x.end, x.end-beforeEnd
		left = append(left, i)
	}
	w.sel = left
	return len(left) > 0
}
