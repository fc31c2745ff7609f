package exchange

import (
	"errors"
	"sync"

	"github.com/millrace/millrace/runtime/flow"
)

// ChannelCapacity is the credit of a channel: messages that may wait before the producer blocks.
const ChannelCapacity = 8

// ErrClosed says that the receiving task has ended.
var ErrClosed = errors.New("task has ended")

// Inbox is all that a task waits for: the channels of its inputs and control messages. One goroutine receives; producers send from
// their own. A channel that is held (aligned behind a barrier, or throttled) keeps its messages, and its producer's credit runs out:
// that is backpressure.
type Inbox struct {
	mu       sync.Mutex
	wake     sync.Cond // the receiver waits here
	channels []*Channel
	control  []any
	next     int // where the next search begins, for fairness
	closed   bool
}

// NewInbox makes an inbox without channels.
func NewInbox() *Inbox {
	in := &Inbox{}
	in.wake.L = &in.mu
	return in
}

// Channel is one producer's way into an inbox. Leaf and Index are the receiver's own numbering.
type Channel struct {
	Leaf, Index int

	in    *Inbox
	space sync.Cond // the producer waits here
	queue [ChannelCapacity]flow.Message
	head  int
	count int
	held  bool
}

// Add makes a channel.
func (in *Inbox) Add(leaf, index int) *Channel {
	c := &Channel{Leaf: leaf, Index: index, in: in}
	c.space.L = &in.mu
	in.mu.Lock()
	in.channels = append(in.channels, c)
	in.mu.Unlock()
	return c
}

// Send hands a message over, waiting for credit. It fails with ErrClosed when the receiver is gone.
func (c *Channel) Send(m flow.Message) error {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	for c.count == ChannelCapacity && !c.in.closed {
		c.space.Wait()
	}
	if c.in.closed {
		return ErrClosed
	}
	c.queue[(c.head+c.count)%ChannelCapacity] = m
	c.count++
	if !c.held {
		c.in.wake.Signal()
	}
	return nil
}

// Waiting returns how many messages have not been received yet.
func (c *Channel) Waiting() int {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	return c.count
}

// Hold stops (or resumes) delivery from the channel. Only the receiver calls it.
func (c *Channel) Hold(held bool) {
	c.in.mu.Lock()
	c.held = held
	c.in.mu.Unlock()
}

// Control sends a control message, which overtakes all others. It never blocks.
func (in *Inbox) Control(m any) {
	in.mu.Lock()
	in.control = append(in.control, m)
	in.wake.Signal()
	in.mu.Unlock()
}

// Receive waits for the next message: a control message (ctl), or one of a channel that is not held. Ok is false when the inbox is closed.
func (in *Inbox) Receive() (ctl any, c *Channel, m flow.Message, ok bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for {
		if in.closed {
			return nil, nil, m, false
		}
		if len(in.control) > 0 {
			ctl = in.control[0]
			in.control = in.control[1:]
			return ctl, nil, m, true
		}
		for k := range in.channels {
			c = in.channels[(in.next+k)%len(in.channels)]
			if c.held || c.count == 0 {
				continue
			}
			in.next = (in.next + k + 1) % len(in.channels)
			m = c.queue[c.head]
			c.queue[c.head] = flow.Message{}
			c.head = (c.head + 1) % ChannelCapacity
			c.count--
			c.space.Signal()
			return nil, c, m, true
		}
		in.wake.Wait()
	}
}

// Close ends the inbox: waiting producers and the receiver return.
func (in *Inbox) Close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.closed = true
	in.wake.Broadcast()
	for _, c := range in.channels {
		c.space.Broadcast()
	}
}
