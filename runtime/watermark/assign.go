package watermark

import (
	"time"

	"github.com/millrace/millrace/runtime/operator"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// Options describe the event time of a source.
type Options struct {
	TimeCol   int
	Expr      expr.Expr     // the watermark of a row, e.g. ts - INTERVAL 5 SECOND
	MaxFuture time.Duration // rows further ahead of the clock are errors; 0: no limit
	Clock     func() time.Time
	Digits    int // fractional digits of the event time
}

// Output takes rows and watermarks in their order.
type Output interface {
	operator.Output
	Advance(t int64) error
}

// Assigner makes the watermarks of the splits that a task reads.
//
// The watermark that a row meets is the largest Expr over all earlier rows of its split, exactly, whatever the batches: where a row lies at
// or before that watermark, the batch is cut in front of it and the watermark is sent on first. Rows in time never cut, so that an
// ordinary stream pays nothing.
type Assigner struct {
	opt     Options
	eval    *expr.Evaluator
	ctx     *operator.Context
	combine *Combine
	sel     []int32
	part    vector.Batch // the piece of the batch on its way; kept here so that no batch costs an allocation
	// margin widens the cut for times finer than the millisecond by which a window closes before its end.
	margin int64
}

// NewAssigner makes an assigner without splits; AddSplit adds them.
func NewAssigner(opt Options) *Assigner {
	a := &Assigner{opt: opt, eval: expr.Compile([]expr.Expr{opt.Expr}), combine: NewCombine(0, operator.MinTime)}
	if opt.Digits > 3 {
		a.margin = 999
	}
	return a
}

// Open prepares the assigner; held is the combined watermark of the checkpoint.
func (a *Assigner) Open(ctx *operator.Context, held int64) { a.ctx, a.combine.now = ctx, held }

// AddSplit adds a split that stands at t; its number is the batches' Origin.
func (a *Assigner) AddSplit(t int64) int { return a.combine.Add(t) }

// Combine gives access to the splits' watermarks.
func (a *Assigner) Combine() *Combine { return a.combine }

// Push sends b on and advances the watermark of its split.
func (a *Assigner) Push(b *vector.Batch, out Output) error {
	rows, marks, err := a.valid(b)
	if err != nil {
		return err
	}
	split := b.Origin
	a.combine.Active(split)
	times := b.Cols[a.opt.TimeCol].I64
	high, sent, from := a.combine.Input(split), a.combine.Input(split), 0
	a.part = *b
	for k, i := range rows {
		if times[i]-a.margin <= high && high > sent {
			if a.part.Sel = rows[from:k]; len(a.part.Sel) > 0 {
				if err := out.Push(&a.part); err != nil {
					return err
				}
			}
			from, sent = k, high
			if err := a.advance(split, high, out); err != nil {
				return err
			}
		}
		high = max(high, marks.I64[i])
	}
	if a.part.Sel = rows[from:]; len(a.part.Sel) > 0 {
		if len(a.part.Sel) == b.N {
			a.part.Sel = nil
		}
		if err := out.Push(&a.part); err != nil {
			return err
		}
	}
	return a.advance(split, high, out)
}

func (a *Assigner) advance(split int, t int64, out Output) error {
	if a.combine.Advance(split, t) {
		return out.Advance(a.combine.Now())
	}
	return nil
}

// valid returns the counting rows that have an event time not too far ahead, and the watermark of each row. The others are errors.
func (a *Assigner) valid(b *vector.Batch) ([]int32, *vector.Vector, error) {
	errsBefore := len(a.ctx.Fn.Errs)
	marks := a.eval.Eval(a.ctx.Fn, b)[0]
	a.ctx.Fn.Errs = a.ctx.Fn.Errs[:errsBefore]
	col := b.Cols[a.opt.TimeCol]
	limit := int64(operator.MaxTime)
	if a.opt.MaxFuture > 0 {
		limit = a.opt.Clock().Add(a.opt.MaxFuture).UnixMicro()
	}
	a.sel = a.sel[:0]
	for k := range b.Rows() {
		i := b.Row(k)
		var bad *diag.Error
		switch {
		case col.IsNull(i) || marks.IsNull(i):
			bad = diag.New(diag.MissingField, -1, "the event-time column is NULL")
		case col.I64[i] > limit:
			bad = a.future(col.I64[i])
		default:
			a.sel = append(a.sel, int32(i))
			continue
		}
		if err := a.ctx.RowError("watermark", b, i, bad); err != nil {
			return nil, nil, err
		}
	}
	return a.sel, marks, nil
}

func (a *Assigner) future(t int64) *diag.Error {
	text := types.AppendTimestamp(nil, t, 3, false)
	return diag.New(diag.FutureTimestamp, -1, "event time %s lies more than %s ahead of the clock", text, a.opt.MaxFuture).
		WithHint("it would close every open window; repair the sender's clock, or raise the source's option max_future")
}
