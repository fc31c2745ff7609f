package job

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/runtime/build"
	"github.com/millrace/millrace/runtime/checkpoint"
	"github.com/millrace/millrace/sql/diag"
)

// maxPendingEpochs is how many committed epochs may wait for their sinks before no further epoch is begun.
const maxPendingEpochs = 3

// deliveryRetryMax bounds the wait between two attempts to deliver an epoch. Attempts never end by themselves: the epoch is committed, and
// the log keeps it until the sink takes it.
const deliveryRetryMax = 10 * time.Second

// courier carries the committed stages of one sink outside, in order, in a goroutine of its own.
type courier struct {
	sink     *build.Sink
	queue    chan parcel
	cancel   context.CancelFunc
	done     chan struct{}
	pending  int    // parcels not yet reported; owned by the attempt's loop
	upTo     uint64 // last delivered epoch; owned by the attempt's loop
	rejected atomic.Int64
	trouble  atomic.Pointer[error] // why the last attempt failed
}

type parcel struct {
	epoch uint64
	stage checkpoint.Stage
}

// delivery reports that a stage has arrived.
type delivery struct {
	sink  string
	epoch uint64
}

// startCouriers opens the sinks and delivers again what may not have arrived.
func (a *attempt) startCouriers(undelivered []*checkpoint.Commit) error {
	a.reports = make(chan delivery, maxPendingEpochs*(len(a.graph.Sinks)+1)+len(undelivered)*(len(a.graph.Sinks)+1))
	for _, s := range a.graph.Sinks {
		if err := s.Sink.Open(a.ctx); err != nil {
			return err
		}
		if s.Eager {
			continue
		}
		c := &courier{sink: s, queue: make(chan parcel, maxPendingEpochs+1+len(undelivered)), done: make(chan struct{})}
		if a.last != nil {
			c.upTo = a.last.Delivered[s.Name]
		}
		ctx, cancel := context.WithCancel(a.ctx)
		c.cancel = cancel
		a.couriers[s.Name] = c
		go c.run(ctx, a)
	}
	for _, commit := range undelivered {
		for _, st := range commit.Stages {
			c := a.couriers[st.Sink]
			if c == nil {
				return fmt.Errorf("recovering: the job has no sink %q any more", st.Sink)
			}
			if commit.Epoch > c.upTo {
				c.send(commit.Epoch, st)
			}
		}
	}
	return nil
}

// send queues a stage; the attempt begins no epoch that would find the queue full.
func (c *courier) send(epoch uint64, s checkpoint.Stage) {
	c.pending++
	c.queue <- parcel{epoch, s}
}

func (c *courier) run(ctx context.Context, a *attempt) {
	defer close(c.done)
	for {
		select {
		case p := <-c.queue:
			if !c.deliver(ctx, a, p) {
				return
			}
			a.reports <- delivery{c.sink.Name, p.epoch}
		case <-ctx.Done():
			return
		}
	}
}

// deliver tries until the stage has arrived; false when ctx is done first.
func (c *courier) deliver(ctx context.Context, a *attempt, p parcel) bool {
	delay := restartDelayMin
	for {
		rejected, err := c.sink.Sink.Deliver(ctx, p.epoch, p.stage.Data)
		for _, r := range rejected {
			c.rejected.Add(1)
			a.job.opt.Hooks.Rejected(a.job.opt.Name, "sink", c.sink.Relation, r)
		}
		if err == nil {
			c.trouble.Store(nil)
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		if e, ok := diag.As(err); ok && e.Code == diag.SinkRejected {
			a.fail(err) // the sink's policy says that a refused record ends the job
			return false
		}
		c.trouble.Store(&err)
		a.job.opt.Env.Logger.Warn("sink does not take an epoch yet", "job", a.job.opt.Name, "sink", c.sink.Relation, "epoch", p.epoch, "err", err)
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return false
		}
		delay = min(2*delay, deliveryRetryMax)
	}
}

func (c *courier) close() {
	c.cancel()
	<-c.done
}

// delivered notes an arrival and lets the sources go on.
func (a *attempt) delivered(d delivery) error {
	c := a.couriers[d.sink]
	c.pending--
	c.upTo = max(c.upTo, d.epoch)
	a.settle()
	if a.pending() < maxPendingEpochs {
		a.throttle(false)
	}
	return nil
}

// pending is the largest number of stages that wait for one sink.
func (a *attempt) pending() int {
	n := 0
	for _, c := range a.couriers {
		n = max(n, c.pending)
	}
	return n
}

// deliveredUpTo is how far each sink has come.
func (a *attempt) deliveredUpTo() map[string]uint64 {
	m := map[string]uint64{}
	for name, c := range a.couriers {
		m[name] = c.upTo
	}
	return m
}

// safeEpoch is the epoch up to which no sink needs the commit log any more.
func (a *attempt) safeEpoch() uint64 {
	safe := a.last.Epoch
	for _, c := range a.couriers {
		if c.pending > 0 {
			safe = min(safe, c.upTo)
		}
	}
	return safe
}

// drain waits until what a finished job has committed is delivered. Stop ends it: what is left is delivered at the next start.
func (a *attempt) drain() error {
	for a.pending() > 0 {
		select {
		case d := <-a.reports:
			if err := a.delivered(d); err != nil {
				return err
			}
		case err := <-a.failures:
			return err
		case <-a.ctx.Done():
			return errStopped
		}
	}
	return nil
}
