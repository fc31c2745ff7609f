package task

import (
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/runtime/exchange"
	"github.com/millrace/millrace/runtime/flow"
	"github.com/millrace/millrace/runtime/operator"
	"github.com/millrace/millrace/runtime/watermark"
	"github.com/millrace/millrace/sql/diag"
)

// Split is where a split stands at a barrier.
type Split struct {
	Source    string
	Split     string
	Position  connectors.Position
	Watermark int64
	Ended     bool
}

// Ack is a task's part of an epoch. Publish, when set, makes the epoch's changes visible and runs after the commit.
type Ack struct {
	Task       int
	Epoch      uint64
	Final      bool // the task has ended: this is its part of the earliest epoch it has not acknowledged, and nothing follows
	Delta      []byte
	Splits     []Split
	Watermarks map[string]int64 // by leaf
	Sink       string           // whose stage this is
	Stage      []byte
	StageRows  int64
	Publish    []func()
}

// Barrier is the control message that ends an epoch at the source tasks. Clock is the epoch clock from here on, microseconds.
type Barrier struct {
	Epoch uint64
	Clock int64
}

// Throttle is the control message that stops (or resumes) the intake of sources while a sink cannot keep up.
type Throttle bool

// NewSplit is the control message that adds a split; Start is called in the task's goroutine with the channel to fill.
type NewSplit struct {
	Leaf     int
	Split    string
	Start    func(*exchange.Channel)
	Position connectors.Position
}

// SealLeaf is the control message that says that no splits will be added to a leaf.
type SealLeaf struct{ Leaf int }

// Delta gives the encoded state changes since the last call.
type Delta interface{ Take() []byte }

// Task is one fragment on one partition. Fields are set before Run; Run is its goroutine.
type Task struct {
	ID       int
	Name     string
	Nodes    []*Node // children before parents
	Leaves   []*Leaf
	Terminal Terminal
	Root     bool  // its terminal is the job's, not an exchange
	Static   bool  // only static leaves: no part of checkpoints
	Delta    Delta // nil: the task keeps no durable state
	OnAck    func(Ack)

	inbox     *exchange.Inbox
	epoch     uint64 // of the barrier being aligned, 0: none
	clock     int64
	triggered bool // the control message of the current barrier has come
	gated     bool
	throttled bool
	ended     bool
	satisfied *Node    // an operator that needs no more input (LIMIT)
	publish   []func() // runs when the current epoch is committed
}

// maxPublish bounds what waits for a commit; what comes beyond it runs at once.
const maxPublish = 1 << 14

// onCommit runs fn when the epoch of the rows at hand is committed, so that rows that a crash brings again are not told twice.
func (t *Task) onCommit(fn func()) {
	if t.Static || len(t.publish) >= maxPublish {
		fn()
		return
	}
	t.publish = append(t.publish, fn)
}

// New makes an empty task.
func New(id int, name string) *Task {
	return &Task{ID: id, Name: name, inbox: exchange.NewInbox()}
}

// AddNode adds an operator; children first.
func (t *Task) AddNode(n *Node) *Node {
	n.task = t
	n.combine = watermark.NewCombine(n.Inputs, operator.MinTime)
	n.Counters.Watermark.Store(operator.MinTime)
	t.Nodes = append(t.Nodes, n)
	return n
}

// AddLeaf adds an input.
func (t *Task) AddLeaf(l *Leaf) *Leaf {
	l.task = t
	l.combine = watermark.NewCombine(0, l.Restored)
	t.Leaves = append(t.Leaves, l)
	return l
}

// Control sends a control message (Barrier, Throttle, NewSplit, SealLeaf).
func (t *Task) Control(m any) { t.inbox.Control(m) }

// Stop makes Run return as soon as it is between two messages.
func (t *Task) Stop() { t.inbox.Close() }

// HasSource tells whether barriers enter through this task.
func (t *Task) HasSource() bool {
	for _, l := range t.Leaves {
		if l.Source && !l.Static {
			return true
		}
	}
	return false
}

