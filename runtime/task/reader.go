package task

import (
	"context"
	"errors"
	"time"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/runtime/exchange"
	"github.com/millrace/millrace/runtime/flow"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// idleInterval is how often a split at its end says that it still is: the most that an idle split delays the watermark.
const idleInterval = 200 * time.Millisecond

// readOnce is Read, for a limited time when the split is idle.
func readOnce(ctx context.Context, r connectors.Reader, b *vector.Batch, idle bool) (connectors.Status, error) {
	if idle {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, idleInterval)
		defer cancel()
	}
	return r.Read(ctx, b)
}

// ReadSplit reads a split into a channel until it ends, ctx is done or the task is gone. It is the goroutine of the split: decoding
// happens here, so that several splits decode on several cores.
//
// While a split stays at its current end it says so again at intervals, unless healthy (nil: always) denies that the source knows it:
// other splits wait for that before they let the watermark pass.
func ReadSplit(ctx context.Context, r connectors.Reader, fields []types.Field, to *exchange.Channel, healthy func() bool) error {
	defer r.Close()
	pool := vector.NewPool(fields, exchange.ChannelCapacity+2)
	idle := false
	for {
		b := pool.Get()
		status, err := readOnce(ctx, r, b, idle)
		if idle && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
			pool.Put(b)
			if healthy == nil || healthy() {
				if to.Send(flow.Message{Kind: flow.Idle, Position: r.Position(), Lag: r.Lag()}) != nil {
					return nil
				}
			}
			continue
		}
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, exchange.ErrClosed) {
				return nil
			}
			return err
		}
		idle = status == connectors.Idle
		m := flow.Message{Kind: flow.Rows, Position: r.Position(), Rejected: r.Rejected(), Lag: r.Lag()}
		if b.N > 0 {
			m.Batch, m.Pool = b, pool
		} else {
			pool.Put(b)
		}
		if b.N > 0 || len(m.Rejected) > 0 {
			if to.Send(m) != nil {
				return nil
			}
		}
		if w, ok := r.(connectors.Watermarker); ok {
			if t, ok := w.Watermark(); ok && to.Send(flow.Message{Kind: flow.Watermark, Time: t}) != nil {
				return nil
			}
		}
		if status == connectors.More {
			continue
		}
		m = flow.Message{Kind: flow.Idle, Position: r.Position(), Lag: r.Lag(), Hold: status == connectors.CaughtUp}
		if status == connectors.End {
			m.Kind = flow.End
		}
		if to.Send(m) != nil || status == connectors.End {
			return nil
		}
	}
}
