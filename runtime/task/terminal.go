package task

import (
	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/runtime/exchange"
	"github.com/millrace/millrace/runtime/flow"
	"github.com/millrace/millrace/sql/vector"
)

// RouterTerminal sends a task's output to other tasks.
type RouterTerminal struct{ Router *exchange.Router }

// Push routes rows.
func (r *RouterTerminal) Push(b *vector.Batch) error { return r.Router.Push(b) }

// Advance sends a watermark.
func (r *RouterTerminal) Advance(t int64) error {
	return r.Router.Tell(flow.Message{Kind: flow.Watermark, Time: t})
}

// Idle sends that the task's inputs are idle.
func (r *RouterTerminal) Idle() error { return r.Router.Tell(flow.Message{Kind: flow.Idle}) }

// Barrier sends the barrier on; the final snapshot (epoch 0) has none.
func (r *RouterTerminal) Barrier(epoch uint64, clock int64, _ *Ack) error {
	if epoch == 0 {
		return nil
	}
	return r.Router.Tell(flow.Message{Kind: flow.Barrier, Epoch: epoch, Time: clock})
}

// End sends the end.
func (r *RouterTerminal) End() error { return r.Router.Tell(flow.Message{Kind: flow.End}) }

// Close does nothing: the channels belong to their receivers.
func (r *RouterTerminal) Close() error { return nil }

// silent is the part of a terminal that has no use for time.
type silent struct{}

// Advance ignores watermarks.
func (silent) Advance(int64) error { return nil }

// Idle ignores idleness.
func (silent) Idle() error { return nil }

// End has nothing to pass on.
func (silent) End() error { return nil }

// StageTerminal encodes a sink's rows into the stage of the epoch. Full is called when the stage passes Limit bytes, so that the epoch
// is cut early and sources wait.
type StageTerminal struct {
	silent
	Name     string
	Sink     connectors.Sink
	Limit    int
	Full     func()
	stage    []byte
	rows     int64
	reported bool
}

// Push encodes rows.
func (s *StageTerminal) Push(b *vector.Batch) (err error) {
	s.rows += int64(b.Rows())
	if s.stage, err = s.Sink.Encode(s.stage, b); err != nil {
		return err
	}
	if len(s.stage) > s.Limit && !s.reported {
		s.reported = true
		s.Full()
	}
	return nil
}

// Barrier hands the stage over.
func (s *StageTerminal) Barrier(_ uint64, _ int64, ack *Ack) error {
	ack.Sink, ack.Stage, ack.StageRows = s.Name, s.stage, s.rows
	s.stage, s.rows, s.reported = make([]byte, 0, min(len(s.stage)+len(s.stage)/8, s.Limit)), 0, false
	return nil
}

// Close does nothing: the sink is closed after the last delivery.
func (s *StageTerminal) Close() error { return nil }

// EagerTerminal writes rows to a sink that needs no staging.
type EagerTerminal struct {
	silent
	Sink connectors.EagerSink
}

// Push writes rows.
func (e *EagerTerminal) Push(b *vector.Batch) error { return e.Sink.Write(b) }

// Barrier has nothing to commit.
func (e *EagerTerminal) Barrier(uint64, int64, *Ack) error { return nil }

// Close does nothing: the sink belongs to the job.
func (e *EagerTerminal) Close() error { return nil }
