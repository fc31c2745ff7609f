package build

import (
	"fmt"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/runtime/operator"
	"github.com/millrace/millrace/runtime/task"
	"github.com/millrace/millrace/runtime/view"
	"github.com/millrace/millrace/sql/vector"
	"github.com/millrace/millrace/state/keyed"
)

// stageLimit is how many bytes of a sink's output may be staged before the epoch is cut early.
const stageLimit = 16 << 20

// end gives a task the plan's end as its terminal.
func (b *builder) end(f *fragment, root int, t *task.Task, tc *taskContext) error {
	t.Root = true
	switch w := f.end.(type) {
	case *physical.SinkWrite:
		return b.sinkEnd(w, root, t)
	case *physical.ViewWrite:
		term := &view.Terminal{Table: b.opt.View(w), State: b.state(w.ID(), tc)}
		t.Terminal = term
		return term.Restore(b.opt.Last != nil)
	case *physical.Result:
		t.Terminal = &resultTerminal{push: b.opt.Result}
		return nil
	}
	return fmt.Errorf("building a plan that ends in %T", f.end)
}

func (b *builder) sinkEnd(w *physical.SinkWrite, root int, t *task.Task) error {
	name := fmt.Sprintf("%s.%d", w.Relation.Name, root)
	sink, mode, err := newSink(b.opt.Env, b.opt.JobID+"."+name, w)
	if err != nil {
		return err
	}
	eager, isEager := sink.(connectors.EagerSink)
	b.graph.Sinks = append(b.graph.Sinks, &Sink{Name: name, Relation: w.Relation.Name, Sink: sink, Eager: isEager})
	if isEager {
		t.Terminal = &task.EagerTerminal{Sink: eager}
		return nil
	}
	stage := task.StageTerminal{Name: name, Sink: sink, Limit: stageLimit, Full: b.opt.Full}
	if mode == connectors.Upsert && w.Properties().Changelog != physical.AppendOnly {
		t.Terminal = &task.UpsertTerminal{StageTerminal: stage, Key: w.Key, Fields: fieldsOf(w)}
		return nil
	}
	t.Terminal = &stage
	return nil
}

// state is the durable state of an operator in a task.
func (b *builder) state(op uint64, tc *taskContext) operator.State {
	if !tc.keep {
		return forget{}
	}
	return keyed.NewOpState(b.opt.State, op, tc.from, tc.to, tc.delta)
}

// forget is the state of operators in jobs that keep nothing.
type forget struct{}

// Put forgets.
func (forget) Put(byte, uint16, []byte, []byte) {}

// Delete forgets.
func (forget) Delete(byte, uint16, []byte) {}

// DeleteRange forgets.
func (forget) DeleteRange(byte, uint16, []byte, []byte) {}

// Scan finds nothing.
func (forget) Scan(byte, func(uint16, []byte, []byte) error) error { return nil }

// resultTerminal gives rows to the client.
type resultTerminal struct{ push func(b *vector.Batch) error }

// Push gives rows to the client, at its pace.
func (r *resultTerminal) Push(b *vector.Batch) error { return r.push(b) }

// Advance ignores watermarks.
func (r *resultTerminal) Advance(int64) error { return nil }

// Idle ignores idleness.
func (r *resultTerminal) Idle() error { return nil }

// Barrier has nothing to commit.
func (r *resultTerminal) Barrier(uint64, int64, *task.Ack) error { return nil }

// End has nothing to pass on.
func (r *resultTerminal) End() error { return nil }

// Close does nothing.
func (r *resultTerminal) Close() error { return nil }