// Run drives the task until its inputs end or it is stopped. It closes operators and terminal. A panic in an operator becomes an error:
// one bad job must not end the process.
func (t *Task) Run() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = diag.New(diag.Internal, -1, "internal error in %s: %v", t.Name, r).Wrap(fmt.Errorf("%s", debug.Stack()))
		}
		t.inbox.Close()
		for _, n := range t.Nodes {
			if n.Op != nil {
				if e := n.Op.Close(); e != nil && err == nil {
					err = e
				}
			}
		}
		if e := t.Terminal.Close(); e != nil && err == nil {
			err = e
		}
	}()
	if err := t.open(); err != nil {
		return err
	}
	return t.loop()
}

func (t *Task) open() error {
	for _, n := range t.Nodes {
		if n.Assign != nil {
			n.Assign.Open(n.Ctx, t.restoredMark(n))
			continue
		}
		if err := n.Op.Open(n.Ctx); err != nil {
			return fmt.Errorf("opening %s: %w", n.Name, err)
		}
	}
	if err := t.gate(); err != nil {
		return err
	}
	for _, l := range t.Leaves {
		if l.Restored == operator.MinTime {
			continue
		}
		var err error
		if l.Assign != nil {
			err = l.Assign.passWatermark(l.Restored)
		} else {
			err = l.Parent.advance(l.ParentInput, l.Restored)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *Task) restoredMark(n *Node) int64 {
	for _, l := range t.Leaves {
		if l.Assign == n {
			return l.Restored
		}
	}
	return operator.MinTime
}

// gate holds every leaf but those below a gated operator's first input, until those have ended; and starts what may send rows now.
func (t *Task) gate() error {
	t.gated = false
	var closed []*Node
	for _, n := range t.Nodes {
		if t.closed(n) {
			closed = append(closed, n)
		}
	}
	if len(closed) > 0 {
		n := closed[0]
		t.gated = true
		for _, l := range t.Leaves {
			l.hold(!l.feeds(n, n.Op.(operator.Gated).Gate()))
		}
	} else {
		t.resumeLeaves()
	}
	return t.start(closed)
}

// closed tells whether n waits for the whole of its first input.
func (t *Task) closed(n *Node) bool {
	g, ok := n.Op.(operator.Gated)
	if !ok {
		return false
	}
	for _, l := range t.Leaves {
		if l.feeds(n, g.Gate()) && !l.done {
			return true
		}
	}
	return false
}

// start lets operators begin whose rows do not come upon a closed gate.
func (t *Task) start(closed []*Node) error {
	for _, n := range t.Nodes {
		s, ok := n.Op.(operator.Starter)
		if !ok || n.started || n.below(closed) {
			continue
		}
		n.started = true
		if err := s.Start(output{n}); err != nil {
			return fmt.Errorf("starting %s: %w", n.Name, err)
		}
	}
	return nil
}

// below tells whether n's rows would come to one of the gates, other than through the input that opens it.
func (n *Node) below(gates []*Node) bool {
	for p := n; p.Parent != nil; p = p.Parent {
		if slices.Contains(gates, p.Parent) && p.ParentInput != p.Parent.Op.(operator.Gated).Gate() {
			return true
		}
	}
	return false
}

// feeds tells whether the leaf lies below the given input of n.
func (l *Leaf) feeds(n *Node, input int) bool {
	if l.Parent == n {
		return l.ParentInput == input
	}
	for p := l.Parent; p != nil; p = p.Parent {
		if p.Parent == n {
			return p.ParentInput == input
		}
	}
	return false
}

func (t *Task) resumeLeaves() {
	for _, l := range t.Leaves {
		l.hold(t.throttled && l.Source && !l.Static)
	}
}

func (t *Task) loop() error {
	for _, l := range t.Leaves {
		if err := l.maybeDone(); err != nil {
			return err
		}
	}
	if t.gated {
		if err := t.gate(); err != nil {
			return err
		}
	}
	for !t.ended {
		ctl, ch, m, ok := t.inbox.Receive()
		if !ok {
			return exchange.ErrClosed
		}
		if ctl != nil {
			if err := t.control(ctl); err != nil {
				return err
			}
			continue
		}
		if err := t.message(ch, &m); err != nil {
			return err
		}
	}
	if err := t.finish(); err != nil {
		return err
	}
	return t.Terminal.End()
}

func (t *Task) control(ctl any) error {
	switch c := ctl.(type) {
	case Barrier:
		t.begin(c.Epoch, c.Clock)
		t.triggered = true
		return t.maybeBarrier()
	case Throttle:
		t.throttled = bool(c)
		if !t.gated {
			t.resumeLeaves()
		}
	case NewSplit:
		c.Start(t.Leaves[c.Leaf].AddSplit(c.Split, c.Position, operator.MinTime))
	case SealLeaf:
		t.Leaves[c.Leaf].Seal()
		return t.Leaves[c.Leaf].maybeDone()
	}
	return nil
}

func (t *Task) begin(epoch uint64, clock int64) {
	if t.epoch != epoch {
		t.epoch, t.clock, t.triggered = epoch, clock, false
	}
}

func (t *Task) message(ch *exchange.Channel, m *flow.Message) error {
	l := t.Leaves[ch.Leaf]
	c := l.channels[ch.Index]
	if m.Kind == flow.Barrier {
		t.begin(m.Epoch, m.Time)
		c.aligned = true
		c.Hold(true)
		return t.maybeBarrier()
	}
	if err := l.receive(c, m); err != nil {
		return err
	}
	if n := t.satisfied; n != nil && !t.ended {
		t.satisfied = nil
		return n.conclude()
	}
	if m.Kind == flow.End {
		if t.gated {
			if err := t.gate(); err != nil {
				return err
			}
		}
		return t.maybeBarrier()
	}
	return nil
}

// maybeBarrier completes the current barrier when every input has delivered it.
func (t *Task) maybeBarrier() error {
	if t.epoch == 0 || t.ended || t.HasSource() && !t.triggered {
		return nil
	}
	for _, l := range t.Leaves {
		if l.Source || l.Static {
			continue
		}
		for _, c := range l.channels {
			if !c.ended && !c.aligned {
				return nil
			}
		}
	}
	ack, err := t.snapshot(t.epoch)
	if err != nil {
		return err
	}
	t.OnAck(ack)
	for _, l := range t.Leaves {
		for _, c := range l.channels {
			c.aligned = false
		}
	}
	t.epoch, t.triggered = 0, false
	if t.gated {
		return t.gate()
	}
	t.resumeLeaves()
	return nil
}

// snapshot collects the task's part of an epoch.
func (t *Task) snapshot(epoch uint64) (Ack, error) {
	ack := Ack{Task: t.ID, Epoch: epoch, Watermarks: map[string]int64{}}
	for _, n := range t.Nodes {
		if n.Op == nil {
			continue
		}
		if err := n.Op.Barrier(epoch); err != nil {
			return ack, fmt.Errorf("snapshotting %s: %w", n.Name, err)
		}
		if t.clock != 0 {
			n.Ctx.Fn.Now = t.clock
		}
	}
	for _, l := range t.Leaves {
		if l.Static {
			continue
		}
		ack.Watermarks[l.Name] = l.mark()
		if l.Source {
			ack.Splits = l.splits(ack.Splits)
		}
	}
	if err := t.Terminal.Barrier(epoch, t.clock, &ack); err != nil {
		return ack, err
	}
	ack.Publish = append(ack.Publish, t.publish...)
	t.publish = nil
	if t.Delta != nil { // last: the terminal of a view writes state too
		ack.Delta = t.Delta.Take()
	}
	return ack, nil
}

// finish sends the last Ack. It goes out before End reaches the next tasks, so that the coordinator can tell to which epoch it belongs.
func (t *Task) finish() error {
	ack, err := t.snapshot(0)
	if err != nil {
		return err
	}
	ack.Final = true
	t.OnAck(ack)
	return nil
}
