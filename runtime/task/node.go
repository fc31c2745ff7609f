package task

import (
	"sync/atomic"

	"github.com/millrace/millrace/runtime/operator"
	"github.com/millrace/millrace/runtime/watermark"
	"github.com/millrace/millrace/sql/vector"
)

// Terminal is where a task's output goes.
type Terminal interface {
	operator.Output
	// Advance passes on the watermark.
	Advance(t int64) error
	// Idle says that the task's inputs are all idle.
	Idle() error
	// Barrier closes the epoch: what the terminal has to commit goes into ack. Clock is the next epoch's clock.
	Barrier(epoch uint64, clock int64, ack *Ack) error
	// End says that nothing follows; the final Ack has been sent.
	End() error
	Close() error
}

// Node is an operator in its place. Exactly one of Op and Assign is set; Parent is nil at the root, whose output is the terminal.
type Node struct {
	Name        string
	Op          operator.Operator
	Assign      *watermark.Assigner
	Ctx         *operator.Context
	Inputs      int
	Parent      *Node
	ParentInput int

	Counters Counters

	task    *Task
	combine *watermark.Combine
	started bool
}

// Counters are a node's statistics; readable from any goroutine.
type Counters struct {
	RowsIn, RowsOut, Late, Errors atomic.Int64
	Watermark                     atomic.Int64
	Lag                           atomic.Int64 // records ahead of a source, -1 unknown
	Idle                          atomic.Bool  // every split of a source is at its current or final end
}

// OnCommit runs fn when the epoch of the rows at hand is committed. Only the task's goroutine calls it.
func (n *Node) OnCommit(fn func()) { n.task.onCommit(fn) }

// output is a node's way to its parent; it implements operator.Output and watermark.Output.
type output struct{ n *Node }

// Push passes rows on.
func (o output) Push(b *vector.Batch) error {
	o.n.Counters.RowsOut.Add(int64(b.Rows()))
	return o.n.emit(b)
}

// Advance passes on the watermark of an Assign node.
func (o output) Advance(t int64) error { return o.n.passWatermark(t) }

func (n *Node) emit(b *vector.Batch) error {
	if b.Rows() == 0 {
		return nil
	}
	if n.Parent == nil {
		return n.task.Terminal.Push(b)
	}
	return n.Parent.push(n.ParentInput, b)
}

func (n *Node) push(input int, b *vector.Batch) error {
	n.Counters.RowsIn.Add(int64(b.Rows()))
	if n.Assign != nil {
		return n.Assign.Push(b, output{n})
	}
	if err := n.Op.Push(input, b, output{n}); err != nil {
		return err
	}
	if f, ok := n.Op.(operator.Finisher); ok && f.Done() {
		n.task.satisfied = n
	}
	return nil
}

// Feedback is the way into an input of n for an operator above it: that of a recursion.
func (n *Node) Feedback(input int) operator.Feedback { return feedback{n, input} }

type feedback struct {
	n     *Node
	input int
}

func (f feedback) Push(b *vector.Batch) error { return f.n.push(f.input, b) }

func (f feedback) End() error { return f.n.end(f.input) }

// conclude ends a node that needs no more rows, and with it everything above: what is below is of no use any more.
func (n *Node) conclude() error {
	for i := range n.Inputs {
		if n.combine.AllEnded() {
			break
		}
		if err := n.end(i); err != nil {
			return err
		}
	}
	return nil
}

// advance takes the watermark of one input.
func (n *Node) advance(input int, t int64) error {
	if n.combine.Advance(input, t) {
		return n.watermark(n.combine.Now())
	}
	return nil
}

func (n *Node) watermark(t int64) error {
	if n.Op != nil {
		var err error
		if t, err = n.Op.Watermark(t, output{n}); err != nil {
			return err
		}
	}
	return n.passWatermark(t)
}

func (n *Node) passWatermark(t int64) error {
	n.Counters.Watermark.Store(t)
	if n.Parent == nil {
		return n.task.Terminal.Advance(t)
	}
	return n.Parent.advance(n.ParentInput, t)
}

// idle says that an input is idle; when all are, the node is.
func (n *Node) idle(input int) error {
	if n.combine.Idle(input) {
		if err := n.watermark(n.combine.Now()); err != nil {
			return err
		}
	}
	if !n.combine.AllIdle() {
		return nil
	}
	if n.Parent == nil {
		return n.task.Terminal.Idle()
	}
	return n.Parent.idle(n.ParentInput)
}

// end says that an input is over.
func (n *Node) end(input int) error {
	moved := n.combine.End(input)
	t := n.combine.Now()
	all := n.combine.AllEnded()
	if all {
		t, moved = operator.MaxTime, true
	}
	if moved {
		if err := n.watermark(t); err != nil {
			return err
		}
	}
	if n.Op != nil {
		if err := n.Op.End(input, output{n}); err != nil {
			return err
		}
	}
	if !all {
		return nil
	}
	if n.Parent == nil {
		n.task.ended = true
		return nil
	}
	return n.Parent.end(n.ParentInput)
}
