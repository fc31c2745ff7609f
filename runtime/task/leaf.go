package task

import (
	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/runtime/exchange"
	"github.com/millrace/millrace/runtime/flow"
	"github.com/millrace/millrace/runtime/operator"
	"github.com/millrace/millrace/runtime/watermark"
)

// Leaf is an input of a task: the splits of a source, or the channels of an exchange.
type Leaf struct {
	Name        string // stable within the job: node id; names the watermark in checkpoints
	Source      bool   // fed by split readers (or constant rows), not by other tasks
	Static      bool   // below a lookup join: read anew at each start, no part of checkpoints
	Relation    string // of a source, for the error table
	Policy      func(r connectors.Rejected) error
	Parent      *Node
	ParentInput int
	Assign      *Node // the node above that makes watermarks; nil: none
	Restored    int64 // the leaf's watermark at the checkpoint
	Counters    Counters

	task     *Task
	channels []*channel
	combine  *watermark.Combine // of exchange channels
	sealed   bool               // no more channels will be added: when all have ended, the leaf has
	done     bool
}

// channel is the receiver's view of one producer.
type channel struct {
	*exchange.Channel
	split    string // of a source
	origin   int    // split number at the Assign node
	position connectors.Position
	lag      int64
	aligned  bool // has delivered the current barrier
	ended    bool
	idle     bool
}

// AddChannel makes a channel for a producer task.
func (l *Leaf) AddChannel() *exchange.Channel {
	c := l.task.inbox.Add(l.index(), len(l.channels))
	l.channels = append(l.channels, &channel{Channel: c})
	l.combine.Add(operator.MinTime)
	return c
}

// AddSplit makes a channel for a split reader that stands at position and watermark. Splits found while the task runs are added by a
// control message, in the task's goroutine.
func (l *Leaf) AddSplit(split string, position connectors.Position, mark int64) *exchange.Channel {
	c := l.AddChannel()
	ch := l.channels[len(l.channels)-1]
	ch.split, ch.position = split, position
	if l.Assign != nil {
		ch.origin = l.Assign.Assign.AddSplit(mark)
	}
	return c
}

// Seal says that no channel will be added any more.
func (l *Leaf) Seal() { l.sealed = true }

func (l *Leaf) index() int {
	for i, x := range l.task.Leaves {
		if x == l {
			return i
		}
	}
	return -1
}

// receive handles one message of a channel, barriers excepted.
func (l *Leaf) receive(c *channel, m *flow.Message) error {
	switch m.Kind {
	case flow.Rows:
		return l.rows(c, m)
	case flow.Watermark:
		c.idle = false
		if l.Assign != nil {
			return l.Assign.advanceSplit(c.origin, m.Time)
		}
		if l.combine.Advance(c.Index, m.Time) {
			return l.Parent.advance(l.ParentInput, l.combine.Now())
		}
	case flow.Idle:
		return l.idle(c, m)
	case flow.End:
		return l.end(c, m)
	}
	return nil
}

// rows passes a batch on and notes how far its split has come.
func (l *Leaf) rows(c *channel, m *flow.Message) error {
	c.idle = false
	l.Counters.Idle.Store(false)
	l.combine.Active(c.Index)
	if err := l.note(c, m); err != nil {
		return err
	}
	if m.Batch == nil || m.Batch.Rows() == 0 {
		m.Release()
		return nil
	}
	m.Batch.Origin = c.origin
	l.Counters.RowsOut.Add(int64(m.Batch.Rows()))
	err := l.Parent.push(l.ParentInput, m.Batch)
	m.Release()
	return err
}

func (l *Leaf) note(c *channel, m *flow.Message) error {
	if m.Position != nil {
		c.position, c.lag = m.Position, m.Lag
		l.Counters.Lag.Store(l.lag())
	}
	for _, r := range m.Rejected {
		l.Counters.Errors.Add(1)
		if err := l.Policy(r); err != nil {
			return err
		}
	}
	return nil
}

func (l *Leaf) noteIdle() {
	for _, c := range l.channels {
		if !c.idle && !c.ended {
			return
		}
	}
	l.Counters.Idle.Store(true)
}

// lag sums the records ahead over the splits; -1 when one is unknown.
func (l *Leaf) lag() int64 {
	var sum int64
	for _, c := range l.channels {
		if c.lag < 0 {
			return -1
		}
		sum += c.lag
	}
	return sum
}

func (l *Leaf) idle(c *channel, m *flow.Message) error {
	if err := l.note(c, m); err != nil {
		return err
	}
	if c.Waiting() > 0 {
		return nil // it was idle; more has come since
	}
	c.idle = true
	l.noteIdle()
	if m.Hold {
		return nil
	}
	if l.Assign != nil {
		return l.Assign.idleSplit(c.origin)
	}
	if l.Source {
		return nil // no event time: it has no watermark to hold or release
	}
	if l.combine.Idle(c.Index) {
		if err := l.Parent.advance(l.ParentInput, l.combine.Now()); err != nil {
			return err
		}
	}
	if l.combine.AllIdle() {
		return l.Parent.idle(l.ParentInput)
	}
	return nil
}

// advanceSplit moves the watermark of a split of an Assign node.
func (n *Node) advanceSplit(origin int, t int64) error {
	if c := n.Assign.Combine(); c.Advance(origin, t) {
		return n.passWatermark(c.Now())
	}
	return nil
}

// idleSplit marks a split of an Assign node idle.
func (n *Node) idleSplit(origin int) error {
	c := n.Assign.Combine()
	if c.Idle(origin) {
		if err := n.passWatermark(c.Now()); err != nil {
			return err
		}
	}
	if !c.AllIdle() {
		return nil
	}
	if n.Parent == nil {
		return n.task.Terminal.Idle()
	}
	return n.Parent.idle(n.ParentInput)
}

func (l *Leaf) end(c *channel, m *flow.Message) error {
	if err := l.note(c, m); err != nil {
		return err
	}
	c.ended = true
	l.noteIdle()
	moved := l.combine.End(c.Index)
	switch {
	case l.Assign != nil:
		if n := l.Assign; n.Assign.Combine().End(c.origin) && !n.Assign.Combine().AllEnded() {
			if err := n.passWatermark(n.Assign.Combine().Now()); err != nil {
				return err
			}
		}
	case moved && !l.Source && !l.combine.AllEnded():
		if err := l.Parent.advance(l.ParentInput, l.combine.Now()); err != nil {
			return err
		}
	}
	return l.maybeDone()
}

// maybeDone ends the leaf when all its channels have ended.
func (l *Leaf) maybeDone() error {
	if l.done || !l.sealed {
		return nil
	}
	for _, c := range l.channels {
		if !c.ended {
			return nil
		}
	}
	l.done = true
	return l.Parent.end(l.ParentInput)
}

// mark is the watermark to keep in a checkpoint.
func (l *Leaf) mark() int64 {
	if l.Assign != nil {
		return l.Assign.Assign.Combine().Now()
	}
	return max(l.combine.Now(), l.Restored)
}

// splits are the states of the leaf's splits, for a checkpoint.
func (l *Leaf) splits(dst []Split) []Split {
	for _, c := range l.channels {
		mark := int64(operator.MinTime)
		if l.Assign != nil {
			mark = l.Assign.Assign.Combine().Input(c.origin)
		}
		dst = append(dst, Split{Source: l.Name, Split: c.split, Position: c.position, Watermark: mark, Ended: c.ended})
	}
	return dst
}

// hold stops or resumes all channels, except those held for alignment.
func (l *Leaf) hold(held bool) {
	for _, c := range l.channels {
		c.Hold(held || c.aligned)
	}
}
