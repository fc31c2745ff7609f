package task

import (
	"context"
	"errors"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/runtime/exchange"
	"github.com/millrace/millrace/runtime/flow"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// ReadSplit reads a split into a channel until it ends, ctx is done or the task is gone. It is the goroutine of the split: decoding
// happens here, so that several splits decode on several cores.
func ReadSplit(ctx context.Context, r connectors.Reader, fields []types.Field, to *exchange.Channel) error {
	defer r.Close()
	pool := vector.NewPool(fields, exchange.ChannelCapacity+2)
	for {
		b := pool.Get()
		status, err := r.Read(ctx, b)
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, exchange.ErrClosed) {
				return nil
			}
			return err
		}
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
